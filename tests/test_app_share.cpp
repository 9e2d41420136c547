// Sharing and keeping: the link's view, texts to copy, the session for the next visit, and their frames.
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "common/files.h"
#include "common/snippets.h"
#include "helpers.h"
#include "session/npz.h"
#include "window_helpers.h"

using namespace dalea;
using namespace dalea::app;
using namespace dalea::testing;
using nlohmann::json;

namespace {

const std::string experiment = R"({"dalea":1,"name":"shared","populations":[{"name":"E","size":8,"sign":"+"}],)"
                               R"("task":{"steps":5,"train":20,"validation":10,"held_out":10},)"
                               R"("training":{"epochs":2,"batch":10}})";

class Keeper : public NoScreen {
 public:
  bool keeps() const override { return true; }
  void keep_session(const Kept& about, const std::vector<std::byte>& bytes) override {
    kept = about;
    session = bytes;
    ++times;
  }
  void open_kept() override { ++asked; }
  void forget_kept() override { session.clear(); }

  Kept kept;
  std::vector<std::byte> session;
  int times = 0, asked = 0;
};

json state(const App& app) {
  return json::parse(app.state_json(1));
}

// Frames and work until the state is as wished.
template <class Good>
json until(NoScreen& screen, App& app, Good good) {
  for (int k = 0; k < 2000; ++k) {
    app.live.pump(0.005);
    screen.frame(app);
    json s = state(app);
    if (good(s)) return s;
  }
  FAIL("the window did not come to what was waited for");
  return {};
}

void click(NoScreen& screen, App& app, const std::string& widget) {
  const json w = state(app)["widgets"];
  REQUIRE_MESSAGE(w.contains(widget), widget);
  ImGuiIO& io = ImGui::GetIO();
  const auto at = [&](const char* key, const char* size) {
    return w[widget][key].get<float>() + w[widget][size].get<float>() / 2;
  };
  io.AddMousePosEvent(at("x", "w"), at("y", "h"));
  screen.frame(app);
  screen.frame(app);
  for (bool down : {true, false}) {
    io.AddMouseButtonEvent(0, down);
    screen.frame(app);
    screen.frame(app);
  }
}

}  // namespace

TEST_CASE("a link's view: round trip, bounds, and what cannot be used") {
  LinkView v;
  v.title = "Dale's law";
  v.note = "Silence the I cells.\nWhat happens?";
  v.tab = "Perturb";
  v.hide_build = v.hide_loss = true;
  v.theme = Theme::dark;
  v.pace = 10;
  const std::string link = encode_link(parse_spec(experiment).spec);
  const DecodedView back = decode_view("page/#" + link + "&" + encode_view(v));
  CHECK(back.view == v);
  CHECK(back.notices.empty());
  // The same, packed by Python's zlib.
  CHECK(decode_view("#v1=x&view=eNoVjLEKAkEMBX8lpLER0dbGxsZOsLDwLLK7gSzGvWWTw0L8d3PlDPPeF726Mh7xTMobA6UPbrHNvrpbVW6Z"
                    "wYXhAplVbTe1u5CDUO_c7BSxU4r2ysOXkYKllhg_MC1VS7DOZviMTvi9vhYar9CdctBh__sDMWQqYA")
            .view == v);
  CHECK(encode_view(LinkView()).empty());
  // The experiment is what it was.
  CHECK(*decode_link("#" + link + "&" + encode_view(v)) == *decode_link(link));
  for (const Preset& p : presets()) {
    CHECK(decode_view("#" + encode_link(p.spec)).notices.empty());
    CHECK(("#" + encode_link(p.spec) + "&" + encode_view(v)).size() < 1900);  // before it the page's address
  }

  LinkView letters;
  for (int k = 0; k < 1500; ++k) letters.note += "\xc3\xa9";  // one character of two bytes
  letters.title = std::string(300, 'a') + "\x01";
  const LinkView cut = decode_view("#v1=x&" + encode_view(letters)).view;
  CHECK(cut.title == std::string(200, 'a'));
  CHECK(cut.note.size() == 2000);

  const auto raw = [](const std::string& text) { return decode_view("#v1=x&view=" + pack_text(text)); };
  DecodedView odd = raw(R"({"title":"t","sound":"loud","hide":["loss","clock"],"theme":"pink","pace":-1})");
  CHECK(odd.view.title == "t");
  CHECK(odd.view.hide_loss);
  CHECK_FALSE(odd.view.theme);
  CHECK_FALSE(odd.view.pace);
  REQUIRE(odd.notices.size() == 1);
  for (const char* name : {"sound", "clock", "theme", "pace"}) CHECK(odd.notices[0].find(name) != std::string::npos);

  const std::string good = encode_view(v);
  for (size_t length = 6; length + 1 < good.size(); length += 7) {
    const DecodedView damaged = decode_view("#v1=x&" + good.substr(0, length));
    CHECK(damaged.view.empty());
    CHECK(damaged.notices.size() == 1);
  }
  for (const std::string& text : {std::string("[1]"), std::string("{\"title\":"), std::string(20000, '0')}) {
    CHECK(raw(text).view.empty());
    CHECK(raw(text).notices.size() == 1);
  }
  CHECK(raw(std::string(20000, '0')).notices[0].find("16 KiB") != std::string::npos);
  CHECK(decode_view("#v1=x&view=" + std::string(300000, 'A')).notices.size() == 1);
  CHECK(decode_view("#v1=x&view=%%").notices.size() == 1);
}

