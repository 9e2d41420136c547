// Where the state goes in held-out trials, in two of its principal components; and what populations send each other.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/matrix_picture.h"
#include "app/views.h"
#include "app/widgets.h"
#include "common/states_report.h"
#include "implot.h"

namespace dalea::app {
namespace {

constexpr int64_t most_path_points = 6000;  // of all paths: a frame's vertices have 16-bit indices
constexpr double most_unasked = 1e9;        // trials x steps x units^2 that are measured without being asked for
constexpr size_t most_legend_conditions = 12;

double cost_of(const Setup& setup) {
  const double units = setup.populations.empty() ? 0.0 : static_cast<double>(setup.populations.back().units.end);
  return static_cast<double>(setup.held_out_trials) * static_cast<double>(setup.spec.task.steps) * units * units;
}

bool unasked(const App& app) {
  return app.live.own_thread() && cost_of(*app.now->setup) <= most_unasked;
}

void measure_states(App& app) {
  StatesState& state = app.view.states;
  state.network = app.now->setup->serial;
  state.asked = shown_updates(*app.now);
  app.live.study_states();
}

// Small networks that stand still are measured as soon as a tab shows them.
void follow_states(App& app) {
  const Snapshot& s = *app.now;
  const StatesState& state = app.view.states;
  const int64_t updates = shown_updates(s);
  const bool there = s.states && s.states_updates == updates;
  const bool asked = state.network == s.setup->serial && state.asked == updates;
  if (stands_still(s) && !there && !asked && unasked(app)) measure_states(app);
}

constexpr BlockLevel current_levels[] = {BlockLevel::population, BlockLevel::layer, BlockLevel::area};

// Its currents at a level; where that is not there, between populations.
StatesReport report_of(const Snapshot& s, int level) {
  StatesReport r;
  r.name = s.setup->spec.name;
  r.spec = s.setup->spec;
  r.dt_s = s.setup->dt_s;
  r.study = *s.states;
  if (level > 0)
    if (Result<StatesReport> coarse = states_at_level(r, current_levels[level]); coarse) return std::move(*coarse);
  return r;
}

// The line above both: measure, save, and how old the numbers are. False: there is nothing to show below it.
bool begin_states(App& app, const char* id, const char* csv_hint, NamedFile (*csv)(const StatesReport&)) {
  const Snapshot& s = *app.now;
  const float u = app.scale;
  if (!s.setup) {
    ImGui::TextDisabled("What the states of a network do is shown here once there is one.");
    return false;
  }
  if (s.setup->held_out_trials == 0) {
    ImGui::TextWrapped("This experiment has no held-out trials to measure; give task.held_out.");
    return false;
  }
  follow_states(app);
  const int64_t updates = shown_updates(s);
  const std::optional<double> measuring = app.live.measuring(Live::Measurement::states);
  const bool current = s.states && s.states_updates == updates, awaited = measuring.has_value();
  ImGui::PushID(id);
  if (awaited) {
    if (ImGui::Button("Cancel")) app.live.cancel_measuring();
    hint("Stops measuring; the training goes on");
    app.track(std::string(id) + ":cancel");
  } else {
    if (ImGui::Button(s.states ? "Measure again" : "Measure")) measure_states(app);
    hint("Runs all held-out trials through the network as it is shown now, without noise: the same as dalea states");
    app.track(std::string(id) + ":measure");
  }
  ImGui::BeginDisabled(!s.states);
  flow(46 * u, 6 * u);
  if (ImGui::Button("CSV")) app.host.save_file(csv(report_of(s, app.view.states.level)));
  hint(csv_hint);
  app.track(std::string(id) + ":csv");
  flow(60 * u, 6 * u);
  if (ImGui::Button("Figure"))
    app.host.save_file(text_file("dalea-states.svg",
                                 plot::to_svg(plot::drawing_of(states_figure(report_of(s, app.view.states.level))))));
  hint("States, variance and currents as SVG");
  app.track(std::string(id) + ":figure");
  ImGui::EndDisabled();
  ImGui::PopID();

  draw_age(app, awaited ? measuring_text(*measuring) : "", s.states != nullptr, s.states_updates, current);
  if (s.states) return true;
  ImGui::PushStyleColor(ImGuiCol_Text, palette(app.theme).muted);
  ImGui::TextWrapped("Press Measure%s: all held-out trials run through the network.", unasked(app) ? ", or pause" : "");
  ImGui::PopStyleColor();
  return false;
}

int component_of(int axes, bool second) {
  return second ? (axes == 0 ? 1 : 2) : (axes == 2 ? 1 : 0);
}

void make_paths(StatesState& state, const std::shared_ptr<const StateStudy>& study) {
  const StateStudy& s = *study;
  state.shown = study;
  state.axes_shown = state.axes;
  state.paths.clear();
  state.start_x.clear();
  state.start_y.clear();
  const int kx = component_of(state.axes, false), ky = component_of(state.axes, true);
  const int64_t stride = std::max<int64_t>(1, (s.shown * s.steps + most_path_points - 1) / most_path_points);
  double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
  const auto at = [&](int64_t trial, int64_t step, int k) {
    return static_cast<double>(s.path[static_cast<size_t>((trial * s.steps + step) * path_components + k)]);
  };
  for (size_t k = 0; k < s.condition_names.size(); ++k) {
    StatesState::Path path;
    path.condition = k;
    const auto put = [&](double x, double y, int64_t trial, int64_t step) {
      path.x.push_back(x);
      path.y.push_back(y);
      path.trial.push_back(static_cast<int32_t>(trial));
      path.step.push_back(static_cast<int32_t>(step));
    };
    for (int64_t n = 0; n < s.shown; ++n) {
      if (s.condition[static_cast<size_t>(n)] != static_cast<int32_t>(k)) continue;
      if (!path.x.empty()) put(NAN, NAN, -1, -1);
      for (int64_t t = 0; t < s.steps; t = t + 1 < s.steps ? std::min(t + stride, s.steps - 1) : s.steps) {
        const double x = at(n, t, kx), y = at(n, t, ky);
        put(x, y, n, t);
        low[0] = std::min(low[0], x);
        high[0] = std::max(high[0], x);
        low[1] = std::min(low[1], y);
        high[1] = std::max(high[1], y);
      }
      state.start_x.push_back(at(n, 0, kx));
      state.start_y.push_back(at(n, 0, ky));
    }
    if (!path.x.empty()) state.paths.push_back(std::move(path));
  }
  for (size_t side : {size_t{0}, size_t{1}}) {
    if (!(low[side] <= high[side])) low[side] = high[side] = 0;
    const double pad = 0.06 * (high[side] - low[side]) + 1e-9;
    state.limits[2 * side] = low[side] - pad;
    state.limits[2 * side + 1] = high[side] + pad;
  }
}

// The point of a path that the pointer is on.
void read_out(const StatesState& state, const StateStudy& s) {
  if (!ImPlot::IsPlotHovered()) return;
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  const float reach = ImGui::GetFontSize() * 0.6f;
  float nearest = reach * reach;
  const StatesState::Path* found = nullptr;
  size_t point = 0;
  for (const StatesState::Path& path : state.paths)
    for (size_t k = 0; k < path.x.size(); ++k) {
      if (path.trial[k] < 0) continue;
      const ImVec2 q = ImPlot::PlotToPixels(path.x[k], path.y[k]);
      const float d = (q.x - mouse.x) * (q.x - mouse.x) + (q.y - mouse.y) * (q.y - mouse.y);
      if (d >= nearest) continue;
      nearest = d;
      found = &path;
      point = k;
    }
  if (found == nullptr) return;
  ImGui::BeginTooltip();
  ImGui::PushFont(fonts.medium);
  ImGui::Text("%.4g, %.4g", found->x[point], found->y[point]);
  ImGui::PopFont();
  ImGui::Text("trial %d, step %d", found->trial[point] + 1, found->step[point]);
  if (!s.condition_kind.empty())
    ImGui::Text("%s %s", s.condition_kind.c_str(), s.condition_names[found->condition].c_str());
  ImGui::EndTooltip();
}

}  // namespace

void draw_states(App& app) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  StatesState& state = app.view.states;
  if (!begin_states(
          app, "states", "Projections of the trials shown: trial, condition, step, three components",
          [](const StatesReport& r) { return text_file("dalea-projections.csv", states_projections_csv(r)); }))
    return;
  const std::shared_ptr<const StateStudy> study = app.now->states;
  const StateStudy& s = *study;
  const Components& c = s.components;
  if (c.count == 0) {
    ImGui::TextWrapped("%s", s.no_components.c_str());
    ImGui::TextWrapped("On the command line: dalea states session.npz --population NAME");
    return;
  }
  const char* names[] = {"1, 2", "1, 3", "2, 3"};
  const char* hints[] = {"Components 1 and 2", "Components 1 and 3", "Components 2 and 3"};
  if (c.count < path_components) state.axes = 0;
  for (int k = 0; k < (c.count < path_components ? 1 : 3); ++k) {
    if (k > 0) ImGui::SameLine(0, 4 * u);
    if (choice(names[k], state.axes == k, app.theme)) state.axes = k;
    hint(hints[k]);
    app.track(std::string("states:axes ") + names[k]);
  }
  char text[240];
  std::snprintf(text, sizeof text, "variance %.1f %%", 100 * c.share(0));
  std::string line = text;
  for (int64_t k = 1; k < std::min<int64_t>(c.count, 3); ++k) {
    std::snprintf(text, sizeof text, ", %.1f %%", 100 * c.share(k));
    line += text;
  }
  std::snprintf(text, sizeof text, "; dimensions %.1f", c.participation);
  line += text;
  ImGui::PushFont(fonts.small);
  flow(ImGui::CalcTextSize(line.c_str()).x, 8 * u);
  ImGui::AlignTextToFramePadding();
  ImGui::TextDisabled("%s", line.c_str());
  if (ImGui::IsItemHovered()) {
    ImGui::BeginTooltip();
    for (int64_t k = 0; k < c.count; ++k)
      ImGui::Text("component %d: %.2f %%, together %.2f %%", static_cast<int>(k) + 1, 100 * c.share(k),
                  100 * c.share_of_first(k + 1));
    ImGui::Text("participation ratio %.3f", c.participation);
    ImGui::EndTooltip();
  }
  ImGui::PopFont();

