#include "analysis/cone.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "analysis/check.h"
#include "numerics/math.h"
#include "numerics/rng.h"

namespace dalea {
namespace {

using Point = std::vector<double>;

constexpr double divergence = 1e100;  // beyond it squares would soon overflow

double norm(const Point& v) {
  double square = 0;
  for (double x : v) square += x * x;
  return std::sqrt(square);
}

Point times(const Point& a, const Point& v) {
  const size_t n = v.size();
  Point out(n);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) out[i] += a[i * n + j] * v[j];
  return out;
}

Point minus(const Point& v, const Point& w) {
  Point out(v.size());
  for (size_t i = 0; i < v.size(); ++i) out[i] = v[i] - w[i];
  return out;
}

// A x = r on the coordinates `set`, by Cholesky; A is positive definite, so each pivot is at least mu.
Point solve_on(const Point& a, size_t n, const std::vector<size_t>& set, Point r) {
  const size_t m = set.size();
  Point l(m * m);
  for (size_t i = 0; i < m; ++i)
    for (size_t j = 0; j <= i; ++j) {
      double sum = a[set[i] * n + set[j]];
      for (size_t k = 0; k < j; ++k) sum -= l[i * m + k] * l[j * m + k];
      l[i * m + j] = i == j ? std::sqrt(sum) : sum / l[j * m + j];
    }
  for (size_t i = 0; i < m; ++i) {
    for (size_t k = 0; k < i; ++k) r[i] -= l[i * m + k] * r[k];
    r[i] /= l[i * m + i];
  }
  for (size_t i = m; i-- > 0;) {
    for (size_t k = i + 1; k < m; ++k) r[i] -= l[k * m + i] * r[k];
    r[i] /= l[i * m + i];
  }
  return r;
}

// The minimum with all but `set` at 0, with one step of refinement.
Point minimum_on(const ConeProblem& p, const std::vector<size_t>& set) {
  Point w(p.b.size());
  for (int pass = 0; pass < 2; ++pass) {
    const Point g = cone_gradient(p, w);
    Point r;
    for (size_t i : set) r.push_back(-g[i]);
    const Point x = solve_on(p.a, p.b.size(), set, std::move(r));
    for (size_t k = 0; k < set.size(); ++k) w[set[k]] += x[k];
  }
  return w;
}

double sign_of(ConeSide side) {
  return side == ConeSide::inhibitory ? -1.0 : 1.0;
}

bool one_sided(ConeSide side) {
  return side == ConeSide::inhibitory || side == ConeSide::excitatory;
}

Status check_condition(double condition) {
  if (condition >= 1 && condition <= most_condition) return {};
  return Error{"condition", "is not between 1 and 10000; give L / mu, 10 is the window's"};
}

// What makes a quadratic usable; that A is positive definite shows when it is solved.
Status check_problem(const ConeProblem& p) {
  const size_t n = p.b.size();
  if (n < 1 || p.size() > most_cone_size)
    return Error{"size", "is " + std::to_string(n) + "; give 1 to " + std::to_string(most_cone_size)};
  if (p.a.size() != n * n || p.side.size() != n) return Error{"a", "and side do not fit b; give n * n and n values"};
  if (Status s = check_values(p.a, "a", 1); !s) return s;
  for (size_t i = 0; i < n; ++i)
    if (!(std::fabs(p.b[i]) <= 1e6))
      return Error{"b[" + std::to_string(i) + "]", "is not a number within 1e6; move it nearer to 0"};
  if (!(p.mu > 0 && p.smoothness >= p.mu && p.smoothness <= 1e6 && p.smoothness <= 1e6 * p.mu))
    return Error{"mu", "and smoothness are not eigenvalues to work with; give 0 < mu <= L <= 1e6, L / mu at most 1e6"};
  return {};
}

// f(w) - f(minimum) without the difference of two large numbers: g'd + d'Ad / 2, g the gradient at the minimum, 0
// where the minimum is inside its interval.
double gap_at(const ConeProblem& p, const Point& minimum, const Point& multiplier, const Point& w) {
  const Point d = minus(w, minimum), ad = times(p.a, d);
  double linear = 0, square = 0;
  for (size_t i = 0; i < d.size(); ++i) {
    linear += multiplier[i] * d[i];
    square += d[i] * ad[i];
  }
  return linear + square / 2;
}

// P y is nearest to y in every diagonal metric if and only if y - P y is 0 in each coordinate, or P y is 0 and y is on
// the wrong side.
bool is_nearest(const Point& y, const Point& projected, const std::vector<ConeSide>& side) {
  for (size_t i = 0; i < y.size(); ++i) {
    if (projected[i] == y[i]) continue;
    if (projected[i] != 0) return false;
    if (one_sided(side[i]) ? sign_of(side[i]) * y[i] > 0 : side[i] == ConeSide::free) return false;
  }
  return true;
}

class Runner {
 public:
  Runner(ConeDemo& demo, const ConeOptions& options) : demo_(demo), options_(options) {
    multiplier_ = cone_gradient(demo.problem, demo.minimum);
    for (size_t i = 0; i < multiplier_.size(); ++i)
      if (demo.minimum[i] != 0 || demo.problem.side[i] == ConeSide::free) multiplier_[i] = 0;
  }

