// By descriptors, so that a path that changes meanwhile cannot lead elsewhere.

#include "remove_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/retry.h"
#include "common/unique_fd.h"

namespace {

struct DirEntry {  // linux_dirent64
  uint64_t ino;
  int64_t off;
  unsigned short reclen;
  unsigned char type;
  char name[];
};

bool is_dots(const char* name) {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

UniqueFd open_dir(int parent, const char* name) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd fd(openat(parent, name, kFlags));
  if (fd || errno != EACCES) return fd;
  // overlayfs leaves directories of mode 0 behind, and images bring some. Not by path: it could become a link.
  UniqueFd path(openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!path || chmod(FdPath(path.get()).c_str(), 0700) < 0) {
    errno = EACCES;
    return UniqueFd();
  }
  return UniqueFd(openat(parent, name, kFlags));
}

bool remove_entry(int parent, const char* name, int depth);

/** One pass over a directory. Entries are removed while it is read; what that makes it miss, the next pass gets. */
bool empty_dir_once(int dir, int depth, bool* found) {
  char buffer[4096] __attribute__((aligned(8)));
  *found = false;
  int error = 0;
  for (;;) {
    long n = syscall(SYS_getdents64, dir, buffer, sizeof buffer);
    if (n < 0) return false;
    if (n == 0) break;
    for (long at = 0; at < n;) {
      DirEntry* entry = reinterpret_cast<DirEntry*>(buffer + at);
      at += entry->reclen;
      if (is_dots(entry->name)) continue;
      if (remove_entry(dir, entry->name, depth + 1)) {
        *found = true;
      } else {
        error = errno;
      }
    }
  }
  errno = error;
  return error == 0;
}

bool empty_dir(int dir, int depth) {
  bool found = true;
  while (found) {
    if (!empty_dir_once(dir, depth, &found)) return false;
    if (found && lseek(dir, 0, SEEK_SET) < 0) return false;
  }
  return true;
}

bool remove_dir(int parent, const char* name, int depth) {
  if (unlinkat(parent, name, AT_REMOVEDIR) == 0) return true;
  if (errno != ENOTEMPTY && errno != EEXIST) return false;
  if (depth > 2000) {
    errno = ELOOP;
    return false;
  }
  UniqueFd dir = open_dir(parent, name);
  if (!dir) return false;
  if (!empty_dir(dir.get(), depth)) {
    // Without write permission on the directory: ours to change?
    if (errno != EACCES || fchmod(dir.get(), 0700) < 0) {
      return false;
    }
    if (lseek(dir.get(), 0, SEEK_SET) < 0 || !empty_dir(dir.get(), depth)) return false;
  }
  return unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

bool remove_entry(int parent, const char* name, int depth) {
  if (unlinkat(parent, name, 0) == 0 || errno == ENOENT) return true;
  if (errno == EISDIR || errno == EPERM) {
    int err = errno;
    struct stat st;
    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)) {
      return remove_dir(parent, name, depth) || errno == ENOENT;
    }
    errno = err;
  }
  return false;
}

}  // namespace

bool remove_tree(const char* path, StepError* e) {
  if (remove_entry(AT_FDCWD, path, 0)) return true;
  return fail(e, Step::kRemove, path);
}
