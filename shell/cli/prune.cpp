// dalea prune: take connections away, measure the error, and train on under the mask (SEEDS 3.5 to 3.7).
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/prune_report.h"
#include "common/files.h"
#include "common/session_weights.h"
#include "network/rules.h"

namespace dalea::cli {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

// The experiment without what may differ between its runs.
std::string experiment_of(Spec spec) {
  spec.seed = 1;
  spec.runs = 1;
  return print_spec(spec, true);
}

Status check_same_experiment(const std::vector<Session>& sessions, const std::vector<std::string>& paths) {
  for (size_t k = 1; k < sessions.size(); ++k) {
    if (experiment_of(sessions[k].spec) != experiment_of(sessions[0].spec))
      return Error{paths[k], "was trained on another experiment than " + paths[0] +
                                 " (only seed and run may differ); prune the two by themselves"};
    for (size_t other = 0; other < k; ++other)
      if (sessions[k].spec.seed == sessions[other].spec.seed && sessions[k].state.run == sessions[other].state.run)
        return Error{paths[k], "is the same run and seed as " + paths[other] + "; give each run once"};
  }
  return {};
}

// --probability, or what the experiment's rules make of each block; one number stands for all blocks.
Result<std::vector<std::vector<double>>> table_of(const PruneCommand& command, const Spec& spec) {
  std::vector<std::vector<double>> table;
  const std::string path = command.probability.empty() ? "connectivity.probability" : "--probability";
  if (command.probability.empty()) {
    const ConnectivitySpec& c = spec.connectivity;
    if (spec.connectome.source == "none" && (has_rules(spec) || !c.probability.empty() || c.distance > 0))
      table = block_probability(spec);
  } else {
    const json given = json::parse(command.probability, nullptr, false);
    const Error wrong{path,
                      "is not a table of numbers; give one row for each postsynaptic population, such as "
                      "[[0.1,0.5],[0.5,0.1]], or one number"};
    if (given.is_number()) {
      table = {{given.get<double>()}};
    } else {
      if (!given.is_array()) return wrong;
      for (const json& row : given) {
        if (!row.is_array()) return wrong;
        table.emplace_back();
        for (const json& p : row) {
          if (!p.is_number()) return wrong;
          table.back().push_back(p.get<double>());
        }
      }
    }
  }
  if (table.empty())
    return Error{path,
                 "is not in the experiment, nor a table, motifs or a distance, so the blocks have no densities; give "
                 "--probability "
                 "TABLE"};
  if (table.size() == 1 && table[0].size() == 1)
    table.assign(spec.populations.size(), std::vector<double>(spec.populations.size(), table[0][0]));
  return table;
}

Result<SweepOptions> options_of(const PruneCommand& command, const Spec& spec) {
  SweepOptions options;
  if (!command.methods.empty()) options.methods.clear();
  for (const std::string& text : command.methods) {
    Result<PruneMethod> method = parse_prune_method(text, "--method");
    if (!method) return method.error();
    for (PruneMethod other : options.methods)
      if (other == *method) return Error{"--method", text + " is given twice; give each method once"};
    options.methods.push_back(*method);
  }
  options.sparsities = command.sparsities;
  options.draws = command.draws;
  options.include_diagonal = !command.no_diagonal;
  options.draw = command.exact_count ? PruneDraw::exact_count : PruneDraw::bernoulli;
  options.as_published = command.as_published;
  if (!command.blocks && !command.probability.empty())
    return Error{"--probability", "is for --blocks; give that too, or --sparsity instead"};
  if (command.blocks) {
    if (!command.sparsities.empty())
      return Error{"--sparsity", "is given beside --blocks, which take theirs from the table; give one of the two"};
    Result<std::vector<std::vector<double>>> table = table_of(command, spec);
    if (!table) return table.error();
    std::vector<Range> populations;
    for (const Population& p : spec.populations) {
      const int64_t begin = populations.empty() ? 0 : populations.back().end;
      populations.push_back({begin, begin + p.size});
    }
    Result<std::vector<PruneBlock>> blocks = population_blocks(populations, *table);
    if (!blocks) return Error{"--blocks: " + blocks.error().path, blocks.error().message};
    options.blocks = std::move(*blocks);
  }
  if (command.as_published && command.exact_count)
    return Error{"--exact-count", "is not as published, where each connection is drawn by itself; leave one out"};
  if (command.as_published && command.no_diagonal)
    return Error{"--no-diagonal", "is not as published, where the diagonal is pruned like the rest; leave one out"};
  Result<std::vector<double>> grid = sweep_grid(options);
  if (!grid) return Error{"--" + grid.error().path, grid.error().message};
  if (command.retrain > 0 && (options.methods.size() != 1 || grid->size() != 1))
    return Error{"--retrain", "trains under one mask; give one --method and one --sparsity (or --blocks)"};
  if (command.resume && command.retrain == 0)
    return Error{"--resume", "continues a retraining; give the same --retrain as before"};
  return options;
}

bool same_mask(const Pattern* a, const Pattern* b) {
  return a != nullptr && b != nullptr && a->row == b->row && a->col_start == b->col_start;
}

class Pruning {
 public:
  Pruning(const PruneCommand& command, Isa isa, int threads) : command_(command), isa_(isa), threads_(threads) {}

