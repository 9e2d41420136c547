// Looking back along a training (shell/app/timeline.h, Live::look_back), and what is offered when one fails.
#include <chrono>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/figures.h"
#include "app/matrix_picture.h"
#include "app/remedies.h"
#include "app/unit_order.h"
#include "app/views.h"
#include "helpers.h"
#include "live_helpers.h"
#include "window_helpers.h"

using namespace dalea;
using namespace dalea::app;
using namespace dalea::testing;
using nlohmann::json;

namespace {

Parameters one_weight(float v) {
  Parameters p;
  p.W_rec.name = "W_rec";
  p.W_rec.rows = p.W_rec.cols = 1;
  p.W_rec.values = {v};
  return p;
}

LiveOptions options_of(bool own_thread) {
  LiveOptions o;
  o.own_thread = own_thread;
  o.threads = own_thread ? 2 : 1;
  return o;
}

}  // namespace

TEST_CASE("timeline: bounded in moments and bytes, evenly spread, with the start, each as it was") {
  Timeline t(16, int64_t{1} << 20);
  CHECK(t.nearest(3) == nullptr);
  for (int64_t k = 0; k <= 1000; ++k) {
    t.offer(k, one_weight(static_cast<float>(k)));
    REQUIRE(t.moments().size() <= 16);
  }
  t.offer(1000, one_weight(-1));  // not later: dropped
  t.offer(7, one_weight(-1));
  const auto& m = t.moments();
  CHECK(m.size() >= 8);
  CHECK(m.front().updates == 0);
  const int64_t step = m[1].updates;
  for (size_t k = 0; k < m.size(); ++k) {
    CHECK(m[k].updates == static_cast<int64_t>(k) * step);
    CHECK(m[k].parameters->W_rec.values[0] == static_cast<float>(m[k].updates));
  }
  CHECK(m.back().updates > 1000 - 2 * step);
  CHECK(t.nearest(step + 1)->updates == step);
  CHECK(t.nearest(-50)->updates == 0);
  Timeline small(1000, 40);  // ten numbers of four bytes
  for (int64_t k = 0; k <= 500; ++k) small.offer(k, one_weight(0));
  CHECK(small.bytes() <= 40);
  CHECK(small.moments().size() >= 4);
  small.clear();
  CHECK(small.moments().empty());
  for (int64_t k = 5; k <= 7; ++k) small.offer(k, one_weight(0));  // a session that was opened: from there on
  CHECK(small.moments().size() == 3);
}

TEST_CASE("looking back shows the network of that moment, while training goes on to the same bits") {
  const Spec spec = spec_of(tiny_json(R"("epochs":6,"batch":13,"optimizer":{"lr":0.01})"));
  auto alone = trainer_of(spec);
  while (alone->updates() < 9) alone->step();
  const std::string ninth = hash_text(alone->hash());
  const std::vector<float> weights = alone->model().parameters.W_rec.values;
  const std::string last = hash_text(train_to_end(*alone));
  for (bool own_thread : {true, false}) {
    Live live(options_of(own_thread));
    live.look_back(3);  // nothing is there yet
    live.train(spec, nullptr, false);
    for (int k = 1; k <= 12; ++k) {
      live.step();
      until(live, [&](const Snapshot& v) { return v.updates == k && v.phase == Phase::paused; });
    }
    live.look_back(9);
    auto s = until(live, [](const Snapshot& v) { return v.looking_back; });
    CHECK(s->moments->size() == 13);
    CHECK(s->updates == 12);
    CHECK(s->hash_updates == 9);
    CHECK(s->hash == ninth);
    CHECK(s->weights->values == weights);
    auto again = trainer_of(spec);
    while (again->updates() < 9) again->step();
    CHECK(s->trace->output == again->trace(again->data().held_out, s->trace->trial).output);
    live.look_back(0);
    s = until(live, [](const Snapshot& v) { return v.hash_updates == 0; });
    CHECK(s->weights->values == s->setup->initial->values);
    live.play();
    s = until(live, [](const Snapshot& v) { return v.phase == Phase::finished; });
    CHECK(s->looking_back);
    CHECK(s->hash_updates == 0);
    live.look_back(-1);
    s = until(live, [](const Snapshot& v) { return !v.looking_back; });
    CHECK(s->hash == last);
    CHECK(s->hash_updates == s->updates);
    live.look_back(5);
    live.restart();  // a new network is looked at as it is
    s = until(live, [](const Snapshot& v) { return v.setup->serial == 2; });
    CHECK_FALSE(s->looking_back);
  }
}

