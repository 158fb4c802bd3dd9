// Written under another name in the same folder, and renamed. A full disk costs the new content, and leaves nothing.

#include "new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/retry.h"

NewFile::NewFile(const char* path) : path_(path) {
  temp_ << path << ".tmp";
  fd_.reset(open(temp_.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd_) err_ = errno;
}

void NewFile::add(const char* text, size_t size) {
  if (err_ == 0 && !write_all(fd_.get(), text, size)) err_ = errno;
}

bool NewFile::publish() {
  if (err_ == 0 && rename(temp_.c_str(), path_) == 0) return true;
  if (err_ == 0) err_ = errno;
  if (fd_) (void)unlink(temp_.c_str());
  errno = err_;
  return false;
}
