// The same experiment under several conditions, learning side by side (SEEDS 1.4, 2.5).
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/matrix_picture.h"
#include "app/views.h"
#include "app/widgets.h"
#include "implot.h"

namespace dalea::app {
namespace {

constexpr const char* condition_help[] = {
    "Weights are free: a neuron may excite one and inhibit another.",
    "As published: negative weights are cut, then given their first signs back. Destroys inhibition.",
    "As in Song et al. 2016: weights are trained without sign, the network uses their positive part times the sign.",
    "Dale's backpropagation: after every update, weights of the wrong sign become 0."};

std::string text_of(const char* format, double v) {
  if (!std::isfinite(v)) return "\xe2\x80\x93";
  char text[40];
  std::snprintf(text, sizeof text, format, v);
  return text;
}

std::vector<std::string> groups_of(const SideView& runs) {
  std::vector<std::string> groups;
  for (const JobView& j : runs.jobs)
    if (std::find(groups.begin(), groups.end(), j.job.group) == groups.end()) groups.push_back(j.job.group);
  return groups;
}

void draw_choice(App& app, const SideView& runs) {
  RunsState& state = app.view.runs;
  const float u = app.scale;
  ImGui::BeginDisabled(runs.running);
  const float right = ImGui::GetContentRegionMax().x;
  for (size_t k = 0; k < std::size(condition_names); ++k) {
    const float width = ImGui::GetFrameHeight() + ImGui::CalcTextSize(condition_names[k]).x + 10 * u;
    if (k > 0) ImGui::SameLine(0, 12 * u);
    if (k > 0 && ImGui::GetCursorPosX() + width > right) ImGui::NewLine();
    ImGui::PushStyleColor(ImGuiCol_Text, named_color(condition_names[k], app.theme));
    ImGui::Checkbox(condition_names[k], &state.chosen[k]);
    ImGui::PopStyleColor();
    app.track(std::string("runs:") + condition_names[k]);
    if (ImGui::IsItemHovered(ImGuiHoveredFlags_DelayShort | ImGuiHoveredFlags_AllowWhenDisabled))
      ImGui::SetTooltip("%s", condition_help[k]);
  }
  ImGui::AlignTextToFramePadding();
  ImGui::TextUnformatted("Runs of each");
  ImGui::SameLine();
  ImGui::SetNextItemWidth(96 * u);
  if (ImGui::InputInt("##runs", &state.runs)) state.runs = std::clamp(state.runs, 1, most_runs);
  app.track("runs:count");
  ImGui::SameLine(0, 14 * u);
  const std::string feedback = app.now->setup ? app.now->setup->spec.network.feedback : "published";
  bool on = state.equalise || feedback == "rectified";
  ImGui::BeginDisabled(feedback == "rectified");
  if (ImGui::Checkbox("Same nonlinearity for all", &on)) state.equalise = on;
  ImGui::EndDisabled();
  app.track("runs:equalise");
  if (ImGui::IsItemHovered(ImGuiHoveredFlags_DelayShort | ImGuiHoveredFlags_AllowWhenDisabled))
    ImGui::SetTooltip(
        "As published, only Dale's condition rectifies what is fed back (relu of tanh), so two things differ at once.\n"
        "On: all conditions rectify it (network.feedback = rectified), and the constraint alone differs.");
  ImGui::EndDisabled();
}

void draw_buttons(App& app, const SideView& runs) {
  RunsState& state = app.view.runs;
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  if (runs.running) {
    if (ImGui::Button(runs.paused ? "Continue##runs" : "Pause##runs", {86 * u, 0}))
      runs.paused ? app.side.go_on() : app.side.pause();
    app.track("runs:pause");
    ImGui::SameLine();
    if (ImGui::Button("Stop##runs", {66 * u, 0})) app.side.stop();
    app.track("runs:stop");
  } else {
    std::vector<std::string> chosen;
    for (size_t k = 0; k < std::size(condition_names); ++k)
      if (state.chosen[k]) chosen.emplace_back(condition_names[k]);
    ImGui::BeginDisabled(chosen.empty());
    ImGui::PushStyleColor(ImGuiCol_Button, p.accent);
    ImGui::PushStyleColor(ImGuiCol_ButtonHovered, p.accent);
    ImGui::PushStyleColor(ImGuiCol_Text, p.on_accent);
    if (ImGui::Button(runs.jobs.empty() ? "Start##runs" : "Start again##runs", {156 * u, 0}))
      app.train_conditions(chosen, state.runs, state.equalise);
    ImGui::PopStyleColor(3);
    app.track("runs:start");
    ImGui::EndDisabled();
  }
  const bool any = std::any_of(runs.jobs.begin(), runs.jobs.end(), [](const JobView& j) { return j.epoch > 0; });
  ImGui::BeginDisabled(!any);
  ImGui::SameLine(0, 14 * u);
  if (ImGui::Button("Save CSV##runs")) app.host.save_file(curves_file(runs));
  app.track("runs:csv");
  ImGui::SameLine();
  if (ImGui::Button("Save figure##runs")) app.host.save_file(figure_file(runs, state.title));
  app.track("runs:figure");
  ImGui::EndDisabled();
}

void draw_progress(const App& app, const SideView& runs) {
  const Palette& p = palette(app.theme);
  int64_t over = 0, failed = 0;
  for (const JobView& j : runs.jobs) {
    over += j.over() ? 1 : 0;
    failed += j.state == JobState::failed ? 1 : 0;
  }
  char text[160];
  if (!runs.running) {
    std::snprintf(
        text, sizeof text, "%lld of %zu networks %s, %.1f s", static_cast<long long>(over), runs.jobs.size(),
        std::any_of(runs.jobs.begin(), runs.jobs.end(), [](const JobView& j) { return j.state == JobState::stopped; })
            ? "stopped or finished"
            : "finished",
        runs.seconds);
  } else {
    const double left = runs.progress > 0.01 ? runs.seconds * (1 - runs.progress) / runs.progress : no_value;
    std::snprintf(text, sizeof text, "%.0f %%  %lld of %zu networks finished%s", std::floor(100 * runs.progress),
                  static_cast<long long>(over), runs.jobs.size(),
                  runs.paused           ? ", paused"
                  : std::isfinite(left) ? (", " + text_of("%.0f s left", left)).c_str()
                                        : "");
  }
  ImGui::PushStyleColor(ImGuiCol_PlotHistogram, p.accent);
  ImGui::ProgressBar(static_cast<float>(runs.progress), {-1, 4 * app.scale}, "");
  ImGui::PopStyleColor();
  ImGui::PushFont(fonts.small);
  ImGui::TextDisabled("%s", text);
  if (failed > 0) {
    ImGui::SameLine();
    ImGui::PushStyleColor(ImGuiCol_Text, p.bad);
    ImGui::Text("%lld failed and %s not in the means", static_cast<long long>(failed), failed == 1 ? "is" : "are");
    ImGui::PopStyleColor();
  }
  ImGui::PopFont();
}

bool classes_in(const RunsState& state) {
  return std::any_of(state.curves.begin(), state.curves.end(), has_accuracy);
}

void draw_curves(App& app, const SideView& runs, float height) {
  RunsState& state = app.view.runs;
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  const bool classes = classes_in(state), accuracy = classes && state.accuracy;
  ImGui::PushFont(fonts.medium);
  ImGui::AlignTextToFramePadding();
  ImGui::TextUnformatted(accuracy ? "Held-out accuracy" : "Held-out loss");
  ImGui::PopFont();
  ImGui::SameLine();
  const std::string unit = unit_of(runs);
  ImGui::PushStyleColor(ImGuiCol_Text, p.muted);
  if (accuracy)
    ImGui::TextUnformatted("%; mean of the runs \xc2\xb1 1 sd");
  else
    ImGui::Text("%s%smean of the runs \xc2\xb1 1 sd", unit.c_str(), unit.empty() ? "" : "; ");
  ImGui::PopStyleColor();
  if (classes) {
    const char* label = "Accuracy";
    ImGui::SameLine(ImGui::GetContentRegionMax().x - ImGui::CalcTextSize(label).x - ImGui::GetFrameHeight() - 8 * u);
    ImGui::Checkbox(label, &state.accuracy);
    app.track("runs:accuracy");
  }

  const auto member = accuracy ? &EpochRecord::held_out_accuracy : &EpochRecord::held_out;
  const double factor = accuracy ? 100 : 1;
  double least = INFINITY, most = -INFINITY, reached = 0, all = 1;
  for (const JobView& j : runs.jobs) all = std::max(all, static_cast<double>(j.job.spec->all_epochs()));
  for (const RunCurves& g : state.curves)
    for (const auto& run : g.runs)
      for (const EpochRecord& r : run) {
        const double v = factor * r.*member;
        reached = std::max(reached, static_cast<double>(r.epoch));
        if (!std::isfinite(v) || (!accuracy && v <= 0)) continue;
        least = std::min(least, v);
        most = std::max(most, v);
      }
  if (!(least < INFINITY)) {
    least = 0.1;
    most = 1;
  }
  double right = 5;
  while (right < 1.02 * reached && right < all) right *= 2;
  right = std::min(right, all);

  ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 0);
  if (ImPlot::BeginPlot("##runs", {-1, height},
                        ImPlotFlags_NoMenus | ImPlotFlags_NoBoxSelect | ImPlotFlags_NoMouseText)) {
    ImPlot::SetupAxes("epoch", nullptr, ImPlotAxisFlags_None, ImPlotAxisFlags_None);
    ImPlot::SetupAxisLimits(ImAxis_X1, 0, right, ImPlotCond_Always);
    if (accuracy) {
      ImPlot::SetupAxisLimits(ImAxis_Y1, 0, 102, ImPlotCond_Always);
    } else {
      ImPlot::SetupAxisScale(ImAxis_Y1, ImPlotScale_Log10);
      ImPlot::SetupAxisLimits(ImAxis_Y1, least * 0.7, most * 1.6, ImPlotCond_Always);
    }
    ImPlot::SetupAxisFormat(ImAxis_Y1, "%g");
    ImPlot::SetupLegend(accuracy ? ImPlotLocation_NorthWest : ImPlotLocation_NorthEast);
    std::vector<double> x, y, low, high;
    for (const RunCurves& g : state.curves) {
      const ImVec4 color = named_color(g.name, app.theme);
      const CurveSpread s = spread_of(g, member);
      x.clear(), y.clear(), low.clear(), high.clear();
      for (size_t e = 0; e < s.mean.size(); ++e) {
        const double sd = std::isfinite(s.sd[e]) ? factor * s.sd[e] : 0;
        x.push_back(static_cast<double>(e + 1));
        y.push_back(factor * s.mean[e]);
        low.push_back(accuracy ? y.back() - sd : std::max(y.back() - sd, least * 0.7));  // no logarithm below zero
        high.push_back(y.back() + sd);
      }
      const int n = static_cast<int>(x.size());
      if (n == 0) continue;
      const std::string name =
          g.name + "  " + (accuracy ? text_of("%.1f %%", y.back()) : text_of("%.3g", y.back())) + "###" + g.name;
      if (g.runs.size() > 1) {
        ImPlot::SetNextFillStyle(color, 0.16f);
        ImPlot::PlotShaded(name.c_str(), x.data(), low.data(), high.data(), n);
        std::vector<double> line;
        for (const auto& run : g.runs) {
          line.clear();
          for (const EpochRecord& r : run) line.push_back(factor * r.*member);
          ImPlot::SetNextLineStyle({color.x, color.y, color.z, 0.35f}, 1 * u);
          ImPlot::PlotLine(name.c_str(), x.data(), line.data(), static_cast<int>(std::min(line.size(), x.size())));
        }
      }
      ImPlot::SetNextLineStyle(color, 2.2f * u);
      if (n == 1) ImPlot::SetNextMarkerStyle(ImPlotMarker_Circle, 3 * u, color, 0, color);
      ImPlot::PlotLine(name.c_str(), x.data(), y.data(), n);
    }
    ImPlot::EndPlot();
  }
  ImGui::PopStyleVar();
  app.track("runs:plot");
}

// Run 1 of each condition, in the colours of the Weights tab and one scale: Dale's columns keep their sign.
void draw_matrices(App& app, const SideView& runs, const std::vector<std::string>& groups, float side) {
  RunsState& state = app.view.runs;
  const Palette& p = palette(app.theme);
  const float u = app.scale, line = ImGui::GetTextLineHeight();
  std::vector<const JobView*> shown;
  for (const std::string& g : groups)
    for (const JobView& j : runs.jobs)
      if (j.job.group == g && j.weights && shown.size() < state.pictures.size()) {
        shown.push_back(&j);
        break;
      }
  float largest = 0;
  for (const JobView* j : shown) largest = std::max(largest, typical_largest(*j->weights, nullptr));
  largest = nice_scale(largest);
  if (state.scale <= 0 || largest > state.scale || largest < 0.35f * state.scale) state.scale = largest;

  ImGui::PushFont(fonts.medium);
  ImGui::TextUnformatted("Weights of run 1");
  ImGui::PopFont();
  ImGui::SameLine();
  ImGui::PushFont(fonts.small);
  ImGui::PushStyleColor(ImGuiCol_Text, p.muted);
  ImGui::Text("a column is a neuron; red excites, blue inhibits; to \xc2\xb1%.3g", static_cast<double>(state.scale));
  ImGui::PopStyleColor();
  ImGui::PopFont();

  ImDrawList* draw = ImGui::GetWindowDrawList();
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float room = ImGui::GetContentRegionAvail().x, count = static_cast<float>(groups.size());
  const float gap = std::min(24 * u, (room - count * side) / std::max(1.0f, count - 1));
  std::vector<uint32_t> pixels;
  for (size_t k = 0; k < groups.size() && k < state.pictures.size(); ++k) {
    const ImVec2 a = {std::floor(at.x + static_cast<float>(k) * (side + gap)), at.y + line + 2 * u},
                 b = {a.x + side, a.y + side};
    ImGui::PushFont(fonts.small);
    draw->AddText({a.x, at.y}, color32(named_color(groups[k], app.theme)), groups[k].c_str());
    ImGui::PopFont();
    const auto j =
        std::find_if(shown.begin(), shown.end(), [&](const JobView* v) { return v->job.group == groups[k]; });
    if (j == shown.end()) {
      draw->AddRect(a, b, color32(p.border));
      continue;
    }
    const MatrixView& m = *(*j)->weights;
    RunsState::Picture& picture = state.pictures[k];
    if (picture.shown != &m || picture.scale != state.scale || picture.texture == ImTextureID{}) {
      const int size = paint_matrix(m, nullptr, state.scale, pixels);
      picture.texture = app.host.texture(picture.texture, size, size, pixels.data(), false);
      picture.shown = &m;
      picture.scale = state.scale;
    }
    draw->AddImageQuad(picture.texture, a, {b.x, a.y}, b, {a.x, b.y}, {0, 0}, {0, 1}, {1, 1}, {1, 0});
    float unit = 0;
    for (const Population& pop : (*j)->job.spec->populations) {
      const float d = side * unit / static_cast<float>(m.units);
      if (unit > 0) {
        draw->AddLine({a.x + d, a.y}, {a.x + d, b.y}, IM_COL32(40, 44, 52, 200), u);
        draw->AddLine({a.x, a.y + d}, {b.x, a.y + d}, IM_COL32(40, 44, 52, 200), u);
      }
      unit += static_cast<float>(pop.size);
    }
    draw->AddRect({a.x - 1, a.y - 1}, {b.x + 1, b.y + 1}, color32(p.muted));
    ImGui::SetCursorScreenPos(a);
    ImGui::InvisibleButton(("##weights" + groups[k]).c_str(), {side, side});
    app.track("runs:weights:" + groups[k]);
    if (ImGui::IsItemHovered())
      ImGui::SetTooltip(
          "%s: %lld weights of the wrong sign after %lld epochs\nFrom the neuron of a column to that of a row.",
          (*j)->job.name.c_str(), static_cast<long long>((*j)->audit.sign), static_cast<long long>((*j)->epoch));
  }
  ImGui::SetCursorScreenPos({at.x, at.y + line + 6 * u + side});
  ImGui::Dummy({1, 1});
}

void right_aligned(const std::string& text) {
  const float room = ImGui::GetContentRegionAvail().x - ImGui::CalcTextSize(text.c_str()).x;
  if (room > 0) ImGui::SetCursorPosX(ImGui::GetCursorPosX() + room);
  ImGui::TextUnformatted(text.c_str());
}

void draw_run_row(App& app, size_t index, const JobView& j, bool classes) {
  const Palette& p = palette(app.theme);
  const std::string id = "##run" + std::to_string(index);
  ImGui::TableNextRow();
  ImGui::TableNextColumn();
  ImGui::Text("    run %lld", static_cast<long long>(j.job.run + 1));
  ImGui::TableNextColumn();
  if (j.state == JobState::failed) ImGui::PushStyleColor(ImGuiCol_Text, p.bad);
  const std::string epoch = std::to_string(j.epoch);
  ImGui::TextUnformatted((j.state == JobState::learning  ? "epoch " + epoch
                          : j.state == JobState::stopped ? "at " + epoch
                                                         : job_text(j.state))
                             .c_str());
  if (j.state == JobState::failed) {
    ImGui::PopStyleColor();
    if (ImGui::IsItemHovered()) ImGui::SetTooltip("%s", j.failure.c_str());
  }
  const bool some = !j.history->empty();
  if (!classes) {
    ImGui::TableNextColumn();
    if (some) right_aligned(text_of("%.3g", j.history->back().train));
  }
  ImGui::TableNextColumn();
  if (some) right_aligned(text_of("%.3g", j.history->back().held_out));
  if (classes) {
    ImGui::TableNextColumn();
    if (some) right_aligned(text_of("%.1f %%", 100 * j.history->back().held_out_accuracy));
  }
  ImGui::TableNextColumn();
  if (j.state != JobState::waiting) right_aligned(std::to_string(j.audit.sign));
  ImGui::TableNextColumn();
  if (!j.hash.empty()) {
    ImGui::TextDisabled("%s", j.hash.substr(0, 8).c_str());
    if (ImGui::IsItemHovered()) ImGui::SetTooltip("weight hash %s", j.hash.c_str());
  }
  ImGui::TableNextColumn();
  if (!j.session) return;
  if (ImGui::SmallButton(("Open" + id).c_str())) app.open_run(index);
  app.track("runs:open:" + std::to_string(index));
  if (ImGui::IsItemHovered(ImGuiHoveredFlags_DelayShort)) ImGui::SetTooltip("Shows this network in the Weights tab");
}

void draw_table(App& app, const SideView& runs, const std::vector<std::string>& groups) {
  const float u = app.scale;
  const bool classes = classes_in(app.view.runs);
  constexpr ImGuiTableFlags flags = ImGuiTableFlags_RowBg | ImGuiTableFlags_BordersInnerH | ImGuiTableFlags_ScrollY |
                                    ImGuiTableFlags_SizingFixedFit | ImGuiTableFlags_PadOuterX;
  ImGui::PushFont(fonts.small);
  ImGui::PushStyleVar(ImGuiStyleVar_CellPadding, {5 * u, 2 * u});
  if (ImGui::BeginTable("runs", 7, flags, {0, std::max(80 * u, ImGui::GetContentRegionAvail().y)})) {
    ImGui::TableSetupScrollFreeze(0, 1);
    ImGui::TableSetupColumn("condition", ImGuiTableColumnFlags_WidthStretch);
    ImGui::TableSetupColumn("state", 0, 56 * u);
    if (!classes) ImGui::TableSetupColumn("train", 0, 50 * u);
    ImGui::TableSetupColumn("held-out", 0, 50 * u);
    if (classes) ImGui::TableSetupColumn("accuracy", 0, 50 * u);
    ImGui::TableSetupColumn("sign err.", 0, 48 * u);
    ImGui::TableSetupColumn("hash", 0, 56 * u);
    ImGui::TableSetupColumn("##open", 0, 38 * u);
    ImGui::TableHeadersRow();
    for (const std::string& g : groups) {
      std::vector<double> train, held_out, accuracy;
      for (const JobView& j : runs.jobs) {
        if (j.job.group != g || j.state == JobState::failed || j.history->empty()) continue;
        train.push_back(j.history->back().train);
        held_out.push_back(j.history->back().held_out);
        accuracy.push_back(100 * j.history->back().held_out_accuracy);
      }
      ImGui::TableNextRow();
      ImGui::TableNextColumn();
      ImGui::TextColored(named_color(g, app.theme), "%s", g.c_str());
      ImGui::TableNextColumn();
      ImGui::TextDisabled("mean");
      const auto mean = [&](const std::vector<double>& values, const char* format) {
        ImGui::TableNextColumn();
        const RunSpread s = spread_of(values);
        if (s.count == 0) return;
        right_aligned(text_of(format, s.mean));
        if (ImGui::IsItemHovered() && s.count > 1)
          ImGui::SetTooltip("\xc2\xb1 %s (sample sd of %lld runs)", text_of(format, s.sd).c_str(),
                            static_cast<long long>(s.count));
      };
      if (!classes) mean(train, "%.3g");
      mean(held_out, "%.3g");
      if (classes) mean(accuracy, "%.1f %%");
      for (size_t k = 0; k < runs.jobs.size(); ++k)
        if (runs.jobs[k].job.group == g) draw_run_row(app, k, runs.jobs[k], classes);
    }
    ImGui::EndTable();
  }
  ImGui::PopStyleVar();
  ImGui::PopFont();
}

}  // namespace

