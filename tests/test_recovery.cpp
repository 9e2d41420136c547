// The known circuit and what is found of it (recording/simulate.cpp, analysis/recovery.h): the recording's bits,
// responses of hand-made networks and of a linear teacher, scores beside scipy's, a small circuit found again.
#include <cmath>

#include "analysis/recovery.h"
#include "common/recovery_report.h"
#include "helpers.h"

using namespace dalea;
using namespace dalea::testing;

namespace {

std::string hash_of_floats(const std::vector<float>& v) {
  return sha256_hex(std::as_bytes(std::span(v))).substr(0, 16);
}

Weights dense(int64_t rows, int64_t cols, std::vector<float> column_major) {
  Weights w;
  w.rows = rows;
  w.cols = cols;
  w.values = std::move(column_major);
  return w;
}

// Two units, two channels, one readout of both units into two outputs, no biases.
Model two_units(Activation activation, bool rectified, std::vector<float> alpha) {
  Model m;
  m.units = m.inputs = m.outputs = 2;
  m.activation = activation;
  m.rectified = rectified;
  m.alpha = std::move(alpha);
  m.readouts = {{{0, 2}, {0, 2}}};
  m.parameters.W_in = dense(2, 2, {1, 2, 0, 3});  // [1 0; 2 3]
  m.parameters.b_in = dense(0, 1, {});
  m.parameters.b_rec = dense(0, 1, {});
  m.parameters.W_rec = dense(2, 2, {0.5f, 0.25f, -1, 0});  // [0.5 -1; 0.25 0]
  m.parameters.W_out = {dense(2, 2, {1, 0, 0, 2})};        // diag(1, 2)
  m.parameters.b_out = {dense(2, 1, {0, 0})};
  return m;
}

Trials trials_of(int64_t count, int64_t steps, int64_t channels) {
  Trials t;
  t.count = count;
  t.steps = steps;
  t.inputs = t.outputs = channels;
  Rng rng(4, Purpose::test);
  for (int64_t k = 0; k < count * steps * channels; ++k) t.input.push_back(static_cast<float>(rng.normal()));
  t.target.assign(t.input.size(), 0);
  return t;
}

void check_values_near(const std::vector<double>& v, const std::vector<double>& expected, double within = 1e-12) {
  REQUIRE(v.size() == expected.size());
  for (size_t k = 0; k < v.size(); ++k) CHECK(std::fabs(v[k] - expected[k]) <= within);
}

std::vector<double> response(const Model& m, const Trials& t, int64_t first, int64_t lags) {
  const Result<std::vector<double>> r = mean_response(m, t, first, lags);
  REQUIRE_MESSAGE(r.ok(), (r.ok() ? "" : r.error().text()));
  return *r;
}

Spec small_circuit(const std::string& recording, const std::string& training) {
  return spec_of(R"({"dalea":1,"populations":[{"name":"E","size":32,"sign":"+"},{"name":"I","size":8,"sign":"-"}],)"
                 R"("task":{"type":"recording","steps":20},"recording":{)" +
                 recording + R"(},"training":{"constraint":"dale","batch":32,)" + training + "}}");
}

}  // namespace

TEST_CASE("recovery: the default recording has the bits that it always had") {
  const SimulatedCircuit s = simulate_circuit(1, RecordingSpec());
  CHECK(s.recording.frames == 3000);
  CHECK(hash_of_floats(s.recording.values) == "b68d1e778655d8a1");
  CHECK(hash_of_floats(s.weights) == "04f7dc46e211fa2f");
  CHECK(hash_of_floats(simulate_circuit(3, 18, 500).recording.values) == "15c8c96935c5f3ab");
  CHECK(s.units == 50);
  CHECK(s.excitatory == 40);
  CHECK(s.observed.size() == 50);
}

