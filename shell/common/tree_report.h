// How much of the maximum spanning tree survives pruning (SEEDS 3.8, F17, F18), as figures, tables and a sentence. No
// files: studies, the command line and the window make the same from an OverlapStudy.
#pragma once

#include <string>
#include <vector>

#include "common/figure.h"
#include "common/report.h"
#include "pruning/spanning_tree.h"
#include "spec/spec.h"

namespace dalea {

// Whether the lower bound of top-prob says more than random pruning would keep anyhow, over the sparsities below 1.
struct BoundComparison {
  int64_t size = 0, sparsities = 0;
  std::vector<double> published_above, corrected_above;  // sparsities at which the bound is not below the expectation
};
std::vector<BoundComparison> compare_bounds(const OverlapStudy& study);
std::string bound_sentence(const BoundComparison& c);

// Of a trained network's tree.
struct TreeEdge {
  int64_t post = 0, pre = 0;  // from 0, as in W_rec[post, pre]
  float weight = 0;
};
std::vector<TreeEdge> tree_edges(const SpanningTree& tree, const Weights& w);  // from the heaviest
std::string tree_edges_csv(const std::vector<TreeEdge>& edges, const std::vector<Population>& populations);

// One column for each size: survival of the tree above, the surviving weights below. `by_masks`: a given matrix, whose
// spread is over masks, not over matrices.
plot::Figure trees_figure(const OverlapStudy& study, double survivors_at, bool by_masks = false);
plot::Panel tree_panel(const Weights& w, const std::vector<TreeEdge>& edges,
                       const std::vector<Population>& populations);

std::string trees_csv(const OverlapStudy& study);      // a row for each size, method and sparsity
std::string survivors_csv(const OverlapStudy& study);  // size,method,kind,low,high,count,density: bins and kernels
ReportTable trees_table(const OverlapStudy& study);    // a row for each size and sparsity, a column for each method

}  // namespace dalea
