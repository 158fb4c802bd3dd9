#pragma once

#include <sys/stat.h>

/** Whether two descriptors are of the same file, by whatever name. */
inline bool is_same_file(int a, int b) {
  struct stat x, y;
  return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}
