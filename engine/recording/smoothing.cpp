#include "recording/smoothing.h"

#include <algorithm>
#include <cmath>

#include "numerics/math.h"

namespace dalea {

Reach smoothing_reach(const RecordingSpec& spec) {
  if (spec.smoothing == "none") return {};
  const auto cut = static_cast<int64_t>(std::ceil(4 * spec.smoothing_sd));
  return {cut, spec.smoothing == "centred" ? cut : 0};
}

void smooth(std::vector<float>& values, int64_t frames, int64_t units, Reach reach, double sd) {
  if (reach.before == 0 && reach.after == 0) return;
  std::vector<double> weight;  // of the frame d away, by |d|
  for (int64_t d = 0; d <= std::max(reach.before, reach.after); ++d) {
    const double x = static_cast<double>(d) / sd;
    weight.push_back(portable::exp(-0.5 * x * x));
  }
  const std::vector<float> from = values;
  std::vector<double> sum(static_cast<size_t>(units)), total = sum;
  for (int64_t f = 0; f < frames; ++f) {
    std::fill(sum.begin(), sum.end(), 0.0);
    std::fill(total.begin(), total.end(), 0.0);
    for (int64_t g = std::max<int64_t>(0, f - reach.before); g <= std::min(frames - 1, f + reach.after); ++g) {
      const double w = weight[std::abs(g - f)];
      const float* x = from.data() + g * units;
      for (int64_t u = 0; u < units; ++u) {
        const bool there = !std::isnan(x[u]);
        sum[u] += there ? w * static_cast<double>(x[u]) : 0.0;
        total[u] += there ? w : 0.0;
      }
    }
    float* to = values.data() + f * units;
    for (int64_t u = 0; u < units; ++u)
      if (!std::isnan(to[u])) to[u] = static_cast<float>(sum[u] / total[u]);
  }
}

}  // namespace dalea
