// Co-activation (engine/analysis/coactivation.h): correlations against scipy and against statistics.h, homophily and
// silhouettes against plain loops and all permutations, the study of a trained network, its files.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "analysis/coactivation.h"
#include "analysis/statistics.h"
#include "common/coactivation_report.h"
#include "helpers.h"

using namespace dalea;
using namespace dalea::testing;

namespace {

using Links = std::vector<std::pair<int32_t, int32_t>>;

std::vector<float> correlations(const std::vector<float>& values, int64_t units, int threads = 1) {
  Workers workers(threads);
  Result<std::vector<float>> rho = spearman_matrix(values, units, workers);
  REQUIRE_MESSAGE(rho.ok(), (rho.ok() ? "" : rho.error().text()));
  return std::move(*rho);
}

Homophily homophily(const std::vector<float>& rho, int64_t units, const Links& links,
                    const std::vector<int32_t>& population, int64_t draws, int threads = 1) {
  Workers workers(threads);
  Result<Homophily> h = homophily_of(rho, units, links, population, 7, draws, workers);
  REQUIRE(h.ok());
  return std::move(*h);
}

Coactivation correlated(const Trainer& trainer, int threads = 1, const CoactivationOptions& options = {},
                        int64_t batch = 13) {
  Workers workers(threads);
  Result<Coactivation> c = study_coactivation(trainer.model(), trainer.data(), trainer.spec().populations, batch,
                                              best_isa(), workers, options);
  REQUIRE_MESSAGE(c.ok(), (c.ok() ? "" : c.error().text()));
  return std::move(*c);
}

// A symmetric matrix of 1 on the diagonal and `of(i, j)`, i < j, elsewhere.
template <class Of>
std::vector<float> symmetric(int64_t units, Of of) {
  std::vector<float> rho(static_cast<size_t>(units * units), 1.0f);
  for (int64_t i = 0; i < units; ++i)
    for (int64_t j = i + 1; j < units; ++j) rho[i * units + j] = rho[j * units + i] = static_cast<float>(of(i, j));
  return rho;
}

}  // namespace

TEST_CASE("coactivation: Spearman's correlations as scipy finds them, with ties and a unit that never varies") {
  const int64_t units = 5, samples = 40;
  std::vector<float> x;
  for (int64_t u = 0; u < units; ++u)
    for (int64_t s = 0; s < samples; ++s)
      x.push_back(static_cast<float>((s * s * 7 + u * u * 13 + s * u * 5) % 17) / 8 - 1);
  // scipy.stats.spearmanr, the lower triangle row by row
  const double expected[] = {-0.227186348737825, 0.256749091188647,  -0.107190412782956, -0.267053011590348,
                             0.382224396767697,  -0.116920171107751, -0.155746666627041, -0.077299742811171,
                             -0.105110535888991, -0.240889444722116};
  const std::vector<float> rho = correlations(x, units);
  size_t k = 0;
  for (int64_t i = 0; i < units; ++i)
    for (int64_t j = 0; j < i; ++j, ++k) {
      CHECK(std::fabs(static_cast<double>(rho[i * units + j]) - expected[k]) < 1e-7);
      CHECK(rho[i * units + j] == rho[j * units + i]);
    }
  for (int64_t i = 0; i < units; ++i) CHECK(rho[i * units + i] == 1);

  std::vector<float> still(x);
  std::fill(still.begin() + 2 * samples, still.begin() + 3 * samples, 0.3f);
  const std::vector<float> some = correlations(still, units);
  for (int64_t i = 0; i < units; ++i) {
    CHECK(std::isnan(some[2 * units + i]));
    CHECK(std::isnan(some[i * units + 2]));
  }
  CHECK(some[4 * units + 0] == rho[4 * units + 0]);
  Workers one(1);
  CHECK(!spearman_matrix(std::vector<float>(5, 1), 5, one).ok());
  still[3] = std::numeric_limits<float>::infinity();
  CHECK(!spearman_matrix(still, units, one).ok());
  CHECK(!spearman_matrix(x, units, one, [](double) { return false; }).ok());
  CHECK(!spearman_matrix({}, most_coactivation_units + 1, one).ok());
}

