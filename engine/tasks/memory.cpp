#include "tasks/memory.h"

#include <algorithm>
#include <numeric>

#include "tasks/digits.h"

namespace dalea {
namespace {

Trials empty_trials(const Spec& spec, int64_t count, int64_t inputs, int64_t outputs) {
  Trials t;
  t.count = count;
  t.steps = spec.task.steps;
  t.inputs = inputs;
  t.outputs = outputs;
  t.input.assign(static_cast<size_t>(count * t.steps * inputs), 0.0f);
  return t;
}

Rng trial_rng(const Spec& spec, Purpose split, int64_t run, int64_t trial) {
  return Rng(spec.seed, split, static_cast<uint32_t>(run), 0, static_cast<uint32_t>(trial));
}

// By trial: whether it is a match; the first half is, then their order is shuffled once.
std::vector<bool> draw_matches(const Spec& spec, Purpose split, int64_t count, int64_t run) {
  Rng rng(spec.seed, split, static_cast<uint32_t>(run), 1);
  const std::vector<uint32_t> place = permutation(static_cast<uint32_t>(count), rng);
  std::vector<bool> match(static_cast<size_t>(count));
  for (size_t n = 0; n < match.size(); ++n) match[n] = 2 * static_cast<int64_t>(place[n]) < count;
  return match;
}

void ask(Trials& t, int64_t step, const std::vector<bool>& match) {
  t.label.assign(static_cast<size_t>(t.count * t.steps), -1);
  for (int64_t n = 0; n < t.count; ++n)
    t.label[static_cast<size_t>(n * t.steps + step)] = match[static_cast<size_t>(n)] ? nback_match : nback_other;
}

// The images of a set in order of their digits.
struct ByDigit {
  std::vector<uint32_t> image;
  uint32_t begin[digit_classes + 1] = {};  // where each digit's images begin in `image`

