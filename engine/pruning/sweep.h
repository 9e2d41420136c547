// How much error a network makes as connections are taken away, without retraining (SEEDS 3.5): methods x sparsities x
// draws, each network on its own held-out split.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "analysis/statistics.h"
#include "network/pass.h"
#include "pruning/pruning.h"
#include "pruning/spanning_tree.h"
#include "training/trainer.h"

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
  double accuracy = 0;                // share of right answers; NaN: the task has no classes
  double overlap = 0;                 // part of the maximum spanning tree that survives, by position
  double random_overlap = 0;          // what to expect of as many connections drawn at random
};

struct SweepPoint {
  PruneMethod method = PruneMethod::random;
  double sparsity = 0;  // asked for; with blocks the mean over all entries
  std::vector<SweepDraw> draws;
  // Over the draws; sd with draws - 1, 0 for one draw.
  double density = 0, effective = 0, held_out = 0, held_out_sd = 0, overlap = 0, random_overlap = 0;
  double accuracy = 0, accuracy_sd = 0;  // NaN: the task has no classes
};

struct Sweep {
  double dense = 0;                // held-out loss of the network as it is, on the same trials
  double dense_accuracy = 0;       // NaN: no classes
  std::vector<SweepPoint> points;  // methods outermost, sparsities ascending
  bool complete = false;           // false: cancelled, the points so far
};

// The loss of a model's held-out split, and with classes its accuracy, in steps, for a page without threads. Model and
// data must stay meanwhile.
class HeldOutLoss {
 public:
  // `last_only`: the last minibatch alone (as published).
  HeldOutLoss(const Dataset& data, int64_t batch, bool last_only, Isa isa, Workers& workers);
  void begin(const Model& model);
  bool advance() { return go(false); }  // one time step; false: it was the last
  bool step() { return go(true); }      // one minibatch, with all workers; one of the two until begin()
  double value() const { return scored_ > 0 ? sum_ / static_cast<double>(scored_) : 0.0; }
  double accuracy() const { return answers_.accuracy(); }  // of the trials so far; NaN: no classes

 private:
  bool go(bool whole);

  const Dataset& data_;
  int64_t batch_ = 0;
  bool last_only_ = false;
  Pass pass_;
  const Model* model_ = nullptr;
  bool within_ = false;  // a minibatch
  int64_t trial_ = 0, scored_ = 0;
  double sum_ = 0;
  Confusion answers_;
};

// A sweep in steps. Spec, model and data must stay meanwhile; they are not changed.
class SweepSteps {
 public:
  static Result<std::unique_ptr<SweepSteps>> create(const Spec& spec, const Model& model, const Dataset& data,
                                                    int64_t run, const SweepOptions& options, Isa isa,
                                                    Workers& workers);
  Result<bool> advance() { return go(false); }  // one time step; false: nothing is left
  Result<bool> step() { return go(true); }      // one minibatch; one of the two throughout
  const Sweep& result() const { return result_; }
  int64_t done() const { return done_; }  // masks
  int64_t all() const { return all_; }

 private:
  SweepSteps(const Spec& spec, const Model& model, const Dataset& data, int64_t run, const SweepOptions& options,
             Isa isa, Workers& workers);
  Result<bool> go(bool whole);
  Status begin_mask();
  Status end_mask();

  const Spec& spec_;
  const Model& model_;
  int64_t run_ = 0;
  SweepOptions options_;
  std::vector<double> grid_;
  SpanningTree tree_;
  Model pruned_;
  HeldOutLoss loss_;
  Sweep result_;
  SweepPoint point_;  // the one at work
  std::vector<uint8_t> kept_;
  size_t method_ = 0, place_ = 0;
  bool dense_ = true, within_ = true;  // the whole network comes first; its loss or a mask's is under way
  int64_t done_ = 0, all_ = 0;
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

// The part of w's tree to expect after as many connections were drawn at random as `kept` has, block by block.
double expected_overlap(const SpanningTree& tree, const Weights& w, const std::vector<uint8_t>& kept,
                        const SweepOptions& options, PruneMethod method);

// Two methods over the same runs by that number, a[run] and b[run]: one test instead of one for every sparsity, of
// which the published figure shows the smallest p (Q16). Few runs cannot reach small p: `least` says how small.
struct MethodComparison {
  MannWhitney mann_whitney;
  Wilcoxon paired;
  double mann_whitney_least = 1, paired_least = 1;
};
Result<MethodComparison> compare_methods(Values a, Values b);

}  // namespace dalea
