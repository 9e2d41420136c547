// How well a network fits its recording, in the window (analysis/fits.h), without graphics.
#include <thread>

#include "common/fit_report.h"
#include "helpers.h"
#include "numerics/parallel.h"
#include "window_helpers.h"

using namespace dalea;
using namespace dalea::testing;

TEST_CASE("fits: the tab measures while training goes on, with and without a thread, and can be stopped") {
  using namespace dalea::app;
  for (const bool thread : {false, true}) {
    if (thread && !threads_available()) continue;
    NoScreen screen;
    LiveOptions options = without_thread();
    options.own_thread = thread;
    App app(screen, options);
    app.open_text(recording_json);
    app.view.tab_name = "fit";
    const auto until = [&](auto good) {
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
      while (std::chrono::steady_clock::now() < end) {
        app.live.pump(0.005);
        screen.frame(app);
        if (good()) return true;
        if (thread) std::this_thread::sleep_for(std::chrono::milliseconds(2));
      }
      return false;
    };
    REQUIRE(until([&] { return app.now->phase == Phase::finished; }));
    REQUIRE(until([&] { return app.now->fits != nullptr; }));  // small and at rest: unasked
    CHECK(app.now->fits_updates == app.now->updates);
    CHECK(app.now->fits->units.size() == 8);
    CHECK(app.view.open_tab == tab_fit);
    CHECK(until([&] { return app.view.fits.shown == app.now->fits; }));
    CHECK(app.state_json(1).find("fits:table") != std::string::npos);
    const auto first = app.now->fits;
    app.live.measure_fits();
    app.live.stop_fits();
    CHECK(until([&] { return app.now->fitting < 0; }));
    app.live.measure_fits();
    CHECK(until([&] { return app.now->fits != first; }));
    CHECK(fit_csv({"", *app.now->fits, {}}) == fit_csv({"", *first, {}}));
    // A new network forgets them; one of another task has no such tab.
    app.open_text(tiny_json(three_epochs));
    CHECK(until([&] { return app.now->setup && !app.now->setup->recording && app.now->phase == Phase::finished; }));
    CHECK(app.now->fits == nullptr);
    CHECK(app.state_json(1).find("tab:Fit") == std::string::npos);
  }
}
