// The cell-type model of figures 4 and 5 (SEEDS 4 and 5): what is trained, and what was published. For the reports.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "common/reproduce_parts.h"

namespace dalea::reproduce {

constexpr const char* cell_type_task = "cell-types";

// Networks of one condition, session and rule.
struct CellGroup {
  std::string id;         // "novel-change-half", "familiar-change-vanilla"
  std::string condition;  // "novel_change"
  bool half = false;      // frames 7 .. 13 of the input, else 0 .. 14
  bool vanilla = false;   // without Dale's projection
};
std::vector<CellGroup> cell_groups(const Options& options);
std::vector<Job> cell_type_jobs(const Options& options);  // dense ones first; then each pruned and trained on
// Blocks of populations: top-prob within areas, random between them.
Result<PruneOptions> cell_type_pruning(const Options& options, const Spec& spec);
Result<Start> cell_type_start(const Options& options, const Job& job, const Parameters& parent);

// (post, pre) of the 18 populations: the table within areas, 0.3 in the motif's blocks (SEEDS 4.3, 4.4).
std::vector<std::vector<double>> cell_type_probability();

// Six blocks of populations on a side: V1 L4, L23, L5, LM L4, L23, L5.
constexpr size_t layer_count = 6;
constexpr const char* layer_names[layer_count] = {"V1 L4", "V1 L2/3", "V1 L5", "LM L4", "LM L2/3", "LM L5"};
using LayerValues = std::array<double, layer_count * layer_count>;  // (post, pre)
LayerValues expected_layer_density();                               // of the table and the motif
bool possible(size_t post, size_t pre);                             // layer blocks that can hold a connection: 21
struct LayerBlocks {
  LayerValues mean_abs{}, density{};  // over all entries of a block; density: |w| >= 1e-5
};
LayerBlocks layer_blocks(const Weights& w);  // 18 populations in the ratio 12:2:1, in their order

// SEEDS 4.7; the mean over five runs.
constexpr std::array<double, 9> published_expected_density = {.0952, .0570, .0336, .0903, .1110,
                                                              .0180, .0201, .0556, .0553};
struct PublishedLoss {
  const char* group;
  const char* stage;  // "dense", "pruned", "fine-tune"
  int64_t epoch;
  std::array<double, 5> runs;
};
constexpr PublishedLoss published_losses[] = {
    {"novel-change-half", "dense", 20, {.01952, .01320, .01821, .01927, .01621}},
    {"novel-change-half", "dense", 40, {.01427, .00978, .01271, .01408, .01169}},
    {"novel-change-half", "dense", 60, {.01170, .00788, .01110, .01213, .00905}},
    {"novel-change-half", "pruned", 0, {.0035, .0029, .0028, .0033, .0028}},
    {"novel-change-half", "fine-tune", 20, {.00657, .00449, .00524, .00621, .00539}},
    {"novel-change-half", "fine-tune", 40, {.00326, .00198, .00259, .00285, .00216}},
    {"familiar-change-vanilla", "dense", 20, {.01841, .02327, .01126, .02104, .01507}},
    {"familiar-change-vanilla", "dense", 40, {.01410, .01889, .00855, .01775, .01234}},
    {"familiar-change-vanilla", "dense", 60, {.01156, .01589, .00780, .01485, .01106}},
    {"familiar-change-vanilla", "pruned", 0, {.0089, .0042, .0054, .0053, .0080}},
    {"familiar-change-vanilla", "fine-tune", 20, {.00710, .00422, .00462, .00351, .00663}},
    {"familiar-change-vanilla", "fine-tune", 40, {.00401, .00231, .00224, .00181, .00343}},
};

// SEEDS 5.4, full session: second less first, mean |w| times 1e4. FF: LM L4 <- V1 L23; FB23, FB5: V1 L23, V1 L5 <- LM
// L5; then the diagonals of V1 and LM, L23, L4, L5.
struct PublishedPair {
  const char* first;
  const char* second;
  std::array<double, 9> difference;
};
constexpr PublishedPair published_pairs[] = {
    {"familiar_no_change", "familiar_change", {13.92, 5.56, 7.99, 5.65, 5.42, 3.92, 2.54, 4.06, 2.80}},
    {"familiar_no_change", "familiar_omission", {12.0, 6.0, 19.8, 4.3, 1.6, 2.3, 3.2, 5.2, 1.8}},
    {"familiar_change", "familiar_omission", {-2.0, .3, 11.8, -1.4, -3.8, -1.7, .6, 1.2, -1.0}},
    {"novel_no_change", "novel_change", {13.7, 13.7, 3.3, 4.7, 8.1, 3.4, 7.2, 7.8, 2.0}},
    {"novel_no_change", "novel_omission", {14.5, 8.1, 6.5, 4.0, 4.7, .6, 2.6, 6.8, 1.9}},
    {"novel_change", "novel_omission", {.8, -5.7, 3.3, -.6, -3.4, -2.8, -4.6, -1.1, -.1}},
    {"familiar_no_change", "novel_no_change", {5.0, 1.2, 5.0, 4.3, -2.2, 1.1, 3.1, .2, 2.4}},
    {"familiar_change", "novel_change", {4.8, 9.3, .2, 3.2, .5, .6, 7.8, 3.9, 1.5}},
    {"familiar_omission", "novel_omission", {7.6, 3.3, -8.3, 4.1, .9, -.5, 2.5, 1.7, 2.4}},
};
struct LayerPlace {
  const char* name;
  size_t post, pre;  // of layer_names
};
constexpr LayerPlace published_places[9] = {{"LM L4 from V1 L2/3", 3, 1},
                                            {"V1 L2/3 from LM L5", 1, 5},
                                            {"V1 L5 from LM L5", 2, 5},
                                            {"V1 L2/3", 1, 1},
                                            {"V1 L4", 0, 0},
                                            {"V1 L5", 2, 2},
                                            {"LM L2/3", 4, 4},
                                            {"LM L4", 3, 3},
                                            {"LM L5", 5, 5}};

// Trained to the end, of a group; `sparse`: pruned and trained on.
std::vector<const Run*> cell_runs(const std::vector<Run>& runs, const std::string& group, bool sparse);
// Why losses and differences cannot be held against the published ones.
std::string original_data(const Options& options);

}  // namespace dalea::reproduce
