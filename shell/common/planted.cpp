#include "common/planted.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>

#include "analysis/recovery.h"
#include "analysis/states.h"
#include "numerics/math.h"
#include "numerics/parallel.h"
#include "recording/areas.h"
#include "recording/cell_table.h"
#include "tasks/recording_task.h"
#include "training/trainer.h"

namespace dalea::planted {
namespace {

constexpr int conditions = 3;  // as it is, planted, as it is again

bool matched(Setting setting) {
  return setting != Setting::averages;
}

struct Grouping {
  BlockGroups groups;
  std::vector<uint8_t> possible;
};

// By area and type (population level), or by area.
Result<Grouping> grouping_of(const Spec& spec, BlockLevel level) {
  std::vector<Population> populations = spec.populations;
  for (Population& p : populations) p.layer = p.type;
  Result<BlockGroups> groups =
      group_blocks(populations, level == BlockLevel::area ? BlockLevel::area : BlockLevel::layer);
  if (!groups) return groups.error();
  Result<std::vector<uint8_t>> possible = possible_blocks(*groups, spec.connectivity.probability);
  if (!possible) return possible.error();
  return Grouping{std::move(*groups), std::move(*possible)};
}

// Means over the pairs of units or populations of a matrix (post, pre), without its diagonal.
BlockAverages averages_of(const std::vector<double>& matrix, const BlockGroups& groups) {
  const size_t n = groups.count(), all = groups.of_population.size();
  BlockAverages a;
  a.groups = n;
  a.mean.assign(n * n, 0);
  a.entries.assign(n * n, 0);
  for (size_t i = 0; i < all; ++i)
    for (size_t j = 0; j < all; ++j) {
      if (i == j) continue;
      const size_t k = groups.of_population[i] * n + groups.of_population[j];
      a.mean[k] += matrix[i * all + j];
      ++a.entries[k];
    }
  for (size_t k = 0; k < n * n; ++k)
    if (a.entries[k] > 0) a.mean[k] /= static_cast<double>(a.entries[k]);
  a.mean_abs = a.mean;
  a.density.assign(n * n, 1);
  return a;
}

struct Trained {
  std::vector<BlockAverages> blocks;  // of kinds()
  double held_out = 0, ridge = 0;
};

Result<Trained> train_one(Setting setting, const Spec& spec, const std::vector<Grouping>& groupings, int64_t session,
                          int64_t run, Isa isa, const std::atomic<bool>& cancel) {
  SimulatedCircuit circuit = simulate_areas(spec.seed, session, spec.recording);
  if (spec.recording.average == "populations")
    if (Status ok = average_populations(circuit.recording); !ok) return ok.error();
  Result<Dataset> data = make_recording_dataset(spec, std::move(circuit.recording));
  if (!data) return data.error();
  TrainerOptions options;
  options.isa = isa;
  options.threads = 1;
  if (matched(setting)) options.start = start_of(spec, *data, run);
  Result<std::unique_ptr<Trainer>> trainer = Trainer::create(spec, std::move(*data), run, options);
  if (!trainer) return trainer.error();
  train(**trainer, cancel, [](Trainer::Event) {});
  if (cancel) return Error{"", "cancelled"};
  if (!(*trainer)->failure().empty()) return Error{name_of(setting), (*trainer)->failure()};

  const Model& model = (*trainer)->model();
  const Dataset& trained_on = (*trainer)->data();
  Trained t;
  t.held_out = (*trainer)->history().back().held_out;
  t.ridge = trained_on.baselines ? trained_on.baselines->held_out.linear : no_value;
  Workers workers(1);
  Result<StateStudy> states = study_states(model, trained_on, spec.training.batch, 1, {0, model.units}, isa, workers);
  if (!states) return states.error();
  Result<std::vector<double>> ridge = linear_response(trained_on);
  if (!ridge) return ridge.error();
  for (size_t k = 0; k < kinds().size(); ++k) {
    const BlockGroups& groups = groupings[k].groups;
    if (kinds()[k].measure == Measure::weights) {
      Result<BlockAverages> averages = average_blocks(model.parameters.W_rec, groups);
      if (!averages) return averages.error();
      t.blocks.push_back(std::move(*averages));
    } else if (kinds()[k].measure == Measure::ridge) {
      t.blocks.push_back(averages_of(*ridge, groups));
    } else {
      BlockAverages a;
      a.groups = groups.count();
      a.mean = a.mean_abs = block_currents(states->currents, groups);
      a.density.assign(a.mean.size(), 1);
      a.entries.assign(a.mean.size(), 1);
      t.blocks.push_back(std::move(a));
    }
  }
  return t;
}

bool is_feedback(const BlockGroups& groups, size_t post, size_t pre) {
  return groups.groups[post].area == "V1" && groups.groups[pre].area == "LM";
}

// Adds one circuit's comparison of conditions `a` and `b` to the rates.
Status count_in(const Grouping& grouping, const std::vector<const Trained*>& a, const std::vector<const Trained*>& b,
                size_t kind, BlockWeights weights, uint64_t seed, Rates& rates) {
  std::vector<Condition> compared = {{"a", {}}, {"b", {}}};
  for (const Trained* t : a) compared[0].runs.push_back(t->blocks[kind]);
  for (const Trained* t : b) compared[1].runs.push_back(t->blocks[kind]);
  CompareOptions how;
  how.weights = weights;
  how.seed = seed;
  const Result<Comparison> c = compare_conditions(grouping.groups, grouping.possible, compared, how);
  if (!c) return c.error();
  bool any = false, all = true, other = false;
  for (BlockRate& rate : rates.blocks) {
    const BlockComparison& block = c->pairs[0].blocks[rate.post * grouping.groups.count() + rate.pre];
    rate.significant += block.significant;
    // Means over circuits so far.
    const auto n = static_cast<double>(rates.circuits);
    rate.g += ((std::isfinite(block.g) ? block.g : 0) - rate.g) / (n + 1);
    rate.difference += (block.difference - rate.difference) / (n + 1);
    if (!rate.feedback) {
      other = other || block.significant;
    } else {
      any = any || block.significant;
      all = all && block.significant;
    }
  }
  ++rates.circuits;
  rates.any += any;
  rates.all += all;
  rates.other += other;
  rates.alone += any && !other;
  return {};
}

Rates no_rates(const Grouping& grouping, const Kind& kind) {
  Rates rates;
  rates.kind = kind;
  const size_t n = grouping.groups.count();
  for (const BlockGroup& g : grouping.groups.groups) rates.groups.push_back(g.name);
  for (size_t post = 0; post < n; ++post)
    for (size_t pre = 0; pre < n; ++pre)
      if (grouping.possible[post * n + pre]) {
        BlockRate block;
        block.post = post;
        block.pre = pre;
        block.feedback = is_feedback(grouping.groups, post, pre);
        rates.blocks.push_back(block);
      }
  return rates;
}

// P(X <= hits) of a binomial.
double binomial_lower(int64_t hits, int64_t of, double p) {
  double sum = 0, term = std::pow(1 - p, static_cast<double>(of));
  for (int64_t k = 0; k <= hits; ++k) {
    sum += term;
    term *= static_cast<double>(of - k) / static_cast<double>(k + 1) * p / (1 - p);
  }
  return sum;
}

}  // namespace

const char* name_of(Setting setting) {
  constexpr const char* names[] = {"sessions", "stronger",       "weaker",  "one-recording",
                                   "no-law",   "slow-indicator", "averages"};
  return names[static_cast<size_t>(setting)];
}

const char* title_of(Setting setting) {
  constexpr const char* titles[] = {"A session for each run",     "Feedback doubled",   "Feedback times 0.3",
                                    "One recording for all runs", "Without Dale's law", "Slow indicator",
                                    "Averages, as published"};
  return titles[static_cast<size_t>(setting)];
}

const char* name_of(Measure measure) {
  constexpr const char* names[] = {"weights", "currents", "ridge"};
  return names[static_cast<size_t>(measure)];
}

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {
      {Measure::weights, BlockLevel::population},  {Measure::weights, BlockLevel::area},
      {Measure::currents, BlockLevel::population}, {Measure::currents, BlockLevel::area},
      {Measure::ridge, BlockLevel::population},    {Measure::ridge, BlockLevel::area}};
  return all;
}

