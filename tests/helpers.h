// Small experiments for tests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "doctest/doctest.h"
#include "session/session.h"
#include "training/trainer.h"

namespace dalea::testing {

inline Spec spec_of(const std::string& json) {
  ParsedSpec parsed = parse_spec(json);
  for (const Error& e : parsed.problems) FAIL_CHECK(e.text());
  return parsed.spec;
}

// 20 units, 7 steps, 60 trials: a few milliseconds an epoch. `more`: further top-level members, starting with a comma.
inline std::string tiny_json(const std::string& training, const std::string& more = "") {
  return R"({"dalea":1,"populations":[{"name":"E","size":16,"sign":"+"},{"name":"I","size":4,"sign":"-"}],)"
         R"("task":{"steps":7,"train":60,"validation":20,"held_out":20,"event_probability":0.3},"training":{)" +
         training + "}" + more + "}";
}

inline std::unique_ptr<Trainer> trainer_of(const Spec& spec, TrainerOptions options = {}, int64_t run = 0) {
  Result<Dataset> data = make_dataset(spec, nullptr, run);
  REQUIRE_MESSAGE(data.ok(), (data.ok() ? "" : data.error().text()));
  Result<std::unique_ptr<Trainer>> trainer = Trainer::create(spec, std::move(*data), run, options);
  REQUIRE_MESSAGE(trainer.ok(), (trainer.ok() ? "" : trainer.error().text()));
  return std::move(*trainer);
}

inline uint64_t train_to_end(Trainer& trainer) {
  while (!trainer.finished()) trainer.step();
  CHECK(trainer.failure() == "");
  return trainer.hash();
}

inline const std::string three_epochs = R"("epochs":3,"batch":13,"optimizer":{"lr":0.01})";

// A tiny network after three epochs. `training`: further members, starting with a comma.
inline std::unique_ptr<Trainer> trained_tiny(const std::string& more = "", const std::string& training = "") {
  auto trainer = trainer_of(spec_of(tiny_json(three_epochs + training, more)));
  train_to_end(*trainer);
  return trainer;
}

// Two epochs on eight simulated units.
inline const std::string recording_json =
    R"({"dalea":1,"populations":[{"name":"E","size":16,"sign":"+"},{"name":"I","size":4,"sign":"-"}],)"
    R"("task":{"type":"recording","steps":20},"recording":{"simulated_units":8,"simulated_frames":900},)"
    R"("training":{"epochs":2,"batch":8}})";

}  // namespace dalea::testing
