// The tab Compare: plans and links, block means and tests by hand, training and computing beside the window.
#include <cmath>
#include <nlohmann/json.hpp>

#include "app/comparison.h"
#include "helpers.h"
#include "window_helpers.h"

using namespace dalea;
using namespace dalea::app;
using namespace dalea::testing;

namespace {

const std::string layered =
    R"({"dalea":1,"populations":[{"name":"A4","size":4,"sign":"+","area":"V1","layer":"L4"},)"
    R"({"name":"A2","size":6,"sign":"+","area":"V1","layer":"L2/3"},)"
    R"({"name":"B4","size":3,"sign":"-","area":"LM","layer":"L4"}],)"
    R"("connectivity":{"probability":[[0.5,0.5,0],[1,0.5,0.5],[0.5,0.5,0.5]]},)"
    R"("task":{"steps":7,"train":40,"validation":10,"held_out":10},"training":{"epochs":1,"batch":20}})";

ComparisonPlan constraint_plan() {
  ComparisonPlan plan;
  plan.key = "training.constraint";
  plan.values = {"conventional", "dale"};
  plan.runs = 3;
  return plan;
}

}  // namespace

TEST_CASE("compare: a link holds the whole comparison, and a hostile one nothing") {
  LinkView v;
  v.title = "t";
  v.compare = constraint_plan();
  v.compare->level = "population";
  v.compare->raw = true;
  v.compare->checkpoint = "dense";
  v.compare->from = 1;
  v.compare->to = 0;
  const DecodedView back = decode_view("#v1=x&" + encode_view(v));
  CHECK(back.notices.empty());
  CHECK(back.view == v);
  for (const char* hostile :
       {R"({"key":"a","values":["1"],"runs":5})", R"({"key":"a","values":["1","2"],"runs":1e9})",
        R"({"key":"a","values":["1","2"],"pair":[0,0]})", R"({"key":"a","values":["1","2"],"pair":[0,5]})",
        R"({"key":"a","values":["1","2"],"level":"cell"})", R"({"key":"a","values":["1","2"],"checkpoint":"best"})",
        R"({"key":"a","values":["1","2"],"pair":[-1,0]})", R"({"values":["1","2"]})", R"({"key":"a","values":[1,2]})",
        R"({"key":"a","values":{}})", R"([])", "7", R"({"key":"a","values":["1","2","3","4","5","6","7"]})",
        R"({"key":"a","values":["1","2"],"more":1})"}) {
    const DecodedView odd =
        decode_view("#v1=x&view=" + pack_text(std::string(R"({"title":"t","compare":)") + hostile + "}"));
    CHECK_MESSAGE(!odd.view.compare, hostile);
    CHECK(odd.view.title == "t");
    CHECK(odd.notices.size() == 1);
  }
  // Keys that name files are refused, whatever a link says.
  for (const char* key : {"recording.file", "task.folder", "connectome.file", "seed", "populations", "no.such"}) {
    ComparisonPlan plan = constraint_plan();
    plan.key = key;
    plan.values = {"1", "2"};
    CHECK_MESSAGE(!comparison_jobs(spec_of(layered), plan), key);
  }
}

TEST_CASE("compare: jobs of a plan, and names of conditions") {
  const auto jobs = comparison_jobs(spec_of(layered), constraint_plan());
  REQUIRE(jobs);
  REQUIRE(jobs->size() == 6);
  CHECK((*jobs)[1].name == "dale, run 1");
  CHECK((*jobs)[1].spec->training.constraint == "dale");
  CHECK((*jobs)[4].run == 2);
  ComparisonPlan plan = constraint_plan();
  plan.values = {"dale", "dale"};
  CHECK_FALSE(comparison_jobs(spec_of(layered), plan));
  plan.values = {"dale"};
  CHECK_FALSE(comparison_jobs(spec_of(layered), plan));
  plan = constraint_plan();
  plan.runs = 1;
  CHECK_FALSE(comparison_jobs(spec_of(layered), plan));
  CHECK(values_of(" a, [1, 2] ,\"x,y\",,b") == std::vector<std::string>{"a", "[1, 2]", "\"x,y\"", "b"});
  CHECK(condition_of_file("/x/change-run12.npz") == "change");
  CHECK(condition_of_file("change 3.npz") == "change");
  CHECK(condition_of_file("change_seed-3.npz") == "change");
  CHECK(condition_of_file("omission.npz") == "omission");
  CHECK(condition_of_file("007.npz") == "007");
  CHECK(condition_of_key(spec_of(layered), "training.constraint") == "dale");
  CHECK(condition_of_key(spec_of(layered), "training.batch") == "20");
  CHECK(condition_of_key(spec_of(layered), "training.bat").empty());
}

