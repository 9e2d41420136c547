// Dale's law as geometry (docs/THEORY.md): the weights with the right signs are a closed convex cone, Dale's
// backpropagation is a gradient step and the projection onto it. A quadratic whose constrained minimum is known shows
// what that guarantees. In double, with + - * / and sqrt alone, so that every machine draws the same paths.
#pragma once

#include <cstdint>
#include <vector>

#include "error.h"

namespace dalea {

// A coordinate: its presynaptic neuron's sign, or no connection at all. Each admits a closed interval around 0, so
// their product has a projection that takes coordinates one by one.
enum class ConeSide : int8_t { inhibitory = -1, free = 0, excitatory = 1, absent = 2 };

// The nearest admissible point, in every diagonal metric: as project_signs() does it, and 0 where nothing connects.
double project_to_side(double w, ConeSide side);
void project_to_cone(std::vector<double>& w, const std::vector<ConeSide>& side);
int64_t cone_violations(const std::vector<double>& w, const std::vector<ConeSide>& side);

// f(w) = (w - b)' A (w - b) / 2
struct ConeProblem {
  std::vector<double> a;  // (n, n), symmetric
  std::vector<double> b;  // the minimum without the cone
  std::vector<ConeSide> side;
  double mu = 0, smoothness = 0;  // least and greatest eigenvalue of A; smoothness is L

  int64_t size() const { return static_cast<int64_t>(b.size()); }
};
double cone_value(const ConeProblem& problem, const std::vector<double>& w);
std::vector<double> cone_gradient(const ConeProblem& problem, const std::vector<double>& w);
// L |w - P(w - grad f / L)|: 0 at the constrained minimum and nowhere else (the KKT conditions in one number).
double kkt_residual(const ConeProblem& problem, const std::vector<double>& w);

constexpr double most_condition = 1e4;
constexpr int64_t most_cone_size = 200;
// Two weights, w1 of an excitatory and w2 of an inhibitory neuron; L = 1, mu = 1 / condition, the flattest direction
// (3, 1) / sqrt 10.
Result<ConeProblem> plane_problem(double condition, double b1, double b2);
constexpr double cone_plane_b[] = {1.2, 0.6}, cone_plane_start[] = {0.3, -1.5};  // as window and command line begin
// Eigenvalues from 1 / condition to 1 in equal ratios, turned by random reflections; about half of b has the wrong
// sign. Of `n` coordinates, the first half is excitatory, the rest inhibitory.
Result<ConeProblem> random_cone_problem(int64_t n, double condition, uint64_t seed, uint32_t index = 0);

// The minimum on the cone by an active-set method (Lawson and Hanson's), which shares nothing with gradient descent:
// finitely many linear systems. An error if its KKT residual is more than rounding.
Result<std::vector<double>> cone_minimum(const ConeProblem& problem);

enum class ConeMethod { unconstrained, projected, projected_adam };
const char* text_of(ConeMethod method);  // "unconstrained", "projected", "projected-adam"

struct ConeStep {
  double w1 = 0, w2 = 0;  // the first two weights, to draw
  double gap = 0;         // f(w) - f(minimum); negative outside the cone
  double distance = 0;    // to the minimum
  double kkt = 0;         // residual
  double moved = 0;       // length of the step that led here
  int64_t violations = 0;
};
struct ConeRun {
  ConeMethod method = ConeMethod::projected;
  std::vector<ConeStep> steps;  // from the start; shorter than asked for when it diverged
  bool diverged = false;
  int64_t rated = 0;         // steps until the gap is 1e-12 of the first one: what comes later is rounding
  double mean_factor = 0;    // of the gap over these steps, geometric; 0 for none
  double worst_factor = 0;   // of the gap in one of them
  double worst_closer = 0;   // of the distance in one of them
  double worst_descent = 0;  // least (fall of f) / (|step|^2 / 2 eta) in one of them: 1 or more is promised
};

// A statement about the projected run. Outside: it promises nothing for this step length.
enum class ConeClaim { holds, fails, outside };
const char* text_of(ConeClaim claim);  // "holds", "fails", "outside"

struct ConeOptions {
  std::vector<double> start;  // projected onto the cone first
  int64_t steps = 60;
  double eta_l = 1;  // step length times L
  bool adam = true;
  double adam_rate = 0.05, adam_beta1 = 0.9, adam_beta2 = 0.999, adam_epsilon = 1e-8;
};
struct ConeDemo {
  ConeProblem problem;
  std::vector<double> minimum;
  double eta = 0;
  double gap_factor = 0;       // promised of the gap per step: 1 - eta mu, if eta L <= 1
  double distance_factor = 0;  // promised of the distance per step: max(|1 - eta mu|, |1 - eta L|), if below 1
  std::vector<ConeRun> runs;   // unconstrained, projected, and Adam if asked for
  ConeClaim nearest = ConeClaim::holds;  // the projection was the nearest point in every diagonal metric, at each step
  ConeClaim signs = ConeClaim::holds;    // no sign was ever violated
  ConeClaim descent = ConeClaim::holds;  // f fell by |step|^2 / (2 eta) or more, at each step
  ConeClaim rate = ConeClaim::holds;     // the gap fell by gap_factor or faster, at each step
  ConeClaim closer = ConeClaim::holds;   // the distance fell by distance_factor or faster, at each step

  const ConeRun* run(ConeMethod method) const;  // null: not asked for
};
Result<ConeDemo> cone_demo(const ConeProblem& problem, const ConeOptions& options);

}  // namespace dalea
