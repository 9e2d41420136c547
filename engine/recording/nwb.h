// Neurodata Without Borders (HDF5): fluorescence of regions of interest, and spike times of units. What is where is
// said by the attribute neurodata_type of a group, as the NWB schema has it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "recording/arrays.h"
#include "recording/hdf5.h"

namespace dalea {

bool is_nwb(const Hdf5& file);  // the root has nwb_version, or is an NWBFile

// What can be a recording, the best first: dF/F, fluorescence, other ROI responses, spike times.
struct NwbSource {
  std::string array;  // "/processing/ophys/DfOverF/RoiResponseSeries/data", "/units"
  std::string what;   // "dF/F", "fluorescence", "ROI responses", "spike times"
};
std::vector<NwbSource> nwb_sources(const Hdf5& file);

// Marks what they are in the list of the file's arrays, adds "/units" and suggests the best.
void mark_nwb(const Hdf5& file, ArrayList& list);

// The source of this name (its path, the path of its group, or the group's own name; empty: the best one) as time x
// unit: values times `conversion` plus `offset`, the rate of starting_time or of the timestamps' median step, names by
// the ROIs' or units' ids. Spike times are counted in bins of bin_s from the bin of the first spike to that of the
// last.
Result<Table> read_nwb(const Hdf5& file, std::string_view file_name, const std::string& array, double bin_s,
                       const Progress& progress = {});
bool nwb_reads(const Hdf5& file, const std::string& array);  // whether that would be one of its sources

}  // namespace dalea
