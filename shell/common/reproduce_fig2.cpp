// Figure 2: does a network that obeys Dale's law learn as well as one that does not?
#include <algorithm>
#include <cmath>
#include <map>

#include "analysis/distributions.h"
#include "common/reproduce_parts.h"
#include "common/reproduce_published.h"

namespace dalea::reproduce {
namespace {

// Margins of "as good as", fixed before anything was trained (issue "Figures 2 and 3").
constexpr double margin_percent = 1;  // points of accuracy
constexpr double margin_factor = 2;   // of the mean squared error

const PublishedCell* cell_of(const std::string& task, const std::string& condition) {
  for (const PublishedCell& cell : published_cells)
    if (task == cell.task && condition == cell.condition) return &cell;
  return nullptr;
}

std::vector<double> published_runs(const PublishedCell& cell) {
  return {cell.runs.begin(), cell.runs.end()};
}

std::vector<double> final_values(const std::vector<const Run*>& runs, const std::string& task) {
  return values_of(runs, [&](const Run& r) { return published_value(task, r.history.back()); });
}

struct Cell {
  std::string task, condition;
  std::vector<double> published, obtained;
  double p = no_value, holm = no_value;
  double least = 1;  // the smallest Holm-corrected p that so many runs can reach
};

// One exact test for each task and condition, and Holm's correction over those that could be made.
std::vector<Cell> cells_of(const Options& options, const std::vector<Run>& runs) {
  std::vector<Cell> cells;
  std::vector<double> tested;
  for (const std::string& task : options.tasks)
    for (const std::string& condition : conditions_of(options)) {
      const PublishedCell* cell = cell_of(task, condition);
      if (cell == nullptr) continue;
      Cell c{task, condition, published_runs(*cell), final_values(runs_of(runs, task, condition), task)};
      if (const Result<MannWhitney> test = mann_whitney(c.published, c.obtained)) {
        c.p = test->p;
        tested.push_back(test->p);
      }
      cells.push_back(std::move(c));
    }
  if (const Result<std::vector<double>> adjusted = holm(tested)) {
    size_t next = 0;
    for (Cell& c : cells) {
      if (std::isfinite(c.p)) c.holm = (*adjusted)[next++];
      double relabelings = 1;
      const double n = static_cast<double>(c.obtained.size());
      for (size_t k = 1; k <= c.published.size(); ++k)
        relabelings *= (n + static_cast<double>(k)) / static_cast<double>(k);
      c.least = std::min(1.0, 2 / relabelings * static_cast<double>(tested.size()));
    }
  }
  return cells;
}

// -1: the first is lower, 1: higher, 0: no telling.
int direction(const std::vector<double>& a, const std::vector<double>& b, double& p) {
  p = no_value;
  const Result<MannWhitney> test = mann_whitney(a, b);
  if (!test) return 0;
  p = test->p;
  const Result<double> x = mean_of(a), y = mean_of(b);
  return test->p >= alpha ? 0 : *x < *y ? -1 : 1;
}

const char* direction_text(int direction) {
  return direction < 0 ? "lower" : direction > 0 ? "higher" : "no clear difference";
}

void find_cells(Output& output, const Options& options, const std::vector<Cell>& cells) {
  for (const Cell& c : cells) {
    Finding f;
    f.claim = task_title(c.task) + ", " + condition_title(c.condition) + ": " + published_unit(options, c.task);
    f.published = spread(c.published) + " (5 runs)";
    f.obtained = spread(c.obtained) + " (" + std::to_string(c.obtained.size()) + " runs)";
    if (options.quick) {
      f.why = quick_reason();
    } else if (!std::isfinite(c.p)) {
      f.why = "There are too few finished runs.";
    } else if (c.least >= alpha) {
      f.why = "So few runs cannot reach p < .05 after Holm's correction over " + std::to_string(cells.size()) +
              " cells (at best " + p_text(c.least) + "); --runs 6 or more can.";
    } else {
      f.outcome = c.holm < alpha ? Outcome::outside : Outcome::reproduced;
      f.why = "Exact Mann-Whitney " + p_text(c.p) + ", after Holm's correction over " + std::to_string(cells.size()) +
              " cells " + p_text(c.holm) + ".";
      if (f.outcome == Outcome::outside)
        f.why +=
            c.task == "flip-flop" && c.condition == "conventional"
                ? " Without a constraint this network is unstable from beginning to end, and its error after a given "
                  "epoch is chance; PyTorch's own RNN with these formulas does the same "
                  "(tests/py/conventional_flip_flop.py ends on 2.4). What calmed the published runs is not known."
                : " The published runs have no seeds, and networks of different seeds end at very different errors; "
                  "the formulas agree with PyTorch step by step.";
    }
    output.findings.push_back(std::move(f));
  }
}

void find_directions(Output& output, const Options& options, const std::vector<Run>& runs) {
  for (const std::string& task : options.tasks)
    for (const std::string& other : {conditions_of(options)[0], conditions_of(options)[1]}) {
      const PublishedCell *dale = cell_of(task, "dale"), *against = cell_of(task, other);
      if (dale == nullptr || against == nullptr) continue;
      double published_p, p;
      const int published = direction(published_runs(*dale), published_runs(*against), published_p);
      const int obtained =
          direction(final_values(runs_of(runs, task, "dale"), task), final_values(runs_of(runs, task, other), task), p);
      Finding f;
      f.claim = task_title(task) + ": Dale's backprop against " + condition_title(other) + ", " +
                (task == "digits" ? "accuracy" : "error");
      f.published = std::string(direction_text(published)) + " (" + p_text(published_p) + ")";
      f.obtained = std::string(direction_text(obtained)) + (std::isfinite(p) ? " (" + p_text(p) + ")" : "");
      if (options.quick) {
        f.why = quick_reason();
      } else if (!std::isfinite(p)) {
        f.why = "There are too few finished runs.";
      } else {
        f.outcome = published == obtained ? Outcome::reproduced : Outcome::not_reproduced;
        f.why =
            "Exact Mann-Whitney over the runs; the paper shows no test for this figure, so the published one is ours, "
            "of its printed numbers. Dale's networks differ from the others in the recurrent nonlinearity too (Q3).";
      }
      output.findings.push_back(std::move(f));
    }
}

// "As good as", with margins: corrected conditions only, where the nonlinearity is the same.
struct Effect {
  std::string task, other;
  Result<NonInferiority> margin;
  Result<HedgesG> g;
};
std::vector<Effect> effects_of(const Options& options, const std::vector<Run>& runs) {
  std::vector<Effect> effects;
  for (const std::string& task : options.tasks)
    for (size_t k = 0; k < 2; ++k) {
      const std::string other = conditions_of(options)[k];
      const bool accuracy = task == "digits";
      const auto value = [&](const Run& r) { return accuracy ? held_out_percent(r) : held_out_error(r); };
      std::vector<double> a = values_of(runs_of(runs, task, "dale"), value),
                          b = values_of(runs_of(runs, task, other), value);
      Result<NonInferiority> margin =
          accuracy ? non_inferiority(a, b, margin_percent, Scale::difference, Better::higher, alpha)
                   : non_inferiority(a, b, margin_factor, Scale::ratio, Better::lower, alpha);
      if (!accuracy) {  // errors are compared as factors
        for (double& v : a) v = std::log(v);
        for (double& v : b) v = std::log(v);
      }
      effects.push_back({task, other, std::move(margin), hedges_g(a, b)});
    }
  return effects;
}

void find_non_inferiority(Output& output, const Options& options, const std::vector<Effect>& effects) {
  for (const Effect& e : effects) {
    const bool accuracy = e.task == "digits";
    Finding f;
    f.claim = task_title(e.task) + ": Dale's backprop is as good as " + condition_title(e.other) +
              " training (margin: " + (accuracy ? "1 point of accuracy" : "twice the MSE") + ", fixed beforehand)";
    f.published = "“as good as”, without a test";
    if (!e.margin) {
      f.why = "There are too few finished runs.";
      output.findings.push_back(std::move(f));
      continue;
    }
    const NonInferiority& m = *e.margin;
    f.obtained = std::string(name_of(m.verdict)) + ": " + (accuracy ? "difference " : "ratio ") + number(m.estimate) +
                 " [" + number(m.interval.low) + ", " + number(m.interval.high) + "]";
    f.why = "90 % interval against a limit of " + number(m.limit) +
            (e.g ? "; Hedges' g " + number(e.g->g, 2) + " [" + number(e.g->interval.low, 2) + ", " +
                       number(e.g->interval.high, 2) + "]" + (accuracy ? "" : " of the log error")
                 : "") +
            ".";
    if (options.quick)
      f.why += " " + quick_reason();
    else if (m.verdict == dalea::Verdict::undecided)
      f.why += " The interval crosses the limit: more runs would decide (--runs).";
    else
      f.outcome = m.verdict == dalea::Verdict::non_inferior ? Outcome::reproduced : Outcome::not_reproduced;
    output.findings.push_back(std::move(f));
  }
}

// ---- weights (SEEDS 2.6)

// No network of this figure has a mask, so that all weights are stored.
std::vector<double> as_double(const Weights& w) {
  return {w.values.begin(), w.values.end()};
}

// Draws depend on seed and entry alone, so the task's ends do not matter.
std::vector<std::vector<double>> initial_weights(const std::vector<const Run*>& runs) {
  std::vector<std::vector<double>> all;
  for (const Run* run : runs) all.push_back(as_double(build_model(run->job.spec, Ends{}, 0).parameters.W_rec));
  return all;
}

struct WeightsOf {
  std::string task, condition;
  std::vector<std::vector<double>> final;
};
std::vector<WeightsOf> weights_of(const Options& options, const std::vector<Run>& runs) {
  std::vector<WeightsOf> all;
  for (const std::string& task : options.tasks)
    for (const std::string& condition : conditions_of(options)) {
      WeightsOf w{task, condition, {}};
      for (const Run* run : runs_of(runs, task, condition)) w.final.push_back(as_double(run->parameters.W_rec));
      all.push_back(std::move(w));
    }
  return all;
}

std::vector<double> pooled(const std::vector<std::vector<double>>& runs) {
  std::vector<double> all;
  for (const std::vector<double>& r : runs) all.insert(all.end(), r.begin(), r.end());
  return all;
}

plot::Figure density_figure(const Options& options, const std::vector<WeightsOf>& all, const std::vector<Run>& runs) {
  plot::Figure figure;
  figure.title = "Recurrent weights before and after training";
  figure.caption = "Gaussian kernel densities (Scott's bandwidth) of all recurrent weights of all runs. Grey: initial.";
  figure.columns = static_cast<int>(options.tasks.size());
  figure.width_mm = plot::double_column_mm;
  figure.shared_legend = true;
  for (const std::string& task : options.tasks) {
    plot::LineChart chart;
    chart.x.label = "recurrent weight";
    chart.y.label = "density";
    chart.y.log = true;
    chart.y.min = 1e-2;
    chart.y.max = 1e2;
    std::vector<double> grid;
    for (int k = -200; k <= 200; ++k) grid.push_back(0.3 * k / 200);
    const auto density = [&](const std::vector<std::vector<double>>& weights) {
      std::vector<double> y;
      if (const Result<KernelDensity> d = binned_kde(pooled(weights), grid))
        for (double v : d->density) y.push_back(v >= 1e-3 ? v : no_value);  // below the axis
      return y;
    };
    bool initial = false;
    for (const WeightsOf& w : all) {
      if (w.task != task || w.final.empty()) continue;
      if (!initial)
        chart.series.push_back({.name = "initial",
                                .x = grid,
                                .y = density(initial_weights(runs_of(runs, task, w.condition))),
                                .style = {plot::rgb(0xaaaaaa), plot::Dash::solid, plot::Marker::none, 1.0}});
      initial = true;
      chart.series.push_back({.name = condition_title(w.condition),
                              .x = grid,
                              .y = density(w.final),
                              .style = plot::named_style(w.condition)});
    }
    figure.panels.push_back({task_title(task), std::move(chart)});
  }
  return figure;
}

plot::Figure matrix_figure(const Options& options, const std::vector<WeightsOf>& all, const std::vector<Run>& runs) {
  plot::Figure figure;
  figure.title = "Mean weights after training";
  figure.caption =
      "Recurrent weights, mean over tasks and runs; the same scale everywhere. Excitatory columns first, then "
      "inhibitory.";
  figure.columns = 3;
  figure.width_mm = plot::double_column_mm;
  for (const std::string& condition : conditions_of(options)) {
    plot::HeatMap map;
    map.scale = 0.2;
    double count = 0;
    std::vector<double> sum;
    for (const WeightsOf& w : all) {
      if (w.condition != condition) continue;
      for (const std::vector<double>& r : w.final) {
        if (sum.empty()) sum.assign(r.size(), 0.0);
        if (r.size() != sum.size()) continue;
        for (size_t k = 0; k < r.size(); ++k) sum[k] += r[k];
        count += 1;
      }
    }
    map.rows = map.columns = static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(sum.size()))));
    for (int64_t i = 0; i < map.rows; ++i)
      for (int64_t j = 0; j < map.columns; ++j)
        map.values.push_back(static_cast<float>(sum[static_cast<size_t>(j * map.rows + i)] / count));
    for (const Run& run : runs) {
      int64_t begin = 0;
      for (const Population& p : run.job.spec.populations) {
        map.column_blocks.push_back({p.name, begin, begin + p.size});
        map.row_blocks.push_back({p.name, begin, begin + p.size});
        begin += p.size;
      }
      break;
    }
    figure.panels.push_back({condition_title(condition), std::move(map)});
  }
  return figure;
}

