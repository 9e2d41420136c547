// The way of the training so far: a line to look back along, and a strip that says so while one does.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/views.h"
#include "app/widgets.h"

namespace dalea::app {
namespace {

constexpr double replay_every_s = 0.08;

size_t index_of(const std::vector<int64_t>& moments, int64_t updates) {
  size_t best = 0;
  for (size_t k = 1; k < moments.size(); ++k)
    if (std::llabs(moments[k] - updates) < std::llabs(moments[best] - updates)) best = k;
  return best;
}

}  // namespace

std::string moment_text(const Setup& setup, int64_t updates) {
  char text[80];
  std::snprintf(text, sizeof text, "after %s updates (epoch %.3g)", grouped(updates).c_str(),
                static_cast<double>(updates) / static_cast<double>(std::max<int64_t>(1, setup.batches_per_epoch)));
  return updates == 0 ? "before training" : text;
}

int64_t shown_updates(const Snapshot& s) {
  return s.looking_back ? s.hash_updates : s.updates;
}

bool stands_still(const Snapshot& s) {
  return s.phase == Phase::paused || s.phase == Phase::finished || s.looking_back;
}

std::string grouped(int64_t n) {
  std::string digits = std::to_string(n);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > (n < 0 ? 1 : 0); at -= 3)
    digits.insert(static_cast<size_t>(at), ",");
  return digits;
}

std::string measuring_text(double part) {
  char text[40];
  std::snprintf(text, sizeof text, "measuring, %.0f %%", 100 * part);
  return text;
}

void draw_age(const App& app, const std::string& doing, bool measured, int64_t updates, bool current) {
  const std::string text =
      !doing.empty() ? doing
      : measured     ? "after " + grouped(updates) + " updates" + (current ? "" : ", another moment than the one shown")
                     : "not measured yet";
  ImGui::PushFont(fonts.small);
  flow(ImGui::CalcTextSize(text.c_str()).x, 8 * app.scale);
  ImGui::AlignTextToFramePadding();
  ImGui::TextDisabled("%s", text.c_str());
  ImGui::PopFont();
}

void look_by(App& app, int by) {
  const Snapshot& s = *app.now;
  if (s.moments->empty()) return;
  const auto last = static_cast<int64_t>(s.moments->size()) - 1;
  if (!s.looking_back && by > 0) return;
  const int64_t at = s.looking_back                   ? static_cast<int64_t>(index_of(*s.moments, s.hash_updates)) + by
                     : s.moments->back() == s.updates ? last + by
                                                      : last + 1 + by;
  app.view.timeline.replay = false;
  app.live.look_back(at > last ? -1 : (*s.moments)[static_cast<size_t>(std::max<int64_t>(0, at))]);
}

void look_at_present(App& app) {
  app.view.timeline.replay = false;
  app.live.look_back(-1);
}

