// A held-out trial of a task with classes. A digit is shown as the picture it is, with the row that is being read; any
// other task as its input over time and the class asked for beside the one answered.
#include <algorithm>
#include <cmath>

#include "app/views.h"
#include "app/widgets.h"
#include "implot.h"

namespace dalea::app {
namespace {

constexpr ImPlotFlags plain_plot = ImPlotFlags_NoMenus | ImPlotFlags_NoBoxSelect | ImPlotFlags_NoMouseText;

// What the logits of a step say of each class.
std::vector<double> softmax(const TraceView& t, int64_t step, int64_t classes) {
  const float* logit = t.output.data() + step * classes;
  double most = -INFINITY, sum = 0;
  for (int64_t c = 0; c < classes; ++c) most = std::max(most, static_cast<double>(logit[c]));
  std::vector<double> share(static_cast<size_t>(classes));
  for (int64_t c = 0; c < classes; ++c) {
    share[static_cast<size_t>(c)] = std::exp(static_cast<double>(logit[c]) - most);
    sum += share[static_cast<size_t>(c)];
  }
  for (double& v : share) v /= sum;
  return share;
}

int64_t answer_of(const std::vector<double>& share) {
  return std::max_element(share.begin(), share.end()) - share.begin();
}

// Rows after the one being read are faint: the network has not seen them yet.
void draw_picture(App& app, const TraceView& t, int64_t cols, int64_t row, ImVec2 at, float width, float height) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  ImDrawList* draw = ImGui::GetWindowDrawList();
  const auto rows = static_cast<float>(t.steps);
  draw->AddRectFilled(at, {at.x + width, at.y + height}, color32(p.background));
  constexpr int64_t most = 64;  // pixels a side are drawn
  const int64_t down = (t.steps + most - 1) / most, across = (cols + most - 1) / most;
  for (int64_t r = 0; r < t.steps; r += down)
    for (int64_t c = 0; c < cols; c += across) {
      const float v = t.input[static_cast<size_t>(r * cols + c)];
      if (!(v > 0)) continue;
      const auto x = [&](int64_t k) {
        return std::floor(at.x + width * static_cast<float>(std::min(k, cols)) / static_cast<float>(cols));
      };
      const auto y = [&](int64_t k) {
        return std::floor(at.y + height * static_cast<float>(std::min(k, t.steps)) / rows);
      };
      const ImVec4 color = between(p.background, p.text, std::min(1.0f, v) * (r > row ? 0.25f : 1.0f));
      draw->AddRectFilled({x(c), y(r)}, {x(c + across), y(r + down)}, color32(color));
    }
  draw->AddRect({at.x - 1, at.y - 1}, {at.x + width + 1, at.y + height + 1}, color32(p.border));
  const float top = at.y + height * static_cast<float>(row) / rows, bottom = top + height / rows;
  draw->AddRect({at.x - 2 * u, top - 1}, {at.x + width + 2 * u, bottom + 1}, color32(p.output), 0, 0, 1.5f * u);
  draw->AddTriangleFilled({at.x - 9 * u, (top + bottom) / 2 - 4 * u}, {at.x - 9 * u, (top + bottom) / 2 + 4 * u},
                          {at.x - 3 * u, (top + bottom) / 2}, color32(p.output));
}

void draw_bars(App& app, const TraceView& t, const std::vector<double>& share, int64_t row, int64_t asked, ImVec2 at,
               float width, float height) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  const Setup& setup = *app.now->setup;
  const auto n = static_cast<int64_t>(share.size());
  const float cell = height / static_cast<float>(n), name_room = 20 * u, number_room = 40 * u;
  const float bar = at.x + name_room, bar_width = std::max(10 * u, width - name_room - number_room);
  const int64_t answer = answer_of(share);
  ImDrawList* draw = ImGui::GetWindowDrawList();
  ImGui::PushFont(fonts.small);
  const float line = ImGui::GetTextLineHeight();
  for (int64_t c = 0; c < n; ++c) {
    const float middle = at.y + (static_cast<float>(c) + 0.5f) * cell, half = std::max(1.5f, 0.36f * cell);
    const auto value = static_cast<float>(share[static_cast<size_t>(c)]);
    if (c == asked)  // the class that is right has a frame
      draw->AddRect({at.x - 2 * u, at.y + static_cast<float>(c) * cell},
                    {at.x + width, at.y + static_cast<float>(c + 1) * cell}, color32(p.target), 2 * u, 0, 1.2f * u);
    draw->AddText({at.x + 4 * u, middle - line / 2}, color32(c == asked ? p.text : p.muted),
                  setup.output_names[static_cast<size_t>(c)].substr(0, 3).c_str());
    draw->AddRectFilled({bar, middle - half}, {bar + bar_width, middle + half}, color32(p.faint));
    draw->AddRectFilled({bar, middle - half}, {bar + bar_width * value, middle + half},
                        color32(c == answer ? p.output : p.train));
    char text[24];
    std::snprintf(text, sizeof text, "%.0f %%", 100 * static_cast<double>(value));
    draw->AddText({bar + bar_width + 5 * u, middle - line / 2}, color32(c == answer ? p.text : p.muted), text);
  }
  ImGui::PopFont();
  ImGui::SetCursorScreenPos(at);
  ImGui::InvisibleButton("bars", {width, height});
  app.track("digit:bars");
  if (ImGui::IsItemHovered()) {
    const auto c = std::clamp<int64_t>(static_cast<int64_t>((ImGui::GetIO().MousePos.y - at.y) / cell), 0, n - 1);
    ImGui::SetTooltip("%s after %lld rows: logit %.4g, probability %.4g",
                      setup.output_names[static_cast<size_t>(c)].c_str(), static_cast<long long>(row + 1),
                      static_cast<double>(t.output[static_cast<size_t>(row * n + c)]), share[static_cast<size_t>(c)]);
  }
}

