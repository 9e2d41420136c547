// Block averages against loops, the joint permutation test against numpy (tests/py/make_compare_golden.py), its error
// rate where nothing differs, and what the report refuses.
#include <set>

#include "analysis/compare.h"
#include "common/block_report.h"
#include "common/compare_report.h"
#include "common/experiment_notes.h"
#include "common/states_report.h"
#include "helpers.h"
#include "statistics_helpers.h"

using namespace dalea;
using namespace dalea::testing;

namespace {

std::vector<Population> cell_types() {
  std::vector<Population> out;
  for (const char* area : {"V1", "LM"})
    for (const char* layer : {"L4", "L23", "L5"})
      for (const char* type : {"Pyr", "SST"}) {
        Population p;
        p.name = std::string(area) + " " + layer + " " + type;
        p.size = type == std::string("Pyr") ? 4 : 2;
        p.area = area;
        p.layer = layer;
        p.type = type;
        out.push_back(p);
      }
  return out;
}

BlockGroups groups_of(size_t count) {
  std::vector<Population> populations;
  for (size_t k = 0; k < count; ++k) {
    Population p;
    p.name = "p" + std::to_string(k);
    p.size = 1;
    populations.push_back(p);
  }
  return must(group_blocks(populations, BlockLevel::population));
}

BlockAverages run_of(const Vector& values) {
  BlockAverages b;
  b.groups = 1;
  b.mean = b.mean_abs = values;
  b.density.assign(values.size(), 0.5);
  b.entries.assign(values.size(), 1);
  return b;
}

std::vector<Condition> random_conditions(Rng& rng, const std::vector<int64_t>& runs, size_t blocks, double shift = 0) {
  std::vector<Condition> out;
  for (size_t c = 0; c < runs.size(); ++c) {
    out.push_back({"c" + std::to_string(c), {}});
    for (int64_t r = 0; r < runs[c]; ++r) {
      Vector x = normals(rng, static_cast<int64_t>(blocks));
      for (size_t b = 1; b < blocks; ++b) x[b] += 0.5 * x[0];  // correlated
      if (c > 0) x[0] += shift;
      out.back().runs.push_back(run_of(x));
    }
  }
  return out;
}

const std::vector<uint8_t> all_of(size_t n) {
  return std::vector<uint8_t>(n, 1);
}

NamedSession session_of(const std::string& group, uint64_t seed, const std::string& more = "") {
  Spec spec = spec_of(tiny_json(R"("epochs":1,"batch":30)" + more));
  spec.seed = seed;
  auto trainer = trainer_of(spec);
  train_to_end(*trainer);
  NamedSession s;
  s.path = group + "-" + std::to_string(seed);
  s.group = group;
  s.session.spec = trainer->spec();
  s.session.state = trainer->state();
  return s;
}

}  // namespace

