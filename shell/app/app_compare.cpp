// What the Compare tab's buttons and scripts do.
#include <algorithm>
#include <cstdio>

#include "app/app.h"
#include "app/views.h"
#include "common/json.h"
#include "recording/conditions.h"

namespace dalea::app {
namespace {

constexpr size_t most_sessions = 200;

std::vector<std::string> groups_in(const std::vector<ComparedRun>& runs) {
  std::vector<std::string> groups;
  for (const ComparedRun& r : runs)
    if (std::find(groups.begin(), groups.end(), r.group) == groups.end()) groups.push_back(r.group);
  return groups;
}

CompareChoice choice_of(const ComparisonPlan& plan) {
  return {level_of(plan.level), checkpoint_of(plan.checkpoint), plan.raw, plan.from, plan.to};
}

void take_groups(CompareState& state, std::vector<std::string> groups) {
  state.groups = std::move(groups);
  if (state.groups.size() > 1 && std::max(state.plan.from, state.plan.to) >= state.groups.size())
    state.plan.from = 0, state.plan.to = 1;
}

void take_runs(CompareState& state, std::vector<ComparedRun> runs) {
  take_groups(state, groups_in(runs));
  state.runs = std::make_shared<const std::vector<ComparedRun>>(std::move(runs));
}

}  // namespace

void App::offer_comparison(const ComparisonPlan& plan) {
  CompareState& c = view.compare;
  c.plan = plan;
  c.offered = true;
  c.linked = plan;
  c.from_link = true;
  c.network = setup_seen_;  // the next one is the experiment that the link opens
  c.other_key = false;
  c.sessions.clear();
  c.runs.reset();
  c.groups.clear();
  compare_side.stop();
  comparer.clear();
  std::snprintf(c.key, sizeof c.key, "%s", plan.key.c_str());
  std::string values;
  for (const std::string& v : plan.values) values += (values.empty() ? "" : ", ") + v;
  std::snprintf(c.values, sizeof c.values, "%s", values.c_str());
  if (link_view.tab.empty()) view.tab_name = "compare";
}

void App::train_comparison() {
  CompareState& c = view.compare;
  view.tab = tab_compare;
  if (!now->waiting_for.empty())
    return say(true, "The experiment waits for its recording: drop the file on the window, then train the conditions");
  if (!now->setup) return say(true, "There is no experiment yet: open one, then train the conditions");
  const Spec& base = now->setup->spec;
  Result<std::vector<Job>> jobs = comparison_jobs(base, c.plan);
  if (!jobs) return say(true, jobs.error().text());
  // What is read of a file may be what differs.
  const bool read_anew = now->setup->source_recording && c.plan.key.rfind("recording.", 0) == 0;
  const FilePtr source = read_anew ? now->setup->recording_file : nullptr;
  if (read_anew && !source)
    return say(true,
               "The conditions are read from the recording's file, which is not here any more: drop it on the window, "
               "train on it, then compare");
  const auto data = [own = data_of(now->setup), file = source](const Job& job) {
    if (!file) return own(job);
    const Result<Recording> read = read_recording(file->content(), file->name, job.spec->recording);
    if (!read) return Result<Dataset>(read.error());
    return make_dataset(*job.spec, &*read, job.run, nullptr);
  };
  if (Status ok = compare_side.start(std::move(*jobs), data); !ok) return say(true, ok.error().text());
  live.pause();
  comparer.clear();
  c.runs.reset();
  c.groups.clear();
  c.sessions.clear();
  c.offered = false;
  c.linked = c.plan;
  c.seen = 0;
  host.show_link(fragment());
}

void App::stop_comparison() {
  compare_side.stop();
  comparer.stop();
}

void App::give_sessions(const std::vector<FilePtr>& files) {
  CompareState& c = view.compare;
  if (compare_side.running()) return say(true, "The conditions are still training: stop them, then give sessions");
  if (c.sessions.empty()) {
    comparer.clear();
    c.offered = false;
    c.linked.reset();
  }
  for (const FilePtr& f : files) {
    const bool there =
        std::any_of(c.sessions.begin(), c.sessions.end(), [&](const FilePtr& s) { return s->bytes == f->bytes; });
    if (there)
      say(false, f->name + " is there already; each run counts once");
    else if (c.sessions.size() == most_sessions)
      return say(true, "At most " + std::to_string(most_sessions) + " sessions are compared");
    else
      c.sessions.push_back(f);
  }
  c.seen = compare_side.version();
  name_sessions();
}

void App::name_sessions() {
  CompareState& c = view.compare;
  std::vector<ComparedRun> runs;
  for (const FilePtr& f : c.sessions) {
    const std::string group = c.by_field ? "" : condition_of_file(f->name);  // by a key: the comparer reads it
    runs.push_back({group, f->name, std::shared_ptr<const std::vector<std::byte>>(f, &f->bytes)});
  }
  take_runs(c, std::move(runs));
  fresh_ = true;
  if (c.by_field) c.groups.clear();
  if (c.by_field && c.field[0] == '\0') return comparer.clear();
  if (!c.by_field && c.groups.size() < 2) return comparer.clear();  // the tab says what is missing
  compare_again();
}

void App::forget_sessions() {
  CompareState& c = view.compare;
  c.sessions.clear();
  c.runs.reset();
  c.groups.clear();
  c.network = 0;  // what to train is chosen anew
  comparer.clear();
}

void App::compare_again() {
  const CompareState& c = view.compare;
  if (c.runs) comparer.start(c.runs, choice_of(c.plan), c.by_field && !c.sessions.empty() ? c.field : "");
}

void App::follow_comparison() {
  CompareState& c = view.compare;
  if (now->setup && now->setup->serial != c.network) {
    const bool link = c.offered && c.from_link;  // it opens this very experiment
    c.from_link = false;
    c.network = now->setup->serial;
    if (!link) c.offered = false, c.linked.reset();
    const Spec& s = now->setup->spec;
    if (!link && (c.plan.key.empty() || c.experiment != s.name) && !c.runs && !compare_side.running()) {
      const bool simulated = s.task.type == "recording" && s.recording.file.empty() && !now->setup->source_recording;
      const bool conditions = simulated && s.recording.simulated == "conditions",
                 areas = simulated && s.recording.simulated == "areas";
      c.other_key = false;
      c.plan.key = conditions ? "recording.condition" : areas ? "recording.simulated_feedback" : "training.constraint";
      c.plan.values = conditions ? std::vector<std::string>{"familiar_no_change", "familiar_change"}
                      : areas    ? std::vector<std::string>{"1", "2"}
                                 : std::vector<std::string>{"conventional", "dale"};
    }
    c.experiment = s.name;
  }
  if (c.by_field && !c.sessions.empty())
    if (ComparerView v = comparer.view(); !v.groups.empty() && v.groups != c.groups)
      take_groups(c, std::move(v.groups));
  if (c.seen == compare_side.version() || compare_side.running()) return;
  const SideView side_view = compare_side.view();
  c.seen = side_view.version;
  std::vector<ComparedRun> runs;
  for (const JobView& j : side_view.jobs)
    if (j.state == JobState::finished && j.session) runs.push_back({j.job.group, j.job.name, j.session});
  const auto of = [&](const std::string& group) {
    return std::count_if(runs.begin(), runs.end(), [&](const ComparedRun& r) { return r.group == group; });
  };
  std::erase_if(runs, [&](const ComparedRun& r) { return of(r.group) < 2; });
  if (groups_in(runs).size() < 2) return;
  // Runs of one condition follow each other, conditions as chosen.
  std::stable_sort(runs.begin(), runs.end(), [&](const ComparedRun& a, const ComparedRun& b) {
    const auto place = [&](const std::string& g) {
      return std::find(c.plan.values.begin(), c.plan.values.end(), g) - c.plan.values.begin();
    };
    return place(a.group) < place(b.group);
  });
  take_runs(c, std::move(runs));
  compare_again();
}

void App::copy_comparison_link() {
  if (!now->setup) return say(true, "There is no experiment yet: open one first");
  CompareState& c = view.compare;
  if (std::max(c.plan.from, c.plan.to) >= c.plan.values.size()) c.plan.from = 0, c.plan.to = 1;
  c.linked = c.plan;
  const std::string link = fragment();
  host.show_link(link);
  host.copy_text(host.page_address() + "#" + link);
  say(false,
      "Link copied, with the conditions, runs and what is shown: whoever opens it can train the same comparison.");
}

std::string comparison_json(const CompareState& state, const SideView& side, const ComparerView& view) {
  using nlohmann::json;
  json o = {{"key", state.plan.key},
            {"values", state.plan.values},
            {"runs", state.plan.runs},
            {"level", state.plan.level},
            {"raw", state.plan.raw},
            {"offered", state.offered},
            {"checkpoint", state.plan.checkpoint},
            {"groups", state.groups},
            {"training", side.running},
            {"progress", side.progress},
            {"computing", view.running},
            {"failure", view.failure},
            {"blocks", nullptr}};
  o["jobs"] = side.jobs.size();
  if (view.result) {
    const Compared& c = *view.result;
    o["from"] = c.from();
    o["to"] = c.to();
    o["shown_checkpoint"] = name_of(c.report.choices.checkpoint);
    o["pairs"] = c.report.comparison.pairs.size();
    o["verdict"] = c.verdict();
    o["least_p"] = number_or_null(c.report.comparison.least_p);
    o["blocks"] = json::array();
    for (const size_t k : c.ranked) {
      const BlockComparison& b = c.blocks()[k];
      o["blocks"].push_back({{"name", block_name(c.report, k)},
                             {"difference", number_or_null(b.difference)},
                             {"g", number_or_null(b.g)},
                             {"adjusted", number_or_null(b.p_adjusted)}});
    }
  }
  return o.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace dalea::app
