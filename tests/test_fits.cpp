// Held-out fits (engine/analysis/fits.h): R2 and correlation by hand and against theory, intervals that cover, the
// shuffled control, noise ceilings, the rule for overfitting; the files; the tab.
#include <cmath>
#include <nlohmann/json.hpp>
#include <thread>

#include "analysis/fits.h"
#include "common/fit_report.h"
#include "helpers.h"
#include "numerics/parallel.h"

using namespace dalea;
using namespace dalea::testing;

namespace {

// One relu unit for each channel; the output is what comes in, where that is positive.
Model copying_model(int64_t units) {
  Spec spec;
  spec.populations = {{"E", units, Sign::free, 0, "", "", ""}};
  spec.network.activation = Activation::relu;
  fill_defaults(spec);
  Ends ends;
  ends.inputs = ends.outputs = units;
  Model model = build_model(spec, ends, 0);
  for (Weights* w : model.parameters.all()) std::fill(w->values.begin(), w->values.end(), 0.0f);
  for (int64_t u = 0; u < units; ++u) {
    model.parameters.W_in.values[static_cast<size_t>(u * units + u)] = 1;
    model.parameters.W_out[0].values[static_cast<size_t>(u * units + u)] = 1;
  }
  return model;
}

// Held-out trials of these frames, (frame, unit): the input is frame t, the target frame t + 1.
Dataset data_of(const std::vector<float>& frames, int64_t units, int64_t steps) {
  const auto count = static_cast<int64_t>(frames.size()) / units;
  Dataset data;
  data.ends.inputs = data.ends.outputs = units;
  Trials& t = data.held_out;
  t.steps = steps;
  t.inputs = t.outputs = units;
  for (int64_t k = 0; k + steps < count; k += steps) {
    ++t.count;
    t.input.insert(t.input.end(), frames.begin() + k * units, frames.begin() + (k + steps) * units);
    t.target.insert(t.target.end(), frames.begin() + (k + 1) * units, frames.begin() + (k + 1 + steps) * units);
  }
  for (int64_t u = 0; u < units; ++u) data.output_names.push_back("u" + std::to_string(u));
  data.baselines.emplace();
  BaselineFit& fit = data.baselines->fit;
  fit.slope.assign(static_cast<size_t>(units), 1);
  fit.intercept.assign(static_cast<size_t>(units), 0);
  fit.weights.assign(static_cast<size_t>(units * units), 0);
  fit.mean.assign(static_cast<size_t>(units), 0);
  fit.offset.assign(static_cast<size_t>(units), 0);
  return data;
}

Fits fits_of(const Model& model, const Dataset& data, const std::vector<std::string>& labels = {}, int threads = 1,
             int64_t batch = 7) {
  Workers workers(threads);
  Result<Fits> fits = measure_fits(model, data, labels, 3, batch, best_isa(), workers);
  REQUIRE_MESSAGE(fits.ok(), (fits.ok() ? "" : fits.error().text()));
  return std::move(*fits);
}

std::vector<float> ar1_noise(uint64_t seed, int64_t frames, int64_t units, double phi, double offset) {
  std::vector<float> x;
  std::vector<double> v(static_cast<size_t>(units));
  Rng rng(seed, Purpose::test);
  for (double& s : v) s = rng.normal() / std::sqrt(1 - phi * phi);
  for (int64_t f = 0; f < frames; ++f)
    for (double& s : v) {
      x.push_back(static_cast<float>(s + offset));
      s = phi * s + rng.normal();
    }
  return x;
}

std::vector<EpochRecord> history_of(int64_t epochs, double (*train)(double), double (*validation)(double)) {
  std::vector<EpochRecord> history;
  for (int64_t e = 1; e <= epochs; ++e) {
    EpochRecord r;
    r.epoch = e;
    r.train = train(static_cast<double>(e));
    r.validation = r.held_out = validation(static_cast<double>(e));
    history.push_back(r);
  }
  return history;
}

double falling(double e) {
  return 1 / e;
}

}  // namespace

