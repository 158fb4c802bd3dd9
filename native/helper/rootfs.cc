// Steps propagation … overlay and pivot_root. The scratch tmpfs covers containers/<id> in the container's mount
// namespace alone, and goes away with the old root.

#include "rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "forever.h"
#include "mount_api.h"
#include "same_file.h"
#include "sys.h"

namespace {

UniqueFd open_dir_path(const char* path, StepError* e, Step step) {
  UniqueFd fd(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) fail(e, step, path);
  return fd;
}

/**
 * A layer; "/proc/self/fd/N" is one that the caller holds open, since its name may change at any moment. overlayfs takes
 * mounts of this mount namespace alone, so that one is opened by the name it has now, and again when it has lost it.
 */
UniqueFd open_layer(const char* path, StepError* e) {
  constexpr char kHeld[] = "/proc/self/fd/";
  if (strncmp(path, kHeld, sizeof kHeld - 1) != 0) return open_dir_path(path, e, Step::kOverlay);
  UniqueFd held = open_dir_path(path, e, Step::kOverlay);
  if (!held) return held;
  char name[4096];
  for (int attempts = 0; attempts < 100; attempts++) {
    ssize_t length = readlink(path, name, sizeof name - 1);
    if (length < 0) break;
    name[length] = '\0';
    UniqueFd fd(open(name, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (fd && is_same_file(fd.get(), held.get())) return fd;
    if (!fd && errno != ENOENT) break;
  }
  fail(e, Step::kOverlay, path);
  return UniqueFd();
}

bool open_layers(const RootFs& root, HostPaths* host, StepError* e) {
  host->lower = allocate_forever<int>(root.lower.count);
  if (host->lower == nullptr) return fail(e, Step::kOverlay, "");
  for (uint32_t i = 0; i < root.lower.count; i++) {
    UniqueFd fd = open_layer(root.lower.items[i], e);
    if (!fd) return false;
    host->lower[i] = fd.release();
  }
  // Without one, nothing can be written: the topmost lower layer may be somebody else's upper.
  if (root.upper[0] == '\0') return true;
  host->upper = open_dir_path(root.upper, e, Step::kOverlay);
  if (!host->upper) return false;
  host->work = open_dir_path(root.work, e, Step::kOverlay);
  return static_cast<bool>(host->work);
}

bool needs_source(const SetupOp& op) { return op.op == Op::kBind || op.op == Op::kDevice; }

bool open_sources(Plan* plan, StepError* e) {
  for (SetupOp& op : plan->setup) {
    if (!needs_source(op)) continue;
    // What is inside the source may be closed to the caller, and links there must not lead out: see do_bind.
    const bool inside = op.op == Op::kBind && op.data[0] != '\0';
    UniqueFd fd = inside ? UniqueFd(open(op.source, O_PATH | O_DIRECTORY | O_CLOEXEC))
                         : open_bind_source(AT_FDCWD, op.source, op.recursive);
    if (!fd) return fail(e, op.op == Op::kDevice ? Step::kDevice : Step::kSource, op.source);
    op.source_fd = fd.release();
  }
  return true;
}

/**
 * "/" of the container shows upper's attributes: they begin as those of the image's own root directory. Later ones are the
 * container's: overlayfs makes work/work at the first mount.
 */
bool match_upper_to_lower(const HostPaths& host) {
  if (faccessat(host.work.get(), "work", F_OK, AT_SYMLINK_NOFOLLOW) == 0) return true;
  struct stat lower, upper;
  if (fstat(host.lower[0], &lower) < 0 || fstat(host.upper.get(), &upper) < 0) return false;
  if (lower.st_uid != upper.st_uid || lower.st_gid != upper.st_gid) {
    if (fchownat(host.upper.get(), "", lower.st_uid, lower.st_gid, AT_EMPTY_PATH) < 0) return false;
  }
  if ((lower.st_mode & 07777) == (upper.st_mode & 07777)) return true;
  return chmod(FdPath(host.upper.get()).c_str(), lower.st_mode & 07777) == 0;
}

bool mount_scratch(const HostPaths& host, UniqueFd* scratch, StepError* e) {
  Target target = {AT_FDCWD, "", host.container_dir.get()};
  Text<64> path;
  if (!has_mount_api()) {
    path << "/proc/self/cwd";
    // mount(2) shows the new mount only by path: step out and in again.
    if (fchdir(host.container_dir.get()) < 0) return fail(e, Step::kScratch, "");
    if (mount("tmpfs", ".", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755") < 0) {
      return fail(e, Step::kScratch, "");
    }
    char dir[4096];
    if (getcwd(dir, sizeof dir) == nullptr) return fail(e, Step::kScratch, "");
    scratch->reset(open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC));
    return *scratch ? true : fail(e, Step::kScratch, dir);
  }
  *scratch = mount_fs({"tmpfs", "mode=0755", sys::kAttrNoSuid | sys::kAttrNoDev | sys::kAttrNoExec}, target,
                      &e->cause);
  return *scratch ? true : fail(e, Step::kScratch, "");
}

uint64_t attributes_of(const RootFs& root) { return root.no_dev ? sys::kAttrNoDev : 0; }

bool mount_overlay_root(const Plan& plan, const HostPaths& host, const Target& target, UniqueFd* root,
                        StepError* e) {
  if (host.upper && !match_upper_to_lower(host)) return fail(e, Step::kOverlay, plan.rootfs.upper);
  OverlaySpec spec = {host.lower,      plan.rootfs.lower.count,      host.upper.get(),
                      host.work.get(), plan.lifetime.remove_on_exit, attributes_of(plan.rootfs)};
  Text<512> cause;
  *root = mount_overlay(spec, target, &cause);
  if (!*root && errno == EINVAL && spec.volatile_upper) {
    // Before Linux 5.10 there is no "volatile"; it only spares the container the wait for the disk.
    spec.volatile_upper = false;
    cause.clear();
    *root = mount_overlay(spec, target, &cause);
  }
  if (*root) return true;
  return cause.size() == 0 ? fail(e, Step::kOverlay, plan.rootfs.lower.items[0])
                           : fail_because(e, Step::kOverlay, plan.rootfs.lower.items[0], cause.c_str());
}

}  // namespace

bool open_host_paths(Plan* plan, HostPaths* host, StepError* e) {
  host->container_dir = open_dir_path(plan->lifetime.container_dir, e, Step::kScratch);
  if (!host->container_dir) return false;
  host->dev_null.reset(open("/dev/null", O_PATH | O_CLOEXEC));
  if (!host->dev_null) return fail(e, Step::kSource, "/dev/null");
  if (plan->rootfs.overlay) {
    if (!open_layers(plan->rootfs, host, e)) return false;
  } else {
    host->rootfs = open_bind_source(AT_FDCWD, plan->rootfs.path, true);
    if (!host->rootfs) return fail(e, Step::kRootfs, plan->rootfs.path);
  }
  return open_sources(plan, e);
}

bool mount_root(const Plan& plan, const HostPaths& host, NewRoot* out, StepError* e) {
  if (!mount_scratch(host, &out->scratch, e)) return false;
  int scratch = out->scratch.get();
  if (mkdirat(scratch, "root", 0755) < 0) return fail(e, Step::kScratch, "root");
  UniqueFd mount_point(openat(scratch, "root", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!mount_point) return fail(e, Step::kScratch, "root");
  Target target = {scratch, "root", mount_point.get()};
  if (plan.rootfs.overlay) {
    if (!mount_overlay_root(plan, host, target, &out->root, e)) return false;
  } else if (!bind_over({host.rootfs.get(), true, attributes_of(plan.rootfs), Propagation::kRprivate},
                        target)) {
    return fail(e, Step::kRootfs, plan.rootfs.path);
  }
  // A descriptor of the mounted root that can be entered: the one of fsmount is of the mount itself, which is fine
  // too, but bind mounts and mount(2) leave none.
  out->root.reset(openat(scratch, "root", O_PATH | O_DIRECTORY | O_CLOEXEC));
  return out->root ? true : fail(e, Step::kRootfs, "root");
}

// Makes `root` the root of this mount namespace and detaches the old one.
// Needs: own mount namespace; root is a mount point. After: cwd is "/".
bool pivot_into(const NewRoot& root, Propagation propagation, StepError* e) {
  UniqueFd old_root(open("/", O_DIRECTORY | O_PATH | O_CLOEXEC));
  if (!old_root) return fail(e, Step::kPivotRoot, "/");
  if (fchdir(root.root.get()) < 0) return fail(e, Step::kPivotRoot, "");
  if (syscall(SYS_pivot_root, ".", ".") < 0) return fail(e, Step::kPivotRoot, "");
  // The old root is now stacked on the new one at "/" (pivot_root(2), NOTES): enter it by its descriptor.
  if (fchdir(old_root.get()) < 0) return fail(e, Step::kPivotRoot, "old root");
  // Slave rather than private: unmounting it must not reach the host either way.
  if (!set_propagation(".", Propagation::kRslave)) return fail(e, Step::kPivotRoot, "old root");
  if (umount2(".", MNT_DETACH) < 0) return fail(e, Step::kPivotRoot, "old root");
  if (chdir("/") < 0) return fail(e, Step::kPivotRoot, "/");
  if (!set_propagation("/", propagation)) return fail(e, Step::kPropagation, "/");
  return true;
}
