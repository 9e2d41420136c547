// Does a measured connectome help? The second paper's comparison, with the tests it did not have.
#include <algorithm>
#include <cmath>

#include "analysis/special.h"
#include "common/connectome_files.h"
#include "common/json.h"
#include "common/markup.h"
#include "common/reproduce_bio.h"
#include "common/sweep_grid.h"
#include "connectome/connectome.h"
#include "numerics/parallel.h"

namespace dalea::reproduce {
namespace {

using plot::no_value;
using Says = BioComparison::Says;

constexpr size_t exact_pairs = 16;
constexpr int64_t random_signs = 99'999;
constexpr double learned_below = 0.95;

const char* says_text(Says says) {
  return says == Says::supported ? "supported" : says == Says::contradicted ? "contradicted" : "undecided";
}

std::string arm_title(const std::string& arm) {
  return arm == measured_arm ? "measured wiring" : arm == "permuted" ? "permuted (as published)" : arm;
}

double chance_of(const std::string& task) {
  return task == "sequence-memory" ? 1.0 / 12 : std::log(2.0);  // variance of U(0, 1); two classes, equally often
}

std::string loss_unit(const std::string& task) {
  return task == "sequence-memory" ? "MSE" : "nats";
}

double quantile_or_none(const std::vector<double>& v, double q) {
  const Result<double> at = quantile(v, q);
  return at ? *at : no_value;
}

std::string title_of(const Options& options, const std::string& species) {
  for (const Wiring& w : options.wirings)
    if (w.name == species) return w.title;
  return species;
}

bool fine(const Run& run) {
  return run.failure.empty() && !run.history.empty();
}

std::vector<const Run*> runs_in(const std::vector<Run>& runs, const std::string& species, const std::string& task,
                                const std::string& arm) {
  std::vector<const Run*> list;
  for (const Run& run : runs)
    if (run.job.group == species && run.job.task == task && run.job.condition == arm && fine(run)) list.push_back(&run);
  return list;
}

std::vector<double> results_of(const Options& options, const std::vector<const Run*>& runs, int which) {
  std::vector<double> values;
  for (const Run* run : runs) {
    const BioResult r = bio_result(options, *run);
    if (r.epoch > 0)
      values.push_back(which == 0   ? r.loss
                       : which == 1 ? static_cast<double>(r.epoch)
                                    : static_cast<double>(r.epoch_99));
  }
  return values;
}

// Two-sided interval of the mean; needs two values that differ.
Interval student_interval(const std::vector<double>& v, double confidence) {
  const Result<Summary> s = summarise(v);
  if (!s) return {no_value, no_value};
  const double reach = student_critical(1 - confidence, static_cast<double>(v.size() - 1)) * s->standard_error;
  return {s->mean - reach, s->mean + reach};
}

Interval exp_of(const Interval& i) {
  return {std::exp(i.low), std::exp(i.high)};
}

std::string interval_text(const Interval& i) {
  return "[" + number(i.low) + ", " + number(i.high) + "]";
}

// One setting's pairs, as logarithms of the loss.
struct Paired {
  std::string setting;
  std::vector<double> bio, null;
};

BioComparison compare(const Options& options, const std::vector<Run>& runs, const std::string& species,
                      const std::string& task, const std::string& null) {
  BioComparison c;
  c.species = species;
  c.task = task;
  c.null = null;
  c.chance = chance_of(task);
  std::vector<Paired> settings;
  std::vector<double> difference, epochs, epochs_99, loss_bio, loss_null;
  const std::vector<const Run*> others = runs_in(runs, species, task, null);
  for (const Run* run : runs_in(runs, species, task, measured_arm))
    for (const Run* other : others) {
      if (other->job.seed != run->job.seed || other->job.setting != run->job.setting) continue;
      const BioResult a = bio_result(options, *run), b = bio_result(options, *other);
      if (a.epoch == 0 || b.epoch == 0 || !(a.loss > 0) || !(b.loss > 0)) continue;
      auto at = std::find_if(settings.begin(), settings.end(),
                             [&](const Paired& p) { return p.setting == run->job.setting; });
      if (at == settings.end()) at = settings.insert(at, {run->job.setting, {}, {}});
      at->bio.push_back(std::log(a.loss));
      at->null.push_back(std::log(b.loss));
      difference.push_back(std::log(a.loss) - std::log(b.loss));
      epochs.push_back(static_cast<double>(a.epoch - b.epoch));
      epochs_99.push_back(static_cast<double>(a.epoch_99 - b.epoch_99));
      loss_bio.push_back(a.loss);
      loss_null.push_back(b.loss);
    }
  c.pairs = static_cast<int64_t>(difference.size());
  if (c.pairs < 2) return c;
  c.ratio = std::exp(*mean_of(difference));
  c.interval = exp_of(student_interval(difference, 0.95));
  c.narrow = exp_of(student_interval(difference, 0.90));
  c.epochs = *mean_of(epochs);
  c.epochs_99 = *mean_of(epochs_99);
  c.learned = std::min(quantile_or_none(loss_bio, 0.5), quantile_or_none(loss_null, 0.5)) < learned_below * c.chance;
  std::vector<double> bio, random;
  for (const Paired& p : settings) {
    const double n = static_cast<double>(p.bio.size());
    double mean = 0;
    for (size_t k = 0; k < p.bio.size(); ++k) mean += (p.bio[k] + p.null[k]) / (2 * n);
    for (size_t k = 0; k < p.bio.size(); ++k) {
      bio.push_back(p.bio[k] - mean);
      random.push_back(p.null[k] - mean);
    }
  }
  if (const Result<HedgesG> g = hedges_g(bio, random)) {
    c.g = g->g;
    c.g_interval = g->interval;
  }
  c.p = sign_flip_p(difference, Rng(options.first_seed, Purpose::compare, static_cast<uint32_t>(c.pairs)));
  return c;
}

void judge(const Options& options, BioComparison& c) {
  const double low = 1 / bio_margin;
  c.equivalent = c.narrow.low > low && c.narrow.high < bio_margin;
  if (c.pairs < 2) {
    c.why = "There are too few finished pairs.";
    return;
  }
  if (!c.learned) {
    c.why =
        "Neither learned: the median of the better ones is not below 95 % of the loss of an answer that ignores the "
        "trial (" +
        number(c.chance) + " " + loss_unit(c.task) + "). Equality says nothing then.";
    return;
  }
  const std::string tested =
      "Sign flips of the pairs: " + p_text(c.p) + ", after Holm's correction " + p_text(c.holm) + ". ";
  if (c.holm < alpha && c.ratio < 1 && !(c.narrow.low > low)) {
    c.says = Says::contradicted;
    c.why = tested + "The measured wiring learned better.";
  } else if (c.narrow.low > low) {
    c.says = Says::supported;
    c.why = tested + "The whole 90 % interval " + interval_text(c.narrow) + " lies above " + number(low) +
            ": an enhancement of a tenth or more is ruled out" +
            (c.holm < alpha && c.ratio < 1 ? ", though there is a smaller one" : "") +
            (c.holm < alpha && c.ratio > 1 ? "; the measured wiring learned worse" : "") + ".";
  } else {
    c.why =
        tested + "The 90 % interval " + interval_text(c.narrow) + " reaches beyond " + number(low) +
        ", the margin of an enhancement: undecided, more pairs would decide (--runs)" +
        (c.least_p >= alpha ? "; so few pairs reach at best " + p_text(c.least_p) + " after Holm's correction" : "") +
        ".";
  }
  if (options.quick) c.why += " " + quick_reason();
}

Outcome outcome_of(const Options& options, Says says) {
  if (options.quick || says == Says::undecided) return Outcome::cannot_be_tested;
  return says == Says::supported ? Outcome::reproduced : Outcome::not_reproduced;
}

Says all_say(const std::vector<BioComparison>& list) {
  bool all = !list.empty();
  for (const BioComparison& c : list) {
    if (c.says == Says::contradicted) return Says::contradicted;
    all = all && c.says == Says::supported;
  }
  return all ? Says::supported : Says::undecided;
}

std::string counts_of(const std::vector<BioComparison>& list) {
  int64_t count[3] = {0, 0, 0};
  for (const BioComparison& c : list) ++count[static_cast<size_t>(c.says)];
  return std::to_string(count[0]) + " of " + std::to_string(list.size()) + " comparisons support it, " +
         std::to_string(count[1]) + " contradict it, " + std::to_string(count[2]) + " are undecided";
}

std::string sentence_of(const Options& options, const std::vector<BioComparison>& list) {
  const auto equivalent =
      std::count_if(list.begin(), list.end(), [](const BioComparison& c) { return c.learned && c.equivalent; });
  if (options.quick)
    return "The published claim is \"no enhancement over randomly wired networks\". A quick run says nothing about it; "
           "of its small networks alone the verdict would be: " +
           std::string(says_text(all_say(list))) + ".";
  return "The published claim, \"no enhancement over randomly wired networks\", is " +
         std::string(says_text(all_say(list))) + " by what was run here: " + counts_of(list) +
         ". Equivalence within a "
         "tenth, either way, is shown in " +
         std::to_string(equivalent) + " of " + std::to_string(list.size()) + ".";
}

void find_claims(Output& output, const Options& options, const std::vector<BioComparison>& list) {
  Finding all;
  all.claim = "Networks wired like a measured connectome learn no better than randomly wired ones (no enhancement)";
  all.published = "claimed, without a test";
  all.obtained = std::string(says_text(all_say(list))) + ": " + counts_of(list);
  all.outcome = outcome_of(options, all_say(list));
  all.why = options.quick ? quick_reason()
                          : "Contradicted: in at least one the measured wiring is better after Holm's correction and "
                            "not shown to be within the margin. Supported: in every one more than a tenth less loss is "
                            "ruled out (one-sided, 5 %). Margin fixed beforehand.";
  output.findings.push_back(std::move(all));

  int64_t kept = 0, lost = 0;
  for (const BioComparison& c : list) {
    kept += c.learned && c.narrow.high < bio_margin;
    lost += c.learned && c.narrow.low > bio_margin;
  }
  Finding same;
  same.claim = "A measured connectome can be the wiring without a loss of performance";
  same.published = "claimed, without a test";
  same.obtained = "not more than a tenth worse in " + std::to_string(kept) + " of " + std::to_string(list.size()) +
                  " comparisons, more than a tenth worse in " + std::to_string(lost);
  if (!options.quick && kept == static_cast<int64_t>(list.size()) && kept > 0) same.outcome = Outcome::reproduced;
  if (!options.quick && lost > 0) same.outcome = Outcome::not_reproduced;
  same.why = options.quick ? quick_reason()
                           : "Non-inferiority: the 90 % interval of the ratio must lie below 1.1. Comparisons in which "
                             "nothing was learned do not count.";
  output.findings.push_back(std::move(same));

  for (const BioComparison& c : list) {
    Finding f;
    f.claim = title_of(options, c.species) + ", " + task_title(c.task) + ": no enhancement over " + arm_title(c.null) +
              " networks";
    f.published = "no enhancement, without a test";
    f.obtained = "loss " + number(c.ratio) + " times theirs " + interval_text(c.interval) + " in " +
                 std::to_string(c.pairs) + " pairs; Hedges' g " + number(c.g, 2) + " " + interval_text(c.g_interval) +
                 "; " + (c.equivalent ? "equivalent within a tenth" : "equivalence within a tenth not shown");
    f.outcome = outcome_of(options, c.says);
    f.why = c.why;
    output.findings.push_back(std::move(f));
  }
}

void find_strategies(Output& output, const Options& options, const std::vector<Run>& runs) {
  if (options.corrected) return;
  for (const std::string& task : options.tasks) {
    std::vector<double> with, without, relu, tanh;
    for (const Run& run : runs) {
      if (run.job.task != task || run.job.condition != measured_arm || !fine(run)) continue;
      const BioResult r = bio_result(options, run);
      if (!(r.loss > 0)) continue;
      (run.job.spec.connectome.remap == "none" ? without : with).push_back(r.loss);
      (run.job.spec.network.activation == Activation::relu ? relu : tanh).push_back(r.loss);
    }
    Finding f;
    f.claim = task_title(task) + ": initial weights ordered by the connectome's, and the activation, matter";
    f.published = "strategies matter; which are best is not known from what could be read";
    const auto text = [](const char* what, const std::vector<double>& a, const std::vector<double>& b) {
      const Result<GeometricRatio> r = ratio_of_geometric_means(a, b);
      return r ? std::string(what) + number(r->ratio) + " " + interval_text(r->interval) : std::string(what) + "–";
    };
    f.obtained = text("loss with remap over without ", with, without) + text("; relu over tanh ", relu, tanh);
    f.why = "Descriptive: ratios of geometric means over measured wirings of all species (Welch, 95 %).";
    output.findings.push_back(std::move(f));
  }
}

// ---- tables

void add_tables(Output& output, Report& page, const Options& options, const std::vector<Run>& runs,
                const std::vector<BioComparison>& list) {
  ReportTable effects;
  effects.caption =
      "Loss with the measured wiring over the loss with the random one. Each pair shares trials, seed and settings.";
  effects.columns = {{"species, task"},   {"against"},          {"pairs", "", 3},  {"ratio", "", 3},
                     {"95 % interval"},   {"Hedges' g", "", 2}, {"95 % interval"}, {"p", "", 2},
                     {"p (Holm)", "", 2}, {"equivalent"},       {"no enhancement"}};
  std::string csv =
      "species,task,null,pairs,ratio,low,high,low_90,high_90,hedges_g,g_low,g_high,p,p_holm,least_p_holm,"
      "epochs_difference,epochs_99_difference,learned,equivalent,no_enhancement\n";
  for (const BioComparison& c : list) {
    effects.rows.push_back({title_of(options, c.species) + ", " + task_title(c.task), c.null,
                            static_cast<double>(c.pairs), c.ratio, interval_text(c.interval), c.g,
                            interval_text(c.g_interval), c.p, c.holm, std::string(c.equivalent ? "yes" : "not shown"),
                            std::string(says_text(c.says)) + (c.learned ? "" : " (not learned)")});
    csv += csv_field(c.species) + "," + c.task + "," + c.null + "," + std::to_string(c.pairs);
    for (double v : {c.ratio, c.interval.low, c.interval.high, c.narrow.low, c.narrow.high, c.g, c.g_interval.low,
                     c.g_interval.high, c.p, c.holm, c.least_p, c.epochs, c.epochs_99})
      csv += "," + (std::isfinite(v) ? number(v, 9) : std::string());
    csv += std::string(c.learned ? ",yes" : ",no") + (c.equivalent ? ",yes," : ",no,") + says_text(c.says) + "\n";
  }
  page.table(effects);
  add_text(output, "effects.csv", csv);

  ReportTable table;
  table.caption = "Mean and sample standard deviation over iterations. Epochs are medians.";
  table.columns = {{"species, task, settings"}, {"wiring"},           {"networks", "", 3}, {"least loss"},
                   {"its epoch", "", 4},        {"99 % epoch", "", 4}};
  struct Key {
    std::string name, arm;
    std::vector<const Run*> runs;
  };
  std::vector<Key> keys;
  for (const Run& run : runs) {
    if (!fine(run)) continue;
    const std::string name =
        title_of(options, run.job.group) + ", " + task_title(run.job.task) + ", " + run.job.setting;
    auto at = std::find_if(keys.begin(), keys.end(),
                           [&](const Key& k) { return k.name == name && k.arm == run.job.condition; });
    if (at == keys.end()) at = keys.insert(at, {name, run.job.condition, {}});
    at->runs.push_back(&run);
  }
  std::stable_sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) { return a.name < b.name; });
  for (const Key& k : keys) {
    const std::vector<double> loss = results_of(options, k.runs, 0);
    table.rows.push_back({k.name, k.arm, static_cast<double>(loss.size()), spread(loss),
                          quantile_or_none(results_of(options, k.runs, 1), 0.5),
                          quantile_or_none(results_of(options, k.runs, 2), 0.5)});
  }
  page.section("Every setting");
  page.table(table);

