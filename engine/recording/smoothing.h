// Gaussian smoothing over time (SEEDS 4.5), and which frames a smoothed frame was made from.
#pragma once

#include "recording/recording.h"

namespace dalea {

// A smoothed frame f was made from frames f - before .. f + after. The kernel is cut at 4 sd, rounded up.
struct Reach {
  int64_t before = 0, after = 0;
};
Reach smoothing_reach(const RecordingSpec& spec);  // "none": 0 and 0; "causal": nothing after

// `values` (frame, unit), in place, in float64. The weights of the frames that are there and not missing add up to 1,
// at the edges too; a missing value stays missing, for nothing is known of it.
void smooth(std::vector<float>& values, int64_t frames, int64_t units, Reach reach, double sd);

}  // namespace dalea
