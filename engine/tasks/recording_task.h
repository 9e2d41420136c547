#pragma once

#include "tasks/trials.h"

namespace dalea {

// Windows of task.steps frames of each part (recording.h: split_in_time); input frame t, target frame t + 1. The first
// recording.warmup steps of a window and missing values are not scored. Validation and held-out windows tile their
// part, so that every later frame is scored once; training windows start every recording.stride frames.
// Around events, or split by trial: make_trial_dataset. Dataset::recording is smoothed as the spec says.
Result<Dataset> make_recording_dataset(const Spec& spec, Recording recording);

// Trials around events (recording/events.h), split by trial or time, or averages of them drawn with replacement from
// one part's trials (SEEDS 4.5). Of a window of L frames the inputs are events.first_frame .. events.last_frame (else
// 0 .. L - 2), each one's target the frame after it: 0 .. 14 of 16 and 7 .. 13 as published. Averages drawn
// independently are smoothed as published, input and target apart within the window; all else before it is cut.
// Without events the recording is one trial to train on, and nothing is held out.
Result<Dataset> make_trial_dataset(const Spec& spec, Recording recording);

// What the two share: a dataset without trials; the split by unit (inputs are the first train_fraction of the units;
// the others are outputs alone, scored in the later parts; co-smoothing, Pei et al. 2021, but one frame ahead), with
// its baselines; whether each part that has trials has something to score.
Dataset dataset_of(const Spec& spec, const Recording& recording);
Status hold_out_units(const Spec& spec, Dataset& data);
Status check_scored(const Dataset& data);

}  // namespace dalea
