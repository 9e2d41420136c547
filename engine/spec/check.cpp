#include <algorithm>
#include <set>

#include "network/rules.h"
#include "spec/fields.h"
#include "training/stages.h"

namespace dalea {
namespace {

std::string text_of(int64_t n) {
  return std::to_string(n);
}

struct TaskNumbers {
  int64_t steps, train, validation, held_out, epochs, batch;
};

constexpr int64_t training_digits = 60000, digit_side = 28, usual_validation_digits = 5000;

bool is_n_back(const std::string& task) {
  return task.rfind("n-back", 0) == 0;
}

// SEEDS 2.2 to 2.4; a recording's windows are counted from its frames.
TaskNumbers numbers_of(const TaskSpec& spec) {
  const std::string& task = spec.type;
  // SEEDS 6.5: 500 trials (n-back: as many matches and as many others), a fifth of them held out.
  if (task == "sequence-memory") return {2 * spec.length + 1, 400, 0, 100, 500, 128};
  if (task == "n-back") return {spec.length + 1, 800, 0, 200, 500, 128};
  if (is_n_back(task)) return {spec.length + 2, 800, 0, 200, 500, 128};
  if (task == "wave") return {500, 1000, 1000, 1000, 25, 100};
  if (task == "digits") return {digit_side, training_digits, 0, 10000, 50, 200};
  if (task == "recording") return {50, 0, 0, 0, 30, 32};
  return {50, 6000, 1000, 1000, 100, 200};
}

template <class Bad>
void check_memory_task(const Spec& s, Bad bad) {
  const TaskSpec& t = s.task;
  if (is_n_back(t.type) && t.back >= t.length)
    bad("task.back", text_of(t.back) + " items back reaches before the first of " + text_of(t.length) +
                         " items; give less than task.length");
  const int64_t needed = numbers_of(t).steps;
  if (t.steps < needed)
    bad("task.steps", text_of(t.steps) + " steps are too few for task.length " + text_of(t.length) + "; give " +
                          text_of(needed) + " or 0");
}

void fill(int64_t& value, int64_t with) {
  if (value == 0) value = with;
}

}  // namespace

int64_t Spec::units() const {
  int64_t n = 0;
  for (const Population& p : populations) n += p.size;
  return n;
}

void fill_defaults(Spec& s) {
  const TaskNumbers n = numbers_of(s.task);
  fill(s.task.steps, n.steps);
  fill(s.task.train, n.train);
  const bool digits = s.task.type == "digits";
  fill(s.task.validation,
       digits ? std::clamp<int64_t>(training_digits - s.task.train, 0, usual_validation_digits) : n.validation);
  fill(s.task.held_out, n.held_out);
  fill(s.training.epochs, n.epochs);
  fill(s.training.batch, n.batch);
  if (s.training.loss.empty()) s.training.loss = digits || is_n_back(s.task.type) ? "cross-entropy" : "mse";
  make_populations(s);
  if (s.populations.empty())
    s.populations = {{"E", 102, Sign::excitatory, 0, "", "", ""}, {"I", 26, Sign::inhibitory, 0, "", "", ""}};
}

uint64_t estimate_bytes(const Spec& s) {
  const uint64_t n = static_cast<uint64_t>(s.units()),
                 stride = (static_cast<uint64_t>(s.training.batch) + 15) / 16 * 16;
  double density = 1;  // also while stages prune, and of a connectome at most
  const auto& given = s.connectivity.probability;
  const bool dense = s.stages.prune || s.connectome.source != "none";
  if (!dense && !has_rules(s) && s.connectivity.distance == 0 && given.size() == 1) {
    density = given[0][0];
  } else if (!dense && (has_rules(s) || s.connectivity.distance > 0 || !given.empty())) {
    const BlockMatrix p = block_probability(s);
    density = 0;
    for (size_t i = 0; i < p.size(); ++i)
      for (size_t j = 0; j < p.size(); ++j)
        density += p[i][j] * static_cast<double>(s.populations[i].size) / static_cast<double>(n) *
                   static_cast<double>(s.populations[j].size) / static_cast<double>(n);
  }
  const bool sparse = s.connectivity.storage != "dense" && density < 1.0 / 3;
  const double entries = static_cast<double>(n) * static_cast<double>(n) * (sparse ? density : 1.0);
  // Values, gradient, two moments, initial values, the start of the epoch (three), two packed copies; indices when
  // sparse.
  double weights = entries * (sparse ? 4 * 11 + 40 : 4 * 10);
  // The best epoch so far, and that of the epoch's start; what was pruned, and its draws while it is.
  if (s.training.checkpoint != "last") weights += 4 * entries;
  if (s.stages.prune) weights += (4 + 13) * static_cast<double>(n) * static_cast<double>(n);
  const double activity = 4.0 * static_cast<double>(n * stride) * (3.0 * static_cast<double>(s.task.steps) + 4);
  // A step's input, target or label; of digits also the pixels they are made from.
  const double step = s.task.type == "digits"          ? 4.0 * digit_side + 4 + digit_side
                      : s.task.type == "n-back-digits" ? 4.0 * static_cast<double>(digit_side * digit_side + 2)
                      : s.task.type == "n-back-latent" ? 4.0 * 52  // the published dimension: the file is not known
                                                       : 12.0;
  const double data = step * static_cast<double>(s.task.train + s.task.validation + s.task.held_out) *
                      static_cast<double>(s.task.steps);
  return static_cast<uint64_t>(weights + activity + data);
}

Problems check_spec(const Spec& s) {
  Problems problems;
  const auto bad = [&](std::string path, std::string message) {
    problems.push_back({std::move(path), std::move(message)});
  };
  problems = structure_problems(s);
  if (!problems.empty()) return problems;
  std::set<std::string> names;
  int64_t excitatory = 0, inhibitory = 0, unsigned_units = 0;
  if (s.populations.empty()) bad("populations", "is empty; give at least one population");
  for (size_t i = 0; i < s.populations.size(); ++i) {
    const Population& p = s.populations[i];
    const std::string path = "populations[" + std::to_string(i) + "]";
    if (p.name.empty()) bad(path + ".name", "is empty; give the population a name");
    if (!p.name.empty() && !names.insert(p.name).second)
      bad(path + ".name", "'" + p.name + "' is the name of an earlier population; give each a name of its own");
    if (p.size < 1 || p.size > most_units)
      bad(path + ".size", text_of(p.size) + " is not a size; give a positive integer (at most 1,000,000)");
    if (p.tau_s != 0 && p.tau_s < s.network.dt_s)
      bad(path + ".tau_s",
          "is shorter than the time step network.dt_s, so alpha = dt/tau would exceed 1; give 0 (no "
          "leak) or at least one step");
    (p.sign == Sign::excitatory ? excitatory : p.sign == Sign::inhibitory ? inhibitory : unsigned_units) += p.size;
  }
  if (!problems.empty()) return problems;
  const int64_t units = s.units();
  if (units > most_units)
    bad("populations", "have " + text_of(units) + " units together; at most 1,000,000 are possible");

  const auto& p = s.connectivity.probability;
  if (!p.empty() && !(p.size() == 1 && p[0].size() == 1)) {
    const size_t count = s.populations.size();
    bool square = p.size() == count;
    for (const auto& row : p) square = square && row.size() == count;
    if (!square) {
      bad("connectivity.probability", "is not a matrix of " + std::to_string(count) + " x " + std::to_string(count) +
                                          " for the " + std::to_string(count) +
                                          " populations; give one row per postsynaptic and one column per presynaptic "
                                          "population, or one number for all");
      return problems;
    }
  }
  for (Error& e : rule_problems(s)) problems.push_back(std::move(e));
  if (rule_problems(s).empty())
    if (Status ok = check_stages(s); !ok) problems.push_back(ok.error());
  if (s.connectivity.distance > 0 && s.populations.size() > most_ruled)
    bad("connectivity.distance", "is for at most " + text_of(most_ruled) + " populations; give 0, or join populations");
  const bool recording = s.task.type == "recording", n_back = is_n_back(s.task.type),
             memory = n_back || s.task.type == "sequence-memory";
  if (memory) check_memory_task(s, bad);
  if (!recording && s.training.batch > s.task.train)
    bad("training.batch", text_of(s.training.batch) + " is more than the " + text_of(s.task.train) +
                              " training trials; give a smaller batch or a larger task.train");
  if (s.task.type == "wave") {
    if (excitatory == 0 || inhibitory == 0)
      bad("populations", "lack " + std::string(excitatory == 0 ? "excitatory" : "inhibitory") +
                             " units; the wave task reads one wave from each kind (signs \"+\" and \"-\")");
    if (s.task.steps >= 2500)
      bad("task.steps", text_of(s.task.steps) + " is longer than the wave of 2500 samples; give less than 2500");
  }
  if (s.network.input_mask && !recording && s.task.type != "n-back-latent") {  // its channels: of the file
    const size_t channels = s.task.type == "n-back-digits"    ? digit_side * digit_side + 1
                            : s.task.type == "wave" || memory ? 2
                            : s.task.type == "digits"         ? digit_side
                                                              : 1;
    if (s.populations.size() != channels)
      bad("network.input_mask", "needs one population per input channel: the task has " + std::to_string(channels) +
                                    ", the network " + std::to_string(s.populations.size()) +
                                    "; switch it off or change the populations");
  }
  if (s.training.loss == "cross-entropy" && s.task.type != "flip-flop" && s.task.type != "digits" && !n_back)
    bad("training.loss",
        "cross-entropy needs classes, which only the tasks flip-flop, digits and n-back have; use mse");
  if (s.training.loss == "mse" && (s.task.type == "digits" || n_back))
    bad("training.loss",
        "mse has no targets in the task " + s.task.type + ", whose answers are classes; use cross-entropy");
  if (s.training.constraint == "rectified-forward" && unsigned_units > 0)
    bad("training.constraint",
        "rectified-forward needs a sign for every population; give \"+\" or \"-\" instead of \"free\"");
  if (recording) {
    if (s.recording.train_fraction + s.recording.validation_fraction > 0.99)
      bad("recording.validation_fraction",
          "leaves less than 1 % of the frames held out; make the two fractions smaller");
    const EventsSpec& events = s.recording.events;
    const bool trials = !events.file.empty() || s.recording.split == "trial";  // of their own numbers of steps
    if (!trials && s.recording.warmup >= s.task.steps)
      bad("recording.warmup", text_of(s.recording.warmup) + " of " + text_of(s.task.steps) +
                                  " steps leaves nothing to score; give fewer than task.steps");
    if (events.last_frame != 0 && events.first_frame > events.last_frame)
      bad("recording.events.first_frame", "is " + text_of(events.first_frame) + ", after the last frame " +
                                              text_of(events.last_frame) + "; give an earlier one");
    if (!events.file.empty() && events.before_s + events.after_s <= 0)
      bad("recording.events.after_s", "and before_s are both 0, so that windows have no frames; give longer ones");
    if (events.samples > 0 && events.average_of > 1000000000 / events.samples)
      bad("recording.events.samples", text_of(events.samples) + " averages of " + text_of(events.average_of) +
                                          " trials are more than 1,000,000,000 draws; give fewer samples, or a smaller "
                                          "recording.events.average_of");
  }
  const auto check_sha256 = [&](const char* path, const std::string& sha) {
    if (!sha.empty() && (sha.size() != 64 || sha.find_first_not_of("0123456789abcdef") != std::string::npos))
      bad(path, "is not a SHA-256; give 64 lower-case hexadecimal digits or leave it out");
  };
  if (recording) check_sha256("recording.sha256", s.recording.sha256);
  if (s.task.type == "digits" || n_back) check_sha256("task.sha256", s.task.sha256);
  if (!problems.empty()) return problems;
  const uint64_t bytes = estimate_bytes(s), limit = sizeof(void*) == 4 ? uint64_t{3} << 30 : uint64_t{16} << 30;
  if (bytes > limit)
    bad("populations",
        "need about " + std::to_string(bytes >> 20) + " MiB with this batch and these steps, more than the " +
            std::to_string(limit >> 20) +
            " MiB allowed here; make the network, training.batch or task.steps smaller, or "
            "connectivity.probability lower" +
            (sizeof(void*) == 4 ? "; or train it natively (./run cli run), where 16 GiB are allowed" : ""));
  return problems;
}

}  // namespace dalea
