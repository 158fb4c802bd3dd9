// What /proc says of a process: proc_pid_stat(5).
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "text.h"

/** Name of the init that --init puts before the command (tiny_init.cc), at most 15 bytes. */
constexpr char kTinyInitName[] = "skiff-init";

struct ProcessStat {
  /** Clock ticks since boot; with the pid, they name a process for good. */
  uint64_t start_ticks = 0;
  /** False from the clone to the execve; what the process will be is not to be seen yet. */
  bool has_executed = false;
  /** Has ended, and waits for its parent to notice. */
  bool is_zombie = false;
  pid_t session = 0;
  Text<16> name;
};

/** Reads a `stat` file; false when there is no such process. */
bool read_process_stat(int dir, const char* path, ProcessStat* out);

/** 0 when there is no such process. */
uint64_t start_ticks_of(pid_t pid);
