// dalea run: train, show progress, leave a session, curves and a picture.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/progress.h"
#include "common/files.h"
#include "common/picture.h"
#include "session/session.h"

namespace dalea::cli {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct RunResult {
  ExitCode code = done;
  bool finished = false;
  json object;  // as --json prints it
};

json number_or_null(double v) {
  return std::isfinite(v) ? json(v) : json(nullptr);
}

json baselines_json(const Baselines& b) {
  return {{"last_frame", number_or_null(b.last_frame)},
          {"ar1", number_or_null(b.ar1)},
          {"linear", number_or_null(b.linear)}};
}

json accuracy_json(const Losses& losses, const Dataset& data) {
  const Confusion& held_out = losses.held_out_answers;
  if (held_out.classes == 0) return nullptr;
  json per_class = json::array(), confusion = json::array();
  for (int64_t asked = 0; asked < held_out.classes; ++asked) {
    per_class.push_back(number_or_null(held_out.accuracy_of(asked)));
    const auto row = held_out.count.begin() + asked * held_out.classes;
    confusion.push_back(std::vector<int64_t>(row, row + held_out.classes));
  }
  return {{"train", number_or_null(losses.train_answers.accuracy())},
          {"validation", number_or_null(losses.validation_answers.accuracy())},
          {"held_out", number_or_null(held_out.accuracy())},
          {"classes", data.output_names},
          {"per_class", per_class},   // held out
          {"confusion", confusion}};  // held out: a row for each class asked, a column for each class answered
}

class OneRun {
 public:
  OneRun(const RunOptions& options, const Spec& spec, const Recording* recording, const Digits* digits, Isa isa,
         int64_t run, std::string out)
      : options_(options),
        spec_(spec),
        recording_(recording),
        digits_(digits),
        isa_(isa),
        run_(run),
        out_(std::move(out)) {}

  RunResult go() {
    Result<Dataset> data = make_dataset(spec_, recording_, run_, digits_);
    if (!data) return refuse(data.error());
    TrainerOptions trainer_options;
    trainer_options.isa = isa_;
    trainer_options.threads = options_.threads;
    Result<std::unique_ptr<Trainer>> made = Trainer::create(spec_, std::move(*data), run_, trainer_options);
    if (!made) return refuse(made.error());
    trainer_ = std::move(*made);
    if (options_.resume) {
      if (Status ok = resume(); !ok) return refuse(ok.error());
    }
    const Clock::time_point start = Clock::now();
    const int64_t first_epoch = trainer_->epoch();
    Clock::time_point saved = start;
    Progress progress(*trainer_, options_.quiet, spec_.runs > 1 ? "run " + std::to_string(run_ + 1) + "  " : "");
    Status save_status;
    train(*trainer_, cancel_on_signals(), [&](Trainer::Event) {
      progress.update();
      if (seconds_since(saved) >= options_.save_every_s && save_status.ok()) {
        save_status = save();
        saved = Clock::now();
        if (!save_status.ok()) complain(save_status.error());
      }
    });
    const double seconds = seconds_since(start);
    progress.finish();

    RunResult result;
    result.finished = trainer_->finished() && trainer_->failure().empty();
    if (Status ok = save(); !ok) {
      complain(ok.error());
      result.code = failed;
      return result;
    }
    if (!trainer_->failure().empty()) {
      complain({"", trainer_->failure()});
      std::fprintf(stderr, "dalea: the last good state is in %s/session.npz\n", out_.c_str());
      result.code = failed;
      return result;
    }
    if (!result.finished) {
      std::fprintf(stderr,
                   "dalea: cancelled after %lld updates; the session is saved, continue with --resume --out %s\n",
                   static_cast<long long>(trainer_->updates()), options_.out.c_str());
      result.code = cancelled;
      return result;
    }
    const int64_t epochs = trainer_->epoch() - first_epoch;
    result.object = describe(epochs > 0 ? seconds / static_cast<double>(epochs) : 0.0, seconds);
    return result;
  }

  const Trainer& trainer() const { return *trainer_; }

 private:
  RunResult refuse(const Error& error) {
    complain(error);
    RunResult r;
    r.code = bad_input;
    return r;
  }

