#include "numerics/rng.h"

#include <cmath>

#include "numerics/math.h"

namespace dalea {

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> c, std::array<uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53u} * c[0], p1 = uint64_t{0xCD9E8D57u} * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<uint32_t>(p0)};
    k[0] += 0x9E3779B9u;
    k[1] += 0xBB67AE85u;
  }
  return c;
}

Rng::Rng(uint64_t seed, Purpose purpose, uint32_t run, uint32_t epoch, uint32_t trial)
    : key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32) | static_cast<uint32_t>(purpose) << 21},
      counter_{0, trial, epoch, run} {}

uint32_t Rng::u32() {
  if (used_ == 4) {
    block_ = philox4x32(counter_, key_);
    ++counter_[0];
    used_ = 0;
  }
  return block_[used_++];
}

float Rng::uniform() {
  return static_cast<float>(u32() >> 8) * 0x1p-24f;
}

float Rng::uniform(float lo, float hi) {
  return lo + (hi - lo) * uniform();
}

uint32_t Rng::below(uint32_t n) {
  const uint32_t reject = (0u - n) % n;  // 2^32 mod n: the first values that would make some results likelier
  for (;;) {
    const uint32_t v = u32();
    if (v >= reject) return v % n;
  }
}

double Rng::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  const auto open = [this] {  // (0, 1]: the logarithm never sees 0
    const uint64_t high = u32(), low = u32();
    return static_cast<double>(((high << 21) | (low >> 11)) + 1) * 0x1p-53;
  };
  const double radius = std::sqrt(-2 * portable::log(open()));
  const double angle = 6.283185307179586 * open();
  spare_ = radius * portable::sin(angle);
  has_spare_ = true;
  return radius * portable::cos(angle);
}

std::vector<uint32_t> permutation(uint32_t n, Rng& rng) {
  std::vector<uint32_t> p(n);
  for (uint32_t i = 0; i < n; ++i) p[i] = i;
  for (uint32_t i = n; i > 1; --i) {
    const uint32_t j = rng.below(i);
    const uint32_t t = p[i - 1];
    p[i - 1] = p[j];
    p[j] = t;
  }
  return p;
}

}  // namespace dalea
