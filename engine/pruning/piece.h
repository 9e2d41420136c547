// Between pruning.cpp, probabilities.cpp and select.cpp: one block, cut out of the matrix.
#pragma once

#include <cstdint>
#include <vector>

#include "pruning/pruning.h"

namespace dalea::pruning {

// Arrays are column-major within the block.
struct Piece {
  Range post, pre;
  double sparsity = 0;
  PruneMethod method = PruneMethod::top_prob;
  std::vector<float> magnitude;   // |W|; as published 1e-25 for a zero
  std::vector<uint8_t> eligible;  // may be kept
  int64_t eligible_count = 0;

  int64_t entries() const { return post.size() * pre.size(); }
  int64_t at(int64_t e, int64_t matrix_rows) const {  // position in the matrix
    return (pre.begin + e / post.size()) * matrix_rows + post.begin + e % post.size();
  }
};

// Checks the matrix and the options; one Piece without arrays for each block, or for the whole matrix.
Result<std::vector<Piece>> pieces_of(const Weights& w, const PruneOptions& options);
// Fills in the arrays. `values`: the dense matrix.
void cut(Piece& piece, const std::vector<float>& values, int64_t rows, const PruneOptions& options);
std::vector<float> dense_values(const Weights& w);

int64_t exact_count(int64_t entries, double sparsity);  // round(entries (1 - sparsity))

// Probabilities per entry of the piece, and its share of the sums.
Result<KeepProbabilities> probabilities_of(const Piece& piece, const PruneOptions& options);

// A key for each eligible entry; ascending keys are descending magnitudes, then ascending indices. The low half is the
// index within the piece.
std::vector<uint64_t> keys_by_magnitude(const Piece& piece);

// Choices: an element per entry of the piece.
std::vector<uint8_t> largest(const Piece& piece, int64_t count);
std::vector<uint8_t> smallest_draws(const Piece& piece, const std::vector<double>& draw, int64_t count);
// Systematic sampling in random order: the intervals [C, C + P) of the cumulated probabilities are laid end to end in
// the order of the draws and those that hold start, start + 1, ... are chosen (start in units of 2^-32). An entry's
// interval is at most 1 long, so it is chosen with probability P exactly, and the number chosen is `count`, the sum of
// P. The sums are of integers, 2^-32 each, so neither statement suffers from rounding.
std::vector<uint8_t> systematic(const std::vector<double>& probability, const std::vector<double>& draw, int64_t count,
                                uint32_t start);

}  // namespace dalea::pruning
