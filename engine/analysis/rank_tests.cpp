// Exact rank tests count subsets by their rank sum. Mid-ranks doubled are integers, so ties need no other treatment.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "analysis/special.h"
#include "analysis/statistics.h"

namespace dalea {
namespace {

std::vector<int64_t> doubled(const std::vector<double>& ranks) {
  std::vector<int64_t> r;
  for (double v : ranks) r.push_back(static_cast<int64_t>(2 * v));
  return r;
}

// Sum of t^3 - t over the groups of t equal ranks.
double tie_sum(std::vector<double> ranks) {
  std::sort(ranks.begin(), ranks.end());
  double sum = 0;
  for (size_t begin = 0; begin < ranks.size();) {
    size_t end = begin + 1;
    while (end < ranks.size() && ranks[end] == ranks[begin]) ++end;
    const double t = static_cast<double>(end - begin);
    sum += t * t * t - t;
    begin = end;
  }
  return sum;
}

// Share of a distribution of integer sums, weight[s] subsets each, at least `away` from `centre`.
double share_beyond(const double* weight, int64_t size, int64_t centre, int64_t away) {
  double all = 0, beyond = 0;
  for (int64_t s = 0; s < size; ++s) {
    all += weight[s];
    if (std::abs(s - centre) >= away) beyond += weight[s];
  }
  return std::min(1.0, beyond / all);
}

double normal_p(double distance, double sd) {
  return sd > 0 ? std::min(1.0, 2 * normal_upper((distance - 0.5) / sd)) : 1.0;
}

// All subsets of `chosen` of the ranks: how many have each sum (Mann & Whitney's recursion over values with their
// ranks).
double exact_mann_whitney(std::vector<int64_t> ranks, int64_t chosen, int64_t sum) {
  const int64_t n = static_cast<int64_t>(ranks.size());
  std::sort(ranks.begin(), ranks.end());  // the counts' rounding then does not depend on who is in which group
  int64_t largest = 0;
  for (int64_t i = 0; i < chosen; ++i) largest += ranks[n - 1 - i];
  const int64_t width = largest + 1;
  std::vector<double> count(static_cast<size_t>((chosen + 1) * width));
  count[0] = 1;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t k = std::min(i + 1, chosen); k >= 1; --k) {
      const double* from = &count[(k - 1) * width];
      double* to = &count[k * width];
      for (int64_t s = ranks[i]; s < width; ++s) to[s] += from[s - ranks[i]];
    }
  const int64_t centre = chosen * (n + 1);
  return share_beyond(&count[chosen * width], width, centre, std::abs(sum - centre));
}

}  // namespace

Result<MannWhitney> mann_whitney(Values a, Values b, RankMethod method) {
  if (Status s = check_groups(a, b, 1); !s) return s.error();
  std::vector<double> pooled(a.begin(), a.end());
  pooled.insert(pooled.end(), b.begin(), b.end());
  const std::vector<double> ranks = mid_ranks(pooled);
  const double n = static_cast<double>(a.size()), m = static_cast<double>(b.size()), all = n + m;
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += ranks[i];
  const double ties = tie_sum(ranks);
  MannWhitney r;
  r.u = sum - 0.5 * n * (n + 1);
  r.ties = ties > 0;
  if (method == RankMethod::exact_if_possible && count_of(pooled) <= mann_whitney_exact_limit) {
    const std::vector<int64_t> integers = doubled(ranks);
    const bool first = a.size() <= b.size();  // the smaller group: the other has the same p
    int64_t chosen_sum = 0;
    for (size_t i = 0; i < integers.size(); ++i)
      if ((i < a.size()) == first) chosen_sum += integers[i];
    r.p = exact_mann_whitney(integers, std::min(count_of(a), count_of(b)), chosen_sum);
    return r;
  }
  r.method = Method::asymptotic;
  const double variance = n * m / 12 * ((all + 1) - ties / (all * (all - 1)));
  r.p = normal_p(std::fabs(r.u - 0.5 * n * m), std::sqrt(std::max(0.0, variance)));
  return r;
}

Result<Wilcoxon> wilcoxon(Values a, Values b, RankMethod method) {
  if (Status s = check_groups(a, b, 1); !s) return s.error();
  if (a.size() != b.size())
    return Error{"b", "has " + std::to_string(b.size()) + " values and a has " + std::to_string(a.size()) +
                          "; pairs need as many of both (mann_whitney compares unpaired groups)"};
  std::vector<double> sizes;
  std::vector<bool> positive;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i]) continue;
    sizes.push_back(std::fabs(a[i] - b[i]));
    positive.push_back(a[i] > b[i]);
  }
  Wilcoxon r;
  r.used = count_of(sizes);
  if (r.used == 0) return r;
  const std::vector<double> ranks = mid_ranks(sizes);
  for (size_t i = 0; i < ranks.size(); ++i)
    if (positive[i]) r.w_plus += ranks[i];
  const double n = static_cast<double>(r.used), ties = tie_sum(ranks);
  r.ties = ties > 0;
  const int64_t total = r.used * (r.used + 1);  // of the doubled ranks
  if (method == RankMethod::exact_if_possible && r.used <= wilcoxon_exact_limit) {
    std::vector<double> count(static_cast<size_t>(total + 1));
    count[0] = 1;
    for (int64_t rank : doubled(ranks))
      for (int64_t s = total; s >= rank; --s) count[s] += count[s - rank];
    const int64_t sum = static_cast<int64_t>(2 * r.w_plus), centre = total / 2;
    r.p = share_beyond(count.data(), total + 1, centre, std::abs(sum - centre));
    return r;
  }
  r.method = Method::asymptotic;
  const double variance = n * (n + 1) * (2 * n + 1) / 24 - ties / 48;
  r.p = normal_p(std::fabs(r.w_plus - 0.25 * n * (n + 1)), std::sqrt(variance));
  return r;
}

}  // namespace dalea
