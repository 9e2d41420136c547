#include "common/recovery_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include "analysis/special.h"
#include "analysis/statistics.h"
#include "common/markup.h"

namespace dalea {
namespace {

constexpr const char* block_names[] = {"E to E", "I to E", "E to I", "I to I"};

const plot::Style network_style = {plot::rgb(0x1b7837), plot::Dash::solid, plot::Marker::diamond, 1.4};
const plot::Style linear_style = {plot::rgb(0x4d4d4d), plot::Dash::dashed, plot::Marker::square, 1.2};

plot::LineChart pairs_chart(const RecoveryStudy& s, const std::vector<double>& found) {
  plot::LineChart chart;
  chart.x.label = "weight in the circuit";
  chart.y.label = "response found";
  chart.guides.push_back({0, "", false});
  chart.guides.push_back({0, "", true});
  chart.legend = plot::Legend::outside;
  plot::Series list[] = {{.name = "excitatory"}, {.name = "inhibitory"}, {.name = "absent"}};
  list[0].style = {plot::excitatory, plot::Dash::solid, plot::Marker::triangle, 0.8};
  list[1].style = {plot::inhibitory, plot::Dash::solid, plot::Marker::circle, 0.8};
  list[2].style = {plot::rgb(0x8a8f96), plot::Dash::solid, plot::Marker::square, 0.6};
  const auto n = static_cast<int64_t>(s.names.size());
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) {
      if (i == j) continue;
      const double w = s.truth[i * n + j];
      plot::Series& series = list[w > 0 ? 0 : w < 0 ? 1 : 2];
      series.x.push_back(w);
      series.y.push_back(found[i * n + j]);
    }
  for (plot::Series& series : list) {
    series.line = false;
    series.marks = true;
    if (!series.x.empty()) chart.series.push_back(std::move(series));
  }
  return chart;
}

plot::LineChart blocks_chart(const RecoveryStudy& s) {
  plot::LineChart chart;
  chart.x.label = "mean weight in the circuit";
  chart.y.label = "mean response found";
  chart.guides.push_back({0, "", false});
  chart.guides.push_back({0, "", true});
  chart.legend = plot::Legend::outside;
  plot::Series network = {.name = "network", .style = network_style}, linear = {.name = "ridge", .style = linear_style};
  for (plot::Series* series : {&network, &linear}) {
    series->x = s.truth_blocks;
    series->y = series == &network ? s.network_blocks : s.linear_blocks;
    series->line = false;
    series->marks = true;
    chart.series.push_back(std::move(*series));
  }
  return chart;
}

std::string percent(double share) {
  char text[40];
  if (!std::isfinite(share)) return "none";
  std::snprintf(text, sizeof text, "%.0f %%", 100 * share);
  return text;
}

// The 95 % interval of the mean, within [least, 1]; of two circuits their range.
Interval interval_of(const std::vector<double>& values, double mean, double least) {
  const Result<Summary> s = summarise(values);
  if (!s) return {mean, mean};
  if (s->count == 2) return {s->least, s->most};
  const double half = student_critical(0.05, static_cast<double>(s->count - 1)) * s->standard_error;
  return {std::max(least, mean - half), std::min(1.0, mean + half)};
}

enum class Along { frames, density };
using Measure = double (*)(const RecoveryStudy&, bool network);

// A line for each value of what is not along the axis, and of each method.
plot::LineChart sweep_chart(const RecoveryReport& r, Along along, Measure measure, const char* label, double chance) {
  plot::LineChart chart;
  chart.x.label = along == Along::frames ? "length of the recording (frames)" : "density of the circuit";
  chart.x.log = along == Along::frames;
  chart.y.label = label;
  chart.guides.push_back({chance, "chance"});
  chart.legend = plot::Legend::outside;
  std::set<double> at, others;
  for (const RecoveryPoint& p : r.points) {
    at.insert(along == Along::frames ? static_cast<double>(p.frames) : p.density);
    others.insert(along == Along::frames ? p.density : static_cast<double>(p.frames));
  }
  for (double x : at) chart.x.ticks.push_back(x);
  size_t which = 0;
  for (double other : others) {
    for (bool network : {true, false}) {
      plot::Series series;
      char name[80];
      std::snprintf(name, sizeof name, along == Along::frames ? "%s, density %g" : "%s, %g frames",
                    network ? "network" : "ridge", other);
      series.name = others.size() > 1 ? name : network ? "network" : "ridge";
      series.style = others.size() > 1 ? plot::series_style(which) : network ? network_style : linear_style;
      series.style.dash = network ? plot::Dash::solid : plot::Dash::dashed;
      series.marks = true;
      for (double x : at) {
        std::vector<double> values;
        for (const RecoveryPoint& p : r.points) {
          const double frames = static_cast<double>(p.frames);
          if ((along == Along::frames ? frames : p.density) == x &&
              (along == Along::frames ? p.density : frames) == other)
            if (const double v = measure(p.study, network); std::isfinite(v)) values.push_back(v);
        }
        const Result<double> mean = mean_of(values);
        series.x.push_back(x);
        series.y.push_back(mean ? *mean : plot::no_value);
        const Interval interval = interval_of(values, series.y.back(), 2 * chance - 1);
        series.low.push_back(interval.low);
        series.high.push_back(interval.high);
      }
      if (!network) series.low.clear();  // one band a pair can be told apart
      if (!network) series.high.clear();
      chart.series.push_back(std::move(series));
    }
    ++which;
  }
  return chart;
}

}  // namespace

