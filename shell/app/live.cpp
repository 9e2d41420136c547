#include "app/live.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "app/connectome_state.h"
#include "common/embedded.h"
#include "common/picture.h"
#include "common/snippets.h"
#include "connectome/connectome.h"
#include "connectome/recorded.h"
#include "recording/bundle.h"
#include "recording/long_table.h"
#include "recording/suite2p.h"
#include "session/export.h"
#include "session/npz.h"

namespace dalea::app {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr double snapshot_every_s = 0.05;  // at most 20 a second
constexpr double watching_share = 0.02;    // of the training time, for each of: weights, hash, trace
constexpr size_t most_loss_points = 2000;
constexpr int64_t most_state_trials = 60;  // whose paths through the state space are drawn

MatrixView view_of(const Weights& w, std::shared_ptr<const Pattern> mask) {
  MatrixView view;
  view.units = w.rows;
  view.sparse = w.sparse();
  view.pattern = w.sparse() ? w.pattern : std::move(mask);
  view.values = w.values;
  return view;
}

// Of what a recording is read by; what is done with it afterwards left out.
std::string recording_key(const Spec& spec) {
  Spec key;
  key.task.type = "recording";
  key.recording = spec.recording;
  RecordingSpec& r = key.recording;
  const RecordingSpec plain;
  r.file.clear();
  r.scale = plain.scale;
  r.train_fraction = plain.train_fraction;
  r.validation_fraction = plain.validation_fraction;
  r.stride = plain.stride;
  r.warmup = plain.warmup;
  r.smoothing = plain.smoothing;
  r.smoothing_sd = plain.smoothing_sd;
  r.events = plain.events;
  r.split = plain.split;
  return print_spec(key, true);
}

// "traces.csv", of suite2p's arrays the folder, where it is known.
std::string name_together(const std::vector<FilePtr>& files) {
  for (const FilePtr& f : files)
    if (const size_t slash = f->name.find('/'); slash != std::string::npos) return f->name.substr(0, slash);
  std::string name = "recording";
  size_t most = 0;
  for (const FilePtr& f : files) {
    if (is_suite2p_file(f->name)) return "suite2p";
    if (f->content().size() < most) continue;
    most = f->content().size();
    name = f->name;
  }
  return name;
}

// Of the first twenty trials the one whose target changes most: something to see.
int64_t liveliest(const Trials& t) {
  int64_t best = 0;
  double most = -1;
  for (int64_t k = 0; k < std::min<int64_t>(20, t.count) && !t.target.empty(); ++k) {
    double sum = 0;
    const float* y = t.target.data() + k * t.steps * t.outputs;
    for (int64_t e = t.outputs; e < t.steps * t.outputs; ++e) {
      const double d = static_cast<double>(y[e] - y[e - t.outputs]);
      if (std::isfinite(d) && (t.scored.empty() || t.scored[static_cast<size_t>(k * t.steps * t.outputs + e)] != 0))
        sum += std::fabs(d);
    }
    if (sum > most) {
      most = sum;
      best = k;
    }
  }
  return best;
}

// How often always answering the commonest class is right.
double share_of_commonest(const Trials& t, int64_t classes) {
  std::vector<int64_t> count(static_cast<size_t>(classes));
  int64_t asked = 0;
  for (int32_t label : t.label)
    if (label >= 0 && label < classes) {
      ++count[static_cast<size_t>(label)];
      ++asked;
    }
  const int64_t most = count.empty() ? 0 : *std::max_element(count.begin(), count.end());
  return asked > 0 ? static_cast<double>(most) / static_cast<double>(asked) : 0;
}

}  // namespace

const char* phase_text(Phase phase) {
  switch (phase) {
    case Phase::empty:
      return "nothing open";
    case Phase::building:
      return "building the network";
    case Phase::paused:
      return "paused";
    case Phase::running:
      return "learning";
    case Phase::finished:
      return "finished";
    case Phase::failed:
      return "stopped by an error";
    case Phase::needs_recording:
      return "waiting for the recording";
    case Phase::needs_digits:
      return "waiting for the digits";
    case Phase::needs_vectors:
      return "waiting for the vectors";
  }
  return "";
}

float MatrixView::at(int64_t post, int64_t pre) const {
  if (!sparse) return values[static_cast<size_t>(pre * units + post)];
  const auto begin = pattern->row.begin() + pattern->col_start[pre],
             end = pattern->row.begin() + pattern->col_start[pre + 1];
  const auto it = std::lower_bound(begin, end, static_cast<int32_t>(post));
  return it != end && *it == post ? values[static_cast<size_t>(it - pattern->row.begin())] : 0.0f;
}

bool MatrixView::exists(int64_t post, int64_t pre) const {
  if (!pattern) return true;
  return std::binary_search(pattern->row.begin() + pattern->col_start[pre],
                            pattern->row.begin() + pattern->col_start[pre + 1], static_cast<int32_t>(post));
}

std::vector<double> channel_of(const std::vector<float>& values, int64_t steps, int64_t channels, int64_t which) {
  std::vector<double> y(static_cast<size_t>(steps));
  for (int64_t t = 0; t < steps; ++t)
    y[static_cast<size_t>(t)] = static_cast<double>(values[static_cast<size_t>(t * channels + which)]);
  return y;
}

Live::Live(const LiveOptions& options) : options_(options) {
  history_ = std::make_shared<std::vector<EpochRecord>>();
  auto first = std::make_shared<Snapshot>();
  first->history = history_;
  first->moments = moments_ = std::make_shared<std::vector<int64_t>>();
  latest_ = seen_ = std::move(first);
  if (!threads_available()) options_.own_thread = false;
  if (options_.own_thread) thread_ = std::thread([this] { loop(); });
}

Live::~Live() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    pending_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Live::send(Command command) {
  using enum Command::Kind;
  for (const auto other : {train, open, restart, new_seed, retrain})
    if (command.kind == other) cancel_measuring();
  {
    const std::lock_guard lock(mutex_);
    commands_.push_back(std::move(command));
    pending_ = true;
  }
  wake_.notify_all();
}

