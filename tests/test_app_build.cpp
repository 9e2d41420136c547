// The Build tab: what it does to the draft, the numbers it shows, and its frames.
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "app/circuit.h"
#include "app/matrix_picture.h"
#include "helpers.h"
#include "window_helpers.h"

using namespace dalea;
using namespace dalea::app;
using namespace dalea::testing;
using nlohmann::json;

namespace {

using Matrix = std::vector<std::vector<double>>;

Spec preset(const std::string& id) {
  for (const Preset& p : presets())
    if (p.id == id) return p.spec;
  FAIL("no such preset");
  return {};
}

std::string names_of(const Spec& s) {
  std::string all;
  for (const Population& p : s.populations) all += (all.empty() ? "" : ",") + p.name;
  return all;
}

}  // namespace

TEST_CASE("build: probabilities become a matrix at the first edit of a block, and nothing else changes") {
  Spec s = preset("quickstart");
  CHECK(wiring_of(s) == Wiring::all);
  CHECK(probability_at(s, 1, 0) == 1);
  set_probability(s, 0, 1, 0.25);
  CHECK(s.connectivity.probability == Matrix{{1, 0.25}, {1, 1}});
  CHECK(check_spec(s).empty());
  set_probability(s, 0, 1, 7);
  CHECK(probability_at(s, 0, 1) == 1);
  set_probability(s, 0, 1, NAN);
  set_probability(s, 2, 0, 0.5);
  CHECK(s.connectivity.probability == Matrix{{1, 1}, {1, 1}});
  s.connectivity.probability = {{0.4}};
  set_probability(s, 1, 1, 0);
  CHECK(s.connectivity.probability == Matrix{{0.4, 0.4}, {0.4, 0}});
  set_wiring(s, Wiring::one);  // the mean over pairs: 0.4 (1 - (13 / 64)^2)
  CHECK(s.connectivity.probability == Matrix{{0.383}});
  set_wiring(s, Wiring::all);
  CHECK(s.connectivity.probability.empty());
  set_wiring(s, Wiring::blocks);
  CHECK(s.connectivity.probability == Matrix{{1, 1}, {1, 1}});
  s.connectivity.probability = {{0.1, 0.2, 0.3}, {0.4}};
  CHECK_FALSE(wiring_fits(s));
  set_wiring(s, Wiring::blocks);
  CHECK(s.connectivity.probability == Matrix{{0.1, 0.2}, {0.4, 0}});
  s.populations.pop_back();
  s.connectivity.probability.clear();
  set_probability(s, 0, 0, 0.5);
  CHECK(s.connectivity.probability == Matrix{{0.5}});
}

TEST_CASE("build: rows and columns follow the populations") {
  Spec s = preset("quickstart");
  s.connectivity.probability = {{0.1, 0.2}, {0.3, 0.4}};
  duplicate_population(s, 0);
  CHECK(names_of(s) == "E,E 2,I");
  CHECK(s.connectivity.probability == Matrix{{0.1, 0.1, 0.2}, {0.1, 0.1, 0.2}, {0.3, 0.3, 0.4}});
  set_probability(s, 1, 2, 0.9);
  move_population(s, 1, 2);
  CHECK(names_of(s) == "E,I,E 2");
  CHECK(s.connectivity.probability == Matrix{{0.1, 0.2, 0.1}, {0.3, 0.4, 0.3}, {0.1, 0.9, 0.1}});
  move_population(s, 2, 0);
  CHECK(names_of(s) == "E 2,E,I");
  CHECK(s.connectivity.probability == Matrix{{0.1, 0.1, 0.9}, {0.1, 0.1, 0.2}, {0.3, 0.3, 0.4}});
  add_population(s);
  CHECK(s.populations.back().name == "P4");
  CHECK(s.connectivity.probability[3] == std::vector<double>(4, 1));
  CHECK(s.connectivity.probability[0][3] == 1);
  CHECK(check_spec(s).empty());
  remove_population(s, 1);
  remove_population(s, 2);
  CHECK(names_of(s) == "E 2,I");
  CHECK(s.connectivity.probability == Matrix{{0.1, 0.9}, {0.3, 0.4}});
  // Names stay unique; one number stays one number.
  s.connectivity.probability = {{0.5}};
  s.populations[0].name = "P3";
  add_population(s);
  CHECK(s.populations[2].name == "P4");
  duplicate_population(s, 1);
  duplicate_population(s, 1);
  CHECK(names_of(s) == "P3,I,I 3,I 2,P4");
  CHECK(s.connectivity.probability == Matrix{{0.5}});
  move_population(s, 0, 9);
  remove_population(s, 9);
  CHECK(s.populations.size() == 5);
}