TEST_CASE("fits: R2 and correlation of every predictor by hand, what is not scored left out") {
  Dataset data = data_of({0, 0, 0, 0, 0, 0}, 1, 5);
  Trials& t = data.held_out;
  REQUIRE(t.count == 1);
  t.input = {1, 2, 50, 3, 4};
  t.target = {1, 3, -90, 2, 6};
  t.scored = {1, 1, 0, 1, 1};
  data.baselines->fit = {{0.5}, {1}, {2}, {1}, {0}};
  const Fits f = fits_of(copying_model(1), data);
  REQUIRE(f.units.size() == 1);
  const UnitFit& u = f.units[0];
  CHECK(u.values == 4);
  CHECK(f.frames == 5);
  CHECK(u.of(Predictor::network).value == doctest::Approx(1 - 6.0 / 14));
  CHECK(u.of(Predictor::last_frame).value == doctest::Approx(1 - 6.0 / 14));
  CHECK(u.of(Predictor::ar1).value == doctest::Approx(0.25));
  CHECK(u.of(Predictor::linear).value == doctest::Approx(1 - 6.0 / 14));
  for (const Estimate& r : u.correlation) CHECK(r.value == doctest::Approx(7 / std::sqrt(70.0)));
  CHECK(u.difference.value == doctest::Approx(0));
  CHECK(f.draws == 0);  // one block: no intervals, and says so
  CHECK(std::isnan(u.of(Predictor::network).low));
  CHECK(f.remarks.size() == 2);
  CHECK(f.permutations == 0);
  CHECK(std::isnan(u.shuffled_r2));
  CHECK(f.groups[0].of(Predictor::ar1).value == doctest::Approx(0.25));
  CHECK(f.no_ceiling != "");

  // Outputs without a past of their own; a unit that never varies.
  Dataset two = data_of(std::vector<float>(12, 1.0f), 2, 5);
  for (int64_t s = 0; s < 5; ++s) {
    two.held_out.input[static_cast<size_t>(2 * s)] = static_cast<float>(s);
    two.held_out.target[static_cast<size_t>(2 * s)] = static_cast<float>(s + 1);
  }
  const Fits g = fits_of(copying_model(2), two);
  CHECK(g.units[1].units == 0);
  CHECK(std::isnan(g.units[1].of(Predictor::network).value));
  CHECK(g.groups[0].units == 1);
  CHECK(g.groups[0].of(Predictor::network).value == doctest::Approx(1 - 5.0 / 10));
}

TEST_CASE("fits: a linear world: ridge is as good as theory allows, and a network hardly trained is not better") {
  // x' = A x + e, e of variance 1: the best R2 of unit u is 1 - 1 / var(x_u), in the frames held out.
  const int64_t units = 4, frames = 6000;
  const double a[4][4] = {{0.8, 0.3, 0, 0}, {-0.3, 0.8, 0, 0}, {0, 0.2, 0.7, 0}, {0, 0, 0.3, 0.6}};
  Recording recording;
  recording.frames = frames;
  recording.units = units;
  recording.names = {"a", "b", "c", "d"};
  double x[4] = {};
  Rng rng(5, Purpose::test);
  for (int64_t f = -200; f < frames; ++f) {
    double next[4];
    for (int i = 0; i < 4; ++i) {
      next[i] = rng.normal();
      for (int j = 0; j < 4; ++j) next[i] += a[i][j] * x[j];
    }
    std::copy(next, next + 4, x);
    if (f < 0) continue;
    for (double v : x) recording.values.push_back(static_cast<float>(v));
  }
  const Spec spec =
      spec_of(R"({"dalea":1,"populations":[{"name":"E","size":16,"sign":"+"},{"name":"I","size":4,"sign":"-"}],)"
              R"("task":{"type":"recording","steps":20},"training":{"epochs":1}})");
  Result<Dataset> data = make_dataset(spec, &recording, 0);
  REQUIRE(data.ok());
  Result<std::unique_ptr<Trainer>> trainer = Trainer::create(spec, std::move(*data), 0, {});
  REQUIRE(trainer.ok());
  train_to_end(**trainer);
  const Fits f = fits_of((*trainer)->model(), (*trainer)->data());
  CHECK(f.draws == bootstrap_draws);
  CHECK(f.block == 20);
  CHECK(f.remarks.empty());
  double sse = 0, values = 0, network = 0, varied = 0;
  for (size_t u = 0; u < 4; ++u) {
    const UnitFit& fit = f.units[u];
    const Trials& t = (*trainer)->data().held_out;
    double mean = 0, sst = 0, count = 0;
    for (int pass = 0; pass < 2; ++pass)
      for (size_t e = u; e < t.target.size(); e += 4) {
        if (t.scored[e] == 0) continue;
        const double y = static_cast<double>(t.target[e]);
        pass == 0 ? mean += y : sst += (y - mean / count) * (y - mean / count);
        count += pass == 0;
      }
    const double sd = (*trainer)->data().scaling->sd[u], theory = 1 - 1 / (sst / count * sd * sd);
    CHECK_MESSAGE(std::fabs(fit.of(Predictor::linear).value - theory) < 0.035, theory);
    CHECK(fit.of(Predictor::linear).low < theory + 0.03);
    CHECK(fit.of(Predictor::linear).high > theory - 0.03);
    CHECK(fit.best == Predictor::linear);
    CHECK(fit.difference.value < 0);
    CHECK(fit.difference.high < 0);
    CHECK(fit.difference.low <= fit.difference.value);
    CHECK(fit.wins == 0);
    CHECK(static_cast<double>(fit.values) == count);
    // Back to the mean squared errors that stand elsewhere.
    sse += sst * (1 - fit.of(Predictor::linear).value);
    network += sst * (1 - fit.of(Predictor::network).value);
    varied += sst;
    values += count;
  }
  CHECK(sse / values == doctest::Approx((*trainer)->data().baselines->held_out.linear).epsilon(1e-9));
  CHECK(network / values == doctest::Approx((*trainer)->evaluate().held_out).epsilon(1e-6));
  CHECK(f.groups[0].of(Predictor::linear).value == doctest::Approx(1 - sse / varied));
  CHECK(fit_verdict({"", f, {}}).find("is worse than the best baseline (linear)") != std::string::npos);
}

