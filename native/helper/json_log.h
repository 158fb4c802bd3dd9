// docker's json-file log: one JSON object a line; rotated as log, log.1, log.2 …
#pragma once

#include <stdint.h>

#include "common/unique_fd.h"
#include "line_log.h"
#include "plan.h"

class JsonLog final : public LineLog {
 public:
  bool open_at(const Stdio& stdio);
  explicit operator bool() const { return static_cast<bool>(fd_); }
  void close();

 private:
  void add_entry(const char* stream, const char* text, size_t size) override;
  void write_entries() override;
  void rotate();

  UniqueFd fd_;
  const char* path_ = "";
  uint64_t size_ = 0, max_size_ = 0;
  /** What was written last was cut off, by a full disk or a crash. */
  bool is_torn_ = false;
  uint32_t files_ = 1;
};
