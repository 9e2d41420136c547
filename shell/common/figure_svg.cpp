#include <zlib.h>

#include <algorithm>
#include <cmath>

#include "common/drawing.h"
#include "common/figure_parts.h"
#include "common/markup.h"
#include "numerics/math.h"

namespace dalea::plot {
namespace {

// A hundredth of a point is a twentieth of a pixel in print.
std::string num(double v) {
  if (!std::isfinite(v)) return "0";
  std::string s = fixed_number(v, 2);
  while (s.back() == '0') s.pop_back();
  if (s.back() == '.') s.pop_back();
  return s;
}

std::string hex(Color c) {
  static const char* const digits = "0123456789abcdef";
  std::string s = "#";
  for (uint8_t v : {c.r, c.g, c.b}) {
    s += digits[v >> 4];
    s += digits[v & 15];
  }
  return s;
}

std::string attribute(const char* name, const std::string& value) {
  return std::string(" ") + name + "=\"" + value + "\"";
}

std::string opacity(const char* name, double alpha) {
  return alpha < 1 ? attribute(name, num(std::max(0.0, alpha))) : "";
}

std::string path_of(const std::vector<Point>& points, bool closed) {
  std::string d;
  bool down = false;
  for (const Point& p : points) {
    if (!std::isfinite(p.x) || !std::isfinite(p.y)) {
      down = closed && down;
      continue;
    }
    d += (down ? "L" : "M") + num(p.x) + " " + num(p.y);
    down = true;
  }
  return closed && !d.empty() ? d + "Z" : d;
}

std::string base64(const std::vector<std::byte>& bytes) {
  static const char* const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t v = 0;
    for (size_t k = 0; k < 3; ++k) v = v << 8 | (i + k < bytes.size() ? std::to_integer<uint32_t>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) out += i + k <= bytes.size() ? letters[v >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

std::string svg_of(const Polyline& line) {
  const std::string d = path_of(line.points, false);
  if (d.empty()) return "";
  std::string dashes;
  for (double v : dash_pattern(line.dash, line.width)) dashes += (dashes.empty() ? "" : " ") + num(v);
  return "<path" + attribute("d", d) + " fill=\"none\"" + attribute("stroke", hex(line.color)) +
         attribute("stroke-width", num(line.width)) + (dashes.empty() ? "" : attribute("stroke-dasharray", dashes)) +
         " stroke-linejoin=\"round\"" + opacity("stroke-opacity", line.alpha) + "/>\n";
}

std::string svg_of(const Polygon& polygon) {
  const std::string d = path_of(polygon.points, true);
  if (d.empty()) return "";
  return "<path" + attribute("d", d) + attribute("fill", hex(polygon.color)) + opacity("fill-opacity", polygon.alpha) +
         "/>\n";
}

std::string svg_of(const Rect& r) {
  return "<rect" + attribute("x", num(r.x)) + attribute("y", num(r.y)) +
         attribute("width", num(std::max(0.0, r.width))) + attribute("height", num(std::max(0.0, r.height))) +
         attribute("fill", r.fill ? hex(*r.fill) : "none") +
         (r.stroke ? attribute("stroke", hex(*r.stroke)) + attribute("stroke-width", num(r.stroke_width)) : "") +
         opacity("opacity", r.alpha) + "/>\n";
}

std::string svg_of(const Mark& m) {
  if (m.shape == Marker::none || !std::isfinite(m.at.x) || !std::isfinite(m.at.y)) return "";
  std::string paint = attribute("fill", m.hollow ? "#ffffff" : hex(m.color));
  if (m.hollow) paint += attribute("stroke", hex(m.color)) + attribute("stroke-width", num(mark_line));
  paint += opacity("opacity", m.alpha);
  if (m.shape == Marker::circle)
    return "<circle" + attribute("cx", num(m.at.x)) + attribute("cy", num(m.at.y)) + attribute("r", num(m.size / 2)) +
           paint + "/>\n";
  if (m.shape == Marker::cross) {
    const double h = m.size / 2;
    std::vector<Point> a = {{m.at.x - h, m.at.y - h}, {m.at.x + h, m.at.y + h}},
                       b = {{m.at.x - h, m.at.y + h}, {m.at.x + h, m.at.y - h}};
    return "<path" + attribute("d", path_of(a, false) + path_of(b, false)) + attribute("stroke", hex(m.color)) +
           attribute("stroke-width", num(cross_line)) + opacity("stroke-opacity", m.alpha) + "/>\n";
  }
  return "<path" + attribute("d", path_of(mark_outline(m), true)) + paint + "/>\n";
}

std::string svg_of(const Text& t) {
  const std::string x = num(t.at.x), y = num(t.at.y);
  return "<text" + attribute("x", x) + attribute("y", y) + attribute("font-size", num(t.size)) +
         (t.anchor == Anchor::start ? "" : attribute("text-anchor", t.anchor == Anchor::end ? "end" : "middle")) +
         (t.weight == Weight::medium ? " font-weight=\"500\"" : "") + attribute("fill", hex(t.color)) +
         (t.up ? attribute("transform", "rotate(-90 " + x + " " + y + ")") : "") + ">" + escaped(t.text) + "</text>\n";
}

// An embedded PNG: a rectangle per cell would make files that nothing opens. Enlarged, because some programs smooth
// what they enlarge themselves.
std::string svg_of(const Cells& c) {
  if (c.columns <= 0 || c.rows <= 0 || c.colors.size() != static_cast<size_t>(c.columns * c.rows)) return "";
  const int64_t times = std::clamp<int64_t>(600 / std::max(c.columns, c.rows), 1, 64);
  Image image;
  image.width = c.columns * times;
  image.height = c.rows * times;
  image.rgb.reserve(static_cast<size_t>(image.width * image.height * 3));
  for (int64_t y = 0; y < image.height; ++y)
    for (int64_t x = 0; x < image.width; ++x) {
      const Color& color = c.colors[static_cast<size_t>(y / times * c.columns + x / times)];
      image.rgb.insert(image.rgb.end(), {color.r, color.g, color.b});
    }
  return "<image" + attribute("x", num(c.x)) + attribute("y", num(c.y)) + attribute("width", num(c.width)) +
         attribute("height", num(c.height)) + " preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\"" +
         attribute("href", "data:image/png;base64," + base64(encode_png(image))) + "/>\n";
}

}  // namespace

std::vector<double> dash_pattern(Dash dash, double width) {
  const double w = std::max(width, 0.5);
  switch (dash) {
    case Dash::dashed:
      return {4 * w, 2.5 * w};
    case Dash::dotted:
      return {1.2 * w, 1.8 * w};
    case Dash::dash_dot:
      return {5 * w, 2 * w, 1.2 * w, 2 * w};
    default:
      return {};
  }
}

std::vector<Point> mark_outline(const Mark& m) {
  const double h = m.size / 2, x = m.at.x, y = m.at.y;
  switch (m.shape) {
    case Marker::square:
      return {{x - 0.88 * h, y - 0.88 * h},
              {x + 0.88 * h, y - 0.88 * h},
              {x + 0.88 * h, y + 0.88 * h},
              {x - 0.88 * h, y + 0.88 * h}};
    case Marker::triangle:
      return {{x, y - 1.15 * h}, {x + 1.1 * h, y + 0.8 * h}, {x - 1.1 * h, y + 0.8 * h}};
    case Marker::diamond:
      return {{x, y - 1.25 * h}, {x + 1.25 * h, y}, {x, y + 1.25 * h}, {x - 1.25 * h, y}};
    case Marker::circle: {
      std::vector<Point> points;
      for (int k = 0; k < 32; ++k) {
        const double angle = k * 2 * pi / 32;
        points.push_back({x + h * std::cos(angle), y + h * std::sin(angle)});
      }
      return points;
    }
    default:
      return {};
  }
}

std::string to_svg(const Drawing& drawing, const std::string& id) {
  const std::string w = num(drawing.width), h = num(drawing.height);
  const std::string name = escaped(id.empty() ? "figure" : id);
  std::string out =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + w + "pt\" height=\"" + h + "pt\" viewBox=\"0 0 " + w +
      " " + h + "\" role=\"img\" aria-labelledby=\"" + name + "-title\" aria-describedby=\"" + name +
      "-desc\" font-family=\"Roboto, Helvetica, Arial, 'Liberation Sans', sans-serif\">\n<title id=\"" + name +
      "-title\">" + escaped(drawing.title) + "</title>\n<desc id=\"" + name + "-desc\">" +
      escaped(drawing.description) + "</desc>\n<rect width=\"" + w + "\" height=\"" + h + "\" fill=\"#ffffff\"/>\n";
  for (const Primitive& item : drawing.items) out += std::visit([](const auto& p) { return svg_of(p); }, item);
  return out + "</svg>\n";
}

}  // namespace dalea::plot