void draw_digit(App& app, const TraceView& t, int64_t classes) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  const Setup& setup = *app.now->setup;
  const int64_t last = t.steps - 1, cols = static_cast<int64_t>(t.input.size()) / t.steps;
  int& row = app.view.digit_row;
  if (row >= last) row = -1;
  int64_t shown = row < 0 ? last : row;
  const int64_t asked = t.label.empty() ? -1 : static_cast<int64_t>(t.label[static_cast<size_t>(last)]);

  const ImVec2 origin = ImGui::GetCursorScreenPos(), room = ImGui::GetContentRegionAvail();
  const float gap = ImGui::GetStyle().ItemSpacing.y, line = ImGui::GetTextLineHeight();
  const float curve = std::max(70 * u, 0.34f * room.y);
  const float side = std::max(40 * u, std::min(room.x * 0.45f, room.y - curve - ImGui::GetFrameHeight() - 2 * gap));
  const ImVec2 picture = {origin.x + 11 * u, origin.y};
  const float aspect = static_cast<float>(cols) / static_cast<float>(t.steps);
  const float width = aspect > 1 ? side : side * aspect, height = aspect > 1 ? side / aspect : side;
  // Dragging over the picture reads it as far as the pointer.
  ImGui::SetCursorScreenPos(picture);
  ImGui::InvisibleButton("picture", {width, height});
  app.track("digit:picture");
  if (ImGui::IsItemActive()) {
    const float share = (ImGui::GetIO().MousePos.y - picture.y) / height;
    row = static_cast<int>(std::clamp<int64_t>(static_cast<int64_t>(share * static_cast<float>(t.steps)), 0, last));
    shown = row;
  } else if (ImGui::IsItemHovered()) {
    ImGui::SetTooltip("Press and drag: what the network makes of the rows down to here");
  }
  draw_picture(app, t, cols, shown, picture, width, height);

  const std::vector<double> share = softmax(t, shown, classes);
  const int64_t answer = answer_of(share);
  const float right = picture.x + width + 16 * u, right_width = origin.x + room.x - right;
  ImDrawList* draw = ImGui::GetWindowDrawList();
  std::string verdict = (shown == last ? "answer " : "so far ") + setup.output_names[static_cast<size_t>(answer)];
  if (asked >= 0) {
    const std::string text = "asked " + setup.output_names[static_cast<size_t>(asked)] + ", ";
    draw->AddText({right, origin.y}, color32(p.text), text.c_str());
    draw->AddText({right + ImGui::CalcTextSize(text.c_str()).x, origin.y},
                  color32(shown < last      ? p.muted
                          : answer == asked ? p.good
                                            : p.bad),
                  (verdict + (shown < last      ? ""
                              : answer == asked ? ": right"
                                                : ": wrong"))
                      .c_str());
  }
  draw_bars(app, t, share, shown, asked, {right, origin.y + line + 4 * u}, right_width,
            std::max(20 * u, side - line - 4 * u));

  ImGui::SetCursorScreenPos({origin.x, origin.y + side + gap});
  ImGui::SetNextItemWidth(room.x);
  auto read = static_cast<int>(shown) + 1;
  if (ImGui::SliderInt("##row", &read, 1, static_cast<int>(t.steps), "after row %d"))
    row = std::clamp(read, 1, static_cast<int>(t.steps)) - 1;
  app.track("digit:row");

  // The same over all rows.
  std::vector<double> x(static_cast<size_t>(t.steps)), y(x.size());
  std::vector<std::vector<double>> all;
  for (int64_t k = 0; k < t.steps; ++k) {
    x[static_cast<size_t>(k)] = static_cast<double>(k + 1);
    all.push_back(softmax(t, k, classes));
  }
  ImPlot::PushStyleVar(ImPlotStyleVar_PlotPadding, ImVec2(4 * u, 3 * u));
  if (ImPlot::BeginPlot("##digits", ImGui::GetContentRegionAvail(), plain_plot)) {
    ImPlot::SetupAxes("row: probability of each digit so far", nullptr, ImPlotAxisFlags_None, ImPlotAxisFlags_None);
    ImPlot::SetupAxisLimits(ImAxis_X1, 1, static_cast<double>(std::max<int64_t>(2, t.steps)), ImPlotCond_Always);
    ImPlot::SetupAxisLimits(ImAxis_Y1, 0, 1.05, ImPlotCond_Always);
    const double ticks[] = {0, 0.5, 1};
    ImPlot::SetupAxisTicks(ImAxis_Y1, ticks, 3);
    ImPlot::SetupLegend(ImPlotLocation_NorthWest, ImPlotLegendFlags_Horizontal);
    const auto line_of = [&](int64_t c, const std::string& name, const ImVec4& color, float weight) {
      for (size_t k = 0; k < all.size(); ++k) y[k] = all[k][static_cast<size_t>(c)];
      ImPlot::SetNextLineStyle(color, weight * u);
      ImPlot::PlotLine(name.c_str(), x.data(), y.data(), static_cast<int>(x.size()));
    };
    for (int64_t c = 0; c < classes; ++c)
      if (c != asked && c != answer) line_of(c, "##" + std::to_string(c), p.border, 1.2f);
    if (answer != asked)
      line_of(answer, "answer " + setup.output_names[static_cast<size_t>(answer)] + "###answer", p.output, 2);
    if (asked >= 0) line_of(asked, "asked " + setup.output_names[static_cast<size_t>(asked)] + "###asked", p.target, 2);
    const double here = static_cast<double>(shown + 1);
    ImPlot::SetNextLineStyle(p.output, 1.2f * u);
    ImPlot::PlotInfLines("##here", &here, 1);
    ImPlot::EndPlot();
  }
  ImPlot::PopStyleVar();
}

