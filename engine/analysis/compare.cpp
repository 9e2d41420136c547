#include "analysis/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "analysis/special.h"

namespace dalea {
namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
constexpr double infinite = std::numeric_limits<double>::infinity();

// C(2k, k) and its kin: distinct ways to deal runs to conditions of these sizes; infinite beyond any use.
double ways_of(const std::vector<int64_t>& sizes) {
  double ways = 1;
  int64_t all = 0;
  for (int64_t size : sizes)
    for (int64_t k = 1; k <= size; ++k) ways = ways * static_cast<double>(++all) / static_cast<double>(k);
  return std::round(ways);
}

// The values of all runs, block by block standardised (centred, largest deviation 1) so that tolerances are relative.
struct RunMatrix {
  size_t runs = 0, blocks = 0;
  std::vector<double> values;  // (run, block)
  std::vector<uint8_t> varies;
};

RunMatrix matrix_of(const std::vector<const std::vector<double>*>& runs, const std::vector<size_t>& tested) {
  RunMatrix m;
  m.runs = runs.size();
  m.blocks = tested.size();
  m.values.resize(m.runs * m.blocks);
  for (size_t b = 0; b < m.blocks; ++b) {
    double mean = 0, most = 0, largest = 0;
    for (const auto* run : runs) {
      mean += (*run)[tested[b]];
      most = std::max(most, std::fabs((*run)[tested[b]]));
    }
    mean /= static_cast<double>(m.runs);
    for (const auto* run : runs) largest = std::max(largest, std::fabs((*run)[tested[b]] - mean));
    m.varies.push_back(largest > 1e-12 * most);
    for (size_t r = 0; r < m.runs; ++r)
      m.values[r * m.blocks + b] = m.varies[b] ? ((*runs[r])[tested[b]] - mean) / largest : 0;
  }
  return m;
}

// Welch's t of pairs of conditions in every block, for any dealing of the runs.
class Studentised {
 public:
  Studentised(const RunMatrix& m, std::vector<int64_t> sizes, std::vector<std::pair<size_t, size_t>> pairs)
      : m_(m), sizes_(std::move(sizes)), pairs_(std::move(pairs)) {
    mean_.resize(sizes_.size() * m.blocks);
    square_.resize(sizes_.size() * m.blocks);
    t.resize(pairs_.size() * m.blocks);
  }
  std::vector<double> t;  // (pair, block), of the second condition minus the first

  void measure(const std::vector<uint8_t>& condition) {
    const size_t n = m_.blocks;
    std::fill(mean_.begin(), mean_.end(), 0.0);
    std::fill(square_.begin(), square_.end(), 0.0);
    for (size_t r = 0; r < m_.runs; ++r) {
      double* mean = &mean_[condition[r] * n];
      const double* x = &m_.values[r * n];
      for (size_t b = 0; b < n; ++b) mean[b] += x[b];
    }
    for (size_t c = 0; c < sizes_.size(); ++c)
      for (size_t b = 0; b < n; ++b) mean_[c * n + b] /= static_cast<double>(sizes_[c]);
    for (size_t r = 0; r < m_.runs; ++r) {
      double* square = &square_[condition[r] * n];
      const double *mean = &mean_[condition[r] * n], *x = &m_.values[r * n];
      for (size_t b = 0; b < n; ++b) square[b] += (x[b] - mean[b]) * (x[b] - mean[b]);
    }
    // The standard error's square; a spread that is rounding is none.
    for (size_t c = 0; c < sizes_.size(); ++c)
      for (size_t b = 0; b < n; ++b) {
        const double variance = square_[c * n + b] / static_cast<double>(sizes_[c] - 1);
        square_[c * n + b] = variance < 1e-24 ? 0 : variance / static_cast<double>(sizes_[c]);
      }
    for (size_t p = 0; p < pairs_.size(); ++p) {
      const size_t first = pairs_[p].first * n, second = pairs_[p].second * n;
      for (size_t b = 0; b < n; ++b) {
        const double difference = mean_[second + b] - mean_[first + b],
                     squared = square_[first + b] + square_[second + b];
        if (squared > 0)
          t[p * n + b] = difference / std::sqrt(squared);
        else
          t[p * n + b] = std::fabs(difference) < 1e-12 ? 0 : std::copysign(infinite, difference);
      }
    }
  }