TEST_CASE("blocks are grouped in cortical order and averaged as loops would, dense and sparse") {
  const std::vector<Population> populations = cell_types();
  const BlockGroups layers = must(group_blocks(populations, BlockLevel::layer));
  std::vector<std::string> names;
  for (const BlockGroup& g : layers.groups) names.push_back(g.name);
  CHECK(names == std::vector<std::string>{"V1 L23", "V1 L4", "V1 L5", "LM L23", "LM L4", "LM L5"});
  CHECK(must(group_blocks(populations, BlockLevel::area)).count() == 2);
  CHECK(must(group_blocks(populations, BlockLevel::type)).groups[1].units == 12);
  CHECK(must(group_blocks(populations, BlockLevel::population)).groups[0].name == "V1 L23 Pyr");

  const int64_t n = 36;
  REQUIRE(layers.units() == n);
  std::vector<uint8_t> mask;
  Rng rng(3, Purpose::test);
  for (int64_t k = 0; k < n * n; ++k) mask.push_back(rng.uniform() < 0.3f);
  // No connection into V1 L23 from LM at all.
  for (int64_t j = 18; j < n; ++j)
    for (int64_t i = 6; i < 12; ++i) mask[static_cast<size_t>(j * n + i)] = 0;
  Weights dense{.name = "W_rec", .rows = n, .cols = n, .pattern = nullptr, .values = {}};
  for (int64_t k = 0; k < n * n; ++k) {
    const float v = rng.uniform(-1, 1);
    dense.values.push_back(mask[static_cast<size_t>(k)] ? (k % 7 == 0 ? 1e-6f : v) : 0.f);
  }
  const auto pattern = make_pattern(n, n, mask);
  Weights sparse = dense;
  sparse.pattern = pattern;
  sparse.values.clear();
  for (int64_t j = 0; j < n; ++j)
    for (int64_t i = 0; i < n; ++i)
      if (mask[static_cast<size_t>(j * n + i)]) sparse.values.push_back(dense.values[static_cast<size_t>(j * n + i)]);
  for (BlockLevel level : {BlockLevel::population, BlockLevel::layer, BlockLevel::area, BlockLevel::type}) {
    const BlockGroups groups = must(group_blocks(populations, level));
    const BlockAverages a = must(average_blocks(dense, groups)), b = must(average_blocks(sparse, groups));
    CHECK(a.mean == b.mean);
    CHECK(a.mean_abs == b.mean_abs);
    CHECK(a.density == b.density);
    std::vector<size_t> of;
    for (size_t p = 0; p < populations.size(); ++p)
      for (int64_t k = 0; k < populations[p].size; ++k) of.push_back(groups.of_population[p]);
    const size_t count = groups.count();
    for (size_t post = 0; post < count; ++post)
      for (size_t pre = 0; pre < count; ++pre) {
        double sum = 0, size = 0, there = 0, entries = 0;
        for (int64_t i = 0; i < n; ++i)
          for (int64_t j = 0; j < n; ++j) {
            if (of[static_cast<size_t>(i)] != post || of[static_cast<size_t>(j)] != pre) continue;
            const double v = static_cast<double>(dense.at(i, j));
            sum += v;
            size += std::fabs(v);
            there += std::fabs(v) >= 1e-5;
            ++entries;
          }
        const size_t block = post * count + pre;
        CHECK(static_cast<double>(a.entries[block]) == entries);
        CHECK(off(a.mean[block], sum / entries) < 1e-14);
        CHECK(off(a.mean_abs[block], size / entries) < 1e-14);
        CHECK(off(a.density[block], there / entries) < 1e-14);
      }
  }
  const std::vector<uint8_t> by_mask = possible_blocks(layers, pattern.get());
  CHECK(by_mask[0] == 1);
  for (size_t pre = 3; pre < 6; ++pre) CHECK(by_mask[pre] == 0);
  std::vector<std::vector<double>> probability(12, std::vector<double>(12, 0));
  probability[0][11] = 0.1;  // V1 L4 from LM L5
  const std::vector<uint8_t> by_rule = must(possible_blocks(layers, probability));
  CHECK(std::count(by_rule.begin(), by_rule.end(), 1) == 1);
  CHECK(by_rule[1 * 6 + 5] == 1);
  probability.pop_back();
  CHECK(!possible_blocks(layers, probability).ok());
  CHECK(!average_blocks(dense, groups_of(3)).ok());
  dense.values[5] = std::nanf("");
  CHECK(!average_blocks(dense, layers).ok());
  CHECK(!group_blocks({}, BlockLevel::layer).ok());
  CHECK(!group_blocks({{"E", 3, Sign::free, 0, "", "", ""}}, BlockLevel::area).ok());
}

TEST_CASE("dispersion over runs, and currents between groups") {
  const Dispersion d = must(dispersion_of(Vector{1, 2, 3, 6}));
  CHECK(d.mean == 3);
  CHECK(d.variance == doctest::Approx(3.5));
  CHECK(d.range == 5);
  CHECK(d.iqr == doctest::Approx(2));
  CHECK(d.confidence == doctest::Approx(1 - std::sqrt(3.5) / 3));
  CHECK(std::isnan(must(dispersion_of(Vector{0, 0})).confidence));
  CHECK(!dispersion_of(Vector{1, not_a_number}).ok());

  std::vector<Population> populations(3);
  const char* areas[] = {"A", "B", "A"};
  for (size_t k = 0; k < 3; ++k) {
    populations[k].name = std::string(1, static_cast<char>('x' + k));
    populations[k].area = areas[k];
    populations[k].size = static_cast<int64_t>(k) + 1;
  }
  Currents currents;
  currents.recurrent = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  const std::vector<double> between = block_currents(currents, must(group_blocks(populations, BlockLevel::area)));
  CHECK(between == std::vector<double>{((1 + 3) * 1 + (7 + 9) * 3) / 4.0, (2 * 1 + 8 * 3) / 4.0, 4 + 6, 5});
}

