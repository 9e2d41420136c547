// Pruning against the formulas of SEEDS 3 (tests/py/make_pruning_golden.py), and what must hold for every mask.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "doctest/doctest.h"
#include "numerics/hash.h"
#include "pruning/pruning.h"
#include "pruning_helpers.h"

using namespace dalea;
using namespace dalea::testing;
using nlohmann::json;

namespace {

Weights dense_of(const json& c) {
  return dense(c["rows"], c["cols"], c["values"].get<std::vector<float>>());
}

// |W| = normal^power, columns of alternating sign, a fraction of zeros.
Weights matrix(int64_t rows, int64_t cols, double zeros = 0, int power = 1, uint64_t seed = 1) {
  Rng rng(seed, Purpose::test, 900);
  std::vector<float> values;
  for (int64_t j = 0; j < cols; ++j)
    for (int64_t i = 0; i < rows; ++i) {
      const double x = std::fabs(rng.normal()) + 1e-6;
      const bool zero = static_cast<double>(rng.uniform()) < zeros;
      values.push_back(zero ? 0.0f : static_cast<float>((j % 2 ? -0.1 : 0.1) * (power == 2 ? x * x : x)));
    }
  return dense(rows, cols, std::move(values));
}

Weights sparse_of(const Weights& w) {
  std::vector<uint8_t> mask;
  Weights s = w;
  s.values.clear();
  for (size_t e = 0; e < w.values.size(); ++e) {
    mask.push_back(w.values[e] != 0 || e % 7 == 0);  // some stored entries hold 0, as Dale's projection leaves them
    if (mask.back()) s.values.push_back(w.values[e]);
  }
  s.pattern = make_pattern(w.rows, w.cols, mask);
  return s;
}

PruneOptions options_of(PruneMethod method, double sparsity) {
  PruneOptions o;
  o.method = method;
  o.sparsity = sparsity;
  return o;
}

PruneResult pruned(const Weights& w, const PruneOptions& o, uint64_t seed = 1) {
  Rng rng(seed, Purpose::test, 1);
  Result<PruneResult> r = prune(w, o, rng);
  REQUIRE_MESSAGE(r.ok(), (r.ok() ? "" : r.error().text()));
  return std::move(*r);
}

KeepProbabilities probabilities(const Weights& w, const PruneOptions& o) {
  Result<KeepProbabilities> p = keep_probabilities(w, o);
  REQUIRE_MESSAGE(p.ok(), (p.ok() ? "" : p.error().text()));
  return std::move(*p);
}

std::string failure(const Weights& w, const PruneOptions& o) {
  Rng rng(1, Purpose::test);
  Result<PruneResult> r = prune(w, o, rng);
  Result<KeepProbabilities> p = keep_probabilities(w, o);
  CHECK(r.ok() == p.ok());
  return r.ok() ? "" : r.error().text();
}

int64_t count(const std::vector<uint8_t>& mask) {
  return std::count(mask.begin(), mask.end(), 1);
}

int64_t non_zeros(const Weights& w) {
  return std::count_if(w.values.begin(), w.values.end(), [](float v) { return v != 0; });
}

uint64_t hash_of_mask(const std::vector<uint8_t>& mask) {
  Fnv1a h;
  for (size_t e = 0; e < mask.size(); ++e)
    if (mask[e]) h.u32(static_cast<uint32_t>(e));
  return h.value();
}

constexpr PruneMethod all_methods[] = {PruneMethod::random, PruneMethod::magnitude, PruneMethod::top_prob};

}  // namespace

TEST_CASE("pruning: names of methods and draws, and what a wrong one is told") {
  for (PruneMethod m : all_methods) CHECK(*parse_prune_method(text_of(m)) == m);
  CHECK(std::string(text_of(PruneMethod::top_prob)) == "top-prob");
  CHECK(*parse_prune_draw("exact-count") == PruneDraw::exact_count);
  CHECK(parse_prune_method("top_prob", "pruning.method").error().text() ==
        "pruning.method: 'top_prob' is not one of random, magnitude, top-prob");
  CHECK(parse_prune_draw("").error().text() == "draw: '' is not one of bernoulli, exact-count");
}

