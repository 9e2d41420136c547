// Trials around the events of a recording, or averages of them.
#include <algorithm>
#include <cmath>

#include "numerics/rng.h"
#include "recording/conditions.h"
#include "recording/events.h"
#include "tasks/recording_task.h"

namespace dalea {
namespace {

constexpr double most_trial_work = 5e10;  // values added to make averages
constexpr double most_trial_bytes = sizeof(void*) == 4 ? double{1 << 30} : 8.0 * (1 << 30);

// A part before scaling; missing values are NaN.
struct RawTrials {
  int64_t count = 0;
  std::vector<float> input, target;  // (trial, step, unit)
};

struct Cut {
  int64_t window = 0;            // frames
  int64_t first = 0, steps = 0;  // input frames first .. first + steps - 1
};

Result<Cut> cut_of(const EventsSpec& events, int64_t window) {
  const int64_t last = events.last_frame == 0 ? window - 2 : events.last_frame;
  const std::string have = ", but the windows have " + std::to_string(window) +
                           " frames, and each input frame needs the one after it as its target; give at most ";
  if (last > window - 2)
    return Error{"recording.events.last_frame", "is " + std::to_string(last) + have + std::to_string(window - 2)};
  if (events.first_frame > last)
    return Error{"recording.events.first_frame",
                 "is " + std::to_string(events.first_frame) + have + std::to_string(last)};
  return Cut{window, events.first_frame, last - events.first_frame + 1};
}

void append(const Cut& cut, int64_t units, const float* window, RawTrials& to) {
  const float* from = window + cut.first * units;
  to.input.insert(to.input.end(), from, from + cut.steps * units);
  to.target.insert(to.target.end(), from + units, from + (cut.steps + 1) * units);
  ++to.count;
}

RawTrials trials_of(const Recording& r, const std::vector<EventWindow>& windows, const Cut& cut) {
  RawTrials raw;
  for (const EventWindow& w : windows) append(cut, r.units, r.values.data() + w.start * r.units, raw);
  return raw;
}

// events.samples averages of events.average_of windows each. `smoothed`: input and target apart, as published.
RawTrials averages_of(const Recording& r, const std::vector<EventWindow>& windows, const Cut& cut, const Spec& spec,
                      int64_t part, bool smoothed) {
  const EventsSpec& events = spec.recording.events;
  const auto size = static_cast<size_t>(cut.window * r.units);
  const auto choices = static_cast<uint32_t>(windows.size());
  const bool jointly = events.channels == "jointly";
  RawTrials raw;
  std::vector<double> sum(size);
  std::vector<int64_t> present(size);
  std::vector<float> mean(size);
  const auto add = [&](const EventWindow& w, int64_t begin, int64_t end) {
    const float* x = r.values.data() + w.start * r.units;
    for (int64_t f = 0; f < cut.window; ++f)
      for (int64_t e = f * r.units + begin; e < f * r.units + end; ++e) {
        const bool there = !std::isnan(x[e]);
        sum[e] += there ? static_cast<double>(x[e]) : 0.0;
        present[e] += there;
      }
  };
  for (int64_t sample = 0; sample < events.samples; ++sample) {
    Rng rng(spec.seed, Purpose::average, 0, static_cast<uint32_t>(part), static_cast<uint32_t>(sample));
    std::fill(sum.begin(), sum.end(), 0.0);
    std::fill(present.begin(), present.end(), 0);
    const int64_t groups = jointly ? 1 : r.units, width = jointly ? r.units : 1;
    for (int64_t g = 0; g < groups; ++g)
      for (int64_t d = 0; d < events.average_of; ++d) add(windows[rng.below(choices)], g * width, (g + 1) * width);
    for (size_t e = 0; e < size; ++e)
      mean[e] = present[e] > 0 ? static_cast<float>(sum[e] / static_cast<double>(present[e])) : std::nanf("");
    if (!smoothed) {
      append(cut, r.units, mean.data(), raw);
      continue;
    }
    const auto apart = [&](int64_t offset, std::vector<float>& to) {
      const auto from = mean.begin() + offset * r.units;
      std::vector<float> x(from, from + (cut.window - 1) * r.units);
      smooth(x, cut.window - 1, r.units, smoothing_reach(spec.recording), spec.recording.smoothing_sd);
      to.insert(to.end(), x.begin() + cut.first * r.units, x.begin() + (cut.first + cut.steps) * r.units);
    };
    apart(0, raw.input);
    apart(1, raw.target);
    ++raw.count;
  }
  return raw;
}

// Over the frames of the training trials, as often as they are in one.
Scaling scaling_of(const RawTrials& raw, int64_t units, int64_t steps, bool z_score) {
  Scaling s;
  s.mean.assign(static_cast<size_t>(units), 0);
  s.sd.assign(static_cast<size_t>(units), 1);
  if (!z_score) return s;
  for (int64_t u = 0; u < units; ++u) {
    const auto over = [&](auto take) {
      for (int64_t k = 0; k < raw.count; ++k) {
        const int64_t at = k * steps * units + u;
        if (!std::isnan(raw.input[at])) take(static_cast<double>(raw.input[at]));
        for (int64_t t = 0; t < steps; ++t)
          if (const float v = raw.target[at + t * units]; !std::isnan(v)) take(static_cast<double>(v));
      }
    };
    double sum = 0, square = 0;
    int64_t n = 0;
    over([&](double v) {
      sum += v;
      ++n;
    });
    if (n == 0) continue;
    s.mean[u] = sum / static_cast<double>(n);
    over([&](double v) { square += (v - s.mean[u]) * (v - s.mean[u]); });
    const double sd = std::sqrt(square / static_cast<double>(n));
    if (sd > 1e-12 * std::abs(s.mean[u]) && sd > 0) s.sd[u] = sd;
  }
  return s;
}

// A missing input stands as the last one seen in its trial, else as 0; missing targets and the warm-up are not scored.
Trials scale(RawTrials raw, int64_t units, int64_t steps, int64_t warmup, const Scaling& s) {
  Trials trials;
  trials.count = raw.count;
  trials.steps = steps;
  trials.inputs = trials.outputs = units;
  trials.scored.resize(raw.target.size());
  const auto scaled = [&](float v, int64_t u) {
    return static_cast<float>((static_cast<double>(v) - s.mean[u]) / s.sd[u]);
  };
  for (int64_t k = 0; k < raw.count; ++k)
    for (int64_t u = 0; u < units; ++u) {
      float seen = 0, target = 0;
      for (int64_t t = 0; t < steps; ++t) {
        const int64_t e = (k * steps + t) * units + u;
        if (!std::isnan(raw.input[e])) seen = scaled(raw.input[e], u);
        raw.input[e] = seen;
        const bool there = !std::isnan(raw.target[e]);
        target = there ? scaled(raw.target[e], u) : seen;
        raw.target[e] = target;
        trials.scored[e] = there && t >= warmup;
      }
    }
  trials.input = std::move(raw.input);
  trials.target = std::move(raw.target);
  return trials;
}

// Each simulated trial by itself.
void smooth_trials(Recording& recording, const RecordingSpec& spec) {
  if (spec.smoothing == "none") return;
  const auto size = static_cast<size_t>(condition_frames * recording.units);
  Reach reach = smoothing_reach(spec);
  reach = {std::min(reach.before, condition_frames), std::min(reach.after, condition_frames)};
  std::vector<float> one(size);
  for (size_t at = 0; at + size <= recording.values.size(); at += size) {
    const auto from = recording.values.begin() + static_cast<std::ptrdiff_t>(at);
    std::copy_n(from, size, one.begin());
    smooth(one, condition_frames, recording.units, reach, spec.smoothing_sd);
    std::copy(one.begin(), one.end(), from);
  }
}

void describe(const Spec& spec, const EventWindows& w, const WindowParts& parts, Prepared& p) {
  const EventsSpec& events = spec.recording.events;
  p.events = w.events;
  p.kinds = w.kinds;
  p.window = w.frames;
  p.dropped = w.dropped;
  p.dropped.insert(p.dropped.end(), parts.dropped.begin(), parts.dropped.end());
  int64_t used[3];
  for (int k = 0; k < 3; ++k) p.used += used[k] = static_cast<int64_t>(parts.part[k].size());
  p.notes.insert(p.notes.begin(), std::to_string(p.used) + " of " + std::to_string(p.events) +
                                      " events in windows of " + std::to_string(w.frames) +
                                      " frames, the event on frame " + std::to_string(w.event_frame) +
                                      " (from 0); by " + (spec.recording.split == "time" ? "time" : "trial") + ": " +
                                      std::to_string(used[0]) + " train, " + std::to_string(used[1]) + " validate, " +
                                      std::to_string(used[2]) + " are held out.");
  if (events.samples == 0) return;
  p.notes.push_back(std::to_string(events.samples) + " averages of " + std::to_string(events.average_of) +
                    " trials in each part, drawn with replacement from that part's trials alone.");
  if (events.channels == "independently")
    p.notes.push_back(
        "Drawn independently for each unit (as published): what units share in single trials is lost, and only their "
        "mean traces and the noise of drawing are left to learn; draw jointly to keep it.");
  if (w.kinds.size() > 1)
    p.notes.push_back("Averages mix " + std::to_string(w.kinds.size()) +
                      " kinds of events; give recording.events.label to keep to one.");
}

Status check_size(const Spec& spec, int64_t trials, const Cut& cut, int64_t units) {
  const double values = static_cast<double>(trials) * static_cast<double>(cut.steps) * static_cast<double>(units);
  if (values * 20 > most_trial_bytes)  // raw and scaled
    return Error{"recording.events", "make " + std::to_string(trials) + " trials of " + std::to_string(cut.steps) +
                                         " steps and " + std::to_string(units) + " units, more than " +
                                         std::to_string(static_cast<int64_t>(most_trial_bytes) >> 20) +
                                         " MiB allowed here; give fewer events or samples, or shorter windows"};
  const EventsSpec& e = spec.recording.events;
  const double work = 3.0 * static_cast<double>(e.samples) * static_cast<double>(e.average_of) *
                      static_cast<double>(cut.window) * static_cast<double>(units);
  if (work > most_trial_work)
    return Error{"recording.events.samples",
                 "would add up more than 50,000,000,000 values; give fewer samples, or a "
                 "smaller recording.events.average_of"};
  Spec sized = spec;
  sized.task.steps = cut.steps;
  if (Problems problems = check_spec(sized); !problems.empty())
    return Error{problems[0].path, problems[0].message + " (the trials have " + std::to_string(cut.steps) + " steps)"};
  return {};
}

}  // namespace

Result<Dataset> make_trial_dataset(const Spec& spec, Recording recording) {
  const RecordingSpec& r = spec.recording;
  const bool around_events = !recording.events_csv.empty();
  if (!around_events && r.events.samples > 0)
    return Error{"recording.events.samples",
                 "needs a table of events to average trials around; give "
                 "recording.events.file, or 0 samples"};
  if (recording.frames < 2)
    return Error{"recording.file", "has " + std::to_string(recording.frames) +
                                       " frames; a frame is predicted from the "
                                       "one before, so give at least two"};
  const bool published = r.events.samples > 0 && r.events.channels == "independently";
  const bool simulated = recording.kind == "simulated trials";  // one after the other: no window may see the next
  const Reach reach = published || simulated ? Reach{} : smoothing_reach(r);
  EventWindows windows;
  WindowParts parts;
  if (around_events) {
    Result<EventWindows> found = find_windows(recording, r.events);
    if (!found) return found.error();
    windows = std::move(*found);
    if (simulated && (windows.event_frame > condition_event_frame ||
                      windows.frames - windows.event_frame > condition_frames - condition_event_frame))
      return Error{"recording.events.before_s",
                   "and after_s make windows longer than a simulated trial, which has 0.75 s before its event and "
                   "after it; give at most that"};
    Result<WindowParts> split = split_windows(windows, recording.frames, r, reach);
    if (!split) return split.error();
    parts = std::move(*split);
  } else {
    windows.frames = recording.frames;
    parts.part[0].push_back({});
  }
  const Result<Cut> cut = cut_of(r.events, windows.frames);
  if (!cut) return cut.error();
  if (r.warmup >= cut->steps)
    return Error{"recording.warmup", "is " + std::to_string(r.warmup) + " of the trials' " +
                                         std::to_string(cut->steps) +
                                         " steps, which leaves nothing to score; give a smaller one"};
  int64_t count = 3 * r.events.samples;
  if (r.events.samples == 0)
    for (const auto& part : parts.part) count += static_cast<int64_t>(part.size());
  if (Status ok = check_size(spec, count, *cut, recording.units); !ok) return ok.error();

  Dataset data = dataset_of(spec, recording);
  if (simulated && !published)
    smooth_trials(recording, r);
  else if (!published)
    smooth(recording.values, recording.frames, recording.units, reach, r.smoothing_sd);
  Trials* made[] = {&data.train, &data.validation, &data.held_out};
  for (int k = 0; k < 3; ++k) {
    RawTrials raw = r.events.samples > 0
                        ? averages_of(recording, parts.part[k], *cut, spec, k, published && r.smoothing != "none")
                        : trials_of(recording, parts.part[k], *cut);
    if (k == 0) data.scaling = scaling_of(raw, recording.units, cut->steps, r.scale != "none");
    *made[k] = scale(std::move(raw), recording.units, cut->steps, r.warmup, *data.scaling);
    data.prepared->trials[k] = made[k]->count;
    if (around_events && r.events.samples == 0)
      for (const EventWindow& w : parts.part[k]) made[k]->kind.push_back(w.kind);
  }
  if (around_events) {
    describe(spec, windows, parts, *data.prepared);
  } else {
    data.prepared->window = windows.frames;
    data.prepared->notes.insert(data.prepared->notes.begin(),
                                "The whole recording is one trial to train on: nothing is held out, so its error says "
                                "nothing about other data.");
  }
  if (r.split == "unit") {
    if (Status ok = hold_out_units(spec, data); !ok) return ok.error();
  } else {
    const auto rows = [](const Trials& t) { return TrialRows{t.count * t.steps, t.input, t.target, t.scored}; };
    data.baselines =
        fit_baselines(recording.units, recording.units, rows(data.train), rows(data.validation), rows(data.held_out));
  }
  if (Status ok = check_scored(data); !ok) return ok.error();
  data.recording = std::move(recording);
  return data;
}

}  // namespace dalea
