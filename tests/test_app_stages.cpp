// A training in stages in the window: what it shows before and after the pruning, and looking back over it.
#include <cmath>

#include "app/matrix_picture.h"
#include "app/views.h"
#include "live_helpers.h"
#include "nlohmann/json.hpp"
#include "window_helpers.h"

using namespace dalea;
using namespace dalea::app;
using namespace dalea::testing;
using nlohmann::json;

namespace {

const Spec& staged_spec() {
  static const Spec spec = spec_of(
      tiny_json(R"("epochs":2,"batch":20,"optimizer":{"lr":0.01},"checkpoint":"train")",
                R"(,"connectivity":{"probability":[[0.2,0.3],[0.3,0]]},"stages":{"prune":true,"fine_tune":2})"));
  return spec;
}

LiveOptions threaded(bool own_thread) {
  LiveOptions o = without_thread();
  o.own_thread = own_thread;
  return o;
}

}  // namespace

TEST_CASE("stages in the window: looking back over the pruning, restarting, going on from a session") {
  auto alone = trainer_of(staged_spec());
  while (alone->updates() < 5) alone->step();
  const std::string fifth = hash_text(alone->hash());
  while (alone->updates() < 8) alone->step();
  const std::string eighth = hash_text(alone->hash());
  const std::string last = hash_text(train_to_end(*alone));
  REQUIRE(alone->model().parameters.W_rec.sparse());
  for (bool own_thread : {true, false}) {
    Live live(threaded(own_thread));
    live.train(staged_spec(), nullptr, false);
    auto s = until(live, [](const Snapshot& v) { return v.phase == Phase::paused; });
    CHECK(s->stage == Stage::dense);
    CHECK(s->stage_epochs == 2);
    CHECK(s->total_updates == 12);
    CHECK(s->weights->pattern == nullptr);
    CHECK(s->dense == nullptr);
    for (int k = 1; k <= 8; ++k) {
      live.step();
      s = until(live, [&](const Snapshot& v) { return v.updates == k && v.phase == Phase::paused; });
    }
    CHECK(s->stage == Stage::fine_tuning);
    CHECK(s->stage_epoch == 0);
    CHECK(s->epoch == 2);
    CHECK(s->weights->sparse);
    CHECK(s->audit.mask == 0);
    REQUIRE(s->dense);
    REQUIRE(s->pruned);
    CHECK(std::isfinite(s->pruned->validation));
    CHECK(s->dense->values == alone->checkpoint("dense")->W_rec.values);
    CHECK(s->setup->initial->values == alone->initial().W_rec.values);
    CHECK_FALSE(s->setup->own_mask);

    // The differences of what is stored in two ways.
    std::vector<uint32_t> pixels, plain;
    CHECK(paint_matrix(*s->weights, s->dense.get(), 0.1f, pixels) == 20);
    MatrixView difference = *s->weights;
    for (int64_t j = 0; j < 20; ++j)
      for (int64_t e = difference.pattern->col_start[j]; e < difference.pattern->col_start[j + 1]; ++e)
        difference.values[static_cast<size_t>(e)] -= s->dense->at(difference.pattern->row[static_cast<size_t>(e)], j);
    paint_matrix(difference, nullptr, 0.1f, plain);
    CHECK(pixels == plain);
    CHECK(typical_largest(*s->weights, s->dense.get()) == typical_largest(difference, nullptr));

    live.look_back(5);
    s = until(live, [](const Snapshot& v) { return v.looking_back; });
    CHECK(s->hash == fifth);
    CHECK_FALSE(s->weights->sparse);
    CHECK(s->weights->pattern == nullptr);
    CHECK(s->audit.mask == 0);
    live.save(Download::picture);
    live.save(Download::weights);
    live.look_back(8);
    s = until(live, [](const Snapshot& v) { return v.hash_updates == 8; });
    CHECK(s->hash == eighth);
    CHECK(s->weights->sparse);
    live.look_back(-1);
    live.save(Download::session);
    NamedFile file;
    for (int k = 0; k < 3; ++k) until(live, [&](const Snapshot&) { return live.take_file(file); });
    live.play();
    s = until(live, [](const Snapshot& v) { return v.phase == Phase::finished && !v.looking_back; });
    CHECK(s->hash == last);
    CHECK((s->kept_epoch == 0 || s->kept_epoch == alone->kept_epoch()));

    live.open_session(std::make_shared<NamedFile>(file), nullptr);
    s = until(live, [](const Snapshot& v) { return v.setup->serial == 2 && v.phase == Phase::paused; });
    CHECK(s->hash == eighth);
    CHECK(s->setup->initial->values == alone->initial().W_rec.values);
    CHECK(s->setup->initial->pattern == nullptr);
    live.look_back(0);
    s = until(live, [](const Snapshot& v) { return v.looking_back; });
    CHECK(s->weights->values == s->setup->initial->values);
    live.restart();
    s = until(live, [](const Snapshot& v) { return v.setup->serial == 3; });
    CHECK(s->stage == Stage::dense);
    CHECK(s->updates == 0);
    CHECK(s->dense == nullptr);
    live.play();
    CHECK(until(live, [](const Snapshot& v) { return v.phase == Phase::finished; })->hash == last);
  }
}

TEST_CASE("the window draws every stage and every choice of the matrix") {
  NoScreen screen;
  App app(screen, without_thread());
  app.live.train(staged_spec(), nullptr, false);
  const auto frames = [&](int n) {
    for (int k = 0; k < n; ++k) {
      app.live.pump(0.001);
      screen.frame(app);
    }
  };
  frames(3);
  json state = json::parse(app.state_json(1));
  CHECK(state["stage"] == "dense");
  CHECK(state["epochs"] == 4);
  CHECK_FALSE(state["widgets"].contains("matrix:Dense"));
  app.live.play();
  until(app.live, [](const Snapshot& v) { return v.phase == Phase::finished; });
  frames(3);
  state = json::parse(app.state_json(1));
  CHECK(state["stage"] == "fine-tuning");
  CHECK(state["pruned_validation"].is_number());
  CHECK(state["widgets"].contains("matrix:Dense"));
  for (MatrixMode mode :
       {MatrixMode::initial, MatrixMode::dense, MatrixMode::change, MatrixMode::tuned, MatrixMode::now}) {
    app.view.matrix = mode;
    app.view.scale = 0;
    frames(2);
    CHECK(app.view.scale > 0);
  }
  app.view.matrix = MatrixMode::tuned;
  app.live.look_back(2);
  frames(3);
  CHECK(app.now->looking_back);
  app.live.train(staged_spec(), nullptr, false);
  frames(4);
  CHECK(app.view.matrix == MatrixMode::now);  // there is no dense checkpoint any more
}
