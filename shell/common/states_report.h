// The files of `dalea states` and of the window's State space and Currents tabs.
#pragma once

#include <string>
#include <vector>

#include "analysis/blocks.h"
#include "analysis/states.h"
#include "common/figure.h"

namespace dalea {

struct StatesReport {
  std::string name;  // of the experiment
  Spec spec;
  double dt_s = 0;         // 0: steps have no time
  std::string population;  // whose components they are; empty: all units
  StateStudy study;
};

// The same with its currents between layers of areas, areas or types instead of populations, which `spec` then has in
// place of its own; an error: the populations have no such labels.
Result<StatesReport> states_at_level(const StatesReport& report, BlockLevel level);

// Of condition k: a series' colour; lighter and darker ones after the eighth.
Color condition_color(size_t k);
// Paths in the first two components, cumulative variance, mean currents; without components the currents alone.
plot::Figure states_figure(const StatesReport& report);
std::string states_projections_csv(const StatesReport& report);  // a row for each step of each trial with a path
std::string states_variance_csv(const StatesReport& report);     // a row for each component
std::string states_currents_csv(const StatesReport& report);     // a row for each pair, then input and bias

}  // namespace dalea
