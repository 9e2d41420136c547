// What the window remembers of its layout, what the moment looked back at gives, measuring that can be cancelled, and
// the exact spectrum of a draft.
#include <cmath>
#include <nlohmann/json.hpp>
#include <thread>

#include "analysis/spectrum.h"
#include "app/views.h"
#include "app/widgets.h"
#include "helpers.h"
#include "imgui_internal.h"
#include "live_helpers.h"
#include "session/npz.h"
#include "window_helpers.h"

using namespace dalea;
using namespace dalea::app;
using namespace dalea::testing;
using nlohmann::json;

namespace {

json state_of(const App& app) {
  return json::parse(app.state_json(1));
}

void turn(NoScreen& screen, App& app, int times, float w = 1280, float h = 720) {
  for (int k = 0; k < times; ++k) {
    app.live.pump(0.005);
    screen.frame(app, w, h);
  }
}

void drag(NoScreen& screen, App& app, const std::string& widget, float x, float y) {
  const json w = state_of(app)["widgets"][widget];
  REQUIRE_MESSAGE(w.is_object(), widget);
  const float at_x = w["x"].get<float>() + w["w"].get<float>() / 2,
              at_y = w["y"].get<float>() + w["h"].get<float>() / 2;
  ImGuiIO& io = ImGui::GetIO();
  io.AddMousePosEvent(at_x, at_y);
  turn(screen, app, 2);
  io.AddMouseButtonEvent(0, true);
  turn(screen, app, 2);
  io.AddMousePosEvent(at_x + x, at_y + y);
  turn(screen, app, 2);
  io.AddMouseButtonEvent(0, false);
  turn(screen, app, 2);
  io.AddMousePosEvent(-1e6f, -1e6f);
  turn(screen, app, 2);
}

void click(NoScreen& screen, App& app, const std::string& widget) {
  drag(screen, app, widget, 0, 0);
}

Entries entries_of(const NamedFile& file) {
  Result<Entries> entries = read_zip(file.bytes, file.name);
  REQUIRE(entries.ok());
  return *entries;
}

std::vector<double> array_in(const NamedFile& file, const std::string& name) {
  for (const auto& [entry, bytes] : entries_of(file))
    if (entry == name) return *read_npy_values(bytes, *read_npy_header(bytes, entry));
  FAIL("no such array");
  return {};
}

// (post, pre) in rows, as the export has it.
std::vector<double> by_rows(const MatrixView& m) {
  std::vector<double> values;
  for (int64_t i = 0; i < m.units; ++i)
    for (int64_t j = 0; j < m.units; ++j) values.push_back(static_cast<double>(m.at(i, j)));
  return values;
}

}  // namespace

TEST_CASE("layout: as text and back; what cannot be used is as designed") {
  Layout l;
  l.tab = "Build";
  l.learning = "Spectrum";
  l.settings = false;
  l.rail = 300;
  l.upper = 0.6;
  l.log_count = true;
  CHECK(read_layout(layout_text(l)) == l);
  for (const char* broken : {"", "{", "[]", "7", "null", "{\"tab\":3,\"rail\":\"wide\",\"settings\":1,\"upper\":null}"})
    CHECK(read_layout(broken) == Layout());
  CHECK(read_layout(R"({"tab":")" + std::string(1000, 'x') + R"("})") == Layout());
  l = read_layout(R"({"rail":1e300,"right":3,"upper":-1,"loss":false,"other":[1]})");
  CHECK(l.rail == most_rail);
  CHECK(l.right == least_right);
  CHECK(l.upper == 0);
  CHECK_FALSE(l.loss);
}

