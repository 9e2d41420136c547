// Block averages of several runs, checkpoint by checkpoint and level by level, and their dispersion over the runs
// (SEEDS 4.8; F30, F31).
#pragma once

#include <string>
#include <vector>

#include "common/compare_report.h"

namespace dalea {

struct BlockTable {
  std::string group;
  CompareCheckpoint checkpoint = CompareCheckpoint::final;
  BlockGroups groups;
  int64_t runs = 0;
  std::vector<uint8_t> possible;           // (post, pre), as everything below
  std::vector<Dispersion> mean, mean_abs;  // over runs
  std::vector<double> density;             // mean over runs
};

constexpr size_t most_block_groups = 200;  // a level with more is left out
// Of every group: initial, dense and sparse weights where its sessions have stages, else initial and final ones; each
// by population, layer and area, where the populations have such labels.
Result<std::vector<BlockTable>> block_tables(const std::vector<NamedSession>& sessions,
                                             const std::vector<SessionGroup>& groups);
std::string block_tables_csv(const std::vector<BlockTable>& tables);  // a row for each block

}  // namespace dalea
