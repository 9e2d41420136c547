// A recording as a task: predict frame t + 1 from the frames up to t, in windows; parts split in time.
#include "tasks/recording_task.h"

#include <algorithm>
#include <cmath>

namespace dalea {
namespace {

// Starts of windows inside frames [begin, end): a window at k uses frames k .. k + steps.
struct Window {
  int64_t start = 0;
  int64_t first_scored = 0;  // step
};

std::vector<Window> training_windows(int64_t end, int64_t steps, int64_t stride, int64_t warmup) {
  std::vector<Window> windows;
  for (int64_t k = 0; k + steps < end; k += stride) windows.push_back({k, warmup});
  return windows;
}

// Every frame that can be a scored target is one exactly once.
std::vector<Window> tiling_windows(int64_t begin, int64_t end, int64_t steps, int64_t warmup) {
  std::vector<Window> windows;
  int64_t k = begin;
  for (; k + steps < end; k += steps - warmup) windows.push_back({k, warmup});
  const int64_t next_target = k + warmup + 1;  // the first one not scored yet
  if (next_target < end) {                     // one last window, flush with the end
    const int64_t start = end - 1 - steps;
    windows.push_back({start, next_target - start - 1});
  }
  return windows;
}

Trials cut(const Recording& recording, const std::vector<float>& values, const std::vector<Window>& windows,
           int64_t steps, std::vector<int64_t>& targets) {
  const int64_t units = recording.units;
  Trials trials;
  trials.count = static_cast<int64_t>(windows.size());
  trials.steps = steps;
  trials.inputs = trials.outputs = units;
  for (const Window& w : windows) {
    const auto from = values.begin() + w.start * units;
    trials.input.insert(trials.input.end(), from, from + steps * units);
    trials.target.insert(trials.target.end(), from + units, from + (steps + 1) * units);
    for (int64_t t = 0; t < steps; ++t) {
      const int64_t frame = w.start + t + 1;
      if (t >= w.first_scored) targets.push_back(frame);
      for (int64_t u = 0; u < units; ++u)
        trials.scored.push_back(t >= w.first_scored && !std::isnan(recording.values[frame * units + u]));
    }
  }
  return trials;
}

}  // namespace

Result<Dataset> make_recording_dataset(const Spec& spec, Recording recording) {
  const int64_t steps = spec.task.steps, warmup = spec.recording.warmup;
  if (warmup >= steps)
    return Error{"recording.warmup", "is " + std::to_string(warmup) + " of " + std::to_string(steps) +
                                         " steps, which leaves nothing to score; give a smaller one"};
  Result<Parts> parts = split_in_time(recording, spec.recording, steps);
  if (!parts) return parts.error();

  Dataset data;
  data.loss = Loss::mse;
  data.ends.inputs = data.ends.outputs = recording.units;
  data.unit = spec.recording.scale == "none" ? "squared recorded unit" : "squared training-part sd";
  data.dt_s = recording.rate_hz > 0 ? 1 / recording.rate_hz : 0;
  data.channel_names = data.output_names = recording.names;
  data.scaling = fit_scaling(recording, *parts, spec.recording);
  const std::vector<float> scaled = scaled_values(recording, *data.scaling);

  // A stride that was not given is half a window, or less where that would leave too few windows for a few updates.
  const int64_t places = std::max<int64_t>(1, parts->train_end - steps);
  const int64_t wanted = 4 * spec.training.batch;
  int64_t stride = spec.recording.stride;
  if (stride == 0)
    stride = std::clamp<int64_t>(places / std::max<int64_t>(1, wanted), 1, std::max<int64_t>(1, steps / 2));

  std::vector<int64_t> train_targets, validation_targets, held_out_targets;
  data.train = cut(recording, scaled, training_windows(parts->train_end, steps, stride, warmup), steps, train_targets);
  data.validation = cut(recording, scaled, tiling_windows(parts->train_end, parts->validation_end, steps, warmup),
                        steps, validation_targets);
  data.held_out = cut(recording, scaled, tiling_windows(parts->validation_end, recording.frames, steps, warmup), steps,
                      held_out_targets);
  data.baselines = fit_baselines(recording, scaled, *parts, train_targets, validation_targets, held_out_targets);
  data.recording = std::move(recording);
  return data;
}

}  // namespace dalea
