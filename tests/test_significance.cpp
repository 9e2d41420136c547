// Rank and permutation tests against scipy and enumeration (tests/py/make_statistics_golden.py), the published tables
// (SEEDS 2.5, 3.5, 3.6), identities, and simulated error rates.
#include "analysis/statistics.h"
#include "statistics_helpers.h"

using namespace dalea;
using namespace dalea::testing;

namespace {

// Two groups of five with U = u for the first: 0 .. 25.
std::pair<Vector, Vector> five_and_five(int u) {
  Vector a, b{10, 20, 30, 40, 50};
  for (int i = 0; i < 5; ++i) {
    const int beaten = std::min(5, std::max(0, u - 5 * i));
    a.push_back(10 * beaten + 5 + 0.1 * i);
  }
  return {a, b};
}

}  // namespace

TEST_CASE("Mann-Whitney agrees with scipy and, with ties, with enumeration") {
  for (const json& c : golden()["mann_whitney"]) {
    const Vector a = numbers(c["a"]), b = numbers(c["b"]);
    CAPTURE(a.size());
    CAPTURE(b.size());
    const MannWhitney exact = must(mann_whitney(a, b));
    const MannWhitney normal = must(mann_whitney(a, b, RankMethod::asymptotic));
    CHECK(exact.u == c["u"]);
    CHECK(exact.ties == c["ties"]);
    CHECK(exact.method == Method::exact);
    CHECK(normal.method == Method::asymptotic);
    CHECK(relative(exact.p, c["exact"]) < 1e-10);
    CHECK(relative(normal.p, c["asymptotic"]) < 1e-12);
    const MannWhitney other = must(mann_whitney(b, a));
    CHECK(other.u == static_cast<double>(a.size() * b.size()) - exact.u);
    CHECK(other.p == exact.p);
  }
  // Every value the same; too many for the exact distribution.
  const Vector ones(4, 1.0), many(100, 2.0);
  CHECK(must(mann_whitney(ones, ones)).p == 1);
  CHECK(must(mann_whitney(ones, ones, RankMethod::asymptotic)).p == 1);
  CHECK(must(mann_whitney(many, many)).method == Method::asymptotic);
}

TEST_CASE("Mann-Whitney gives the p-values of the published tables") {
  auto p = [](const Vector& a, const Vector& b) { return must(mann_whitney(a, b)).p; };
  CHECK(p(flip_dale, flip_conventional) == doctest::Approx(56.0 / 252).epsilon(1e-12));  // .22
  CHECK(p(flip_dale, flip_rectified) == doctest::Approx(24.0 / 252).epsilon(1e-12));     // .095
  CHECK(std::fabs(p(wave_dale, wave_conventional) - 0.42) < 0.005);
  CHECK(std::fabs(p(wave_dale, wave_rectified) - 0.84) < 0.005);
  CHECK(p(mnist_dale, mnist_conventional) == doctest::Approx(2.0 / 252).epsilon(1e-12));  // .008: the least possible
  CHECK(p(mnist_dale, mnist_rectified) == doctest::Approx(2.0 / 252).epsilon(1e-12));
  // The pruning figure: p per sparsity, their least and their mean (SEEDS 3.5, 3.6), all from possible U of 5 and 5.
  const Vector tables[3] = {
      {1, .095, .676, .144, .676, .676, .095, .012, .012, .012, .012, .012, .012, .037, 1},
      {1, .676, .403, .210, .296, .296, .296, .210, .144, .144, .144, .022, .037, .022, 1},
      {1, .676, .296, .296, .676, .403, .403, .060, .022, .012, .012, .012, .012, .012, 1},
  };
  const double least[3] = {.0122, .0216, .0122}, mean[3] = {.298, .327, .326};
  for (int task = 0; task < 3; ++task) {
    Vector full;
    for (double printed : tables[task]) {
      double nearest = 2;
      for (int u = 0; u <= 25; ++u) {
        const auto [a, b] = five_and_five(u);
        const MannWhitney r = must(mann_whitney(a, b, RankMethod::asymptotic));
        CHECK(r.u == u);
        if (std::fabs(r.p - printed) < std::fabs(nearest - printed)) nearest = r.p;
      }
      CHECK(std::fabs(nearest - printed) < 0.00051);
      full.push_back(nearest);
    }
    CHECK(std::fabs(*std::min_element(full.begin(), full.end()) - least[task]) < 0.00005);
    CHECK(std::fabs(must(mean_of(full)) - mean[task]) < 0.0006);
  }
}