void Live::train(const Spec& spec, FilePtr recording, bool play) {
  send({Command::train, std::make_shared<Spec>(spec), nullptr, std::move(recording), play});
}
void Live::open_session(FilePtr file, FilePtr recording) {
  send({Command::open, nullptr, std::move(file), std::move(recording)});
}
void Live::play() {
  send({Command::play, nullptr, nullptr, nullptr});
}
void Live::pause() {
  send({Command::pause, nullptr, nullptr, nullptr});
}
void Live::step() {
  send({Command::step, nullptr, nullptr, nullptr});
}
void Live::step_epoch() {
  send({Command::step_epoch, nullptr, nullptr, nullptr});
}
void Live::restart() {
  send({Command::restart, nullptr, nullptr, nullptr});
}
void Live::new_seed() {
  send({Command::new_seed, nullptr, nullptr, nullptr});
}
void Live::show_trial(int64_t trial) {
  send({Command::trial, nullptr, nullptr, nullptr, false, trial});
}
void Live::preview(FilePtr file, const RecordingSpec& recording) {
  send_file(Command::preview, {std::move(file)}, recording);
}
void Live::give_together(std::vector<FilePtr> files, const RecordingSpec& recording) {
  send_file(Command::together, std::move(files), recording);
}
void Live::give_or_preview(FilePtr file, const RecordingSpec& recording) {
  send_file(Command::give_or_preview, {std::move(file)}, recording);
}
void Live::send_file(Command::Kind kind, std::vector<FilePtr> files, const RecordingSpec& recording) {
  auto spec = std::make_shared<Spec>();
  spec->recording = recording;
  Command command{kind, std::move(spec), files[0], nullptr};
  command.files = std::move(files);
  if (reads_++ == 0) reading_.part = 0;
  command.number = ++reading_.asked;
  send(std::move(command));
}
void Live::give_connectome(const ConnectomeParts& parts, const Spec& spec, FilePtr recording) {
  Command command{Command::connectome, std::make_shared<Spec>(spec), parts.matrix, std::move(recording)};
  command.files = {parts.names, parts.signs, parts.densities};
  send(std::move(command));
}
void Live::give_vectors(FilePtr file, const Spec& spec) {
  send({Command::vectors, std::make_shared<Spec>(spec), std::move(file), nullptr});
}
void Live::carry(bool on, bool input) {
  send({Command::carry, nullptr, nullptr, nullptr, on, input ? 1 : 0});
}
void Live::give_recording(FilePtr file) {
  send({Command::give, nullptr, std::move(file), nullptr});
}
void Live::give_digits(DigitsPtr digits) {
  send({Command::digits, nullptr, nullptr, nullptr, false, 0, Download::session, std::move(digits)});
}
void Live::give_digit_files(const std::array<FilePtr, 4>& files, bool quiet) {
  send({Command::digit_files, nullptr, nullptr, nullptr, quiet, 0, Download::session, nullptr, files});
}
void Live::save(Download what) {
  send({Command::save, nullptr, nullptr, nullptr, false, 0, what});
}

void Live::copy_network(uint64_t request) {
  send({Command::copy, nullptr, nullptr, nullptr, false, static_cast<int64_t>(request)});
}
void Live::perturb(std::vector<Intervention> interventions) {
  Command command{Command::perturb, nullptr, nullptr, nullptr};
  command.interventions = std::move(interventions);
  send(std::move(command));
}
void Live::measure_perturbation() {
  ask(Measurement::perturbation);
}
void Live::study_states() {
  ask(Measurement::states);
}
void Live::study_coactivation() {
  ask(Measurement::coactivation);
}
void Live::ask(Measurement what) {
  Asked& m = measurements_[static_cast<size_t>(what)];
  if (m.asked == m.done) m.part = 0;
  constexpr Command::Kind kinds[] = {Command::measure, Command::states, Command::recovery, Command::coactivation};
  send({kinds[static_cast<size_t>(what)], nullptr, nullptr, nullptr, false, ++m.asked});
}
std::optional<double> Live::measuring(Measurement what) const {
  const Asked& m = measurements_[static_cast<size_t>(what)];
  return m.asked > m.done ? std::optional<double>(m.part) : std::nullopt;
}
void Live::cancel_measuring() {
  for (Asked& m : measurements_) m.cancelled = m.asked.load();
}
std::optional<double> Live::reading() const {
  return reads_ > 0 ? std::optional<double>(reading_.part) : std::nullopt;
}
void Live::cancel_reading() {
  reading_.cancelled = reading_.asked.load();
  // What was read a moment ago and has not been shown counts as being read.
  std::deque<Preview> unseen;
  {
    const std::lock_guard lock(mutex_);
    unseen.swap(previews_);
  }
  for (const Preview& p : unseen) say_reading_cancelled(*p.file);
}
void Live::say_reading_cancelled(const NamedFile& file) {
  say(false, "Reading " + file.name + " was cancelled; nothing has changed");
}
Progress Live::hear_reading(int64_t number) {
  return Progress([this, number](double part) {
    reading_.part = part;
    return !stop_ && number > reading_.cancelled;
  });
}
std::function<bool(double)> Live::goes_on(Measurement what, int64_t number) {
  Asked& m = measurements_[static_cast<size_t>(what)];
  return [this, &m, number](double part) {
    m.part = part;
    return !stop_ && number > m.cancelled;
  };
}
void Live::measure_fits() {
  send({Command::fits, nullptr, nullptr, nullptr});
}
void Live::stop_fits() {
  send({Command::stop_fits, nullptr, nullptr, nullptr});
}
void Live::study_recovery() {
  ask(Measurement::recovery);
}
void Live::look_back(int64_t updates) {
  send({Command::look, nullptr, nullptr, nullptr, false, updates});
}
void Live::retrain(PrunedPtr pruned, bool play) {
  send({Command::retrain, nullptr, nullptr, nullptr, play, 0, Download::session, nullptr, {}, std::move(pruned)});
}

std::shared_ptr<const Snapshot> Live::snapshot() {
  wanted_ = true;
  if (std::unique_lock lock(mutex_, std::try_to_lock); lock) seen_ = latest_;
  return seen_;
}

bool Live::take_file(NamedFile& file) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || files_.empty()) return false;
  file = std::move(files_.front());
  files_.pop_front();
  return true;
}

bool Live::take_notice(Notice& notice) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || notices_.empty()) return false;
  notice = std::move(notices_.front());
  notices_.pop_front();
  return true;
}

bool Live::take_preview(Preview& preview) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || previews_.empty()) return false;
  preview = std::move(previews_.front());
  previews_.pop_front();
  return true;
}

bool Live::take_network(NetworkPtr& network) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || networks_.empty()) return false;
  network = std::move(networks_.front());
  networks_.pop_front();
  return true;
}

void Live::say(bool error, std::string text) {
  const std::lock_guard lock(mutex_);
  notices_.push_back({error, std::move(text)});
}

void Live::loop() {
  for (;;) {
    std::deque<Command> todo;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stop_ || !commands_.empty() || running() || fit_job_; });
      if (stop_) return;
      todo.swap(commands_);
      pending_ = false;
    }
    obey_all(todo);
    while ((running() || fit_job_) && !pending_) {
      advance_fits(false);
      if (!running()) continue;
      after(trainer_->step());
      if (pace_ > 0) {
        std::unique_lock lock(mutex_);
        wake_.wait_until(lock, next_update_, [this] { return pending_.load(); });
      }
    }
  }
}

