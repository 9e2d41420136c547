// The files and lines of `dalea fit` and of the window's Fit tab.
#pragma once

#include <string>

#include "analysis/fits.h"
#include "common/figure.h"

namespace dalea {

struct FitReport {
  std::string name;  // of the experiment
  Fits fits;
  Overfit overfit;
};

std::string interval_text(const Estimate& e, int decimals);  // "0.412 [0.38, 0.45]"; "-" without a value
// R2 of every unit, from the best, beside its best baseline and the shuffled control; and one against the other.
plot::Figure fit_figure(const FitReport& report);
std::string fit_csv(const FitReport& report);      // a row for each group, then for each unit
std::string fit_method(const Fits& fits);          // sentences: what the numbers are
std::string fit_verdict(const FitReport& report);  // of all units: does the network beat the best baseline?

}  // namespace dalea
