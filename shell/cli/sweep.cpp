// dalea sweep: every combination of a grid, each run a piece of work of its own, then what came out.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <set>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/ranks.h"
#include "common/connectome_files.h"
#include "common/embedded.h"
#include "common/files.h"
#include "common/sweep_report.h"
#include "numerics/parallel.h"

namespace dalea::cli {
namespace {

// A bundled experiment by name, else a file: beside the grid, or from where the command was typed.
Result<std::string> open_experiment(const std::string& grid, const std::string& name) {
  for (size_t k = 0; k < embedded_experiments_count; ++k)
    if (name == embedded_experiments[k].name)
      return std::string(reinterpret_cast<const char*>(embedded_experiments[k].data), embedded_experiments[k].size);
  const std::string beside = (std::filesystem::path(grid).parent_path() / name).string();
  Result<std::vector<std::byte>> bytes = read_file(file_exists(beside) ? beside : name);
  if (!bytes) {
    std::string names;
    for (size_t k = 0; k < embedded_experiments_count; ++k)
      names += (names.empty() ? "" : ", ") + std::string(embedded_experiments[k].name);
    return Error{name, "is neither a file beside the grid or here nor a bundled experiment (" + names + ")"};
  }
  return std::string(as_text(*bytes));
}

// What runs need besides their experiment, read once for all that need the same.
class SourcesOfRuns {
 public:
  explicit SourcesOfRuns(std::string program) : program_(std::move(program)) {}
  Result<Dataset> make(Spec& spec, int64_t run) {
    if (Status ok = attach_connectome_files(spec); !ok) return ok.error();
    std::shared_ptr<Sources> sources;
    {
      const std::lock_guard lock(mutex_);
      std::shared_ptr<Sources>& known = known_[key_of(spec)];
      if (known == nullptr) {
        Result<Sources> read = load_sources(spec, program_);
        if (!read) return read.error();
        known = std::make_shared<Sources>(std::move(*read));
      }
      sources = known;
    }
    return sources->dataset(spec, run);
  }

 private:
  static std::string key_of(const Spec& spec) {
    const std::string& task = spec.task.type;
    if (task == "digits" || task == "n-back-digits") return "digits " + spec.task.folder;
    if (task == "n-back-latent") return "latent " + spec.task.file;
    if (task != "recording") return "none";
    Spec only;
    only.recording = spec.recording;
    return print_spec(only, true);
  }
  std::string program_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Sources>> known_;
};

std::string sweep_day() {
  const std::time_t now = std::time(nullptr);
  char text[20] = "";
  std::strftime(text, sizeof text, "%Y-%m-%d", std::gmtime(&now));
  return text;
}

std::vector<std::string> words_of_command(const SweepCommand& command) {
  std::vector<std::string> words = {command.program, "sweep", command.grid, "--out", command.out, "--isa", command.isa};
  for (const std::string& change : command.set) words.insert(words.end(), {"--set", change});
  return words;
}

class SweepAtWork {
 public:
  SweepAtWork(const SweepCommand& command, const SweepPlan& plan, Isa isa, const Ranks& ranks)
      : command_(command), plan_(plan), isa_(isa), ranks_(ranks), sources_(command.program) {
    if (command.task > 0)
      mine_ = {command.task - 1};
    else
      for (int64_t k = ranks.rank(); k < plan.runs(); k += ranks.size()) mine_.push_back(k);
    threads_ = command.threads == 0 && (ranks.size() > 1 || command.task > 0) ? 1 : threads_of(command.threads);
  }

