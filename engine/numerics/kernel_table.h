// What each instruction set's file provides; raw pointers only, so that these files share no code with others.
#pragma once

#include <cstdint>

#include "numerics/kernels.h"

namespace dalea {

// Dense or sparse, already packed (Product::pack).
struct PackedView {
  int64_t out = 0, in = 0;
  const float* values = nullptr;   // dense: panels of `rows_per_panel` outputs, k inner; sparse: by output row
  const int64_t* start = nullptr;  // sparse: out + 1
  const int32_t* index = nullptr;  // sparse: input of each value, ascending within a row
  float* scratch = nullptr;        // kernel_scratch(in) floats
  bool rectified = false;          // reads max(0, x)
};

// Columns of a gradient: x of column j at time t is at x + (t - lag) * x_time + j * stride.
struct GradientColumns {
  const float* x = nullptr;  // null: 1
  int64_t x_time = 0, lag = 0, count = 0;
  float* grad = nullptr;  // column-major, rows * count; sparse: by entry, column order
  bool rectified = false;
};

struct GradientView {
  const float* d = nullptr;
  int64_t d_time = 0, steps = 0, stride = 0, rows = 0;
  const GradientColumns* columns = nullptr;  // `count` of them
  int count = 0;
  const int64_t* col_start = nullptr;  // null: dense; else one set of columns, whose grad has a value an entry
  const int32_t* row = nullptr;
  float* scratch = nullptr;  // kernel_scratch_floats
};

struct KernelTable {
  int rows_per_panel;
  void (*dense)(const PackedView& w, const float* x, float* y, int64_t stride, int64_t b0, int64_t b1, bool add);
  void (*sparse)(const PackedView& w, const float* x, float* y, int64_t stride, int64_t b0, int64_t b1, bool add);
  void (*forward)(const CellForward& c, int64_t b0, int64_t b1);
  void (*backward)(const CellBackward& c, int64_t b0, int64_t b1);
  void (*bias_activation)(Activation f, const float* bias, float* y, int64_t rows, int64_t stride, int64_t b0,
                          int64_t b1);
  // Entries in rows [i0, i1) and columns [j0, j1), counted through all sets (sparse: all rows of the columns).
  void (*gradient)(const GradientView& g, int64_t i0, int64_t i1, int64_t j0, int64_t j1);
  void (*adam)(const AdamScalars& s, const float* g, float* m, float* v, float* w, int64_t n);
};

extern const KernelTable kernels_scalar, kernels_sse2, kernels_avx2, kernels_avx512, kernels_simd128;

}  // namespace dalea
