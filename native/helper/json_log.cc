// {"log":"text\n","stream":"stdout","time":"2026-01-02T03:04:05.000000006Z"}

#include "json_log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/retry.h"
#include "json_text.h"

namespace {

bool ends_with_newline(const char* path, off_t size) {
  UniqueFd fd(open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  char last = '\0';
  return fd && pread(fd.get(), &last, 1, size - 1) == 1 && last == '\n';
}

/** Each byte of a line takes six at most. */
constexpr size_t kEntryMax = 16384 * 6 + 128;
Text<2 * kEntryMax> entries;

}  // namespace

bool JsonLog::open_at(const Stdio& stdio) {
  path_ = stdio.log;
  max_size_ = stdio.log_max_size;
  files_ = stdio.log_files;
  fd_.reset(open(path_, O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!fd_) return false;
  struct stat st;
  size_ = fstat(fd_.get(), &st) == 0 ? static_cast<uint64_t>(st.st_size) : 0;
  is_torn_ = size_ > 0 && !ends_with_newline(path_, st.st_size);
  return make_partials();
}

void JsonLog::add_entry(const char* stream, const char* text, size_t size) {
  if (entries.size() > kEntryMax || (max_size_ > 0 && size_ + entries.size() >= max_size_)) write_entries();
  entries << "{\"log\":\"";
  add_json_text(&entries, text, size);
  entries << "\",\"stream\":\"" << stream << "\",\"time\":\"";
  add_json_time(&entries, wall_clock());
  entries << "\"}\n";
}

/** Whole lines at once, for readers who follow the file. A full disk costs log lines, never the container. */
void JsonLog::write_entries() {
  if (entries.size() == 0) return;
  // Else the next entry would be lost with the torn one.
  if (is_torn_ && write_all(fd_.get(), "\n", 1)) is_torn_ = false;
  if (write_all(fd_.get(), entries.c_str(), entries.size())) {
    size_ += entries.size();
  } else {
    is_torn_ = true;
  }
  entries.clear();
  if (max_size_ > 0 && size_ >= max_size_) rotate();
}

/** A reader has the old file open and finds its successor by looking where the name of its own has gone. */
void JsonLog::rotate() {
  Text<PATH_MAX> from, to;
  for (uint32_t i = files_ - 1; i >= 1; i--) {
    from.clear();
    to.clear();
    from << path_;
    if (i > 1) from << '.' << (i - 1);
    to << path_ << '.' << i;
    (void)rename(from.c_str(), to.c_str());
  }
  if (files_ == 1) (void)unlink(path_);
  UniqueFd next(open(path_, O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!next) return;  // a full disk: goes on in the old one
  fd_ = static_cast<UniqueFd&&>(next);
  size_ = 0;
  is_torn_ = false;
}

void JsonLog::close() {
  if (!fd_) return;
  end_lines();
  fd_.reset();
}
