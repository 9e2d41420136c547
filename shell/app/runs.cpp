#include "app/runs.h"

#include <algorithm>
#include <cmath>

#include "common/json.h"

namespace dalea::app {
namespace {

using nlohmann::json;

}  // namespace

Result<std::vector<Job>> condition_jobs(const Spec& experiment, const std::vector<std::string>& conditions,
                                        int64_t runs, bool equalise) {
  if (conditions.empty()) return Error{"conditions", "are none; choose at least one"};
  if (runs < 1 || runs > most_runs)
    return Error{"runs", std::to_string(runs) + " is not a number of runs; give 1 to " + std::to_string(most_runs)};
  std::vector<std::shared_ptr<const Spec>> specs;
  for (size_t k = 0; k < conditions.size(); ++k) {
    const std::string& name = conditions[k];
    if (std::find(std::begin(condition_names), std::end(condition_names), name) == std::end(condition_names))
      return Error{"conditions",
                   "'" + name + "' is none; there are conventional, rectified, rectified-forward and dale"};
    if (std::find(conditions.begin(), conditions.begin() + static_cast<std::ptrdiff_t>(k), name) !=
        conditions.begin() + static_cast<std::ptrdiff_t>(k))
      return Error{"conditions", "'" + name + "' is given twice; give each once"};
    auto spec = std::make_shared<Spec>(experiment);
    spec->training.constraint = name;
    spec->runs = runs;
    if (equalise) spec->network.feedback = "rectified";
    specs.push_back(std::move(spec));
  }
  std::vector<Job> jobs;
  for (int64_t run = 0; run < runs; ++run)
    for (size_t k = 0; k < conditions.size(); ++k)
      jobs.push_back({conditions[k] + ", run " + std::to_string(run + 1), conditions[k], specs[k], run, run == 0});
  return jobs;
}

std::vector<RunCurves> curves_of(const SideView& view) {
  std::vector<RunCurves> groups;
  for (const JobView& j : view.jobs) {
    if (j.state == JobState::failed) continue;
    auto group = std::find_if(groups.begin(), groups.end(), [&](const RunCurves& g) { return g.name == j.job.group; });
    if (group == groups.end()) group = groups.insert(groups.end(), RunCurves{j.job.group, {}});
    if (!j.history->empty()) group->runs.push_back(*j.history);
  }
  return groups;
}

std::string unit_of(const SideView& view) {
  for (const JobView& j : view.jobs)
    if (!j.unit.empty()) return j.unit;
  return {};
}

NamedFile curves_file(const SideView& view) {
  return text_file("dalea-runs.csv", curves_csv(curves_of(view)));
}

NamedFile figure_file(const SideView& view, const std::string& title) {
  return text_file("dalea-runs.svg",
                   plot::to_svg(plot::drawing_of(curves_figure(curves_of(view), title, unit_of(view)))));
}

std::string side_json(const SideView& view) {
  json o = {{"running", view.running}, {"paused", view.paused}, {"progress", view.progress}, {"jobs", json::array()}};
  for (const JobView& j : view.jobs) {
    json one = {{"group", j.job.group},
                {"run", j.job.run + 1},
                {"state", job_text(j.state)},
                {"epoch", j.epoch},
                {"epochs", j.job.spec->all_epochs()},
                {"hash", j.hash},
                {"failure", j.failure},
                {"violations", {{"sign", j.audit.sign}, {"mask", j.audit.mask}}},
                {"train", nullptr},
                {"held_out", nullptr},
                {"accuracy", nullptr}};
    if (!j.history->empty()) {
      one["train"] = number_or_null(j.history->back().train);
      one["held_out"] = number_or_null(j.history->back().held_out);
      one["accuracy"] = number_or_null(j.history->back().held_out_accuracy);
    }
    o["jobs"].push_back(std::move(one));
  }
  return o.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace dalea::app
