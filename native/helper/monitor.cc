// The helper after the clone: answers init, passes signals on, copies stdio where that is asked for, and cleans up.
// Single-threaded: one ppoll over everything.

#include "monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "common/retry.h"
#include "idmap.h"
#include "init.h"
#include "namespaces.h"
#include "network.h"
#include "record.h"
#include "relay.h"
#include "signals.h"
#include "sync.h"
#include "sys.h"

namespace {

enum class Phase { kStarting, kExecuting, kRunning };

struct Monitor {
  Plan plan;
  StepError error;
  Relay relay;
  Network network;
  Cleanup cleanup;
  UniqueFd signals, sync, pidfd, parent;
  pid_t pid = -1;
  Phase phase = Phase::kStarting;
  bool has_terminal = false, run_sent = false, failed = false, ended = false;
  /** The exit status that overrides the container's: a signal carried out for it, or a time-out. */
  int forced_status = 0;
  int wait_status = 0;
  uint64_t started_ns = 0;
  uint64_t deadline_ms = 0;
};

uint64_t monotonic_ms() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1000000;
}

void record_failure(Monitor& m) {
  if (m.failed) return;
  m.failed = true;
  if (m.pid > 0 && !m.ended) kill_container(m.pid, m.pidfd.get());
}

bool ends_with_pid_one(const Monitor& m) { return m.plan.ns.pid.kind == NsKind::kNew; }

/** Everything init waits for before it executes the command. */
void send_run_when_ready(Monitor& m) {
  if (m.run_sent || m.failed || !m.network.is_ready()) return;
  if (m.plan.stdio.kind == StdioKind::kTty && !m.has_terminal) return;
  m.run_sent = send_sync(m.sync.get(), SyncType::kRun, Step::kExec, 0, "");
}

void mark_running(Monitor& m) {
  m.phase = Phase::kRunning;
  m.started_ns = now_ns();
  if (m.plan.lifetime.timeout_ms > 0) m.deadline_ms = monotonic_ms() + m.plan.lifetime.timeout_ms;
}

void handle_message(Monitor& m, const SyncMessage& msg, UniqueFd fd) {
  switch (msg.type) {
    case SyncType::kPty:
      m.has_terminal = true;
      if (!m.relay.take_terminal(static_cast<UniqueFd&&>(fd), &m.error)) record_failure(m);
      return;
    case SyncType::kNote: {
      Text<kSyncDetailMax + 1> note;
      note.bytes(msg.detail, msg.len);
      return print_note(note.c_str());
    }
    case SyncType::kError:
      read_error(msg, &m.error);
      return record_failure(m);
    case SyncType::kExec:
      m.phase = Phase::kExecuting;
      return;
    case SyncType::kGo:
    case SyncType::kRun:
      return;
  }
}

void read_sync(Monitor& m) {
  for (;;) {
    SyncMessage msg;
    UniqueFd fd;
    int got = receive_sync(m.sync.get(), &msg, &fd, true);
    if (got < 0 && errno == EAGAIN) return;
    if (got == 1) {
      handle_message(m, msg, static_cast<UniqueFd&&>(fd));
      continue;
    }
    // Closed by execve: EOF after EXEC means that the command runs. Any earlier, init is dead: see report_early_end.
    if (m.phase == Phase::kExecuting && !m.failed) mark_running(m);
    m.sync.reset();
    return;
  }
}

/** Before the command runs that is an error; later the container can only be told by its connections. */
void lose_network(Monitor& m) {
  if (m.phase == Phase::kStarting) {
    m.network.describe_end(&m.error);
    return record_failure(m);
  }
  StepError e;
  m.network.describe_end(&e);
  Text<1024> words;
  words << "the container has lost its network: ";
  describe_error(e, &words);
  print_note(words.c_str());
}

void reap(Monitor& m) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid == m.pid) {
      m.ended = true;
      m.wait_status = status;
    } else if (m.network.on_child_end(pid, status) && !m.ended) {
      lose_network(m);
    }
  }
}

/** Stops with the container, as a job of the caller's shell. */
void stop_with_container(Monitor& m) {
  m.relay.restore_terminal();
  if (m.phase != Phase::kRunning || forward_signal(m.pid, m.pidfd.get(), SIGSTOP, false)) return;
  kill(getpid(), SIGSTOP);
  forward_signal(m.pid, m.pidfd.get(), SIGCONT, false);
  m.relay.reclaim_terminal();
}

