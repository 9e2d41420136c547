// Simulated conditions of the cell-type populations, and their way through the trials' pipeline.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "doctest/doctest.h"
#include "recording/conditions.h"
#include "tasks/recording_task.h"
#include "training/trainer.h"

using namespace dalea;

namespace {

#define SAYS(text, part) CHECK_MESSAGE(std::string(text).find(part) != std::string::npos, text)

Spec conditions_spec(const std::string& condition = "", int64_t trials = 200) {
  Spec spec;
  spec.task.type = "recording";
  spec.recording.simulated = "conditions";
  spec.recording.condition = condition;
  spec.recording.simulated_trials = trials;
  spec.recording.split = "trial";
  spec.recording.scale = "none";
  spec.recording.warmup = 0;
  fill_defaults(spec);
  return spec;
}

Recording simulated(const Spec& spec) {
  const Result<Recording> r = simulate_conditions(spec);
  REQUIRE_MESSAGE(r.ok(), (r.ok() ? "" : r.error().text()));
  return *r;
}

Dataset dataset(const Spec& spec, int64_t run = 0) {
  Result<Dataset> d = make_dataset(spec, nullptr, run);
  REQUIRE_MESSAGE(d.ok(), (d.ok() ? "" : d.error().text()));
  return std::move(*d);
}

std::string refusal(const Spec& spec) {
  const Result<Dataset> d = make_dataset(spec, nullptr, 0);
  return d.ok() ? "made" : d.error().text();
}

double moment(const Recording& r, const std::vector<double>& mean, int64_t f, int64_t p, int64_t g, int64_t q) {
  double sum = 0;
  const int64_t trials = r.frames / condition_frames;
  const auto off = [&](int64_t k, int64_t frame, int64_t unit) {
    return static_cast<double>(r.values[(k * condition_frames + frame) * r.units + unit]) -
           mean[frame * r.units + unit];
  };
  for (int64_t k = 0; k < trials; ++k) sum += off(k, f, p) * off(k, g, q);
  return sum / static_cast<double>(trials);
}

}  // namespace

TEST_CASE("conditions: eighteen populations, plausible averages, said to be simulated") {
  const std::vector<ConditionChannel> channels = condition_channels(conditions_spec());
  REQUIRE(channels.size() == 18);
  CHECK(channels[0].name == "V1 L4 Pyr");
  CHECK(channels[5].name == "V1 L23 VIP");
  CHECK(channels[16].name == "LM L5 SST");
  CHECK(condition_names().size() == 6);
  const auto value = [&](size_t condition, int64_t f, size_t c) {
    return condition_average(condition, channels)[static_cast<size_t>(f) * 18 + c];
  };
  for (size_t condition = 0; condition < 6; ++condition)
    for (double v : condition_average(condition, channels)) CHECK((v > -0.01 && v < 0.21));
  for (size_t pyr : {0, 3, 6, 9, 12, 15}) {
    CHECK(value(1, 10, pyr) > value(0, 10, pyr));                                // a change against a repetition
    CHECK(value(0, 10, pyr) > value(2, 10, pyr));                                // against none
    CHECK(value(4, 10, pyr) > value(1, 10, pyr));                                // novel against familiar
    CHECK(value(1, 8, pyr) == doctest::Approx(value(0, 8, pyr)).epsilon(1e-9));  // before the event alike
  }
  for (size_t vip : {2, 5, 8, 11, 14, 17}) {
    for (int64_t f = 10; f < 16; ++f) CHECK(value(2, f, vip) > value(2, f - 1, vip));  // the ramp
    CHECK(value(2, 15, vip) - value(2, 8, vip) > value(5, 15, vip) - value(5, 8, vip));
  }
  const Recording r = simulated(conditions_spec("novel_omission"));
  CHECK(r.frames == 200 * 16);
  CHECK(r.units == 18);
  CHECK(1 / r.rate_hz == doctest::Approx(0.093));
  SAYS(r.source, "simulated");
  SAYS(r.format, "simulated: novel_omission");
  SAYS(r.notes.at(0), "Simulated: novel_omission, 200 trials");
  CHECK(r.source != "simulated");  // which has a circuit to be found again
}

