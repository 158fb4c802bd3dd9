// Removing a container's folder when it has ended.
#pragma once

#include <sys/types.h>

#include "common/unique_fd.h"
#include "plan.h"

class Cleanup {
 public:
  /** Keeps the container's user namespace, in which files of subordinate ids can be removed. */
  void keep_namespace(const Plan& plan, pid_t pid);
  /** The folder and the further paths; says on stderr what could not be removed. */
  void remove_container(const Lifetime& lifetime);

 private:
  UniqueFd user_ns_;
};