std::string recovery_verdict(const RecoveryStudy& s) {
  const RecoveryScore &n = s.network_score, &l = s.linear_score;
  char text[240];
  std::snprintf(text, sizeof text,
                "The network finds %s of the signs (chance 50 %%, p = %.3g), ridge regression %s: %s.",
                percent(n.sign).c_str(), n.sign_p, percent(l.sign).c_str(),
                n.sign_p > 0.05           ? "not above chance"
                : l.sign >= n.sign        ? "ridge does as well or better"
                : l.sign >= n.sign - 0.05 ? "ridge does nearly as well"
                                          : "the network finds more");
  std::string verdict = text;
  if (static_cast<int64_t>(s.names.size()) < s.circuit_units) {
    std::snprintf(text, sizeof text, " %lld of the circuit's %lld units are recorded; what the others send is hidden.",
                  static_cast<long long>(s.names.size()), static_cast<long long>(s.circuit_units));
    verdict += text;
  }
  return verdict;
}

plot::Figure recovery_figure(const std::string& name, const RecoveryStudy& s) {
  plot::Figure figure;
  figure.title = name.empty() ? "Recovered connectivity" : name + ": recovered connectivity";
  char text[200];
  std::snprintf(text, sizeof text,
                "Response of the next frame's prediction to the last %lld frame%s of another unit, against the weight "
                "between the two. ",
                static_cast<long long>(s.lags), s.lags == 1 ? "" : "s");
  figure.caption = text + recovery_verdict(s);
  figure.panels.push_back({"Network", pairs_chart(s, s.network)});
  figure.panels.push_back({"Ridge regression", pairs_chart(s, s.linear)});
  figure.panels.push_back({"By block", blocks_chart(s)});
  figure.columns = 2;
  figure.width_mm = plot::double_column_mm;
  return figure;
}