TEST_CASE("recovery: hidden units leave the recorded ones as they were, and their names") {
  RecordingSpec spec;
  spec.simulated_units = 20;
  spec.simulated_frames = 120;
  const SimulatedCircuit all = simulate_circuit(7, spec);
  spec.simulated_observed = 0.5;
  const SimulatedCircuit half = simulate_circuit(7, spec);
  CHECK(half.weights == all.weights);
  REQUIRE(half.observed.size() == 10);
  CHECK(half.recording.units == 10);
  CHECK(std::is_sorted(half.observed.begin(), half.observed.end()));
  CHECK(half.observed[7] < 16);
  CHECK(half.observed[8] >= 16);
  for (size_t k = 0; k < 10; ++k) {
    const auto u = static_cast<size_t>(half.observed[k]);
    CHECK(half.recording.names[k] == all.recording.names[u]);
    for (size_t t = 0; t < 120; ++t) REQUIRE(half.recording.values[t * 10 + k] == all.recording.values[t * 20 + u]);
  }
  CHECK(simulate_circuit(8, spec).observed != half.observed);
  spec.simulated_observed = 0.05;
  CHECK(simulate_circuit(7, spec).observed.size() == 2);  // one of each sign
}

TEST_CASE("recovery: density, noise, indicator and rate do what they say") {
  RecordingSpec spec;
  spec.simulated_units = 30;
  spec.simulated_frames = 400;
  const auto connections = [&] {
    const SimulatedCircuit s = simulate_circuit(1, spec);
    return std::count_if(s.weights.begin(), s.weights.end(), [](float w) { return w != 0; });
  };
  spec.simulated_density = 1;
  CHECK(connections() == 30 * 29);
  spec.simulated_density = 0.5;
  CHECK(std::abs(connections() - 435) < 60);  // four sd of a binomial
  spec = {};
  spec.simulated_units = 10;
  spec.simulated_frames = 400;
  const auto roughness = [&] {
    const SimulatedCircuit s = simulate_circuit(1, spec);
    double change = 0, size = 0;
    for (int64_t t = 1; t < s.recording.frames; ++t)
      for (int64_t u = 0; u < 10; ++u) {
        const double now = static_cast<double>(s.recording.values[t * 10 + u]);
        change += std::fabs(now - static_cast<double>(s.recording.values[(t - 1) * 10 + u]));
        size += std::fabs(now);
      }
    return change / size;
  };
  const double usual = roughness();
  spec.simulated_noise = 0.1;
  CHECK(roughness() > 3 * usual);
  spec.simulated_noise = 0.002;
  spec.simulated_indicator_s = 4;
  CHECK(roughness() < usual);
  spec.simulated_indicator_s = 0.8;
  spec.simulated_rate_hz = 40;
  CHECK(roughness() < 0.6 * usual);
  spec.simulated_rate_hz = 1;  // ten steps a frame
  CHECK(roughness() > 2 * usual);
  CHECK(simulate_circuit(1, spec).recording.rate_hz == 1);
  spec.simulated_rate_hz = 0.1;
  for (float v : simulate_circuit(1, spec).recording.values) REQUIRE(std::fabs(v) < 1.1f);
}

