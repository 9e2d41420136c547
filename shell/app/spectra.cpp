#include "app/spectra.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <optional>
#include <thread>
#include <vector>

#include "numerics/parallel.h"

namespace dalea::app {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double share_while_learning = 0.05;
constexpr int64_t sign_bins = 60;

Synapses synapses_of(const MatrixView& m) {
  return {m.units, m.pattern.get(), m.sparse, m.values};
}

}  // namespace

// Shared with the thread, which may live longer than Spectra.
struct Spectra::State {
  struct Wish {
    std::shared_ptr<const Setup> setup;
    std::shared_ptr<const MatrixView> weights;
    int64_t updates = 0;
    bool patient = false;  // it learns: others come soon
  };

  explicit State(bool own) : own_thread(own) {}

  const bool own_thread;
  std::mutex mutex;
  std::condition_variable wake;
  std::thread thread;  // of Spectra alone
  bool quit = false;
  bool working = false;
  std::array<std::optional<Wish>, 2> wish;
  std::array<const MatrixView*, 2> at_work{};  // what it works on
  std::shared_ptr<const Spec> draft_wish, draft_at_work;
  std::array<Clock::time_point, 2> rest_until{};
  SpectraView view;
  std::atomic<bool> changed{false};

  // All with the lock held; advance() gives it away while it works.
  bool due(Kind kind, Clock::time_point now) const {
    const auto& w = wish[kind];
    return w && (!w->patient || now >= rest_until[kind]);
  }
  bool initial_due() const {
    const Analysed<Spectrum>& s = view.spectrum;
    return s.now && !s.initial && s.failure.empty();
  }
  bool advance(std::unique_lock<std::mutex>& lock);
  void find_signs(const Wish& w, std::unique_lock<std::mutex>& lock);
  void find_spectrum(const Wish& w, std::unique_lock<std::mutex>& lock);
  void find_initial(std::unique_lock<std::mutex>& lock);
  void find_draft(std::unique_lock<std::mutex>& lock);
  Result<Spectrum> spectrum_of(const Setup& setup, const MatrixView& m) const;
  void loop();
};

Result<Spectrum> Spectra::State::spectrum_of(const Setup& setup, const MatrixView& m) const {
  const int64_t most = own_thread ? most_watched_units : most_pumped_units;
  if (m.units > most)
    return Error{"", "Eigenvalues of " + std::to_string(m.units) + " units take too long here (at most " +
                         std::to_string(most) + (own_thread ? "" : " without threads") +
                         "). Download the session and run: dalea spectrum session.npz"};
  std::vector<Range> ranges;
  for (const PopulationView& p : setup.populations) ranges.push_back(p.units);
  try {
    return dalea::spectrum_of(synapses_of(m), ranges);
  } catch (const std::bad_alloc&) {
    return Error{"",
                 "There is not enough memory for the eigenvalues. Download the session and run: dalea spectrum "
                 "session.npz"};
  }
}

void Spectra::State::find_spectrum(const Wish& w, std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  Result<Spectrum> found = spectrum_of(*w.setup, *w.weights);
  lock.lock();
  Analysed<Spectrum>& s = view.spectrum;
  if (s.setup != w.setup) s = {};
  s.setup = w.setup;
  s.of = w.weights;
  s.updates = w.updates;
  s.failure = found ? "" : found.error().text();
  s.now = found ? std::make_shared<const Spectrum>(std::move(*found)) : nullptr;
}

void Spectra::State::find_initial(std::unique_lock<std::mutex>& lock) {
  const std::shared_ptr<const Setup> setup = view.spectrum.setup;
  lock.unlock();
  Result<Spectrum> found = spectrum_of(*setup, *setup->initial);
  lock.lock();
  if (found)
    view.spectrum.initial = std::make_shared<const Spectrum>(std::move(*found));
  else
    view.spectrum.failure = found.error().text();
}

void Spectra::State::find_signs(const Wish& w, std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  Analysed<WeightsBySign> s;
  s.setup = w.setup;
  s.of = w.weights;
  s.updates = w.updates;
  try {
    std::vector<Sign> sign(static_cast<size_t>(w.weights->units), Sign::free);
    for (const PopulationView& p : w.setup->populations)
      for (int64_t i = p.units.begin; i < std::min(p.units.end, w.weights->units); ++i)
        sign[static_cast<size_t>(i)] = p.sign;
    const Synapses matrices[] = {synapses_of(*w.setup->initial), synapses_of(*w.weights)};
    const Result<std::vector<double>> edges = edges_at_zero(matrices, sign_bins);
    if (!edges) s.failure = edges.error().text();
    for (size_t k = 0; k < 2 && edges; ++k) {
      Result<WeightsBySign> found = weights_by_sign(matrices[k], sign, *edges);
      if (found)
        (k == 0 ? s.initial : s.now) = std::make_shared<const WeightsBySign>(std::move(*found));
      else
        s.failure = found.error().text();
    }
  } catch (const std::bad_alloc&) {
    s.failure = "There is not enough memory to count the weights.";
  }
  lock.lock();
  view.signs = std::move(s);
}

