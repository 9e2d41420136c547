// The recurrent weights as a picture that can be entered down to single synapses.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/matrix_picture.h"
#include "app/views.h"
#include "app/widgets.h"
#include "common/picture.h"
#include "imgui_internal.h"

namespace dalea::app {

std::string unit_name(const Setup& setup, int64_t unit) {
  for (const PopulationView& p : setup.populations)
    if (unit >= p.units.begin && unit < p.units.end) return p.name + " " + std::to_string(unit - p.units.begin + 1);
  return std::to_string(unit + 1);
}

namespace {

const char* unit_sign_word(const Setup& setup, int64_t unit) {
  for (const PopulationView& p : setup.populations)
    if (unit >= p.units.begin && unit < p.units.end) return sign_word(p.sign);
  return "";
}

std::string short_number(float v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", static_cast<double>(v));
  return text;
}

}  // namespace

MatrixFrame matrix_frame(App& app, const char* name, ImVec2 at, float side, int64_t units, MatrixPart& part) {
  const double n = static_cast<double>(units);
  MatrixFrame f{at, {at.x + side, at.y + side}, static_cast<double>(side), n, part};
  MatrixPart& shown = f.part;
  if (shown.span <= 0 || shown.span >= n) shown = {0, 0, n};
  ImGui::SetCursorScreenPos(at);
  ImGui::InvisibleButton(name, {side, side});
  app.track(name);
  ImGui::SetItemKeyOwner(ImGuiKey_MouseWheelY);
  const bool hovered = ImGui::IsItemHovered();
  const ImGuiIO& io = ImGui::GetIO();
  const double mx = (io.MousePos.x - at.x) / f.side, my = (io.MousePos.y - at.y) / f.side;
  const auto zoom = [&](double factor, double fx, double fy) {
    const double wanted = std::clamp(shown.span * factor, std::min(n, 4.0), n);
    shown.x += (shown.span - wanted) * fx;
    shown.y += (shown.span - wanted) * fy;
    shown.span = wanted;
  };
  if (hovered && io.MouseWheel != 0) zoom(std::pow(0.85, static_cast<double>(io.MouseWheel)), mx, my);
  if (ImGui::IsItemActive() && ImGui::IsMouseDragging(0, 2 * app.scale)) {
    shown.x -= io.MouseDelta.x / f.side * shown.span;
    shown.y -= io.MouseDelta.y / f.side * shown.span;
  }
  if (ImGui::IsItemFocused() && io.NavVisible) {
    if (ImGui::IsKeyPressed(ImGuiKey_Equal) || ImGui::IsKeyPressed(ImGuiKey_KeypadAdd)) zoom(0.8, 0.5, 0.5);
    if (ImGui::IsKeyPressed(ImGuiKey_Minus) || ImGui::IsKeyPressed(ImGuiKey_KeypadSubtract)) zoom(1.25, 0.5, 0.5);
  }
  if (hovered && ImGui::IsMouseDoubleClicked(0)) shown = {0, 0, n};
  shown.x = std::clamp(shown.x, 0.0, n - shown.span);
  shown.y = std::clamp(shown.y, 0.0, n - shown.span);
  part = shown.span < n ? shown : MatrixPart{};
  const auto pre = static_cast<int64_t>(std::floor(shown.x + mx * shown.span)),
             post = static_cast<int64_t>(std::floor(shown.y + my * shown.span));
  if (hovered && pre >= 0 && post >= 0 && pre < units && post < units) {
    f.pre = pre;
    f.post = post;
  }
  return f;
}

void MatrixFrame::picture(const App& app, ImTextureID texture) const {
  const float u0 = static_cast<float>(part.y / n), u1 = static_cast<float>((part.y + part.span) / n),
              v0 = static_cast<float>(part.x / n), v1 = static_cast<float>((part.x + part.span) / n);
  ImDrawList* draw = ImGui::GetWindowDrawList();
  draw->AddImageQuad(texture, at, {end.x, at.y}, end, {at.x, end.y}, {u0, v0}, {u0, v1}, {u1, v1}, {u1, v0});
  draw->PushClipRect({at.x - 1, at.y - 1}, {end.x + 1, end.y + 1}, true);
  for (const PopulationView& pop : app.now->setup->populations) {
    if (pop.units.begin == 0) continue;
    const double b = static_cast<double>(pop.units.begin);
    const ImU32 c = IM_COL32(40, 44, 52, 200);
    draw->AddLine({x(b), at.y}, {x(b), end.y}, c, 1.2f * app.scale);
    draw->AddLine({at.x, y(b)}, {end.x, y(b)}, c, 1.2f * app.scale);
  }
  draw->PopClipRect();
}

void matrix_labels(App& app, const MatrixFrame& f) {
  const Palette& p = palette(app.theme);
  const float u = app.scale, line = ImGui::GetTextLineHeight();
  const ImVec2 at = f.at;
  const auto side = static_cast<float>(f.side);
  ImDrawList* draw = ImGui::GetWindowDrawList();
  const ImU32 ink = color32(p.text), muted = color32(p.muted);
  const char *from = "from (presynaptic)", *to = "to (postsynaptic)";
  draw->AddText({at.x + (side - ImGui::CalcTextSize(from).x) / 2, at.y - 2 * line - 7 * u}, muted, from);
  vertical_text(draw, {at.x - 1.5f * line - 8 * u, at.y + (side + ImGui::CalcTextSize(to).x) / 2}, muted, to);
  for (const PopulationView& pop : app.now->setup->populations) {
    const double b = std::max(f.part.x, static_cast<double>(pop.units.begin)),
                 e = std::min(f.part.x + f.part.span, static_cast<double>(pop.units.end));
    const std::string name = pop.name.substr(0, 24);
    const float width = ImGui::CalcTextSize(name.c_str()).x;
    // The sign by shape too, where there is room.
    const ImU32 fill = color32(sign_color(pop.sign, app.theme));
    const float mark = 15 * u;
    if (e > b && f.x(e) - f.x(b) > width + 4 * u) {
      const bool marked = f.x(e) - f.x(b) > width + mark + 6 * u;
      const float left = (f.x(b) + f.x(e) - width + (marked ? mark : 0)) / 2;
      draw->AddText({left, at.y - line - 4 * u}, ink, name.c_str());
      if (marked) sign_mark(draw, {left - 0.55f * mark, at.y - line / 2 - 4 * u}, 4.5f * u, pop.sign, fill, fill, 1);
    }
    const double rb = std::max(f.part.y, static_cast<double>(pop.units.begin)),
                 re = std::min(f.part.y + f.part.span, static_cast<double>(pop.units.end));
    if (re > rb && f.y(re) - f.y(rb) > width + 4 * u) {
      const bool marked = f.y(re) - f.y(rb) > width + mark + 6 * u;
      const float bottom = (f.y(rb) + f.y(re) + width - (marked ? mark : 0)) / 2;
      vertical_text(draw, {at.x - line / 2 - 5 * u, bottom}, ink, name.c_str());
      if (marked) sign_mark(draw, {at.x - line / 2 - 5 * u, bottom + 0.55f * mark}, 4.5f * u, pop.sign, fill, fill, 1);
    }
  }
}

namespace {

void choose_order(App& app) {
  ViewState& view = app.view;
  const Snapshot& s = *app.now;
  ImGui::SetNextItemWidth(150 * app.scale);
  ImGui::BeginDisabled(!s.trace);
  if (ImGui::BeginCombo("##order", (std::string("Units ") + sorting_names[static_cast<int>(view.sorting)]).c_str())) {
    for (Sorting k : {Sorting::as_built, Sorting::peak_time, Sorting::selectivity})
      if (ImGui::Selectable(sorting_names[static_cast<int>(k)], view.sorting == k) && s.trace) {
        view.sorting = k;
        view.order = unit_order(s.setup->populations, *s.trace, k);
        ++view.order_version;
      }
    ImGui::EndCombo();
  }
  ImGui::EndDisabled();
  app.track("matrix:order");
  hint(
      "The order of the units within their populations, here and in the activity: by the held-out trial shown, as the "
      "network is now. Choose again to sort anew.");
}

}  // namespace

void draw_matrix(App& app) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  ViewState& view = app.view;
  const Snapshot& s = *app.now;
  if (!s.setup || !s.weights) {
    ImGui::TextDisabled(
        "%s", s.phase == Phase::needs_recording ? "Drop the recording here: the experiment is ready, its data are not."
              : s.phase == Phase::needs_digits  ? "The experiment is ready; it starts when the digits are here."
              : s.phase == Phase::needs_vectors ? "Drop the file of vectors here: the experiment is ready for it."
                                                : "The recurrent weights appear here.");
    return;
  }
  const Setup& setup = *s.setup;