TEST_CASE("pruning: the published densities are numpy's") {
  const std::vector<double> grid = published_densities();
  REQUIRE(grid.size() == 15);
  for (size_t k = 0; k < grid.size(); ++k) CHECK(grid[k] == pruning_golden()["densities"][k].get<double>());
}

TEST_CASE("pruning: top-prob probabilities, published step by step and corrected by solving for the shift") {
  for (const json& c : pruning_golden()["probabilities"]) {
    const Weights w = dense_of(c);
    for (const json& rule : c["rules"]) {
      PruneOptions o = options_of(PruneMethod::top_prob, rule["sparsity"]);
      o.as_published = rule["rule"] == "published";
      if (o.as_published) {
        o.published_tiny_zeros = rule["tiny"];
        if (!rule["share"]) o.blocks.push_back({{0, w.rows}, {0, w.cols}, o.sparsity, std::nullopt});
      } else {
        o.include_diagonal = rule["diagonal"];
      }
      CAPTURE(rule.dump().substr(rule.dump().size() - 80));
      const KeepProbabilities p = probabilities(w, o);
      double worst = 0, sum = 0;
      for (size_t e = 0; e < p.keep.size(); ++e) {
        worst = std::max(worst, std::fabs(p.keep[e] - rule["keep"][e].get<double>()));
        sum += p.keep[e];
        CHECK((p.keep[e] >= 0 && p.keep[e] <= 1));
      }
      CHECK(worst < 1e-12);
      CHECK(p.expected == doctest::Approx(sum).epsilon(1e-14));
      CHECK(p.lost == doctest::Approx(rule.value("lost", 0.0)).epsilon(1e-12));
    }
  }
}

TEST_CASE("pruning: corrected probabilities sum to n (1 - s), or to all eligible entries if there are fewer") {
  for (double zeros : {0.0, 0.4})
    for (int power : {1, 2})
      for (double s : {0.0, 0.05, 0.3, 0.59, 0.61, 0.9, 0.999, 1.0})
        for (bool diagonal : {true, false})
          for (PruneMethod m : {PruneMethod::random, PruneMethod::top_prob}) {
            const Weights w = matrix(40, 30, zeros, power);
            PruneOptions o = options_of(m, s);
            o.include_diagonal = diagonal;
            const KeepProbabilities p = probabilities(w, o);
            int64_t eligible = non_zeros(w);
            for (int64_t i = 0; i < 30 && !diagonal; ++i) eligible -= w.at(i, i) != 0;
            CHECK(p.expected ==
                  doctest::Approx(std::min(1200 * (1 - s), static_cast<double>(eligible))).epsilon(1e-11));
            CHECK(p.surplus == 0);
            CHECK(p.lost == 0);
            for (size_t e = 0; e < p.keep.size(); ++e)
              if (w.values[e] == 0) CHECK(p.keep[e] == 0);
          }
}

TEST_CASE("pruning: below the cut top-prob is K |W|") {
  const Weights w = dense(2, 2, {1, -2, 3, -4});
  const KeepProbabilities p = probabilities(w, options_of(PruneMethod::top_prob, 0.75));
  for (int e = 0; e < 4; ++e) CHECK(p.keep[e] == doctest::Approx((e + 1) * 0.1).epsilon(1e-15));
  CHECK(p.rounds == 0);
  // Three of four: .3 .6 .9 1.2, the surplus .2 in thirds: .366 .666 .966 1.
  const KeepProbabilities q = probabilities(w, options_of(PruneMethod::top_prob, 0.25));
  for (int e = 0; e < 3; ++e) CHECK(q.keep[e] == doctest::Approx((e + 1) * 0.3 + 0.2 / 3).epsilon(1e-15));
  CHECK(q.keep[3] == 1);
  CHECK(q.rounds == 1);
}

