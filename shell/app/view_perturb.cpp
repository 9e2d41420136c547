// A population silenced or driven for a while: outputs and activity beside those of the network left alone.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/views.h"
#include "app/widgets.h"
#include "common/figure.h"
#include "implot.h"

namespace dalea::app {
namespace {

std::vector<double> times_of(const Setup& setup, int64_t steps) {
  std::vector<double> x(static_cast<size_t>(steps));
  for (size_t k = 0; k < x.size(); ++k) x[k] = static_cast<double>(k) * (setup.dt_s > 0 ? setup.dt_s : 1);
  return x;
}

struct Limits {
  double low = INFINITY, high = -INFINITY;
  void see(const std::vector<double>& values) {
    for (double v : values)
      if (std::isfinite(v)) {
        low = std::min(low, v);
        high = std::max(high, v);
      }
  }
};

// A plot over time with the window of the intervention shaded.
bool begin_time_plot(const App& app, const char* id, const char* label, ImVec2 size, const std::vector<double>& x,
                     Limits y, bool last) {
  if (!ImPlot::BeginPlot(id, size, ImPlotFlags_NoMenus | ImPlotFlags_NoBoxSelect | ImPlotFlags_NoMouseText))
    return false;
  const Setup& setup = *app.now->setup;
  const Palette& p = palette(app.theme);
  if (!(y.low <= y.high)) y.low = y.high = 0;
  const double pad = 0.12 * std::max(y.high - y.low, 1e-6), dt = setup.dt_s > 0 ? setup.dt_s : 1;
  ImPlot::SetupAxes(last ? (setup.dt_s > 0 ? "time (s)" : "frame") : nullptr, label,
                    last ? ImPlotAxisFlags_None : ImPlotAxisFlags_NoTickLabels);
  ImPlot::SetupAxisLimits(ImAxis_X1, 0, std::max(dt, x.back()), ImPlotCond_Always);
  ImPlot::SetupAxisLimits(ImAxis_Y1, y.low - pad, y.high + 2 * pad, ImPlotCond_Always);
  ImPlot::SetupLegend(ImPlotLocation_NorthEast, ImPlotLegendFlags_Horizontal);
  const PerturbState& state = app.view.perturb;
  const double window[] = {static_cast<double>(state.from) * dt, static_cast<double>(state.to - 1) * dt};
  const double low[] = {y.low - pad, y.low - pad}, high[] = {y.high + 2 * pad, y.high + 2 * pad};
  ImPlot::SetNextFillStyle(p.accent, 0.1f);
  ImPlot::PlotShaded("##window", window, low, high, 2);
  return true;
}

void line(const char* name, const std::vector<double>& x, const std::vector<double>& y, ImVec4 color, float alpha,
          float weight) {
  color.w *= alpha;
  ImPlot::SetNextLineStyle(color, weight);
  ImPlot::PlotLine(name, x.data(), y.data(), static_cast<int>(x.size()));
}

constexpr size_t most_named = 6;

// Populations in the order of how much they change; a few stay in their own order.
std::vector<size_t> by_change(const std::vector<std::vector<double>>& intact,
                              const std::vector<std::vector<double>>& perturbed) {
  std::vector<size_t> order(intact.size());
  std::vector<double> change(intact.size());
  for (size_t q = 0; q < order.size(); ++q) {
    order[q] = q;
    for (size_t t = 0; t < intact[q].size(); ++t) change[q] += std::fabs(perturbed[q][t] - intact[q][t]);
  }
  if (order.size() > most_named)
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return change[a] > change[b]; });
  return order;
}

void draw_controls(App& app, int64_t steps) {
  const float u = app.scale;
  const Setup& setup = *app.now->setup;
  PerturbState& state = app.view.perturb;
  if (choice("Silence", state.silence, app.theme)) state.silence = true;
  hint("Its neurons give 0 to all others and to the readout in these steps");
  app.track("perturb:silence");
  ImGui::SameLine(0, 4 * u);
  if (choice("Drive", !state.silence, app.theme)) state.silence = false;
  hint("A constant is added to what each of its neurons receives in these steps");
  app.track("perturb:drive");
  ImGui::SameLine(0, 12 * u);
  ImGui::SetNextItemWidth(120 * u);
  if (ImGui::BeginCombo("##population", setup.populations[static_cast<size_t>(state.population)].name.c_str())) {
    for (int k = 0; k < static_cast<int>(setup.populations.size()); ++k)
      if (ImGui::Selectable(setup.populations[static_cast<size_t>(k)].name.c_str(), k == state.population))
        state.population = k;
    ImGui::EndCombo();
  }
  app.track("perturb:population");
  hint("The population");
  if (!state.silence) {
    flow(130 * u, 12 * u);
    ImGui::SetNextItemWidth(130 * u);
    ImGui::SliderFloat("##amount", &state.amount, -2, 2, "by %+.2f");
    state.amount = std::isfinite(state.amount) ? std::clamp(state.amount, -1e6f, 1e6f) : 0.0f;
    app.track("perturb:amount");
    hint("What is added, in units of the input current. Ctrl and click to type it.");
  }
  flow(190 * u, 12 * u);
  ImGui::SetNextItemWidth(190 * u);
  int last = state.to - 1;
  const auto whole = static_cast<int>(steps);
  ImGui::DragIntRange2("##steps", &state.from, &last, 0.25f, 0, whole - 1, "from step %d", "to %d",
                       ImGuiSliderFlags_AlwaysClamp);
  app.track("perturb:steps");
  hint("First and last step, counted from 0: drag sideways, or Ctrl and click to type");
  state.from = std::clamp(state.from, 0, whole - 1);
  state.to = std::clamp(last + 1, state.from + 1, whole);
}

