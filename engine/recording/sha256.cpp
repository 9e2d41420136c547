// SHA-256 (FIPS 180-4): names a recording, so that a link can ask for the same file.
#include <algorithm>
#include <array>
#include <cstring>
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

#include "recording/recording.h"

namespace dalea {
namespace {

// First 32 bits of the fractional parts of the cube roots (rounds) and square roots (start) of the first primes.
struct Constants {
  std::array<uint32_t, 64> round{};
  std::array<uint32_t, 8> start{};
};

// floor(2^32 * frac(p^(1/n))) by integer search: x^n <= p * 2^(32 n).
uint32_t root_bits(uint32_t prime, int n) {
  unsigned __int128 low = 0, high = uint64_t{1} << 38;
  while (high - low > 1) {
    const unsigned __int128 mid = (low + high) / 2;
    // Compare mid^n with prime << 32 n, dividing to stay within 128 bits.
    const bool below = n == 2 ? mid * mid <= static_cast<unsigned __int128>(prime) << 64
                              : mid * mid <= (static_cast<unsigned __int128>(prime) << 96) / mid;
    (below ? low : high) = mid;
  }
  return static_cast<uint32_t>(low);
}

Constants make_constants() {
  Constants c;
  int found = 0;
  for (uint32_t p = 2; found < 64; ++p) {
    bool prime = true;
    for (uint32_t d = 2; d * d <= p; ++d) prime = prime && p % d != 0;
    if (!prime) continue;
    if (found < 8) c.start[found] = root_bits(p, 2);
    c.round[found++] = root_bits(p, 3);
  }
  return c;
}

uint32_t turn(uint32_t x, int n) {
  return x >> n | x << (32 - n);
}

void add_block(std::array<uint32_t, 8>& h, const unsigned char* p, const Constants& c) {
  uint32_t w[64];
  for (int t = 0; t < 16; ++t)
    w[t] = uint32_t{p[4 * t]} << 24 | uint32_t{p[4 * t + 1]} << 16 | uint32_t{p[4 * t + 2]} << 8 | p[4 * t + 3];
  for (int t = 16; t < 64; ++t) {
    const uint32_t a = w[t - 15], b = w[t - 2];
    w[t] = w[t - 16] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + w[t - 7] + (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
  }
  std::array<uint32_t, 8> s = h;
  for (int t = 0; t < 64; ++t) {
    const uint32_t x =
        s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + c.round[t] + w[t];
    const uint32_t y =
        (turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
    s = {x + y, s[0], s[1], s[2], s[3] + x, s[4], s[5], s[6]};
  }
  for (int k = 0; k < 8; ++k) h[k] += s[k];
}

#if defined(__x86_64__)
// The instructions of the processor, five times as fast: words a to h lie as (f e b a) and (h g d c).
__attribute__((target("sha,sse4.1"))) void add_blocks_at_once(std::array<uint32_t, 8>& h, const unsigned char* p,
                                                              size_t blocks, const Constants& c) {
  const __m128i bytes_turned = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  auto* words = reinterpret_cast<__m128i*>(h.data());
  __m128i low = _mm_shuffle_epi32(_mm_loadu_si128(words), 0xB1),
          high = _mm_shuffle_epi32(_mm_loadu_si128(words + 1), 0x1B);
  __m128i feba = _mm_alignr_epi8(low, high, 8), hgdc = _mm_blend_epi16(high, low, 0xF0);
  for (; blocks > 0; --blocks, p += 64) {
    const __m128i feba_before = feba, hgdc_before = hgdc;
    __m128i w[4];
    for (int k = 0; k < 4; ++k)
      w[k] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p) + k), bytes_turned);
    for (int k = 0; k < 16; ++k) {  // four rounds each
      __m128i& now = w[k % 4];
      const __m128i last = w[(k + 3) % 4];
      if (k >= 4)
        now = _mm_sha256msg2_epu32(
            _mm_add_epi32(_mm_sha256msg1_epu32(now, w[(k + 1) % 4]), _mm_alignr_epi8(last, w[(k + 2) % 4], 4)), last);
      const __m128i added = _mm_add_epi32(now, _mm_loadu_si128(reinterpret_cast<const __m128i*>(c.round.data()) + k));
      hgdc = _mm_sha256rnds2_epu32(hgdc, feba, added);
      feba = _mm_sha256rnds2_epu32(feba, hgdc, _mm_shuffle_epi32(added, 0x0E));
    }
    feba = _mm_add_epi32(feba, feba_before);
    hgdc = _mm_add_epi32(hgdc, hgdc_before);
  }
  low = _mm_shuffle_epi32(feba, 0x1B);
  high = _mm_shuffle_epi32(hgdc, 0xB1);
  _mm_storeu_si128(words, _mm_blend_epi16(low, high, 0xF0));
  _mm_storeu_si128(words + 1, _mm_alignr_epi8(high, low, 8));
}

bool has_instructions() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __builtin_cpu_supports("sse4.1") && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b >> 29 & 1) != 0;
}
#endif

void add_blocks(std::array<uint32_t, 8>& h, const unsigned char* p, size_t blocks, const Constants& c) {
#if defined(__x86_64__)
  static const bool at_once = has_instructions();
  if (at_once) return add_blocks_at_once(h, p, blocks, c);
#endif
  for (; blocks > 0; --blocks, p += 64) add_block(h, p, c);
}

}  // namespace

std::string sha256_hex(std::span<const std::byte> bytes, const Progress& progress) {
  static const Constants constants = make_constants();
  std::array<uint32_t, 8> h = constants.start;
  const auto* p = reinterpret_cast<const unsigned char*>(bytes.data());
  size_t left = bytes.size();
  while (left >= 64) {
    const size_t blocks = std::min<size_t>(left / 64, 1 << 16);  // 4 MiB
    if (!progress.at(bytes.size() - left, bytes.size())) return {};
    add_blocks(h, p, blocks, constants);
    p += blocks * 64;
    left -= blocks * 64;
  }
  unsigned char tail[128] = {};
  if (left > 0) std::memcpy(tail, p, left);
  tail[left] = 0x80;
  const size_t size = left < 56 ? 64 : 128;
  const uint64_t bits = static_cast<uint64_t>(bytes.size()) * 8;
  for (int k = 0; k < 8; ++k) tail[size - 1 - static_cast<size_t>(k)] = static_cast<unsigned char>(bits >> (8 * k));
  for (size_t k = 0; k < size; k += 64) add_block(h, tail + k, constants);
  std::string hex;
  for (uint32_t v : h)
    for (int k = 28; k >= 0; k -= 4) hex += "0123456789abcdef"[(v >> k) & 15];
  return hex;
}

}  // namespace dalea
