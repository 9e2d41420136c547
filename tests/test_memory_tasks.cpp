#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "helpers.h"
#include "session/npz.h"
#include "tasks/digits.h"
#include "tasks/latent.h"
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

namespace {

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto* p = reinterpret_cast<const std::byte*>(text.data());
  return {p, p + text.size()};
}

// `each` vectors of every class, of four numbers from -50 to 50: scaled to 0 .. 1 they are 0, class / 100, the vector's
// number in its class / 100, and 1.
struct Vectors {
  std::vector<double> x, label;
  int64_t count = 0;
};
Vectors vectors(int64_t each, int64_t classes) {
  Vectors v;
  for (int64_t k = 0; k < each; ++k)
    for (int64_t c = 0; c < classes; ++c) {
      for (double n : {-50.0, c - 50.0, k - 50.0, 50.0}) v.x.push_back(n);
      v.label.push_back(static_cast<double>(c));
      ++v.count;
    }
  return v;
}

Latents latents_of(int64_t each, int64_t classes) {
  const Vectors v = vectors(each, classes);
  Result<Latents> read = read_latents(
      write_zip({{"z.npy", write_npy_f64(v.x, {v.count, 4})}, {"y.npy", write_npy_f64(v.label, {v.count})}}), "v.npz");
  REQUIRE_MESSAGE(read.ok(), (read.ok() ? "" : read.error().text()));
  return std::move(*read);
}

std::string refused(const std::vector<std::byte>& bytes, const std::vector<std::byte>& labels = {}) {
  const Result<Latents> read = read_latents(bytes, "f", labels, "g");
  return read.ok() ? "" : read.error().text();
}

Dataset latent_data(const Spec& spec, const Latents& latents, int64_t run = 0) {
  Result<Dataset> data = make_dataset(spec, nullptr, run, nullptr, &latents);
  REQUIRE_MESSAGE(data.ok(), (data.ok() ? "" : data.error().text()));
  return std::move(*data);
}

}  // namespace

TEST_CASE("memory tasks: latent vectors of NPZ, NPY with a last column or a second file, and CSV are the same") {
  const Vectors v = vectors(5, 3);
  const Latents npz = latents_of(5, 3);
  CHECK(npz.count == 15);
  CHECK(npz.dimension == 4);
  CHECK(npz.classes == std::vector<std::string>{"0", "1", "2"});
  CHECK(npz.constant == 0);
  for (int64_t n = 0; n < 15; ++n) {
    CHECK(npz.label[n] == n % 3);
    CHECK(npz.values[n * 4] == 0);
    CHECK(npz.values[n * 4 + 1] == static_cast<float>((n % 3) / 100.0));
    CHECK(npz.values[n * 4 + 2] == static_cast<float>((n / 3) / 100.0));
    CHECK(npz.values[n * 4 + 3] == 1);
  }
  std::vector<double> table;
  std::string csv, named = "a,b,Label,c,d\n", words;
  char text[120];
  for (int64_t n = 0; n < 15; ++n) {
    const double* x = v.x.data() + n * 4;
    table.insert(table.end(), x, x + 4);
    table.push_back(v.label[n]);
    std::snprintf(text, sizeof text, "%g,%g,%g,%g,%g\n", x[0], x[1], x[2], x[3], v.label[n]);
    csv += text;
    std::snprintf(text, sizeof text, "%g,%g,%c,%g,%g\n", x[0], x[1], "zxy"[n % 3], x[2], x[3]);
    named += text;
    words += std::string(1, "zxy"[n % 3]) + "\n";
  }
  const std::vector<std::byte> plain = write_npy_f64(v.x, {15, 4});
  const std::vector<std::byte> whole = write_npy_f64(table, {15, 5});
  for (const auto& [bytes, labels] :
       {std::pair{whole, std::vector<std::byte>()}, {bytes_of(csv), {}}, {plain, write_npy_f64(v.label, {15})}}) {
    const Result<Latents> read = read_latents(bytes, "f", labels, "g");
    REQUIRE_MESSAGE(read.ok(), (read.ok() ? "" : read.error().text()));
    CHECK(read->values == npz.values);
    CHECK(read->label == npz.label);
    CHECK(read->classes == npz.classes);
    CHECK((read->sha256 == sha256_hex(bytes)) == labels.empty());
  }
  for (const auto& [bytes, labels] : {std::pair{bytes_of(named), std::vector<std::byte>()}, {plain, bytes_of(words)}}) {
    const Result<Latents> read = read_latents(bytes, "f", labels, "g");
    REQUIRE_MESSAGE(read.ok(), (read.ok() ? "" : read.error().text()));
    CHECK(read->values == npz.values);
    CHECK(read->classes == std::vector<std::string>{"x", "y", "z"});
    CHECK(read->label[0] == 2);
    CHECK(read->label[1] == 0);
  }
  const Result<Latents> still = read_latents(bytes_of("7,7,7,a\n1e308,-1e308,0,b\n"), "f");
  REQUIRE(still.ok());
  CHECK(still->constant == 1);
  CHECK(still->values == std::vector<float>{0, 0, 0, 1, 0, 0.5f});
}

