#include "app/widgets.h"

#include "common/figure.h"

namespace dalea::app {

void hint(const char* text) {
  if (!ImGui::IsItemHovered(ImGuiHoveredFlags_DelayShort | ImGuiHoveredFlags_AllowWhenDisabled)) return;
  ImGui::BeginTooltip();
  ImGui::PushTextWrapPos(ImGui::GetFontSize() * 24);
  ImGui::TextUnformatted(text);
  ImGui::PopTextWrapPos();
  ImGui::EndTooltip();
}

void flow(float width, float spacing) {
  const float right = ImGui::GetWindowPos().x + ImGui::GetWindowContentRegionMax().x;
  if (ImGui::GetItemRectMax().x + spacing + width <= right) ImGui::SameLine(0, spacing);
}

float checkbox_width(const char* label) {
  return ImGui::GetFrameHeight() + ImGui::GetStyle().ItemInnerSpacing.x + ImGui::CalcTextSize(label).x;
}

bool choice(const char* name, bool on, Theme theme) {
  const Palette& p = palette(theme);
  if (on) {
    ImGui::PushStyleColor(ImGuiCol_Button, p.accent);
    ImGui::PushStyleColor(ImGuiCol_ButtonHovered, p.accent);
    ImGui::PushStyleColor(ImGuiCol_Text, p.on_accent);
  }
  const bool pressed = ImGui::Button(name);
  if (on) ImGui::PopStyleColor(3);
  return pressed;
}

ImVec4 screen_color(Color c, Theme theme) {
  const bool grey = c.r == c.g && c.g == c.b;
  const float lift = theme == Theme::light ? 0.0f : grey ? 0.6f : 0.25f;
  const auto part = [lift](uint8_t v) {
    const float x = static_cast<float>(v) / 255;
    return x + lift * (1 - x);
  };
  return {part(c.r), part(c.g), part(c.b), 1};
}

ImVec4 named_color(std::string_view name, Theme theme) {
  return screen_color(plot::named_style(name).color, theme);
}

}  // namespace dalea::app
