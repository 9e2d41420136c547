#include "app/circuit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "app/matrix_picture.h"
#include "network/rules.h"
#include "numerics/math.h"
#include "tasks/trials.h"

namespace dalea::app {
namespace {

double thousandths(double p) {
  return std::round(1000 * p) / 1000;
}

double units_of(const Spec& spec, size_t k) {
  return static_cast<double>(std::max<int64_t>(0, spec.populations[k].size));
}

// Modulus of the largest eigenvalue of a small (row, column) matrix: the mean growth of a vector under it.
double largest_modulus(const std::vector<double>& m, size_t n) {
  std::vector<double> x(n), y(n);
  for (size_t k = 0; k < n; ++k) x[k] = 1 + 0.37 * std::sin(static_cast<double>(7 * k + 1));
  constexpr int settle = 200, measure = 400;
  double log_growth = 0;
  for (int step = 0; step < settle + measure; ++step) {
    double size = 0;
    for (size_t i = 0; i < n; ++i) {
      y[i] = 0;
      for (size_t j = 0; j < n; ++j) y[i] += m[i * n + j] * x[j];
      size += y[i] * y[i];
    }
    size = std::sqrt(size);
    if (!(size > 1e-12)) return 0;
    if (step >= settle) log_growth += std::log(size);
    for (size_t i = 0; i < n; ++i) x[i] = y[i] / size;
  }
  return std::exp(log_growth / measure);
}

size_t index_in(std::vector<std::string>& list, const std::string& label) {
  const auto at = std::find(list.begin(), list.end(), label);
  if (at != list.end()) return static_cast<size_t>(at - list.begin());
  list.push_back(label);
  return list.size() - 1;
}

bool follows(const Spec& spec) {
  return wiring_of(spec) == Wiring::blocks && wiring_fits(spec);
}

bool ruled(const Spec& spec) {
  return has_rules(spec) || spec.connectivity.distance > 0;
}

bool same_connectome(const Spec& x, const Spec& y) {
  const ConnectomeSpec &a = x.connectome, &b = y.connectome;
  return x.measured == y.measured && a.source == b.source && a.neurons == b.neurons &&
         a.density_scaling == b.density_scaling && a.target_sparsity == b.target_sparsity &&
         a.intrinsic == b.intrinsic && a.intrinsic_sparsity == b.intrinsic_sparsity &&
         a.intrinsic_weight == b.intrinsic_weight && a.random_partition == b.random_partition &&
         a.keep_diagonal == b.keep_diagonal && a.as_published == b.as_published && a.null_model == b.null_model &&
         a.null_seed == b.null_seed;
}

std::string free_name(const Spec& spec, const std::string& start, size_t number) {
  for (;; ++number) {
    const std::string name = start + std::to_string(number);
    const bool taken = std::any_of(spec.populations.begin(), spec.populations.end(),
                                   [&](const Population& p) { return p.name == name; });
    if (!taken) return name;
  }
}

Color sign_color(Sign sign) {
  if (sign == Sign::free) return {70, 76, 86};
  return weight_color(sign == Sign::excitatory ? 1.0f : -1.0f, 1);
}

}  // namespace

Wiring wiring_of(const Spec& spec) {
  const auto& p = spec.connectivity.probability;
  return p.empty() ? Wiring::all : p.size() == 1 && p[0].size() == 1 ? Wiring::one : Wiring::blocks;
}

bool wiring_fits(const Spec& spec) {
  const auto& p = spec.connectivity.probability;
  if (wiring_of(spec) != Wiring::blocks) return true;
  return p.size() == spec.populations.size() &&
         std::all_of(p.begin(), p.end(), [&](const auto& row) { return row.size() == p.size(); });
}

double probability_at(const Spec& spec, size_t post, size_t pre) {
  const auto& p = spec.connectivity.probability;
  double v = 0;
  switch (wiring_of(spec)) {
    case Wiring::all:
      return 1;
    case Wiring::one:
      v = p[0][0];
      break;
    case Wiring::blocks:
      v = post < p.size() && pre < p[post].size() ? p[post][pre] : 0;
      break;
  }
  return std::isfinite(v) ? std::clamp(v, 0.0, 1.0) : 0;
}

void set_wiring(Spec& spec, Wiring wiring) {
  auto& p = spec.connectivity.probability;
  const Wiring before = wiring_of(spec);
  const size_t n = spec.populations.size();
  if (wiring == Wiring::all) p.clear();
  if (wiring == Wiring::one && before != Wiring::one) {
    double pairs = 0, sum = 0;
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) {
        pairs += units_of(spec, i) * units_of(spec, j);
        sum += expected_in_block(spec, i, j);
      }
    p = {{before == Wiring::all || pairs <= 0 ? 0.3 : thousandths(sum / pairs)}};
  }
  if (wiring == Wiring::blocks && (before != Wiring::blocks || !wiring_fits(spec))) {
    std::vector<std::vector<double>> matrix(n, std::vector<double>(n));
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) matrix[i][j] = probability_at(spec, i, j);
    p = std::move(matrix);
  }
}

