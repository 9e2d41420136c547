// A connectome as pictures: the matrix of its regions, regions on a circle, and regions where they lie. Places, curves
// and colours are the window's too.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/drawing.h"
#include "connectome/connectome.h"

namespace dalea {

enum class ConnectomePicture { matrix, circle, space };
constexpr const char* connectome_pictures[] = {"matrix", "circle", "space"};
Result<ConnectomePicture> parse_connectome_picture(std::string_view name);

struct RegionLink {
  int32_t from = 0, to = 0;
  double weight = 0;
};
// Between different regions, the strongest first; equal ones in the order of from, then to.
std::vector<RegionLink> links_by_weight(const Connectome& c);
// How many of so many links the strongest `share` of them are, 0 < share <= 1: at least one, where there is one.
size_t count_strongest(size_t links, double share);

// Weights above 0 by their logarithm: 0 the least, 1 the largest; all the same: 1.
struct LogScale {
  double least = 0, most = 0;  // 0: there are none
  double at(double weight) const;
};
LogScale log_scale(std::span<const double> weights);
LogScale log_scale(std::span<const RegionLink> links);

// Of each region: the weights of its links with others, both ways, over the largest such sum.
std::vector<double> region_strengths(const Connectome& c);

enum class RegionColors { region, strength, sign };
// `k` of `count` regions: a hue of its own, in the order of the circle.
Color region_hue(size_t k, size_t count);
Color strength_color(double part);  // 0 .. 1: pale to deep violet; of matrices too
std::vector<Color> region_colors(const Connectome& c, RegionColors by);

// In a unit square, y downwards. Circle: the first at the top, then clockwise; space: as measured, which must be known.
std::vector<plot::Point> region_places(const Connectome& c, ConnectomePicture which);
// From a to b, leaning so that both directions are seen; on a circle (around 0.5, 0.5) through its inside.
constexpr size_t link_points = 14;
using LinkCurve = std::array<plot::Point, link_points>;
LinkCurve link_curve(plot::Point a, plot::Point b, bool circle);

// A dot and its name; where the name goes so that it covers neither another name nor another dot: above, below, right
// or left of its dot. The first of `order` choose first; empty where no place is free. Points are upper left corners.
struct NamedDot {
  plot::Point at;
  double radius = 0, width = 0, height = 0;  // of the dot; of the name
};
std::vector<std::optional<plot::Point>> free_name_places(const std::vector<NamedDot>& dots,
                                                         const std::vector<size_t>& order, double gap);
std::vector<size_t> strongest_first(const std::vector<double>& strength);

// Rows are where links end, columns where they begin. The graphs show the strongest `share` of the links, in the colour
// of the region that each comes from.
struct ConnectomeDrawing {
  ConnectomePicture which = ConnectomePicture::matrix;
  double share = 0.2;
  RegionColors colors = RegionColors::region;
  std::string title;  // empty: the connectome's source
};
Result<plot::Drawing> connectome_drawing(const Connectome& c, const ConnectomeDrawing& options);
std::string connectome_csv(const Connectome& c);  // from,to,weight: a link a line, row by row

}  // namespace dalea
