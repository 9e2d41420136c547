// State space and currents (engine/analysis/states.h): components against known ones and against numpy, currents
// against a plain loop over every synapse, conditions of the tasks, the files.
#include <cmath>

#include "analysis/states.h"
#include "common/states_report.h"
#include "helpers.h"

using namespace dalea;
using namespace dalea::testing;

namespace {

StateStudy studied(const Trainer& trainer, int threads = 1, Isa isa = best_isa(), int64_t batch = 13,
                   Range of = {0, 20}, int64_t trials = 5) {
  Workers workers(threads);
  Result<StateStudy> s = study_states(trainer.model(), trainer.data(), batch, trials, of, isa, workers);
  REQUIRE_MESSAGE(s.ok(), (s.ok() ? "" : s.error().text()));
  return std::move(*s);
}

Components components(const std::vector<float>& samples, int64_t units, int threads = 1) {
  Workers workers(threads);
  Result<Components> c = components_of(samples, units, workers);
  REQUIRE_MESSAGE(c.ok(), (c.ok() ? "" : c.error().text()));
  return std::move(*c);
}

std::vector<float> pattern(int64_t samples, int64_t units) {
  std::vector<float> x;
  for (int64_t s = 0; s < samples; ++s)
    for (int64_t u = 0; u < units; ++u)
      x.push_back(static_cast<float>((s * s * 7 + u * u * 13 + s * u * 5) % 17) / 8 - 1);
  return x;
}

}  // namespace

TEST_CASE("states: components of points on a turned rectangle, beside a unit that never varies") {
  std::vector<float> x;
  for (float t : {-2.0f, 2.0f})
    for (float s : {-1.0f, 1.0f}) {
      x.push_back(5 + 0.6f * t - 0.8f * s);
      x.push_back(0.1f);
      x.push_back(-3 + 0.8f * t + 0.6f * s);
    }
  const Components c = components(x, 3);
  REQUIRE(c.count == 3);
  const double mean[] = {5, 0.1, -3}, variance[] = {4, 1, 0},
               loadings[] = {0.6, 0, 0.8, 0.8, 0, -0.6, 0, 1, 0};  // the largest of each is positive
  for (size_t k = 0; k < 3; ++k) {
    CHECK(c.mean[k] == doctest::Approx(mean[k]).epsilon(1e-6));
    CHECK(std::fabs(c.variance[k] - variance[k]) < 1e-6);
  }
  for (size_t k = 0; k < 9; ++k) CHECK(std::fabs(c.loadings[k] - loadings[k]) < 1e-6);
  CHECK(c.variance[2] < 1e-12);
  CHECK(c.total == doctest::Approx(5).epsilon(1e-6));
  CHECK(c.share(0) == doctest::Approx(0.8).epsilon(1e-6));
  CHECK(c.share_of_first(2) == doctest::Approx(1));
  CHECK(c.participation == doctest::Approx(25.0 / 17).epsilon(1e-6));

  const Components still = components(std::vector<float>(12, 0.3f), 4);
  CHECK(still.total == 0);
  CHECK(still.participation == 0);
  CHECK(still.share(0) == 0);
}

TEST_CASE("states: components as numpy finds them") {
  const Components c = components(pattern(40, 5), 5);
  // numpy.linalg.eigh(numpy.cov(X, rowvar=False, bias=True))
  const double variance[] = {0.657155015542035, 0.358152941652131, 0.251051010687273, 0.227597646634697,
                             0.160574635483864};
  const double loadings[] = {-0.358538890365, 0.455280322713, -0.392229433746,  0.711684123147,   -0.0618988853787,
                             0.220724737813,  0.109124152223, 0.717865288803,   0.391786382132,   -0.520139757591,
                             0.246188996706,  0.818584704838, -0.0922864359002, -0.46823085747,   -0.203845865222,
                             -0.442555057584, 0.316366569066, 0.566705226426,   -0.0594433187774, 0.615929292353,
                             0.752506779452,  0.103165023797, -0.0339690819003, 0.342396693329,   0.551997400914};
  REQUIRE(c.count == 5);
  for (size_t k = 0; k < 5; ++k) CHECK(c.variance[k] == doctest::Approx(variance[k]).epsilon(1e-12));
  for (size_t k = 0; k < 25; ++k) CHECK(std::fabs(c.loadings[k] - loadings[k]) < 1e-10);
  CHECK(c.total == doctest::Approx(1.65453125).epsilon(1e-12));
  CHECK(c.participation == doctest::Approx(3.906559383205867).epsilon(1e-12));
  CHECK(c.share_of_first(5) == doctest::Approx(1).epsilon(1e-12));
}

