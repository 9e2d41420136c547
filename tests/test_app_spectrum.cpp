// Spectra beside the window, with and without a thread: the latest wishes win, refusals are said; and the two tabs
// draw.
#include <chrono>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/spectra.h"
#include "app/views.h"
#include "helpers.h"
#include "numerics/parallel.h"
#include "window_helpers.h"

using namespace dalea;
using namespace dalea::app;
using namespace dalea::testing;

namespace {

std::shared_ptr<const MatrixView> diagonal(int64_t n, float v) {
  auto m = std::make_shared<MatrixView>();
  m->units = n;
  m->values.assign(static_cast<size_t>(n * n), 0);
  for (int64_t i = 0; i < n; ++i) m->values[static_cast<size_t>(i * n + i)] = v;
  return m;
}

Snapshot snapshot_of(int64_t n) {
  auto setup = std::make_shared<Setup>();
  setup->populations = {{"E", Sign::excitatory, {0, n - 1}}, {"I", Sign::inhibitory, {n - 1, n}}};
  setup->initial = diagonal(n, 0.5f);
  Snapshot s;
  s.phase = Phase::paused;
  s.setup = setup;
  s.weights = diagonal(n, 1);
  return s;
}

void work_until(Spectra& spectra, const std::function<bool(const SpectraView&)>& good) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!good(spectra.view()) && std::chrono::steady_clock::now() < end) {
    spectra.pump();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK(good(spectra.view()));
}

}  // namespace

TEST_CASE("spectra: without a thread the last wish alone is worked on, one matrix at a time") {
  Spectra spectra(false);
  Snapshot s = snapshot_of(4);
  CHECK_FALSE(spectra.changed());
  spectra.follow_spectrum(s);
  s.weights = diagonal(4, -2);
  s.updates = 7;
  spectra.follow_spectrum(s);
  spectra.pump();
  SpectraView view = spectra.view();
  REQUIRE(view.spectrum.now);
  CHECK(view.spectrum.current(s));
  CHECK(view.spectrum.updates == 7);
  CHECK(view.spectrum.now->radius == 2);
  CHECK_FALSE(view.spectrum.initial);
  CHECK(spectra.changed());
  CHECK_FALSE(spectra.changed());
  spectra.pump();
  view = spectra.view();
  REQUIRE(view.spectrum.initial);
  CHECK(view.spectrum.initial->radius == 0.5);
  const auto* found = view.spectrum.now.get();
  CHECK(spectra.changed());
  spectra.follow_spectrum(s);  // known
  spectra.pump();
  CHECK(spectra.view().spectrum.now.get() == found);
  CHECK_FALSE(spectra.changed());

  s.phase = Phase::running;  // patient
  s.weights = diagonal(4, 3);
  spectra.follow_spectrum(s);
  spectra.follow_signs(s);
  work_until(spectra, [&](const SpectraView& v) { return v.spectrum.current(s) && v.signs.current(s); });
  view = spectra.view();
  CHECK(view.spectrum.now->radius == 3);
  CHECK(view.spectrum.initial->radius == 0.5);
  CHECK((*view.signs.now)[0].synapses == 12);
  CHECK((*view.signs.now)[0].zero == 9);
  CHECK((*view.signs.now)[1].histogram.inside() == 1);
  CHECK((*view.signs.now)[0].histogram.edges == (*view.signs.initial)[0].histogram.edges);

  const Snapshot other = snapshot_of(5);  // another network: nothing of the old one stays
  spectra.follow_spectrum(other);
  work_until(spectra, [&](const SpectraView& v) { return v.spectrum.current(other) && v.spectrum.initial; });
  CHECK(spectra.view().spectrum.initial->values.size() == 5);
}

