// Nodes and curved arrows: areas as columns, layers as rows.
#include <algorithm>
#include <cmath>

#include "common/figure_parts.h"
#include "common/markup.h"

namespace dalea::plot {
namespace {

constexpr double node_radius = 11, thickest = 4.5, thinnest = 0.4, circuit_key = 66;
constexpr double pi = 3.14159265358979323846;

Color arrow_color(double part) {
  const double t = std::clamp(part, -1.0, 1.0), size = std::fabs(t);
  const Color end = t > 0 ? excitatory : inhibitory, none = rgb(0xc4c4c4);
  const auto mix = [size](uint8_t p, uint8_t q) { return static_cast<uint8_t>(std::lround(p + size * (q - p))); };
  return {mix(none.r, end.r), mix(none.g, end.g), mix(none.b, end.b)};
}

struct Stroke {
  Color color;
  double width, alpha;
};

// A line with a head at its end; the line stops where the head begins.
void add_arrow(Drawing& d, std::vector<Point> path, const Stroke& s) {
  const double length = 3.5 + 1.7 * s.width, half = 1.6 + 0.95 * s.width;
  const Point tip = path.back();
  while (path.size() > 2 && std::hypot(path.back().x - tip.x, path.back().y - tip.y) < length) path.pop_back();
  const double dx = tip.x - path.back().x, dy = tip.y - path.back().y, long_ = std::hypot(dx, dy);
  if (!(long_ > 0)) return;
  const double ux = dx / long_, uy = dy / long_;
  const Point base{tip.x - ux * length, tip.y - uy * length};
  path.push_back(base);
  d.add(Polyline{.points = path, .color = s.color, .width = s.width, .alpha = s.alpha});
  d.add(Polygon{.points = {tip, {base.x - uy * half, base.y + ux * half}, {base.x + uy * half, base.y - ux * half}},
                .color = s.color,
                .alpha = s.alpha});
}

// A curve that leans to the left of its way, so that two arrows between the same nodes stay apart.
std::vector<Point> curve_between(Point a, Point b, double radius_a, double radius_b) {
  const double dx = b.x - a.x, dy = b.y - a.y, lean = 0.36;
  const Point middle{(a.x + b.x) / 2 + dy * lean, (a.y + b.y) / 2 - dx * lean};
  std::vector<Point> out;
  for (int k = 0; k <= 60; ++k) {
    const double t = k / 60.0, u = 1 - t;
    const Point p{u * u * a.x + 2 * u * t * middle.x + t * t * b.x, u * u * a.y + 2 * u * t * middle.y + t * t * b.y};
    if (std::hypot(p.x - a.x, p.y - a.y) < radius_a + 1 || std::hypot(p.x - b.x, p.y - b.y) < radius_b + 1.5) continue;
    out.push_back(p);
  }
  return out;
}

// At the side (-1: left, 1: right) or below (0).
std::vector<Point> loop_at(Point node, double radius, int side) {
  const double r = radius * 0.72, reach = radius + r * 0.75, start = side > 0 ? pi : side < 0 ? 0 : -pi / 2;
  const Point center{node.x + side * reach, node.y + (side == 0 ? reach : 0)};
  std::vector<Point> out;
  for (int k = 0; k <= 48; ++k) {
    const double angle = start + (side < 0 ? -1 : 1) * 2 * pi * k / 48;
    const Point p{center.x + r * std::cos(angle), center.y + r * std::sin(angle)};
    if (std::hypot(p.x - node.x, p.y - node.y) >= radius + 1) out.push_back(p);
  }
  return out;
}

}  // namespace

Plan plan_of(const CircuitChart& chart, Size outer, bool) {
  Plan plan;
  double most_value = 0, most_width = 0;
  bool pale = false, strong = false;
  for (const CircuitChart::Arrow& a : chart.arrows) {
    if (std::isfinite(a.value)) most_value = std::max(most_value, std::fabs(a.value));
    if (std::isfinite(a.width)) most_width = std::max(most_width, a.width);
    (a.strong ? strong : pale) = true;
  }
  const double scale = chart.scale > 0 && std::isfinite(chart.scale) ? chart.scale : rounded_up(most_value);
  const double widest = chart.widest > 0 && std::isfinite(chart.widest) ? chart.widest : rounded_up(most_width);
  int columns = static_cast<int>(std::max<size_t>(1, chart.columns.size())),
      rows = static_cast<int>(std::max<size_t>(1, chart.rows.size())), slots = 1;
  for (const CircuitChart::Node& n : chart.nodes) slots = std::max(slots, std::min(n.slots, 1000));
  double row_text = 0;
  bool headed = false;
  for (const std::string& name : chart.rows) row_text = std::max(row_text, text_width(name, label_size));
  for (const std::string& name : chart.columns) headed = headed || !name.empty();
  if (chart.nodes.empty()) plan.message = "Nothing to show: there are no nodes.";
  plan.need = {
      row_text + 6, headed ? label_size * leading + 4 : 3,
      8 + std::max({color_key_width(scale, chart.value_label), color_key_width(0, chart.width_label), circuit_key}), 4};
  plan.tall = std::max(slots > 1 ? 100.0 * rows : 74.0 * rows + 10, 190.0);
  (void)outer;
  plan.draw = [=](Drawing& d, const Box& plot) {
    if (chart.nodes.empty()) return;
    const double w = plot.width / columns, h = plot.height / rows;
    const double radius = std::clamp(w / slots * 0.3, 2.0, node_radius);
    std::vector<Point> at;
    for (const CircuitChart::Node& n : chart.nodes) {
      const double part = (n.slot + 0.5) / std::max(1, n.slots);
      // Side by side, in an arc: arrows between neighbours of neighbours go clear of what is between.
      const double lift = n.slots > 2 ? (n.slot % 2 == 1 ? -0.16 : 0.1) * h : 0;
      at.push_back({plot.x + (std::clamp(n.column, 0, columns - 1) + 0.08 + 0.84 * part) * w,
                    plot.y + (std::clamp(n.row, 0, rows - 1) + 0.5) * h + lift});
    }
    for (int c = 0; c < static_cast<int>(chart.columns.size()); ++c)
      d.add(Text{.at = {plot.x + (c + 0.5) * w, plot.y - 4},
                 .text = chart.columns[static_cast<size_t>(c)],
                 .size = label_size,
                 .anchor = Anchor::middle,
                 .weight = Weight::medium});
    for (int r = 0; r < static_cast<int>(chart.rows.size()); ++r)
      d.add(Text{.at = {plot.x - 4, plot.y + (r + 0.5) * h + label_size * 0.36},
                 .text = chart.rows[static_cast<size_t>(r)],
                 .size = label_size,
                 .anchor = Anchor::end});
    const auto thick = [&](double width) { return std::max(thinnest, thickest * std::min(1.0, width / widest)); };
    // Pale ones first, and thick ones below thin ones.
    std::vector<const CircuitChart::Arrow*> order;
    for (const CircuitChart::Arrow& a : chart.arrows)
      if (a.from < at.size() && a.to < at.size() && a.width > 0 && std::isfinite(a.value)) order.push_back(&a);
    std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
      return a->strong != b->strong ? b->strong : a->width > b->width;
    });
    for (const CircuitChart::Arrow* a : order) {
      const Stroke stroke{arrow_color(a->value / scale), thick(a->width), a->strong ? 1.0 : 0.38};
      std::vector<Point> path;
      if (a->from == a->to) {
        const CircuitChart::Node& n = chart.nodes[a->from];
        path = loop_at(at[a->from], radius, n.slots > 1 ? 0 : 2 * n.column < columns ? -1 : 1);
      } else {
        path = curve_between(at[a->from], at[a->to], radius, radius);
      }
      if (path.size() > 2) add_arrow(d, std::move(path), stroke);
    }
    for (size_t k = 0; k < at.size(); ++k) {
      d.add(Mark{.at = at[k], .shape = Marker::circle, .size = 2 * radius, .color = rgb(0xe3e3e3)});
      const double size = 7, wide = text_width(chart.nodes[k].name, size);
      if (wide <= 2 * radius - 2)
        d.add(Text{.at = {at[k].x, at[k].y + size * 0.36},
                   .text = chart.nodes[k].name,
                   .size = size,
                   .anchor = Anchor::middle});
      else if (wide <= w / slots * 1.3)
        d.add(Text{.at = {at[k].x, at[k].y - radius - 2},
                   .text = chart.nodes[k].name,
                   .size = size,
                   .anchor = Anchor::middle});
    }
    const double x = plot.right() + 8;
    double y = add_color_key(d, {x, plot.y}, std::clamp(plot.height * 0.24, 36.0, 70.0), scale, false,
                             chart.value_label, arrow_color) +
               9;
    const std::vector<std::string> lines = wrapped(chart.width_label, circuit_key - 4, tick_size);
    add_lines(d, lines, {.at = {x, y + tick_size * 0.85}, .size = tick_size});
    y += height_of(lines, tick_size) + 2;
    for (double part : {1.0, 0.5, 0.1}) {
      const double middle = y + tick_size * leading / 2;
      d.add(Polyline{{{x, middle}, {x + 16, middle}}, note_grey, thick(part * widest)});
      d.add(
          Text{.at = {x + 20, middle + tick_size * 0.36}, .text = display_number(part * widest, 3), .size = tick_size});
      y += tick_size * leading;
    }
    for (const bool full : {true, false}) {
      const std::string& name = full ? chart.strong_name : chart.pale_name;
      if (name.empty() || !(full ? strong : pale)) continue;
      y += 4;
      for (int side : {0, 1})
        d.add(Polyline{.points = {{x + 8.0 * side, y + 5}, {x + 8.0 * side + 8, y + 5}},
                       .color = side == 0 ? excitatory : inhibitory,
                       .width = 2.5,
                       .alpha = full ? 1.0 : 0.38});
      const auto key_lines = wrapped(name, circuit_key - 20, tick_size);
      add_lines(d, key_lines, {.at = {x + 20, y + tick_size * 0.95}, .size = tick_size});
      y += height_of(key_lines, tick_size);
    }
  };
  return plan;
}

}  // namespace dalea::plot
