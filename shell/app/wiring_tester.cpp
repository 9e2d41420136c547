#include "app/wiring_tester.h"

#include <algorithm>
#include <new>

#include "numerics/parallel.h"

namespace dalea::app {
namespace {

double wiring_seconds(std::chrono::steady_clock::time_point from) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
}

constexpr const char* no_memory =
    "There is not enough memory for this; make the network, training.batch or task.steps smaller";

}  // namespace

WiringTester::WiringTester(bool own_threads) : own_threads_(own_threads && threads_available()) {}

WiringTester::~WiringTester() {
  end_threads();
}

void WiringTester::end_threads() {
  stop_ = true;
  for (std::thread& t : threads_) t.join();
  threads_.clear();
  pumped_.reset();
}

Status WiringTester::start(const Spec& spec, std::shared_ptr<const Recording> recording, bool quick) {
  end_threads();
  Spec wanted = spec;
  if (quick) make_wiring_quick(wanted);
  if (Status ok = check_wiring_test(wanted); !ok) return ok;
  size_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    spec_ = std::move(wanted);
    quick_ = quick;
    recording_ = std::move(recording);
    data_ = nullptr;
    units_ = wiring_units(spec_);
    rows_.assign(units_.size(), {});
    parts_.assign(units_.size(), 0.0);
    next_ = over_ = 0;
    view_ = {};
    view_.running = true;
    view_.networks = static_cast<int64_t>(units_.size());
    began_ = Clock::now();
    count = std::min(units_.size(), static_cast<size_t>(std::clamp(hardware_threads(), 1, 8)));
  }
  stop_ = false;
  changed_ = true;
  if (!own_threads_) return {};
  for (size_t k = 0; k < count; ++k) threads_.emplace_back([this] { work(); });
  return {};
}

void WiringTester::stop() {
  end_threads();
  const std::lock_guard lock(mutex_);
  if (view_.running) view_.failure = "Stopped; start it again for a result";
  view_.running = false;
  changed_ = true;
}

WiringView WiringTester::view() const {
  const std::lock_guard lock(mutex_);
  WiringView v = view_;
  if (v.running) {
    v.seconds = wiring_seconds(began_);
    for (double p : parts_) v.part += p;
    v.part /= static_cast<double>(std::max<size_t>(1, parts_.size()));
  }
  return v;
}

bool WiringTester::begin() {
  const std::lock_guard lock(mutex_);  // the others wait for the data
  if (data_) return true;
  if (!view_.running) return false;
  Result<Dataset> data = make_dataset(spec_, recording_.get(), 0);
  if (!data) {
    view_.failure = data.error().text();
    view_.running = false;
    changed_ = true;
    return false;
  }
  data_ = std::make_shared<const Dataset>(std::move(*data));
  return true;
}

Result<std::unique_ptr<Trainer>> WiringTester::trainer_of(size_t unit) const {
  return wiring_trainer(spec_, units_[unit], *data_, TrainerOptions());
}

void WiringTester::take(size_t unit, const Trainer& trainer) {
  WiringRow row = wiring_row(trainer);
  bool last = false;
  {
    const std::lock_guard lock(mutex_);
    view_.failed += row.failure.empty() ? 0 : 1;
    rows_[unit] = std::move(row);
    parts_[unit] = 1;
    ++view_.finished;
    last = ++over_ == units_.size();
  }
  changed_ = true;
  if (last) conclude();
}

void WiringTester::fail(const Error& error) {
  stop_ = true;
  const std::lock_guard lock(mutex_);
  if (view_.running) view_.failure = error.text();
  view_.running = false;
  changed_ = true;
}

void WiringTester::conclude() {
  Result<WiringOutcome> outcome = wiring_outcome(spec_, *data_, units_, rows_);
  if (!outcome) return fail(outcome.error());
  auto report = std::make_shared<WiringReport>(wiring_report(spec_, *data_, units_, rows_, std::move(*outcome)));
  report->quick = quick_;
  const std::lock_guard lock(mutex_);
  view_.report = std::move(report);
  view_.running = false;
  view_.part = 1;
  view_.seconds = wiring_seconds(began_);
  changed_ = true;
}

void WiringTester::work() {
  try {
    if (!begin()) return;
    while (!stop_) {
      size_t unit = 0;
      {
        const std::lock_guard lock(mutex_);
        if (next_ == units_.size()) return;
        unit = next_++;
      }
      Result<std::unique_ptr<Trainer>> trainer = trainer_of(unit);
      if (!trainer) return fail(trainer.error());
      train(**trainer, stop_, [&](Trainer::Event event) {
        if (event != Trainer::Event::epoch) return;
        const std::lock_guard lock(mutex_);
        parts_[unit] = (*trainer)->progress();
      });
      if (stop_) return;
      take(unit, **trainer);
    }
  } catch (const std::bad_alloc&) {
    fail({"", no_memory});
  }
}

void WiringTester::pump(double seconds) {
  if (own_threads_ || stop_) return;
  {
    const std::lock_guard lock(mutex_);
    if (!view_.running) return;
  }
  try {
    if (!begin()) return;
    const Clock::time_point start = Clock::now();
    if (!pumped_) {
      if (next_ == units_.size()) return;
      pumped_unit_ = next_++;
      Result<std::unique_ptr<Trainer>> trainer = trainer_of(pumped_unit_);
      if (!trainer) return fail(trainer.error());
      pumped_ = std::move(*trainer);
    }
    while (!pumped_->finished() && wiring_seconds(start) < seconds) (void)pumped_->advance();
    if (!pumped_->finished()) {
      const std::lock_guard lock(mutex_);
      parts_[pumped_unit_] = pumped_->progress();
      changed_ = true;
      return;
    }
    const std::unique_ptr<Trainer> done = std::move(pumped_);
    take(pumped_unit_, *done);
  } catch (const std::bad_alloc&) {
    pumped_.reset();
    fail({"", no_memory});
  }
}

}  // namespace dalea::app
