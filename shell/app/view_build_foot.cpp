// What the circuit amounts to before it is trained, and one trial of its task.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "app/build_parts.h"
#include "app/views.h"
#include "app/widgets.h"
#include "implot.h"

namespace dalea::app {
namespace {

constexpr int64_t most_sampled = 3000;      // units
constexpr double most_sampling_s = 0.03;    // in a frame, unasked
constexpr double quick_sampling_s = 0.004;  // while something is being dragged

// Keeps the sampled mask and its numbers with the draft, where that costs a frame little.
void follow_mask(App& app, bool asked) {
  BuildState& b = app.view.build;
  const Spec& s = app.draft;
  if (!b.mask_known || !same_start(b.mask_of, s)) {
    b.mask_of = s;
    b.mask_known = true;
    b.synapses = -1;
    b.mask_side = 0;
    b.expected = expected_synapses(s);
    b.spectrum = predicted_spectrum(s);
  }
  if (b.synapses >= 0 || s.units() > most_sampled || s.units() < 1) return;
  const double cost =
      wiring_of(s) == Wiring::all && !made_by_rules(s) && s.connectivity.self_connections ? 0 : b.sampling_s();
  if (!asked && cost > (ImGui::IsAnyItemActive() ? quick_sampling_s : most_sampling_s)) return;
  const auto start = std::chrono::steady_clock::now();
  Spec wired = s;
  wired.stages.prune = false;  // what it is pruned to, drawn as if it were sampled
  const auto mask = sample_pattern(wired, 0);
  if (mask && s.units() >= 100)
    b.s_per_pair = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() /
                   static_cast<double>(s.units() * s.units());
  b.synapses = mask ? mask->count() : s.units() * s.units();
  b.mask_side = paint_mask(s, mask.get(), 256, b.pixels);
  b.texture = app.host.texture(b.texture, b.mask_side, b.mask_side, b.pixels.data(), true);
}

// The eigenvalues over the unit circle.
void spectrum_tooltip(const App& app, const Spectrum& s) {
  const Palette& p = palette(app.theme);
  const float u = app.scale, side = 220 * u;
  ImGui::BeginTooltip();
  const ImVec2 at = ImGui::GetCursorScreenPos(), middle = {at.x + side / 2, at.y + side / 2};
  ImGui::Dummy({side, side});
  ImDrawList* draw = ImGui::GetWindowDrawList();
  const float scale = 0.47f * side / static_cast<float>(std::max(1.0, s.radius));
  draw->AddLine({at.x, middle.y}, {at.x + side, middle.y}, color32(p.border));
  draw->AddLine({middle.x, at.y}, {middle.x, at.y + side}, color32(p.border));
  draw->AddCircle(middle, scale, color32(p.muted), 64, 1.2f * u);
  for (const std::complex<double>& v : s.values) {
    const ImVec2 c = {middle.x + scale * static_cast<float>(v.real()), middle.y - scale * static_cast<float>(v.imag())};
    const float r = (s.values.size() > 500 ? 0.9f : 1.6f) * u;
    draw->AddRectFilled({c.x - r, c.y - r}, {c.x + r, c.y + r}, color32(p.output));
  }
  ImGui::Text("radius %.4g, largest real part %.4g", s.radius, s.abscissa);
  ImGui::Text("%lld of %zu outside the unit circle", static_cast<long long>(s.outside), s.values.size());
  ImGui::EndTooltip();
}

// The eigenvalues of the initial weights as they will be; until they are found, or where they take too long, as theory
// predicts them.
void draw_start_spectrum(App& app) {
  const BuildState& b = app.view.build;
  if (app.spectra.own_thread() || !ImGui::IsAnyItemActive()) app.spectra.follow_draft(app.draft);
  const std::shared_ptr<const DraftSpectrum> exact = app.spectra.view().draft;
  if (exact && exact->found && same_start(exact->of, app.draft)) {
    ImGui::TextWrapped("Initial spectrum: radius %.3g", exact->found->radius);
    app.track("build:spectrum");
    if (ImGui::IsItemHovered()) spectrum_tooltip(app, *exact->found);
    return;
  }
  if (b.spectrum.outlier > b.spectrum.bulk)
    ImGui::TextWrapped("Predicted spectrum: |\xce\xbb| < %.2g, outlier %.2g", b.spectrum.bulk, b.spectrum.outlier);
  else
    ImGui::TextWrapped("Predicted spectrum: |\xce\xbb| < %.2g", b.spectrum.bulk);
  app.track("build:predicted");
  hint(
      "Eigenvalues of the initial weights, predicted from the blocks' means and variances for large networks; those "
      "of a balanced start can be larger. The exact ones take their place when they are found; of very large networks "
      "the prediction stays.");
}

}  // namespace

void draw_summary(App& app, float height) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  BuildState& b = app.view.build;
  const Spec& s = app.draft;
  ImDrawList* draw = ImGui::GetWindowDrawList();
  const bool good = app.problems.empty();
  if (good) follow_mask(app, false);
  const float side = std::min(height, 0.36f * ImGui::GetContentRegionAvail().x);
  const ImVec2 at = ImGui::GetCursorScreenPos(), end = {at.x + side, at.y + side};
  const int64_t units = s.units();
  ImGui::PushFont(fonts.small);
  if (good && b.synapses >= 0) {
    if (b.texture == ImTextureID{})
      b.texture = app.host.texture(b.texture, b.mask_side, b.mask_side, b.pixels.data(), true);
    draw->AddImage(b.texture, at, end);
    draw->AddRect(at, end, color32(p.muted));
    ImGui::Dummy({side, side});
    app.track("build:mask");
    hint(s.stages.prune
             ? "A mask of these probabilities: training starts with every connection and is pruned to as many. "
               "Rows receive, columns send."
             : "The mask drawn with this seed: rows receive, columns send. Red and blue: an excitatory or inhibitory "
               "synapse; "
               "grey: absent.");
  } else {
    draw->AddRectFilled(at, end, color32(p.faint));
    ImGui::BeginGroup();
    ImGui::Dummy({side, 0});
    ImGui::PushTextWrapPos(ImGui::GetCursorPosX() + side - 6 * u);
    ImGui::SetCursorPosX(ImGui::GetCursorPosX() + 6 * u);
    if (!good)
      ImGui::TextWrapped("The mask appears when nothing is wrong.");
    else if (units > most_sampled)
      ImGui::TextWrapped("Too many units to draw the mask here.");
    else if (ImGui::Button("Draw the mask"))
      follow_mask(app, true);
    ImGui::PopTextWrapPos();
    ImGui::EndGroup();
    ImGui::SetCursorScreenPos(at);
    ImGui::Dummy({side, side});
  }
  ImGui::SameLine(0, 8 * u);
  ImGui::BeginGroup();
  ImGui::PushTextWrapPos(0);
  if (!good) {
    ImGui::PushStyleColor(ImGuiCol_Text, p.bad);
    ImGui::TextWrapped("%s", app.problems.front().text().c_str());
    if (app.problems.size() > 1) ImGui::TextWrapped("and %zu more", app.problems.size() - 1);
    ImGui::PopStyleColor();
  } else {
    const Expected& e = b.expected;
    const auto rounded = [](double v) { return grouped(static_cast<int64_t>(std::llround(v))); };
    ImGui::TextWrapped("%s units in %zu %s", grouped(units).c_str(), s.populations.size(),
                       s.populations.size() == 1 ? "population" : "populations");
    ImGui::TextWrapped("Expected: %s%s synapses, %.3g %%", rounded(e.synapses).c_str(),
                       e.sd >= 0.5 ? (" \xc2\xb1 " + rounded(e.sd)).c_str() : "", 100 * e.density);
    hint("Mean and standard deviation over seeds; percent of all pairs of units");
    ImGui::TextWrapped("%.3g onto each neuron", e.synapses / static_cast<double>(std::max<int64_t>(1, units)));
    if (s.stages.prune)
      ImGui::TextWrapped("Trained dense for %lld epochs, then pruned to these",
                         static_cast<long long>(s.training.epochs));
    else if (b.synapses >= 0)
      ImGui::TextWrapped("Drawn with seed %llu: %s", static_cast<unsigned long long>(s.seed),
                         grouped(b.synapses).c_str());
    draw_start_spectrum(app);
    const double mib = static_cast<double>(estimate_bytes(s)) / (1 << 20);
    if (mib < 10)
      ImGui::TextWrapped("Memory to train: about %.2g MiB", mib);
    else
      ImGui::TextWrapped("Memory to train: about %s MiB", rounded(mib).c_str());
  }
  ImGui::PopTextWrapPos();
  ImGui::EndGroup();
  app.track("build:numbers");
  ImGui::PopFont();
}

