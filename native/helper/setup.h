// The setup operations of a plan, done in order on the new root before pivot_root.
#pragma once

#include "plan.h"
#include "rootfs.h"

bool run_setup(const Plan& plan, const HostPaths& host, const NewRoot& root, StepError* e);
