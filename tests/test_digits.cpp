#include <zlib.h>

#include <algorithm>
#include <cmath>

#include "helpers.h"
#include "pruning/sweep.h"
#include "session/npz.h"
#include "tasks/digits.h"

using namespace dalea;
using namespace dalea::testing;

namespace {

using Bytes = std::vector<std::byte>;

Bytes idx(uint8_t dimensions, const std::vector<uint32_t>& sizes, const std::vector<uint8_t>& values) {
  Bytes bytes = {std::byte{0}, std::byte{0}, std::byte{8}, std::byte{dimensions}};
  for (uint32_t n : sizes)
    for (int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<std::byte>(n >> shift & 255));
  for (uint8_t v : values) bytes.push_back(std::byte{v});
  return bytes;
}

Bytes gzipped(const Bytes& bytes) {
  Bytes packed(bytes.size() + 4096);
  z_stream s{};
  REQUIRE(deflateInit2(&s, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  s.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
  s.avail_in = static_cast<uInt>(bytes.size());
  s.next_out = reinterpret_cast<Bytef*>(packed.data());
  s.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&s, Z_FINISH) == Z_STREAM_END);
  const size_t size = packed.size() - s.avail_out;
  deflateEnd(&s);
  return Bytes(packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(size));
}

// `count` digits of 4 x 3 pixels; pixel e of digit n is (7 n + 21 e) mod 256, its label 3 n mod 10.
struct Files {
  explicit Files(uint32_t count) {
    std::vector<uint8_t> pixels, digit_labels;
    for (uint32_t n = 0; n < count; ++n) {
      for (uint32_t e = 0; e < 12; ++e) pixels.push_back(static_cast<uint8_t>(7 * n + 21 * e));
      digit_labels.push_back(static_cast<uint8_t>(3 * n % 10));
    }
    images = idx(3, {count, 4, 3}, pixels);
    labels = idx(1, {count}, digit_labels);
  }
  Result<DigitSet> read() const { return read_digit_set(images, "images", labels, "labels"); }
  Bytes images, labels;
};

Digits small_digits(uint32_t train, uint32_t test) {
  return {*Files(train).read(), *Files(test).read()};
}

Spec small_spec(const std::string& task, const std::string& training) {
  return spec_of(R"({"dalea":1,"populations":[{"name":"E","size":3,"sign":"+"},{"name":"I","size":1,"sign":"-"}],)"
                 R"("task":{"type":"digits","steps":4,)" +
                 task + R"(},"training":{)" + training + "}}");
}

std::string refused(const Bytes& images, const Bytes& labels) {
  const Result<DigitSet> set = read_digit_set(images, "images", labels, "labels");
  return set.ok() ? "accepted" : set.error().text();
}

}  // namespace

TEST_CASE("digits: an IDX file's values arrive, plain or gzipped") {
  const Files files(23);
  for (bool packed : {false, true}) {
    const Result<DigitSet> set =
        packed ? read_digit_set(gzipped(files.images), "images", gzipped(files.labels), "labels") : files.read();
    REQUIRE_MESSAGE(set.ok(), (set.ok() ? "" : set.error().text()));
    CHECK(set->count == 23);
    CHECK(set->rows == 4);
    CHECK(set->cols == 3);
    REQUIRE(set->pixels.size() == 23 * 12);
    CHECK(set->pixels[5 * 12 + 7] == (7 * 5 + 21 * 7) % 256);
    CHECK(set->labels == std::vector<uint8_t>{0, 3, 6, 9, 2, 5, 8, 1, 4, 7, 0, 3, 6, 9, 2, 5, 8, 1, 4, 7, 0, 3, 6});
  }
}

