// Dots whose colour and size say two things of every block.
#include <algorithm>
#include <cmath>

#include "common/figure_parts.h"
#include "common/markup.h"

namespace dalea::plot {
namespace {

constexpr double key_bar = 7, key_gap = 10, key_text = 62;

Color between(Color a, Color b, double t) {
  const auto mix = [t](uint8_t p, uint8_t q) { return static_cast<uint8_t>(std::lround(p + t * (q - p))); };
  return {mix(a.r, b.r), mix(a.g, b.g), mix(a.b, b.b)};
}

double greatest(const std::vector<double>& values) {
  double most = 0;
  for (double v : values)
    if (std::isfinite(v)) most = std::max(most, std::fabs(v));
  return most;
}

double wide_of(const std::vector<std::string>& names) {
  double most = 0;
  for (const std::string& n : names) most = std::max(most, text_width(n, tick_size));
  return most;
}

}  // namespace

double rounded_up(double v) {
  if (!(v > 0) || !std::isfinite(v)) return 1;
  const double power = std::pow(10.0, std::floor(std::log10(v) + 1e-9));
  for (double m : {1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0})
    if (m * power >= v * (1 - 1e-6)) return m * power;
  return 10 * power;
}

double color_key_width(double scale, const std::string& label) {
  double wide = key_bar + 4 + text_width("−" + display_number(scale, 3), tick_size);
  for (const std::string& line : wrapped(label, key_text, tick_size))
    wide = std::max(wide, text_width(line, tick_size));
  return wide * 1.05;
}

double add_color_key(Drawing& d, Point at, double height, double scale, bool sequential, const std::string& label,
                     const std::function<Color(double)>& color) {
  const std::vector<std::string> lines = wrapped(label, key_text, tick_size);
  add_lines(d, lines, {.at = {at.x, at.y + tick_size * 0.85}, .size = tick_size});
  const double top = at.y + height_of(lines, tick_size) + 4;
  Cells cells{at.x, top, key_bar, height, 1, 101, {}};
  for (int k = 0; k <= 100; ++k) cells.colors.push_back(color(sequential ? 1 - k / 100.0 : 1 - k / 50.0));
  d.add(std::move(cells));
  d.add(Rect{.x = at.x, .y = top, .width = key_bar, .height = height, .stroke = axis_grey, .stroke_width = axis_line});
  for (double part : {1.0, 0.0, sequential ? 0.5 : -1.0}) {
    const double y = top + height * (sequential ? 1 - part : (1 - part) / 2);
    d.add(Text{.at = {at.x + key_bar + 3, y + tick_size * 0.36},
               .text = part == 0 ? "0" : display_number(part * scale, 3),
               .size = tick_size});
  }
  return top + height;
}

Plan plan_of(const DotGrid& grid, Size outer, bool) {
  Plan plan;
  const size_t rows = grid.row_names.size(), columns = grid.column_names.size();
  const bool sized =
      rows > 0 && columns > 0 && grid.values.size() == rows * columns && grid.sizes.size() == rows * columns;
  const bool any =
      sized && std::any_of(grid.values.begin(), grid.values.end(), [](double v) { return std::isfinite(v); });
  const double scale = grid.scale > 0 && std::isfinite(grid.scale) ? grid.scale : rounded_up(greatest(grid.values));
  double most = grid.largest;
  if (!(most > 0) || !std::isfinite(most)) {
    most = 0;
    for (double v : grid.sizes)
      if (std::isfinite(v)) most = std::max(most, v);
    most = rounded_up(most);
  }
  if (!any) plan.message = sized ? "Nothing to show: no block has a value." : "Nothing to show: there is no grid.";
  if (sized) plan.aspect = static_cast<double>(rows) / static_cast<double>(columns);
  const double row_text = std::min(90.0, wide_of(grid.row_names)), column_text = wide_of(grid.column_names);
  const double cell = (outer.width - row_text - 110) / static_cast<double>(std::max<size_t>(1, columns));
  const bool turned = column_text > cell;
  const double below = turned ? column_text : tick_size;
  const double key = std::max(color_key_width(scale, grid.value_label), color_key_width(0, grid.size_label));
  plan.need = {row_text + 6 + label_gap + label_size * leading, 3, any ? key_gap + std::max(key, key_text) : 4,
               below + 5 + label_gap + label_size * leading};
  plan.draw = [=](Drawing& d, const Box& plot) {
    add_lines(d, {grid.x_label},
              {.at = {plot.x + plot.width / 2, plot.bottom() + 5 + below + label_gap + label_size * 0.85},
               .size = label_size,
               .anchor = Anchor::middle});
    add_lines(d, {grid.y_label},
              {.at = {plot.x - row_text - 6 - label_gap - 2, plot.y + plot.height / 2},
               .size = label_size,
               .anchor = Anchor::middle,
               .up = true});
    d.add(Rect{.x = plot.x,
               .y = plot.y,
               .width = plot.width,
               .height = plot.height,
               .stroke = axis_grey,
               .stroke_width = axis_line});
    if (!any) return;
    const double w = plot.width / static_cast<double>(columns), h = plot.height / static_cast<double>(rows);
    const double dot = 0.86 * std::min(w, h);
    const auto across = [&](double size) { return std::max(1.2, dot * std::sqrt(std::clamp(size / most, 0.0, 1.0))); };
    const auto color = [&](double part) {
      if (grid.sequential) return between(rgb(0xdedcec), rgb(0x3f1a70), std::clamp(part, 0.0, 1.0));
      const double t = std::clamp(part, -1.0, 1.0);
      return between(rgb(0xd6d6d6), t > 0 ? excitatory : inhibitory, std::fabs(t));
    };
    for (size_t c = 1; c < columns; ++c)
      d.add(Polyline{
          {{plot.x + static_cast<double>(c) * w, plot.y}, {plot.x + static_cast<double>(c) * w, plot.bottom()}},
          rgb(0xe6e6e6),
          0.4});
    for (size_t r = 1; r < rows; ++r)
      d.add(
          Polyline{{{plot.x, plot.y + static_cast<double>(r) * h}, {plot.right(), plot.y + static_cast<double>(r) * h}},
                   rgb(0xe6e6e6),
                   0.4});
    for (size_t r = 0; r < rows; ++r)
      for (size_t c = 0; c < columns; ++c) {
        const double v = grid.values[r * columns + c], size = grid.sizes[r * columns + c];
        if (!std::isfinite(v)) continue;
        d.add(Mark{.at = {plot.x + (static_cast<double>(c) + 0.5) * w, plot.y + (static_cast<double>(r) + 0.5) * h},
                   .shape = Marker::circle,
                   .size = across(std::isfinite(size) ? size : 0),
                   .color = color(v / scale)});
      }
    for (const auto& m : grid.marked)
      if (m.first >= 0 && m.second >= 0 && m.first < static_cast<int64_t>(rows) &&
          m.second < static_cast<int64_t>(columns))
        d.add(Rect{.x = plot.x + static_cast<double>(m.second) * w + 0.6,
                   .y = plot.y + static_cast<double>(m.first) * h + 0.6,
                   .width = w - 1.2,
                   .height = h - 1.2,
                   .stroke = rgb(0x000000),
                   .stroke_width = 0.8});
    const size_t step_r = std::max<size_t>(1, static_cast<size_t>(std::ceil(tick_size * 1.05 / h)));
    for (size_t r = 0; r < rows; r += step_r)
      d.add(Text{.at = {plot.x - 4, plot.y + (static_cast<double>(r) + 0.5) * h + tick_size * 0.36},
                 .text = grid.row_names[r],
                 .size = tick_size,
                 .anchor = Anchor::end});
    const double room = turned ? tick_size * 1.05 : column_text + 3;
    const size_t step_c = std::max<size_t>(1, static_cast<size_t>(std::ceil(room / w)));
    for (size_t c = 0; c < columns; c += step_c) {
      const double x = plot.x + (static_cast<double>(c) + 0.5) * w;
      d.add(Text{.at = {turned ? x + tick_size * 0.36 : x, plot.bottom() + (turned ? 5 : 4 + tick_size * 0.85)},
                 .text = grid.column_names[c],
                 .size = tick_size,
                 .anchor = turned ? Anchor::end : Anchor::middle,
                 .up = turned});
    }
    const double x = plot.right() + key_gap;
    double y = add_color_key(d, {x, plot.y}, std::clamp(plot.height * 0.35, 30.0, 80.0), scale, grid.sequential,
                             grid.value_label, color) +
               10;
    const std::vector<std::string> lines = wrapped(grid.size_label, key_text, tick_size);
    add_lines(d, lines, {.at = {x, y + tick_size * 0.85}, .size = tick_size});
    y += height_of(lines, tick_size) + 3;
    for (double part : {1.0, 0.5, 0.1}) {
      const double tall = std::max(tick_size * leading, across(part * most) + 1);
      d.add(Mark{
          .at = {x + dot / 2, y + tall / 2}, .shape = Marker::circle, .size = across(part * most), .color = note_grey});
      d.add(Text{.at = {x + dot + 4, y + tall / 2 + tick_size * 0.36},
                 .text = display_number(part * most, 3),
                 .size = tick_size});
      y += tall;
    }
    if (!grid.marked.empty()) {
      d.add(Rect{.x = x, .y = y + 5, .width = 8, .height = 8, .stroke = rgb(0x000000), .stroke_width = 0.8});
      add_lines(d, wrapped(grid.marked_name, key_text - 12, tick_size),
                {.at = {x + 12, y + 5 + tick_size * 0.85}, .size = tick_size});
    }
  };
  return plan;
}

}  // namespace dalea::plot
