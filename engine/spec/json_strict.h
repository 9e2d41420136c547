// JSON as RFC 8259 has it and no further: no duplicate keys, at most 64 levels, at most 1 MiB, no number beyond a
// double.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "error.h"

namespace dalea {

constexpr size_t max_json_bytes = size_t{1} << 20;

// The error's path is `what` ("experiment"), its message says line and column. Key order is kept.
using OrderedJson = nlohmann::ordered_json;

Result<OrderedJson> parse_json_strict(std::string_view text, const std::string& what);

}  // namespace dalea