 private:
  const RunMatrix& m_;
  std::vector<int64_t> sizes_;
  std::vector<std::pair<size_t, size_t>> pairs_;
  std::vector<double> mean_, square_;
};

// From where on a relabeling counts as reaching this: rounding does not separate equals.
double reached_from(double t) {
  const double size = std::fabs(t);
  return std::isinf(size) ? size : size - 1e-9 * (1e-3 + size);
}

struct Counts {
  std::vector<int64_t> alone, single, step;  // (pair, block): in the order of t
  std::vector<double> t;
  Method method = Method::exact;
  int64_t relabelings = 0;
  double p(int64_t reached) const { return static_cast<double>(reached) / static_cast<double>(relabelings); }
};

// `progress`: false cancels. The labels as they are come first, and count.
Result<Counts> relabel(const RunMatrix& m, const std::vector<int64_t>& sizes,
                       const std::vector<std::pair<size_t, size_t>>& pairs, Rng rng,
                       const std::function<bool(double)>& progress) {
  std::vector<uint8_t> condition;
  for (size_t c = 0; c < sizes.size(); ++c)
    condition.insert(condition.end(), static_cast<size_t>(sizes[c]), static_cast<uint8_t>(c));
  Counts out;
  const double ways = ways_of(sizes);
  out.method = ways <= static_cast<double>(compare_relabelings) ? Method::exact : Method::monte_carlo;
  out.relabelings = out.method == Method::exact ? static_cast<int64_t>(ways) : compare_relabelings;
  Studentised s(m, sizes, pairs);
  s.measure(condition);
  out.t = s.t;
  const size_t count = out.t.size();
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return std::fabs(out.t[a]) < std::fabs(out.t[b]); });
  std::vector<double> from;
  for (size_t k : order) from.push_back(reached_from(out.t[k]));
  out.alone.assign(count, 0);
  out.single.assign(count, 0);
  out.step.assign(count, 0);
  const std::vector<uint8_t> seen = condition;
  for (int64_t draw = 0; draw < out.relabelings; ++draw) {
    if (progress && draw % 64 == 0 && !progress(static_cast<double>(draw) / static_cast<double>(out.relabelings)))
      return Error{"", "cancelled"};
    if (draw > 0) {
      if (out.method == Method::exact) {
        std::next_permutation(condition.begin(), condition.end());
      } else {
        const std::vector<uint32_t> dealt = permutation(static_cast<uint32_t>(seen.size()), rng);
        for (size_t r = 0; r < seen.size(); ++r) condition[r] = seen[dealt[r]];
      }
      s.measure(condition);
    }
    double largest = 0;
    for (size_t k = 0; k < count; ++k) {
      const double t = std::fabs(s.t[order[k]]);
      largest = std::max(largest, t);
      if (t >= from[k]) ++out.alone[order[k]];
      if (largest >= from[k]) ++out.step[order[k]];
    }
    for (size_t k = 0; k < count && largest >= from[k]; ++k) ++out.single[order[k]];
  }
  // Step-down: never below that of a larger statistic.
  int64_t most = 0;
  for (size_t k = count; k-- > 0;) most = out.step[order[k]] = std::max(most, out.step[order[k]]);
  return out;
}