TEST_CASE("Wilcoxon agrees with scipy and, with ties, with enumeration") {
  for (const json& c : golden()["wilcoxon"]) {
    const Vector a = numbers(c["a"]), b = numbers(c["b"]);
    const Wilcoxon exact = must(wilcoxon(a, b)), normal = must(wilcoxon(a, b, RankMethod::asymptotic));
    CHECK(exact.used == c["used"]);
    CHECK(exact.w_plus == c["w_plus"]);
    CHECK(exact.ties == c["ties"]);
    CHECK(relative(exact.p, c["exact"]) < 1e-10);
    CHECK(relative(normal.p, c["asymptotic"]) < 1e-11);
    CHECK(must(wilcoxon(b, a)).p == exact.p);
  }
  const Vector five{1, 2, 3, 4, 5}, zero(5, 0.0);
  CHECK(must(wilcoxon(five, zero)).p == 0.0625);  // SEEDS 3.6: the least with five runs
  CHECK(must(wilcoxon(five, five)).p == 1);
  CHECK(must(wilcoxon(five, five)).used == 0);
  CHECK(must(wilcoxon(Vector(300, 1.0), Vector(300, 0.0))).method == Method::asymptotic);
}

TEST_CASE("permutation tests agree with scipy's over all relabelings") {
  Rng rng(1, Purpose::test);
  for (const json& c : golden()["permutation"]) {
    const Vector a = numbers(c["a"]), b = numbers(c["b"]);
    for (const auto& [kind, name] :
         {std::pair{Statistic::mean_difference, "mean_difference"}, std::pair{Statistic::welch_t, "welch_t"}}) {
      const PermutationTest r = must(permutation_test(a, b, kind, rng));
      CHECK(r.method == Method::exact);
      CHECK(r.relabelings == c[name]["relabelings"]);
      CHECK(off(r.statistic, c[name]["statistic"]) < 1e-12);
      CHECK(off(r.p, c[name]["p"]) < 1e-12);
      CHECK(r.p * static_cast<double>(r.relabelings) >= 1);
      // Neither the unit nor the origin matters, nor which group is the first.
      Vector far_a = a, far_b = b;
      for (double& v : far_a) v = 1000 - 1e-9 * v;
      for (double& v : far_b) v = 1000 - 1e-9 * v;
      CHECK(std::fabs(must(permutation_test(far_a, far_b, kind, rng)).p - r.p) < 0.02);
      CHECK(must(permutation_test(b, a, kind, rng)).p == doctest::Approx(r.p).epsilon(1e-12));
    }
  }
}

