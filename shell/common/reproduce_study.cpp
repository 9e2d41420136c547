#include "common/reproduce_study.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/files.h"
#include "numerics/parallel.h"
#include "recording/recording.h"

namespace dalea::reproduce {
namespace {

using nlohmann::json;

json json_of(const std::optional<std::vector<std::byte>>& bytes) {
  if (!bytes) return {};
  return json::parse(as_text(*bytes), nullptr, false);
}

// R2 of each output over at most 100 trials; none where a target does not vary.
std::vector<double> fit_of(const Trainer& trainer) {
  const Dataset& data = trainer.data();
  const Trials& trials = data.held_out.count > 0 ? data.held_out : data.train;
  const auto outputs = static_cast<size_t>(trials.outputs);
  std::vector<double> error(outputs), sum(outputs), square(outputs), count(outputs);
  for (int64_t k = 0; k < std::min<int64_t>(100, trials.count); ++k) {
    const Trainer::Trace trace = trainer.trace(trials, k);
    for (size_t e = 0; e < trace.target.size(); ++e) {
      const double y = static_cast<double>(trace.target[e]), d = static_cast<double>(trace.output[e]) - y;
      const size_t c = e % outputs;
      error[c] += d * d;
      sum[c] += y;
      square[c] += y * y;
      count[c] += 1;
    }
  }
  std::vector<double> fit;
  for (size_t c = 0; c < outputs; ++c) {
    const double spread = square[c] - sum[c] * sum[c] / std::max(1.0, count[c]);
    fit.push_back(spread > 0 ? 1 - error[c] / spread : no_value);
  }
  return fit;
}

json sweep_json(const Sweep& sweep) {
  json o = {{"dense", sweep.dense}, {"points", json::array()}};
  for (const SweepPoint& p : sweep.points)
    o["points"].push_back(
        {dalea::text_of(p.method), p.sparsity, p.density, p.effective, p.held_out, p.overlap, p.random_overlap});
  return o;
}

std::optional<Sweep> sweep_from(const json& o) {
  Sweep sweep;
  if (!o.is_object() || !o.contains("dense") || !o["dense"].is_number() || !o.contains("points")) return std::nullopt;
  sweep.dense = o["dense"].get<double>();
  for (const json& row : o["points"]) {
    if (!row.is_array() || row.size() != 7 || !row[0].is_string()) return std::nullopt;
    for (size_t k = 1; k < 7; ++k)
      if (!row[k].is_number()) return std::nullopt;
    const Result<PruneMethod> method = parse_prune_method(row[0].get<std::string>());
    if (!method) return std::nullopt;
    SweepPoint p;
    p.method = *method;
    p.sparsity = row[1].get<double>();
    p.density = row[2].get<double>();
    p.effective = row[3].get<double>();
    p.held_out = row[4].get<double>();
    p.overlap = row[5].get<double>();
    p.random_overlap = row[6].get<double>();
    sweep.points.push_back(p);
  }
  sweep.complete = true;
  return sweep;
}

}  // namespace

const char* text_of(State state) {
  switch (state) {
    case State::waiting:
      return "waiting";
    case State::working:
      return "learning";
    case State::done:
      return "done";
    default:
      return "failed";
  }
}

// ---- a network

class Study::Training : public Study::Work {
 public:
  Training(Study& study, size_t piece) : study_(study), piece_(piece), job_(study.jobs_[study.pieces_[piece].job]) {}

  bool step() override {
    if (study_.stop_) return leave();
    if (trainer_ == nullptr) return begin();
    const auto began = Clock::now();
    const int64_t epoch = trainer_->epoch();
    const Trainer::Event event = threads_available() ? trainer_->step() : advance();
    spent_ += std::chrono::duration<double>(Clock::now() - began).count();
    study_.add(update_cost_ * static_cast<double>(trainer_->updates() - seen_), true);
    seen_ = trainer_->updates();
    // Where nothing is evaluated an epoch ends with its last update.
    if (event == Trainer::Event::epoch || event == Trainer::Event::finished || trainer_->epoch() != epoch) {
      epochs_s_.push_back(spent_);
      unsaved_ += spent_;
      spent_ = 0;
      // Short epochs are not each worth a file; the last one is saved in the end.
      const bool short_epochs = of_cell_types(study_.options_.figure) || study_.options_.figure == Paper::bio;
      if (short_epochs && unsaved_ < 2 && !trainer_->finished()) return true;
      unsaved_ = 0;
      show();
      if (trainer_->finished()) return finish();  // it saves
      if (Status ok = save(); !ok) return study_.fail(ok.error()), false;
    }
    if (!trainer_->failure().empty() || trainer_->finished()) return finish();
    return true;
  }

