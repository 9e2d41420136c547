// What makes connections exist: rules that add up to one probability for every block of two populations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "error.h"
#include "spec/spec.h"

namespace dalea {

using BlockMatrix = std::vector<std::vector<double>>;  // (post, pre) of populations

constexpr size_t most_ruled = 1000;  // populations that a structure, a table or motifs are for

// connectivity.table or motifs, which add up with connectivity.probability; with either an empty one means none.
bool has_rules(const Spec& spec);

// The probability of a connection of two different units, (post, pre): that of any independent rule making it, times
// the mean fall with distance inside an area. Every entry 1 without rules. Motifs and matrices that do not fit give 0.
BlockMatrix block_probability(const Spec& spec);
// Blocks that exist by motifs alone, (post, pre): 1, others 0.
std::vector<std::vector<uint8_t>> from_motif(const Spec& spec);

// SEEDS 4.3, by layer and type in any case ("L2/3" is "L23"); NaN: not in the table.
double table_probability(const Population& post, const Population& pre);

// Populations that a motif's side picks: each of its words is their area, layer or type, or all of them their name.
std::vector<size_t> picked(const Spec& spec, const std::string& words);
// What is wrong with connectivity.table, motifs and their number of populations, with paths.
Problems rule_problems(const Spec& spec);

// Places on the sheet of each area, widths; the same for a seed and run. Empty without connectivity.distance.
struct Positions {
  std::vector<double> x, y;  // by unit
};
Positions sheet_positions(const Spec& spec, int64_t run);
// Mean of exp(-d / distance) for two random places of a sheet of width 1, to a relative error of 1e-3.
double mean_decay(double distance);

// spec.structure as populations: area x layer x type in that order. Nothing happens without types, where something is
// wrong with the structure, or where a connectome gives the populations.
void make_populations(Spec& spec);
bool structure_makes_populations(const Spec& spec);
Problems structure_problems(const Spec& spec);

// A table in the published layout: connection-probability, pre-layer, post-layer, pre-cell-type, post-cell-type and any
// other columns. Fills connectivity.probability for the pairs of populations within an area that it names, in place of
// connectivity.table; other pairs keep what they had, or 0 where no probabilities were given. Returns the number of
// pairs. Errors name the line.
bool is_probability_table(std::span<const std::byte> bytes);
Result<int64_t> read_probability_table(std::span<const std::byte> bytes, Spec& spec);

}  // namespace dalea