TEST_CASE("conditions: the noise has the stated covariance") {
  Spec spec = conditions_spec("familiar_change", 20000);
  for (double correlation : {0.0, 0.3, 0.9}) {
    spec.recording.simulated_correlation = correlation;
    const Recording r = simulated(spec);
    const std::vector<ConditionChannel> channels = condition_channels(spec);
    const std::vector<double> mean = condition_average(1, channels), sd = condition_noise_sd(channels);
    const auto scaled = [&](int64_t f, int64_t p, int64_t g, int64_t q) {
      return moment(r, mean, f, p, g, q) / (sd[p] * sd[q]);
    };
    CHECK(scaled(0, 0, 0, 0) == doctest::Approx(1).epsilon(0.03));
    CHECK(scaled(15, 4, 15, 4) == doctest::Approx(1).epsilon(0.03));
    CHECK(std::fabs(scaled(7, 0, 7, 17) - correlation) < 0.03);
    CHECK(std::fabs(scaled(7, 3, 9, 3) - 0.36) < 0.03);
    CHECK(std::fabs(scaled(4, 3, 5, 8) - 0.6 * correlation) < 0.03);
  }
}

TEST_CASE("conditions: the same for every run, other for every seed and condition") {
  const Spec spec = conditions_spec();
  const Recording r = simulated(spec);
  CHECK(simulated(spec).values == r.values);
  CHECK(simulated(conditions_spec("familiar_change")).values == r.values);  // the default
  CHECK(dataset(spec, 0).train.input == dataset(spec, 3).train.input);
  Spec other = spec;
  other.seed = 2;
  CHECK(simulated(other).values != r.values);
  // Noise of one condition is not another's.
  const std::vector<ConditionChannel> channels = condition_channels(spec);
  const Recording changed = simulated(conditions_spec("familiar_no_change"));
  const double noise = static_cast<double>(r.values[0]) - condition_average(1, channels)[0],
               theirs = static_cast<double>(changed.values[0]) - condition_average(0, channels)[0];
  CHECK(std::fabs(noise - theirs) > 1e-6);
  // More trials leave the first ones as they were.
  const Recording more = simulated(conditions_spec("", 300));
  CHECK(std::equal(r.values.begin(), r.values.end(), more.values.begin()));
}

TEST_CASE("conditions: trials, windows, averages and smoothing") {
  Spec spec = conditions_spec();
  Dataset d = dataset(spec);
  CHECK(d.train.steps == 15);
  CHECK(d.train.count == 140);
  CHECK(d.validation.count == 30);
  CHECK(d.held_out.count == 30);
  REQUIRE(d.recording);
  // Input frame t, target frame t + 1, of the trial itself.
  for (int64_t t = 0; t < 15; ++t)
    for (int64_t u : {0, 17}) {
      CHECK(d.validation.input[t * 18 + u] == d.recording->values[(140 * 16 + t) * 18 + u]);
      CHECK(d.validation.target[t * 18 + u] == d.recording->values[(140 * 16 + t + 1) * 18 + u]);
    }
  spec.recording.events.first_frame = 7;
  spec.recording.events.last_frame = 13;
  const Dataset half = dataset(spec);
  CHECK(half.train.steps == 7);
  CHECK(half.train.input[0] == d.recording->values[7 * 18]);
  CHECK(half.train.target[0] == d.recording->values[8 * 18]);

  spec = conditions_spec();
  spec.recording.smoothing = "centred";
  d = dataset(spec);
  CHECK(d.train.count == 140);  // nothing is lost between the parts: trials are smoothed one by one
  Spec fewer = spec;
  fewer.recording.simulated_trials = 100;
  CHECK(std::equal(d.train.input.begin(), d.train.input.begin() + 15 * 18 * 60, dataset(fewer).train.input.begin()));
  spec.recording.smoothing = "causal";
  const Dataset causal = dataset(spec);
  CHECK(causal.train.input[0] == causal.recording->values[0]);
  CHECK(causal.train.input[16 * 18] != causal.train.input[0]);

  spec.recording.events.samples = 50;
  for (const char* how : {"jointly", "independently"}) {
    spec.recording.events.channels = how;
    for (const char* smoothing : {"none", "causal", "centred"}) {
      spec.recording.smoothing = smoothing;
      d = dataset(spec);
      CHECK(d.train.count == 50);
      CHECK(d.held_out.count == 50);
      CHECK(d.train.input.size() == 50 * 15 * 18);
    }
  }
  // An average of 100 trials is close to the population average.
  spec.recording.smoothing = "none";
  d = dataset(spec);
  const std::vector<double> mean = condition_average(1, condition_channels(spec));
  for (int64_t t = 0; t < 15; ++t) CHECK(std::fabs(static_cast<double>(d.train.input[t * 18]) - mean[t * 18]) < 0.012);
}

