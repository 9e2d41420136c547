// The window's weights kept for another task, its latent vectors, its Co-activation tab.
#include <cstring>

#include "live_helpers.h"
#include "tasks/latent.h"
#include "window_helpers.h"

using namespace dalea;
using namespace dalea::app;
using namespace dalea::testing;

namespace {

const std::string n_back =
    R"({"dalea":1,"name":"n-back","populations":[{"name":"E","size":16,"sign":"+"},{"name":"I","size":4,"sign":"-"}],)"
    R"("task":{"type":"n-back","length":4,"train":64,"validation":16,"held_out":32},)"
    R"("training":{"epochs":2,"batch":16}})";
const std::string n_back_latent =
    R"({"dalea":1,"name":"vectors","populations":[{"name":"E","size":16,"sign":"+"},{"name":"I","size":4,"sign":"-"}],)"
    R"("task":{"type":"n-back-latent","length":4,"train":64,"validation":16,"held_out":32},)"
    R"("training":{"epochs":2,"batch":16}})";

bool is_done(const Snapshot& s) {
  return s.phase == Phase::finished;
}

std::string vectors_csv(int shift) {
  std::string csv;
  for (int k = 0; k < 40; ++k)
    csv += std::to_string(k) + "," + std::to_string(k * k % 17 + shift) + "," + std::to_string(k % 5) + ",c" +
           std::to_string(k % 4) + "\n";
  return csv;
}

std::string notices(Live& live) {
  std::string all;
  for (Notice n; live.take_notice(n);) all += n.text + "\n";
  return all;
}

FilePtr file_of(const std::string& name, const std::string& text) {
  return std::make_shared<NamedFile>(text_file(name, text));
}

}  // namespace

TEST_CASE("app transfer: the next experiment starts from the kept weights, until they are let go") {
  Live live(without_thread());
  live.train(spec_of(tiny_json(three_epochs)), nullptr, true);
  const auto first = until(live, is_done);
  live.carry(true, false);
  const auto kept = until(live, [](const Snapshot& s) { return s.carried != nullptr; });
  CHECK(kept->carried->origin.hash == first->hash);
  live.train(spec_of(n_back), nullptr, false);
  auto s = until(live, [](const Snapshot& s) { return s.setup && s.setup->spec.task.type == "n-back"; });
  REQUIRE(s->setup->origin);
  CHECK(s->setup->origin->hash == first->hash);
  CHECK(s->setup->initial->values == first->weights->values);
  live.play();
  const std::string hash = until(live, is_done)->hash;
  // Again from the same start, also when they have been let go for others.
  live.carry(false, false);
  live.restart();
  s = until(live, [&](const Snapshot& s) { return s.setup->serial == 3 && is_done(s); });
  CHECK(s->hash == hash);
  CHECK(s->carried == nullptr);
  live.save(Download::session);
  NamedFile file;
  for (int k = 0; k < 1000 && !live.take_file(file); ++k) live.pump(0.001);
  live.train(spec_of(n_back), nullptr, true);
  s = until(live, [&](const Snapshot& s) { return s.setup->serial == 4 && is_done(s); });
  CHECK(s->hash != hash);
  CHECK(!s->setup->origin);
  // The session says where it came from, and that a new start is its own.
  live.open_session(std::make_shared<NamedFile>(file), nullptr);
  s = until(live, [&](const Snapshot& s) { return s.setup->serial == 5; });
  REQUIRE(s->setup->origin);
  CHECK(s->hash == hash);
  CHECK(s->setup->initial->values == first->weights->values);
  (void)notices(live);
  live.restart();
  s = until(live, [&](const Snapshot& s) { return s.setup->serial == 6; });
  CHECK(!s->setup->origin);
  CHECK(notices(live).find("are not here") != std::string::npos);
}

TEST_CASE("app transfer: an experiment that kept weights do not fit starts from its own, and says so") {
  Live live(without_thread());
  live.train(spec_of(tiny_json(three_epochs)), nullptr, true);
  until(live, is_done);
  live.carry(true, true);
  Spec other = spec_of(n_back);
  other.populations[0].size = 8;
  live.train(other, nullptr, true);
  std::string said;
  auto s = until(live, [&](const Snapshot& now) { return now.setup->serial == 2; });
  said = notices(live);
  CHECK(said.find("12 units") != std::string::npos);
  CHECK(said.find("own weights") != std::string::npos);
  CHECK(!s->setup->origin);
  CHECK(s->carried != nullptr);
  live.train(spec_of(n_back), nullptr, true);  // two channels against one
  s = until(live, [&](const Snapshot& now) { return now.setup->serial == 3; });
  CHECK(notices(live).find("input channels") != std::string::npos);
  CHECK(!s->setup->origin);
  CHECK(s->carried != nullptr);
}

