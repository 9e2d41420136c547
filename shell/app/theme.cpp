#include "app/theme.h"

#include "common/embedded.h"
#include "implot.h"

namespace dalea::app {
namespace {

constexpr ImVec4 rgb(unsigned hex, float alpha = 1) {
  return {static_cast<float>(hex >> 16 & 255) / 255, static_cast<float>(hex >> 8 & 255) / 255,
          static_cast<float>(hex & 255) / 255, alpha};
}

const Palette light = {rgb(0x1b2330),
                       rgb(0x5b6675),
                       rgb(0xe9ecf1),
                       rgb(0xf2f4f8),
                       rgb(0xffffff),
                       rgb(0xd5dae3),
                       rgb(0x6a3fc9),
                       rgb(0xffffff),
                       rgb(0x1d7a4f),
                       rgb(0xb3261e),
                       rgb(0xfde7e5),
                       rgb(0xe9e4fa),
                       rgb(0x14181f),
                       rgb(0x7a4fe0),
                       rgb(0x8c97a8),
                       rgb(0x0f8b8d),
                       rgb(0x6a3fc9),
                       rgb(0x5b6675),
                       {rgb(0xb36b00), rgb(0x8a5a44), rgb(0x5f7d1c)}};
const Palette dark = {rgb(0xe8ebf1),
                      rgb(0xa0aab9),
                      rgb(0x2a303a),
                      rgb(0x12151a),
                      rgb(0x1a1e25),
                      rgb(0x333b47),
                      rgb(0x9b7bf5),
                      rgb(0x14101f),
                      rgb(0x5fd09a),
                      rgb(0xff8a80),
                      rgb(0x46201f),
                      rgb(0x2c2545),
                      rgb(0xf4f6fa),
                      rgb(0xa98cff),
                      rgb(0x8793a5),
                      rgb(0x3fc1c0),
                      rgb(0xa98cff),
                      rgb(0xa0aab9),
                      {rgb(0xf0ab45), rgb(0xd39b80), rgb(0xb0cf63)}};

}  // namespace

Fonts fonts;

const Palette& palette(Theme theme) {
  return theme == Theme::dark ? dark : light;
}

void build_fonts(float scale) {
  ImFontAtlas* atlas = ImGui::GetIO().Fonts;
  atlas->Clear();
  // Latin, Greek, general punctuation (dashes, quotes, bullet, ellipsis), superscripts, minus and comparison signs.
  static const ImWchar ranges[] = {0x20,   0xff,   0x370,  0x3ff,  0x2010, 0x2044, 0x2070,
                                   0x2079, 0x2212, 0x2212, 0x2264, 0x2265, 0};
  ImFontConfig config;
  config.FontDataOwnedByAtlas = false;
  config.OversampleH = 2;
  const auto load = [&](const Embedded& file, float size) {
    return atlas->AddFontFromMemoryTTF(const_cast<unsigned char*>(file.data), static_cast<int>(file.size),
                                       static_cast<float>(static_cast<int>(size * scale + 0.5f)), &config, ranges);
  };
  fonts.regular = load(embedded_fonts[0], 15);
  fonts.medium = load(embedded_fonts[1], 15);
  fonts.title = load(embedded_fonts[1], 20);
  fonts.small = load(embedded_fonts[0], 13);
  atlas->Build();
  ImGui::GetIO().FontDefault = fonts.regular;
}

void apply_theme(Theme theme, float scale) {
  const Palette& p = palette(theme);
  ImGuiStyle style;
  theme == Theme::dark ? ImGui::StyleColorsDark(&style) : ImGui::StyleColorsLight(&style);
  style.WindowPadding = {10, 10};
  style.FramePadding = {8, 4};
  style.ItemSpacing = {8, 6};
  style.ItemInnerSpacing = {6, 4};
  style.CellPadding = {4, 3};
  style.ScrollbarSize = 12;
  style.WindowRounding = style.ChildRounding = style.PopupRounding = 8;
  style.FrameRounding = style.GrabRounding = style.TabRounding = 6;
  style.WindowBorderSize = style.ChildBorderSize = style.PopupBorderSize = 1;
  style.FrameBorderSize = 1;
  style.ScaleAllSizes(scale);
  ImVec4* c = style.Colors;
  const auto fade = [](ImVec4 v, float a) { return ImVec4(v.x, v.y, v.z, a); };
  c[ImGuiCol_Text] = p.text;
  c[ImGuiCol_TextDisabled] = p.muted;
  c[ImGuiCol_WindowBg] = p.background;
  c[ImGuiCol_ChildBg] = p.panel;
  c[ImGuiCol_PopupBg] = p.panel;
  c[ImGuiCol_Border] = p.border;
  c[ImGuiCol_FrameBg] = p.background;
  c[ImGuiCol_FrameBgHovered] = p.faint;
  c[ImGuiCol_FrameBgActive] = p.faint;
  c[ImGuiCol_Button] = p.background;
  c[ImGuiCol_ButtonHovered] = p.faint;
  c[ImGuiCol_ButtonActive] = p.border;
  c[ImGuiCol_Header] = p.faint;
  c[ImGuiCol_HeaderHovered] = p.faint;
  c[ImGuiCol_HeaderActive] = p.border;
  c[ImGuiCol_CheckMark] = p.accent;
  c[ImGuiCol_PlotHistogram] = fade(p.accent, 0.6f);  // of progress bars: their text stands on it
  c[ImGuiCol_SliderGrab] = p.accent;
  c[ImGuiCol_SliderGrabActive] = p.accent;
  c[ImGuiCol_Tab] = c[ImGuiCol_TabUnfocused] = p.panel;
  c[ImGuiCol_TabHovered] = p.faint;
  c[ImGuiCol_TabActive] = c[ImGuiCol_TabUnfocusedActive] = p.faint;
  c[ImGuiCol_Separator] = p.border;
  c[ImGuiCol_TableHeaderBg] = p.faint;
  c[ImGuiCol_TableBorderLight] = c[ImGuiCol_TableBorderStrong] = p.border;
  c[ImGuiCol_ScrollbarBg] = fade(p.panel, 0);
  c[ImGuiCol_ScrollbarGrab] = p.border;
  c[ImGuiCol_ScrollbarGrabHovered] = c[ImGuiCol_ScrollbarGrabActive] = p.muted;
  c[ImGuiCol_TextSelectedBg] = fade(p.accent, 0.3f);
  c[ImGuiCol_NavHighlight] = p.accent;
  ImGui::GetStyle() = style;

  ImPlotStyle& plot = ImPlot::GetStyle();
  plot = ImPlotStyle();
  theme == Theme::dark ? ImPlot::StyleColorsDark(&plot) : ImPlot::StyleColorsLight(&plot);
  plot.Colors[ImPlotCol_FrameBg] = fade(p.panel, 0);
  plot.Colors[ImPlotCol_PlotBg] = fade(p.panel, 0);
  plot.Colors[ImPlotCol_PlotBorder] = p.border;
  plot.Colors[ImPlotCol_AxisText] = p.muted;
  plot.Colors[ImPlotCol_AxisGrid] = fade(p.border, 0.7f);
  plot.Colors[ImPlotCol_AxisTick] = p.border;
  plot.Colors[ImPlotCol_LegendBg] = fade(p.panel, 0.85f);
  plot.Colors[ImPlotCol_LegendBorder] = fade(p.border, 0);
  plot.Colors[ImPlotCol_LegendText] = p.text;
  plot.Colors[ImPlotCol_InlayText] = p.text;
  plot.LineWeight = 1.6f * scale;
  plot.PlotPadding = {6 * scale, 6 * scale};
  plot.LabelPadding = {4 * scale, 3 * scale};
  plot.LegendPadding = {4 * scale, 4 * scale};
  plot.LegendInnerPadding = {4 * scale, 2 * scale};
  plot.LegendSpacing = {8 * scale, 0};
  plot.MinorTickLen = {0, 0};
  plot.MajorTickLen = {4 * scale, 4 * scale};
  plot.MajorTickSize = plot.MajorGridSize = plot.MinorGridSize = {1, 1};
  plot.MinorAlpha = 0.15f;
}

}  // namespace dalea::app
