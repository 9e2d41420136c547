#include "app/unit_order.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace dalea::app {
namespace {

// Smaller ones first.
using Key = std::pair<double, double>;
constexpr Key last = {1e300, 0};

Key peak_of(const std::vector<double>& z) {
  const auto low = std::min_element(z.begin(), z.end()), high = std::max_element(z.begin(), z.end());
  if (!(*high > *low)) return last;
  const auto peak =
      std::max_element(z.begin(), z.end(), [](double a, double b) { return std::fabs(a) < std::fabs(b); });
  return {static_cast<double>(peak - z.begin()), -std::fabs(*peak)};
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const auto n = static_cast<double>(a.size());
  const double ma = std::accumulate(a.begin(), a.end(), 0.0) / n, mb = std::accumulate(b.begin(), b.end(), 0.0) / n;
  double ab = 0, aa = 0, bb = 0;
  for (size_t k = 0; k < a.size(); ++k) {
    ab += (a[k] - ma) * (b[k] - mb);
    aa += (a[k] - ma) * (a[k] - ma);
    bb += (b[k] - mb) * (b[k] - mb);
  }
  return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : 0;
}

Key selectivity_of(const std::vector<double>& z, const std::vector<std::vector<double>>& targets) {
  Key best = last;
  double most = 1e-9;
  for (size_t c = 0; c < targets.size(); ++c) {
    const double r = correlation(z, targets[c]);
    if (std::fabs(r) <= most) continue;
    most = std::fabs(r);
    best = {static_cast<double>(c), -r};
  }
  return best;
}

// Every channel of (step, channel) by itself; what is not finite as 0.
std::vector<std::vector<double>> channels_of(const std::vector<float>& v, int64_t steps) {
  const int64_t channels = steps > 0 ? static_cast<int64_t>(v.size()) / steps : 0;
  std::vector<std::vector<double>> out(static_cast<size_t>(channels), std::vector<double>(static_cast<size_t>(steps)));
  for (int64_t t = 0; t < steps; ++t)
    for (int64_t c = 0; c < channels; ++c) {
      const float x = v[static_cast<size_t>(t * channels + c)];
      out[static_cast<size_t>(c)][static_cast<size_t>(t)] = std::isfinite(x) ? static_cast<double>(x) : 0.0;
    }
  return out;
}

}  // namespace

std::vector<int32_t> unit_order(const std::vector<PopulationView>& populations, const TraceView& trial,
                                Sorting sorting) {
  const int64_t units = populations.empty() ? 0 : populations.back().units.end;
  if (sorting == Sorting::as_built || units == 0 || static_cast<int64_t>(trial.activity.size()) != units * trial.steps)
    return {};
  const auto activity = channels_of(trial.activity, trial.steps), targets = channels_of(trial.target, trial.steps);
  std::vector<Key> keys;
  for (const std::vector<double>& z : activity)
    keys.push_back(sorting == Sorting::peak_time ? peak_of(z) : selectivity_of(z, targets));
  std::vector<int32_t> order(static_cast<size_t>(units));
  std::iota(order.begin(), order.end(), 0);
  for (const PopulationView& p : populations)
    std::stable_sort(order.begin() + p.units.begin, order.begin() + p.units.end,
                     [&](int32_t a, int32_t b) { return keys[static_cast<size_t>(a)] < keys[static_cast<size_t>(b)]; });
  return order;
}

}  // namespace dalea::app
