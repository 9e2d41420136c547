// What `dalea prune` found, as a table, CSV and JSON.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/figure.h"
#include "pruning/sweep.h"

namespace dalea::cli {

struct Retrained {
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
  std::optional<Retrained> retrained;
};

struct PruneReport {
  std::string name, unit, isa, out;
  int threads = 1;
  SweepOptions options;
  std::vector<PrunedNetwork> networks;
  std::vector<std::string> files;
};

std::string report_csv(const PruneReport& report);  // a row for each network, method, sparsity and draw
std::string report_json(const PruneReport& report);
// Error and surviving spanning tree against sparsity, mean and sd; nothing to draw with fewer than two sparsities.
std::optional<plot::Figure> report_figure(const PruneReport& report);
void print_report(const PruneReport& report);  // to stdout

}  // namespace dalea::cli