void draw_runs(App& app) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  RunsState& state = app.view.runs;
  const SideView runs = app.side.view();
  if (runs.version != state.version) {
    state.version = runs.version;
    state.curves = curves_of(runs);
  }
  if (runs.jobs.empty()) {
    ImGui::PushStyleColor(ImGuiCol_Text, p.muted);
    ImGui::TextWrapped("%s", app.now->setup
                                 ? "Trains the open experiment under several conditions at once, each from several "
                                   "seeds: what does Dale's law cost, and what do the others do to the signs?"
                                 : "Open an experiment first: the conditions are trained on it.");
    ImGui::PopStyleColor();
    ImGui::Spacing();
  }
  draw_choice(app, runs);
  ImGui::BeginDisabled(!app.now->setup && runs.jobs.empty());
  draw_buttons(app, runs);
  ImGui::EndDisabled();
  if (runs.jobs.empty()) {
    ImGui::Spacing();
    ImGui::TextDisabled("Choose conditions and press Start: the curves, weights and results appear here.");
    return;
  }
  draw_progress(app, runs);
  if (are_null_jobs(runs))
    ImGui::TextDisabled("These are the connectome's wiring and its null models: the Connectome tab compares them.");

  const std::vector<std::string> groups = groups_of(runs);
  const ImVec2 room = ImGui::GetContentRegionAvail();
  const float count = static_cast<float>(std::max<size_t>(groups.size(), 1));
  const float line = ImGui::GetTextLineHeightWithSpacing();
  const float side = std::floor(std::clamp((room.x - (count - 1) * 10 * u) / count, 40 * u, 0.22f * room.y));
  const float table = std::max(84 * u, 0.22f * room.y);
  const float plot = std::max(110 * u, room.y - side - table - 4.6f * line - 14 * u);
  draw_curves(app, runs, plot);
  draw_matrices(app, runs, groups, side);
  draw_table(app, runs, groups);
}

}  // namespace dalea::app
