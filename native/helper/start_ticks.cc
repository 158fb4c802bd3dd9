// See start_ticks.h.

#include "start_ticks.h"

#include <fcntl.h>
#include <string.h>

#include "common/retry.h"
#include "common/unique_fd.h"

uint64_t start_ticks(int dir, const char* stat_path) {
  UniqueFd fd(openat(dir, stat_path, O_RDONLY | O_CLOEXEC));
  char stat[1024];
  ssize_t n = fd ? read_upto(fd.get(), stat, sizeof stat - 1) : -1;
  if (n <= 0) return 0;
  stat[n] = '\0';
  // The second field is the program's name in brackets and may hold anything, brackets and spaces too.
  const char* p = strrchr(stat, ')');
  for (int field = 2; p != nullptr && field < 22; field++) p = strchr(p + 1, ' ');
  uint64_t ticks = 0;
  for (p = p == nullptr ? "" : p + 1; *p >= '0' && *p <= '9'; p++)
    ticks = ticks * 10 + static_cast<uint64_t>(*p - '0');
  return ticks;
}
