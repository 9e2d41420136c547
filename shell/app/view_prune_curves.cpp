// The sweep: error and surviving spanning tree against sparsity, and the weights that are left (SEEDS 3.5, 3.8, F18).
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/views.h"
#include "implot.h"

namespace dalea::app {
namespace {

constexpr auto methods = {PruneMethod::random, PruneMethod::magnitude, PruneMethod::top_prob};

ImVec4 method_color(PruneMethod method, const Palette& p, Theme theme) {
  const Color c = plot::named_style(text_of(method)).color;
  if (theme == Theme::dark && method == PruneMethod::random) return p.muted;
  if (theme == Theme::dark && method == PruneMethod::top_prob) return p.good;
  return {static_cast<float>(c.r) / 255, static_cast<float>(c.g) / 255, static_cast<float>(c.b) / 255, 1};
}

ImPlotMarker method_marker(PruneMethod method) {
  return method == PruneMethod::random      ? ImPlotMarker_Circle
         : method == PruneMethod::magnitude ? ImPlotMarker_Square
                                            : ImPlotMarker_Diamond;
}

// Every second piece between the points, straight in the plot's own scale.
void dashed(const char* name, const std::vector<double>& x, const std::vector<double>& y, const ImVec4& color,
            float weight) {
  std::vector<double> dx, dy;
  for (size_t k = 0; k + 1 < x.size(); ++k) {
    const int pieces = std::max(1, static_cast<int>(std::lround((x[k + 1] - x[k]) * 30)));
    for (int q = 0; q < pieces; ++q)
      for (double f : {q + 0.0, q + 0.55}) {
        dx.push_back(x[k] + (x[k + 1] - x[k]) * f / pieces);
        dy.push_back(y[k] + (y[k + 1] - y[k]) * f / pieces);
      }
  }
  ImPlot::SetNextLineStyle(color, weight);
  ImPlot::PlotLine(name, dx.data(), dy.data(), static_cast<int>(dx.size()), ImPlotLineFlags_Segments);
}

bool begin_plot(const char* id) {
  return ImPlot::BeginPlot(id, ImGui::GetContentRegionAvail(),
                           ImPlotFlags_NoMenus | ImPlotFlags_NoBoxSelect | ImPlotFlags_NoMouseText);
}

void empty_state(const App& app, const PruneView& view) {
  const char* text = view.sweeping ? "The first error comes in a moment ..."
                                   : "Press Sweep: the error at 15 sparsities, by three methods.";
  const ImVec2 room = ImGui::GetContentRegionAvail();
  ImGui::SetCursorPosY(ImGui::GetCursorPosY() + room.y / 2 - 20 * app.scale);
  const float width = ImGui::CalcTextSize(text).x;
  if (width < room.x) ImGui::SetCursorPosX(ImGui::GetCursorPosX() + (room.x - width) / 2);
  ImGui::PushStyleColor(ImGuiCol_Text, palette(app.theme).muted);
  ImGui::TextWrapped("%s", text);
  ImGui::PopStyleColor();
}

// Where the slider is.
void here(double sparsity, const Palette& p, float u) {
  ImVec4 color = p.muted;
  color.w = 0.5f;
  ImPlot::SetNextLineStyle(color, u);
  ImPlot::PlotInfLines("##here", &sparsity, 1);
}

// A line for each method, times a factor; a band where there are several draws.
void method_lines(App& app, const SweepView& swept, double SweepPoint::*mean, double SweepPoint::*sd, double times) {
  const Palette& p = palette(app.theme);
  for (PruneMethod method : methods) {
    std::vector<double> x, y, low, high;
    for (const SweepPoint& q : swept.sweep.points) {
      if (q.method != method) continue;
      x.push_back(q.sparsity);
      y.push_back(times * q.*mean);
      low.push_back(times * std::max(q.*mean - q.*sd, q.*mean / 10));  // a log axis has no zero
      high.push_back(times * (q.*mean + q.*sd));
    }
    if (x.empty()) continue;
    const ImVec4 color = method_color(method, p, app.theme);
    const int n = static_cast<int>(x.size());
    if (swept.options.draws > 1 && method != PruneMethod::magnitude) {
      ImPlot::SetNextFillStyle(color, 0.2f);
      ImPlot::PlotShaded(text_of(method), x.data(), low.data(), high.data(), n);
    }
    ImPlot::SetNextLineStyle(color, 1.8f * app.scale);
    ImPlot::SetNextMarkerStyle(method_marker(method), 3 * app.scale, color, 0, color);
    ImPlot::PlotLine(text_of(method), x.data(), y.data(), n);
  }
}

void draw_error(App& app, const PruneView& view) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  const SweepView& swept = *view.sweep;
  const bool bands = swept.options.draws > 1;
  double least = INFINITY, most = -INFINITY;
  const auto see = [&](double v) {
    if (!std::isfinite(v) || v <= 0) return;
    least = std::min(least, v);
    most = std::max(most, v);
  };
  see(swept.sweep.dense);
  for (const SweepPoint& q : swept.sweep.points) {
    see(q.held_out);
    if (bands) see(q.held_out + q.held_out_sd);
  }
  if (!(least < INFINITY)) {
    least = 0.1;
    most = 1;
  }
  if (!begin_plot("##prune-error")) return;
  ImPlot::SetupAxes("sparsity (absent / all)", nullptr);
  ImPlot::SetupAxisLimits(ImAxis_X1, -0.03, 1.03, ImPlotCond_Always);
  ImPlot::SetupAxisScale(ImAxis_Y1, ImPlotScale_Log10);
  ImPlot::SetupAxisLimits(ImAxis_Y1, least * 0.7, most * 1.5, ImPlotCond_Always);
  ImPlot::SetupAxisFormat(ImAxis_Y1, "%g");
  if (most < 300 * least) {  // decades alone would label too little
    std::vector<double> ticks;
    for (double ten = std::pow(10.0, std::floor(std::log10(least * 0.7))); ten < most * 1.5; ten *= 10)
      for (double q : {1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0})
        if (q == 1 || q == 2 || q == 5 || most < 8 * least) ticks.push_back(q * ten);
    ImPlot::SetupAxisTicks(ImAxis_Y1, ticks.data(), static_cast<int>(ticks.size()));
  }
  ImPlot::SetupLegend(ImPlotLocation_NorthWest);
  here(app.view.prune.sparsity, p, u);
  method_lines(app, swept, &SweepPoint::held_out, &SweepPoint::held_out_sd, 1);
  if (std::isfinite(swept.sweep.dense))
    dashed("unpruned", {0, 1}, {swept.sweep.dense, swept.sweep.dense}, p.text, 1.2f * u);
  ImPlot::EndPlot();
}

void draw_accuracy(App& app, const PruneView& view) {
  const Palette& p = palette(app.theme);
  const SweepView& swept = *view.sweep;
  if (!begin_plot("##prune-accuracy")) return;
  ImPlot::SetupAxes("sparsity (absent / all)", nullptr);
  ImPlot::SetupAxisLimits(ImAxis_X1, -0.03, 1.03, ImPlotCond_Always);
  ImPlot::SetupAxisLimits(ImAxis_Y1, -3, 103, ImPlotCond_Always);
  ImPlot::SetupLegend(ImPlotLocation_SouthWest);
  here(app.view.prune.sparsity, p, app.scale);
  method_lines(app, swept, &SweepPoint::accuracy, &SweepPoint::accuracy_sd, 100);
  const double dense = 100 * swept.sweep.dense_accuracy,
               chance = 100.0 / static_cast<double>(swept.network->model.outputs);
  if (std::isfinite(dense)) dashed("unpruned", {0, 1}, {dense, dense}, p.text, 1.2f * app.scale);
  dashed("by chance", {0, 1}, {chance, chance}, p.muted, 1.2f * app.scale);
  ImPlot::EndPlot();
}

void draw_overlap(App& app, const PruneView& view) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  if (!begin_plot("##prune-overlap")) return;
  ImPlot::SetupAxes("sparsity (absent / all)", nullptr);
  ImPlot::SetupAxisLimits(ImAxis_X1, -0.03, 1.03, ImPlotCond_Always);
  ImPlot::SetupAxisLimits(ImAxis_Y1, -0.03, 1.05, ImPlotCond_Always);
  ImPlot::SetupLegend(ImPlotLocation_SouthWest);
  here(app.view.prune.sparsity, p, u);
  std::vector<double> cx, cy;
  for (PruneMethod method : methods) {
    std::vector<double> x, y, chance;
    for (const SweepPoint& q : view.sweep->sweep.points) {
      if (q.method != method) continue;
      x.push_back(q.sparsity);
      y.push_back(q.overlap);
      chance.push_back(q.random_overlap);
    }
    if (x.empty()) continue;
    if (cx.size() <= x.size()) {
      cx = x;
      cy = chance;
    }
    const ImVec4 color = method_color(method, p, app.theme);
    ImPlot::SetNextLineStyle(color, 1.8f * u);
    ImPlot::SetNextMarkerStyle(method_marker(method), 3 * u, color, 0, color);
    ImPlot::PlotLine(text_of(method), x.data(), y.data(), static_cast<int>(x.size()));
  }
  dashed("expected by chance", cx, cy, p.text, 1.2f * u);
  ImPlot::EndPlot();
}

