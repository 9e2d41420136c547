// Orders in which a network's units can be shown: always within their populations.
#pragma once

#include <cstdint>
#include <vector>

#include "app/live.h"

namespace dalea::app {

enum class Sorting { as_built, peak_time, selectivity };
constexpr const char* sorting_names[] = {"as built", "by time of peak", "by selectivity"};

// Which unit stands at each place; empty: as built. By the trial that is given:
// peak_time: the step of the largest |activity|; selectivity: the target that the activity correlates with most, in the
// order of the targets, then the correlation, largest first. Units without either (constant ones) come last.
std::vector<int32_t> unit_order(const std::vector<PopulationView>& populations, const TraceView& trial,
                                Sorting sorting);

}  // namespace dalea::app
