// A process group would not do: timeout(1), and every shell with job control, puts its children into others.

#include "kill_session.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>

#include "common/unique_fd.h"
#include "process_stat.h"
#include "sys.h"

namespace {

/** Of the session, and alive. `name`: of its folder below `proc`. */
bool belongs(int proc, const char* name, pid_t leader) {
  Text<32> path;
  path << name << "/stat";
  ProcessStat stat;
  return read_process_stat(proc, path.c_str(), &stat) && stat.session == leader && !stat.is_zombie;
}

/** Looks again once it has hold of the process: its number may have become another's. */
bool kill_if_it_belongs(int proc, const char* name, pid_t leader) {
  if (!belongs(proc, name, leader)) return false;
  pid_t pid = static_cast<pid_t>(atoi(name));
  UniqueFd pidfd(sys::pidfd_open(pid));
  if (!belongs(proc, name, leader)) return false;
  if (pidfd) return sys::pidfd_send_signal(pidfd.get(), SIGKILL) == 0;
  return kill(pid, SIGKILL) == 0;
}

/** How many there were. */
int kill_those_there(pid_t leader) {
  DIR* proc = opendir("/proc");
  if (proc == nullptr) return 0;
  int count = 0;
  while (dirent* entry = readdir(proc)) {
    bool is_process = entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
    if (is_process && kill_if_it_belongs(dirfd(proc), entry->d_name, leader)) count++;
  }
  closedir(proc);
  return count;
}

}  // namespace

void kill_session(pid_t leader) {
  // Also where /proc shows us nobody else's processes. Until it is reaped, the leader keeps the session's number taken.
  (void)kill(-leader, SIGKILL);
  (void)kill(leader, SIGKILL);
  // Who was killed may have forked before that.
  constexpr int kLooks = 20;
  for (int look = 0; look < kLooks && kill_those_there(leader) > 0; look++) {
  }
}