  const bool fresh = state.shown != study || state.axes_shown != state.axes;
  if (fresh) make_paths(state, study);
  const bool legend = !s.condition_kind.empty() && state.paths.size() <= most_legend_conditions;
  const ImPlotFlags flags = ImPlotFlags_NoMenus | ImPlotFlags_NoBoxSelect | ImPlotFlags_NoMouseText |
                            (legend ? ImPlotFlags_None : ImPlotFlags_NoLegend);
  ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 0);
  ImPlot::PushStyleVar(ImPlotStyleVar_PlotPadding, ImVec2(4 * u, 3 * u));
  if (ImPlot::BeginPlot("##states", ImGui::GetContentRegionAvail(), flags)) {
    char x_label[40], y_label[40];
    std::snprintf(x_label, sizeof x_label, "component %d", component_of(state.axes, false) + 1);
    std::snprintf(y_label, sizeof y_label, "component %d", component_of(state.axes, true) + 1);
    ImPlot::SetupAxes(x_label, y_label);
    const ImPlotCond when = fresh ? ImPlotCond_Always : ImPlotCond_Once;
    ImPlot::SetupAxisLimits(ImAxis_X1, state.limits[0], state.limits[1], when);
    ImPlot::SetupAxisLimits(ImAxis_Y1, state.limits[2], state.limits[3], when);
    ImPlot::SetupLegend(ImPlotLocation_North, ImPlotLegendFlags_Horizontal | ImPlotLegendFlags_Outside);
    for (const StatesState::Path& path : state.paths) {
      ImVec4 color = s.condition_kind.empty() ? p.output : screen_color(condition_color(path.condition), app.theme);
      color.w = 0.75f;
      ImPlot::SetNextLineStyle(color, 1.2f * u);
      ImPlot::PlotLine(s.condition_names[path.condition].c_str(), path.x.data(), path.y.data(),
                       static_cast<int>(path.x.size()));
    }
    ImPlot::SetNextMarkerStyle(ImPlotMarker_Circle, 2.6f * u, p.text, 0, p.text);
    ImPlot::PlotScatter("start", state.start_x.data(), state.start_y.data(), static_cast<int>(state.start_x.size()));
    read_out(state, s);
    ImPlot::EndPlot();
  }
  ImPlot::PopStyleVar();
  ImGui::PopStyleVar();
  app.track("states");
}