void draw_weights(App& app, const MaskView& m) {
  const Palette& p = palette(app.theme);
  const WeightBins& bins = m.bins;
  const double count = static_cast<double>(bins.all.size()), width = 2 * bins.top / std::max(1.0, count);
  std::vector<double> x;
  double most = 1;
  for (size_t k = 0; k < bins.all.size(); ++k) {
    x.push_back(-bins.top + (static_cast<double>(k) + 0.5) * width);
    most = std::max(most, bins.all[k]);
  }
  if (!begin_plot("##prune-weights")) return;
  ImPlot::SetupAxes("weight", "connections");
  ImPlot::SetupAxisLimits(ImAxis_X1, -bins.top * 1.02 - 1e-12, bins.top * 1.02 + 1e-12, ImPlotCond_Always);
  ImPlot::SetupAxisLimits(ImAxis_Y1, 0, most * 1.25, ImPlotCond_Always);
  ImPlot::SetupLegend(ImPlotLocation_NorthEast);
  const int n = static_cast<int>(x.size());
  ImPlot::SetNextFillStyle(p.muted, 0.35f);
  ImPlot::PlotBars("all weights", x.data(), bins.all.data(), n, width);
  ImPlot::SetNextFillStyle(method_color(m.settings.method, p, app.theme), 0.9f);
  char name[80];
  std::snprintf(name, sizeof name, "left by %s at %.1f %%###left", text_of(m.settings.method),
                100 * m.settings.sparsity);
  ImPlot::PlotBars(name, x.data(), bins.surviving.data(), n, width);
  ImPlot::EndPlot();
}

}  // namespace