  // One network: the sweep, and with one mask its session and the retraining. The last argument is where files go.
  ExitCode go(const std::string& path, Session session, const std::string& out, PruneStudy& report) {
    PrunedNetwork network;
    network.session = path;
    network.run = session.state.run;
    network.seed = session.spec.seed;
    network.hash = session.provenance.hash;
    const Spec spec = session.spec;
    network.data_sha256 = session.provenance.data_sha256;
    Result<Dataset> data = load_dataset(spec, network.run, network.data_sha256, command_.program);
    if (!data) return refuse(data.error());
    if (session.state.epoch < spec.all_epochs() && !command_.quiet)
      std::fprintf(stderr, "dalea: %s is not trained to its end (%lld of %lld epochs); pruned as it is\n", path.c_str(),
                   static_cast<long long>(session.state.epoch), static_cast<long long>(spec.all_epochs()));
    report.unit = data->unit;
    Result<std::unique_ptr<Trainer>> trainer = make_trainer(spec, std::move(*data), network.run, {}, {});
    if (!trainer) return refuse(trainer.error());
    if (Status ok = (*trainer)->restore(std::move(session.state)); !ok) return refuse(ok.error());

    Workers workers(threads_);
    int64_t drawn = 0, all = 0;
    Result<Sweep> swept = sweep(
        spec, (*trainer)->model(), (*trainer)->data(), network.run, report.options, isa_, workers,
        [&](int64_t d, int64_t a) {
          if (!command_.quiet && (d * 10 / a != drawn * 10 / a || d == a))
            std::fprintf(stderr, "%s: %lld of %lld masks\n", path.c_str(), static_cast<long long>(d),
                         static_cast<long long>(a));
          drawn = d;
          all = a;
        },
        &cancel_on_signals());
    if (!swept) return refuse(swept.error());
    network.sweep = std::move(*swept);
    if (!network.sweep.complete) {
      report.networks.push_back(std::move(network));
      std::fprintf(stderr, "dalea: cancelled after %lld of %lld masks of %s\n", static_cast<long long>(drawn),
                   static_cast<long long>(all), path.c_str());
      return cancelled;
    }
    network.dense = (*trainer)->evaluate().held_out;
    ExitCode code = done;
    if (network.sweep.points.size() == 1) {
      Result<PruneResult> pruned = prune_at((*trainer)->model().parameters.W_rec, report.options,
                                            report.options.methods.front(), 0, 0, spec.seed, network.run);
      if (!pruned) return refuse(pruned.error());
      Parameters start = (*trainer)->model().parameters;
      start.W_rec = pruned->weights;
      trainer->reset();  // its data goes before the next one's comes
      code = train_on(spec, network, pruned->pattern(), std::move(start), out);
    }
    report.networks.push_back(std::move(network));
    return code;
  }

