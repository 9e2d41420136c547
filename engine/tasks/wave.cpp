// Wave reconstruction: predict the next value of two waves, one read from the excitatory and one from the inhibitory
// units (SEEDS 2.4). Windows of all splits come from the same two waves, as published.
#include "numerics/math.h"
#include "tasks/trials.h"

namespace dalea {
namespace {

constexpr int64_t samples = 2500;
constexpr double sample_s = 0.2;

struct Waves {
  std::vector<double> excitatory, inhibitory;
};

Waves make_waves(const Spec& spec, int64_t run) {
  // Drawn once a run; the windows use trial numbers from 0, so the stream of the waves has a number of its own.
  Rng rng(spec.seed, Purpose::train, static_cast<uint32_t>(run), 1);
  double s[4];
  for (double& speed : s) speed = 1 + rng.below(5);
  const double phase = -(4.0 + rng.below(3)) * pi / 6;
  constexpr double amplitude = 1.5, frequency = 1.0 / 50;
  Waves w;
  for (int64_t n = 0; n < samples; ++n) {
    const double angle = pi * frequency * sample_s * static_cast<double>(n);
    double e = amplitude * portable::sin(s[0] * angle);
    double i = amplitude / 2 * portable::sin(s[2] * angle + phase);
    if (spec.task.two_tone) {  // the second sine is lost in the published code (SEEDS Q2)
      e += amplitude / 3 * portable::sin(s[1] * angle);
      i += amplitude / 0.8 * portable::sin(s[3] * angle + phase);
    }
    w.excitatory.push_back(e);
    w.inhibitory.push_back(i);
  }
  return w;
}

}  // namespace

Trials make_wave(const Spec& spec, Purpose split, int64_t count, int64_t run) {
  const Waves waves = make_waves(spec, run);
  Trials trials;
  trials.count = count;
  trials.steps = spec.task.steps;
  trials.inputs = trials.outputs = 2;
  const uint32_t starts = static_cast<uint32_t>(samples - trials.steps);  // 2000 of them at 500 steps
  for (int64_t n = 0; n < count; ++n) {
    Rng rng(spec.seed, split, static_cast<uint32_t>(run), 0, static_cast<uint32_t>(n));
    const int64_t e = rng.below(starts), i = rng.below(starts);  // independent, as published
    for (int64_t t = 0; t < trials.steps; ++t) {
      trials.input.push_back(static_cast<float>(waves.excitatory[e + t]));
      trials.input.push_back(static_cast<float>(waves.inhibitory[i + t]));
      trials.target.push_back(static_cast<float>(waves.excitatory[e + t + 1]));
      trials.target.push_back(static_cast<float>(waves.inhibitory[i + t + 1]));
    }
  }
  return trials;
}

}  // namespace dalea