void draw_timeline(App& app, ImVec2 at, float width) {
  const Palette& p = palette(app.theme);
  const Snapshot& s = *app.now;
  const float u = app.scale, y = at.y + 7 * u;
  ImDrawList* draw = ImGui::GetWindowDrawList();
  const double total = static_cast<double>(std::max<int64_t>(1, s.total_updates));
  const auto x_of = [&](int64_t updates) {
    return at.x + width * static_cast<float>(std::clamp(static_cast<double>(updates) / total, 0.0, 1.0));
  };
  draw->AddRectFilled({at.x, y - 2 * u}, {at.x + width, y + 2 * u}, color32(p.border), 2 * u);
  if (s.updates > 0) draw->AddRectFilled({at.x, y - 2 * u}, {x_of(s.updates), y + 2 * u}, color32(p.accent), 2 * u);
  if (!s.setup || s.moments->empty()) return;
  ImGui::SetCursorScreenPos({at.x, at.y});
  ImGui::InvisibleButton("timeline", {width, 14 * u});
  app.track("timeline");
  // A key makes it active too: then the pointer may be anywhere.
  const bool hot = ImGui::IsItemHovered(), held = ImGui::IsItemActive() && ImGui::IsMouseDown(0),
             focused = ImGui::IsItemFocused() && ImGui::GetIO().NavVisible;
  const double under =  // the pointer may be nowhere
      std::clamp(static_cast<double>((ImGui::GetIO().MousePos.x - at.x) / std::max(1.0f, width)), 0.0, 1.0) * total;
  const int64_t wanted = (*s.moments)[index_of(*s.moments, static_cast<int64_t>(std::llround(under)))];
  const bool present = under >= static_cast<double>(s.updates);  // right of what has been: as it is now
  if (held) {
    app.view.timeline.replay = false;
    const int64_t to = present ? -1 : wanted;
    if (to != (s.looking_back ? s.hash_updates : -1)) app.live.look_back(to);
  }
  if (focused) {
    if (ImGui::IsKeyPressed(ImGuiKey_Enter, false) || ImGui::IsKeyPressed(ImGuiKey_Space, false)) look_by(app, -1);
  }
  if (hot || held || focused)
    for (int64_t m : *s.moments)
      draw->AddRectFilled({x_of(m) - 0.5f * u, y - 5 * u}, {x_of(m) + 0.5f * u, y + 5 * u}, color32(p.muted, 0.5f));
  const float handle = s.looking_back ? x_of(s.hash_updates) : x_of(s.updates);
  draw->AddCircleFilled({handle, y}, (hot || held || s.looking_back ? 6.5f : 4.5f) * u, color32(p.accent));
  if (s.looking_back) draw->AddCircle({handle, y}, 6.5f * u, color32(p.on_accent), 0, 2 * u);
  if (hot && !held)
    ImGui::SetTooltip("%s", present ? "Now. Press to the left of it to look back at the training so far."
                                    : ("Look back: " + moment_text(*s.setup, wanted)).c_str());
}

float draw_looking_back(App& app, ImVec2 at, float width) {
  TimelineState& state = app.view.timeline;
  const Snapshot& s = *app.now;
  if (!s.looking_back) {
    state.replay = false;
    return 0;
  }
  if (state.replay && ImGui::GetTime() >= state.next_s) {
    state.next_s = ImGui::GetTime() + replay_every_s;
    const size_t next = index_of(*s.moments, s.hash_updates) + 1;
    if (next < s.moments->size())
      app.live.look_back((*s.moments)[next]);
    else
      state.replay = false;
  }
  const Palette& p = palette(app.theme);
  const float u = app.scale, height = 40 * u;
  ImDrawList* draw = ImGui::GetWindowDrawList();
  draw->AddRectFilled(at, {at.x + width, at.y + height}, color32(p.info_back), 8 * u);
  const float frame = ImGui::GetFrameHeight(), y = at.y + (height - frame) / 2;
  ImGui::SetCursorScreenPos({at.x + 8 * u, y});
  const auto button = [&](const char* name, const char* label, const char* help) {
    const bool pressed = ImGui::Button(label);
    app.track(name);
    hint(help);
    ImGui::SameLine(0, 6 * u);
    return pressed;
  };
  if (button("back:present", "Back to now", "The network as it is (Escape)")) look_at_present(app);
  if (button("back:earlier", "Earlier", "The kept moment before this one (comma key)")) look_by(app, -1);
  if (button("back:later", "Later", "The kept moment after this one (full stop key)")) look_by(app, 1);
  if (button("back:replay", state.replay ? "Stop" : "Replay", "All kept moments from here on, one after the other")) {
    state.replay = !state.replay;
    if (state.replay && index_of(*s.moments, s.hash_updates) + 1 == s.moments->size()) app.live.look_back(0);
    state.next_s = ImGui::GetTime() + replay_every_s;
  }
  const float left = ImGui::GetCursorScreenPos().x + 8 * u;
  std::string text = "Looking back: the network " + moment_text(*s.setup, s.hash_updates) + ".";
  if (const char* more = s.phase == Phase::running ? " Training goes on meanwhile." : "";
      ImGui::CalcTextSize((text + more).c_str()).x < at.x + width - left)
    text += more;
  draw->PushClipRect(at, {at.x + width - 4 * u, at.y + height}, true);
  draw->AddText({left, at.y + (height - ImGui::GetTextLineHeight()) / 2}, color32(p.text), text.c_str());
  draw->PopClipRect();
  return height + 8 * u;
}

}  // namespace dalea::app
