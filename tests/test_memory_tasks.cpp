#include <algorithm>
#include <cmath>
#include <set>

#include "helpers.h"
#include "tasks/digits.h"
#include "tasks/memory.h"

using namespace dalea;
using namespace dalea::testing;

namespace {

Spec memory_spec(const std::string& task, const std::string& more = "") {
  return spec_of(R"({"dalea":1,"populations":[{"name":"E","size":24,"sign":"+"},{"name":"I","size":8,"sign":"-"}],)"
                 R"("task":{"type":")" +
                 task + R"(","train":80,"validation":10,"held_out":21)" + more +
                 R"(},"training":{"epochs":1,"batch":16}})");
}

Dataset data_of(const Spec& spec, int64_t run = 0, const Digits* digits = nullptr) {
  Result<Dataset> data = make_dataset(spec, nullptr, run, digits);
  REQUIRE_MESSAGE(data.ok(), (data.ok() ? "" : data.error().text()));
  return std::move(*data);
}

// `each` images of every digit, 2 x 3 pixels: the first is 10 times the digit, the second the image's number in it.
Digits tiny_digits(int64_t each, int64_t kinds = 10) {
  DigitSet set;
  set.count = each * kinds;
  set.rows = 2;
  set.cols = 3;
  for (int64_t n = 0; n < set.count; ++n) {
    const auto digit = static_cast<uint8_t>(n % kinds);
    set.labels.push_back(digit);
    for (uint8_t v : {static_cast<uint8_t>(10 * digit), static_cast<uint8_t>(n / kinds), uint8_t{0}, uint8_t{255},
                      uint8_t{0}, uint8_t{0}})
      set.pixels.push_back(v);
  }
  return {set, set};
}

}  // namespace

TEST_CASE("memory tasks: a sequence is recalled in order after its cue, and nothing else is scored") {
  const Spec spec = memory_spec("sequence-memory", R"(,"length":4)");
  CHECK(spec.task.steps == 9);
  const Dataset data = data_of(spec);
  CHECK(data.loss == Loss::mse);
  CHECK(data.channel_names == std::vector<std::string>{"cue", "value"});
  CHECK(data.train.count == 80);
  CHECK(data.held_out.count == 21);
  const Trials& t = data.train;
  REQUIRE(t.input.size() == 80u * 9 * 2);
  REQUIRE(t.target.size() == 80u * 9);
  for (int64_t n = 0; n < t.count; ++n)
    for (int64_t k = 0; k < 9; ++k) {
      const float cue = t.input[(n * 9 + k) * 2], value = t.input[(n * 9 + k) * 2 + 1], target = t.target[n * 9 + k];
      CHECK(cue == (k == 4 ? 1.0f : 0.0f));
      CHECK((k < 4 ? value >= 0 && value < 1 : value == 0));
      CHECK(t.scored[n * 9 + k] == (k > 4 ? 1 : 0));
      CHECK(target == (k > 4 ? t.input[(n * 9 + k - 5) * 2 + 1] : 0.0f));
    }
}

TEST_CASE("memory tasks: n-back matches at its distance and nowhere else") {
  for (const int back : {1, 2, 4}) {
    const Dataset data = data_of(memory_spec("n-back", R"(,"length":5,"back":)" + std::to_string(back)));
    CHECK(data.output_names == std::vector<std::string>{"none", "non-match", "match"});
    CHECK(data.loss == Loss::cross_entropy);
    int64_t matches = 0;
    const Trials& t = data.held_out;
    REQUIRE(t.steps == 6);
    for (int64_t n = 0; n < t.count; ++n) {
      const auto value = [&](int64_t k) { return t.input[(n * 6 + k) * 2 + 1]; };
      for (int64_t k = 0; k < 6; ++k) CHECK(t.input[(n * 6 + k) * 2] == (k == 4 ? 1.0f : 0.0f));
      CHECK(value(5) == 0);
      const bool match = value(4 - back) == value(4);  // a machine that remembers solves it
      for (int64_t k = 0; k < 4; ++k) CHECK((value(k) == value(4)) == (match && k == 4 - back));
      for (int64_t k = 0; k < 5; ++k) CHECK(t.label[n * 6 + k] == -1);
      CHECK(t.label[n * 6 + 5] == (match ? 2 : 1));
      matches += match ? 1 : 0;
    }
    CHECK(matches == 11);  // of 21
  }
}

