#include "app/widgets.h"

#include <algorithm>

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

bool named_alike(std::string_view a, std::string_view b) {
  const auto low = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return low(x) == low(y); });
}

float checkbox_width(const char* label) {
  return ImGui::GetFrameHeight() + ImGui::GetStyle().ItemInnerSpacing.x + ImGui::CalcTextSize(label).x;
}

void vertical_text(ImDrawList* draw, ImVec2 bottom, ImU32 color, const char* text) {
  const int first = draw->VtxBuffer.Size;
  const float height = ImGui::GetTextLineHeight();
  // Letters beyond the right edge would be left out before they are turned: begin at the left one.
  const ImVec2 from = draw->GetClipRectMin();
  draw->AddText(from, color, text);
  for (int k = first; k < draw->VtxBuffer.Size; ++k) {
    ImVec2& v = draw->VtxBuffer[k].pos;
    v = {bottom.x + (v.y - from.y) - height / 2, bottom.y - (v.x - from.x)};
  }
}

std::string cut_text(const std::string& text, float width) {
  if (ImGui::CalcTextSize(text.c_str()).x <= width) return text;
  std::string s = text;
  while (!s.empty() && ImGui::CalcTextSize((s + "\xe2\x80\xa6").c_str()).x > width)
    for (bool within = true; within && !s.empty(); s.pop_back())  // whole letters
      within = (static_cast<unsigned char>(s.back()) & 0xc0) == 0x80;
  return s.empty() ? s : s + "\xe2\x80\xa6";
}

void sign_mark(ImDrawList* draw, ImVec2 c, float r, Sign sign, ImU32 fill, ImU32 edge, float weight) {
  if (sign == Sign::excitatory) {
    const ImVec2 a = {c.x, c.y - 1.15f * r}, b = {c.x + r, c.y + 0.75f * r}, d = {c.x - r, c.y + 0.75f * r};
    draw->AddTriangleFilled(a, b, d, fill);
    draw->AddTriangle(a, b, d, edge, weight);
  } else if (sign == Sign::inhibitory) {
    draw->AddCircleFilled(c, 0.95f * r, fill);
    draw->AddCircle(c, 0.95f * r, edge, 0, weight);
  } else {
    const ImVec2 a = {c.x - 0.85f * r, c.y - 0.85f * r}, b = {c.x + 0.85f * r, c.y + 0.85f * r};
    draw->AddRectFilled(a, b, fill, 0.2f * r);
    draw->AddRect(a, b, edge, 0.2f * r, 0, weight);
  }
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

ImU32 ink_on(ImU32 back) {
  const ImVec4 c = ImGui::ColorConvertU32ToFloat4(back);
  return 0.299f * c.x + 0.587f * c.y + 0.114f * c.z < 0.53f ? IM_COL32(255, 255, 255, 255) : IM_COL32(20, 24, 31, 255);
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

ImVec4 between(const ImVec4& a, const ImVec4& b, float t) {
  return {a.x + t * (b.x - a.x), a.y + t * (b.y - a.y), a.z + t * (b.z - a.z), 1};
}

ImVec4 named_color(std::string_view name, Theme theme) {
  return screen_color(plot::named_style(name).color, theme);
}

ImVec4 sign_color(Sign sign, Theme theme) {
  if (sign == Sign::free) return palette(theme).muted;
  return named_color(sign == Sign::excitatory ? "excitatory" : "inhibitory", theme);
}

const char* sign_word(Sign sign) {
  return sign == Sign::excitatory ? "excitatory" : sign == Sign::inhibitory ? "inhibitory" : "free sign";
}

}  // namespace dalea::app
