// The experiment a user writes (DESIGN section 5). Plain data: JSON -> Spec -> JSON, every default here.
// JSON keys are the field names below, nested as the structs are; enums are written as the strings in spec.cpp's
// tables.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "error.h"
#include "numerics/kernels.h"
#include "numerics/rng.h"

namespace dalea {

constexpr int spec_version = 1;      // "dalea": 1
constexpr int numerics_version = 1;  // bumped together with every golden hash

enum class Sign { excitatory, inhibitory, free };  // "+", "-", "free"

struct Population {
  std::string name;  // required, unique
  int64_t size = 0;  // units, 1 .. 1,000,000
  Sign sign = Sign::free;
  double tau_s = 0;               // time constant, s; 0: not leaky (alpha = 1); else alpha = dt_s / tau_s, must be <= 1
  std::string area, layer, type;  // optional labels
};

// Populations as every combination of area, layer and type (SEEDS 4.1), in that order; no types: as listed.
struct StructureSpec {
  std::vector<std::string> areas, layers, types;
  std::vector<std::string> signs;  // of each type: "+", "-", "free"
  std::string ratio;               // of the types' sizes, "12:2:1"; empty: equal
  int64_t scale = 16;              // size of a population: its part of the ratio times this
};

struct ConnectivitySpec {
  // Probability that a connection exists, one row per postsynaptic and one column per presynaptic population
  // (post, pre); empty: every connection exists. In JSON also one number for all blocks.
  std::vector<std::vector<double>> probability;
  // Rules that add up with `probability`: a connection exists where any of them makes it, independently (its
  // probability is 1 - (1 - p)(1 - q)...). With one of them an empty `probability` means none.
  std::string table = "none";  // "cell-types": published probabilities inside each area (SEEDS 4.3), by layer, type
  std::vector<std::string> motifs;  // "V1 L23 Pyr -> LM L4: 0.3": labels that pick populations (SEEDS 4.4)
  // Within an area the probability falls by 1/e over this distance, in widths of the area's sheet, on which units lie
  // at random; 0: no distance.
  double distance = 0;
  bool self_connections = true;  // the diagonal may exist
  // How the mask is stored and computed: "auto" (sparse below a third of all entries), "dense", "sparse". Same bits.
  std::string storage = "auto";
};

struct NetworkSpec {
  Activation activation = Activation::tanh;  // "tanh", "relu", "softplus", "sigmoid"
  // What is fed back: "published" (relu-masked under Dale's law, plain in the other conditions: SEEDS Q3),
  // "rectified" (relu-masked in every condition: equalised) or "plain".
  std::string feedback = "published";
  // W_rec at the start: "uniform" (SEEDS 1.2), "lognormal" (of the uniform's mean magnitude), "xavier", "he" (SEEDS
  // 6.4: uniform with those bounds, W_in and the readout too)
  std::string init = "uniform";
  double init_sd = 1;           // lognormal: sd of log |W|
  bool train_recurrent = true;  // false: W_rec keeps its initial weights
  bool biases = true;
  bool balanced = false;  // scale inhibitory magnitudes by n_E / n_I at initialisation (SEEDS 1.2)
  double dt_s = 0.02;     // s, one time step
  double noise = 0;       // state noise: sd added per step is sqrt(2 alpha) * noise, while training only
  // "all": the task's own readout of all units; "populations": output c reads population c alone (SEEDS 4.2)
  std::string readout = "all";
  bool train_readout = true;  // false: readouts keep their initial weights, so the states must carry the signal
  bool input_mask = false;    // channel c reaches population c alone (SEEDS Q1: off as published, on as intended)
};

struct TaskSpec {
  // "flip-flop", "wave", "digits", "recording", "sequence-memory", "n-back", "n-back-digits", "n-back-latent"
  std::string type = "flip-flop";
  int64_t steps = 0;  // time steps per trial; 0: the task's own (50 / 500 / 28 / 50)
  int64_t train = 0;  // trials; 0: the task's own (flip-flop 6000, wave 1000, digits 60000)
  // (1000 / 1000 / up to 5000 of the training digits that are not trained on: none where all 60000 are, as published)
  int64_t validation = 0;
  int64_t held_out = 0;             // (1000 / 1000 / 10000)
  double event_probability = 0.05;  // flip-flop: per step
  bool two_tone = false;            // wave: both sines summed (as intended) or the first alone (as published, SEEDS Q2)
  int64_t length = 5;               // sequence-memory: values to remember; n-back: items shown (SEEDS 6.5)
  int64_t back = 2;                 // n-back: the item to compare the last one with
  bool different_match = false;     // n-back on images: a match is another image of the digit (published: the same one)
  std::string file;                 // n-back-latent: latent vectors and labels (.npz, .npy, CSV); not from a link
  // digits: the folder of the four IDX files, plain or gzipped; never opened from a link; empty: where the program
  // finds them. `sha256`: of the digits used (Dataset::sha256); empty: not checked.
  std::string folder, sha256;
};

// What is taken of a suite2p folder (F, Fneu, spks, iscell).
struct Suite2pSpec {
  // "dff" (corrected fluorescence against its rolling percentile), "corrected" (F - neuropil Fneu), "fluorescence"
  // (F) or "spikes" (spks)
  std::string signal = "dff";
  double neuropil = 0.7;  // share of the neuropil's fluorescence taken off
  bool accepted = true;   // only the cells that iscell accepts
  double percentile = 8;  // of the baseline
  double window_s = 60;   // s, of the rolling baseline
};

// Trials cut out of a recording around the events of a table (SEEDS 4.5).
struct EventsSpec {
  std::string file;   // CSV: time_s or frame, and label where there are kinds; never opened from a link
  std::string label;  // events of this kind; empty: all
  double before_s = 0.75, after_s = 0.75;   // s, around each event
  int64_t first_frame = 0, last_frame = 0;  // of each window, 0-based and inclusive; last 0: to its end
  int64_t samples = 0;                      // bootstrap-averaged trials a part; 0: the trials themselves
  int64_t average_of = 100;                 // trials drawn with replacement into each of these
  std::string channels = "jointly";         // drawn "jointly" over units, or "independently" (as published, SEEDS Q15)
};

// A recording: read from a file, or simulated from a known Dale circuit when `file` is empty.
struct RecordingSpec {
  std::string file;                  // path; never opened from a link
  std::string sha256;                // of the file's bytes; empty: not checked
  std::string array;                 // of a .npz or .mat file; empty: the one suggested (and said)
  std::string orientation = "auto";  // "time-by-unit", "unit-by-time", "auto" (inferred and shown)
  std::vector<std::string> columns;  // units to use, by name or by 0-based index; empty: all
  std::vector<std::string> exclude;  // units to leave out, by name or index
  double rate_hz = 0;                // frames per second; 0: from a time column, else unknown
  double bin_s = 0.1;                // s, of spike times (NWB units)
  std::string condition, series;     // of a long table (one value a row): which rows; empty: there must be one
  Suite2pSpec suite2p;
  std::string cells;             // CSV path: unit, area, layer, type, sign, joined by name or index; empty: none
  std::string average = "none";  // "populations": units of one area, layer and type averaged into one channel
  // Gaussian over time, before scaling: "none", "causal" (past frames only), "centred" (as published; SEEDS Q15)
  std::string smoothing = "none";
  double smoothing_sd = 1;  // frames
  EventsSpec events;
  // The parts: "time" (frames in order), "trial" (whole events), "unit" (the last units are predicted from the others)
  std::string split = "time";
  std::string scale = "z-score";                            // "z-score" (fitted on the training part) or "none"
  double train_fraction = 0.7, validation_fraction = 0.15;  // of the frames, in time order; the rest is held out
  int64_t stride = 0;  // frames between starts of training windows; 0: half a window
  int64_t warmup = 5;  // first steps of each window that are not scored (network and baselines alike)
  // What stands in for a file: "circuit" (a Dale circuit's calcium), "areas" (the same of two areas, with a cell table)
  // or "conditions" (trials of the 18 cell-type populations around image changes and omissions; `condition` names
  // which; recording/conditions.h)
  std::string simulated = "circuit";
  int64_t simulated_trials = 200;      // conditions: trials
  double simulated_correlation = 0.3;  // conditions: of the populations' trial-to-trial noise
  // The simulated recording (tasks/simulated_circuit.h):
  int64_t simulated_units = 50;  // 80 % excitatory
  int64_t simulated_frames = 3000;
  double simulated_rate_hz = 10;       // frames per second
  double simulated_density = 0.2;      // probability of a connection
  double simulated_noise = 0.002;      // sd of the measurement noise
  double simulated_indicator_s = 0.8;  // s, decay of the indicator
  double simulated_observed = 1;       // fraction of the units that is recorded
  double simulated_feedback = 1;       // areas: factor on the weights from the second area to the first
};

struct OptimizerSpec {
  std::string type = "adam";  // "adam", "sgd", "rmsprop"
  double lr = 1e-3;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  // adam; epsilon also rmsprop
  double momentum = 0;                                // sgd
  double decay = 0.99;                                // rmsprop
};

struct ScheduleSpec {
  std::string type =
      "constant";      // "constant", "cosine" (as published: not restarted, so it oscillates), "cosine-restarts"
  int64_t t_max = 10;  // epochs
  double lr_min = 1e-4;
};

struct TrainingSpec {
  // "dale" (Dale's backprop), "conventional", "rectified" (as published), "rectified-forward" (Song 2016
  // parameterisation)
  std::string constraint = "dale";
  OptimizerSpec optimizer;
  ScheduleSpec schedule;
  int64_t epochs = 0;   // 0: the task's own (100 / 25 / 50 / 30)
  int64_t batch = 0;    // trials per update; 0: the task's own (200 / 100 / 200 / 32)
  bool shuffle = true;  // a new order of the trials every epoch; false: the first epoch's
  // Weights kept at the end of a stage: "last", or the epoch's of least "validation" or "train" loss (as published)
  std::string checkpoint = "last";
  // "mse" or "cross-entropy" (flip-flop: three classes at every step; digits: always); empty: the task's own
  std::string loss;
  double rate_l2 = 0;    // + rate_l2 * mean over trials, steps and units of g^2
  double weight_l2 = 0;  // + weight_l2 * sum of W_rec^2
  double clip = 0;       // largest global gradient norm; 0: off
};

// Train, prune, fine-tune (SEEDS 4.6): training.epochs without the connectivity's probabilities, then each block is
// pruned to them, then `fine_tune` epochs on what is left, with a fresh optimizer and schedule.
struct StagesSpec {
  bool prune = false;
  std::string method = "top-prob";  // of blocks: "top-prob", "random", "magnitude"
  std::string motifs = "random";    // of motifs' blocks: "random" (as published), "top-prob", "magnitude"
  bool as_published = false;        // the published formulas with their faults (Q4, Q5, Q8)
  int64_t fine_tune = 50;           // epochs
};

// A measured connectome as the architecture (SEEDS 6; connectome/connectome.h).
struct ConnectomeSpec {
  std::string source = "none";  // "none", "file", "synthetic" (distance rule, lognormal weights)
  std::string file, sha256;     // path; never opened from a link
  std::string array;            // of a file with several; empty: the suggested one
  std::string orientation =
      "row-to-column";  // what an entry of the matrix is: row projects to column, or "column-to-row"
  std::string kinds;    // edge lists with a kind: those to use, separated by commas; empty: all
  std::string names;    // path: one name per line; empty: as in the file
  std::string signs;    // path: CSV name,sign (or transmitter) of each node
  // "regions": every node becomes a population of several neurons; "units": nodes are the units of `populations`
  std::string level = "regions";
  std::string densities;                 // path: neuron density of each region; empty: `neurons` each
  std::string density_scaling = "none";  // "none" (numbers of neurons), "rank", "ratio" (SEEDS 6.3)
  int64_t neurons = 4;                   // per region; with a scaling: of the least dense one
  double inhibitory = 0;                 // fraction of each region's neurons; 0: one population of its sign or free
  double target_sparsity = 0.2;          // fraction of a target region's neurons that a neuron reaches
  bool intrinsic = true;                 // connections within a region
  double intrinsic_sparsity = 1;         // fraction of its own region's neurons that a neuron reaches
  double intrinsic_weight = 0.8;         // share of a region's weight that is intrinsic
  bool random_partition = false;         // a block's weight split at random; false: evenly
  bool keep_diagonal = true;             // neurons may connect to themselves
  bool as_published = false;             // column sums and the transposed network of the published code (Q23, Q26)
  std::string remap = "none";  // initial weights by the connectome's ranks: "signed" (as published, Q27), "magnitude"
  // "none", or instead of the measured topology: "permuted" (as published), "rewired" (degrees kept), "weights"
  // (shuffled on it), "spatial" (distances' distribution kept), "density" (links at random)
  std::string null_model = "none";
  int64_t null_seed = 1;
  // "recorded": only the nodes that the recording has a unit for, by name, in its order; its other units are left out
  std::string nodes = "all";
  // How many networks under the null model `against` the measured one is tested against when it has been trained
  int64_t nulls = 0;
  std::string against = "rewired";
  int64_t synthetic_regions = 30;
  double synthetic_distance = 0.25;  // decay length, widths of the sheet
  double synthetic_density = 0.5;
};

struct Connectome;  // connectome/connectome.h

struct Spec {
  std::string name;  // title, optional
  std::string note;  // a sentence for the reader, optional
  uint64_t seed = 1;
  int64_t runs = 1;
  std::vector<Population> populations;  // empty: 102 excitatory "E" and 26 inhibitory "I"
  StructureSpec structure;
  NetworkSpec network;
  ConnectivitySpec connectivity;
  ConnectomeSpec connectome;
  TaskSpec task;
  RecordingSpec recording;
  TrainingSpec training;
  StagesSpec stages;
  // What connectome.file or the synthetic rule gave (attach_connectome); not part of the JSON.
  std::shared_ptr<const Connectome> measured;

