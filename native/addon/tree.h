// A directory tree that is being filled from a hostile archive. All paths are relative to one root descriptor, made of
// plain names ("a/b/c": no empty part, no "." or ".."), and never leave it: see tree-paths.cc. Whoever calls decides
// *what* is made (src/image/layer/apply.ts); nothing here follows a symbolic link.
#pragma once

#include <fcntl.h>
#include <napi.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "args.h"
#include "common/unique_fd.h"

namespace skiff {

// Owner and time of an entry, as the archive has them.
struct Attributes {
  uint32_t mode = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
  int64_t mtime_sec = 0;
  int64_t mtime_nsec = 0;
};

// Where an entry goes: an O_PATH descriptor of its parent (borrowed, valid until the next look-up) and its last name.
struct Place {
  int parent = -1;
  std::string name;
};

// Descriptors of directories used lately, by path. Archives list a directory's entries together, so few are enough.
class ParentCache {
 public:
  int Find(const std::string& path) const;
  int Add(const std::string& path, UniqueFd fd);
  void Clear();

 private:
  static constexpr size_t kSlots = 64;
  struct Slot {
    std::string path;
    UniqueFd fd;
  };
  std::unordered_map<std::string, size_t> index_;
  std::vector<Slot> slots_;
  size_t next_ = 0;
};

// How paths beneath one root directory become descriptors: see tree-paths.cc. For one thread at a time.
class Places {
 public:
  Places() = default;
  // live: mount points are entered.
  Places(UniqueFd root, bool live) : root_(static_cast<UniqueFd&&>(root)), live_(live) {}

  int root() const { return root_.get(); }
  // False with errno set.
  bool Locate(const std::string& path, Place* out);
  // A new descriptor of the directory `path`, "" for the root; -1 with errno: ENOENT, ENOTDIR or ELOOP (a link), …
  int OpenDir(const std::string& path, int flags) const;
  // The same root for another thread; without one when there is no descriptor left.
  Places Another() const;
  // Of descriptors of directories, after one of those is gone.
  void Forget() { parents_.Clear(); }

 private:
  int OpenParent(const std::string& path) const;

  UniqueFd root_;
  ParentCache parents_;
  bool live_ = false;
};

class Tree : public Napi::ObjectWrap<Tree> {
 public:
  explicit Tree(const Napi::CallbackInfo& info);
  static Napi::Function Define(Napi::Env env);

  Napi::Value Prepare(const Napi::CallbackInfo& info);
  Napi::Value WriteFile(const Napi::CallbackInfo& info);
  Napi::Value Begin(const Napi::CallbackInfo& info);
  Napi::Value Write(const Napi::CallbackInfo& info);
  Napi::Value Finish(const Napi::CallbackInfo& info);
  Napi::Value MakeDir(const Napi::CallbackInfo& info);
  Napi::Value SetDir(const Napi::CallbackInfo& info);
  Napi::Value Symlink(const Napi::CallbackInfo& info);
  Napi::Value Link(const Napi::CallbackInfo& info);
  Napi::Value MakeNode(const Napi::CallbackInfo& info);
  Napi::Value SetXattr(const Napi::CallbackInfo& info);
  Napi::Value Stat(const Napi::CallbackInfo& info);
  Napi::Value Remove(const Napi::CallbackInfo& info);
  Napi::Value Rename(const Napi::CallbackInfo& info);
  Napi::Value ReadLink(const Napi::CallbackInfo& info);
  // tree-read.cc
  Napi::Value List(const Napi::CallbackInfo& info);
  Napi::Value Open(const Napi::CallbackInfo& info);
  Napi::Value Copy(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);
  // tree-many.cc
  Napi::Value HashFiles(const Napi::CallbackInfo& info);
  Napi::Value CopyFiles(const Napi::CallbackInfo& info);

 private:
  bool Locate(const std::string& path, Place* out) { return places_.Locate(path, out); }
  bool FinishFile(int fd, const Attributes& wanted, bool* owner_kept) const;
  bool OwnerIsOurs(const Attributes& wanted) const;

  Places places_;
  // The file between begin() and finish().
  UniqueFd file_;
  std::string file_path_;
  uid_t uid_ = 0;
  gid_t gid_ = 0;
  // The tree is in use: mount points in it are entered, and a setgid directory may give new files another group.
  bool live_ = false;
};

// tree.cc: owner, mode and time of a file that was just made with the permission bits of its mode. Owner first: chown clears
// setuid and setgid, and so do writes. False with errno set. has_owner: it is known to belong to whom it should.
bool SetAttributes(int fd, const Attributes& wanted, bool has_owner, bool* owner_kept);

// tree-read.cc: the first `size` bytes of `from` into the empty file `to`; holes stay holes, and blocks are shared where
// `clone` says so and the file system can: else it says that it cannot. False with errno set; *done counts bytes of the file,
// holes included.
bool CopyContent(int from, int to, off_t size, bool* clone, int64_t* done);

// Flags of open(2) for a file that must not be there, and for one that is read, whatever somebody has put in its place.
constexpr int kNewFile = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC;
constexpr int kOldFile = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

// tree-remove.cc: removes `name` in `parent` whatever it is; false with errno set. Missing is success.
bool RemoveAll(int parent, const char* name);

}  // namespace skiff