void set_probability(Spec& spec, size_t post, size_t pre, double value) {
  const size_t n = spec.populations.size();
  if (post >= n || pre >= n || std::isnan(value)) return;
  set_wiring(spec, Wiring::blocks);
  spec.connectivity.probability[post][pre] = std::clamp(value, 0.0, 1.0);
}

Spec as_matrix(Spec spec) {
  spec.connectivity.probability = block_probability(spec);
  spec.connectivity.table = "none";
  spec.connectivity.motifs.clear();
  spec.connectivity.distance = 0;
  return spec;
}

void add_population(Spec& spec) {
  const bool blocks = follows(spec);
  auto& p = spec.connectivity.probability;
  spec.populations.push_back({free_name(spec, "P", spec.populations.size() + 1), 20, Sign::excitatory, 0, "", "", ""});
  if (!blocks) return;
  for (auto& row : p) row.push_back(1);
  p.emplace_back(spec.populations.size(), 1.0);
}

void duplicate_population(Spec& spec, size_t k) {
  if (k >= spec.populations.size()) return;
  const bool blocks = follows(spec);
  auto& p = spec.connectivity.probability;
  Population copy = spec.populations[k];
  copy.name = free_name(spec, copy.name + " ", 2);
  const auto at = static_cast<std::ptrdiff_t>(k);
  spec.populations.insert(spec.populations.begin() + at + 1, std::move(copy));
  if (!blocks) return;
  for (auto& row : p) {
    const double same = row[k];
    row.insert(row.begin() + at + 1, same);
  }
  const std::vector<double> row = p[k];
  p.insert(p.begin() + at + 1, row);
}

void move_population(Spec& spec, size_t from, size_t to) {
  const size_t n = spec.populations.size();
  if (from >= n || to >= n || from == to) return;
  const bool blocks = follows(spec);
  const auto move = [&](auto& list) {
    const auto a = list.begin() + static_cast<std::ptrdiff_t>(from), b = list.begin() + static_cast<std::ptrdiff_t>(to);
    if (from < to)
      std::rotate(a, a + 1, b + 1);
    else
      std::rotate(b, a, a + 1);
  };
  move(spec.populations);
  if (!blocks) return;
  auto& p = spec.connectivity.probability;
  move(p);
  for (auto& row : p) move(row);
}

void remove_population(Spec& spec, size_t k) {
  if (k >= spec.populations.size()) return;
  const bool blocks = follows(spec);
  auto& p = spec.connectivity.probability;
  const auto at = static_cast<std::ptrdiff_t>(k);
  spec.populations.erase(spec.populations.begin() + at);
  if (!blocks) return;
  p.erase(p.begin() + at);
  for (auto& row : p) row.erase(row.begin() + at);
}

