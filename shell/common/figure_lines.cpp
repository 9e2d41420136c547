// Lines with bands, densities, points.
#include <algorithm>
#include <cmath>

#include "common/figure_parts.h"

namespace dalea::plot {
namespace {

bool finite(const Point& p) {
  return std::isfinite(p.x) && std::isfinite(p.y);
}

// A series in places of the plot, 0..1 both ways from the lower left.
struct Placed {
  std::vector<Point> line;       // not finite: gap
  std::vector<Point> low, high;  // the same length, or empty
};

Placed placed(const Series& s, const Scale& x, const Scale& y) {
  Placed out;
  const bool band = !s.low.empty() && !s.high.empty();
  for (size_t k = 0; k < s.x.size(); ++k) {
    const double at = x.at(s.x[k]);
    out.line.push_back({at, y.at(value_at(s.y, k))});
    if (!band) continue;
    const double high = y.at(value_at(s.high, k));
    double low = value_at(s.low, k);
    // A band that reaches zero goes down to the axis of logarithms.
    low = y.log && low <= 0 ? 0 : y.at(low);
    out.low.push_back({at, std::isfinite(high) ? low : no_value});
    out.high.push_back({at, std::isfinite(low) ? high : no_value});
  }
  return out;
}

// Stretches without gaps.
std::vector<std::vector<Point>> stretches(const std::vector<Point>& points) {
  std::vector<std::vector<Point>> out(1);
  for (const Point& p : points)
    if (finite(p))
      out.back().push_back(p);
    else if (!out.back().empty())
      out.emplace_back();
  if (out.back().empty()) out.pop_back();
  return out;
}

// The eye cannot tell more than four columns a point apart: of each, the first, lowest, highest and last place stay.
std::vector<Point> thinned(const std::vector<Point>& points) {
  if (points.size() < 1000) return points;
  for (size_t k = 1; k < points.size(); ++k)
    if (points[k].x < points[k - 1].x) return points;
  std::vector<Point> out;
  for (size_t begin = 0; begin < points.size();) {
    size_t end = begin, low = begin, high = begin;
    const double column = std::floor(points[begin].x * 4);
    for (; end < points.size() && std::floor(points[end].x * 4) == column; ++end) {
      if (points[end].y < points[low].y) low = end;
      if (points[end].y > points[high].y) high = end;
    }
    size_t keep[] = {begin, std::min(low, high), std::max(low, high), end - 1};
    for (int k = 0; k < 4; ++k)
      if (k == 0 || keep[k] != keep[k - 1]) out.push_back(points[keep[k]]);
    begin = end;
  }
  return out;
}

// Which parts of the plot hold marks: 48 x 48 fields.
class Occupied {
 public:
  void column(double x, double a, double b) {
    if (!std::isfinite(x) || !std::isfinite(a) || !std::isfinite(b) || x < 0 || x > 1) return;
    if (a > b) std::swap(a, b);
    if (b < 0 || a > 1) return;
    for (int j = cell(a); j <= cell(b); ++j) taken_[cell(x)][j] = true;
  }
  void segment(Point a, Point b) {
    if (!finite(a) || !finite(b)) return;
    const auto steps =
        static_cast<int>(std::min(200.0, std::ceil(96 * std::max(std::fabs(b.x - a.x), std::fabs(b.y - a.y))) + 1));
    for (int k = 0; k <= steps; ++k) {
      const double t = static_cast<double>(k) / steps, y = a.y + t * (b.y - a.y);
      column(a.x + t * (b.x - a.x), y, y);
    }
  }
  bool free(double x0, double y0, double x1, double y1) const {
    for (int i = cell(x0); i <= cell(x1); ++i)
      for (int j = cell(y0); j <= cell(y1); ++j)
        if (taken_[i][j]) return false;
    return true;
  }