void handle_signal(Monitor& m, int sig) {
  switch (sig) {
    case SIGCHLD:
      return reap(m);
    case SIGPIPE:
    case SIGURG:
      return;
    case SIGWINCH:
      if (m.plan.stdio.kind == StdioKind::kTty) return m.relay.resize();
      break;
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
      return stop_with_container(m);
    case SIGCONT:
      m.relay.reclaim_terminal();
      break;
    default:
      break;
  }
  if (m.ended) return;
  if (m.phase != Phase::kRunning) {
    // Nothing of the container's runs yet that could handle it.
    if (sig == SIGWINCH || sig == SIGCONT) return;
    m.forced_status = 128 + sig;
    return kill_container(m.pid, m.pidfd.get());
  }
  if (forward_signal(m.pid, m.pidfd.get(), sig, ends_with_pid_one(m))) m.forced_status = 128 + sig;
}

void read_signals(Monitor& m) {
  signalfd_siginfo info;
  while (read(m.signals.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    handle_signal(m, static_cast<int>(info.ssi_signo));
  }
}

/** Milliseconds for poll(2); -1: for ever. */
int time_left(const Monitor& m) {
  if (m.deadline_ms == 0) return -1;
  uint64_t now = monotonic_ms();
  if (now >= m.deadline_ms) return 0;
  uint64_t left = m.deadline_ms - now;
  return left > 60000 ? 60000 : static_cast<int>(left);
}

void check_deadline(Monitor& m) {
  if (m.deadline_ms == 0 || monotonic_ms() < m.deadline_ms || m.ended) return;
  m.deadline_ms = 0;
  m.forced_status = 128 + SIGKILL;
  kill_container(m.pid, m.pidfd.get());
}

void wait_for_events(Monitor& m) {
  pollfd polls[4 + kRelayPolls];
  int n = 0;
  auto add = [&](const UniqueFd& fd) -> pollfd* {
    if (!fd) return nullptr;
    polls[n] = {fd.get(), POLLIN, 0};
    return &polls[n++];
  };
  pollfd* signals = add(m.signals);
  pollfd* sync = add(m.sync);
  pollfd* parent = add(m.parent);
  pollfd* network = add(m.network.ready_fd());
  n += m.relay.add_polls(polls + n);
  if (poll(polls, static_cast<nfds_t>(n), time_left(m)) < 0) return;
  // Messages before signals: an ERROR must be read before the SIGCHLD that follows it.
  if (sync != nullptr && sync->revents != 0) read_sync(m);
  if (network != nullptr && network->revents != 0 && !m.network.on_ready(m.plan.network, &m.error))
    record_failure(m);
  if (signals != nullptr && signals->revents != 0) read_signals(m);
  if (parent != nullptr && parent->revents != 0) {
    m.parent.reset();
    m.forced_status = 128 + SIGKILL;
    kill_container(m.pid, m.pidfd.get());
  }
  m.relay.move();
  if (m.relay.take_stop_request()) {
    // As any program that reads in the background: stopped until it is brought to the foreground.
    kill(getpid(), SIGSTOP);
    m.relay.reclaim_terminal();
  }
  check_deadline(m);
}

/** Until the container's first process has been reaped; with pid 1 its whole pid namespace is gone. */
void follow_container(Monitor& m) {
  while (!m.ended) {
    send_run_when_ready(m);
    wait_for_events(m);
  }
  if (m.sync) read_sync(m);
}

/** Passes on what the container wrote last; a signal ends the wait for a reader who does not read. */
void drain_output(Monitor& m) {
  while (m.relay.finish()) {
    pollfd polls[1 + kRelayPolls];
    polls[0] = {m.signals.get(), POLLIN, 0};
    int n = 1 + m.relay.add_polls(polls + 1);
    if (poll(polls, static_cast<nfds_t>(n), -1) < 0) continue;
    m.relay.move();
    signalfd_siginfo info;
    if (polls[0].revents == 0 ||
        read(m.signals.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info))
      continue;
    int sig = static_cast<int>(info.ssi_signo);
    if (sig == SIGINT || sig == SIGTERM || sig == SIGHUP || sig == SIGQUIT) return;
  }
}

void report_early_end(Monitor& m) {
  if (m.failed || m.phase == Phase::kRunning || m.forced_status != 0) return;
  // EXEC was sent, and then the process was killed before the helper saw the socket close: it did run, or nearly so.
  if (m.phase == Phase::kExecuting) return;
  Text<64> how;
  if (WIFSIGNALED(m.wait_status)) {
    how << "killed by signal " << WTERMSIG(m.wait_status);
  } else {
    how << "exit status " << WEXITSTATUS(m.wait_status);
  }
  errno = ECHILD;
  fail_because(&m.error, Step::kEarlyExit, "", how.c_str());
  m.failed = true;
}

int exit_status(const Monitor& m) {
  if (m.failed) return exit_status_of(m.error);
  if (m.forced_status != 0) return m.forced_status;
  return WIFSIGNALED(m.wait_status) ? 128 + WTERMSIG(m.wait_status) : WEXITSTATUS(m.wait_status);
}

bool start(Monitor& m) {
  StepError* e = &m.error;
  Plan& plan = m.plan;
  InitChannels channels;
  UniqueFd ours;
  if (!make_sync_pair(&ours, &channels.sync)) return fail(e, Step::kSocket, "");
  if (!m.relay.prepare(plan, &channels, e)) return false;
  m.pid = clone_into_namespaces(plan.ns, e);
  if (m.pid == 0) {
    ours.reset();
    run_init(&plan, &channels);
  }
  if (m.pid < 0) return false;
  channels.sync.reset();
  m.relay.drop_child_ends(&channels);
  m.sync = static_cast<UniqueFd&&>(ours);
  m.pidfd.reset(sys::pidfd_open(m.pid));
  if (!map_ids(plan.ns, m.pid, e)) return false;
  if (!send_sync(m.sync.get(), SyncType::kGo, Step::kIdMap, 0, ""))
    return true;  // it is dead: see report_early_end
  m.cleanup.keep_namespace(plan, m.pid);
  if (!m.network.start(plan, m.pid, e)) return false;
  return write_pid_files(plan.lifetime, m.pid, e);
}

/** The process that called us, to die with it; -1 when it is none of ours to watch. */
UniqueFd watch_parent(const Lifetime& lifetime) {
  pid_t parent = getppid();
  if (!lifetime.die_with_parent || parent <= 1) return UniqueFd();
  UniqueFd fd(sys::pidfd_open(parent));
  // It may have died, and its number been taken, before we looked.
  return getppid() == parent ? static_cast<UniqueFd&&>(fd) : UniqueFd();
}

bool stdout_is_broken_pipe() {
  struct stat st;
  if (fstat(STDOUT_FILENO, &st) < 0 || !S_ISFIFO(st.st_mode)) return false;
  pollfd p = {STDOUT_FILENO, 0, 0};
  return poll(&p, 1, 0) == 1 && (p.revents & POLLERR) != 0;
}

/** Dies as `cat` would when nobody reads its output any more. */
void die_of_sigpipe() {
  sigset_t pipe_only;
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  raise(SIGPIPE);
  sigprocmask(SIG_UNBLOCK, &pipe_only, nullptr);
}

void save_result(Monitor& m, int status) {
  ExitRecord record;
  record.code = status;
  record.signal = !m.failed && WIFSIGNALED(m.wait_status) ? WTERMSIG(m.wait_status) : 0;
  record.started_ns = m.started_ns;
  record.finished_ns = now_ns();
  Text<1024> words;
  if (m.failed) {
    describe_error(m.error, &words);
    record.error = words.c_str();
  }
  StepError e;
  if (!write_exit_record(m.plan.lifetime, record, &e)) print_error(e);
}

}  // namespace

int run_container(int plan_fd) {
  static Monitor m;
  m.signals = take_over_signals();
  if (!read_plan(plan_fd, &m.plan, &m.error)) {
    print_error(m.error);
    return exit_status_of(m.error);
  }
  close(plan_fd);
  m.parent = watch_parent(m.plan.lifetime);
  if (!start(m)) record_failure(m);
  if (m.pid > 0) {
    follow_container(m);
    drain_output(m);
    report_early_end(m);
  }
  m.relay.restore_terminal();
  m.network.stop();
  if (m.failed) print_error(m.error);
  int status = exit_status(m);
  if (m.plan.lifetime.remove_on_exit) {
    m.cleanup.remove_container(m.plan.lifetime);
  } else {
    save_result(m, status);
  }
  if (status != 0 && !m.failed && stdout_is_broken_pipe()) die_of_sigpipe();
  return status;
}
