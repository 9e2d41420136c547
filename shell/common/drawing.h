// What a figure is made of: marks in points (1/72 inch), origin top left, y downwards, in the order they are painted.
// Two programs read it, to_svg for documents and to_png for everything else, so both show the same figure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/picture.h"

namespace dalea::plot {

constexpr Color rgb(uint32_t hex) {
  return {static_cast<uint8_t>(hex >> 16), static_cast<uint8_t>(hex >> 8), static_cast<uint8_t>(hex)};
}
constexpr Color ink = rgb(0x222222), axis_grey = rgb(0x444444), note_grey = rgb(0x666666), white = rgb(0xffffff);

struct Point {
  double x = 0, y = 0;
};
enum class Dash { solid, dashed, dotted, dash_dot };
enum class Marker { none, circle, square, triangle, diamond, cross };
enum class Anchor { start, middle, end };
enum class Weight { regular, medium };

// A point that is not finite is a gap.
struct Polyline {
  std::vector<Point> points = {};
  Color color = ink;
  double width = 1;
  Dash dash = Dash::solid;
  double alpha = 1;
};
// Closed and filled; where it overlaps itself it is filled once.
struct Polygon {
  std::vector<Point> points = {};
  Color color = ink;
  double alpha = 1;
};
struct Rect {
  double x = 0, y = 0, width = 0, height = 0;
  std::optional<Color> fill = {};
  std::optional<Color> stroke = {};
  double stroke_width = 0.6;
  double alpha = 1;
};
struct Mark {
  Point at = {};
  Marker shape = Marker::circle;
  double size = 4;  // across
  Color color = ink;
  bool hollow = false;  // white inside
  double alpha = 1;
};
// One line of text; `at` is on the baseline. `up`: turned a quarter to the left, reading upwards.
struct Text {
  Point at = {};
  std::string text = {};
  double size = 8;
  Anchor anchor = Anchor::start;
  Weight weight = Weight::regular;
  Color color = ink;
  bool up = false;
};
// A rectangle of equal cells, row by row from the top.
struct Cells {
  double x = 0, y = 0, width = 0, height = 0;
  int64_t columns = 0, rows = 0;
  std::vector<Color> colors = {};
};
using Primitive = std::variant<Polyline, Polygon, Rect, Mark, Text, Cells>;

struct Drawing {
  double width = 0, height = 0;
  std::string title, description;  // what a screen reader says
  std::vector<Primitive> items;

  template <class T>
  void add(T item) {
    items.emplace_back(std::move(item));
  }
};

// A whole file. `id`: begins the element ids, which must differ between drawings in one page.
std::string to_svg(const Drawing& drawing, const std::string& id = "figure");
// On white. 300/72 pixels per point is print quality; at most 100 million pixels are made, coarser if need be.
std::vector<std::byte> to_png(const Drawing& drawing, double pixels_per_point = 300.0 / 72);

// In Roboto, the font of to_png; to_svg names it first and leaves some room for its substitutes.
double text_width(std::string_view text, double size, Weight weight = Weight::regular);
// Lines no wider than `width`: broken at spaces and after -_/, inside a word only when it alone is too wide.
std::vector<std::string> wrapped(std::string_view text, double width, double size, Weight weight = Weight::regular);

}  // namespace dalea::plot
