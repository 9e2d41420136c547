#include "analysis/distributions.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "analysis/statistics.h"
#include "numerics/math.h"

namespace dalea {
namespace {

Error in(const std::string& prefix, const Error& e) {
  return {prefix + (e.path.empty() ? "" : "." + e.path), e.message};
}

std::string item(const char* name, size_t i) {
  return std::string(name) + "[" + std::to_string(i) + "]";
}

std::vector<double> plus(std::vector<double> x, double epsilon) {
  for (double& v : x) v += epsilon;
  return x;
}

}  // namespace

int64_t Histogram::inside() const {
  return std::accumulate(counts.begin(), counts.end(), int64_t{0});
}

std::vector<double> Histogram::mass() const {
  const double all = static_cast<double>(std::max<int64_t>(1, inside()));
  std::vector<double> m;
  for (int64_t c : counts) m.push_back(static_cast<double>(c) / all);
  return m;
}

std::vector<double> Histogram::density() const {
  std::vector<double> d = mass();
  for (size_t k = 0; k < d.size(); ++k) d[k] /= edges[k + 1] - edges[k];
  return d;
}

Result<std::vector<double>> equal_edges(double low, double high, int64_t bins) {
  if (bins < 1 || bins > 1'000'000)
    return Error{"bins", "is " + std::to_string(bins) + "; give 1 to 1000000, 100 is usual"};
  const double ends[] = {low, high};
  if (Status s = check_values(ends, "range", 2); !s) return s.error();
  if (low > high) return Error{"range", "ends before it begins; give the lower end first"};
  if (low == high) {
    low -= 0.5;
    high += 0.5;
  }
  std::vector<double> edges;
  const double step = (high - low) / static_cast<double>(bins);
  for (int64_t k = 0; k < bins; ++k) edges.push_back(low + static_cast<double>(k) * step);
  edges.push_back(high);
  for (size_t k = 1; k < edges.size(); ++k)
    if (!(edges[k] > edges[k - 1])) return Error{"bins", "are too many for so narrow a range; take fewer"};
  return edges;
}

Result<std::vector<double>> common_edges(std::span<const Values> groups, int64_t bins) {
  if (groups.empty()) return Error{"groups", "is empty; give at least one group"};
  double low = 0, high = 0;
  for (size_t g = 0; g < groups.size(); ++g) {
    if (Status s = check_values(groups[g], item("groups", g), 1); !s) return s.error();
    const auto [least, most] = std::minmax_element(groups[g].begin(), groups[g].end());
    low = g == 0 ? *least : std::min(low, *least);
    high = g == 0 ? *most : std::max(high, *most);
  }
  return equal_edges(low, high, bins);
}

Result<Histogram> histogram(Values x, Values edges) {
  if (Status s = check_values(x, "x", 1); !s) return s.error();
  if (Status s = check_values(edges, "edges", 2); !s) return s.error();
  for (size_t k = 1; k < edges.size(); ++k)
    if (!(edges[k] > edges[k - 1]))
      return Error{item("edges", k), "does not exceed the edge before it; sort the edges"};
  Histogram h;
  h.edges.assign(edges.begin(), edges.end());
  h.counts.assign(edges.size() - 1, 0);
  for (double v : x) {
    if (v < edges.front())
      ++h.below;
    else if (v > edges.back())
      ++h.above;
    else if (v == edges.back())
      ++h.counts.back();
    else
      ++h.counts[std::upper_bound(edges.begin(), edges.end(), v) - edges.begin() - 1];
  }
  return h;
}

Result<Histogram> histogram_own_range(Values x, int64_t bins) {
  const Result<std::vector<double>> edges = common_edges(std::span(&x, 1), bins);
  if (!edges) return check_values(x, "x", 1) ? edges.error() : check_values(x, "x", 1).error();
  return histogram(x, *edges);
}

Result<KernelDensity> gaussian_kde(Values x, Values grid) {
  if (Status s = check_values(x, "x", 2); !s) return s.error();
  if (Status s = check_values(grid, "grid", 1); !s) return s.error();
  if (static_cast<double>(x.size()) * static_cast<double>(grid.size()) > 1e9)
    return Error{"grid", "times values exceeds 1e9; take a coarser grid or a histogram"};
  const double n = static_cast<double>(x.size()), sd = summarise(x)->sd;
  KernelDensity k;
  k.bandwidth = sd * portable::exp(-portable::log(n) / 5);
  if (!(k.bandwidth > 0)) return Error{"x", "has no spread, so there is no density; show the one value"};
  constexpr double root_two_pi = 2.5066282746310005024;
  const double scale = 1 / (n * k.bandwidth * root_two_pi);
  for (double at : grid) {
    double sum = 0;
    for (double v : x) {
      const double z = (at - v) / k.bandwidth;
      sum += std::fabs(z) < 38 ? portable::exp(-0.5 * z * z) : 0.0;
    }
    k.density.push_back(sum * scale);
  }
  return k;
}

Result<double> relative_entropy(Values p, Values q) {
  double total[2] = {0, 0};
  const Values both[2] = {p, q};
  const char* names[2] = {"p", "q"};
  for (int side = 0; side < 2; ++side) {
    if (Status s = check_values(both[side], names[side], 1); !s) return s.error();
    for (size_t i = 0; i < both[side].size(); ++i) {
      if (both[side][i] < 0) return Error{item(names[side], i), "is negative; give counts, shares or densities"};
      total[side] += both[side][i];
    }
    if (!(total[side] > 0)) return Error{names[side], "sums to 0; give at least one entry above 0"};
  }
  if (p.size() != q.size())
    return Error{"q", "has " + std::to_string(q.size()) + " entries and p has " + std::to_string(p.size()) +
                          "; give as many of one as of the other"};
  double sum = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    const double pi = p[i] / total[0], qi = q[i] / total[1];
    if (pi == 0) continue;
    if (qi == 0) return Error{item("q", i), "is 0 where p is not, so the divergence is infinite; add an epsilon"};
    sum += pi * (portable::log(pi) - portable::log(qi));
  }
  return sum;
}

