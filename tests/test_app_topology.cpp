// Network measures beside the window, with and without a thread; their files; and the tab draws.
#include <chrono>
#include <cmath>
#include <functional>
#include <thread>

#include "app/topology.h"
#include "app/views.h"
#include "figure_helpers.h"
#include "helpers.h"
#include "numerics/parallel.h"
#include "window_helpers.h"

using namespace dalea;
using namespace dalea::app;
using namespace dalea::testing;

namespace {

Population population(const std::string& name, int64_t size) {
  Population p;
  p.name = name;
  p.size = size;
  return p;
}

TopologyTask task_of(int64_t units, double density, int64_t nulls, uint64_t seed = 1) {
  Rng rng(seed, Purpose::test);
  auto m = std::make_shared<MatrixView>();
  m->units = units;
  for (int64_t e = 0; e < units * units; ++e)
    m->values.push_back(static_cast<double>(rng.uniform()) < density ? rng.uniform() : 0.0f);
  auto setup = std::make_shared<Setup>();
  setup->spec.populations = {population("E", units - 2), population("I", 2)};
  setup->initial = m;
  TopologyTask t;
  t.setup = setup;
  t.weights = m;
  t.nulls = nulls;
  return t;
}

bool wait_for(Topology& topology, const std::function<bool(const TopologyView&)>& good) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!good(topology.view()) && std::chrono::steady_clock::now() < end) {
    topology.pump();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return good(topology.view());
}

MeasuredNetwork network_of(const TopologyTask& t) {
  MeasuredNetwork n;
  n.graph = graph_of({t.weights->units, nullptr, false, t.weights->values});
  label_units(t.setup->spec, n);
  return n;
}

}  // namespace

TEST_CASE("topology: without a thread one network at a time; the last wish is the one that comes") {
  Topology topology(false);
  CHECK_FALSE(topology.changed());
  topology.pump();
  topology.start(task_of(20, 0.3, 3));
  topology.start(task_of(20, 0.3, 3, 2));
  CHECK(topology.changed());
  for (size_t k = 0; k < 4; ++k) {
    topology.pump();
    const TopologyView v = topology.view();
    REQUIRE(v.study);
    CHECK(v.study->nulls.size() == k);
    CHECK(v.running == (k < 3));
    CHECK(v.failure == "");
  }
  // The same as on the command line, with any number of threads.
  const TopologyTask t = task_of(20, 0.3, 3, 2);
  for (int threads : {1, 3}) {
    const Result<MeasureStudy> s = study_measures(network_of(t), {3, "rewired", t.setup->spec.seed, 0}, threads);
    REQUIRE(s.ok());
    CHECK(s->nulls == topology.view().study->nulls);
    CHECK(measures_csv(*s) == measures_csv(*topology.view().study));
  }
  topology.start(task_of(20, 0.3, 99));
  topology.pump();
  topology.pump();
  topology.stop();
  topology.pump();
  CHECK_FALSE(topology.view().running);
  CHECK(topology.view().study->nulls.size() == 0);  // of the first few none is shown yet
  topology.start(task_of(most_pumped_topology_units + 1, 0.01, 0));
  topology.pump();
  CHECK(topology.view().failure.find("dalea measures session.npz") != std::string::npos);
  CHECK_FALSE(topology.view().running);
  TopologyTask wrong = task_of(9, 1, 1);
  wrong.model = "spatial";
  topology.start(wrong);
  topology.pump();
  topology.pump();
  CHECK(topology.view().failure.find("positions") != std::string::npos);
  CHECK(topology.view().study);
}

TEST_CASE("topology: on its own thread, and cancelled in the middle") {
  if (!threads_available()) return;
  Topology topology(true);
  for (uint64_t seed = 1; seed < 20; ++seed) topology.start(task_of(24, 0.4, 5, seed));
  CHECK(wait_for(topology, [](const TopologyView& v) { return !v.running; }));
  const Result<MeasureStudy> s = study_measures(network_of(task_of(24, 0.4, 5, 19)), {5, "rewired", 1, 0}, 2);
  REQUIRE(s.ok());
  CHECK(measures_csv(*topology.view().study) == measures_csv(*s));
  topology.start(task_of(300, 0.5, 999));
  CHECK(wait_for(topology, [](const TopologyView& v) { return v.part > 0; }));
  topology.stop();
  CHECK_FALSE(topology.view().running);
  for (int k = 0; k < 3; ++k) {  // ended while at work
    Topology brief(true);
    brief.start(task_of(100, 0.3, 99));
    if (k > 0) wait_for(brief, [](const TopologyView& v) { return v.part > 0; });
  }
  // The study itself, too.
  int calls = 0;
  const Result<MeasureStudy> stopped =
      study_measures(network_of(task_of(30, 0.4, 5)), {5, "rewired", 1, 0}, 2, [&](double) { return ++calls < 40; });
  REQUIRE_FALSE(stopped.ok());
  CHECK(stopped.error().message == "cancelled");
}