TEST_CASE("app transfer: an experiment on vectors waits for their file, and a session for the very same") {
  Live live(without_thread());
  live.train(spec_of(n_back_latent), nullptr, true);
  auto s = until(live, [](const Snapshot& s) { return s.wants_vectors; });
  CHECK(s->phase == Phase::needs_vectors);
  CHECK(s->waiting_for.empty());
  CHECK(notices(live).find("drop their file") != std::string::npos);
  live.give_vectors(file_of("bad.csv", "1,2\n"), spec_of(n_back));
  until(live, [&](const Snapshot&) { return notices(live).find("1 class") != std::string::npos; });
  live.give_vectors(file_of("v.csv", vectors_csv(0)), spec_of(n_back));
  s = until(live, is_done);
  CHECK(s->setup->source_latents->dimension == 3);
  CHECK(s->setup->spec.task.sha256 == s->setup->source_latents->sha256);
  CHECK(s->setup->channel_names.size() == 4);
  CHECK(notices(live).find("40 vectors of 3 numbers in 4 classes") != std::string::npos);
  const std::string hash = s->hash, link = s->setup->link;
  live.save(Download::session);
  NamedFile file;
  for (int k = 0; k < 1000 && !live.take_file(file); ++k) live.pump(0.001);
  live.restart();
  CHECK(until(live, [](const Snapshot& s) { return s.setup->serial == 2 && is_done(s); })->hash == hash);

  const Result<std::string> json = decode_link(link);
  REQUIRE(json.ok());
  for (const bool session : {false, true}) {
    Live other(without_thread());
    if (session)
      other.open_session(std::make_shared<NamedFile>(file), nullptr);
    else
      other.train(spec_of(*json), nullptr, true);
    s = until(other, [](const Snapshot& s) { return s.wants_vectors; });
    CHECK(s->waiting_for == sha256_hex(to_bytes(vectors_csv(0))));
    if (session) {  // others will not do
      other.give_vectors(file_of("w.csv", vectors_csv(1)), Spec());
      for (int k = 0; k < 20; ++k) other.pump(0.001);
      CHECK(other.snapshot()->wants_vectors);
    }
    other.give_recording(file_of("v.csv", vectors_csv(0)));
    s = until(other, [&](const Snapshot& s) { return s.setup && is_done(s); });
    CHECK(s->hash == hash);
  }
}

TEST_CASE("app transfer: a file dropped while the task is n-back-latent is its vectors; the tab of co-activation") {
  NoScreen screen;
  App app(screen, without_thread());
  app.live.train(spec_of(tiny_json(three_epochs)), nullptr, true);
  until(app.live, is_done);
  screen.frame(app);
  app.draft = spec_of(n_back_latent);
  app.draft_edited();
  CHECK(app.problems.empty());
  app.give_file(text_file("v.csv", vectors_csv(0)));
  until(app.live, [](const Snapshot& s) { return s.setup->spec.task.type == "n-back-latent" && is_done(s); });
  app.view.tab_name = "Together";
  screen.frame(app);
  screen.frame(app);
  app.live.study_coactivation();
  const auto s = until(app.live, [](const Snapshot& s) { return s.coactivation != nullptr; });
  CHECK(s->coactivation->units == 20);
  CHECK(s->coactivation_updates == s->updates);
  for (int k = 0; k < 3; ++k) screen.frame(app);
  const std::string state = app.state_json(1);
  CHECK(state.find("\"coactivation\":{\"connected\"") != std::string::npos);
  CHECK(state.find("coactivation:csv") != std::string::npos);
  CHECK(state.find("coactivation:numbers") != std::string::npos);
  CHECK(state.find("\"carry\"") != std::string::npos);
  app.live.carry(true, false);
  until(app.live, [](const Snapshot& s) { return s.carried != nullptr; });
  screen.frame(app);
  screen.frame(app);
  CHECK(app.state_json(1).find("carry:remove") != std::string::npos);
  // An experiment and its file, opened together.
  app.live.carry(false, false);
  app.open_text(tiny_json(three_epochs));
  until(app.live, [](const Snapshot& s) { return s.setup->spec.task.type == "flip-flop"; });
  screen.frame(app);
  app.open_text(n_back_latent);
  app.give_file(text_file("w.csv", vectors_csv(1)));
  until(app.live, [](const Snapshot& s) {
    return s.setup->source_latents && s.setup->source_latents->source == "w.csv" && is_done(s);
  });
}
