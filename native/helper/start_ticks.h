// When a process was started: with its pid, that names it for good.
#pragma once

#include <stdint.h>

/** Field 22 of the `stat` file of a process, in clock ticks since boot; 0 when there is no such process. */
uint64_t start_ticks(int dir, const char* stat_path);
