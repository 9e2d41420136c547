// The Prune tab's work (shell/app/pruning.h), the retraining under a mask in the watched training, and its frames.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/pruning.h"
#include "helpers.h"
#include "window_helpers.h"

using namespace dalea;
using namespace dalea::app;
using namespace dalea::testing;

namespace {

using nlohmann::json;

const std::string short_training = R"("epochs":4,"batch":13,"optimizer":{"lr":0.01})";

// Asks again and again, with a pause; fails after about twenty seconds.
void wait_for(const char* what, const std::function<bool()>& good) {
  for (int k = 0; k < 20000; ++k) {
    if (good()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  FAIL("did not come: " << what);
}

// As Live makes it, without one.
NetworkPtr copied(const Trainer& trainer) {
  auto copy = std::make_shared<NetworkCopy>();
  copy->network = 1;
  copy->updates = trainer.updates();
  copy->spec = trainer.spec();
  copy->model = trainer.model();
  copy->data = std::make_shared<Dataset>(trainer.data());
  copy->hash = hash_text(trainer.hash());
  return copy;
}

std::unique_ptr<Trainer> trained(const std::string& more = "") {
  auto trainer = trainer_of(spec_of(tiny_json(short_training, more)));
  train_to_end(*trainer);
  return trainer;
}

Sweep reference(const Trainer& trainer, const SweepOptions& options) {
  Workers workers(1);
  Result<Sweep> s = sweep(trainer.spec(), trainer.model(), trainer.data(), 0, options, best_isa(), workers);
  REQUIRE(s.ok());
  return *s;
}

void check_same(const Sweep& a, const Sweep& b) {
  CHECK(a.dense == b.dense);
  REQUIRE(a.points.size() == b.points.size());
  for (size_t k = 0; k < a.points.size(); ++k) {
    CHECK(a.points[k].method == b.points[k].method);
    CHECK(a.points[k].sparsity == b.points[k].sparsity);
    REQUIRE(a.points[k].draws.size() == b.points[k].draws.size());
    for (size_t d = 0; d < a.points[k].draws.size(); ++d) {
      const SweepDraw &x = a.points[k].draws[d], &y = b.points[k].draws[d];
      CHECK(x.density == y.density);
      CHECK(x.effective == y.effective);
      CHECK(x.held_out == y.held_out);
      CHECK(x.overlap == y.overlap);
      CHECK(x.random_overlap == y.random_overlap);
    }
  }
}

void finish_sweep(Pruning& pruning) {
  wait_for("the end of the sweep", [&] {
    pruning.pump(0.01);
    return !pruning.view().sweeping;
  });
}

}  // namespace

TEST_CASE("prune tab: a sweep in time steps ends on the bits of a sweep in one call") {
  auto trainer = trained();
  SweepOptions options;
  options.sparsities = {0.1, 0.6, 0.9};
  options.draws = 2;
  for (bool as_published : {false, true}) {
    options.as_published = as_published;
    const Sweep expected = reference(*trainer, options);
    for (bool whole : {false, true}) {
      Workers workers(whole ? 3 : 1);
      Result<std::unique_ptr<SweepSteps>> steps = SweepSteps::create(
          trainer->spec(), trainer->model(), trainer->data(), 0, options, whole ? best_isa() : Isa::scalar, workers);
      REQUIRE(steps.ok());
      CHECK((*steps)->all() == 3 * (2 + 1 + 2));
      int64_t pieces = 0;
      for (;;) {
        Result<bool> more = whole ? (*steps)->step() : (*steps)->advance();
        REQUIRE(more.ok());
        ++pieces;
        if (!*more) break;
      }
      CHECK((*steps)->done() == (*steps)->all());
      CHECK((*steps)->result().complete);
      // 20 held-out trials, 13 in a minibatch: two minibatches, or as published the last one; 7 time steps each.
      const int64_t batches = (1 + (*steps)->all()) * (as_published ? 1 : 2);
      CHECK(pieces >= (whole ? batches : 7 * batches));
      if (whole) CHECK(pieces == batches);
      check_same((*steps)->result(), expected);
      Result<bool> more = (*steps)->step();
      CHECK((more.ok() && !*more));  // nothing is left
    }
  }
}

TEST_CASE("prune tab: the sweep is the engine's, its files those of the command line's code") {
  auto trainer = trained();
  PruneSettings settings;
  settings.sweep_draws = 3;
  settings.exact_count = true;
  Pruning pruning(2);
  pruning.sweep(copied(*trainer), settings);
  CHECK(pruning.view().sweeping);
  finish_sweep(pruning);
  const PruneView view = pruning.view();
  CHECK(view.failure == "");
  REQUIRE(view.sweep);
  CHECK(view.sweep->sweep.complete);
  CHECK(view.done == view.all);
  CHECK(view.all == 15 * (3 + 1 + 3));
  SweepOptions options;
  options.draws = 3;
  options.draw = PruneDraw::exact_count;
  const Sweep expected = reference(*trainer, options);
  check_same(view.sweep->sweep, expected);
  CHECK(expected.dense == trainer->evaluate().held_out);

  const PruneStudy study = study_of(*view.sweep, "isa", 1);
  const std::string csv = prune_csv(study);
  CHECK(csv.rfind("session,run,seed,method,sparsity,draw,density,density_effective,held_out,overlap,overlap_random\n",
                  0) == 0);
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 1 + view.all);
  CHECK(csv.find("\n1,1,1,random,0,1,") != std::string::npos);
  CHECK(prune_figure(study));
}

TEST_CASE("prune tab: a sweep stops when asked, keeps what it has, and another one starts") {
  auto trainer = trained();
  const NetworkPtr network = copied(*trainer);
  PruneSettings settings;
  settings.sweep_draws = 20;
  Pruning pruning(1);
  pruning.sweep(network, settings);
  pruning.sweep(network, settings);  // while one works: nothing
  wait_for("some masks", [&] {
    pruning.pump(0.001);
    return pruning.view().done > 0;
  });
  pruning.stop();
  finish_sweep(pruning);
  const PruneView stopped = pruning.view();
  REQUIRE(stopped.sweep);
  CHECK(stopped.done <= stopped.all);
  CHECK(stopped.sweep->sweep.complete == (stopped.done == stopped.all));
  for (const SweepPoint& p : stopped.sweep->sweep.points) CHECK(!p.draws.empty());
  settings.sweep_draws = 1;
  pruning.sweep(network, settings);
  finish_sweep(pruning);
  CHECK(pruning.view().sweep->sweep.complete);
  CHECK(pruning.view().sweep->sweep.points.size() == 45);
  // Destroyed in the midst of one.
  settings.sweep_draws = 20;
  pruning.sweep(network, settings);
}

TEST_CASE("prune tab: the mask shown is prune_at's, its error that of the network trained on from it") {
  auto trainer = trained();
  const NetworkPtr network = copied(*trainer);
  const Weights& w = network->model.parameters.W_rec;
  Pruning pruning(1);
  for (PruneMethod method : {PruneMethod::random, PruneMethod::magnitude, PruneMethod::top_prob})
    for (int64_t number : {1, 3}) {
      PruneSettings settings;
      settings.method = method;
      settings.sparsity = 0.7;
      settings.mask_draw = number;
      pruning.show(network, settings);
      wait_for("the mask's error", [&] {
        pruning.pump(0.01);
        const PruneView v = pruning.view();
        return v.mask && v.mask->settings == settings && v.held_out && v.dense;
      });
      const PruneView view = pruning.view();
      const MaskView& m = *view.mask;
      SweepOptions options;
      options.methods = {method};
      options.sparsities = {0.7};
      Result<PruneResult> expected = prune_at(w, options, method, 0, number - 1, 1, 0);
      REQUIRE(expected.ok());
      CHECK(m.kept == expected->kept);
      CHECK(*view.dense == trainer->evaluate().held_out);

      // By hand: the tree's edges that are kept, and every weight in one bin.
      int64_t survived = 0;
      for (int64_t e : m.tree->entries) survived += m.kept[static_cast<size_t>(e)];
      CHECK(m.survived == survived);
      CHECK(m.tree->edges() <= 2 * 20 - 1);
      double all = 0, left = 0, nonzero = 0, kept_nonzero = 0;
      for (double c : m.bins.all) all += c;
      for (double c : m.bins.surviving) left += c;
      for (size_t e = 0; e < w.values.size(); ++e) {
        nonzero += w.values[e] != 0 ? 1 : 0;
        kept_nonzero += w.values[e] != 0 && m.kept[e] ? 1 : 0;
      }
      CHECK(all == nonzero);
      CHECK(left == kept_nonzero);
      CHECK(m.at_least.has_value() == (method == PruneMethod::top_prob));

      // The network that would be trained on: same error, same mask.
      Result<PrunedPtr> start = pruned_start(settings, *network, 2);
      REQUIRE(start.ok());
      CHECK((*start)->spec.training.epochs == 2);
      CHECK((*start)->before.training.epochs == 4);
      TrainerOptions goes_on;
      goes_on.mask = (*start)->mask;
      goes_on.start = (*start)->start;
      auto next = trainer_of((*start)->spec, goes_on);
      CHECK(next->evaluate().held_out == *view.held_out);
      CHECK(next->mask()->count() == m.density.kept);
    }
}

TEST_CASE("prune tab: per block every pair of populations keeps its part of its own density") {
  const std::string table = R"(,"connectivity":{"probability":[[0.5,0.8],[0.25,0]],"storage":"sparse"})";
  auto trainer = trained(table);
  const NetworkPtr network = copied(*trainer);
  PruneSettings settings;
  settings.method = PruneMethod::magnitude;
  settings.blocks = true;
  settings.sparsity = 0.5;
  Result<SweepOptions> options = mask_options(settings, *network);
  REQUIRE(options.ok());
  REQUIRE(options->blocks.size() == 4);
  CHECK(options->blocks[0].sparsity == 1 - 0.25);
  CHECK(options->blocks[1].sparsity == 1 - 0.4);
  CHECK(options->blocks[2].sparsity == 1 - 0.125);
  CHECK(options->blocks[3].sparsity == 1);
  Pruning pruning(1);
  pruning.show(network, settings);
  wait_for("the mask", [&] {
    pruning.pump(0.01);
    return pruning.view().mask != nullptr;
  });
  const MaskView& m = *pruning.view().mask;
  int64_t kept[2][2] = {};
  for (int64_t j = 0; j < 20; ++j)
    for (int64_t i = 0; i < 20; ++i) kept[i >= 16][j >= 16] += m.kept[static_cast<size_t>(j * 20 + i)];
  CHECK(kept[0][0] == 64);  // of 256
  CHECK(kept[1][0] == 8);   // of 64
  CHECK(kept[1][1] == 0);
  CHECK(kept[0][1] <= 26);  // of 64, as many as there are
  pruning.sweep(network, settings);
  finish_sweep(pruning);
  CHECK(pruning.view().sweep->sweep.points.size() == 3);
  CHECK(!prune_figure(study_of(*pruning.view().sweep, "", 1)));
  // By the rules: what motifs make adds up, and falls with the mean over distances.
  auto ruled = trained(R"(,"connectivity":{"motifs":["E -> I: 0.4","I -> E: 0.2"],"storage":"dense"})");
  options = mask_options(settings, *copied(*ruled));
  REQUIRE(options.ok());
  CHECK(options->blocks[0].sparsity == 1);
  CHECK(options->blocks[1].sparsity == doctest::Approx(0.9));
  CHECK(options->blocks[2].sparsity == doctest::Approx(0.8));
  // A network without any.
  auto plain = trained();
  pruning.show(copied(*plain), settings);
  wait_for("the refusal", [&] {
    pruning.pump(0.01);
    return pruning.view().failure.find("connectivity.probability") != std::string::npos;
  });
}

TEST_CASE("prune tab: retraining in the window ends on the bits of dalea prune --retrain, and its session goes on") {
  // What the command does: the trained session, one mask, another trainer (cli/prune.cpp).
  auto whole = trained();
  SweepOptions options;
  options.methods = {PruneMethod::top_prob};
  options.sparsities = {0.6};
  const Weights& w = whole->model().parameters.W_rec;
  Result<PruneResult> pruned = prune_at(w, options, PruneMethod::top_prob, 0, 0, 1, 0);
  REQUIRE(pruned.ok());
  Spec spec = whole->spec();
  spec.training.epochs = 3;
  TrainerOptions masked;
  masked.mask = pruned->pattern();
  masked.start = whole->model().parameters;
  masked.start->W_rec = pruned->weights;
  const std::string expected = hash_text(train_to_end(*trainer_of(spec, masked)));

  NoScreen screen;
  App app(screen, without_thread());
  double time = 0;
  const auto turn = [&] {
    app.live.pump(0.001);
    screen.frame(app);
    app.wants_frame(time += 0.02);
  };
  app.live.train(whole->spec(), nullptr, true);
  wait_for("the end of the training", [&] {
    turn();
    return app.now->phase == Phase::finished;
  });
  const uint64_t serial = app.now->setup->serial;
  const std::string link = app.now->setup->link;
  app.prune_set(R"({"method":"top-prob","sparsity":0.6})");
  app.prune_retrain(3);
  wait_for("the retraining", [&] {
    turn();
    return app.now->setup->serial != serial && app.now->phase == Phase::finished;
  });
  CHECK(app.now->hash == expected);
  CHECK(app.now->history->size() == 3);
  CHECK(app.now->audit.mask == 0);
  CHECK(app.now->audit.sign == 0);
  CHECK(app.now->setup->own_mask);
  CHECK(app.now->setup->link == link);  // the whole network's: no link holds a mask
  CHECK(app.now->weights->pattern->count() == masked.mask->count());

  // Restart returns to the pruned start, not to the whole network.
  app.live.restart();
  wait_for("the restart", [&] {
    turn();
    return app.now->setup->serial == serial + 2 && app.now->phase == Phase::finished;
  });
  CHECK(app.now->hash == expected);

  // Its session opens elsewhere with its mask, in the middle of the training too.
  app.live.restart();
  app.live.pause();
  for (int k = 0; k < 3; ++k) app.live.step();
  app.live.pump(0);
  wait_for("three updates", [&] {
    turn();
    if (app.now->updates < 3 && app.now->phase == Phase::paused) app.live.step();
    return app.now->updates >= 3 && app.now->phase == Phase::paused;
  });
  app.live.save(Download::session);
  app.live.pump(0);
  NamedFile session;
  REQUIRE(app.live.take_file(session));
  Live other(without_thread());
  other.open_session(std::make_shared<NamedFile>(session), nullptr);
  other.play();
  wait_for("the end elsewhere", [&] {
    other.pump(0.01);
    return other.snapshot()->phase == Phase::finished;
  });
  CHECK(other.snapshot()->hash == expected);
  CHECK(other.snapshot()->setup->own_mask);

  // A new seed is a whole network again, trained as long as before.
  app.live.new_seed();
  wait_for("the new seed", [&] {
    turn();
    return app.now->setup->spec.seed == 2;
  });
  CHECK_FALSE(app.now->setup->own_mask);
  CHECK(app.now->setup->spec.training.epochs == 4);
}

TEST_CASE("prune tab: a pruned start of a network that is gone is refused") {
  auto trainer = trained();
  Live live(without_thread());
  live.train(trainer->spec(), nullptr, false);
  live.pump(0);
  live.copy_network(7);
  live.pump(0);
  NetworkPtr network;
  REQUIRE(live.take_network(network));
  CHECK(network->request == 7);
  CHECK(network->data->held_out.count == 20);
  CHECK(network->data->train.count == 0);
  CHECK_FALSE(live.take_network(network));
  Result<PrunedPtr> start = pruned_start(PruneSettings(), *network, 1);
  REQUIRE(start.ok());
  live.restart();
  live.retrain(*start, true);
  live.pump(0);
  Notice notice;
  REQUIRE(live.take_notice(notice));
  CHECK(notice.error);
  CHECK_FALSE(live.snapshot()->setup->own_mask);
  CHECK_FALSE(pruned_start(PruneSettings(), *network, 0).ok());
}

TEST_CASE("prune tab: settings from scripts are checked whole") {
  PruneSettings s;
  CHECK(change_settings(s, R"({"method":"random","sparsity":0.9,"mask":4,"draws":20,"exact_count":true})").ok());
  CHECK(s.method == PruneMethod::random);
  CHECK(s.sparsity == 0.9);
  CHECK(s.mask_draw == 4);
  CHECK(s.sweep_draws == 20);
  CHECK(s.exact_count);
  const PruneSettings before = s;
  for (const char* wrong :
       {"", "[]", "{", R"({"method":"best"})", R"({"method":1})", R"({"sparsity":-0.1})", R"({"sparsity":"x"})",
        R"({"sparsity":1.01})", R"({"mask":0})", R"({"mask":1.5})", R"({"draws":21})",
        R"({"draws":18446744073709551615})", R"({"blocks":1})", R"({"sparcity":0.5})", R"({"as_published":true})",
        R"({"sparsity":0.1,"exact_count":false,"as_published":true,"diagonal":false})"}) {
    const Status status = change_settings(s, wrong);
    CHECK_MESSAGE(!status, std::string(wrong));
    if (!status) CHECK(status.error().text().rfind("prune", 0) == 0);
    CHECK(s == before);
  }
  CHECK(change_settings(s, R"({"as_published":true,"exact_count":false})").ok());
}

TEST_CASE("prune tab: draws at every size and theme, tells scripts what it shows, saves its files") {
  NoScreen screen;
  App app(screen, without_thread());
  double time = 0;
  const auto turn = [&](float w = 1280, float h = 720) {
    app.live.pump(0.001);
    screen.frame(app, w, h);
    app.wants_frame(time += 0.02);
  };
  app.prune_save(false);  // nothing yet: said
  app.prune_sweep();
  turn();
  CHECK(json::parse(app.state_json(1))["notices"].size() == 2);
  app.live.train(spec_of(tiny_json(short_training)), nullptr, true);
  app.view.tab = tab_prune;
  wait_for("the mask's error", [&] {
    turn();
    const json state = json::parse(app.state_json(1));
    return state["phase"] == "finished" && !state["prune"]["mask"].is_null() &&
           state["prune"]["mask"]["hash"] == state["hash"] && !state["prune"]["mask"]["held_out"].is_null();
  });
  app.prune_set(R"({"sparsity":2})");
  CHECK(json::parse(app.state_json(1))["notices"].back()["error"] == true);
  CHECK(json::parse(app.state_json(1))["prune"]["settings"]["sparsity"] == 0.5);
  app.prune_set(R"({"draws":2})");
  app.prune_sweep();
  wait_for("the sweep", [&] {
    turn();
    const json prune = json::parse(app.state_json(1))["prune"];
    return prune["sweeping"] == false && !prune["sweep"].is_null() && prune["sweep"]["complete"] == true;
  });
  CHECK(json::parse(app.state_json(1))["prune"]["sweep"]["points"].size() == 45);
  app.prune_save(false);
  app.prune_save(true);
  REQUIRE(screen.saved.size() == 2);
  CHECK(screen.saved[0].name == "dalea-prune.csv");
  CHECK(screen.saved[1].name == "dalea-prune.svg");
  const std::string svg(reinterpret_cast<const char*>(screen.saved[1].bytes.data()), screen.saved[1].bytes.size());
  CHECK(svg.find("expected at random") != std::string::npos);
  for (Theme theme : {Theme::light, Theme::dark})
    for (auto [w, h] : {std::pair{1280.f, 720.f}, {1920.f, 1080.f}, {390.f, 844.f}, {200.f, 120.f}}) {
      app.theme = theme;
      for (const char* settings : {R"({"method":"random","sparsity":0})", R"({"method":"magnitude","sparsity":1})",
                                   R"({"method":"top-prob","as_published":true})", R"({"as_published":false})"}) {
        app.prune_set(settings);
        for (int k = 0; k < 3; ++k) turn(w, h);
      }
    }
  for (int k = 0; k < 3; ++k) turn();
  const json state = json::parse(app.state_json(1));
  for (const char* name : {"prune:random", "prune:sparsity", "prune:mask", "prune:sweep", "prune:draws", "prune:csv",
                           "prune:figure", "prune:retrain", "prune:epochs", "prune:matrix", "prune-tab:Error"})
    CHECK_MESSAGE(state["widgets"].contains(name), std::string(name));
  CHECK_FALSE(state["widgets"].contains("prune-tab:Accuracy"));  // no classes

  // The wheel enters the matrix at the pointer, dragging moves, a double click shows all.
  const json m = state["widgets"]["prune:matrix"];
  ImGuiIO& io = ImGui::GetIO();
  const auto point = [&](float fx, float fy) {
    io.AddMousePosEvent(m["x"].get<float>() + fx * m["w"].get<float>(), m["y"].get<float>() + fy * m["h"].get<float>());
    for (int k = 0; k < 2; ++k) turn();
  };
  const MatrixPart& part = app.view.prune_part;
  CHECK(part.span == 0);
  point(0.75f, 0.25f);
  io.AddMouseWheelEvent(0, 3);
  for (int k = 0; k < 3; ++k) turn();
  CHECK(part.span == doctest::Approx(20 * std::pow(0.85, 3)).epsilon(1e-3));
  CHECK(part.x + 0.75 * part.span == doctest::Approx(15).epsilon(0.01));
  CHECK(part.y + 0.25 * part.span == doctest::Approx(5).epsilon(0.01));
  const double before = part.x;
  io.AddMouseButtonEvent(0, true);
  turn();
  point(2.5f, 0.25f);  // far to the right: the left edge is the end
  CHECK(part.x == 0);
  CHECK(before > 0);
  io.AddMouseButtonEvent(0, false);
  turn();
  point(0.5f, 0.5f);
  io.AddMouseWheelEvent(0, -50);
  for (int k = 0; k < 3; ++k) turn();
  CHECK(part.span == 0);
}
