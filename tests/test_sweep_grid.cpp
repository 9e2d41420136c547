#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/files.h"
#include "common/measure_report.h"
#include "common/sweep_report.h"
#include "helpers.h"
#include "numerics/hash.h"
#include "numerics/parallel.h"

using namespace dalea;
using namespace dalea::testing;

namespace {

namespace fs = std::filesystem;

Result<std::string> no_experiment(const std::string& name) {
  return Error{name, "is not there; give another"};
}

std::string grid_json(const std::string& grid, const std::string& more = "") {
  return R"({"dalea_sweep":1,"experiment":)" + tiny_json(three_epochs) + R"(,"grid":)" + grid + more + "}";
}

SweepPlan plan_of(const std::string& json) {
  ReadSweep read = read_sweep(json, no_experiment);
  for (const Error& e : read.problems) FAIL_CHECK(e.text());
  return read.plan;
}

std::string problem_of(const std::string& json) {
  const ReadSweep read = read_sweep(json, no_experiment);
  REQUIRE(!read.problems.empty());
  return read.problems.front().text();
}

SweepRunOptions sweep_options() {
  SweepRunOptions options;
  options.make_data = [](Spec& spec, int64_t run) { return make_dataset(spec, nullptr, run); };
  return options;
}

struct Folder {
  std::string path;
  explicit Folder(const std::string& name)
      : path((fs::temp_directory_path() / ("dalea-sweep-" + name + "-" + std::to_string(::getpid()))).string()) {
    fs::remove_all(path);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

void run_all(const SweepPlan& plan, const std::string& out, int threads) {
  REQUIRE(claim_sweep_folder(plan, out).ok());
  Workers workers(threads);
  workers.run(static_cast<int>(plan.runs()), [&](int k) {
    const Result<SweepEnd> end = run_of_sweep(plan, k, out, sweep_options());
    CHECK(end.ok());
  });
}

}  // namespace

TEST_CASE("sweep grid: every combination, the first key slowest; runs are numbered through") {
  const SweepPlan plan =
      plan_of(grid_json(R"({"training.optimizer.lr":[0.01,0.001],"network.activation":["relu","tanh","sigmoid"]})",
                        R"(,"iterations":2)"));
  REQUIRE(plan.combinations.size() == 6);
  CHECK(plan.runs() == 12);
  CHECK(plan.label(0) == "lr 0.01, activation relu");
  CHECK(plan.label(1) == "lr 0.01, activation tanh");
  CHECK(plan.label(5) == "lr 0.001, activation sigmoid");
  CHECK(plan.spec_of(2).network.activation == Activation::tanh);
  CHECK(plan.spec_of(6).training.optimizer.lr == 0.001);
  CHECK(plan.spec_of(6).network.activation == Activation::relu);
  CHECK(plan.folder(11) == "run-0012");
  CHECK(plan.sha256 != plan_of(grid_json(R"({"training.optimizer.lr":[0.01]})")).sha256);
  // Changes come before the grid's values.
  const ReadSweep set = read_sweep(grid_json(R"({"seed":[3,4]})", R"(,"set":["training.epochs=1","seed=9"])"),
                                   no_experiment, {"training.batch=7"});
  REQUIRE(set.problems.empty());
  CHECK(set.plan.iterations == 5);
  CHECK(set.plan.combinations[1].seed == 4);
  CHECK(set.plan.combinations[1].training.epochs == 1);
  CHECK(set.plan.combinations[1].training.batch == 7);
}

TEST_CASE("sweep grid: what is wrong is said with its place and a remedy") {
  const auto has = [](const std::string& text, const std::string& part) {
    INFO(text);
    CHECK(text.find(part) != std::string::npos);
  };
  has(problem_of("[]"), "a grid is an object");
  has(problem_of("{"), "grid");
  has(problem_of(grid_json("{}", R"(,"iteration":2)")), "did you mean 'iterations'");
  has(problem_of(grid_json("{}", R"(,"iterations":0)")), "iterations: 0");
  has(problem_of(grid_json("{}", R"(,"set":"a=1")")), "set: ");
  has(problem_of(grid_json(R"({"task.length":3})")), "grid.task.length");
  has(problem_of(grid_json(R"({"task.length":[]})")), "grid.task.length");
  has(problem_of(grid_json(R"({"seed":[1,2,1]})")), "twice");
  has(problem_of(grid_json(R"({"runs":[1,2]})")), "iterations");
  has(problem_of(grid_json(R"({"training.optimizer.rate":[1]})")), "training.optimizer.rate");
  has(problem_of(grid_json(R"({"training.optimizer.lr":[0.1,-1]})")), "lr=-1");
  has(problem_of(R"({"experiment":{},"grid":{}})"), "dalea_sweep");
  has(problem_of(R"({"dalea_sweep":1,"experiment":"nowhere","grid":{}})"), "nowhere");
  has(problem_of(R"({"dalea_sweep":1,"experiment":5,"grid":{}})"), "experiment");
  has(problem_of(R"({"dalea_sweep":1,"grid":{}})"), "experiment");
  std::string many = R"({"seed":[1)";
  for (int k = 2; k <= 500; ++k) many += "," + std::to_string(k);
  has(problem_of(grid_json(many + R"(],"training.batch":)" + many.substr(8) + "]}")), "10,000 combinations");
}

TEST_CASE("sweep: convergence is read off the curve without its first epoch") {
  const Convergence c = convergence_of({0.1, 5, 3, 1.03, 1, 1.02, 2});
  CHECK(c.minimum == 1);
  CHECK(c.epoch == 5);
  CHECK(c.epoch_99 == 4);  // 1 % of 5 - 1 is 0.04
  CHECK(convergence_of({0.1}).epoch == 0);
  CHECK(convergence_of({1, NAN, 2}).epoch == 3);
}

TEST_CASE("sweep: any number of threads, and stopping anywhere, leave the same networks; a finished run stays") {
  const SweepPlan plan = plan_of(grid_json(R"({"training.optimizer.lr":[0.01,0.001]})", R"(,"iterations":2)"));
  const Folder one("one"), three("three"), stopped("stopped");
  run_all(plan, one.path, 1);
  run_all(plan, three.path, threads_available() ? 3 : 1);
  Result<std::vector<SweepRow>> a = read_sweep_rows(plan, one.path), b = read_sweep_rows(plan, three.path);
  REQUIRE(a.ok());
  REQUIRE(b.ok());
  REQUIRE(sweep_hash(*a).size() == 16);
  CHECK(sweep_hash(*a) == sweep_hash(*b));
  // As `dalea run` trains the second run of the third experiment.
  auto trainer = trainer_of(plan.combinations[1], {}, 1);
  CHECK(hash_text(train_to_end(*trainer)) == (*a)[3].hash);
  CHECK((*a)[3].held_out == trainer->evaluate().held_out);
  REQUIRE((*a)[3].history.size() == 3);
  CHECK((*a)[3].history[2].held_out == trainer->history()[2].held_out);

  std::atomic<bool> cancel{false};
  SweepRunOptions options = sweep_options();
  options.cancel = &cancel;
  int updates = 0;
  options.on_step = [&](const Trainer&, bool begun) {
    if (!begun && ++updates == 4) cancel = true;
  };
  REQUIRE(claim_sweep_folder(plan, stopped.path).ok());
  const Result<SweepEnd> end = run_of_sweep(plan, 0, stopped.path, options);
  REQUIRE(end.ok());
  CHECK(*end == SweepEnd::cancelled);
  Result<std::vector<SweepRow>> none = read_sweep_rows(plan, stopped.path);
  REQUIRE(none.ok());
  CHECK(!(*none)[0].there);
  CHECK(sweep_hash(*none).empty());
  run_all(plan, stopped.path, 1);
  Result<std::vector<SweepRow>> c = read_sweep_rows(plan, stopped.path);
  REQUIRE(c.ok());
  CHECK(sweep_hash(*c) == sweep_hash(*a));
  const Result<SweepEnd> again = run_of_sweep(plan, 2, stopped.path, sweep_options());
  REQUIRE(again.ok());
  CHECK(*again == SweepEnd::was_finished);

  // A run that another process holds is left to it.
  SweepRunOptions outer = sweep_options();
  fs::remove(stopped.path + "/run-0001/result.json");
  bool busy = false;
  outer.on_step = [&](const Trainer&, bool begun) {
    if (!begun) return;
    const Result<SweepEnd> inner = run_of_sweep(plan, 0, stopped.path, sweep_options());
    busy = inner.ok() && *inner == SweepEnd::busy;
  };
  REQUIRE(run_of_sweep(plan, 0, stopped.path, outer).ok());
#ifdef __linux__
  CHECK(busy);
#endif

  const std::string csv = sweep_csv(plan, *a);
  CHECK(csv.rfind("run,combination,iteration,training.optimizer.lr,hash,train,", 0) == 0);
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 5);
  CHECK(sweep_json(plan, *a).find("\"hash\":\"" + sweep_hash(*a)) != std::string::npos);
  const std::string html = sweep_report(plan, *a, {});
  CHECK(html.find("99 % epoch") != std::string::npos);
  CHECK(html.find("<svg") != std::string::npos);

