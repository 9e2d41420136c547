// The measured wiring beside null models, each trained several times: curves, final losses and their differences.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/views.h"
#include "app/widgets.h"
#include "implot.h"

namespace dalea::app {
namespace {

constexpr const char* null_help[] = {
    "As published: all entries between different neurons are permuted; the number and the weights of connections stay.",
    "Every neuron keeps its in- and out-degree and its outgoing weights.",
    "Who connects to whom stays; the weights are shuffled.",
    "The number of connections at each distance stays. Needs positions, which the synthetic network has.",
    "The number of connections and their mean weight stay."};

std::string null_number(const char* format, double v) {
  if (!std::isfinite(v)) return "\xe2\x80\x93";
  char text[40];
  std::snprintf(text, sizeof text, format, v);
  return text;
}

ImVec4 null_ink(const App& app, const std::string& name) {
  if (name == "measured") return palette(app.theme).accent;
  for (size_t k = 0; k < std::size(null_models); ++k)
    if (name == null_models[k]) return screen_color(plot::series_style(k).color, app.theme);
  return palette(app.theme).muted;
}

void choose_nulls(App& app, const SideView& side) {
  ConnectomeState& state = app.view.connectome;
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  const bool busy = side.running;
  const Connectome* c = app.now->setup ? app.now->setup->spec.measured.get() : nullptr;
  int chosen = 0;
  ImGui::BeginDisabled(busy);
  ImGui::AlignTextToFramePadding();
  ImGui::TextUnformatted("Measured and");
  for (size_t k = 0; k < std::size(null_models); ++k) {
    flow(checkbox_width(null_models[k]), 10 * u);
    const bool possible = std::string(null_models[k]) != "spatial" || (c != nullptr && !c->x.empty());
    if (!possible) state.chosen[k] = false;
    ImGui::BeginDisabled(!possible);
    ImGui::PushStyleColor(ImGuiCol_Text, null_ink(app, null_models[k]));
    ImGui::Checkbox(null_models[k], &state.chosen[k]);
    ImGui::PopStyleColor();
    ImGui::EndDisabled();
    app.track(std::string("nulls:") + null_models[k]);
    hint(null_help[k]);
    chosen += state.chosen[k];
  }
  ImGui::AlignTextToFramePadding();
  ImGui::TextUnformatted("Seeds of each");
  ImGui::SameLine();
  ImGui::SetNextItemWidth(90 * u);
  if (ImGui::InputInt("##null runs", &state.runs)) state.runs = std::clamp(state.runs, 2, most_runs);
  app.track("nulls:runs");
  hint("Each seed is another scaling, another null model and other initial weights; those of all wirings start alike");
  ImGui::EndDisabled();
  flow(190 * u, 12 * u);
  if (busy) {
    if (ImGui::Button(side.paused ? "Continue##nulls" : "Pause##nulls"))
      side.paused ? app.side.go_on() : app.side.pause();
    app.track("nulls:pause");
    ImGui::SameLine();
    if (ImGui::Button("Stop##nulls")) app.side.stop();
    app.track("nulls:stop");
  } else {
    ImGui::BeginDisabled(chosen == 0 || c == nullptr);
    ImGui::PushStyleColor(ImGuiCol_Button, p.accent);
    ImGui::PushStyleColor(ImGuiCol_ButtonHovered, p.accent);
    ImGui::PushStyleColor(ImGuiCol_Text, p.on_accent);
    const std::string label =
        "Train " + std::to_string(1 + chosen) + " x " + std::to_string(state.runs) + " networks###train nulls";
    if (ImGui::Button(label.c_str())) app.train_nulls();
    ImGui::PopStyleColor(3);
    ImGui::EndDisabled();
    app.track("nulls:train");
    hint(app.draft_changed ? "Of the network that is trained now, without the changed settings"
                           : "Trains the network under each wiring, side by side");
  }
}

void draw_null_curves(App& app, const SideView& side, float height) {
  ConnectomeState& state = app.view.connectome;
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  double least = INFINITY, most = -INFINITY, reached = 2;
  for (const RunCurves& g : state.curves)
    for (const auto& run : g.runs)
      for (const EpochRecord& r : run) {
        if (!(r.held_out > 0)) continue;
        least = std::min(least, r.held_out);
        most = std::max(most, r.held_out);
        reached = std::max(reached, static_cast<double>(r.epoch));
      }
  if (!(least < INFINITY)) least = 0.1, most = 1;
  ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 0);
  if (ImPlot::BeginPlot("##null curves", {-1, height},
                        ImPlotFlags_NoMenus | ImPlotFlags_NoBoxSelect | ImPlotFlags_NoMouseText)) {
    const std::string unit = unit_of(side);
    ImPlot::SetupAxes("epoch", ("held-out loss" + (unit.empty() ? "" : " (" + unit + ")")).c_str());
    ImPlot::SetupAxisLimits(ImAxis_X1, 1, reached, ImPlotCond_Always);
    ImPlot::SetupAxisScale(ImAxis_Y1, ImPlotScale_Log10);
    ImPlot::SetupAxisLimits(ImAxis_Y1, least * 0.85, most * 1.2, ImPlotCond_Always);
    ImPlot::SetupAxisFormat(ImAxis_Y1, "%g");
    ImPlot::SetupLegend(ImPlotLocation_NorthEast);
    std::vector<double> x, low, high;
    for (const RunCurves& g : state.curves) {
      const ImVec4 ink = null_ink(app, g.name);
      const CurveSpread s = spread_of(g, &EpochRecord::held_out);
      x.clear(), low.clear(), high.clear();
      for (size_t e = 0; e < s.mean.size(); ++e) {
        const double sd = std::isfinite(s.sd[e]) ? s.sd[e] : 0;
        x.push_back(static_cast<double>(e + 1));
        low.push_back(std::max(s.mean[e] - sd, least * 0.85));
        high.push_back(s.mean[e] + sd);
      }
      const int n = static_cast<int>(x.size());
      if (n == 0) continue;
      ImPlot::SetNextFillStyle(ink, 0.14f);
      ImPlot::PlotShaded(g.name.c_str(), x.data(), low.data(), high.data(), n);
      ImPlot::SetNextLineStyle(ink, (g.name == "measured" ? 2.6f : 1.8f) * u);
      if (n == 1) ImPlot::SetNextMarkerStyle(ImPlotMarker_Circle, 3 * u, ink, 0, ink);
      ImPlot::PlotLine(g.name.c_str(), x.data(), s.mean.data(), n);
    }
    ImPlot::EndPlot();
  }
  ImGui::PopStyleVar();
  app.track("nulls:curves");
  (void)p;
}

void draw_null_table(App& app, const SideView& side, float height) {
  const ConnectomeState& state = app.view.connectome;
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  double least = INFINITY, most = -INFINITY;
  for (const NullResult& r : state.results) {
    for (double v : r.losses) least = std::min(least, v), most = std::max(most, v);
    if (std::isfinite(r.low)) least = std::min(least, r.low), most = std::max(most, r.high);
  }
  const double pad = least < most ? 0.04 * (most - least) : 1e-9;
  ImGui::PushFont(fonts.small);
  ImGui::PushStyleVar(ImGuiStyleVar_CellPadding, {5 * u, 3 * u});
  constexpr ImGuiTableFlags flags = ImGuiTableFlags_RowBg | ImGuiTableFlags_BordersInnerH | ImGuiTableFlags_ScrollY |
                                    ImGuiTableFlags_SizingFixedFit | ImGuiTableFlags_PadOuterX;
  if (ImGui::BeginTable("null results", 4, flags, {0, height})) {
    ImGui::TableSetupScrollFreeze(0, 1);
    ImGui::TableSetupColumn("wiring");
    ImGui::TableSetupColumn("final held-out loss");
    ImGui::TableSetupColumn("runs, mean, 95 %", ImGuiTableColumnFlags_WidthStretch);
    ImGui::TableSetupColumn("minus measured");
    ImGui::TableHeadersRow();
    for (const NullResult& r : state.results) {
      const ImVec4 ink = null_ink(app, r.name);
      ImGui::TableNextRow();
      ImGui::TableNextColumn();
      ImGui::TextColored(ink, "%s", r.name.c_str());
      size_t all = 0;
      for (const JobView& j : side.jobs) all += j.job.group == r.name;
      ImGui::TableNextColumn();
      if (r.losses.empty())
        ImGui::TextDisabled("0 of %zu finished", all);
      else
        ImGui::Text("%s  (%zu of %zu)", null_number("%.4g", r.mean).c_str(), r.losses.size(), all);
      ImGui::TableNextColumn();
      const ImVec2 at = ImGui::GetCursorScreenPos();
      const float width = ImGui::GetContentRegionAvail().x, line = ImGui::GetTextLineHeight(), y = at.y + line / 2;
      const auto x = [&](double v) {
        return at.x + 4 * u + static_cast<float>((v - least + pad) / (most - least + 2 * pad)) * (width - 8 * u);
      };
      ImDrawList* draw = ImGui::GetWindowDrawList();
      if (std::isfinite(r.low)) draw->AddLine({x(r.low), y}, {x(r.high), y}, color32(ink), 2 * u);
      for (double v : r.losses) draw->AddCircle({x(v), y}, 2.6f * u, color32(ink, 0.75f), 0, u);
      if (std::isfinite(r.mean))
        draw->AddRectFilled({x(r.mean) - 1.5f * u, y - 0.42f * line}, {x(r.mean) + 1.5f * u, y + 0.42f * line},
                            color32(ink));
      ImGui::Dummy({1, line});
      ImGui::TableNextColumn();
      const bool apart = r.difference_low > 0 || r.difference_high < 0;
      if (std::isfinite(r.difference_low))
        ImGui::TextColored(apart ? p.accent : p.text, "%s [%s, %s]", null_number("%+.2g", r.difference).c_str(),
                           null_number("%+.2g", r.difference_low).c_str(),
                           null_number("%+.2g", r.difference_high).c_str());
      else
        ImGui::TextDisabled("\xe2\x80\x93");
      hint(
          "Run by run, with intervals that hold together with 95 % (Student's t, Bonferroni). Above 0: the measured "
          "wiring learns better.");
    }
    ImGui::EndTable();
  }
  app.track("nulls:table");
  ImGui::PopStyleVar();
  ImGui::PopFont();
}

}  // namespace

