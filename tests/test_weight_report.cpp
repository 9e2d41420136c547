// Weights of conditions against numpy and scipy (tests/py/make_weights_golden.py), sessions put into groups, and what
// is said about spanning trees.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "common/session_weights.h"
#include "common/tree_report.h"
#include "common/weight_report.h"
#include "figure_helpers.h"
#include "helpers.h"

using namespace dalea;
using namespace dalea::testing;
using nlohmann::json;

namespace {

const json& weights_golden() {
  static const json g = [] {
    std::ifstream file(DALEA_SOURCE_DIR "/tests/golden/weights.json");
    REQUIRE(file.good());
    return json::parse(file);
  }();
  return g;
}

std::vector<Population> populations_of(int64_t e, int64_t i) {
  std::vector<Population> p(2);
  p[0].name = "E";
  p[0].size = e;
  p[0].sign = Sign::excitatory;
  p[1].name = "I";
  p[1].size = i;
  p[1].sign = Sign::inhibitory;
  return p;
}

std::vector<WeightGroup> golden_groups() {
  std::vector<WeightGroup> groups;
  for (const json& g : weights_golden()["groups"]) {
    WeightGroup group;
    group.name = g["name"];
    for (const json& w : g["initial"]) group.initial.push_back(weights_from_rows(20, 20, w.get<std::vector<float>>()));
    for (const json& w : g["final"]) group.final.push_back(weights_from_rows(20, 20, w.get<std::vector<float>>()));
    groups.push_back(std::move(group));
  }
  return groups;
}

WeightReport report_of(const std::vector<WeightGroup>& groups, const std::vector<Population>& populations,
                       const WeightReportOptions& options = {}) {
  Result<WeightReport> r = report_weights(groups, populations, options);
  REQUIRE_MESSAGE(r.ok(), (r.ok() ? "" : r.error().text()));
  return std::move(*r);
}

WeightReport golden_report() {
  WeightReportOptions options;
  options.bins = weights_golden()["bins"];
  return report_of(golden_groups(), populations_of(15, 5), options);
}

std::string refusal(std::vector<WeightGroup> groups, int64_t e = 1, int64_t i = 1,
                    const WeightReportOptions& options = {}) {
  const Result<WeightReport> r = report_weights(groups, populations_of(e, i), options);
  return r.ok() ? "" : r.error().text();
}

NamedSession session_of(const std::string& path, const std::string& training, const std::string& more = "",
                        const std::string& group = "") {
  NamedSession s;
  s.path = path;
  s.group = group;
  s.session.spec = spec_of(tiny_json(training, more));
  return s;
}

std::string grouping_refusal(const std::vector<NamedSession>& sessions) {
  const Result<std::vector<SessionGroup>> g = group_sessions(sessions);
  return g.ok() ? "" : g.error().text();
}

void check_same_weights(const Weights& a, const Weights& b) {
  REQUIRE(a.rows == b.rows);
  REQUIRE(a.cols == b.cols);
  for (int64_t j = 0; j < a.cols; ++j)
    for (int64_t i = 0; i < a.rows; ++i) CHECK(a.at(i, j) == b.at(i, j));
}

}  // namespace

