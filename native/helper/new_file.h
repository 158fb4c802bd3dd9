// A file that readers see as it was or as it is to be, and never in between.
#pragma once

#include <limits.h>

#include "common/unique_fd.h"
#include "text.h"

class NewFile {
 public:
  /** `path` stays as it is until publish(). */
  explicit NewFile(const char* path);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  void add(const char* text, size_t size);
  /** Once, after everything was added. False with errno: the old one, if any, is still there. */
  bool publish();

 private:
  const char* path_;
  Text<PATH_MAX> temp_;
  UniqueFd fd_;
  /** Of what failed first. */
  int err_ = 0;
};
