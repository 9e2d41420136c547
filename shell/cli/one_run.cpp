#include "cli/one_run.h"

#include <algorithm>
#include <cmath>

#include "cli/json.h"
#include "common/experiment_notes.h"
#include "common/files.h"
#include "common/picture.h"
#include "session/session.h"

namespace dalea::cli {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

json prepared_json(const Prepared& p) {
  json dropped = json::array();
  for (const Dropped& d : p.dropped) dropped.push_back({{"event", d.unit}, {"reason", d.reason}});
  return {{"events", p.events}, {"used", p.used},     {"dropped", dropped}, {"kinds", p.kinds},
          {"window", p.window}, {"trials", p.trials}, {"notes", p.notes}};
}

json baselines_json(const Baselines& b) {
  return {{"last_frame", number_or_null(b.last_frame)},
          {"ar1", number_or_null(b.ar1)},
          {"linear", number_or_null(b.linear)}};
}

json accuracy_json(const Losses& losses, const Dataset& data) {
  const Confusion& held_out = losses.held_out_answers;
  if (held_out.classes == 0) return nullptr;
  json per_class = json::array(), confusion = json::array();
  for (int64_t asked = 0; asked < held_out.classes; ++asked) {
    per_class.push_back(number_or_null(held_out.accuracy_of(asked)));
    const auto row = held_out.count.begin() + asked * held_out.classes;
    confusion.push_back(std::vector<int64_t>(row, row + held_out.classes));
  }
  return {{"train", number_or_null(losses.train_answers.accuracy())},
          {"validation", number_or_null(losses.validation_answers.accuracy())},
          {"held_out", number_or_null(held_out.accuracy())},
          {"classes", data.output_names},
          {"per_class", per_class},   // held out
          {"confusion", confusion}};  // held out: a row for each class asked, a column for each class answered
}

}  // namespace

OneRun::OneRun(const RunOptions& options, const Spec& spec, const Sources& sources, Isa isa, int64_t run, int threads,
               std::string out)
    : options_(options),
      spec_(spec),
      sources_(sources),
      isa_(isa),
      run_(run),
      threads_(threads),
      out_(std::move(out)) {}

OneRun::~OneRun() = default;

RunResult OneRun::go(RunWatch& watch) {
  Result<Dataset> data = sources_.dataset(spec_, run_);
  if (!data) return refuse(watch, data.error(), bad_input);
  TrainerOptions trainer_options;
  trainer_options.isa = isa_;
  trainer_options.threads = threads_;
  if (sources_.parent) {
    Result<Transfer> transfer = transfer_to(*sources_.parent, spec_, data->ends, run_);
    if (!transfer) return refuse(watch, transfer.error(), bad_input);
    start_from(std::move(*transfer), trainer_options);
  }
  Result<std::unique_ptr<Trainer>> made = Trainer::create(spec_, std::move(*data), run_, trainer_options);
  if (!made) return refuse(watch, made.error(), bad_input);
  trainer_ = std::move(*made);
  if (options_.resume) {
    if (Status ok = resume(); !ok) return refuse(watch, ok.error(), bad_input);
  }
  const Clock::time_point start = Clock::now();
  const int64_t first_epoch = trainer_->epoch();
  Clock::time_point saved = start;
  watch.begun(*trainer_);
  Status save_status;
  Clock::time_point epoch_began = start;
  int64_t epochs_seen = trainer_->epoch();
  train(*trainer_, cancel_on_signals(), [&](Trainer::Event event) {
    if (event == Trainer::Event::pruned) epoch_began = Clock::now();
    if (trainer_->epoch() != epochs_seen) {
      Timed& timed = timed_[trainer_->stage() == Stage::fine_tuning ? 1 : 0];
      ++timed.epochs;
      timed.seconds += seconds_since(epoch_began);
      epoch_began = Clock::now();
      epochs_seen = trainer_->epoch();
    }
    watch.trained(*trainer_);
    if (seconds_since(saved) >= options_.save_every_s && save_status.ok()) {
      const Clock::time_point before_saving = Clock::now();
      save_status = save();
      saved = Clock::now();
      if (!save_status.ok()) watch.complain(save_status.error());
      epoch_began += std::chrono::duration_cast<Clock::duration>(Clock::now() - before_saving);
    }
  });
  const double seconds = seconds_since(start);
  watch.ended();

  if (Status ok = save(); !ok) return refuse(watch, ok.error(), failed);
  RunResult result;
  result.updates = trainer_->updates();
  result.history = trainer_->history();
  result.failure = trainer_->failure();
  if (!result.failure.empty()) {
    watch.complain({"", result.failure + "\ndalea: the last good state is in " + out_ + "/session.npz"});
    result.code = failed;
  } else if (!trainer_->finished()) {
    result.code = cancelled;
    return result;
  }
  if (Status ok = save_checkpoints(); !ok) return refuse(watch, ok.error(), failed);
  const int64_t epochs = trainer_->epoch() - first_epoch;
  result.object = describe(epochs > 0 ? seconds / static_cast<double>(epochs) : 0.0, seconds);
  if (!result.failure.empty()) result.object["failure"] = result.failure;
  return result;
}

