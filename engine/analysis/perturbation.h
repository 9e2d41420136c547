// What a trained network does when a population is silenced or driven for a while: its loss, its outputs and every
// population's activity beside those of the same network left alone, on the same trials, without noise.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "network/pass.h"
#include "tasks/trials.h"
#include "training/trainer.h"

namespace dalea {

struct PopulationResponse {
  Range units;
  std::vector<double> intact, perturbed;  // (step): mean activity z over units and trials
};

struct Perturbation {
  int64_t trials = 0, steps = 0;
  double loss = 0, perturbed_loss = 0;          // mean per scored element
  double accuracy = 0, perturbed_accuracy = 0;  // share of right answers; NaN: the task has no classes
  std::vector<double> output_change;            // (step): root mean square over outputs and trials
  std::vector<PopulationResponse> populations;  // in the order of the spec
};

// "E" (all steps), "E:10-20" (steps 10 to 19, counted from 0); without `silence` it is a drive, which has an amount
// too: "E=0.5:10-20". An error names what is wrong, with `path` in front.
Result<Intervention> parse_intervention(const std::string& path, std::string_view text, bool silence, const Spec& spec,
                                        int64_t steps);
// The same in words: "E silenced in steps 10 to 19".
std::string text_of(const Intervention& intervention, const Spec& spec, int64_t steps);

// Over all held-out trials of `data`. `progress` hears before every minibatch of the part done, 0 .. 1, and gives false
// to cancel; it may be null. An error: there are none, or "cancelled".
Result<Perturbation> perturb(const Model& model, const Dataset& data, int64_t batch,
                             const std::vector<Intervention>& interventions, Isa isa, Workers& workers,
                             const std::function<bool(double)>& progress = nullptr);

}  // namespace dalea
