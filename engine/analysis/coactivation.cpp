#include "analysis/coactivation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "numerics/rng.h"

namespace dalea {
namespace {

using PartDone = std::function<bool(double)>;  // hears the part done; false: cancelled

const Error coactivation_cancelled = {"", "cancelled"};
constexpr int64_t draws_at_once = 64;
enum class Shuffled : uint32_t { everywhere = 1001, within = 1002, groups = 1003 };

bool heard(const PartDone& progress, double part) {
  return !progress || progress(part);
}
PartDone part_of(const PartDone& progress, double from, double to) {
  if (!progress) return nullptr;
  return [&progress, from, to](double part) { return progress(from + (to - from) * part); };
}

// The mid-ranks of a unit's samples, about their mean and of length 1; false: it never varies.
bool rank_unit(const float* x, int64_t samples, double* to) {
  std::vector<int32_t> order(static_cast<size_t>(samples));
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [x](int32_t a, int32_t b) { return x[a] < x[b]; });
  const double middle = 0.5 * static_cast<double>(samples - 1);
  double squares = 0;
  for (int64_t k = 0; k < samples;) {
    int64_t end = k + 1;
    while (end < samples && x[order[static_cast<size_t>(end)]] == x[order[static_cast<size_t>(k)]]) ++end;
    const double rank = 0.5 * static_cast<double>(k + end - 1) - middle;
    for (int64_t e = k; e < end; ++e) to[order[static_cast<size_t>(e)]] = rank;
    squares += rank * rank * static_cast<double>(end - k);
    k = end;
  }
  if (!(squares > 0)) return false;
  const double scale = 1 / std::sqrt(squares);
  for (int64_t s = 0; s < samples; ++s) to[s] *= scale;
  return true;
}

bool unit_varies(const std::vector<float>& rho, int64_t units, int64_t i) {
  return !std::isnan(rho[static_cast<size_t>(i * units + i)]);
}

std::vector<int32_t> varying_units(const std::vector<float>& rho, int64_t units) {
  std::vector<int32_t> list;
  for (int64_t i = 0; i < units; ++i)
    if (unit_varies(rho, units, i)) list.push_back(static_cast<int32_t>(i));
  return list;
}

struct PairSum {
  int64_t pairs = 0;
  double sum = 0;
  void add(float v) {
    if (std::isnan(v)) return;
    ++pairs;
    sum += static_cast<double>(v);
  }
  PairMean mean() const { return {pairs, pairs > 0 ? sum / static_cast<double>(pairs) : std::nan("")}; }
};

// draw(k) for k = 0 .. draws - 1, some at once; false: cancelled.
template <class Draw>
bool for_each_draw(int64_t draws, Workers& workers, const PartDone& progress, const Draw& draw) {
  for (int64_t from = 0; from < draws; from += draws_at_once) {
    if (!heard(progress, static_cast<double>(from) / static_cast<double>(draws))) return false;
    const int64_t count = std::min(draws_at_once, draws - from);
    workers.run(static_cast<int>(count), [&](int part) { draw(from + part); });
  }
  return true;
}

Rng draw_rng(uint64_t seed, Shuffled what, int64_t draw) {
  return Rng(seed, Purpose::compare, 0, static_cast<uint32_t>(what), static_cast<uint32_t>(draw));
}

std::string label_of(const Population& p, const std::string& by) {
  return by == "area" ? p.area : by == "layer" ? p.layer : by == "type" ? p.type : p.name;
}

Status group_units(const std::vector<Population>& populations, std::string by, Coactivation& c) {
  if (by.empty()) {
    const bool areas =
        std::any_of(populations.begin(), populations.end(), [](const auto& p) { return !p.area.empty(); });
    by = areas ? "area" : "population";
  }
  if (by != "population" && by != "area" && by != "layer" && by != "type")
    return Error{"by", "'" + by + "' is no grouping; use population, area, layer or type"};
  c.by = by;
  bool any = false;
  for (const Population& p : populations) {
    std::string label = label_of(p, by);
    any = any || !label.empty();
    if (label.empty()) label = "(none)";
    auto at = std::find(c.groups.begin(), c.groups.end(), label);
    if (at == c.groups.end()) at = c.groups.insert(c.groups.end(), label);
    c.group.insert(c.group.end(), static_cast<size_t>(p.size), static_cast<int32_t>(at - c.groups.begin()));
  }
  if (!any) return Error{"by", "is " + by + ", but no population has one; use population"};
  return {};
}

// What correlates pairs with and without a connection, and by sign.
std::vector<std::pair<int32_t, int32_t>> take_connections(const Weights& w, Coactivation& c) {
  const int64_t n = c.units;
  std::vector<uint8_t> linked(static_cast<size_t>(n * n));
  PairSum signs[2];
  const auto take = [&](int64_t post, int64_t pre, float v) {
    if (v == 0 || post == pre) return;
    const int64_t a = std::min(post, pre), b = std::max(post, pre);
    linked[static_cast<size_t>(a * n + b)] = 1;
    signs[v > 0 ? 0 : 1].add(c.rho[static_cast<size_t>(a * n + b)]);
  };
  for (int64_t j = 0; j < n; ++j) {
    if (w.sparse())
      for (int64_t e = w.pattern->col_start[static_cast<size_t>(j)];
           e < w.pattern->col_start[static_cast<size_t>(j) + 1]; ++e)
        take(w.pattern->row[static_cast<size_t>(e)], j, w.values[static_cast<size_t>(e)]);
    else
      for (int64_t i = 0; i < n; ++i) take(i, j, w.values[static_cast<size_t>(j * n + i)]);
  }
  c.excitatory = signs[0].mean();
  c.inhibitory = signs[1].mean();
  const size_t groups = c.groups.size();
  std::vector<PairSum> sums[2] = {std::vector<PairSum>(groups * groups), std::vector<PairSum>(groups * groups)};
  PairSum within, between;
  std::vector<std::pair<int32_t, int32_t>> links;
  for (int64_t a = 0; a < n; ++a)
    for (int64_t b = a + 1; b < n; ++b) {
      const auto e = static_cast<size_t>(a * n + b);
      const size_t g = static_cast<size_t>(c.group[static_cast<size_t>(a)]),
                   h = static_cast<size_t>(c.group[static_cast<size_t>(b)]);
      sums[linked[e] ? 0 : 1][std::min(g, h) * groups + std::max(g, h)].add(c.rho[e]);
      (g == h ? within : between).add(c.rho[e]);
      if (linked[e]) links.emplace_back(static_cast<int32_t>(a), static_cast<int32_t>(b));
    }
  c.within = within.mean();
  c.between = between.mean();
  for (auto [to, from] : {std::pair{&c.connected, &sums[0]}, {&c.unconnected, &sums[1]}}) {
    to->resize(groups * groups);
    for (size_t g = 0; g < groups; ++g)
      for (size_t h = 0; h < groups; ++h)
        (*to)[g * groups + h] = (*from)[std::min(g, h) * groups + std::max(g, h)].mean();
  }
  return links;
}

}  // namespace

