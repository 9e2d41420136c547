// A recording: a (time x unit) matrix from bytes, what was understood, what was dropped and why.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "error.h"
#include "progress.h"
#include "spec/spec.h"

namespace dalea {

struct Dropped {
  std::string unit;
  std::string reason;  // "every value is missing", "constant", "excluded", "time column", "the same values as u1"
};

// A matrix as found in a file, before anything is interpreted.
struct Table {
  int64_t rows = 0, cols = 0;
  std::vector<double> values;             // row-major; NaN where a CSV field is empty or says NaN
  std::vector<std::string> column_names;  // empty, or cols
  std::vector<std::string> row_names;     // empty, or rows (a first CSV column of text)
  std::string format;                     // "CSV, separator ';', decimal comma", "NPY v1.0 <f4 (219, 2000) C order"
  std::string array, array_reason;        // of an NPZ or MAT: which array, and why that one; else empty
  // What a format that knows more of recordings says itself (suite2p, NWB, a long table); else empty:
  std::string kind;                             // "suite2p", "NWB", "long table"
  std::string orientation, orientation_reason;  // as Recording's
  double rate_hz = 0;
  std::vector<int64_t> places;  // of each unit among all of the file's; empty: 0, 1, ...
  std::vector<Dropped> dropped;
  std::vector<std::string> notes;  // what was chosen or is odd: "the timestamps' steps differ by 12 %"
};

// Readers tell `progress` how far they are; where it says stop, the error is cancelled().
Result<Table> read_csv(std::string_view text, std::string_view file_name, const Progress& progress = {});
Result<Table> read_npy(std::span<const std::byte> bytes, std::string_view file_name, const Progress& progress = {});
// By content: NPY, NPZ, MATLAB, else CSV; anything else is an error that says what was found and what works.
// `array`: which one of an NPZ or MAT; empty: the one that list_arrays suggests (recording/arrays.h).
Result<Table> read_table(std::span<const std::byte> bytes, std::string_view file_name, const std::string& array = {},
                         const Progress& progress = {});

// What is known of a unit; empty where it is not. sign: "+" or "-".
struct CellLabels {
  std::string area, layer, type, sign;
};

struct Recording {
  int64_t frames = 0, units = 0;
  std::vector<float> values;       // (frame, unit) row-major; a missing value is NaN
  std::vector<std::string> names;  // units
  std::vector<int64_t> places;     // units: 0-based place in the file; empty when simulated or averaged
  double rate_hz = 0;              // 0: unknown
  double start_s = 0;              // s, of frame 0 on the clock of the events
  std::string source;              // file name, or "simulated"
  std::string sha256;              // of the bytes; empty when simulated
  std::string format;              // Table::format
  std::string array;               // Table::array and its reason
  std::string array_reason;
  std::string orientation;         // "time-by-unit" or "unit-by-time"
  std::string orientation_reason;  // "stated", "named columns", "more rows than columns", ...
  int64_t missing = 0;             // values that are NaN among the units kept
  std::vector<Dropped> dropped;
  std::string kind;                // Table::kind, else "table" or "simulated"
  std::vector<std::string> notes;  // Table::notes, and what the cell table matched
  std::vector<CellLabels> cells;   // empty, or units
  std::string events_csv;          // the table of a bundle's events.csv; empty: none
};

// Applies the spec's orientation, columns, exclude, drops all-NaN and constant units, finds a time column.
Result<Recording> make_recording(const Table& table, const RecordingSpec& spec, std::string_view file_name,
                                 const Progress& progress = {});
// Both, and the hash check. A CSV takes no more memory than its numbers in double precision.
Result<Recording> read_recording(std::span<const std::byte> bytes, std::string_view file_name,
                                 const RecordingSpec& spec, const Progress& progress = {});
std::string sha256_hex(std::span<const std::byte> bytes, const Progress& progress = {});  // empty: stopped

// The parts in time order: frames [0, train_end), [validation_begin, validation_end), [held_out_begin, frames). Between
// them lie only the frames that smoothing would let two parts share (recording/smoothing.h).
struct Parts {
  int64_t train_end = 0, validation_end = 0;
  int64_t validation_begin = 0, held_out_begin = 0;
};
Result<Parts> split_in_time(const Recording& recording, const RecordingSpec& spec, int64_t window);

// Per-unit mean and standard deviation of the training part (float64; a unit constant there gets sd 1).
struct Scaling {
  std::vector<double> mean, sd;
};
Scaling fit_scaling(const Recording& recording, const Parts& parts, const RecordingSpec& spec);
// (frame, unit), scaled; missing values replaced by the unit's last seen value (0 before the first), causal. Nothing
// from before a frame of `afresh` (ascending) is seen from there on.
std::vector<float> scaled_values(const Recording& recording, const Scaling& scaling,
                                 const std::vector<int64_t>& afresh = {});

// Mean squared error of three one-frame-ahead predictions, in the unit of the network's loss (scaled values),
// over exactly the target frames `frames` (target t is predicted from frames < t) and the units present there;
// fitted on the training part alone. missing targets are not scored.
struct Baselines {
  double last_frame = 0;  // x[t-1]
  double ar1 = 0;         // per unit: a x[t-1] + b
  double linear = 0;      // ridge: A x[t-1] + b, penalty chosen on the validation part
  double ridge_penalty = 0;
};
// What they predict with, in scaled values.
struct BaselineFit {
  std::vector<double> slope, intercept;  // (input): AR(1)
  std::vector<double> weights;           // (input, output): linear, of inputs less `mean`
  std::vector<double> mean, offset;      // (input); (output)
};
struct BaselineSet {
  Baselines train, validation, held_out;
  BaselineFit fit;
};
// `targets` of each part: frame indices that the network is scored on, with repetition as often as it is scored.
BaselineSet fit_baselines(const Recording& recording, const std::vector<float>& scaled, const Parts& parts,
                          const std::vector<int64_t>& train_targets, const std::vector<int64_t>& validation_targets,
                          const std::vector<int64_t>& held_out_targets);

// The steps of a part's trials, one row each; all scaled. Outputs may be more than inputs: the first are the inputs'.
struct TrialRows {
  int64_t rows = 0;
  std::span<const float> input;     // (row, input)
  std::span<const float> target;    // (row, output)
  std::span<const uint8_t> scored;  // (row, output)
};
// The same three for trials, within each: a step's target from its input, over exactly the scored targets; fitted on
// those of training. The penalty is 1 where validation has none. NaN: nothing is scored there; last frame and AR(1) of
// outputs that are no inputs.
BaselineSet fit_baselines(int64_t inputs, int64_t outputs, const TrialRows& train, const TrialRows& validation,
                          const TrialRows& held_out);

// A calcium-like recording simulated from a known Dale circuit: leaky rate units (80 % excitatory first, then
// inhibitory), sparse signed connections, slow common input and private noise, an exponential indicator kernel,
// measurement noise. Units, frames, rate, density, noise, indicator and the observed fraction are the spec's
// simulated_...; below 10 frames a second the circuit takes several steps a frame. Deterministic in (seed, spec).
struct SimulatedCircuit {
  Recording recording;  // of the observed units; their names keep the circuit's numbers
  int64_t units = 0, excitatory = 0;
  std::vector<float> weights;     // (post, pre) row-major, of all units: the ground truth
  std::vector<int64_t> observed;  // units of the circuit, ascending: the recording's columns
};
SimulatedCircuit simulate_circuit(uint64_t seed, const RecordingSpec& spec);
// With the default rate, density, noise and indicator, all units observed.
SimulatedCircuit simulate_circuit(uint64_t seed, int64_t units, int64_t frames);

}  // namespace dalea
