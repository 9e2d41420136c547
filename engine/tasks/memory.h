// Working-memory tasks (SEEDS 6.5): trials whose answer is asked for after the items are gone.
#pragma once

#include "tasks/trials.h"

namespace dalea {

struct DigitSet;  // tasks/digits.h
struct Latents;   // tasks/latent.h

// Classes of the n-back tasks; 0 is never asked for (the published targets are 0 where nothing is scored).
enum : int32_t { nback_none = 0, nback_other = 1, nback_match = 2 };

bool is_memory_task(const std::string& task);
// Steps of a trial: 2 L + 1 (sequence memory), L + 1 (n-back), L + 2 (images, vectors), with L = task.length. In a
// longer trial (task.steps) nothing is shown or scored afterwards.
int64_t memory_steps(const TaskSpec& task);

// Inputs cue, value. Values in [0, 1) at steps 0 .. L - 1, the cue is 1 at step L; then the values are to be given back
// in the same order, and only those L steps are scored.
Trials make_sequence_memory(const Spec& spec, Purpose split, int64_t count, int64_t run);

// Inputs cue, value. L values; at the last of them, the probe, the cue is 1. The last step asks whether the value
// task.back before the probe was the same. Half of the trials are matches (one more of an odd number), in random order.
Trials make_n_back(const Spec& spec, Purpose split, int64_t count, int64_t run);

// Inputs cue, then every pixel of an image, 0 .. 1. L images, the last one is the probe; the cue is 1 a step later, and
// the step after that asks. A match is the same image (task.different_match: another one of its digit), and all other
// images are of other digits. Errors: the set has no two digits, or no second image of any.
Result<Trials> make_n_back_digits(const Spec& spec, const DigitSet& digits, Purpose split, int64_t count, int64_t run);

// The same with vectors: inputs cue, then every number of a vector, 0 .. 1. A match is the identical vector
// (task.different_match: another one of its class), all other items are of other classes. Held-out trials show
// vectors of their own (parts_of).
Result<Trials> make_n_back_latent(const Spec& spec, const Latents& latents, Purpose split, int64_t count, int64_t run);

// The dataset of any of them. Training and validation trials show training digits, held-out trials test digits;
// vectors: parts_of. Errors: task.steps and task.back that do not fit task.length; missing digits or vectors.
Result<Dataset> make_memory_dataset(const Spec& spec, int64_t run, const Digits* digits,
                                    const Latents* latents = nullptr);

}  // namespace dalea
