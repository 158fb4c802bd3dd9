// The pty comes from the container's devpts, so that ttyname(3) and /proc/self/fd/0 make sense inside.

#include "child_stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "mount_api.h"
#include "resolve.h"
#include "sync.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

namespace {

constexpr unsigned kDevPts = 0x1cd1;      // linux/magic.h, DEVPTS_SUPER_MAGIC
constexpr unsigned kPipeFs = 0x50495045;  // linux/magic.h, PIPEFS_MAGIC

UniqueFd open_slave(int master, int root, const char* path) {
  UniqueFd slave(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  return slave ? static_cast<UniqueFd&&>(slave) : open_in_root(root, path, O_RDWR | O_NOCTTY);
}

/** A container that runs may have put anything there; the helper is to copy from and to a terminal alone. */
bool is_pty_master(int fd) {
  struct stat st;
  struct statfs fs;
  return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(5, 2) && fstatfs(fd, &fs) == 0 &&
         static_cast<unsigned>(fs.f_type) == kDevPts;
}

/** docker gives the terminal as /dev/console too; without a /dev to make it in, there is none. */
void bind_console(int root, const char* slave_path) {
  UniqueFd pts = open_in_root(root, slave_path, O_PATH);
  UniqueFd at = ensure_in_root(root, "/dev/console", CreateTarget::kFile);
  if (!pts || !at) return;
  UniqueFd source = open_bind_source(pts.get(), "", false);
  if (source)
    (void)bind_over({source.get(), false, 0, Propagation::kPrivate}, {root, "/dev/console", at.get()});
}

/**
 * An anonymous pipe has the mode 0600 of whoever made it, so that a container's user who is somebody else could not
 * open /dev/stdout. Nobody reaches the pipe but through the descriptors of processes that have it.
 */
void open_pipe_to_all(int fd) {
  struct stat st;
  struct statfs fs;
  if (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode)) return;
  if (fstatfs(fd, &fs) < 0 || static_cast<unsigned>(fs.f_type) != kPipeFs) return;
  (void)fchmod(fd, 0666);
}

}  // namespace

bool open_terminal(const Plan& plan, int root, Console console, int sync, StepError* e) {
  UniqueFd master = open_in_root(root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY);
  if (!master) return fail(e, Step::kTty, "/dev/pts/ptmx");
  if (!is_pty_master(master.get())) {
    errno = ENOTTY;
    return fail_because(e, Step::kTty, "/dev/pts/ptmx", "not a terminal of the container's own devpts");
  }
  int unlock = 0;
  unsigned number = 0;
  if (ioctl(master.get(), TIOCSPTLCK, &unlock) < 0 || ioctl(master.get(), TIOCGPTN, &number) < 0) {
    return fail(e, Step::kTty, "/dev/pts/ptmx");
  }
  Text<32> path;
  path << "/dev/pts/" << number;
  UniqueFd slave = open_slave(master.get(), root, path.c_str());
  if (!slave) return fail(e, Step::kTty, path.c_str());
  if (plan.process.uid != 0) (void)fchown(slave.get(), plan.process.uid, static_cast<gid_t>(-1));
  if (console == Console::kBind) bind_console(root, path.c_str());
  if (!send_sync(sync, SyncType::kPty, Step::kTty, 0, path.c_str(), master.get()))
    return fail(e, Step::kTty, "");
  if (ioctl(slave.get(), TIOCSCTTY, 0) < 0) return fail(e, Step::kTty, path.c_str());
  for (int fd = 0; fd < 3; fd++) {
    if (dup2(slave.get(), fd) < 0) return fail(e, Step::kTty, path.c_str());
  }
  return true;
}

bool connect_stdio(const Plan& plan, UniqueFd (&stdio)[3], StepError* e) {
  for (int fd = 0; fd < 3; fd++) {
    if (!stdio[fd]) continue;
    if (dup2(stdio[fd].get(), fd) < 0) return fail(e, Step::kStdio, "");
    stdio[fd].reset();
  }
  if (plan.process.uid != 0 && plan.stdio.kind != StdioKind::kTty) {
    for (int fd = 0; fd < 3; fd++) open_pipe_to_all(fd);
  }
  return true;
}