TEST_CASE("fits: intervals cover what they should, over many recordings") {
  const double phi = 0.7;
  const Model model = copying_model(1);
  int covered = 0, difference_covered = 0;
  const int worlds = 200;
  for (int w = 0; w < worlds; ++w) {
    Dataset data = data_of(ar1_noise(static_cast<uint64_t>(w), 1001, 1, phi, 40), 1, 25);
    data.baselines->fit.slope[0] = phi;
    data.baselines->fit.intercept[0] = 40 * (1 - phi);
    const Fits f = fits_of(model, data, {}, 1, 64);
    const Estimate& e = f.units[0].of(Predictor::ar1);
    REQUIRE(std::isfinite(e.low));
    covered += e.low <= phi * phi && phi * phi <= e.high;
    // The network says the last frame: its R2 is 2 phi - 1.
    const Estimate& d = f.units[0].difference;
    const double truth = 2 * phi - 1 - phi * phi;
    difference_covered += d.low <= truth && truth <= d.high;
  }
  CHECK_MESSAGE(covered >= 0.87 * worlds, covered);
  CHECK_MESSAGE(covered <= 0.995 * worlds, covered);
  CHECK_MESSAGE(difference_covered >= 0.87 * worlds, difference_covered);
}

TEST_CASE("fits: shuffled units cost a network that knows who is who, and nothing among exact copies") {
  const std::vector<float> one = ar1_noise(1, 401, 1, 0.9, 30), other = ar1_noise(2, 401, 1, 0.9, 30);
  std::vector<float> copies, pairs;
  for (size_t f = 0; f < one.size(); ++f) {
    for (int k = 0; k < 4; ++k) copies.push_back(one[f]);
    for (float v : {one[f], one[f], other[f], other[f]}) pairs.push_back(v);
  }
  const Model model = copying_model(4);
  Fits f = fits_of(model, data_of(copies, 4, 20));
  CHECK(f.permutations == shuffled_inputs);
  CHECK(f.shuffled_among == "all units");
  for (const UnitFit& u : f.units)
    CHECK(u.shuffled_r2 == doctest::Approx(u.of(Predictor::network).value).epsilon(1e-12));
  f = fits_of(model, data_of(pairs, 4, 20));
  CHECK(f.groups.size() == 1);
  CHECK(f.groups[0].of(Predictor::network).value > 0.6);
  CHECK(f.groups[0].shuffled_r2 < 0.3);
  f = fits_of(model, data_of(pairs, 4, 20), {"A", "A", "B", "B"});
  CHECK(f.shuffled_among == "units of the same labels");
  REQUIRE(f.groups.size() == 3);
  CHECK(f.groups[1].name == "A");
  CHECK(f.groups[1].units == 2);
  for (const UnitFit& g : f.groups)
    CHECK(g.shuffled_r2 == doctest::Approx(g.of(Predictor::network).value).epsilon(1e-12));
  CHECK(f.groups[1].of(Predictor::network).value == doctest::Approx(f.units[0].of(Predictor::network).value));
}

