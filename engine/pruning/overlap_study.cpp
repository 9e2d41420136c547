// The simulation of SEEDS 3.8: how much of the spanning tree of random matrices survives, by size, sparsity and method.
#include <cmath>

#include "pruning/piece.h"
#include "pruning/spanning_tree.h"

namespace dalea {

namespace {

constexpr int64_t max_draws = 4095, max_matrices = int64_t{1} << 20, max_size = 4096;

Status check(const OverlapStudyOptions& o) {
  for (size_t k = 0; k < o.sizes.size(); ++k)
    if (o.sizes[k] < 1 || o.sizes[k] > max_size)
      return Error{"sizes[" + std::to_string(k) + "]",
                   "is " + std::to_string(o.sizes[k]) + "; give 1 to " + std::to_string(max_size) + " neurons"};
  for (size_t k = 0; k < o.sparsities.size(); ++k)
    if (!(o.sparsities[k] >= 0 && o.sparsities[k] <= 1))
      return Error{"sparsities[" + std::to_string(k) + "]", "is outside 0 to 1; give the fraction of absent entries"};
  if (!(o.survivors_at >= 0 && o.survivors_at <= 1))
    return Error{"survivors_at", "is outside 0 to 1; give the fraction of absent entries"};
  if (o.sizes.empty()) return Error{"sizes", "is empty; give at least one number of neurons"};
  if (o.methods.empty()) return Error{"methods", "is empty; give at least one of random, magnitude, top-prob"};
  if (o.matrices < 1 || o.matrices > max_matrices)
    return Error{"matrices", "is " + std::to_string(o.matrices) + "; give 1 to " + std::to_string(max_matrices)};
  if (o.draws < 1 || o.draws > max_draws)
    return Error{"draws", "is " + std::to_string(o.draws) + "; give 1 to " + std::to_string(max_draws)};
  return {};
}

// Mean and sample standard deviation, by the two-pass formula.
void add_statistics(const std::vector<double>& values, OverlapPoint& point) {
  const double n = static_cast<double>(values.size());
  for (double v : values) point.mean += v;
  point.mean /= n;
  double squares = 0;
  for (double v : values) squares += (v - point.mean) * (v - point.mean);
  point.sd = values.size() > 1 ? std::sqrt(squares / (n - 1)) : 0;
}

}  // namespace

Result<OverlapStudy> study_overlap(const OverlapStudyOptions& options, uint64_t seed, Purpose purpose, uint32_t run) {
  if (Status s = check(options); !s) return s.error();
  std::vector<double> sparsities = options.sparsities;
  for (int k = 0; options.sparsities.empty() && k <= 20; ++k) sparsities.push_back(k / 20.0);
  const size_t methods = options.methods.size(), grid = sparsities.size();
  OverlapStudy study;
  for (int64_t size : options.sizes) {
    std::vector<OverlapPoint> points(methods * grid);
    std::vector<std::vector<double>> fractions(points.size());
    for (size_t k = 0; k < points.size(); ++k) {
      points[k].size = size;
      points[k].sparsity = sparsities[k % grid];
      points[k].method = options.methods[k / grid];
      points[k].random =
          static_cast<double>(pruning::exact_count(size * size, points[k].sparsity)) / static_cast<double>(size * size);
    }
    for (int64_t m = 0; m < options.matrices; ++m) {
      const auto stream = [&](int64_t d) {
        return Rng(seed, purpose, run, static_cast<uint32_t>(size), static_cast<uint32_t>(4096 * m + d));
      };
      Weights w;
      w.rows = w.cols = size;
      Rng values = stream(0);
      for (int64_t e = 0; e < size * size; ++e) w.values.push_back(1 - values.uniform());
      Result<SpanningTree> tree = maximum_spanning_tree(w);
      if (!tree) return tree.error();
      PruneOptions prune_options;
      prune_options.draw = options.draw;
      prune_options.as_published = options.as_published;
      for (size_t k = 0; k < grid; ++k) {
        prune_options.sparsity = sparsities[k];
        Result<KeepProbabilities> p = keep_probabilities(w, prune_options);
        if (!p) return p.error();
        Result<OverlapBound> bound = top_prob_bound(std::move(p->keep), size, size, sparsities[k]);
        if (!bound) return bound.error();
        for (size_t q = 0; q < methods; ++q) {
          points[q * grid + k].bound.published += bound->published;
          points[q * grid + k].bound.corrected += bound->corrected;
        }
      }
      for (size_t k = 0; k < points.size(); ++k) {
        prune_options.method = points[k].method;
        prune_options.sparsity = points[k].sparsity;
        double fraction = 0;
        for (int64_t d = 1; d <= options.draws; ++d) {
          Rng rng = stream(d);
          Result<PruneResult> pruned = prune(w, prune_options, rng);
          if (!pruned) return pruned.error();
          Result<TreeOverlap> overlap = tree_overlap(*tree, pruned->kept);
          if (!overlap) return overlap.error();
          fraction += overlap->fraction;
          points[k].density += pruned->density.achieved;
        }
        fractions[k].push_back(fraction / static_cast<double>(options.draws));
      }
      for (size_t q = 0; m == 0 && q < methods; ++q) {
        prune_options.method = options.methods[q];
        prune_options.sparsity = options.survivors_at;
        Rng rng = stream(1);
        Result<PruneResult> pruned = prune(w, prune_options, rng);
        if (!pruned) return pruned.error();
        study.survivors.push_back({size, options.methods[q], surviving_weights(*pruned)});
      }
    }
    for (size_t k = 0; k < points.size(); ++k) {
      const auto matrices = static_cast<double>(options.matrices);
      add_statistics(fractions[k], points[k]);
      points[k].density /= matrices * static_cast<double>(options.draws);
      points[k].bound.published /= matrices;
      points[k].bound.corrected /= matrices;
      study.points.push_back(points[k]);
    }
  }
  return study;
}

}  // namespace dalea
