// The files of `dalea perturb` and of the window's Perturb tab.
#pragma once

#include <string>
#include <vector>

#include "analysis/perturbation.h"
#include "common/figure.h"

namespace dalea {

struct PerturbStudy {
  std::string name, unit;  // of the experiment; of the loss
  Spec spec;
  double dt_s = 0;  // 0: steps have no time
  std::vector<Intervention> interventions;
  Perturbation result;
};

std::string perturb_title(const PerturbStudy& study);  // "E silenced in steps 10 to 19"
// Activity by population, intact and perturbed; change of the outputs; both against time.
plot::Figure perturb_figure(const PerturbStudy& study);
std::string perturb_csv(const PerturbStudy& study);  // a row for each step

}  // namespace dalea
