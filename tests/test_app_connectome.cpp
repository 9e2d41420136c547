// Connectomes in the window: files and their parts, settings against the measured one, pictures, scaling beside the
// window, and the measured wiring beside null models.
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "app/connectome_state.h"
#include "common/connectome_files.h"
#include "connectome/null_models.h"
#include "live_helpers.h"
#include "window_helpers.h"

using namespace dalea;
using namespace dalea::app;
using dalea::testing::NoScreen;

namespace {

const char* const three = "n,A,B,C\nA,0,1,2\nB,0,0,3\nC,4,0,0\n";

FilePtr file_of(const std::string& name, const std::string& text) {
  return std::make_shared<NamedFile>(text_file(name, text));
}

Spec small_connectome(const std::string& more) {
  return testing::spec_of(testing::tiny_json(
      R"("epochs":2,"batch":20)",
      R"(,"connectome":{"source":"synthetic","synthetic_regions":6,"neurons":4,"inhibitory":0.25)" + more + "}"));
}

Spec attached(const std::string& more) {
  Spec spec = small_connectome(more);
  const Status ok = attach_own_connectome(spec);
  REQUIRE_MESSAGE(ok.ok(), (ok.ok() ? "" : ok.error().text()));
  return spec;
}

JobView finished(const std::string& group, int64_t run, double loss) {
  JobView j;
  j.job.group = group;
  j.job.run = run;
  j.state = JobState::finished;
  EpochRecord r;
  r.epoch = 1;
  r.held_out = loss;
  j.history = std::make_shared<const std::vector<EpochRecord>>(std::vector<EpochRecord>{r});
  return j;
}

}  // namespace

TEST_CASE("connectome: a file that is given becomes the network, and is turned round by the settings") {
  LiveOptions options;
  options.own_thread = false;
  Live live(options);
  Spec spec = testing::spec_of(
      testing::tiny_json(R"("epochs":1,"batch":20)", R"(,"connectome":{"neurons":2,"target_sparsity":1})"));
  live.give_connectome(file_of("m.csv", three), spec);
  auto s = testing::until(live, [](const Snapshot& now) { return now.setup != nullptr; });
  REQUIRE(s->setup->spec.measured);
  REQUIRE(s->setup->populations.size() == 3);
  CHECK(s->setup->populations[0].name == "A");
  CHECK(s->setup->spec.connectome.source == "file");
  CHECK(s->setup->spec.connectome.file.empty());
  CHECK(s->setup->initial->exists(2, 0));        // from A to B
  CHECK_FALSE(s->setup->initial->exists(0, 2));  // not from B to A
  Notice notice;
  REQUIRE(live.take_notice(notice));
  CHECK_FALSE(notice.error);
  CHECK(notice.text.find("3 nodes, 4 links") != std::string::npos);

  const uint64_t before = s->setup->serial;
  Spec turned = s->setup->spec;
  turned.connectome.orientation = "column-to-row";
  live.train(turned, nullptr, false);
  s = testing::until(live, [&](const Snapshot& now) { return now.setup->serial != before; });
  CHECK(s->setup->initial->exists(0, 2));
  CHECK_FALSE(s->setup->initial->exists(2, 0));

  live.give_connectome(std::make_shared<NamedFile>(text_file("m.csv", "0,1\n2,NaN\n")), spec);
  testing::until(live, [&](const Snapshot&) { return live.take_notice(notice); });
  CHECK(notice.error);
  CHECK(live.snapshot()->setup->spec.measured->nodes == 3);  // as it was
}

