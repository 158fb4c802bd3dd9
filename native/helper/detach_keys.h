// The keys that leave a terminal: docker's --detach-keys.
#pragma once

#include <stddef.h>

#include "plan.h"

/** Looks for the sequence in what is typed. What may be its beginning is held back until the next key decides. */
class DetachKeys {
 public:
  /** Empty: nothing is looked for. `keys` must stay as they are; at most kDetachKeysMax. */
  void set(const Blob& keys) { keys_ = keys; }
  bool is_on() const { return keys_.size > 0; }
  /** The whole sequence was typed. What came after it in the same read is dropped. */
  bool found() const { return is_on() && matched_ == keys_.size; }
  /**
   * Passes `len` bytes on from `typed` to `out`, which is the same buffer at least kDetachKeysMax further to the front,
   * since what was held back may come first. Returns how many there are.
   */
  size_t filter(const char* typed, size_t len, char* out);

 private:
  Blob keys_;
  uint32_t matched_ = 0;
};
