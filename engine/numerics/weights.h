// One parameter: a matrix that is dense, or holds values only where a connection exists.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "numerics/hash.h"

namespace dalea {

// Which entries of a (rows, cols) matrix exist, in both orders.
struct Pattern {
  int64_t rows = 0, cols = 0;
  std::vector<int64_t> col_start;  // cols + 1; entries of column j are [col_start[j], col_start[j+1])
  std::vector<int32_t> row;        // row of each entry, ascending within a column
  std::vector<int64_t> row_start;  // rows + 1
  std::vector<int32_t> col;        // column of each entry in row order, ascending within a row
  std::vector<int64_t> at;         // row order -> position in column order

  int64_t count() const { return static_cast<int64_t>(row.size()); }
};

// Builds both orders from the column order; `row` ascending within each column.
std::shared_ptr<const Pattern> make_pattern(int64_t rows, int64_t cols, std::vector<int64_t> col_start,
                                            std::vector<int32_t> row);
// From a dense 0/1 mask, column-major, rows * cols.
std::shared_ptr<const Pattern> make_pattern(int64_t rows, int64_t cols, const std::vector<uint8_t>& mask);

struct Weights {
  std::string name;
  int64_t rows = 0, cols = 0;
  std::shared_ptr<const Pattern> pattern;  // null: dense
  std::vector<float> values;               // dense: column-major, rows * cols; else one per entry, column order
  bool frozen = false;

  bool sparse() const { return pattern != nullptr; }
  float at(int64_t i, int64_t j) const;  // 0 where there is no connection
};

// Same shape and pattern, all values +0.
Weights zeros_like(const Weights& w);

// NUMERICS, The hash: name, u32 rows, u32 cols, then (row, col, bits) of each non-zero, column-major.
void add_to_hash(Fnv1a& hash, const Weights& w);

}  // namespace dalea