TEST_CASE("recovery: responses of hand-made networks are exact") {
  const Trials t = trials_of(3, 9, 2);
  // y = W_out W_in u, then + W_out W_rec W_in, then + W_out W_rec^2 W_in.
  const Model plain = two_units(Activation::identity, false, {});
  check_values_near(response(plain, t, 0, 1), {1, 0, 4, 6});
  check_values_near(response(plain, t, 0, 2), {1 - 1.5, 0 - 3, 4 + 0.5, 6});
  check_values_near(response(plain, t, 0, 3), {-0.5 - 1, -3 - 1.5, 4.5 - 0.75, 6 - 1.5});
  // A leaky unit keeps (1 - alpha) of its state: unit 0 with alpha 1/2.
  const Model leaky = two_units(Activation::identity, false, {0.5f, 1});
  check_values_near(response(leaky, t, 0, 1), {0.5, 0, 4, 6});
  // lag 1: A = [0.5 + 0.25, -0.5; 0.25, 0] on alpha W_in = [0.5 0; 2 3]
  check_values_near(response(leaky, t, 0, 2), {0.5 + 0.75 * 0.5 - 1, -1.5, 4 + 2 * 0.125, 6});
  // relu: units that stay positive are as linear; one that stays negative gives nothing.
  Trials up = t;
  for (float& v : up.input) v = 1;
  const Model relu = two_units(Activation::relu, true, {});
  for (size_t k = 1; k < up.input.size(); k += 2) up.input[k] = -10;  // unit 1 is below 0, unit 0 above
  check_values_near(response(relu, up, 2, 2), {1 + 0.5, 0, 0, 0});
  // What is not fed back is read out: the gate of a rectified unit is closed, its slope is not.
  const Model gated = two_units(Activation::identity, true, {});
  check_values_near(response(gated, up, 2, 2), {1 + 0.5, 0, 4 + 0.5, 6});
  CHECK_FALSE(mean_response(plain, t, 0, 10).ok());
  CHECK_FALSE(mean_response(plain, t, 9, 1).ok());
  Model broken = plain;
  broken.parameters.W_in.values[0] = INFINITY;
  CHECK_FALSE(mean_response(broken, t, 0, 1).ok());
  CHECK_FALSE(mean_response(plain, t, 0, 1, [](double) { return false; }).ok());
}

TEST_CASE("recovery: responses of a trained network are the differences of its outputs") {
  const Spec spec = small_circuit(R"("simulated_units":6,"simulated_frames":400)", R"("epochs":2)");
  auto trainer = trainer_of(spec);
  train_to_end(*trainer);
  Model model = trainer->model();
  model.activation = Activation::sigmoid;  // no kinks: all of it is above 0 and fed back
  Trials one = trainer->data().held_out;
  one.count = 1;
  one.steps = 12;
  one.input.resize(12 * 6);
  one.target.resize(12 * 6);
  one.scored.clear();
  const auto last_outputs = [&](const Trials& t) {
    Workers workers(1);
    Pass pass(best_isa(), workers);
    pass.pack(model, false);
    pass.begin_forward(model, t, 0, 1, Loss::mse);
    pass.run();
    const std::vector<float> y = outputs_of(pass.activity(), 6);
    return std::vector<float>(y.end() - 6, y.end());
  };
  for (int64_t lags : {1, 3}) {
    const std::vector<double> exact = response(model, one, 11, lags);
    for (int64_t j = 0; j < 6; ++j) {
      Trials more = one, less = one;
      for (int64_t lag = 0; lag < lags; ++lag) {
        more.input[(11 - lag) * 6 + j] += 0.02f;
        less.input[(11 - lag) * 6 + j] -= 0.02f;
      }
      const std::vector<float> a = last_outputs(more), b = last_outputs(less);
      for (int64_t i = 0; i < 6; ++i)
        CHECK(std::fabs(static_cast<double>(a[i] - b[i]) / 0.04 - exact[i * 6 + j]) < 1e-4);
    }
  }
}

TEST_CASE("recovery: ridge regression finds a linear teacher") {
  const double A[3][3] = {{0.7, 0.2, -0.4}, {0, 0.6, 0.3}, {0.25, -0.5, 0.5}};
  Dataset data;
  data.train = trials_of(40, 10, 3);
  data.validation = data.train;
  for (Trials* t : {&data.train, &data.validation})
    for (size_t k = 0; k < t->input.size(); k += 3)
      for (size_t i = 0; i < 3; ++i) {
        double y = 2;  // an offset that must not matter
        for (size_t j = 0; j < 3; ++j) y += A[i][j] * static_cast<double>(t->input[k + j]);
        t->target[k + i] = static_cast<float>(y);
      }
  const Result<std::vector<double>> found = linear_response(data);
  REQUIRE(found.ok());
  check_values_near(*found, {A[0][0], A[0][1], A[0][2], A[1][0], A[1][1], A[1][2], A[2][0], A[2][1], A[2][2]}, 1e-5);
  data.train.scored.assign(data.train.target.size(), 0);
  CHECK_FALSE(linear_response(data).ok());
}

