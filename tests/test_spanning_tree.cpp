// The spanning tree against scipy, what pruning leaves of it against the hypergeometric distribution and SEEDS 3.8
// (tests/py/make_pruning_golden.py).
#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "doctest/doctest.h"
#include "pruning/spanning_tree.h"
#include "pruning_helpers.h"

using namespace dalea;
using namespace dalea::testing;
using nlohmann::json;

namespace {

Weights uniform(int64_t rows, int64_t cols, uint64_t seed = 1) {
  Rng rng(seed, Purpose::test, 901);
  std::vector<float> values;
  for (int64_t e = 0; e < rows * cols; ++e) values.push_back(1 - rng.uniform());
  return dense(rows, cols, std::move(values));
}

SpanningTree tree_of(const Weights& w) {
  Result<SpanningTree> t = maximum_spanning_tree(w);
  REQUIRE_MESSAGE(t.ok(), (t.ok() ? "" : t.error().text()));
  return std::move(*t);
}

// The least weight on the path between every pair of vertices of the tree, by walking from each vertex; -1: not
// connected. `repeats`: an edge led to a vertex already visited, so there is a cycle.
struct Paths {
  std::vector<std::vector<double>> least;
  bool repeats = false;
};

Paths paths_of(const Weights& w, const SpanningTree& t) {
  const int64_t n = w.rows + w.cols;
  std::vector<std::vector<std::pair<int64_t, double>>> next(n);
  for (int64_t at : t.entries) {
    const int64_t i = at % w.rows, j = w.rows + at / w.rows;
    const double v = std::fabs(static_cast<double>(w.values[at]));
    next[i].push_back({j, v});
    next[j].push_back({i, v});
  }
  Paths p;
  for (int64_t root = 0; root < n; ++root) {
    std::vector<double> least(n, -1);
    std::vector<std::pair<int64_t, int64_t>> stack{{root, -1}};
    least[root] = std::numeric_limits<double>::infinity();
    while (!stack.empty()) {
      const auto [v, from] = stack.back();
      stack.pop_back();
      for (const auto& [to, weight] : next[v]) {
        if (to == from) continue;
        if (least[to] >= 0) {
          p.repeats = true;
          continue;
        }
        least[to] = std::min(least[v], weight);
        stack.push_back({to, v});
      }
    }
    p.least.push_back(least);
  }
  return p;
}

}  // namespace

TEST_CASE("spanning tree: edges, weight and count are scipy's") {
  for (const json& c : pruning_golden()["trees"]) {
    const Weights w = dense(c["rows"], c["cols"], c["values"].get<std::vector<float>>());
    const SpanningTree t = tree_of(w);
    CHECK(t.edges() == c["edges"].get<int64_t>());
    CHECK(t.parts() == w.rows + w.cols - t.edges());
    CHECK(t.weight == doctest::Approx(c["weight"].get<double>()).epsilon(1e-12));
    std::vector<int64_t> entries = t.entries;
    std::sort(entries.begin(), entries.end());
    if (!c["entries"].empty()) CHECK(entries == c["entries"].get<std::vector<int64_t>>());
  }
}

TEST_CASE("spanning tree: no cycle, and no entry left out is heavier than its path in the tree") {
  for (uint64_t seed = 0; seed < 4; ++seed) {
    Weights w = uniform(seed == 1 ? 9 : 25, seed == 2 ? 7 : 25, seed);
    for (size_t e = 0; e < w.values.size(); ++e) {
      if (seed == 3) w.values[e] = std::floor(w.values[e] * 6) / 6;  // ties and zeros
      if (e % 2) w.values[e] = -w.values[e];
    }
    const SpanningTree t = tree_of(w);
    const Paths p = paths_of(w, t);
    CHECK_FALSE(p.repeats);
    CHECK(t.edges() == w.rows + w.cols - 1);
    for (int64_t k = 1; k < t.edges(); ++k)
      CHECK(std::fabs(w.values[t.entries[k - 1]]) >= std::fabs(w.values[t.entries[k]]));
    for (int64_t j = 0; j < w.cols; ++j)
      for (int64_t i = 0; i < w.rows; ++i) CHECK(std::fabs(static_cast<double>(w.at(i, j))) <= p.least[i][w.rows + j]);
  }
}

