#include "recording/conditions.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "numerics/math.h"

namespace dalea {
namespace {

constexpr int64_t most_simulated = int64_t{1} << 26;  // values
constexpr const char* default_condition = "familiar_change";

enum class CellType { pyramidal, sst, vip };
enum class Event { no_change, change, omission };

// Of a population in layer 2/3 of V1, dF/F.
struct Shape {
  double baseline;
  double repeated, changed;  // height of the transient after the same image, after another one
  double ramp;               // slow rise while an image is overdue, at the trial's end
  double novelty;            // factor of the transients to images that are new
  double novel_drive;        // added to the transient of a new image
  double noise;              // sd of a trial
};
constexpr Shape shape_of(CellType type) {
  if (type == CellType::sst) return {0.060, 0.070, 0.055, 0.004, 0.45, 0.0, 0.050};
  if (type == CellType::vip) return {0.045, -0.018, -0.008, 0.095, 0.5, 0.050, 0.040};
  return {0.009, 0.006, 0.020, 0.002, 1.9, 0.0, 0.012};
}

std::string lower_letters(const std::string& text) {
  std::string s;
  for (char c : text)
    if (c != '/' && c != ' ' && c != '_') s += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return s;
}

bool starts(const std::string& text, const char* with) {
  return text.rfind(with, 0) == 0;
}

CellType type_of(const CellLabels& labels) {
  const std::string t = lower_letters(labels.type);
  if (starts(t, "sst")) return CellType::sst;
  if (starts(t, "vip")) return CellType::vip;
  if (t.empty() && labels.sign == "-") return CellType::sst;
  return CellType::pyramidal;
}

double layer_gain(const CellLabels& labels) {
  const std::string layer = lower_letters(labels.layer);
  if (starts(layer, "l4") || layer == "4") return 1.25;
  if (starts(layer, "l5") || layer == "5") return 0.8;
  if (starts(layer, "l6") || layer == "6") return 0.65;
  return 1;
}

bool is_lm(const CellLabels& labels) {
  const std::string area = lower_letters(labels.area);
  return area == "lm" || area == "visl";
}

// A calcium transient `frames` after an image came on, 1 at its highest; a frame's delay.
double transient(double frames) {
  if (frames < 1) return 0;
  const auto raw = [](double f) { return (1 - portable::exp(-f / 1.2)) * portable::exp(-f / 3.5); };
  constexpr double highest = 1.6;  // of frames
  return raw(frames) / raw(highest);
}

// Slow rise from the event to the trial's end, where it is 1.
double ramp(double frames) {
  if (frames <= 0) return 0;
  const double x = frames / static_cast<double>(condition_frames - 1 - condition_event_frame);
  return x * x * (3 - 2 * x);
}

Error unknown_condition(const std::string& name) {
  std::string all;
  for (const std::string& n : condition_names()) all += (all.empty() ? "" : ", ") + n;
  const std::string near = closest(name, condition_names());
  return {"recording.condition", "'" + name.substr(0, 80) + "' is not simulated" +
                                     (near.empty() ? "" : "; did you mean '" + near + "'?") + " There are " + all};
}

}  // namespace

const std::vector<std::string>& condition_names() {
  static const std::vector<std::string> names{"familiar_no_change", "familiar_change", "familiar_omission",
                                              "novel_no_change",    "novel_change",    "novel_omission"};
  return names;
}

std::vector<ConditionChannel> condition_channels(const Spec& spec) {
  const bool own = spec.network.readout == "populations" || spec.network.input_mask;
  const bool labelled = std::any_of(spec.populations.begin(), spec.populations.end(),
                                    [](const Population& p) { return !p.layer.empty() && !p.type.empty(); });
  std::vector<ConditionChannel> channels;
  if (own || labelled) {
    for (const Population& p : spec.populations)
      channels.push_back({p.name,
                          {p.area, p.layer, p.type,
                           p.sign == Sign::excitatory   ? "+"
                           : p.sign == Sign::inhibitory ? "-"
                                                        : ""}});
    return channels;
  }
  for (const char* area : {"V1", "LM"})
    for (const char* layer : {"L4", "L23", "L5"})
      for (const char* type : {"Pyr", "SST", "VIP"})
        channels.push_back({std::string(area) + " " + layer + " " + type,
                            {area, layer, type, std::string(type) == "Pyr" ? "+" : "-"}});
  return channels;
}

std::vector<double> condition_average(size_t condition, const std::vector<ConditionChannel>& channels) {
  const bool novel = condition >= 3;
  const auto event = static_cast<Event>(condition % 3);
  std::vector<double> mean(static_cast<size_t>(condition_frames) * channels.size());
  for (size_t c = 0; c < channels.size(); ++c) {
    const CellLabels& labels = channels[c].labels;
    const Shape s = shape_of(type_of(labels));
    const double gain = layer_gain(labels) * (is_lm(labels) ? 0.85 : 1);
    const double delay = is_lm(labels) ? 0.4 : 0;  // frames
    const auto image = [&](double height) { return novel ? s.novelty * height + s.novel_drive : height; };
    for (int64_t f = 0; f < condition_frames; ++f) {
      const double since = static_cast<double>(f - condition_event_frame) - delay;
      // An image comes on every 8 frames: on frame 0, and, unless it is left out, on the event's.
      double v = s.baseline + image(s.repeated) * transient(static_cast<double>(f) - delay);
      if (event == Event::change) v += image(s.changed) * transient(since);
      if (event == Event::no_change) v += image(s.repeated) * transient(since);
      if (event == Event::omission) v += (novel ? 0.5 : 1) * s.ramp * ramp(since);
      mean[static_cast<size_t>(f) * channels.size() + c] = gain * v;
    }
  }
  return mean;
}

std::vector<double> condition_noise_sd(const std::vector<ConditionChannel>& channels) {
  std::vector<double> sd;
  for (const ConditionChannel& c : channels) sd.push_back(shape_of(type_of(c.labels)).noise * layer_gain(c.labels));
  return sd;
}

Result<Recording> simulate_conditions(const Spec& spec) {
  const RecordingSpec& s = spec.recording;
  const std::vector<std::string>& names = condition_names();
  const std::string name = s.condition.empty() ? default_condition : s.condition;
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return unknown_condition(name);
  if (!s.series.empty())
    return Error{"recording.series", "is '" + s.series.substr(0, 80) +
                                         "', but simulated conditions have no series; leave it empty or give a file"};
  const auto condition = static_cast<size_t>(found - names.begin());
  const std::vector<ConditionChannel> channels = condition_channels(spec);
  const size_t units = channels.size();
  const int64_t frames = s.simulated_trials * condition_frames;
  if (frames > most_simulated / static_cast<int64_t>(std::max<size_t>(1, units)))
    return Error{"recording.simulated_trials", "makes " + std::to_string(s.simulated_trials) + " trials of " +
                                                   std::to_string(units) +
                                                   " channels, more than 256 MiB; give fewer trials"};
  Recording r;
  r.frames = frames;
  r.units = static_cast<int64_t>(units);
  r.rate_hz = 1 / condition_frame_s;
  r.source = "simulated conditions";
  r.kind = "simulated trials";
  r.format = "simulated: " + name + ", no recording of an animal";
  r.orientation = "time-by-unit";
  r.orientation_reason = "simulated";
  r.notes.push_back("Simulated: " + name + ", " + std::to_string(s.simulated_trials) + " trials of " +
                    std::to_string(units) +
                    " populations whose averages and noise are made up; it says nothing about a brain.");
  for (const ConditionChannel& c : channels) {
    r.names.push_back(c.name);
    r.cells.push_back(c.labels);
  }
  r.events_csv = "frame,label\n";
  for (int64_t k = 0; k < s.simulated_trials; ++k)
    r.events_csv += std::to_string(k * condition_frames + condition_event_frame) + "," + name + "\n";

  const std::vector<double> mean = condition_average(condition, channels), sd = condition_noise_sd(channels);
  const double common = std::sqrt(s.simulated_correlation), own = std::sqrt(1 - s.simulated_correlation);
  const double decay = condition_noise_decay, fresh = std::sqrt(1 - decay * decay);
  r.values.resize(static_cast<size_t>(frames) * units);
  std::vector<double> state(units);
  for (int64_t k = 0; k < s.simulated_trials; ++k) {
    Rng rng(spec.seed, Purpose::conditions, 0, static_cast<uint32_t>(condition), static_cast<uint32_t>(k));
    for (int64_t f = 0; f < condition_frames; ++f) {
      const double shared = common * rng.normal();
      for (size_t c = 0; c < units; ++c) {
        const double drawn = shared + own * rng.normal();
        state[c] = f == 0 ? drawn : decay * state[c] + fresh * drawn;
        r.values[static_cast<size_t>(k * condition_frames + f) * units + c] =
            static_cast<float>(mean[static_cast<size_t>(f) * units + c] + sd[c] * state[c]);
      }
    }
  }
  return r;
}

}  // namespace dalea