double expected_in_block(const Spec& spec, size_t post, size_t pre) {
  if (ruled(spec)) return expected_in_block(as_matrix(spec), post, pre);
  const double n = units_of(spec, post), m = units_of(spec, pre);
  const double pairs = n * m - (post == pre && !spec.connectivity.self_connections ? n : 0);
  return probability_at(spec, post, pre) * pairs;
}

Expected expected_synapses(const Spec& spec) {
  if (ruled(spec)) return expected_synapses(as_matrix(spec));
  Expected e;
  double variance = 0, units = 0;
  for (size_t i = 0; i < spec.populations.size(); ++i) {
    units += units_of(spec, i);
    for (size_t j = 0; j < spec.populations.size(); ++j) {
      const double mean = expected_in_block(spec, i, j);
      e.synapses += mean;
      variance += mean * (1 - probability_at(spec, i, j));
    }
  }
  e.sd = std::sqrt(variance);
  e.density = units > 0 ? e.synapses / (units * units) : 0;
  return e;
}

StartSpectrum predicted_spectrum(const Spec& spec) {
  if (spec.stages.prune) {  // it starts dense
    Spec dense = spec;
    dense.stages.prune = false;
    dense.connectivity = {};
    return predicted_spectrum(dense);
  }
  if (ruled(spec)) return predicted_spectrum(as_matrix(spec));
  const size_t n = spec.populations.size();
  double units = 0, excitatory = 0, inhibitory = 0;
  for (size_t k = 0; k < n; ++k) {
    units += units_of(spec, k);
    if (spec.populations[k].sign == Sign::excitatory) excitatory += units_of(spec, k);
    if (spec.populations[k].sign == Sign::inhibitory) inhibitory += units_of(spec, k);
  }
  if (units <= 0) return {};
  std::vector<double> mean(n * n), variance(n * n);
  for (size_t j = 0; j < n; ++j) {
    const Sign sign = spec.populations[j].sign;
    // As build_model draws: the bound of magnitudes, or twice their mean.
    double bound = std::sqrt((spec.network.init == "xavier" ? 3 : spec.network.init == "he" ? 6 : 1) / units);
    const double square = spec.network.init == "lognormal" ? std::exp(spec.network.init_sd * spec.network.init_sd) / 4
                                                           : 1.0 / 3;  // mean of (magnitude / bound)^2
    if (sign == Sign::inhibitory && spec.network.balanced && inhibitory > 0) bound *= excitatory / inhibitory;
    for (size_t i = 0; i < n; ++i) {
      const double p = probability_at(spec, i, j);
      const double m = sign == Sign::free ? 0 : (sign == Sign::excitatory ? 1 : -1) * p * bound / 2;
      mean[i * n + j] = units_of(spec, j) * m;
      variance[i * n + j] = units_of(spec, j) * (p * bound * bound * square - m * m);
    }
  }
  return {std::sqrt(largest_modulus(variance, n)), largest_modulus(mean, n)};
}

bool same_mask(const Spec& a, const Spec& b) {
  if (a.seed != b.seed || a.connectivity.self_connections != b.connectivity.self_connections ||
      a.populations.size() != b.populations.size() || a.connectivity.probability != b.connectivity.probability ||
      a.connectivity.table != b.connectivity.table || a.connectivity.motifs != b.connectivity.motifs ||
      a.connectivity.distance != b.connectivity.distance || a.stages.prune != b.stages.prune || !same_connectome(a, b))
    return false;
  const bool labels = ruled(a);
  for (size_t k = 0; k < a.populations.size(); ++k) {
    const Population &p = a.populations[k], &q = b.populations[k];
    if (p.size != q.size || p.sign != q.sign) return false;
    if (labels && (p.name != q.name || p.area != q.area || p.layer != q.layer || p.type != q.type)) return false;
  }
  return true;
}