// How many relabelings repeat the largest |t| of the labels seen, at least: those that exchange conditions of a size.
double repeats_of(const std::vector<int64_t>& sizes, const std::vector<std::pair<size_t, size_t>>& pairs) {
  if (sizes.size() > 7) return 1;
  double least = infinite;
  for (const auto& pair : pairs) {
    std::vector<size_t> order(sizes.size());
    std::iota(order.begin(), order.end(), size_t{0});
    double count = 0;
    do {
      bool same = true;
      for (size_t c = 0; c < sizes.size(); ++c) same = same && sizes[order[c]] == sizes[c];
      const size_t a = order[pair.first], b = order[pair.second];
      for (const auto& other : pairs)
        if (same && ((other.first == a && other.second == b) || (other.first == b && other.second == a))) ++count;
    } while (std::next_permutation(order.begin(), order.end()));
    least = std::min(least, count);
  }
  return least;
}

// The first condition is the reference.
std::vector<std::pair<size_t, size_t>> compared_pairs(const ComparedPairs& pairs) {
  std::vector<std::pair<size_t, size_t>> out;
  const auto n = static_cast<size_t>(pairs.conditions);
  for (size_t a = 0; a < (pairs.with_one ? 1 : n); ++a)
    for (size_t b = a + 1; b < n; ++b) out.emplace_back(a, b);
  return out;
}

double least_p_of(const std::vector<int64_t>& sizes, const std::vector<std::pair<size_t, size_t>>& pairs) {
  const double ways = ways_of(sizes);
  if (ways > static_cast<double>(compare_relabelings)) return 1.0 / static_cast<double>(compare_relabelings);
  return repeats_of(sizes, pairs) / ways;
}

Status check_condition(const Condition& c, size_t blocks) {
  if (c.runs.size() < 2)
    return Error{c.name, "has " + std::to_string(c.runs.size()) + (c.runs.size() == 1 ? " run" : " runs") +
                             "; a comparison needs at least 2 of each "
                             "condition, and 5 or more to find anything"};
  for (size_t r = 0; r < c.runs.size(); ++r) {
    const BlockAverages& b = c.runs[r];
    const std::string path = c.name + ", run " + std::to_string(r + 1);
    if (b.mean.size() != blocks || b.mean_abs.size() != blocks || b.density.size() != blocks)
      return Error{path, "has blocks of other populations; compare runs of one network"};
    for (const std::vector<double>* values : {&b.mean, &b.mean_abs, &b.density})
      if (Status ok = check_values(*values, path, 1); !ok) return ok;
  }
  return {};
}

}  // namespace

const char* name_of(BlockWeights weights) {
  return weights == BlockWeights::abs ? "abs" : "raw";
}

Result<BlockWeights> parse_block_weights(std::string_view name) {
  if (name == "abs") return BlockWeights::abs;
  if (name == "raw") return BlockWeights::raw;
  return Error{"weights", "is '" + std::string(name) + "'; give abs (mean |w|) or raw (mean w)"};
}

std::vector<double> Comparison::mean_of(size_t condition) const {
  std::vector<double> out(possible.size(), 0);
  for (const auto& run : values[condition])
    for (size_t b = 0; b < out.size(); ++b) out[b] += run[b];
  for (double& v : out) v /= static_cast<double>(values[condition].size());
  return out;
}

std::vector<double> Comparison::density_of(size_t condition) const {
  std::vector<double> out(possible.size(), 0);
  for (const auto& run : densities[condition])
    for (size_t b = 0; b < out.size(); ++b) out[b] += run[b];
  for (double& v : out) v /= static_cast<double>(densities[condition].size());
  return out;
}

std::vector<Dispersion> Comparison::dispersion_of(size_t condition) const {
  std::vector<Dispersion> out;
  for (size_t b = 0; b < possible.size(); ++b) {
    std::vector<double> runs_here;
    for (const auto& run : values[condition]) runs_here.push_back(run[b]);
    out.push_back(*dalea::dispersion_of(runs_here));
  }
  return out;
}

std::vector<double> Comparison::density_of_pair(const PairComparison& pair) const {
  std::vector<double> out = density_of(pair.a);
  const std::vector<double> other = density_of(pair.b);
  for (size_t b = 0; b < out.size(); ++b) out[b] = (out[b] + other[b]) / 2;
  return out;
}

