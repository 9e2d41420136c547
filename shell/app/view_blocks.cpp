// Connection probabilities by block, as a matrix that can be changed in place.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/build_parts.h"
#include "app/matrix_picture.h"
#include "app/widgets.h"
#include "imgui_internal.h"

namespace dalea::app {
namespace {

// Near white to the sign's colour; the square root shows small probabilities too.
uint32_t block_color(double p, Sign sign) {
  if (p <= 0) return packed(absent_color);
  const auto v = static_cast<float>(std::sqrt(p));
  if (sign == Sign::excitatory) return packed(weight_color(v, 1));
  if (sign == Sign::inhibitory) return packed(weight_color(-v, 1));
  const Color white = weight_color(0, 1);
  const auto mix = [v](uint8_t a, float b) { return static_cast<uint8_t>(static_cast<float>(a) * (1 - v) + b * v); };
  return packed({mix(white.r, 62), mix(white.g, 66), mix(white.b, 74)});
}

}  // namespace

bool draw_blocks(App& app, ImVec2 at, ImVec2 size) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  BuildState& b = app.view.build;
  const Spec& s = shown_spec(app);
  const size_t n = s.populations.size();
  const auto count = static_cast<float>(n);
  ImDrawList* draw = ImGui::GetWindowDrawList();
  ImGui::PushFont(fonts.small);
  const float line = ImGui::GetTextLineHeight(), mark = 5 * u, names = widest_name(s) + 2 * mark + 8 * u;
  const float left = line + 4 * u + std::min(names, 0.32f * size.x);
  float cell_w = std::floor((size.x - left) / count);
  const bool level = widest_name(s) < std::min(cell_w, 88 * u) - 4 * u;
  const float top = line + 4 * u + (level ? line + 2 * mark + 6 * u : std::min(names, 0.3f * size.y));
  float cell_h = std::floor((size.y - top) / count);
  cell_w = std::max(4.0f, std::min({cell_w, 88 * u, 2.2f * cell_h}));
  cell_h = std::max(4.0f, std::min({cell_h, 88 * u, 1.4f * cell_w}));
  const float wide = cell_w * count, high = cell_h * count;
  const ImVec2 origin = {std::floor(at.x + left + std::max(0.0f, size.x - left - wide) / 2), std::floor(at.y + top)};
  const ImVec2 end = {origin.x + wide, origin.y + high};

  const ImU32 ink = color32(p.text), muted = color32(p.muted);
  const char *from = "from (presynaptic)", *to = "to (postsynaptic)";
  draw->AddText({origin.x + (wide - ImGui::CalcTextSize(from).x) / 2, at.y}, muted, from);
  const float out = std::min(names, left - line - 4 * u);  // what the row names take
  vertical_text(draw, {origin.x - out - line / 2 - 4 * u, origin.y + (high + ImGui::CalcTextSize(to).x) / 2}, muted,
                to);
  for (size_t k = 0; k < n; ++k) {
    const Population& pop = s.populations[k];
    const ImU32 color = color32(sign_color(pop.sign, app.theme));
    const bool wrong = has_problem(app, "populations[" + std::to_string(k) + "]");
    const ImU32 text = wrong ? color32(p.bad) : ink;
    const float x = origin.x + (static_cast<float>(k) + 0.5f) * cell_w,
                y = origin.y + (static_cast<float>(k) + 0.5f) * cell_h;
    if (cell_h >= line - 2 * u || k % 2 == 0) {
      const std::string row = cut_text(pop.name, out - 2 * mark - 8 * u);
      draw->AddText({origin.x - 2 * mark - 7 * u - ImGui::CalcTextSize(row.c_str()).x, y - line / 2}, text,
                    row.c_str());
    }
    sign_mark(draw, {origin.x - mark - 3 * u, y}, mark, pop.sign, color, color, 1);
    sign_mark(draw, {x, origin.y - mark - 3 * u}, mark, pop.sign, color, color, 1);
    if (level)
      draw->AddText({x - ImGui::CalcTextSize(pop.name.c_str()).x / 2, origin.y - 2 * mark - 6 * u - line}, text,
                    pop.name.c_str());
    else if (cell_w >= line - 2 * u || k % 2 == 0)
      vertical_text(draw, {x, origin.y - 2 * mark - 6 * u}, text,
                    cut_text(pop.name, top - line - 2 * mark - 12 * u).c_str());
  }

