#include "app/planted_study.h"

#include <new>

#include "app/reproducer.h"
#include "numerics/parallel.h"

namespace dalea::app {

PlantedStudy::~PlantedStudy() {
  stop();
  if (thread_.joinable()) thread_.join();
}

void PlantedStudy::start(const planted::Options& wanted, int threads, const std::string& platform) {
  if (view().running) return;
  if (thread_.joinable()) thread_.join();
  const Result<planted::Options> options = planted::check(wanted);
  {
    const std::lock_guard lock(mutex_);
    view_.failure.clear();
    if (!options) {
      view_.failure = options.error().text();
    } else if (!threads_available()) {
      view_.failure =
          "This page has no threads, and without them it would stand still for minutes. On the command line: " +
          planted::command_of(*options);
    } else {
      view_ = {};
      view_.options = *options;
      view_.running = true;
      start_ = std::chrono::steady_clock::now();
      stop_ = false;
    }
  }
  changed_ = true;
  if (!view().running) return;
  thread_ = std::thread([this, options = *options, threads, platform] {
    try {
      work(options, threads, platform);
    } catch (const std::bad_alloc&) {
      const std::lock_guard lock(mutex_);
      view_.failure = "There is not enough memory for this; take fewer runs";
      view_.running = false;
    }
    changed_ = true;
  });
}

void PlantedStudy::work(const planted::Options& options, int threads, const std::string& platform) {
  Result<planted::Study> study = planted::study(options, best_isa(), threads, [this](double part) {
    const std::lock_guard lock(mutex_);
    view_.part = part;
    return !stop_;
  });
  const std::string machine = platform + ", " + std::to_string(threads) + " threads";
  Result<planted::PlantedReport> report =
      study ? planted::report(*study, window_provenance(options.first_seed, planted::command_of(options), machine))
            : Result<planted::PlantedReport>(study.error());
  const std::lock_guard lock(mutex_);
  view_.running = false;
  if (!report) {
    if (!stop_) view_.failure = report.error().text();
    return;
  }
  view_.study = std::make_shared<const planted::Study>(std::move(*study));
  view_.report = std::make_shared<const planted::PlantedReport>(std::move(*report));
}

void PlantedStudy::stop() {
  stop_ = true;
}

PlantedView PlantedStudy::view() const {
  const std::lock_guard lock(mutex_);
  PlantedView v = view_;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  if (v.running && v.part > 0.01 && seconds > 1) v.seconds_left = (1 - v.part) * seconds / v.part;
  return v;
}

bool PlantedStudy::changed() {
  const PlantedView v = view();
  const bool moved = v.running && v.part > seen_part_ + 0.005;
  if (moved || !v.running) seen_part_ = v.running ? v.part : 0;
  return changed_.exchange(false) || moved;
}

}  // namespace dalea::app
