// Files compiled in, so that every program carries its fonts and examples (cmake/embed.cmake writes them).
#pragma once

#include <cstddef>

namespace dalea::app {

struct Embedded {
  const char* name;
  const unsigned char* data;
  size_t size;
};
extern const Embedded embedded_font_regular, embedded_font_medium;
extern const Embedded embedded_experiments[];
extern const size_t embedded_experiment_count;

}  // namespace dalea::app