TEST_CASE("layout: panels, sizes and tabs come back at the next visit, a link's view wins, and a reset forgets them") {
  std::string kept, link;
  {
    NoScreen screen;
    App app(screen, without_thread());
    app.live.train(spec_of(tiny_json(three_epochs)), nullptr, false);
    turn(screen, app, 4);
    CHECK(screen.layout.empty());  // a first visit that changes nothing
    const float rail = state_of(app)["widgets"]["split:settings"]["x"];
    drag(screen, app, "split:settings", 40, 0);
    CHECK(state_of(app)["widgets"]["split:settings"]["x"].get<float>() == doctest::Approx(rail + 40));
    drag(screen, app, "split:trial", 0, 60);
    app.view.tab = tab_theory;
    click(screen, app, "learning-tab:Spectrum");
    app.layout.trial_panel = false;
    app.view.log_loss = false;
    turn(screen, app, 3);
    kept = screen.layout;
    app.copy_link();
    link = screen.copied;
  }
  REQUIRE_FALSE(kept.empty());
  const Layout l = read_layout(kept);
  CHECK(l.tab == "Theory");
  CHECK(l.learning == "Spectrum");
  CHECK(l.trial == "Held-out trial");
  CHECK(l.rail > 300);
  CHECK(l.upper > 0.5);
  {
    NoScreen screen;
    App app(screen, without_thread());
    app.open_preset("quickstart");  // asks for the weights' tab
    app.restore_layout(kept, true);
    turn(screen, app, 4);
    json s = state_of(app);
    CHECK(s["tab"] == "Theory");
    CHECK(app.view.open_tabs["learning"] == "Spectrum");
    CHECK_FALSE(app.view.log_loss);
    CHECK_FALSE(s["widgets"].contains("trial-tab:Activity"));
    CHECK(s["widgets"]["split:settings"]["x"].get<double>() == doctest::Approx(8 + l.rail));
    CHECK(screen.layout.empty());  // nothing changed
    // A link's view shows what it says, and leaves the user's layout alone.
    LinkView view;
    view.title = "Lesson";
    view.hide_loss = true;
    const std::string fragment = link.substr(link.find('#') + 1) + "&" + encode_view(view);
    app.open_text(fragment);
    turn(screen, app, 4);
    s = state_of(app);
    CHECK(s["widgets"].contains("trial-tab:Activity"));
    CHECK_FALSE(s["widgets"].contains("learning-tab:Loss"));
    CHECK_FALSE(s["widgets"].contains("split:settings"));
    CHECK(screen.layout.empty());
    app.show_everything();
    turn(screen, app, 3);
    CHECK_FALSE(state_of(app)["widgets"].contains("trial-tab:Activity"));
    CHECK(state_of(app)["widgets"].contains("learning-tab:Loss"));
    app.reset_layout();
    turn(screen, app, 4);
    s = state_of(app);
    CHECK(s["tab"] == "Weights");
    CHECK(s["widgets"].contains("trial-tab:Activity"));
    CHECK(app.view.open_tabs["learning"] == "Loss");
    CHECK(read_layout(screen.layout).rail == 0);
  }
  {  // somebody else's link: its own tab, the user's panels; and one with a view keeps even those away
    NoScreen screen;
    App app(screen, without_thread());
    app.open_text(link);
    app.restore_layout(kept, false);
    turn(screen, app, 4);
    CHECK(state_of(app)["tab"] == "Weights");
    CHECK_FALSE(state_of(app)["widgets"].contains("trial-tab:Activity"));
  }
  // Settings that are hidden come back while the draft waits to be trained.
  NoScreen screen;
  App app(screen, without_thread());
  app.live.train(spec_of(tiny_json(three_epochs)), nullptr, false);
  app.layout.settings = false;
  turn(screen, app, 3);
  CHECK_FALSE(state_of(app)["widgets"].contains("split:settings"));
  app.draft.seed = 99;
  app.draft_edited();
  turn(screen, app, 2);
  CHECK(state_of(app)["widgets"].contains("split:settings"));
  for (auto [w, h] : {std::pair{1920.f, 1080.f}, {905.f, 500.f}, {390.f, 844.f}, {200.f, 120.f}})
    turn(screen, app, 2, w, h);
}

TEST_CASE("a tab that is not there yet is waited for, until another one is chosen") {
  const Spec classes = spec_of(tiny_json(R"("epochs":1,"batch":13,"loss":"cross-entropy")"));
  for (bool chosen : {false, true}) {
    NoScreen screen;
    App app(screen, without_thread());
    app.view.tab = tab_answers;
    turn(screen, app, 3);
    CHECK(state_of(app)["tab"] == "Weights");
    if (chosen) click(screen, app, "tab:Theory");
    app.live.train(classes, nullptr, false);
    turn(screen, app, 4);
    CHECK(state_of(app)["tab"] == (chosen ? "Theory" : "Answers"));
  }
}

