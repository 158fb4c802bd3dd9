// See process_stat.h.

#include "process_stat.h"

#include <stdlib.h>
#include <string.h>

#include "small_file.h"

namespace {

constexpr uint64_t kForkedNotExecuted = 0x40;  // PF_FORKNOEXEC of linux/sched.h

/** Field `n` of those behind the name, the first of which is the third of the file. */
uint64_t field(const char* after_name, int n) {
  const char* p = after_name;
  for (int at = 2; p != nullptr && at < n; at++) p = strchr(p + 1, ' ');
  return p == nullptr ? 0 : strtoull(p, nullptr, 10);
}

}  // namespace

bool read_process_stat(int dir, const char* path, ProcessStat* out) {
  char stat[1024];
  if (read_small(stat, path, dir) <= 0) return false;
  // The second field is the program's name in brackets and may hold anything, brackets and spaces too.
  const char* name = strchr(stat, '(');
  const char* end = strrchr(stat, ')');
  if (name == nullptr || end == nullptr || end < name) return false;
  out->name.clear();
  out->name.bytes(name + 1, static_cast<size_t>(end - name - 1));
  out->has_executed = (field(end, 9) & kForkedNotExecuted) == 0;
  out->is_zombie = end[1] == ' ' && (end[2] == 'Z' || end[2] == 'X');
  out->session = static_cast<pid_t>(field(end, 6));
  out->start_ticks = field(end, 22);
  return true;
}

uint64_t start_ticks_of(pid_t pid) {
  Text<32> path;
  path << "/proc/" << pid << "/stat";
  ProcessStat stat;
  (void)read_process_stat(AT_FDCWD, path.c_str(), &stat);
  return stat.start_ticks;
}
