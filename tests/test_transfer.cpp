// Transfer (engine/session/transfer.h): what is kept of the parent, what is new, masks, refusals, resume to the same
// bits, what the session says; sweeps that start from a session.
#include <cstring>

#include "common/sweep_grid.h"
#include "helpers.h"
#include "session/transfer.h"

using namespace dalea;
using namespace dalea::testing;

namespace {

Spec child_spec(const std::string& more = "", const std::string& training = R"("epochs":2,"batch":16)") {
  return spec_of(R"({"dalea":1,"populations":[{"name":"E","size":16,"sign":"+"},{"name":"I","size":4,"sign":"-"}],)"
                 R"("task":{"type":"n-back","length":4,"train":64,"validation":16,"held_out":32},"training":{)" +
                 training + "}" + more + "}");
}

Dataset data_of(const Spec& spec) {
  Result<Dataset> data = make_dataset(spec, nullptr, 0);
  REQUIRE(data.ok());
  return std::move(*data);
}

std::string refused(const Parent& parent, const Spec& spec) {
  const Result<Transfer> t = transfer_to(parent, spec, data_of(spec).ends, 0);
  return t.ok() ? "" : t.error().text();
}

std::unique_ptr<Trainer> started(const Parent& parent, const Spec& spec) {
  Dataset data = data_of(spec);
  Result<Transfer> t = transfer_to(parent, spec, data.ends, 0);
  REQUIRE_MESSAGE(t.ok(), (t.ok() ? "" : t.error().text()));
  TrainerOptions options;
  start_from(std::move(*t), options);
  Result<std::unique_ptr<Trainer>> trainer = Trainer::create(spec, std::move(data), 0, options);
  REQUIRE_MESSAGE(trainer.ok(), (trainer.ok() ? "" : trainer.error().text()));
  return std::move(*trainer);
}

std::vector<float> dense(const Weights& w) {
  std::vector<float> values;
  for (int64_t j = 0; j < w.cols; ++j)
    for (int64_t i = 0; i < w.rows; ++i) values.push_back(w.at(i, j));
  return values;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("transfer: recurrent weights are the parent's, inputs and head are the experiment's own") {
  auto first = trained_tiny();
  const Parent parent = parent_of(*first, Keep::recurrent);
  const Spec spec = child_spec();
  auto child = started(parent, spec), own = trainer_of(spec);
  const Parameters &p = child->model().parameters, &from = first->model().parameters, &fresh = own->model().parameters;
  CHECK(same_bits(p.W_rec.values, from.W_rec.values));
  CHECK(same_bits(p.b_rec.values, from.b_rec.values));
  CHECK(same_bits(p.W_in.values, fresh.W_in.values));
  CHECK(same_bits(p.b_in.values, fresh.b_in.values));
  CHECK(same_bits(p.W_out[0].values, fresh.W_out[0].values));
  CHECK(p.W_in.cols == 2);
  CHECK(from.W_in.cols == 1);
  CHECK(p.W_out[0].rows == 3);
  CHECK(!child->own_mask());
  REQUIRE(child->origin() != nullptr);
  CHECK(child->origin()->hash == hash_text(first->hash()));
  CHECK(child->origin()->sha256.size() == 64);
  CHECK(own->origin() == nullptr);
  CHECK(train_to_end(*child) != train_to_end(*own));
  // Other weights, another sum; the same ones, the same sum.
  CHECK(parent_of(*first, Keep::recurrent).origin.sha256 == parent.origin.sha256);
  CHECK(parent_of(*child, Keep::recurrent).origin.sha256 != parent.origin.sha256);
}

TEST_CASE("transfer: frozen recurrent weights stay the parent's while the head learns") {
  auto first = trained_tiny();
  const Parent parent = parent_of(*first, Keep::recurrent);
  auto child = started(parent, child_spec(R"(,"network":{"train_recurrent":false})"));
  const std::vector<float> head = child->model().parameters.W_out[0].values;
  train_to_end(*child);
  CHECK(same_bits(child->model().parameters.W_rec.values, first->model().parameters.W_rec.values));
  CHECK(!same_bits(child->model().parameters.W_out[0].values, head));
  // Without the freeze they move.
  auto free = started(parent, child_spec());
  train_to_end(*free);
  CHECK(!same_bits(free->model().parameters.W_rec.values, first->model().parameters.W_rec.values));
}

TEST_CASE("transfer: input weights go along when channels are the same") {
  auto first = trainer_of(child_spec("", R"("epochs":1,"batch":16)"));
  train_to_end(*first);
  const Parent parent = parent_of(*first, Keep::recurrent_and_input);
  const Spec spec = spec_of(
      R"({"dalea":1,"seed":4,"populations":[{"name":"E","size":16,"sign":"+"},{"name":"I","size":4,"sign":"-"}],)"
      R"("task":{"type":"sequence-memory","length":3,"train":40,"held_out":10},"training":{"epochs":1,"batch":20}})");
  auto child = started(parent, spec);
  CHECK(same_bits(child->model().parameters.W_in.values, first->model().parameters.W_in.values));
  CHECK(same_bits(child->model().parameters.b_in.values, first->model().parameters.b_in.values));
  CHECK(child->origin()->keep == "recurrent+input");
  auto flip_flop = trained_tiny();
  CHECK(refused(parent_of(*flip_flop, Keep::recurrent_and_input), spec).find("2 input channels") != std::string::npos);
  CHECK(!parse_keep("head").ok());
}

TEST_CASE("transfer: the parent's mask comes along, whatever the experiment says, and is kept in its session") {
  for (const char* storage : {"sparse", "dense"}) {
    auto first = trained_tiny(std::string(R"(,"connectivity":{"probability":0.3,"storage":")") + storage + "\"}");
    Result<Session> saved = read_session(write_session(*first, "test"), "first.npz");
    REQUIRE(saved.ok());
    const Parent parent = parent_of(*saved, "first.npz", Keep::recurrent);
    CHECK(parent.origin.hash == hash_text(first->hash()));
    const auto connections = first->mask()->count();
    // An experiment without a mask, with another one, and with the very same (its own: nothing more to keep).
    for (const char* more : {"", R"(,"connectivity":{"probability":0.8})", R"(,"connectivity":{"probability":0.3})"}) {
      auto child = started(parent, child_spec(more));
      REQUIRE(child->mask() != nullptr);
      CHECK(child->mask()->count() == connections);
      CHECK(child->own_mask() == (std::string(more).find("0.3") == std::string::npos));
      CHECK(same_bits(dense(child->model().parameters.W_rec), dense(first->model().parameters.W_rec)));
      // Interrupted and gone on with, to the same bits, from its session alone.
      for (int k = 0; k < 3; ++k) child->step();
      Result<Session> session = read_session(write_session(*child, "test"), "child.npz");
      REQUIRE_MESSAGE(session.ok(), (session.ok() ? "" : session.error().text()));
      REQUIRE(session->state.origin);
      CHECK(session->state.origin->hash == parent.origin.hash);
      CHECK(session->state.origin->sha256 == parent.origin.sha256);
      CHECK(session->state.origin->keep == "recurrent");
      auto again = trainer_of(session->spec);
      REQUIRE(again->restore(std::move(session->state)).ok());
      CHECK(again->origin() != nullptr);
      CHECK(same_bits(dense(again->initial().W_rec), dense(first->model().parameters.W_rec)));
      CHECK(train_to_end(*child) == train_to_end(*again));
      CHECK(child->audit().mask == 0);
      CHECK(child->audit().sign == 0);
    }
  }
  // A whole network, where the experiment has a mask: all connections exist.
  auto whole = trained_tiny();
  auto child = started(parent_of(*whole, Keep::recurrent), child_spec(R"(,"connectivity":{"probability":0.3})"));
  CHECK(child->mask()->count() == 400);
  CHECK(same_bits(dense(child->model().parameters.W_rec), whole->model().parameters.W_rec.values));
}

TEST_CASE("transfer: what does not fit is refused, and why") {
  auto first = trained_tiny();
  const Parent parent = parent_of(*first, Keep::recurrent);
  Spec spec = child_spec();
  CHECK(refused(parent, spec).empty());
  spec.populations[0].size = 17;
  CHECK(refused(parent, spec).find("populations: make 21 units") == 0);
  spec.populations[0].size = 12;
  spec.populations[1].size = 8;
  CHECK(refused(parent, spec).find("make unit 13 inhibitory, but in the network to start from it is excitatory") !=
        std::string::npos);
  spec = child_spec(R"(,"network":{"biases":false})");
  CHECK(refused(parent, spec).find("network.biases") == 0);
  auto conventional = trained_tiny("", R"(,"constraint":"conventional")");
  const Parent without = parent_of(*conventional, Keep::recurrent);
  REQUIRE(conventional->audit().sign > 0);
  CHECK(refused(without, child_spec()).find("training.constraint") == 0);
  CHECK(refused(without, child_spec("", R"("epochs":1,"batch":16,"constraint":"conventional")")).empty());
  // Populations may be cut otherwise, and named otherwise, as long as units and signs are the same.
  const Spec cut =
      spec_of(R"({"dalea":1,"populations":[{"name":"a","size":10,"sign":"+"},{"name":"b","size":6,"sign":"+"},)"
              R"({"name":"c","size":4,"sign":"-"}],"task":{"type":"n-back","train":64,"held_out":32},)"
              R"("training":{"epochs":1,"batch":16}})");
  CHECK(refused(parent, cut).empty());
}

TEST_CASE("transfer: a grid says where its runs start") {
  const auto open = [](const std::string&) { return Result<std::string>(tiny_json(three_epochs)); };
  const auto read = [&](const std::string& from) {
    return read_sweep(R"({"dalea_sweep":1,"experiment":"tiny","grid":{},"iterations":2)" + from + "}", open);
  };
  const ReadSweep plain = read(""), from = read(R"(,"from":"parents")"), other = read(R"(,"from":"elsewhere")");
  REQUIRE(from.problems.empty());
  CHECK(plain.plan.from.empty());
  CHECK(from.plan.from == "parents");
  CHECK(from.plan.sha256 != plain.plan.sha256);
  CHECK(from.plan.sha256 != other.plan.sha256);
  CHECK(read(R"(,"from":3)").problems.front().path == "from");
}
