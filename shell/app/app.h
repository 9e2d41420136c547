// The window, the same in the page and on the desktop. Views (views.h) draw; everything they show comes from a const
// Snapshot, everything they change goes through App.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/build_state.h"
#include "app/coactivation_state.h"
#include "app/compare_state.h"
#include "app/connectome_state.h"
#include "app/digit_files.h"
#include "app/figures.h"
#include "app/fits_state.h"
#include "app/layout.h"
#include "app/link_view.h"
#include "app/live.h"
#include "app/planted_study.h"
#include "app/pruning.h"
#include "app/recovery_state.h"
#include "app/reproducer.h"
#include "app/runs.h"
#include "app/spectra.h"
#include "app/speed.h"
#include "app/states_state.h"
#include "app/theme.h"
#include "app/theory.h"
#include "app/topology.h"
#include "app/unit_order.h"
#include "app/wiring_tester.h"
#include "imgui.h"

namespace dalea::app {

// A session that the last visit left.
struct Kept {
  std::string name;  // of its experiment
  int64_t epoch = 0;
  bool finished = false;
};

// What the window's surroundings do for it: the page or the desktop.
class Host {
 public:
  virtual ~Host() = default;
  // Uploads pixels (RGBA, rows from the top) and returns the texture; `old` is reused when it can be. `crisp`: single
  // pixels stay squares when enlarged.
  virtual ImTextureID texture(ImTextureID old, int width, int height, const uint32_t* rgba, bool crisp) = 0;
  virtual void save_file(const NamedFile& file) = 0;
  virtual void pick_file() = 0;  // asks the user; App::give_file gets it
  virtual void copy_text(const std::string& text) = 0;
  virtual void show_link(const std::string& fragment) = 0;  // in the address bar, where there is one
  virtual std::string page_address() = 0;                   // put before "#v1=..."
  // Fetches the small set of digits, where the program brings one: App::give_bundled_digits() or digits_missing()
  // follows. False: there is nowhere to fetch them from, and the user was told.
  virtual bool fetch_digits() { return false; }
  // Which of the known connectomes (common/connectome_files.h) are at hand; the files of one. App::species_found() and
  // App::give_species() follow.
  virtual void find_species() {}
  virtual void fetch_species(const std::string&) {}
  // Keeps one session until the next visit, in place of the one before, and gives it back: App::give_file() gets it.
  virtual bool keeps() const { return false; }
  virtual void keep_session(const Kept&, const std::vector<std::byte>&) {}
  virtual void open_kept() {}
  virtual void forget_kept() {}
  // Keeps the layout until the next visit: App::restore_layout() gets it.
  virtual void keep_layout(const std::string&) {}
};

// A bundled experiment.
struct Preset {
  std::string id, name, note;
  Spec spec;
};
const std::vector<Preset>& presets();  // quick start first

struct Rect {
  float x = 0, y = 0, w = 0, h = 0;  // pixels of the window
};

enum class MatrixMode { initial, now, change, dense, tuned };  // tuned: now minus the checkpoint that was pruned

// The centre's tabs, for ViewState::tab.
enum Tab {
  tab_weights,
  tab_build,
  tab_recording,
  tab_answers,
  tab_perturb,
  tab_runs,
  tab_prune,
  tab_reproduce,
  tab_theory,
  tab_speed,
  tab_fit,
  tab_compare,
  tab_connectome,
  tab_topology,
  tab_wiring
};
// What the Runs tab shows and offers.
struct RunsState {
  bool chosen[4] = {true, true, false, true};  // as condition_names
  int runs = 3;
  bool equalise = false;
  bool accuracy = true;  // instead of the loss, where there is one
  std::string title;     // of the experiment the runs are of
  uint64_t version = 0;  // of the side's view that the curves are of
  std::vector<RunCurves> curves;
  struct Picture {
    ImTextureID texture = {};
    const void* shown = nullptr;
    float scale = 0;
  };
  std::array<Picture, 6> pictures;  // weights of run 1 of each group
  float scale = 0;
};

// The part of a matrix's picture that is shown: left and top unit, units across; span 0: all.
struct MatrixPart {
  double x = 0, y = 0, span = 0;
};

struct ActivityState {
  std::shared_ptr<const TraceView> shown;
  ImTextureID texture = {};
  float scale = 1;
  std::vector<uint32_t> pixels;
  uint64_t order_shown = 0;
};

struct PerturbState {
  uint64_t network = 0;  // Setup::serial that the rest is for
  int population = 0;
  bool silence = true;
  float amount = 1;
  int from = 0, to = 1;            // steps [from, to)
  std::vector<Intervention> sent;  // what Live knows of
};

struct TimelineState {
  bool replay = false;
  double next_s = 0;  // of ImGui's time: when the next moment is due
};

// What only the window knows.
struct ViewState {
  MatrixMode matrix = MatrixMode::now;
  bool lock_scale = false;
  float scale = 0;
  MatrixPart matrix_part, prune_part;
  Sorting sorting = Sorting::as_built;
  std::vector<int32_t> order;  // of the units in the weights and the activity; empty: as built
  uint64_t order_version = 0, order_painted = 0;
  ImTextureID matrix_texture = {};
  const void* matrix_shown = nullptr;
  MatrixMode matrix_mode_shown = MatrixMode::now;
  float matrix_scale_shown = 0;
  int matrix_size = 0;
  std::vector<uint32_t> pixels;
  bool log_loss = true;
  int first_output = 0;
  int tab = -1;  // Tab to bring forward; -1: as it is
  ImTextureID preview_texture = {};
  const void* preview_shown = nullptr;
  int preview_width = 0, preview_height = 0;
  int speed_threads = 1;
  reproduce::Options reproduce = {.quick = true};
  planted::Options planted = {.quick = true};
  bool reproduce_planted = false;                    // that is chosen, and not a figure
  bool reproduce_forward = false;                    // show the verdicts once they are there
  bool accuracy = true;                              // of a task with classes: that, or the loss
  int digit_row = -1;                                // last row read of the digit that is shown; -1: the last one
  std::shared_ptr<const MatrixView> theory_counted;  // whose boundary this is
  OnBoundary theory_boundary;
  int open_tab = 0;  // of the centre
  PruneSettings prune;
  int prune_epochs = 10;
  bool prune_tree = true;  // drawn on the matrix
  ImTextureID prune_texture = {};
  std::shared_ptr<const MaskView> prune_shown;
  std::vector<uint32_t> prune_pixels;
  float prune_scale = 1;
  RunsState runs;
  ShareState share;
  bool shortcuts = false;  // the sheet is open
  std::string open_tab_name,
      tab_name;  // the centre's open one; the one to bring forward, of any panel, once it is there
  std::map<std::string, std::string> open_tabs, wanted_tabs;  // the same of the panels beside it, by draw_tabs()'s kind
  ActivityState activity;
  PerturbState perturb;
  bool wiring_quick = true;
  TimelineState timeline;
  SpectrumState spectrum;
  StatesState states;
  CoactivationState coactivation;
  FitsState fits;
  RecoveryState recovery;
  TopologyState topology;
  BuildState build;
  CompareState compare;
  ConnectomeState connectome;
};

class App {
 public:
  App(Host& host, const LiveOptions& options);