  int64_t all_epochs() const { return training.epochs + (stages.prune ? stages.fine_tune : 0); }

  int64_t units() const;  // sum of the sizes
};

// Strict: unknown keys, duplicate keys, wrong types and values out of range are errors, all of them listed,
// each with path and remedy. `Spec` holds every default filled in (populations and the task's own numbers too).
struct ParsedSpec {
  Spec spec;
  Problems problems;  // empty: good
};
ParsedSpec parse_spec(std::string_view json);

// What is wrong with a Spec made in code or in the window; empty: good.
Problems check_spec(const Spec& spec);

// Memory that training needs, bytes: weights, optimizer, activity, data (recordings: without the recording).
uint64_t estimate_bytes(const Spec& spec);

// Fills in what depends on the task (zeros above) and the default populations. parse_spec has done it.
void fill_defaults(Spec& spec);

// The one of `known` that a misspelt word was most likely meant to be; empty: none is near.
std::string closest(const std::string& word, const std::vector<std::string>& known);

// JSON text. `compact`: only what differs from the defaults, no spaces (for links); else everything, indented.
std::string print_spec(const Spec& spec, bool compact);

// Changes JSON text by "a.b[0].c=value" (value is JSON, or taken as a string where it is not), then re-parses
// nothing: the caller parses the result. Errors name the path.
Result<std::string> set_in_json(std::string_view json, std::string_view assignment);

// "v1=" + base64url(zlib(compact JSON)). Decoding is bounded: at most 1 MiB inflated, and never trusts its input.
std::string encode_link(const Spec& spec);                          // the fragment, without "#"
Result<std::string> decode_link(std::string_view fragment_or_url);  // JSON text

// What a link holds text in: base64url(zlib(text)). Unpacking refuses more than `most` bytes, and is as distrustful.
std::string pack_text(std::string_view text);
Result<std::string> unpack_text(std::string_view packed, size_t most);

}  // namespace dalea
