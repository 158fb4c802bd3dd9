// docker's journald log: one datagram a line to systemd's journal, in its native protocol
// (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/).
#pragma once

#include <stdint.h>

#include "common/unique_fd.h"
#include "line_log.h"
#include "plan.h"

class JournalLog final : public LineLog {
 public:
  bool open_for(const Stdio& stdio);
  explicit operator bool() const { return static_cast<bool>(fd_); }
  void close();

 private:
  void add_entry(const char* stream, const char* text, size_t size) override;
  void write_entries() override {}
  /** Until the journal has taken what was sent: who then asks for the log finds all of it. */
  void drain();

  UniqueFd fd_;
  Blob fields_;
  /** It has not taken a line for a long time: it is not waited for until it takes one. */
  bool is_stalled_ = false;
};
