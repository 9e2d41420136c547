#include "analysis/fits.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

#include "numerics/parallel.h"
#include "numerics/rng.h"

namespace dalea {
namespace fit {  // named: FitJob::Work holds them

// Sums over rows of one unit, targets and predictions about the unit's mean.
struct FitSums {
  double n = 0, y = 0, yy = 0;
  std::array<double, predictor_count> ee{}, p{}, pp{}, yp{};

  void add(const FitSums& o, double f) {
    n += f * o.n;
    y += f * o.y;
    yy += f * o.yy;
    for (size_t k = 0; k < predictor_count; ++k) {
      ee[k] += f * o.ee[k];
      p[k] += f * o.p[k];
      pp[k] += f * o.pp[k];
      yp[k] += f * o.yp[k];
    }
  }
  double sst() const { return n > 0 ? yy - y * y / n : 0.0; }
  double correlation(size_t k) const {
    const double vp = pp[k] - p[k] * p[k] / n, vy = sst();
    return vp > 1e-14 * pp[k] && vy > 0 ? (yp[k] - y * p[k] / n) / std::sqrt(vp * vy) : no_value;
  }
};

// Of a group's units, in one draw.
struct GroupSums {
  double sst = 0;
  std::array<double, predictor_count> sse{}, r{}, units{};
};

}  // namespace fit

using fit::FitSums;
using fit::GroupSums;

namespace {

// Linear between order statistics; drops what is not finite.
void interval(std::vector<double>& draws, Estimate& e) {
  std::erase_if(draws, [](double v) { return !std::isfinite(v); });
  if (draws.size() < 2 || !std::isfinite(e.value)) return;
  std::sort(draws.begin(), draws.end());
  const auto at = [&](double q) {
    const double place = q * static_cast<double>(draws.size() - 1);
    const auto k = std::min(static_cast<size_t>(place), draws.size() - 2);
    return draws[k] + (place - static_cast<double>(k)) * (draws[k + 1] - draws[k]);
  };
  e.low = at(0.025);
  e.high = at(0.975);
}

void choose_best(UnitFit& fit) {
  double most = -INFINITY;
  for (size_t k = 1; k < predictor_count; ++k)
    if (fit.r2[k].value > most) {
      most = fit.r2[k].value;
      fit.best = static_cast<Predictor>(k);
    }
  if (std::isfinite(most)) fit.difference.value = fit.r2[0].value - most;
}

// Every member of `members` moves: one random cycle (Sattolo 1986).
void cycle(const std::vector<int64_t>& members, Rng& rng, std::vector<int64_t>& from) {
  std::vector<int64_t> order = members;
  for (size_t k = order.size(); k-- > 1;) std::swap(order[k], order[rng.below(static_cast<uint32_t>(k))]);
  for (size_t k = 0; k < members.size(); ++k) from[static_cast<size_t>(members[k])] = order[k];
}

// One unit's halves; see noise_ceiling(). `value(trial, step)`: NaN: missing.
template <class Value>
Ceiling ceiling_of(const std::map<int32_t, std::vector<int64_t>>& repeats, int64_t steps, uint64_t seed, int64_t splits,
                   Value value) {
  double sum = 0, used = 0, inverse = 0, kinds = 0;
  for (const auto& [kind, trials] : repeats)
    if (trials.size() >= 2) {
      inverse += 1 / static_cast<double>(trials.size() / 2);
      ++kinds;
    }
  if (kinds == 0) return {};
  for (int64_t split = 0; split < splits; ++split) {
    Rng rng(seed, Purpose::fit, 0, 2, static_cast<uint32_t>(split));
    std::vector<double> a, b;
    for (const auto& [kind, trials] : repeats) {
      if (trials.size() < 2) continue;
      const std::vector<uint32_t> order = permutation(static_cast<uint32_t>(trials.size()), rng);
      const size_t half = trials.size() / 2;
      for (int64_t t = 0; t < steps; ++t) {
        double mean[2] = {0, 0}, n[2] = {0, 0};
        for (size_t k = 0; k < 2 * half; ++k) {
          const double v = value(trials[order[k]], t);
          if (std::isnan(v)) continue;
          mean[k >= half] += v;
          ++n[k >= half];
        }
        if (n[0] == 0 || n[1] == 0) continue;
        a.push_back(mean[0] / n[0]);
        b.push_back(mean[1] / n[1]);
      }
    }
    if (a.size() < 3) continue;
    const double n = static_cast<double>(a.size());
    double ma = 0, mb = 0, aa = 0, bb = 0, ab = 0;
    for (size_t k = 0; k < a.size(); ++k) {
      ma += a[k] / n;
      mb += b[k] / n;
    }
    for (size_t k = 0; k < a.size(); ++k) {
      aa += (a[k] - ma) * (a[k] - ma);
      bb += (b[k] - mb) * (b[k] - mb);
      ab += (a[k] - ma) * (b[k] - mb);
    }
    if (!(aa > 0 && bb > 0)) continue;
    sum += ab / std::sqrt(aa * bb);
    ++used;
  }
  if (used == 0) return {};
  const double r = std::min(1.0, sum / used), m = kinds / inverse;
  if (r <= 0) return {0, 0};
  return {r / (m - (m - 1) * r), 2 * r / (1 + r)};
}

std::map<int32_t, std::vector<int64_t>> repeats_of(std::span<const int32_t> kind) {
  std::map<int32_t, std::vector<int64_t>> repeats;
  for (size_t k = 0; k < kind.size(); ++k) repeats[kind[k]].push_back(static_cast<int64_t>(k));
  return repeats;
}

}  // namespace

const char* predictor_name(Predictor predictor) {
  constexpr const char* names[predictor_count] = {"network", "last frame", "AR(1)", "linear"};
  return names[static_cast<size_t>(predictor)];
}

std::vector<std::string> unit_labels(const Recording& recording) {
  std::vector<std::string> labels;
  for (const CellLabels& c : recording.cells) {
    std::string label;
    for (const std::string* part : {&c.area, &c.layer, &c.type})
      if (!part->empty()) label += (label.empty() ? "" : " ") + *part;
    if (label.empty() && !c.sign.empty()) label = c.sign == "+" ? "excitatory" : "inhibitory";
    labels.push_back(std::move(label));
  }
  return labels;
}

struct FitJob::Work {
  Work(Model m, const Dataset& d, Isa isa, Workers& workers) : model(std::move(m)), data(d), pass(isa, workers) {}

