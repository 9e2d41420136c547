// Shared by the tests of pruning and of the spanning tree: their golden file and small matrices.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "doctest/doctest.h"
#include "numerics/weights.h"

namespace dalea::testing {

inline const nlohmann::json& pruning_golden() {
  static const nlohmann::json g = [] {
    std::ifstream file(DALEA_SOURCE_DIR "/tests/golden/pruning.json");
    REQUIRE(file.good());
    return nlohmann::json::parse(file);
  }();
  return g;
}

inline Weights dense(int64_t rows, int64_t cols, std::vector<float> values) {
  Weights w;
  w.name = std::string("W");
  w.rows = rows;
  w.cols = cols;
  w.values = std::move(values);
  return w;
}

}  // namespace dalea::testing
