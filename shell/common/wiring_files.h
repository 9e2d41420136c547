// The files of a connectome and a recording of the same neurons (connectome.nodes "recorded"), from disk.
#pragma once

#include <string>
#include <vector>

#include "connectome/connectome.h"
#include "error.h"
#include "spec/spec.h"

namespace dalea {

// Reads the names of the recording's units (recording.file, .cells) and attaches the nodes that they have.
Status attach_recorded(Spec& spec, const Connectome& connectome);

// What a folder has for such an experiment, by contents: a list of links or a matrix, a table of signs or transmitters
// (none is good too), and of the tables left the one with the most columns named as nodes. As assignments for --set.
// Errors say what is missing.
Result<std::vector<std::string>> settings_of_folder(const std::string& folder);

}  // namespace dalea
