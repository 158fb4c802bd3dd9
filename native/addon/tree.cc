#include "tree.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <climits>

#include "groups.h"
#include "syscalls.h"

namespace skiff {

namespace {

Attributes ReadAttributes(Args* args, size_t first) {
  Attributes out;
  out.mode = args->U32(first);
  out.uid = args->U32(first + 1);
  out.gid = args->U32(first + 2);
  out.mtime_sec = args->Int(first + 3);
  out.mtime_nsec = args->Int(first + 4);
  return out;
}

struct timespec Mtime(const Attributes& wanted) {
  struct timespec time = {};
  time.tv_sec = static_cast<time_t>(wanted.mtime_sec);
  time.tv_nsec = static_cast<long>(wanted.mtime_nsec);
  return time;
}

// chown fails so when an id is not mapped in our user namespace, or when we are nobody special.
bool OwnerRefused(int err) { return err == EINVAL || err == EPERM; }

// Writes all, at `position`, or where the file stands when that is negative.
bool WriteAt(int fd, const uint8_t* data, size_t size, int64_t position) {
  while (size > 0) {
    const ssize_t done = retry([&] {
      return position < 0 ? write(fd, data, size) : pwrite(fd, data, size, static_cast<off_t>(position));
    });
    if (done < 0) return false;
    data += done;
    size -= static_cast<size_t>(done);
    if (position >= 0) position += done;
  }
  return true;
}

// A slice [offset, offset + length) of a Uint8Array argument.
Bytes Slice(Args* args, size_t data, size_t offset, size_t length, bool* in_range) {
  const Bytes all = args->Data(data);
  const int64_t from = args->Int(offset);
  const int64_t size = args->Int(length);
  *in_range = from >= 0 && size >= 0 && static_cast<uint64_t>(from) <= all.size &&
              static_cast<uint64_t>(size) <= all.size - static_cast<uint64_t>(from);
  if (!*in_range) return {};
  return {all.data + from, static_cast<size_t>(size)};
}

}  // namespace

bool SetAttributes(int fd, const Attributes& wanted, bool has_owner, bool* owner_kept) {
  *owner_kept = true;
  // To look costs a tenth of a change, which is written down in the file system's journal. What looks like nobody may be any
  // id that is not mapped.
  constexpr uint32_t kNobody = 65534;
  struct stat st = {};
  if (!has_owner && wanted.uid != kNobody && wanted.gid != kNobody)
    has_owner = fstat(fd, &st) == 0 && st.st_uid == wanted.uid && st.st_gid == wanted.gid;
  if (!has_owner && fchown(fd, wanted.uid, wanted.gid) < 0) {
    if (!OwnerRefused(errno)) return false;
    *owner_kept = false;
  }
  if ((wanted.mode & 07000) != 0 && fchmod(fd, wanted.mode) < 0) return false;
  const struct timespec times[2] = {Mtime(wanted), Mtime(wanted)};
  return futimens(fd, times) == 0;
}

Tree::Tree(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Tree>(info) {
  Args args(info);
  const int fd = args.Fd(0);
  live_ = info.Length() > 1 && args.Bool(1);
  if (!args.ok()) {
    args.Raise();
    return;
  }
  UniqueFd root(retry([&] { return openat(fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC); }));
  if (!root) {
    ThrowErrno(info.Env(), errno, "openat");
    return;
  }
  places_ = Places(static_cast<UniqueFd&&>(root), live_);
  uid_ = geteuid();
  gid_ = getegid();
}

// prepare(): for a fresh tree, in a process that does nothing else.
Napi::Value Tree::Prepare(const Napi::CallbackInfo& info) {
  // Modes are exactly what we pass to open and mkdir: saves a chmod for most files. Process-wide.
  umask(0);
  // Under keep-id the folder was made by an id that is not the namespace's root, whose "/" it becomes.
  if (fchownat(places_.root(), "", uid_, gid_, AT_EMPTY_PATH) < 0 && !OwnerRefused(errno)) {
    return ThrowErrno(info.Env(), errno, "fchownat");
  }
  // New files take the group of a setgid parent; OwnerIsOurs() relies on there being none.
  if (fchmodat(places_.root(), ".", 0700, 0) < 0) return ThrowErrno(info.Env(), errno, "fchmodat");
  return info.Env().Undefined();
}

bool Tree::OwnerIsOurs(const Attributes& wanted) const {
  return !live_ && wanted.uid == uid_ && wanted.gid == gid_;
}

bool Tree::FinishFile(int fd, const Attributes& wanted, bool* owner_kept) const {
  return SetAttributes(fd, wanted, OwnerIsOurs(wanted), owner_kept);
}

// writeFile(path, mode, uid, gid, sec, nsec, data, offset, length) → whether the owner could be set.
Napi::Value Tree::WriteFile(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string path = args.ByteString(0);
  const Attributes wanted = ReadAttributes(&args, 1);
  bool in_range = false;
  const Bytes content = Slice(&args, 6, 7, 8, &in_range);
  if (!args.ok()) return args.Raise();
  if (!in_range) return ThrowType(info.Env(), "writeFile: slice out of range");
  Place place;
  if (!Locate(path, &place)) return ThrowErrno(info.Env(), errno, "openat2", path);
  UniqueFd fd(retry([&] { return openat(place.parent, place.name.c_str(), kNewFile, wanted.mode & 0777); }));
  if (!fd) return ThrowErrno(info.Env(), errno, "openat", path);
  if (!WriteAt(fd.get(), content.data, content.size, -1)) return ThrowErrno(info.Env(), errno, "write", path);
  bool owner_kept = false;
  if (!FinishFile(fd.get(), wanted, &owner_kept)) return ThrowErrno(info.Env(), errno, "fchown", path);
  return Napi::Boolean::New(info.Env(), owner_kept);
}

// begin(path, mode): creates a file that write() and finish() complete.
Napi::Value Tree::Begin(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string path = args.ByteString(0);
  const uint32_t mode = args.U32(1);
  if (!args.ok()) return args.Raise();
  Place place;
  if (!Locate(path, &place)) return ThrowErrno(info.Env(), errno, "openat2", path);
  file_.reset(retry([&] { return openat(place.parent, place.name.c_str(), kNewFile, mode & 0777); }));
  if (!file_) return ThrowErrno(info.Env(), errno, "openat", path);
  file_path_ = path;
  return info.Env().Undefined();
}

// write(data, offset, length, position): position -1 appends.
Napi::Value Tree::Write(const Napi::CallbackInfo& info) {
  Args args(info);
  bool in_range = false;
  const Bytes content = Slice(&args, 0, 1, 2, &in_range);
  const int64_t position = args.Int(3);
  if (!args.ok()) return args.Raise();
  if (!in_range) return ThrowType(info.Env(), "write: slice out of range");
  if (!WriteAt(file_.get(), content.data, content.size, position)) {
    return ThrowErrno(info.Env(), errno, "write", file_path_);
  }
  return info.Env().Undefined();
}

// finish(size, mode, uid, gid, sec, nsec) → whether the owner could be set. size >= 0: extend to it by a hole.
Napi::Value Tree::Finish(const Napi::CallbackInfo& info) {
  Args args(info);
  const int64_t size = args.Int(0);
  const Attributes wanted = ReadAttributes(&args, 1);
  if (!args.ok()) return args.Raise();
  const UniqueFd fd = static_cast<UniqueFd&&>(file_);
  if (size >= 0 && retry([&] { return ftruncate(fd.get(), static_cast<off_t>(size)); }) < 0) {
    return ThrowErrno(info.Env(), errno, "ftruncate", file_path_);
  }
  bool owner_kept = false;
  if (!FinishFile(fd.get(), wanted, &owner_kept)) return ThrowErrno(info.Env(), errno, "fchown", file_path_);
  return Napi::Boolean::New(info.Env(), owner_kept);
}

// makeDir(path) → false when something is there already. Mode 0700 until setDir().
Napi::Value Tree::MakeDir(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string path = args.ByteString(0);
  if (!args.ok()) return args.Raise();
  Place place;
  if (!Locate(path, &place)) return ThrowErrno(info.Env(), errno, "openat2", path);
  if (mkdirat(place.parent, place.name.c_str(), 0700) == 0) return Napi::Boolean::New(info.Env(), true);
  if (errno == EEXIST) return Napi::Boolean::New(info.Env(), false);
  return ThrowErrno(info.Env(), errno, "mkdirat", path);
}

// setDir(path, mode, uid, gid, sec, nsec) → whether the owner could be set. "" is the root.
Napi::Value Tree::SetDir(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string path = args.ByteString(0);
  const Attributes wanted = ReadAttributes(&args, 1);
  if (!args.ok()) return args.Raise();
  const UniqueFd fd(places_.OpenDir(path, O_RDONLY));
  if (!fd) return ThrowErrno(info.Env(), errno, "openat2", path);
  bool owner_kept = true;
  if (!OwnerIsOurs(wanted) && fchown(fd.get(), wanted.uid, wanted.gid) < 0) {
    if (!OwnerRefused(errno)) return ThrowErrno(info.Env(), errno, "fchown", path);
    owner_kept = false;
  }
  if (fchmod(fd.get(), wanted.mode & 07777) < 0) return ThrowErrno(info.Env(), errno, "fchmod", path);
  const struct timespec times[2] = {Mtime(wanted), Mtime(wanted)};
  if (futimens(fd.get(), times) < 0) return ThrowErrno(info.Env(), errno, "futimens", path);
  return Napi::Boolean::New(info.Env(), owner_kept);
}

// symlink(path, target, uid, gid, sec, nsec) → whether the owner could be set.
Napi::Value Tree::Symlink(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string path = args.ByteString(0);
  const std::string target = args.ByteString(1);
  Attributes wanted;
  wanted.uid = args.U32(2);
  wanted.gid = args.U32(3);
  wanted.mtime_sec = args.Int(4);
  wanted.mtime_nsec = args.Int(5);
  if (!args.ok()) return args.Raise();
  Place place;
  if (!Locate(path, &place)) return ThrowErrno(info.Env(), errno, "openat2", path);
  const char* name = place.name.c_str();
  if (symlinkat(target.c_str(), place.parent, name) < 0)
    return ThrowErrno(info.Env(), errno, "symlinkat", path);
  bool owner_kept = true;
  if (!OwnerIsOurs(wanted) && fchownat(place.parent, name, wanted.uid, wanted.gid, AT_SYMLINK_NOFOLLOW) < 0) {
    if (!OwnerRefused(errno)) return ThrowErrno(info.Env(), errno, "fchownat", path);
    owner_kept = false;
  }
  const struct timespec times[2] = {Mtime(wanted), Mtime(wanted)};
  if (utimensat(place.parent, name, times, AT_SYMLINK_NOFOLLOW) < 0) {
    return ThrowErrno(info.Env(), errno, "utimensat", path);
  }
  return Napi::Boolean::New(info.Env(), owner_kept);
}

// link(existing, path): both inside the tree; a symbolic link is linked itself, not what it points to.
Napi::Value Tree::Link(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string existing = args.ByteString(0);
  const std::string path = args.ByteString(1);
  if (!args.ok()) return args.Raise();
  Place from;
  if (!Locate(existing, &from)) return ThrowErrno(info.Env(), errno, "openat2", existing);
  // The second look-up may evict the first one's descriptor from the cache.
  const UniqueFd from_parent(retry([&] { return fcntl(from.parent, F_DUPFD_CLOEXEC, 3); }));
  if (!from_parent) return ThrowErrno(info.Env(), errno, "fcntl", existing);
  Place to;
  if (!Locate(path, &to)) return ThrowErrno(info.Env(), errno, "openat2", path);
  if (linkat(from_parent.get(), from.name.c_str(), to.parent, to.name.c_str(), 0) < 0) {
    return ThrowErrno(info.Env(), errno, "linkat", path);
  }
  return info.Env().Undefined();
}

// makeNode(path, mode with type bits, major, minor, uid, gid, sec, nsec) → whether the owner could be set.
Napi::Value Tree::MakeNode(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string path = args.ByteString(0);
  const uint32_t mode = args.U32(1);
  const uint32_t major_number = args.U32(2);
  const uint32_t minor_number = args.U32(3);
  Attributes wanted;
  wanted.uid = args.U32(4);
  wanted.gid = args.U32(5);
  wanted.mtime_sec = args.Int(6);
  wanted.mtime_nsec = args.Int(7);
  if (!args.ok()) return args.Raise();
  Place place;
  if (!Locate(path, &place)) return ThrowErrno(info.Env(), errno, "openat2", path);
  const char* name = place.name.c_str();
  if (SysMknodat(place.parent, name, mode, makedev(major_number, minor_number)) < 0) {
    return ThrowErrno(info.Env(), errno, "mknodat", path);
  }
  bool owner_kept = true;
  if (!OwnerIsOurs(wanted)) {
    if (fchownat(place.parent, name, wanted.uid, wanted.gid, AT_SYMLINK_NOFOLLOW) < 0) {
      if (!OwnerRefused(errno)) return ThrowErrno(info.Env(), errno, "fchownat", path);
      owner_kept = false;
    }
  }
  // chown cleared setuid and setgid. Not a link: mknodat has just made it, and nobody else is here.
  if ((mode & 07000) != 0 && fchmodat(place.parent, name, mode & 07777, 0) < 0) {
    return ThrowErrno(info.Env(), errno, "fchmodat", path);
  }
  const struct timespec times[2] = {Mtime(wanted), Mtime(wanted)};
  if (utimensat(place.parent, name, times, AT_SYMLINK_NOFOLLOW) < 0) {
    return ThrowErrno(info.Env(), errno, "utimensat", path);
  }
  return Napi::Boolean::New(info.Env(), owner_kept);
}

// setXattr(path, name, value); "" is the root. Never through a link: the parent is entered by its descriptor.
Napi::Value Tree::SetXattr(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string path = args.ByteString(0);
  const std::string name = args.ByteString(1);
  const Bytes value = args.Data(2);
  if (!args.ok()) return args.Raise();
  Place place;
  place.parent = places_.root();
  place.name = ".";
  if (!path.empty() && !Locate(path, &place)) return ThrowErrno(info.Env(), errno, "openat2", path);
  const std::string full = "/proc/self/fd/" + std::to_string(place.parent) + "/" + place.name;
  if (lsetxattr(full.c_str(), name.c_str(), value.data, value.size, 0) < 0) {
    return ThrowErrno(info.Env(), errno, "lsetxattr", path);
  }
  return info.Env().Undefined();
}

// stat(path) → [mode with type bits, uid, gid, size, rdev major, rdev minor, nlink], undefined when there is nothing.
Napi::Value Tree::Stat(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Args args(info);
  const std::string path = args.ByteString(0);
  if (!args.ok()) return args.Raise();
  Place place;
  place.parent = places_.root();
  place.name = ".";
  if (!path.empty() && !Locate(path, &place)) {
    if (errno == ENOENT) return env.Undefined();
    return ThrowErrno(env, errno, "openat2", path);
  }
  struct statx st = {};
  if (SysStatx(place.parent, place.name.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &st) < 0) {
    if (errno == ENOENT) return env.Undefined();
    return ThrowErrno(env, errno, "statx", path);
  }
  const double fields[] = {
      static_cast<double>(st.stx_mode),       static_cast<double>(st.stx_uid),
      static_cast<double>(st.stx_gid),        static_cast<double>(st.stx_size),
      static_cast<double>(st.stx_rdev_major), static_cast<double>(st.stx_rdev_minor),
      static_cast<double>(st.stx_nlink),
  };
  Napi::Array out = Napi::Array::New(env, 7);
  for (uint32_t i = 0; i < 7; i++) out.Set(i, Napi::Number::New(env, fields[i]));
  return out;
}

namespace {

// unlink(2) refuses mount points of our own mount namespace alone, and takes away those of another, such as a container's.
bool IsMountPoint(const Place& place) {
  struct statx st = {};
  if (SysStatx(place.parent, place.name.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) < 0) return false;
  return (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

}  // namespace

// remove(path): whatever it is, with all below it. Missing is fine. EBUSY for a mount point.
Napi::Value Tree::Remove(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string path = args.ByteString(0);
  if (!args.ok()) return args.Raise();
  Place place;
  if (!Locate(path, &place)) return ThrowErrno(info.Env(), errno, "openat2", path);
  if (live_ && IsMountPoint(place)) return ThrowErrno(info.Env(), EBUSY, "unlinkat", path);
  const bool removed = RemoveAll(place.parent, place.name.c_str());
  const int err = errno;
  places_.Forget();
  if (!removed) return ThrowErrno(info.Env(), err, "unlinkat", path);
  return info.Env().Undefined();
}

// rename(from, to): `to` must not exist.
Napi::Value Tree::Rename(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string from_path = args.ByteString(0);
  const std::string to_path = args.ByteString(1);
  if (!args.ok()) return args.Raise();
  Place from;
  if (!Locate(from_path, &from)) return ThrowErrno(info.Env(), errno, "openat2", from_path);
  const UniqueFd from_parent(retry([&] { return fcntl(from.parent, F_DUPFD_CLOEXEC, 3); }));
  if (!from_parent) return ThrowErrno(info.Env(), errno, "fcntl", from_path);
  Place to;
  if (!Locate(to_path, &to)) return ThrowErrno(info.Env(), errno, "openat2", to_path);
  constexpr unsigned kNoReplace = 1;  // RENAME_NOREPLACE
  const int result =
      SysRenameat2(from_parent.get(), from.name.c_str(), to.parent, to.name.c_str(), kNoReplace);
  const int err = errno;
  places_.Forget();
  if (result < 0) return ThrowErrno(info.Env(), err, "renameat2", to_path);
  return info.Env().Undefined();
}

// readlink(path) → target as a byte string.
Napi::Value Tree::ReadLink(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Args args(info);
  const std::string path = args.ByteString(0);
  if (!args.ok()) return args.Raise();
  Place place;
  if (!Locate(path, &place)) return ThrowErrno(env, errno, "openat2", path);
  char target[PATH_MAX];
  const ssize_t size = readlinkat(place.parent, place.name.c_str(), target, sizeof target);
  if (size < 0) return ThrowErrno(env, errno, "readlinkat", path);
  napi_value out = nullptr;
  napi_create_string_latin1(env, target, static_cast<size_t>(size), &out);
  return Napi::Value(env, out);
}

Napi::Value Tree::Close(const Napi::CallbackInfo& info) {
  places_ = Places();
  file_.reset();
  return info.Env().Undefined();
}

Napi::Function Tree::Define(Napi::Env env) {
  return DefineClass(
      env, "Tree",
      {
          InstanceMethod<&Tree::Prepare>("prepare"),     InstanceMethod<&Tree::WriteFile>("writeFile"),
          InstanceMethod<&Tree::Begin>("begin"),         InstanceMethod<&Tree::Write>("write"),
          InstanceMethod<&Tree::Finish>("finish"),       InstanceMethod<&Tree::MakeDir>("makeDir"),
          InstanceMethod<&Tree::SetDir>("setDir"),       InstanceMethod<&Tree::Symlink>("symlink"),
          InstanceMethod<&Tree::Link>("link"),           InstanceMethod<&Tree::MakeNode>("makeNode"),
          InstanceMethod<&Tree::SetXattr>("setXattr"),   InstanceMethod<&Tree::Stat>("stat"),
          InstanceMethod<&Tree::Remove>("remove"),       InstanceMethod<&Tree::Rename>("rename"),
          InstanceMethod<&Tree::ReadLink>("readlink"),   InstanceMethod<&Tree::List>("list"),
          InstanceMethod<&Tree::Open>("open"),           InstanceMethod<&Tree::Copy>("copy"),
          InstanceMethod<&Tree::HashFiles>("hashFiles"), InstanceMethod<&Tree::CopyFiles>("copyFiles"),
          InstanceMethod<&Tree::Close>("close"),
      });
}

void InitTree(Napi::Env env, Napi::Object exports) { exports.Set("Tree", Tree::Define(env)); }

}  // namespace skiff
