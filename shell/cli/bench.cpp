// dalea bench: what a training step costs on this machine.
#include "common/bench.h"

#include <algorithm>
#include <cstdio>

#include "cli/commands.h"
#include "common/files.h"
#include "session/npz.h"

namespace dalea::cli {
namespace {

// What PyTorch needs to do the same (tests/bench/pytorch.py): the first minibatches, the initial weights, the losses.
int dump(const BenchOptions& options, const std::string& workload, const std::string& path) {
  Result<Spec> spec = bench_spec(workload);
  if (!spec) {
    complain(spec.error());
    return bad_input;
  }
  TrainerOptions trainer_options;
  trainer_options.isa = options.isa;
  Result<std::unique_ptr<Trainer>> made = bench_trainer(workload, *spec, trainer_options);
  if (!made) {
    complain(made.error());
    return bad_input;
  }
  Trainer& trainer = **made;
  const Trials& t = trainer.data().train;
  const int64_t batch = std::min(spec->training.batch, t.count);
  const int64_t batches = std::min<int64_t>(3, t.count / batch);
  Entries entries;
  for (const Weights* w : trainer.model().parameters.all()) {
    std::vector<float> dense(static_cast<size_t>(w->rows * w->cols));
    for (int64_t i = 0; i < w->rows; ++i)
      for (int64_t j = 0; j < w->cols; ++j) dense[static_cast<size_t>(i * w->cols + j)] = w->at(i, j);
    entries.emplace_back(w->name + ".npy", write_npy_f32(dense, {w->rows, w->cols}));
  }
  Rng rng(spec->seed, Purpose::order, 0, 0);
  const std::vector<uint32_t> order = permutation(static_cast<uint32_t>(t.count), rng);
  std::vector<float> input, target;
  std::vector<int64_t> label;
  for (int64_t k = 0; k < batches * batch; ++k) {
    const int64_t trial = order[static_cast<size_t>(k)];
    input.insert(input.end(), t.input.begin() + trial * t.steps * t.inputs,
                 t.input.begin() + (trial + 1) * t.steps * t.inputs);
    if (t.label.empty())
      target.insert(target.end(), t.target.begin() + trial * t.steps * t.outputs,
                    t.target.begin() + (trial + 1) * t.steps * t.outputs);
    else
      label.push_back(t.label[static_cast<size_t>((trial + 1) * t.steps - 1)]);
  }
  entries.emplace_back("input.npy", write_npy_f32(input, {batches, batch, t.steps, t.inputs}));
  if (t.label.empty())
    entries.emplace_back("target.npy", write_npy_f32(target, {batches, batch, t.steps, t.outputs}));
  else
    entries.emplace_back("label.npy", write_npy_i64(label, {batches, batch}));
  std::vector<double> losses, signs;
  for (int64_t k = 0; k < batches; ++k) {
    if (trainer.step() != Trainer::Event::update) {
      complain({workload, "did not train: " + trainer.failure()});
      return failed;
    }
    losses.push_back(trainer.last_loss());
  }
  for (int8_t s : trainer.model().sign) signs.push_back(s);
  entries.emplace_back("losses.npy", write_npy_f64(losses, {batches}));
  entries.emplace_back("sign.npy", write_npy_f64(signs, {static_cast<int64_t>(signs.size())}));
  if (Status ok = write_file(path, write_zip(entries)); !ok) {
    complain(ok.error());
    return bad_input;
  }
  return done;
}

}  // namespace

int bench(const BenchCommand& command) {
  BenchOptions options;
  Result<Isa> isa = parse_isa(command.isa);
  if (!isa) {
    complain({"--" + isa.error().path, isa.error().message});
    return bad_input;
  }
  options.isa = *isa;
  options.threads = threads_available() ? command.threads : 1;
  options.seconds = command.seconds;
  if (!command.dump.empty()) {
    if (command.workloads.size() != 1) {
      complain({"--dump", "needs one --workload"});
      return bad_input;
    }
    return dump(options, command.workloads.front(), command.dump);
  }
  std::vector<BenchResult> results;
  const auto measure = [&](Result<std::unique_ptr<Bench>> made) {
    if (!made) {
      complain(made.error());
      return false;
    }
    while ((*made)->advance()) {
    }
    Result<BenchResult> r = (*made)->result();
    if (!r) {
      complain(r.error());
      return false;
    }
    results.push_back(std::move(*r));
    return true;
  };
  if (!command.experiment.empty()) {
    const Loaded loaded = load_spec(command.experiment, command.set);
    if (!loaded.ok) return bad_input;
    if (!loaded.spec.recording.file.empty()) {
      complain({"recording.file",
                "is not read by bench; leave it out (the simulated recording has the same cost per frame)"});
      return bad_input;
    }
    if (!command.json) std::fprintf(stderr, "measuring %s\n", command.experiment.c_str());
    if (!measure(Bench::create(loaded.spec.name.empty() ? "experiment" : loaded.spec.name, loaded.spec, options)))
      return bad_input;
  } else {
    for (const std::string& name : command.workloads.empty() ? bench_workloads() : command.workloads) {
      if (!command.json) std::fprintf(stderr, "measuring %s\n", name.c_str());
      if (!measure(Bench::create(name, options))) return bad_input;
    }
  }
  if (!command.csv.empty())
    if (Status ok = write_file(command.csv, std::string_view(bench_csv(results))); !ok) {
      complain(ok.error());
      return bad_input;
    }
  std::printf("%s", command.json ? (bench_json(results) + "\n").c_str() : bench_table(results).c_str());
  return done;
}

}  // namespace dalea::cli