TEST_CASE("weight report: counts, moments, bins and mean matrix are numpy's, densities scipy's") {
  const WeightReport r = golden_report();
  REQUIRE(r.groups.size() == 2);
  for (size_t g = 0; g < 2; ++g) {
    const json& expected = weights_golden()["groups"][g];
    for (const char* when : {"before", "after"}) {
      const WeightSet& set = when == std::string("before") ? r.groups[g].initial : r.groups[g].final;
      const json& e = expected[when];
      CAPTURE(when);
      CHECK(set.all.count == 400 * r.groups[g].runs);
      CHECK(set.all.mean == doctest::Approx(e["mean"].get<double>()).epsilon(1e-11));
      CHECK(set.all.sd == doctest::Approx(e["sd"].get<double>()).epsilon(1e-11));
      CHECK(set.all.zero == e["zero"].get<int64_t>());
      CHECK(set.all.negligible == e["negligible"].get<int64_t>());
      CHECK(set.all.positive == e["positive"].get<int64_t>());
      CHECK(set.all.negative == e["negative"].get<int64_t>());
      CHECK(set.histogram.counts == e["counts"].get<std::vector<int64_t>>());
      CHECK(set.by_sign[0].count == 15 * 20 * r.groups[g].runs);
      CHECK(set.by_sign[0].count + set.by_sign[1].count == set.all.count);
      CHECK(set.by_sign[2].count == 0);
      CHECK(set.by_sign[0].zero + set.by_sign[1].zero == set.all.zero);

      std::vector<double> pooled;
      for (const json& w : expected[when == std::string("before") ? "initial" : "final"])
        for (const json& v : w) pooled.push_back(static_cast<double>(v.get<float>()));
      const std::vector<double> grid = weights_golden()["grid"], kde = e["kde"];
      const KernelDensity near = *binned_kde(pooled, grid), exact = *gaussian_kde(pooled, grid);
      const double peak = *std::max_element(kde.begin(), kde.end());
      for (size_t k = 0; k < grid.size(); ++k) {
        CHECK(std::fabs(near.density[k] - kde[k]) < 1e-3 * peak);
        CHECK(std::fabs(exact.density[k] - kde[k]) < 1e-9 * peak);
      }
      const KernelDensity here = *gaussian_kde(pooled, r.grid);
      REQUIRE(set.density.size() == r.grid.size());
      for (size_t k = 0; k < r.grid.size(); ++k) CHECK(std::fabs(set.density[k] - here.density[k]) < 1e-3 * peak);
    }
    CHECK(r.groups[g].initial.all.wrong_sign == 0);
    CHECK(r.groups[g].final.all.wrong_sign == expected["wrong_sign"].get<int64_t>());
    for (size_t k = 0; k < 400; ++k)
      CHECK(r.groups[g].mean_matrix[k] == static_cast<float>(expected["mean_matrix"][k].get<double>()));
  }
  CHECK(r.groups[1].final.all.wrong_sign == 0);
  CHECK(r.groups[1].final.all.zero > 50);
  CHECK(std::find(r.grid.begin(), r.grid.end(), 0.0) != r.grid.end());
  CHECK(std::is_sorted(r.grid.begin(), r.grid.end()));
}

TEST_CASE("weight report: divergences of all pairs are scipy's, with the published bar beside the honest one") {
  const WeightReport r = golden_report();
  REQUIRE(r.divergences.size() == 4);
  const WeightDivergence& d = r.divergences[0];
  CHECK(d.group == "dale");
  CHECK_FALSE(d.initial);
  CHECK(d.runs == std::vector<std::pair<int64_t, int64_t>>{{0, 0}, {0, 1}, {1, 0}, {1, 1}, {2, 0}, {2, 1}});
  for (const char* key : {"common", "published"}) {
    const KlPairs& k = key == std::string("common") ? d.common : d.published;
    const json& e = weights_golden()[key];
    REQUIRE(k.pairs.size() == 6);
    for (size_t p = 0; p < 6; ++p) CHECK(k.pairs[p] == doctest::Approx(e["pairs"][p].get<double>()).epsilon(1e-9));
    CHECK(k.mean == doctest::Approx(e["mean"].get<double>()).epsilon(1e-9));
    CHECK(k.sd == doctest::Approx(e["sd"].get<double>()).epsilon(1e-9));
    CHECK(k.published_bar == doctest::Approx(e["bar"].get<double>()).epsilon(1e-9));
  }
  // The reference against itself: its own other runs, no run against itself, which would be 0.
  const WeightDivergence& self = r.divergences[2];
  CHECK(self.itself);
  CHECK(self.group == "conventional");
  CHECK(self.runs.size() == 6);
  for (double v : self.common.pairs) CHECK(v > 0);
  CHECK(self.common.mean < d.common.mean);

  WeightReportOptions other;
  other.reference = "dale";
  CHECK(report_of(golden_groups(), populations_of(15, 5), other).divergences[0].group == "conventional");
  other.reference = "none of them";
  CHECK(report_of(golden_groups(), populations_of(15, 5), other).divergences.empty());
}