Result<Options> check(Options options) {
  if (options.simulations == 0) options.simulations = options.quick ? 3 : 50;
  if (options.runs == 0) options.runs = options.quick ? 6 : 10;
  if (options.simulations < 1 || options.simulations > 1000)
    return Error{"simulations", "is " + std::to_string(options.simulations) + "; give 1 to 1000"};
  if (options.runs < 4 || options.runs > 50)
    return Error{"runs", "is " + std::to_string(options.runs) +
                             "; give 4 to 50: of fewer no relabeling is rare enough to be significant"};
  if (options.first_seed > max_seed - 1000) return Error{"seed", "is too large; the circuits' seeds follow it"};
  return options;
}

std::string command_of(const Options& options) {
  std::string text = "dalea reproduce planted --runs " + std::to_string(options.runs);
  if (options.quick) text += " --quick";
  if (options.first_seed != 1) text += " --seed " + std::to_string(options.first_seed);
  return text;
}

std::vector<Setting> settings_of(const Options& options) {
  if (options.quick) return {Setting::sessions, Setting::one_recording};
  std::vector<Setting> all;
  for (size_t k = 0; k < setting_count; ++k) all.push_back(static_cast<Setting>(k));
  return all;
}

int64_t simulations_of(const Options& options, Setting setting) {
  return setting == Setting::sessions ? options.simulations : std::min<int64_t>(options.simulations, 20);
}

