// Calcium-like recordings from known Dale circuits: the default recording, and a ground truth to be found again.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "numerics/math.h"
#include "recording/areas.h"
#include "recording/recording.h"

namespace dalea {
namespace {

constexpr double longest_step_s = 0.1;
constexpr double circle = 6.283185307179586;

struct Synapse {
  int64_t pre;
  double weight;
};

// A seeded part of units [begin, end), at least one of them, ascending.
void observe(int64_t begin, int64_t end, double fraction, Rng& rng, std::vector<int64_t>& observed) {
  if (begin == end) return;
  const int64_t wanted = std::max<int64_t>(1, std::llround(fraction * static_cast<double>(end - begin)));
  std::vector<uint32_t> order = permutation(static_cast<uint32_t>(end - begin), rng);
  order.resize(static_cast<size_t>(wanted));
  std::sort(order.begin(), order.end());
  for (uint32_t u : order) observed.push_back(begin + u);
}

std::string unit_label(int64_t unit, int64_t excitatory) {
  const int64_t k = unit < excitatory ? unit + 1 : unit - excitatory + 1;
  return (unit < excitatory ? "E" : "I") + std::string(k < 10 ? "0" : "") + std::to_string(k);
}

using Synapses = std::vector<std::vector<Synapse>>;  // into each unit

// What drives a circuit besides its connections.
struct Drive {
  double constant = 0, private_noise = 0;  // the noise: sd of a unit without connections
  std::vector<double> gain;                // (unit, 2) of two slow common inputs
  std::array<double, 2> phase{};           // of these, at first
};

// Runs the circuit and fills the recording of its observed units, whose names are set.
void record(const RecordingSpec& spec, const Synapses& into, const Drive& drive, Rng& noise, SimulatedCircuit& s) {
  const int64_t units = s.units, frames = spec.simulated_frames;
  const double frame_s = 1 / spec.simulated_rate_hz;
  const auto steps = std::max<int64_t>(1, std::llround(std::ceil(frame_s / longest_step_s - 1e-9)));  // a frame
  const double step_s = frame_s / static_cast<double>(steps);
  constexpr double tau_s = 0.3;
  const double alpha = step_s / tau_s, decay = portable::exp(-step_s / spec.simulated_indicator_s);
  std::vector<double> x(static_cast<size_t>(units), 0), rate = x, calcium = x;
  std::array<double, 2> phase = drive.phase;
  const double drift = 0.05 * std::sqrt(step_s / longest_step_s);
  const auto settling = std::llround(std::ceil(10 * spec.simulated_rate_hz));  // 10 s
  Recording& r = s.recording;
  r.frames = frames;
  r.units = static_cast<int64_t>(s.observed.size());
  r.rate_hz = spec.simulated_rate_hz;
  r.source = r.format = "simulated";
  r.orientation = "time-by-unit";
  r.orientation_reason = "simulated";
  r.values.reserve(static_cast<size_t>(frames * r.units));
  for (int64_t step = -settling * steps; step < frames * steps; ++step) {
    // Periods of 7 and 11 s with drifting phase.
    for (int k = 0; k < 2; ++k) {
      phase[k] += circle * step_s / (k == 0 ? 7.0 : 11.0) + drift * noise.normal();
      if (phase[k] > circle) phase[k] -= circle;
    }
    const double common[2] = {portable::sin(phase[0]), portable::sin(phase[1])};
    for (int64_t u = 0; u < units; ++u) {
      double input = drive.constant + drive.gain[2 * u] * common[0] + drive.gain[2 * u + 1] * common[1];
      for (const Synapse& k : into[u]) input += k.weight * rate[k.pre];
      x[u] = (1 - alpha) * x[u] + alpha * input + drive.private_noise * std::sqrt(2 * alpha) * noise.normal();
    }
    for (int64_t u = 0; u < units; ++u) {
      rate[u] = x[u] > 0 ? portable::tanh(x[u]) : 0.0;
      calcium[u] = decay * calcium[u] + (1 - decay) * rate[u];
    }
    if ((step + steps * settling) % steps != steps - 1) continue;  // a frame ends
    size_t next = 0;
    for (int64_t u = 0; u < units; ++u) {
      const double measured = calcium[u] + spec.simulated_noise * noise.normal();
      if (next == s.observed.size() || s.observed[next] != u) continue;
      ++next;
      if (step >= 0) r.values.push_back(static_cast<float>(measured));
    }
  }
}

}  // namespace

SimulatedCircuit simulate_circuit(uint64_t seed, int64_t units, int64_t frames) {
  RecordingSpec spec;
  spec.simulated_units = units;
  spec.simulated_frames = frames;
  return simulate_circuit(seed, spec);
}

SimulatedCircuit simulate_circuit(uint64_t seed, const RecordingSpec& spec) {
  const int64_t units = spec.simulated_units;
  const double probability = spec.simulated_density;
  constexpr double gain = 0.9;  // spectral scale of the circuit
  const int64_t excitatory = units * 4 / 5;

  SimulatedCircuit s;
  s.units = units;
  s.excitatory = excitatory;
  s.weights.assign(static_cast<size_t>(units * units), 0);
  Synapses into(static_cast<size_t>(units));
  Rng wiring(seed, Purpose::simulate, 0);
  // Inhibition four times as strong balances a fifth of the units against the rest.
  const double scale = gain / std::sqrt(probability * static_cast<double>(units));
  for (int64_t post = 0; post < units; ++post)
    for (int64_t pre = 0; pre < units; ++pre) {
      const bool connected = static_cast<double>(wiring.uniform()) < probability;
      const double size = std::abs(wiring.normal());
      if (!connected || post == pre) continue;
      const float w = static_cast<float>(scale * size * (pre < excitatory ? 1.0 : -4.0));
      s.weights[post * units + pre] = w;
      into[post].push_back({pre, static_cast<double>(w)});
    }
  Rng gains(seed, Purpose::simulate, 1), noise(seed, Purpose::simulate, 2), choice(seed, Purpose::simulate, 3);
  Drive drive{0.2, 0.03, std::vector<double>(static_cast<size_t>(2 * units)), {0, 1}};
  for (double& g : drive.gain) g = 1.0 * gains.normal();
  observe(0, excitatory, spec.simulated_observed, choice, s.observed);
  observe(excitatory, units, spec.simulated_observed, choice, s.observed);
  for (int64_t u : s.observed) s.recording.names.push_back(unit_label(u, excitatory));
  record(spec, into, drive, noise, s);
  return s;
}

SimulatedCircuit simulate_areas(uint64_t seed, int64_t session, const RecordingSpec& spec) {
  const int64_t units = spec.simulated_units;
  const double probability = spec.simulated_density;
  constexpr double gain = 0.3, slow = 0.05;
  const std::array<const char*, 2> area_name = {"V1", "LM"};
  const std::array<int64_t, 2> size = {units - units / 2, units / 2};
  const std::array<int64_t, 2> excitatory = {size[0] * 4 / 5, size[1] * 4 / 5};

  SimulatedCircuit s;
  s.units = units;
  s.excitatory = excitatory[0] + excitatory[1];
  s.weights.assign(static_cast<size_t>(units * units), 0);
  // Four groups in a row, V1 and LM excitatory, V1 and LM inhibitory.
  const std::array<int64_t, 5> begin = {0, excitatory[0], s.excitatory, s.excitatory + size[0] - excitatory[0], units};
  const auto group_of = [&](int64_t unit) {
    size_t g = 0;
    while (unit >= begin[g + 1]) ++g;
    return g;
  };
  Synapses into(static_cast<size_t>(units));
  Rng wiring(seed, Purpose::simulate, 5);
  const double scale = gain / std::sqrt(probability * static_cast<double>(size[0]));
  for (int64_t post = 0; post < units; ++post) {
    const size_t to = group_of(post) % 2;
    for (int64_t pre = 0; pre < units; ++pre) {
      const bool connected = static_cast<double>(wiring.uniform()) < probability;
      const double strength = std::abs(wiring.normal());
      const size_t group = group_of(pre), from = group % 2;
      if (!connected || post == pre || (from != to && group >= 2)) continue;
      double w = scale * strength * (group < 2 ? 1.0 : -4.0);
      if (from == 1 && to == 0) w *= spec.simulated_feedback;
      if (w == 0) continue;
      s.weights[post * units + pre] = static_cast<float>(w);
      into[post].push_back({pre, static_cast<double>(static_cast<float>(w))});
    }
  }
  Rng gains(seed, Purpose::simulate, 6), choice(seed, Purpose::simulate, 8);
  Rng noise(seed, Purpose::simulate, 7, static_cast<uint32_t>(session));
  Drive drive{0.25, 0.12, std::vector<double>(static_cast<size_t>(2 * units)), {}};
  for (double& g : drive.gain) g = slow * gains.normal();
  for (double& p : drive.phase) p = circle * static_cast<double>(noise.uniform());
  for (size_t g = 0; g < 4; ++g) observe(begin[g], begin[g + 1], spec.simulated_observed, choice, s.observed);
  for (int64_t u : s.observed) {
    const size_t group = group_of(u);
    const bool excites = group < 2;
    const int64_t k = u - begin[group] + 1;
    s.recording.names.push_back(std::string(area_name[group % 2]) + (excites ? " E" : " I") + (k < 10 ? "0" : "") +
                                std::to_string(k));
    s.recording.cells.push_back({area_name[group % 2], "", excites ? "Exc" : "Inh", excites ? "+" : "-"});
  }
  record(spec, into, drive, noise, s);
  char factor[40];
  std::snprintf(factor, sizeof factor, "%.6g", spec.simulated_feedback);
  s.recording.notes.push_back(
      "Simulated: a Dale circuit of two areas, V1 and LM, with the feedback from LM to V1 times " +
      std::string(factor) + "; session " + std::to_string(session + 1) + ", no recording of an animal.");
  return s;
}

SimulatedCircuit simulated_circuit(const Spec& spec, int64_t run) {
  if (spec.recording.simulated == "areas") return simulate_areas(spec.seed, run, spec.recording);
  return simulate_circuit(spec.seed, spec.recording);
}

}  // namespace dalea
