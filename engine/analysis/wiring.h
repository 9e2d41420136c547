// Does the wiring help? Held-out prediction under a measured wiring against wirings drawn from a null model. The unit
// of the rank test is a wiring: the mean over its seeds. Time is resampled in blocks (Kuensch 1989; circular, Politis &
// Romano 1992), because neighbouring frames are not independent.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "analysis/statistics.h"
#include "network/pass.h"
#include "tasks/trials.h"

namespace dalea {

// The frames of a held-out part on which anything is scored, in the order of its trials: in time.
struct HeldOutFrames {
  std::vector<int64_t> row;     // (frame): trial * steps + step
  std::vector<int64_t> scored;  // (frame): units
  // (unit): sum of squares of its scored targets about their mean; 0: it does not vary, and has no R2
  std::vector<double> total;
  int64_t varying = 0;  // units with a total
  int64_t frames() const { return static_cast<int64_t>(row.size()); }
};
HeldOutFrames held_out_frames(const Trials& held_out);

// Squared errors of one prediction.
struct HeldOutErrors {
  std::vector<double> squared;  // (frame): sum over its scored units, in the loss's unit
  // (frame): the mean over varying units of error / total, times the number of frames, so that R2 (the mean over units
  // of 1 - error / total) is 1 less the mean of this
  std::vector<double> relative;
};
// `output`: (trial, step, output)
HeldOutErrors errors_of(const HeldOutFrames& frames, const Trials& held_out, const std::vector<float>& output);
std::vector<float> held_out_outputs(const Model& model, const Dataset& data, int64_t batch, Isa isa, Workers& workers);
// Of the baselines that there are: "last frame", "AR(1)", "linear".
std::vector<std::pair<std::string, HeldOutErrors>> baseline_errors(const HeldOutFrames& frames, const Dataset& data);

// A value with its interval, and what it is less the measured wiring's with the interval of the paired difference.
struct WiringOther {
  std::string name;
  double value = 0, difference = 0;  // difference: the measured wiring's minus it
  Interval interval, difference_interval;
};

// Of one measure of how well is predicted: the loss, where less is better, or R2, where more is.
struct WiringTest {
  double measured = 0;        // mean over its seeds
  Interval interval;          // 95 %, over held-out time
  std::vector<double> seeds;  // of the measured wiring
  std::vector<double> nulls;  // (null): mean over its seeds
  double null_mean = 0, null_sd = 0;
  double difference = 0;         // measured minus the mean of the nulls
  Interval difference_interval;  // 95 %, over held-out time, paired
  int64_t as_good = 0;           // nulls that predict as well or better
  int64_t as_bad = 0;            // as badly or worse
  double p_better = 1;           // one-sided: (1 + as_good) / (1 + nulls)
  double p_worse = 1;            // the other side
  double p_two_sided = 1;        // twice the smaller, at most 1
  double z = 0;                  // (measured - null_mean) / null_sd, above 0: better; not a number without spread
  double percentile = 0;         // share of the nulls that predict worse, ties half, 0 .. 1
  std::vector<WiringOther> others;
};

struct WiringStudy {
  int64_t frames = 0, units = 0, block = 0, draws = 0;  // block: frames
  int64_t scored = 0;                                   // elements, all frames together
  WiringTest r2, loss;
  double least_p() const { return 1 / (1 + static_cast<double>(r2.nulls.size())); }  // one-sided
};

// Errors of every network, by wiring and seed; all of the same frames.
struct WiringErrors {
  std::vector<HeldOutErrors> measured;                                     // (seed)
  std::vector<std::vector<HeldOutErrors>> nulls;                           // (null)(seed)
  std::vector<std::pair<std::string, std::vector<HeldOutErrors>>> others;  // name, (seed)
};

// About 2 n^(1/3) frames, at least 1 and at most a quarter of all.
int64_t block_length(int64_t frames);
// How often each frame is in bootstrap sample `draw`: blocks that begin anywhere and go round the end, cut to `frames`.
std::vector<int32_t> block_sample(int64_t frames, int64_t block, uint64_t seed, int64_t draw);

// The rank test alone; fills nulls, null_mean, null_sd, as_good, as_bad, the p, z and percentile.
void rank_among_nulls(WiringTest& test, std::vector<double> nulls, bool less_is_better);

constexpr int64_t wiring_draws = 2000;
// Errors: no measured network, fewer than 2 nulls, frames that do not match, values that are not finite.
Result<WiringStudy> study_wiring(const HeldOutFrames& frames, const WiringErrors& errors, uint64_t seed,
                                 int64_t draws = wiring_draws);

}  // namespace dalea