TEST_CASE("the window under a link's view, and without it again") {
  NoScreen screen;
  App app(screen, without_thread());
  LinkView v;
  v.title = "For a class";
  v.note = "Press play.";
  v.tab = "theory";
  v.hide_build = v.hide_share = v.hide_loss = v.hide_tabs = true;
  v.theme = Theme::dark;
  v.pace = 60;
  const std::string link = encode_link(parse_spec(experiment).spec), part = encode_view(v);
  app.open_text("page/#" + link + "&" + part);
  json s = until(screen, app,
                 [](const json& o) { return o["name"] == "shared" && o["widgets"].contains("show-everything"); });
  CHECK(screen.link == link + "&" + part);
  CHECK(s["view"]["title"] == "For a class");
  CHECK(s["theme"] == "dark");
  CHECK(s["pace"] == 60);
  for (const char* gone : {"copy-link", "share-more", "tab:Weights", "download"})
    CHECK_FALSE(s["widgets"].contains(gone));
  CHECK(app.view.open_tab == tab_theory);
  app.copy_link();  // it is passed on
  CHECK(screen.copied == "page/#" + link + "&" + part);
  screen.frame(app);  // the notice moves what is below it
  click(screen, app, "show-everything");
  screen.frame(app);
  s = state(app);
  CHECK(s["view"] == nullptr);
  CHECK(s["widgets"].contains("copy-link"));
  CHECK(s["widgets"].contains("tab:Weights"));
  CHECK(screen.link == link);

  // A broken view opens the experiment and says so; another experiment leaves the view.
  app.open_text("#" + link + "&view=eNr");
  s = until(screen, app, [](const json& o) { return o["network"] == 2; });
  CHECK(s["view"] == nullptr);
  CHECK(s["notices"].back()["text"].get<std::string>().find("everything is shown") != std::string::npos);
  app.open_text("#" + link + "&" + part);
  CHECK(app.link_view == v);
  app.open_preset("quickstart");
  CHECK(app.link_view.empty());
}

