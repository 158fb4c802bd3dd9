// docker's json-file log: one JSON object a line; rotated as log, log.1, log.2 …
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/unique_fd.h"
#include "plan.h"

class JsonLog {
 public:
  bool open_at(const Stdio& stdio);
  explicit operator bool() const { return static_cast<bool>(fd_); }
  /** `stream` is "stdout" or "stderr". Lines are kept until they are complete or 16 KiB long. */
  void append(const char* stream, const char* data, size_t size);
  /** Writes what has no newline yet: the command has ended. */
  void end_lines();
  void close();

 private:
  // As docker's: a longer line becomes several entries without a newline but the last.
  static constexpr size_t kMaxLine = 16384;
  struct Partial {
    char* text = nullptr;
    size_t size = 0;
  };
  void add_entry(const char* stream, const char* text, size_t size);
  void write_entries();
  void rotate();
  Partial* partial_of(const char* stream) { return stream[3] == 'o' ? &partial_[0] : &partial_[1]; }

  UniqueFd fd_;
  const char* path_ = "";
  uint64_t size_ = 0, max_size_ = 0;
  /** What was written last was cut off, by a full disk or a crash. */
  bool is_torn_ = false;
  uint32_t files_ = 1;
  Partial partial_[2];
};
