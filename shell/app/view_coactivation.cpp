// Which units are active together in held-out trials, whether connected ones are more so; and whether the next
// experiment starts from the weights of this network.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/matrix_picture.h"
#include "app/views.h"
#include "app/widgets.h"
#include "common/coactivation_report.h"

namespace dalea::app {
namespace {

constexpr double most_correlated_unasked = 2e8;  // samples x units^2 that are measured without being asked for

bool correlated_unasked(const App& app) {
  const Setup& setup = *app.now->setup;
  const double units = static_cast<double>(setup.spec.units());
  const double samples =
      std::min(static_cast<double>(setup.held_out_trials) * static_cast<double>(setup.spec.task.steps),
               static_cast<double>(most_coactivation_values) / std::max(1.0, units));
  return app.live.own_thread() && samples * units * units <= most_correlated_unasked;
}

void correlate(App& app) {
  CoactivationState& state = app.view.coactivation;
  state.network = app.now->setup->serial;
  state.asked = shown_updates(*app.now);
  app.live.study_coactivation();
}

// Small networks that stand still are measured as soon as the tab shows them.
void follow_coactivation(App& app) {
  const Snapshot& s = *app.now;
  const CoactivationState& state = app.view.coactivation;
  const int64_t updates = shown_updates(s);
  const bool there = s.coactivation && s.coactivation_updates == updates;
  const bool asked = state.network == s.setup->serial && state.asked == updates;
  if (stands_still(s) && !there && !asked && correlated_unasked(app)) correlate(app);
}

CoactivationReport report_now(const Snapshot& s) {
  return {s.setup->spec.name, s.setup->spec, *s.coactivation};
}

void paint_correlations(App& app, const std::shared_ptr<const Coactivation>& study) {
  CoactivationState& state = app.view.coactivation;
  if (state.shown == study && state.texture != ImTextureID{}) return;
  const Coactivation& c = *study;
  state.pixels.resize(c.rho.size());
  for (size_t e = 0; e < c.rho.size(); ++e)
    state.pixels[e] = packed(std::isnan(c.rho[e]) ? absent_color : weight_color(c.rho[e], 1));
  const auto side = static_cast<int>(c.units);
  state.texture = app.host.texture(state.texture, side, side, state.pixels.data(), true);
  state.shown = study;
}

void draw_correlations(App& app, const Coactivation& c, float side) {
  const Palette& p = palette(app.theme);
  const float u = app.scale, line = ImGui::GetTextLineHeight();
  const Setup& setup = *app.now->setup;
  const ImVec2 origin = ImGui::GetCursorScreenPos();
  const ImVec2 at = {origin.x + line + 4 * u, origin.y + line + 3 * u};
  MatrixPart all;
  const MatrixFrame frame = matrix_frame(app, "coactivation", at, side, c.units, all);
  frame.picture(app, app.view.coactivation.texture);
  ImDrawList* draw = ImGui::GetWindowDrawList();
  draw->AddRect({at.x - 1, at.y - 1}, {frame.end.x + 1, frame.end.y + 1}, color32(p.muted));
  for (const PopulationView& pop : setup.populations) {
    const auto begin = static_cast<double>(pop.units.begin), end = static_cast<double>(pop.units.end);
    const float room = frame.x(end) - frame.x(begin);
    const std::string name = cut_text(pop.name, room - 4 * u);
    const float width = ImGui::CalcTextSize(name.c_str()).x;
    if (room < 14 * u || width > room) continue;
    draw->AddText({(frame.x(begin) + frame.x(end) - width) / 2, at.y - line - 2 * u}, color32(p.text), name.c_str());
    vertical_text(draw, {at.x - line / 2 - 3 * u, (frame.y(begin) + frame.y(end) + width) / 2}, color32(p.text),
                  name.c_str());
  }
  if (frame.pre >= 0) {
    const float rho = c.rho[static_cast<size_t>(frame.post * c.units + frame.pre)];
    ImGui::BeginTooltip();
    ImGui::PushFont(fonts.medium);
    if (std::isnan(rho))
      ImGui::TextUnformatted("one of them never varies");
    else
      ImGui::Text("%+.3f", static_cast<double>(rho));
    ImGui::PopFont();
    ImGui::Text("%s and %s", unit_name(setup, frame.post).c_str(), unit_name(setup, frame.pre).c_str());
    const MatrixView& w = *app.now->weights;
    if (frame.pre != frame.post) {
      const float to = w.at(frame.post, frame.pre), back = w.at(frame.pre, frame.post);
      if (to == 0 && back == 0) ImGui::TextUnformatted("not connected");
      if (to != 0) ImGui::Text("weight from the second to the first: %.4g", static_cast<double>(to));
      if (back != 0) ImGui::Text("weight from the first to the second: %.4g", static_cast<double>(back));
    }
    ImGui::EndTooltip();
  }
  ImGui::SetCursorScreenPos(origin);
  ImGui::Dummy({side + line + 5 * u, side + line + 4 * u});
}

// The numbers, short: the sentences are in the hint.
void draw_numbers(App& app, const Coactivation& c) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  const Homophily& h = c.homophily;
  ImGui::PushFont(fonts.small);
  ImGui::BeginGroup();
  const float column = 96 * u;  // from the group's left
  const auto value = [&](const char* name, const char* format, double v) {
    ImGui::TextUnformatted(name);
    ImGui::SameLine(column);
    ImGui::Text(format, v);
  };
  const auto mean = [&](const char* name, const PairMean& m) {
    if (m.pairs > 0) value(name, "%+.3f", m.mean);
  };
  ImGui::PushStyleColor(ImGuiCol_Text, p.muted);
  ImGui::TextUnformatted("mean correlation");
  ImGui::PopStyleColor();
  mean("connected", h.connected);
  mean("not connected", h.unconnected);
  mean("excitatory", c.excitatory);
  mean("inhibitory", c.inhibitory);
  if (h.untested.empty()) {
    value("difference", "%+.3f", h.difference);
    value("p", "%.3f", h.p);
    value("p within", "%.3f", h.p_within);
  } else {
    ImGui::TextUnformatted("not tested");
  }
  if (c.silhouette.draws > 0) {
    value("silhouette", "%+.3f", c.silhouette.mean);
    value("p", "%.3f", c.silhouette.p);
  }
  if (c.silent > 0) ImGui::Text("%s never vary", grouped(c.silent).c_str());
  ImGui::EndGroup();
  app.track("coactivation:numbers");
  std::string all;
  for (const std::string& line : coactivation_sentences(c)) all += (all.empty() ? "" : "\n") + line;
  hint(all.c_str());
  ImGui::PopFont();
}

}  // namespace

