#include "training/stages.h"

#include <algorithm>

#include "network/rules.h"

namespace dalea {
namespace {

constexpr uint32_t stage_draw = 0x80000000u;  // apart from the draws of pruning afterwards, which count from 0

std::vector<Range> ranges_of(const Spec& spec) {
  std::vector<Range> list;
  for (const Population& p : spec.populations) {
    const int64_t begin = list.empty() ? 0 : list.back().end;
    list.push_back({begin, begin + p.size});
  }
  return list;
}

}  // namespace

Status check_stages(const Spec& spec) {
  if (!spec.stages.prune) return {};
  if (spec.connectome.source != "none")
    return Error{"stages.prune",
                 "has nothing to prune to: a connectome gives its connections before training; switch "
                 "stages.prune off or connectome.source to \"none\""};
  bool fewer = false;
  for (const std::vector<double>& row : block_probability(spec))
    for (double p : row) fewer = fewer || p < 1;
  if (!fewer)
    return Error{"stages.prune",
                 "has nothing to prune to: every connection exists; give connectivity.probability, "
                 "connectivity.table or connectivity.motifs"};
  if (spec.stages.as_published && !spec.connectivity.self_connections)
    return Error{"stages.as_published",
                 "prunes self-connections like any other; leave "
                 "connectivity.self_connections on, or as_published off"};
  return {};
}

Result<StagePruning> prune_stage(const Spec& spec, const Weights& W_rec, int64_t run) {
  Result<PruneMethod> method = parse_prune_method(spec.stages.method, "stages.method");
  if (!method) return method.error();
  Result<PruneMethod> of_motifs = parse_prune_method(spec.stages.motifs, "stages.motifs");
  if (!of_motifs) return of_motifs.error();
  const std::vector<Range> populations = ranges_of(spec);
  const std::vector<std::vector<double>> probability = block_probability(spec);
  const std::vector<std::vector<uint8_t>> motif = from_motif(spec);
  const auto drawn = [&](size_t post, size_t pre) {  // a motif's own draw, not pruning
    return motif[post][pre] != 0 && *of_motifs == PruneMethod::random;
  };

  PruneOptions options;
  options.method = *method;
  options.include_diagonal = spec.connectivity.self_connections;
  options.as_published = spec.stages.as_published;
  for (size_t post = 0; post < populations.size(); ++post)
    for (size_t pre = 0; pre < populations.size(); ++pre)
      if (probability[post][pre] > 0 && !drawn(post, pre))
        options.blocks.push_back({populations[post], populations[pre], 1 - probability[post][pre],
                                  motif[post][pre] != 0 ? *of_motifs : *method});
  const int64_t n = W_rec.rows;
  StagePruning result;
  std::vector<uint8_t> kept(static_cast<size_t>(n * W_rec.cols), 0);
  if (!options.blocks.empty()) {
    Rng rng(spec.seed, Purpose::prune, static_cast<uint32_t>(run), stage_draw);
    Result<PruneResult> pruned = prune(W_rec, options, rng);
    if (!pruned) return pruned.error();
    kept = std::move(pruned->kept);
    result.expected = pruned->density.expected * static_cast<double>(pruned->density.entries);
  }
  for (size_t pre = 0; pre < populations.size(); ++pre)
    for (int64_t j = populations[pre].begin; j < populations[pre].end; ++j) {
      Rng rng(spec.seed, Purpose::motif, static_cast<uint32_t>(run), 0, static_cast<uint32_t>(j));
      for (size_t post = 0; post < populations.size(); ++post)
        for (int64_t i = populations[post].begin; i < populations[post].end; ++i) {
          const double u = static_cast<double>(rng.uniform());  // for every entry: blocks do not depend on each other
          if (!drawn(post, pre) || (i == j && !spec.connectivity.self_connections)) continue;
          if (spec.stages.as_published && W_rec.at(i, j) == 0) continue;
          result.expected += probability[post][pre];
          kept[static_cast<size_t>(j * n + i)] = u < probability[post][pre];
        }
    }
  result.kept = std::count(kept.begin(), kept.end(), uint8_t{1});
  result.mask = make_pattern(n, W_rec.cols, kept);
  return result;
}

}  // namespace dalea