TEST_CASE("digits: a row of pixels a step, the class at the last one, parts that share no digit (SEEDS 2.3)") {
  const Digits digits = small_digits(30, 9);
  const Spec spec = small_spec(R"("train":20,"validation":6,"held_out":5)", R"("batch":5)");
  Result<Dataset> made = make_dataset(spec, nullptr, 3, &digits);
  REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.error().text()));
  CHECK(made->loss == Loss::cross_entropy);
  CHECK(made->unit == "nats");
  CHECK(made->ends.outputs == 10);
  CHECK(made->ends.output == Activation::identity);
  CHECK(made->output_names.back() == "9");
  CHECK(made->channel_names.size() == 3);
  int64_t first = 0;  // digit of the file
  for (const Trials* t : {&made->train, &made->validation, &made->held_out}) {
    if (t == &made->held_out) first = 0;  // of the test file
    CHECK(t->steps == 4);
    CHECK(t->inputs == 3);
    REQUIRE(t->input.size() == static_cast<size_t>(t->count * 12));
    REQUIRE(t->label.size() == static_cast<size_t>(t->count * 4));
    for (int64_t n = 0; n < t->count; ++n, ++first) {
      for (int64_t e = 0; e < 12; ++e)
        CHECK(t->input[n * 12 + e] == static_cast<float>((7 * first + 21 * e) % 256) / 255.0f);
      for (int64_t step = 0; step < 3; ++step) CHECK(t->label[n * 4 + step] == -1);
      CHECK(t->label[n * 4 + 3] == 3 * first % 10);
    }
  }
  CHECK(first == 5);
  const float top = *std::max_element(made->train.input.begin(), made->train.input.end());
  CHECK(top <= 1.0f);
  CHECK(top > 0.95f);
  // Files cut off after the digits used, and other runs, give the same data and the same hash of it.
  const Digits fewer = small_digits(26, 5);
  Result<Dataset> again = make_dataset(spec, nullptr, 0, &fewer);
  REQUIRE(again.ok());
  CHECK(again->sha256 == made->sha256);
  CHECK(again->train.input == made->train.input);
  CHECK(again->held_out.label == made->held_out.label);
  Spec stated = spec;
  stated.task.sha256 = made->sha256;
  CHECK(make_dataset(stated, nullptr, 0, &digits).ok());
  Digits changed = digits;
  changed.train.pixels[25 * 12] ^= 1;
  CHECK(make_dataset(stated, nullptr, 0, &changed).error().text().find("task.sha256") == 0);
  changed = digits;
  changed.train.pixels[26 * 12] ^= 1;  // not used
  CHECK(make_dataset(stated, nullptr, 0, &changed).ok());
}

TEST_CASE("digits: the published setting is the task's own; a part left over validates") {
  const Spec published = spec_of(R"({"dalea":1,"task":{"type":"digits"}})");
  CHECK(published.task.steps == 28);
  CHECK(published.task.train == 60000);
  CHECK(published.task.validation == 0);
  CHECK(published.task.held_out == 10000);
  CHECK(published.training.batch == 200);
  CHECK(published.training.epochs == 50);
  CHECK(published.training.loss == "cross-entropy");
  CHECK(print_spec(published, true) == R"({"dalea":1,"task":{"type":"digits"}})");
  CHECK(spec_of(R"({"dalea":1,"task":{"type":"digits","train":58000}})").task.validation == 2000);
  CHECK(spec_of(R"({"dalea":1,"task":{"type":"digits","train":1000}})").task.validation == 5000);
  CHECK(spec_of(R"({"dalea":1})").training.loss == "mse");
  const auto problem = [](const std::string& json) {
    const ParsedSpec parsed = parse_spec(json);
    return parsed.problems.empty() ? "none" : parsed.problems.front().text();
  };
  CHECK(problem(R"({"dalea":1,"task":{"type":"digits"},"training":{"loss":"mse"}})").find("training.loss") == 0);
  CHECK(problem(R"({"dalea":1,"task":{"type":"digits","sha256":"abc"}})").find("task.sha256") == 0);
  CHECK(problem(R"({"dalea":1,"task":{"type":"wave"},"training":{"loss":"cross-entropy"}})").find("digits") !=
        std::string::npos);
}

TEST_CASE("digits: links carry no folder and open none") {
  Spec spec = spec_of(R"({"dalea":1,"task":{"type":"digits","folder":"/home/me/digits"}})");
  const Result<std::string> json = decode_link(encode_link(spec));
  REQUIRE(json.ok());
  CHECK(json->find("home") == std::string::npos);
  // {"dalea":1,"task":{"type":"digits","folder":"/x"}}
  const Result<std::string> bad =
      decode_link("v1=eNqrVkpJzElNVLIy1FEqSSzOVrKqViqpLEhVslJKyUzPLClW0lFKy89JSS0CiuhXKNXWAgCXUhAN");
  REQUIRE_FALSE(bad.ok());
  CHECK_MESSAGE(bad.error().text().find("never open local files") != std::string::npos, bad.error().text());
}