TEST_CASE(
    "states: many samples of many units: threads change nothing, rows are orthonormal, projections vary as said") {
  const int64_t units = 70, samples = 1100;  // more than a buffer, more than two blocks
  const std::vector<float> x = pattern(samples, units);
  const Components c = components(x, units), other = components(x, units, 3);
  CHECK(other.variance == c.variance);
  CHECK(other.loadings == c.loadings);
  CHECK(other.mean == c.mean);
  REQUIRE(c.count == most_components);
  for (int64_t a = 0; a < c.count; ++a) {
    double variance = 0;
    for (int64_t s = 0; s < samples; ++s) {
      double p = 0;
      for (int64_t i = 0; i < units; ++i) p += c.loadings[a * units + i] * (x[s * units + i] - c.mean[i]);
      variance += p * p / samples;
    }
    CHECK(variance == doctest::Approx(c.variance[a]).epsilon(1e-9));
    if (a > 0) CHECK(c.variance[a] <= c.variance[a - 1]);
    for (int64_t b = 0; b <= a; ++b) {
      double dot = 0;
      for (int64_t i = 0; i < units; ++i) dot += c.loadings[a * units + i] * c.loadings[b * units + i];
      CHECK(std::fabs(dot - (a == b ? 1 : 0)) < 1e-12);
    }
  }
  double total = 0;
  for (int64_t i = 0; i < units; ++i)
    for (int64_t s = 0; s < samples; ++s) total += std::pow(x[s * units + i] - c.mean[i], 2) / samples;
  CHECK(c.total == doctest::Approx(total).epsilon(1e-10));
}

TEST_CASE("states: currents are every weight times what is fed back; with input and bias they are the drive") {
  for (const char* more : {"", R"(,"connectivity":{"probability":[[0.5,1],[1,0]],"storage":"sparse"})",
                           R"(,"network":{"feedback":"plain"})"}) {
    auto trainer = trained_tiny(more);
    const Model& m = trainer->model();
    const Trials& split = trainer->data().held_out;
    const StateStudy s = studied(*trainer);
    CHECK(s.trials == 20);
    CHECK(s.steps == 7);
    REQUIRE(s.populations == m.populations);
    double current[4] = {}, activity[2] = {}, drive[2] = {}, input[2] = {};
    int64_t connections[4] = {};
    for (int64_t n = 0; n < 20; ++n) {
      const Trainer::Trace trace = trainer->trace(split, n);
      for (int64_t t = 0; t < 7; ++t)
        for (int64_t i = 0; i < 20; ++i) {
          const size_t p = i < 16 ? 0 : 1;
          const double share = 1.0 / (20 * 7 * (p == 0 ? 16 : 4)), z = trace.activity[t * 20 + i];
          activity[p] += z * share;
          drive[p] += std::atanh(z) * share;
          input[p] += static_cast<double>(m.parameters.W_in.at(i, 0)) * trace.input[t] * share;
          for (int64_t j = 0; j < 20 && t > 0; ++j) {
            const double before = trace.activity[(t - 1) * 20 + j];
            const double f = m.rectified ? std::max(before, 0.0) : before;
            current[p * 2 + (j < 16 ? 0 : 1)] += static_cast<double>(m.parameters.W_rec.at(i, j)) * f * share;
          }
        }
    }
    for (int64_t i = 0; i < 20; ++i)
      for (int64_t j = 0; j < 20; ++j)
        connections[(i < 16 ? 0 : 2) + (j < 16 ? 0 : 1)] += m.parameters.W_rec.at(i, j) != 0;
    for (size_t k = 0; k < 4; ++k) {
      CHECK(s.currents.recurrent[k] == doctest::Approx(current[k]).epsilon(1e-9));
      CHECK(s.currents.connections[k] == connections[k]);
    }
    for (size_t p = 0; p < 2; ++p) {
      CHECK(s.currents.activity[p] == doctest::Approx(activity[p]).epsilon(1e-9));
      CHECK(s.currents.input[p] == doctest::Approx(input[p]).epsilon(1e-9));
      CHECK(s.currents.total(p) == doctest::Approx(drive[p]).epsilon(1e-4));
    }
    CHECK((s.currents.connections[3] == 0) == (std::string(more).find("probability") != std::string::npos));
    if (m.rectified) {
      CHECK(s.currents.recurrent[0] > 0);
      CHECK(s.currents.recurrent[1] < 0);
    }
  }
}

