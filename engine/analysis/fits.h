// How well a network predicts the held-out part of a recording, unit by unit, beside predictions that need no network.
// Scored targets alone count; missing values never do. Everything is float64 in a fixed order: the same numbers from
// any number of threads.
//
// R2 = 1 - SSE / SST, with SST about the mean of the held-out targets themselves: 0 is as good as knowing that mean,
// and a prediction can be below it. Of a group of units R2 = 1 - sum SSE / sum SST, and the correlation (Pearson) is
// the mean of its units'. A unit that does not vary in the held-out part has neither and belongs to no group.
//
// Intervals: 95 %, percentiles of the same numbers over moving blocks in time (Kuensch 1989), drawn jointly for all
// units and predictors, so that differences are paired.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "network/pass.h"
#include "tasks/trials.h"
#include "training/trainer.h"

namespace dalea {

constexpr int64_t most_blocks = 200;     // that the held-out part is cut into
constexpr size_t most_fit_groups = 64;   // the largest
constexpr double few_blocks = 10;        // with fewer than this an interval is rough
constexpr int64_t shuffled_inputs = 20;  // permutations of the units
constexpr int64_t ceiling_splits = 100;  // of the repeats into halves
constexpr int64_t bootstrap_draws = 1000;

enum class Predictor { network, last_frame, ar1, linear };
constexpr size_t predictor_count = 4;
const char* predictor_name(Predictor predictor);  // "network", "last frame", "AR(1)", "linear"

// NaN where there is none.
struct Estimate {
  double value = no_value, low = no_value, high = no_value;
};

struct UnitFit {  // or a group's
  std::string name;
  int64_t units = 1;   // with an R2
  int64_t values = 0;  // scored
  std::array<Estimate, predictor_count> r2, correlation;
  double shuffled_r2 = no_value;  // of the network, its inputs permuted among units; mean over permutations
  Predictor best =
      Predictor::last_frame;         // the baseline with the largest R2 here: chosen after the fact, in its favour
  Estimate difference;               // R2 of the network minus that of `best`
  double ceiling = no_value;         // explainable share of variance, see noise_ceiling()
  int64_t wins = 0, clear_wins = 0;  // units whose difference is above 0; whose whole interval is
  const Estimate& of(Predictor p) const { return r2[static_cast<size_t>(p)]; }
};

struct Fits {
  int64_t trials = 0, frames = 0;    // held out; frames: that are predicted
  int64_t block = 0, draws = 0;      // frames a block; draws 0: no intervals
  int64_t permutations = 0;          // of the shuffled inputs
  std::vector<UnitFit> units;        // in the order of the recording
  std::vector<UnitFit> groups;       // all units; then those that share labels (two or more units)
  std::string shuffled_among;        // "all units", "units of the same labels"
  std::string no_ceiling;            // why; empty: there is one
  std::vector<std::string> remarks;  // sentences: few blocks, units that do not vary
  double blocks() const { return block > 0 ? static_cast<double>(frames) / static_cast<double>(block) : 0.0; }
};

// Of each unit of a recording: its labels in a word ("V1 L2/3 pyr", else "excitatory"); empty where there are none.
std::vector<std::string> unit_labels(const Recording& recording);

// The measurement, in pieces, so that a window can go on meanwhile.
class FitJob {
 public:
  // Takes a copy of the network; `data` and `workers` must outlive the job. `labels`: of the outputs; empty: none.
  // An error: no recording's data, or nothing is held out.
  static Result<std::unique_ptr<FitJob>> create(Model model, const Dataset& data, std::vector<std::string> labels,
                                                uint64_t seed, int64_t batch, Isa isa, Workers& workers);
  ~FitJob();
  // A minibatch or a unit (`small`: one time step of one instead). True when it is done.
  bool advance(bool small = false);
  double progress() const;  // 0 .. 1
  Result<Fits> result();    // when done; an error: the network's predictions are not finite

 private:
  struct Work;
  explicit FitJob(std::unique_ptr<Work> work);
  std::unique_ptr<Work> work_;
};

// All of it. An error also when it was cancelled (`cancel` may be null).
Result<Fits> measure_fits(const Model& model, const Dataset& data, std::vector<std::string> labels, uint64_t seed,
                          int64_t batch, Isa isa, Workers& workers, const std::atomic<bool>* cancel = nullptr);

// Reliability of repeated trials, per unit: the repeats of each kind are split in halves at random, the halves'
// averages correlated over steps and kinds; r, the mean over splits, is the reliability of an average over one half.
// Spearman (1910) and Brown (1910) give that of an average over both halves, 2 r / (1 + r), and of one trial,
// r / (m - (m - 1) r), m: trials in a half: the share of a single trial's variance that its repeats explain. A
// prediction from the trial's own past may exceed it, since noise that lasts can be foreseen.
struct Ceiling {
  double of_trial = no_value, of_average = no_value;  // 0 where r is not positive; NaN: no repeats, or no variance
};
// `trials`: (trial, step, unit), NaN: missing; `kind`: (trial).
std::vector<Ceiling> noise_ceiling(std::span<const float> trials, std::span<const int32_t> kind, int64_t steps,
                                   int64_t units, uint64_t seed, int64_t splits = ceiling_splits);

// The training error still falls, that of the validation part (or, without one, the held-out part) does not any more.
// Of means over 3 epochs: the lowest error of the later part lies at least 5 epochs and a fifth of all epochs back, is
// exceeded by 5 % or more at the end, and the training error has fallen by 5 % or more since. Below 10 epochs: no.
struct Overfit {
  bool warns = false;
  bool validation = false;  // else by the held-out part
  int64_t epoch = 0;        // the middle one of the three with the lowest error
  double least = no_value, last = no_value;
  double train_then = no_value, train_last = no_value;
  std::string text() const;  // a sentence; empty: nothing to warn of
};
Overfit overfit_of(const std::vector<EpochRecord>& history);

}  // namespace dalea
