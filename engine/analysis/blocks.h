// Averages of a recurrent matrix over blocks of units (SEEDS 4.8): rows are the receiving group (post), columns the
// sending one (pre), zeros included. Matrices of blocks are row by row, (post, pre).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/check.h"
#include "analysis/states.h"
#include "analysis/synapses.h"
#include "error.h"
#include "spec/spec.h"

namespace dalea {

// layer: of each area; area; type: over all areas and layers.
enum class BlockLevel : uint8_t { population, layer, area, type };
const char* name_of(BlockLevel level);
Result<BlockLevel> parse_block_level(std::string_view name);

// Populations that one row and column of blocks is about. What a level does not tell apart is empty.
struct BlockGroup {
  std::string name;  // "V1 L2/3", "LM", "SST"; of a population its own
  std::string area, layer, type;
  int64_t units = 0;
};

// Areas in the order of the spec, within them layers from the surface down (L1, L2/3, L4, L5, L6; others after them),
// within those as the spec has them.
struct BlockGroups {
  BlockLevel level = BlockLevel::population;
  std::vector<BlockGroup> groups;
  std::vector<size_t> of_population;  // group of each population
  std::vector<int64_t> sizes;         // units of each population
  size_t count() const { return groups.size(); }
  int64_t units() const;
  bool operator==(const BlockGroups& other) const;
};
// An error: no populations, or none has the label that the level needs.
Result<BlockGroups> group_blocks(const std::vector<Population>& populations, BlockLevel level);

// Weights below this are no connection (SEEDS 4.8).
constexpr double connection_threshold = 1e-5;

struct BlockAverages {
  size_t groups = 0;
  std::vector<double> mean;      // (post, pre): mean weight over all entries of the block, zeros included
  std::vector<double> mean_abs;  // mean |weight|
  std::vector<double> density;   // fraction of |weight| >= connection_threshold
  std::vector<int64_t> entries;  // of the block: post units x pre units
};
// float64 sums, column by column: the same bits however w is stored. An error: not square, another size than the
// groups', a weight that is not finite.
Result<BlockAverages> average_blocks(const Weights& w, const BlockGroups& groups);

// Which blocks may hold a connection. `probability`: (post, pre) of populations; empty: all may.
Result<std::vector<uint8_t>> possible_blocks(const BlockGroups& groups,
                                             const std::vector<std::vector<double>>& probability);
// Those in which `mask` has an entry; null: all.
std::vector<uint8_t> possible_blocks(const BlockGroups& groups, const Pattern* mask);

// Of one block over runs. sd and variance divide by the count, as numpy does and as published; `cv` and `confidence`
// are not a number where the mean is 0. Confidence is 1 - cv (as published): it can be negative, and of raw weights
// its sign follows the mean's.
struct Dispersion {
  double mean = 0, sd = 0, variance = 0, range = 0, iqr = 0, cv = 0, confidence = 0;
};
Result<Dispersion> dispersion_of(Values runs);  // 1 or more

// Currents between groups from those between populations (states.h): mean over trials, steps and the units of the
// receiving group, in the unit of the drive; sending populations add up. (post, pre)
std::vector<double> block_currents(const Currents& currents, const BlockGroups& groups);

}  // namespace dalea
