// Simulated two-photon trials of cell-type populations around image changes and omissions, in the form of SEEDS 4.5: a
// demo where no recording is at hand. Its population averages are invented for Dalea, only loosely after what is
// described of such recordings; nothing can be learnt from them about a brain.
#pragma once

#include <string>
#include <vector>

#include "recording/recording.h"

namespace dalea {

// "familiar_no_change", "familiar_change", "familiar_omission", "novel_no_change", ...: names as in the decoded data.
const std::vector<std::string>& condition_names();

constexpr int64_t condition_frames = 16;       // of a trial
constexpr int64_t condition_event_frame = 8;   // of the change, repetition or omission, from 0
constexpr double condition_frame_s = 0.093;    // s
constexpr double condition_noise_decay = 0.6;  // correlation of the noise from frame to frame

// What the generator knows of a channel. Empty labels stand for L2/3, pyramidal and V1.
struct ConditionChannel {
  std::string name;
  CellLabels labels;
};
// The network's populations where they read channels of their own (network.readout "populations", network.input_mask)
// or have a layer and a type; else the 18 of SEEDS 4.1 in their order.
std::vector<ConditionChannel> condition_channels(const Spec& spec);

// The population averages, dF/F, (frame, channel); and the sd of the trials' noise, (channel). `condition`: an index
// of condition_names().
std::vector<double> condition_average(size_t condition, const std::vector<ConditionChannel>& channels);
std::vector<double> condition_noise_sd(const std::vector<ConditionChannel>& channels);

// recording.simulated_trials trials of recording.condition (empty: familiar_change), one after the other, with a table
// of their events. Trial k is the average plus Gaussian noise, stationary within the trial and independent between
// trials: covariance of populations p and q at frames s and t
//   sd_p sd_q (p == q ? 1 : recording.simulated_correlation) condition_noise_decay^|s - t|.
// Depends on (seed, condition, channels) alone, and is the same for every run. Errors: an unknown condition, more than
// 256 MiB of values.
Result<Recording> simulate_conditions(const Spec& spec);

}  // namespace dalea
