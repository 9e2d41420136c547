// What the window keeps of the Compare tab.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/comparison.h"

namespace dalea::app {

struct CompareState {
  ComparisonPlan plan;                   // what is chosen; `from`, `to`, `level` and `raw` are of what is shown
  bool from_link = false;                // whose experiment is not there yet
  bool offered = false;                  // by a link, not trained yet
  std::optional<ComparisonPlan> linked;  // goes into links: offered or trained
  uint64_t network = 0;                  // Setup::serial that the choice is for
  char key[204] = "", values[1004] = "", field[204] = "";
  bool other_key = false;  // typed
  bool by_field = false;   // sessions' conditions: by a key instead of the file name
  std::vector<FilePtr> sessions;
  ComparedRuns runs;                // that are compared; null: none
  std::vector<std::string> groups;  // of them
  std::string experiment;           // its name, that the choice was made for
  uint64_t seen = 0;                // version of compare_side whose runs were taken
  ComparePicture picture = ComparePicture::matrix;
};

// For scripts.
std::string comparison_json(const CompareState& state, const SideView& side, const ComparerView& view);

}  // namespace dalea::app
