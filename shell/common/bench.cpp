#include "common/bench.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "common/digits.h"
#include "common/embedded.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace dalea {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double quantile(std::vector<double>& v, double q) {
  std::sort(v.begin(), v.end());
  return v[static_cast<size_t>(q * static_cast<double>(v.size() - 1) + 0.5)];
}

// A bundled experiment with some keys changed.
Result<Spec> bundled(const char* name, const std::vector<std::string>& set) {
  for (size_t k = 0; k < embedded_experiments_count; ++k) {
    const Embedded& file = embedded_experiments[k];
    if (std::string(file.name) != name) continue;
    std::string json(reinterpret_cast<const char*>(file.data), file.size);
    for (const std::string& assignment : set) {
      Result<std::string> changed = set_in_json(json, assignment);
      if (!changed) return changed.error();
      json = *changed;
    }
    ParsedSpec parsed = parse_spec(json);
    if (!parsed.problems.empty()) return parsed.problems.front();
    return parsed.spec;
  }
  return Error{name, "is not among the bundled experiments"};
}

// Rows of a digit: 28 inputs at 28 steps, ten classes, the label at the last step. Values are pseudo-random: only the
// shape matters for time.
Dataset synthetic_rows(const Spec& spec, int64_t count) {
  Dataset data;
  data.loss = Loss::cross_entropy;
  data.ends.inputs = 28;
  data.ends.outputs = 10;
  data.unit = "nats";
  const auto make = [&](int64_t trials, Purpose purpose) {
    Trials t;
    t.count = trials;
    t.steps = t.inputs = 28;
    t.outputs = 10;
    Rng rng(spec.seed, purpose);
    for (int64_t e = 0; e < trials * 28 * 28; ++e) {
      const float u = rng.uniform();
      t.input.push_back(u < 0.8f ? 0.0f : 5 * (u - 0.8f));
    }
    t.label.assign(static_cast<size_t>(trials * 28), -1);
    for (int64_t k = 0; k < trials; ++k)
      t.label[static_cast<size_t>(k * 28 + 27)] = static_cast<int32_t>(std::min(9.0f, 10 * rng.uniform()));
    return t;
  };
  data.train = make(count, Purpose::train);
  data.validation = make(1, Purpose::validation);
  data.held_out = make(1, Purpose::held_out);
  return data;
}

void keep(Trials& t, int64_t count) {
  t.count = std::min(t.count, count);
  t.input.resize(static_cast<size_t>(t.count * t.steps * t.inputs));
  if (!t.target.empty()) t.target.resize(static_cast<size_t>(t.count * t.steps * t.outputs));
  if (!t.scored.empty()) t.scored.resize(static_cast<size_t>(t.count * t.steps * t.outputs));
  if (!t.label.empty()) t.label.resize(static_cast<size_t>(t.count * t.steps));
}

// Floating-point operations of one update of a full batch: 2 for each multiply and add of a product or a gradient.
double flops_of(const Trainer& trainer) {
  const Model& m = trainer.model();
  const Trials& t = trainer.data().train;
  const double trials = static_cast<double>(trainer.spec().training.batch), steps = static_cast<double>(t.steps);
  const double recurrent = static_cast<double>(m.parameters.W_rec.values.size()),
               input = static_cast<double>(m.parameters.W_in.values.size());
  double flops = 3 * 2 * recurrent * trials * (steps - 1) + 2 * 2 * input * trials * steps;
  for (const Weights& w : m.parameters.W_out)
    flops += (w.frozen ? 2 : 3) * 2 * static_cast<double>(w.values.size()) * trials * steps;
  return flops;
}

// Loops over the chains must vanish, or clang keeps the chains in memory.
#ifdef __clang__
#define DALEA_UNROLL _Pragma("clang loop unroll(full)")
#else
#define DALEA_UNROLL _Pragma("GCC unroll 16")
#endif

// A chain of dependent operations would measure latency: `chains` independent ones fill the pipes. A function of its
// own, called often: a browser optimises a function between its calls, never within one. Returns seconds.
template <class V, int chains>
[[gnu::noinline]] double multiply_add_loop(int rounds) {
  V acc[chains], factor, term;
  DALEA_UNROLL
  for (int k = 0; k < chains; ++k) acc[k] = V{} + 0.5f + 0.01f * static_cast<float>(k);
  volatile float hidden = 0.999f;
  factor = V{} + hidden;
  term = V{} + (1 - hidden) * 0.5f;
  const Clock::time_point start = Clock::now();
  for (int n = 0; n < rounds; ++n) {
    DALEA_UNROLL
    for (int k = 0; k < chains; ++k) acc[k] = acc[k] * factor + term;
  }
  const double seconds = seconds_since(start);
  volatile float sink = 0;
  DALEA_UNROLL
  for (int k = 0; k < chains; ++k) sink = sink + acc[k][0];
  return seconds;
}

