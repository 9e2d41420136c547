// The same as a circuit: populations, and between them connections as wide as their probability.
#include <algorithm>
#include <cmath>

#include "app/arrows.h"
#include "app/build_parts.h"
#include "app/views.h"
#include "app/widgets.h"

namespace dalea::app {
namespace {

constexpr double new_connection = 0.2;  // the probability of one that was drawn

}  // namespace

bool draw_circuit(App& app, ImVec2 at, ImVec2 size) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  BuildState& b = app.view.build;
  const Spec& s = shown_spec(app);
  const size_t n = s.populations.size();
  ImDrawList* draw = ImGui::GetWindowDrawList();
  ImGui::PushFont(fonts.small);
  const float line = ImGui::GetTextLineHeight();
  const CircuitLayout layout = place_populations(s.populations);
  const bool circle = layout.columns.empty() && layout.rows.empty();
  const float head = layout.columns.empty() ? 0 : line + 2 * u;
  float lane = 0;
  for (const std::string& row : layout.rows) lane = std::max(lane, ImGui::CalcTextSize(row.c_str()).x + 6 * u);
  // A circle leaves room for loops and names around it; cells have it inside.
  const float margin = circle ? std::min(0.22f * std::min(size.x, size.y), 76 * u) : 0;
  ImVec2 low = {at.x + lane + margin, at.y + head + margin},
         high = {at.x + size.x - margin, at.y + size.y - margin - (circle ? line : 0)};
  if (circle && n == 2) {  // a wide line looks lost: closer together
    const float spare = std::max(0.0f, (high.x - low.x) - 1.1f * (high.y - low.y + 2 * margin));
    low.x += spare / 2;
    high.x -= spare / 2;
  }
  std::vector<ImVec2> centre(n);
  std::vector<float> radius(n);
  int64_t largest = 1;
  float apart = 0.45f * std::min(size.x, size.y);
  for (size_t k = 0; k < n; ++k) {
    centre[k] = {low.x + static_cast<float>(layout.at[k].x) * (high.x - low.x),
                 low.y + static_cast<float>(layout.at[k].y) * (high.y - low.y)};
    largest = std::max(largest, s.populations[k].size);
    for (size_t j = 0; j < k; ++j)
      apart = std::min(apart, std::hypot(centre[k].x - centre[j].x, centre[k].y - centre[j].y));
  }
  const float most = std::clamp(0.3f * apart, 6 * u, 30 * u);
  ImVec2 middle = {};
  for (size_t k = 0; k < n; ++k) {
    const double share =
        static_cast<double>(std::max<int64_t>(0, s.populations[k].size)) / static_cast<double>(largest);
    radius[k] = std::max(5 * u, most * static_cast<float>(std::sqrt(share)));
    middle.x += centre[k].x / static_cast<float>(n);
    middle.y += centre[k].y / static_cast<float>(n);
  }

  ImGui::SetCursorScreenPos(at);
  ImGui::InvisibleButton("circuit", size);
  app.track("build:circuit");
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  const bool hovered = ImGui::IsItemHovered(), active = ImGui::IsItemActive();
  const auto node_at = [&] {
    for (size_t k = 0; k < n; ++k)
      if (std::hypot(mouse.x - centre[k].x, mouse.y - centre[k].y) <= radius[k] + 3 * u) return static_cast<int>(k);
    return -1;
  };
  const int node = hovered || active ? node_at() : -1;

  for (size_t c = 0; c < layout.columns.size(); ++c) {
    const float step = (high.x - low.x) / static_cast<float>(layout.columns.size());
    const std::string name = cut_text(layout.columns[c], step);
    draw->AddText({low.x + (static_cast<float>(c) + 0.5f) * step - ImGui::CalcTextSize(name.c_str()).x / 2, at.y},
                  color32(p.muted), name.c_str());
    if (c > 0)
      draw->AddLine({low.x + static_cast<float>(c) * step, low.y}, {low.x + static_cast<float>(c) * step, high.y},
                    color32(p.border), u);
  }
  for (size_t r = 0; r < layout.rows.size(); ++r) {
    const float step = (high.y - low.y) / static_cast<float>(layout.rows.size());
    draw->AddText({at.x, low.y + (static_cast<float>(r) + 0.5f) * step - line / 2}, color32(p.muted),
                  layout.rows[r].c_str());
    if (r > 0)
      draw->AddLine({low.x, low.y + static_cast<float>(r) * step}, {high.x, low.y + static_cast<float>(r) * step},
                    color32(p.border), u);
  }

