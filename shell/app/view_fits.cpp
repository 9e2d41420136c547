// How well each unit of a recording is predicted where the network was not trained, beside predictions without one.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/views.h"
#include "app/widgets.h"
#include "common/fit_report.h"
#include "implot.h"

namespace dalea::app {
namespace {

constexpr double most_unasked_fits = 2e8;  // trials x steps x units^2 that are measured without being asked for

void measure_fits_of(App& app) {
  app.view.fits.network = app.now->setup->serial;
  app.view.fits.asked = shown_updates(*app.now);
  app.live.measure_fits();
}

// Small networks that stand still are measured as soon as the tab shows them.
void follow_fits(App& app) {
  const Snapshot& s = *app.now;
  const FitsState& state = app.view.fits;
  const double units = s.setup->populations.empty() ? 0.0 : static_cast<double>(s.setup->populations.back().units.end);
  const double cost =
      static_cast<double>(s.setup->held_out_trials) * static_cast<double>(s.setup->spec.task.steps) * units * units;
  const int64_t updates = shown_updates(s);
  const bool there = s.fits && s.fits_updates == updates;
  const bool asked = state.network == s.setup->serial && state.asked == updates;
  if (stands_still(s) && !there && !asked && s.fitting < 0 && cost <= most_unasked_fits) measure_fits_of(app);
}

FitReport fit_report_of(const Snapshot& s) {
  return {s.setup->spec.name, *s.fits, overfit_of(*s.history)};
}

void arrange_fits(FitsState& state, const std::shared_ptr<const Fits>& fits) {
  const std::vector<UnitFit>& units = fits->units;
  state.shown = fits;
  state.ranked.clear();
  for (size_t k = 0; k < units.size(); ++k)
    if (units[k].units > 0) state.ranked.push_back(k);
  std::stable_sort(state.ranked.begin(), state.ranked.end(), [&](size_t a, size_t b) {
    return units[a].of(Predictor::network).value > units[b].of(Predictor::network).value;
  });
  state.rows.resize(units.size());
  for (size_t k = 0; k < units.size(); ++k) state.rows[k] = k;
  state.sort = true;
  for (std::vector<double>* v :
       {&state.x, &state.network_r2, &state.low, &state.high, &state.best, &state.shuffled, &state.ceiling})
    v->clear();
  state.least = 0;
  for (size_t k : state.ranked) {
    const UnitFit& fit = units[k];
    const Estimate& e = fit.of(Predictor::network);
    state.x.push_back(static_cast<double>(state.x.size() + 1));
    state.network_r2.push_back(e.value);
    state.low.push_back(std::isfinite(e.low) ? e.low : e.value);
    state.high.push_back(std::isfinite(e.high) ? e.high : e.value);
    state.best.push_back(fit.of(fit.best).value);
    state.shuffled.push_back(fit.shuffled_r2);
    state.ceiling.push_back(fit.ceiling);
    for (double v : {e.value, state.best.back(), fit.shuffled_r2})
      if (std::isfinite(v)) state.least = std::min(state.least, v);
  }
  state.least = std::max(state.least, -1.0) - 0.03;
}

void draw_fit_plot(App& app, const Fits& fits, float height) {
  const Palette& p = palette(app.theme);
  const FitsState& state = app.view.fits;
  const float u = app.scale;
  const auto n = static_cast<int>(state.x.size());
  ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 0);
  constexpr ImPlotFlags flags = ImPlotFlags_NoMenus | ImPlotFlags_NoBoxSelect | ImPlotFlags_NoMouseText;
  if (ImPlot::BeginPlot("##fits", {-1, height}, flags)) {
    ImPlot::SetupAxes("unit, from the best predicted", "held-out R\xc2\xb2");
    const ImPlotCond when = ImPlotCond_Always;
    ImPlot::SetupAxisLimits(ImAxis_X1, 0.3, static_cast<double>(std::max(1, n)) + 0.7, when);
    ImPlot::SetupAxisLimits(ImAxis_Y1, state.least, 1.03, when);
    ImPlot::SetupLegend(ImPlotLocation_North, ImPlotLegendFlags_Horizontal | ImPlotLegendFlags_Outside);
    const double zero = 0;
    ImPlot::SetNextLineStyle(p.faint, 1 * u);
    ImPlot::PlotInfLines("##mean", &zero, 1, ImPlotInfLinesFlags_Horizontal);
    if (fits.draws > 0) {
      ImPlot::SetNextFillStyle(p.held_out, 0.2f);
      ImPlot::PlotShaded("network", state.x.data(), state.low.data(), state.high.data(), n);
    }
    ImPlot::SetNextLineStyle(p.held_out, 2 * u);
    if (n < 60) ImPlot::SetNextMarkerStyle(ImPlotMarker_Circle, 2.6f * u, p.held_out, 0, p.held_out);
    ImPlot::PlotLine("network", state.x.data(), state.network_r2.data(), n);
    const auto marks = [&](const char* name, const std::vector<double>& y, ImPlotMarker marker, const ImVec4& color) {
      ImPlot::SetNextMarkerStyle(marker, 3 * u, color, 1.2f * u, color);
      ImPlot::PlotScatter(name, state.x.data(), y.data(), n);
    };
    marks("best baseline", state.best, ImPlotMarker_Cross, p.text);
    if (fits.permutations > 0) marks("units shuffled", state.shuffled, ImPlotMarker_Up, p.muted);
    if (fits.no_ceiling.empty()) marks("noise ceiling", state.ceiling, ImPlotMarker_Diamond, p.target);
    if (n > 0 && ImPlot::IsPlotHovered()) {
      const int at = std::clamp(static_cast<int>(std::lround(ImPlot::GetPlotMousePos().x)), 1, n) - 1;
      const UnitFit& fit = fits.units[state.ranked[static_cast<size_t>(at)]];
      ImGui::BeginTooltip();
      ImGui::PushFont(fonts.medium);
      ImGui::TextUnformatted(fit.name.c_str());
      ImGui::PopFont();
      for (size_t k = 0; k < predictor_count; ++k)
        ImGui::Text("%-10s  %s", predictor_name(static_cast<Predictor>(k)), interval_text(fit.r2[k], 3).c_str());
      ImGui::Text("network minus %s  %s", predictor_name(fit.best), interval_text(fit.difference, 3).c_str());
      ImGui::EndTooltip();
    }
    ImPlot::EndPlot();
  }
  ImGui::PopStyleVar();
  app.track("fits");
}

enum FitColumn {
  column_unit,
  column_r2,
  column_interval,
  column_difference,
  column_r,
  column_last,
  column_ar1,
  column_linear,
  column_shuffled,
  column_ceiling
};

double sorted_by(const UnitFit& f, int column) {
  switch (column) {
    case column_r:
      return f.correlation[0].value;
    case column_last:
      return f.of(Predictor::last_frame).value;
    case column_ar1:
      return f.of(Predictor::ar1).value;
    case column_linear:
      return f.of(Predictor::linear).value;
    case column_shuffled:
      return f.shuffled_r2;
    case column_difference:
      return f.difference.value;
    case column_ceiling:
      return f.ceiling;
    default:
      return f.of(Predictor::network).value;
  }
}

void sort_fits(FitsState& state, const Fits& fits, ImGuiTableSortSpecs* specs) {
  if (specs == nullptr || (!specs->SpecsDirty && !state.sort)) return;
  specs->SpecsDirty = state.sort = false;
  if (specs->SpecsCount == 0) return;
  const int column = specs->Specs[0].ColumnIndex;
  const bool down = specs->Specs[0].SortDirection == ImGuiSortDirection_Descending;
  std::stable_sort(state.rows.begin(), state.rows.end(), [&](size_t a, size_t b) {
    if (column == column_unit) return down ? a > b : a < b;  // in the recording's order
    const double x = sorted_by(fits.units[a], column), y = sorted_by(fits.units[b], column);
    if (!std::isfinite(x) || !std::isfinite(y)) return std::isfinite(x) && !std::isfinite(y);
    return down ? x > y : x < y;
  });
}

void fit_cell(const std::string& text) {
  ImGui::TableNextColumn();
  ImGui::TextUnformatted(text.c_str());
}

void fit_cells(const App& app, const UnitFit& f, bool group) {
  const Palette& p = palette(app.theme);
  ImGui::TableNextRow();
  ImGui::TableNextColumn();
  if (group)
    ImGui::Text("%s (%lld)", f.name.c_str(), static_cast<long long>(f.units));
  else
    ImGui::TextUnformatted(f.name.c_str());
  const Estimate& e = f.of(Predictor::network);
  fit_cell(interval_text({e.value}, 3));
  char text[60] = "";
  if (std::isfinite(e.low)) std::snprintf(text, sizeof text, "%.3f to %.3f", e.low, e.high);
  fit_cell(text);
  ImGui::TableNextColumn();
  const Estimate& d = f.difference;
  const bool better = d.low > 0, worse = d.high < 0;
  ImGui::TextColored(better ? p.good : worse ? p.bad : p.text, "%s", interval_text(d, 3).c_str());
  fit_cell(interval_text({f.correlation[0].value}, 3));
  for (const Predictor k : {Predictor::last_frame, Predictor::ar1, Predictor::linear})
    fit_cell(interval_text({f.of(k).value}, 3));
  fit_cell(interval_text({f.shuffled_r2}, 3));
  fit_cell(interval_text({f.ceiling}, 3));
}

void draw_fit_table(App& app, const Fits& fits) {
  const float u = app.scale;
  FitsState& state = app.view.fits;
  constexpr ImGuiTableFlags flags = ImGuiTableFlags_RowBg | ImGuiTableFlags_BordersInnerH | ImGuiTableFlags_ScrollY |
                                    ImGuiTableFlags_ScrollX | ImGuiTableFlags_SizingFixedFit |
                                    ImGuiTableFlags_PadOuterX | ImGuiTableFlags_Sortable;
  ImGui::PushFont(fonts.small);
  ImGui::PushStyleVar(ImGuiStyleVar_CellPadding, {4 * u, 2 * u});
  if (ImGui::BeginTable("fit", 10, flags, {0, std::max(80 * u, ImGui::GetContentRegionAvail().y)})) {
    ImGui::TableSetupScrollFreeze(1, 1);
    constexpr ImGuiTableColumnFlags first = ImGuiTableColumnFlags_PreferSortDescending;
    ImGui::TableSetupColumn("unit", ImGuiTableColumnFlags_DefaultSort, 96 * u);
    ImGui::TableSetupColumn("R\xc2\xb2", first);
    ImGui::TableSetupColumn("95 % of it", ImGuiTableColumnFlags_NoSort);
    ImGui::TableSetupColumn("network \xe2\x88\x92 best [95 %]", first);
    ImGui::TableSetupColumn("r", first);
    ImGui::TableSetupColumn("last frame", first);
    ImGui::TableSetupColumn("AR(1)", first);
    ImGui::TableSetupColumn("linear", first);
    ImGui::TableSetupColumn("shuffled", first);
    ImGui::TableSetupColumn("ceiling", fits.no_ceiling.empty() ? first : ImGuiTableColumnFlags_Disabled);
    ImGui::TableHeadersRow();
    sort_fits(state, fits, ImGui::TableGetSortSpecs());
    for (const UnitFit& g : fits.groups) fit_cells(app, g, true);
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(state.rows.size()));
    while (clipper.Step())
      for (int k = clipper.DisplayStart; k < clipper.DisplayEnd; ++k)
        fit_cells(app, fits.units[state.rows[static_cast<size_t>(k)]], false);
    ImGui::EndTable();
  }
  app.track("fits:table");
  ImGui::PopStyleVar();
  ImGui::PopFont();
}