  ExitCode work() {
    const int count = static_cast<int>(mine_.size());
    if (count == 0) return done;
    const int at_once = std::min(count, threads_);
    RunsProgress progress(count, command_.quiet || ranks_.rank() > 0);
    std::vector<ExitCode> codes(mine_.size(), cancelled);
    std::set<std::string> said;
    std::mutex saying;
    const auto complain_once = [&](int64_t k, const std::string& text) {
      const std::lock_guard lock(saying);
      if (said.insert(text).second) progress.say("dalea: " + plan_.folder(k) + ": " + text);
    };
    Workers workers(at_once);
    workers.run(count, [&](int n) {
      const int64_t k = mine_[static_cast<size_t>(n)];
      if (cancel_on_signals()) return;  // it has not begun
      SweepRunOptions options;
      options.isa = isa_;
      options.threads = threads_ / at_once + (n < threads_ % at_once ? 1 : 0);
      options.save_every_s = command_.save_every_s;
      options.platform = platform_text(isa_);
      options.cancel = &cancel_on_signals();
      options.make_data = [this](Spec& spec, int64_t run) { return sources_.make(spec, run); };
      if (!plan_.from.empty())
        options.start = [this, k](const Spec& spec, const Ends& ends, int64_t run, TrainerOptions& to) -> Status {
          Result<std::shared_ptr<const Parent>> parent = load_parent(parent_path(k), "recurrent");
          if (!parent) return Error{"from", parent.error().text()};
          Result<Transfer> transfer = transfer_to(**parent, spec, ends, run);
          if (!transfer) return transfer.error();
          start_from(std::move(*transfer), to);
          return {};
        };
      options.on_step = [&progress, n](const Trainer& trainer, bool begun) {
        if (begun)
          progress.begun(n, trainer.progress());
        else
          progress.update(n, trainer.progress(), trainer.last_loss());
      };
      try {
        const Result<SweepEnd> end = run_of_sweep(plan_, k, command_.out, options);
        if (!end) {
          complain_once(k, end.error().text());
          codes[static_cast<size_t>(n)] = failed;
        } else if (*end == SweepEnd::busy) {
          complain_once(k, "another process is training it");
          codes[static_cast<size_t>(n)] = done;
        } else {
          codes[static_cast<size_t>(n)] = *end == SweepEnd::cancelled ? cancelled : done;
        }
      } catch (const std::bad_alloc&) {
        complain_once(k, "out of memory; make the network, training.batch or task.steps smaller, or --threads");
        codes[static_cast<size_t>(n)] = failed;
      }
      if (codes[static_cast<size_t>(n)] != cancelled) progress.ended(n);
    });
    progress.finish();
    if (std::count(codes.begin(), codes.end(), cancelled) > 0) return cancelled;
    return std::count(codes.begin(), codes.end(), failed) > 0 ? failed : done;
  }

  // Writes the tables once every run is there; says how many are.
  ExitCode collect() {
    Result<std::vector<SweepRow>> rows = read_sweep_rows(plan_, command_.out);
    if (!rows) {
      complain(rows.error());
      return failed;
    }
    const auto there = std::count_if(rows->begin(), rows->end(), [](const SweepRow& r) { return r.there; });
    if (there < plan_.runs()) {
      std::fprintf(stderr, "%lld of %lld runs are finished; the tables are written when all are\n",
                   static_cast<long long>(there), static_cast<long long>(plan_.runs()));
      return done;
    }
    ReportProvenance where;
    where.program = "Dalea";
    where.version = std::string(dalea_version) + ", numerics " + std::to_string(numerics_version);
    where.date = sweep_day();
    where.seed = std::to_string(plan_.combinations.front().seed);
    where.command = "dalea sweep " + command_.grid;
    where.hashes = {{"All runs", sweep_hash(*rows)}};
    const std::string results = sweep_json(plan_, *rows);
    OutputFiles files;
    files.emplace_back("results.csv", to_bytes(sweep_csv(plan_, *rows)));
    files.emplace_back("results.json", to_bytes(results + "\n"));
    files.emplace_back("report.html", to_bytes(sweep_report(plan_, *rows, where)));
    if (const ExitCode code = write_files(command_.out, files); code != done) return code;
    if (command_.json) {
      std::printf("%s\n", results.c_str());
      return done;
    }
    const auto not_finite = std::count_if(rows->begin(), rows->end(), [](const auto& r) { return !r.failure.empty(); });
    std::printf("runs               %lld: %zu combinations, %lld of each\n", static_cast<long long>(plan_.runs()),
                plan_.combinations.size(), static_cast<long long>(plan_.iterations));
    if (not_finite > 0) std::printf("not finite         %lld runs\n", static_cast<long long>(not_finite));
    std::printf("hash of all runs   %s\n", sweep_hash(*rows).c_str());
    print_files(command_.out, names_of(files));
    return done;
  }

