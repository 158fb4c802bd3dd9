// What every log has in common: output comes in any pieces, entries are lines.
#pragma once

#include <stddef.h>

class LineLog {
 public:
  LineLog() = default;
  LineLog(const LineLog&) = delete;
  LineLog& operator=(const LineLog&) = delete;
  /** `stream` is "stdout" or "stderr". Lines are kept until they are complete or 16 KiB long. */
  void append(const char* stream, const char* data, size_t size);
  /** Writes what has no newline yet: the command has ended. */
  void end_lines();

 protected:
  ~LineLog() = default;
  // As docker's: a longer line becomes several entries without a newline but the last.
  static constexpr size_t kMaxLine = 16384;
  /** False with errno when there is no memory. */
  bool make_partials();
  virtual void add_entry(const char* stream, const char* text, size_t size) = 0;
  /** The entries added are a piece of output: readers may see them. */
  virtual void write_entries() = 0;

 private:
  struct Partial {
    char* text = nullptr;
    size_t size = 0;
  };
  Partial* partial_of(const char* stream) { return stream[3] == 'o' ? &partial_[0] : &partial_[1]; }

  Partial partial_[2];
};
