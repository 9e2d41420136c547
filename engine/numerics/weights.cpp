#include "numerics/weights.h"

#include <algorithm>

namespace dalea {

std::shared_ptr<const Pattern> make_pattern(int64_t rows, int64_t cols, std::vector<int64_t> col_start,
                                            std::vector<int32_t> row) {
  auto p = std::make_shared<Pattern>();
  p->rows = rows;
  p->cols = cols;
  p->col_start = std::move(col_start);
  p->row = std::move(row);
  p->row_start.assign(static_cast<size_t>(rows) + 1, 0);
  for (int32_t i : p->row) ++p->row_start[i + 1];
  for (int64_t i = 0; i < rows; ++i) p->row_start[i + 1] += p->row_start[i];
  p->col.resize(p->row.size());
  p->at.resize(p->row.size());
  std::vector<int64_t> next(p->row_start.begin(), p->row_start.end() - 1);
  for (int64_t j = 0; j < cols; ++j) {
    for (int64_t e = p->col_start[j]; e < p->col_start[j + 1]; ++e) {
      const int64_t to = next[p->row[e]]++;
      p->col[to] = static_cast<int32_t>(j);
      p->at[to] = e;
    }
  }
  return p;
}

std::shared_ptr<const Pattern> make_pattern(int64_t rows, int64_t cols, const std::vector<uint8_t>& mask) {
  std::vector<int64_t> start{0};
  std::vector<int32_t> row;
  for (int64_t j = 0; j < cols; ++j) {
    for (int64_t i = 0; i < rows; ++i)
      if (mask[j * rows + i] != 0) row.push_back(static_cast<int32_t>(i));
    start.push_back(static_cast<int64_t>(row.size()));
  }
  return make_pattern(rows, cols, std::move(start), std::move(row));
}

float Weights::at(int64_t i, int64_t j) const {
  if (!pattern) return values[j * rows + i];
  const auto begin = pattern->row.begin() + pattern->col_start[j],
             end = pattern->row.begin() + pattern->col_start[j + 1];
  const auto it = std::lower_bound(begin, end, static_cast<int32_t>(i));
  return it != end && *it == i ? values[it - pattern->row.begin()] : 0.0f;
}

Weights zeros_like(const Weights& w) {
  Weights z = w;
  std::fill(z.values.begin(), z.values.end(), 0.0f);
  return z;
}

void add_to_hash(Fnv1a& hash, const Weights& w) {
  hash.text(w.name);
  hash.u32(static_cast<uint32_t>(w.rows));
  hash.u32(static_cast<uint32_t>(w.cols));
  for (int64_t j = 0; j < w.cols; ++j) {
    const int64_t begin = w.sparse() ? w.pattern->col_start[j] : j * w.rows;
    const int64_t end = w.sparse() ? w.pattern->col_start[j + 1] : (j + 1) * w.rows;
    for (int64_t e = begin; e < end; ++e) {
      if (w.values[e] == 0) continue;
      hash.u32(static_cast<uint32_t>(w.sparse() ? w.pattern->row[e] : e - begin));
      hash.u32(static_cast<uint32_t>(j));
      hash.f32(w.values[e]);
    }
  }
}

}  // namespace dalea
