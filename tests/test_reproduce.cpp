// The plan of a reproduction, and what its report makes of results that are known.
#include <cmath>
#include <set>

#include "common/reproduce.h"
#include "common/reproduce_published.h"
#include "figure_helpers.h"
#include "reproduce_helpers.h"

using namespace dalea;
using namespace dalea::testing;
using namespace dalea::reproduce;

namespace {

reproduce::Options options_for(Paper figure, bool corrected = false, bool quick = false) {
  reproduce::Options options;
  options.figure = figure;
  options.corrected = corrected;
  options.quick = quick;
  const Result<reproduce::Options> checked = check(options);
  REQUIRE(checked);
  return *checked;
}

const PublishedCell& published(const std::string& task, const std::string& condition) {
  for (const PublishedCell& c : published_cells)
    if (task == c.task && condition == c.condition) return c;
  FAIL("no such cell");
  return published_cells[0];
}

// A network as it starts, that claims to have ended on this value (the published one of the task).
Run ended(const Job& job, double value) {
  Run run;
  run.job = job;
  run.parameters = build_model(job.spec, Ends{}, 0).parameters;
  run.hash = "0123456789abcdef";
  EpochRecord last;
  last.epoch = job.spec.training.epochs;
  last.train = value / 10;
  if (job.task == "digits") {
    last.held_out_accuracy = value / 100;
    last.held_out = last.held_out_published = 1;
  } else {
    last.held_out_published = value;
    last.held_out = value / 5;
  }
  run.history = {last};
  return run;
}

std::vector<Run> runs_with(const reproduce::Options& options, const std::function<double(const Job&)>& value) {
  std::vector<Run> runs;
  for (const Job& job : jobs_of(options)) runs.push_back(ended(job, value(job)));
  return runs;
}

// Errors that fall linearly from `high` at sparsity 1 to nothing at 0.
Sweep made_sweep(const reproduce::Options& options, double random, double top_prob) {
  Sweep sweep;
  const Result<std::vector<double>> grid = sweep_grid(sweep_options(options));
  REQUIRE(grid);
  for (PruneMethod method : {PruneMethod::random, PruneMethod::magnitude, PruneMethod::top_prob})
    for (double s : *grid) {
      SweepPoint p;
      p.method = method;
      p.sparsity = s;
      p.density = p.effective = 1 - s;
      p.held_out = 1e-3 + s * (method == PruneMethod::random ? random : top_prob);
      sweep.points.push_back(p);
    }
  sweep.complete = true;
  return sweep;
}

}  // namespace

TEST_CASE("what a figure trains") {
  const std::vector<Job> jobs = jobs_of(options_for(Paper::fig2));
  CHECK(jobs.size() == 6 * 3 * 3);
  std::set<std::string> ids;
  for (const Job& job : jobs) {
    ids.insert(job.id);
    CHECK(check_spec(job.spec).empty());
    CHECK(job.spec.network.feedback == "published");
    CHECK(job.spec.units() == 128);
    CHECK_FALSE(job.retrains());
    // SEEDS 2.1 to 2.4
    CHECK(job.spec.training.epochs == (job.task == "flip-flop" ? 100 : job.task == "wave" ? 25 : 50));
    CHECK(job.spec.training.batch == (job.task == "wave" ? 100 : 200));
    CHECK(job.spec.training.optimizer.lr == 1e-3);
  }
  CHECK(ids.size() == jobs.size());

  const std::vector<Job> corrected = jobs_of(options_for(Paper::fig2, true));
  for (const Job& job : corrected) {
    CHECK(job.condition != "rectified");
    CHECK(job.spec.network.feedback == (job.condition == "dale" ? "published" : "rectified"));
    CHECK(job.spec.task.two_tone == (job.task == "wave"));
    CHECK(job.spec.network.input_mask == (job.task == "wave"));
    // Networks that both modes train are the same file, all others are not.
    for (const Job& other : jobs) CHECK((job.id == other.id) == (same_experiment(job.spec, other.spec)));
  }
  const std::vector<Job> pruned = jobs_of(options_for(Paper::fig3));
  CHECK(pruned.size() == 6 * 3 * 3);  // a network, and two that are trained on
  std::set<std::string> before;
  for (const Job& job : pruned) {
    CHECK(job.condition == "dale");
    if (job.retrains()) CHECK(before.count(job.parent) == 1);
    before.insert(job.id);
  }
}