void Live::pump(double seconds) {
  if (options_.own_thread) return;
  std::deque<Command> todo;
  {
    const std::lock_guard lock(mutex_);
    todo.swap(commands_);
    pending_ = false;
  }
  obey_all(todo);
  const Clock::time_point start = Clock::now();
  while (fit_job_ && Seconds(Clock::now() - start).count() < (running() ? seconds / 2 : seconds)) advance_fits(true);
  while (running() && Seconds(Clock::now() - start).count() < seconds && (pace_ <= 0 || Clock::now() >= next_update_))
    after(trainer_->advance());
}

void Live::obey_all(const std::deque<Command>& commands) {
  for (const Command& c : commands) {
    try {
      obey(c);
    } catch (const std::bad_alloc&) {
      say(true, "There is not enough memory for this; make the network, training.batch or task.steps smaller");
    } catch (const std::exception& e) {
      say(true, e.what());
    }
    if (c.kind == Command::preview || c.kind == Command::together || c.kind == Command::give_or_preview) --reads_;
    if (c.kind == Command::measure) measurements_[static_cast<size_t>(Measurement::perturbation)].done = c.number;
    if (c.kind == Command::states) measurements_[static_cast<size_t>(Measurement::states)].done = c.number;
    if (c.kind == Command::recovery) measurements_[static_cast<size_t>(Measurement::recovery)].done = c.number;
    if (c.kind == Command::coactivation) measurements_[static_cast<size_t>(Measurement::coactivation)].done = c.number;
  }
}

void Live::open(FilePtr file, FilePtr recording) {
  Result<Session> session = read_session(file->content(), file->name);
  if (!session) {
    say(true, session.error().text());
    return;
  }
  const FilePtr waited = std::exchange(waiting_session_, file);
  if (session->spec.task.type == "n-back-latent" && session->spec.task.sha256.empty())
    session->spec.task.sha256 = session->provenance.data_sha256;
  build(session->spec, std::move(recording), false, &*session, nullptr);
  if (read_cancelled_) waiting_session_ = waited;
}

void Live::give(FilePtr file) {
  if (waiting_for_vectors())
    take_vectors(file, *waiting_spec_);
  else if (waiting_session_)
    open(waiting_session_, std::move(file));
  else if (waiting_spec_)
    build(*waiting_spec_, std::move(file), true, nullptr, carried_);
}

bool Live::reading_stopped(const NamedFile& file, int64_t number) {
  if (number <= reading_.cancelled) {
    say_reading_cancelled(file);
    return true;
  }
  if (!file.on_disk.changed()) return false;
  say(true, file.name + " was written into since it was opened; open it again");
  return true;
}

void Live::read_preview(FilePtr file, const RecordingSpec& spec, int64_t number) {
  if (reading_stopped(*file, number)) return;
  const std::span<const std::byte> bytes = file->content();
  Preview p{file, spec, nullptr, "", {}};
  p.suite2p = is_suite2p_bundle(bytes);
  const bool choices = holds_arrays(bytes) || is_long_table(as_text(bytes));
  FileContents read = read_contents(bytes, file->name, p.spec, hear_reading(number));
  if (stop_ || (!read.recording && reading_stopped(*file, number))) return;
  if (choices && read.arrays) {
    p.arrays = std::move(read.arrays->arrays);
    p.conditions = std::move(read.arrays->conditions);
    p.series = std::move(read.arrays->series);
  }
  if (read.recording) {
    p.recording = std::make_shared<Recording>(std::move(*read.recording));
    Spec key;
    key.recording = spec;
    key.recording.array = p.recording->array;
    key.recording.sha256 = p.recording->sha256;
    previewed_file_ = file;
    previewed_ = p.recording;
    previewed_key_ = recording_key(key);
  } else {
    p.error = read.recording.error().text();
  }
  {
    const std::lock_guard lock(mutex_);
    if (number > reading_.cancelled) return previews_.push_back(std::move(p));
  }
  say_reading_cancelled(*file);
}

void Live::obey(const Command& command) {
  // What needs a network says nothing when there is none.
  switch (command.kind) {
    case Command::train: {
      const FilePtr waited = std::exchange(waiting_session_, nullptr);
      build(*command.spec, command.recording, command.flag, nullptr, carried_);
      if (read_cancelled_) waiting_session_ = waited;
      return;
    }
    case Command::open:
      open(command.file, command.recording);
      return;
    case Command::give:
      give(command.file);
      return;
    case Command::vectors:
      take_vectors(command.file, *command.spec);
      return;
    case Command::carry:
      carry_now(command.flag, command.number != 0);
      return;
    case Command::connectome:
      take_connectome(command);
      return;
    case Command::digits:
      take_digits(command.digits_given);
      return;
    case Command::digit_files: {
      const auto& f = command.digit_files_given;
      Result<DigitSet> train = read_digit_set(f[0]->bytes, f[0]->name, f[1]->bytes, f[1]->name);
      if (!train) return say(true, train.error().text());
      Result<DigitSet> test = read_digit_set(f[2]->bytes, f[2]->name, f[3]->bytes, f[3]->name);
      if (!test) return say(true, test.error().text());
      const int64_t to_train = train->count, to_test = test->count;
      // A session or experiment that starts with them says by that alone that they are here.
      const bool silent = command.flag || waiting_for_digits();
      take_digits(std::make_shared<Digits>(Digits{std::move(*train), std::move(*test)}));
      if (!silent)
        say(false, "The digits are here: " + std::to_string(to_train) + " for training and " + std::to_string(to_test) +
                       " for the test. Open an experiment with digits to train on them.");
      return;
    }
    case Command::preview:
      read_preview(command.file, command.spec->recording, command.number);
      return;
    case Command::give_or_preview: {
      const FilePtr& file = command.file;
      if (waiting_for_.empty()) return read_preview(file, command.spec->recording, command.number);
      if (reading_stopped(*file, command.number)) return;
      const std::string sha = sha256_hex(file->content(), hear_reading(command.number).part(0, 0.1));
      if (sha.empty()) return (void)reading_stopped(*file, command.number);
      if (sha == waiting_for_) return give(file);
      say(false, file->name +
                     " is not the recording this experiment was made with (its SHA-256 differs); "
                     "it is shown so that you can train on it instead");
      return read_preview(file, command.spec->recording, command.number);
    }
    case Command::together: {
      Entries files;
      for (const FilePtr& f : command.files) {
        if (reading_stopped(*f, command.number)) return;
        const std::span<const std::byte> content = f->content();
        files.emplace_back(f->name, ByteVector(content.begin(), content.end()));
      }
      Result<ByteVector> bundle = make_bundle(std::move(files));
      if (!bundle) return say(true, bundle.error().text());
      const auto file = std::make_shared<NamedFile>(NamedFile{name_together(command.files), std::move(*bundle)});
      if (!waiting_for_.empty() && sha256_hex(file->bytes) == waiting_for_) return give(file);
      read_preview(file, command.spec->recording, command.number);
      return;
    }
    default:
      break;
  }
  if (!trainer_) return;
  switch (command.kind) {
    case Command::play:
      if (phase_ == Phase::paused) phase_ = Phase::running;
      break;
    case Command::pause:
      if (phase_ == Phase::running) phase_ = Phase::paused;
      break;
    case Command::step:
    case Command::step_epoch:
      if (phase_ == Phase::paused || phase_ == Phase::running) {
        phase_ = Phase::running;
        (command.kind == Command::step ? stop_at_update_ : stop_at_epoch_) = true;
      }
      break;
    case Command::restart:
    case Command::new_seed: {
      const bool again = command.kind == Command::restart;  // a new seed is a new network, whole
      Spec spec = pruned_ && !again ? pruned_->before : setup_->spec;
      if (!again) ++spec.seed;
      if (setup_->origin && !started_from_)
        say(false, "The weights that this network began with are not here: it begins with its own");
      build(spec, recording_, phase_ != Phase::paused, nullptr, again && pruned_ ? nullptr : started_from_,
            again ? pruned_ : nullptr);
      return;
    }
    case Command::copy:
      copy_for(static_cast<uint64_t>(command.number));
      return;
    case Command::retrain:
      if (command.pruned->network == setup_->serial)
        build(command.pruned->spec, recording_, command.flag, nullptr, nullptr, command.pruned);
      else
        say(true, "Another network was opened before the pruned one could be trained; prune the one shown now");
      return;
    case Command::trial:
      trial_chosen_ = true;
      trial_ = setup_->held_out_trials > 0 ? std::clamp<int64_t>(command.number, 0, setup_->held_out_trials - 1) : 0;
      traced_ = {};
      publish(true);
      return;
    case Command::perturb:
      interventions_ = command.interventions;
      if (std::any_of(interventions_.begin(), interventions_.end(),
                      [&](const Intervention& v) { return v.units.end > trainer_->model().units; }))
        interventions_.clear();  // meant for another network
      traced_ = {};
      publish(true);
      return;
    case Command::measure:
      measure_now(command.number);
      return;
    case Command::states:
      study_now(command.number);
      return;
    case Command::fits:
      begin_fits();
      return;
    case Command::stop_fits:
      fit_job_ = nullptr;
      publish(phase_ != Phase::running);
      return;
    case Command::recovery:
      recover_now(command.number);
      return;
    case Command::coactivation:
      correlate_now(command.number);
      return;
    case Command::look:
      look(command.number);
      return;
    case Command::save:
      make_file(command.what);
      return;
    default:
      break;
  }
  rate_from_ = {};
  publish(phase_ != Phase::running);
}

