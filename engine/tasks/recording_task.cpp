// A recording as a task: predict frame t + 1 from the frames up to t, in windows; parts split in time.
#include "tasks/recording_task.h"

#include <algorithm>
#include <cmath>

#include "recording/smoothing.h"

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

TrialRows rows_of(const Trials& t) {
  return {t.count * t.steps, t.input, t.target, t.scored};
}

// The first `kept` inputs of each step.
void keep_inputs(Trials& t, int64_t kept) {
  for (int64_t row = 0; row < t.count * t.steps; ++row)
    std::copy_n(t.input.begin() + row * t.inputs, kept, t.input.begin() + row * kept);
  t.input.resize(static_cast<size_t>(t.count * t.steps * kept));
  t.inputs = kept;
}

// Targets of outputs outside [begin, end) are not scored.
void score_only(Trials& t, int64_t begin, int64_t end) {
  for (size_t e = 0; e < t.scored.size(); ++e) {
    const auto output = static_cast<int64_t>(e) % t.outputs;
    if (output < begin || output >= end) t.scored[e] = 0;
  }
}

}  // namespace

Dataset dataset_of(const Spec& spec, const Recording& recording) {
  Dataset data;
  data.loss = Loss::mse;
  data.ends.inputs = data.ends.outputs = recording.units;
  data.unit = spec.recording.scale == "none" ? "squared recorded unit" : "squared training-part sd";
  data.dt_s = recording.rate_hz > 0 ? 1 / recording.rate_hz : 0;
  data.channel_names = data.output_names = recording.names;
  data.prepared.emplace();
  if (spec.recording.smoothing == "centred")
    data.prepared->notes.push_back(
        "Centred smoothing: an input frame holds part of the frames after it, its target among them, so errors are "
        "smaller than those of a prediction; smooth causally to predict.");
  return data;
}

Status hold_out_units(const Spec& spec, Dataset& data) {
  const int64_t units = data.ends.outputs;
  if (units < 3)
    return Error{"recording.split", "is by unit, but there are " + std::to_string(units) +
                                        " units, and each part needs one; split by time or trial"};
  const auto share = [&](double fraction) {
    return static_cast<int64_t>(std::floor(static_cast<double>(units) * fraction + 1e-9));
  };
  const double both = spec.recording.train_fraction + spec.recording.validation_fraction;
  const int64_t inputs = std::clamp<int64_t>(share(spec.recording.train_fraction), 1, units - 2),
                validated = std::clamp<int64_t>(share(both), inputs + 1, units - 1);
  for (Trials* t : {&data.train, &data.validation, &data.held_out}) keep_inputs(*t, inputs);
  score_only(data.validation, inputs, validated);
  score_only(data.held_out, validated, units);
  data.ends.inputs = inputs;
  data.channel_names.resize(static_cast<size_t>(inputs));
  data.baselines = fit_baselines(inputs, units, rows_of(data.train), rows_of(data.validation), rows_of(data.held_out));
  const auto range = [&](int64_t begin, int64_t end) {
    const std::string& first = data.output_names[begin];
    return end - begin == 1 ? first : first + " to " + data.output_names[end - 1];
  };
  data.prepared->notes.push_back(
      "By unit: " + std::to_string(inputs) + " of " + std::to_string(units) +
      " units are the inputs. The others are never shown: their readouts are trained in the training part, and in the "
      "later parts they alone are scored, predicted from the inputs (" +
      range(inputs, validated) + " validate, " + range(validated, units) +
      " are held out). The training error is of all units. Last frame and AR(1) have no value here: they need the "
      "unit's own past.");
  return {};
}

Status check_scored(const Dataset& data) {
  const std::pair<const Trials*, const char*> parts[] = {
      {&data.train, "training"}, {&data.validation, "validation"}, {&data.held_out, "held-out"}};
  for (const auto& [t, name] : parts)
    if (t->count > 0 && std::find(t->scored.begin(), t->scored.end(), uint8_t{1}) == t->scored.end())
      return Error{"recording.split", std::string("leaves nothing to score in the ") + name +
                                          " part: every target there is missing; leave those units out, or give other "
                                          "fractions"};
  return {};
}

