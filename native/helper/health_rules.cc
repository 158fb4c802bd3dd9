// See health_rules.h.

#include "health_rules.h"

const char* word_of(HealthStatus status) {
  switch (status) {
    case HealthStatus::kStarting:
      return "starting";
    case HealthStatus::kHealthy:
      return "healthy";
    case HealthStatus::kUnhealthy:
      break;
  }
  return "unhealthy";
}

HealthState after_probe(const HealthCheck& check, HealthState before, bool healthy, uint64_t begun_ms) {
  if (healthy) return {HealthStatus::kHealthy, 0};
  // Until its first success, a container may take its time: that ends the start period as well as its end does.
  if (before.status == HealthStatus::kStarting && begun_ms < check.start_period_ms) return before;
  HealthState after = before;
  if (after.failing_streak < UINT32_MAX) after.failing_streak++;
  if (after.failing_streak >= check.retries) after.status = HealthStatus::kUnhealthy;
  return after;
}

uint64_t until_next_probe(const HealthCheck& check, const HealthState& state, uint64_t age_ms) {
  bool is_starting = state.status == HealthStatus::kStarting && age_ms < check.start_period_ms;
  return is_starting ? check.start_interval_ms : check.interval_ms;
}