RunResult OneRun::refuse(RunWatch& watch, const Error& error, ExitCode code) {
  watch.complain(error);
  RunResult result;
  result.code = code;
  result.failure = error.text();
  result.object = {{"name", spec_.name}, {"run", run_ + 1}, {"seed", spec_.seed}, {"failure", error.text()}};
  return result;
}

Status OneRun::resume() {
  const std::string path = out_ + "/session.npz";
  if (!file_exists(path)) {
    if (spec_.runs > 1) return {};  // this run had not begun
    return Error{path, "does not exist, so there is nothing to resume; leave --resume out to start"};
  }
  Result<std::vector<std::byte>> bytes = read_file(path);
  if (!bytes) return bytes.error();
  Result<Session> session = read_session(*bytes, path);
  if (!session) return session.error();
  if (print_spec(session->spec, true) != print_spec(spec_, true))
    return Error{path,
                 "was saved from another experiment than the one given; resume with the same file and --set, or "
                 "choose another --out"};
  const std::optional<Origin>& origin = session->state.origin;
  if (sources_.parent &&
      (!origin || origin->sha256 != sources_.parent->origin.sha256 || origin->keep != sources_.parent->origin.keep))
    return Error{path,
                 "did not begin with the weights that --from and --keep give; leave --from out, or choose another "
                 "--out"};
  return trainer_->restore(std::move(session->state));
}

Status OneRun::save() {
  if (Status ok = write_file(out_ + "/session.npz", write_session(*trainer_, platform_text(isa_))); !ok) return ok;
  if (Status ok = write_file(out_ + "/curves.csv", history_csv(trainer_->history())); !ok) return ok;
  std::vector<std::string> names;
  for (const Population& p : spec_.populations) names.push_back(p.name);
  return write_file(out_ + "/weights.png", weight_picture(trainer_->model(), names, trainer_->mask()));
}

Status OneRun::save_checkpoints() {
  for (const char* name : {"initial", "dense", "sparse"})
    if (const Parameters* p = trainer_->checkpoint(name))
      if (Status ok = write_file(out_ + "/" + name + ".npz", write_weights(*p)); !ok) return ok;
  return {};
}

