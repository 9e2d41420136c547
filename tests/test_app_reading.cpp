// Reading a recording in the window: on the training's thread, with a part that is done and a way to stop.
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "live_helpers.h"
#include "recording/recording.h"
#include "window_helpers.h"

using namespace dalea;
using namespace dalea::app;
using namespace dalea::testing;

namespace {

// Six units, so many frames; `shift` makes another file of it.
std::string traces_csv(int frames, double shift = 0) {
  std::string text = "a,b,c,d,e,f\n";
  char field[32];
  for (int f = 0; f < frames; ++f)
    for (int u = 0; u < 6; ++u) {
      std::snprintf(field, sizeof field, "%.4f%c", std::sin(0.1 * f + u) + 0.3 * std::sin(0.37 * f * (u + 1)) + shift,
                    u < 5 ? ',' : '\n');
      text += field;
    }
  return text;
}

FilePtr csv_file(const std::string& name, int frames, double shift = 0) {
  return std::make_shared<NamedFile>(text_file(name, traces_csv(frames, shift)));
}

Spec recording_spec(const std::string& sha256 = "") {
  Spec spec = spec_of(R"({"dalea":1,"task":{"type":"recording","steps":20},"training":{"epochs":2}})");
  spec.recording.sha256 = sha256;
  return spec;
}

LiveOptions with_thread() {
  LiveOptions o = without_thread();
  o.own_thread = true;
  return o;
}

std::string notices_of(Live& live) {
  std::string all;
  for (Notice n; live.take_notice(n);) all += n.text + "\n";
  return all;
}

// Until nothing is read any more.
void wait_read(Live& live) {
  for (int k = 0; k < 20000 && live.reading(); ++k) {
    live.pump(0.001);
    if (live.own_thread()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  REQUIRE_FALSE(live.reading());
}

bool has(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a file that is being read can be cancelled: nothing changes, and that is said") {
  Live live(without_thread());
  live.train(spec_of(tiny_json(R"("epochs":2,"batch":13)")), nullptr, true);
  const auto before = until(live, [](const Snapshot& s) { return s.phase == Phase::finished; });
  const FilePtr file = csv_file("cells.csv", 900);
  Preview preview;
  live.preview(file, {});
  CHECK(live.reading() == 0.0);
  live.cancel_reading();
  wait_read(live);
  CHECK_FALSE(live.take_preview(preview));
  CHECK(has(notices_of(live), "Reading cells.csv was cancelled; nothing has changed"));
  live.give_together({file, std::make_shared<NamedFile>(text_file("events.csv", "time_s,event\n1,go\n"))}, {});
  live.cancel_reading();
  wait_read(live);
  CHECK_FALSE(live.take_preview(preview));
  const auto after = live.snapshot();
  CHECK(after->setup->serial == before->setup->serial);
  CHECK(after->hash == before->hash);
  CHECK(after->phase == Phase::finished);

  live.preview(file, {});  // what is asked for afterwards is read
  wait_read(live);
  REQUIRE(live.take_preview(preview));
  CHECK(preview.recording);
}

TEST_CASE("Cancel counts until the preview is taken, even where the file has just been read to its end") {
  Live live(without_thread());
  const FilePtr file = csv_file("cells.csv", 900);
  Preview preview;
  live.preview(file, {});
  wait_read(live);
  live.cancel_reading();
  CHECK_FALSE(live.take_preview(preview));
  CHECK(notices_of(live) == "Reading cells.csv was cancelled; nothing has changed\n");
  live.cancel_reading();  // nothing is read: nothing is said
  CHECK(notices_of(live).empty());
}

TEST_CASE("a long file is cancelled in its middle, for a preview and to train on") {
  if (!threads_available()) return;
  Live live(with_thread());
  live.train(spec_of(tiny_json(R"("epochs":2,"batch":13)")), nullptr, true);
  const auto before = until(live, [](const Snapshot& s) { return s.phase == Phase::finished; });
  const FilePtr file = csv_file("long.csv", 400000);
  for (const bool to_train : {false, true}) {
    CAPTURE(to_train);
    to_train ? live.train(recording_spec(), file, true) : live.preview(file, {});
    double last = 0, part = 0;
    bool rises = true;
    for (int k = 0; k < 100000 && part < 0.3; ++k) {
      if (const auto now = live.reading()) part = *now;
      rises = rises && part >= last;
      last = part;
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    CHECK(rises);
    CHECK(part >= 0.3);
    CHECK(part < 1);
    live.cancel_reading();
    wait_read(live);
    Preview preview;
    CHECK_FALSE(live.take_preview(preview));
    const auto s = until(live, [&](const Snapshot& v) { return v.serial > before->serial || !to_train; });
    CHECK(s->setup->serial == before->setup->serial);
    CHECK(s->hash == before->hash);
    CHECK(s->phase == Phase::finished);
    CHECK(has(notices_of(live), "Reading long.csv was cancelled"));
  }
}

TEST_CASE(
    "an experiment that waits for its recording still does after a cancelled one; the hash is taken by the trainer") {
  Live live(without_thread());
  const FilePtr file = csv_file("right.csv", 900), wrong = csv_file("wrong.csv", 900, 0.5);
  const std::string sha = sha256_hex(file->content());
  live.train(recording_spec(sha), nullptr, true);
  live.pump(0);
  REQUIRE(live.snapshot()->waiting_for == sha);
  CHECK(live.snapshot()->phase == Phase::needs_recording);
  notices_of(live);

  live.give_or_preview(file, {});
  live.cancel_reading();
  wait_read(live);
  CHECK(has(notices_of(live), "Reading right.csv was cancelled"));
  CHECK(live.snapshot()->waiting_for == sha);

  live.give_or_preview(wrong, {});
  wait_read(live);
  Preview preview;
  REQUIRE(live.take_preview(preview));
  CHECK(preview.file == wrong);
  CHECK(has(notices_of(live), "wrong.csv is not the recording this experiment was made with"));
  CHECK(live.snapshot()->waiting_for == sha);
  CHECK(live.snapshot()->phase == Phase::needs_recording);

  live.give_or_preview(file, {});
  const auto s = until(live, [](const Snapshot& v) { return v.phase == Phase::finished; });
  CHECK(s->waiting_for == "");
  CHECK(s->setup->recording_file == file);
  CHECK(s->setup->spec.recording.sha256 == sha);
  CHECK_FALSE(live.take_preview(preview));

  // Another file beside it does no harm: the one it was made with is here.
  live.train(s->setup->spec, wrong, false);
  const auto again = until(live, [&](const Snapshot& v) { return v.setup->serial > s->setup->serial; });
  CHECK(again->setup->recording_file == file);
  CHECK(again->waiting_for == "");
}

TEST_CASE("what was read for a preview is not read again to train on it") {
  Live live(without_thread());
  const FilePtr file = csv_file("cells.csv", 900);
  live.preview(file, {});
  wait_read(live);
  Preview preview;
  REQUIRE(live.take_preview(preview));
  REQUIRE(preview.recording);
  Spec spec = recording_spec(preview.recording->sha256);
  live.train(spec, file, true);
  const auto s = until(live, [](const Snapshot& v) { return v.phase == Phase::finished; });
  CHECK(s->setup->source_recording == preview.recording);

  spec.recording.exclude = {"b"};  // read otherwise: another recording
  live.train(spec, file, true);
  const auto other = until(live, [&](const Snapshot& v) { return v.setup->serial > s->setup->serial; });
  CHECK(other->setup->source_recording != preview.recording);
  CHECK(other->setup->source_recording->units == 5);
}

TEST_CASE("a file that stays on the disk is read where it lies, unless somebody wrote into it") {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("dalea_reading_" + std::to_string(getpid()) + ".csv");
  std::ofstream(path) << traces_csv(900);
  Result<FileBytes> opened = open_file(path.string());
  REQUIRE(opened.ok());
  REQUIRE(opened->mapped());
  CHECK_FALSE(opened->changed());
  const auto mapped = std::make_shared<NamedFile>(NamedFile{"cells.csv", {}, *opened});
  const FilePtr held = csv_file("cells.csv", 900);
  Live live(without_thread());
  Preview from_disk, from_memory;
  live.preview(mapped, {});
  live.preview(held, {});
  wait_read(live);
  REQUIRE(live.take_preview(from_disk));
  REQUIRE(live.take_preview(from_memory));
  REQUIRE((from_disk.recording && from_memory.recording));
  CHECK(from_disk.recording->values == from_memory.recording->values);
  CHECK(from_disk.recording->sha256 == from_memory.recording->sha256);

  NoScreen screen;  // the window sorts it out by its content, as any file
  App app(screen, without_thread());
  app.give_file(NamedFile{"cells.csv", {}, *opened});
  for (int k = 0; k < 100 && !app.preview.file; ++k) {
    app.live.pump(0.001);
    screen.frame(app);
  }
  REQUIRE(app.preview.recording);
  CHECK(app.preview.recording->values == from_memory.recording->values);

  std::ofstream(path, std::ios::app) << "1,2,3,4,5,6\n";
  CHECK(opened->changed());
  live.preview(mapped, {});
  wait_read(live);
  CHECK_FALSE(live.take_preview(from_disk));
  CHECK(has(notices_of(live), "cells.csv was written into since it was opened; open it again"));
  std::filesystem::remove(path);
}

TEST_CASE("the window shows how far reading is and offers to cancel it, once it takes long") {
  if (!threads_available()) return;
  NoScreen screen;
  App app(screen, with_thread());
  const FilePtr file = csv_file("long.csv", 200000);
  for (int k = 0; k < 8; ++k) app.live.preview(file, {});
  const auto widget = [&] { return nlohmann::json::parse(app.state_json(1))["widgets"].contains("reading:cancel"); };
  app.wants_frame(10);
  screen.frame(app);
  CHECK_FALSE(widget());  // a short one is not worth a word
  app.wants_frame(11);
  screen.frame(app);
  CHECK(widget());
  const auto state = nlohmann::json::parse(app.state_json(1));
  REQUIRE(state["reading"].is_number());
  CHECK(state["reading"].get<double>() >= 0);
  app.reading_shown = true;  // the page does it
  screen.frame(app);
  CHECK_FALSE(widget());
  app.live.cancel_reading();
  wait_read(app.live);
  app.wants_frame(12);
  screen.frame(app);
  CHECK_FALSE(widget());
  CHECK(nlohmann::json::parse(app.state_json(1))["reading"].is_null());
}
