#include "common/prune_study.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace dalea {

OverRuns over_runs(const std::vector<double>& values) {
  const double unknown = std::nan("");
  if (values.size() == 1) return {values.front(), 0};
  const Result<Summary> s = summarise(values);
  return s ? OverRuns{s->mean, s->sd} : OverRuns{unknown, unknown};
}

std::vector<PruneRow> prune_rows(const PruneStudy& r) {
  std::vector<PruneRow> rows;
  const std::vector<SweepPoint>& first = r.networks.front().sweep.points;
  for (size_t k = 0; k < first.size(); ++k) {
    PruneRow row{first[k].method, first[k].sparsity, 0, 0, 0, first[k].held_out_sd, 0, 0, 0, first[k].accuracy_sd};
    const double n = static_cast<double>(r.networks.size());
    for (const PrunedNetwork& network : r.networks) {
      const SweepPoint& p = network.sweep.points[k];
      row.density += p.density / n;
      row.effective += p.effective / n;
      row.mean += p.held_out / n;
      row.overlap += p.overlap / n;
      row.random += p.random_overlap / n;
      row.accuracy += p.accuracy / n;
    }
    if (r.networks.size() > 1) {
      std::vector<double> errors, accuracies;
      for (const PrunedNetwork& network : r.networks) {
        errors.push_back(network.sweep.points[k].held_out);
        accuracies.push_back(network.sweep.points[k].accuracy);
      }
      row.sd = over_runs(errors).sd;
      row.accuracy_sd = over_runs(accuracies).sd;
    }
    rows.push_back(row);
  }
  return rows;
}

bool has_classes(const PruneStudy& r) {
  const std::vector<SweepPoint>& points = r.networks.front().sweep.points;
  return !points.empty() && !std::isnan(points.front().accuracy);
}

bool has_area(const PruneStudy& r) {
  const std::vector<SweepPoint>& points = r.networks.front().sweep.points;
  return points.size() > r.options.methods.size();
}

const char* prune_judged_on(const PruneStudy& r) {
  return r.options.as_published ? "the last minibatch of each network's held-out split (as published)"
                                : "the whole held-out split of each network";
}

std::string prune_csv(const PruneStudy& r) {
  std::string csv = "session,run,seed,method,sparsity,draw,density,density_effective,held_out,overlap,overlap_random";
  const bool classes = has_classes(r);
  csv += classes ? ",accuracy\n" : "\n";
  char text[256];
  for (size_t n = 0; n < r.networks.size(); ++n) {
    const PrunedNetwork& network = r.networks[n];
    for (const SweepPoint& p : network.sweep.points)
      for (size_t d = 0; d < p.draws.size(); ++d) {
        const SweepDraw& s = p.draws[d];
        std::snprintf(text, sizeof text, "%zu,%lld,%llu,%s,%.17g,%zu,%.17g,%.17g,%.17g,%.17g,%.17g", n + 1,
                      static_cast<long long>(network.run + 1), static_cast<unsigned long long>(network.seed),
                      text_of(p.method), p.sparsity, d + 1, s.density, s.effective, s.held_out, s.overlap,
                      s.random_overlap);
        csv += text;
        std::snprintf(text, sizeof text, ",%.17g", s.accuracy);
        if (classes) csv += text;
        csv += '\n';
      }
  }
  return csv;
}

std::optional<plot::Figure> prune_figure(const PruneStudy& r) {
  if (!has_area(r)) return std::nullopt;
  const bool several = r.networks.size() > 1 || r.options.draws > 1;
  plot::LineChart error, accuracy, overlap;
  error.x.label = overlap.x.label = "sparsity (absent connections / all)";
  error.y.label = "held-out loss (" + r.unit + ")";
  error.y.log = true;
  overlap.y.label = "surviving edges of the spanning tree";
  overlap.y.min = 0;
  overlap.y.max = 1;
  accuracy.x.label = error.x.label;
  accuracy.y.label = "right answers (%)";
  accuracy.y.min = 0;
  accuracy.y.max = 100;
  const std::vector<PruneRow> rows = prune_rows(r);
  for (PruneMethod method : r.options.methods) {
    plot::Series e;
    e.name = text_of(method);
    e.style = plot::named_style(text_of(method));
    e.marks = true;
    plot::Series a = e, o = e;
    for (const PruneRow& row : rows) {
      if (row.method != method) continue;
      e.x.push_back(row.sparsity);
      e.y.push_back(row.mean);
      if (several) {  // a band below zero is cut on a log axis: it ends at a tenth of the mean
        e.low.push_back(std::max(row.mean - row.sd, row.mean / 10));
        e.high.push_back(row.mean + row.sd);
        a.low.push_back(std::max(0.0, 100 * (row.accuracy - row.accuracy_sd)));
        a.high.push_back(std::min(100.0, 100 * (row.accuracy + row.accuracy_sd)));
      }
      a.x.push_back(row.sparsity);
      a.y.push_back(100 * row.accuracy);
      o.x.push_back(row.sparsity);
      o.y.push_back(row.overlap);
    }
    error.series.push_back(std::move(e));
    accuracy.series.push_back(std::move(a));
    overlap.series.push_back(std::move(o));
  }
  plot::Series chance;
  chance.name = "expected at random";
  chance.style = {plot::rgb(0x777777), plot::Dash::dashed, plot::Marker::none, 0.9};
  for (const PruneRow& row : rows) {
    if (row.method != r.options.methods.back()) continue;
    chance.x.push_back(row.sparsity);
    chance.y.push_back(row.random);
  }
  overlap.series.push_back(std::move(chance));
  plot::Guide unpruned;
  unpruned.name = "unpruned";
  double dense_accuracy = 0;
  for (const PrunedNetwork& network : r.networks) {
    unpruned.value += network.sweep.dense / static_cast<double>(r.networks.size());
    dense_accuracy += 100 * network.sweep.dense_accuracy / static_cast<double>(r.networks.size());
  }
  error.guides.push_back(unpruned);
  unpruned.value = dense_accuracy;
  accuracy.guides.push_back(std::move(unpruned));
  plot::Figure figure;
  figure.title = "Pruning without retraining";
  figure.caption = "Error on " + std::string(prune_judged_on(r)) + (several ? "; bands: one standard deviation" : "") +
                   ". Right: edges of the maximum spanning tree of |W| that survive.";
  figure.panels.push_back({"Error", std::move(error)});
  if (has_classes(r)) figure.panels.push_back({"Accuracy", std::move(accuracy)});
  figure.panels.push_back({"Strongest wiring", std::move(overlap)});
  figure.columns = static_cast<int>(figure.panels.size());
  figure.width_mm = plot::double_column_mm;
  return figure;
}

}  // namespace dalea
