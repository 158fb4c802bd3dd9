// See json_text.h.

#include "json_text.h"

namespace {

/** Length of the valid UTF-8 sequence at `s`, 0 where there is none. */
size_t utf8_length(const unsigned char* s, size_t left) {
  unsigned char c = s[0];
  size_t len = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
  if (len == 0 || len > left) return 0;
  for (size_t i = 1; i < len; i++) {
    if ((s[i] & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what lies above U+10FFFF.
  if (c == 0xe0 && s[1] < 0xa0) return 0;
  if (c == 0xed && s[1] > 0x9f) return 0;
  if (c == 0xf0 && s[1] < 0x90) return 0;
  if (c == 0xf4 && s[1] > 0x8f) return 0;
  return len;
}

}  // namespace

void add_json_text(TextView* out, const char* text, size_t size) {
  const unsigned char* s = reinterpret_cast<const unsigned char*>(text);
  for (size_t i = 0; i < size;) {
    size_t len = utf8_length(s + i, size - i);
    unsigned char c = s[i];
    if (len == 0) {
      *out << "\\ufffd";
      i++;
      continue;
    }
    if (c == '"' || c == '\\') {
      *out << '\\' << static_cast<char>(c);
    } else if (c == '\n') {
      *out << "\\n";
    } else if (c == '\r') {
      *out << "\\r";
    } else if (c == '\t') {
      *out << "\\t";
    } else if (c < 0x20 || c == 0x7f) {
      *out << "\\u";
      out->number(c, 16, 4);
    } else {
      out->bytes(text + i, len);
    }
    i += len;
  }
}

void add_json_time(TextView* out, const timespec& time) {
  tm utc;
  gmtime_r(&time.tv_sec, &utc);
  out->number(static_cast<uint64_t>(utc.tm_year) + 1900, 10, 4) << '-';
  out->number(static_cast<uint64_t>(utc.tm_mon) + 1, 10, 2) << '-';
  out->number(static_cast<uint64_t>(utc.tm_mday), 10, 2) << 'T';
  out->number(static_cast<uint64_t>(utc.tm_hour), 10, 2) << ':';
  out->number(static_cast<uint64_t>(utc.tm_min), 10, 2) << ':';
  out->number(static_cast<uint64_t>(utc.tm_sec), 10, 2) << '.';
  out->number(static_cast<uint64_t>(time.tv_nsec), 10, 9) << 'Z';
}

timespec wall_clock() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now;
}
