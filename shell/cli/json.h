// What the commands' JSON has in common.
#pragma once

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

namespace dalea::cli {

// JSON knows no infinity and no missing number but null.
inline nlohmann::json number_or_null(double v) {
  return std::isfinite(v) ? nlohmann::json(v) : nlohmann::json(nullptr);
}

inline double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace dalea::cli