void Live::take_digits(DigitsPtr digits) {
  digits_ = std::move(digits);
  if (!waiting_for_digits()) return publish(false);
  if (waiting_session_)
    open(waiting_session_, nullptr);
  else
    build(Spec(*waiting_spec_), nullptr, true, nullptr, carried_);
}

void Live::take_vectors(const FilePtr& file, const Spec& wanted) {
  Result<Latents> read = read_latents(file->content(), file->name);
  if (!read) return say(true, read.error().text());
  vectors_ = std::make_shared<Latents>(std::move(*read));
  const uint64_t before = builds_;
  if (waiting_session_ && waiting_for_vectors()) {
    open(waiting_session_, nullptr);
  } else {
    Spec spec = waiting_for_vectors() ? *waiting_spec_ : wanted;
    spec.task.sha256 = vectors_->sha256;
    build(spec, nullptr, true, nullptr, carried_);
  }
  if (builds_ == before) return;
  std::string notes;
  for (const std::string& note : setup_->notes) notes += (notes.empty() ? "" : ". ") + note;
  say(false, notes);
}

void Live::carry_now(bool on, bool input) {
  const Keep keep = input ? Keep::recurrent_and_input : Keep::recurrent;
  if (!on) {
    carried_ = nullptr;
  } else if (carried_) {
    Parent again = *carried_;
    again.origin.keep = name_of(keep);
    carried_ = std::make_shared<Parent>(std::move(again));
  } else if (trainer_) {
    carried_ = std::make_shared<Parent>(parent_of(*trainer_, keep));
  }
  publish(false);
}

void Live::follow_history() {
  history_ = std::make_shared<std::vector<EpochRecord>>(trainer_->history());
  const Confusion& c = trainer_->confusion();
  answers_ = c.count.empty() ? nullptr : std::make_shared<Confusion>(c);
  pruned_losses_ = trainer_->pruned_losses() ? std::make_shared<EpochRecord>(*trainer_->pruned_losses()) : nullptr;
  if (dense_of_ == trainer_->dense_checkpoint()) return;
  dense_of_ = trainer_->dense_checkpoint();
  dense_ = dense_of_ ? std::make_shared<MatrixView>(view_of(dense_of_->W_rec, nullptr)) : nullptr;
}

void Live::take_connectome(const Command& command) {
  Spec spec = *command.spec;
  const ConnectomeParts last = connectome_;
  const FilePtr& some = command.file       ? command.file
                        : command.files[0] ? command.files[0]
                        : command.files[1] ? command.files[1]
                                           : command.files[2];
  if (command.file) {
    spec.connectome.source = "file";
    spec.connectome.sha256.clear();
    spec.connectome.array.clear();
    spec.connectome.kinds.clear();
    spec.connectivity = {};
    spec.structure = {};
    spec.measured = nullptr;
    connectome_ = {command.file, {}, {}, {}};
  } else if (!connectome_.matrix) {
    return say(true, some->name + " belongs to a matrix or a list of links that is not here; drop them together");
  }
  if (command.files[0]) connectome_.names = command.files[0];
  if (command.files[1]) connectome_.signs = command.files[1];
  if (command.files[2]) connectome_.densities = command.files[2];
  const uint64_t before = builds_;
  build(spec, command.recording ? command.recording : recording_, true, nullptr, carried_);
  if (builds_ == before) connectome_ = last;
  if (builds_ == before || !setup_->spec.measured) return;
  const Connectome& c = *setup_->spec.measured;
  std::string notes;
  for (const std::string& note : c.notes) notes += "; " + note;
  if (!densities_.empty() && c.density.empty())
    notes += "; its densities are used once Density scaling is rank or ratio";
  say(false, c.source + " is the network now: " + std::to_string(c.nodes) + " nodes, " + std::to_string(c.links()) +
                 " links" + notes + ". The Connectome tab shows it, turns it round and scales it");
}

