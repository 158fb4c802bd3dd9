// How a path of the archive becomes a descriptor of its parent. openat2(2) does it in one call, in the kernel, and
// refuses symbolic links, "..", mount points and magic links; without it, the same part by part.

#include <sys/stat.h>

#include "syscalls.h"
#include "tree.h"

namespace skiff {

namespace {

constexpr uint64_t kResolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;

// The same result without openat2 (before Linux 5.6, or hidden by an outer seccomp filter) and for paths longer than
// PATH_MAX: every part is opened by itself, never through a link. O_NOFOLLOW with O_PATH would open the link itself,
// hence O_DIRECTORY, which refuses it.
int WalkDown(int root, const std::string& path, int flags) {
  UniqueFd at;
  size_t start = 0;
  for (;;) {
    const size_t slash = path.find('/', start);
    const bool last = slash == std::string::npos;
    const std::string part = path.substr(start, last ? std::string::npos : slash - start);
    if (part.empty() || part == "." || part == "..") {
      errno = EXDEV;
      return -1;
    }
    const int wanted = last ? flags : O_PATH;
    const int parent = at ? at.get() : root;
    UniqueFd next(
        retry([&] { return openat(parent, part.c_str(), wanted | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); }));
    if (!next) return -1;
    if (last) return next.release();
    at = static_cast<UniqueFd&&>(next);
    start = slash + 1;
  }
}

}  // namespace

int ParentCache::Find(const std::string& path) const {
  const auto found = index_.find(path);
  return found == index_.end() ? -1 : slots_[found->second].fd.get();
}

int ParentCache::Add(const std::string& path, UniqueFd fd) {
  if (slots_.size() < kSlots) slots_.emplace_back();
  const size_t slot = next_;
  next_ = (next_ + 1) % kSlots;
  if (slots_[slot].fd) index_.erase(slots_[slot].path);
  slots_[slot].path = path;
  slots_[slot].fd = static_cast<UniqueFd&&>(fd);
  index_[path] = slot;
  return slots_[slot].fd.get();
}

void ParentCache::Clear() {
  index_.clear();
  slots_.clear();
  next_ = 0;
}

int Places::OpenDir(const std::string& path, int flags) const {
  if (path.empty()) return retry([&] { return openat(root_.get(), ".", flags | O_DIRECTORY | O_CLOEXEC); });
  if (path.size() < 4000) {
    const uint64_t how = static_cast<uint64_t>(flags) | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    const uint64_t resolve = live_ ? kResolve : kResolve | RESOLVE_NO_XDEV;
    for (int tries = 0; tries < 8; tries++) {
      const int fd = retry([&] { return SysOpenat2(root_.get(), path.c_str(), how, 0, resolve); });
      if (fd >= 0) return fd;
      if (errno == EAGAIN) continue;  // something was renamed meanwhile, anywhere on the machine
      if (errno != ENOSYS && errno != EPERM) return -1;
      break;
    }
  }
  return WalkDown(root_.get(), path, flags);
}

// From the directory above where that is at hand, so that a deep chain is not walked anew for each of its parts.
int Places::OpenParent(const std::string& path) const {
  const size_t slash = path.rfind('/');
  const int above = slash == std::string::npos ? -1 : parents_.Find(path.substr(0, slash));
  if (above < 0) return OpenDir(path, O_PATH);
  constexpr int kFlags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  return retry([&] { return openat(above, path.c_str() + slash + 1, kFlags); });
}

Places Places::Another() const {
  return {UniqueFd(retry([&] { return fcntl(root_.get(), F_DUPFD_CLOEXEC, 3); })), live_};
}

bool Places::Locate(const std::string& path, Place* out) {
  if (!root_) {
    errno = EBADF;
    return false;
  }
  const size_t slash = path.rfind('/');
  out->name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (out->name.empty() || out->name == "." || out->name == "..") {
    errno = EXDEV;
    return false;
  }
  if (slash == std::string::npos) {
    out->parent = root_.get();
    return true;
  }
  const std::string parent = path.substr(0, slash);
  out->parent = parents_.Find(parent);
  if (out->parent >= 0) return true;
  UniqueFd fd(OpenParent(parent));
  if (!fd) return false;
  out->parent = parents_.Add(parent, static_cast<UniqueFd&&>(fd));
  return true;
}

}  // namespace skiff
