// Measures the workloads of `dalea bench` beside the window: on a thread of its own, or in pump() where there are none.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/bench.h"

namespace dalea::app {

struct SpeedView {
  bool running = false;
  std::string measuring;  // workload; empty: none
  double progress = 0;    // of it
  std::vector<BenchResult> results;
  std::string failure;
};

class Speed {
 public:
  Speed() = default;
  ~Speed();
  Speed(const Speed&) = delete;
  Speed& operator=(const Speed&) = delete;

  // Results of the same workload and threads are replaced.
  void start(std::vector<std::string> workloads, int threads, double seconds);
  void stop();  // asks; `running` turns false after the step at hand
  void pump();  // without a thread of its own: one training step
  SpeedView view() const;
  // Since the last call: what is measured, a result, a failure; or only how far the workload is. To draw costs time on
  // the processor that is measured, so the second is worth a frame now and then.
  bool changed();
  bool progressed();

 private:
  bool advance();  // one step of the job; false at its end

  mutable std::mutex mutex_;
  SpeedView view_;
  std::atomic<bool> stop_{false}, changed_{false}, progressed_{false};
  std::deque<std::string> waiting_;
  std::unique_ptr<Bench> bench_;
  BenchOptions options_;
  std::thread thread_;
};

}  // namespace dalea::app