  void go(ConeMethod method) {
    const ConeProblem& p = demo_.problem;
    ConeRun run;
    run.method = method;
    Point w = options_.start;
    project_to_cone(w, p.side);
    Point first(w.size()), second(w.size());
    double power1 = 1, power2 = 1;
    run.steps.push_back(look(w, w));
    for (int64_t k = 0; k < options_.steps; ++k) {
      const Point before = w, g = cone_gradient(p, w);
      power1 *= options_.adam_beta1;
      power2 *= options_.adam_beta2;
      for (size_t i = 0; i < w.size(); ++i) {
        if (method != ConeMethod::projected_adam) {
          w[i] -= demo_.eta * g[i];
          continue;
        }
        first[i] = options_.adam_beta1 * first[i] + (1 - options_.adam_beta1) * g[i];
        second[i] = options_.adam_beta2 * second[i] + (1 - options_.adam_beta2) * (g[i] * g[i]);
        w[i] -= options_.adam_rate * (first[i] / (1 - power1)) /
                (std::sqrt(second[i] / (1 - power2)) + options_.adam_epsilon);
      }
      if (method != ConeMethod::unconstrained) {
        const Point free = w;
        project_to_cone(w, p.side);
        if (!is_nearest(free, w, p.side)) demo_.nearest = ConeClaim::fails;
        if (cone_violations(w, p.side) != 0) demo_.signs = ConeClaim::fails;
      }
      if (!(norm(w) < divergence)) {
        run.diverged = true;
        break;
      }
      run.steps.push_back(look(w, before));
    }
    rate(run);
    if (method == ConeMethod::projected) judge(run);
    demo_.runs.push_back(std::move(run));
  }

 private:
  ConeStep look(const Point& w, const Point& before) const {
    ConeStep s;
    s.w1 = w[0];
    s.w2 = w.size() > 1 ? w[1] : 0;
    s.gap = gap_at(demo_.problem, demo_.minimum, multiplier_, w);
    s.distance = norm(minus(w, demo_.minimum));
    s.kkt = kkt_residual(demo_.problem, w);
    s.moved = norm(minus(w, before));
    s.violations = cone_violations(w, demo_.problem.side);
    return s;
  }

  void rate(ConeRun& run) const {
    const double first = run.steps.front().gap;
    const double tiny = 1e-12 * first;
    run.worst_descent = INFINITY;
    for (size_t k = 0; k + 1 < run.steps.size(); ++k) {
      const ConeStep &a = run.steps[k], &b = run.steps[k + 1];
      if (!(a.gap > tiny)) break;
      ++run.rated;
      run.worst_factor = std::max(run.worst_factor, b.gap / a.gap);
      run.worst_closer = std::max(run.worst_closer, b.distance / a.distance);
      if (b.moved > 0)
        run.worst_descent = std::min(run.worst_descent, (a.gap - b.gap) * 2 * demo_.eta / (b.moved * b.moved));
    }
    if (run.worst_descent == INFINITY) run.worst_descent = 0;
    if (run.rated == 0) return;
    const double last = std::max(0.0, run.steps[static_cast<size_t>(run.rated)].gap);
    run.mean_factor = last > 0 ? portable::exp(portable::log(last / first) / static_cast<double>(run.rated)) : 0;
  }

  // With room for rounding: a part in 1e9, and what is lost next to the size of the problem.
  void judge(const ConeRun& run) {
    const double size = 1 + norm(demo_.minimum) + norm(options_.start) + norm(demo_.problem.b);
    const double room = 1e-12 * size, room_f = demo_.problem.smoothness * room * size, more = 1 + 1e-9;
    const auto claim = [&run](bool covered, auto holds) {
      if (!covered) return ConeClaim::outside;
      for (size_t k = 0; k + 1 < run.steps.size(); ++k)
        if (!holds(run.steps[k], run.steps[k + 1])) return ConeClaim::fails;
      return run.diverged ? ConeClaim::fails : ConeClaim::holds;
    };
    const bool short_enough = options_.eta_l <= 1;
    demo_.descent = claim(short_enough, [&](const ConeStep& a, const ConeStep& b) {
      return (a.gap - b.gap) * more + room_f >= b.moved * b.moved / (2 * demo_.eta);
    });
    demo_.rate = claim(short_enough, [&](const ConeStep& a, const ConeStep& b) {
      return b.gap <= demo_.gap_factor * a.gap * more + room_f;
    });
    demo_.closer = claim(demo_.distance_factor < 1, [&](const ConeStep& a, const ConeStep& b) {
      return b.distance <= demo_.distance_factor * a.distance * more + room;
    });
  }