TEST_CASE("recovery: scores are scipy's, perfect for the truth and worst for its opposite") {
  constexpr int64_t n = 6;
  std::vector<double> truth, found;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) {
      const int64_t k = (i * 7 + j * 11 + i * j * 3) % 13;
      truth.push_back(k < 5 ? 0 : static_cast<double>(k - 4) * (j < 4 ? 1 : -2) / 8);
      found.push_back(static_cast<double>((i * 5 + j * 3 + i * i * j) % 11 - 4) / 7);
    }
  const RecoveryScore s = *score_recovery(truth, found, n, 1);
  CHECK(s.excitatory == 16);
  CHECK(s.inhibitory == 6);
  CHECK(s.absent == 8);
  CHECK(s.sign_excitatory == 0.5625);
  CHECK(s.sign_inhibitory == 0.5);
  CHECK(s.sign == 0.53125);
  CHECK(s.rank == doctest::Approx(-0.043470617665573495).epsilon(1e-12));
  CHECK(s.strength == doctest::Approx(-0.011834394110768268).epsilon(1e-12));
  CHECK(s.detection == doctest::Approx(0.4659090909090909).epsilon(1e-12));
  CHECK(s.rank_p > 0.1);
  CHECK(std::fabs(s.rank_shuffled) < 0.1);

  const RecoveryScore best = *score_recovery(truth, truth, n, 1);
  CHECK(best.sign == 1);
  CHECK(best.rank == doctest::Approx(1));
  CHECK(best.strength == doctest::Approx(1));
  CHECK(best.detection == 1);
  CHECK(best.rank_p < 0.02);  // 720 orders
  CHECK(best.rank_p >= 1.0 / 1000);
  std::vector<double> opposite = truth;
  for (double& v : opposite) v = -v;
  const RecoveryScore worst = *score_recovery(truth, opposite, n, 1);
  CHECK(worst.sign == 0);
  CHECK(worst.rank == doctest::Approx(-1));
  CHECK(worst.sign_p > 0.9);
  // The diagonal counts for nothing; the same seed gives the same exchanges.
  std::vector<double> diagonal = found;
  for (int64_t i = 0; i < n; ++i) diagonal[i * n + i] = 1e6;
  CHECK(score_recovery(truth, diagonal, n, 1)->rank == s.rank);
  CHECK(score_recovery(truth, found, n, 1)->sign_p == s.sign_p);
  // Nothing inhibitory: the excitatory share alone. Nothing at all: no score.
  for (double& v : opposite) v = std::fabs(v);
  CHECK(score_recovery(opposite, opposite, n, 1)->sign == 1);
  CHECK(std::isnan(score_recovery(opposite, opposite, n, 1)->sign_inhibitory));
  const std::vector<double> nothing(n * n, 0);
  CHECK(std::isnan(score_recovery(nothing, found, n, 1)->sign));
  CHECK(std::isnan(score_recovery(nothing, found, n, 1)->rank_p));
  CHECK_FALSE(score_recovery(truth, found, 5, 1).ok());
  found[3] = NAN;
  CHECK_FALSE(score_recovery(truth, found, n, 1).ok());

  const std::vector<double> means = block_means({9, 1, 2, 3, 9, 4, 5, 6, 9}, 3, 2);
  CHECK(means[0] == 2);    // (1 + 3) / 2
  CHECK(means[1] == 3);    // (2 + 4) / 2
  CHECK(means[2] == 5.5);  // (5 + 6) / 2
  CHECK(std::isnan(means[3]));
}

