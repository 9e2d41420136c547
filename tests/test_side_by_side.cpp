// Networks that learn side by side (shell/app/side_by_side.h), conditions (runs.h), and their tab, without graphics.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "app/runs.h"
#include "helpers.h"
#include "window_helpers.h"

using namespace dalea;
using namespace dalea::app;
using namespace dalea::testing;

namespace {

using nlohmann::json;

const std::string four_epochs = R"("epochs":4,"batch":13,"optimizer":{"lr":0.01})";
const std::string seconds = R"("epochs":500,"batch":13,"optimizer":{"lr":0.01})";  // a busy machine sees it learning
const std::string hours = R"("epochs":1000000,"batch":13,"optimizer":{"lr":0.01})";
const std::vector<std::string> all_conditions(std::begin(condition_names), std::end(condition_names));

SideOptions side_options(bool own_threads, int threads = 3) {
  SideOptions o;
  o.own_threads = own_threads;
  o.threads = threads;
  o.platform = "test";
  return o;
}

Result<Dataset> flip_flop_data(const Job& job) {
  return make_dataset(*job.spec, nullptr, job.run);
}

SideView when(SideBySide& side, const std::function<bool(const SideView&)>& good) {
  for (int k = 0; k < 120000; ++k) {
    side.pump(0.001);
    const SideView v = side.view();
    if (good(v)) return v;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  FAIL("what was waited for did not come");
  return side.view();
}

bool is_over(const SideView& v) {
  return !v.running;
}

std::vector<Job> jobs_of(const std::string& training, int64_t runs) {
  Result<std::vector<Job>> jobs = condition_jobs(spec_of(tiny_json(training)), all_conditions, runs, false);
  REQUIRE(jobs.ok());
  return *jobs;
}

}  // namespace

TEST_CASE("networks side by side end on the bits of trainings by themselves, with any threads and with none") {
  const std::vector<Job> jobs = jobs_of(four_epochs, 3);
  REQUIRE(jobs.size() == 12);
  std::vector<std::string> expected;
  std::vector<std::vector<EpochRecord>> histories;
  for (const Job& job : jobs) {
    const auto alone = trainer_of(*job.spec, {}, job.run);
    expected.push_back(hash_text(train_to_end(*alone)));
    histories.push_back(alone->history());
  }
  CHECK(std::set<std::string>(expected.begin(), expected.end()).size() == 12);
  for (int threads : {0, 1, 3, 20}) {
    SideBySide side(side_options(threads > 0, std::max(1, threads)));
    REQUIRE(side.start(jobs, flip_flop_data).ok());
    CHECK(side.running());
    const SideView v = when(side, is_over);
    CHECK(v.progress == 1);
    for (size_t k = 0; k < jobs.size(); ++k) {
      const JobView& j = v.jobs[k];
      CHECK(j.state == JobState::finished);
      CHECK(j.hash == expected[k]);
      CHECK(j.epoch == 4);
      CHECK(j.unit == "squared output");
      CHECK(bool(j.weights) == (jobs[k].run == 0));
      REQUIRE(j.history->size() == 4);
      for (size_t e = 0; e < 4; ++e) CHECK((*j.history)[e].held_out == histories[k][e].held_out);
      REQUIRE(j.session);
      const Result<Session> session = read_session(*j.session, "session.npz");
      REQUIRE(session.ok());
      CHECK(session->provenance.hash == expected[k]);
      CHECK(session->state.run == jobs[k].run);
      CHECK(session->spec.training.constraint == jobs[k].group);
    }
    // Dale's law held where it was asked for, and only there.
    CHECK(v.jobs[3].audit.sign == 0);
    CHECK(v.jobs[0].audit.sign > 0);
    REQUIRE(side.start(jobs_of(four_epochs, 1), flip_flop_data).ok());  // again, with others
    CHECK(when(side, is_over).jobs.size() == 4);
  }
}

TEST_CASE("those that began together stay together, and the rest begins in order") {
  SideBySide side(side_options(false));
  REQUIRE(side.start(jobs_of(hours, 2), flip_flop_data).ok());
  const SideView v = when(side, [](const SideView& s) {  // none of the four waits for another's end
    return std::all_of(s.jobs.begin(), s.jobs.begin() + 4, [](const auto& job) { return job.epoch > 0; });
  });
  for (size_t k = 0; k < 4; ++k) CHECK(v.jobs[k].state == JobState::learning);
  for (size_t k = 4; k < 8; ++k) CHECK(v.jobs[k].state == JobState::waiting);
}

TEST_CASE("pause holds all of them, and going on ends on the same bits") {
  std::vector<Job> jobs = jobs_of(seconds, 2);
  for (bool own_threads : {true, false}) {
    SideBySide side(side_options(own_threads));
    side.pause();  // nothing there yet
    // It is pressed when the fifth begins: then some are over, one is new, and no machine is too slow to see it.
    std::atomic<bool> pressed = false;
    const auto pressing = [&](const Job& job) {
      if (job.run > 0 && !pressed.exchange(true)) side.pause();
      return flip_flop_data(job);
    };
    REQUIRE(side.start(jobs, pressing).ok());
    when(side, [](const SideView& s) { return s.paused; });
    side.pause();
    CHECK(side.view().paused);
    SideView before = side.view();
    for (int k = 0; k < 100; ++k) {  // a turn may be under way
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      const double progress = before.progress;
      before = side.view();
      if (before.progress == progress) break;
    }
    for (int k = 0; k < 20; ++k) side.pump(0.005);
    if (own_threads) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const SideView after = side.view();
    CHECK(after.running);
    CHECK(after.seconds == before.seconds);
    for (size_t k = 0; k < jobs.size(); ++k) CHECK(after.jobs[k].progress == before.jobs[k].progress);
    CHECK_FALSE(side.start(jobs, flip_flop_data).ok());  // refused: these go on
    side.go_on();
    const SideView end = when(side, is_over);
    for (size_t k = 0; k < jobs.size(); ++k)
      CHECK(end.jobs[k].hash == hash_text(train_to_end(*trainer_of(*jobs[k].spec, {}, jobs[k].run))));
  }
}

TEST_CASE("stop keeps what was learnt, and its session trains on to the same bits") {
  for (bool own_threads : {true, false})
    for (bool paused : {false, true}) {
      const std::vector<Job> jobs = jobs_of(seconds, 3);
      SideBySide side(side_options(own_threads, 2));
      side.stop();  // nothing there yet
      // It is pressed when the fifth begins: the four before it have begun, and no machine comes to the last one.
      std::atomic<bool> pressed = false;
      const auto pressing = [&](const Job& job) {
        if (job.run > 0 && !pressed.exchange(true)) {
          if (paused) side.pause();
          side.stop();
        }
        return flip_flop_data(job);
      };
      REQUIRE(side.start(jobs, pressing).ok());
      const SideView v = when(side, is_over);
      CHECK_FALSE(v.paused);
      for (const JobView& job : v.jobs) CHECK(job.over());
      CHECK(v.jobs.back().state == JobState::stopped);
      CHECK_FALSE(v.jobs.back().session);  // it had not begun
      REQUIRE(v.jobs[3].session);
      Result<Session> session = read_session(*v.jobs[3].session, "session.npz");
      REQUIRE(session.ok());
      const auto on = trainer_of(*jobs[3].spec, {}, 0);
      REQUIRE(on->restore(std::move(session->state)).ok());
      CHECK(hash_text(train_to_end(*on)) == hash_text(train_to_end(*trainer_of(*jobs[3].spec, {}, 0))));
    }
}

TEST_CASE("one that fails does not stop the others") {
  std::vector<Job> jobs = jobs_of(four_epochs, 2);
  auto diverges = std::make_shared<Spec>(*jobs[1].spec);  // no start can be finite
  diverges->network.activation = Activation::relu;
  diverges->training.optimizer.type = "sgd";
  diverges->training.optimizer.lr = 1e30;
  jobs[1].spec = diverges;
  auto wrong = std::make_shared<Spec>(*jobs[2].spec);
  wrong->populations[0].size = -4;
  jobs[2].spec = wrong;
  const auto data = [](const Job& job) -> Result<Dataset> {
    if (job.group == "dale" && job.run == 1) return Error{"recording", "is gone; give it again"};
    if (job.group == "conventional" && job.run == 1) throw std::bad_alloc();
    Spec spec = *job.spec;
    spec.populations[0].size = 16;
    return make_dataset(spec, nullptr, job.run);
  };
  for (bool own_threads : {true, false}) {
    SideBySide side(side_options(own_threads));
    REQUIRE(side.start(jobs, data).ok());
    const SideView v = when(side, is_over);
    const auto failure = [&](size_t k, const std::string& why) {
      CHECK(v.jobs[k].state == JobState::failed);
      CHECK_MESSAGE(v.jobs[k].failure.find(why) != std::string::npos, v.jobs[k].failure);
    };
    failure(1, "not finite");
    CHECK(v.jobs[1].session);  // the last good state
    failure(2, "populations[0].size");
    failure(4, "memory");
    failure(7, "recording: is gone");
    for (size_t k : {0, 3, 5, 6}) {
      CHECK(v.jobs[k].state == JobState::finished);
      CHECK(v.jobs[k].hash == hash_text(train_to_end(*trainer_of(*jobs[k].spec, {}, jobs[k].run))));
    }
    const std::vector<RunCurves> curves = curves_of(v);
    REQUIRE(curves.size() == 4);
    CHECK(curves[0].name == "conventional");
    CHECK(curves[0].runs.size() == 1);  // the one that failed is left out
    const json o = json::parse(side_json(v));
    CHECK(o["jobs"][1]["state"] == "failed");
    CHECK(o["jobs"][0]["hash"] == v.jobs[0].hash);
  }
}

TEST_CASE("nothing to train is refused, and a side that still learns ends quietly") {
  SideBySide side(side_options(true));
  CHECK_FALSE(side.start({}, flip_flop_data).ok());
  CHECK_FALSE(side.running());
  REQUIRE(side.start(jobs_of(hours, 5), flip_flop_data).ok());
  when(side, [](const SideView& s) { return s.jobs[0].epoch >= 1; });
}

TEST_CASE("conditions change the constraint alone, or the feedback with it") {
  const Spec spec = spec_of(tiny_json(four_epochs));
  const auto jobs = condition_jobs(spec, {"dale", "rectified"}, 2, true);
  REQUIRE(jobs.ok());
  std::vector<std::string> names;
  for (const Job& j : *jobs) names.push_back(j.name);
  CHECK(names == std::vector<std::string>{"dale, run 1", "rectified, run 1", "dale, run 2", "rectified, run 2"});
  Spec back = *(*jobs)[1].spec;
  CHECK(back.network.feedback == "rectified");
  CHECK(back.runs == 2);  // as dalea run --set runs=2 has it: its sessions resume there
  back.training.constraint = spec.training.constraint;
  back.network.feedback = spec.network.feedback;
  back.runs = spec.runs;
  CHECK(print_spec(back, true) == print_spec(spec, true));
  CHECK((*condition_jobs(spec, {"rectified"}, 1, false))[0].spec->network.feedback == "published");
  for (const auto& [conditions, runs] : {std::pair<std::vector<std::string>, int64_t>{{}, 1},
                                         {{"dales"}, 1},
                                         {{"dale", "dale"}, 1},
                                         {{"dale"}, 0},
                                         {{"dale"}, 21}})
    CHECK_FALSE(condition_jobs(spec, conditions, runs, false).ok());
}

TEST_CASE("curves over runs: mean, sample sd and count at every epoch") {
  const auto record = [](double held_out, double accuracy) {
    EpochRecord r;
    r.held_out = held_out;
    r.held_out_accuracy = accuracy;
    return r;
  };
  RunCurves curves;
  curves.name = "dale";
  curves.runs = {{record(4, no_value), record(1, no_value)},
                 {record(7, no_value)},
                 {record(1, no_value), record(no_value, no_value)}};
  const CurveSpread s = spread_of(curves, &EpochRecord::held_out);
  REQUIRE(s.mean.size() == 2);
  CHECK(s.mean[0] == 4);
  CHECK(s.sd[0] == 3);
  CHECK(s.count[0] == 3);
  CHECK(s.mean[1] == 1);
  CHECK(std::isnan(s.sd[1]));
  CHECK(s.count[1] == 1);
  CHECK_FALSE(has_accuracy(curves));
  CHECK(curves_csv({curves}).find("accuracy") == std::string::npos);
  CHECK(curves_csv({}) ==
        "epoch,train_mean,train_sd,train_n,validation_mean,validation_sd,validation_n,held_out_mean,"
        "held_out_sd,held_out_n\n");
  RunCurves other;
  other.name = "conventional";
  other.runs = {{record(2, 0.5)}};
  const std::string csv = curves_csv({curves, other});
  CHECK(csv.find("condition,epoch,") == 0);
  CHECK(csv.find("\ndale,2,") != std::string::npos);
  CHECK(csv.find("\nconventional,1,") != std::string::npos);
  CHECK(csv.find("held_out_accuracy_mean") != std::string::npos);
  CHECK(curves_figure({curves, other}, "t", "u").panels.size() == 2);
  CHECK(curves_figure({curves}, "t", "u").panels.size() == 1);
  for (const auto& groups :
       {std::vector<RunCurves>{}, std::vector<RunCurves>{curves}, std::vector<RunCurves>{curves, other}})
    CHECK(plot::to_svg(plot::drawing_of(curves_figure(groups, "title", "nats"))).find("</svg>") != std::string::npos);
}

namespace {

// The window until its runs are over; draws all the while.
SideView drawn_until(NoScreen& screen, App& app, const std::function<bool(const SideView&)>& good, float w = 1280,
                     float h = 720) {
  for (int k = 0; k < 120000; ++k) {
    app.wants_frame(0);
    if (k % 20 == 0) screen.frame(app, w, h);
    const SideView v = app.side.view();
    if (good(v)) return v;
  }
  FAIL("what was waited for did not come");
  return app.side.view();
}

LiveOptions pumped() {
  LiveOptions o;
  o.own_thread = false;
  o.platform = "test";
  return o;
}

void open_in(App& app, NoScreen& screen, const Spec& spec) {
  app.live.train(spec, nullptr, false);
  app.live.pump(0);
  screen.frame(app);
  REQUIRE(app.now->setup);
}

}  // namespace

TEST_CASE("the window trains conditions of the open experiment, shows them, and opens one of the runs") {
  NoScreen screen;
  App app(screen, pumped());
  app.train_conditions({"dale"}, 2, false);  // nothing is open
  screen.frame(app);
  CHECK(app.state_json(1).find("There is no experiment yet") != std::string::npos);
  CHECK_FALSE(app.side.running());
  open_in(app, screen, spec_of(tiny_json(four_epochs)));
  app.live.play();
  app.live.pump(0);
  app.train_conditions({"conventional", "dale"}, 3, false);
  CHECK(app.side.running());
  app.live.pump(0);
  CHECK(app.live.snapshot()->phase == Phase::paused);
  const SideView v = drawn_until(screen, app, is_over);
  for (auto [w, h] : {std::pair{1280.f, 720.f}, {1920.f, 1080.f}, {390.f, 844.f}, {200.f, 120.f}})
    for (Theme theme : {Theme::light, Theme::dark}) {
      app.theme = theme;
      app.view.tab = tab_runs;
      screen.frame(app, w, h);
      screen.frame(app, w, h);
    }
  screen.frame(app);
  const json o = json::parse(app.state_json(1));
  REQUIRE(o["runs"]["jobs"].size() == 6);
  Spec spec = *v.jobs[1].job.spec;
  CHECK(o["runs"]["jobs"][1]["hash"] == hash_text(train_to_end(*trainer_of(spec))));
  CHECK(o["runs"]["jobs"][1]["violations"]["sign"] == 0);
  CHECK(o["runs"]["jobs"][0]["violations"]["sign"] > 0);
  for (const char* name : {"runs:start", "runs:csv", "runs:figure", "runs:plot", "runs:weights:dale", "runs:open:0"})
    CHECK_MESSAGE(o["widgets"].contains(name), name);
  const json &left = o["widgets"]["runs:weights:conventional"], &right = o["widgets"]["runs:weights:dale"];
  CHECK(left["x"].get<double>() + left["w"].get<double>() <= right["x"].get<double>());
  CHECK(left["w"] == left["h"]);

  const NamedFile csv = curves_file(v);
  CHECK(std::string(reinterpret_cast<const char*>(csv.bytes.data()), 16) == "condition,epoch,");
  CHECK(figure_file(v, "t").name == "dalea-runs.svg");

  app.open_run(99);
  app.open_run(3);
  app.live.pump(0);
  screen.frame(app);
  CHECK(app.now->hash == v.jobs[3].hash);
  CHECK(app.now->setup->spec.training.constraint == "dale");
  for (int64_t runs : {0, 21, -1}) app.train_conditions({"dale"}, runs, false);
  app.train_conditions({"dales"}, 2, false);
  CHECK_FALSE(app.side.running());
}

TEST_CASE("runs of the digits and of a recording are made from what the window holds") {
  NoScreen screen;
  App app(screen, pumped());
  const auto set = [](int64_t count) {
    DigitSet s{count, 4, 3, {}, {}};
    for (int64_t e = 0; e < count * 12; ++e) s.pixels.push_back(static_cast<uint8_t>(e * 7));
    for (int64_t n = 0; n < count; ++n) s.labels.push_back(static_cast<uint8_t>(n % 10));
    return s;
  };
  const auto digits = std::make_shared<Digits>(Digits{set(25), set(5)});
  app.live.give_digits(digits);
  open_in(app, screen,
          spec_of(R"({"dalea":1,"task":{"type":"digits","steps":4,"train":20,"validation":5,"held_out":5},)"
                  R"("training":{"batch":5,"epochs":2}})"));
  app.train_conditions({"dale", "conventional"}, 2, true);
  SideView v = drawn_until(screen, app, is_over);
  Spec spec = *v.jobs[3].job.spec;
  Result<Dataset> data = make_dataset(spec, nullptr, 1, digits.get());
  REQUIRE(data.ok());
  auto alone = Trainer::create(spec, std::move(*data), 1, {});
  REQUIRE(alone.ok());
  CHECK(v.jobs[3].hash == hash_text(train_to_end(**alone)));
  CHECK(v.jobs[3].history->back().held_out_accuracy >= 0);
  for (int k = 0; k < 2; ++k) screen.frame(app);
  CHECK(app.state_json(1).find("runs:accuracy") != std::string::npos);

  std::string text;
  for (int t = 0; t < 300; ++t)
    for (int k = 0; k < 6; ++k) text += std::to_string(std::sin(0.1 * t * (k + 1)) + 0.01 * k) + (k < 5 ? "," : "\n");
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  const auto file = std::make_shared<NamedFile>(NamedFile{"cells.csv", {bytes, bytes + text.size()}});
  Spec recorded = spec_of(R"({"dalea":1,"task":{"type":"recording","steps":20},"training":{"epochs":2}})");
  app.live.train(recorded, file, false);
  app.live.pump(0);
  screen.frame(app);
  REQUIRE(app.now->setup->source_recording);
  app.train_conditions({"dale"}, 1, false);
  v = drawn_until(screen, app, is_over);
  app.live.play();
  for (int k = 0; k < 20000 && app.live.snapshot()->phase != Phase::finished; ++k) app.live.pump(0.001);
  CHECK(v.jobs[0].hash == app.live.snapshot()->hash);  // the window's own training is run 1 of it
}
