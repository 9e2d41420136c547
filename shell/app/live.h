// A training that can be watched: commands in, const snapshots out. The trainer lives on a thread of its own, or, in a
// build without threads, inside pump(). No user interface here, so it can be tested by itself.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "analysis/coactivation.h"
#include "analysis/fits.h"
#include "analysis/recovery.h"
#include "analysis/states.h"
#include "app/timeline.h"
#include "common/files.h"
#include "common/perturb_report.h"
#include "recording/arrays.h"
#include "session/transfer.h"
#include "tasks/digits.h"
#include "tasks/latent.h"
#include "training/trainer.h"

namespace dalea::app {

// A file as it was given, never its path on somebody's disk.
struct NamedFile {
  std::string name;
  std::vector<std::byte> bytes;
  FileBytes on_disk = {};  // in place of bytes: a large file that is looked at where it lies
  std::span<const std::byte> content() const { return on_disk.mapped() ? on_disk.bytes() : bytes; }
};
inline NamedFile text_file(std::string name, std::string_view text) {
  return {std::move(name), to_bytes(text)};
}
using FilePtr = std::shared_ptr<const NamedFile>;

// The files of one connectome; null: not given.
struct ConnectomeParts {
  FilePtr matrix, names, signs, densities;
};
using DigitsPtr = std::shared_ptr<const Digits>;
using LatentsPtr = std::shared_ptr<const Latents>;
using ParentPtr = std::shared_ptr<const Parent>;

enum class Phase { empty, building, paused, running, finished, failed, needs_recording, needs_digits, needs_vectors };
const char* phase_text(Phase phase);  // "learning", "paused", ...

// A plain matrix to look at. Dense: column-major (post, pre). `pattern`: which synapses can exist; null: all.
struct MatrixView {
  int64_t units = 0;
  std::shared_ptr<const Pattern> pattern;
  bool sparse = false;        // values are one per entry of the pattern, column order
  std::vector<float> values;  // (post, pre) column-major, or per entry
  float at(int64_t post, int64_t pre) const;
  bool exists(int64_t post, int64_t pre) const;
};

struct PopulationView {
  std::string name;
  Sign sign = Sign::free;
  Range units;
};

// What does not change while one network trains.
struct Setup {
  uint64_t serial = 0;  // counts networks built
  Spec spec;
  std::string link;  // fragment, "v1=..."
  std::vector<PopulationView> populations;
  std::shared_ptr<const MatrixView> initial;
  std::vector<std::string> channel_names, output_names;
  std::string loss_unit;
  double dt_s = 0;
  int64_t batches_per_epoch = 0, held_out_trials = 0;
  std::shared_ptr<const Recording> recording;  // null: the task has none
  std::shared_ptr<const Baselines> baselines;  // of the held-out frames; null: none
  std::shared_ptr<const Prepared> prepared;    // of a recording
  int64_t classes = 0;                         // of a task with classes, named output_names; 0: it has none
  double commonest = 0;                        // held-out accuracy of always answering the commonest class
  std::vector<double> densities;  // of the connectome's nodes, as its file has them, used or not; empty: none
  // What make_dataset() made the trials from, so that others can make theirs; null: nothing was needed.
  std::shared_ptr<const Recording> source_recording;
  FilePtr recording_file;  // what that was read from; null: it was simulated
  DigitsPtr source_digits;
  LatentsPtr source_latents;
  std::vector<std::string> notes;  // Dataset::notes
  std::optional<Origin> origin;    // it began with another network's weights
  int threads = 1;
  std::string isa;
  bool own_mask = false;  // pruned: the link does not make this network again, a session does
};

struct TraceView {
  int64_t trial = 0, steps = 0;
  std::vector<float> input, target, output;  // (step, channel)
  std::vector<float> activity;               // (step, unit)
  // The same under the interventions that were asked for; empty: there are none.
  std::vector<float> perturbed_output, perturbed_activity;
  std::vector<uint8_t> scored;  // (step, output); empty: all
  std::vector<int32_t> label;   // (step): class asked for, or -1; empty: a task without classes
};

// One channel of (step, channel).
std::vector<double> channel_of(const std::vector<float>& values, int64_t steps, int64_t channels, int64_t which);

struct LossPoint {
  double update, loss;
};

struct Snapshot {
  uint64_t serial = 0;  // rises with every snapshot
  Phase phase = Phase::empty;
  std::shared_ptr<const Setup> setup;  // null until something was built
  int64_t epoch = 0, batch = 0, updates = 0, total_updates = 0;
  double updates_per_s = 0;
  double last_loss = 0;
  std::shared_ptr<const std::vector<EpochRecord>> history;  // never null
  std::vector<LossPoint> batch_losses;                      // of this network, thinned to at most 2,000
  std::shared_ptr<const MatrixView> weights;
  Stage stage = Stage::whole;
  int64_t stage_epoch = 0, stage_epochs = 0;
  std::shared_ptr<const MatrixView> dense;    // the checkpoint that was pruned; null: none yet
  std::shared_ptr<const EpochRecord> pruned;  // Trainer::pruned_losses; null: none yet
  int64_t kept_epoch = 0;                     // finished: the weights are of this one, not of the last; 0: of the last
  std::shared_ptr<const TraceView> trace;
  std::shared_ptr<const Confusion> answers;  // held out, when the last epoch ended; null: no classes, or no epoch yet
  std::shared_ptr<const PerturbStudy> perturbed;  // what measure_perturbation() found last; null: nothing
  int64_t perturbed_updates = 0;                  // of the network when it did
  std::shared_ptr<const StateStudy> states;       // what study_states() found last; null: nothing
  int64_t states_updates = 0;
  std::shared_ptr<const Coactivation> coactivation;  // what study_coactivation() found last; null: nothing
  int64_t coactivation_updates = 0;
  ParentPtr carried;                 // the next experiment starts from its recurrent weights; null: from its own
  std::shared_ptr<const Fits> fits;  // what measure_fits() found last; null: nothing
  int64_t fits_updates = 0;
  double fitting = -1;                             // part done of the fits being measured, 0 .. 1; -1: none are
  std::shared_ptr<const RecoveryStudy> recovered;  // what study_recovery() found last; null: nothing
  int64_t recovered_updates = 0;
  DigitsPtr digits;            // those that are here; null: none
  bool wants_digits = false;   // an experiment waits for digits, or for more than are here
  bool wants_vectors = false;  // for latent vectors; waiting_for: the SHA-256 they must have, where it is known
  uint64_t digits_asked = 0;   // how often one found none at all
  std::string hash;            // 16 hexadecimal digits
  int64_t hash_updates = 0;    // after how many updates `hash` was taken: now, or a little before while it runs
  Audit audit;
  // Looking back: weights, trace, hash and audit are those of a kept moment, after hash_updates updates.
  bool looking_back = false;
  std::shared_ptr<const std::vector<int64_t>> moments;  // updates that can be looked back at, ascending; never null
  std::string failure;                                  // phase failed: why
  std::string waiting_for;  // SHA-256 of the recording that an experiment or session still needs; empty: nothing
};

// A message for the user, with what went wrong where.
struct Notice {
  bool error = false;
  std::string text;
};

struct LiveOptions {
  int threads = 1;         // of the trainer
  bool own_thread = true;  // false: call pump()
  std::string platform;    // for the session file's provenance
  // Reads the digits when an experiment first needs them, where the program knows a place. Else nothing is said:
  // Snapshot::wants_digits, and give_digits() or give_digit_files().
  std::function<Result<Digits>()> find_digits;
};

// A recording as it would be read, before it is trained on.
struct Preview {
  FilePtr file;
  RecordingSpec spec;
  std::shared_ptr<const Recording> recording;  // null: error says why
  std::string error;
  std::vector<ArrayInfo> arrays;                          // of an NPZ, MAT or HDF5; spec.array names one of them
  std::vector<std::string> conditions = {}, series = {};  // of a long table: what spec.condition and .series name
  bool suite2p = false;  // the arrays are suite2p's: together, unless spec.array names one
};

// What pruning needs of a network, at one moment between two updates.
struct NetworkCopy {
  uint64_t request = 0;  // as asked for
  uint64_t network = 0;  // Setup::serial
  int64_t updates = 0, run = 0;
  Spec spec;
  Model model;
  std::shared_ptr<const Dataset> data;  // held-out trials, loss and unit; the rest is empty
  std::string hash;
  bool looked_back = false;  // of an earlier moment than the training's
};
using NetworkPtr = std::shared_ptr<const NetworkCopy>;

// A pruned network that is trained on under its own mask.
struct PrunedStart {
  uint64_t network = 0;  // the one it was made of
  int64_t run = 0;
  Spec spec, before;  // of the retraining; of the whole network
  std::shared_ptr<const Pattern> mask;
  Parameters start;
};
using PrunedPtr = std::shared_ptr<const PrunedStart>;

// `keep`: a session under the name kept_file, for the next visit (App::keep). `loader`: reads the weights into PyTorch.
// While one looks back, weights and picture are those of that moment; a session needs more than it kept: it is of now.
enum class Download { session, weights, curves, picture, keep, weights_mat, weights_hdf5, loader };
inline constexpr const char* kept_file = "kept.npz";

class Live {
 public:
  explicit Live(const LiveOptions& options);
  ~Live();
  Live(const Live&) = delete;
  Live& operator=(const Live&) = delete;