 private:
  // Some time steps, so that a page without threads stays alive.
  Trainer::Event advance() {
    Trainer::Event event = Trainer::Event::working;
    for (int k = 0; k < 8 && event == Trainer::Event::working; ++k) event = trainer_->advance();
    return event;
  }

  bool leave() {
    if (trainer_ != nullptr)
      if (Status ok = save(); !ok) study_.fail(ok.error());
    return false;
  }

  Status save() { return study_.store_.save(job_.id + ".npz", write_session(*trainer_, study_.machine_.platform)); }

  void show() {
    auto history = std::make_shared<const std::vector<EpochRecord>>(trainer_->history());
    study_.show(index(), [&](JobView& v) {
      v.epoch = trainer_->epoch();
      v.history = std::move(history);
    });
  }

  size_t index() const { return study_.pieces_[piece_].job; }
  // The report of bio needs none of its many networks' weights.
  bool keeps_parameters() const { return study_.options_.figure != Paper::bio; }

  bool begin() {
    Start start;
    run_.job = job_;
    if (job_.retrains()) {
      const Run* parent = nullptr;
      {
        const std::lock_guard<std::mutex> lock(study_.mutex_);
        for (size_t k = 0; k < study_.jobs_.size(); ++k)
          if (study_.jobs_[k].id == job_.parent) parent = &study_.runs_[k];  // done, so nobody changes it
      }
      if (!parent->failure.empty()) {
        run_.failure = "the network to prune has failed";
        return keep(true), false;
      }
      Result<Start> made = start_of(study_.options_, job_, parent->parameters);
      if (!made) return study_.fail(made.error()), false;
      start = std::move(*made);
    }
    Result<std::optional<std::vector<std::byte>>> bytes = study_.store_.load(job_.id + ".npz");
    if (!bytes) return study_.fail(bytes.error()), false;
    std::optional<Session> session;
    if (*bytes) {
      Result<Session> read = read_session(**bytes, job_.id + ".npz");
      if (!read) return study_.fail(read.error()), false;
      const Pattern *mine = start.mask.get(), *theirs = read->state.mask.get();
      const bool same_mask =
          mine == nullptr ? theirs == nullptr
                          : theirs != nullptr && theirs->row == mine->row && theirs->col_start == mine->col_start;
      if (!same_experiment(read->spec, job_.spec) || !same_mask)
        return study_.fail(
                   {job_.id + ".npz",
                    "is another experiment's, perhaps of another version; choose another folder, or remove it"}),
               false;
      session = std::move(*read);
    }
    const bool cells = of_cell_types(study_.options_.figure);
    bool before_known = !job_.retrains(), fit_known = !cells;
    if (job_.retrains() || cells) {
      Result<std::optional<std::vector<std::byte>>> kept = study_.store_.load(job_.id + ".json");
      if (!kept) return study_.fail(kept.error()), false;
      const json o = json_of(*kept);
      if (job_.retrains()) {
        before_known = o.is_object() && o.contains("before") && o["before"].is_number();
        if (before_known) run_.before = o["before"].get<double>();
      }
      if (cells && o.is_object() && o.contains("fit") && o["fit"].is_array()) {
        fit_known = true;
        for (const json& v : o["fit"]) run_.fit.push_back(v.is_number() ? v.get<double>() : no_value);
        run_.seconds = o.contains("seconds") && o["seconds"].is_number() ? o["seconds"].get<double>() : 0.0;
      }
    }
    run_.mask = start.mask;
    const double whole = job_.cost * static_cast<double>(job_.spec.all_epochs());
    if (session && before_known && (fit_known || !session->provenance.failure.empty()) &&
        (session->state.epoch >= job_.spec.all_epochs() || !session->provenance.failure.empty())) {
      if (keeps_parameters()) run_.parameters = std::move(session->state.parameters);
      run_.history = std::move(session->state.history);
      run_.hash = session->provenance.hash;
      run_.failure = session->provenance.failure;
      study_.add(whole, false);
      return keep(true), false;
    }
    std::optional<Recording> recording;
    if (study_.options_.data != nullptr) {
      Result<Recording> read = read_recording(*study_.options_.data, study_.options_.data_name, job_.spec.recording);
      if (!read) return study_.fail(read.error()), false;
      recording = std::move(*read);
    }
    Result<Dataset> data = make_dataset(job_.spec, recording ? &*recording : nullptr, job_.run, study_.digits_.get());
    if (!data) return study_.fail(data.error()), false;
    TrainerOptions options;
    options.isa = study_.machine_.isa;
    options.threads = study_.machine_.threads;
    if (start.mask != nullptr) {
      options.mask = start.mask;
      options.start = std::move(start.parameters);
    }
    Result<std::unique_ptr<Trainer>> made = Trainer::create(job_.spec, std::move(*data), job_.run, options);
    if (!made) return study_.fail(made.error()), false;
    trainer_ = std::move(*made);
    if (!before_known) {
      run_.before = trainer_->evaluate(&study_.stop_).held_out;
      const double training = cells ? trainer_->evaluate(&study_.stop_).train : 0;
      if (study_.stop_) return trainer_.reset(), false;
      if (!std::isfinite(run_.before)) run_.before = training;  // nothing is held out
      if (Status ok = study_.store_.save(job_.id + ".json", to_bytes(json{{"before", run_.before}}.dump())); !ok)
        return study_.fail(ok.error()), false;
    }
    if (session) {
      study_.add(job_.cost * static_cast<double>(session->state.epoch), false);
      if (Status ok = trainer_->restore(std::move(session->state)); !ok) return study_.fail(ok.error()), false;
      show();
    }
    update_cost_ = job_.cost / static_cast<double>(trainer_->batches_per_epoch());
    seen_ = trainer_->updates();
    return true;
  }