TEST_CASE("what is downloaded and pruned while looking back is of that moment; a session is of now") {
  const Spec spec = spec_of(tiny_json(three_epochs));
  Live live(without_thread());
  live.train(spec, nullptr, true);
  auto s = until(live, [](const Snapshot& v) { return v.phase == Phase::finished; });
  const std::string last = s->hash;
  live.look_back(7);
  s = until(live, [](const Snapshot& v) { return v.looking_back; });
  REQUIRE(s->hash_updates == 7);
  const auto take = [&](Download what) {
    live.save(what);
    NamedFile file;
    until(live, [&](const Snapshot&) { return live.take_file(file); });
    return file;
  };
  const NamedFile weights = take(Download::weights);
  CHECK(weights.name.find("-weights-after-7-updates.npz") != std::string::npos);
  CHECK(array_in(weights, "W_rec.npy") == by_rows(*s->weights));
  CHECK(array_in(weights, "history/epoch.npy") == std::vector<double>{1});  // five updates an epoch
  const NamedFile saved = take(Download::session);
  CHECK(hash_text(hash_of(read_session(saved.bytes, saved.name)->state.parameters)) == last);
  live.copy_network(3);
  NetworkPtr copy;
  until(live, [&](const Snapshot&) { return live.take_network(copy); });
  CHECK(copy->updates == 7);
  CHECK(copy->looked_back);
  CHECK(copy->hash == s->hash);
  live.look_back(-1);
  live.copy_network(4);
  until(live, [&](const Snapshot&) { return live.take_network(copy); });
  CHECK_FALSE(copy->looked_back);
  CHECK(copy->hash == last);
  CHECK(array_in(take(Download::weights), "W_rec.npy") != array_in(weights, "W_rec.npy"));

  // The tab says which moment its mask is of, and retrains from that one.
  NoScreen screen;
  App app(screen, without_thread());
  app.live.train(spec, nullptr, true);
  until(app.live, [](const Snapshot& v) { return v.phase == Phase::finished; });
  app.live.look_back(7);
  app.view.tab = tab_prune;
  for (int k = 0; k < 200 && !app.pruning.view().mask; ++k) {
    app.wants_frame(0);
    turn(screen, app, 1);
  }
  REQUIRE(app.pruning.view().mask);
  turn(screen, app, 3);
  CHECK(app.pruning.view().mask->network->updates == 7);
  CHECK(state_of(app)["widgets"].contains("prune:looking-back"));
  app.view.prune.sparsity = 0;
  app.view.prune.method = PruneMethod::magnitude;
  turn(screen, app, 3);
  app.prune_retrain(1);
  for (int k = 0; k < 200 && app.now->setup->serial == 1; ++k) turn(screen, app, 1);
  CHECK(by_rows(*app.now->setup->initial) == by_rows(*s->weights));
  CHECK_FALSE(app.now->looking_back);
}

TEST_CASE("measuring tells its progress, is cancelled, and the training goes on to the same bits") {
  const Spec spec = spec_of(tiny_json(R"("epochs":40,"batch":13,"optimizer":{"lr":0.01})"));
  auto alone = trainer_of(spec);
  const std::string last = hash_text(train_to_end(*alone));
  Spec slow = spec;  // many held-out trials: seconds
  slow.task.held_out = 60000;
  for (const bool another : {false, true}) {
    LiveOptions options;
    options.threads = 1;
    Live live(options);
    live.train(slow, nullptr, false);
    until(live, [](const Snapshot& v) { return v.setup != nullptr; });
    using Measurement = Live::Measurement;
    CHECK_FALSE(live.measuring(Measurement::states));
    live.study_states();
    CHECK(live.measuring(Measurement::states));
    CHECK_FALSE(live.measuring(Measurement::perturbation));
    until(live, [&](const Snapshot&) { return live.measuring(Measurement::states).value_or(1) > 0; });
    if (another)
      live.train(spec, nullptr, true);
    else
      live.cancel_measuring();
    until(live, [&](const Snapshot&) { return !live.measuring(Measurement::states); });
    CHECK_FALSE(live.snapshot()->states);
    Notice notice;
    CHECK_FALSE(live.take_notice(notice));
    if (!another) {
      live.study_states();  // asked for again: it is measured
      CHECK(until(live, [](const Snapshot& v) { return v.states != nullptr; })->states->trials == 60000);
      live.train(spec, nullptr, true);
    }
    CHECK(until(live, [](const Snapshot& v) {
            return v.phase == Phase::finished && v.setup->spec.task.held_out == 20;
          })->hash == last);
  }
}

