// Statistics of repeated runs (SEEDS 2.5, 3.6, 5.2): the unit is a run, a group is the runs of one condition.
// Everything is float64 with the same bits everywhere; sums run in index order. Every function answers with an error
// for values that are not finite or beyond 1e150, for too few values, and where lengths must match but do not. Values
// are in the caller's unit unless a comment says otherwise; p-values are two-sided. Randomness only where an Rng is
// taken.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/check.h"
#include "error.h"
#include "numerics/rng.h"

namespace dalea {

struct Interval {
  double low = 0, high = 0;
};

// How a p-value came about: from the whole distribution, from its normal limit, or from random relabelings.
enum class Method : uint8_t { exact, asymptotic, monte_carlo };
const char* name_of(Method method);

// ---- one group

struct Summary {
  int64_t count = 0;
  double mean = 0;
  double sd = 0;             // sample, divides by count - 1 (SEEDS 2.5: sd1)
  double sd_population = 0;  // divides by count (sd0, numpy's default)
  double standard_error = 0;
  double least = 0, median = 0, most = 0;
};
Result<Summary> summarise(Values x);  // 2 values or more
Result<double> mean_of(Values x);     // 1 or more

// The q-quantile, 0 <= q <= 1, linear between order statistics (type 7 of Hyndman & Fan 1996, numpy's and R's default).
Result<double> quantile(Values x, double q);

// Ranks from 1; equal values share the mean of theirs. Any finite values.
std::vector<double> mid_ranks(Values x);

// Area under the line through (x[i], y[i]); x strictly increasing, uneven steps allowed, 2 points or more.
Result<double> trapezoid(Values x, Values y);

// Percentile interval of the mean from `draws` resamples with replacement (Efron 1979); 2 values or more. With five
// runs it is too narrow (its spread is the population sd): prefer `welch` for comparisons.
Result<Interval> bootstrap_mean(Values x, Rng& rng, double confidence = 0.95, int64_t draws = 9999);

struct Correlation {
  double r = 0;
  double p = 0;  // Student's t with count - 2 degrees of freedom; exact for normal pairs, approximate for ranks
  int64_t count = 0;
};
Result<Correlation> pearson(Values x, Values y);   // 3 pairs or more, neither constant
Result<Correlation> spearman(Values x, Values y);  // Pearson's of the mid-ranks

// ---- rank tests

enum class RankMethod : uint8_t { exact_if_possible, asymptotic };

// Mann & Whitney 1947. u counts the pairs with a > b, ties as half.
// Exact (to 120 values together): the probability that U is at least as far from nm/2 as here over all relabelings of
// the values as they are, ties included, counted by dynamic programming. Without ties it is the usual exact p.
// Asymptotic: normal with tie and continuity correction, the variant of the pruning figure (SEEDS 3.6).
constexpr int64_t mann_whitney_exact_limit = 120;
struct MannWhitney {
  double u = 0;
  double p = 1;
  Method method = Method::exact;
  bool ties = false;
};
Result<MannWhitney> mann_whitney(Values a, Values b, RankMethod method = RankMethod::exact_if_possible);

// Wilcoxon 1945, signed ranks of the differences a[i] - b[i]. Pairs without difference are left out (`used` counts the
// others); none used gives p = 1. Exact (to 200 used pairs): over all signs, ties included. Asymptotic: with tie and
// continuity correction. Five pairs cannot go below p = 0.0625.
constexpr int64_t wilcoxon_exact_limit = 200;
struct Wilcoxon {
  double w_plus = 0;  // sum of the ranks of positive differences
  int64_t used = 0;
  double p = 1;
  Method method = Method::exact;
  bool ties = false;
};
Result<Wilcoxon> wilcoxon(Values a, Values b, RankMethod method = RankMethod::exact_if_possible);

// ---- permutation tests
// Exact over all C(n + m, n) relabelings when these are at most 200 000 (10 + 10 runs are) and relabelings x values at
// most 2e10; otherwise `draws` random relabelings from `rng` and p = (reached + 1) / (draws + 1), valid at any number
// of draws (Phipson & Smyth 2010). More than 2e10 draws x values are an error. Statistics that differ by rounding only
// count as equal. 2 runs or more in each group.
constexpr int64_t relabelings_exact_limit = 200'000;

enum class Statistic : uint8_t {
  mean_difference,  // mean a - mean b
  // Welch's t. A spread below 1e-12 of the values' range is zero; no spread in both groups gives 0 for equal means and
  // otherwise an infinity with the sign of the difference, never NaN.
  welch_t,
};

struct PermutationTest {
  double statistic = 0;
  double p = 1;
  Method method = Method::exact;
  int64_t relabelings = 0;  // all of them, or the draws
};
Result<PermutationTest> permutation_test(Values a, Values b, Statistic statistic, Rng& rng, int64_t draws = 9999);

// Many endpoints of the same runs, row-major: values[run * endpoints + endpoint].
struct RunTable {
  int64_t runs = 0, endpoints = 0;
  Values values;
};

// Westfall & Young 1993: family-wise error over all endpoints from one joint relabeling of runs, so that their
// correlation is used. Statistic: welch_t as above (an endpoint with one value everywhere has t = 0 and p = 1 and never
// enters the maximum). Per endpoint: the unadjusted p, the single-step and the step-down max-T adjusted p (never above
// single-step).
struct MaxT {
  std::vector<double> statistic, p, p_single_step, p_step_down;
  Method method = Method::exact;
  int64_t relabelings = 0;
};
Result<MaxT> westfall_young(const RunTable& a, const RunTable& b, Rng& rng, int64_t draws = 9999);

// ---- many p-values: adjusted, in the order given; each in 0 .. 1, one or more
Result<std::vector<double>> holm(Values p);                // family-wise error (Holm 1979)
Result<std::vector<double>> benjamini_hochberg(Values p);  // false discovery rate (Benjamini & Hochberg 1995)

// ---- sizes of effects: a against b, 2 runs or more in each

// Welch 1947: unequal variances, Satterthwaite's degrees of freedom. An error when neither group has any spread.
struct Welch {
  double difference = 0;  // mean a - mean b
  double standard_error = 0, t = 0, df = 0, p = 1;
  Interval interval;  // of the difference
};
Result<Welch> welch(Values a, Values b, double confidence = 0.95);

// Hedges 1981. d = (mean a - mean b) / pooled sd, g = correction * d with the exact correction
// Gamma(df/2) / (sqrt(df/2) Gamma((df-1)/2)), unbiased. The interval is of the population's standardised difference,
// exact for normal groups of equal variance: the noncentrality parameters under which the t seen lies at the upper and
// lower (1 - confidence) / 2 (Steiger & Fouladi 1997), by bisection; it is not multiplied by the correction.
struct HedgesG {
  double g = 0, d = 0, correction = 1, df = 0;
  Interval interval;
};
Result<HedgesG> hedges_g(Values a, Values b, double confidence = 0.95);

// exp of `welch` on the logarithms: values above 0; an end beyond 1.8e308 is infinite. For errors such as MSE, where a
// factor matters, not a difference.
struct GeometricRatio {
  double ratio = 1;  // geometric mean of a / that of b
  double p = 1;
  Interval interval;
};
Result<GeometricRatio> ratio_of_geometric_means(Values a, Values b, double confidence = 0.95);

enum class Scale : uint8_t { difference, ratio };
enum class Better : uint8_t { lower, higher };
enum class Verdict : uint8_t { non_inferior, undecided, inferior };
const char* name_of(Verdict verdict);

// Is `a` at most `margin` worse than `b`? Scale difference: margin > 0 in the values' unit. Scale ratio: margin > 1, a
// factor between geometric means (2: at most twice the error). From the two-sided interval of confidence 1 - 2 alpha:
// non_inferior when it lies wholly on the good side of the margin (one-sided test at alpha), inferior when wholly on
// the bad side, otherwise undecided - too few runs, not equality. 0 < alpha < 0.5.
struct NonInferiority {
  Verdict verdict = Verdict::undecided;
  double estimate = 0;  // difference or ratio, a against b
  Interval interval;
  double limit = 0;  // the margin where it lies on that scale: -margin or 1/margin when higher is better
};
Result<NonInferiority> non_inferiority(Values a, Values b, double margin, Scale scale, Better better,
                                       double alpha = 0.05);

}  // namespace dalea
