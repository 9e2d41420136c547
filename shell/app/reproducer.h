// A reproduction beside the window: on threads of its own, or in pump() where there are none. Networks are kept in
// memory until the window closes, so that another figure finds those it shares. No user interface here.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "app/live.h"
#include "common/reproduce_study.h"

namespace dalea::app {

struct ReproducerView {
  bool running = false, finished = false;
  reproduce::Options options;           // of what runs or ran
  std::vector<reproduce::Job> jobs;     // empty: nothing was started
  std::vector<reproduce::JobView> now;  // of each job
  double part = 0, seconds_left = -1;   // below 0: not known yet
  std::string failure;
  std::shared_ptr<const reproduce::Output> output;  // null: not finished
};

// Of a report made in the window.
ReportProvenance window_provenance(uint64_t first_seed, std::string command, std::string machine);

class Reproducer {
 public:
  Reproducer();
  ~Reproducer();
  Reproducer(const Reproducer&) = delete;
  Reproducer& operator=(const Reproducer&) = delete;

  // Options are checked here: what is wrong with them becomes the view's failure. `threads`: networks at once.
  void start(const reproduce::Options& options, DigitsPtr digits, int threads, const std::string& platform);
  void stop();  // asks; what was trained is kept, and the next start goes on from there
  void pump();  // without a thread of its own: one small piece of work
  ReproducerView view() const;
  bool changed();  // since the last call

 private:
  class Memory;
  void finish();

  std::unique_ptr<Memory> memory_;
  mutable std::mutex mutex_;
  std::shared_ptr<reproduce::Study> study_;
  std::unique_ptr<reproduce::Study::Work> work_;  // without threads
  ReproducerView view_;
  std::chrono::steady_clock::time_point start_;
  double seen_part_ = -1;
  std::string platform_;
  std::thread thread_;
  std::atomic<bool> changed_{false};
};

}  // namespace dalea::app
