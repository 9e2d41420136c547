// `runs: N` side by side: as many at once as there are threads, each in its own folder, then what they have in common.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <mutex>
#include <new>
#include <set>

#include "cli/json.h"
#include "cli/one_run.h"
#include "cli/progress.h"
#include "cli/wiring.h"
#include "common/files.h"
#include "common/run_curves.h"
#include "numerics/parallel.h"

namespace dalea::cli {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

// Says each thing once: what is wrong with one run is often wrong with all.
class Complaints {
 public:
  explicit Complaints(RunsProgress& progress) : progress_(progress) {}
  void add(int64_t run, const Error& error) {
    {
      const std::lock_guard lock(mutex_);
      if (!said_.insert(error.text()).second) return;
    }
    progress_.say("dalea: run " + std::to_string(run + 1) + ": " + error.text());
  }

 private:
  RunsProgress& progress_;
  std::mutex mutex_;
  std::set<std::string> said_;
};

class AmongRuns : public RunWatch {
 public:
  AmongRuns(int64_t run, RunsProgress& progress, Complaints& complaints)
      : run_(run), progress_(progress), complaints_(complaints) {}
  void begun(const Trainer& trainer) override { progress_.begun(run_, trainer.progress()); }
  void trained(const Trainer& trainer) override { progress_.update(run_, trainer.progress(), trainer.last_loss()); }
  void ended() override {}  // it is still to be saved and evaluated
  void complain(const Error& error) override { complaints_.add(run_, error); }

