// Handwritten digits, shown one row of pixels a step (SEEDS 2.3); the class is asked for at the last step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "tasks/trials.h"

namespace dalea {

constexpr int64_t digit_classes = 10;

struct DigitSet {
  int64_t count = 0, rows = 0, cols = 0;
  std::vector<uint8_t> pixels;  // (digit, row, column), 0 .. 255
  std::vector<uint8_t> labels;  // (digit), 0 .. 9
};

struct Digits {
  DigitSet train, test;
};

// Both IDX files of a set, plain or gzipped. Sizes are checked against the bytes that are there, and against a limit,
// before anything is allocated; a gzip stream is unpacked no further than its header says.
Result<DigitSet> read_digit_set(std::span<const std::byte> images, std::string_view images_name,
                                std::span<const std::byte> labels, std::string_view labels_name);

// What the first bytes of an IDX file of digits say of it, plain or gzipped; nothing: it is no such file.
struct IdxHead {
  bool images = false;                    // else labels
  int64_t count = 0, rows = 0, cols = 0;  // as written there, not checked; labels have no rows
};
std::optional<IdxHead> peek_idx(std::span<const std::byte> bytes);

// The digits of the files are fewer than the experiment asks for.
bool digits_too_few(const Spec& spec, const Digits& digits);

// In the order of the files: the first task.train digits of the training file train, the next task.validation of it
// validate, the first task.held_out of the test file are held out. So no digit is in two parts, every run shares the
// data (as published), and files cut off after the digits used give the same network as whole ones. (The first half
// of the test file is the easier one: take all 10,000 for a figure to compare.)
Result<Dataset> make_digits_dataset(const Spec& spec, const Digits& digits);

}  // namespace dalea
