#include "common/coactivation_report.h"

#include <cmath>
#include <cstdio>

#include "common/markup.h"

namespace dalea {
namespace {

std::string fixed3(double v) {
  char text[40];
  std::snprintf(text, sizeof text, "%+.3f", v);
  return std::isfinite(v) ? text : "none";
}

std::string p_words(double p) {
  char text[40];
  std::snprintf(text, sizeof text, p < 0.001 ? "p = %.1g" : "p = %.3f", p);
  return text;
}

std::string pairs_text(const PairMean& m) {
  return fixed3(m.mean) + " (" + std::to_string(m.pairs) + " pairs)";
}

// Groups that stand together in the order of the units, for the sides of the matrix.
std::vector<plot::Block> blocks_of(const Spec& spec) {
  std::vector<plot::Block> blocks;
  int64_t begin = 0;
  for (const Population& p : spec.populations) {
    blocks.push_back({p.name, begin, begin + p.size});
    begin += p.size;
  }
  return blocks;
}

plot::HeatMap matrix_chart(const CoactivationReport& r) {
  plot::HeatMap map;
  map.rows = map.columns = r.study.units;
  map.values = r.study.rho;
  map.value_label = "Spearman's correlation";
  map.x_label = map.y_label = "unit";
  map.absent_name = "never varies";
  map.scale = 1;
  map.row_blocks = map.column_blocks = blocks_of(r.spec);
  return map;
}

plot::GroupChart means_chart(const Coactivation& c) {
  plot::GroupChart chart;
  chart.y.label = "mean correlation";
  chart.bars = true;
  const auto add = [&](const char* name, const PairMean& m, const plot::Style& style) {
    plot::Group g;
    g.name = name;
    g.runs = {m.mean};
    g.center = m.mean;
    g.style = style;
    if (m.pairs > 0) chart.groups.push_back(std::move(g));
  };
  add("connected", c.homophily.connected, plot::series_style(0));
  add("not connected", c.homophily.unconnected, plot::series_style(1));
  add("excitatory", c.excitatory, plot::named_style("excitatory"));
  add("inhibitory", c.inhibitory, plot::named_style("inhibitory"));
  if (c.groups.size() > 1) {
    add(("same " + c.by).c_str(), c.within, plot::series_style(2));
    add(("different " + c.by).c_str(), c.between, plot::series_style(3));
  }
  return chart;
}

plot::GroupChart silhouettes_chart(const Coactivation& c) {
  plot::GroupChart chart;
  chart.y.label = "silhouette";
  chart.bars = true;
  for (size_t g = 0; g < c.groups.size(); ++g) {
    plot::Group group;
    group.name = c.groups[g];
    group.runs = {c.silhouette.of_group[g]};
    group.center = c.silhouette.of_group[g];
    group.style = plot::series_style(g);
    if (std::isfinite(group.center)) chart.groups.push_back(std::move(group));
  }
  return chart;
}

}  // namespace

std::vector<std::string> coactivation_sentences(const Coactivation& c) {
  const Homophily& h = c.homophily;
  std::vector<std::string> lines;
  lines.push_back("Units that are connected: " + pairs_text(h.connected) +
                  "; that are not: " + pairs_text(h.unconnected) + ".");
  if (!h.untested.empty())
    lines.push_back("No test: " + h.untested);
  else
    lines.push_back("Difference " + fixed3(h.difference) + ": " + p_words(h.p) + " among " + std::to_string(h.draws) +
                    " permutations of the units; within populations alone " + p_words(h.p_within) +
                    " (the populations explain " + fixed3(h.expected_within) + " of it).");
  if (c.excitatory.pairs + c.inhibitory.pairs > 0)
    lines.push_back("Over excitatory connections " + pairs_text(c.excitatory) + ", over inhibitory ones " +
                    pairs_text(c.inhibitory) + ".");
  if (c.silhouette.draws > 0)
    lines.push_back("Units of one " + c.by + ": " + pairs_text(c.within) + ", of two: " + pairs_text(c.between) +
                    "; silhouette " + fixed3(c.silhouette.mean) + ", " + p_words(c.silhouette.p) +
                    " against units dealt out at random.");
  if (c.silent > 0)
    lines.push_back(std::to_string(c.silent) + " of " + std::to_string(c.units) +
                    " units never vary and are left out.");
  return lines;
}

plot::Figure coactivation_figure(const CoactivationReport& r) {
  const Coactivation& c = r.study;
  plot::Figure figure;
  figure.title = r.name.empty() ? "Co-activation" : r.name + ": co-activation";
  figure.caption = "Spearman's correlation between units over " + std::to_string(c.trials) + " of " +
                   std::to_string(c.all_trials) + " held-out trials of " + std::to_string(c.steps) +
                   " steps, without noise.";
  for (const std::string& line : coactivation_sentences(c)) figure.caption += " " + line;
  figure.panels.push_back({"Correlation", matrix_chart(r)});
  figure.panels.push_back({"Pairs", means_chart(c)});
  if (c.silhouette.draws > 0 && c.groups.size() <= 40)
    figure.panels.push_back({"Silhouette by " + c.by, silhouettes_chart(c)});
  figure.columns = 2;
  figure.width_mm = plot::double_column_mm;
  return figure;
}

std::string coactivation_groups_csv(const CoactivationReport& r) {
  const Coactivation& c = r.study;
  std::string csv = "group,other,connected_pairs,connected_mean,unconnected_pairs,unconnected_mean,silhouette\n";
  const size_t n = c.groups.size();
  char text[160];
  for (size_t g = 0; g < n; ++g)
    for (size_t h = g; h < n; ++h) {
      const PairMean &yes = c.connected[g * n + h], &no = c.unconnected[g * n + h];
      std::snprintf(text, sizeof text, ",%lld,%.9g,%lld,%.9g,", static_cast<long long>(yes.pairs), yes.mean,
                    static_cast<long long>(no.pairs), no.mean);
      csv += csv_field(c.groups[g]) + "," + csv_field(c.groups[h]) + text;
      if (g == h) {
        std::snprintf(text, sizeof text, "%.9g", c.silhouette.of_group[g]);
        csv += text;
      }
      csv += "\n";
    }
  return csv;
}

std::string coactivation_matrix_csv(const CoactivationReport& r) {
  std::vector<std::string> names;
  for (const Population& p : r.spec.populations)
    for (int64_t k = 0; k < p.size; ++k) names.push_back(csv_field(p.name + " " + std::to_string(k + 1)));
  std::string csv = "unit";
  for (const std::string& name : names) csv += "," + name;
  csv += "\n";
  char text[24];
  for (size_t i = 0; i < names.size(); ++i) {
    csv += names[i];
    for (size_t j = 0; j < names.size(); ++j) {
      std::snprintf(text, sizeof text, ",%.6g", static_cast<double>(r.study.rho[i * names.size() + j]));
      csv += text;
    }
    csv += "\n";
  }
  return csv;
}

}  // namespace dalea