struct Divergence {
  std::string task, condition;
  Result<KlPairs> published, common;
};
std::vector<Divergence> divergences_of(const std::vector<WeightsOf>& all) {
  std::vector<Divergence> list;
  for (const WeightsOf& w : all) {
    if (w.condition == "conventional") continue;
    for (const WeightsOf& reference : all) {
      if (reference.task != w.task || reference.condition != "conventional") continue;
      const auto views = [](const std::vector<std::vector<double>>& runs) {
        return std::vector<Values>(runs.begin(), runs.end());
      };
      const std::vector<Values> a = views(reference.final), b = views(w.final);
      list.push_back(
          {w.task, w.condition, kl_pairs(a, b, KlMethod::own_ranges), kl_pairs(a, b, KlMethod::common_bins)});
    }
  }
  return list;
}

void find_divergence(Output& output, const Options& options, const std::vector<Divergence>& list) {
  for (const PublishedKl& published : published_kl) {
    const Divergence *dale = nullptr, *rectified = nullptr;
    for (const Divergence& d : list) {
      if (d.task != published.task) continue;
      (d.condition == "dale" ? dale : rectified) = &d;
    }
    if (dale == nullptr || rectified == nullptr || !dale->published || !rectified->published) continue;
    Finding f;
    f.claim = task_title(published.task) +
              ": the weights of Dale's networks are nearer to the conventional ones' than the rectified ones' are";
    f.published = number(published.dale) + " against " + number(published.rectified) + " nats";
    f.obtained = number(dale->published->mean) + " against " + number(rectified->published->mean) + " nats";
    if (dale->common && rectified->common)
      f.obtained += "; with common bins " + number(dale->common->mean) + " against " + number(rectified->common->mean);
    if (options.quick) {
      f.why = quick_reason();
    } else {
      const bool as_published = dale->published->mean < rectified->published->mean;
      const bool common = dale->common && rectified->common && dale->common->mean < rectified->common->mean;
      f.outcome = as_published ? Outcome::reproduced : Outcome::not_reproduced;
      f.why =
          "KL divergence over all pairs of runs. The published bins differ between the two sides (Q16), so that a "
          "change of scale is invisible; with common bins the order is " +
          std::string(common == as_published ? "the same." : "the opposite.");
    }
    output.findings.push_back(std::move(f));
  }
}