TEST_CASE("pruning: sharing takes few rounds, whatever the weights") {
  int most = 0;
  for (int shape = 0; shape < 4; ++shape) {
    std::vector<float> values;
    for (int k = 0; k < 4096; ++k) {
      const float x = static_cast<float>(k + 1) / 4096;
      values.push_back(shape == 0   ? std::ldexp(1.0f, 100 - k % 240)  // the whole range of float, denormal too
                       : shape == 1 ? x
                       : shape == 2 ? 1 - x * x * x * x * x * x + 1e-6f
                                    : 1 / x);
    }
    for (double s : {0.001, 0.01, 0.1, 0.5, 0.9}) {
      const KeepProbabilities p = probabilities(dense(64, 64, values), options_of(PruneMethod::top_prob, s));
      CHECK(p.expected == doctest::Approx(4096 * (1 - s)).epsilon(1e-11));
      CHECK(p.rounds < 60);
      most = std::max(most, p.rounds);
    }
  }
  CHECK(most > 4);
}

TEST_CASE("pruning: as published, the unused diagonal and zeros raise top-prob's density (Q5, F13)") {
  const auto excess = [](int64_t n, double zeros) {
    PruneOptions o = options_of(PruneMethod::top_prob, 0.95);
    o.as_published = true;
    o.published_tiny_zeros = false;
    const Weights w = matrix(n, n, zeros);
    double published = 0;
    const KeepProbabilities p = probabilities(w, o);
    published = p.expected + p.lost;
    o.as_published = false;
    const double corrected = probabilities(w, o).expected;
    CHECK(corrected == doctest::Approx(0.05 * n * n).epsilon(1e-12));
    return published / (0.05 * n * n);
  };
  CHECK(excess(128, 0) == doctest::Approx(1.0079).epsilon(5e-5));
  CHECK(excess(16, 0) == doctest::Approx(1.067).epsilon(4e-4));
  CHECK(excess(128, 0.1) == doctest::Approx(1.12).epsilon(0.008));
  CHECK(excess(128, 0.2) == doctest::Approx(1.26).epsilon(0.01));
  CHECK(excess(128, 0.5) == doctest::Approx(2).epsilon(0.03));
}

TEST_CASE("pruning: published blocks do not share the surplus and end too thin (Q5)") {
  Weights w = matrix(192, 192, 0, 2);
  for (const auto& [p, deficit] : {std::pair{0.3, 0.89}, {0.6, 0.68}}) {
    PruneOptions o = options_of(PruneMethod::top_prob, 0);
    o.blocks.push_back({{0, 192}, {0, 192}, 1 - p, std::nullopt});
    o.as_published = true;
    const KeepProbabilities published = probabilities(w, o);
    CHECK(published.expected / (p * 192 * 192) == doctest::Approx(deficit).epsilon(0.012));
    CHECK((published.expected + published.surplus) / (p * 192 * 192) == doctest::Approx(192 / 191.0).epsilon(1e-9));
    o.as_published = false;
    CHECK(probabilities(w, o).expected == doctest::Approx(p * 192 * 192).epsilon(1e-11));
  }
}

TEST_CASE("pruning: as published, random pruning spends its budget on dead weights (Q4)") {
  const Weights w = matrix(100, 100, 0.5);
  PruneOptions o = options_of(PruneMethod::random, 0.7);
  const double alive = static_cast<double>(non_zeros(w)) / 1e4;
  const PruneResult fair = pruned(w, o);
  CHECK(fair.density.achieved == doctest::Approx(0.3).epsilon(0.06));
  CHECK(fair.density.effective > 0.97 * fair.density.achieved);  // only weights below the tolerance are missing
  o.as_published = true;
  const PruneResult published = pruned(w, o);
  CHECK(published.density.expected == doctest::Approx(0.3).epsilon(1e-12));
  CHECK(published.density.achieved == doctest::Approx(0.3).epsilon(0.06));
  CHECK(published.density.effective == doctest::Approx(0.3 * alive).epsilon(0.1));
  int64_t dead = 0;
  for (size_t e = 0; e < w.values.size(); ++e) dead += published.kept[e] && w.values[e] == 0;
  CHECK(dead > 1200);  // part of the mask, so that retraining could revive them
  // On true zeros the published formula keeps p + q - 1 of the non-zeros: too few, and none at all below 0.
  o.published_tiny_zeros = false;
  o.sparsity = 0.25;
  CHECK(probabilities(w, o).expected / 1e4 == doctest::Approx((0.75 + alive - 1) * alive).epsilon(1e-9));
  o.sparsity = 0.9;
  CHECK(pruned(w, o).density.kept == 0);
  o.as_published = false;
  CHECK(pruned(w, o).density.kept > 900);
}