TEST_CASE("the joint test agrees with every relabeling enumerated by numpy") {
  std::ifstream file(DALEA_SOURCE_DIR "/tests/golden/compare.json");
  REQUIRE(file.good());
  for (const json& c : json::parse(file)["cases"]) {
    std::vector<Condition> conditions;
    for (const json& g : c["runs"]) {
      conditions.push_back({"c" + std::to_string(conditions.size()), {}});
      for (const json& run : g) conditions.back().runs.push_back(run_of(numbers(run)));
    }
    CompareOptions options;
    if (!c["reference"].is_null()) options.reference = "c" + std::to_string(c["reference"].get<int>());
    const size_t blocks = conditions[0].runs[0].mean.size();
    const auto side = static_cast<size_t>(std::lround(std::sqrt(static_cast<double>(blocks))));
    const Comparison r = must(compare_conditions(groups_of(side), all_of(blocks), conditions, options));
    CHECK(r.method == Method::exact);
    CHECK(r.relabelings == c["relabelings"]);
    size_t at = 0;
    for (const PairComparison& p : r.pairs)
      for (const BlockComparison& b : p.blocks) {
        CHECK(off(b.t, c["t"][at]) < 1e-9);
        CHECK(off(b.p, c["alone"][at]) < 1e-12);
        CHECK(off(b.p_adjusted, c[conditions.size() == 2 ? "step" : "single"][at]) < 1e-12);
        CHECK(b.p_adjusted >= r.least_p - 1e-12);
        // As published: the mean over all pairs of runs.
        double sum = 0;
        const size_t block = static_cast<size_t>(&b - p.blocks.data());
        for (const auto& x : r.values[p.a])
          for (const auto& y : r.values[p.b]) sum += y[block] - x[block];
        CHECK(std::fabs(sum / static_cast<double>(r.runs[p.a] * r.runs[p.b]) - b.difference) < 1e-15);
        ++at;
      }
    CHECK(at == c["t"].size());
  }
}

TEST_CASE("two conditions give what westfall_young gives, and labels or orders change nothing") {
  Rng rng(5, Purpose::test);
  const std::vector<Condition> conditions = random_conditions(rng, {5, 5}, 9, 3);
  const Comparison r = must(compare_conditions(groups_of(3), all_of(9), conditions, {}));
  CHECK(r.relabelings == 252);
  CHECK(r.least_p == doctest::Approx(2.0 / 252));
  CHECK(r.bh_needs == 2);  // 9 x 2/252 = .071
  Vector a, b;
  for (const BlockAverages& run : conditions[0].runs) a.insert(a.end(), run.mean.begin(), run.mean.end());
  for (const BlockAverages& run : conditions[1].runs) b.insert(b.end(), run.mean.begin(), run.mean.end());
  const MaxT other = must(westfall_young({5, 9, b}, {5, 9, a}, rng));
  const Comparison swapped = must(compare_conditions(groups_of(3), all_of(9), {conditions[1], conditions[0]}, {}));
  std::vector<Condition> turned = conditions;
  std::reverse(turned[0].runs.begin(), turned[0].runs.end());
  for (Condition& c : turned)
    for (BlockAverages& run : c.runs) std::reverse(run.mean_abs.begin(), run.mean_abs.end());
  const Comparison reversed = must(compare_conditions(groups_of(3), all_of(9), turned, {}));
  for (size_t k = 0; k < 9; ++k) {
    const BlockComparison& x = r.pairs[0].blocks[k];
    CHECK(off(x.t, other.statistic[k]) < 1e-9);
    CHECK(off(x.p, other.p[k]) < 1e-12);
    CHECK(off(x.p_adjusted, other.p_step_down[k]) < 1e-12);
    CHECK(off(swapped.pairs[0].blocks[k].p_adjusted, x.p_adjusted) < 1e-12);
    CHECK(swapped.pairs[0].blocks[k].difference == -x.difference);
    CHECK(off(reversed.pairs[0].blocks[8 - k].p_adjusted, x.p_adjusted) < 1e-12);
  }
  // Too many relabelings for all of them: 20,000 with the labels seen among them, the same for a seed.
  const std::vector<Condition> ten = random_conditions(rng, {10, 10}, 4, 4);
  const Comparison drawn = must(compare_conditions(groups_of(2), all_of(4), ten, {}));
  CHECK(drawn.method == Method::monte_carlo);
  CHECK(drawn.relabelings == 20000);
  CHECK(drawn.pairs[0].blocks[0].p_adjusted >= 1.0 / 20000);
  CHECK(drawn.pairs[0].blocks[0].significant);
  CHECK(must(compare_conditions(groups_of(2), all_of(4), ten, {})).pairs[0].blocks[1].p_adjusted ==
        drawn.pairs[0].blocks[1].p_adjusted);
}