template <class V, int chains>
double multiply_add_rate(double flops_per_round) {
  constexpr int rounds = 400000;
  double best = 0;
  const Clock::time_point start = Clock::now();
  while (seconds_since(start) < 0.4)  // browsers and node compile in the background: the first calls are slow
    best = std::max(best, rounds * flops_per_round / (1e9 * std::max(multiply_add_loop<V, chains>(rounds), 1e-9)));
  return best;
}

typedef float Vec4 __attribute__((vector_size(16)));

#if defined(__x86_64__)
// One function an instruction set: the loop must be compiled for it.
#define DALEA_PEAK(NAME, TARGET, BYTES, CHAINS, STEP)                                          \
  __attribute__((target(TARGET))) double NAME() {                                              \
    typedef float V __attribute__((vector_size(BYTES)));                                       \
    V acc[CHAINS];                                                                             \
    volatile float hidden = 0.999f;                                                            \
    const V factor = V{} + hidden, term = V{} + (1 - hidden) * 0.5f;                           \
    for (int k = 0; k < CHAINS; ++k) acc[k] = V{} + 0.5f + 0.01f * static_cast<float>(k);      \
    double best = 0;                                                                           \
    for (int attempt = 0; attempt < 5; ++attempt) {                                            \
      constexpr int rounds = 400000;                                                           \
      const Clock::time_point start = Clock::now();                                            \
      for (int n = 0; n < rounds; ++n) {                                                       \
        _Pragma("GCC unroll 16") for (int k = 0; k < CHAINS; ++k) STEP;                        \
      }                                                                                        \
      best = std::max(best, rounds * CHAINS * (BYTES / 4) * 2 / (1e9 * seconds_since(start))); \
    }                                                                                          \
    volatile float sink = 0;                                                                   \
    for (int k = 0; k < CHAINS; ++k) sink = sink + acc[k][0];                                  \
    return best;                                                                               \
  }
DALEA_PEAK(peak_avx2, "avx2", 32, 12, acc[k] = acc[k] * factor + term)
DALEA_PEAK(peak_avx512, "avx512f", 64, 16, acc[k] = acc[k] * factor + term)
DALEA_PEAK(fused_avx2, "avx2,fma", 32, 12, acc[k] = _mm256_fmadd_ps(acc[k], factor, term))
DALEA_PEAK(fused_avx512, "avx512f", 64, 16, acc[k] = _mm512_fmadd_ps(acc[k], factor, term))
#endif

}  // namespace

double measured_peak(Isa isa) {
#if defined(__x86_64__)
  if (isa == Isa::avx2) return peak_avx2();
  if (isa == Isa::avx512) return peak_avx512();
#endif
  if (isa == Isa::scalar) {
    struct One {
      float v;
      float operator[](int) const { return v; }
      One operator+(float f) const { return {v + f}; }
      One operator*(One f) const { return {v * f.v}; }
      One operator+(One f) const { return {v + f.v}; }
    };
    return multiply_add_rate<One, 8>(2 * 8);
  }
  return multiply_add_rate<Vec4, 8>(2 * 4 * 8);
}

double measured_fused_peak([[maybe_unused]] Isa isa) {
#if defined(__x86_64__)
  if (isa == Isa::avx2 && __builtin_cpu_supports("fma")) return fused_avx2();
  if (isa == Isa::avx512) return fused_avx512();
#endif
  return 0;
}

const std::vector<std::string>& bench_workloads() {
  static const std::vector<std::string> names = {"flip-flop",        "mnist",       "wave", "cell-type-dense",
                                                 "cell-type-sparse", "large-sparse"};
  return names;
}

