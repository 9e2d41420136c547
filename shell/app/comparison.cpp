#include "app/comparison.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "common/json.h"
#include "common/session_weights.h"
#include "numerics/parallel.h"

namespace dalea::app {
namespace {

using ComparisonJson = nlohmann::json;

// Keys that name files, or that make no condition.
bool refused_key(const std::string& key) {
  for (const char* k :
       {"dalea", "name", "note", "seed", "runs", "recording.file", "recording.sha256", "recording.cells",
        "recording.events.file", "task.file", "task.folder", "task.sha256", "connectome.file", "connectome.sha256",
        "connectome.names", "connectome.signs", "connectome.densities"})
    if (key == k) return true;
  return key == "recording" || key == "recording.events" || key == "task" || key == "connectome";
}

bool same_populations(const Spec& a, const Spec& b) {
  return std::equal(a.populations.begin(), a.populations.end(), b.populations.begin(), b.populations.end(),
                    [](const Population& x, const Population& y) {
                      return x.name == y.name && x.size == y.size && x.area == y.area && x.layer == y.layer;
                    });
}

}  // namespace

std::vector<std::string> values_of(const std::string& text) {
  std::vector<std::string> values;
  std::string one;
  int depth = 0;
  bool quoted = false;
  const auto add = [&] {
    const size_t a = one.find_first_not_of(" \t"), b = one.find_last_not_of(" \t");
    if (a != std::string::npos) values.push_back(one.substr(a, b - a + 1));
    one.clear();
  };
  for (char c : text) {
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == '[' || c == '{')) ++depth;
    if (!quoted && (c == ']' || c == '}')) --depth;
    if (c == ',' && depth <= 0 && !quoted)
      add();
    else
      one += c;
  }
  add();
  return values;
}

Result<std::vector<Job>> comparison_jobs(const Spec& experiment, const ComparisonPlan& plan) {
  if (plan.key.empty()) return Error{"compare.key", "is missing; choose what the conditions differ in"};
  if (refused_key(plan.key)) return Error{"compare.key", "'" + plan.key + "' makes no conditions; choose another key"};
  if (plan.values.size() < 2 || plan.values.size() > most_compared)
    return Error{"compare.values", "are " + std::to_string(plan.values.size()) + "; give 2 to " +
                                       std::to_string(most_compared) + " conditions"};
  if (plan.runs < least_compared_runs || plan.runs > most_compared_runs)
    return Error{"compare.runs", std::to_string(plan.runs) + " is not a number of runs; give " +
                                     std::to_string(least_compared_runs) + " to " + std::to_string(most_compared_runs)};
  std::vector<std::shared_ptr<const Spec>> specs;
  const std::string json = print_spec(experiment, false);
  for (const std::string& value : plan.values) {
    Result<std::string> changed = set_in_json(json, plan.key + "=" + value);
    if (!changed) return changed.error();
    ParsedSpec parsed = parse_spec(*changed);
    if (!parsed.problems.empty()) return parsed.problems.front();
    if (!same_populations(experiment, parsed.spec))
      return Error{"compare.key", "'" + plan.key + "' changes the populations; what is compared must have the same"};
    parsed.spec.runs = plan.runs;
    parsed.spec.measured = experiment.measured;
    for (const auto& other : specs)
      if (print_spec(*other, true) == print_spec(parsed.spec, true))
        return Error{"compare.values", "'" + value + "' is there twice; give each condition once"};
    specs.push_back(std::make_shared<Spec>(std::move(parsed.spec)));
  }
  std::vector<Job> jobs;
  for (int64_t run = 0; run < plan.runs; ++run)
    for (size_t k = 0; k < plan.values.size(); ++k)
      jobs.push_back({plan.values[k] + ", run " + std::to_string(run + 1), plan.values[k], specs[k], run, false});
  return jobs;
}

std::string condition_of_file(const std::string& name) {
  std::string stem = name.substr(name.find_last_of("/\\") + 1);
  if (const size_t dot = stem.rfind('.'); dot != std::string::npos && dot > 0) stem.resize(dot);
  const std::string whole = stem;
  const auto drop = [&](const char* letters) {
    const size_t last = stem.find_last_not_of(letters);
    stem.resize(last == std::string::npos ? 0 : last + 1);
  };
  drop("0123456789");
  if (stem.size() == whole.size()) return whole;
  drop(" -_.");
  for (const char* word : {"run", "seed", "session"}) {
    const std::string w = word;
    if (stem.size() > w.size() && stem.compare(stem.size() - w.size(), w.size(), w) == 0 &&
        std::string(" -_.").find(stem[stem.size() - w.size() - 1]) != std::string::npos)
      stem.resize(stem.size() - w.size());
  }
  drop(" -_.");
  return stem.empty() ? whole : stem;
}

