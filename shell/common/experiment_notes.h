// What choices of an experiment mean for reading its weights, a sentence each; for reports and the window.
#pragma once

#include <string>
#include <vector>

#include "spec/spec.h"

namespace dalea {

// network.input_mask on or off (SEEDS Q1).
std::string input_mask_meaning(bool on);
// Of networks whose populations read a recording's channels; empty: nothing to say.
std::vector<std::string> experiment_notes(const Spec& spec);

}  // namespace dalea
