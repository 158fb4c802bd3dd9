// A system call of a container's process that waits for its answer (emulation.h), and what such a process has: memory,
// and paths as it sees them. Our working directory is the host's /proc, our root directory the container's.
#pragma once

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/unique_fd.h"
#include "text.h"

struct Call {
  int listener;
  uint64_t id;
  pid_t pid;  // of the thread, in our pid namespace
  const uint64_t* args;

  int fd(size_t i) const { return static_cast<int>(args[i]); }
  uint32_t word(size_t i) const { return static_cast<uint32_t>(args[i]); }
};

struct Answer {
  /** The kernel carries the call out as if nobody had looked. */
  bool forward = false;
  int64_t value = 0;
  int err = 0;
};

constexpr Answer kForward = {true, 0, 0};
inline Answer answer(int64_t value) { return {false, value, 0}; }
inline Answer refuse(int err) { return {false, 0, err}; }

/** Whether it still waits: else its pid may be another's by now, and what was found under it says nothing. */
bool is_waiting(const Call& call);

/** All or nothing. */
bool read_memory(const Call& call, uint64_t at, void* data, size_t size);
bool write_memory(const Call& call, uint64_t at, const void* data, size_t size);

/** What a call's directory and path mean, whoever looks. */
class Place {
 public:
  /** As of the *at calls; `flags` may have AT_EMPTY_PATH. */
  bool find(const Call& call, int dir, uint64_t path, int flags);
  /** As open(2), with the container's links where the process has changed its root directory. */
  UniqueFd open(int flags, mode_t mode = 0) const;
  /** The directory that the last name is in; the name is `*name`, which lives as long as this. */
  UniqueFd open_parent(const char** name);

 private:
  bool chase_root(const Call& call, const char* base);

  Text<PATH_MAX + 64> path_;
  UniqueFd root_;
};

/** An O_PATH descriptor of what the call is about; empty where the kernel had better say what is wrong. */
UniqueFd open_object(const Call& call, int dir, uint64_t path, int flags);
/** The same for an open file of the process. */
UniqueFd open_file(const Call& call, int fd);
