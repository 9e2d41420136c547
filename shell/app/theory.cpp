#include "app/theory.h"

#include <algorithm>
#include <cmath>

namespace dalea::app {
namespace {

// Not a number becomes the least value.
double within(double v, double least, double most) {
  return v > least ? std::min(v, most) : least;
}

}  // namespace

const ConeDemo* Theory::demo() {
  TheoryInput& in = input;
  in.condition = within(in.condition, 1, 1000);
  in.eta_l = within(in.eta_l, 0.05, 2.5);
  in.steps = std::clamp(in.steps, 5, 500);
  constexpr double edge = 0.1;
  in.b1 = within(in.b1, left + edge, right - edge);
  in.b2 = within(in.b2, bottom + edge, top - edge);
  in.start1 = within(in.start1, 0, right - edge);  // the guarantees begin at an admissible point
  in.start2 = within(in.start2, bottom + edge, 0);
  if (any_ && in == done_) return failure_.empty() ? &demo_ : nullptr;
  any_ = true;
  done_ = in;
  failure_.clear();
  Result<ConeProblem> problem = plane_problem(in.condition, in.b1, in.b2);
  if (!problem) {
    failure_ = problem.error().text();
    return nullptr;
  }
  ConeOptions options;
  options.start = {in.start1, in.start2};
  options.steps = in.steps;
  options.eta_l = in.eta_l;
  options.adam = in.adam;
  Result<ConeDemo> made = cone_demo(*problem, options);
  if (!made) {
    failure_ = made.error().text();
    return nullptr;
  }
  demo_ = std::move(*made);
  return &demo_;
}

OnBoundary on_boundary(const MatrixView& w, const std::vector<PopulationView>& populations) {
  OnBoundary count;
  for (const PopulationView& p : populations) {
    if (p.sign == Sign::free) continue;
    for (int64_t j = p.units.begin; j < std::min(p.units.end, w.units); ++j) {
      const int64_t begin = w.pattern ? w.pattern->col_start[static_cast<size_t>(j)] : j * w.units;
      const int64_t end = w.pattern ? w.pattern->col_start[static_cast<size_t>(j) + 1] : (j + 1) * w.units;
      count.weights += end - begin;
      for (int64_t e = begin; e < end; ++e) {
        const int64_t at = w.sparse || !w.pattern ? e : j * w.units + w.pattern->row[static_cast<size_t>(e)];
        count.zero += w.values[static_cast<size_t>(at)] == 0;
      }
    }
  }
  return count;
}

}  // namespace dalea::app
