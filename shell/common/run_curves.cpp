#include "common/run_curves.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "analysis/statistics.h"

namespace dalea {
namespace {

struct Column {
  const char* name;
  double EpochRecord::*value;
  bool accuracy;
};
constexpr Column columns[] = {{"train", &EpochRecord::train, false},
                              {"validation", &EpochRecord::validation, false},
                              {"held_out", &EpochRecord::held_out, false},
                              {"validation_accuracy", &EpochRecord::validation_accuracy, true},
                              {"held_out_accuracy", &EpochRecord::held_out_accuracy, true}};

size_t most_epochs(const RunCurves& curves) {
  size_t most = 0;
  for (const auto& run : curves.runs) most = std::max(most, run.size());
  return most;
}

plot::Series series_of(const RunCurves& curves, double EpochRecord::*value, const std::string& name,
                       const plot::Style& style, double factor, bool banded = true) {
  plot::Series series;
  series.name = name;
  series.style = style;
  const CurveSpread spread = spread_of(curves, value);
  const bool band = banded && curves.runs.size() > 1;
  for (size_t e = 0; e < spread.mean.size(); ++e) {
    const double mean = factor * spread.mean[e], sd = factor * spread.sd[e];
    series.x.push_back(static_cast<double>(e + 1));
    series.y.push_back(mean);
    if (!band) continue;
    series.low.push_back(mean - sd);
    series.high.push_back(mean + sd);
  }
  return series;
}

bool any_value(const plot::Series& series) {
  return std::any_of(series.y.begin(), series.y.end(), [](double v) { return std::isfinite(v); });
}

std::string run_counts(const std::vector<RunCurves>& groups) {
  std::string text;
  for (const RunCurves& g : groups) {
    const std::string n = std::to_string(g.runs.size()) + (g.runs.size() == 1 ? " run" : " runs");
    text += (text.empty() ? "" : ", ") + (groups.size() == 1 ? n : g.name + ": " + n);
  }
  return text;
}

// Losses below zero do not exist: a band that would reach it ends a little below what is drawn, not far under it.
void keep_on_axis(plot::LineChart& chart) {
  double least = INFINITY;
  for (const plot::Series& s : chart.series)
    for (size_t k = 0; k < s.y.size(); ++k)
      for (double v : {s.y[k], k < s.low.size() ? s.low[k] : no_value})
        if (v > s.y[k] / 10 && v > 0) least = std::min(least, v);
  for (plot::Series& s : chart.series)
    for (size_t k = 0; k < s.low.size(); ++k)
      if (s.low[k] < least) s.low[k] = least / 1.5;
}

}  // namespace

RunSpread spread_of(const std::vector<double>& values) {
  std::vector<double> finite;
  for (double v : values)
    if (std::isfinite(v)) finite.push_back(v);
  RunSpread spread;
  spread.count = static_cast<int64_t>(finite.size());
  if (const Result<double> mean = mean_of(finite)) spread.mean = *mean;
  if (const Result<Summary> summary = summarise(finite)) {
    spread.mean = summary->mean;
    spread.sd = summary->sd;
  }
  return spread;
}

CurveSpread spread_of(const RunCurves& curves, double EpochRecord::*value) {
  CurveSpread spread;
  std::vector<double> values;
  for (size_t e = 0; e < most_epochs(curves); ++e) {
    values.clear();
    for (const auto& run : curves.runs)
      if (e < run.size()) values.push_back(run[e].*value);
    const RunSpread at = spread_of(values);
    spread.mean.push_back(at.mean);
    spread.sd.push_back(at.sd);
    spread.count.push_back(at.count);
  }
  return spread;
}

bool has_accuracy(const RunCurves& curves) {
  for (const auto& run : curves.runs)
    for (const EpochRecord& r : run)
      if (std::isfinite(r.held_out_accuracy) || std::isfinite(r.validation_accuracy)) return true;
  return false;
}

std::string curves_csv(const std::vector<RunCurves>& groups) {
  const bool accuracy = std::any_of(groups.begin(), groups.end(), has_accuracy), several = groups.size() > 1;
  std::string csv = several ? "condition,epoch" : "epoch";
  for (const Column& c : columns)
    if (accuracy || !c.accuracy) csv += std::string(",") + c.name + "_mean," + c.name + "_sd," + c.name + "_n";
  csv += "\n";
  for (const RunCurves& g : groups) {
    std::vector<CurveSpread> spreads;
    for (const Column& c : columns)
      if (accuracy || !c.accuracy) spreads.push_back(spread_of(g, c.value));
    for (size_t e = 0; e < most_epochs(g); ++e) {
      csv += (several ? g.name + "," : "") + std::to_string(e + 1);
      for (const CurveSpread& s : spreads) {
        char text[80];
        std::snprintf(text, sizeof text, ",%.17g,%.17g,%lld", s.mean[e], s.sd[e], static_cast<long long>(s.count[e]));
        csv += text;
      }
      csv += "\n";
    }
  }
  return csv;
}

plot::Figure curves_figure(const std::vector<RunCurves>& groups, const std::string& title, const std::string& unit) {
  plot::LineChart loss, accuracy;
  loss.x.label = accuracy.x.label = "epoch";
  loss.y.label = (groups.size() == 1 ? "loss (" : "held-out loss (") + unit + ")";
  loss.y.log = true;
  accuracy.y.label = (groups.size() == 1 ? "accuracy (%)" : "held-out accuracy (%)");
  if (groups.size() == 1) {
    const RunCurves& g = groups.front();
    const plot::Style train = {plot::rgb(0x8a8a8a), plot::Dash::dashed, plot::Marker::none, 1.2},
                      validation = {plot::rgb(0x0072b2), plot::Dash::dotted, plot::Marker::none, 1.4};
    plot::Style held_out = plot::named_style(g.name);
    held_out.dash = plot::Dash::solid;
    loss.series = {series_of(g, &EpochRecord::train, "train", train, 1),
                   series_of(g, &EpochRecord::validation, "validation", validation, 1, false),
                   series_of(g, &EpochRecord::held_out, "held out", held_out, 1)};
    accuracy.series = {series_of(g, &EpochRecord::validation_accuracy, "validation", validation, 100, false),
                       series_of(g, &EpochRecord::held_out_accuracy, "held out", held_out, 100)};
  } else {
    for (const RunCurves& g : groups) {
      loss.series.push_back(series_of(g, &EpochRecord::held_out, g.name, plot::named_style(g.name), 1));
      accuracy.series.push_back(series_of(g, &EpochRecord::held_out_accuracy, g.name, plot::named_style(g.name), 100));
    }
  }
  for (plot::LineChart* chart : {&loss, &accuracy})
    chart->series.erase(
        std::remove_if(chart->series.begin(), chart->series.end(), [](const auto& s) { return !any_value(s); }),
        chart->series.end());
  keep_on_axis(loss);

  plot::Figure figure;
  figure.title = title;
  figure.caption = "Mean over runs (" + run_counts(groups) + "); bands: one sample standard deviation.";
  figure.panels = {{"Loss", std::move(loss)}};
  if (std::any_of(groups.begin(), groups.end(), has_accuracy)) {
    figure.panels.push_back({"Accuracy", std::move(accuracy)});
    figure.columns = 2;
    figure.width_mm = plot::double_column_mm;
    figure.shared_legend = groups.size() > 1;  // the same lines in both
  }
  return figure;
}

}  // namespace dalea
