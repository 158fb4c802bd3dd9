// What `ps` asks of every container: one call instead of a dozen system calls a container from JavaScript, of which each
// file that is missing would cost an exception.

#include <sys/file.h>

#include <string>
#include <vector>

#include "args.h"
#include "common/unique_fd.h"
#include "groups.h"
#include "syscalls.h"

namespace skiff {

namespace {

constexpr size_t kFirstBuffer = 65536;

// An absence that is an answer: the file, or the folder, is not there (any more).
bool IsAbsence(int err) { return err == ENOENT || err == ENOTDIR; }

// Whether somebody holds the lock exclusively; asked by a shared lock, given back at once. -1: errno.
int IsHeld(int dir, const std::string& path) {
  UniqueFd fd(retry([&] { return openat(dir, path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC); }));
  if (!fd) return IsAbsence(errno) ? 0 : -1;
  if (retry([&] { return flock(fd.get(), LOCK_SH | LOCK_NB); }) == 0) return 0;
  return errno == EWOULDBLOCK ? 1 : -1;
}

// The file's size, its bytes at the beginning of `buffer`, which grows; -1: errno.
ssize_t ReadFile(int dir, const std::string& path, std::string& buffer) {
  UniqueFd fd(retry([&] { return openat(dir, path.c_str(), O_RDONLY | O_CLOEXEC); }));
  if (!fd) return -1;
  for (size_t done = 0;;) {
    const ssize_t n = retry([&] { return read(fd.get(), &buffer[done], buffer.size() - done); });
    if (n < 0) return -1;
    done += static_cast<size_t>(n);
    // A regular file gives less than was asked for at its end alone.
    if (done < buffer.size()) return static_cast<ssize_t>(done);
    buffer.resize(2 * buffer.size());
  }
}

bool ReadNames(const Napi::Value& value, std::vector<std::string>& names) {
  if (!value.IsArray()) return false;
  const auto array = value.As<Napi::Array>();
  const uint32_t count = array.Length();
  names.reserve(count);
  for (uint32_t i = 0; i < count; i++) {
    const Napi::Value name = array[i];
    if (!name.IsString()) return false;
    names.push_back(name.As<Napi::String>().Utf8Value());
    if (names.back().find('\0') != std::string::npos) return false;
  }
  return true;
}

// readFolders(dir, names, lock, files) → for each name whether `name/lock` is held, then the text of each `name/file`.
Napi::Value ReadFolders(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Args args(info);
  const std::string path = args.Path(0);
  const std::string lock = args.Utf8(2);
  if (!args.ok()) return args.Raise();
  std::vector<std::string> names;
  std::vector<std::string> files;
  if (!ReadNames(info[1], names) || !ReadNames(info[3], files))
    return ThrowType(env, "readFolders: names and files must be lists of strings");
  const UniqueFd dir(retry([&] { return open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC); }));
  if (!dir) return ThrowErrno(env, errno, "open", path);
  Napi::Array out = Napi::Array::New(env, names.size() * (1 + files.size()));
  std::string buffer(kFirstBuffer, '\0');
  uint32_t count = 0;
  for (const std::string& name : names) {
    const std::string prefix = name + '/';
    const int held = IsHeld(dir.get(), prefix + lock);
    if (held < 0) return ThrowErrno(env, errno, "flock", path + '/' + prefix + lock);
    out[count++] = Napi::Boolean::New(env, held == 1);
    for (const std::string& file : files) {
      const ssize_t size = ReadFile(dir.get(), prefix + file, buffer);
      if (size < 0 && !IsAbsence(errno)) return ThrowErrno(env, errno, "read", path + '/' + prefix + file);
      out[count++] =
          size < 0 ? env.Undefined() : Napi::String::New(env, buffer.data(), static_cast<size_t>(size));
    }
  }
  return out;
}

}  // namespace

void InitFolders(Napi::Env env, Napi::Object exports) {
  exports.Set("readFolders", Napi::Function::New<ReadFolders>(env, "readFolders"));
}

}  // namespace skiff
