// Eigenvalues against known ones, invariants and numpy; weights by sign against counts by hand.
#include <cmath>
#include <complex>
#include <limits>

#include "analysis/sign_weights.h"
#include "analysis/spectrum.h"
#include "helpers.h"
#include "numerics/rng.h"

using namespace dalea;
using Complex = std::complex<double>;

namespace {

Weights from_rows(int64_t n, const std::vector<float>& rows) {
  Weights w;
  w.rows = w.cols = n;
  for (int64_t j = 0; j < n; ++j)
    for (int64_t i = 0; i < n; ++i) w.values.push_back(rows[static_cast<size_t>(i * n + j)]);
  return w;
}

void check_eigenvalues(const Weights& w, const std::vector<Complex>& wanted, double tolerance = 1e-12) {
  const Result<Spectrum> s = spectrum_of(synapses_of(w));
  REQUIRE(s.ok());
  REQUIRE(s->values.size() == wanted.size());
  for (size_t k = 0; k < wanted.size(); ++k) CHECK(std::abs(s->values[k] - wanted[k]) < tolerance);
}

Weights random_matrix(int64_t n, uint64_t seed, const auto& sd) {
  Rng rng(seed, Purpose::test, 0);
  Weights w;
  w.rows = w.cols = n;
  for (int64_t j = 0; j < n; ++j)
    for (int64_t i = 0; i < n; ++i) w.values.push_back(static_cast<float>(sd(i, j) * rng.normal()));
  return w;
}

}  // namespace

TEST_CASE("spectrum: known eigenvalues, in their order") {
  check_eigenvalues(from_rows(2, {0.5f, -0.75f, 0.75f, 0.5f}), {{0.5, 0.75}, {0.5, -0.75}});
  check_eigenvalues(from_rows(3, {0.5f, 9, -4, 0, -2, 7, 0, 0, 1}), {-2.0, 1.0, 0.5});
  check_eigenvalues(from_rows(3, {0, 0, 6, 1, 0, -11, 0, 1, 6}), {3.0, 2.0, 1.0}, 1e-11);  // (x - 1)(x - 2)(x - 3)
  check_eigenvalues(from_rows(2, {1, 0, 0, -1}), {1.0, -1.0});  // equal size: real part falls
  check_eigenvalues(from_rows(2, std::vector<float>(4)), {0.0, 0.0});
  check_eigenvalues(from_rows(1, {-3}), {-3.0});

  std::vector<float> rows;  // every row 6 x 0.25, 2 x -0.5: rank one, its sum
  for (int i = 0; i < 8; ++i)
    for (int j = 0; j < 8; ++j) rows.push_back(j < 6 ? 0.25f : -0.5f);
  const Weights w = from_rows(8, rows);
  check_eigenvalues(w, {0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0});
  const std::vector<Range> two = {{0, 6}, {6, 8}};
  const Result<Spectrum> s = spectrum_of(synapses_of(w), two);
  REQUIRE(s.ok());
  CHECK(s->bulk == 0);
  CHECK(s->radius == doctest::Approx(0.5));
  CHECK(s->outside == 0);
  const Result<Spectrum> negative = spectrum_of(synapses_of(from_rows(2, {-2, 0, 0, -1.5f})));
  REQUIRE(negative.ok());
  CHECK(negative->radius == 2);
  CHECK(negative->abscissa == -1.5);
  CHECK(negative->outside == 2);
}

TEST_CASE("spectrum: as numpy.linalg.eigvals") {
  check_eigenvalues(from_rows(6, {0.001f,  0.299f,  -0.274f, -0.891f, -0.455f, -0.992f,  //
                                  0.06f,   1.34f,   -0.492f, -0.62f,  0.49f,   0.357f,   //
                                  0.105f,  -0.93f,  -0.029f, 0.695f,  -1.344f, -0.458f,  //
                                  -1.901f, -1.29f,  -1.842f, -0.235f, -1.267f, 0.271f,   //
                                  0.157f,  -0.187f, -2.517f, -0.539f, -0.049f, 0.113f,   //
                                  -1.53f,  -0.478f, -0.979f, -0.809f, 1.061f,  -0.808f}),
                    {2.5256879279740234,
                     -2.2635288691378443,
                     1.4885061310252288,
                     {-1.1752741128716973, 0.2531540976999181},
                     {-1.1752741128716973, -0.2531540976999181},
                     0.8198830438866997},
                    1e-10);
}

