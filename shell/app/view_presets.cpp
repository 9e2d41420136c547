// Bundled experiments as tiles: their connections and their task in small, and a line each.
#include <algorithm>
#include <cmath>

#include "app/circuit.h"
#include "app/matrix_picture.h"
#include "app/views.h"
#include "app/widgets.h"
#include "recording/recording.h"

namespace dalea::app {
namespace {

// The connections by block, as the weight matrix shows them: a row receives, a column sends and has the sign's colour.
void draw_connections(ImDrawList* draw, const Spec& spec, ImVec2 at, float side) {
  const double units = static_cast<double>(std::max<int64_t>(1, spec.units()));
  const auto place = [&](int64_t unit) { return side * static_cast<float>(static_cast<double>(unit) / units); };
  int64_t from = 0;
  for (size_t j = 0; j < spec.populations.size(); ++j) {
    const Population& pre = spec.populations[j];
    int64_t to = 0;
    for (size_t i = 0; i < spec.populations.size(); ++i) {
      const auto p = static_cast<float>(std::sqrt(probability_at(spec, i, j)));
      const Color color = p <= 0                   ? absent_color
                          : pre.sign == Sign::free ? Color{110, 116, 126}
                                                   : weight_color(pre.sign == Sign::excitatory ? p : -p, 1);
      const int64_t end = to + spec.populations[i].size;
      draw->AddRectFilled({at.x + place(from), at.y + place(to)}, {at.x + place(from + pre.size), at.y + place(end)},
                          packed(color));
      to = end;
    }
    from += pre.size;
  }
}

// Heights 0 .. 1 of a line, from the left to the right: what the task's trials look like.
struct Glyph {
  std::vector<float> line;
  std::vector<float> pulses;  // -1, 0 or 1 each
};

Glyph glyph_of(const Spec& spec) {
  Glyph g;
  std::vector<double> y;
  Spec shown = spec;
  if (spec.task.type == "flip-flop") {
    shown.task.steps = 30;
    shown.task.event_probability = 0.15;  // a few of them can be told apart
    const TaskPreview preview = preview_task(shown);
    for (const TaskPreview::Line& l : preview.lines) {
      if (!l.input) y = l.y;
      if (l.input)
        for (double v : l.y) g.pulses.push_back(static_cast<float>(v));
    }
  } else if (spec.task.type == "wave") {
    const TaskPreview preview = preview_task(shown);
    if (!preview.lines.empty())
      for (size_t k = 0; k < preview.lines.back().y.size(); k += 10) y.push_back(preview.lines.back().y[k]);
  } else if (spec.task.type == "recording") {
    const SimulatedCircuit circuit = simulate_circuit(spec.seed, 5, 100);
    for (int64_t t = 0; t < std::min<int64_t>(60, circuit.recording.frames); ++t)
      y.push_back(static_cast<double>(circuit.recording.values[static_cast<size_t>(t * circuit.recording.units)]));
  }
  double low = INFINITY, high = -INFINITY;
  for (double v : y) {
    low = std::min(low, v);
    high = std::max(high, v);
  }
  for (double v : y) g.line.push_back(high > low ? static_cast<float>((v - low) / (high - low)) : 0.5f);
  return g;
}

constexpr const char* digit[] = {".###.", "#...#", "....#", "..##.", "....#", "#...#", ".###."};

void draw_glyph(ImDrawList* draw, const Palette& p, const Spec& spec, const Glyph& g, ImVec2 at, ImVec2 size, float u) {
  if (spec.task.type == "digits") {
    const float cell = std::floor(size.y / 7), left = at.x + (size.x - 5 * cell) / 2;
    for (int y = 0; y < 7; ++y)
      for (int x = 0; x < 5; ++x)
        draw->AddRectFilled({left + static_cast<float>(x) * cell, at.y + static_cast<float>(y) * cell},
                            {left + static_cast<float>(x + 1) * cell - u, at.y + static_cast<float>(y + 1) * cell - u},
                            digit[y][x] == '#' ? color32(p.text, 0.8f) : color32(p.border, 0.6f));
    return;
  }
  const float middle = at.y + size.y / 2;
  for (size_t k = 0; k < g.pulses.size(); ++k)
    if (g.pulses[k] != 0) {
      const float x = at.x + size.x * (static_cast<float>(k) + 0.5f) / static_cast<float>(g.pulses.size());
      draw->AddLine({x, middle}, {x, middle - g.pulses[k] * size.y / 2}, color32(p.input), 1.5f * u);
    }
  for (size_t k = 0; k < g.line.size(); ++k) {
    const float x = at.x + size.x * static_cast<float>(k) / static_cast<float>(g.line.size() - 1);
    const float y = at.y + size.y * (0.9f - 0.8f * g.line[k]);
    if (!g.pulses.empty() && k > 0) draw->PathLineTo({x, at.y + size.y * (0.9f - 0.8f * g.line[k - 1])});
    draw->PathLineTo({x, y});
  }
  draw->PathStroke(color32(p.target), ImDrawFlags_None, 1.3f * u);
}

// Whether the next experiment starts from this network's weights.
void draw_carried(App& app) {
  const Snapshot& s = *app.now;
  const float u = app.scale;
  if (!s.setup) return;
  if (!s.carried) {
    const char* keep = "Keep these weights for another task";
    flow(ImGui::CalcTextSize(keep).x + 2 * ImGui::GetStyle().FramePadding.x, 10 * u);  // beside the heading
    if (ImGui::SmallButton(keep)) app.live.carry(true, false);
    hint(
        "The experiment that you open next starts from the recurrent weights that this network has now, with inputs "
        "and a readout of its own. It needs the same units and signs.");
    app.track("carry");
    return;
  }
  const Parent& parent = *s.carried;
  ImGui::PushFont(fonts.small);
  ImGui::PushTextWrapPos(0);
  ImGui::Text("The next experiment starts from the weights of %s (hash %s).",
              parent.name.empty() ? "a network" : parent.name.substr(0, 60).c_str(),
              parent.origin.hash.substr(0, 8).c_str());
  ImGui::PopTextWrapPos();
  ImGui::PopFont();
  bool input = parent.origin.keep == name_of(Keep::recurrent_and_input);
  if (ImGui::Checkbox("Input weights too", &input)) app.live.carry(true, input);
  app.track("carry:input");
  flow(90 * u, 10 * u);
  if (ImGui::Button("Let them go")) app.live.carry(false, false);
  app.track("carry:remove");
}

}  // namespace

void draw_presets(App& app) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  static const std::vector<Glyph> glyphs = [] {
    std::vector<Glyph> all;
    for (const Preset& preset : presets()) all.push_back(glyph_of(preset.spec));
    return all;
  }();
  static const std::vector<Spec> shown = [] {  // rules as the matrix that they make
    std::vector<Spec> all;
    for (const Preset& preset : presets()) all.push_back(as_matrix(preset.spec));
    return all;
  }();
  ImGui::PushFont(fonts.medium);
  ImGui::TextUnformatted("Start from");
  ImGui::PopFont();
  draw_carried(app);
  // A list of its own that scrolls: what follows must be in sight. The half tile says that there are more.
  const float tile = 40 * u + ImGui::GetStyle().ItemSpacing.y;
  ImGui::BeginChild("presets", {0, 7.5f * tile});
  for (size_t k = 0; k < presets().size(); ++k) {
    const Preset& preset = presets()[k];
    const bool current = app.now->setup && app.now->setup->spec.name == preset.name;
    const float width = ImGui::GetContentRegionAvail().x, height = 40 * u;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImGui::PushID(preset.id.c_str());
    if (ImGui::InvisibleButton("tile", {width, height})) app.open_preset(preset.id);
    if (ImGui::IsItemVisible()) app.track("preset:" + preset.id);
    const bool hot = ImGui::IsItemHovered() || ImGui::IsItemFocused();
    if (ImGui::IsItemHovered()) ImGui::SetTooltip("%s", preset.note.c_str());
    if (!ImGui::IsItemVisible()) {
      ImGui::PopID();
      continue;
    }
    ImDrawList* draw = ImGui::GetWindowDrawList();
    draw->AddRectFilled(at, {at.x + width, at.y + height}, color32(hot ? p.faint : p.background), 6 * u);
    draw->AddRect(at, {at.x + width, at.y + height}, color32(current ? p.accent : p.border), 6 * u, 0,
                  current ? 1.5f * u : 1);
    const float side = 30 * u, pad = (height - side) / 2, glyph = 32 * u;
    draw_connections(draw, shown[k], {at.x + pad, at.y + pad}, side);
    draw_glyph(draw, p, preset.spec, glyphs[k], {at.x + width - glyph - 8 * u, at.y + 9 * u}, {glyph, 22 * u}, u);
    const float left = at.x + pad + side + 8 * u, room = width - pad - side - glyph - 24 * u;
    draw->AddText(fonts.medium, fonts.medium->FontSize, {left, at.y + 3 * u}, color32(p.text),
                  cut_text(preset.name, room).c_str());
    ImGui::PushFont(fonts.small);
    draw->AddText({left, at.y + 21 * u}, color32(p.muted), cut_text(preset.note, room).c_str());
    ImGui::PopFont();
    ImGui::PopID();
  }
  ImGui::EndChild();
  ImGui::Spacing();
}

}  // namespace dalea::app
