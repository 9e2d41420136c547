// What the makers of figures share and nobody else needs.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/figure.h"

namespace dalea::plot {

// Primitives, the same for both backends.
constexpr double mark_line = 0.9, cross_line = 1.1;         // stroke of hollow marks and of crosses
std::vector<double> dash_pattern(Dash dash, double width);  // on, off, ...; empty: solid
std::vector<Point> mark_outline(const Mark& mark);          // closed; empty for a cross
std::vector<std::vector<Point>> text_outline(std::string_view text, double size, Weight weight);

// Sizes in points.
constexpr double tick_size = 8, label_size = 8.5, title_size = 9, letter_size = 11, leading = 1.2;
constexpr double axis_line = 0.6, tick_length = 3, tick_gap = 2, label_gap = 3;

struct Size {
  double width = 0, height = 0;
};
struct Box {
  double x = 0, y = 0, width = 0, height = 0;
  double right() const { return x + width; }
  double bottom() const { return y + height; }
};
struct Margins {
  double left = 0, top = 0, right = 0, bottom = 0;
};

// A resolved axis.
struct Tick {
  double value = 0;
  std::string label;
};
struct Scale {
  bool log = false;
  double lo = 0, hi = 1;
  std::vector<Tick> ticks;
  std::vector<double> minor;
  std::string label;          // with the power of ten its ticks are in
  double at(double v) const;  // 0..1 between the ends, not a number when it has no place
};
// `values`: what must be seen. `length`: of the axis, in points; `across`: ticks are written along it.
struct Range {
  double lo = 0, hi = 0;
  bool any = false;
  int64_t unshown = 0;  // zero or negative on a log axis
  bool log = false;
  void add(double v);
};
Scale scale_of(const Axis& axis, const Range& range, double length, bool across, bool touch_zero = false);

// Text in several lines, centred on x (or, `up`, on y); `at` is the first line's baseline.
void add_lines(Drawing& d, const std::vector<std::string>& lines, Text first);
// No value where a series has none.
inline double value_at(const std::vector<double>& v, size_t k) {
  return k < v.size() ? v[k] : no_value;
}
inline double height_of(const std::vector<std::string>& lines, double size) {
  return static_cast<double>(lines.size()) * size * leading;
}

// What a legend lists.
struct Entry {
  std::string name;
  Style style;
  bool line = true, band = false, fill = false, marks = false;
};
Size legend_size(const std::vector<Entry>& entries, double widest);
void add_legend(Drawing& d, const std::vector<Entry>& entries, Point at, double widest);
void add_sample(Drawing& d, const Entry& entry, Point at);  // 18 points wide, `at` its left middle
constexpr double sample_width = 18, sample_gap = 4;

// Two axes around a plot, with notes below. `names`: below equal slots, instead of x's ticks.
struct Frame {
  Scale x, y;
  std::vector<std::string> names, notes;
  bool has_x = true, has_y = true;
  double x_room = 0;  // for x's label, when it may be wider than the plot

  void prepare(Size outer);  // breaks the labels into lines; then `need` is known
  void add(Drawing& d, const Box& plot) const;
  Margins need;

 private:
  std::vector<std::string> x_lines, y_lines, note_lines;
  std::vector<std::vector<std::string>> name_lines;
  bool turned = false;
};
void add_message(Drawing& d, const Box& plot, const std::string& message);  // why a plot is empty

std::vector<std::vector<Point>> clipped_line(const std::vector<Point>& points, const Box& box);
std::vector<Point> clipped_area(const std::vector<Point>& points, const Box& box);

// A chart ready to be drawn in a plot area that leaves `need` around it.
struct Plan {
  Margins need;
  double aspect = 0;  // height over width of the plot, 0: any
  double tall = 0;    // height the plot wants, 0: any
  std::vector<Entry> entries;
  std::string message;  // why there is nothing to show
  std::function<void(Drawing&, const Box&)> draw;
};
// `own_legend`: false when the figure shows one for all panels.
Plan plan_of(const LineChart& chart, Size outer, bool own_legend);
Plan plan_of(const GroupChart& chart, Size outer, bool own_legend);
Plan plan_of(const HeatMap& chart, Size outer, bool own_legend);
Plan plan_of(const ForestChart& chart, Size outer, bool own_legend);
Plan plan_of(const DotGrid& chart, Size outer, bool own_legend);
Plan plan_of(const CircuitChart& chart, Size outer, bool own_legend);

// A key at the right of dots and circuits: what colours mean. `color`: of -1 .. 1, or 0 .. 1 when `sequential`.
double rounded_up(double v);  // to a round number; 1 where there is none
double color_key_width(double scale, const std::string& label);
// From `at` (left, top) downwards; gives where it ends.
double add_color_key(Drawing& d, Point at, double height, double scale, bool sequential, const std::string& label,
                     const std::function<Color(double)>& color);

}  // namespace dalea::plot
