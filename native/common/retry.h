// System calls that a signal may interrupt, or that may do less than asked.
#pragma once

#include <errno.h>
#include <stddef.h>
#include <sys/types.h>
#include <unistd.h>

template <typename Call>
inline auto retry(Call call) -> decltype(call()) {
  decltype(call()) result;
  do {
    result = call();
  } while (result == -1 && errno == EINTR);
  return result;
}

/** Writes all of `data`; false with errno set when that is not possible. Needs a blocking descriptor. */
inline bool write_all(int fd, const void* data, size_t len) {
  const char* p = static_cast<const char*>(data);
  while (len > 0) {
    ssize_t n = retry([&] { return write(fd, p, len); });
    if (n < 0) return false;
    p += n;
    len -= static_cast<size_t>(n);
  }
  return true;
}

/** Reads up to `len` bytes until end of file; -1 with errno set on an error. */
inline ssize_t read_upto(int fd, void* data, size_t len) {
  char* p = static_cast<char*>(data);
  size_t done = 0;
  while (done < len) {
    ssize_t n = retry([&] { return read(fd, p + done, len - done); });
    if (n < 0) return -1;
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  return static_cast<ssize_t>(done);
}
