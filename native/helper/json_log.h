// docker's json-file log: one JSON object a line.
#pragma once

#include <stddef.h>

#include "common/unique_fd.h"

class JsonLog {
 public:
  bool open_at(const char* path);
  explicit operator bool() const { return static_cast<bool>(fd_); }
  /** `stream` is "stdout" or "stderr". Lines are kept until they are complete or 16 KiB long. */
  void append(const char* stream, const char* data, size_t size);
  /** Writes what has no newline yet. */
  void close();

 private:
  // As docker's: a longer line becomes several entries without a newline but the last.
  static constexpr size_t kMaxLine = 16384;
  struct Partial {
    char* text = nullptr;
    size_t size = 0;
  };
  void write_entry(const char* stream, const char* text, size_t size);
  Partial* partial_of(const char* stream) { return stream[3] == 'o' ? &partial_[0] : &partial_[1]; }

  UniqueFd fd_;
  Partial partial_[2];
};
