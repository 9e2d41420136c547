// Polygons to pixels: sixteen lines a pixel row, exact along each, so that an edge has hundreds of greys.
#include <algorithm>
#include <cmath>

#include "common/figure_parts.h"

namespace dalea::plot {
namespace {

constexpr int64_t sublines = 16;

class Canvas {
 public:
  Canvas(int64_t width, int64_t height, double scale) : scale_(scale) {
    image_.width = width;
    image_.height = height;
    image_.rgb.assign(static_cast<size_t>(width * height * 3), 255);
    part_.assign(static_cast<size_t>(width + 2), 0);
    whole_.assign(static_cast<size_t>(width + 2), 0);
  }

  // Outlines gather until paint(); a place is inside when they wind around it, whatever their number.
  void outline(const std::vector<Point>& points) {
    const Point* before = nullptr;
    const Point* first = nullptr;
    for (const Point& p : points) {
      if (!std::isfinite(p.x) || !std::isfinite(p.y)) continue;
      if (before != nullptr)
        edge(*before, p);
      else
        first = &p;
      before = &p;
    }
    if (before != nullptr) edge(*before, *first);
  }

  void paint(Color color, double alpha) {
    std::sort(crossings_.begin(), crossings_.end(),
              [](const Crossing& a, const Crossing& b) { return a.line != b.line ? a.line < b.line : a.x < b.x; });
    for (size_t k = 0; k < crossings_.size();) {
      const int64_t row = crossings_[k].line / sublines;
      int64_t from = image_.width, to = -1;
      while (k < crossings_.size() && crossings_[k].line / sublines == row) {
        const int64_t line = crossings_[k].line;
        int winding = 0;
        double start = 0;
        for (; k < crossings_.size() && crossings_[k].line == line; ++k) {
          if (winding == 0) start = crossings_[k].x;
          winding += crossings_[k].direction;
          if (winding == 0) span(start, crossings_[k].x, from, to);
        }
      }
      blend(row, from, to, color, std::clamp(alpha, 0.0, 1.0));
    }
    crossings_.clear();
  }

  void cells(const Cells& c) {
    if (c.columns <= 0 || c.rows <= 0 || c.colors.size() != static_cast<size_t>(c.columns * c.rows)) return;
    for (double v : {c.x, c.y, c.width, c.height})
      if (!(std::fabs(v) < 1e6)) return;
    const int64_t x0 = std::max<int64_t>(0, std::llround(c.x * scale_)),
                  y0 = std::max<int64_t>(0, std::llround(c.y * scale_));
    const int64_t x1 = std::min(image_.width, static_cast<int64_t>(std::llround((c.x + c.width) * scale_)));
    const int64_t y1 = std::min(image_.height, static_cast<int64_t>(std::llround((c.y + c.height) * scale_)));
    const auto cell = [this](int64_t pixel, double origin, double extent, int64_t count) {
      const double at = (static_cast<double>(pixel) / scale_ - origin) / extent * static_cast<double>(count);
      return std::clamp(static_cast<int64_t>(std::floor(at + 1e-9)), int64_t{0}, count);
    };
    for (int64_t y = y0; y < y1; ++y) {
      const int64_t r0 = std::min(cell(y, c.y, c.height, c.rows), c.rows - 1);
      const int64_t r1 = std::max(r0 + 1, cell(y + 1, c.y, c.height, c.rows));
      for (int64_t x = x0; x < x1; ++x) {
        const int64_t c0 = std::min(cell(x, c.x, c.width, c.columns), c.columns - 1);
        const int64_t c1 = std::max(c0 + 1, cell(x + 1, c.x, c.width, c.columns));
        int64_t sum[3] = {}, count = 0;
        for (int64_t r = r0; r < r1; ++r)
          for (int64_t k = c0; k < c1; ++k, ++count) {
            const Color& color = c.colors[static_cast<size_t>(r * c.columns + k)];
            sum[0] += color.r;
            sum[1] += color.g;
            sum[2] += color.b;
          }
        for (int k = 0; k < 3; ++k)
          image_.rgb[static_cast<size_t>((y * image_.width + x) * 3 + k)] =
              static_cast<uint8_t>((sum[k] + count / 2) / count);
      }
    }
  }

  Image& image() { return image_; }

 private:
  struct Crossing {
    int64_t line;
    double x;
    int direction;
  };

