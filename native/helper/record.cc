// See record.h.

#include "record.h"

#include <limits.h>
#include <time.h>
#include <unistd.h>

#include "new_file.h"
#include "process_stat.h"

namespace {

bool write_whole(const char* path, const TextView& text) {
  NewFile file(path);
  file.add(text.c_str(), text.size());
  return file.publish();
}

}  // namespace

uint64_t now_ns() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000ull + static_cast<uint64_t>(now.tv_nsec);
}

bool write_pid_files(const Lifetime& lifetime, const PidRecord& record, StepError* e) {
  static uint64_t own_start = start_ticks_of(getpid());
  Text<128> text;
  text << record.init << ' ' << start_ticks_of(record.init) << ' ' << record.made_ns << ' ' << getpid() << ' '
       << own_start << ' ' << record.restarts << '\n';
  Text<PATH_MAX> path;
  path << lifetime.container_dir << "/pid";
  if (!write_whole(path.c_str(), text)) return fail(e, Step::kRecord, path.c_str());
  path.clear();
  path << lifetime.container_dir << "/exit";
  (void)unlink(path.c_str());
  if (lifetime.pid_file[0] == '\0') return true;
  text.clear();
  text << record.init;
  return write_whole(lifetime.pid_file, text) || fail(e, Step::kPidFile, lifetime.pid_file);
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
  return write_whole(path.c_str(), text) || fail(e, Step::kRecord, path.c_str());
}
