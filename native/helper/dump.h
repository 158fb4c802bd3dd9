// Test builds alone. Mode `dump` prints what the decoder made of a plan.
#pragma once

int dump_plan(int plan_fd);

/**
 * Mode `health-rules`, for tests: of the plan's health check, fed with lines `BEGUN ENDED HEALTHY` on stdin, milliseconds
 * since the start and 0 or 1. Prints status, failing streak, and the time until the next probe.
 */
int follow_health_rules(int plan_fd);

/** Mode `listed`, for tests: the numbers that kill_listed would take from a file of the kernel's with that text. */
int show_listed(int list_fd);
