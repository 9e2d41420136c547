// One run of a sweep in a folder of its own: any number of processes may work on the same sweep.
#pragma once

#include <array>
#include <atomic>

#include "analysis/graph.h"
#include "common/sweep_grid.h"
#include "training/trainer.h"

namespace dalea {

struct SweepRunOptions {
  Isa isa = best_isa();
  int threads = 1;
  double save_every_s = 30;
  std::string platform;                       // for the session
  const std::atomic<bool>* cancel = nullptr;  // null: runs to the end
  std::function<Result<Dataset>(Spec& spec, int64_t run)> make_data;
  // Where the run starts, when not from its own weights; may be null.
  std::function<Status(const Spec& spec, const Ends& ends, int64_t run, TrainerOptions& to)> start = nullptr;
  std::function<void(const Trainer& trainer, bool begun)> on_step = nullptr;  // on the thread that trains
};

enum class SweepEnd { finished, was_finished, busy, cancelled };

// Trains run k in OUT/run-000K, from its session.npz where it has one, and writes result.json when it is finished; a
// finished one is left alone. While it works it holds a lock on the folder's file `lock`, which the system takes away
// from a process that dies: `busy`, another one holds it. Networks that became not finite are finished, with the reason
// in their result.
Result<SweepEnd> run_of_sweep(const SweepPlan& plan, int64_t k, const std::string& out, const SweepRunOptions& options);

// OUT/sweep.json says which sweep a folder holds. Errors: it holds another one.
Status claim_sweep_folder(const SweepPlan& plan, const std::string& out);
bool holds_sweep(const std::string& out);

// Measures of a run's network (analysis/graph.h); NaN: not there. Of the mask those without sizes. Communicability and
// spectral radius are measured up to so many units; networks beyond most_swept_units are not measured.
using NetworkMeasures = std::array<double, measure_count>;
constexpr int64_t most_swept_dense = 600, most_swept_units = 4000;
NetworkMeasures no_measures();

// What run k left.
struct SweepRow {
  bool there = false;
  std::string hash, failure;  // failure: became not finite
  double train = no_value, validation = no_value, held_out = no_value, accuracy = no_value;
  std::vector<EpochRecord> history;
  NetworkMeasures mask = no_measures(), weights = no_measures();  // W_rec's mask at the start, its weights at the end
  std::vector<double> tracked() const;  // held-out losses by epoch; validation losses where nothing is held out
};
Result<std::vector<SweepRow>> read_sweep_rows(const SweepPlan& plan, const std::string& out);

}  // namespace dalea