TEST_CASE("recovery: a small circuit is found better than by chance, and the files say so") {
  const Spec spec =
      spec_of(R"({"dalea":1,"populations":[{"name":"E","size":64,"sign":"+"},{"name":"I","size":16,"sign":"-"}],)"
              R"("task":{"type":"recording","steps":20},"recording":{"simulated_units":20,"simulated_frames":3000},)"
              R"("training":{"constraint":"dale","batch":32,"epochs":200,"optimizer":{"lr":0.003},)"
              R"("schedule":{"type":"cosine","t_max":200,"lr_min":1e-5}}})");
  auto trainer = trainer_of(spec);
  train_to_end(*trainer);
  const Result<RecoveryStudy> study = study_recovery(trainer->model(), trainer->data(), spec);
  REQUIRE_MESSAGE(study.ok(), (study.ok() ? "" : study.error().text()));
  const RecoveryStudy& s = *study;
  MESSAGE("signs ", s.network_score.sign, " (ridge ", s.linear_score.sign, "), p ", s.network_score.sign_p, ", rank ",
          s.network_score.rank, " (ridge ", s.linear_score.rank, "), p ", s.network_score.rank_p);
  CHECK(s.names.size() == 20);
  CHECK(s.excitatory == 16);
  CHECK(s.circuit_units == 20);
  CHECK(s.network_score.sign > 0.75);
  CHECK(s.network_score.sign_p < 0.01);
  CHECK(s.network_score.rank > 0.2);
  CHECK(s.network_score.sign > s.linear_score.sign);
  for (int64_t i = 0; i < 20; ++i)
    for (int64_t j = 0; j < 20; ++j) REQUIRE((j < 16 ? s.truth[i * 20 + j] >= 0 : s.truth[i * 20 + j] <= 0));

  // An untrained network finds nothing.
  const Model before = build_model(spec, trainer->data().ends, 0);
  CHECK(study_recovery(before, trainer->data(), spec)->network_score.sign < 0.65);

  const RecoveryReport report{"circuit", {{1, 4000, 0.3, 0.1, 0.2, s}, {1, 8000, 0.3, 0.1, 0.2, s}}};
  const std::string pairs = recovery_pairs_csv(s), points = recovery_points_csv(report);
  CHECK(std::count(pairs.begin(), pairs.end(), '\n') == 1 + 20 * 19);
  CHECK(pairs.find("\nE01,E02,") != std::string::npos);
  CHECK(std::count(points.begin(), points.end(), '\n') == 1 + 4);
  for (const plot::Figure& f : {recovery_figure("circuit", s), recovery_sweep_figure(report)})
    CHECK(plot::to_svg(plot::drawing_of(f)).find("</svg>") != std::string::npos);
  CHECK(recovery_sweep_figure(report).panels.size() == 3);
  CHECK(recovery_verdict(s).find("chance 50 %") != std::string::npos);
}

TEST_CASE("recovery: hidden units, and what cannot be compared") {
  Spec spec = small_circuit(R"("simulated_units":20,"simulated_frames":400,"simulated_observed":0.5)", R"("epochs":1)");
  auto trainer = trainer_of(spec);
  const Result<RecoveryStudy> study = study_recovery(trainer->model(), trainer->data(), spec);
  REQUIRE_MESSAGE(study.ok(), (study.ok() ? "" : study.error().text()));
  CHECK(study->names.size() == 10);
  CHECK(study->circuit_units == 20);
  CHECK(study->excitatory == 8);
  const SimulatedCircuit circuit = simulate_circuit(spec.seed, spec.recording);
  for (size_t i = 0; i < 10; ++i)
    for (size_t j = 0; j < 10; ++j)
      REQUIRE(
          study->truth[i * 10 + j] ==
          static_cast<double>(circuit.weights[static_cast<size_t>(circuit.observed[i] * 20 + circuit.observed[j])]));
  CHECK(recovery_verdict(*study).find("10 of the circuit's 20 units") != std::string::npos);

  Dataset data = trainer->data();
  data.recording->names[0] = "V1 L4 Pyr";
  CHECK(study_recovery(trainer->model(), data, spec).error().path == "recording.average");
  data.recording->source = "cells.csv";
  CHECK(study_recovery(trainer->model(), data, spec).error().path == "recording.file");
  data.recording.reset();
  CHECK_FALSE(study_recovery(trainer->model(), data, spec).ok());
  CHECK_FALSE(study_recovery(trainer->model(), trainer->data(), spec, 100).ok());
}
