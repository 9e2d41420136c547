// The flip-flop: report the last non-zero input (SEEDS 2.2). One channel, three states.
#include "tasks/trials.h"

namespace dalea {

Trials make_flip_flop(const Spec& spec, Purpose split, int64_t count, int64_t run) {
  Trials trials;
  trials.count = count;
  trials.steps = spec.task.steps;
  trials.inputs = 1;
  const bool classes = spec.training.loss == "cross-entropy";
  trials.outputs = classes ? 3 : 1;
  const float keep = static_cast<float>(spec.task.event_probability);
  for (int64_t n = 0; n < count; ++n) {
    Rng rng(spec.seed, split, static_cast<uint32_t>(run), 0, static_cast<uint32_t>(n));
    float state = 0;  // before the first event
    for (int64_t t = 0; t < trials.steps; ++t) {
      const float value = (rng.u32() >> 31) != 0 ? 1.0f : -1.0f;
      const float input = rng.uniform() < keep ? value : 0.0f;
      if (input != 0) state = input;
      trials.input.push_back(input);
      if (classes)
        trials.label.push_back(static_cast<int32_t>(state) + 1);
      else
        trials.target.push_back(state);
    }
  }
  return trials;
}

}  // namespace dalea
