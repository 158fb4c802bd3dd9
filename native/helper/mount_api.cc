// See mount_api.h. Every function has two halves: the descriptor-based one, and the one for older kernels.

#include "mount_api.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include "common/retry.h"
#include "resolve.h"
#include "sys.h"

namespace {

unsigned long mount_flags(uint64_t attributes) {
  unsigned long flags = 0;
  if (attributes & sys::kAttrReadOnly) flags |= MS_RDONLY;
  if (attributes & sys::kAttrNoSuid) flags |= MS_NOSUID;
  if (attributes & sys::kAttrNoDev) flags |= MS_NODEV;
  if (attributes & sys::kAttrNoExec) flags |= MS_NOEXEC;
  return flags;
}

/** What the kernel says about a failed fsconfig: "e overlay: …"; kept only when there is something. */
void read_kernel_words(int fs, TextView* cause) {
  int err = errno;
  char words[512];
  ssize_t n = read(fs, words, sizeof words - 1);
  if (n > 2) {
    words[n] = '\0';
    const char* text = words[1] == ' ' ? words + 2 : words;
    size_t len = strcspn(text, "\n");
    if (cause->size() == 0) cause->bytes(text, len) << " (" << strerror(err) << ')';
  }
  errno = err;
}

bool configure(int fs, const char* type, const char* data) {
  // What mount(8) shows as the device.
  if (sys::fsconfig(fs, sys::kConfigString, "source", type) < 0) return false;
  while (*data != '\0') {
    size_t len = strcspn(data, ",");
    char item[256];
    if (len >= sizeof item) {
      errno = ENAMETOOLONG;
      return false;
    }
    memcpy(item, data, len);
    item[len] = '\0';
    char* value = strchr(item, '=');
    if (value != nullptr) *value++ = '\0';
    if (len > 0 &&
        sys::fsconfig(fs, value == nullptr ? sys::kConfigFlag : sys::kConfigString, item, value) < 0) {
      return false;
    }
    data += len + (data[len] == ',');
  }
  return true;
}

/** Creates the superblock, mounts it and attaches it. */
UniqueFd create_and_attach(int fs, uint64_t attributes, int target, TextView* cause) {
  if (sys::fsconfig(fs, sys::kConfigCreate, nullptr, nullptr) < 0) {
    read_kernel_words(fs, cause);
    return UniqueFd();
  }
  UniqueFd mnt(sys::fsmount(fs, attributes));
  if (!mnt) {
    read_kernel_words(fs, cause);
    return UniqueFd();
  }
  if (sys::move_mount(mnt.get(), target) < 0) return UniqueFd();
  return mnt;
}

/** mount(2) reaches the mount point by its descriptor, but the new mount on top only by its path. */
UniqueFd legacy_mount(const FsSpec& spec, const Target& target) {
  FdPath at(target.fd);
  if (mount(spec.type, at.c_str(), spec.type, mount_flags(spec.attributes), spec.data) < 0) return UniqueFd();
  return open_in_root(target.root, target.path, O_PATH);
}

bool legacy_remount(const Target& target, uint64_t attributes) {
  UniqueFd top = open_in_root(target.root, target.path, O_PATH);
  if (!top) return false;
  // Flags that the source mount has may be locked in a user namespace: leaving one out would be EPERM.
  struct statvfs st;
  if (fstatvfs(top.get(), &st) < 0) return false;
  unsigned long keep =
      st.f_flag & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME);
  if (st.f_flag & ST_RELATIME) keep |= MS_RELATIME;
  return mount(nullptr, FdPath(top.get()).c_str(), nullptr,
               MS_REMOUNT | MS_BIND | keep | mount_flags(attributes), nullptr) == 0;
}

void add_layer(TextView* data, int fd) { *data << "/proc/self/fd/" << fd; }

/** The classic option string; short, since layers are named by descriptors. */
UniqueFd legacy_overlay(const OverlaySpec& spec, const Target& target) {
  Text<4096> data;
  data << "userxattr";
  if (spec.volatile_upper) data << ",volatile";
  data << ",lowerdir=";
  for (uint32_t i = 0; i < spec.lower_count; i++) {
    if (i > 0) data << ':';
    add_layer(&data, spec.lower[i]);
  }
  if (spec.upper >= 0) {
    data << ",upperdir=";
    add_layer(&data, spec.upper);
    data << ",workdir=";
    add_layer(&data, spec.work);
  }
  if (data.cut()) {
    errno = E2BIG;
    return UniqueFd();
  }
  return legacy_mount({"overlay", data.c_str(), spec.attributes}, target);
}

bool configure_overlay(int fs, const OverlaySpec& spec) {
  if (sys::fsconfig(fs, sys::kConfigString, "source", "overlay") < 0) return false;
  if (sys::fsconfig(fs, sys::kConfigFlag, "userxattr", nullptr) < 0) return false;
  if (spec.volatile_upper && sys::fsconfig(fs, sys::kConfigFlag, "volatile", nullptr) < 0) return false;
  for (uint32_t i = 0; i < spec.lower_count; i++) {
    if (sys::fsconfig(fs, sys::kConfigString, "lowerdir+", FdPath(spec.lower[i]).c_str()) < 0) return false;
  }
  if (spec.upper < 0) return true;
  return sys::fsconfig(fs, sys::kConfigString, "upperdir", FdPath(spec.upper).c_str()) == 0 &&
         sys::fsconfig(fs, sys::kConfigString, "workdir", FdPath(spec.work).c_str()) == 0;
}