  // Commands, as the buttons give them.
  void open_text(const std::string& experiment_or_link);  // JSON, a link or its fragment
  void open_preset(const std::string& id);
  void open_preset_if_empty();          // the quick start, when nothing else could be opened
  void set_pace(double updates_per_s);  // 0: as fast as possible
  static constexpr double demonstration_pace = 60;
  double pace = 0;
  void give_file(NamedFile file);  // by content: recording, session, experiment or one of the digits' four files
  void give_files(std::vector<NamedFile> files);  // together: one recording's, unless one is something else
  void give_bundled_digits(NamedFile file);       // one of the four that Host::fetch_digits() fetches
  void digits_missing(const std::string& why);    // it could not: "they could not be fetched (404)"
  // Connectomes (app_connectome.cpp).
  void find_species();
  void species_found(std::vector<std::string> names);  // of known_species(), at hand
  void choose_species(const std::string& name);
  void give_species(const std::string& name, std::vector<NamedFile> files);  // its matrix first
  void species_missing(const std::string& name, const std::string& why);
  bool take_connectome(const std::vector<FilePtr>& files);  // false: they are something else
  void train_nulls();                                       // what ConnectomeState says; pauses the training
  void train_draft();
  void train_preview();
  void save_figure(FigureOf what, FigureFile format);  // of what is shown
  void toggle();
  void copy_link();
  LinkView chosen_view() const;   // what the share popup says
  std::string view_link() const;  // with that in it
  void copy_view_link();
  void show_everything();  // leaves the link's view
  // The layout (layout.cpp) of the last visit; `tabs`: its open tabs too. A link's view wins over it.
  void restore_layout(std::string_view json, bool tabs);
  void reset_layout();
  Layout shown_layout() const;  // what is in force: the link's view, else the user's
  // The session for the next visit (app_share.cpp): kept now, if there is anything new in it; what the last one left.
  void keep();
  void offer_kept(const Kept& kept);
  void continue_kept();
  void dismiss_kept() {
    offer_.reset();
    offer_network_ = 0;
  }
  void forget_kept();
  // Measures workloads of `dalea bench` (an unknown one is said so); pauses the training.
  void measure(std::vector<std::string> workloads, int threads, double seconds);
  // Trains the nulls of the present experiment's connectome and compares; pauses the training.
  void test_wiring();
  // A connectome and a recording of its neurons become the experiment, which trains; false: they are not that.
  bool take_recorded(const std::vector<FilePtr>& files);
  // Trains what a figure of the first paper needs; pauses the training.
  void start_reproduction(const reproduce::Options& options);
  void start_planted(const planted::Options& options);
  // Pruning of the present weights (app_prune.cpp); sweep and retraining pause the training.
  void prune_set(const std::string& json);  // change_settings()
  void prune_sweep();
  void prune_retrain(int64_t epochs);
  void prune_save(bool figure);  // of the last sweep: CSV or SVG
  void follow_pruning();         // while its tab is shown: the mask of the present weights and settings
  void follow_perturbation();    // while its tab is shown: the trial under what its settings say; else as it is
  // Trains the present experiment under several conditions side by side; pauses its own training.
  void train_conditions(const std::vector<std::string>& conditions, int64_t runs, bool equalise);
  void open_run(size_t job);  // of these: its weights, where it stopped
  // Comparing conditions (app_compare.cpp): trains what CompareState says and pauses the experiment's own training.
  void train_comparison();
  void stop_comparison();                                 // training and computation; what was there before is kept
  void give_sessions(const std::vector<FilePtr>& files);  // in place of trained ones
  void name_sessions();                                   // anew, as CompareState::by_field says
  void forget_sessions();
  void compare_again();      // with what is chosen by now
  void follow_comparison();  // what is finished is compared
  void copy_comparison_link();
  void say(bool error, std::string text);

