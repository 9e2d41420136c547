// The simulated circuit of two areas, V1 and LM, whose feedback can be set: the ground truth for comparing conditions.
#pragma once

#include <vector>

#include "recording/recording.h"

namespace dalea {

// Half of recording.simulated_units lie in each area (V1 has the odd one), 80 % of them excitatory; in the order V1
// excitatory, LM excitatory, V1 inhibitory, LM inhibitory. Connections exist with recording.simulated_density, between
// areas only from excitatory units; those from LM to V1 are recording.simulated_feedback times as strong. Weak slow
// inputs and strong noise of each unit's own keep the units within the nearly linear range of their rates, so that one
// block's weights can be changed without changing how the others act. `cells` says area, type ("Exc", "Inh") and sign.
//
// Weights, and how strongly each unit has the slow inputs, depend on (seed, units, density) alone; noise and the
// inputs' phases also on `session`: other sessions are other recordings of the same circuit.
SimulatedCircuit simulate_areas(uint64_t seed, int64_t session, const RecordingSpec& spec);

// The circuit behind the recording of an experiment without a file: of recording.simulated "areas" that of the run's
// session, else the one circuit of every run.
SimulatedCircuit simulated_circuit(const Spec& spec, int64_t run);

}  // namespace dalea