// Measure or stop, save, and how old the numbers are.
void draw_fit_line(App& app) {
  const Snapshot& s = *app.now;
  const float u = app.scale;
  const int64_t updates = shown_updates(s);
  const bool measuring = s.fitting >= 0;
  if (measuring) {
    if (ImGui::Button("Stop")) app.live.stop_fits();
    hint("Leaves the measurement; training goes on either way");
    app.track("fits:stop");
  } else {
    if (ImGui::Button(s.fits ? "Measure again" : "Measure")) measure_fits_of(app);
    hint(
        "Predicts every held-out frame with the network as it is shown now, as it is and with its inputs shuffled "
        "among units: the same as dalea fit");
    app.track("fits:measure");
  }
  ImGui::BeginDisabled(!s.fits);
  flow(46 * u, 6 * u);
  if (ImGui::Button("CSV")) app.host.save_file(text_file("dalea-fits.csv", fit_csv(fit_report_of(s))));
  hint("The table: a row for each group and unit");
  app.track("fits:csv");
  flow(60 * u, 6 * u);
  if (ImGui::Button("Figure"))
    app.host.save_file(text_file("dalea-fits.svg", plot::to_svg(plot::drawing_of(fit_figure(fit_report_of(s))))));
  hint("R\xc2\xb2 of every unit, and network against baseline, as SVG");
  app.track("fits:figure");
  ImGui::EndDisabled();
  draw_age(app, measuring ? measuring_text(s.fitting) : "", s.fits != nullptr, s.fits_updates,
           s.fits_updates == updates);
}

}  // namespace

