// Matrices in the colours of the window, with a colour bar.
#include <algorithm>
#include <cmath>

#include "common/figure_parts.h"
#include "common/markup.h"

namespace dalea::plot {
namespace {

constexpr double bar_gap = 8, bar_width = 7;
constexpr int64_t most_cells = 720;  // a side; beyond it several share a cell, and the strongest shows

double percentile(const HeatMap& map) {
  std::vector<float> sizes;
  for (float v : map.values)
    if (std::isfinite(v) && v != 0) sizes.push_back(std::fabs(v));
  if (sizes.empty()) return 1;
  const auto k = static_cast<std::ptrdiff_t>(0.995 * static_cast<double>(sizes.size() - 1));
  std::nth_element(sizes.begin(), sizes.begin() + k, sizes.end());
  return static_cast<double>(sizes[static_cast<size_t>(k)]);
}

Color color_of(const HeatMap& map, double value, double scale) {
  if (!map.sequential) return weight_color(static_cast<float>(value / scale), 1);
  constexpr Color stops[] = {rgb(0xfcfbfd), rgb(0xbcbddc), rgb(0x807dba), rgb(0x54278f), rgb(0x2d0f52)};
  const double at = std::clamp(value / scale, 0.0, 1.0) * 4;
  const auto k = std::min(3, static_cast<int>(at));
  const double t = at - k;
  const auto mix = [t](uint8_t a, uint8_t b) { return static_cast<uint8_t>(std::lround(a + t * (b - a))); };
  return {mix(stops[k].r, stops[k + 1].r), mix(stops[k].g, stops[k + 1].g), mix(stops[k].b, stops[k + 1].b)};
}

Cells cells_of(const HeatMap& map, double scale) {
  Cells cells;
  const auto shrink = [](int64_t n) { return (n + most_cells - 1) / most_cells; };
  const int64_t dr = shrink(map.rows), dc = shrink(map.columns);
  cells.rows = (map.rows + dr - 1) / dr;
  cells.columns = (map.columns + dc - 1) / dc;
  std::vector<float> shown(static_cast<size_t>(cells.rows * cells.columns), std::nanf(""));
  for (int64_t r = 0; r < map.rows; ++r)
    for (int64_t c = 0; c < map.columns; ++c) {
      const float v = map.values[static_cast<size_t>(r * map.columns + c)];
      float& there = shown[static_cast<size_t>(r / dr * cells.columns + c / dc)];
      if (!std::isnan(v) && (std::isnan(there) || std::fabs(v) > std::fabs(there))) there = v;
    }
  for (float v : shown)
    cells.colors.push_back(std::isnan(v) ? absent_color : color_of(map, static_cast<double>(v), scale));
  return cells;
}

// The axis of a side: block names where the blocks are, else numbers from 1.
struct Side {
  std::vector<Tick> ticks;
  std::vector<double> lines;   // between blocks
  std::vector<double> weight;  // extent of the blocks
  bool named = false;
};

Side side_of(const std::vector<Block>& blocks, int64_t count, double length, bool across) {
  Side side;
  const auto n = static_cast<double>(count);
  for (const Block& b : blocks) {
    if (b.begin < 0 || b.end > count || b.begin >= b.end) continue;
    side.ticks.push_back({static_cast<double>(b.begin + b.end) / 2 / n, b.name});
    side.weight.push_back(static_cast<double>(b.end - b.begin));
    if (b.begin > 0) side.lines.push_back(static_cast<double>(b.begin) / n);
    side.named = true;
  }
  if (side.named) return side;
  std::vector<double> places = {1};
  for (double v : nice_ticks(1, n, std::clamp(static_cast<int>(length / (across ? 45 : 30)), 2, 6)))
    if (std::round(v) > 1) places.push_back(std::round(v));
  if (places.size() < 2) places.push_back(n);
  for (double v : places)
    if (v <= n && (side.ticks.empty() || (v - 0.5) / n > side.ticks.back().value))
      side.ticks.push_back({(v - 0.5) / n, fixed_number(v, 0)});
  side.weight.assign(side.ticks.size(), 1);
  return side;
}

// Where labels that need `room` each go: moved apart as little as possible and kept beside the plot. Not a number: no
// place is left, and larger blocks (`weight`) have it.
std::vector<double> spread(const std::vector<Tick>& ticks, const std::vector<double>& weight, double start,
                           double length, const std::vector<double>& room) {
  const double first = start - 5, last = start + length + 5;
  std::vector<size_t> kept(ticks.size());
  double total = 0;
  for (size_t k = 0; k < kept.size(); ++k) {
    kept[k] = k;
    total += room[k];
  }
  while (!kept.empty() && total > last - first) {
    const auto least =
        std::min_element(kept.begin(), kept.end(), [&](size_t a, size_t b) { return weight[a] < weight[b]; });
    total -= room[*least];
    kept.erase(least);
  }
  std::vector<double> out(ticks.size(), no_value);
  double end = first;
  for (size_t k : kept) {
    out[k] = std::max(start + ticks[k].value * length, end + room[k] / 2);
    end = out[k] + room[k] / 2;
  }
  // Half of what the names were pushed down they go back up, then inside the last end.
  for (size_t n = kept.size(), below = 0; n-- > 0; below = kept[n]) {
    const size_t k = kept[n];
    const double wanted = start + ticks[k].value * length;
    double limit = n + 1 == kept.size() ? last : out[below] - room[below] / 2;
    limit -= room[k] / 2;
    out[k] = std::min(wanted + (out[k] - wanted) / 2, limit);
  }
  end = first;
  for (size_t k : kept) {
    out[k] = std::max(out[k], end + room[k] / 2);
    end = out[k] + room[k] / 2;
  }
  return out;
}

std::vector<Tick> bar_ticks(const HeatMap& map, double scale, bool above, bool below, double height) {
  Axis axis{.label = map.value_label, .min = map.sequential ? 0 : -scale, .max = scale};
  for (double part : {-1.0, -0.5, 0.0, 0.5, 1.0})
    if ((part >= 0 || !map.sequential) && (height > 55 || std::fabs(part) != 0.5)) axis.ticks.push_back(part * scale);
  Scale s = scale_of(axis, {}, std::max(30.0, height), false);
  // The ends say whether colours stop there while values go on.
  for (Tick& t : s.ticks) {
    if (above && t.value >= scale * (1 - 1e-9)) t.label = "≥" + t.label;
    if (below && !map.sequential && t.value <= -scale * (1 - 1e-9)) t.label = "≤" + t.label;
  }
  s.ticks.push_back({no_value, s.label});
  return s.ticks;
}

// Rounded up to 1, 1.5, 2, 3, 4, 5, 6, 8 or 10 times a power of ten, so that the bar's ends are ticks.
double rounded_scale(double v) {
  if (!(v > 0) || !std::isfinite(v)) return 1;
  const double power = std::pow(10.0, std::floor(std::log10(v) + 1e-9));
  for (double m : {1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0})
    if (m * power >= v * (1 - 1e-6)) return m * power;
  return 10 * power;
}

}  // namespace

Plan plan_of(const HeatMap& map, Size outer, bool) {
  Plan plan;
  const bool sized =
      map.rows > 0 && map.columns > 0 && map.values.size() == static_cast<size_t>(map.rows * map.columns);
  const bool any = sized && std::any_of(map.values.begin(), map.values.end(), [](float v) { return std::isfinite(v); });
  const double scale = map.scale > 0 && std::isfinite(map.scale) ? map.scale : rounded_scale(percentile(map));
  bool absent = false, above = false, below = false;
  for (float v : map.values) {
    absent = absent || std::isnan(v);
    above = above || static_cast<double>(v) > scale * (1 + 1e-6);
    below = below || static_cast<double>(v) < -scale * (1 + 1e-6);
  }
  if (!any) plan.message = sized ? "Nothing to show: no entry has a value." : "Nothing to show: there is no matrix.";
  if (sized && map.square) plan.aspect = static_cast<double>(map.rows) / static_cast<double>(map.columns);

  const Side rows = side_of(map.row_blocks, std::max<int64_t>(map.rows, 1), outer.height - 40, false);
  const Side columns = side_of(map.column_blocks, std::max<int64_t>(map.columns, 1), outer.width - 90, true);
  const double bar_height = std::min(100.0, outer.height * 0.55);
  const std::vector<Tick> full_bar = bar_ticks(map, scale, above, below, bar_height);
  double bar_text = 0, row_text = 0, column_text = tick_size;
  for (const Tick& t : full_bar)
    if (!std::isnan(t.value)) bar_text = std::max(bar_text, text_width(t.label, tick_size));
  const auto row_names = [rows](const std::string& name) { return wrapped(name, rows.named ? 70 : 1000, tick_size); };
  for (const Tick& t : rows.ticks)
    for (const std::string& line : row_names(t.label)) row_text = std::max(row_text, text_width(line, tick_size));
  // Names of columns are turned when one does not fit its block.
  const double width_guess = std::max(30.0, outer.width - 90);
  bool turned = false;
  if (columns.named)
    for (const Block& b : map.column_blocks)
      turned = turned || text_width(b.name, tick_size) > width_guess * static_cast<double>(b.end - b.begin) /
                                                             static_cast<double>(std::max<int64_t>(1, map.columns));
  if (turned)
    for (const Tick& t : columns.ticks) column_text = std::max(column_text, text_width(t.label, tick_size));

  // Blocks thinner than their names: the names move apart, and leaders say whose they are.
  const auto crowded = [&](const Side& side, double length) {
    for (size_t k = 1; side.named && k < side.ticks.size(); ++k)
      if ((side.ticks[k].value - side.ticks[k - 1].value) * length < tick_size * leading) return true;
    return false;
  };
  const double row_leader = crowded(rows, outer.height * 0.6) ? 9 : 0,
               column_leader = turned && crowded(columns, outer.width * 0.6) ? 9 : 0;

  struct Key {
    std::string name;
    bool absent;
  };
  std::vector<Key> keys;
  if (absent && any) keys.push_back({map.absent_name, true});
  if (!map.marked.empty() && any) keys.push_back({map.marked_name, false});
  const double key_room = 60;
  double key_width = 0, key_height = 0;
  for (const Key& k : keys) {
    const auto lines = wrapped(k.name, key_room, tick_size);
    for (const std::string& line : lines) key_width = std::max(key_width, 11 + text_width(line, tick_size));
    key_height += height_of(lines, tick_size) + 2;
  }
  const std::vector<std::string> bar_title = wrapped(full_bar.back().label, bar_height * 1.6, tick_size);
  plan.need = {tick_gap + 2 + row_leader + row_text + label_gap + label_size * leading, 3,
               bar_gap + std::max(bar_width + 4 + bar_text + 3 + height_of(bar_title, tick_size), key_width * 1.05),
               tick_gap + 2 + column_leader + column_text + label_gap + label_size * leading};
  if (!any) plan.need.right = 4;

  plan.draw = [=](Drawing& d, const Box& plot) {
    const auto frame = [&] {
      d.add(Rect{.x = plot.x,
                 .y = plot.y,
                 .width = plot.width,
                 .height = plot.height,
                 .stroke = axis_grey,
                 .stroke_width = axis_line});
    };
    const double cap = tick_size * 0.36;
    add_lines(d, {map.x_label},
              {.at = {plot.x + plot.width / 2,
                      plot.bottom() + tick_gap + 2 + column_leader + column_text + label_gap + label_size * 0.85},
               .size = label_size,
               .anchor = Anchor::middle});
    add_lines(d, {map.y_label},
              {.at = {plot.x - tick_gap - 2 - row_leader - row_text - label_gap - 2, plot.y + plot.height / 2},
               .size = label_size,
               .anchor = Anchor::middle,
               .up = true});
    if (!any) return frame();

    Cells cells = cells_of(map, scale);
    cells.x = plot.x;
    cells.y = plot.y;
    cells.width = plot.width;
    cells.height = plot.height;
    d.add(std::move(cells));
    for (double v : columns.lines)
      d.add(Polyline{{{plot.x + v * plot.width, plot.y}, {plot.x + v * plot.width, plot.bottom()}}, axis_grey, 0.5});
    for (double v : rows.lines)
      d.add(Polyline{{{plot.x, plot.y + v * plot.height}, {plot.right(), plot.y + v * plot.height}}, axis_grey, 0.5});
    const double cw = plot.width / static_cast<double>(map.columns), ch = plot.height / static_cast<double>(map.rows);
    for (const std::pair<int64_t, int64_t>& m : map.marked) {
      if (m.first < 0 || m.second < 0 || m.first >= map.rows || m.second >= map.columns) continue;
      const double x = plot.x + static_cast<double>(m.second) * cw, y = plot.y + static_cast<double>(m.first) * ch;
      // Outlined where a cell is big enough to still show its colour, else a dot.
      if (std::min(cw, ch) >= 3.5)
        d.add(Rect{.x = x + 0.4,
                   .y = y + 0.4,
                   .width = cw - 0.8,
                   .height = ch - 0.8,
                   .stroke = rgb(0x000000),
                   .stroke_width = 0.8});
      else
        d.add(Mark{.at = {x + cw / 2, y + ch / 2},
                   .shape = Marker::circle,
                   .size = std::max(0.9, std::min(cw, ch)),
                   .color = rgb(0x000000)});
    }
    frame();
    std::vector<double> room;
    for (const Tick& t : rows.ticks) room.push_back(height_of(row_names(t.label), tick_size));
    std::vector<double> places = spread(rows.ticks, rows.weight, plot.y, plot.height, room);
    for (size_t k = 0; k < places.size(); ++k) {
      if (std::isnan(places[k])) continue;
      const double from = plot.y + rows.ticks[k].value * plot.height, x = plot.x - tick_gap - row_leader;
      if (row_leader > 0) d.add(Polyline{{{plot.x - 1, from}, {plot.x - 3, from}, {x, places[k]}}, axis_grey, 0.4});
      add_lines(d, row_names(rows.ticks[k].label),
                {.at = {x - 2, places[k] - room[k] / 2 + tick_size * leading / 2 + cap},
                 .size = tick_size,
                 .anchor = Anchor::end});
    }
    room.clear();
    for (const Tick& t : columns.ticks)
      room.push_back(turned ? tick_size * leading : text_width(t.label, tick_size) + 3);
    places = spread(columns.ticks, columns.weight, plot.x, plot.width, room);
    for (size_t k = 0; k < places.size(); ++k) {
      if (std::isnan(places[k])) continue;
      const double from = plot.x + columns.ticks[k].value * plot.width, y = plot.bottom() + tick_gap + column_leader;
      if (column_leader > 0)
        d.add(Polyline{{{from, plot.bottom() + 1}, {from, plot.bottom() + 3}, {places[k], y}}, axis_grey, 0.4});
      if (turned)
        d.add(Text{.at = {places[k] + cap, y + 2},
                   .text = columns.ticks[k].label,
                   .size = tick_size,
                   .anchor = Anchor::end,
                   .up = true});
      else
        d.add(Text{.at = {places[k], y + 2 + tick_size * 0.85},
                   .text = columns.ticks[k].label,
                   .size = tick_size,
                   .anchor = Anchor::middle});
    }

    const double tall = std::max(30.0, std::min(bar_height, plot.height - (keys.empty() ? 0 : key_height + 8)));
    const Box bar_box{plot.right() + bar_gap, plot.y, bar_width, tall};
    Cells colors{bar_box.x, bar_box.y, bar_box.width, bar_box.height, 1, 101, {}};
    for (int k = 0; k <= 100; ++k)
      colors.colors.push_back(color_of(map, map.sequential ? scale * (1 - k / 100.0) : scale * (1 - k / 50.0), scale));
    d.add(std::move(colors));
    d.add(Rect{.x = bar_box.x,
               .y = bar_box.y,
               .width = bar_box.width,
               .height = bar_box.height,
               .stroke = axis_grey,
               .stroke_width = axis_line});
    for (const Tick& t : bar_ticks(map, scale, above, below, tall)) {
      if (std::isnan(t.value)) continue;
      const double at = map.sequential ? t.value / scale : (t.value / scale + 1) / 2, y = bar_box.bottom() - at * tall;
      d.add(Polyline{{{bar_box.right(), y}, {bar_box.right() + 2, y}}, axis_grey, axis_line});
      d.add(Text{.at = {bar_box.right() + 4, y + cap}, .text = t.label, .size = tick_size});
    }
    add_lines(d, bar_title,
              {.at = {bar_box.right() + 4 + bar_text + 3 + tick_size * 0.9, bar_box.y + tall / 2},
               .size = tick_size,
               .anchor = Anchor::middle,
               .up = true});
    double y = bar_box.bottom() + 8;
    for (const Key& k : keys) {
      const Box box{bar_box.x, y + 1.2, 7, 7};
      d.add(Rect{.x = box.x,
                 .y = box.y,
                 .width = 7,
                 .height = 7,
                 .fill = k.absent ? absent_color : white,
                 .stroke = k.absent ? axis_grey : rgb(0x000000),
                 .stroke_width = k.absent ? 0.5 : 0.9});
      const auto lines = wrapped(k.name, key_room, tick_size);
      add_lines(d, lines, {.at = {box.right() + 4, y + tick_size * 0.93}, .size = tick_size});
      y += height_of(lines, tick_size) + 2;
    }
  };
  return plan;
}

}  // namespace dalea::plot
