#include "common/sweep_report.h"

#include <algorithm>
#include <cmath>

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
  figure.caption = "Every point is a run; the line is the median, the interval holds the middle half (as in a box).";
  for (int which = 0; which < 3; ++which) {
    plot::GroupChart chart;
    chart.y.label = which == 0 ? "loss" : "epoch";
    chart.x_label = plan.axes[axis].path;
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
  csv += ",hash,train,validation,held_out,accuracy,minimum,epoch_of_minimum,epoch_99,failure\n";
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
