// Where the state of a trained network goes, and what drives it: principal components of the activity, and the currents
// that populations send each other (weights times activity: a strong weight from a silent neuron moves nothing).
// Held-out trials, without noise. For reading and drawing: the last digits may differ between builds.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "network/pass.h"
#include "tasks/trials.h"

namespace dalea {

constexpr int64_t most_component_units = 1500;  // time grows with the third power, memory with the second
constexpr int64_t most_components = 8;
constexpr int64_t path_components = 3;

// Of samples of the units' activity. Variances are means over samples of squares about the mean.
struct Components {
  int64_t units = 0, count = 0;   // count = min(most_components, units)
  std::vector<double> mean;       // (unit)
  std::vector<double> variance;   // (component), descending
  double total = 0;               // variance of all units together, = the sum over all components
  double participation = 0;       // (sum of variances)^2 / sum of their squares, all components; 0: nothing varies
  std::vector<double> loadings;   // (component, unit): orthonormal rows; the largest of each row is positive
  double share(int64_t k) const;  // of the total; 0: nothing varies
  double share_of_first(int64_t components) const;
};

// `samples`: (sample, unit). An error: none, too many units, or a value that is not finite.
Result<Components> components_of(const std::vector<float>& samples, int64_t units, Workers& workers);

// Means over trials and steps, and over the units of the receiving population, in the unit of the drive (for leaky
// units before alpha). A step receives what was fed back in the step before, so the first one receives none; the
// recurrent currents, input and bias then add up to the mean drive.
struct Currents {
  std::vector<double> recurrent;     // (post population, pre population)
  std::vector<int64_t> connections;  // (post population, pre population): weights that are not 0
  std::vector<double> input, bias;   // (post population)
  std::vector<double> activity;      // (population): z, read out
  double total(size_t population) const;
};

struct StateStudy {
  int64_t trials = 0, steps = 0;
  std::vector<Range> populations;  // in the order of the spec
  Range of;                        // the units of the components
  Components components;           // count 0: none, for this reason:
  std::string no_components;
  int64_t shown = 0;        // trials that have a path: the first of the held-out ones
  std::vector<float> path;  // (trial < shown, step, path_components); 0 where there is no such component
  // What a trial asks for: "class" (the last one asked for), "final target" (sign of each output) or nothing in common.
  std::string condition_kind;
  std::vector<std::string> condition_names;
  std::vector<int32_t> condition;  // (trial)
  Currents currents;
};

// Over all held-out trials of `data`. `progress` hears after every minibatch of the part done, 0 .. 1, and gives false
// to cancel; it may be null. An error: there are none, no units in `of`, activity that is not finite, or "cancelled".
Result<StateStudy> study_states(const Model& model, const Dataset& data, int64_t batch, int64_t most_trials, Range of,
                                Isa isa, Workers& workers, const std::function<bool(double)>& progress = nullptr);

}  // namespace dalea
