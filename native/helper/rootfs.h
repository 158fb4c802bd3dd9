// The container's root file system from the first mount to pivot_root.
#pragma once

#include "common/unique_fd.h"
#include "plan.h"

/** Descriptors of host paths, opened while the process still has the caller's rights (phase 1 of init.cc). */
struct HostPaths {
  UniqueFd container_dir, upper, work;
  int* lower = nullptr;
  UniqueFd rootfs;    // bind: an unattached clone
  UniqueFd dev_null;  // for masks: an unattached clone is made of it each time
};

bool open_host_paths(Plan* plan, HostPaths* host, StepError* e);

struct NewRoot {
  UniqueFd scratch;  // root of a small tmpfs that holds the mount point and the contents of `file` operations
  UniqueFd root;
};

bool mount_root(const Plan& plan, const HostPaths& host, NewRoot* out, StepError* e);
bool pivot_into(const NewRoot& root, Propagation propagation, StepError* e);
