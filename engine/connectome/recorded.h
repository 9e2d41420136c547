// A connectome and a recording of the same neurons, joined by name (connectome.nodes "recorded").
#pragma once

#include "connectome/connectome.h"
#include "recording/recording.h"

namespace dalea {

// The nodes that have a unit of their name, in the units' order, and the links between them; densities, signs and
// positions go along. An error names both sides when fewer than two are common, or none of their links is.
Result<Connectome> recorded_nodes(const Connectome& connectome, const std::vector<std::string>& units);

// The units named `nodes`, in that order; the others are dropped and the reason is kept. An error: a node without one.
Result<Recording> recorded_units(Recording recording, const std::vector<std::string>& nodes);

// Whether a table gives the signs or transmitters of named nodes: by its header alone.
bool is_sign_table(std::string_view csv);

}  // namespace dalea
