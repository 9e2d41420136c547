// What the window keeps of the State space and Currents tabs.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "analysis/states.h"

namespace dalea::app {

struct StatesState {
  int axes = 0;  // components 1 and 2, 1 and 3, 2 and 3
  uint64_t network = 0;
  int64_t asked = -1;  // the network was to be measured after so many updates
  // The paths of each condition in the two components, thinned, with gaps between trials; made for `shown`.
  struct Path {
    size_t condition = 0;
    std::vector<double> x, y;
    std::vector<int32_t> trial, step;  // of each point; -1: a gap
  };
  std::vector<Path> paths;
  std::vector<double> start_x, start_y;
  std::array<double, 4> limits{};  // x from, to; y from, to
  std::shared_ptr<const StateStudy> shown;
  int axes_shown = -1;
};

}  // namespace dalea::app
