// SHA-256 (FIPS 180-4) by the instructions that processors have for it: for threads that must not enter the runtime, whose own
// hashes belong to it.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace skiff {

// Whether this processor has the instructions. Where it has not, Sha256 must not be used.
bool HasSha256();

class Sha256 {
 public:
  static constexpr size_t kDigestBytes = 32;

  void Update(const uint8_t* data, size_t size);
  // Once, at the end.
  void Finish(uint8_t* digest);

 private:
  static constexpr size_t kBlock = 64;

  uint32_t state_[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  uint64_t bytes_ = 0;
  // What does not fill a block yet: bytes_ % kBlock of it.
  uint8_t rest_[kBlock] = {};
};

}  // namespace skiff