TEST_CASE("states: the components and paths are those of the trials' activity, of all units or of one population") {
  auto trainer = trained_tiny();
  const Trials& split = trainer->data().held_out;
  const uint64_t hash = trainer->hash();
  for (const Range of : {Range{0, 20}, Range{16, 20}, Range{3, 5}}) {
    const StateStudy s = studied(*trainer, 1, best_isa(), 13, of, 15);  // paths cross a minibatch
    std::vector<float> samples;
    for (int64_t n = 0; n < 20; ++n) {
      const Trainer::Trace trace = trainer->trace(split, n);
      for (int64_t t = 0; t < 7; ++t)
        for (int64_t i = of.begin; i < of.end; ++i) samples.push_back(trace.activity[t * 20 + i]);
    }
    const Components c = components(samples, of.size());
    REQUIRE(s.components.count == std::min<int64_t>(8, of.size()));
    CHECK(s.components.total == doctest::Approx(c.total).epsilon(1e-12));
    CHECK(s.components.participation == doctest::Approx(c.participation).epsilon(1e-10));
    for (int64_t k = 0; k < c.count; ++k) CHECK(std::fabs(s.components.variance[k] - c.variance[k]) < 1e-12 * c.total);
    CHECK(s.shown == 15);
    REQUIRE(s.path.size() == 15 * 7 * 3);
    for (int64_t e = 0; e < 15 * 7; ++e)
      for (int64_t k = 0; k < 3; ++k) {
        double sum = 0;
        for (int64_t i = 0; i < of.size() && k < c.count; ++i)
          sum += s.components.loadings[k * of.size() + i] * (samples[e * of.size() + i] - s.components.mean[i]);
        CHECK(std::fabs(static_cast<double>(s.path[e * 3 + k]) - sum) < 1e-6);
      }
  }
  CHECK(trainer->hash() == hash);
  CHECK(studied(*trainer, 1, best_isa(), 13, {0, 20}, 1000).shown == 20);
  CHECK(studied(*trainer, 1, best_isa(), 13, {0, 20}, 0).path.empty());
}

TEST_CASE("states: instruction sets, threads and storage give the same numbers") {
  auto dense = trained_tiny(R"(,"connectivity":{"probability":0.5,"storage":"dense"})");
  auto sparse = trained_tiny(R"(,"connectivity":{"probability":0.5,"storage":"sparse"})");
  const StateStudy a = studied(*dense, 1, Isa::scalar);
  for (const StateStudy& b : {studied(*dense, 3), studied(*sparse, 2)}) {
    CHECK(b.components.variance == a.components.variance);
    CHECK(b.components.loadings == a.components.loadings);
    CHECK(b.components.participation == a.components.participation);
    CHECK(b.path == a.path);
    CHECK(b.currents.recurrent == a.currents.recurrent);
    CHECK(b.currents.connections == a.currents.connections);
    CHECK(b.currents.input == a.currents.input);
    CHECK(b.currents.activity == a.currents.activity);
  }
}