  bool finish() {
    if (Status ok = save(); !ok) return study_.fail(ok.error()), false;
    if (keeps_parameters()) run_.parameters = trainer_->state().parameters;
    run_.history = trainer_->history();
    run_.hash = hash_text(trainer_->hash());
    run_.failure = trainer_->failure();
    if (of_cell_types(study_.options_.figure) && run_.failure.empty()) {
      run_.fit = fit_of(*trainer_);
      std::sort(epochs_s_.begin(), epochs_s_.end());
      if (!epochs_s_.empty()) run_.seconds = epochs_s_[epochs_s_.size() / 2];
      json o = {{"fit", run_.fit}, {"seconds", run_.seconds}};  // what is no number is written as null
      if (job_.retrains()) o["before"] = run_.before;
      if (Status ok = study_.store_.save(job_.id + ".json", to_bytes(o.dump())); !ok)
        return study_.fail(ok.error()), false;
    }
    keep(false);
    return false;
  }

  void keep(bool found) {
    const bool good = run_.failure.empty();
    char text[160] = "did not stay finite";
    if (good && !run_.history.empty() && std::isfinite(run_.history.back().held_out_accuracy))
      std::snprintf(text, sizeof text, "held-out accuracy %.2f %%, hash %s",
                    100 * run_.history.back().held_out_accuracy, run_.hash.c_str());
    else if (good && !run_.history.empty())
      std::snprintf(text, sizeof text, "held-out error %.4g, hash %s", run_.history.back().held_out, run_.hash.c_str());
    auto history = std::make_shared<const std::vector<EpochRecord>>(run_.history);
    study_.show(index(), [&](JobView& v) {
      v.epoch = history->empty() ? 0 : history->back().epoch;
      v.history = history;
      v.hash = run_.hash;
      v.failure = run_.failure;
    });
    {
      const std::lock_guard<std::mutex> lock(study_.mutex_);
      study_.runs_[index()] = std::move(run_);
    }
    study_.end(piece_, good ? State::done : State::failed);
    if (!found && study_.on_done) study_.on_done(job_.id + ": " + text);
  }

