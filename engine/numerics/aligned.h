// A float buffer on a 64-byte boundary.
#pragma once

#include <cstddef>
#include <vector>

namespace dalea {

// Large ones ask the system for large pages (Linux): a pass over time meets each page once, and looking up many small
// ones costs more than reading them. Throws std::bad_alloc. The size must be told again.
void* allocate_aligned(size_t bytes);
void free_aligned(void* p, size_t bytes);

template <class T>
struct CacheAligned {
  using value_type = T;
  CacheAligned() = default;
  template <class U>
  CacheAligned(const CacheAligned<U>&) {}  // NOLINT: allocators convert
  T* allocate(size_t n) { return static_cast<T*>(allocate_aligned(n * sizeof(T))); }
  void deallocate(T* p, size_t n) { free_aligned(p, n * sizeof(T)); }
  template <class U>
  bool operator==(const CacheAligned<U>&) const {
    return true;
  }
};

using AlignedFloats = std::vector<float, CacheAligned<float>>;

}  // namespace dalea
