#include "analysis/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "analysis/special.h"

namespace dalea {
namespace {

std::vector<double> sorted(Values x) {
  std::vector<double> y(x.begin(), x.end());
  std::sort(y.begin(), y.end());
  return y;
}

double quantile_of_sorted(const std::vector<double>& y, double q) {
  const double position = q * static_cast<double>(y.size() - 1);
  const size_t below = std::min(static_cast<size_t>(position), y.size() - 1);
  const size_t above = std::min(below + 1, y.size() - 1);
  return y[below] + (position - static_cast<double>(below)) * (y[above] - y[below]);
}

double sum_of(Values x) {
  return std::accumulate(x.begin(), x.end(), 0.0);
}

Status check_pairs(Values x, Values y, int64_t least) {
  if (Status s = check_values(x, "x", least); !s) return s;
  if (Status s = check_values(y, "y", least); !s) return s;
  if (x.size() == y.size()) return {};
  return Error{"y", "has " + std::to_string(y.size()) + " values and x has " + std::to_string(x.size()) +
                        "; give as many of one as of the other"};
}

bool constant(Values x) {
  const auto [least, most] = std::minmax_element(x.begin(), x.end());
  return *least == *most;
}

// Deviations from the mean over the largest of them: products neither overflow nor vanish.
std::vector<double> deviations(Values x) {
  const double mean = sum_of(x) / static_cast<double>(x.size());
  std::vector<double> d;
  double largest = 0;
  for (double v : x) {
    d.push_back(v - mean);
    largest = std::max(largest, std::fabs(d.back()));
  }
  for (double& v : d) v /= largest;
  return d;
}

Result<Correlation> correlate(Values x, Values y) {
  for (const auto& [values, name] : {std::pair{x, "x"}, std::pair{y, "y"}})
    if (constant(values)) return Error{name, "has one value only; a correlation needs both to vary"};
  const std::vector<double> dx = deviations(x), dy = deviations(y);
  double xx = 0, yy = 0, xy = 0;
  for (size_t i = 0; i < dx.size(); ++i) {
    xx += dx[i] * dx[i];
    yy += dy[i] * dy[i];
    xy += dx[i] * dy[i];
  }
  Correlation c;
  c.count = count_of(x);
  c.r = std::clamp(xy / (std::sqrt(xx) * std::sqrt(yy)), -1.0, 1.0);
  if (std::fabs(c.r) > 1 - 1e-15) c.r = c.r > 0 ? 1 : -1;  // rounding
  const double df = static_cast<double>(c.count - 2), rest = (1 - c.r) * (1 + c.r);
  c.p = rest > 0 ? student_two_sided(c.r * std::sqrt(df / rest), df) : 0;
  return c;
}

Status check_p(Values p) {
  if (Status s = check_values(p, "p", 1); !s) return s;
  for (size_t i = 0; i < p.size(); ++i)
    if (p[i] < 0 || p[i] > 1) return Error{"p[" + std::to_string(i) + "]", "is not a p-value; give 0 to 1"};
  return {};
}

std::vector<size_t> ascending(Values x) {
  std::vector<size_t> order(x.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t i, size_t j) { return x[i] != x[j] ? x[i] < x[j] : i < j; });
  return order;
}

}  // namespace

const char* name_of(Method method) {
  return method == Method::exact ? "exact" : method == Method::asymptotic ? "asymptotic" : "Monte Carlo";
}

Result<double> mean_of(Values x) {
  if (Status s = check_values(x, "x", 1); !s) return s.error();
  return sum_of(x) / static_cast<double>(x.size());
}