  Study& study_;
  size_t piece_;
  const Job& job_;
  std::unique_ptr<Trainer> trainer_;
  Run run_;
  using Clock = std::chrono::steady_clock;
  double update_cost_ = 0;
  int64_t seen_ = 0;
  double spent_ = 0;              // s, in this epoch
  double unsaved_ = 0;            // s, since the last time it was saved
  std::vector<double> epochs_s_;  // of each
};

// ---- its sweep

class Study::Sweeping : public Study::Work {
 public:
  Sweeping(Study& study, size_t piece) : study_(study), piece_(piece), job_(study.jobs_[study.pieces_[piece].job]) {}

  bool step() override {
    if (study_.stop_) return false;
    const Run& run = study_.runs_[study_.pieces_[piece_].job];  // done, so nobody changes it
    if (!run.failure.empty()) return keep({}), false;
    if (steps_ == nullptr) {
      Result<std::optional<std::vector<std::byte>>> bytes = study_.store_.load(name());
      if (!bytes) return study_.fail(bytes.error()), false;
      const json o = json_of(*bytes);
      if (o.is_object() && o.value("hash", "") == run.hash && o.value("numerics", 0) == numerics_version)
        if (std::optional<Sweep> sweep = sweep_from(o.value("sweep", json()))) {
          study_.add(study_.cost_of(study_.pieces_[piece_]), false);
          return keep(std::move(*sweep)), false;
        }
      Result<Dataset> data = make_dataset(job_.spec, nullptr, 0, study_.digits_.get());
      if (!data) return study_.fail(data.error()), false;
      data_ = std::make_unique<Dataset>(std::move(*data));
      model_ = build_model(job_.spec, data_->ends, 0);
      model_.parameters = run.parameters;
      workers_ = std::make_unique<Workers>(study_.machine_.threads);
      Result<std::unique_ptr<SweepSteps>> steps = SweepSteps::create(
          job_.spec, model_, *data_, 0, sweep_options(study_.options_), study_.machine_.isa, *workers_);
      if (!steps) return study_.fail(steps.error()), false;
      steps_ = std::move(*steps);
      return true;
    }
    const int64_t before = steps_->done();
    const Result<bool> more = threads_available() ? steps_->step() : steps_->advance();
    if (!more) return study_.fail(more.error()), false;
    study_.add(study_.cost_of(study_.pieces_[piece_]) * static_cast<double>(steps_->done() - before) /
                   static_cast<double>(steps_->all()),
               true);
    if (*more) return true;
    Sweep sweep = steps_->result();
    const json o = {{"hash", run.hash}, {"numerics", numerics_version}, {"sweep", sweep_json(sweep)}};
    if (Status ok = study_.store_.save(name(), to_bytes(o.dump())); !ok) return study_.fail(ok.error()), false;
    keep(std::move(sweep));
    if (study_.on_done) study_.on_done(job_.id + ": pruned by three methods at 15 sparsities");
    return false;
  }

 private:
  std::string name() const { return job_.id + (study_.options_.corrected ? "-sweep-corrected.json" : "-sweep.json"); }
  void keep(Sweep sweep) {
    const size_t job = study_.pieces_[piece_].job;
    {
      const std::lock_guard<std::mutex> lock(study_.mutex_);
      study_.pruned_[job] = {job_.id, std::move(sweep)};
    }
    study_.show(job, [](JobView& v) { v.swept = true; });
    study_.end(piece_, State::done);
  }

