// The Perturb and Activity tabs: what the watched training shows under an intervention, and their frames.
#include <chrono>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "helpers.h"
#include "live_helpers.h"
#include "window_helpers.h"

using namespace dalea;
using namespace dalea::app;
using namespace dalea::testing;
using nlohmann::json;

namespace {

const std::string short_training = R"("epochs":4,"batch":13,"optimizer":{"lr":0.01})";

}  // namespace

TEST_CASE("perturb tab: the shown trial comes twice, the loss is the command line's, and training keeps its bits") {
  const Spec spec = spec_of(tiny_json(short_training));
  auto alone = trainer_of(spec);
  const uint64_t hash = train_to_end(*alone);
  for (bool own_thread : {true, false}) {
    LiveOptions options = without_thread();
    options.own_thread = own_thread;
    options.threads = 2;
    Live live(options);
    const std::vector<Intervention> silent = {{{16, 20}, 2, 5}};
    live.perturb(silent);  // no network yet: nothing
    live.measure_perturbation();
    live.train(spec, nullptr, true);
    until(live, [](const Snapshot& s) { return s.setup != nullptr; });
    live.perturb(silent);
    auto s =
        until(live, [](const Snapshot& v) { return v.phase == Phase::finished && !v.trace->perturbed_output.empty(); });
    CHECK(s->hash == hash_text(hash));  // watching it changed nothing
    const TraceView& t = *s->trace;
    const Trainer::Trace intact = alone->trace(alone->data().held_out, t.trial);
    const Trainer::Trace changed = alone->trace(alone->data().held_out, t.trial, silent);
    CHECK(t.activity == intact.activity);
    CHECK(t.output == intact.output);
    CHECK(t.perturbed_activity == changed.activity);
    CHECK(t.perturbed_output == changed.output);
    CHECK_FALSE(s->perturbed);
    live.measure_perturbation();
    s = until(live, [](const Snapshot& v) { return v.perturbed != nullptr; });
    Workers workers(1);
    Result<Perturbation> same = perturb(alone->model(), alone->data(), 13, silent, best_isa(), workers);
    REQUIRE(same.ok());
    CHECK(s->perturbed->result.perturbed_loss == same->perturbed_loss);
    CHECK(s->perturbed->result.loss == alone->evaluate().held_out);
    CHECK(s->perturbed_updates == s->updates);
    live.perturb({});
    s = until(live, [](const Snapshot& v) { return v.trace->perturbed_output.empty(); });
    live.measure_perturbation();
    Notice notice;
    until(live, [&](const Snapshot&) { return live.take_notice(notice); });
    CHECK(notice.error);
    live.perturb(silent);
    live.new_seed();  // another network forgets it
    s = until(live, [](const Snapshot& v) { return v.setup->serial == 2 && v.trace; });
    CHECK(s->trace->perturbed_output.empty());
    CHECK_FALSE(s->perturbed);
    live.perturb({{{16, 20}, 2, 5}, {{16, 40}, 2, 5}});  // meant for a larger one
    live.measure_perturbation();
    until(live, [&](const Snapshot&) { return live.take_notice(notice); });
    CHECK(notice.text.find("Nothing is perturbed") == 0);
    Spec none = spec;  // and one without held-out trials has no trial to show, not the last network's
    none.populations.pop_back();
    none.task.held_out = 0;
    live.train(none, nullptr, false);
    s = until(live, [](const Snapshot& v) { return v.setup->serial == 3; });
    CHECK_FALSE(s->trace);
  }
}

TEST_CASE("perturb and activity tabs: draw in every size and theme, follow the network, and save their files") {
  NoScreen screen;
  App app(screen, without_thread());
  const auto turn = [&](int times, float w = 1280, float h = 720) {
    for (int k = 0; k < times; ++k) {
      app.live.pump(0.01);
      screen.frame(app, w, h);
    }
  };
  app.view.tab = tab_perturb;
  turn(2);  // nothing there yet
  app.live.train(spec_of(tiny_json(short_training)), nullptr, true);
  for (int k = 0; k < 2000 && app.now->phase != Phase::finished; ++k) turn(1);
  app.view.tab = tab_perturb;
  turn(4);
  REQUIRE(app.now->trace);
  CHECK(app.view.perturb.population == 1);  // the inhibitory one
  CHECK(app.view.perturb.sent.size() == 1);
  CHECK(app.now->trace->perturbed_output.size() == 7);
  const json state = json::parse(app.state_json(1));
  CHECK(state["perturbed"].is_null());
  for (const char* name : {"perturb:silence", "perturb:drive", "perturb:population", "perturb:steps", "perturb:measure",
                           "perturb:csv", "perturb:figure", "perturb:plots", "trial-tab:Activity", "trial:next"})
    CHECK_MESSAGE(state["widgets"].contains(name), std::string(name));
  // The button measures what the sliders say.
  const json place = state["widgets"]["perturb:measure"];
  ImGuiIO& io = ImGui::GetIO();
  io.AddMousePosEvent(place["x"].get<float>() + 9, place["y"].get<float>() + 9);
  turn(2);
  io.AddMouseButtonEvent(0, true);
  turn(2);
  io.AddMouseButtonEvent(0, false);
  turn(4);
  const json measured = json::parse(app.state_json(1))["perturbed"];
  REQUIRE_FALSE(measured.is_null());
  CHECK(measured["what"] == "I silenced in steps 2 to 3");
  CHECK(measured["intact"] != measured["held_out"]);
  app.view.perturb.silence = false;
  app.view.perturb.amount = NAN;
  app.view.perturb.from = -5;
  app.view.perturb.to = 9000;
  turn(3);
  CHECK(app.view.perturb.amount == 0);
  CHECK(app.view.perturb.from == 0);
  CHECK(app.view.perturb.to == 7);
  const json activity = json::parse(app.state_json(1))["widgets"]["trial-tab:Activity"];
  io.AddMousePosEvent(activity["x"].get<float>() + 9, activity["y"].get<float>() + 9);
  turn(2);
  io.AddMouseButtonEvent(0, true);
  turn(2);
  io.AddMouseButtonEvent(0, false);
  turn(3);
  CHECK(json::parse(app.state_json(1))["widgets"].contains("activity"));
  for (Theme theme : {Theme::light, Theme::dark})
    for (auto [w, h] : {std::pair{1280.f, 720.f}, {1920.f, 1080.f}, {390.f, 844.f}, {200.f, 120.f}}) {
      app.theme = theme;
      turn(3, w, h);
    }
  // Elsewhere the trial is shown once again.
  app.view.tab = tab_weights;
  turn(4);
  CHECK(app.now->trace->perturbed_output.empty());
  CHECK(app.view.perturb.sent.empty());
  app.live.new_seed();
  app.view.tab = tab_perturb;
  turn(5);
  CHECK(app.view.perturb.from == 2);  // the settings of a new network
  Spec none = spec_of(tiny_json(short_training));
  none.populations.pop_back();
  none.task.held_out = 0;
  app.live.train(none, nullptr, false);
  turn(5);  // the population that was chosen is gone
  CHECK_FALSE(app.now->trace);
}
