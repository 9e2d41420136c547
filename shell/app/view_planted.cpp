// A planted change, looked for by the comparison: in the tab Reproduce.
#include "app/views.h"
#include "app/widgets.h"

namespace dalea::app {
namespace {

// "44 of 50", and below it the interval.
void rate(const App& app, int64_t hits, int64_t of) {
  const Interval i = planted::rate_interval(hits, of);
  ImGui::TableNextColumn();
  ImGui::Text("%lld of %lld", static_cast<long long>(hits), static_cast<long long>(of));
  ImGui::PushFont(fonts.small);
  ImGui::PushStyleColor(ImGuiCol_Text, palette(app.theme).muted);
  ImGui::Text("%.0f\xe2\x80\x93%.0f %%", 100 * i.low, 100 * i.high);
  ImGui::PopStyleColor();
  ImGui::PopFont();
}

void draw_rates(App& app, const planted::Study& study) {
  constexpr ImGuiTableFlags flags = ImGuiTableFlags_RowBg | ImGuiTableFlags_BordersInnerH | ImGuiTableFlags_PadOuterX;
  if (!ImGui::BeginTable("planted rates", 5, flags)) return;
  ImGui::TableSetupColumn("runs", ImGuiTableColumnFlags_WidthStretch, 2.4f);
  for (const char* column : {"found", "alone", "another", "null"})
    ImGui::TableSetupColumn(column, ImGuiTableColumnFlags_WidthStretch, 1);
  ImGui::TableHeadersRow();
  for (const planted::SettingResult& r : study.results) {
    const planted::Rates& found = planted::rates_of(r.planted, planted::Measure::weights, BlockLevel::population);
    const planted::Rates& null = planted::rates_of(r.null, planted::Measure::weights, BlockLevel::population);
    ImGui::TableNextRow();
    ImGui::TableNextColumn();
    ImGui::TextWrapped("%s, times %g", planted::title_of(r.setting), planted::factor_of(r.setting));
    rate(app, found.any, found.circuits);
    rate(app, found.alone, found.circuits);
    rate(app, found.other, found.circuits);
    rate(app, planted::null_alarms(null), null.circuits);
  }
  ImGui::EndTable();
  ImGui::PushFont(fonts.small);
  ImGui::PushStyleColor(ImGuiCol_Text, palette(app.theme).muted);
  ImGui::TextWrapped(
      "Circuits in which blocks of weights, by areas and types, differ significantly, with exact 95 %% intervals. "
      "Found: the changed feedback. Alone: it and nothing else. Another: a block that was not changed. Null: any "
      "block, "
      "where nothing was changed.");
  ImGui::PopStyleColor();
  ImGui::PopFont();
}

}  // namespace

void draw_planted(App& app) {
  const float u = app.scale;
  const PlantedView v = app.planted.view();
  planted::Options& wanted = app.view.planted;
  if (v.running) {
    if (ImGui::Button("Stop##planted", {100 * u, 0})) app.planted.stop();
  } else if (ImGui::Button("Start##planted", {100 * u, 0})) {
    app.start_planted(wanted);
  }
  app.track("planted:start");
  ImGui::SameLine();
  ImGui::BeginDisabled(v.report == nullptr);
  if (ImGui::Button("Save report##planted", {104 * u, 0})) save_output(app, v.report->output, "planted", "report.html");
  app.track("planted:save");
  ImGui::SameLine();
  if (ImGui::Button("Save tables##planted", {104 * u, 0}))
    for (const char* name : {"families.csv", "blocks.csv"}) save_output(app, v.report->output, "planted", name);
  ImGui::EndDisabled();
  ImGui::SameLine();
  ImGui::BeginDisabled(v.running);
  ImGui::SetNextItemWidth(92 * u);
  int runs = static_cast<int>(wanted.runs > 0 ? wanted.runs : wanted.quick ? 6 : 10);
  if (ImGui::InputInt("runs##planted", &runs)) wanted.runs = std::clamp(runs, 4, 50);
  app.track("planted:runs");
  hint("Networks in each condition. Of fewer than four no relabeling is rare enough to be significant.");
  ImGui::EndDisabled();
  if (v.running) reproduction_progress(app, v.part, v.seconds_left);
  if (!v.failure.empty()) {
    ImGui::PushStyleColor(ImGuiCol_Text, palette(app.theme).bad);
    ImGui::TextWrapped("%s", v.failure.c_str());
    ImGui::PopStyleColor();
  }
  ImGui::Spacing();
  if (v.report == nullptr) {
    ImGui::PushTextWrapPos();
    ImGui::TextUnformatted(
        "Does the comparison of conditions find a change that was planted, and nothing else? Two conditions are "
        "recordings of one simulated circuit of two areas that differ in the strength of its feedback alone; networks "
        "learn them and are compared block by block, again and again with other circuits.");
    ImGui::TextDisabled(
        "Beside it the null: two conditions that do not differ. And what goes wrong when all runs of a condition share "
        "one recording.");
    ImGui::TextDisabled("The same on the command line: %s", planted::command_of(*planted::check(wanted)).c_str());
    ImGui::PopTextWrapPos();
    return;
  }
  if (!ImGui::BeginChild("planted results")) return ImGui::EndChild();
  draw_rates(app, *v.study);
  ImGui::Spacing();
  for (const std::string& sentence : v.report->summary) {
    ImGui::TextWrapped("%s", sentence.c_str());
    ImGui::Spacing();
  }
  app.track("planted:results");
  ImGui::EndChild();
}

}  // namespace dalea::app
