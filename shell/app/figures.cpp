#include "app/figures.h"

#include <algorithm>
#include <cmath>

#include "common/run_curves.h"
#include "common/snippets.h"

namespace dalea::app {
namespace {

constexpr int64_t most_matrix_units = 2000;
constexpr int64_t most_drawn_outputs = 8;

// "After 1200 updates (epoch 12), weight hash 0123456789abcdef."
std::string moment_of(const Snapshot& s) {
  const auto per_epoch = static_cast<double>(std::max<int64_t>(1, s.setup->batches_per_epoch));
  char text[120];
  std::snprintf(text, sizeof text, "After %lld updates (epoch %.3g), weight hash %s.",
                static_cast<long long>(s.hash_updates), static_cast<double>(s.hash_updates) / per_epoch,
                s.hash.c_str());
  return text;
}

// "Flip-flop: 128 units (102 E, 26 I), constraint dale, seed 1."
std::string network_of(const Spec& spec) {
  std::string parts;
  for (const Population& p : spec.populations)
    parts += (parts.empty() ? "" : ", ") + std::to_string(p.size) + " " + p.name;
  if (spec.populations.size() > 4) parts = std::to_string(spec.populations.size()) + " populations";
  return (spec.name.empty() ? "Untitled" : spec.name) + ": " + std::to_string(spec.units()) + " units (" + parts +
         "), constraint " + spec.training.constraint + ", seed " + std::to_string(spec.seed) + ". ";
}

std::vector<plot::Block> blocks_of(const Setup& setup) {
  std::vector<plot::Block> blocks;
  for (const PopulationView& p : setup.populations) blocks.push_back({p.name, p.units.begin, p.units.end});
  return blocks;
}

plot::Figure curves(const Snapshot& s) {
  plot::Figure f =
      curves_figure({{s.setup->spec.training.constraint, {*s.history}}}, "Learning curves", s.setup->loss_unit);
  f.caption = network_of(s.setup->spec) +
              "Mean loss of each epoch; held-out and validation trials are never trained on. " + f.caption;
  return f;
}

plot::Figure weights(const Snapshot& s) {
  const MatrixView& w = *s.weights;
  plot::HeatMap map;
  map.rows = map.columns = w.units;
  map.values.reserve(static_cast<size_t>(w.units * w.units));
  for (int64_t i = 0; i < w.units; ++i)
    for (int64_t j = 0; j < w.units; ++j) map.values.push_back(w.exists(i, j) ? w.at(i, j) : NAN);
  map.column_blocks = map.row_blocks = blocks_of(*s.setup);
  plot::Figure f;
  f.title = "Recurrent weights";
  f.caption =
      network_of(s.setup->spec) +
      "Columns are presynaptic and carry one sign each under Dale's law; the colours end at the 99.5th percentile of "
      "the weights' size. " +
      moment_of(s);
  f.panels = {{"", std::move(map)}};
  f.width_mm = 120;
  return f;
}

plot::Figure trial(const Snapshot& s) {
  const TraceView& t = *s.trace;
  const auto outputs = static_cast<int64_t>(s.setup->output_names.size());
  const double dt = s.setup->dt_s > 0 ? s.setup->dt_s : 1;
  std::vector<double> time;
  for (int64_t k = 0; k < t.steps; ++k) time.push_back((static_cast<double>(k) + 0.5) * dt);
  plot::Figure f;
  f.title = "Held-out trial " + std::to_string(t.trial + 1);
  for (int64_t c = 0; c < std::min(outputs, most_drawn_outputs); ++c) {
    plot::LineChart chart;
    chart.x.label = s.setup->dt_s > 0 ? "time (s)" : "frame";
    plot::Series target, output;
    target.name = "target";
    target.style = plot::named_style("data");
    target.x = output.x = time;
    target.y = channel_of(t.target, t.steps, outputs, c);
    for (int64_t k = 0; k < t.steps && !t.scored.empty(); ++k)
      if (t.scored[static_cast<size_t>(k * outputs + c)] == 0) target.y[static_cast<size_t>(k)] = NAN;
    output.name = "network";
    output.style = plot::named_style(s.setup->spec.training.constraint);
    output.style.dash = plot::Dash::solid;
    output.y = channel_of(t.output, t.steps, outputs, c);
    chart.series = {std::move(target), std::move(output)};
    f.panels.push_back({s.setup->output_names[static_cast<size_t>(c)], std::move(chart)});
  }
  f.columns = f.panels.size() > 1 ? 2 : 1;
  f.width_mm = plot::double_column_mm;
  f.shared_legend = f.panels.size() > 1;
  f.caption =
      network_of(s.setup->spec) + "A trial that was never trained on: what was asked for and what the network gave. ";
  if (outputs > most_drawn_outputs)
    f.caption += "The first " + std::to_string(most_drawn_outputs) + " of " + std::to_string(outputs) + " outputs. ";
  f.caption += moment_of(s);
  return f;
}

plot::Figure activity(const Snapshot& s) {
  const TraceView& t = *s.trace;
  plot::HeatMap map;
  map.rows = static_cast<int64_t>(t.activity.size()) / std::max<int64_t>(1, t.steps);
  map.columns = t.steps;
  for (int64_t i = 0; i < map.rows; ++i)
    for (int64_t k = 0; k < t.steps; ++k) map.values.push_back(t.activity[static_cast<size_t>(k * map.rows + i)]);
  map.row_blocks = blocks_of(*s.setup);
  map.value_label = "activity";
  map.x_label = "time step";
  map.y_label = "unit";
  map.square = false;
  plot::Figure f;
  f.title = "Activity in held-out trial " + std::to_string(t.trial + 1);
  f.caption = network_of(s.setup->spec) + "Every unit over the trial, by population, without noise. " + moment_of(s);
  f.panels = {{"", std::move(map)}};
  f.width_mm = plot::double_column_mm;
  f.panel_height_mm = 90;
  return f;
}

}  // namespace

Result<plot::Figure> figure_of(const Snapshot& s, FigureOf what) {
  const std::string name = figure_names[static_cast<int>(what)];
  if (!s.setup) return Error{name, "cannot be drawn: there is no network yet; open an experiment first"};
  if (what == FigureOf::curves) {
    if (s.history->empty()) return Error{name, "have no epoch yet; train for at least one"};
    return curves(s);
  }
  if (what == FigureOf::weights) {
    if (!s.weights) return Error{name, "are not here yet; wait until the network is built"};
    if (s.weights->units > most_matrix_units)
      return Error{name, "of " + std::to_string(s.weights->units) + " units are too many for a figure (at most " +
                             std::to_string(most_matrix_units) + "); download the weights (.npz) instead"};
    return weights(s);
  }
  if (!s.trace || s.trace->steps == 0) return Error{name, "is not here: the experiment has no held-out trials"};
  return what == FigureOf::trial ? trial(s) : activity(s);
}

Result<NamedFile> figure_file(const Snapshot& s, FigureOf what, FigureFile format) {
  Result<plot::Figure> figure = figure_of(s, what);
  if (!figure) return figure.error();
  constexpr const char* stems[] = {"-curves", "-weights", "-trial", "-activity"};
  const std::string stem = file_stem(s.setup->spec.name) + stems[static_cast<int>(what)];
  if (format == FigureFile::csv) return text_file(stem + ".csv", plot::csv_of(*figure));
  figure->caption_inside = true;
  const plot::Drawing drawing = plot::drawing_of(*figure);
  if (format == FigureFile::svg) return text_file(stem + ".svg", plot::to_svg(drawing));
  return NamedFile{stem + ".png", plot::to_png(drawing)};
}

}  // namespace dalea::app