double factor_of(Setting setting) {
  return setting == Setting::weaker ? 0.3 : setting == Setting::stronger ? 2 : 1.5;
}

Spec spec_of(Setting setting, int condition, uint64_t seed) {
  Spec spec;
  spec.name = std::string("Planted: ") + name_of(setting) + (condition == 1 ? ", feedback changed" : "");
  spec.seed = seed;
  spec.task.type = "recording";
  spec.task.steps = 8;
  RecordingSpec& r = spec.recording;
  r.simulated = "areas";
  r.simulated_units = 20;
  r.simulated_density = 0.3;
  r.simulated_frames = 4000;
  r.simulated_indicator_s = setting == Setting::slow_indicator ? 0.8 : 0.02;
  r.simulated_noise = 0.0005;
  if (condition == 1) r.simulated_feedback = factor_of(setting);
  r.train_fraction = 0.8;
  r.validation_fraction = 0.1;
  r.stride = 6;
  r.warmup = 2;
  r.scale = "none";
  spec.network.readout = "populations";
  spec.network.train_readout = false;
  spec.network.feedback = "rectified";
  spec.network.dt_s = 0.1;
  TrainingSpec& t = spec.training;
  t.constraint = setting == Setting::no_law ? "conventional" : "dale";
  t.optimizer.lr = 0.02;
  t.batch = 16;
  t.epochs = 40;
  t.schedule.type = "cosine";
  t.schedule.t_max = t.epochs;
  t.schedule.lr_min = 1e-5;
  if (matched(setting)) {
    spec.network.input_mask = true;
    RecordingSpec glance = r;
    glance.simulated_frames = 1;
    const Recording cells = simulate_areas(seed, 0, glance).recording;
    for (size_t u = 0; u < cells.names.size(); ++u) {
      const CellLabels& c = cells.cells[u];
      spec.populations.push_back(
          {cells.names[u], 1, c.sign == "+" ? Sign::excitatory : Sign::inhibitory, 0, c.area, c.layer, c.type});
    }
  } else {
    r.average = "populations";
    r.scale = "z-score";
    spec.network.biases = false;
    t.optimizer.lr = 0.003;
    // In the order in which the averages appear (recording/areas.h).
    for (const char* type : {"Exc", "Inh"})
      for (const char* area : {"V1", "LM"}) {
        const bool excites = type[0] == 'E';
        spec.populations.push_back({std::string(area) + " " + type, excites ? 12 : 4,
                                    excites ? Sign::excitatory : Sign::inhibitory, 0, area, "", type});
      }
  }
  for (const Population& post : spec.populations) {
    std::vector<double> row;
    for (const Population& pre : spec.populations)
      row.push_back(post.area != pre.area && pre.sign == Sign::inhibitory ? 0 : 1);
    spec.connectivity.probability.push_back(std::move(row));
  }
  fill_defaults(spec);
  return spec;
}

int64_t session_of(Setting setting, const Options& options, int condition, int64_t run) {
  return setting == Setting::one_recording ? condition : condition * options.runs + run;
}

Parameters start_of(const Spec& spec, const Dataset& data, int64_t run) {
  Parameters p = build_model(spec, data.ends, run).parameters;
  const Trials& t = data.train;
  const auto n = static_cast<size_t>(t.inputs);
  std::vector<double> mean(n, 0);
  for (size_t e = 0; e < t.input.size(); ++e) mean[e % n] += static_cast<double>(t.input[e]);
  for (size_t i = 0; i < n; ++i) {
    const double m = std::clamp(mean[i] * static_cast<double>(n) / static_cast<double>(t.input.size()), -0.9, 0.9);
    const double slope = data.baselines->fit.slope[i] / (1 - m * m);
    p.W_in.values[i] = static_cast<float>(slope);
    p.b_in.values[i] = static_cast<float>(0.5 * portable::log((1 + m) / (1 - m)) - slope * m);
    p.b_rec.values[i] = 0;
  }
  for (float& w : p.W_rec.values) w *= 0.02f;
  for (Weights& w : p.W_out) std::fill(w.values.begin(), w.values.end(), 1.0f);
  for (Weights& b : p.b_out) std::fill(b.values.begin(), b.values.end(), 0.0f);
  return p;
}

