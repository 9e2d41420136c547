// A reproduction in the window's background: stopped, gone on with, refused.
#include <chrono>
#include <functional>
#include <thread>

#include "app/planted_study.h"
#include "app/reproducer.h"
#include "app/views.h"
#include "helpers.h"
#include "live_helpers.h"
#include "numerics/parallel.h"
#include "window_helpers.h"

using namespace dalea;
using namespace dalea::app;

namespace {

// Pumps where there are no threads; false: not within two minutes.
bool wait_until(Reproducer& reproducer, const std::function<bool(const ReproducerView&)>& there) {
  const auto start = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - start < std::chrono::minutes(2)) {
    reproducer.pump();
    if (there(reproducer.view())) return true;
    if (threads_available()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return false;
}

reproduce::Options small() {
  reproduce::Options options;
  options.figure = reproduce::Paper::fig2;
  options.quick = true;
  options.runs = 2;
  options.tasks = {"flip-flop"};
  return options;
}

}  // namespace

TEST_CASE("reproducer: stopped, it keeps what was trained and goes on from there") {
  Reproducer reproducer;
  CHECK(reproducer.view().jobs.empty());
  reproducer.start(small(), nullptr, 2, "test");
  CHECK(reproducer.view().jobs.size() == 2 * 3);
  REQUIRE(wait_until(reproducer, [](const ReproducerView& v) { return !v.now.empty() && v.now[0].epoch >= 2; }));
  reproducer.stop();
  REQUIRE(wait_until(reproducer, [](const ReproducerView& v) { return !v.running; }));
  const ReproducerView stopped = reproducer.view();
  CHECK_FALSE(stopped.finished);
  CHECK(stopped.output == nullptr);
  CHECK(stopped.failure.empty());
  CHECK(stopped.part > 0);
  CHECK(stopped.part < 1);
  const int64_t epoch = stopped.now[0].epoch;
  const std::vector<EpochRecord> before = *stopped.now[0].history;

  reproducer.start(small(), nullptr, 2, "test");
  REQUIRE(wait_until(reproducer, [&](const ReproducerView& v) { return !v.now.empty() && v.now[0].epoch > epoch; }));
  const ReproducerView again = reproducer.view();
  for (size_t e = 0; e < before.size(); ++e) CHECK((*again.now[0].history)[e].train == before[e].train);
  CHECK(reproducer.changed());
}

TEST_CASE("reproducer: what cannot be trained is said") {
  Reproducer reproducer;
  reproduce::Options options = small();
  options.tasks = {};
  reproducer.start(options, nullptr, 1, "test");
  CHECK_FALSE(reproducer.view().running);
  CHECK(reproducer.view().failure.find("IDX") != std::string::npos);
  options.tasks = {"mnist"};
  reproducer.start(options, nullptr, 1, "test");
  CHECK(reproducer.view().failure.find("flip-flop, wave or digits") != std::string::npos);
  CHECK(reproducer.view().jobs.empty());
}

TEST_CASE("reproducer: measured against random wiring needs no digits, and ends with a report") {
  Reproducer reproducer;
  reproduce::Options options;
  options.figure = reproduce::Paper::bio;
  options.quick = true;
  options.runs = 2;
  options.tasks = {"sequence-memory"};
  reproducer.start(options, nullptr, 2, "test");
  CHECK(reproducer.view().jobs.size() == 2 * 4 * 2);
  REQUIRE(wait_until(reproducer, [](const ReproducerView& v) { return !v.running; }));
  const ReproducerView v = reproducer.view();
  CHECK(v.failure.empty());
  REQUIRE(v.output != nullptr);
  CHECK(v.options.wirings.front().name == "synthetic");
  CHECK(v.output->findings.front().claim.find("no enhancement") != std::string::npos);
}

TEST_CASE("planted change: in the window as on the command line, stopped, refused and drawn") {
  const auto wait = [](const PlantedStudy& study) {
    for (int k = 0; k < 120000 && study.view().running; ++k) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return !study.view().running;
  };
  planted::Options options{.quick = true, .simulations = 1, .runs = 4};
  testing::NoScreen screen;
  App app(screen, testing::without_thread());
  app.start_planted({.quick = true, .runs = 3});
  CHECK(app.planted.view().failure.find("runs") != std::string::npos);
  CHECK_FALSE(app.planted.view().running);
  screen.frame(app);
  app.start_planted(options);
  if (!threads_available()) {
    CHECK(app.planted.view().failure.find("dalea reproduce planted --runs 4 --quick") != std::string::npos);
    screen.frame(app);
    return;
  }
  CHECK(app.planted.view().running);
  for (int k = 0; k < 3; ++k) screen.frame(app);
  app.planted.stop();
  REQUIRE(wait(app.planted));
  CHECK(app.planted.view().report == nullptr);
  CHECK(app.planted.view().failure.empty());
  CHECK(app.planted.changed());

  app.start_planted(options);
  REQUIRE(wait(app.planted));
  const PlantedView v = app.planted.view();
  CHECK(v.failure == "");
  REQUIRE(v.report != nullptr);
  const Result<planted::Study> alone = planted::study(*planted::check(options), best_isa(), 1);
  REQUIRE(alone);
  REQUIRE(v.study->results.size() == alone->results.size());
  for (size_t k = 0; k < alone->results.size(); ++k) {
    CHECK(v.study->results[k].held_out == alone->results[k].held_out);
    const planted::Rates &a = v.study->results[k].planted[0], &b = alone->results[k].planted[0];
    CHECK(a.any == b.any);
    CHECK(a.blocks[0].g == b.blocks[0].g);
  }
  for (const float width : {1280.0f, 1920.0f, 400.0f})
    for (int k = 0; k < 3; ++k) screen.frame(app, width, 900.0f);
  app.view.tab = tab_reproduce;
  for (int k = 0; k < 3; ++k) screen.frame(app);
  const std::string state = app.state_json(1);
  CHECK(state.find("planted:results") != std::string::npos);
  CHECK(state.find("planted:save") != std::string::npos);
}
