// Both files are written under another name and renamed: a reader sees all of one or none.

#include "record.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/retry.h"
#include "common/unique_fd.h"
#include "process_stat.h"

namespace {

bool write_atomically(const char* path, const TextView& text) {
  Text<PATH_MAX> temp;
  temp << path << ".tmp";
  UniqueFd fd(open(temp.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0644));
  return fd && write_all(fd.get(), text.c_str(), text.size()) && rename(temp.c_str(), path) == 0;
}

uint64_t start_ticks(pid_t pid) {
  Text<32> path;
  path << "/proc/" << pid << "/stat";
  ProcessStat stat;
  (void)read_process_stat(AT_FDCWD, path.c_str(), &stat);
  return stat.start_ticks;
}

}  // namespace

uint64_t now_ns() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000ull + static_cast<uint64_t>(now.tv_nsec);
}

bool write_pid_files(const Lifetime& lifetime, const PidRecord& record, StepError* e) {
  static uint64_t own_start = start_ticks(getpid());
  Text<128> text;
  text << record.init << ' ' << start_ticks(record.init) << ' ' << record.made_ns << ' ' << getpid() << ' '
       << own_start << ' ' << record.restarts << '\n';
  Text<PATH_MAX> path;
  path << lifetime.container_dir << "/pid";
  if (!write_atomically(path.c_str(), text)) return fail(e, Step::kRecord, path.c_str());
  path.clear();
  path << lifetime.container_dir << "/exit";
  (void)unlink(path.c_str());
  if (lifetime.pid_file[0] == '\0') return true;
  text.clear();
  text << record.init;
  return write_atomically(lifetime.pid_file, text) || fail(e, Step::kPidFile, lifetime.pid_file);
}

void leave_status(const Lifetime& lifetime, int status) {
  Text<32> text;
  text << "code=" << status << '\n';
  if (lifetime.lock_fd >= 0) (void)!pwrite(lifetime.lock_fd, text.c_str(), text.size(), 0);
}

bool write_exit_record(const Lifetime& lifetime, const ExitRecord& record, StepError* e) {
  Text<2048> text;
  text << "code=" << record.code << "\nsignal=" << record.signal << "\nstartedAt=" << record.started_ns
       << "\nfinishedAt=" << record.finished_ns << "\noom=" << (record.oom ? "1" : "0")
       << "\nrestarts=" << record.restarts << "\nrestarting=" << (record.restarting ? "1" : "0")
       << "\nerror=";
  text.safe(record.error) << '\n';
  Text<PATH_MAX> path;
  path << lifetime.container_dir << "/exit";
  return write_atomically(path.c_str(), text) || fail(e, Step::kRecord, path.c_str());
}
