// What a finished sweep says: tables and the report.
#pragma once

#include "common/report.h"
#include "common/sweep_run.h"

namespace dalea {

std::string sweep_hash(const std::vector<SweepRow>& rows);  // of all weight hashes, in order; empty: runs are missing
// A row for each run that is there: run, combination, iteration, the grid's values, hash, losses, accuracy, minimum,
// its epoch, 99 % epoch, the network's measures (mask_ at the start, weights_ at the end), failure.
std::string sweep_csv(const SweepPlan& plan, const std::vector<SweepRow>& rows);
std::string sweep_json(const SweepPlan& plan, const std::vector<SweepRow>& rows);
// Minimum, its epoch and the 99 % epoch by each value of each axis; mean curves by combination; the least loss against
// measures of the networks; the numbers.
std::string sweep_report(const SweepPlan& plan, const std::vector<SweepRow>& rows, const ReportProvenance& where);

}  // namespace dalea
