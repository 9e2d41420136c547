#include "training/trainer.h"

#include <algorithm>
#include <cmath>

namespace dalea {
namespace {

std::string count_text(int64_t n) {
  return std::to_string(n);
}

const Trials& split_of(const Dataset& data, int which) {
  return which == 0 ? data.validation : which == 1 ? data.held_out : data.train;
}

bool same_shape(const Weights& a, const Weights& b) {
  return a.name == b.name && a.rows == b.rows && a.cols == b.cols && a.values.size() == b.values.size() &&
         a.sparse() == b.sparse() &&
         (!a.sparse() || (a.pattern->row == b.pattern->row && a.pattern->col_start == b.pattern->col_start));
}

// The saved values in the model's own shapes (patterns stay shared with the model).
Status take(Parameters& to, const Parameters& from, const std::string& what) {
  const auto target = to.all();
  const auto source = from.all();
  if (target.size() != source.size())
    return Error{what, "has " + count_text(static_cast<int64_t>(source.size())) +
                           " parameters where the experiment has " + count_text(static_cast<int64_t>(target.size())) +
                           "; resume with the experiment it was saved from"};
  for (size_t k = 0; k < target.size(); ++k) {
    if (!same_shape(*target[k], *source[k]))
      return Error{what + "/" + source[k]->name,
                   "does not have the shape or the connections of the experiment; resume with the experiment it was "
                   "saved from"};
    target[k]->values = source[k]->values;
  }
  return {};
}

Result<std::shared_ptr<const Parameters>> fit_checkpoint(const Parameters& shape, const Parameters& from,
                                                         const std::string& what) {
  auto fitted = std::make_shared<Parameters>(shape);
  if (Status ok = take(*fitted, from, what); !ok) return ok.error();
  if (std::string name = first_not_finite(*fitted); !name.empty())
    return Error{what + "/" + name, "has a value that is not finite; the session file is damaged"};
  return std::shared_ptr<const Parameters>(std::move(fitted));
}

Status check_mask(const Pattern* mask, int64_t units) {
  if (mask == nullptr || (mask->rows == units && mask->cols == units)) return {};
  return Error{"mask", "is " + count_text(mask->rows) + " x " + count_text(mask->cols) + ", but the experiment has " +
                           count_text(units) + " units; give one row and one column for each"};
}

// The model starts from other weights than its initial ones.
Status begin_from(Model& model, const Parameters& start, const std::shared_ptr<const Pattern>& mask) {
  if (std::string name = first_not_finite(start); !name.empty())
    return Error{"start/" + name, "has a value that is not finite; start from a run that did not fail"};
  Parameters from = start;
  const Weights& own = model.parameters.W_rec;
  if (from.W_rec.rows == own.rows && from.W_rec.cols == own.cols) {
    const auto everywhere = [&] {
      return make_pattern(own.rows, own.cols, std::vector<uint8_t>(static_cast<size_t>(own.rows * own.cols), 1));
    };
    if (mask || from.W_rec.sparse()) from.W_rec = on_mask(from.W_rec, mask ? mask : everywhere(), own.sparse());
  }
  return take(model.parameters, from, "start");
}

// What training.checkpoint goes by; by the training loss where nothing is kept apart. As published the sum of the
// batches' means.
double checkpoint_loss(const Spec& spec, const EpochRecord& e) {
  const bool validated = spec.training.checkpoint == "validation" && !std::isnan(e.validation);
  return validated ? e.validation : spec.stages.prune && spec.stages.as_published ? e.train_published : e.train;
}

bool published_checkpoints(const Spec& spec) {
  return spec.stages.prune && spec.stages.as_published && spec.training.checkpoint == "train";
}

// Whether a saved state's stage and checkpoints go together; their shapes come later.
Status check_stage(const Spec& spec, const TrainerState& s) {
  const auto wrong = [](const std::string& what) {
    return Error{"state.json", what + "; the session file is damaged, or of another experiment"};
  };
  const int64_t dense = spec.training.epochs;
  if (!spec.stages.prune && (s.pruned || s.dense || s.pruned_losses || s.dense_epoch != 0))
    return wrong("is of a training in stages");
  if (spec.stages.prune && s.pruned != (s.mask != nullptr)) return wrong("has a mask that does not fit its stage");
  if (spec.stages.prune && (s.pruned ? s.epoch < dense : s.epoch > dense || (s.epoch == dense && s.batch > 0)))
    return wrong("is at epoch " + count_text(s.epoch) + ", which does not fit its stage");
  if (s.pruned != (s.dense != nullptr) || (s.pruned && (s.dense_epoch < 1 || s.dense_epoch > dense)) ||
      (!s.pruned && (s.pruned_losses || s.dense_epoch != 0)))
    return wrong("has a checkpoint 'dense' that does not fit its stage");
  if (s.pruned && !s.pruned_losses && (s.epoch != dense || s.batch != 0))
    return wrong("lacks the pruned network's loss");
  if ((s.best != nullptr) != (s.best_epoch != 0) || s.best_epoch > s.epoch || s.best_epoch < 0 ||
      (s.pruned && s.best_epoch != 0 && s.best_epoch <= dense) ||
      (s.best_epoch != 0 && spec.training.checkpoint == "last"))
    return wrong("has a best checkpoint that does not fit its epochs");
  return {};
}

}  // namespace

Confusion no_answers(const Dataset& data) {
  Confusion c;
  if (data.loss != Loss::cross_entropy) return c;
  c.classes = data.ends.outputs;
  c.count.assign(static_cast<size_t>(c.classes * c.classes), 0);
  return c;
}

double Confusion::accuracy() const {
  int64_t right = 0, all = 0;
  for (int64_t e = 0; e < classes * classes; ++e) {
    all += count[e];
    right += e % (classes + 1) == 0 ? count[e] : 0;
  }
  return all > 0 ? static_cast<double>(right) / static_cast<double>(all) : no_value;
}

double Confusion::accuracy_of(int64_t asked) const {
  int64_t all = 0;
  for (int64_t k = 0; k < classes; ++k) all += count[asked * classes + k];
  return all > 0 ? static_cast<double>(count[asked * (classes + 1)]) / static_cast<double>(all) : no_value;
}

Result<std::unique_ptr<Trainer>> Trainer::create(const Spec& spec, Dataset data, int64_t run,
                                                 const TrainerOptions& options) {
  Problems problems = check_spec(spec);
  if (!problems.empty()) return problems.front();
  if (data.train.count == 0)
    return Error{"task.steps", "is " + count_text(spec.task.steps) +
                                   ", longer than the training part; give fewer steps or a longer recording"};
  if (spec.network.readout == "populations" && data.ends.outputs != static_cast<int64_t>(spec.populations.size()))
    return Error{"network.readout", "reads one output from each population, but the task has " +
                                        count_text(data.ends.outputs) + " outputs and the network " +
                                        count_text(static_cast<int64_t>(spec.populations.size())) +
                                        " populations; make them equal, or use \"all\""};
  if (spec.training.checkpoint == "validation" && data.validation.count == 0 && data.held_out.count > 0)
    return Error{"training.checkpoint",
                 "goes by the validation loss, but nothing is kept for validation; use \"train\" or \"last\""};
  if (Status ok = check_stages(spec); !ok) return ok.error();
  if (options.mask && spec.stages.prune)
    return Error{"stages.prune", "prunes a whole network, but this one is pruned already; switch it off to train on"};
  if (Status ok = check_mask(options.mask.get(), spec.units()); !ok) return ok.error();
  std::unique_ptr<Trainer> trainer(new Trainer(spec, std::move(data), run, options));
  if (options.start) {
    if (Status ok = begin_from(trainer->model_, *options.start, trainer->mask_); !ok) return ok.error();
    trainer->initial_ = trainer->model_.parameters;
    trainer->origin_ = options.origin;
    if (options.origin) trainer->start_ = std::make_shared<Parameters>(trainer->initial_);
    OptimizerState& optimizer = trainer->optimizer_.state;
    if (!optimizer.latent.values.empty()) optimizer.latent.values = trainer->model_.parameters.W_rec.values;
    trainer->good_ = trainer->state();
  }
  return trainer;
}

Trainer::Trainer(const Spec& spec, Dataset data, int64_t run, const TrainerOptions& options)
    : spec_(spec),
      data_(std::move(data)),
      run_(run),
      options_(options),
      workers_(options.threads),
      model_(build_model(spec, data_.ends, run, options.mask, options.known)),
      initial_(model_.parameters),
      own_mask_(options.mask),
      mask_(own_mask_       ? own_mask_
            : options.known ? options.known
                            : sample_pattern(spec, run)),
      gradient_(zeros_like(model_.parameters)),
      optimizer_(spec, model_, options.isa),
      pass_(options.isa, workers_) {
  options_.mask = options_.known = nullptr;
  options_.start = std::nullopt;
  options_.origin = std::nullopt;
  pass_.poison = options.poison;
  fill_dense_mask();
  good_ = state();
}

void Trainer::fill_dense_mask() {
  dense_mask_.clear();
  if (!mask_ || model_.parameters.W_rec.sparse()) return;
  dense_mask_.assign(model_.parameters.W_rec.values.size(), 0.0f);
  for (int64_t j = 0; j < mask_->cols; ++j)
    for (int64_t e = mask_->col_start[j]; e < mask_->col_start[j + 1]; ++e)
      dense_mask_[j * mask_->rows + mask_->row[e]] = 1.0f;
}

TrainerState Trainer::state() const {
  TrainerState s;
  s.run = run_;
  s.epoch = epoch_;
  s.batch = batch_;
  s.epoch_loss = epoch_loss_;
  s.epoch_published = epoch_published_;
  s.epoch_scored = epoch_scored_;
  s.parameters = model_.parameters;
  s.optimizer = optimizer_.state;
  s.history = history_;
  s.mask = own_mask_;
  s.pruned = pruned_;
  s.dense_epoch = dense_epoch_;
  s.best_epoch = best_epoch_;
  s.dense = dense_;
  s.best = best_;
  s.pruned_losses = pruned_losses_;
  s.origin = origin_;
  s.start = start_;
  return s;
}

Status Trainer::restore(TrainerState s) {
  if (s.run != run_) return Error{"state.run", "is " + count_text(s.run) + "; this is run " + count_text(run_)};
  if (s.epoch < 0 || s.epoch > spec_.all_epochs() || s.batch < 0 || s.batch > batches_per_epoch() ||
      (s.epoch == spec_.all_epochs() && s.batch != 0))
    return Error{"state.epoch", "is " + count_text(s.epoch) + ", batch " + count_text(s.batch) + ", beyond the " +
                                    count_text(spec_.all_epochs()) + " epochs of the experiment"};
  if (static_cast<int64_t>(s.history.size()) != s.epoch)
    return Error{"history", "has " + count_text(static_cast<int64_t>(s.history.size())) + " rows for " +
                                count_text(s.epoch) + " epochs; the session file is damaged"};
  if (Status ok = check_mask(s.mask.get(), model_.units); !ok) return ok;
  if (Status ok = check_stage(spec_, s); !ok) return ok;
  // Another mask has other shapes. The optimizer is made as for a fresh trainer: the published rectification
  // (SEEDS 1.4) goes by the signs of the initial weights.
  std::optional<Model> remade;
  std::optional<Optimizer> remade_optimizer;
  if (s.mask != own_mask_) {
    remade = build_model(spec_, data_.ends, run_, s.mask);
    remade_optimizer = Optimizer(spec_, *remade, options_.isa);
  }
  Parameters parameters = remade ? remade->parameters : model_.parameters;
  OptimizerState optimizer = remade ? remade_optimizer->state : optimizer_.state;
  if (Status ok = take(parameters, s.parameters, "parameters"); !ok) return ok;
  if (Status ok = take(optimizer.first, s.optimizer.first, "optimizer/first"); !ok) return ok;
  if (Status ok = take(optimizer.second, s.optimizer.second, "optimizer/second"); !ok) return ok;
  if (s.optimizer.latent.values.size() != optimizer.latent.values.size())
    return Error{"optimizer/latent", "does not fit the constraint; resume with the experiment it was saved from"};
  optimizer.latent.values = s.optimizer.latent.values;
  optimizer.steps = s.optimizer.steps;
  optimizer.beta1_power = s.optimizer.beta1_power;
  optimizer.beta2_power = s.optimizer.beta2_power;
  if (std::string name = first_not_finite(parameters); !name.empty())
    return Error{"parameters/" + name, "has a value that is not finite; the session file is damaged"};
  // The checkpoints in the shapes of the networks they are of: before pruning that of the start.
  std::shared_ptr<const Parameters> dense, best, start;
  if (s.start) {
    const bool here = remade && !spec_.stages.prune;
    Result<std::shared_ptr<const Parameters>> fitted =
        fit_checkpoint(here ? remade->parameters : initial_, *s.start, "start");
    if (!fitted) return fitted.error();
    start = std::move(*fitted);
  }
  if (s.dense) {
    Result<std::shared_ptr<const Parameters>> fitted = fit_checkpoint(initial_, *s.dense, "checkpoints/dense");
    if (!fitted) return fitted.error();
    dense = std::move(*fitted);
  }
  if (s.best) {
    Result<std::shared_ptr<const Parameters>> fitted = fit_checkpoint(parameters, *s.best, "checkpoints/best");
    if (!fitted) return fitted.error();
    best = std::move(*fitted);
  }

  if (remade) {
    own_mask_ = s.mask;
    mask_ = own_mask_ ? own_mask_ : sample_pattern(spec_, run_);
    if (!spec_.stages.prune) initial_ = remade->parameters;
    gradient_ = zeros_like(remade->parameters);
    model_ = std::move(*remade);
    optimizer_ = std::move(*remade_optimizer);
    fill_dense_mask();
  }
  model_.parameters = std::move(parameters);
  optimizer_.state = std::move(optimizer);
  epoch_ = s.epoch;
  batch_ = s.batch;
  epoch_loss_ = s.epoch_loss;
  epoch_published_ = s.epoch_published;
  epoch_scored_ = s.epoch_scored;
  history_ = std::move(s.history);
  pruned_ = s.pruned;
  dense_epoch_ = s.dense_epoch;
  best_epoch_ = s.best_epoch;
  dense_ = std::move(dense);
  best_ = std::move(best);
  pruned_losses_ = s.pruned_losses;
  origin_ = std::move(s.origin);
  start_ = std::move(start);
  if (start_) initial_ = *start_;
  measuring_ = false;
  confusion_ = {};
  order_.clear();
  phase_ = Phase::idle;
  failure_.clear();
  good_ = state();
  return {};
}

int64_t Trainer::bytes() const {
  const auto size = [](const auto& v) { return static_cast<int64_t>(v.capacity() * sizeof(v[0])); };
  const auto of = [&](const Parameters& p) {
    int64_t sum = 0;
    for (const Weights* w : p.all()) sum += size(w->values);
    return sum;
  };
  int64_t sum = of(model_.parameters) + of(initial_) + of(gradient_) + of(optimizer_.state.first) +
                of(optimizer_.state.second) + size(optimizer_.state.latent.values) + size(dense_mask_) +
                (dense_ ? of(*dense_) : 0) + (best_ ? of(*best_) : 0) + of(good_.parameters) +
                of(good_.optimizer.first) + of(good_.optimizer.second) + pass_.bytes();
  if (mask_)
    sum += size(mask_->col_start) + size(mask_->row) + size(mask_->row_start) + size(mask_->col) + size(mask_->at);
  for (const Trials* t : {&data_.train, &data_.validation, &data_.held_out})
    sum += size(t->input) + size(t->target) + size(t->label) + size(t->scored);
  return sum;
}

int64_t Trainer::batches_per_epoch() const {
  return (data_.train.count + spec_.training.batch - 1) / spec_.training.batch;
}

bool Trainer::finished() const {
  return !failure_.empty() || epoch_ >= spec_.all_epochs();
}

double Trainer::progress() const {
  const int64_t all = spec_.all_epochs() * batches_per_epoch();
  return all > 0 ? static_cast<double>(updates()) / static_cast<double>(all) : 1.0;
}

std::vector<uint32_t> Trainer::order_of(int64_t epoch) const {
  Rng rng(spec_.seed, Purpose::order, static_cast<uint32_t>(run_),
          static_cast<uint32_t>(spec_.training.shuffle ? epoch : 0));
  return permutation(static_cast<uint32_t>(data_.train.count), rng);
}

Stage Trainer::stage() const {
  return !spec_.stages.prune ? Stage::whole : pruned_ ? Stage::fine_tuning : Stage::dense;
}

int64_t Trainer::stage_epoch() const {
  return pruned_ ? epoch_ - spec_.training.epochs : epoch_;
}

int64_t Trainer::stage_epochs() const {
  return pruned_ ? spec_.stages.fine_tune : spec_.training.epochs;
}

int64_t Trainer::kept_epoch() const {
  return best_ ? best_epoch_ : epoch_;
}

const Parameters* Trainer::checkpoint(std::string_view name) const {
  if (!spec_.stages.prune) return nullptr;
  if (name == "initial") return &initial_;
  if (name == "dense") return dense_.get();
  if (name != "sparse" || !pruned_) return nullptr;
  return best_ ? best_.get() : &model_.parameters;
}

bool Trainer::due_to_prune() const {
  return spec_.stages.prune && !pruned_ && epoch_ >= spec_.training.epochs;
}

// As published (SEEDS Q8) the sum of an epoch's batch losses has to fall below the pruned network's loss on one batch.
double Trainer::loss_to_beat() const {
  if (best_epoch_ > 0) return checkpoint_loss(spec_, history_[static_cast<size_t>(best_epoch_ - 1)]);
  return published_checkpoints(spec_) && pruned_losses_ ? pruned_losses_->train_published
                                                        : std::numeric_limits<double>::infinity();
}

void Trainer::keep_best() {
  if (spec_.training.checkpoint == "last" || !(checkpoint_loss(spec_, history_.back()) < loss_to_beat())) return;
  best_ = std::make_shared<Parameters>(model_.parameters);
  best_epoch_ = epoch_;
}

std::string Trainer::checkpoint_note() const {
  if (spec_.training.checkpoint == "validation" && data_.validation.count == 0)
    return "All data are trained on, so the kept epochs are those of the least training loss";
  if (!pruned_ || !finished() || !failure_.empty() || !published_checkpoints(spec_) || best_epoch_ > 0) return {};
  return "As published no epoch of the fine-tuning was kept: the sum of its " + count_text(batches_per_epoch()) +
         " batch losses never fell below the pruned network's loss on one batch. The last epoch's weights are given";
}

void Trainer::end_stage() {
  if (spec_.training.checkpoint != "last" || spec_.stages.prune)
    for (int64_t e = epoch_ - stage_epochs(); e < epoch_; ++e)
      history_[static_cast<size_t>(e)].kept = e + 1 == kept_epoch() ? 1 : 0;
  if (finished() && best_) model_.parameters = *best_;
}

Trainer::Event Trainer::prune_now() {
  std::shared_ptr<const Parameters> dense = best_ ? best_ : std::make_shared<Parameters>(model_.parameters);
  const auto refuse = [&](const Error& error) { return fail("the network cannot be pruned: " + error.text()); };
  Result<StagePruning> pruning = prune_stage(spec_, dense->W_rec, run_);
  if (!pruning) return refuse(pruning.error());
  // Made as restore() makes them.
  Model model = build_model(spec_, data_.ends, run_, pruning->mask);
  Optimizer optimizer(spec_, model, options_.isa);
  Parameters start = *dense;
  start.W_rec = on_mask(dense->W_rec, pruning->mask, model.parameters.W_rec.sparse());
  if (Status ok = take(model.parameters, start, "dense"); !ok) return refuse(ok.error());
  if (!optimizer.state.latent.values.empty()) optimizer.state.latent.values = model.parameters.W_rec.values;
  dense_epoch_ = kept_epoch();
  dense_ = std::move(dense);
  best_ = nullptr;
  best_epoch_ = 0;
  own_mask_ = mask_ = pruning->mask;
  gradient_ = zeros_like(model.parameters);
  model_ = std::move(model);
  optimizer_ = std::move(optimizer);
  fill_dense_mask();
  pruned_ = true;
  good_ = state();
  return Event::pruned;
}

void Trainer::begin_batch() {
  if (order_.empty()) order_ = order_of(epoch_);
  const int64_t begin = batch_ * spec_.training.batch;
  const int64_t count = std::min(spec_.training.batch, data_.train.count - begin);
  const NoiseAt noise{spec_.seed, static_cast<uint32_t>(run_), static_cast<uint32_t>(epoch_)};
  pass_.pack(model_, true);
  pass_.begin(model_, data_.train, order_.data() + begin, count, data_.loss, true, spec_.training.rate_l2, &noise,
              &gradient_);
  phase_ = Phase::batch;
}

Trainer::Event Trainer::fail(std::string message) {
  // The last good state: before this update when the gradient was not finite, else the start of the epoch.
  failure_ = std::move(message);
  phase_ = Phase::idle;
  return Event::failed;
}

bool Trainer::finish_batch() {
  phase_ = Phase::idle;
  const int64_t scored = pass_.activity().scored;
  const double mean = scored > 0 ? pass_.loss_sum() / static_cast<double>(scored) : 0.0;
  const auto message = [&](const std::string& what) {
    return "epoch " + count_text(epoch_ + 1) + ", batch " + count_text(batch_ + 1) + ": " + what +
           " is not finite; the last good state is kept. Try a smaller training.optimizer.lr or training.clip = 1";
  };
  if (!std::isfinite(mean)) {
    fail(message("the loss"));
    return false;
  }
  if (!dense_mask_.empty()) {
    std::vector<float>& g = gradient_.W_rec.values;
    for (size_t e = 0; e < g.size(); ++e) g[e] = dense_mask_[e] != 0 ? g[e] : 0.0f;
  }
  if (std::string name = first_not_finite(gradient_); !name.empty()) {
    fail(message("the gradient of " + name));
    return false;
  }
  if (std::string name = optimizer_.update(model_, gradient_, stage_epoch(), workers_); !name.empty()) {
    std::string text = message(name) + " (rewound to the start of the epoch)";
    TrainerState good = std::move(good_);
    (void)restore(std::move(good));
    fail(std::move(text));
    return false;
  }
  last_loss_ = mean;
  epoch_loss_ += pass_.loss_sum();
  epoch_scored_ += scored;
  epoch_published_ = data_.published_last ? mean : epoch_published_ + mean;
  ++batch_;
  return true;
}

Trainer::Event Trainer::after_update() {
  if (batch_ < batches_per_epoch()) return Event::update;
  pending_ = {};
  pending_.epoch = epoch_ + 1;
  pending_.train = epoch_scored_ > 0 ? epoch_loss_ / static_cast<double>(epoch_scored_) : 0.0;
  pending_.train_published = epoch_published_;
  pending_.lr = learning_rate(spec_.training, stage_epoch());
  begin_evaluation(0);
  return Event::update;
}

void Trainer::begin_measuring() {
  pending_ = {};
  pending_.epoch = epoch_;
  pending_.lr = no_value;
  measuring_ = true;
  begin_evaluation(2);
}

void Trainer::begin_evaluation(int which) {
  evaluating_ = which;
  evaluated_ = 0;
  evaluation_sum_ = evaluation_published_ = 0;
  evaluation_scored_ = 0;
  evaluation_answers_ = no_answers(data_);
  pass_.pack(model_, false);
  phase_ = Phase::evaluation;
  const Trials& split = split_of(data_, which);
  if (which == 3) {
    const std::vector<uint32_t> order = order_of(spec_.training.epochs - 1);
    evaluated_ = (batches_per_epoch() - 1) * spec_.training.batch;
    pass_.begin(model_, split, order.data() + evaluated_, split.count - evaluated_, data_.loss, false, 0, nullptr,
                nullptr);
    return;
  }
  if (split.count == 0) {
    (void)finish_evaluation_batch();
    return;
  }
  pass_.begin_forward(model_, split, 0, std::min(spec_.training.batch, split.count), data_.loss);
}

Trainer::Event Trainer::finish_evaluation_batch() {
  const Trials& split = split_of(data_, evaluating_);
  if (split.count > 0) {
    const int64_t scored = pass_.activity().scored;
    evaluation_sum_ += pass_.loss_sum();
    evaluation_scored_ += scored;
    if (data_.published_last) evaluation_published_ = 0;
    if (scored > 0) evaluation_published_ += pass_.loss_sum() / static_cast<double>(scored);
    if (data_.loss == Loss::cross_entropy) pass_.count_answers(evaluation_answers_.count);
    evaluated_ += pass_.activity().batch;
  }
  if (evaluated_ < split.count) {
    pass_.begin_forward(model_, split, evaluated_, std::min(evaluated_ + spec_.training.batch, split.count),
                        data_.loss);
    return Event::working;
  }
  const double mean = evaluation_scored_ > 0 ? evaluation_sum_ / static_cast<double>(evaluation_scored_)
                      : split.count > 0      ? 0.0
                                             : no_value;
  if (evaluating_ == 2) {
    pending_.train = mean;
    begin_evaluation(0);
    return Event::working;
  }
  if (evaluating_ == 3) {
    pending_.train_published = mean;
    pruned_losses_ = pending_;
    measuring_ = false;
    phase_ = Phase::idle;
    good_ = state();
    return Event::pruned;
  }
  if (evaluating_ == 0) {
    pending_.validation = mean;
    pending_.validation_accuracy = evaluation_answers_.accuracy();
    begin_evaluation(1);
    return phase_ == Phase::evaluation ? Event::working : Event::epoch;
  }
  pending_.held_out = mean;
  pending_.held_out_published = evaluation_published_;
  pending_.held_out_accuracy = evaluation_answers_.accuracy();
  if (measuring_) {
    begin_evaluation(3);
    return Event::working;
  }
  confusion_ = evaluation_answers_;
  finish_epoch();
  return Event::epoch;
}

void Trainer::finish_epoch() {
  history_.push_back(pending_);
  ++epoch_;
  batch_ = 0;
  epoch_loss_ = epoch_published_ = 0;
  epoch_scored_ = 0;
  order_.clear();
  phase_ = Phase::idle;
  keep_best();
  if (stage_epoch() == stage_epochs()) end_stage();
  good_ = state();
}

Trainer::Event Trainer::advance() {
  if (finished()) return failure_.empty() ? Event::finished : Event::failed;
  if (phase_ == Phase::idle) {
    if (due_to_prune()) return prune_now();
    if (due_to_measure()) {
      begin_measuring();
      return Event::working;
    }
    if (batch_ >= batches_per_epoch()) {  // resumed between the last update and the evaluation
      after_update();
      return Event::working;
    }
    begin_batch();
    return Event::working;
  }
  if (!pass_.advance()) return Event::working;
  if (phase_ == Phase::batch) {
    if (!finish_batch()) return Event::failed;
    return after_update();
  }
  return finish_evaluation_batch();
}

Trainer::Event Trainer::step() {
  if (finished()) return failure_.empty() ? Event::finished : Event::failed;
  const FloatState ieee;
  if (phase_ == Phase::idle && due_to_prune()) return prune_now();
  if (phase_ == Phase::idle && due_to_measure()) begin_measuring();
  if (phase_ == Phase::evaluation || batch_ >= batches_per_epoch()) {
    if (phase_ != Phase::evaluation) after_update();
    if (phase_ != Phase::evaluation) return Event::epoch;  // no trials to evaluate
    pass_.run();
    return finish_evaluation_batch();
  }
  if (phase_ == Phase::idle) begin_batch();
  pass_.run();
  if (!finish_batch()) return Event::failed;
  return after_update();
}

Losses Trainer::evaluate(const std::atomic<bool>* cancel) {
  const FloatState ieee;
  Pass pass(options_.isa, workers_);
  pass.poison = options_.poison;
  pass.pack(model_, false);
  Losses losses;
  const auto mean_of = [&](const Trials& split, double* published, Confusion& answers) {
    answers = no_answers(data_);
    double sum = 0;
    int64_t scored = 0;
    for (int64_t begin = 0; begin < split.count; begin += spec_.training.batch) {
      if (cancel && cancel->load(std::memory_order_relaxed)) break;
      pass.begin_forward(model_, split, begin, std::min(begin + spec_.training.batch, split.count), data_.loss);
      pass.run();
      sum += pass.loss_sum();
      scored += pass.activity().scored;
      if (data_.loss == Loss::cross_entropy) pass.count_answers(answers.count);
      if (published && data_.published_last) *published = 0;
      if (published && pass.activity().scored > 0)
        *published += pass.loss_sum() / static_cast<double>(pass.activity().scored);
    }
    return scored > 0 ? sum / static_cast<double>(scored) : split.count > 0 ? 0.0 : no_value;
  };
  losses.train = mean_of(data_.train, nullptr, losses.train_answers);
  losses.validation = mean_of(data_.validation, nullptr, losses.validation_answers);
  losses.held_out = mean_of(data_.held_out, &losses.published, losses.held_out_answers);
  return losses;
}

Trainer::Trace Trainer::trace(const Trials& split, int64_t trial, const std::vector<Intervention>& interventions,
                              const Model* other) const {
  const Model& model = other != nullptr ? *other : model_;
  const FloatState ieee;
  Workers one(1);
  Pass pass(options_.isa, one);
  pass.pack(model, false);
  pass.intervene(interventions);
  pass.begin_forward(model, split, trial, trial + 1, data_.loss);
  pass.run();
  Trace trace;
  trace.steps = split.steps;
  const Activity& a = pass.activity();
  trace.output = outputs_of(a, split.outputs);
  trace.activity.resize(static_cast<size_t>(split.steps * model_.units));
  for (int64_t e = 0; e < split.steps * model_.units; ++e) trace.activity[e] = a.z[e * a.stride];
  const auto input = split.input.begin() + trial * split.steps * split.inputs;
  trace.input.assign(input, input + split.steps * split.inputs);
  if (data_.loss == Loss::mse) {
    const auto target = split.target.begin() + trial * split.steps * split.outputs;
    trace.target.assign(target, target + split.steps * split.outputs);
  } else {  // classes as one-hot rows; nothing where no class is asked for
    trace.target.assign(static_cast<size_t>(split.steps * split.outputs), 0.0f);
    for (int64_t t = 0; t < split.steps; ++t) {
      const int32_t label = split.label[trial * split.steps + t];
      if (label >= 0) trace.target[t * split.outputs + label] = 1.0f;
    }
  }
  return trace;
}

Trainer::Event train(Trainer& trainer, const std::atomic<bool>& cancel,
                     const std::function<void(Trainer::Event)>& on_event) {
  while (!cancel.load(std::memory_order_relaxed)) {
    const Trainer::Event event = trainer.step();
    if (event == Trainer::Event::finished || event == Trainer::Event::failed) return event;
    on_event(event);
  }
  return Trainer::Event::working;
}

}  // namespace dalea
