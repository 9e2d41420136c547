// The tab Speed: its results, and that drawing leaves the processor to what is measured.
#include <chrono>
#include <thread>

#include "app/views.h"
#include "helpers.h"
#include "live_helpers.h"
#include "window_helpers.h"

using namespace dalea;
using namespace dalea::app;
using namespace dalea::testing;

TEST_CASE("while a speed is measured the window draws about once a second, and shows how far it is") {
  NoScreen screen;
  App app(screen, without_thread());
  screen.frame(app);
  double time = 100, since = 0, shown = 0;
  for (int k = 0; k < 100; ++k)
    if (app.wants_frame(time += 0.02)) screen.frame(app);
  app.measure({"flip-flop"}, 1, 0.3);
  int frames = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  while (app.speed.view().running && std::chrono::steady_clock::now() < end) {
    since = time += 0.05;  // twenty times as fast as it passes, or more: the measurement is short
    if (app.wants_frame(time)) {
      screen.frame(app);
      ++frames;
      shown = std::max(shown, app.speed.view().progress);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  const SpeedView view = app.speed.view();
  CHECK(view.failure.empty());
  REQUIRE(view.results.size() == 1);
  CHECK(view.results[0].workload == "flip-flop");
  CHECK(view.results[0].ms_per_step > 0);
  CHECK(shown > 0);
  CHECK(frames >= 2);
  // What it says of what is measured and of results may take a few frames each.
  CHECK(frames <= since - 102 + 10);
  // The result is drawn at once.
  CHECK(app.wants_frame(time += 0.02));
}
