// A calcium-like recording from a known Dale circuit: the default recording, and a ground truth to be found again.
#include <algorithm>
#include <cmath>

#include "numerics/math.h"
#include "recording/recording.h"

namespace dalea {
namespace {

constexpr double longest_step_s = 0.1;

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

}  // namespace

SimulatedCircuit simulate_circuit(uint64_t seed, int64_t units, int64_t frames) {
  RecordingSpec spec;
  spec.simulated_units = units;
  spec.simulated_frames = frames;
  return simulate_circuit(seed, spec);
}

SimulatedCircuit simulate_circuit(uint64_t seed, const RecordingSpec& spec) {
  const int64_t units = spec.simulated_units, frames = spec.simulated_frames;
  const double frame_s = 1 / spec.simulated_rate_hz;
  const auto steps = std::max<int64_t>(1, std::llround(std::ceil(frame_s / longest_step_s - 1e-9)));  // a frame
  const double step_s = frame_s / static_cast<double>(steps);
  const double probability = spec.simulated_density;
  constexpr double gain = 0.9;  // spectral scale of the circuit
  constexpr double tau_s = 0.3, private_noise = 0.03;
  const int64_t excitatory = units * 4 / 5;
  const double alpha = step_s / tau_s, decay = portable::exp(-step_s / spec.simulated_indicator_s);

  SimulatedCircuit s;
  s.units = units;
  s.excitatory = excitatory;
  s.weights.assign(static_cast<size_t>(units * units), 0);
  std::vector<std::vector<Synapse>> into(static_cast<size_t>(units));
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
  // Two slow common inputs with a gain per unit, periods of 7 and 11 s with drifting phase.
  Rng gains(seed, Purpose::simulate, 1), noise(seed, Purpose::simulate, 2), choice(seed, Purpose::simulate, 3);
  std::vector<double> drive_gain(static_cast<size_t>(2 * units));
  for (double& g : drive_gain) g = 1.0 * gains.normal();
  observe(0, excitatory, spec.simulated_observed, choice, s.observed);
  observe(excitatory, units, spec.simulated_observed, choice, s.observed);

  std::vector<double> x(static_cast<size_t>(units), 0), rate = x, calcium = x;
  double phase[2] = {0, 1};
  constexpr double circle = 6.283185307179586;
  const double drift = 0.05 * std::sqrt(step_s / longest_step_s);
  const auto settling = std::llround(std::ceil(10 * spec.simulated_rate_hz));  // 10 s
  Recording& r = s.recording;
  r.frames = frames;
  r.units = static_cast<int64_t>(s.observed.size());
  r.rate_hz = spec.simulated_rate_hz;
  r.source = r.format = "simulated";
  r.orientation = "time-by-unit";
  r.orientation_reason = "simulated";
  for (int64_t u : s.observed) r.names.push_back(unit_label(u, excitatory));
  r.values.reserve(static_cast<size_t>(frames * r.units));
  for (int64_t step = -settling * steps; step < frames * steps; ++step) {
    for (int k = 0; k < 2; ++k) {
      phase[k] += circle * step_s / (k == 0 ? 7.0 : 11.0) + drift * noise.normal();
      if (phase[k] > circle) phase[k] -= circle;
    }
    const double common[2] = {portable::sin(phase[0]), portable::sin(phase[1])};
    for (int64_t u = 0; u < units; ++u) {
      double input = 0.2 + drive_gain[2 * u] * common[0] + drive_gain[2 * u + 1] * common[1];
      for (const Synapse& k : into[u]) input += k.weight * rate[k.pre];
      x[u] = (1 - alpha) * x[u] + alpha * input + private_noise * std::sqrt(2 * alpha) * noise.normal();
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
  return s;
}

}  // namespace dalea
