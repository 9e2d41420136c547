// `dalea reproduce planted` beside the window, on threads of its own: whether the comparison of conditions finds a
// change that was planted in a simulated circuit. No user interface here.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "common/planted.h"

namespace dalea::app {

struct PlantedView {
  bool running = false;
  planted::Options options;            // of what runs or ran
  double part = 0, seconds_left = -1;  // below 0: not known yet
  std::string failure;
  std::shared_ptr<const planted::Study> study;           // null: not finished
  std::shared_ptr<const planted::PlantedReport> report;  // of it
};

class PlantedStudy {
 public:
  PlantedStudy() = default;
  ~PlantedStudy();
  PlantedStudy(const PlantedStudy&) = delete;
  PlantedStudy& operator=(const PlantedStudy&) = delete;

  // What is wrong with the options becomes the view's failure; so does a program without threads, whose window would
  // stand still for minutes.
  void start(const planted::Options& options, int threads, const std::string& platform);
  void stop();  // asks; nothing is kept of an unfinished study, what was finished before stays
  PlantedView view() const;
  bool changed();  // since the last call; progress counts by half percents

 private:
  void work(const planted::Options& options, int threads, const std::string& platform);

  mutable std::mutex mutex_;
  PlantedView view_;
  std::chrono::steady_clock::time_point start_;
  double seen_part_ = 0;
  std::atomic<bool> stop_{false}, changed_{false};
  std::thread thread_;
};

}  // namespace dalea::app
