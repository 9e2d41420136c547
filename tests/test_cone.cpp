// What docs/THEORY.md states, one test a statement. Minima against scipy (tests/py/make_cone_golden.py) and against all
// active sets; projections against brute force; rates on random problems with iterates computed here.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "analysis/cone.h"
#include "doctest/doctest.h"
#include "network/model.h"
#include "numerics/rng.h"
#include "pruning/pruning.h"
#include "pruning/spanning_tree.h"

using namespace dalea;

namespace {

using Point = std::vector<double>;
using Sides = std::vector<ConeSide>;
constexpr ConeSide E = ConeSide::excitatory, I = ConeSide::inhibitory, Free = ConeSide::free, Absent = ConeSide::absent;

template <class T>
T sure(const Result<T>& r) {
  REQUIRE_MESSAGE(r.ok(), (r.ok() ? "" : r.error().text()));
  return *r;
}

Point projected(Point w, const Sides& side) {
  project_to_cone(w, side);
  return w;
}

double dot(const Point& a, const Point& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

Point apart(const Point& a, const Point& b) {
  Point d(a.size());
  for (size_t i = 0; i < a.size(); ++i) d[i] = a[i] - b[i];
  return d;
}

double length(const Point& a) {
  return std::sqrt(dot(a, a));
}

Point normals(Rng& rng, size_t n, double scale = 1) {
  Point p(n);
  for (double& x : p) x = scale * rng.normal();
  return p;
}

Sides random_sides(Rng& rng, size_t n, bool all_kinds) {
  const Sides kinds = {E, I, Free, Absent};
  Sides s;
  for (size_t i = 0; i < n; ++i) s.push_back(kinds[rng.below(all_kinds ? 4 : 2)]);
  return s;
}

// What a coordinate admits, said without the projection.
bool admits(double w, ConeSide side) {
  return side == E ? w >= 0 : side == I ? w <= 0 : side == Absent ? w == 0 : true;
}

// The nearest admissible point of a grid that closes in on the best one so far; knows nothing of coordinates' signs.
Point nearest_by_search(const Point& y, const Point& metric, const Sides& side) {
  Point best(y.size(), 0.0), centre = best;
  double least = INFINITY, half = 4;
  for (int round = 0; round < 40; ++round, half *= 0.6) {
    for (int i = -4; i <= 4; ++i)
      for (int j = -4; j <= 4; ++j)
        for (int k = -4; k <= 4; ++k) {
          Point z = {centre[0] + i * half / 4, centre[1] + j * half / 4, centre[2] + k * half / 4};
          for (size_t c = 0; c < 3; ++c)  // the faces belong to the grid
            if (std::fabs(z[c]) < half / 8) z[c] = 0;
          if (!admits(z[0], side[0]) || !admits(z[1], side[1]) || !admits(z[2], side[2])) continue;
          double far = 0;
          for (size_t c = 0; c < 3; ++c) far += metric[c] * (z[c] - y[c]) * (z[c] - y[c]);
          if (far < least) {
            least = far;
            best = z;
          }
        }
    centre = best;
  }
  return best;
}

// x with A_SS x = r_S by elimination with pivots, 0 elsewhere: for the enumeration of active sets.
Point eliminate(const ConeProblem& p, const std::vector<size_t>& set) {
  const size_t n = p.b.size(), m = set.size();
  std::vector<Point> rows(m, Point(m + 1));
  for (size_t i = 0; i < m; ++i) {
    for (size_t j = 0; j < m; ++j) rows[i][j] = p.a[set[i] * n + set[j]];
    for (size_t j = 0; j < n; ++j) rows[i][m] += p.a[set[i] * n + j] * p.b[j];
  }
  for (size_t c = 0; c < m; ++c) {
    size_t pivot = c;
    for (size_t r = c; r < m; ++r)
      if (std::fabs(rows[r][c]) > std::fabs(rows[pivot][c])) pivot = r;
    std::swap(rows[c], rows[pivot]);
    for (size_t r = 0; r < m; ++r) {
      if (r == c) continue;
      const double f = rows[r][c] / rows[c][c];
      for (size_t k = c; k <= m; ++k) rows[r][k] -= f * rows[c][k];
    }
  }
  Point w(n);
  for (size_t i = 0; i < m; ++i) w[set[i]] = rows[i][m] / rows[i][i];
  return w;
}

Point minimum_by_enumeration(const ConeProblem& p) {
  Point best;
  double least = INFINITY;
  for (uint32_t bits = 0; bits < 1u << p.b.size(); ++bits) {
    std::vector<size_t> set;
    for (size_t i = 0; i < p.b.size(); ++i)
      if (bits >> i & 1) set.push_back(i);
    const Point w = eliminate(p, set);
    bool good = true;
    for (size_t i = 0; i < w.size(); ++i) good = good && admits(w[i], p.side[i]);
    if (good && cone_value(p, w) < least) {
      least = cone_value(p, w);
      best = w;
    }
  }
  return best;
}

ConeProblem quadratic(const nlohmann::json& c) {
  ConeProblem p;
  p.a = c["a"].get<Point>();
  p.b = c["b"].get<Point>();
  p.mu = c["mu"];
  p.smoothness = c["l"];
  for (int s : c["side"]) p.side.push_back(static_cast<ConeSide>(s));
  return p;
}

// A smooth, strongly convex loss that is no quadratic: sum log(1 + exp(x_k w)) + mu w'w / 2.
struct Logistic {
  std::vector<Point> x;
  double mu = 0;

  double smoothness() const {  // sum |x_k|^2 / 4 is at least the greatest eigenvalue
    double sum = mu;
    for (const Point& row : x) sum += dot(row, row) / 4;
    return sum;
  }
  double value(const Point& w) const {
    double sum = mu * dot(w, w) / 2;
    for (const Point& row : x) {
      const double a = dot(row, w);
      sum += std::max(a, 0.0) + std::log1p(std::exp(-std::fabs(a)));
    }
    return sum;
  }
  Point gradient(const Point& w) const {
    Point g(w.size());
    for (size_t i = 0; i < w.size(); ++i) g[i] = mu * w[i];
    for (const Point& row : x) {
      const double s = 1 / (1 + std::exp(-dot(row, w)));
      for (size_t i = 0; i < w.size(); ++i) g[i] += s * row[i];
    }
    return g;
  }
};

ConeProblem numbered(int k) {
  return sure(random_cone_problem(2 + k % 19, std::pow(10.0, k % 5 * 0.6), 11, static_cast<uint32_t>(k)));
}

}  // namespace

TEST_CASE("cone: the projection is the nearest admissible point in every diagonal metric (brute force)") {
  Rng rng(1, Purpose::test);
  for (int trial = 0; trial < 40; ++trial) {
    const Sides side = random_sides(rng, 3, trial % 2 == 1);
    const Point y = normals(rng, 3);
    Point metric(3);
    for (double& d : metric) d = std::exp(1.5 * rng.normal());
    const Point p = projected(y, side), found = nearest_by_search(y, metric, side);
    for (size_t i = 0; i < 3; ++i) {
      CHECK(admits(p[i], side[i]));
      CHECK(std::fabs(p[i] - found[i]) < 1e-5);
    }
  }
}

TEST_CASE("cone: in a metric that is not diagonal the projection is not the nearest point") {
  // Nearest to b in the metric A is the constrained minimum of the quadratic.
  const ConeProblem p = sure(plane_problem(10, 0.6, 0.9));
  const Point clamped = projected(p.b, p.side), nearest = sure(cone_minimum(p));
  CHECK(length(apart(clamped, nearest)) > 0.1);
  CHECK(cone_value(p, nearest) < 0.8 * cone_value(p, clamped));
}

TEST_CASE("cone: the projection is idempotent, firmly non-expansive and splits a point into cone and polar cone") {
  Rng rng(2, Purpose::test);
  for (int trial = 0; trial < 500; ++trial) {
    const Sides side = random_sides(rng, 7, true);
    const Point x = normals(rng, 7), y = normals(rng, 7, 3), px = projected(x, side), py = projected(y, side);
    CHECK(projected(px, side) == px);
    CHECK(cone_violations(px, side) == 0);
    CHECK(dot(apart(px, py), apart(px, py)) <= dot(apart(px, py), apart(x, y)) * (1 + 1e-14));
    const Point rest = apart(x, px);  // makes an obtuse angle with whatever is admissible, a right one with px
    CHECK(dot(rest, px) == 0);
    CHECK(dot(rest, py) <= 0);
  }
  CHECK(!std::signbit(project_to_side(-0.0, E)));
  CHECK(!std::signbit(project_to_side(-0.0, I)));
  CHECK(project_to_side(std::numeric_limits<double>::denorm_min(), E) > 0);
}

TEST_CASE("cone: sums and positive multiples of admissible points are admissible, midpoints too") {
  Rng rng(3, Purpose::test);
  for (int trial = 0; trial < 200; ++trial) {
    const Sides side = random_sides(rng, 5, true);
    const Point x = projected(normals(rng, 5), side), y = projected(normals(rng, 5), side);
    Point sum(5), middle(5);
    for (size_t i = 0; i < 5; ++i) {
      sum[i] = 3.5 * x[i] + y[i];
      middle[i] = (x[i] + y[i]) / 2;
    }
    CHECK(cone_violations(sum, side) == 0);
    CHECK(cone_violations(middle, side) == 0);
  }
}

TEST_CASE("cone: the training's projection of float weights is the same one, dense and on a mask") {
  Rng rng(4, Purpose::test);
  const int64_t n = 9;
  std::vector<uint8_t> mask;
  for (int64_t e = 0; e < n * n; ++e) mask.push_back(rng.below(3) == 0);
  std::vector<int8_t> sign;
  for (int64_t j = 0; j < n; ++j) sign.push_back(static_cast<int8_t>(j % 3 - 1));
  for (bool sparse : {false, true}) {
    Weights w;
    w.rows = w.cols = n;
    if (sparse) w.pattern = make_pattern(n, n, mask);
    for (int64_t e = 0; e < (sparse ? w.pattern->count() : n * n); ++e)
      w.values.push_back(static_cast<float>(rng.normal()));
    Weights after = w;
    project_signs(after, sign);
    for (int64_t j = 0; j < n; ++j)
      for (int64_t i = 0; i < n; ++i)
        CHECK(after.at(i, j) == project_to_side(w.at(i, j), static_cast<ConeSide>(sign[static_cast<size_t>(j)])));
  }
}

TEST_CASE("cone: with a mask, signs first or mask first is the same exact projection onto both") {
  Rng rng(5, Purpose::test);
  for (int trial = 0; trial < 30; ++trial) {
    const Sides signs = random_sides(rng, 3, false);
    Sides mask(3, Free), both = signs;
    for (size_t i = 0; i < 3; ++i)
      if (rng.below(2) == 0) mask[i] = both[i] = Absent;
    const Point y = normals(rng, 3);
    const Point p = projected(y, both);
    CHECK(projected(projected(y, signs), mask) == p);
    CHECK(projected(projected(y, mask), signs) == p);
    const Point found = nearest_by_search(y, {1, 1, 1}, both);
    for (size_t i = 0; i < 3; ++i) CHECK(std::fabs(p[i] - found[i]) < 1e-5);
  }
}

TEST_CASE("cone: constrained minima agree with scipy's nnls and bounded least squares") {
  std::ifstream file(DALEA_SOURCE_DIR "/tests/golden/cone.json");
  REQUIRE(file.good());
  const nlohmann::json golden = nlohmann::json::parse(file);
  REQUIRE(golden["minima"].size() == 36);
  int at_zero = 0;
  for (const nlohmann::json& c : golden["minima"]) {
    const ConeProblem p = quadratic(c);
    const Point w = sure(cone_minimum(p)), expected = c["minimum"].get<Point>();
    for (size_t i = 0; i < w.size(); ++i) {
      CHECK(std::fabs(w[i] - expected[i]) < 1e-10 * std::max(1.0, p.smoothness / p.mu * 1e-3));
      at_zero += w[i] == 0;
    }
    CHECK(cone_value(p, w) == doctest::Approx(c["value"].get<double>()).epsilon(1e-11));
  }
  CHECK(at_zero > 50);
}

TEST_CASE("cone: constrained minima agree with the best of all active sets, and only they have no KKT residual") {
  Rng rng(6, Purpose::test);
  for (uint32_t k = 0; k < 60; ++k) {
    const ConeProblem p = sure(random_cone_problem(2 + k % 6, k % 2 ? 30 : 3, 5, k));
    const Point w = sure(cone_minimum(p)), expected = minimum_by_enumeration(p);
    CHECK(length(apart(w, expected)) < 1e-11);
    CHECK(cone_violations(w, p.side) == 0);
    CHECK(kkt_residual(p, w) < 1e-12);
    const Point g = cone_gradient(p, w);
    for (size_t i = 0; i < w.size(); ++i) {  // the KKT conditions one by one
      const double inward = p.side[i] == E ? g[i] : -g[i];
      CHECK(inward > -1e-12);
      CHECK(std::fabs(g[i] * w[i]) < 1e-12);
    }
    for (int other = 0; other < 20; ++other) {
      const Point z = projected(normals(rng, w.size()), p.side);
      const double far = length(apart(z, w));
      CHECK(cone_value(p, z) - cone_value(p, w) >= p.mu * far * far / 2 - 1e-12);
      CHECK(kkt_residual(p, z) >= p.mu * far / 2);
    }
  }
}

TEST_CASE("cone: descent by |step|^2 / (2 eta) at each step, on 200 random problems") {
  Rng rng(7, Purpose::test);
  for (int k = 0; k < 200; ++k) {
    const ConeProblem p = numbered(k);
    const double eta = (k % 4 == 0 ? 1.0 : 0.1 + 0.9 * static_cast<double>(rng.uniform())) / p.smoothness;
    Point w = projected(normals(rng, p.b.size(), 2), p.side);
    for (int step = 0; step < 30; ++step) {
      const Point g = cone_gradient(p, w);
      Point next = w;
      for (size_t i = 0; i < w.size(); ++i) next[i] -= eta * g[i];
      project_to_cone(next, p.side);
      const double moved = dot(apart(next, w), apart(next, w));
      CHECK(cone_value(p, w) - cone_value(p, next) >= moved / (2 * eta) - 1e-12 * cone_value(p, w));
      w = next;
    }
  }
}

TEST_CASE("cone: gap and distance fall by 1 - eta mu or faster at each step, on 200 random problems") {
  Rng rng(8, Purpose::test);
  for (int k = 0; k < 200; ++k) {
    const ConeProblem p = numbered(k);
    const double eta = (k % 4 == 0 ? 1.0 : 0.1 + 0.9 * static_cast<double>(rng.uniform())) / p.smoothness;
    const Point best = sure(cone_minimum(p));
    const double least = cone_value(p, best), factor = 1 - eta * p.mu;
    Point w = projected(normals(rng, p.b.size(), 2), p.side);
    double gap = cone_value(p, w) - least, far = length(apart(w, best));
    const double room = 1e-12 * (1 + gap + least);
    for (int step = 0; step < 60; ++step) {
      const Point g = cone_gradient(p, w);
      for (size_t i = 0; i < w.size(); ++i) w[i] -= eta * g[i];
      project_to_cone(w, p.side);
      const double new_gap = cone_value(p, w) - least, new_far = length(apart(w, best));
      CHECK(new_gap <= factor * gap + room);
      CHECK(new_far <= factor * far + 1e-11);
      gap = new_gap;
      far = new_far;
    }
    ConeOptions options;
    options.start = normals(rng, p.b.size(), 2);
    options.eta_l = eta * p.smoothness;
    options.steps = 400;
    const ConeDemo demo = sure(cone_demo(p, options));
    for (ConeClaim claim : {demo.nearest, demo.signs, demo.descent, demo.rate, demo.closer})
      CHECK(claim == ConeClaim::holds);
    const ConeRun& run = *demo.run(ConeMethod::projected);
    CHECK(run.mean_factor <= run.worst_factor * (1 + 1e-9));
    CHECK(run.worst_factor <= demo.gap_factor + 1e-9);
    CHECK(run.worst_closer <= demo.distance_factor + 1e-9);
    if (run.steps[1].moved > 0) CHECK(run.worst_descent >= 1 - 1e-6);  // else it began at the minimum
    CHECK(run.steps.back().kkt <=
          1.01 * p.smoothness * run.steps.front().distance * std::pow(demo.distance_factor, 400) * 2 + 1e-11);
  }
}

TEST_CASE("cone: no smaller factor would be true: along the flattest direction the distance falls by 1 - eta mu") {
  const ConeProblem p = sure(plane_problem(20, 2, -2));  // the minimum is inside
  ConeOptions options;
  options.start = {2 + 0.3, -2 + 0.1};
  options.eta_l = 0.7;
  options.steps = 50;
  const ConeDemo demo = sure(cone_demo(p, options));
  const ConeRun& run = *demo.run(ConeMethod::projected);
  for (size_t k = 0; k + 1 < run.steps.size(); ++k)
    CHECK(run.steps[k + 1].distance / run.steps[k].distance == doctest::Approx(1 - 0.7 / 20).epsilon(1e-10));
  CHECK(run.mean_factor == doctest::Approx(std::pow(1 - 0.7 / 20, 2)).epsilon(1e-10));
  CHECK(demo.closer == ConeClaim::holds);
}

TEST_CASE("cone: the rate is not one of quadratics alone (logistic loss)") {
  Rng rng(9, Purpose::test);
  for (int k = 0; k < 10; ++k) {
    Logistic f;
    f.mu = 0.5;
    for (int row = 0; row < 12; ++row) f.x.push_back(normals(rng, 4));
    const Sides side = random_sides(rng, 4, true);
    const double eta = 1 / f.smoothness(), factor = 1 - eta * f.mu;
    std::vector<Point> path = {projected(normals(rng, 4, 2), side)};
    for (int step = 0; step < 3000; ++step) {
      Point next = path.back();
      const Point g = f.gradient(next);
      for (size_t i = 0; i < 4; ++i) next[i] -= eta * g[i];
      path.push_back(projected(next, side));
    }
    const double least = f.value(path.back());
    for (size_t step = 0; step < 100; ++step) {
      const Point d = apart(path[step + 1], path[step]);
      CHECK(f.value(path[step]) - f.value(path[step + 1]) >= dot(d, d) / (2 * eta) - 1e-12);
      CHECK(f.value(path[step + 1]) - least <= factor * (f.value(path[step]) - least) + 1e-12);
      CHECK(length(apart(path[step + 1], path.back())) <= factor * length(apart(path[step], path.back())) + 1e-10);
    }
  }
}

TEST_CASE("cone: a step with a diagonal preconditioner stays exactly where KKT holds, descends in its own metric") {
  Rng rng(10, Purpose::test);
  for (int k = 0; k < 100; ++k) {
    const ConeProblem p = numbered(k);
    const Point best = sure(cone_minimum(p));
    Point metric(p.b.size());
    for (double& d : metric) d = 1 + std::exp(rng.normal());  // at least 1, so A <= L D
    const double alpha = 1 / p.smoothness;
    const auto step = [&](const Point& w) {
      const Point g = cone_gradient(p, w);
      Point next = w;
      for (size_t i = 0; i < w.size(); ++i) next[i] -= alpha * g[i] / metric[i];
      return projected(next, p.side);
    };
    CHECK(length(apart(step(best), best)) < 1e-12);
    Point w = projected(normals(rng, best.size(), 2), p.side);
    for (int s = 0; s < 10; ++s) {
      const Point next = step(w), d = apart(next, w);
      double moved = 0;
      for (size_t i = 0; i < d.size(); ++i) moved += metric[i] * d[i] * d[i];
      if (kkt_residual(p, w) > 1e-9) CHECK(moved > 0);
      CHECK(cone_value(p, w) - cone_value(p, next) >= moved / (2 * alpha) - 1e-12 * (1 + cone_value(p, w)));
      w = next;
    }
  }
}

TEST_CASE("cone: Adam keeps every sign, but its momentum lets the loss rise: descent is rightly not claimed") {
  const ConeProblem p = sure(plane_problem(10, 0.9, 0.6));
  ConeOptions options;
  options.start = {0.2, -1.5};
  options.steps = 200;
  const ConeDemo demo = sure(cone_demo(p, options));
  const ConeRun& adam = *demo.run(ConeMethod::projected_adam);
  bool rises = false;
  for (size_t k = 0; k + 1 < adam.steps.size(); ++k) {
    CHECK(adam.steps[k].violations == 0);
    rises = rises || adam.steps[k + 1].gap > adam.steps[k].gap * (1 + 1e-6) + 1e-9;
  }
  CHECK(rises);
  CHECK(demo.run(ConeMethod::unconstrained)->steps.back().violations == 1);
  CHECK(demo.run(ConeMethod::unconstrained)->steps.back().gap < 0);  // lower than any admissible point
  CHECK(demo.run(ConeMethod::projected)->steps.back().violations == 0);
}

TEST_CASE(
    "cone: beyond 1 / L nothing is claimed of the gap, beyond 2 / L it diverges, and a step that is too long is seen") {
  const ConeProblem p = sure(plane_problem(10, 2, -2));
  ConeOptions options;
  options.start = {0.5, -0.5};
  options.steps = 10000;
  options.eta_l = 1.5;
  const ConeDemo between = sure(cone_demo(p, options));
  CHECK(between.rate == ConeClaim::outside);
  CHECK(between.descent == ConeClaim::outside);
  CHECK(between.closer == ConeClaim::holds);
  CHECK(between.distance_factor == 1 - 0.15);
  options.eta_l = 1.95;
  CHECK(sure(cone_demo(p, options)).distance_factor == doctest::Approx(0.95));
  options.eta_l = 2.2;
  const ConeDemo beyond = sure(cone_demo(p, options));
  CHECK(beyond.closer == ConeClaim::outside);
  CHECK(beyond.signs == ConeClaim::holds);
  CHECK(beyond.run(ConeMethod::unconstrained)->diverged);
  CHECK(beyond.run(ConeMethod::unconstrained)->steps.size() < 10000);
  // The check itself can fail: an L that is too small by half.
  ConeProblem wrong = p;
  wrong.smoothness = 0.4;
  options.eta_l = 1;
  options.steps = 20;
  const ConeDemo caught = sure(cone_demo(wrong, options));
  CHECK(caught.descent == ConeClaim::fails);
  CHECK(caught.rate == ConeClaim::fails);
  CHECK(caught.closer == ConeClaim::fails);
}

TEST_CASE("cone: random problems have the eigenvalues they say, and the same bits again") {
  Rng rng(12, Purpose::test);
  for (uint32_t k = 0; k < 20; ++k) {
    const ConeProblem p = sure(random_cone_problem(2 + 3 * k, 50, 3, k));
    const size_t n = p.b.size();
    CHECK(p.a == sure(random_cone_problem(2 + 3 * k, 50, 3, k)).a);
    double trace = 0, expected = 0;
    for (size_t i = 0; i < n; ++i) {
      trace += p.a[i * n + i];
      expected += std::pow(50.0, -1 + static_cast<double>(i) / static_cast<double>(n - 1));
      for (size_t j = 0; j < n; ++j) CHECK(p.a[i * n + j] == p.a[j * n + i]);
    }
    CHECK(trace == doctest::Approx(expected).epsilon(1e-12));
    ConeProblem centred = p;
    centred.b.assign(n, 0);
    for (int t = 0; t < 50; ++t) {
      const Point v = normals(rng, n);
      const double quotient = 2 * cone_value(centred, v) / dot(v, v);
      CHECK(quotient >= p.mu * (1 - 1e-12));
      CHECK(quotient <= p.smoothness * (1 + 1e-12));
    }
  }
}

TEST_CASE("cone: hostile problems and options are refused with a path and a remedy") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = INFINITY;
  for (double bad : {nan, infinity, -infinity, 0.0, 0.99, -3.0, 1e5}) {
    CHECK(plane_problem(bad, 0, 0).ok() == false);
    CHECK(random_cone_problem(3, bad, 1).error().path == "condition");
  }
  for (double bad : {nan, infinity, 1e7}) CHECK(plane_problem(10, 0, bad).error().path == "b[1]");
  for (int64_t bad : {-1, 0, 1, 201, 1 << 30}) CHECK(random_cone_problem(bad, 2, 1).error().path == "size");
  const ConeProblem p = sure(plane_problem(10, 1, 1));
  ConeOptions options;
  options.start = {0, 0};
  const auto path = [&] { return cone_demo(p, options).error().path; };
  for (double bad : {nan, infinity, 0.0, -1.0, 4.5}) {
    options.eta_l = bad;
    CHECK(path() == "eta");
  }
  options.eta_l = 1;
  for (int64_t bad : {0, -5, 10001}) {
    options.steps = bad;
    CHECK(path() == "steps");
  }
  options.steps = 5;
  options.start = {0};
  CHECK(path() == "start");
  options.start = {0, nan};
  CHECK(path() == "start[1]");
  options.start = {0, 0};
  options.adam_epsilon = 0;
  CHECK(path() == "adam");
  ConeProblem broken = p;
  broken.a.pop_back();
  CHECK(cone_minimum(broken).error().path == "a");
  broken = p;
  broken.a[0] = nan;
  CHECK(cone_minimum(broken).error().path == "a[0]");
  broken = p;
  broken.a = {1, 4, 4, 1};  // indefinite
  CHECK(!cone_minimum(broken).ok());
  broken = p;
  broken.mu = 0;
  CHECK(cone_minimum(broken).error().path == "mu");
  CHECK(!cone_minimum(ConeProblem()).ok());
  // A start at the minimum, and a problem solved in one step, divide nothing by 0.
  options = ConeOptions();
  options.start = sure(cone_minimum(p));
  const ConeDemo still = sure(cone_demo(p, options));
  CHECK(still.run(ConeMethod::projected)->steps.size() == 61);
  CHECK(std::isfinite(still.run(ConeMethod::projected)->mean_factor));
  CHECK(still.rate == ConeClaim::holds);
  const ConeProblem round = sure(plane_problem(1, 1, -1));
  options.start = {0.2, -3};
  const ConeDemo once = sure(cone_demo(round, options));
  CHECK(once.gap_factor == 0);
  CHECK(once.rate == ConeClaim::holds);
  CHECK(once.run(ConeMethod::projected)->steps[1].distance < 1e-15);
}

