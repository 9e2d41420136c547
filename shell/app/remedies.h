// What to try when a training stopped on numbers that are not finite.
#pragma once

#include <string>
#include <vector>

#include "spec/spec.h"

namespace dalea::app {

struct Remedy {
  std::string label, help;
  Spec spec;  // the experiment with it
};

// The likely cause, a sentence, from what the experiment asks for.
std::string likely_cause(const Spec& spec);
// The most promising first; never empty.
std::vector<Remedy> remedies(const Spec& spec);

}  // namespace dalea::app
