// From a recording to trials: smoothing, windows around events, parts that share no frame, averages, their baselines.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>

#include "helpers.h"
#include "numerics/rng.h"
#include "recording/events.h"
#include "tasks/recording_task.h"

using namespace dalea;
using namespace dalea::testing;
using nlohmann::json;

namespace {

#define SAYS(text, part) CHECK_MESSAGE((text).find(part) != std::string::npos, (text))

// value(frame, unit) = 100 unit + frame, but where `noise` is not 0.
Recording ramp(int64_t frames, int64_t units, double rate_hz, double noise = 0) {
  Recording r;
  r.frames = frames;
  r.units = units;
  r.rate_hz = rate_hz;
  Rng rng(3, Purpose::test);
  for (int64_t f = 0; f < frames; ++f)
    for (int64_t u = 0; u < units; ++u)
      r.values.push_back(noise > 0 ? static_cast<float>(noise * rng.normal()) : static_cast<float>(100 * u + f));
  for (int64_t u = 0; u < units; ++u) r.names.push_back("u" + std::to_string(u));
  return r;
}

// A recording experiment on few units, unscaled, everything scored.
Spec plain() {
  Spec spec = spec_of(R"({"dalea":1,"populations":[{"name":"E","size":8,"sign":"+"},{"name":"I","size":2,"sign":"-"}],
    "task":{"type":"recording","steps":6},"training":{"epochs":2,"batch":4}})");
  spec.recording.scale = "none";
  spec.recording.warmup = 0;
  spec.recording.events.before_s = spec.recording.events.after_s = 0.5;
  return spec;
}

std::string every(int64_t step, int64_t frames, const std::string& more = "") {
  std::string csv = "frame\n";
  for (int64_t f = step; f < frames - step; f += step) csv += std::to_string(f) + "\n";
  return csv + more;
}

Dataset made(const Spec& spec, const Recording& recording) {
  Result<Dataset> data = make_recording_dataset(spec, recording);
  REQUIRE_MESSAGE(data.ok(), (data.ok() ? "" : data.error().text()));
  return std::move(*data);
}

std::string error_of(const Spec& spec, const Recording& recording) {
  const Result<Dataset> data = make_recording_dataset(spec, recording);
  return data.ok() ? "accepted" : data.error().text();
}

std::string reason(const std::vector<Dropped>& dropped, const std::string& event) {
  for (const Dropped& d : dropped)
    if (d.unit == event) return d.reason;
  return "";
}

bool equal(const Trials& a, const Trials& b) {
  return a.count == b.count && a.input == b.input && a.target == b.target && a.scored == b.scored;
}

int64_t count_scored(const Trials& t) {
  return std::count(t.scored.begin(), t.scored.end(), uint8_t{1});
}

}  // namespace

TEST_CASE("smoothing agrees with scipy away from the edges, and with a plain sum everywhere") {
  std::ifstream file(DALEA_SOURCE_DIR "/tests/golden/preparing.json");
  REQUIRE(file.good());
  const auto floats = [](const json& j) {
    std::vector<float> v;
    for (const json& x : j) v.push_back(x.is_null() ? std::nanf("") : x.get<float>());
    return v;
  };
  for (const json& c : json::parse(file)["cases"]) {
    RecordingSpec spec;
    spec.smoothing = c["smoothing"];
    spec.smoothing_sd = c["sd"];
    const Reach reach = smoothing_reach(spec);
    std::vector<float> x = floats(c["trace"]);
    const auto n = static_cast<int64_t>(x.size());
    smooth(x, n, 1, reach, spec.smoothing_sd);
    const std::vector<float> expected = floats(c["expected"]);
    for (int64_t f = 0; f < n; ++f)
      if (std::isnan(expected[f]))
        CHECK(std::isnan(x[f]));
      else
        CHECK(x[f] == doctest::Approx(expected[f]).epsilon(1e-6));
    if (!c.contains("scipy")) continue;
    const std::vector<float> scipy = floats(c["scipy"]);
    for (int64_t f = reach.before; f < n - reach.after; ++f) CHECK(x[f] == doctest::Approx(scipy[f]).epsilon(1e-6));
  }
  RecordingSpec spec;
  CHECK(smoothing_reach(spec).before == 0);
  spec.smoothing = "causal";
  spec.smoothing_sd = 1.1;
  CHECK(smoothing_reach(spec).before == 5);
  CHECK(smoothing_reach(spec).after == 0);
}

