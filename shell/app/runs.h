// Conditions side by side: one experiment under several constraints, each trained several times (SEEDS 1.4, 2.5).
#pragma once

#include <string>
#include <vector>

#include "app/side_by_side.h"
#include "common/run_curves.h"

namespace dalea::app {

constexpr const char* condition_names[] = {"conventional", "rectified", "rectified-forward", "dale"};
constexpr int most_runs = 20;

// Runs 1 of all conditions come first, then runs 2. `equalise`: every condition has the recurrent nonlinearity that the
// published code gives to Dale's alone (network.feedback = rectified). An error names an unknown condition or count.
Result<std::vector<Job>> condition_jobs(const Spec& experiment, const std::vector<std::string>& conditions,
                                        int64_t runs, bool equalise);

// Histories by group, in order of appearance, each as far as it is; runs that failed are left out.
std::vector<RunCurves> curves_of(const SideView& view);
std::string unit_of(const SideView& view);  // of the losses; empty before one has begun

NamedFile curves_file(const SideView& view);                            // CSV
NamedFile figure_file(const SideView& view, const std::string& title);  // SVG

// For scripts: what each run came to, as JSON.
std::string side_json(const SideView& view);

}  // namespace dalea::app