TEST_CASE("spanning tree: ties go to the first entry in column-major order") {
  const SpanningTree t = tree_of(dense(3, 4, std::vector<float>(12, -0.5f)));
  CHECK(t.entries == std::vector<int64_t>{0, 1, 2, 3, 6, 9});  // all of column 0, then row 0
  CHECK(t.weight == 3);
}

TEST_CASE("spanning tree: zeros are no edges, so there may be a forest or nothing") {
  const SpanningTree two = tree_of(dense(3, 3, {1, 2, 0, 3, 4, 0, 0, 0, -5}));
  CHECK(two.entries == std::vector<int64_t>{8, 4, 3, 1});
  CHECK(two.parts() == 2);
  const SpanningTree none = tree_of(dense(2, 3, std::vector<float>(6, 0.0f)));
  CHECK(none.edges() == 0);
  CHECK(none.parts() == 5);
  CHECK(tree_overlap(none, std::vector<uint8_t>(6, 1))->fraction == 0);
}

TEST_CASE("spanning tree: of a block, and of sparse storage") {
  const Weights w = uniform(30, 20);
  Result<SpanningTree> t = maximum_spanning_tree(w, {10, 22}, {3, 20});
  REQUIRE(t.ok());
  std::vector<float> values;
  for (int64_t j = 3; j < 20; ++j)
    for (int64_t i = 10; i < 22; ++i) values.push_back(w.at(i, j));
  const SpanningTree cut = tree_of(dense(12, 17, values));
  REQUIRE(t->edges() == 28);
  CHECK(t->weight == cut.weight);
  for (int64_t k = 0; k < 28; ++k) CHECK(t->entries[k] == (3 + cut.entries[k] / 12) * 30 + 10 + cut.entries[k] % 12);

  Weights dropped = w, s = w;
  std::vector<uint8_t> mask;
  s.values.clear();
  for (size_t e = 0; e < w.values.size(); ++e) {
    mask.push_back(e % 3 != 0);
    if (mask[e])
      s.values.push_back(w.values[e]);
    else
      dropped.values[e] = 0;
  }
  s.pattern = make_pattern(30, 20, mask);
  CHECK(tree_of(s).entries == tree_of(dropped).entries);
}

TEST_CASE("spanning tree: overlap goes by position, not by value") {
  const Weights w = dense(2, 2, {1, 1, 1, 1});
  const SpanningTree t = tree_of(w);  // entries 0, 1, 2
  CHECK(tree_overlap(t, {1, 1, 1, 0})->fraction == 1);
  CHECK(tree_overlap(t, {0, 0, 0, 1})->survived == 0);  // by value all three would seem to survive
  const TreeOverlap o = *tree_overlap(t, {0, 1, 1, 1});
  CHECK(o.survived == 2);
  CHECK(o.edges == 3);
  CHECK(o.fraction == doctest::Approx(2 / 3.0));
  CHECK(tree_overlap(t, {1, 1}).error().text().find("kept: has 2 entries") == 0);
}

TEST_CASE("spanning tree: the expectation of random pruning is hypergeometric, and its sum is the plain fraction") {
  for (const json& c : pruning_golden()["hypergeometric"]) {
    const int64_t edges = c["edges"], entries = c["entries"], kept = c["kept"];
    Result<std::vector<double>> p = random_overlap_distribution(edges, entries, kept);
    REQUIRE(p.ok());
    double sum = 0;
    for (double v : *p) sum += v;
    CHECK(sum == doctest::Approx(1).epsilon(1e-13));
    for (size_t q = 0; q < c["k"].size(); ++q) {
      const double pmf = c["pmf"][q];
      CAPTURE(c["k"][q].get<int64_t>());
      if (pmf < 1e-250)
        CHECK((*p)[c["k"][q].get<size_t>()] < 1e-249);
      else
        CHECK(std::fabs((*p)[c["k"][q].get<size_t>()] / pmf - 1) < 1e-8);
    }
    CHECK(*published_random_overlap(edges, entries, kept) == doctest::Approx(c["mean"].get<double>()).epsilon(1e-12));
    CHECK(*random_overlap(entries, kept) == doctest::Approx(c["mean"].get<double>()).epsilon(1e-12));
  }
}

