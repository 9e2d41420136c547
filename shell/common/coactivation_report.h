// The files of `dalea coactivation` and of the window's Co-activation tab.
#pragma once

#include <string>
#include <vector>

#include "analysis/coactivation.h"
#include "common/figure.h"

namespace dalea {

struct CoactivationReport {
  std::string name;  // of the experiment
  Spec spec;
  Coactivation study;
};

// "Connected pairs 0.21 (512), others 0.03 (7616): difference 0.18, p = 0.002; within populations ...": one sentence
// each.
std::vector<std::string> coactivation_sentences(const Coactivation& study);
// The matrix in the order of the populations; means of connected and other pairs by group; silhouettes.
plot::Figure coactivation_figure(const CoactivationReport& report);
// A row for each two groups: pairs and mean correlation, connected and not; the silhouette where both are one.
std::string coactivation_groups_csv(const CoactivationReport& report);
std::string coactivation_matrix_csv(const CoactivationReport& report);  // (unit, unit), with names

}  // namespace dalea