TEST_CASE("connectome: names, signs and densities are told from the matrix, and go with it") {
  const auto part = [](const char* name, const std::string& text) { return connectome_part(*file_of(name, text)); };
  CHECK(part("m.csv", three) == ConnectomePart::matrix);
  CHECK(part("Macaque.names.txt", "V1\nV2\n") == ConnectomePart::names);
  CHECK(part("Macaque.names.csv", "name,x,y\nV1,0.5,2\nV2,1,1\n") == ConnectomePart::names);
  CHECK(part("positions.csv", "area;x_mm;y_mm\nV1;0,5;2\n") == ConnectomePart::names);
  CHECK(part("table.csv", "name,x,y\nV1,0.5,2\nV2,1,1\n") != ConnectomePart::names);  // cells of a recording may be so
  CHECK(part("signs.csv", "name,sign\nA,+\n") == ConnectomePart::signs);
  CHECK(part("nt.csv", "neuron,transmitter\nA,GABA\n") == ConnectomePart::signs);  // by its header
  CHECK(part("ND_Macaque.csv", "1\n2\n") == ConnectomePart::densities);
  CHECK(part("density.csv", "name,density\nA,3\n") == ConnectomePart::densities);
  CHECK(part("cells.csv", "unit,sign\nA,+\n") == ConnectomePart::none);  // of a recording
  CHECK(part("density.csv", "t,a,b,c\n0,1,2,3\n1,2,3,4\n2,3,4,5\n3,4,5,6\n4,5,6,7\n") == ConnectomePart::none);
  CHECK(part("signs.csv", "") == ConnectomePart::none);
  CHECK_FALSE(connectome_parts({file_of("m.csv", three), file_of("n.csv", three)}));
  CHECK_FALSE(connectome_parts({file_of("m.csv", three), file_of("r.csv", "t,a,b,c\n0,1,2,3\n1,2,3,4\n")}));

  LiveOptions options;
  options.own_thread = false;
  Live live(options);
  Spec spec = testing::spec_of(
      testing::tiny_json(R"("epochs":1,"batch":20)", R"(,"connectome":{"neurons":2,"target_sparsity":1})"));
  const auto given =
      connectome_parts({file_of("density.csv", "0.7\n1.4\n2.6\n"), file_of("m.csv", "0,1,2\n0,0,3\n4,0,0\n"),
                        file_of("x.names.txt", "V1\nV2\nMT\n"), file_of("signs.csv", "name,sign\nV1,+\nV2,-\nMT,+\n")});
  REQUIRE(given);
  live.give_connectome(*given, spec);
  auto s = testing::until(live, [](const Snapshot& now) { return now.setup != nullptr; });
  CHECK(s->setup->populations[2].name == "MT");
  CHECK(s->setup->populations[1].sign == Sign::inhibitory);
  CHECK(s->setup->spec.units() == 6);  // fractions of densities are no numbers of neurons: all alike
  CHECK(s->setup->spec.measured->density.empty());
  CHECK(s->setup->densities == std::vector<double>{0.7, 1.4, 2.6});

  // The settings find them again.
  FittedConnectome fitted;
  ConnectomeSpec wanted = s->setup->spec.connectome;
  CHECK(fitted.get(*s->setup, wanted) == s->setup->spec.measured);
  wanted.density_scaling = "ratio";
  wanted.orientation = "column-to-row";
  const auto changed = fitted.get(*s->setup, wanted);
  CHECK(changed->density == s->setup->densities);
  CHECK(changed->at(1, 0) == 1);
  CHECK(changed->at(0, 1) == 0);
  CHECK(fitted.get(*s->setup, wanted) == changed);  // made once
  Spec draft = s->setup->spec;
  draft.connectome = wanted;
  REQUIRE(attach_connectome(draft, changed).ok());
  CHECK(draft.units() == 2 + 4 + 7);
  live.train(draft, nullptr, false);
  s = testing::until(live, [&](const Snapshot& now) { return now.setup->spec.units() == 13; });
  CHECK(s->setup->initial->exists(0, 2));  // from V2 to V1 now
  // A part alone replaces that part, and one that does not fit leaves everything as it was.
  live.give_connectome(ConnectomeParts{nullptr, nullptr, file_of("s.csv", "name,sign\nV1,-\n"), nullptr},
                       s->setup->spec);
  s = testing::until(live, [&](const Snapshot& now) { return now.setup->populations[0].sign == Sign::inhibitory; });
  CHECK(s->setup->populations[2].name == "MT");
  CHECK(s->setup->densities.size() == 3);
  const uint64_t serial = s->setup->serial;
  Notice notice;
  while (live.take_notice(notice)) continue;
  live.give_connectome(ConnectomeParts{nullptr, file_of("n.txt", "X\nY\n"), nullptr, nullptr}, s->setup->spec);
  testing::until(live, [&](const Snapshot&) { return live.take_notice(notice); });
  CHECK(notice.error);
  CHECK(notice.text.find("lists 2 names") != std::string::npos);
  CHECK(live.snapshot()->setup->serial == serial);
}

