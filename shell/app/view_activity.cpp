// What the neurons do in the held-out trial that is shown: every one of them over time, and each population's mean.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/matrix_picture.h"
#include "app/views.h"
#include "app/widgets.h"
#include "common/figure.h"
#include "implot.h"

namespace dalea::app {
namespace {

// At least 1: the usual nonlinearity ends there.
float activity_scale(const std::vector<float>& z) {
  float most = 1;
  for (float v : z)
    if (std::isfinite(v)) most = std::max(most, std::fabs(v));
  return most > 1 ? nice_scale(most) : 1;
}

// Row: unit, in this order (empty: as built), column: step; of larger trials every so many.
void paint_activity(const TraceView& t, int64_t units, const std::vector<int32_t>& order, float scale, int width,
                    int height, std::vector<uint32_t>& pixels) {
  pixels.resize(static_cast<size_t>(width) * static_cast<size_t>(height));
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const int64_t place = units * y / height, step = t.steps * x / width;
      const int64_t unit = order.empty() ? place : order[static_cast<size_t>(place)];
      pixels[static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)] =
          packed(weight_color(t.activity[static_cast<size_t>(step * units + unit)], scale));
    }
}

void draw_scale(const Palette& p, float scale, float u) {
  ImDrawList* draw = ImGui::GetWindowDrawList();
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float width = 60 * u, height = ImGui::GetFrameHeight(), bar = 9 * u, y = at.y + (height - bar) / 2;
  const auto shade = [](float v) { return packed(weight_color(v, 1)); };
  char low[24], high[24];
  std::snprintf(low, sizeof low, "\xe2\x88\x92%.3g", static_cast<double>(scale));
  std::snprintf(high, sizeof high, "+%.3g", static_cast<double>(scale));
  const float left = ImGui::CalcTextSize(low).x + 4 * u, line = ImGui::GetTextLineHeight();
  draw->AddText({at.x, at.y + (height - line) / 2}, color32(p.muted), low);
  draw->AddRectFilledMultiColor({at.x + left, y}, {at.x + left + width / 2, y + bar}, shade(-1), shade(0), shade(0),
                                shade(-1));
  draw->AddRectFilledMultiColor({at.x + left + width / 2, y}, {at.x + left + width, y + bar}, shade(0), shade(1),
                                shade(1), shade(0));
  draw->AddRect({at.x + left, y}, {at.x + left + width, y + bar}, color32(p.muted, 0.6f));
  draw->AddText({at.x + left + width + 4 * u, at.y + (height - line) / 2}, color32(p.muted), high);
  ImGui::Dummy({left + width + 4 * u + ImGui::CalcTextSize(high).x, height});
}

}  // namespace

ImVec4 population_color(const Setup& setup, size_t population, Theme theme) {
  const Sign sign = setup.populations[population].sign;
  int of_sign = 0;
  for (const PopulationView& p : setup.populations) of_sign += p.sign == sign;
  // One of each sign: the colours that the weights have too.
  const plot::Style style = of_sign == 1 && sign != Sign::free
                                ? plot::named_style(sign == Sign::excitatory ? "excitatory" : "inhibitory")
                                : plot::series_style(population);
  return screen_color(style.color, theme);
}

std::vector<double> mean_activity(const std::vector<float>& activity, int64_t units, int64_t steps, const Range& of) {
  std::vector<double> mean(static_cast<size_t>(steps));
  for (int64_t t = 0; t < steps; ++t) {
    double sum = 0;
    for (int64_t i = of.begin; i < of.end; ++i)
      sum += static_cast<double>(activity[static_cast<size_t>(t * units + i)]);
    mean[static_cast<size_t>(t)] = sum / static_cast<double>(std::max<int64_t>(1, of.size()));
  }
  return mean;
}