  explicit ByDigit(const DigitSet& set) : image(static_cast<size_t>(set.count)) {
    std::iota(image.begin(), image.end(), 0u);
    std::stable_sort(image.begin(), image.end(), [&](uint32_t a, uint32_t b) { return set.labels[a] < set.labels[b]; });
    for (uint8_t label : set.labels) ++begin[label + 1];
    for (int64_t c = 0; c < digit_classes; ++c) begin[c + 1] += begin[c];
  }
  uint32_t size(int64_t digit) const { return begin[digit + 1] - begin[digit]; }
  uint32_t of_another(int64_t digit, Rng& rng) const {
    const uint32_t at = rng.below(static_cast<uint32_t>(image.size()) - size(digit));
    return image[at < begin[digit] ? at : at + size(digit)];
  }
  uint32_t another_of(int64_t digit, uint32_t but, Rng& rng) const {
    const uint32_t at = begin[digit] + rng.below(size(digit) - 1);
    return image[at] == but ? image[begin[digit + 1] - 1] : image[at];
  }
};

std::string sha256_of_set(const DigitSet& set) {
  return sha256_hex(std::as_bytes(std::span(set.pixels))) + sha256_hex(std::as_bytes(std::span(set.labels)));
}

}  // namespace

bool is_memory_task(const std::string& task) {
  return task == "sequence-memory" || task == "n-back" || task == "n-back-digits";
}

int64_t memory_steps(const TaskSpec& task) {
  return task.type == "sequence-memory" ? 2 * task.length + 1 : task.length + (task.type == "n-back" ? 1 : 2);
}

Trials make_sequence_memory(const Spec& spec, Purpose split, int64_t count, int64_t run) {
  Trials t = empty_trials(spec, count, 2, 1);
  const int64_t length = spec.task.length;
  t.target.assign(static_cast<size_t>(count * t.steps), 0.0f);
  t.scored.assign(static_cast<size_t>(count * t.steps), 0);
  for (int64_t n = 0; n < count; ++n) {
    Rng rng = trial_rng(spec, split, run, n);
    const int64_t first = n * t.steps;
    t.input[static_cast<size_t>((first + length) * 2)] = 1;
    for (int64_t k = 0; k < length; ++k) {
      const float value = rng.uniform();
      const auto recall = static_cast<size_t>(first + length + 1 + k);
      t.input[static_cast<size_t>((first + k) * 2 + 1)] = value;
      t.target[recall] = value;
      t.scored[recall] = 1;
    }
  }
  return t;
}

Trials make_n_back(const Spec& spec, Purpose split, int64_t count, int64_t run) {
  Trials t = empty_trials(spec, count, 2, 3);
  const int64_t probe = spec.task.length - 1, shown = probe - spec.task.back;
  const std::vector<bool> match = draw_matches(spec, split, count, run);
  for (int64_t n = 0; n < count; ++n) {
    Rng rng = trial_rng(spec, split, run, n);
    const auto value = [&](int64_t k) -> float& { return t.input[static_cast<size_t>((n * t.steps + k) * 2 + 1)]; };
    for (int64_t k = 0; k <= probe; ++k) value(k) = rng.uniform();
    t.input[static_cast<size_t>((n * t.steps + probe) * 2)] = 1;
    // What is drawn has 2^24 values: an equal one at another distance would be a second match.
    for (int64_t k = 0; k < probe; ++k)
      while (value(k) == value(probe)) value(k) = rng.uniform();
    if (match[static_cast<size_t>(n)]) value(shown) = value(probe);
  }
  ask(t, memory_steps(spec.task) - 1, match);
  return t;
}

Result<Trials> make_n_back_digits(const Spec& spec, const DigitSet& digits, Purpose split, int64_t count, int64_t run) {
  const int64_t pixels = digits.rows * digits.cols, probe = spec.task.length - 1, shown = probe - spec.task.back;
  Trials t = empty_trials(spec, count, 1 + pixels, 3);
  if (count == 0) return t;
  const ByDigit by_digit(digits);
  int64_t kinds = 0, repeated = 0;
  for (int64_t c = 0; c < digit_classes; ++c) {
    kinds += by_digit.size(c) > 0 ? 1 : 0;
    repeated += by_digit.size(c) > 1 ? by_digit.size(c) : 0;
  }
  if (kinds < 2)
    return Error{"task.folder", "holds images of " + std::to_string(kinds) +
                                    " digits, but what is no match must be another digit; give a set of several"};
  if (spec.task.different_match && repeated < digits.count)
    return Error{"task.different_match",
                 "needs two images of every digit, and one has a single image; give more digits, or switch it off"};
  const std::vector<bool> match = draw_matches(spec, split, count, run);
  for (int64_t n = 0; n < count; ++n) {
    Rng rng = trial_rng(spec, split, run, n);
    const uint32_t wanted = rng.below(static_cast<uint32_t>(digits.count));
    const int64_t digit = digits.labels[wanted];
    const bool is_match = match[static_cast<size_t>(n)];
    for (int64_t k = 0; k <= probe; ++k) {
      uint32_t image = wanted;
      if (k != probe && !(is_match && k == shown))
        image = by_digit.of_another(digit, rng);
      else if (k != probe && spec.task.different_match)
        image = by_digit.another_of(digit, wanted, rng);
      const uint8_t* from = digits.pixels.data() + static_cast<int64_t>(image) * pixels;
      float* to = t.input.data() + (n * t.steps + k) * t.inputs + 1;
      for (int64_t e = 0; e < pixels; ++e) to[e] = static_cast<float>(from[e]) / 255.0f;
    }
    t.input[static_cast<size_t>((n * t.steps + probe + 1) * t.inputs)] = 1;
  }
  ask(t, memory_steps(spec.task) - 1, match);
  return t;
}

Result<Dataset> make_memory_dataset(const Spec& spec, int64_t run, const Digits* digits) {
  const TaskSpec& task = spec.task;
  if (task.steps < memory_steps(task))
    return Error{"task.steps", "is " + std::to_string(task.steps) + ", but a trial with task.length " +
                                   std::to_string(task.length) + " takes " + std::to_string(memory_steps(task)) +
                                   " steps; give as many, or leave it out"};
  const bool sequence = task.type == "sequence-memory";
  if (!sequence && task.back >= task.length)
    return Error{"task.back", "is " + std::to_string(task.back) + ", but a trial shows " + std::to_string(task.length) +
                                  " items; give less, or a larger task.length"};
  Dataset data;
  const std::pair<Trials*, Purpose> parts[] = {
      {&data.train, Purpose::train}, {&data.validation, Purpose::validation}, {&data.held_out, Purpose::held_out}};
  for (const auto& [trials, split] : parts) {
    const int64_t count = split == Purpose::train        ? task.train
                          : split == Purpose::validation ? task.validation
                                                         : task.held_out;
    if (sequence) {
      *trials = make_sequence_memory(spec, split, count, run);
    } else if (task.type == "n-back") {
      *trials = make_n_back(spec, split, count, run);
    } else {
      if (!digits) return Error{"task.folder", "needs the digits: give the folder with their four IDX files"};
      if (digits->train.rows != digits->test.rows || digits->train.cols != digits->test.cols)
        return Error{"task.folder", "holds training and test digits of different sizes; give files of one set"};
      Result<Trials> made =
          make_n_back_digits(spec, split == Purpose::held_out ? digits->test : digits->train, split, count, run);
      if (!made) return made.error();
      *trials = std::move(*made);
    }
  }
  data.ends.inputs = data.train.inputs;
  data.ends.outputs = data.train.outputs;
  data.dt_s = spec.network.dt_s;
  data.channel_names = {"cue"};
  if (task.type == "n-back-digits") {
    for (int64_t e = 1; e < data.train.inputs; ++e) data.channel_names.push_back("pixel " + std::to_string(e));
    const std::string all = sha256_of_set(digits->train) + sha256_of_set(digits->test);
    data.sha256 = sha256_hex(std::as_bytes(std::span(all.data(), all.size())));
    if (!task.sha256.empty() && task.sha256 != data.sha256)
      return Error{"task.sha256", "is " + task.sha256 + ", but the digits given have " + data.sha256 +
                                      "; give the digits that the experiment was made with, or leave it out"};
  } else {
    data.channel_names.push_back("value");
  }
  if (sequence) {
    data.output_names = {"value"};
    data.unit = "squared output";
  } else {
    data.loss = Loss::cross_entropy;
    data.output_names = {"none", "non-match", "match"};
    data.unit = "nats";
  }
  return data;
}

}  // namespace dalea
