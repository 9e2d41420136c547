// The figures of the first paper, trained again: conditions learn side by side, then each claim gets its verdict.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

#include "app/views.h"
#include "app/widgets.h"
#include "common/figure.h"
#include "common/reproduce_parts.h"
#include "common/reproduce_published.h"
#include "implot.h"
#include "numerics/parallel.h"

namespace dalea::app {
namespace {

namespace figure = dalea::reproduce;

std::string label_of(const figure::Job& job) {
  return job.retrains() ? std::string("retrained, ") + dalea::text_of(job.method)
                        : figure::condition_title(job.condition);
}
std::string style_of(const figure::Job& job) {
  return job.retrains() ? dalea::text_of(job.method) : job.condition;
}

// A condition of a task: its mean and band, and the single runs.
struct RunCurve {
  std::string style;
  std::vector<const std::vector<EpochRecord>*> runs;
  plot::Series mean;
};

std::vector<RunCurve> curves_of(const ReproducerView& v, const std::string& task) {
  std::vector<RunCurve> curves;
  for (size_t k = 0; k < v.jobs.size() && k < v.now.size(); ++k) {
    const figure::Job& job = v.jobs[k];
    if (job.task != task || v.now[k].history->empty()) continue;
    const std::string label = label_of(job);
    size_t c = 0;
    while (c < curves.size() && curves[c].mean.name != label) ++c;
    if (c == curves.size()) {
      curves.emplace_back();
      curves[c].style = style_of(job);
      curves[c].mean.name = label;
    }
    curves[c].runs.push_back(v.now[k].history.get());
  }
  for (RunCurve& c : curves)
    c.mean = figure::curve(
        c.mean.name, c.runs, [&](const EpochRecord& e) { return figure::published_value(task, e); }, task != "digits");
  return curves;
}

void draw_task(App& app, const ReproducerView& v, const std::string& task, ImVec2 size, bool legend) {
  const bool log = task != "digits";
  const std::vector<RunCurve> curves = curves_of(v, task);
  double right = 1, least = INFINITY, most = 0;
  for (const figure::Job& job : v.jobs)
    if (job.task == task) right = std::max(right, static_cast<double>(job.spec.all_epochs()));
  for (const RunCurve& c : curves)
    for (size_t k = 0; k < c.mean.x.size(); ++k) {
      least = std::min(least, c.mean.low[k]);
      most = std::max(most, c.mean.high[k]);
    }
  const bool beside = !v.options.quick && !v.options.corrected && v.options.figure == figure::Paper::fig2;
  if (beside)
    for (const figure::PublishedCurve& p : figure::published_curves())
      if (task == p.task)
        for (double m : p.mean) {
          least = std::min(least, m);
          most = std::max(most, m);
        }
  if (!(least < most)) {
    least = log ? 0.01 : 0;
    most = log ? 1 : 100;
  }
  const std::string title = figure::task_title(task) + "##reproduce";
  const ImPlotFlags flags = ImPlotFlags_NoMenus | ImPlotFlags_NoBoxSelect | ImPlotFlags_NoMouseText;
  if (!ImPlot::BeginPlot(title.c_str(), size, legend ? flags : flags | ImPlotFlags_NoLegend)) return;
  const bool bio = v.options.figure == figure::Paper::bio;
  ImPlot::SetupAxes("epoch", bio ? "loss, not trained on" : log ? "test error (sum)" : "accuracy (%)");
  ImPlot::SetupAxisLimits(ImAxis_X1, 0, right, ImPlotCond_Always);
  if (log) {
    ImPlot::SetupAxisScale(ImAxis_Y1, ImPlotScale_Log10);
    ImPlot::SetupAxisLimits(ImAxis_Y1, least * 0.7, most * 1.6, ImPlotCond_Always);
    ImPlot::SetupAxisFormat(ImAxis_Y1, "%g");
  } else {
    ImPlot::SetupAxisLimits(ImAxis_Y1, 0, 100, ImPlotCond_Always);
  }
  ImPlot::SetupLegend(log ? ImPlotLocation_NorthEast : ImPlotLocation_SouthEast);
  for (const RunCurve& c : curves) {
    const ImVec4 colour = named_color(c.style, app.theme);
    const plot::Series& m = c.mean;
    const int n = static_cast<int>(m.x.size());
    ImPlot::SetNextFillStyle(colour, 0.16f);
    ImPlot::PlotShaded(m.name.c_str(), m.x.data(), m.low.data(), m.high.data(), n);
    ImVec4 thin = colour;
    thin.w = 0.35f;
    for (const auto* run : c.runs) {
      std::vector<double> x, y;
      for (const EpochRecord& e : *run) {
        x.push_back(static_cast<double>(e.epoch));
        y.push_back(figure::published_value(task, e));
      }
      ImPlot::SetNextLineStyle(thin, 1 * app.scale);
      ImPlot::PlotLine(m.name.c_str(), x.data(), y.data(), static_cast<int>(x.size()));
    }
    ImPlot::SetNextLineStyle(colour, 2 * app.scale);
    ImPlot::PlotLine(m.name.c_str(), m.x.data(), m.y.data(), n);
  }
  if (beside)
    for (const figure::PublishedCurve& p : figure::published_curves()) {
      if (task != p.task) continue;
      const ImVec4 colour = named_color(p.condition, app.theme);
      ImPlot::SetNextMarkerStyle(ImPlotMarker_Cross, 4 * app.scale, colour, 1.5f * app.scale, colour);
      ImPlot::PlotScatter((figure::condition_title(p.condition) + ", published").c_str(), p.epoch.data(), p.mean.data(),
                          static_cast<int>(p.epoch.size()));
    }
  ImPlot::EndPlot();
}

void draw_curves(App& app, const ReproducerView& v) {
  const ImVec2 room = ImGui::GetContentRegionAvail();
  const size_t tasks = v.options.tasks.size();
  if (tasks == 0) return;
  const bool beside = room.x > 330 * app.scale * static_cast<float>(tasks);
  const float gap = 6 * app.scale, n = static_cast<float>(tasks);
  const ImVec2 size = beside ? ImVec2((room.x - gap * (n - 1)) / n, std::min(room.y, 460 * app.scale))
                             : ImVec2(room.x, std::max(118 * app.scale, (room.y - gap * n) / n - 2 * app.scale));
  for (size_t k = 0; k < tasks; ++k) {
    if (beside && k > 0) ImGui::SameLine(0, gap);
    draw_task(app, v, v.options.tasks[k], size, k == 0);
  }
}

void draw_networks(App& app, const ReproducerView& v) {
  const Palette& p = palette(app.theme);
  constexpr ImGuiTableFlags flags = ImGuiTableFlags_RowBg | ImGuiTableFlags_BordersInnerH | ImGuiTableFlags_ScrollY |
                                    ImGuiTableFlags_SizingFixedFit | ImGuiTableFlags_PadOuterX;
  if (!ImGui::BeginTable("networks", 5, flags, ImGui::GetContentRegionAvail())) return;
  const float u = app.scale;
  ImGui::TableSetupScrollFreeze(0, 1);
  ImGui::TableSetupColumn("network", ImGuiTableColumnFlags_WidthStretch);
  ImGui::TableSetupColumn("state", 0, 62 * u);
  ImGui::TableSetupColumn("epoch", 0, 62 * u);
  ImGui::TableSetupColumn("held out", 0, 74 * u);
  ImGui::TableSetupColumn("hash", 0, 132 * u);
  ImGui::TableHeadersRow();
  for (size_t k = 0; k < v.jobs.size() && k < v.now.size(); ++k) {
    const figure::Job& job = v.jobs[k];
    const figure::JobView& now = v.now[k];
    ImGui::TableNextRow();
    ImGui::TableNextColumn();
    ImGui::TextUnformatted(job.id.c_str());
    ImGui::TableNextColumn();
    if (now.state == figure::State::failed)
      ImGui::TextColored(p.bad, "failed");
    else if (now.state == figure::State::waiting)
      ImGui::TextDisabled("waiting");
    else
      ImGui::TextUnformatted(figure::text_of(now.state));
    if (!now.failure.empty() && ImGui::IsItemHovered()) ImGui::SetTooltip("%s", now.failure.c_str());
    ImGui::TableNextColumn();
    ImGui::Text("%lld/%lld", static_cast<long long>(now.epoch), static_cast<long long>(job.spec.all_epochs()));
    ImGui::TableNextColumn();
    if (!now.history->empty()) {
      const EpochRecord& last = now.history->back();
      if (job.task == "digits")
        ImGui::Text("%.2f %%", 100 * last.held_out_accuracy);
      else
        ImGui::Text("%.4g", last.held_out);
    }
    ImGui::TableNextColumn();
    ImGui::TextUnformatted(now.hash.c_str());
  }
  ImGui::EndTable();
}

void draw_verdicts(App& app, const ReproducerView& v) {
  const Palette& p = palette(app.theme);
  if (v.output == nullptr) {
    ImGui::TextDisabled("Verdicts come when every network is trained.");
    return;
  }
  constexpr ImGuiTableFlags flags =
      ImGuiTableFlags_RowBg | ImGuiTableFlags_BordersInnerH | ImGuiTableFlags_ScrollY | ImGuiTableFlags_PadOuterX;
  if (!ImGui::BeginTable("verdicts", 4, flags, ImGui::GetContentRegionAvail())) return;
  ImGui::TableSetupScrollFreeze(0, 1);
  ImGui::TableSetupColumn("claim", ImGuiTableColumnFlags_WidthStretch, 3);
  ImGui::TableSetupColumn("published", ImGuiTableColumnFlags_WidthStretch, 2);
  ImGui::TableSetupColumn("obtained", ImGuiTableColumnFlags_WidthStretch, 2.2f);
  ImGui::TableSetupColumn("verdict", ImGuiTableColumnFlags_WidthFixed, 104 * app.scale);
  ImGui::TableHeadersRow();
  for (const Finding& f : v.output->findings) {
    ImGui::TableNextRow();
    for (const std::string* text : {&f.claim, &f.published, &f.obtained}) {
      ImGui::TableNextColumn();
      ImGui::TextWrapped("%s", text->c_str());
      if (ImGui::IsItemHovered()) {
        ImGui::BeginTooltip();
        ImGui::PushTextWrapPos(360 * app.scale);
        ImGui::TextUnformatted(f.why.c_str());
        ImGui::PopTextWrapPos();
        ImGui::EndTooltip();
      }
    }
    ImGui::TableNextColumn();
    const ImVec4 colour = f.outcome == Outcome::reproduced       ? p.good
                          : f.outcome == Outcome::not_reproduced ? p.bad
                                                                 : p.muted;
    ImGui::TextColored(colour, "%s", outcome_text(f.outcome));
  }
  ImGui::EndTable();
}

const char* quick_text(figure::Paper paper) {
  if (paper == figure::Paper::bio) return "Small tasks and few epochs: under a minute.\nOff: 500 epochs, some minutes.";
  return figure::of_cell_types(paper)
             ? "Networks of 180 units, an eighth of the published size: a few minutes.\n"
               "Off: 1,440 units as in the paper, some hours."
             : "Networks of 64 units on small tasks: about a minute.\nOff: as in the paper, about an hour.";
}

const char* corrected_text(figure::Paper paper) {
  if (paper == figure::Paper::bio)
    return "Off: as published, without Dale's law and on the transposed connectome.\nOn: Dale's law, the connectome's "
           "own direction, epochs chosen by\nother trials, and degree-preserving rewiring beside it.";
  return figure::of_cell_types(paper)
             ? "Off: as published, with the faults of its code.\nOn: the input mask works, pruning has exact formulas, "
               "the\ncheckpoint is the one of least validation loss."
             : "Off: as published, with the faults of its code.\nOn: one nonlinearity for all conditions, exact "
               "pruning,\nwhole held-out splits, margins fixed beforehand.";
}

}  // namespace

void save_output(App& app, const figure::Output& output, const char* prefix, const std::string& only) {
  for (const figure::File& f : output.files) {
    if (f.name != only) continue;
    NamedFile file;
    file.name = std::string("dalea-") + prefix + "-" + f.name;
    file.bytes = f.bytes;
    app.host.save_file(file);
  }
}

void reproduction_progress(const App& app, double part, double seconds_left) {
  char text[80];
  if (seconds_left < 0)
    std::snprintf(text, sizeof text, "%.0f %%", 100 * part);
  else if (seconds_left < 90)
    std::snprintf(text, sizeof text, "%.0f %%, about %.0f s left", 100 * part, seconds_left);
  else
    std::snprintf(text, sizeof text, "%.0f %%, about %.0f min left", 100 * part, seconds_left / 60);
  ImVec4 bar = palette(app.theme).accent;
  bar.w = 0.35f;
  ImGui::PushStyleColor(ImGuiCol_PlotHistogram, bar);
  ImGui::ProgressBar(static_cast<float>(part), {-1, 0}, text);
  ImGui::PopStyleColor();
}

void draw_reproduce(App& app) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  const ReproducerView v = app.reproducer.view();
  figure::Options& wanted = app.view.reproduce;

