// Everything that happens while a container starts and runs. Single-threaded: one poll over signals, messages of init,
// the network helper, the caller's life and stdio.

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/told_signal.h"
#include "event_log.h"
#include "kill_session.h"
#include "monitor_state.h"
#include "record.h"
#include "signals.h"
#include "sync.h"

namespace {

bool ends_with_pid_one(const Monitor& m) { return m.plan.ns.pid.kind == NsKind::kNew; }

/** Everything init waits for before it executes the command. */
void send_run_when_ready(Monitor& m) {
  if (m.run_sent || m.failed || !m.network.is_ready()) return;
  if (m.plan.stdio.kind == StdioKind::kTty && !m.has_terminal) return;
  m.run_sent = send_sync(m.sync.get(), SyncType::kRun, Step::kExec, 0, "");
}

/** Of mode `exec`: the command. */
void kill_init(const Monitor& m) {
  kill_container(m.pid, m.pidfd.get());
  m.cgroup.let_die(m.plan.cgroup);
}

bool is_session(const Monitor& m) { return m.plan.session.pid > 0; }

void mark_running(Monitor& m) {
  m.phase = Phase::kRunning;
  m.detached = m.plan.session.detach;
  m.started_ns = m.cloned_ns;
  if (m.plan.lifetime.timeout_ms > 0) m.deadline_ms = monotonic_ms() + m.plan.lifetime.timeout_ms;
  if (!is_session(m)) log_start(m.plan);
  if (m.health != nullptr) m.health->begin(m.pid, monotonic_ms());
  m.stdio->started();
}

/** What is wrong with the network, its helper may have said. */
void quote_network(const Monitor& m, TextView* note) {
  Text<768> words;
  m.network.quote_output(&words);
  if (words.size() > 0) *note << " (it says: " << words.c_str() << ')';
}

void handle_message(Monitor& m, const SyncMessage& msg, UniqueFd fd) {
  switch (msg.type) {
    case SyncType::kPty:
      m.has_terminal = true;
      if (!m.stdio->take_terminal(static_cast<UniqueFd&&>(fd), &m.error)) record_failure(m);
      return;
    case SyncType::kNote: {
      Text<kSyncDetailMax + 1> note;
      note.bytes(msg.detail, msg.len);
      if (msg.step == Step::kNetwork) quote_network(m, &note);
      return print_note(note.c_str());
    }
    case SyncType::kError:
      read_error(msg, &m.error);
      return record_failure(m);
    case SyncType::kMounts:
      return m.emulation.take_mounts(static_cast<UniqueFd&&>(fd));
    case SyncType::kListener:
      if (!m.emulation.start(m.plan.process, m.cleanup.user_namespace(), static_cast<UniqueFd&&>(fd),
                             &m.error))
        record_failure(m);
      return;
    case SyncType::kExec:
      m.phase = Phase::kExecuting;
      return;
    case SyncType::kGo:
    case SyncType::kRun:
    case SyncType::kNetns:
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
    } else if (m.health != nullptr && m.health->on_child_end(pid, status)) {
      continue;
    } else if (m.emulation.on_child_end(pid)) {
      continue;
    } else if (m.network.on_child_end(pid, status) && !m.ended) {
      lose_network(m);
    }
  }
}

/** The first process stands for all of a container, but not for the process group of an `exec`. */
bool stop_or_continue(const Monitor& m, int sig) {
  if (is_session(m)) return kill(-m.pid, sig) == 0;
  return !forward_signal(m.pid, m.pidfd.get(), sig, false);
}

/** As the kernel does it for a program outside: keys of the terminal mean the whole process group. */
bool passed_to_group(const Monitor& m, int sig, bool from_terminal) {
  return from_terminal && is_session(m) && kill(-m.pid, sig) == 0;
}

/** Stops with the container, as a job of the caller's shell. */
void stop_with_container(Monitor& m) {
  m.stdio->restore_terminal();
  if (m.phase != Phase::kRunning || !stop_or_continue(m, SIGSTOP)) return;
  kill(getpid(), SIGSTOP);
  stop_or_continue(m, SIGCONT);
  m.stdio->reclaim_terminal();
}

enum class Sender { kAnybody, kTerminal, kSkiff };

void handle_signal(Monitor& m, int sig, Sender sender) {
  switch (sig) {
    case SIGCHLD:
      return reap(m);
    case SIGPIPE:
    case SIGURG:
      return;
    case SIGWINCH:
      if (m.plan.stdio.kind == StdioKind::kTty) return m.stdio->resize();
      break;
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
      if (m.is_monitor) break;
      return stop_with_container(m);
    case SIGCONT:
      m.stdio->reclaim_terminal();
      break;
    default:
      break;
  }
  if (m.ended) return;
  if (m.phase != Phase::kRunning) {
    // Nothing of the container's runs yet that could handle it.
    if (sig == SIGWINCH || sig == SIGCONT) return;
    m.forced_status = 128 + sig;
    return kill_init(m);
  }
  if (passed_to_group(m, sig, sender == Sender::kTerminal)) return;
  if (!is_session(m) && sender != Sender::kSkiff) log_kill(m.plan, sig);
  if (!forward_signal(m.pid, m.pidfd.get(), sig, ends_with_pid_one(m))) return;
  m.forced_status = 128 + sig;
  m.cgroup.let_die(m.plan.cgroup);
}

/** `skiff kill` and `stop` have told their event themselves, and say so. */
Sender sender_of(const signalfd_siginfo& info) {
  if (info.ssi_code == SI_KERNEL) return Sender::kTerminal;
  return info.ssi_code == SI_QUEUE && info.ssi_int == kToldSignal ? Sender::kSkiff : Sender::kAnybody;
}