TEST_CASE("permutation tests without spread, with ties, and by Monte Carlo") {
  Rng rng(2, Purpose::test);
  const Vector ones(5, 0.1), twos(5, 0.2);
  for (Statistic kind : {Statistic::mean_difference, Statistic::welch_t}) {
    CHECK(must(permutation_test(ones, ones, kind, rng)).p == 1);
    CHECK(must(permutation_test(ones, ones, kind, rng)).statistic == 0);
    CHECK(must(permutation_test(ones, twos, kind, rng)).p == doctest::Approx(2.0 / 252));
    CHECK(must(permutation_test({{0.1, 0.2, 0.3}}, {{0.3, 0.2, 0.1}}, kind, rng)).p == 1);  // zero but for rounding
  }
  CHECK(must(permutation_test(ones, twos, Statistic::welch_t, rng)).statistic == -infinity);
  CHECK(must(permutation_test(twos, ones, Statistic::welch_t, rng)).statistic == infinity);
  CHECK(must(permutation_test(ones, twos, Statistic::mean_difference, rng)).statistic == doctest::Approx(-0.1));

  // 12 + 12 runs: 2.7 million relabelings, so draws; close to Student's t on normal values.
  const Vector a = normals(rng, 12, 0.9), b = normals(rng, 12);
  const PermutationTest drawn = must(permutation_test(a, b, Statistic::mean_difference, rng, 4999));
  CHECK(drawn.method == Method::monte_carlo);
  CHECK(drawn.relabelings == 4999);
  CHECK(std::fabs(drawn.p - must(welch(a, b)).p) < 0.02);
  const double steps = drawn.p * 5000;
  CHECK(std::fabs(steps - std::round(steps)) < 1e-9);
  CHECK(must(permutation_test(normals(rng, 12, 50), b, Statistic::welch_t, rng, 99)).p == 0.01);  // (0 + 1) / (99 + 1)
  Rng one(7, Purpose::test), same(7, Purpose::test), another(8, Purpose::test);
  const double p1 = must(permutation_test(a, b, Statistic::welch_t, one, 999)).p;
  CHECK(p1 == must(permutation_test(a, b, Statistic::welch_t, same, 999)).p);
  CHECK(std::fabs(p1 - must(permutation_test(a, b, Statistic::welch_t, another, 999)).p) < 0.05);
}

TEST_CASE("Westfall-Young agrees with enumeration") {
  Rng rng(3, Purpose::test);
  for (const json& c : golden()["westfall_young"]) {
    const Vector a = numbers(c["a"]), b = numbers(c["b"]);
    const MaxT r = must(westfall_young({c["runs_a"], c["endpoints"], a}, {c["runs_b"], c["endpoints"], b}, rng));
    CHECK(r.method == Method::exact);
    CHECK(r.relabelings == c["relabelings"]);
    REQUIRE(r.p.size() == c["p"].size());
    for (size_t e = 0; e < r.p.size(); ++e) {
      CHECK(off(r.statistic[e], c["t"][e]) < 1e-10);
      CHECK(off(r.p[e], c["p"][e]) < 1e-12);
      CHECK(off(r.p_single_step[e], c["single"][e]) < 1e-12);
      CHECK(off(r.p_step_down[e], c["down"][e]) < 1e-12);
      CHECK(r.p[e] <= r.p_step_down[e]);
      CHECK(r.p_step_down[e] <= r.p_single_step[e]);
      CHECK(r.p[e] * static_cast<double>(r.relabelings) >= 1);
    }
  }
}

TEST_CASE("Westfall-Young: endpoints without spread, copies, one endpoint, and Monte Carlo") {
  Rng rng(4, Purpose::test);
  const Vector x = normals(rng, 5, 2), y = normals(rng, 5);
  const double alone = must(permutation_test(x, y, Statistic::welch_t, rng)).p;
  // Columns: the endpoint, a constant, a copy in another unit, two constants that differ between groups.
  Vector a, b;
  for (int i = 0; i < 5; ++i) {
    a.insert(a.end(), {x[i], 0.1, 3 * x[i] + 1, 0.3});
    b.insert(b.end(), {y[i], 0.1, 3 * y[i] + 1, 0.7});
  }
  const MaxT r = must(westfall_young({5, 4, a}, {5, 4, b}, rng));
  CHECK(r.statistic[1] == 0);
  CHECK(r.p[1] == 1);
  CHECK(r.p_single_step[1] == 1);
  CHECK(r.p_step_down[1] == 1);
  CHECK(r.statistic[3] == -infinity);
  CHECK(r.p[3] == doctest::Approx(2.0 / 252));
  CHECK(r.p_single_step[3] == doctest::Approx(2.0 / 252));
  CHECK(r.p[0] == doctest::Approx(alone));
  CHECK(r.p[2] == doctest::Approx(alone));
  for (const Vector* p : {&r.p, &r.p_single_step, &r.p_step_down})
    for (double v : *p) CHECK((v > 0 && v <= 1));
  // A copy and a constant cost nothing; Holm and Bonferroni would pay for them.
  Vector a3, b3;
  for (int i = 0; i < 5; ++i) {
    a3.insert(a3.end(), {x[i], x[i], 7});
    b3.insert(b3.end(), {y[i], y[i], 7});
  }
  CHECK(must(westfall_young({5, 3, a3}, {5, 3, b3}, rng)).p_single_step[0] == doctest::Approx(alone));
  CHECK(must(westfall_young({5, 1, x}, {5, 1, y}, rng)).p_step_down[0] == doctest::Approx(alone));

  const int64_t endpoints = 6;
  Vector big_a = normals(rng, 15 * endpoints), big_b = normals(rng, 15 * endpoints);
  for (int i = 0; i < 15; ++i) big_a[i * endpoints] += 5;
  const MaxT drawn = must(westfall_young({15, endpoints, big_a}, {15, endpoints, big_b}, rng, 199));
  CHECK(drawn.method == Method::monte_carlo);
  CHECK(drawn.relabelings == 199);
  CHECK(drawn.p_step_down[0] == 1.0 / 200);
  for (int e = 1; e < endpoints; ++e) CHECK(drawn.p_step_down[e] > 1.0 / 200);
}