TEST_CASE("connectome: progress changes nothing, and a stop is an error") {
  const Spec spec = attached(R"(,"null_model":"rewired","target_sparsity":0.5)");
  const auto plain = scale_connectome(spec, 0);
  std::vector<double> parts;
  const auto heard = scale_connectome(spec, 0, [&](double part) {
    parts.push_back(part);
    return true;
  });
  REQUIRE(plain);
  REQUIRE(heard);
  CHECK(plain->target == heard->target);
  CHECK(plain->weight == heard->weight);
  REQUIRE(parts.size() > 2);
  for (size_t k = 1; k < parts.size(); ++k) CHECK(parts[k] >= parts[k - 1]);
  CHECK(parts.back() <= 1);
  const auto stopped = scale_connectome(spec, 0, [](double part) { return part < 0.1; });
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().message.find("cancelled") != std::string::npos);
  ScaledConnectome s = *plain;
  Rng rng(1, Purpose::null_model, 1, 0);
  const auto none = [](double) { return false; };
  CHECK_FALSE(rewire(s, rng, none));
  CHECK_FALSE(permute_entries(s, rng, none));
  CHECK_FALSE(keep_distances(s, rng, none));
  CHECK_FALSE(keep_density(s, rng, none));
  CHECK(s.target == plain->target);

  // A mask that was found before gives the same network.
  TrainerOptions known;
  known.known = *connectome_pattern(spec, 0);
  CHECK(testing::train_to_end(*testing::trainer_of(spec)) == testing::train_to_end(*testing::trainer_of(spec, known)));
}

TEST_CASE("connectome: pictures are of its links") {
  const Connectome c = *attached("").measured;
  const std::vector<RegionLink> links = links_by_weight(c);
  CHECK(static_cast<int64_t>(links.size()) == c.links() - c.self_links);
  for (size_t k = 1; k < links.size(); ++k) CHECK(links[k].weight <= links[k - 1].weight);
  CHECK(links.front().weight == c.at(links.front().from, links.front().to));
  CHECK(count_strongest(0, 0.5) == 0);
  CHECK(count_strongest(10, 0.001) == 1);
  CHECK(count_strongest(10, 0.25) == 3);
  CHECK(count_strongest(10, 1) == 10);
  const double some[] = {0, 0.01, 1, 0.1};
  const LogScale scale = log_scale(some);
  CHECK(scale.least == 0.01);
  CHECK(scale.at(0.01) == 0);
  CHECK(scale.at(0.1) == doctest::Approx(0.5));
  CHECK(scale.at(1) == 1);
  CHECK(scale.at(0) == 0);
  CHECK(LogScale{2, 2}.at(2) == 1);

  const auto circle = region_places(c, ConnectomePicture::circle);
  CHECK(circle[0].x == doctest::Approx(0.5));
  CHECK(circle[0].y == doctest::Approx(0));
  CHECK(circle[1].x > 0.5);  // clockwise
  const auto space = region_places(c, ConnectomePicture::space);
  const double ratio = (space[1].x - space[0].x) / (c.x[1] - c.x[0]);
  CHECK((space[2].y - space[0].y) / (c.y[2] - c.y[0]) == doctest::Approx(-ratio));  // one scale, upwards
  const LinkCurve there = link_curve(circle[1], circle[3], true), back = link_curve(circle[3], circle[1], true);
  CHECK(there.front().x == doctest::Approx(circle[1].x));
  CHECK(there.back().y == doctest::Approx(circle[3].y));
  CHECK(std::hypot(there[7].x - back[6].x, there[7].y - back[6].y) > 0.01);  // both are seen

  ConnectomeDrawing o;
  o.which = ConnectomePicture::circle;
  o.share = 0.5;
  const auto drawn = connectome_drawing(c, o);
  REQUIRE(drawn);
  int64_t arrows = 0, regions = 0;
  for (const plot::Primitive& item : drawn->items) {
    arrows += std::holds_alternative<plot::Polygon>(item);
    regions += std::holds_alternative<plot::Mark>(item);
  }
  CHECK(arrows == static_cast<int64_t>(count_strongest(links.size(), 0.5)));
  CHECK(regions == c.nodes);
  for (const plot::Primitive& item : drawn->items)
    if (const auto* text = std::get_if<plot::Text>(&item)) {
      CHECK(text->at.x >= 0);
      CHECK(text->at.x <= drawn->width);
      CHECK(text->at.y <= drawn->height);
    }
  o.which = ConnectomePicture::matrix;
  const auto matrix = connectome_drawing(c, o);
  REQUIRE(matrix);
  int64_t filled = 0;
  for (const plot::Primitive& item : matrix->items)
    if (const auto* cells = std::get_if<plot::Cells>(&item))
      for (const Color& color : cells->colors) filled += color.r != 255;
  CHECK(filled == c.links());
  CHECK(plot::to_svg(*matrix).find("A6") != std::string::npos);
  Connectome lost = c;
  lost.x.clear();
  lost.y.clear();
  o.which = ConnectomePicture::space;
  CHECK(connectome_drawing(c, o).ok());
  CHECK_FALSE(connectome_drawing(lost, o).ok());
  const std::string csv = connectome_csv(c);
  CHECK(std::count(csv.begin(), csv.end(), '\n') == c.links() + 1);
}

