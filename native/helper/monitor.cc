// The helper before and after the loop of events.cc: starts init, and reports, records and cleans up at the end.

#include "monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/retry.h"
#include "event_log.h"
#include "idmap.h"
#include "init.h"
#include "kill_listed.h"
#include "monitor_state.h"
#include "monitored.h"
#include "namespaces.h"
#include "own_stdio.h"
#include "record.h"
#include "relay.h"
#include "signals.h"
#include "sync.h"
#include "sys.h"

namespace {

/** Init's network namespace for the network helper; empty with true when init is dead. */
bool await_netns(Monitor& m, UniqueFd* netns) {
  if (m.plan.network.kind == NetHelper::kNone) return true;
  SyncMessage msg;
  int got = receive_sync(m.sync.get(), &msg, netns);
  if (got != 1 || msg.type == SyncType::kNetns) return true;
  read_error(msg, &m.error);
  return false;
}

/**
 * Without a pid namespace of its own a container does not end with its first process. What is left comes to us, the
 * subreaper; in a namespace of another container it goes to that one's init, and ends with it.
 */
void kill_survivors(const Monitor& m) {
  if (m.plan.ns.pid.kind != NsKind::kHost) return;
  Text<64> path;
  path << "/proc/self/task/" << getpid() << "/children";
  while (kill_listed(path.c_str())) {
    int status;
    retry([&] { return waitpid(-1, &status, 0); });
  }
}

void say_oom(const Monitor& m) {
  bool first = WIFSIGNALED(m.wait_status) && WTERMSIG(m.wait_status) == SIGKILL;
  Text<256> words;
  words << (first ? "the container" : "a process of the container") << " was killed: out of memory"
        << m.plan.cgroup.memory;
  print_note(words.c_str());
}

bool stdout_is_broken_pipe() {
  struct stat st;
  if (fstat(STDOUT_FILENO, &st) < 0 || !S_ISFIFO(st.st_mode)) return false;
  pollfd p = {STDOUT_FILENO, 0, 0};
  return poll(&p, 1, 0) == 1 && (p.revents & POLLERR) != 0;
}

}  // namespace

bool start_container(Monitor& m) {
  if (m.plan.ns.pid.kind == NsKind::kHost) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if (m.health != nullptr) m.health->reset();
  StepError* e = &m.error;
  Plan& plan = m.plan;
  InitChannels channels;
  UniqueFd ours;
  if (!make_sync_pair(&ours, &channels.sync)) return fail(e, Step::kSocket, "");
  if (!m.cgroup.make(&plan, e) || !m.stdio->prepare(plan, &channels, e)) return false;
  m.pid = clone_into_namespaces(plan, e);
  if (m.pid == 0) {
    ours.reset();
    run_init(&plan, &channels);
  }
  if (m.pid < 0) return false;
  channels.sync.reset();
  drop_child_ends(&channels);
  m.sync = static_cast<UniqueFd&&>(ours);
  m.pidfd.reset(sys::pidfd_open(m.pid));
  if (!m.cgroup.admit(plan.cgroup, m.pid, e)) return false;
  if (!map_ids(plan.ns, m.pid, e) || !m.cleanup.keep_namespace(plan, m.pid, e)) return false;
  if (!send_sync(m.sync.get(), SyncType::kGo, Step::kIdMap, 0, ""))
    return true;  // it is dead: see report_early_end
  UniqueFd netns;
  if (!await_netns(m, &netns)) return false;
  if (plan.network.kind != NetHelper::kNone) {
    if (!netns) return true;  // it is dead: see report_early_end
    if (!m.network.start(plan, m.cleanup.user_namespace(), netns, e)) return false;
  }
  m.cloned_ns = now_ns();
  return write_pid_files(plan.lifetime, {m.pid, m.cloned_ns, m.restarts}, e);
}

int run_to_end(Monitor& m) {
  if (!start_container(m)) record_failure(m);
  if (m.pid > 0) {
    follow_container(m);
    if (m.health != nullptr) m.health->end();
    drain_output(m);
    report_early_end(m);
  }
  m.finished_ns = now_ns();
  m.stdio->restore_terminal();
  m.network.stop();
  m.emulation.stop();
  kill_survivors(m);
  m.is_oom = m.cgroup.end_life(m.plan.cgroup);
  if (m.is_oom) say_oom(m);
  if (m.failed) print_error(m.error);
  return exit_status(m);
}

void log_end(const Monitor& m, int status) {
  if (m.started_ns == 0) return;
  if (m.is_oom) log_event(m.plan, "oom");
  log_die(m.plan, status, m.started_ns, m.finished_ns);
}

void save_result(const Monitor& m, int status, bool restarting) {
  ExitRecord record;
  record.code = status;
  record.signal = !m.failed && WIFSIGNALED(m.wait_status) ? WTERMSIG(m.wait_status) : 0;
  record.started_ns = m.started_ns;
  record.finished_ns = m.finished_ns;
  record.oom = m.is_oom;
  record.restarts = m.restarts;
  record.restarting = restarting;
  Text<1024> words;
  if (m.failed) {
    describe_error(m.error, &words);
    record.error = words.c_str();
  }
  StepError e;
  if (!write_exit_record(m.plan.lifetime, record, &e)) print_error(e);
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

UniqueFd watch_parent(const Lifetime& lifetime) {
  if (lifetime.parent_fd >= 0) return UniqueFd(lifetime.parent_fd);
  pid_t parent = getppid();
  if (!lifetime.die_with_parent || parent <= 1) return UniqueFd();
  UniqueFd fd(sys::pidfd_open(parent));
  // It may have died, and its number been taken, before we looked.
  return getppid() == parent ? static_cast<UniqueFd&&>(fd) : UniqueFd();
}

int run_container(int plan_fd) {
  static Monitor m;
  if (!read_plan(plan_fd, &m.plan, &m.error)) {
    print_error(m.error);
    return exit_status_of(m.error);
  }
  close(plan_fd);
  m.parent = watch_parent(m.plan.lifetime);
  if (m.plan.health.args.count > 0) {
    static Health health(m.plan);
    m.health = &health;
  }
  if (m.plan.client.kind != ClientKind::kNone) return run_monitored(m);
  static Relay relay;
  m.stdio = &relay;
  m.signals = take_over_signals(true);
  int status = run_to_end(m);
  // The container has done its work; that it did not arrive is ours to say.
  if (status == 0 && relay.has_lost_output()) status = 125;
  m.cgroup.remove(m.plan);
  if (m.plan.lifetime.remove_on_exit) {
    leave_status(m.plan.lifetime, status);
    log_end(m, status);
    m.cleanup.remove_container(m.plan.lifetime);
    log_destroy(m.plan);
  } else {
    save_result(m, status, false);
    log_end(m, status);
  }
  if (status != 0 && !m.failed && stdout_is_broken_pipe()) die_of_sigpipe();
  return status;
}