TEST_CASE("without a difference the tests reject as often as they say") {
  Rng rng(5, Purpose::test);
  const int trials = 2000;
  int permutation_rejects = 0, rank_rejects = 0, welch_rejects = 0, shifted = 0;
  for (int k = 0; k < trials; ++k) {
    const Vector a = normals(rng, 5), b = normals(rng, 5), c = normals(rng, 5, 3);
    permutation_rejects += must(permutation_test(a, b, Statistic::mean_difference, rng)).p <= 0.05;
    rank_rejects += must(mann_whitney(a, b)).p <= 0.05;
    welch_rejects += must(welch(a, b)).p <= 0.05;
    if (k < 200) shifted += must(permutation_test(a, c, Statistic::welch_t, rng)).p <= 0.05;
  }
  // Attainable levels 12/252 = .0476 and 8/252 = .0317 exactly; Welch's is approximate. Bounds: 4 standard deviations.
  CHECK(std::fabs(permutation_rejects / 2000.0 - 12.0 / 252) < 4 * 0.0048);
  CHECK(std::fabs(rank_rejects / 2000.0 - 8.0 / 252) < 4 * 0.0040);
  CHECK(std::fabs(welch_rejects / 2000.0 - 0.045) < 0.02);
  CHECK(shifted > 190);
}

TEST_CASE("Westfall-Young keeps the family-wise error of correlated endpoints") {
  Rng rng(6, Purpose::test);
  const int trials = 500, endpoints = 8;
  int single = 0, down = 0, uncorrected = 0, found = 0;
  auto table = [&rng](double first) {
    Vector x;
    for (int run = 0; run < 5; ++run) {
      const double common = rng.normal();
      for (int e = 0; e < endpoints; ++e) x.push_back(common + rng.normal() + (e == 0 ? first : 0));
    }
    return x;
  };
  for (int k = 0; k < trials; ++k) {
    const bool effect = k % 2 == 1;  // in endpoint 0; the others stay without
    const Vector a = table(effect ? 8 : 0), b = table(0);
    const MaxT r = must(westfall_young({5, endpoints, a}, {5, endpoints, b}, rng));
    bool s = false, d = false, u = false;
    for (int e = effect ? 1 : 0; e < endpoints; ++e) {
      s |= r.p_single_step[e] <= 0.05;
      d |= r.p_step_down[e] <= 0.05;
      u |= r.p[e] <= 0.05;
    }
    single += s;
    down += d;
    uncorrected += u;
    found += effect && r.p_step_down[0] <= 0.05;
  }
  CHECK(single <= 25 + 4 * 5);  // 4 standard deviations above 5 %
  CHECK(down <= 25 + 4 * 5);
  CHECK(down >= single);
  CHECK(single >= 3);
  CHECK(uncorrected > 75);  // what the correction is for
  CHECK(found > 200);       // of 250
}
