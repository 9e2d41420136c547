#include <algorithm>

#include "common/connectome_files.h"
#include "common/reproduce_bio.h"
#include "common/reproduce_cell_types.h"

namespace dalea::reproduce {
namespace {

constexpr const char* all_tasks[] = {"flip-flop", "wave", "digits"};

// An epoch at the published size in seconds of one core: only their proportions matter.
double cost_of(const Spec& spec) {
  const double steps = static_cast<double>(spec.task.train) * static_cast<double>(spec.task.steps);
  const double units = static_cast<double>(spec.units());
  return 1e-9 * steps * units * (units + 40);
}

void make_quick(Spec& spec) {
  spec.populations = {{"E", 51, Sign::excitatory, 0, "", "", ""}, {"I", 13, Sign::inhibitory, 0, "", "", ""}};
  spec.training.batch = 50;
  spec.training.optimizer.lr = 3e-3;
  if (spec.task.type == "flip-flop") {
    spec.task.steps = 30;
    spec.task.train = 1000;
    spec.task.validation = spec.task.held_out = 200;
    spec.task.event_probability = 0.1;
    spec.training.epochs = 40;
  } else if (spec.task.type == "wave") {
    spec.task.steps = 250;
    spec.task.train = 500;
    spec.task.validation = spec.task.held_out = 100;
    spec.training.epochs = 20;
  } else {
    spec.task.train = 6000;
    spec.task.validation = 0;
    spec.task.held_out = 2000;
    spec.training.epochs = 20;
  }
}

Spec published_spec(const std::string& task, const std::string& condition, uint64_t seed, bool quick) {
  Spec spec;
  spec.seed = seed;
  spec.task.type = task;
  spec.training.constraint = condition;
  if (quick) make_quick(spec);
  fill_defaults(spec);
  return spec;
}

// SEEDS 3.7.
int64_t retraining_epochs(const Options& options, const std::string& task) {
  const int64_t published = task == "flip-flop" ? 40 : task == "wave" ? 10 : 25;
  return options.quick ? published / 5 : published;
}

Job training(const Options& options, const std::string& task, const std::string& condition, uint64_t seed) {
  Job job;
  job.task = task;
  job.condition = condition;
  job.seed = seed;
  job.spec = published_spec(task, condition, seed, options.quick);
  job.id = std::string(options.quick ? "quick-" : "") + task + "-" + condition;
  if (options.corrected) {
    // Dale's networks are rectified as published already: where nothing else changes, both modes share them.
    if (condition != "dale") job.spec.network.feedback = "rectified";
    if (task == "wave") job.spec.task.two_tone = job.spec.network.input_mask = true;
    if (condition != "dale" || task == "wave") job.id += "-corrected";
  }
  job.id += "-" + std::to_string(seed);
  job.spec.name = text_of(options.figure) + std::string(": ") + task + ", " + condition + ", seed " +
                  std::to_string(seed) + (options.corrected ? ", corrected" : "") + (options.quick ? ", quick" : "");
  job.cost = cost_of(job.spec);
  return job;
}

}  // namespace

const char* text_of(Paper figure) {
  constexpr const char* names[] = {"fig2", "fig3", "fig4", "fig5", "bio"};
  return names[static_cast<size_t>(figure)];
}

Result<Paper> parse_figure(const std::string& text) {
  if (text == "fig2") return Paper::fig2;
  if (text == "fig3") return Paper::fig3;
  if (text == "fig4") return Paper::fig4;
  if (text == "fig5") return Paper::fig5;
  if (text == "bio") return Paper::bio;
  return Error{"figure", "'" + text.substr(0, 80) +
                             "' is not known; give fig2 (conditions), fig3 (pruning), fig4 (cell types), fig5 "
                             "(conditions of the cell-type model), bio (measured against random wiring) or planted "
                             "(a change made in a simulated circuit)"};
}

Result<Options> check(Options options) {
  if (options.figure == Paper::bio) return check_bio(std::move(options));
  if (options.full || !options.wirings.empty()) return Error{"full", "and species belong to bio; leave them out"};
  const bool cells = of_cell_types(options.figure);
  if (options.runs == 0) options.runs = options.quick ? 3 : cells ? 5 : 6;
  if (options.runs < 2 || options.runs > 50)
    return Error{"runs", "is " + std::to_string(options.runs) + "; give 2 to 50, as spreads need two"};
  if (cells) {
    if (!options.tasks.empty() && options.tasks != std::vector<std::string>{cell_type_task})
      return Error{"task", "belongs to fig2 and fig3; leave it out"};
    options.tasks = {cell_type_task};
    return options;
  }
  if (options.data != nullptr) return Error{"data", "belongs to fig4 and fig5; leave it out"};
  std::vector<std::string> tasks;
  for (const char* known : all_tasks)  // in the order of the figure, each once
    if (options.tasks.empty() || std::find(options.tasks.begin(), options.tasks.end(), known) != options.tasks.end())
      tasks.emplace_back(known);
  for (const std::string& task : options.tasks)
    if (std::find(std::begin(all_tasks), std::end(all_tasks), task) == std::end(all_tasks))
      return Error{"task", "'" + task.substr(0, 80) + "' is not in the figure; give flip-flop, wave or digits"};
  options.tasks = std::move(tasks);
  return options;
}

std::string command_of(const Options& options) {
  std::string text = std::string("dalea reproduce ") + text_of(options.figure) + " --runs " +
                     std::to_string(options.runs) + (options.corrected ? " --corrected" : " --as-published");
  if (options.quick) text += " --quick";
  if (options.first_seed != 1) text += " --seed " + std::to_string(options.first_seed);
  if (!options.data_name.empty()) text += " --data " + options.data_name;
  if (options.figure == Paper::bio) {
    if (options.full) text += " --full";
    for (const Wiring& w : options.wirings)
      if (species_of_file(w.file) != nullptr) text += " --species " + w.name;
    if (options.tasks.size() == 1) text += " --task " + options.tasks.front();
    return text;
  }
  if (!of_cell_types(options.figure) && options.tasks.size() < std::size(all_tasks))
    for (const std::string& task : options.tasks) text += " --task " + task;
  return text;
}

std::vector<std::string> conditions_of(const Options& options) {
  if (options.figure == Paper::bio) return bio_arms(options);
  if (of_cell_types(options.figure)) {
    std::vector<std::string> names;
    for (const CellGroup& g : cell_groups(options)) names.push_back(g.id);
    return names;
  }
  return {"conventional", options.corrected ? "rectified-forward" : "rectified", "dale"};
}

std::vector<Job> jobs_of(const Options& options) {
  if (of_cell_types(options.figure)) return cell_type_jobs(options);
  if (options.figure == Paper::bio) return bio_jobs(options);
  std::vector<Job> jobs;
  for (int64_t r = 0; r < options.runs; ++r)
    for (const std::string& task : options.tasks) {
      const uint64_t seed = options.first_seed + static_cast<uint64_t>(r);
      if (options.figure == Paper::fig3) {
        jobs.push_back(training(options, task, "dale", seed));
        continue;
      }
      for (const std::string& condition : conditions_of(options))
        jobs.push_back(training(options, task, condition, seed));
    }
  if (options.figure == Paper::fig2) return jobs;
  const size_t parents = jobs.size();
  for (size_t k = 0; k < parents; ++k)
    for (PruneMethod method : {PruneMethod::random, PruneMethod::top_prob}) {
      Job job = jobs[k];
      job.parent = job.id;
      job.method = method;
      job.id += std::string("-retrained-") + text_of(method) + (options.corrected ? "-corrected" : "");
      job.spec.training.epochs = retraining_epochs(options, job.task);
      job.spec.name += std::string(", retrained after ") + text_of(method) + " pruning";
      jobs.push_back(std::move(job));
    }
  return jobs;
}

bool same_experiment(const Spec& a, const Spec& b) {
  Spec x = a, y = b;
  x.name = y.name = x.note = y.note = "";
  return print_spec(x, true) == print_spec(y, true);
}

SweepOptions sweep_options(const Options& options) {
  SweepOptions sweep;
  sweep.as_published = !options.corrected;
  return sweep;
}

Result<Start> start_of(const Options& options, const Job& job, const Parameters& parent) {
  if (of_cell_types(options.figure)) return cell_type_start(options, job, parent);
  const SweepOptions sweep = sweep_options(options);
  const Result<std::vector<double>> grid = sweep_grid(sweep);
  if (!grid) return grid.error();
  // The third density of the published grid, .086.
  const double sparsity = 1 - published_densities()[2];
  const auto place = std::find(grid->begin(), grid->end(), sparsity) - grid->begin();
  Result<PruneResult> pruned =
      prune_at(parent.W_rec, sweep, job.method, static_cast<int64_t>(place), 0, job.spec.seed, 0);
  if (!pruned) return pruned.error();
  Start start;
  start.mask = pruned->pattern();
  start.parameters = parent;
  start.parameters.W_rec = std::move(pruned->weights);
  return start;
}

}  // namespace dalea::reproduce