TEST_CASE("pruning: as published, top-prob draws a zero only with shared mass (Q4)") {
  const Weights w = matrix(100, 100, 0.5, 2);
  PruneOptions o = options_of(PruneMethod::top_prob, 0.8);
  o.as_published = true;
  const KeepProbabilities tiny = probabilities(w, o);
  CHECK(tiny.lost == 0);
  o.published_tiny_zeros = false;
  const KeepProbabilities lost = probabilities(w, o);
  CHECK(lost.lost > 100);
  double on_zeros = 0;
  for (size_t e = 0; e < w.values.size(); ++e) {
    if (w.values[e] != 0) continue;
    on_zeros += tiny.keep[e];
    CHECK(lost.keep[e] == 0);
  }
  CHECK(on_zeros > 50);
}

TEST_CASE("pruning: Bernoulli counts stay within their binomial limits") {
  const Weights w = matrix(60, 50, 0.2, 2);
  for (PruneMethod m : {PruneMethod::random, PruneMethod::top_prob})
    for (bool published : {false, true})
      for (double s : {0.4, 0.9}) {
        PruneOptions o = options_of(m, s);
        o.as_published = published;
        const KeepProbabilities p = probabilities(w, o);
        double variance = 0, total = 0;
        for (double k : p.keep) variance += k * (1 - k);
        for (uint64_t seed = 0; seed < 20; ++seed) {
          const PruneResult r = pruned(w, o, seed);
          const double off = static_cast<double>(r.density.kept) - p.expected;
          CHECK(std::fabs(off) < 4.5 * std::sqrt(variance));
          CHECK(r.density.expected * 3000 == doctest::Approx(p.expected));
          total += off;
        }
        CHECK(std::fabs(total) < 4 * std::sqrt(20 * variance));
      }
}

TEST_CASE("pruning: an exact count is exact") {
  for (PruneMethod m : all_methods)
    for (double zeros : {0.0, 0.3})
      for (int power : {1, 2})
        for (double s : published_densities()) {
          const Weights w = matrix(37, 29, zeros, power);
          PruneOptions o = options_of(m, 1 - s);
          o.draw = PruneDraw::exact_count;
          for (uint64_t seed = 0; seed < 3; ++seed) {
            const PruneResult r = pruned(w, o, seed);
            CHECK(r.density.kept == std::min<int64_t>(std::llround(37 * 29 * s), non_zeros(w)));
            CHECK(count(r.kept) == r.density.kept);
            CHECK(r.density.expected == doctest::Approx(r.density.achieved).epsilon(1e-11));
          }
        }
}

TEST_CASE("pruning: with an exact count every entry keeps its probability") {
  const Weights w = dense(5, 4, {9, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 1, 1, 30, 2, 2, 0, 3, 3, 40});
  for (PruneMethod m : {PruneMethod::random, PruneMethod::top_prob}) {
    PruneOptions o = options_of(m, 0.6);
    o.draw = PruneDraw::exact_count;
    const KeepProbabilities p = probabilities(w, o);
    constexpr int n = 20000;
    std::vector<int> kept(20), together(20);
    for (uint64_t seed = 0; seed < n; ++seed) {
      const PruneResult r = pruned(w, o, seed);
      for (int e = 0; e < 20; ++e) {
        kept[e] += r.kept[e];
        together[e] += r.kept[e] && r.kept[(e + 1) % 20];
      }
    }
    for (int e = 0; e < 20; ++e) {
      CAPTURE(e);
      CHECK(std::fabs(kept[e] - n * p.keep[e]) <= 4.5 * std::sqrt(n * p.keep[e] * (1 - p.keep[e])));
      if (p.keep[e] > 0.05 && p.keep[(e + 1) % 20] > 0.05)
        CHECK(together[e] > 0);  // neighbours do not exclude each other
    }
  }
}