Result<Comparison> compare_conditions(const BlockGroups& groups, const std::vector<uint8_t>& possible,
                                      const std::vector<Condition>& conditions, const CompareOptions& options,
                                      const std::function<bool(double)>& progress) {
  const size_t blocks = groups.count() * groups.count(), count = conditions.size();
  if (count < 2) return Error{"conditions", "are " + std::to_string(count) + "; give at least 2"};
  if (count > 20) return Error{"conditions", "are " + std::to_string(count) + "; give at most 20 at a time"};
  if (possible.size() != blocks)
    return Error{"possible", "has " + std::to_string(possible.size()) + " blocks of " + std::to_string(blocks)};
  if (!(options.alpha > 0 && options.alpha < 1)) return Error{"alpha", "is not between 0 and 1; 0.05 is usual"};
  Comparison out;
  out.groups = groups;
  out.options = options;
  out.possible = possible;
  size_t reference = count;
  for (size_t c = 0; c < count; ++c) {
    if (Status ok = check_condition(conditions[c], blocks); !ok) return ok.error();
    if (std::find(out.names.begin(), out.names.end(), conditions[c].name) != out.names.end())
      return Error{"conditions", "has " + conditions[c].name + " twice; give each a name of its own"};
    if (conditions[c].name == options.reference) reference = c;
    out.names.push_back(conditions[c].name);
    out.runs.push_back(static_cast<int64_t>(conditions[c].runs.size()));
    out.values.emplace_back();
    out.densities.emplace_back();
    for (const BlockAverages& b : conditions[c].runs) {
      out.values.back().push_back(options.weights == BlockWeights::abs ? b.mean_abs : b.mean);
      out.densities.back().push_back(b.density);
    }
  }
  if (!options.reference.empty() && reference == count)
    return Error{"reference", "is " + options.reference + ", which is none of the conditions"};
  std::vector<std::pair<size_t, size_t>> pairs;
  for (size_t a = 0; a < count; ++a)
    for (size_t b = a + 1; b < count; ++b)
      if (options.reference.empty())
        pairs.emplace_back(a, b);
      else if (a == reference || b == reference)
        pairs.emplace_back(reference, a == reference ? b : a);

  std::vector<size_t> tested;
  std::vector<const std::vector<double>*> all;
  for (const auto& condition : out.values)
    for (const auto& run : condition) all.push_back(&run);
  for (size_t b = 0; b < blocks; ++b)
    if (possible[b]) tested.push_back(b);
  if (tested.empty()) return Error{"possible", "has no block that may hold a connection; there is nothing to compare"};
  out.tested = static_cast<int64_t>(tested.size());
  if (static_cast<double>(tested.size()) * static_cast<double>(all.size() + 4 * pairs.size()) > 2e6)
    return Error{"level", "has too many blocks for a joint test; use a coarser one (layer, area or type)"};

  // Shares of the work, for the progress: the joint relabeling, then each pair's own.
  const double part = 1.0 / static_cast<double>(pairs.size() + 1);
  double begun = 0;
  const auto hear = [&](double share) { return !progress || progress(begun + part * share); };
  out.step_down = count == 2;
  const RunMatrix joint = matrix_of(all, tested);
  Result<Counts> family = relabel(joint, out.runs, pairs, Rng(options.seed, Purpose::compare), hear);
  if (!family) return family.error();
  out.method = family->method;
  out.relabelings = family->relabelings;
  out.least_p = least_p_of(out.runs, pairs);
  for (size_t k = 0; k < pairs.size(); ++k) {
    begun += part;
    PairComparison pair;
    pair.a = pairs[k].first;
    pair.b = pairs[k].second;
    pair.blocks.resize(blocks);
    const std::vector<int64_t> sizes = {out.runs[pair.a], out.runs[pair.b]};
    std::vector<const std::vector<double>*> own;
    for (size_t c : {pair.a, pair.b})
      for (const auto& run : out.values[c]) own.push_back(&run);
    const RunMatrix m = matrix_of(own, tested);
    Result<Counts> alone =
        relabel(m, sizes, {{0, 1}}, Rng(options.seed, Purpose::compare, static_cast<uint32_t>(k + 1)), hear);
    if (!alone) return alone.error();
    if (k == 0) out.least_block_p = least_p_of(sizes, {{0, 1}});
    std::vector<double> p;
    std::vector<size_t> with_p;
    for (size_t e = 0; e < tested.size(); ++e) {
      BlockComparison& b = pair.blocks[tested[e]];
      std::vector<double> first, second;
      for (const auto& run : out.values[pair.a]) first.push_back(run[tested[e]]);
      for (const auto& run : out.values[pair.b]) second.push_back(run[tested[e]]);
      b.mean_a = *mean_of(first);
      b.mean_b = *mean_of(second);
      b.difference = b.mean_b - b.mean_a;
      b.g = unknown;
      b.interval = b.g_interval = {unknown, unknown};
      b.tested = joint.varies[e] != 0;
      if (!b.tested) continue;
      b.t = alone->t[e];
      if (m.varies[e] && std::isfinite(b.t)) {
        if (Result<Welch> w = welch(second, first); w) b.interval = w->interval;
        if (Result<HedgesG> g = hedges_g(second, first); g) {
          b.g = g->g;
          b.g_interval = g->interval;
        }
      }
      b.p = alone->p(alone->alone[e]);
      const size_t at = k * tested.size() + e;
      b.p_adjusted = family->p(out.step_down ? family->step[at] : family->single[at]);
      b.significant = b.p_adjusted <= options.alpha;
      p.push_back(b.p);
      with_p.push_back(tested[e]);
    }
    if (!p.empty()) {
      const Result<std::vector<double>> q = benjamini_hochberg(p);
      if (!q) return q.error();
      for (size_t e = 0; e < with_p.size(); ++e) pair.blocks[with_p[e]].p_bh = (*q)[e];
    }
    out.pairs.push_back(std::move(pair));
  }
  out.bh_needs =
      static_cast<int64_t>(std::ceil(out.least_block_p * static_cast<double>(out.tested) / options.alpha - 1e-9));
  out.bh_needs = std::max<int64_t>(1, out.bh_needs);
  return out;
}