  void edge(Point a, Point b) {
    a = {a.x * scale_, a.y * scale_ * sublines};
    b = {b.x * scale_, b.y * scale_ * sublines};
    const int direction = a.y < b.y ? 1 : -1;
    if (direction < 0) std::swap(a, b);
    const double top = std::max(a.y, 0.0), bottom = std::min(b.y, static_cast<double>(image_.height * sublines));
    if (!(bottom > top)) return;
    const double slope = (b.x - a.x) / (b.y - a.y);
    for (auto line = static_cast<int64_t>(std::ceil(top - 0.5)); static_cast<double>(line) + 0.5 < bottom; ++line) {
      const double x = a.x + (static_cast<double>(line) + 0.5 - a.y) * slope;
      crossings_.push_back({line, std::clamp(x, 0.0, static_cast<double>(image_.width)), direction});
    }
  }

  void span(double a, double b, int64_t& from, int64_t& to) {
    const auto ia = static_cast<int64_t>(a), ib = static_cast<int64_t>(b);
    if (ia == ib) {
      part_[static_cast<size_t>(ia)] += b - a;
    } else {
      part_[static_cast<size_t>(ia)] += static_cast<double>(ia + 1) - a;
      part_[static_cast<size_t>(ib)] += b - static_cast<double>(ib);
      whole_[static_cast<size_t>(ia + 1)] += 1;
      whole_[static_cast<size_t>(ib)] -= 1;
    }
    from = std::min(from, ia);
    to = std::max(to, ib);
  }

  void blend(int64_t row, int64_t from, int64_t to, Color color, double alpha) {
    double full = 0;
    for (int64_t x = from; x <= to; ++x) {
      const auto k = static_cast<size_t>(x);
      full += whole_[k];
      const double cover = std::min(1.0, (full + part_[k]) / sublines) * alpha;
      whole_[k] = part_[k] = 0;
      if (x >= image_.width || cover <= 0) continue;
      uint8_t* p = image_.rgb.data() + (row * image_.width + x) * 3;
      const uint8_t over[3] = {color.r, color.g, color.b};
      for (int c = 0; c < 3; ++c) p[c] = static_cast<uint8_t>(std::lround(p[c] + cover * (over[c] - p[c])));
    }
  }

