// The files of a connectome, from disk.
#pragma once

#include "error.h"
#include "spec/spec.h"

namespace dalea {

// Gives the experiment its connectome: from connectome.file with its names, signs and densities, or the synthetic one;
// none where it has none. A file alone is enough: connectome.source becomes "file". Errors name the key and the path.
Status attach_connectome_files(Spec& spec);

}  // namespace dalea
