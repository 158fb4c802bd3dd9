// pasta or slirp4netns beside the container: started as soon as the ids are mapped, while init mounts. That the
// network is ready, init sees for itself (route_watch.h): earlier than either program would say so.
#pragma once

#include <sys/types.h>

#include "common/unique_fd.h"
#include "plan.h"

class Network {
 public:
  /** The container's namespaces; no user namespace: the host's. */
  bool start(const Plan& plan, const UniqueFd& userns, const UniqueFd& netns, StepError* e);
  /** Readable when slirp4netns is ready for requests; empty when there is nothing to wait for here. */
  const UniqueFd& ready_fd() const { return ready_; }
  /** Sends the plan's requests. */
  bool on_ready(const NetworkHelper& helper, StepError* e);
  bool is_ready() const { return !ready_; }
  /** True when `pid` was the program. */
  bool on_child_end(pid_t pid, int status);
  /** Why it ended, in its own words. */
  void describe_end(StepError* e) const;
  /** Appends what it has said so far, as one line; nothing when it has said nothing. */
  void quote_output(TextView* out) const;
  void stop();

 private:
  const char* program_ = "";
  const char* socket_ = "";
  pid_t pid_ = -1;
  int status_ = 0;
  UniqueFd output_, ready_;
  /** slirp4netns ends when the other end of this pipe is closed, even by our sudden death. */
  UniqueFd exit_pipe_;
};
