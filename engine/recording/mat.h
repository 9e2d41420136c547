// MATLAB's level-5 MAT files (save -v6, -v7) from bytes: numbers in variables, in fields of structs and in cells.
// The format is MathWorks' "MAT-File Format". Files of version 7.3 are HDF5: recording/hdf5_arrays.h.
#pragma once

#include "recording/arrays.h"

namespace dalea {

bool is_mat(std::span<const std::byte> bytes);

// Every array, at most eight structs and cells deep. Compressed variables are inflated only where they hold others, to
// at most 2 GiB (512 MiB in a page) in all. `suggested` is left to list_arrays.
Result<ArrayList> list_mat(std::span<const std::byte> bytes, std::string_view file_name);

struct MatArray {
  std::vector<int64_t> shape;
  std::vector<double> values;  // row-major
  std::string type;            // "int16", "sparse double", ...
};
// Real numbers and logicals; sparse ones as dense up to 2^26 values. Any other array, or none of this name: an error.
Result<MatArray> read_mat(std::span<const std::byte> bytes, std::string_view file_name, std::string_view array,
                          const Progress& progress = {});

}  // namespace dalea
