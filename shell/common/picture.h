// The weight matrix as a PNG, in the colours of the window.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "network/model.h"

namespace dalea {

struct Color {
  uint8_t r, g, b;
};
// Excitatory red #b2182b at +scale, inhibitory blue #2166ac at -scale, near white at 0.
Color weight_color(float value, float scale);
constexpr Color absent_color = {186, 190, 196};  // no synapse can be there

// Symmetric scale of a matrix: the 99.5th percentile of |w| over its non-zeros, so that outliers do not bleach the
// rest.
float weight_scale(const Weights& w);

// Rows are postsynaptic (from the top), columns presynaptic; block lines, names, colour bar. `mask`: null: all exist.
std::vector<std::byte> weight_picture(const Model& model, const std::vector<std::string>& population_names,
                                      const Pattern* mask);

struct Image {
  int64_t width = 0, height = 0;
  std::vector<uint8_t> rgb;
  int64_t pixels_per_metre = 0;  // 0: not said
};
std::vector<std::byte> encode_png(const Image& image);

}  // namespace dalea
