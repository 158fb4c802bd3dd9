// The reading side of a Tree: what is in a directory, a file's descriptor, and its content copied without passing through
// the runtime.

#include <dirent.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include <memory>

#include "syscalls.h"
#include "tree.h"

namespace skiff {

namespace {

// Numbers of one file in the answer of list(); src/native/addon.ts, TREE_LIST_FIELDS, has their names.
constexpr size_t kFields = 13;

void AddFields(const struct statx& st, std::vector<double>* out) {
  const double fields[kFields] = {
      static_cast<double>(st.stx_mode),
      static_cast<double>(st.stx_uid),
      static_cast<double>(st.stx_gid),
      static_cast<double>(st.stx_size),
      static_cast<double>(makedev(st.stx_rdev_major, st.stx_rdev_minor)),
      static_cast<double>(st.stx_nlink),
      static_cast<double>(makedev(st.stx_dev_major, st.stx_dev_minor)),
      static_cast<double>(st.stx_ino >> 32),
      static_cast<double>(st.stx_ino & 0xffffffff),
      static_cast<double>(st.stx_mtime.tv_sec),
      static_cast<double>(st.stx_mtime.tv_nsec),
      static_cast<double>(st.stx_ctime.tv_sec),
      static_cast<double>(st.stx_ctime.tv_nsec),
  };
  out->insert(out->end(), fields, fields + kFields);
}

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};

// Copies [start, end) of `from` to the same place of `to`. False with errno set; *done counts.
bool CopyRange(int from, int to, off_t start, off_t end, int64_t* done) {
  bool in_kernel = true;
  std::vector<uint8_t> buffer;
  while (start < end) {
    ssize_t size;
    if (in_kernel) {
      loff_t in = start;
      loff_t out = start;
      size = retry([&] {
        return syscall(SYS_copy_file_range, from, &in, to, &out, static_cast<size_t>(end - start), 0U);
      });
      // Another file system, an older kernel, a sandbox. 0 is the end of the file, or a file system that cannot.
      if (size <= 0) {
        if (size < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO)) return false;
        in_kernel = false;
        continue;
      }
    } else {
      if (buffer.empty()) buffer.resize(1 << 18);
      const size_t wanted =
          static_cast<size_t>(end - start) < buffer.size() ? static_cast<size_t>(end - start) : buffer.size();
      size = retry([&] { return pread(from, buffer.data(), wanted, start); });
      if (size < 0) return false;
      if (size == 0) return true;  // shorter than it was: the caller compares
      for (ssize_t at = 0; at < size;) {
        const ssize_t written =
            retry([&] { return pwrite(to, buffer.data() + at, static_cast<size_t>(size - at), start + at); });
        if (written < 0) return false;
        at += written;
      }
    }
    start += size;
    *done += size;
  }
  return true;
}

// The end may be a hole, which nothing was written to. ext4 looks for blocks to free even when the size is the same.
bool EndAt(int fd, off_t size) {
  struct stat st = {};
  if (fstat(fd, &st) < 0) return false;
  return st.st_size == size || ftruncate(fd, size) == 0;
}

}  // namespace

bool CopyContent(int from, int to, off_t size, bool* clone, int64_t* done) {
  if (size == 0) return true;
  if (*clone && ioctl(to, FICLONE, from) == 0) {
    struct stat st = {};
    if (fstat(to, &st) < 0) return false;
    *done = st.st_size;
    return true;
  }
  *clone = false;
  for (off_t at = 0; at < size;) {
    off_t start = lseek(from, at, SEEK_DATA);
    if (start < 0 && errno == ENXIO) start = size;
    off_t end = size;
    if (start < 0) {
      start = at;  // holes cannot be asked for
    } else if (start < size) {
      end = lseek(from, start, SEEK_HOLE);
      if (end < 0 || end > size) end = size;
    }
    if (start > size) start = size;
    *done += start - at;
    if (!CopyRange(from, to, start, end, done)) return false;
    at = end;
  }
  return EndAt(to, size);
}

// list(path) → [names joined by "/", kFields numbers a name], in the order of the file system; "" is the root.
Napi::Value Tree::List(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Args args(info);
  const std::string path = args.ByteString(0);
  if (!args.ok()) return args.Raise();
  const int fd = places_.OpenDir(path, O_RDONLY);
  if (fd < 0) return ThrowErrno(env, errno, "openat2", path);
  const std::unique_ptr<DIR, CloseDir> dir(fdopendir(fd));
  if (!dir) {
    const int err = errno;
    close(fd);
    return ThrowErrno(env, err, "fdopendir", path);
  }
  std::string names;
  std::vector<double> fields;
  for (;;) {
    errno = 0;
    const struct dirent* entry = readdir(dir.get());
    if (entry == nullptr) {
      if (errno != 0) return ThrowErrno(env, errno, "getdents64", path);
      break;
    }
    const std::string name(entry->d_name);
    if (name == "." || name == "..") continue;
    struct statx st = {};
    if (SysStatx(fd, entry->d_name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &st) < 0) {
      if (errno == ENOENT) continue;  // removed meanwhile
      return ThrowErrno(env, errno, "statx", path.empty() ? name : path + "/" + name);
    }
    if (!fields.empty()) names += '/';
    names += name;
    AddFields(st, &fields);
  }
  napi_value joined = nullptr;
  napi_create_string_latin1(env, names.data(), names.size(), &joined);
  Napi::Float64Array numbers = Napi::Float64Array::New(env, fields.size());
  for (size_t i = 0; i < fields.size(); i++) numbers[i] = fields[i];
  Napi::Array out = Napi::Array::New(env, 2);
  out.Set(0U, Napi::Value(env, joined));
  out.Set(1U, numbers);
  return out;
}

// open(path) → a descriptor (close-on-exec) to read by; a fifo or device in its place does not block.
Napi::Value Tree::Open(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string path = args.ByteString(0);
  if (!args.ok()) return args.Raise();
  Place place;
  if (!Locate(path, &place)) return ThrowErrno(info.Env(), errno, "openat2", path);
  const int fd = retry([&] { return openat(place.parent, place.name.c_str(), kOldFile); });
  if (fd < 0) return ThrowErrno(info.Env(), errno, "openat", path);
  return Napi::Number::New(info.Env(), fd);
}

// copy(fd, size) → bytes that the file had, between begin() and finish(). Shares its blocks where the file system can.
Napi::Value Tree::Copy(const Napi::CallbackInfo& info) {
  Args args(info);
  const int from = args.Fd(0);
  const int64_t size = args.Int(1);
  if (!args.ok()) return args.Raise();
  int64_t done = 0;
  bool clone = true;
  if (!CopyContent(from, file_.get(), static_cast<off_t>(size), &clone, &done)) {
    return ThrowErrno(info.Env(), errno, "copy_file_range", file_path_);
  }
  return Napi::Number::New(info.Env(), static_cast<double>(done));
}

}  // namespace skiff
