#include "analysis/sign_weights.h"

#include <algorithm>
#include <cmath>

namespace dalea {

Result<std::vector<double>> edges_at_zero(std::span<const Synapses> matrices, int64_t bins) {
  if (bins < 1 || bins > 100'000)
    return Error{"bins", "is " + std::to_string(bins) + "; give 1 to 100000, 60 is usual"};
  double low = 0, high = 0;
  for (const Synapses& w : matrices) {
    if (Status ok = check_synapses(w, "W_rec"); !ok) return ok.error();
    each_synapse(w, [&](int64_t, int64_t, float v) {
      low = std::min(low, static_cast<double>(v));
      high = std::max(high, static_cast<double>(v));
    });
  }
  if (low == high) {
    low = -0.5;
    high = 0.5;
  }
  const double least = (high - low) / static_cast<double>(bins);
  double ten = 1;
  while (ten > least) ten /= 10;
  while (ten * 10 <= least) ten *= 10;
  double width = 10 * ten;
  for (double m : {5.0, 2.0, 1.0})
    if (m * ten >= least) width = m * ten;
  auto from = static_cast<int64_t>(std::floor(low / width)), to = static_cast<int64_t>(std::ceil(high / width));
  while (static_cast<double>(from) * width > low) --from;
  while (static_cast<double>(to) * width < high) ++to;
  std::vector<double> edges;
  for (int64_t k = from; k <= to; ++k) edges.push_back(static_cast<double>(k) * width);
  return edges;
}

Result<WeightsBySign> weights_by_sign(const Synapses& w, std::span<const Sign> sign, Values edges) {
  if (Status ok = check_synapses(w, "W_rec"); !ok) return ok.error();
  if (static_cast<int64_t>(sign.size()) != w.units)
    return Error{"sign", "has " + std::to_string(sign.size()) + " entries for " + std::to_string(w.units) +
                             " units; give one for each unit"};
  WeightsBySign out;
  std::array<std::vector<double>, 3> values;
  const auto kind = [&](int64_t j) { return static_cast<size_t>(sign[static_cast<size_t>(j)]); };
  each_synapse(w, [&](int64_t, int64_t j, float v) {
    SignWeights& s = out[kind(j)];
    ++s.synapses;
    s.mean += static_cast<double>(v);
    if (v == 0)
      ++s.zero;
    else
      values[kind(j)].push_back(static_cast<double>(v));
  });
  for (SignWeights& s : out) s.mean /= static_cast<double>(std::max<int64_t>(1, s.synapses));
  for (size_t k = 0; k < out.size(); ++k) {
    SignWeights& s = out[k];
    double squares = static_cast<double>(s.zero) * s.mean * s.mean;
    for (double v : values[k]) squares += (v - s.mean) * (v - s.mean);
    if (s.synapses > 1) s.sd = std::sqrt(squares / static_cast<double>(s.synapses - 1));
    const double none[] = {0};  // the edges alone
    Result<Histogram> h = histogram(values[k].empty() ? Values(none) : Values(values[k]), edges);
    if (!h) return h.error();
    s.histogram = std::move(*h);
    if (!values[k].empty()) continue;
    std::fill(s.histogram.counts.begin(), s.histogram.counts.end(), 0);
    s.histogram.below = s.histogram.above = 0;
  }
  return out;
}

std::vector<Sign> signs_of(const std::vector<Population>& populations) {
  std::vector<Sign> signs;
  for (const Population& p : populations) signs.insert(signs.end(), static_cast<size_t>(p.size), p.sign);
  return signs;
}

const char* text_of(Sign sign) {
  return sign == Sign::excitatory ? "excitatory" : sign == Sign::inhibitory ? "inhibitory" : "free";
}

}  // namespace dalea
