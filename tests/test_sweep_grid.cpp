#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "common/files.h"
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

SweepOptions sweep_options() {
  SweepOptions options;
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
  SweepOptions options = sweep_options();
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
  SweepOptions outer = sweep_options();
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
