// What Balwani et al. 2025 and its published notebooks report: the numbers that ours stand beside (SEEDS 2.5, 2.6, 3.5
// to 3.8). Used by the reports alone.
#pragma once

#include <array>
#include <string>
#include <vector>

namespace dalea::reproduce {

// Final epoch of the five published runs: flip-flop and wave the sum of the test batches' mean squared errors, digits
// the test accuracy in percent.
struct PublishedCell {
  const char* task;
  const char* condition;
  std::array<double, 5> runs;
};
constexpr PublishedCell published_cells[] = {
    {"flip-flop", "conventional", {0.010593, 0.000783, 0.021691, 0.017240, 0.003452}},
    {"flip-flop", "rectified", {0.513975, 0.001124, 0.014623, 0.031350, 3.020655}},
    {"flip-flop", "dale", {0.001417, 0.001649, 0.005097, 0.000823, 0.002983}},
    {"wave", "conventional", {0.017495, 0.027733, 0.034889, 0.047470, 0.050947}},
    {"wave", "rectified", {0.044232, 0.013967, 0.024503, 0.017075, 0.040223}},
    {"wave", "dale", {0.028493, 0.027157, 0.026712, 0.036858, 0.021440}},
    {"digits", "conventional", {96.34, 96.95, 95.92, 97.35, 97.69}},
    {"digits", "rectified", {51.97, 85.87, 79.50, 86.69, 87.20}},
    {"digits", "dale", {95.62, 94.79, 95.19, 95.15, 95.34}},
};

// Means over the five runs at some epochs.
struct PublishedCurve {
  const char* task;
  const char* condition;
  std::vector<double> epoch, mean;
};
inline const std::vector<PublishedCurve>& published_curves() {
  static const std::vector<double> flip{1, 10, 25, 50, 75, 100}, wave{1, 2, 5, 10, 15, 20, 25},
      digits{1, 5, 10, 20, 30, 40, 50};
  static const std::vector<PublishedCurve> all{
      {"flip-flop", "conventional", flip, {3.206, 2.933, 0.725, 1.667, 0.213, 0.0108}},
      {"flip-flop", "rectified", flip, {3.240, 3.089, 2.197, 1.253, 1.122, 0.716}},
      {"flip-flop", "dale", flip, {3.204, 1.837, 1.103, 0.0180, 0.0058, 0.0024}},
      {"wave", "conventional", wave, {7.44, 6.89, 3.45, 0.851, 0.106, 0.0568, 0.0357}},
      {"wave", "rectified", wave, {7.69, 7.50, 6.93, 2.314, 0.219, 0.0508, 0.0280}},
      {"wave", "dale", wave, {7.92, 6.45, 1.45, 0.194, 0.0413, 0.0333, 0.0281}},
      {"digits", "conventional", digits, {14.6, 76.6, 89.2, 94.60, 95.86, 96.57, 96.85}},
      {"digits", "rectified", digits, {10.7, 46.8, 51.6, 66.3, 70.3, 74.8, 78.3}},
      {"digits", "dale", digits, {11.1, 64.4, 79.5, 91.52, 94.09, 94.59, 95.22}},
  };
  return all;
}

// Divergence of the final weights from the conventional network's, each histogram over its own range (Q16): mean.
struct PublishedKl {
  const char* task;
  double rectified, dale;
};
constexpr PublishedKl published_kl[] = {{"flip-flop", 11.533, 2.002}, {"wave", 4.279, 0.384}, {"digits", 6.042, 0.835}};

// Error against sparsity without retraining, one batch, mean over the runs; densities as published_densities().
struct PublishedSweep {
  const char* task;
  std::array<double, 15> random, top_prob, p;  // p: asymptotic Mann-Whitney at each density
  double smallest_p, mean_p;                   // as annotated in the figure, and in the version before it
};
constexpr PublishedSweep published_sweeps[] = {
    {"flip-flop",
     {.6256, .6244, .5972, .5798, .5672, .5511, .5993, .5118, .4943, .4177, .4618, .3401, .1991, .0812, .0010},
     {.6256, .6163, .7029, .5852, .5943, .4297, .2378, .0946, .0025, .0017, .0016, .0011, .0011, .0010, .0010},
     {1, .095, .676, .144, .676, .676, .095, .012, .012, .012, .012, .012, .012, .037, 1},
     .0122,
     .298},
    {"wave",
     {.2410, .2379, .2065, .1841, .1545, .1265, .1085, .0898, .0786, .0490, .0319, .0240, .0134, .0109, .0063},
     {.2410, .2348, .1780, .1293, .1004, .1033, .1192, .1047, .0562, .0308, .0186, .0104, .0075, .0064, .0063},
     {1, .676, .403, .210, .296, .296, .296, .210, .144, .144, .144, .022, .037, .022, 1},
     .0216,
     .327},
    {"digits",
     {3.542, 3.549, 3.705, 3.873, 3.814, 4.369, 4.157, 4.638, 4.699, 5.041, 4.529, 3.535, 2.493, 1.124, .1805},
     {3.542, 3.622, 4.464, 4.803, 3.952, 3.638, 2.706, 2.270, 1.395, 1.007, .6496, .2844, .1976, .1763, .1805},
     {1, .676, .296, .296, .676, .403, .403, .060, .022, .012, .012, .012, .012, .012, 1},
     .0122,
     .326}};

// Wave networks retrained for ten epochs at density .086: training loss, the sum of ten batches, first and last epoch.
constexpr std::array<double, 5> published_retrained_random_first{1.063, 1.495, 2.205, 1.693, .990},
    published_retrained_random_last{.0122, .0153, .0136, .0105, .0386},
    published_retrained_top_prob_first{.821, 1.079, 1.969, 1.352, .800},
    published_retrained_top_prob_last{.0141, .0183, .0156, .0124, .0423};

// Expected overlap with the maximum spanning tree, N = 50, uniform weights: sparsity, top-prob, random, published
// bound.
struct PublishedOverlap {
  double sparsity, top_prob, random, bound;
};
constexpr PublishedOverlap published_overlap[] = {{.2, 1.00, .78, .167}, {.4, 1.00, .60, .167}, {.5, .974, .50, .165},
                                                  {.6, .779, .40, .132}, {.8, .390, .20, .066}, {.9, .195, .10, .033},
                                                  {.95, .097, .05, .017}};

}  // namespace dalea::reproduce
