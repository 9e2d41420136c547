// What the Connectome tab works with: species at hand, the connectome as changed settings want it, their scaling beside
// the window, and the measured wiring trained beside null models. No user interface here.
#pragma once

#include <array>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "app/side_by_side.h"
#include "common/connectome_picture.h"
#include "common/run_curves.h"
#include "imgui.h"

namespace dalea::app {

// What of a connectome a file is: names, signs (or transmitters) and densities by its name, as far as its content can
// be that; a matrix by its content alone.
enum class ConnectomePart { none, matrix, names, signs, densities };
ConnectomePart connectome_part(const NamedFile& file);
// All of one connectome, where every file has a part of its own; else nothing.
std::optional<ConnectomeParts> connectome_parts(const std::vector<FilePtr>& files);

// Densities are used where connectome.density_scaling says so, or where they can be numbers of neurons: whole, and at
// most 100,000 together.
bool uses_densities(const ConnectomeSpec& k, const std::vector<double>& densities);

// A network's connectome as other settings want it, without its file: turned round, with or without its densities.
class FittedConnectome {
 public:
  std::shared_ptr<const Connectome> get(const Setup& setup, const ConnectomeSpec& wanted);

 private:
  std::shared_ptr<const Connectome> from_, found_;
  bool turned_ = false, dense_ = false;
};
Connectome turned(Connectome c);  // every link the other way round

constexpr const char* null_models[] = {"permuted", "rewired", "weights", "spatial", "density"};
// Measured and null models, each so many times: networks of a run share their trials and the scaling's random numbers.
// Groups are "measured" and the null models' names. An error says what cannot be.
Result<std::vector<Job>> null_jobs(const Spec& experiment, const std::vector<std::string>& nulls, int64_t runs);
bool are_null_jobs(const SideView& side);

// Final held-out losses of a group and, run by run, minus the measured wiring's (Student's t over runs; with m null
// models differences have 1 - 0.05 / m intervals, so that all hold together with 95 %). no_value: fewer than two runs.
struct NullResult {
  std::string name;
  std::vector<double> losses;  // of finished runs, in their order
  double mean = no_value, low = no_value, high = no_value;
  double difference = no_value, difference_low = no_value, difference_high = no_value;
};
std::vector<NullResult> null_results(const SideView& side);
std::string null_verdict(const std::vector<NullResult>& results);  // a sentence
NamedFile null_results_file(const SideView& side);                 // CSV: group, run, held_out

// A draft's connectome as neurons.
struct ScaledDraft {
  std::shared_ptr<const Spec> of;
  int64_t connections = -1;  // -1: not counted yet
  double density = 0;        // of all pairs of neurons
  std::string failure;
  // Strongest connection of each cell, its logarithm in 1 .. 255; 0: none. (to, from), `side` cells a side: a neuron
  // each, or several of large networks. Empty: not there yet.
  std::vector<uint8_t> cells;
  int side = 0;
  std::vector<int64_t> region_end;  // of each region's neurons: one past the last
  LogScale scale;
  std::shared_ptr<const Connectome> regions;      // under a null model: what is between regions now; null: as measured
  std::shared_ptr<const ScaledConnectome> whole;  // to be read; null where it is large
};

// Scales drafts on a thread of its own, or in pump(); the last one asked for is the one that comes.
class ConnectomeScaler {
 public:
  explicit ConnectomeScaler(bool own_thread);
  ~ConnectomeScaler();
  ConnectomeScaler(const ConnectomeScaler&) = delete;
  ConnectomeScaler& operator=(const ConnectomeScaler&) = delete;

  // Of a spec with its connectome attached, unless it was or is being scaled. Large ones wait for `asked`: without a
  // thread, those that would hold a frame up.
  void follow(const Spec& draft, bool asked);
  void cancel();  // the draft at work is not tried again until it changes, or is asked for
  void pump();
  std::shared_ptr<const ScaledDraft> view() const;  // null: nothing yet
  std::optional<double> part() const;               // done of what is at work
  bool waits() const;                               // a large one, to be asked for
  bool changed() { return changed_.exchange(false); }

 private:
  void work(std::shared_ptr<const Spec> spec, uint64_t number);

  bool own_thread_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::shared_ptr<const Spec> wish_, last_;  // to be done; the last that was asked for
  std::shared_ptr<const ScaledDraft> view_;
  std::atomic<uint64_t> number_{0};
  std::atomic<double> part_{-1};
  bool waits_ = false, quit_ = false;
  std::atomic<bool> changed_{false};
  std::thread thread_;
};

enum class ConnectomeView { regions, neurons, circle, space, nulls };

// What the window keeps of the tab.
struct ConnectomeState {
  bool wanted = false;               // the tab is there though the experiment has no connectome
  bool asked = false;                // for species
  std::vector<std::string> species;  // at hand, by name
  std::string fetching;              // the one chosen, until its files are here
  double scaling_since_s = -1;       // of ImGui's time: when a network began to be scaled; -1: none is
  ConnectomeParts pending;           // files that wait for their matrix
  FittedConnectome fitted;
  ConnectomeView view = ConnectomeView::regions;
  float share = 0.2f;
  int colors = 0;                                       // RegionColors
  bool chosen[5] = {false, true, false, false, false};  // as null_models
  int runs = 5;
  uint64_t results_version = 0;
  std::vector<NullResult> results;
  std::vector<RunCurves> curves;
  // What was drawn last.
  std::shared_ptr<const Connectome> shown;
  std::vector<RegionLink> links;
  LogScale scale;
  struct Picture {
    ImTextureID texture = {};
    const void* shown = nullptr;
    int side = 0, theme = -1;
  };
  Picture regions, neurons;
  std::vector<uint32_t> pixels;
};

}  // namespace dalea::app
