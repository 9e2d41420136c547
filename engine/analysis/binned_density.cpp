// Kernel densities of millions of weights: values that lie close together are one value with a count.
#include <algorithm>
#include <cmath>

#include "analysis/distributions.h"
#include "analysis/statistics.h"
#include "numerics/math.h"

namespace dalea {
namespace {

constexpr double bins_per_bandwidth = 16, most_bins = 1e6;
constexpr double reach = 38;  // bandwidths; as gaussian_kde

struct Heap {
  double at = 0;  // the mean of its values, so that equal values (zeros of Dale's projection) stay exactly there
  double count = 0;
};

std::vector<Heap> heaps_of(Values x, double least, double most, double bandwidth) {
  const double wanted = (most - least) / bandwidth * bins_per_bandwidth + 1;
  const auto bins = static_cast<size_t>(std::min(wanted, most_bins));
  const double per_value = static_cast<double>(bins) / (most - least);
  std::vector<Heap> heaps(bins);
  for (double v : x) {
    Heap& h = heaps[std::min(bins - 1, static_cast<size_t>((v - least) * per_value))];
    h.count += 1;
    h.at += (v - h.at) / h.count;
  }
  heaps.erase(std::remove_if(heaps.begin(), heaps.end(), [](const Heap& h) { return h.count == 0; }), heaps.end());
  return heaps;
}

}  // namespace

Result<KernelDensity> binned_kde(Values x, Values grid) {
  if (Status s = check_values(x, "x", 2); !s) return s.error();
  if (Status s = check_values(grid, "grid", 1); !s) return s.error();
  if (!std::is_sorted(grid.begin(), grid.end())) return Error{"grid", "is not ascending; sort it"};
  const Summary s = *summarise(x);
  const double n = static_cast<double>(x.size());
  KernelDensity k;
  k.bandwidth = s.sd * portable::exp(-portable::log(n) / 5);
  if (!(k.bandwidth > 0)) return Error{"x", "has no spread, so there is no density; show the one value"};
  const std::vector<Heap> heaps = heaps_of(x, s.least, s.most, k.bandwidth);
  constexpr double root_two_pi = 2.5066282746310005024;
  const double scale = 1 / (n * k.bandwidth * root_two_pi);
  size_t first = 0;  // the heaps before it are out of reach of this point and of those that follow
  for (double at : grid) {
    while (first < heaps.size() && heaps[first].at < at - reach * k.bandwidth) ++first;
    double sum = 0;
    for (size_t h = first; h < heaps.size() && heaps[h].at <= at + reach * k.bandwidth; ++h) {
      const double z = (at - heaps[h].at) / k.bandwidth;
      sum += heaps[h].count * portable::exp(-0.5 * z * z);
    }
    k.density.push_back(sum * scale);
  }
  return k;
}

}  // namespace dalea
