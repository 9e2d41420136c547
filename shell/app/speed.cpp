#include "app/speed.h"

#include <algorithm>

#include "numerics/parallel.h"

namespace dalea::app {

Speed::~Speed() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void Speed::start(std::vector<std::string> workloads, int threads, double seconds) {
  if (view().running) return;
  if (thread_.joinable()) thread_.join();
  waiting_.assign(workloads.begin(), workloads.end());
  bench_.reset();
  options_ = {};
  options_.threads = threads_available() ? std::max(1, threads) : 1;
  options_.seconds = seconds;
  stop_ = false;
  {
    const std::lock_guard lock(mutex_);
    view_.running = !waiting_.empty();
    view_.failure.clear();
    view_.measuring.clear();
    view_.progress = 0;
  }
  changed_ = true;
  if (!threads_available() || !view().running) return;
  thread_ = std::thread([this] {
    while (advance()) {
    }
  });
}

void Speed::stop() {
  stop_ = true;
}

void Speed::pump() {
  if (!threads_available() && view().running) advance();
}

SpeedView Speed::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

bool Speed::changed() {
  return changed_.exchange(false);
}

bool Speed::progressed() {
  return progressed_.exchange(false);
}

bool Speed::advance() {
  std::string failure;
  bool more = !stop_;
  if (more && !bench_) {
    more = !waiting_.empty();
    if (more) {
      {
        const std::lock_guard lock(mutex_);
        view_.measuring = waiting_.front();
        view_.progress = 0;
      }
      changed_ = true;
      Result<std::unique_ptr<Bench>> made = Bench::create(waiting_.front(), options_);
      waiting_.pop_front();
      if (made)
        bench_ = std::move(*made);
      else
        failure = made.error().text();
    }
  } else if (more && bench_->advance()) {
    const std::lock_guard lock(mutex_);
    view_.progress = bench_->progress();
    progressed_ = true;
    return true;
  } else if (more) {
    Result<BenchResult> r = bench_->result();
    bench_.reset();
    const std::lock_guard lock(mutex_);
    if (r) {
      std::erase_if(view_.results,
                    [&](const BenchResult& old) { return old.workload == r->workload && old.threads == r->threads; });
      view_.results.push_back(*r);
    } else {
      failure = r.error().text();
    }
  }
  {
    const std::lock_guard lock(mutex_);
    if (!failure.empty()) view_.failure = failure;
    if (!more) {
      bench_.reset();
      view_.running = false;
      view_.measuring.clear();
    }
  }
  changed_ = true;
  return more;
}

}  // namespace dalea::app
