#include "tasks/memory.h"

#include <algorithm>
#include <numeric>

#include "tasks/digits.h"
#include "tasks/latent.h"

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

// Items (images, vectors) in order of their classes.
struct ByClass {
  std::vector<uint32_t> item;
  std::vector<uint32_t> begin;  // where each class's items begin in `item`

  template <class Label>
  ByClass(const std::vector<Label>& label, int64_t classes)
      : item(label.size()), begin(static_cast<size_t>(classes + 1)) {
    std::iota(item.begin(), item.end(), 0u);
    std::stable_sort(item.begin(), item.end(), [&](uint32_t a, uint32_t b) { return label[a] < label[b]; });
    for (Label c : label) ++begin[static_cast<size_t>(c) + 1];
    for (size_t c = 0; c + 1 < begin.size(); ++c) begin[c + 1] += begin[c];
  }
  int64_t classes() const { return static_cast<int64_t>(begin.size()) - 1; }
  uint32_t size(int64_t c) const { return begin[static_cast<size_t>(c) + 1] - begin[static_cast<size_t>(c)]; }
  uint32_t of_another(int64_t c, Rng& rng) const {
    const uint32_t at = rng.below(static_cast<uint32_t>(item.size()) - size(c));
    return item[at < begin[static_cast<size_t>(c)] ? at : at + size(c)];
  }
  uint32_t another_of(int64_t c, uint32_t but, Rng& rng) const {
    const uint32_t at = begin[static_cast<size_t>(c)] + rng.below(size(c) - 1);
    return item[at] == but ? item[begin[static_cast<size_t>(c) + 1] - 1] : item[at];
  }
};

// What n-back on items shows: `put` writes an item's numbers, the inputs after the cue.
template <class ClassOf, class Put>
Trials n_back_of_items(const Spec& spec, const ByClass& items, int64_t numbers, ClassOf class_of, Put put,
                       Purpose split, int64_t count, int64_t run) {
  const int64_t probe = spec.task.length - 1, shown = probe - spec.task.back;
  Trials t = empty_trials(spec, count, 1 + numbers, 3);
  const std::vector<bool> match = draw_matches(spec, split, count, run);
  for (int64_t n = 0; n < count; ++n) {
    Rng rng = trial_rng(spec, split, run, n);
    const uint32_t wanted = rng.below(static_cast<uint32_t>(items.item.size()));
    const int64_t c = class_of(wanted);
    const bool is_match = match[static_cast<size_t>(n)];
    for (int64_t k = 0; k <= probe; ++k) {
      uint32_t item = wanted;
      if (k != probe && !(is_match && k == shown))
        item = items.of_another(c, rng);
      else if (k != probe && spec.task.different_match)
        item = items.another_of(c, wanted, rng);
      put(item, t.input.data() + (n * t.steps + k) * t.inputs + 1);
    }
    t.input[static_cast<size_t>((n * t.steps + probe + 1) * t.inputs)] = 1;
  }
  ask(t, memory_steps(spec.task) - 1, match);
  return t;
}

std::string sha256_of_set(const DigitSet& set) {
  return sha256_hex(std::as_bytes(std::span(set.pixels))) + sha256_hex(std::as_bytes(std::span(set.labels)));
}

}  // namespace

bool is_memory_task(const std::string& task) {
  return task == "sequence-memory" || task == "n-back" || task == "n-back-digits" || task == "n-back-latent";
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
  const int64_t pixels = digits.rows * digits.cols;
  if (count == 0) return empty_trials(spec, count, 1 + pixels, 3);
  const ByClass by_digit(digits.labels, digit_classes);
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
  return n_back_of_items(
      spec, by_digit, pixels, [&](uint32_t image) { return int64_t{digits.labels[image]}; },
      [&](uint32_t image, float* to) {
        const uint8_t* from = digits.pixels.data() + static_cast<int64_t>(image) * pixels;
        for (int64_t e = 0; e < pixels; ++e) to[e] = static_cast<float>(from[e]) / 255.0f;
      },
      split, count, run);
}