TEST_CASE("compare: block means by hand at three levels") {
  auto trainer = trainer_of(spec_of(layered));
  train_to_end(*trainer);
  const auto session = read_session(write_session(*trainer, "test"), "s.npz");
  REQUIRE(session);
  const auto run = blocks_of_run(*session, "s.npz");
  REQUIRE(run);
  const Weights& w = trainer->model().parameters.W_rec;
  const auto& layers = run->levels[1];
  REQUIRE(layers.groups.count() == 3);
  CHECK(layers.groups.groups[0].layer == "L2/3");  // before L4, though built after it
  CHECK(layers.groups.groups[2].area == "LM");
  double raw = 0, absolute = 0;
  for (int64_t i = 4; i < 10; ++i)
    for (int64_t j = 0; j < 4; ++j) {
      raw += static_cast<double>(w.at(i, j));
      absolute += std::fabs(static_cast<double>(w.at(i, j)));
    }
  CHECK(layers.averages.mean[1] == doctest::Approx(raw / 24));
  CHECK(layers.averages.mean_abs[1] == doctest::Approx(absolute / 24));
  CHECK(run->levels[0].possible[5] == 0);  // A4 from B4; L2/3 stands first
  CHECK(run->levels[2].groups.count() == 2);
  // Without labels the population level is all there is.
  auto plain = trained_tiny();
  const auto other = read_session(write_session(*plain, "test"), "p.npz");
  REQUIRE(other);
  const auto unlabelled = blocks_of_run(*other, "p.npz");
  REQUIRE(unlabelled);
  CHECK(unlabelled->levels[0].missing.empty());
  CHECK(unlabelled->levels[1].missing.find("layer") != std::string::npos);
  CHECK(unlabelled->levels[2].missing.find("area") != std::string::npos);
}

TEST_CASE("compare: a planted difference is found, in both directions, and can be cancelled") {
  std::vector<RunBlocks> runs;
  Rng rng(3, Purpose::test);
  const auto groups = group_blocks(
      {{"a", 2, Sign::free, 0, "", "", ""}, {"b", 3, Sign::free, 0, "", "", ""}, {"c", 4, Sign::free, 0, "", "", ""}},
      BlockLevel::population);
  REQUIRE(groups);
  for (int k = 0; k < 10; ++k) {
    RunBlocks r;
    r.group = k < 5 ? "before" : "after";
    r.name = std::to_string(k);
    LevelBlocks& b = r.levels[0];
    b.groups = *groups;
    b.possible.assign(9, 1);
    b.possible[2] = 0;
    b.averages.groups = 3;
    b.averages.density.assign(9, 0.5);
    b.averages.entries = {4, 6, 8, 6, 9, 12, 8, 12, 16};
    for (int at = 0; at < 9; ++at) b.averages.mean_abs.push_back(at == 2 ? 0 : 1 + 0.1 * rng.normal());
    if (k >= 5) b.averages.mean_abs[5] += 5;
    b.averages.mean = b.averages.mean_abs;
    r.levels[1].missing = r.levels[2].missing = "none";
    runs.push_back(std::move(r));
  }
  const auto found = compare_runs(runs, {});
  REQUIRE(found);
  CHECK(found->level == 0);
  CHECK(found->report.comparison.relabelings == 252);
  REQUIRE(found->ranked.size() == 8);
  CHECK(found->ranked.front() == 5);
  CHECK(found->blocks()[5].p_adjusted == doctest::Approx(2.0 / 252));
  CHECK(found->blocks()[5].difference == doctest::Approx(5).epsilon(0.1));
  CHECK(found->confidence[5] > 0.9);
  CHECK_FALSE(found->possible(2));
  CHECK(found->verdict().find("1 of 8 blocks differs") != std::string::npos);
  CHECK(found->notes.find("Benjamini") != std::string::npos);
  CompareChoice turned_pair;
  turned_pair.from = 1;
  turned_pair.to = 0;
  const auto turned = compare_runs(runs, turned_pair);
  REQUIRE(turned);
  CHECK(turned->from() == "after");
  CHECK(turned->blocks()[5].difference == doctest::Approx(-found->blocks()[5].difference));
  CHECK_FALSE(compare_runs(runs, {}, [](double) { return false; }));
  for (size_t k = 0; k < std::size(compare_pictures); ++k)
    CHECK(plot::to_svg(plot::drawing_of(comparison_figure(*found, static_cast<ComparePicture>(k)))).size() > 1000);
  runs.resize(6);
  CHECK_FALSE(compare_runs(runs, {}));  // one run of the second
}

