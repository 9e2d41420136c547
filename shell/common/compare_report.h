// Sessions of two or more conditions compared block by block (analysis/compare.h): read into a comparison, and shown as
// figures, tables and a page.
#pragma once

#include <string>
#include <vector>

#include "analysis/compare.h"
#include "common/figure.h"
#include "common/report.h"
#include "common/session_weights.h"

namespace dalea {

// Which weights of a session: what it began with, after the dense stage, after pruning and fine-tuning, or as saved.
enum class CompareCheckpoint : uint8_t { initial, dense, sparse, final };
const char* name_of(CompareCheckpoint checkpoint);
Result<CompareCheckpoint> parse_compare_checkpoint(std::string_view name);

struct CompareChoices {
  BlockLevel level = BlockLevel::layer;
  CompareCheckpoint checkpoint = CompareCheckpoint::final;
  CompareOptions options;
};
struct CompareRun {
  std::string path;
  int64_t run = 0;  // 0-based
  uint64_t seed = 0;
  int64_t epochs = 0;
  std::string hash;
  std::vector<EpochRecord> history;
};
struct CompareReport {
  CompareChoices choices;
  Comparison comparison;
  std::vector<std::vector<CompareRun>> sessions;  // of each condition
  std::vector<PowerPoint> power;
  std::vector<std::string> differs;  // keys in which the conditions' experiments differ
  std::vector<std::string> notes;    // of the first condition's experiment (experiment_notes.h)
};

// The sessions' groups are the conditions, in the order in which they first appear; each session needs one. Refused,
// with what differs: another network (populations, connectivity, stages) than the first session's, sessions of one
// condition that differ in more than the seed, the same run twice in a condition, a checkpoint that a session does not
// have. Task, recording and training may differ between conditions; `differs` says so.
Result<CompareReport> compare_sessions(const std::vector<NamedSession>& sessions, const CompareChoices& choices,
                                       const std::function<bool(double)>& progress = nullptr);
// Whether a session has the checkpoint; the error names `path` and says which it has instead.
Status check_checkpoint(const Session& session, CompareCheckpoint checkpoint, const std::string& path);
// The weights of a checkpoint, on the connections that exist where the network has a mask.
Result<Weights> checkpoint_weights(const Session& session, CompareCheckpoint checkpoint, const std::string& path);

// Averages of such weights, and the blocks that may hold a connection: by the rules, or where a mask of the session's
// own or its connectome has one; and wherever a weight is not zero (a dense stage may have any). Both (post, pre).
struct SessionBlocks {
  BlockAverages averages;
  std::vector<uint8_t> possible;
};
Result<SessionBlocks> session_blocks(const Session& session, const Weights& weights, const BlockGroups& groups,
                                     const std::string& path);
// By epoch: the validation loss; the training loss where there are no validation trials.
std::vector<double> compare_losses(const CompareRun& run);
// Keys in which two experiments differ, seeds, runs and names aside.
std::vector<std::string> experiment_differences(const Spec& a, const Spec& b);

// What a reader must know, one sentence each: what a run is, the test, the smallest p, why not Benjamini-Hochberg, how
// large an effect so many runs show.
std::vector<std::string> compare_sentences(const CompareReport& report);
std::string compare_runs_sentence(const CompareReport& report);     // of these: what a run is
std::string compare_power_sentence(const CompareReport& report);    // and what so many show
std::string pair_name(const CompareReport& report, size_t pair);    // "novel − familiar"
std::string block_name(const CompareReport& report, size_t block);  // "LM L4 from V1 L2/3"

enum class DotSize : uint8_t { density, confidence, dispersion };
plot::Figure compare_matrix_figure(const CompareReport& report, size_t pair);  // differences, significant ones marked
plot::Figure compare_dots_figure(const CompareReport& report, size_t pair, DotSize size = DotSize::density);
// Of a condition's means instead of a difference.
plot::Figure compare_condition_dots_figure(const CompareReport& report, size_t condition,
                                           DotSize size = DotSize::confidence);
plot::Figure compare_circuit_figure(const CompareReport& report, size_t pair);
plot::Figure compare_effects_figure(const CompareReport& report, size_t pair);  // Hedges' g of the tested blocks
plot::Figure compare_power_figure(const CompareReport& report);
plot::Figure compare_losses_figure(
    const CompareReport& report);  // validation loss of every run, mean of each condition

std::string compare_csv(const CompareReport& report);       // one row for each pair and block
std::string compare_runs_csv(const CompareReport& report);  // one row for each condition, run and block
// One row for each condition and block: mean and dispersion over its runs.
std::string compare_conditions_csv(const CompareReport& report);
std::string compare_json(const CompareReport& report, const std::string& out, const std::vector<std::string>& files);

struct NamedFigure {
  std::string name;  // of its files: "circuit-familiar-novel"
  plot::Figure figure;
  std::string caption;
};
std::vector<NamedFigure> compare_figures(const CompareReport& report);  // all of them
std::string compare_page(const CompareReport& report, const ReportProvenance& provenance);

}  // namespace dalea
