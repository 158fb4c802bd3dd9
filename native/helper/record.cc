// Both files are written under another name and renamed: a reader sees all of one or none.

#include "record.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/retry.h"
#include "common/unique_fd.h"

namespace {

bool write_atomically(const char* path, const TextView& text) {
  Text<PATH_MAX> temp;
  temp << path << ".tmp";
  UniqueFd fd(open(temp.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0644));
  return fd && write_all(fd.get(), text.c_str(), text.size()) && rename(temp.c_str(), path) == 0;
}

/** Field 22 of /proc/PID/stat, in clock ticks since boot: with the pid, it names a process for good. */
uint64_t start_time(pid_t pid) {
  Text<32> path;
  path << "/proc/" << pid << "/stat";
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
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

}  // namespace

uint64_t now_ns() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000ull + static_cast<uint64_t>(now.tv_nsec);
}

bool write_pid_files(const Lifetime& lifetime, pid_t pid, StepError* e) {
  Text<64> text;
  text << pid << ' ' << start_time(pid) << '\n';
  Text<PATH_MAX> path;
  path << lifetime.container_dir << "/pid";
  if (!write_atomically(path.c_str(), text)) return fail(e, Step::kRecord, path.c_str());
  if (lifetime.pid_file[0] == '\0') return true;
  text.clear();
  text << pid;
  return write_atomically(lifetime.pid_file, text) || fail(e, Step::kPidFile, lifetime.pid_file);
}

bool write_exit_record(const Lifetime& lifetime, const ExitRecord& record, StepError* e) {
  Text<2048> text;
  text << "code=" << record.code << "\nsignal=" << record.signal << "\nstartedAt=" << record.started_ns
       << "\nfinishedAt=" << record.finished_ns << "\noom=" << (record.oom ? "1" : "0") << "\nerror=";
  text.safe(record.error) << '\n';
  Text<PATH_MAX> path;
  path << lifetime.container_dir << "/exit";
  return write_atomically(path.c_str(), text) || fail(e, Step::kRecord, path.c_str());
}
