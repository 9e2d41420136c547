#include "common/sweep_run.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "common/files.h"
#include "common/json.h"
#include "common/measure_report.h"
#include "numerics/hash.h"
#include "session/session.h"

namespace dalea {
namespace {

using nlohmann::json;

// An advisory lock on a file; gone with the process.
class FolderLock {
 public:
  explicit FolderLock(const std::string& path) : path_(path), fd_(::open(path.c_str(), O_RDWR | O_CREAT, 0644)) {
    held_ = fd_ >= 0 && ::flock(fd_, LOCK_EX | LOCK_NB) == 0;
  }
  ~FolderLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  bool held() const { return held_; }
  bool possible() const { return fd_ >= 0; }

 private:
  std::string path_;
  int fd_;
  bool held_ = false;
};

double number_of(const json& o, const char* key) {
  return o.contains(key) && o[key].is_number() ? o[key].get<double>() : no_value;
}

// {"mask": {...}, "weights": {...}}: the numbers that there are.
json measures_of(const Trainer& trainer) {
  const Weights& w = trainer.model().parameters.W_rec;
  json o = json::object();
  if (w.rows > most_swept_units) return o;
  const Synapses synapses = {w.rows, w.sparse() ? w.pattern.get() : trainer.mask(), w.sparse(), w.values};
  const std::vector<int64_t> parts = parts_of(trainer.spec().populations);
  const auto put = [&](const char* name, const Graph& g, bool weighted) {
    const Result<GraphMeasures> m = measure_graph(g, {weighted, parts, g.units <= most_swept_dense});
    if (!m) return;
    o[name] = json::object();
    for (size_t i = 0; i < measure_count; ++i)
      if (std::isfinite(m->values[i])) o[name][key_of(static_cast<Measure>(i))] = m->values[i];
  };
  put("mask", mask_of(synapses), false);
  if (trainer.failure().empty()) put("weights", graph_of(synapses), true);
  return o;
}

NetworkMeasures read_measures(const json& o, const char* name) {
  NetworkMeasures m = no_measures();
  if (!o.contains("measures") || !o["measures"].is_object() || !o["measures"].contains(name)) return m;
  const json& from = o["measures"][name];
  for (size_t i = 0; i < measure_count && from.is_object(); ++i)
    m[i] = number_of(from, key_of(static_cast<Measure>(i)));
  return m;
}

json result_of(const SweepPlan& plan, int64_t k, Trainer& trainer) {
  const auto c = static_cast<size_t>(k / plan.iterations);
  json o = {{"sweep", plan.sha256},
            {"combination", k / plan.iterations + 1},
            {"iteration", k % plan.iterations + 1},
            {"hash", hash_text(trainer.hash())},
            {"failure", trainer.failure()},
            {"epochs", trainer.epoch()},
            {"unit", trainer.data().unit}};
  for (size_t a = 0; a < plan.axes.size(); ++a)
    o["values"][plan.axes[a].path] = json::parse(plan.axes[a].values[plan.choices[c][a]], nullptr, false);
  if (trainer.failure().empty()) {
    const Losses losses = trainer.evaluate();
    o["train"] = number_or_null(losses.train);
    o["validation"] = number_or_null(losses.validation);
    o["held_out"] = number_or_null(losses.held_out);
    const bool classes = losses.held_out_answers.classes > 0;
    o["accuracy"] = classes ? number_or_null(losses.held_out_answers.accuracy()) : json(nullptr);
  }
  if (const Origin* from = trainer.origin())
    o["from"] = {{"name", from->name}, {"hash", from->hash}, {"sha256", from->sha256}, {"keep", from->keep}};
  o["measures"] = measures_of(trainer);
  for (const HistoryColumn& column : history_columns(trainer.history())) {
    json curve = json::array();
    for (const EpochRecord& r : trainer.history()) curve.push_back(number_or_null(r.*column.member));
    o["curves"][column.name] = curve;
  }
  return o;
}

Result<SweepRow> read_row(const SweepPlan& plan, const std::string& path) {
  const Error damaged = {path, "is not the result of this sweep; remove it, and the run is trained again"};
  Result<std::vector<std::byte>> bytes = read_file(path);
  if (!bytes) return bytes.error();
  const json o = json::parse(as_text(*bytes), nullptr, false);
  if (!o.is_object() || o.value("sweep", json()) != plan.sha256 || !o.value("hash", json()).is_string()) return damaged;
  SweepRow row;
  row.there = true;
  row.hash = o["hash"].get<std::string>();
  if (o.contains("failure") && o["failure"].is_string()) row.failure = o["failure"].get<std::string>();
  row.train = number_of(o, "train");
  row.validation = number_of(o, "validation");
  row.held_out = number_of(o, "held_out");
  row.accuracy = number_of(o, "accuracy");
  row.mask = read_measures(o, "mask");
  row.weights = read_measures(o, "weights");
  if (!o.contains("curves") || !o["curves"].is_object()) return row;
  const json& curves = o["curves"];
  for (const auto& item : curves.items())
    if (item.value().is_array()) row.history.resize(std::max(row.history.size(), item.value().size()));
  for (size_t e = 0; e < row.history.size(); ++e) row.history[e].epoch = static_cast<int64_t>(e) + 1;
  std::vector<EpochRecord> every(1);
  every[0].held_out_accuracy = every[0].validation_accuracy = 0;  // so that all columns are listed
  for (const HistoryColumn& column : history_columns(every)) {
    if (!curves.contains(column.name) || !curves[column.name].is_array()) continue;
    const json& curve = curves[column.name];
    for (size_t e = 0; e < row.history.size(); ++e)
      row.history[e].*column.member = e < curve.size() && curve[e].is_number() ? curve[e].get<double>() : no_value;
  }
  return row;
}

}  // namespace

NetworkMeasures no_measures() {
  NetworkMeasures m;
  m.fill(no_value);
  return m;
}

Result<SweepEnd> run_of_sweep(const SweepPlan& plan, int64_t k, const std::string& out,
                              const SweepRunOptions& options) {
  const std::string folder = out + "/" + plan.folder(k), result = folder + "/result.json";
  if (Status ok = make_folder(folder); !ok) return ok.error();
  const FolderLock lock(folder + "/lock");
  if (!lock.possible()) return Error{folder + "/lock", "cannot be written; choose another folder with --out"};
  if (!lock.held()) return SweepEnd::busy;
  if (file_exists(result)) return SweepEnd::was_finished;

  Spec spec = plan.spec_of(k);
  spec.runs = plan.iterations;  // a session of run 2 of one run is refused
  const int64_t run = k % plan.iterations;
  Result<Dataset> data = options.make_data(spec, run);
  if (!data) return data.error();
  TrainerOptions trainer_options;
  trainer_options.isa = options.isa;
  trainer_options.threads = options.threads;
  if (options.start)
    if (Status ok = options.start(spec, data->ends, run, trainer_options); !ok) return ok.error();
  Result<std::unique_ptr<Trainer>> made = Trainer::create(spec, std::move(*data), run, trainer_options);
  if (!made) return made.error();
  Trainer& trainer = **made;
  const std::string path = folder + "/session.npz";
  if (file_exists(path)) {
    Result<std::vector<std::byte>> bytes = read_file(path);
    if (!bytes) return bytes.error();
    Result<Session> session = read_session(*bytes, path);
    if (!session) return session.error();
    if (print_spec(session->spec, true) != print_spec(spec, true) || session->state.run != run)
      return Error{path, "was saved by another experiment; choose another --out, or remove the file"};
    if (Status ok = trainer.restore(std::move(session->state)); !ok) return ok.error();
  }
  using Clock = std::chrono::steady_clock;
  Clock::time_point saved = Clock::now();
  const auto save = [&] { return write_file(path, write_session(trainer, options.platform)); };
  Status kept;
  static const std::atomic<bool> never{false};
  if (options.on_step) options.on_step(trainer, true);
  train(trainer, options.cancel ? *options.cancel : never, [&](Trainer::Event) {
    if (options.on_step) options.on_step(trainer, false);
    if (std::chrono::duration<double>(Clock::now() - saved).count() < options.save_every_s || !kept.ok()) return;
    kept = save();
    saved = Clock::now();
  });
  if (Status ok = save(); !ok) return ok.error();
  if (trainer.failure().empty() && !trainer.finished()) return SweepEnd::cancelled;
  const std::string text = result_of(plan, k, trainer).dump(-1, ' ', false, json::error_handler_t::replace);
  if (Status ok = write_file(result, text + "\n"); !ok) return ok.error();
  return SweepEnd::finished;
}

bool holds_sweep(const std::string& out) {
  return file_exists(out + "/sweep.json");
}

Status claim_sweep_folder(const SweepPlan& plan, const std::string& out) {
  if (Status ok = make_folder(out); !ok) return ok;
  const std::string path = out + "/sweep.json";
  const FolderLock lock(out + "/lock");
  if (file_exists(path)) {
    Result<std::vector<std::byte>> bytes = read_file(path);
    if (!bytes) return bytes.error();
    const json o = json::parse(as_text(*bytes), nullptr, false);
    if (o.is_object() && o.value("sha256", json()) == plan.sha256) return {};
    return Error{out, "holds another sweep (another grid, experiment or --set); choose another --out"};
  }
  if (!lock.held()) return {};  // another process is writing the same
  json o = {{"sha256", plan.sha256}, {"name", plan.name}, {"iterations", plan.iterations}, {"grid", json::array()}};
  for (const SweepAxis& axis : plan.axes) {
    json values = json::array();
    for (const std::string& v : axis.values) values.push_back(json::parse(v, nullptr, false));
    o["grid"].push_back({{"path", axis.path}, {"values", values}});
  }
  return write_file(path, o.dump(1, ' ', false, json::error_handler_t::replace) + "\n");
}

std::vector<double> SweepRow::tracked() const {
  std::vector<double> losses;
  const bool held =
      std::any_of(history.begin(), history.end(), [](const auto& r) { return std::isfinite(r.held_out); });
  for (const EpochRecord& r : history) losses.push_back(held ? r.held_out : r.validation);
  return losses;
}

Result<std::vector<SweepRow>> read_sweep_rows(const SweepPlan& plan, const std::string& out) {
  std::vector<SweepRow> rows(static_cast<size_t>(plan.runs()));
  for (int64_t k = 0; k < plan.runs(); ++k) {
    const std::string path = out + "/" + plan.folder(k) + "/result.json";
    if (!file_exists(path)) continue;
    Result<SweepRow> row = read_row(plan, path);
    if (!row) return row.error();
    rows[static_cast<size_t>(k)] = std::move(*row);
  }
  return rows;
}

}  // namespace dalea