TEST_CASE("the share popup makes the link that opens as it says, and the sheet of keys opens") {
  NoScreen screen;
  App app(screen, without_thread());
  app.open_text(experiment);
  until(screen, app, [](const json& o) { return o["name"] == "shared" && o["widgets"].contains("share-more"); });
  click(screen, app, "share-more");
  screen.frame(app);
  REQUIRE(state(app)["widgets"].contains("share:copy"));
  std::snprintf(app.view.share.title, sizeof app.view.share.title, "%s", "Seen from here");
  click(screen, app, "share:loss");
  click(screen, app, "share:copy");
  const DecodedView copied = decode_view(screen.copied);
  CHECK(copied.view.title == "Seen from here");
  CHECK(copied.view.hide_loss);
  CHECK_FALSE(copied.view.hide_build);
  CHECK(*decode_link(screen.copied) == *decode_link(app.now->setup->link));
  click(screen, app, "share:python");
  CHECK(screen.copied == python_snippet(app.now->setup->spec, "shared-weights.npz"));
  click(screen, app, "share:native");
  CHECK(screen.copied == "./run cli run '#" + app.now->setup->link + "' --out out");
  app.view.shortcuts = true;
  screen.frame(app);
  screen.frame(app);
  CHECK(state(app)["widgets"].contains("shortcut-sheet"));
}

TEST_CASE("a session is kept for the next visit, offered, continued and forgotten") {
  Keeper first;
  std::string hash;
  {
    App app(first, without_thread());
    app.open_text(experiment);
    const json s = until(first, app, [](const json& o) { return o["finished"] == true; });
    hash = s["hash"];
    for (int k = 0; k < 120 && !(first.kept.finished && first.times > 0);
         ++k) {  // two seconds, drawn when it wants to be
      app.live.pump(0);
      if (app.wants_frame(k / 60.0)) first.frame(app);
    }
    CHECK(first.kept.name == "shared");
    CHECK(first.kept.epoch == 2);
    CHECK(first.kept.finished);
    CHECK(first.saved.empty());  // nothing is downloaded
    const int times = first.times;
    for (int k = 120; k < 320; ++k) {
      app.live.pump(0);
      if (app.wants_frame(k / 60.0)) first.frame(app);
    }
    CHECK(first.times == times);  // nothing new, nothing kept
  }
  App app(first, without_thread());
  app.open_preset("quickstart");
  app.set_pace(1);
  app.offer_kept(first.kept);
  const std::vector<std::byte> left = first.session;
  first.times = 0;
  until(first, app, [](const json& o) { return o["updates"] > 0 && o["widgets"].contains("continue"); });
  app.live.pause();
  for (int k = 0; k < 200; ++k) {
    app.live.pump(0);
    app.wants_frame(100 + k / 60.0);
    first.frame(app);
  }
  CHECK(first.times == 0);  // the demonstration does not take its place
  click(first, app, "continue");
  CHECK(first.asked == 1);
  CHECK(state(app)["kept"] == nullptr);
  for (int k = 0; k < 200; ++k) {  // a browser takes its time
    app.live.pump(0);
    app.wants_frame(150 + k / 60.0);
    first.frame(app);
  }
  CHECK(first.times == 0);  // nor the place of what is being read
  app.give_file({kept_file, left});
  const json s = until(first, app, [](const json& o) { return o["name"] == "shared"; });
  CHECK(s["hash"] == hash);
  CHECK(s["epoch"] == 2);

  app.offer_kept(first.kept);
  first.frame(app);
  first.frame(app);
  click(first, app, "continue:dismiss");
  CHECK(state(app)["kept"] == nullptr);
  CHECK_FALSE(first.session.empty());
  app.forget_kept();
  CHECK(first.session.empty());
  app.live.restart();
  app.live.step();
  first.times = 0;
  for (int k = 0; k < 200; ++k) {
    app.live.pump(0.001);
    app.wants_frame(200 + k / 60.0);
    first.frame(app);
  }
  CHECK(first.times == 0);
}