// The connectome that the experiment asks for: from the file given, else the one it brings along.
Status Live::connect(Spec& spec, const Recording* recording) {
  ConnectomeSpec& k = spec.connectome;
  for (std::string* path : {&k.file, &k.names, &k.signs, &k.densities}) path->clear();
  const std::vector<double> before = std::exchange(densities_, {});
  if (k.source != "file") return attach_own_connectome(spec);
  const auto attach = [&](Connectome c) {
    densities_ = c.density;
    if (!uses_densities(k, c.density)) c.density.clear();
    if (k.nodes != "recorded") return attach_connectome(spec, std::move(c));
    if (recording == nullptr)
      return Status(Error{"connectome.nodes",
                          "is recorded, but there is no recording: drop it on this window together "
                          "with the list of links"});
    Result<Connectome> nodes = recorded_nodes(c, recording->names);
    return nodes ? attach_connectome(spec, std::move(*nodes)) : Status(nodes.error());
  };
  const FilePtr& matrix = connectome_.matrix;
  if (matrix && (!spec.measured || spec.measured->sha256 == sha256_hex(matrix->content()))) {
    const auto bytes_of = [](const FilePtr& f) { return f ? f->content() : std::span<const std::byte>(); };
    Result<Connectome> read =
        read_connectome({matrix->content(), bytes_of(connectome_.names), bytes_of(connectome_.signs),
                         bytes_of(connectome_.densities), matrix->name},
                        k);
    if (!read) return read.error();
    return attach(std::move(*read));
  }
  if (spec.measured) {  // a session's: what it was given with stays known
    const Status ok = attach(*spec.measured);
    if (densities_.empty() && setup_ && setup_->spec.measured && setup_->spec.measured->sha256 == spec.measured->sha256)
      densities_ = before;
    return ok;
  }
  if (k.nodes == "recorded")
    return Error{"connectome.source",
                 "is a file that is not here: drop the recording, the list of links between its "
                 "neurons and their transmitters on this window, all together"};
  return Error{"connectome.source", "is a file that is not here: drop the matrix or the list of links on this window"};
}

// Its mask, with progress; an error where it was cancelled.
Result<std::shared_ptr<const Pattern>> Live::scale(const Spec& spec, int64_t run) {
  Asked& m = measurements_[static_cast<size_t>(Measurement::scaling)];
  const int64_t number = ++m.asked;
  m.part = 0;
  Result<std::shared_ptr<const Pattern>> mask =
      connectome_pattern(spec, run, nullptr, goes_on(Measurement::scaling, number));
  m.done = number;
  return mask;
}