Result<std::vector<float>> spearman_matrix(const std::vector<float>& values, int64_t units, Workers& workers,
                                           const PartDone& progress) {
  if (units < 1 || units > most_coactivation_units)
    return Error{"units", "are " + std::to_string(units) + "; give 1 to " + std::to_string(most_coactivation_units) +
                              " of them"};
  const int64_t samples = static_cast<int64_t>(values.size()) / units;
  if (samples < 2) return Error{"samples", "are " + std::to_string(samples) + "; give at least 2"};
  for (float v : values)
    if (!std::isfinite(v))
      return Error{"activity", "is not finite: the training diverged; go back to an earlier state of it"};
  const FloatState ieee;
  std::vector<double> ranks(static_cast<size_t>(samples * units));  // (sample, unit)
  std::vector<uint8_t> moving(static_cast<size_t>(units));
  constexpr int64_t block = 16, at_once = 8;  // rows of one part: threads change nothing
  const int64_t blocks = (units + block - 1) / block;
  for (int64_t b = 0; b < blocks; b += at_once) {
    if (!heard(progress, 0.5 * static_cast<double>(b) / static_cast<double>(blocks))) return coactivation_cancelled;
    const int64_t from = b * block, to = std::min(units, (b + at_once) * block);
    workers.run(static_cast<int>(to - from), [&](int part) {
      const int64_t i = from + part;
      std::vector<double> own(static_cast<size_t>(samples));
      moving[static_cast<size_t>(i)] = rank_unit(values.data() + i * samples, samples, own.data()) ? 1 : 0;
      for (int64_t s = 0; s < samples; ++s) ranks[static_cast<size_t>(s * units + i)] = own[static_cast<size_t>(s)];
    });
  }
  std::vector<float> rho(static_cast<size_t>(units * units));
  for (int64_t b = 0; b < blocks; b += at_once) {
    if (!heard(progress, 0.5 + 0.5 * static_cast<double>(b) / static_cast<double>(blocks)))
      return coactivation_cancelled;
    workers.run(static_cast<int>(std::min(at_once, blocks - b)), [&](int part) {
      const int64_t from = (b + part) * block, rows = std::min(block, units - from), width = from + rows;
      // Sums over samples in order, many at a time: the same bits everywhere.
      std::vector<double> sum(static_cast<size_t>(rows * width));
      for (int64_t s = 0; s < samples; ++s) {
        const double* r = ranks.data() + s * units;
        for (int64_t i = 0; i < rows; ++i) {
          const double own = r[from + i];
          double* to = sum.data() + i * width;
          for (int64_t j = 0; j < width; ++j) to[j] += own * r[j];
        }
      }
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j <= from + i; ++j) {
          const bool both = moving[static_cast<size_t>(from + i)] != 0 && moving[static_cast<size_t>(j)] != 0;
          const double v = from + i == j ? 1 : std::clamp(sum[static_cast<size_t>(i * width + j)], -1.0, 1.0);
          rho[static_cast<size_t>((from + i) * units + j)] = both ? static_cast<float>(v) : std::nanf("");
        }
    });
  }
  for (int64_t i = 0; i < units; ++i)
    for (int64_t j = i + 1; j < units; ++j)
      rho[static_cast<size_t>(i * units + j)] = rho[static_cast<size_t>(j * units + i)];
  return rho;
}