TEST_CASE("weight report: of a sparse matrix only the connections that exist count") {
  WeightGroup g;
  g.name = "sparse";
  for (int run = 0; run < 2; ++run) {
    Weights w;
    w.rows = w.cols = 2;
    w.pattern = make_pattern(2, 2, std::vector<uint8_t>{1, run == 0, 0, 1});  // (0, 0), (1, 0) in one run, (1, 1)
    w.values = run == 0 ? std::vector<float>{0.5f, 0.0f, -0.25f} : std::vector<float>{-0.5f, 1e-6f};
    g.initial.push_back(w);
    g.final.push_back(w);
  }
  const WeightReport r = report_of({g}, populations_of(1, 1));
  const WeightTally& t = r.groups[0].final.all;
  CHECK(t.count == 5);
  CHECK(t.zero == 1);
  CHECK(t.negligible == 2);
  CHECK(t.wrong_sign == 2);  // -0.5 from E, 1e-6 from I
  CHECK(t.share(t.zero) == 0.2);
  CHECK(r.groups[0].final.by_sign[1].count == 2);
  const std::vector<float>& m = r.groups[0].mean_matrix;
  CHECK(m[0] == 0);
  CHECK(std::isnan(m[1]));  // no run has it
  CHECK(m[2] == 0);
  CHECK(m[3] == (-0.25f + 1e-6f) / 2);
  CHECK(r.divergences.empty());
  const plot::Figure f = weight_matrices_figure(r);
  CHECK(says(plot::drawing_of(f), "absent"));
}

TEST_CASE("weight report: figures keep their words apart, tables have every number") {
  std::vector<WeightGroup> groups = golden_groups();
  WeightGroup third = groups[1], fourth = groups[0];
  third.name = "dale, pruned";
  fourth.name = "rectified, rectified feedback, \"quoted\"";
  groups.push_back(third);
  groups.push_back(fourth);
  const WeightReport r = report_of(groups, populations_of(15, 5));
  for (const plot::Figure& f : {weights_figure(r), weight_matrices_figure(r), weights_figure(golden_report())}) {
    const plot::Drawing d = plot::drawing_of(f);
    check_layout(d);
    check_balanced(plot::to_svg(d));
  }
  CHECK(says(plot::drawing_of(weights_figure(r)), "before training"));
  CHECK(says(plot::drawing_of(weights_figure(r)), "as published"));
  CHECK(count_of(weights_csv(r), ",histogram,") == 4 * 2 * 100);
  CHECK(count_of(weights_csv(r), ",kernels,") == 4 * 2 * r.grid.size());
  CHECK(weights_csv(r).find("\"rectified, rectified feedback, \"\"quoted\"\"\",final,") != std::string::npos);
  CHECK(count_of(weight_kl_csv(r), "\n") == 1 + 2 * (6 + 6 + 9 + 6));
  CHECK(weight_table(r).rows.size() == 8);
  CHECK(weight_kl_table(r).rows.size() == 8);
  for (const ReportTable& t : {weight_table(r), weight_kl_table(r)})
    for (const auto& row : t.rows) CHECK(row.size() == t.columns.size());

  WeightGroup flat = groups[0];  // nothing but zeros: no density to draw, and it is no error
  for (Weights& w : flat.final) std::fill(w.values.begin(), w.values.end(), 0.0f);
  const WeightReport zeros = report_of({flat}, populations_of(15, 5));
  CHECK(zeros.groups[0].final.density.empty());
  CHECK(zeros.groups[0].final.all.zero == 1200);
  check_layout(plot::drawing_of(weights_figure(zeros)));
}

