// One process in between lets go of everything of the host's and enters the container's namespaces; another is cloned
// there, as a child of the helper, and becomes the command. Whoever looks from inside the container sees that one alone,
// and it holds nothing but its stdio and one socket.

#include "entered.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "child_stdio.h"
#include "command.h"
#include "exec.h"
#include "security.h"
#include "sync.h"
#include "sys.h"

namespace {

bool has_tty(const Entry& entry) { return entry.plan->stdio.kind == StdioKind::kTty; }

bool connect_terminal(const Entry& entry, int sync, StepError* e) {
  // Of the mount namespace: where the container's init has chrooted to is its own affair.
  UniqueFd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return fail(e, Step::kTty, "/");
  return open_terminal(*entry.plan, root.get(), Console::kLeave, sync, e);
}

/**
 * A terminal is hung up when the helper dies, as any other; and a helper that detaches leaves the command behind. So
 * the command is tied to the helper only without either.
 */
bool follow_helper(const Entry& entry, int sync, StepError* e) {
  return has_tty(entry) || entry.plan->session.detach || die_with_helper(sync, e);
}

}  // namespace

bool enter_container(void* arg, int report, StepError* e) {
  Entry& entry = *static_cast<Entry*>(arg);
  const Plan& plan = *entry.plan;
  // A keeper's: whoever is on the way in must not hold it for one who dies meanwhile.
  if (plan.lifetime.lock_fd >= 0) close(plan.lifetime.lock_fd);
  // As a process of the caller's, with the caller's stderr for what there is to say.
  join_group(plan.cgroup, entry.init.proc.get());
  // While /proc/self still belongs to us, and pipes to change the mode of too.
  if (!write_oom_score(plan.process, e)) return false;
  if (!connect_stdio(plan, entry.channels.stdio, e)) return false;
  // From here on nobody of the container's may trace us (CVE-2016-9962); execve ends that.
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return fail(e, Step::kEnter, plan.session.container);
  if (!enter_namespaces(entry.init, plan.session, e)) return false;
  // Close-on-exec would be too late: paths of the container lead to open descriptors (CVE-2024-21626).
  sys::close_all_but(entry.channels.sync.get(), report);
  return true;
}

void become_command(Entry& entry) {
  int sync = entry.channels.sync.get();
  const Process& p = entry.plan->process;
  StepError e;
  if (!follow_helper(entry, sync, &e)) give_up(sync, e);
  // A session of its own: signals of the caller's terminal reach the helper alone, which forwards them.
  setsid();
  umask(0022);
  if (has_tty(entry) && !connect_terminal(entry, sync, &e)) give_up(sync, e);
  wait_for_helper(sync, SyncType::kRun);
  if (!take_on_process(p, &e) || !follow_helper(entry, sync, &e)) give_up(sync, e);
  send_sync(sync, SyncType::kExec, Step::kExec, 0, "");
  exec_command(p, &e);
  give_up(sync, e);
}
