#include "common/reproduce_cell_types.h"

#include <algorithm>
#include <cmath>

#include "recording/conditions.h"
#include "recording/long_table.h"

namespace dalea::reproduce {
namespace {

constexpr size_t population_count = 18;
constexpr int64_t type_ratio[3] = {12, 2, 1};

// SEEDS 4.3: L4, L23, L5 by Pyr, SST, VIP; rows are postsynaptic.
constexpr double within_area[9][9] = {
    {.10, .22, 0, .05, .04, 0, 0, .19, 0},     {.04, .01, .14, .17, 0, .14, .08, .04, .20},
    {0, .22, .03, 0, .13, .05, .02, .14, 0},   {.07, .33, 0, .06, .23, .05, 0, .15, 0},
    {.04, .05, .25, .30, .05, .14, 0, .05, 0}, {.02, .21, 0, .16, .30, .01, 0, .13, 0},
    {0, .08, 0, .08, 0, 0, .04, .15, 0},       {.03, .04, .11, .04, 0, 0, .10, .03, .05},
    {.11, .07, .04, 0, 0, .04, .02, .10, .03},
};
constexpr double motif_probability = 0.3;

bool between_areas(size_t post, size_t pre) {
  return post / 9 != pre / 9;
}

std::string with_dashes(std::string s) {
  std::replace(s.begin(), s.end(), '_', '-');
  return s;
}

CellGroup cell_group(const std::string& condition, bool half, bool vanilla) {
  return {with_dashes(condition) + (vanilla ? "-vanilla" : half ? "-half" : "-full"), condition, half, vanilla};
}

Spec cell_spec(const Options& options, const CellGroup& group) {
  Spec spec;
  spec.seed = options.first_seed;
  const int64_t scale = options.quick ? 2 : 16;
  for (const char* area : {"V1", "LM"})
    for (const char* layer : {"L4", "L23", "L5"})
      for (size_t t = 0; t < 3; ++t) {
        constexpr const char* types[] = {"Pyr", "SST", "VIP"};
        Population p;
        p.name = std::string(area) + " " + layer + " " + types[t];
        p.size = type_ratio[t] * scale;
        p.sign = t == 0 ? Sign::excitatory : Sign::inhibitory;
        p.area = area;
        p.layer = layer;
        p.type = types[t];
        spec.populations.push_back(std::move(p));
      }
  spec.network.biases = false;
  spec.network.readout = "populations";
  spec.network.train_readout = false;
  spec.network.input_mask = options.corrected;
  spec.network.feedback = "rectified";  // the control without Dale's law has it too
  spec.task.type = "recording";
  RecordingSpec& r = spec.recording;
  r.condition = group.condition;
  r.split = "trial";
  r.scale = options.quick ? "z-score" : "none";  // small frozen readouts hardly reach so small values
  r.warmup = 0;
  if (group.half) {
    r.events.first_frame = 7;
    r.events.last_frame = 13;
  }
  r.smoothing = options.corrected ? "causal" : "centred";
  TrainingSpec& t = spec.training;
  t.constraint = group.vanilla ? "conventional" : "dale";
  t.schedule.type = "cosine";
  t.epochs = options.quick ? 60 : 70;
  if (options.quick) t.optimizer.lr = 3e-3;
  t.batch = options.quick ? 40 : 200;
  t.checkpoint = options.corrected ? "validation" : "train";
  if (options.data != nullptr) {
    // One averaged trial: an epoch is one update, so there are ten times as many.
    const LongChoices choices =
        long_choices({reinterpret_cast<const char*>(options.data->data()), options.data->size()});
    if (std::find(choices.series.begin(), choices.series.end(), "target") != choices.series.end()) r.series = "target";
    r.file = options.data_name;
    r.smoothing = "none";
    t.batch = 1;
    t.epochs *= 10;
    t.schedule.t_max *= 10;
    t.checkpoint = "train";
  } else {
    r.simulated = "conditions";
    r.simulated_trials = options.quick ? 150 : 600;
    r.events.samples = options.quick ? 400 : 2000;
    r.events.average_of = options.quick ? 30 : 100;
    r.events.channels = options.corrected ? "jointly" : "independently";
  }
  fill_defaults(spec);
  return spec;
}

}  // namespace

std::vector<CellGroup> cell_groups(const Options& options) {
  if (options.figure == Paper::fig4)
    return {cell_group("novel_change", true, false), cell_group("familiar_change", false, false),
            cell_group("familiar_change", false, true)};
  std::vector<CellGroup> groups;
  for (const std::string& condition : condition_names())
    if (!options.quick || condition.rfind("familiar", 0) == 0) groups.push_back(cell_group(condition, false, false));
  return groups;
}

std::vector<Job> cell_type_jobs(const Options& options) {
  std::vector<Job> jobs;
  for (int64_t r = 0; r < options.runs; ++r)
    for (const CellGroup& group : cell_groups(options)) {
      const std::vector<std::string>& names = condition_names();
      const auto condition = std::find(names.begin(), names.end(), group.condition) - names.begin();
      Job job;
      job.task = cell_type_task;
      job.condition = group.id;
      job.seed = options.first_seed;
      // Other initial weights for every condition, so that runs are independent; the control shares its twin's.
      job.run = r + 50 * condition + (group.half ? 300 : 0);
      job.spec = cell_spec(options, group);
      job.spec.runs = job.run + 1;  // a session's run is one of its experiment's
      job.id = std::string(options.quick ? "quick-" : "") + "cells-" + group.id +
               (options.data != nullptr ? "-file" : "") + (options.corrected ? "-corrected" : "") + "-seed-" +
               std::to_string(options.first_seed) + "-run-" + std::to_string(r + 1);
      job.spec.name = "Cell types: " + group.id + ", run " + std::to_string(r + 1) +
                      (options.corrected ? ", corrected" : "") + (options.quick ? ", quick" : "");
      const double units = static_cast<double>(job.spec.units());
      const double trials = options.data != nullptr ? 1.0 : static_cast<double>(job.spec.recording.events.samples);
      job.cost = 1e-9 * trials * (group.half ? 7 : 15) * units * (units + 40);
      jobs.push_back(std::move(job));
    }
  const size_t parents = jobs.size();
  for (size_t k = 0; k < parents; ++k) {
    Job job = jobs[k];
    job.parent = job.id;
    job.method = PruneMethod::top_prob;
    job.id += "-sparse";
    job.spec.name += ", sparse";
    job.spec.training.epochs = (options.quick ? 40 : 50) * (options.data != nullptr ? 10 : 1);
    job.cost /= 4;
    jobs.push_back(std::move(job));
  }
  return jobs;
}

Result<PruneOptions> cell_type_pruning(const Options& options, const Spec& spec) {
  std::vector<Range> populations;
  int64_t at = 0;
  for (const Population& p : spec.populations) {
    populations.push_back({at, at + p.size});
    at += p.size;
  }
  Result<std::vector<PruneBlock>> blocks = population_blocks(populations, cell_type_probability());
  if (!blocks) return blocks.error();
  for (size_t k = 0; k < blocks->size(); ++k)
    if (between_areas(k / population_count, k % population_count)) (*blocks)[k].method = PruneMethod::random;
  PruneOptions how;
  how.method = PruneMethod::top_prob;
  how.blocks = std::move(*blocks);
  how.as_published = !options.corrected;
  return how;
}

Result<Start> cell_type_start(const Options& options, const Job& job, const Parameters& parent) {
  const Result<PruneOptions> how = cell_type_pruning(options, job.spec);
  if (!how) return how.error();
  Rng rng(job.spec.seed, Purpose::prune, static_cast<uint32_t>(job.run));
  Result<PruneResult> pruned = prune(parent.W_rec, *how, rng);
  if (!pruned) return pruned.error();
  Start start;
  start.mask = pruned->pattern();
  start.parameters = parent;
  start.parameters.W_rec = std::move(pruned->weights);
  return start;
}

std::vector<std::vector<double>> cell_type_probability() {
  std::vector<std::vector<double>> p(population_count, std::vector<double>(population_count, 0.0));
  for (size_t post = 0; post < population_count; ++post)
    for (size_t pre = 0; pre < population_count; ++pre)
      if (!between_areas(post, pre)) p[post][pre] = within_area[post % 9][pre % 9];
  constexpr size_t v1_l23_pyr = 3, lm_l5_pyr = 15;
  for (size_t t = 0; t < 3; ++t) {
    p[9 + t][v1_l23_pyr] = motif_probability;  // LM L4
    p[3 + t][lm_l5_pyr] = motif_probability;   // V1 L2/3
    p[6 + t][lm_l5_pyr] = motif_probability;   // V1 L5
  }
  return p;
}

LayerValues expected_layer_density() {
  const std::vector<std::vector<double>> p = cell_type_probability();
  LayerValues density{};
  for (size_t post = 0; post < population_count; ++post)
    for (size_t pre = 0; pre < population_count; ++pre)
      density[(post / 3) * layer_count + pre / 3] +=
          p[post][pre] * static_cast<double>(type_ratio[post % 3] * type_ratio[pre % 3]) / 225;
  return density;
}

bool possible(size_t post, size_t pre) {
  return expected_layer_density()[post * layer_count + pre] > 0;
}

LayerBlocks layer_blocks(const Weights& w) {
  LayerBlocks b;
  const int64_t width = w.rows / static_cast<int64_t>(layer_count);
  if (width == 0) return b;
  for (size_t k = 0; k < w.values.size(); ++k) {
    if (w.values[k] == 0) continue;
    const auto place = static_cast<int64_t>(k);
    int64_t post = place % w.rows, pre = place / w.rows;
    if (w.sparse()) {
      post = w.pattern->row[k];
      const std::vector<int64_t>& start = w.pattern->col_start;
      pre = std::upper_bound(start.begin(), start.end(), place) - start.begin() - 1;
    }
    const auto at = static_cast<size_t>(post / width) * layer_count + static_cast<size_t>(pre / width);
    const double size = std::fabs(static_cast<double>(w.values[k]));
    b.mean_abs[at] += size;
    if (size >= 1e-5) b.density[at] += 1;
  }
  const double entries = static_cast<double>(width) * static_cast<double>(width);
  for (size_t k = 0; k < b.density.size(); ++k) {
    b.mean_abs[k] /= entries;
    b.density[k] /= entries;
  }
  return b;
}

std::vector<const Run*> cell_runs(const std::vector<Run>& runs, const std::string& group, bool sparse) {
  std::vector<const Run*> list;
  for (const Run& run : runs)
    if (run.job.condition == group && run.job.retrains() == sparse && run.failure.empty() && !run.history.empty())
      list.push_back(&run);
  return list;
}

std::string original_data(const Options& options) {
  std::string text = options.data != nullptr
                         ? "Trained on one averaged trial of each condition from " + options.data_name + ". "
                         : "Trained on simulated conditions, whose averages are made up. ";
  text += "To test this, the original recordings would be needed (assets/data/ALLEN.md).";
  if (options.quick) text += " " + quick_reason();
  return text;
}

}  // namespace dalea::reproduce
