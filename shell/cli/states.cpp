// dalea states: the state space of a trained network and the currents between its populations.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/json.h"
#include "common/compare_report.h"
#include "common/files.h"
#include "common/states_report.h"

namespace dalea::cli {
namespace {

using nlohmann::json;

std::string whose(const StatesReport& r) {
  return r.population.empty() ? "all units" : r.population;
}

std::vector<int64_t> trials_by_condition(const StateStudy& s) {
  std::vector<int64_t> count(s.condition_names.size());
  for (int32_t k : s.condition) ++count[static_cast<size_t>(k)];
  return count;
}

std::string json_text(const StatesReport& r, const Session& session, const StatesCommand& command,
                      const std::vector<std::string>& files) {
  const std::string& out = command.out;
  const StateStudy& s = r.study;
  const Components& c = s.components;
  const size_t n = s.currents.input.size();
  json o = {{"name", r.name}, {"hash", session.provenance.hash}, {"trials", s.trials}, {"steps", s.steps}};
  o["level"] = command.level;
  o["checkpoint"] = command.checkpoint;
  o["components"] = nullptr;
  if (c.count > 0) {
    o["components"] = {{"of", whose(r)},
                       {"units", c.units},
                       {"total_variance", number_or_null(c.total)},
                       {"participation_ratio", number_or_null(c.participation)},
                       {"variance", json::array()},
                       {"share", json::array()}};
    for (int64_t k = 0; k < c.count; ++k) {
      o["components"]["variance"].push_back(number_or_null(c.variance[static_cast<size_t>(k)]));
      o["components"]["share"].push_back(number_or_null(c.share(k)));
    }
  } else {
    o["no_components"] = s.no_components;
  }
  o["conditions"] = {{"kind", s.condition_kind}, {"trials", json::array()}};
  const std::vector<int64_t> count = trials_by_condition(s);
  for (size_t k = 0; k < count.size(); ++k)
    o["conditions"]["trials"].push_back({{"name", s.condition_names[k]}, {"count", count[k]}});
  o["populations"] = json::array();
  o["currents"] = json::array();
  for (size_t p = 0; p < n; ++p) {
    o["populations"].push_back({{"name", r.spec.populations[p].name},
                                {"activity", number_or_null(s.currents.activity[p])},
                                {"input", number_or_null(s.currents.input[p])},
                                {"bias", number_or_null(s.currents.bias[p])},
                                {"total", number_or_null(s.currents.total(p))}});
    for (size_t q = 0; q < n; ++q)
      o["currents"].push_back({{"to", r.spec.populations[p].name},
                               {"from", r.spec.populations[q].name},
                               {"current", number_or_null(s.currents.recurrent[p * n + q])},
                               {"connections", s.currents.connections[p * n + q]}});
  }
  o["out"] = out;
  o["files"] = files;
  return o.dump(-1, ' ', false, json::error_handler_t::replace);
}

void print_study(const StatesReport& r, const Session& session, const StatesCommand& command,
                 const std::vector<std::string>& files) {
  const StateStudy& s = r.study;
  const Components& c = s.components;
  const size_t n = s.currents.input.size();
  std::printf("network            %s  (hash %s)%s\n", r.name.c_str(), session.provenance.hash.c_str(),
              command.checkpoint == "final" ? "" : (", " + command.checkpoint + " weights").c_str());
  std::printf("held-out trials    %lld of %lld steps\n", static_cast<long long>(s.trials),
              static_cast<long long>(s.steps));
  if (!s.condition_kind.empty()) {
    const std::vector<int64_t> count = trials_by_condition(s);
    std::printf("%-18s", s.condition_kind.c_str());
    for (size_t k = 0; k < count.size(); ++k)
      std::printf("%s %s: %lld", k > 0 ? "," : "", s.condition_names[k].c_str(), static_cast<long long>(count[k]));
    std::printf("\n");
  }
  if (c.count > 0) {
    std::printf("components of      %s (%lld units)\n", whose(r).c_str(), static_cast<long long>(c.units));
    std::printf("participation      %.3f  (the number of equal components that would spread the variance as much)\n\n",
                c.participation);
    std::printf("%-24s %12s %12s %12s\n", "component", "variance", "share", "cumulative");
    for (int64_t k = 0; k < c.count; ++k)
      std::printf("%-24lld %12.5g %10.2f %% %10.2f %%\n", static_cast<long long>(k + 1),
                  c.variance[static_cast<size_t>(k)], 100 * c.share(k), 100 * c.share_of_first(k + 1));
  } else {
    std::printf("components         none: %s\n", s.no_components.c_str());
  }
  size_t widest = 24;
  for (const Population& p : r.spec.populations) widest = std::max(widest, p.name.size());
  const int wide = static_cast<int>(std::min<size_t>(widest, 40));
  const auto row = [&](const char* to, const char* from, double v, const std::string& connections) {
    std::printf("%-*s %-*s %+12.5g %12s\n", wide, to, wide, from, v, connections.c_str());
  };
  std::printf("\n%-*s %-*s %12s %12s\n", wide, "mean current into", wide, "from", "current", "connections");
  for (size_t p = 0; p < n; ++p) {
    const char* to = r.spec.populations[p].name.c_str();
    for (size_t q = 0; q < n; ++q)
      if (s.currents.connections[p * n + q] > 0)
        row(to, r.spec.populations[q].name.c_str(), s.currents.recurrent[p * n + q],
            std::to_string(s.currents.connections[p * n + q]));
    row(to, "(input)", s.currents.input[p], "");
    row(to, "(bias)", s.currents.bias[p], "");
    row(to, "(all together)", s.currents.total(p), "");
  }
  std::printf("\n%-*s %12s\n", wide, "mean activity", "");
  for (size_t p = 0; p < n; ++p)
    std::printf("%-*s %+12.5g\n", wide, r.spec.populations[p].name.c_str(), s.currents.activity[p]);
  std::printf("\n");
  print_files(command.out, files);
}

// The network with the weights of a checkpoint.
// `mask`: of the session's own.
Result<Model> model_of(const Trainer& trainer, const std::string& checkpoint, const std::string& path,
                       std::shared_ptr<const Pattern> mask) {
  if (checkpoint == "final") return trainer.model();
  const Spec& spec = trainer.spec();
  const std::string remedy = "; train with stages.prune, or use --checkpoint final";
  if (checkpoint == "initial" && !spec.stages.prune)
    return build_model(spec, trainer.data().ends, trainer.run(), std::move(mask));
  const Parameters* kept = trainer.checkpoint(checkpoint);
  if (kept == nullptr) return Error{path, "has no checkpoint " + checkpoint + remedy};
  Model model =
      checkpoint == "sparse" ? trainer.model() : build_model(spec, trainer.data().ends, trainer.run(), nullptr);
  model.parameters = *kept;
  return model;
}

Result<Range> units_of(const std::string& population, const Spec& spec) {
  int64_t begin = 0;
  std::string names;
  for (const Population& p : spec.populations) {
    if (p.name == population) return Range{begin, begin + p.size};
    begin += p.size;
    names += (names.empty() ? "" : ", ") + p.name;
  }
  if (population.empty()) return Range{0, begin};
  return Error{"--population", "'" + population + "' is not a population; the populations are " + names};
}

}  // namespace

int states(const StatesCommand& command) {
  Result<Isa> isa = parse_isa(command.isa);
  if (!isa) return refuse({"--" + isa.error().path, isa.error().message});
  Result<BlockLevel> level = parse_block_level(command.level);
  if (!level) return refuse({"--level", level.error().message});
  if (Result<CompareCheckpoint> known = parse_compare_checkpoint(command.checkpoint); !known)
    return refuse({"--checkpoint", known.error().message});
  Result<Session> session = load_session(command.session, command.recording);
  if (!session) return refuse(session.error());
  StatesReport report;
  report.spec = session->spec;
  report.name = report.spec.name;
  report.population = command.population;
  Result<Range> of = units_of(command.population, report.spec);
  if (!of) return refuse(of.error());
  Result<Dataset> data =
      load_dataset(session->spec, session->state.run, session->provenance.data_sha256, command.program);
  if (!data) return refuse(data.error());
  report.dt_s = data->dt_s;
  std::shared_ptr<const Pattern> mask = session->state.mask;
  Result<std::unique_ptr<Trainer>> trainer = restored(*session, std::move(*data), *isa);
  if (!trainer) return refuse(trainer.error());
  Result<Model> model = model_of(**trainer, command.checkpoint, command.session, std::move(mask));
  if (!model) return refuse(model.error());
  Workers workers(threads_of(command.threads));
  Result<StateStudy> study = study_states(*model, (*trainer)->data(), report.spec.training.batch, command.trials, *of,
                                          *isa, workers, [](double) { return !cancel_on_signals(); });
  if (cancel_on_signals()) return cancelled;
  if (!study) return refuse(study.error());
  report.study = std::move(*study);

  OutputFiles output;
  if (report.study.components.count > 0) {
    output.emplace_back("projections.csv", to_bytes(states_projections_csv(report)));
    output.emplace_back("variance.csv", to_bytes(states_variance_csv(report)));
  }
  output.emplace_back("currents.csv", to_bytes(states_currents_csv(report)));
  for (const BlockLevel coarse : {BlockLevel::layer, BlockLevel::area})
    if (const Result<StatesReport> r = states_at_level(report, coarse); r)
      output.emplace_back(std::string("currents-") + name_of(coarse) + ".csv", to_bytes(states_currents_csv(*r)));
  StatesReport shown = report;
  if (*level != BlockLevel::population) {
    Result<StatesReport> at = states_at_level(report, *level);
    if (!at) return refuse({"--level", at.error().message});
    shown = std::move(*at);
  }
  add_drawing(output, "states", states_figure(shown));
  if (const ExitCode code = write_files(command.out, output); code != done) return code;
  const std::vector<std::string> files = names_of(output);
  if (command.json)
    std::printf("%s\n", json_text(shown, *session, command, files).c_str());
  else
    print_study(shown, *session, command, files);
  return done;
}

}  // namespace dalea::cli
