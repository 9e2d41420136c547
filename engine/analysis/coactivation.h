// Co-activation: Spearman's correlation between units over the time of held-out trials, and homophily: whether units
// that are connected co-activate more (SEEDS 6.6). Without noise; the same bits everywhere.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "network/pass.h"
#include "tasks/trials.h"

namespace dalea {

constexpr int64_t most_coactivation_units = 2000;
constexpr int64_t most_coactivation_values = 10'000'000;  // samples x units: whole trials, evenly spaced, up to these

// `values`: (unit, sample). (unit, unit), symmetric, 1 on the diagonal; a unit that never varies has NaN throughout.
// Errors: too many units, fewer than 2 samples, a value that is not finite, or "cancelled" (`progress` gave false).
Result<std::vector<float>> spearman_matrix(const std::vector<float>& values, int64_t units, Workers& workers,
                                           const std::function<bool(double)>& progress = nullptr);

struct PairMean {
  int64_t pairs = 0;
  double mean = std::numeric_limits<double>::quiet_NaN();  // of their correlations; NaN: there are none
};

// Pairs of units that vary. Connected: a weight that is not 0, in either direction.
struct Homophily {
  PairMean connected, unconnected;
  double difference = std::numeric_limits<double>::quiet_NaN();  // of the two means
  // Two-sided, from the differences after the nodes of the network were permuted at random, among all units and within
  // populations alone: twice the smaller tail, the network itself counted with the permutations. `expected_within`:
  // their mean within populations, what the populations alone explain of the difference.
  double p = 1, p_within = 1;
  double expected_within = std::numeric_limits<double>::quiet_NaN();
  int64_t draws = 0;
  std::string untested;  // why there is no test; empty: there is one
};
// `links`: pairs (a, b) with a < b, each once, of units that vary or not. `population`: of each unit.
Result<Homophily> homophily_of(const std::vector<float>& rho, int64_t units,
                               const std::vector<std::pair<int32_t, int32_t>>& links,
                               const std::vector<int32_t>& population, uint64_t seed, int64_t draws, Workers& workers,
                               const std::function<bool(double)>& progress = nullptr);

// Rousseeuw 1987, with the distance 1 - rho, over units that vary: near 1, a unit's group co-activates with it more
// than the nearest other one; 0 of a group of one unit. One-sided p: how often groups dealt out at random have as large
// a mean.
struct Silhouette {
  std::vector<double> of_group;                            // mean over its units; NaN: none of them varies
  double mean = std::numeric_limits<double>::quiet_NaN();  // over units; NaN: fewer than two groups
  double p = 1;
  int64_t draws = 0;  // 0: no test
};
Result<Silhouette> silhouette_of(const std::vector<float>& rho, int64_t units, const std::vector<int32_t>& group,
                                 int64_t groups, uint64_t seed, int64_t draws, Workers& workers,
                                 const std::function<bool(double)>& progress = nullptr);

struct CoactivationOptions {
  std::string by;  // "population", "area", "layer", "type"; empty: area where populations have one, else population
  int64_t draws = 999;
  uint64_t seed = 1;
};

struct Coactivation {
  int64_t units = 0, silent = 0;                  // silent: they never vary
  int64_t trials = 0, all_trials = 0, steps = 0;  // trials: correlated
  std::vector<float> rho;                         // (unit, unit)
  Homophily homophily;
  PairMean excitatory, inhibitory;  // over connections from one unit to another, by their weight's sign
  std::string by;
  std::vector<std::string> groups;
  std::vector<int32_t> group;                    // (unit)
  std::vector<PairMean> connected, unconnected;  // (group, group), symmetric
  PairMean within, between;                      // pairs of one group, and of two
  Silhouette silhouette;
};

// Over the held-out trials of `data`, of which each step of each trial is a sample. `populations`: the experiment's, in
// the model's order. Errors: no held-out trials, too many units, activity that is not finite, a grouping that no
// population has, or "cancelled" (`progress` gave false; it hears the part done).
Result<Coactivation> study_coactivation(const Model& model, const Dataset& data,
                                        const std::vector<Population>& populations, int64_t batch, Isa isa,
                                        Workers& workers, const CoactivationOptions& options = {},
                                        const std::function<bool(double)>& progress = nullptr);

}  // namespace dalea