  double strongest = 0;
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) strongest = std::max(strongest, probability_at(s, i, j));
  const auto curve_of = [&](size_t post, size_t pre) {
    const float gap = 3 * u;
    if (post != pre) return connection_curve(centre[pre], radius[pre] + gap, centre[post], radius[post] + gap);
    const float dx = centre[post].x - middle.x, dy = centre[post].y - middle.y;
    const float outwards = circle && std::hypot(dx, dy) > 4 * u ? std::atan2(dy, dx) : -1.5707963f;
    return loop_curve(centre[post], radius[post] + gap, outwards);
  };
  const bool crowded = n > 6;
  int near_post = -1, near_pre = -1;
  float nearest = 6 * u;
  const auto draw_one = [&](size_t i, size_t j, float alpha) {
    const double v = probability_at(s, i, j);
    const Curve curve = curve_of(i, j);
    if (hovered && node < 0) {
      const float d = curve_distance(curve, mouse);
      if (d < nearest) {
        nearest = d;
        near_post = static_cast<int>(i);
        near_pre = static_cast<int>(j);
      }
    }
    const auto weight = (0.9f + (crowded ? 3.2f : 5.0f) * static_cast<float>(v)) * u;
    draw_connection(draw, curve, s.populations[j].sign, color32(sign_color(s.populations[j].sign, app.theme), alpha),
                    weight, crowded ? 0.7f * u : u);
  };
  const auto of_node = [&](size_t i, size_t j) { return node == static_cast<int>(i) || node == static_cast<int>(j); };
  for (bool front : {false, true})
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) {
        const double v = probability_at(s, i, j);
        if (v <= 0 || front != (node >= 0 && of_node(i, j))) continue;
        const auto plain = crowded ? 0.12f + 0.55f * static_cast<float>(std::sqrt(v / strongest)) : 0.85f;
        draw_one(i, j, front ? 1 : node >= 0 ? 0.3f * plain : plain);
      }
  // What is selected, or under the pointer.
  const auto outline = [&](size_t post, size_t pre, float alpha) {
    Curve curve = curve_of(post, pre);
    draw->AddPolyline(curve.data(), static_cast<int>(curve_points), color32(p.accent, alpha), ImDrawFlags_None,
                      (2.5f + (crowded ? 3.2f : 5.0f) * static_cast<float>(probability_at(s, post, pre))) * u);
    if (probability_at(s, post, pre) > 0) draw_one(post, pre, 1);
  };
  outline(whole(b.post), whole(b.pre), 0.55f);
  if (near_post >= 0) outline(whole(near_post), whole(near_pre), 0.35f);

  const bool labelled = !layout.columns.empty() && !layout.rows.empty();  // then the type alone tells them apart
  for (size_t k = 0; k < n; ++k) {
    const Population& pop = s.populations[k];
    const bool on = node == static_cast<int>(k) || b.drawn_from == static_cast<int>(k);
    const bool wrong = has_problem(app, "populations[" + std::to_string(k) + "]");
    sign_mark(draw, centre[k], radius[k], pop.sign, color32(sign_color(pop.sign, app.theme)),
              color32(wrong ? p.bad
                      : on  ? p.accent
                            : p.panel),
              (wrong || on ? 3.0f : 1.5f) * u);
    const std::string name =
        cut_text(labelled && !pop.type.empty() ? pop.type : pop.name, std::max(34 * u, 1.6f * apart));
    const float width = ImGui::CalcTextSize(name.c_str()).x, y = centre[k].y + radius[k] + 2 * u;
    draw->AddRectFilled({centre[k].x - width / 2 - 2 * u, y}, {centre[k].x + width / 2 + 2 * u, y + line},
                        color32(p.panel, 0.75f), 3 * u);
    draw->AddText({centre[k].x - width / 2, y}, color32(wrong ? p.bad : p.text), name.c_str());
    app.track("node:" + std::to_string(k), {centre[k].x - radius[k], centre[k].y - radius[k]},
              {centre[k].x + radius[k], centre[k].y + radius[k]});
  }

  bool changed = false;
  ImGui::PopFont();
  if (ImGui::IsItemActivated() && hovered && ImGui::IsMouseDown(0)) {
    b.drawn_from = node;
    if (node < 0 && near_post >= 0) select(b, whole(near_post), whole(near_pre));
  }
  if (active && b.drawn_from >= 0) {
    const size_t from = whole(b.drawn_from);
    if (node != b.drawn_from)
      draw->AddLine(centre[from], node >= 0 ? centre[whole(node)] : mouse,
                    color32(sign_color(s.populations[from].sign, app.theme)), 2 * u);
  }
  if (ImGui::IsItemDeactivated() && b.drawn_from >= 0) {
    const int target = node_at();
    if (target >= 0) {
      select(b, whole(target), whole(b.drawn_from));
      if (target != b.drawn_from && !made_by_rules(app.draft) &&
          probability_at(s, whole(target), whole(b.drawn_from)) <= 0)
        changed = set_selected(app, new_connection);
    }
    b.drawn_from = -1;
  }
  changed = use_keys(app) || changed;
  focus_frame(app, at, {at.x + size.x, at.y + size.y});
  if (near_post >= 0 && !active) connection_tooltip(app, whole(near_post), whole(near_pre));
  if (node >= 0 && !active) {
    const Population& pop = s.populations[whole(node)];
    ImGui::BeginTooltip();
    ImGui::PushFont(fonts.medium);
    ImGui::TextUnformatted(pop.name.c_str());
    ImGui::PopFont();
    ImGui::Text("%s units, %s", grouped(pop.size).c_str(), sign_word(pop.sign));
    if (!made_by_rules(app.draft))
      ImGui::TextDisabled("Drag to another population to connect them; click for its own loop");
    ImGui::EndTooltip();
  }
  return changed;
}

}  // namespace dalea::app
