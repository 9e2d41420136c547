// What the window keeps of the recovered connectivity.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "analysis/recovery.h"

namespace dalea::app {

struct RecoveryState {
  bool open = false;    // in place of the traces
  bool linear = false;  // what ridge regression found, in place of the network
  // Found against true weights: excitatory, inhibitory, absent; made for `shown`.
  struct Points {
    std::vector<double> x, y;
    std::vector<int32_t> to, from;
  };
  std::array<Points, 3> points;
  std::array<double, 4> limits{};  // x from, to; y from, to
  std::shared_ptr<const RecoveryStudy> shown;
  bool linear_shown = false;
};

}  // namespace dalea::app
