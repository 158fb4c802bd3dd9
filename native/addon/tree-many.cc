// Many files of a Tree at once, by a thread of the runtime's pool: their digests, and copies of them. Whatever is out of the
// ordinary with a file is left to the caller, who looks at it alone and says what it is: nothing of it is there then.

#include <stdio.h>
#include <sys/stat.h>

#include <memory>

#include "sha256.h"
#include "syscalls.h"
#include "tree.h"

namespace skiff {

namespace {

constexpr size_t kBuffer = 1 << 18;

// As stampOf() of src/builder/context/directory-tree.ts.
std::string StampOf(const struct stat& st) {
  char text[160];
  const auto ino = static_cast<unsigned long long>(st.st_ino);
  const int size =
      snprintf(text, sizeof text, "%llu:%llu.%llu:%lld:%lld.%ld:%lld.%ld",
               static_cast<unsigned long long>(st.st_dev), ino >> 32, ino & 0xffffffff,
               static_cast<long long>(st.st_size), static_cast<long long>(st.st_mtim.tv_sec),
               st.st_mtim.tv_nsec, static_cast<long long>(st.st_ctim.tv_sec), st.st_ctim.tv_nsec);
  return {text, static_cast<size_t>(size)};
}

// An open file and what it was then; none when it is no file, or cannot be read.
UniqueFd OpenFile(Places* places, const std::string& path, struct stat* st) {
  Place place;
  if (!places->Locate(path, &place)) return {};
  UniqueFd fd(retry([&] { return openat(place.parent, place.name.c_str(), kOldFile); }));
  if (!fd || fstat(fd.get(), st) < 0 || !S_ISREG(st->st_mode)) return {};
  return fd;
}

bool IsAsBefore(int fd, const std::string& stamp) {
  struct stat st = {};
  return fstat(fd, &st) == 0 && StampOf(st) == stamp;
}

// Its stamp, "" when the digest could not be made.
std::string HashFile(Places* places, const std::string& path, uint8_t* buffer, uint8_t* digest) {
  struct stat st = {};
  const UniqueFd fd = OpenFile(places, path, &st);
  if (!fd) return "";
  Sha256 hash;
  for (off_t at = 0; at < st.st_size;) {
    const ssize_t size = retry([&] { return pread(fd.get(), buffer, kBuffer, at); });
    if (size <= 0) return "";
    hash.Update(buffer, static_cast<size_t>(size));
    at += size;
  }
  hash.Finish(digest);
  std::string stamp = StampOf(st);
  return IsAsBefore(fd.get(), stamp) ? stamp : "";
}

struct CopyJob {
  std::string from;
  std::string to;
  // What StampOf() the file must be, before and after.
  std::string stamp;
  Attributes wanted;
};

// Two calls for a file that is small and has no holes, where blocks cannot be shared.
bool Fill(int from, int to, const struct stat& st, uint8_t* buffer, bool* clone) {
  const auto size = static_cast<size_t>(st.st_size);
  if (!*clone && size <= kBuffer && st.st_blocks * 512 >= st.st_size) {
    if (size == 0) return true;
    return retry([&] { return pread(from, buffer, size, 0); }) == st.st_size &&
           retry([&] { return pwrite(to, buffer, size, 0); }) == st.st_size;
  }
  int64_t done = 0;
  return CopyContent(from, to, st.st_size, clone, &done) && done == st.st_size;
}

// False: nothing of it is there.
bool CopyFile(Places* from, Places* to, const CopyJob& copy, uint8_t* buffer, bool* clone) {
  struct stat st = {};
  const UniqueFd source = OpenFile(from, copy.from, &st);
  if (!source || StampOf(st) != copy.stamp) return false;
  Place place;
  if (!to->Locate(copy.to, &place)) return false;
  const char* name = place.name.c_str();
  const UniqueFd target(retry([&] { return openat(place.parent, name, kNewFile, copy.wanted.mode & 0777); }));
  if (!target) return false;
  bool owner_kept = false;
  if (Fill(source.get(), target.get(), st, buffer, clone) && IsAsBefore(source.get(), copy.stamp) &&
      SetAttributes(target.get(), copy.wanted, false, &owner_kept) && owner_kept) {
    return true;
  }
  unlinkat(place.parent, name, 0);
  return false;
}

// The promise of what Result() makes on the runtime's own thread after Execute() has run on another.
class Work : public Napi::AsyncWorker {
 public:
  explicit Work(Napi::Env env) : Napi::AsyncWorker(env), promise_(Napi::Promise::Deferred::New(env)) {}

  Napi::Value Start() {
    const Napi::Value promise = promise_.Promise();
    Queue();  // deletes this at its end
    return promise;
  }

 protected:
  virtual Napi::Value Result(Napi::Env env) = 0;

  void OnOK() override { promise_.Resolve(Result(Env())); }
  void OnError(const Napi::Error& error) override { promise_.Reject(error.Value()); }