TEST_CASE("events: windows by hand, and why others were dropped") {
  Recording r = ramp(100, 2, 10);
  r.events_csv =
      "\xEF\xBB\xBFtime_s,label\r\n5.0,change\n0.3,change\nnan,change\n-1,omission\n2.04,change\n2.01,omission\n"
      "9.9,change\n3.0,omission\n\"later\",change\n1e300,change\n,change\n";
  EventsSpec spec;
  spec.before_s = spec.after_s = 0.5;
  Result<EventWindows> found = find_windows(r, spec);
  REQUIRE(found.ok());
  CHECK(found->events == 11);
  CHECK(found->frames == 10);
  CHECK(found->event_frame == 5);
  REQUIRE(found->windows.size() == 3);
  CHECK(found->windows[0].start == 15);
  CHECK(found->windows[0].row == 5);
  CHECK(found->windows[1].start == 25);
  CHECK(found->windows[2].start == 45);
  CHECK(found->kinds == std::vector<std::string>{"change", "omission"});
  CHECK(found->windows[1].kind == 1);
  CHECK(found->windows[2].kind == 0);
  CHECK(found->dropped.size() == 8);
  CHECK(reason(found->dropped, "event 2") == "its window begins before the recording");
  CHECK(reason(found->dropped, "event 3") == "its time 'nan' is not a number");
  CHECK(reason(found->dropped, "event 4") == "before the recording");
  CHECK(reason(found->dropped, "event 6") == "on the same frame as event 5");
  CHECK(reason(found->dropped, "event 7") == "its window ends after the recording");
  CHECK(reason(found->dropped, "event 10") == "after the recording");
  CHECK(reason(found->dropped, "event 11") == "it has no time");

  spec.label = "omission";
  found = find_windows(r, spec);
  REQUIRE(found.ok());
  CHECK(found->events == 3);
  CHECK(found->windows.size() == 2);  // event 6 is now alone on its frame
  spec.label = "Change";
  SAYS(find_windows(r, spec).error().text(), "'change' (8), 'omission' (3)");
  spec.label = "";
  r.start_s = 2;  // the first frame's time: everything lies 20 frames earlier
  CHECK(find_windows(r, spec)->windows[0].start == 5);
  r.events_csv = "frame;kind\n20,4;a\n7;b\n";
  found = find_windows(r, spec);
  REQUIRE(found.ok());
  CHECK(found->windows[0].start == 2);
  CHECK(found->windows[1].start == 15);
}

TEST_CASE("events: tables that are none") {
  Recording r = ramp(100, 2, 10);
  EventsSpec spec;
  const auto says = [&](const std::string& csv) {
    r.events_csv = csv;
    const Result<EventWindows> found = find_windows(r, spec);
    return found.ok() ? "accepted" : found.error().text();
  };
  SAYS(says("\n\n"), "is empty");
  SAYS(says("a,b\n1,2\n"), "first line reads a, b");
  SAYS(says("time_s\n"), "has no event below");
  SAYS(says("time_s\n0.1\n-3\n"), "of 2, the first was left out for: its window begins before");
  SAYS(says(std::string("time_s\n1\0\n", 10)), "zero bytes");
  CHECK(says("label,time_s\nx\n\"unclosed,5\n,5\n") == "accepted");
  spec.label = "x";
  SAYS(says("time_s\n5\n"), "no column of labels");
  spec.label = "";
  spec.before_s = spec.after_s = 1e6;
  SAYS(says("time_s\n5\n"), "give shorter ones");
  spec.before_s = spec.after_s = 0.05;
  SAYS(says("time_s\n5\n"), "fewer than two frames");
  r.rate_hz = 0;
  SAYS(says("frame\n5\n"), "recording.rate_hz");
  Rng rng(1, Purpose::test);
  r.rate_hz = 10;
  spec.before_s = 0.5;
  const std::string alphabet = "0123456789.,;\n\"-+einaftm_s \t\r";
  for (int k = 0; k < 2000; ++k) {
    std::string csv = k % 2 == 0 ? "time_s,label\n" : "";
    for (uint32_t n = rng.below(60); n > 0; --n) csv += alphabet[rng.below(static_cast<uint32_t>(alphabet.size()))];
    if (says(csv) != "accepted") continue;
    const Result<EventWindows> found = find_windows(r, spec);
    for (const EventWindow& w : found->windows) REQUIRE((w.start >= 0 && w.start + found->frames <= r.frames));
  }
}