Result<Homophily> homophily_of(const std::vector<float>& rho, int64_t units,
                               const std::vector<std::pair<int32_t, int32_t>>& links,
                               const std::vector<int32_t>& population, uint64_t seed, int64_t draws, Workers& workers,
                               const PartDone& progress) {
  const std::vector<int32_t> nodes = varying_units(rho, units);
  const auto m = static_cast<int64_t>(nodes.size());
  std::vector<int32_t> place(static_cast<size_t>(units), -1);
  for (int64_t k = 0; k < m; ++k) place[static_cast<size_t>(nodes[static_cast<size_t>(k)])] = static_cast<int32_t>(k);
  // Of the two kinds of pairs the rarer one is summed up.
  std::vector<std::pair<int32_t, int32_t>> pairs;
  for (const auto& [a, b] : links)
    if (place[static_cast<size_t>(a)] >= 0 && place[static_cast<size_t>(b)] >= 0)
      pairs.emplace_back(place[static_cast<size_t>(a)], place[static_cast<size_t>(b)]);
  const auto count = static_cast<int64_t>(pairs.size());
  const int64_t all = m * (m - 1) / 2, others = all - count;
  const bool listed_links = count <= others;
  if (!listed_links) {
    std::vector<uint8_t> is(static_cast<size_t>(m * m));
    for (const auto& [a, b] : pairs) is[static_cast<size_t>(a * m + b)] = 1;
    pairs.clear();
    for (int32_t a = 0; a < m; ++a)
      for (int32_t b = a + 1; b < m; ++b)
        if (!is[static_cast<size_t>(a * m + b)]) pairs.emplace_back(a, b);
  }
  double total = 0;
  for (int64_t a = 0; a < m; ++a)
    for (int64_t b = a + 1; b < m; ++b)
      total += static_cast<double>(
          rho[static_cast<size_t>(nodes[static_cast<size_t>(a)] * units + nodes[static_cast<size_t>(b)])]);
  const auto sum_under = [&](const std::vector<int32_t>& unit) {  // unit[k]: who stands at node k
    double sum = 0;
    for (const auto& [a, b] : pairs)
      sum += static_cast<double>(
          rho[static_cast<size_t>(int64_t{unit[static_cast<size_t>(a)]} * units + unit[static_cast<size_t>(b)])]);
    return listed_links ? sum : total - sum;
  };
  Homophily h;
  const double own = sum_under(nodes);
  h.connected = {count, count > 0 ? own / static_cast<double>(count) : std::nan("")};
  h.unconnected = {others, others > 0 ? (total - own) / static_cast<double>(others) : std::nan("")};
  if (count == 0 || others == 0) {
    h.untested = m < 2        ? "Fewer than two units vary in the held-out trials."
                 : count == 0 ? "No two units that vary are connected."
                              : "Every two units that vary are connected: there are no others to compare with.";
    return h;
  }
  const auto difference = [&](double sum) {
    return sum / static_cast<double>(count) - (total - sum) / static_cast<double>(others);
  };
  h.difference = difference(own);
  h.draws = draws;
  // Rounding does not separate equals.
  const double tolerance = 1e-9;
  std::vector<double> found(static_cast<size_t>(draws));
  const auto tail = [&] {
    int64_t above = 0, below = 0;
    for (double d : found) {
      above += d >= h.difference - tolerance ? 1 : 0;
      below += d <= h.difference + tolerance ? 1 : 0;
    }
    return std::min(1.0, 2.0 * static_cast<double>(1 + std::min(above, below)) / static_cast<double>(draws + 1));
  };
  const auto everywhere = [&](int64_t k) {
    Rng rng = draw_rng(seed, Shuffled::everywhere, k);
    std::vector<int32_t> unit;
    for (uint32_t at : permutation(static_cast<uint32_t>(m), rng)) unit.push_back(nodes[at]);
    found[static_cast<size_t>(k)] = difference(sum_under(unit));
  };
  if (!for_each_draw(draws, workers, part_of(progress, 0, 0.5), everywhere)) return coactivation_cancelled;
  h.p = tail();
  std::vector<std::vector<int32_t>> members;  // places of each population's units
  for (int64_t k = 0; k < m; ++k) {
    const auto p = static_cast<size_t>(population[static_cast<size_t>(nodes[static_cast<size_t>(k)])]);
    if (members.size() <= p) members.resize(p + 1);
    members[p].push_back(static_cast<int32_t>(k));
  }
  const auto within = [&](int64_t k) {
    Rng rng = draw_rng(seed, Shuffled::within, k);
    std::vector<int32_t> unit(nodes.size());
    for (const std::vector<int32_t>& own_places : members) {
      const std::vector<uint32_t> order = permutation(static_cast<uint32_t>(own_places.size()), rng);
      for (size_t e = 0; e < order.size(); ++e)
        unit[static_cast<size_t>(own_places[e])] = nodes[static_cast<size_t>(own_places[order[e]])];
    }
    found[static_cast<size_t>(k)] = difference(sum_under(unit));
  };
  if (!for_each_draw(draws, workers, part_of(progress, 0.5, 1), within)) return coactivation_cancelled;
  h.p_within = tail();
  double sum = 0;
  for (double d : found) sum += d;
  h.expected_within = sum / static_cast<double>(draws);
  return h;
}