TEST_CASE("compare: three conditions are tested together, whichever pair is shown; one run alone is left out") {
  std::vector<RunBlocks> runs;
  Rng rng(5, Purpose::test);
  const auto groups =
      group_blocks({{"a", 2, Sign::free, 0, "", "", ""}, {"b", 3, Sign::free, 0, "", "", ""}}, BlockLevel::population);
  REQUIRE(groups);
  std::vector<Condition> conditions = {{"x", {}}, {"y", {}}, {"z", {}}};
  for (size_t k = 0; k < 13; ++k) {
    RunBlocks r;
    r.group = k == 12 ? "lonely" : conditions[k % 3].name;
    r.name = std::to_string(k);
    LevelBlocks& b = r.levels[0];
    b.groups = *groups;
    b.possible.assign(4, 1);
    b.averages.groups = 2;
    b.averages.density.assign(4, 0.5);
    b.averages.entries = {4, 6, 6, 9};
    for (int at = 0; at < 4; ++at) b.averages.mean_abs.push_back(1 + 0.1 * rng.normal());
    if (k % 3 == 2) b.averages.mean_abs[1] += 3;
    b.averages.mean = b.averages.mean_abs;
    r.levels[1].missing = r.levels[2].missing = "none";
    if (k < 12) conditions[k % 3].runs.push_back(b.averages);
    runs.push_back(std::move(r));
  }
  const Comparison joint =
      *compare_conditions(*groups, std::vector<uint8_t>(4, 1), conditions, CompareOptions(), nullptr);
  REQUIRE(joint.pairs.size() == 3);
  CompareChoice choice;
  choice.from = 2;
  choice.to = 0;
  const auto shown = compare_runs(runs, choice);
  REQUIRE(shown);
  CHECK(shown->from() == "z");
  CHECK(shown->to() == "x");
  CHECK(shown->notes.find("lonely") != std::string::npos);
  CHECK(shown->verdict().find("3 pairs") != std::string::npos);
  for (size_t at = 0; at < 4; ++at) {
    const BlockComparison &mine = shown->blocks()[at], &theirs = joint.pairs[1].blocks[at];  // x and z
    CHECK(mine.p_adjusted == theirs.p_adjusted);
    CHECK(mine.difference == -theirs.difference);
    CHECK(mine.interval.low == -theirs.interval.high);
  }
  CHECK(shown->ranked.front() == 1);
  const Compared other = with_pair(*shown, "x", "y");
  CHECK(other.to() == "y");
  for (size_t at = 0; at < 4; ++at) {
    CHECK(other.blocks()[at].difference == joint.pairs[0].blocks[at].difference);
    CHECK(other.blocks()[at].p_adjusted == joint.pairs[0].blocks[at].p_adjusted);
  }
  const Compared back = with_pair(other, "z", "x");
  CHECK(back.blocks()[1].difference == shown->blocks()[1].difference);
  CHECK(back.confidence == shown->confidence);
  for (size_t k = 0; k < std::size(compare_pictures); ++k)
    CHECK(plot::to_svg(plot::drawing_of(comparison_figure(other, static_cast<ComparePicture>(k)))).size() > 1000);
  // A pair and three runs of each show nothing, three conditions of three runs may.
  CHECK(std::isinf(detectable_effect(3, 4)));
  CHECK(std::isfinite(detectable_effect(3, 4, 0.05, 0.8, {3, false})));
  CHECK(detectable_effect(10, 4, 0.05, 0.8, {3, false}) > detectable_effect(10, 4));
}