TEST_CASE("options of a reproduction that make no sense are refused") {
  reproduce::Options options;
  options.runs = 1;
  CHECK(check(options).error().path == "runs");
  options.runs = 5;
  options.tasks = {"mnist"};
  CHECK(check(options).error().path == "task");
  CHECK_FALSE(parse_figure("fig6"));
  options.tasks = {"wave", "flip-flop", "wave"};
  CHECK(check(options)->tasks == std::vector<std::string>{"flip-flop", "wave"});
}

TEST_CASE("a retraining starts from the parent's weights on a mask of the published sparsity") {
  const reproduce::Options options = options_for(Paper::fig3);
  const std::vector<Job> jobs = jobs_of(options);
  const Job& job = jobs[19];
  REQUIRE(job.retrains());
  const Parameters parent = build_model(job.spec, Ends{}, 0).parameters;
  const Result<Start> start = start_of(options, job, parent);
  REQUIRE(start);
  const double n = 128.0 * 128.0, kept = static_cast<double>(start->mask->count());
  CHECK(std::fabs(kept / n - 0.0861) < 4 * std::sqrt(0.0861 / n));
  for (int64_t j = 0; j < 128; ++j)
    for (int64_t i = 0; i < 128; ++i) {
      const float w = start->parameters.W_rec.at(i, j);
      CHECK((w == 0 || w == parent.W_rec.at(i, j)));
    }
}

TEST_CASE("runs that equal the published ones reproduce every cell") {
  const reproduce::Options options = options_for(Paper::fig2);
  const Result<Output> output = report(
      options,
      runs_with(options, [](const Job& job) { return published(job.task, job.condition).runs[(job.seed - 1) % 5]; }),
      {}, {});
  REQUIRE(output);
  int cells = 0, directions = 0;
  for (const Finding& f : output->findings) {
    if (f.why.find("Holm") != std::string::npos) {
      CHECK(f.outcome == Outcome::reproduced);
      ++cells;
    }
  }
  CHECK(cells == 9);
  reproduce::Options five = options;
  five.runs = 5;
  const Result<Output> same = report(
      five, runs_with(five, [](const Job& job) { return published(job.task, job.condition).runs[job.seed - 1]; }), {},
      {});
  REQUIRE(same);
  for (const Finding& f : same->findings)
    if (f.claim.find("backprop against") != std::string::npos) {
      CHECK(f.outcome == Outcome::reproduced);
      CHECK(f.published == f.obtained);
      ++directions;
    }
  CHECK(directions == 6);
  CHECK(finding(*output, "never leaves the cone").outcome == Outcome::reproduced);
  check_balanced(text_of_file(*output, "report.html"));
  // SEEDS 2.5: five against five, p = .008 is the smallest there is.
  CHECK(finding(*output, "row by row: Dale's backprop against conventional").published == "lower (p = 0.008)");
  CHECK(count_of(text_of_file(*output, "runs.csv"), "\n") == 1 + 54);
}

TEST_CASE("a cell that is off is said to be outside, the others are not") {
  const auto with_runs = [](int64_t runs) {
    reproduce::Options options = options_for(Paper::fig2);
    options.runs = runs;
    Result<Output> output = report(options,
                                   runs_with(options,
                                             [](const Job& job) {
                                               const double v =
                                                   published(job.task, job.condition).runs[(job.seed - 1) % 5];
                                               return job.task == "digits" && job.condition == "dale" ? v - 10 : v;
                                             }),
                                   {}, {});
    REQUIRE(output);
    return std::move(*output);
  };
  // Five against five: p = 2 / 252 = .0079, nine cells: Holm .071. Nothing can be outside with five runs; ten can.
  CHECK(finding(with_runs(5), "Digits row by row, Dale's backprop").outcome == Outcome::cannot_be_tested);
  const Output more = with_runs(10);
  CHECK(finding(more, "Digits row by row, Dale's backprop").outcome == Outcome::outside);
  CHECK(finding(more, "Waves, Dale's backprop").outcome == Outcome::reproduced);
}