TEST_CASE("where nothing differs the family-wise error is the one attainable") {
  Rng rng(11, Purpose::test);
  int two = 0, three = 0;
  const auto found = [&](const std::vector<int64_t>& runs) {
    CompareOptions options;
    options.alpha = 0.05;
    const Comparison r = must(compare_conditions(groups_of(3), all_of(9), random_conditions(rng, runs, 9), options));
    for (const PairComparison& p : r.pairs)
      for (const BlockComparison& b : p.blocks)
        if (b.significant) return true;
    return false;
  };
  for (int k = 0; k < 1000; ++k) two += found({5, 5});
  for (int k = 0; k < 40; ++k) three += found({3, 3, 3});
  MESSAGE("false positives: ", two, " of 1000, ", three, " of 40");
  CHECK(two >= 34);  // 12/252 expected: 47.6
  CHECK(two <= 62);
  CHECK(three <= 8);  // 84/1680 expected: 2
}

TEST_CASE("blocks without spread or possibility neither divide by zero nor dominate") {
  Rng rng(7, Purpose::test);
  std::vector<Condition> conditions = random_conditions(rng, {5, 5}, 9, 5);
  for (size_t c = 0; c < 2; ++c)
    for (BlockAverages& run : conditions[c].runs) {
      run.mean_abs[2] = 0;                             // nothing there
      run.mean_abs[3] = 0.1;                           // constant
      run.mean_abs[4] = static_cast<double>(c);        // each condition constant, apart
      run.mean_abs[5] = 1 + (c == 0 ? 1e-17 : 0);      // rounding
      run.mean_abs[8] = 100 * static_cast<double>(c);  // cannot exist
    }
  std::vector<uint8_t> possible = all_of(9);
  possible[8] = 0;
  const Comparison r = must(compare_conditions(groups_of(3), possible, conditions, {}));
  const auto& blocks = r.pairs[0].blocks;
  CHECK(r.tested == 8);
  for (size_t k : {2, 3, 5, 8}) {
    CHECK(!blocks[k].tested);
    CHECK(blocks[k].p_adjusted == 1);
    CHECK(!blocks[k].significant);
  }
  CHECK(std::isinf(blocks[4].t));
  CHECK(std::isnan(blocks[4].g));
  CHECK(blocks[4].p_adjusted == doctest::Approx(2.0 / 252));
  CHECK(blocks[0].p_adjusted < 0.05);  // found all the same
}

