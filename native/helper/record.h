// Files of containers/<id> that the helper writes: `pid` and `exit`.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "plan.h"

struct ExitRecord {
  int code = 0;
  int signal = 0;
  uint64_t started_ns = 0, finished_ns = 0;
  bool oom = false;
  uint32_t restarts = 0;
  /** The monitor waits before it starts the command again. */
  bool restarting = false;
  const char* error = "";
};

uint64_t now_ns();
struct PidRecord {
  pid_t init;
  uint64_t made_ns;
  uint32_t restarts;
};

/**
 * `pid`: init's host pid and start time (of /proc/PID/stat), when it was made (unix ns), the same two of ourselves, and
 * the number of restarts; and the plan's own pid file. The exit record of a run before goes after that: where the lock is
 * held, no `exit` and then a `pid` mean that it runs (docs/decisions/0031).
 */
bool write_pid_files(const Lifetime& lifetime, const PidRecord& record, StepError* e);
bool write_exit_record(const Lifetime& lifetime, const ExitRecord& record, StepError* e);
/** For those who wait for a container that is removed when it ends: they have its lock's file open. */
void leave_status(const Lifetime& lifetime, int status);