TEST_CASE("spanning tree: the bounds, by hand") {
  // 4 x 4, p = 1, .9, .8, .7, .6, then .1: k = 4 contributes (4 - 4)^2 = 0.
  std::vector<double> p(16, 0.1);
  for (int k = 0; k < 5; ++k) p[15 - 3 * k] = 1 - 0.1 * k;
  const OverlapBound square = *top_prob_bound(p, 4, 4, 0.5);
  CHECK(square.published == doctest::Approx((0.9 + 0.8 + 0.7) / 7));
  CHECK(square.corrected == doctest::Approx((1 + 0.9 + 0.8) / 7));
  // 5 x 6: p_4 (1)(2) / 26; fewer entries kept than the tree has edges: as published, divided by int(.1 * 30) = 3.
  std::vector<double> q(30, 0.1);
  for (int k = 0; k < 5; ++k) q[3 * k] = 1 - 0.1 * k;
  const OverlapBound wide = *top_prob_bound(q, 5, 6, 0.9);
  CHECK(wide.published == doctest::Approx((0.9 + 0.8 + 0.7 + 0.6 * 2 / 26) / std::trunc((1 - 0.9) * 30)));
  CHECK(wide.corrected == doctest::Approx((1 + 0.9 + 0.8 + 0.7 * 2 / 26) / 10));
  CHECK(top_prob_bound(std::vector<double>(16, 0.0), 4, 4, 1)->published == 0);
  CHECK(top_prob_bound({1}, 1, 1, 0)->corrected == 1);
  CHECK(top_prob_bound({1}, 1, 1, 0)->published == 0);  // it skips the only edge
}

TEST_CASE("spanning tree: survival of random matrices, the reference table at N = 50") {
  OverlapStudyOptions o;
  o.sizes = {50};
  o.sparsities = {0.2, 0.4, 0.5, 0.6, 0.8, 0.9, 0.95};
  o.matrices = 24;
  Result<OverlapStudy> study = study_overlap(o, 3, Purpose::test);
  REQUIRE(study.ok());
  REQUIRE(study->points.size() == 21);
  const double top_prob[] = {1, 1, .974, .779, .390, .195, .097};
  const double bound[] = {.167, .167, .165, .132, .066, .033, .017};
  for (size_t k = 0; k < 7; ++k) {
    const OverlapPoint &random = study->points[k], &largest = study->points[7 + k], &top = study->points[14 + k];
    CAPTURE(top.sparsity);
    REQUIRE(top.method == PruneMethod::top_prob);
    REQUIRE(random.method == PruneMethod::random);
    const double s = o.sparsities[k];
    const double error = 4 / std::sqrt(24.0);  // four standard errors, and the rounding of the table
    CHECK(std::fabs(top.mean - top_prob[k]) < error * top.sd + 0.0006);
    CHECK(std::fabs(random.mean - (1 - s)) < error * random.sd);
    CHECK(random.random == doctest::Approx(1 - s));
    CHECK(std::fabs(top.bound.published - bound[k]) < 0.0015);
    CHECK(top.bound.corrected <= top.mean);
    CHECK(std::fabs(top.density - (1 - s)) < 0.01);
    CHECK((s > 0.9 || largest.mean >= 0.985));
    // Binomial: sd over matrices of a fraction of 99 edges.
    if (s < 0.95) CHECK(random.sd == doctest::Approx(std::sqrt(s * (1 - s) / 99)).epsilon(0.5));
  }
  CHECK(study->points[14].bound.corrected == study->points[0].bound.corrected);
}