Result<Summary> summarise(Values x) {
  if (Status s = check_values(x, "x", 2); !s) return s.error();
  const std::vector<double> y = sorted(x);
  const double n = static_cast<double>(x.size());
  Summary s;
  s.count = count_of(x);
  s.least = y.front();
  s.most = y.back();
  s.median = quantile_of_sorted(y, 0.5);
  if (s.least == s.most) {  // no rounding in what is constant
    s.mean = s.least;
    return s;
  }
  s.mean = sum_of(x) / n;
  double squares = 0;
  for (double v : x) squares += (v - s.mean) * (v - s.mean);
  s.sd = std::sqrt(squares / (n - 1));
  s.sd_population = std::sqrt(squares / n);
  s.standard_error = s.sd / std::sqrt(n);
  return s;
}

Result<double> quantile(Values x, double q) {
  if (Status s = check_values(x, "x", 1); !s) return s.error();
  if (!(q >= 0 && q <= 1)) return Error{"q", "is not between 0 and 1; 0.5 gives the median"};
  return quantile_of_sorted(sorted(x), q);
}

std::vector<double> mid_ranks(Values x) {
  const std::vector<size_t> order = ascending(x);
  std::vector<double> ranks(x.size());
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin + 1;
    while (end < order.size() && x[order[end]] == x[order[begin]]) ++end;
    for (size_t i = begin; i < end; ++i) ranks[order[i]] = 0.5 * static_cast<double>(begin + 1 + end);
    begin = end;
  }
  return ranks;
}

Result<double> trapezoid(Values x, Values y) {
  if (Status s = check_pairs(x, y, 2); !s) return s.error();
  double area = 0;
  for (size_t i = 1; i < x.size(); ++i) {
    if (!(x[i] > x[i - 1]))
      return Error{"x[" + std::to_string(i) + "]", "does not exceed the value before it; sort the points by x"};
    area += (x[i] - x[i - 1]) * (0.5 * (y[i] + y[i - 1]));
  }
  return area;
}

Result<Interval> bootstrap_mean(Values x, Rng& rng, double confidence, int64_t draws) {
  if (Status s = check_values(x, "x", 2); !s) return s.error();
  if (Status s = check_confidence(confidence); !s) return s.error();
  if (Status s = check_draws(draws); !s) return s.error();
  if (static_cast<double>(draws) * static_cast<double>(x.size()) > 1e9)
    return Error{"draws", "times values exceeds 1e9; take fewer draws"};
  const uint32_t n = static_cast<uint32_t>(x.size());
  std::vector<double> means;
  means.reserve(static_cast<size_t>(draws));
  for (int64_t k = 0; k < draws; ++k) {
    double sum = 0;
    for (uint32_t i = 0; i < n; ++i) sum += x[rng.below(n)];
    means.push_back(sum / n);
  }
  std::sort(means.begin(), means.end());
  const double outside = 0.5 * (1 - confidence);
  return Interval{quantile_of_sorted(means, outside), quantile_of_sorted(means, 1 - outside)};
}

Result<Correlation> pearson(Values x, Values y) {
  if (Status s = check_pairs(x, y, 3); !s) return s.error();
  return correlate(x, y);
}

Result<Correlation> spearman(Values x, Values y) {
  if (Status s = check_pairs(x, y, 3); !s) return s.error();
  return correlate(mid_ranks(x), mid_ranks(y));
}

Result<std::vector<double>> holm(Values p) {
  if (Status s = check_p(p); !s) return s.error();
  const std::vector<size_t> order = ascending(p);
  std::vector<double> adjusted(p.size());
  double largest = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    largest = std::max(largest, std::min(1.0, p[order[i]] * static_cast<double>(p.size() - i)));
    adjusted[order[i]] = largest;
  }
  return adjusted;
}

Result<std::vector<double>> benjamini_hochberg(Values p) {
  if (Status s = check_p(p); !s) return s.error();
  const std::vector<size_t> order = ascending(p);
  std::vector<double> adjusted(p.size());
  double least = 1;
  for (size_t i = order.size(); i-- > 0;) {
    least = std::min(least, p[order[i]] * static_cast<double>(p.size()) / static_cast<double>(i + 1));
    adjusted[order[i]] = least;
  }
  return adjusted;
}

}  // namespace dalea
