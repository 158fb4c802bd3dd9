// Everything happens in the loop of events.cc, which without a check has no Health at all. The record for readers is
// containers/<id>/health, docker's JSON, written anew after each probe.

#include "health.h"

#include <limits.h>

#include "event_log.h"
#include "json_text.h"
#include "new_file.h"

namespace {

/** What one result takes in the record, escaped. */
constexpr size_t kEntryMax = (Probe::kOutputMax + 128) * kJsonByteMax + 256;

}  // namespace

Health::Health(const Plan& plan) : plan_(plan), check_(plan.health) { probe_.prepare(plan); }

void Health::reset() {
  // The results of the run before stay: they tell why it was ended.
  state_ = HealthState();
  has_action_ = false;
  save();
}

void Health::begin(pid_t init, uint64_t now_ms) {
  init_ = init;
  begun_ms_ = now_ms;
  wake_ms_ = now_ms + until_next_probe(check_, state_, 0);
}

void Health::stop() {
  if (probe_.is_running()) probe_.kill();
  init_ = -1;
  wake_ms_ = 0;
  has_result_ = false;
}

void Health::end() {
  stop();
  probe_.reap();
}

void Health::move(uint64_t now_ms) {
  if (!is_active()) return;
  probe_.move();
  if (has_result_ && !probe_.is_running()) take_result(now_ms, true);
  if (!is_due(now_ms)) return;
  if (!probe_.is_running()) return start_probe(now_ms);
  probe_.kill();
  take_result(now_ms, false);
}

void Health::put_off(uint64_t now_ms) {
  wake_ms_ = now_ms + (probe_.is_running() ? check_.timeout_ms : check_.interval_ms);
}

/** Never two at once: one that does not die of SIGKILL is waited for. */
void Health::start_probe(uint64_t now_ms) {
  if (!probe_.is_idle()) {
    wake_ms_ = now_ms + check_.interval_ms;
    return;
  }
  probe_start_ = wall_clock();
  probe_begun_ms_ = now_ms;
  wake_ms_ = now_ms + check_.timeout_ms;
  has_result_ = true;
  probe_.start(init_);
  if (!probe_.is_running()) take_result(now_ms, true);
}

void Health::take_result(uint64_t now_ms, bool in_time) {
  has_result_ = false;
  Result& result = results_[results_count_++ % kResults];
  result.start = probe_start_;
  result.end = wall_clock();
  result.exit_code = probe_.exit_code();
  result.output.clear();
  if (!in_time) {
    result.output << "Health check exceeded timeout (" << check_.timeout_text << ')';
    if (probe_.output_size() > 0) result.output << ": ";
  }
  result.output.bytes(probe_.output(), probe_.output_size());
  if (probe_.is_cut()) result.output << "...";
  HealthStatus before = state_.status;
  state_ = after_probe(check_, state_, result.exit_code == 0, probe_begun_ms_ - begun_ms_);
  wake_ms_ = now_ms + until_next_probe(check_, state_, now_ms - begun_ms_);
  save();
  if (state_.status != before) announce();
}

/** The one place where a change is told; the record says it already. */
void Health::announce() {
  Text<32> action;
  action << "health_status: " << word_of(state_.status);
  log_event(plan_, action.c_str());
  has_action_ = state_.status == HealthStatus::kUnhealthy;
}

OnUnhealthy Health::take_action() {
  if (!has_action_) return OnUnhealthy::kNothing;
  has_action_ = false;
  return check_.action;
}

/** A full disk costs the record, never the container. */
void Health::save() const {
  Text<PATH_MAX> path;
  path << plan_.lifetime.container_dir << "/health";
  NewFile file(path.c_str());
  static Text<kEntryMax> text;
  text.clear();
  text << "{\"Status\":\"" << word_of(state_.status) << "\",\"FailingStreak\":" << state_.failing_streak
       << ",\"Log\":[";
  uint64_t first = results_count_ > kResults ? results_count_ - kResults : 0;
  for (uint64_t i = first; i < results_count_; i++) {
    const Result& result = results_[i % kResults];
    text << (i == first ? "\n{\"Start\":\"" : ",\n{\"Start\":\"");
    add_json_time(&text, result.start);
    text << "\",\"End\":\"";
    add_json_time(&text, result.end);
    text << "\",\"ExitCode\":" << result.exit_code << ",\"Output\":\"";
    add_json_text(&text, result.output.c_str(), result.output.size());
    text << "\"}";
    file.add(text.c_str(), text.size());
    text.clear();
  }
  text << "]}\n";
  file.add(text.c_str(), text.size());
  (void)file.publish();
}
