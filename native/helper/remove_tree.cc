// By descriptors, so that a path that changes meanwhile cannot lead elsewhere.

#include "remove_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
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

/** Makes a directory accessible to its owner. Not by path: it could become a link meanwhile. */
bool open_up(int parent, const char* name) {
  UniqueFd path(openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (path && chmod(FdPath(path.get()).c_str(), 0700) == 0) return true;
  errno = EACCES;
  return false;
}

UniqueFd open_dir(int parent, const char* name) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd fd(openat(parent, name, kFlags));
  // overlayfs leaves directories of mode 0 behind, and images bring some.
  if (fd || errno != EACCES || !open_up(parent, name)) return fd;
  return UniqueFd(openat(parent, name, kFlags));
}

/**
 * Directories are emptied by recursion, a descriptor and a buffer a level. Below kMaxDepth, where a hostile tree could
 * exhaust either, a directory is moved up into the topmost one, and gets its turn there.
 */
constexpr int kMaxDepth = 48;

class Removal {
 public:
  bool remove_entry(int parent, const char* name, int depth) {
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT) return true;
    if (errno != EISDIR && errno != EPERM) return false;
    int err = errno;
    struct stat st;
    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)) {
      return remove_dir(parent, name, depth) || errno == ENOENT;
    }
    errno = err;
    return false;
  }

 private:
  bool remove_dir(int parent, const char* name, int depth) {
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0) return true;
    if (errno != ENOTEMPTY && errno != EEXIST) return false;
    if (depth > kMaxDepth) return move_up(parent, name);
    UniqueFd dir = open_dir(parent, name);
    if (!dir) return false;
    if (depth == 0) top_ = dir.get();
    if (!empty_dir(dir.get(), depth)) {
      // Without write permission on the directory: ours to change?
      if (errno != EACCES || fchmod(dir.get(), 0700) < 0) return false;
      if (lseek(dir.get(), 0, SEEK_SET) < 0 || !empty_dir(dir.get(), depth)) return false;
    }
    return unlinkat(parent, name, AT_REMOVEDIR) == 0;
  }

  bool empty_dir(int dir, int depth) {
    bool found = true;
    while (found) {
      if (!empty_dir_once(dir, depth, &found)) return false;
      if (found && lseek(dir, 0, SEEK_SET) < 0) return false;
    }
    return true;
  }

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

  bool move_up(int parent, const char* name) {
    for (;;) {
      Text<32> here;
      here << "skiff-moved-up-" << moved_++;
      if (rename_new(parent, name, top_, here.c_str())) return true;
      // The new parent is written into the directory itself, which must be writable for that.
      if (errno == EACCES && open_up(parent, name) && rename_new(parent, name, top_, here.c_str()))
        return true;
      if (errno != EEXIST) return false;
    }
  }

  static bool rename_new(int from, const char* name, int to, const char* new_name) {
    constexpr unsigned kNoReplace = 1;
    if (syscall(SYS_renameat2, from, name, to, new_name, kNoReplace) == 0) return true;
    if (errno != EINVAL && errno != ENOSYS) return false;
    // The file system knows no flags. Only an empty directory could be replaced, and it is to go anyway.
    return renameat(from, name, to, new_name) == 0;
  }

  int top_ = -1;
  uint32_t moved_ = 0;
};

}  // namespace

bool remove_tree(const char* path, StepError* e) {
  if (Removal().remove_entry(AT_FDCWD, path, 0)) return true;
  return fail(e, Step::kRemove, path);
}
