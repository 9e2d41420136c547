#include "app/side_by_side.h"

#include <algorithm>
#include <cstdio>

#include "numerics/parallel.h"

namespace dalea::app {
namespace {

constexpr double turn_s = 0.05;           // then another may be trained
constexpr double publish_every_s = 0.05;  // at most
constexpr double publishing_share = 0.05;

double seconds_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

// `before`: an earlier one of the same network; which synapses can exist does not change.
std::shared_ptr<const MatrixView> matrix_of(const Trainer& trainer, const MatrixView* before) {
  const Weights& w = trainer.model().parameters.W_rec;
  auto view = std::make_shared<MatrixView>();
  view->units = w.rows;
  view->sparse = w.sparse();
  if (w.sparse())
    view->pattern = w.pattern;
  else if (before != nullptr)
    view->pattern = before->pattern;
  else if (trainer.mask() != nullptr)
    view->pattern = std::make_shared<Pattern>(*trainer.mask());
  view->values = w.values;
  return view;
}

}  // namespace

MakeData data_of(std::shared_ptr<const Setup> setup) {
  return [setup = std::move(setup)](const Job& job) {
    return make_dataset(*job.spec, setup->source_recording.get(), job.run, setup->source_digits.get(),
                        setup->source_latents.get());
  };
}

const char* job_text(JobState state) {
  switch (state) {
    case JobState::waiting:
      return "waiting";
    case JobState::learning:
      return "learning";
    case JobState::finished:
      return "finished";
    case JobState::failed:
      return "failed";
    case JobState::stopped:
      return "stopped";
  }
  return "";
}

SideBySide::SideBySide(const SideOptions& options) : options_(options) {
  if (!threads_available()) options_.own_threads = false;
  if (options_.threads <= 0) options_.threads = std::min(8, hardware_threads());
  if (!options_.own_threads) options_.threads = 1;
}

SideBySide::~SideBySide() {
  {
    const std::lock_guard lock(mutex_);
    quit_ = true;
    stop_ = true;
    hold_ = true;
  }
  wake_.notify_all();
  for (std::thread& t : threads_) t.join();
}

int SideBySide::at_once() const {
  return std::max(options_.threads, options_.together);
}

Status SideBySide::start(std::vector<Job> jobs, MakeData make_data) {
  size_t wanted = 0;
  {
    const std::lock_guard lock(mutex_);
    if (running_) return Error{"", "The networks before are still learning; stop them first"};
    if (jobs.empty()) return Error{"", "There is nothing to train; choose at least one condition"};
    slots_.clear();
    for (Job& job : jobs) {
      auto slot = std::make_unique<Slot>();
      slot->view.job = std::move(job);
      slot->view.history = std::make_shared<std::vector<EpochRecord>>();
      slots_.push_back(std::move(slot));
    }
    make_data_ = std::move(make_data);
    running_ = true;
    paused_ = false;
    stop_ = false;
    hold_ = false;
    seconds_ = 0;
    since_ = Clock::now();
    wanted = std::min(slots_.size(), static_cast<size_t>(options_.threads));
  }
  ++version_;
  if (options_.own_threads)
    while (threads_.size() < wanted) threads_.emplace_back([this] { work(); });
  wake_.notify_all();
  return {};
}

void SideBySide::pause() {
  const std::lock_guard lock(mutex_);
  if (!running_ || paused_) return;
  paused_ = true;
  hold_ = true;
  seconds_ += seconds_between(since_, Clock::now());
  ++version_;
}

void SideBySide::go_on() {
  {
    const std::lock_guard lock(mutex_);
    if (!running_ || !paused_) return;
    paused_ = false;
    hold_ = false;
    since_ = Clock::now();
    ++version_;
  }
  wake_.notify_all();
}

void SideBySide::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (!running_) return;
    stop_ = true;
    hold_ = true;
    if (paused_) since_ = Clock::now();
    paused_ = false;
    for (const auto& slot : slots_)
      if (slot->view.state == JobState::waiting && !slot->taken) slot->view.state = JobState::stopped;
    settle();
    ++version_;
  }
  wake_.notify_all();  // those that have begun are still to be saved
}

SideView SideBySide::view() const {
  const std::lock_guard lock(mutex_);
  SideView v;
  v.version = version_;
  v.running = running_;
  v.paused = paused_;
  v.seconds = seconds_ + (running_ && !paused_ ? seconds_between(since_, Clock::now()) : 0);
  for (const auto& slot : slots_) {
    v.jobs.push_back(slot->view);
    v.progress += slot->view.over() ? 1 : slot->view.progress;
  }
  if (!slots_.empty()) v.progress /= static_cast<double>(slots_.size());
  return v;
}

bool SideBySide::running() const {
  const std::lock_guard lock(mutex_);
  return running_;
}