  double scale_;
  Image image_;
  std::vector<Crossing> crossings_;
  std::vector<double> part_, whole_;
};

// The pieces of a line that its dashes leave; gaps where a point is not finite.
std::vector<std::vector<Point>> pieces(const Polyline& line) {
  std::vector<std::vector<Point>> runs(1);
  double length = 0, period = 0;
  for (const Point& p : line.points) {
    if (!std::isfinite(p.x) || !std::isfinite(p.y)) {
      if (!runs.back().empty()) runs.emplace_back();
      continue;
    }
    if (!runs.back().empty()) length += std::hypot(p.x - runs.back().back().x, p.y - runs.back().back().y);
    runs.back().push_back(p);
  }
  const std::vector<double> pattern = dash_pattern(line.dash, line.width);
  for (double v : pattern) period += v;
  if (pattern.empty() || !(length < 1e5 * period)) return runs;  // so many dashes are a line to the eye
  std::vector<std::vector<Point>> out;
  for (const std::vector<Point>& run : runs) {
    size_t part = 0;
    double left = pattern[0];
    bool fresh = true;
    for (size_t k = 0; k + 1 < run.size(); ++k) {
      const Point a = run[k], b = run[k + 1];
      const double segment = std::hypot(b.x - a.x, b.y - a.y);
      double done = 0;
      const auto at = [&](double s) { return Point{a.x + (b.x - a.x) * s / segment, a.y + (b.y - a.y) * s / segment}; };
      while (segment - done > 1e-9) {
        const double step = std::min(left, segment - done);
        if (part % 2 == 0) {
          if (fresh) out.push_back({at(done)});
          fresh = false;
          out.back().push_back(at(done + step));
        }
        done += step;
        left -= step;
        if (left <= 1e-9) {
          part = (part + 1) % pattern.size();
          left = pattern[part];
          fresh = true;
        }
      }
    }
  }
  return out;
}

// Quads along the segments and discs at the joints, all turning the same way so that they unite.
void stroke(Canvas& canvas, const Polyline& line) {
  const double r = line.width / 2;
  if (!(r > 0)) return;
  for (const std::vector<Point>& run : pieces(line)) {
    for (size_t k = 0; k + 1 < run.size(); ++k) {
      const Point a = run[k], b = run[k + 1];
      const double length = std::hypot(b.x - a.x, b.y - a.y);
      if (!(length > 0)) continue;
      const double nx = (b.y - a.y) / length * r, ny = -(b.x - a.x) / length * r;
      canvas.outline({{a.x + nx, a.y + ny}, {b.x + nx, b.y + ny}, {b.x - nx, b.y - ny}, {a.x - nx, a.y - ny}});
      if (k > 0) canvas.outline(mark_outline({a, Marker::circle, line.width, line.color}));
    }
  }
  canvas.paint(line.color, line.alpha);
}

void paint(Canvas& canvas, const Polyline& line) {
  stroke(canvas, line);
}

void paint(Canvas& canvas, const Polygon& polygon) {
  canvas.outline(polygon.points);
  canvas.paint(polygon.color, polygon.alpha);
}

void paint(Canvas& canvas, const Rect& r) {
  const double x1 = r.x + std::max(0.0, r.width), y1 = r.y + std::max(0.0, r.height), h = r.stroke_width / 2;
  if (r.fill) {
    canvas.outline({{r.x, r.y}, {x1, r.y}, {x1, y1}, {r.x, y1}});
    canvas.paint(*r.fill, r.alpha);
  }
  if (r.stroke) {
    canvas.outline({{r.x - h, r.y - h}, {x1 + h, r.y - h}, {x1 + h, y1 + h}, {r.x - h, y1 + h}});
    canvas.outline({{r.x + h, r.y + h}, {r.x + h, y1 - h}, {x1 - h, y1 - h}, {x1 - h, r.y + h}});
    canvas.paint(*r.stroke, r.alpha);
  }
}

void paint(Canvas& canvas, const Mark& m) {
  if (m.shape == Marker::none || !std::isfinite(m.at.x) || !std::isfinite(m.at.y)) return;
  const double h = m.size / 2;
  if (m.shape == Marker::cross) {
    const Point at = m.at;
    stroke(canvas,
           {{{at.x - h, at.y - h}, {at.x + h, at.y + h}, {no_value, 0}, {at.x - h, at.y + h}, {at.x + h, at.y - h}},
            m.color,
            cross_line,
            Dash::solid,
            m.alpha});
    return;
  }
  std::vector<Point> points = mark_outline(m);
  canvas.outline(points);
  canvas.paint(m.hollow ? white : m.color, m.alpha);
  if (!m.hollow || points.empty()) return;
  points.push_back(points[0]);
  points.push_back(points[1]);
  stroke(canvas, {points, m.color, mark_line, Dash::solid, m.alpha});
}

void paint(Canvas& canvas, const Text& t) {
  const double share = t.anchor == Anchor::end ? 1 : t.anchor == Anchor::middle ? 0.5 : 0;
  const double back = share == 0 ? 0 : share * text_width(t.text, t.size, t.weight);
  for (std::vector<Point>& contour : text_outline(t.text, t.size, t.weight)) {
    for (Point& p : contour) {
      p.x -= back;
      p = t.up ? Point{t.at.x + p.y, t.at.y - p.x} : Point{t.at.x + p.x, t.at.y + p.y};
    }
    canvas.outline(contour);
  }
  canvas.paint(t.color, 1);
}

void paint(Canvas& canvas, const Cells& cells) {
  canvas.cells(cells);
}

}  // namespace

std::vector<std::byte> to_png(const Drawing& drawing, double pixels_per_point) {
  const auto sound = [](double v, double otherwise) { return std::isfinite(v) && v > 0 ? v : otherwise; };
  const double width = std::min(sound(drawing.width, 1), 1e5), height = std::min(sound(drawing.height, 1), 1e5);
  double scale = sound(pixels_per_point, 300.0 / 72);
  scale = std::min(scale, std::sqrt(1e8 / (width * height)));
  const auto pixels = [scale](double v) {
    return std::max<int64_t>(1, static_cast<int64_t>(std::ceil(v * scale - 1e-6)));
  };
  Canvas canvas(pixels(width), pixels(height), scale);
  for (const Primitive& item : drawing.items) std::visit([&](const auto& p) { paint(canvas, p); }, item);
  canvas.image().pixels_per_metre = std::llround(scale * 72 / 0.0254);
  return encode_png(canvas.image());
}

}  // namespace dalea::plot
