// JSON knows no infinity and no missing number but null.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>

namespace dalea {

inline nlohmann::json number_or_null(double v) {
  return std::isfinite(v) ? nlohmann::json(v) : nlohmann::json(nullptr);
}

}  // namespace dalea
