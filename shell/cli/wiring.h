// The wiring test of `dalea run` (connectome.nulls): after the experiment's own runs its nulls, then the test.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cli/commands.h"
#include "common/wiring_report.h"

namespace dalea::cli {

struct WiringTested {
  ExitCode code = done;
  nlohmann::json object;  // as --json has it under "wiring"
  std::optional<WiringReport> report;
  std::vector<std::string> files;
};
// Trains in OUT/wiring what is not there yet (with --resume), each network on one thread; the measured wiring's are
// those in OUT. Then writes report.html, wiring.json, .csv, .svg and .png to OUT.
WiringTested test_wiring(const RunOptions& options, const Spec& spec, const Sources& sources, Isa isa);
void print_wiring(const WiringTested& tested);

}  // namespace dalea::cli