  std::string all = "network,species,task,setting,wiring,seed,epochs,least_loss,epoch,epoch_99,accuracy,hash,failure\n";
  int64_t failed = 0;
  nlohmann::json networks = nlohmann::json::array();
  for (const Run& run : runs) {
    const BioResult r = bio_result(options, run);
    failed += !fine(run);
    all += csv_field(run.job.id) + "," + csv_field(run.job.group) + "," + run.job.task + "," +
           csv_field(run.job.setting) + "," + run.job.condition + "," + std::to_string(run.job.seed) + "," +
           std::to_string(run.history.empty() ? 0 : run.history.back().epoch) + "," +
           (std::isfinite(r.loss) ? number(r.loss, 9) : std::string()) + "," + std::to_string(r.epoch) + "," +
           std::to_string(r.epoch_99) + "," + (std::isfinite(r.accuracy) ? number(r.accuracy, 9) : std::string()) +
           "," + run.hash + "," + csv_field(run.failure) + "\n";
  }
  if (failed > 0) page.text(std::to_string(failed) + " networks did not stay finite and are left out.");
  page.text("runs.csv names every network with its seed, its three quantities and its hash.");
  add_text(output, "runs.csv", all);

  nlohmann::json o = {{"claim", "no enhancement over randomly wired networks"},
                      {"verdict", options.quick ? "not tested" : says_text(all_say(list))},
                      {"margin", bio_margin},
                      {"corrected", options.corrected},
                      {"quick", options.quick},
                      {"comparisons", nlohmann::json::array()}};
  for (const BioComparison& c : list)
    o["comparisons"].push_back({{"species", c.species},
                                {"task", c.task},
                                {"null", c.null},
                                {"pairs", c.pairs},
                                {"ratio", number_or_null(c.ratio)},
                                {"interval", {number_or_null(c.interval.low), number_or_null(c.interval.high)}},
                                {"hedges_g", number_or_null(c.g)},
                                {"p", number_or_null(c.p)},
                                {"p_holm", number_or_null(c.holm)},
                                {"learned", c.learned},
                                {"equivalent", c.equivalent},
                                {"no_enhancement", says_text(c.says)}});
  add_text(output, "results.json", o.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

// ---- figures

plot::Figure forest_figure(const Options& options, const std::vector<BioComparison>& list) {
  plot::Figure figure;
  figure.title = "Measured against random wiring";
  figure.caption =
      "Least loss with the measured wiring over that with the random one, geometric mean over pairs and 95 % interval. "
      "Below 1: the measured wiring is better. Dashed: the margin of a tenth.";
  plot::ForestChart chart;
  chart.x.label = "ratio of losses";
  chart.x.log = true;
  chart.zero_line = false;
  chart.value_header = "ratio [95 % interval]";
  plot::Guide one;
  one.value = 1;
  one.style = {plot::rgb(0x222222), plot::Dash::solid, plot::Marker::none, 0.9};
  chart.lines.push_back(one);
  for (double v : {1 / bio_margin, bio_margin}) {
    plot::Guide line;
    line.value = v;
    chart.lines.push_back(line);
  }
  for (const BioComparison& c : list)
    chart.effects.push_back({title_of(options, c.species).substr(0, title_of(options, c.species).find(',')) + ", " +
                                 (c.task == "n-back" ? "n-back" : "sequence") +
                                 (options.corrected ? ", " + c.null : std::string()),
                             c.ratio, c.interval.low, c.interval.high});
  figure.width_mm = plot::double_column_mm;
  figure.panels.push_back({"", std::move(chart), "No pair is finished."});
  return figure;
}

plot::Style arm_style(const std::string& arm) {
  return arm == measured_arm ? plot::Style{plot::rgb(0x1b7837), plot::Dash::solid, plot::Marker::diamond, 1.4}
         : arm == "permuted" ? plot::Style{plot::rgb(0x4d4d4d), plot::Dash::dashed, plot::Marker::circle, 1.4}
                             : plot::Style{plot::rgb(0xd98200), plot::Dash::dotted, plot::Marker::square, 1.4};
}

plot::Figure box_figure(const Options& options, const std::vector<Run>& runs, const Wiring& wiring) {
  plot::Figure figure;
  figure.title = wiring.title;
  figure.caption = "Every point is a network; the line is the median, the bar holds the middle half (as in a box).";
  figure.columns = 3;
  figure.width_mm = plot::double_column_mm;
  for (const std::string& task : options.tasks)
    for (int which = 0; which < 3; ++which) {
      plot::GroupChart chart;
      chart.y.log = which == 0;
      chart.y.label = which == 0 ? "least loss (" + loss_unit(task) + ")" : which == 1 ? "its epoch" : "99 % epoch";
      for (const std::string& arm : bio_arms(options)) {
        plot::Group group;
        group.name = arm;
        group.style = arm_style(arm);
        group.runs = results_of(options, runs_in(runs, wiring.name, task, arm), which);
        group.center = quantile_or_none(group.runs, 0.5);
        group.low = quantile_or_none(group.runs, 0.25);
        group.high = quantile_or_none(group.runs, 0.75);
        chart.groups.push_back(std::move(group));
      }
      figure.panels.push_back({which == 0 ? task_title(task) : "", std::move(chart), "No network is finished."});
    }
  return figure;
}

plot::Figure curve_figure(const Options& options, const std::vector<Run>& runs) {
  plot::Figure figure;
  figure.title = "Learning";
  figure.caption =
      "Loss on trials that were not trained on, mean and one standard deviation over all networks of a kind; their "
      "settings differ, so the bands are wide.";
  figure.columns = static_cast<int>(options.tasks.size());
  figure.width_mm = plot::double_column_mm;
  figure.shared_legend = true;
  for (const Wiring& wiring : options.wirings)
    for (const std::string& task : options.tasks) {
      plot::LineChart chart;
      chart.x.label = "epoch";
      chart.y.label = loss_unit(task);
      chart.y.log = true;
      for (const std::string& arm : bio_arms(options)) {
        plot::Series s = curve(
            arm, histories_of(runs_in(runs, wiring.name, task, arm)), [&](const EpochRecord& e) { return e.held_out; },
            true);
        s.style = arm_style(arm);
        s.style.marker = plot::Marker::none;
        chart.series.push_back(std::move(s));
      }
      plot::Guide chance;
      chance.value = chance_of(task);
      chance.name = "answer that ignores the trial";
      chart.guides.push_back(chance);
      figure.panels.push_back({wiring.title + ": " + task_title(task), std::move(chart), "No network is finished."});
    }
  return figure;
}

std::string design_of(const Options& options) {
  std::string text =
      "Each region of the connectome becomes four neurons; a neuron reaches 80 % of a target region, and all of its "
      "own "
      "but itself; a block's weight is split at random. ";
  text +=
      options.corrected
          ? "Corrected, with Dale's law added, which neither paper did: three excitatory neurons and an inhibitory "
            "one in each region; the network runs on the connectome and not on its transpose (Q26); intrinsic weight "
            "from outgoing weights (Q23); initial weights are ordered by magnitude and keep their neuron's sign "
            "(Q27); the epoch is chosen by other trials than those that are reported; besides the published null "
            "model, degree-preserving rewiring."
          : "As published: no Dale's law; the network runs on the transposed connectome (Q26); intrinsic weight from "
            "incoming weights (Q23); with \"remap\" the largest signed initial weight goes to the strongest link "
            "(Q27), without it the connectome is a mask only; relu networks start by He, tanh networks by Xavier; "
            "the least loss is chosen and reported on the same trials; the null model permutes all entries of the "
            "scaled matrix off its diagonal, anew in every iteration.";
  text += options.full ? " All published combinations: lr 1e-4 and 1e-6, relu and tanh, Adam and RMSprop, three values "
                         "of each task."
          : options.quick ? " Quick: the smallest value of each task, 40 epochs at lr 1e-3."
                          : " The reduced grid: the middle value of each task (five values to remember; three items "
                            "back), Adam at lr 1e-4, relu and tanh" +
                                std::string(options.corrected ? "" : ", with and without remap") +
                                ", 500 epochs; --full trains all published combinations.";
  return text;
}

}  // namespace

BioResult bio_result(const Options& options, const Run& run) {
  BioResult r;
  if (!fine(run)) return r;
  std::vector<double> losses;
  for (const EpochRecord& e : run.history) losses.push_back(options.corrected ? e.validation : e.held_out);
  const Convergence c = convergence_of(losses);
  if (c.epoch == 0) return r;
  const EpochRecord& at = run.history[static_cast<size_t>(c.epoch - 1)];
  r.loss = at.held_out;
  r.accuracy = at.held_out_accuracy;
  r.epoch = c.epoch;
  r.epoch_99 = c.epoch_99;
  return r;
}

double sign_flip_p(const std::vector<double>& difference, Rng rng) {
  double seen = 0, size = 0;
  for (double d : difference) {
    seen += d;
    size += std::fabs(d);
  }
  if (!(size > 0)) return 1;
  const double least = std::fabs(seen) - 1e-12 * size;  // what differs by rounding only is as far
  const size_t n = difference.size();
  if (n <= exact_pairs) {
    int64_t reached = 0;
    for (uint32_t signs = 0; signs < 1u << n; ++signs) {
      double sum = 0;
      for (size_t k = 0; k < n; ++k) sum += (signs >> k & 1u) != 0 ? -difference[k] : difference[k];
      reached += std::fabs(sum) >= least;
    }
    return static_cast<double>(reached) / static_cast<double>(1u << n);
  }
  int64_t reached = 1;
  for (int64_t draw = 0; draw < random_signs; ++draw) {
    double sum = 0;
    uint32_t bits = 0;
    for (size_t k = 0; k < n; ++k) {
      if (k % 32 == 0) bits = rng.u32();
      sum += (bits >> (k % 32) & 1u) != 0 ? -difference[k] : difference[k];
    }
    reached += std::fabs(sum) >= least;
  }
  return static_cast<double>(reached) / static_cast<double>(random_signs + 1);
}

std::vector<BioComparison> bio_comparisons(const Options& options, const std::vector<Run>& runs) {
  std::vector<BioComparison> list;
  for (const std::string& null : bio_arms(options)) {
    if (null == measured_arm) continue;
    for (const Wiring& wiring : options.wirings)
      for (const std::string& task : options.tasks) list.push_back(compare(options, runs, wiring.name, task, null));
  }
  std::vector<double> tested;
  for (const BioComparison& c : list)
    if (std::isfinite(c.p)) tested.push_back(c.p);
  if (const Result<std::vector<double>> adjusted = holm(tested)) {
    size_t next = 0;
    for (BioComparison& c : list)
      if (std::isfinite(c.p)) c.holm = (*adjusted)[next++];
  }
  for (BioComparison& c : list) {
    const double least = c.pairs <= static_cast<int64_t>(exact_pairs) ? 2 / std::ldexp(1.0, static_cast<int>(c.pairs))
                                                                      : 1.0 / (random_signs + 1);
    c.least_p = std::min(1.0, least * static_cast<double>(tested.size()));
    judge(options, c);
  }
  return list;
}

Result<Output> report_bio(const Options& options, const std::vector<Run>& runs, const ReportProvenance& where) {
  Output output;
  const std::vector<BioComparison> list = bio_comparisons(options, runs);
  find_claims(output, options, list);
  find_strategies(output, options, runs);
  Report page("Bio-instantiated networks: does the measured wiring help?",
              std::string(options.corrected ? "Corrected, with Dale's law" : "As published") +
                  (options.quick  ? ", quick"
                   : options.full ? ", all combinations"
                                  : ", reduced grid") +
                  ". After Goulas, Damicelli and Hilgetag, Neural Networks 142, 2021.");
  std::vector<std::string> summary = {sentence_of(options, list), design_of(options)};
  bool synthetic = false;
  std::string species;
  for (const Wiring& w : options.wirings) {
    synthetic = synthetic || w.connectome == nullptr;
    species += (species.empty() ? "" : "; ") + w.title + (w.citation.empty() ? "" : " (" + w.citation + ")");
  }
  summary.push_back((synthetic
                         ? "No measured connectome was there, so a synthetic one stands in for it: what follows is "
                           "about its rule and not about a brain. "
                         : "") +
                    species + ".");
  if (const size_t known = known_species().size(); !synthetic && options.wirings.size() < known)
    summary.push_back("The paper has five species in six matrices; this report has " +
                      std::to_string(options.wirings.size()) + " of them (./run fetch brings all).");
  page.summary(summary);
  add_findings(output, page);
  page.section(
      "Measured against random wiring",
      "Tests: signs of the pairs' log ratios are flipped, exactly for up to 16 pairs, else 99,999 times; Holm's "
      "correction over all species, tasks and null models. The paper shows no test; nothing of its numbers "
      "could be read, so none stand here.");
  add_figure(output, page, forest_figure(options, list), "effects-figure");
  for (const Wiring& wiring : options.wirings)
    add_figure(output, page, box_figure(options, runs, wiring), "boxes-" + wiring.name);
  add_figure(output, page, curve_figure(options, runs), "learning");
  add_tables(output, page, options, runs, list);
  page.provenance(where);
  add_text(output, "report.html", page.html());
  return output;
}

}  // namespace dalea::reproduce
