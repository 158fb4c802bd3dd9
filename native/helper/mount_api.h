// Mounting by file descriptors: the API of Linux 5.2 and 5.12 where it is there, else mount(2) over /proc/self/fd.
// All functions return false (or an empty descriptor) with errno set.
#pragma once

#include "common/unique_fd.h"
#include "plan.h"
#include "text.h"

/** Whether open_tree, fsopen, move_mount and mount_setattr all work here; decided at the first call. */
bool has_mount_api();

struct FsSpec {
  const char* type;
  /** "key=value,flag": values hold no comma. */
  const char* data;
  uint64_t attributes;  // sys::kAttr*
};

/** The place something is mounted on. `path` is the container path of `fd`, needed to find it again below `root`. */
struct Target {
  int root;
  const char* path;
  int fd;
};

/**
 * Mounts a new file system over `target`, and returns a descriptor of its root. `cause` gets the kernel's own words.
 */
UniqueFd mount_fs(const FsSpec& spec, const Target& target, TextView* cause);

/** overlayfs of `lower` (topmost first) and, when `upper` is not -1, that and `work`; over `target`. */
struct OverlaySpec {
  const int* lower;
  uint32_t lower_count;
  int upper, work;
  bool volatile_upper;
  uint64_t attributes;
};
UniqueFd mount_overlay(const OverlaySpec& spec, const Target& target, TextView* cause);

/**
 * Opens what will be bound later: a detached clone of the mount(s) at `path`, or an O_PATH descriptor where the
 * mount API is missing. `follow`: whether a symbolic link at the end is followed.
 */
UniqueFd open_bind_source(int dir, const char* path, bool recursive);

struct BindSpec {
  int source;  // from open_bind_source
  bool recursive;
  uint64_t attributes;
  Propagation propagation;
};
bool bind_over(const BindSpec& spec, const Target& target);

/** Makes what is at `target` read-only by a bind of it over itself. */
bool make_readonly(const Target& target, bool recursive);
/** Makes the mount whose root `fd` is read-only. */
bool remount_readonly(int fd, const Target& target);

/** Changes the propagation of the mount at `path` of the current root. */
bool set_propagation(const char* path, Propagation propagation);
unsigned long propagation_flags(Propagation propagation);
