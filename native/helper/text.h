// Text of bounded length without allocation. What does not fit is cut off: for messages that is right; for paths
// check `cut()`.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

class TextView {
 public:
  TextView(char* buf, size_t size) : buf_(buf), size_(size) { buf_[0] = '\0'; }
  TextView(const TextView&) = delete;
  TextView& operator=(const TextView&) = delete;
  const char* c_str() const { return buf_; }
  size_t size() const { return len_; }
  bool cut() const { return cut_; }
  void clear() {
    len_ = 0;
    cut_ = false;
    buf_[0] = '\0';
  }
  TextView& bytes(const char* s, size_t n) {
    if (n > size_ - 1 - len_) {
      n = size_ - 1 - len_;
      cut_ = true;
    }
    memcpy(buf_ + len_, s, n);
    len_ += n;
    buf_[len_] = '\0';
    return *this;
  }
  TextView& operator<<(const char* s) { return bytes(s, strlen(s)); }
  TextView& operator<<(char c) { return bytes(&c, 1); }
  TextView& operator<<(uint64_t n) { return number(n, 10, 1); }
  TextView& operator<<(uint32_t n) { return *this << static_cast<uint64_t>(n); }
  TextView& operator<<(int64_t n) {
    if (n >= 0) return *this << static_cast<uint64_t>(n);
    return *this << '-' << (~static_cast<uint64_t>(n) + 1);
  }
  TextView& operator<<(int32_t n) { return *this << static_cast<int64_t>(n); }
  TextView& operator<<(bool) = delete;
  TextView& number(uint64_t n, unsigned base, unsigned min_digits) {
    char digits[65];
    size_t i = sizeof digits;
    do {
      digits[--i] = "0123456789abcdef"[n % base];
      n /= base;
    } while (n != 0);
    while (sizeof digits - i < min_digits) digits[--i] = '0';
    return bytes(digits + i, sizeof digits - i);
  }
  /** `s` with control characters as \xNN: for text that reaches a terminal. */
  TextView& safe(const char* s) {
    for (; *s != '\0'; s++) {
      unsigned char c = static_cast<unsigned char>(*s);
      if (c < 0x20 || c == 0x7f) {
        *this << "\\x";
        number(c, 16, 2);
      } else {
        *this << *s;
      }
    }
    return *this;
  }

 private:
  char* buf_;
  size_t size_;
  size_t len_ = 0;
  bool cut_ = false;
};

template <size_t N>
class Text : public TextView {
 public:
  Text() : TextView(storage_, N) {}

 private:
  char storage_[N];
};

/** "/proc/self/fd/N": an open file as a path, for calls that know no descriptors. */
class FdPath : public Text<32> {
 public:
  explicit FdPath(int fd) { *this << "/proc/self/fd/" << fd; }
};
