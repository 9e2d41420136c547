// Which networks the second paper's comparison trains.
#include "common/reproduce_bio.h"

#include <algorithm>
#include <cctype>

#include "common/connectome_files.h"
#include "connectome/connectome.h"

namespace dalea::reproduce {
namespace {

constexpr const char* bio_tasks[] = {"sequence-memory", "n-back"};
constexpr int64_t most_iterations = 50;
constexpr size_t quick_species = 2;
constexpr int64_t most_nodes_compared = 500;  // 2,000 neurons; each network takes minutes then

// The published grid (SEEDS 6.6) in the order that numbers its combinations.
struct Setting {
  int64_t index = 0, value = 0;  // value: L of sequence memory, n of n-back
  double lr = 0;
  bool relu = true, adam = true, remap = false;
};

std::vector<Setting> settings_of(const Options& options, const std::string& task) {
  const bool sequence = task == "sequence-memory";
  std::vector<Setting> list;
  int64_t index = 0;
  for (int64_t value : sequence ? std::vector<int64_t>{3, 5, 10} : std::vector<int64_t>{2, 3, 4})
    for (double lr : {1e-4, 1e-6})
      for (bool relu : {true, false})
        for (bool adam : {true, false})
          for (bool remap : {false, true}) {
            Setting s{index++, value, lr, relu, adam, remap};
            // By default the middle one of each task's values; quick: the smallest.
            const bool shown = options.full || (value == (options.quick ? (sequence ? 3 : 2) : (sequence ? 5 : 3)) &&
                                                adam && lr == 1e-4);
            // Corrected: remapped by magnitude everywhere, as Dale's law leaves the signs to the neurons.
            if (shown && (!options.corrected || remap)) list.push_back(s);
          }
  return list;
}

uint64_t number_of(const Wiring& wiring) {
  if (wiring.connectome == nullptr) return 0;
  const std::span<const Species> known = known_species();
  for (size_t k = 0; k < known.size(); ++k)
    if (wiring.name == known[k].name) return k + 1;
  return 100;
}

Spec bio_spec(const Options& options, const Wiring& wiring, const std::string& task, const Setting& s,
              const std::string& arm, uint64_t seed, int64_t iteration) {
  Spec spec;
  spec.seed = seed;
  spec.network.activation = s.relu ? Activation::relu : Activation::tanh;
  spec.network.init = s.relu ? "he" : "xavier";
  spec.network.balanced = options.corrected;
  spec.task.type = task;
  if (task == "sequence-memory")
    spec.task.length = s.value;
  else
    spec.task.back = s.value;
  spec.training.constraint = options.corrected ? "dale" : "conventional";
  spec.training.optimizer.type = s.adam ? "adam" : "rmsprop";
  spec.training.optimizer.lr = s.lr;
  spec.training.shuffle = false;
  ConnectomeSpec& k = spec.connectome;
  k.source = wiring.connectome == nullptr ? "synthetic" : "file";
  k.file = wiring.file;
  k.neurons = 4;
  k.target_sparsity = 0.8;
  k.random_partition = true;
  k.keep_diagonal = false;
  k.as_published = !options.corrected;
  k.inhibitory = options.corrected ? 0.25 : 0;
  k.remap = !s.remap ? "none" : options.corrected ? "magnitude" : "signed";
  k.null_model = arm == measured_arm ? "none" : arm;
  k.null_seed = iteration;
  if (options.quick) {
    spec.training.epochs = 40;
    spec.training.optimizer.lr = 1e-3;
    k.synthetic_regions = 20;
  }
  fill_defaults(spec);
  if (options.corrected) spec.task.validation = spec.task.held_out;  // the epoch is chosen by other trials
  return spec;
}

}  // namespace

Wiring wiring_of(const std::string& file, std::shared_ptr<const Connectome> connectome) {
  Wiring w;
  w.file = file.substr(file.find_last_of("/\\") + 1);  // npos + 1 is 0
  w.connectome = std::move(connectome);
  const Species* species = species_of_file(file);
  if (species != nullptr && check_species(*species, *w.connectome)) {
    w.name = species->name;
    w.title = species->title;
    w.citation = species->citation;
  } else {
    w.name = "matrix-" + w.connectome->sha256.substr(0, 8);
    w.title = w.file + ", " + std::to_string(w.connectome->nodes) + " nodes";
  }
  return w;
}

std::vector<std::string> bio_arms(const Options& options) {
  if (options.corrected) return {measured_arm, "permuted", "rewired"};
  return {measured_arm, "permuted"};
}

Result<Options> check_bio(Options options) {
  if (options.data != nullptr)
    return Error{"data", "of bio is a folder of connectomes; the file belongs to fig4, fig5"};
  if (options.full && options.quick) return Error{"full", "is given beside --quick; give one of the two"};
  if (options.runs == 0) options.runs = options.quick ? 3 : 5;
  if (options.runs < 2 || options.runs > most_iterations)
    return Error{"runs", "is " + std::to_string(options.runs) + "; give 2 to 50, as spreads need two"};
  std::vector<std::string> tasks;
  for (const char* known : bio_tasks)
    if (options.tasks.empty() || std::find(options.tasks.begin(), options.tasks.end(), known) != options.tasks.end())
      tasks.emplace_back(known);
  for (const std::string& task : options.tasks)
    if (std::find(std::begin(bio_tasks), std::end(bio_tasks), task) == std::end(bio_tasks))
      return Error{"task", "'" + task.substr(0, 80) + "' is not of this comparison; give sequence-memory or n-back"};
  options.tasks = std::move(tasks);
  if (options.wirings.empty())
    options.wirings.push_back({"synthetic",
                               "Synthetic, " + std::string(options.quick ? "20" : "30") + " regions",
                               "an exponential distance rule with lognormal weights, drawn anew for each pair",
                               "",
                               {}});
  if (options.quick && options.wirings.size() > quick_species) {
    std::stable_sort(options.wirings.begin(), options.wirings.end(), [](const Wiring& a, const Wiring& b) {
      return (a.connectome ? a.connectome->nodes : 0) < (b.connectome ? b.connectome->nodes : 0);
    });
    options.wirings.resize(quick_species);
  }
  // What does not fit is said before anything is trained.
  for (const Wiring& wiring : options.wirings) {
    if (wiring.connectome && wiring.connectome->nodes > most_nodes_compared)
      return Error{"data: " + wiring.title, "is too large to train so many networks on; at most " +
                                                std::to_string(most_nodes_compared) + " nodes are possible"};
    Options one = options;
    one.wirings = {wiring};
    for (const std::string& task : options.tasks)
      for (const std::string& arm : bio_arms(options)) {
        Spec spec = bio_spec(one, wiring, task, settings_of(one, task).front(), arm, 1, 1);
        Status ok = wiring.connectome ? attach_connectome(spec, wiring.connectome) : attach_own_connectome(spec);
        if (!ok) return Error{"data: " + wiring.title + ", " + ok.error().path, ok.error().message};
      }
  }
  return options;
}

std::vector<Job> bio_jobs(const Options& options) {
  std::vector<Job> jobs;
  for (int64_t iteration = 1; iteration <= options.runs; ++iteration)
    for (const Wiring& wiring : options.wirings)
      for (const std::string& task : options.tasks)
        for (const Setting& s : settings_of(options, task))
          for (const std::string& arm : bio_arms(options)) {
            Job job;
            job.task = task;
            job.condition = arm;
            job.group = wiring.name;
            // Every pair has trials, wiring and initial weights of its own, so that pairs are independent.
            job.seed = options.first_seed + number_of(wiring) * 100000 +
                       static_cast<uint64_t>(s.index * most_iterations + iteration - 1);
            job.spec = bio_spec(options, wiring, task, s, arm, job.seed, iteration);
            const Status ok =
                wiring.connectome ? attach_connectome(job.spec, wiring.connectome) : attach_own_connectome(job.spec);
            if (!ok) continue;  // check_bio has said it
            job.setting = (task == "n-back" ? "n " : "L ") + std::to_string(s.value) + (s.relu ? ", relu" : ", tanh") +
                          (s.adam ? "" : ", RMSprop") + (s.lr == 1e-4 ? "" : ", lr 1e-6") + (s.remap ? ", remap" : "");
            job.id = std::string(options.quick ? "quick-" : "") + "bio-" + wiring.name + "-" + task + "-" +
                     std::to_string(s.value) + (s.relu ? "-relu" : "-tanh") + (s.adam ? "" : "-rmsprop") +
                     (s.lr == 1e-4 ? "" : "-slow") + (s.remap ? "-remap" : "") + (options.corrected ? "-dale" : "") +
                     "-" + arm + "-" + std::to_string(iteration) +
                     (options.first_seed == 1 ? "" : "-from-" + std::to_string(options.first_seed));
            job.spec.name = wiring.title + ": " + task_title(task) + ", " + job.setting + ", " + arm + ", iteration " +
                            std::to_string(iteration) + (options.corrected ? ", Dale's law" : "") +
                            (options.quick ? ", quick" : "");
            const double units = static_cast<double>(job.spec.units());
            job.cost = 1e-9 * static_cast<double>(job.spec.task.train * job.spec.task.steps) * units * (units + 200);
            jobs.push_back(std::move(job));
          }
  return jobs;
}

}  // namespace dalea::reproduce