void draw_prune_curves(App& app) {
  const Snapshot& s = *app.now;
  const PruneView view = app.pruning.view();
  if (!s.setup) {
    ImGui::TextDisabled("The sweep's curves appear here.");
    return;
  }
  const bool any = view.sweep && !view.sweep->sweep.points.empty();
  ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 0);
  if (ImGui::BeginTabBar("prune-curves")) {
    const auto tab = [&](const char* name) {
      const bool open = ImGui::BeginTabItem(name);
      app.track(std::string("prune-tab:") + name);
      return open;
    };
    const auto about = [&](const std::string& what) {
      ImGui::PushFont(fonts.small);
      std::string text = what;
      if (any) {
        const SweepView& swept = *view.sweep;
        text += ", after " + std::to_string(swept.network->updates) + " updates";
        if (swept.options.draws > 1) text += ", mean and sd of " + std::to_string(swept.options.draws) + " draws";
        if (swept.options.as_published) text += ", as published";
        if (swept.network->network != s.setup->serial) text += ", of an earlier network";
      }
      ImGui::TextDisabled("%s", text.c_str());
      ImGui::PopFont();
    };
    if (tab("Error")) {
      about("Held-out loss (" + (any ? view.sweep->network->data->unit : s.setup->loss_unit) + ")");
      any ? draw_error(app, view) : empty_state(app, view);
      ImGui::EndTabItem();
    }
    const bool classes = any ? view.sweep->network->data->loss == Loss::cross_entropy : s.setup->classes > 0;
    if (classes && tab("Accuracy")) {
      about("Right answers (%)");
      any ? draw_accuracy(app, view) : empty_state(app, view);
      ImGui::EndTabItem();
    }
    if (tab("Strongest wiring")) {
      about("Part of the spanning tree left");
      any ? draw_overlap(app, view) : empty_state(app, view);
      ImGui::EndTabItem();
    }
    if (tab("Weights left")) {
      if (view.mask) draw_weights(app, *view.mask);
      ImGui::EndTabItem();
    }
    ImGui::EndTabBar();
  }
  ImGui::PopStyleVar();
  app.track("prune-curves");
}

}  // namespace dalea::app
