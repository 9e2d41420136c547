// HDF5 of the oldest kind (superblock 0, symbol tables), which every HDF5 library reads. Equal arrays give equal bytes.
#pragma once

#include "session/export.h"

namespace dalea {

// Contiguous datasets; texts are fixed-length UTF-8, padded with NULs. Names hold at most one /. A dataset has the
// attribute "axes" where they are known; the root has "written_by". An error: more than 131070 arrays.
Result<std::vector<std::byte>> write_hdf5(const NamedArrays& arrays);

}  // namespace dalea
