// Files compiled in, so that every program carries them (scripts/embed.cmake writes the arrays).
#pragma once

#include <cstddef>

namespace dalea {

struct Embedded {
  const char* name;  // without folder and extension
  const unsigned char* data;
  size_t size;
};
extern const Embedded embedded_experiments[];  // assets/experiments, the quick start first
extern const size_t embedded_experiments_count;
extern const Embedded embedded_python[];  // dalea_torch.py
extern const size_t embedded_python_count;
extern const Embedded embedded_fonts[];  // regular, medium
extern const size_t embedded_fonts_count;

}  // namespace dalea
