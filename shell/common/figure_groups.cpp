// Runs by group: every run a point, or columns; the centre and its interval.
#include <algorithm>
#include <cmath>

#include "common/figure_parts.h"

namespace dalea::plot {
namespace {

constexpr double run_size = 4;
constexpr size_t most_box_points = 40;

double center_of(const Group& g) {
  if (std::isfinite(g.center)) return g.center;
  double sum = 0, count = 0;
  for (double v : g.runs)
    if (std::isfinite(v)) {
      sum += v;
      count += 1;
    }
  return count > 0 ? sum / count : no_value;
}

Color darker(Color c) {
  const auto part = [](uint8_t v) { return static_cast<uint8_t>(v * 0.62); };
  return {part(c.r), part(c.g), part(c.b)};
}

// Sideways places so that no two points cover each other, as near to the middle as they fit.
std::vector<Point> swarm(std::vector<double> heights, double half_width) {
  std::sort(heights.begin(), heights.end());
  std::vector<Point> out;
  const double apart = run_size * 0.95, step = run_size / 4;
  for (double y : heights) {
    double x = 0;
    if (heights.size() > 600) {
      // Too many to keep apart: evenly spread by the golden ratio.
      x = (std::fmod(static_cast<double>(out.size()) * 0.6180339887498949, 1.0) * 2 - 1) * half_width;
    } else {
      const auto free = [&](double at) {
        for (size_t k = out.size(); k-- > 0 && y - out[k].y < apart;)
          if (std::hypot(at - out[k].x, y - out[k].y) < apart) return false;
        return true;
      };
      bool found = false;
      for (int k = 0; k * step <= half_width && !found; ++k)
        for (int side : {1, -1}) {
          x = side * k * step;
          found = free(x);
          if (found) break;
        }
      if (!found) x = (out.size() % 2 == 0 ? 1 : -1) * half_width;
    }
    out.push_back({x, y});
  }
  return out;
}

void add_group(Drawing& d, const Group& g, bool bars, const Scale& y, const Box& plot, double middle, double slot) {
  const auto height = [&](double v) { return plot.bottom() - y.at(v) * plot.height; };
  const auto inside = [&](double h) { return h >= plot.y - 0.01 && h <= plot.bottom() + 0.01; };
  const auto held = [&](double h) { return std::clamp(h, plot.y, plot.bottom()); };
  const double center = height(center_of(g)), half = std::min(slot * 0.36, 22.0);
  std::vector<double> heights;
  for (double v : g.runs)
    if (const double h = height(v); std::isfinite(h) && inside(h)) heights.push_back(h);
  const Color strong = bars ? axis_grey : darker(g.style.color);
  if (bars && std::isfinite(center)) {
    const double zero = y.log ? plot.bottom() : held(height(0)), top = held(center);
    d.add(Rect{.x = middle - half,
               .y = std::min(zero, top),
               .width = 2 * half,
               .height = std::fabs(zero - top),
               .fill = g.style.color,
               .alpha = 0.75});
  }
  for (const Point& p : swarm(heights, half))
    d.add(Mark{.at = {middle + (bars ? half * 0.55 : 0) + p.x * (bars ? 0.4 : 1), p.y},
               .shape = g.style.marker,
               .size = bars ? 3 : run_size,
               .color = g.style.color,
               .hollow = bars,
               .alpha = bars ? 1 : 0.65});
  const double low = height(g.low), high = height(g.high);
  const double bar_x = bars ? middle - (heights.empty() ? 0 : half * 0.25) : middle;
  if (std::isfinite(high) && (std::isfinite(low) || y.log)) {
    const double a = held(std::isfinite(low) ? low : plot.bottom()), b = held(high), cap = std::min(3.5, half / 2);
    d.add(Polyline{{{bar_x, a}, {bar_x, b}}, strong, 1.1});
    for (double end : {a, b}) d.add(Polyline{{{bar_x - cap, end}, {bar_x + cap, end}}, strong, 1.1});
  }
  if (!bars && std::isfinite(center) && inside(center))
    d.add(Polyline{{{middle - half * 0.8, center}, {middle + half * 0.8, center}}, strong, 1.8});
}

void add_box(Drawing& d, const Group& g, const Scale& y, const Box& plot, double middle, double slot) {
  const auto height = [&](double v) { return plot.bottom() - y.at(v) * plot.height; };
  const auto held = [&](double v) {
    const double h = height(v);
    return std::isfinite(h) ? std::clamp(h, plot.y, plot.bottom()) : plot.bottom();
  };
  const double half = std::min(slot * 0.32, 18.0), reach = 1.5 * (g.high - g.low);
  const Color strong = darker(g.style.color);
  double least = g.low, most = g.high;
  std::vector<double> points;
  for (double v : g.runs) {
    if (!std::isfinite(v)) continue;
    const bool beyond = v < g.low - reach || v > g.high + reach;
    if (!beyond) {
      least = std::min(least, v);
      most = std::max(most, v);
    }
    const double h = height(v);
    if ((beyond || g.runs.size() <= most_box_points) && std::isfinite(h) && h >= plot.y - 0.01 &&
        h <= plot.bottom() + 0.01)
      points.push_back(h);
  }
  if (std::isfinite(g.low) && std::isfinite(g.high)) {
    const double top = held(g.high), bottom = held(g.low);
    d.add(Rect{
        .x = middle - half, .y = top, .width = 2 * half, .height = bottom - top, .fill = g.style.color, .alpha = 0.25});
    d.add(Polyline{{{middle - half, top},
                    {middle + half, top},
                    {middle + half, bottom},
                    {middle - half, bottom},
                    {middle - half, top}},
                   strong,
                   1});
    for (const auto& [from, to] : {std::pair(g.high, most), std::pair(g.low, least)}) {
      d.add(Polyline{{{middle, held(from)}, {middle, held(to)}}, strong, 1});
      d.add(Polyline{{{middle - half / 2, held(to)}, {middle + half / 2, held(to)}}, strong, 1});
    }
  }
  for (const Point& p : swarm(points, half))
    d.add(Mark{.at = {middle + p.x, p.y},
               .shape = g.style.marker,
               .size = 3,
               .color = g.style.color,
               .hollow = true,
               .alpha = 0.9});
  if (const double h = height(g.center); std::isfinite(h) && h >= plot.y && h <= plot.bottom())
    d.add(Polyline{{{middle - half, h}, {middle + half, h}}, strong, 2});
}

}  // namespace

Plan plan_of(const GroupChart& chart, Size outer, bool own_legend) {
  Range range;
  range.log = chart.y.log;
  int64_t missing = 0;
  bool finite = false;
  Frame frame;
  for (const Group& g : chart.groups) {
    frame.names.push_back(g.name);
    range.add(center_of(g));
    for (double v : g.runs) {
      missing += !std::isfinite(v);
      finite = finite || std::isfinite(v);
      range.add(v);
    }
    for (double v : {g.low, g.high})
      if (!range.log || v > 0) range.add(v);
  }
  const bool any = range.any;
  for (const Guide& g : chart.guides)
    if (any && !g.vertical && !(range.log && g.value <= 0)) range.add(g.value);
  frame.y = scale_of(chart.y, range, outer.height - 40, false, chart.bars);
  frame.x.label = chart.x_label;
  if (chart.groups.empty()) frame.has_x = false;
  const auto note = [&](int64_t count, const char* what) {
    if (count > 0 && any) frame.notes.push_back(std::to_string(count) + (count == 1 ? " run " : " runs ") + what);
  };
  int64_t below = 0;
  for (const Group& g : chart.groups)
    for (double v : g.runs) below += range.log && v <= 0;
  note(missing, "without a value");
  note(below, "of zero or less: not on a logarithmic axis");
  frame.prepare(outer);

  Plan plan;
  plan.need = frame.need;
  for (const Guide& g : chart.guides)
    if (!g.name.empty() && !g.vertical) plan.entries.push_back({g.name, g.style});
  const std::vector<Entry> entries = own_legend && any ? plan.entries : std::vector<Entry>();
  const double legend_height = entries.empty() ? 0 : legend_size(entries, outer.width * 0.9).height + 4;
  plan.need.top += legend_height;  // above: columns leave no corner free
  if (!any)
    plan.message = finite ? "Nothing to show: every value is zero or negative, and the axis is logarithmic."
                          : "Nothing to show: no run has a value.";
  plan.draw = [chart, frame, entries, legend_height, any, widest = outer.width * 0.9](Drawing& d, const Box& plot) {
    frame.add(d, plot);
    if (!any) return;
    for (const Guide& g : chart.guides) {
      const double at = frame.y.at(g.value), y = plot.bottom() - at * plot.height;
      if (!g.vertical && at >= -1e-9 && at <= 1 + 1e-9)
        d.add(Polyline{{{plot.x, y}, {plot.right(), y}}, g.style.color, g.style.width, g.style.dash});
    }
    const double slot = plot.width / static_cast<double>(chart.groups.size());
    for (size_t k = 0; k < chart.groups.size(); ++k) {
      const double middle = plot.x + (static_cast<double>(k) + 0.5) * slot;
      chart.boxes ? add_box(d, chart.groups[k], frame.y, plot, middle, slot)
                  : add_group(d, chart.groups[k], chart.bars, frame.y, plot, middle, slot);
    }
    if (const double zero = frame.y.at(0); chart.bars && !frame.y.log && zero > 1e-6 && zero < 1)
      d.add(Polyline{{{plot.x, plot.bottom() - zero * plot.height}, {plot.right(), plot.bottom() - zero * plot.height}},
                     axis_grey,
                     axis_line});
    add_legend(d, entries, {plot.x + 4, plot.y - legend_height - 2}, widest);
  };
  return plan;
}

}  // namespace dalea::plot