TEST_CASE("topology: tables and figure say what was measured") {
  const MeasuredNetwork n = network_of(task_of(30, 0.2, 0));
  const Result<MeasureStudy> s = study_measures(n, {19, "weights", 4, 0}, 2);
  REQUIRE(s.ok());
  const std::string csv = measures_csv(*s);
  CHECK(csv.find("measure,value,null_mean,null_sd,z,p,nulls\nunits,30,,,,,\n") == 0);
  CHECK(csv.find("\nclustering,") != std::string::npos);
  CHECK(s->row(Measure::clustering).p == 1);  // kept by this null model
  CHECK(std::isnan(s->row(Measure::clustering).z));
  CHECK(std::isfinite(s->row(Measure::weighted_clustering).z));
  CHECK(s->row(Measure::weighted_clustering).p >= 0.05);
  int64_t in = 0, out = 0;
  for (const int64_t most : {1, 3, 1000}) {
    const DegreeClasses c = degree_classes(s->measured, most);
    CHECK(static_cast<int64_t>(c.in.size()) <= most);
    in = out = 0;
    for (size_t k = 0; k < c.in.size(); ++k) {
      in += c.in[k];
      out += c.out[k];
    }
    CHECK(in == 30);
    CHECK(out == 30);
  }
  const plot::Figure f = measures_figure(*s);
  CHECK(f.panels.size() == 2);
  CHECK(plot::to_svg(plot::drawing_of(f)).find("weighted clustering") != std::string::npos);
  const std::string degrees = degrees_csv(*s);
  CHECK(degrees.find("degree,units_in,units_out\n") == 0);
  const Result<MeasureStudy> alone = study_measures(n, {}, 1);
  REQUIRE(alone.ok());
  CHECK(measures_figure(*alone).panels.size() == 1);
  CHECK(measure_remarks(*alone).size() == 1);
  CHECK(measure_remarks(*s).back().find("0.05") != std::string::npos);
}

TEST_CASE("topology: which network of an experiment; too large ones and missing connectomes are answered") {
  Spec spec = spec_of(R"({"dalea":1,"connectome":{"source":"synthetic","synthetic_regions":6,"neurons":5,)"
                      R"("inhibitory":0.2},"network":{"balanced":true}})");
  REQUIRE(attach_own_connectome(spec).ok());
  const Result<MeasuredNetwork> c = network_of_spec(spec, NetworkOf::connectome),
                                m = network_of_spec(spec, NetworkOf::mask), w = network_of_spec(spec, NetworkOf::now);
  REQUIRE((c.ok() && m.ok() && w.ok()));
  CHECK(c->graph.target == m->graph.target);
  CHECK(c->graph.start == m->graph.start);
  CHECK(w->which == "weights at the start");
  CHECK(c->parts_are == "areas");
  CHECK(c->graph.x.size() == 6);
  CHECK(w->graph.x.size() == 6);
  CHECK(w->graph.region == c->graph.region);
  CHECK(null_of(w->graph, "spatial", 1, 1).ok());
  bool negative = false;
  for (double v : c->graph.weight) negative = negative || v < 0;
  CHECK(negative);
  CHECK_FALSE(network_of_spec(spec_of(tiny_json(three_epochs)), NetworkOf::connectome).ok());
  Spec large;
  large.populations = {population("E", most_whole_units + 1)};
  const Result<MeasuredNetwork> no = network_of_spec(large, NetworkOf::now);
  REQUIRE_FALSE(no.ok());
  CHECK(no.error().message.find("every connection") != std::string::npos);
  large.populations = {population("E", 1'000'000)};
  CHECK_FALSE(network_of_spec(large, NetworkOf::mask).ok());
  CHECK(parts_of({population("E", 1), population("I", 1)}).empty());
  std::string are;
  CHECK(parts_of({population("E", 2), population("I", 1)}, &are) == std::vector<int64_t>{0, 0, 1});
  CHECK(are == "populations");
}

TEST_CASE("topology: the tab measures small networks that stand still, and saves the table and the figure") {
  for (const bool thread : {false, true}) {
    if (thread && !threads_available()) continue;
    NoScreen screen;
    LiveOptions options = without_thread();
    options.own_thread = thread;
    App app(screen, options);
    app.open_text(tiny_json(three_epochs, R"(,"connectivity":{"probability":0.4})"));
    app.view.tab_name = "topology";
    const auto until = [&](auto good) {
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
      while (std::chrono::steady_clock::now() < end) {
        app.live.pump(0.005);
        app.wants_frame(0);
        screen.frame(app);
        if (good()) return true;
        if (thread) std::this_thread::sleep_for(std::chrono::milliseconds(2));
      }
      return false;
    };
    REQUIRE(until([&] { return app.now->phase == Phase::finished; }));
    REQUIRE(until([&] { return app.view.open_tab == tab_topology; }));
    if (!thread) app.topology.start({app.now->setup, app.now->weights, app.now->updates});
    REQUIRE(until([&] { return app.topology.view().study && !app.topology.view().running; }));
    screen.frame(app);
    const TopologyView v = app.topology.view();
    CHECK(v.task.updates == app.now->updates);
    CHECK(v.study->nulls.size() == 19);
    CHECK(v.study->measured.units == 20);
    const std::string state = app.state_json(1);
    for (const char* name : {"topology:table", "topology:degrees", "topology:csv", "topology:measure"})
      CHECK_MESSAGE(state.find(name) != std::string::npos, name);
    // Of the mask, without null models.
    app.view.topology.which = static_cast<int>(NetworkOf::mask);
    app.view.topology.nulls = 0;
    if (!thread) {
      TopologyTask t = v.task;
      t.which = NetworkOf::mask;
      t.nulls = 0;
      app.topology.start(t);
    }
    REQUIRE(until([&] {
      const TopologyView now = app.topology.view();
      return now.study && !now.running && now.study->which == "mask";
    }));
    CHECK(std::isnan(app.topology.view().study->measured.of(Measure::spectral_radius)));
    screen.frame(app, 640, 900);
  }
}
