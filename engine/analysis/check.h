// What every analysis asks of its numbers first.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string>

#include "error.h"

namespace dalea {

using Values = std::span<const double>;

inline int64_t count_of(Values x) {
  return static_cast<int64_t>(x.size());
}

// Finite, at most 1e150 in size (so that squares stay finite), at least `least` of them, at most 2^31 - 1.
inline Status check_values(Values x, const std::string& name, int64_t least) {
  if (count_of(x) < least || count_of(x) > INT32_MAX)
    return Error{name, "has " + std::to_string(x.size()) + " values; give at least " + std::to_string(least) +
                           (count_of(x) > INT32_MAX ? " and fewer than 2^31" : "")};
  for (size_t i = 0; i < x.size(); ++i) {
    if (std::fabs(x[i]) <= 1e150) continue;
    const std::string where = name + "[" + std::to_string(i) + "]";
    if (std::isfinite(x[i])) return Error{where, "is beyond 1e150; divide all values by a common factor"};
    return Error{where, "is not finite; leave out the run that failed, and say so"};
  }
  return {};
}

inline Status check_groups(Values a, Values b, int64_t least) {
  if (Status s = check_values(a, "a", least); !s) return s;
  return check_values(b, "b", least);
}

inline Status check_confidence(double confidence) {
  if (confidence > 0 && confidence < 1) return {};
  return Error{"confidence", "is not between 0 and 1; 0.95 is usual"};
}

inline Status check_draws(int64_t draws) {
  if (draws >= 1 && draws <= 10'000'000) return {};
  return Error{"draws", "is " + std::to_string(draws) + "; give 1 to 10000000, 9999 is usual"};
}

}  // namespace dalea
