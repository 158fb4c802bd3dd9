// The note is the attribute user.skiff.owner of src/image/layer/xattrs.ts, "uid:gid:mode", which layers are unpacked and
// made with as well. A file without one is root's. The kernel gives user attributes to files and directories alone:
// symbolic links, sockets and pipes stay root's, and that is said once.

#include "emulated_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/retry.h"
#include "emulated_ids.h"
#include "error.h"
#include "sys.h"

namespace {

constexpr char kOwner[] = "user.skiff.owner";
constexpr uint32_t kSame = ~0u;

struct Owner {
  uint32_t uid = 0, gid = 0;
};

/** Of a descriptor of ours, O_PATH or not; "/proc" is the working directory. */
struct SelfPath : Text<32> {
  explicit SelfPath(const UniqueFd& fd) { *this << "self/fd/" << fd.get(); }
};

bool read_number(const char** at, uint32_t* number) {
  uint64_t n = 0;
  const char* p = *at;
  while (*p >= '0' && *p <= '9' && n <= kSame) n = n * 10 + static_cast<uint64_t>(*p++ - '0');
  if (p == *at || n >= kSame || *p != ':') return false;
  *number = static_cast<uint32_t>(n);
  *at = p + 1;
  return true;
}

bool read_note(const UniqueFd& object, Owner* owner) {
  char text[48];
  ssize_t n = getxattr(SelfPath(object).c_str(), kOwner, text, sizeof text - 1);
  if (n <= 0) return false;
  text[n] = '\0';
  const char* at = text;
  return read_number(&at, &owner->uid) && read_number(&at, &owner->gid);
}

/** 0 or an errno. */
int write_note(const UniqueFd& object, const Owner& owner, mode_t mode) {
  SelfPath path(object);
  if (owner.uid == 0 && owner.gid == 0) {
    if (removexattr(path.c_str(), kOwner) == 0 || errno == ENODATA || errno == ENOTSUP || errno == EPERM)
      return 0;
    return errno;
  }
  Text<48> text;
  text << owner.uid << ':' << owner.gid << ':';
  text.number(mode & 07777, 8, 4);
  return setxattr(path.c_str(), kOwner, text.c_str(), text.size(), 0) == 0 ? 0 : errno;
}

void say_unrecorded(mode_t mode) {
  static bool said = false;
  if (said) return;
  said = true;
  print_note(S_ISREG(mode) || S_ISDIR(mode)
                 ? "this file system keeps no user attributes: owners other than root are lost"
                 : "with a single uid, symbolic links and special files belong to root whatever chown says");
}

bool raw_stat(const UniqueFd& object, struct stat* st) {
  return syscall(SYS_newfstatat, object.get(), "", st, sys::kAtEmptyPath) == 0;
}

/** As the kernel decides for who has no CAP_CHOWN. */
bool may_chown(const EmulatedIds& ids, const Owner& now, const Owner& wanted) {
  if (ids.is_privileged()) return true;
  return now.uid == ids.uid.files && wanted.uid == now.uid &&
         (wanted.gid == now.gid || ids.is_in_group(wanted.gid));
}

/** What belongs to nobody of the container's is refused by the kernel itself. */
Answer change_owner(const Call& call, UniqueFd object, uint32_t uid, uint32_t gid) {
  struct stat st;
  if (!object || !raw_stat(object, &st)) return kForward;
  Owner now;
  read_note(object, &now);
  Owner wanted = {uid == kSame ? now.uid : uid, gid == kSame ? now.gid : gid};
  if (!may_chown(ids_of(call), now, wanted)) return refuse(EPERM);
  // For all else that chown does: set-id bits, times, a copy in the upper layer, errors.
  if (fchownat(object.get(), "", uid == kSame ? kSame : 0, gid == kSame ? kSame : 0, sys::kAtEmptyPath) < 0)
    return refuse(errno);
  int err = write_note(object, wanted, st.st_mode);
  if (err == ENOTSUP || err == EPERM) say_unrecorded(st.st_mode);
  return err == 0 || err == ENOTSUP || err == EPERM ? answer(0) : refuse(err);
}

Answer chown_at(const Call& call, int dir, uint64_t path, uint32_t uid, uint32_t gid, int flags) {
  return change_owner(call, open_object(call, dir, path, flags), uid, gid);
}

Answer show_stat(const Call& call, const UniqueFd& object, uint64_t at) {
  Owner owner;
  struct stat st;
  if (!object || !read_note(object, &owner) || !raw_stat(object, &st) || st.st_uid != 0 || st.st_gid != 0)
    return kForward;
  st.st_uid = owner.uid;
  st.st_gid = owner.gid;
  return write_memory(call, at, &st, sizeof st) ? answer(0) : refuse(EFAULT);
}

Answer stat_at(const Call& call, int dir, uint64_t path, uint64_t at, int flags) {
  return show_stat(call, open_object(call, dir, path, flags), at);
}

/** umask(2) of the process; -1 when it cannot be known. */
int umask_of(const Call& call) {
  Text<32> path;
  path << call.pid << "/status";
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char text[512];
  ssize_t n = fd ? read_upto(fd.get(), text, sizeof text - 1) : -1;
  if (n <= 0) return -1;
  text[n] = '\0';
  const char* found = strstr(text, "\nUmask:");
  return found == nullptr ? -1 : static_cast<int>(strtol(found + 7, nullptr, 8));
}

/** Whether new files are root's, as the kernel makes them. */
bool makes_for_root(const EmulatedIds& ids) { return ids.uid.files == 0 && ids.gid.files == 0; }

void give_to(const UniqueFd& made, const EmulatedIds& ids, mode_t mode) {
  int err = write_note(made, {ids.uid.files, ids.gid.files}, mode);
  if (err != 0) say_unrecorded(S_IFREG);
}

/** Opens for the process what was just made for it: with O_EXCL the kernel would not. */
Answer hand_over(const Call& call, const UniqueFd& made, int flags) {
  int again = flags & ~(O_CREAT | O_EXCL | O_NOFOLLOW | O_TRUNC);
  UniqueFd file(open(SelfPath(made).c_str(), again | O_CLOEXEC));
  if (!file) return refuse(errno);
  seccomp_notif_addfd add = {};
  add.id = call.id;
  add.srcfd = static_cast<uint32_t>(file.get());
  add.newfd_flags = static_cast<uint32_t>(flags & O_CLOEXEC);
  int fd = ioctl(call.listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
  return fd >= 0 ? answer(fd) : refuse(errno);
}

/** A file that another user makes: made here, with its note; the kernel then opens it. */
Answer open_at(const Call& call, int dir, uint64_t path, int flags, mode_t mode) {
  const EmulatedIds& ids = ids_of(call);
  Place place;
  if (makes_for_root(ids) || !place.find(call, dir, path, 0)) return kForward;
  int mask = umask_of(call);
  if (mask < 0 || !is_waiting(call)) return kForward;
  mode &= 07777 & ~static_cast<mode_t>(mask);
  UniqueFd made = place.open(O_RDONLY | O_CREAT | O_EXCL | O_NOCTTY | O_NONBLOCK, mode);
  if (!made) return kForward;
  give_to(made, ids, mode);
  return (flags & O_EXCL) != 0 ? hand_over(call, made, flags) : kForward;
}

Answer mkdir_at(const Call& call, int dir, uint64_t path, mode_t mode) {
  const EmulatedIds& ids = ids_of(call);
  Place place;
  if (makes_for_root(ids) || !place.find(call, dir, path, 0)) return kForward;
  int mask = umask_of(call);
  const char* name;
  UniqueFd parent = place.open_parent(&name);
  if (mask < 0 || !parent || name[0] == '\0' || !is_waiting(call)) return kForward;
  mode &= 01777 & ~static_cast<mode_t>(mask);
  if (mkdirat(parent.get(), name, mode) < 0) return refuse(errno);
  UniqueFd made(openat(parent.get(), name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (made) give_to(made, ids, mode);
  return answer(0);
}

}  // namespace

Answer do_chown(const Call& call) {
  return chown_at(call, AT_FDCWD, call.args[0], call.word(1), call.word(2), 0);
}

Answer do_lchown(const Call& call) {
  return chown_at(call, AT_FDCWD, call.args[0], call.word(1), call.word(2), AT_SYMLINK_NOFOLLOW);
}

Answer do_fchown(const Call& call) {
  return change_owner(call, open_file(call, call.fd(0)), call.word(1), call.word(2));
}

Answer do_fchownat(const Call& call) {
  return chown_at(call, call.fd(0), call.args[1], call.word(2), call.word(3), call.fd(4));
}

Answer do_stat(const Call& call) { return stat_at(call, AT_FDCWD, call.args[0], call.args[1], 0); }

Answer do_lstat(const Call& call) {
  return stat_at(call, AT_FDCWD, call.args[0], call.args[1], AT_SYMLINK_NOFOLLOW);
}

Answer do_fstat(const Call& call) { return show_stat(call, open_file(call, call.fd(0)), call.args[1]); }

Answer do_newfstatat(const Call& call) {
  return stat_at(call, call.fd(0), call.args[1], call.args[2], call.fd(3));
}

Answer do_statx(const Call& call) {
  int flags = call.fd(2);
  UniqueFd object = open_object(call, call.fd(0), call.args[1], flags);
  Owner owner;
  sys::Statx st;
  if (!object || !read_note(object, &owner) ||
      sys::statx(object.get(), flags | sys::kAtEmptyPath, call.word(3), &st) < 0 || st.uid != 0 ||
      st.gid != 0)
    return kForward;
  st.uid = owner.uid;
  st.gid = owner.gid;
  return write_memory(call, call.args[4], &st, sizeof st) ? answer(0) : refuse(EFAULT);
}

Answer do_open(const Call& call) {
  return open_at(call, AT_FDCWD, call.args[0], call.fd(1), static_cast<mode_t>(call.word(2)));
}

Answer do_openat(const Call& call) {
  return open_at(call, call.fd(0), call.args[1], call.fd(2), static_cast<mode_t>(call.word(3)));
}

Answer do_creat(const Call& call) {
  return open_at(call, AT_FDCWD, call.args[0], O_CREAT | O_WRONLY | O_TRUNC,
                 static_cast<mode_t>(call.word(1)));
}

Answer do_mkdir(const Call& call) {
  return mkdir_at(call, AT_FDCWD, call.args[0], static_cast<mode_t>(call.word(1)));
}

Answer do_mkdirat(const Call& call) {
  return mkdir_at(call, call.fd(0), call.args[1], static_cast<mode_t>(call.word(2)));
}