void SideBySide::settle() {
  if (!running_) return;
  for (const auto& slot : slots_)
    if (!slot->view.over() || slot->taken) return;
  running_ = false;
  if (!paused_) seconds_ += seconds_between(since_, Clock::now());
  paused_ = false;
  make_data_ = nullptr;
  ++version_;
}

// Of those that have begun the least advanced; a new one begins while there is room.
SideBySide::Slot* SideBySide::take() {
  if (!running_ || paused_) return nullptr;
  Slot* next = nullptr;
  int begun = 0;
  for (const auto& slot : slots_) {
    const JobView& v = slot->view;
    if (v.over()) continue;
    if (v.state == JobState::learning || slot->taken) ++begun;
    if (slot->taken) continue;
    if (v.state == JobState::waiting && begun >= at_once()) break;
    if (next == nullptr || v.progress < next->view.progress) next = slot.get();
    if (v.state == JobState::waiting) break;  // the first of these is enough
  }
  if (next != nullptr) next->taken = true;
  return next;
}

void SideBySide::work() {
  for (;;) {
    Slot* slot = nullptr;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return quit_ || (slot = take()) != nullptr; });
      if (quit_) return;
    }
    learn(*slot, turn_s);
    put_back(*slot);
    wake_.notify_all();
  }
}

void SideBySide::pump(double seconds) {
  if (options_.own_threads) return;
  const Clock::time_point start = Clock::now();
  for (double left = seconds; left > 0; left = seconds - seconds_between(start, Clock::now())) {
    Slot* slot = nullptr;
    {
      const std::lock_guard lock(mutex_);
      slot = take();
    }
    if (slot == nullptr) return;
    learn(*slot, std::min(left, turn_s));
    put_back(*slot);
  }
}

void SideBySide::put_back(Slot& slot) {
  const std::lock_guard lock(mutex_);
  if (slot.trainer) slot.view.progress = slot.trainer->progress();  // whose turn it is goes by this
  slot.taken = false;
  settle();
}

bool SideBySide::begin(Slot& slot) {
  Result<Dataset> data = make_data_(slot.view.job);
  if (!data) {
    publish(slot, JobState::failed, data.error().text());
    return false;
  }
  TrainerOptions options;
  Result<std::unique_ptr<Trainer>> made =
      Trainer::create(*slot.view.job.spec, std::move(*data), slot.view.job.run, options);
  if (!made) {
    publish(slot, JobState::failed, made.error().text());
    return false;
  }
  slot.trainer = std::move(*made);
  publish(slot, JobState::learning, "");
  return true;
}

void SideBySide::learn(Slot& slot, double seconds) {
  using Event = Trainer::Event;
  const Clock::time_point start = Clock::now();
  try {
    if (!slot.trainer && !stop_ && !begin(slot)) return;
    if (!slot.trainer) return publish(slot, JobState::stopped, "");
    // Without threads an update may take longer than a turn: a time step is enough.
    Event event = Event::working;
    do {
      if (hold_) break;
      event = options_.own_threads ? slot.trainer->step() : slot.trainer->advance();
      if (event == Event::failed) return publish(slot, JobState::failed, slot.trainer->failure());
      if (slot.trainer->finished()) return publish(slot, JobState::finished, "");
      if (event == Event::epoch || event == Event::update) {
        const double since = seconds_between(slot.published, Clock::now());
        if (since > publish_every_s && slot.publish_cost < publishing_share * since)
          publish(slot, JobState::learning, "");
      }
    } while (seconds_between(start, Clock::now()) < seconds);
    if (stop_)
      publish(slot, JobState::stopped, "");
    else if (hold_)
      publish(slot, JobState::learning, "");  // what a pause shows is of this very moment
  } catch (const std::bad_alloc&) {
    slot.trainer.reset();
    publish(slot, JobState::failed,
            "There is not enough memory for this; make the network, training.batch or task.steps smaller");
  }
}

void SideBySide::publish(Slot& slot, JobState state, std::string failure) {
  const Clock::time_point start = Clock::now();
  JobView v;
  {
    const std::lock_guard lock(mutex_);
    v = slot.view;
  }
  v.state = state;
  v.failure = std::move(failure);
  if (slot.trainer) {
    const Trainer& t = *slot.trainer;
    v.progress = t.progress();
    v.epoch = t.epoch();
    if (t.history().size() != v.history->size()) {
      v.history = std::make_shared<std::vector<EpochRecord>>(t.history());
      v.confusion = t.confusion();
    }
    v.audit = t.audit();
    v.unit = t.data().unit;
    if (v.job.show_weights) v.weights = matrix_of(t, v.weights.get());
    if (v.over()) {
      v.hash = hash_text(t.hash());
      v.session = std::make_shared<std::vector<std::byte>>(write_session(t, options_.platform));
      slot.trainer.reset();
    }
  }
  {
    const std::lock_guard lock(mutex_);
    slot.view = std::move(v);
  }
  slot.published = Clock::now();
  slot.publish_cost = seconds_between(start, slot.published);
  ++version_;
}

}  // namespace dalea::app
