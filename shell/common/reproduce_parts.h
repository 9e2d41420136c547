// What the reports of both figures share.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "analysis/statistics.h"
#include "common/reproduce.h"

namespace dalea::reproduce {

constexpr double alpha = 0.05;  // of every test

std::string task_title(const std::string& task);       // "Flip-flop"
std::string condition_title(const std::string& name);  // "Dale's backprop"
// The number that was published for a run at the end of an epoch: the sum of the test batches' errors, or the accuracy
// in percent.
double published_value(const std::string& task, const EpochRecord& epoch);
std::string published_unit(const Options& options, const std::string& task);  // "sum of 5 batches' MSE"
double held_out_error(const Run& run);                                        // mean per scored element, at the end
double held_out_percent(const Run& run);  // accuracy; NaN where there are no classes

std::vector<const Run*> runs_of(const std::vector<Run>& runs, const std::string& task, const std::string& condition);
std::vector<double> values_of(const std::vector<const Run*>& runs, const std::function<double(const Run&)>& value);

std::string number(double value, int digits = 3);       // "0.00239"; a dash for what is none
std::string spread(const std::vector<double>& values);  // "0.0024 ± 0.0017" with the sample sd
std::string p_text(double p);                           // "p = .012"

std::vector<const std::vector<EpochRecord>*> histories_of(const std::vector<const Run*>& runs);
// Mean and a band of one sample standard deviation; `value` may be NaN.
plot::Series curve(const std::string& name, const std::vector<const std::vector<EpochRecord>*>& runs,
                   const std::function<double(const EpochRecord&)>& value, bool log);

std::string quick_reason();  // why a quick run tests no claim of the paper
// How many claims hold, and of a quick run what it is.
std::vector<std::string> summary_of(const Options& options, const std::vector<Finding>& findings);

void add_text(Output& output, const std::string& name, const std::string& text);
// NAME.svg, NAME.png and (`table`) NAME.csv, and the figure in the page.
void add_figure(Output& output, Report& page, const plot::Figure& figure, const std::string& name, bool table = true);
void add_runs(Output& output, Report& page, const Options& options,
              const std::vector<Run>& runs);      // runs.csv, curves.csv
void add_findings(Output& output, Report& page);  // findings.csv

Result<Output> report_fig2(const Options& options, const std::vector<Run>& runs, const ReportProvenance& where);
Result<Output> report_fig4(const Options& options, const std::vector<Run>& runs, const ReportProvenance& where);
Result<Output> report_fig5(const Options& options, const std::vector<Run>& runs, const ReportProvenance& where);
Result<Output> report_fig3(const Options& options, const std::vector<Run>& runs, const std::vector<Pruned>& pruned,
                           const ReportProvenance& where);

}  // namespace dalea::reproduce