void draw_fits(App& app) {
  const Snapshot& s = *app.now;
  const Palette& p = palette(app.theme);
  if (!s.setup || !s.setup->recording) return;
  if (s.setup->held_out_trials == 0) {
    ImGui::TextWrapped(
        "All of this recording is trained on, and predictions of frames that were trained on prove nothing. Leave a "
        "part of it out: a smaller recording.train_fraction.");
    return;
  }
  follow_fits(app);
  draw_fit_line(app);
  ImGui::PushFont(fonts.small);
  if (const Overfit overfit = overfit_of(*s.history); overfit.warns) {
    ImGui::PushStyleColor(ImGuiCol_Text, p.bad);
    ImGui::TextWrapped("%s", overfit.text().c_str());
    ImGui::PopStyleColor();
  }
  if (!s.fits) {
    ImGui::PushStyleColor(ImGuiCol_Text, p.muted);
    ImGui::TextWrapped(
        "Press Measure: the network predicts every held-out frame, and so do three predictions that "
        "need no network.");
    ImGui::PopStyleColor();
    ImGui::PopFont();
    return;
  }
  FitsState& state = app.view.fits;
  const std::shared_ptr<const Fits> fits = s.fits;
  if (state.shown != fits) arrange_fits(state, fits);
  // The verdict needs no copy of the units.
  FitReport all;
  all.fits.groups.push_back(fits->groups.front());
  ImGui::TextWrapped("%s", fit_verdict(all).c_str());
  std::string remarks = fits->no_ceiling;
  for (const std::string& remark : fits->remarks) remarks += (remarks.empty() ? "" : " ") + remark;
  if (!remarks.empty()) {
    ImGui::PushStyleColor(ImGuiCol_Text, p.muted);
    ImGui::TextWrapped("%s", remarks.c_str());
    ImGui::PopStyleColor();
    hint(fit_method(*fits).c_str());
  }
  ImGui::PopFont();
  draw_fit_plot(app, *fits, std::max(120 * app.scale, 0.48f * ImGui::GetContentRegionAvail().y));
  draw_fit_table(app, *fits);
}

}  // namespace dalea::app
