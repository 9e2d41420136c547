// The sheet of keys. index.html says the same for screen readers: change both.
#include <algorithm>

#include "app/views.h"

namespace dalea::app {
namespace {

struct Shortcut {
  const char *keys, *what;
};
constexpr Shortcut shortcuts[] = {
    {"Space", "Start or pause the training"},
    {"S", "One update"},
    {"E", "To the end of the epoch"},
    {"R", "Restart with the same seed"},
    {"N", "New seed"},
    {",   .", "Look back: an earlier or a later moment of the training"},
    {"Arrow keys", "From control to control"},
    {"Enter, Space", "Use the control that has the frame"},
    {"Tab", "To the next field"},
    {"+   -", "Zoom into and out of the matrix under the pointer"},
    {"Wheel, pinch", "Zoom the matrix or plot under it"},
    {"Drag", "Move the matrix or plot; a double click shows all of it"},
    {"Escape", "Close a menu, back to the present; in the page, to the controls in text above the window"},
    {"?", "This sheet"},
};

}  // namespace

void draw_shortcuts(App& app) {
  bool& open = app.view.shortcuts;
  if (!open) return;
  const float u = app.scale;
  const ImVec2 display = ImGui::GetIO().DisplaySize;
  const float width = std::min(500 * u, display.x - 24 * u);
  ImGui::SetNextWindowPos({display.x / 2, display.y / 2}, ImGuiCond_Always, {0.5f, 0.5f});
  ImGui::SetNextWindowSizeConstraints({width, 0}, {width, display.y - 24 * u});
  ImGui::PushStyleColor(ImGuiCol_WindowBg, palette(app.theme).panel);
  ImGui::PushStyleColor(ImGuiCol_TitleBgActive, palette(app.theme).faint);
  ImGui::PushStyleColor(ImGuiCol_TitleBg, palette(app.theme).faint);
  if (ImGui::Begin("Keys", &open,
                   ImGuiWindowFlags_AlwaysAutoResize | ImGuiWindowFlags_NoCollapse | ImGuiWindowFlags_NoMove |
                       ImGuiWindowFlags_NoSavedSettings)) {
    const ImVec2 at = ImGui::GetWindowPos(), size = ImGui::GetWindowSize();
    app.track("shortcut-sheet", at, {at.x + size.x, at.y + size.y});
    if (ImGui::BeginTable("keys", 2, ImGuiTableFlags_SizingFixedFit)) {
      ImGui::TableSetupColumn("Key");
      ImGui::TableSetupColumn("What it does", ImGuiTableColumnFlags_WidthStretch);
      for (const Shortcut& s : shortcuts) {
        ImGui::TableNextColumn();
        ImGui::PushFont(fonts.medium);
        ImGui::TextUnformatted(s.keys);
        ImGui::PopFont();
        ImGui::TableNextColumn();
        ImGui::PushTextWrapPos(0);
        ImGui::TextUnformatted(s.what);
        ImGui::PopTextWrapPos();
      }
      ImGui::EndTable();
    }
    if (ImGui::IsKeyPressed(ImGuiKey_Escape, false)) open = false;
  }
  ImGui::End();
  ImGui::PopStyleColor(3);
}

}  // namespace dalea::app