TEST_CASE("events: 15 frames in and out as published, half sessions 7 of them") {
  Recording r = ramp(1000, 3, 10.75);  // 93 ms
  r.events_csv = every(40, 1000);
  Spec spec = plain();
  spec.recording.split = "trial";
  spec.recording.events.before_s = spec.recording.events.after_s = 0.75;
  Dataset data = made(spec, r);
  CHECK(data.train.steps == 15);
  CHECK(data.prepared->window == 16);
  CHECK(data.prepared->events == 23);  // 40, 80, .. 920
  CHECK(data.train.count == 16);       // 23 x 0.7
  CHECK(data.validation.count == 3);
  CHECK(data.held_out.count == 4);
  for (int64_t k = 0; k < 16; ++k)
    for (int64_t t = 0; t < 15; ++t)
      for (int64_t u = 0; u < 3; ++u) {
        const float frame = static_cast<float>(40 * (k + 1) - 8 + t + 100 * u);
        REQUIRE(data.train.input[(k * 15 + t) * 3 + u] == frame);
        REQUIRE(data.train.target[(k * 15 + t) * 3 + u] == frame + 1);
      }
  CHECK(data.held_out.input[0] == 40 * 20 - 8);
  CHECK(count_scored(data.train) == 16 * 15 * 3);
  CHECK(data.train.kind == std::vector<int32_t>(16, 0));
  CHECK(data.baselines->held_out.last_frame == 1);
  CHECK(data.baselines->held_out.ar1 < 1e-12);

  spec.recording.events.first_frame = 7;
  spec.recording.events.last_frame = 13;
  data = made(spec, r);
  CHECK(data.train.steps == 7);
  CHECK(data.train.input[0] == 40 - 8 + 7);
  CHECK(data.train.target[6 * 3] == 40 - 8 + 14);
  spec.recording.events.last_frame = 15;
  SAYS(error_of(spec, r), "give at most 14");
  spec.recording.events.first_frame = 15;
  spec.recording.events.last_frame = 0;
  SAYS(error_of(spec, r), "recording.events.first_frame: is 15");
  spec.recording.events.first_frame = 12;
  spec.recording.warmup = 3;
  SAYS(error_of(spec, r), "recording.warmup");
}

TEST_CASE("time: gaps of what smoothing reaches, none without") {
  RecordingSpec spec;
  const Recording r = ramp(200, 1, 10);
  const auto ends = [&] {
    const Parts p = *split_in_time(r, spec, 5);
    return std::vector<int64_t>{p.train_end, p.validation_begin, p.validation_end, p.held_out_begin};
  };
  CHECK(ends() == std::vector<int64_t>{140, 140, 170, 170});
  spec.smoothing = "causal";
  CHECK(ends() == std::vector<int64_t>{140, 144, 170, 174});
  spec.smoothing = "centred";
  CHECK(ends() == std::vector<int64_t>{136, 144, 166, 174});
  spec.smoothing_sd = 4;
  SAYS(split_in_time(r, spec, 5).error().text(), "gaps of 32 frames");
}

TEST_CASE("no frame is shared between parts, whatever the split and the smoothing") {
  Rng rng(5, Purpose::test);
  int tried = 0;
  for (int k = 0; k < 150; ++k) {
    Spec spec = plain();
    RecordingSpec& s = spec.recording;
    s.smoothing = std::vector<std::string>{"none", "causal", "centred"}[rng.below(3)];
    s.smoothing_sd = 0.3 + rng.uniform();
    s.train_fraction = 0.4 + 0.2 * rng.uniform();
    s.validation_fraction = 0.2 + 0.1 * rng.uniform();
    s.events.before_s = 0.1 * rng.below(6);
    s.events.after_s = 0.2 + 0.1 * rng.below(6);
    Recording r = ramp(150, 2, 10, 1);
    const uint32_t way = rng.below(3);  // windows by time, events by time, events by trial
    // Without smoothing a part's first missing values stand as the last ones before it, for the sake of old results.
    if (way > 0 || s.smoothing != "none")
      for (int m = 0; m < 20; ++m) r.values[rng.below(300)] = std::nanf("");
    s.split = way == 2 ? "trial" : "time";
    if (way > 0) {
      r.events_csv = "time_s\n";
      for (int e = 0; e < 25; ++e) r.events_csv += std::to_string(15 * rng.uniform()) + "\n";
      if (rng.below(3) == 0) {
        s.events.samples = 5;
        s.events.average_of = 4;
        s.events.channels = rng.below(2) == 0 ? "jointly" : "independently";
      }
    }
    const Result<Dataset> before = make_recording_dataset(spec, r);
    if (!before.ok()) continue;
    ++tried;
    for (int64_t f = 0; f < r.frames; ++f) {
      Recording changed = r;
      for (int64_t u = 0; u < 2; ++u) {
        float& v = changed.values[f * 2 + u];
        v = std::isnan(v) ? 7.0f : v + 7;
      }
      const Dataset after = made(spec, changed);
      const int parts = !equal(before->train, after.train) + !equal(before->validation, after.validation) +
                        !equal(before->held_out, after.held_out);
      REQUIRE_MESSAGE(parts <= 1, k, " frame ", f, " split ", s.split, " smoothing ", s.smoothing);
    }
  }
  CHECK(tried > 50);
}

