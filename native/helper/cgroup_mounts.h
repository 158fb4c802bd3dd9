// The hierarchies of cgroup v1 as a container sees them.
#pragma once

#include "mount_api.h"

/**
 * Mounts each hierarchy the host has, under its usual name, in the new tmpfs `top` that lies on container path `path` below
 * `root`. Each shows the group that is the root of our cgroup namespace and what is below. What cannot be mounted is not
 * there.
 */
void mount_hierarchies(int root, const char* path, int top, uint64_t attributes);
