// A recurrent matrix as analyses read it, however it is stored.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string>

#include "error.h"
#include "numerics/weights.h"

namespace dalea {

struct Synapses {
  int64_t units = 0;
  const Pattern* pattern = nullptr;  // which exist; null: all
  bool per_entry = false;            // values: one per entry of the pattern, column order; else all of the matrix
  std::span<const float> values;     // (post, pre) column-major, or per entry
};
inline Synapses synapses_of(const Weights& w) {
  return {w.rows, w.pattern.get(), w.sparse(), w.values};
}

// f(post, pre, weight) of every synapse that exists, column by column.
template <class F>
void each_synapse(const Synapses& w, F&& f) {
  for (int64_t j = 0; j < w.units; ++j) {
    const int64_t begin = w.pattern ? w.pattern->col_start[static_cast<size_t>(j)] : 0;
    const int64_t end = w.pattern ? w.pattern->col_start[static_cast<size_t>(j) + 1] : w.units;
    for (int64_t e = begin; e < end; ++e) {
      const int64_t i = w.pattern ? w.pattern->row[static_cast<size_t>(e)] : e;
      f(i, j, w.values[static_cast<size_t>(w.per_entry ? e : j * w.units + i)]);
    }
  }
}

// Square, as many values as its form needs, every existing weight finite; `name` begins the error's path.
inline Status check_synapses(const Synapses& w, const std::string& name) {
  const auto count = static_cast<int64_t>(w.values.size());
  const bool square = w.units > 0 && (!w.pattern || (w.pattern->rows == w.units && w.pattern->cols == w.units));
  if (w.per_entry && !w.pattern) return Error{name, "has values per entry but no pattern; give the pattern"};
  if (!square || count != (w.per_entry ? w.pattern->count() : w.units * w.units))
    return Error{name, "has " + std::to_string(count) + " values for " + std::to_string(w.units) +
                           " units; give a square matrix (post, pre) of at least one unit"};
  Status ok;
  each_synapse(w, [&](int64_t i, int64_t j, float v) {
    if (std::isfinite(v) || !ok) return;
    ok = Error{name + "[" + std::to_string(i) + ", " + std::to_string(j) + "]",
               "is not finite; leave out the run that failed, or go back to before it did"};
  });
  return ok;
}

}  // namespace dalea