TEST_CASE("neighbouring events across a part border are dropped and counted") {
  Recording r = ramp(120, 1, 10);
  r.events_csv = every(6, 120);  // 18 events, windows of 10
  Spec spec = plain();
  spec.recording.split = "trial";
  const Dataset data = made(spec, r);
  CHECK(data.train.count == 12);
  CHECK(data.validation.count == 2);  // 3 less the one that overlaps
  CHECK(data.held_out.count == 2);
  CHECK(data.prepared->used == 16);
  CHECK(data.prepared->dropped.size() == 2);
  CHECK(reason(data.prepared->dropped, "event 13") == "its window shares frames with the part before");
  SAYS(data.prepared->notes[0], "16 of 18 events");
  spec.recording.split = "time";
  const Dataset by_time = made(spec, r);
  CHECK(by_time.prepared->used + static_cast<int64_t>(by_time.prepared->dropped.size()) == 18);
  SAYS(by_time.prepared->dropped[0].reason, "training part and the next");
  r.events_csv = "frame\n20\n60\n";
  spec.recording.split = "trial";
  SAYS(error_of(spec, r), "has 2 events to split");
  r.events_csv = "frame\n20\n21\n22\n";
  SAYS(error_of(spec, r), "no event to the validation part");
}

TEST_CASE("averages: jointly keeps what units share in a trial, independently loses it") {
  Recording r = ramp(4000, 2, 10, 1);
  for (int64_t f = 0; f < r.frames; ++f) r.values[f * 2 + 1] = r.values[f * 2];  // one and the same
  r.values[2 * 30] = r.values[2 * 30 + 1] = std::nanf("");                       // in one of the trials
  r.events_csv = every(10, 4000);
  Spec spec = plain();
  spec.recording.split = "trial";
  spec.recording.events.samples = 400;
  spec.recording.events.average_of = 20;
  const auto correlation = [](const Trials& t) {
    double a = 0, b = 0, aa = 0, bb = 0, ab = 0;
    const auto n = static_cast<double>(t.input.size() / 2);
    for (size_t e = 0; e < t.input.size(); e += 2) {
      const double x = static_cast<double>(t.input[e]), y = static_cast<double>(t.input[e + 1]);
      a += x, b += y, aa += x * x, bb += y * y, ab += x * y;
    }
    return (ab / n - a * b / n / n) / std::sqrt((aa / n - a * a / n / n) * (bb / n - b * b / n / n));
  };
  const Dataset jointly = made(spec, r);
  CHECK(jointly.train.count == 400);
  CHECK(jointly.held_out.count == 400);
  CHECK(correlation(jointly.train) == doctest::Approx(1).epsilon(1e-6));
  spec.recording.events.channels = "independently";
  const Dataset apart = made(spec, r);
  const double left = correlation(apart.train);
  CHECK(std::abs(left) < 0.4);  // of the mean traces alone, which both share
  CHECK(count_scored(apart.train) == 400 * 9 * 2);
  bool warned = false;
  for (const std::string& note : apart.prepared->notes) warned = warned || note.find("independently") < note.size();
  CHECK(warned);
  CHECK(apart.train.kind.empty());
  // An average has the variance of a trial over their number.
  double square = 0;
  for (float v : jointly.train.input) square += static_cast<double>(v * v);
  square /= static_cast<double>(jointly.train.input.size());
  CHECK(square > 0.9 / 20);
  CHECK(square < 1.3 / 20);

  CHECK(equal(made(spec, r).train, apart.train));
  spec.seed = 2;
  CHECK_FALSE(equal(made(spec, r).train, apart.train));
  spec.seed = 1;
  // As published: an average is smoothed within its window, input and target apart; one trial a part shows how.
  Recording few = ramp(100, 1, 10, 1);
  few.events_csv = "frame\n20\n50\n80\n";
  spec.recording.events.samples = 1;
  spec.recording.smoothing = "centred";
  const Dataset published = made(spec, few);
  std::vector<float> input(few.values.begin() + 15, few.values.begin() + 24),
      target(few.values.begin() + 16, few.values.begin() + 25);
  smooth(input, 9, 1, {4, 4}, 1);
  smooth(target, 9, 1, {4, 4}, 1);
  for (int64_t t = 0; t < 9; ++t) {
    CHECK(published.train.input[t] == doctest::Approx(input[t]).epsilon(1e-5));
    CHECK(published.train.target[t] == doctest::Approx(target[t]).epsilon(1e-5));
  }
  spec.recording.events.samples = 10000000;
  spec.recording.events.average_of = 1000;
  CHECK(check_spec(spec)[0].path == "recording.events.samples");
}

