#include <CLI/CLI.hpp>
#include <cstdio>
#include <new>

#include "cli/commands.h"
#include "common/measure_report.h"
#include "session/session.h"

using namespace dalea;

namespace {

int parse_and_run(int argc, char** argv) {
  CLI::App app{"Dalea trains recurrent neural networks that obey biology (Dale's law, sparse anatomy).", "dalea"};
  app.set_version_flag("--version",
                       std::string("dalea ") + dalea_version + ", numerics " + std::to_string(numerics_version));
  app.require_subcommand(1);
  app.footer(
      "Example: dalea run assets/experiments/quickstart.json\nExit codes: 0 done, 1 bad input, 2 failed, 130 "
      "cancelled.");

  cli::RunOptions run;
  run.program = argc > 0 ? argv[0] : "";
  CLI::App* run_command = app.add_subcommand("run", "Train an experiment; progress on stderr, results on stdout");
  run_command->add_option("experiment", run.experiment, "Experiment file (JSON), - for standard input, or a link")
      ->required();
  run_command->add_option("--out", run.out, "Folder for session, curves and picture")->capture_default_str();
  run_command->add_option("--threads", run.threads, "Threads; any number gives the same bits (default: all cores)")
      ->check(CLI::Range(1, 256));
  run_command->add_option("--isa", run.isa, "Instruction set: auto, scalar, sse2, avx2, avx512, simd128 (same bits)")
      ->capture_default_str();
  run_command->add_option("--set", run.set, "Change the experiment: a.b[0].c=value (may be repeated)");
  run_command->add_flag("--resume", run.resume,
                        "Continue from the session in --out, to the same bits as no interruption");
  run_command->add_option("--data", run.data,
                          "Folder with a recording, its neurons' connectome and their signs, known by their contents");
  run_command->add_flag("--quick", run.quick, "Of a wiring test (connectome.nulls): 9 nulls, 2 seeds, fewer epochs");
  run_command->add_flag("--json", run.json, "Print one JSON object on stdout");
  run_command->add_flag("--quiet", run.quiet, "No progress on stderr");
  run_command->add_option("--save-every", run.save_every_s, "Seconds between saves of the session while training")
      ->capture_default_str();
  CLI::Option* run_from = run_command->add_option(
      "--from", run.from, "Start from the recurrent weights of a trained session, with a head of the experiment's own");
  run_command->add_option("--keep", run.keep, "What is kept of it: recurrent, or recurrent+input")
      ->needs(run_from)
      ->capture_default_str();
  run_command->add_flag("--scratch", run.scratch, "Then train the same from scratch, and say how they compare")
      ->needs(run_from);
  run_command->footer("Example: dalea run assets/experiments/recording.json --set recording.file=cells.csv --out fit");

  cli::PruneCommand prune;
  prune.program = run.program;
  CLI::App* prune_command = app.add_subcommand(
      "prune", "Take connections away from trained networks, measure the error, train on under the mask");
  prune_command->add_option("session", prune.sessions, "Session files (.npz); several: runs of one experiment")
      ->required();
  prune_command->add_option("--method", prune.methods, "random, magnitude or top-prob (default: all three)")
      ->allow_extra_args(false);
  prune_command
      ->add_option("--sparsity", prune.sparsities,
                   "Part of all connections that is absent afterwards, 0 to 1 (default: the published grid of 15)")
      ->allow_extra_args(false);
  prune_command->add_option("--draws", prune.draws, "Random masks at each sparsity")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  prune_command->add_flag("--exact-count", prune.exact_count, "Keep exactly the number asked for, not about it");
  prune_command->add_flag("--no-diagonal", prune.no_diagonal, "Remove self-connections");
  prune_command->add_flag("--blocks", prune.blocks,
                          "Each pair of populations by itself, to the experiment's connection probabilities");
  prune_command->add_option("--probability", prune.probability,
                            "A table for --blocks, rows are postsynaptic: '[[0.1,0.5],[0.5,0.1]]'");
  prune_command->add_option("--recording", prune.recording,
                            "The recording's file, when it is not where the session says");
  prune_command->add_flag("--as-published", prune.as_published,
                          "The published formulas with their faults, on the last minibatch alone");
  prune_command
      ->add_option("--retrain", prune.retrain, "Train so many epochs under the mask of one method and sparsity")
      ->check(CLI::Range(1, 1000000));
  prune_command->add_flag("--resume", prune.resume, "Continue the retraining saved in --out, to the same bits");
  prune_command->add_option("--out", prune.out, "Folder for the table, sessions and curves")->capture_default_str();
  prune_command->add_option("--threads", prune.threads, "Threads; any number gives the same bits (default: all cores)")
      ->check(CLI::Range(1, 256));
  prune_command->add_option("--isa", prune.isa, "Instruction set, as for run")->capture_default_str();
  prune_command->add_flag("--json", prune.json, "Print one JSON object on stdout");
  prune_command->add_flag("--quiet", prune.quiet, "No progress on stderr");
  prune_command->add_option("--save-every", prune.save_every_s, "Seconds between saves of the session while retraining")
      ->capture_default_str();
  prune_command->footer("Example: dalea prune out/session.npz --method top-prob --sparsity 0.5 --retrain 5");

  cli::ReproduceCommand reproduce;
  reproduce.program = run.program;
  CLI::App* reproduce_command = app.add_subcommand(
      "reproduce", "Train what a figure of Balwani et al. 2025 shows and set the results beside the published ones");
  reproduce_command
      ->add_option("figure", reproduce.figure,
                   "fig2 (three conditions), fig3 (pruning), fig4 (cell types), fig5 (their conditions), bio (measured "
                   "connectomes against random wiring, Goulas et al. 2021) or planted (does compare find a change that "
                   "was made in a simulated circuit?)")
      ->required();
  reproduce_command->add_flag("--quick", reproduce.quick,
                              "Small networks and tasks: the whole report in a minute or two");
  reproduce_command->add_flag("--as-published", reproduce.as_published,
                              "With the faults of the published code (default)");
  reproduce_command->add_flag("--corrected", reproduce.corrected,
                              "Equal nonlinearity, exact pruning, whole held-out splits, margins fixed beforehand");
  reproduce_command
      ->add_option("--runs", reproduce.runs,
                   "Seeds of each condition (default: 6, fig4 and fig5: 5, planted: 10; quick: 3, planted: 6)")
      ->check(CLI::Range(2, 50));
  reproduce_command->add_option("--seed", reproduce.seed, "The first seed")->capture_default_str();
  reproduce_command->add_option("--task", reproduce.tasks, "flip-flop, wave or digits (may be repeated; default: all)")
      ->allow_extra_args(false);
  reproduce_command->add_option(
      "--data", reproduce.data,
      "fig4, fig5: a long table of the populations' averages in six conditions, in place of simulated trials; bio: a "
      "folder of connectomes, or a matrix (default: where ./run fetch puts them, else a synthetic one)");
  reproduce_command
      ->add_option(
          "--species", reproduce.species,
          "bio: macaque, marmoset, mouse, mouse-brain, human or drosophila (may be repeated; default: all there)")
      ->allow_extra_args(false);
  reproduce_command->add_flag("--full", reproduce.full,
                              "bio: every published combination of settings, not the reduced grid");
  reproduce_command
      ->add_option("--out", reproduce.out, "Folder for sessions and reports; trained networks in it are used again")
      ->capture_default_str();
  reproduce_command
      ->add_option("--threads", reproduce.threads,
                   "Networks at once; any number gives the same bits (default: all cores)")
      ->check(CLI::Range(1, 256));
  reproduce_command->add_option("--isa", reproduce.isa, "Instruction set, as for run")->capture_default_str();
  reproduce_command->add_flag("--json", reproduce.json, "Print one JSON object on stdout");
  reproduce_command->add_flag("--quiet", reproduce.quiet, "No progress on stderr");
  reproduce_command->footer(
      "Example: dalea reproduce fig2 --quick\nStopped or killed, the same command goes on from the last epoch.");

  cli::PerturbCommand perturb;
  perturb.program = run.program;
  CLI::App* perturb_command = app.add_subcommand(
      "perturb", "Silence or drive populations of a trained network and compare it with itself left alone");
  perturb_command->add_option("session", perturb.session, "A session.npz")->required();
  perturb_command
      ->add_option("--silence", perturb.silence, "NAME or NAME:FROM-TO: its activity is 0 in steps FROM to TO - 1")
      ->allow_extra_args(false);
  perturb_command
      ->add_option("--drive", perturb.drive, "NAME=AMOUNT or NAME=AMOUNT:FROM-TO: added to what each unit receives")
      ->allow_extra_args(false);
  perturb_command->add_option("--recording", perturb.recording,
                              "The recording's file, when it is not where the session says");
  perturb_command->add_option("--out", perturb.out, "Folder for the table and the figure")->capture_default_str();
  perturb_command
      ->add_option("--threads", perturb.threads, "Threads; any number gives the same numbers (default: all cores)")
      ->check(CLI::Range(1, 256));
  perturb_command->add_option("--isa", perturb.isa, "Instruction set, as for run")->capture_default_str();
  perturb_command->add_flag("--json", perturb.json, "Print one JSON object on stdout");
  perturb_command->footer("Example: dalea perturb out/session.npz --silence I:20-40 --out silenced");

  cli::StatesCommand states;
  states.program = run.program;
  CLI::App* states_command = app.add_subcommand(
      "states", "Principal components of a trained network's activity, and the mean currents between its populations");
  states_command->add_option("session", states.session, "A session.npz")->required();
  states_command->add_option("--population", states.population, "Components of this one (default: of all units)");
  states_command->add_option("--level", states.level, "Currents between populations, or layers, areas or types")
      ->capture_default_str();
  states_command
      ->add_option("--checkpoint", states.checkpoint, "Weights: initial, dense (before pruning), sparse or final")
      ->capture_default_str();
  states_command->add_option("--trials", states.trials, "Held-out trials whose paths are written and drawn")
      ->check(CLI::Range(0, 100000))
      ->capture_default_str();
  states_command->add_option("--recording", states.recording,
                             "The recording's file, when it is not where the session says");
  states_command->add_option("--out", states.out, "Folder for the tables and the figure")->capture_default_str();
  states_command
      ->add_option("--threads", states.threads, "Threads; any number gives the same numbers (default: all cores)")
      ->check(CLI::Range(1, 256));
  states_command->add_option("--isa", states.isa, "Instruction set, as for run")->capture_default_str();
  states_command->add_flag("--json", states.json, "Print one JSON object on stdout");
  states_command->footer("Example: dalea states out/session.npz --population I --out states-of-I");

  cli::CoactivationCommand coactivation;
  coactivation.program = run.program;
  CLI::App* coactivation_command = app.add_subcommand(
      "coactivation", "Which units of a trained network are active together, and whether connected ones are more so");
  coactivation_command->add_option("session", coactivation.session, "A session.npz")->required();
  coactivation_command->add_option("--by", coactivation.by,
                                   "Groups: population, area, layer or type (default: area where there are some)");
  coactivation_command->add_option("--permutations", coactivation.draws, "Of each test")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  coactivation_command->add_option("--seed", coactivation.seed, "Of the permutations")
      ->check(CLI::Range(uint64_t{0}, max_seed))
      ->capture_default_str();
  coactivation_command->add_option("--recording", coactivation.recording,
                                   "The recording's file, when it is not where the session says");
  coactivation_command->add_option("--out", coactivation.out, "Folder for tables and figure")->capture_default_str();
  coactivation_command
      ->add_option("--threads", coactivation.threads, "Threads; any number gives the same numbers (default: all cores)")
      ->check(CLI::Range(1, 256));
  coactivation_command->add_option("--isa", coactivation.isa, "Instruction set, as for run")->capture_default_str();
  CLI::Option* coactivation_json =
      coactivation_command->add_flag("--json", coactivation.json, "Print one JSON object on stdout");
  coactivation_command->add_flag("--csv", coactivation.csv, "Print groups.csv on stdout")->excludes(coactivation_json);
  coactivation_command->footer("Example: dalea coactivation out/session.npz --by area");

  cli::RecoverCommand recover;
  recover.program = run.program;
  CLI::App* recover_command = app.add_subcommand(
      "recover", "Train on the recording of a known circuit and tell how much of its connectivity was found");
  recover_command->add_option("from", recover.from, "An experiment on the simulated recording, or a session.npz of one")
      ->required();
  recover_command->add_option("--frames", recover.frames, "Lengths of the recording: 1000,3000,10000")
      ->delimiter(',')
      ->check(CLI::Range(int64_t{100}, int64_t{1000000}))
      ->allow_extra_args(false);
  recover_command->add_option("--density", recover.densities, "Densities of the circuit: 0.1,0.2,0.4")
      ->delimiter(',')
      ->check(CLI::Range(0.001, 1.0))
      ->allow_extra_args(false);
  recover_command->add_option("--circuits", recover.circuits, "Circuits (seeds) of each length and density")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  recover_command->add_option("--lags", recover.lags, "Frames whose effect on the next one counts")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  recover_command->add_flag("--quick", recover.quick, "A quarter of the epochs");
  recover_command->add_option("--set", recover.set, "Change the experiment, as for run");
  recover_command->add_option("-o,--out", recover.out, "Folder for the tables and the figure")->capture_default_str();
  recover_command
      ->add_option("--threads", recover.threads, "Threads; any number gives the same numbers (default: all cores)")
      ->check(CLI::Range(1, 256));
  recover_command->add_option("--isa", recover.isa, "Instruction set, as for run")->capture_default_str();
  recover_command->add_flag("--json", recover.json, "Print one JSON object on stdout");
  recover_command->add_flag("--quiet", recover.quiet, "No progress on stderr");
  recover_command->footer("Example: dalea recover assets/experiments/ground-truth.json --frames 1000,3000,10000");

  cli::FitCommand fit;
  fit.program = run.program;
  CLI::App* fit_command =
      app.add_subcommand("fit", "How well a network predicts the held-out part of its recording, beside baselines");
  fit_command->add_option("session", fit.session, "A session.npz of a recording")->required();
  fit_command->add_option("--recording", fit.recording, "The recording's file, when it is not where the session says");
  fit_command->add_option("--csv", fit.csv, "Write the table here too");
  fit_command->add_option("-o,--out", fit.out, "Folder for the table and the figure")->capture_default_str();
  fit_command->add_option("--threads", fit.threads, "Threads; any number gives the same numbers (default: all cores)")
      ->check(CLI::Range(1, 256));
  fit_command->add_option("--isa", fit.isa, "Instruction set, as for run")->capture_default_str();
  fit_command->add_flag("--json", fit.json, "Print one JSON object on stdout");
  fit_command->footer("Example: dalea fit out/session.npz");

  cli::SpectrumCommand spectrum;
  CLI::App* spectrum_command = app.add_subcommand(
      "spectrum", "Eigenvalues of a network's recurrent weights before and after training, and the weights by sign");
  spectrum_command->add_option("session", spectrum.session, "A session.npz")->required();
  spectrum_command->add_option("--out", spectrum.out, "Folder for the table and the figure")->capture_default_str();
  CLI::Option* spectrum_json = spectrum_command->add_flag("--json", spectrum.json, "Print one JSON object on stdout");
  spectrum_command->add_flag("--csv", spectrum.csv, "Print the eigenvalues on stdout, as in eigenvalues.csv")
      ->excludes(spectrum_json);
  spectrum_command->footer("Example: dalea spectrum out/session.npz --out spectrum");

  cli::MeasuresCommand measures;
  CLI::App* measures_command = app.add_subcommand(
      "measures", "Density, clustering, paths, modularity and more of a network, beside null models of it");
  measures_command
      ->add_option("file", measures.file, "A session.npz, an experiment (.json), or a connectome (matrix or links)")
      ->required();
  measures_command
      ->add_option("--network", measures.network,
                   "Of a session or experiment: weights now (default), start, mask, or connectome")
      ->check(CLI::IsMember({"now", "start", "mask", "connectome"}));
  measures_command->add_option("--nulls", measures.nulls, "Null models to measure beside it")
      ->check(CLI::Range(int64_t{0}, most_measure_nulls));
  measures_command->add_option("--null-model", measures.null_model, "What they keep, as connectome.null_model")
      ->capture_default_str()
      ->check(CLI::IsMember({"permuted", "rewired", "weights", "spatial", "density"}));
  measures_command->add_option("--seed", measures.seed, "Of the null models (default: the experiment's)")
      ->check(CLI::Range(uint64_t{0}, max_seed));
  measures_command->add_option("--set", measures.set, "Change the experiment, as for run")->allow_extra_args(false);
  measures_command->add_option("--orientation", measures.orientation, "Of a connectome's matrix")
      ->check(CLI::IsMember({"row-to-column", "column-to-row"}));
  measures_command->add_option("-o,--out", measures.out, "Folder for the tables and the figure")->capture_default_str();
  measures_command->add_option("--threads", measures.threads, "Threads (default: all cores)")
      ->check(CLI::Range(0, 1024));
  CLI::Option* measures_json = measures_command->add_flag("--json", measures.json, "Print one JSON object on stdout");
  measures_command->add_flag("--csv", measures.csv, "Print the table on stdout, as in measures.csv")
      ->excludes(measures_json);
  measures_command->add_flag("--quiet", measures.quiet, "No progress on stderr");
  measures_command->footer("Example: dalea measures out/session.npz --nulls 99 --out measures");

  cli::WeightsCommand weights;
  CLI::App* weights_command = app.add_subcommand(
      "weights", "Recurrent weights before and after training, by condition: distributions, matrices, divergences");
  weights_command->add_option(
      "session", weights.sessions,
      "Session files (.npz) of one or several conditions (constraint, feedback, pruned or not)");
  weights_command
      ->add_option("--group", weights.groups,
                   "NAME=FILE: a group of your own; FILE may hold * and ?, quoted (may be repeated)")
      ->allow_extra_args(false);
  weights_command->add_option("--reference", weights.reference,
                              "The group that divergences are from (default: conventional)");
  weights_command->add_option("--bins", weights.bins, "Bins of histograms and divergences")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  weights_command->add_option("--scale", weights.scale, "Where the matrices' colours end; 0: by the weights")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  weights_command->add_option("--out", weights.out, "Folder for tables and figures")->capture_default_str();
  weights_command->add_flag("--json", weights.json, "Print one JSON object on stdout");
  weights_command->add_flag("--quiet", weights.quiet, "No remarks on stderr");
  weights_command->footer("Example: dalea weights dale/run-*/session.npz conventional/run-*/session.npz");

  cli::CompareCommand compare;
  CLI::App* compare_command = app.add_subcommand(
      "compare", "Conditions compared block by block: differences, effect sizes and one joint permutation test");
  compare_command
      ->add_option("conditions", compare.conditions,
                   "NAME=FILE of each session, FILE may have * and ?: familiar='runs/familiar-*/session.npz'")
      ->required();
  compare_command->add_option("--level", compare.level, "Blocks of each population, layer, area or type")
      ->capture_default_str();
  compare_command->add_option("--weights", compare.weights, "abs (mean |w|) or raw (mean w)")->capture_default_str();
  compare_command
      ->add_option("--checkpoint", compare.checkpoint, "Weights: initial, dense (before pruning), sparse or final")
      ->capture_default_str();
  compare_command->add_option("--reference", compare.reference,
                              "Compare with this condition only (default: all pairs)");
  compare_command->add_option("--alpha", compare.alpha, "Family-wise error over all blocks and pairs")
      ->check(CLI::Range(0.0001, 0.5))
      ->capture_default_str();
  compare_command->add_option("--seed", compare.seed, "Of random relabelings, when there are too many for all")
      ->capture_default_str();
  compare_command->add_option("--out", compare.out, "Folder for the report, figures and tables")->capture_default_str();
  compare_command->add_flag("--json", compare.json, "Print one JSON object on stdout");
  compare_command->add_flag("--csv", compare.csv, "Print the table as CSV on stdout");
  compare_command->footer(
      "Example: dalea compare familiar='familiar/run-*/session.npz' novel='novel/run-*/session.npz'");

  cli::TreesCommand trees;
  CLI::App* trees_command = app.add_subcommand(
      "trees", "How much of a matrix's strongest wiring, its maximum spanning tree, survives pruning");
  trees_command->add_option("--sizes", trees.sizes, "Neurons of the random matrices (default: 10,50,100)")
      ->delimiter(',')
      ->allow_extra_args(false);
  trees_command
      ->add_option("--sparsity", trees.sparsities,
                   "Part of all connections that is absent afterwards, 0 to 1 (default: 0, 0.05, ... 1)")
      ->delimiter(',')
      ->allow_extra_args(false);
  CLI::Option* matrices = trees_command->add_option("--matrices", trees.matrices, "Random matrices of each size")
                              ->check(CLI::Range(1, 1 << 20))
                              ->capture_default_str();
  CLI::Option* draws = trees_command->add_option("--draws", trees.draws, "Masks of each matrix; of a session: 20")
                           ->check(CLI::Range(1, 4095))
                           ->capture_default_str();
  trees_command->add_flag("--exact-count", trees.exact_count, "Keep exactly the number asked for, not about it");
  trees_command->add_flag("--as-published", trees.as_published, "The published formulas with their faults");
  trees_command->add_option("--seed", trees.seed, "Seed of matrices and masks")
      ->check(CLI::Range(uint64_t{0}, max_seed))
      ->capture_default_str();
  trees_command->add_option("--session", trees.session, "The matrix of a trained network instead; its edges as a table")
      ->excludes("--sizes")
      ->excludes(matrices);
  trees_command->add_option("--out", trees.out, "Folder for tables and figures")->capture_default_str();
  trees_command->add_flag("--json", trees.json, "Print one JSON object on stdout");
  trees_command->add_flag("--quiet", trees.quiet, "No progress on stderr");
  trees_command->footer("Example: dalea trees --sizes 50 --matrices 100");

  cli::InspectOptions inspect;
  CLI::App* inspect_command = app.add_subcommand("inspect", "Say what is in an experiment, a session or a recording");
  inspect_command
      ->add_option("file", inspect.file, "Experiment (.json), session (.npz) or recording (.csv, .npy, .npz, .mat)")
      ->required();
  inspect_command->add_option("--set", inspect.set,
                              "As for run; for recordings: recording.array=dff, recording.orientation=unit-by-time");
  inspect_command->add_flag("--json", inspect.json, "Print one JSON object");
  CLI::Option* inspect_figure = inspect_command->add_option(
      "--figure", inspect.figure,
      "Write a connectome, or an experiment's, as a picture (.svg, .png) or its links (.csv)");
  inspect_command->add_option("--picture", inspect.picture, "matrix, circle, or space where positions are known")
      ->needs(inspect_figure)
      ->check(CLI::IsMember({"matrix", "circle", "space"}))
      ->capture_default_str();
  inspect_command->add_option("--share", inspect.share, "Part of the links that circle and space show, the strongest")
      ->needs(inspect_figure)
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  inspect_command->footer("Example: dalea inspect out/session.npz");

  cli::ConvertCommand convert;
  convert.program = run.program;
  CLI::App* convert_command = app.add_subcommand(
      "convert", "Write a session's network, or a recording, as plain arrays: NumPy, MATLAB, HDF5, CSV");
  convert_command->add_option("in", convert.in, "A session.npz, or a recording")->required();
  convert_command
      ->add_option("out", convert.out, "A file that ends in .npz, .mat, .h5 or .hdf5; a recording's also .npy or .csv")
      ->required();
  convert_command->add_flag("--predictions", convert.predictions,
                            "A session's held-out trials too: inputs, targets and what the network answers");
  convert_command->add_option("--recording", convert.recording,
                              "The session's recording, when it is not where the session says; with --predictions");
  convert_command->add_option("--array", convert.array, "Which array of a recording (default: the one suggested)");
  convert_command->add_option("--orientation", convert.orientation,
                              "Of a recording: time-by-unit, unit-by-time (default: inferred)");
  convert_command->add_option("--set", convert.set, "Of a recording, as for run: recording.rate_hz=30")
      ->allow_extra_args(false);
  convert_command->add_option("--python", convert.python,
                              "Write the module that loads a session's .npz into PyTorch, such as dalea_torch.py");
  convert_command->add_option("--threads", convert.threads, "Threads; any number gives the same bits")
      ->check(CLI::Range(1, 256));
  convert_command->add_option("--isa", convert.isa, "Instruction set, as for run")->capture_default_str();
  convert_command->add_flag("--json", convert.json, "Print one JSON object on stdout");
  convert_command->footer("Example: dalea convert out/session.npz network.h5 --predictions");

  cli::SweepCommand sweep;
  sweep.program = argv[0];
  CLI::App* sweep_command = app.add_subcommand("sweep", "Train every combination of a grid, several times each");
  sweep_command->add_option("grid", sweep.grid, "Grid file (JSON): an experiment and lists of values")->required();
  sweep_command->add_option("-o,--out", sweep.out, "Folder for the runs, results and report")->capture_default_str();
  sweep_command
      ->add_option("--threads", sweep.threads, "Threads: as many runs at once (default: all cores; one a rank)")
      ->check(CLI::Range(1, 256));
  sweep_command->add_option("--isa", sweep.isa, "Instruction set, as for run")->capture_default_str();
  sweep_command->add_option("--set", sweep.set, "Change the experiment, as for run")->allow_extra_args(false);
  sweep_command->add_flag("--resume", sweep.resume, "Go on where this sweep stopped; finished runs stay as they are");
  sweep_command->add_option("--task", sweep.task, "Train this run alone, from 1 (for job arrays)")
      ->check(CLI::PositiveNumber);
  sweep_command->add_option("--slurm", sweep.slurm, "Write a Slurm job array, one task a run, and train nothing");
  sweep_command->add_option("--save-every", sweep.save_every_s, "Seconds between saves of each session")
      ->capture_default_str();
  sweep_command->add_flag("--json", sweep.json, "Print one JSON object on stdout");
  sweep_command->add_flag("--quiet", sweep.quiet, "No progress on stderr");
  sweep_command->footer("Example: dalea sweep assets/grids/memory.json --out swept --set training.epochs=20");

  cli::LinkOptions link, unlink;
  CLI::App* link_command = app.add_subcommand("link", "Print the link that carries an experiment");
  link_command->add_option("experiment", link.experiment, "Experiment file (JSON)")->required();
  link_command->add_option("--base", link.base, "Address of the page, put before the fragment");
  link_command->add_option("--set", link.set, "As for run");
  link_command->add_flag("--json", link.json, "Print one JSON object");
  link_command->footer("Example: dalea link assets/experiments/flip-flop.json --base http://127.0.0.1:8080/");
  CLI::App* unlink_command = app.add_subcommand("unlink", "Print the experiment that a link carries");
  unlink_command->add_option("link", unlink.experiment, "A link, or its part after #")->required();
  unlink_command->add_flag("--json", unlink.json, "Print compact JSON");
  unlink_command->footer("Example: dalea unlink 'http://127.0.0.1:8080/#v1=...' > experiment.json");

  cli::ConnectCommand connect;
  CLI::App* connect_command =
      app.add_subcommand("connect", "Print an experiment with connection probabilities from a table of cell types");
  connect_command->add_option("experiment", connect.experiment, "Experiment file (JSON) or a link")->required();
  connect_command
      ->add_option("--table", connect.table,
                   "CSV: connection-probability,pre-layer,post-layer,pre-cell-type,post-cell-type")
      ->required();
  connect_command->add_option("--out", connect.out, "File to write instead of standard output");
  connect_command->add_option("--set", connect.set, "As for run");
  connect_command->footer(
      "Example: dalea connect assets/experiments/v1-lm.json --table assets/tables/cell-type-probabilities.csv");

  cli::BenchCommand bench;
  CLI::App* bench_command =
      app.add_subcommand("bench", "Measure a training step of the usual workloads on this machine");
  bench_command->add_option("experiment", bench.experiment, "An experiment of your own instead of the workloads");
  bench_command->add_option("--workload", bench.workloads,
                            "flip-flop, mnist, wave, cell-type-dense, cell-type-sparse, large-sparse (default: all)");
  bench_command->add_option("--threads", bench.threads, "Threads")->check(CLI::Range(1, 256))->capture_default_str();
  bench_command->add_option("--isa", bench.isa, "Instruction set, as for run")->capture_default_str();
  bench_command->add_option("--seconds", bench.seconds, "Measured time of each workload")
      ->check(CLI::Range(0.05, 3600.0))
      ->capture_default_str();
  bench_command->add_option("--set", bench.set, "As for run; with an experiment");
  bench_command->add_flag("--json", bench.json, "Print a JSON list");
  bench_command->add_option("--csv", bench.csv, "Write a CSV file too");
  bench_command->add_option("--dump", bench.dump,
                            "Write the workload's first minibatches, weights and losses (NPZ), for comparisons");
  bench_command->footer("Example: dalea bench --workload flip-flop --threads 2");

  cli::TheoryCommand theory;
  CLI::App* theory_command =
      app.add_subcommand("theory", "Check on a quadratic what is proved of Dale's backpropagation (docs/THEORY.md)");
  theory_command->add_option("--condition", theory.condition, "L / mu: how long the valley is, 1 to 10000")
      ->capture_default_str();
  theory_command->add_option("--eta", theory.eta_l, "Step length times L; up to 1 is covered, from 2 it may diverge")
      ->capture_default_str();
  theory_command->add_option("--steps", theory.steps, "Steps, 1 to 10000")->capture_default_str();
  theory_command->add_option("--size", theory.size, "Weights: 2 is the window's problem, 3 to 200 a random one")
      ->capture_default_str();
  theory_command->add_option("--seed", theory.seed, "Of the random problem and its start")->capture_default_str();
  theory_command->add_flag("--json", theory.json, "Print one JSON object");
  theory_command->add_option("--csv", theory.csv, "Write every step of every method as CSV");
  theory_command->add_option("--svg", theory.svg, "Write the figure as SVG");
  theory_command->footer("Example: dalea theory --condition 100 --steps 500 --svg theory.svg");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? cli::done : cli::bad_input;
  }
  if (*run_command) return cli::run(run);
  if (*sweep_command) return cli::sweep(sweep);
  if (*prune_command) return cli::prune(prune);
  if (*reproduce_command) return cli::reproduce(reproduce);
  if (*perturb_command) return cli::perturb(perturb);
  if (*states_command) return cli::states(states);
  if (*coactivation_command) return cli::coactivation(coactivation);
  if (*recover_command) return cli::recover(recover);
  if (*fit_command) return cli::fit(fit);
  if (*spectrum_command) return cli::spectrum(spectrum);
  if (*measures_command) return cli::measures(measures);
  if (*weights_command) return cli::weights(weights);
  if (*compare_command) return cli::compare(compare);
  if (*trees_command) {
    if (!trees.session.empty() && draws->count() == 0) trees.draws = 20;
    return cli::trees(trees);
  }
  if (*inspect_command) return cli::inspect(inspect);
  if (*convert_command) return cli::convert(convert);
  if (*link_command) return cli::link(link);
  if (*connect_command) return cli::connect(connect);
  if (*bench_command) return cli::bench(bench);
  if (*theory_command) return cli::theory(theory);
  return cli::unlink(unlink);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return parse_and_run(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "dalea: out of memory; make the network, training.batch or task.steps smaller\n");
  } catch (const std::exception& e) {
    std::fprintf(stderr, "dalea: %s\n", e.what());
  }
  return cli::failed;
}
