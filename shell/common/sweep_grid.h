// Grids of experiments: {"dalea_sweep": 1, "experiment": ..., "grid": {"training.optimizer.lr": [1e-3, 1e-4], ...},
// "iterations": 5, "set": ["training.epochs=50"]}. Every combination of the values is an experiment, and each is run
// `iterations` times: with the seed of the experiment and the run numbers 0, 1, ..., as `runs` does it. With "from":
// PATH all start from the recurrent weights of a session (session/transfer.h), or of the same run of another sweep,
// whose folder it is.
#pragma once

#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "spec/spec.h"

namespace dalea {

struct SweepAxis {
  std::string path;                 // "task.length"
  std::vector<std::string> values;  // JSON, as written in the file but for spaces
};

struct SweepPlan {
  std::string name;  // of the experiment
  std::vector<SweepAxis> axes;
  int64_t iterations = 5;
  std::vector<Spec> combinations;            // the first axis changes slowest
  std::vector<std::vector<size_t>> choices;  // (combination, axis): which value
  std::string from;                          // as given; empty: all start from their own weights
  std::string sha256;                        // of all that decides the results

  int64_t runs() const { return static_cast<int64_t>(combinations.size()) * iterations; }
  // Run k: combination k / iterations, its run number k % iterations.
  const Spec& spec_of(int64_t k) const { return combinations[static_cast<size_t>(k / iterations)]; }
  std::string value_text(size_t combination, size_t axis) const;  // of a text without its quotes
  std::string label(size_t combination) const;                    // "lr 0.001, length 5"
  std::string folder(int64_t k) const;                            // "run-0001"
};

constexpr int64_t most_sweep_runs = 100000;

// The JSON text of an experiment that a grid names.
using OpenExperiment = std::function<Result<std::string>(const std::string& name)>;

// Strict, as parse_spec. `set` is applied after the grid file's own, before the grid's values.
struct ReadSweep {
  SweepPlan plan;
  Problems problems;  // empty: good
};
ReadSweep read_sweep(std::string_view json, const OpenExperiment& open, const std::vector<std::string>& set = {});

// Of a curve of losses, one an epoch, without its first one (SEEDS 6.6). Losses that are not finite are left out.
struct Convergence {
  double minimum = std::numeric_limits<double>::quiet_NaN();
  int64_t epoch = 0;     // of the minimum, 1-based as in the curves; 0: there is none
  int64_t epoch_99 = 0;  // the first within 1 % of the curve's range of the minimum
};
Convergence convergence_of(const std::vector<double>& losses);

// A Slurm job array, one task a run. `command`: the arguments that start a run but for --task, quoted here.
std::string slurm_script(const std::vector<std::string>& command, int64_t runs);

}  // namespace dalea
