#include "training/trainer.h"

#include <algorithm>
#include <cmath>

namespace dalea {
namespace {

std::string count_text(int64_t n) {
  return std::to_string(n);
}

const Trials& split_of(const Dataset& data, int which) {
  return which == 0 ? data.validation : data.held_out;
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
  if (Status ok = check_mask(options.mask.get(), spec.units()); !ok) return ok.error();
  std::unique_ptr<Trainer> trainer(new Trainer(spec, std::move(data), run, options));
  if (options.start) {
    if (Status ok = begin_from(trainer->model_, *options.start, trainer->mask_); !ok) return ok.error();
    trainer->initial_ = trainer->model_.parameters;
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
      model_(build_model(spec, data_.ends, run, options.mask)),
      initial_(model_.parameters),
      own_mask_(options.mask),
      mask_(own_mask_ ? own_mask_ : sample_pattern(spec, run)),
      gradient_(zeros_like(model_.parameters)),
      optimizer_(spec, model_, options.isa),
      pass_(options.isa, workers_) {
  options_.mask = nullptr;
  options_.start = std::nullopt;
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
  return s;
}

Status Trainer::restore(TrainerState s) {
  if (s.run != run_) return Error{"state.run", "is " + count_text(s.run) + "; this is run " + count_text(run_)};
  if (s.epoch < 0 || s.epoch > spec_.training.epochs || s.batch < 0 || s.batch > batches_per_epoch() ||
      (s.epoch == spec_.training.epochs && s.batch != 0))
    return Error{"state.epoch", "is " + count_text(s.epoch) + ", batch " + count_text(s.batch) + ", beyond the " +
                                    count_text(spec_.training.epochs) + " epochs of the experiment"};
  if (static_cast<int64_t>(s.history.size()) != s.epoch)
    return Error{"history", "has " + count_text(static_cast<int64_t>(s.history.size())) + " rows for " +
                                count_text(s.epoch) + " epochs; the session file is damaged"};
  if (Status ok = check_mask(s.mask.get(), model_.units); !ok) return ok;
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

  if (remade) {
    own_mask_ = s.mask;
    mask_ = own_mask_ ? own_mask_ : sample_pattern(spec_, run_);
    initial_ = remade->parameters;
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
                of(good_.parameters) + of(good_.optimizer.first) + of(good_.optimizer.second) + pass_.bytes();
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
  return !failure_.empty() || epoch_ >= spec_.training.epochs;
}

double Trainer::progress() const {
  const int64_t all = spec_.training.epochs * batches_per_epoch();
  return all > 0 ? static_cast<double>(updates()) / static_cast<double>(all) : 1.0;
}

void Trainer::begin_batch() {
  if (order_.empty()) {
    Rng rng(spec_.seed, Purpose::order, static_cast<uint32_t>(run_), static_cast<uint32_t>(epoch_));
    order_ = permutation(static_cast<uint32_t>(data_.train.count), rng);
  }
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
  if (std::string name = optimizer_.update(model_, gradient_, epoch_, workers_); !name.empty()) {
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
  pending_.lr = learning_rate(spec_.training, epoch_);
  begin_evaluation(0);
  return Event::update;
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
  if (evaluating_ == 0) {
    pending_.validation = mean;
    pending_.validation_accuracy = evaluation_answers_.accuracy();
    begin_evaluation(1);
    return phase_ == Phase::evaluation ? Event::working : Event::epoch;
  }
  pending_.held_out = mean;
  pending_.held_out_published = evaluation_published_;
  pending_.held_out_accuracy = evaluation_answers_.accuracy();
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
  good_ = state();
}

Trainer::Event Trainer::advance() {
  if (finished()) return failure_.empty() ? Event::finished : Event::failed;
  if (phase_ == Phase::idle) {
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
  if (phase_ == Phase::evaluation || batch_ >= batches_per_epoch()) {
    if (phase_ != Phase::evaluation) after_update();
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
