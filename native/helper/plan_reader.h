// Reads the fields of one record. After the first mistake everything reads as empty and ok() is false.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "forever.h"
#include "plan.h"

class Reader {
 public:
  Reader(const uint8_t* data, size_t size) : p_(data), end_(data + size) {}

  bool ok() const { return ok_; }
  bool at_end() const { return p_ == end_; }
  size_t left() const { return static_cast<size_t>(end_ - p_); }
  void spoil() { ok_ = false; }

  uint32_t u32() {
    uint32_t v = 0;
    take(&v, sizeof v);
    return v;
  }
  uint64_t u64() {
    uint64_t v = 0;
    take(&v, sizeof v);
    return v;
  }
  bool flag() {
    uint32_t v = u32();
    if (v > 1) spoil();
    return v == 1;
  }
  template <typename E>
  E choice(E last) {
    uint32_t v = u32();
    if (v > static_cast<uint32_t>(last)) {
      spoil();
      return static_cast<E>(0);
    }
    return static_cast<E>(v);
  }
  Blob blob() {
    uint32_t size = u32();
    if (!ok_ || size > left()) {
      spoil();
      return {};
    }
    Blob b{p_, size};
    p_ += size;
    return b;
  }
  /** u32 length, bytes, NUL; the NUL is not counted and the bytes hold none. */
  const char* str() {
    Blob b = blob();
    if (!ok_ || left() < 1 || *p_ != 0 || memchr(b.data, 0, b.size) != nullptr) {
      spoil();
      return "";
    }
    p_++;
    return reinterpret_cast<const char*>(b.data);
  }
  StringList strings() {
    StringList list;
    uint32_t count = u32();
    // Each string takes five bytes at least, so a count is never trusted beyond the record.
    if (!ok_ || count > left() / 5) {
      spoil();
      return list;
    }
    list.items = allocate_forever<const char*>(count + 1);
    if (list.items == nullptr) {
      spoil();
      return list;
    }
    list.count = count;
    for (uint32_t i = 0; i < count; i++) list.items[i] = str();
    return list;
  }
  template <typename T, typename ReadOne>
  List<T> list(size_t min_size, ReadOne read_one) {
    List<T> out;
    uint32_t count = u32();
    if (!ok_ || count > left() / min_size) {
      spoil();
      return out;
    }
    if (count == 0) return out;
    out.items = allocate_forever<T>(count);
    if (out.items == nullptr) {
      spoil();
      return out;
    }
    out.count = count;
    for (uint32_t i = 0; i < count && ok_; i++) out.items[i] = read_one();
    return out;
  }

 private:
  void take(void* out, size_t size) {
    if (!ok_ || left() < size) {
      spoil();
      return;
    }
    memcpy(out, p_, size);
    p_ += size;
  }

  const uint8_t* p_;
  const uint8_t* end_;
  bool ok_ = true;
};
