// Distributions of weights (SEEDS 2.6): histograms, kernel densities, and how far one is from another.
// Errors and values as in statistics.h. Densities are per unit of the values.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/check.h"
#include "error.h"

namespace dalea {

// Bin k holds edges[k] <= x < edges[k + 1]; the last bin includes its upper edge. Values outside are counted in `below`
// and `above` and in nothing else.
struct Histogram {
  std::vector<double> edges;    // strictly increasing, bins + 1
  std::vector<int64_t> counts;  // per bin
  int64_t below = 0, above = 0;

  int64_t inside() const;               // sum of counts
  std::vector<double> mass() const;     // counts / inside(); zeros when nothing is inside
  std::vector<double> density() const;  // mass / width: its integral over the edges is 1
};

// low .. high in equal steps, 1 to 1e6 bins, the last edge exactly high. low == high widens to low -+ 1/2.
Result<std::vector<double>> equal_edges(double low, double high, int64_t bins);
// Over the range of all values of all groups together: the edges that make histograms comparable.
Result<std::vector<double>> common_edges(std::span<const Values> groups, int64_t bins);

Result<Histogram> histogram(Values x, Values edges);            // edges may be uneven
Result<Histogram> histogram_own_range(Values x, int64_t bins);  // edges from the least to the largest value

// Gaussian kernel density at the grid's points, bandwidth by Scott's rule: sample sd * n^(-1/5) (Scott 1992). 2 values
// or more, not all equal; values x grid at most 1e9. A point farther than 38 bandwidths from every value gets 0.
struct KernelDensity {
  double bandwidth = 0;
  std::vector<double> density;  // per grid point
};
Result<KernelDensity> gaussian_kde(Values x, Values grid);
// Nearly the same for any number of values: those within a sixteenth of a bandwidth stand together at their mean, which
// changes the density by less than a thousandth of its peak. Grid ascending; no limit on values x grid.
Result<KernelDensity> binned_kde(Values x, Values grid);

// Kullback & Leibler 1951: sum of p ln(p / q) in nats, after dividing p and q by their sums. Entries >= 0; q must not
// be 0 where p is above 0.
Result<double> relative_entropy(Values p, Values q);

enum class KlMethod : uint8_t {
  // Both histograms over the joint range; epsilon is added to the share of values per bin.
  common_bins,
  // As published (SEEDS 2.6, quirk Q16): each density histogram over its own range, so bin k means different weights on
  // each side and a change of scale is invisible; epsilon is added to the densities. For comparison with the paper
  // only.
  own_ranges,
};
// Of `other` from `reference`: reference || other. epsilon > 0.
Result<double> kl_divergence(Values reference, Values other, KlMethod method, int64_t bins = 100,
                             double epsilon = 1e-7);

// All pairs reference x other, reference major. The paper printed mean and variance and drew published_bar; an honest
// figure shows mean and sd. The pairs share runs, so sd / sqrt(pairs) is no standard error.
struct KlPairs {
  std::vector<double> pairs;
  double mean = 0;
  double sd = 0;             // sample; 0 for a single pair
  double variance = 0;       // population (numpy's default)
  double published_bar = 0;  // 0.5 * variance
};
Result<KlPairs> kl_pairs(std::span<const Values> references, std::span<const Values> others, KlMethod method,
                         int64_t bins = 100, double epsilon = 1e-7);

}  // namespace dalea
