// Arrows between the nodes of a circuit, for the tabs Build and Compare.
#pragma once

#include <array>
#include <span>

#include "imgui.h"
#include "spec/spec.h"

namespace dalea::app {

constexpr size_t curve_points = 17;
using Curve = std::array<ImVec2, curve_points>;

// From a to b, outside circles of these radii; bent to its own left, so that two opposite ones lie apart.
Curve connection_curve(ImVec2 a, float ra, ImVec2 b, float rb);
// From a node to itself; `direction`: where it lies, radians, clockwise from the right.
Curve loop_curve(ImVec2 a, float r, float direction);
float curve_distance(std::span<const ImVec2> curve, ImVec2 from);
// An arrow: excitatory; a bar: inhibitory; a ring: free.
void draw_connection(ImDrawList* draw, Curve curve, Sign sign, ImU32 color, float weight, float u);

}  // namespace dalea::app
