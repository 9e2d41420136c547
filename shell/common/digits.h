// Where the handwritten digits are on this computer.
#pragma once

#include <string>

#include "tasks/digits.h"

namespace dalea {

// From `folder` (task.folder); when that is empty from $DALEA_DIGITS, else from where ./run digits puts them: beside
// the source this was built from, or in a folder above `program` (argv[0]).
Result<Digits> find_digits(const std::string& folder, const std::string& program);

}  // namespace dalea
