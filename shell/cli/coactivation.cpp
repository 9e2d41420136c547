// dalea coactivation: which units of a trained network are active together, and whether connected ones are more so.
#include <cmath>
#include <cstdio>

#include "cli/commands.h"
#include "cli/json.h"
#include "common/coactivation_report.h"
#include "common/files.h"

namespace dalea::cli {
namespace {

using nlohmann::json;

json pair_json(const PairMean& m) {
  return {{"pairs", m.pairs}, {"mean", number_or_null(m.mean)}};
}

std::string coactivation_json(const CoactivationReport& r, const std::string& hash, const std::string& out,
                              const std::vector<std::string>& files) {
  const Coactivation& c = r.study;
  const Homophily& h = c.homophily;
  const bool tested = h.untested.empty();
  json o = {{"name", r.name},
            {"hash", hash},
            {"units", c.units},
            {"silent", c.silent},
            {"trials", c.trials},
            {"held_out_trials", c.all_trials},
            {"steps", c.steps},
            {"connected", pair_json(h.connected)},
            {"unconnected", pair_json(h.unconnected)}};
  o["difference"] = number_or_null(h.difference);
  o["p"] = tested ? json(h.p) : json(nullptr);
  o["p_within_populations"] = tested ? json(h.p_within) : json(nullptr);
  o["expected_within_populations"] = number_or_null(h.expected_within);
  o["permutations"] = h.draws;
  if (!tested) o["untested"] = h.untested;
  o["excitatory"] = pair_json(c.excitatory);
  o["inhibitory"] = pair_json(c.inhibitory);
  o["by"] = c.by;
  o["within"] = pair_json(c.within);
  o["between"] = pair_json(c.between);
  o["silhouette"] = {{"mean", number_or_null(c.silhouette.mean)},
                     {"p", c.silhouette.draws > 0 ? json(c.silhouette.p) : json(nullptr)}};
  o["groups"] = json::array();
  const size_t n = c.groups.size();
  for (size_t g = 0; g < n; ++g)
    o["groups"].push_back({{"name", c.groups[g]},
                           {"silhouette", number_or_null(c.silhouette.of_group[g])},
                           {"connected", pair_json(c.connected[g * n + g])},
                           {"unconnected", pair_json(c.unconnected[g * n + g])}});
  o["out"] = out;
  o["files"] = files;
  return o.dump(-1, ' ', false, json::error_handler_t::replace);
}

void print_coactivation(const CoactivationReport& r, const std::string& hash) {
  const Coactivation& c = r.study;
  std::printf("network            %s  (hash %s)\n", r.name.c_str(), hash.c_str());
  std::printf("held-out trials    %lld of %lld, of %lld steps\n", static_cast<long long>(c.trials),
              static_cast<long long>(c.all_trials), static_cast<long long>(c.steps));
  for (const std::string& line : coactivation_sentences(c)) std::printf("%s\n", line.c_str());
  const size_t n = c.groups.size();
  std::printf("\n%-24s %14s %14s %12s\n", ("within " + c.by).c_str(), "connected", "not", "silhouette");
  constexpr size_t most = 60;
  const auto cell = [](double v) {
    char text[24] = "none";
    if (std::isfinite(v)) std::snprintf(text, sizeof text, "%+.4f", v);
    return std::string(text);
  };
  for (size_t g = 0; g < n && g < most; ++g)
    std::printf("%-24s %14s %14s %12s\n", c.groups[g].substr(0, 40).c_str(), cell(c.connected[g * n + g].mean).c_str(),
                cell(c.unconnected[g * n + g].mean).c_str(), cell(c.silhouette.of_group[g]).c_str());
  if (n > most) std::printf("and %zu more (see groups.csv)\n", n - most);
  std::printf("\n");
}

}  // namespace

int coactivation(const CoactivationCommand& command) {
  Result<Isa> isa = parse_isa(command.isa);
  if (!isa) return refuse({"--" + isa.error().path, isa.error().message});
  Result<Session> session = load_session(command.session, command.recording);
  if (!session) return refuse(session.error());
  CoactivationReport report;
  report.spec = session->spec;
  report.name = report.spec.name;
  const std::string hash = session->provenance.hash;
  Result<Dataset> data =
      load_dataset(session->spec, session->state.run, session->provenance.data_sha256, command.program);
  if (!data) return refuse(data.error());
  Result<std::unique_ptr<Trainer>> trainer = restored(*session, std::move(*data), *isa);
  if (!trainer) return refuse(trainer.error());
  cancel_on_signals();
  Workers workers(threads_of(command.threads));
  CoactivationOptions options;
  options.by = command.by;
  options.draws = command.draws;
  options.seed = command.seed;
  Result<Coactivation> study =
      study_coactivation((*trainer)->model(), (*trainer)->data(), report.spec.populations, report.spec.training.batch,
                         *isa, workers, options, [](double) { return !cancel_on_signals(); });
  if (cancel_on_signals()) return cancelled;
  if (!study && study.error().path == "by") return refuse({"--by", study.error().message});
  if (!study) return refuse(study.error());
  report.study = std::move(*study);

  OutputFiles output;
  output.emplace_back("groups.csv", to_bytes(coactivation_groups_csv(report)));
  output.emplace_back("matrix.csv", to_bytes(coactivation_matrix_csv(report)));
  add_drawing(output, "coactivation", coactivation_figure(report));
  if (const ExitCode code = write_files(command.out, output); code != done) return code;
  const std::vector<std::string> files = names_of(output);
  if (command.json) {
    std::printf("%s\n", coactivation_json(report, hash, command.out, files).c_str());
  } else if (command.csv) {
    std::printf("%s", coactivation_groups_csv(report).c_str());
  } else {
    print_coactivation(report, hash);
    print_files(command.out, files);
  }
  return done;
}

}  // namespace dalea::cli
