// Root emulation, where a container has a single id: its processes may become other users and give files away as if there
// were more. A second seccomp filter passes the calls of ids and owners to a process of ours, which answers them. It has
// the container's user and mount namespaces, and so no right that the container's root has not; not its pid namespace, so
// that nobody there sees or ends it. docs/decisions/0033.
#pragma once

#include "common/unique_fd.h"
#include "plan.h"

/**
 * In init, with every capability: passes the calls from now on to the helper, over `sync`. Where the kernel or a sandbox
 * around us cannot do that, init goes on without: said in a note, and in p->emulate_ids.
 */
bool begin_emulation(Process* p, int sync, StepError* e);

/** In the helper: the process that answers. It dies with the helper, whoever forgets it. */
class Emulation {
 public:
  void take_mounts(UniqueFd mounts) { mounts_ = static_cast<UniqueFd&&>(mounts); }
  bool start(const Process& p, const UniqueFd& userns, UniqueFd listener, StepError* e);
  bool on_child_end(pid_t pid);
  void stop();

 private:
  UniqueFd mounts_;
  pid_t pid_ = -1;
};