void draw_nulls(App& app, ImVec2 room) {
  ConnectomeState& state = app.view.connectome;
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  const float top = ImGui::GetCursorScreenPos().y;
  const SideView side = app.side.view();
  const bool ours = are_null_jobs(side);
  ImGui::PushFont(fonts.small);
  choose_nulls(app, side);
  if (!ours) {
    state.results.clear();
    state.curves.clear();
    ImGui::PushStyleColor(ImGuiCol_Text, p.muted);
    ImGui::TextWrapped(
        "Does the wiring matter? The network is trained under the measured wiring and under null models of it, which "
        "keep "
        "less: their curves and final losses appear here side by side.");
    if (side.running) ImGui::TextWrapped("Other runs are training: stop them in the Runs tab first.");
    ImGui::PopStyleColor();
    ImGui::PopFont();
    return;
  }
  if (state.results_version != side.version || state.results.empty()) {
    state.results_version = side.version;
    state.results = null_results(side);
    state.curves = curves_of(side);
  }
  if (side.running) {
    ImGui::PushStyleColor(ImGuiCol_PlotHistogram, p.accent);
    ImGui::ProgressBar(static_cast<float>(side.progress), {-1, 4 * u}, "");
    ImGui::PopStyleColor();
  }
  for (const JobView& j : side.jobs)
    if (j.state == JobState::failed) {
      ImGui::TextColored(p.bad, "%s failed: %s", j.job.name.c_str(), j.failure.c_str());
      break;
    }
  ImGui::TextWrapped("%s", null_verdict(state.results).c_str());
  app.track("nulls:verdict");
  flow(120 * u, 10 * u);
  if (ImGui::SmallButton("All runs##nulls")) app.view.tab = tab_runs;
  app.track("nulls:runs-tab");
  hint("The Runs tab has each run's weights, hash and session");
  ImGui::PopFont();
  const float rest = std::max(140 * u, room.y - (ImGui::GetCursorScreenPos().y - top));
  const float table =
      std::min(0.45f * rest, (ImGui::GetFontSize() + 9 * u) * static_cast<float>(state.results.size() + 1));
  draw_null_curves(app, side, rest - table - 6 * u);
  draw_null_table(app, side, table);
}

}  // namespace dalea::app