TEST_CASE("the window looks back by keys and by its line, replays, and comes back") {
  NoScreen screen;
  App app(screen, options_of(false));
  app.live.train(spec_of(tiny_json(R"("epochs":3,"batch":13,"optimizer":{"lr":0.01})")), nullptr, true);
  until(app.live, [](const Snapshot& v) { return v.phase == Phase::finished; });
  const auto frames = [&](int n) {
    for (int k = 0; k < n; ++k) {
      app.live.pump(0);
      screen.frame(app);
    }
  };
  frames(2);
  const json before = json::parse(app.state_json(1));
  CHECK(before["looking_back"] == false);
  CHECK(before["moments"].size() == 16);
  CHECK(before["widgets"].contains("timeline"));
  look_by(app, -1);  // the last kept moment is the present: one before it
  frames(2);
  CHECK(app.now->hash_updates == 14);
  look_by(app, -1);
  frames(2);
  CHECK(app.now->hash_updates == 13);
  CHECK(json::parse(app.state_json(1))["widgets"].contains("back:present"));
  look_by(app, 1);
  frames(2);
  CHECK(app.now->hash_updates == 14);
  app.view.timeline.replay = true;
  frames(60);
  CHECK(app.now->hash_updates == 15);
  CHECK_FALSE(app.view.timeline.replay);
  look_by(app, 1);  // beyond the last: the present
  frames(2);
  CHECK_FALSE(app.now->looking_back);
  CHECK(json::parse(app.state_json(1))["hash"] == before["hash"]);
  CHECK(grouped(1234567) == "1,234,567");
  CHECK(grouped(-1234) == "-1,234");
  CHECK(grouped(123) == "123");
}

TEST_CASE("a training that fails names a likely cause and offers experiments that go on") {
  const std::string wild = R"("epochs":50,"batch":13,"constraint":"conventional","optimizer":{"type":"sgd","lr":1e9})";
  NoScreen screen;
  App app(screen, options_of(false));
  app.live.train(spec_of(tiny_json(wild, R"(,"network":{"activation":"relu"})")), nullptr, true);
  const auto s = until(app.live, [](const Snapshot& v) { return v.phase == Phase::failed; });
  CHECK(s->failure.find("not finite") != std::string::npos);
  app.live.pump(0);
  screen.frame(app);
  screen.frame(app);
  const json state = json::parse(app.state_json(1));
  CHECK(state["widgets"].contains("remedy:2"));
  CHECK(likely_cause(s->setup->spec).find("1e+09") != std::string::npos);
  const auto offered = remedies(s->setup->spec);
  REQUIRE(offered.size() == 3);
  CHECK(offered[0].spec.training.optimizer.lr == 1e8);
  CHECK(offered[1].spec.training.clip == 1);
  CHECK(offered[2].spec.network.activation == Activation::tanh);
  for (const Remedy& r : offered) CHECK(check_spec(r.spec).empty());
  Spec calm = s->setup->spec;
  calm.training.optimizer = OptimizerSpec();
  CHECK(remedies(calm)[0].spec.training.clip == 1);
  CHECK(likely_cause(calm).find("relu") != std::string::npos);
  calm.network.activation = Activation::tanh;
  CHECK(likely_cause(calm).find("not clipped") != std::string::npos);
  calm.training.clip = 0.5;
  CHECK(remedies(calm).size() == 1);
}