  void frame();                     // draws one frame of ImGui
  bool wants_frame(double now_s);   // something to draw: new snapshot, input, an animation
  void attend() { fresh_ = true; }  // as if the user did something
  bool attended(double now_s) const { return now_s < active_until_s_; }  // the user did something just now
  std::string state_json(float pixels_per_unit) const;
  void textures_lost();  // after the graphics context came back

  Host& host;
  Live live;
  Speed speed;
  Spectra spectra;
  Reproducer reproducer;
  PlantedStudy planted;
  Theory theory;
  Pruning pruning;
  SideBySide side, compare_side;
  Comparer comparer;
  WiringTester wiring;
  Topology topology;
  ConnectomeScaler scaler;
  std::shared_ptr<const Snapshot> now;  // of this frame; never null
  Theme theme = Theme::light;
  float scale = 1;  // pixels per unit of the design

  Spec draft;         // what the settings show
  Problems problems;  // of the draft
  bool draft_changed = false;
  void draft_edited();  // validates
  std::string problem_at(const std::string& path) const;

  LinkView link_view;          // what the link said; empty: nothing
  bool calm = false;           // no motion but that of the data
  bool reading_shown = false;  // by the page, how far a file is: the window need not
  Layout layout;               // the user's own

  Preview preview;  // file null: none
  ViewState view;