void find_signs(Output& output, const Options& options, const std::vector<Run>& runs) {
  int64_t violations = 0, networks = 0;
  double inhibition = 0, initial = 0;
  int64_t rectified = 0;
  for (const Run& run : runs) {
    if (!run.failure.empty() || run.history.empty()) continue;
    Model model = build_model(run.job.spec, Ends{}, 0);
    const Weights first = model.parameters.W_rec;
    if (run.job.condition == "dale") {
      model.parameters.W_rec = run.parameters.W_rec;
      violations += audit(model, nullptr).sign;
      ++networks;
    }
    if (run.job.condition == "rectified") {
      for (int64_t j = 0; j < first.cols; ++j)
        for (int64_t i = 0; i < first.rows && model.sign[j] < 0; ++i) {
          inhibition += std::fabs(static_cast<double>(run.parameters.W_rec.at(i, j)));
          initial += std::fabs(static_cast<double>(first.at(i, j)));
        }
      ++rectified;
    }
  }
  if (networks > 0)
    output.findings.push_back(
        {"Dale's backprop never leaves the cone of its signs", "by construction",
         std::to_string(violations) + " entries of the wrong sign in " + std::to_string(networks) + " networks",
         violations == 0 ? Outcome::reproduced : Outcome::not_reproduced,
         "Counted in the final weights; the status bar of the window counts them while it trains."});
  if (rectified > 0 && initial > 0)
    output.findings.push_back(
        {"The published rectified baseline keeps its inhibitory neurons", "implied",
         "their mean weight falls to " + number(100 * inhibition / initial, 2) + " % of its initial size",
         inhibition / initial > 0.5 ? Outcome::reproduced : Outcome::not_reproduced,
         options.quick
             ? "Its code writes signed weights back and then sets the negative ones to 0 (Q3)."
             : "Its code writes signed weights back and then sets the negative ones to 0 (Q3), so the baseline "
               "has no inhibition; --corrected trains the usual parameterisation instead."});
}