void draw_over_time(App& app, const TraceView& t, int64_t classes) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  const Setup& setup = *app.now->setup;
  const auto steps = static_cast<int>(t.steps);
  const int64_t inputs = static_cast<int64_t>(t.input.size()) / t.steps;
  const double dt = setup.dt_s > 0 ? setup.dt_s : 1, end = std::max(dt, (steps - 1) * dt);
  std::vector<double> x, input, second, asked, answer, sure;  // second: what follows a cue
  for (int64_t k = 0; k < t.steps; ++k) {
    const std::vector<double> share = softmax(t, k, classes);
    const int64_t label = t.label.empty() ? -1 : static_cast<int64_t>(t.label[static_cast<size_t>(k)]);
    x.push_back(static_cast<double>(k) * dt);
    input.push_back(static_cast<double>(t.input[static_cast<size_t>(k * inputs)]));
    double rest = 0;
    for (int64_t c = 1; c < inputs; ++c) rest += static_cast<double>(t.input[static_cast<size_t>(k * inputs + c)]);
    second.push_back(inputs > 1 ? rest / static_cast<double>(inputs - 1) : 0);
    asked.push_back(label >= 0 ? static_cast<double>(label) : NAN);
    answer.push_back(static_cast<double>(answer_of(share)));
    sure.push_back(label >= 0 ? share[static_cast<size_t>(label)] : NAN);
  }
  const ImVec2 room = ImGui::GetContentRegionAvail();
  const float gap = ImGui::GetStyle().ItemSpacing.y, axis = 34 * u, unit = (room.y - axis - 2 * gap) / 2.6f;
  const auto setup_plot = [&](const char* name, double lo, double hi, bool last) {
    ImPlot::SetupAxes(last ? (setup.dt_s > 0 ? "time (s)" : "step") : nullptr, name,
                      last ? ImPlotAxisFlags_None : ImPlotAxisFlags_NoTickLabels, ImPlotAxisFlags_None);
    ImPlot::SetupAxisLimits(ImAxis_X1, 0, end, ImPlotCond_Always);
    ImPlot::SetupAxisLimits(ImAxis_Y1, lo, hi, ImPlotCond_Always);
    ImPlot::SetupLegend(ImPlotLocation_NorthEast, ImPlotLegendFlags_Horizontal);
  };
  ImPlot::PushStyleVar(ImPlotStyleVar_PlotPadding, ImVec2(4 * u, 3 * u));
  if (ImPlot::BeginAlignedPlots("classes")) {
    if (ImPlot::BeginPlot("##input", {room.x, 0.7f * unit}, plain_plot)) {
      setup_plot(inputs > 1 ? "input" : setup.channel_names[0].c_str(), -1.3, 1.5, false);
      ImPlot::SetNextLineStyle(p.input, 1.4f * u);
      ImPlot::PlotStairs(inputs > 1 ? setup.channel_names[0].c_str() : "input", x.data(), input.data(), steps);
      if (inputs > 1) {
        ImPlot::SetNextLineStyle(p.text, 1.4f * u);
        ImPlot::PlotStairs(inputs > 2 ? "mean of the others" : setup.channel_names[1].c_str(), x.data(), second.data(),
                           steps);
      }
      ImPlot::EndPlot();
    }
    if (ImPlot::BeginPlot("##classes", {room.x, 1.1f * unit}, plain_plot)) {
      setup_plot("class", -0.4, static_cast<double>(classes) - 0.1, false);
      std::vector<double> ticks;
      std::vector<const char*> names;
      for (int64_t c = 0; c < classes; ++c) {
        ticks.push_back(static_cast<double>(c));
        names.push_back(setup.output_names[static_cast<size_t>(c)].c_str());
      }
      ImPlot::SetupAxisTicks(ImAxis_Y1, ticks.data(), static_cast<int>(classes), names.data());
      ImPlot::SetNextLineStyle(p.target, 3 * u);
      ImPlot::PlotStairs("asked", x.data(), asked.data(), steps);
      ImPlot::SetNextLineStyle(p.output, 1.6f * u);
      ImPlot::PlotStairs("answer", x.data(), answer.data(), steps);
      ImPlot::EndPlot();
    }
    if (ImPlot::BeginPlot("##sure", {room.x, 0.8f * unit + axis}, plain_plot)) {
      setup_plot("probability", 0, 1.3, true);
      const double ticks[] = {0, 0.5, 1};
      ImPlot::SetupAxisTicks(ImAxis_Y1, ticks, 3);
      ImPlot::SetNextLineStyle(p.output, 1.6f * u);
      ImPlot::PlotStairs("of the class asked for", x.data(), sure.data(), steps);
      ImPlot::EndPlot();
    }
    ImPlot::EndAlignedPlots();
  }
  ImPlot::PopStyleVar();
}

}  // namespace

void draw_class_trial(App& app) {
  const Setup& setup = *app.now->setup;
  const TraceView& t = *app.now->trace;
  if (t.steps < 1 || static_cast<int64_t>(t.output.size()) != t.steps * setup.classes) return;
  ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 0);
  setup.spec.task.type == "digits" ? draw_digit(app, t, setup.classes) : draw_over_time(app, t, setup.classes);
  ImGui::PopStyleVar();
  app.track("traces");
}

}  // namespace dalea::app
