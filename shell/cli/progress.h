// A progress bar on a terminal, a line per tenth elsewhere; on stderr.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "training/trainer.h"

namespace dalea::cli {

class Progress {
 public:
  Progress(const Trainer& trainer, bool quiet, std::string prefix);
  void update();
  void finish();

 private:
  void draw(bool last);

  const Trainer& trainer_;
  bool quiet_, terminal_;
  std::string prefix_;
  std::chrono::steady_clock::time_point start_, drawn_;
  int64_t first_update_;
  int tenths_ = -1;
};

// One line for runs that train side by side; any thread may call.
class RunsProgress {
 public:
  RunsProgress(int64_t runs, bool quiet);
  void begun(int64_t run, double part);  // `part` of it was done before: resumed
  void update(int64_t run, double part, double loss);
  void ended(int64_t run);
  void say(const std::string& text);  // a line of its own
  void finish();

 private:
  enum State { waiting, running, over };
  struct One {
    std::atomic<int> state{waiting};
    std::atomic<double> part{0}, loss{no_value};
  };
  void draw();

  bool quiet_, terminal_;
  std::chrono::steady_clock::time_point start_;
  std::vector<One> runs_;
  std::atomic<double> given_{0};  // runs' worth of work that was done before
  std::mutex drawing_;
  std::chrono::steady_clock::time_point drawn_;
  int tenths_ = -1;
};

}  // namespace dalea::cli