  // What to show, and in which colours.
  const auto mode = [&](const char* name, MatrixMode m, const char* help) {
    if (choice(name, view.matrix == m, app.theme)) {
      view.matrix = m;
      if (!view.lock_scale) view.scale = 0;
    }
    hint(help);
    app.track(std::string("matrix:") + name);
    ImGui::SameLine(0, 4 * u);
  };
  mode("Start", MatrixMode::initial, "The weights before training");
  if (s.dense) mode("Dense", MatrixMode::dense, "The checkpoint that was pruned: the whole network, trained");
  mode("Now", MatrixMode::now,
       s.kept_epoch > 0 ? "The weights that were kept at the end" : "The weights as they are now");
  mode("Change", MatrixMode::change, "Now minus start");
  if (s.dense) mode("Fine-tuned", MatrixMode::tuned, "Now minus the dense checkpoint: what fine-tuning changed");
  if (!s.dense && (view.matrix == MatrixMode::dense || view.matrix == MatrixMode::tuned)) view.matrix = MatrixMode::now;
  ImGui::SameLine(0, 12 * u);
  ImGui::Checkbox("Lock colour scale", &view.lock_scale);
  app.track("matrix:lock");
  if (ImGui::IsItemHovered(ImGuiHoveredFlags_DelayShort))
    ImGui::SetTooltip("Keep the colours' scale, so that pictures can be compared");
  flow(150 * u, 12 * u);
  choose_order(app);
  const char* whole = "Whole matrix";
  flow(ImGui::CalcTextSize(whole).x + 2 * ImGui::GetStyle().FramePadding.x, 12 * u);
  ImGui::BeginDisabled(view.matrix_part.span == 0);
  if (ImGui::Button(whole)) view.matrix_part = {};
  ImGui::EndDisabled();
  app.track("matrix:whole");

