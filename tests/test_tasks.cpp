#include <cmath>
#include <set>

#include "helpers.h"

using namespace dalea;
using namespace dalea::testing;

TEST_CASE("flip-flop: the target is the last non-zero input (SEEDS 2.2)") {
  const Spec spec = spec_of(R"({"dalea":1})");
  const Trials trials = make_flip_flop(spec, Purpose::train, 2000, 0);
  CHECK(trials.steps == 50);
  int64_t events = 0, positive = 0;
  for (int64_t n = 0; n < trials.count; ++n) {
    float state = 0;
    for (int64_t t = 0; t < 50; ++t) {
      const float input = trials.input[n * 50 + t];
      CHECK((input == 0 || input == 1 || input == -1));
      if (input != 0) state = input;
      events += input != 0;
      positive += input > 0;
      CHECK(trials.target[n * 50 + t] == state);
    }
  }
  const double rate = static_cast<double>(events) / 100000;
  CHECK(std::fabs(rate - 0.05) < 4 * std::sqrt(0.05 * 0.95 / 100000));
  CHECK(std::fabs(static_cast<double>(positive) / events - 0.5) < 4 * 0.5 / std::sqrt(static_cast<double>(events)));
  CHECK(make_flip_flop(spec, Purpose::held_out, 50, 0).input != make_flip_flop(spec, Purpose::train, 50, 0).input);
}

TEST_CASE("wave: one tone has the published amplitudes, two tones the intended ones (SEEDS 2.4, Q2)") {
  for (bool two : {false, true}) {
    double top[2] = {0, 0};
    for (uint64_t seed = 1; seed <= 40; ++seed) {
      Spec spec = spec_of(R"({"dalea":1,"task":{"type":"wave"}})");
      spec.task.two_tone = two;
      spec.seed = seed;
      const Trials trials = make_wave(spec, Purpose::train, 4, 0);
      for (size_t e = 0; e < trials.input.size(); ++e)
        top[e % 2] = std::max(top[e % 2], std::fabs(static_cast<double>(trials.input[e])));
      for (int64_t n = 0; n < 4; ++n)  // the target is the input one step later
        for (int64_t e = 0; e < 499 * 2; ++e) REQUIRE(trials.target[n * 1000 + e] == trials.input[n * 1000 + e + 2]);
    }
    CHECK(top[0] == doctest::Approx(two ? 2.0 : 1.5).epsilon(0.03));
    CHECK(top[1] == doctest::Approx(two ? 2.625 : 0.75).epsilon(0.03));
  }
}

TEST_CASE("wave: the excitatory wave is read from excitatory units, the inhibitory one from inhibitory units") {
  auto trainer = trainer_of(spec_of(
      R"({"dalea":1,"task":{"type":"wave","steps":20,"train":20,"validation":20,"held_out":20},"training":{"batch":20}})"));
  REQUIRE(trainer->model().readouts.size() == 2);
  CHECK(trainer->model().readouts[0].units.end == 102);
  CHECK(trainer->model().readouts[1].units.begin == 102);
  CHECK(trainer->model().parameters.W_out[1].cols == 26);
}

TEST_CASE("input mask: off as published, on as intended (SEEDS Q1)") {
  const std::string base = R"({"dalea":1,"task":{"type":"wave","steps":20,"train":20,"validation":20,"held_out":20},)"
                           R"("training":{"batch":20},"network":{"input_mask":)";
  CHECK(trainer_of(spec_of(base + "false}}"))->model().parameters.W_in.values.size() == 256);
  auto masked = trainer_of(spec_of(base + "true}}"));
  const Weights& w = masked->model().parameters.W_in;
  CHECK(w.values.size() == 128);
  CHECK(w.at(0, 0) != 0);
  CHECK(w.at(0, 1) == 0);
  CHECK(w.at(127, 0) == 0);
  CHECK(w.at(127, 1) != 0);
}

TEST_CASE("recording: parts follow each other in time and every later frame is scored once") {
  Spec spec = spec_of(R"({"dalea":1,"task":{"type":"recording","steps":20},
    "recording":{"simulated_units":10,"simulated_frames":600,"warmup":4}})");
  Result<Dataset> data = make_dataset(spec, nullptr, 0);
  REQUIRE(data.ok());
  CHECK(data->train.count > 0);
  REQUIRE(data->baselines);
  CHECK(data->baselines->held_out.last_frame > 0);
  CHECK(data->baselines->held_out.linear > 0);
  const auto scored = [](const Trials& t) {
    int64_t n = 0;
    for (uint8_t s : t.scored) n += s;
    return n / t.outputs;
  };
  // 600 frames: 420 train, 90 validation, 90 held out; a part of 90 has targets from its frame 5 on
  CHECK(scored(data->validation) == 85);
  CHECK(scored(data->held_out) == 85);
}

TEST_CASE("recording: a file that is missing is asked for, by its hash where only that is known") {
  Spec spec = spec_of(R"({"dalea":1,"task":{"type":"recording"}})");
  spec.recording.file = "cells.csv";
  CHECK(make_dataset(spec, nullptr, 0).error().text().find("cells.csv") != std::string::npos);
  spec.recording.file = "";
  spec.recording.sha256 = std::string(64, 'a');
  CHECK(make_dataset(spec, nullptr, 0).error().text().find("aaaa") != std::string::npos);
}

TEST_CASE("masks: the sampled density lies where its probability says, blocks by post and pre") {
  const Spec spec = spec_of(
      R"({"dalea":1,"populations":[{"name":"A","size":200,"sign":"+"},{"name":"B","size":100,"sign":"-"}],
          "connectivity":{"probability":[[0.1,0],[1,0.5]],"self_connections":false}})");
  const auto pattern = sample_pattern(spec, 0);
  int64_t count[2][2] = {{0, 0}, {0, 0}};
  for (int64_t j = 0; j < 300; ++j)
    for (int64_t e = pattern->col_start[j]; e < pattern->col_start[j + 1]; ++e) {
      CHECK(pattern->row[e] != j);
      ++count[pattern->row[e] >= 200][j >= 200];
    }
  CHECK(count[0][1] == 0);          // A from B: never
  CHECK(count[1][0] == 200 * 100);  // B from A: always
  CHECK(std::fabs(count[0][0] - 0.1 * 200 * 199) < 4 * std::sqrt(200 * 199 * 0.09));
  CHECK(std::fabs(count[1][1] - 0.5 * 100 * 99) < 4 * std::sqrt(100 * 99 * 0.25));
}
