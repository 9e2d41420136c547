#include "app/topology.h"

#include <algorithm>
#include <chrono>
#include <new>

#include "numerics/parallel.h"

namespace dalea::app {
namespace {

// Whether the mask of a network that was not pruned is this one.
bool is_wiring(const Graph& g, const Setup& setup) {
  const Pattern* mask = setup.initial->pattern.get();
  if (setup.own_mask || !mask || setup.spec.connectome.as_published || setup.spec.stages.prune) return true;
  std::vector<int32_t> target;
  for (int64_t i = 0; i < g.units; ++i)
    for (int64_t e = g.start[i]; e < g.start[i + 1]; ++e)
      if (setup.spec.connectivity.self_connections || g.target[e] != i) target.push_back(g.target[e]);
  return target == mask->row;
}

}  // namespace

Topology::Topology(bool own_thread) : own_thread_(own_thread && threads_available()) {}

Topology::~Topology() {
  {
    const std::lock_guard lock(mutex_);
    quit_ = true;
    wanted_ = false;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Topology::start(const TopologyTask& task) {
  {
    const std::lock_guard lock(mutex_);
    ++asked_;
    wanted_ = true;
    view_ = {true, 0, "", nullptr, task};
  }
  changed_ = true;
  if (!own_thread_) return;
  wake_.notify_all();
  if (thread_.joinable()) return;
  thread_ = std::thread([this] {
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return quit_ || wanted_; });
        if (quit_) return;
      }
      step();
    }
  });
}

void Topology::stop() {
  const std::lock_guard lock(mutex_);
  wanted_ = false;
  view_.running = false;
  changed_ = true;
}

void Topology::pump() {
  if (!own_thread_) step();
}

TopologyView Topology::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

Result<MeasuredNetwork> Topology::network_of(const TopologyTask& task) const {
  const Setup& setup = *task.setup;
  const MatrixView& m = task.which == NetworkOf::now ? *task.weights : *setup.initial;
  const int64_t most = own_thread_ ? most_topology_units : most_pumped_topology_units;
  if (m.units > most)
    return Error{"", "Measures of " + std::to_string(m.units) + " units take too long here (at most " +
                         std::to_string(most) + (own_thread_ ? "" : " without threads") +
                         "). Download the session and run: dalea measures session.npz"};
  if (task.which == NetworkOf::connectome) {
    Result<MeasuredNetwork> n = network_of_spec(setup.spec, task.which);
    if (n && !is_wiring(n->graph, setup))
      return Error{"",
                   "This network has the connectome of another run, scaled anew. Download the session and run: dalea "
                   "measures session.npz --network connectome"};
    return n;
  }
  const Synapses w = {m.units, m.pattern.get(), m.sparse, m.values};
  MeasuredNetwork n;
  n.name = setup.spec.name;
  n.weighted = task.which != NetworkOf::mask;
  n.which = task.which == NetworkOf::mask  ? "mask"
            : task.which == NetworkOf::now ? "weights now"
                                           : "weights at the start";
  n.graph = n.weighted ? graph_of(w) : mask_of(w);
  label_units(setup.spec, n);
  return n;
}

bool Topology::step() {
  TopologyTask task;
  uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!wanted_) return false;
    task = view_.task;
    number = asked_;
  }
  const bool dense = task.setup->initial->units <= most_dense_topology;
  const MeasurePlan plan = {task.nulls, task.model, task.setup->spec.seed, 0, dense};
  const auto whole = static_cast<double>(task.nulls + 1);
  int shown = -1;
  const auto goes_on = [&](double part) {
    const std::lock_guard lock(mutex_);
    if (!wanted_ || asked_ != number) return false;
    view_.part = (static_cast<double>(next_) + part) / whole;
    if (const int percent = static_cast<int>(100 * view_.part); percent != shown) {
      shown = percent;
      changed_ = true;
    }
    return true;
  };
  const auto end = [&](const std::string& failure) {
    const std::lock_guard lock(mutex_);
    if (asked_ != number) return;
    wanted_ = false;
    view_.running = false;
    view_.failure = failure;
    changed_ = true;
  };
  try {
    if (at_work_ != number) {
      at_work_ = number;
      next_ = 0;
      Result<MeasuredNetwork> n = network_of(task);
      if (!n) {
        end(n.error().text());
        return true;
      }
      network_ = std::move(*n);
      study_ = begin_study(network_, plan);
    }
    Result<GraphMeasures> r = measure_number(network_, plan, next_, goes_on);
    if (!r) {
      if (goes_on(0)) end(r.error().text());  // else it was stopped
      return true;
    }
    if (next_ == 0)
      study_.measured = std::move(*r);
    else
      study_.nulls.push_back(r->values);
    ++next_;
    const bool last = next_ > task.nulls;
    // What grows is copied for the window: ever more seldom.
    if (last || next_ == 1 || next_ % std::max<int64_t>(1, task.nulls / 20) == 0) {
      const std::lock_guard lock(mutex_);
      if (asked_ == number) view_.study = std::make_shared<const MeasureStudy>(study_);
    }
    if (last) end("");
    changed_ = true;
  } catch (const std::bad_alloc&) {
    end("There is not enough memory for the measures. Download the session and run: dalea measures session.npz");
  }
  return true;
}

}  // namespace dalea::app