 private:
  static int cell(double v) { return static_cast<int>(std::clamp(v * 48, 0.0, 47.0)); }
  bool taken_[48][48] = {};
};

Occupied occupied_by(const LineChart& chart, const Scale& x, const Scale& y) {
  Occupied map;
  const double zero = y.log ? 0 : y.at(0);
  for (const Series& s : chart.series) {
    const Placed p = placed(s, x, y);
    for (size_t k = 0; k < p.line.size(); ++k) {
      const bool next = k + 1 < p.line.size();
      if (s.line && next) map.segment(p.line[k], p.line[k + 1]);
      map.column(p.line[k].x, p.line[k].y, s.fill ? zero : p.line[k].y);
      if (p.low.empty() || !next) continue;
      for (int step = 0; step <= 8; ++step) {
        const double t = step / 8.0;
        const auto mix = [t](double a, double b) { return a + t * (b - a); };
        map.column(mix(p.low[k].x, p.low[k + 1].x), mix(p.low[k].y, p.low[k + 1].y), mix(p.high[k].y, p.high[k + 1].y));
      }
    }
  }
  for (const Guide& g : chart.guides) {
    const double at = g.vertical ? x.at(g.value) : y.at(g.value);
    g.vertical ? map.segment({at, 0}, {at, 1}) : map.segment({0, at}, {1, at});
  }
  return map;
}

void add_band(Drawing& d, const Placed& p, const Style& style, const Box& plot,
              const std::function<Point(Point)>& to_page) {
  const auto lows = stretches(p.low), highs = stretches(p.high);
  for (size_t k = 0; k < std::min(lows.size(), highs.size()); ++k) {
    std::vector<Point> low, high;
    for (const Point& q : lows[k]) low.push_back(to_page(q));
    for (const Point& q : highs[k]) high.push_back(to_page(q));
    low = thinned(low);
    high = thinned(high);
    if (low.size() == 1) {
      for (const auto& piece : clipped_line({low[0], high[0]}, plot))
        d.add(Polyline{piece, style.color, 3, Dash::solid, 0.2});
      continue;
    }
    low.insert(low.end(), high.rbegin(), high.rend());
    d.add(Polygon{clipped_area(low, plot), style.color, 0.2});
  }
}

void add_series(Drawing& d, const Series& s, const Placed& p, const Box& plot,
                const std::function<Point(Point)>& to_page) {
  // Many points make a zigzag, which thick strokes would fill.
  const double width = s.x.size() > 2 * plot.width ? std::min(s.style.width, 0.8) : s.style.width;
  for (const std::vector<Point>& stretch : stretches(p.line)) {
    std::vector<Point> points;
    for (const Point& q : stretch) points.push_back(to_page(q));
    const bool alone = points.size() == 1;
    if (s.line)
      for (const auto& piece : clipped_line(thinned(points), plot))
        d.add(Polyline{piece, s.style.color, width, s.style.dash});
    if (!s.marks && !(s.line && alone)) continue;
    // On a line, marks tell the series apart; without one every point is shown.
    const size_t every = s.line && points.size() > 40 ? points.size() / 12 : 1;
    for (size_t k = s.line && every > 1 ? every / 2 : 0; k < points.size(); k += every)
      if (points[k].x >= plot.x - 0.01 && points[k].x <= plot.right() + 0.01 && points[k].y >= plot.y - 0.01 &&
          points[k].y <= plot.bottom() + 0.01)
        d.add(Mark{.at = points[k],
                   .shape = s.marks ? s.style.marker : Marker::circle,
                   .size = s.marks ? 4.2 : s.style.width * 1.6,
                   .color = s.style.color});
  }
}

std::vector<Entry> entries_of(const LineChart& chart) {
  std::vector<Entry> out;
  for (const Series& s : chart.series)
    if (!s.name.empty()) out.push_back({s.name, s.style, s.line, !s.low.empty(), s.fill, s.marks});
  for (const Guide& g : chart.guides)
    if (!g.name.empty()) out.push_back({g.name, g.style});
  return out;
}

}  // namespace

Plan plan_of(const LineChart& chart, Size outer, bool own_legend) {
  Range x_range, y_range;
  x_range.log = chart.x.log;
  y_range.log = chart.y.log;
  bool filled = false, values = false;
  for (const Series& s : chart.series) {
    filled = filled || s.fill;
    for (size_t k = 0; k < s.x.size(); ++k) {
      const double low = value_at(s.low, k), high = value_at(s.high, k), y = value_at(s.y, k);
      if (std::isfinite(s.x[k]) && std::isfinite(y)) values = true;
      if (!std::isfinite(y) && !(std::isfinite(low) && std::isfinite(high))) continue;
      if (x_range.log && std::isfinite(s.x[k]) && s.x[k] <= 0) {
        x_range.add(s.x[k]);
        continue;
      }
      x_range.add(s.x[k]);
      y_range.add(y);
      for (double v : {low, high})
        if (!y_range.log || v > 0) y_range.add(v);
    }
  }
  const int64_t unshown = x_range.unshown + y_range.unshown;
  const bool any = x_range.any && y_range.any;
  for (const Guide& g : chart.guides)
    if (any && !(g.vertical ? x_range.log : y_range.log && g.value <= 0)) (g.vertical ? x_range : y_range).add(g.value);

  Frame frame;
  frame.x = scale_of(chart.x, x_range, outer.width - 60, true);
  frame.y = scale_of(chart.y, y_range, outer.height - 40, false, filled);
  if (unshown > 0 && any)
    frame.notes.push_back(std::to_string(unshown) + (unshown == 1 ? " value" : " values") +
                          " of zero or less: not on a logarithmic axis");
  frame.prepare(outer);

  Plan plan;
  plan.need = frame.need;
  if (chart.equal && any && !frame.x.log && !frame.y.log)
    plan.aspect = (frame.y.hi - frame.y.lo) / (frame.x.hi - frame.x.lo);
  plan.entries = entries_of(chart);
  const std::vector<Entry> entries = plan.entries;
  const bool wanted =
      own_legend && chart.legend != Legend::none && any &&
      (entries.size() > 1 || (entries.size() == 1 && (!chart.guides.empty() || chart.legend == Legend::outside)));
  const double width = outer.width - plan.need.left - plan.need.right,
               height = outer.height - plan.need.top - plan.need.bottom;
  double widest = outer.width * 0.45;
  Size legend = legend_size(entries, widest);
  enum { nowhere, upper_right, upper_left, lower_left, lower_right, beside, below } place = wanted ? beside : nowhere;
  if (wanted && chart.legend == Legend::automatic && width > 0 && height > 0) {
    // A little more than the legend needs: the plot shrinks when panels line up, and other fonts are wider.
    const double w = (legend.width * 1.1 + 10) / width, h = (legend.height * 1.05 + 8) / height;
    const Occupied map = occupied_by(chart, frame.x, frame.y);
    if (w < 0.9 && h < 0.9) {
      if (map.free(1 - w, 1 - h, 1, 1))
        place = upper_right;
      else if (map.free(0, 1 - h, w, 1))
        place = upper_left;
      else if (map.free(1 - w, 0, 1, h))
        place = lower_right;
      else if (map.free(0, 0, w, h))
        place = lower_left;
    }
  }
  const double beside_width = legend.width * 1.05 + 10;
  if (place == beside && width - beside_width < outer.width * 0.4) {
    place = below;  // long names would leave no plot
    widest = outer.width;
    legend = legend_size(entries, widest);
    frame.prepare({outer.width, outer.height - legend.height - 6});
    plan.need = frame.need;
    plan.need.bottom += legend.height + 6;
  }
  if (place == beside) plan.need.right += beside_width;

  if (!any)
    plan.message = values ? "Nothing to show: every value is zero or negative, and the axis is logarithmic."
                          : "Nothing to show: there are no values.";
  plan.draw = [chart, frame, entries, place, legend, widest, any](Drawing& d, const Box& plot) {
    const std::function<Point(Point)> to_page = [&plot](Point p) {
      return Point{plot.x + p.x * plot.width, plot.bottom() - p.y * plot.height};
    };
    frame.add(d, plot);
    if (!any) return;
    for (const Guide& g : chart.guides) {
      const double at = g.vertical ? frame.x.at(g.value) : frame.y.at(g.value);
      if (!(at >= -1e-9 && at <= 1 + 1e-9)) continue;
      const Point a = g.vertical ? Point{at, 0} : Point{0, at}, b = g.vertical ? Point{at, 1} : Point{1, at};
      d.add(Polyline{{to_page(a), to_page(b)}, g.style.color, g.style.width, g.style.dash});
    }
    std::vector<Placed> all;
    for (const Series& s : chart.series) all.push_back(placed(s, frame.x, frame.y));
    const double zero = frame.y.log ? 0 : frame.y.at(0);
    for (size_t k = 0; k < all.size(); ++k) {
      const Series& s = chart.series[k];
      if (!all[k].low.empty()) add_band(d, all[k], s.style, plot, to_page);
      if (!s.fill) continue;
      for (std::vector<Point> area : stretches(all[k].line)) {
        area.push_back({area.back().x, zero});
        area.push_back({area.front().x, zero});
        for (Point& p : area) p = to_page(p);
        d.add(Polygon{clipped_area(area, plot), s.style.color, 0.25});
      }
    }
    for (size_t k = 0; k < all.size(); ++k) add_series(d, chart.series[k], all[k], plot, to_page);
    const double left = plot.x + 5, right = plot.right() - legend.width * 1.05 - 3,
                 low = plot.bottom() - legend.height - 3, high = plot.y + 2;
    if (place == upper_right) add_legend(d, entries, {right, high}, widest);
    if (place == upper_left) add_legend(d, entries, {left, high}, widest);
    if (place == lower_right) add_legend(d, entries, {right, low}, widest);
    if (place == lower_left) add_legend(d, entries, {left, low}, widest);
    if (place == beside) add_legend(d, entries, {plot.right() + 8, high}, widest);
    if (place == below)
      add_legend(d, entries, {plot.x - frame.need.left, plot.bottom() + frame.need.bottom + 6}, widest);
  };
  return plan;
}

}  // namespace dalea::plot
