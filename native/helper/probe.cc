// The way in is that of `exec` (entered.cc). Its processes are children of ours, which the loop of events.cc reaps; they
// die with us, and with the container.

#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/retry.h"
#include "container_stdio.h"
#include "kill_session.h"
#include "own_stdio.h"
#include "process_stat.h"
#include "sync.h"

void Probe::prepare(const Plan& container) {
  container_ = &container;
  plan_.process = container.process;
  plan_.process.args = container.health.args;
  plan_.process.create_cwd = plan_.process.init = false;
  plan_.stdio.kind = StdioKind::kPipe;
  plan_.session.container = container.label;
  plan_.lifetime.lock_fd = container.lifetime.lock_fd;
  entry_.plan = &plan_;
}

void Probe::start(pid_t init) {
  output_size_ = 0;
  is_cut_ = has_executed_ = false;
  exit_code_ = -1;
  is_running_ = true;
  StepError e;
  if (!begin(init, &e)) fail_with(e);
}

bool Probe::begin(pid_t init, StepError* e) {
  // None where it could not be made. What the plan has systemd do makes a scope, and is not for us: we are in it.
  plan_.cgroup.groups = container_->cgroup.groups;
  ExecSession& session = plan_.session;
  session.pid = init;
  // Our child and not reaped yet, so the number is its own.
  session.start_ticks = start_ticks_of(init);
  if (!find_init(session, &entry_.init, e)) return false;
  UniqueFd ours;
  if (!make_sync_pair(&ours, &entry_.channels.sync)) return fail(e, Step::kSocket, "");
  if (!open_stdio(e)) return false;
  int begun = begin_clone_beyond(enter_container, &entry_, 0, &between_, e);
  if (begun == 0) become_command(entry_);
  if (begun < 0) return false;
  entry_.channels.sync.reset();
  drop_child_ends(&entry_.channels);
  entry_.init = RunningInit();
  sync_ = static_cast<UniqueFd&&>(ours);
  return true;
}

bool Probe::open_stdio(StepError* e) {
  InitChannels* channels = &entry_.channels;
  channels->stdio[0].reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!channels->stdio[0]) return fail(e, Step::kStdio, "/dev/null");
  return (make_pipe(&pipe_, &channels->stdio[1], true) && share_output(channels)) ||
         fail(e, Step::kStdio, "");
}

int Probe::add_polls(pollfd* polls) {
  int n = 0;
  auto add = [&](const UniqueFd& fd) -> pollfd* {
    if (!fd) return nullptr;
    polls[n] = {fd.get(), POLLIN, 0};
    return &polls[n++];
  };
  report_poll_ = add(between_.report);
  sync_poll_ = add(sync_);
  pipe_poll_ = add(pipe_);
  return n;
}

void Probe::move() {
  auto is_ready = [](pollfd*& poll) {
    bool ready = poll != nullptr && poll->revents != 0;
    poll = nullptr;
    return ready;
  };
  bool report = is_ready(report_poll_), sync = is_ready(sync_poll_), pipe = is_ready(pipe_poll_);
  if (report && between_.report) take_command();
  if (sync && sync_) read_sync();
  if (pipe && pipe_) read_output(16);
}

void Probe::take_command() {
  StepError e;
  pid_t pid = take_clone(between_, &e);
  between_.report.reset();
  if (pid < 0) return fail_with(e);
  pid_ = pid;
  // When that fails it is dead: see on_child_end.
  (void)send_sync(sync_.get(), SyncType::kRun, Step::kExec, 0, "");
}

void Probe::read_sync() {
  for (;;) {
    SyncMessage m;
    int got = receive_sync(sync_.get(), &m, nullptr, true);
    if (got < 0 && errno == EAGAIN) return;
    if (got != 1) return sync_.reset();
    if (m.type == SyncType::kExec) has_executed_ = true;
    if (m.type != SyncType::kError) continue;
    StepError e;
    ::read_error(m, &e);
    return fail_with(e);
  }
}

/** So many pieces `most`: who writes without end must not keep us from everything else. */
void Probe::read_output(int most) {
  while (most-- > 0) {
    char beyond[4096];
    bool is_full = output_size_ == kOutputMax;
    char* to = is_full ? beyond : output_ + output_size_;
    ssize_t n = read(pipe_.get(), to, is_full ? sizeof beyond : kOutputMax - output_size_);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) return pipe_.reset();
    if (is_full) {
      is_cut_ = true;
    } else {
      output_size_ += static_cast<size_t>(n);
    }
  }
}

bool Probe::on_child_end(pid_t pid, int status) {
  if (pid == between_.pid) {
    between_.pid = -1;
    return true;
  }
  // Its end may be known before its pid is.
  pollfd report = {between_.report.get(), POLLIN, 0};
  if (between_.report && poll(&report, 1, 0) == 1) take_command();
  if (pid != pid_) return false;
  pid_ = -1;
  if (!is_running_) return true;
  // An ERROR says more than the status that follows it.
  if (sync_) read_sync();
  if (!is_running_) return true;
  if (!has_executed_) {
    StepError e;
    errno = ECHILD;
    fail_because(&e, Step::kEarlyExit, "", "it was killed");
    fail_with(e);
    return true;
  }
  // What its children write later on is nothing of the result's.
  if (pipe_) read_output(64);
  end(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
  return true;
}

void Probe::kill() {
  if (between_.pid > 0) (void)::kill(between_.pid, SIGKILL);
  if (pid_ > 0) kill_session(pid_);
  if (pipe_) read_output(16);
  end(-1);
}

void Probe::reap() {
  int status;
  if (between_.pid > 0) retry([&] { return waitpid(between_.pid, &status, 0); });
  if (pid_ > 0) retry([&] { return waitpid(pid_, &status, 0); });
  between_.pid = pid_ = -1;
}

void Probe::end(int exit_code) {
  is_running_ = false;
  exit_code_ = exit_code;
  sync_.reset();
  pipe_.reset();
  between_.report.reset();
  entry_.channels.sync.reset();
  drop_child_ends(&entry_.channels);
  entry_.init = RunningInit();
}

void Probe::fail_with(const StepError& e) {
  Text<2048> words;
  describe_error(e, &words);
  memcpy(output_, words.c_str(), words.size());
  output_size_ = words.size();
  end(-1);
}