TEST_CASE("missing values in trials are not scored; means are over what is there") {
  Recording r = ramp(100, 1, 10);
  r.events_csv = "frame\n20\n50\n80\n";
  r.values[18] = std::nanf("");
  Spec spec = plain();
  spec.recording.split = "trial";
  Dataset data = made(spec, r);
  CHECK(count_scored(data.train) == 8);
  CHECK(data.train.scored[2] == 0);
  CHECK(data.train.input[3] == 17);  // the last seen
  spec.recording.warmup = 4;
  data = made(spec, r);
  CHECK(count_scored(data.train) == 5);
  CHECK(count_scored(data.held_out) == 5);
  spec.recording.scale = "z-score";
  data = made(spec, r);
  CHECK(data.scaling->mean[0] == doctest::Approx((15 + 16 + 17 + 19 + 20 + 21 + 22 + 23 + 24) / 9.0));
  for (int64_t f = 75; f < 85; ++f) r.values[f] = std::nanf("");
  SAYS(error_of(spec, r), "nothing to score in the held-out part");
}

TEST_CASE("trials: baselines within them, exactly on what is scored") {
  // x[t+1] = 0.5 x[t] + 1 within a trial, from a new value in each.
  Recording r = ramp(400, 1, 10);
  for (int64_t f = 0; f < 400; ++f)
    r.values[f] = f % 20 == 15 ? static_cast<float>(f % 7) * 4 : f == 0 ? 1.0f : 0.5f * r.values[f - 1] + 1;
  r.events_csv = every(20, 400);  // windows 15 .. 24 of each 20
  Spec spec = plain();
  spec.recording.split = "trial";
  const Dataset data = made(spec, r);
  CHECK(data.baselines->held_out.ar1 < 1e-10);
  CHECK(data.baselines->held_out.linear < 1e-5);
  double sum = 0;
  for (size_t e = 0; e < data.held_out.input.size(); ++e)
    sum += std::pow(static_cast<double>(data.held_out.target[e]) - static_cast<double>(data.held_out.input[e]), 2);
  CHECK(data.baselines->held_out.last_frame == doctest::Approx(sum / static_cast<double>(data.held_out.input.size())));
}

