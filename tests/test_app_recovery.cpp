// The window's recovered connectivity: measured on demand, drawn, saved.
#include "doctest/doctest.h"
#include "helpers.h"
#include "window_helpers.h"

using namespace dalea;
using namespace dalea::testing;

TEST_CASE("app: the recovered connectivity of a simulated recording is measured, drawn and saved") {
  NoScreen host;
  app::App app(host, without_thread());
  app.live.train(
      spec_of(R"({"dalea":1,"populations":[{"name":"E","size":8,"sign":"+"},{"name":"I","size":2,"sign":"-"}],)"
              R"("task":{"type":"recording","steps":10},"recording":{"simulated_units":8,"simulated_frames":300},)"
              R"("training":{"epochs":1}})"),
      nullptr, false);
  const auto frames = [&](int n) {
    for (int k = 0; k < n; ++k) {
      app.live.pump(0.01);
      host.frame(app);
    }
  };
  frames(3);
  REQUIRE(app.now->setup);
  app.view.tab = app::tab_recording;
  app.view.recovery.open = true;
  frames(3);
  CHECK(app.now->recovered == nullptr);
  using Measurement = app::Live::Measurement;
  CHECK_FALSE(app.live.measuring(Measurement::recovery));
  app.live.study_recovery();
  CHECK(app.live.measuring(Measurement::recovery) == 0.0);
  CHECK_FALSE(app.live.measuring(Measurement::states));
  host.frame(app);
  CHECK(app.state_json(1).find("recovery:cancel") != std::string::npos);
  app.live.cancel_measuring();
  frames(2);
  CHECK_FALSE(app.live.measuring(Measurement::recovery));
  CHECK(app.now->recovered == nullptr);
  app.live.study_recovery();
  frames(3);
  REQUIRE(app.now->recovered);
  CHECK(app.now->recovered->names.size() == 8);
  CHECK(app.now->recovered_updates == 0);
  CHECK(app.view.recovery.shown == app.now->recovered);
  CHECK(app.state_json(1).find("recovery:figure") != std::string::npos);

  // A new network forgets it; a task without a circuit says why.
  app.live.train(spec_of(tiny_json(three_epochs)), nullptr, false);
  frames(3);
  CHECK(app.now->recovered == nullptr);
  app.live.study_recovery();
  frames(2);
  CHECK(app.now->recovered == nullptr);
}
