// dalea perturb: silence or drive populations of a trained network, and see what changes.
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/json.h"
#include "common/files.h"
#include "common/perturb_report.h"

namespace dalea::cli {
namespace {

using nlohmann::json;

double mean_of_all(const std::vector<double>& v) {
  double sum = 0;
  for (double x : v) sum += x;
  return v.empty() ? 0.0 : sum / static_cast<double>(v.size());
}

std::string json_text(const PerturbStudy& s, const Session& session, const std::string& out,
                      const std::vector<std::string>& files) {
  const Perturbation& r = s.result;
  json o = {{"name", s.name},
            {"unit", s.unit},
            {"hash", session.provenance.hash},
            {"perturbed", perturb_title(s)},
            {"trials", r.trials},
            {"steps", r.steps},
            {"held_out", {{"intact", number_or_null(r.loss)}, {"perturbed", number_or_null(r.perturbed_loss)}}},
            {"accuracy", {{"intact", number_or_null(r.accuracy)}, {"perturbed", number_or_null(r.perturbed_accuracy)}}},
            {"output_change", number_or_null(mean_of_all(r.output_change))}};
  o["populations"] = json::array();
  for (size_t p = 0; p < r.populations.size(); ++p)
    o["populations"].push_back({{"name", s.spec.populations[p].name},
                                {"intact", number_or_null(mean_of_all(r.populations[p].intact))},
                                {"perturbed", number_or_null(mean_of_all(r.populations[p].perturbed))}});
  o["out"] = out;
  o["files"] = files;
  return o.dump(-1, ' ', false, json::error_handler_t::replace);
}

void print_study(const PerturbStudy& s, const Session& session, const std::string& out,
                 const std::vector<std::string>& files) {
  const Perturbation& r = s.result;
  std::printf("network            %s  (hash %s)\n", s.name.c_str(), session.provenance.hash.c_str());
  std::printf("perturbed          %s\n", perturb_title(s).c_str());
  std::printf("held-out loss      %.6g intact, %.6g perturbed (%s), %lld trials\n", r.loss, r.perturbed_loss,
              s.unit.c_str(), static_cast<long long>(r.trials));
  if (!std::isnan(r.accuracy))
    std::printf("right answers      %.2f %% intact, %.2f %% perturbed\n", 100 * r.accuracy, 100 * r.perturbed_accuracy);
  std::printf("\n%-24s %12s %12s %12s\n", "mean activity", "intact", "perturbed", "change");
  for (size_t p = 0; p < r.populations.size(); ++p) {
    const double a = mean_of_all(r.populations[p].intact), b = mean_of_all(r.populations[p].perturbed);
    std::printf("%-24s %12.5g %12.5g %+12.5g\n", s.spec.populations[p].name.c_str(), a, b, b - a);
  }
  std::printf("\n");
  print_files(out, files);
}

}  // namespace

int perturb(const PerturbCommand& command) {
  Result<Isa> isa = parse_isa(command.isa);
  if (!isa) return refuse({"--" + isa.error().path, isa.error().message});
  Result<Session> session = load_session(command.session, command.recording);
  if (!session) return refuse(session.error());
  if (command.silence.empty() && command.drive.empty())
    return refuse({"--silence", "or --drive is missing; give --silence NAME or --drive NAME=AMOUNT"});
  Result<Dataset> data =
      load_dataset(session->spec, session->state.run, session->provenance.data_sha256, command.program);
  if (!data) return refuse(data.error());
  PerturbStudy study;
  study.spec = session->spec;
  study.name = study.spec.name;
  study.unit = data->unit;
  study.dt_s = data->dt_s;
  const auto add = [&](const char* path, const std::vector<std::string>& given, bool silence) -> Status {
    for (const std::string& text : given) {
      Result<Intervention> v = parse_intervention(path, text, silence, study.spec, data->held_out.steps);
      if (!v) return v.error();
      study.interventions.push_back(*v);
    }
    return {};
  };
  if (Status ok = add("--silence", command.silence, true); !ok) return refuse(ok.error());
  if (Status ok = add("--drive", command.drive, false); !ok) return refuse(ok.error());
  Result<std::unique_ptr<Trainer>> trainer = restored(*session, std::move(*data), *isa);
  if (!trainer) return refuse(trainer.error());
  Workers workers(threads_of(command.threads));
  Result<Perturbation> result =
      dalea::perturb((*trainer)->model(), (*trainer)->data(), study.spec.training.batch, study.interventions, *isa,
                     workers, [](double) { return !cancel_on_signals(); });
  if (cancel_on_signals()) return cancelled;
  if (!result) return refuse(result.error());
  study.result = std::move(*result);

  OutputFiles output = {{"perturb.csv", to_bytes(perturb_csv(study))}};
  add_drawing(output, "perturb", perturb_figure(study));
  if (const ExitCode code = write_files(command.out, output); code != done) return code;
  const std::vector<std::string> files = names_of(output);
  if (command.json)
    std::printf("%s\n", json_text(study, *session, command.out, files).c_str());
  else
    print_study(study, *session, command.out, files);
  return done;
}

}  // namespace dalea::cli
