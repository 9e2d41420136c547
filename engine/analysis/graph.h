// What graph theory measures of a directed, weighted network: who connects to whom, and how strongly. Connections of a
// unit to itself are counted apart and belong to no measure but the spectral radius. For looking at, not for golden
// bits.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "analysis/synapses.h"
#include "connectome/connectome.h"
#include "error.h"

namespace dalea {

// Connections of each unit in order of their targets; a weight has its sign and is never 0. `region`, x and y are only
// for the null model that keeps distances.
using Graph = ScaledConnectome;

Graph graph_of(const Synapses& w);    // the synapses that exist and are not 0
Graph mask_of(const Synapses& w);     // those that exist, all of weight 1
Graph graph_of(const Connectome& c);  // its nodes

// Above this many units clustering and paths are those of 1,000 units evenly spaced among all, and what needs dense
// matrices (communicability, spectral radius) is not measured.
constexpr int64_t most_dense_units = 2000, sampled_units = 1000;

// Sizes are magnitudes of weights. The weighted_ ones use sizes; the others use who connects to whom.
enum class Measure : uint8_t {
  density,            // connections over units * (units - 1)
  reciprocity,        // share of the connections that go both ways
  in_degree_sd,       // population sd of the number of incoming connections
  out_degree_sd,      // and of outgoing ones
  clustering,         // mean over units of the share of their possible directed triangles (Fagiolo 2007); 0 without any
  path_length,        // mean number of steps between ordered pairs that are reachable
  reachable,          // share of the ordered pairs that are
  efficiency,         // mean of 1 / steps over all ordered pairs, 0 where unreachable (Latora and Marchiori 2001)
  modularity,         // directed, resolution 1 (Leicht and Newman 2008), of the best partition found
  communities,        // of that partition
  region_modularity,  // the same of the given parts
  communicability,    // natural log of the mean over ordered pairs of exp(A) (Estrada and Hatano 2008)
  // Fagiolo's with the cube root of size over largest size (Onnela et al. 2005)
  weighted_clustering,
  weighted_path_length,  // a connection is 1 / size long
  weighted_efficiency,   // mean of 1 / length of the shortest path: of size
  weighted_modularity,
  weighted_region_modularity,
  // mean over ordered pairs of exp(S), S = size over the root of the strengths out of and into its ends (Crofts and
  // Higham 2009)
  weighted_communicability,
  spectral_radius,  // largest |eigenvalue| of the weights with their signs
};
constexpr size_t measure_count = 19;
const char* key_of(Measure m);      // "path_length", in files
const char* words_of(Measure m);    // "path length"
const char* meaning_of(Measure m);  // a sentence
bool is_weighted(Measure m);

struct GraphMeasures {
  int64_t units = 0, links = 0, self_links = 0;  // links: without those to oneself
  int64_t sampled = 0;                           // units that clustering and paths are of; 0: all
  std::array<double, measure_count> values;      // NaN: not defined here, or not measured
  std::vector<int64_t> in_degree, out_degree;    // of each unit
  std::vector<int64_t> community;                // of each unit, from 0: of `modularity`
  double of(Measure m) const { return values[static_cast<size_t>(m)]; }
};
struct MeasureOptions {
  bool weighted = true;                 // else the measures with sizes, and the radius, are left out
  std::span<const int64_t> parts = {};  // of each unit, from 0; empty, all alike or all different: nothing to measure
  bool dense = true;                    // else communicability and spectral radius are left out: n^3 each
};
// `progress` hears the part done, 0 .. 1, and may answer false to cancel; it may be null. An error: no units, weights
// that are not finite, or "cancelled".
Result<GraphMeasures> measure_graph(const Graph& g, const MeasureOptions& options = {},
                                    const std::function<bool(double)>& progress = nullptr);

// Directed modularity of a partition, without connections to oneself; `weighted`: by size. NaN without connections.
double modularity_of(const Graph& g, std::span<const int64_t> parts, bool weighted);

// Null model number k, from 1, of a network (connectome/null_models.h): the one that training with connectome.null_seed
// k would have. Where all connections of every unit have one sign, each unit keeps it. Errors: an unknown model, more
// units than most_null_units, "spatial" without positions, or "cancelled" (`progress` as above).
Result<Graph> null_of(const Graph& g, const std::string& model, uint64_t seed, int64_t k, int64_t run = 0,
                      const std::function<bool(double)>& progress = nullptr);

// A measure beside those of null models.
struct NullRow {
  int64_t count = 0;  // null models with a value
  double mean = 0, sd = 0;
  double z = 0;         // (value - mean) / sd; NaN: the null models all have the same
  int64_t reached = 0;  // null models at least as far from the mean of all, the measured one included
  double p = 1;         // (reached + 1) / (count + 1): two-sided, exact if the network is one of the model's
};
NullRow against_nulls(double value, std::span<const double> nulls);

// Clustering over that of the null models, over the same of path length (Humphries and Gurney 2008); NaN: not defined.
double small_worldness(const GraphMeasures& g, std::span<const std::array<double, measure_count>> nulls);

}  // namespace dalea
