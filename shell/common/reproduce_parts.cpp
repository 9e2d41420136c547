#include "common/reproduce_parts.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "common/files.h"
#include "common/markup.h"
#include "common/reproduce_bio.h"
#include "common/run_curves.h"

namespace dalea::reproduce {
namespace {

std::string row_of(const Run& run) {
  const EpochRecord& last = run.history.back();
  char text[512];
  std::snprintf(text, sizeof text, ",%s,%s,%llu,%lld,%.9g,%.9g,%.9g,%.9g,%s\n", run.job.task.c_str(),
                run.job.condition.c_str(), static_cast<unsigned long long>(run.job.seed),
                static_cast<long long>(last.epoch), last.train, last.held_out, last.held_out_published,
                100 * last.held_out_accuracy, run.hash.c_str());
  return csv_field(run.job.id) + text;
}

}  // namespace

std::string task_title(const std::string& task) {
  if (task == "flip-flop") return "Flip-flop memory";
  if (task == "wave") return "Waves";
  if (task == "cell-types") return "Cell types";
  if (task == "sequence-memory") return "Sequence memory";
  if (task == "n-back") return "N-back";
  return "Digits row by row";
}

std::string condition_title(const std::string& name) {
  if (name == "dale") return "Dale's backprop";
  if (name == "rectified-forward") return "rectified (forward)";
  if (name == measured_arm) return "measured";
  return name;
}

double published_value(const std::string& task, const EpochRecord& epoch) {
  if (task == "sequence-memory" || task == "n-back") return epoch.held_out;
  return task == "digits" ? 100 * epoch.held_out_accuracy : epoch.held_out_published;
}

std::string published_unit(const Options& options, const std::string& task) {
  if (task == "digits") return "test accuracy (%)";
  if (options.quick) return "sum of test batches' MSE";
  return task == "flip-flop" ? "sum of 5 test batches' MSE" : "sum of 10 test batches' MSE";
}

double held_out_error(const Run& run) {
  return run.history.empty() ? no_value : run.history.back().held_out;
}

double held_out_percent(const Run& run) {
  return run.history.empty() ? no_value : 100 * run.history.back().held_out_accuracy;
}

std::vector<const Run*> runs_of(const std::vector<Run>& runs, const std::string& task, const std::string& condition) {
  std::vector<const Run*> list;
  for (const Run& run : runs)
    if (run.job.task == task && run.job.condition == condition && !run.job.retrains() && run.failure.empty() &&
        !run.history.empty())
      list.push_back(&run);
  return list;
}

std::vector<double> values_of(const std::vector<const Run*>& runs, const std::function<double(const Run&)>& value) {
  std::vector<double> values;
  for (const Run* run : runs) values.push_back(value(*run));
  return values;
}

std::string number(double value, int digits) {
  if (!std::isfinite(value)) return "–";
  char text[40];
  std::snprintf(text, sizeof text, "%.*g", digits, value);
  return text;
}

std::string spread(const std::vector<double>& values) {
  const Result<Summary> s = summarise(values);
  if (s) return number(s->mean, 4) + " ± " + number(s->sd, 2);
  return values.empty() ? "–" : number(values.front(), 4);
}

std::string p_text(double p) {
  char text[40];
  std::snprintf(text, sizeof text, p < 0.001 ? "p = %.1e" : "p = %.3f", p);
  return text;
}

std::vector<const std::vector<EpochRecord>*> histories_of(const std::vector<const Run*>& runs) {
  std::vector<const std::vector<EpochRecord>*> histories;
  for (const Run* run : runs) histories.push_back(&run->history);
  return histories;
}

plot::Series curve(const std::string& name, const std::vector<const std::vector<EpochRecord>*>& runs,
                   const std::function<double(const EpochRecord&)>& value, bool log) {
  plot::Series s;
  s.name = name;
  size_t epochs = 0;
  for (const auto* run : runs) epochs = std::max(epochs, run->size());
  for (size_t e = 0; e < epochs; ++e) {
    std::vector<double> values;
    for (const auto* run : runs)
      if (e < run->size()) values.push_back(value((*run)[e]));
    const RunSpread at = spread_of(values);
    if (at.count == 0) continue;
    const double sd = at.count > 1 ? at.sd : 0;
    s.x.push_back(static_cast<double>(e + 1));
    s.y.push_back(at.mean);
    // Below zero a band has no place on a log axis: it ends at a tenth of the mean.
    s.low.push_back(log ? std::max(at.mean - sd, at.mean / 10) : at.mean - sd);
    s.high.push_back(at.mean + sd);
  }
  return s;
}

std::string quick_reason() {
  return "A quick run: smaller networks, other data sizes. Leave --quick out to test this.";
}

std::vector<std::string> summary_of(const Options& options, const std::vector<Finding>& findings) {
  int64_t reproduced = 0, tested = 0;
  for (const Finding& f : findings) {
    tested += f.outcome != Outcome::cannot_be_tested;
    reproduced += f.outcome == Outcome::reproduced;
  }
  std::vector<std::string> text;
  if (options.quick)
    text.push_back(std::string("A quick run: networks of ") + (of_cell_types(options.figure) ? "180" : "64") +
                   " units on small versions of the tasks. It shows what the full report contains; it "
                   "says "
                   "nothing about the paper.");
  text.push_back(std::to_string(reproduced) + " of the " + std::to_string(tested) +
                 " claims below that could be tested hold here.");
  return text;
}

void add_text(Output& output, const std::string& name, const std::string& text) {
  output.files.push_back({name, to_bytes(text)});
}

void add_figure(Output& output, Report& page, const plot::Figure& figure, const std::string& name, bool table) {
  const plot::Drawing drawing = plot::drawing_of(figure);
  add_text(output, name + ".svg", plot::to_svg(drawing, name));
  output.files.push_back({name + ".png", plot::to_png(drawing, 200.0 / 72)});
  if (table) add_text(output, name + ".csv", plot::csv_of(figure));
  page.figure(figure, figure.caption, name, {.csv = table});
}

void add_runs(Output& output, Report& page, const Options& options, const std::vector<Run>& runs) {
  std::string table = "network,task,condition,seed,epochs,train,held_out,held_out_published,held_out_percent,hash\n";
  std::string curves = "network,task,condition,seed,epoch,train,held_out,held_out_published,held_out_percent\n";
  ReportTable shown;
  shown.caption = "Every network. Error: mean over all held-out elements (MSE; digits: nats) with the final weights.";
  shown.columns = {
      {"network"},    {"epochs", "", 4}, {"train error", "", 3}, {"held-out error", "", 3}, {"accuracy", "%", 4, 2},
      {"weight hash"}};
  for (const Run& run : runs) {
    if (!run.failure.empty() || run.history.empty()) {
      shown.rows.push_back({run.job.id, 0.0, no_value, no_value, no_value,
                            run.failure.empty() ? std::string("not trained") : "left out: " + run.failure});
      continue;
    }
    table += row_of(run);
    shown.rows.push_back({run.job.id, static_cast<double>(run.history.back().epoch), run.history.back().train,
                          held_out_error(run), held_out_percent(run), run.hash});
    char text[256];
    for (const EpochRecord& e : run.history) {
      std::snprintf(text, sizeof text, ",%s,%s,%llu,%lld,%.9g,%.9g,%.9g,%.9g\n", run.job.task.c_str(),
                    run.job.condition.c_str(), static_cast<unsigned long long>(run.job.seed),
                    static_cast<long long>(e.epoch), e.train, e.held_out, e.held_out_published,
                    100 * e.held_out_accuracy);
      curves += csv_field(run.job.id) + text;
    }
  }
  page.section("Every network",
               options.quick
                   ? "A network can be trained again by itself: its hash is the same on every machine."
                   : "Each network can be trained again by itself, and ends on the same hash on every machine "
                     "(dalea run, or a link to the page).");
  page.table(shown);
  add_text(output, "runs.csv", table);
  add_text(output, "curves.csv", curves);
}

void add_findings(Output& output, Report& page) {
  page.verdicts(output.findings, "What was published, what was obtained");
  std::string table = "claim,published,obtained,verdict,why\n";
  for (const Finding& f : output.findings)
    table += csv_field(f.claim) + "," + csv_field(f.published) + "," + csv_field(f.obtained) + "," +
             outcome_text(f.outcome) + "," + csv_field(f.why) + "\n";
  add_text(output, "findings.csv", table);
}

Result<Output> report(const Options& options, const std::vector<Run>& runs, const std::vector<Pruned>& pruned,
                      const ReportProvenance& where) {
  if (options.figure == Paper::fig4) return report_fig4(options, runs, where);
  if (options.figure == Paper::fig5) return report_fig5(options, runs, where);
  if (options.figure == Paper::bio) return report_bio(options, runs, where);
  return options.figure == Paper::fig2 ? report_fig2(options, runs, where) : report_fig3(options, runs, pruned, where);
}

}  // namespace dalea::reproduce
