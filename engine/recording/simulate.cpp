// A calcium-like recording from a known Dale circuit: the default recording, and a ground truth to be found again.
#include <cmath>

#include "numerics/math.h"
#include "recording/recording.h"

namespace dalea {

SimulatedCircuit simulate_circuit(uint64_t seed, int64_t units, int64_t frames) {
  constexpr double rate_hz = 10, step_s = 1 / rate_hz;
  constexpr double probability = 0.2, gain = 0.9;  // connections; spectral scale of the circuit
  constexpr double tau_s = 0.3, calcium_tau_s = 0.8;
  constexpr double private_noise = 0.03, measurement_noise = 0.002;
  const int64_t excitatory = units * 4 / 5;
  const double alpha = step_s / tau_s, decay = portable::exp(-step_s / calcium_tau_s);

  SimulatedCircuit s;
  s.weights.assign(static_cast<size_t>(units * units), 0);
  Rng wiring(seed, Purpose::simulate, 0);
  // Inhibition four times as strong balances a fifth of the units against the rest.
  const double scale = gain / std::sqrt(probability * static_cast<double>(units));
  for (int64_t post = 0; post < units; ++post)
    for (int64_t pre = 0; pre < units; ++pre) {
      const bool connected = static_cast<double>(wiring.uniform()) < probability;
      const double size = std::abs(wiring.normal());
      if (connected && post != pre)
        s.weights[post * units + pre] = static_cast<float>(scale * size * (pre < excitatory ? 1.0 : -4.0));
    }
  // Two slow common inputs with a gain per unit, periods of 7 and 11 s with drifting phase.
  Rng gains(seed, Purpose::simulate, 1), noise(seed, Purpose::simulate, 2);
  std::vector<double> drive_gain(static_cast<size_t>(2 * units));
  for (double& g : drive_gain) g = 1.0 * gains.normal();

  std::vector<double> x(static_cast<size_t>(units), 0), rate = x, calcium = x;
  double phase[2] = {0, 1};
  constexpr double circle = 6.283185307179586;
  constexpr int64_t settling = 100;
  Recording& r = s.recording;
  r.frames = frames;
  r.units = units;
  r.rate_hz = rate_hz;
  r.source = r.format = "simulated";
  r.orientation = "time-by-unit";
  r.orientation_reason = "simulated";
  for (int64_t u = 0; u < units; ++u) {
    const int64_t k = u < excitatory ? u + 1 : u - excitatory + 1;
    r.names.push_back((u < excitatory ? "E" : "I") + std::string(k < 10 ? "0" : "") + std::to_string(k));
  }
  for (int64_t f = -settling; f < frames; ++f) {
    for (int k = 0; k < 2; ++k) {
      phase[k] += circle * step_s / (k == 0 ? 7.0 : 11.0) + 0.05 * noise.normal();
      if (phase[k] > circle) phase[k] -= circle;
    }
    const double common[2] = {portable::sin(phase[0]), portable::sin(phase[1])};
    for (int64_t u = 0; u < units; ++u) {
      double input = 0.2 + drive_gain[2 * u] * common[0] + drive_gain[2 * u + 1] * common[1];
      const float* w = s.weights.data() + u * units;
      for (int64_t k = 0; k < units; ++k) input += static_cast<double>(w[k]) * rate[k];
      x[u] = (1 - alpha) * x[u] + alpha * input + private_noise * std::sqrt(2 * alpha) * noise.normal();
    }
    for (int64_t u = 0; u < units; ++u) {
      rate[u] = x[u] > 0 ? portable::tanh(x[u]) : 0.0;
      calcium[u] = decay * calcium[u] + (1 - decay) * rate[u];
      const double measured = calcium[u] + measurement_noise * noise.normal();
      if (f >= 0) r.values.push_back(static_cast<float>(measured));
    }
  }
  return s;
}

}  // namespace dalea
