// The files of `dalea spectrum`: eigenvalues of the recurrent matrix before and after training, and its weights by
// sign.
#pragma once

#include <string>
#include <vector>

#include "analysis/sign_weights.h"
#include "analysis/spectrum.h"
#include "common/figure.h"
#include "spec/spec.h"

namespace dalea {

struct SpectrumSide {
  Spectrum spectrum;
  WeightsBySign weights;  // both sides over the same edges
};
struct SpectrumStudy {
  std::string name;  // of the experiment
  std::vector<Population> populations;
  SpectrumSide initial, now;
};
// Both (post, pre), of these populations; of sparse ones only the synapses that exist count.
Result<SpectrumStudy> study_spectrum(const std::string& name, const std::vector<Population>& populations,
                                     const Weights& initial, const Weights& now);

// Eigenvalues over the unit circle, equal axes; histograms by sign, before and now.
plot::Figure spectrum_figure(const SpectrumStudy& study);
std::string eigenvalues_csv(const SpectrumStudy& study);  // when,real,imaginary,modulus: initial, then now

}  // namespace dalea