TEST_CASE("the Python text gives the engine's outputs (NumPy alone)") {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() /
      ("dalea-snippet-" + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()));
  std::filesystem::create_directories(folder);
  const auto interleaved =
      R"("populations":[{"name":"E1","size":6,"sign":"+","tau_s":0.1},{"name":"I","size":4,"sign":"-"},)"
      R"({"name":"E2","size":5,"sign":"+","tau_s":0.04}],)";
  const std::string tail = R"("training":{"epochs":2,"batch":10,"optimizer":{"lr":0.01})";
  const std::string size = R"("steps":9,"train":20,"validation":10,"held_out":4)";
  const std::string specs[] = {
      R"({"dalea":1,"name":"A \"quoted\" name",)" + std::string(interleaved) + R"("task":{)" + size + "}," + tail +
          "}}",
      R"({"dalea":1,"network":{"activation":"softplus","biases":false,"feedback":"plain"},)" +
          std::string(interleaved) + R"("connectivity":{"probability":0.2,"storage":"sparse"},"task":{"type":"wave",)" +
          size + "}," + tail + "}}",
      R"({"dalea":1,"network":{"activation":"sigmoid"},)" + std::string(interleaved) + R"("task":{)" + size + "}," +
          tail + R"(,"loss":"cross-entropy","constraint":"conventional"}})",
      R"({"dalea":1,"network":{"activation":"relu","input_mask":true,"readout":"populations","feedback":"rectified"},)"
      R"("populations":[{"name":"E","size":9,"sign":"+"},{"name":"I","size":4,"sign":"-","tau_s":0.05}],)"
      R"("task":{"type":"wave",)" +
          size + "}," + tail + "}}"};
  int index = 0;
  for (const std::string& text : specs) {
    const Spec spec = spec_of(text);
    auto trainer = trainer_of(spec);
    train_to_end(*trainer);
    const Trials& t = trainer->data().held_out;
    std::vector<float> outputs;
    for (int64_t k = 0; k < t.count; ++k) {
      const std::vector<float> one = trainer->trace(t, k).output;
      outputs.insert(outputs.end(), one.begin(), one.end());
    }
    const std::string stem = "s" + std::to_string(index++);
    const auto put = [&](const std::string& name, std::span<const std::byte> bytes) {
      REQUIRE(write_file((folder / name).string(), bytes).ok());
    };
    put(stem + ".npz", write_weights(trainer->state().parameters));
    put("in.npy", write_npy_f32(t.input, {t.count, t.steps, t.inputs}));
    put("out.npy", write_npy_f32(outputs, {t.count, t.steps, t.outputs}));
    const std::string script = "import sys\ntry:\n    import numpy\nexcept ImportError:\n    sys.exit(77)\n" +
                               python_snippet(spec, stem + ".npz") +
                               "\ngot = np.asarray(run(tensor(np.load('in.npy'))))\nwant = np.load('out.npy')\n"
                               "sys.exit(0 if got.shape == want.shape and abs(got - want).max() < 1e-5 else 1)\n";
    put("check.py", to_bytes(script));
    const int status = std::system(("cd '" + folder.string() + "' && /usr/bin/python3 check.py").c_str());
    if (status == 77 << 8) {
      MESSAGE("skipped: NumPy is not installed for /usr/bin/python3");
      break;
    }
    CHECK_MESSAGE(status == 0, text);
  }
  std::filesystem::remove_all(folder);
}

TEST_CASE("settings too large for this program give the command that trains them elsewhere") {
  NoScreen screen;
  App app(screen, without_thread());
  app.open_text(experiment);
  until(screen, app, [](const json& o) { return o["name"] == "shared"; });
  app.draft.populations[0].size = 900000;
  app.draft_edited();
  REQUIRE(app.problems.size() == 1);
  CHECK(app.problems[0].path == "populations");
  screen.frame(app);
  click(screen, app, "apply");
  CHECK(screen.copied.substr(0, 14) == "./run cli run ");
  const size_t from = screen.copied.find('#'), to = screen.copied.find('\'', from);
  const Result<std::string> back = decode_link(screen.copied.substr(from, to - from));
  REQUIRE(back.ok());
  CHECK(back->find("900000") != std::string::npos);
  CHECK(state(app)["network"] == 1);  // nothing was trained
}