TEST_CASE("digits: asking for more than there is, or for another shape, is an error with a remedy") {
  const Digits digits = small_digits(30, 9);
  const auto error = [&](const std::string& task, const Digits* given) {
    const Result<Dataset> r = make_dataset(small_spec(task, R"("batch":1)"), nullptr, 0, given);
    return r.ok() ? "accepted" : r.error().text();
  };
  CHECK(error(R"("train":31,"validation":1,"held_out":5)", &digits).find("task.train: and task.validation ask") == 0);
  CHECK(error(R"("train":25,"validation":6,"held_out":5)", &digits).find("holds 30") != std::string::npos);
  CHECK(error(R"("train":25,"validation":5,"held_out":10)", &digits).find("task.held_out") == 0);
  CHECK(error(R"("train":25,"validation":5,"held_out":9)", &digits) == "accepted");
  CHECK(error(R"("train":25,"validation":5,"held_out":9)", nullptr).find("needs the digits") != std::string::npos);
  Spec other = small_spec(R"("train":25,"validation":5,"held_out":9)", R"("batch":1)");
  other.task.steps = 28;
  CHECK(make_dataset(other, nullptr, 0, &digits).error().text().find("task.steps: is 28") == 0);
  Digits mixed = digits;
  mixed.test.rows = 3;
  mixed.test.cols = 4;
  other.task.steps = 4;
  CHECK(make_dataset(other, nullptr, 0, &mixed).error().text().find("one set") != std::string::npos);
}

TEST_CASE("digits: hostile files are refused before anything large is allocated") {
  const Files files(40);
  CHECK(refused(files.images, files.labels) == "accepted");
  CHECK(refused(files.labels, files.labels).find("images: is not an IDX file of images") == 0);
  CHECK(refused(files.images, files.images).find("labels: is not an IDX file of labels") == 0);
  CHECK(refused(Bytes(100, std::byte{'x'}), files.labels).find("78 78 78 78") != std::string::npos);
  CHECK(refused({}, files.labels).find("nothing") != std::string::npos);
  CHECK(refused(files.images, Files(39).labels).find("labels 39") != std::string::npos);
  const Bytes packed_images = gzipped(files.images), packed_labels = gzipped(files.labels);
  for (const Bytes* whole : {&files.images, &packed_images})
    for (size_t size = 0; size < whole->size(); size += 16) {
      const Bytes cut(whole->begin(), whole->begin() + static_cast<std::ptrdiff_t>(size));
      const std::string error = refused(cut, files.labels);
      CHECK_MESSAGE(error.find("images: ") == 0, size);
    }
  for (size_t size = 0; size < packed_labels.size(); ++size)
    CHECK(refused(files.images, Bytes(packed_labels.begin(),
                                      packed_labels.begin() + static_cast<std::ptrdiff_t>(size))) != "accepted");
  for (size_t at = 0; at < packed_images.size(); ++at) {  // an error, or one of the header's idle bits; never a crash
    Bytes flipped = packed_images;
    flipped[at] ^= std::byte{0x10};
    if (refused(flipped, files.labels) == "accepted") CHECK(at < 10);
  }
  Bytes longer = files.images;
  longer.push_back(std::byte{0});
  CHECK(refused(longer, files.labels).find("longer than its header") != std::string::npos);
  longer = packed_images;
  longer.push_back(std::byte{0});
  CHECK(refused(longer, files.labels).find("does not end where") != std::string::npos);
  // Two thousand million digits in a few bytes.
  for (bool packed : {false, true}) {
    const Bytes images = idx(3, {0x80000000u, 28, 28}, {1, 2, 3}), labels = idx(1, {0x80000000u}, {1, 2, 3}),
                most = idx(3, {0xffffffffu, 1024, 1024}, {}), some = idx(3, {40, 600, 600}, {});
    const auto file = [&](const Bytes& b) { return packed ? gzipped(b) : b; };
    CHECK(refused(file(images), files.labels).find("more than the") != std::string::npos);
    CHECK(refused(files.images, file(labels)).find("more than the") != std::string::npos);
    CHECK(refused(file(most), files.labels).find("more than the") != std::string::npos);
    CHECK(refused(file(some), files.labels).find("too few") != std::string::npos);
  }
  CHECK(refused(idx(3, {40, 4000, 3}, {}), files.labels).find("4000 rows") != std::string::npos);
  CHECK(refused(idx(3, {40, 4, 0}, {}), files.labels).find("0 columns") != std::string::npos);
  CHECK(refused(files.images, idx(1, {2}, {9, 10})).find("label 10 at digit 1") != std::string::npos);
  // A gzip bomb: 64 MB of zeros behind a header of 40 digits, and behind one of none.
  Bytes zeros = idx(3, {40, 4, 3}, {});
  zeros.resize(64000000);
  CHECK(refused(gzipped(zeros), files.labels).find("does not end where") != std::string::npos);
  zeros[4] = zeros[5] = zeros[6] = zeros[7] = std::byte{0};
  CHECK(refused(gzipped(zeros), files.labels).find("does not end where") != std::string::npos);
}

