#include "network.h"

#include <errno.h>

bool Network::start(const Plan& plan, pid_t, StepError* e) {
  if (plan.network.kind == NetHelper::kNone) return true;
  errno = ENOSYS;
  return fail(e, Step::kNetwork, plan.network.program);
}
void Network::on_ready() {}
void Network::on_child_end(pid_t pid, int) {
  if (pid == pid_) failed_ = true;
}
void Network::describe_failure(StepError*) const {}
void Network::stop() {}
