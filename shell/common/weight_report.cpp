#include "common/weight_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "analysis/statistics.h"
#include "common/markup.h"

namespace dalea {
namespace {

constexpr int64_t grid_points = 512;

Error in_group(const WeightGroup& g, const std::string& what, const std::string& message) {
  return {"group " + g.name + ": " + what, message};
}

Status check_matrix(const WeightGroup& g, const std::string& what, const Weights& w, int64_t units) {
  const int64_t wanted = w.sparse() ? w.pattern->count() : units * units;
  if (w.rows != units || w.cols != units || static_cast<int64_t>(w.values.size()) != wanted)
    return in_group(g, what,
                    "is " + std::to_string(w.rows) + " x " + std::to_string(w.cols) + ", but the populations have " +
                        std::to_string(units) + " units; compare networks of the same populations");
  for (float v : w.values)
    if (!std::isfinite(v)) return in_group(g, what, "has a weight that is not finite; leave out the run that failed");
  return {};
}

Status check_groups_of(const std::vector<WeightGroup>& groups, int64_t units) {
  if (groups.empty()) return Error{"groups", "is empty; give the weights of at least one run"};
  for (size_t g = 0; g < groups.size(); ++g) {
    const WeightGroup& group = groups[g];
    for (size_t other = 0; other < g; ++other)
      if (groups[other].name == group.name)
        return Error{"groups", "has two called " + group.name + "; give each its own name"};
    if (group.final.empty() || group.initial.size() != group.final.size())
      return in_group(group, "runs",
                      "has " + std::to_string(group.initial.size()) + " initial and " +
                          std::to_string(group.final.size()) +
                          " final matrices; give one of each for every run, and at least one run");
    for (size_t r = 0; r < group.final.size(); ++r) {
      const std::string run = "run " + std::to_string(r + 1);
      for (const Status& ok : {check_matrix(group, run + ", initial weights", group.initial[r], units),
                               check_matrix(group, run + ", final weights", group.final[r], units)})
        if (!ok) return ok;
    }
  }
  return {};
}

std::vector<double> numbers_of(const Weights& w) {
  return {w.values.begin(), w.values.end()};
}

std::vector<double> pooled(const std::vector<Weights>& runs) {
  std::vector<double> all;
  for (const Weights& w : runs) all.insert(all.end(), w.values.begin(), w.values.end());
  return all;
}

// Two passes: the mean, then squares about it.
class Tally {
 public:
  explicit Tally(const std::vector<Population>& populations) {
    for (const Population& p : populations) sign_.insert(sign_.end(), static_cast<size_t>(p.size), p.sign);
  }

  void fill(const std::vector<Weights>& runs, WeightSet& set) const {
    for (const Weights& w : runs)
      each(w, [&](float v, Sign sign) {
        for (WeightTally* t : {&set.all, &set.by_sign[static_cast<size_t>(sign)]}) add(*t, v, sign);
      });
    for (WeightTally* t : {&set.all, &set.by_sign[0], &set.by_sign[1], &set.by_sign[2]})
      if (t->count > 0) t->mean /= static_cast<double>(t->count);
    for (const Weights& w : runs)
      each(w, [&](float v, Sign sign) {
        for (WeightTally* t : {&set.all, &set.by_sign[static_cast<size_t>(sign)]}) {
          const double d = static_cast<double>(v) - t->mean;
          t->sd += d * d;
        }
      });
    for (WeightTally* t : {&set.all, &set.by_sign[0], &set.by_sign[1], &set.by_sign[2]})
      t->sd = t->count > 1 ? std::sqrt(t->sd / static_cast<double>(t->count - 1)) : 0.0;
  }

 private:
  template <class F>
  void each(const Weights& w, F&& f) const {
    for (int64_t j = 0; j < w.cols; ++j) {
      const int64_t begin = w.sparse() ? w.pattern->col_start[j] : j * w.rows;
      const int64_t end = w.sparse() ? w.pattern->col_start[j + 1] : (j + 1) * w.rows;
      for (int64_t e = begin; e < end; ++e) f(w.values[e], sign_[j]);
    }
  }

  static void add(WeightTally& t, float v, Sign sign) {
    ++t.count;
    t.zero += v == 0;
    t.negligible += std::fabs(static_cast<double>(v)) < negligible_weight;
    t.positive += v > 0;
    t.negative += v < 0;
    t.wrong_sign += (sign == Sign::excitatory && v < 0) || (sign == Sign::inhibitory && v > 0);
    t.mean += static_cast<double>(v);
  }