TEST_CASE("accuracy counts right answers exactly, at every place that reports it") {
  // One unit sees the first pixel of the last row; above it the network answers 7, else 3, by what is set below.
  Digits digits = small_digits(20, 12);
  const std::vector<uint8_t> seen = {255, 0, 255, 0, 255, 255, 0, 0, 255, 0, 255, 0};
  digits.test.labels = {7, 3, 7, 3, 7, 3, 3, 7, 1, 1, 7, 3};
  for (size_t n = 0; n < 12; ++n) digits.test.pixels[n * 12 + 9] = seen[n];
  const Spec spec = small_spec(R"("train":10,"validation":4,"held_out":12)",
                               R"("batch":5,"epochs":1,"constraint":"conventional","optimizer":{"type":"sgd","lr":0})");
  const auto network = [&](int threads) {
    Result<Dataset> data = make_dataset(spec, nullptr, 0, &digits);
    REQUIRE(data.ok());
    TrainerOptions options;
    options.threads = threads;
    Result<std::unique_ptr<Trainer>> made = Trainer::create(spec, std::move(*data), 0, options);
    REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.error().text()));
    TrainerState state = (*made)->state();
    for (Weights* w : state.parameters.all()) std::fill(w->values.begin(), w->values.end(), 0.0f);
    state.parameters.W_in.values[0] = 1;          // unit 0 from column 0
    state.parameters.W_out[0].values[0 + 7] = 5;  // class 7 from unit 0
    state.parameters.b_out[0].values[3] = 1;      // class 3 without a reason
    REQUIRE((*made)->restore(std::move(state)).ok());
    return std::move(*made);
  };
  auto trainer = network(2);
  const Losses losses = trainer->evaluate();
  const Confusion& c = losses.held_out_answers;
  REQUIRE(c.classes == 10);
  std::vector<int64_t> expected(100, 0);
  for (size_t n = 0; n < 12; ++n) ++expected[static_cast<size_t>(digits.test.labels[n]) * 10 + (seen[n] ? 7 : 3)];
  CHECK(c.count == expected);
  CHECK(c.accuracy() == 8.0 / 12);
  CHECK(c.accuracy_of(7) == 4.0 / 5);
  CHECK(c.accuracy_of(3) == 4.0 / 5);
  CHECK(c.accuracy_of(1) == 0);
  CHECK(std::isnan(c.accuracy_of(2)));
  // The loss is the mean over trials of log(sum of exp) - the label's output.
  double sum = 0, last = 0;
  for (size_t n = 0; n < 12; ++n) {
    const double seven = seen[n] ? 5 * std::tanh(1.0) : 0, all = 8 + std::exp(1.0) + std::exp(seven);
    const int label = digits.test.labels[n];
    const double loss = std::log(all) - (label == 7 ? seven : label == 3 ? 1.0 : 0.0);
    sum += loss;
    if (n >= 10) last += loss / 2;
  }
  CHECK(losses.held_out == doctest::Approx(sum / 12).epsilon(1e-6));
  CHECK(losses.published == doctest::Approx(last).epsilon(1e-6));  // as published: of the last batch (SEEDS Q18)

  // Pruned networks too: all of the split, or as published its last minibatch; without recurrence nothing changes here.
  for (bool as_published : {false, true}) {
    SweepOptions options;
    options.methods = {PruneMethod::random};
    options.sparsities = {0, 1};
    options.as_published = as_published;
    Workers workers(2);
    Result<Sweep> s = sweep(trainer->spec(), trainer->model(), trainer->data(), 0, options, best_isa(), workers);
    REQUIRE_MESSAGE(s.ok(), (s.ok() ? "" : s.error().text()));
    const double right = as_published ? 1.0 : 8.0 / 12;
    CHECK(s->dense_accuracy == right);
    REQUIRE(s->points.size() == 2);
    for (const SweepPoint& p : s->points) {
      CHECK(p.accuracy == right);
      CHECK(p.accuracy_sd == 0);
      CHECK(p.draws.at(0).accuracy == right);
    }
  }

  CHECK(trainer->confusion().classes == 0);
  train_to_end(*trainer);
  REQUIRE(trainer->history().size() == 1);
  const EpochRecord& row = trainer->history()[0];
  CHECK(row.held_out_accuracy == 8.0 / 12);
  CHECK(row.validation_accuracy == losses.validation_answers.accuracy());
  CHECK(row.held_out_published == losses.published);
  CHECK(trainer->confusion().count == expected);
  auto stepped = network(1);  // as a page without threads works
  while (!stepped->finished()) stepped->advance();
  CHECK(stepped->history()[0].held_out_accuracy == 8.0 / 12);
  CHECK(stepped->confusion().count == expected);

  const std::string csv = history_csv(trainer->history());
  CHECK(csv.find(",lr,validation_accuracy,held_out_accuracy\n") != std::string::npos);
  CHECK(csv.find(",0.66666666666666663\n") != std::string::npos);
  Result<Session> session = read_session(write_session(*trainer, "test"), "s.npz");
  REQUIRE_MESSAGE(session.ok(), (session.ok() ? "" : session.error().text()));
  CHECK(session->state.history[0].held_out_accuracy == 8.0 / 12);
  CHECK(session->provenance.data_sha256 == trainer->data().sha256);
}