TEST_CASE("fits: the same numbers from any number of threads, any batch and in small pieces; refusals") {
  const auto trainer = trainer_of(spec_of(recording_json));
  train_to_end(*trainer);
  const Dataset& data = trainer->data();
  const FitReport one{"x", fits_of(trainer->model(), data), {}},
      three{"x", fits_of(trainer->model(), data, {}, 3, 2), {}};
  CHECK(fit_csv(one) == fit_csv(three));
  Workers workers(1);
  auto job = FitJob::create(trainer->model(), data, {}, 3, 7, best_isa(), workers);
  REQUIRE(job.ok());
  CHECK_FALSE((*job)->result().ok());
  double before = 0;
  int64_t pieces = 0;
  while (!(*job)->advance(true)) {
    CHECK((*job)->progress() >= before);
    before = (*job)->progress();
    ++pieces;
  }
  CHECK(pieces > 100);
  CHECK((*job)->progress() == 1);
  Result<Fits> pieced = (*job)->result();
  REQUIRE(pieced.ok());
  CHECK(fit_csv({"x", *pieced, {}}) == fit_csv(one));

  const auto flip_flop = trained_tiny();
  CHECK_FALSE(measure_fits(flip_flop->model(), flip_flop->data(), {}, 1, 8, best_isa(), workers).ok());
  CHECK_FALSE(measure_fits(flip_flop->model(), data, {}, 1, 8, best_isa(), workers).ok());
  Dataset none = data;
  none.held_out = Trials();
  Result<Fits> refused = measure_fits(trainer->model(), none, {}, 1, 8, best_isa(), workers);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().text().find("train_fraction") != std::string::npos);
  Model broken = trainer->model();
  broken.parameters.W_out[0].values[0] = NAN;
  CHECK_FALSE(measure_fits(broken, data, {}, 1, 8, best_isa(), workers).ok());
  const std::atomic<bool> yes{true};
  CHECK_FALSE(measure_fits(trainer->model(), data, {}, 1, 8, best_isa(), workers, &yes).ok());

  // Units that are predicted from the others have no past of their own.
  Spec by_unit = spec_of(recording_json);
  by_unit.recording.split = "unit";
  const auto co = trainer_of(by_unit);
  const Fits f = fits_of(co->model(), co->data());
  CHECK(f.units.front().units == 0);
  CHECK(f.units.back().units == 1);
  CHECK(std::isnan(f.units.back().of(Predictor::last_frame).value));
  CHECK(f.units.back().best == Predictor::linear);
  CHECK(std::isfinite(f.groups[0].difference.value));
}

