// How much of a simulated circuit the network found: found against true weights.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/views.h"
#include "app/widgets.h"
#include "common/recovery_report.h"
#include "implot.h"

namespace dalea::app {
namespace {

int64_t recovered_at(const Snapshot& s) {
  return s.looking_back ? s.hash_updates : s.updates;
}

void make_points(RecoveryState& state, const std::shared_ptr<const RecoveryStudy>& study) {
  const RecoveryStudy& s = *study;
  const std::vector<double>& found = state.linear ? s.linear : s.network;
  state.shown = study;
  state.linear_shown = state.linear;
  state.points = {};
  double low[2] = {0, 0}, high[2] = {0, 0};
  const size_t n = s.names.size();
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) {
      if (i == j) continue;
      const double v[2] = {s.truth[i * n + j], found[i * n + j]};
      RecoveryState::Points& points = state.points[v[0] > 0 ? 0 : v[0] < 0 ? 1 : 2];
      points.x.push_back(v[0]);
      points.y.push_back(v[1]);
      points.to.push_back(static_cast<int32_t>(i));
      points.from.push_back(static_cast<int32_t>(j));
      for (int k = 0; k < 2; ++k) {
        low[k] = std::min(low[k], v[k]);
        high[k] = std::max(high[k], v[k]);
      }
    }
  for (size_t k : {size_t{0}, size_t{1}}) {
    const double pad = 0.06 * (high[k] - low[k]) + 1e-9;
    state.limits[2 * k] = low[k] - pad;
    state.limits[2 * k + 1] = high[k] + pad;
  }
}

void read_pair(const RecoveryState& state, const RecoveryStudy& s) {
  if (!ImPlot::IsPlotHovered()) return;
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  float nearest = ImGui::GetFontSize() * 0.6f;
  nearest *= nearest;
  const RecoveryState::Points* found = nullptr;
  size_t at = 0;
  for (const RecoveryState::Points& points : state.points)
    for (size_t k = 0; k < points.x.size(); ++k) {
      const ImVec2 q = ImPlot::PlotToPixels(points.x[k], points.y[k]);
      const float d = (q.x - mouse.x) * (q.x - mouse.x) + (q.y - mouse.y) * (q.y - mouse.y);
      if (d >= nearest) continue;
      nearest = d;
      found = &points;
      at = k;
    }
  if (found == nullptr) return;
  ImGui::SetTooltip("%s to %s\nin the circuit %.4g\nfound %.4g", s.names[static_cast<size_t>(found->from[at])].c_str(),
                    s.names[static_cast<size_t>(found->to[at])].c_str(), found->x[at], found->y[at]);
}

std::string score_text(const char* name, double value, double other, const char* chance) {
  char text[160];
  const auto number = [](double v) {
    char digits[24];
    std::snprintf(digits, sizeof digits, "%.2f", v);
    return std::string(std::isfinite(v) ? digits : "none");
  };
  std::snprintf(text, sizeof text, "%s %s (ridge %s, chance %s)", name, number(value).c_str(), number(other).c_str(),
                chance);
  return text;
}

}  // namespace

