// What pruning a network, or several runs of one, found: the files of `dalea prune` and of the window.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/figure.h"
#include "pruning/sweep.h"

namespace dalea {

struct RetrainedNetwork {
  double pruned = 0, after = 0;  // whole held-out split, before and after
  int64_t epochs = 0;
  double seconds_per_epoch = 0;
  std::string hash, out;
  Audit violations;
};

struct PrunedNetwork {
  std::string session;
  int64_t run = 0;
  uint64_t seed = 0;
  std::string hash, data_sha256;
  double dense = 0;  // whole held-out split
  Sweep sweep;
  std::optional<RetrainedNetwork> retrained;
};

struct PruneStudy {
  std::string name, unit, isa, out;
  int threads = 1;
  SweepOptions options;
  std::vector<PrunedNetwork> networks;
  std::vector<std::string> files;
};

// A point of every network, or of the only one: over runs the sd is of the runs' means over draws.
struct PruneRow {
  PruneMethod method = PruneMethod::random;
  double sparsity = 0, density = 0, effective = 0, mean = 0, sd = 0, overlap = 0, random = 0;
  double accuracy = 0, accuracy_sd = 0;  // NaN: no classes
};
std::vector<PruneRow> prune_rows(const PruneStudy& study);

// NaN where a value is not finite; sd with runs - 1, 0 for one run.
struct OverRuns {
  double mean = 0, sd = 0;
};
OverRuns over_runs(const std::vector<double>& values);

bool has_classes(const PruneStudy& study);             // a task with classes
bool has_area(const PruneStudy& study);                // several sparsities
const char* prune_judged_on(const PruneStudy& study);  // what the errors are of

std::string prune_csv(const PruneStudy& study);  // a row for each network, method, sparsity and draw
// Error and surviving spanning tree against sparsity, mean and sd; nothing to draw with fewer than two sparsities.
std::optional<plot::Figure> prune_figure(const PruneStudy& study);

}  // namespace dalea
