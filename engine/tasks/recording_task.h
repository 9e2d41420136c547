#pragma once

#include "tasks/trials.h"

namespace dalea {

// Windows of task.steps frames of each part (recording.h: split_in_time); input frame t, target frame t + 1. The first
// recording.warmup steps of a window and missing values are not scored. Validation and held-out windows tile their
// part, so that every later frame is scored once; training windows start every recording.stride frames.
Result<Dataset> make_recording_dataset(const Spec& spec, Recording recording);

}  // namespace dalea
