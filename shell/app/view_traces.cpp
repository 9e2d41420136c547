// One held-out trial: what the network was shown, what it should answer, what it answers.
#include <algorithm>
#include <cmath>

#include "app/views.h"
#include "implot.h"

namespace dalea::app {

namespace {

std::pair<double, double> range(const std::vector<float>& values) {
  double lo = 0, hi = 0;
  for (float v : values)
    if (std::isfinite(v)) {
      lo = std::min(lo, static_cast<double>(v));
      hi = std::max(hi, static_cast<double>(v));
    }
  return {lo, hi};
}

}  // namespace

void draw_traces(App& app) {
  const Palette& p = palette(app.theme);
  const Snapshot& s = *app.now;
  const float u = app.scale;
  if (!s.setup || !s.trace) {
    ImGui::PushStyleColor(ImGuiCol_Text, palette(app.theme).muted);
    ImGui::TextWrapped("What the network is shown, what it should answer and what it answers.");
    ImGui::PopStyleColor();
    return;
  }
  const Setup& setup = *s.setup;
  const TraceView& t = *s.trace;
  choose_trial(app);

  if (setup.classes > 0) return draw_class_trial(app);

  const int outputs = static_cast<int>(setup.output_names.size()),
            inputs = static_cast<int>(setup.channel_names.size());
  const bool recording = setup.recording != nullptr;
  const int most = recording ? 3 : 2, rows = std::min(outputs, most);
  int& first = app.view.first_output;
  first = std::clamp(first, 0, std::max(0, outputs - rows));
  if (outputs > rows) {
    ImGui::SameLine(0, 14 * u);
    ImGui::SetNextItemWidth(std::min(130 * u, ImGui::GetContentRegionAvail().x));
    ImGui::SliderInt("##first", &first, 0, outputs - rows,
                     ("unit " + setup.output_names[static_cast<size_t>(first)] + " \xe2\x80\xa6").c_str());
    app.track("trace:first");
  }

  const double dt = setup.dt_s > 0 ? setup.dt_s : 1;
  const auto steps = static_cast<int>(t.steps);
  std::vector<double> x(static_cast<size_t>(steps)), a(x.size()), b(x.size()), whole(x.size());
  for (int k = 0; k < steps; ++k) x[static_cast<size_t>(k)] = k * dt;
  const ImVec2 room = ImGui::GetContentRegionAvail();
  const float gap = ImGui::GetStyle().ItemSpacing.y, axis = 34 * u;
  const bool show_input = !recording;
  const float unit_height = (room.y - axis - gap * static_cast<float>(rows - (show_input ? 0 : 1))) /
                            (static_cast<float>(rows) + (show_input ? 0.6f : 0));
  const ImPlotFlags flags = ImPlotFlags_NoMenus | ImPlotFlags_NoBoxSelect | ImPlotFlags_NoMouseText;
  // The built-in tasks live between -1 and 1; a recording shows what it has.
  const auto setup_plot = [&](const char* y, bool last, double lo, double hi) {
    if (!recording) {
      lo = std::min(lo, -1.0);
      hi = std::max(hi, 1.0);
    }
    const double pad = 0.15 * std::max(hi - lo, 1e-6);
    ImPlot::SetupAxes(last ? (setup.dt_s > 0 ? "time (s)" : "frame") : nullptr, y,
                      last ? ImPlotAxisFlags_None : ImPlotAxisFlags_NoTickLabels, ImPlotAxisFlags_None);
    ImPlot::SetupAxisLimits(ImAxis_Y1, lo - pad, hi + 1.6 * pad, ImPlotCond_Always);
    ImPlot::SetupAxisLimits(ImAxis_X1, 0, std::max(dt, (steps - 1) * dt), ImPlotCond_Always);
    ImPlot::SetupLegend(ImPlotLocation_NorthEast, ImPlotLegendFlags_Horizontal);
  };
  ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 0);
  ImPlot::PushStyleVar(ImPlotStyleVar_PlotPadding, ImVec2(4 * u, 3 * u));
  if (ImPlot::BeginAlignedPlots("traces")) {
    if (show_input && ImPlot::BeginPlot("##input", {room.x, unit_height * 0.6f}, flags)) {
      setup_plot(inputs == 1 ? setup.channel_names[0].c_str() : "input", false, range(t.input).first,
                 range(t.input).second);
      for (int c = 0; c < std::min(inputs, 3); ++c) {
        for (int k = 0; k < steps; ++k)
          a[static_cast<size_t>(k)] = static_cast<double>(t.input[static_cast<size_t>(k * inputs + c)]);
        ImVec4 color = p.input;
        if (c > 0) color.w = 0.55f;
        ImPlot::SetNextLineStyle(color, 1.4f * u);
        ImPlot::PlotStairs(inputs == 1 ? "input" : setup.channel_names[static_cast<size_t>(c)].c_str(), x.data(),
                           a.data(), steps);
      }
      ImPlot::EndPlot();
    }
    for (int r = 0; r < rows; ++r) {
      const bool last = r == rows - 1;
      const int c = first + r;
      ImGui::PushID(r);
      if (ImPlot::BeginPlot("##output", {room.x, unit_height + (last ? axis - 2 * u : 0)}, flags)) {
        const std::string name = (recording ? "unit " : "") + setup.output_names[static_cast<size_t>(c)];
        double lo = INFINITY, hi = -INFINITY;
        for (int k = 0; k < steps; ++k) {
          const auto e = static_cast<size_t>(k * outputs + c);
          const bool known = t.scored.empty() || t.scored[e] != 0;
          whole[static_cast<size_t>(k)] = static_cast<double>(t.target[e]);
          a[static_cast<size_t>(k)] = known ? static_cast<double>(t.target[e]) : NAN;
          b[static_cast<size_t>(k)] = static_cast<double>(t.output[e]);
          for (double v : {whole[static_cast<size_t>(k)], b[static_cast<size_t>(k)]})
            if (std::isfinite(v)) {
              lo = std::min(lo, v);
              hi = std::max(hi, v);
            }
        }
        const bool inside = ImGui::CalcTextSize(name.c_str()).x > unit_height;  // too long to stand beside the axis
        setup_plot(inside ? nullptr : name.c_str(), last, std::min(lo, hi), std::max(lo, hi));
        if (inside) {
          const ImVec2 corner = ImPlot::GetPlotPos();
          ImPlot::PushPlotClipRect();
          ImPlot::GetPlotDrawList()->AddText({corner.x + 4 * u, corner.y + 2 * u}, ImGui::GetColorU32(ImGuiCol_Text),
                                             name.c_str());
          ImPlot::PopPlotClipRect();
        }
        if (!t.scored.empty()) {  // what is not scored (warm-up, missing, scored elsewhere) is faint
          ImVec4 faint = p.target;
          faint.w = 0.3f;
          ImPlot::SetNextLineStyle(faint, 1.6f * u);
          ImPlot::PlotLine("##all", x.data(), whole.data(), steps);
        }
        ImPlot::SetNextLineStyle(p.target, 1.6f * u);
        ImPlot::PlotLine("target", x.data(), a.data(), steps);
        ImPlot::SetNextLineStyle(p.output, 2 * u);
        ImPlot::PlotLine("output", x.data(), b.data(), steps);
        ImPlot::EndPlot();
      }
      ImGui::PopID();
    }
    ImPlot::EndAlignedPlots();
  }
  ImPlot::PopStyleVar();
  ImGui::PopStyleVar();
  app.track("traces");
}

}  // namespace dalea::app
