// All files are opened below one descriptor of /proc/PID, which the kernel ties to the process and not to its number:
// when the container ends meanwhile, every open fails. Which namespaces are the container's own is seen by comparing.

#include "enter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#include "process_stat.h"
#include "sys.h"

namespace {

struct Kind {
  const char* name;
  int flag;
};

// The user namespace comes first: it gives the rights over those that belong to it.
constexpr Kind kKinds[] = {{"user", CLONE_NEWUSER},    {"mnt", CLONE_NEWNS},  {"pid", CLONE_NEWPID},
                           {"net", CLONE_NEWNET},      {"ipc", CLONE_NEWIPC}, {"uts", CLONE_NEWUTS},
                           {"cgroup", CLONE_NEWCGROUP}};
constexpr size_t kCount = sizeof kKinds / sizeof kKinds[0];

bool gone(const ExecSession& session, StepError* e) {
  errno = ESRCH;
  return fail_because(e, Step::kEnter, session.container, "it is not running any more");
}

bool fail_at(const char* name, const ExecSession& session, StepError* e) {
  int err = errno;
  fail(e, Step::kEnter, session.container);
  e->cause << "its " << name << " namespace: " << strerror(err);
  return false;
}

bool is_ours(int ns, const char* name) {
  Text<32> path;
  path << "/proc/self/ns/" << name;
  struct stat theirs, ours;
  return fstat(ns, &theirs) == 0 && stat(path.c_str(), &ours) == 0 && theirs.st_ino == ours.st_ino &&
         theirs.st_dev == ours.st_dev;
}

}  // namespace

bool find_init(const ExecSession& session, RunningInit* init, StepError* e) {
  Text<32> path;
  path << "/proc/" << session.pid;
  init->proc.reset(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!init->proc) return gone(session, e);
  init->pidfd.reset(sys::pidfd_open(session.pid));
  // Asked last, and by the folder: what still answers now is what both descriptors mean.
  ProcessStat stat;
  if (!read_process_stat(init->proc.get(), "stat", &stat) || stat.start_ticks != session.start_ticks)
    return gone(session, e);
  // Until its init executes, the container's mounts are being made, and its root may still be the host's.
  if (stat.has_executed || strcmp(stat.name.c_str(), kTinyInitName) == 0) return true;
  errno = EAGAIN;
  return fail_because(e, Step::kEnter, session.container, "it is still starting");
}

bool has_ended(const RunningInit& init) {
  ProcessStat stat;
  if (!init.pidfd) return !read_process_stat(init.proc.get(), "stat", &stat);
  pollfd p = {init.pidfd.get(), POLLIN, 0};
  return poll(&p, 1, 0) == 1;
}

bool enter_namespaces(const RunningInit& init, const ExecSession& session, StepError* e) {
  UniqueFd open_ns[kCount];
  for (size_t i = 0; i < kCount; i++) {
    Text<16> path;
    path << "ns/" << kKinds[i].name;
    open_ns[i].reset(openat(init.proc.get(), path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!open_ns[i]) return fail_at(kKinds[i].name, session, e);
    // Entering one's own user namespace is an error; for the others it would ask for rights that are not needed.
    if (is_ours(open_ns[i].get(), kKinds[i].name)) open_ns[i].reset();
  }
  for (size_t i = 0; i < kCount; i++) {
    if (open_ns[i] && setns(open_ns[i].get(), kKinds[i].flag) < 0) return fail_at(kKinds[i].name, session, e);
  }
  return true;
}
