// What a Spec builds: index ranges, signs, masks and initial weights. Only the trainer changes a Model.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "error.h"
#include "numerics/kernels.h"
#include "numerics/weights.h"
#include "spec/spec.h"

namespace dalea {

struct Range {
  int64_t begin = 0, end = 0;
  int64_t size() const { return end - begin; }
  bool operator==(const Range&) const = default;
};

// All parameters, in the order of the hash. Biases are (units, 1); absent ones have no rows.
struct Parameters {
  Weights W_in;                       // (unit, channel)
  Weights b_in;                       // (unit, 1)
  Weights W_rec;                      // (post, pre): a column is a presynaptic neuron and carries its sign
  Weights b_rec;                      // (unit, 1)
  std::vector<Weights> W_out, b_out;  // per readout: (output, unit within the readout's range), (output, 1)

  // The k-th of them, k < size().
  size_t size() const { return 4 + W_out.size() + b_out.size(); }
  Weights& operator[](size_t k);
  const Weights& operator[](size_t k) const { return const_cast<Parameters&>(*this)[k]; }
  std::vector<Weights*> all();
  std::vector<const Weights*> all() const;
};
Parameters zeros_like(const Parameters& p);
uint64_t hash_of(const Parameters& p);  // NUMERICS, The hash

// A linear readout of z (unmasked activity) of a range of units into a range of output channels.
struct Readout {
  Range units, outputs;
};

struct Model {
  int64_t units = 0, inputs = 0, outputs = 0;
  std::vector<Range> populations;  // unit index ranges, in the order of the spec
  std::vector<int8_t> sign;        // per unit: +1, -1, 0 (free)
  std::vector<float> alpha;        // per unit dt / tau; empty: no unit is leaky
  double noise = 0;
  Activation activation = Activation::tanh;
  bool rectified = true;  // feed back z where z > 0, else 0 (SEEDS 1.1)
  Activation output = Activation::identity;
  std::vector<Readout> readouts;
  Parameters parameters;
};

// What a task asks of the network's ends.
struct Ends {
  int64_t inputs = 1, outputs = 1;
  Activation output = Activation::identity;
  // Populations' signs that feed each output: empty: one readout of all units. Else readout r reads the units of sign
  // r_sign[r] into output r (wave: excitatory, inhibitory; SEEDS 2.4).
  std::vector<Sign> readout_signs;
};

// Signed uniform initialisation (SEEDS 1.2): |W| ~ U(0, 1/sqrt N) with the column's sign, free columns
// U(-1/sqrt N, 1/sqrt N); W_in and biases U(-1/sqrt N, 1/sqrt N); readouts U(-1/sqrt fan_in, 1/sqrt fan_in).
// network.init xavier and he: W_in, W_rec and readouts with bounds sqrt(6 / (fan_in + fan_out)) and sqrt(6 / fan_out)
// of the whole matrix; lognormal: |W_rec| of the uniform's mean, log |W_rec| normal with sd init_sd.
// Draws depend on (seed, run) and the entry alone: a mask leaves the other entries as they were.
// `mask`: of W_rec, in place of the spec's probabilities (a pruned network's); null: the spec's, which is `known` where
// it was found before.
Model build_model(const Spec& spec, const Ends& ends, int64_t run, std::shared_ptr<const Pattern> mask = nullptr,
                  std::shared_ptr<const Pattern> known = nullptr);

// The connection mask of the spec's rules (network/rules.h) or of its connectome, (post, pre); null when every
// connection exists. Of an experiment that stages prune: only what can never exist is missing.
std::shared_ptr<const Pattern> sample_pattern(const Spec& spec, int64_t run);

// Whether W_rec holds only what is on the mask: as connectivity.storage says, with "auto" below a third of all entries.
bool stored_sparse(const Spec& spec, const Pattern* mask);
// The values of w on the mask and +0 off it, stored dense or sparse, however w is stored.
Weights on_mask(const Weights& w, std::shared_ptr<const Pattern> mask, bool sparse);

// Constraint audit: entries of W_rec with the wrong sign; entries that are non-zero off the mask.
struct Audit {
  int64_t sign = 0, mask = 0;
};
Audit audit(const Model& model, const Pattern* mask);

// Dale's projection (SEEDS 1.3): an entry whose sign differs from its column's becomes +0. Idempotent.
void project_signs(Weights& w, const std::vector<int8_t>& sign);

}  // namespace dalea
