#include "sha256.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace skiff {

#if defined(__x86_64__)

namespace {

alignas(16) constexpr uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

// Intel's "SHA Extensions": the state goes as ABEF and CDGH, four rounds take four words of the message, and each four words
// follow from the sixteen before.
__attribute__((target("sha,sse4.1,ssse3"))) void Compress(uint32_t* state, const uint8_t* data,
                                                          size_t blocks) {
  const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  auto* const saved = reinterpret_cast<__m128i*>(state);
  __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128(saved), 0xb1);
  __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(saved + 1), 0x1b);
  __m128i abef = _mm_alignr_epi8(cdab, efgh, 8);
  __m128i cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
  for (; blocks > 0; blocks--, data += 64) {
    const __m128i abef_before = abef;
    const __m128i cdgh_before = cdgh;
    __m128i w[4];
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
      __m128i words;
      if (i < 4) {
        words = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data) + i);
        words = _mm_shuffle_epi8(words, swap);
      } else {
        const __m128i last = w[(i + 3) & 3];
        words = _mm_sha256msg1_epu32(w[i & 3], w[(i + 1) & 3]);
        words = _mm_add_epi32(words, _mm_alignr_epi8(last, w[(i + 2) & 3], 4));
        words = _mm_sha256msg2_epu32(words, last);
      }
      w[i & 3] = words;
      words = _mm_add_epi32(words, _mm_load_si128(reinterpret_cast<const __m128i*>(kRound) + i));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, words);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(words, 0x0e));
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  const __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
  const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
  _mm_storeu_si128(saved, _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128(saved + 1, _mm_alignr_epi8(dchg, feba, 8));
}

}  // namespace

bool HasSha256() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_SSSE3) == 0 || (c & bit_SSE4_1) == 0) return false;
  constexpr unsigned kSha = 1U << 29;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & kSha) != 0;
}

#else

namespace {

void Compress(uint32_t*, const uint8_t*, size_t) { abort(); }

}  // namespace

bool HasSha256() { return false; }

#endif

void Sha256::Update(const uint8_t* data, size_t size) {
  const size_t held = bytes_ % kBlock;
  bytes_ += size;
  if (held > 0) {
    const size_t part = size < kBlock - held ? size : kBlock - held;
    memcpy(rest_ + held, data, part);
    if (held + part < kBlock) return;
    Compress(state_, rest_, 1);
    data += part;
    size -= part;
  }
  Compress(state_, data, size / kBlock);
  memcpy(rest_, data + size / kBlock * kBlock, size % kBlock);
}

void Sha256::Finish(uint8_t* digest) {
  // A one bit, zeros, and the length in bits as 64 bits, to a multiple of a block.
  const uint64_t bits = bytes_ * 8;
  uint8_t end[2 * kBlock] = {0x80};
  const size_t held = bytes_ % kBlock;
  const size_t size = (held < kBlock - 8 ? kBlock : 2 * kBlock) - held;
  for (size_t i = 0; i < 8; i++) end[size - 1 - i] = static_cast<uint8_t>(bits >> (8 * i));
  Update(end, size);
  for (size_t i = 0; i < kDigestBytes; i++)
    digest[i] = static_cast<uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
}

}  // namespace skiff