double detectable_effect(int64_t k, int64_t blocks, double alpha, double power, ComparedPairs pairs) {
  if (k < 2 || blocks < 1 || pairs.conditions < 2 || !(alpha > 0 && alpha < 1) || !(power > 0 && power < 1))
    return unknown;
  const std::vector<int64_t> sizes(static_cast<size_t>(pairs.conditions), k);
  const double ways = ways_of(sizes);
  double level = alpha;
  if (ways <= static_cast<double>(compare_relabelings)) {
    const double repeats = repeats_of(sizes, compared_pairs(pairs));
    level = repeats * std::floor(alpha * ways / repeats + 1e-9) / ways;
  }
  if (!(level > 0)) return infinite;
  const auto df = static_cast<double>(2 * k - 2);
  const double each = 1 - std::pow(1 - level, 1 / static_cast<double>(blocks * pairs.count()));
  const double critical = student_critical(each, df);
  const double root = std::sqrt(static_cast<double>(k) / 2);
  double low = 0, high = 1;
  const auto shown = [&](double g) {
    return 1 - noncentral_t(critical, df, g * root) + noncentral_t(-critical, df, g * root);
  };
  while (shown(high) < power && high < 1e6) high *= 2;
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    (shown(middle) < power ? low : high) = middle;
  }
  return high;
}

std::vector<PowerPoint> power_curve(int64_t blocks, double alpha, double power, ComparedPairs pairs) {
  std::vector<PowerPoint> out;
  for (int64_t k = 3; k <= 20; ++k)
    out.push_back({k, detectable_effect(k, blocks, alpha, power, pairs),
                   least_p_of(std::vector<int64_t>(static_cast<size_t>(pairs.conditions), k), compared_pairs(pairs))});
  return out;
}

}  // namespace dalea