TEST_CASE("hostile comparisons are refused") {
  Rng rng(9, Purpose::test);
  const std::vector<Condition> good = random_conditions(rng, {3, 3}, 4);
  const auto refused = [&](std::vector<Condition> conditions, CompareOptions options = {}) {
    return !compare_conditions(groups_of(2), all_of(4), conditions, options).ok();
  };
  CHECK(!refused(good));
  CHECK(refused({good[0]}));
  CHECK(refused({good[0], good[0]}));
  std::vector<Condition> bad = good;
  bad[1].runs.resize(1);
  CHECK(refused(bad));
  bad = good;
  bad[0].runs[2].mean_abs[1] = not_a_number;
  CHECK(refused(bad));
  bad = good;
  bad[0].runs[0] = run_of({1, 2});
  CHECK(refused(bad));
  CompareOptions options;
  options.reference = "another";
  CHECK(refused(good, options));
  options = {};
  options.alpha = 2;
  CHECK(refused(good, options));
  CHECK(!compare_conditions(groups_of(2), std::vector<uint8_t>(4, 0), good, {}).ok());
  CHECK(!compare_conditions(groups_of(2), all_of(4), good, {}, [](double) { return false; }).ok());
}

TEST_CASE("the power curve falls, and a simulation finds what it says") {
  const std::vector<PowerPoint> curve = power_curve(21);
  REQUIRE(curve.size() == 18);
  CHECK(std::isinf(curve[0].g));  // 2/20 is above .05
  CHECK(curve[0].least_p == doctest::Approx(0.1));
  for (size_t k = 2; k < curve.size(); ++k) CHECK(curve[k].g < curve[k - 1].g);
  Rng rng(13, Purpose::test);
  const double g = detectable_effect(8, 9);
  int found = 0;
  const int simulations = 60;
  for (int k = 0; k < simulations; ++k) {
    std::vector<Condition> conditions = {{"a", {}}, {"b", {}}};
    for (size_t c = 0; c < 2; ++c)
      for (int run = 0; run < 8; ++run) {
        Vector x = normals(rng, 9);
        x[0] += c == 1 ? g : 0;
        conditions[c].runs.push_back(run_of(x));
      }
    found += must(compare_conditions(groups_of(3), all_of(9), conditions, {})).pairs[0].blocks[0].significant;
  }
  CHECK(found >= 34);  // of 48 expected; four standard deviations below and above
  CHECK(found <= 60);
}

TEST_CASE("sessions become a report; other networks and runs given twice are refused") {
  std::vector<NamedSession> sessions;
  for (uint64_t seed : {1, 2, 3, 4}) {
    sessions.push_back(session_of("plain & simple", seed));
    sessions.push_back(session_of("slow", seed, R"(,"optimizer":{"lr":0.0001})"));
  }
  CompareChoices choices;
  choices.level = BlockLevel::population;
  const CompareReport r = must(compare_sessions(sessions, choices));
  CHECK(r.comparison.names == std::vector<std::string>{"plain & simple", "slow"});
  CHECK(r.differs == std::vector<std::string>{"training.optimizer.lr"});
  CHECK(r.comparison.least_p == doctest::Approx(2.0 / 70));
  CHECK(pair_name(r, 0) == "slow − plain & simple");
  const std::string csv = compare_csv(r), runs = compare_runs_csv(r), means = compare_conditions_csv(r);
  CHECK(std::count(means.begin(), means.end(), '\n') == 1 + 2 * 4);
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 1 + 4);
  CHECK(std::count(runs.begin(), runs.end(), '\n') == 1 + 8 * 4);
  CHECK(!json::parse(compare_json(r, "out", {"blocks.csv"}), nullptr, false).is_discarded());
  std::set<std::string> names;
  for (const NamedFigure& f : compare_figures(r)) {
    CHECK(names.insert(f.name).second);
    const plot::Drawing d = plot::drawing_of(f.figure);
    CHECK(d.width > 50);
    CHECK(d.height > 50);
    CHECK(d.height < 3000);
    CHECK(plot::csv_of(f.figure).size() > 40);
  }
  const std::string page = compare_page(r, {});
  CHECK(page.find("replicates of the optimisation, not animals") != std::string::npos);
  CHECK(page.find("plain & simple") == std::string::npos);  // escaped

  choices.level = BlockLevel::layer;
  CHECK(!compare_sessions(sessions, choices).ok());  // no labels
  choices.level = BlockLevel::population;
  choices.checkpoint = CompareCheckpoint::dense;
  CHECK(!compare_sessions(sessions, choices).ok());
  choices.checkpoint = CompareCheckpoint::initial;
  CHECK(compare_sessions(sessions, choices).ok());
  choices.checkpoint = CompareCheckpoint::final;
  std::vector<NamedSession> bad = sessions;
  bad.push_back(sessions[0]);
  CHECK(!compare_sessions(bad, choices).ok());
  bad = sessions;
  bad[3].session.spec.populations[0].size += 1;
  const Result<CompareReport> refused = compare_sessions(bad, choices);
  REQUIRE(!refused.ok());
  CHECK(refused.error().text().find("populations.0.size") != std::string::npos);
  bad = sessions;
  bad[2].group = "slow";  // another learning rate than the others of that name
  CHECK(!compare_sessions(bad, choices).ok());
}

