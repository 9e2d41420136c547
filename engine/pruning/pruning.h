// Which connections stay: chosen at random, by magnitude, or with a probability in proportion to magnitude (SEEDS 3).
// Pruning never changes the matrix it is given and never rescales what it keeps.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "error.h"
#include "network/model.h"
#include "numerics/rng.h"
#include "numerics/weights.h"

namespace dalea {

enum class PruneMethod {
  random,     // every non-zero entry with the same probability
  magnitude,  // the largest |W|, ties to the lower index; nothing random
  top_prob,   // an entry with probability K |W|, at most 1
};
enum class PruneDraw {
  bernoulli,    // every entry by itself: the number kept fluctuates
  exact_count,  // exactly round(n (1 - sparsity)) entries (all if fewer are eligible); probabilities as for that count
};

const char* text_of(PruneMethod method);  // "random", "magnitude", "top-prob"
const char* text_of(PruneDraw draw);      // "bernoulli", "exact-count"
Result<PruneMethod> parse_prune_method(std::string_view text, const std::string& path = "method");
Result<PruneDraw> parse_prune_draw(std::string_view text, const std::string& path = "draw");

// A rectangle of the matrix that is pruned by itself.
struct PruneBlock {
  Range post, pre;                    // rows, columns
  double sparsity = 0;                // of all entries of the block
  std::optional<PruneMethod> method;  // none: the options' method
};

struct PruneOptions {
  PruneMethod method = PruneMethod::top_prob;
  double sparsity = 0;             // fraction of ALL entries that are absent afterwards, zeros of the input included
  std::vector<PruneBlock> blocks;  // none: the whole matrix at `sparsity`. Entries outside every block are removed
  bool include_diagonal = true;    // false: self-connections (row == column of the matrix) are removed
  PruneDraw draw = PruneDraw::bernoulli;  // magnitude ignores it

  // The published formulas with their faults, to compare with; magnitude was not published and ignores it.
  // random: keep probability p + q - 1 (q: fraction of non-zeros). top-prob: K too large because the zeros and
  // min(rows, cols) of an unused diagonal are counted as absent; surplus above 1 shared among all entries, zeros too;
  // in blocks not shared at all (Q5).
  bool as_published = false;
  // The published code adds 1e-25 to the matrix, so zeros count as connections, are drawn, and are part of the mask
  // (Q4). Their value stays 0 here. False: the published formulas on true zeros.
  bool published_tiny_zeros = true;

  double tolerance = 1e-5;  // effective density: kept entries with |w| > tolerance
};

// Of the whole matrix or of a block; every density is a fraction of its `entries`.
struct PrunedDensity {
  int64_t entries = 0, kept = 0, effective_kept = 0;
  double nominal = 0;    // 1 - sparsity, as asked for
  double expected = 0;   // mean of the keep probabilities; below nominal when fewer entries are eligible
  double achieved = 0;   // kept
  double effective = 0;  // kept and larger than the tolerance
};

struct PruneResult {
  std::vector<uint8_t> kept;  // column-major, rows * cols; the same for dense and sparse storage
  Weights weights;            // dense stays dense (+0 where removed), sparse stays sparse (pattern: kept)
  PrunedDensity density;
  std::vector<PrunedDensity> blocks;  // in the order of the options

  std::shared_ptr<const Pattern> pattern() const { return make_pattern(weights.rows, weights.cols, kept); }
};

// Takes a 53-bit uniform number from `rng` for every entry of the matrix in column-major order, existing or not, then
// one number per block (one if there are none): what happens to an entry does not depend on storage or on other blocks'
// sparsity. Takes nothing if all is by magnitude.
Result<PruneResult> prune(const Weights& w, const PruneOptions& options, Rng& rng);

// What the draw will use: the probability of each entry to be kept (magnitude: 0 or 1).
//
// Top-prob, corrected: P = K |W| with K = n (1 - s) / sum |W| over the eligible entries (non-zero, and off the diagonal
// if that is left out). A zero adds nothing to the sum and needs no correction. Mass above 1 is cut and shared equally
// among the eligible entries below 1 until none is above. A zero would waste its share, as it cannot be drawn, so it
// gets none and the expected count is exactly min(n (1 - s), eligible entries).
struct KeepProbabilities {
  std::vector<double> keep;  // column-major, rows * cols, in [0, 1]; 0 outside blocks
  double expected = 0;       // their sum
  double surplus = 0;        // mass above 1 that was cut and went to no other entry
  double lost = 0;           // mass that went to zeros, which are never kept (as published, true zeros)
  int rounds = 0;            // passes of sharing, summed over blocks
};
Result<KeepProbabilities> keep_probabilities(const Weights& w, const PruneOptions& options);
Result<KeepProbabilities> top_prob_probabilities(const Weights& w, double sparsity, bool as_published = false);

// A block for every pair of populations, sparsity 1 - density[post][pre] (SEEDS 3.4); posts outermost.
Result<std::vector<PruneBlock>> population_blocks(const std::vector<Range>& populations,
                                                  const std::vector<std::vector<double>>& density);

// The kept values, column-major (SEEDS F18).
std::vector<float> surviving_weights(const PruneResult& result);

// The densities of the published sweep (SEEDS 3.5): 0, then 14 equally spaced ones from 0.01 to 1.
std::vector<double> published_densities();

}  // namespace dalea