TEST_CASE("spanning tree: as published, the overshoot of K raises the overlap (Q5)") {
  OverlapStudyOptions o;
  o.sizes = {10};
  o.sparsities = {0.6, 0.8};
  o.methods = {PruneMethod::top_prob};
  o.matrices = 10;
  o.draws = 10;
  const OverlapStudy corrected = *study_overlap(o, 1, Purpose::test);
  o.as_published = true;
  const OverlapStudy published = *study_overlap(o, 1, Purpose::test);
  for (int k : {0, 1}) {
    CHECK(published.points[k].mean > corrected.points[k].mean);
    CHECK(published.points[k].density / (1 - o.sparsities[k]) == doctest::Approx(100 / 90.0).epsilon(0.04));
    CHECK(corrected.points[k].density / (1 - o.sparsities[k]) == doctest::Approx(1).epsilon(0.04));
  }
}

TEST_CASE("spanning tree: keeping the largest keeps the tree, less so when it is small") {
  OverlapStudyOptions o;
  o.sizes = {10, 100};
  o.sparsities = {0.7, 0.9};
  o.methods = {PruneMethod::magnitude};
  o.matrices = 60;
  const OverlapStudy s = *study_overlap(o, 5, Purpose::test);
  CHECK(s.points[0].mean == doctest::Approx(0.98).epsilon(0.015));
  CHECK(s.points[1].mean == doctest::Approx(0.52).epsilon(0.02));
  CHECK(s.points[2].mean == 1);
  CHECK(s.points[3].mean > 0.99);
  CHECK(s.points[3].density == doctest::Approx(0.1));
}

TEST_CASE("spanning tree: survivors at s = .9: top-prob's density is proportional to the weight") {
  OverlapStudyOptions o;
  o.sizes = {150};
  o.sparsities = {0.9};
  o.matrices = 1;
  const OverlapStudy s = *study_overlap(o, 2, Purpose::test);
  REQUIRE(s.survivors.size() == 3);
  for (const Survivors& v : s.survivors) {
    CHECK(static_cast<double>(v.values.size()) == doctest::Approx(2250).epsilon(0.08));
    double mean = 0;
    for (float x : v.values) mean += static_cast<double>(x) / static_cast<double>(v.values.size());
    const double expected = v.method == PruneMethod::random ? 0.5 : v.method == PruneMethod::magnitude ? 0.95 : 2 / 3.0;
    CHECK(mean == doctest::Approx(expected).epsilon(0.03));
    if (v.method == PruneMethod::magnitude) CHECK(*std::min_element(v.values.begin(), v.values.end()) > 0.88f);
  }
  CHECK(s.points[0].sd == 0);
}

TEST_CASE("spanning tree: a study repeats with its seed; its default grid is the published one") {
  OverlapStudyOptions o;
  o.sizes = {6, 8};
  o.matrices = 3;
  const OverlapStudy a = *study_overlap(o, 1, Purpose::test), b = *study_overlap(o, 1, Purpose::test);
  const OverlapStudy c = *study_overlap(o, 2, Purpose::test), d = *study_overlap(o, 1, Purpose::test, 1);
  REQUIRE(a.points.size() == 2 * 3 * 21);
  bool other_seed = false, other_run = false;
  for (size_t k = 0; k < a.points.size(); ++k) {
    CHECK(a.points[k].mean == b.points[k].mean);
    CHECK(a.points[k].sd == b.points[k].sd);
    other_seed = other_seed || a.points[k].mean != c.points[k].mean;
    other_run = other_run || a.points[k].mean != d.points[k].mean;
    CHECK(a.points[k].sparsity == doctest::Approx(static_cast<double>(k % 21) * 0.05));
    if (k % 21 == 0) CHECK(a.points[k].mean == 1);
    if (k % 21 == 20) CHECK(a.points[k].mean == 0);
  }
  CHECK(other_seed);
  CHECK(other_run);
  // Mean and sd of two matrices, from the first alone and the mean.
  o.sparsities = {0.5};
  o.matrices = 1;
  const OverlapStudy one = *study_overlap(o, 1, Purpose::test);
  o.matrices = 2;
  const OverlapStudy two = *study_overlap(o, 1, Purpose::test);
  double spread = 0;
  for (size_t k = 0; k < two.points.size(); ++k) {
    CHECK(two.points[k].sd == doctest::Approx(std::sqrt(2.0) * std::fabs(one.points[k].mean - two.points[k].mean)));
    spread += two.points[k].sd;
  }
  CHECK(spread > 0);
  o.sparsities.clear();
  o.matrices = 3;
  // More masks or other sizes leave a matrix as it was.
  o.sizes = {8};
  o.draws = 2;
  const OverlapStudy e = *study_overlap(o, 1, Purpose::test);
  CHECK(e.points[21 + 14].mean == a.points[63 + 21 + 14].mean);  // by magnitude: the mask is the matrix's alone
  CHECK(e.survivors[0].values == a.survivors[3].values);
}

