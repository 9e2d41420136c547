// dalea reproduce: trains what a figure of the first paper needs, side by side and once, and writes the report.
#include "common/reproduce.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "common/files.h"
#include "numerics/parallel.h"

namespace dalea::cli {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;
namespace figure = dalea::reproduce;

std::string duration_text(double seconds) {
  char text[40];
  if (seconds < 90)
    std::snprintf(text, sizeof text, "%.0f s", seconds);
  else
    std::snprintf(text, sizeof text, "%.0f min", seconds / 60);
  return text;
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  char text[20] = "";
  std::strftime(text, sizeof text, "%Y-%m-%d", std::gmtime(&now));
  return text;
}

// Of all work, weighted by cost: who works says how much was done. Any thread.
class Overall {
 public:
  Overall(double all, bool quiet)
      : all_(all), quiet_(quiet), terminal_(isatty(STDERR_FILENO) != 0), start_(Clock::now()), drawn_(start_) {}

  void add(double cost) {
    const std::lock_guard<std::mutex> lock(mutex_);
    done_ += cost;
    worked_ += cost;
    if (quiet_ || !terminal_ || Clock::now() - drawn_ < std::chrono::milliseconds(200)) return;
    drawn_ = Clock::now();
    std::fprintf(stderr, "\r%s\x1b[K", state().c_str());
    std::fflush(stderr);
  }
  void already(double cost) {
    const std::lock_guard<std::mutex> lock(mutex_);
    done_ += cost;
  }
  void line(const std::string& text) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (quiet_) return;
    std::fprintf(stderr, "%s%s  (%s)\n", terminal_ ? "\r\x1b[K" : "", text.c_str(), state().c_str());
  }
  void finish() {
    if (!quiet_ && terminal_) std::fputs("\r\x1b[K", stderr);
  }
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  std::string state() const {
    char text[80];
    const double part = all_ > 0 ? std::min(1.0, done_ / all_) : 1.0;
    std::snprintf(text, sizeof text, "%.0f %%", 100 * part);
    std::string s = text;
    if (worked_ > 0 && seconds() > 2)
      s += ", about " + duration_text(std::max(0.0, all_ - done_) * seconds() / worked_) + " left";
    return s;
  }

  std::mutex mutex_;
  double all_ = 0, done_ = 0, worked_ = 0;
  bool quiet_, terminal_;
  Clock::time_point start_, drawn_;
};