  const MatrixView& shown = view.matrix == MatrixMode::initial ? *setup.initial
                            : view.matrix == MatrixMode::dense ? *s.dense
                                                               : *s.weights;
  const MatrixView* base = view.matrix == MatrixMode::change  ? setup.initial.get()
                           : view.matrix == MatrixMode::tuned ? s.dense.get()
                                                              : nullptr;
  const void* identity = &shown;
  const bool fresh = identity != view.matrix_shown || view.matrix != view.matrix_mode_shown ||
                     view.order_painted != view.order_version;
  if (view.scale <= 0 || (fresh && !view.lock_scale)) {
    const float largest = nice_scale(typical_largest(shown, base));
    // Shrinks only when far too large, so that the colours do not flicker.
    if (view.scale <= 0 || largest > view.scale || largest < 0.35f * view.scale) view.scale = largest;
  }
  if (fresh || view.scale != view.matrix_scale_shown || view.matrix_texture == ImTextureID{}) {
    view.matrix_size = paint_matrix(shown, base, view.scale, view.pixels, view.order);
    view.matrix_texture =
        app.host.texture(view.matrix_texture, view.matrix_size, view.matrix_size, view.pixels.data(), true);
    view.matrix_shown = identity;
    view.order_painted = view.order_version;
    view.matrix_mode_shown = view.matrix;
    view.matrix_scale_shown = view.scale;
  }

  // Where it goes: labels above and to the left, the colour bar to the right.
  const ImVec2 origin = ImGui::GetCursorScreenPos(), room = ImGui::GetContentRegionAvail();
  const float line = ImGui::GetTextLineHeight();
  const float left = 2 * line + 10 * u, top = 2 * line + 8 * u, right = 84 * u, bottom = line + 6 * u;
  const float side = std::floor(std::max(60 * u, std::min(room.x - left - right, room.y - top - bottom)));
  const float spare = std::max(0.0f, room.x - left - right - side);
  const float spare_below = std::max(0.0f, room.y - top - bottom - side);
  const ImVec2 at = {std::floor(origin.x + left + spare / 2), std::floor(origin.y + top + 0.4f * spare_below)};
  const MatrixFrame frame = matrix_frame(app, "matrix", at, side, shown.units, view.matrix_part);
  frame.picture(app, view.matrix_texture);
  ImDrawList* draw = ImGui::GetWindowDrawList();
  const ImVec2 end = frame.end;
  const bool on_synapse = frame.pre >= 0;
  if (on_synapse) {
    const auto pre = static_cast<double>(frame.pre), post = static_cast<double>(frame.post);
    draw->PushClipRect({at.x - 1, at.y - 1}, {end.x + 1, end.y + 1}, true);
    draw->AddRect({frame.x(pre) - 1, frame.y(post) - 1}, {frame.x(pre + 1) + 1, frame.y(post + 1) + 1},
                  color32(p.accent), 0, 0, 2 * u);
    draw->PopClipRect();
  }
  draw->AddRect({at.x - 1, at.y - 1}, {end.x + 1, end.y + 1}, color32(p.muted));
  matrix_labels(app, frame);
  const ImU32 ink = color32(p.text), muted = color32(p.muted);

