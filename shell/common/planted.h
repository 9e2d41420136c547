// Does the comparison of conditions find what was planted? Two conditions are recordings of one simulated circuit of
// two areas (recording/areas.h) that differ in the strength of its feedback alone; networks are trained on them and
// compared block by block (analysis/compare.h), again and again with other circuits. `dalea reproduce planted`.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "analysis/compare.h"
#include "common/reproduce.h"
#include "tasks/trials.h"

namespace dalea::planted {

// What stands for a condition, and which networks.
enum class Setting : uint8_t {
  sessions,        // every run has a session of its own; a unit for each cell
  stronger,        // the same, feedback changed more
  weaker,          // the same, feedback taken away for the most part
  one_recording,   // all runs of a condition share one session: replicates of the optimisation alone
  no_law,          // as sessions, without Dale's law
  slow_indicator,  // as sessions, through the indicator of "Your own recording"
  averages         // as in figure 5 as published: populations' averages, every unit sees every channel, frozen readouts
};
constexpr size_t setting_count = 7;
const char* name_of(Setting setting);   // "sessions", "one-recording", ...
const char* title_of(Setting setting);  // for the report

struct Options {
  bool quick = false;
  int64_t simulations = 0;  // circuits of the setting "sessions"; 0: 50 (quick: 3). Others: 20 (quick: 3)
  int64_t runs = 0;         // in each condition; 0: 10 (quick: 6)
  uint64_t first_seed = 1;  // a circuit's; the next ones follow
};
// Fills in what is 0; an error names the option.
Result<Options> check(Options options);
std::string command_of(const Options& options);  // "dalea reproduce planted --quick"
std::vector<Setting> settings_of(const Options& options);
int64_t simulations_of(const Options& options, Setting setting);

// The experiment of one circuit; condition 0: feedback as it is, 1: planted, 2: as 0, for the null. factor_of: on the
// feedback in condition 1.
double factor_of(Setting setting);
Spec spec_of(Setting setting, int condition, uint64_t seed);
// The session of a run, 0 .. runs - 1, in a condition.
int64_t session_of(Setting setting, const Options& options, int condition, int64_t run);
// Where a network with a unit for each cell starts: readouts are 1, each input weight and bias those of an
// autoregression around the cell's mean, recurrent weights a fiftieth of the usual ones.
Parameters start_of(const Spec& spec, const Dataset& data, int64_t run);

// What is compared of a network. weights: mean |w| (no_law: mean w). currents: weights times mean activity. ridge: no
// network, but the mean coefficient of a ridge regression of the next frame on the same recording.
enum class Measure : uint8_t { weights, currents, ridge };
const char* name_of(Measure measure);
struct Kind {
  Measure measure = Measure::weights;
  BlockLevel level = BlockLevel::population;  // by area and type, or by area
};
const std::vector<Kind>& kinds();

// How often a block, or a family of them, was significant over the simulated circuits.
struct BlockRate {
  size_t post = 0, pre = 0;  // of Rates::groups
  bool feedback = false;
  int64_t significant = 0;
  double g = 0, difference = 0;  // means over circuits where they exist; not a number: nowhere
};
struct Rates {
  Kind kind;
  std::vector<std::string> groups;
  std::vector<BlockRate> blocks;  // structurally possible ones
  int64_t circuits = 0;
  // Circuits with a significant feedback block, with all of them, with another block, with feedback and no other.
  int64_t any = 0, all = 0, other = 0, alone = 0;
};
// One of a setting's, by what is compared.
const Rates& rates_of(const std::vector<Rates>& all, Measure measure, BlockLevel level);
// Of the null: circuits with any significant block, all of them false alarms.
int64_t null_alarms(const Rates& rates);
struct SettingResult {
  Setting setting = Setting::sessions;
  std::vector<Rates> planted, null;  // of kinds()
  double held_out = 0, ridge = 0;    // mean held-out losses, of the networks and of ridge regression
  int64_t networks = 0;
};
struct Study {
  Options options;
  std::vector<SettingResult> results;  // of settings_of()
};
// Same bits for any number of threads. `progress` hears the part done from any thread, never twice at once, and gives
// false to cancel. An error: a network that failed, or "cancelled".
Result<Study> study(const Options& options, Isa isa, int threads,
                    const std::function<bool(double)>& progress = nullptr);

// The exact (Clopper-Pearson) 95 % interval of a rate.
Interval rate_interval(int64_t hits, int64_t of);

// report.html, figures, families.csv and blocks.csv. The summary is also given as sentences.
struct PlantedReport {
  std::vector<std::string> summary;
  reproduce::Output output;
};
Result<PlantedReport> report(const Study& study, const ReportProvenance& where);

}  // namespace dalea::planted
