// The commands of `dalea`; each returns the exit code (0 done, 1 bad input, 2 failed, 130 cancelled).
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/figure.h"
#include "error.h"
#include "numerics/kernels.h"
#include "session/session.h"
#include "session/transfer.h"
#include "spec/spec.h"
#include "tasks/digits.h"
#include "tasks/latent.h"
#include "tasks/trials.h"

namespace dalea::cli {

enum ExitCode { done = 0, bad_input = 1, failed = 2, cancelled = 130 };

struct RunOptions {
  std::string experiment;  // file, "-", or a link
  std::string out = "out";
  int threads = 0;  // 0: all cores
  std::string isa = "auto";
  std::vector<std::string> set;
  bool resume = false;
  bool json = false;
  bool quiet = false;
  double save_every_s = 30;
  std::string program;             // argv[0]: the digits may be installed beside it
  std::string from;                // a session whose recurrent weights it starts from; empty: its own weights
  std::string keep = "recurrent";  // what it takes of it (session/transfer.h)
  bool scratch = false;            // then trains the same experiment from its own weights, in OUT/scratch
  std::string data;                // folder with recording, connectome and signs (common/wiring_files.h); empty: none
  bool quick = false;              // of a wiring test: fewer nulls, seeds and epochs
};
int run(const RunOptions& options);

struct PruneCommand {
  std::string program;  // argv[0]
  std::vector<std::string> sessions;
  std::vector<std::string> methods;  // empty: all
  std::vector<double> sparsities;    // empty: the published grid
  int64_t draws = 1;
  bool exact_count = false;
  bool no_diagonal = false;
  bool blocks = false;
  std::string recording;    // file, in place of where the sessions say it is
  std::string probability;  // a table in JSON for blocks; empty: the experiment's
  bool as_published = false;
  int64_t retrain = 0;  // epochs
  bool resume = false;
  std::string out = "pruned";
  int threads = 0;
  std::string isa = "auto";
  bool json = false;
  bool quiet = false;
  double save_every_s = 30;
};
int prune(const PruneCommand& command);

struct ReproduceCommand {
  std::string program;  // argv[0]
  std::string figure;   // "fig2" to "fig5", "bio"
  bool quick = false, as_published = false, corrected = false;
  int64_t runs = 0;  // seeds; 0: 6 (quick: 3)
  uint64_t seed = 1;
  std::vector<std::string> tasks;  // empty: all
  std::string data;  // fig4, fig5: long table of averages; empty: simulated. bio: folder of connectomes, or a matrix
  std::vector<std::string> species;  // bio; empty: all that are there
  bool full = false;                 // bio
  std::string out = "reproduced";
  int threads = 0;
  std::string isa = "auto";
  bool json = false, quiet = false;
};
int reproduce(const ReproduceCommand& command);
int reproduce_planted(const ReproduceCommand& command);  // the figure "planted"

struct SweepCommand {
  std::string program;  // argv[0]
  std::string grid;     // file (common/sweep_grid.h)
  std::vector<std::string> set;
  int64_t task = 0;   // this run alone, from 1; 0: all
  std::string slurm;  // write the job array there instead of training; empty: train
  bool resume = false;
  std::string out = "swept";
  int threads = 0;
  std::string isa = "auto";
  bool json = false, quiet = false;
  double save_every_s = 30;
};
int sweep(const SweepCommand& command);

struct PerturbCommand {
  std::string program;  // argv[0]
  std::string session;
  std::vector<std::string> silence, drive;  // parse_intervention()
  std::string recording;                    // file, in place of where the session says it is
  std::string out = "perturbed";
  int threads = 0;
  std::string isa = "auto";
  bool json = false;
};
int perturb(const PerturbCommand& command);

struct StatesCommand {
  std::string program;  // argv[0]
  std::string session;
  std::string population;  // whose components; empty: all units
  int64_t trials = 60;     // with a path
  std::string level = "population", checkpoint = "final";
  std::string recording;  // file, in place of where the session says it is
  std::string out = "states";
  int threads = 0;
  std::string isa = "auto";
  bool json = false;
};
int states(const StatesCommand& command);

struct CoactivationCommand {
  std::string program;  // argv[0]
  std::string session;
  std::string by;         // whose silhouettes: CoactivationOptions::by
  int64_t draws = 999;    // permutations
  uint64_t seed = 1;      // of them
  std::string recording;  // file, in place of where the session says it is
  std::string out = "coactivation";
  int threads = 0;
  std::string isa = "auto";
  bool json = false, csv = false;
};
int coactivation(const CoactivationCommand& command);

struct RecoverCommand {
  std::string program;            // argv[0]
  std::string from;               // an experiment on the simulated recording, or a session of one
  std::vector<int64_t> frames;    // lengths of the recording; empty: the experiment's
  std::vector<double> densities;  // of the circuit; empty: the experiment's
  int64_t circuits = 1;           // seeds of each
  int64_t lags = 2;               // frames
  bool quick = false;             // a quarter of the epochs
  std::vector<std::string> set;
  std::string out = "recovered";
  int threads = 0;
  std::string isa = "auto";
  bool json = false, quiet = false;
};
int recover(const RecoverCommand& command);

struct FitCommand {
  std::string program;    // argv[0]
  std::string session;    // trained on a recording
  std::string recording;  // file, in place of where the session says it is
  std::string csv;        // the table once more; empty: nowhere
  std::string out = "fitted";
  int threads = 0;
  std::string isa = "auto";
  bool json = false;
};
int fit(const FitCommand& command);

struct SpectrumCommand {
  std::string session;
  std::string out = "spectrum";
  bool json = false, csv = false;
};
int spectrum(const SpectrumCommand& command);

struct MeasuresCommand {
  std::string file;     // session, experiment or connectome
  std::string network;  // "now", "start", "mask", "connectome"; empty: what the file is about
  int64_t nulls = 0;
  std::string null_model = "rewired";
  std::optional<uint64_t> seed;  // of the null models; else the experiment's
  std::vector<std::string> set;  // of an experiment
  std::string orientation;       // of a connectome; empty: row-to-column, unless Dale's law says the other one
  std::string out = "measures";
  int threads = 0;
  bool json = false, csv = false, quiet = false;
};
int measures(const MeasuresCommand& command);

struct WeightsCommand {
  std::vector<std::string> sessions;
  std::vector<std::string> groups;  // NAME=FILE, the file may have * and ?
  std::string reference;            // empty: "conventional", where there is such a group
  int64_t bins = 100;
  double scale = 0.2;
  std::string out = "weights";
  bool json = false;
  bool quiet = false;
};
int weights(const WeightsCommand& command);

struct CompareCommand {
  std::vector<std::string> conditions;  // NAME=FILE, the file may have * and ?
  std::string level = "layer", weights = "abs", checkpoint = "final";
  std::string reference;  // empty: all pairs
  double alpha = 0.05;
  uint64_t seed = 1;
  std::string out = "compared";
  bool json = false, csv = false;
};
int compare(const CompareCommand& command);

struct TreesCommand {
  std::vector<int64_t> sizes;      // empty: 10, 50, 100
  std::vector<double> sparsities;  // empty: 0, 0.05, ... 1
  int64_t matrices = 20, draws = 1;
  bool exact_count = false;
  bool as_published = false;
  uint64_t seed = 1;
  std::string session;  // a trained network's matrix in place of random ones
  std::string out = "trees";
  bool json = false;
  bool quiet = false;
};
int trees(const TreesCommand& command);

struct InspectOptions {
  std::string file;
  std::vector<std::string> set;
  bool json = false;
  std::string figure;              // .svg, .png or .csv of a connectome; empty: none
  std::string picture = "matrix";  // common/connectome_picture.h
  double share = 0.2;              // of its links, in the graphs
};
int inspect(const InspectOptions& options);
int inspect_connectome(std::span<const std::byte> bytes, const InspectOptions& options);
Status write_connectome_figure(const Connectome& c, const InspectOptions& options);

struct ConvertCommand {
  std::string program;             // argv[0]
  std::string in, out;             // a session or a recording; what is written
  bool predictions = false;        // of a session, on its held-out trials
  std::string recording;           // file, in place of where the session says it is
  std::string array, orientation;  // of a recording
  std::vector<std::string> set;    // of a recording
  std::string python;              // where to write the PyTorch loader; empty: nowhere
  int threads = 0;
  std::string isa = "auto";
  bool json = false;
};
int convert(const ConvertCommand& command);

struct LinkOptions {
  std::string experiment;  // or, for unlink, the link
  std::string base;        // put before the fragment
  std::vector<std::string> set;
  bool json = false;
};
int link(const LinkOptions& options);

struct ConnectCommand {
  std::string experiment, table;  // files
  std::string out;                // empty: standard output
  std::vector<std::string> set;
};
int connect(const ConnectCommand& command);
int unlink(const LinkOptions& options);

struct BenchCommand {
  std::string experiment;              // empty: the workloads
  std::vector<std::string> workloads;  // empty: all
  std::vector<std::string> set;
  int threads = 1;
  std::string isa = "auto";
  double seconds = 2;
  bool json = false;
  std::string csv, dump;
};
int bench(const BenchCommand& command);

struct TheoryCommand {
  double condition = 10;  // L / mu
  double eta_l = 1;       // step length times L
  int64_t steps = 60;
  int64_t size = 2;  // weights; 2: the window's problem, more: a random one
  uint64_t seed = 1;
  bool json = false;
  std::string csv, svg;
};
int theory(const TheoryCommand& command);

// The experiment of a file, standard input or a link, with --set applied; problems are printed.
struct Loaded {
  bool ok = false;
  Spec spec;
};
// `without_files`: a connectome file that it does not name is not asked for.
Loaded load_spec(const std::string& experiment, const std::vector<std::string>& set, bool without_files = false);

// What an experiment needs beside itself: its recording, the digits (`program`: argv[0], see RunOptions) or vectors.
struct Sources {
  std::optional<Recording> recording;
  std::optional<Digits> digits;
  std::optional<Latents> latents;
  std::shared_ptr<const Parent> parent;  // to start from; null: nothing
  const Recording* recording_or_null() const { return recording ? &*recording : nullptr; }
  const Digits* digits_or_null() const { return digits ? &*digits : nullptr; }
  // The trials of a run. Errors: as make_dataset().
  Result<Dataset> dataset(const Spec& spec, int64_t run) const {
    return make_dataset(spec, recording_or_null(), run, digits_or_null(), latents ? &*latents : nullptr);
  }
};
Result<Sources> load_sources(const Spec& spec, const std::string& program);
// A session to start from. Errors: --from or --keep, and what is wrong.
Result<std::shared_ptr<const Parent>> load_parent(const std::string& session, const std::string& keep);
// A session's trials; `sha256`: what its recording must have.
Result<Dataset> load_dataset(const Spec& spec, int64_t run, const std::string& sha256, const std::string& program);
// A session's file, with `recording` (empty: none is given) in place of where the session says its recording is.
Result<Session> load_session(const std::string& path, const std::string& recording);
// A session's network as it was saved, with its trials; takes the session's state.
Result<std::unique_ptr<Trainer>> restored(Session& session, Dataset data, Isa isa);
std::string platform_text(Isa isa);  // for the provenance of a session

// The files of "runs/*/session.npz", sorted; a name without * ? [ stays as it is, also when there is no such file.
std::vector<std::string> files_of(const std::string& pattern);

// True after the first Ctrl-C or SIGTERM: let the current work finish and save. The second one quits.
std::atomic<bool>& cancel_on_signals();

void complain(const Error& error);                                                // to stderr
ExitCode refuse(const Error& error);                                              // complains: bad_input
using OutputFiles = std::vector<std::pair<std::string, std::vector<std::byte>>>;  // name, bytes
// Into a folder that is made when it must be. Complains: bad_input when that cannot be, failed when a file cannot.
ExitCode write_files(const std::string& folder, const OutputFiles& files);
std::vector<std::string> names_of(const OutputFiles& files);
// A drawing as NAME.svg and NAME.png.
void add_drawing(OutputFiles& files, const std::string& name, const plot::Figure& figure);
void print_files(const std::string& folder, const std::vector<std::string>& files);  // the last line of a report
// Of --threads, 0: all cores; one where there are none, and says so.
int threads_of(int wanted);

}  // namespace dalea::cli
