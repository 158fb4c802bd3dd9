// The container's cgroup: made before init, entered by it, removed when the container has ended.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "plan.h"

class Cgroup {
 public:
  /**
   * Makes the group, with its limits; for systemd's sake this process may move to another one. Once for all lives of the
   * container. False when that was required and cannot be had; else what is not honoured is said, the start goes on, and
   * the plan names no group any more.
   */
  bool make(Plan* plan, StepError* e);
  /** Puts a process into it. */
  bool admit(const CgroupPlan& plan, pid_t pid, StepError* e);
  /** The container is paused, or about to be. */
  bool is_frozen(const CgroupPlan& plan) const;
  /** Whoever has been sent SIGKILL does die of it, though the container be paused. */
  void let_die(const CgroupPlan& plan) const;
  /**
   * After the container's first process: whoever else is left in the group is killed. True when the kernel has killed
   * for want of memory since the last call.
   */
  bool end_life(const CgroupPlan& plan);
  /** With everybody in it; and its record. */
  void remove(const Plan& plan);

 private:
  bool fail_or_go_on(const CgroupPlan& plan, const StepError& own, StepError* e);

  bool is_made_ = false;
  uint64_t oom_kills_ = 0;
};

/**
 * This process moves into the group of a running container; where that is refused, a line on stderr says so. `init`: the
 * folder in /proc of its first process.
 */
void join_group(const CgroupPlan& plan, int init);
