// What a network, its predictions or a recording is, as plain named arrays for other programs. One list feeds NPZ,
// MATLAB and HDF5.
#pragma once

#include <atomic>
#include <optional>
#include <variant>

#include "session/session.h"

namespace dalea {

struct NamedArray {
  using Values = std::variant<std::vector<float>, std::vector<double>, std::vector<int64_t>, std::vector<uint8_t>,
                              std::vector<std::string>>;
  std::string name;            // "W_rec", "history/train": what stands before a / is a group of HDF5
  std::string axes;            // "post, pre"
  std::vector<int64_t> shape;  // empty: one value
  Values values;               // row-major; texts are UTF-8

  const char* type() const;  // "float32", "float64", "int64", "uint8", "text"
};
using NamedArrays = std::vector<NamedArray>;

// Everything of a network:
//   W_in (unit, channel), b_in (unit, 1), W_rec (post, pre), b_rec (unit, 1), W_outK (output, unit of the readout) and
//   b_outK (output, 1) of readout K, as in write_weights; W_out (output, unit) and b_out (output): all readouts in one
//   mask (post, pre): 1 where a connection exists; sign (unit): 1, -1, 0; alpha (unit): dt / tau, 1: not leaky
//   population (unit): index from 0; population_name, _area, _layer, _type, _size (population)
//   readout_units, readout_outputs (readout, 2): from, one after the last
//   activation, output_activation, rectified, dt_s; history/epoch, history/train, ... (epoch)
//   experiment (JSON), hash, run (from 1), epochs, dalea_version
// Without biases b_in and b_rec are 0. A matrix stored sparse is dense here up to 2^24 entries; a larger W_rec is
// W_rec.values, W_rec.row, W_rec.col_start (compressed columns) and has no mask.
struct NetworkToExport {
  const Spec& spec;
  const Model& model;
  const Pattern* mask = nullptr;  // null: every connection exists
  const std::vector<EpochRecord>& history;
  int64_t run = 0;
};
NamedArrays network_arrays(const NetworkToExport& network);
// A session's network as it was saved, and its mask.
struct SavedNetwork {
  Model model;
  std::shared_ptr<const Pattern> mask;
};
SavedNetwork saved_network(const Session& session);

// On all held-out trials, without noise: predictions/input (trial, step, channel), predictions/output (trial, step,
// output), predictions/target (trial, step, output) and predictions/scored (the same: 1 where the loss counts it); of a
// task with classes predictions/label (trial, step), -1 where not scored, in place of target. An error: there are none,
// or it was cancelled (`cancel` may be null).
Result<NamedArrays> prediction_arrays(const Model& model, const Dataset& data, int64_t batch, Isa isa, Workers& workers,
                                      const std::atomic<bool>* cancel = nullptr);

// traces (frame, unit), NaN where missing; unit_name, and where there is a cell table unit_area, _layer, _type, _sign
// (unit); rate_hz (0: unknown), source, sha256, format.
NamedArrays recording_arrays(const Recording& recording);
// A first column time_s (frame, where the rate is unknown), then one per unit; a missing value is an empty field.
// Quotes, semicolons, tabs and line breaks in names become ' , and spaces.
std::string recording_csv(const Recording& recording);

enum class ArrayFormat { npz, mat, hdf5 };
std::optional<ArrayFormat> array_format_of(std::string_view file_name);  // by its ending: .npz, .mat, .h5, .hdf5
Result<std::vector<std::byte>> write_arrays(const NamedArrays& arrays, ArrayFormat format);
std::vector<std::byte> write_npz(const NamedArrays& arrays);

}  // namespace dalea