TEST_CASE("pruning: by magnitude is a sort, ties to the first index") {
  Weights w = matrix(23, 17, 0.2);
  for (float& v : w.values) v = std::round(v * 50) / 50;  // many ties
  std::vector<size_t> order(w.values.size());
  for (size_t e = 0; e < order.size(); ++e) order[e] = e;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return std::fabs(w.values[a]) > std::fabs(w.values[b]); });
  for (double s : {0.0, 0.3, 0.5, 0.77, 0.99, 1.0}) {
    const PruneResult r = pruned(w, options_of(PruneMethod::magnitude, s));
    const int64_t k = std::min<int64_t>(std::llround(23 * 17 * (1 - s)), non_zeros(w));
    std::vector<uint8_t> expected(order.size(), 0);
    for (int64_t q = 0; q < k; ++q) expected[order[q]] = 1;
    CHECK(r.kept == expected);
    CHECK(pruned(w, options_of(PruneMethod::magnitude, s), 99).kept == expected);
  }
}

TEST_CASE("pruning: the input stays as it was, kept values as they are, dense and sparse agree") {
  const Weights w = matrix(31, 26, 0.4, 2), s = sparse_of(w);
  for (PruneMethod m : all_methods)
    for (PruneDraw draw : {PruneDraw::bernoulli, PruneDraw::exact_count})
      for (bool published : {false, true}) {
        if (published && draw == PruneDraw::exact_count) continue;
        PruneOptions o = options_of(m, 0.7);
        o.draw = draw;
        o.as_published = published;
        const Weights before = w, sparse_before = s;
        const PruneResult a = pruned(w, o), b = pruned(s, o);
        CHECK(std::memcmp(w.values.data(), before.values.data(), w.values.size() * sizeof(float)) == 0);
        CHECK(std::memcmp(s.values.data(), sparse_before.values.data(), s.values.size() * sizeof(float)) == 0);
        CHECK(s.pattern == sparse_before.pattern);
        CHECK(a.kept == b.kept);
        CHECK(a.density.effective == b.density.effective);
        CHECK_FALSE(a.weights.sparse());
        REQUIRE(b.weights.sparse());
        CHECK(b.weights.pattern->count() == a.density.kept);
        CHECK(a.pattern()->row == b.weights.pattern->row);
        CHECK(a.weights.name == "W");
        std::vector<float> survivors;
        for (int64_t j = 0; j < w.cols; ++j)
          for (int64_t i = 0; i < w.rows; ++i) {
            const bool kept = a.kept[j * w.rows + i] != 0;
            if (kept) survivors.push_back(w.at(i, j));
            if (kept && !(published && m != PruneMethod::magnitude)) CHECK(w.at(i, j) != 0);
            CHECK(a.weights.at(i, j) == (kept ? w.at(i, j) : 0.0f));
            CHECK(b.weights.at(i, j) == a.weights.at(i, j));
            CHECK_FALSE(std::signbit(kept ? 0.0f : a.weights.at(i, j)));
          }
        CHECK(surviving_weights(a) == survivors);
        CHECK(surviving_weights(b) == survivors);
      }
}

TEST_CASE("pruning: effective density counts what is larger than the tolerance") {
  const Weights w = dense(2, 3, {1e-5f, 2e-5f, -1e-6f, 0.5f, 0.0f, -3.0f});
  PruneOptions o = options_of(PruneMethod::magnitude, 0);
  const PruneResult r = pruned(w, o);
  CHECK(r.density.nominal == 1);
  CHECK(r.density.achieved == doctest::Approx(5 / 6.0));
  CHECK(r.density.expected == r.density.achieved);
  CHECK(r.density.effective == doctest::Approx(3 / 6.0));
  o.tolerance = 0.5;  // exactly the tolerance is not above it
  CHECK(pruned(w, o).density.effective == doctest::Approx(1 / 6.0));
  o.tolerance = 0;
  CHECK(pruned(w, o).density.effective == doctest::Approx(5 / 6.0));
}