plot::Figure recovery_sweep_figure(const RecoveryReport& r) {
  std::set<int64_t> frames;
  std::set<double> densities;
  for (const RecoveryPoint& p : r.points) {
    frames.insert(p.frames);
    densities.insert(p.density);
  }
  plot::Figure figure;
  figure.title = r.name.empty() ? "Recovered connectivity" : r.name + ": recovered connectivity";
  figure.caption =
      "Signs of the true connections that were found, mean of excitatory and inhibitory ones (chance: one half); "
      "Spearman's correlation of found and true weights over all pairs, and of the mean strengths of the four blocks "
      "between excitatory and inhibitory units. Network: solid, ridge regression: dashed. Means over circuits; band: "
      "the network's 95 % interval (of two circuits their range).";
  struct Shown {
    const char* title;
    const char* label;
    double chance;
    Measure measure;
  };
  const Shown shown[] = {
      {"Signs", "share of signs found", 0.5,
       [](const RecoveryStudy& s, bool network) { return (network ? s.network_score : s.linear_score).sign; }},
      {"Ranks", "rank correlation", 0,
       [](const RecoveryStudy& s, bool network) { return (network ? s.network_score : s.linear_score).rank; }},
      {"Blocks", "rank correlation of blocks", 0,
       [](const RecoveryStudy& s, bool network) { return network ? s.network_block_rank : s.linear_block_rank; }}};
  for (Along along : {Along::frames, Along::density}) {
    // One point of each: drawn against the length.
    const bool one = along == Along::frames && frames.size() < 2 && densities.size() < 2;
    if (!one && (along == Along::frames ? frames.size() : densities.size()) < 2) continue;
    for (const Shown& s : shown)
      figure.panels.push_back({s.title, sweep_chart(r, along, s.measure, s.label, s.chance)});
  }
  figure.columns = 2;
  figure.width_mm = plot::double_column_mm;
  return figure;
}

std::string recovery_pairs_csv(const RecoveryStudy& s) {
  std::string csv = "to,from,weight,network,ridge\n";
  char text[120];
  const size_t n = s.names.size();
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) {
      if (i == j) continue;
      std::snprintf(text, sizeof text, ",%.9g,%.17g,%.17g\n", s.truth[i * n + j], s.network[i * n + j],
                    s.linear[i * n + j]);
      csv += csv_field(s.names[i]) + "," + csv_field(s.names[j]) + text;
    }
  return csv;
}

std::string recovery_points_csv(const RecoveryReport& r) {
  std::string csv =
      "seed,frames,density,recorded,units,method,held_out_loss,excitatory,inhibitory,absent,sign,sign_excitatory,"
      "sign_inhibitory,sign_shuffled,sign_p,rank,rank_shuffled,rank_p,strength,detection,block_rank";
  for (const char* block : block_names) csv += std::string(",true ") + block + ",found " + block;
  csv += "\n";
  const auto add = [&](double v) {
    char text[40];
    std::snprintf(text, sizeof text, ",%.17g", v);
    csv += std::isfinite(v) ? text : ",";
  };
  const auto count = [&](int64_t v) { csv += "," + std::to_string(v); };
  for (const RecoveryPoint& p : r.points)
    for (bool network : {true, false}) {
      const RecoveryStudy& t = p.study;
      const RecoveryScore& s = network ? t.network_score : t.linear_score;
      csv += std::to_string(p.seed);
      count(p.frames);
      add(p.density);
      count(static_cast<int64_t>(t.names.size()));
      count(t.circuit_units);
      csv += network ? ",network" : ",ridge";
      add(network ? p.network_loss : p.linear_loss);
      for (int64_t v : {s.excitatory, s.inhibitory, s.absent}) count(v);
      for (double v : {s.sign, s.sign_excitatory, s.sign_inhibitory, s.sign_shuffled, s.sign_p, s.rank, s.rank_shuffled,
                       s.rank_p, s.strength, s.detection, network ? t.network_block_rank : t.linear_block_rank})
        add(v);
      for (size_t k = 0; k < t.truth_blocks.size(); ++k) {
        add(t.truth_blocks[k]);
        add(network ? t.network_blocks[k] : t.linear_blocks[k]);
      }
      csv += "\n";
    }
  return csv;
}

}  // namespace dalea