  const SweepPlan other = plan_of(grid_json(R"({"training.optimizer.lr":[0.02]})"));
  CHECK(!claim_sweep_folder(other, one.path).ok());
  CHECK(write_file(one.path + "/run-0002/result.json", std::string_view("{\"hash\": 1}")).ok());
  CHECK(!read_sweep_rows(plan, one.path).ok());
}

TEST_CASE("sweep: the job array quotes its command and has a task for each run") {
  const std::string script = slurm_script({"dalea", "sweep", "it's a grid.json"}, 120);
  CHECK(script.find("#SBATCH --array=1-120\n") != std::string::npos);
  CHECK(script.find("exec 'dalea' 'sweep' 'it'\\''s a grid.json' --task \"$SLURM_ARRAY_TASK_ID\"\n") !=
        std::string::npos);
}

TEST_CASE("sweep: every run has the measures of its mask and weights, in the tables and beside performance") {
  const Folder folder("measures");
  const SweepPlan plan = plan_of(grid_json(R"({"connectivity.probability":[0.2,0.5]})", R"(,"iterations":3)"));
  run_all(plan, folder.path, 2);
  Result<std::vector<SweepRow>> rows = read_sweep_rows(plan, folder.path);
  REQUIRE(rows.ok());
  for (int64_t k = 0; k < plan.runs(); ++k) {
    const SweepRow& row = (*rows)[static_cast<size_t>(k)];
    // The same by hand, from the session.
    const std::string path = folder.path + "/" + plan.folder(k) + "/session.npz";
    Result<std::vector<std::byte>> bytes = read_file(path);
    REQUIRE(bytes.ok());
    Result<Session> session = read_session(*bytes, path);
    REQUIRE_MESSAGE(session.ok(), (session.ok() ? "" : session.error().text()));
    for (const bool weights : {false, true}) {
      const Result<MeasuredNetwork> n = network_of_session(*session, weights ? NetworkOf::now : NetworkOf::mask);
      REQUIRE(n.ok());
      CHECK(n->parts_are == "populations");
      const Result<GraphMeasures> m = measure_graph(n->graph, {weights, n->parts});
      REQUIRE(m.ok());
      const NetworkMeasures& kept = weights ? row.weights : row.mask;
      for (size_t i = 0; i < measure_count; ++i)
        CHECK((kept[i] == m->values[i] || (std::isnan(kept[i]) && std::isnan(m->values[i]))));
    }
    const double p = k < 3 ? 0.2 : 0.5;
    CHECK(row.mask[static_cast<size_t>(Measure::density)] == doctest::Approx(p).epsilon(0.4));
    CHECK(std::isnan(row.mask[static_cast<size_t>(Measure::weighted_clustering)]));
  }
  const std::string csv = sweep_csv(plan, *rows);
  const std::string head = csv.substr(0, csv.find('\n'));
  CHECK(head.find(",mask_density,") != std::string::npos);
  CHECK(head.find(",mask_weighted") == std::string::npos);
  CHECK(head.find(",weights_spectral_radius,failure") != std::string::npos);
  const auto columns = [](const std::string& line) { return std::count(line.begin(), line.end(), ','); };
  CHECK(columns(csv.substr(head.size() + 1, csv.find('\n', head.size() + 1) - head.size() - 1)) == columns(head));
  const nlohmann::json o = nlohmann::json::parse(sweep_json(plan, *rows));
  CHECK(o["runs"][4]["measures"]["mask"]["density"] == (*rows)[4].mask[0]);
  const std::string html = sweep_report(plan, *rows, {});
  CHECK(html.find("Network measures beside performance") != std::string::npos);
  CHECK(html.find("not independent samples") != std::string::npos);
  CHECK(html.find("mask: density") != std::string::npos);
  // Results of before there were measures are read, and the report says nothing of them.
  for (int64_t k = 0; k < plan.runs(); ++k) {
    const std::string path = folder.path + "/" + plan.folder(k) + "/result.json";
    nlohmann::json result = nlohmann::json::parse(as_text(*read_file(path)));
    result.erase("measures");
    if (k == 1) result["measures"] = {{"mask", 3}, {"weights", {{"density", "x"}}}};
    REQUIRE(write_file(path, std::string_view(result.dump())).ok());
  }
  rows = read_sweep_rows(plan, folder.path);
  REQUIRE(rows.ok());
  CHECK(std::isnan((*rows)[0].mask[0]));
  CHECK(std::isnan((*rows)[1].weights[0]));
  CHECK(sweep_report(plan, *rows, {}).find("Network measures") == std::string::npos);
}

TEST_CASE("sweep: n-back reports the negative log likelihood and the accuracy of the asked rows alone") {
  const std::string experiment =
      R"({"dalea":1,"populations":[{"name":"E","size":16,"sign":"+"},{"name":"I","size":4,"sign":"-"}],)"
      R"("task":{"type":"n-back","length":5,"train":60,"validation":20,"held_out":21},)"
      R"("training":{"epochs":3,"batch":20,"optimizer":{"lr":0.01}}})";
  const SweepPlan plan =
      plan_of(R"({"dalea_sweep":1,"iterations":1,"grid":{"task.back":[1,3]},"experiment":)" + experiment + "}");
  const Folder folder("nll");
  run_all(plan, folder.path, 1);
  Result<std::vector<SweepRow>> rows = read_sweep_rows(plan, folder.path);
  REQUIRE(rows.ok());
  for (int64_t k = 0; k < 2; ++k) {
    auto trainer = trainer_of(plan.spec_of(k));
    train_to_end(*trainer);
    const Trials& t = trainer->data().held_out;
    double sum = 0;
    int64_t asked = 0, right = 0;
    for (int64_t n = 0; n < t.count; ++n) {
      const Trainer::Trace trace = trainer->trace(t, n);
      for (int64_t step = 0; step < t.steps; ++step) {
        const int32_t label = t.label[static_cast<size_t>(n * t.steps + step)];
        if (label < 0) continue;
        const float* out = trace.output.data() + step * t.outputs;
        double all = 0;
        for (int64_t c = 0; c < t.outputs; ++c) all += std::exp(static_cast<double>(out[c]));
        sum += std::log(all) - static_cast<double>(out[label]);
        right += std::max_element(out, out + t.outputs) - out == label;
        ++asked;
      }
    }
    CHECK(asked == 21);  // one row of a trial; the others are trimmed
    const SweepRow& row = (*rows)[static_cast<size_t>(k)];
    CHECK(row.held_out == doctest::Approx(sum / 21).epsilon(1e-5));
    CHECK(row.accuracy == doctest::Approx(static_cast<double>(right) / 21));
    CHECK(row.history.back().held_out == row.held_out);
  }
}
