// A measured connectome: nodes (regions or neurons) and weighted, directed links; from a file or a synthetic rule.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "error.h"
#include "numerics/weights.h"
#include "session/npz.h"
#include "spec/spec.h"

namespace dalea {

struct Connectome {
  int64_t nodes = 0;
  std::vector<std::string> names;  // of each node, unique
  // (from, to), row-major: row i projects to column j, whatever way round the file was. All finite, >= 0.
  std::vector<double> weight;
  std::vector<double> density;     // neurons per node as measured; empty: not known; NaN where missing
  std::vector<Sign> sign;          // of each node; empty: not known (free)
  std::vector<double> x, y;        // positions, where known (the synthetic rule's, or given with the names); y upwards
  std::string source;              // file name, or "synthetic"
  std::string sha256;              // of the file's bytes
  std::string kind;                // "matrix", "edge list", "synthetic"
  std::vector<std::string> notes;  // what was understood, dropped and why; a Dale hint (which axis is single-signed)

  // What the file was, before anything was chosen:
  bool symmetric = false;  // every weight is the same both ways
  int64_t self_links = 0;
  std::string single_signed;  // of a matrix with signs: "rows", "columns", "both", "neither"; else empty

  double at(int64_t from, int64_t to) const { return weight[static_cast<size_t>(from * nodes + to)]; }
  int64_t links() const;  // non-zero weights
};

// The files an experiment's connectome is made of, beside the matrix itself: empty where there are none.
struct ConnectomeFiles {
  std::span<const std::byte> matrix, names, signs, densities;
  std::string matrix_name;  // file name, for the format and messages
};

// Reads a square matrix (NPY, NPZ, CSV/TSV with or without names, MATLAB, HDF5) or an edge list (CSV/TSV: from, to,
// optional kind, weight last or by name), its names (one a line, or a table of name, x and y), signs and densities.
// Errors name the file, what was found and what would work: not square, negative or NaN weights, names that do not
// match.
Result<Connectome> read_connectome(const ConnectomeFiles& files, const ConnectomeSpec& spec);

// Whether a file is a table of nodes with their positions (columns name, x and y), to be given as the names.
bool is_node_table(std::span<const std::byte> bytes);

// Whether a file that could be a recording too is a connectome: a square matrix, or a list of links between named
// nodes. By its beginning and its shape; its values are not read.
bool is_connectome(std::span<const std::byte> bytes, std::string_view file_name);

// Regions at random places of a sheet; the probability of a link falls exponentially with distance, its weight is
// lognormal and falls likewise (parameters: ConnectomeSpec::synthetic_*). Depends on the experiment's seed alone.
Connectome make_synthetic_connectome(const Spec& spec);

// Gives the experiment its connectome. level "regions": spec.populations become one population per region (or an
// excitatory and an inhibitory one each, "V1 E" and "V1 I"). level "units": the connectome's nodes are the units in
// order, and must be as many. Errors name what does not fit.
Status attach_connectome(Spec& spec, Connectome connectome);
Status attach_connectome(Spec& spec, std::shared_ptr<const Connectome> measured);

// The same for one that needs no file: a synthetic one, or none at all.
Status attach_own_connectome(Spec& spec);

// A connectome scaled to neurons, after its null model (SEEDS 6.2): who connects to whom, and how strongly.
struct ScaledConnectome {
  int64_t units = 0;
  std::vector<int64_t> region;  // of each unit: index of the node
  std::vector<int64_t> start;   // units + 1; targets of unit i are [start[i], start[i + 1])
  std::vector<int32_t> target;  // ascending for each source
  std::vector<double> weight;   // of each connection, > 0
  std::vector<double> x, y;     // of each region; empty: not known
  int64_t connections() const { return static_cast<int64_t>(target.size()); }
};
// Whether it can be: too many connections, a null model that needs more than is known. Needs spec.measured.
Status check_scaling(const Spec& spec);
// How many connections it will have, before its null model (which keeps them). Needs spec.measured.
Result<int64_t> count_connections(const Spec& spec);
// Needs spec.measured. Deterministic in (spec.seed, run, null_seed). `progress`: hears the part done, 0 .. 1, and stops
// it with an error by saying no.
using ScalingProgress = std::function<bool(double)>;
Result<ScaledConnectome> scale_connectome(const Spec& spec, int64_t run, const ScalingProgress& progress = nullptr);

// W_rec's mask, (post, pre): what sample_pattern gives for an experiment with a connectome. `weight` (of the pattern's
// entries in its order) may be null. Orientation as the spec says (as_published: the transposed network, SEEDS Q26).
Result<std::shared_ptr<const Pattern>> connectome_pattern(const Spec& spec, int64_t run,
                                                          std::vector<double>* weight = nullptr,
                                                          const ScalingProgress& progress = nullptr);

// W_rec's initial weights by the connectome's ranks (spec.connectome.remap): the strongest link gets the largest
// initial weight. "signed": the largest signed one, as published, among columns of one sign (SEEDS Q27); "magnitude":
// the largest magnitude, with the column's sign. Ties in the order of columns. `w`: on connectome_pattern's mask.
void connectome_initial(const Spec& spec, int64_t run, const std::vector<int8_t>& sign, Weights& w);

// A session's copy of a connectome that came from a file: connectome/weight.npy (from, to), names.txt, about.json,
// and where they are known sign.npy and density.npy.
void put_connectome(const Spec& spec, Entries& entries);
// Gives the spec what put_connectome() kept, or what it needs no file for. Errors name the entry.
Status take_connectome(const Entries& entries, std::string_view file_name, Spec& spec);

}  // namespace dalea
