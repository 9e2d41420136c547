// Effects with their intervals, one a row, against zero and other lines.
#include <algorithm>
#include <cmath>

#include "common/figure_parts.h"
#include "common/markup.h"

namespace dalea::plot {
namespace {

constexpr double row_padding = 5;

std::vector<std::string> name_of(const Effect& e, double width) {
  return wrapped(e.name, width * 0.36, tick_size);
}

// All with the decimals that the smallest interval deserves. A missing interval is said, unless the header promises
// none.
std::string written(const ForestChart& chart, const Effect& e, int decimals) {
  if (!std::isfinite(e.value)) return "no value";
  const bool plain = decimals <= 6 && std::fabs(e.value) < 1e6;
  const auto number = [&](double v) {
    if (!plain || !std::isfinite(v)) return display_number(v, 3);
    const std::string text = fixed_number(v, decimals);
    return text[0] == '-' ? "\u2212" + text.substr(1) : text;
  };
  if (!std::isfinite(e.low) && !std::isfinite(e.high)) {
    const bool promised = chart.value_header.empty() || chart.value_header.find('[') != std::string::npos;
    return number(e.value) + (promised ? "  no interval" : "");
  }
  return number(e.value) + "  [" + number(e.low) + ", " + number(e.high) + "]";
}

int decimals_of(const ForestChart& chart) {
  double biggest = 0;
  for (const Effect& e : chart.effects)
    for (double v : {e.value, e.low, e.high})
      if (std::isfinite(v)) biggest = std::max(biggest, std::fabs(v));
  return biggest > 0 ? std::clamp(2 - static_cast<int>(std::floor(std::log10(biggest))), 0, 12) : 2;
}

}  // namespace

Plan plan_of(const ForestChart& chart, Size outer, bool own_legend) {
  Range range;
  range.log = chart.x.log;
  for (const Effect& e : chart.effects)
    for (double v : {e.value, e.low, e.high}) range.add(v);
  const bool any = range.any;
  std::vector<Guide> guides = chart.lines;
  if (chart.zero_line && !chart.x.log)
    guides.insert(guides.begin(), {.value = 0, .style = {rgb(0x777777), Dash::solid, Marker::none, 0.8}});
  for (const Guide& g : guides)
    if (any && !(range.log && g.value <= 0)) range.add(g.value);

  std::vector<std::vector<std::string>> names;
  double name_width = 0, value_width = 0;
  const int decimals = decimals_of(chart);
  for (const Effect& e : chart.effects) {
    names.push_back(name_of(e, outer.width));
    for (const std::string& line : names.back()) name_width = std::max(name_width, text_width(line, tick_size));
    value_width = std::max(value_width, text_width(written(chart, e, decimals), tick_size));
  }
  std::vector<std::string> header;
  if (!chart.value_header.empty()) header = wrapped(chart.value_header, std::max(value_width, 60.0), tick_size);
  for (const std::string& line : header) value_width = std::max(value_width, text_width(line, tick_size));
  // In a narrow figure the numbers go below the names, or no room is left for the intervals.
  const bool stacked = outer.width - name_width - value_width - 24 < 0.4 * outer.width;
  if (stacked) {
    name_width = std::max(name_width, value_width * 1.02);
    for (size_t k = 0; k < names.size(); ++k) names[k].push_back(written(chart, chart.effects[k], decimals));
  }

  Frame frame;
  frame.has_y = false;
  const double left = name_width + 10, right = stacked ? 6 : value_width * 1.04 + 10,
               width = std::max(40.0, outer.width - left - right);
  frame.x_room = 2 * std::min(left + width / 2, outer.width - left - width / 2);
  frame.x = scale_of(chart.x, range, width, true);
  frame.prepare({width, outer.height});
  Plan plan;
  for (const Guide& g : chart.lines)
    if (!g.name.empty()) plan.entries.push_back({g.name, g.style});
  const std::vector<Entry> entries = own_legend ? plan.entries : std::vector<Entry>();
  const double legend_height =
      entries.empty() ? 0 : legend_size(entries, stacked ? width : outer.width * 0.9).height + 3;
  const double header_height = header.empty() ? 0 : height_of(header, tick_size) + 2;
  plan.need = {left, 2 + legend_height + header_height, std::max(frame.need.right, right), frame.need.bottom};
  for (const auto& n : names) plan.tall += height_of(n, tick_size) + row_padding;
  plan.tall = std::max(plan.tall, 40.0);
  if (!any)
    plan.message =
        chart.effects.empty() ? "Nothing to show: there are no effects." : "Nothing to show: no effect has a value.";

  plan.draw = [=](Drawing& d, const Box& plot) {
    frame.add(d, plot);
    if (!any) return;
    const auto place = [&](double v) { return plot.x + frame.x.at(v) * plot.width; };
    const auto seen = [&](double x) { return x >= plot.x - 0.01 && x <= plot.right() + 0.01; };
    for (const Guide& g : guides)
      if (const double x = place(g.value); seen(x))
        d.add(Polyline{{{x, plot.y}, {x, plot.bottom()}}, g.style.color, g.style.width, g.style.dash});
    double total = 0;
    for (const auto& n : names) total += height_of(n, tick_size) + row_padding;
    const double stretch = plot.height / std::max(total, 1.0);
    double top = plot.y;
    for (size_t k = 0; k < names.size(); ++k) {
      const Effect& e = chart.effects[k];
      const double tall = (height_of(names[k], tick_size) + row_padding) * stretch, y = top + tall / 2,
                   cap = tick_size * 0.36;
      const double first = y - height_of(names[k], tick_size) / 2 + tick_size * leading / 2 + cap;
      std::vector<std::string> lines = names[k];
      if (stacked) {
        const double last = first + static_cast<double>(lines.size() - 1) * tick_size * leading;
        d.add(Text{.at = {plot.x - 8, last},
                   .text = lines.back(),
                   .size = tick_size,
                   .anchor = Anchor::end,
                   .color = note_grey});
        lines.pop_back();
      } else {
        d.add(Text{.at = {plot.right() + 8, y + cap}, .text = written(chart, e, decimals), .size = tick_size});
      }
      add_lines(d, lines, {.at = {plot.x - 8, first}, .size = tick_size, .anchor = Anchor::end});
      const double low = place(e.low), high = place(e.high), at = place(e.value);
      // An interval that leaves the axis ends in an arrow there.
      if (std::isfinite(high) && (std::isfinite(low) || frame.x.log)) {
        const double a = std::isfinite(low) ? std::clamp(low, plot.x, plot.right()) : plot.x,
                     b = std::clamp(high, plot.x, plot.right());
        if (a < b) d.add(Polyline{{{a, y}, {b, y}}, e.style.color, e.style.width});
        if (!(low >= plot.x - 0.01))
          d.add(Polygon{{{plot.x - 1, y}, {plot.x + 4, y - 2.6}, {plot.x + 4, y + 2.6}}, e.style.color});
        if (high > plot.right() + 0.01)
          d.add(Polygon{{{plot.right() + 1, y}, {plot.right() - 4, y - 2.6}, {plot.right() - 4, y + 2.6}},
                        e.style.color});
      }
      if (std::isfinite(at) && seen(at))
        d.add(Mark{.at = {at, y}, .shape = e.style.marker, .size = 5, .color = e.style.color});
      top += tall;
    }
    add_lines(d, header,
              {.at = {stacked ? plot.x - 8 : plot.right() + 8, plot.y - header_height + tick_size * 0.8},
               .size = tick_size,
               .anchor = stacked ? Anchor::end : Anchor::start,
               .color = note_grey});
    add_legend(d, entries, {plot.x, plot.y - header_height - legend_height}, stacked ? width : outer.width * 0.9);
  };
  return plan;
}

}  // namespace dalea::plot
