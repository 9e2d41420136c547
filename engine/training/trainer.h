// The training loop as a machine that can be stepped, watched, stopped and continued to the same bits.
#pragma once

#include <atomic>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "network/pass.h"
#include "training/optimizer.h"
#include "training/stages.h"

namespace dalea {

// Where the weights that a training began with come from, when they are another network's (session/transfer.h).
struct Origin {
  std::string name;    // of its experiment
  std::string hash;    // its weight hash
  std::string sha256;  // of the SHA-256 of each of its parameters
  std::string keep;    // what was taken of it: "recurrent", "recurrent+input"
};

struct TrainerOptions {
  int threads = 1;
  Isa isa = best_isa();
  bool poison = false;
  // Training goes on from a pruned network (SEEDS 3.7): W_rec exists on this mask alone, in place of the spec's mask.
  // What is off it stays 0 for ever. Null: the spec's mask.
  std::shared_ptr<const Pattern> mask;
  std::shared_ptr<const Pattern> known;  // the spec's mask, where it was found before; null: it is found here
  // Where training starts, with a fresh optimizer and at epoch 0; what W_rec has off the mask is dropped, its storage
  // is free. None: the spec's initial weights (on the mask).
  std::optional<Parameters> start;
  std::optional<Origin> origin;  // of `start`
};

constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

// How often each class was asked for and each answered. A task without classes has none.
struct Confusion {
  int64_t classes = 0;
  std::vector<int64_t> count;               // (asked, answered)
  double accuracy() const;                  // share of right answers; no_value: nothing was asked
  double accuracy_of(int64_t asked) const;  // of one class
};

// For the classes of `data`, nothing counted yet; none where it has none.
Confusion no_answers(const Dataset& data);

// One row per finished epoch. Losses are means per scored element (float64) and no_value for a split without trials;
// *_published are what the published code records: sums of batch means (SEEDS 2.1), or the last batch (Q18).
struct EpochRecord {
  int64_t epoch = 0;                                            // 1-based: epochs finished
  double train = 0, train_published = 0;                        // running, while the weights changed
  double validation = 0, held_out = 0, held_out_published = 0;  // with the weights at the end of the epoch
  double lr = 0;
  double validation_accuracy = no_value, held_out_accuracy = no_value;  // tasks with classes only
  // Set when a stage ends that chooses (stages.prune, or training.checkpoint is not "last"): 1 in the row of the epoch
  // whose weights were kept, 0 in its others.
  double kept = no_value;
};

// Everything that continuing needs (session/session.h writes it).
struct TrainerState {
  int64_t run = 0;
  int64_t epoch = 0;                           // epochs finished
  int64_t batch = 0;                           // updates finished in the current epoch
  double epoch_loss = 0, epoch_published = 0;  // sums of the current epoch so far
  int64_t epoch_scored = 0;
  Parameters parameters;
  OptimizerState optimizer;
  std::vector<EpochRecord> history;
  std::shared_ptr<const Pattern> mask;       // of its own, as in TrainerOptions, or what stages left; null: the spec's
  bool pruned = false;                       // stages: fine-tuning
  int64_t dense_epoch = 0, best_epoch = 0;   // of the two below (1-based); 0: none
  std::shared_ptr<const Parameters> dense;   // the checkpoint that was pruned
  std::shared_ptr<const Parameters> best;    // training.checkpoint: of the present stage, so far
  std::optional<EpochRecord> pruned_losses;  // as Trainer::pruned_losses
  std::optional<Origin> origin;              // of the weights it began with; none: its own
  std::shared_ptr<const Parameters> start;   // those, where there is an origin
};

struct Losses {
  double train = 0, validation = 0, held_out = 0;  // mean per scored element, final weights, whole split
  double published = 0;                            // as EpochRecord::held_out_published
  Confusion train_answers, validation_answers, held_out_answers;
};

class Trainer {
 public:
  // The dataset must outlive nothing: it is moved in. `spec` has its defaults filled in.
  static Result<std::unique_ptr<Trainer>> create(const Spec& spec, Dataset data, int64_t run,
                                                 const TrainerOptions& options);
  // Continues from a saved state, under that state's mask; an error says what does not fit and changes nothing.
  Status restore(TrainerState state);
  TrainerState state() const;  // between updates, never within one

  // `pruned`: stages have just pruned (mask, storage and optimizer are others now), or its losses are now known.
  enum class Event { working, update, epoch, pruned, finished, failed };
  // One time step of work: for a page without threads. `update` and `epoch` mark that one was just completed.
  Event advance();
  // Runs to the next update, or one minibatch of the evaluation that ends an epoch (`working` until its last one),
  // using all workers.
  Event step();

  bool finished() const;
  const std::string& failure() const { return failure_; }  // not finite: epoch, batch, parameter

  // Whole splits with the present weights; cancel may be null. Changes nothing.
  Losses evaluate(const std::atomic<bool>* cancel = nullptr);
  // One forward pass of one trial of a split, without noise: outputs (step, output), activity z (step, unit).
  struct Trace {
    std::vector<float> input, target, output, activity;
    int64_t steps = 0;
  };
  // `model`: another one of the same shape, such as this one's of an earlier moment; null: the present one.
  Trace trace(const Trials& split, int64_t trial, const std::vector<Intervention>& interventions = {},
              const Model* model = nullptr) const;