  // Commands return at once. `recording`: the file for task "recording"; null: simulated, or the one already held
  // when its hash fits.
  void train(const Spec& spec, FilePtr recording, bool play);
  void open_session(FilePtr file, FilePtr recording);
  void play();
  void pause();
  void step();        // one update, then pause
  void step_epoch();  // to the end of the epoch, then pause
  void restart();     // same seed; keeps playing if it was
  void new_seed();
  void show_trial(int64_t held_out_trial);
  // The shown trial is given twice from now on: as it is, and under these; none: once. A new network forgets them.
  void perturb(std::vector<Intervention> interventions);
  void measure_perturbation();  // over all held-out trials, into Snapshot::perturbed
  void study_states();          // the same, into Snapshot::states
  void study_coactivation();    // into Snapshot::coactivation
  // They and study_recovery() hold up the training, which goes on afterwards: the part done, 0 .. 1; empty: none is
  // asked for. Another network that is asked for cancels them.
  // `scaling`: of a connectome to neurons, with its null model, for the network that is being built.
  enum class Measurement { perturbation, states, recovery, coactivation, scaling };
  std::optional<double> measuring(Measurement what) const;
  void cancel_measuring();
  void measure_fits();  // of a recording, into Snapshot::fits; in pieces, while training goes on
  void stop_fits();
  void study_recovery();  // the same, into Snapshot::recovered; of a simulated recording
  // Shows the network as it was at the kept moment nearest to this many updates, while training goes on; -1: as it is.
  void look_back(int64_t updates);
  void preview(FilePtr file, const RecordingSpec& spec);  // comes out of take_preview()
  // The part done, 0 .. 1, of the file that is being read on the training's thread, for a preview or to train on it;
  // empty: none is. Cancelled, everything stays as it was, and a notice says so; a preview that is read but not yet
  // taken is dropped too.
  std::optional<double> reading() const;
  void cancel_reading();
  // Files of one recording, as a bundle: the recording waited for, else a preview; a notice where they are not one.
  void give_together(std::vector<FilePtr> files, const RecordingSpec& spec);
  // A square matrix or a list of links becomes the network of this experiment, which then trains. Parts without a
  // matrix belong to the one that was given last.
  void give_connectome(const ConnectomeParts& parts, const Spec& spec, FilePtr recording = nullptr);
  void give_connectome(FilePtr file, const Spec& spec) {
    give_connectome(ConnectomeParts{std::move(file), {}, {}, {}}, spec);
  }
  void give_recording(FilePtr file);  // what Snapshot::waiting_for asks for
  // Latent vectors for the experiment that waits for them, else for this one, which then trains.
  void give_vectors(FilePtr file, const Spec& spec);
  // From now on experiments start from the recurrent weights that the network has now (`input`: and its input weights);
  // again: what is taken of them. Off: from their own.
  void carry(bool on, bool input);
  // The same where it is that one, by its SHA-256; else a preview, and a notice of why.
  void give_or_preview(FilePtr file, const RecordingSpec& spec);
  void give_digits(DigitsPtr digits);  // kept; an experiment that waited for them starts
  // The same from the four IDX files: training images and labels, test images and labels. `quiet`: says errors only.
  void give_digit_files(const std::array<FilePtr, 4>& files, bool quiet);
  void save(Download what);                   // the file comes out of take_file()
  void copy_network(uint64_t request);        // comes out of take_network(), once there is a network
  void retrain(PrunedPtr pruned, bool play);  // restart() returns to this start

