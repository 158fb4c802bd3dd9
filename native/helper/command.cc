// See command.h.

#include "command.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "security.h"
#include "signals.h"
#include "sys.h"

namespace {

bool helper_is_gone(int sync) {
  pollfd p = {sync, 0, 0};
  return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR)) != 0;
}

/**
 * The caller's session keyring holds his tickets and keys: not for the container to look at. Keyrings are counted for
 * each user: where there are no more to be had, the seccomp filter alone forbids keyctl.
 */
void leave_session_keyring() { (void)syscall(SYS_keyctl, sys::kJoinSessionKeyring, nullptr); }

bool enter_cwd(const Process& p, StepError* e) { return chdir(p.cwd) == 0 || fail(e, Step::kCwd, p.cwd); }

}  // namespace

bool die_with_helper(int sync, StepError* e) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) return fail(e, Step::kParentDeath, "");
  if (helper_is_gone(sync)) _exit(125);
  return true;
}

void wait_for_helper(int sync, SyncType type) {
  SyncMessage m;
  if (receive_sync(sync, &m, nullptr) != 1 || m.type != type) _exit(125);
}

bool take_on_process(const Process& p, StepError* e) {
  leave_session_keyring();
  apply_rlimits(p.rlimits);
  // First with root's rights, as docker does; a directory that only the user may enter is tried again as the user.
  bool entered = enter_cwd(p, e);
  if (!entered && e->err != EACCES) return false;
  if (!drop_privileges(p, e)) return false;
  if (!entered && !enter_cwd(p, e)) return false;
  reset_signals();
  return true;
}

void give_up(int sync, const StepError& e) {
  send_error(sync, e);
  syscall(SYS_exit_group, exit_status_of(e));
  // A seccomp filter that forbids even that. A fault ends us all the same, where _exit would spin for ever.
  __builtin_trap();
}