void draw_coactivation(App& app) {
  const Snapshot& s = *app.now;
  const float u = app.scale;
  if (!s.setup) return ImGui::TextDisabled("Which units are active together is shown here once there is a network.");
  if (s.setup->held_out_trials == 0)
    return ImGui::TextWrapped("This experiment has no held-out trials to measure; give task.held_out.");
  follow_coactivation(app);
  const std::optional<double> measuring = app.live.measuring(Live::Measurement::coactivation);
  const bool current = s.coactivation && s.coactivation_updates == shown_updates(s);
  ImGui::PushID("coactivation");
  if (measuring) {
    if (ImGui::Button("Cancel")) app.live.cancel_measuring();
    hint("Stops measuring; the training goes on");
    app.track("coactivation:cancel");
  } else {
    if (ImGui::Button(s.coactivation ? "Measure again" : "Measure")) correlate(app);
    hint(
        "Spearman's correlation between units over held-out trials, and whether connected units correlate more: the "
        "same as dalea coactivation");
    app.track("coactivation:measure");
  }
  ImGui::BeginDisabled(!s.coactivation);
  flow(46 * u, 6 * u);
  if (ImGui::Button("CSV"))
    app.host.save_file(text_file("dalea-coactivation.csv", coactivation_matrix_csv(report_now(s))));
  hint("The matrix of correlations as CSV");
  app.track("coactivation:csv");
  flow(60 * u, 6 * u);
  if (ImGui::Button("Figure"))
    app.host.save_file(
        text_file("dalea-coactivation.svg", plot::to_svg(plot::drawing_of(coactivation_figure(report_now(s))))));
  hint("Correlations, means of pairs and silhouettes as SVG");
  app.track("coactivation:figure");
  ImGui::EndDisabled();
  ImGui::PopID();
  draw_age(app, measuring ? measuring_text(*measuring) : "", s.coactivation != nullptr, s.coactivation_updates,
           current);
  if (!s.coactivation || !s.weights) {
    ImGui::PushStyleColor(ImGuiCol_Text, palette(app.theme).muted);
    ImGui::TextWrapped("Press Measure%s: which units are active together, and whether connected ones are more so.",
                       correlated_unasked(app) ? ", or pause" : "");
    ImGui::PopStyleColor();
    return;
  }
  const std::shared_ptr<const Coactivation> study = s.coactivation;
  if (study->units != s.weights->units) return;
  paint_correlations(app, study);
  const ImVec2 room = ImGui::GetContentRegionAvail();
  const float numbers = 160 * u, margin = ImGui::GetTextLineHeight() + 5 * u;
  const float side = std::floor(std::max(60 * u, std::min(room.x - numbers - margin - 10 * u, room.y - margin)));
  draw_correlations(app, *study, side);
  ImGui::SameLine(0, 10 * u);
  draw_numbers(app, *study);
}

}  // namespace dalea::app
