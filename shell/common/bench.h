// Measured training steps of the workloads that the field uses, the same natively, under node and in the page.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "training/trainer.h"

namespace dalea {

struct BenchOptions {
  int threads = 1;
  Isa isa = best_isa();
  double seconds = 2;  // of measured steps, per workload
};

struct BenchResult {
  std::string workload;
  std::string shape;               // "N 128, T 50, batch 200"
  double ms_per_step = 0;          // median of a whole training step: forward, backward, optimizer, projection
  double ms_low = 0, ms_high = 0;  // quartiles
  int64_t steps = 0;               // measured
  double gflops = 0;               // multiplications and additions of all products and gradients, over the median
  double peak_gflops = 0;          // measured here: independent multiply then add, in this instruction set, all threads
  double fused_gflops = 0;         // the same with fused multiply-add; 0: not in this instruction set
  int64_t bytes = 0;               // held by the trainer: weights, optimizer, activity, data
  int64_t synapses = 0;            // recurrent
  int threads = 1;
  std::string isa;
  double ns_per_synapse = 0;  // of a step, per recurrent synapse, trial and time step
};

// flip-flop, mnist, wave, cell-type-dense, cell-type-sparse, large-sparse.
const std::vector<std::string>& bench_workloads();
// The workload's experiment, and its trainer (mnist: synthetic rows of digits' shape).
Result<Spec> bench_spec(const std::string& workload);
Result<std::unique_ptr<Trainer>> bench_trainer(const std::string& workload, const Spec& spec,
                                               const TrainerOptions& options);

// One workload being measured, a training step at a time.
class Bench {
 public:
  static Result<std::unique_ptr<Bench>> create(const std::string& workload, const BenchOptions& options);
  // The same for an experiment of one's own (flip-flop, wave or simulated recording).
  static Result<std::unique_ptr<Bench>> create(const std::string& name, const Spec& experiment,
                                               const BenchOptions& options);
  bool advance();           // one training step; false when there is nothing left to do
  double progress() const;  // 0 to 1
  Result<BenchResult> result();

 private:
  Bench(std::string name, std::unique_ptr<Trainer> trainer, const BenchOptions& options);

  std::string name_;
  std::unique_ptr<Trainer> trainer_;
  BenchOptions options_;
  int warm_ = 0;
  double warm_s_ = 0, spent_s_ = 0;
  bool failed_ = false;
  std::vector<double> ms_;
};

std::string bench_json(const std::vector<BenchResult>& results);  // a list of objects
std::string bench_csv(const std::vector<BenchResult>& results);
std::string bench_table(const std::vector<BenchResult>& results);

// GFLOP/s of one thread: independent chains of a multiplication and an addition (fused: of both in one instruction).
double measured_peak(Isa isa);
double measured_fused_peak(Isa isa);

}  // namespace dalea
