#include <cmath>
#include <limits>

#include "helpers.h"

using namespace dalea;
using namespace dalea::testing;

namespace {

const std::string four_epochs = R"("epochs":4,"batch":13,"optimizer":{"lr":0.01})";

std::string with(const std::string& constraint) {
  return four_epochs + R"(,"constraint":")" + constraint + "\"";
}

}  // namespace

TEST_CASE("Dale's law holds after every single update, whatever the optimizer") {
  for (const char* optimizer : {"adam", "sgd", "rmsprop"}) {
    const std::string training = R"("epochs":6,"batch":9,"constraint":"dale","optimizer":{"type":")" +
                                 std::string(optimizer) + R"(","lr":0.05})";
    auto trainer = trainer_of(spec_of(tiny_json(training)));
    int64_t changed = 0;
    while (!trainer->finished()) {
      trainer->step();
      REQUIRE(trainer->audit().sign == 0);
      for (float v : trainer->model().parameters.W_rec.values) changed += v == 0;
    }
    CHECK(changed > 0);  // the projection had something to do
    CHECK(trainer->failure() == "");
  }
}

TEST_CASE("the projection is idempotent and writes +0") {
  auto trainer = trainer_of(spec_of(tiny_json(with("conventional") + R"(,"clip":0)")));
  train_to_end(*trainer);
  CHECK(trainer->audit().sign > 0);  // unconstrained training crosses zero
  Weights w = trainer->model().parameters.W_rec;
  project_signs(w, trainer->model().sign);
  const Weights once = w;
  project_signs(w, trainer->model().sign);
  CHECK(w.values == once.values);
  for (float v : w.values) CHECK((v != 0 || !std::signbit(v)));
}

TEST_CASE("a seed gives one hash, another seed and another run give others") {
  const std::string json = tiny_json(with("dale"));
  const uint64_t first = train_to_end(*trainer_of(spec_of(json)));
  CHECK(train_to_end(*trainer_of(spec_of(json))) == first);
  Spec other = spec_of(json);
  other.seed = 2;
  CHECK(train_to_end(*trainer_of(other)) != first);
  other = spec_of(json);
  other.runs = 2;
  CHECK(train_to_end(*trainer_of(other, {}, 1)) != first);
}

TEST_CASE("instruction sets, threads, time-step advance and poisoned buffers give the same bits") {
  const std::string leaky =
      R"({"dalea":1,"populations":[{"name":"E","size":16,"sign":"+","tau_s":0.1},{"name":"I","size":5,"sign":"-"}],)"
      R"("network":{"noise":0.05,"activation":"softplus"},"connectivity":{"probability":[[0.5,1],[0.4,0.3]]},)"
      R"("task":{"steps":9,"train":50,"validation":20,"held_out":20},"training":{"epochs":2,"batch":39,)"
      R"("rate_l2":0.01,"weight_l2":0.001,"clip":1}})";
  for (const std::string& json : {tiny_json(with("dale")), tiny_json(with("rectified")),
                                  tiny_json(with("rectified-forward") + R"(,"loss":"cross-entropy")"), leaky,
                                  tiny_json(with("dale"), R"(,"network":{"input_mask":false,"biases":false})")}) {
    const Spec spec = spec_of(json);
    TrainerOptions scalar;
    scalar.isa = Isa::scalar;
    const uint64_t expected = train_to_end(*trainer_of(spec, scalar));
    for (Isa isa : available_isas()) {
      for (int threads : {1, 2, 3, 8}) {
        TrainerOptions options;
        options.isa = isa;
        options.threads = threads;
        options.poison = threads == 2;
        CHECK_MESSAGE(train_to_end(*trainer_of(spec, options)) == expected, isa_name(isa), " ", threads);
      }
    }
    auto slow = trainer_of(spec);
    while (!slow->finished()) slow->advance();
    CHECK(slow->hash() == expected);
    auto mixed = trainer_of(spec);  // time steps of work, then whole updates, in the middle of a minibatch
    while (!mixed->finished()) {
      for (int k = 0; k < 5; ++k) mixed->advance();
      mixed->step();
    }
    CHECK(mixed->hash() == expected);
  }
}

