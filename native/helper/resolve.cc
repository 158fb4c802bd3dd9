// openat2(RESOLVE_IN_ROOT) does the work where the kernel has it. The walk below does what it cannot: make missing
// parts on the way; it is also the one fallback for kernels and sandboxes without openat2.

#include "resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "common/retry.h"
#include "sys.h"

namespace {

constexpr unsigned kProcFs = 0x9fa0;  // linux/magic.h, PROC_SUPER_MAGIC
constexpr int kMaxDepth = 128;
constexpr int kMaxLinks = 40;  // as the kernel's own limit

/** Goes one component at a time with O_NOFOLLOW, follows links by hand, and keeps every parent open for "..". */
class Walk {
 public:
  Walk(int root, CreateTarget kind) : root_(root), kind_(kind) {}

  UniqueFd run(const char* path) {
    if (!splice(path, "")) return UniqueFd();
    char name[NAME_MAX + 1];
    while (next(name)) {
      if (strcmp(name, ".") == 0) continue;
      if (strcmp(name, "..") == 0) {
        if (depth_ > 0) stack_[--depth_].reset();
        continue;
      }
      if (!step(name)) return UniqueFd();
    }
    if (failed_) return UniqueFd();
    if (depth_ == 0) return UniqueFd(openat(root_, ".", O_PATH | O_CLOEXEC));
    return static_cast<UniqueFd&&>(stack_[depth_ - 1]);
  }

 private:
  int current() const { return depth_ == 0 ? root_ : stack_[depth_ - 1].get(); }

  bool give_up(int err) {
    errno = err;
    failed_ = true;
    return false;
  }

  /** Puts `front` before the rest of the path. */
  bool splice(const char* front, const char* rest) {
    char joined[PATH_MAX];
    size_t front_len = strlen(front), rest_len = strlen(rest);
    if (front_len + 1 + rest_len + 1 > sizeof joined) return give_up(ENAMETOOLONG);
    memcpy(joined, front, front_len);  // NOLINT(bugprone-not-null-terminated-result): the rest follows
    joined[front_len] = '/';
    memcpy(joined + front_len + 1, rest, rest_len + 1);
    memcpy(path_, joined, front_len + 1 + rest_len + 1);
    pos_ = path_;
    return true;
  }

  bool next(char* name) {
    pos_ += strspn(pos_, "/");
    size_t len = strcspn(pos_, "/");
    if (len == 0) return false;
    if (len > NAME_MAX) return give_up(ENAMETOOLONG);
    memcpy(name, pos_, len);
    name[len] = '\0';
    pos_ += len;
    return true;
  }

  bool is_last() const { return pos_[strspn(pos_, "/")] == '\0'; }

  bool step(const char* name) {
    UniqueFd fd(openat(current(), name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!fd && errno == ENOENT && kind_ != CreateTarget::kNone) fd = create(name);
    if (!fd) return give_up(errno);
    struct stat st;
    if (fstat(fd.get(), &st) < 0) return give_up(errno);
    if (S_ISLNK(st.st_mode)) return follow(fd.get());
    if (depth_ == kMaxDepth) return give_up(ENAMETOOLONG);
    stack_[depth_++] = static_cast<UniqueFd&&>(fd);
    return true;
  }

  UniqueFd create(const char* name) {
    if (kind_ == CreateTarget::kFile && is_last()) {
      UniqueFd made(openat(current(), name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644));
      if (!made) return UniqueFd();
    } else if (mkdirat(current(), name, 0755) < 0) {
      return UniqueFd();
    }
    return UniqueFd(openat(current(), name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  }

  bool follow(int link) {
    if (++links_ > kMaxLinks) return give_up(ELOOP);
    char to[PATH_MAX];
    ssize_t len = readlinkat(link, "", to, sizeof to - 1);
    if (len < 0) return give_up(errno);
    to[len] = '\0';
    // procfs: what looks absolute there is a magic link, whose text is not where it leads.
    struct statfs fs;
    if (to[0] == '/' && fstatfs(link, &fs) == 0 && static_cast<unsigned>(fs.f_type) == kProcFs)
      return give_up(ELOOP);
    if (to[0] == '/') {
      while (depth_ > 0) stack_[--depth_].reset();
    }
    return splice(to, pos_);
  }

  int root_;
  CreateTarget kind_;
  UniqueFd stack_[kMaxDepth];
  int depth_ = 0;
  int links_ = 0;
  bool failed_ = false;
  char path_[PATH_MAX];
  const char* pos_ = path_;
};

}  // namespace

UniqueFd open_in_root(int root, const char* path, int flags) {
  // openat2 takes an absolute path as well: RESOLVE_IN_ROOT reads it from `root`.
  sys::OpenHow how = {static_cast<uint64_t>(flags | O_CLOEXEC), 0,
                      sys::kResolveInRoot | sys::kResolveNoMagiclinks};
  // EAGAIN: something was renamed on the way, which here can only be a volume in use.
  for (int tries = 0; tries < 16; tries++) {
    UniqueFd fd(sys::openat2(root, path, how));
    if (fd || (errno != EAGAIN && errno != EINTR)) {
      if (fd || (errno != ENOSYS && errno != EPERM)) return fd;
      break;
    }
  }
  UniqueFd found = Walk(root, CreateTarget::kNone).run(path);
  if (!found || (flags & O_PATH) != 0) return found;
  return UniqueFd(open(FdPath(found.get()).c_str(), flags | O_CLOEXEC));
}

UniqueFd ensure_in_root(int root, const char* path, CreateTarget kind) {
  UniqueFd fd = open_in_root(root, path, O_PATH);
  if (fd || errno != ENOENT || kind == CreateTarget::kNone) return fd;
  return Walk(root, kind).run(path);
}

UniqueFd ensure_parent_in_root(int root, const char* path, char* name) {
  size_t end = strlen(path);
  while (end > 0 && path[end - 1] == '/') end--;
  size_t start = end;
  while (start > 0 && path[start - 1] != '/') start--;
  size_t len = end - start;
  bool dots = (len == 1 && path[start] == '.') || (len == 2 && path[start] == '.' && path[start + 1] == '.');
  if (len == 0 || len > NAME_MAX || start >= PATH_MAX || dots) {
    errno = EINVAL;
    return UniqueFd();
  }
  memcpy(name, path + start, len);
  name[len] = '\0';
  char parent[PATH_MAX];
  memcpy(parent, path, start);
  parent[start] = '\0';
  return ensure_in_root(root, start == 0 ? "/" : parent, CreateTarget::kDir);
}
