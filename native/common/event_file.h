// Appends to the store's event log. Any number of processes do so at once, without a lock: the file is opened for each
// event and gets it by one write(2) with O_APPEND. docs/decisions/0019 says what readers make of that.
#pragma once

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "retry.h"
#include "unique_fd.h"

/** Beyond that the log is renamed to log.1, log.1 to log.2 …; EVENT_FILES of src/store/event-files.ts reads as many. */
constexpr off_t kEventFileSize = 2 << 20;
constexpr int kEventFiles = 4;

/** `path` followed by ".N"; by nothing for 0. */
inline void name_event_file(char* text, const char* path, size_t length, int n) {
  memcpy(text, path, length);
  text[length] = n == 0 ? '\0' : '.';
  text[length + 1] = static_cast<char>('0' + n);
  text[length + 2] = '\0';
}

/** Of those who see the file full at the same time one renames it, and the others go on. */
inline void rotate_event_files(const char* path, int fd) {
  size_t length = strlen(path);
  char from[PATH_MAX], to[PATH_MAX];
  struct stat mine, named;
  if (length + 3 > sizeof from || flock(fd, LOCK_EX | LOCK_NB) < 0) return;
  if (fstat(fd, &mine) < 0 || stat(path, &named) < 0 || mine.st_ino != named.st_ino) return;
  for (int n = kEventFiles - 1; n > 0; n--) {
    name_event_file(from, path, length, n - 1);
    name_event_file(to, path, length, n);
    (void)rename(from, to);
  }
}

/** Members of the JSON object that is one event. */
struct EventText {
  const char* text;
  size_t size;
};

/**
 * Appends one event: the time, and the members given in two pieces. Its bytes begin with a newline as well as they end
 * with one: what a full disk or a crash has cut off spoils nothing but itself. False with errno set; nothing else may
 * fail for that.
 */
inline bool append_event(const char* path, EventText first, EventText second) {
  UniqueFd fd(open(path, O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600));
  timespec now;
  if (!fd || clock_gettime(CLOCK_REALTIME, &now) < 0) return false;
  // Nineteen digits, until the year 2286.
  char head[] = "\n{\"time\":\"0000000000000000000\",", end[] = "}\n";
  uint64_t ns = static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
  for (char* digit = head + sizeof head - 4; ns != 0 && *digit == '0'; digit--) {
    *digit = static_cast<char>('0' + ns % 10);
    ns /= 10;
  }
  const iovec pieces[] = {
      {head, sizeof head - 1},
      {const_cast<char*>(first.text), first.size},
      {const_cast<char*>(second.text), second.size},
      {end, sizeof end - 1},
  };
  if (retry([&] { return writev(fd.get(), pieces, 4); }) < 0) return false;
  // With O_APPEND a write leaves the position at the end of the file.
  if (lseek(fd.get(), 0, SEEK_CUR) >= kEventFileSize) rotate_event_files(path, fd.get());
  return true;
}
