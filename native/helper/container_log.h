// The log of one container, of whichever driver; or none.
#pragma once

#include "journal_log.h"
#include "json_log.h"

class ContainerLog {
 public:
  /** True also where no log is wanted. Once: what is open stays so. */
  bool open_for(const Stdio& stdio) {
    if (*this) return true;
    if (stdio.journal.size > 0) return journal_.open_for(stdio);
    return stdio.log[0] == '\0' || json_.open_at(stdio);
  }
  explicit operator bool() const { return json_ || journal_; }
  void append(const char* stream, const char* data, size_t size) {
    if (json_) json_.append(stream, data, size);
    if (journal_) journal_.append(stream, data, size);
  }
  void end_lines() {
    if (json_) json_.end_lines();
    if (journal_) journal_.end_lines();
  }
  void close() {
    json_.close();
    journal_.close();
  }

 private:
  JsonLog json_;
  JournalLog journal_;
};
