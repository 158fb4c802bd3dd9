// A monitor is a process of its own session without stdio. It holds the container's lock, serves clients by the socket
// `attach`, applies the restart policy, and leaves an exit record, or nothing with --rm.

#include "monitored.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "attach_client.h"
#include "attach_server.h"
#include "event_log.h"
#include "monitor_state.h"
#include "record.h"
#include "restart_policy.h"
#include "signals.h"
#include "sync.h"
#include "sys.h"

namespace {

constexpr uint64_t kFirstBackOffMs = 100, kLongestBackOffMs = 60000, kHealthyMs = 10000;

AttachServer server;

/** Nothing of the caller's stays with us: terminal, working directory, streams. */
bool leave_caller(StepError* e) {
  setsid();
  prctl(PR_SET_NAME, "skiff-monitor", 0, 0, 0);
  UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null || chdir("/") < 0) return fail(e, Step::kMonitor, "");
  for (int fd = 0; fd < 3; fd++) {
    if (dup2(null.get(), fd) < 0) return fail(e, Step::kMonitor, "");
  }
  return true;
}

/** `stop`, `kill` and `rm` leave a mark before they send a signal, so that they are not taken for an accident. */
bool is_stopped_by_user(const Lifetime& lifetime) {
  Text<PATH_MAX> path;
  path << lifetime.container_dir << "/stop";
  return access(path.c_str(), F_OK) == 0;
}

/** docker's rules. A command that could not be started at all is not tried again, unless it has run before. */
bool is_to_restart(Monitor& m, int status, uint32_t restarts) {
  Lifetime& lifetime = m.plan.lifetime;
  refresh_restart_policy(&lifetime);
  if (lifetime.restart == RestartKind::kNo || (m.failed && restarts == 0)) return false;
  if (lifetime.restart == RestartKind::kOnFailure &&
      (status == 0 || (lifetime.max_restarts > 0 && restarts >= lifetime.max_restarts)))
    return false;
  return !m.parent_is_gone && !is_stopped_by_user(lifetime);
}

/** False when a signal, or the end of the caller, is not to be followed by another start. */
bool wait_before_restart(Monitor& m, uint64_t ms) {
  uint64_t end = monotonic_ms() + ms;
  for (;;) {
    uint64_t now = monotonic_ms();
    if (now >= end) return !is_stopped_by_user(m.plan.lifetime);
    pollfd polls[2 + kStdioPolls];
    polls[0] = {m.signals.get(), POLLIN, 0};
    polls[1] = {m.parent ? m.parent.get() : -1, POLLIN, 0};
    int n = 2 + server.add_polls(polls + 2);
    if (poll(polls, static_cast<nfds_t>(n), static_cast<int>(end - now)) < 0) continue;
    server.move();
    while (server.take_signal() != 0) {
    }
    if (polls[1].revents != 0) return false;
    signalfd_siginfo info;
    while (read(m.signals.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      int sig = static_cast<int>(info.ssi_signo);
      if (sig == SIGTERM || sig == SIGINT || sig == SIGQUIT || sig == SIGHUP) return false;
    }
  }
}

/** What a stalled client has not taken yet is its own affair: the container's folder is closed by now. */
void serve_last_clients(Monitor& m, int status) {
  server.end(status);
  while (server.has_clients()) {
    pollfd polls[1 + kStdioPolls];
    polls[0] = {m.signals.get(), POLLIN, 0};
    int n = 1 + server.add_polls(polls + 1);
    if (poll(polls, static_cast<nfds_t>(n), -1) < 0) continue;
    server.move();
    signalfd_siginfo info;
    if (polls[0].revents == 0 ||
        read(m.signals.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info))
      continue;
    if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT || info.ssi_signo == SIGHUP) return;
  }
}

int keep_container(Monitor& m) {
  uint64_t back_off = 0;
  for (uint32_t restarts = 0;; restarts++) {
    uint64_t begun = monotonic_ms();
    int status = run_to_end(m);
    if (monotonic_ms() - begun >= kHealthyMs) back_off = 0;
    back_off = back_off == 0 ? kFirstBackOffMs : back_off * 2;
    if (back_off > kLongestBackOffMs) back_off = kLongestBackOffMs;
    bool again = is_to_restart(m, status, restarts);
    bool told = again;
    if (again) {
      save_result(m, status, restarts, true);
      log_end(m, status);
      server.end(status);
      again = wait_before_restart(m, back_off) && is_to_restart(m, status, restarts);
    }
    if (!again) {
      m.cgroup.remove(m.plan);
      if (!m.plan.lifetime.remove_on_exit) save_result(m, status, restarts, false);
      if (!told) log_end(m, status);
      return status;
    }
    static_cast<Run&>(m) = Run();
  }
}

[[noreturn]] void be_monitor(Monitor& m, UniqueFd client) {
  m.is_monitor = true;
  m.stdio = &server;
  // What a caller ignores, as a shell does for its background jobs, is nothing to who comes with a signal later.
  m.signals = take_over_signals(false);
  // Of our own, since the server closes the client's when that has gone.
  UniqueFd messages(fcntl(client.get(), F_DUPFD_CLOEXEC, 3));
  redirect_messages(messages.get());
  int status;
  if (!leave_caller(&m.error)) {
    print_error(m.error);
    status = 125;
  } else {
    if (!server.open(m.plan, static_cast<UniqueFd&&>(client)))
      print_note("nobody can attach to the container: its folder takes no socket");
    status = keep_container(m);
  }
  redirect_messages(-1);
  server.close_files();
  Lifetime& lifetime = m.plan.lifetime;
  if (lifetime.remove_on_exit) {
    leave_status(lifetime, status);
    m.cleanup.remove_container(lifetime);
    log_destroy(m.plan);
  }
  // Free before a client hears of the end: what it does next finds the container stopped.
  close(lifetime.lock_fd);
  serve_last_clients(m, status);
  _exit(0);
}

}  // namespace

int run_monitored(Monitor& m) {
  UniqueFd ours, theirs;
  if (!make_sync_pair(&ours, &theirs)) {
    fail(&m.error, Step::kSocket, "");
    print_error(m.error);
    return 125;
  }
  // Before there are two, so that a Ctrl-C in between ends neither without notice.
  m.signals = take_over_signals(true);
  pid_t pid = fork();
  if (pid < 0) {
    fail(&m.error, Step::kMonitor, "");
    print_error(m.error);
    return 125;
  }
  if (pid == 0) {
    ours.reset();
    be_monitor(m, static_cast<UniqueFd&&>(theirs));
  }
  theirs.reset();
  m.parent.reset();
  m.signals.reset();
  close(m.plan.lifetime.lock_fd);
  return follow_monitor(m.plan, ours.get());
}