// Losses of a stage are those of the epoch that was kept.
json OneRun::describe_stages() const {
  const auto losses = [](const EpochRecord& e) {
    return json{{"train", number_or_null(e.train)},
                {"validation", number_or_null(e.validation)},
                {"held_out", number_or_null(e.held_out)}};
  };
  const auto seconds = [&](int stage) {
    const Timed& t = timed_[stage];
    return number_or_null(t.epochs > 0 ? t.seconds / static_cast<double>(t.epochs) : no_value);
  };
  const auto row = [&](int64_t epoch) { return trainer_->history()[static_cast<size_t>(epoch - 1)]; };
  const int64_t dense_epochs = spec_.training.epochs, all = trainer_->epoch();
  json stages = json::array();
  if (trainer_->dense_epoch() == 0) return stages;
  stages.push_back({{"stage", "dense"},
                    {"epochs", dense_epochs},
                    {"kept_epoch", trainer_->dense_epoch()},
                    {"loss", losses(row(trainer_->dense_epoch()))},
                    {"seconds_per_epoch", seconds(0)},
                    {"checkpoint", "dense.npz"}});
  const double units = static_cast<double>(spec_.units());
  json pruned = {{"stage", "pruned"},
                 {"density", static_cast<double>(trainer_->mask()->count()) / (units * units)},
                 {"connections", trainer_->mask()->count()}};
  if (const EpochRecord* e = trainer_->pruned_losses()) {
    pruned["loss"] = losses(*e);
    pruned["loss"]["last_batch"] = number_or_null(e->train_published);
  }
  stages.push_back(std::move(pruned));
  if (all == dense_epochs) return stages;
  const Weights& w = trainer_->model().parameters.W_rec;
  const auto used = std::count_if(w.values.begin(), w.values.end(), [](float v) { return std::fabs(v) >= 1e-5f; });
  stages.push_back({{"stage", "fine-tuning"},
                    {"epochs", all - dense_epochs},
                    {"kept_epoch", trainer_->kept_epoch()},
                    {"loss", losses(row(trainer_->kept_epoch()))},
                    {"density", static_cast<double>(used) / (units * units)},  // |w| >= 1e-5, SEEDS 4.7
                    {"stored", w.sparse() ? "sparse" : "dense"},
                    {"seconds_per_epoch", seconds(1)},
                    {"checkpoint", "sparse.npz"}});
  if (timed_[0].epochs > 0 && timed_[1].epochs > 0 && timed_[1].seconds > 0)
    stages.back()["faster_than_dense"] = timed_[0].seconds / static_cast<double>(timed_[0].epochs) /
                                         (timed_[1].seconds / static_cast<double>(timed_[1].epochs));
  if (const std::string note = trainer_->checkpoint_note(); !note.empty()) stages.back()["note"] = note;
  return stages;
}

json OneRun::describe(double seconds_per_epoch, double seconds) {
  const Losses losses = trainer_->evaluate();
  const Audit audit = trainer_->audit();
  const Dataset& data = trainer_->data();
  json o;
  o["name"] = spec_.name;
  o["run"] = run_ + 1;
  o["seed"] = spec_.seed;
  o["constraint"] = spec_.training.constraint;
  o["notes"] = experiment_notes(spec_);
  o["loss"] = {{"train", number_or_null(losses.train)},
               {"validation", number_or_null(losses.validation)},
               {"held_out", number_or_null(losses.held_out)},
               {"published", data.recording ? json(nullptr) : number_or_null(losses.published)},
               {"unit", data.unit}};
  o["accuracy"] = accuracy_json(losses, data);
  o["data_sha256"] = data.recording ? data.recording->sha256 : data.sha256;
  if (!data.notes.empty()) o["data_notes"] = data.notes;
  if (const Origin* from = trainer_->origin())
    o["from"] = {{"name", from->name}, {"hash", from->hash}, {"sha256", from->sha256}, {"keep", from->keep}};
  o["baselines"] = nullptr;
  if (data.baselines) {
    o["baselines"] = baselines_json(data.baselines->held_out);
    o["baselines_train"] = baselines_json(data.baselines->train);
    o["baselines_validation"] = baselines_json(data.baselines->validation);
  }
  if (data.recording) {
    const Recording& r = *data.recording;
    json dropped = json::array();
    for (const Dropped& d : r.dropped) dropped.push_back({{"unit", d.unit}, {"reason", d.reason}});
    o["recording"] = {{"source", r.source},
                      {"units", r.units},
                      {"frames", r.frames},
                      {"array", r.array},
                      {"orientation", r.orientation},
                      {"orientation_reason", r.orientation_reason},
                      {"rate_hz", r.rate_hz > 0 ? json(r.rate_hz) : json(nullptr)},
                      {"missing", r.missing},
                      {"dropped", dropped},
                      {"sha256", r.sha256}};
    if (data.prepared) o["recording"]["prepared"] = prepared_json(*data.prepared);
  }
  o["violations"] = {{"sign", audit.sign}, {"mask", audit.mask}};
  o["hash"] = hash_text(trainer_->hash());
  o["epochs"] = trainer_->epoch();
  if (spec_.stages.prune) o["stages"] = describe_stages();
  if (spec_.training.checkpoint != "last")
    o["checkpoint"] = {{"by", spec_.training.checkpoint}, {"epoch", trainer_->kept_epoch()}};
  o["updates"] = trainer_->updates();
  o["seconds_per_epoch"] = seconds_per_epoch;
  o["seconds"] = seconds;
  o["threads"] = trainer_->threads();
  o["isa"] = isa_name(isa_);
  o["numerics"] = numerics_version;
  o["out"] = out_;
  return o;
}

}  // namespace dalea::cli