bool same_start(const Spec& a, const Spec& b) {
  return same_mask(a, b) && a.network.balanced == b.network.balanced && a.network.init == b.network.init &&
         a.network.init_sd == b.network.init_sd && a.connectome.remap == b.connectome.remap;
}

bool same_trials(const Spec& a, const Spec& b) {
  return a.seed == b.seed && a.task.type == b.task.type && a.task.steps == b.task.steps &&
         a.task.event_probability == b.task.event_probability && a.task.two_tone == b.task.two_tone &&
         a.task.length == b.task.length && a.task.back == b.task.back && a.training.loss == b.training.loss &&
         a.network.dt_s == b.network.dt_s;
}

int paint_mask(const Spec& spec, const Pattern* mask, int most, std::vector<uint32_t>& pixels) {
  pixels.clear();
  const int64_t n = spec.units();
  if (n <= 0) return 0;
  const int64_t shrink = (n + most - 1) / most, side = (n + shrink - 1) / shrink;
  std::vector<Color> color;  // by presynaptic unit
  for (const Population& p : spec.populations)
    color.insert(color.end(), static_cast<size_t>(std::max<int64_t>(0, p.size)), sign_color(p.sign));
  pixels.resize(static_cast<size_t>(side * side));
  const auto width = [&](int64_t cell) { return std::min(shrink, n - cell * shrink); };
  std::vector<int64_t> count(static_cast<size_t>(side));
  for (int64_t x = 0; x < side; ++x) {
    std::fill(count.begin(), count.end(), 0);
    for (int64_t j = x * shrink; j < x * shrink + width(x); ++j) {
      if (mask)
        for (int64_t e = mask->col_start[static_cast<size_t>(j)]; e < mask->col_start[static_cast<size_t>(j) + 1]; ++e)
          ++count[static_cast<size_t>(mask->row[static_cast<size_t>(e)] / shrink)];
      else
        for (int64_t y = 0; y < side; ++y) count[static_cast<size_t>(y)] += width(y);
    }
    const Color there = color[static_cast<size_t>(x * shrink)];
    for (int64_t y = 0; y < side; ++y) {
      const double share =
          static_cast<double>(count[static_cast<size_t>(y)]) / static_cast<double>(width(x) * width(y));
      const auto mix = [share](uint8_t a, uint8_t b) {
        return static_cast<uint8_t>(std::lround(static_cast<double>(a) * (1 - share) + static_cast<double>(b) * share));
      };
      pixels[static_cast<size_t>(y * side + x)] =
          packed({mix(absent_color.r, there.r), mix(absent_color.g, there.g), mix(absent_color.b, there.b)});
    }
  }
  return static_cast<int>(side);
}

CircuitLayout place_populations(const std::vector<Population>& populations) {
  CircuitLayout layout;
  const size_t n = populations.size();
  bool areas = false, layers = false;
  for (const Population& p : populations) {
    areas = areas || !p.area.empty();
    layers = layers || !p.layer.empty();
  }
  if (!areas && !layers) {
    for (size_t k = 0; k < n; ++k) {
      const double angle = 2 * pi * static_cast<double>(k) / static_cast<double>(n);
      layout.at.push_back(n == 1 ? Place{0.5, 0.5} : Place{0.5 - 0.5 * std::cos(angle), 0.5 - 0.5 * std::sin(angle)});
    }
    return layout;
  }
  std::vector<std::string> columns, rows;
  std::vector<std::array<size_t, 3>> seat;  // column, row, number in that cell
  for (const Population& p : populations) {
    const size_t column = index_in(columns, p.area), row = index_in(rows, p.layer);
    const auto before =
        std::count_if(seat.begin(), seat.end(), [&](const auto& s) { return s[0] == column && s[1] == row; });
    seat.push_back({column, row, static_cast<size_t>(before)});
  }
  for (const auto& [column, row, number] : seat) {
    const size_t c = column, r = row;
    const auto all = std::count_if(seat.begin(), seat.end(), [&](const auto& s) { return s[0] == c && s[1] == r; });
    // Members of a cell stand in a row, or below each other where there are no layers; three or more of them in zigzag,
    // so that lines between the outer ones miss the inner ones.
    const double along = (static_cast<double>(number) + 0.5) / static_cast<double>(all);
    const double across = 0.5 + (all > 2 ? (number % 2 == 0 ? -0.17 : 0.17) : 0.0);
    const double x = static_cast<double>(c) + (layers ? along : across);
    const double y = static_cast<double>(r) + (layers ? across : along);
    layout.at.push_back({x / static_cast<double>(columns.size()), y / static_cast<double>(rows.size())});
  }
  if (areas) layout.columns = columns;
  if (layers) layout.rows = rows;
  return layout;
}

