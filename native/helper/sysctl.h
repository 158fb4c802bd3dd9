// Kernel parameters of the container's namespaces.
#pragma once

#include "plan.h"

/** Writes the plan's sysctls, and what every network namespace of our own gets, through the procfs at `proc`. */
bool write_sysctls(const Plan& plan, int proc, StepError* e);
