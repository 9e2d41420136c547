// A folder of suite2p: F.npy, Fneu.npy, spks.npy (ROI x frame) and iscell.npy (ROI x 2: accepted, probability).
#pragma once

#include <string>
#include <string_view>

#include "error.h"
#include "recording/recording.h"
#include "session/npz.h"

namespace dalea {

bool is_suite2p_file(std::string_view name);  // one of the four

// ROI x frame, named "roi N" by the place in F. The signal is spec.suite2p's; "dff" is (x - b) / max(b, floor) of
// x = F - neuropil Fneu, b the percentile of x in a window centred on each frame (shorter at the ends; without
// spec.rate_hz, the whole recording's), floor 1 % of the median of |F|. ROIs whose F never changes are dropped.
Result<Table> read_suite2p(const Entries& files, std::string_view file_name, const RecordingSpec& spec,
                           const Progress& progress = {});

// Of x[k - (window - 1) / 2 ... k + window / 2], cut off at the ends; interpolated linearly between ranks, as numpy
// does; missing values are left out, and NaN is the answer where all are. O(n log n) for any window.
std::vector<double> rolling_percentile(const std::vector<double>& x, double percentile, int64_t window);

}  // namespace dalea
