#include "numerics/aligned.h"

#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace dalea {
namespace {

constexpr size_t line = 64;
[[maybe_unused]] constexpr size_t large_page = size_t{2} << 20;

std::align_val_t alignment([[maybe_unused]] size_t bytes) {
#ifdef __linux__
  if (bytes >= 2 * large_page) return std::align_val_t{large_page};
#endif
  return std::align_val_t{line};
}

}  // namespace

void* allocate_aligned(size_t bytes) {
  const std::align_val_t at = alignment(bytes);
  void* p = ::operator new(bytes, at);
#ifdef __linux__
  if (at == std::align_val_t{large_page}) madvise(p, bytes / large_page * large_page, MADV_HUGEPAGE);  // a wish
#endif
  return p;
}

void free_aligned(void* p, size_t bytes) {
  ::operator delete(p, alignment(bytes));
}

}  // namespace dalea