  Status resume() {
    const std::string path = out_ + "/session.npz";
    if (!file_exists(path)) {
      if (spec_.runs > 1) return {};  // this run had not begun
      return Error{path, "does not exist, so there is nothing to resume; leave --resume out to start"};
    }
    Result<std::vector<std::byte>> bytes = read_file(path);
    if (!bytes) return bytes.error();
    Result<Session> session = read_session(*bytes, path);
    if (!session) return session.error();
    if (print_spec(session->spec, true) != print_spec(spec_, true))
      return Error{path,
                   "was saved from another experiment than the one given; resume with the same file and --set, or "
                   "choose another --out"};
    return trainer_->restore(std::move(session->state));
  }

  Status save() {
    if (Status ok = write_file(out_ + "/session.npz", write_session(*trainer_, platform_text(isa_))); !ok) return ok;
    if (Status ok = write_file(out_ + "/curves.csv", history_csv(trainer_->history())); !ok) return ok;
    std::vector<std::string> names;
    for (const Population& p : spec_.populations) names.push_back(p.name);
    return write_file(out_ + "/weights.png", weight_picture(trainer_->model(), names, trainer_->mask()));
  }

  json describe(double seconds_per_epoch, double seconds) {
    const Losses losses = trainer_->evaluate();
    const Audit audit = trainer_->audit();
    const Dataset& data = trainer_->data();
    json o;
    o["name"] = spec_.name;
    o["run"] = run_ + 1;
    o["seed"] = spec_.seed;
    o["constraint"] = spec_.training.constraint;
    o["loss"] = {{"train", number_or_null(losses.train)},
                 {"validation", number_or_null(losses.validation)},
                 {"held_out", number_or_null(losses.held_out)},
                 {"published", data.recording ? json(nullptr) : number_or_null(losses.published)},
                 {"unit", data.unit}};
    o["accuracy"] = accuracy_json(losses, data);
    o["data_sha256"] = data.recording ? data.recording->sha256 : data.sha256;
    o["baselines"] = nullptr;
    if (data.baselines) {
      o["baselines"] = baselines_json(data.baselines->held_out);
      o["baselines_train"] = baselines_json(data.baselines->train);
      o["baselines_validation"] = baselines_json(data.baselines->validation);
    }
    if (data.recording) {
      const Recording& r = *data.recording;
      json dropped = json::array();
      for (const Dropped& d : r.dropped) dropped.push_back({{"unit", d.unit}, {"reason", d.reason}});
      o["recording"] = {{"source", r.source},
                        {"units", r.units},
                        {"frames", r.frames},
                        {"orientation", r.orientation},
                        {"orientation_reason", r.orientation_reason},
                        {"rate_hz", r.rate_hz > 0 ? json(r.rate_hz) : json(nullptr)},
                        {"missing", r.missing},
                        {"dropped", dropped},
                        {"sha256", r.sha256}};
    }
    o["violations"] = {{"sign", audit.sign}, {"mask", audit.mask}};
    o["hash"] = hex(trainer_->hash());
    o["epochs"] = trainer_->epoch();
    o["updates"] = trainer_->updates();
    o["seconds_per_epoch"] = seconds_per_epoch;
    o["seconds"] = seconds;
    o["threads"] = trainer_->threads();
    o["isa"] = isa_name(isa_);
    o["numerics"] = numerics_version;
    o["out"] = out_;
    return o;
  }

