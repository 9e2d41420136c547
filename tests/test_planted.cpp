// The circuit of two areas, and whether the comparison of conditions finds what was planted in it.
#include <algorithm>
#include <cmath>

#include "analysis/recovery.h"
#include "common/planted.h"
#include "doctest/doctest.h"
#include "helpers.h"
#include "recording/areas.h"

using namespace dalea;
using namespace dalea::testing;

namespace {

RecordingSpec areas_spec(double feedback = 1) {
  RecordingSpec r;
  r.simulated = "areas";
  r.simulated_units = 21;
  r.simulated_density = 0.3;
  r.simulated_frames = 300;
  r.simulated_feedback = feedback;
  return r;
}

}  // namespace

TEST_CASE("areas: two areas under Dale's law, joined by excitatory units alone, named and labelled") {
  const SimulatedCircuit c = simulate_areas(3, 0, areas_spec());
  CHECK(c.units == 21);
  CHECK(c.excitatory == 8 + 8);
  CHECK(c.recording.units == 21);
  CHECK(c.recording.frames == 300);
  CHECK(c.recording.source == "simulated");
  REQUIRE(c.recording.cells.size() == 21);
  CHECK(c.recording.names[0] == "V1 E01");
  CHECK(c.recording.names[15] == "LM E08");
  CHECK(c.recording.names[16] == "V1 I01");
  CHECK(c.recording.names[20] == "LM I02");
  int64_t v1 = 0;
  for (const CellLabels& cell : c.recording.cells) v1 += cell.area == "V1";
  CHECK(v1 == 11);
  int64_t within = 0, between = 0;
  for (size_t post = 0; post < 21; ++post)
    for (size_t pre = 0; pre < 21; ++pre) {
      const CellLabels &to = c.recording.cells[post], &from = c.recording.cells[pre];
      const float w = c.weights[post * 21 + pre];
      REQUIRE((from.sign == "+" ? w >= 0 : w <= 0));
      if (to.area != from.area && from.sign == "-") REQUIRE(w == 0);
      if (post == pre) REQUIRE(w == 0);
      (to.area == from.area ? within : between) += w != 0;
    }
  CHECK(within > 30);
  CHECK(between > 30);
  for (float v : c.recording.values) REQUIRE(std::isfinite(v));
  // Few units, few seen.
  RecordingSpec least = areas_spec();
  least.simulated_units = 5;
  least.simulated_observed = 0.05;
  CHECK(simulate_areas(1, 0, least).recording.units == 4);
}

TEST_CASE("areas: feedback changes its block alone, a session nothing of the circuit") {
  const SimulatedCircuit a = simulate_areas(3, 0, areas_spec()), b = simulate_areas(3, 0, areas_spec(2)),
                         other = simulate_areas(3, 1, areas_spec()), none = simulate_areas(3, 0, areas_spec(0));
  int64_t changed = 0;
  for (size_t post = 0; post < 21; ++post)
    for (size_t pre = 0; pre < 21; ++pre) {
      const size_t k = post * 21 + pre;
      const bool feedback = a.recording.cells[post].area == "V1" && a.recording.cells[pre].area == "LM";
      REQUIRE(b.weights[k] == doctest::Approx(a.weights[k] * (feedback ? 2 : 1)).epsilon(1e-6));
      REQUIRE(none.weights[k] == (feedback ? 0 : a.weights[k]));
      changed += a.weights[k] != b.weights[k];
    }
  CHECK(changed > 10);
  CHECK(other.weights == a.weights);
  CHECK(other.recording.values != a.recording.values);
  CHECK(simulate_areas(3, 0, areas_spec()).recording.values == a.recording.values);
  CHECK(simulate_areas(4, 0, areas_spec()).weights != a.weights);
}

