// A float buffer on a 64-byte boundary.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace dalea {

template <class T>
struct CacheAligned {
  using value_type = T;
  CacheAligned() = default;
  template <class U>
  CacheAligned(const CacheAligned<U>&) {}  // NOLINT: allocators convert
  T* allocate(size_t n) { return static_cast<T*>(::operator new (n * sizeof(T), std::align_val_t{64})); }
  void deallocate(T* p, size_t) { ::operator delete (p, std::align_val_t{64}); }
  template <class U>
  bool operator==(const CacheAligned<U>&) const {
    return true;
  }
};

using AlignedFloats = std::vector<float, CacheAligned<float>>;

}  // namespace dalea
