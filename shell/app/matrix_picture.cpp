#include "app/matrix_picture.h"

#include <algorithm>
#include <cmath>

namespace dalea::app {
namespace {

// Colours of -1 .. 1 in steps of 1/512.
const std::vector<uint32_t>& ramp() {
  static const std::vector<uint32_t> table = [] {
    std::vector<uint32_t> t(1025);
    for (int k = 0; k <= 1024; ++k) t[static_cast<size_t>(k)] = packed(weight_color(static_cast<float>(k - 512), 512));
    return t;
  }();
  return table;
}

// The values of `base` as `m` stores its own: networks that were pruned between the two are stored otherwise.
MatrixView stored_as(const MatrixView& m, const MatrixView& base) {
  MatrixView view;
  view.units = m.units;
  view.sparse = m.sparse;
  view.pattern = m.pattern;
  view.values.resize(m.values.size());
  for (int64_t j = 0; j < m.units; ++j)
    if (m.sparse)
      for (int64_t e = m.pattern->col_start[j]; e < m.pattern->col_start[j + 1]; ++e)
        view.values[static_cast<size_t>(e)] = base.at(m.pattern->row[static_cast<size_t>(e)], j);
    else
      for (int64_t i = 0; i < m.units; ++i) view.values[static_cast<size_t>(j * m.units + i)] = base.at(i, j);
  return view;
}

}  // namespace

float nice_scale(float v) {
  if (!(v > 0)) return 1;
  const float ten = std::pow(10.0f, std::floor(std::log10(v)));
  for (float m : {1.0f, 2.0f, 5.0f})
    if (v <= m * ten * 1.0001f) return m * ten;
  return 10 * ten;
}

float typical_largest(const MatrixView& now, const MatrixView* base) {
  MatrixView other;
  if (base != nullptr && base->values.size() != now.values.size()) {
    other = stored_as(now, *base);
    base = &other;
  }
  std::vector<float> sizes;
  const size_t stride = std::max<size_t>(1, now.values.size() / 20000);
  for (size_t e = 0; e < now.values.size(); e += stride) {
    const float v = std::fabs(base ? now.values[e] - base->values[e] : now.values[e]);
    if (v > 0) sizes.push_back(v);
  }
  if (sizes.empty()) return 0;
  const auto k = sizes.begin() + static_cast<std::ptrdiff_t>(0.995 * static_cast<double>(sizes.size() - 1));
  std::nth_element(sizes.begin(), k, sizes.end());
  return *k;
}

int paint_matrix(const MatrixView& m, const MatrixView* base, float scale, std::vector<uint32_t>& pixels,
                 const std::vector<int32_t>& order) {
  MatrixView other;
  if (base != nullptr && base->values.size() != m.values.size()) {
    other = stored_as(m, *base);
    base = &other;
  }
  const int64_t n = m.units, shrink = (n + most_pixels - 1) / most_pixels, side = (n + shrink - 1) / shrink;
  const std::vector<uint32_t>& colors = ramp();
  const float k = 512 / scale;
  const auto color = [&](float v) { return colors[static_cast<size_t>(std::clamp(v * k + 512.5f, 0.0f, 1024.0f))]; };
  pixels.resize(static_cast<size_t>(side * side));
  const auto value = [&](size_t e) { return base ? m.values[e] - base->values[e] : m.values[e]; };
  std::vector<int32_t> place(order.size());
  for (size_t k = 0; k < order.size(); ++k) place[static_cast<size_t>(order[k])] = static_cast<int32_t>(k);
  if (shrink == 1 && !m.pattern && order.empty()) {
    for (size_t e = 0; e < pixels.size(); ++e) pixels[e] = color(value(e));
    return static_cast<int>(side);
  }
  if (m.pattern) std::fill(pixels.begin(), pixels.end(), packed(absent_color));
  std::vector<float> strongest(shrink > 1 ? pixels.size() : 0, -1);
  const auto put = [&](int64_t post, int64_t pre, float v) {
    if (!place.empty()) {
      post = place[static_cast<size_t>(post)];
      pre = place[static_cast<size_t>(pre)];
    }
    const auto at = static_cast<size_t>(pre / shrink * side + post / shrink);
    if (shrink > 1) {
      if (std::fabs(v) <= strongest[at]) return;
      strongest[at] = std::fabs(v);
    }
    pixels[at] = color(v);
  };
  for (int64_t j = 0; j < n; ++j) {
    if (m.pattern)
      for (int64_t e = m.pattern->col_start[j]; e < m.pattern->col_start[j + 1]; ++e) {
        const int64_t i = m.pattern->row[static_cast<size_t>(e)];
        put(i, j, value(static_cast<size_t>(m.sparse ? e : j * n + i)));
      }
    else
      for (int64_t i = 0; i < n; ++i) put(i, j, value(static_cast<size_t>(j * n + i)));
  }
  return static_cast<int>(side);
}

}  // namespace dalea::app