TEST_CASE("one trial: it trains, and nothing is said of what is not held out") {
  Recording r = ramp(15, 18, 0, 1);
  Spec spec = plain();
  spec.recording.split = "trial";
  const auto check_one = [&](const Recording& recording) {
    Dataset data = made(spec, recording);
    CHECK(data.train.count == 1);
    CHECK(data.train.steps == 14);
    CHECK(data.validation.count == 0);
    CHECK(data.held_out.count == 0);
    CHECK(data.baselines->train.last_frame > 0);
    CHECK(std::isnan(data.baselines->held_out.last_frame));
    CHECK(std::isnan(data.baselines->held_out.linear));
    SAYS(data.prepared->notes[0], "nothing is held out");
    Result<std::unique_ptr<Trainer>> trainer = Trainer::create(spec, std::move(data), 0, {});
    REQUIRE(trainer.ok());
    train_to_end(**trainer);
    CHECK(std::isnan((*trainer)->history().back().held_out));
    CHECK(std::isnan((*trainer)->evaluate().validation));
    CHECK((*trainer)->evaluate().train > 0);
  };
  check_one(r);
  // The published averages of 18 populations, where the file is there.
  const char* folder = std::getenv("DALEA_DATA");
  const auto path = std::filesystem::path(folder ? folder : DALEA_SOURCE_DIR "/../shared/data") /
                    "allen_vb/averaged_dff_by_population.csv";
  if (std::error_code error; std::filesystem::exists(path, error)) {
    std::ifstream file(path, std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    RecordingSpec wanted;
    wanted.condition = "familiar_change";
    wanted.series = "target";
    const Result<Recording> allen = read_recording(std::as_bytes(std::span(text)), "averages.csv", wanted);
    REQUIRE_MESSAGE(allen.ok(), (allen.ok() ? "" : allen.error().text()));
    CHECK(allen->units == 18);
    check_one(*allen);
  } else {
    MESSAGE("skipped: the published averages are not on this machine");
  }
  spec.recording.events.first_frame = 7;
  spec.recording.events.last_frame = 13;
  const Dataset half = made(spec, r);
  CHECK(half.train.steps == 7);
  CHECK(half.train.input[0] == r.values[7 * 18]);
  CHECK(half.train.target[6 * 18] == r.values[14 * 18]);
  spec.recording.events.samples = 10;
  SAYS(error_of(spec, r), "needs a table of events");
}

TEST_CASE("by unit: held-out units are never shown, and they alone are scored later") {
  const Recording r = ramp(300, 10, 10, 1);
  Spec spec = plain();
  spec.recording.split = "unit";
  const Dataset data = made(spec, r);
  CHECK(data.ends.inputs == 7);
  CHECK(data.ends.outputs == 10);
  CHECK(data.channel_names.size() == 7);
  CHECK(count_scored(data.train) == static_cast<int64_t>(data.train.target.size()));
  for (size_t e = 0; e < data.held_out.scored.size(); ++e) {
    const size_t u = e % 10;
    if (u < 8) CHECK(data.held_out.scored[e] == 0);
    if (u != 7)
      CHECK(data.validation.scored[e % data.validation.scored.size()] == (e % data.validation.scored.size() % 10 == 7));
  }
  CHECK(count_scored(data.held_out) == 2 * 44);  // frames 256 .. 299
  CHECK(std::isnan(data.baselines->held_out.last_frame));
  CHECK(std::isnan(data.baselines->held_out.ar1));
  CHECK(data.baselines->held_out.linear > 0.8);  // white noise: nothing can be predicted
  Recording changed = r;
  for (int64_t f = 0; f < 300; ++f) changed.values[f * 10 + 9] += 5;
  const Dataset other = made(spec, changed);
  CHECK(other.train.input == data.train.input);
  CHECK(other.held_out.input == data.held_out.input);
  CHECK(other.held_out.target != data.held_out.target);
  Result<std::unique_ptr<Trainer>> trainer = Trainer::create(spec, made(spec, r), 0, {});
  REQUIRE(trainer.ok());
  train_to_end(**trainer);
  CHECK((*trainer)->history().back().held_out > 0);
  SAYS(error_of(spec, ramp(300, 2, 10)), "each part needs one");
}

TEST_CASE("events: the same network for every number of threads") {
  Recording r = ramp(600, 4, 10, 1);
  r.events_csv = every(15, 600);
  Spec spec = plain();
  spec.recording.split = "trial";
  spec.recording.smoothing = "causal";
  spec.recording.events.samples = 30;
  spec.recording.events.average_of = 5;
  const auto hash = [&](int threads) {
    TrainerOptions options;
    options.threads = threads;
    Result<std::unique_ptr<Trainer>> trainer = Trainer::create(spec, made(spec, r), 0, options);
    REQUIRE(trainer.ok());
    return train_to_end(**trainer);
  };
  CHECK(hash(1) == hash(3));
}

TEST_CASE("events: a table that was not read, and hostile sizes") {
  Recording r = ramp(100, 2, 10);
  Spec spec = plain();
  spec.recording.events.file = "trials.csv";
  SAYS(error_of(spec, r), "'trials.csv' was not read");
  spec.recording.events.before_s = spec.recording.events.after_s = 0;
  CHECK(check_spec(spec)[0].path == "recording.events.after_s");
  spec.recording.events.before_s = spec.recording.events.after_s = 0.5;
  spec.recording.events.first_frame = 8;
  spec.recording.events.last_frame = 7;
  CHECK(check_spec(spec)[0].path == "recording.events.first_frame");
  spec.recording.events = {};
  spec.recording.split = "trial";
  r.events_csv = "frame\n20\n50\n80\n";
  spec.recording.events.samples = 10000000;
  spec.recording.events.average_of = 100;
  SAYS(error_of(spec, r), "give fewer");
}
