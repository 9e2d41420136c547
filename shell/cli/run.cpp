// dalea run: train, show progress, leave a session, curves and a picture.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "cli/json.h"
#include "cli/one_run.h"
#include "cli/progress.h"
#include "cli/wiring.h"
#include "common/files.h"
#include "common/sweep_grid.h"
#include "common/wiring_files.h"
#include "numerics/parallel.h"

namespace dalea::cli {
namespace {

using nlohmann::json;

// Its progress is all that is on the terminal.
class Alone : public RunWatch {
 public:
  explicit Alone(bool quiet) : quiet_(quiet) {}
  void begun(const Trainer& trainer) override { progress_.emplace(trainer, quiet_, ""); }
  void trained(const Trainer&) override { progress_->update(); }
  void ended() override { progress_->finish(); }
  void complain(const Error& error) override { cli::complain(error); }

 private:
  bool quiet_;
  std::optional<Progress> progress_;
};

void print_table(const json& o) {
  const json& loss = o["loss"];
  const auto num = [](const json& v) { return v.is_number() ? v.get<double>() : std::nan(""); };
  std::printf("constraint         %s\n", o["constraint"].get<std::string>().c_str());
  std::printf("train loss         %.6g  (%s)\n", num(loss["train"]), loss["unit"].get<std::string>().c_str());
  if (loss["held_out"].is_number())
    std::printf("held-out loss      %.6g\n", num(loss["held_out"]));
  else
    std::printf("held-out loss      none: nothing is held out\n");
  if (o["accuracy"].is_object())
    std::printf("held-out accuracy  %.2f %%  (train %.2f %%)\n", 100 * num(o["accuracy"]["held_out"]),
                100 * num(o["accuracy"]["train"]));
  if (o.contains("stages"))
    for (const json& s : o["stages"]) {
      const auto part = [&](const char* key) {
        const double v = s.contains("loss") ? num(s["loss"].value(key, json())) : std::nan("");
        char text[40] = "none";
        if (std::isfinite(v)) std::snprintf(text, sizeof text, "%.6g", v);
        return std::string(text);
      };
      const std::string stage = s["stage"].get<std::string>();
      std::printf("stage              %s: loss train %s, validation %s", stage.c_str(), part("train").c_str(),
                  part("validation").c_str());
      if (s.contains("kept_epoch"))
        std::printf("; %lld epochs, that of epoch %lld kept", static_cast<long long>(s["epochs"].get<int64_t>()),
                    static_cast<long long>(s["kept_epoch"].get<int64_t>()));
      if (stage == "pruned")
        std::printf("; on its last minibatch %s; density %.4g", part("last_batch").c_str(), s["density"].get<double>());
      if (s.contains("seconds_per_epoch") && s["seconds_per_epoch"].is_number())
        std::printf("; %.3g s an epoch", s["seconds_per_epoch"].get<double>());
      if (s.contains("faster_than_dense"))
        std::printf(", %.1f times as fast as dense", s["faster_than_dense"].get<double>());
      std::printf("\n");
      if (s.contains("note")) std::printf("note               %s\n", s["note"].get<std::string>().c_str());
    }
  if (o.contains("checkpoint"))
    std::printf("checkpoint         the weights after epoch %lld: least %s loss\n",
                static_cast<long long>(o["checkpoint"]["epoch"].get<int64_t>()),
                o["checkpoint"]["by"].get<std::string>().c_str());
  if (o["baselines"].is_object() && loss["held_out"].is_number()) {
    double best = INFINITY;
    std::string text;
    constexpr const char* names[][2] = {{"last_frame", "last frame"}, {"ar1", "AR(1)"}, {"linear", "linear"}};
    for (const auto& [key, name] : names) {
      if (!o["baselines"][key].is_number()) continue;  // has none where units are held out
      const double error = num(o["baselines"][key]);
      best = std::min(best, error);
      char one[64];
      std::snprintf(one, sizeof one, "%s%s %.6g", text.empty() ? "" : ", ", name, error);
      text += one;
    }
    std::printf("baselines          %s  (same held-out frames, same unit)\n", text.c_str());
    const double ratio = num(loss["held_out"]) / best;
    std::printf("verdict            held-out error is %.2f times the best baseline's%s\n", ratio,
                ratio > 1
                    ? ": the network predicts worse than it (more data, fewer epochs or a smaller network may help)"
                    : "");
  }
  if (o.contains("data_notes"))
    for (const json& note : o["data_notes"]) std::printf("data               %s\n", note.get<std::string>().c_str());
  if (o.contains("from"))
    std::printf("started from       %s, hash %s: its %s weights\n",
                o["from"]["name"] == "" ? "a network" : o["from"]["name"].get<std::string>().c_str(),
                o["from"]["hash"].get<std::string>().c_str(),
                o["from"]["keep"] == "recurrent" ? "recurrent" : "recurrent and input");
  if (o.contains("scratch")) {
    const json& other = o["scratch"];
    const double own = num(loss["held_out"]), scratch = num(other["loss"]["held_out"]);
    std::printf(
        "transfer           held-out loss %.6g, from scratch %.6g: %.3g times; within 1 %% of its least after "
        "epoch %lld, from scratch %lld\n",
        own, scratch, own / scratch, static_cast<long long>(o["epoch_99"].get<int64_t>()),
        static_cast<long long>(other["epoch_99"].get<int64_t>()));
  }
  if (o.contains("recording") && o["recording"].contains("prepared")) {
    const json& prepared = o["recording"]["prepared"];
    for (const json& note : prepared["notes"]) std::printf("prepared           %s\n", note.get<std::string>().c_str());
    const json& dropped = prepared["dropped"];
    for (size_t k = 0; k < dropped.size() && k < 5; ++k)
      std::printf("left out           %s: %s\n", dropped[k]["event"].get<std::string>().c_str(),
                  dropped[k]["reason"].get<std::string>().c_str());
    if (dropped.size() > 5) std::printf("left out           and %zu more (see --json)\n", dropped.size() - 5);
  }
  std::printf("sign violations    %lld\n", static_cast<long long>(o["violations"]["sign"].get<int64_t>()));
  std::printf("off-mask weights   %lld\n", static_cast<long long>(o["violations"]["mask"].get<int64_t>()));
  std::printf("weight hash        %s\n", o["hash"].get<std::string>().c_str());
  std::printf("seconds            %.1f  (%d threads, %s)\n", o["seconds"].get<double>(), o["threads"].get<int>(),
              o["isa"].get<std::string>().c_str());
}

int64_t epoch_99(const std::vector<EpochRecord>& history) {
  std::vector<double> losses;
  for (const EpochRecord& e : history) losses.push_back(std::isfinite(e.held_out) ? e.held_out : e.validation);
  return convergence_of(losses).epoch_99;
}

// The same experiment from its own weights, for comparison; into the result of the other. False: it ended early.
bool train_from_scratch(const RunOptions& options, const Spec& spec, Sources& sources, Isa isa, RunResult& result) {
  sources.parent = nullptr;
  RunOptions own = options;
  own.out = options.out + "/scratch";
  own.resume = options.resume && file_exists(own.out + "/session.npz");
  RunResult other;
  if (Status ok = make_folder(own.out); !ok) {
    complain(ok.error());
    other.code = failed;
  } else {
    OneRun one(own, spec, sources, isa, 0, options.threads, own.out);
    Alone watch(options.quiet);
    other = one.go(watch);
  }
  if (other.code != done) {
    result.code = other.code;
    return false;
  }
  result.object["epoch_99"] = epoch_99(result.history);
  result.object["scratch"] = {{"loss", other.object["loss"]},
                              {"accuracy", other.object["accuracy"]},
                              {"hash", other.object["hash"]},
                              {"epoch_99", epoch_99(other.history)},
                              {"out", own.out}};
  return true;
}

void print_recording(const Recording& r) {
  std::fprintf(stderr, "%s: %lld units x %lld frames, %s (%s)%s\n", r.source.c_str(), static_cast<long long>(r.units),
               static_cast<long long>(r.frames), r.orientation.c_str(), r.orientation_reason.c_str(),
               r.missing > 0 ? (", " + std::to_string(r.missing) + " missing values not scored").c_str() : "");
  if (!r.array.empty()) std::fprintf(stderr, "  array %s: %s\n", r.array.c_str(), r.array_reason.c_str());
  for (size_t k = 0; k < r.dropped.size() && k < 20; ++k)
    std::fprintf(stderr, "  dropped %s: %s\n", r.dropped[k].unit.c_str(), r.dropped[k].reason.c_str());
  if (r.dropped.size() > 20) std::fprintf(stderr, "  and %zu more (see --json)\n", r.dropped.size() - 20);
}

}  // namespace

int run(const RunOptions& given) {
  RunOptions options = given;
  if (!options.data.empty()) {
    Result<std::vector<std::string>> found = settings_of_folder(options.data);
    if (!found) return refuse(found.error());
    options.set.insert(options.set.begin(), found->begin(), found->end());  // what is stated wins
  }
  Loaded loaded = load_spec(options.experiment, options.set);
  if (!loaded.ok) return bad_input;
  if (options.quick && loaded.spec.connectome.nulls == 0)
    return refuse({"--quick", "is for experiments with connectome.nulls, and this one has none; leave it out"});
  if (options.quick) make_wiring_quick(loaded.spec);
  const Spec& spec = loaded.spec;
  Result<Isa> isa = parse_isa(options.isa);
  if (!isa) {
    complain({"--" + isa.error().path, isa.error().message});
    return bad_input;
  }
  options.threads = threads_of(options.threads);

  Result<Sources> sources = load_sources(spec, options.program);
  if (!sources) {
    complain(sources.error());
    return bad_input;
  }
  if (options.scratch && (options.from.empty() || spec.runs > 1))
    return refuse({"--scratch", "compares one run with --from with the same from scratch; give --from, and runs: 1"});
  if (!options.from.empty()) {
    Result<std::shared_ptr<const Parent>> parent = load_parent(options.from, options.keep);
    if (!parent) return refuse(parent.error());
    sources->parent = std::move(*parent);
  }
  if (spec.connectome.nulls > 0) {
    if (Status ok = check_wiring_test(spec); !ok) return refuse(ok.error());
    if (!options.from.empty())
      return refuse({"--from", "is for one network; the wirings of connectome.nulls start from weights of their own"});
  }
  if (sources->recording && !options.quiet) print_recording(*sources->recording);
  if (Status ok = make_folder(options.out); !ok) {
    complain(ok.error());
    return bad_input;
  }
  cancel_on_signals();
  if (spec.runs > 1) return run_several(options, spec, *sources, *isa);

  OneRun one(options, spec, *sources, *isa, 0, options.threads, options.out);
  Alone watch(options.quiet);
  RunResult result = one.go(watch);
  if (result.code == done && options.scratch) (void)train_from_scratch(options, spec, *sources, *isa, result);
  if (result.code == cancelled)
    std::fprintf(stderr, "dalea: cancelled after %lld updates; the session is saved, continue with --resume --out %s\n",
                 static_cast<long long>(result.updates), options.out.c_str());
  if (result.code != done) return result.code;
  WiringTested wiring;
  if (spec.connectome.nulls > 0) {
    wiring = test_wiring(options, spec, *sources, *isa);
    if (wiring.code != done) return wiring.code;
    result.object["wiring"] = wiring.object;
  }
  if (options.json) {
    std::printf("%s\n", result.object.dump().c_str());
  } else {
    print_table(result.object);
    std::printf("files              %s/session.npz, curves.csv, weights.png%s\n", options.out.c_str(),
                spec.stages.prune ? ", initial.npz, dense.npz, sparse.npz" : "");
    print_wiring(wiring);
    if (wiring.report) print_files(options.out, wiring.files);
  }
  return done;
}

}  // namespace dalea::cli