void choose_trial(App& app) {
  const float u = app.scale;
  const Setup& setup = *app.now->setup;
  const TraceView& t = *app.now->trace;
  if (ImGui::ArrowButton("##previous", ImGuiDir_Left) && t.trial > 0) app.live.show_trial(t.trial - 1);
  app.track("trial:previous");
  ImGui::SameLine(0, 4 * u);
  ImGui::Text("%lld of %lld", static_cast<long long>(t.trial + 1), static_cast<long long>(setup.held_out_trials));
  ImGui::SameLine(0, 4 * u);
  if (ImGui::ArrowButton("##next", ImGuiDir_Right)) app.live.show_trial(t.trial + 1);
  app.track("trial:next");
}

void draw_activity(App& app) {
  const Palette& p = palette(app.theme);
  const Snapshot& s = *app.now;
  const float u = app.scale;
  if (!s.setup || !s.trace) {
    ImGui::TextDisabled("The activity of every neuron appears here.");
    return;
  }
  const Setup& setup = *s.setup;
  const TraceView& t = *s.trace;
  ActivityState& state = app.view.activity;
  const int64_t units = setup.populations.empty() ? 0 : setup.populations.back().units.end;
  choose_trial(app);
  if (units == 0 || t.steps == 0 || static_cast<int64_t>(t.activity.size()) != units * t.steps) return;
  const std::vector<int32_t>& order = app.view.order;
  if (state.shown != s.trace || state.order_shown != app.view.order_version || state.texture == ImTextureID{}) {
    state.scale = activity_scale(t.activity);
    const int width = static_cast<int>(std::min<int64_t>(t.steps, most_pixels)),
              height = static_cast<int>(std::min<int64_t>(units, most_pixels));
    state.order_shown = app.view.order_version;
    paint_activity(t, units, order, state.scale, width, height, state.pixels);
    state.texture = app.host.texture(state.texture, width, height, state.pixels.data(), true);
    state.shown = s.trace;
  }
  ImGui::SameLine(0, 14 * u);
  draw_scale(p, state.scale, u);

  const double dt = setup.dt_s > 0 ? setup.dt_s : 1, end = static_cast<double>(t.steps) * dt;
  const auto n = static_cast<double>(units);
  const ImVec2 room = ImGui::GetContentRegionAvail();
  const float gap = ImGui::GetStyle().ItemSpacing.y, below = std::floor(0.48f * (room.y - gap));
  const ImPlotFlags flags =
      ImPlotFlags_NoMenus | ImPlotFlags_NoBoxSelect | ImPlotFlags_NoMouseText | ImPlotFlags_NoLegend;
  ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 0);
  ImPlot::PushStyleVar(ImPlotStyleVar_PlotPadding, ImVec2(4 * u, 3 * u));
  if (ImPlot::BeginAlignedPlots("activity")) {
    if (ImPlot::BeginPlot("##raster", {room.x, room.y - gap - below}, flags)) {
      ImPlot::SetupAxes(nullptr, nullptr, ImPlotAxisFlags_NoTickLabels | ImPlotAxisFlags_NoGridLines,
                        ImPlotAxisFlags_Invert | ImPlotAxisFlags_NoGridLines | ImPlotAxisFlags_NoTickMarks);
      ImPlot::SetupAxisLimits(ImAxis_X1, 0, end, ImPlotCond_Always);
      ImPlot::SetupAxisLimits(ImAxis_Y1, 0, n, ImPlotCond_Always);
      std::vector<double> ticks;
      std::vector<std::string> names;
      std::vector<const char*> labels;
      double free_from = -INFINITY;  // names of thin populations would lie on each other
      const double line = n * static_cast<double>(ImGui::GetTextLineHeight() / std::max(1.0f, room.y - gap - below));
      for (const PopulationView& q : setup.populations) {
        const double middle = 0.5 * static_cast<double>(q.units.begin + q.units.end);
        if (middle < free_from) continue;
        free_from = middle + line;
        ticks.push_back(middle);
        names.push_back(q.name.substr(0, 12));
      }
      for (const std::string& name : names) labels.push_back(name.c_str());
      ImPlot::SetupAxisTicks(ImAxis_Y1, ticks.data(), static_cast<int>(ticks.size()), labels.data());
      ImPlot::PlotImage("##units", state.texture, {0, 0}, {end, n}, {0, 1}, {1, 0});
      for (const PopulationView& q : setup.populations) {
        if (q.units.begin == 0) continue;
        const auto y = static_cast<double>(q.units.begin);
        const ImVec2 a = ImPlot::PlotToPixels(0, y), b = ImPlot::PlotToPixels(end, y);
        ImPlot::PushPlotClipRect();
        ImPlot::GetPlotDrawList()->AddLine(a, b, IM_COL32(40, 44, 52, 200), 1.2f * u);
        ImPlot::PopPlotClipRect();
      }
      if (ImPlot::IsPlotHovered()) {
        const ImPlotPoint at = ImPlot::GetPlotMousePos();
        const auto step = static_cast<int64_t>(std::floor(at.x / dt)), place = static_cast<int64_t>(std::floor(at.y));
        if (step >= 0 && step < t.steps && place >= 0 && place < units) {
          const int64_t unit = order.empty() ? place : order[static_cast<size_t>(place)];
          ImGui::BeginTooltip();
          ImGui::PushFont(fonts.medium);
          ImGui::Text("%.4g", static_cast<double>(t.activity[static_cast<size_t>(step * units + unit)]));
          ImGui::PopFont();
          ImGui::Text("%s, step %lld", unit_name(setup, unit).c_str(), static_cast<long long>(step));
          ImGui::EndTooltip();
        }
      }
      ImPlot::EndPlot();
    }
    const bool legend = setup.populations.size() <= 6;
    if (ImPlot::BeginPlot("##means", {room.x, below}, legend ? flags & ~ImPlotFlags_NoLegend : flags)) {
      std::vector<double> x(static_cast<size_t>(t.steps));
      for (size_t k = 0; k < x.size(); ++k) x[k] = (static_cast<double>(k) + 0.5) * dt;
      double low = 0, high = 0;
      std::vector<std::vector<double>> means;
      for (const PopulationView& q : setup.populations) {
        means.push_back(mean_activity(t.activity, units, t.steps, q.units));
        for (double v : means.back())
          if (std::isfinite(v)) {
            low = std::min(low, v);
            high = std::max(high, v);
          }
      }
      const double pad = 0.12 * std::max(high - low, 1e-6);
      ImPlot::SetupAxes(setup.dt_s > 0 ? "time (s)" : "frame", "mean");
      ImPlot::SetupAxisLimits(ImAxis_X1, 0, end, ImPlotCond_Always);
      ImPlot::SetupAxisLimits(ImAxis_Y1, low - pad, high + 4 * pad, ImPlotCond_Always);
      ImPlot::SetupLegend(ImPlotLocation_NorthEast, ImPlotLegendFlags_Horizontal);
      for (size_t q = 0; q < means.size(); ++q) {
        ImPlot::SetNextLineStyle(population_color(setup, q, app.theme), 1.8f * u);
        ImPlot::PlotLine(setup.populations[q].name.c_str(), x.data(), means[q].data(), static_cast<int>(x.size()));
      }
      ImPlot::EndPlot();
    }
    ImPlot::EndAlignedPlots();
  }
  ImPlot::PopStyleVar();
  ImGui::PopStyleVar();
  app.track("activity");
}

void draw_trial(App& app) {
  ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 0);
  draw_tabs(app, "trial",
            {{"Held-out trial", draw_traces},
             {"Activity", draw_activity},
             {"States", draw_states},
             {"Currents", draw_currents},
             {"Together", draw_coactivation}});
  ImGui::PopStyleVar();
}

}  // namespace dalea::app