 private:
  int64_t run_;
  RunsProgress& progress_;
  Complaints& complaints_;
};

std::string folder_of(const RunOptions& options, int64_t run) {
  return options.out + "/run-" + std::to_string(run + 1);
}

int64_t count_of(const std::vector<RunResult>& results, ExitCode code) {
  return std::count_if(results.begin(), results.end(), [code](const RunResult& r) { return r.code == code; });
}

// What --json gives of each finished run; of the others no_value.
std::vector<double> values_of(const std::vector<RunResult>& results, const json::json_pointer& where) {
  std::vector<double> values;
  for (const RunResult& r : results) {
    const bool there = r.code == done && r.object.contains(where) && r.object.at(where).is_number();
    values.push_back(there ? r.object.at(where).get<double>() : no_value);
  }
  return values;
}

struct Measure {
  const char* name;
  json::json_pointer where;
};
std::vector<Measure> measures() {
  return {{"train", json::json_pointer("/loss/train")},
          {"validation", json::json_pointer("/loss/validation")},
          {"held_out", json::json_pointer("/loss/held_out")},
          {"accuracy", json::json_pointer("/accuracy/held_out")},
          {"seconds", json::json_pointer("/seconds")},
          {"pruned_validation", json::json_pointer("/stages/1/loss/validation")},
          {"density", json::json_pointer("/stages/1/density")},
          {"seconds_per_epoch_dense", json::json_pointer("/stages/0/seconds_per_epoch")},
          {"seconds_per_epoch_sparse", json::json_pointer("/stages/2/seconds_per_epoch")}};
}

// Over the runs that finished; sd is the sample's.
json summary_json(const std::vector<RunResult>& results) {
  json o = {{"n", count_of(results, done)}};
  for (const Measure& m : measures()) {
    if (m.where.to_string().rfind("/stages", 0) == 0 &&
        std::none_of(results.begin(), results.end(), [](const auto& r) { return r.object.contains("stages"); }))
      continue;
    const RunSpread s = spread_of(values_of(results, m.where));
    o[m.name] = s.count == 0 ? json(nullptr) : json{{"mean", number_or_null(s.mean)}, {"sd", number_or_null(s.sd)}};
  }
  return o;
}

std::string cell(double v, const char* format) {
  if (!std::isfinite(v)) return "-";
  char text[40];
  std::snprintf(text, sizeof text, format, v);
  return text;
}

int64_t violations(const std::vector<RunResult>& results, const char* what) {
  int64_t sum = 0;
  for (const RunResult& r : results)
    if (r.object.contains("violations")) sum += r.object["violations"][what].get<int64_t>();
  return sum;
}

// What each stage came to, as means over the runs.
void print_stages(const std::vector<RunResult>& results, const Spec& spec) {
  if (!spec.stages.prune) return;
  const auto mean = [&](int stage, const char* key) {
    return spread_of(values_of(results, json::json_pointer("/stages/" + std::to_string(stage) + key))).mean;
  };
  std::printf("\n%-12s  %8s  %12s  %12s  %10s  %12s\n", "stage", "epochs", "train loss", "validation", "density",
              "s per epoch");
  const char* const names[] = {"dense", "pruned", "fine-tuning"};
  const int64_t epochs[] = {spec.training.epochs, 0, spec.stages.fine_tune};
  for (int k = 0; k < 3; ++k)
    std::printf("%-12s  %8s  %12s  %12s  %10s  %12s\n", names[k], k == 1 ? "-" : std::to_string(epochs[k]).c_str(),
                cell(mean(k, "/loss/train"), "%.6g").c_str(), cell(mean(k, "/loss/validation"), "%.6g").c_str(),
                cell(k == 0 ? 1.0 : mean(k, "/density"), "%.4g").c_str(),
                cell(k == 1 ? no_value : mean(k, "/seconds_per_epoch"), "%.3g").c_str());
  const double faster = mean(2, "/faster_than_dense");
  if (std::isfinite(faster)) std::printf("A fine-tuning epoch is %.1f times as fast as a dense one.\n", faster);
}

void print_runs(const std::vector<RunResult>& results, const Spec& spec) {
  const auto first = std::find_if(results.begin(), results.end(), [](const auto& r) { return r.code == done; });
  std::printf("constraint         %s\n", spec.training.constraint.c_str());
  if (first != results.end())
    std::printf("loss               mean %s\n", first->object["loss"]["unit"].get<std::string>().c_str());
  const std::vector<Measure> all = measures();
  const std::vector<double> train = values_of(results, all[0].where), held_out = values_of(results, all[2].where),
                            accuracy = values_of(results, all[3].where), seconds = values_of(results, all[4].where);
  const bool classes = spread_of(accuracy).count > 0;
  const auto row = [&](const std::string& name, double t, double h, double a, const std::string& hash, double s) {
    std::printf("%-6s %12s %12s", name.c_str(), cell(t, "%.6g").c_str(), cell(h, "%.6g").c_str());
    if (classes) std::printf(" %10s", cell(100 * a, "%.2f %%").c_str());
    std::printf("  %-16s %8s\n", hash.c_str(), cell(s, "%.1f").c_str());
  };
  std::printf("\n%-6s %12s %12s%s  %-16s %8s\n", "run", "train loss", "held-out", classes ? "   accuracy" : "",
              "weight hash", "seconds");
  for (size_t k = 0; k < results.size(); ++k) {
    const json& o = results[k].object;
    if (results[k].code == done)
      row(std::to_string(k + 1), train[k], held_out[k], accuracy[k], o["hash"].get<std::string>(), seconds[k]);
    else
      std::printf("%-6zu %s\n", k + 1, results[k].failure.c_str());
  }
  const RunSpread t = spread_of(train), h = spread_of(held_out), a = spread_of(accuracy), s = spread_of(seconds);
  row("mean", t.mean, h.mean, a.mean, "", s.mean);
  row("sd", t.sd, h.sd, a.sd, "", s.sd);
  std::printf("\n");
  if (const int64_t n = count_of(results, done); n < spec.runs)
    std::printf("left out           %lld of %lld runs did not finish; mean, sd and curves are of the other %lld\n",
                static_cast<long long>(spec.runs - n), static_cast<long long>(spec.runs), static_cast<long long>(n));
  if (first != results.end() && first->object["baselines"].is_object() && std::isfinite(h.mean)) {
    std::string text;
    double best = INFINITY;
    constexpr const char* names[][2] = {{"last_frame", "last frame"}, {"ar1", "AR(1)"}, {"linear", "linear"}};
    for (const auto& [key, name] : names) {
      const double mean = spread_of(values_of(results, json::json_pointer(std::string("/baselines/") + key))).mean;
      if (!std::isfinite(mean)) continue;  // has none where units are held out
      best = std::min(best, mean);
      text += (text.empty() ? "" : ", ") + std::string(name) + " " + cell(mean, "%.6g");
    }
    std::printf("baselines          %s  (same held-out frames, same unit; mean of the runs)\n", text.c_str());
    std::printf("verdict            mean held-out error is %.2f times the best baseline's\n", h.mean / best);
  }
  std::printf("sign violations    %lld\n", static_cast<long long>(violations(results, "sign")));
  std::printf("off-mask weights   %lld\n", static_cast<long long>(violations(results, "mask")));
}

// Curves over the runs that finished; nothing without any.
Status write_curves(const RunOptions& options, const Spec& spec, const std::vector<RunResult>& results,
                    std::string& files) {
  RunCurves curves;
  curves.name = spec.training.constraint;
  std::string unit;
  for (const RunResult& r : results) {
    if (r.code != done) continue;
    curves.runs.push_back(r.history);
    unit = r.object["loss"]["unit"].get<std::string>();
  }
  if (curves.runs.empty()) return {};
  if (Status ok = write_file(options.out + "/curves.csv", curves_csv({curves})); !ok) return ok;
  const std::string title = (spec.name.empty() ? "" : spec.name + ", ") + spec.training.constraint;
  const plot::Drawing drawing = plot::drawing_of(curves_figure({curves}, title, unit));
  if (Status ok = write_file(options.out + "/curves.svg", plot::to_svg(drawing)); !ok) return ok;
  if (Status ok = write_file(options.out + "/curves.png", plot::to_png(drawing)); !ok) return ok;
  files = "curves.csv, curves.svg, curves.png; ";
  return {};
}

ExitCode code_of(const std::vector<RunResult>& results) {
  const int64_t refused = count_of(results, bad_input);
  if (count_of(results, cancelled) > 0) return cancelled;
  if (refused == static_cast<int64_t>(results.size())) return bad_input;
  return refused > 0 || count_of(results, failed) > 0 ? failed : done;
}

}  // namespace

