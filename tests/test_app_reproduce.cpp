// A reproduction in the window's background: stopped, gone on with, refused.
#include <chrono>
#include <functional>
#include <thread>

#include "app/reproducer.h"
#include "helpers.h"
#include "numerics/parallel.h"

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
