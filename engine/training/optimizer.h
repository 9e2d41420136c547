// Optimizers, schedules and constraints: what happens to the parameters after the gradient is known.
#pragma once

#include <string>
#include <vector>

#include "network/model.h"
#include "numerics/parallel.h"

namespace dalea {

// Slots have the type of the parameters: first (Adam m, SGD momentum), second (Adam v, RMSprop mean square).
struct OptimizerState {
  int64_t steps = 0;
  double beta1_power = 1, beta2_power = 1;  // by repeated product (NUMERICS)
  Parameters first, second;
  Weights latent;  // rectified-forward: the stored W_rec, of which W_rec is the rectified image
};

// Learning rate of an epoch (0-based), per epoch. "cosine": the closed form of SEEDS 4.6,
// lr_min + (lr - lr_min)(1 + cos(pi epoch / t_max)) / 2, not restarted: period 2 t_max. "cosine-restarts": epoch mod
// t_max.
double learning_rate(const TrainingSpec& training, int64_t epoch);

class Optimizer {
 public:
  Optimizer() = default;
  Optimizer(const Spec& spec, const Model& model, Isa isa);

  // One update of all parameters that are not frozen, then the constraint (SEEDS 1.3, 1.4) on W_rec. Returns the name
  // of a parameter that is no longer finite (tested before the projection), or empty.
  std::string update(Model& model, Parameters& gradient, int64_t epoch, Workers& workers);

  OptimizerState state;

 private:
  void constrain(Model& model);

  TrainingSpec training_;
  Isa isa_ = Isa::scalar;
  std::vector<float> published_sign_;  // rectified as published: sign of the initial W_rec, +1 where it was 0
};

// Name of the first parameter with a NaN or Inf, or empty.
std::string first_not_finite(const Parameters& p);

}  // namespace dalea
