#include "common/connectome_picture.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/figure.h"
#include "common/markup.h"
#include "numerics/math.h"

namespace dalea {
namespace {

constexpr double full_turn = 6.283185307179586;

Color mixed(Color a, Color b, double t) {
  const auto mix = [t](uint8_t p, uint8_t q) { return static_cast<uint8_t>(std::lround(p + t * (q - p))); };
  return {mix(a.r, b.r), mix(a.g, b.g), mix(a.b, b.b)};
}

std::string plain_number(double v) {
  return short_number(v, 3);
}

struct Sheet {
  plot::Drawing d;
  void line(std::vector<plot::Point> points, Color color, double width, double alpha = 1) {
    d.add(plot::Polyline{.points = std::move(points), .color = color, .width = width, .alpha = alpha});
  }
  void text(plot::Point at, std::string text, double size, plot::Anchor anchor, Color color = plot::ink,
            bool up = false, plot::Weight weight = plot::Weight::regular) {
    d.add(plot::Text{
        .at = at, .text = std::move(text), .size = size, .anchor = anchor, .weight = weight, .color = color, .up = up});
  }
};

constexpr double figure_width = 400, title_room = 24, label = 7, small = 6;

// Where names of `size` points that are `step` apart fit: every name, every second one, ...
size_t every_name(double step) {
  return static_cast<size_t>(std::max(1.0, std::ceil(4.6 / std::max(step, 1e-3))));
}

std::string title_for(const Connectome& c, const ConnectomeDrawing& o) {
  return !o.title.empty() ? o.title : c.kind == "synthetic" ? "Synthetic connectome" : c.source;
}

void add_title(Sheet& sheet, const Connectome& c, const ConnectomeDrawing& o) {
  sheet.text({8, 15}, title_for(c, o), 9, plot::Anchor::start, plot::ink, false, plot::Weight::medium);
}

void add_key(Sheet& sheet, plot::Point at, double height, const LogScale& scale, const char* name) {
  constexpr int steps = 40;
  for (int k = 0; k < steps; ++k)
    sheet.d.add(plot::Rect{.x = at.x,
                           .y = at.y + height * k / steps,
                           .width = 9,
                           .height = height / steps + 0.3,
                           .fill = strength_color(1 - (k + 0.5) / steps)});
  sheet.text({at.x, at.y - 5}, name, label, plot::Anchor::start, plot::note_grey);
  sheet.text({at.x + 12, at.y + label * 0.7}, plain_number(scale.most), label, plot::Anchor::start);
  sheet.text({at.x + 12, at.y + height}, plain_number(scale.least), label, plot::Anchor::start);
}

void draw_regions_matrix(Sheet& sheet, const Connectome& c) {
  const LogScale scale = log_scale(c.weight);
  double names = 0;
  const double side_most = 300, step = side_most / static_cast<double>(c.nodes);
  const size_t every = every_name(step);
  const double size = std::clamp(step, 4.5, label);
  for (const std::string& n : c.names) names = std::max(names, plot::text_width(n, size));
  names = std::min(names, 90.0) + 4;
  const double x = 14 + names, y = title_room + 4;
  plot::Cells cells{.x = x, .y = y, .width = side_most, .height = side_most, .columns = c.nodes, .rows = c.nodes};
  for (int64_t to = 0; to < c.nodes; ++to)
    for (int64_t from = 0; from < c.nodes; ++from) {
      const double w = c.at(from, to);
      cells.colors.push_back(w > 0 ? strength_color(scale.at(w)) : plot::white);
    }
  sheet.d.add(std::move(cells));
  sheet.d.add(plot::Rect{
      .x = x, .y = y, .width = side_most, .height = side_most, .stroke = plot::axis_grey, .stroke_width = 0.6});
  for (size_t k = 0; k < c.names.size(); k += every) {
    const double middle = (static_cast<double>(k) + 0.5) * step;
    sheet.text({x - 3, y + middle + size * 0.35}, c.names[k], size, plot::Anchor::end);
    sheet.text({x + middle + size * 0.35, y + side_most + 3}, c.names[k], size, plot::Anchor::end, plot::ink, true);
  }
  sheet.text({10, y + side_most / 2}, "to", label, plot::Anchor::middle, plot::note_grey, true);
  sheet.text({x + side_most / 2, y + side_most + names + 10}, "from", label, plot::Anchor::middle, plot::note_grey);
  add_key(sheet, {x + side_most + 14, y + 12}, 90, scale, "weight (log)");
  sheet.d.add(plot::Rect{
      .x = x + side_most + 14, .y = y + 116, .width = 9, .height = 9, .fill = plot::white, .stroke = plot::axis_grey});
  sheet.text({x + side_most + 27, y + 123}, "no link", label, plot::Anchor::start);
  sheet.d.width = x + side_most + 70;
  sheet.d.height = y + side_most + names + 18;
}

void draw_regions_graph(Sheet& sheet, const Connectome& c, const ConnectomeDrawing& o) {
  const bool circle = o.which == ConnectomePicture::circle;
  const double side = 330, edge = circle ? 46 : 24;
  const plot::Point origin{edge, title_room + (circle ? 30 : 12)};
  const std::vector<plot::Point> place = region_places(c, o.which);
  const std::vector<Color> color = region_colors(c, o.colors);
  const std::vector<double> strength = region_strengths(c);
  const std::vector<RegionLink> links = links_by_weight(c);
  const size_t shown = count_strongest(links.size(), o.share);
  const LogScale scale = log_scale(std::span(links).first(shown));
  const auto on_page = [&](plot::Point p) { return plot::Point{origin.x + p.x * side, origin.y + p.y * side}; };
  const double radius = std::clamp(90.0 / std::sqrt(static_cast<double>(c.nodes)) / 4, 1.6, 6.0);
  // The weakest first, so that the strongest lie on top.
  for (size_t k = shown; k > 0; --k) {
    const RegionLink& link = links[k - 1];
    const double t = scale.at(link.weight);
    LinkCurve curve = link_curve(place[static_cast<size_t>(link.from)], place[static_cast<size_t>(link.to)], circle);
    std::vector<plot::Point> path;
    for (const plot::Point& p : curve) path.push_back(on_page(p));
    const double width = 0.3 + 1.9 * t * t, head = 2.2 + 1.6 * width;
    const plot::Point tip = path.back(), before = path[path.size() - 2];
    const double length = std::max(1e-9, std::hypot(tip.x - before.x, tip.y - before.y));
    const plot::Point way{(tip.x - before.x) / length, (tip.y - before.y) / length};
    const plot::Point end{tip.x - way.x * radius, tip.y - way.y * radius};
    const plot::Point base{end.x - way.x * head, end.y - way.y * head};
    path.back() = base;
    const Color ink = color[static_cast<size_t>(link.from)];
    const double alpha = 0.3 + 0.6 * t;
    sheet.line(std::move(path), ink, width, alpha);
    sheet.d.add(plot::Polygon{.points = {end,
                                         {base.x - way.y * head * 0.4, base.y + way.x * head * 0.4},
                                         {base.x + way.y * head * 0.4, base.y - way.x * head * 0.4}},
                              .color = ink,
                              .alpha = alpha});
  }
  const bool many = c.nodes > 24;
  std::vector<std::optional<plot::Point>> name_place;
  if (!circle) {
    std::vector<NamedDot> dots;
    for (size_t k = 0; k < place.size(); ++k)
      dots.push_back(
          {on_page(place[k]), radius * (0.7 + 0.6 * strength[k]), plot::text_width(c.names[k], small), small});
    name_place = free_name_places(dots, strongest_first(strength), 1);
  }
  size_t unnamed = 0;
  for (size_t k = 0; k < place.size(); ++k) {
    const plot::Point at = on_page(place[k]);
    sheet.d.add(plot::Mark{
        .at = at, .shape = plot::Marker::circle, .size = 2 * radius * (0.7 + 0.6 * strength[k]), .color = color[k]});
    if (!circle) {
      if (name_place[k])
        sheet.text({name_place[k]->x, name_place[k]->y + small * 0.85}, c.names[k], small, plot::Anchor::start);
      else
        ++unnamed;
      continue;
    }
    const double x = 2 * place[k].x - 1, y = 2 * place[k].y - 1;
    // Names at the top and the bottom are too close to stand beside each other: turned ones have room.
    const bool turned = many && std::fabs(x) < 0.72;
    const double out = radius * 1.4 + 3;
    const plot::Point text{at.x + x * out, at.y + y * out};
    if (turned)
      sheet.text({text.x + small * 0.35, text.y}, c.names[k], small, y < 0 ? plot::Anchor::start : plot::Anchor::end,
                 plot::ink, true);
    else
      sheet.text({text.x, text.y + small * 0.35 + (std::fabs(x) < 0.25 ? (y < 0 ? -2 : 3) : 0)}, c.names[k], small,
                 std::fabs(x) < 0.25 ? plot::Anchor::middle
                 : x > 0             ? plot::Anchor::start
                                     : plot::Anchor::end);
  }
  const double foot = origin.y + side + (circle ? 44 : 24);
  const std::string colored = o.colors == RegionColors::region ? "in the colour of the region they come from"
                              : o.colors == RegionColors::strength
                                  ? "coloured by the strength of the region they "
                                    "come from"
                                  : "red from excitatory, blue from inhibitory regions";
  sheet.text({8, foot},
             "The strongest " + std::to_string(shown) + " of " + std::to_string(links.size()) + " links, " + colored +
                 "." + (unnamed > 0 ? " " + std::to_string(unnamed) + " names have no room." : ""),
             label, plot::Anchor::start, plot::note_grey);
  double x = 8;
  for (const double part : {1.0, 0.6, 0.2}) {
    sheet.line({{x, foot + 10}, {x + 18, foot + 10}}, plot::note_grey, 0.3 + 1.9 * part * part);
    const double w = scale.least > 0 ? scale.least * portable::exp(part * std::log(scale.most / scale.least)) : 0;
    sheet.text({x + 21, foot + 12.5}, plain_number(w), label, plot::Anchor::start);
    x += 60;
  }
  sheet.text({x, foot + 12.5}, "weight", label, plot::Anchor::start, plot::note_grey);
  sheet.d.width = std::max(figure_width, 2 * edge + side);
  sheet.d.height = foot + 20;
}

}  // namespace

Result<ConnectomePicture> parse_connectome_picture(std::string_view name) {
  for (size_t k = 0; k < std::size(connectome_pictures); ++k)
    if (name == connectome_pictures[k]) return static_cast<ConnectomePicture>(k);
  return Error{"--picture", "'" + std::string(name) + "' is none; there are matrix, circle and space"};
}

std::vector<RegionLink> links_by_weight(const Connectome& c) {
  std::vector<RegionLink> list;
  for (int64_t i = 0; i < c.nodes; ++i)
    for (int64_t j = 0; j < c.nodes; ++j)
      if (i != j && c.at(i, j) > 0) list.push_back({static_cast<int32_t>(i), static_cast<int32_t>(j), c.at(i, j)});
  std::stable_sort(list.begin(), list.end(),
                   [](const RegionLink& a, const RegionLink& b) { return a.weight > b.weight; });
  return list;
}

size_t count_strongest(size_t links, double share) {
  if (links == 0) return 0;
  const double wanted = std::round(std::clamp(share, 0.0, 1.0) * static_cast<double>(links));
  return std::clamp<size_t>(static_cast<size_t>(wanted), 1, links);
}

double LogScale::at(double weight) const {
  if (!(weight > 0) || !(least > 0)) return 0;
  if (!(most > least)) return 1;
  return std::clamp(std::log(weight / least) / std::log(most / least), 0.0, 1.0);
}

LogScale log_scale(std::span<const double> weights) {
  LogScale s;
  for (double w : weights) {
    if (!(w > 0)) continue;
    s.least = s.least > 0 ? std::min(s.least, w) : w;
    s.most = std::max(s.most, w);
  }
  return s;
}

LogScale log_scale(std::span<const RegionLink> links) {
  std::vector<double> weights;
  for (const RegionLink& l : links) weights.push_back(l.weight);
  return log_scale(weights);
}

std::vector<double> region_strengths(const Connectome& c) {
  std::vector<double> s(static_cast<size_t>(c.nodes), 0.0);
  for (int64_t i = 0; i < c.nodes; ++i)
    for (int64_t j = 0; j < c.nodes; ++j)
      if (i != j) {
        s[static_cast<size_t>(i)] += c.at(i, j);
        s[static_cast<size_t>(j)] += c.at(i, j);
      }
  const double most = s.empty() ? 0 : *std::max_element(s.begin(), s.end());
  for (double& v : s) v = most > 0 ? v / most : 0;
  return s;
}

Color region_hue(size_t k, size_t count) {
  const double at = 6 * static_cast<double>(k) / static_cast<double>(std::max<size_t>(1, count));
  // Around the circle of hues at a lightness that is read on white.
  constexpr Color stops[] = {{0xb8, 0x32, 0x2a}, {0xb5, 0x7a, 0x0c}, {0x3f, 0x8a, 0x2b},
                             {0x0f, 0x8a, 0x8c}, {0x2f, 0x62, 0xc4}, {0x95, 0x3f, 0xb5}};
  const auto from = static_cast<size_t>(at) % 6;
  return mixed(stops[from], stops[(from + 1) % 6], at - std::floor(at));
}

Color strength_color(double part) {
  const double t = std::clamp(part, 0.0, 1.0);
  constexpr Color pale = {0xe9, 0xe4, 0xf4}, middle = {0x9a, 0x7c, 0xcf}, deep = {0x3b, 0x16, 0x70};
  return t < 0.5 ? mixed(pale, middle, 2 * t) : mixed(middle, deep, 2 * t - 1);
}

std::vector<Color> region_colors(const Connectome& c, RegionColors by) {
  std::vector<Color> list;
  const std::vector<double> strength = region_strengths(c);
  for (size_t k = 0; k < c.names.size(); ++k) {
    const Sign sign = k < c.sign.size() ? c.sign[k] : Sign::free;
    list.push_back(by == RegionColors::region     ? region_hue(k, c.names.size())
                   : by == RegionColors::strength ? strength_color(0.25 + 0.75 * strength[k])
                   : sign == Sign::excitatory     ? plot::excitatory
                   : sign == Sign::inhibitory     ? plot::inhibitory
                                                  : Color{0x6e, 0x74, 0x7e});
  }
  return list;
}

std::vector<plot::Point> region_places(const Connectome& c, ConnectomePicture which) {
  std::vector<plot::Point> at(static_cast<size_t>(c.nodes), {0.5, 0.5});
  if (which == ConnectomePicture::space && c.x.size() == at.size() && c.y.size() == at.size()) {
    const auto [left, right] = std::minmax_element(c.x.begin(), c.x.end());
    const auto [low, high] = std::minmax_element(c.y.begin(), c.y.end());
    const double span = std::max({*right - *left, *high - *low, 1e-12});
    for (size_t k = 0; k < at.size(); ++k)
      at[k] = {0.5 + (c.x[k] - (*left + *right) / 2) / span, 0.5 - (c.y[k] - (*low + *high) / 2) / span};
    return at;
  }
  for (size_t k = 0; k < at.size(); ++k) {
    const double angle = full_turn * static_cast<double>(k) / static_cast<double>(at.size());
    at[k] = {0.5 + 0.5 * std::sin(angle), 0.5 - 0.5 * std::cos(angle)};
  }
  return at;
}

LinkCurve link_curve(plot::Point a, plot::Point b, bool circle) {
  const double dx = b.x - a.x, dy = b.y - a.y;
  const double lean = circle ? 0.07 : 0.14;
  plot::Point bend{(a.x + b.x) / 2, (a.y + b.y) / 2};
  if (circle) bend = {bend.x + 0.62 * (0.5 - bend.x), bend.y + 0.62 * (0.5 - bend.y)};
  bend = {bend.x + lean * dy, bend.y - lean * dx};
  LinkCurve curve;
  for (size_t k = 0; k < link_points; ++k) {
    const double t = static_cast<double>(k) / static_cast<double>(link_points - 1), s = 1 - t;
    curve[k] = {s * s * a.x + 2 * s * t * bend.x + t * t * b.x, s * s * a.y + 2 * s * t * bend.y + t * t * b.y};
  }
  return curve;
}

std::vector<size_t> strongest_first(const std::vector<double>& strength) {
  std::vector<size_t> order(strength.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return strength[a] > strength[b]; });
  return order;
}

