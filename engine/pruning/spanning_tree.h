// How much of the strongest wiring survives pruning: the maximum spanning tree of the bipartite graph whose vertices
// are the presynaptic and the postsynaptic copies of the neurons and whose edges are the weights (SEEDS 3.8).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "error.h"
#include "numerics/rng.h"
#include "numerics/weights.h"
#include "pruning/pruning.h"

namespace dalea {

// Kruskal over |W|, descending; of equal ones the entry that comes first in column-major order. Zeros are no edges.
struct SpanningTree {
  int64_t rows = 0, cols = 0;    // of the block
  std::vector<int64_t> entries;  // edges, from the heaviest: position in the whole matrix, column * rows + row
  double weight = 0;             // sum of |W| over the edges

  int64_t edges() const { return static_cast<int64_t>(entries.size()); }
  int64_t parts() const { return rows + cols - edges(); }  // 1: a tree; more: a forest, isolated neurons counted
};
Result<SpanningTree> maximum_spanning_tree(const Weights& w);
Result<SpanningTree> maximum_spanning_tree(const Weights& w, Range post, Range pre);

// Edges of the tree that a mask (column-major, of the whole matrix) keeps: compared by position, so equal weights are
// no trouble. The fraction of a tree without edges is 0.
struct TreeOverlap {
  int64_t survived = 0, edges = 0;
  double fraction = 0;
};
Result<TreeOverlap> tree_overlap(const SpanningTree& tree, const std::vector<uint8_t>& kept);

// The probability that k = 0, 1, ... `edges` edges of the tree are among `kept` entries chosen at random out of
// `entries`: the hypergeometric distribution, by the ratios of neighbours starting at the mode, so that no factorial
// overflows.
Result<std::vector<double>> random_overlap_distribution(int64_t edges, int64_t entries, int64_t kept);
// The mean fraction that survives: kept / entries, and the published sum over k that says the same.
Result<double> random_overlap(int64_t entries, int64_t kept);
Result<double> published_random_overlap(int64_t edges, int64_t entries, int64_t kept);

// Lower bounds of the expected fraction under top-prob, from probabilities `keep` of a (rows, cols) matrix. p_k is the
// k-th largest, k = 1, 2, ...: the first three edges of a bipartite graph close no cycle; the k-th joins the tree at
// least if it touches two fresh neurons, with probability (rows - k)(cols - k) / (rows cols - k) or more.
struct OverlapBound {
  double published = 0;  // counts k from 0 (leaves the heaviest out) and divides by min(tree edges, kept entries)
  double corrected = 0;  // counts k from 1 and divides by the tree edges
};
Result<OverlapBound> top_prob_bound(std::vector<double> keep, int64_t rows, int64_t cols, double sparsity);

// Random matrices, |W| ~ U(0, 1], pruned by every method at every sparsity.
struct OverlapStudyOptions {
  std::vector<int64_t> sizes{10, 50, 100};
  std::vector<double> sparsities;  // none: 0, 0.05, ... 1
  std::vector<PruneMethod> methods{PruneMethod::random, PruneMethod::magnitude, PruneMethod::top_prob};
  int64_t matrices = 20;  // replicates of each size
  int64_t draws = 1;      // masks per matrix, averaged before statistics over matrices
  PruneDraw draw = PruneDraw::bernoulli;
  bool as_published = false;
  double survivors_at = 0.9;  // the sparsity of `survivors`
};
struct OverlapPoint {
  int64_t size = 0;
  double sparsity = 0;
  PruneMethod method = PruneMethod::random;
  double mean = 0, sd = 0;  // over matrices (of a given one: over its masks); sd with count - 1, 0 for one
  double density = 0;       // achieved, mean
  double random = 0;        // the expectation of random pruning, which leaves zeros alone
  OverlapBound bound;       // of top-prob at this size and sparsity, mean
};
struct Survivors {  // the first mask of every matrix of a size, pooled
  int64_t size = 0;
  PruneMethod method = PruneMethod::random;
  std::vector<float> values;
};
struct OverlapStudy {
  std::vector<OverlapPoint> points;  // sizes outermost, then methods, then sparsities
  std::vector<Survivors> survivors;
  bool complete = false;  // false: cancelled, the sizes finished so far
};
// Matrix m of size N uses the coordinates (seed, purpose, run, epoch N, trial 4096 m), its mask d trial 4096 m + d + 1:
// the same draws at every sparsity and for every method, so that differences between points are not noise of the draws.
// `progress` hears of masks done and of all; `cancel` may be null.
Result<OverlapStudy> study_overlap(const OverlapStudyOptions& options, uint64_t seed, Purpose purpose, uint32_t run = 0,
                                   const std::function<void(int64_t, int64_t)>& progress = nullptr,
                                   const std::atomic<bool>* cancel = nullptr);
// The same of one given square matrix; sizes and matrices of the options have no meaning.
Result<OverlapStudy> study_overlap_of(const Weights& w, const OverlapStudyOptions& options, uint64_t seed,
                                      Purpose purpose, uint32_t run = 0,
                                      const std::function<void(int64_t, int64_t)>& progress = nullptr,
                                      const std::atomic<bool>* cancel = nullptr);

}  // namespace dalea