// ---- figures of errors

plot::Figure curves_figure(const Options& options, const std::vector<Run>& runs) {
  plot::Figure figure;
  figure.title = "Learning under three constraints";
  figure.caption = std::string("Held-out error while training, mean and one standard deviation over ") +
                   std::to_string(options.runs) + " runs" +
                   (options.quick || options.corrected ? "." : "; crosses: the published means.");
  figure.columns = static_cast<int>(options.tasks.size());
  figure.width_mm = plot::double_column_mm;
  figure.shared_legend = true;
  for (const std::string& task : options.tasks) {
    plot::LineChart chart;
    const bool log = task != "digits";
    chart.x.label = "epoch";
    chart.y.label = published_unit(options, task);
    chart.y.log = log;
    for (const std::string& condition : conditions_of(options)) {
      plot::Series s = curve(
          condition_title(condition), histories_of(runs_of(runs, task, condition)),
          [&](const EpochRecord& e) { return published_value(task, e); }, log);
      s.style = plot::named_style(condition);
      if (!s.x.empty()) chart.series.push_back(std::move(s));
    }
    if (!options.quick && !options.corrected)
      for (const PublishedCurve& p : published_curves()) {
        if (task != p.task) continue;
        plot::Series s;
        s.name = "published";
        s.x = p.epoch;
        s.y = p.mean;
        s.line = false;
        s.marks = true;
        s.style = plot::named_style(p.condition);
        s.style.marker = plot::Marker::cross;
        s.name = condition_title(p.condition) + ", published";
        chart.series.push_back(std::move(s));
      }
    figure.panels.push_back({task_title(task), std::move(chart)});
  }
  return figure;
}