std::vector<std::optional<plot::Point>> free_name_places(const std::vector<NamedDot>& dots,
                                                         const std::vector<size_t>& order, double gap) {
  std::vector<std::optional<plot::Point>> place(dots.size());
  const auto apart = [](plot::Point a, double aw, double ah, plot::Point b, double bw, double bh) {
    return a.x + aw <= b.x || b.x + bw <= a.x || a.y + ah <= b.y || b.y + bh <= a.y;
  };
  for (const size_t k : order) {
    const NamedDot& d = dots[k];
    const double out = d.radius + gap;
    for (const plot::Point at : {plot::Point{d.at.x - d.width / 2, d.at.y - out - d.height},
                                 {d.at.x - d.width / 2, d.at.y + out},
                                 {d.at.x + out, d.at.y - d.height / 2},
                                 {d.at.x - out - d.width, d.at.y - d.height / 2}}) {
      bool free = true;
      for (size_t other = 0; other < dots.size() && free; ++other) {
        const NamedDot& o = dots[other];
        free = (other == k ||
                apart(at, d.width, d.height, {o.at.x - o.radius, o.at.y - o.radius}, 2 * o.radius, 2 * o.radius)) &&
               (!place[other] || apart(at, d.width, d.height, *place[other], o.width, o.height));
      }
      if (!free) continue;
      place[k] = at;
      break;
    }
  }
  return place;
}

