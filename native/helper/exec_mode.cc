// Three processes for a moment: the helper stays outside and waits; one in between lets go of everything of the host's
// and enters the container's namespaces; the third is cloned there, as a child of the helper, and becomes the command.
// Whoever looks from inside the container sees the third alone, and it holds nothing but its stdio and one socket.

#include "exec_mode.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "child_stdio.h"
#include "command.h"
#include "common/retry.h"
#include "enter.h"
#include "event_log.h"
#include "exec.h"
#include "monitor_state.h"
#include "namespaces.h"
#include "relay.h"
#include "resolve.h"
#include "security.h"
#include "signals.h"
#include "sync.h"
#include "sys.h"

namespace {

struct Session {
  Monitor m;
  Relay relay;
  RunningInit init;
  InitChannels channels;
};

bool has_tty(const Session& s) { return s.m.plan.stdio.kind == StdioKind::kTty; }
bool detaches(const Session& s) { return s.m.plan.session.detach; }

/** In the process in between. */
bool enter(void* arg, int report, StepError* e) {
  Session& s = *static_cast<Session*>(arg);
  // As a process of the caller's, with the caller's stderr for what there is to say.
  join_group(s.m.plan.cgroup);
  // While /proc/self still belongs to us, and pipes to change the mode of too.
  if (!write_oom_score(s.m.plan.process, e)) return false;
  if (!connect_stdio(s.m.plan, s.channels.stdio, e)) return false;
  // From here on nobody of the container's may trace us (CVE-2016-9962); execve ends that.
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return fail(e, Step::kEnter, s.m.plan.session.container);
  if (!enter_namespaces(s.init, s.m.plan.session, e)) return false;
  // Close-on-exec would be too late: paths of the container lead to open descriptors (CVE-2024-21626).
  sys::close_all_but(s.channels.sync.get(), report);
  return true;
}

bool connect_terminal(const Session& s, int sync, StepError* e) {
  // Of the mount namespace: where the container's init has chrooted to is its own affair.
  UniqueFd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return fail(e, Step::kTty, "/");
  return open_terminal(s.m.plan, root.get(), Console::kLeave, sync, e);
}

/**
 * A terminal is hung up when the helper dies, as any other; and a helper that detaches leaves the command behind. So
 * the command is tied to the helper only without either.
 */
bool follow_helper(const Session& s, int sync, StepError* e) {
  return has_tty(s) || detaches(s) || die_with_helper(sync, e);
}

/** In the clone, inside the container. */
[[noreturn]] void become_command(Session& s) {
  int sync = s.channels.sync.get();
  const Process& p = s.m.plan.process;
  StepError e;
  if (!follow_helper(s, sync, &e)) give_up(sync, e);
  // A session of its own: signals of the caller's terminal reach the helper alone, which forwards them.
  setsid();
  umask(0022);
  if (has_tty(s) && !connect_terminal(s, sync, &e)) give_up(sync, e);
  wait_for_helper(sync, SyncType::kRun);
  if (!take_on_process(p, &e) || !follow_helper(s, sync, &e)) give_up(sync, e);
  send_sync(sync, SyncType::kExec, Step::kExec, 0, "");
  exec_command(p, &e);
  give_up(sync, e);
}

/** Nothing of the caller's stdio for a command that outlives it. */
bool open_nothing(InitChannels* channels, StepError* e) {
  for (UniqueFd& fd : channels->stdio) {
    fd.reset(open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!fd) return fail(e, Step::kStdio, "/dev/null");
  }
  return true;
}

bool prepare_stdio(Session& s, StepError* e) {
  if (detaches(s) && !has_tty(s)) return open_nothing(&s.channels, e);
  if (!s.relay.prepare(s.m.plan, &s.channels, e)) return false;
  if (detaches(s)) s.relay.let_go();
  return true;
}

bool start(Session& s) {
  Monitor& m = s.m;
  StepError* e = &m.error;
  if (!find_init(m.plan.session, &s.init, e)) return false;
  UniqueFd ours;
  if (!make_sync_pair(&ours, &s.channels.sync)) return fail(e, Step::kSocket, "");
  if (!prepare_stdio(s, e)) return false;
  m.pid = clone_beyond(enter, &s, 0, e);
  if (m.pid == 0) become_command(s);
  if (m.pid < 0) return false;
  s.channels.sync.reset();
  drop_child_ends(&s.channels);
  m.sync = static_cast<UniqueFd&&>(ours);
  m.pidfd.reset(sys::pidfd_open(m.pid));
  m.container.reset(fcntl(s.init.pidfd.get(), F_DUPFD_CLOEXEC, 3));
  return true;
}

/** What went wrong only because the container has ended is said so. */
void explain_end(Session& s) {
  Step step = s.m.error.step;
  bool may_be =
      step == Step::kEnter || step == Step::kClone || step == Step::kEarlyExit || step == Step::kTty;
  if (!s.m.failed || !may_be || !s.init.proc) return;
  // A process that is about to end has lost its namespaces before it counts as ended.
  bool is_ending = step == Step::kEnter && (s.m.error.err == ENOENT || s.m.error.err == ESRCH);
  if (!is_ending && !has_ended(s.init)) return;
  errno = ESRCH;
  fail_because(&s.m.error, Step::kEnter, s.m.plan.session.container, "it is not running any more");
}

/** Who is asked to survive its terminal (nohup) is not to end with the shell that started it either. */
bool survives_caller() {
  struct sigaction hangup;
  return sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler == SIG_IGN;
}

/** Leaves the command alone; its terminal, if it has one, needs somebody who takes what it writes. */
int leave(Session& s) {
  s.relay.let_go();
  if (!s.relay.has_output() || fork() != 0) return 0;
  setsid();
  // Our session's end may have sent a SIGHUP while we still belonged to it. It is pending, and is dropped.
  signal(SIGHUP, SIG_IGN);
  reset_signals();
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; null >= 0 && fd < 3; fd++) dup2(null, fd);
  (void)!chdir("/");
  while (s.relay.has_output()) {
    pollfd polls[kStdioPolls];
    int n = s.relay.add_polls(polls);
    if (poll(polls, static_cast<nfds_t>(n), -1) > 0) s.relay.move();
  }
  _exit(0);
}

int finish(Session& s) {
  if (s.m.detached && !s.m.failed) {
    if (!detaches(s)) log_event(s.m.plan, "exec_detach");
    return leave(s);
  }
  report_early_end(s.m);
  explain_end(s);
  if (s.m.failed) print_error(s.m.error);
  int status = exit_status(s.m);
  log_exec_die(s.m.plan, status);
  return status;
}

int stay(Session& s) {
  if (!start(s)) record_failure(s.m);
  if (s.m.pid > 0) {
    follow_container(s.m);
    if (!s.m.detached) drain_output(s.m);
  }
  s.relay.restore_terminal();
  return finish(s);
}

}  // namespace

int exec_in_container(int plan_fd) {
  static Session s;
  s.m.stdio = &s.relay;
  s.m.signals = take_over_signals(true);
  if (!read_plan(plan_fd, &s.m.plan, &s.m.error)) {
    print_error(s.m.error);
    return exit_status_of(s.m.error);
  }
  close(plan_fd);
  if (!survives_caller()) s.m.parent = watch_parent(s.m.plan.lifetime);
  return stay(s);
}
