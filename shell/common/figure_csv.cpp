#include <cmath>

#include "common/figure_parts.h"
#include "common/markup.h"

namespace dalea::plot {
namespace {

std::string cell(double v) {
  return std::isnan(v) ? "" : short_number(v, 9);
}

class Writer {
 public:
  std::string out = "panel,title,series,x,y,low,high\n";
  std::string panel;

  void row(const std::string& series, const std::string& x, double y, double low, double high) {
    out += panel + "," + csv_field(series) + "," + x + "," + cell(y) + "," + cell(low) + "," + cell(high) + "\n";
  }
  void operator()(const LineChart& chart) {
    for (const Series& s : chart.series)
      for (size_t k = 0; k < s.x.size(); ++k)
        row(s.name, cell(s.x[k]), value_at(s.y, k), value_at(s.low, k), value_at(s.high, k));
    guides(chart.guides);
  }
  void operator()(const GroupChart& chart) {
    for (const Group& g : chart.groups) {
      for (size_t k = 0; k < g.runs.size(); ++k)
        row(g.name, "run " + std::to_string(k + 1), g.runs[k], no_value, no_value);
      if (!std::isnan(g.center) || !std::isnan(g.low) || !std::isnan(g.high))
        row(g.name, "center", g.center, g.low, g.high);
    }
    guides(chart.guides);
  }
  void operator()(const HeatMap& map) {
    if (map.values.size() != static_cast<size_t>(map.rows * map.columns)) return;
    for (int64_t r = 0; r < map.rows; ++r)
      for (int64_t c = 0; c < map.columns; ++c)
        if (const float v = map.values[static_cast<size_t>(r * map.columns + c)]; !std::isnan(v))
          row("row " + std::to_string(r + 1), std::to_string(c + 1), static_cast<double>(v), no_value, no_value);
  }
  // The value, and in the column `low` the size of the dot; of an arrow its width.
  void operator()(const DotGrid& chart) {
    const size_t columns = chart.column_names.size();
    for (size_t r = 0; r < chart.row_names.size(); ++r)
      for (size_t c = 0; c < columns; ++c)
        if (const double v = value_at(chart.values, r * columns + c); !std::isnan(v))
          row(chart.row_names[r], csv_field(chart.column_names[c]), v, value_at(chart.sizes, r * columns + c),
              no_value);
  }
  void operator()(const CircuitChart& chart) {
    const auto name = [&](size_t k) {
      const CircuitChart::Node& n = chart.nodes[k];
      const auto of = [](const std::vector<std::string>& names, int at) {
        return at >= 0 && static_cast<size_t>(at) < names.size() ? names[static_cast<size_t>(at)] : std::string();
      };
      std::string text = of(chart.columns, n.column);
      for (const std::string& part : {of(chart.rows, n.row), n.name})
        if (!part.empty() && (text.size() < part.size() || text.compare(text.size() - part.size(), part.size(), part)))
          text += (text.empty() ? "" : " ") + part;
      return text;
    };
    for (const CircuitChart::Arrow& a : chart.arrows)
      if (a.from < chart.nodes.size() && a.to < chart.nodes.size())
        row(name(a.to), csv_field(name(a.from)), a.value, a.width, no_value);
  }
  void operator()(const ForestChart& chart) {
    for (const Effect& e : chart.effects) row(e.name, "", e.value, e.low, e.high);
    guides(chart.lines);
  }

 private:
  void guides(const std::vector<Guide>& list) {
    for (const Guide& g : list) {
      const std::string name = "line: " + g.name;
      g.vertical ? row(name, cell(g.value), no_value, no_value, no_value) : row(name, "", g.value, no_value, no_value);
    }
  }
};

}  // namespace

std::string csv_of(const Figure& figure) {
  Writer writer;
  for (size_t k = 0; k < figure.panels.size(); ++k) {
    const Panel& panel = figure.panels[k];
    writer.panel = std::to_string(k + 1) + "," + csv_field(panel.title);
    std::visit(writer, panel.chart);
  }
  return writer.out;
}

}  // namespace dalea::plot
