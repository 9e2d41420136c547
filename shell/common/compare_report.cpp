#include "common/compare_report.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "common/experiment_notes.h"
#include "common/figure_parts.h"
#include "common/json.h"
#include "common/markup.h"
#include "network/rules.h"

namespace dalea {
namespace {

using nlohmann::json;

constexpr const char* checkpoint_names[] = {"initial", "dense", "sparse", "final"};
constexpr const char* minus = " − ";

json experiment_of(const Spec& of) {
  Spec spec = of;
  spec.seed = 1;
  spec.runs = 1;
  spec.name.clear();
  spec.note.clear();
  spec.connectivity.storage = "auto";
  return json::parse(print_spec(spec, false), nullptr, false);
}

// What must be the same of all conditions: the network's anatomy. How and on what it is trained may be the condition.
json anatomy_of(const json& experiment) {
  json o = json::object();
  for (const char* key : {"populations", "structure", "network", "connectivity", "connectome", "stages"})
    if (experiment.contains(key)) o[key] = experiment[key];
  if (o.contains("network")) o["network"].erase("feedback");
  return o;
}

// "training.lr" of all in which two differ.
std::vector<std::string> differing(const json& a, const json& b) {
  std::vector<std::string> out;
  for (const json& change : json::diff(a, b)) {
    std::string path = change["path"].get<std::string>();
    if (!path.empty()) path.erase(0, 1);
    std::replace(path.begin(), path.end(), '/', '.');
    if (std::find(out.begin(), out.end(), path) == out.end()) out.push_back(path);
  }
  return out;
}

std::string times_text(const CompareReport& r) {
  return r.choices.options.weights == BlockWeights::abs ? "mean |w|" : "mean w";
}

// A power of ten that values are shown in, so that axes have short numbers.
int power_of(double largest) {
  if (!(largest > 0) || !std::isfinite(largest)) return 0;
  const int p = static_cast<int>(std::floor(std::log10(largest) + 1e-9));
  return p < -2 || p > 3 ? p : 0;
}
std::string in_powers(const std::string& label, int power) {
  return power == 0 ? label : label + " (×10" + superscript(power) + ")";
}

double largest_difference(const CompareReport& r, bool means) {
  double most = 0;
  const Comparison& c = r.comparison;
  if (means)
    for (size_t k = 0; k < c.names.size(); ++k)
      for (double v : c.mean_of(k)) most = std::max(most, std::fabs(v));
  else
    for (const PairComparison& p : c.pairs)
      for (const BlockComparison& b : p.blocks) most = std::max(most, std::fabs(b.difference));
  return most;
}

std::vector<std::string> group_names(const CompareReport& r) {
  std::vector<std::string> out;
  for (const BlockGroup& g : r.comparison.groups.groups) out.push_back(g.name);
  return out;
}

std::vector<std::pair<int64_t, int64_t>> significant_blocks(const CompareReport& r, size_t pair) {
  std::vector<std::pair<int64_t, int64_t>> out;
  const auto n = static_cast<int64_t>(r.comparison.groups.count());
  const auto& blocks = r.comparison.pairs[pair].blocks;
  for (size_t b = 0; b < blocks.size(); ++b)
    if (blocks[b].significant) out.emplace_back(static_cast<int64_t>(b) / n, static_cast<int64_t>(b) % n);
  return out;
}

std::string alpha_text(const CompareReport& r) {
  return short_number(r.choices.options.alpha, 3);
}

std::string significant_name(const CompareReport& r) {
  return "p ≤ " + alpha_text(r) + ", max-T";
}

plot::Figure one_panel(const std::string& title, plot::Chart chart, double width) {
  plot::Figure f;
  f.title = title;
  f.panels.push_back({"", std::move(chart), ""});
  f.width_mm = width;
  f.letters = false;
  return f;
}

double width_for(const CompareReport& r) {
  return r.comparison.groups.count() > 8 ? plot::double_column_mm : 120;
}

std::string size_label(DotSize size) {
  return size == DotSize::density      ? "fraction |w| ≥ 10⁻⁵"
         : size == DotSize::confidence ? "confidence 1 − σ/μ over runs"
                                       : "σ/|μ| over runs";
}

double size_of(const Dispersion& d, DotSize size) {
  const double relative = std::fabs(d.cv);
  return size == DotSize::confidence ? 1 - relative : relative;
}

// Letters and digits of a name, for a file's.
std::string file_part(const std::string& name) {
  std::string out;
  for (char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (plain)
      out += c;
    else if (!out.empty() && out.back() != '-')
      out += '-';
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out.empty() ? "condition" : out.substr(0, 60);
}

// Files' names, all different.
std::string pair_part(const CompareReport& r, size_t pair) {
  const PairComparison& p = r.comparison.pairs[pair];
  const std::string name = file_part(r.comparison.names[p.a]) + "-" + file_part(r.comparison.names[p.b]);
  for (size_t k = 0; k < pair; ++k) {
    const PairComparison& o = r.comparison.pairs[k];
    if (file_part(r.comparison.names[o.a]) + "-" + file_part(r.comparison.names[o.b]) == name)
      return name + "-" + std::to_string(pair + 1);
  }
  return name;
}

std::string short_p(double p) {
  return p < 0.0001 ? short_number(p, 2) : short_number(p, 3);
}

std::string counted(int64_t n, const std::string& what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

}  // namespace

const char* name_of(CompareCheckpoint checkpoint) {
  return checkpoint_names[static_cast<size_t>(checkpoint)];
}

Result<CompareCheckpoint> parse_compare_checkpoint(std::string_view name) {
  for (size_t k = 0; k < std::size(checkpoint_names); ++k)
    if (name == checkpoint_names[k]) return static_cast<CompareCheckpoint>(k);
  return Error{"checkpoint", "is '" + std::string(name) + "'; give initial, dense, sparse or final"};
}

Status check_checkpoint(const Session& session, CompareCheckpoint checkpoint, const std::string& path) {
  const TrainerState& s = session.state;
  const bool staged = session.spec.stages.prune;
  if (checkpoint == CompareCheckpoint::dense && !s.dense && (!staged || s.pruned))
    return Error{path, "has no dense stage; use the checkpoint final, or train with stages.prune"};
  if (checkpoint == CompareCheckpoint::sparse) {
    if (staged && !s.pruned) return Error{path, "is not pruned yet; train it to its end, or use the checkpoint dense"};
    if (!s.mask && !s.parameters.W_rec.sparse() && !sample_pattern(session.spec, s.run))
      return Error{path, "has no sparse weights, every connection exists; use the checkpoint final"};
  }
  return {};
}

Result<Weights> checkpoint_weights(const Session& session, CompareCheckpoint checkpoint, const std::string& path) {
  const TrainerState& s = session.state;
  const bool staged = session.spec.stages.prune;
  if (Status ok = check_checkpoint(session, checkpoint, path); !ok) return ok.error();
  if (checkpoint == CompareCheckpoint::initial)
    return build_model(session.spec, Ends{}, s.run, staged ? nullptr : s.mask).parameters.W_rec;
  if (checkpoint == CompareCheckpoint::dense && s.dense) return s.dense->W_rec;
  return s.parameters.W_rec;
}

Result<SessionBlocks> session_blocks(const Session& session, const Weights& weights, const BlockGroups& groups,
                                     const std::string& path) {
  Result<BlockAverages> averages = average_blocks(weights, groups);
  if (!averages) return Error{path + ": " + averages.error().path, averages.error().message};
  SessionBlocks out;
  const TrainerState& s = session.state;
  const bool own_mask = s.mask && !session.spec.stages.prune;
  if (own_mask || session.spec.connectome.source != "none") {
    out.possible = possible_blocks(groups, own_mask           ? s.mask.get()
                                           : weights.sparse() ? weights.pattern.get()
                                                              : sample_pattern(session.spec, s.run).get());
  } else {
    Result<std::vector<uint8_t>> by_rules = possible_blocks(groups, block_probability(session.spec));
    if (!by_rules) return Error{path + ": " + by_rules.error().path, by_rules.error().message};
    out.possible = std::move(*by_rules);
  }
  for (size_t k = 0; k < out.possible.size(); ++k)
    if (averages->mean_abs[k] > 0) out.possible[k] = 1;
  out.averages = std::move(*averages);
  return out;
}

std::vector<std::string> experiment_differences(const Spec& a, const Spec& b) {
  return differing(experiment_of(a), experiment_of(b));
}

Result<CompareReport> compare_sessions(const std::vector<NamedSession>& sessions, const CompareChoices& choices,
                                       const std::function<bool(double)>& progress) {
  if (sessions.empty()) return Error{"sessions", "are missing; give those of two conditions, NAME=FILES each"};
  CompareReport out;
  out.choices = choices;
  const json first = experiment_of(sessions[0].session.spec);
  Result<BlockGroups> groups = group_blocks(sessions[0].session.spec.populations, choices.level);
  if (!groups) return groups.error();
  std::vector<Condition> conditions;
  std::vector<size_t> first_of;  // session that a condition begins with
  std::vector<uint8_t> possible(groups->count() * groups->count(), 0);
  for (size_t k = 0; k < sessions.size(); ++k) {
    const NamedSession& s = sessions[k];
    if (s.group.empty()) return Error{s.path, "belongs to no condition; give NAME=" + s.path};
    const json experiment = experiment_of(s.session.spec);
    const auto other = differing(anatomy_of(first), anatomy_of(experiment));
    if (!other.empty())
      return Error{s.path, "is of another network than " + sessions[0].path + ": they differ in " + other[0] +
                               (other.size() > 1 ? " and " + std::to_string(other.size() - 1) + " more" : "") +
                               "; compare conditions of one network"};
    size_t c = 0;
    while (c < conditions.size() && conditions[c].name != s.group) ++c;
    if (c == conditions.size()) {
      conditions.push_back({s.group, {}});
      out.sessions.emplace_back();
      first_of.push_back(k);
    } else {
      const NamedSession& beginning = sessions[first_of[c]];
      const auto within = differing(experiment_of(beginning.session.spec), experiment);
      if (!within.empty())
        return Error{s.path, "is in the condition " + s.group + " with " + beginning.path + ", but they differ in " +
                                 within[0] + "; a condition's runs are of one experiment: give it a name of its own"};
    }
    const TrainerState& state = s.session.state;
    for (const CompareRun& run : out.sessions[c])
      if (run.run == state.run && run.seed == s.session.spec.seed)
        return Error{s.path, "is the same run and seed as " + run.path + "; give each run once"};
    out.sessions[c].push_back(
        {s.path, state.run, s.session.spec.seed, state.epoch, s.session.provenance.hash, state.history});
    Result<Weights> w = checkpoint_weights(s.session, choices.checkpoint, s.path);
    if (!w) return w.error();
    Result<SessionBlocks> blocks = session_blocks(s.session, *w, *groups, s.path);
    if (!blocks) return blocks.error();
    for (size_t k = 0; k < possible.size(); ++k) possible[k] |= blocks->possible[k];
    conditions[c].runs.push_back(std::move(blocks->averages));
  }
  Result<Comparison> comparison = compare_conditions(*groups, possible, conditions, choices.options, progress);
  if (!comparison) return comparison.error();
  out.comparison = std::move(*comparison);
  out.power = power_curve(out.comparison.tested, choices.options.alpha, 0.8, out.comparison.compared());
  std::set<std::string> different;
  for (size_t k : first_of)
    for (const std::string& path : differing(first, experiment_of(sessions[k].session.spec))) different.insert(path);
  out.differs.assign(different.begin(), different.end());
  out.notes = experiment_notes(sessions[0].session.spec);
  return out;
}

std::string compare_runs_sentence(const CompareReport& r) {
  const Comparison& c = r.comparison;
  std::string runs;
  for (size_t k = 0; k < c.names.size(); ++k) runs += (k ? ", " : "") + c.names[k] + " " + std::to_string(c.runs[k]);
  return "Runs (" + runs +
         ") are replicates of the optimisation, not animals: what is significant here would be "
         "found again with other seeds on the same data, and says nothing about other animals.";
}

std::string compare_power_sentence(const CompareReport& r) {
  const Comparison& c = r.comparison;
  const int64_t least = *std::min_element(c.runs.begin(), c.runs.end());
  const double g = detectable_effect(least, c.tested, r.choices.options.alpha, 0.8, c.compared());
  const double ten = detectable_effect(10, c.tested, r.choices.options.alpha, 0.8, c.compared());
  return std::isfinite(g)
             ? counted(least, "run") + " of each condition show an effect above g = " + short_number(g, 3) +
                   " with a power of 80 % (10 runs: " + short_number(ten, 3) + ")" +
                   (least < 10 ? "; 10 or more are recommended." : ".")
             : counted(least, "run") +
                   " of each condition can show no effect, however large; give "
                   "4 at least, 10 or more are recommended (g above " +
                   short_number(ten, 3) + ").";
}

std::vector<std::string> compare_sentences(const CompareReport& r) {
  const Comparison& c = r.comparison;
  std::vector<std::string> out;
  out.push_back(compare_runs_sentence(r));
  const int64_t found = [&] {
    int64_t n = 0;
    for (const PairComparison& p : c.pairs)
      for (const BlockComparison& b : p.blocks) n += b.significant;
    return n;
  }();
  const int64_t pairs = static_cast<int64_t>(c.pairs.size());
  out.push_back(counted(found, "difference") + " of " + std::to_string(c.tested * pairs) + " (" +
                counted(c.tested, "structurally possible block") + (pairs > 1 ? " × " + counted(pairs, "pair") : "") +
                ") " + (found == 1 ? "is" : "are") + " significant at a family-wise error of " + alpha_text(r) + ".");
  out.push_back(
      std::string("Test: run labels permuted jointly over all blocks (") +
      (c.method == Method::exact ? "all " + counted(c.relabelings, "relabeling")
                                 : counted(c.relabelings, "random relabeling") + ", the labels seen included") +
      "), Welch's t in each block, the largest |t| of " +
      (c.step_down ? "the blocks, step-down" : "all blocks and pairs, single-step") + " (Westfall & Young 1993).");
  if (c.names.size() > 2)
    out.push_back(
        "With more than two conditions the error is exact when none differs from another and approximate "
        "otherwise, because runs of all conditions take part in each relabeling.");
  out.push_back("The smallest adjusted p that can come out is " + short_p(c.least_p) +
                (c.method == Method::exact
                     ? " (" + std::to_string(std::llround(c.least_p * static_cast<double>(c.relabelings))) + "/" +
                           std::to_string(c.relabelings) + ", two-sided)."
                     : " (1/" + std::to_string(c.relabelings) + ")."));
  if (c.least_p > r.choices.options.alpha)
    out.push_back("That is above " + alpha_text(r) + ": with so few runs nothing can be significant.");
  if (c.bh_needs > 1)
    out.push_back("Benjamini-Hochberg over " + counted(c.tested, "block") +
                  ", shown beside it, starts from tests of one "
                  "block each, whose p cannot be below " +
                  short_p(c.least_block_p) +
                  ": one changed block alone comes out "
                  "at " +
                  short_p(std::min(1.0, c.least_block_p * static_cast<double>(c.tested))) +
                  " at best and never reaches " + alpha_text(r) + "; " +
                  (c.bh_needs > c.tested
                       ? "no number of blocks can."
                       : std::to_string(c.bh_needs) + " blocks would have to reach that p together."));
  out.push_back(compare_power_sentence(r));
  if (!r.differs.empty()) {
    std::string text;
    for (size_t k = 0; k < std::min<size_t>(6, r.differs.size()); ++k) text += (k ? ", " : "") + r.differs[k];
    out.push_back("The conditions' experiments differ in " + text + (r.differs.size() > 6 ? " and more" : "") + ".");
  } else {
    out.push_back("The conditions' experiments are the same but for their seeds: only chance differs.");
  }
  out.insert(out.end(), r.notes.begin(), r.notes.end());
  return out;
}

std::string pair_name(const CompareReport& r, size_t pair) {
  const PairComparison& p = r.comparison.pairs[pair];
  return r.comparison.names[p.b] + minus + r.comparison.names[p.a];
}

std::string block_name(const CompareReport& r, size_t block) {
  const size_t n = r.comparison.groups.count();
  return r.comparison.groups.groups[block / n].name + " from " + r.comparison.groups.groups[block % n].name;
}

plot::Figure compare_matrix_figure(const CompareReport& r, size_t pair) {
  const Comparison& c = r.comparison;
  const size_t n = c.groups.count();
  const int power = power_of(largest_difference(r, false));
  plot::HeatMap map;
  map.rows = map.columns = static_cast<int64_t>(n);
  double most = 0;
  for (size_t b = 0; b < n * n; ++b) {
    const double v = c.pairs[pair].blocks[b].difference * std::pow(10.0, -power);
    map.values.push_back(c.possible[b] ? static_cast<float>(v) : std::nanf(""));
    most = std::max(most, std::fabs(v));
  }
  map.scale = plot::rounded_up(most);
  map.value_label = in_powers("difference in " + times_text(r), power);
  for (size_t k = 0; k < n; ++k)
    map.row_blocks.push_back({c.groups.groups[k].name, static_cast<int64_t>(k), static_cast<int64_t>(k) + 1});
  map.column_blocks = map.row_blocks;
  map.marked = significant_blocks(r, pair);
  map.marked_name = significant_name(r);
  map.absent_name = "cannot exist";
  return one_panel(pair_name(r, pair), std::move(map), width_for(r));
}

namespace {

plot::DotGrid empty_grid(const CompareReport& r) {
  plot::DotGrid grid;
  grid.row_names = grid.column_names = group_names(r);
  return grid;
}

}  // namespace

plot::Figure compare_dots_figure(const CompareReport& r, size_t pair, DotSize size) {
  const Comparison& c = r.comparison;
  const int power = power_of(largest_difference(r, false));
  const PairComparison& p = c.pairs[pair];
  plot::DotGrid grid = empty_grid(r);
  const std::vector<double> density = c.density_of_pair(p);
  for (size_t b = 0; b < p.blocks.size(); ++b) {
    grid.values.push_back(c.possible[b] ? p.blocks[b].difference * std::pow(10.0, -power) : plot::no_value);
    if (size == DotSize::density) {
      grid.sizes.push_back(density[b]);
      continue;
    }
    // As published: over the differences of all pairs of runs.
    std::vector<double> differences;
    for (const auto& first : c.values[p.a])
      for (const auto& second : c.values[p.b]) differences.push_back(second[b] - first[b]);
    grid.sizes.push_back(size_of(*dispersion_of(differences), size));
  }
  grid.value_label = in_powers("difference in " + times_text(r), power);
  grid.size_label = size_label(size);
  if (size == DotSize::confidence) grid.largest = 1;
  grid.marked = significant_blocks(r, pair);
  grid.marked_name = significant_name(r);
  return one_panel(pair_name(r, pair), std::move(grid), width_for(r));
}

plot::Figure compare_condition_dots_figure(const CompareReport& r, size_t condition, DotSize size) {
  const Comparison& c = r.comparison;
  const int power = power_of(largest_difference(r, true));
  plot::DotGrid grid = empty_grid(r);
  const std::vector<double> mean = c.mean_of(condition), density = c.density_of(condition);
  const std::vector<Dispersion> dispersion = c.dispersion_of(condition);
  for (size_t b = 0; b < mean.size(); ++b) {
    grid.values.push_back(c.possible[b] ? mean[b] * std::pow(10.0, -power) : plot::no_value);
    grid.sizes.push_back(size == DotSize::density ? density[b] : size_of(dispersion[b], size));
  }
  grid.value_label = in_powers(times_text(r), power);
  grid.size_label = size_label(size);
  grid.sequential = r.choices.options.weights == BlockWeights::abs;
  if (size == DotSize::confidence) grid.largest = 1;
  return one_panel(c.names[condition], std::move(grid), width_for(r));
}

plot::Figure compare_circuit_figure(const CompareReport& r, size_t pair) {
  const Comparison& c = r.comparison;
  const PairComparison& p = c.pairs[pair];
  const int power = power_of(largest_difference(r, false));
  plot::CircuitChart chart;
  const auto place = [](std::vector<std::string>& names, const std::string& name) {
    const auto at = std::find(names.begin(), names.end(), name);
    if (at != names.end()) return static_cast<int>(at - names.begin());
    names.push_back(name);
    return static_cast<int>(names.size()) - 1;
  };
  for (const BlockGroup& g : c.groups.groups) {
    plot::CircuitChart::Node node;
    node.column = place(chart.columns, g.area);
    node.row = place(chart.rows, g.layer);
    node.name = c.groups.level == BlockLevel::layer ? (g.layer.empty() ? g.name : g.layer)
                : !g.type.empty()                   ? g.type
                : !g.area.empty()                   ? g.area
                                                    : g.name;
    chart.nodes.push_back(std::move(node));
  }
  for (auto& node : chart.nodes) {
    node.slots = 0;
    for (auto& other : chart.nodes)
      if (node.column == other.column && node.row == other.row) {
        if (&other == &node) node.slot = node.slots;
        ++node.slots;
      }
  }
  const std::vector<double> density = c.density_of_pair(p);
  const size_t n = c.groups.count();
  for (size_t b = 0; b < p.blocks.size(); ++b)
    if (c.possible[b])
      chart.arrows.push_back(
          {b % n, b / n, p.blocks[b].difference * std::pow(10.0, -power), density[b], p.blocks[b].significant});
  chart.value_label = in_powers("difference in " + times_text(r), power);
  chart.width_label = "width: fraction |w| ≥ 10⁻⁵";
  chart.strong_name = significant_name(r);
  chart.pale_name = "not significant";
  return one_panel(pair_name(r, pair), std::move(chart), width_for(r));
}

plot::Figure compare_effects_figure(const CompareReport& r, size_t pair) {
  const PairComparison& p = r.comparison.pairs[pair];
  plot::ForestChart chart;
  chart.x.label = "Hedges' g, " + pair_name(r, pair);
  chart.value_header = "g [95 % interval]";
  std::vector<size_t> order;
  for (size_t b = 0; b < p.blocks.size(); ++b)
    if (p.blocks[b].tested && std::isfinite(p.blocks[b].g)) order.push_back(b);
  constexpr size_t most_shown = 40;
  if (order.size() > most_shown) {
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return p.blocks[a].p_adjusted < p.blocks[b].p_adjusted; });
    order.resize(most_shown);
  }
  for (size_t b : order) {
    const BlockComparison& x = p.blocks[b];
    plot::Effect e;
    e.name = block_name(r, b) + (x.significant ? " *" : "");
    e.value = x.g;
    e.low = x.g_interval.low;
    e.high = x.g_interval.high;
    if (!x.significant) e.style.color = plot::rgb(0x8a8a8a);
    chart.effects.push_back(std::move(e));
  }
  return one_panel(pair_name(r, pair), std::move(chart), 140);
}

plot::Figure compare_power_figure(const CompareReport& r) {
  plot::LineChart chart;
  chart.x.label = "runs of each condition";
  chart.y.label = "smallest g shown (power 80 %)";
  chart.y.min = 0;
  plot::Series s;
  s.name = counted(r.comparison.tested, "block");
  s.marks = true;
  for (const PowerPoint& p : r.power) {
    s.x.push_back(static_cast<double>(p.runs));
    s.y.push_back(std::isfinite(p.g) ? p.g : plot::no_value);
  }
  chart.series.push_back(std::move(s));
  const int64_t least = *std::min_element(r.comparison.runs.begin(), r.comparison.runs.end());
  chart.guides.push_back({.value = static_cast<double>(least), .name = "here", .vertical = true});
  chart.x.min = 2;
  chart.x.max = std::max(20.0, static_cast<double>(std::min<int64_t>(least, 1000)));
  return one_panel("Effects that so many runs show", std::move(chart), plot::single_column_mm);
}

std::vector<double> compare_losses(const CompareRun& run) {
  std::vector<double> out;
  for (const EpochRecord& e : run.history) out.push_back(std::isfinite(e.validation) ? e.validation : e.train);
  return out;
}

plot::Figure compare_losses_figure(const CompareReport& r) {
  plot::LineChart chart;
  chart.x.label = "epoch";
  chart.y.label = "validation loss";
  double least = std::numeric_limits<double>::infinity(), most = 0;
  for (const auto& condition : r.sessions)
    for (const CompareRun& run : condition)
      for (const double v : compare_losses(run)) {
        if (v > 0) least = std::min(least, v);
        if (std::isfinite(v)) most = std::max(most, v);
      }
  chart.y.log = most > 8 * least;
  for (size_t c = 0; c < r.sessions.size(); ++c) {
    plot::Style style = plot::series_style(c);
    style.marker = plot::Marker::none;
    plot::Series mean;
    mean.name = c < r.comparison.names.size() ? r.comparison.names[c] : "";
    mean.style = style;
    style.width = 0.5;
    for (const CompareRun& run : r.sessions[c]) {
      plot::Series one;
      one.style = style;
      one.y = compare_losses(run);
      for (size_t e = 0; e < one.y.size(); ++e) one.x.push_back(static_cast<double>(e + 1));
      chart.series.push_back(std::move(one));
    }
    size_t epochs = r.sessions[c].empty() ? 0 : r.sessions[c][0].history.size();
    for (const CompareRun& run : r.sessions[c]) epochs = std::min(epochs, run.history.size());
    for (size_t e = 0; e < epochs; ++e) {
      double sum = 0;
      for (const CompareRun& run : r.sessions[c]) sum += compare_losses(run)[e];
      mean.x.push_back(static_cast<double>(e + 1));
      mean.y.push_back(sum / static_cast<double>(r.sessions[c].size()));
    }
    chart.series.push_back(std::move(mean));
  }
  return one_panel("Losses of every run", std::move(chart), 120);
}

std::string compare_csv(const CompareReport& r) {
  const Comparison& c = r.comparison;
  const size_t n = c.groups.count();
  std::string out =
      "a,b,post,pre,possible,tested,mean_a,mean_b,difference,low,high,hedges_g,g_low,g_high,t,p,p_bh,p_max_t,"
      "significant,density_a,density_b\n";
  const auto number = [](double v) { return std::isnan(v) ? std::string() : short_number(v, 10); };
  for (const PairComparison& p : c.pairs) {
    const std::vector<double> first = c.density_of(p.a), second = c.density_of(p.b);
    for (size_t b = 0; b < p.blocks.size(); ++b) {
      const BlockComparison& x = p.blocks[b];
      out += csv_field(c.names[p.a]) + "," + csv_field(c.names[p.b]) + "," + csv_field(c.groups.groups[b / n].name) +
             "," + csv_field(c.groups.groups[b % n].name) + "," + (c.possible[b] ? "1" : "0") + "," +
             (x.tested ? "1" : "0");
      for (double v : {x.mean_a, x.mean_b, x.difference, x.interval.low, x.interval.high, x.g, x.g_interval.low,
                       x.g_interval.high, x.t})
        out += "," + number(v);
      for (double v : {x.p, x.p_bh, x.p_adjusted}) out += "," + (x.tested ? number(v) : std::string());
      out += std::string(",") + (x.significant ? "1" : "0") + "," + number(first[b]) + "," + number(second[b]) + "\n";
    }
  }
  return out;
}

std::string compare_runs_csv(const CompareReport& r) {
  const Comparison& c = r.comparison;
  const size_t n = c.groups.count();
  std::string out = "condition,session,run,seed,post,pre,value,density\n";
  for (size_t k = 0; k < c.names.size(); ++k)
    for (size_t run = 0; run < c.values[k].size(); ++run) {
      const CompareRun& s = r.sessions[k][run];
      for (size_t b = 0; b < n * n; ++b)
        out += csv_field(c.names[k]) + "," + csv_field(s.path) + "," + std::to_string(s.run + 1) + "," +
               std::to_string(s.seed) + "," + csv_field(c.groups.groups[b / n].name) + "," +
               csv_field(c.groups.groups[b % n].name) + "," + short_number(c.values[k][run][b], 10) + "," +
               short_number(c.densities[k][run][b], 10) + "\n";
    }
  return out;
}

std::string compare_conditions_csv(const CompareReport& r) {
  const Comparison& c = r.comparison;
  const size_t n = c.groups.count();
  const auto number = [](double v) { return std::isnan(v) ? std::string() : short_number(v, 10); };
  std::string out = "condition,checkpoint,post,pre,possible,runs,mean,sd,variance,range,iqr,cv,confidence,density\n";
  for (size_t k = 0; k < c.names.size(); ++k) {
    const std::vector<Dispersion> dispersion = c.dispersion_of(k);
    const std::vector<double> density = c.density_of(k);
    for (size_t b = 0; b < n * n; ++b) {
      const Dispersion& d = dispersion[b];
      out += csv_field(c.names[k]) + "," + name_of(r.choices.checkpoint) + "," +
             csv_field(c.groups.groups[b / n].name) + "," + csv_field(c.groups.groups[b % n].name) + "," +
             (c.possible[b] ? "1" : "0") + "," + std::to_string(c.runs[k]);
      for (double v : {d.mean, d.sd, d.variance, d.range, d.iqr, d.cv, d.confidence, density[b]})
        out += "," + number(v);
      out += "\n";
    }
  }
  return out;
}

std::string compare_json(const CompareReport& r, const std::string& out, const std::vector<std::string>& files) {
  const Comparison& c = r.comparison;
  const size_t n = c.groups.count();
  json o = {{"level", name_of(r.choices.level)},
            {"weights", name_of(r.choices.options.weights)},
            {"checkpoint", name_of(r.choices.checkpoint)},
            {"alpha", r.choices.options.alpha},
            {"groups", group_names(r)},
            {"conditions", json::array()},
            {"test",
             {{"statistic", "welch-t"},
              {"adjustment", c.step_down ? "max-T step-down" : "max-T single-step"},
              {"relabelings", c.relabelings},
              {"exact", c.method == Method::exact},
              {"tested", c.tested},
              {"least_p", c.least_p},
              {"least_block_p", c.least_block_p},
              {"benjamini_hochberg_needs", c.bh_needs}}},
            {"pairs", json::array()},
            {"power", json::array()},
            {"differ_in", r.differs},
            {"notes", compare_sentences(r)},
            {"out", out},
            {"files", files}};
  for (size_t k = 0; k < c.names.size(); ++k) {
    json runs = json::array();
    for (const CompareRun& s : r.sessions[k])
      runs.push_back(
          {{"session", s.path}, {"run", s.run + 1}, {"seed", s.seed}, {"epochs", s.epochs}, {"hash", s.hash}});
    json confidence = json::array(), sd = json::array();
    for (const Dispersion& d : c.dispersion_of(k)) {
      confidence.push_back(number_or_null(d.confidence));
      sd.push_back(number_or_null(d.sd));
    }
    o["conditions"].push_back({{"name", c.names[k]},
                               {"runs", std::move(runs)},
                               {"mean", c.mean_of(k)},
                               {"sd", std::move(sd)},
                               {"density", c.density_of(k)},
                               {"confidence", std::move(confidence)}});
  }
  for (const PairComparison& p : c.pairs) {
    json blocks = json::array();
    for (size_t b = 0; b < p.blocks.size(); ++b) {
      const BlockComparison& x = p.blocks[b];
      if (!c.possible[b]) continue;
      blocks.push_back({{"post", c.groups.groups[b / n].name},
                        {"pre", c.groups.groups[b % n].name},
                        {"tested", x.tested},
                        {"difference", x.difference},
                        {"interval", {number_or_null(x.interval.low), number_or_null(x.interval.high)}},
                        {"g", number_or_null(x.g)},
                        {"g_interval", {number_or_null(x.g_interval.low), number_or_null(x.g_interval.high)}},
                        {"t", number_or_null(x.t)},
                        {"p", x.p},
                        {"p_benjamini_hochberg", x.p_bh},
                        {"p_max_t", x.p_adjusted},
                        {"significant", x.significant}});
    }
    o["pairs"].push_back({{"a", c.names[p.a]}, {"b", c.names[p.b]}, {"blocks", std::move(blocks)}});
  }
  for (const PowerPoint& p : r.power)
    o["power"].push_back({{"runs", p.runs}, {"g", number_or_null(p.g)}, {"least_p", p.least_p}});
  return o.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::vector<NamedFigure> compare_figures(const CompareReport& r) {
  std::vector<NamedFigure> out;
  for (size_t k = 0; k < r.comparison.pairs.size(); ++k) {
    const std::string part = pair_part(r, k), what = pair_name(r, k) + ": ";
    out.push_back({"circuit-" + part, compare_circuit_figure(r, k),
                   what + "arrows are blocks, as wide as they are dense (mean of both conditions); red is more in the "
                          "second condition, blue less. Significant differences are in full colour."});
    out.push_back({"matrix-" + part, compare_matrix_figure(r, k),
                   what + "differences of block averages; outlined where significant."});
    out.push_back({"dots-" + part, compare_dots_figure(r, k),
                   what + "colour is the difference, size the fraction of connections."});
    out.push_back({"effects-" + part, compare_effects_figure(r, k),
                   what + "effect sizes; * where significant. Intervals are of each block by itself."});
  }
  for (size_t k = 0; k < r.comparison.names.size(); ++k)
    out.push_back({"condition-" + std::to_string(k + 1) + "-" + file_part(r.comparison.names[k]),
                   compare_condition_dots_figure(r, k),
                   r.comparison.names[k] + ": block averages; larger dots vary less between runs (confidence as "
                                           "published, not a confidence level)."});
  out.push_back(
      {"losses", compare_losses_figure(r),
       "Validation loss of every run (thin) and the mean of each condition (thick). Conditions that differ in "
       "their data need not have losses that can be compared."});
  out.push_back({"power", compare_power_figure(r),
                 "The smallest effect in one block that so many runs of two conditions show, by noncentral t at the "
                 "attainable level with independent blocks of normal runs; correlated blocks need less."});
  return out;
}

namespace {

ReportTable dispersion_table(const CompareReport& r, size_t condition) {
  const Comparison& c = r.comparison;
  ReportTable t;
  t.caption = c.names[condition] + ", checkpoint " + name_of(r.choices.checkpoint) +
              ": averages of blocks and their dispersion over " + counted(c.runs[condition], "run") +
              " (divided by the number of runs, as published).";
  t.columns = {{.name = "block"}, {.name = times_text(r)}, {.name = "sd"},     {.name = "range"},
               {.name = "iqr"},   {.name = "cv"},          {.name = "density"}};
  const std::vector<Dispersion> dispersion = c.dispersion_of(condition);
  const std::vector<double> density = c.density_of(condition);
  for (size_t b = 0; b < c.possible.size(); ++b) {
    const Dispersion& d = dispersion[b];
    if (c.possible[b]) t.rows.push_back({block_name(r, b), d.mean, d.sd, d.range, d.iqr, d.cv, density[b]});
  }
  return t;
}

}  // namespace

std::string compare_page(const CompareReport& r, const ReportProvenance& provenance) {
  const Comparison& c = r.comparison;
  std::string names;
  for (size_t k = 0; k < c.names.size(); ++k) names += (k ? ", " : "") + c.names[k];
  Report page("Comparison of conditions", names + "; " + times_text(r) + " of blocks at the level " +
                                              name_of(r.choices.level) + ", checkpoint " +
                                              name_of(r.choices.checkpoint));
  page.summary(compare_sentences(r));
  const std::vector<NamedFigure> figures = compare_figures(r);
  size_t at = 0;
  for (size_t k = 0; k < c.pairs.size(); ++k) {
    page.section(pair_name(r, k));
    for (int f = 0; f < 4; ++f, ++at) page.figure(figures[at].figure, figures[at].caption, figures[at].name);
    ReportTable t;
    t.caption = "Structurally possible blocks. Intervals of the difference are of each block by itself (Welch, 95 %).";
    t.columns = {{.name = "block"},
                 {.name = c.names[c.pairs[k].a]},
                 {.name = c.names[c.pairs[k].b]},
                 {.name = "difference"},
                 {.name = "low"},
                 {.name = "high"},
                 {.name = "Hedges' g"},
                 {.name = "p, alone"},
                 {.name = "p, Benjamini-Hochberg"},
                 {.name = "p, max-T"},
                 {.name = "significant"}};
    for (size_t b = 0; b < c.possible.size(); ++b) {
      const BlockComparison& x = c.pairs[k].blocks[b];
      if (!c.possible[b]) continue;
      const double none = plot::no_value;
      t.rows.push_back({block_name(r, b), x.mean_a, x.mean_b, x.difference, x.interval.low, x.interval.high, x.g,
                        x.tested ? x.p : none, x.tested ? x.p_bh : none, x.tested ? x.p_adjusted : none,
                        std::string(x.significant ? "yes"
                                    : x.tested    ? "no"
                                                  : "no run varies")});
    }
    page.table(t);
  }
  page.section("Conditions");
  for (size_t k = 0; k < c.names.size(); ++k, ++at) {
    page.figure(figures[at].figure, figures[at].caption, figures[at].name);
    page.table(dispersion_table(r, k));
  }
  for (; at < figures.size(); ++at) {
    page.section(at + 1 == figures.size() ? "Power" : "Losses");
    page.figure(figures[at].figure, figures[at].caption, figures[at].name);
  }
  page.section(
      "As published",
      "The published figures show differences alone, without any uncertainty. Their “significance” was a t-test "
      "of each vector against itself, so its p is always 1, and it was never shown. They average the "
      "differences of all pairs of runs, which is the difference of the means; their “confidence” is 1 − σ/μ, a "
      "dispersion and not a level of confidence.");
  page.provenance(provenance);
  return page.html();
}

}  // namespace dalea
