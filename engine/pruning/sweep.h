// How much error a network makes as connections are taken away, without retraining (SEEDS 3.5): methods x sparsities x
// draws, each network on its own held-out split.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "analysis/statistics.h"
#include "network/pass.h"
#include "pruning/pruning.h"

namespace dalea {

struct SweepOptions {
  std::vector<PruneMethod> methods{PruneMethod::random, PruneMethod::magnitude, PruneMethod::top_prob};
  std::vector<double> sparsities;  // in any order, each once; none: the published grid (SEEDS 3.5)
  std::vector<PruneBlock> blocks;  // not empty: these sparsities, in place of the grid
  int64_t draws = 1;               // masks at each sparsity; there is only one by magnitude
  bool include_diagonal = true;
  PruneDraw draw = PruneDraw::bernoulli;
  // The published formulas (Q4: zeros count as connections; Q5: K too large) and, of the published evaluation (Q6), the
  // last minibatch alone - of this network's own held-out split, where the published code took another network's.
  bool as_published = false;
};

struct SweepDraw {
  double density = 0, effective = 0;  // kept; kept and not negligible (PrunedDensity)
  double held_out = 0;                // loss, mean per scored element
  double overlap = 0;                 // part of the maximum spanning tree that survives, by position
  double random_overlap = 0;          // what to expect of as many connections drawn at random
};

struct SweepPoint {
  PruneMethod method = PruneMethod::random;
  double sparsity = 0;  // asked for; with blocks the mean over all entries
  std::vector<SweepDraw> draws;
  // Over the draws; sd with draws - 1, 0 for one draw.
  double density = 0, effective = 0, held_out = 0, held_out_sd = 0, overlap = 0, random_overlap = 0;
};

struct Sweep {
  double dense = 0;                // held-out loss of the network as it is, on the same trials
  std::vector<SweepPoint> points;  // methods outermost, sparsities ascending
  bool complete = false;           // false: cancelled, the points so far
};

// Evaluates copies: model and data stay as they are. `progress` hears of masks done and of all; `cancel` may be null.
Result<Sweep> sweep(const Spec& spec, const Model& model, const Dataset& data, int64_t run, const SweepOptions& options,
                    Isa isa, Workers& workers, const std::function<void(int64_t, int64_t)>& progress = nullptr,
                    const std::atomic<bool>* cancel = nullptr);

// The sparsities in the order of the grid; with blocks their mean, alone.
Result<std::vector<double>> sweep_grid(const SweepOptions& options);

// One mask of a sweep; `place` in the grid. Uses the coordinates (seed, Purpose::prune, run, draw, place), so that the
// order of execution is irrelevant and all methods see the same draws.
Result<PruneResult> prune_at(const Weights& w, const SweepOptions& options, PruneMethod method, int64_t place,
                             int64_t draw, uint64_t seed, int64_t run);

// One number for a method: the area under its error over the sparsities (SEEDS 3.6), or where there is one sparsity
// its error.
Result<double> sweep_area(const Sweep& sweep, PruneMethod method);

// Two methods over the same runs by that number, a[run] and b[run]: one test instead of one for every sparsity, of
// which the published figure shows the smallest p (Q16). Few runs cannot reach small p: `least` says how small.
struct MethodComparison {
  MannWhitney mann_whitney;
  Wilcoxon paired;
  double mann_whitney_least = 1, paired_least = 1;
};
Result<MethodComparison> compare_methods(Values a, Values b);

}  // namespace dalea
