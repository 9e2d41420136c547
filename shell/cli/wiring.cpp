#include "cli/wiring.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <mutex>
#include <new>
#include <set>

#include "cli/json.h"
#include "cli/progress.h"
#include "common/files.h"
#include "connectome/connectome.h"
#include "numerics/parallel.h"

namespace dalea::cli {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

std::string day_of_wiring() {
  const std::time_t now = std::time(nullptr);
  char text[20] = "";
  std::strftime(text, sizeof text, "%Y-%m-%d", std::gmtime(&now));
  return text;
}

class WiringAtWork {
 public:
  WiringAtWork(const RunOptions& options, const Spec& spec, const Dataset& data, Isa isa)
      : options_(options),
        spec_(spec),
        data_(data),
        isa_(isa),
        id_(wiring_id(spec)),
        units_(wiring_units(spec)),
        rows_(units_.size()),
        progress_(std::max<int64_t>(1, static_cast<int64_t>(units_.size()) - spec.runs), options.quiet) {}

  const std::vector<WiringUnit>& units() const { return units_; }
  const std::vector<WiringRow>& rows() const { return rows_; }

  // The measured wiring's networks have been trained: they are read.
  Status read_measured() {
    for (int64_t r = 0; r < spec_.runs; ++r) {
      const std::string path =
          options_.out + (spec_.runs > 1 ? "/run-" + std::to_string(r + 1) : std::string()) + "/session.npz";
      Result<std::vector<std::byte>> bytes = read_file(path);
      if (!bytes) return bytes.error();
      Result<Session> session = read_session(*bytes, path);
      if (!session) return session.error();
      TrainerOptions trainer_options;
      trainer_options.isa = isa_;
      Result<std::unique_ptr<Trainer>> trainer = wiring_trainer(spec_, units_[r], data_, trainer_options);
      if (!trainer) return trainer.error();
      if (Status ok = (*trainer)->restore(std::move(session->state)); !ok) return ok;
      rows_[r] = wiring_row(**trainer);
    }
    return {};
  }

  ExitCode train_others() {
    const int64_t first = spec_.runs;  // the measured wiring's come first
    const auto count = static_cast<int>(static_cast<int64_t>(units_.size()) - first);
    std::vector<ExitCode> codes(static_cast<size_t>(count), cancelled);
    Workers workers(std::min(count, options_.threads));
    workers.run(count, [&](int n) {
      ExitCode& code = codes[static_cast<size_t>(n)];
      if (cancel_on_signals()) return;  // it has not begun
      const auto k = static_cast<size_t>(first + n);
      try {
        const Status ok = one(k, n, code);
        if (!ok) {
          say_once(ok.error().text());
          code = failed;
        }
      } catch (const std::bad_alloc&) {
        say_once("out of memory; make the network, training.batch or task.steps smaller, or --threads");
        code = failed;
      }
      if (code != cancelled) progress_.ended(n);
    });
    progress_.finish();
    const auto finished = std::count(codes.begin(), codes.end(), done);
    if (std::count(codes.begin(), codes.end(), cancelled) > 0) {
      std::fprintf(
          stderr,
          "dalea: cancelled with %lld of %d networks of the wiring test finished; they are kept, continue with "
          "--resume --out %s\n",
          static_cast<long long>(finished), count, options_.out.c_str());
      return cancelled;
    }
    return finished < count ? failed : done;
  }

 private:
  Status one(size_t k, int n, ExitCode& code) {
    const WiringUnit& unit = units_[k];
    const std::string base = options_.out + "/wiring/" + unit.name(), result = base + ".json", half = base + ".npz";
    if (options_.resume && file_exists(result)) {
      Result<std::vector<std::byte>> bytes = read_file(result);
      if (!bytes) return bytes.error();
      Result<WiringRow> row = read_wiring_row(as_text(*bytes), result, id_);
      if (!row) return row.error();
      rows_[k] = std::move(*row);
      progress_.begun(n, 1);
      code = done;
      return {};
    }
    TrainerOptions trainer_options;
    trainer_options.isa = isa_;
    Result<std::unique_ptr<Trainer>> made = wiring_trainer(spec_, unit, data_, trainer_options);
    if (!made) return made.error();
    Trainer& trainer = **made;
    if (options_.resume && file_exists(half)) {
      Result<std::vector<std::byte>> bytes = read_file(half);
      if (!bytes) return bytes.error();
      Result<Session> session = read_session(*bytes, half);
      if (!session) return session.error();
      if (print_spec(session->spec, true) != print_spec(trainer.spec(), true))
        return Error{half, "was left by another experiment; choose another --out, or leave --resume out"};
      if (Status ok = trainer.restore(std::move(session->state)); !ok) return ok;
    }
    progress_.begun(n, trainer.progress());
    Clock::time_point saved = Clock::now();
    Status kept;
    const auto save = [&] { return write_file(half, write_session(trainer, platform_text(isa_))); };
    train(trainer, cancel_on_signals(), [&](Trainer::Event) {
      progress_.update(n, trainer.progress(), trainer.last_loss());
      if (seconds_since(saved) < options_.save_every_s || !kept.ok()) return;
      kept = save();
      saved = Clock::now();
    });
    if (trainer.failure().empty() && !trainer.finished()) return save();
    rows_[k] = wiring_row(trainer);
    if (Status ok = write_file(result, wiring_row_json(rows_[k], id_) + "\n"); !ok) return ok;
    std::error_code none;
    std::filesystem::remove(half, none);
    code = done;
    return {};
  }