Result<Silhouette> silhouette_of(const std::vector<float>& rho, int64_t units, const std::vector<int32_t>& group,
                                 int64_t groups, uint64_t seed, int64_t draws, Workers& workers,
                                 const PartDone& progress) {
  const std::vector<int32_t> nodes = varying_units(rho, units);
  const size_t m = nodes.size(), kinds = static_cast<size_t>(groups);
  std::vector<int32_t> own;
  std::vector<int64_t> size(kinds);
  for (int32_t i : nodes) {
    own.push_back(group[static_cast<size_t>(i)]);
    ++size[static_cast<size_t>(own.back())];
  }
  Silhouette s;
  s.of_group.assign(kinds, std::nan(""));
  if (std::count_if(size.begin(), size.end(), [](int64_t n) { return n > 0; }) < 2) return s;
  // Mean over units; by unit into `each` where it is not null.
  const auto mean_under = [&](const std::vector<int32_t>& label, std::vector<double>* each) {
    std::vector<double> sum(kinds);
    double all = 0;
    for (size_t a = 0; a < m; ++a) {
      std::fill(sum.begin(), sum.end(), 0.0);
      const float* row = rho.data() + static_cast<size_t>(nodes[a]) * static_cast<size_t>(units);
      for (size_t b = 0; b < m; ++b)
        sum[static_cast<size_t>(label[b])] += 1 - static_cast<double>(row[static_cast<size_t>(nodes[b])]);
      const auto mine = static_cast<size_t>(label[a]);
      double v = 0;
      if (size[mine] > 1) {
        const double inside = sum[mine] / static_cast<double>(size[mine] - 1);
        double outside = INFINITY;
        for (size_t g = 0; g < kinds; ++g)
          if (g != mine && size[g] > 0) outside = std::min(outside, sum[g] / static_cast<double>(size[g]));
        const double larger = std::max(inside, outside);
        v = larger > 0 ? (outside - inside) / larger : 0;
      }
      all += v;
      if (each != nullptr) each->push_back(v);
    }
    return all / static_cast<double>(m);
  };
  std::vector<double> each;
  s.mean = mean_under(own, &each);
  std::vector<double> sum(kinds);
  for (size_t a = 0; a < m; ++a) sum[static_cast<size_t>(own[a])] += each[a];
  for (size_t g = 0; g < kinds; ++g)
    if (size[g] > 0) s.of_group[g] = sum[g] / static_cast<double>(size[g]);
  std::vector<double> found(static_cast<size_t>(draws));
  const auto dealt = [&](int64_t k) {
    Rng rng = draw_rng(seed, Shuffled::groups, k);
    std::vector<int32_t> label;
    for (uint32_t at : permutation(static_cast<uint32_t>(m), rng)) label.push_back(own[at]);
    found[static_cast<size_t>(k)] = mean_under(label, nullptr);
  };
  if (!for_each_draw(draws, workers, progress, dealt)) return coactivation_cancelled;
  int64_t reached = 0;
  for (double v : found) reached += v >= s.mean - 1e-9 ? 1 : 0;
  s.draws = draws;
  s.p = static_cast<double>(reached + 1) / static_cast<double>(draws + 1);
  return s;
}

