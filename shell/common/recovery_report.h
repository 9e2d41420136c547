// The files of `dalea recover` and of the window's Recovered connectivity.
#pragma once

#include <string>
#include <vector>

#include "analysis/recovery.h"
#include "common/figure.h"

namespace dalea {

// One network trained on one circuit's recording.
struct RecoveryPoint {
  uint64_t seed = 1;
  int64_t frames = 0;
  double density = 0;
  double network_loss = 0, linear_loss = 0;  // held out, on the same frames; linear_loss: ridge
  RecoveryStudy study;
};

struct RecoveryReport {
  std::string name;  // of the experiment
  std::vector<RecoveryPoint> points;
};

// What a reader should know of the numbers, in a sentence or two: what is above chance, and whether ridge does as well.
std::string recovery_verdict(const RecoveryStudy& study);
// Of one point: found weights against true ones, by sign, and their means by block, of the network and of ridge.
plot::Figure recovery_figure(const std::string& name, const RecoveryStudy& study);
// Of several: signs found and rank correlations, of pairs and of blocks, against the recording's length and the
// circuit's density; means over circuits with their 95 % interval as a band.
plot::Figure recovery_sweep_figure(const RecoveryReport& report);
std::string recovery_pairs_csv(const RecoveryStudy& study);     // a row for each pair of units
std::string recovery_points_csv(const RecoveryReport& report);  // a row for each point and method

}  // namespace dalea
