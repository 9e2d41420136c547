#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "analysis/statistics.h"

namespace dalea {
namespace {

constexpr double work_limit = 2e10;  // relabelings x values

// Which runs form the first group: all possibilities in lexicographic order (the given labels first), or random ones.
class Relabelings {
 public:
  // `values`: all values that one relabeling touches.
  static Result<Relabelings> plan(int64_t n, int64_t m, double values, int64_t draws) {
    Relabelings r;
    r.n_ = n;
    r.order_.resize(static_cast<size_t>(n + m));
    std::iota(r.order_.begin(), r.order_.end(), 0u);
    r.count_ = 1;
    for (int64_t k = 1; k <= std::min(n, m) && r.count_ <= relabelings_exact_limit; ++k)
      r.count_ = r.count_ * (std::max(n, m) + k) / k;
    if (r.count_ <= relabelings_exact_limit && static_cast<double>(r.count_) * values <= work_limit) return r;
    r.method_ = Method::monte_carlo;
    r.count_ = draws;
    if (static_cast<double>(draws) * values > work_limit)
      return Error{"draws", "times values exceeds 2e10; take fewer draws or fewer endpoints (averages of blocks)"};
    return r;
  }

  Method method() const { return method_; }
  int64_t count() const { return count_; }

  // p of a statistic that `reached` relabelings reach.
  double p(int64_t reached) const {
    if (method_ == Method::exact) return static_cast<double>(reached) / static_cast<double>(count_);
    return static_cast<double>(reached + 1) / static_cast<double>(count_ + 1);
  }

  // use(order): positions of the first group's n runs, then those of the others.
  template <class Use>
  void for_each(Rng& rng, Use use) {
    for (int64_t k = 0; k < count_; ++k) {
      if (method_ == Method::monte_carlo)
        order_ = permutation(static_cast<uint32_t>(order_.size()), rng);
      else if (k > 0)
        advance();
      use(order_);
    }
  }

 private:
  void advance() {
    const int64_t all = static_cast<int64_t>(order_.size());
    int64_t i = n_ - 1;
    while (order_[i] == static_cast<uint32_t>(all - n_ + i)) --i;
    ++order_[i];
    for (++i; i < n_; ++i) order_[i] = order_[i - 1] + 1;
    int64_t next = 0, at = n_;
    for (uint32_t run = 0; run < static_cast<uint32_t>(all); ++run) {
      if (next < n_ && order_[next] == run)
        ++next;
      else
        order_[at++] = run;
    }
  }