TEST_CASE("build: expected synapses, and what is drawn lies within them") {
  Spec s = preset("blocks");
  // numpy: (P * outer(n, n)).sum() - (diag(P) * n).sum(), and the square root of the sum of p (1 - p)
  Expected e = expected_synapses(s);
  CHECK(e.synapses == doctest::Approx(2820.0).epsilon(1e-12));
  CHECK(e.sd == doctest::Approx(39.16426943018343).epsilon(1e-12));
  CHECK(e.density == doctest::Approx(2820.0 / (120 * 120)).epsilon(1e-12));
  CHECK(expected_in_block(s, 0, 0) == doctest::Approx(0.2 * 48 * 47));
  for (uint64_t seed = 1; seed < 9; ++seed) {
    s.seed = seed;
    CHECK(std::fabs(static_cast<double>(sample_pattern(s, 0)->count()) - e.synapses) < 4 * e.sd);
  }
  s.connectivity.self_connections = true;
  CHECK(expected_synapses(s).synapses == doctest::Approx(2851.2).epsilon(1e-12));
  s = preset("quickstart");
  s.connectivity.self_connections = false;
  CHECK(expected_synapses(s).synapses == 64 * 63);
  CHECK(static_cast<double>(sample_pattern(s, 0)->count()) == expected_synapses(s).synapses);
  s.populations[0].size = -4;
  CHECK(expected_synapses(s).synapses == 13 * 12);
  s.populations.clear();
  CHECK(expected_synapses(s).density == 0);
}

TEST_CASE("build: the predicted spectrum is that of the blocks' means and variances") {
  // numpy.linalg.eigvals of n_q mean_pq, and of n_q var_pq; a network drawn with 640 units had 7.48 and 0.30.
  Spec s = preset("quickstart");
  s.populations[0].size = 510;
  s.populations[1].size = 130;
  StartSpectrum r = predicted_spectrum(s);
  CHECK(r.bulk == doctest::Approx(0.2886751345948128).epsilon(1e-3));
  CHECK(r.outlier == doctest::Approx(7.51040944).epsilon(1e-3));
  s.network.balanced = true;  // means cancel
  r = predicted_spectrum(s);
  CHECK(r.bulk == doctest::Approx(0.5717718748968657).epsilon(1e-3));
  CHECK(r.outlier < 1e-6);
  // Complex pairs: sqrt(0.13693064^2 + 0.59937467^2).
  r = predicted_spectrum(preset("blocks"));
  CHECK(r.bulk == doctest::Approx(0.21034471095758928).epsilon(1e-3));
  CHECK(r.outlier == doctest::Approx(0.61481704).epsilon(1e-2));
  s.populations = {{"A", 600, Sign::free, 0, "", "", ""}};
  s.connectivity.probability = {{0.3}};
  r = predicted_spectrum(s);
  CHECK(r.bulk == doctest::Approx(0.31622776601683794).epsilon(1e-3));
  CHECK(r.outlier == 0);
}

TEST_CASE("build: the picture of a mask has rows for those who receive") {
  Spec s = preset("quickstart");
  s.populations = {{"E", 2, Sign::excitatory, 0, "", "", ""}, {"I", 1, Sign::inhibitory, 0, "", "", ""}};
  s.connectivity.probability = {{0, 1}, {1, 0}};
  std::vector<uint32_t> pixels;
  REQUIRE(paint_mask(s, sample_pattern(s, 0).get(), 8, pixels) == 3);
  const uint32_t red = packed(weight_color(1, 1)), blue = packed(weight_color(-1, 1)), none = packed(absent_color);
  CHECK(pixels == std::vector<uint32_t>{none, none, blue, none, none, blue, red, red, none});
  s.connectivity.probability.clear();
  REQUIRE(paint_mask(s, nullptr, 2, pixels) == 2);  // cells of two units
  CHECK(pixels == std::vector<uint32_t>{red, blue, red, blue});
  s.populations.clear();
  CHECK(paint_mask(s, nullptr, 2, pixels) == 0);
}

TEST_CASE("build: populations are drawn apart, by area and layer where there are such") {
  for (const Preset& p : presets()) {
    const CircuitLayout layout = place_populations(p.spec.populations);
    REQUIRE(layout.at.size() == p.spec.populations.size());
    std::set<std::pair<int, int>> places;
    for (const Place& at : layout.at) {
      CHECK(at.x >= 0);
      CHECK(at.x <= 1);
      CHECK(at.y >= 0);
      CHECK(at.y <= 1);
      places.insert({static_cast<int>(std::lround(1000 * at.x)), static_cast<int>(std::lround(1000 * at.y))});
    }
    CHECK(places.size() == layout.at.size());
  }
  const CircuitLayout types = place_populations(preset("cell-types").populations);
  CHECK(types.columns == std::vector<std::string>{"V1", "LM"});
  CHECK(types.rows == std::vector<std::string>{"L4", "L23", "L5"});
  CHECK(types.at[0].x < 0.5);
  CHECK(types.at[9].x > 0.5);      // LM L4 Pyr
  CHECK(types.at[6].y > 2.0 / 3);  // V1 L5 Pyr
  const CircuitLayout two = place_populations(preset("quickstart").populations);
  CHECK(two.columns.empty());
  CHECK(two.at[0].x == 0);
  CHECK(two.at[1].x == doctest::Approx(1));
  CHECK(two.at[1].y == doctest::Approx(0.5));
}

