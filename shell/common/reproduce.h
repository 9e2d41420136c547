// Figures 2 to 5 of Balwani et al. 2025 again: what is trained, and what the results say beside the published ones.
// Plans and reports only; who trains (the command line, the window) gives the results back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/report.h"
#include "pruning/sweep.h"
#include "session/session.h"

namespace dalea::reproduce {

enum class Paper { fig2, fig3, fig4, fig5, bio };
const char* text_of(Paper figure);  // "fig2", ...
inline bool of_cell_types(Paper figure) {
  return figure == Paper::fig4 || figure == Paper::fig5;
}
Result<Paper> parse_figure(const std::string& text);

// What `bio` compares with random wiring: a measured connectome, or none: a synthetic one.
struct Wiring {
  std::string name, title, citation;  // "macaque", "Macaque, 29 regions"
  std::string file;                   // the matrix's, without its folder
  std::shared_ptr<const Connectome> connectome;
};

struct Options {
  Paper figure = Paper::fig2;
  // false: as published. true: every condition has the same nonlinearity (Q3), the rectified baseline is parameterised
  // in the forward pass (SEEDS 1.4), waves have both tones and their input mask (Q1, Q2), pruning has exact formulas
  // (Q4, Q5), each network is evaluated on its own whole held-out split (Q6). Cell types: the input mask works (Q1),
  // pruning has exact formulas, averages are drawn jointly and smoothed causally (Q15), the best epoch is chosen by the
  // validation loss.
  bool corrected = false;
  bool quick = false;  // small networks and tasks: shows the machinery, says nothing about the paper
  // Seeds; 0: 6, figures 4 and 5: 5 as published (quick: 3). The published runs are five, and against five a sixth is
  // the first that can reach p < .05 after Holm's correction over nine cells.
  int64_t runs = 0;
  uint64_t first_seed = 1;              // and the ones after it
  std::vector<std::string> tasks = {};  // of "flip-flop", "wave", "digits"; none: all
  // Figures 4 and 5: a long table of averaged activity with the six conditions; null: simulated conditions.
  std::string data_name = {};
  std::shared_ptr<const std::vector<std::byte>> data = {};
  // bio (common/reproduce_bio.h); tasks are "sequence-memory" and "n-back", seeds are iterations.
  std::vector<Wiring> wirings = {};  // none: a synthetic connectome
  bool full = false;                 // every published combination of settings, not the reduced grid
};
// Fills in what is 0 or empty; an error names the option.
Result<Options> check(Options options);

// One network to train. A retraining starts from its parent, pruned.
struct Job {
  std::string id;               // "flip-flop-dale-1"; unique, fit for a folder
  std::string task, condition;  // "flip-flop", "dale"; a retraining: "dale"
  uint64_t seed = 1;
  int64_t run = 0;  // of the seed: other initial weights on the same data
  Spec spec;
  double cost = 1;             // of an epoch, relative
  std::string parent;          // id; empty: trained from the start
  std::string group, setting;  // bio: the wiring's name; "L 5, relu, remap"
  PruneMethod method = PruneMethod::random;
  bool retrains() const { return !parent.empty(); }
};
// "dalea reproduce fig2 --runs 6 --as-published": the line that makes the same.
std::string command_of(const Options& options);
// "conventional", "rectified" (corrected: "rectified-forward"), "dale".
std::vector<std::string> conditions_of(const Options& options);
std::vector<Job> jobs_of(const Options& options);  // parents first

// Equal but for name and note.
bool same_experiment(const Spec& a, const Spec& b);

SweepOptions sweep_options(const Options& options);
// Where a retraining starts: the parent's parameters on the mask at the published sparsity (.914, SEEDS 3.7).
struct Start {
  std::shared_ptr<const Pattern> mask;
  Parameters parameters;
};
Result<Start> start_of(const Options& options, const Job& job, const Parameters& parent);

struct Run {
  Job job;
  Parameters parameters;  // final
  std::shared_ptr<const Pattern> mask;
  std::vector<EpochRecord> history;
  std::string hash;
  std::string failure;  // why it stopped; empty: trained to its end
  double before = 0;    // retrained: held-out loss before
  // Cell types: R2 of each population (held out, else training; one-frame-ahead), and seconds of an epoch with its
  // evaluations (0: not measured).
  std::vector<double> fit = {};
  double seconds = 0;
};
struct Pruned {
  std::string id;  // of the job that was pruned
  Sweep sweep;
};

struct File {
  std::string name;
  std::vector<std::byte> bytes;
};
struct Output {
  std::vector<Finding> findings;
  std::vector<File> files;  // report.html, figures, tables
};

// Figure files, tables and the page. `where`: date, command and machine for the page's last section. Runs that failed
// are left out and said so.
Result<Output> report(const Options& options, const std::vector<Run>& runs, const std::vector<Pruned>& pruned,
                      const ReportProvenance& where);

}  // namespace dalea::reproduce
