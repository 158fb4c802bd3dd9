// Three processes for a moment: the helper stays outside and waits; one in between enters the container; the third is
// cloned there and becomes the command (entered.cc).

#include "exec_mode.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "entered.h"
#include "event_log.h"
#include "monitor_state.h"
#include "namespaces.h"
#include "relay.h"
#include "signals.h"
#include "sync.h"
#include "sys.h"

namespace {

struct Session {
  Monitor m;
  Relay relay;
  Entry entry;
};

bool has_tty(const Session& s) { return s.m.plan.stdio.kind == StdioKind::kTty; }
bool detaches(const Session& s) { return s.m.plan.session.detach; }

/** Nothing of the caller's stdio for a command that outlives it. */
bool open_nothing(InitChannels* channels, StepError* e) {
  for (UniqueFd& fd : channels->stdio) {
    fd.reset(open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!fd) return fail(e, Step::kStdio, "/dev/null");
  }
  return true;
}

bool prepare_stdio(Session& s, StepError* e) {
  if (detaches(s) && !has_tty(s)) return open_nothing(&s.entry.channels, e);
  if (!s.relay.prepare(s.m.plan, &s.entry.channels, e)) return false;
  if (detaches(s)) s.relay.let_go();
  return true;
}

bool start(Session& s) {
  Monitor& m = s.m;
  StepError* e = &m.error;
  s.entry.plan = &m.plan;
  if (!find_init(m.plan.session, &s.entry.init, e)) return false;
  UniqueFd ours;
  if (!make_sync_pair(&ours, &s.entry.channels.sync)) return fail(e, Step::kSocket, "");
  if (!prepare_stdio(s, e)) return false;
  m.pid = clone_beyond(enter_container, &s.entry, 0, e);
  if (m.pid == 0) become_command(s.entry);
  if (m.pid < 0) return false;
  s.entry.channels.sync.reset();
  drop_child_ends(&s.entry.channels);
  m.sync = static_cast<UniqueFd&&>(ours);
  m.pidfd.reset(sys::pidfd_open(m.pid));
  m.container.reset(fcntl(s.entry.init.pidfd.get(), F_DUPFD_CLOEXEC, 3));
  return true;
}

/** What went wrong only because the container has ended is said so. */
void explain_end(Session& s) {
  Step step = s.m.error.step;
  bool may_be =
      step == Step::kEnter || step == Step::kClone || step == Step::kEarlyExit || step == Step::kTty;
  if (!s.m.failed || !may_be || !s.entry.init.proc) return;
  // A process that is about to end has lost its namespaces before it counts as ended.
  bool is_ending = step == Step::kEnter && (s.m.error.err == ENOENT || s.m.error.err == ESRCH);
  if (!is_ending && !has_ended(s.entry.init)) return;
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