  Study& study_;
  size_t piece_;
  const Job& job_;
  std::unique_ptr<Dataset> data_;
  Model model_;
  std::unique_ptr<Workers> workers_;
  std::unique_ptr<SweepSteps> steps_;
};

// ---- all of it

Study::Study(Options options, Machine machine, std::shared_ptr<const Digits> digits, Store& store)
    : options_(std::move(options)),
      machine_(std::move(machine)),
      digits_(std::move(digits)),
      store_(store),
      jobs_(jobs_of(options_)) {
  runs_.resize(jobs_.size());
  pruned_.resize(jobs_.size());
  views_.resize(jobs_.size());
  for (size_t k = 0; k < jobs_.size(); ++k) {
    views_[k].history = std::make_shared<const std::vector<EpochRecord>>();
    runs_[k].job = jobs_[k];
    pieces_.push_back({k, false});
    if (options_.figure == Paper::fig3 && !jobs_[k].retrains()) pieces_.push_back({k, true});
  }
  for (const Piece& piece : pieces_) all_ += cost_of(piece);
}

// A sweep: forward passes over the held-out trials, 45 masks; forward is about a third of an update.
double Study::cost_of(const Piece& piece) const {
  const Job& job = jobs_[piece.job];
  if (!piece.sweep) return job.cost * static_cast<double>(job.spec.all_epochs());
  const double trials = static_cast<double>(options_.corrected ? job.spec.task.held_out : job.spec.training.batch);
  return job.cost * 46 * trials / static_cast<double>(job.spec.task.train) / 3;
}

bool Study::ready(const Piece& piece) const {
  if (piece.state != State::waiting) return false;
  const auto trained = [&](const std::string& id) {
    for (const Piece& p : pieces_)
      if (!p.sweep && jobs_[p.job].id == id) return p.state == State::done || p.state == State::failed;
    return false;
  };
  const Job& job = jobs_[piece.job];
  if (piece.sweep) return trained(job.id);
  return !job.retrains() || trained(job.parent);
}

std::unique_ptr<Study::Work> Study::take() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (stop_ || error_) return nullptr;
  for (size_t k = 0; k < pieces_.size(); ++k) {
    if (!ready(pieces_[k])) continue;
    pieces_[k].state = State::working;
    if (pieces_[k].sweep) return std::make_unique<Sweeping>(*this, k);
    views_[pieces_[k].job].state = State::working;
    return std::make_unique<Training>(*this, k);
  }
  return nullptr;
}

bool Study::over() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (stop_ || error_) return true;
  for (const Piece& p : pieces_)
    if (p.state == State::waiting || p.state == State::working) return false;
  return true;
}

void Study::run(int threads) {
  Workers pool(threads);
  pool.run(pool.threads(), [&](int) {
    while (!over()) {
      std::unique_ptr<Work> work = take();
      if (work == nullptr) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));  // another worker's piece must end first
        continue;
      }
      while (work->step()) {
      }
    }
  });
}

std::vector<JobView> Study::views() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return views_;
}

double Study::done_part() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return all_ > 0 ? std::min(1.0, done_ / all_) : 1.0;
}

double Study::worked_part() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return all_ > 0 ? worked_ / all_ : 0.0;
}

std::optional<Error> Study::error() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return error_;
}

std::vector<Run> Study::runs() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return runs_;
}

Result<Output> Study::report(ReportProvenance where) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const Run& run : runs_)
    if (run.failure.empty() && !run.hash.empty()) where.hashes.emplace_back(run.job.id, run.hash);
  return reproduce::report(options_, runs_, pruned_, where);
}

void Study::add(double cost, bool worked) {
  const std::lock_guard<std::mutex> lock(mutex_);
  done_ += cost;
  if (worked) worked_ += cost;
}

void Study::end(size_t piece, State state) {
  const std::lock_guard<std::mutex> lock(mutex_);
  pieces_[piece].state = state;
  if (!pieces_[piece].sweep) views_[pieces_[piece].job].state = state;
}

void Study::fail(const Error& error) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!error_) error_ = error;
}

void Study::show(size_t job, const std::function<void(JobView&)>& change) {
  const std::lock_guard<std::mutex> lock(mutex_);
  change(views_[job]);
}

}  // namespace dalea::reproduce
