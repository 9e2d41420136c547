#include "cli/prune_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/json.h"

namespace dalea::cli {
namespace {

using nlohmann::json;

// A point of every network, or of the only one: over runs the sd is of the runs' means over draws.
struct Row {
  PruneMethod method = PruneMethod::random;
  double sparsity = 0, density = 0, effective = 0, mean = 0, sd = 0, overlap = 0, random = 0;
};

std::vector<Row> rows_of(const PruneReport& r) {
  std::vector<Row> rows;
  const std::vector<SweepPoint>& first = r.networks.front().sweep.points;
  for (size_t k = 0; k < first.size(); ++k) {
    Row row{first[k].method, first[k].sparsity, 0, 0, 0, first[k].held_out_sd, 0, 0};
    const double n = static_cast<double>(r.networks.size());
    for (const PrunedNetwork& network : r.networks) {
      const SweepPoint& p = network.sweep.points[k];
      row.density += p.density / n;
      row.effective += p.effective / n;
      row.mean += p.held_out / n;
      row.overlap += p.overlap / n;
      row.random += p.random_overlap / n;
    }
    if (r.networks.size() > 1) {
      double square = 0;
      for (const PrunedNetwork& network : r.networks) {
        const double d = network.sweep.points[k].held_out - row.mean;
        square += d * d;
      }
      row.sd = std::sqrt(square / (n - 1));
    }
    rows.push_back(row);
  }
  return rows;
}

// NaN where an error is not finite.
std::vector<double> areas_of(const PruneReport& r, PruneMethod method) {
  std::vector<double> areas;
  for (const PrunedNetwork& network : r.networks) {
    const Result<double> area = sweep_area(network.sweep, method);
    areas.push_back(area ? *area : std::nan(""));
  }
  return areas;
}

double mean_of_runs(const std::vector<double>& values) {
  double sum = 0;
  for (double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

double sd_of_runs(const std::vector<double>& values) {
  const double mean = mean_of_runs(values);
  double square = 0;
  for (double v : values) square += (v - mean) * (v - mean);
  return values.size() > 1 ? std::sqrt(square / static_cast<double>(values.size() - 1)) : 0.0;
}

bool has_area(const PruneReport& r) {
  const std::vector<SweepPoint>& points = r.networks.front().sweep.points;
  return points.size() > r.options.methods.size();
}

std::optional<MethodComparison> comparison_of(const PruneReport& r) {
  if (r.options.methods.size() != 2 || r.networks.size() < 2) return std::nullopt;
  const Result<MethodComparison> c =
      compare_methods(areas_of(r, r.options.methods[0]), areas_of(r, r.options.methods[1]));
  return c ? std::optional(*c) : std::nullopt;
}

const char* evaluated_on(const PruneReport& r) {
  return r.options.as_published ? "the last minibatch of each network's held-out split (as published)"
                                : "the whole held-out split of each network";
}

}  // namespace

std::string report_csv(const PruneReport& r) {
  std::string csv = "session,run,seed,method,sparsity,draw,density,density_effective,held_out,overlap,overlap_random\n";
  char text[256];
  for (size_t n = 0; n < r.networks.size(); ++n) {
    const PrunedNetwork& network = r.networks[n];
    for (const SweepPoint& p : network.sweep.points)
      for (size_t d = 0; d < p.draws.size(); ++d) {
        const SweepDraw& s = p.draws[d];
        std::snprintf(text, sizeof text, "%zu,%lld,%llu,%s,%.17g,%zu,%.17g,%.17g,%.17g,%.17g,%.17g\n", n + 1,
                      static_cast<long long>(network.run + 1), static_cast<unsigned long long>(network.seed),
                      text_of(p.method), p.sparsity, d + 1, s.density, s.effective, s.held_out, s.overlap,
                      s.random_overlap);
        csv += text;
      }
  }
  return csv;
}

std::optional<plot::Figure> report_figure(const PruneReport& r) {
  if (!has_area(r)) return std::nullopt;
  const bool several = r.networks.size() > 1 || r.options.draws > 1;
  plot::LineChart error, overlap;
  error.x.label = overlap.x.label = "sparsity (absent connections / all)";
  error.y.label = "held-out loss (" + r.unit + ")";
  error.y.log = true;
  overlap.y.label = "surviving edges of the spanning tree";
  overlap.y.min = 0;
  overlap.y.max = 1;
  const std::vector<Row> rows = rows_of(r);
  for (PruneMethod method : r.options.methods) {
    plot::Series e, o;
    e.name = o.name = text_of(method);
    e.style = o.style = plot::named_style(text_of(method));
    e.marks = o.marks = true;
    for (const Row& row : rows) {
      if (row.method != method) continue;
      e.x.push_back(row.sparsity);
      e.y.push_back(row.mean);
      if (several) {  // a band below zero is cut on a log axis: it ends at a tenth of the mean
        e.low.push_back(std::max(row.mean - row.sd, row.mean / 10));
        e.high.push_back(row.mean + row.sd);
      }
      o.x.push_back(row.sparsity);
      o.y.push_back(row.overlap);
    }
    error.series.push_back(std::move(e));
    overlap.series.push_back(std::move(o));
  }
  plot::Series chance;
  chance.name = "expected at random";
  chance.style = {plot::rgb(0x777777), plot::Dash::dashed, plot::Marker::none, 0.9};
  for (const Row& row : rows) {
    if (row.method != r.options.methods.back()) continue;
    chance.x.push_back(row.sparsity);
    chance.y.push_back(row.random);
  }
  overlap.series.push_back(std::move(chance));
  double dense = 0;
  for (const PrunedNetwork& network : r.networks) dense += network.sweep.dense / static_cast<double>(r.networks.size());
  plot::Guide unpruned;
  unpruned.value = dense;
  unpruned.name = "unpruned";
  error.guides.push_back(std::move(unpruned));
  plot::Figure figure;
  figure.title = "Pruning without retraining";
  figure.caption = "Error on " + std::string(evaluated_on(r)) + (several ? "; bands: one standard deviation" : "") +
                   ". Right: edges of the maximum spanning tree of |W| that survive.";
  figure.panels = {{"Error", std::move(error)}, {"Strongest wiring", std::move(overlap)}};
  figure.columns = 2;
  figure.width_mm = plot::double_column_mm;
  return figure;
}

std::string report_json(const PruneReport& r) {
  json o;
  o["name"] = r.name;
  o["unit"] = r.unit;
  o["as_published"] = r.options.as_published;
  o["evaluated_on"] = evaluated_on(r);
  o["draw"] = text_of(r.options.draw);
  o["draws"] = r.options.draws;
  o["diagonal"] = r.options.include_diagonal;
  o["blocks"] = r.options.blocks.size();
  o["runs"] = json::array();
  for (const PrunedNetwork& network : r.networks) {
    json n = {
        {"session", network.session},
        {"run", network.run + 1},
        {"seed", network.seed},
        {"hash", network.hash},
        {"dense", {{"held_out", number_or_null(network.dense)}, {"evaluated", number_or_null(network.sweep.dense)}}}};
    n["retrained"] = nullptr;
    if (network.retrained) {
      const Retrained& t = *network.retrained;
      n["retrained"] = {{"dense", number_or_null(network.dense)},
                        {"pruned", number_or_null(t.pruned)},
                        {"held_out", number_or_null(t.after)},
                        {"epochs", t.epochs},
                        {"seconds_per_epoch", t.seconds_per_epoch},
                        {"hash", t.hash},
                        {"violations", {{"sign", t.violations.sign}, {"mask", t.violations.mask}}},
                        {"out", t.out}};
    }
    o["runs"].push_back(std::move(n));
  }
  o["points"] = json::array();
  for (const Row& row : rows_of(r))
    o["points"].push_back({{"method", text_of(row.method)},
                           {"sparsity", row.sparsity},
                           {"density", row.density},
                           {"density_effective", row.effective},
                           {"held_out", number_or_null(row.mean)},
                           {"sd", number_or_null(row.sd)},
                           {"overlap", row.overlap},
                           {"overlap_random", row.random}});
  o["areas"] = nullptr;
  if (has_area(r)) {
    o["areas"] = json::object();
    for (PruneMethod method : r.options.methods) {
      const std::vector<double> areas = areas_of(r, method);
      json runs = json::array();
      for (double a : areas) runs.push_back(number_or_null(a));
      o["areas"][text_of(method)] = {
          {"mean", number_or_null(mean_of_runs(areas))}, {"sd", number_or_null(sd_of_runs(areas))}, {"runs", runs}};
    }
  }
  o["comparison"] = nullptr;
  if (const std::optional<MethodComparison> c = comparison_of(r))
    o["comparison"] = {{"of", has_area(r) ? "area" : "held_out"},
                       {"methods", {text_of(r.options.methods[0]), text_of(r.options.methods[1])}},
                       {"mann_whitney",
                        {{"u", c->mann_whitney.u},
                         {"p", c->mann_whitney.p},
                         {"smallest_p", c->mann_whitney_least},
                         {"how", name_of(c->mann_whitney.method)}}},
                       {"paired",
                        {{"w", c->paired.w_plus},
                         {"p", c->paired.p},
                         {"smallest_p", c->paired_least},
                         {"how", name_of(c->paired.method)}}}};
  o["threads"] = r.threads;
  o["isa"] = r.isa;
  o["numerics"] = numerics_version;
  o["out"] = r.out;
  o["files"] = r.files;
  return o.dump(-1, ' ', false, json::error_handler_t::replace);
}

void print_report(const PruneReport& r) {
  const bool several = r.networks.size() > 1;
  for (const PrunedNetwork& n : r.networks)
    std::printf("session            %s  (seed %llu, run %lld, hash %s)\n", n.session.c_str(),
                static_cast<unsigned long long>(n.seed), static_cast<long long>(n.run + 1), n.hash.c_str());
  std::vector<double> dense;
  for (const PrunedNetwork& n : r.networks) dense.push_back(n.sweep.dense);
  std::printf("error              held-out loss on %s (%s)\n", evaluated_on(r), r.unit.c_str());
  if (r.options.as_published)
    std::printf("formulas           as published: zeros count as connections, top-prob keeps too many\n");
  std::printf("dense              %.6g", mean_of_runs(dense));
  if (several) std::printf("  sd over runs %.3g", sd_of_runs(dense));
  std::printf("\n\n%-10s %9s %9s %10s %14s %10s %9s %9s\n", "method", "sparsity", "density", "effective", "held-out",
              several ? "sd (runs)" : "sd (draws)", "overlap", "if random");
  for (const Row& row : rows_of(r))
    std::printf("%-10s %9.4f %9.4f %10.4f %14.6g %10.3g %9.4f %9.4f\n", text_of(row.method), row.sparsity, row.density,
                row.effective, row.mean, row.sd, row.overlap, row.random);
  std::printf("\n");
  if (has_area(r)) {
    std::printf("area               under error against sparsity:");
    for (PruneMethod method : r.options.methods) {
      const std::vector<double> areas = areas_of(r, method);
      std::printf("%s %s %.6g", method == r.options.methods.front() ? "" : ",", text_of(method), mean_of_runs(areas));
      if (several) std::printf(" (sd %.3g)", sd_of_runs(areas));
    }
    std::printf("\n");
  }
  if (const std::optional<MethodComparison> c = comparison_of(r))
    std::printf(
        "%s against %s, %zu runs, by %s: Mann-Whitney (%s) p = %.4g, smallest possible %.4g; "
        "paired Wilcoxon (%s) p = %.4g, smallest possible %.4g\n",
        text_of(r.options.methods[0]), text_of(r.options.methods[1]), r.networks.size(), has_area(r) ? "area" : "error",
        name_of(c->mann_whitney.method), c->mann_whitney.p, c->mann_whitney_least, name_of(c->paired.method),
        c->paired.p, c->paired_least);
  else if (several && r.options.methods.size() > 2)
    std::printf("tests              give two --method to compare them over the runs\n");
  for (const PrunedNetwork& n : r.networks) {
    if (!n.retrained) continue;
    const Retrained& t = *n.retrained;
    std::printf(
        "retrained          %lld epochs under the mask: held-out %.6g pruned, %.6g after, %.6g dense "
        "(whole split)\n",
        static_cast<long long>(t.epochs), t.pruned, t.after, n.dense);
    std::printf("                   %.3g s an epoch, %lld sign violations, %lld off-mask weights, weight hash %s\n",
                t.seconds_per_epoch, static_cast<long long>(t.violations.sign),
                static_cast<long long>(t.violations.mask), t.hash.c_str());
  }
  std::string files;
  for (const std::string& f : r.files) files += (files.empty() ? "" : ", ") + f;
  std::printf("files              in %s: %s\n", r.out.c_str(), files.c_str());
}

}  // namespace dalea::cli