TEST_CASE("coactivation: more units than a block: threads change nothing, each pair is that of statistics.h") {
  const int64_t units = 150, samples = 31;
  std::vector<float> x;
  Rng rng(3, Purpose::test);
  for (int64_t k = 0; k < units * samples; ++k) x.push_back(std::floor(8 * rng.uniform()));
  const std::vector<float> rho = correlations(x, units);
  CHECK(correlations(x, units, 3) == rho);
  for (int64_t i = 0; i < units; i += 7)
    for (int64_t j = 0; j < i; j += 5) {
      const std::vector<double> a(x.begin() + i * samples, x.begin() + (i + 1) * samples),
          b(x.begin() + j * samples, x.begin() + (j + 1) * samples);
      const Result<Correlation> r = spearman(a, b);
      REQUIRE(r.ok());
      CHECK(static_cast<double>(rho[i * units + j]) == doctest::Approx(r->r).epsilon(1e-6));
    }
}

TEST_CASE("coactivation: homophily's means, and its p-value against all permutations") {
  const int64_t n = 6;
  const auto rho = symmetric(n, [](int64_t i, int64_t j) { return 0.1 * ((i * 5 + j * 3) % 11) - 0.4; });
  const Links links = {{0, 1}, {0, 3}, {1, 4}, {2, 5}};
  const std::vector<int32_t> population = {0, 0, 0, 1, 1, 1};
  const auto difference = [&](const std::vector<int32_t>& unit) {
    double in = 0, out = 0;
    for (int32_t a = 0; a < n; ++a)
      for (int32_t b = a + 1; b < n; ++b) {
        const bool linked = std::find(links.begin(), links.end(), std::pair{a, b}) != links.end();
        (linked ? in : out) += static_cast<double>(rho[unit[a] * n + unit[b]]);
      }
    return in / 4 - out / 11;
  };
  std::vector<int32_t> unit(n);
  std::iota(unit.begin(), unit.end(), 0);
  const double own = difference(unit);
  double above[2] = {}, below[2] = {}, all[2] = {}, mean = 0;
  do {
    const double d = difference(unit);
    const bool within = std::all_of(unit.begin(), unit.end(),
                                    [&](const int32_t& u) { return population[u] == population[&u - unit.data()]; });
    for (int k = 0; k < (within ? 2 : 1); ++k) {
      above[k] += d >= own - 1e-9 ? 1 : 0;
      below[k] += d <= own + 1e-9 ? 1 : 0;
      ++all[k];
    }
    if (within) mean += d / 36;
  } while (std::next_permutation(unit.begin(), unit.end()));
  CHECK(all[0] == 720);
  CHECK(all[1] == 36);
  const int64_t draws = 20000;
  const Homophily h = homophily(rho, n, links, population, draws);
  CHECK(h.connected.pairs == 4);
  CHECK(h.unconnected.pairs == 11);
  CHECK(h.difference == doctest::Approx(own).epsilon(1e-9));
  CHECK(h.difference == doctest::Approx(h.connected.mean - h.unconnected.mean).epsilon(1e-9));
  CHECK(std::fabs(h.p - std::min(1.0, 2 * std::min(above[0], below[0]) / all[0])) < 0.02);
  CHECK(std::fabs(h.p_within - std::min(1.0, 2 * std::min(above[1], below[1]) / all[1])) < 0.02);
  CHECK(std::fabs(h.expected_within - mean) < 0.01);
  CHECK(homophily(rho, n, links, population, 500, 3).p == homophily(rho, n, links, population, 500).p);
  // Links and no links changed: the same but for the sign.
  Links others;
  for (int32_t a = 0; a < n; ++a)
    for (int32_t b = a + 1; b < n; ++b)
      if (std::find(links.begin(), links.end(), std::pair{a, b}) == links.end()) others.emplace_back(a, b);
  const Homophily o = homophily(rho, n, others, population, 500);
  CHECK(o.difference == doctest::Approx(-own).epsilon(1e-9));
  CHECK(o.p == homophily(rho, n, links, population, 500).p);
}