bool draw_recovery(App& app) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  RecoveryState& state = app.view.recovery;
  const Snapshot& s = *app.now;
  if (choice("Traces", !state.open, app.theme)) state.open = false;
  app.track("recovery:traces");
  ImGui::SameLine(0, 4 * u);
  if (choice("Recovered connectivity", state.open, app.theme)) state.open = true;
  hint("The circuit behind the simulated recording is known: how much of it does the network find?");
  app.track("recovery:open");
  if (!state.open) return false;

  const int64_t updates = recovered_at(s);
  const bool current = s.recovered && s.recovered_updates == updates;
  const std::optional<double> measuring = app.live.measuring(Live::Measurement::recovery);
  flow(110 * u, 8 * u);
  if (measuring) {
    if (ImGui::Button("Cancel##recovery")) app.live.cancel_measuring();
    hint("Stops measuring; the training goes on");
    app.track("recovery:cancel");
  } else {
    if (ImGui::Button(s.recovered ? "Measure again" : "Measure")) app.live.study_recovery();
    hint("The network as it is shown now, on the held-out frames: the same as dalea recover session.npz");
    app.track("recovery:measure");
  }
  ImGui::BeginDisabled(!s.recovered);
  flow(46 * u, 6 * u);
  if (ImGui::Button("CSV")) app.host.save_file(text_file("dalea-connections.csv", recovery_pairs_csv(*s.recovered)));
  hint("Each pair of units: weight in the circuit, found by the network, found by ridge regression");
  app.track("recovery:csv");
  flow(60 * u, 6 * u);
  if (ImGui::Button("Figure"))
    app.host.save_file(text_file("dalea-recovery.svg",
                                 plot::to_svg(plot::drawing_of(recovery_figure(s.setup->spec.name, *s.recovered)))));
  hint("Network, ridge regression and blocks as SVG");
  app.track("recovery:figure");
  ImGui::EndDisabled();
  draw_age(app, measuring ? measuring_text(*measuring) : "", s.recovered != nullptr, s.recovered_updates, current);
  if (!s.recovered) {
    ImGui::TextWrapped(
        "Each unit's next frame is predicted. How that prediction answers to another unit is set beside the weight "
        "between the two in the circuit, which is known.");
    return true;
  }

  const std::shared_ptr<const RecoveryStudy> study = s.recovered;
  const RecoveryScore &n = study->network_score, &l = study->linear_score;
  ImGui::TextWrapped("%s; %s; %s", score_text("Signs found", n.sign, l.sign, "0.5").c_str(),
                     score_text("rank correlation", n.rank, l.rank, "0").c_str(),
                     score_text("connection told from none", n.detection, l.detection, "0.5").c_str());
  ImGui::PushFont(fonts.small);
  ImGui::PushStyleColor(ImGuiCol_Text, p.muted);
  ImGui::TextWrapped("%s", recovery_verdict(*study).c_str());
  ImGui::PopStyleColor();
  ImGui::PopFont();
  for (bool linear : {false, true}) {
    if (linear) ImGui::SameLine(0, 4 * u);
    if (choice(linear ? "Ridge" : "Network", state.linear == linear, app.theme)) state.linear = linear;
    app.track(linear ? "recovery:ridge" : "recovery:network");
  }

  const bool fresh = state.shown != study || state.linear_shown != state.linear;
  if (fresh) make_points(state, study);
  ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 0);
  if (ImPlot::BeginPlot("##recovery", ImGui::GetContentRegionAvail(),
                        ImPlotFlags_NoMenus | ImPlotFlags_NoBoxSelect | ImPlotFlags_NoMouseText)) {
    ImPlot::SetupAxes("weight in the circuit", "response found");
    const ImPlotCond when = fresh ? ImPlotCond_Always : ImPlotCond_Once;
    ImPlot::SetupAxisLimits(ImAxis_X1, state.limits[0], state.limits[1], when);
    ImPlot::SetupAxisLimits(ImAxis_Y1, state.limits[2], state.limits[3], when);
    ImPlot::SetupLegend(ImPlotLocation_North, ImPlotLegendFlags_Horizontal | ImPlotLegendFlags_Outside);
    const Sign signs[] = {Sign::excitatory, Sign::inhibitory, Sign::free};
    const char* names[] = {"excitatory", "inhibitory", "absent"};
    const ImPlotMarker markers[] = {ImPlotMarker_Up, ImPlotMarker_Circle, ImPlotMarker_Square};
    // A frame's vertices have 16-bit indices.
    size_t all = 0;
    for (const RecoveryState::Points& points : state.points) all += points.x.size();
    const int stride = static_cast<int>(all / 4000) + 1;
    for (size_t k : {size_t{2}, size_t{0}, size_t{1}}) {
      const RecoveryState::Points& points = state.points[k];
      if (points.x.empty()) continue;
      const ImVec4 color = k == 2 ? p.muted : sign_color(signs[k], app.theme);
      ImPlot::SetNextMarkerStyle(markers[k], (k == 2 ? 1.8f : 3) * u, color, 0, color);
      ImPlot::PlotScatter(names[k], points.x.data(), points.y.data(),
                          (static_cast<int>(points.x.size()) + stride - 1) / stride, 0, 0,
                          stride * static_cast<int>(sizeof(double)));
    }
    read_pair(state, *study);
    ImPlot::EndPlot();
  }
  ImGui::PopStyleVar();
  app.track("recovery");
  return true;
}

}  // namespace dalea::app
