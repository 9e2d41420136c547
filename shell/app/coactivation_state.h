// What the window keeps of the Co-activation tab.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "analysis/coactivation.h"
#include "imgui.h"

namespace dalea::app {

struct CoactivationState {
  uint64_t network = 0;
  int64_t asked = -1;  // the network was to be measured after so many updates
  std::shared_ptr<const Coactivation> shown;
  ImTextureID texture = {};
  std::vector<uint32_t> pixels;
};

}  // namespace dalea::app
