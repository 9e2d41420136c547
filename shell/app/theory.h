// What the Theory tab knows: a quadratic of two weights under sign constraints, and the paths that lead to its minimum.
// No user interface here, so it can be tested by itself; a few hundred steps of two weights need no thread.
#pragma once

#include <string>

#include "analysis/cone.h"
#include "app/live.h"

namespace dalea::app {

struct TheoryInput {
  double condition = 10, eta_l = 0.5;
  int steps = 60;
  bool adam = true;
  double b1 = cone_plane_b[0], b2 = cone_plane_b[1];                  // lowest loss without signs
  double start1 = cone_plane_start[0], start2 = cone_plane_start[1];  // admissible

  bool operator==(const TheoryInput&) const = default;
};

class Theory {
 public:
  // What is drawn: w1 from left to right, w2 from bottom to top.
  static constexpr double left = -0.9, right = 2.3, bottom = -2.1, top = 1.1;

  TheoryInput input;
  // Of `input`, whose values are first moved into what can be drawn; null: failure() says why.
  const ConeDemo* demo();
  const std::string& failure() const { return failure_; }

 private:
  TheoryInput done_;
  bool any_ = false;
  ConeDemo demo_;
  std::string failure_;
};

// Weights of neurons with a sign: how many there are, and how many sit exactly on the end of what is admissible.
struct OnBoundary {
  int64_t weights = 0, zero = 0;
};
OnBoundary on_boundary(const MatrixView& w, const std::vector<PopulationView>& populations);

}  // namespace dalea::app
