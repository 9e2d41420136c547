// Long tables: a CSV with a value a row, whose columns say of which time and which unit it is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "error.h"
#include "recording/recording.h"

namespace dalea {

// By the header alone: a time (t, time, time_s, frame), a unit (unit, neuron, cell, roi, channel, population) and
// value.
bool is_long_table(std::string_view csv);

// What recording.condition and recording.series choose from, in the file's order, at most 1000 of each.
struct LongChoices {
  std::vector<std::string> conditions, series;  // empty: there is no such column
};
LongChoices long_choices(std::string_view csv, const Progress& progress = {});

// Time x unit of the rows of spec.condition and spec.series; both may be empty where there is one. A time that a unit
// lacks is NaN. Errors: several to choose from, two values for one place, fewer than one value in sixteen places.
Result<Table> read_long_table(std::string_view csv, std::string_view file_name, const RecordingSpec& spec,
                              const Progress& progress = {});

}  // namespace dalea