void read_signals(Monitor& m) {
  signalfd_siginfo info;
  while (read(m.signals.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    handle_signal(m, static_cast<int>(info.ssi_signo), sender_of(info));
  }
}

/** Milliseconds for poll(2); -1: for ever. */
int time_left(const Monitor& m) {
  uint64_t next = m.deadline_ms, probe = m.health == nullptr ? 0 : m.health->wake_ms();
  if (next == 0 || (probe != 0 && probe < next)) next = probe;
  if (next == 0) return -1;
  uint64_t now = monotonic_ms();
  if (now >= next) return 0;
  uint64_t left = next - now;
  return left > INT_MAX ? INT_MAX : static_cast<int>(left);
}

/** Of our own accord, and told as if somebody had called `skiff kill`. */
void kill_and_tell(Monitor& m) {
  log_kill(m.plan, SIGKILL);
  kill_init(m);
}

void check_deadline(Monitor& m) {
  if (m.deadline_ms == 0 || monotonic_ms() < m.deadline_ms || m.ended) return;
  m.deadline_ms = 0;
  m.forced_status = 128 + SIGKILL;
  if (is_session(m)) return kill_session(m.pid);
  kill_and_tell(m);
}

/** Asks the command to end, as `stop` does, and kills it when it takes too long. */
void stop_container(Monitor& m) {
  const HealthCheck& check = m.plan.health;
  uint64_t deadline = monotonic_ms() + check.stop_timeout_ms;
  if (check.has_stop_timeout && (m.deadline_ms == 0 || deadline < m.deadline_ms)) m.deadline_ms = deadline;
  handle_signal(m, static_cast<int>(check.stop_signal), Sender::kAnybody);
}

void follow_health(Monitor& m) {
  if (m.health == nullptr) return;
  uint64_t now = monotonic_ms();
  if (m.health->is_due(now) && m.cgroup.is_frozen(m.plan.cgroup)) m.health->put_off(now);
  m.health->move(now);
  OnUnhealthy action = m.health->take_action();
  if (action == OnUnhealthy::kNothing || m.ended) return;
  m.health->stop();
  if (action == OnUnhealthy::kKill) return kill_and_tell(m);
  m.after_end = action == OnUnhealthy::kStop ? AfterEnd::kStay : AfterEnd::kRestart;
  stop_container(m);
}

void wait_for_events(Monitor& m) {
  pollfd polls[5 + kProbePolls + kStdioPolls];
  int n = 0;
  auto add = [&](const UniqueFd& fd) -> pollfd* {
    if (!fd) return nullptr;
    polls[n] = {fd.get(), POLLIN, 0};
    return &polls[n++];
  };
  pollfd* signals = add(m.signals);
  pollfd* sync = add(m.sync);
  pollfd* parent = add(m.parent);
  pollfd* container = add(m.container);
  pollfd* network = add(m.network.ready_fd());
  if (m.health != nullptr) n += m.health->add_polls(polls + n);
  n += m.stdio->add_polls(polls + n);
  if (poll(polls, static_cast<nfds_t>(n), time_left(m)) < 0) return;
  // Messages before signals: an ERROR must be read before the SIGCHLD that follows it.
  if (sync != nullptr && sync->revents != 0) read_sync(m);
  if (network != nullptr && network->revents != 0 && !m.network.on_ready(m.plan.network, &m.error))
    record_failure(m);
  if (signals != nullptr && signals->revents != 0) read_signals(m);
  if (parent != nullptr && parent->revents != 0) {
    m.parent.reset();
    m.parent_is_gone = true;
    m.forced_status = 128 + SIGKILL;
    if (is_session(m)) kill(-m.pid, SIGKILL);
    kill_init(m);
  }
  if (container != nullptr && container->revents != 0) {
    m.container.reset();
    kill_init(m);
  }
  m.stdio->move();
  while (int sig = m.stdio->take_signal()) handle_signal(m, sig, Sender::kAnybody);
  if (m.stdio->has_broken_pipe() && m.forced_status == 0) {
    m.forced_status = 128 + SIGPIPE;
    kill_init(m);
  }
  if (m.stdio->wants_to_detach()) m.detached = true;
  if (m.stdio->take_stop_request()) {
    // As any program that reads in the background: stopped until it is brought to the foreground.
    kill(getpid(), SIGSTOP);
    m.stdio->reclaim_terminal();
  }
  follow_health(m);
  check_deadline(m);
}

}  // namespace

uint64_t monotonic_ms() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1000000;
}

void record_failure(Monitor& m) {
  if (m.failed) return;
  m.failed = true;
  if (m.pid > 0 && !m.ended) kill_init(m);
}

void follow_container(Monitor& m) {
  while (!m.ended && !m.detached) {
    send_run_when_ready(m);
    wait_for_events(m);
  }
  if (m.sync) read_sync(m);
}

void drain_output(Monitor& m) {
  while (m.stdio->finish()) {
    pollfd polls[2 + kStdioPolls];
    polls[0] = {m.signals.get(), POLLIN, 0};
    polls[1] = {m.parent ? m.parent.get() : -1, POLLIN, 0};
    int n = 2 + m.stdio->add_polls(polls + 2);
    if (poll(polls, static_cast<nfds_t>(n), -1) < 0) continue;
    if (polls[1].revents != 0) return;
    m.stdio->move();
    signalfd_siginfo info;
    if (polls[0].revents == 0 ||
        read(m.signals.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info))
      continue;
    int sig = static_cast<int>(info.ssi_signo);
    if (sig == SIGINT || sig == SIGTERM || sig == SIGHUP || sig == SIGQUIT) return;
  }
}
