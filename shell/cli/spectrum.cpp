// dalea spectrum: eigenvalues of a trained network's recurrent matrix, and its weights by sign.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/json.h"
#include "common/files.h"
#include "common/session_weights.h"
#include "common/spectrum_report.h"

namespace dalea::cli {
namespace {

using nlohmann::json;

json side_json(const SpectrumSide& side) {
  const Spectrum& s = side.spectrum;
  json o = {{"radius", s.radius}, {"abscissa", s.abscissa}, {"outside", s.outside}, {"bulk", s.bulk}};
  o["weights"] = json::object();
  for (size_t k = 0; k < side.weights.size(); ++k)
    if (const SignWeights& w = side.weights[k]; w.synapses > 0)
      o["weights"][text_of(static_cast<Sign>(k))] = {
          {"synapses", w.synapses}, {"mean", w.mean}, {"sd", w.sd}, {"zero", w.zero}, {"share_zero", w.share_zero()}};
  return o;
}

std::string json_text(const SpectrumStudy& study, const Session& session, const std::string& out,
                      const std::vector<std::string>& files) {
  const json o = {{"name", study.name},
                  {"hash", session.provenance.hash},
                  {"epochs", session.state.epoch},
                  {"units", study.now.spectrum.values.size()},
                  {"initial", side_json(study.initial)},
                  {"now", side_json(study.now)},
                  {"out", out},
                  {"files", files}};
  return o.dump(-1, ' ', false, json::error_handler_t::replace);
}

void print_study(const SpectrumStudy& study, const Session& session, const std::string& out,
                 const std::vector<std::string>& files) {
  const Spectrum &a = study.initial.spectrum, &b = study.now.spectrum;
  std::printf("network            %s  (hash %s)\n", study.name.c_str(), session.provenance.hash.c_str());
  std::printf("size               %zu units, after %lld of %lld epochs\n\n", b.values.size(),
              static_cast<long long>(session.state.epoch), static_cast<long long>(session.spec.all_epochs()));
  std::printf("%-24s %12s %12s\n", "eigenvalues of W_rec", "initial", "now");
  std::printf("%-24s %12.6g %12.6g\n", "spectral radius", a.radius, b.radius);
  std::printf("%-24s %12.6g %12.6g\n", "largest real part", a.abscissa, b.abscissa);
  std::printf("%-24s %12lld %12lld\n", "outside unit circle", static_cast<long long>(a.outside),
              static_cast<long long>(b.outside));
  std::printf("%-24s %12.6g %12.6g\n", "bulk if drawn anew", a.bulk, b.bulk);
  std::printf("\n%-24s %-8s %10s %12s %12s %10s\n", "synapses", "when", "count", "mean", "sd", "zero %");
  for (size_t k = 0; k < study.now.weights.size(); ++k)
    for (const SpectrumSide* side : {&study.initial, &study.now})
      if (const SignWeights& w = side->weights[k]; w.synapses > 0)
        std::printf("%-24s %-8s %10lld %12.5g %12.5g %10.2f\n", text_of(static_cast<Sign>(k)),
                    side == &study.initial ? "initial" : "now", static_cast<long long>(w.synapses), w.mean, w.sd,
                    100 * w.share_zero());
  std::printf("\n");
  print_files(out, files);
}

}  // namespace

int spectrum(const SpectrumCommand& command) {
  Result<Session> session = read_session_file(command.session);
  if (!session) return refuse(session.error());
  const int64_t units = session->spec.units();
  if (units > most_spectrum_units)  // before the initial weights are drawn
    return refuse({command.session, "has " + std::to_string(units) + " units, and eigenvalues are found of at most " +
                                        std::to_string(most_spectrum_units) +
                                        "; take W_rec of its weights to a program for large matrices"});
  const TrainedWeights w = trained_weights(*session);
  Result<SpectrumStudy> study = study_spectrum(session->spec.name, session->spec.populations, w.initial, w.final);
  if (!study) return refuse({command.session + ": " + study.error().path, study.error().message});

  const std::string csv = eigenvalues_csv(*study);
  OutputFiles output = {{"eigenvalues.csv", to_bytes(csv)}};
  add_drawing(output, "spectrum", spectrum_figure(*study));
  if (const ExitCode code = write_files(command.out, output); code != done) return code;
  const std::vector<std::string> files = names_of(output);
  if (command.json)
    std::printf("%s\n", json_text(*study, *session, command.out, files).c_str());
  else if (command.csv)
    std::fputs(csv.c_str(), stdout);
  else
    print_study(*study, *session, command.out, files);
  return done;
}

}  // namespace dalea::cli