TEST_CASE(
    "coactivation: homophily that populations explain wholly is gone within them; what cannot be tested says so") {
  const int64_t n = 16;
  const std::vector<int32_t> population = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1};
  const auto rho = symmetric(n, [&](int64_t i, int64_t j) { return population[i] == population[j] ? 0.5 : -0.1; });
  Links links, all;
  for (int32_t a = 0; a < n; ++a)
    for (int32_t b = a + 1; b < n; ++b) {
      if (population[a] == population[b]) links.emplace_back(a, b);
      all.emplace_back(a, b);
    }
  const Homophily h = homophily(rho, n, links, population, 999);
  CHECK(h.difference == doctest::Approx(0.6).epsilon(1e-6));
  CHECK(h.p <= 0.01);
  CHECK(h.p_within == 1);
  CHECK(h.expected_within == doctest::Approx(0.6).epsilon(1e-6));
  CHECK(homophily(rho, n, all, population, 99).untested.find("connected") != std::string::npos);
  CHECK(homophily(rho, n, {}, population, 99).untested.find("No two") == 0);
  Workers one(1);
  CHECK(!homophily_of(rho, n, links, population, 1, 99, one, [](double) { return false; }).ok());
}

TEST_CASE("coactivation: silhouettes as Rousseeuw has them") {
  const auto rho = symmetric(5, [](int64_t i, int64_t j) {
    return j == 4 ? -0.5 : i == 0 && j == 1 ? 0.8 : i == 2 && j == 3 ? 0.6 : 0.1;
  });
  Workers one(1);
  const Result<Silhouette> s = silhouette_of(rho, 5, {0, 0, 1, 1, 2}, 4, 1, 199, one);
  REQUIRE(s.ok());
  CHECK(s->of_group[0] == doctest::Approx(0.7 / 0.9).epsilon(1e-6));
  CHECK(s->of_group[1] == doctest::Approx(0.5 / 0.9).epsilon(1e-6));
  CHECK(s->of_group[2] == 0);         // alone in its group
  CHECK(std::isnan(s->of_group[3]));  // of nobody
  CHECK(s->mean == doctest::Approx((2 * 0.7 + 2 * 0.5) / 0.9 / 5).epsilon(1e-6));
  // Of the 30 ways to deal them out 2 are this good.
  CHECK(std::fabs(s->p - 2.0 / 30) < 0.06);
  const Result<Silhouette> single = silhouette_of(rho, 5, {0, 0, 0, 0, 0}, 1, 1, 199, one);
  REQUIRE(single.ok());
  CHECK(single->draws == 0);
  CHECK(std::isnan(single->mean));
}

TEST_CASE("coactivation: of a trained network, each pair, connection and group") {
  for (const char* more : {"", R"(,"connectivity":{"probability":0.4,"storage":"sparse"})",
                           R"(,"connectivity":{"probability":0.4,"storage":"dense"})"}) {
    auto trainer = trained_tiny(more);
    const Coactivation c = correlated(*trainer);
    CHECK(c.units == 20);
    CHECK(c.trials == 20);
    CHECK(c.by == "population");
    CHECK(c.groups == std::vector<std::string>{"E", "I"});
    std::vector<std::vector<double>> z(20);
    for (int64_t n = 0; n < 20; ++n) {
      const Trainer::Trace trace = trainer->trace(trainer->data().held_out, n);
      for (int64_t t = 0; t < 7; ++t)
        for (int64_t i = 0; i < 20; ++i) z[i].push_back(static_cast<double>(trace.activity[t * 20 + i]));
    }
    const Weights& w = trainer->model().parameters.W_rec;
    double sum[2] = {}, within = 0, signs[2] = {};
    int64_t pairs[2] = {}, inside = 0, directed[2] = {};
    for (int64_t i = 0; i < 20; ++i)
      for (int64_t j = i + 1; j < 20; ++j) {
        const Result<Correlation> r = spearman(z[i], z[j]);
        if (!r) {
          CHECK(std::isnan(c.rho[i * 20 + j]));
          continue;
        }
        CHECK(static_cast<double>(c.rho[i * 20 + j]) == doctest::Approx(r->r).epsilon(1e-5));
        const double rho = static_cast<double>(c.rho[i * 20 + j]);
        const int k = w.at(i, j) != 0 || w.at(j, i) != 0 ? 0 : 1;
        sum[k] += rho;
        ++pairs[k];
        if ((i < 16) == (j < 16)) {
          within += rho;
          ++inside;
        }
        for (const float v : {w.at(i, j), w.at(j, i)})
          if (v != 0) {
            signs[v > 0 ? 0 : 1] += rho;
            ++directed[v > 0 ? 0 : 1];
          }
      }
    const Homophily& h = c.homophily;
    CHECK(h.connected.pairs == pairs[0]);
    CHECK(h.unconnected.pairs == pairs[1]);
    if (pairs[0] > 0) CHECK(h.connected.mean == doctest::Approx(sum[0] / pairs[0]).epsilon(1e-9));
    if (pairs[1] > 0) CHECK(h.unconnected.mean == doctest::Approx(sum[1] / pairs[1]).epsilon(1e-9));
    CHECK(h.untested.empty() == (pairs[0] > 0 && pairs[1] > 0));
    CHECK(c.within.pairs == inside);
    CHECK(c.within.mean == doctest::Approx(within / inside).epsilon(1e-9));
    CHECK(c.excitatory.pairs == directed[0]);
    CHECK(c.inhibitory.pairs == directed[1]);
    if (directed[1] > 0) CHECK(c.inhibitory.mean == doctest::Approx(signs[1] / directed[1]).epsilon(1e-9));
    int64_t all = 0;
    for (size_t g = 0; g < 2; ++g)
      for (size_t k = g; k < 2; ++k) all += c.connected[g * 2 + k].pairs + c.unconnected[g * 2 + k].pairs;
    CHECK(all == pairs[0] + pairs[1]);
    const Coactivation again = correlated(*trainer, 3, {}, 7);  // threads and batches change nothing
    CHECK(again.homophily.p == h.p);
    CHECK(again.silhouette.p == c.silhouette.p);
    CHECK(std::equal(c.rho.begin(), c.rho.end(), again.rho.begin(),
                     [](float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }));
  }
}