  std::vector<Sign> sign_;  // per unit
};

std::vector<float> mean_matrix_of(const std::vector<Weights>& runs, int64_t units) {
  std::vector<double> sum(static_cast<size_t>(units * units), 0.0);
  std::vector<uint8_t> exists(sum.size(), 0);
  for (const Weights& w : runs)
    for (int64_t j = 0; j < units; ++j) {
      const int64_t begin = w.sparse() ? w.pattern->col_start[j] : j * units;
      const int64_t end = w.sparse() ? w.pattern->col_start[j + 1] : (j + 1) * units;
      for (int64_t e = begin; e < end; ++e) {
        const int64_t i = w.sparse() ? w.pattern->row[e] : e - begin;
        sum[i * units + j] += static_cast<double>(w.values[e]);
        exists[i * units + j] = 1;
      }
    }
  std::vector<float> mean;
  for (size_t k = 0; k < sum.size(); ++k)
    mean.push_back(exists[k] ? static_cast<float>(sum[k] / static_cast<double>(runs.size())) : std::nanf(""));
  return mean;
}

Status fill_set(const std::vector<Weights>& runs, const WeightReport& report, const Tally& tally, WeightSet& set) {
  tally.fill(runs, set);
  const std::vector<double> values = pooled(runs);
  Result<Histogram> h = histogram(values, report.edges);
  if (!h) return h.error();
  set.histogram = std::move(*h);
  if (!(set.all.sd > 0)) return {};
  if (Result<KernelDensity> k = binned_kde(values, report.grid)) set.density = std::move(k->density);
  return {};
}

KlPairs statistics_of(std::vector<double> pairs) {
  KlPairs k;
  k.pairs = std::move(pairs);
  if (k.pairs.empty()) return k;
  k.mean = k.pairs[0];
  if (k.pairs.size() < 2) return k;
  const Summary s = *summarise(k.pairs);
  k.mean = s.mean;
  k.sd = s.sd;
  k.variance = s.sd_population * s.sd_population;
  k.published_bar = 0.5 * k.variance;
  return k;
}

Result<WeightDivergence> divergence_of(const WeightGroup& reference, const WeightGroup& group, bool initial,
                                       int64_t bins) {
  WeightDivergence d;
  d.group = group.name;
  d.initial = initial;
  d.itself = &reference == &group;
  std::vector<std::vector<double>> from, to;
  for (const Weights& w : initial ? reference.initial : reference.final) from.push_back(numbers_of(w));
  for (const Weights& w : initial ? group.initial : group.final) to.push_back(numbers_of(w));
  std::vector<double> pairs[2];
  for (size_t r = 0; r < from.size(); ++r)
    for (size_t q = 0; q < to.size(); ++q) {
      if (d.itself && r == q) continue;
      d.runs.push_back({static_cast<int64_t>(r), static_cast<int64_t>(q)});
      for (KlMethod method : {KlMethod::common_bins, KlMethod::own_ranges}) {
        const Result<double> kl = kl_divergence(from[r], to[q], method, bins);
        if (!kl) return in_group(group, "divergence", kl.error().text());
        pairs[method == KlMethod::own_ranges].push_back(*kl);
      }
    }
  d.common = statistics_of(std::move(pairs[0]));
  d.published = statistics_of(std::move(pairs[1]));
  return d;
}

Status add_divergences(const std::vector<WeightGroup>& groups, WeightReport& report) {
  const auto reference = std::find_if(groups.begin(), groups.end(),
                                      [&](const WeightGroup& g) { return g.name == report.options.reference; });
  if (reference == groups.end()) return {};
  std::vector<const WeightGroup*> order;
  for (const WeightGroup& g : groups)
    if (&g != &*reference) order.push_back(&g);
  if (reference->final.size() > 1) order.push_back(&*reference);
  for (const WeightGroup* g : order)
    for (bool initial : {false, true}) {
      Result<WeightDivergence> d = divergence_of(*reference, *g, initial, report.options.bins);
      if (!d) return d.error();
      report.divergences.push_back(std::move(*d));
    }
  return {};
}

// The name's own style, unless an earlier group looks like it.
std::vector<plot::Style> styles_of(const WeightReport& report) {
  std::vector<plot::Style> styles;
  const auto taken = [&](const plot::Style& s) {
    return std::any_of(styles.begin(), styles.end(), [&](const plot::Style& t) {
      return t.color.r == s.color.r && t.color.g == s.color.g && t.color.b == s.color.b;
    });
  };
  for (const WeightGroupReport& g : report.groups) {
    // "dale, pruned" is a kind of dale, but must not look like it beside it.
    plot::Style style = plot::named_style(g.name);
    for (size_t k = 0; taken(style) && k < 16; ++k) style = plot::series_style(k);
    style.marker = plot::Marker::none;  // on lines of hundreds of points; so the dash must tell them apart
    const auto dashed = [&](plot::Dash dash) {
      return std::any_of(styles.begin(), styles.end(), [&](const plot::Style& t) { return t.dash == dash; });
    };
    for (plot::Dash dash : {plot::Dash::solid, plot::Dash::dash_dot, plot::Dash::dashed, plot::Dash::dotted})
      if (dashed(style.dash) && !dashed(dash)) style.dash = dash;
    styles.push_back(style);
  }
  return styles;
}

std::string runs_text(int64_t runs) {
  return std::to_string(runs) + (runs == 1 ? " run" : " runs");
}

plot::Panel densities_panel(const WeightReport& report, const WeightGroupReport& g, const plot::Style& style,
                            double floor) {
  plot::LineChart chart;
  chart.x.label = "recurrent weight";
  chart.y.label = "density";
  chart.y.log = true;
  chart.y.min = floor;
  plot::Series steps, before, after;
  steps.style = {style.color, plot::Dash::solid, plot::Marker::none, 0.5};
  const std::vector<double> density = g.final.histogram.density();
  for (size_t k = 0; k < density.size(); ++k)
    for (size_t edge : {k, k + 1}) {
      steps.x.push_back(report.edges[edge]);
      steps.y.push_back(density[k]);
    }
  for (double& v : steps.y) v = std::max(v, floor / 10);  // empty bins go to the axis, they are no gaps
  steps.fill = true;
  before.name = "before training";
  before.style = {plot::rgb(0x222222), plot::Dash::dotted, plot::Marker::none, 1.2};
  after.name = g.name;
  after.style = style;
  for (plot::Series* s : {&before, &after}) {
    const WeightSet& set = s == &before ? g.initial : g.final;
    if (set.density.empty()) continue;
    s->x = report.grid;
    for (double v : set.density) s->y.push_back(std::max(v, floor / 10));
  }
  chart.series = {std::move(steps), std::move(before), std::move(after)};
  return {g.name + " (" + runs_text(g.runs) + ")", std::move(chart)};
}

// Where the axis of densities ends: a weight in ten thousand in one bin.
double floor_of(const WeightReport& report) {
  double peak = 0;
  for (const WeightGroupReport& g : report.groups)
    for (const WeightSet* set : {&g.initial, &g.final})
      for (double v : set->histogram.density()) peak = std::max(peak, v);
  return peak > 0 ? peak * 1e-5 : 1e-5;
}

plot::Panel together_panel(const WeightReport& report, const std::vector<plot::Style>& styles, double floor) {
  plot::LineChart chart;
  chart.x.label = "recurrent weight";
  chart.y.label = "density";
  chart.y.log = true;
  chart.y.min = floor;
  for (size_t g = 0; g < report.groups.size(); ++g) {
    const WeightSet& set = report.groups[g].final;
    if (set.density.empty()) continue;
    plot::Series s;
    s.name = report.groups[g].name;
    s.style = styles[g];
    s.x = report.grid;
    for (double v : set.density) s.y.push_back(std::max(v, floor / 10));
    chart.series.push_back(std::move(s));
  }
  return {"All groups, after", std::move(chart), "All weights of every group are equal."};
}

plot::Panel divergence_panel(const WeightReport& report, const std::vector<plot::Style>& styles, bool published) {
  plot::GroupChart chart;
  chart.y.label = "divergence (nats)";
  chart.y.min = 0;
  for (const WeightDivergence& d : report.divergences) {
    if (d.initial) continue;
    const KlPairs& k = published ? d.published : d.common;
    plot::Group group;
    group.name = d.itself ? d.group + ", other runs" : d.group;
    group.runs = k.pairs;
    group.center = k.mean;
    if (k.pairs.size() > 1) {
      group.low = k.mean - k.sd;
      group.high = k.mean + k.sd;
    }
    for (size_t g = 0; g < report.groups.size(); ++g)
      if (report.groups[g].name == d.group) {
        group.style = styles[g];
        group.style.marker = plot::named_style(d.group).marker;
      }
    chart.groups.push_back(std::move(group));
  }
  return {published ? "From " + report.options.reference + ": own ranges, as published"
                    : "From " + report.options.reference + ": common bins",
          std::move(chart)};
}

std::string number_text(double v) {
  char text[40];
  std::snprintf(text, sizeof text, "%.9g", v);
  return text;
}

}  // namespace

Weights weights_from_rows(int64_t rows, int64_t cols, const std::vector<float>& values) {
  Weights w;
  w.name = "W_rec";
  w.rows = rows;
  w.cols = cols;
  if (static_cast<int64_t>(values.size()) != rows * cols) return w;  // report_weights says so
  for (int64_t j = 0; j < cols; ++j)
    for (int64_t i = 0; i < rows; ++i) w.values.push_back(values[i * cols + j]);
  return w;
}

Result<WeightReport> report_weights(const std::vector<WeightGroup>& groups, const std::vector<Population>& populations,
                                    const WeightReportOptions& options) {
  WeightReport report;
  report.populations = populations;
  report.options = options;
  for (const Population& p : populations) report.units += p.size;
  if (Status ok = check_groups_of(groups, report.units); !ok) return ok.error();
  if (!(options.scale >= 0 && options.scale < 1e30))
    return Error{"scale", "is not a weight; give where the colours end, such as 0.2, or 0 for each matrix's own"};

  double low = 0, high = 0;
  bool any = false;
  for (const WeightGroup& g : groups)
    for (const std::vector<Weights>* runs : {&g.initial, &g.final}) {
      bool here = false;
      for (const Weights& w : *runs)
        for (float v : w.values) {
          low = any ? std::min(low, static_cast<double>(v)) : static_cast<double>(v);
          high = any ? std::max(high, static_cast<double>(v)) : static_cast<double>(v);
          any = here = true;
        }
      if (!here) return in_group(g, "runs", "have no recurrent connection at all; leave the group out");
    }
  Result<std::vector<double>> edges = equal_edges(low, high, options.bins);
  if (!edges) return edges.error();
  report.edges = std::move(*edges);
  Result<std::vector<double>> grid = equal_edges(report.edges.front(), report.edges.back(), grid_points);
  if (!grid) return grid.error();
  report.grid = std::move(*grid);
  if (report.grid.front() < 0 && report.grid.back() > 0) {  // the peak of exact zeros is narrow
    const auto at = std::lower_bound(report.grid.begin(), report.grid.end(), 0.0);
    if (*at != 0) report.grid.insert(at, 0.0);
  }
  const Tally tally(populations);
  for (const WeightGroup& g : groups) {
    WeightGroupReport r;
    r.name = g.name;
    r.runs = static_cast<int64_t>(g.final.size());
    if (Status ok = fill_set(g.initial, report, tally, r.initial); !ok) return ok.error();
    if (Status ok = fill_set(g.final, report, tally, r.final); !ok) return ok.error();
    r.mean_matrix = mean_matrix_of(g.final, report.units);
    report.groups.push_back(std::move(r));
  }
  if (Status ok = add_divergences(groups, report); !ok) return ok.error();
  return report;
}

plot::Figure weights_figure(const WeightReport& report) {
  const std::vector<plot::Style> styles = styles_of(report);
  const double floor = floor_of(report);
  plot::Figure figure;
  figure.title = "Recurrent weights before and after training";
  figure.caption =
      "Densities of the weights of all runs of a group after training (Gaussian kernels, Scott's bandwidth; histogram "
      "in bins common "
      "to "
      "all groups).";
  for (size_t g = 0; g < report.groups.size(); ++g)
    figure.panels.push_back(densities_panel(report, report.groups[g], styles[g], floor));
  if (report.groups.size() > 1) figure.panels.push_back(together_panel(report, styles, floor));
  if (!report.divergences.empty()) {
    for (bool published : {false, true}) figure.panels.push_back(divergence_panel(report, styles, published));
    figure.caption += " Kullback-Leibler divergences of pairs of runs, mean and one standard deviation.";
  }
  figure.columns = figure.panels.size() > 1 ? 2 : 1;
  figure.width_mm = figure.panels.size() > 1 ? plot::double_column_mm : plot::single_column_mm;
  figure.shared_legend = figure.panels.size() > 1;
  return figure;
}

plot::Figure weight_matrices_figure(const WeightReport& report) {
  plot::Figure figure;
  figure.title = "Mean recurrent matrices after training";
  figure.caption = "Mean over the runs of a group.";
  std::vector<plot::Block> blocks;
  for (const Population& p : report.populations) {
    const int64_t begin = blocks.empty() ? 0 : blocks.back().end;
    blocks.push_back({p.name, begin, begin + p.size});
  }
  for (const WeightGroupReport& g : report.groups) {
    plot::HeatMap map;
    map.rows = map.columns = report.units;
    map.values = g.mean_matrix;
    map.value_label = "mean weight";
    map.column_blocks = map.row_blocks = blocks;
    map.scale = report.options.scale;
    figure.panels.push_back({g.name + " (" + runs_text(g.runs) + ")", std::move(map)});
  }
  figure.columns = figure.panels.size() > 1 ? 2 : 1;
  figure.width_mm = figure.panels.size() > 1 ? plot::double_column_mm : plot::single_column_mm;
  return figure;
}

std::string weights_csv(const WeightReport& report) {
  std::string csv = "group,when,kind,low,high,count,density\n";
  for (const WeightGroupReport& g : report.groups)
    for (const WeightSet* set : {&g.initial, &g.final}) {
      const std::string head = csv_field(g.name) + (set == &g.initial ? ",initial," : ",final,");
      const std::vector<double> density = set->histogram.density();
      for (size_t k = 0; k < density.size(); ++k)
        csv += head + "histogram," + number_text(report.edges[k]) + "," + number_text(report.edges[k + 1]) + "," +
               std::to_string(set->histogram.counts[k]) + "," + number_text(density[k]) + "\n";
      for (size_t k = 0; k < set->density.size(); ++k)
        csv += head + "kernels," + number_text(report.grid[k]) + "," + number_text(report.grid[k]) + ",," +
               number_text(set->density[k]) + "\n";
    }
  return csv;
}

std::string weight_kl_csv(const WeightReport& report) {
  std::string csv = "reference,group,when,reference_run,group_run,common_bins,own_ranges\n";
  for (const WeightDivergence& d : report.divergences)
    for (size_t k = 0; k < d.runs.size(); ++k)
      csv += csv_field(report.options.reference) + "," + csv_field(d.group) + (d.initial ? ",initial," : ",final,") +
             std::to_string(d.runs[k].first + 1) + "," + std::to_string(d.runs[k].second + 1) + "," +
             number_text(d.common.pairs[k]) + "," + number_text(d.published.pairs[k]) + "\n";
  return csv;
}

ReportTable weight_table(const WeightReport& report) {
  ReportTable table;
  table.caption = "Recurrent weights, all runs of a group together.";
  table.columns = {{"group"},
                   {"when"},
                   {"runs"},
                   {"weights", "", 9},
                   {"mean", "", 3},
                   {"sd", "", 3},
                   {"exactly 0", "%", 4, 2},
                   {"|w| < 1e-5", "%", 4, 2},
                   {"wrong sign", "", 9}};
  for (const WeightGroupReport& g : report.groups)
    for (const WeightSet* set : {&g.initial, &g.final}) {
      const WeightTally& t = set->all;
      table.rows.push_back({g.name, std::string(set == &g.initial ? "before" : "after"), static_cast<double>(g.runs),
                            static_cast<double>(t.count), t.mean, t.sd, 100 * t.share(t.zero),
                            100 * t.share(t.negligible), static_cast<double>(t.wrong_sign)});
    }
  return table;
}

ReportTable weight_kl_table(const WeightReport& report) {
  ReportTable table;
  table.caption = "Kullback-Leibler divergence of the weights from those of " + report.options.reference +
                  ", over all pairs of runs; the published bar is half the variance (Q16).";
  table.columns = {{"group"},         {"when"},
                   {"pairs"},         {"common bins: mean", "nats", 3},
                   {"sd", "nats", 3}, {"as published: mean", "nats", 3},
                   {"sd", "nats", 3}, {"published bar", "", 3}};
  for (const WeightDivergence& d : report.divergences)
    table.rows.push_back({d.itself ? d.group + ", other runs" : d.group, std::string(d.initial ? "before" : "after"),
                          static_cast<double>(d.runs.size()), d.common.mean, d.common.sd, d.published.mean,
                          d.published.sd, d.published.published_bar});
  return table;
}

}  // namespace dalea
