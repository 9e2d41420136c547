#include "app/layout.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "app/app.h"
#include "app/views.h"
#include "imgui_internal.h"

namespace dalea::app {
namespace {

using nlohmann::json;

constexpr size_t most_tab_name = 40;  // bytes

// Every member and its key, for reading and writing.
template <class L, class F>
void each_part(L& l, F&& f) {
  f("tab", l.tab);
  f("learning", l.learning);
  f("trial", l.trial);
  f("settings", l.settings);
  f("loss", l.loss);
  f("trial_panel", l.trial_panel);
  f("rail", l.rail);
  f("right", l.right);
  f("upper", l.upper);
  f("log_loss", l.log_loss);
  f("accuracy", l.accuracy);
  f("whole_spectrum", l.whole_spectrum);
  f("log_count", l.log_count);
  f("circuit", l.circuit);
  f("tree", l.tree);
}

void take_part(const json& v, std::string& part) {
  if (v.is_string() && v.get_ref<const std::string&>().size() <= most_tab_name) part = v.get<std::string>();
}
void take_part(const json& v, bool& part) {
  if (v.is_boolean()) part = v.get<bool>();
}
void take_part(const json& v, double& part) {
  if (v.is_number() && std::isfinite(v.get<double>())) part = v.get<double>();
}

// Of a size that is not as designed.
double within(double v, double least, double most) {
  return v > 0 ? std::clamp(v, least, most) : 0;
}

}  // namespace

std::string layout_text(const Layout& layout) {
  json o = json::object();
  each_part(layout, [&](const char* key, const auto& part) { o[key] = part; });
  return o.dump(-1, ' ', false, json::error_handler_t::replace);
}

Layout read_layout(std::string_view text) {
  Layout layout;
  const json o = json::parse(text, nullptr, false);
  if (!o.is_object()) return layout;
  each_part(layout, [&](const char* key, auto& part) {
    if (const auto it = o.find(key); it != o.end()) take_part(*it, part);
  });
  layout.rail = within(layout.rail, least_rail, most_rail);
  layout.right = within(layout.right, least_right, most_right);
  layout.upper = within(layout.upper, least_upper, most_upper);
  return layout;
}

void App::restore_layout(std::string_view json, bool tabs) {
  layout = read_layout(json);
  if (!tabs || !link_view.empty()) layout.tab = layout.learning = layout.trial = "";
  apply_choices(layout);
  if (!layout.tab.empty()) {
    view.tab = -1;  // what opening an experiment asked for
    view.tab_name = layout.tab;
  }
  view.wanted_tabs["learning"] = layout.learning;
  view.wanted_tabs["trial"] = layout.trial;
  kept_layout_ = layout;
  fresh_ = true;
}

void App::reset_layout() {
  layout = {};
  apply_choices(layout);
  view.tab = tab_weights;
  view.tab_name.clear();
  view.wanted_tabs["learning"] = view.wanted_tabs["trial"] = "first";  // no tab's name: the first one
  view.matrix_part = view.prune_part = {};
  view.spectrum.fit = true;
  fresh_ = true;
}

void App::apply_choices(const Layout& l) {
  view.log_loss = l.log_loss;
  view.accuracy = l.accuracy;
  view.spectrum.all = l.whole_spectrum;
  view.spectrum.log_count = l.log_count;
  view.build.circuit = l.circuit;
  view.prune_tree = l.tree;
}

// Told to the host once the pointer lets go. A link's view is not the user's layout.
void App::follow_layout() {
  if (!link_view.empty() || ImGui::IsMouseDown(0)) return;
  const auto tab = [](std::string& to, const std::string& open, const std::string& awaited) {
    if (awaited.empty() && !open.empty()) to = open;
  };
  tab(layout.tab, view.open_tab_name, view.tab_name);
  tab(layout.learning, view.open_tabs["learning"], view.wanted_tabs["learning"]);
  tab(layout.trial, view.open_tabs["trial"], view.wanted_tabs["trial"]);
  layout.log_loss = view.log_loss;
  layout.accuracy = view.accuracy;
  layout.whole_spectrum = view.spectrum.all;
  layout.log_count = view.spectrum.log_count;
  layout.circuit = view.build.circuit;
  layout.tree = view.prune_tree;
  if (!kept_layout_) kept_layout_ = layout;                            // a first visit
  const bool settled = std::exchange(last_layout_, layout) == layout;  // a tab takes a frame to open
  if (!settled || *kept_layout_ == layout) return;
  kept_layout_ = layout;
  host.keep_layout(layout_text(layout));
}

Layout App::shown_layout() const {
  if (link_view.empty()) return layout;
  Layout l;
  l.settings = !link_view.hide_build;
  l.loss = !link_view.hide_loss;
  l.trial_panel = !link_view.hide_trial;
  return l;
}

float draw_splitter(App& app, const char* name, ImVec2 at, ImVec2 size) {
  const bool upright = size.y > size.x;
  ImGui::SetCursorScreenPos(at);
  ImGui::PushItemFlag(ImGuiItemFlags_NoNav, true);
  ImGui::InvisibleButton(name, {std::max(1.0f, size.x), std::max(1.0f, size.y)});
  ImGui::PopItemFlag();
  app.track(name);
  const bool held = ImGui::IsItemActive();
  if (!held && !ImGui::IsItemHovered()) return 0;
  ImGui::SetMouseCursor(upright ? ImGuiMouseCursor_ResizeEW : ImGuiMouseCursor_ResizeNS);
  const float u = app.scale, x = at.x + size.x / 2, y = at.y + size.y / 2;
  ImDrawList* draw = ImGui::GetWindowDrawList();
  if (upright)
    draw->AddRectFilled({x - u, at.y}, {x + u, at.y + size.y}, color32(palette(app.theme).accent), u);
  else
    draw->AddRectFilled({at.x, y - u}, {at.x + size.x, y + u}, color32(palette(app.theme).accent), u);
  if (!held) return 0;
  return upright ? ImGui::GetIO().MouseDelta.x : ImGui::GetIO().MouseDelta.y;
}

}  // namespace dalea::app