TEST_CASE("a mask stored dense or sparse gives the same bits, and nothing grows off the mask") {
  for (const char* constraint : {"dale", "conventional", "rectified", "rectified-forward"}) {
    uint64_t hashes[2];
    int k = 0;
    for (const char* storage : {"dense", "sparse"}) {
      auto trainer = trainer_of(
          spec_of(tiny_json(with(constraint) + R"(,"clip":0.5,"weight_l2":0.01)",
                            std::string(R"(,"connectivity":{"probability":0.3,"self_connections":false,"storage":")") +
                                storage + "\"}")));
      CHECK(trainer->model().parameters.W_rec.sparse() == (k == 1));
      hashes[k++] = train_to_end(*trainer);
      CHECK(trainer->audit().mask == 0);
    }
    CHECK_MESSAGE(hashes[0] == hashes[1], constraint);
  }
}

TEST_CASE("resume from a session file equals no interruption") {
  const Spec spec = spec_of(tiny_json(R"("epochs":5,"batch":11,"constraint":"rectified-forward")",
                                      R"(,"connectivity":{"probability":0.25},"network":{"noise":0.1})"));
  const uint64_t expected = train_to_end(*trainer_of(spec));
  Rng where(7, Purpose::test);
  for (int trial = 0; trial < 20; ++trial) {
    auto trainer = trainer_of(spec);
    const uint32_t updates = where.below(32);
    for (uint32_t k = 0; k < updates && !trainer->finished(); ++k) trainer->step();
    const std::vector<std::byte> bytes = write_session(*trainer, "test");
    Result<Session> session = read_session(bytes, "session.npz");
    REQUIRE_MESSAGE(session.ok(), (session.ok() ? "" : session.error().text()));
    auto resumed = trainer_of(session->spec);
    const Status restored = resumed->restore(std::move(session->state));
    REQUIRE(restored.ok());
    CHECK(resumed->hash() == trainer->hash());
    CHECK(train_to_end(*resumed) == expected);
    CHECK(history_csv(resumed->history()).size() > 100);
  }
}

TEST_CASE("a damaged session is refused with its file and entry") {
  auto trainer = trainer_of(spec_of(tiny_json(four_epochs)));
  trainer->step();
  const std::vector<std::byte> bytes = write_session(*trainer, "test");
  for (size_t cut = 0; cut < bytes.size(); cut += 64) {
    Result<Session> session = read_session(std::span(bytes).first(cut), "cut.npz");
    REQUIRE_FALSE(session.ok());
    CHECK(session.error().text().find("cut.npz") != std::string::npos);
  }
  for (size_t at = 0; at < bytes.size(); at += 97) {  // a flipped bit is an error or harmless, never a crash
    std::vector<std::byte> flipped = bytes;
    flipped[at] ^= std::byte{0x10};
    Result<Session> session = read_session(flipped, "flipped.npz");
    if (session.ok()) CHECK(hash_of(session->state.parameters) == trainer->hash());
  }
}

TEST_CASE("a run that leaves the finite numbers stops, says where and keeps the last good state") {
  auto trainer = trainer_of(spec_of(tiny_json(R"("epochs":50,"batch":20,"optimizer":{"type":"sgd","lr":1e30})",
                                              R"(,"network":{"activation":"relu"})")));
  while (!trainer->finished()) trainer->step();
  INFO(trainer->failure());
  CHECK(trainer->failure().find("epoch") != std::string::npos);
  CHECK(trainer->failure().find("batch") != std::string::npos);
  CHECK(trainer->failure().find("not finite") != std::string::npos);
  CHECK(first_not_finite(trainer->model().parameters) == "");
  CHECK(trainer->step() == Trainer::Event::failed);
}

