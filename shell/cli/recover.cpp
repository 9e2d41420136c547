// dalea recover: how much of a known circuit a network finds from the circuit's recording.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "common/files.h"
#include "common/recovery_report.h"

namespace dalea::cli {
namespace {

using nlohmann::json;

json score_json(const RecoveryScore& s, double loss, double block_rank) {
  return {{"held_out_loss", number_or_null(loss)},
          {"sign", number_or_null(s.sign)},
          {"sign_excitatory", number_or_null(s.sign_excitatory)},
          {"sign_inhibitory", number_or_null(s.sign_inhibitory)},
          {"sign_shuffled", number_or_null(s.sign_shuffled)},
          {"sign_p", number_or_null(s.sign_p)},
          {"rank", number_or_null(s.rank)},
          {"rank_shuffled", number_or_null(s.rank_shuffled)},
          {"rank_p", number_or_null(s.rank_p)},
          {"strength", number_or_null(s.strength)},
          {"detection", number_or_null(s.detection)},
          {"block_rank", number_or_null(block_rank)}};
}

std::string recovery_json(const RecoveryReport& r, const std::string& out, const std::vector<std::string>& files) {
  json o = {{"name", r.name}, {"points", json::array()}};
  for (const RecoveryPoint& p : r.points) {
    const RecoveryStudy& s = p.study;
    o["points"].push_back({{"seed", p.seed},
                           {"frames", p.frames},
                           {"density", p.density},
                           {"recorded", s.names.size()},
                           {"units", s.circuit_units},
                           {"lags", s.lags},
                           {"connections",
                            {{"excitatory", s.network_score.excitatory},
                             {"inhibitory", s.network_score.inhibitory},
                             {"absent", s.network_score.absent}}},
                           {"network", score_json(s.network_score, p.network_loss, s.network_block_rank)},
                           {"ridge", score_json(s.linear_score, p.linear_loss, s.linear_block_rank)}});
  }
  o["out"] = out;
  o["files"] = files;
  return o.dump(-1, ' ', false, json::error_handler_t::replace);
}

void print_point(const RecoveryPoint& p) {
  const RecoveryStudy& s = p.study;
  const RecoveryScore &n = s.network_score, &l = s.linear_score;
  std::printf("recording          %lld frames, seed %llu, density %g\n", static_cast<long long>(p.frames),
              static_cast<unsigned long long>(p.seed), p.density);
  std::printf(
      "circuit            %zu of %lld units recorded; between them %lld excitatory, %lld inhibitory, %lld absent\n",
      s.names.size(), static_cast<long long>(s.circuit_units), static_cast<long long>(n.excitatory),
      static_cast<long long>(n.inhibitory), static_cast<long long>(n.absent));
  std::printf("found              response to the last %lld frame%s, mean over held-out steps\n\n",
              static_cast<long long>(s.lags), s.lags == 1 ? "" : "s");
  std::printf("%-34s %10s %10s %10s\n", "", "network", "ridge", "chance");
  const auto row = [](const char* name, double a, double b, const char* chance) {
    std::printf("%-34s %10.4g %10.4g %10s\n", name, a, b, chance);
  };
  row("held-out loss", p.network_loss, p.linear_loss, "");
  row("signs found, E and I alike", n.sign, l.sign, "0.5");
  row("  excitatory connections", n.sign_excitatory, l.sign_excitatory, "");
  row("  inhibitory connections", n.sign_inhibitory, l.sign_inhibitory, "");
  row("  units exchanged", n.sign_shuffled, l.sign_shuffled, "");
  row("  p", n.sign_p, l.sign_p, "");
  row("rank correlation, all pairs", n.rank, l.rank, "0");
  row("  units exchanged", n.rank_shuffled, l.rank_shuffled, "");
  row("  p", n.rank_p, l.rank_p, "");
  row("rank correlation of sizes", n.strength, l.strength, "0");
  row("connection told from none (area)", n.detection, l.detection, "0.5");
  row("rank correlation of four blocks", s.network_block_rank, s.linear_block_rank, "0");
  std::printf("\n%s\n", recovery_verdict(s).c_str());
}

void print_sweep(const RecoveryReport& r) {
  std::printf("%10s %8s %8s %12s %12s %8s %8s %8s %8s %8s\n", "frames", "density", "seed", "loss", "ridge's", "signs",
              "ridge's", "p", "rank", "ridge's");
  for (const RecoveryPoint& p : r.points) {
    const RecoveryScore &n = p.study.network_score, &l = p.study.linear_score;
    std::printf("%10lld %8g %8llu %12.4g %12.4g %8.3f %8.3f %8.3g %8.3f %8.3f\n", static_cast<long long>(p.frames),
                p.density, static_cast<unsigned long long>(p.seed), p.network_loss, p.linear_loss, n.sign, l.sign,
                n.sign_p, n.rank, l.rank);
  }
}

Result<RecoveryPoint> measured(Trainer& trainer, int64_t lags) {
  const Spec& spec = trainer.spec();
  Result<RecoveryStudy> study =
      study_recovery(trainer.model(), trainer.data(), spec, lags, [](double) { return !cancel_on_signals(); });
  if (!study) return study.error();
  RecoveryPoint point;
  point.seed = spec.seed;
  point.frames = trainer.data().recording->frames;
  point.density = spec.recording.simulated_density;
  point.network_loss = trainer.evaluate(&cancel_on_signals()).held_out;
  if (trainer.data().baselines) point.linear_loss = trainer.data().baselines->held_out.linear;
  point.study = std::move(*study);
  return point;
}

void shorten(Spec& spec) {
  ScheduleSpec& schedule = spec.training.schedule;
  if (schedule.t_max == spec.training.epochs) schedule.t_max = std::max<int64_t>(1, schedule.t_max / 4);
  spec.training.epochs = std::max<int64_t>(1, spec.training.epochs / 4);
}

}  // namespace

int recover(const RecoverCommand& command) {
  Result<Isa> isa = parse_isa(command.isa);
  if (!isa) return refuse({"--" + isa.error().path, isa.error().message});
  const int threads = threads_of(command.threads);
  const bool sweep = !command.frames.empty() || !command.densities.empty() || command.circuits > 1;
  RecoveryReport report;
  OutputFiles output;
  cancel_on_signals();

  // A session has the first bytes of an archive; everything else is an experiment.
  bool trained = false;
  if (command.from != "-" && file_exists(command.from)) {
    Result<std::vector<std::byte>> bytes = read_file(command.from);
    if (!bytes) return refuse(bytes.error());
    trained = as_text(*bytes).substr(0, 2) == "PK";
  }
  if (trained) {
    if (sweep || command.quick || !command.set.empty())
      return refuse({command.from,
                     "is a session, which is trained already; give an experiment with --frames, "
                     "--density, --circuits, --quick or --set"});
    Result<Session> session = load_session(command.from, "");
    if (!session) return refuse(session.error());
    Result<Dataset> data =
        load_dataset(session->spec, session->state.run, session->provenance.data_sha256, command.program);
    if (!data) return refuse(data.error());
    Result<std::unique_ptr<Trainer>> trainer = restored(*session, std::move(*data), *isa);
    if (!trainer) return refuse(trainer.error());
    report.name = (*trainer)->spec().name;
    Result<RecoveryPoint> point = measured(**trainer, command.lags);
    if (cancel_on_signals()) return cancelled;
    if (!point) return refuse(point.error());
    report.points.push_back(std::move(*point));
  } else {
    const Loaded loaded = load_spec(command.from, command.set);
    if (!loaded.ok) return bad_input;
    Spec base = loaded.spec;
    if (base.task.type != "recording" || !base.recording.file.empty() || !base.recording.sha256.empty())
      return refuse({base.task.type != "recording" ? "task.type" : "recording.file",
                     "is not the simulated recording, so the circuit behind it is not known; start from "
                     "assets/experiments/ground-truth.json"});
    if (Status ok = make_folder(command.out); !ok) return refuse(ok.error());
    if (command.quick) shorten(base);
    base.runs = 1;
    report.name = base.name;
    std::vector<int64_t> frames = command.frames;
    std::vector<double> densities = command.densities;
    if (frames.empty()) frames = {base.recording.simulated_frames};
    if (densities.empty()) densities = {base.recording.simulated_density};
    const size_t all = frames.size() * densities.size() * static_cast<size_t>(command.circuits);
    for (double density : densities)
      for (int64_t length : frames)
        for (int64_t circuit = 0; circuit < command.circuits; ++circuit) {
          Spec spec = base;
          spec.recording.simulated_frames = length;
          spec.recording.simulated_density = density;
          spec.seed = std::min(max_seed, base.seed + static_cast<uint64_t>(circuit));
          const Problems problems = check_spec(spec);
          for (const Error& e : problems) complain(e);
          if (!problems.empty()) return bad_input;
          Result<Dataset> data = make_dataset(spec, nullptr, 0);
          if (!data) return refuse(data.error());
          TrainerOptions options;
          options.isa = *isa;
          options.threads = threads;
          Result<std::unique_ptr<Trainer>> trainer = Trainer::create(spec, std::move(*data), 0, options);
          if (!trainer) return refuse(trainer.error());
          Progress progress(
              **trainer, command.quiet,
              all > 1 ? std::to_string(report.points.size() + 1) + " of " + std::to_string(all) + "  " : "");
          train(**trainer, cancel_on_signals(), [&](Trainer::Event) { progress.update(); });
          progress.finish();
          if (cancel_on_signals()) break;
          if (!(*trainer)->failure().empty()) {
            complain({"", (*trainer)->failure()});
            return failed;
          }
          Result<RecoveryPoint> point = measured(**trainer, command.lags);
          if (cancel_on_signals()) break;
          if (!point) return refuse(point.error());
          report.points.push_back(std::move(*point));
          if (all == 1) output.emplace_back("session.npz", write_session(**trainer, platform_text(*isa)));
        }
    if (cancel_on_signals() && report.points.empty()) return cancelled;
  }

  output.emplace_back("recovery.csv", to_bytes(recovery_points_csv(report)));
  if (sweep) {
    add_drawing(output, "recovery", recovery_sweep_figure(report));
  } else {
    output.emplace_back("connections.csv", to_bytes(recovery_pairs_csv(report.points[0].study)));
    add_drawing(output, "recovery", recovery_figure(report.name, report.points[0].study));
  }
  if (const ExitCode code = write_files(command.out, output); code != done) return code;
  const std::vector<std::string> files = names_of(output);
  if (cancel_on_signals()) {
    std::fprintf(stderr, "dalea: cancelled; the %zu networks that were finished are in %s\n", report.points.size(),
                 command.out.c_str());
    return cancelled;
  }
  if (command.json) {
    std::printf("%s\n", recovery_json(report, command.out, files).c_str());
    return done;
  }
  std::printf("network            %s\n", report.name.c_str());
  if (sweep)
    print_sweep(report);
  else
    print_point(report.points[0]);
  std::printf("\n");
  print_files(command.out, files);
  return done;
}

}  // namespace dalea::cli