Result<Spec> bench_spec(const std::string& workload) {
  const std::string few = "task.validation=1", none = "task.held_out=1", long_run = "training.epochs=100000";
  if (workload == "flip-flop") return bundled("flip-flop", {few, none, long_run});
  if (workload == "mnist")
    return bundled("flip-flop", {few, none, long_run, "task.steps=28", "training.loss=cross-entropy"});
  if (workload == "wave") return bundled("wave", {few, none, long_run});
  const std::vector<std::string> cell = {long_run, "recording.stride=2", "recording.simulated_frames=2000"};
  const auto with = [](std::vector<std::string> a, const std::vector<std::string>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  };
  if (workload == "cell-type-sparse") return bundled("cell-types", cell);
  if (workload == "cell-type-dense") return bundled("cell-types", with(cell, {"connectivity.probability=[]"}));
  if (workload == "large-sparse")
    return bundled(
        "cell-types",
        with(cell, {R"(populations=[{"name":"E","size":16000,"sign":"+"},{"name":"I","size":4000,"sign":"-"}])",
                    "connectivity.probability=0.01", "network.readout=all", "training.batch=64"}));
  std::string names;
  for (const std::string& n : bench_workloads()) names += (names.empty() ? "" : ", ") + n;
  return Error{"--workload", "'" + workload + "' is not one; use " + names};
}

Result<std::unique_ptr<Trainer>> bench_trainer(const std::string& workload, const Spec& spec,
                                               const TrainerOptions& options) {
  if (workload == "mnist") return Trainer::create(spec, synthetic_rows(spec, 1000), 0, options);
  std::optional<Digits> digits;
  if (spec.task.type == "digits") {
    Result<Digits> found = find_digits(spec.task.folder, "");
    if (!found) return found.error();
    digits = std::move(*found);
  }
  Result<Dataset> data = make_dataset(spec, nullptr, 0, digits ? &*digits : nullptr);
  if (!data) return data.error();
  const int64_t batch = spec.training.batch;
  if (data->train.count > batch) keep(data->train, data->train.count / batch * batch);  // full minibatches only
  keep(data->validation, 1);
  keep(data->held_out, 1);
  return Trainer::create(spec, std::move(*data), 0, options);
}

Result<std::unique_ptr<Bench>> Bench::create(const std::string& workload, const BenchOptions& options) {
  Result<Spec> spec = bench_spec(workload);
  if (!spec) return spec.error();
  return create(workload, *spec, options);
}

Result<std::unique_ptr<Bench>> Bench::create(const std::string& name, const Spec& experiment,
                                             const BenchOptions& options) {
  Spec spec = experiment;
  spec.training.epochs = std::max<int64_t>(spec.training.epochs, 100000);
  if (spec.task.type != "recording") spec.task.validation = spec.task.held_out = 1;
  if (spec.task.type == "digits") spec.task.validation = 0;  // all of them may be trained on
  TrainerOptions trainer_options;
  trainer_options.threads = options.threads;
  trainer_options.isa = options.isa;
  Result<std::unique_ptr<Trainer>> trainer = bench_trainer(name, spec, trainer_options);
  if (!trainer) return trainer.error();
  return std::unique_ptr<Bench>(new Bench(name, std::move(*trainer), options));
}

Bench::Bench(std::string name, std::unique_ptr<Trainer> trainer, const BenchOptions& options)
    : name_(std::move(name)), trainer_(std::move(trainer)), options_(options) {}

namespace {
constexpr int warm_steps = 3;
constexpr double warm_seconds = 0.5;  // browsers and node compile in the background
constexpr size_t least_steps = 3, most_steps = 2000;
}  // namespace

// One whole training step; what ends an epoch is not part of it.
bool Bench::advance() {
  const bool warm = (warm_ < warm_steps && warm_s_ < 2 * options_.seconds) || warm_s_ < warm_seconds;
  if (failed_ || (!warm && ms_.size() >= least_steps && (spent_s_ >= options_.seconds || ms_.size() >= most_steps)))
    return false;
  for (;;) {
    const Clock::time_point start = Clock::now();
    const Trainer::Event event = trainer_->step();
    const double took = seconds_since(start);
    failed_ = event == Trainer::Event::finished || event == Trainer::Event::failed;
    if (failed_) return false;
    if (event != Trainer::Event::update) continue;
    if (warm) {
      ++warm_;
      warm_s_ += took;
    } else {
      ms_.push_back(1000 * took);
      spent_s_ += took;
    }
    return true;
  }
}

double Bench::progress() const {
  return std::min({1.0, static_cast<double>(ms_.size()) / static_cast<double>(least_steps),
                   std::max(spent_s_ / options_.seconds, static_cast<double>(ms_.size()) / most_steps)});
}