TEST_CASE("states: a condition is the final target's sign, the class, or the same for all") {
  auto flip = trained_tiny();
  const Trials& split = flip->data().held_out;
  const StateStudy s = studied(*flip);
  CHECK(s.condition_kind == "final target");
  REQUIRE(s.condition.size() == 20);
  for (int64_t n = 0; n < 20; ++n) {
    const float last = split.target[n * 7 + 6];
    CHECK(s.condition_names[s.condition[n]] == (last > 0 ? "+" : last < 0 ? "\xe2\x88\x92" : "0"));
  }
  CHECK(s.condition_names.front() == "\xe2\x88\x92");
  CHECK(s.condition_names.back() == "+");

  // Two outputs: patterns in the order of the values, each once.
  Dataset two = flip->data();
  two.held_out.outputs = 2;
  two.held_out.target.assign(20 * 7 * 2, 0.0f);
  for (int64_t n = 0; n < 20; ++n) {
    two.held_out.target[(n * 7 + 6) * 2] = n % 2 == 0 ? 1.0f : -1.0f;
    two.held_out.target[(n * 7 + 6) * 2 + 1] = n < 10 ? 1.0f : -0.0f;
  }
  const Model two_outputs =
      trainer_of(spec_of(R"({"dalea":1,"populations":[{"name":"E","size":16,"sign":"+"},)"
                         R"({"name":"I","size":4,"sign":"-"}],)"
                         R"("training":{"batch":5},"task":{"type":"wave","steps":7,"train":5,"validation":5,)"
                         R"("held_out":20}})"))
          ->model();
  two.held_out.inputs = 2;
  two.held_out.input.assign(20 * 7 * 2, 0.5f);
  Workers workers(1);
  Result<StateStudy> t = study_states(two_outputs, two, 13, 5, {0, 20}, best_isa(), workers);
  REQUIRE(t.ok());
  CHECK(t->condition_names == std::vector<std::string>{"\xe2\x88\x92 0", "\xe2\x88\x92 +", "+ 0", "+ +"});
  CHECK(t->condition[0] == 3);
  CHECK(t->condition[19] == 0);
  two.held_out.target[13 * 2] = 0.25f;  // not a sign
  t = study_states(two_outputs, two, 13, 5, {0, 20}, best_isa(), workers);
  REQUIRE(t.ok());
  CHECK(t->condition_kind == "");
  CHECK(t->condition_names.size() == 1);
  CHECK(t->condition == std::vector<int32_t>(20, 0));

  auto classes = trained_tiny("", R"(,"loss":"cross-entropy")");
  const StateStudy c = studied(*classes);
  CHECK(c.condition_kind == "class");
  CHECK(c.condition_names == std::vector<std::string>{"-1", "0", "+1"});
  for (int64_t n = 0; n < 20; ++n) CHECK(c.condition[n] == classes->data().held_out.label[n * 7 + 6]);
}