TEST_CASE("weight report: wrong input is answered") {
  WeightGroup g;
  g.name = "a";
  CHECK(refusal({}).find("groups: is empty") == 0);
  CHECK(refusal({g}).find("group a: runs: has 0 initial and 0 final") == 0);
  g.final = {weights_from_rows(2, 2, {1, 2, 3, 4})};
  CHECK(refusal({g}).find("group a: runs: has 0 initial and 1 final") == 0);
  g.initial = g.final;
  CHECK(refusal({g}) == "");
  CHECK(refusal({g, g}).find("groups: has two called a") == 0);
  CHECK(refusal({g}, 2, 1).find("group a: run 1, initial weights: is 2 x 2, but the populations have 3 units") == 0);
  WeightReportOptions options;
  options.bins = 0;
  CHECK(refusal({g}, 1, 1, options).find("bins: is 0") == 0);
  options.bins = 100;
  options.scale = -1;
  CHECK(refusal({g}, 1, 1, options).find("scale: ") == 0);
  g.final[0].values[3] = std::nanf("");
  CHECK(refusal({g}).find("group a: run 1, final weights: has a weight that is not finite") == 0);
  g.final = {weights_from_rows(2, 2, {1, 2, 3})};
  CHECK(refusal({g}).find("group a: run 1, final weights: ") == 0);
  Weights none;
  none.rows = none.cols = 2;
  none.pattern = make_pattern(2, 2, std::vector<uint8_t>(4, 0));
  g.initial = g.final = {none};
  CHECK(refusal({g}).find("group a: runs: have no recurrent connection") == 0);
  CHECK_FALSE(binned_kde(std::vector<double>{1, 1}, std::vector<double>{0}).ok());
  CHECK(binned_kde(std::vector<double>{1, 2}, std::vector<double>{1, 0}).error().text().find("grid: ") == 0);
}

TEST_CASE("session weights: what training began with is computed anew from the experiment") {
  for (const char* more : {"", R"(,"connectivity":{"probability":0.5,"storage":"dense"})",
                           R"(,"connectivity":{"probability":0.3,"storage":"sparse"})"}) {
    CAPTURE(more);
    const Spec spec = spec_of(tiny_json(R"("epochs":2,"batch":20,"optimizer":{"lr":0.01})", more));
    const std::unique_ptr<Trainer> trainer = trainer_of(spec);
    train_to_end(*trainer);
    Result<Session> session = read_session(write_session(*trainer, "test"), "s.npz");
    REQUIRE(session.ok());
    const TrainedWeights w = trained_weights(*session);
    check_same_weights(w.initial, trainer->initial().W_rec);
    check_same_weights(w.final, trainer->model().parameters.W_rec);
    CHECK(w.initial.sparse() == (trainer->mask() != nullptr));
    if (trainer->mask()) CHECK(w.final.pattern->count() == trainer->mask()->count());
    CHECK(hash_of(trainer->initial()) != trainer->hash());
  }
}

