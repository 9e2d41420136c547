// What the window keeps of the State space and Currents tabs.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "analysis/states.h"

namespace dalea::app {

struct StatesState {
  int axes = 0;   // components 1 and 2, 1 and 3, 2 and 3
  int level = 0;  // of the currents: populations, layers, areas
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
  // Currents at `level`, made for `currents_of`.
  std::shared_ptr<const StateStudy> currents_of;
  int currents_level = -1;
  Currents currents;
  std::vector<std::string> current_names;
};

}  // namespace dalea::app
