// System calls that older C libraries do not wrap, called by number, so that the addon loads with glibc 2.17 and later.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/retry.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x00002000
#endif

namespace skiff {

inline int SysOpenat2(int dirfd, const char* path, uint64_t flags, uint64_t mode, uint64_t resolve) {
  struct open_how how = {};
  how.flags = flags;
  how.mode = mode;
  how.resolve = resolve;
  return static_cast<int>(syscall(SYS_openat2, dirfd, path, &how, sizeof how));
}

inline int SysMemfdCreate(const char* name, unsigned flags) {
  return static_cast<int>(syscall(SYS_memfd_create, name, flags));
}

inline int SysRenameat2(int olddir, const char* oldpath, int newdir, const char* newpath, unsigned flags) {
  return static_cast<int>(syscall(SYS_renameat2, olddir, oldpath, newdir, newpath, flags));
}

inline int SysPidfdOpen(pid_t pid, unsigned flags) {
  return static_cast<int>(syscall(SYS_pidfd_open, pid, flags));
}

inline int SysPidfdSendSignal(int pidfd, int signal, siginfo_t* info) {
  return static_cast<int>(syscall(SYS_pidfd_send_signal, pidfd, signal, info, 0));
}

inline int SysCloseRange(unsigned first, unsigned last, unsigned flags) {
  return static_cast<int>(syscall(SYS_close_range, first, last, flags));
}

inline int SysExecveat(int dirfd, const char* path, char* const argv[], char* const envp[], int flags) {
  return static_cast<int>(syscall(SYS_execveat, dirfd, path, argv, envp, flags));
}

inline int SysMknodat(int dirfd, const char* path, mode_t mode, dev_t device) {
  return static_cast<int>(syscall(SYS_mknodat, dirfd, path, mode, static_cast<unsigned>(device)));
}

inline int SysStatx(int dirfd, const char* path, int flags, unsigned mask, struct statx* out) {
  return static_cast<int>(syscall(SYS_statx, dirfd, path, flags, mask, out));
}

}  // namespace skiff
