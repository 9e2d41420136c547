// Colours, sizes and fonts of the window.
#pragma once

#include "imgui.h"

namespace dalea::app {

enum class Theme { light, dark };

struct Palette {
  ImVec4 text, muted, faint, background, panel, border, accent, on_accent, good, bad, bad_back, info_back;
  ImVec4 target, output, train, validation, held_out, input, baseline[3];
};
const Palette& palette(Theme theme);

struct Fonts {
  ImFont *regular = nullptr, *medium = nullptr, *title = nullptr, *small = nullptr;
};
extern Fonts fonts;

// Rebuilds the font atlas for pixels at this scale; the backend's font texture must be remade after it.
void build_fonts(float scale);
void apply_theme(Theme theme, float scale);

inline ImU32 color32(const ImVec4& c, float alpha = 1) {
  return ImGui::GetColorU32(ImVec4(c.x, c.y, c.z, c.w * alpha));
}

}  // namespace dalea::app