void draw_task(App& app, ImVec2 size) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  BuildState& b = app.view.build;
  const Spec& s = app.draft;
  bool current = b.task_known && same_trials(b.task_of, s);
  if (!current && app.problems.empty()) {
    b.task = preview_task(s);
    b.task_of = s;
    current = b.task_known = true;
  }
  if (!current || b.task.lines.empty()) {
    ImGui::PushTextWrapPos(0);
    ImGui::PushStyleColor(ImGuiCol_Text, p.muted);
    ImGui::TextUnformatted(
        !app.problems.empty()     ? "A trial of the task appears here when nothing is wrong."
        : s.task.type == "digits" ? "Task: which digit is it, read row by row. The Trial panel "
                                    "shows one while it trains."
        : s.task.type == "n-back-digits"
            ? "Task: was the last digit shown some digits before? The Trial panel shows a trial "
              "while it trains."
        : s.task.type == "n-back-latent"
            ? "Task: was the last vector shown some items before? Drop a file of vectors with labels "
              "(NPZ, NPY, CSV) on this window. The Trial panel shows a trial while it trains."
        : s.task.type == "recording" ? "Task: the next frame of a recording. The Recording tab shows "
                                       "what is read."
                                     : "");
    ImGui::PopStyleColor();
    ImGui::PopTextWrapPos();
    app.track("build:task");
    return;
  }
  double low = -1, high = 1;
  for (const TaskPreview::Line& l : b.task.lines)
    for (double v : l.y) {
      low = std::min(low, v);
      high = std::max(high, v);
    }
  const double pad = 0.12 * (high - low), end = b.task.time_s.back();
  ImGui::PushFont(fonts.small);
  ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 0);
  ImPlot::PushStyleVar(ImPlotStyleVar_PlotPadding, ImVec2(4 * u, 3 * u));
  if (ImPlot::BeginPlot("##task", size, ImPlotFlags_NoMenus | ImPlotFlags_NoBoxSelect | ImPlotFlags_NoMouseText)) {
    ImPlot::SetupAxes("time (s), one training trial", nullptr);
    ImPlot::SetupAxisLimits(ImAxis_X1, 0, end > 0 ? end : s.network.dt_s, ImPlotCond_Always);
    ImPlot::SetupAxisLimits(ImAxis_Y1, low - pad, high + 3 * pad, ImPlotCond_Always);
    ImPlot::SetupLegend(ImPlotLocation_NorthEast, ImPlotLegendFlags_Horizontal);
    const auto count = static_cast<int>(b.task.time_s.size());
    const bool wave = s.task.type == "wave";  // its targets are its inputs a step later: one line lies on the other
    for (bool input : {true, false}) {
      int of_kind = 0;
      for (const TaskPreview::Line& l : b.task.lines) {
        if (l.input != input) continue;
        ImVec4 color = input  ? p.input
                       : wave ? sign_color(of_kind == 0 ? Sign::excitatory : Sign::inhibitory, app.theme)
                              : p.target;
        if (input && wave) color.w = 0.5f;
        ++of_kind;
        ImPlot::SetNextLineStyle(color, (input && wave ? 5.0f : input ? 1.4f : 2.0f) * u);
        const std::string name = (input ? "input: " : "target: ") + l.name;
        if (input && !wave)
          ImPlot::PlotStairs(name.c_str(), b.task.time_s.data(), l.y.data(), count);
        else
          ImPlot::PlotLine(name.c_str(), b.task.time_s.data(), l.y.data(), count);
      }
    }
    ImPlot::EndPlot();
  }
  ImPlot::PopStyleVar();
  ImGui::PopStyleVar();
  ImGui::PopFont();
  app.track("build:task");
}

}  // namespace dalea::app