  // Colour bar.
  const float bar_x = end.x + 14 * u, bar_h = std::min(side, 220 * u), bar_y = at.y + (side - bar_h) / 2,
              bar_w = 14 * u;
  const auto shade = [](float v) { return packed(weight_color(v, 1)); };
  draw->AddRectFilledMultiColor({bar_x, bar_y}, {bar_x + bar_w, bar_y + bar_h / 2}, shade(1), shade(1), shade(0),
                                shade(0));
  draw->AddRectFilledMultiColor({bar_x, bar_y + bar_h / 2}, {bar_x + bar_w, bar_y + bar_h}, shade(0), shade(0),
                                shade(-1), shade(-1));
  draw->AddRect({bar_x, bar_y}, {bar_x + bar_w, bar_y + bar_h}, muted);
  draw->AddText({bar_x - 2 * u, bar_y - 2 * line}, muted, base ? "change" : "weight");
  draw->AddText({bar_x + bar_w + 5 * u, bar_y - line / 2}, ink, ("+" + short_number(view.scale)).c_str());
  draw->AddText({bar_x + bar_w + 5 * u, bar_y + (bar_h - line) / 2}, ink, "0");
  draw->AddText({bar_x + bar_w + 5 * u, bar_y + bar_h - line / 2}, ink,
                ("\xe2\x88\x92" + short_number(view.scale)).c_str());
  if (shown.pattern) {
    const float y = bar_y + bar_h + line;
    draw->AddRectFilled({bar_x, y}, {bar_x + bar_w, y + bar_w}, packed(absent_color));
    draw->AddText({bar_x + bar_w + 5 * u, y - 1 * u}, ink, "absent");
  }

  // The read-out.
  char text[240];
  if (on_synapse) {
    const auto unit_at = [&](int64_t place) {
      return view.order.empty() ? place : int64_t{view.order[static_cast<size_t>(place)]};
    };
    const int64_t pre = unit_at(frame.pre), post = unit_at(frame.post);
    const float value = shown.at(post, pre) - (base ? base->at(post, pre) : 0.0f);
    const std::string a = unit_name(setup, pre), b = unit_name(setup, post);
    const bool exists = shown.exists(post, pre);
    if (exists)
      std::snprintf(text, sizeof text, "from %s to %s: %s%.5g", a.c_str(), b.c_str(), base ? "changed by " : "",
                    static_cast<double>(value));
    else
      std::snprintf(text, sizeof text, "from %s to %s: no synapse can be here", a.c_str(), b.c_str());
    ImGui::BeginTooltip();
    ImGui::PushFont(fonts.medium);
    if (exists)
      ImGui::Text("%s%.5g", base ? "changed by " : "", static_cast<double>(value));
    else
      ImGui::TextUnformatted("no synapse can be here");
    ImGui::PopFont();
    ImGui::Text("from  %s (%s)", a.c_str(), unit_sign_word(setup, pre));
    ImGui::Text("to      %s", b.c_str());
    if (exists && view.matrix != MatrixMode::initial)
      ImGui::Text("start  %.5g", static_cast<double>(setup.initial->at(post, pre)));
    if (exists && s.dense && view.matrix != MatrixMode::dense)
      ImGui::Text("dense %.5g", static_cast<double>(s.dense->at(post, pre)));
    if (exists && view.matrix != MatrixMode::now)
      ImGui::Text("now   %.5g", static_cast<double>(s.weights->at(post, pre)));
    ImGui::EndTooltip();
  } else if (view.matrix_part.span > 0) {
    std::snprintf(text, sizeof text, "%.0f x %.0f of %.0f units. Drag to move, wheel to zoom, double-click for all.",
                  frame.part.span, frame.part.span, frame.n);
  } else {
    std::snprintf(text, sizeof text, "%.0f units. Wheel to zoom, point at a synapse to read it.", frame.n);
  }
  ImGui::PushFont(fonts.small);
  const float width = ImGui::CalcTextSize(text).x;
  draw->AddText({std::max(origin.x, at.x + (side - width) / 2), end.y + 6 * u}, muted, text);
  ImGui::PopFont();
}

}  // namespace dalea::app
