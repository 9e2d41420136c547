// Cell tables: which area, layer, type and sign the units of a recording have.
#pragma once

#include <string_view>

#include "error.h"
#include "recording/recording.h"

namespace dalea {

// By the header alone: a CSV with an area, layer, type or sign (or a label beside an index), and no values in time.
bool is_cell_table(std::string_view csv);

// Fills `cells`. Columns in any order: unit (or name, neuron, cell, roi, label) and index (0-based place in the file),
// area (region), layer, type (cell_type, class), sign. Joined by name where a name matches, else by index, else row by
// row; `notes` say which, and what did not match. Units without a name of their own take the table's label.
Status join_cells(std::string_view csv, std::string_view file_name, Recording& recording);

// "+" of +, 1, E, exc..., glu...; "-" of -, -1, I, inh..., GABA..., gly...; else empty.
std::string sign_of(std::string_view text);

// One channel for each area, layer and type, "V1 L2/3 pyr", in order of appearance: the mean of its units that are
// present at each frame. Units of which none of the three is known are dropped.
Status average_populations(Recording& recording);

}  // namespace dalea