  const Trials& split() const { return data.held_out; }
  bool scored(int64_t row, int64_t output) const {
    return split().scored.empty() || split().scored[static_cast<size_t>(row * split().outputs + output)] != 0;
  }

  void find_rows();
  void find_groups(const std::vector<std::string>& labels);
  void draw_blocks();
  void permute();
  void take_batch();
  void measure_unit(int64_t unit);
  void finish();
  FitSums drawn(size_t draw) const;

  Model model;
  const Dataset& data;
  Pass pass;
  uint64_t seed = 0;
  int64_t batch = 1;

  std::vector<int64_t> rows;     // trial * steps + step: what is predicted, in time
  std::vector<float> predicted;  // (row of `rows`, output)
  std::vector<int64_t> row_at;   // (trial * steps + step): its place in `rows`, -1: none
  int64_t apart = 1;             // blocks begin at its multiples

  std::vector<std::vector<int64_t>> movable;  // inputs that are permuted among themselves
  Trials shuffled;
  std::vector<double> shuffled_sse;  // (output)

  std::vector<std::vector<int64_t>> groups;         // units of each of fits.groups
  std::vector<std::vector<size_t>> groups_of;       // (unit)
  std::vector<std::vector<GroupSums>> group_draws;  // (group, draw)
  std::vector<GroupSums> group_sums;
  std::vector<double> group_shuffled, group_ceiling, group_ceiling_sst;
  std::vector<int64_t> starts;  // (draw, block)
  int64_t blocks_a_draw = 0;
  std::vector<FitSums> before;  // (row + 1): sums over the rows before it, of one unit
  int64_t unvarying = 0;

