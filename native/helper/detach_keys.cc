// See detach_keys.h.

#include "detach_keys.h"

#include <string.h>

size_t DetachKeys::filter(const char* typed, size_t len, char* out) {
  size_t n = 0;
  for (size_t i = 0; i < len && !found(); i++) {
    uint8_t key = static_cast<uint8_t>(typed[i]);
    while (matched_ > 0 && keys_.data[matched_] != key) {
      // Not the sequence after all. Its first keys go on; what is still held back may be the beginning of one.
      uint32_t held = matched_, drop = 1;
      while (drop < held && memcmp(keys_.data, keys_.data + drop, held - drop) != 0) drop++;
      memcpy(out + n, keys_.data, drop);
      n += drop;
      matched_ = held - drop;
    }
    if (keys_.data[matched_] == key) {
      matched_++;
    } else {
      out[n++] = typed[i];
    }
  }
  return n;
}
