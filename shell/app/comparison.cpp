#include "app/comparison.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "common/experiment_notes.h"
#include "common/json.h"
#include "common/session_weights.h"
#include "connectome/connectome.h"
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
    if (parsed.spec.measured)
      if (Status ok = check_scaling(parsed.spec); !ok) return ok.error();
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

CompareCheckpoint checkpoint_of(const std::string& name) {
  const Result<CompareCheckpoint> known = parse_compare_checkpoint(name);
  return known ? *known : CompareCheckpoint::final;
}

Result<RunBlocks> blocks_of_run(const Session& session, const std::string& name, CompareCheckpoint checkpoint) {
  RunBlocks run;
  run.name = name;
  run.about = {
      name, session.state.run, session.spec.seed, session.state.epoch, session.provenance.hash, session.state.history};
  auto spec = std::make_shared<Spec>(session.spec);
  spec->measured = nullptr;
  run.spec = std::move(spec);
  run.checkpoint = checkpoint;
  for (size_t k = 0; k < checkpoint_count; ++k)
    if (const Status ok = check_checkpoint(session, static_cast<CompareCheckpoint>(k), name); !ok)
      run.lacking[k] = ok.error().text();
  const Result<Weights> w = checkpoint_weights(session, checkpoint, name);
  if (!w) return w.error();
  for (size_t k = 0; k < run.levels.size(); ++k) {
    LevelBlocks& b = run.levels[k];
    Result<BlockGroups> groups = group_blocks(session.spec.populations, levels[k]);
    if (!groups) {
      b.missing = groups.error().text();
      continue;
    }
    b.groups = std::move(*groups);
    Result<SessionBlocks> blocks = session_blocks(session, *w, b.groups, name);
    if (!blocks) return blocks.error();
    b.averages = std::move(blocks->averages);
    b.possible = std::move(blocks->possible);
  }
  return run;
}

namespace {

// The pair the other way round.
void turn(PairComparison& pair) {
  std::swap(pair.a, pair.b);
  const auto turned = [](const Interval& v) { return Interval{-v.high, -v.low}; };
  for (BlockComparison& b : pair.blocks) {
    std::swap(b.mean_a, b.mean_b);
    b.difference = -b.difference;
    b.interval = turned(b.interval);
    b.g = -b.g;
    b.g_interval = turned(b.g_interval);
    b.t = -b.t;
  }
}

// What follows from the pair that is shown.
void show_pair(Compared& c) {
  const Comparison& all = c.report.comparison;
  const PairComparison& pair = c.shown();
  c.density = all.density_of_pair(pair);
  c.confidence.clear();
  c.ranked.clear();
  c.largest = 0;
  for (size_t at = 0; at < pair.blocks.size(); ++at) {
    const BlockComparison& b = pair.blocks[at];
    double variance = 0;
    for (const size_t condition : {pair.a, pair.b}) {
      std::vector<double> values;
      for (const auto& run : all.values[condition]) values.push_back(run[at]);
      if (const Result<Dispersion> d = dispersion_of(values); d) variance += d->variance;
    }
    const double size = std::fabs(b.difference);
    c.confidence.push_back(size > 0 ? std::clamp(1 - std::sqrt(variance) / size, 0.0, 1.0) : 0.0);
    if (!b.tested) continue;
    c.ranked.push_back(at);
    c.largest = std::max(c.largest, size);
  }
  std::stable_sort(c.ranked.begin(), c.ranked.end(), [&](size_t i, size_t j) {
    const BlockComparison &x = c.blocks()[i], &y = c.blocks()[j];
    return x.p_adjusted != y.p_adjusted ? x.p_adjusted < y.p_adjusted : std::fabs(x.t) > std::fabs(y.t);
  });
}

// Runs of one condition are different runs of one experiment.
Status check_run(const RunBlocks& run, const std::vector<const RunBlocks*>& before) {
  for (const RunBlocks* other : before) {
    if (!run.spec || !other->spec) return {};
    if (run.about.run == other->about.run && run.about.seed == other->about.seed)
      return Error{run.name, "is the same run and seed as " + other->name + "; give each run once"};
  }
  if (before.empty()) return {};
  const std::vector<std::string> differ = experiment_differences(*before.front()->spec, *run.spec);
  if (differ.empty()) return {};
  return Error{run.name, "is in the condition " + run.group + " with " + before.front()->name +
                             ", but they differ in " + differ.front() +
                             "; name the conditions by that key, or give other file names"};
}

void add_note(std::string& notes, const std::string& sentence) {
  notes += (notes.empty() ? "" : " ") + sentence;
}

}  // namespace