  ConeDemo& demo_;
  const ConeOptions& options_;
  Point multiplier_;
};

}  // namespace

const char* text_of(ConeMethod method) {
  return method == ConeMethod::unconstrained ? "unconstrained"
         : method == ConeMethod::projected   ? "projected"
                                             : "projected-adam";
}

const char* text_of(ConeClaim claim) {
  return claim == ConeClaim::holds ? "holds" : claim == ConeClaim::fails ? "fails" : "outside";
}

double project_to_side(double w, ConeSide side) {
  switch (side) {
    case ConeSide::excitatory:
      return w > 0 ? w : 0.0;
    case ConeSide::inhibitory:
      return w < 0 ? w : 0.0;
    case ConeSide::absent:
      return 0.0;
    case ConeSide::free:
      break;
  }
  return w;
}

void project_to_cone(Point& w, const std::vector<ConeSide>& side) {
  for (size_t i = 0; i < w.size(); ++i) w[i] = project_to_side(w[i], side[i]);
}

int64_t cone_violations(const Point& w, const std::vector<ConeSide>& side) {
  int64_t count = 0;
  for (size_t i = 0; i < w.size(); ++i) count += project_to_side(w[i], side[i]) != w[i];
  return count;
}

double cone_value(const ConeProblem& problem, const Point& w) {
  const Point d = minus(w, problem.b), ad = times(problem.a, d);
  double sum = 0;
  for (size_t i = 0; i < d.size(); ++i) sum += d[i] * ad[i];
  return sum / 2;
}

Point cone_gradient(const ConeProblem& problem, const Point& w) {
  return times(problem.a, minus(w, problem.b));
}

double kkt_residual(const ConeProblem& problem, const Point& w) {
  const Point g = cone_gradient(problem, w);
  Point step = w;
  for (size_t i = 0; i < w.size(); ++i) step[i] -= g[i] / problem.smoothness;
  project_to_cone(step, problem.side);
  return problem.smoothness * norm(minus(w, step));
}

Result<ConeProblem> plane_problem(double condition, double b1, double b2) {
  if (Status s = check_condition(condition); !s) return s.error();
  ConeProblem p;
  p.mu = 1 / condition;
  p.smoothness = 1;
  // mu u u' + L v v' with u = (3, 1) / sqrt 10, v = (-1, 3) / sqrt 10
  const double cross = 0.3 * (p.mu - 1);
  p.a = {0.9 * p.mu + 0.1, cross, cross, 0.1 * p.mu + 0.9};
  p.b = {b1, b2};
  p.side = {ConeSide::excitatory, ConeSide::inhibitory};
  if (Status s = check_problem(p); !s) return s.error();
  return p;
}

Result<ConeProblem> random_cone_problem(int64_t n, double condition, uint64_t seed, uint32_t index) {
  if (n < 2 || n > most_cone_size)
    return Error{"size", "is " + std::to_string(n) + "; give 2 to " + std::to_string(most_cone_size) + " weights"};
  if (Status s = check_condition(condition); !s) return s.error();
  const size_t m = static_cast<size_t>(n);
  Rng rng(seed, Purpose::test, 0, index);  // of no experiment's streams
  ConeProblem p;
  p.mu = 1 / condition;
  p.smoothness = 1;
  p.a.assign(m * m, 0);
  const double ratio = portable::exp(portable::log(condition) / static_cast<double>(n - 1));
  double eigenvalue = p.mu;
  for (size_t i = 0; i + 1 < m; ++i, eigenvalue *= ratio) p.a[i * m + i] = std::min(eigenvalue, 1.0);
  p.a[m * m - 1] = 1;
  // A <- H A H with H = I - 2 v v' / v'v: eigenvalues stay. As A - v q' - q v', exactly symmetric.
  for (int turn = 0; turn < 3; ++turn) {
    Point v(m);
    for (double& x : v) x = rng.normal();
    const double square = norm(v) * norm(v);
    if (!(square > 1e-6)) continue;
    Point q = times(p.a, v);
    double inner = 0;
    for (size_t i = 0; i < m; ++i) inner += v[i] * q[i];
    for (size_t i = 0; i < m; ++i) q[i] = 2 / square * (q[i] - inner / square * v[i]);
    for (size_t i = 0; i < m; ++i)
      for (size_t j = 0; j < m; ++j) p.a[i * m + j] -= v[i] * q[j] + q[i] * v[j];
  }
  for (size_t i = 0; i < m; ++i) {
    p.b.push_back(rng.normal());
    p.side.push_back(2 * i < m ? ConeSide::excitatory : ConeSide::inhibitory);
  }
  return p;
}

