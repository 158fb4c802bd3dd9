// One run of the health check's command in the container: started, watched, its output kept, killed when it takes too
// long. Never waits: the helper has a container to look after.
#pragma once

#include <poll.h>
#include <stddef.h>
#include <sys/types.h>

#include "entered.h"
#include "namespaces.h"
#include "plan.h"

constexpr int kProbePolls = 3;

class Probe {
 public:
  /** Once; `container` stays. The command gets user, rights, environment and directory of the container's own. */
  void prepare(const Plan& container);
  /** Enters the container with init `pid`. What goes wrong is told as the result. Needs is_idle(). */
  void start(pid_t init);
  /** Nothing is left of a run before. */
  bool is_idle() const { return pid_ < 0 && between_.pid < 0; }
  bool is_running() const { return is_running_; }

  /** Adds up to kProbePolls entries; returns how many. */
  int add_polls(pollfd* polls);
  /** After poll(2). */
  void move();
  /** True when `pid`, which has been reaped, was of the probe. */
  bool on_child_end(pid_t pid, int status);
  /** With everything that it has started. is_idle() again once it is reaped. */
  void kill();
  /** Waits for what has been killed. */
  void reap();

  /** Once is_running() is false again: 0 is healthy; -1 when there is no status. */
  int exit_code() const { return exit_code_; }
  const char* output() const { return output_; }
  size_t output_size() const { return output_size_; }
  /** More was written than we keep. */
  bool is_cut() const { return is_cut_; }

  /** docker keeps as much. */
  static constexpr size_t kOutputMax = 4096;

 private:
  bool begin(pid_t init, StepError* e);
  bool open_stdio(StepError* e);
  void take_command();
  void read_sync();
  void read_output(int most);
  void end(int exit_code);
  void fail_with(const StepError& e);

  const Plan* container_ = nullptr;
  Plan plan_;
  Entry entry_;
  Between between_;
  UniqueFd sync_, pipe_;
  pid_t pid_ = -1;
  bool is_running_ = false, has_executed_ = false;
  int exit_code_ = -1;
  char output_[kOutputMax];
  size_t output_size_ = 0;
  bool is_cut_ = false;
  pollfd *report_poll_ = nullptr, *sync_poll_ = nullptr, *pipe_poll_ = nullptr;
};