TEST_CASE("session weights: conditions are found, and what may not be compared is refused with a remedy") {
  const std::string dale = R"("batch":20,"epochs":2,"constraint":"dale")",
                    other = R"("batch":20,"epochs":2,"constraint":"conventional")";
  const auto named = [](const std::string& training, const std::string& more) {
    return condition_of(session_of("s", training, more).session);
  };
  CHECK(named(dale, "") == "dale");
  CHECK(named(dale, R"(,"network":{"feedback":"rectified"})") == "dale");  // the same network
  CHECK(named(dale, R"(,"network":{"feedback":"plain"})") == "dale, plain feedback");
  CHECK(named(other, R"(,"network":{"feedback":"plain"})") == "conventional");
  CHECK(named(other, R"(,"network":{"feedback":"rectified"})") == "conventional, rectified feedback");

  NamedSession a = session_of("a", dale), b = session_of("b", other), c = session_of("c", dale, R"(,"seed":2)");
  NamedSession d = session_of("d", R"("batch":20,"epochs":7,"constraint":"dale")");
  d.session.state.mask = make_pattern(20, 20, std::vector<uint8_t>(400, 1));
  const std::vector<SessionGroup> groups = *group_sessions({a, b, c, d});  // a retraining has its own epochs
  REQUIRE(groups.size() == 3);
  CHECK(groups[0].name == "dale");
  CHECK(groups[0].sessions == std::vector<size_t>{0, 2});
  CHECK(groups[1].name == "conventional");
  CHECK(groups[2].name == "dale, pruned");

  CHECK(grouping_refusal({}).find("sessions: are missing") == 0);
  CHECK(grouping_refusal({a, a}).find("a: is the same run and seed as a; give each run once") == 0);
  const std::string lr = R"("batch":20,"epochs":2,"optimizer":{"lr":0.5},"constraint":"conventional")";
  const NamedSession e = session_of("e", lr);
  CHECK(grouping_refusal({a, e}).find("e: differs from a in training.optimizer.lr; where that is the condition, name "
                                      "the groups: --group NAME=e") == 0);
  CHECK(grouping_refusal({a, session_of("f", R"("batch":20,"epochs":2)", R"(,"name":"titles may differ","seed":3)")}) ==
        "");
  NamedSession wave = session_of("w", dale);
  wave.session.spec.task.steps = 9;
  CHECK(grouping_refusal({a, wave}).find("w: differs from a in task.steps; weights of different experiments") == 0);
  wave.group = "wave";
  CHECK(grouping_refusal({a, wave}).find("w: differs from a in task.steps; weights of different experiments") == 0);

  NamedSession fast = e;
  fast.group = "fast";
  CHECK(grouping_refusal({a, fast}) == "");
  a.group = "fast";
  CHECK(grouping_refusal({a, fast}).find("e: is in the group fast with a, but they differ in training.") == 0);
  NamedSession wider = session_of("g", dale);
  wider.group = "wider";
  wider.session.spec.populations[0].size = 17;
  CHECK(grouping_refusal({a, wider}).find("g: differs from a in populations.0.size; ") == 0);
}

TEST_CASE("trees: the sentence about the bound is computed") {
  OverlapStudy study;
  for (double s : {0.0, 0.5, 0.9, 1.0}) {
    OverlapPoint p;
    p.size = 7;
    p.sparsity = s;
    p.random = 1 - s;
    p.bound.published = 0.2;  // above 0.1 only
    p.bound.corrected = 0.05;
    study.points.push_back(p);
  }
  const std::vector<BoundComparison> c = compare_bounds(study);
  REQUIRE(c.size() == 1);
  CHECK(c[0].sparsities == 3);
  CHECK(c[0].published_above == std::vector<double>{0.9});
  CHECK(c[0].corrected_above.empty());
  CHECK(bound_sentence(c[0]) ==
        "N = 7: the lower bound of top-prob lies below what random pruning keeps at 2 of 3 sparsities (not at 0.9) as "
        "published, and at 3 of 3 sparsities when corrected. It does not show that top-prob keeps more than chance.");
  for (OverlapPoint& p : study.points) p.bound.corrected = 1.5;
  const std::string above = bound_sentence(compare_bounds(study)[0]);
  CHECK(above.find("at 0 of 3 sparsities when corrected.") != std::string::npos);
  CHECK(above.find("chance") == std::string::npos);
}