 private:
  Napi::Promise::Deferred promise_;
};

Napi::Value Uint8ArrayOf(Napi::Env env, const std::vector<uint8_t>& bytes) {
  return Napi::Buffer<uint8_t>::Copy(env, bytes.data(), bytes.size());
}

class HashWork : public Work {
 public:
  HashWork(Napi::Env env, Places places, std::vector<std::string> paths)
      : Work(env),
        places_(static_cast<Places&&>(places)),
        paths_(static_cast<std::vector<std::string>&&>(paths)),
        digests_(paths_.size() * Sha256::kDigestBytes) {}

 protected:
  void Execute() override {
    const std::unique_ptr<uint8_t[]> buffer(new uint8_t[kBuffer]);
    for (size_t i = 0; i < paths_.size(); i++) {
      if (i > 0) stamps_ += ' ';
      stamps_ += HashFile(&places_, paths_[i], buffer.get(), &digests_[i * Sha256::kDigestBytes]);
    }
  }

  Napi::Value Result(Napi::Env env) override {
    Napi::Array out = Napi::Array::New(env, 2);
    out.Set(0U, Uint8ArrayOf(env, digests_));
    out.Set(1U, Napi::String::New(env, stamps_));
    return out;
  }

 private:
  Places places_;
  std::vector<std::string> paths_;
  std::vector<uint8_t> digests_;
  std::string stamps_;
};

class CopyWork : public Work {
 public:
  CopyWork(Napi::Env env, Places from, Places to, std::vector<CopyJob> copies)
      : Work(env),
        from_(static_cast<Places&&>(from)),
        to_(static_cast<Places&&>(to)),
        copies_(static_cast<std::vector<CopyJob>&&>(copies)),
        done_(copies_.size()) {}

 protected:
  void Execute() override {
    const std::unique_ptr<uint8_t[]> buffer(new uint8_t[kBuffer]);
    bool clone = true;
    for (size_t i = 0; i < copies_.size(); i++)
      done_[i] = CopyFile(&from_, &to_, copies_[i], buffer.get(), &clone) ? 1 : 0;
  }

  Napi::Value Result(Napi::Env env) override { return Uint8ArrayOf(env, done_); }

 private:
  Places from_;
  Places to_;
  std::vector<CopyJob> copies_;
  std::vector<uint8_t> done_;
};

}  // namespace

// hashFiles(paths) → promise of [digests one after another, stamps with a space between]; undefined where this processor has no
// instructions for it.
Napi::Value Tree::HashFiles(const Napi::CallbackInfo& info) {
  Args args(info);
  std::vector<std::string> paths = args.ByteStrings(0);
  if (!args.ok()) return args.Raise();
  if (!HasSha256()) return info.Env().Undefined();
  auto* work = new HashWork(info.Env(), places_.Another(), static_cast<std::vector<std::string>&&>(paths));
  return work->Start();
}

// copyFiles(source tree, from paths, to paths, stamps, numbers) → promise of a byte a file: 1 when it was copied. Five numbers
// a file: mode, uid, gid, and the seconds and nanoseconds of its time.
Napi::Value Tree::CopyFiles(const Napi::CallbackInfo& info) {
  constexpr size_t kNumbers = 5;
  Args args(info);
  std::vector<std::string> from = args.ByteStrings(1);
  std::vector<std::string> to = args.ByteStrings(2);
  std::vector<std::string> stamps = args.ByteStrings(3);
  if (!args.ok()) return args.Raise();
  const size_t count = from.size();
  if (!info[0].IsObject() || !info[4].IsTypedArray() || to.size() != count || stamps.size() != count)
    return ThrowType(info.Env(), "copyFiles: a tree, three lists of one length, and numbers");
  const auto numbers = info[4].As<Napi::Float64Array>();
  if (numbers.ElementLength() != count * kNumbers)
    return ThrowType(info.Env(), "copyFiles: five numbers a file");
  std::vector<CopyJob> copies(count);
  for (size_t i = 0; i < count; i++) {
    const double* number = numbers.Data() + i * kNumbers;
    copies[i].from.swap(from[i]);
    copies[i].to.swap(to[i]);
    copies[i].stamp.swap(stamps[i]);
    copies[i].wanted = {static_cast<uint32_t>(number[0]), static_cast<uint32_t>(number[1]),
                        static_cast<uint32_t>(number[2]), static_cast<int64_t>(number[3]),
                        static_cast<int64_t>(number[4])};
  }
  const Tree* source = Napi::ObjectWrap<Tree>::Unwrap(info[0].As<Napi::Object>());
  auto* work = new CopyWork(info.Env(), source->places_.Another(), places_.Another(),
                            static_cast<std::vector<CopyJob>&&>(copies));
  return work->Start();
}

}  // namespace skiff
