// The watched training (shell/app/live.h) and the window's frames, without graphics.
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "helpers.h"
#include "live_helpers.h"
#include "session/npz.h"
#include "window_helpers.h"

using namespace dalea;
using namespace dalea::app;
using namespace dalea::testing;

namespace {

const std::string six_epochs = R"("epochs":6,"batch":13,"optimizer":{"lr":0.01})";

std::string hex_of(uint64_t hash) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

LiveOptions options_of(bool own_thread) {
  LiveOptions o;
  o.own_thread = own_thread;
  o.threads = own_thread ? 2 : 1;
  o.platform = "test";
  return o;
}

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto* p = reinterpret_cast<const std::byte*>(text.data());
  return {p, p + text.size()};
}

std::string recording_csv() {
  std::string text;
  for (int t = 0; t < 300; ++t) {
    for (int u = 0; u < 6; ++u) text += (u ? "," : "") + std::to_string(std::sin(0.1 * t * (u + 1)) + 0.01 * u);
    text += "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("a watched training ends on the bits of an unwatched one, on its own thread and inside pump()") {
  const Spec spec = spec_of(tiny_json(six_epochs));
  const std::string expected = hex_of(train_to_end(*trainer_of(spec)));
  for (bool own_thread : {true, false}) {
    Live live(options_of(own_thread));
    live.train(spec, nullptr, true);
    const auto s = until(live, [](const Snapshot& v) { return v.phase == Phase::finished; });
    CHECK(s->hash == expected);
    CHECK(s->hash_updates == s->updates);
    CHECK(s->updates == s->total_updates);
    CHECK(s->history->size() == 6);
    CHECK(s->audit.sign == 0);
    CHECK(s->weights->values.size() == 400);
    CHECK(s->trace->output.size() == 7);
  }
}

TEST_CASE("pause, step, step an epoch, restart and new seed") {
  for (bool own_thread : {true, false}) {
    Live live(options_of(own_thread));
    live.train(spec_of(tiny_json(six_epochs)), nullptr, false);
    until(live, [](const Snapshot& v) { return v.phase == Phase::paused && v.updates == 0; });
    std::vector<std::string> hashes;
    for (int round = 0; round < 2; ++round) {
      for (int64_t k = 1; k <= 3; ++k) {
        live.step();
        const auto s = until(live, [&](const Snapshot& v) { return v.updates == k && v.phase == Phase::paused; });
        if (k == 3) hashes.push_back(s->hash);
      }
      live.restart();
      until(live, [](const Snapshot& v) { return v.updates == 0 && v.phase == Phase::paused; });
    }
    CHECK(hashes[0] == hashes[1]);
    live.step_epoch();
    const auto s = until(live, [](const Snapshot& v) { return v.epoch == 1 && v.phase == Phase::paused; });
    CHECK(s->history->size() == 1);
    live.new_seed();
    CHECK(until(live, [](const Snapshot& v) { return v.setup->spec.seed == 2; })->updates == 0);
  }
}

TEST_CASE("a session is saved between two updates, opened and continued to the same bits") {
  const Spec spec = spec_of(tiny_json(six_epochs));
  const std::string expected = hex_of(train_to_end(*trainer_of(spec)));
  Live live(options_of(false));
  live.train(spec, nullptr, false);
  for (int k = 0; k < 7; ++k) {
    live.step();
    until(live, [&](const Snapshot& v) { return v.updates == k + 1 && v.phase == Phase::paused; });
  }
  live.save(Download::session);
  live.save(Download::weights);
  live.pump(0);
  NamedFile session, weights;
  REQUIRE(live.take_file(session));
  REQUIRE(live.take_file(weights));
  Result<Entries> entries = read_zip(weights.bytes, weights.name);
  REQUIRE(entries.ok());
  CHECK(entries->front().first == "W_in.npy");

  Live other(options_of(true));
  other.open_session(std::make_shared<NamedFile>(session), nullptr);
  until(other, [](const Snapshot& v) { return v.updates == 7; });
  other.play();
  CHECK(until(other, [](const Snapshot& v) { return v.phase == Phase::finished; })->hash == expected);

  session.bytes.resize(session.bytes.size() / 2);
  other.open_session(std::make_shared<NamedFile>(session), nullptr);
  Notice notice;
  for (int k = 0; k < 5000 && !other.take_notice(notice); ++k)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  CHECK(notice.error);
  CHECK(other.snapshot()->hash == expected);  // what was there stays
}

TEST_CASE("pacing slows training down and moves no bit") {
  const Spec spec = spec_of(tiny_json(R"("epochs":2,"batch":13)"));
  Live live(options_of(true));
  live.set_pace(100);
  const auto start = std::chrono::steady_clock::now();
  live.train(spec, nullptr, true);
  const auto s = until(live, [](const Snapshot& v) { return v.phase == Phase::finished; });
  CHECK(std::chrono::steady_clock::now() - start > std::chrono::milliseconds(70));  // 10 updates
  CHECK(s->hash == hex_of(train_to_end(*trainer_of(spec))));
}

TEST_CASE("a recording is previewed, trained on, and asked for by an experiment that needs it") {
  Live live(options_of(false));
  const auto file = std::make_shared<NamedFile>(NamedFile{"cells.csv", bytes_of(recording_csv())});
  live.preview(file, RecordingSpec());
  live.pump(0);
  Preview preview;
  REQUIRE(live.take_preview(preview));
  REQUIRE(preview.recording);
  CHECK(preview.recording->units == 6);
  Spec spec = spec_of(R"({"dalea":1,"task":{"type":"recording","steps":20},"training":{"epochs":2}})");
  spec.recording.sha256 = preview.recording->sha256;

  live.train(spec, nullptr, true);  // the file is not known to the trainer yet
  live.pump(0);
  CHECK(live.snapshot()->phase == Phase::needs_recording);
  CHECK(live.snapshot()->waiting_for == spec.recording.sha256);
  live.give_recording(std::make_shared<NamedFile>(NamedFile{"wrong.csv", bytes_of("1,2\n3,4\n5,6\n")}));
  live.pump(0);
  CHECK(live.snapshot()->waiting_for == spec.recording.sha256);
  live.give_recording(file);
  const auto s = until(live, [](const Snapshot& v) { return v.phase == Phase::finished; });
  CHECK(s->setup->baselines);
  CHECK(s->waiting_for == "");
}

TEST_CASE("an archive that is no session is a recording, and any of its arrays can be taken") {
  std::vector<double> traces(240), others(120);
  for (size_t k = 0; k < traces.size(); ++k) traces[k] = std::sin(0.1 * static_cast<double>(k));
  for (size_t k = 0; k < others.size(); ++k) others[k] = traces[k] * traces[k];
  NoScreen screen;
  App app(screen, options_of(false));
  app.give_file({"cells.npz", write_zip({{"dff.npy", write_npy_f64(traces, {60, 4})},
                                         {"spikes.npy", write_npy_f64(others, {60, 2})},
                                         {"ids.npy", write_npy_i64(std::vector<int64_t>(4), {4})}})});
  const auto preview = [&] {
    app.live.pump(0);
    screen.frame(app);
    return nlohmann::json::parse(app.state_json(1))["preview"];
  };
  CHECK(preview()["array"] == "dff");
  CHECK(preview()["arrays"] == 3);
  RecordingSpec spec = app.preview.spec;
  spec.array = "spikes";
  app.live.preview(app.preview.file, spec);
  CHECK(preview()["units"] == 2);
  app.train_preview();
  app.live.pump(0);
  screen.frame(app);
  REQUIRE(app.now->setup);
  CHECK(app.now->setup->spec.recording.array == "spikes");
  spec.array = "ids";
  app.live.preview(app.preview.file, spec);
  CHECK(std::string(preview()["error"]).find("has 1 dimension") != std::string::npos);
}

TEST_CASE("the window: every bundled example, size, theme and tab draws; the address follows") {
  NoScreen screen;
  App app(screen, options_of(false));
  REQUIRE(presets().size() == 14);
  for (const Preset& preset : presets()) {
    CHECK(encode_link(preset.spec).size() < 2000);
    app.open_preset(preset.id);
    app.live.pump(0);
    if (preset.id == "worm") {  // its files are not here: it says which, and what trained stays
      screen.frame(app);
      CHECK(nlohmann::json::parse(app.state_json(1))["notices"].dump().find("transmitters") != std::string::npos);
      CHECK(app.now->setup->spec.name != preset.name);
      continue;
    }
    if (preset.spec.task.type == "digits") {  // not here: it waits, and what trained stays
      screen.frame(app);
      CHECK(nlohmann::json::parse(app.state_json(1))["wants_digits"] == true);
      CHECK(app.now->setup != nullptr);
      continue;
    }
    app.live.pause();
    app.live.pump(0);
    screen.frame(app);
    CHECK(screen.link == app.now->setup->link);
    CHECK(app.now->setup->spec.name == preset.name);
    for (Theme theme : {Theme::light, Theme::dark})
      for (auto [w, h] : {std::pair{1280.f, 720.f}, {1920.f, 1080.f}, {390.f, 844.f}, {200.f, 120.f}}) {
        app.theme = theme;
        for (int tab = 0; tab <= tab_speed; ++tab) {
          app.view.tab = tab;
          screen.frame(app, w, h);
          screen.frame(app, w, h);
        }
      }
    CHECK(nlohmann::json::parse(app.state_json(1))["name"] == preset.name);
  }
  CHECK(screen.uploads > 5);
  app.copy_link();
  CHECK(screen.copied.rfind("page/#v1=", 0) == 0);
}

TEST_CASE("an experiment with digits waits for them, starts when they are given, and draws") {
  NoScreen screen;
  App app(screen, options_of(false));
  Spec spec = spec_of(R"({"dalea":1,"task":{"type":"digits","steps":4,"train":20,"validation":5,"held_out":5},)"
                      R"("training":{"batch":5,"epochs":2}})");
  app.live.train(spec, nullptr, true);
  app.live.pump(0);
  CHECK(app.live.snapshot()->setup == nullptr);
  const auto set = [](int64_t count) {
    DigitSet s{count, 4, 3, {}, {}};
    for (int64_t e = 0; e < count * 12; ++e) s.pixels.push_back(static_cast<uint8_t>(e * 7));
    for (int64_t n = 0; n < count; ++n) s.labels.push_back(static_cast<uint8_t>(n % 10));
    return s;
  };
  app.live.give_digits(std::make_shared<Digits>(Digits{set(25), set(5)}));
  const auto s = until(app.live, [](const Snapshot& v) { return v.phase == Phase::finished; });
  CHECK(s->history->back().held_out_accuracy >= 0);
  for (int k = 0; k < 3; ++k) screen.frame(app);
  CHECK(app.now->trace->output.size() == 4 * 10);
  // A program that knows where they are is asked.
  LiveOptions options = options_of(false);
  options.find_digits = [&]() -> Result<Digits> { return Digits{set(25), set(5)}; };
  Live live(options);
  live.train(spec, nullptr, true);
  CHECK(until(live, [](const Snapshot& v) { return v.phase == Phase::finished; })->hash == s->hash);
}

TEST_CASE("the window: nothing lies outside it, and no two buttons overlap") {
  NoScreen screen;
  App app(screen, options_of(false));
  app.open_preset("quickstart");
  for (const auto& size : {std::pair{1280.f, 720.f}, {1920.f, 1080.f}}) {
    const float w = size.first, h = size.second;
    for (int k = 0; k < 3; ++k) {
      app.live.pump(0.01);
      screen.frame(app, w, h);
    }
    const auto state = nlohmann::json::parse(app.state_json(1));
    const auto& widgets = state["widgets"];
    std::vector<std::pair<std::string, Rect>> bars;
    for (const auto& item : widgets.items()) {
      const std::string name = item.key();  // clang 14 captures no structured bindings
      const nlohmann::json& r = item.value();
      const Rect rect{r["x"], r["y"], r["w"], r["h"]};
      if (rect.y < 60 || rect.y > h - 60) {  // title and transport; the settings between them scroll
        CHECK_MESSAGE(rect.x >= 0, name);
        CHECK_MESSAGE(rect.x + rect.w <= w, name);
        CHECK_MESSAGE(rect.y + rect.h <= h + 590, name);
        if (rect.y < 48 || (rect.y > h - 60 && rect.y < h)) bars.emplace_back(name, rect);
      }
    }
    CHECK(bars.size() >= 12);
    for (size_t a = 0; a < bars.size(); ++a)
      for (size_t b = 0; b < a; ++b) {
        const Rect &p = bars[a].second, &q = bars[b].second;
        if (bars[a].first.rfind("field:", 0) == 0 || bars[b].first.rfind("field:", 0) == 0) continue;
        if (bars[a].first.rfind("section:", 0) == 0 || bars[b].first.rfind("section:", 0) == 0) continue;
        const bool apart = p.x + p.w <= q.x || q.x + q.w <= p.x || p.y + p.h <= q.y || q.y + q.h <= p.y;
        CHECK_MESSAGE(apart, bars[a].first << " and " << bars[b].first);
      }
  }
}

TEST_CASE("the window: hostile files and texts leave a message") {
  NoScreen screen;
  App app(screen, options_of(false));
  app.open_preset("quickstart");
  app.live.pump(0);
  const auto notices = [&] {
    app.live.pump(0);
    screen.frame(app);
    return nlohmann::json::parse(app.state_json(1))["notices"].size();
  };
  CHECK(notices() == 0);
  app.give_file({"empty.csv", {}});
  CHECK(notices() == 1);
  app.give_file({"half.npz", bytes_of("PK\x03\x04zzzz")});
  CHECK(notices() == 2);
  app.give_file({"x.json", bytes_of("{\"dalea\":1,\"trainig\":{}}")});
  CHECK(notices() == 3);
  app.give_file({"x.csv", bytes_of("a,b\nc,d\n")});
  CHECK(notices() == 4);
  app.open_text("#v1=!!!!");
  CHECK(notices() == 4);  // the oldest made room
  CHECK(app.now->phase == Phase::running);
}

TEST_CASE("the window: problems of the settings have the paths of their fields") {
  NoScreen screen;
  App app(screen, options_of(false));
  app.open_preset("quickstart");
  app.live.pump(0);
  screen.frame(app);
  app.draft.populations[0].size = -4;
  app.draft.training.optimizer.beta1 = 2;
  app.draft_edited();
  CHECK(app.draft_changed);
  CHECK(app.problem_at("populations[0].size").find("not a size") != std::string::npos);
  CHECK(app.problem_at("training.optimizer.beta1") != "");
  screen.frame(app);
  app.train_draft();
  app.live.pump(0);
  CHECK(app.live.snapshot()->setup->spec.populations[0].size == 51);
}

TEST_CASE("the matrix view reads dense, masked and sparse weights alike") {
  const std::string mask = R"(,"connectivity":{"probability":[[0.2,0.5],[0.3,0]],"storage":"sparse"})";
  const Spec sparse = spec_of(tiny_json(six_epochs, mask));
  Spec dense = sparse;
  dense.connectivity.storage = "dense";
  Live a(options_of(false)), b(options_of(false));
  a.train(sparse, nullptr, false);
  b.train(dense, nullptr, false);
  a.pump(0);
  b.pump(0);
  const auto &u = *a.snapshot()->weights, &v = *b.snapshot()->weights;
  CHECK(u.sparse);
  CHECK(!v.sparse);
  int64_t there = 0;
  for (int64_t i = 0; i < 20; ++i)
    for (int64_t j = 0; j < 20; ++j) {
      CHECK(u.at(i, j) == v.at(i, j));
      CHECK(u.exists(i, j) == v.exists(i, j));
      there += u.exists(i, j);
    }
  CHECK(there > 40);
  CHECK(there < 150);
}
