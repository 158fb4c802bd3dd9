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
  const char* error = "";
};

uint64_t now_ns();
/** `pid`: "<host pid> <start time of /proc/PID/stat>"; and the plan's own pid file. */
bool write_pid_files(const Lifetime& lifetime, pid_t pid, StepError* e);
bool write_exit_record(const Lifetime& lifetime, const ExitRecord& record, StepError* e);
