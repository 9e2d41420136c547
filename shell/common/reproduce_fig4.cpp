// Figure 4: a network of cell types, trained dense, pruned to measured probabilities and trained on.
#include <algorithm>
#include <cmath>

#include "common/reproduce_cell_types.h"

namespace dalea::reproduce {
namespace {

double mean_of_values(const std::vector<double>& values) {
  double sum = 0;
  int64_t n = 0;
  for (double v : values)
    if (std::isfinite(v)) {
      sum += v;
      ++n;
    }
  return n > 0 ? sum / static_cast<double>(n) : no_value;
}

double median_of_values(std::vector<double> values) {
  values.erase(std::remove_if(values.begin(), values.end(), [](double v) { return !std::isfinite(v); }), values.end());
  if (values.empty()) return no_value;
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

std::vector<const Run*> all_cell_runs(const Options& options, const std::vector<Run>& runs, bool sparse, bool vanilla) {
  std::vector<const Run*> list;
  for (const CellGroup& g : cell_groups(options))
    if (g.vanilla == vanilla)
      for (const Run* run : cell_runs(runs, g.id, sparse)) list.push_back(run);
  return list;
}

const Run* parent_of(const std::vector<Run>& runs, const Run& child) {
  for (const Run& run : runs)
    if (run.job.id == child.job.parent) return &run;
  return nullptr;
}

void find_expected(Output& output) {
  const LayerValues density = expected_layer_density();
  double worst = 0, within = 0;
  for (size_t post = 0; post < 3; ++post)
    for (size_t pre = 0; pre < 3; ++pre) {
      worst =
          std::max(worst, std::fabs(density[post * layer_count + pre] - published_expected_density[post * 3 + pre]));
      within += density[post * layer_count + pre] / 9;
    }
  Finding f;
  f.claim = "The table of connection probabilities implies these densities of the layers' blocks";
  f.published = ".0180 to .1110 in nine blocks, 5.96 % within an area, .24 in three blocks between areas";
  f.obtained = "the largest difference is " + number(worst, 2) + "; " + number(100 * within, 3) + " % and " +
               number(density[3 * layer_count + 1], 3);
  f.outcome = worst < 5.1e-5 && std::fabs(density[3 * layer_count + 1] - 0.24) < 1e-12 ? Outcome::reproduced
                                                                                       : Outcome::not_reproduced;
  f.why = "Arithmetic on the published table: population sizes 12 : 2 : 1. The published values have four decimals.";
  output.findings.push_back(std::move(f));
}

// Counted masks of every pair of populations against the keep probabilities that they were drawn with.
Status find_realised(Output& output, const Options& options, const std::vector<Run>& runs) {
  int64_t blocks = 0, outside = 0;
  for (const bool vanilla : {false, true})
    for (const Run* run : all_cell_runs(options, runs, true, vanilla)) {
      const Run* parent = parent_of(runs, *run);
      if (parent == nullptr || run->mask == nullptr) continue;
      const Result<PruneOptions> how = cell_type_pruning(options, run->job.spec);
      if (!how) return how.error();
      const Result<KeepProbabilities> keep = keep_probabilities(parent->parameters.W_rec, *how);
      if (!keep) return keep.error();
      const int64_t n = run->mask->rows;
      std::vector<uint8_t> kept(keep->keep.size(), 0);
      for (int64_t j = 0; j < n; ++j)
        for (int64_t e = run->mask->col_start[j]; e < run->mask->col_start[j + 1]; ++e)
          kept[static_cast<size_t>(j * n + run->mask->row[e])] = 1;
      for (const PruneBlock& b : how->blocks) {
        double mean = 0, variance = 0, count = 0;
        for (int64_t j = b.pre.begin; j < b.pre.end; ++j)
          for (int64_t i = b.post.begin; i < b.post.end; ++i) {
            const auto at = static_cast<size_t>(j * n + i);
            const double p = keep->keep[at];
            mean += p;
            variance += p * (1 - p);
            count += kept[at];
          }
        if (b.sparsity >= 1 && count == 0) continue;
        ++blocks;
        outside += std::fabs(count - mean) > 3.2905 * std::sqrt(variance) + 0.5;
      }
    }
  Finding f;
  f.claim = "Realised densities lie within the limits that chance allows";
  f.published = "none";
  f.obtained = std::to_string(blocks - outside) + " of " + std::to_string(blocks) +
               " blocks of populations within their 99.9 % Poisson-binomial limits";
  f.why =
      "About one block in a thousand may lie outside by chance. The limits are of the keep probabilities that were "
      "drawn with" +
      std::string(options.corrected ? "; their sum is the table's probability."
                                    : ", which as published are larger than the table's (Q5).");
  if (blocks > 0)
    f.outcome = static_cast<double>(outside) <= 0.001 * static_cast<double>(blocks) + 3 ? Outcome::reproduced
                                                                                        : Outcome::not_reproduced;
  output.findings.push_back(std::move(f));
  return {};
}

// Mean over networks of the density with |w| >= 1e-5.
LayerValues mean_density(const std::vector<const Run*>& runs) {
  LayerValues mean{};
  for (const Run* run : runs) {
    const LayerBlocks b = layer_blocks(run->parameters.W_rec);
    for (size_t k = 0; k < mean.size(); ++k) mean[k] += b.density[k] / static_cast<double>(runs.size());
  }
  return mean;
}

void find_densities(Output& output, const Options& options, const std::vector<const Run*>& sparse) {
  if (sparse.empty()) return;
  const LayerValues expected = expected_layer_density(), obtained = mean_density(sparse);
  double least = 1e9, most = 0;
  for (size_t area : {size_t{0}, size_t{3}})
    for (size_t post = area; post < area + 3; ++post)
      for (size_t pre = area; pre < area + 3; ++pre) {
        const double ratio = obtained[post * layer_count + pre] / expected[post * layer_count + pre];
        least = std::min(least, ratio);
        most = std::max(most, ratio);
      }
  Finding f;
  f.claim = "Within areas, density after training relative to the table's";
  f.published = ".94 to 1.15 times: the published formula keeps too many (Q5), Dale's projection takes some away";
  f.obtained = number(least) + " to " + number(most) + " times, mean of " + std::to_string(sparse.size()) +
               " networks, |w| >= 1e-5";
  f.why = options.corrected ? "Corrected: as many are kept as the table says; what is missing ended at zero."
                            : "Descriptive: how many weights end at zero depends on the recordings.";
  f.why += " " + original_data(options);
  output.findings.push_back(std::move(f));

  std::vector<double> zeros;
  for (const Run* run : sparse) {
    double kept = 0, alive = 0;
    const LayerBlocks b = layer_blocks(run->parameters.W_rec);
    const int64_t n = run->parameters.W_rec.rows, width = n / static_cast<int64_t>(layer_count);
    if (run->mask == nullptr) continue;
    for (int64_t j = 0; j < n; ++j)
      for (int64_t e = run->mask->col_start[j]; e < run->mask->col_start[j + 1]; ++e)
        kept += run->mask->row[e] / (n / 2) != j / (n / 2);
    for (size_t post = 0; post < layer_count; ++post)
      for (size_t pre = 0; pre < layer_count; ++pre)
        if (post / 3 != pre / 3)
          alive += b.density[post * layer_count + pre] * static_cast<double>(width) * static_cast<double>(width);
    if (kept > 0) zeros.push_back(100 * (1 - alive / kept));
  }
  output.findings.push_back({"Between areas, weights that end at zero by Dale's projection", "17 to 22 %",
                             spread(zeros) + " %", Outcome::cannot_be_tested,
                             "Descriptive. " + original_data(options)});
}

std::string losses_at(const std::vector<const Run*>& runs, int64_t epoch) {
  std::vector<double> values;
  for (const Run* run : runs)
    for (const EpochRecord& e : run->history)
      if (e.epoch == epoch) values.push_back(e.train_published);
  return spread(values);
}

// Fills the table that stands beside the curves.
void find_losses(Output& output, ReportTable& table, const Options& options, const std::vector<Run>& runs) {
  table.caption =
      "Training loss, the sum of an epoch's batches (as published; pruned: the mean squared error of one "
      "batch, here of what is held out). Quick runs have fewer epochs, and activity in sd.";
  table.columns = {{"networks"}, {"stage"}, {"epoch"}, {"published"}, {"obtained"}};
  for (const CellGroup& g : cell_groups(options)) {
    std::string published, obtained;
    for (const PublishedLoss& p : published_losses) {
      if (g.id != p.group) continue;
      const std::string stage = p.stage;
      const std::vector<const Run*> of = cell_runs(runs, g.id, stage != "dense");
      const std::string there = spread({p.runs.begin(), p.runs.end()});
      const std::string here =
          stage == "pruned" ? spread(values_of(of, [](const Run& r) { return r.before; })) : losses_at(of, p.epoch);
      table.rows.push_back({g.id, stage, p.epoch > 0 ? std::to_string(p.epoch) : std::string(), there, here});
      published +=
          (published.empty() ? "" : "; ") + stage + (p.epoch > 0 ? " " + std::to_string(p.epoch) : "") + ": " + there;
      obtained +=
          (obtained.empty() ? "" : "; ") + stage + (p.epoch > 0 ? " " + std::to_string(p.epoch) : "") + ": " + here;
    }
    if (!published.empty())
      output.findings.push_back({"Losses of " + g.id + " by stage and epoch", published, obtained,
                                 Outcome::cannot_be_tested, original_data(options)});
  }
  if (options.data != nullptr) table.caption += " With a file an epoch is one update, so ten times as many are made.";
}

std::vector<double> all_fits(const std::vector<const Run*>& runs) {
  std::vector<double> fits;
  for (const Run* run : runs) fits.insert(fits.end(), run->fit.begin(), run->fit.end());
  return fits;
}

void find_fits(Output& output, const Options& options, const std::vector<Run>& runs) {
  const std::vector<const Run*> dense = cell_runs(runs, "familiar-change-full", false),
                                sparse = cell_runs(runs, "familiar-change-full", true);
  Finding f;
  f.claim = "familiar-change, R2 of the populations: the sparse network fits better than the dense one";
  f.published = "medians .16 (dense) and .86 (sparse), of one network and one sample";
  f.obtained = "medians " + number(median_of_values(all_fits(dense))) + " and " +
               number(median_of_values(all_fits(sparse))) + " over populations and networks, " +
               (options.data != nullptr ? "on the trial they were trained on" : "held out");
  f.why =
      "The sparse network has been trained longer, so this does not show what pruning does. " + original_data(options);
  output.findings.push_back(std::move(f));
}

void find_speed(Output& output, const Options& options, const std::vector<Run>& runs) {
  std::vector<double> dense, sparse;
  for (const bool vanilla : {false, true}) {
    for (const Run* run : all_cell_runs(options, runs, false, vanilla))
      if (run->seconds > 0) dense.push_back(run->seconds);
    for (const Run* run : all_cell_runs(options, runs, true, vanilla))
      if (run->seconds > 0) sparse.push_back(run->seconds);
  }
  const double d = median_of_values(dense), s = median_of_values(sparse);
  output.findings.push_back(
      {"Seconds of an epoch, dense and sparse", "2.3 and 2.2 (half session, one GPU; the mask is multiplied)",
       number(d) + " and " + number(s) + ": " + number(d / s, 2) + " times as fast", Outcome::cannot_be_tested,
       "No claim of the paper. Medians over networks on this machine, several of which may have been trained at once; "
       "an epoch has its evaluations with it."});
}

void find_vanilla(Output& output, const Options& options, const std::vector<Run>& runs) {
  const auto wrong = [](const std::vector<const Run*>& of) {
    std::vector<double> share;
    for (const Run* run : of) {
      const Weights& w = run->parameters.W_rec;
      std::vector<int8_t> sign;
      for (const Population& p : run->job.spec.populations)
        sign.insert(sign.end(), static_cast<size_t>(p.size), p.sign == Sign::excitatory ? int8_t{1} : int8_t{-1});
      double against = 0, all = 0;
      for (int64_t j = 0; j < w.cols; ++j) {
        const int64_t begin = w.sparse() ? w.pattern->col_start[j] : j * w.rows,
                      end = w.sparse() ? w.pattern->col_start[j + 1] : (j + 1) * w.rows;
        for (int64_t e = begin; e < end; ++e) {
          all += w.values[e] != 0;
          against += w.values[e] * static_cast<float>(sign[j]) < 0;
        }
      }
      share.push_back(all > 0 ? 100 * against / all : no_value);
    }
    return share;
  };
  const std::vector<const Run*> dale = cell_runs(runs, "familiar-change-full", true),
                                vanilla = cell_runs(runs, "familiar-change-vanilla", true);
  if (dale.empty() || vanilla.empty()) return;
  const auto loss = [](const Run& r) { return r.history.back().train_published; };
  output.findings.push_back(
      {"The control without Dale's law, same initial weights and data", "fits about as well (losses above)",
       "training loss at the end " + spread(values_of(vanilla, loss)) + " against " + spread(values_of(dale, loss)) +
           " with Dale's law; weights against their neuron's sign " + number(mean_of_values(wrong(vanilla))) +
           " % against " + number(mean_of_values(wrong(dale))) + " %",
       Outcome::cannot_be_tested, "Descriptive. " + original_data(options)});
}

plot::HeatMap layer_map(const LayerValues& values) {
  plot::HeatMap map;
  map.rows = map.columns = static_cast<int64_t>(layer_count);
  for (size_t k = 0; k < values.size(); ++k)
    map.values.push_back(values[k] == 0 ? std::nanf("") : static_cast<float>(values[k]));
  map.value_label = "density";
  map.sequential = true;
  map.scale = 0.3;
  for (size_t k = 0; k < layer_count; ++k) {
    const plot::Block block{layer_names[k], static_cast<int64_t>(k), static_cast<int64_t>(k) + 1};
    map.row_blocks.push_back(block);
    map.column_blocks.push_back(block);
  }
  return map;
}

plot::Figure density_figure(const std::vector<const Run*>& sparse) {
  plot::Figure figure;
  figure.title = "Density of the layers' blocks";
  figure.caption = "Left: as the published table implies. Right: weights of at least 1e-5 after training, mean of " +
                   std::to_string(sparse.size()) + " networks.";
  figure.columns = 2;
  figure.width_mm = plot::double_column_mm;
  figure.panels.push_back({"expected", layer_map(expected_layer_density()), ""});
  figure.panels.push_back({"obtained", layer_map(mean_density(sparse)), ""});
  return figure;
}

plot::Figure loss_figure(const Options& options, const std::vector<Run>& runs) {
  plot::Figure figure;
  figure.title = "Dense, then pruned and trained on";
  figure.caption =
      "Training loss (sum of an epoch's batches), mean and one standard deviation over the networks. "
      "Crosses: the published means.";
  figure.columns = 2;
  figure.width_mm = plot::double_column_mm;
  figure.shared_legend = true;
  for (const bool sparse : {false, true}) {
    plot::LineChart chart;
    chart.x.label = sparse ? "epoch after pruning" : "epoch";
    chart.y.label = "training loss";
    chart.y.log = true;
    size_t k = 0;
    for (const CellGroup& g : cell_groups(options)) {
      plot::Series line = curve(
          g.id, histories_of(cell_runs(runs, g.id, sparse)), [](const EpochRecord& e) { return e.train_published; },
          true);
      line.style = plot::series_style(k++);
      plot::Series marks;
      marks.name = "published, " + g.id;
      marks.style = line.style;
      marks.line = false;
      marks.marks = true;
      for (const PublishedLoss& p : published_losses)
        if (g.id == p.group && !options.quick && options.data == nullptr &&
            std::string(p.stage) == (sparse ? "fine-tune" : "dense")) {
          marks.x.push_back(static_cast<double>(p.epoch));
          marks.y.push_back(mean_of_values({p.runs.begin(), p.runs.end()}));
        }
      chart.series.push_back(std::move(line));
      if (!marks.x.empty()) chart.series.push_back(std::move(marks));
    }
    figure.panels.push_back({sparse ? "sparse" : "dense", std::move(chart), ""});
  }
  return figure;
}

plot::Figure fit_figure(const Options& options, const std::vector<Run>& runs) {
  plot::Figure figure;
  figure.title = "How well each population is predicted";
  figure.caption = std::string("R2 of the 18 populations, one frame ahead, ") +
                   (options.data != nullptr ? "on the trial trained on" : "held out") +
                   ", mean over the networks. The sparse network has been trained longer.";
  plot::GroupChart chart;
  chart.y.label = "R2";
  for (const CellGroup& g : cell_groups(options))
    for (const bool sparse : {false, true}) {
      const std::vector<const Run*> of = cell_runs(runs, g.id, sparse);
      plot::Group group;
      group.name = g.id + (sparse ? ", sparse" : ", dense");
      group.style = plot::named_style(sparse ? "sparse" : "dense");
      for (size_t c = 0; c < 18 && !of.empty(); ++c) {
        std::vector<double> values;
        for (const Run* run : of)
          if (c < run->fit.size()) values.push_back(run->fit[c]);
        group.runs.push_back(mean_of_values(values));
      }
      group.center = median_of_values(group.runs);
      chart.groups.push_back(std::move(group));
    }
  figure.width_mm = plot::double_column_mm;
  figure.panels.push_back({"", std::move(chart), ""});
  return figure;
}

}  // namespace

Result<Output> report_fig4(const Options& options, const std::vector<Run>& runs, const ReportProvenance& where) {
  Output output;
  Report page("Figure 4: a network of cell types",
              std::string(options.corrected ? "Corrected" : "As published") + (options.quick ? ", quick" : "") +
                  ". After Balwani, Wang, Najafi and Choi, Science Advances 2025.");
  ReportTable losses;
  const std::vector<const Run*> sparse = all_cell_runs(options, runs, true, false);
  find_expected(output);
  if (Status ok = find_realised(output, options, runs); !ok) return ok.error();
  find_densities(output, options, sparse);
  find_losses(output, losses, options, runs);
  find_fits(output, options, runs);
  find_speed(output, options, runs);
  find_vanilla(output, options, runs);

  std::vector<std::string> summary = summary_of(options, output.findings);
  summary.push_back(original_data(options));
  summary.push_back(
      options.corrected
          ? "Corrected: each channel reaches its own population alone (Q1), pruning keeps as many as the table says "
            "(Q5), averages are drawn jointly and smoothed causally (Q15), the epoch of least validation loss is kept."
          : "As published: every unit sees all channels (Q1), the pruning formula keeps too many (Q5), averages are "
            "drawn independently and smoothed with the future (Q15), the epoch of least training loss is kept. Other "
            "than published, a part of the trials is held out.");
  page.summary(summary);
  add_findings(output, page);
  page.section("Wiring");
  if (!sparse.empty()) add_figure(output, page, density_figure(sparse), "density");
  page.section("Learning");
  add_figure(output, page, loss_figure(options, runs), "losses");
  page.table(losses);
  add_figure(output, page, fit_figure(options, runs), "fits");
  add_runs(output, page, options, runs);
  page.provenance(where);
  add_text(output, "report.html", page.html());
  return output;
}

}  // namespace dalea::reproduce
