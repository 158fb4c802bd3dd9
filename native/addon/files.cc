// Locks, renames, extended attributes and space: what node:fs does not offer.

#include <linux/fs.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "args.h"
#include "common/event_file.h"
#include "groups.h"
#include "syscalls.h"

namespace skiff {

namespace {

// flock(fd, 'shared'|'exclusive'|'unlock', nonblocking) → false when it would block.
Napi::Value Flock(const Napi::CallbackInfo& info) {
  Args args(info);
  const int fd = args.Fd(0);
  const std::string mode = args.Utf8(1);
  const bool nonblocking = args.Bool(2);
  if (!args.ok()) return args.Raise();
  int operation = 0;
  if (mode == "shared") {
    operation = LOCK_SH;
  } else if (mode == "exclusive") {
    operation = LOCK_EX;
  } else if (mode == "unlock") {
    operation = LOCK_UN;
  } else {
    return ThrowType(info.Env(), "flock: mode must be shared, exclusive or unlock");
  }
  if (nonblocking) operation |= LOCK_NB;
  if (retry([&] { return flock(fd, operation); }) == 0) return Napi::Boolean::New(info.Env(), true);
  if (nonblocking && errno == EWOULDBLOCK) return Napi::Boolean::New(info.Env(), false);
  return ThrowErrno(info.Env(), errno, "flock");
}

// renameNoReplace(from, to) → false when `to` exists.
Napi::Value RenameNoReplace(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string from = args.Path(0);
  const std::string to = args.Path(1);
  if (!args.ok()) return args.Raise();
  if (SysRenameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
    return Napi::Boolean::New(info.Env(), true);
  }
  if (errno == EEXIST) return Napi::Boolean::New(info.Env(), false);
  return ThrowErrno(info.Env(), errno, "renameat2", from);
}

// openInRoot(root, path) → descriptor, or undefined when nothing that can be read is there.
Napi::Value OpenInRoot(const Napi::CallbackInfo& info) {
  Args args(info);
  const int root = args.Fd(0);
  const std::string path = args.Path(1);
  if (!args.ok()) return args.Raise();
  constexpr uint64_t kFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  for (int tries = 0; tries < 16; tries++) {
    const int fd = retry(
        [&] { return SysOpenat2(root, path.c_str(), kFlags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS); });
    if (fd >= 0) return Napi::Number::New(info.Env(), fd);
    if (errno != EAGAIN) break;  // something was renamed meanwhile, anywhere on the machine
  }
  switch (errno) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case EACCES:
    case ENAMETOOLONG:
    case EXDEV:
    case ENXIO:
    case ENODEV:
    case EAGAIN:
      return info.Env().Undefined();
    case EPERM:
      return ThrowErrno(info.Env(), ENOSYS, "openat2", path);
    default:
      return ThrowErrno(info.Env(), errno, "openat2", path);
  }
}

Napi::Value SyncFs(const Napi::CallbackInfo& info) {
  Args args(info);
  const int fd = args.Fd(0);
  if (!args.ok()) return args.Raise();
  if (syncfs(fd) < 0) return ThrowErrno(info.Env(), errno, "syncfs");
  return info.Env().Undefined();
}

Napi::Object SpaceOf(Napi::Env env, const struct statfs& fs) {
  const double block = static_cast<double>(fs.f_frsize != 0 ? fs.f_frsize : fs.f_bsize);
  Napi::Object out = Napi::Object::New(env);
  out.Set("type", Napi::Number::New(env, static_cast<double>(static_cast<uint32_t>(fs.f_type))));
  out.Set("sizeBytes", Napi::Number::New(env, block * static_cast<double>(fs.f_blocks)));
  out.Set("availableBytes", Napi::Number::New(env, block * static_cast<double>(fs.f_bavail)));
  out.Set("files", Napi::Number::New(env, static_cast<double>(fs.f_files)));
  out.Set("freeFiles", Napi::Number::New(env, static_cast<double>(fs.f_ffree)));
  return out;
}

Napi::Value StatFs(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string path = args.Path(0);
  if (!args.ok()) return args.Raise();
  struct statfs fs = {};
  if (retry([&] { return statfs(path.c_str(), &fs); }) < 0)
    return ThrowErrno(info.Env(), errno, "statfs", path);
  return SpaceOf(info.Env(), fs);
}

Napi::Value FStatFs(const Napi::CallbackInfo& info) {
  Args args(info);
  const int fd = args.Fd(0);
  if (!args.ok()) return args.Raise();
  struct statfs fs = {};
  if (retry([&] { return fstatfs(fd, &fs); }) < 0) return ThrowErrno(info.Env(), errno, "fstatfs");
  return SpaceOf(info.Env(), fs);
}

// lgetxattr(path, name) → Buffer, or undefined when the file has no such attribute or the file system has none at all.
Napi::Value LGetXattr(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string path = args.Path(0);
  const std::string name = args.Utf8(1);
  if (!args.ok()) return args.Raise();
  std::string value(256, '\0');
  for (;;) {
    const ssize_t size = lgetxattr(path.c_str(), name.c_str(), &value[0], value.size());
    if (size >= 0) return Napi::Buffer<char>::Copy(info.Env(), value.data(), static_cast<size_t>(size));
    if (errno == ENODATA || errno == ENOTSUP) return info.Env().Undefined();
    if (errno != ERANGE || value.size() >= 65536) return ThrowErrno(info.Env(), errno, "lgetxattr", path);
    value.resize(65536);
  }
}

// llistxattr(path) → names, in the kernel's order; [] where the file system has no attributes.
Napi::Value LListXattr(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string path = args.Path(0);
  if (!args.ok()) return args.Raise();
  char names[65536];  // XATTR_LIST_MAX; not cleared, since this is asked of every file of a layer
  ssize_t size = llistxattr(path.c_str(), names, sizeof names);
  if (size < 0) {
    if (errno != ENOTSUP) return ThrowErrno(info.Env(), errno, "llistxattr", path);
    size = 0;
  }
  Napi::Array out = Napi::Array::New(info.Env());
  uint32_t count = 0;
  for (size_t at = 0; at < static_cast<size_t>(size);) {
    const std::string name(&names[at]);
    out.Set(count++, Napi::String::New(info.Env(), name));
    at += name.size() + 1;
  }
  return out;
}

Napi::Value LSetXattr(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string path = args.Path(0);
  const std::string name = args.Utf8(1);
  const Bytes value = args.Data(2);
  if (!args.ok()) return args.Raise();
  if (lsetxattr(path.c_str(), name.c_str(), value.data, value.size, 0) < 0) {
    return ThrowErrno(info.Env(), errno, "lsetxattr", path);
  }
  return info.Env().Undefined();
}

// dataExtents(fd, size) → [offset, length, …] of what is no hole; undefined where holes cannot be asked for, or there are
// more than kMaxExtents. Moves the descriptor's position.
Napi::Value DataExtents(const Napi::CallbackInfo& info) {
  constexpr uint32_t kMaxExtents = 100000;
  Args args(info);
  const int fd = args.Fd(0);
  const int64_t size = args.Int(1);
  if (!args.ok()) return args.Raise();
  Napi::Array out = Napi::Array::New(info.Env());
  uint32_t count = 0;
  for (off_t at = 0; at < size;) {
    const off_t start = lseek(fd, at, SEEK_DATA);
    if (start < 0 && errno == ENXIO) break;  // nothing but a hole up to the end
    if (start < 0 && errno == EINVAL) return info.Env().Undefined();
    if (start < 0) return ThrowErrno(info.Env(), errno, "lseek");
    off_t end = lseek(fd, start, SEEK_HOLE);
    if (end < 0) return ThrowErrno(info.Env(), errno, "lseek");
    if (start >= size) break;
    if (end > size) end = size;
    if (count >= 2 * kMaxExtents) return info.Env().Undefined();
    out.Set(count++, Napi::Number::New(info.Env(), static_cast<double>(start)));
    out.Set(count++, Napi::Number::New(info.Env(), static_cast<double>(end - start)));
    at = end;
  }
  return out;
}

// appendEvent(path, members) → false when it could not be written.
Napi::Value AppendEvent(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string path = args.Path(0);
  const Bytes members = args.Data(1);
  if (!args.ok()) return args.Raise();
  const EventText text = {reinterpret_cast<const char*>(members.data), members.size};
  return Napi::Boolean::New(info.Env(), append_event(path.c_str(), text, {"", 0}));
}

}  // namespace

void InitFiles(Napi::Env env, Napi::Object exports) {
  exports.Set("flock", Napi::Function::New<Flock>(env, "flock"));
  exports.Set("renameNoReplace", Napi::Function::New<RenameNoReplace>(env, "renameNoReplace"));
  exports.Set("openInRoot", Napi::Function::New<OpenInRoot>(env, "openInRoot"));
  exports.Set("syncfs", Napi::Function::New<SyncFs>(env, "syncfs"));
  exports.Set("statfs", Napi::Function::New<StatFs>(env, "statfs"));
  exports.Set("fstatfs", Napi::Function::New<FStatFs>(env, "fstatfs"));
  exports.Set("dataExtents", Napi::Function::New<DataExtents>(env, "dataExtents"));
  exports.Set("lgetxattr", Napi::Function::New<LGetXattr>(env, "lgetxattr"));
  exports.Set("llistxattr", Napi::Function::New<LListXattr>(env, "llistxattr"));
  exports.Set("appendEvent", Napi::Function::New<AppendEvent>(env, "appendEvent"));
  exports.Set("lsetxattr", Napi::Function::New<LSetXattr>(env, "lsetxattr"));
}

}  // namespace skiff
