// FNV-1a, 64 bit: the weight hash (NUMERICS: The hash).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dalea {

std::string hash_text(uint64_t hash);  // 16 lower-case hexadecimal digits

class Fnv1a {
 public:
  void bytes(const void* data, size_t size);
  void text(std::string_view s) { bytes(s.data(), s.size()); }
  void u32(uint32_t v);  // little-endian on every platform
  void f32(float v);     // its bits, as u32
  uint64_t value() const { return h_; }
  std::string hex() const { return hash_text(h_); }

 private:
  uint64_t h_ = 0xcbf29ce484222325ULL;
};

}  // namespace dalea
