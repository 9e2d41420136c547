// Null models of a scaled connectome: what of it is kept, and everything else at random (SEEDS 6.4, F39). Connections
// to oneself stay where they are. Each depends on its stream of random numbers alone. The slow ones hear of `progress`
// (0 .. 1; false stops them) and say whether they came to their end; if not, `s` is as it was.
#pragma once

#include "connectome/connectome.h"

namespace dalea {

constexpr int64_t most_null_units = 20000;

// As published: all entries between different neurons are permuted, absent ones included, so the number and the
// weights of connections are kept; a symmetric matrix stays symmetric.
bool permute_entries(ScaledConnectome& s, Rng& rng, const ScalingProgress& progress = nullptr);
// Every neuron keeps its in- and out-degree exactly, and its outgoing weights: targets of two connections are swapped,
// ten times as often as there are connections.
bool rewire(ScaledConnectome& s, Rng& rng, const ScalingProgress& progress = nullptr);
// Who connects to whom is kept; the weights are shuffled.
void shuffle_weights(ScaledConnectome& s, Rng& rng);
// The number of connections at each distance is kept (within a region, and in 20 classes of the distance between
// regions), with their weights. Needs positions.
bool keep_distances(ScaledConnectome& s, Rng& rng, const ScalingProgress& progress = nullptr);
// The number of connections and their mean weight are kept.
bool keep_density(ScaledConnectome& s, Rng& rng, const ScalingProgress& progress = nullptr);

}  // namespace dalea
