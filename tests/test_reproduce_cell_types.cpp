// Figures 4 and 5: the plan, what pruning gives, and what the reports make of networks.
#include <cmath>
#include <map>
#include <set>

#include "common/reproduce_cell_types.h"
#include "common/reproduce_study.h"
#include "doctest/doctest.h"

using namespace dalea;
using namespace dalea::reproduce;

namespace {

reproduce::Options cell_options(Paper figure, bool corrected = false) {
  reproduce::Options options;
  options.figure = figure;
  options.corrected = corrected;
  options.quick = true;
  const Result<reproduce::Options> checked = check(options);
  REQUIRE(checked);
  return *checked;
}

class InMemory : public Store {
 public:
  Result<std::optional<std::vector<std::byte>>> load(const std::string& name) override {
    const auto found = files.find(name);
    return found == files.end() ? std::optional<std::vector<std::byte>>{} : found->second;
  }
  Status save(const std::string& name, const std::vector<std::byte>& bytes) override {
    files[name] = bytes;
    return {};
  }
  std::map<std::string, std::vector<std::byte>> files;
};

const Finding* finding_of(const Output& output, const std::string& part) {
  for (const Finding& f : output.findings)
    if (f.claim.find(part) != std::string::npos) return &f;
  return nullptr;
}

// Networks with these weights, as if trained.
std::vector<Run> made_runs(const reproduce::Options& options) {
  std::vector<Run> runs;
  std::map<std::string, Parameters> parents;
  for (const Job& job : jobs_of(options)) {
    Run run;
    run.job = job;
    run.hash = "0123456789abcdef";
    EpochRecord last;
    last.epoch = job.spec.training.epochs;
    last.train = last.train_published = last.held_out = 0.01;
    run.history = {last};
    run.fit.assign(18, job.retrains() ? 0.8 : 0.4);
    run.seconds = job.retrains() ? 0.1 : 0.4;
    Ends ends;
    ends.inputs = ends.outputs = 18;
    if (!job.retrains()) {
      run.parameters = build_model(job.spec, ends, job.run).parameters;
      parents[job.id] = run.parameters;
    } else {
      Result<Start> start = start_of(options, job, parents[job.parent]);
      REQUIRE_MESSAGE(start.ok(), (start.ok() ? "" : start.error().text()));
      run.parameters = std::move(start->parameters);
      run.mask = start->mask;
    }
    runs.push_back(std::move(run));
  }
  return runs;
}

}  // namespace

TEST_CASE("figures 4 and 5: what is trained") {
  const std::vector<Job> four = jobs_of(cell_options(Paper::fig4)), five = jobs_of(cell_options(Paper::fig5));
  CHECK(four.size() == 3 * 3 * 2);
  CHECK(five.size() == 3 * 3 * 2);
  reproduce::Options full;
  full.figure = Paper::fig5;
  full = *check(full);
  CHECK(full.runs == 5);
  const std::vector<Job> all = jobs_of(full);
  CHECK(all.size() == 6 * 5 * 2);
  std::set<std::string> ids;
  std::set<int64_t> starts;
  for (const Job& job : all) {
    ids.insert(job.id);
    if (!job.retrains()) starts.insert(job.run);
    CHECK(check_spec(job.spec).empty());
    CHECK(job.spec.units() == 1440);
    CHECK(job.spec.training.epochs == (job.retrains() ? 50 : 70));
    CHECK(job.spec.recording.events.samples == 2000);
  }
  CHECK(ids.size() == all.size());
  CHECK(starts.size() == 30);  // no two networks begin alike
  for (const Job& job : four) {
    CHECK(check_spec(job.spec).empty());
    CHECK(job.spec.recording.events.first_frame == (job.condition == "novel-change-half" ? 7 : 0));
    CHECK(job.spec.training.constraint == (job.condition == "familiar-change-vanilla" ? "conventional" : "dale"));
    for (const Job& other : five)
      if (job.id == other.id) CHECK(same_experiment(job.spec, other.spec));
  }
  const std::vector<Job> corrected = jobs_of(cell_options(Paper::fig4, true));
  for (size_t k = 0; k < four.size(); ++k) {
    CHECK(corrected[k].spec.network.input_mask);
    CHECK_FALSE(four[k].spec.network.input_mask);
    CHECK(corrected[k].spec.recording.smoothing == "causal");
    CHECK(corrected[k].id != four[k].id);
  }
  reproduce::Options wrong;
  wrong.figure = Paper::fig4;
  wrong.tasks = {"wave"};
  CHECK_FALSE(check(wrong).ok());
  CHECK(command_of(cell_options(Paper::fig5)) == "dalea reproduce fig5 --runs 3 --as-published --quick");
}

TEST_CASE("figure 4: expected densities are the published ones") {
  const LayerValues d = expected_layer_density();
  for (size_t post = 0; post < 3; ++post)
    for (size_t pre = 0; pre < 3; ++pre) {
      CHECK(std::fabs(d[post * 6 + pre] - published_expected_density[post * 3 + pre]) < 5.1e-5);
      CHECK(d[(post + 3) * 6 + pre + 3] == doctest::Approx(d[post * 6 + pre]));
    }
  CHECK(d[3 * 6 + 1] == doctest::Approx(0.24));
  CHECK(d[1 * 6 + 5] == doctest::Approx(0.24));
  CHECK(d[2 * 6 + 5] == doctest::Approx(0.24));
  int n = 0;
  for (size_t k = 0; k < 36; ++k) n += possible(k / 6, k % 6);
  CHECK(n == 21);
}

