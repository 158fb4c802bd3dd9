// See emulated_call.h. Paths are looked up by the kernel, from the process's own directories; no name is taken apart
// but for chroot(2), where links must not lead out.

#include "emulated_call.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sys.h"

namespace {

constexpr size_t kPage = 4096;

bool read_string(const Call& call, uint64_t at, TextView* out) {
  char part[kPage];
  while (!out->cut()) {
    // No further than the page: the next one may not be there.
    size_t size = kPage - at % kPage;
    if (!read_memory(call, at, part, size)) return false;
    size_t len = strnlen(part, size);
    out->bytes(part, len);
    if (len < size) return !out->cut();
    at += size;
  }
  return false;
}

bool read_link(const char* path, TextView* out) {
  char text[PATH_MAX];
  ssize_t n = readlink(path, text, sizeof text);
  if (n <= 0 || n == static_cast<ssize_t>(sizeof text) || text[0] != '/') return false;
  out->bytes(text, static_cast<size_t>(n));
  return true;
}

}  // namespace

bool is_waiting(const Call& call) {
  return ioctl(call.listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &call.id) == 0;
}

bool read_memory(const Call& call, uint64_t at, void* data, size_t size) {
  iovec ours = {data, size};
  iovec theirs = {reinterpret_cast<void*>(at), size};
  return process_vm_readv(call.pid, &ours, 1, &theirs, 1, 0) == static_cast<ssize_t>(size) &&
         is_waiting(call);
}

bool write_memory(const Call& call, uint64_t at, const void* data, size_t size) {
  if (!is_waiting(call)) return false;
  iovec ours = {const_cast<void*>(data), size};
  iovec theirs = {reinterpret_cast<void*>(at), size};
  return process_vm_writev(call.pid, &ours, 1, &theirs, 1, 0) == static_cast<ssize_t>(size);
}

/** After chroot(2): the path as seen from that root directory, which is opened. */
bool Place::chase_root(const Call& call, const char* base) {
  Text<32> link;
  link << call.pid << "/root";
  Text<PATH_MAX> root, from;
  if (!read_link(link.c_str(), &root)) return false;
  if (root.size() == 1) return true;
  Text<PATH_MAX + 64> inside;
  if (base[0] != '\0') {
    if (!read_link(base, &from) || from.size() < root.size() ||
        memcmp(from.c_str(), root.c_str(), root.size()) != 0)
      return false;
    inside << from.c_str() + root.size() << '/' << path_.c_str() + strlen(base) + 1;
  } else {
    inside << path_.c_str();
  }
  root_.reset(::open(link.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  path_.clear();
  path_ << inside.c_str();
  return root_ && !path_.cut();
}

bool Place::find(const Call& call, int dir, uint64_t path, int flags) {
  Text<PATH_MAX> name;
  bool may_be_empty = (flags & sys::kAtEmptyPath) != 0;
  if ((path != 0 || !may_be_empty) && !read_string(call, path, &name)) return false;
  if (name.size() == 0 && !may_be_empty) return false;
  Text<48> base;
  if (name.c_str()[0] != '/') {
    base << call.pid;
    if (dir == AT_FDCWD) {
      base << "/cwd";
    } else {
      base << "/fd/" << dir;
    }
    path_ << base.c_str();
    if (name.size() == 0) return true;
    path_ << '/';
  }
  path_ << name.c_str();
  return !path_.cut() && chase_root(call, base.c_str());
}

UniqueFd Place::open(int flags, mode_t mode) const {
  flags |= O_CLOEXEC;
  if (!root_) return UniqueFd(::open(path_.c_str(), flags, mode));
  return UniqueFd(
      sys::openat2(root_.get(), path_.c_str(), {static_cast<uint64_t>(flags), mode, sys::kResolveInRoot}));
}

UniqueFd Place::open_parent(const char** name) {
  size_t end = path_.size();
  while (end > 1 && path_.c_str()[end - 1] == '/') end--;
  size_t start = end;
  while (start > 0 && path_.c_str()[start - 1] != '/') start--;
  Text<PATH_MAX + 64> whole;
  whole.bytes(path_.c_str(), end);
  path_.clear();
  path_.bytes(whole.c_str(), start);
  if (start == 0) path_ << '.';
  UniqueFd parent = open(O_PATH | O_DIRECTORY);
  path_.clear();
  path_ << whole.c_str() + start;
  *name = path_.c_str();
  return parent;
}

UniqueFd open_object(const Call& call, int dir, uint64_t path, int flags) {
  Place place;
  if (!place.find(call, dir, path, flags)) return UniqueFd();
  UniqueFd object = place.open(O_PATH | ((flags & AT_SYMLINK_NOFOLLOW) != 0 ? O_NOFOLLOW : 0));
  return is_waiting(call) ? static_cast<UniqueFd&&>(object) : UniqueFd();
}

UniqueFd open_file(const Call& call, int fd) {
  return fd < 0 ? UniqueFd() : open_object(call, fd, 0, sys::kAtEmptyPath);
}
