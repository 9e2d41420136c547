// Recurrent weights by the sign of the neuron they come from. Absent synapses are not counted.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "analysis/distributions.h"
#include "analysis/synapses.h"
#include "spec/spec.h"

namespace dalea {

struct SignWeights {
  int64_t synapses = 0, zero = 0;  // that exist; of these exactly 0
  double mean = 0, sd = 0;         // of those that exist; sd with synapses - 1, 0 for fewer than two
  Histogram histogram;             // of those that are not 0

  double share_zero() const { return synapses > 0 ? static_cast<double>(zero) / static_cast<double>(synapses) : 0.0; }
};
using WeightsBySign = std::array<SignWeights, 3>;  // excitatory, inhibitory, free (enum Sign)

// Edges over all weights of all matrices and over 0, which is one of them: no bin holds both signs. The width of a bin
// is 1, 2 or 5 times a power of ten, at least the range / bins, so that edges rest while weights change a little.
Result<std::vector<double>> edges_at_zero(std::span<const Synapses> matrices, int64_t bins);

// `sign`: of each unit.
Result<WeightsBySign> weights_by_sign(const Synapses& w, std::span<const Sign> sign, Values edges);

std::vector<Sign> signs_of(const std::vector<Population>& populations);  // per unit
const char* text_of(Sign sign);                                          // "excitatory", "inhibitory", "free"

}  // namespace dalea