  const Spec& spec() const { return spec_; }
  const Dataset& data() const { return data_; }
  const Model& model() const { return model_; }
  const Parameters& initial() const { return initial_; }
  const Pattern* mask() const { return mask_.get(); }  // null: every connection exists
  std::shared_ptr<const Pattern> shared_mask() const { return mask_; }
  bool own_mask() const { return own_mask_ != nullptr && !pruned_; }  // not the spec's
  const std::vector<EpochRecord>& history() const { return history_; }
  // Held out, when the last epoch ended; without counts before that.
  const Confusion& confusion() const { return confusion_; }
  int64_t epoch() const { return epoch_; }  // of all stages
  int64_t run() const { return run_; }
  const Origin* origin() const { return origin_ ? &*origin_ : nullptr; }  // null: it began with its own weights

  Stage stage() const;
  int64_t stage_epoch() const;   // finished of the present stage
  int64_t stage_epochs() const;  // it has
  // "initial", "dense" (the one pruned), "sparse" (the best of fine-tuning so far; at its end the one kept); null: not
  // there yet, or no stages. Valid until the next step.
  const Parameters* checkpoint(std::string_view name) const;
  std::shared_ptr<const Parameters> dense_checkpoint() const { return dense_; }
  int64_t dense_epoch() const { return dense_epoch_; }  // of the checkpoint "dense"; 0: none yet
  int64_t kept_epoch() const;                           // of the weights that the present stage would keep now
  // What pruning cost before any fine-tuning: losses of whole splits, and in train_published the mean loss of the last
  // minibatch before (as published, SEEDS 4.6). Null: not known yet.
  const EpochRecord* pruned_losses() const { return pruned_losses_ ? &*pruned_losses_ : nullptr; }
  // A sentence on the checkpoint that was kept in spite of the rule (SEEDS Q8), or empty.
  std::string checkpoint_note() const;
  int64_t batch() const { return batch_; }
  int64_t batches_per_epoch() const;
  int64_t updates() const { return epoch_ * batches_per_epoch() + batch_; }
  double progress() const;  // 0 .. 1 of all updates
  uint64_t hash() const { return hash_of(model_.parameters); }
  Audit audit() const { return dalea::audit(model_, mask_.get()); }
  double last_loss() const { return last_loss_; }  // mean per element of the last minibatch
  int64_t bytes() const;                           // held: weights, optimizer, activity, data
  int threads() const { return workers_.threads(); }
  Isa isa() const { return options_.isa; }

 private:
  Trainer(const Spec& spec, Dataset data, int64_t run, const TrainerOptions& options);
  bool due_to_prune() const;
  bool due_to_measure() const { return pruned_ && !pruned_losses_; }
  Event prune_now();
  double loss_to_beat() const;
  void keep_best();
  void end_stage();
  std::vector<uint32_t> order_of(int64_t epoch) const;
  void fill_dense_mask();
  void begin_batch();
  bool finish_batch();  // false: not finite
  void begin_evaluation(int which);
  void begin_measuring();  // what pruning cost
  Event finish_evaluation_batch();
  Event after_update();
  Event fail(std::string message);
  void finish_epoch();

  Spec spec_;
  Dataset data_;
  int64_t run_ = 0;
  TrainerOptions options_;
  mutable Workers workers_;
  Model model_;
  Parameters initial_;
  std::optional<Origin> origin_;
  std::shared_ptr<const Parameters> start_;  // initial_, where there is an origin
  std::shared_ptr<const Pattern> own_mask_;  // in place of the spec's, or what stages left; null: none
  std::shared_ptr<const Pattern> mask_;      // in force; kept also when W_rec is stored dense
  std::vector<float> dense_mask_;            // column-major 0/1, only when masked and stored dense
  Parameters gradient_;
  Optimizer optimizer_;
  Pass pass_;
  std::vector<uint32_t> order_;
  std::vector<EpochRecord> history_;
  int64_t epoch_ = 0, batch_ = 0;
  double epoch_loss_ = 0, epoch_published_ = 0;
  int64_t epoch_scored_ = 0;
  double last_loss_ = 0;
  std::string failure_;
  TrainerState good_;  // start of the epoch

  enum class Phase { idle, batch, evaluation } phase_ = Phase::idle;
  int evaluating_ = 0;      // 0 validation, 1 held out; after pruning also 2 train, 3 the last minibatch before
  bool measuring_ = false;  // what pruning cost
  int64_t evaluated_ = 0;   // trials done of it
  double evaluation_sum_ = 0, evaluation_published_ = 0;
  int64_t evaluation_scored_ = 0;
  Confusion evaluation_answers_, confusion_;
  EpochRecord pending_;

  bool pruned_ = false;
  int64_t dense_epoch_ = 0, best_epoch_ = 0;
  std::shared_ptr<const Parameters> dense_, best_;
  std::optional<EpochRecord> pruned_losses_;
};

// Trains to the end, a failure or a cancel; calls back after every update and epoch.
Trainer::Event train(Trainer& trainer, const std::atomic<bool>& cancel,
                     const std::function<void(Trainer::Event)>& on_event);

}  // namespace dalea