Result<Compared> compare_runs(const std::vector<RunBlocks>& runs, const CompareChoice& choice,
                              const std::function<bool(double)>& progress) {
  std::vector<std::string> groups;
  std::vector<std::vector<const RunBlocks*>> members;
  for (const RunBlocks& r : runs) {
    auto at = std::find(groups.begin(), groups.end(), r.group);
    if (at == groups.end()) {
      at = groups.insert(groups.end(), r.group);
      members.emplace_back();
    }
    auto& of = members[static_cast<size_t>(at - groups.begin())];
    if (Status ok = check_run(r, of); !ok) return ok.error();
    of.push_back(&r);
  }
  if (groups.size() < 2) return Error{"conditions", "are fewer than two; give runs of another one"};
  for (const RunBlocks& r : runs)
    if (!(r.levels[0].groups == runs[0].levels[0].groups))
      return Error{r.name, "has other populations than " + runs[0].name + "; compare networks that have the same"};
  Compared c;
  for (size_t k = 0; k < 3; ++k) {
    c.missing[k] = runs[0].levels[k].missing;
    if (levels[k] == choice.level) c.level = k;
  }
  if (!c.missing[c.level].empty()) c.level = 0;
  for (const RunBlocks& r : runs)
    for (size_t k = 0; k < checkpoint_count; ++k)
      if (c.lacking[k].empty()) c.lacking[k] = r.lacking[k];
  const size_t k = c.level;
  std::vector<uint8_t> possible(runs[0].levels[k].possible.size());
  std::vector<Condition> conditions;
  std::vector<const RunBlocks*> first;
  for (size_t g = 0; g < groups.size(); ++g) {
    if (members[g].size() < 2) {
      add_note(c.notes, groups[g] + " has only one finished run and is left out.");
      continue;
    }
    conditions.push_back({groups[g], {}});
    c.report.sessions.emplace_back();
    first.push_back(members[g].front());
    for (const RunBlocks* r : members[g]) {
      conditions.back().runs.push_back(r->levels[k].averages);
      c.report.sessions.back().push_back(r->about);
      for (size_t at = 0; at < possible.size(); ++at) possible[at] |= r->levels[k].possible[at];
    }
  }
  if (conditions.size() < 2)
    return Error{"conditions",
                 "with two finished runs are fewer than two; a comparison needs two or more runs of each condition"};
  c.report.choices.level = levels[k];
  c.report.choices.checkpoint = runs[0].checkpoint;
  c.report.choices.options.weights = choice.raw ? BlockWeights::raw : BlockWeights::abs;
  Result<Comparison> found =
      compare_conditions(runs[0].levels[k].groups, possible, conditions, c.report.choices.options, progress);
  if (!found) return found.error();
  c.report.comparison = std::move(*found);
  c.report.power = power_curve(c.report.comparison.tested, 0.05, 0.8, c.report.comparison.compared());
  for (const RunBlocks* r : first) {
    if (!r->spec || !first.front()->spec) continue;
    for (const std::string& key : experiment_differences(*first.front()->spec, *r->spec))
      if (std::find(c.report.differs.begin(), c.report.differs.end(), key) == c.report.differs.end())
        c.report.differs.push_back(key);
  }
  if (first.front()->spec) c.report.notes = experiment_notes(*first.front()->spec);
  c.brief = c.notes;
  add_note(c.brief, "Runs are replicates of the optimisation, not animals.");
  add_note(c.brief, compare_power_sentence(c.report));
  for (const std::string& sentence : compare_sentences(c.report)) add_note(c.notes, sentence);
  const auto name = [&](size_t g) { return g < groups.size() ? groups[g] : std::string(); };
  return with_pair(c, name(choice.from), name(choice.to));
}

Compared with_pair(const Compared& compared, const std::string& from, const std::string& to) {
  Compared c = compared;
  c.pair = 0;
  std::vector<PairComparison>& pairs = c.report.comparison.pairs;
  const std::vector<std::string>& names = c.report.comparison.names;
  for (size_t k = 0; k < pairs.size(); ++k) {
    PairComparison& p = pairs[k];
    const bool turned = names[p.a] == to && names[p.b] == from;
    if (turned) turn(p);
    if (names[p.a] == from && names[p.b] == to) c.pair = k;
  }
  show_pair(c);
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
  const size_t pairs = report.comparison.pairs.size();
  const std::string start = to() + " against " + from() + ", " + std::to_string(runs[shown().b]) + " + " +
                            std::to_string(runs[shown().a]) + " runs: ";
  const std::string over =
      pairs > 1 ? " over all of them and all " + std::to_string(pairs) + " pairs of conditions" : " over all of them";
  if (ranked.empty()) return start + "no block varies.";
  if (found == 0) {
    char p[32];
    std::snprintf(p, sizeof p, "%.3g", blocks()[ranked.front()].p_adjusted);
    return start + "none of " + std::to_string(ranked.size()) + " blocks differs at .05" + over +
           " (least adjusted p " + p + "). That is not equality.";
  }
  return start + std::to_string(found) + " of " + std::to_string(ranked.size()) + " blocks " +
         (found == 1 ? "differs" : "differ") + " at .05" + over + ": " + names + ".";
}

