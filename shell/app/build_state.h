// What the Build tab remembers from one frame to the next.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/circuit.h"
#include "imgui.h"

namespace dalea::app {

struct BuildState {
  int post = 0, pre = 0;                  // the connection that is selected, by population
  bool circuit = false;                   // shown where there is no room for both
  std::string typed;                      // digits of a probability typed so far
  double dragged = 0;                     // the probability while the pointer drags it
  int drawn_from = -1;                    // the population that a new connection is being drawn from
  std::vector<std::vector<double>> kept;  // the matrix as it was before it became one number
  std::vector<std::string> kept_of;       // and the names of its populations

  Spec plain_of, plain;  // what the draft's rules amount to as a matrix
  bool plain_known = false;

  Spec mask_of;  // what follows was sampled of
  bool mask_known = false;
  Expected expected;
  StartSpectrum spectrum;
  int64_t synapses = -1;  // in the sampled mask; -1: not sampled
  int mask_side = 0;
  std::vector<uint32_t> pixels;
  ImTextureID texture = {};  // empty again once the graphics context was lost
  double s_per_pair = 1e-8;  // of sampling, as measured
  double sampling_s() const { return s_per_pair * static_cast<double>(mask_of.units() * mask_of.units()); }

  Spec task_of;
  bool task_known = false;
  TaskPreview task;
};

}  // namespace dalea::app
