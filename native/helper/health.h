// The container's health check: probes on schedule, what has come of them, and what follows from that.
#pragma once

#include <stdint.h>
#include <time.h>

#include "health_rules.h"
#include "probe.h"

class Health {
 public:
  /** Of a plan that has a check. */
  explicit Health(const Plan& plan);
  /** Before each run: starting again. */
  void reset();
  /** The container's command runs; `init`: its first process. */
  void begin(pid_t init, uint64_t now_ms);
  /** No more probes; one that runs is killed. */
  void stop();
  /** The same, and nothing of it is left afterwards. */
  void end();

  /** Adds up to kProbePolls entries; returns how many. */
  int add_polls(pollfd* polls) { return probe_.add_polls(polls); }
  /** When move() wants to be called at the latest (monotonic); 0: only after something has happened. */
  uint64_t wake_ms() const { return wake_ms_; }
  /** A probe is to be started, or has taken too long. */
  bool is_due(uint64_t now_ms) const { return is_active() && now_ms >= wake_ms_; }
  /** The container is paused: what is due has the same time again. */
  void put_off(uint64_t now_ms);
  /** After poll(2). */
  void move(uint64_t now_ms);
  bool on_child_end(pid_t pid, int status) { return probe_.on_child_end(pid, status); }

  /** Once, when the container has become unhealthy: what is to be done with it. */
  OnUnhealthy take_action();

 private:
  static constexpr uint64_t kResults = 5;  // as docker
  struct Result {
    timespec start, end;
    int exit_code = 0;
    Text<Probe::kOutputMax + 128> output;
  };

  bool is_active() const { return init_ > 0; }
  void start_probe(uint64_t now_ms);
  void take_result(uint64_t now_ms, bool in_time);
  void announce();
  void save() const;

  const Plan& plan_;
  const HealthCheck& check_;
  Probe probe_;
  HealthState state_;
  /** A ring: the last kResults of `results_count_`. */
  Result results_[kResults];
  uint64_t results_count_ = 0;
  pid_t init_ = -1;
  bool has_result_ = false, has_action_ = false;
  uint64_t begun_ms_ = 0, probe_begun_ms_ = 0, wake_ms_ = 0;
  timespec probe_start_ = {};
};
