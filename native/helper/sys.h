// System calls that the C library does not wrap, and the constants that its headers may lack. The numbers are the
// same on every architecture (Linux 5.0 and later, asm-generic/unistd.h).
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

namespace sys {

constexpr long kPidfdSendSignal = 424;
constexpr long kOpenTree = 428;
constexpr long kMoveMount = 429;
constexpr long kFsopen = 430;
constexpr long kFsconfig = 431;
constexpr long kFsmount = 432;
constexpr long kPidfdOpen = 434;
constexpr long kClone3 = 435;
constexpr long kCloseRange = 436;
constexpr long kOpenat2 = 437;
constexpr long kMountSetattr = 442;

constexpr int kJoinSessionKeyring = 1;  // keyctl(2)

constexpr int kAtEmptyPath = 0x1000;
constexpr int kAtRecursive = 0x8000;

/** The head of struct statx, and room for the rest. */
struct Statx {
  uint32_t mask, block_size;
  uint64_t attributes;
  uint32_t links, uid, gid;
  uint8_t rest[228];
};

/** Of an open file; `flags` with kAtEmptyPath. */
inline int statx(int fd, int flags, unsigned mask, Statx* result) {
  return static_cast<int>(syscall(SYS_statx, fd, "", flags, mask, result));
}

struct OpenHow {
  uint64_t flags;
  uint64_t mode;
  uint64_t resolve;
};
constexpr uint64_t kResolveNoMagiclinks = 0x02;
constexpr uint64_t kResolveInRoot = 0x10;

inline int openat2(int dir, const char* path, const OpenHow& how) {
  return static_cast<int>(syscall(kOpenat2, dir, path, &how, sizeof how));
}

struct CloneArgs {
  uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

inline pid_t clone3(const CloneArgs& args) {
  return static_cast<pid_t>(syscall(kClone3, &args, sizeof args));
}

inline int close_range(unsigned first, unsigned last, unsigned flags) {
  return static_cast<int>(syscall(kCloseRange, first, last, flags));
}
constexpr unsigned kCloseRangeCloexec = 4;

/** Closes every descriptor from `first` on, or marks it close-on-exec. */
inline void close_from(int first, bool only_on_exec) {
  if (close_range(static_cast<unsigned>(first), ~0u, only_on_exec ? kCloseRangeCloexec : 0) == 0) return;
  // Before Linux 5.9 (5.11 for the flag), one by one.
  long limit = sysconf(_SC_OPEN_MAX);
  if (limit < 0 || limit > 1 << 20) limit = 1 << 20;
  for (int fd = first; fd < limit; fd++) {
    if (only_on_exec) {
      fcntl(fd, F_SETFD, FD_CLOEXEC);
    } else {
      close(fd);
    }
  }
}

/** Closes everything beyond stdio but the two. Not by the owners: what nobody remembers to own goes as well. */
inline void close_all_but(int a, int b) {
  auto close_between = [](int first, int last) {
    if (first > last || close_range(static_cast<unsigned>(first), static_cast<unsigned>(last), 0) == 0)
      return;
    for (int fd = first; fd <= last; fd++) close(fd);
  };
  int low = a < b ? a : b, high = a < b ? b : a;
  close_between(3, low - 1);
  close_between((low < 3 ? 2 : low) + 1, high - 1);
  close_from((high < 3 ? 2 : high) + 1, false);
}

inline int pidfd_open(pid_t pid) { return static_cast<int>(syscall(kPidfdOpen, pid, 0)); }
inline int pidfd_send_signal(int pidfd, int sig) {
  return static_cast<int>(syscall(kPidfdSendSignal, pidfd, sig, nullptr, 0));
}

// The mount API of Linux 5.2.
constexpr unsigned kOpenTreeClone = 1;
constexpr unsigned kOpenTreeCloexec = O_CLOEXEC;
constexpr unsigned kMoveMountFromEmpty = 0x04;
constexpr unsigned kMoveMountToEmpty = 0x40;
constexpr unsigned kFsCloexec = 1;
constexpr unsigned kConfigFlag = 0, kConfigString = 1, kConfigCreate = 6;
constexpr uint64_t kAttrReadOnly = 0x01, kAttrNoSuid = 0x02, kAttrNoDev = 0x04, kAttrNoExec = 0x08;

struct MountAttr {
  uint64_t attr_set, attr_clr, propagation, userns_fd;
};

inline int open_tree(int dir, const char* path, unsigned flags) {
  return static_cast<int>(syscall(kOpenTree, dir, path, flags));
}
inline int move_mount(int from, int to) {
  return static_cast<int>(syscall(kMoveMount, from, "", to, "", kMoveMountFromEmpty | kMoveMountToEmpty));
}
inline int fsopen(const char* type) { return static_cast<int>(syscall(kFsopen, type, kFsCloexec)); }
inline int fsconfig(int fs, unsigned command, const char* key, const char* value) {
  return static_cast<int>(syscall(kFsconfig, fs, command, key, value, 0));
}
inline int fsmount(int fs, uint64_t attributes) {
  return static_cast<int>(syscall(kFsmount, fs, kFsCloexec, static_cast<unsigned>(attributes)));
}
inline int mount_setattr(int fd, unsigned flags, const MountAttr& attr) {
  return static_cast<int>(syscall(kMountSetattr, fd, "", flags | kAtEmptyPath, &attr, sizeof attr));
}

}  // namespace sys
