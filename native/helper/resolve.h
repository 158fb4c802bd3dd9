// Paths inside the container's root file system. Nothing here ever leaves it: neither by "..", nor by absolute or
// relative symbolic links, whatever the image holds.
#pragma once

#include <sys/types.h>

#include "common/unique_fd.h"
#include "plan.h"

/** Opens `path` (a container path) below `root`; O_CLOEXEC is added. -1 with errno when that fails. */
UniqueFd open_in_root(int root, const char* path, int flags);

/**
 * O_PATH descriptor of `path` below `root`; makes it, a directory or an empty file, and its parents (0755) when it is
 * missing. `kind` kNone makes nothing: ENOENT then.
 */
UniqueFd ensure_in_root(int root, const char* path, CreateTarget kind);

/** O_PATH descriptor of the directory that holds the last component, whose name is stored in `name` (NAME_MAX + 1). */
UniqueFd ensure_parent_in_root(int root, const char* path, char* name);
