// Bundled experiments as tiles with a line each.
#include "app/views.h"

namespace dalea::app {
namespace {

// Text cut to a width, with an ellipsis.
std::string cut(const std::string& text, float width) {
  if (ImGui::CalcTextSize(text.c_str()).x <= width) return text;
  std::string s = text;
  while (!s.empty() && ImGui::CalcTextSize((s + "\xe2\x80\xa6").c_str()).x > width) s.pop_back();
  return s + "\xe2\x80\xa6";
}

}  // namespace

void draw_presets(App& app) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  ImGui::PushFont(fonts.medium);
  ImGui::TextUnformatted("Start from");
  ImGui::PopFont();
  for (const Preset& preset : presets()) {
    const bool current = app.now->setup && app.now->setup->spec.name == preset.name;
    const float width = ImGui::GetContentRegionAvail().x, height = 40 * u;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImGui::PushID(preset.id.c_str());
    if (ImGui::InvisibleButton("tile", {width, height})) app.open_preset(preset.id);
    app.track("preset:" + preset.id);
    const bool hot = ImGui::IsItemHovered() || ImGui::IsItemFocused();
    if (ImGui::IsItemHovered()) ImGui::SetTooltip("%s", preset.note.c_str());
    ImDrawList* draw = ImGui::GetWindowDrawList();
    draw->AddRectFilled(at, {at.x + width, at.y + height}, color32(hot ? p.faint : p.background), 6 * u);
    draw->AddRect(at, {at.x + width, at.y + height}, color32(current ? p.accent : p.border), 6 * u, 0,
                  current ? 1.5f * u : 1);
    draw->AddText(fonts.medium, fonts.medium->FontSize, {at.x + 10 * u, at.y + 3 * u}, color32(p.text),
                  cut(preset.name, width - 20 * u).c_str());
    ImGui::PushFont(fonts.small);
    draw->AddText({at.x + 10 * u, at.y + 21 * u}, color32(p.muted), cut(preset.note, width - 20 * u).c_str());
    ImGui::PopFont();
    ImGui::PopID();
  }
  ImGui::Spacing();
}

}  // namespace dalea::app
