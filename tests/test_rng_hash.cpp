#include <cmath>

#include "doctest/doctest.h"
#include "numerics/hash.h"
#include "numerics/parallel.h"
#include "numerics/rng.h"
#include "numerics/weights.h"
#if defined(__SSE2__) && !defined(__wasm__)
#include <immintrin.h>
#endif
#include <atomic>
#include <set>

using namespace dalea;

TEST_CASE("Philox4x32-10: the published vectors (Random123)") {
  using Four = std::array<uint32_t, 4>;
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == Four{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const uint32_t f = 0xffffffff;
  CHECK(philox4x32({f, f, f, f}, {f, f}) == Four{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Four{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("streams: their coordinates are key and counter, and differ in each") {
  Rng rng(0x1234567890abcULL, Purpose::noise, 3, 4, 5);
  const auto block = philox4x32({0, 5, 4, 3}, {0x67890abc, 0x12345u | 4u << 21});
  for (uint32_t word : block) CHECK(rng.u32() == word);
  CHECK(rng.u32() == philox4x32({1, 5, 4, 3}, {0x67890abc, 0x12345u | 4u << 21})[0]);
  std::set<uint32_t> first;
  for (uint32_t run = 0; run < 4; ++run)
    for (uint32_t epoch = 0; epoch < 4; ++epoch)
      for (uint32_t trial = 0; trial < 4; ++trial) first.insert(Rng(1, Purpose::order, run, epoch, trial).u32());
  CHECK(first.size() == 64);
}

TEST_CASE("uniform, below, normal: range and moments") {
  Rng rng(5, Purpose::test);
  double sum = 0, square = 0, cube = 0;
  constexpr int n = 200000;
  for (int k = 0; k < n; ++k) {
    const float u = rng.uniform();
    REQUIRE((u >= 0 && u < 1));
    const double z = rng.normal();
    sum += z;
    square += z * z;
    cube += z * z * z;
  }
  CHECK(std::fabs(sum / n) < 4 / std::sqrt(n));
  CHECK(std::fabs(square / n - 1) < 4 * std::sqrt(2.0 / n));
  CHECK(std::fabs(cube / n) < 4 * std::sqrt(15.0 / n));
  int count[7] = {};
  for (int k = 0; k < 70000; ++k) ++count[rng.below(7)];
  for (int c : count) CHECK(std::abs(c - 10000) < 4 * std::sqrt(10000 * 6 / 7.0));
  CHECK(rng.below(1) == 0);
}

TEST_CASE("a permutation holds each number once") {
  Rng rng(6, Purpose::test);
  const auto p = permutation(1000, rng);
  CHECK(std::set<uint32_t>(p.begin(), p.end()).size() == 1000);
  CHECK(p[0] + p[1] + p[2] != 3);
  CHECK(permutation(0, rng).empty());
}

TEST_CASE("FNV-1a: published vectors") {
  CHECK(Fnv1a().hex() == "cbf29ce484222325");
  Fnv1a a, foobar;
  a.text("a");
  foobar.text("foobar");
  CHECK(a.hex() == "af63dc4c8601ec8c");
  CHECK(foobar.hex() == "85944171f73967e8");
}

TEST_CASE("the weight hash: sparse as dense, zeros of either sign skipped, every bit seen") {
  Weights dense;
  dense.name = "W_rec";
  dense.rows = 3;
  dense.cols = 2;
  dense.values = {1, 0, -2, -0.0f, 0, 3};
  Weights sparse = dense;
  sparse.pattern = make_pattern(3, 2, std::vector<uint8_t>{1, 1, 1, 0, 0, 1});
  sparse.values = {1, 0, -2, 3};
  const auto hash = [](const Weights& w) {
    Fnv1a h;
    add_to_hash(h, w);
    return h.value();
  };
  CHECK(hash(dense) == hash(sparse));
  // By hand: name, rows, columns, then (row, column, bits) of 1, -2 and 3.
  Fnv1a by_hand;
  by_hand.text("W_rec");
  for (uint32_t v : {3u, 2u, 0u, 0u, 0x3f800000u, 2u, 0u, 0xc0000000u, 2u, 1u, 0x40400000u}) by_hand.u32(v);
  CHECK(hash(dense) == by_hand.value());
  Weights other = dense;
  other.values[0] = std::nextafter(1.0f, 2.0f);
  CHECK(hash(other) != hash(dense));
  CHECK(sparse.at(2, 0) == -2);
  CHECK(sparse.at(0, 1) == 0);
  CHECK(sparse.at(2, 1) == 3);
}

TEST_CASE("patterns: both orders describe the same entries") {
  const auto p = make_pattern(3, 3, std::vector<uint8_t>{0, 1, 1, 0, 0, 0, 1, 0, 1});
  CHECK(p->count() == 4);
  CHECK(p->row_start == std::vector<int64_t>{0, 1, 2, 4});
  CHECK(p->col == std::vector<int32_t>{2, 0, 0, 2});
  CHECK(p->at == std::vector<int64_t>{2, 0, 1, 3});
}

TEST_CASE("workers: each part once, many quick jobs, any number of threads") {
  for (int threads : {1, 2, 3, 8}) {
    Workers workers(threads);
    CHECK((workers.threads() == threads || !threads_available()));
    for (int job = 0; job < 500; ++job) {
      const int parts = job % 17;
      std::vector<std::atomic<int>> seen(17);
      workers.run(parts, [&](int p) { ++seen[p]; });
      for (int p = 0; p < 17; ++p) REQUIRE(seen[p] == (p < parts ? 1 : 0));
    }
  }
}

#if defined(__SSE2__) && !defined(__wasm__)
TEST_CASE("workers run with IEEE defaults and give the caller's floating-point state back") {
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x8040);  // flush to zero, denormals are zero
  for (int threads : {1, 3}) {
    Workers workers(threads);
    std::atomic<int> kept{0};
    workers.run(8, [&](int) {
      volatile float tiny = 1e-38f;
      kept += tiny / 16 != 0;
    });
    CHECK(kept == 8);
    CHECK((_mm_getcsr() & 0x8040) == 0x8040);
  }
  _mm_setcsr(before);
}
#endif