bool is_recursive(Propagation p) {
  return p == Propagation::kRprivate || p == Propagation::kRslave || p == Propagation::kRshared;
}

}  // namespace

bool has_mount_api() {
  static int known = -1;
  if (known < 0) {
    // Both calls fail on purpose: EBADF says that the system call is there and may be used.
    sys::MountAttr nothing = {};
    bool setattr = sys::mount_setattr(-1, 0, nothing) == 0 || (errno != ENOSYS && errno != EPERM);
    UniqueFd tree(sys::open_tree(AT_FDCWD, "/", sys::kOpenTreeCloexec));
    known = setattr && tree ? 1 : 0;
  }
  return known == 1;
}

UniqueFd mount_fs(const FsSpec& spec, const Target& target, TextView* cause) {
  if (!has_mount_api()) return legacy_mount(spec, target);
  UniqueFd fs(sys::fsopen(spec.type));
  if (!fs) return UniqueFd();
  if (!configure(fs.get(), spec.type, spec.data)) {
    read_kernel_words(fs.get(), cause);
    return UniqueFd();
  }
  return create_and_attach(fs.get(), spec.attributes, target.fd, cause);
}

UniqueFd mount_overlay(const OverlaySpec& spec, const Target& target, TextView* cause) {
  if (!has_mount_api()) return legacy_overlay(spec, target);
  UniqueFd fs(sys::fsopen("overlay"));
  if (!fs) return UniqueFd();
  // "lowerdir+" came with Linux 6.8; the long option string works before that too.
  if (!configure_overlay(fs.get(), spec)) return legacy_overlay(spec, target);
  return create_and_attach(fs.get(), spec.attributes, target.fd, cause);
}

UniqueFd open_bind_source(int dir, const char* path, bool recursive) {
  unsigned flags = path[0] == '\0' ? sys::kAtEmptyPath : 0;
  if (!has_mount_api()) {
    if (path[0] == '\0') return UniqueFd(fcntl(dir, F_DUPFD_CLOEXEC, 3));
    return UniqueFd(openat(dir, path, O_PATH | O_CLOEXEC));
  }
  flags |= sys::kOpenTreeClone | sys::kOpenTreeCloexec | (recursive ? sys::kAtRecursive : 0);
  return UniqueFd(sys::open_tree(dir, path, flags));
}

bool bind_over(const BindSpec& spec, const Target& target) {
  if (!has_mount_api()) {
    unsigned long flags = MS_BIND | (spec.recursive ? MS_REC : 0);
    if (mount(FdPath(spec.source).c_str(), FdPath(target.fd).c_str(), nullptr, flags, nullptr) < 0)
      return false;
    if (spec.attributes != 0 && !legacy_remount(target, spec.attributes)) return false;
    UniqueFd top = open_in_root(target.root, target.path, O_PATH);
    return top && mount(nullptr, FdPath(top.get()).c_str(), nullptr, propagation_flags(spec.propagation),
                        nullptr) == 0;
  }
  // Propagation first on the whole clone, flags likewise: before anybody can see it.
  unsigned recursive = spec.recursive ? sys::kAtRecursive : 0;
  sys::MountAttr attr = {spec.attributes, 0,
                         propagation_flags(spec.propagation) & ~static_cast<unsigned long>(MS_REC), 0};
  bool once = recursive == 0 || is_recursive(spec.propagation) || spec.attributes == 0;
  if (!once) {
    sys::MountAttr flags_only = {spec.attributes, 0, 0, 0};
    if (sys::mount_setattr(spec.source, recursive, flags_only) < 0) return false;
    attr.attr_set = 0;
  }
  if (!is_recursive(spec.propagation)) recursive = 0;
  if (sys::mount_setattr(spec.source, recursive, attr) < 0) return false;
  return sys::move_mount(spec.source, target.fd) == 0;
}

bool make_readonly(const Target& target, bool recursive) {
  UniqueFd source = open_bind_source(target.fd, "", recursive);
  if (!source) return false;
  return bind_over({source.get(), recursive, sys::kAttrReadOnly, Propagation::kRprivate}, target);
}

bool remount_readonly(int fd, const Target& target) {
  if (!has_mount_api()) return legacy_remount(target, sys::kAttrReadOnly);
  sys::MountAttr attr = {sys::kAttrReadOnly, 0, 0, 0};
  return sys::mount_setattr(fd, 0, attr) == 0;
}

bool set_propagation(const char* path, Propagation propagation) {
  return mount(nullptr, path, nullptr, propagation_flags(propagation), nullptr) == 0;
}

unsigned long propagation_flags(Propagation propagation) {
  switch (propagation) {
    case Propagation::kPrivate:
      return MS_PRIVATE;
    case Propagation::kRprivate:
      return MS_PRIVATE | MS_REC;
    case Propagation::kSlave:
      return MS_SLAVE;
    case Propagation::kRslave:
      return MS_SLAVE | MS_REC;
    case Propagation::kShared:
      return MS_SHARED;
    case Propagation::kRshared:
      return MS_SHARED | MS_REC;
  }
  return MS_PRIVATE | MS_REC;
}
