// Small files as a whole: of /proc, of cgroups, of a container's folder.
#pragma once

#include <fcntl.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/retry.h"
#include "common/unique_fd.h"

/** Up to N - 1 bytes, and a NUL; how many, or -1 with errno set and an empty text. A link in its place is not followed. */
template <size_t N>
ssize_t read_small(char (&text)[N], const char* path, int dir = AT_FDCWD) {
  UniqueFd fd(openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  ssize_t n = fd ? read_upto(fd.get(), text, N - 1) : -1;
  text[n < 0 ? 0 : n] = '\0';
  return n;
}