TEST_CASE("accuracy: the flip-flop's three classes too; a session without it opens; no classes, no accuracy") {
  auto trainer = trainer_of(spec_of(tiny_json(R"("epochs":2,"batch":20,"loss":"cross-entropy")")));
  train_to_end(*trainer);
  const Confusion answers = trainer->evaluate().held_out_answers;
  CHECK(answers.classes == 3);
  int64_t all = 0;
  for (int64_t n : answers.count) all += n;
  CHECK(all == 20 * 7);  // every step of every held-out trial
  CHECK(trainer->history()[1].held_out_accuracy == answers.accuracy());
  // As an older version wrote it.
  Result<Entries> entries = read_zip(write_session(*trainer, "test"), "s.npz");
  REQUIRE(entries.ok());
  const size_t before = entries->size();
  std::erase_if(*entries, [](const auto& e) { return e.first.find("accuracy") != std::string::npos; });
  CHECK(entries->size() == before - 2);
  Result<Session> old = read_session(write_zip(*entries), "s.npz");
  REQUIRE_MESSAGE(old.ok(), (old.ok() ? "" : old.error().text()));
  CHECK(std::isnan(old->state.history[1].held_out_accuracy));
  CHECK(trainer->restore(std::move(old->state)).ok());

  auto plain = trainer_of(spec_of(tiny_json(R"("epochs":1,"batch":20)")));
  train_to_end(*plain);
  CHECK(plain->evaluate().held_out_answers.classes == 0);
  CHECK(std::isnan(plain->history()[0].held_out_accuracy));
  CHECK(history_csv(plain->history()).find("accuracy") == std::string::npos);
}

TEST_CASE("digits: without validation digits the rest trains, and its loss is no value") {
  const Digits digits = small_digits(20, 5);
  Spec spec = small_spec(R"("train":20,"validation":1,"held_out":5)", R"("batch":5,"epochs":3)");
  spec.task.validation = 0;  // as at all 60,000
  Result<Dataset> data = make_dataset(spec, nullptr, 0, &digits);
  REQUIRE(data.ok());
  Result<std::unique_ptr<Trainer>> made = Trainer::create(spec, std::move(*data), 0, {});
  REQUIRE(made.ok());
  Trainer& trainer = **made;
  train_to_end(trainer);
  CHECK(trainer.history().size() == 3);
  CHECK(std::isnan(trainer.history()[2].validation));
  CHECK(std::isnan(trainer.history()[2].validation_accuracy));
  CHECK(std::isfinite(trainer.history()[2].held_out));
  CHECK(history_csv(trainer.history()).find("nan") != std::string::npos);
  CHECK(trainer.audit().sign == 0);
}