 private:
  Result<std::unique_ptr<Trainer>> make_trainer(const Spec& spec, Dataset data, int64_t run,
                                                std::shared_ptr<const Pattern> mask, std::optional<Parameters> start) {
    TrainerOptions options;
    options.isa = isa_;
    options.threads = threads_;
    options.mask = std::move(mask);
    options.start = std::move(start);
    return Trainer::create(spec, std::move(data), run, options);
  }

  ExitCode train_on(Spec spec, PrunedNetwork& network, std::shared_ptr<const Pattern> mask, Parameters start,
                    const std::string& out) {
    if (command_.retrain > 0) spec.training.epochs = command_.retrain;
    spec.stages.prune = false;
    Result<Dataset> data = load_dataset(spec, network.run, network.data_sha256, command_.program);
    if (!data) return refuse(data.error());
    Result<std::unique_ptr<Trainer>> made = make_trainer(spec, std::move(*data), network.run, mask, std::move(start));
    if (!made) return refuse(made.error());
    Trainer& trainer = **made;
    if (Status ok = write_file(out + "/pruned.npz", write_session(trainer, platform_text(isa_))); !ok)
      return refuse(ok.error());
    if (command_.retrain == 0) return done;

    RetrainedNetwork result;
    result.out = out;
    // Losses of this very network, before and after (Q7: the published ones were another's, left over).
    result.pruned = trainer.evaluate().held_out;
    if (command_.resume)
      if (Status ok = resume(trainer, mask.get(), out); !ok) return refuse(ok.error());
    const Clock::time_point start_time = Clock::now();
    Clock::time_point saved = start_time;
    const int64_t first_epoch = trainer.epoch();
    Progress progress(trainer, command_.quiet, "");
    train(trainer, cancel_on_signals(), [&](Trainer::Event) {
      progress.update();
      if (seconds_since(saved) < command_.save_every_s) return;
      if (Status ok = save(trainer, out); !ok) complain(ok.error());
      saved = Clock::now();
    });
    const double seconds = seconds_since(start_time);
    progress.finish();
    if (Status ok = save(trainer, out); !ok) {
      complain(ok.error());
      return failed;
    }
    if (!trainer.failure().empty()) {
      complain({"", trainer.failure()});
      std::fprintf(stderr, "dalea: the last good state is in %s/session.npz\n", out.c_str());
      return failed;
    }
    if (!trainer.finished()) {
      std::fprintf(stderr,
                   "dalea: cancelled after %lld updates; the session is saved in %s, continue with the same command "
                   "and --resume\n",
                   static_cast<long long>(trainer.updates()), out.c_str());
      return cancelled;
    }
    const int64_t epochs = trainer.epoch() - first_epoch;
    result.after = trainer.evaluate().held_out;
    result.epochs = trainer.epoch();
    result.seconds_per_epoch = epochs > 0 ? seconds / static_cast<double>(epochs) : 0.0;
    result.hash = hash_text(trainer.hash());
    result.violations = trainer.audit();
    network.retrained = result;
    return done;
  }

  Status resume(Trainer& trainer, const Pattern* mask, const std::string& out) {
    const std::string path = out + "/session.npz";
    if (!file_exists(path)) {
      if (command_.sessions.size() > 1) return {};  // this one had not begun
      return Error{path, "does not exist, so there is nothing to resume; leave --resume out to start"};
    }
    Result<Session> session = read_session_file(path);
    if (!session) return session.error();
    if (print_spec(session->spec, true) != print_spec(trainer.spec(), true) ||
        !same_mask(session->state.mask.get(), mask))
      return Error{path,
                   "was saved by another command than this one; give the same session and options, or choose "
                   "another --out"};
    return trainer.restore(std::move(session->state));
  }

