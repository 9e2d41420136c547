// Vectors with classes, such as an autoencoder's codes of images: what the task "n-back-latent" shows (SEEDS 6.5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "error.h"

namespace dalea {

constexpr int64_t most_latent_dimension = 4096, most_latent_classes = 4096;

struct Latents {
  int64_t count = 0, dimension = 0;
  // (vector, dimension): each vector scaled so that its least number is 0 and its largest 1, as published; one of equal
  // numbers is 0.
  std::vector<float> values;
  std::vector<int32_t> label;        // (vector): its class
  std::vector<std::string> classes;  // numbers by size, other labels by name
  int64_t constant = 0;              // vectors of equal numbers
  std::string source;                // file name
  std::string sha256;                // of the file's bytes; with a file of labels, of both sums
};

// By content. NPZ: a matrix (vector, number) and an array of as many whole numbers, each by name (vectors, latents, z,
// x; labels, y) or the only one of its kind. NPY: the matrix, with the labels in `labels` or in its last column. CSV: a
// vector a row, with a header that calls a column label (class, digit, target, y), else with the labels in `labels` or
// in the last column; labels may be words. `labels`: NPY or CSV, one label for each vector; empty: there is none.
// Errors: the file, what was found, what would work.
Result<Latents> read_latents(std::span<const std::byte> bytes, std::string_view file_name,
                             std::span<const std::byte> labels = {}, std::string_view labels_name = {});

// Which vectors the trials of training and validation show, and which the held-out ones: of every class the last fifth
// in the file's order is held out, where it has enough (two in each part where a match shows another one of its class);
// else all of them show all.
struct LatentParts {
  std::vector<uint32_t> shown, held_out;  // indices of vectors, ascending
  bool shared = false;                    // both are all vectors
};
LatentParts parts_of(const Latents& latents, bool different_match);

}  // namespace dalea
