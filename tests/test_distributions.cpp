// Histograms, densities and divergences against numpy and scipy (tests/py/make_statistics_golden.py).
#include "analysis/distributions.h"
#include "statistics_helpers.h"

using namespace dalea;
using namespace dalea::testing;

namespace {

const json& distributions() {
  return golden()["distributions"];
}

Vector normals_of(uint64_t seed, int64_t n, double sd) {
  Rng rng(seed, Purpose::test);
  Vector x;
  for (int64_t i = 0; i < n; ++i) x.push_back(sd * rng.normal());
  return x;
}

}  // namespace

TEST_CASE("histograms agree with numpy") {
  size_t k = 0;
  for (const json& s : distributions()["sets"]) {
    const Vector x = numbers(s);
    for (int way = 0; way < 2; ++way, ++k) {
      const json& c = distributions()["histograms"][k];
      const Histogram h = must(histogram(x, numbers(c["edges"])));
      CHECK(h.counts == c["counts"].get<std::vector<int64_t>>());
      CHECK(h.below == c["below"]);
      CHECK(h.above == c["above"]);
      CHECK(h.inside() + h.below + h.above == static_cast<int64_t>(x.size()));
      const Vector d = h.density();
      double integral = 0;
      for (size_t i = 0; i < d.size(); ++i) {
        CHECK(off(d[i], c["density"][i]) < 1e-13);
        integral += d[i] * (h.edges[i + 1] - h.edges[i]);
      }
      CHECK(integral == doctest::Approx(1).epsilon(1e-13));
    }
    const Histogram own = must(histogram_own_range(x, 25));
    CHECK(own.below + own.above == 0);
    CHECK(own.counts == distributions()["histograms"][k - 2]["counts"].get<std::vector<int64_t>>());
  }
  const Histogram h = must(histogram({{0, 1, 1, 2, 3, -1, 4}}, {{0, 1, 3}}));  // a value on an edge, the last edge
  CHECK(h.counts == std::vector<int64_t>{1, 4});
  CHECK(h.below == 1);
  CHECK(h.above == 1);
  const Histogram far = must(histogram({{5}}, {{0, 1}}));
  CHECK(far.density() == Vector{0});
  CHECK(must(histogram_own_range({{3, 3, 3}}, 2)).edges == Vector{2.5, 3, 3.5});  // a constant, as numpy
  const Vector a{0, 1}, b{-3, 0.5};
  const Values groups[] = {a, b};
  CHECK(must(common_edges(groups, 4)) == Vector{-3, -2, -1, 0, 1});
}

TEST_CASE("the kernel density agrees with scipy") {
  for (size_t k = 0; k < distributions()["sets"].size(); ++k) {
    const json& c = distributions()["kde"][k];
    const Vector grid = numbers(c["grid"]);
    const KernelDensity d = must(gaussian_kde(numbers(distributions()["sets"][k]), grid));
    CHECK(off(d.bandwidth, c["bandwidth"]) < 1e-14);
    for (size_t i = 0; i < grid.size(); ++i) CHECK(off(d.density[i], c["density"][i]) < 1e-12);
  }
  const Vector x = normals_of(1, 500, 0.1);
  const Vector grid = must(equal_edges(-1, 1, 400));
  double integral = 0;
  for (double d : must(gaussian_kde(x, grid)).density) integral += d * 2 / 400;
  CHECK(integral == doctest::Approx(1).epsilon(1e-9));
  CHECK(must(gaussian_kde({{0, 1}}, {{1e100}})).density[0] == 0);
}

TEST_CASE("divergences agree with scipy, as published and over common bins") {
  const json& g = distributions();
  for (const json& c : g["kl"]) {
    const Vector a = numbers(g["sets"][c["i"].get<size_t>()]), b = numbers(g["sets"][c["j"].get<size_t>()]);
    CHECK(off(must(kl_divergence(a, b, KlMethod::own_ranges, c["bins"])), c["own"]) < 1e-12);
    CHECK(off(must(kl_divergence(a, b, KlMethod::common_bins, c["bins"])), c["common"]) < 1e-12);
  }
  const json& e = g["entropy"];
  CHECK(off(must(relative_entropy(numbers(e["p"]), numbers(e["q"]))), e["value"]) < 1e-15);
  CHECK(must(relative_entropy({{1, 3}}, {{2, 6}})) == doctest::Approx(0).epsilon(1e-15));
}

TEST_CASE("the published divergence does not see a change of scale, the one over common bins does") {
  const Vector a = normals_of(2, 4000, 0.1);
  Vector wide = a;
  for (double& v : wide) v *= 4;
  CHECK(std::fabs(must(kl_divergence(a, wide, KlMethod::own_ranges))) < 1e-3);
  CHECK(must(kl_divergence(a, wide, KlMethod::common_bins)) > 0.5);
  CHECK(must(kl_divergence(a, a, KlMethod::common_bins)) == 0);
  // Normal distributions of sd 1 and 2: ln 2 - 3/8 in theory.
  const double kl = must(kl_divergence(normals_of(3, 200000, 1), normals_of(4, 200000, 2), KlMethod::common_bins));
  CHECK(std::fabs(kl - (std::log(2.0) - 0.375)) < 0.02);
}

