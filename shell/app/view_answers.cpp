// Which class the network answered when which was asked for: the held-out trials, when the last epoch ended.
#include <algorithm>
#include <cmath>

#include "app/views.h"
#include "app/widgets.h"

namespace dalea::app {
namespace {

void text_right(ImDrawList* draw, ImVec2 at, ImU32 color, const std::string& text) {
  draw->AddText({at.x - ImGui::CalcTextSize(text.c_str()).x, at.y}, color, text.c_str());
}

void text_middle(ImDrawList* draw, ImVec2 at, ImU32 color, const std::string& text) {
  const ImVec2 size = ImGui::CalcTextSize(text.c_str());
  draw->AddText({at.x - size.x / 2, at.y - size.y / 2}, color, text.c_str());
}

std::string percent(double share, int decimals) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f %%", decimals, 100 * share);
  return text;
}

}  // namespace

void draw_answers(App& app) {
  const Palette& p = palette(app.theme);
  const Snapshot& s = *app.now;
  const float u = app.scale;
  if (!s.setup || s.setup->classes == 0) return;
  if (!s.answers) {
    ImGui::TextDisabled(s.history->empty() ? "Known when the first epoch has ended."
                                           : "Known when the next epoch has ended.");
    return;
  }
  const Setup& setup = *s.setup;
  const Confusion& c = *s.answers;
  const auto n = static_cast<int>(c.classes);
  int64_t asked = 0, right = 0;
  for (int k = 0; k < n; ++k) {
    for (int a = 0; a < n; ++a) asked += c.count[static_cast<size_t>(k * n + a)];
    right += c.count[static_cast<size_t>(k * n + k)];
  }
  ImGui::PushFont(fonts.medium);
  ImGui::Text("%s right", percent(c.accuracy(), 1).c_str());
  ImGui::PopFont();
  ImGui::SameLine(0, 10 * u);
  ImGui::TextDisabled("%lld of %lld held-out answers, epoch %lld", static_cast<long long>(right),
                      static_cast<long long>(asked),
                      static_cast<long long>(s.history->empty() ? s.epoch : s.history->back().epoch));

  // Left of the cells the class asked for, right of them its accuracy as a bar.
  const ImVec2 origin = ImGui::GetCursorScreenPos(), room = ImGui::GetContentRegionAvail();
  const float line = ImGui::GetTextLineHeight();
  float widest = 0;
  for (const std::string& name : setup.output_names)
    widest = std::max(widest, ImGui::CalcTextSize(name.substr(0, 12).c_str()).x);
  const float left = line + widest + 22 * u, bar_room = 128 * u, above = 2 * line + 14 * u, below = line + 10 * u;
  const float side =
      std::floor(std::max(60 * u, std::min({room.x - left - bar_room, room.y - above - below, 90 * u * n})));
  const float cell = side / static_cast<float>(n);
  const ImVec2 at = {origin.x + left + std::max(0.0f, (room.x - left - bar_room - side) / 2), origin.y + above};
  ImGui::SetCursorScreenPos({at.x, at.y});
  ImGui::InvisibleButton("answers", {side, side});
  app.track("answers");
  const bool hovered = ImGui::IsItemHovered();
  ImDrawList* draw = ImGui::GetWindowDrawList();
  const ImU32 ink = color32(p.text), muted = color32(p.muted);
  text_middle(draw, {at.x + side / 2, at.y - 1.5f * line - 8 * u}, muted, "the network's answer");
  draw->AddText({at.x - left, at.y - line - 5 * u}, muted, "asked");
  draw->AddText({at.x + side + 14 * u, at.y - line - 5 * u}, muted, "right");
  for (int k = 0; k < n; ++k) {
    const std::string name = setup.output_names[static_cast<size_t>(k)].substr(0, 12);
    const float middle = at.y + (static_cast<float>(k) + 0.5f) * cell;
    text_right(draw, {at.x - 10 * u, middle - line / 2}, ink, name);
    text_middle(draw, {at.x + (static_cast<float>(k) + 0.5f) * cell, at.y - 0.5f * line - 4 * u}, ink, name);
    int64_t row = 0;
    for (int a = 0; a < n; ++a) row += c.count[static_cast<size_t>(k * n + a)];
    for (int a = 0; a < n; ++a) {
      const int64_t count = c.count[static_cast<size_t>(k * n + a)];
      const auto share = row > 0 ? static_cast<float>(static_cast<double>(count) / static_cast<double>(row)) : 0.0f;
      // The square root makes rare errors visible.
      const ImVec4 color = between(p.background, a == k ? p.good : p.bad, 0.9f * std::sqrt(share));
      const ImVec2 from = {std::floor(at.x + static_cast<float>(a) * cell),
                           std::floor(at.y + static_cast<float>(k) * cell)},
                   to = {std::floor(at.x + static_cast<float>(a + 1) * cell) - 1,
                         std::floor(at.y + static_cast<float>(k + 1) * cell) - 1};
      draw->AddRectFilled(from, to, color32(color));
      const std::string number = std::to_string(count);
      if (count > 0 && ImGui::CalcTextSize(number.c_str()).x < cell - 3 * u && line < cell)
        text_middle(draw, {(from.x + to.x) / 2, (from.y + to.y) / 2}, color32(share > 0.3f ? p.on_accent : p.text),
                    number);
    }
    const double share = c.accuracy_of(k);
    const float bar = at.x + side + 14 * u, bar_width = 60 * u, half = std::min(0.3f * cell, 7 * u);
    draw->AddRectFilled({bar, middle - half}, {bar + bar_width, middle + half}, color32(p.faint));
    if (std::isfinite(share)) {
      draw->AddRectFilled({bar, middle - half}, {bar + bar_width * static_cast<float>(share), middle + half},
                          color32(p.good));
      draw->AddText({bar + bar_width + 6 * u, middle - line / 2}, ink, percent(share, 0).c_str());
    } else {
      draw->AddText({bar + bar_width + 6 * u, middle - line / 2}, muted, "never asked");
    }
  }
  draw->AddRect({at.x - 1, at.y - 1}, {at.x + side, at.y + side}, muted);
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  const int k = static_cast<int>((mouse.y - at.y) / cell), a = static_cast<int>((mouse.x - at.x) / cell);
  if (hovered && k >= 0 && k < n && a >= 0 && a < n) {
    int64_t row = 0;
    for (int e = 0; e < n; ++e) row += c.count[static_cast<size_t>(k * n + e)];
    const int64_t count = c.count[static_cast<size_t>(k * n + a)];
    ImGui::SetTooltip(
        "asked for %s, answered %s: %lld of %lld (%s)", setup.output_names[static_cast<size_t>(k)].c_str(),
        setup.output_names[static_cast<size_t>(a)].c_str(), static_cast<long long>(count), static_cast<long long>(row),
        row > 0 ? percent(static_cast<double>(count) / static_cast<double>(row), 1).c_str() : "-");
  }
  ImGui::PushFont(fonts.small);
  const char* legend = "Counts; colours are shares of a row: green right, red wrong.";
  draw->AddText({std::max(origin.x, at.x + (side - ImGui::CalcTextSize(legend).x) / 2), at.y + side + 6 * u}, muted,
                legend);
  ImGui::PopFont();
}

}  // namespace dalea::app