TEST_CASE("build: a trial of the task, and what is typed as a probability") {
  Spec s = preset("quickstart");
  TaskPreview t = preview_task(s);
  REQUIRE(t.lines.size() == 2);
  CHECK(t.lines[0].input);
  CHECK_FALSE(t.lines[1].input);
  CHECK(t.time_s.size() == 30);
  CHECK(t.time_s[2] == doctest::Approx(2 * s.network.dt_s));
  const Result<Dataset> data = make_dataset(s, nullptr, 0);  // the first trial that it will train on
  double state = 0;
  for (size_t k = 0; k < 30; ++k) {
    CHECK(t.lines[0].y[k] == static_cast<double>(data->train.input[k]));
    if (t.lines[0].y[k] != 0) state = t.lines[0].y[k];
    CHECK(t.lines[1].y[k] == state);
  }
  const std::vector<double> target = t.lines[1].y;
  s.training.loss = "cross-entropy";
  CHECK_FALSE(same_trials(s, preset("quickstart")));
  t = preview_task(s);
  REQUIRE(t.lines.size() == 2);
  CHECK(t.lines[1].y == target);
  t = preview_task(preset("wave"));
  REQUIRE(t.lines.size() == 4);
  CHECK(t.lines[2].y[0] == t.lines[0].y[1]);  // the next sample
  s.task.steps = 0;
  CHECK(preview_task(s).lines.empty());
  s = preset("wave");
  s.task.steps = 2500;
  CHECK(preview_task(s).lines.empty());
  CHECK(preview_task(preset("digits")).lines.empty());

  CHECK(typed_probability("0.25") == 0.25);
  CHECK(typed_probability(".5") == 0.5);
  CHECK(typed_probability("1.") == 1.0);
  for (const char* wrong : {"", ".", "2", "1.5", "0..1", "x"}) CHECK_FALSE(typed_probability(wrong));
  CHECK(short_probability(0.05) == ".05");
  CHECK(short_probability(0.123) == ".12");
  CHECK(short_probability(0.999) == "1");
  CHECK(short_probability(0.004) == ".004");
  CHECK(short_probability(1e-7) == "~0");
}