TEST_CASE("compare: the weights of a checkpoint, and final ones where a run has no such checkpoint") {
  const std::string staged = layered.substr(0, layered.size() - 1) + R"(,"stages":{"prune":true,"fine_tune":1}})";
  std::vector<ComparedRun> files;
  std::vector<Session> sessions;
  for (uint64_t seed : {1, 2, 3, 4}) {
    Spec spec = spec_of(staged);
    spec.seed = seed;
    if (seed > 2) spec.training.optimizer.lr = 0.02;
    auto trainer = trainer_of(spec);
    train_to_end(*trainer);
    auto bytes = std::make_shared<const std::vector<std::byte>>(write_session(*trainer, "test"));
    auto session = read_session(*bytes, "s.npz");
    REQUIRE(session);
    sessions.push_back(std::move(*session));
    files.push_back({"", std::to_string(seed) + ".npz", bytes});
  }
  const auto initial = blocks_of_run(sessions[0], "s", CompareCheckpoint::initial),
             dense = blocks_of_run(sessions[0], "s", CompareCheckpoint::dense),
             sparse = blocks_of_run(sessions[0], "s", CompareCheckpoint::sparse),
             last = blocks_of_run(sessions[0], "s");
  REQUIRE((initial && dense && sparse && last));
  for (const std::string& lack : last->lacking) CHECK(lack.empty());
  CHECK(sparse->levels[0].averages.mean == last->levels[0].averages.mean);
  CHECK(initial->levels[0].averages.mean != dense->levels[0].averages.mean);
  const Weights& w = sessions[0].state.dense->W_rec;
  double sum = 0;
  for (int64_t i = 10; i < 13; ++i)
    for (int64_t j = 4; j < 10; ++j) sum += std::fabs(static_cast<double>(w.at(i, j)));
  const auto& of = dense->levels[2];  // by area: LM from V1 includes A4 too
  for (int64_t i = 10; i < 13; ++i)
    for (int64_t j = 0; j < 4; ++j) sum += std::fabs(static_cast<double>(w.at(i, j)));
  CHECK(of.averages.mean_abs[2] == doctest::Approx(sum / 30));

  // The worker names conditions by a key, and knows when not all have a checkpoint.
  const auto compared = [](const std::vector<ComparedRun>& of_files, const CompareChoice& choice,
                           const std::string& key) {
    Comparer comparer(false);
    comparer.start(std::make_shared<const std::vector<ComparedRun>>(of_files), choice, key);
    for (int k = 0; k < 100 && comparer.view().running; ++k) comparer.pump();
    return comparer.view();
  };
  CompareChoice choice;
  choice.level = BlockLevel::area;
  choice.checkpoint = CompareCheckpoint::dense;
  ComparerView view = compared(files, choice, "training.optimizer.lr");
  REQUIRE(view.result != nullptr);
  CHECK(view.groups == std::vector<std::string>{"0.001", "0.02"});
  CHECK(view.result->report.choices.checkpoint == CompareCheckpoint::dense);
  CHECK(view.result->report.comparison.values[0][0] == of.averages.mean_abs);
  CHECK(view.result->report.differs == std::vector<std::string>{"training.optimizer.lr"});
  CHECK(view.result->report.sessions[0][0].history.size() == 2);
  view = compared(files, choice, "no.such.key");
  CHECK(view.result == nullptr);
  CHECK(view.failure.find("no.such.key") != std::string::npos);
  auto plain = trainer_of(spec_of(layered));
  files.push_back({"", "plain.npz", std::make_shared<const std::vector<std::byte>>(write_session(*plain, "test"))});
  view = compared(files, choice, "training.optimizer.lr");
  CHECK(view.result == nullptr);  // it is the same run as the first, of another experiment
  files.pop_back();
  for (ComparedRun& f : files) f.group = f.name[0] < '3' ? "slow" : "fast";
  std::vector<ComparedRun> bare;
  for (uint64_t seed : {5, 6}) {
    Spec spec = spec_of(layered);
    spec.seed = seed;
    auto trainer = trainer_of(spec);
    bare.push_back({"bare", "b" + std::to_string(seed),
                    std::make_shared<const std::vector<std::byte>>(write_session(*trainer, "test"))});
  }
  files.insert(files.end(), bare.begin(), bare.end());
  view = compared(files, choice, "");
  REQUIRE(view.result != nullptr);
  CHECK(view.result->report.choices.checkpoint == CompareCheckpoint::final);
  CHECK(view.result->notes.find("dense") != std::string::npos);
  CHECK(view.result->lacking[1].find("b5") != std::string::npos);
}

