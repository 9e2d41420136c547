// The Theory tab: its input is kept drawable, it counts the boundary, and it draws; without graphics.
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "app/theory.h"
#include "helpers.h"
#include "window_helpers.h"

using namespace dalea;
using namespace dalea::app;
using namespace dalea::testing;

TEST_CASE("theory tab: computes anew only what changed, and moves what is dragged out back in") {
  Theory theory;
  const ConeDemo* demo = theory.demo();
  REQUIRE(demo != nullptr);
  CHECK(demo->runs.size() == 3);
  CHECK(demo->rate == ConeClaim::holds);
  CHECK(theory.demo() == demo);
  theory.input.adam = false;
  REQUIRE(theory.demo() != nullptr);
  CHECK(theory.demo()->runs.size() == 2);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (double wild : {nan, -1e300, 1e300, static_cast<double>(INFINITY), -5.0, 5.0}) {
    theory.input.start1 = theory.input.start2 = theory.input.b1 = theory.input.b2 = wild;
    theory.input.condition = theory.input.eta_l = wild;
    theory.input.steps = wild > 0 ? 1 << 30 : -7;
    REQUIRE(theory.demo() != nullptr);
    const TheoryInput& in = theory.input;
    CHECK(in.start1 >= 0);
    CHECK(in.start1 < Theory::right);
    CHECK(in.start2 <= 0);
    CHECK(in.start2 > Theory::bottom);
    CHECK(in.b1 > Theory::left);
    CHECK(in.b2 < Theory::top);
    CHECK(in.condition >= 1);
    CHECK(in.eta_l > 0);
    CHECK(in.steps >= 5);
    CHECK(in.steps <= 500);
    CHECK(theory.demo()->run(ConeMethod::projected)->steps.front().w1 == in.start1);
  }
}

TEST_CASE("theory tab: weights on the boundary are counted where synapses and signs are") {
  MatrixView w;
  w.units = 3;
  w.values = {0, 1, 0, 0, 0, -2, 0, 0, 0};  // columns: excitatory, inhibitory, free
  std::vector<PopulationView> populations = {
      {"E", Sign::excitatory, {0, 1}}, {"I", Sign::inhibitory, {1, 2}}, {"F", Sign::free, {2, 3}}};
  OnBoundary all = on_boundary(w, populations);
  CHECK(all.weights == 6);
  CHECK(all.zero == 4);
  const std::vector<uint8_t> mask = {1, 1, 0, 0, 1, 1, 1, 1, 1};
  w.pattern = make_pattern(3, 3, mask);  // dense values, absent synapses
  CHECK(on_boundary(w, populations).weights == 4);
  CHECK(on_boundary(w, populations).zero == 2);
  w.sparse = true;
  w.values = {0, 1, 0, -2, 0, 0, 0};
  CHECK(on_boundary(w, populations).weights == 4);
  CHECK(on_boundary(w, populations).zero == 2);
  CHECK(on_boundary(w, {}).weights == 0);
}

TEST_CASE("theory tab: draws in every size and theme, with extreme settings, and its widgets lie apart") {
  NoScreen screen;
  LiveOptions options;
  options.own_thread = false;
  options.platform = "test";
  App app(screen, options);
  app.open_preset("quickstart");
  app.live.pump(0.01);
  for (Theme theme : {Theme::light, Theme::dark})
    for (auto [w, h] : {std::pair{1280.f, 720.f}, {1920.f, 1080.f}, {390.f, 844.f}, {200.f, 120.f}})
      for (double eta : {0.05, 1.0, 2.5})
        for (double condition : {1.0, 10.0, 1000.0}) {
          app.theme = theme;
          app.theory.input = TheoryInput();
          app.theory.input.eta_l = eta;
          app.theory.input.condition = condition;
          app.theory.input.steps = condition > 100 ? 500 : 20;
          for (int k = 0; k < 3; ++k) {
            app.view.tab = tab_theory;
            screen.frame(app, w, h);
          }
        }
  app.theory.input.start1 = app.theory.input.b1 = 1;  // starts at the minimum
  app.theory.input.start2 = app.theory.input.b2 = -1;
  for (int k = 0; k < 2; ++k) screen.frame(app);
  const auto widgets = nlohmann::json::parse(app.state_json(1))["widgets"];
  const nlohmann::json &plane = widgets["theory-plane"], &gap = widgets["theory-gap"];
  CHECK(plane["w"].get<double>() > 200);
  CHECK(gap["x"].get<double>() >= plane["x"].get<double>() + plane["w"].get<double>());
  CHECK(plane["y"].get<double>() >=
        widgets["theory-eta"]["y"].get<double>() + widgets["theory-eta"]["h"].get<double>());
}