plot::Figure final_figure(const Options& options, const std::vector<Run>& runs) {
  plot::Figure figure;
  const bool beside = !options.quick && !options.corrected;
  figure.title = "After the last epoch";
  figure.caption = std::string("Every run is a point, the bar is their mean.") +
                   (beside ? " Published: the five runs of the paper's notebooks." : "");
  figure.columns = static_cast<int>(options.tasks.size());
  figure.width_mm = plot::double_column_mm;
  for (const std::string& task : options.tasks) {
    plot::GroupChart chart;
    chart.y.label = published_unit(options, task);
    chart.y.log = task != "digits";
    for (const std::string& condition : conditions_of(options)) {
      const PublishedCell* cell = cell_of(task, condition);
      plot::Style style = plot::named_style(condition);
      if (beside && cell != nullptr) {
        plot::Style pale = style;
        pale.color = plot::rgb(0xaaaaaa);
        chart.groups.push_back(
            {.name = condition_title(condition) + ", published", .runs = published_runs(*cell), .style = pale});
      }
      chart.groups.push_back({.name = condition_title(condition),
                              .runs = final_values(runs_of(runs, task, condition), task),
                              .style = style});
    }
    figure.panels.push_back({task_title(task), std::move(chart)});
  }
  return figure;
}

std::optional<plot::Figure> effects_figure(const std::vector<Effect>& effects) {
  plot::ForestChart ratios, points;
  ratios.x.label = "MSE of Dale's networks / of the others";
  ratios.x.log = true;
  ratios.zero_line = false;
  ratios.value_header = "ratio [90 % interval]";
  ratios.lines = {{.value = 1, .name = "equal", .vertical = true},
                  {.value = margin_factor, .name = "margin", .vertical = true}};
  points.x.label = "accuracy of Dale's networks - of the others (points)";
  points.value_header = "difference [90 % interval]";
  points.lines = {{.value = -margin_percent, .name = "margin", .vertical = true}};
  for (const Effect& e : effects) {
    if (!e.margin) continue;
    plot::ForestChart& chart = e.task == "digits" ? points : ratios;
    chart.effects.push_back({.name = task_title(e.task) + ", " + condition_title(e.other),
                             .value = e.margin->estimate,
                             .low = e.margin->interval.low,
                             .high = e.margin->interval.high});
  }
  plot::Figure figure;
  figure.title = "Is Dale's backprop as good?";
  figure.caption = "Left of the margin (ratio) or right of it (points) as a whole: not worse by more than the margin.";
  figure.width_mm = plot::double_column_mm;
  if (!ratios.effects.empty()) figure.panels.push_back({"Errors", std::move(ratios)});
  if (!points.effects.empty()) figure.panels.push_back({"Accuracy", std::move(points)});
  if (figure.panels.empty()) return std::nullopt;
  return figure;
}

}  // namespace