TEST_CASE("blocks by checkpoint and level: tables over runs, and currents between layers and areas") {
  const std::string json =
      R"({"dalea":1,"populations":[{"name":"a","size":4,"sign":"+","area":"V1","layer":"L4"},)"
      R"({"name":"b","size":6,"sign":"-","area":"V1","layer":"L5"},{"name":"c","size":2,"sign":"+","area":"LM","layer":"L4"}],)"
      R"("connectivity":{"probability":0.5},"stages":{"prune":true,"fine_tune":1},)"
      R"("task":{"steps":7,"train":40,"validation":10,"held_out":10},"training":{"epochs":1,"batch":20}})";
  std::vector<NamedSession> sessions;
  std::unique_ptr<Trainer> trainer;
  for (uint64_t seed : {1, 2, 3}) {
    Spec spec = spec_of(json);
    spec.seed = seed;
    trainer = trainer_of(spec);
    train_to_end(*trainer);
    sessions.push_back({"s" + std::to_string(seed), "all", must(read_session(write_session(*trainer, "test"), "s"))});
  }
  const std::vector<BlockTable> tables = must(block_tables(sessions, must(group_sessions(sessions))));
  REQUIRE(tables.size() == 3 * 3);
  const BlockTable& dense = tables[5];
  CHECK(dense.checkpoint == CompareCheckpoint::dense);
  CHECK(dense.groups.level == BlockLevel::area);
  Vector mean;  // LM from V1
  for (const NamedSession& s : sessions) {
    const Weights& w = s.session.state.dense->W_rec;
    double sum = 0;
    for (int64_t i = 10; i < 12; ++i)
      for (int64_t j = 0; j < 10; ++j) sum += static_cast<double>(w.at(i, j));
    mean.push_back(sum / 20);
  }
  const Dispersion over = must(dispersion_of(mean));
  CHECK(dense.mean[2].mean == doctest::Approx(over.mean));
  CHECK(dense.mean[2].sd == doctest::Approx(over.sd));
  CHECK(tables[8].checkpoint == CompareCheckpoint::sparse);
  CHECK(tables[8].density[0] < dense.density[0]);
  const std::string csv = block_tables_csv(tables);
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 1 + 3 * (9 + 9 + 4));

  StatesReport r;
  r.spec = trainer->spec();
  Workers workers(1);
  r.study = must(study_states(trainer->model(), trainer->data(), 10, 5, {0, 12}, best_isa(), workers));
  const StatesReport areas = must(states_at_level(r, BlockLevel::area));
  REQUIRE(areas.study.currents.input.size() == 2);
  CHECK(areas.spec.populations[1].name == "LM");
  const Currents &fine = r.study.currents, &coarse = areas.study.currents;
  CHECK(coarse.recurrent[0] ==
        doctest::Approx(0.4 * (fine.recurrent[0] + fine.recurrent[1]) + 0.6 * (fine.recurrent[3] + fine.recurrent[4])));
  CHECK(coarse.recurrent[3] == doctest::Approx(fine.recurrent[8]));
  CHECK(coarse.connections[2] == fine.connections[6] + fine.connections[7]);
  CHECK(coarse.total(0) == doctest::Approx(0.4 * fine.total(0) + 0.6 * fine.total(1)));
  CHECK(!states_at_level(r, BlockLevel::type).ok());
  CHECK(experiment_notes(r.spec).empty());
  CHECK(input_mask_meaning(true) != input_mask_meaning(false));
}