TEST_CASE("as good as: by margins, and undecided where runs are too few") {
  const reproduce::Options options = options_for(Paper::fig2, true);
  const auto outcome = [&](double points, double noise) {
    const Result<Output> output = report(options,
                                         runs_with(options,
                                                   [&](const Job& job) {
                                                     const double jitter = noise * (static_cast<double>(job.seed) - 3);
                                                     if (job.task != "digits") return 0.01 * std::exp(jitter);
                                                     return 95 + jitter - (job.condition == "dale" ? points : 0.0);
                                                   }),
                                         {}, {});
    REQUIRE(output);
    check_balanced(text_of_file(*output, "report.html"));
    return finding(*output, "Digits row by row: Dale's backprop is as good as conventional").outcome;
  };
  CHECK(outcome(0.2, 0.1) == Outcome::reproduced);
  CHECK(outcome(3, 0.1) == Outcome::not_reproduced);
  CHECK(outcome(0.9, 1) == Outcome::cannot_be_tested);  // undecided
}

TEST_CASE("runs that failed are left out and said so; a quick run claims nothing about the paper") {
  reproduce::Options options = options_for(Paper::fig2);
  std::vector<Run> runs =
      runs_with(options, [](const Job& job) { return published(job.task, job.condition).runs[(job.seed - 1) % 5]; });
  runs[0].failure = "W_rec is not finite";
  runs[0].history.clear();
  const Result<Output> output = report(options, runs, {}, {});
  REQUIRE(output);
  CHECK(text_of_file(*output, "report.html").find("left out: W_rec is not finite") != std::string::npos);
  CHECK(finding(*output, "Flip-flop memory, conventional").obtained.find("(5 runs)") != std::string::npos);
  options = options_for(Paper::fig2, false, true);
  const Result<Output> quick = report(options, runs_with(options, [](const Job&) { return 50.0; }), {}, {});
  REQUIRE(quick);
  for (const Finding& f : quick->findings)
    if (f.claim.find("cone") == std::string::npos && f.claim.find("inhibitory") == std::string::npos)
      CHECK(f.outcome == Outcome::cannot_be_tested);
}

TEST_CASE("pruning methods are compared by one number for each network") {
  for (const bool better : {true, false}) {
    reproduce::Options options = options_for(Paper::fig3);
    options.runs = 5;
    std::vector<Pruned> pruned;
    const std::vector<Run> runs = runs_with(options, [](const Job&) { return 1.0; });
    for (const Run& run : runs)
      if (!run.job.retrains()) {
        const double jitter = 0.001 * static_cast<double>(run.job.seed);
        pruned.push_back({run.job.id, made_sweep(options, 1 + jitter, better ? 0.5 + jitter : 1.5 - jitter)});
      }
    const Result<Output> output = report(options, runs, pruned, {});
    REQUIRE(output);
    const Finding& f = finding(*output, "Waves: top-prob pruning makes less error");
    CHECK(f.outcome == (better ? Outcome::reproduced : Outcome::not_reproduced));
    CHECK(f.obtained.find("exact p = 0.008, Holm p = 0.024") != std::string::npos);    // 2 / 252, three tasks
    CHECK(f.obtained.find("smallest of 15: p = 0.012") != std::string::npos);          // asymptotic, SEEDS F15
    CHECK(f.why.find("(Westfall-Young max-T) it is p = 0.008") != std::string::npos);  // of 252 relabelings, 2
    check_balanced(text_of_file(*output, "report.html"));
    CHECK(count_of(text_of_file(*output, "sweeps.csv"), "\n") == 1 + 15 * 45);
  }
}
