// dalea trees: what pruning leaves of the maximum spanning tree, in random matrices or a trained network (SEEDS 3.8).
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/commands.h"
#include "common/files.h"
#include "common/session_weights.h"
#include "common/tree_report.h"

namespace dalea::cli {
namespace {

using nlohmann::json;

// A trained network and its tree.
struct NetworkTree {
  std::string path, hash;
  std::vector<Population> populations;
  Weights w;
  SpanningTree tree;
  std::vector<TreeEdge> edges;
  double share_of_weight = 0;                 // of the sum of |W|
  double excitatory = 0, excitatory_all = 0;  // part of the edges, and of all connections, that excite
};

Result<NetworkTree> network_tree(const std::string& path) {
  Result<Session> session = read_session_file(path);
  if (!session) return session.error();
  NetworkTree n;
  n.path = path;
  n.hash = session->provenance.hash;
  n.populations = session->spec.populations;
  n.w = trained_weights(*session).final;
  Result<SpanningTree> tree = maximum_spanning_tree(n.w);
  if (!tree) return Error{path + ": " + tree.error().path, tree.error().message};
  n.tree = std::move(*tree);
  n.edges = tree_edges(n.tree, n.w);
  double sum = 0, connections = 0;
  for (float v : n.w.values) {
    sum += std::fabs(static_cast<double>(v));
    connections += v != 0;
    n.excitatory_all += v > 0;
  }
  for (const TreeEdge& e : n.edges) n.excitatory += e.weight > 0;
  n.share_of_weight = sum > 0 ? n.tree.weight / sum : 0;
  n.excitatory_all = connections > 0 ? n.excitatory_all / connections : 0;
  n.excitatory = n.edges.empty() ? 0 : n.excitatory / static_cast<double>(n.edges.size());
  return n;
}

Result<OverlapStudyOptions> study_options(const TreesCommand& command) {
  OverlapStudyOptions o;
  if (!command.sizes.empty()) o.sizes = command.sizes;
  for (size_t k = 0; k < o.sizes.size(); ++k)
    if (std::find(o.sizes.begin(), o.sizes.begin() + static_cast<int64_t>(k), o.sizes[k]) !=
        o.sizes.begin() + static_cast<int64_t>(k))
      return Error{"--sizes", std::to_string(o.sizes[k]) + " is given twice; give each size once"};
  o.sparsities = command.sparsities;
  for (size_t k = 0; k < o.sparsities.size(); ++k)
    for (size_t other = 0; other < k; ++other)
      if (o.sparsities[other] == o.sparsities[k])
        return Error{"--sparsity", std::to_string(o.sparsities[k]) + " is given twice; give each once"};
  o.matrices = command.matrices;
  o.draws = command.draws;
  o.draw = command.exact_count ? PruneDraw::exact_count : PruneDraw::bernoulli;
  o.as_published = command.as_published;
  if (command.as_published && command.exact_count)
    return Error{"--exact-count", "is not as published, where each connection is drawn by itself; leave one out"};
  return o;
}

json study_json(const OverlapStudy& study, const OverlapStudyOptions& o, const TreesCommand& command,
                const std::optional<NetworkTree>& network) {
  json out = {{"seed", command.seed},
              {"matrices", network ? 1 : o.matrices},
              {"draws", o.draws},
              {"draw", text_of(o.draw)},
              {"as_published", o.as_published}};
  out["session"] = nullptr;
  if (network)
    out["session"] = {{"file", network->path},
                      {"hash", network->hash},
                      {"edges", network->tree.edges()},
                      {"parts", network->tree.parts()},
                      {"weight", network->tree.weight},
                      {"share_of_weight", network->share_of_weight},
                      {"excitatory_edges", network->excitatory},
                      {"excitatory_connections", network->excitatory_all}};
  out["points"] = json::array();
  for (const OverlapPoint& p : study.points)
    out["points"].push_back({{"size", p.size},
                             {"method", text_of(p.method)},
                             {"sparsity", p.sparsity},
                             {"overlap", p.mean},
                             {"sd", p.sd},
                             {"density", p.density},
                             {"random", p.random},
                             {"bound_published", p.bound.published},
                             {"bound_corrected", p.bound.corrected}});
  out["bounds"] = json::array();
  for (const BoundComparison& c : compare_bounds(study))
    out["bounds"].push_back({{"size", c.size},
                             {"sparsities", c.sparsities},
                             {"published_not_below_random", c.published_above},
                             {"corrected_not_below_random", c.corrected_above},
                             {"sentence", bound_sentence(c)}});
  return out;
}

void print_study(const OverlapStudy& study, const OverlapStudyOptions& o, const std::optional<NetworkTree>& network) {
  if (network) {
    std::printf("session            %s  (hash %s)\n", network->path.c_str(), network->hash.c_str());
    std::printf("tree               %lld edges, %s; %.2f %% of the sum of all |w|\n",
                static_cast<long long>(network->tree.edges()),
                network->tree.parts() == 1 ? "in one piece"
                                           : ("in " + std::to_string(network->tree.parts()) + " pieces").c_str(),
                100 * network->share_of_weight);
    std::printf("excitatory         %.1f %% of its edges, %.1f %% of all connections that are not 0\n",
                100 * network->excitatory, 100 * network->excitatory_all);
    std::printf("spread             over %lld masks\n\n", static_cast<long long>(o.draws));
  } else {
    std::printf("matrices           %lld of each size, |W| uniform in (0, 1]; %lld mask%s each%s\n\n",
                static_cast<long long>(o.matrices), static_cast<long long>(o.draws), o.draws == 1 ? "" : "s",
                o.as_published ? "; formulas as published" : "");
  }
  std::vector<PruneMethod> methods;
  for (const OverlapPoint& p : study.points)
    if (std::find(methods.begin(), methods.end(), p.method) == methods.end()) methods.push_back(p.method);
  std::printf("%5s %9s", "N", "sparsity");
  for (PruneMethod method : methods) std::printf("  %10s %7s", text_of(method), "sd");
  std::printf("  %10s %10s %10s\n", "if random", "bound", "corrected");
  for (size_t k = 0; k < study.points.size(); ++k) {
    const OverlapPoint& p = study.points[k];
    if (p.method != methods.front()) continue;
    std::printf("%5lld %9.4f", static_cast<long long>(p.size), p.sparsity);
    for (PruneMethod method : methods)
      for (const OverlapPoint& q : study.points)
        if (q.size == p.size && q.method == method && q.sparsity == p.sparsity)
          std::printf("  %10.4f %7.4f", q.mean, q.sd);
    std::printf("  %10.4f %10.4f %10.4f\n", p.random, p.bound.published, p.bound.corrected);
  }
  std::printf("\n");
  for (const BoundComparison& c : compare_bounds(study)) std::printf("%s\n", bound_sentence(c).c_str());
}

}  // namespace

int trees(const TreesCommand& command) {
  Result<OverlapStudyOptions> options = study_options(command);
  if (!options) return refuse(options.error());
  std::optional<NetworkTree> network;
  if (!command.session.empty()) {
    Result<NetworkTree> n = network_tree(command.session);
    if (!n) return refuse(n.error());
    network = std::move(*n);
  }
  int64_t tenth = -1, masks = 0, all_masks = 0;
  const auto progress = [&](int64_t masks_done, int64_t all) {
    masks = masks_done;
    all_masks = all;
    const int64_t now = all > 0 ? masks_done * 10 / all : 10;
    if (now == tenth || command.quiet) return;
    tenth = now;
    std::fprintf(stderr, "trees: %lld of %lld masks\n", static_cast<long long>(masks_done),
                 static_cast<long long>(all));
  };
  const std::atomic<bool>* cancel = &cancel_on_signals();
  const Result<OverlapStudy> study =
      network ? study_overlap_of(network->w, *options, command.seed, Purpose::prune, 0, progress, cancel)
              : study_overlap(*options, command.seed, Purpose::prune, 0, progress, cancel);
  if (!study) return refuse({"--" + study.error().path, study.error().message});

  if (Status ok = make_folder(command.out); !ok) return refuse(ok.error());
  std::vector<std::string> files;
  const auto write = [&](const std::string& name, const auto& content) {
    const Status ok = write_file(command.out + "/" + name, content);
    if (!ok) complain(ok.error());
    files.push_back(name);
    return ok.ok();
  };
  const auto draw = [&](const std::string& name, const plot::Figure& figure) {
    const plot::Drawing drawing = plot::drawing_of(figure);
    return write(name + ".svg", std::string_view(plot::to_svg(drawing))) &&
           write(name + ".png", std::span<const std::byte>(plot::to_png(drawing)));
  };
  bool good = true;
  if (network) good = write("edges.csv", std::string_view(tree_edges_csv(network->edges, network->populations)));
  good = good && write("trees.csv", std::string_view(trees_csv(*study)));
  if (good && !study->complete) {
    std::fprintf(stderr, "dalea: cancelled after %lld of %lld masks; %s/trees.csv has the sizes that were finished\n",
                 static_cast<long long>(masks), static_cast<long long>(all_masks), command.out.c_str());
    return cancelled;
  }
  good = good && write("survivors.csv", std::string_view(survivors_csv(*study)));
  good = good && draw("trees", trees_figure(*study, options->survivors_at, network.has_value()));
  if (network) {
    plot::Figure figure;
    figure.title = "The maximum spanning tree of a trained network";
    figure.panels = {tree_panel(network->w, network->edges, network->populations)};
    figure.width_mm = 1.5 * plot::single_column_mm;
    good = good && draw("tree", figure);
  }
  if (!good) return failed;
  if (command.json) {
    json o = study_json(*study, *options, command, network);
    o["out"] = command.out;
    o["files"] = files;
    std::printf("%s\n", o.dump(-1, ' ', false, json::error_handler_t::replace).c_str());
    return done;
  }
  print_study(*study, *options, network);
  print_files(command.out, files);
  return done;
}

}  // namespace dalea::cli
