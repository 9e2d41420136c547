// dalea weights: what training did to the recurrent weights, condition by condition (SEEDS 2.6).
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "common/block_report.h"
#include "common/files.h"
#include "common/session_weights.h"

namespace dalea::cli {
namespace {

using nlohmann::json;

constexpr size_t most_printed_groups = 8;

Result<std::vector<NamedSession>> load_sessions(const WeightsCommand& command) {
  std::vector<NamedSession> sessions;
  const auto add = [&](const std::string& path, const std::string& group) -> Status {
    Result<Session> session = read_session_file(path);
    if (!session) return session.error();
    const TrainerState& s = session->state;
    if (s.epoch < session->spec.all_epochs() && !command.quiet)
      std::fprintf(stderr, "dalea: %s is not trained to its end (%lld of %lld epochs); taken as it is\n", path.c_str(),
                   static_cast<long long>(s.epoch), static_cast<long long>(session->spec.all_epochs()));
    sessions.push_back({path, group, std::move(*session)});
    Session& kept = sessions.back().session;  // the optimizer is twice the weights
    kept.state.optimizer = {};
    return {};
  };
  for (const std::string& path : command.sessions)
    if (Status ok = add(path, ""); !ok) return ok.error();
  for (const std::string& given : command.groups) {
    const size_t at = given.find('=');
    const std::string name = given.substr(0, at), pattern = at == std::string::npos ? "" : given.substr(at + 1);
    if (name.empty() || pattern.empty())
      return Error{"--group", "is '" + given + "'; give NAME=FILE, such as sparse='runs/sparse-*/session.npz'"};
    const std::vector<std::string> files = files_of(pattern);
    if (files.empty()) return Error{"--group", "finds no file for " + given + "; check the folder and the pattern"};
    for (const std::string& path : files)
      if (Status ok = add(path, name); !ok) return ok.error();
  }
  if (sessions.empty()) return Error{"session", "is missing; give session.npz files, or --group NAME=FILE"};
  return sessions;
}

json tally_json(const WeightTally& t) {
  return {{"count", t.count},
          {"mean", t.mean},
          {"sd", t.sd},
          {"zero", t.zero},
          {"share_zero", t.share(t.zero)},
          {"negligible", t.negligible},
          {"share_negligible", t.share(t.negligible)},
          {"positive", t.positive},
          {"negative", t.negative},
          {"wrong_sign", t.wrong_sign}};
}

constexpr const char* sign_names[] = {"excitatory", "inhibitory", "free"};

json set_json(const WeightSet& set) {
  json o = tally_json(set.all);
  o["by_sign"] = json::object();
  for (size_t k = 0; k < set.by_sign.size(); ++k)
    if (set.by_sign[k].count > 0) o["by_sign"][sign_names[k]] = tally_json(set.by_sign[k]);
  return o;
}

json kl_json(const KlPairs& k, bool published) {
  json o = {{"mean", k.mean}, {"sd", k.sd}, {"pairs", k.pairs}};
  if (published) {
    o["variance"] = k.variance;
    o["bar"] = k.published_bar;
  }
  return o;
}

// By area; blocks.csv has layers and populations too.
json blocks_json(const std::vector<BlockTable>& tables) {
  json out = json::array();
  for (const BlockTable& t : tables) {
    const size_t n = t.groups.count();
    if (n > most_printed_groups) continue;
    for (size_t at = 0; at < n * n; ++at)
      out.push_back({{"group", t.group},
                     {"checkpoint", name_of(t.checkpoint)},
                     {"level", name_of(t.groups.level)},
                     {"post", t.groups.groups[at / n].name},
                     {"pre", t.groups.groups[at % n].name},
                     {"mean", t.mean[at].mean},
                     {"mean_abs", t.mean_abs[at].mean},
                     {"mean_abs_sd", t.mean_abs[at].sd},
                     {"density", t.density[at]}});
  }
  return out;
}

void print_blocks(const std::vector<BlockTable>& tables) {
  bool any = false;
  for (const BlockTable& t : tables) {
    const size_t n = t.groups.count();
    if (t.groups.level != BlockLevel::area || n > most_printed_groups) continue;
    if (!any)
      std::printf(
          "\nBlocks by area (to <- from), mean over runs; blocks.csv has layers and populations too\n"
          "%-20s %-10s %-24s %11s %11s %10s %9s\n",
          "group", "weights", "block", "mean w", "mean |w|", "sd of it", "density");
    any = true;
    for (size_t at = 0; at < n * n; ++at) {
      if (!t.possible[at]) continue;
      const std::string block = t.groups.groups[at / n].name + " <- " + t.groups.groups[at % n].name;
      std::printf("%-20s %-10s %-24s %11.4g %11.4g %10.3g %9.4f\n", t.group.c_str(), name_of(t.checkpoint),
                  block.c_str(), t.mean[at].mean, t.mean_abs[at].mean, t.mean_abs[at].sd, t.density[at]);
    }
  }
}

struct Written {
  const WeightReport& report;
  const std::vector<BlockTable>& blocks;
  const std::vector<NamedSession>& sessions;
  const std::vector<SessionGroup>& groups;
  std::vector<std::string> files;
  std::string out;
};

std::string json_text(const Written& w) {
  json o;
  o["units"] = w.report.units;
  o["bins"] = w.report.options.bins;
  o["groups"] = json::array();
  for (size_t g = 0; g < w.groups.size(); ++g) {
    json group = {{"name", w.groups[g].name},
                  {"initial", set_json(w.report.groups[g].initial)},
                  {"final", set_json(w.report.groups[g].final)},
                  {"runs", json::array()}};
    for (size_t k : w.groups[g].sessions) {
      const Session& s = w.sessions[k].session;
      group["runs"].push_back({{"session", w.sessions[k].path},
                               {"run", s.state.run + 1},
                               {"seed", s.spec.seed},
                               {"epochs", s.state.epoch},
                               {"hash", s.provenance.hash}});
    }
    o["groups"].push_back(std::move(group));
  }
  o["reference"] = w.report.divergences.empty() ? json(nullptr) : json(w.report.options.reference);
  o["divergences"] = json::array();
  for (const WeightDivergence& d : w.report.divergences)
    o["divergences"].push_back({{"group", d.group},
                                {"when", d.initial ? "initial" : "final"},
                                {"common_bins", kl_json(d.common, false)},
                                {"as_published", kl_json(d.published, true)}});
  o["blocks"] = blocks_json(w.blocks);
  o["out"] = w.out;
  o["files"] = w.files;
  return o.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string split_text(const WeightTally& t) {
  if (t.count == 0) return "-";
  char text[64];
  std::snprintf(text, sizeof text, "%.1f %.1f %.1f", 100 * t.share(t.positive), 100 * t.share(t.negative),
                100 * t.share(t.zero));
  return text;
}

void print_written(const Written& w) {
  size_t width = 5;
  for (const WeightGroupReport& g : w.report.groups) width = std::max(width, g.name.size());
  bool any_free = false;
  for (const Population& p : w.report.populations) any_free = any_free || p.sign == Sign::free;
  const int name = static_cast<int>(width);
  std::printf("%-*s  %-6s %4s %9s %11s %10s %8s %11s %10s  %-15s  %-15s%s\n", name, "group", "when", "runs", "weights",
              "mean", "sd", "zero %", "<1e-5 %", "wrong sign", "E: + - 0 %", "I: + - 0 %",
              any_free ? "  free: + - 0 %" : "");
  for (const WeightGroupReport& g : w.report.groups)
    for (const WeightSet* set : {&g.initial, &g.final}) {
      const WeightTally& t = set->all;
      std::printf("%-*s  %-6s %4lld %9lld %11.4g %10.4g %8.2f %11.2f %10lld  %-15s  %-15s%s%s\n", name, g.name.c_str(),
                  set == &g.initial ? "before" : "after", static_cast<long long>(g.runs),
                  static_cast<long long>(t.count), t.mean, t.sd, 100 * t.share(t.zero), 100 * t.share(t.negligible),
                  static_cast<long long>(t.wrong_sign), split_text(set->by_sign[0]).c_str(),
                  split_text(set->by_sign[1]).c_str(), any_free ? "  " : "",
                  any_free ? split_text(set->by_sign[2]).c_str() : "");
    }
  const std::string& reference = w.report.options.reference;
  if (!w.report.divergences.empty()) {
    std::printf("\nKullback-Leibler divergence from %s, nats, all pairs of runs (%lld bins)\n", reference.c_str(),
                static_cast<long long>(w.report.options.bins));
    std::printf("%-*s  %-6s %6s %12s %10s %14s %10s %14s\n", name + 12, "group", "when", "pairs", "common bins", "sd",
                "as published", "sd", "published bar");
    for (const WeightDivergence& d : w.report.divergences)
      std::printf("%-*s  %-6s %6zu %12.4g %10.3g %14.4g %10.3g %14.3g\n", name + 12,
                  (d.group + (d.itself ? ", other runs" : "")).c_str(), d.initial ? "before" : "after", d.runs.size(),
                  d.common.mean, d.common.sd, d.published.mean, d.published.sd, d.published.published_bar);
    std::printf(
        "as published       each histogram over its own range, so a change of scale is invisible; bar: half the "
        "variance\n");
  } else if (w.report.groups.size() > 1) {
    std::printf("\ndivergences        none: no group is called %s; give --reference NAME\n", reference.c_str());
  }
  print_blocks(w.blocks);
  print_files(w.out, w.files);
}

}  // namespace

int weights(const WeightsCommand& command) {
  Result<std::vector<NamedSession>> sessions = load_sessions(command);
  if (!sessions) return refuse(sessions.error());
  Result<std::vector<SessionGroup>> groups = group_sessions(*sessions);
  if (!groups) return refuse(groups.error());
  WeightReportOptions options;
  options.bins = command.bins;
  options.scale = command.scale;
  if (!command.reference.empty()) {
    options.reference = command.reference;
    std::string names;
    bool found = false;
    for (const SessionGroup& g : *groups) {
      names += (names.empty() ? "" : "; ") + g.name;
      found = found || g.name == command.reference;
    }
    if (!found) return refuse({"--reference", "is " + command.reference + ", but the groups are: " + names});
  }
  std::vector<WeightGroup> weights;
  for (const SessionGroup& g : *groups) {
    WeightGroup group;
    group.name = g.name;
    for (size_t k : g.sessions) {
      TrainedWeights w = trained_weights((*sessions)[k].session);
      group.initial.push_back(std::move(w.initial));
      group.final.push_back(std::move(w.final));
    }
    weights.push_back(std::move(group));
  }
  Result<WeightReport> report = report_weights(weights, (*sessions)[0].session.spec.populations, options);
  if (!report) return refuse(report.error());

  if (Status ok = make_folder(command.out); !ok) return refuse(ok.error());
  Result<std::vector<BlockTable>> blocks = block_tables(*sessions, *groups);
  if (!blocks) return refuse(blocks.error());
  Written written{*report, *blocks, *sessions, *groups, {}, command.out};
  const auto write = [&](const std::string& name, const auto& content) {
    const Status ok = write_file(command.out + "/" + name, content);
    if (!ok) complain(ok.error());
    written.files.push_back(name);
    return ok.ok();
  };
  bool good = write("weights.csv", std::string_view(weights_csv(*report)));
  good = good && write("blocks.csv", std::string_view(block_tables_csv(*blocks)));
  if (!report->divergences.empty()) good = good && write("kl.csv", std::string_view(weight_kl_csv(*report)));
  for (const char* name : {"weights", "matrices"}) {
    const plot::Drawing drawing =
        plot::drawing_of(name == std::string("weights") ? weights_figure(*report) : weight_matrices_figure(*report));
    good = good && write(std::string(name) + ".svg", std::string_view(plot::to_svg(drawing)));
    good = good && write(std::string(name) + ".png", std::span<const std::byte>(plot::to_png(drawing)));
  }
  if (!good) return failed;
  if (command.json)
    std::printf("%s\n", json_text(written).c_str());
  else
    print_written(written);
  return done;
}

}  // namespace dalea::cli
