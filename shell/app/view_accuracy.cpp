// How many held-out answers are right, after every epoch; beside it what always giving one answer would reach.
#include <algorithm>
#include <cmath>

#include "app/views.h"
#include "implot.h"

namespace dalea::app {

void draw_accuracy(App& app) {
  const Palette& p = palette(app.theme);
  const Snapshot& s = *app.now;
  const float u = app.scale;
  const Setup& setup = *s.setup;
  std::vector<double> x, validation, held;
  for (const EpochRecord& e : *s.history) {
    x.push_back(static_cast<double>(e.epoch));
    validation.push_back(100 * e.validation_accuracy);
    held.push_back(100 * e.held_out_accuracy);
  }
  const double epochs = static_cast<double>(std::max<int64_t>(1, setup.spec.all_epochs()));
  double right = 5;  // as the loss's axis
  while (right < static_cast<double>(s.epoch) * 1.02 && right < epochs) right *= 2;
  right = std::min(right, epochs);
  ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 0);
  if (ImPlot::BeginPlot("##accuracy", ImGui::GetContentRegionAvail(),
                        ImPlotFlags_NoMenus | ImPlotFlags_NoBoxSelect | ImPlotFlags_NoMouseText)) {
    ImPlot::SetupAxes("epoch", nullptr, ImPlotAxisFlags_None, ImPlotAxisFlags_None);
    ImPlot::SetupAxisLimits(ImAxis_X1, 0, right, ImPlotCond_Always);
    ImPlot::SetupAxisLimits(ImAxis_Y1, 0, 104, ImPlotCond_Always);
    ImPlot::SetupAxisFormat(ImAxis_Y1, "%g %%");
    ImPlot::SetupLegend(ImPlotLocation_SouthEast);
    char text[80];
    const auto series = [&](const char* name, const std::vector<double>& y, const ImVec4& color, float weight) {
      if (y.empty() || !std::isfinite(y.back())) return;
      ImPlot::SetNextLineStyle(color, weight * u);
      if (y.size() == 1) ImPlot::SetNextMarkerStyle(ImPlotMarker_Circle, 3 * u, color, 0, color);
      std::snprintf(text, sizeof text, "%s  %.1f %%###%s", name, y.back(), name);
      ImPlot::PlotLine(text, x.data(), y.data(), static_cast<int>(x.size()));
    };
    series("validation", validation, p.validation, 1.4f);
    series("held-out", held, p.held_out, 2.2f);
    const double chance = 100 * setup.commonest;
    std::snprintf(text, sizeof text, "commonest class  %.1f %%###chance", chance);
    ImPlot::SetNextLineStyle(p.baseline[0], 1.4f * u);
    ImPlot::PlotInfLines(text, &chance, 1, ImPlotInfLinesFlags_Horizontal);
    if (x.empty()) ImPlot::PlotText("known after the first epoch", right / 2, 55);
    mark_moment(app);
    ImPlot::EndPlot();
  }
  ImGui::PopStyleVar();
  app.track("accuracy");
}

}  // namespace dalea::app