  Status save(const Trainer& trainer, const std::string& out) {
    if (Status ok = write_file(out + "/session.npz", write_session(trainer, platform_text(isa_))); !ok) return ok;
    return write_file(out + "/curves.csv", history_csv(trainer.history()));
  }

  const PruneCommand& command_;
  Isa isa_;
  int threads_;
};

std::string folder_of(const PruneCommand& command, size_t k) {
  return command.sessions.size() == 1 ? command.out : command.out + "/run-" + std::to_string(k + 1);
}

// A session that is pruned must outlive its pruning.
Status check_not_overwritten(const PruneCommand& command) {
  for (const std::string& session : command.sessions)
    for (size_t k = 0; k < command.sessions.size(); ++k)
      for (const char* name : {"/session.npz", "/pruned.npz"}) {
        std::error_code missing;
        if (std::filesystem::equivalent(session, folder_of(command, k) + name, missing))
          return Error{"--out", command.out + " would overwrite " + session + "; choose another folder"};
      }
  return {};
}

}  // namespace

int prune(const PruneCommand& command) {
  Result<Isa> isa = parse_isa(command.isa);
  if (!isa) return refuse({"--" + isa.error().path, isa.error().message});
  const int threads = threads_of(command.threads);

  std::vector<Session> sessions;
  for (const std::string& path : command.sessions) {
    Result<Session> session = load_session(path, command.recording);
    if (!session) return refuse(session.error());
    sessions.push_back(std::move(*session));
  }
  if (Status ok = check_same_experiment(sessions, command.sessions); !ok) return refuse(ok.error());
  Result<SweepOptions> options = options_of(command, sessions.front().spec);
  if (!options) return refuse(options.error());
  if (Status ok = check_not_overwritten(command); !ok) return refuse(ok.error());

  PruneStudy report;
  report.name = sessions.front().spec.name;
  report.isa = isa_name(*isa);
  report.threads = threads;
  report.out = command.out;
  report.options = std::move(*options);
  Pruning pruning(command, *isa, threads);
  ExitCode code = done;
  for (size_t k = 0; k < sessions.size() && code == done; ++k) {
    const std::string out = folder_of(command, k);
    if (Status ok = make_folder(out); !ok) return refuse(ok.error());
    code = pruning.go(command.sessions[k], std::move(sessions[k]), out, report);
  }
  if (!report.networks.empty()) {
    if (Status ok = write_file(command.out + "/prune.csv", prune_csv(report)); !ok) {
      complain(ok.error());
      return failed;
    }
    if (code == cancelled && command.retrain == 0)
      std::fprintf(stderr,
                   "dalea: %s/prune.csv has what was finished; the same command gives the same rows and the rest\n",
                   command.out.c_str());
  }
  if (code != done) return code;

  report.files = {"prune.csv"};
  if (const std::optional<plot::Figure> figure = prune_figure(report)) {
    const plot::Drawing drawing = plot::drawing_of(*figure);
    for (const Status& ok : {write_file(command.out + "/prune.svg", plot::to_svg(drawing)),
                             write_file(command.out + "/prune.png", plot::to_png(drawing))})
      if (!ok) return refuse(ok.error());
    report.files.insert(report.files.end(), {"prune.svg", "prune.png"});
  }
  const std::string where = sessions.size() > 1 ? "run-*/" : "";
  if (report.networks.front().sweep.points.size() == 1) report.files.push_back(where + "pruned.npz");
  if (command.retrain > 0)
    for (const char* name : {"session.npz", "curves.csv"}) report.files.push_back(where + name);
  if (command.json)
    std::printf("%s\n", report_json(report).c_str());
  else
    print_report(report);
  return done;
}

}  // namespace dalea::cli