  ImGui::SetCursorScreenPos(origin);
  ImGui::InvisibleButton("blocks", {wide, high});
  app.track("build:blocks");
  const ImGuiIO& io = ImGui::GetIO();
  const bool hovered = ImGui::IsItemHovered();
  const auto column = static_cast<int>(std::floor((io.MousePos.x - origin.x) / cell_w)),
             row = static_cast<int>(std::floor((io.MousePos.y - origin.y) / cell_h));
  const int last = static_cast<int>(n) - 1;
  const bool inside = hovered && column >= 0 && row >= 0 && column <= last && row <= last;
  bool changed = false;
  if (ImGui::IsItemActivated() && inside && ImGui::IsMouseDown(0)) {
    select(b, whole(row), whole(column));
    b.typed.clear();
    b.dragged = probability_at(s, whole(row), whole(column));
  }
  if (ImGui::IsItemActive() && ImGui::IsMouseDragging(0, 3 * u) && io.MouseDelta.y != 0) {
    b.dragged -= static_cast<double>(io.MouseDelta.y / u) * (io.KeyShift ? 0.0005 : 0.005);
    changed = set_selected(app, std::round(200 * std::clamp(b.dragged, 0.0, 1.0)) / 200) || changed;
  }
  if (inside && row == b.post && column == b.pre) {
    ImGui::SetItemKeyOwner(ImGuiKey_MouseWheelY);
    if (io.MouseWheel != 0)
      changed =
          set_selected(app, probability_at(s, whole(row), whole(column)) + 0.01 * static_cast<double>(io.MouseWheel)) ||
          changed;
  }
  changed = use_keys(app) || changed;
  focus_frame(app, origin, end);

  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) {
      const double v = probability_at(s, i, j);
      const uint32_t color = block_color(v, s.populations[j].sign);
      const ImVec2 a = {origin.x + static_cast<float>(j) * cell_w, origin.y + static_cast<float>(i) * cell_h},
                   c = {a.x + cell_w, a.y + cell_h};
      draw->AddRectFilled(a, {c.x - 1, c.y - 1}, color);
      if (v <= 0) {
        const float r = 0.14f * std::min(cell_w, cell_h);
        draw->AddLine({(a.x + c.x) / 2 - r, (a.y + c.y) / 2 + r}, {(a.x + c.x) / 2 + r, (a.y + c.y) / 2 - r},
                      IM_COL32(120, 126, 136, 255), u);
      } else if (cell_h >= line - 2 * u) {
        const std::string text = short_probability(v);
        const float width = ImGui::CalcTextSize(text.c_str()).x;
        if (width <= cell_w - 2)
          draw->AddText({(a.x + c.x - width) / 2, (a.y + c.y - line) / 2}, ink_on(color), text.c_str());
      }
      if (n <= 6) app.track("block:" + std::to_string(i) + "," + std::to_string(j), a, c);
    }
  draw->AddRect({origin.x - 1, origin.y - 1}, end, muted);
  for (const Error& e : app.problems) {
    unsigned i = 0, j = 0;
    if (std::sscanf(e.path.c_str(), "connectivity.probability[%u][%u]", &i, &j) != 2 || i >= n || j >= n) continue;
    const ImVec2 a = {origin.x + static_cast<float>(j) * cell_w, origin.y + static_cast<float>(i) * cell_h};
    draw->AddRect(a, {a.x + cell_w - 1, a.y + cell_h - 1}, color32(p.bad), 0, 0, 2 * u);
  }
  const ImVec2 chosen = {origin.x + static_cast<float>(b.pre) * cell_w, origin.y + static_cast<float>(b.post) * cell_h};
  draw->AddRect({chosen.x - 1, chosen.y - 1}, {chosen.x + cell_w, chosen.y + cell_h}, color32(p.accent), 2 * u, 0,
                2.5f * u);
  ImGui::PopFont();
  if (inside && !ImGui::IsItemActive()) connection_tooltip(app, whole(row), whole(column));
  return changed;
}

}  // namespace dalea::app