Result<Output> report_fig2(const Options& options, const std::vector<Run>& runs, const ReportProvenance& where) {
  Output output;
  const std::vector<Cell> cells = options.corrected ? std::vector<Cell>{} : cells_of(options, runs);
  const std::vector<Effect> effects = options.corrected ? effects_of(options, runs) : std::vector<Effect>{};
  const std::vector<WeightsOf> weights = weights_of(options, runs);
  const std::vector<Divergence> divergences = divergences_of(weights);
  if (options.corrected) {
    find_non_inferiority(output, options, effects);
  } else {
    find_cells(output, options, cells);
    find_directions(output, options, runs);
    find_divergence(output, options, divergences);
  }
  find_signs(output, options, runs);

  Report page("Figure 2: learning with and without Dale's law",
              std::string(options.corrected ? "Corrected" : "As published") + (options.quick ? ", quick" : "") +
                  ". After Balwani, Wang, Najafi and Choi, Science Advances 2025.");
  std::vector<std::string> summary = summary_of(options, output.findings);
  summary.push_back(
      options.corrected
          ? "Corrected: all conditions share the rectified recurrent nonlinearity, the rectified baseline is "
            "the usual forward parameterisation, waves have two tones and reach their own population only. "
            "Published numbers are of other conditions, so none stand beside these."
          : "As published: Dale's networks differ from the others in their nonlinearity too, and the "
            "rectified baseline loses its inhibition. --corrected mends both.");
  page.summary(summary);
  add_findings(output, page);
  page.section("Learning",
               "Three tasks, three conditions. A run is a seed: new data and new initial weights (the digits "
               "are shared). Nothing of the held-out trials is used for training.");
  add_figure(output, page, curves_figure(options, runs), "learning");
  add_figure(output, page, final_figure(options, runs), "final");
  for (const std::string& task : options.tasks)
    if (task == "wave") {
      page.text(
          "Waves: the held-out windows come from the same two waves as the training windows, as published, and "
          "both waves repeat after 500 samples; what is new in a held-out trial is how the two are shifted against "
          "each other. So this is no test of waves never seen.");
      break;
    }
  if (!cells.empty()) {
    ReportTable table;
    table.caption = "Published against obtained runs, exact Mann-Whitney tests, Holm's correction over all cells.";
    table.columns = {
        {"task and condition"}, {"published mean", "", 4}, {"obtained mean", "", 4}, {"p", "", 3}, {"p (Holm)", "", 3}};
    for (const Cell& c : cells) {
      const Result<double> a = mean_of(c.published), b = mean_of(c.obtained);
      table.rows.push_back({task_title(c.task) + ", " + condition_title(c.condition), a ? *a : no_value,
                            b && !options.quick ? *b : no_value, options.quick ? no_value : c.p,
                            options.quick ? no_value : c.holm});
    }
    page.table(table);
  }
  if (const std::optional<plot::Figure> figure = effects_figure(effects)) {
    page.section("As good as?",
                 "Non-inferiority: the whole 90 % interval (Welch) must lie on the good side of the margin. "
                 "An interval across the margin decides nothing, and more runs narrow it.");
    add_figure(output, page, *figure, "effects");
  }
  page.section("Weights");
  add_figure(output, page, density_figure(options, weights, runs), "weights");
  bool complete = true;
  for (const WeightsOf& w : weights) complete = complete && !w.final.empty();
  if (complete)
    add_figure(output, page, matrix_figure(options, weights, runs), "matrices", false);  // the sessions hold them
  if (!divergences.empty()) {
    ReportTable table;
    table.caption =
        "KL divergence of the final weights from the conventional networks' (nats), all pairs of runs. The published "
        "bars "
        "are half the variance; here: standard deviations.";
    table.columns = {{"task and condition"}, {"published, own bins"}, {"own bins", "", 3},
                     {"sd", "", 2},          {"common bins", "", 3},  {"sd", "", 2}};
    for (const Divergence& d : divergences) {
      std::string published = "–";
      for (const PublishedKl& p : published_kl)
        if (d.task == p.task && !options.corrected && !options.quick)
          published = number(d.condition == "dale" ? p.dale : p.rectified, 4);
      table.rows.push_back({task_title(d.task) + ", " + condition_title(d.condition), published,
                            d.published ? d.published->mean : no_value, d.published ? d.published->sd : no_value,
                            d.common ? d.common->mean : no_value, d.common ? d.common->sd : no_value});
    }
    page.table(table);
  }
  add_runs(output, page, options, runs);
  page.provenance(where);
  add_text(output, "report.html", page.html());
  return output;
}

}  // namespace dalea::reproduce