  void say_once(const std::string& text) {
    const std::lock_guard lock(mutex_);
    if (said_.insert(text).second) progress_.say("dalea: " + text);
  }

  const RunOptions& options_;
  const Spec& spec_;
  const Dataset& data_;
  Isa isa_;
  std::string id_;
  std::vector<WiringUnit> units_;
  std::vector<WiringRow> rows_;
  RunsProgress progress_;
  std::mutex mutex_;
  std::set<std::string> said_;
};

}  // namespace

WiringTested test_wiring(const RunOptions& options, const Spec& spec, const Sources& sources, Isa isa) {
  WiringTested tested;
  const auto refused = [&](const Error& error, ExitCode code) {
    complain(error);
    tested.code = code;
    return std::move(tested);
  };
  if (Status ok = make_folder(options.out + "/wiring"); !ok) return refused(ok.error(), bad_input);
  const Clock::time_point start = Clock::now();
  Result<Dataset> data = sources.dataset(spec, 0);  // of a recording: the same in every run
  if (!data) return refused(data.error(), bad_input);
  WiringAtWork work(options, spec, *data, isa);
  if (Status ok = work.read_measured(); !ok) return refused(ok.error(), failed);
  if (!options.quiet)
    std::fprintf(stderr, "wiring test: %lld nulls (%s), all and no connections, %lld seeds each\n",
                 static_cast<long long>(spec.connectome.nulls), spec.connectome.against.c_str(),
                 static_cast<long long>(spec.runs));
  tested.code = work.train_others();
  if (tested.code != done) return tested;
  Result<WiringOutcome> outcome = wiring_outcome(spec, *data, work.units(), work.rows());
  if (!outcome) return refused(outcome.error(), failed);
  tested.report = wiring_report(spec, *data, work.units(), work.rows(), std::move(*outcome));
  WiringReport& report = *tested.report;
  report.quick = options.quick;

  ReportProvenance where;
  where.program = "Dalea";
  where.version = std::string(dalea_version) + ", numerics " + std::to_string(numerics_version);
  where.date = day_of_wiring();
  where.seed = std::to_string(spec.seed);
  where.command =
      "dalea run " + std::filesystem::path(options.experiment).filename().string() + (options.quick ? " --quick" : "");
  if (!options.resume)  // else part of the time was before
    where.more = {{"Duration", std::to_string(static_cast<int64_t>(std::lround(seconds_since(start)))) + " s on " +
                                   std::to_string(options.threads) + " threads (the nulls)"}};
  where.hashes = {{"All networks", report.outcome.hash}};
  if (data->recording) where.hashes.emplace_back("Recording (SHA-256)", data->recording->sha256);
  if (spec.measured) where.hashes.emplace_back("Connectome (SHA-256)", spec.measured->sha256);
  const std::string results = wiring_json(report);
  OutputFiles files;
  files.emplace_back("report.html", to_bytes(wiring_html(report, where)));
  files.emplace_back("wiring.json", to_bytes(results + "\n"));
  files.emplace_back("networks.csv", to_bytes(wiring_csv(report)));
  const plot::Figure figure = wiring_figure(report);
  files.emplace_back("wiring.csv", to_bytes(plot::csv_of(figure)));
  add_drawing(files, "wiring", figure);
  tested.code = write_files(options.out, files);
  tested.files = names_of(files);
  tested.object = json::parse(results, nullptr, false);
  return tested;
}

void print_wiring(const WiringTested& tested) {
  if (!tested.report) return;
  std::printf("\nDoes the wiring help?\n");
  for (const std::string& sentence : wiring_sentences(*tested.report)) std::printf("  %s\n", sentence.c_str());
  std::printf("hash of all        %s  (every network of the test)\n", tested.report->outcome.hash.c_str());
}

}  // namespace dalea::cli