TEST_CASE("conditions: a network's own populations, and what is refused") {
  Spec spec = conditions_spec();
  spec.populations = {{"Deep", 6, Sign::excitatory, 0, "LM", "L5", "Pyr"},
                      {"V", 2, Sign::inhibitory, 0, "", "", "VIP"}};
  CHECK(condition_channels(spec).size() == 2);  // one has a layer and a type
  const Recording r = simulated(spec);
  CHECK(r.units == 2);
  CHECK(r.names[0] == "Deep");
  const std::vector<double> all = condition_average(1, condition_channels(conditions_spec()));
  CHECK(condition_average(1, condition_channels(spec))[20] == all[10 * 18 + 15]);
  spec.populations = {{"A", 6, Sign::excitatory, 0, "", "", ""}, {"B", 2, Sign::inhibitory, 0, "", "", ""}};
  CHECK(condition_channels(spec).size() == 18);
  spec.network.readout = "populations";
  CHECK(condition_channels(spec).size() == 2);

  spec = conditions_spec("familiar_chnage");
  SAYS(refusal(spec), "did you mean 'familiar_change'?");
  SAYS(refusal(spec), "novel_omission");
  spec = conditions_spec();
  spec.recording.series = "target";
  SAYS(refusal(spec), "recording.series");
  spec = conditions_spec();
  spec.recording.events.after_s = 1.5;
  SAYS(refusal(spec), "longer than a simulated trial");
  spec = conditions_spec("", 100000);
  spec.populations.assign(100, {"P", 1, Sign::free, 0, "", "L4", "Pyr"});
  SAYS(refusal(spec), "256 MiB");
}

TEST_CASE("conditions: a small network learns them") {
  Spec spec = conditions_spec("", 200);
  spec.populations = {{"E", 24, Sign::excitatory, 0, "", "", ""}, {"I", 6, Sign::inhibitory, 0, "", "", ""}};
  spec.recording.scale = "z-score";
  spec.recording.events.samples = 64;
  spec.recording.events.average_of = 100;
  spec.training.epochs = 60;
  spec.training.batch = 16;
  spec.training.optimizer.lr = 1e-2;
  Result<std::unique_ptr<Trainer>> made = Trainer::create(spec, dataset(spec), 0, {});
  REQUIRE(made);
  Trainer& trainer = **made;
  while (!trainer.finished() && trainer.failure().empty()) trainer.step();
  CHECK(trainer.failure().empty());
  CHECK(trainer.history().back().held_out < 0.5 * trainer.history().front().held_out);
  CHECK(trainer.audit().sign == 0);
}

TEST_CASE("the decoded averages are trials to train on") {
  const char* set = std::getenv("DALEA_DATA");
  const std::filesystem::path path =
      std::filesystem::path(set ? set : DALEA_SOURCE_DIR "/../shared/data") / "allen_vb/averaged_dff_by_population.csv";
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    MESSAGE("skipped: the decoded averages are not on this machine");
    return;
  }
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  Spec spec;
  spec.task.type = "recording";
  spec.recording.file = "averages.csv";
  spec.recording.series = "target";
  spec.recording.split = "trial";
  spec.recording.scale = "none";
  spec.recording.warmup = 0;
  fill_defaults(spec);
  std::set<std::vector<float>> different;
  for (const std::string& condition : condition_names()) {
    spec.recording.condition = condition;
    const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
    const Result<Recording> r = read_recording({bytes, text.size()}, "averages.csv", spec.recording);
    REQUIRE_MESSAGE(r.ok(), (r.ok() ? "" : r.error().text()));
    CHECK(r->frames == 15);
    CHECK(r->names.size() == 18);
    CHECK(r->names[0] == "V1_L4_pyr");
    CHECK(r->names[17] == "LM_L5_vip");
    different.insert(r->values);
    const Result<Dataset> d = make_dataset(spec, &*r, 0);
    REQUIRE(d);
    CHECK(d->train.count == 1);
    CHECK(d->train.steps == 14);
    CHECK(d->held_out.count == 0);
    CHECK(d->train.target[13 * 18] == r->values[14 * 18]);
  }
  CHECK(different.size() == 6);
}
