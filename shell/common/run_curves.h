// Learning curves over repeated runs: mean and sample standard deviation at every epoch (SEEDS 2.5, F7).
#pragma once

#include <string>
#include <vector>

#include "common/figure.h"
#include "training/trainer.h"

namespace dalea {

// The histories of one condition's runs. They may differ in length: each epoch counts those that have come so far.
struct RunCurves {
  std::string name;  // a constraint's has that constraint's colour
  std::vector<std::vector<EpochRecord>> runs;
};

// By epoch. `count`: the values that are finite; mean is no_value without any, sd (sample) with fewer than two.
struct CurveSpread {
  std::vector<double> mean, sd;
  std::vector<int64_t> count;
};
CurveSpread spread_of(const RunCurves& curves, double EpochRecord::*value);
// The same of one number a run; what is not finite is left out.
struct RunSpread {
  double mean = no_value, sd = no_value;
  int64_t count = 0;
};
RunSpread spread_of(const std::vector<double>& values);

bool has_accuracy(const RunCurves& curves);

// epoch, then for train, validation, held_out (and the accuracies of a task with classes) mean, sd and n; of several
// conditions, the condition stands first.
std::string curves_csv(const std::vector<RunCurves>& groups);

// Mean lines with bands of one sd on a logarithmic axis of losses, and a panel of accuracies for a task with classes.
// One group: train, validation and held out; several: held out of each. `unit` of the loss.
plot::Figure curves_figure(const std::vector<RunCurves>& groups, const std::string& title, const std::string& unit);

}  // namespace dalea
