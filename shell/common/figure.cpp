// Panels in a grid, colours, and the numbers behind a figure.
#include "common/figure.h"

#include <algorithm>
#include <cmath>

#include "common/figure_parts.h"
#include "common/markup.h"

namespace dalea::plot {
namespace {

constexpr double page_edge = 4, gap = 14;
constexpr double point_per_mm = 72 / 25.4;

struct Placing {
  const Panel* panel = nullptr;
  std::vector<std::string> title;
  Plan plan;
  double height = 0;
};

Plan plan_of_chart(const Chart& chart, Size outer, bool own_legend) {
  return std::visit([&](const auto& c) { return plan_of(c, outer, own_legend); }, chart);
}

double chosen_height(const Figure& figure, const Panel& panel, double width) {
  if (figure.panel_height_mm > 0 && std::isfinite(figure.panel_height_mm))
    return std::clamp(figure.panel_height_mm, 15.0, 2000.0) * point_per_mm;
  const double usual = std::clamp(width * 0.72, 110.0, 220.0);
  const Plan plan = plan_of_chart(panel.chart, {width, usual}, !figure.shared_legend);
  // Names, notes and legends above or below the plot do not shrink it.
  if (plan.tall > 0) return plan.tall + plan.need.top + plan.need.bottom;
  if (plan.aspect <= 0) return usual + std::max(0.0, plan.need.top + plan.need.bottom - 45);
  const double plot = std::max(30.0, width - plan.need.left - plan.need.right);
  return std::min(plot * plan.aspect, width * 1.4) + plan.need.top + plan.need.bottom;
}

// Plots of a row or column begin and end together, unless that would cost one of them much room.
template <class Part>
void line_up(std::vector<Placing*> cells, Part part) {
  double widest = 0;
  for (Placing* c : cells) widest = std::max(widest, part(c->plan.need));
  for (Placing* c : cells)
    if (double& v = part(c->plan.need); widest - v <= 24) v = widest;
}

std::vector<Entry> shared_entries(const std::vector<Placing>& cells) {
  std::vector<Entry> out;
  for (const Placing& c : cells)
    for (const Entry& e : c.plan.entries)
      if (std::none_of(out.begin(), out.end(), [&](const Entry& o) { return o.name == e.name; })) out.push_back(e);
  return out;
}

// Side by side, in as many lines as it takes; gives the height.
double add_flow(Drawing& d, const std::vector<Entry>& entries, double y, double width) {
  double x = page_edge;
  const double row = tick_size * leading + 2;
  double top = y;
  for (const Entry& e : entries) {
    const double room = width - 2 * page_edge;
    const Size size = legend_size({e}, room);
    if (x > page_edge && x + size.width > width - page_edge) {
      x = page_edge;
      top += row;
    }
    add_legend(d, {e}, {x, top}, room);
    x += size.width * 1.05 + 12;
    if (size.height > row + 1) top += size.height - row;
  }
  return entries.empty() ? 0 : top + row - y + 4;
}

std::string description_of(const Figure& figure) {
  std::string text = figure.caption;
  for (const Panel& p : figure.panels) {
    if (p.title.empty()) continue;
    if (!text.empty()) text += text.back() == '.' ? " " : ". ";
    text += p.title;
  }
  return text;
}

}  // namespace

Style series_style(size_t index) {
  static const Style styles[] = {
      {rgb(0x0072b2), Dash::solid, Marker::circle, 1.4},    {rgb(0xd55e00), Dash::dashed, Marker::square, 1.4},
      {rgb(0x009e73), Dash::dotted, Marker::triangle, 1.6}, {rgb(0xcc79a7), Dash::dash_dot, Marker::diamond, 1.4},
      {rgb(0x56b4e9), Dash::dashed, Marker::cross, 1.4},    {rgb(0xe69f00), Dash::solid, Marker::triangle, 1.4},
      {rgb(0x3a3a3a), Dash::dotted, Marker::diamond, 1.4},  {rgb(0x8a6d00), Dash::dash_dot, Marker::circle, 1.4},
  };
  return styles[index % (sizeof styles / sizeof styles[0])];
}

Style named_style(std::string_view name) {
  struct Named {
    std::string_view name;
    Style style;
  };
  static const Named known[] = {
      {"conventional", {rgb(0x4d4d4d), Dash::solid, Marker::circle, 1.4}},
      {"rectified", {rgb(0xd98200), Dash::dashed, Marker::square, 1.4}},
      {"rectified-forward", {rgb(0x8c6bb1), Dash::dotted, Marker::triangle, 1.6}},
      {"dale", {rgb(0x1b7837), Dash::solid, Marker::diamond, 1.6}},
      {"random", {rgb(0x4d4d4d), Dash::solid, Marker::circle, 1.4}},
      {"magnitude", {rgb(0xd98200), Dash::dashed, Marker::square, 1.4}},
      {"top-prob", {rgb(0x1b7837), Dash::solid, Marker::diamond, 1.6}},
      {"data", {rgb(0x000000), Dash::solid, Marker::circle, 1.2}},
      {"dense", {rgb(0x8a8a8a), Dash::solid, Marker::square, 1.4}},
      {"sparse", {rgb(0x1b7837), Dash::dashed, Marker::diamond, 1.4}},
      {"excitatory", {excitatory, Dash::solid, Marker::triangle, 1.4}},
      {"inhibitory", {inhibitory, Dash::dashed, Marker::circle, 1.4}},
  };
  for (const Named& n : known)
    if (n.name == name) return n.style;
  size_t sum = 0;
  for (char c : name) sum = sum * 31 + static_cast<unsigned char>(c);
  return series_style(sum);
}

Drawing drawing_of(const Figure& figure) {
  Drawing d;
  d.title = figure.title;
  d.description = description_of(figure);
  d.width =
      (std::isfinite(figure.width_mm) ? std::clamp(figure.width_mm, 30.0, 2000.0) : single_column_mm) * point_per_mm;
  const size_t count = figure.panels.size(),
               columns =
                   std::clamp<size_t>(static_cast<size_t>(std::max(1, figure.columns)), 1, std::max<size_t>(1, count));
  const double width =
      (d.width - 2 * page_edge - gap * static_cast<double>(columns - 1)) / static_cast<double>(columns);
  const bool letters = figure.letters && count > 1;
  const double letter_room = letters ? 16 : 0;

  double y = page_edge;
  if (!figure.title.empty()) {
    const auto lines = wrapped(figure.title, (d.width - 2 * page_edge) * 0.97, title_size + 1, Weight::medium);
    add_lines(d, lines, {.at = {page_edge, y + title_size}, .size = title_size + 1, .weight = Weight::medium});
    y += height_of(lines, title_size + 1) + 5;
  }

  std::vector<Placing> cells(count);
  for (size_t k = 0; k < count; ++k) {
    Placing& c = cells[k];
    c.panel = &figure.panels[k];
    c.height = chosen_height(figure, *c.panel, width);
    if (!c.panel->title.empty())
      c.title = wrapped(c.panel->title, (width - letter_room) * 0.97, title_size, Weight::medium);
  }
  const size_t rows = count == 0 ? 0 : (count + columns - 1) / columns;
  std::vector<double> heads(rows, 0);
  for (size_t r = 0; r < rows; ++r) {
    std::vector<Placing*> row;
    for (size_t k = r * columns; k < std::min(count, (r + 1) * columns); ++k) row.push_back(&cells[k]);
    double tallest = 0;
    for (Placing* c : row) {
      tallest = std::max(tallest, c->height);
      heads[r] =
          std::max(heads[r], c->title.empty() ? (letters ? letter_size + 3 : 0) : height_of(c->title, title_size) + 4);
    }
    for (Placing* c : row) {
      c->height = tallest;
      c->plan = plan_of_chart(c->panel->chart, {width, tallest}, !figure.shared_legend);
    }
    line_up(row, [](Margins& m) -> double& { return m.top; });
    line_up(row, [](Margins& m) -> double& { return m.bottom; });
  }
  for (size_t column = 0; column < columns; ++column) {
    std::vector<Placing*> below;
    for (size_t k = column; k < count; k += columns) below.push_back(&cells[k]);
    line_up(below, [](Margins& m) -> double& { return m.left; });
    line_up(below, [](Margins& m) -> double& { return m.right; });
  }
  if (figure.shared_legend) y += add_flow(d, shared_entries(cells), y, d.width);

  for (size_t k = 0; k < count; ++k) {
    const Placing& c = cells[k];
    const size_t r = k / columns;
    const double left = page_edge + static_cast<double>(k % columns) * (width + gap);
    if (letters) {
      std::string letter;
      for (size_t v = k + 1; v > 0; v = (v - 1) / 26)
        letter.insert(letter.begin(), static_cast<char>('A' + (v - 1) % 26));
      d.add(Text{.at = {left, y + letter_size * 0.85}, .text = letter, .size = letter_size, .weight = Weight::medium});
    }
    add_lines(d, c.title,
              {.at = {left + letter_room, y + letter_size * 0.85}, .size = title_size, .weight = Weight::medium});
    const Margins& m = c.plan.need;
    Box plot{left + m.left, y + heads[r] + m.top, std::max(8.0, width - m.left - m.right),
             std::max(8.0, c.height - m.top - m.bottom)};
    if (c.plan.aspect > 0) {
      const double w = std::min(plot.width, plot.height / c.plan.aspect);
      plot.width = w;
      plot.height = w * c.plan.aspect;
    }
    c.plan.draw(d, plot);
    if (!c.plan.message.empty()) add_message(d, plot, c.panel->empty.empty() ? c.plan.message : c.panel->empty);
    if (k + 1 == count || (k + 1) % columns == 0) y += heads[r] + c.height + (k + 1 == count ? 0 : gap);
  }
  if (count == 0) {
    add_message(d, {page_edge, y, d.width - 2 * page_edge, 60}, "Nothing to show: the figure has no panels.");
    y += 60;
  }
  if (figure.caption_inside && !figure.caption.empty()) {
    const auto lines = wrapped(figure.caption, (d.width - 2 * page_edge) * 0.96, tick_size);
    y += 6;
    add_lines(d, lines, {.at = {page_edge, y + tick_size}, .size = tick_size});
    y += height_of(lines, tick_size);
  }
  d.height = y + page_edge;
  return d;
}

}  // namespace dalea::plot
