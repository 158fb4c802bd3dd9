// pasta or slirp4netns beside the container: started as soon as its network namespace exists, while init mounts.
#pragma once

#include <sys/types.h>

#include "common/unique_fd.h"
#include "plan.h"

class Network {
 public:
  bool start(const Plan& plan, pid_t container, StepError* e);
  /** Readable when the helper is ready, or has failed. */
  const UniqueFd& ready_fd() const { return ready_; }
  void on_ready();
  void on_child_end(pid_t pid, int status);
  bool is_ready() const { return is_ready_; }
  bool ok() const { return !failed_; }
  void describe_failure(StepError* e) const;
  void stop();

 private:
  UniqueFd ready_;
  pid_t pid_ = -1;
  bool is_ready_ = true;
  bool failed_ = false;
};