  // The latest snapshot; never null, never blocks for long. Asking is what makes the next one.
  std::shared_ptr<const Snapshot> snapshot();
  bool take_file(NamedFile& file);
  bool take_notice(Notice& notice);
  bool take_preview(Preview& preview);
  bool take_network(NetworkPtr& network);

  // Without a thread: does commands, then trains for about this long, one time step at a time.
  void pump(double seconds);
  bool own_thread() const { return options_.own_thread; }
  // At most this many updates a second, to watch; 0: as fast as possible. The bits are the same.
  void set_pace(double updates_per_s) { pace_ = updates_per_s; }
  // For measuring: no snapshots while training.
  void watch(bool on) { watched_ = on; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Command {
    enum Kind {
      train,
      open,
      play,
      pause,
      step,
      step_epoch,
      restart,
      new_seed,
      trial,
      save,
      preview,
      together,
      give,
      give_or_preview,
      connectome,
      digits,
      digit_files,
      copy,
      retrain,
      perturb,
      measure,
      states,
      recovery,
      coactivation,
      vectors,
      carry,
      fits,
      stop_fits,
      look
    } kind;
    std::shared_ptr<const Spec> spec;
    FilePtr file, recording;
    bool flag = false;
    int64_t number = 0;
    Download what = Download::session;
    DigitsPtr digits_given = nullptr;
    std::array<FilePtr, 4> digit_files_given = {};
    PrunedPtr pruned = nullptr;
    std::vector<Intervention> interventions = {};
    std::vector<FilePtr> files = {};  // that were given together
  };

  void send(Command command);
  void loop();
  void obey(const Command& command);
  void obey_all(const std::deque<Command>& commands);
  void open(FilePtr file, FilePtr recording);
  void give(FilePtr file);
  void read_preview(FilePtr file, const RecordingSpec& spec, int64_t number);
  void send_file(Command::Kind kind, std::vector<FilePtr> files, const RecordingSpec& spec);
  Progress hear_reading(int64_t number);
  void say_reading_cancelled(const NamedFile& file);
  bool reading_stopped(const NamedFile& file, int64_t number);  // cancelled, or changed on the disk; says so
  void take_digits(DigitsPtr digits);
  void take_connectome(const Command& command);
  Status connect(Spec& spec, const Recording* recording = nullptr);
  Result<std::shared_ptr<const Pattern>> scale(const Spec& spec, int64_t run);
  void follow_history();
  // `parent`: to start from, when it is no session and not pruned; null: its own weights.
  void build(const Spec& spec, FilePtr recording, bool play, const Session* session, ParentPtr parent,
             PrunedPtr pruned = nullptr);
  void take_vectors(const FilePtr& file, const Spec& wanted);
  void carry_now(bool on, bool input);
  void copy_for(uint64_t request);
  void ask(Measurement what);
  std::function<bool(double)> goes_on(Measurement what, int64_t number);  // hears the progress of that one
  void measure_now(int64_t number);
  void study_now(int64_t number);
  void recover_now(int64_t number);
  void correlate_now(int64_t number);
  void begin_fits();
  void advance_fits(bool small);
  void look(int64_t updates);
  void keep_moment();
  const Model& shown_model();  // the present one, or that of the moment looked back at
  std::shared_ptr<const Pattern> shown_mask() const;
  int64_t shown_updates() const;
  void after(Trainer::Event event);
  void publish(bool exact);
  void publish_if_due();
  void say(bool error, std::string text);
  void make_file(Download what);
  bool running() const { return trainer_ && phase_ == Phase::running; }
  bool waiting_for_digits() const {
    return waiting_spec_ && (waiting_spec_->task.type == "digits" || waiting_spec_->task.type == "n-back-digits");
  }

  bool waiting_for_vectors() const { return waiting_spec_ && waiting_spec_->task.type == "n-back-latent"; }

  LiveOptions options_;

  // Shared.
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Command> commands_;
  std::shared_ptr<const Snapshot> latest_;
  std::deque<NamedFile> files_;
  std::deque<Notice> notices_;
  std::deque<Preview> previews_;
  std::deque<NetworkPtr> networks_;
  std::shared_ptr<const Snapshot> seen_;  // the reader's own
  std::atomic<bool> stop_{false}, pending_{false}, wanted_{true}, watched_{true};
  // Measurements are numbered as they are asked for: the last one asked for, done and cancelled; by Measurement.
  struct Asked {
    std::atomic<int64_t> asked{0}, done{0}, cancelled{0};
    std::atomic<double> part{0};
  };
  std::array<Asked, 5> measurements_;
  Asked reading_;              // files, numbered likewise
  std::atomic<int> reads_{0};  // asked for, or being read for a network

  // The trainer's side.
  std::unique_ptr<Trainer> trainer_;
  std::atomic<double> pace_{0};
  Clock::time_point next_update_{};  // not before, when paced
  bool trial_chosen_ = false;        // by the user
  int64_t run_ = 0;                  // of the trainer
  Phase phase_ = Phase::empty;
  std::shared_ptr<const Setup> setup_;
  std::vector<Intervention> interventions_;
  std::shared_ptr<const PerturbStudy> perturbed_;
  int64_t perturbed_updates_ = 0;
  std::shared_ptr<const StateStudy> states_;
  int64_t states_updates_ = 0;
  std::shared_ptr<const Coactivation> coactivation_;
  int64_t coactivation_updates_ = 0;
  ParentPtr carried_, started_from_;  // for the next experiments; of this network
  LatentsPtr vectors_;
  std::unique_ptr<Workers> fit_workers_;
  std::unique_ptr<FitJob> fit_job_;  // of trainer_'s data
  int64_t fit_job_updates_ = 0;
  Clock::time_point fit_told_{};
  std::shared_ptr<const Fits> fits_;
  int64_t fits_updates_ = 0;
  std::shared_ptr<const RecoveryStudy> recovered_;
  int64_t recovered_updates_ = 0;
  Timeline timeline_;
  std::shared_ptr<const std::vector<int64_t>> moments_;
  std::optional<Moment> back_;  // looked back at
  Model back_model_;
  PrunedPtr pruned_;                         // what this network started from; null: not pruned here
  std::shared_ptr<const Dataset> held_out_;  // made for the first copy of this network
  FilePtr recording_;
  ConnectomeParts connectome_;               // the files that were given last
  std::vector<double> densities_;            // of that connectome
  std::shared_ptr<const Recording> parsed_;  // of recording_, for parsed_key_
  std::string parsed_key_;
  std::weak_ptr<const NamedFile> previewed_file_;  // of the last preview: it need not be read again to train on it
  std::weak_ptr<const Recording> previewed_;
  std::string previewed_key_;
  bool read_cancelled_ = false;  // the last build's
  DigitsPtr digits_;
  uint64_t digits_asked_ = 0;
  std::shared_ptr<const Spec> waiting_spec_;  // needs the recording waiting_for_, the digits or vectors
  FilePtr waiting_session_;
  std::string waiting_for_;
  std::shared_ptr<const std::vector<EpochRecord>> history_;
  std::shared_ptr<const Confusion> answers_;
  std::vector<LossPoint> losses_;
  int64_t loss_stride_ = 1;
  bool stop_at_update_ = false, stop_at_epoch_ = false;
  int64_t trial_ = 0;
  uint64_t builds_ = 0, snapshots_ = 0;
  std::shared_ptr<const MatrixView> weights_, dense_;
  std::shared_ptr<const Parameters> dense_of_;  // what dense_ shows
  std::shared_ptr<const EpochRecord> pruned_losses_;
  std::shared_ptr<const TraceView> trace_;
  std::string hash_;
  int64_t hash_updates_ = 0;
  Audit audit_;
  Clock::time_point published_{}, hashed_{}, traced_{}, rate_from_{};
  double publish_cost_ = 0, hash_cost_ = 0, trace_cost_ = 0;
  int64_t rate_updates_ = 0;
  double rate_ = 0;
  std::thread thread_;
};

}  // namespace dalea::app