Result<Point> cone_minimum(const ConeProblem& problem) {
  if (Status s = check_problem(problem); !s) return s.error();
  const size_t n = problem.b.size();
  const double size = 1 + norm(problem.b), enough = 1e-13 * problem.smoothness * size;
  std::vector<uint8_t> in(n);  // may differ from 0
  for (size_t i = 0; i < n; ++i) in[i] = problem.side[i] == ConeSide::free;
  const auto set = [&in, n] {
    std::vector<size_t> list;
    for (size_t i = 0; i < n; ++i)
      if (in[i]) list.push_back(i);
    return list;
  };
  Point w = minimum_on(problem, set());
  for (int64_t round = 0; round < 20 * problem.size(); ++round) {
    const Point g = cone_gradient(problem, w);
    size_t best = n;
    double steepest = enough;
    for (size_t i = 0; i < n; ++i) {
      if (in[i] || !one_sided(problem.side[i])) continue;
      if (const double slope = -sign_of(problem.side[i]) * g[i]; slope > steepest) {
        steepest = slope;
        best = i;
      }
    }
    if (best == n) break;
    in[best] = 1;
    for (size_t inner = 0; inner <= n; ++inner) {
      const Point z = minimum_on(problem, set());
      double reach = 1;  // how far towards z no sign turns
      size_t turned = n;
      for (size_t i = 0; i < n; ++i)
        if (in[i] && project_to_side(z[i], problem.side[i]) != z[i])
          if (const double t = w[i] / (w[i] - z[i]); t < reach || turned == n) {
            reach = t;
            turned = i;
          }
      for (size_t i = 0; i < n; ++i) w[i] = turned == n ? z[i] : w[i] + reach * (z[i] - w[i]);
      if (turned == n) break;
      for (size_t i = 0; i < n; ++i)
        if (in[i] && one_sided(problem.side[i]) && (i == turned || sign_of(problem.side[i]) * w[i] <= 0)) {
          in[i] = 0;
          w[i] = 0;
        }
    }
  }
  if (!(kkt_residual(problem, w) <= 1e-9 * problem.smoothness * size))
    return Error{"a", "has no minimum on the cone to be found; give a symmetric matrix with eigenvalues mu to L"};
  return w;
}

const ConeRun* ConeDemo::run(ConeMethod method) const {
  for (const ConeRun& r : runs)
    if (r.method == method) return &r;
  return nullptr;
}

Result<ConeDemo> cone_demo(const ConeProblem& problem, const ConeOptions& options) {
  if (!(options.eta_l > 0 && options.eta_l <= 4))
    return Error{"eta", "is not above 0 and at most 4; give the step length times L, up to 1 is covered"};
  if (options.steps < 1 || options.steps > 10000)
    return Error{"steps", "is " + std::to_string(options.steps) + "; give 1 to 10000"};
  if (options.start.size() != problem.b.size())
    return Error{"start", "has " + std::to_string(options.start.size()) + " values; give one for each weight"};
  for (size_t i = 0; i < options.start.size(); ++i)
    if (!(std::fabs(options.start[i]) <= 1e6))
      return Error{"start[" + std::to_string(i) + "]", "is not a number within 1e6; move it nearer to 0"};
  if (!(options.adam_rate > 0 && options.adam_rate <= 1e3 && options.adam_beta1 >= 0 && options.adam_beta1 < 1 &&
        options.adam_beta2 >= 0 && options.adam_beta2 < 1 && options.adam_epsilon > 0))
    return Error{"adam", "needs a positive rate and epsilon and betas from 0 to below 1; 0.05, 1e-8, 0.9, 0.999 work"};
  Result<Point> minimum = cone_minimum(problem);
  if (!minimum) return minimum.error();
  ConeDemo demo;
  demo.problem = problem;
  demo.minimum = std::move(*minimum);
  demo.eta = options.eta_l / problem.smoothness;
  demo.gap_factor = 1 - demo.eta * problem.mu;
  demo.distance_factor = std::max(std::fabs(1 - demo.eta * problem.mu), std::fabs(1 - options.eta_l));
  Runner runner(demo, options);
  runner.go(ConeMethod::unconstrained);
  runner.go(ConeMethod::projected);
  if (options.adam) runner.go(ConeMethod::projected_adam);
  return demo;
}

}  // namespace dalea
