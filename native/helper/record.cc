// Both files are written under another name and renamed: a reader sees all of one or none.

#include "record.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/retry.h"
#include "common/unique_fd.h"
#include "start_ticks.h"

namespace {

bool write_atomically(const char* path, const TextView& text) {
  Text<PATH_MAX> temp;
  temp << path << ".tmp";
  UniqueFd fd(open(temp.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0644));
  return fd && write_all(fd.get(), text.c_str(), text.size()) && rename(temp.c_str(), path) == 0;
}

}  // namespace

uint64_t now_ns() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000ull + static_cast<uint64_t>(now.tv_nsec);
}

bool write_pid_files(const Lifetime& lifetime, pid_t pid, StepError* e) {
  Text<32> stat;
  stat << "/proc/" << pid << "/stat";
  Text<64> text;
  text << pid << ' ' << start_ticks(AT_FDCWD, stat.c_str()) << '\n';
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
