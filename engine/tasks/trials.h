// Trials: what the network is shown and what it should answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "error.h"
#include "network/model.h"
#include "recording/recording.h"
#include "spec/spec.h"

namespace dalea {

enum class Loss { mse, cross_entropy };

struct Digits;   // tasks/digits.h
struct Latents;  // tasks/latent.h

struct Trials {
  int64_t count = 0, steps = 0, inputs = 0, outputs = 0;
  std::vector<float> input;     // (trial, step, input)
  std::vector<float> target;    // (trial, step, output); mse
  std::vector<int32_t> label;   // (trial, step): class, or -1 where not scored; cross-entropy
  std::vector<uint8_t> scored;  // (trial, step, output), mse; empty: every element is scored
  std::vector<int32_t> kind;    // (trial): of its event, in Prepared::kinds; empty: not around single events
};

// What became of a recording's events and frames on their way to trials.
struct Prepared {
  int64_t events = 0;              // in the table, of the kind asked for
  int64_t used = 0;                // in a part
  std::vector<Dropped> dropped;    // "event 3" (its row) and why
  std::vector<std::string> kinds;  // labels in order of their names; one empty where there are none
  int64_t window = 0;              // frames around each event
  int64_t trials[3] = {0, 0, 0};   // training, validation, held out
  std::vector<std::string> notes;  // sentences: the parts, the gaps between them, warnings
};

// One experiment's data. A recording's baselines stand beside the fit, on the same frames, in the same unit.
struct Dataset {
  Trials train, validation, held_out;
  Loss loss = Loss::mse;
  Ends ends;
  std::string unit;                        // of the loss: "squared output", "squared training-part sd", "nats"
  std::vector<std::string> channel_names;  // inputs (recordings: units)
  std::vector<std::string> output_names;
  double dt_s = 0;                 // s per step; 0: unknown
  std::string sha256;              // of the data where they come from files (a recording has its own)
  std::vector<std::string> notes;  // on the data, for the reader: sentences
  bool published_last = false;     // what was published is the loss of the last batch (SEEDS Q18), not the sum of all
  std::optional<Recording> recording;
  std::optional<Scaling> scaling;
  std::optional<BaselineSet> baselines;
  std::optional<Prepared> prepared;  // of a recording
};

Trials make_flip_flop(const Spec& spec, Purpose split, int64_t count, int64_t run);  // tasks/flip_flop.cpp
Trials make_wave(const Spec& spec, Purpose split, int64_t count, int64_t run);       // tasks/wave.cpp
// `recording`: needed by the task "recording" with a file; absent: the simulated circuit. `digits`: by "digits" and
// "n-back-digits". `latents`: by "n-back-latent".
Result<Dataset> make_dataset(const Spec& spec, const Recording* recording, int64_t run, const Digits* digits = nullptr,
                             const Latents* latents = nullptr);

}  // namespace dalea