// Keeps what was there when the new experiment cannot be built.
void Live::build(const Spec& given, FilePtr file, bool play, const Session* session, ParentPtr parent,
                 PrunedPtr pruned) {
  read_cancelled_ = false;
  const auto refuse = [&](const Error& error) { say(true, error.text()); };
  Spec spec = given;
  spec.recording.file.clear();  // a path belongs to somebody's disk
  spec.task.folder.clear();
  spec.task.file.clear();
  if (trainer_ == nullptr) {
    phase_ = Phase::building;
    publish(false);
  }
  const auto give_up = [&](const Error& error) {
    if (trainer_ == nullptr) phase_ = Phase::empty;
    refuse(error);
    publish(true);
  };

  const auto wait_for_digits = [&] {
    if (trainer_ == nullptr) phase_ = Phase::needs_digits;
    waiting_for_.clear();  // that is a recording
    waiting_spec_ = std::make_shared<Spec>(spec);
    publish(true);
  };

  // One of recorded neurons alone needs the recording first.
  const bool after_recording = spec.connectome.nodes == "recorded" && spec.task.type == "recording" &&
                               (file != nullptr || !spec.recording.sha256.empty());
  if (!after_recording)
    if (Status ok = connect(spec); !ok) return give_up(ok.error());
  std::shared_ptr<const Recording> recording;
  if (spec.task.type == "recording") {
    const int64_t number = ++reading_.asked;
    // The one given, else the one that is here already.
    for (const FilePtr& one : {file, spec.recording.sha256.empty() ? nullptr : recording_}) {
      if (one == nullptr || recording != nullptr) continue;
      const std::string key = recording_key(spec);
      if (parsed_ && one == recording_ && key == parsed_key_) {
        recording = parsed_;
      } else if (one == previewed_file_.lock() && key == previewed_key_) {
        recording = previewed_.lock();
      }
      if (recording == nullptr) {
        if (reads_++ == 0) reading_.part = 0;
        const std::shared_ptr<void> counted(nullptr, [this](void*) { --reads_; });
        const Progress progress = hear_reading(number);
        bool stopped = reading_stopped(*one, number), another = false;
        Result<Recording> read = cancelled(one->name);
        if (!stopped) read = read_recording(one->content(), one->name, spec.recording, progress);
        if (!stopped && !read) {
          stopped = reading_stopped(*one, number);
          another = !stopped && !spec.recording.sha256.empty() && sha256_hex(one->content()) != spec.recording.sha256;
        }
        if (stopped) {
          read_cancelled_ = true;
          if (trainer_ == nullptr) phase_ = !waiting_for_.empty() ? Phase::needs_recording : Phase::empty;
          if (trainer_ == nullptr && waiting_for_digits()) phase_ = Phase::needs_digits;
          return publish(true);
        }
        if (another) continue;
        if (!read) return give_up(read.error());
        recording = std::make_shared<Recording>(std::move(*read));
      }
      spec.recording.sha256 = recording->sha256;
      recording_ = one;
      parsed_ = recording;
      parsed_key_ = recording_key(spec);
    }
    if (recording == nullptr && !spec.recording.sha256.empty()) {
      if (trainer_ == nullptr) phase_ = Phase::needs_recording;
      waiting_for_ = spec.recording.sha256;
      waiting_spec_ = std::make_shared<Spec>(spec);
      say(false,
          "This experiment was made with a recording that is not here: give the file whose SHA-256 begins with " +
              spec.recording.sha256.substr(0, 12) + " (drop it on the window or open it)");
      publish(true);
      return;
    }
  }
  if (after_recording)
    if (Status ok = connect(spec, recording.get()); !ok) return give_up(ok.error());
  const bool on_digits = spec.task.type == "digits" || spec.task.type == "n-back-digits";
  if (on_digits && digits_ == nullptr) {
    if (options_.find_digits) {
      Result<Digits> found = options_.find_digits();
      if (found)
        digits_ = std::make_shared<Digits>(std::move(*found));
      else
        say(true, found.error().text() + "; or drop the four files on this window, then it starts");
    }
    if (digits_ == nullptr) {
      ++digits_asked_;
      return wait_for_digits();
    }
  }
  if (spec.task.type == "digits" && digits_too_few(spec, *digits_)) {
    say(true, "This experiment asks for " + std::to_string(spec.task.train + spec.task.validation) + " + " +
                  std::to_string(spec.task.held_out) + " digits (to train and validate + held out), but " +
                  std::to_string(digits_->train.count) + " + " + std::to_string(digits_->test.count) +
                  " are here: drop the four IDX files of the whole set (train-images-idx3-ubyte and so on) on this "
                  "window, then it starts; or open the experiment with fewer of them");
    return wait_for_digits();
  }
  const bool on_vectors = spec.task.type == "n-back-latent";
  if (on_vectors && (!vectors_ || (!spec.task.sha256.empty() && spec.task.sha256 != vectors_->sha256))) {
    if (trainer_ == nullptr) phase_ = Phase::needs_vectors;
    waiting_for_ = spec.task.sha256;
    waiting_spec_ = std::make_shared<Spec>(spec);
    say(false,
        "This experiment shows latent vectors that are not here: drop their file on this window (NPZ, NPY or CSV, "
        "with labels), then it starts" +
            (waiting_for_.empty() ? ""
                                  : "; it was made with one whose SHA-256 begins with " + waiting_for_.substr(0, 12)));
    return publish(true);
  }
  if (on_vectors) spec.task.sha256 = vectors_->sha256;
  const int64_t run = session ? session->state.run : pruned ? pruned->run : 0;
  Result<Dataset> data = make_dataset(spec, recording.get(), run, digits_.get(), vectors_.get());
  if (!data) return give_up(data.error());
  auto setup = std::make_shared<Setup>();
  setup->channel_names = data->channel_names;
  setup->output_names = data->output_names;
  setup->loss_unit = data->unit;
  setup->dt_s = data->dt_s;
  if (data->loss == Loss::cross_entropy) {
    setup->classes = data->held_out.outputs;
    setup->commonest = share_of_commonest(data->held_out, setup->classes);
  }
  setup->held_out_trials = data->held_out.count;
  setup->source_recording = recording;
  if (recording) setup->recording_file = recording_;
  if (on_digits) setup->source_digits = digits_;
  if (on_vectors) setup->source_latents = vectors_;
  setup->notes = data->notes;
  if (data->recording) setup->recording = std::make_shared<Recording>(*data->recording);
  if (data->baselines) setup->baselines = std::make_shared<Baselines>(data->baselines->held_out);
  if (data->prepared) setup->prepared = std::make_shared<Prepared>(*data->prepared);
  TrainerOptions options;
  options.threads = options_.own_thread ? options_.threads : 1;
  if (spec.measured && !pruned) {
    Result<std::shared_ptr<const Pattern>> mask = scale(spec, run);
    if (!mask && pending_) return;  // for what was asked for since
    if (!mask) return give_up(mask.error());
    options.known = std::move(*mask);
    if (static_cast<int64_t>(densities_.size()) == spec.measured->nodes) setup->densities = densities_;
  }
  if (pruned) {
    options.mask = pruned->mask;
    options.start = pruned->start;
  }
  if (parent) {
    Result<Transfer> transfer = transfer_to(*parent, spec, data->ends, run, options.known);
    if (transfer) {
      start_from(std::move(*transfer), options);
    } else if (parent == carried_) {
      say(true, transfer.error().text() + ". This network starts from its own weights; the kept ones wait for another");
      parent = nullptr;
    } else {
      return give_up(transfer.error());
    }
  }
  Result<std::unique_ptr<Trainer>> made = Trainer::create(spec, std::move(*data), run, options);
  if (!made) return give_up(made.error());
  if (session)
    if (Status ok = (*made)->restore(session->state); !ok) return give_up(ok.error());

  fit_job_ = nullptr;  // reads the data of the trainer before
  fits_ = nullptr;
  trainer_ = std::move(*made);
  run_ = run;
  waiting_for_.clear();
  waiting_spec_ = nullptr;
  waiting_session_ = nullptr;
  setup->serial = ++builds_;
  setup->spec = trainer_->spec();
  pruned_ = std::move(pruned);
  held_out_ = nullptr;
  interventions_.clear();
  perturbed_ = nullptr;
  states_ = nullptr;
  recovered_ = nullptr;
  trace_ = nullptr;
  back_ = std::nullopt;
  timeline_.clear();
  timeline_.offer(0, trainer_->initial(), trainer_->stage() == Stage::fine_tuning ? nullptr : trainer_->shared_mask());
  keep_moment();
  setup->own_mask = trainer_->own_mask();
  if (trainer_->origin() != nullptr) setup->origin = *trainer_->origin();
  started_from_ = std::move(parent);
  coactivation_ = nullptr;
  setup->link = encode_link(pruned_ ? pruned_->before : setup->spec);
  for (size_t p = 0; p < spec.populations.size(); ++p)
    setup->populations.push_back(
        {spec.populations[p].name, spec.populations[p].sign, trainer_->model().populations[p]});
  // The start of a training in stages is whole, also where its session goes on after the pruning.
  setup->initial = std::make_shared<MatrixView>(
      view_of(trainer_->initial().W_rec, trainer_->stage() == Stage::fine_tuning ? nullptr : trainer_->shared_mask()));
  setup->batches_per_epoch = trainer_->batches_per_epoch();
  setup->threads = trainer_->threads();
  setup->isa = isa_name(trainer_->isa());
  setup_ = std::move(setup);
  follow_history();
  losses_.clear();
  loss_stride_ = 1;
  stop_at_update_ = stop_at_epoch_ = false;
  if (!trial_chosen_) trial_ = liveliest(trainer_->data().held_out);
  trial_ = std::min(trial_, std::max<int64_t>(0, setup_->held_out_trials - 1));
  rate_from_ = {};
  rate_ = 0;
  phase_ = trainer_->finished() ? Phase::finished : play ? Phase::running : Phase::paused;
  publish(true);
}

void Live::after(Trainer::Event event) {
  using Event = Trainer::Event;
  if (event == Event::update) {
    keep_moment();
    if (const double pace = pace_; pace > 0)
      next_update_ = std::max(next_update_ + std::chrono::duration_cast<Clock::duration>(Seconds(1 / pace)),
                              Clock::now() - std::chrono::milliseconds(20));
    if (trainer_->updates() % loss_stride_ == 0) {
      losses_.push_back({static_cast<double>(trainer_->updates()), trainer_->last_loss()});
      if (losses_.size() >= most_loss_points) {  // every second one, from now on half as often
        for (size_t k = 0; k < losses_.size() / 2; ++k) losses_[k] = losses_[2 * k + 1];
        losses_.resize(losses_.size() / 2);
        loss_stride_ *= 2;
      }
    }
    const Clock::time_point now = Clock::now();
    if (rate_from_ == Clock::time_point{}) {
      rate_from_ = now;
      rate_updates_ = trainer_->updates();
    } else if (const double s = Seconds(now - rate_from_).count(); s > 0.5) {
      const double fresh = static_cast<double>(trainer_->updates() - rate_updates_) / s;
      rate_ = rate_ > 0 ? 0.5 * (rate_ + fresh) : fresh;
      rate_from_ = now;
      rate_updates_ = trainer_->updates();
    }
  }
  if (event == Event::epoch || event == Event::pruned || trainer_->history().size() != history_->size())
    follow_history();
  bool exact = false;
  if (event == Event::failed || event == Event::finished) {
    phase_ = event == Event::failed ? Phase::failed : Phase::finished;
    follow_history();
    exact = true;
  } else if (event == Event::epoch && trainer_->finished()) {
    phase_ = Phase::finished;
    exact = true;
  } else if ((event == Event::update && stop_at_update_) || (event == Event::epoch && stop_at_epoch_)) {
    phase_ = Phase::paused;
    exact = true;
  }
  if (exact) {
    stop_at_update_ = stop_at_epoch_ = false;
    publish(true);
  } else if (event != Event::working) {
    publish_if_due();  // never within an update
  }
}

