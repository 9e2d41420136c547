#include "app/reproducer.h"

#include <algorithm>

#include "numerics/parallel.h"

namespace dalea::app {

using namespace reproduce;

ReportProvenance window_provenance(uint64_t first_seed, std::string command, std::string machine) {
  ReportProvenance where;
  where.program = "Dalea, in the window";
  where.version = std::string(dalea_version) + ", numerics " + std::to_string(numerics_version);
  where.seed = std::to_string(first_seed) + " and the ones after it";
  where.command = std::move(command);
  where.more = {{"Machine", std::move(machine)}};
  return where;
}

class Reproducer::Memory : public Store {
 public:
  Result<std::optional<std::vector<std::byte>>> load(const std::string& name) override {
    const std::lock_guard lock(mutex_);
    const auto it = files_.find(name);
    if (it == files_.end()) return std::optional<std::vector<std::byte>>{};
    return std::optional<std::vector<std::byte>>(it->second);
  }
  Status save(const std::string& name, const std::vector<std::byte>& bytes) override {
    const std::lock_guard lock(mutex_);
    files_[name] = bytes;
    return {};
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<std::byte>> files_;
};

Reproducer::Reproducer() : memory_(std::make_unique<Memory>()) {}

Reproducer::~Reproducer() {
  stop();
  if (thread_.joinable()) thread_.join();
}

void Reproducer::start(const reproduce::Options& wanted, DigitsPtr digits, int threads, const std::string& platform) {
  if (view().running) return;
  if (thread_.joinable()) thread_.join();
  work_.reset();
  changed_ = true;
  Result<reproduce::Options> options = check(wanted);
  const std::lock_guard lock(mutex_);
  view_ = {};
  if (!options) {
    view_.failure = options.error().text();
    return;
  }
  if (digits == nullptr && std::find(options->tasks.begin(), options->tasks.end(), "digits") != options->tasks.end()) {
    view_.failure =
        "The task of the digits needs them: give their four IDX files to the window, or leave the task out.";
    return;
  }
  platform_ = platform;
  study_ = std::make_shared<Study>(*options, Machine{best_isa(), 1, platform}, std::move(digits), *memory_);
  view_.options = *options;
  view_.jobs = study_->jobs();
  view_.running = true;
  start_ = std::chrono::steady_clock::now();
  if (!threads_available()) return;
  thread_ = std::thread([this, study = study_, threads] {
    study->run(std::max(1, threads));
    finish();
  });
}

void Reproducer::stop() {
  const std::lock_guard lock(mutex_);
  if (study_ != nullptr) study_->stop();
}

void Reproducer::pump() {
  if (threads_available() || study_ == nullptr || !view().running) return;
  // Between two frames: long enough to get on, short enough to stay alive.
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
  while (std::chrono::steady_clock::now() < end) {
    if (work_ == nullptr) work_ = study_->take();
    if (work_ == nullptr) break;
    if (!work_->step()) work_.reset();
  }
  if (work_ == nullptr && study_->over()) finish();
}

void Reproducer::finish() {
  std::shared_ptr<const Output> output;
  std::string failure;
  if (const std::optional<Error> error = study_->error())
    failure = error->text();
  else if (!study_->stopped()) {
    Result<Output> made =
        study_->report(window_provenance(study_->options().first_seed, command_of(study_->options()), platform_));
    if (made)
      output = std::make_shared<const Output>(std::move(*made));
    else
      failure = made.error().text();
  }
  const std::lock_guard lock(mutex_);
  view_.now = study_->views();
  view_.part = study_->done_part();
  view_.running = false;
  view_.finished = output != nullptr;
  view_.output = std::move(output);
  view_.failure = failure;
  changed_ = true;
}

ReproducerView Reproducer::view() const {
  const std::lock_guard lock(mutex_);
  ReproducerView v = view_;
  if (study_ != nullptr && v.running) {
    v.now = study_->views();
    v.part = study_->done_part();
    const double worked = study_->worked_part();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    if (worked > 0.005 && seconds > 1) v.seconds_left = (1 - v.part) * seconds / worked;
  }
  return v;
}

bool Reproducer::changed() {
  const ReproducerView v = view();
  const bool moved = v.running && v.part > seen_part_ + 0.002;
  if (moved || !v.running) seen_part_ = v.part;
  return changed_.exchange(false) || moved;
}

}  // namespace dalea::app