TEST_CASE("connectome: names in space cover neither dots nor each other, and the strongest have theirs") {
  CHECK(strongest_first({0.5, 1, 0.5, 0.7}) == std::vector<size_t>{1, 3, 0, 2});
  const auto one = free_name_places({{{50, 50}, 4, 20, 10}}, {0}, 1);
  REQUIRE(one[0]);
  CHECK(one[0]->x == 40);
  CHECK(one[0]->y == 35);
  Rng rng(3, Purpose::test);
  for (const double room : {2000.0, 300.0, 60.0}) {
    CAPTURE(room);
    std::vector<NamedDot> dots;
    std::vector<double> strength;
    for (int k = 0; k < 60; ++k) {
      const auto any = [&] { return static_cast<double>(rng.uniform()); };
      const plot::Point at{room * any(), room * any()};
      dots.push_back({at, 2 + 3 * any(), 8 + 30 * any(), 9});
      strength.push_back(any());
    }
    const std::vector<size_t> order = strongest_first(strength);
    const auto place = free_name_places(dots, order, 1);
    size_t named = 0;
    const auto covers = [](double x, double y, double w, double h, plot::Point p, double pw, double ph) {
      return x < p.x + pw && p.x < x + w && y < p.y + ph && p.y < y + h;
    };
    for (size_t k = 0; k < dots.size(); ++k) {
      if (!place[k]) continue;
      ++named;
      const auto [x, y] = *place[k];
      for (size_t o = 0; o < dots.size(); ++o) {
        if (o == k) continue;
        const double r = dots[o].radius;
        CHECK_FALSE(covers(x, y, dots[k].width, 9, {dots[o].at.x - r, dots[o].at.y - r}, 2 * r, 2 * r));
        if (place[o]) CHECK_FALSE(covers(x, y, dots[k].width, 9, *place[o], dots[o].width, 9));
      }
    }
    if (room > 1000)
      CHECK(named >= 58);
    else
      CHECK(named < 60);
    CHECK(named > 0);
  }
}

TEST_CASE("connectome: the draft is scaled beside the window") {
  for (const bool own : {true, false}) {
    ConnectomeScaler scaler(own);
    const auto wait = [&](const Spec& spec) {
      scaler.follow(spec, false);
      for (int k = 0; k < 20000; ++k) {
        scaler.pump();
        if (const auto v = scaler.view(); v && !v->cells.empty() && same_mask(*v->of, spec)) return v;
        std::this_thread::sleep_for(std::chrono::milliseconds(own ? 1 : 0));
      }
      return scaler.view();
    };
    const Spec spec = attached(R"(,"target_sparsity":0.5)");
    auto v = wait(spec);
    REQUIRE(v);
    REQUIRE(v->side == 24);
    const auto mask = *connectome_pattern(spec, 0);
    CHECK(v->connections == mask->count());
    CHECK(v->density == doctest::Approx(static_cast<double>(mask->count()) / (24.0 * 24)));
    std::set<int64_t> drawn, exist;
    for (size_t k = 0; k < v->cells.size(); ++k)
      if (v->cells[k] > 0) drawn.insert(static_cast<int64_t>(k));  // (to, from)
    for (int64_t j = 0; j < 24; ++j)
      for (int64_t e = mask->col_start[j]; e < mask->col_start[j + 1]; ++e) exist.insert(mask->row[e] * 24 + j);
    CHECK(drawn == exist);
    CHECK(v->region_end == std::vector<int64_t>{4, 8, 12, 16, 20, 24});
    CHECK_FALSE(v->regions);

    Spec null = spec;
    null.connectome.null_model = "permuted";
    v = wait(null);
    REQUIRE(v->regions);
    double measured = 0, permuted = 0;
    const auto scaled = scale_connectome(spec, 0);
    for (double w : scaled->weight) measured += w;
    for (double w : v->regions->weight) permuted += w;
    CHECK(permuted == doctest::Approx(measured));
    CHECK(v->regions->weight != spec.measured->weight);
  }
}