void draw_measured(App& app) {
  const Palette& p = palette(app.theme);
  const Snapshot& s = *app.now;
  const float u = app.scale;
  char text[200];
  std::snprintf(text, sizeof text, "Measure on all %lld held-out trials##perturb",
                static_cast<long long>(s.setup->held_out_trials));
  if (const auto part = app.live.measuring(Live::Measurement::perturbation)) {
    if (ImGui::Button("Cancel##perturb")) app.live.cancel_measuring();
    hint("Stops measuring; the training goes on");
    app.track("perturb:cancel");
    flow(180 * u, 6 * u);
    ImGui::ProgressBar(static_cast<float>(*part), {180 * u, ImGui::GetFrameHeight()}, measuring_text(*part).c_str());
  } else {
    if (ImGui::Button(text)) app.live.measure_perturbation();
    app.track("perturb:measure");
  }
  ImGui::BeginDisabled(!s.perturbed);
  flow(86 * u, 6 * u);
  if (ImGui::Button("Save CSV##perturb", {86 * u, 0}))
    app.host.save_file(text_file("dalea-perturb.csv", perturb_csv(*s.perturbed)));
  app.track("perturb:csv");
  flow(96 * u, 6 * u);
  if (ImGui::Button("Save figure##perturb", {96 * u, 0}))
    app.host.save_file(text_file("dalea-perturb.svg", plot::to_svg(plot::drawing_of(perturb_figure(*s.perturbed)))));
  app.track("perturb:figure");
  ImGui::EndDisabled();
  if (!s.perturbed) {
    ImGui::TextDisabled("The same as dalea perturb: losses and mean activity over all held-out trials.");
    return;
  }
  const Perturbation& r = s.perturbed->result;
  const bool current = s.perturbed->interventions == app.view.perturb.sent && s.perturbed_updates == shown_updates(s);
  std::snprintf(text, sizeof text, "%s: loss %.4g intact, %.4g perturbed (%s)", perturb_title(*s.perturbed).c_str(),
                r.loss, r.perturbed_loss, s.perturbed->unit.c_str());
  ImGui::PushStyleColor(ImGuiCol_Text, current ? p.text : p.muted);
  ImGui::TextWrapped("%s", text);
  if (!std::isnan(r.accuracy))
    ImGui::TextWrapped("Right answers: %.1f %% intact, %.1f %% perturbed", 100 * r.accuracy,
                       100 * r.perturbed_accuracy);
  ImGui::PopStyleColor();
  if (!current) {
    ImGui::PushFont(fonts.small);
    ImGui::TextDisabled("Measured before something changed, after %lld updates",
                        static_cast<long long>(s.perturbed_updates));
    ImGui::PopFont();
  }
}

}  // namespace

void App::follow_perturbation() {
  PerturbState& state = view.perturb;
  std::vector<Intervention> wanted;
  if (now->setup && now->trace && view.open_tab == tab_perturb && now->setup->held_out_trials > 0) {
    const auto& populations = now->setup->populations;
    const auto steps = static_cast<int>(now->trace->steps);
    if (state.network != now->setup->serial) {  // a new one: the first inhibitory population, the middle third
      state.network = now->setup->serial;
      state.sent.clear();
      state.population = 0;
      for (size_t k = populations.size(); k-- > 0;)
        if (populations[k].sign == Sign::inhibitory) state.population = static_cast<int>(k);
      state.from = steps / 3;
      state.to = std::max(state.from + 1, 2 * steps / 3);
    }
    wanted.push_back({populations[static_cast<size_t>(state.population)].units, state.from, state.to, state.silence,
                      state.silence ? 0.0f : state.amount});
  }
  if (wanted == state.sent) return;
  state.sent = wanted;
  live.perturb(std::move(wanted));
}