plot::Figure comparison_figure(const Compared& c, ComparePicture which) {
  switch (which) {
    case ComparePicture::matrix:
      return compare_matrix_figure(c.report, c.pair);
    case ComparePicture::dots:
      return compare_dots_figure(c.report, c.pair, DotSize::confidence);
    case ComparePicture::circuit:
      return compare_circuit_figure(c.report, c.pair);
    case ComparePicture::blocks:
      return compare_effects_figure(c.report, c.pair);
    case ComparePicture::means:
      return compare_condition_dots_figure(c.report, c.shown().b);
    case ComparePicture::loss:
      return compare_losses_figure(c.report);
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

void Comparer::start(ComparedRuns runs, const CompareChoice& choice, const std::string& key) {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = Task{std::move(runs), choice, key};
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
    if (reading_ != task.runs || key_ != task.key || wanted_checkpoint_ != task.choice.checkpoint) {
      forget();
      reading_ = task.runs;
      key_ = task.key;
      wanted_checkpoint_ = read_checkpoint_ = task.choice.checkpoint;
    }
    if (read_next(task)) return true;
    CompareChoice test = task.choice;  // what the test depends on
    test.from = test.to = 0;
    if (!tested_ || !(tested_of_ == test)) {
      tested_ = nullptr;
      const auto go_on = [&](double) {
        const std::lock_guard lock(mutex_);
        return wanted_ && *wanted_ == task;
      };
      Result<Compared> compared = compare_runs(blocks_, task.choice, go_on);
      if (!compared) {
        finish(task, compared.error());
        return true;
      }
      if (read_checkpoint_ != wanted_checkpoint_)
        for (std::string* text : {&compared->notes, &compared->brief})
          *text = "Not every run has " + std::string(name_of(wanted_checkpoint_)) + " weights (" +
                  compared->lacking[static_cast<size_t>(wanted_checkpoint_)] + "): the final ones are shown. " + *text;
      tested_ = std::make_shared<const Compared>(std::move(*compared));
      tested_of_ = test;
      finish(task, Compared(*tested_));
      return true;
    }
    std::vector<std::string> groups;
    for (const RunBlocks& r : blocks_)
      if (std::find(groups.begin(), groups.end(), r.group) == groups.end()) groups.push_back(r.group);
    const auto name = [&](size_t g) { return g < groups.size() ? groups[g] : std::string(); };
    finish(task, with_pair(*tested_, name(task.choice.from), name(task.choice.to)));
  } catch (const std::bad_alloc&) {
    forget();
    finish(task, Error{"compare", "needs more memory than there is; compare smaller networks"});
  }
  return true;
}

void Comparer::forget() {
  reading_ = nullptr;
  blocks_.clear();
  tested_ = nullptr;
  tested_of_.reset();
}

bool Comparer::read_next(const Task& task) {
  if (blocks_.size() >= task.runs->size()) return false;
  const ComparedRun& run = (*task.runs)[blocks_.size()];
  const Result<Session> session = read_session(*run.session, run.name);
  if (!session) {
    finish(task, session.error());
    return true;
  }
  std::string group = run.group;
  if (group.empty()) group = condition_of_key(session->spec, task.key);
  if (group.empty()) {
    finish(task, Error{run.name, "has no key '" + task.key + "' in its experiment; give another key"});
    return true;
  }
  if (!check_checkpoint(*session, read_checkpoint_, run.name)) {  // not all have it: anew
    read_checkpoint_ = CompareCheckpoint::final;
    blocks_.clear();
    return true;
  }
  Result<RunBlocks> blocks = blocks_of_run(*session, run.name, read_checkpoint_);
  if (!blocks) {
    finish(task, blocks.error());
    return true;
  }
  blocks->group = std::move(group);
  blocks_.push_back(std::move(*blocks));
  const std::lock_guard lock(mutex_);
  view_.part = static_cast<double>(blocks_.size()) / static_cast<double>(task.runs->size());
  view_.groups.clear();
  for (const RunBlocks& r : blocks_)
    if (std::find(view_.groups.begin(), view_.groups.end(), r.group) == view_.groups.end())
      view_.groups.push_back(r.group);
  changed_ = true;
  return true;
}

}  // namespace dalea::app