TEST_CASE("spectra: refusals are said, and pass") {
  Spectra spectra(false);
  const Snapshot large = snapshot_of(most_pumped_units + 1);
  spectra.follow_spectrum(large);
  spectra.pump();
  CHECK(spectra.view().spectrum.failure.find("dalea spectrum session.npz") != std::string::npos);
  CHECK_FALSE(spectra.view().spectrum.now);
  Snapshot s = snapshot_of(3);
  s.weights = diagonal(3, std::numeric_limits<float>::quiet_NaN());
  spectra.follow_spectrum(s);
  spectra.follow_signs(s);
  for (int k = 0; k < 3; ++k) spectra.pump();
  CHECK(spectra.view().spectrum.failure.find("not finite") != std::string::npos);
  CHECK(spectra.view().signs.failure.find("not finite") != std::string::npos);
  s.weights = diagonal(3, 1);
  spectra.follow_spectrum(s);
  spectra.follow_signs(s);
  for (int k = 0; k < 3; ++k) spectra.pump();
  CHECK(spectra.view().spectrum.failure == "");
  CHECK(spectra.view().signs.failure == "");
  CHECK(spectra.view().spectrum.now->outside == 0);
  spectra.follow_spectrum({});  // no network yet
}

TEST_CASE("spectra: on its own thread the last wish is the one that comes") {
  if (!threads_available()) return;
  Spectra spectra;
  Snapshot s = snapshot_of(24);
  for (int k = 1; k <= 40; ++k) {
    s.weights = diagonal(24, static_cast<float>(k));
    s.phase = k % 2 == 0 ? Phase::paused : Phase::running;
    spectra.follow_spectrum(s);
    spectra.follow_signs(s);
    spectra.pump();  // does nothing here
  }
  work_until(spectra,
             [&](const SpectraView& v) { return v.spectrum.current(s) && v.spectrum.initial && v.signs.current(s); });
  CHECK(spectra.view().spectrum.now->radius == 40);
  CHECK(spectra.view().spectrum.initial->radius == 0.5);
  for (int k = 0; k < 5; ++k) {  // ended while at work, before it, and unused
    Spectra brief;
    if (k > 0) brief.follow_spectrum(snapshot_of(20 * k));
  }
}

TEST_CASE("spectra: both tabs draw in every theme and in small panels") {
  NoScreen screen;
  LiveOptions options;
  options.own_thread = false;
  options.platform = "test";
  App app(screen, options);
  const auto draw = [&](void (*view)(App&), float w, float h) {
    ImGui::GetIO().DisplaySize = {1280, 720};
    ImGui::NewFrame();
    ImGui::SetNextWindowSize({w, h});
    ImGui::Begin("panel");
    view(app);
    ImGui::End();
    ImGui::Render();
  };
  screen.frame(app);
  draw(draw_spectrum, 400, 270);  // no network yet
  draw(draw_weights_by_sign, 400, 270);
  app.open_preset("quickstart");
  for (int k = 0; k < 100 && !app.now->setup; ++k) {
    app.live.pump(0.01);
    screen.frame(app);
  }
  draw(draw_spectrum, 400, 270);
  draw(draw_weights_by_sign, 400, 270);
  REQUIRE(app.now->setup);
  work_until(app.spectra, [&](const SpectraView& v) { return v.spectrum.initial && v.signs.now; });
  for (Theme theme : {Theme::light, Theme::dark})
    for (bool choice : {true, false})
      for (const ImVec2 size : {ImVec2(400, 270), ImVec2(1200, 700), ImVec2(60, 50)}) {
        app.theme = theme;
        app.view.spectrum.all = app.view.spectrum.log_count = choice;
        app.view.spectrum.fit = true;
        for (int k = 0; k < 2; ++k) {
          draw(draw_spectrum, size.x, size.y);
          draw(draw_weights_by_sign, size.x, size.y);
        }
      }
  for (int k = 0; k < 3; ++k) draw(draw_spectrum, 400, 270);
  const auto widgets = nlohmann::json::parse(app.state_json(1))["widgets"];
  for (const char* name : {"spectrum", "spectrum:all", "spectrum:unit", "weights-by-sign", "weights-by-sign:log"})
    CHECK(widgets.contains(name));
  // The view holds the unit circle and every eigenvalue when all are asked for.
  app.view.spectrum.all = true;
  app.view.spectrum.fit = true;
  draw(draw_spectrum, 400, 270);
  const SpectrumState& state = app.view.spectrum;
  CHECK(state.left <= -1);
  CHECK(state.right >= app.spectra.view().spectrum.now->abscissa);
  CHECK(state.top >= 1);
}