TEST_CASE("coactivation: groups by area, and what cannot be studied") {
  const Spec spec = spec_of(
      R"({"dalea":1,"populations":[{"name":"a","size":6,"sign":"+","area":"V1"},{"name":"b","size":2,"sign":"-",)"
      R"("area":"V1"},{"name":"c","size":6,"sign":"+","area":"LM"}],)"
      R"("task":{"steps":7,"train":60,"validation":20,"held_out":20},"training":{"epochs":1,"batch":20}})");
  auto trainer = trainer_of(spec);
  const Coactivation c = correlated(*trainer);
  CHECK(c.by == "area");
  CHECK(c.groups == std::vector<std::string>{"V1", "LM"});
  CHECK(c.group[7] == 0);
  CHECK(c.group[8] == 1);
  CHECK(correlated(*trainer, 1, {"population", 99, 1}).groups.size() == 3);
  Workers one(1);
  const auto error = [&](const CoactivationOptions& options, const std::function<bool(double)>& progress = nullptr) {
    const auto study =
        study_coactivation(trainer->model(), trainer->data(), spec.populations, 20, best_isa(), one, options, progress);
    return study.ok() ? "" : study.error().text();
  };
  CHECK(error({"layer", 99, 1}).find("no population has one") != std::string::npos);
  CHECK(error({"colour", 99, 1}).find("no grouping") != std::string::npos);
  CHECK(error({"", 0, 1}).find("draws") == 0);
  double last = 0;
  int heard = 0;
  CHECK(error({}, [&](double part) {
          CHECK(part >= last);
          CHECK(part <= 1);
          last = part;
          ++heard;
          return true;
        }) == "");
  CHECK(heard > 10);
  for (int stop : {1, 3, heard / 2, heard - 1}) {
    int left = stop;
    CHECK(error({}, [&](double) { return left-- > 0; }) == "cancelled");
  }
  const CoactivationReport report = {"test", spec, c};
  const std::string csv = coactivation_groups_csv(report), matrix = coactivation_matrix_csv(report);
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 4);  // the header, V1 and V1, V1 and LM, LM and LM
  CHECK(std::count(matrix.begin(), matrix.end(), '\n') == 15);
  CHECK(matrix.find("\nb 2,") != std::string::npos);
  CHECK(coactivation_sentences(c).size() >= 3);
  CHECK(plot::to_svg(plot::drawing_of(coactivation_figure(report))).find("Silhouette by area") != std::string::npos);
}