  const RunOptions& options_;
  const Spec& spec_;
  const Recording* recording_;
  const Digits* digits_;
  Isa isa_;
  int64_t run_;
  std::string out_;
  std::unique_ptr<Trainer> trainer_;
};

void print_table(const json& o, bool several) {
  const json& loss = o["loss"];
  const auto num = [](const json& v) { return v.is_number() ? v.get<double>() : std::nan(""); };
  if (several) std::printf("run                %lld\n", static_cast<long long>(o["run"].get<int64_t>()));
  std::printf("constraint         %s\n", o["constraint"].get<std::string>().c_str());
  std::printf("train loss         %.6g  (%s)\n", num(loss["train"]), loss["unit"].get<std::string>().c_str());
  std::printf("held-out loss      %.6g\n", num(loss["held_out"]));
  if (o["accuracy"].is_object())
    std::printf("held-out accuracy  %.2f %%  (train %.2f %%)\n", 100 * num(o["accuracy"]["held_out"]),
                100 * num(o["accuracy"]["train"]));
  if (o["baselines"].is_object())
    std::printf("baselines          last frame %.6g, AR(1) %.6g, linear %.6g  (same held-out frames, same unit)\n",
                num(o["baselines"]["last_frame"]), num(o["baselines"]["ar1"]), num(o["baselines"]["linear"]));
  if (o["baselines"].is_object()) {
    double best = num(o["baselines"]["last_frame"]);
    for (const char* key : {"ar1", "linear"}) best = std::min(best, num(o["baselines"][key]));
    const double ratio = num(loss["held_out"]) / best;
    std::printf("verdict            held-out error is %.2f times the best baseline's%s\n", ratio,
                ratio > 1
                    ? ": the network predicts worse than it (more data, fewer epochs or a smaller network may help)"
                    : "");
  }
  std::printf("sign violations    %lld\n", static_cast<long long>(o["violations"]["sign"].get<int64_t>()));
  std::printf("off-mask weights   %lld\n", static_cast<long long>(o["violations"]["mask"].get<int64_t>()));
  std::printf("weight hash        %s\n", o["hash"].get<std::string>().c_str());
  std::printf("seconds            %.1f  (%d threads, %s)\n", o["seconds"].get<double>(), o["threads"].get<int>(),
              o["isa"].get<std::string>().c_str());
}

void print_recording(const Recording& r) {
  std::fprintf(stderr, "%s: %lld units x %lld frames, %s (%s)%s\n", r.source.c_str(), static_cast<long long>(r.units),
               static_cast<long long>(r.frames), r.orientation.c_str(), r.orientation_reason.c_str(),
               r.missing > 0 ? (", " + std::to_string(r.missing) + " missing values not scored").c_str() : "");
  for (size_t k = 0; k < r.dropped.size() && k < 20; ++k)
    std::fprintf(stderr, "  dropped %s: %s\n", r.dropped[k].unit.c_str(), r.dropped[k].reason.c_str());
  if (r.dropped.size() > 20) std::fprintf(stderr, "  and %zu more (see --json)\n", r.dropped.size() - 20);
}

}  // namespace

int run(const RunOptions& given) {
  RunOptions options = given;
  const Loaded loaded = load_spec(options.experiment, options.set);
  if (!loaded.ok) return bad_input;
  const Spec& spec = loaded.spec;
  Result<Isa> isa = parse_isa(options.isa);
  if (!isa) {
    complain({"--" + isa.error().path, isa.error().message});
    return bad_input;
  }
  if (!threads_available() && options.threads > 1)
    std::fprintf(stderr, "dalea: this build has no threads; running on one (the bits are the same)\n");
  if (options.threads == 0 || !threads_available()) options.threads = threads_available() ? hardware_threads() : 1;

  Result<Sources> sources = load_sources(spec, options.program);
  if (!sources) {
    complain(sources.error());
    return bad_input;
  }
  const Recording* given_recording = sources->recording_or_null();
  const Digits* given_digits = sources->digits_or_null();
  if (given_recording && !options.quiet) print_recording(*given_recording);
  if (Status ok = make_folder(options.out); !ok) {
    complain(ok.error());
    return bad_input;
  }
  cancel_on_signals();

  if (spec.runs == 1) {
    OneRun one(options, spec, given_recording, given_digits, *isa, 0, options.out);
    const RunResult result = one.go();
    if (result.code != done) return result.code;
    if (options.json)
      std::printf("%s\n", result.object.dump().c_str());
    else {
      print_table(result.object, false);
      std::printf("files              %s/session.npz, curves.csv, weights.png\n", options.out.c_str());
    }
    return done;
  }
  json all = {{"runs", json::array()}};
  Fnv1a together;
  for (int64_t r = 0; r < spec.runs; ++r) {
    const std::string out = options.out + "/run-" + std::to_string(r + 1);
    if (Status ok = make_folder(out); !ok) {
      complain(ok.error());
      return bad_input;
    }
    OneRun one(options, spec, given_recording, given_digits, *isa, r, out);
    const RunResult result = one.go();
    if (result.code != done) return result.code;
    together.text(result.object["hash"].get<std::string>());
    if (!options.json) {
      print_table(result.object, true);
      std::printf("\n");
    }
    all["runs"].push_back(result.object);
  }
  all["hash"] = together.hex();
  if (options.json)
    std::printf("%s\n", all.dump().c_str());
  else
    std::printf("hash of all runs   %s\nfiles              %s/run-*/session.npz, curves.csv, weights.png\n",
                together.hex().c_str(), options.out.c_str());
  return done;
}

}  // namespace dalea::cli