TEST_CASE("units are sorted within their populations by peak and by selectivity, and the picture follows") {
  const std::vector<PopulationView> populations = {{"E", Sign::excitatory, {0, 3}}, {"I", Sign::inhibitory, {3, 5}}};
  TraceView t;
  t.steps = 4;
  // (step, unit): peaks at steps 2, 0, 3 | never, 1
  t.activity = {0, 1, 0, 0.5f, 0, 0, 0, 0, 0.5f, -2, 3, 0, 0, 0.5f, 0, 0, 0, 1, 0.5f, 0};
  CHECK(unit_order(populations, t, Sorting::as_built).empty());
  CHECK(unit_order(populations, t, Sorting::peak_time) == std::vector<int32_t>{1, 0, 2, 4, 3});
  t.target = {0, 0, 0, -1,
              1, 0, 0, 0};  // (step, output): unit 0 follows the first, 4 the second; 1 and 2 are against it
  const auto by_target = unit_order(populations, t, Sorting::selectivity);
  CHECK(by_target == std::vector<int32_t>{0, 1, 2, 4, 3});
  CHECK(unit_order({}, t, Sorting::peak_time).empty());

  MatrixView m;
  m.units = 3;
  for (int k = 0; k < 9; ++k) m.values.push_back(static_cast<float>(k) / 8);
  std::vector<uint32_t> plain, sorted;
  paint_matrix(m, nullptr, 1, plain);
  const std::vector<int32_t> order = {2, 0, 1};
  CHECK(paint_matrix(m, nullptr, 1, sorted, order) == 3);
  for (size_t pre = 0; pre < 3; ++pre)
    for (size_t post = 0; post < 3; ++post)
      CHECK(sorted[pre * 3 + post] == plain[static_cast<size_t>(order[pre] * 3 + order[post])]);
}

TEST_CASE("figures of what is shown: a caption with the hash, SVG, PNG and the numbers") {
  Live live(options_of(false));
  CHECK_FALSE(figure_file(*live.snapshot(), FigureOf::weights, FigureFile::svg).ok());
  live.train(spec_of(tiny_json(R"("epochs":2,"batch":13)", R"(,"name":"My net","connectivity":{"probability":0.4})")),
             nullptr, false);
  auto s = until(live, [](const Snapshot& v) { return v.phase == Phase::paused; });
  CHECK_FALSE(figure_file(*s, FigureOf::curves, FigureFile::csv).ok());  // no epoch yet
  live.play();
  s = until(live, [](const Snapshot& v) { return v.phase == Phase::finished; });
  for (FigureOf what : {FigureOf::curves, FigureOf::weights, FigureOf::trial, FigureOf::activity}) {
    const Result<plot::Figure> figure = figure_of(*s, what);
    REQUIRE(figure.ok());
    CHECK(figure->caption.find("20 units (16 E, 4 I)") != std::string::npos);
    CHECK((what == FigureOf::curves) == (figure->caption.find(s->hash) == std::string::npos));
    const Result<NamedFile> svg = figure_file(*s, what, FigureFile::svg), png = figure_file(*s, what, FigureFile::png),
                            csv = figure_file(*s, what, FigureFile::csv);
    CHECK(svg->name.substr(0, 7) == "my-net-");
    CHECK(std::string(reinterpret_cast<const char*>(svg->bytes.data()), 4) == "<svg");
    CHECK(std::string(reinterpret_cast<const char*>(png->bytes.data()) + 1, 3) == "PNG");
    CHECK(csv->bytes.size() > 100);
  }
  // Absent synapses are gaps in the table, others its values.
  const plot::HeatMap map = std::get<plot::HeatMap>(figure_of(*s, FigureOf::weights)->panels[0].chart);
  for (int64_t i = 0; i < 20; ++i)
    for (int64_t j = 0; j < 20; ++j) {
      const float v = map.values[static_cast<size_t>(i * 20 + j)];
      CHECK(std::isnan(v) == !s->weights->exists(i, j));
      if (!std::isnan(v)) CHECK(v == s->weights->at(i, j));
    }
}
