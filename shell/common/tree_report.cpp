#include "common/tree_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "analysis/distributions.h"
#include "common/markup.h"

namespace dalea {
namespace {

constexpr int64_t survivor_bins = 20, kernel_points = 256;

std::string short_text(double v) {
  char text[40];
  std::snprintf(text, sizeof text, "%.9g", v);
  return text;
}

std::vector<int64_t> sizes_of(const OverlapStudy& study) {
  std::vector<int64_t> sizes;
  for (const OverlapPoint& p : study.points)
    if (sizes.empty() || sizes.back() != p.size) sizes.push_back(p.size);
  return sizes;
}

std::vector<PruneMethod> methods_of(const OverlapStudy& study) {
  std::vector<PruneMethod> methods;
  for (const OverlapPoint& p : study.points)
    if (std::find(methods.begin(), methods.end(), p.method) == methods.end()) methods.push_back(p.method);
  return methods;
}

// The points of a size and a method, sparsities as they come.
std::vector<OverlapPoint> points_of(const OverlapStudy& study, int64_t size, PruneMethod method) {
  std::vector<OverlapPoint> points;
  for (const OverlapPoint& p : study.points)
    if (p.size == size && p.method == method) points.push_back(p);
  return points;
}

bool ascending(const OverlapPoint& a, const OverlapPoint& b) {
  return a.sparsity < b.sparsity;
}

plot::Series curve(const std::vector<OverlapPoint>& points, const std::string& name, plot::Style style,
                   const std::function<double(const OverlapPoint&)>& value) {
  plot::Series s;
  s.name = name;
  s.style = style;
  for (const OverlapPoint& p : points) {
    s.x.push_back(p.sparsity);
    s.y.push_back(value(p));
  }
  return s;
}

plot::Panel overlap_panel(const OverlapStudy& study, int64_t size) {
  plot::LineChart chart;
  chart.x.label = "sparsity";
  chart.y.label = "surviving tree edges";
  chart.x.min = chart.y.min = 0;
  chart.x.max = chart.y.max = 1;
  const std::vector<PruneMethod> methods = methods_of(study);
  std::vector<OverlapPoint> points;
  for (PruneMethod method : methods) {
    points = points_of(study, size, method);
    std::stable_sort(points.begin(), points.end(), ascending);
    plot::Series s = curve(points, text_of(method), plot::named_style(text_of(method)),
                           [](const OverlapPoint& p) { return p.mean; });
    s.marks = true;
    for (const OverlapPoint& p : points) {
      s.low.push_back(std::max(0.0, p.mean - p.sd));
      s.high.push_back(std::min(1.0, p.mean + p.sd));
    }
    chart.series.push_back(std::move(s));
  }
  constexpr Color violet = plot::rgb(0x6a4a94), pale = plot::rgb(0xcbb9e0);  // the two are often the same
  chart.series.push_back(curve(points, "expected at random",
                               {plot::rgb(0x777777), plot::Dash::dashed, plot::Marker::none, 0.9},
                               [](const OverlapPoint& p) { return p.random; }));
  chart.series.push_back(curve(points, "bound of top-prob, published", {pale, plot::Dash::solid, plot::Marker::none, 3},
                               [](const OverlapPoint& p) { return p.bound.published; }));
  chart.series.push_back(curve(points, "bound, corrected", {violet, plot::Dash::dash_dot, plot::Marker::none, 1.1},
                               [](const OverlapPoint& p) { return p.bound.corrected; }));
  return {"Strongest wiring, N = " + std::to_string(size), std::move(chart)};
}

std::vector<double> survivors_of(const Survivors& s) {
  return {s.values.begin(), s.values.end()};
}

// Common to the methods of a size.
Result<std::vector<double>> survivor_edges(const OverlapStudy& study, int64_t size) {
  double low = 0, high = 0;
  for (const Survivors& s : study.survivors)
    for (float v : s.values)
      if (s.size == size) {
        low = std::min(low, static_cast<double>(v));
        high = std::max(high, static_cast<double>(v));
      }
  return equal_edges(low, high, survivor_bins);
}

plot::Panel survivors_panel(const OverlapStudy& study, int64_t size, double survivors_at) {
  plot::LineChart chart;
  chart.x.label = "weight";
  chart.y.label = "density";
  chart.y.min = 0;
  const Result<std::vector<double>> edges = survivor_edges(study, size);
  for (const Survivors& survivors : study.survivors) {
    if (survivors.size != size || survivors.values.empty() || !edges) continue;
    const Result<Histogram> h = histogram(survivors_of(survivors), *edges);
    if (!h) continue;
    plot::Series s;
    s.name = text_of(survivors.method);
    s.style = plot::named_style(s.name);
    s.marks = true;
    const std::vector<double> density = h->density();
    for (size_t k = 0; k < density.size(); ++k) {
      s.x.push_back(((*edges)[k] + (*edges)[k + 1]) / 2);
      s.y.push_back(density[k]);
    }
    chart.series.push_back(std::move(s));
  }
  return {"Survivors at sparsity " + short_text(survivors_at) + ", N = " + std::to_string(size), std::move(chart),
          "No weight survives."};
}

std::string unit_label(const std::vector<Population>& populations, int64_t unit) {
  int64_t begin = 0;
  for (const Population& p : populations) {
    if (unit < begin + p.size) return p.name + " " + std::to_string(unit - begin + 1);
    begin += p.size;
  }
  return std::to_string(unit + 1);
}

std::string below_text(int64_t all, const std::vector<double>& above) {
  const auto below = static_cast<size_t>(all) - above.size();
  std::string text = "at " + std::to_string(below) + " of " + std::to_string(all) + " sparsities";
  if (above.empty() || below == 0) return text;
  text += " (not at ";
  for (size_t k = 0; k < above.size(); ++k) text += (k == 0 ? "" : ", ") + short_text(above[k]);
  return text + ")";
}

}  // namespace

std::vector<BoundComparison> compare_bounds(const OverlapStudy& study) {
  std::vector<BoundComparison> all;
  const std::vector<PruneMethod> methods = methods_of(study);
  for (int64_t size : sizes_of(study)) {
    BoundComparison c;
    c.size = size;
    for (const OverlapPoint& p : points_of(study, size, methods.front())) {
      if (!(p.random > 0)) continue;
      ++c.sparsities;
      if (!(p.bound.published < p.random)) c.published_above.push_back(p.sparsity);
      if (!(p.bound.corrected < p.random)) c.corrected_above.push_back(p.sparsity);
    }
    all.push_back(std::move(c));
  }
  return all;
}

std::string bound_sentence(const BoundComparison& c) {
  const std::string size = "N = " + std::to_string(c.size) + ": ";
  if (c.sparsities == 0)
    return size + "no sparsity leaves a connection, so there is nothing to compare the bound with.";
  std::string text = size + "the lower bound of top-prob lies below what random pruning keeps " +
                     below_text(c.sparsities, c.published_above) + " as published, and " +
                     below_text(c.sparsities, c.corrected_above) + " when corrected.";
  if (static_cast<int64_t>(2 * c.corrected_above.size()) < c.sparsities)
    text += " It does not show that top-prob keeps more than chance.";
  return text;
}

std::vector<TreeEdge> tree_edges(const SpanningTree& tree, const Weights& w) {
  std::vector<TreeEdge> edges;
  for (int64_t at : tree.entries) edges.push_back({at % w.rows, at / w.rows, w.at(at % w.rows, at / w.rows)});
  return edges;
}

std::string tree_edges_csv(const std::vector<TreeEdge>& edges, const std::vector<Population>& populations) {
  std::string csv = "rank,pre,post,weight,pre_unit,post_unit\n";
  for (size_t k = 0; k < edges.size(); ++k)
    csv += std::to_string(k + 1) + "," + std::to_string(edges[k].pre) + "," + std::to_string(edges[k].post) + "," +
           short_text(static_cast<double>(edges[k].weight)) + "," + csv_field(unit_label(populations, edges[k].pre)) +
           "," + csv_field(unit_label(populations, edges[k].post)) + "\n";
  return csv;
}

plot::Figure trees_figure(const OverlapStudy& study, double survivors_at, bool by_masks) {
  plot::Figure figure;
  figure.title = "Pruning and the maximum spanning tree";
  figure.caption =
      std::string("Edges of the maximum spanning tree of |W| that survive; bands: one standard deviation over ") +
      (by_masks ? "masks" : "random matrices") + ". Bounds: of top-prob. Below: the weights that survive at sparsity " +
      short_text(survivors_at) + ", as histograms.";
  const std::vector<int64_t> sizes = sizes_of(study);
  for (int64_t size : sizes) figure.panels.push_back(overlap_panel(study, size));
  for (int64_t size : sizes) figure.panels.push_back(survivors_panel(study, size, survivors_at));
  figure.columns = static_cast<int>(std::clamp<size_t>(sizes.size(), 1, 3));
  if (sizes.size() > 3) {  // pairs side by side instead of two long rows
    std::vector<plot::Panel> pairs;
    for (size_t k = 0; k < sizes.size(); ++k) {
      pairs.push_back(std::move(figure.panels[k]));
      pairs.push_back(std::move(figure.panels[sizes.size() + k]));
    }
    figure.panels = std::move(pairs);
    figure.columns = 2;
  }
  if (sizes.size() == 1) figure.columns = 2;
  figure.width_mm = plot::double_column_mm;
  figure.shared_legend = true;
  return figure;
}

plot::Panel tree_panel(const Weights& w, const std::vector<TreeEdge>& edges,
                       const std::vector<Population>& populations) {
  plot::HeatMap map;
  map.rows = w.rows;
  map.columns = w.cols;
  map.values.assign(static_cast<size_t>(w.rows * w.cols), w.sparse() ? std::nanf("") : 0.0f);
  for (int64_t j = 0; j < w.cols; ++j) {
    const int64_t begin = w.sparse() ? w.pattern->col_start[j] : j * w.rows;
    const int64_t end = w.sparse() ? w.pattern->col_start[j + 1] : (j + 1) * w.rows;
    for (int64_t e = begin; e < end; ++e)
      map.values[(w.sparse() ? w.pattern->row[e] : e - begin) * w.cols + j] = w.values[e];
  }
  for (const Population& p : populations) {
    const int64_t begin = map.row_blocks.empty() ? 0 : map.row_blocks.back().end;
    map.row_blocks.push_back({p.name, begin, begin + p.size});
  }
  map.column_blocks = map.row_blocks;
  for (const TreeEdge& e : edges) map.marked.push_back({e.post, e.pre});
  map.marked_name = "edge of the spanning tree";
  return {"The tree in the matrix", std::move(map)};
}

std::string trees_csv(const OverlapStudy& study) {
  std::string csv = "size,method,sparsity,overlap_mean,overlap_sd,density,random,bound_published,bound_corrected\n";
  for (const OverlapPoint& p : study.points)
    csv += std::to_string(p.size) + "," + text_of(p.method) + "," + short_text(p.sparsity) + "," + short_text(p.mean) +
           "," + short_text(p.sd) + "," + short_text(p.density) + "," + short_text(p.random) + "," +
           short_text(p.bound.published) + "," + short_text(p.bound.corrected) + "\n";
  return csv;
}

std::string survivors_csv(const OverlapStudy& study) {
  std::string csv = "size,method,kind,low,high,count,density\n";
  for (const Survivors& s : study.survivors) {
    const Result<std::vector<double>> edges = survivor_edges(study, s.size);
    if (s.values.empty() || !edges) continue;
    const std::vector<double> values = survivors_of(s);
    const std::string head = std::to_string(s.size) + "," + text_of(s.method) + ",";
    if (const Result<Histogram> h = histogram(values, *edges)) {
      const std::vector<double> density = h->density();
      for (size_t k = 0; k < density.size(); ++k)
        csv += head + "histogram," + short_text((*edges)[k]) + "," + short_text((*edges)[k + 1]) + "," +
               std::to_string(h->counts[k]) + "," + short_text(density[k]) + "\n";
    }
    const Result<std::vector<double>> grid = equal_edges(edges->front(), edges->back(), kernel_points);
    if (!grid) continue;
    if (const Result<KernelDensity> k = binned_kde(values, *grid))  // none of a single weight
      for (size_t g = 0; g < grid->size(); ++g)
        csv += head + "kernels," + short_text((*grid)[g]) + "," + short_text((*grid)[g]) + ",," +
               short_text(k->density[g]) + "\n";
  }
  return csv;
}

ReportTable trees_table(const OverlapStudy& study) {
  ReportTable table;
  table.caption = "Share of the maximum spanning tree's edges that survive, mean and standard deviation.";
  table.columns = {{"N"}, {"sparsity", "", 4}};
  const std::vector<PruneMethod> methods = methods_of(study);
  for (PruneMethod method : methods) {
    table.columns.push_back({text_of(method), "", 4, 4});
    table.columns.push_back({"sd", "", 4, 4});
  }
  for (const char* name : {"expected at random", "bound, published", "bound, corrected"})
    table.columns.push_back({name, "", 4, 4});
  for (int64_t size : sizes_of(study)) {
    std::vector<std::vector<OverlapPoint>> by_method;
    for (PruneMethod method : methods) by_method.push_back(points_of(study, size, method));
    for (size_t k = 0; k < by_method[0].size(); ++k) {
      const OverlapPoint& first = by_method[0][k];
      std::vector<TableCell> row{static_cast<double>(size), first.sparsity};
      for (const std::vector<OverlapPoint>& points : by_method) {
        row.push_back(points[k].mean);
        row.push_back(points[k].sd);
      }
      for (double v : {first.random, first.bound.published, first.bound.corrected}) row.push_back(v);
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

}  // namespace dalea
