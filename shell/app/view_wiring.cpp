// Does the wiring help? The measured wiring among its nulls (connectome.nulls): training them, and what came out.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/views.h"
#include "app/widgets.h"
#include "implot.h"

namespace dalea::app {
namespace {

void draw_wiring_buttons(App& app, const WiringView& v) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  const bool waiting = !app.now->waiting_for.empty() || !app.now->setup;
  if (v.running) {
    if (ImGui::Button("Cancel##wiring", {86 * u, 0})) app.wiring.stop();
    app.track("wiring:cancel");
  } else {
    ImGui::BeginDisabled(waiting);
    ImGui::PushStyleColor(ImGuiCol_Button, p.accent);
    ImGui::PushStyleColor(ImGuiCol_ButtonHovered, p.accent);
    ImGui::PushStyleColor(ImGuiCol_Text, p.on_accent);
    if (ImGui::Button(v.report ? "Test again##wiring" : "Test the wiring##wiring", {130 * u, 0})) app.test_wiring();
    ImGui::PopStyleColor(3);
    ImGui::EndDisabled();
    hint(
        "Trains the measured wiring, its nulls, all connections and none, each with every seed, and compares how they "
        "predict the held-out frames; the training shown pauses");
    app.track("wiring:start");
    flow(checkbox_width("Quick"), 10 * u);
    ImGui::Checkbox("Quick", &app.view.wiring_quick);
    hint("9 nulls, 2 seeds and fewer epochs: done soon, but the smallest p that can come out is 0.1");
    app.track("wiring:quick");
  }
  ImGui::BeginDisabled(!v.report);
  const auto save = [&](const char* label, const char* name, float width, const char* help, auto make) {
    flow(width * u, 6 * u);
    if (ImGui::Button(label)) app.host.save_file(make());
    hint(help);
    app.track(name);
  };
  save("Report", "wiring:report", 58, "Everything as one HTML page", [&] {
    ReportProvenance where;
    where.program = "Dalea";
    where.version = std::string(dalea_version) + ", numerics " + std::to_string(numerics_version);
    where.seed = std::to_string(v.report->spec.seed);
    where.hashes = {{"All networks", v.report->outcome.hash}};
    return text_file("dalea-wiring.html", wiring_html(*v.report, where));
  });
  save("CSV##wiring", "wiring:csv", 46, "A row for each network: its hash, loss and R2",
       [&] { return text_file("dalea-wiring.csv", wiring_csv(*v.report)); });
  save("Figure##wiring", "wiring:figure", 60, "The nulls' distribution and the differences as SVG",
       [&] { return text_file("dalea-wiring.svg", plot::to_svg(plot::drawing_of(wiring_figure(*v.report)))); });
  ImGui::EndDisabled();
}

void draw_wiring_progress(const App& app, const WiringView& v) {
  const Palette& p = palette(app.theme);
  char text[160];
  const double left = v.part > 0.005 ? v.seconds * (1 - v.part) / v.part : no_value;
  std::snprintf(text, sizeof text, "%.0f %%  %lld of %lld networks finished", std::floor(100 * v.part),
                static_cast<long long>(v.finished), static_cast<long long>(v.networks));
  std::string all = text;
  if (std::isfinite(left)) {
    std::snprintf(text, sizeof text, left < 90 ? ", %.0f s left" : ", %.0f min left", left < 90 ? left : left / 60);
    all += text;
  }
  ImGui::PushStyleColor(ImGuiCol_PlotHistogram, p.accent);
  ImGui::ProgressBar(static_cast<float>(v.part), {-1, 4 * app.scale}, "");
  ImGui::PopStyleColor();
  ImGui::PushFont(fonts.small);
  ImGui::TextDisabled("%s", all.c_str());
  ImGui::PopFont();
}

void draw_null_histogram(const App& app, const char* id, const WiringTest& t, const char* axis, ImVec2 size) {
  const Palette& p = palette(app.theme);
  ImPlot::PushStyleVar(ImPlotStyleVar_FitPadding, {0.12f, 0.12f});
  if (ImPlot::BeginPlot(id, size, ImPlotFlags_NoMenus | ImPlotFlags_NoBoxSelect | ImPlotFlags_NoMouseText)) {
    ImPlot::SetupAxes(axis, "wirings", ImPlotAxisFlags_AutoFit, ImPlotAxisFlags_AutoFit);
    ImPlot::SetupLegend(ImPlotLocation_North, ImPlotLegendFlags_Horizontal | ImPlotLegendFlags_Outside);
    const int bins = std::clamp(static_cast<int>(std::sqrt(static_cast<double>(t.nulls.size())) * 1.6), 4, 40);
    ImPlot::SetNextFillStyle(p.muted, 0.6f);
    ImPlot::PlotHistogram("nulls", t.nulls.data(), static_cast<int>(t.nulls.size()), bins);
    ImPlot::SetNextLineStyle(screen_color(plot::rgb(0x1b7837), app.theme), 2.5f * app.scale);
    ImPlot::PlotInfLines("measured wiring", &t.measured, 1);
    ImPlot::EndPlot();
  }
  ImPlot::PopStyleVar();
}

}  // namespace

void draw_wiring(App& app) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  const WiringView v = app.wiring.view();
  draw_wiring_buttons(app, v);
  if (v.running) draw_wiring_progress(app, v);
  if (!v.failure.empty()) {
    ImGui::PushStyleColor(ImGuiCol_Text, p.bad);
    ImGui::TextWrapped("%s", v.failure.c_str());
    ImGui::PopStyleColor();
  }
  if (!v.report) {
    if (!app.now->setup || v.running) return;
    const ConnectomeSpec& k = app.now->setup->spec.connectome;
    ImGui::Spacing();
    ImGui::TextWrapped(
        "Does it matter who is connected to whom? The measured wiring is trained beside %lld %s, %lld seeds each. They "
        "differ in nothing but the connections; what they predict of the held-out frames is compared.",
        static_cast<long long>(k.nulls), null_words(k.against).c_str(),
        static_cast<long long>(app.now->setup->spec.runs));
    return;
  }
  ImGui::BeginChild("wiring:result", {0, 0}, ImGuiChildFlags_None, ImGuiWindowFlags_NoBackground);
  const std::vector<std::string> sentences = wiring_sentences(*v.report);
  ImGui::TextWrapped("%s", sentences.front().c_str());
  app.track("wiring:answer");
  const float width = ImGui::GetContentRegionAvail().x, gap = 8 * u;
  const bool beside = width > 520 * u;
  const float one = beside ? (width - gap) / 2 : width;
  ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 0);
  draw_null_histogram(app, "##wiring-r2", v.report->outcome.study.r2, "held-out R2", {one, 210 * u});
  if (beside) ImGui::SameLine(0, gap);
  draw_null_histogram(app, "##wiring-loss", v.report->outcome.study.loss, "held-out loss", {one, 210 * u});
  ImGui::PopStyleVar();
  ImGui::PushFont(fonts.small);
  ImGui::PushStyleColor(ImGuiCol_Text, p.muted);
  for (size_t k = 1; k < sentences.size(); ++k) ImGui::TextWrapped("%s", sentences[k].c_str());
  ImGui::PopStyleColor();
  ImGui::PopFont();
  ImGui::EndChild();
}

}  // namespace dalea::app