void Live::publish_if_due() {
  if (!watched_ || !wanted_) return;
  const double since = Seconds(Clock::now() - published_).count();
  if (since < snapshot_every_s || publish_cost_ > watching_share * since) return;
  publish(false);
}

// `exact`: everything is of this very moment; else hash and trace are renewed as their cost allows.
void Live::publish(bool exact) {
  const Clock::time_point start = Clock::now();
  auto s = std::make_shared<Snapshot>();
  s->serial = ++snapshots_;
  s->phase = phase_;
  s->waiting_for = waiting_for_;
  s->digits = digits_;
  s->wants_digits = waiting_for_digits();
  s->digits_asked = digits_asked_;
  s->setup = setup_;
  s->history = history_;
  s->answers = answers_;
  s->perturbed = perturbed_;
  s->perturbed_updates = perturbed_updates_;
  s->states = states_;
  s->states_updates = states_updates_;
  s->coactivation = coactivation_;
  s->coactivation_updates = coactivation_updates_;
  s->carried = carried_;
  s->wants_vectors = waiting_for_vectors();
  s->fits = fits_;
  s->fits_updates = fits_updates_;
  s->fitting = fit_job_ ? fit_job_->progress() : -1;
  s->recovered = recovered_;
  s->recovered_updates = recovered_updates_;
  s->looking_back = back_.has_value();
  if (moments_->size() != timeline_.moments().size() ||
      (!moments_->empty() && moments_->back() != timeline_.moments().back().updates)) {
    auto list = std::make_shared<std::vector<int64_t>>();
    for (const Moment& m : timeline_.moments()) list->push_back(m.updates);
    moments_ = std::move(list);
  }
  s->moments = moments_;
  s->batch_losses = losses_;
  s->updates_per_s = phase_ == Phase::running ? rate_ : 0;
  if (trainer_) {
    s->epoch = trainer_->epoch();
    s->batch = trainer_->batch();
    s->updates = trainer_->updates();
    s->total_updates = setup_->spec.all_epochs() * setup_->batches_per_epoch;
    s->stage = trainer_->stage();
    s->stage_epoch = trainer_->stage_epoch();
    s->stage_epochs = trainer_->stage_epochs();
    s->dense = dense_;
    s->pruned = pruned_losses_;
    if (phase_ == Phase::finished && trainer_->kept_epoch() != trainer_->epoch())
      s->kept_epoch = trainer_->kept_epoch();
    s->last_loss = trainer_->last_loss();
    s->failure = trainer_->failure();
    if (!back_) {
      weights_ = std::make_shared<MatrixView>(view_of(trainer_->model().parameters.W_rec, trainer_->shared_mask()));
      audit_ = trainer_->audit();
    }
    const auto due = [&](Clock::time_point last, double cost) {
      return exact || (!back_ && cost <= watching_share * Seconds(start - last).count());
    };
    if (!back_ && due(hashed_, hash_cost_)) {
      const Clock::time_point begin = Clock::now();
      hash_ = hash_text(trainer_->hash());
      hash_updates_ = s->updates;
      hash_cost_ = Seconds(Clock::now() - begin).count();
      hashed_ = begin;
    }
    if (setup_->held_out_trials > 0 && due(traced_, trace_cost_)) {
      const Clock::time_point begin = Clock::now();
      const Trials& split = trainer_->data().held_out;
      Trainer::Trace trace = trainer_->trace(split, trial_, {}, &shown_model());
      auto view = std::make_shared<TraceView>();
      view->trial = trial_;
      view->steps = trace.steps;
      view->input = std::move(trace.input);
      view->target = std::move(trace.target);
      view->output = std::move(trace.output);
      view->activity = std::move(trace.activity);
      if (!interventions_.empty()) {
        Trainer::Trace changed = trainer_->trace(split, trial_, interventions_, &shown_model());
        view->perturbed_output = std::move(changed.output);
        view->perturbed_activity = std::move(changed.activity);
      }
      if (!split.scored.empty()) {
        const auto from = split.scored.begin() + trial_ * split.steps * split.outputs;
        view->scored.assign(from, from + split.steps * split.outputs);
      }
      if (setup_->classes > 0) {
        const auto from = split.label.begin() + trial_ * split.steps;
        view->label.assign(from, from + split.steps);
      }
      trace_ = std::move(view);
      trace_cost_ = Seconds(Clock::now() - begin).count();
      traced_ = begin;
    }
    s->weights = weights_;
    s->trace = trace_;
    s->hash = hash_;
    s->hash_updates = hash_updates_;
    s->audit = audit_;
  }
  {
    const std::lock_guard lock(mutex_);
    latest_ = std::move(s);
  }
  wanted_ = false;
  published_ = Clock::now();
  publish_cost_ = exact ? publish_cost_ : Seconds(published_ - start).count();
}

void Live::keep_moment() {
  timeline_.offer(trainer_->updates(), trainer_->model().parameters, trainer_->shared_mask());
}

int64_t Live::shown_updates() const {
  return back_ ? back_->updates : trainer_->updates();
}

std::shared_ptr<const Pattern> Live::shown_mask() const {
  return back_ ? back_->mask : trainer_->shared_mask();
}

const Model& Live::shown_model() {
  return back_ ? back_model_ : trainer_->model();
}

void Live::look(int64_t updates) {
  const Moment* moment = updates < 0 ? nullptr : timeline_.nearest(updates);
  if (moment == nullptr && !back_) return;
  if (moment != nullptr && back_ && back_->updates == moment->updates) return;
  back_ = moment ? std::optional<Moment>(*moment) : std::nullopt;
  back_model_ = Model();
  if (back_) {
    back_model_ = trainer_->model();
    back_model_.parameters = *back_->parameters;
    weights_ = std::make_shared<MatrixView>(view_of(back_model_.parameters.W_rec, back_->mask));
    audit_ = dalea::audit(back_model_, back_->mask.get());
    hash_ = hash_text(hash_of(back_model_.parameters));
    hash_updates_ = back_->updates;
  }
  publish(true);
}

