// The files of one recording, from disk: a file, or several as a bundle (recording/bundle.h).
#pragma once

#include <string>
#include <vector>

#include "common/files.h"
#include "error.h"
#include "session/npz.h"

namespace dalea {

// `path`: a file, "-", or a folder (suite2p's, or one above it: a single plane is found up to two levels below).
// `cells`, `events`: CSV files that go with it; empty: none. A file alone is given as it is.
Result<ByteVector> read_recording_files(const std::string& path, const std::string& cells, const std::string& events);

// The same to look through: a file alone is mapped (common/files.h), several are read.
Result<FileBytes> open_recording_files(const std::string& path, const std::string& cells, const std::string& events);

// Several paths that were given together, folders among them; each must be of the same recording.
Result<ByteVector> read_together(const std::vector<std::string>& paths);

bool is_folder(const std::string& path);

}  // namespace dalea
