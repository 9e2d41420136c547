// The arrays of a file from bytes: a CSV or NPY holds one, an NPZ, MAT or HDF5 any number. Which one is the recording?
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "error.h"
#include "recording/recording.h"

namespace dalea {

class Hdf5;

struct ArrayInfo {
  std::string name;            // "dff", "s.field", "s(2).field", "c{3}"; empty in CSV and NPY
  std::string type;            // "double", "float32", "sparse double", "char", ...
  std::vector<int64_t> shape;  // (rows, columns, ...)
  std::string unusable;        // why it cannot be a recording: "holds text"; empty: it can
};

struct ArrayList {
  std::string format;                           // "NPZ", "MATLAB v5, little-endian"
  std::vector<ArrayInfo> arrays;                // in the file's order
  bool more = false;                            // the file holds more than are listed
  int64_t suggested = -1;                       // index; -1: none can be a recording
  std::string reason;                           // why that one: "the only matrix in the file"
  std::vector<std::string> conditions, series;  // of a long table: what recording.condition and .series choose from
};
constexpr size_t most_listed = 1000;

// By content. Values are not read, but for a CSV's. Errors: the file's name and what is wrong with it.
Result<ArrayList> list_arrays(std::span<const std::byte> bytes, std::string_view file_name,
                              const Progress& progress = {});
// Both of them for a file that is looked at first and chosen from then: it is opened, and a CSV parsed, once.
struct FileContents {
  Result<ArrayList> arrays;
  Result<Recording> recording;
};
FileContents read_contents(std::span<const std::byte> bytes, std::string_view file_name, const RecordingSpec& spec,
                           const Progress& progress = {});
// An NPZ, MAT or HDF5, where there can be something to choose.
bool holds_arrays(std::span<const std::byte> bytes);
// Whether the suggested array is a square matrix, and none is a network that Dalea saved: a connectome may be one.
bool suggests_connectome(const ArrayList& list);
bool is_plain_csv(std::span<const std::byte> bytes, std::string_view file_name);  // what read_table() takes for a CSV

// list_arrays() and read_table() of an HDF5 file that is open already; `bytes` are the file's, `list` its arrays.
ArrayList list_hdf5_file(const Hdf5& file, std::span<const std::byte> bytes);
Result<Table> read_hdf5_table(const Hdf5& file, std::span<const std::byte> bytes, const ArrayList& list,
                              std::string_view file_name, const std::string& array = {}, const Progress& progress = {});

std::string shape_text(const std::vector<int64_t>& shape);  // "(219, 2000)"
// A matrix of real numbers as a table, or why it is none: `path` names the array in errors.
Result<Table> table_of(const std::vector<int64_t>& shape, std::vector<double> values, const std::string& path);

}  // namespace dalea
