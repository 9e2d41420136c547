#include "app/arrows.h"

#include <algorithm>
#include <cmath>

namespace dalea::app {
namespace {

ImVec2 along_line(ImVec2 from, ImVec2 to, float length) {
  const float x = to.x - from.x, y = to.y - from.y, d = std::max(1e-3f, std::hypot(x, y));
  return {from.x + x / d * length, from.y + y / d * length};
}

}  // namespace

Curve connection_curve(ImVec2 a, float ra, ImVec2 b, float rb) {
  const ImVec2 bend = {(a.x + b.x) / 2 + 0.16f * (b.y - a.y), (a.y + b.y) / 2 - 0.16f * (b.x - a.x)};
  const ImVec2 start = along_line(a, bend, ra), end = along_line(b, bend, rb);
  Curve curve;
  for (size_t k = 0; k < curve_points; ++k) {
    const float t = static_cast<float>(k) / (curve_points - 1), s = 1 - t;
    curve[k] = {s * s * start.x + 2 * s * t * bend.x + t * t * end.x,
                s * s * start.y + 2 * s * t * bend.y + t * t * end.y};
  }
  return curve;
}

Curve loop_curve(ImVec2 a, float r, float direction) {
  const auto point = [&](float angle, float radius) {
    return ImVec2(a.x + std::cos(angle) * radius, a.y + std::sin(angle) * radius);
  };
  const ImVec2 p[4] = {point(direction - 0.5f, r), point(direction - 0.75f, 2.7f * r),
                       point(direction + 0.75f, 2.7f * r), point(direction + 0.5f, r)};
  Curve curve;
  for (size_t k = 0; k < curve_points; ++k) {
    const float t = static_cast<float>(k) / (curve_points - 1), s = 1 - t;
    const float w[4] = {s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t};
    curve[k] = {};
    for (int c = 0; c < 4; ++c) {
      curve[k].x += w[c] * p[c].x;
      curve[k].y += w[c] * p[c].y;
    }
  }
  return curve;
}

float curve_distance(std::span<const ImVec2> curve, ImVec2 from) {
  float best = INFINITY;
  for (size_t k = 0; k + 1 < curve.size(); ++k) {
    const ImVec2 a = curve[k], d = {curve[k + 1].x - a.x, curve[k + 1].y - a.y};
    const float t =
        std::clamp(((from.x - a.x) * d.x + (from.y - a.y) * d.y) / std::max(1e-6f, d.x * d.x + d.y * d.y), 0.0f, 1.0f);
    best = std::min(best, std::hypot(a.x + t * d.x - from.x, a.y + t * d.y - from.y));
  }
  return best;
}

void draw_connection(ImDrawList* draw, Curve curve, Sign sign, ImU32 color, float weight, float u) {
  const ImVec2 end = curve.back(), before = curve[curve_points - 2];
  const float head = 4 * u + 1.1f * weight;
  const ImVec2 along = along_line({0, 0}, {end.x - before.x, end.y - before.y}, 1), side = {-along.y, along.x};
  if (sign == Sign::excitatory) curve.back() = along_line(end, before, 0.7f * head);  // the line ends inside the arrow
  draw->AddPolyline(curve.data(), static_cast<int>(curve_points), color, ImDrawFlags_None, weight);
  if (sign == Sign::excitatory)
    draw->AddTriangleFilled(
        end,
        {end.x - along.x * 1.5f * head + side.x * 0.7f * head, end.y - along.y * 1.5f * head + side.y * 0.7f * head},
        {end.x - along.x * 1.5f * head - side.x * 0.7f * head, end.y - along.y * 1.5f * head - side.y * 0.7f * head},
        color);
  else if (sign == Sign::inhibitory)
    draw->AddLine({end.x + side.x * head, end.y + side.y * head}, {end.x - side.x * head, end.y - side.y * head}, color,
                  std::max(2.0f * u, 0.7f * weight));
  else
    draw->AddCircle(end, 0.6f * head, color, 0, 1.5f * u);
}

}  // namespace dalea::app
