// Network measures of what is learning beside those of null models, and how many connections units have.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/views.h"
#include "app/widgets.h"
#include "common/figure.h"
#include "implot.h"

namespace dalea::app {
namespace {

constexpr double most_unasked_measures = 4e8;  // (null models + 1) x units^3 that are measured without being asked for
constexpr int64_t most_window_degrees = 60;    // classes

int64_t topology_units(const App& app) {
  return app.now->weights ? app.now->weights->units : 0;
}

int64_t topology_updates(const App& app) {
  return app.view.topology.which == static_cast<int>(NetworkOf::now) ? shown_updates(*app.now) : 0;
}

void measure_topology(App& app) {
  TopologyState& state = app.view.topology;
  const Snapshot& s = *app.now;
  state.network = s.setup->serial;
  state.asked = topology_updates(app);
  TopologyTask task;
  task.setup = s.setup;
  task.weights = s.weights;
  task.updates = state.asked;
  task.which = static_cast<NetworkOf>(state.which);
  task.nulls = topology_nulls[state.nulls];
  task.model = topology_models[state.model];
  app.topology.start(task);
}

bool topology_asked(const App& app, const TopologyView& v) {
  const TopologyState& state = app.view.topology;
  return v.task.setup == app.now->setup && static_cast<int>(v.task.which) == state.which &&
         v.task.nulls == topology_nulls[state.nulls] && v.task.model == topology_models[state.model];
}

bool measures_itself(const App& app) {
  const auto n = static_cast<double>(topology_units(app));
  const auto networks = static_cast<double>(topology_nulls[app.view.topology.nulls] + 1);
  return app.topology.own_thread() && networks * n * n * n <= most_unasked_measures;
}

// Small networks that stand still are measured as soon as the tab shows them.
void follow_topology(App& app, const TopologyView& v) {
  const Snapshot& s = *app.now;
  const TopologyState& state = app.view.topology;
  const int64_t updates = topology_updates(app);
  const bool still = stands_still(s) || state.which != static_cast<int>(NetworkOf::now);
  const bool asked = topology_asked(app, v) && state.network == s.setup->serial && state.asked == updates;
  if (still && !asked && measures_itself(app)) measure_topology(app);
}

void topology_choices(App& app) {
  const float u = app.scale;
  TopologyState& state = app.view.topology;
  const bool connectome = app.now->setup->spec.measured != nullptr;
  if (!connectome && state.which == static_cast<int>(NetworkOf::connectome)) state.which = 0;
  const char* names[] = {"Now##topology", "Start##topology", "Mask##topology", "Connectome##topology"};
  const char* hints[] = {"The recurrent weights as they are shown now; one of exactly 0 is no connection",
                         "The recurrent weights that training began with", "Which connections can exist",
                         "The connectome as it was scaled to neurons, with its strengths"};
  for (int k = 0; k < (connectome ? 4 : 3); ++k) {
    if (k > 0) ImGui::SameLine(0, 4 * u);
    if (choice(names[k], state.which == k, app.theme)) state.which = k;
    hint(hints[k]);
    app.track(std::string("topology:") + (k == 0 ? "now" : k == 1 ? "start" : k == 2 ? "mask" : "connectome"));
  }
  char text[40];
  const float wide = 92 * u;
  flow(wide, 12 * u);
  ImGui::SetNextItemWidth(wide);
  std::snprintf(text, sizeof text, "%lld nulls", static_cast<long long>(topology_nulls[state.nulls]));
  if (ImGui::BeginCombo("##topology-nulls", state.nulls == 0 ? "no nulls" : text)) {
    for (int k = 0; k < 4; ++k) {
      std::snprintf(text, sizeof text, "%lld nulls", static_cast<long long>(topology_nulls[k]));
      if (ImGui::Selectable(k == 0 ? "no nulls" : text, state.nulls == k)) state.nulls = k;
    }
    ImGui::EndCombo();
  }
  hint("Null models to measure beside it: with K of them p is at least 1 / (K + 1)");
  app.track("topology:nulls");
  flow(wide, 6 * u);
  ImGui::SetNextItemWidth(wide);
  ImGui::BeginDisabled(state.nulls == 0);
  if (ImGui::BeginCombo("##topology-model", topology_models[state.model])) {
    for (int k = 0; k < 5; ++k)
      if (ImGui::Selectable(topology_models[k], state.model == k)) state.model = k;
    ImGui::EndCombo();
  }
  hint(
      "permuted: connections anywhere, as published; rewired: every unit keeps how many it has; weights: shuffled over "
      "the same connections; spatial: distances kept; density: anywhere, all of the mean weight");
  app.track("topology:model");
  ImGui::EndDisabled();
}

void topology_line(App& app, const TopologyView& v, bool current) {
  const float u = app.scale;
  if (v.running) {
    if (ImGui::Button("Cancel##topology")) app.topology.stop();
    hint("Stops measuring; what was found stays");
    app.track("topology:cancel");
  } else {
    if (ImGui::Button(v.study ? "Measure again##topology" : "Measure##topology")) measure_topology(app);
    hint("The same as dalea measures; training goes on");
    app.track("topology:measure");
  }
  ImGui::BeginDisabled(!v.study);
  flow(46 * u, 6 * u);
  if (ImGui::Button("CSV##topology")) app.host.save_file(text_file("dalea-measures.csv", measures_csv(*v.study)));
  hint("The table: value, mean and sd of the null models, z, p");
  app.track("topology:csv");
  flow(60 * u, 6 * u);
  if (ImGui::Button("Figure##topology"))
    app.host.save_file(text_file("dalea-measures.svg", plot::to_svg(plot::drawing_of(measures_figure(*v.study)))));
  hint("Distances from the null models, and the numbers of connections, as SVG");
  app.track("topology:figure");
  ImGui::EndDisabled();
  draw_age(app, v.running ? measuring_text(v.part) : "", v.study != nullptr, v.task.updates, current);
}

void topology_number(double value, int digits = 4) {
  ImGui::TableNextColumn();
  if (std::isfinite(value)) ImGui::Text("%.*g", digits, value);
}

void topology_row(App& app, const char* words, const char* meaning, double value, const NullRow* r) {
  const Palette& p = palette(app.theme);
  ImGui::TableNextRow();
  ImGui::TableNextColumn();
  ImGui::TextUnformatted(words);
  hint(meaning);
  topology_number(value);
  if (r == nullptr) return;
  topology_number(r->mean);
  if (r->count > 1 && !std::isfinite(r->z)) {
    ImGui::TableNextColumn();
    ImGui::TextDisabled("kept");
    hint("All null models have the same");
    return;
  }
  topology_number(r->sd, 2);
  topology_number(r->z, 3);
  ImGui::TableNextColumn();
  if (std::isfinite(r->p)) ImGui::TextColored(r->p <= 0.05 ? p.good : p.text, "%.2g", r->p);
}

void topology_table(App& app, const MeasureStudy& study, float height) {
  const float u = app.scale;
  const bool nulls = !study.nulls.empty();
  constexpr ImGuiTableFlags flags = ImGuiTableFlags_RowBg | ImGuiTableFlags_BordersInnerH | ImGuiTableFlags_ScrollY |
                                    ImGuiTableFlags_ScrollX | ImGuiTableFlags_SizingFixedFit |
                                    ImGuiTableFlags_PadOuterX;
  ImGui::PushFont(fonts.small);
  ImGui::PushStyleVar(ImGuiStyleVar_CellPadding, {4 * u, 2 * u});
  if (ImGui::BeginTable(nulls ? "topology nulls" : "topology", nulls ? 6 : 2, flags, {0, height})) {
    ImGui::TableSetupScrollFreeze(1, 1);
    constexpr const char* names[] = {"measure", "value", "null mean", "null sd", "z", "p"};
    constexpr float widths[] = {142, 58, 58, 50, 42, 36};
    for (int k = 0; k < (nulls ? 6 : 2); ++k)
      ImGui::TableSetupColumn(names[k], ImGuiTableColumnFlags_None, widths[k] * u);
    ImGui::TableHeadersRow();
    for (size_t k = 0; k < measure_count; ++k) {
      const auto m = static_cast<Measure>(k);
      const double value = study.measured.of(m);
      if (!std::isfinite(value)) continue;
      const NullRow r = nulls ? study.row(m) : NullRow();
      topology_row(app, words_of(m), meaning_of(m), value, nulls ? &r : nullptr);
    }
    if (const double sigma = nulls ? study.small_world() : NAN; std::isfinite(sigma))
      topology_row(app, "small-worldness",
                   "Clustering over that of the null models, over the same of path length (Humphries and Gurney 2008)",
                   sigma, nullptr);
    ImGui::EndTable();
  }
  app.track("topology:table");
  ImGui::PopStyleVar();
  ImGui::PopFont();
}

void topology_degrees(App& app, const GraphMeasures& g) {
  const Palette& p = palette(app.theme);
  const DegreeClasses c = degree_classes(g, most_window_degrees);
  std::vector<double> edges, count[2];
  double most = 1;
  for (size_t k = 0; k <= c.in.size(); ++k)
    edges.push_back(static_cast<double>(c.first + static_cast<int64_t>(k) * c.width) - 0.5);
  for (const bool in : {true, false}) {
    std::vector<double>& v = count[in ? 0 : 1];
    for (int64_t n : in ? c.in : c.out) v.push_back(static_cast<double>(n));
    most = std::max(most, *std::max_element(v.begin(), v.end()));
    v.push_back(0);
  }
  constexpr ImPlotFlags flags = ImPlotFlags_NoMenus | ImPlotFlags_NoBoxSelect | ImPlotFlags_NoMouseText;
  ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 0);
  if (ImPlot::BeginPlot("##degrees", ImGui::GetContentRegionAvail(), flags)) {
    ImPlot::SetupAxes("connections of a unit", "units");
    const double margin = 0.02 * (edges.back() - edges.front());
    ImPlot::SetupAxisLimits(ImAxis_X1, edges.front() - margin, edges.back() + margin, ImPlotCond_Always);
    ImPlot::SetupAxisLimits(ImAxis_Y1, 0, 1.1 * most, ImPlotCond_Always);
    ImPlot::SetupLegend(ImPlotLocation_North, ImPlotLegendFlags_Horizontal | ImPlotLegendFlags_Outside);
    const auto n = static_cast<int>(edges.size());
    ImPlot::SetNextLineStyle(p.output, 1.8f * app.scale);
    ImPlot::PlotStairs("incoming", edges.data(), count[0].data(), n);
    ImPlot::SetNextLineStyle(p.text, 1.2f * app.scale);
    ImPlot::PlotStairs("outgoing", edges.data(), count[1].data(), n);
    if (ImPlot::IsPlotHovered()) {
      const auto at = static_cast<int64_t>(
          std::floor((ImPlot::GetPlotMousePos().x - edges.front()) / static_cast<double>(c.width)));
      if (at >= 0 && at < static_cast<int64_t>(c.in.size())) {
        const int64_t from = c.first + at * c.width, to = from + c.width - 1;
        const std::string range = grouped(from) + (to > from ? " to " + grouped(to) : "");
        ImGui::SetTooltip("%s connections\n%s units receive so many, %s send them", range.c_str(),
                          grouped(c.in[static_cast<size_t>(at)]).c_str(),
                          grouped(c.out[static_cast<size_t>(at)]).c_str());
      }
    }
    ImPlot::EndPlot();
  }
  ImGui::PopStyleVar();
  app.track("topology:degrees");
}

}  // namespace