json sweep_json(const Sweep& sweep) {
  json o = {{"dense", sweep.dense}, {"points", json::array()}};
  for (const SweepPoint& p : sweep.points)
    o["points"].push_back(
        {text_of(p.method), p.sparsity, p.density, p.effective, p.held_out, p.overlap, p.random_overlap});
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

class Study {
 public:
  Study(const ReproduceCommand& command, figure::Options options, Isa isa, int threads)
      : command_(command),
        options_(std::move(options)),
        isa_(isa),
        threads_(threads),
        jobs_(figure::jobs_of(options_)),
        overall_(all_work(), command.quiet) {}

  ExitCode go() {
    for (const figure::Job& job : jobs_)
      if (job.task == "digits" && !digits_) {
        Result<Sources> sources = load_sources(job.spec, command_.program);
        if (!sources) {
          Error error = sources.error();
          error.message += "; or leave them out: --task flip-flop --task wave";
          complain(error);
          return bad_input;
        }
        digits_ = std::move(sources->digits);
      }
    if (Status ok = make_folder(sessions_folder()); !ok) {
      complain(ok.error());
      return bad_input;
    }
    runs_.resize(jobs_.size());
    pruned_.resize(jobs_.size());
    cancel_on_signals();
    std::vector<size_t> first, second;  // retrainings need their parents
    for (size_t k = 0; k < jobs_.size(); ++k) (jobs_[k].retrains() ? second : first).push_back(k);
    if (!command_.quiet)
      std::fprintf(stderr, "%s: %zu networks, %d at once; sessions are kept in %s\n", text_of(options_.figure),
                   jobs_.size(), at_once(first.size()), sessions_folder().c_str());
    for (const std::vector<size_t>* part : {&first, &second}) {
      if (part->empty()) continue;
      Workers pool(at_once(part->size()));
      pool.run(static_cast<int>(part->size()), [&](int k) { work((*part)[static_cast<size_t>(k)]); });
      if (code_ != done) break;
      if (cancel_on_signals()) return stopped();
      if (options_.figure == figure::Paper::fig3 && part == &first) {
        pool.run(static_cast<int>(part->size()), [&](int k) { prune_one((*part)[static_cast<size_t>(k)]); });
        if (code_ != done) break;
        if (cancel_on_signals()) return stopped();
      }
    }
    overall_.finish();
    return code_ != done ? code_.load() : write();
  }

 private:
  int at_once(size_t jobs) const { return std::max(1, std::min(threads_, static_cast<int>(jobs))); }
  int threads_each(size_t jobs) const { return std::max(1, threads_ / at_once(jobs)); }
  std::string sessions_folder() const { return command_.out + "/sessions"; }
  std::string path_of(const figure::Job& job, const char* ending) const {
    return sessions_folder() + "/" + job.id + ending;
  }

  double sweep_cost(const figure::Job& job) const {  // forward passes over the held-out trials, of 45 masks
    if (options_.figure != figure::Paper::fig3 || job.retrains()) return 0;
    const double held_out = static_cast<double>(options_.corrected ? job.spec.task.held_out : job.spec.training.batch);
    return job.cost * 46 * held_out / static_cast<double>(job.spec.task.train) / 3;
  }
  double all_work() const {
    double all = 0;
    for (const figure::Job& job : jobs_)
      all += job.cost * static_cast<double>(job.spec.training.epochs) + sweep_cost(job);
    return all;
  }

  void fail(ExitCode code, const Error& error) {
    const std::lock_guard<std::mutex> lock(mutex_);
    overall_.finish();
    complain(error);
    if (code_ == done) code_ = code;
  }
  bool stop() const { return code_ != done || cancel_on_signals(); }

  ExitCode stopped() {
    overall_.finish();
    std::fprintf(stderr, "dalea: cancelled; every network is saved, the same command goes on from there\n");
    return cancelled;
  }

  const figure::Run* parent_of(const figure::Job& job) const {
    for (const figure::Run& run : runs_)
      if (run.job.id == job.parent) return &run;
    return nullptr;
  }

  // The session of an earlier call: whole, begun, or none.
  Result<std::optional<Session>> earlier(const figure::Job& job, const Pattern* mask) {
    const std::string path = path_of(job, ".npz");
    if (!file_exists(path)) return std::optional<Session>{};
    Result<std::vector<std::byte>> bytes = read_file(path);
    if (!bytes) return bytes.error();
    Result<Session> session = read_session(*bytes, path);
    if (!session) return session.error();
    const Pattern* theirs = session->state.mask.get();
    const bool same_mask = mask == nullptr
                               ? theirs == nullptr
                               : theirs != nullptr && theirs->row == mask->row && theirs->col_start == mask->col_start;
    if (!figure::same_experiment(session->spec, job.spec) || !same_mask)
      return Error{path, "is another experiment's, perhaps of another version; choose another --out, or remove it"};
    return std::optional<Session>(std::move(*session));
  }

  void work(size_t k) {
    if (stop()) return;
    const figure::Job& job = jobs_[k];
    const double whole = job.cost * static_cast<double>(job.spec.training.epochs);
    figure::Run run;
    run.job = job;
    figure::Start start;
    if (job.retrains()) {
      const figure::Run* parent = parent_of(job);
      if (parent == nullptr || !parent->failure.empty()) {
        run.failure = "the network to prune has failed";
        runs_[k] = std::move(run);
        return overall_.add(whole);
      }
      Result<figure::Start> made = figure::start_of(options_, job, parent->parameters);
      if (!made) return fail(failed, made.error());
      start = std::move(*made);
    }
    Result<std::optional<Session>> found = earlier(job, start.mask.get());
    if (!found) return fail(bad_input, found.error());
    std::optional<Session>& session = *found;
    json kept;
    if (job.retrains())
      if (const Result<std::vector<std::byte>> bytes = read_file(path_of(job, ".json")); bytes)
        kept = json::parse(as_text(*bytes), nullptr, false);
    const bool before_known = kept.is_object() && kept.contains("before") && kept["before"].is_number();
    if (before_known) run.before = kept["before"].get<double>();
    if (session && (session->state.epoch >= job.spec.training.epochs || !session->provenance.failure.empty()) &&
        (before_known || !job.retrains())) {
      run.parameters = std::move(session->state.parameters);
      run.mask = session->state.mask;
      run.history = std::move(session->state.history);
      run.hash = session->provenance.hash;
      run.failure = session->provenance.failure;
      runs_[k] = std::move(run);
      overall_.already(whole);
      return;
    }
    Result<std::unique_ptr<Trainer>> made = make_trainer(job, start);
    if (!made) return fail(bad_input, made.error());
    Trainer& trainer = **made;
    if (job.retrains() && !before_known) {
      run.before = trainer.evaluate(&cancel_on_signals()).held_out;
      if (stop()) return;
      if (Status ok = write_file(path_of(job, ".json"), json{{"before", run.before}}.dump()); !ok)
        return fail(failed, ok.error());
    }
    if (session) {
      overall_.already(job.cost * static_cast<double>(session->state.epoch));
      if (Status ok = trainer.restore(std::move(session->state)); !ok) return fail(bad_input, ok.error());
    }
    Status saved;
    const double update = job.cost / static_cast<double>(trainer.batches_per_epoch());
    int64_t seen = trainer.updates();
    train(trainer, cancel_on_signals(), [&](Trainer::Event event) {
      overall_.add(update * static_cast<double>(trainer.updates() - seen));
      seen = trainer.updates();
      if (event == Trainer::Event::epoch && saved.ok()) saved = save(job, trainer);
    });
    if (saved.ok()) saved = save(job, trainer);
    if (!saved.ok()) return fail(failed, saved.error());
    if (!trainer.finished() && trainer.failure().empty()) return;  // cancelled
    run.parameters = trainer.state().parameters;
    run.history = trainer.history();
    run.hash = hex(trainer.hash());
    run.failure = trainer.failure();
    run.mask = start.mask;
    char text[160] = "did not stay finite";
    if (run.failure.empty() && std::isfinite(run.history.back().held_out_accuracy))
      std::snprintf(text, sizeof text, "held-out accuracy %.2f %%, hash %s", 100 * run.history.back().held_out_accuracy,
                    run.hash.c_str());
    else if (run.failure.empty())
      std::snprintf(text, sizeof text, "held-out error %.4g, hash %s", run.history.back().held_out, run.hash.c_str());
    overall_.line(job.id + ": " + text);
    runs_[k] = std::move(run);
  }

  Result<std::unique_ptr<Trainer>> make_trainer(const figure::Job& job, const figure::Start& start) {
    Result<Dataset> data = make_dataset(job.spec, nullptr, 0, digits_ ? &*digits_ : nullptr);
    if (!data) return data.error();
    TrainerOptions options;
    options.isa = isa_;
    options.threads = threads_each(jobs_.size());
    if (start.mask != nullptr) {
      options.mask = start.mask;
      options.start = start.parameters;
    }
    return Trainer::create(job.spec, std::move(*data), 0, options);
  }

  Status save(const figure::Job& job, const Trainer& trainer) {
    return write_file(path_of(job, ".npz"), write_session(trainer, platform_text(isa_)));
  }

  // The sweep of a trained network; kept beside its session with the hash that it belongs to.
  void prune_one(size_t k) {
    const figure::Job& job = jobs_[k];
    figure::Pruned& pruned = pruned_[k];
    pruned.id = job.id;
    if (stop() || !runs_[k].failure.empty()) return;
    const std::string path = path_of(job, options_.corrected ? "-sweep-corrected.json" : "-sweep.json");
    if (file_exists(path)) {
      const Result<std::vector<std::byte>> bytes = read_file(path);
      const json o = bytes ? json::parse(as_text(*bytes), nullptr, false) : json();
      if (o.is_object() && o.value("hash", "") == runs_[k].hash && o.value("numerics", 0) == numerics_version)
        if (std::optional<Sweep> sweep = sweep_from(o.value("sweep", json()))) {
          pruned.sweep = std::move(*sweep);
          return overall_.already(sweep_cost(job));
        }
    }
    Spec spec = job.spec;
    Result<Dataset> data = make_dataset(spec, nullptr, 0, digits_ ? &*digits_ : nullptr);
    if (!data) return fail(bad_input, data.error());
    Model model = build_model(spec, data->ends, 0);
    model.parameters = runs_[k].parameters;
    Workers alone(threads_each(jobs_.size()));
    int64_t before = 0;
    Result<Sweep> swept = sweep(
        spec, model, *data, 0, figure::sweep_options(options_), isa_, alone,
        [&](int64_t drawn, int64_t all) {
          overall_.add(sweep_cost(job) * static_cast<double>(drawn - before) / static_cast<double>(all));
          before = drawn;
        },
        &cancel_on_signals());
    if (!swept) return fail(failed, swept.error());
    if (!swept->complete) return;
    const json o = {{"hash", runs_[k].hash}, {"numerics", numerics_version}, {"sweep", sweep_json(*swept)}};
    if (Status ok = write_file(path, o.dump()); !ok) return fail(failed, ok.error());
    pruned.sweep = std::move(*swept);
    overall_.line(job.id + ": swept over 15 sparsities");
  }

  std::string command_text() const {
    std::string text = std::string("dalea reproduce ") + text_of(options_.figure) + " --runs " +
                       std::to_string(options_.runs) + (options_.corrected ? " --corrected" : " --as-published");
    if (options_.quick) text += " --quick";
    if (options_.first_seed != 1) text += " --seed " + std::to_string(options_.first_seed);
    if (options_.tasks.size() < 3)
      for (const std::string& task : options_.tasks) text += " --task " + task;
    return text;
  }

  ExitCode write() {
    ReportProvenance where;
    where.program = "Dalea";
    where.version = std::string(dalea_version) + ", numerics " + std::to_string(numerics_version);
    where.date = today();
    where.seed = std::to_string(options_.first_seed) + " to " +
                 std::to_string(options_.first_seed + static_cast<uint64_t>(options_.runs) - 1);
    where.command = command_text();
    where.more = {{"Machine", platform_text(isa_) + ", " + std::to_string(threads_) + " threads"},
                  {"Duration of this call", duration_text(overall_.seconds())}};
    for (const figure::Run& run : runs_)
      if (run.failure.empty()) where.hashes.emplace_back(run.job.id, run.hash);
    Result<figure::Output> output = figure::report(options_, runs_, pruned_, where);
    if (!output) {
      complain(output.error());
      return failed;
    }
    const std::string folder = command_.out + "/" + text_of(options_.figure) +
                               (options_.corrected ? "-corrected" : "-as-published") + (options_.quick ? "-quick" : "");
    if (Status ok = make_folder(folder); !ok) {
      complain(ok.error());
      return failed;
    }
    for (const figure::File& file : output->files)
      if (Status ok = write_file(folder + "/" + file.name, file.bytes); !ok) {
        complain(ok.error());
        return failed;
      }
    if (command_.json)
      print_json(*output, folder);
    else
      print_text(*output, folder);
    return done;
  }

  void print_text(const figure::Output& output, const std::string& folder) const {
    std::map<Outcome, int> count;
    for (const Finding& f : output.findings) ++count[f.outcome];
    for (const Finding& f : output.findings) {
      std::printf("%-17s %s\n", outcome_text(f.outcome), f.claim.c_str());
      std::printf("%-17s published: %s\n", "", f.published.empty() ? "–" : f.published.c_str());
      std::printf("%-17s obtained:  %s\n", "", f.obtained.empty() ? "–" : f.obtained.c_str());
    }
    std::printf("\n");
    for (const auto& [outcome, n] : count) std::printf("%-17s %d claims\n", outcome_text(outcome), n);
    std::printf("seconds           %.1f  (%d threads, %s)\nreport            %s/report.html\n", overall_.seconds(),
                threads_, isa_name(isa_), folder.c_str());
  }

  void print_json(const figure::Output& output, const std::string& folder) const {
    json o = {{"figure", text_of(options_.figure)}, {"corrected", options_.corrected}, {"quick", options_.quick},
              {"report", folder + "/report.html"},  {"seconds", overall_.seconds()},   {"threads", threads_},
              {"findings", json::array()},          {"networks", json::array()},       {"files", json::array()}};
    for (const Finding& f : output.findings)
      o["findings"].push_back({{"claim", f.claim},
                               {"published", f.published},
                               {"obtained", f.obtained},
                               {"verdict", outcome_text(f.outcome)},
                               {"why", f.why}});
    for (const figure::Run& run : runs_) {
      const bool good = run.failure.empty() && !run.history.empty();
      o["networks"].push_back({{"id", run.job.id},
                               {"task", run.job.task},
                               {"condition", run.job.condition},
                               {"seed", run.job.seed},
                               {"hash", run.hash},
                               {"held_out", good ? json(run.history.back().held_out) : json(nullptr)},
                               {"failure", run.failure}});
    }
    for (const figure::File& file : output.files) o["files"].push_back(folder + "/" + file.name);
    std::printf("%s\n", o.dump(-1, ' ', false, json::error_handler_t::replace).c_str());
  }

  const ReproduceCommand& command_;
  figure::Options options_;
  Isa isa_;
  int threads_;
  std::vector<figure::Job> jobs_;
  Overall overall_;
  std::optional<Digits> digits_;
  std::vector<figure::Run> runs_;
  std::vector<figure::Pruned> pruned_;
  std::mutex mutex_;
  std::atomic<ExitCode> code_{done};
};

}  // namespace

int reproduce(const ReproduceCommand& command) {
  Result<figure::Paper> paper = figure::parse_figure(command.figure);
  if (!paper) {
    complain(paper.error());
    return bad_input;
  }
  if (command.corrected && command.as_published) {
    complain({"--corrected", "is given beside --as-published; give one of the two"});
    return bad_input;
  }
  Result<Isa> isa = parse_isa(command.isa);
  if (!isa) {
    complain({"--" + isa.error().path, isa.error().message});
    return bad_input;
  }
  figure::Options options;
  options.figure = *paper;
  options.corrected = command.corrected;
  options.quick = command.quick;
  options.runs = command.runs;
  options.first_seed = command.seed;
  options.tasks = command.tasks;
  Result<figure::Options> checked = figure::check(std::move(options));
  if (!checked) {
    complain({"--" + checked.error().path, checked.error().message});
    return bad_input;
  }
  if (!threads_available() && command.threads > 1)
    std::fprintf(stderr, "dalea: this build has no threads; running on one (the bits are the same)\n");
  const int threads = !threads_available() ? 1 : command.threads == 0 ? hardware_threads() : command.threads;
  Study study(command, std::move(*checked), *isa, threads);
  return study.go();
}

}  // namespace dalea::cli