Result<plot::Drawing> connectome_drawing(const Connectome& c, const ConnectomeDrawing& o) {
  constexpr int64_t most_cells = 3000, most_regions = 400;
  if (o.which == ConnectomePicture::space && c.x.empty())
    return Error{"--picture", "space needs the positions of the regions, which " + c.source +
                                  " does not hold; give connectome.names as a table of name, x and y, or take circle"};
  if (o.which == ConnectomePicture::matrix && c.nodes > most_cells)
    return Error{"--picture", "matrix: " + std::to_string(c.nodes) + " nodes are more than the " +
                                  std::to_string(most_cells) + " that can be drawn"};
  if (o.which != ConnectomePicture::matrix && c.nodes > most_regions)
    return Error{"--picture", std::to_string(c.nodes) + " nodes are more than the " + std::to_string(most_regions) +
                                  " that a graph can show; take matrix"};
  Sheet sheet;
  add_title(sheet, c, o);
  if (o.which == ConnectomePicture::matrix)
    draw_regions_matrix(sheet, c);
  else
    draw_regions_graph(sheet, c, o);
  sheet.d.title = title_for(c, o);
  sheet.d.description = std::to_string(c.nodes) + " regions and " + std::to_string(c.links()) + " links of " +
                        c.source +
                        (o.which == ConnectomePicture::matrix   ? " as a matrix of weights, rows are targets."
                         : o.which == ConnectomePicture::circle ? " on a circle."
                                                                : " where the regions lie.");
  return std::move(sheet.d);
}

std::string connectome_csv(const Connectome& c) {
  std::string text = "from,to,weight\n";
  for (int64_t i = 0; i < c.nodes; ++i)
    for (int64_t j = 0; j < c.nodes; ++j)
      if (c.at(i, j) != 0)
        text += csv_field(c.names[static_cast<size_t>(i)]) + "," + csv_field(c.names[static_cast<size_t>(j)]) + "," +
                short_number(c.at(i, j), 17) + "\n";
  return text;
}

}  // namespace dalea
