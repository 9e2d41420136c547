#include "common/states_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "common/markup.h"

namespace dalea {
namespace {

double time_of(const StatesReport& r, int64_t step) {
  return static_cast<double>(step) * (r.dt_s > 0 ? r.dt_s : 1);
}

std::string axis_name(const Components& c, int64_t k) {
  char text[60];
  std::snprintf(text, sizeof text, "component %d (%.1f %% of variance)", static_cast<int>(k) + 1, 100 * c.share(k));
  return text;
}

plot::LineChart paths_chart(const StateStudy& s) {
  plot::LineChart chart;
  chart.x.label = axis_name(s.components, 0);
  chart.y.label = s.components.count > 1 ? axis_name(s.components, 1) : "component 2 (there is none)";
  chart.legend = plot::Legend::outside;
  const auto at = [&](int64_t trial, int64_t step, int64_t k) {
    return static_cast<double>(s.path[static_cast<size_t>((trial * s.steps + step) * path_components + k)]);
  };
  plot::Series starts;
  starts.name = "start";
  starts.style = {plot::ink, plot::Dash::solid, plot::Marker::circle, 1};
  starts.line = false;
  starts.marks = true;
  for (size_t k = 0; k < s.condition_names.size(); ++k) {
    plot::Series path;
    path.name = (s.condition_kind.empty() ? "" : s.condition_kind + " ") + s.condition_names[k];
    path.style = {condition_color(k), plot::Dash::solid, plot::Marker::none, 0.8};
    for (int64_t n = 0; n < s.shown; ++n) {
      if (s.condition[static_cast<size_t>(n)] != static_cast<int32_t>(k)) continue;
      if (!path.x.empty()) {  // a gap between trials
        path.x.push_back(plot::no_value);
        path.y.push_back(plot::no_value);
      }
      for (int64_t t = 0; t < s.steps; ++t) {
        path.x.push_back(at(n, t, 0));
        path.y.push_back(at(n, t, 1));
      }
      starts.x.push_back(at(n, 0, 0));
      starts.y.push_back(at(n, 0, 1));
    }
    if (!path.x.empty()) chart.series.push_back(std::move(path));
  }
  chart.series.push_back(std::move(starts));
  return chart;
}

plot::LineChart variance_chart(const Components& c) {
  plot::LineChart chart;
  chart.x.label = "components";
  chart.y.label = "share of variance, cumulative";
  chart.y.min = 0;
  chart.y.max = 1;
  chart.legend = plot::Legend::none;
  plot::Series share;
  share.name = "cumulative";
  share.marks = true;
  for (int64_t k = 1; k <= c.count; ++k) {
    chart.x.ticks.push_back(static_cast<double>(k));
    share.x.push_back(static_cast<double>(k));
    share.y.push_back(c.share_of_first(k));
  }
  chart.series.push_back(std::move(share));
  return chart;
}

plot::HeatMap currents_chart(const StatesReport& r) {
  const Currents& c = r.study.currents;
  const size_t n = c.input.size();
  plot::HeatMap map;
  map.rows = static_cast<int64_t>(n);
  map.columns = map.rows + 2;
  map.value_label = "mean current";
  map.x_label = "from";
  map.y_label = "into";
  map.absent_name = "no connection";
  double most = 0;
  for (size_t p = 0; p < n; ++p) {
    const auto put = [&](double v, bool exists) {
      map.values.push_back(static_cast<float>(exists ? v : plot::no_value));
      if (exists) most = std::max(most, std::fabs(v));
    };
    for (size_t q = 0; q < n; ++q) put(c.recurrent[p * n + q], c.connections[p * n + q] > 0);
    put(c.input[p], true);
    put(c.bias[p], true);
  }
  map.scale = most;
  for (size_t p = 0; p < n; ++p) {
    const auto at = static_cast<int64_t>(p);
    map.row_blocks.push_back({r.spec.populations[p].name, at, at + 1});
    map.column_blocks.push_back({r.spec.populations[p].name, at, at + 1});
  }
  map.column_blocks.push_back({"input", map.rows, map.rows + 1});
  map.column_blocks.push_back({"bias", map.rows + 1, map.rows + 2});
  return map;
}

}  // namespace

Color condition_color(size_t k) {
  Color c = plot::series_style(k % 8).color;
  const size_t round = k / 8 % 3;
  const double towards = round == 1 ? 255 : 0, part = round == 0 ? 0 : 0.45;
  for (uint8_t* v : {&c.r, &c.g, &c.b}) *v = static_cast<uint8_t>(std::lround(*v + part * (towards - *v)));
  return c;
}

Result<StatesReport> states_at_level(const StatesReport& r, BlockLevel level) {
  Result<BlockGroups> groups = group_blocks(r.spec.populations, level);
  if (!groups) return groups.error();
  StatesReport out = r;
  const Currents& from = r.study.currents;
  Currents& to = out.study.currents;
  const size_t n = groups->count(), populations = r.spec.populations.size();
  if (from.input.size() != populations) return Error{"currents", "are of other populations"};
  to.recurrent = block_currents(from, *groups);
  to.connections.assign(n * n, 0);
  to.input.assign(n, 0.0);
  to.bias.assign(n, 0.0);
  to.activity.assign(n, 0.0);
  for (size_t p = 0; p < populations; ++p) {
    const size_t g = groups->of_population[p];
    const double share = static_cast<double>(groups->sizes[p]) / static_cast<double>(groups->groups[g].units);
    to.input[g] += share * from.input[p];
    to.bias[g] += share * from.bias[p];
    to.activity[g] += share * from.activity[p];
    for (size_t q = 0; q < populations; ++q)
      to.connections[g * n + groups->of_population[q]] += from.connections[p * populations + q];
  }
  out.spec.populations.clear();
  for (const BlockGroup& g : groups->groups)
    out.spec.populations.push_back({g.name, g.units, Sign::free, 0, g.area, g.layer, g.type});
  return out;
}

plot::Figure states_figure(const StatesReport& r) {
  const StateStudy& s = r.study;
  plot::Figure figure;
  figure.title = r.name.empty() ? "State space and currents" : r.name + ": state space and currents";
  char text[200];
  std::snprintf(text, sizeof text, "Means over %lld held-out trials of %lld steps, without noise.",
                static_cast<long long>(s.trials), static_cast<long long>(s.steps));
  figure.caption = text;
  if (s.components.count > 0) {
    const std::string whose = r.population.empty() ? "all units" : r.population;
    std::snprintf(text, sizeof text, " Components of the activity of %s; %lld trials drawn; participation ratio %.2f.",
                  whose.substr(0, 60).c_str(), static_cast<long long>(s.shown), s.components.participation);
    figure.caption += text;
    if (s.shown > 0) figure.panels.push_back({"State", paths_chart(s)});
    figure.panels.push_back({"Variance", variance_chart(s.components)});
  }
  figure.panels.push_back({"Mean current", currents_chart(r)});
  figure.columns = figure.panels.size() > 1 ? 2 : 1;
  figure.width_mm = figure.columns > 1 ? plot::double_column_mm : plot::single_column_mm;
  return figure;
}

std::string states_projections_csv(const StatesReport& r) {
  const StateStudy& s = r.study;
  std::string csv = "trial,condition,step,time,pc1,pc2,pc3\n";
  char text[160];
  for (int64_t n = 0; n < s.shown; ++n) {
    const std::string name = csv_field(s.condition_names[static_cast<size_t>(s.condition[static_cast<size_t>(n)])]);
    for (int64_t t = 0; t < s.steps; ++t) {
      const float* v = s.path.data() + (n * s.steps + t) * path_components;
      csv += std::to_string(n) + "," + name;
      std::snprintf(text, sizeof text, ",%lld,%.17g,%.9g,%.9g,%.9g\n", static_cast<long long>(t), time_of(r, t),
                    static_cast<double>(v[0]), static_cast<double>(v[1]), static_cast<double>(v[2]));
      csv += text;
    }
  }
  return csv;
}

std::string states_variance_csv(const StatesReport& r) {
  const Components& c = r.study.components;
  std::string csv = "component,variance,share,cumulative\n";
  char text[120];
  for (int64_t k = 0; k < c.count; ++k) {
    std::snprintf(text, sizeof text, "%lld,%.17g,%.17g,%.17g\n", static_cast<long long>(k + 1),
                  c.variance[static_cast<size_t>(k)], c.share(k), c.share_of_first(k + 1));
    csv += text;
  }
  return csv;
}

std::string states_currents_csv(const StatesReport& r) {
  const Currents& c = r.study.currents;
  const size_t n = c.input.size();
  std::string csv = "to,from,kind,current,connections\n";
  char text[80];
  const auto row = [&](size_t p, const std::string& from, const char* kind, double v, const std::string& connections) {
    std::snprintf(text, sizeof text, ",%s,%.17g,", kind, v);
    csv += csv_field(r.spec.populations[p].name) + "," + csv_field(from) + text + connections + "\n";
  };
  for (size_t p = 0; p < n; ++p) {
    for (size_t q = 0; q < n; ++q)
      row(p, r.spec.populations[q].name, "population", c.recurrent[p * n + q],
          std::to_string(c.connections[p * n + q]));
    row(p, "input", "input", c.input[p], "");
    row(p, "bias", "bias", c.bias[p], "");
  }
  return csv;
}

}  // namespace dalea
