// One run of `dalea run`: trains it, saves it in its folder, says what came out.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "training/trainer.h"

namespace dalea::cli {

struct RunResult {
  ExitCode code = done;
  nlohmann::json object;             // as --json prints it; null: cancelled
  std::vector<EpochRecord> history;  // so far
  std::string failure;               // why it has no result, or diverged
  int64_t updates = 0;
};

// Who is told how a run goes. Each run calls its own, on the thread that trains it.
class RunWatch {
 public:
  virtual ~RunWatch() = default;
  virtual void begun(const Trainer& trainer) = 0;
  virtual void trained(const Trainer& trainer) = 0;  // a step further
  virtual void ended() = 0;
  virtual void complain(const Error& error) = 0;
};

class OneRun {
 public:
  OneRun(const RunOptions& options, const Spec& spec, const Sources& sources, Isa isa, int64_t run, int threads,
         std::string out);
  ~OneRun();
  RunResult go(RunWatch& watch);

 private:
  RunResult refuse(RunWatch& watch, const Error& error, ExitCode code);
  Status resume();
  Status save();
  Status save_checkpoints();
  nlohmann::json describe(double seconds_per_epoch, double seconds);
  nlohmann::json describe_stages() const;

  const RunOptions& options_;
  const Spec& spec_;
  const Sources& sources_;
  Isa isa_;
  int64_t run_;
  int threads_;
  std::string out_;
  std::unique_ptr<Trainer> trainer_;
  // Of the epochs trained here: before the pruning, after it.
  struct Timed {
    int64_t epochs = 0;
    double seconds = 0;
  } timed_[2];
};

// `runs: N`, side by side; prints their results.
int run_several(const RunOptions& options, const Spec& spec, const Sources& sources, Isa isa);

}  // namespace dalea::cli