Result<Dataset> make_recording_dataset(const Spec& spec, Recording recording) {
  if (!spec.recording.events.file.empty() && recording.events_csv.empty())
    return Error{"recording.events.file",
                 "'" + spec.recording.events.file + "' was not read; open it together with the recording"};
  if (!recording.events_csv.empty() || spec.recording.split == "trial")
    return make_trial_dataset(spec, std::move(recording));
  // Shorter than a window and its target: one averaged trial, as the published data are (SEEDS 4.5).
  if (spec.recording.split == "time" && recording.frames <= spec.task.steps) {
    Spec whole = spec;
    whole.recording.split = "trial";
    whole.recording.events = {};
    return make_trial_dataset(whole, std::move(recording));
  }
  const int64_t steps = spec.task.steps, warmup = spec.recording.warmup;
  if (warmup >= steps)
    return Error{"recording.warmup", "is " + std::to_string(warmup) + " of " + std::to_string(steps) +
                                         " steps, which leaves nothing to score; give a smaller one"};
  Result<Parts> parts = split_in_time(recording, spec.recording, steps);
  if (!parts) return parts.error();

  Dataset data = dataset_of(spec, recording);
  const Reach reach = smoothing_reach(spec.recording);
  smooth(recording.values, recording.frames, recording.units, reach, spec.recording.smoothing_sd);
  data.scaling = fit_scaling(recording, *parts, spec.recording);
  std::vector<int64_t> afresh;
  if (reach.before > 0) afresh = {parts->validation_begin, parts->held_out_begin};
  const std::vector<float> scaled = scaled_values(recording, *data.scaling, afresh);

  // A stride that was not given is half a window, or less where that would leave too few windows for a few updates.
  const int64_t places = std::max<int64_t>(1, parts->train_end - steps);
  const int64_t wanted = 4 * spec.training.batch;
  int64_t stride = spec.recording.stride;
  if (stride == 0)
    stride = std::clamp<int64_t>(places / std::max<int64_t>(1, wanted), 1, std::max<int64_t>(1, steps / 2));

  std::vector<int64_t> train_targets, validation_targets, held_out_targets;
  data.train = cut(recording, scaled, training_windows(parts->train_end, steps, stride, warmup), steps, train_targets);
  data.validation =
      cut(recording, scaled, tiling_windows(parts->validation_begin, parts->validation_end, steps, warmup), steps,
          validation_targets);
  data.held_out = cut(recording, scaled, tiling_windows(parts->held_out_begin, recording.frames, steps, warmup), steps,
                      held_out_targets);
  std::string note = "By time: frames 0 to " + std::to_string(parts->train_end - 1) + " train, " +
                     std::to_string(parts->validation_begin) + " to " + std::to_string(parts->validation_end - 1) +
                     " validate, " + std::to_string(parts->held_out_begin) + " to " +
                     std::to_string(recording.frames - 1) + " are held out";
  if (reach.before > 0) note += "; frames between them, which smoothing would let two parts share, are left out";
  data.prepared->notes.insert(data.prepared->notes.begin(), note + ".");
  if (spec.recording.split == "unit") {
    if (Status ok = hold_out_units(spec, data); !ok) return ok.error();
    if (Status ok = check_scored(data); !ok) return ok.error();
  } else {
    data.baselines = fit_baselines(recording, scaled, *parts, train_targets, validation_targets, held_out_targets);
  }
  const Trials* made[] = {&data.train, &data.validation, &data.held_out};
  for (int k = 0; k < 3; ++k) data.prepared->trials[k] = made[k]->count;
  data.recording = std::move(recording);
  return data;
}

}  // namespace dalea