std::string condition_of_key(const Spec& spec, const std::string& key) {
  const ComparisonJson all = ComparisonJson::parse(print_spec(spec, false), nullptr, false);
  const ComparisonJson* at = &all;
  for (size_t from = 0; from <= key.size();) {
    const size_t dot = std::min(key.find('.', from), key.size());
    if (!at->is_object()) return {};
    const auto it = at->find(key.substr(from, dot - from));
    if (it == at->end()) return {};
    at = &*it;
    from = dot + 1;
  }
  return at->is_string() ? at->get<std::string>() : at->dump(-1, ' ', false, ComparisonJson::error_handler_t::replace);
}

BlockLevel level_of(const std::string& name) {
  return name == "population" ? BlockLevel::population : name == "area" ? BlockLevel::area : BlockLevel::layer;
}

Result<RunBlocks> blocks_of_run(const Session& session, const std::string& name) {
  RunBlocks run;
  run.name = name;
  run.about = {name, session.state.run, session.spec.seed, session.spec.all_epochs(), session.provenance.hash};
  const Result<Weights> w = checkpoint_weights(session, CompareCheckpoint::final, name);
  if (!w) return w.error();
  const std::shared_ptr<const Pattern> mask = w->sparse()          ? w->pattern
                                              : session.state.mask ? session.state.mask
                                                                   : sample_pattern(session.spec, session.state.run);
  for (size_t k = 0; k < run.levels.size(); ++k) {
    LevelBlocks& b = run.levels[k];
    Result<BlockGroups> groups = group_blocks(session.spec.populations, levels[k]);
    if (!groups) {
      b.missing = groups.error().text();
      continue;
    }
    b.groups = std::move(*groups);
    Result<BlockAverages> averages = average_blocks(*w, b.groups);
    if (!averages) return Error{name, averages.error().text()};
    b.averages = std::move(*averages);
    b.possible = possible_blocks(b.groups, mask.get());
  }
  return run;
}

Result<Compared> compare_runs(const std::vector<RunBlocks>& runs, BlockLevel level, bool raw, size_t from, size_t to,
                              const std::function<bool(double)>& progress) {
  std::vector<Condition> groups;
  std::vector<std::vector<const RunBlocks*>> members;
  for (const RunBlocks& r : runs) {
    auto at = std::find_if(groups.begin(), groups.end(), [&](const Condition& g) { return g.name == r.group; });
    if (at == groups.end()) {
      at = groups.insert(groups.end(), Condition{r.group, {}});
      members.emplace_back();
    }
    members[static_cast<size_t>(at - groups.begin())].push_back(&r);
  }
  if (groups.size() < 2) return Error{"conditions", "are fewer than two; give runs of another one"};
  if (from >= groups.size() || to >= groups.size() || from == to) from = 0, to = 1;
  for (const RunBlocks& r : runs)
    if (!(r.levels[0].groups == runs[0].levels[0].groups))
      return Error{r.name, "has other populations than " + runs[0].name + "; compare networks that have the same"};
  Compared c;
  for (size_t k = 0; k < 3; ++k) {
    c.missing[k] = runs[0].levels[k].missing;
    if (levels[k] == level) c.level = k;
  }
  if (!c.missing[c.level].empty()) c.level = 0;
  const size_t k = c.level;
  std::vector<uint8_t> possible(runs[0].levels[k].possible.size());
  std::vector<Condition> pair;
  for (const size_t g : {from, to}) {
    if (members[g].size() < 2)
      return Error{groups[g].name, "has only one finished run; a comparison needs two or more of each condition"};
    pair.push_back({groups[g].name, {}});
    c.report.sessions.emplace_back();
    for (const RunBlocks* r : members[g]) {
      pair.back().runs.push_back(r->levels[k].averages);
      c.report.sessions.back().push_back(r->about);
      for (size_t at = 0; at < possible.size(); ++at) possible[at] |= r->levels[k].possible[at];
    }
  }
  c.report.choices.level = levels[k];
  c.report.choices.options.weights = raw ? BlockWeights::raw : BlockWeights::abs;
  Result<Comparison> found =
      compare_conditions(runs[0].levels[k].groups, possible, pair, c.report.choices.options, progress);
  if (!found) return found.error();
  c.report.comparison = std::move(*found);
  const Comparison& all = c.report.comparison;
  c.report.power = power_curve(all.tested);
  c.density = all.density_of_pair(all.pairs[0]);
  for (size_t at = 0; at < c.blocks().size(); ++at) {
    const BlockComparison& b = c.blocks()[at];
    double variance = 0;
    for (const auto& condition : all.values) {
      std::vector<double> values;
      for (const auto& run : condition) values.push_back(run[at]);
      if (const Result<Dispersion> d = dispersion_of(values); d) variance += d->variance;
    }
    c.confidence.push_back(b.difference != 0 ? std::clamp(1 - std::sqrt(variance) / std::fabs(b.difference), 0.0, 1.0)
                                             : 0);
    if (!b.tested) continue;
    c.ranked.push_back(at);
    c.largest = std::max(c.largest, std::fabs(b.difference));
  }
  std::stable_sort(c.ranked.begin(), c.ranked.end(), [&](size_t i, size_t j) {
    const BlockComparison &x = c.blocks()[i], &y = c.blocks()[j];
    return x.p_adjusted != y.p_adjusted ? x.p_adjusted < y.p_adjusted : std::fabs(x.t) > std::fabs(y.t);
  });
  for (const std::string& sentence : compare_sentences(c.report)) c.notes += (c.notes.empty() ? "" : " ") + sentence;
  return c;
}