  int64_t n_ = 0, count_ = 0;
  Method method_ = Method::exact;
  std::vector<uint32_t> order_;
};

// Centred and divided by the largest deviation, so that the tolerances below are relative to the values' range.
// Returns that divisor; 0 for a constant, whose values become 0.
double standardise(std::vector<double>& x) {
  const auto [least, most] = std::minmax_element(x.begin(), x.end());
  if (*least == *most) {
    std::fill(x.begin(), x.end(), 0.0);
    return 0;
  }
  const double mean = std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
  double largest = 0;
  for (double& v : x) {
    v -= mean;
    largest = std::max(largest, std::fabs(v));
  }
  for (double& v : x) v /= largest;
  return largest;
}

struct Group {
  double mean = 0, variance = 0;
};

Group group_of(const double* x, const uint32_t* order, int64_t n) {
  Group g;
  for (int64_t i = 0; i < n; ++i) g.mean += x[order[i]];
  g.mean /= static_cast<double>(n);
  for (int64_t i = 0; i < n; ++i) {
    const double e = x[order[i]] - g.mean;
    g.variance += e * e;
  }
  g.variance /= static_cast<double>(n - 1);
  if (g.variance < 1e-24) g.variance = 0;
  return g;
}

double statistic_of(Statistic kind, const double* x, const uint32_t* order, int64_t n, int64_t m) {
  const Group a = group_of(x, order, n), b = group_of(x, order + n, m);
  const double difference = a.mean - b.mean;
  if (kind == Statistic::mean_difference) return difference;
  const double squared = a.variance / static_cast<double>(n) + b.variance / static_cast<double>(m);
  if (squared > 0) return difference / std::sqrt(squared);
  if (std::fabs(difference) < 1e-12) return 0;
  return std::copysign(std::numeric_limits<double>::infinity(), difference);
}

// From where on a relabeling's |statistic| counts as reaching this one: rounding does not separate equals.
double threshold_of(double statistic) {
  const double size = std::fabs(statistic);
  return std::isinf(size) ? size : size - 1e-9 * (1e-3 + size);
}

Status check_table(const RunTable& t, const char* name) {
  if (t.runs < 2) return Error{name, "has " + std::to_string(t.runs) + " runs; give at least 2"};
  if (t.endpoints < 1) return Error{name, "has no endpoints; give at least 1"};
  if (t.runs > INT32_MAX || t.endpoints > INT32_MAX || t.runs * t.endpoints != count_of(t.values))
    return Error{name, "has " + std::to_string(t.values.size()) + " values for " + std::to_string(t.runs) + " runs x " +
                           std::to_string(t.endpoints) + " endpoints; give one value for each"};
  return check_values(t.values, name, 1);
}

}  // namespace

Result<PermutationTest> permutation_test(Values a, Values b, Statistic statistic, Rng& rng, int64_t draws) {
  if (Status s = check_groups(a, b, 2); !s) return s.error();
  if (Status s = check_draws(draws); !s) return s.error();
  const int64_t n = count_of(a), m = count_of(b);
  Result<Relabelings> plan = Relabelings::plan(n, m, static_cast<double>(n + m), draws);
  if (!plan) return plan.error();
  std::vector<double> x(a.begin(), a.end());
  x.insert(x.end(), b.begin(), b.end());
  const double unit = standardise(x);
  std::vector<uint32_t> labels(x.size());
  std::iota(labels.begin(), labels.end(), 0u);
  const double seen = statistic_of(statistic, x.data(), labels.data(), n, m), threshold = threshold_of(seen);
  int64_t reached = 0;
  plan->for_each(rng, [&](const std::vector<uint32_t>& order) {
    if (std::fabs(statistic_of(statistic, x.data(), order.data(), n, m)) >= threshold) ++reached;
  });
  PermutationTest r;
  r.statistic = statistic == Statistic::mean_difference ? seen * unit : seen;
  r.p = plan->p(reached);
  r.method = plan->method();
  r.relabelings = plan->count();
  return r;
}

Result<MaxT> westfall_young(const RunTable& a, const RunTable& b, Rng& rng, int64_t draws) {
  if (Status s = check_table(a, "a"); !s) return s.error();
  if (Status s = check_table(b, "b"); !s) return s.error();
  if (Status s = check_draws(draws); !s) return s.error();
  if (a.endpoints != b.endpoints)
    return Error{"b", "has " + std::to_string(b.endpoints) + " endpoints and a has " + std::to_string(a.endpoints) +
                          "; both groups need the same"};
  const int64_t n = a.runs, m = b.runs, endpoints = a.endpoints;
  Result<Relabelings> plan =
      Relabelings::plan(n, m, static_cast<double>(n + m) * static_cast<double>(endpoints), draws);
  if (!plan) return plan.error();

  std::vector<std::vector<double>> columns;  // one per endpoint, all runs
  std::vector<uint32_t> labels(static_cast<size_t>(n + m));
  std::iota(labels.begin(), labels.end(), 0u);
  MaxT r;
  for (int64_t e = 0; e < endpoints; ++e) {
    std::vector<double> x;
    for (int64_t i = 0; i < n; ++i) x.push_back(a.values[i * endpoints + e]);
    for (int64_t i = 0; i < m; ++i) x.push_back(b.values[i * endpoints + e]);
    standardise(x);
    r.statistic.push_back(statistic_of(Statistic::welch_t, x.data(), labels.data(), n, m));
    columns.push_back(std::move(x));
  }
  // From the least to the most significant: the running maximum is then over the endpoints no more significant.
  std::vector<size_t> order(static_cast<size_t>(endpoints));
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t i, size_t j) {
    const double ti = std::fabs(r.statistic[i]), tj = std::fabs(r.statistic[j]);
    return ti != tj ? ti < tj : i > j;
  });
  std::vector<double> threshold;
  for (size_t e : order) threshold.push_back(threshold_of(r.statistic[e]));
  const size_t count = order.size();
  std::vector<int64_t> single(count), step(count), raw(count);
  plan->for_each(rng, [&](const std::vector<uint32_t>& runs) {
    double largest = 0;
    for (size_t k = 0; k < count; ++k) {
      const double t = std::fabs(statistic_of(Statistic::welch_t, columns[order[k]].data(), runs.data(), n, m));
      largest = std::max(largest, t);
      if (t >= threshold[k]) ++raw[k];
      if (largest >= threshold[k]) ++step[k];
    }
    for (size_t k = 0; k < count && largest >= threshold[k]; ++k) ++single[k];  // thresholds ascend
  });
  r.p.resize(count);
  r.p_single_step.resize(count);
  r.p_step_down.resize(count);
  double monotone = 0;
  for (size_t k = count; k-- > 0;) {
    const size_t e = order[k];
    monotone = std::max(monotone, plan->p(step[k]));
    r.p[e] = plan->p(raw[k]);
    r.p_single_step[e] = plan->p(single[k]);
    r.p_step_down[e] = monotone;
  }
  r.method = plan->method();
  r.relabelings = plan->count();
  return r;
}

}  // namespace dalea
