// What a training step costs on this machine: the workloads of `dalea bench`, measured here.
#include <algorithm>
#include <cstdio>

#include "app/views.h"
#include "numerics/parallel.h"

namespace dalea::app {
namespace {

struct Known {
  const char* workload;
  const char* what;
};
constexpr Known known[] = {
    {"flip-flop", "3-state memory, 128"},       {"mnist", "28 rows a digit, 128"},
    {"wave", "500 steps, 128 units"},           {"cell-type-dense", "1,440 units, dense"},
    {"cell-type-sparse", "1,440 units at 5 %"}, {"large-sparse", "20,000 units at 1 %"},
};

void number(const char* format, double value) {
  char text[40];
  std::snprintf(text, sizeof text, format, value);
  const float room = ImGui::GetContentRegionAvail().x - ImGui::CalcTextSize(text).x;
  if (room > 0) ImGui::SetCursorPosX(ImGui::GetCursorPosX() + room);
  ImGui::TextUnformatted(text);
}

}  // namespace

void draw_speed(App& app) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  const SpeedView speed = app.speed.view();
  const int most = threads_available() ? std::min(8, hardware_threads()) : 1;
  app.view.speed_threads = std::clamp(app.view.speed_threads, 1, most);

  ImGui::PushFont(fonts.medium);
  ImGui::TextUnformatted("What a training step costs here");
  ImGui::PopFont();
  ImGui::PushStyleColor(ImGuiCol_Text, p.muted);
  ImGui::TextWrapped(
      "One step is a minibatch forward, backward, the optimizer and the projection. The training above is paused while "
      "it is measured. `dalea bench` measures the same on the command line.");
  ImGui::PopStyleColor();
  ImGui::Spacing();

  ImGui::AlignTextToFramePadding();
  ImGui::TextDisabled("Threads");
  ImGui::SameLine();
  ImGui::SetNextItemWidth(70 * u);
  ImGui::BeginDisabled(speed.running || most == 1);
  if (ImGui::BeginCombo("##threads", std::to_string(app.view.speed_threads).c_str())) {
    for (int n = 1; n <= most; ++n)
      if (ImGui::Selectable(std::to_string(n).c_str(), n == app.view.speed_threads)) app.view.speed_threads = n;
    ImGui::EndCombo();
  }
  app.track("speed-threads");
  ImGui::EndDisabled();
  ImGui::SameLine();
  if (speed.running) {
    if (ImGui::Button("Stop##speed", {120 * u, 0})) app.speed.stop();
  } else if (ImGui::Button("Measure all##speed", {120 * u, 0})) {
    std::vector<std::string> all;
    for (const Known& k : known)
      if (threads_available() || std::string(k.workload) != "large-sparse") all.emplace_back(k.workload);
    app.measure(std::move(all), app.view.speed_threads, 2);
  }
  app.track("speed-measure");
  ImGui::SameLine();
  ImGui::BeginDisabled(speed.results.empty());
  if (ImGui::Button("Save CSV##speed", {100 * u, 0}))
    app.host.save_file(text_file("dalea-bench.csv", bench_csv(speed.results)));
  app.track("speed-csv");
  ImGui::EndDisabled();
  if (!speed.failure.empty()) {
    ImGui::PushStyleColor(ImGuiCol_Text, p.bad);
    ImGui::TextWrapped("%s", speed.failure.c_str());
    ImGui::PopStyleColor();
  }
  ImGui::Spacing();

  constexpr ImGuiTableFlags flags = ImGuiTableFlags_RowBg | ImGuiTableFlags_BordersInnerH |
                                    ImGuiTableFlags_SizingFixedFit | ImGuiTableFlags_PadOuterX;
  if (!ImGui::BeginTable("speed", 6, flags)) return;
  ImGui::TableSetupColumn("workload", ImGuiTableColumnFlags_WidthStretch);
  ImGui::TableSetupColumn("threads", 0, 58 * u);
  ImGui::TableSetupColumn("ms a step", 0, 70 * u);
  ImGui::TableSetupColumn("GFLOP/s", 0, 64 * u);
  ImGui::TableSetupColumn("of peak", 0, 58 * u);
  ImGui::TableSetupColumn("MB", 0, 52 * u);
  ImGui::TableHeadersRow();
  for (const Known& k : known) {
    std::vector<const BenchResult*> rows;
    for (const BenchResult& r : speed.results)
      if (r.workload == k.workload) rows.push_back(&r);
    std::sort(rows.begin(), rows.end(),
              [](const BenchResult* a, const BenchResult* b) { return a->threads < b->threads; });
    const bool now = speed.measuring == k.workload;
    if (rows.empty() || now) rows.push_back(nullptr);
    for (const BenchResult* r : rows) {
      ImGui::TableNextRow();
      ImGui::TableNextColumn();
      ImGui::TextUnformatted(k.workload);
      ImGui::PushFont(fonts.small);
      ImGui::TextDisabled("%s", k.what);
      ImGui::PopFont();
      ImGui::TableNextColumn();
      if (r == nullptr) {
        if (now) number("%.0f", app.view.speed_threads);
        ImGui::TableNextColumn();
        if (now)
          number("%.0f %%", 100 * speed.progress);
        else
          ImGui::TextDisabled("not yet");
        continue;
      }
      number("%.0f", r->threads);
      ImGui::TableNextColumn();
      number(r->ms_per_step < 100 ? "%.2f" : "%.0f", r->ms_per_step);
      ImGui::TableNextColumn();
      number("%.1f", r->gflops);
      ImGui::TableNextColumn();
      // Above: the browser had not optimised the peak's loop yet.
      if (r->gflops <= r->peak_gflops)
        number("%.0f %%", 100 * r->gflops / r->peak_gflops);
      else
        ImGui::TextDisabled("?");
      ImGui::TableNextColumn();
      number("%.0f", static_cast<double>(r->bytes) / 1e6);
    }
  }
  ImGui::EndTable();
  ImGui::Spacing();
  ImGui::PushFont(fonts.small);
  ImGui::PushStyleColor(ImGuiCol_Text, p.muted);
  if (!speed.results.empty())
    ImGui::TextWrapped(
        "Medians, %s. Peak: independent multiplications and additions, measured here too (%.1f GFLOP/s).",
        speed.results.back().isa.c_str(), speed.results.back().peak_gflops);
  ImGui::PopStyleColor();
  ImGui::PopFont();
}

}  // namespace dalea::app