std::string Compared::verdict() const {
  std::string names;
  size_t found = 0;
  for (const size_t k : ranked) {
    const BlockComparison& b = blocks()[k];
    if (b.significant && ++found <= 3)
      names += (names.empty() ? "" : ", ") + block_name(report, k) + (b.difference > 0 ? " (higher)" : " (lower)");
  }
  if (found > 3) names += " and " + std::to_string(found - 3) + " more";
  const std::vector<int64_t>& runs = report.comparison.runs;
  const std::string start =
      to() + " against " + from() + ", " + std::to_string(runs[1]) + " + " + std::to_string(runs[0]) + " runs: ";
  if (ranked.empty()) return start + "no block varies.";
  if (found == 0) {
    char p[32];
    std::snprintf(p, sizeof p, "%.3g", blocks()[ranked.front()].p_adjusted);
    return start + "none of " + std::to_string(ranked.size()) +
           " blocks differs at .05 over all of them (least adjusted p " + p + "). That is not equality.";
  }
  return start + std::to_string(found) + " of " + std::to_string(ranked.size()) + " blocks " +
         (found == 1 ? "differs" : "differ") + " at .05 over all of them: " + names + ".";
}

plot::Figure comparison_figure(const Compared& c, ComparePicture which) {
  switch (which) {
    case ComparePicture::matrix:
      return compare_matrix_figure(c.report, 0);
    case ComparePicture::dots:
      return compare_dots_figure(c.report, 0, DotSize::confidence);
    case ComparePicture::circuit:
      return compare_circuit_figure(c.report, 0);
    case ComparePicture::blocks:
      return compare_effects_figure(c.report, 0);
    case ComparePicture::power:
      break;
  }
  return compare_power_figure(c.report);
}

Comparer::Comparer(bool own_thread) : own_thread_(own_thread && threads_available()) {
  if (!own_thread_) return;
  thread_ = std::thread([this] {
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return quit_ || wanted_; });
        if (quit_) return;
      }
      step();
    }
  });
}

Comparer::~Comparer() {
  {
    const std::lock_guard lock(mutex_);
    quit_ = true;
    wanted_.reset();
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Comparer::start(ComparedRuns runs, BlockLevel level, bool raw, size_t from, size_t to) {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = Task{std::move(runs), level, raw, from, to};
    view_.running = true;
    view_.part = 0;
    view_.failure.clear();
  }
  changed_ = true;
  wake_.notify_all();
}

void Comparer::stop() {
  const std::lock_guard lock(mutex_);
  wanted_.reset();
  view_.running = false;
  changed_ = true;
}

void Comparer::clear() {
  stop();
  const std::lock_guard lock(mutex_);
  view_ = {};
}

void Comparer::pump() {
  if (!own_thread_) step();
}

ComparerView Comparer::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

void Comparer::finish(const Task& task, Result<Compared> result) {
  const std::lock_guard lock(mutex_);
  if (!wanted_ || !(*wanted_ == task)) return;  // something else is wanted by now
  wanted_.reset();
  view_.running = false;
  view_.part = 1;
  if (result) {
    view_.result = std::make_shared<const Compared>(std::move(*result));
  } else {
    view_.result = nullptr;
    view_.failure = result.error().text();
  }
  changed_ = true;
}

bool Comparer::step() {
  Task task;
  {
    const std::lock_guard lock(mutex_);
    if (!wanted_) return false;
    task = *wanted_;
  }
  try {
    if (reading_ != task.runs) {
      reading_ = task.runs;
      blocks_.clear();
    }
    if (blocks_.size() < task.runs->size()) {
      const ComparedRun& run = (*task.runs)[blocks_.size()];
      const Result<Session> session = read_session(*run.session, run.name);
      if (!session) {
        finish(task, session.error());
        return true;
      }
      Result<RunBlocks> blocks = blocks_of_run(*session, run.name);
      if (!blocks) {
        finish(task, blocks.error());
        return true;
      }
      blocks->group = run.group;
      blocks_.push_back(std::move(*blocks));
      const std::lock_guard lock(mutex_);
      view_.part = static_cast<double>(blocks_.size()) / static_cast<double>(task.runs->size());
      changed_ = true;
      return true;
    }
    const auto go_on = [&](double) {
      const std::lock_guard lock(mutex_);
      return wanted_ && *wanted_ == task;
    };
    finish(task, compare_runs(blocks_, task.level, task.raw, task.from, task.to, go_on));
  } catch (const std::bad_alloc&) {
    blocks_.clear();
    reading_ = nullptr;
    finish(task, Error{"compare", "needs more memory than there is; compare smaller networks"});
  }
  return true;
}

}  // namespace dalea::app