TEST_CASE("memory tasks: files of vectors that cannot be used say why") {
  const auto has = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  CHECK(has(refused(bytes_of("1,2,a\n3,4,a\n")), "1 class"));
  CHECK(has(refused(bytes_of("1,2,a\n3,nan,b\n")), "line 2, field 2: 'nan'"));
  CHECK(has(refused(bytes_of("1,2,a\n3,b\n")), "line 2 has 2 fields"));
  CHECK(has(refused(bytes_of("1\n2\n")), "no labels"));
  CHECK(has(refused(bytes_of("x,y2,z\n1,2,0\n")), "without a column called label"));
  CHECK(has(refused(bytes_of("1,2,a\n3,4,b\n"), bytes_of("a\nb\nc\n")), "line 2, field 3: 'b'"));
  CHECK(has(refused(bytes_of("1,2\n3,4\n"), bytes_of("a\nb\nc\n")), "2 vectors, but there are 3 labels"));
  CHECK(has(refused(bytes_of("")), "holds no vectors"));
  CHECK(has(refused(bytes_of(std::string("\x89HDF\r\n\x1a\n\0\0", 10))), "neither"));
  const double inf = std::numeric_limits<double>::infinity();
  CHECK(has(refused(write_npy_f64(std::vector<double>{1, 2, 0, 3, inf, 1}, {2, 3})), "row 1, column 1"));
  CHECK(has(refused(write_npy_f64(std::vector<double>{1, 2, 0.5, 3, 4, 1}, {2, 3})), "last column holds 0.5"));
  CHECK(has(refused(write_npy_f64(std::vector<double>(8, 1), {2, 2, 2})), "3 dimensions"));
  const auto x = write_npy_f64(std::vector<double>{1, 2, 3, 4}, {2, 2});
  const auto y = write_npy_i32(std::vector<int32_t>{0, 1, 1}, {3});
  CHECK(has(refused(write_zip({{"x.npy", x}})), "no array of labels"));
  CHECK(has(refused(write_zip({{"y.npy", y}})), "no matrix"));
  CHECK(has(refused(write_zip({{"x.npy", x}, {"y.npy", y}})), "2 vectors, but there are 3 labels"));
  CHECK(has(refused(write_zip({{"a.npy", x}, {"b.npy", x}, {"y.npy", y}})), "several matrices"));
  CHECK(has(refused(write_zip({{"x.npy", x}, {"y.npy", y}}), y), "give it alone"));
  CHECK(has(refused(write_npy_f64(std::vector<double>(2 * 4098, 1), {2, 4098})), "4097 numbers"));
  std::string many;
  for (int k = 0; k < 4098; ++k) many += "1,2,c" + std::to_string(k) + "\n";
  CHECK(has(refused(bytes_of(many)), "more than 4096 different labels"));
  // Cut off anywhere, a file is refused or read, never more.
  const Vectors v = vectors(3, 3);
  const auto good = write_zip({{"z.npy", write_npy_f64(v.x, {9, 4})}, {"y.npy", write_npy_f64(v.label, {9})}});
  REQUIRE(refused(good).empty());
  for (size_t size = 0; size < good.size(); size += 7)
    CHECK(!refused(std::vector<std::byte>(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))).empty());
}