TEST_CASE("memory tasks: n-back on images shows the same image, or another one of its digit") {
  const Digits digits = tiny_digits(3);
  for (const bool different : {false, true}) {
    const Spec spec = memory_spec(
        "n-back-digits", std::string(R"(,"length":5,"back":3,"different_match":)") + (different ? "true" : "false"));
    const Dataset data = data_of(spec, 0, &digits);
    CHECK(data.channel_names.size() == 7);
    CHECK(data.sha256.size() == 64);
    const Trials& t = data.train;
    REQUIRE(t.steps == 7);
    REQUIRE(t.inputs == 7);
    int64_t matches = 0;
    for (int64_t n = 0; n < t.count; ++n) {
      const auto pixel = [&](int64_t k, int64_t e) { return std::lround(255 * t.input[(n * 7 + k) * 7 + 1 + e]); };
      for (int64_t k = 0; k < 7; ++k) CHECK(t.input[(n * 7 + k) * 7] == (k == 5 ? 1.0f : 0.0f));
      for (int64_t e = 0; e < 6; ++e) {
        CHECK(pixel(5, e) == 0);
        CHECK(pixel(6, e) == 0);
      }
      const bool match = pixel(1, 0) == pixel(4, 0);
      for (int64_t k : {0, 2, 3}) CHECK(pixel(k, 0) != pixel(4, 0));
      if (match) CHECK((pixel(1, 1) == pixel(4, 1)) == !different);
      CHECK(t.label[n * 7 + 6] == (match ? 2 : 1));
      CHECK(std::count(t.label.begin() + n * 7, t.label.begin() + n * 7 + 6, -1) == 6);
      matches += match ? 1 : 0;
    }
    CHECK(matches == 40);
  }
  const Spec spec = memory_spec("n-back-digits");
  const Digits one = tiny_digits(5, 1);
  CHECK(make_dataset(spec, nullptr, 0, &one).error().path == "task.folder");
  CHECK(make_dataset(spec, nullptr, 0).error().path == "task.folder");
  const Digits single = tiny_digits(1);
  CHECK(make_dataset(spec, nullptr, 0, &single).ok());
  Spec other = spec;
  other.task.different_match = true;
  CHECK(make_dataset(other, nullptr, 0, &single).error().path == "task.different_match");
}

TEST_CASE("memory tasks: new data in every run, the same for a seed; sizes that do not fit are refused") {
  const Spec spec = memory_spec("n-back");
  const Dataset a = data_of(spec), b = data_of(spec), c = data_of(spec, 1);
  CHECK(a.train.input == b.train.input);
  CHECK(a.train.label == b.train.label);
  CHECK(a.train.input != c.train.input);
  std::set<std::vector<float>> trials;
  for (const Trials* t : {&a.train, &a.validation, &a.held_out})
    for (int64_t n = 0; n < t->count; ++n)
      trials.insert(std::vector<float>(t->input.begin() + n * 12, t->input.begin() + (n + 1) * 12));
  CHECK(trials.size() == 111);  // no trial is in two parts
  Spec wrong = spec;
  wrong.task.steps = 5;
  CHECK(make_dataset(wrong, nullptr, 0).error().path == "task.steps");
  wrong.task.steps = 9;  // three steps too many: nothing happens in them
  const Trials longer = data_of(wrong).train;
  REQUIRE(longer.steps == 9);
  for (int64_t n = 0; n < longer.count; ++n)
    for (int64_t k = 0; k < 9; ++k) {
      CHECK((longer.label[n * 9 + k] == -1) == (k != 5));
      for (int64_t c = 0; c < 2; ++c)
        CHECK(longer.input[(n * 9 + k) * 2 + c] == (k < 6 ? a.train.input[(n * 6 + k) * 2 + c] : 0.0f));
    }
  wrong = spec;
  wrong.task.back = wrong.task.length;
  CHECK(make_dataset(wrong, nullptr, 0).error().path == "task.back");
}

TEST_CASE("memory tasks: the published sizes, 80 % of the trials train") {
  const Spec sequence = spec_of(R"({"dalea":1,"task":{"type":"sequence-memory"}})");
  CHECK(sequence.task.train + sequence.task.held_out == 500);
  CHECK(sequence.task.train == 400);
  const Spec back = spec_of(R"({"dalea":1,"task":{"type":"n-back"}})");
  CHECK(back.task.train == 800);
  CHECK(back.task.held_out == 200);
  CHECK(back.training.loss == "cross-entropy");
}

TEST_CASE("memory tasks: training lowers the loss on recalled rows, and accuracy counts one answer a trial") {
  Spec spec =
      spec_of(R"({"dalea":1,"populations":[{"name":"E","size":32,"sign":"+"},{"name":"I","size":8,"sign":"-"}],)"
              R"("task":{"type":"sequence-memory","length":3,"train":200,"validation":20,"held_out":50},)"
              R"("training":{"epochs":60,"batch":20,"clip":1,"optimizer":{"lr":0.003}}})");
  auto trainer = trainer_of(spec);
  const double before = trainer->evaluate().held_out;
  train_to_end(*trainer);
  // The best answer without memory is 1/2: its error is 1/12.
  CHECK(trainer->evaluate().held_out < before);
  CHECK(trainer->evaluate().held_out < 1.0 / 12);
  auto back = trainer_of(memory_spec("n-back"));
  train_to_end(*back);
  const Confusion answers = back->evaluate().held_out_answers;
  int64_t asked = 0;
  for (int64_t n : answers.count) asked += n;
  CHECK(asked == 21);
  CHECK(std::isnan(answers.accuracy_of(0)));
}