TEST_CASE("build tab: matrix, circuit and keys change the draft; it draws in every size and theme") {
  NoScreen screen;
  LiveOptions options;
  options.own_thread = false;
  options.platform = "test";
  App app(screen, options);
  float w = 1280, h = 720;
  const auto turn = [&](int times) {
    for (int k = 0; k < times; ++k) screen.frame(app, w, h);
  };
  const auto centre_of = [&](const std::string& name) {
    const json all = json::parse(app.state_json(1))["widgets"];
    REQUIRE_MESSAGE(all.contains(name), name);
    const json& r = all[name];
    return ImVec2(r["x"].get<float>() + r["w"].get<float>() / 2, r["y"].get<float>() + r["h"].get<float>() / 2);
  };
  ImGuiIO& io = ImGui::GetIO();
  const auto point = [&](ImVec2 at) {
    io.AddMousePosEvent(at.x, at.y);
    turn(2);
  };
  const auto button = [&](bool down) {
    io.AddMouseButtonEvent(0, down);
    turn(2);
  };
  const auto click = [&](const std::string& name) {
    point(centre_of(name));
    button(true);
    button(false);
  };
  const auto press = [&](ImGuiKey key) {
    io.AddKeyEvent(key, true);
    turn(1);
    io.AddKeyEvent(key, false);
    turn(2);
  };
  const auto type = [&](const char* text) {
    for (; *text; ++text) {
      io.AddInputCharacter(static_cast<unsigned>(*text));
      turn(1);
    }
  };
  app.live.train(preset("quickstart"), nullptr, false);
  app.live.pump(0.01);
  app.view.tab = tab_build;
  turn(3);
  auto& p = app.draft.connectivity.probability;
  CHECK(p.empty());
  CHECK_FALSE(app.draft_changed);
  CHECK(app.view.build.synapses == 64 * 64);
  const int uploads = screen.uploads;
  turn(5);
  CHECK(screen.uploads == uploads);  // only when the draft changed

  click("block:0,1");  // to E from I
  CHECK(p.empty());    // selecting changes nothing
  CHECK(app.view.build.pre == 1);
  type("0.25");
  CHECK(p == Matrix{{1, 0.25}, {1, 1}});
  CHECK(app.draft_changed);
  CHECK(app.view.build.synapses == sample_pattern(app.draft, 0)->count());
  type("+");
  CHECK(p[0][1] == doctest::Approx(0.3));
  type("--");
  CHECK(p[0][1] == doctest::Approx(0.2));
  press(ImGuiKey_DownArrow);
  CHECK(app.view.build.post == 1);
  CHECK(app.view.build.pre == 1);
  press(ImGuiKey_LeftArrow);
  CHECK(app.view.build.pre == 0);
  press(ImGuiKey_Delete);
  CHECK(p[1][0] == 0);
  CHECK(p[0][1] == doctest::Approx(0.2));
  press(ImGuiKey_UpArrow);
  press(ImGuiKey_UpArrow);  // no further than the first
  CHECK(app.view.build.post == 0);
  type("1");
  CHECK(p[0][0] == 1);

  // Down by 40: less by 0.2. The wheel changes what is selected, under the pointer.
  point(centre_of("block:1,1"));
  button(true);
  for (int k = 0; k < 4; ++k) {
    io.AddMousePosEvent(io.MousePos.x, io.MousePos.y + 10);
    turn(1);
  }
  button(false);
  CHECK(p[1][1] < 0.9);
  CHECK(p[1][1] > 0.75);
  const double dragged = p[1][1];
  point(centre_of("block:1,1"));
  io.AddMouseWheelEvent(0, 1);
  turn(2);
  CHECK(p[1][1] == doctest::Approx(dragged + 0.01));
  point(centre_of("block:0,0"));
  io.AddMouseWheelEvent(0, -1);
  turn(2);
  CHECK(p[0][0] == 1);

  // From the circle of I to that of E and back: the connection that was absent is there again.
  const ImVec2 e = centre_of("node:0"), i = centre_of("node:1");
  CHECK(p[1][0] == 0);
  point(e);
  button(true);
  point(i);
  button(false);
  CHECK(p[1][0] == doctest::Approx(0.2));
  CHECK(app.view.build.post == 1);
  CHECK(app.view.build.pre == 0);
  point(i);
  button(true);
  point({i.x, i.y + 1});
  button(false);
  CHECK(app.view.build.post == 1);
  CHECK(app.view.build.pre == 1);

  const Matrix before = p;
  click("wiring:One probability");
  CHECK(p.size() == 1);
  click("wiring:By block");
  CHECK(p == before);  // as it was
  click("build:self");
  CHECK_FALSE(app.draft.connectivity.self_connections);
  click("wiring:All to all");
  CHECK(p.empty());

  // The rail's menu of a population.
  app.draft.connectivity.probability = {{0.1, 0.2}, {0.3, 0.4}};
  app.draft_edited();
  h = 1400;
  turn(2);
  click("population[0]:more");
  click("population[0]:down");
  CHECK(names_of(app.draft) == "I,E");
  CHECK(p == Matrix{{0.4, 0.3}, {0.2, 0.1}});
  click("population[0]:more");
  CHECK(json::parse(app.state_json(1))["widgets"].contains("field:populations[0].tau_s"));
  click("population[0]:duplicate");
  CHECK(names_of(app.draft) == "I,I 2,E");
  CHECK(p.size() == 3);
  CHECK(app.problems.empty());

  // What cannot be trained is said, in every form.
  app.draft.populations[0].size = -4;
  app.draft.connectivity.probability[1][1] = 7;
  app.draft_edited();
  turn(2);
  CHECK_FALSE(app.problems.empty());
  app.draft.connectivity.probability = {{0.5, 0.5}};
  app.draft_edited();
  turn(2);
  click("build:fit");
  CHECK(wiring_fits(app.draft));
  app.draft.populations.clear();
  app.draft_edited();
  turn(2);
  click("build:add");
  CHECK(app.draft.populations.size() == 1);
  const Population one = app.draft.populations[0];
  app.draft.populations.assign(70, one);
  app.draft_edited();
  turn(2);
  for (const Preset& preset : presets())
    for (bool circuit : {false, true})
      for (Theme theme : {Theme::light, Theme::dark})
        for (auto [width, height] : {std::pair{1280.f, 720.f}, {1920.f, 1080.f}, {390.f, 844.f}, {200.f, 120.f}}) {
          app.draft = preset.spec;
          app.draft_edited();
          app.view.build.circuit = circuit;
          app.theme = theme;
          w = width;
          h = height;
          turn(2);
          // One that waits for its connectome says so.
          CHECK(app.problems.empty() == (preset.spec.connectome.source != "file"));
        }
  app.textures_lost();
  turn(2);
}