TEST_CASE("connectome: null models side by side, and what their losses show") {
  const Spec spec = attached("");
  const auto jobs = null_jobs(spec, {"rewired", "spatial"}, 3);
  REQUIRE(jobs);
  REQUIRE(jobs->size() == 9);
  CHECK((*jobs)[0].group == "measured");
  CHECK((*jobs)[0].spec->connectome.null_model == "none");
  CHECK((*jobs)[4].group == "rewired");
  CHECK((*jobs)[4].run == 1);
  CHECK((*jobs)[4].spec->connectome.null_model == "rewired");
  CHECK((*jobs)[4].spec->measured == spec.measured);
  CHECK_FALSE(null_jobs(spec, {}, 3));
  Spec lost = spec;
  Connectome c = *spec.measured;
  c.x.clear();
  c.y.clear();
  lost.measured = std::make_shared<const Connectome>(c);
  CHECK_FALSE(null_jobs(lost, {"spatial"}, 3));  // it has no positions

  SideView side;
  const double measured[] = {1, 2, 3}, worse[] = {2.0, 3.1, 3.9}, alike[] = {1.5, 1.5, 3};
  for (int64_t run = 0; run < 3; ++run) {
    side.jobs.push_back(finished("measured", run, measured[run]));
    side.jobs.push_back(finished("rewired", run, worse[run]));
    side.jobs.push_back(finished("density", run, alike[run]));
  }
  CHECK(are_null_jobs(side));
  const std::vector<NullResult> r = null_results(side);
  REQUIRE(r.size() == 3);
  CHECK(r[0].mean == doctest::Approx(2));
  CHECK(r[0].high == doctest::Approx(2 + 4.302653 / std::sqrt(3)).epsilon(1e-6));  // t of 2 degrees of freedom
  CHECK(std::isnan(r[0].difference));
  CHECK(r[1].difference == doctest::Approx(1));
  // Differences 1, 1.1, 0.9: sd 0.1; two null models, so the interval of 97.5 % (t 6.205347).
  CHECK(r[1].difference_high == doctest::Approx(1 + 6.205347 * 0.1 / std::sqrt(3)).epsilon(1e-6));
  CHECK(r[2].difference == doctest::Approx(0));
  CHECK(null_verdict(r).find("learns better than rewired") != std::string::npos);
  CHECK(null_verdict(r).find("No difference is shown to density with 3 runs") != std::string::npos);
  const NamedFile csv = null_results_file(side);
  const std::string text(reinterpret_cast<const char*>(csv.bytes.data()), csv.bytes.size());
  CHECK(text.find("rewired,2,3.1") != std::string::npos);
  side.jobs.resize(1);
  CHECK(null_verdict(null_results(side)).find("two runs") != std::string::npos);
}