TEST_CASE("areas: from the experiment, a session for each run, and recovery knows the circuit") {
  const Spec spec = spec_of(
      R"({"dalea":1,"populations":[{"name":"E","size":24,"sign":"+"},{"name":"I","size":8,"sign":"-"}],)"
      R"("task":{"type":"recording","steps":10},"training":{"epochs":1,"batch":16},"recording":{"simulated":"areas",)"
      R"("simulated_units":10,"simulated_frames":400,"simulated_feedback":0.5}})");
  const Result<Dataset> first = make_dataset(spec, nullptr, 0), second = make_dataset(spec, nullptr, 1);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->recording->values == simulate_areas(spec.seed, 0, spec.recording).recording.values);
  CHECK(second->recording->values == simulate_areas(spec.seed, 1, spec.recording).recording.values);
  CHECK(parse_spec(print_spec(spec, true)).spec.recording.simulated_feedback == 0.5);
  auto trainer = trainer_of(spec);
  train_to_end(*trainer);
  const Result<RecoveryStudy> study = study_recovery(trainer->model(), trainer->data(), spec);
  REQUIRE_MESSAGE(study.ok(), (study.ok() ? "" : study.error().text()));
  CHECK(study->excitatory == 8);
  const std::vector<float> weights = simulate_areas(spec.seed, 0, spec.recording).weights;
  for (size_t k = 0; k < 100; ++k) REQUIRE(study->truth[k] == static_cast<double>(weights[k]));
  // Averages of areas and types.
  Spec averaged = spec;
  averaged.recording.average = "populations";
  const Result<Dataset> four = make_dataset(averaged, nullptr, 0);
  REQUIRE(four);
  CHECK(four->channel_names == std::vector<std::string>{"V1 Exc", "LM Exc", "V1 Inh", "LM Inh"});
}

TEST_CASE("planted: exact intervals of rates") {
  CHECK(planted::rate_interval(0, 50).low == 0);
  CHECK(planted::rate_interval(0, 50).high == doctest::Approx(1 - std::pow(0.025, 1.0 / 50)).epsilon(1e-9));
  CHECK(planted::rate_interval(50, 50).low == doctest::Approx(std::pow(0.025, 1.0 / 50)).epsilon(1e-9));
  CHECK(planted::rate_interval(50, 50).high == 1);
  // R: binom.test(7, 20)$conf.int
  CHECK(planted::rate_interval(7, 20).low == doctest::Approx(0.1539092).epsilon(1e-6));
  CHECK(planted::rate_interval(7, 20).high == doctest::Approx(0.5921885).epsilon(1e-6));
}

TEST_CASE("planted: a strong change is found, in the null nothing is, and the report says so") {
  planted::Options options;
  options.quick = true;
  options.simulations = 1;
  const Result<planted::Options> checked = planted::check(options);
  REQUIRE(checked);
  CHECK(planted::settings_of(*checked).size() == 2);
  const Result<planted::Study> study = planted::study(*checked, Isa::scalar, 2);
  REQUIRE_MESSAGE(study.ok(), (study.ok() ? "" : study.error().text()));
  REQUIRE(study->results.size() == 2);
  const planted::SettingResult& sessions = study->results[0];
  CHECK(sessions.setting == planted::Setting::sessions);
  CHECK(sessions.networks == 18);
  REQUIRE(sessions.planted.size() == planted::kinds().size());
  const planted::Rates &found = sessions.planted[1], &null = sessions.null[1];  // weights by area
  CHECK(found.groups == std::vector<std::string>{"V1", "LM"});
  REQUIRE(found.blocks.size() == 4);
  CHECK(found.circuits == 1);
  CHECK(found.any == 1);
  CHECK(null.any + null.other == 0);
  for (const planted::BlockRate& b : found.blocks) CHECK((b.feedback ? b.g > 1.5 : std::fabs(b.g) < 1.5));
  CHECK(sessions.planted[0].blocks.size() == 12);
  CHECK(sessions.held_out < 1.1 * sessions.ridge);

  ReportProvenance where;
  where.command = planted::command_of(*checked);
  const Result<planted::PlantedReport> report = planted::report(*study, where);
  REQUIRE(report);
  bool page = false;
  for (const reproduce::File& file : report->output.files) {
    CHECK(file.bytes.size() > 50);
    page = page || file.name == "report.html";
  }
  CHECK(page);
  CHECK_FALSE(planted::study(*checked, Isa::scalar, 1, [](double) { return false; }).ok());
  options.runs = 3;
  CHECK(planted::check(options).error().path == "runs");
}
