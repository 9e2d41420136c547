// What the window keeps of the Fit tab.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "analysis/fits.h"

namespace dalea::app {

struct FitsState {
  uint64_t network = 0;  // that was to be measured
  int64_t asked = -1;    // after so many updates
  // Made for `shown`: the units from the best predicted, for the plot; the table's rows in its order.
  std::shared_ptr<const Fits> shown;
  std::vector<size_t> ranked, rows;
  std::vector<double> x, network_r2, low, high, best, shuffled, ceiling;
  double least = 0;  // of the plot
  bool sort = false;
};

}  // namespace dalea::app
