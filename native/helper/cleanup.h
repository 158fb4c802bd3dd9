// Removing a container's folder when it has ended.
#pragma once

#include <sys/types.h>

#include "common/unique_fd.h"
#include "plan.h"

class Cleanup {
 public:
  /**
   * Keeps the container's user namespace, in which files of subordinate ids can be removed. Before init changes its ids:
   * from then on it cannot be dumped, nor its namespaces be opened.
   */
  bool keep_namespace(const Plan& plan, pid_t pid, StepError* e);
  /** Empty without a user namespace. */
  const UniqueFd& user_namespace() const { return user_ns_; }
  /** The folder and the further paths; says on stderr what could not be removed. */
  void remove_container(const Lifetime& lifetime);

 private:
  bool enter();

  UniqueFd user_ns_;
};