 private:
  // Beside the grid, or from where the command was typed.
  std::string parent_path(int64_t k) const {
    namespace fs = std::filesystem;
    const fs::path beside = fs::path(command_.grid).parent_path() / plan_.from;
    std::error_code error;
    const fs::path found = fs::exists(beside, error) ? beside : fs::path(plan_.from);
    if (!fs::is_directory(found, error)) return found.string();
    return (holds_sweep(found.string()) ? found / plan_.folder(k) / "session.npz" : found / "session.npz").string();
  }

  const SweepCommand& command_;
  const SweepPlan& plan_;
  Isa isa_;
  const Ranks& ranks_;
  SourcesOfRuns sources_;
  std::vector<int64_t> mine_;
  int threads_ = 1;
};

}  // namespace

int sweep(const SweepCommand& command) {
  const Ranks ranks;
  const bool first = ranks.rank() == 0;
  const auto refused = [&](const Error& error) {
    if (first) complain(error);
    return bad_input;
  };
  Result<Isa> isa = parse_isa(command.isa);
  if (!isa) return refused({"--" + isa.error().path, isa.error().message});
  Result<std::vector<std::byte>> bytes = read_file(command.grid);
  if (!bytes) return refused(bytes.error());
  const ReadSweep read = read_sweep(
      as_text(*bytes), [&](const std::string& name) { return open_experiment(command.grid, name); }, command.set);
  if (!read.problems.empty()) {
    for (const Error& e : read.problems) refused(e);
    if (first)
      std::fprintf(stderr, "dalea: %s has %zu problem%s; nothing was run\n", command.grid.c_str(), read.problems.size(),
                   read.problems.size() == 1 ? "" : "s");
    return bad_input;
  }
  const SweepPlan& plan = read.plan;
  if (command.task > plan.runs())
    return refused({"--task", std::to_string(command.task) + " is beyond the " + std::to_string(plan.runs()) +
                                  " runs of the grid; give 1 to " + std::to_string(plan.runs())});
  if (!command.slurm.empty()) {
    if (Status ok = write_file(command.slurm, slurm_script(words_of_command(command), plan.runs())); !ok)
      return refused(ok.error());
    if (first)
      std::printf("%s: %lld tasks; send them in by sbatch %s\n", command.slurm.c_str(),
                  static_cast<long long>(plan.runs()), command.slurm.c_str());
    return done;
  }
  ExitCode begun = done;
  if (first && command.task == 0 && !command.resume && holds_sweep(command.out))
    begun = refuse({command.out, "holds a sweep already; give --resume to go on with it, or choose another --out"});
  if (first && begun == done)
    if (Status ok = claim_sweep_folder(plan, command.out); !ok) begun = refuse(ok.error());
  if (const int worst = ranks.most(begun); worst != done) return worst;
  cancel_on_signals();
  SweepAtWork at_work(command, plan, *isa, ranks);
  const int code = ranks.most(at_work.work());
  if (code == cancelled && first)
    std::fprintf(stderr, "dalea: cancelled; all that began are saved, continue with --resume --out %s\n",
                 command.out.c_str());
  if (code != done) return code;
  const int collected = first ? at_work.collect() : done;
  return ranks.most(collected);
}

}  // namespace dalea::cli