TEST_CASE("rectified as published destroys inhibition (SEEDS 1.4)") {
  auto trainer = trainer_of(spec_of(tiny_json(R"("epochs":3,"batch":20,"constraint":"rectified")")));
  const auto mean_inhibitory = [](const Parameters& p) {
    double sum = 0;
    for (int64_t j = 16; j < 20; ++j)
      for (int64_t i = 0; i < 20; ++i) sum += std::fabs(static_cast<double>(p.W_rec.at(i, j)));
    return sum / 80;
  };
  const double before = mean_inhibitory(trainer->model().parameters);
  train_to_end(*trainer);
  CHECK(mean_inhibitory(trainer->model().parameters) < before / 20);
}

TEST_CASE("the recurrent nonlinearity: published per condition, or equal in all") {
  for (const char* constraint : {"dale", "conventional", "rectified", "rectified-forward"}) {
    const bool dale = std::string(constraint) == "dale";
    CHECK(trainer_of(spec_of(tiny_json(with(constraint))))->model().rectified == dale);
    CHECK(
        trainer_of(spec_of(tiny_json(with(constraint), R"(,"network":{"feedback":"rectified"})")))->model().rectified);
    CHECK_FALSE(
        trainer_of(spec_of(tiny_json(with(constraint), R"(,"network":{"feedback":"plain"})")))->model().rectified);
  }
}

TEST_CASE("training learns: the loss of a small flip-flop falls by half") {
  auto trainer = trainer_of(spec_of(tiny_json(R"("epochs":60,"batch":20,"optimizer":{"lr":0.01})")));
  const double before = trainer->evaluate().held_out;
  train_to_end(*trainer);
  CHECK(trainer->evaluate().held_out < before / 2);
  CHECK(trainer->history().back().held_out == doctest::Approx(trainer->evaluate().held_out).epsilon(1e-12));
  CHECK(trainer->evaluate().published == trainer->history().back().held_out_published);
}

TEST_CASE("initial weights: SEEDS 1.2") {
  const Spec spec = spec_of(R"({"dalea":1})");
  const auto trainer = trainer_of(spec);
  const Weights& w = trainer->model().parameters.W_rec;
  const float bound = static_cast<float>(1 / std::sqrt(128.0));
  double row_sum = 0;
  for (int64_t j = 0; j < 128; ++j)
    for (int64_t i = 0; i < 128; ++i) {
      const float v = w.at(i, j);
      CHECK((j < 102 ? v >= 0 && v < bound : v <= 0 && v >= -bound));
      row_sum += static_cast<double>(v) / 128;
    }
  CHECK(row_sum == doctest::Approx(3.36).epsilon(0.03));
  Spec balanced = spec;
  balanced.network.balanced = true;
  double balanced_sum = 0;
  const auto balanced_trainer = trainer_of(balanced);
  for (float v : balanced_trainer->model().parameters.W_rec.values) balanced_sum += static_cast<double>(v) / 128;
  CHECK(std::fabs(balanced_sum) < 0.35);
}

TEST_CASE("learning rates of the schedules") {
  TrainingSpec t;
  t.schedule = {"cosine", 10, 1e-4};
  CHECK(learning_rate(t, 0) == doctest::Approx(1e-3));
  CHECK(learning_rate(t, 5) == doctest::Approx(5.5e-4));
  CHECK(learning_rate(t, 10) == doctest::Approx(1e-4));
  CHECK(learning_rate(t, 15) == doctest::Approx(5.5e-4));  // not restarted: it oscillates
  CHECK(learning_rate(t, 20) == doctest::Approx(1e-3));
  t.schedule.type = "cosine-restarts";
  CHECK(learning_rate(t, 9) < 2e-4);
  CHECK(learning_rate(t, 10) == doctest::Approx(1e-3));
}