void draw_perturb(App& app) {
  const Palette& p = palette(app.theme);
  const Snapshot& s = *app.now;
  const float u = app.scale;
  if (!s.setup || !s.trace) {
    ImGui::TextDisabled(s.setup ? "This experiment has no held-out trials to perturb; give task.held_out."
                                : "Populations can be silenced or driven here once there is a network.");
    return;
  }
  const Setup& setup = *s.setup;
  const TraceView& t = *s.trace;
  app.follow_perturbation();
  draw_controls(app, t.steps);
  draw_measured(app);
  ImGui::AlignTextToFramePadding();
  ImGui::TextDisabled("Held-out trial");
  ImGui::SameLine(0, 8 * u);
  choose_trial(app);
  ImGui::SameLine(0, 12 * u);
  ImGui::TextDisabled("faint: intact, strong: perturbed");

  const auto outputs = static_cast<int64_t>(setup.output_names.size());
  const int64_t units = setup.populations.back().units.end;
  const bool any = static_cast<int64_t>(t.perturbed_output.size()) == t.steps * outputs &&
                   static_cast<int64_t>(t.perturbed_activity.size()) == t.steps * units && t.steps > 0;
  if (!any) {
    ImGui::TextDisabled("Computing ...");
    return;
  }
  const std::vector<double> x = times_of(setup, t.steps);
  // Of classes the one that is asked for; else the first outputs.
  std::vector<int64_t> shown;
  if (setup.classes > 0) {
    int64_t asked = 0;
    for (int32_t label : t.label)
      if (label >= 0) asked = label;
    shown.push_back(asked);
  } else {
    const int64_t first = std::clamp<int64_t>(app.view.first_output, 0, std::max<int64_t>(0, outputs - 2));
    for (int64_t k = first; k < std::min(outputs, first + 2); ++k) shown.push_back(k);
  }
  const ImVec2 room = ImGui::GetContentRegionAvail();
  const float gap = ImGui::GetStyle().ItemSpacing.y;
  const auto plots = static_cast<float>(shown.size() + 1);
  const float axis = 34 * u,
              height = std::max(60 * u, std::floor((room.y - axis - gap * (plots - 1)) / (plots + 0.3f)));
  ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 0);
  ImPlot::PushStyleVar(ImPlotStyleVar_PlotPadding, ImVec2(4 * u, 3 * u));
  if (ImPlot::BeginAlignedPlots("perturb")) {
    for (size_t k = 0; k < shown.size(); ++k) {
      const int64_t c = shown[k];
      const std::vector<double> intact = channel_of(t.output, t.steps, outputs, c),
                                perturbed = channel_of(t.perturbed_output, t.steps, outputs, c);
      std::vector<double> target = channel_of(t.target, t.steps, outputs, c);
      Limits y;
      y.see(intact);
      y.see(perturbed);
      if (setup.classes == 0) y.see(target);
      const std::string label = setup.classes > 0
                                    ? "class " + setup.output_names[static_cast<size_t>(c)]
                                    : (setup.recording ? "unit " : "") + setup.output_names[static_cast<size_t>(c)];
      ImGui::PushID(static_cast<int>(k));
      if (begin_time_plot(app, "##output", label.c_str(), {room.x, height}, x, y, false)) {
        if (setup.classes == 0) line("target", x, target, p.target, 0.7f, 1.4f * u);
        line("intact", x, intact, p.output, 0.4f, 1.6f * u);
        line("perturbed", x, perturbed, p.output, 1, 2.2f * u);
        ImPlot::EndPlot();
      }
      ImGui::PopID();
    }
    std::vector<std::vector<double>> intact, perturbed;
    Limits y;
    for (const PopulationView& q : setup.populations) {
      intact.push_back(mean_activity(t.activity, units, t.steps, q.units));
      perturbed.push_back(mean_activity(t.perturbed_activity, units, t.steps, q.units));
      y.see(intact.back());
      y.see(perturbed.back());
    }
    if (begin_time_plot(app, "##populations", "mean activity", {room.x, 1.3f * height + axis - 2 * u}, x, y, true)) {
      // Of many those that change most; the others are grey lines without a name.
      const std::vector<size_t> order = by_change(intact, perturbed);
      for (size_t k = order.size(); k-- > most_named;)
        line(("##other" + std::to_string(k)).c_str(), x, perturbed[order[k]], p.muted, 0.35f, u);
      for (size_t k = 0; k < std::min(most_named, order.size()); ++k) {
        const size_t q = order[k];
        const ImVec4 color = order.size() > most_named ? screen_color(plot::series_style(k).color, app.theme)
                                                       : population_color(setup, q, app.theme);
        line(("##intact" + std::to_string(q)).c_str(), x, intact[q], color, 0.4f, 1.4f * u);
        line(setup.populations[q].name.c_str(), x, perturbed[q], color, 1, 2 * u);
      }
      ImPlot::EndPlot();
    }
    ImPlot::EndAlignedPlots();
  }
  ImPlot::PopStyleVar();
  ImGui::PopStyleVar();
  app.track("perturb:plots");
}

}  // namespace dalea::app
