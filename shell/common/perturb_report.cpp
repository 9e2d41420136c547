#include "common/perturb_report.h"

#include <cstdio>

#include "common/markup.h"

namespace dalea {
namespace {

double time_of(const PerturbStudy& s, size_t step) {
  return static_cast<double>(step) * (s.dt_s > 0 ? s.dt_s : 1);
}

void add_windows(const PerturbStudy& s, plot::LineChart& chart) {
  for (const Intervention& v : s.interventions) {
    if (v.from <= 0 && v.to >= s.result.steps) continue;
    for (int64_t step : {v.from, v.to - 1}) {
      plot::Guide edge;
      edge.value = time_of(s, static_cast<size_t>(step));
      edge.vertical = true;
      if (step == v.from) edge.name = "from, to";
      chart.guides.push_back(std::move(edge));
    }
    return;  // several windows would be a fence
  }
}

}  // namespace

std::string perturb_title(const PerturbStudy& s) {
  std::string title;
  for (const Intervention& v : s.interventions)
    title += (title.empty() ? "" : "; ") + text_of(v, s.spec, s.result.steps);
  return title;
}

plot::Figure perturb_figure(const PerturbStudy& s) {
  const Perturbation& r = s.result;
  std::vector<double> time(static_cast<size_t>(r.steps));
  for (size_t t = 0; t < time.size(); ++t) time[t] = time_of(s, t);
  const std::string x_label = s.dt_s > 0 ? "time (s)" : "step";
  plot::LineChart activity, change;
  activity.x.label = change.x.label = x_label;
  activity.y.label = "mean activity of the population";
  change.y.label = "change of the outputs (rms)";
  change.y.min = 0;
  activity.legend = plot::Legend::outside;
  for (size_t p = 0; p < r.populations.size(); ++p) {
    plot::Series intact;
    intact.name = s.spec.populations[p].name;
    intact.style = plot::series_style(p);
    intact.x = time;
    intact.y = r.populations[p].intact;
    plot::Series perturbed = intact;
    perturbed.name += ", perturbed";
    perturbed.style.dash = plot::Dash::dashed;
    perturbed.y = r.populations[p].perturbed;
    activity.series.push_back(std::move(intact));
    activity.series.push_back(std::move(perturbed));
  }
  plot::Series out;
  out.name = "perturbed - intact";
  out.x = time;
  out.y = r.output_change;
  change.series.push_back(std::move(out));
  change.legend = plot::Legend::none;
  add_windows(s, activity);
  add_windows(s, change);
  char loss[160];
  std::snprintf(loss, sizeof loss, " Held-out loss %.4g intact, %.4g perturbed (%s), %lld trials.", r.loss,
                r.perturbed_loss, s.unit.c_str(), static_cast<long long>(r.trials));
  plot::Figure figure;
  figure.title = perturb_title(s);
  figure.caption = "Means over all held-out trials, without noise." + std::string(loss);
  figure.panels = {{"Activity", std::move(activity)}, {"Outputs", std::move(change)}};
  figure.columns = 2;
  figure.width_mm = plot::double_column_mm;
  return figure;
}

std::string perturb_csv(const PerturbStudy& s) {
  const Perturbation& r = s.result;
  std::string csv = "step,time,output_change";
  for (const Population& p : s.spec.populations)
    csv += "," + csv_field(p.name) + "," + csv_field(p.name + " perturbed");
  csv += '\n';
  char text[80];
  for (size_t t = 0; t < static_cast<size_t>(r.steps); ++t) {
    std::snprintf(text, sizeof text, "%zu,%.17g,%.17g", t, time_of(s, t), r.output_change[t]);
    csv += text;
    for (const PopulationResponse& p : r.populations) {
      std::snprintf(text, sizeof text, ",%.17g,%.17g", p.intact[t], p.perturbed[t]);
      csv += text;
    }
    csv += '\n';
  }
  return csv;
}

}  // namespace dalea