TEST_CASE("pruning: the draw of an entry depends on nothing but the entry") {
  const Weights w = matrix(50, 50);
  std::vector<uint8_t> previous(2500, 1);
  for (double s : {0.1, 0.5, 0.9}) {  // random masks are nested
    const PruneResult r = pruned(w, options_of(PruneMethod::random, s));
    for (size_t e = 0; e < 2500; ++e) CHECK(r.kept[e] <= previous[e]);
    previous = r.kept;
  }
  PruneOptions o = options_of(PruneMethod::random, 0);
  o.blocks = {{{0, 20}, {0, 50}, 0.9, {}}, {{20, 50}, {0, 50}, 0.3, {}}};
  const PruneResult a = pruned(w, o);
  for (int64_t j = 0; j < 50; ++j)
    for (int64_t i = 0; i < 20; ++i) CHECK(a.kept[j * 50 + i] == previous[j * 50 + i]);  // as in the whole matrix at .9
  o.blocks[1].sparsity = 0.99;
  o.blocks[1].method = PruneMethod::top_prob;
  const PruneResult b = pruned(w, o);
  for (int64_t j = 0; j < 50; ++j)
    for (int64_t i = 0; i < 20; ++i) CHECK(b.kept[j * 50 + i] == a.kept[j * 50 + i]);
  CHECK(pruned(w, o, 2).kept != b.kept);
  // A stream that goes on gives another mask; one by magnitude leaves it where it was.
  Rng x(1, Purpose::test, 1), y(1, Purpose::test, 1);
  CHECK(prune(w, options_of(PruneMethod::magnitude, 0.5), x)->density.kept == 1250);
  CHECK(x.u32() == y.u32());
}

TEST_CASE("pruning: an entry stays when its 53-bit number is below its probability") {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Rng rng(seed, Purpose::test, 1);
    const uint64_t high = rng.u32(), low = rng.u32();
    const double u = static_cast<double>((high << 21) | (low >> 11)) * 0x1p-53;
    if (u < 0.5) continue;  // so that 1 - (1 - u) is u
    CHECK(pruned(dense(1, 1, {1}), options_of(PruneMethod::random, 1 - u), seed).density.kept == 0);
    CHECK(pruned(dense(1, 1, {1}), options_of(PruneMethod::random, 1 - u - 0x1p-53), seed).density.kept == 1);
  }
}

TEST_CASE("pruning: blocks have their own sparsity, nothing survives outside them") {
  const Weights w = matrix(60, 60);
  const std::vector<Range> populations{{0, 40}, {40, 50}, {50, 56}};  // 56..60 belongs to none
  const std::vector<std::vector<double>> density{{0.1, 0.22, 0}, {0.04, 1, 0.14}, {0, 0.22, 0.5}};
  Result<std::vector<PruneBlock>> blocks = population_blocks(populations, density);
  REQUIRE(blocks.ok());
  REQUIRE(blocks->size() == 9);
  for (PruneMethod m : all_methods) {
    PruneOptions o = options_of(m, 0);
    o.blocks = *blocks;
    o.draw = PruneDraw::exact_count;
    const PruneResult r = pruned(w, o);
    REQUIRE(r.blocks.size() == 9);
    int64_t sum = 0;
    for (size_t b = 0; b < 9; ++b) {
      const Range post = o.blocks[b].post, pre = o.blocks[b].pre;
      int64_t kept = 0;
      for (int64_t j = pre.begin; j < pre.end; ++j)
        for (int64_t i = post.begin; i < post.end; ++i) kept += r.kept[j * 60 + i];
      CHECK(r.blocks[b].entries == post.size() * pre.size());
      CHECK(r.blocks[b].kept == kept);
      CHECK(kept == std::llround(density[b / 3][b % 3] * static_cast<double>(r.blocks[b].entries)));
      CHECK(r.blocks[b].nominal == doctest::Approx(density[b / 3][b % 3]));
      CHECK(r.blocks[b].achieved == doctest::Approx(static_cast<double>(kept) / (post.size() * pre.size())));
      sum += kept;
    }
    CHECK(r.density.kept == sum);
    CHECK(count(r.kept) == sum);
    CHECK(r.density.entries == 3600);
  }
  PruneOptions o = options_of(PruneMethod::top_prob, 0);
  o.blocks = *blocks;
  o.as_published = true;
  const PruneResult r = pruned(w, o);
  CHECK(r.blocks[2].kept == 0);  // p = 0: K = 0
  // Each small block is too dense: n / (n - min).
  CHECK(r.blocks[0].expected == doctest::Approx(0.1 * 1600 / 1560).epsilon(1e-9));
  CHECK(r.blocks[6].expected == 0);
}

