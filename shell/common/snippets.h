// Texts to copy: how to go on with a network elsewhere.
#pragma once

#include <string>

#include "spec/spec.h"

namespace dalea {

// A name for files, made of an experiment's: small letters, digits and "-", at most 60; "dalea" where nothing is left.
std::string file_stem(const std::string& name);

// Python that reads `file`, what Download > Weights (.npz) saves of a network of this experiment, and gives its step:
// of PyTorch tensors where PyTorch is there, else of NumPy arrays. Without noise and interventions.
std::string python_snippet(const Spec& spec, const std::string& file);

// The line for a terminal that trains the experiment of `link` (a fragment, without "#") natively.
std::string native_snippet(const std::string& link);

}  // namespace dalea
