// Network measures of what is learning, and of its null models, found beside it: on a thread of its own, or in pump()
// where there are none. No user interface here, so it can be tested by itself.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "app/live.h"
#include "common/measure_report.h"

namespace dalea::app {

// More units are for `dalea measures`: with a thread of its own, and inside pump(). Above the third number
// communicability and spectral radius, which cannot be stopped half way, are left out.
constexpr int64_t most_topology_units = most_dense_units, most_pumped_topology_units = 200, most_dense_topology = 800;

struct TopologyTask {
  std::shared_ptr<const Setup> setup;
  std::shared_ptr<const MatrixView> weights;  // of this moment; NetworkOf::start and mask take the setup's own
  int64_t updates = 0;
  NetworkOf which = NetworkOf::now;
  int64_t nulls = 19;
  std::string model = "rewired";
};
struct TopologyView {
  bool running = false;
  double part = 0;                            // done, 0 .. 1
  std::string failure;                        // why there is no study, or not all of it
  std::shared_ptr<const MeasureStudy> study;  // of the task below, with the null models so far; null: nothing yet
  TopologyTask task;                          // the last one that was asked for
};

class Topology {
 public:
  explicit Topology(bool own_thread);
  ~Topology();  // waits for the spectral radius of the network at work: up to some seconds
  Topology(const Topology&) = delete;
  Topology& operator=(const Topology&) = delete;

  void start(const TopologyTask& task);  // in place of the one before
  void stop();                           // what was found stays
  void pump();                           // without a thread of its own: one network
  TopologyView view() const;
  bool changed() { return changed_.exchange(false); }  // since the last call
  bool own_thread() const { return own_thread_; }

 private:
  bool step();  // one network; false: there is nothing to do
  Result<MeasuredNetwork> network_of(const TopologyTask& task) const;

  bool own_thread_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  uint64_t asked_ = 0;  // tasks
  bool wanted_ = false, quit_ = false;
  TopologyView view_;
  std::atomic<bool> changed_{false};
  // Of whoever calls step():
  uint64_t at_work_ = 0;  // which task
  MeasuredNetwork network_;
  MeasureStudy study_;
  int64_t next_ = 0;  // 0: the network, then its null models
  std::thread thread_;
};

// What the tab remembers.
struct TopologyState {
  int which = 0;  // NetworkOf
  int nulls = 1;  // topology_nulls
  int model = 1;  // topology_models
  // What was asked for last, and by itself: not asked for again.
  uint64_t network = 0;
  int64_t asked = -1;
};
constexpr int64_t topology_nulls[] = {0, 19, 99, 999};
constexpr const char* topology_models[] = {"permuted", "rewired", "weights", "spatial", "density"};

}  // namespace dalea::app
