// Golden values, distances, random and published groups for the tests of statistics and distributions.
#pragma once

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "doctest/doctest.h"
#include "error.h"
#include "numerics/rng.h"

namespace dalea::testing {

using nlohmann::json;
using Vector = std::vector<double>;

inline const json& golden() {
  static const json g = [] {
    std::ifstream file(DALEA_SOURCE_DIR "/tests/golden/statistics.json");
    REQUIRE(file.good());
    return json::parse(file);
  }();
  return g;
}

inline Vector numbers(const json& j) {
  return j.get<Vector>();
}

template <class T>
T must(const Result<T>& r) {
  REQUIRE_MESSAGE(r.ok(), (r.ok() ? "" : r.error().text()));
  return *r;
}

// Of the larger of 1 and the expected size.
inline double off(double got, double expected) {
  return std::fabs(got - expected) / std::max(1.0, std::fabs(expected));
}
inline double relative(double got, double expected) {
  return std::fabs(got / expected - 1);
}

inline Vector normals(Rng& rng, int64_t n, double shift = 0) {
  Vector x;
  for (int64_t i = 0; i < n; ++i) x.push_back(shift + rng.normal());
  return x;
}

// SEEDS 2.5.
inline const Vector flip_conventional{0.010593, 0.000783, 0.021691, 0.017240, 0.003452};
inline const Vector flip_rectified{0.513975, 0.001124, 0.014623, 0.031350, 3.020655};
inline const Vector flip_dale{0.001417, 0.001649, 0.005097, 0.000823, 0.002983};
inline const Vector wave_conventional{0.017495, 0.027733, 0.034889, 0.047470, 0.050947};
inline const Vector wave_rectified{0.044232, 0.013967, 0.024503, 0.017075, 0.040223};
inline const Vector wave_dale{0.028493, 0.027157, 0.026712, 0.036858, 0.021440};
inline const Vector mnist_conventional{96.34, 96.95, 95.92, 97.35, 97.69};
inline const Vector mnist_rectified{51.97, 85.87, 79.50, 86.69, 87.20};
inline const Vector mnist_dale{95.62, 94.79, 95.19, 95.15, 95.34};

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace dalea::testing
