// The arrays of an HDF5 file, those of MATLAB's version 7.3 as MATLAB shows them: (rows, columns), fields as "s.trace".
#pragma once

#include <string>

#include "recording/arrays.h"
#include "recording/hdf5.h"

namespace dalea {

// `bytes`: those that `file` was opened on. `suggested` is left to list_arrays.
ArrayList list_hdf5(const Hdf5& file, std::span<const std::byte> bytes);
// The name in that list of what is called `wanted`: without its first slash, through links, "s/trace" for "s.trace".
std::string name_in_hdf5(const Hdf5& file, std::span<const std::byte> bytes, const std::string& wanted);
Result<Table> read_from_hdf5(const Hdf5& file, std::span<const std::byte> bytes, std::string_view file_name,
                             const std::string& array, const Progress& progress = {});
bool named_as_traces(const std::string& array);  // "/gcamp/traces_array", "dff", "s.F"

}  // namespace dalea