void draw_topology(App& app) {
  const Snapshot& s = *app.now;
  const float u = app.scale;
  if (!s.setup || !s.weights || !s.setup->initial) {
    ImGui::TextDisabled("What graph theory says of the network's connections is shown here once there is one.");
    return;
  }
  topology_choices(app);
  follow_topology(app, app.topology.view());
  TopologyView v = app.topology.view();
  if (v.task.setup != s.setup) v = {};  // of another network
  const bool current = topology_asked(app, v) && v.task.updates == topology_updates(app);
  topology_line(app, v, current);
  ImGui::PushFont(fonts.small);
  ImGui::PushStyleColor(ImGuiCol_Text, palette(app.theme).muted);
  if (!v.failure.empty()) ImGui::TextWrapped("%s", v.failure.c_str());
  if (!v.study && v.failure.empty() && !v.running)
    ImGui::TextWrapped("Press Measure%s: density, clustering, paths, modularity and more, beside the null models.",
                       measures_itself(app) ? ", or pause" : "");
  if (v.study) {
    const GraphMeasures& g = v.study->measured;
    std::string line = v.study->which + ": " + grouped(g.links) + " connections of " + grouped(g.units) + " units";
    if (!v.study->nulls.empty())
      line += ", " + grouped(static_cast<int64_t>(v.study->nulls.size())) + " " + v.study->plan.model + " null models";
    if (!v.study->parts_are.empty()) line += "; regions are the " + v.study->parts_are;
    ImGui::TextWrapped("%s", line.c_str());
    std::string remarks;
    for (const std::string& r : measure_remarks(*v.study)) remarks += (remarks.empty() ? "" : "\n") + r;
    hint(remarks.c_str());
  }
  ImGui::PopStyleColor();
  ImGui::PopFont();
  if (!v.study) return;
  const float room = ImGui::GetContentRegionAvail().y, plot = std::max(110 * u, 0.3f * room);
  const float rows = (measure_count + 3) * (fonts.small->FontSize + 4 * u);  // all, with header and scroll bar
  topology_table(app, *v.study, std::min(rows, std::max(80 * u, room - plot - 6 * u)));
  topology_degrees(app, v.study->measured);
}

}  // namespace dalea::app
