#include "common/sweep_grid.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "recording/recording.h"
#include "spec/json_strict.h"

namespace dalea {
namespace {

constexpr size_t most_grid_bytes = size_t{1} << 20;
constexpr int64_t most_combinations = 10000;

std::string last_word(const std::string& path) {
  const size_t dot = path.rfind('.');
  return dot == std::string::npos ? path : path.substr(dot + 1);
}

std::string shell_quoted(const std::string& text) {
  std::string quoted = "'";
  for (char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace

std::string SweepPlan::value_text(size_t combination, size_t axis) const {
  const std::string& json = axes[axis].values[choices[combination][axis]];
  const bool text = json.size() >= 2 && json.front() == '"';
  return text ? json.substr(1, json.size() - 2) : json;
}

std::string SweepPlan::label(size_t combination) const {
  std::string text;
  for (size_t a = 0; a < axes.size(); ++a)
    text += (text.empty() ? "" : ", ") + last_word(axes[a].path) + " " + value_text(combination, a);
  return text.empty() ? "as given" : text;
}

std::string SweepPlan::folder(int64_t k) const {
  char text[40];
  std::snprintf(text, sizeof text, "run-%04lld", static_cast<long long>(k + 1));
  return text;
}

ReadSweep read_sweep(std::string_view json, const OpenExperiment& open, const std::vector<std::string>& set) {
  ReadSweep read;
  SweepPlan& plan = read.plan;
  const auto bad = [&](std::string path, std::string message) {
    read.problems.push_back({std::move(path), std::move(message)});
  };
  if (json.size() > most_grid_bytes) {
    bad("", "the grid is larger than 1 MiB; give a grid file");
    return read;
  }
  Result<OrderedJson> document = parse_json_strict(json, "grid");
  if (!document) {
    read.problems.push_back(document.error());
    return read;
  }
  if (!document->is_object()) {
    bad("",
        "a grid is an object, such as {\"dalea_sweep\": 1, \"experiment\": \"sequence-memory\", \"grid\": "
        "{\"task.length\": [3, 5]}}");
    return read;
  }
  const std::vector<std::string> known = {"dalea_sweep", "experiment", "from", "grid", "iterations", "set"};
  for (const auto& item : document->items())
    if (std::find(known.begin(), known.end(), item.key()) == known.end()) {
      const std::string near = closest(item.key(), known);
      bad(item.key(),
          "is not a key of a grid; " + (near.empty() ? "use dalea_sweep, experiment, from, grid, iterations, set"
                                                     : "did you mean '" + near + "'?"));
    }
  if (!document->contains("dalea_sweep") || (*document)["dalea_sweep"] != 1)
    bad("dalea_sweep", "is not 1; give \"dalea_sweep\": 1, the version of grid files");
  if (document->contains("iterations")) {
    const OrderedJson& n = (*document)["iterations"];
    if (!n.is_number_integer() || n.get<int64_t>() < 1 || n.get<int64_t>() > 10000)
      bad("iterations", n.dump() + " is not a number of runs; give 1 to 10000");
    else
      plan.iterations = n.get<int64_t>();
  }
  if (document->contains("from")) {
    const OrderedJson& from = (*document)["from"];
    if (!from.is_string() || from.get<std::string>().empty())
      bad("from", "is not a path; give a session.npz, or the folder of a sweep with as many runs");
    else
      plan.from = from.get<std::string>();
  }
  std::vector<std::string> changes;
  if (document->contains("set")) {
    const OrderedJson& list = (*document)["set"];
    bool texts = list.is_array();
    for (const OrderedJson& one : list) texts = texts && one.is_string();
    if (!texts)
      bad("set", "is not a list of changes; give texts, such as [\"training.epochs=50\"]");
    else
      for (const OrderedJson& one : list) changes.push_back(one.get<std::string>());
  }
  changes.insert(changes.end(), set.begin(), set.end());
  int64_t combinations = 1;
  if (!document->contains("grid") || !(*document)["grid"].is_object()) {
    bad("grid", "is missing; give an object of lists, such as {\"task.length\": [3, 5, 10]}, or {} for one experiment");
  } else {
    for (const auto& item : (*document)["grid"].items()) {
      const std::string path = "grid." + item.key();
      const OrderedJson& values = item.value();
      if (item.key() == "runs" || item.key() == "dalea") {
        bad(path, "cannot be varied; repeat runs by \"iterations\"");
        continue;
      }
      if (!values.is_array() || values.empty()) {
        bad(path, "is not a list of values; give at least one, such as [0.001, 0.0001]");
        continue;
      }
      SweepAxis axis;
      axis.path = item.key();
      for (const OrderedJson& v : values) {
        const std::string text = v.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
        if (std::find(axis.values.begin(), axis.values.end(), text) != axis.values.end())
          bad(path, text + " is there twice; give each value once");
        axis.values.push_back(text);
      }
      combinations = std::min(most_combinations + 1, combinations * static_cast<int64_t>(axis.values.size()));
      plan.axes.push_back(std::move(axis));
    }
    if (combinations > most_combinations || combinations * plan.iterations > most_sweep_runs)
      bad("grid", "has more than 10,000 combinations or 100,000 runs; give fewer values or iterations");
  }
  std::string experiment;
  if (!document->contains("experiment")) {
    bad("experiment", "is missing; give an experiment, the path of its file, or the name of a bundled one");
  } else if (const OrderedJson& e = (*document)["experiment"]; e.is_object()) {
    experiment = e.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  } else if (e.is_string()) {
    Result<std::string> text = open(e.get<std::string>());
    if (text)
      experiment = *text;
    else
      bad("experiment", text.error().text());
  } else {
    bad("experiment", "is not an experiment; give an object, the path of its file, or the name of a bundled one");
  }
  if (!read.problems.empty()) return read;
  for (const std::string& change : changes) {
    Result<std::string> changed = set_in_json(experiment, change);
    if (!changed) {
      bad("set: " + changed.error().path, changed.error().message);
      return read;
    }
    experiment = *changed;
  }

  std::vector<size_t> choice(plan.axes.size());
  std::string all = std::to_string(plan.iterations);
  for (int64_t c = 0; c < combinations; ++c) {
    int64_t rest = c;
    for (size_t a = plan.axes.size(); a-- > 0;) {
      const auto n = static_cast<int64_t>(plan.axes[a].values.size());
      choice[a] = static_cast<size_t>(rest % n);
      rest /= n;
    }
    std::string text = experiment, where;
    for (size_t a = 0; a < plan.axes.size(); ++a) {
      const std::string change = plan.axes[a].path + "=" + plan.axes[a].values[choice[a]];
      where += (where.empty() ? "" : ", ") + change;
      Result<std::string> changed = set_in_json(text, change);
      if (!changed) {
        bad("grid: " + changed.error().path, changed.error().message);
        return read;
      }
      text = *changed;
    }
    ParsedSpec parsed = parse_spec(text);
    if (parsed.problems.empty() && parsed.spec.runs != 1)
      parsed.problems.push_back(
          {"runs", "is " + std::to_string(parsed.spec.runs) + "; leave it out, and give the grid's \"iterations\""});
    for (const Error& e : parsed.problems) bad((where.empty() ? "" : "grid: " + where + ": ") + e.path, e.message);
    if (!parsed.problems.empty()) return read;  // the others are wrong in the same way
    all += "\n" + print_spec(parsed.spec, true);
    plan.choices.push_back(choice);
    plan.combinations.push_back(std::move(parsed.spec));
  }
  plan.name = plan.combinations.front().name;
  if (!plan.from.empty()) all += "\nfrom " + plan.from;
  plan.sha256 = sha256_hex(std::as_bytes(std::span(all.data(), all.size())));
  return read;
}

Convergence convergence_of(const std::vector<double>& losses) {
  Convergence c;
  double most = -INFINITY;
  for (size_t e = 1; e < losses.size(); ++e) {
    if (!std::isfinite(losses[e])) continue;
    most = std::max(most, losses[e]);
    if (c.epoch != 0 && losses[e] >= c.minimum) continue;
    c.minimum = losses[e];
    c.epoch = static_cast<int64_t>(e) + 1;
  }
  if (c.epoch == 0) return c;
  for (size_t e = 1; e < losses.size() && c.epoch_99 == 0; ++e)
    if (std::isfinite(losses[e]) && losses[e] <= c.minimum + 0.01 * (most - c.minimum))
      c.epoch_99 = static_cast<int64_t>(e) + 1;
  return c;
}

std::string slurm_script(const std::vector<std::string>& command, int64_t runs) {
  const std::string n = std::to_string(runs);
  std::string script =
      "#!/bin/sh\n#SBATCH --job-name=dalea-sweep\n#SBATCH --array=1-" + n +
      "\n#SBATCH --ntasks=1\n#SBATCH --cpus-per-task=1\n#SBATCH --output=dalea-sweep-%A_%a.log\n"
      "# One task trains one run; sent in again, those that are finished end at once and the others go on.\n";
  if (runs > 1000)
    script += "# Many clusters allow 1000 tasks in an array: send it in by parts, sbatch --array=1-1000 and so on.\n";
  script += "exec";
  for (const std::string& word : command) script += " " + shell_quoted(word);
  return script + " --task \"$SLURM_ARRAY_TASK_ID\"\n";
}

}  // namespace dalea
