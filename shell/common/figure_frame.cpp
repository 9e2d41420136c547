// Axes, legends, labels in several lines, and what stays inside a plot.
#include <algorithm>
#include <cmath>

#include "common/figure_parts.h"

namespace dalea::plot {
namespace {

double widest_label(const Scale& s) {
  double width = 0;
  for (const Tick& t : s.ticks) width = std::max(width, text_width(t.label, tick_size));
  return width;
}

double widest_of(const std::vector<std::string>& lines, double size) {
  double width = 0;
  for (const std::string& line : lines) width = std::max(width, text_width(line, size));
  return width;
}

double longest_word(const std::string& name) {
  double width = 0;
  size_t start = 0;
  for (size_t k = 0; k <= name.size(); ++k)
    if (k == name.size() || name[k] == ' ' || name[k] == '-' || name[k] == '_' || name[k] == '/') {
      width = std::max(width, text_width(name.substr(start, k - start + 1), tick_size));
      start = k + 1;
    }
  return width;
}

}  // namespace

void add_lines(Drawing& d, const std::vector<std::string>& lines, Text first) {
  for (const std::string& line : lines) {
    first.text = line;
    d.add(first);
    (first.up ? first.at.x : first.at.y) += first.size * leading;
  }
}

void add_message(Drawing& d, const Box& plot, const std::string& message) {
  const std::vector<std::string> lines = wrapped(message, plot.width * 0.8, tick_size);
  const double top = plot.y + (plot.height - height_of(lines, tick_size)) / 2;
  add_lines(d, lines,
            {.at = {plot.x + plot.width / 2, top + tick_size},
             .size = tick_size,
             .anchor = Anchor::middle,
             .color = note_grey});
}

void Frame::prepare(Size outer) {
  const double half = tick_size / 2;
  need = {};
  need.top = half + 1;
  need.right = half;
  // The height is known last, and with it how y's label breaks; its width is guessed from one line until then.
  y_lines = y.label.empty() ? std::vector<std::string>() : std::vector<std::string>{y.label};
  const double y_ticks = tick_length + tick_gap + widest_label(y);
  if (has_y) need.left = y_ticks + (y_lines.empty() ? 0 : label_gap + label_size * leading);
  const double width = std::max(20.0, outer.width - need.left - need.right);
  need.bottom = tick_length + 1;
  if (!names.empty()) {
    const double slot = width / static_cast<double>(names.size()) - 4;
    turned = std::any_of(names.begin(), names.end(), [&](const std::string& n) { return longest_word(n) > slot; });
    const double room = turned ? std::max(40.0, outer.height * 0.4) : slot;
    name_lines.clear();
    double tall = 0;
    for (const std::string& n : names) {
      std::vector<std::string> broken = wrapped(n, room, tick_size);
      // Turned names have each the width of their slot for lines.
      for (double more = room; turned && broken.size() > 1 && height_of(broken, tick_size) > slot + 4;)
        broken = wrapped(n, more *= 1.25, tick_size);
      name_lines.push_back(std::move(broken));
      const auto& lines = name_lines.back();
      tall = std::max(tall, turned ? widest_of(lines, tick_size) : height_of(lines, tick_size));
    }
    need.bottom += tick_gap + tall;
  } else if (has_x) {
    need.bottom += tick_gap + tick_size;
    for (const Tick& t : x.ticks) {
      const double over = text_width(t.label, tick_size) / 2, at = x.at(t.value);
      need.right = std::max(need.right, over - (1 - at) * width + 1);
      need.left = std::max(need.left, over - at * width + 1);
    }
  }
  x_lines = wrapped(x.label, x_room > 0 ? x_room : width * 0.96, label_size);
  if (x.label.empty()) x_lines.clear();
  if (!x_lines.empty()) need.bottom += label_gap + height_of(x_lines, label_size);
  note_lines.clear();
  for (const std::string& note : notes)
    for (std::string& line : wrapped(note, width * 0.96, tick_size)) note_lines.push_back(std::move(line));
  if (!note_lines.empty()) need.bottom += 2 + height_of(note_lines, tick_size);
  if (!has_y || y.label.empty()) return;
  y_lines = wrapped(y.label, std::max(30.0, outer.height - need.top - need.bottom), label_size);
  need.left = std::max(need.left, y_ticks + label_gap + height_of(y_lines, label_size));
}

void Frame::add(Drawing& d, const Box& plot) const {
  const auto line = [&](Point a, Point b, double width) { d.add(Polyline{{a, b}, axis_grey, width}); };
  const double bottom = plot.bottom(), cap = tick_size * 0.36;  // half a digit's height
  double below = bottom + tick_length + 1;
  if (has_y) {
    line({plot.x, plot.y}, {plot.x, bottom}, axis_line);
    const auto place = [&](double v) { return bottom - y.at(v) * plot.height; };
    for (double v : y.minor) line({plot.x - tick_length * 0.55, place(v)}, {plot.x, place(v)}, axis_line * 0.7);
    for (const Tick& t : y.ticks) {
      line({plot.x - tick_length, place(t.value)}, {plot.x, place(t.value)}, axis_line);
      if (!t.label.empty())
        d.add(Text{.at = {plot.x - tick_length - tick_gap, place(t.value) + cap},
                   .text = t.label,
                   .size = tick_size,
                   .anchor = Anchor::end});
    }
    const double from = plot.x - tick_length - tick_gap - widest_label(y) - label_gap - height_of(y_lines, label_size);
    add_lines(d, y_lines,
              {.at = {from + label_size, plot.y + plot.height / 2},
               .size = label_size,
               .anchor = Anchor::middle,
               .up = true});
  }
  if (!names.empty()) {
    line({plot.x, bottom}, {plot.right(), bottom}, axis_line);
    const double slot = plot.width / static_cast<double>(names.size());
    double tall = 0;
    for (size_t k = 0; k < name_lines.size(); ++k) {
      const double center = plot.x + (static_cast<double>(k) + 0.5) * slot;
      line({center, bottom}, {center, bottom + tick_length}, axis_line);
      const auto& lines = name_lines[k];
      const double high = height_of(lines, tick_size);
      if (turned)
        add_lines(d, lines,
                  {.at = {center - high / 2 + tick_size * 0.95, below + tick_gap},
                   .size = tick_size,
                   .anchor = Anchor::end,
                   .up = true});
      else
        add_lines(d, lines,
                  {.at = {center, below + tick_gap + tick_size * 0.8}, .size = tick_size, .anchor = Anchor::middle});
      tall = std::max(tall, turned ? widest_of(lines, tick_size) : high);
    }
    below += tick_gap + tall;
  } else {
    line({plot.x, bottom}, {plot.right(), bottom}, axis_line);
  }
  if (names.empty() && has_x) {
    const auto place = [&](double v) { return plot.x + x.at(v) * plot.width; };
    for (double v : x.minor) line({place(v), bottom}, {place(v), bottom + tick_length * 0.55}, axis_line * 0.7);
    for (const Tick& t : x.ticks) {
      line({place(t.value), bottom}, {place(t.value), bottom + tick_length}, axis_line);
      if (!t.label.empty())
        d.add(Text{.at = {place(t.value), below + tick_gap + tick_size * 0.8},
                   .text = t.label,
                   .size = tick_size,
                   .anchor = Anchor::middle});
    }
    below += tick_gap + tick_size;
  }
  if (!x_lines.empty()) {
    add_lines(d, x_lines,
              {.at = {plot.x + plot.width / 2, below + label_gap + label_size * 0.85},
               .size = label_size,
               .anchor = Anchor::middle});
    below += label_gap + height_of(x_lines, label_size);
  }
  add_lines(d, note_lines, {.at = {plot.x, below + 2 + tick_size * 0.85}, .size = tick_size, .color = note_grey});
}

Size legend_size(const std::vector<Entry>& entries, double widest) {
  Size size;
  const double room = std::max(30.0, widest - sample_width - sample_gap);
  for (const Entry& e : entries) {
    const std::vector<std::string> lines = wrapped(e.name, room, tick_size);
    size.height += height_of(lines, tick_size) + 1.5;
    size.width = std::max(size.width, sample_width + sample_gap + widest_of(lines, tick_size));
  }
  return size;
}

void add_sample(Drawing& d, const Entry& e, Point at) {
  const double mid = at.x + sample_width / 2;
  if (e.band)
    d.add(Rect{.x = at.x, .y = at.y - 3.2, .width = sample_width, .height = 6.4, .fill = e.style.color, .alpha = 0.2});
  if (e.fill)
    d.add(Rect{.x = at.x, .y = at.y, .width = sample_width, .height = 3.4, .fill = e.style.color, .alpha = 0.25});
  if (e.line) d.add(Polyline{{{at.x, at.y}, {at.x + sample_width, at.y}}, e.style.color, e.style.width, e.style.dash});
  if (e.marks) d.add(Mark{.at = {mid, at.y}, .shape = e.style.marker, .size = 4.2, .color = e.style.color});
}

void add_legend(Drawing& d, const std::vector<Entry>& entries, Point at, double widest) {
  const double room = std::max(30.0, widest - sample_width - sample_gap);
  for (const Entry& e : entries) {
    const std::vector<std::string> lines = wrapped(e.name, room, tick_size);
    add_sample(d, e, {at.x, at.y + tick_size * leading / 2});
    add_lines(d, lines, {.at = {at.x + sample_width + sample_gap, at.y + tick_size * 0.96}, .size = tick_size});
    at.y += height_of(lines, tick_size) + 1.5;
  }
}

std::vector<std::vector<Point>> clipped_line(const std::vector<Point>& points, const Box& box) {
  constexpr double slack = 1e-6;  // a line along the border is inside, however its points were rounded
  std::vector<std::vector<Point>> out;
  bool joined = false;
  for (size_t k = 0; k + 1 < points.size(); ++k) {
    const Point a = points[k], b = points[k + 1];
    double from = 0, to = 1;
    const auto keep = [&](double start, double delta, double lo, double hi) {
      lo -= slack;
      hi += slack;
      if (delta == 0) return start >= lo && start <= hi;
      double t0 = (lo - start) / delta, t1 = (hi - start) / delta;
      if (t0 > t1) std::swap(t0, t1);
      from = std::max(from, t0);
      to = std::min(to, t1);
      return from <= to;
    };
    if (!keep(a.x, b.x - a.x, box.x, box.right()) || !keep(a.y, b.y - a.y, box.y, box.bottom())) {
      joined = false;
      continue;
    }
    const auto at = [&](double t) { return Point{a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)}; };
    if (!joined || from > 0) out.push_back({from > 0 ? at(from) : a});
    out.back().push_back(to < 1 ? at(to) : b);
    joined = to >= 1;
  }
  return out;
}

// Cut by one side of the box after the other.
std::vector<Point> clipped_area(const std::vector<Point>& points, const Box& box) {
  std::vector<Point> in = points, out;
  for (int side = 0; side < 4; ++side) {
    const auto depth = [&](const Point& p) {  // inside when not negative
      return side == 0 ? p.x - box.x : side == 1 ? box.right() - p.x : side == 2 ? p.y - box.y : box.bottom() - p.y;
    };
    out.clear();
    for (size_t k = 0; k < in.size(); ++k) {
      const Point a = in[k], b = in[(k + 1) % in.size()];
      const double da = depth(a), db = depth(b);
      if (da >= 0) out.push_back(a);
      if ((da >= 0) != (db >= 0)) {
        const double t = da / (da - db);
        out.push_back({a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)});
      }
    }
    in.swap(out);
  }
  return in;
}

}  // namespace dalea::plot
