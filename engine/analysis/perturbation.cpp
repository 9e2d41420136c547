#include "analysis/perturbation.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace dalea {
namespace {

// One pass over the held-out split: sums, and the outputs of the batch at hand.
struct Side {
  Side(Isa isa, Workers& workers, const Model& model, const Dataset& data) : pass(isa, workers) {
    pass.pack(model, false);
    activity.assign(model.populations.size(), std::vector<double>(static_cast<size_t>(data.held_out.steps)));
    answers = no_answers(data);
  }

  void run(const Model& model, const Dataset& data, int64_t from, int64_t to) {
    pass.begin_forward(model, data.held_out, from, to, data.loss);
    pass.run();
    loss += pass.loss_sum();
    scored += pass.activity().scored;
    if (answers.classes > 0) pass.count_answers(answers.count);
    const Activity& a = pass.activity();
    for (size_t p = 0; p < model.populations.size(); ++p)
      for (int64_t t = 0; t < a.steps; ++t) {
        double sum = 0;
        for (int64_t i = model.populations[p].begin; i < model.populations[p].end; ++i)
          for (int64_t b = 0; b < a.batch; ++b) sum += static_cast<double>(a.z[(t * model.units + i) * a.stride + b]);
        activity[p][static_cast<size_t>(t)] += sum;
      }
  }
  double mean_loss() const { return scored > 0 ? loss / static_cast<double>(scored) : 0.0; }

  Pass pass;
  double loss = 0;
  int64_t scored = 0;
  Confusion answers;
  std::vector<std::vector<double>> activity;  // (population, step): sums
};

bool read_number(std::string_view text, double& value) {
  const std::string copy(text);  // the programs keep the C locale
  char* end = nullptr;
  value = std::strtod(copy.c_str(), &end);
  return !copy.empty() && end == copy.c_str() + copy.size() && std::isfinite(value);
}

bool read_step(std::string_view text, int64_t& value) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc() && end == text.data() + text.size() && value >= 0;
}

}  // namespace

Result<Intervention> parse_intervention(const std::string& path, std::string_view text, bool silence, const Spec& spec,
                                        int64_t steps) {
  const std::string example = silence ? "E or E:10-20 (steps 10 to 19, counted from 0)" : "E=0.5 or E=0.5:10-20";
  const auto wrong = [&](const std::string& what) {
    return Error{path, "is '" + std::string(text) + "': " + what + "; give " + example};
  };
  const auto is_population = [&](std::string_view name) {
    return std::any_of(spec.populations.begin(), spec.populations.end(), [&](const auto& p) { return p.name == name; });
  };
  std::string_view name = text;
  Intervention v;
  v.silence = silence;
  v.to = steps;
  // A name may have a colon itself.
  if (const size_t colon = name.rfind(':'); colon != std::string_view::npos && !(silence && is_population(name))) {
    const std::string_view window = name.substr(colon + 1);
    const size_t dash = window.find('-');
    if (dash == std::string_view::npos || !read_step(window.substr(0, dash), v.from) ||
        !read_step(window.substr(dash + 1), v.to) || v.from >= v.to || v.to > steps)
      return wrong("the steps must be FROM-TO with FROM < TO <= " + std::to_string(steps));
    name = name.substr(0, colon);
  }
  if (!silence) {
    const size_t equals = name.rfind('=');
    double amount = 0;
    if (equals == std::string_view::npos || !read_number(name.substr(equals + 1), amount) || std::fabs(amount) > 1e6)
      return wrong("the drive must be a number");
    v.amount = static_cast<float>(amount);
    name = name.substr(0, equals);
  }
  int64_t begin = 0;
  std::string names;
  for (const Population& p : spec.populations) {
    if (p.name == name) {
      v.units = {begin, begin + p.size};
      return v;
    }
    begin += p.size;
    names += (names.empty() ? "" : ", ") + p.name;
  }
  return wrong("the populations are " + names);
}

std::string text_of(const Intervention& v, const Spec& spec, int64_t steps) {
  std::string name;
  int64_t begin = 0;
  for (const Population& p : spec.populations) {
    if (begin == v.units.begin && p.size == v.units.size()) name = p.name;
    begin += p.size;
  }
  if (name.empty()) name = "units " + std::to_string(v.units.begin + 1) + " to " + std::to_string(v.units.end);
  if (v.silence) {
    name += " silenced";
  } else {
    char text[40];
    std::snprintf(text, sizeof text, " driven by %+g", static_cast<double>(v.amount));
    name += text;
  }
  if (v.from <= 0 && v.to >= steps) return name + " throughout";
  return name + " in steps " + std::to_string(v.from) + " to " + std::to_string(v.to - 1);
}

Result<Perturbation> perturb(const Model& model, const Dataset& data, int64_t batch,
                             const std::vector<Intervention>& interventions, Isa isa, Workers& workers,
                             const std::function<bool(double)>& progress) {
  const Trials& split = data.held_out;
  if (split.count == 0)
    return Error{"held-out split", "has no trials, so nothing can be compared; give task.held_out or more frames"};
  for (const Intervention& v : interventions)
    if (v.units.begin < 0 || v.units.end > model.units || v.units.size() <= 0 || v.from < 0 || v.from >= v.to ||
        v.to > split.steps || !std::isfinite(v.amount))
      return Error{"intervention", "is outside the network or the trial; give units and steps that exist"};
  const FloatState ieee;
  Side intact(isa, workers, model, data), changed(isa, workers, model, data);
  changed.pass.intervene(interventions);
  Perturbation result;
  result.trials = split.count;
  result.steps = split.steps;
  result.output_change.assign(static_cast<size_t>(split.steps), 0.0);
  for (int64_t trial = 0; trial < split.count; trial += batch) {
    if (progress && !progress(static_cast<double>(trial) / static_cast<double>(split.count)))
      return Error{"", "cancelled"};
    for (Side* side : {&intact, &changed}) side->run(model, data, trial, std::min(trial + batch, split.count));
    const Activity &a = intact.pass.activity(), &c = changed.pass.activity();
    for (int64_t t = 0; t < split.steps; ++t)
      for (int64_t o = 0; o < model.outputs; ++o)
        for (int64_t b = 0; b < a.batch; ++b) {
          const int64_t at = (t * model.outputs + o) * a.stride + b;
          const double d = static_cast<double>(c.output[at]) - static_cast<double>(a.output[at]);
          result.output_change[static_cast<size_t>(t)] += d * d;
        }
  }
  for (double& v : result.output_change)
    v = std::sqrt(v / static_cast<double>(std::max<int64_t>(1, model.outputs * split.count)));
  result.loss = intact.mean_loss();
  result.perturbed_loss = changed.mean_loss();
  result.accuracy = intact.answers.accuracy();
  result.perturbed_accuracy = changed.answers.accuracy();
  for (size_t p = 0; p < model.populations.size(); ++p) {
    const double n = static_cast<double>(model.populations[p].size() * split.count);
    PopulationResponse r{model.populations[p], std::move(intact.activity[p]), std::move(changed.activity[p])};
    for (std::vector<double>* series : {&r.intact, &r.perturbed})
      for (double& v : *series) v /= n;
    result.populations.push_back(std::move(r));
  }
  return result;
}

}  // namespace dalea