void draw_currents(App& app) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  if (!begin_states(app, "currents", "The table as CSV: to, from, current, connections",
                    [](const StatesReport& r) { return text_file("dalea-currents.csv", states_currents_csv(r)); }))
    return;
  const std::vector<Population>& populations = app.now->setup->spec.populations;
  StatesState& state = app.view.states;
  const auto labelled = [&](std::string Population::*label) {
    return std::any_of(populations.begin(), populations.end(),
                       [&](const Population& q) { return !(q.*label).empty(); });
  };
  const bool by_layer = labelled(&Population::layer), by_area = labelled(&Population::area);
  if ((state.level == 1 && !by_layer) || (state.level == 2 && !by_area)) state.level = 0;
  if (by_layer || by_area) {
    constexpr const char* names[] = {"Populations", "Layers", "Areas"};
    for (int k = 0; k < 3; ++k) {
      if ((k == 1 && !by_layer) || (k == 2 && !by_area)) continue;
      if (k > 0) flow(ImGui::CalcTextSize(names[k]).x + 2 * ImGui::GetStyle().FramePadding.x, 4 * u);
      if (choice(names[k], state.level == k, app.theme)) state.level = k;
      app.track(std::string("currents:") + names[k]);
    }
  }
  // Of what is drawn: made anew when it changed.
  if (state.currents_of != app.now->states || state.currents_level != state.level) {
    const StatesReport report = report_of(*app.now, state.level);
    state.currents = report.study.currents;
    state.current_names.clear();
    for (const Population& q : report.spec.populations) state.current_names.push_back(q.name);
    state.currents_of = app.now->states;
    state.currents_level = state.level;
  }
  const Currents& c = state.currents;
  const size_t rows = c.input.size(), columns = rows + 2;
  if (rows == 0 || rows != state.current_names.size()) return;
  ImGui::PushFont(fonts.small);
  ImGui::TextWrapped("Mean current into (rows) from (columns), %s held-out trials",
                     grouped(app.now->states->trials).c_str());

  const auto value = [&](size_t row, size_t column) {
    return column < rows ? c.recurrent[row * rows + column] : column == rows ? c.input[row] : c.bias[row];
  };
  const auto name = [&](size_t column) -> std::string {
    return column < rows ? state.current_names[column] : column == rows ? "input" : "bias";
  };
  const auto exists = [&](size_t row, size_t column) {
    return column >= rows || c.connections[row * rows + column] > 0;
  };
  double most = 0;
  for (size_t r = 0; r < rows; ++r)
    for (size_t k = 0; k < columns; ++k) most = std::max(most, std::fabs(value(r, k)));
  const float scale = nice_scale(static_cast<float>(most));

  // Names to the left; above the columns they stand where they do not fit.
  const ImVec2 room = ImGui::GetContentRegionAvail(), origin = ImGui::GetCursorScreenPos();
  const float line = ImGui::GetTextLineHeight(), foot = line + 4 * u;
  float widest = 0;
  for (size_t k = 0; k < columns; ++k) widest = std::max(widest, ImGui::CalcTextSize(name(k).c_str()).x);
  const float left = std::min(widest, 0.26f * room.x) + 6 * u, gap = 5 * u;  // between the populations and the rest
  const float width = std::floor((room.x - left - gap) / static_cast<float>(columns));
  const bool upright = widest > width - 4 * u;
  const float top = (upright ? std::min(widest, 0.3f * room.y) : line) + 4 * u;
  const float height = std::floor(std::clamp((room.y - top - foot) / static_cast<float>(rows), 4 * u, 46 * u));
  const ImVec2 at = {origin.x + left, origin.y + top};
  const auto x_of = [&](size_t column) {
    return at.x + width * static_cast<float>(column) + (column >= rows ? gap : 0.0f);
  };
  const ImVec2 end = {x_of(columns), at.y + height * static_cast<float>(rows)};
  ImGui::InvisibleButton("currents", {std::max(1.0f, end.x - origin.x), std::max(1.0f, end.y - origin.y)});
  app.track("currents");
  const bool hovered = ImGui::IsItemHovered();
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  ImDrawList* draw = ImGui::GetWindowDrawList();
  const ImU32 ink = color32(p.text), muted = color32(p.muted);
  const float every = std::max(1.0f, std::ceil(line / std::max(1.0f, height)));  // names of thin rows: some
  size_t over_row = rows, over_column = columns;
  for (size_t r = 0; r < rows; ++r) {
    const float y = at.y + height * static_cast<float>(r);
    if (r % static_cast<size_t>(every) == 0) {
      const std::string text = cut_text(name(r), left - 6 * u);
      draw->AddText({at.x - 5 * u - ImGui::CalcTextSize(text.c_str()).x, y + (height - line) / 2}, ink, text.c_str());
    }
    for (size_t k = 0; k < columns; ++k) {
      const float x = x_of(k);
      const Color color = exists(r, k) ? weight_color(static_cast<float>(value(r, k)), scale) : absent_color;
      draw->AddRectFilled({x, y}, {x + width - 1, y + height - 1}, packed(color));
      if (hovered && mouse.x >= x && mouse.x < x + width && mouse.y >= y && mouse.y < y + height) {
        over_row = r;
        over_column = k;
      }
      if (!exists(r, k)) continue;
      char text[24];
      std::snprintf(text, sizeof text, "%.2g", value(r, k));
      const ImVec2 size = ImGui::CalcTextSize(text);
      if (size.x + 4 * u > width || size.y > height) continue;
      draw->AddText({x + (width - size.x) / 2, y + (height - size.y) / 2}, ink_on(packed(color)), text);
    }
  }
  for (size_t k = 0; k < columns; ++k) {
    const std::string text = cut_text(name(k), upright ? top - 4 * u : width - 2 * u);
    const float x = x_of(k);
    if (!upright)
      draw->AddText({x + (width - ImGui::CalcTextSize(text.c_str()).x) / 2, origin.y}, ink, text.c_str());
    else if (width >= 0.75f * line || k % 2 == 0)
      vertical_text(draw, {x + width / 2, at.y - 3 * u}, ink, text.c_str());
  }

  char text[200];
  if (over_row < rows) {
    const float x = x_of(over_column), y = at.y + height * static_cast<float>(over_row);
    draw->AddRect({x - 1, y - 1}, {x + width, y + height}, color32(p.accent), 0, 0, 2 * u);
    ImGui::BeginTooltip();
    ImGui::PushFont(fonts.medium);
    if (exists(over_row, over_column))
      ImGui::Text("%+.5g", value(over_row, over_column));
    else
      ImGui::TextUnformatted("no connection");
    ImGui::PopFont();
    ImGui::Text("from  %s", name(over_column).c_str());
    ImGui::Text("into   %s", name(over_row).c_str());
    if (over_column < rows && exists(over_row, over_column)) {
      ImGui::Text("%s connections", grouped(c.connections[over_row * rows + over_column]).c_str());
      ImGui::Text("mean activity of %s: %.4g", name(over_column).c_str(), c.activity[over_column]);
    }
    ImGui::Text("all together into %s: %+.4g", name(over_row).c_str(), c.total(over_row));
    ImGui::EndTooltip();
  }
  std::snprintf(text, sizeof text,
                "colours: \xe2\x88\x92%.3g to +%.3g; grey: no connection; point at a cell to read it",
                static_cast<double>(scale), static_cast<double>(scale));
  if (ImGui::CalcTextSize(text).x > room.x)
    std::snprintf(text, sizeof text, "colours: \xe2\x88\x92%.3g to +%.3g; grey: none", static_cast<double>(scale),
                  static_cast<double>(scale));
  draw->AddText({origin.x, end.y + 3 * u}, muted, text);
  ImGui::SetCursorScreenPos({origin.x, end.y});
  ImGui::Dummy({1, foot});
  ImGui::PopFont();
}

}  // namespace dalea::app
