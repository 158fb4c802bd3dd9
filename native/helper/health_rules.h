// docker's rules for what a probe says about the container, and when the next one is due. Pure.
#pragma once

#include <stdint.h>

#include "plan.h"

enum class HealthStatus : uint32_t { kStarting, kHealthy, kUnhealthy };

struct HealthState {
  HealthStatus status = HealthStatus::kStarting;
  /** Probes that failed one after the other, since the start period or the last success. */
  uint32_t failing_streak = 0;
};

/** docker's words. */
const char* word_of(HealthStatus status);

/** `begun_ms`: when the probe began, counted from the start of the container. */
HealthState after_probe(const HealthCheck& check, HealthState before, bool healthy, uint64_t begun_ms);

/** From the end of one probe, or from the start of the container, which is `age_ms` old, to the next. */
uint64_t until_next_probe(const HealthCheck& check, const HealthState& state, uint64_t age_ms);
