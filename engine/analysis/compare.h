// Conditions compared block by block (SEEDS 5). The unit is a run: a replicate of the optimisation, not an animal.
//
// Tests: run labels are permuted over all conditions at once, so that the blocks' correlation is kept; a pair's
// statistic in a block is Welch's t (studentised), and its adjusted p says how often the largest |t| over blocks
// (Westfall & Young 1993) is as large. Two conditions: step-down, the family-wise error is exact whichever blocks
// differ. More: single-step over blocks and pairs; exact where no condition differs from another, otherwise
// approximate (a third condition's runs take part in the relabeling; studentising is what keeps that fair).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "analysis/blocks.h"
#include "analysis/statistics.h"

namespace dalea {

enum class BlockWeights : uint8_t { abs, raw };  // mean |w| or mean w of a block
const char* name_of(BlockWeights weights);
Result<BlockWeights> parse_block_weights(std::string_view name);

struct Condition {
  std::string name;
  std::vector<BlockAverages> runs;  // 2 or more
};

constexpr int64_t compare_relabelings = 20'000;  // all of them to this number, else this many, the labels seen included
struct CompareOptions {
  BlockWeights weights = BlockWeights::abs;
  std::string reference;  // only pairs with this condition; empty: all pairs
  double alpha = 0.05;    // family-wise
  uint64_t seed = 1;      // of random relabelings
};

// b minus a in one block; values in the weights' unit.
struct BlockComparison {
  bool tested = false;  // structurally possible and not the same value in every run
  double mean_a = 0, mean_b = 0;
  double difference = 0;     // mean_b - mean_a, = the mean over all pairs of runs, as published
  Interval interval;         // of the difference, 95 %, Welch; not a number where no group varies
  double g = 0;              // Hedges' g; not a number where no group varies
  Interval g_interval;       // 95 %
  double t = 0;              // Welch's; infinite where neither group varies and the means differ
  double p = 1;              // of this block alone, two-sided, relabeling the pair's own runs
  double p_bh = 1;           // Benjamini & Hochberg over the pair's tested blocks
  double p_adjusted = 1;     // max-T, family-wise
  bool significant = false;  // p_adjusted <= alpha
};
struct PairComparison {
  size_t a = 0, b = 0;                  // conditions
  std::vector<BlockComparison> blocks;  // (post, pre)
};

// Which pairs are tested together.
struct ComparedPairs {
  int64_t conditions = 2;
  bool with_one = false;  // only pairs with a reference
  int64_t count() const { return with_one ? conditions - 1 : conditions * (conditions - 1) / 2; }
};

struct Comparison {
  BlockGroups groups;
  CompareOptions options;
  std::vector<std::string> names;  // of the conditions
  std::vector<int64_t> runs;       // of each
  std::vector<uint8_t> possible;   // (post, pre)
  // values[condition][run][block]: what was compared; densities likewise.
  std::vector<std::vector<std::vector<double>>> values, densities;
  std::vector<PairComparison> pairs;
  int64_t tested = 0;  // structurally possible blocks
  Method method = Method::exact;
  int64_t relabelings = 0;  // the labels seen included
  bool step_down = true;
  double least_p = 0;        // the smallest adjusted p that can come out
  double least_block_p = 0;  // of one block of the first pair alone
  // How many blocks would have to reach least_block_p together before Benjamini-Hochberg could call any significant.
  int64_t bh_needs = 0;

  std::vector<double> mean_of(size_t condition) const;     // (post, pre) over runs
  std::vector<double> density_of(size_t condition) const;  // likewise
  std::vector<Dispersion> dispersion_of(size_t condition) const;
  ComparedPairs compared() const { return {static_cast<int64_t>(names.size()), !options.reference.empty()}; }
  std::vector<double> density_of_pair(const PairComparison& pair) const;  // mean of both, as published
};

// `possible`: possible_blocks(). `progress` hears 0 .. 1 now and then and gives false to cancel; it may be null. An
// error: fewer than 2 conditions or 2 runs, names that are not unique, an unknown reference, blocks that do not fit the
// groups, values that are not finite, nothing to test, or "cancelled".
Result<Comparison> compare_conditions(const BlockGroups& groups, const std::vector<uint8_t>& possible,
                                      const std::vector<Condition>& conditions, const CompareOptions& options,
                                      const std::function<bool(double)>& progress = nullptr);

// The smallest population effect (mean difference over sd, what g estimates) in one of `blocks` blocks that k runs in
// each of two conditions show with this power by the test above. Normal runs, independent blocks: |t| with 2k - 2
// degrees of freedom beyond the quantile that the largest of `blocks` exceeds at the attainable level (the largest
// multiple of 2 / C(2k, k) up to alpha); noncentral t. Correlated blocks need less. Infinite where that level is 0.
// Of more conditions, one of which differs from another: the largest over blocks and pairs, relabeling them all.
double detectable_effect(int64_t k, int64_t blocks, double alpha = 0.05, double power = 0.8, ComparedPairs pairs = {});
struct PowerPoint {
  int64_t runs = 0;  // in each condition
  double g = 0;
  double least_p = 0;  // 2 / C(2k, k), or 1 / compare_relabelings
};
// 3 .. 20 runs
std::vector<PowerPoint> power_curve(int64_t blocks, double alpha = 0.05, double power = 0.8, ComparedPairs pairs = {});

}  // namespace dalea
