// Pruning beside the window: the mask that the settings describe, its error, and the sweep of `dalea prune`, on copies
// of the network. On a thread of its own, or in pump() where there are none. No user interface here.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "app/live.h"
#include "common/prune_study.h"
#include "pruning/spanning_tree.h"
#include "pruning/sweep.h"

namespace dalea::app {

constexpr int64_t most_pruned_units = 2048;  // more is for `dalea prune`
constexpr int64_t most_sweep_draws = 20, most_mask_draw = 1000;

struct PruneSettings {
  PruneMethod method = PruneMethod::top_prob;
  double sparsity = 0.5;    // of the mask shown; per block: the part of every block's own density that goes
  int64_t mask_draw = 1;    // which mask of its kind, from 1: the one of `dalea prune --retrain`
  int64_t sweep_draws = 1;  // masks at each sparsity of the sweep
  bool exact_count = false, diagonal = true, as_published = false, blocks = false;

  bool operator==(const PruneSettings&) const = default;
};
// Changes what a JSON object names: {"method":"random","sparsity":0.9,"mask":2,"draws":5,"exact_count":false,
// "diagonal":true,"as_published":false,"blocks":false}. Out of range, or at odds with itself: an error, nothing
// changes.
Status change_settings(PruneSettings& settings, std::string_view json);

// Whether the experiment says how dense each block is, so that it can be pruned by block.
bool prunes_by_block(const Spec& spec);
// One mask of `settings` (place 0 of its grid), or the published grid; blocks have one place only.
Result<SweepOptions> mask_options(const PruneSettings& settings, const NetworkCopy& network);
Result<SweepOptions> sweep_options(const PruneSettings& settings, const NetworkCopy& network);
// The start of `dalea prune --retrain`: the network's weights under the mask of the settings.
Result<PrunedPtr> pruned_start(const PruneSettings& settings, const NetworkCopy& network, int64_t epochs);

// Weights in equal steps from -top to top; zeros are not counted.
struct WeightBins {
  double top = 0;
  std::vector<double> all, surviving;  // counts
};

struct MaskView {
  PruneSettings settings;
  NetworkPtr network;
  std::vector<uint8_t> kept;  // column-major (post, pre)
  PrunedDensity density;
  std::shared_ptr<const SpanningTree> tree;
  int64_t survived = 0;                  // edges of the tree
  double by_chance = 0;                  // part of the tree, expected of as many connections drawn at random
  std::optional<OverlapBound> at_least;  // top-prob, the whole matrix
  WeightBins bins;
};

struct SweepView {
  NetworkPtr network;
  SweepOptions options;
  Sweep sweep;
};

struct PruneView {
  std::shared_ptr<const MaskView> mask;     // null: none yet
  std::optional<double> held_out, dense;    // of this mask, of its network; empty: not known yet
  double accuracy = 0, dense_accuracy = 0;  // with them; NaN: no classes
  bool sweeping = false;
  int64_t done = 0, all = 0;               // masks
  std::shared_ptr<const SweepView> sweep;  // what was measured last, or is so far; null: nothing
  std::string failure;
};

class Pruning {
 public:
  explicit Pruning(int threads) : threads_(threads) {}
  ~Pruning();
  Pruning(const Pruning&) = delete;
  Pruning& operator=(const Pruning&) = delete;

  void show(NetworkPtr network, const PruneSettings& settings);  // the last one asked for is the one that comes
  void sweep(NetworkPtr network, const PruneSettings& settings);
  void stop();                // the sweep; what was measured stays
  void pump(double seconds);  // without a thread of its own: works about this long
  PruneView view() const;
  bool changed();  // since the last call

 private:
  struct Wish {
    NetworkPtr network;
    PruneSettings settings;
  };
  // A network whose loss is being measured, with or without a mask.
  struct Measurement {
    NetworkPtr network;
    Model model;
    std::unique_ptr<HeldOutLoss> loss;
    bool dense = false;
  };

  void wake();
  bool idle() const { return !wish_ && !sweep_wish_ && !steps_ && !dense_ && !error_; }
  bool advance(bool whole);  // one piece of work: a mask, or a minibatch (else a time step); false: nothing to do
  void make_mask(const Wish& wish);
  void begin_sweep(const Wish& wish);
  void advance_sweep(bool whole);
  void advance_loss(std::unique_ptr<Measurement>& of, bool whole);
  std::unique_ptr<Measurement> measure(NetworkPtr network, const Model& model, bool last_only);
  void fail(const Error& error);

  int threads_;

  // Shared.
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<Wish> wish_, sweep_wish_;
  PruneView view_;
  std::atomic<bool> quit_{false}, stop_sweep_{false}, changed_{false};

  // The worker's side.
  std::unique_ptr<Workers> workers_;
  NetworkPtr tree_of_;
  std::shared_ptr<const SpanningTree> tree_;
  std::unique_ptr<Measurement> dense_, error_;
  NetworkPtr dense_of_;
  bool dense_last_only_ = false;
  NetworkPtr swept_;
  SweepOptions swept_options_;
  std::unique_ptr<SweepSteps> steps_;
  int64_t told_ = 0;  // masks
  std::thread thread_;
};

// For the window's state: settings, mask, sweep.
std::string pruning_json(const PruneView& view, const PruneSettings& settings);
// What `dalea prune` writes of this sweep; the figure needs several sparsities.
PruneStudy study_of(const SweepView& sweep, const std::string& isa, int threads);

}  // namespace dalea::app
