// A wiring test in the window: the networks of common/wiring_plan.h, a few at a time on threads of their own, or in
// pump() where there are none. No user interface here.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/wiring_report.h"

namespace dalea::app {

struct WiringView {
  bool running = false;
  double part = 0, seconds = 0;
  int64_t finished = 0, networks = 0, failed = 0;
  std::string failure;                         // of the test
  std::shared_ptr<const WiringReport> report;  // null: nothing yet
};

class WiringTester {
 public:
  explicit WiringTester(bool own_threads);
  ~WiringTester();
  WiringTester(const WiringTester&) = delete;
  WiringTester& operator=(const WiringTester&) = delete;

  // In place of the one before. `quick`: 9 nulls, 2 seeds, fewer epochs. An error says what the test needs.
  Status start(const Spec& spec, std::shared_ptr<const Recording> recording, bool quick);
  void stop();  // nothing is kept of a test that did not come to its end
  WiringView view() const;
  void pump(double seconds);
  bool changed() { return changed_.exchange(false); }  // since the last call

 private:
  using Clock = std::chrono::steady_clock;
  void work();
  bool begin();  // reads the data; false: failed
  Result<std::unique_ptr<Trainer>> trainer_of(size_t unit) const;
  void take(size_t unit, const Trainer& trainer);  // a finished one
  void fail(const Error& error);
  void conclude();
  void end_threads();

  bool own_threads_;
  mutable std::mutex mutex_;
  Spec spec_;
  bool quick_ = false;
  std::shared_ptr<const Recording> recording_;
  std::shared_ptr<const Dataset> data_;
  std::vector<WiringUnit> units_;
  std::vector<WiringRow> rows_;
  std::vector<double> parts_;  // of each network
  size_t next_ = 0;            // not begun yet
  size_t over_ = 0;
  WiringView view_;
  Clock::time_point began_{};
  std::atomic<bool> stop_{false}, changed_{false};
  std::vector<std::thread> threads_;
  std::unique_ptr<Trainer> pumped_;  // pump()'s
  size_t pumped_unit_ = 0;
};

}  // namespace dalea::app
