// Conditions compared by the weights that training gives them (SEEDS 5): one experiment under several values of a key,
// or sessions from files. The unit is a run. No user interface here.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "app/link_view.h"
#include "app/side_by_side.h"
#include "common/compare_report.h"
#include "session/session.h"

namespace dalea::app {

// Runs 1 of all values come first, then runs 2. An error says what the plan cannot be: an unknown key or value, values
// that make the same experiment or other populations, keys that name files (a plan may come from a link).
Result<std::vector<Job>> comparison_jobs(const Spec& experiment, const ComparisonPlan& plan);
// "a, [1, 2], b" at the commas outside brackets and quotes, without the spaces around.
std::vector<std::string> values_of(const std::string& text);

// The condition of a session file: its name without the number of the run at its end, "change-run3.npz" -> "change".
std::string condition_of_file(const std::string& name);
// Or what its experiment has for a key, as JSON without quotes around text; empty: there is no such key.
std::string condition_of_key(const Spec& spec, const std::string& key);

constexpr const char* level_names[] = {"population", "layer", "area"};
constexpr BlockLevel levels[] = {BlockLevel::population, BlockLevel::layer, BlockLevel::area};
BlockLevel level_of(const std::string& name);              // an unknown one: layer
CompareCheckpoint checkpoint_of(const std::string& name);  // an unknown one: final
constexpr size_t checkpoint_count = 4;                     // of CompareCheckpoint

// Of one run at one level.
struct LevelBlocks {
  BlockGroups groups;
  BlockAverages averages;
  std::vector<uint8_t> possible;  // (post, pre)
  std::string missing;            // why the level is not there; empty: it is
};
struct RunBlocks {
  std::string group, name;
  CompareRun about;
  std::shared_ptr<const Spec> spec;                         // null: not known
  CompareCheckpoint checkpoint = CompareCheckpoint::final;  // whose weights these are
  std::array<std::string, checkpoint_count> lacking;        // why it does not have a checkpoint; empty: it does
  std::array<LevelBlocks, 3> levels;                        // as level_names
};
Result<RunBlocks> blocks_of_run(const Session& session, const std::string& name,
                                CompareCheckpoint checkpoint = CompareCheckpoint::final);

// What is shown of all conditions.
struct CompareChoice {
  BlockLevel level = BlockLevel::layer;
  CompareCheckpoint checkpoint = CompareCheckpoint::final;
  bool raw = false;
  size_t from = 0, to = 1;  // groups in order of appearance: the pair shown
  bool operator==(const CompareChoice&) const = default;
};

// All conditions compared, tested together over all blocks and pairs, and the pair of them that is shown: `to` minus
// `from`.
struct Compared {
  CompareReport report;
  size_t pair = 0;                                    // shown, of report.comparison.pairs
  std::array<std::string, 3> missing;                 // why a level is not there
  std::array<std::string, checkpoint_count> lacking;  // why a checkpoint is not there
  size_t level = 1;                                   // of level_names
  std::vector<double> density;                        // (post, pre): mean of both
  std::vector<double> confidence;  // as published (SEEDS 5.2): 1 - sd / |mean| of the differences of all pairs of
                                   // runs; in 0 .. 1
  std::vector<size_t> ranked;      // tested blocks, by adjusted p, then |t|
  double largest = 0;              // |difference| of those
  std::string brief;               // what a reader must know at least
  std::string notes;               // what a reader must know

  const std::vector<BlockGroup>& nodes() const { return report.comparison.groups.groups; }
  const PairComparison& shown() const { return report.comparison.pairs[pair]; }
  const std::vector<BlockComparison>& blocks() const { return shown().blocks; }
  bool possible(size_t block) const { return report.comparison.possible[block] != 0; }
  const std::string& from() const { return report.comparison.names[shown().a]; }
  const std::string& to() const { return report.comparison.names[shown().b]; }
  std::string verdict() const;  // which blocks differ
};

// Two or more groups with two runs or more; groups with one are left out, and `notes` says so. A level that is not
// there becomes the populations', a pair that is not tested the first one. Runs of a group must be different runs of
// one experiment. `progress`: as compare_conditions() has it.
Result<Compared> compare_runs(const std::vector<RunBlocks>& runs, const CompareChoice& choice,
                              const std::function<bool(double)>& progress = nullptr);
// The same test, with another pair of conditions shown.
Compared with_pair(const Compared& compared, const std::string& from, const std::string& to);

enum class ComparePicture { matrix, dots, circuit, blocks, means, loss, power };
constexpr const char* compare_pictures[] = {"Matrix", "Dots", "Circuit", "Blocks", "Means", "Loss", "Power"};
plot::Figure comparison_figure(const Compared& c, ComparePicture which);

struct ComparedRun {
  std::string group, name;  // no group: by the Comparer's key
  std::shared_ptr<const std::vector<std::byte>> session;
};
using ComparedRuns = std::shared_ptr<const std::vector<ComparedRun>>;

struct ComparerView {
  bool running = false;
  double part = 0;  // of the sessions, read
  std::string failure;
  std::vector<std::string> groups;         // of the runs read so far, in order of appearance
  std::shared_ptr<const Compared> result;  // null: nothing yet
};

// Reads the runs' sessions and compares them beside the window: on a thread of its own, or in pump().
class Comparer {
 public:
  explicit Comparer(bool own_thread);
  ~Comparer();
  Comparer(const Comparer&) = delete;
  Comparer& operator=(const Comparer&) = delete;

  // What was asked for before and has not come is forgotten. Runs that were read are not read again, for another pair
  // nothing is tested again. Runs without a group get the value that their experiment has for `key`. Where a run lacks
  // the checkpoint all are compared by their final weights.
  void start(ComparedRuns runs, const CompareChoice& choice, const std::string& key = "");
  void stop();   // what has come stays
  void clear();  // and is forgotten
  void pump();   // without a thread of its own: one session, or one comparison
  ComparerView view() const;
  bool changed() { return changed_.exchange(false); }  // since the last call

 private:
  struct Task {
    ComparedRuns runs;
    CompareChoice choice;
    std::string key;
    bool operator==(const Task&) const = default;
  };
  bool step();                       // false: there is nothing to do
  bool read_next(const Task& task);  // one session; false: all are read
  void forget();
  void finish(const Task& task, Result<Compared> result);

  bool own_thread_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<Task> wanted_;
  ComparerView view_;
  bool quit_ = false;
  std::atomic<bool> changed_{false};
  // Of whoever calls step():
  ComparedRuns reading_;
  std::vector<RunBlocks> blocks_;
  CompareCheckpoint wanted_checkpoint_ = CompareCheckpoint::final, read_checkpoint_ = CompareCheckpoint::final;
  std::string key_;
  std::optional<CompareChoice> tested_of_;  // what `tested_` is of
  std::shared_ptr<const Compared> tested_;
  std::thread thread_;
};

}  // namespace dalea::app