TEST_CASE("compare: the tab trains and compares, stops, takes sessions, and its link offers the same") {
  NoScreen screen;
  App app(screen, without_thread());
  app.open_text(layered);
  app.view.tab_name = "compare";
  const auto until = [&](auto good) {
    for (int k = 0; k < 4000; ++k) {
      app.live.pump(0.002);
      app.wants_frame(k);
      screen.frame(app);
      if (good()) return true;
    }
    return false;
  };
  REQUIRE(until([&] { return app.now->setup && app.view.open_tab == tab_compare; }));
  app.view.compare.plan = constraint_plan();
  app.train_comparison();
  app.stop_comparison();
  REQUIRE(until([&] { return !app.compare_side.running(); }));
  CHECK(app.comparer.view().result == nullptr);
  app.view.compare.plan.level = "area";
  app.train_comparison();
  REQUIRE(until([&] { return app.comparer.view().result != nullptr; }));
  const auto first = app.comparer.view().result;
  CHECK(first->nodes().size() == 2);
  CHECK(first->to() == "dale");
  for (size_t k = 0; k < std::size(compare_pictures); ++k) {
    app.view.compare.picture = static_cast<ComparePicture>(k);
    screen.frame(app);
    screen.frame(app, 1920, 1080);
  }
  const auto state = nlohmann::json::parse(app.state_json(1));
  CHECK(state["compare"]["blocks"].size() == 4);
  CHECK(state["widgets"].contains("compare:train"));
  app.copy_comparison_link();
  const std::string link = screen.copied;

  std::vector<NamedFile> files;
  for (const ComparedRun& r : *app.view.compare.runs)
    files.push_back({r.group + "-run" + std::to_string(files.size()) + ".npz", *r.session});
  app.give_files(files);
  REQUIRE(until([&] { return app.comparer.view().result != nullptr && !app.comparer.view().running; }));
  CHECK(app.view.compare.groups == std::vector<std::string>{"conventional", "dale"});
  CHECK(app.comparer.view().result->blocks()[0].difference == first->blocks()[0].difference);
  // By a key, read beside the window.
  app.view.compare.by_field = true;
  std::snprintf(app.view.compare.field, sizeof app.view.compare.field, "training.constraint");
  app.name_sessions();
  CHECK(app.view.compare.groups.empty());
  REQUIRE(until([&] { return app.comparer.view().result != nullptr && !app.comparer.view().running; }));
  screen.frame(app);
  CHECK(app.view.compare.groups == std::vector<std::string>{"conventional", "dale"});

  App other(screen, without_thread());
  other.open_text(link);
  CHECK(other.view.compare.offered);
  CHECK(other.view.compare.plan == app.view.compare.linked.value_or(other.view.compare.plan));
  CHECK(other.view.compare.plan.runs == 3);
  CHECK(other.view.compare.plan.level == "area");
  CHECK(other.link_view.empty());
}