TaskPreview preview_task(const Spec& spec) {
  TaskPreview preview;
  const bool flip_flop = spec.task.type == "flip-flop", wave = spec.task.type == "wave";
  const bool values = spec.task.type == "sequence-memory" || spec.task.type == "n-back";
  const int64_t steps = spec.task.steps;
  if ((!flip_flop && !wave && !values) || (values && steps > 20001) || steps < 1 || (wave && steps >= 2500) ||
      !(spec.network.dt_s > 0))
    return preview;
  Spec one = spec;
  one.task.train = one.task.validation = one.task.held_out = 1;
  if (flip_flop) one.task.steps = std::min<int64_t>(steps, 2000);  // a longer trial starts the same
  const Result<Dataset> data = make_dataset(one, nullptr, 0);
  if (!data) return preview;
  const Trials& t = data->train;
  for (int64_t k = 0; k < t.steps; ++k) preview.time_s.push_back(static_cast<double>(k) * spec.network.dt_s);
  const auto add = [&](const std::string& name, bool input, int64_t channels, int64_t which,
                       const std::vector<float>& values) {
    preview.lines.push_back({name, input, {}});
    for (int64_t k = 0; k < t.steps; ++k)
      preview.lines.back().y.push_back(static_cast<double>(values[static_cast<size_t>(k * channels + which)]));
  };
  for (int64_t c = 0; c < t.inputs; ++c) add(data->channel_names[static_cast<size_t>(c)], true, t.inputs, c, t.input);
  if (data->loss == Loss::mse) {
    for (int64_t c = 0; c < t.outputs; ++c)
      add(data->output_names[static_cast<size_t>(c)], false, t.outputs, c, t.target);
  } else if (values) {  // 0: nothing is asked, 1: no match, 2: match
    preview.lines.push_back({"match (2) or not (1)", false, {}});
    for (int32_t label : t.label) preview.lines.back().y.push_back(static_cast<double>(std::max(0, label)));
  } else {  // classes -1, 0, 1
    preview.lines.push_back({"state", false, {}});
    for (int32_t label : t.label) preview.lines.back().y.push_back(static_cast<double>(label - 1));
  }
  return preview;
}

std::optional<double> typed_probability(const std::string& typed) {
  int points = 0, digits = 0;
  for (char c : typed) {
    if (c == '.')
      ++points;
    else if (c >= '0' && c <= '9')
      ++digits;
    else
      return std::nullopt;
  }
  if (points > 1 || digits == 0) return std::nullopt;
  double value = 0, place = 1;
  bool fraction = false;
  for (char c : typed) {
    if (c == '.') {
      fraction = true;
      continue;
    }
    value = 10 * value + (c - '0');
    if (fraction) place *= 10;
  }
  value /= place;
  if (!(value <= 1)) return std::nullopt;
  return value;
}

std::string short_probability(double p) {
  char text[32];
  std::snprintf(text, sizeof text, p >= 0.01 ? "%.2g" : "%.1g", p);
  const std::string s = text;
  if (s.find('e') != std::string::npos) return "~0";
  return s.rfind("0.", 0) == 0 ? s.substr(1) : s;
}

}  // namespace dalea::app