  ImGui::BeginDisabled(v.running || app.planted.view().running);
  constexpr int last_figure = static_cast<int>(figure::Paper::bio);
  int which = app.view.reproduce_planted ? last_figure + 1 : static_cast<int>(wanted.figure);
  ImGui::SetNextItemWidth(214 * u);
  if (ImGui::Combo("##figure", &which,
                   "Figure 2: three constraints\0Figure 3: pruning\0Figure 4: cell types\0"
                   "Figure 5: conditions\0Connectomes: measured or random\0Compare: a planted change\0")) {
    app.view.reproduce_planted = which > last_figure;
    if (which <= last_figure) wanted.figure = static_cast<figure::Paper>(which);
  }
  app.track("reproduce:figure");
  ImGui::SameLine();
  if (app.view.reproduce_planted) {
    ImGui::Checkbox("Quick", &app.view.planted.quick);
    app.track("reproduce:quick");
    hint(
        "Three circuits, six networks in each condition: half a minute.\nOff: fifty circuits, seven settings, 5,100 "
        "networks: some minutes.");
    ImGui::EndDisabled();
    return draw_planted(app);
  }
  ImGui::Checkbox("Quick", &wanted.quick);
  app.track("reproduce:quick");
  if (ImGui::IsItemHovered()) ImGui::SetTooltip("%s", quick_text(wanted.figure));
  ImGui::SameLine();
  ImGui::Checkbox("Corrected", &wanted.corrected);
  app.track("reproduce:corrected");
  if (ImGui::IsItemHovered()) ImGui::SetTooltip("%s", corrected_text(wanted.figure));
  ImGui::EndDisabled();
  if (v.running) {
    if (ImGui::Button("Stop##reproduce", {100 * u, 0})) app.reproducer.stop();
  } else if (ImGui::Button(v.part > 0 && !v.finished && !v.jobs.empty() ? "Go on##reproduce" : "Start##reproduce",
                           {100 * u, 0})) {
    app.start_reproduction(wanted);
  }
  app.track("reproduce:start");
  ImGui::SameLine();
  ImGui::BeginDisabled(v.output == nullptr);
  if (ImGui::Button("Save report", {104 * u, 0})) save_output(app, *v.output, text_of(v.options.figure), "report.html");
  app.track("reproduce:save");
  ImGui::SameLine();
  if (ImGui::Button("Save tables", {104 * u, 0}))
    for (const char* name : {"findings.csv", "runs.csv", "curves.csv", "sweeps.csv", "effects.csv", "results.json"})
      save_output(app, *v.output, text_of(v.options.figure), name);
  ImGui::EndDisabled();
  ImGui::SameLine();
  ImGui::BeginDisabled(v.running);
  ImGui::SetNextItemWidth(92 * u);
  int runs = static_cast<int>(wanted.runs > 0 ? wanted.runs
                              : wanted.quick  ? 3
                              : figure::of_cell_types(wanted.figure) || wanted.figure == figure::Paper::bio ? 5
                                                                                                            : 6);
  if (ImGui::InputInt("runs", &runs)) wanted.runs = std::clamp(runs, 2, 20);
  app.track("reproduce:runs");
  ImGui::EndDisabled();
  if (v.running) reproduction_progress(app, v.part, v.seconds_left);
  if (!v.failure.empty()) {
    ImGui::PushStyleColor(ImGuiCol_Text, p.bad);
    ImGui::TextWrapped("%s", v.failure.c_str());
    ImGui::PopStyleColor();
  }
  if (v.jobs.empty()) {
    ImGui::Spacing();
    ImGui::PushTextWrapPos();
    ImGui::TextUnformatted(
        "Start trains what a figure of Balwani et al. (Science Advances 2025) shows, here, and sets every claim beside "
        "what was published.");
    ImGui::TextDisabled(
        "Figure 2: does a network that obeys Dale's law learn as well? Three tasks, three constraints.\nFigure 3: "
        "which "
        "connections can be taken away? Random, by magnitude, or with a probability in proportion to it.");
    ImGui::TextDisabled(
        "Connectomes (Goulas et al. 2021): do networks wired like a brain remember better than randomly wired ones? "
        "With "
        "the experiment's measured connectome, else a synthetic one.");
    ImGui::TextDisabled("The same on the command line: dalea reproduce fig2 --quick");
    ImGui::PopTextWrapPos();
    return;
  }
  if (!ImGui::BeginTabBar("reproduction")) return;
  if (ImGui::BeginTabItem("Learning")) {
    draw_curves(app, v);
    ImGui::EndTabItem();
  }
  app.track("reproduce:learning");
  if (ImGui::BeginTabItem("Networks")) {
    draw_networks(app, v);
    ImGui::EndTabItem();
  }
  app.track("reproduce:networks");
  const ImGuiTabItemFlags forward = v.finished && app.view.reproduce_forward ? ImGuiTabItemFlags_SetSelected : 0;
  if (v.finished) app.view.reproduce_forward = false;
  if (ImGui::BeginTabItem("Verdicts", nullptr, forward)) {
    draw_verdicts(app, v);
    ImGui::EndTabItem();
  }
  app.track("reproduce:verdicts");
  ImGui::EndTabBar();
}

}  // namespace dalea::app