TEST_CASE("pairs of runs, as the paper drew them and as they are") {
  const json& g = distributions();
  std::vector<Vector> sets;
  for (const json& s : g["sets"]) sets.push_back(numbers(s));
  const Values references[] = {sets[0], sets[1]}, others[] = {sets[2], sets[3]};
  const KlPairs r = must(kl_pairs(references, others, KlMethod::own_ranges));
  REQUIRE(r.pairs.size() == 4);
  for (size_t i = 0; i < 4; ++i) CHECK(off(r.pairs[i], g["pairs"]["values"][i]) < 1e-12);
  CHECK(off(r.mean, g["pairs"]["mean"]) < 1e-12);
  CHECK(off(r.sd, g["pairs"]["sd"]) < 1e-12);
  CHECK(off(r.variance, g["pairs"]["variance"]) < 1e-12);
  CHECK(r.published_bar == 0.5 * r.variance);
  const KlPairs single = must(kl_pairs(std::span(references, 1), std::span(others, 1), KlMethod::common_bins));
  CHECK(single.mean == single.pairs[0]);
  CHECK(single.sd == 0);
}

TEST_CASE("distributions have the same bits everywhere") {
  const Vector a{0.001417, 0.001649, 0.005097, 0.000823, 0.002983}, b{0.010593, 0.000783, 0.021691, 0.017240, 0.003452};
  CHECK(must(gaussian_kde(a, b)).density[1] == 0x1.7208dc506de6dp+7);
  CHECK(must(kl_divergence(a, b, KlMethod::own_ranges, 10)) == 0x1.1a6f1e45e77ccp+2);
}

TEST_CASE("hostile input to distributions is an error with a path and a remedy") {
  const Vector good{1, 2, 3}, none, broken{1, not_a_number}, constant{2, 2};
  auto path = [](const auto& r) {
    CHECK(!r.ok());
    if (r.ok()) return std::string("no error");
    CHECK(r.error().message.find(';') != std::string::npos);
    return r.error().path;
  };
  CHECK(path(equal_edges(0, 1, 0)) == "bins");
  CHECK(path(equal_edges(0, 1, int64_t{1} << 40)) == "bins");
  CHECK(path(equal_edges(1, 0, 5)) == "range");
  CHECK(path(equal_edges(not_a_number, 1, 5)) == "range[0]");
  CHECK(path(equal_edges(0, infinity, 5)) == "range[1]");
  CHECK(path(equal_edges(1, std::nextafter(1.0, 2.0), 5)) == "bins");
  CHECK(path(equal_edges(1e20, 1e20, 5)) == "bins");
  CHECK(path(common_edges({}, 5)) == "groups");
  const Values groups[] = {good, broken};
  CHECK(path(common_edges(groups, 5)) == "groups[1][1]");
  CHECK(path(histogram(broken, good)) == "x[1]");
  CHECK(path(histogram(none, good)) == "x");
  CHECK(path(histogram(good, {{1, 1}})) == "edges[1]");
  CHECK(path(histogram(good, {{1}})) == "edges");
  CHECK(path(histogram_own_range(none, 5)) == "x");
  CHECK(path(histogram_own_range(broken, 5)) == "x[1]");
  CHECK(path(gaussian_kde(constant, good)) == "x");
  CHECK(path(gaussian_kde(broken, good)) == "x[1]");
  CHECK(path(gaussian_kde(good, broken)) == "grid[1]");
  CHECK(path(gaussian_kde(Vector(40000, 1.0), Vector(40000, 1.0))) == "grid");
  CHECK(path(relative_entropy({{1, -1}}, {{1, 1}})) == "p[1]");
  CHECK(path(relative_entropy({{1, 1}}, {{1, 0}})) == "q[1]");
  CHECK(path(relative_entropy({{1, 1}}, {{0, 0}})) == "q");
  CHECK(path(relative_entropy({{1, 1}}, {{1, 1, 1}})) == "q");
  CHECK(path(kl_divergence(good, good, KlMethod::common_bins, 100, 0)) == "epsilon");
  CHECK(path(kl_divergence(good, broken, KlMethod::own_ranges)) == "other[1]");
  const Values fine[] = {good, good};
  CHECK(path(kl_pairs(fine, {}, KlMethod::common_bins)) == "others");
  CHECK(path(kl_pairs(fine, groups, KlMethod::common_bins)) == "references[0] || others[1].other[1]");
}