TEST_CASE("the Build tab's spectrum is exactly that of the network that training starts from") {
  for (const bool own_thread : {true, false})
    for (const char* more :
         {"", R"(,"connectivity":{"probability":[[0.2,0.9],[0.5,0.1]],"self_connections":false,"storage":"sparse"})",
          R"(,"network":{"balanced":true,"readout":"all"},"seed":7)"}) {
      Spectra spectra(own_thread);
      const Spec spec = spec_of(tiny_json(three_epochs, more));
      const auto found = [&](const Spec& draft) {
        spectra.follow_draft(draft);
        for (int k = 0; k < 20000; ++k) {
          spectra.pump();
          if (const auto d = spectra.view().draft; d && same_start(d->of, draft)) return d;
          if (own_thread) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        FAIL("no spectrum came");
        return spectra.view().draft;
      };
      Spec other = spec;
      ++other.seed;
      spectra.follow_draft(other);  // the last one asked for is the one that comes
      const auto draft = found(spec);
      REQUIRE(draft->found);
      const auto trainer = trainer_of(spec);
      const Result<Spectrum> built = spectrum_of(synapses_of(trainer->initial().W_rec), trainer->model().populations);
      REQUIRE(built.ok());
      CHECK(draft->found->values == built->values);
      CHECK(draft->found->radius == built->radius);
      CHECK(spectra.changed());
    }
  Spectra spectra(false);
  Spec large = spec_of(tiny_json(three_epochs));
  large.populations[0].size = most_pumped_units;
  spectra.follow_draft(large);  // takes too long there
  spectra.pump();
  CHECK_FALSE(spectra.view().draft);

  NoScreen screen;
  App app(screen, without_thread());
  app.live.train(spec_of(tiny_json(three_epochs)), nullptr, false);
  app.view.tab = tab_build;
  turn(screen, app, 3);
  for (int k = 0; k < 2000 && !state_of(app)["widgets"].contains("build:spectrum"); ++k) {
    CHECK(state_of(app)["widgets"].contains("build:predicted"));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    app.spectra.pump();
    turn(screen, app, 1);
  }
  CHECK(state_of(app)["widgets"].contains("build:spectrum"));
}

TEST_CASE("weights saved for other programs are not taken for a recording") {
  NoScreen screen;
  App app(screen, without_thread());
  app.live.train(spec_of(tiny_json(three_epochs)), nullptr, false);
  turn(screen, app, 2);
  for (Download what : {Download::weights, Download::weights_mat, Download::weights_hdf5}) {
    screen.saved.clear();
    app.live.save(what);
    turn(screen, app, 2);
    REQUIRE(screen.saved.size() == 1);
    app.give_file(screen.saved[0]);
    turn(screen, app, 2);
    const json notices = state_of(app)["notices"];
    REQUIRE_FALSE(notices.empty());
    CHECK(notices.back()["text"].get<std::string>().find(screen.saved[0].name + " holds a network's weights") == 0);
    CHECK_FALSE(app.preview.file);
    CHECK(state_of(app)["tab"] == "Weights");
  }
}

TEST_CASE("keys act on the timeline that has the frame, wherever the pointer is") {
  NoScreen screen;
  App app(screen, without_thread());
  app.live.train(spec_of(tiny_json(three_epochs)), nullptr, true);
  until(app.live, [](const Snapshot& v) { return v.phase == Phase::finished; });
  turn(screen, app, 3);
  const json w = state_of(app)["widgets"]["timeline"];
  ImGuiIO& io = ImGui::GetIO();
  io.ConfigFlags |= ImGuiConfigFlags_NavEnableKeyboard;
  // A click on its end gives it the focus; the pointer then rests over its start.
  io.AddMousePosEvent(w["x"].get<float>() + w["w"].get<float>() - 1, w["y"].get<float>() + 7);
  turn(screen, app, 2);
  io.AddMouseButtonEvent(0, true);
  turn(screen, app, 2);
  io.AddMousePosEvent(w["x"].get<float>() + w["w"].get<float>() + 5, w["y"].get<float>() + 7);
  turn(screen, app, 2);
  io.AddMouseButtonEvent(0, false);
  turn(screen, app, 2);
  CHECK_FALSE(app.now->looking_back);
  io.AddMousePosEvent(w["x"].get<float>() + 1, w["y"].get<float>() + 7);
  turn(screen, app, 2);
  const auto press = [&](ImGuiKey key) {
    ImGui::GetCurrentContext()->NavDisableHighlight = false;  // keys are in use
    turn(screen, app, 1);
    for (bool down : {true, false}) {
      io.AddKeyEvent(key, down);
      turn(screen, app, 3);
    }
  };
  press(ImGuiKey_Space);  // one moment earlier, not where the pointer is
  CHECK(app.now->hash_updates == 14);
  press(ImGuiKey_Enter);
  CHECK(app.now->hash_updates == 13);
  CHECK(app.now->phase == Phase::finished);  // and nothing starts
}

TEST_CASE("ink on a colour is what is read better") {
  CHECK(ink_on(IM_COL32(255, 255, 255, 255)) == IM_COL32(20, 24, 31, 255));
  CHECK(ink_on(IM_COL32(0, 0, 0, 255)) == IM_COL32(255, 255, 255, 255));
  CHECK(ink_on(IM_COL32(178, 24, 43, 255)) == IM_COL32(255, 255, 255, 255));
  CHECK(ink_on(IM_COL32(247, 247, 247, 255)) == IM_COL32(20, 24, 31, 255));
}