int run_several(const RunOptions& options, const Spec& spec, const Sources& sources, Isa isa) {
  for (int64_t r = 0; r < spec.runs; ++r)
    if (Status ok = make_folder(folder_of(options, r)); !ok) {
      complain(ok.error());
      return bad_input;
    }
  const Clock::time_point start = Clock::now();
  const int at_once = static_cast<int>(std::min<int64_t>(spec.runs, options.threads));
  std::vector<RunResult> results(static_cast<size_t>(spec.runs));
  RunsProgress progress(spec.runs, options.quiet);
  Complaints complaints(progress);
  Workers workers(at_once);
  workers.run(static_cast<int>(spec.runs), [&](int k) {
    RunResult& result = results[static_cast<size_t>(k)];
    result.code = cancelled;
    if (cancel_on_signals()) return;  // it has not begun
    const int threads = options.threads / at_once + (k < options.threads % at_once ? 1 : 0);
    OneRun one(options, spec, sources, isa, k, threads, folder_of(options, k));
    AmongRuns watch(k, progress, complaints);
    try {
      result = one.go(watch);
    } catch (const std::bad_alloc&) {
      result.code = failed;
      result.failure = "out of memory; make the network, training.batch or task.steps smaller, or --threads";
      result.object = {{"name", spec.name}, {"run", k + 1}, {"seed", spec.seed}, {"failure", result.failure}};
      watch.complain({"", result.failure});
    }
    if (result.code != cancelled) progress.ended(k);
  });
  progress.finish();

  const ExitCode code = code_of(results);
  if (code == cancelled) {
    std::fprintf(stderr,
                 "dalea: cancelled with %lld of %lld runs finished; all that began are saved, continue with --resume "
                 "--out %s\n",
                 static_cast<long long>(count_of(results, done)), static_cast<long long>(spec.runs),
                 options.out.c_str());
    return code;
  }
  if (code == bad_input) return code;
  std::string files;
  if (Status ok = write_curves(options, spec, results, files); !ok) {
    complain(ok.error());
    return failed;
  }
  Fnv1a together;
  json all = {{"runs", json::array()}};
  for (RunResult& r : results) {
    if (r.code == done) together.text(r.object["hash"].get<std::string>());
    all["runs"].push_back(r.object);
  }
  all["hash"] = code == done ? json(together.hex()) : json(nullptr);
  all["summary"] = summary_json(results);
  WiringTested wiring;
  if (spec.connectome.nulls > 0 && code == done) {
    wiring = test_wiring(options, spec, sources, isa);
    if (wiring.code != done) return wiring.code;
    all["wiring"] = wiring.object;
  }
  if (options.json) {
    std::printf("%s\n", all.dump().c_str());
    return code;
  }
  print_runs(results, spec);
  print_stages(results, spec);
  if (code == done) std::printf("hash of all runs   %s\n", together.hex().c_str());
  std::printf("seconds            %.1f  (%d runs at once, %d threads, %s)\n", seconds_since(start), at_once,
              options.threads, isa_name(isa));
  std::printf("files              %s/%srun-*/session.npz, curves.csv, weights.png%s\n", options.out.c_str(),
              files.c_str(), spec.stages.prune ? ", initial.npz, dense.npz, sparse.npz" : "");
  print_wiring(wiring);
  if (wiring.report) print_files(options.out, wiring.files);
  return code;
}

}  // namespace dalea::cli