TEST_CASE("spanning tree: 1440 neurons") {
  const Weights w = uniform(1440, 1440);
  const SpanningTree t = tree_of(w);
  CHECK(t.parts() == 1);
  CHECK(t.weight / 2879 > 0.99);
  PruneOptions o;
  o.sparsity = 0.9;
  o.draw = PruneDraw::exact_count;
  Rng rng(1, Purpose::test);
  Result<PruneResult> r = prune(w, o, rng);
  REQUIRE(r.ok());
  CHECK(r->density.kept == 207360);
  CHECK(tree_overlap(t, r->kept)->fraction == doctest::Approx(0.2).epsilon(0.15));
}

TEST_CASE("spanning tree: wrong arguments are answered") {
  const Weights w = uniform(4, 4);
  CHECK(maximum_spanning_tree(w, {0, 5}, {0, 4}).error().text() == "post: is 0..5; the matrix has 0..4");
  CHECK(maximum_spanning_tree(w, {0, 4}, {3, 3}).error().text().find("pre: is 3..3, which is empty") == 0);
  Weights bad = w;
  bad.values[5] = std::numeric_limits<float>::quiet_NaN();
  CHECK(maximum_spanning_tree(bad).error().text().find("W(1, 1): is NaN") == 0);
  CHECK(maximum_spanning_tree(Weights{}).error().text().find("matrix: ") == 0);
  CHECK_FALSE(random_overlap(10, 11).ok());
  CHECK_FALSE(random_overlap(0, 0).ok());
  CHECK_FALSE(random_overlap_distribution(0, 10, 5).ok());
  CHECK_FALSE(random_overlap_distribution(11, 10, 5).ok());
  CHECK_FALSE(published_random_overlap(3, 10, -1).ok());
  CHECK_FALSE(top_prob_bound({0.5, 0.5}, 2, 2, 0.5).ok());
  CHECK_FALSE(top_prob_bound({0.5, 1.5}, 1, 2, 0.5).ok());
  CHECK_FALSE(top_prob_bound({0.5, 0.5}, 1, 2, -1).ok());
  CHECK_FALSE(top_prob_bound({0.5, std::numeric_limits<double>::quiet_NaN()}, 1, 2, 0).ok());
  const auto study = [](auto change) {
    OverlapStudyOptions o;
    o.sizes = {4};
    o.matrices = 1;
    change(o);
    Result<OverlapStudy> s = study_overlap(o, 1, Purpose::test);
    return s.ok() ? "" : s.error().path;
  };
  CHECK(study([](OverlapStudyOptions&) {}) == "");
  CHECK(study([](OverlapStudyOptions& o) { o.sizes = {4, 0}; }) == "sizes[1]");
  CHECK(study([](OverlapStudyOptions& o) { o.sizes.clear(); }) == "sizes");
  CHECK(study([](OverlapStudyOptions& o) { o.methods.clear(); }) == "methods");
  CHECK(study([](OverlapStudyOptions& o) { o.sparsities = {0.5, 1.01}; }) == "sparsities[1]");
  CHECK(study([](OverlapStudyOptions& o) { o.survivors_at = -1; }) == "survivors_at");
  CHECK(study([](OverlapStudyOptions& o) { o.matrices = 0; }) == "matrices");
  CHECK(study([](OverlapStudyOptions& o) { o.draws = 5000; }) == "draws");
  CHECK(study([](OverlapStudyOptions& o) { o.as_published = true, o.draw = PruneDraw::exact_count; }) == "draw");
}
