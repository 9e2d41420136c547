// A weight matrix as pixels, for every view that shows one.
#pragma once

#include <cstdint>
#include <vector>

#include "app/live.h"
#include "common/picture.h"

namespace dalea::app {

constexpr uint32_t packed(Color c) {
  return 0xff000000u | static_cast<uint32_t>(c.b) << 16 | static_cast<uint32_t>(c.g) << 8 | c.r;
}

constexpr int most_pixels = 2048;  // of a side of a texture

// 1, 2 or 5 times a power of ten, at least v: the scale changes rarely.
float nice_scale(float v);
// The 99.5th percentile of |w| over at most 20,000 of the values; of now - base with a base.
float typical_largest(const MatrixView& now, const MatrixView* base);
// Pixels with x = post and y = pre: the matrix's own memory order; drawing swaps the axes. Colours end at -scale and
// scale. Returns the side, at most 2048: larger matrices show the strongest synapse of each cell.
// `order`: which unit stands at each place; empty: as built.
int paint_matrix(const MatrixView& m, const MatrixView* base, float scale, std::vector<uint32_t>& pixels,
                 const std::vector<int32_t>& order = {});

}  // namespace dalea::app