TEST_CASE("pruning: without the diagonal there are no self-connections, in blocks neither") {
  const Weights w = matrix(20, 20);
  for (PruneMethod m : all_methods)
    for (PruneDraw draw : {PruneDraw::bernoulli, PruneDraw::exact_count}) {
      PruneOptions o = options_of(m, 0);
      o.draw = draw;
      o.include_diagonal = false;
      PruneResult r = pruned(w, o);
      CHECK(r.density.kept == 380);
      CHECK(r.density.nominal == 1);
      CHECK(r.density.expected == doctest::Approx(0.95));
      for (int64_t i = 0; i < 20; ++i) CHECK(r.kept[i * 20 + i] == 0);
      o.blocks = {{{5, 15}, {10, 20}, 0, {}}};  // holds entries (10, 10) .. (14, 14)
      r = pruned(w, o);
      CHECK(r.density.kept == 95);
      for (int64_t i = 10; i < 15; ++i) CHECK(r.kept[i * 20 + i] == 0);
      o.include_diagonal = true;
      CHECK(pruned(w, o).density.kept == 100);
    }
}

TEST_CASE("pruning: nothing to keep, nothing to remove") {
  for (PruneMethod m : all_methods)
    for (PruneDraw draw : {PruneDraw::bernoulli, PruneDraw::exact_count}) {
      PruneOptions o = options_of(m, 1);
      o.draw = draw;
      CHECK(pruned(matrix(9, 7), o).density.kept == 0);
      o.sparsity = 0;
      CHECK(pruned(matrix(9, 7), o).density.kept == 63);
      CHECK(pruned(dense(3, 3, std::vector<float>(9, 0.0f)), o).density.kept == 0);
      CHECK(pruned(dense(3, 3, std::vector<float>(9, -0.0f)), o).density.kept == 0);
      CHECK(pruned(dense(1, 1, {2}), o).density.kept == 1);
    }
  PruneOptions o = options_of(PruneMethod::top_prob, 1);
  o.as_published = true;
  CHECK(pruned(matrix(9, 7), o).density.kept == 0);
  o.sparsity = 0;
  CHECK(pruned(matrix(9, 7), o).density.kept == 63);  // surplus has nowhere to go
  CHECK(probabilities(matrix(9, 7), o).surplus == doctest::Approx(63 * 63 / 56.0 - 63));
}