TEST_CASE("trees: a study reports its progress, can be cancelled, and its figure keeps its words apart") {
  OverlapStudyOptions o;
  o.sizes = {6, 9};
  o.matrices = 3;
  o.draws = 2;
  int64_t done = 0, all = 0;
  std::atomic<bool> cancel{false};
  const auto progress = [&](int64_t d, int64_t a) {
    CHECK(d == done + 1);
    done = d;
    all = a;
  };
  const OverlapStudy study = *study_overlap(o, 1, Purpose::test, 0, progress, &cancel);
  CHECK(study.complete);
  CHECK(all == 2 * 3 * 2 * 3 * 21);
  CHECK(done == all);
  CHECK(study.survivors.size() == 6);
  for (const plot::Figure& f : {trees_figure(study, 0.9), trees_figure(study, 0.9, true)})
    check_layout(plot::drawing_of(f));
  CHECK(count_of(trees_csv(study), "\n") == 1 + 2 * 3 * 21);
  CHECK(count_of(survivors_csv(study), "6,random,histogram,") == 20);
  CHECK(trees_table(study).rows.size() == 2 * 21);

  const auto stop_in_second_size = [&](int64_t d, int64_t) { cancel = d > 3 * 2 * 3 * 21 + 5; };
  const OverlapStudy part = *study_overlap(o, 1, Purpose::test, 0, stop_in_second_size, &cancel);
  CHECK_FALSE(part.complete);
  REQUIRE(part.points.size() == 3 * 21);
  for (size_t k = 0; k < part.points.size(); ++k) CHECK(part.points[k].mean == study.points[k].mean);
  CHECK(part.survivors.size() == 3);
  const OverlapStudy nothing = *study_overlap(o, 1, Purpose::test, 0, nullptr, &cancel);
  CHECK_FALSE(nothing.complete);
  CHECK(nothing.points.empty());
}

TEST_CASE("trees: a given matrix is pruned many times; zeros are left alone") {
  Weights w;
  w.name = "W_rec";
  w.rows = w.cols = 24;
  Rng rng(5, Purpose::test, 77);
  for (int e = 0; e < 576; ++e) w.values.push_back((e % 24 + e / 24) % 4 == 0 ? 0.0f : rng.uniform(-1, 1));
  OverlapStudyOptions o;
  o.sparsities = {0.25, 0.5};
  o.draws = 400;
  const OverlapStudy s = *study_overlap_of(w, o, 1, Purpose::test);
  REQUIRE(s.complete);
  REQUIRE(s.points.size() == 6);
  CHECK(s.points[0].random == 1);  // what is absent already suffices
  CHECK(s.points[0].mean == 1);
  CHECK(s.points[1].random == doctest::Approx(2 / 3.0));
  CHECK(s.points[1].mean == doctest::Approx(2 / 3.0).epsilon(0.02));
  // Of 47 edges, each kept by itself.
  CHECK(s.points[1].sd == doctest::Approx(std::sqrt(2 / 9.0 / 47)).epsilon(0.12));
  CHECK(s.points[5].mean > s.points[1].mean);
  CHECK(s.points[3].sd == 0);  // by magnitude there is one mask
  Weights oblong = w;
  oblong.cols = 12;
  oblong.values.resize(288);
  CHECK(study_overlap_of(oblong, o, 1, Purpose::test).error().text().find("matrix: is 24 x 12") == 0);

  const SpanningTree tree = *maximum_spanning_tree(w);
  const std::vector<TreeEdge> edges = tree_edges(tree, w);
  REQUIRE(edges.size() == 47);
  double sum = 0;
  for (size_t k = 0; k < edges.size(); ++k) {
    CHECK(edges[k].weight == w.at(edges[k].post, edges[k].pre));
    if (k > 0) CHECK(std::fabs(edges[k - 1].weight) >= std::fabs(edges[k].weight));
    sum += std::fabs(static_cast<double>(edges[k].weight));
  }
  CHECK(sum == doctest::Approx(tree.weight));
  const std::string csv = tree_edges_csv(edges, populations_of(20, 4));
  CHECK(csv.find("rank,pre,post,weight,pre_unit,post_unit\n1,") == 0);
  CHECK(count_of(csv, "\n") == 48);
  plot::Figure f;
  f.panels = {tree_panel(w, edges, populations_of(20, 4))};
  check_layout(plot::drawing_of(f));
}