void Live::study_now(int64_t number) {
  Workers workers(setup_->threads);
  Result<StateStudy> study =
      dalea::study_states(shown_model(), trainer_->data(), setup_->spec.training.batch, most_state_trials,
                          {0, trainer_->model().units}, trainer_->isa(), workers, goes_on(Measurement::states, number));
  if (!study && number <= measurements_[static_cast<size_t>(Measurement::states)].cancelled) return;
  if (!study) return say(true, study.error().text());
  states_ = std::make_shared<StateStudy>(std::move(*study));
  states_updates_ = shown_updates();
  publish(phase_ != Phase::running);
}

void Live::correlate_now(int64_t number) {
  Workers workers(setup_->threads);
  CoactivationOptions options;
  options.seed = setup_->spec.seed;
  Result<Coactivation> study =
      dalea::study_coactivation(shown_model(), trainer_->data(), setup_->spec.populations, setup_->spec.training.batch,
                                trainer_->isa(), workers, options, goes_on(Measurement::coactivation, number));
  if (!study && number <= measurements_[static_cast<size_t>(Measurement::coactivation)].cancelled) return;
  if (!study) return say(true, study.error().text());
  coactivation_ = std::make_shared<Coactivation>(std::move(*study));
  coactivation_updates_ = shown_updates();
  publish(phase_ != Phase::running);
}

void Live::begin_fits() {
  const Dataset& data = trainer_->data();
  fit_job_ = nullptr;  // works with them
  fit_workers_ = std::make_unique<Workers>(setup_->threads);
  Result<std::unique_ptr<FitJob>> job =
      FitJob::create(shown_model(), data, data.recording ? unit_labels(*data.recording) : std::vector<std::string>(),
                     setup_->spec.seed, setup_->spec.training.batch, trainer_->isa(), *fit_workers_);
  if (!job) return say(true, job.error().text());
  fit_job_ = std::move(*job);
  fit_job_updates_ = shown_updates();
  publish(phase_ != Phase::running);
}

// One piece, where there is a job; what it found is shown when it is done.
void Live::advance_fits(bool small) {
  if (!fit_job_) return;
  bool done = false;
  try {
    done = fit_job_->advance(small);
  } catch (const std::bad_alloc&) {
    fit_job_ = nullptr;
    return say(true, "There is not enough memory to measure the fits; make the recording or its held-out part smaller");
  }
  if (!done) {
    if (Seconds(Clock::now() - fit_told_).count() < 0.2) return;
  } else {
    Result<Fits> found = fit_job_->result();
    fit_job_ = nullptr;
    if (found) {
      fits_ = std::make_shared<Fits>(std::move(*found));
      fits_updates_ = fit_job_updates_;
    } else {
      say(true, found.error().text());
    }
  }
  fit_told_ = Clock::now();
  publish(false);
}

void Live::recover_now(int64_t number) {
  Result<RecoveryStudy> study = dalea::study_recovery(shown_model(), trainer_->data(), setup_->spec, usual_lags,
                                                      goes_on(Measurement::recovery, number));
  if (!study && number <= measurements_[static_cast<size_t>(Measurement::recovery)].cancelled) return;
  if (!study) return say(true, study.error().text());
  recovered_ = std::make_shared<RecoveryStudy>(std::move(*study));
  recovered_updates_ = shown_updates();
  publish(phase_ != Phase::running);
}

void Live::copy_for(uint64_t request) {
  if (!held_out_) {
    const Dataset& all = trainer_->data();
    auto part = std::make_shared<Dataset>();
    part->held_out = all.held_out;
    part->loss = all.loss;
    part->ends = all.ends;
    part->unit = all.unit;
    held_out_ = std::move(part);
  }
  auto copy = std::make_shared<NetworkCopy>();
  copy->request = request;
  copy->network = setup_->serial;
  copy->updates = shown_updates();
  copy->looked_back = back_.has_value();
  copy->run = run_;
  copy->spec = setup_->spec;
  copy->model = shown_model();
  copy->data = held_out_;
  copy->hash = hash_text(hash_of(copy->model.parameters));
  const std::lock_guard lock(mutex_);
  networks_.push_back(std::move(copy));
}

void Live::measure_now(int64_t number) {
  if (interventions_.empty())
    return say(true, "Nothing is perturbed yet; choose a population to silence or to drive first");
  auto study = std::make_shared<PerturbStudy>();
  study->name = setup_->spec.name;
  study->unit = setup_->loss_unit;
  study->spec = setup_->spec;
  study->dt_s = setup_->dt_s;
  study->interventions = interventions_;
  Workers workers(setup_->threads);
  Result<Perturbation> result =
      dalea::perturb(shown_model(), trainer_->data(), setup_->spec.training.batch, interventions_, trainer_->isa(),
                     workers, goes_on(Measurement::perturbation, number));
  if (!result && number <= measurements_[static_cast<size_t>(Measurement::perturbation)].cancelled) return;
  if (!result) return say(true, result.error().text());
  study->result = std::move(*result);
  perturbed_ = std::move(study);
  perturbed_updates_ = shown_updates();
  publish(phase_ != Phase::running);
}

void Live::make_file(Download what) {
  NamedFile file;
  const std::string stem = file_stem(setup_->spec.name);
  const std::string then = back_ ? "-after-" + std::to_string(back_->updates) + "-updates" : "";
  switch (what) {
    case Download::session:
      file = {stem + "-session.npz", write_session(*trainer_, options_.platform)};
      break;
    case Download::keep:
      file = {kept_file, write_session(*trainer_, options_.platform)};
      break;
    case Download::weights:
    case Download::weights_mat:
    case Download::weights_hdf5: {
      const ArrayFormat format = what == Download::weights       ? ArrayFormat::npz
                                 : what == Download::weights_mat ? ArrayFormat::mat
                                                                 : ArrayFormat::hdf5;
      std::vector<EpochRecord> history = trainer_->history();
      while (!history.empty() && history.back().epoch * setup_->batches_per_epoch > shown_updates()) history.pop_back();
      Result<std::vector<std::byte>> bytes =
          write_arrays(network_arrays({trainer_->spec(), shown_model(), shown_mask().get(), history, run_}), format);
      if (!bytes) return say(true, bytes.error().text());
      const char* const ends[] = {".npz", ".mat", ".h5"};
      file = {stem + "-weights" + then + ends[static_cast<int>(format)], std::move(*bytes)};
      break;
    }
    case Download::loader: {
      const auto* bytes = reinterpret_cast<const std::byte*>(embedded_python[0].data);
      file = {"dalea_torch.py", {bytes, bytes + embedded_python[0].size}};
      break;
    }
    case Download::curves:
      file = text_file(stem + "-curves.csv", history_csv(trainer_->history()));
      break;
    case Download::picture: {
      std::vector<std::string> names;
      for (const PopulationView& p : setup_->populations) names.push_back(p.name);
      file = {stem + "-weights" + then + ".png", weight_picture(shown_model(), names, shown_mask().get())};
      break;
    }
  }
  const std::lock_guard lock(mutex_);
  files_.push_back(std::move(file));
}

}  // namespace dalea::app