Result<Trials> make_n_back_latent(const Spec& spec, const Latents& latents, Purpose split, int64_t count, int64_t run) {
  if (count == 0) return empty_trials(spec, count, 1 + latents.dimension, 3);
  const double bytes = 4.0 * static_cast<double>(count) * static_cast<double>(spec.task.steps) *
                       static_cast<double>(latents.dimension + 1);
  constexpr double most_bytes = sizeof(void*) == 4 ? double{1 << 30} : 8.0 * (1 << 30);
  if (bytes > most_bytes)
    return Error{"task.train", "makes trials of more than " + std::to_string(static_cast<int64_t>(most_bytes) >> 20) +
                                   " MiB from vectors of " + std::to_string(latents.dimension) +
                                   " numbers; give fewer trials, or shorter ones"};
  const LatentParts parts = parts_of(latents, spec.task.different_match);
  const std::vector<uint32_t>& own = split == Purpose::held_out ? parts.held_out : parts.shown;
  std::vector<int32_t> label;
  for (uint32_t n : own) label.push_back(latents.label[n]);
  const ByClass by_class(label, static_cast<int64_t>(latents.classes.size()));
  for (int64_t c = 0; c < by_class.classes() && spec.task.different_match; ++c)
    if (by_class.size(c) < 2)
      return Error{"task.different_match", "needs two vectors of every class, and class '" +
                                               latents.classes[static_cast<size_t>(c)].substr(0, 60) +
                                               "' has a single one; give more of them, or switch it off"};
  return n_back_of_items(
      spec, by_class, latents.dimension, [&](uint32_t item) { return int64_t{label[item]}; },
      [&](uint32_t item, float* to) {
        std::copy_n(latents.values.data() + int64_t{own[item]} * latents.dimension, latents.dimension, to);
      },
      split, count, run);
}

namespace {

// What a reader should know of the vectors.
std::vector<std::string> notes_on(const Latents& l, const LatentParts& parts) {
  std::vector<std::string> notes = {l.source + ": " + std::to_string(l.count) + " vectors of " +
                                    std::to_string(l.dimension) + " numbers in " + std::to_string(l.classes.size()) +
                                    " classes; each vector is scaled to 0 .. 1 by its own least and largest number"};
  if (l.constant > 0)
    notes.push_back(std::to_string(l.constant) + " vectors hold one number throughout and are shown as 0");
  notes.push_back(
      parts.shared ? "Every class has too few vectors to keep some for held-out trials: those show vectors that were "
                     "trained on, in other trials"
                   : std::to_string(parts.held_out.size()) +
                         " of them, the last of each class, are shown in held-out trials alone");
  return notes;
}

}  // namespace

Result<Dataset> make_memory_dataset(const Spec& spec, int64_t run, const Digits* digits, const Latents* latents) {
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
    } else if (task.type == "n-back-latent") {
      if (!latents)
        return Error{"task.file", "needs latent vectors: give a file of them with their labels (.npz, .npy or CSV)"};
      Result<Trials> made = make_n_back_latent(spec, *latents, split, count, run);
      if (!made) return made.error();
      *trials = std::move(*made);
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
  } else if (task.type == "n-back-latent") {
    for (int64_t e = 1; e < data.train.inputs; ++e) data.channel_names.push_back("number " + std::to_string(e));
    data.sha256 = latents->sha256;
    data.notes = notes_on(*latents, parts_of(*latents, task.different_match));
    if (!task.sha256.empty() && task.sha256 != data.sha256)
      return Error{"task.sha256", "is " + task.sha256 + ", but " + latents->source + " has " + data.sha256 +
                                      "; give the file that the experiment was made with, or leave it out"};
    if (spec.network.input_mask && static_cast<int64_t>(spec.populations.size()) != data.ends.inputs)
      return Error{"network.input_mask", "needs one population per input channel: the task has " +
                                             std::to_string(data.ends.inputs) + ", the network " +
                                             std::to_string(spec.populations.size()) +
                                             "; switch it off or change the populations"};
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
