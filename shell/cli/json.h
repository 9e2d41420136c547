// What the commands' JSON has in common.
#pragma once

#include <chrono>

#include "common/json.h"

namespace dalea::cli {

inline double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace dalea::cli