Result<BenchResult> Bench::result() {
  if (failed_) return Error{name_, "cannot be measured: " + trainer_->failure()};
  if (ms_.empty()) return Error{name_, "was stopped before its first step was measured"};
  BenchResult r;
  r.workload = name_;
  const Spec& spec = trainer_->spec();
  const int64_t steps = trainer_->data().train.steps;
  const Weights& w = trainer_->model().parameters.W_rec;
  char shape[120];
  std::snprintf(shape, sizeof shape, "N %lld, T %lld, batch %lld", static_cast<long long>(trainer_->model().units),
                static_cast<long long>(steps), static_cast<long long>(spec.training.batch));
  r.shape = shape;
  r.synapses =
      !w.sparse() && trainer_->mask() != nullptr ? trainer_->mask()->count() : static_cast<int64_t>(w.values.size());
  r.threads = trainer_->threads();
  r.isa = isa_name(trainer_->isa());
  r.peak_gflops = measured_peak(trainer_->isa()) * r.threads;
  r.fused_gflops = measured_fused_peak(trainer_->isa()) * r.threads;
  r.steps = static_cast<int64_t>(ms_.size());
  r.ms_per_step = quantile(ms_, 0.5);
  r.ms_low = quantile(ms_, 0.25);
  r.ms_high = quantile(ms_, 0.75);
  r.gflops = flops_of(*trainer_) / (1e6 * r.ms_per_step);
  r.bytes = trainer_->bytes();
  r.ns_per_synapse =
      1e6 * r.ms_per_step /
      (static_cast<double>(r.synapses) * static_cast<double>(spec.training.batch) * static_cast<double>(steps));
  return r;
}

std::string bench_json(const std::vector<BenchResult>& results) {
  nlohmann::json list = nlohmann::json::array();
  for (const BenchResult& r : results)
    list.push_back(
        {{"workload", r.workload},
         {"shape", r.shape},
         {"ms_per_step", r.ms_per_step},
         {"ms_quartiles", {r.ms_low, r.ms_high}},
         {"steps", r.steps},
         {"gflops", r.gflops},
         {"peak_gflops", r.peak_gflops},
         {"fused_peak_gflops", r.fused_gflops > 0 ? nlohmann::json(r.fused_gflops) : nlohmann::json(nullptr)},
         {"bytes", r.bytes},
         {"synapses", r.synapses},
         {"ns_per_synapse_trial_step", r.ns_per_synapse},
         {"threads", r.threads},
         {"isa", r.isa}});
  return list.dump();
}

std::string bench_csv(const std::vector<BenchResult>& results) {
  std::string csv =
      "workload,shape,ms_per_step,ms_low,ms_high,steps,gflops,peak_gflops,fused_peak_gflops,bytes,synapses,threads,"
      "isa\n";
  for (const BenchResult& r : results) {
    char line[400];
    std::snprintf(line, sizeof line, "%s,\"%s\",%.5g,%.5g,%.5g,%lld,%.4g,%.4g,%.4g,%lld,%lld,%d,%s\n",
                  r.workload.c_str(), r.shape.c_str(), r.ms_per_step, r.ms_low, r.ms_high,
                  static_cast<long long>(r.steps), r.gflops, r.peak_gflops, r.fused_gflops,
                  static_cast<long long>(r.bytes), static_cast<long long>(r.synapses), r.threads, r.isa.c_str());
    csv += line;
  }
  return csv;
}

std::string bench_table(const std::vector<BenchResult>& results) {
  std::string table;
  char line[300];
  std::snprintf(line, sizeof line, "%-17s %-27s %10s %9s %9s %10s %9s  %s\n", "workload", "shape", "ms/step", "GFLOP/s",
                "of peak", "of fused", "MB", "threads, set");
  table += line;
  for (const BenchResult& r : results) {
    char fused[20] = "-";
    if (r.fused_gflops > 0) std::snprintf(fused, sizeof fused, "%.0f %%", 100 * r.gflops / r.fused_gflops);
    std::snprintf(line, sizeof line, "%-17s %-27s %10.3f %9.1f %7.0f %% %10s %9.1f  %d, %s\n", r.workload.c_str(),
                  r.shape.c_str(), r.ms_per_step, r.gflops, 100 * r.gflops / r.peak_gflops, fused,
                  static_cast<double>(r.bytes) / 1e6, r.threads, r.isa.c_str());
    table += line;
  }
  if (!results.empty()) {
    std::snprintf(
        line, sizeof line, "peak measured here: %.1f GFLOP/s of multiplications and additions%s\n",
        results.back().peak_gflops,
        results.back().fused_gflops > 0
            ? (", " + std::to_string(static_cast<int>(results.back().fused_gflops)) + " of fused ones (not used: bits)")
                  .c_str()
            : "");
    table += line;
  }
  return table;
}

}  // namespace dalea