Result<Coactivation> study_coactivation(const Model& model, const Dataset& data,
                                        const std::vector<Population>& populations, int64_t batch, Isa isa,
                                        Workers& workers, const CoactivationOptions& options,
                                        const PartDone& progress) {
  const Trials& split = data.held_out;
  if (split.count == 0 || split.steps == 0)
    return Error{"held-out split", "has no trials, so there is nothing to measure; give task.held_out or more frames"};
  if (model.units > most_coactivation_units)
    return Error{"units", "are " + std::to_string(model.units) + "; co-activation is measured among at most " +
                              std::to_string(most_coactivation_units)};
  if (split.steps * model.units > most_coactivation_values)
    return Error{"task.steps", "times units are more than " + std::to_string(most_coactivation_values) +
                                   " values in one trial; give shorter trials"};
  if (options.draws < 1 || options.draws > 1'000'000)
    return Error{"draws", "are " + std::to_string(options.draws) + "; give 1 to 1000000, 999 is usual"};
  const FloatState ieee;
  Coactivation c;
  c.units = model.units;
  c.all_trials = split.count;
  c.steps = split.steps;
  c.trials = std::min(split.count, most_coactivation_values / (split.steps * model.units));
  if (Status ok = group_units(populations, options.by, c); !ok) return ok.error();
  const int64_t samples = c.trials * c.steps;
  std::vector<float> values(static_cast<size_t>(c.units * samples));
  Pass pass(isa, workers);
  pass.pack(model, false);
  const PartDone forward = part_of(progress, 0, 0.3), correlating = part_of(progress, 0.3, 0.6),
                 testing = part_of(progress, 0.6, 0.9), grouping = part_of(progress, 0.9, 1);
  batch = std::max<int64_t>(1, batch);
  // Trials that follow each other run together; where some are left out, one by one.
  if (c.trials < split.count) batch = 1;
  for (int64_t k = 0; k < c.trials; k += batch) {
    if (!heard(forward, static_cast<double>(k) / static_cast<double>(c.trials))) return coactivation_cancelled;
    const int64_t count = std::min(batch, c.trials - k), first = batch == 1 ? k * split.count / c.trials : k;
    pass.begin_forward(model, split, first, first + count, data.loss);
    pass.run();
    const Activity& a = pass.activity();
    for (int64_t t = 0; t < a.steps; ++t)
      for (int64_t i = 0; i < c.units; ++i)
        for (int64_t b = 0; b < count; ++b)
          values[static_cast<size_t>(i * samples + (k + b) * c.steps + t)] =
              a.z[static_cast<size_t>((t * c.units + i) * a.stride + b)];
  }
  Result<std::vector<float>> rho = spearman_matrix(values, c.units, workers, correlating);
  if (!rho) return rho.error();
  c.rho = std::move(*rho);
  values = {};
  for (int64_t i = 0; i < c.units; ++i) c.silent += unit_varies(c.rho, c.units, i) ? 0 : 1;
  const std::vector<std::pair<int32_t, int32_t>> links = take_connections(model.parameters.W_rec, c);
  std::vector<int32_t> population;
  for (size_t p = 0; p < model.populations.size(); ++p)
    population.insert(population.end(), static_cast<size_t>(model.populations[p].size()), static_cast<int32_t>(p));
  Result<Homophily> homophily =
      homophily_of(c.rho, c.units, links, population, options.seed, options.draws, workers, testing);
  if (!homophily) return homophily.error();
  c.homophily = std::move(*homophily);
  Result<Silhouette> silhouette = silhouette_of(c.rho, c.units, c.group, static_cast<int64_t>(c.groups.size()),
                                                options.seed, options.draws, workers, grouping);
  if (!silhouette) return silhouette.error();
  c.silhouette = std::move(*silhouette);
  return c;
}

}  // namespace dalea