TEST_CASE("spectrum: traces, conjugates, and the same however the matrix is stored") {
  constexpr int64_t n = 40;
  Weights dense = random_matrix(n, 3, [](int64_t, int64_t) { return 0.3; });
  std::vector<uint8_t> mask;
  for (int64_t e = 0; e < n * n; ++e) mask.push_back(e * 7 % 11 < 6);
  const auto pattern = make_pattern(n, n, mask);
  const Weights sparse = on_mask(dense, pattern, true);
  for (size_t e = 0; e < mask.size(); ++e)
    if (mask[e] == 0) dense.values[e] = 0;
  const Result<Spectrum> s = spectrum_of(synapses_of(dense)), same = spectrum_of(synapses_of(sparse)),
                         masked = spectrum_of({n, pattern.get(), false, dense.values});
  REQUIRE(s.ok());
  REQUIRE(same.ok());
  REQUIRE(masked.ok());
  CHECK(s->values == same->values);
  CHECK(s->values == masked->values);
  double trace = 0, trace_of_square = 0;
  for (int64_t i = 0; i < n; ++i) {
    trace += static_cast<double>(dense.at(i, i));
    for (int64_t j = 0; j < n; ++j)
      trace_of_square += static_cast<double>(dense.at(i, j)) * static_cast<double>(dense.at(j, i));
  }
  Complex sum = 0, squares = 0;
  for (const Complex& v : s->values) {
    sum += v;
    squares += v * v;
  }
  CHECK(std::abs(sum - trace) < 1e-10);
  CHECK(std::abs(squares - trace_of_square) < 1e-10);
  for (size_t k = 0; k < s->values.size(); ++k) {
    if (k > 0) CHECK(std::abs(s->values[k]) <= std::abs(s->values[k - 1]));
    if (s->values[k].imag() > 0) CHECK(s->values[k + 1] == std::conj(s->values[k]));
  }
}

TEST_CASE("spectrum: the bulk of weights drawn by block") {
  // +-g in turns: mean 0, variance g g.
  const double g[2][2] = {{1, 0.5}, {0.25, 0.75}};
  std::vector<float> rows;
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j) rows.push_back(static_cast<float>(((i + j) % 2 == 0 ? 1 : -1) * g[i / 2][j / 2]));
  const std::vector<Range> two = {{0, 2}, {2, 4}};
  const double a = 2, b = 0.5, c = 0.125, d = 1.125;  // 2 g g
  const double largest = (a + d + std::sqrt((a - d) * (a - d) + 4 * b * c)) / 2;
  CHECK(bulk_radius(synapses_of(from_rows(4, rows)), two).value() ==
        doctest::Approx(std::sqrt(largest)).epsilon(1e-12));
  // Half of the synapses absent, the others 1: variance 1/4, three units.
  Weights half = from_rows(2, {1, 1, 1, 1});
  half.pattern = make_pattern(2, 2, std::vector<uint8_t>{1, 0, 0, 1});
  half.values = {1, 1};
  CHECK(bulk_radius(synapses_of(half), std::vector<Range>{{0, 2}}).value() == doctest::Approx(std::sqrt(2 * 0.25)));

  constexpr int64_t n = 160;
  const Weights w =
      random_matrix(n, 5, [](int64_t i, int64_t j) { return (i < 80 ? 0.05 : 0.08) * (j < 80 ? 1 : 1.5); });
  const std::vector<Range> blocks = {{0, 80}, {80, n}};
  const Result<Spectrum> s = spectrum_of(synapses_of(w), blocks);
  REQUIRE(s.ok());
  CHECK(s->radius == doctest::Approx(s->bulk).epsilon(0.12));
}