Result<double> kl_divergence(Values reference, Values other, KlMethod method, int64_t bins, double epsilon) {
  if (Status s = check_values(reference, "reference", 1); !s) return s.error();
  if (Status s = check_values(other, "other", 1); !s) return s.error();
  if (!(epsilon > 0 && epsilon <= 1)) return Error{"epsilon", "is not above 0 and at most 1; 1e-7 was published"};
  const Values groups[] = {reference, other};
  if (method == KlMethod::common_bins) {
    const Result<std::vector<double>> edges = common_edges(groups, bins);
    if (!edges) return edges.error();
    return relative_entropy(plus(histogram(reference, *edges)->mass(), epsilon),
                            plus(histogram(other, *edges)->mass(), epsilon));
  }
  const Result<Histogram> p = histogram_own_range(reference, bins), q = histogram_own_range(other, bins);
  if (!p) return p.error();
  if (!q) return q.error();
  return relative_entropy(plus(p->density(), epsilon), plus(q->density(), epsilon));
}

Result<KlPairs> kl_pairs(std::span<const Values> references, std::span<const Values> others, KlMethod method,
                         int64_t bins, double epsilon) {
  if (references.empty()) return Error{"references", "is empty; give at least one set of weights"};
  if (others.empty()) return Error{"others", "is empty; give at least one set of weights"};
  KlPairs r;
  for (size_t i = 0; i < references.size(); ++i)
    for (size_t j = 0; j < others.size(); ++j) {
      const Result<double> kl = kl_divergence(references[i], others[j], method, bins, epsilon);
      if (!kl) return in(item("references", i) + " || " + item("others", j), kl.error());
      r.pairs.push_back(*kl);
    }
  r.mean = r.pairs[0];
  if (r.pairs.size() < 2) return r;
  const Summary s = *summarise(r.pairs);
  r.mean = s.mean;
  r.sd = s.sd;
  r.variance = s.sd_population * s.sd_population;
  r.published_bar = 0.5 * r.variance;
  return r;
}

}  // namespace dalea
