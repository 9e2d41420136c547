// The wiring test in the window: three files dropped together, the networks of a test, its tab.
#include <cmath>
#include <nlohmann/json.hpp>

#include "live_helpers.h"
#include "window_helpers.h"

using namespace dalea;
using namespace dalea::app;
using dalea::testing::NoScreen;
using dalea::testing::without_thread;

namespace {

NamedFile traces() {
  std::string csv = "time_s,A,u1,B,C,D\n";
  double v[4] = {0.1, 0.2, 0.3, 0.4};
  Rng rng(11, Purpose::test);
  for (int t = 0; t < 160; ++t) {
    csv += std::to_string(0.6 * t);
    double next[4];
    for (int k = 0; k < 4; ++k) next[k] = 0.7 * v[k] + 0.4 * std::tanh(v[(k + 3) % 4]) + 0.3 * rng.normal();
    for (int k = 0; k < 4; ++k) {
      v[k] = next[k];
      csv += "," + std::to_string(v[k]) + (k == 0 ? ",0.5" + std::to_string(t % 3) : "");
    }
    csv += "\n";
  }
  return text_file("traces.csv", csv);
}

NamedFile links() {
  return text_file("links.csv",
                   "pre,post,type,synapses\nA,B,chemical,2\nB,C,chemical,1\nC,D,chemical,1\nD,A,chemical,3\n"
                   "A,C,chemical,1\nB,Z,chemical,1\nD,B,electrical,1\n");
}

NamedFile transmitters() {
  return text_file("who.csv", "neuron,dominant_NT\nA,ACh\nB,GABA\nC,Glu\n");
}

}  // namespace

TEST_CASE("window: a recording, its connectome and transmitters dropped together are tested") {
  NoScreen screen;
  App app(screen, without_thread());
  const auto pump = [&] {
    app.live.pump(0);
    app.now = app.live.snapshot();
    screen.frame(app);
  };
  app.give_files({traces(), links(), transmitters()});
  pump();
  REQUIRE(app.now->setup);
  const Spec& spec = app.now->setup->spec;
  CHECK(spec.connectome.nodes == "recorded");
  CHECK(spec.connectome.nulls == 99);
  REQUIRE(spec.populations.size() == 4);
  CHECK(spec.populations[0].sign == Sign::excitatory);
  CHECK(spec.populations[1].sign == Sign::inhibitory);
  CHECK(spec.populations[2].sign == Sign::free);
  CHECK(app.now->setup->recording->units == 4);
  CHECK(app.now->setup->source_recording->units == 5);
  pump();
  CHECK(nlohmann::json::parse(app.state_json(1))["tab"] == "Wiring");

  Spec small = spec;
  small.training.epochs = 5;
  small.connectome.nulls = 3;
  small.runs = 2;
  app.live.train(small, nullptr, false);
  pump();
  REQUIRE(app.now->setup->spec.training.epochs == 5);
  CHECK(app.now->setup->spec.measured->nodes == 4);
  app.view.wiring_quick = false;
  app.test_wiring();
  const auto state = [&] { return nlohmann::json::parse(app.state_json(1))["wiring"]; };
  CHECK(state()["running"] == true);
  app.wiring.stop();
  CHECK(state()["running"] == false);
  CHECK(state()["failure"].get<std::string>().find("Stopped") != std::string::npos);
  app.test_wiring();
  int turns = 0;
  for (; app.wiring.view().running && turns < 20000; ++turns) app.wiring.pump(0.02);
  const WiringView view = app.wiring.view();
  REQUIRE_MESSAGE(view.report, view.failure);
  CHECK(view.finished == 12);
  CHECK(view.report->outcome.study.r2.nulls.size() == 3);
  CHECK_FALSE(view.report->quick);
  for (const WiringRow& row : view.report->rows) CHECK(row.failure.empty());
  // The measured wiring's first network is the one that the window itself trains.
  while (!app.live.snapshot()->setup || app.live.snapshot()->phase != Phase::finished) {
    app.live.play();
    app.live.pump(0.05);
  }
  app.now = app.live.snapshot();
  CHECK(view.report->rows.front().hash == app.now->hash);
  for (auto [w, h] : {std::pair{1280.f, 720.f}, {390.f, 844.f}, {200.f, 120.f}}) {
    app.view.tab = tab_wiring;
    screen.frame(app, w, h);
    screen.frame(app, w, h);
  }
  CHECK(state()["hash"] == view.report->outcome.hash);

  // The same with threads.
  WiringTester threads(true);
  REQUIRE(threads.start(app.now->setup->spec, app.now->setup->source_recording, false).ok());
  for (int k = 0; threads.view().running && k < 6000; ++k) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  REQUIRE_MESSAGE(threads.view().report, threads.view().failure);
  CHECK(threads.view().report->outcome.hash == view.report->outcome.hash);
  REQUIRE(threads.start(app.now->setup->spec, app.now->setup->source_recording, false).ok());
  threads.stop();
  CHECK_FALSE(threads.view().running);
  Spec none = app.now->setup->spec;
  none.connectome.nulls = 0;
  CHECK_FALSE(threads.start(none, app.now->setup->source_recording, false).ok());
}

TEST_CASE("window: what is not a recording of the connectome's neurons is said") {
  NoScreen screen;
  App app(screen, without_thread());
  const auto notices = [&] { return nlohmann::json::parse(app.state_json(1))["notices"].dump(); };
  app.give_files({text_file("traces.csv", "x,y,z\n1,2,3\n2,1,4\n3,5,1\n4,4,2\n"), links(), transmitters()});
  app.live.pump(0);
  screen.frame(app);
  CHECK(notices().find("of the recording's units are nodes") != std::string::npos);
  CHECK(app.live.snapshot()->setup == nullptr);
}