  std::map<int32_t, std::vector<int64_t>> repeats;
  Fits fits;
  int64_t permutation = -1;  // -1: as they are
  int64_t trial = 0, unit = 0;
  bool begun = false, done = false, diverged = false;
};

void FitJob::Work::find_rows() {
  const Trials& t = split();
  const bool events = !t.kind.empty() || (data.prepared && data.prepared->window > 0);
  std::vector<int64_t> first(static_cast<size_t>(t.count), t.steps);
  for (int64_t n = 0; n < t.count; ++n)
    for (int64_t s = t.steps; s-- > 0;)
      for (int64_t o = 0; o < t.outputs; ++o)
        if (scored(n * t.steps + s, o)) {
          first[static_cast<size_t>(n)] = s;
          break;
        }
  if (events && t.count > 0) {  // whole trials of one length
    const int64_t least = *std::min_element(first.begin(), first.end());
    std::fill(first.begin(), first.end(), least);
    apart = std::max<int64_t>(1, t.steps - least);
  }
  row_at.assign(static_cast<size_t>(t.count * t.steps), -1);
  for (int64_t n = 0; n < t.count; ++n)
    for (int64_t s = first[static_cast<size_t>(n)]; s < t.steps; ++s) {
      row_at[static_cast<size_t>(n * t.steps + s)] = static_cast<int64_t>(rows.size());
      rows.push_back(n * t.steps + s);
    }
  fits.trials = t.count;
  fits.frames = static_cast<int64_t>(rows.size());
}

void FitJob::Work::find_groups(const std::vector<std::string>& labels) {
  const int64_t outputs = split().outputs, inputs = split().inputs;
  std::map<std::string, std::vector<int64_t>> labelled;
  for (int64_t u = 0; u < std::min<int64_t>(outputs, static_cast<int64_t>(labels.size())); ++u)
    if (!labels[static_cast<size_t>(u)].empty()) labelled[labels[static_cast<size_t>(u)]].push_back(u);
  std::vector<std::pair<std::string, std::vector<int64_t>>> several;
  for (auto& [label, units] : labelled)
    if (units.size() >= 2) several.emplace_back(label, units);
  if (several.size() > most_fit_groups) {
    std::stable_sort(several.begin(), several.end(),
                     [](const auto& a, const auto& b) { return a.second.size() > b.second.size(); });
    several.resize(most_fit_groups);
    fits.remarks.push_back("The " + std::to_string(most_fit_groups) + " largest groups of units are shown.");
  }
  fits.groups.emplace_back().name = "all units";
  groups.emplace_back();
  for (int64_t u = 0; u < outputs; ++u) groups[0].push_back(u);
  for (auto& [label, units] : several) {
    fits.groups.emplace_back().name = label;
    groups.push_back(units);
  }
  groups_of.resize(static_cast<size_t>(outputs));
  for (size_t g = 0; g < groups.size(); ++g)
    for (int64_t u : groups[g]) groups_of[static_cast<size_t>(u)].push_back(g);
  group_sums.resize(groups.size());
  group_shuffled.resize(groups.size());
  group_ceiling.resize(groups.size());
  group_ceiling_sst.resize(groups.size());

  // Units that are alone with their labels, or have none, are permuted among themselves.
  std::map<std::string, std::vector<int64_t>> alike;
  std::vector<int64_t> alone;
  for (int64_t i = 0; i < inputs; ++i)
    alike[i < static_cast<int64_t>(labels.size()) ? labels[static_cast<size_t>(i)] : std::string()].push_back(i);
  const bool labels_used = alike.size() > 1;
  for (auto& [label, units] : alike) {
    if (label.empty() || units.size() < 2)
      alone.insert(alone.end(), units.begin(), units.end());
    else
      movable.push_back(units);
  }
  if (alone.size() >= 2) movable.push_back(alone);
  fits.shuffled_among = movable.empty() ? "" : labels_used ? "units of the same labels" : "all units";
}

void FitJob::Work::draw_blocks() {
  const int64_t n = fits.frames;
  fits.block = std::max(data.held_out.steps, (n + most_blocks - 1) / most_blocks);
  fits.block = (fits.block + apart - 1) / apart * apart;
  if (n < 2 * fits.block) {
    fits.remarks.push_back("The held-out part is shorter than two blocks of " + std::to_string(fits.block) +
                           " frames: no intervals. A longer recording or a shorter task.steps gives them.");
    return;
  }
  if (fits.blocks() < few_blocks) {
    char text[160];
    std::snprintf(text, sizeof text,
                  "The held-out part is %.1f blocks of %lld frames long: intervals from fewer than %.0f are rough, and "
                  "often too narrow.",
                  fits.blocks(), static_cast<long long>(fits.block), few_blocks);
    fits.remarks.push_back(text);
  }
  fits.draws = bootstrap_draws;
  blocks_a_draw = (n + fits.block - 1) / fits.block;
  const auto places = static_cast<uint32_t>((n - fits.block) / apart + 1);
  Rng rng(seed, Purpose::fit, 0, 0);
  for (int64_t k = 0; k < fits.draws * blocks_a_draw; ++k) starts.push_back(apart * rng.below(places));
  group_draws.assign(groups.size(), std::vector<GroupSums>(static_cast<size_t>(fits.draws)));
}

void FitJob::Work::permute() {
  const Trials& t = split();
  std::vector<int64_t> from(static_cast<size_t>(t.inputs));
  for (int64_t i = 0; i < t.inputs; ++i) from[static_cast<size_t>(i)] = i;
  Rng rng(seed, Purpose::fit, 0, 1, static_cast<uint32_t>(permutation));
  for (const std::vector<int64_t>& units : movable) cycle(units, rng, from);
  for (int64_t row = 0; row < t.count * t.steps; ++row) {
    const float* x = t.input.data() + row * t.inputs;
    float* y = shuffled.input.data() + row * t.inputs;
    for (int64_t i = 0; i < t.inputs; ++i) y[i] = x[from[static_cast<size_t>(i)]];
  }
}

void FitJob::Work::take_batch() {
  const Trials& t = split();
  const Activity& a = pass.activity();
  for (int64_t b = 0; b < a.batch; ++b)
    for (int64_t s = 0; s < t.steps; ++s) {
      const int64_t row = (trial + b) * t.steps + s, place = row_at[static_cast<size_t>(row)];
      if (place < 0) continue;
      for (int64_t o = 0; o < t.outputs; ++o) {
        const float y = a.output[static_cast<size_t>((s * t.outputs + o) * a.stride + b)];
        if (!std::isfinite(y)) diverged = true;
        if (permutation < 0) {
          predicted[static_cast<size_t>(place * t.outputs + o)] = y;
        } else if (scored(row, o)) {
          const double e =
              static_cast<double>(y) - static_cast<double>(t.target[static_cast<size_t>(row * t.outputs + o)]);
          shuffled_sse[static_cast<size_t>(o)] += e * e;
        }
      }
    }
}

FitSums FitJob::Work::drawn(size_t draw) const {
  FitSums sums;
  for (int64_t k = 0, left = fits.frames; k < blocks_a_draw; ++k) {
    const int64_t start = starts[draw * static_cast<size_t>(blocks_a_draw) + static_cast<size_t>(k)],
                  length = std::min(fits.block, left);
    sums.add(before[static_cast<size_t>(start + length)], 1);
    sums.add(before[static_cast<size_t>(start)], -1);
    left -= length;
  }
  return sums;
}

void FitJob::Work::measure_unit(int64_t u) {
  const Trials& t = split();
  const auto at = static_cast<size_t>(u);
  const BaselineFit& base = data.baselines->fit;
  UnitFit& fit = fits.units.emplace_back();
  fit.name = data.output_names[at];
  double mean = 0;
  for (int64_t row : rows)
    if (scored(row, u)) {
      mean += static_cast<double>(t.target[static_cast<size_t>(row * t.outputs + u)]);
      ++fit.values;
    }
  if (fit.values > 0) mean /= static_cast<double>(fit.values);
  const bool own_past = u < t.inputs;
  before.assign(rows.size() + 1, FitSums());
  for (size_t r = 0; r < rows.size(); ++r) {
    FitSums& sums = before[r + 1];
    sums = before[r];
    const int64_t row = rows[r];
    if (!scored(row, u)) continue;
    const float* x = t.input.data() + row * t.inputs;
    double linear = base.offset[at];
    for (int64_t i = 0; i < t.inputs; ++i)
      linear += (static_cast<double>(x[i]) - base.mean[static_cast<size_t>(i)]) *
                base.weights[static_cast<size_t>(i * t.outputs + u)];
    const double last = own_past ? static_cast<double>(x[u]) : 0.0;
    const double guesses[predictor_count] = {static_cast<double>(predicted[r * static_cast<size_t>(t.outputs) + at]),
                                             last, own_past ? base.slope[at] * last + base.intercept[at] : 0.0, linear};
    const double y = static_cast<double>(t.target[static_cast<size_t>(row * t.outputs + u)]) - mean;
    sums.n += 1;
    sums.y += y;
    sums.yy += y * y;
    for (size_t k = 0; k < predictor_count; ++k) {
      const double p = guesses[k] - mean;
      sums.ee[k] += (p - y) * (p - y);
      sums.p[k] += p;
      sums.pp[k] += p * p;
      sums.yp[k] += y * p;
    }
  }
  const FitSums& all = before.back();
  const double sst = all.sst();
  const bool varies = fit.values > 1 && sst > 1e-20 * mean * mean * all.n && sst > 0;
  if (!varies) {
    ++unvarying;
    fit.units = 0;
    return;
  }
  const auto has = [&](size_t k) {
    return own_past || k == static_cast<size_t>(Predictor::network) || k == static_cast<size_t>(Predictor::linear);
  };
  const auto add_to = [&](GroupSums& g, const FitSums& s) {
    g.sst += s.sst();
    for (size_t k = 0; k < predictor_count; ++k) {
      g.sse[k] += has(k) ? s.ee[k] : no_value;
      const double r = has(k) ? s.correlation(k) : no_value;
      if (std::isfinite(r)) {
        g.r[k] += r;
        g.units[k] += 1;
      }
    }
  };
  for (size_t k = 0; k < predictor_count; ++k)
    if (has(k)) {
      fit.r2[k].value = 1 - all.ee[k] / sst;
      fit.correlation[k].value = all.correlation(k);
    }
  choose_best(fit);
  if (fits.permutations > 0) fit.shuffled_r2 = 1 - shuffled_sse[at] / static_cast<double>(fits.permutations) / sst;
  if (!repeats.empty()) {
    const auto value = [&](int64_t n, int64_t s) {
      const int64_t row = n * t.steps + s;
      return scored(row, u) ? static_cast<double>(t.target[static_cast<size_t>(row * t.outputs + u)]) : no_value;
    };
    fit.ceiling = ceiling_of(repeats, t.steps, seed, ceiling_splits, value).of_trial;
  }
  for (size_t g : groups_of[at]) {
    add_to(group_sums[g], all);
    group_shuffled[g] += fits.permutations > 0 ? shuffled_sse[at] / static_cast<double>(fits.permutations) : 0;
    if (std::isfinite(fit.ceiling)) {
      group_ceiling[g] += sst * fit.ceiling;
      group_ceiling_sst[g] += sst;
    }
  }
  std::array<std::vector<double>, predictor_count> r2, r;
  std::vector<double> difference;
  for (size_t d = 0; d < static_cast<size_t>(fits.draws); ++d) {
    const FitSums sums = drawn(d);
    const double total = sums.sst();
    if (sums.n < 2 || total <= 1e-12 * sst) continue;
    for (size_t g : groups_of[at]) add_to(group_draws[g][d], sums);
    for (size_t k = 0; k < predictor_count; ++k)
      if (has(k)) {
        r2[k].push_back(1 - sums.ee[k] / total);
        r[k].push_back(sums.correlation(k));
      }
    const auto best = static_cast<size_t>(fit.best);
    difference.push_back((sums.ee[best] - sums.ee[0]) / total);
  }
  for (size_t k = 0; k < predictor_count; ++k) {
    interval(r2[k], fit.r2[k]);
    interval(r[k], fit.correlation[k]);
  }
  interval(difference, fit.difference);
  fit.wins = fit.difference.value > 0;
  fit.clear_wins = fit.difference.low > 0;
}

void FitJob::Work::finish() {
  for (size_t g = 0; g < groups.size(); ++g) {
    UnitFit& fit = fits.groups[g];
    const GroupSums& all = group_sums[g];
    fit.units = 0;
    for (int64_t u : groups[g]) {
      const UnitFit& unit_fit = fits.units[static_cast<size_t>(u)];
      fit.units += unit_fit.units;
      fit.values += unit_fit.units > 0 ? unit_fit.values : 0;
      fit.wins += unit_fit.wins;
      fit.clear_wins += unit_fit.clear_wins;
    }
    if (!(all.sst > 0)) continue;
    const auto value_of = [](const GroupSums& s, size_t k) { return s.sst > 0 ? 1 - s.sse[k] / s.sst : no_value; };
    const auto r_of = [](const GroupSums& s, size_t k) { return s.units[k] > 0 ? s.r[k] / s.units[k] : no_value; };
    for (size_t k = 0; k < predictor_count; ++k) {
      fit.r2[k].value = value_of(all, k);
      fit.correlation[k].value = r_of(all, k);
    }
    choose_best(fit);
    if (fits.permutations > 0) fit.shuffled_r2 = 1 - group_shuffled[g] / all.sst;
    if (group_ceiling_sst[g] > 0) fit.ceiling = group_ceiling[g] / group_ceiling_sst[g];
    if (fits.draws == 0) continue;
    std::vector<double> draws;
    const auto over = [&](Estimate& e, auto value) {
      draws.clear();
      for (const GroupSums& s : group_draws[g]) draws.push_back(value(s));
      interval(draws, e);
    };
    for (size_t k = 0; k < predictor_count; ++k) {
      over(fit.r2[k], [&](const GroupSums& s) { return value_of(s, k); });
      over(fit.correlation[k], [&](const GroupSums& s) { return r_of(s, k); });
    }
    const auto best = static_cast<size_t>(fit.best);
    over(fit.difference, [&](const GroupSums& s) { return value_of(s, 0) - value_of(s, best); });
  }
  if (unvarying > 0)
    fits.remarks.push_back(std::to_string(unvarying) + (unvarying == 1 ? " unit has" : " units have") +
                           " nothing scored or no variance in the held-out part, so no R2.");
}

FitJob::FitJob(std::unique_ptr<Work> work) : work_(std::move(work)) {}
FitJob::~FitJob() = default;

Result<std::unique_ptr<FitJob>> FitJob::create(Model model, const Dataset& data, std::vector<std::string> labels,
                                               uint64_t seed, int64_t batch, Isa isa, Workers& workers) {
  const Trials& t = data.held_out;
  if (!data.baselines || data.loss != Loss::mse)
    return Error{"task.type", "is not a recording, and fits are measured of recordings; see dalea states and perturb"};
  if (t.count == 0 || t.steps == 0)
    return Error{"held-out split",
                 "is empty, so nothing can be said of a fit: predictions of frames that were trained on prove nothing; "
                 "give a longer recording or smaller recording.train_fraction"};
  if (model.inputs != t.inputs || model.outputs != t.outputs)
    return Error{"network", "was made for another recording; train on this one"};
  if (data.baselines->fit.offset.size() != static_cast<size_t>(t.outputs))
    return Error{"baselines", "were not fitted; make the dataset again"};
  auto work = std::make_unique<Work>(std::move(model), data, isa, workers);
  work->seed = seed;
  work->batch = std::max<int64_t>(1, batch);
  work->find_rows();
  if (work->rows.empty())
    return Error{"held-out split", "has nothing that is scored; give a smaller recording.warmup or other fractions"};
  work->find_groups(labels);
  work->draw_blocks();
  work->predicted.resize(work->rows.size() * static_cast<size_t>(t.outputs));
  work->shuffled_sse.resize(static_cast<size_t>(t.outputs));
  if (work->movable.empty())
    work->fits.remarks.push_back("There are no two inputs to exchange, so nothing was shuffled.");
  else
    work->fits.permutations = shuffled_inputs;
  work->repeats = repeats_of(t.kind);
  std::erase_if(work->repeats, [](const auto& r) { return r.second.size() < 2; });
  if (work->repeats.empty())
    work->fits.no_ceiling = "No condition is repeated in the held-out part, so there is no noise ceiling.";
  work->pass.pack(work->model, false);
  return std::unique_ptr<FitJob>(new FitJob(std::move(work)));
}

bool FitJob::advance(bool small) {
  Work& w = *work_;
  if (w.done) return true;
  const FloatState ieee;
  const Trials& t = w.split();
  if (w.permutation < w.fits.permutations && !w.diverged) {
    const Trials& shown = w.permutation < 0 ? t : w.shuffled;
    if (!w.begun) {
      w.pass.begin_forward(w.model, shown, w.trial, std::min(w.trial + w.batch, t.count), w.data.loss);
      w.begun = true;
    }
    if (small) {
      if (!w.pass.advance()) return false;
    } else {
      w.pass.run();
    }
    w.take_batch();
    w.begun = false;
    w.trial += w.batch;
    if (w.trial < t.count) return false;
    w.trial = 0;
    ++w.permutation;
    if (w.permutation < w.fits.permutations) {
      if (w.permutation == 0) w.shuffled = t;
      w.permute();
    } else {
      w.shuffled = Trials();
    }
    return false;
  }
  if (w.diverged) {
    w.done = true;
  } else if (w.unit < t.outputs) {
    w.measure_unit(w.unit++);
  } else {
    w.finish();
    w.done = true;
  }
  return w.done;
}

double FitJob::progress() const {
  const Work& w = *work_;
  const Trials& t = w.split();
  const double passes = static_cast<double>(w.fits.permutations + 1);
  const double ran = std::min(
      1.0,
      (static_cast<double>(w.permutation + 1) + static_cast<double>(w.trial) / static_cast<double>(t.count)) / passes);
  const double measured = static_cast<double>(w.unit) / static_cast<double>(std::max<int64_t>(1, t.outputs));
  return w.done ? 1.0 : 0.5 * ran + 0.5 * measured;
}

Result<Fits> FitJob::result() {
  if (!work_->done) return Error{"fits", "are not measured yet"};
  if (work_->diverged)
    return Error{"predictions", "are not finite: the training diverged; go back to an earlier state of it"};
  return std::move(work_->fits);
}

Result<Fits> measure_fits(const Model& model, const Dataset& data, std::vector<std::string> labels, uint64_t seed,
                          int64_t batch, Isa isa, Workers& workers, const std::atomic<bool>* cancel) {
  Result<std::unique_ptr<FitJob>> job = FitJob::create(model, data, std::move(labels), seed, batch, isa, workers);
  if (!job) return job.error();
  while (!(*job)->advance())
    if (cancel != nullptr && cancel->load(std::memory_order_relaxed)) return Error{"", "cancelled"};
  return (*job)->result();
}

std::vector<Ceiling> noise_ceiling(std::span<const float> trials, std::span<const int32_t> kind, int64_t steps,
                                   int64_t units, uint64_t seed, int64_t splits) {
  const auto repeats = repeats_of(kind);
  std::vector<Ceiling> ceilings;
  for (int64_t u = 0; u < units; ++u)
    ceilings.push_back(ceiling_of(repeats, steps, seed, splits, [&](int64_t n, int64_t s) {
      return static_cast<double>(trials[static_cast<size_t>((n * steps + s) * units + u)]);
    }));
  return ceilings;
}

std::string Overfit::text() const {
  if (!warns) return "";
  char text[320];
  std::snprintf(text, sizeof text,
                "The training error still falls (%.4g to %.4g since epoch %lld) while the %s error rises (%.4g to "
                "%.4g): the network learns this training part by heart. Fewer epochs, fewer units or more frames help.",
                train_then, train_last, static_cast<long long>(epoch), validation ? "validation" : "held-out", least,
                last);
  return text;
}

Overfit overfit_of(const std::vector<EpochRecord>& history) {
  Overfit o;
  const auto n = static_cast<int64_t>(history.size());
  if (n < 10) return o;
  o.validation = std::isfinite(history.back().validation);
  const auto watched = [&](int64_t k) {
    const EpochRecord& r = history[static_cast<size_t>(k)];
    return o.validation ? r.validation : r.held_out;
  };
  const auto train = [&](int64_t k) { return history[static_cast<size_t>(k)].train; };
  const auto mean = [](const auto& of, int64_t k) { return (of(k - 1) + of(k) + of(k + 1)) / 3; };
  int64_t best = -1;
  for (int64_t k = 1; k + 1 < n; ++k) {
    const double v = mean(watched, k);
    if (!std::isfinite(v) || (best >= 0 && v >= o.least)) continue;
    best = k;
    o.least = v;
  }
  if (best < 0) return o;
  o.epoch = history[static_cast<size_t>(best)].epoch;
  o.last = mean(watched, n - 2);
  o.train_then = mean(train, best);
  o.train_last = mean(train, n - 2);
  const int64_t back = n - 2 - best;
  o.warns = back >= 5 && 5 * back >= n && o.last >= 1.05 * o.least && o.train_last <= 0.95 * o.train_then;
  return o;
}

}  // namespace dalea