TEST_CASE("memory tasks: n-back on latent vectors shows the identical vector, or another one of its class") {
  const Latents latents = latents_of(10, 4);
  for (const bool different : {false, true}) {
    const Spec spec = memory_spec(
        "n-back-latent", std::string(R"(,"length":5,"back":3,"different_match":)") + (different ? "true" : "false"));
    const Dataset data = latent_data(spec, latents);
    CHECK(data.channel_names.size() == 5);
    CHECK(data.sha256 == latents.sha256);
    CHECK(data.notes.size() == 2);
    CHECK(data.loss == Loss::cross_entropy);
    CHECK(data.output_names == std::vector<std::string>{"none", "non-match", "match"});
    for (const Trials* t : {&data.train, &data.validation, &data.held_out}) {
      REQUIRE(t->steps == 7);
      REQUIRE(t->inputs == 5);
      int64_t matches = 0;
      for (int64_t n = 0; n < t->count; ++n) {
        const auto number = [&](int64_t k, int64_t e) { return std::lround(100 * t->input[(n * 7 + k) * 5 + 1 + e]); };
        for (int64_t k = 0; k < 7; ++k) CHECK(t->input[(n * 7 + k) * 5] == (k == 5 ? 1.0f : 0.0f));
        for (int64_t e = 0; e < 4; ++e) {
          CHECK(number(5, e) == 0);
          CHECK(number(6, e) == 0);
        }
        for (int64_t k = 0; k < 5; ++k) CHECK((number(k, 2) >= 8) == (t == &data.held_out));  // the last fifth
        const bool match = number(1, 1) == number(4, 1);
        for (int64_t k : {0, 2, 3}) CHECK(number(k, 1) != number(4, 1));
        if (match) CHECK((number(1, 2) == number(4, 2)) == !different);
        CHECK(t->label[n * 7 + 6] == (match ? 2 : 1));
        CHECK(std::count(t->label.begin() + n * 7, t->label.begin() + n * 7 + 6, -1) == 6);
        matches += match ? 1 : 0;
      }
      CHECK(matches == (t->count + 1) / 2);
    }
  }
  // Too few of a class to keep some apart: all trials show all, and that is said.
  const Latents few = latents_of(1, 3);
  CHECK(parts_of(few, false).shared);
  const Spec plain = memory_spec("n-back-latent");
  CHECK(latent_data(plain, few).notes.back().find("too few") != std::string::npos);
  Spec other = plain;
  other.task.different_match = true;
  CHECK(make_dataset(other, nullptr, 0, nullptr, &few).error().path == "task.different_match");
  CHECK(make_dataset(plain, nullptr, 0).error().path == "task.file");
  other = plain;
  other.task.sha256 = std::string(64, '0');
  CHECK(make_dataset(other, nullptr, 0, nullptr, &few).error().path == "task.sha256");
  other = plain;
  other.network.input_mask = true;
  CHECK(check_spec(other).empty());
  CHECK(make_dataset(other, nullptr, 0, nullptr, &few).error().path == "network.input_mask");
  CHECK(latent_data(plain, latents).train.input == latent_data(plain, latents).train.input);
  CHECK(latent_data(plain, latents, 1).train.input != latent_data(plain, latents).train.input);
}

TEST_CASE("memory tasks: a network learns to tell matches among latent vectors, and goes on from its session") {
  const Latents latents = latents_of(10, 3);
  const Spec spec =
      spec_of(R"({"dalea":1,"populations":[{"name":"E","size":32,"sign":"+"},{"name":"I","size":8,"sign":"-"}],)"
              R"("task":{"type":"n-back-latent","length":2,"back":1,"train":300,"validation":20,"held_out":60},)"
              R"("training":{"epochs":6,"batch":20,"clip":1,"optimizer":{"lr":0.003}}})");
  const auto make = [&] { return std::move(*Trainer::create(spec, latent_data(spec, latents), 0, {})); };
  auto whole = make(), half = make();
  train_to_end(*whole);
  const double start = whole->history().front().held_out;
  CHECK(whole->evaluate().held_out < start);
  for (int k = 0; k < 40; ++k) half->step();
  Result<Session> session = read_session(write_session(*half, "test"), "s.npz");
  REQUIRE_MESSAGE(session.ok(), (session.ok() ? "" : session.error().text()));
  CHECK(session->provenance.data_sha256 == latents.sha256);
  auto again = make();
  REQUIRE(again->restore(std::move(session->state)).ok());
  CHECK(train_to_end(*again) == whole->hash());
}
