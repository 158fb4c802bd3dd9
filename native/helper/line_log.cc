#include "line_log.h"

#include <string.h>

#include "forever.h"

bool LineLog::make_partials() {
  for (Partial& p : partial_) {
    if (p.text == nullptr) p.text = allocate_forever<char>(kMaxLine);
    if (p.text == nullptr) return false;
  }
  return true;
}

void LineLog::append(const char* stream, const char* data, size_t size) {
  Partial* p = partial_of(stream);
  while (size > 0) {
    const char* newline = static_cast<const char*>(memchr(data, '\n', size));
    size_t take = newline != nullptr ? static_cast<size_t>(newline - data) + 1 : size;
    if (take > kMaxLine - p->size) take = kMaxLine - p->size;
    memcpy(p->text + p->size, data, take);
    p->size += take;
    data += take;
    size -= take;
    if (p->text[p->size - 1] != '\n' && p->size < kMaxLine) continue;
    add_entry(stream, p->text, p->size);
    p->size = 0;
  }
  write_entries();
}

void LineLog::end_lines() {
  const char* const kNames[] = {"stdout", "stderr"};
  for (int i = 0; i < 2; i++) {
    if (partial_[i].size > 0) add_entry(kNames[i], partial_[i].text, partial_[i].size);
    partial_[i].size = 0;
  }
  write_entries();
}
