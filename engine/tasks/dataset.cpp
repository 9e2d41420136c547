#include "connectome/recorded.h"
#include "recording/areas.h"
#include "recording/cell_table.h"
#include "recording/conditions.h"
#include "tasks/digits.h"
#include "tasks/memory.h"
#include "tasks/recording_task.h"
#include "tasks/trials.h"

namespace dalea {
namespace {

using Maker = Trials (*)(const Spec&, Purpose, int64_t, int64_t);

void make_splits(const Spec& spec, int64_t run, Maker make, Dataset& data) {
  data.train = make(spec, Purpose::train, spec.task.train, run);
  data.validation = make(spec, Purpose::validation, spec.task.validation, run);
  data.held_out = make(spec, Purpose::held_out, spec.task.held_out, run);
  data.ends.inputs = data.train.inputs;
  data.ends.outputs = data.train.outputs;
  data.dt_s = spec.network.dt_s;
}

Dataset flip_flop(const Spec& spec, int64_t run) {
  Dataset data;
  make_splits(spec, run, make_flip_flop, data);
  data.channel_names = {"pulse"};
  if (spec.training.loss == "cross-entropy") {
    data.loss = Loss::cross_entropy;
    data.output_names = {"-1", "0", "+1"};
    data.unit = "nats";
  } else {
    data.ends.output = Activation::tanh;
    data.output_names = {"state"};
    data.unit = "squared output";
  }
  return data;
}

Dataset wave(const Spec& spec, int64_t run) {
  Dataset data;
  make_splits(spec, run, make_wave, data);
  data.ends.readout_signs = {Sign::excitatory, Sign::inhibitory};
  data.channel_names = data.output_names = {"excitatory wave", "inhibitory wave"};
  data.unit = "squared output";
  return data;
}

// Of the units only those that the experiment's connectome has a node for, where it asks for that.
Result<Dataset> of_recording(const Spec& spec, Recording recording) {
  if (spec.connectome.nodes != "recorded" || !spec.measured) return make_recording_dataset(spec, std::move(recording));
  Result<Recording> kept = recorded_units(std::move(recording), spec.measured->names);
  if (!kept) return kept.error();
  return make_recording_dataset(spec, std::move(*kept));
}

}  // namespace

Result<Dataset> make_dataset(const Spec& spec, const Recording* recording, int64_t run, const Digits* digits,
                             const Latents* latents) {
  if (spec.task.type == "flip-flop") return flip_flop(spec, run);
  if (spec.task.type == "wave") return wave(spec, run);
  if (is_memory_task(spec.task.type)) return make_memory_dataset(spec, run, digits, latents);
  if (spec.task.type == "digits") {
    if (digits) return make_digits_dataset(spec, *digits);
    return Error{"task.folder", "needs the digits: give the folder with their four IDX files"};
  }
  if (spec.task.type == "recording") {
    if (recording) return of_recording(spec, *recording);
    if (!spec.recording.file.empty())
      return Error{"recording.file", "'" + spec.recording.file + "' was not read; open the file first"};
    if (!spec.recording.sha256.empty())
      return Error{"recording.file", "is not given, but the experiment was made with a recording (SHA-256 " +
                                         spec.recording.sha256 + "); give that file"};
    if (spec.recording.simulated == "conditions") {
      Result<Recording> simulated = simulate_conditions(spec);
      if (!simulated) return simulated.error();
      return of_recording(spec, std::move(*simulated));
    }
    Recording circuit = simulated_circuit(spec, run).recording;
    if (spec.recording.simulated == "areas" && spec.recording.average == "populations")
      if (Status averaged = average_populations(circuit); !averaged) return averaged.error();
    return of_recording(spec, std::move(circuit));
  }
  return Error{"task.type", "'" + spec.task.type +
                                "' is not a task; use flip-flop, wave, digits, recording, sequence-memory, n-back, "
                                "n-back-digits or n-back-latent"};
}

}  // namespace dalea