void Spectra::State::find_draft(std::unique_lock<std::mutex>& lock) {
  draft_at_work = std::move(draft_wish);
  const std::shared_ptr<const Spec> spec = draft_at_work;
  working = true;
  lock.unlock();
  auto found = std::make_shared<DraftSpectrum>();
  found->of = *spec;
  try {
    const Model model = build_model(*spec, Ends(), 0);  // W_rec depends on nothing of the task
    Result<Spectrum> spectrum = dalea::spectrum_of(synapses_of(model.parameters.W_rec), model.populations);
    if (spectrum)
      found->found = std::make_shared<const Spectrum>(std::move(*spectrum));
    else
      found->failure = spectrum.error().text();
  } catch (const std::bad_alloc&) {
    found->failure = "There is not enough memory for the eigenvalues.";
  }
  lock.lock();
  working = false;
  draft_at_work = nullptr;
  view.draft = std::move(found);
  changed = true;
}

bool Spectra::State::advance(std::unique_lock<std::mutex>& lock) {
  if (draft_wish) {
    find_draft(lock);
    return true;
  }
  const Clock::time_point start = Clock::now();
  const bool a_wish = due(signs, start) || due(spectrum, start);
  if (!a_wish && !initial_due()) return false;
  const Kind kind = due(signs, start) ? signs : spectrum;
  working = true;
  if (a_wish) {
    const Wish w = *wish[kind];
    wish[kind].reset();
    at_work[kind] = w.weights.get();
    kind == signs ? find_signs(w, lock) : find_spectrum(w, lock);
    at_work[kind] = nullptr;
  } else {
    find_initial(lock);
  }
  working = false;
  const Clock::time_point end = Clock::now();
  rest_until[kind] = end + std::chrono::duration_cast<Clock::duration>((end - start) * (1 / share_while_learning - 1));
  changed = true;
  return true;
}

void Spectra::State::loop() {
  std::unique_lock lock(mutex);
  while (!quit) {
    if (advance(lock)) continue;
    std::optional<Clock::time_point> next;
    for (Kind kind : {signs, spectrum})
      if (wish[kind]) next = next ? std::min(*next, rest_until[kind]) : rest_until[kind];
    next ? static_cast<void>(wake.wait_until(lock, *next)) : wake.wait(lock);
  }
}

Spectra::Spectra(bool own_thread) : state_(std::make_shared<State>(own_thread && threads_available())) {}

Spectra::Spectra() : Spectra(true) {}

Spectra::~Spectra() {
  bool busy = false;
  {
    const std::lock_guard lock(state_->mutex);
    state_->quit = true;
    busy = state_->working;
  }
  state_->wake.notify_all();
  if (!state_->thread.joinable()) return;
  if (busy)
    state_->thread.detach();
  else
    state_->thread.join();
}

void Spectra::follow(Kind kind, const Snapshot& s) {
  if (!s.setup || !s.weights || !s.setup->initial) return;
  {
    const std::lock_guard lock(state_->mutex);
    State& state = *state_;
    const bool known = kind == signs ? state.view.signs.current(s) : state.view.spectrum.current(s);
    if (known || state.at_work[kind] == s.weights.get()) {
      state.wish[kind].reset();  // an older one
      return;
    }
    const bool patient = s.phase == Phase::running;
    std::optional<State::Wish>& wish = state.wish[kind];
    if (wish && wish->weights == s.weights && wish->patient == patient) return;
    wish = State::Wish{s.setup, s.weights, s.updates, patient};
  }
  wake();
}

void Spectra::follow_spectrum(const Snapshot& s) {
  follow(spectrum, s);
}

void Spectra::follow_signs(const Snapshot& s) {
  follow(signs, s);
}

void Spectra::follow_draft(const Spec& draft) {
  if (draft.units() > (state_->own_thread ? most_watched_units : most_pumped_units)) return;
  {
    const std::lock_guard lock(state_->mutex);
    State& state = *state_;
    if ((state.view.draft && same_start(state.view.draft->of, draft)) ||
        (state.draft_at_work && same_start(*state.draft_at_work, draft))) {
      state.draft_wish = nullptr;
      return;
    }
    if (state.draft_wish && same_start(*state.draft_wish, draft)) return;
    state.draft_wish = std::make_shared<const Spec>(draft);
  }
  wake();
}

void Spectra::wake() {
  if (!state_->own_thread) return;
  state_->wake.notify_all();
  if (!state_->thread.joinable()) state_->thread = std::thread([state = state_] { state->loop(); });
}

void Spectra::pump() {
  if (state_->own_thread) return;
  std::unique_lock lock(state_->mutex);
  state_->advance(lock);
}

SpectraView Spectra::view() const {
  const std::lock_guard lock(state_->mutex);
  return state_->view;
}

bool Spectra::own_thread() const {
  return state_->own_thread;
}

bool Spectra::changed() {
  return state_->changed.exchange(false);
}

}  // namespace dalea::app