TEST_CASE("connectome: the tab shows it, changes it, and trains it beside its nulls") {
  NoScreen screen;
  App app(screen, testing::without_thread());
  const auto frames = [&](int count) {
    for (int k = 0; k < count; ++k) {
      app.live.pump(0.002);
      app.wants_frame(static_cast<double>(k));
      screen.frame(app);
    }
  };
  const auto state = [&] { return nlohmann::json::parse(app.state_json(1)); };
  const auto open = [&](const Spec& spec) { app.open_text(print_spec(spec, false)); };
  // A way in for those that have none.
  open(testing::spec_of(testing::tiny_json(R"("epochs":2,"batch":20)")));
  frames(6);
  CHECK_FALSE(state()["widgets"].contains("tab:Connectome"));
  app.view.tab = tab_build;
  frames(4);
  CHECK(state()["widgets"].contains("build:connectome"));
  app.view.connectome.wanted = true;
  app.view.tab = tab_connectome;
  frames(4);
  CHECK(state()["widgets"].contains("connectome:source"));
  app.species_found({"macaque", "no such"});
  CHECK(app.view.connectome.species == std::vector<std::string>{"macaque"});

  open(small_connectome(""));
  frames(8);
  app.view.tab = tab_connectome;
  frames(8);
  CHECK(state()["tab"] == "Connectome");
  CHECK(state()["connectome"]["nodes"] == 6);
  CHECK(state()["connectome"]["neurons"] == 24);
  const int64_t connections = state()["connectome"]["connections"];
  const std::string hash = state()["hash"];
  app.draft.connectome.neurons = 8;
  app.draft_edited();
  frames(8);
  CHECK(state()["connectome"]["neurons"] == 48);
  CHECK(state()["connectome"]["connections"] > 2 * connections);
  CHECK(state()["units"] == 24);  // not trained yet
  CHECK(state()["widgets"].contains("connectome:train"));
  app.draft.connectome.intrinsic_weight = 1.5;  // what cannot be is said
  app.draft_edited();
  frames(3);
  CHECK(state()["widgets"].contains("connectome:problem"));
  app.draft = app.now->setup->spec;
  app.draft_edited();
  for (const ConnectomeView v : {ConnectomeView::regions, ConnectomeView::neurons, ConnectomeView::circle,
                                 ConnectomeView::space, ConnectomeView::nulls}) {
    app.view.connectome.view = v;
    for (const float width : {1280.0f, 1920.0f, 400.0f}) {
      app.view.tab = tab_connectome;  // the narrow window has tabs of its own
      for (int k = 0; k < 3; ++k) screen.frame(app, width, width < 500 ? 900.0f : 1080.0f);
    }
  }
  CHECK_MESSAGE(state()["widgets"].contains("nulls:train"), state().dump());
  app.view.connectome.runs = 2;
  app.train_nulls();
  for (int k = 0; k < 4000 && (k < 5 || app.side.running()); ++k) frames(1);
  frames(3);
  const auto results = state()["connectome"]["results"];
  REQUIRE(results.size() == 2);
  CHECK(results[0]["name"] == "measured");
  CHECK(results[1]["runs"] == 2);
  CHECK(results[1]["low"] <= results[1]["difference"]);
  CHECK(state()["widgets"].contains("nulls:table"));

  // Files of one connectome, one after the other and together.
  screen.saved.clear();
  app.give_file(text_file("a.names.txt", "V1\nV2\nMT\n"));
  CHECK(state()["notices"].dump().find("drop the matrix") != std::string::npos);
  app.give_file(text_file("m.csv", "0,1,2\n0,0,3\n4,0,0\n"));
  frames(20);
  CHECK(state()["connectome"]["names"] == std::vector<std::string>{"V1", "V2", "MT"});
  app.give_files(
      {text_file("m.csv", "0,1,2\n0,0,3\n4,0,0\n"), text_file("signs.csv", "name,sign\nR1,+\nR2,-\nR3,+\n")});
  frames(20);
  CHECK(state()["connectome"]["names"][0] == "R1");
  CHECK(state()["connectome"]["signs"] == true);
}

TEST_CASE("connectome: species that are here open in the window") {
  const char* set = std::getenv("DALEA_DATA");
  const std::vector<FoundSpecies> found =
      find_species(std::string(set ? set : DALEA_SOURCE_DIR "/../shared/data") + "/connectomes");
  if (found.empty()) {
    MESSAGE("the species' connectomes are not here; not tested");
    return;
  }
  NoScreen screen;
  App app(screen, testing::without_thread());
  app.open_preset("connectome");
  for (const FoundSpecies& s : found) {
    std::vector<NamedFile> files;
    for (const std::string& path : {s.matrix, s.names, s.densities})
      if (!path.empty()) files.push_back({path.substr(path.find_last_of('/') + 1), *read_file(path)});
    app.give_species(s.species->name, std::move(files));
    for (int k = 0; k < 60; ++k) {
      app.live.pump(0.001);
      app.wants_frame(k);
      screen.frame(app);
    }
    REQUIRE(app.now->setup);
    INFO(app.state_json(1));
    CHECK(app.now->setup->spec.name == s.species->title);
    CHECK(app.draft.measured->nodes == s.species->regions);
    CHECK(app.problems.empty());
    CHECK_FALSE(app.draft_changed);
  }
}