TEST_CASE("states: what cannot be done is said, and too many units keep their currents") {
  auto trainer = trained_tiny();
  Workers workers(1);
  for (const Range bad : {Range{0, 21}, Range{-1, 3}, Range{4, 4}})
    CHECK_FALSE(study_states(trainer->model(), trainer->data(), 13, 5, bad, best_isa(), workers).ok());
  for (double last : {0.0, 0.7, 1.0})
    CHECK(study_states(trainer->model(), trainer->data(), 13, 5, {0, 20}, best_isa(), workers,
                       [&](double part) { return part < last; })
              .error()
              .text() == "cancelled");
  std::vector<double> parts;
  const Result<StateStudy> heard = study_states(trainer->model(), trainer->data(), 13, 5, {0, 20}, best_isa(), workers,
                                                [&](double part) {
                                                  parts.push_back(part);
                                                  return true;
                                                }),
                           unheard =
                               study_states(trainer->model(), trainer->data(), 13, 5, {0, 20}, best_isa(), workers);
  CHECK(parts == std::vector<double>{0, 13.0 / 25, 20.0 / 25, 1});
  CHECK(heard->path == unheard->path);
  CHECK(heard->components.loadings == unheard->components.loadings);
  CHECK(heard->currents.recurrent == unheard->currents.recurrent);
  Dataset none = trainer->data();
  none.held_out.count = 0;
  CHECK_FALSE(study_states(trainer->model(), none, 13, 5, {0, 20}, best_isa(), workers).ok());
  Model broken = trainer->model();
  broken.parameters.b_in.values[3] = NAN;
  Result<StateStudy> s = study_states(broken, trainer->data(), 13, 5, {0, 20}, best_isa(), workers);
  REQUIRE_FALSE(s.ok());
  CHECK(s.error().text().find("not finite") != std::string::npos);
  CHECK_FALSE(components_of({}, 3, workers).ok());
  CHECK_FALSE(components_of({1, 2}, 0, workers).ok());
  CHECK_FALSE(components_of({1, NAN}, 1, workers).ok());
  CHECK_FALSE(components_of({1}, most_component_units + 1, workers).ok());

  Spec large = trainer->spec();
  large.populations[0].size = most_component_units;
  large.connectivity.probability = {{0.01, 0.01}, {0.01, 0.01}};
  auto many = trainer_of(large);
  const int64_t units = most_component_units + 4;
  s = study_states(many->model(), many->data(), 13, 5, {0, units}, best_isa(), workers);
  REQUIRE(s.ok());
  CHECK(s->components.count == 0);
  CHECK(s->no_components.find("1500") != std::string::npos);
  CHECK(s->path.empty());
  CHECK(s->currents.recurrent[0] > 0);
  s = study_states(many->model(), many->data(), 13, 5, {most_component_units, units}, best_isa(), workers);
  REQUIRE(s.ok());
  CHECK(s->components.count == 4);
}

TEST_CASE("states: the tables have a row for each step, component and pair; the figure shows all three") {
  auto trainer = trained_tiny();
  StatesReport r{"tiny", trainer->spec(), 0.5, "", studied(*trainer)};
  const auto lines = [](const std::string& csv) { return std::count(csv.begin(), csv.end(), '\n'); };
  const std::string paths = states_projections_csv(r), variance = states_variance_csv(r),
                    currents = states_currents_csv(r);
  CHECK(lines(paths) == 1 + 5 * 7);
  CHECK(paths.find("\n4,") != std::string::npos);
  CHECK(paths.find(",6,3,") != std::string::npos);  // step 6 at 3 s
  CHECK(lines(variance) == 1 + 8);
  CHECK(lines(currents) == 1 + 2 * 4);
  CHECK(currents.find("to,from,kind,current,connections\nE,E,population,") == 0);
  CHECK(currents.find("\nI,input,input,") != std::string::npos);
  plot::Figure figure = states_figure(r);
  CHECK(figure.panels.size() == 3);
  CHECK(plot::to_svg(plot::drawing_of(figure)).find("final target +") != std::string::npos);
  r.study.components = {};
  r.study.no_components = "too many";
  CHECK(states_figure(r).panels.size() == 1);
  CHECK(lines(states_variance_csv(r)) == 1);
  const auto same = [](Color a, Color b) { return a.r == b.r && a.g == b.g && a.b == b.b; };
  for (size_t a = 0; a < 16; ++a)
    for (size_t b = 0; b < a; ++b) CHECK_FALSE(same(condition_color(a), condition_color(b)));
}