TEST_CASE("spectrum: refusals name the place and the remedy") {
  const auto refusal = [](const Result<Spectrum>& r) {
    REQUIRE_FALSE(r.ok());
    return r.error().text();
  };
  CHECK(refusal(spectrum_of({4001, nullptr, false, {}})).find("at most 4000") != std::string::npos);
  CHECK(refusal(spectrum_of({0, nullptr, false, {}})).find("at least one unit") != std::string::npos);
  Weights w = from_rows(2, {1, 2, 3, 4});
  CHECK(refusal(spectrum_of({3, nullptr, false, w.values})).find("4 values for 3 units") != std::string::npos);
  CHECK(refusal(spectrum_of({2, nullptr, true, w.values})).find("no pattern") != std::string::npos);
  const std::vector<Range> gap = {{0, 1}};
  CHECK(refusal(spectrum_of(synapses_of(w), gap)).find("from unit 0 to 1") != std::string::npos);
  for (float v : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    w.values[2] = v;
    CHECK(refusal(spectrum_of(synapses_of(w))).find("W_rec[0, 1]: is not finite") != std::string::npos);
  }
}

TEST_CASE("weights by sign: counts, zeros and edges") {
  // Columns: excitatory, inhibitory, free.
  const Weights w = from_rows(3, {0, 0, 0, 0.75f, 0, 0, 0, -0.25f, 0});
  const std::vector<Sign> sign = {Sign::excitatory, Sign::inhibitory, Sign::free};
  const Synapses matrices[] = {synapses_of(w)};
  const Result<std::vector<double>> edges = edges_at_zero(matrices, 10);
  REQUIRE(edges.ok());
  REQUIRE(edges->size() == 12);  // -0.3, -0.2, ... 0.8
  CHECK(edges->front() == doctest::Approx(-0.3));
  CHECK((*edges)[3] == 0);
  CHECK(edges->back() == doctest::Approx(0.8));
  const Result<WeightsBySign> all = weights_by_sign(matrices[0], sign, *edges);
  REQUIRE(all.ok());
  const SignWeights &e = (*all)[0], &i = (*all)[1], &f = (*all)[2];
  CHECK(e.synapses == 3);
  CHECK(e.zero == 2);
  CHECK(e.share_zero() == doctest::Approx(2.0 / 3));
  CHECK(e.mean == doctest::Approx(0.25));
  CHECK(e.sd == doctest::Approx(0.75 / std::sqrt(3.0)));
  CHECK(e.histogram.counts == std::vector<int64_t>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  CHECK(i.histogram.counts == std::vector<int64_t>{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  CHECK(i.mean == doctest::Approx(-0.25 / 3));
  CHECK(f.synapses == 3);
  CHECK(f.zero == 3);
  CHECK(f.histogram.inside() == 0);
  CHECK(f.histogram.edges == *edges);

  const auto pattern = make_pattern(3, 3, std::vector<uint8_t>{1, 1, 0, 0, 0, 1, 0, 0, 0});
  const Weights sparse = on_mask(w, pattern, true);
  for (const Synapses& there : {synapses_of(sparse), Synapses{3, pattern.get(), false, w.values}}) {
    const Result<WeightsBySign> some = weights_by_sign(there, sign, *edges);
    REQUIRE(some.ok());
    CHECK((*some)[0].synapses == 2);
    CHECK((*some)[0].zero == 1);
    CHECK((*some)[1].synapses == 1);
    CHECK((*some)[1].sd == 0);
    CHECK((*some)[2].synapses == 0);
    CHECK((*some)[2].share_zero() == 0);
  }
  const Weights none = from_rows(2, std::vector<float>(4));
  const Synapses empty[] = {synapses_of(none)};
  CHECK(edges_at_zero(empty, 4)->front() < 0);
  CHECK_FALSE(edges_at_zero(empty, 0).ok());
  CHECK_FALSE(weights_by_sign(matrices[0], std::vector<Sign>(2), *edges).ok());
  for (float wide : {1e-30f, 3e-7f, 1.0f, 123.0f, 3e38f}) {
    const Weights one = from_rows(2, {wide, 0, 0, -wide / 7});
    const Synapses m[] = {synapses_of(one)};
    const Result<std::vector<double>> fit = edges_at_zero(m, 60);
    REQUIRE(fit.ok());
    CHECK(fit->size() >= 20);
    CHECK(fit->size() <= 64);
    CHECK(fit->front() <= -static_cast<double>(wide / 7));
    CHECK(fit->back() >= static_cast<double>(wide));
  }
}
