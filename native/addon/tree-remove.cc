// Removal of a subtree of any depth with two descriptors and no recursion: the deepest directory first. Needed when an
// archive replaces a directory by something else.

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "syscalls.h"
#include "tree.h"

namespace skiff {

namespace {

// Unlinks every entry of `dir` that is no directory. Returns 1 and the name of a subdirectory when there is one, 0 when
// the directory is empty now, -1 on error.
int EmptyOrDescend(int dir, std::string* subdir) {
  // A stream of its own: readdir and unlink on one descriptor may skip entries.
  const int copy = retry([&] { return openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (copy < 0) return -1;
  DIR* stream = fdopendir(copy);
  if (stream == nullptr) {
    close(copy);
    return -1;
  }
  int result = 0;
  errno = 0;
  while (const struct dirent* entry = readdir(stream)) {
    const char* name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
    if (unlinkat(dir, name, 0) == 0) continue;
    if (errno != EISDIR && errno != EPERM) {
      result = -1;
      break;
    }
    if (unlinkat(dir, name, AT_REMOVEDIR) == 0) continue;
    if (errno != ENOTEMPTY && errno != EEXIST) {
      result = -1;
      break;
    }
    *subdir = name;
    result = 1;
    break;
  }
  const int err = errno;
  closedir(stream);
  errno = err;
  return result;
}

}  // namespace

bool RemoveAll(int parent, const char* name) {
  if (unlinkat(parent, name, 0) == 0 || errno == ENOENT) return true;
  if (errno != EISDIR && errno != EPERM) return false;
  if (unlinkat(parent, name, AT_REMOVEDIR) == 0) return true;
  if (errno != ENOTEMPTY && errno != EEXIST) return false;

  UniqueFd at(retry([&] { return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); }));
  if (!at) return false;
  std::vector<std::string> names;  // from below `name` down to `at`
  for (;;) {
    std::string subdir;
    const int found = EmptyOrDescend(at.get(), &subdir);
    if (found < 0) return false;
    if (found > 0) {
      // Directories without permission bits are no obstacle for the owner.
      fchmodat(at.get(), subdir.c_str(), 0700, 0);
      UniqueFd next(retry(
          [&] { return openat(at.get(), subdir.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); }));
      if (!next) return false;
      at = static_cast<UniqueFd&&>(next);
      names.push_back(static_cast<std::string&&>(subdir));
      continue;
    }
    if (names.empty()) break;
    // ".." is safe: nobody but us moves directories in a tree that is being made.
    UniqueFd up(
        retry([&] { return openat(at.get(), "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); }));
    if (!up) return false;
    if (unlinkat(up.get(), names.back().c_str(), AT_REMOVEDIR) < 0) return false;
    names.pop_back();
    at = static_cast<UniqueFd&&>(up);
  }
  at.reset();
  return unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

}  // namespace skiff
