// What training did to the recurrent weights, condition by condition (SEEDS 2.6, F11): numbers, figures and tables from
// matrices alone. No files and no sessions, so that studies, the command line and the window make the same.
//
//   Result<WeightReport> r = report_weights({{"conventional", initial, final}, {"dale", initial, final}}, populations);
//   plot::Figure f = weights_figure(*r), m = weight_matrices_figure(*r);
//   std::string csv = weights_csv(*r), kl = weight_kl_csv(*r);
#pragma once

#include <array>
#include <string>
#include <vector>

#include "analysis/distributions.h"
#include "common/figure.h"
#include "common/report.h"
#include "numerics/weights.h"
#include "spec/spec.h"

namespace dalea {

// The runs of one condition: W_rec (post, pre) before and after training, as many of the one as of the other. Of a
// sparse matrix only the connections that exist are counted.
struct WeightGroup {
  std::string name;
  std::vector<Weights> initial, final;
};
// A dense matrix from numbers row by row, as other programs write them.
Weights weights_from_rows(int64_t rows, int64_t cols, const std::vector<float>& values);

struct WeightReportOptions {
  std::string reference = "conventional";  // divergences are from this group; none where no group has the name
  int64_t bins = 100;                      // of the histograms and of the divergences (published: 100)
  double scale = 0.2;                      // ends of the colours of the mean matrices (published: 0.2); 0: of their own
};

struct WeightTally {
  int64_t count = 0;                 // connections, all runs together
  int64_t zero = 0, negligible = 0;  // exactly 0; |w| < 1e-5, zeros included
  int64_t positive = 0, negative = 0;
  int64_t wrong_sign = 0;   // against the sign of the presynaptic population
  double mean = 0, sd = 0;  // sd with count - 1

  double share(int64_t of) const { return count > 0 ? static_cast<double>(of) / static_cast<double>(count) : 0.0; }
};
constexpr double negligible_weight = 1e-5;

struct WeightSet {
  WeightTally all;
  std::array<WeightTally, 3> by_sign;  // by the presynaptic population: excitatory, inhibitory, free (enum Sign)
  Histogram histogram;                 // WeightReport::edges
  std::vector<double> density;         // Gaussian kernels, at WeightReport::grid; empty where all weights are equal
};
struct WeightGroupReport {
  std::string name;
  int64_t runs = 0;
  WeightSet initial, final;
  // (post, pre), row by row: mean over runs of the final weights, an absent connection counts as 0; NaN where no run
  // has one.
  std::vector<float> mean_matrix;
};
// Divergence of a group from the reference over all pairs of runs; of the reference itself over pairs of different
// runs, which says what the other divergences are to be compared with.
struct WeightDivergence {
  std::string group;
  bool initial = false, itself = false;
  std::vector<std::pair<int64_t, int64_t>> runs;  // reference's, group's; from 0
  KlPairs common, published;                      // common bins; each over its own range (Q16)
};
struct WeightReport {
  std::vector<Population> populations;
  WeightReportOptions options;
  int64_t units = 0;
  std::vector<double> edges, grid;
  std::vector<WeightGroupReport> groups;
  std::vector<WeightDivergence> divergences;  // groups in order, the reference last; each final, then initial
};
Result<WeightReport> report_weights(const std::vector<WeightGroup>& groups, const std::vector<Population>& populations,
                                    const WeightReportOptions& options = {});

plot::Figure weights_figure(const WeightReport& report);          // densities before and after, and the divergences
plot::Figure weight_matrices_figure(const WeightReport& report);  // mean final matrix of each group
std::string weights_csv(const WeightReport& report);    // group,when,kind,low,high,count,density: bins and kernels
std::string weight_kl_csv(const WeightReport& report);  // a row for each pair of runs
ReportTable weight_table(const WeightReport& report);
ReportTable weight_kl_table(const WeightReport& report);

}  // namespace dalea
