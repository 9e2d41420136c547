// What `dalea prune` found, on the terminal: as a table or as JSON.
#pragma once

#include <string>

#include "common/prune_study.h"

namespace dalea::cli {

std::string report_json(const PruneStudy& study);
void print_report(const PruneStudy& study);  // to stdout

}  // namespace dalea::cli
