#include "cli/prune_report.h"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/json.h"

namespace dalea::cli {
namespace {

using nlohmann::json;

// NaN where an error is not finite.
std::vector<double> areas_of(const PruneStudy& r, PruneMethod method) {
  std::vector<double> areas;
  for (const PrunedNetwork& network : r.networks) {
    const Result<double> area = sweep_area(network.sweep, method);
    areas.push_back(area ? *area : std::nan(""));
  }
  return areas;
}

std::optional<MethodComparison> comparison_of(const PruneStudy& r) {
  if (r.options.methods.size() != 2 || r.networks.size() < 2) return std::nullopt;
  const Result<MethodComparison> c =
      compare_methods(areas_of(r, r.options.methods[0]), areas_of(r, r.options.methods[1]));
  return c ? std::optional(*c) : std::nullopt;
}

}  // namespace

std::string report_json(const PruneStudy& r) {
  json o;
  o["name"] = r.name;
  o["unit"] = r.unit;
  o["as_published"] = r.options.as_published;
  o["evaluated_on"] = prune_judged_on(r);
  o["draw"] = text_of(r.options.draw);
  o["draws"] = r.options.draws;
  o["diagonal"] = r.options.include_diagonal;
  o["blocks"] = r.options.blocks.size();
  o["runs"] = json::array();
  for (const PrunedNetwork& network : r.networks) {
    json n = {{"session", network.session},
              {"run", network.run + 1},
              {"seed", network.seed},
              {"hash", network.hash},
              {"dense",
               {{"held_out", number_or_null(network.dense)},
                {"evaluated", number_or_null(network.sweep.dense)},
                {"accuracy", number_or_null(network.sweep.dense_accuracy)}}}};
    n["retrained"] = nullptr;
    if (network.retrained) {
      const RetrainedNetwork& t = *network.retrained;
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
  for (const PruneRow& row : prune_rows(r))
    o["points"].push_back({{"method", text_of(row.method)},
                           {"sparsity", row.sparsity},
                           {"density", row.density},
                           {"density_effective", row.effective},
                           {"held_out", number_or_null(row.mean)},
                           {"sd", number_or_null(row.sd)},
                           {"accuracy", number_or_null(row.accuracy)},
                           {"accuracy_sd", number_or_null(row.accuracy_sd)},
                           {"overlap", row.overlap},
                           {"overlap_random", row.random}});
  o["areas"] = nullptr;
  if (has_area(r)) {
    o["areas"] = json::object();
    for (PruneMethod method : r.options.methods) {
      const std::vector<double> areas = areas_of(r, method);
      json runs = json::array();
      for (double a : areas) runs.push_back(number_or_null(a));
      const OverRuns all = over_runs(areas);
      o["areas"][text_of(method)] = {
          {"mean", number_or_null(all.mean)}, {"sd", number_or_null(all.sd)}, {"runs", runs}};
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

void print_report(const PruneStudy& r) {
  const bool several = r.networks.size() > 1;
  for (const PrunedNetwork& n : r.networks)
    std::printf("session            %s  (seed %llu, run %lld, hash %s)\n", n.session.c_str(),
                static_cast<unsigned long long>(n.seed), static_cast<long long>(n.run + 1), n.hash.c_str());
  std::vector<double> dense, dense_accuracy;
  for (const PrunedNetwork& n : r.networks) {
    dense.push_back(n.sweep.dense);
    dense_accuracy.push_back(n.sweep.dense_accuracy);
  }
  const bool classes = has_classes(r);
  std::printf("error              held-out loss on %s (%s)\n", prune_judged_on(r), r.unit.c_str());
  if (r.options.as_published)
    std::printf("formulas           as published: zeros count as connections, top-prob keeps too many\n");
  const OverRuns unpruned = over_runs(dense);
  std::printf("dense              %.6g", unpruned.mean);
  if (several) std::printf("  sd over runs %.3g", unpruned.sd);
  if (classes) std::printf("; %.2f %% right", 100 * over_runs(dense_accuracy).mean);
  std::printf("\n\n%-10s %9s %9s %10s %14s %10s", "method", "sparsity", "density", "effective", "held-out",
              several ? "sd (runs)" : "sd (draws)");
  if (classes) std::printf(" %9s %9s", "% right", "sd");
  std::printf(" %9s %9s\n", "overlap", "if random");
  for (const PruneRow& row : prune_rows(r)) {
    std::printf("%-10s %9.4f %9.4f %10.4f %14.6g %10.3g", text_of(row.method), row.sparsity, row.density, row.effective,
                row.mean, row.sd);
    if (classes) std::printf(" %9.2f %9.2g", 100 * row.accuracy, 100 * row.accuracy_sd);
    std::printf(" %9.4f %9.4f\n", row.overlap, row.random);
  }
  std::printf("\n");
  if (has_area(r)) {
    std::printf("area               under error against sparsity:");
    for (PruneMethod method : r.options.methods) {
      const OverRuns area = over_runs(areas_of(r, method));
      std::printf("%s %s %.6g", method == r.options.methods.front() ? "" : ",", text_of(method), area.mean);
      if (several) std::printf(" (sd %.3g)", area.sd);
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
    const RetrainedNetwork& t = *n.retrained;
    std::printf(
        "retrained          %lld epochs under the mask: held-out %.6g pruned, %.6g after, %.6g dense "
        "(whole split)\n",
        static_cast<long long>(t.epochs), t.pruned, t.after, n.dense);
    std::printf("                   %.3g s an epoch, %lld sign violations, %lld off-mask weights, weight hash %s\n",
                t.seconds_per_epoch, static_cast<long long>(t.violations.sign),
                static_cast<long long>(t.violations.mask), t.hash.c_str());
  }
  print_files(r.out, r.files);
}

}  // namespace dalea::cli