TEST_CASE("figure 4: corrected pruning keeps as many as the table says, the published formula more") {
  double kept[2] = {0, 0}, wanted = 0;
  for (const bool corrected : {false, true}) {
    const reproduce::Options options = cell_options(Paper::fig4, corrected);
    const Job job = jobs_of(options).front();
    Ends ends;
    ends.inputs = ends.outputs = 18;
    const Parameters parent = build_model(job.spec, ends, 0).parameters;
    const Result<PruneOptions> how = cell_type_pruning(options, job.spec);
    REQUIRE(how);
    const Result<KeepProbabilities> keep = keep_probabilities(parent.W_rec, *how);
    REQUIRE(keep);
    wanted = 0;
    for (const PruneBlock& b : how->blocks)
      wanted += (1 - b.sparsity) * static_cast<double>(b.post.size() * b.pre.size());
    kept[corrected] = keep->expected;
  }
  CHECK(kept[1] == doctest::Approx(wanted).epsilon(1e-6));
  CHECK(kept[0] > 1.01 * wanted);
}

TEST_CASE("layer blocks: dense and sparse storage give the same") {
  const std::vector<Run> runs = made_runs(cell_options(Paper::fig4));
  const Run& sparse = runs.back();
  REQUIRE(sparse.mask != nullptr);
  const LayerBlocks a = layer_blocks(on_mask(sparse.parameters.W_rec, sparse.mask, true)),
                    b = layer_blocks(on_mask(sparse.parameters.W_rec, sparse.mask, false));
  for (size_t k = 0; k < 36; ++k) {
    CHECK(a.mean_abs[k] == doctest::Approx(b.mean_abs[k]).epsilon(1e-12));
    CHECK(a.density[k] == b.density[k]);
    if (!possible(k / 6, k % 6)) CHECK(a.density[k] == 0);
  }
  // One weight in one block, by hand.
  Weights w;
  w.rows = w.cols = 180;
  w.values.assign(180 * 180, 0);
  w.values[31 * 180 + 95] = -0.5f;  // column 31: V1 L2/3; row 95: LM L4
  const LayerBlocks one = layer_blocks(w);
  CHECK(one.mean_abs[3 * 6 + 1] == doctest::Approx(0.5 / 900));
  CHECK(one.density[3 * 6 + 1] == doctest::Approx(1.0 / 900));
}

TEST_CASE("figures 4 and 5: a quick report says nothing about the paper") {
  for (Paper figure : {Paper::fig4, Paper::fig5}) {
    const reproduce::Options options = cell_options(figure);
    std::vector<Run> runs = made_runs(options);
    if (figure == Paper::fig5)  // familiar change: feedforward weights twice as large
      for (Run& run : runs)
        if (run.job.retrains() && run.job.condition == "familiar-change-full") {
          Weights& w = run.parameters.W_rec;
          for (float& v : w.values) v *= 2;
        }
    const Result<Output> output = report(options, runs, {}, {});
    REQUIRE_MESSAGE(output.ok(), (output.ok() ? "" : output.error().text()));
    std::string page;
    for (const File& f : output->files)
      if (f.name == "report.html") page.assign(reinterpret_cast<const char*>(f.bytes.data()), f.bytes.size());
    CHECK(page.find("says nothing about the paper") != std::string::npos);
    CHECK(page.find("original recordings would be needed") != std::string::npos);
    if (figure == Paper::fig4) {
      REQUIRE(finding_of(*output, "table of connection probabilities") != nullptr);
      CHECK(finding_of(*output, "table of connection probabilities")->outcome == Outcome::reproduced);
      CHECK(finding_of(*output, "Realised densities")->outcome == Outcome::reproduced);
      CHECK(finding_of(*output, "Losses of novel-change-half")->outcome == Outcome::cannot_be_tested);
      CHECK(finding_of(*output, "Seconds of an epoch")->obtained.find("4 times") != std::string::npos);
    } else {
      const Finding* pair = finding_of(*output, "FN to FC");
      REQUIRE(pair != nullptr);
      CHECK(pair->outcome == Outcome::cannot_be_tested);
      CHECK(pair->published.find("FF +13.92") != std::string::npos);
      CHECK(pair->obtained.find("signs agree in 9 of 9") != std::string::npos);  // all weights grew, all published rose
      CHECK(finding_of(*output, "NN to NC") == nullptr);                         // not trained
    }
  }
}

TEST_CASE("figure 4: a network goes through the study, and is found again") {
  reproduce::Options options = cell_options(Paper::fig4);
  options.runs = 2;
  InMemory store;
  {
    Study study(options, {best_isa(), 1, "test"}, nullptr, store);
    const std::unique_ptr<Study::Work> work = study.take();
    REQUIRE(work != nullptr);
    while (work->step()) {
    }
    REQUIRE_FALSE(study.error());
    const Run run = study.runs().front();
    CHECK(run.history.size() == 60);
    CHECK(run.history.back().train < run.history.front().train);
    CHECK(run.fit.size() == 18);
    CHECK(run.seconds > 0);
  }
  Study again(options, {best_isa(), 1, "test"}, nullptr, store);
  const std::unique_ptr<Study::Work> work = again.take();
  CHECK_FALSE(work->step());
  CHECK_MESSAGE(!again.error(), (again.error() ? again.error()->text() : ""));
  CHECK(again.runs().front().fit.size() == 18);
  CHECK(again.worked_part() == 0);
}