Result<Study> study(const Options& options, Isa isa, int threads, const std::function<bool(double)>& progress) {
  Study s;
  s.options = options;
  int64_t all = 0;
  for (Setting setting : settings_of(options)) all += simulations_of(options, setting) * conditions * options.runs;
  Workers workers(threads);
  std::atomic<bool> cancel{false};
  std::mutex mutex;
  int64_t done = 0;
  for (Setting setting : settings_of(options)) {
    const int64_t circuits = simulations_of(options, setting), runs = options.runs;
    std::vector<Grouping> groupings;  // of kinds(); the same for every circuit
    for (const Kind& kind : kinds()) {
      Result<Grouping> grouping = grouping_of(spec_of(setting, 0, options.first_seed), kind.level);
      if (!grouping) return grouping.error();
      groupings.push_back(std::move(*grouping));
    }
    // Part by part a network: (circuit, condition, run).
    std::vector<Trained> trained(static_cast<size_t>(circuits * conditions * runs));
    std::optional<Error> error;
    workers.run(static_cast<int>(trained.size()), [&](int part) {
      if (cancel) return;
      const int64_t circuit = part / (conditions * runs);
      const auto condition = static_cast<int>(part / runs % conditions);
      const int64_t run = part % runs;
      const Spec spec = spec_of(setting, condition, options.first_seed + static_cast<uint64_t>(circuit));
      Result<Trained> one = train_one(setting, spec, groupings, session_of(setting, options, condition, run),
                                      condition * runs + run, isa, cancel);
      const std::lock_guard<std::mutex> lock(mutex);
      if (!one) {
        if (!error) error = one.error();
        cancel = true;
        return;
      }
      trained[static_cast<size_t>(part)] = std::move(*one);
      ++done;
      if (progress && !progress(static_cast<double>(done) / static_cast<double>(all))) cancel = true;
    });
    if (error) return *error;
    if (cancel) return Error{"", "cancelled"};

    SettingResult result;
    result.setting = setting;
    result.networks = static_cast<int64_t>(trained.size());
    for (const Trained& t : trained) {
      result.held_out += t.held_out / static_cast<double>(trained.size());
      result.ridge += t.ridge / static_cast<double>(trained.size());
    }
    for (size_t k = 0; k < kinds().size(); ++k) {
      result.planted.push_back(no_rates(groupings[k], kinds()[k]));
      result.null.push_back(result.planted.back());
      const bool raw = kinds()[k].measure != Measure::weights || setting == Setting::no_law;
      // One recording has one regression: there is nothing to compare.
      if (kinds()[k].measure == Measure::ridge && setting == Setting::one_recording) continue;
      for (int64_t circuit = 0; circuit < circuits; ++circuit) {
        std::vector<const Trained*> of[conditions];
        for (int c = 0; c < conditions; ++c)
          for (int64_t run = 0; run < runs; ++run)
            of[c].push_back(&trained[static_cast<size_t>((circuit * conditions + c) * runs + run)]);
        const uint64_t seed = options.first_seed + static_cast<uint64_t>(circuit);
        const BlockWeights weights = raw ? BlockWeights::raw : BlockWeights::abs;
        if (Status ok = count_in(groupings[k], of[0], of[1], k, weights, seed, result.planted[k]); !ok)
          return ok.error();
        if (Status ok = count_in(groupings[k], of[0], of[2], k, weights, seed, result.null[k]); !ok) return ok.error();
      }
    }
    s.results.push_back(std::move(result));
  }
  return s;
}

Interval rate_interval(int64_t hits, int64_t of) {
  if (of <= 0) return {0, 1};
  const auto bound = [&](int64_t k, double wanted) {  // p with P(X <= k) = wanted
    double low = 0, high = 1;
    for (int step = 0; step < 60; ++step) {
      const double p = (low + high) / 2;
      (binomial_lower(k, of, p) > wanted ? low : high) = p;
    }
    return (low + high) / 2;
  };
  return {hits == 0 ? 0 : bound(hits - 1, 0.975), hits == of ? 1 : bound(hits, 0.025)};
}

}  // namespace dalea::planted
