// dalea fit: how well a network predicts the part of a recording that it was not trained on, unit by unit.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/json.h"
#include "common/files.h"
#include "common/fit_report.h"

namespace dalea::cli {
namespace {

using nlohmann::json;

constexpr size_t most_printed_units = 24;

json estimate_json(const Estimate& e) {
  return {{"value", number_or_null(e.value)}, {"low", number_or_null(e.low)}, {"high", number_or_null(e.high)}};
}

json fit_json(const UnitFit& f) {
  json o = {{"name", f.name}, {"values", f.values}, {"predictors", json::object()}};
  for (size_t k = 0; k < predictor_count; ++k)
    o["predictors"][predictor_name(static_cast<Predictor>(k))] = {{"r2", estimate_json(f.r2[k])},
                                                                  {"correlation", estimate_json(f.correlation[k])}};
  o["shuffled_r2"] = number_or_null(f.shuffled_r2);
  o["best_baseline"] = nullptr;
  if (std::isfinite(f.difference.value)) o["best_baseline"] = predictor_name(f.best);
  o["difference"] = estimate_json(f.difference);
  o["ceiling"] = number_or_null(f.ceiling);
  return o;
}

std::string json_text(const FitReport& r, const Session& session, const std::string& out,
                      const std::vector<std::string>& files) {
  const Fits& f = r.fits;
  json o = {
      {"name", r.name},
      {"hash", session.provenance.hash},
      {"trials", f.trials},
      {"frames", f.frames},
      {"intervals",
       {{"confidence", 0.95}, {"draws", f.draws}, {"block_frames", f.block}, {"blocks", number_or_null(f.blocks())}}},
      {"shuffled", {{"permutations", f.permutations}, {"among", f.shuffled_among}}},
      {"verdict", fit_verdict(r)},
      {"method", fit_method(f)},
      {"remarks", f.remarks}};
  o["no_ceiling"] = f.no_ceiling;
  o["overfit"] = {{"warns", r.overfit.warns}, {"text", r.overfit.text()}};
  for (const char* key : {"groups", "units"}) o[key] = json::array();
  for (const UnitFit& g : f.groups) {
    json group = fit_json(g);
    group["units"] = g.units;
    group["wins"] = g.wins;
    group["clear_wins"] = g.clear_wins;
    o["groups"].push_back(std::move(group));
  }
  for (const UnitFit& u : f.units) o["units"].push_back(fit_json(u));
  o["out"] = out;
  o["files"] = files;
  return o.dump(-1, ' ', false, json::error_handler_t::replace);
}

void print_row(const UnitFit& f, int wide, bool ceiling) {
  const auto r2 = [&](Predictor p) { return interval_text({f.of(p).value}, 3); };
  std::printf("%-*.*s %22s %7s %10s %7s %7s %8s %24s", wide, wide, f.name.c_str(),
              interval_text(f.of(Predictor::network), 3).c_str(), interval_text({f.correlation[0].value}, 3).c_str(),
              r2(Predictor::last_frame).c_str(), r2(Predictor::ar1).c_str(), r2(Predictor::linear).c_str(),
              interval_text({f.shuffled_r2}, 3).c_str(), interval_text(f.difference, 3).c_str());
  if (ceiling) std::printf(" %8s", interval_text({f.ceiling}, 3).c_str());
  std::printf("\n");
}

void print_fit(const FitReport& r, const Session& session, const std::string& out,
               const std::vector<std::string>& files) {
  const Fits& f = r.fits;
  const bool ceiling = f.no_ceiling.empty();
  std::printf("network            %s  (hash %s)\n", r.name.c_str(), session.provenance.hash.c_str());
  std::printf("held out           %lld frames in %lld windows\n", static_cast<long long>(f.frames),
              static_cast<long long>(f.trials));
  size_t widest = 16;
  for (const auto* rows : {&f.groups, &f.units})
    for (const UnitFit& u : *rows) widest = std::max(widest, u.name.size());
  const int wide = static_cast<int>(std::min<size_t>(widest, 32));
  const auto header = [&](const char* what) {
    std::printf("\n%-*s %22s %7s %10s %7s %7s %8s %24s", wide, what, "R2 [95 %]", "r", "last frame", "AR(1)", "linear",
                "shuffled", "network - best [95 %]");
    if (ceiling) std::printf(" %8s", "ceiling");
    std::printf("\n");
  };
  header("group");
  for (const UnitFit& g : f.groups) print_row(g, wide, ceiling);
  std::vector<const UnitFit*> units;
  for (const UnitFit& u : f.units)
    if (u.units > 0) units.push_back(&u);
  std::stable_sort(units.begin(), units.end(), [](const UnitFit* a, const UnitFit* b) {
    return a->of(Predictor::network).value > b->of(Predictor::network).value;
  });
  header("unit");
  for (size_t k = 0; k < units.size(); ++k) {
    const bool shown =
        units.size() <= most_printed_units || k < most_printed_units / 2 || k >= units.size() - most_printed_units / 2;
    if (shown) print_row(*units[k], wide, ceiling);
    if (units.size() > most_printed_units && k == most_printed_units / 2)
      std::printf("... %zu more in fits.csv\n", units.size() - most_printed_units);
  }
  std::printf("\n%s\n%s\n", fit_verdict(r).c_str(), fit_method(f).c_str());
  if (!ceiling) std::printf("%s\n", f.no_ceiling.c_str());
  for (const std::string& remark : f.remarks) std::printf("%s\n", remark.c_str());
  if (r.overfit.warns) std::printf("warning: %s\n", r.overfit.text().c_str());
  std::printf("\n");
  print_files(out, files);
}

}  // namespace

int fit(const FitCommand& command) {
  Result<Isa> isa = parse_isa(command.isa);
  if (!isa) return refuse({"--" + isa.error().path, isa.error().message});
  Result<Session> session = load_session(command.session, command.recording);
  if (!session) return refuse(session.error());
  if (session->spec.task.type != "recording")
    return refuse({command.session, "was trained on the task " + session->spec.task.type +
                                        ", and fits are measured of recordings; see dalea states and dalea perturb"});
  FitReport report;
  report.name = session->spec.name;
  report.overfit = overfit_of(session->state.history);
  Result<Dataset> data =
      load_dataset(session->spec, session->state.run, session->provenance.data_sha256, command.program);
  if (!data) return refuse(data.error());
  Result<std::unique_ptr<Trainer>> trainer = restored(*session, std::move(*data), *isa);
  if (!trainer) return refuse(trainer.error());
  const Dataset& trials = (*trainer)->data();
  Workers workers(threads_of(command.threads));
  Result<Fits> fits = measure_fits(
      (*trainer)->model(), trials, trials.recording ? unit_labels(*trials.recording) : std::vector<std::string>(),
      session->spec.seed, session->spec.training.batch, *isa, workers, &cancel_on_signals());
  if (cancel_on_signals()) return cancelled;
  if (!fits) return refuse(fits.error());
  report.fits = std::move(*fits);

  OutputFiles output;
  output.emplace_back("fits.csv", to_bytes(fit_csv(report)));
  add_drawing(output, "fits", fit_figure(report));
  if (const ExitCode code = write_files(command.out, output); code != done) return code;
  if (!command.csv.empty())
    if (Status ok = write_file(command.csv, fit_csv(report)); !ok) {
      complain(ok.error());
      return failed;
    }
  const std::vector<std::string> files = names_of(output);
  if (command.json)
    std::printf("%s\n", json_text(report, *session, command.out, files).c_str());
  else
    print_fit(report, *session, command.out, files);
  return done;
}

}  // namespace dalea::cli
