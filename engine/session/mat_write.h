// MATLAB's level-5 MAT files (save -v6): what load() and scipy.io.loadmat read. The format is MathWorks' "MAT-File
// Format". Equal arrays give equal bytes.
#pragma once

#include "session/export.h"

namespace dalea {

// "W_rec.values", "history/train" -> "W_rec_values", "history_train": at most 63 letters, digits and _.
std::string mat_name(std::string_view name);

// Uncompressed, little-endian. A list is a column, one value 1 x 1; one text is a char row, a list of texts a cell
// column. An error: an array of more than 2^31 - 1 bytes.
Result<std::vector<std::byte>> write_mat(const NamedArrays& arrays);

}  // namespace dalea