  // Records the last item's place under a name, for tests and scripts.
  void track(const std::string& name);
  void track(const std::string& name, ImVec2 min, ImVec2 max);

 private:
  void take_messages();
  void take_view(const DecodedView& decoded);
  void offer_comparison(const ComparisonPlan& plan);
  void apply_choices(const Layout& l);
  void follow_layout();
  void follow_keeping(double now_s);    // drawn or not, asked at every frame
  std::string fragment() const;         // of the experiment, and of the link's view
  RecordingSpec new_recording() const;  // what the draft says of a recording that is not there yet
  void follow_setup();
  void follow_digits();
  void give_digits(const FilePtr& file);
  void say_digits(bool error, const std::string& text);  // in place of what it said last; empty: nothing
  enum class PruneWish { none, sweep, retrain };
  void copy_for(PruneWish wish);
  void take_network(NetworkPtr network);

  NetworkPtr prune_network_, prune_asked_network_;  // the latest copy; the one whose mask was asked for
  PruneSettings prune_asked_;
  uint64_t copies_asked_ = 0, copies_come_ = 0, wish_copy_ = 0;
  double copy_asked_s_ = 0;  // of ImGui's time
  PruneWish prune_wish_ = PruneWish::none;
  int64_t retrain_epochs_ = 0;
  std::vector<Notice> notices_;
  std::map<std::string, Rect> widgets_;
  uint64_t setup_seen_ = 0;
  bool opened_ = false;                    // an experiment was asked for
  std::optional<Spec> opened_on_vectors_;  // the last one opened, when it shows vectors of a file and is not there yet
  std::optional<Kept> offer_;
  uint64_t offer_network_ = 0;          // shown beside the offer: not kept in its place
  bool continuing_ = false;             // the kept session was asked for
  double clock_s_ = 0, kept_s_ = -1e9;  // of wants_frame(): now; when a session was kept
  uint64_t kept_network_ = 0;
  int64_t kept_updates_ = 0, kept_epoch_ = 0;
  size_t kept_bytes_ = 0;
  std::optional<Layout> kept_layout_;  // what the host has; none: nothing yet
  Layout last_layout_;                 // of the frame before
  int measured_drawn_ = -1;            // percent
  double speed_drawn_s_ = -1e9;        // of wants_frame(): when a frame last showed how far a measurement of speed is
  double reading_s_ = -1;              // of wants_frame(): since when a file is being read; -1: none is
  bool reading_long_ = false;          // long enough to be shown
  bool keeping_ = true;                // until the user has it forgotten
  FilePtr draft_recording_;
  std::function<Result<Digits>()> find_digits_;
  std::optional<reproduce::Options> waiting_reproduction_;  // for the digits
  DigitFiles dropped_digits_, bundled_digits_;
  std::string digits_notice_;
  DigitsPtr digits_seen_;
  uint64_t digits_asked_seen_ = 0;
  uint64_t drawn_ = 0, side_drawn_ = 0, compare_drawn_ = 0;
  double active_until_s_ = 0;
  Theme theme_applied_ = Theme::light;
  float scale_applied_ = 0;
  bool fresh_ = true;

  friend float draw_notices(App& app, ImVec2 at, float width);
  friend float draw_strips(App& app, ImVec2 at, float width);
  friend float reading_strip(App& app, ImVec2 at, float width);
};

}  // namespace dalea::app
