// Loss against epochs: every minibatch, the epoch's mean, held-out, and a recording's baselines.
#include <algorithm>
#include <cmath>

#include "app/views.h"
#include "app/widgets.h"
#include "implot.h"

namespace dalea::app {
namespace {

std::string with_value(const char* name, double v) {
  char text[80];
  std::snprintf(text, sizeof text, "%s  %.4g###%s", name, v, name);
  return text;
}

void choose(App& app, const char* label, const char* name, bool on, bool accuracy) {
  if (choice(label, on, app.theme)) app.view.accuracy = accuracy;
  app.track(name);
}

}  // namespace

void mark_moment(App& app) {
  const Snapshot& s = *app.now;
  if (!s.looking_back) return;
  const double epoch =
      static_cast<double>(s.hash_updates) / static_cast<double>(std::max<int64_t>(1, s.setup->batches_per_epoch));
  ImPlot::SetNextLineStyle(palette(app.theme).text, 1.2f * app.scale);
  ImPlot::PlotInfLines("shown", &epoch, 1);
}

void mark_pruning(App& app) {
  const Snapshot& s = *app.now;
  if (!s.dense) return;
  const double epoch = static_cast<double>(s.setup->spec.training.epochs);
  ImPlot::SetNextLineStyle(palette(app.theme).muted, 1.2f * app.scale);
  ImPlot::PlotInfLines("##pruned", &epoch, 1);
  ImPlot::TagX(epoch, palette(app.theme).panel, "pruned");
}

void draw_loss(App& app) {
  const Palette& p = palette(app.theme);
  const Snapshot& s = *app.now;
  const float u = app.scale;
  if (s.setup && s.setup->classes > 0) {
    choose(app, "Accuracy", "loss:accuracy", app.view.accuracy, true);
    ImGui::SameLine(0, 4 * u);
    choose(app, "Loss", "loss:loss", !app.view.accuracy, false);
    ImGui::SameLine();
    if (app.view.accuracy) {
      ImGui::TextDisabled("right answers");
      return draw_accuracy(app);
    }
  } else {
    ImGui::AlignTextToFramePadding();
  }
  ImGui::TextDisabled("%s", s.setup ? ("mean " + s.setup->loss_unit).c_str() : "");
  const char* label = "Log scale";
  ImGui::SameLine(ImGui::GetContentRegionMax().x - ImGui::CalcTextSize(label).x - ImGui::GetFrameHeight() - 8 * u);
  ImGui::Checkbox(label, &app.view.log_loss);
  app.track("loss:log");
  if (!s.setup) return;

  const auto& history = *s.history;
  const double per_epoch = static_cast<double>(std::max<int64_t>(1, s.setup->batches_per_epoch));
  std::vector<double> bx, by, x, train, validation, held;
  double least = INFINITY, most = -INFINITY;
  const auto see = [&](double v) {
    if (std::isfinite(v) && v > 0) {
      least = std::min(least, v);
      most = std::max(most, v);
    }
  };
  for (const LossPoint& q : s.batch_losses) {
    bx.push_back(q.update / per_epoch);
    by.push_back(q.loss);
    see(q.loss);
  }
  for (const EpochRecord& e : history) {
    x.push_back(static_cast<double>(e.epoch));
    train.push_back(e.train);
    validation.push_back(e.validation);
    held.push_back(e.held_out);
    see(e.train);
    see(e.held_out);
  }
  if (const Overfit overfit = overfit_of(history); overfit.warns) {
    ImGui::PushFont(fonts.small);
    ImGui::PushStyleColor(ImGuiCol_Text, p.bad);
    ImGui::TextWrapped("%s error rises again since epoch %lld, the training error falls.",
                       overfit.validation ? "The validation" : "The held-out", static_cast<long long>(overfit.epoch));
    ImGui::PopStyleColor();
    ImGui::PopFont();
    hint(overfit.text().c_str());
    app.track("loss:overfit");
  }
  const Baselines* base = s.setup->baselines.get();
  if (base)
    for (double v : {base->last_frame, base->ar1, base->linear}) see(v);
  if (!(least < INFINITY)) {
    least = 0.1;
    most = 1;
  }
  const double epochs = static_cast<double>(std::max<int64_t>(1, s.setup->spec.all_epochs()));
  // The axis grows with the training instead of beginning with an empty stretch.
  double right = 5;
  while (right < static_cast<double>(s.updates) / per_epoch * 1.02 && right < epochs) right *= 2;
  right = std::min(right, epochs);

  const ImVec2 size = ImGui::GetContentRegionAvail();
  ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 0);
  if (ImPlot::BeginPlot("##loss", size, ImPlotFlags_NoMenus | ImPlotFlags_NoBoxSelect | ImPlotFlags_NoMouseText)) {
    ImPlot::SetupAxes("epoch", nullptr, ImPlotAxisFlags_None, ImPlotAxisFlags_None);
    ImPlot::SetupAxisLimits(ImAxis_X1, 0, right, ImPlotCond_Always);
    if (app.view.log_loss) {
      ImPlot::SetupAxisScale(ImAxis_Y1, ImPlotScale_Log10);
      ImPlot::SetupAxisLimits(ImAxis_Y1, least * 0.8, most * 1.6, ImPlotCond_Always);
    } else {
      ImPlot::SetupAxisLimits(ImAxis_Y1, 0, most * 1.08, ImPlotCond_Always);
    }
    ImPlot::SetupAxisFormat(ImAxis_Y1, "%g");
    if (app.view.log_loss && most < 300 * least) {  // decades alone would label too little
      std::vector<double> ticks;
      for (double ten = std::pow(10.0, std::floor(std::log10(least * 0.8))); ten < most * 1.6; ten *= 10)
        for (double m : {1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0})
          if (m == 1 || m == 2 || m == 5 || most < 8 * least) ticks.push_back(m * ten);
      ImPlot::SetupAxisTicks(ImAxis_Y1, ticks.data(), static_cast<int>(ticks.size()));
    }
    ImPlot::SetupLegend(ImPlotLocation_NorthEast);
    ImVec4 thin = p.train;
    thin.w = 0.45f;
    ImPlot::SetNextLineStyle(thin, 1 * u);
    ImPlot::PlotLine("every update", bx.data(), by.data(), static_cast<int>(bx.size()));
    if (!x.empty()) {
      const auto series = [&](const char* name, const std::vector<double>& y, const ImVec4& color, float weight) {
        ImPlot::SetNextLineStyle(color, weight * u);
        if (y.size() == 1) ImPlot::SetNextMarkerStyle(ImPlotMarker_Circle, 3 * u, color, 0, color);
        ImPlot::PlotLine(with_value(name, y.back()).c_str(), x.data(), y.data(), static_cast<int>(x.size()));
      };
      series("train", train, p.train, 1.8f);
      if (std::isfinite(validation.back())) series("validation", validation, p.validation, 1.4f);
      if (std::isfinite(held.back())) series("held-out", held, p.held_out, 2.2f);
    }
    if (base) {
      const std::pair<const char*, double> lines[] = {
          {"last frame", base->last_frame}, {"AR(1)", base->ar1}, {"ridge", base->linear}};
      for (int k = 0; k < 3; ++k) {
        if (!std::isfinite(lines[k].second)) continue;
        ImPlot::SetNextLineStyle(p.baseline[k], 1.4f * u);
        ImPlot::PlotInfLines(with_value(lines[k].first, lines[k].second).c_str(), &lines[k].second, 1,
                             ImPlotInfLinesFlags_Horizontal);
      }
    }
    mark_pruning(app);
    mark_moment(app);
    ImPlot::EndPlot();
  }
  ImGui::PopStyleVar();
  app.track("loss");
}

void draw_learning(App& app) {
  draw_tabs(app, "learning",
            {{app.now->setup && app.now->setup->classes > 0 ? "Learning" : "Loss", draw_loss},
             {"Spectrum", draw_spectrum},
             {"Weights by sign", draw_weights_by_sign}});
}

}  // namespace dalea::app