TEST_CASE("pruning: what cannot be pruned says where and what would work") {
  const Weights w = matrix(6, 5);
  const auto with = [&](auto change) {
    PruneOptions o = options_of(PruneMethod::top_prob, 0.5);
    change(o);
    return failure(w, o);
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(with([](PruneOptions& o) { o.sparsity = -0.1; }) ==
        "sparsity: is -0.100000; give the fraction of absent entries, from 0 to 1");
  CHECK(with([](PruneOptions& o) { o.sparsity = 1.5; }).find("sparsity: is 1.5") == 0);
  CHECK(with([&](PruneOptions& o) { o.sparsity = nan; }).find("sparsity: is NaN") == 0);
  CHECK(with([&](PruneOptions& o) { o.tolerance = nan; }).find("tolerance: is NaN") == 0);
  CHECK(with([](PruneOptions& o) {
          o.blocks = {{{0, 6}, {2, 2}, 0.5, {}}};
        }) == "blocks[0].pre: is 2..2, which is empty; give end > begin");
  CHECK(with([](PruneOptions& o) {
          o.blocks = {{{0, 7}, {0, 5}, 0.5, {}}};
        }) == "blocks[0].post: is 0..7; the matrix has 0..6");
  CHECK(with([](PruneOptions& o) { o.blocks = {{{-1, 6}, {0, 5}, 0.5, {}}}; }).find("blocks[0].post: is -1..6") == 0);
  CHECK(with([](PruneOptions& o) { o.blocks = {{{0, 6}, {0, 5}, 2, {}}}; }).find("blocks[0].sparsity: is 2") == 0);
  CHECK(with([](PruneOptions& o) {
          o.blocks = {{{0, 3}, {0, 5}, 0, {}}, {{2, 4}, {4, 5}, 0, {}}};
        }) == "blocks[1]: shares entry (2, 4) with blocks[0]; make blocks disjoint");
  const auto published = [](PruneOptions& o) { o.as_published = true; };
  CHECK(with([&](PruneOptions& o) { published(o), o.draw = PruneDraw::exact_count; }).find("draw: ") == 0);
  CHECK(with([&](PruneOptions& o) { published(o), o.include_diagonal = false; }).find("include_diagonal: ") == 0);
  CHECK(with([&](PruneOptions& o) {
          published(o), o.blocks = {{{0, 1}, {0, 1}, 0.5, {}}};
        }).find("as_published: ") == 0);
  CHECK(with([&](PruneOptions& o) { published(o), o.method = PruneMethod::magnitude, o.include_diagonal = false; }) ==
        "");

  const PruneOptions o = options_of(PruneMethod::random, 0.5);
  CHECK(failure(dense(0, 0, {}), o) == "W: has no entries; give a matrix with rows and columns");
  CHECK(failure(dense(-3, 2, {}), o).find("W: has no entries") == 0);
  CHECK(failure(dense(2, 2, {1, 2, 3}), o).find("W: holds 3 values") == 0);
  CHECK(failure(dense(int64_t{1} << 40, int64_t{1} << 40, {}), o).find("W: has more than") == 0);
  Weights bad = w;
  bad.values[2 * 6 + 3] = std::numeric_limits<float>::quiet_NaN();
  CHECK(failure(bad, o) == "W(3, 2): is NaN; prune a matrix of finite numbers");
  CHECK(failure(sparse_of(bad), o) == "W(3, 2): is NaN; prune a matrix of finite numbers");
  bad.values[2 * 6 + 3] = -std::numeric_limits<float>::infinity();
  CHECK(failure(bad, o).find("W(3, 2): is -infinity") == 0);
  Weights short_of_values = sparse_of(w);
  short_of_values.values.pop_back();
  CHECK(failure(short_of_values, o).find("W: holds 29 values") == 0);

  CHECK(population_blocks({{0, 2}}, {}).error().text().find("density: has 0 rows") == 0);
  CHECK(population_blocks({{0, 2}}, {{0.5, 0.5}}).error().text().find("density[0]: has 2 columns") == 0);
  CHECK(population_blocks({{0, 2}}, {{1.5}}).error().text().find("density[0][0]: is 1.5") == 0);
}

TEST_CASE("pruning: the same bits on every platform") {
  const Weights w = matrix(48, 40, 0.25, 2, 7);
  const auto mask_of = [&](PruneMethod m, PruneDraw draw, bool published) {
    PruneOptions o = options_of(m, 0.6);
    o.draw = draw;
    o.as_published = published;
    return hash_of_mask(pruned(w, o, 11).kept);
  };
  CHECK(mask_of(PruneMethod::random, PruneDraw::bernoulli, false) == 0x1519acce51501815ULL);
  CHECK(mask_of(PruneMethod::random, PruneDraw::exact_count, false) == 0x064b1de6f12161c8ULL);
  CHECK(mask_of(PruneMethod::magnitude, PruneDraw::bernoulli, false) == 0x1853b58815146b71ULL);
  CHECK(mask_of(PruneMethod::top_prob, PruneDraw::bernoulli, false) == 0x05d470fff640279bULL);
  CHECK(mask_of(PruneMethod::top_prob, PruneDraw::exact_count, false) == 0xd735bd81191b72a5ULL);
  CHECK(mask_of(PruneMethod::top_prob, PruneDraw::bernoulli, true) == 0xe61fbe8ec8703fc5ULL);
}