TEST_CASE("fits: noise ceilings") {
  // Two repeats: their correlation, and what Spearman and Brown make of it.
  const std::vector<float> two = {1, 2, 3, 4, 1, 3, 2, 6};
  const double r = 7 / std::sqrt(70.0);
  std::vector<Ceiling> c = noise_ceiling(two, std::vector<int32_t>{0, 0}, 4, 1, 1);
  REQUIRE(c.size() == 1);
  CHECK(c[0].of_trial == doctest::Approx(r));
  CHECK(c[0].of_average == doctest::Approx(2 * r / (1 + r)));
  CHECK(std::isnan(noise_ceiling(two, std::vector<int32_t>{0, 1}, 4, 1, 1)[0].of_trial));
  // Signal of variance 1/2, noise of variance 1, two kinds of 60 trials, and a unit that is all noise.
  const int64_t steps = 60, trials = 120;
  std::vector<float> x;
  std::vector<int32_t> kind;
  Rng rng(8, Purpose::test);
  for (int64_t n = 0; n < trials; ++n) {
    kind.push_back(static_cast<int32_t>(n % 2));
    for (int64_t s = 0; s < steps; ++s) {
      const double angle = 2 * 3.14159265358979 * static_cast<double>(s) / static_cast<double>(steps);
      const double signal = n % 2 == 0 ? std::sin(angle) : std::cos(3 * angle);
      x.push_back(static_cast<float>(signal + rng.normal()));
      x.push_back(static_cast<float>(rng.normal()));
      x.push_back(static_cast<float>(signal));
    }
  }
  c = noise_ceiling(x, kind, steps, 3, 1);
  CHECK(std::fabs(c[0].of_trial - 1.0 / 3) < 0.05);
  CHECK(std::fabs(c[0].of_average - 60.0 / 62) < 0.03);
  CHECK(c[1].of_trial < 0.03);
  CHECK(c[2].of_trial == doctest::Approx(1));

  // Through the measurement: trials of one kind.
  Dataset data = data_of(ar1_noise(4, 601, 2, 0.5, 20), 2, 20);
  data.held_out.kind.assign(static_cast<size_t>(data.held_out.count), 0);
  const Fits f = fits_of(copying_model(2), data);
  CHECK(f.no_ceiling == "");
  CHECK(f.units[0].ceiling >= 0);
  CHECK(f.units[0].ceiling < 0.2);  // nothing repeats
  CHECK(f.groups[0].ceiling <= std::max(f.units[0].ceiling, f.units[1].ceiling) + 1e-12);
}

TEST_CASE("fits: when a network learns by heart") {
  CHECK_FALSE(overfit_of(history_of(30, falling, falling)).warns);
  const auto valley = [](double e) { return 1 + (e - 10) * (e - 10) / 100; };
  const Overfit o = overfit_of(history_of(30, falling, valley));
  CHECK(o.warns);
  CHECK(o.validation);
  CHECK(o.epoch == 10);
  CHECK(o.text().find("since epoch 10") != std::string::npos);
  CHECK_FALSE(overfit_of(history_of(9, falling, valley)).warns);   // too short
  CHECK_FALSE(overfit_of(history_of(12, falling, valley)).warns);  // too recent
  CHECK_FALSE(overfit_of(history_of(
                             30, [](double) { return 1.0; }, valley))
                  .warns);  // does not learn either
  CHECK_FALSE(overfit_of(history_of(30, falling, [](double e) { return e < 3 ? 2.0 : 1.0; })).warns);  // flat
  CHECK_FALSE(overfit_of({}).warns);
  CHECK(Overfit().text() == "");
  std::vector<EpochRecord> held_out_only = history_of(30, falling, valley);
  for (EpochRecord& r : held_out_only) r.validation = no_value;
  CHECK(overfit_of(held_out_only).warns);
  CHECK_FALSE(overfit_of(held_out_only).validation);
  for (EpochRecord& r : held_out_only) r.held_out = no_value;
  CHECK_FALSE(overfit_of(held_out_only).warns);
}

TEST_CASE("fits: labels, and the files") {
  Recording r;
  r.cells = {{"V1", "L4", "pyr", "+"}, {"", "", "", "-"}, {"", "", "", ""}};
  CHECK(unit_labels(r) == std::vector<std::string>{"V1 L4 pyr", "inhibitory", ""});
  const auto trainer = trainer_of(spec_of(recording_json));
  const FitReport report{"a, \"b\"", fits_of(trainer->model(), trainer->data(), {"p", "p", "q,", "q,"}), {}};
  const std::string csv = fit_csv(report);
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 1 + 3 + 8);
  CHECK(csv.find("group,\"q,\",2,") != std::string::npos);
  const std::string svg = plot::to_svg(plot::drawing_of(fit_figure(report)));
  CHECK(svg.find("best baseline") != std::string::npos);
  CHECK(svg.find("R\xc2\xb2") != std::string::npos);
  CHECK(interval_text({0.5, 0.25, 0.75}, 2) == "0.50 [0.25, 0.75]");
  CHECK(interval_text({}, 2) == "-");
}
