// One function per operation of src/native/plan.ts, SetupOp. Every target is resolved inside the root.

#include "setup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup_mounts.h"
#include "common/retry.h"
#include "mount_api.h"
#include "resolve.h"
#include "sys.h"
#include "sysctl.h"

namespace {

constexpr uint64_t kPseudo = sys::kAttrNoSuid | sys::kAttrNoDev | sys::kAttrNoExec;

struct Walker {
  const Plan& plan;
  const HostPaths& host;
  const NewRoot& root;
  StepError* e;
  UniqueFd empty_dir;  // the mount that hides directories, once it exists
  uint32_t files = 0;
};

uint64_t attributes_of(uint32_t flags) {
  uint64_t attributes = 0;
  if (flags & kFlagReadOnly) attributes |= sys::kAttrReadOnly;
  if (flags & kFlagNoSuid) attributes |= sys::kAttrNoSuid;
  if (flags & kFlagNoDev) attributes |= sys::kAttrNoDev;
  if (flags & kFlagNoExec) attributes |= sys::kAttrNoExec;
  return attributes;
}

bool fail_with(Walker& w, Step step, const char* object, const TextView& cause) {
  return cause.size() == 0 ? fail(w.e, step, object) : fail_because(w.e, step, object, cause.c_str());
}

UniqueFd target_of(Walker& w, const char* path, CreateTarget kind) {
  UniqueFd fd = ensure_in_root(w.root.root.get(), path, kind);
  if (!fd) fail(w.e, Step::kTarget, path);
  return fd;
}

/** A new file system at op.target, which is made when missing. */
UniqueFd mount_new(Walker& w, Step step, const SetupOp& op, const FsSpec& spec) {
  UniqueFd at = target_of(w, op.target, CreateTarget::kDir);
  if (!at) return UniqueFd();
  Text<512> cause;
  UniqueFd mnt = mount_fs(spec, {w.root.root.get(), op.target, at.get()}, &cause);
  if (!mnt) fail_with(w, step, op.target, cause);
  return mnt;
}

/** Binds a directory of the host as it is; for kernel file systems that cannot be mounted anew. */
bool bind_host(Walker& w, Step step, const char* source, const SetupOp& op) {
  UniqueFd from = open_bind_source(AT_FDCWD, source, true);
  if (!from) return fail(w.e, step, source);
  UniqueFd at = target_of(w, op.target, CreateTarget::kDir);
  if (!at) return false;
  BindSpec spec = {from.get(), true, kPseudo | attributes_of(op.flags), Propagation::kRprivate};
  if (!bind_over(spec, {w.root.root.get(), op.target, at.get()})) return fail(w.e, step, op.target);
  return true;
}

bool do_proc(Walker& w, const SetupOp& op) {
  UniqueFd proc = mount_new(w, Step::kMountProc, op, {"proc", "", kPseudo});
  if (proc) return write_sysctls(w.plan, proc.get(), w.e);
  // The host's pid namespace belongs to the host's user namespace: its proc can be shown, but not mounted anew.
  if (w.e->err != EPERM || w.plan.ns.pid.kind != NsKind::kHost) return false;
  UniqueFd host(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (host && !write_sysctls(w.plan, host.get(), w.e)) return false;
  return bind_host(w, Step::kMountProc, "/proc", op);
}

bool do_sysfs(Walker& w, const SetupOp& op) {
  // sysfs shows the network namespace of whoever mounts it; with the host's, the host's own is the one to see.
  if (w.plan.ns.net.kind == NsKind::kHost) return bind_host(w, Step::kMountSysfs, "/sys", op);
  if (mount_new(w, Step::kMountSysfs, op, {"sysfs", "", kPseudo | attributes_of(op.flags)})) return true;
  // A joined network namespace may belong to a user namespace where we have no say.
  return w.e->err == EPERM && bind_host(w, Step::kMountSysfs, "/sys", op);
}

/** A container with a group of cgroup v1 is to see it, and its limits; without, there is nothing of its own to see. */
bool do_cgroup_v1(Walker& w, const SetupOp& op) {
  UniqueFd top = mount_new(w, Step::kMountCgroup, op, {"tmpfs", "mode=0755", kPseudo});
  if (!top) return false;
  int root = w.root.root.get();
  mount_hierarchies(root, op.target, top.get(), kPseudo | attributes_of(op.flags));
  return (op.flags & kFlagReadOnly) == 0 || remount_readonly(top.get(), {root, op.target, top.get()}) ||
         fail(w.e, Step::kMountCgroup, op.target);
}

bool do_cgroup(Walker& w, const SetupOp& op) {
  const CgroupPlan& group = w.plan.cgroup;
  if (group.v1 && group.groups.count > 0 && w.plan.ns.cgroup.kind != NsKind::kHost)
    return do_cgroup_v1(w, op);
  if (w.plan.ns.cgroup.kind != NsKind::kHost) {
    if (mount_new(w, Step::kMountCgroup, op, {"cgroup2", "", kPseudo | attributes_of(op.flags)})) return true;
  }
  // Without cgroup v2, or not allowed: show what the host shows, and nothing where it has nothing.
  if (bind_host(w, Step::kMountCgroup, "/sys/fs/cgroup", op)) return true;
  return w.e->step == Step::kMountCgroup && w.e->err == ENOENT;
}

bool group_is_mapped(const Namespaces& ns, uint32_t gid) {
  if (ns.user == UserNs::kHost || ns.user == UserNs::kJoin) return true;
  for (const IdMapping& m : ns.gid_map) {
    if (gid >= m.container_id && gid - m.container_id < m.size) return true;
  }
  return false;
}

bool do_devpts(Walker& w, const SetupOp& op) {
  constexpr uint32_t kTtyGroup = 5;
  const char* data = group_is_mapped(w.plan.ns, kTtyGroup) ? "newinstance,ptmxmode=0666,mode=0620,gid=5"
                                                           : "newinstance,ptmxmode=0666,mode=0620";
  return static_cast<bool>(
      mount_new(w, Step::kMountDevpts, op, {"devpts", data, sys::kAttrNoSuid | sys::kAttrNoExec}));
}

bool do_mqueue(Walker& w, const SetupOp& op) {
  if (mount_new(w, Step::kMountMqueue, op, {"mqueue", "", kPseudo})) return true;
  // With the host's ipc namespace the host's own, where it has one.
  if (w.e->err != EPERM || w.plan.ns.ipc.kind == NsKind::kNew) return false;
  return bind_host(w, Step::kMountMqueue, "/dev/mqueue", op) || w.e->err == ENOENT;
}

bool do_tmpfs(Walker& w, const SetupOp& op) {
  return static_cast<bool>(mount_new(w, Step::kMountTmpfs, op, {"tmpfs", op.data, attributes_of(op.flags)}));
}

bool is_directory(int fd) {
  struct stat st;
  return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

/** A directory goes on a directory alone, and nothing else does; the kernel says EINVAL or ENOTDIR to that. */
bool fail_bind(Walker& w, const SetupOp& op, int at) {
  int error = errno;
  bool from_directory = is_directory(op.source_fd);
  bool unlike = from_directory != is_directory(at);
  errno = error;
  if (!unlike) return fail(w.e, Step::kBind, op.target);
  Text<1024> cause;
  cause << "the source \"" << op.source
        << (from_directory ? "\" is a directory and the target is not"
                           : "\" is no directory and the target is one")
        << ": check that the host path is what was meant";
  return fail_because(w.e, Step::kBind, op.target, cause.c_str());
}

/** Binds what is at op.data inside the source directory, resolved as in a chroot: containers have written there. */
bool bind_inside(Walker& w, const SetupOp& op) {
  UniqueFd inside = open_in_root(op.source_fd, op.data, O_PATH);
  struct stat st;
  if (!inside || fstat(inside.get(), &st) < 0) return fail(w.e, Step::kSource, op.data);
  UniqueFd source = open_bind_source(inside.get(), "", op.recursive);
  if (!source) return fail(w.e, Step::kSource, op.data);
  UniqueFd at = target_of(w, op.target, S_ISDIR(st.st_mode) ? CreateTarget::kDir : CreateTarget::kFile);
  if (!at) return false;
  BindSpec spec = {source.get(), op.recursive, attributes_of(op.flags), op.propagation};
  if (!bind_over(spec, {w.root.root.get(), op.target, at.get()})) return fail(w.e, Step::kBind, op.target);
  return true;
}

bool do_bind(Walker& w, const SetupOp& op) {
  if (op.data[0] != '\0') return bind_inside(w, op);
  UniqueFd at = target_of(w, op.target, op.create);
  if (!at) return false;
  BindSpec spec = {op.source_fd, op.recursive, attributes_of(op.flags), op.propagation};
  if (!bind_over(spec, {w.root.root.get(), op.target, at.get()})) return fail_bind(w, op, at.get());
  return true;
}

bool write_file(int dir, const char* name, const SetupOp& op) {
  UniqueFd file(openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
  return file && write_all(file.get(), op.content.data, op.content.size) &&
         ((op.uid == 0 && op.gid == 0) || fchown(file.get(), op.uid, op.gid) == 0) &&
         fchmod(file.get(), op.mode & 07777) == 0;
}

bool do_file(Walker& w, const SetupOp& op) {
  Text<16> name;
  name << 'f' << w.files++;
  if (!write_file(w.root.scratch.get(), name.c_str(), op)) return fail(w.e, Step::kFile, op.target);
  UniqueFd source = open_bind_source(w.root.scratch.get(), name.c_str(), false);
  if (!source) return fail(w.e, Step::kFile, op.target);
  UniqueFd at = target_of(w, op.target, CreateTarget::kFile);
  if (!at) return false;
  BindSpec spec = {source.get(), false, attributes_of(op.flags), Propagation::kPrivate};
  if (!bind_over(spec, {w.root.root.get(), op.target, at.get()})) return fail(w.e, Step::kFile, op.target);
  return true;
}

bool do_device(Walker& w, const SetupOp& op) {
  UniqueFd at = target_of(w, op.target, CreateTarget::kFile);
  if (!at) return false;
  BindSpec spec = {op.source_fd, false, 0, Propagation::kPrivate};
  if (!bind_over(spec, {w.root.root.get(), op.target, at.get()})) return fail(w.e, Step::kDevice, op.target);
  return true;
}

bool do_symlink(Walker& w, const SetupOp& op) {
  char name[NAME_MAX + 1];
  UniqueFd parent = ensure_parent_in_root(w.root.root.get(), op.target, name);
  if (!parent) return fail(w.e, Step::kSymlink, op.target);
  if (symlinkat(op.source, parent.get(), name) < 0 && errno != EEXIST)
    return fail(w.e, Step::kSymlink, op.target);
  return true;
}

bool hide_directory(Walker& w, const Target& target) {
  if (w.empty_dir && has_mount_api()) {
    UniqueFd again = open_bind_source(w.empty_dir.get(), "", false);
    return again && bind_over({again.get(), false, 0, Propagation::kPrivate}, target);
  }
  Text<512> cause;
  w.empty_dir =
      mount_fs({"tmpfs", "mode=0755,nr_inodes=1,size=4k", kPseudo | sys::kAttrReadOnly}, target, &cause);
  return static_cast<bool>(w.empty_dir);
}

bool hide_file(Walker& w, const Target& target) {
  UniqueFd null = open_bind_source(w.host.dev_null.get(), "", false);
  return null && bind_over({null.get(), false, 0, Propagation::kPrivate}, target);
}

bool do_mask(Walker& w, const SetupOp& op) {
  UniqueFd at = open_in_root(w.root.root.get(), op.target, O_PATH);
  if (!at) return errno == ENOENT || errno == ENOTDIR || fail(w.e, Step::kMask, op.target);
  struct stat st;
  if (fstat(at.get(), &st) < 0) return fail(w.e, Step::kMask, op.target);
  Target target = {w.root.root.get(), op.target, at.get()};
  if (S_ISDIR(st.st_mode) ? hide_directory(w, target) : hide_file(w, target)) return true;
  return fail(w.e, Step::kMask, op.target);
}

bool do_readonly(Walker& w, const SetupOp& op) {
  UniqueFd at = open_in_root(w.root.root.get(), op.target, O_PATH);
  if (!at) return errno == ENOENT || errno == ENOTDIR || fail(w.e, Step::kReadonly, op.target);
  if (!make_readonly({w.root.root.get(), op.target, at.get()}, true))
    return fail(w.e, Step::kReadonly, op.target);
  return true;
}

/** docker's habit for -w and WORKDIR; before the root becomes read-only. */
bool ensure_cwd(Walker& w) {
  if (!w.plan.process.create_cwd) return true;
  if (ensure_in_root(w.root.root.get(), w.plan.process.cwd, CreateTarget::kDir)) return true;
  return fail(w.e, Step::kCwd, w.plan.process.cwd);
}

bool do_root_readonly(Walker& w) {
  if (!ensure_cwd(w)) return false;
  if (remount_readonly(w.root.root.get(), {w.root.root.get(), "/", w.root.root.get()})) return true;
  return fail(w.e, Step::kRootReadonly, "/");
}

bool do_op(Walker& w, const SetupOp& op) {
  switch (op.op) {
    case Op::kProc:
      return do_proc(w, op);
    case Op::kSysfs:
      return do_sysfs(w, op);
    case Op::kCgroup:
      return do_cgroup(w, op);
    case Op::kDevpts:
      return do_devpts(w, op);
    case Op::kMqueue:
      return do_mqueue(w, op);
    case Op::kTmpfs:
      return do_tmpfs(w, op);
    case Op::kBind:
      return do_bind(w, op);
    case Op::kFile:
      return do_file(w, op);
    case Op::kDevice:
      return do_device(w, op);
    case Op::kSymlink:
      return do_symlink(w, op);
    case Op::kMask:
      return do_mask(w, op);
    case Op::kReadonly:
      return do_readonly(w, op);
    case Op::kRootReadonly:
      return do_root_readonly(w);
    case Op::kCount:
      break;
  }
  return false;
}

bool has_op(const Plan& plan, Op wanted) {
  for (const SetupOp& op : plan.setup) {
    if (op.op == wanted) return true;
  }
  return false;
}

}  // namespace

bool run_setup(const Plan& plan, const HostPaths& host, const NewRoot& root, StepError* e) {
  Walker w = {plan, host, root, e, UniqueFd(), 0};
  for (const SetupOp& op : plan.setup) {
    if (!do_op(w, op)) return false;
  }
  if (!has_op(plan, Op::kProc)) {
    // No procfs of its own to set them through: the host's shows our namespaces as well.
    UniqueFd proc(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (proc && !write_sysctls(plan, proc.get(), e)) return false;
  }
  return ensure_cwd(w);
}
