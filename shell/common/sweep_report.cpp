#include "common/sweep_report.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "analysis/statistics.h"
#include "common/json.h"
#include "common/markup.h"
#include "common/run_curves.h"
#include "numerics/hash.h"

namespace dalea {
namespace {

using nlohmann::json;

constexpr size_t most_panels = 24;  // of curves in the report
const char* const measure_names[] = {"Least held-out loss", "Epoch of the least loss", "99 % epoch"};

double measure_of(const SweepRow& row, int which) {
  const Convergence c = convergence_of(row.tracked());
  if (c.epoch == 0) return no_value;
  return which == 0 ? c.minimum : static_cast<double>(which == 1 ? c.epoch : c.epoch_99);
}

double part_of(std::vector<double> v, double q) {
  if (v.empty()) return no_value;
  std::sort(v.begin(), v.end());
  const double at = q * static_cast<double>(v.size() - 1);
  const auto low = static_cast<size_t>(at);
  const double above = v[std::min(low + 1, v.size() - 1)];
  return v[low] + (at - static_cast<double>(low)) * (above - v[low]);
}

plot::Figure axis_figure(const SweepPlan& plan, const std::vector<SweepRow>& rows, size_t axis) {
  plot::Figure figure;
  figure.title = plan.axes[axis].path;
  figure.caption =
      "Boxes: median and quartiles over runs; whiskers to the last run within 1.5 times the box's height. Points are "
      "runs: all of up to 40, else those beyond the whiskers.";
  for (int which = 0; which < 3; ++which) {
    plot::GroupChart chart;
    chart.y.label = which == 0 ? "loss" : "epoch";
    chart.x_label = plan.axes[axis].path;
    chart.boxes = true;
    for (size_t v = 0; v < plan.axes[axis].values.size(); ++v) {
      plot::Group group;
      group.style = plot::series_style(v);
      for (size_t k = 0; k < rows.size(); ++k) {
        const size_t c = k / static_cast<size_t>(plan.iterations);
        if (plan.choices[c][axis] != v) continue;
        group.name = plan.value_text(c, axis);
        if (const double m = measure_of(rows[k], which); std::isfinite(m)) group.runs.push_back(m);
      }
      group.center = part_of(group.runs, 0.5);
      group.low = part_of(group.runs, 0.25);
      group.high = part_of(group.runs, 0.75);
      chart.groups.push_back(std::move(group));
    }
    figure.panels.push_back({measure_names[which], std::move(chart)});
  }
  figure.columns = 3;
  figure.width_mm = plot::double_column_mm;
  return figure;
}

plot::Figure curve_panels(const SweepPlan& plan, const std::vector<SweepRow>& rows) {
  plot::Figure figure;
  figure.caption = "Mean over the iterations of each combination; bands: one sample standard deviation.";
  for (size_t c = 0; c < std::min(most_panels, plan.combinations.size()); ++c) {
    RunCurves curves;
    curves.name = plan.combinations[c].training.constraint;
    for (int64_t i = 0; i < plan.iterations; ++i)
      if (const SweepRow& row = rows[c * static_cast<size_t>(plan.iterations) + static_cast<size_t>(i)];
          !row.history.empty())
        curves.runs.push_back(row.history);
    plot::Panel panel = std::move(curves_figure({curves}, "", "mean").panels.front());
    panel.title = plan.label(c);
    figure.panels.push_back(std::move(panel));
  }
  figure.columns = static_cast<int>(std::min<size_t>(2, figure.panels.size()));
  figure.width_mm = figure.columns == 1 ? plot::single_column_mm : plot::double_column_mm;
  return figure;
}

// A measure of the runs' networks that differs between them.
struct RunMeasure {
  bool weights = false;  // at the end; else of the mask at the start
  Measure measure = Measure::density;
  std::vector<double> values;  // of each run
  std::string name() const { return std::string(weights ? "weights: " : "mask: ") + words_of(measure); }
};

// What is the same in every run says nothing; what weights share with their mask is said once.
std::vector<RunMeasure> varying_measures(const std::vector<SweepRow>& rows) {
  std::vector<RunMeasure> list;
  for (const bool weights : {false, true})
    for (size_t k = 0; k < measure_count; ++k) {
      RunMeasure m = {weights, static_cast<Measure>(k), {}};
      bool varies = false, of_mask = true;
      std::optional<double> first;
      for (const SweepRow& row : rows) {
        const double v = (weights ? row.weights : row.mask)[k];
        m.values.push_back(v);
        of_mask = of_mask && (v == row.mask[k] || !std::isfinite(v));
        if (!std::isfinite(v)) continue;
        if (!first) first = v;
        varies = varies || std::fabs(v - *first) > 1e-9 * std::fabs(*first);
      }
      if (varies && !(weights && of_mask)) list.push_back(std::move(m));
    }
  return list;
}

// Spearman's over the runs that have both, with Bonett and Wright's (2000) 95 % interval; NaN where there is none.
struct RankCorrelation {
  double rho = no_value, low = no_value, high = no_value;
  int64_t count = 0;
};
RankCorrelation rank_correlation(const std::vector<double>& x, const std::vector<double>& y) {
  std::vector<double> a, b;
  for (size_t k = 0; k < x.size(); ++k)
    if (std::isfinite(x[k]) && std::isfinite(y[k])) {
      a.push_back(x[k]);
      b.push_back(y[k]);
    }
  RankCorrelation r;
  r.count = static_cast<int64_t>(a.size());
  const Result<Correlation> found = spearman(a, b);
  if (!found) return r;
  r.rho = found->r;
  if (r.count < 4 || std::fabs(r.rho) > 1 - 1e-12) return r;
  const double half = 1.959963984540054 * std::sqrt((1 + r.rho * r.rho / 2) / static_cast<double>(r.count - 3));
  r.low = std::tanh(std::atanh(r.rho) - half);
  r.high = std::tanh(std::atanh(r.rho) + half);
  return r;
}

std::string correlation_text(const RankCorrelation& r) {
  if (!std::isfinite(r.rho)) return "\xe2\x80\x93";
  std::string text = fixed_number(r.rho, 2);
  if (std::isfinite(r.low)) text += " [" + fixed_number(r.low, 2) + ", " + fixed_number(r.high, 2) + "]";
  for (size_t at = 0; (at = text.find('-', at)) != std::string::npos;) text.replace(at, 1, "\xe2\x88\x92");
  return text;
}

// Every point is a run; colours are the values of the first key that has several.
plot::Figure measure_figure(const SweepPlan& plan, const std::vector<SweepRow>& rows,
                            const std::vector<RunMeasure>& measures) {
  plot::Figure figure;
  size_t axis = 0;
  while (axis + 1 < plan.axes.size() && plan.axes[axis].values.size() < 2) ++axis;
  const size_t kinds = plan.axes.empty() ? 1 : plan.axes[axis].values.size();
  for (size_t m = 0; m < measures.size(); ++m) {
    plot::LineChart chart;
    chart.x.label = words_of(measures[m].measure);
    chart.y.label = "least loss";
    std::vector<double> losses;
    for (const SweepRow& row : rows) losses.push_back(measure_of(row, 0));
    for (size_t v = 0; v < kinds; ++v) {
      plot::Series s;
      s.style = plot::series_style(v);
      s.line = false;
      s.marks = true;
      for (size_t k = 0; k < rows.size(); ++k) {
        const size_t c = k / static_cast<size_t>(plan.iterations);
        if (!plan.axes.empty() && plan.choices[c][axis] != v) continue;
        if (!plan.axes.empty()) s.name = plan.axes[axis].path + " " + plan.value_text(c, axis);
        if (!std::isfinite(measures[m].values[k]) || !std::isfinite(losses[k])) continue;
        s.x.push_back(measures[m].values[k]);
        s.y.push_back(losses[k]);
      }
      chart.series.push_back(std::move(s));
    }
    figure.panels.push_back(
        {"\xcf\x81 = " + correlation_text(rank_correlation(measures[m].values, losses)), std::move(chart)});
  }
  figure.caption = "Least held-out loss of every run against measures of its network, with Spearman's \xcf\x81.";
  figure.columns = static_cast<int>(std::min<size_t>(3, figure.panels.size()));
  figure.width_mm = figure.columns == 1 ? plot::single_column_mm : plot::double_column_mm;
  figure.shared_legend = kinds > 1;
  return figure;
}

void add_measures(Report& report, const SweepPlan& plan, const std::vector<SweepRow>& rows) {
  const auto any = [](const NetworkMeasures& m) {
    return std::any_of(m.begin(), m.end(), [](double v) { return std::isfinite(v); });
  };
  if (std::none_of(rows.begin(), rows.end(), [&](const SweepRow& r) { return any(r.mask) || any(r.weights); })) return;
  std::vector<double> losses, accuracies;
  bool classes = false;
  for (const SweepRow& row : rows) {
    losses.push_back(measure_of(row, 0));
    accuracies.push_back(row.accuracy);
    classes = classes || std::isfinite(row.accuracy);
  }
  const std::vector<RunMeasure> varying = varying_measures(rows);
  report.section("Network measures beside performance",
                 "Of the mask at the start (who connects to whom) and of the recurrent weights at the end (those that "
                 "are not 0; \"weighted\" uses their sizes). Spearman's rank correlation over all runs. Runs of a "
                 "combination share their settings, and what a grid changes can change measure and loss alike: "
                 "combinations are not independent samples of networks, so the intervals, which take runs as "
                 "independent, are too narrow, and \xcf\x81 describes this grid, not a cause.");
  if (varying.empty()) {
    report.text("No measure differs between the runs.");
    return;
  }
  for (const bool weights : {false, true}) {
    std::vector<RunMeasure> shown;
    for (const RunMeasure& m : varying)
      if (m.weights == weights) shown.push_back(m);
    if (!shown.empty())
      report.figure(measure_figure(plan, rows, shown),
                    std::string("Least loss against measures of the ") +
                        (weights ? "weights at the end" : "mask at the start") + " that differ between runs.",
                    weights ? "measures-weights" : "measures-mask", {false, false, false});
  }
  ReportTable table;
  table.caption = "Measures over all runs, and \xcf\x81 with 95 % intervals.";
  table.columns = {{"measure"}, {"mean"}, {"sd"}, {"\xcf\x81 with least loss"}};
  if (classes) table.columns.push_back({"\xcf\x81 with accuracy"});
  table.columns.push_back({"runs"});
  for (const RunMeasure& m : varying) {
    const RunSpread spread = spread_of(m.values);
    const RankCorrelation r = rank_correlation(m.values, losses);
    std::vector<TableCell> cells = {m.name(), spread.mean, spread.sd, correlation_text(r)};
    if (classes) cells.emplace_back(correlation_text(rank_correlation(m.values, accuracies)));
    cells.emplace_back(static_cast<double>(r.count));
    table.rows.push_back(std::move(cells));
  }
  report.table(table);
  report.text("What the measures are:");
  std::string meanings;
  for (size_t k = 0; k < measure_count; ++k)
    meanings +=
        std::string(k > 0 ? " " : "") + words_of(static_cast<Measure>(k)) + ": " + meaning_of(static_cast<Measure>(k));
  report.text(meanings);
}

std::string csv_number(double v) {
  return std::isfinite(v) ? short_number(v, 17) : "";
}

}  // namespace

std::string sweep_hash(const std::vector<SweepRow>& rows) {
  Fnv1a together;
  for (const SweepRow& row : rows) {
    if (!row.there) return "";
    together.text(row.hash);
  }
  return together.hex();
}

std::string sweep_csv(const SweepPlan& plan, const std::vector<SweepRow>& rows) {
  std::string csv = "run,combination,iteration";
  for (const SweepAxis& axis : plan.axes) csv += "," + csv_field(axis.path);
  csv += ",hash,train,validation,held_out,accuracy,minimum,epoch_of_minimum,epoch_99";
  for (size_t m = 0; m < measure_count; ++m)
    if (const auto which = static_cast<Measure>(m); !is_weighted(which)) csv += std::string(",mask_") + key_of(which);
  for (size_t m = 0; m < measure_count; ++m) csv += std::string(",weights_") + key_of(static_cast<Measure>(m));
  csv += ",failure\n";
  for (size_t k = 0; k < rows.size(); ++k) {
    const SweepRow& row = rows[k];
    if (!row.there) continue;
    const size_t n = static_cast<size_t>(plan.iterations), c = k / n;
    csv += std::to_string(k + 1) + "," + std::to_string(c + 1) + "," + std::to_string(k % n + 1);
    for (size_t a = 0; a < plan.axes.size(); ++a) csv += "," + csv_field(plan.value_text(c, a));
    const Convergence end = convergence_of(row.tracked());
    csv += "," + row.hash;
    for (double v : {row.train, row.validation, row.held_out, row.accuracy, end.minimum}) csv += "," + csv_number(v);
    csv += "," + (end.epoch > 0 ? std::to_string(end.epoch) + "," + std::to_string(end.epoch_99) : std::string(","));
    for (size_t m = 0; m < measure_count; ++m)
      if (!is_weighted(static_cast<Measure>(m))) csv += "," + csv_number(row.mask[m]);
    for (double v : row.weights) csv += "," + csv_number(v);
    csv += "," + csv_field(row.failure) + "\n";
  }
  return csv;
}

std::string sweep_json(const SweepPlan& plan, const std::vector<SweepRow>& rows) {
  json o = {{"name", plan.name}, {"sweep", plan.sha256}, {"iterations", plan.iterations}, {"runs", json::array()}};
  const std::string hash = sweep_hash(rows);
  o["hash"] = hash.empty() ? json(nullptr) : json(hash);
  for (size_t k = 0; k < rows.size(); ++k) {
    const SweepRow& row = rows[k];
    if (!row.there) continue;
    const size_t n = static_cast<size_t>(plan.iterations), c = k / n;
    json values = json::object();
    for (size_t a = 0; a < plan.axes.size(); ++a)
      values[plan.axes[a].path] = json::parse(plan.axes[a].values[plan.choices[c][a]], nullptr, false);
    const Convergence end = convergence_of(row.tracked());
    json measures = {{"mask", json::object()}, {"weights", json::object()}};
    for (size_t m = 0; m < measure_count; ++m) {
      const char* key = key_of(static_cast<Measure>(m));
      if (!is_weighted(static_cast<Measure>(m))) measures["mask"][key] = number_or_null(row.mask[m]);
      measures["weights"][key] = number_or_null(row.weights[m]);
    }
    o["runs"].push_back({{"run", k + 1},
                         {"combination", c + 1},
                         {"iteration", k % n + 1},
                         {"values", values},
                         {"hash", row.hash},
                         {"train", number_or_null(row.train)},
                         {"validation", number_or_null(row.validation)},
                         {"held_out", number_or_null(row.held_out)},
                         {"accuracy", number_or_null(row.accuracy)},
                         {"minimum", number_or_null(end.minimum)},
                         {"epoch_of_minimum", end.epoch > 0 ? json(end.epoch) : json(nullptr)},
                         {"epoch_99", end.epoch > 0 ? json(end.epoch_99) : json(nullptr)},
                         {"measures", measures},
                         {"failure", row.failure}});
  }
  return o.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string sweep_report(const SweepPlan& plan, const std::vector<SweepRow>& rows, const ReportProvenance& where) {
  Report report(plan.name.empty() ? "Sweep" : plan.name + ": sweep");
  const auto failed = std::count_if(rows.begin(), rows.end(), [](const SweepRow& r) { return !r.failure.empty(); });
  report.summary(
      {std::to_string(plan.combinations.size()) + " combinations, " + std::to_string(plan.iterations) +
           (plan.iterations == 1 ? " run" : " runs") +
           " of each, new data in every run. The least loss is that of the held-out trials over the "
           "epochs, without the first one; the 99 % epoch is the first within 1 % of the curve's range of it.",
       failed == 0 ? "Every run finished."
                   : std::to_string(failed) + " runs became not finite and are left out where they have "
                                              "no number."});
  for (size_t a = 0; a < plan.axes.size(); ++a) {
    if (plan.axes[a].values.size() < 2) continue;
    if (a == 0) report.section("By value", "All runs with a value of one key, whatever the others are.");
    report.figure(axis_figure(plan, rows, a), plan.axes[a].path + ".", "axis-" + std::to_string(a + 1),
                  {false, false, false});
  }
  report.section("Learning curves", plan.combinations.size() > most_panels
                                        ? "The first " + std::to_string(most_panels) + " combinations."
                                        : "");
  report.figure(curve_panels(plan, rows), "Losses by epoch.", "curves", {false, false, false});
  add_measures(report, plan, rows);
  report.section("Numbers");
  ReportTable table;
  table.caption = "Mean and sample standard deviation over the runs of each combination.";
  table.columns = {{"combination"}, {"runs"}, {"held-out loss"}, {"sd"},        {"accuracy", "%"},
                   {"least loss"},  {"sd"},   {"its epoch"},     {"99 % epoch"}};
  for (size_t c = 0; c < plan.combinations.size(); ++c) {
    std::vector<double> held_out, accuracy, measures[3];
    for (int64_t i = 0; i < plan.iterations; ++i) {
      const SweepRow& row = rows[c * static_cast<size_t>(plan.iterations) + static_cast<size_t>(i)];
      held_out.push_back(row.held_out);
      accuracy.push_back(100 * row.accuracy);
      for (int m = 0; m < 3; ++m) measures[m].push_back(measure_of(row, m));
    }
    const RunSpread h = spread_of(held_out), least = spread_of(measures[0]);
    table.rows.push_back({plan.label(c), static_cast<double>(least.count), h.mean, h.sd, spread_of(accuracy).mean,
                          least.mean, least.sd, spread_of(measures[1]).mean, spread_of(measures[2]).mean});
  }
  report.table(table);
  report.provenance(where);
  return report.html();
}

}  // namespace dalea