TEST_CASE("cone: top-prob keeps (1 - s) n connections on average, whatever the weights") {
  Rng rng(13, Purpose::test);
  for (double tail : {0.0, 1.0, 4.0}) {
    Weights w;
    w.rows = 12;
    w.cols = 9;
    for (int e = 0; e < 108; ++e) w.values.push_back(static_cast<float>(std::exp(tail * rng.normal())));
    for (double s : {0.1, 0.5, 0.9}) {
      const KeepProbabilities p = sure(top_prob_probabilities(w, s));
      double sum = 0;
      for (double keep : p.keep) sum += keep;
      CHECK(sum == doctest::Approx((1 - s) * 108).epsilon(1e-9));
    }
  }
}

TEST_CASE(
    "cone: the spanning-tree bound never passes c(N), lies below the random expectation, and heavy tails lift it") {
  Rng rng(14, Purpose::test);
  for (int64_t n : {10, 50}) {
    double cap = 3;
    for (int64_t k = 4; k <= n; ++k) cap += static_cast<double>((n - k) * (n - k)) / static_cast<double>(n * n - k);
    cap /= static_cast<double>(2 * n - 1);
    CHECK(cap < (n == 10 ? 0.2085 : 0.1805));
    const size_t entries = static_cast<size_t>(n * n);
    CHECK(sure(top_prob_bound(Point(entries, 1.0), n, n, 0)).corrected == doctest::Approx(cap).epsilon(1e-12));
    Weights w;
    w.rows = w.cols = n;
    for (size_t e = 0; e < entries; ++e) w.values.push_back(1 - rng.uniform());
    for (int step = 0; step < 20; ++step) {
      const double s = 0.05 * step;
      const KeepProbabilities p = sure(top_prob_probabilities(w, s));
      const double bound = sure(top_prob_bound(p.keep, n, n, s)).corrected;
      CHECK(bound <= cap + 1e-12);
      CHECK(bound < 1 - s);
    }
    // N weights that dwarf all others are certain to stay: then the bound says more than chance.
    Point keep(entries, 0.0);
    std::fill_n(keep.begin(), n, 1.0);
    CHECK(sure(top_prob_bound(keep, n, n, 1 - 1 / static_cast<double>(n))).corrected > 1 / static_cast<double>(n));
  }
}
