// Figure 3: which connections can be taken away, and what grows back.
#include <algorithm>
#include <cmath>

#include "common/reproduce_parts.h"
#include "common/reproduce_published.h"
#include "pruning/spanning_tree.h"

namespace dalea::reproduce {
namespace {

constexpr PruneMethod all_methods[] = {PruneMethod::random, PruneMethod::magnitude, PruneMethod::top_prob};

const PublishedSweep* published_sweep(const std::string& task) {
  for (const PublishedSweep& s : published_sweeps)
    if (task == s.task) return &s;
  return nullptr;
}

// A task's networks and their sweeps, in the order of the seeds.
struct Swept {
  std::string task;
  std::vector<const Run*> runs;
  std::vector<const Sweep*> sweeps;
};
std::vector<Swept> swept_of(const Options& options, const std::vector<Run>& runs, const std::vector<Pruned>& pruned) {
  std::vector<Swept> all;
  for (const std::string& task : options.tasks) {
    Swept s{task, {}, {}};
    for (const Run* run : runs_of(runs, task, "dale"))
      for (const Pruned& p : pruned)
        if (p.id == run->job.id && p.sweep.complete) {
          s.runs.push_back(run);
          s.sweeps.push_back(&p.sweep);
        }
    all.push_back(std::move(s));
  }
  return all;
}

std::vector<double> grid_of(const Sweep& sweep) {
  std::vector<double> grid;
  for (const SweepPoint& p : sweep.points)
    if (p.method == sweep.points.front().method) grid.push_back(p.sparsity);
  return grid;
}

// Of every network at one place of the grid.
std::vector<double> at(const Swept& s, PruneMethod method, size_t place, double SweepPoint::*member) {
  std::vector<double> values;
  for (const Sweep* sweep : s.sweeps) {
    size_t seen = 0;
    for (const SweepPoint& p : sweep->points)
      if (p.method == method && seen++ == place) values.push_back(p.*member);
  }
  return values;
}

std::vector<double> areas_of(const Swept& s, PruneMethod method) {
  std::vector<double> areas;
  for (const Sweep* sweep : s.sweeps)
    if (const Result<double> area = sweep_area(*sweep, method)) areas.push_back(*area);
  return areas;
}

double mean_or_none(const std::vector<double>& values) {
  const Result<double> mean = mean_of(values);
  return mean ? *mean : no_value;
}

// The published statistic: a test at each sparsity, of which the figure shows the smallest p.
struct Smallest {
  double least = no_value, mean = no_value;
  std::vector<double> p;
};
Smallest published_statistic(const Swept& s) {
  Smallest result;
  if (s.sweeps.size() < 2) return result;
  const size_t places = grid_of(*s.sweeps.front()).size();
  for (size_t k = 0; k < places; ++k) {
    const Result<MannWhitney> test =
        mann_whitney(at(s, PruneMethod::random, k, &SweepPoint::held_out),
                     at(s, PruneMethod::top_prob, k, &SweepPoint::held_out), RankMethod::asymptotic);
    result.p.push_back(test ? test->p : no_value);
  }
  result.mean = mean_or_none(result.p);
  for (double p : result.p)
    if (!(p >= result.least)) result.least = p;
  return result;
}

// All sparsities of one task tested together: the smallest p after Westfall and Young's correction, which keeps the
// correlation between them (step-down max-T over relabelings of whole networks).
double smallest_adjusted(const Swept& s, uint64_t seed) {
  if (s.sweeps.size() < 2) return no_value;
  const std::vector<double> grid = grid_of(*s.sweeps.front());
  std::vector<double> top, random;
  for (size_t r = 0; r < s.sweeps.size(); ++r)
    for (size_t k = 0; k < grid.size(); ++k) {
      top.push_back(at(s, PruneMethod::top_prob, k, &SweepPoint::held_out)[r]);
      random.push_back(at(s, PruneMethod::random, k, &SweepPoint::held_out)[r]);
    }
  const auto runs = static_cast<int64_t>(s.sweeps.size()), places = static_cast<int64_t>(grid.size());
  Rng rng(seed, Purpose::prune, 0, 0, 1u << 31);
  const Result<MaxT> test = westfall_young({runs, places, top}, {runs, places, random}, rng);
  if (!test) return no_value;
  return *std::min_element(test->p_step_down.begin(), test->p_step_down.end());
}

void find_methods(Output& output, const Options& options, const std::vector<Swept>& all) {
  std::vector<double> p;
  std::vector<MethodComparison> tests;
  for (const Swept& s : all) {
    const Result<MethodComparison> c =
        compare_methods(areas_of(s, PruneMethod::top_prob), areas_of(s, PruneMethod::random));
    if (!c) return;
    tests.push_back(*c);
    p.push_back(c->mann_whitney.p);
  }
  const Result<std::vector<double>> adjusted = holm(p);
  if (!adjusted) return;
  for (size_t k = 0; k < all.size(); ++k) {
    const Swept& s = all[k];
    const PublishedSweep* published = published_sweep(s.task);
    const double top = mean_or_none(areas_of(s, PruneMethod::top_prob)),
                 random = mean_or_none(areas_of(s, PruneMethod::random));
    const Smallest smallest = published_statistic(s);
    Finding f;
    f.claim = task_title(s.task) + ": top-prob pruning makes less error than random pruning";
    if (published != nullptr)
      f.published = "smallest " + p_text(published->smallest_p) + " of 15 tests (the version before: mean " +
                    p_text(published->mean_p) + ")";
    f.obtained = "area under the error " + number(top) + " against " + number(random) + ", exact " + p_text(p[k]) +
                 ", Holm " + p_text((*adjusted)[k]) + "; smallest of 15: " + p_text(smallest.least) + ", mean " +
                 p_text(smallest.mean);
    f.why =
        "One test for each task, of the area under error against sparsity (smallest possible p " +
        number(tests[k].mann_whitney_least, 2) + " for " + std::to_string(s.sweeps.size()) + " runs, paired " +
        p_text(tests[k].paired.p) +
        "). The smallest of many p-values is no test: it falls with every sparsity tried; corrected for all of them "
        "together (Westfall-Young max-T) it is " +
        p_text(smallest_adjusted(s, options.first_seed)) + ".";
    if (options.quick)
      f.why += " " + quick_reason();
    else
      f.outcome = top < random && (*adjusted)[k] < alpha ? Outcome::reproduced : Outcome::not_reproduced;
    output.findings.push_back(std::move(f));
  }
}

void find_high_sparsity(Output& output, const Options& options, const std::vector<Swept>& all) {
  for (const Swept& s : all) {
    if (s.sweeps.empty()) continue;
    const std::vector<double> grid = grid_of(*s.sweeps.front());
    int64_t worse = 0, places = 0, clear = 0;
    const Smallest tests = published_statistic(s);
    for (size_t k = 0; k < grid.size(); ++k) {
      if (grid[k] < 0.7 || grid[k] >= 1) continue;
      ++places;
      const double top = mean_or_none(at(s, PruneMethod::top_prob, k, &SweepPoint::held_out)),
                   random = mean_or_none(at(s, PruneMethod::random, k, &SweepPoint::held_out));
      worse += top > random;
      clear += k < tests.p.size() && tests.p[k] < alpha;
    }
    Finding f;
    f.claim = task_title(s.task) + ": above a sparsity of 0.7 the two methods cannot be told apart";
    f.published = "no p below .05 at any of 4 sparsities";
    f.obtained = std::to_string(clear) + " of " + std::to_string(places) +
                 " p-values below .05, top-prob the worse at " + std::to_string(worse);
    f.why = "Uncorrected, as in the published table.";
    if (options.quick)
      f.why += " " + quick_reason();
    else
      f.outcome = clear == 0 ? Outcome::reproduced : Outcome::not_reproduced;
    output.findings.push_back(std::move(f));
  }
}

struct Retrained {
  std::string task;
  PruneMethod method;
  std::vector<const Run*> runs;  // in the order of the seeds
};
std::vector<Retrained> retrained_of(const Options& options, const std::vector<Run>& runs) {
  std::vector<Retrained> all;
  for (const std::string& task : options.tasks)
    for (PruneMethod method : {PruneMethod::random, PruneMethod::top_prob}) {
      Retrained r{task, method, {}};
      for (const Run& run : runs)
        if (run.job.retrains() && run.job.task == task && run.job.method == method && run.failure.empty() &&
            !run.history.empty())
          r.runs.push_back(&run);
      all.push_back(std::move(r));
    }
  return all;
}

void find_retraining(Output& output, const Options& options, const std::vector<Retrained>& all) {
  for (size_t k = 0; k + 1 < all.size(); k += 2) {
    const Retrained &random = all[k], &top = all[k + 1];
    const size_t n = std::min(random.runs.size(), top.runs.size());
    if (n == 0) continue;
    int64_t starts = 0, ends = 0;
    for (size_t r = 0; r < n; ++r) {
      starts += top.runs[r]->history.front().train < random.runs[r]->history.front().train;
      ends += random.runs[r]->history.back().train < top.runs[r]->history.back().train;
    }
    Finding f;
    f.claim = task_title(random.task) + ", retrained: top-prob starts lower, random ends lower";
    if (random.task == "wave") {
      int64_t published_starts = 0, published_ends = 0;
      for (size_t r = 0; r < 5; ++r) {
        published_starts += published_retrained_top_prob_first[r] < published_retrained_random_first[r];
        published_ends += published_retrained_random_last[r] < published_retrained_top_prob_last[r];
      }
      f.published = std::to_string(published_starts) + " and " + std::to_string(published_ends) + " of 5 runs";
    } else {
      f.published = "none: the published losses are another network's (Q7)";
    }
    f.obtained = std::to_string(starts) + " and " + std::to_string(ends) + " of " + std::to_string(n) +
                 " runs; training error at the end: random " +
                 spread(values_of(random.runs, [](const Run& r) { return r.history.back().train; })) + ", top-prob " +
                 spread(values_of(top.runs, [](const Run& r) { return r.history.back().train; }));
    f.why = "Training error in the first and the last epoch, each network under its own mask.";
    if (options.quick)
      f.why += " " + quick_reason();
    else if (random.task == "wave")
      f.outcome = starts * 2 > static_cast<int64_t>(n) && ends * 2 > static_cast<int64_t>(n) ? Outcome::reproduced
                                                                                             : Outcome::not_reproduced;
    output.findings.push_back(std::move(f));
  }
}

void find_kept(Output& output, const Options& options, const std::vector<Swept>& all) {
  double excess = 0, count = 0, units = 0, zeros = 0;
  for (const Swept& s : all)
    for (size_t r = 0; r < s.sweeps.size(); ++r)
      for (const SweepPoint& p : s.sweeps[r]->points)
        if (p.method == PruneMethod::top_prob && p.sparsity > 0.5 && p.sparsity < 0.95) {
          excess += p.density / (1 - p.sparsity);
          count += 1;
          units = static_cast<double>(s.runs[r]->parameters.W_rec.rows);
        }
  for (const Swept& s : all)
    for (const Run* run : s.runs)
      for (float w : run->parameters.W_rec.values)
        zeros += w == 0 ? 1.0 / static_cast<double>(run->parameters.W_rec.values.size()) : 0;
  if (count == 0) return;
  double networks = 0;
  for (const Swept& s : all) networks += static_cast<double>(s.runs.size());
  Finding f;
  const double ratio = excess / count;
  if (options.corrected) {
    f.claim = "Corrected top-prob pruning keeps as many connections as were asked for";
    f.published = number(units / (units - 1), 5) + " times as many (Q5)";
    f.obtained = number(ratio, 4) + " times as many, sparsities 0.5 to 0.95";
    f.outcome = std::fabs(ratio - 1) < 0.01 ? Outcome::reproduced : Outcome::not_reproduced;
    f.why = "Zeros that Dale's projection left (" + number(100 * zeros / networks, 3) +
            " % of the weights) are not drawn, so no probability is lost to them.";
  } else {
    f.claim =
        "The published formula keeps too many connections: n / (n - units) times as many at N = " + number(units, 4);
    f.published = number(units / (units - 1), 5) + " times as many (expected, Q5)";
    f.obtained = number(ratio, 4) + " times as many, sparsities 0.5 to 0.95";
    f.outcome = std::fabs(ratio - units / (units - 1)) < 0.01 ? Outcome::reproduced : Outcome::outside;
    f.why = "Counted masks; zeros count as connections (Q4) and take a share of what is cut above 1.";
  }
  output.findings.push_back(std::move(f));
}

void find_overlap(Output& output, const OverlapStudy& study, int64_t size) {
  double worst = 0;
  int64_t compared = 0, below = 0;
  for (const OverlapPoint& p : study.points) {
    if (p.size != size || p.method != PruneMethod::top_prob) continue;
    for (const PublishedOverlap& known : published_overlap) {
      if (std::fabs(known.sparsity - p.sparsity) > 1e-9) continue;
      worst = std::max(worst, std::fabs(known.top_prob - p.mean));
      below += p.bound.published < p.random;
      ++compared;
    }
  }
  if (compared == 0) return;
  output.findings.push_back(
      {"Uniform weights, N = 50: top-prob pruning keeps about twice as much of the maximum spanning tree as random "
       "pruning",
       "1.00 to 0.097 at sparsities 0.2 to 0.95", "within " + number(worst, 2) + " of those values",
       worst < 0.03 ? Outcome::reproduced : Outcome::outside,
       "Matched by position. The published lower bound lies below the random expectation at " + std::to_string(below) +
           " of these " + std::to_string(compared) +
           " sparsities: it alone does not show that top-prob pruning is the better one."});
}

// ---- figures

plot::Figure error_figure(const Options& options, const std::vector<Swept>& all) {
  const bool beside = !options.quick && !options.corrected;
  plot::Figure figure;
  figure.title = "Pruning without retraining";
  figure.caption = std::string("Held-out error against sparsity, mean and one standard deviation over the networks, ") +
                   (options.corrected ? "each on its own whole held-out split." : "each on its own last test batch.") +
                   (beside ? " Crosses: the published means (all networks on one batch, Q6)." : "");
  figure.columns = static_cast<int>(options.tasks.size());
  figure.width_mm = plot::double_column_mm;
  figure.shared_legend = true;
  for (const Swept& s : all) {
    plot::LineChart chart;
    chart.x.label = "sparsity (absent / all)";
    chart.y.label = s.task == "digits" ? "cross-entropy (nats)" : "mean squared error";
    chart.y.log = true;
    for (PruneMethod method : all_methods) {
      if (s.sweeps.empty()) break;
      plot::Series line;
      line.name = text_of(method);
      line.style = plot::named_style(text_of(method));
      line.marks = true;
      line.x = grid_of(*s.sweeps.front());
      for (size_t k = 0; k < line.x.size(); ++k) {
        const Result<Summary> m = summarise(at(s, method, k, &SweepPoint::held_out));
        line.y.push_back(m ? m->mean : no_value);
        line.low.push_back(m ? std::max(m->mean - m->sd, m->mean / 10) : no_value);
        line.high.push_back(m ? m->mean + m->sd : no_value);
      }
      chart.series.push_back(std::move(line));
    }
    const PublishedSweep* published = published_sweep(s.task);
    if (beside && published != nullptr)
      for (const bool top : {false, true}) {
        plot::Series marks;
        const char* name = top ? "top-prob" : "random";
        marks.name = std::string(name) + ", published";
        const std::vector<double> density = published_densities();
        for (size_t k = 0; k < density.size(); ++k) {
          marks.x.push_back(1 - density[k]);
          marks.y.push_back(top ? published->top_prob[k] : published->random[k]);
        }
        marks.line = false;
        marks.marks = true;
        marks.style = plot::named_style(name);
        marks.style.marker = plot::Marker::cross;
        chart.series.push_back(std::move(marks));
      }
    figure.panels.push_back({task_title(s.task), std::move(chart)});
  }
  return figure;
}

plot::Figure areas_figure(const Options& options, const std::vector<Swept>& all) {
  plot::Figure figure;
  figure.title = "One number for each network";
  figure.caption = "Area under error against sparsity. Every network is a point, the bar is the mean.";
  figure.columns = static_cast<int>(options.tasks.size());
  figure.width_mm = plot::double_column_mm;
  for (const Swept& s : all) {
    plot::GroupChart chart;
    chart.y.label = s.task == "digits" ? "area (nats)" : "area (MSE)";
    for (PruneMethod method : all_methods)
      chart.groups.push_back(
          {.name = text_of(method), .runs = areas_of(s, method), .style = plot::named_style(text_of(method))});
    figure.panels.push_back({task_title(s.task), std::move(chart)});
  }
  return figure;
}

plot::Figure overlap_figure(const std::vector<Swept>& all, const OverlapStudy& study, int64_t size) {
  plot::Figure figure;
  figure.title = "What survives of the strongest wiring";
  figure.caption =
      "Edges of the maximum spanning tree of |W| that survive: the trained networks, and random matrices of " +
      std::to_string(size) + " units with uniform weights.";
  figure.columns = 2;
  figure.width_mm = plot::double_column_mm;
  figure.shared_legend = true;
  const auto chart_of = [&] {
    plot::LineChart chart;
    chart.x.label = "sparsity (absent / all)";
    chart.y.label = "surviving edges of the tree";
    chart.y.min = 0;
    chart.y.max = 1;
    return chart;
  };
  const plot::Style expected{plot::rgb(0x777777), plot::Dash::dashed, plot::Marker::none, 0.9};
  const plot::Style bound{plot::rgb(0x5a33b5), plot::Dash::dotted, plot::Marker::none, 1.2};
  for (const Swept& s : all) {
    plot::LineChart chart = chart_of();
    for (PruneMethod method : all_methods) {
      if (s.sweeps.empty()) break;
      plot::Series line;
      line.name = text_of(method);
      line.style = plot::named_style(text_of(method));
      line.x = grid_of(*s.sweeps.front());
      for (size_t k = 0; k < line.x.size(); ++k) line.y.push_back(mean_or_none(at(s, method, k, &SweepPoint::overlap)));
      chart.series.push_back(std::move(line));
    }
    if (!s.sweeps.empty()) {
      plot::Series line{.name = "expected at random", .x = grid_of(*s.sweeps.front()), .style = expected};
      for (size_t k = 0; k < line.x.size(); ++k)
        line.y.push_back(mean_or_none(at(s, PruneMethod::random, k, &SweepPoint::random_overlap)));
      chart.series.push_back(std::move(line));
    }
    figure.panels.push_back({task_title(s.task), std::move(chart)});
  }
  plot::LineChart chart = chart_of();
  plot::Series random{.name = "expected at random", .style = expected};
  plot::Series lower{.name = "published lower bound", .style = bound};
  for (PruneMethod method : all_methods) {
    plot::Series line;
    line.name = text_of(method);
    line.style = plot::named_style(text_of(method));
    for (const OverlapPoint& p : study.points) {
      if (p.size != size || p.method != method) continue;
      line.x.push_back(p.sparsity);
      line.y.push_back(p.mean);
      line.low.push_back(std::max(0.0, p.mean - p.sd));
      line.high.push_back(std::min(1.0, p.mean + p.sd));
      if (method != PruneMethod::top_prob) continue;
      random.x.push_back(p.sparsity);
      random.y.push_back(p.random);
      lower.x.push_back(p.sparsity);
      lower.y.push_back(p.bound.published);
    }
    chart.series.push_back(std::move(line));
  }
  chart.series.push_back(std::move(random));
  chart.series.push_back(std::move(lower));
  figure.panels.push_back({"Random matrices, N = " + std::to_string(size), std::move(chart)});
  return figure;
}

plot::Figure retraining_figure(const Options& options, const std::vector<Retrained>& all) {
  plot::Figure figure;
  figure.title = "Training on under the mask";
  figure.caption =
      "Held-out error after pruning to a sparsity of 0.914 and training on under the mask and Dale's law, mean "
      "and one standard deviation; epoch 0 is the pruned network.";
  figure.columns = static_cast<int>(options.tasks.size());
  figure.width_mm = plot::double_column_mm;
  figure.shared_legend = true;
  for (const std::string& task : options.tasks) {
    plot::LineChart chart;
    chart.x.label = "epoch after pruning";
    chart.y.label = task == "digits" ? "cross-entropy (nats)" : "mean squared error";
    chart.y.log = true;
    for (const Retrained& r : all) {
      if (r.task != task || r.runs.empty()) continue;
      plot::Series line = curve(
          text_of(r.method), histories_of(r.runs), [](const EpochRecord& e) { return e.held_out; }, true);
      const std::vector<double> before = values_of(r.runs, [](const Run& run) { return run.before; });
      if (const Result<Summary> m = summarise(before)) {
        line.x.insert(line.x.begin(), 0.0);
        line.y.insert(line.y.begin(), m->mean);
        line.low.insert(line.low.begin(), std::max(m->mean - m->sd, m->mean / 10));
        line.high.insert(line.high.begin(), m->mean + m->sd);
      }
      line.style = plot::named_style(text_of(r.method));
      chart.series.push_back(std::move(line));
    }
    figure.panels.push_back({task_title(task), std::move(chart)});
  }
  return figure;
}

plot::Figure survivors_figure(const OverlapStudy& study) {
  plot::Figure figure;
  figure.title = "Weights that survive";
  figure.caption = "Uniform random weights at a sparsity of 0.9: which sizes each method keeps, largest matrix.";
  plot::LineChart chart;
  chart.x.label = "|w| / largest";
  chart.y.label = "share of the survivors in a bin";
  chart.y.min = 0;
  int64_t largest = 0;
  for (const Survivors& s : study.survivors) largest = std::max(largest, s.size);
  for (const Survivors& s : study.survivors) {
    if (s.size != largest || s.values.empty()) continue;
    constexpr int bins = 20;
    std::vector<double> share(bins, 0.0);
    for (float v : s.values)
      share[static_cast<size_t>(std::min(bins - 1.0, static_cast<double>(v) * bins))] +=
          1.0 / static_cast<double>(s.values.size());
    plot::Series line{.name = text_of(s.method), .y = share, .style = plot::named_style(text_of(s.method))};
    for (int k = 0; k < bins; ++k) line.x.push_back((k + 0.5) / bins);
    chart.series.push_back(std::move(line));
  }
  figure.panels.push_back({"", std::move(chart)});
  return figure;
}

void add_sweeps(Output& output, Report& page, const Options& options, const std::vector<Swept>& all) {
  std::string csv = "network,method,sparsity,density,density_effective,held_out,overlap,overlap_random\n";
  for (const Swept& s : all) {
    for (size_t r = 0; r < s.sweeps.size(); ++r)
      for (const SweepPoint& p : s.sweeps[r]->points) {
        char text[256];
        std::snprintf(text, sizeof text, ",%s,%.9g,%.9g,%.9g,%.9g,%.9g,%.9g\n", text_of(p.method), p.sparsity,
                      p.density, p.effective, p.held_out, p.overlap, p.random_overlap);
        csv += s.runs[r]->job.id + text;
      }
    if (s.sweeps.empty()) continue;
    const PublishedSweep* published = options.quick || options.corrected ? nullptr : published_sweep(s.task);
    const std::vector<double> grid = grid_of(*s.sweeps.front());
    const Smallest tests = published_statistic(s);
    ReportTable table;
    table.caption = task_title(s.task) + ": mean error at each sparsity" +
                    (published != nullptr ? ", published beside it. Descriptive: the published networks share one "
                                            "evaluation batch, and their waves are not published."
                                          : ".");
    table.columns = {{.name = "sparsity", .decimals = 3},
                     {"random", "", 3},
                     {"magnitude", "", 3},
                     {"top-prob", "", 3},
                     {"p, asymptotic", "", 3}};
    if (published != nullptr)
      for (const char* name : {"random, published", "top-prob, published", "p, published"})
        table.columns.push_back({name, "", 3});
    for (size_t k = 0; k < grid.size(); ++k) {
      std::vector<TableCell> row{grid[k]};
      for (PruneMethod method : all_methods) row.emplace_back(mean_or_none(at(s, method, k, &SweepPoint::held_out)));
      row.emplace_back(k < tests.p.size() ? tests.p[k] : no_value);
      if (published != nullptr) {
        const size_t place = grid.size() - 1 - k;  // published by density, ascending
        row.emplace_back(published->random[place]);
        row.emplace_back(published->top_prob[place]);
        row.emplace_back(published->p[place]);
      }
      table.rows.push_back(std::move(row));
    }
    page.table(table);
  }
  add_text(output, "sweeps.csv", csv);
}

}  // namespace

Result<Output> report_fig3(const Options& options, const std::vector<Run>& runs, const std::vector<Pruned>& pruned,
                           const ReportProvenance& where) {
  Output output;
  const std::vector<Swept> all = swept_of(options, runs, pruned);
  const std::vector<Retrained> retrained = retrained_of(options, runs);
  OverlapStudyOptions study_options;
  constexpr int64_t size = 50;
  study_options.sizes = {size};
  study_options.as_published = !options.corrected;
  const Result<OverlapStudy> study = study_overlap(study_options, options.first_seed, Purpose::prune);
  if (!study) return study.error();

  find_methods(output, options, all);
  find_high_sparsity(output, options, all);
  find_retraining(output, options, retrained);
  find_kept(output, options, all);
  find_overlap(output, *study, size);

  Report page("Figure 3: taking connections away",
              std::string(options.corrected ? "Corrected" : "As published") + (options.quick ? ", quick" : "") +
                  ". After Balwani, Wang, Najafi and Choi, Science Advances 2025.");
  std::vector<std::string> summary = summary_of(options, output.findings);
  summary.push_back(options.corrected ? "Corrected: exact keep probabilities (Q4, Q5), every network on its own whole "
                                        "held-out split (Q6). Pruning by "
                                        "magnitude was not published and stands beside the two methods."
                                      : "As published: zeros count as connections (Q4), top-prob keeps slightly too "
                                        "many (Q5), one batch is evaluated "
                                        "(Q6) - here each network's own. Pruning by magnitude was not published and "
                                        "stands beside the two methods.");
  page.summary(summary);
  add_findings(output, page);
  page.section("Without retraining");
  add_figure(output, page, error_figure(options, all), "error");
  add_figure(output, page, areas_figure(options, all), "areas");
  add_sweeps(output, page, options, all);
  page.section(
      "The strongest wiring",
      "The maximum spanning tree of the graph whose vertices are the neurons as senders and as receivers. An edge "
      "survives when its connection does.");
  add_figure(output, page, overlap_figure(all, *study, size), "overlap");
  add_figure(output, page, survivors_figure(*study), "survivors");
  page.section("Trained on under the mask");
  add_figure(output, page, retraining_figure(options, retrained), "retraining");
  add_runs(output, page, options, runs);
  page.provenance(where);
  add_text(output, "report.html", page.html());
  return output;
}

}  // namespace dalea::reproduce
