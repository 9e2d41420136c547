#include "app/app.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "app/views.h"
#include "app/widgets.h"
#include "common/embedded.h"
#include "common/json.h"
#include "connectome/connectome.h"
#include "imgui_internal.h"
#include "implot.h"
#include "network/rules.h"

namespace dalea::app {
namespace {

using nlohmann::json;

constexpr float top_height = 48, bottom_height = 58, rail_width = 344, gap = 8;
constexpr float narrow_below = 900;  // units of width: the settings go, the views stack

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool starts_with(std::span<const std::byte> bytes, std::string_view magic) {
  return text_of(bytes).substr(0, magic.size()) == magic;
}

// What is kept and compared, not looked through once, does not stay on the disk.
void to_memory(NamedFile& file) {
  if (!file.on_disk.mapped()) return;
  file.bytes.assign(file.content().begin(), file.content().end());
  file.on_disk = {};
}

SideOptions side_options(const LiveOptions& live) {
  SideOptions options;
  options.own_threads = live.own_thread;
  options.platform = live.platform;
  return options;
}

// A panel with a border; the same look for every view.
bool begin_panel(const char* id, ImVec2 position, ImVec2 size) {
  ImGui::SetCursorScreenPos(position);
  return ImGui::BeginChild(id, size, ImGuiChildFlags_Border | ImGuiChildFlags_AlwaysUseWindowPadding);
}

}  // namespace

const std::vector<Preset>& presets() {
  static const std::vector<Preset> list = [] {
    std::vector<Preset> all;
    for (size_t k = 0; k < embedded_experiments_count; ++k) {
      const Embedded& file = embedded_experiments[k];
      const ParsedSpec parsed = parse_spec({reinterpret_cast<const char*>(file.data), file.size});
      if (!parsed.problems.empty()) continue;  // the tests read every one of them
      all.push_back({file.name, parsed.spec.name, parsed.spec.note, parsed.spec});
    }
    return all;
  }();
  return list;
}

App::App(Host& h, const LiveOptions& options)
    : host(h),
      live(options),
      pruning(options.threads),
      side(side_options(options)),
      compare_side(side_options(options)),
      comparer(options.own_thread),
      wiring(options.own_thread),
      topology(options.own_thread),
      scaler(options.own_thread),
      find_digits_(options.find_digits) {
  now = live.snapshot();
  draft = presets().front().spec;
}

void App::say(bool error, std::string text) {
  if (!notices_.empty() && notices_.back().text == text) return;
  notices_.push_back({error, std::move(text)});
  if (notices_.size() > 4) notices_.erase(notices_.begin());
  fresh_ = true;
}

void App::open_text(const std::string& text) {
  std::string source = text;
  bool from_link = false;
  if (text.find("v1=") != std::string::npos && text.find('{') == std::string::npos) {
    Result<std::string> decoded = decode_link(text);
    if (!decoded) return say(true, decoded.error().text());
    source = *decoded;
    from_link = true;
  }
  ParsedSpec parsed = parse_spec(source);
  if (!parsed.problems.empty()) {
    std::string all = "The experiment cannot be used: " + parsed.problems.front().text();
    if (parsed.problems.size() > 1) all += " (and " + std::to_string(parsed.problems.size() - 1) + " more)";
    return say(true, all);
  }
  opened_ = true;
  opened_on_vectors_.reset();
  if (parsed.spec.task.type == "n-back-latent") opened_on_vectors_ = parsed.spec;
  take_view(from_link ? decode_view(text) : DecodedView());
  live.train(parsed.spec, nullptr, true);
}

void App::open_preset(const std::string& id) {
  for (const Preset& p : presets())
    if (p.id == id) {
      notices_.clear();
      link_view = {};
      opened_on_vectors_.reset();
      live.train(p.spec, nullptr, true);
      view.tab = tab_weights;
      return;
    }
  say(true, "There is no bundled experiment '" + id + "'");
}

void App::open_preset_if_empty() {
  if (!opened_) live.train(presets().front().spec, nullptr, true);
}

void App::set_pace(double updates_per_s) {
  pace = updates_per_s;
  live.set_pace(updates_per_s);
}

void App::give_file(NamedFile file) {
  if (file.content().empty())
    return say(true, file.name + " is empty; give a recording, a session, an experiment or digits");
  if ((starts_with(file.content(), "PK") && is_session(file.content())) || DigitFiles::is_one(file)) to_memory(file);
  const auto shared = std::make_shared<NamedFile>(std::move(file));
  if (starts_with(shared->bytes, "PK") && is_session(shared->bytes)) {
    if (view.open_tab == tab_compare && !continuing_) return give_sessions({shared});
    link_view = {};
    opened_on_vectors_.reset();
    live.open_session(shared, nullptr);
    if (continuing_) live.play();
    continuing_ = false;
    return;
  }
  if (DigitFiles::is_one(*shared)) return give_digits(shared);
  if (is_probability_table(shared->content())) {
    const Result<int64_t> pairs = read_probability_table(shared->content(), draft);
    if (!pairs) return say(true, shared->name + ": " + pairs.error().message);
    view.tab = tab_build;
    say(false, shared->name + " gave the probabilities of " + std::to_string(*pairs) +
                   " pairs of populations; train with these settings to use them.");
    return draft_edited();
  }
  const std::string_view text = text_of(shared->content());
  const size_t first = text.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  if (first != std::string_view::npos && text[first] == '{') {
    open_text(std::string(text));
    return;
  }
  if (now->wants_vectors || (now->waiting_for.empty() && (opened_on_vectors_ || draft.task.type == "n-back-latent"))) {
    link_view = now->wants_vectors ? link_view : LinkView();
    live.give_vectors(shared, opened_on_vectors_ ? *opened_on_vectors_ : draft);
    view.tab = tab_weights;
    return;
  }
  if (!now->waiting_for.empty()) return live.give_or_preview(shared, new_recording());
  constexpr size_t most_looked_through = 64 << 20;  // bytes, of a file with several arrays
  const std::span<const std::byte> content = shared->content();
  if ((content.size() <= most_looked_through || !holds_arrays(content)) && take_connectome({shared})) return;
  live.preview(shared, new_recording());
}

void App::give_files(std::vector<NamedFile> files) {
  const auto is_other = [](const NamedFile& f) {
    const std::string_view text = text_of(f.content());
    const size_t first = text.find_first_not_of(" \t\r\n\xef\xbb\xbf");
    return f.content().empty() || (starts_with(f.content(), "PK") && is_session(f.content())) ||
           DigitFiles::is_one(f) || is_probability_table(f.content()) ||
           (first != std::string_view::npos && text[first] == '{');
  };
  // Several sessions are compared; one is opened, but in the Compare tab.
  const auto is_a_session = [](const NamedFile& f) {
    return starts_with(f.content(), "PK") && is_session(f.content());
  };
  const auto count = std::count_if(files.begin(), files.end(), is_a_session);
  if (count > 1 || (count == 1 && files.size() == 1 && view.open_tab == tab_compare)) {
    std::vector<FilePtr> sessions;
    std::vector<NamedFile> others;
    for (NamedFile& f : files)
      if (is_a_session(f)) {
        to_memory(f);
        sessions.push_back(std::make_shared<NamedFile>(std::move(f)));
      } else {
        others.push_back(std::move(f));
      }
    files = std::move(others);
    view.tab = tab_compare;
    give_sessions(sessions);
    if (files.empty()) return;
  }
  if (files.size() < 2 || std::any_of(files.begin(), files.end(), is_other)) {
    for (NamedFile& f : files) give_file(std::move(f));
    return;
  }
  std::vector<FilePtr> shared;
  for (NamedFile& f : files) shared.push_back(std::make_shared<NamedFile>(std::move(f)));
  if (now->waiting_for.empty() && (take_connectome(shared) || take_recorded(shared))) return;
  live.give_together(std::move(shared), new_recording());
}

RecordingSpec App::new_recording() const {
  return draft.task.type == "recording" && draft.recording.sha256.empty() ? draft.recording : RecordingSpec();
}

void App::train_draft() {
  draft_edited();
  if (!problems.empty()) return say(true, problems.front().text());
  live.train(draft, draft_recording_, true);
  view.tab = tab_weights;
}

void App::train_preview() {
  if (!preview.recording) return;
  Spec spec = draft;
  if (spec.task.type != "recording") {
    for (const Preset& p : presets())
      if (p.id == "recording") spec = p.spec;
  }
  spec.name = "Next frame of " + preview.file->name;
  spec.note.clear();
  spec.recording = preview.spec;
  spec.recording.array = preview.recording->array;  // by name from here on, whatever was suggested
  spec.recording.sha256 = preview.recording->sha256;
  // Windows that fit the shortest part of a short recording.
  const double shortest = static_cast<double>(preview.recording->frames) *
                          std::min({spec.recording.train_fraction, spec.recording.validation_fraction,
                                    1 - spec.recording.train_fraction - spec.recording.validation_fraction});
  const auto most = static_cast<int64_t>(shortest) - 2;
  if (most >= 2 && spec.task.steps > most) spec.task.steps = most;
  spec.recording.warmup = std::min(spec.recording.warmup, spec.task.steps / 2);
  draft_recording_ = preview.file;
  link_view = {};
  live.train(spec, preview.file, true);
  view.tab = tab_weights;
}

void App::save_figure(FigureOf what, FigureFile format) {
  Result<NamedFile> file = figure_file(*now, what, format);
  if (!file) return say(true, file.error().text());
  host.save_file(*file);
}

void App::toggle() {
  now->phase == Phase::running ? live.pause() : live.play();
}

void App::copy_link() {
  if (!now->setup) return;
  host.copy_text(host.page_address() + "#" + fragment());
  if (now->setup->origin)
    return say(
        false,
        "Link copied: it trains the experiment from its own weights. Those that this network began with travel in "
        "the session alone.");
  if (now->setup->own_mask)
    return say(false,
               "Link copied: it trains the whole network. This one is pruned; its mask travels in the session alone.");
  if (now->setup->source_latents)
    return say(false, "Link copied. The vectors are not in it: whoever opens it is asked for the file.");
  say(false, now->setup->recording && !now->setup->recording->sha256.empty()
                 ? "Link copied. The recording is not in it: whoever opens it is asked for the file."
                 : "Link copied: whoever opens it trains the same network to the same hash.");
}

void App::measure(std::vector<std::string> workloads, int threads, double seconds) {
  live.pause();
  view.speed_threads = threads;
  view.tab = tab_speed;
  speed.start(std::move(workloads), threads, seconds);
}

void App::train_conditions(const std::vector<std::string>& conditions, int64_t runs, bool equalise) {
  view.tab = tab_runs;
  if (!now->waiting_for.empty())
    return say(true, "The experiment waits for its recording: drop the file on the window, then start the runs");
  if (!now->setup) return say(true, "There is no experiment yet: open one, then start the runs");
  Result<std::vector<Job>> jobs = condition_jobs(now->setup->spec, conditions, runs, equalise);
  if (!jobs) return say(true, jobs.error().text());
  const Status ok = side.start(std::move(*jobs), data_of(now->setup));
  if (!ok) return say(true, ok.error().text());
  live.pause();
  RunsState& state = view.runs;
  state.title = now->setup->spec.name;
  state.runs = static_cast<int>(runs);
  state.equalise = equalise;
  state.scale = 0;
  for (size_t k = 0; k < std::size(state.chosen); ++k)
    state.chosen[k] = std::find(conditions.begin(), conditions.end(), condition_names[k]) != conditions.end();
}

void App::open_run(size_t job) {
  const SideView runs = side.view();
  if (job >= runs.jobs.size() || !runs.jobs[job].session)
    return say(true, "This run has nothing to open yet: it opens when it has finished or was stopped");
  const JobView& j = runs.jobs[job];
  auto file = std::make_shared<NamedFile>();
  file->name = j.job.name;
  file->bytes = *j.session;
  live.open_session(std::move(file), nullptr);
  view.tab = tab_weights;
}

void App::draft_edited() {
  ParsedSpec parsed = parse_spec(print_spec(draft, false));
  problems = std::move(parsed.problems);
  if (structure_makes_populations(draft)) draft.populations = std::move(parsed.spec.populations);
  constexpr int64_t most_made_here = 100;  // regions; others are made when they are trained
  const ConnectomeSpec& k = draft.connectome;
  if (k.source == "file" && now->setup && now->setup->spec.connectome.source == "file")
    draft.measured = view.connectome.fitted.get(*now->setup, k);
  if (k.source == "file" && (!draft.measured || draft.measured->kind == "synthetic"))
    problems.push_back({"connectome.source", "is a file that is not here: drop the matrix or the list of links here"});
  if (problems.empty() && (k.source != "synthetic" || k.synthetic_regions <= most_made_here)) {
    const Status ok =
        k.source == "file" && draft.measured ? attach_connectome(draft, draft.measured) : attach_own_connectome(draft);
    if (!ok) problems.push_back(ok.error());
  }
  draft_changed = !now->setup || print_spec(draft, true) != print_spec(now->setup->spec, true);
}

std::string App::problem_at(const std::string& path) const {
  for (const Error& e : problems)
    if (e.path == path) return e.message;
  return {};
}

void App::track(const std::string& name, ImVec2 min, ImVec2 max) {
  widgets_[name] = {min.x, min.y, max.x - min.x, max.y - min.y};
}

void App::track(const std::string& name) {
  track(name, ImGui::GetItemRectMin(), ImGui::GetItemRectMax());
}

void App::take_messages() {
  Notice notice;
  while (live.take_notice(notice)) say(notice.error, notice.text);
  NamedFile file;
  while (live.take_file(file)) {
    if (file.name == kept_file) {
      kept_bytes_ = file.bytes.size();
      host.keep_session({now->setup->spec.name, now->epoch, now->phase == Phase::finished}, file.bytes);
    } else {
      host.save_file(file);
    }
  }
  NetworkPtr network;
  while (live.take_network(network)) take_network(std::move(network));
  Preview fresh;
  while (live.take_preview(fresh)) {
    const auto holds = [&](const char* name) {
      return std::any_of(fresh.arrays.begin(), fresh.arrays.end(), [&](const ArrayInfo& a) {
        const std::string plain = a.name.substr(a.name.find_first_not_of('/') == 1 ? 1 : 0);  // HDF5 begins with one
        return plain == name || plain == std::string(name) + ".values";
      });
    };
    if (holds("W_rec") && holds("W_in")) {
      say(true,
          fresh.file->name +
              " holds a network's weights alone, as Download saves them for other programs: no recording, and not "
              "enough to go on training. Open the session (Download > Session) instead.");
      continue;
    }
    preview = std::move(fresh);
    view.tab = tab_recording;
    fresh_ = true;
    if (!preview.recording) say(true, preview.error);
  }
}

// A new network: the settings show it, and so does the address bar.
void App::follow_setup() {
  if (!now->setup || now->setup->serial == setup_seen_) return;
  setup_seen_ = now->setup->serial;
  opened_on_vectors_.reset();
  draft = now->setup->spec;
  if (now->setup->recording_file) draft_recording_ = now->setup->recording_file;
  draft_edited();
  if (draft.connectome.source == "none" && view.open_tab != tab_connectome) view.connectome.wanted = false;
  view.matrix_part = view.prune_part = {};
  view.sorting = Sorting::as_built;
  view.order.clear();
  ++view.order_version;
  view.first_output = 0;
  view.digit_row = -1;
  if (!view.lock_scale) view.scale = 0;
  if (!link_view.tab.empty()) view.tab_name = link_view.tab;
  follow_comparison();
  host.show_link(fragment());
}

bool App::wants_frame(double now_s) {
  take_messages();
  if (ImGui::GetCurrentContext()->InputEventsQueue.Size > 0 || fresh_) active_until_s_ = now_s + 0.4;
  fresh_ = false;
  follow_keeping(now_s);
  speed.pump();
  spectra.pump();
  topology.pump();
  reproducer.pump();
  pruning.pump(0.008);
  int measured = -1;
  for (auto what : {Live::Measurement::perturbation, Live::Measurement::states, Live::Measurement::coactivation,
                    Live::Measurement::scaling})
    if (const auto part = live.measuring(what)) measured = static_cast<int>(100 * *part);
  if (const auto part = live.reading()) measured = 1000 + static_cast<int>(100 * *part);
  reading_s_ = live.reading() ? (reading_s_ < 0 ? now_s : reading_s_) : -1;
  reading_long_ = reading_s_ >= 0 && now_s - reading_s_ > 0.4;
  if (measured != measured_drawn_) active_until_s_ = std::max(active_until_s_, now_s + 0.05);
  measured_drawn_ = measured;
  const bool fresh_mask = pruning.changed(), fresh_run = reproducer.changed(), fresh_study = planted.changed();
  if (speed.changed() || fresh_mask || fresh_run || fresh_study || view.timeline.replay || spectra.changed() ||
      topology.changed())
    active_until_s_ = now_s + 0.05;
  // Seldom: drawing would take from what is measured, most of all where the processor draws.
  constexpr double speed_frame_s = 1;
  if (now_s - speed_drawn_s_ >= speed_frame_s && speed.progressed()) {
    speed_drawn_s_ = now_s;
    active_until_s_ = std::max(active_until_s_, now_s + 0.001);
  }
  side.pump(0.02);
  compare_side.pump(0.02);
  wiring.pump(0.02);
  follow_comparison();
  comparer.pump();
  scaler.pump();
  if (scaler.changed()) active_until_s_ = std::max(active_until_s_, now_s + 0.05);
  if (wiring.changed()) active_until_s_ = std::max(active_until_s_, now_s + 0.1);
  if (side.version() != side_drawn_ || compare_side.version() != compare_drawn_ || comparer.changed())
    active_until_s_ = std::max(active_until_s_, now_s + 0.02);
  return now_s < active_until_s_ || live.snapshot()->serial != drawn_;
}

void App::textures_lost() {
  view.matrix_texture = view.preview_texture = view.prune_texture = {};
  view.matrix_shown = view.preview_shown = nullptr;
  view.prune_shown = nullptr;
  view.activity.texture = {};
  view.coactivation.texture = {};
  view.build.texture = {};
  view.runs.pictures = {};
  view.connectome.regions = view.connectome.neurons = {};
  fresh_ = true;
}

void App::frame() {
  now = live.snapshot();
  drawn_ = now->serial;
  side_drawn_ = side.version();
  compare_drawn_ = compare_side.version();
  take_messages();
  follow_setup();
  follow_digits();
  if (view.open_tab != tab_perturb) follow_perturbation();
  if (theme_applied_ != theme || scale_applied_ != scale) {
    apply_theme(theme, scale);
    theme_applied_ = theme;
    scale_applied_ = scale;
  }
  widgets_.clear();

  const ImGuiIO& io = ImGui::GetIO();
  if (!io.WantTextInput && !ImGui::IsAnyItemActive() && !io.KeyCtrl && !io.KeyAlt) {
    if (ImGui::IsKeyPressed(ImGuiKey_Space, false) && (!io.NavVisible || !ImGui::IsAnyItemFocused())) toggle();
    if (ImGui::IsKeyPressed(ImGuiKey_S)) live.step();
    if (ImGui::IsKeyPressed(ImGuiKey_E)) live.step_epoch();
    if (ImGui::IsKeyPressed(ImGuiKey_R, false)) live.restart();
    if (ImGui::IsKeyPressed(ImGuiKey_N, false)) live.new_seed();
    for (const ImWchar c : io.InputQueueCharacters)
      if (c == '?') view.shortcuts = !view.shortcuts;
    if (ImGui::IsKeyPressed(ImGuiKey_Comma)) look_by(*this, -1);
    if (ImGui::IsKeyPressed(ImGuiKey_Period)) look_by(*this, 1);
    if (ImGui::IsKeyPressed(ImGuiKey_Escape, false) && now->looking_back) look_at_present(*this);
  }

  const ImVec2 size = io.DisplaySize;
  ImGui::SetNextWindowPos({0, 0});
  ImGui::SetNextWindowSize(size);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowRounding, 0);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowBorderSize, 0);
  ImGui::Begin("Dalea", nullptr,
               ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoSavedSettings |
                   ImGuiWindowFlags_NoBringToFrontOnFocus | ImGuiWindowFlags_NoScrollWithMouse);
  ImGui::PopStyleVar(2);

  const float u = scale, g = gap * u, width = size.x;
  const bool narrow = width < narrow_below * u;
  const float bottom = (narrow ? 2 : 1) * bottom_height * u;
  ImGui::SetCursorScreenPos({g, 0});
  ImGui::BeginChild("top", {width - 2 * g, top_height * u}, ImGuiChildFlags_None,
                    ImGuiWindowFlags_NoScrollbar | ImGuiWindowFlags_NoBackground);
  draw_top(*this);
  ImGui::EndChild();
  float top = top_height * u;
  for (const auto strip : {draw_notices, draw_failure, draw_scaling, draw_looking_back, draw_strips})
    top += strip(*this, {g, top}, width - 2 * g);
  const float height = size.y - top - bottom - g;

  int forward = view.tab;  // a view drawn below may ask for another one, in the next frame
  view.tab = -1;
  const auto centre = [&](ImVec2 at, ImVec2 panel) {
    begin_panel("centre", at, panel);
    struct View {
      const char* name;
      int tab;
      void (*draw)(App&);
    };
    std::vector<View> views = {{"Weights", tab_weights, draw_matrix},
                               {"Build", tab_build, draw_build},
                               {"Connectome", tab_connectome, draw_connectome},
                               {"Recording", tab_recording, draw_recording},
                               {"Answers", tab_answers, draw_answers},
                               {"Fit", tab_fit, draw_fits},
                               {"Topology", tab_topology, draw_topology},
                               {"Perturb", tab_perturb, draw_perturb},
                               {"Runs", tab_runs, draw_runs},
                               {"Compare", tab_compare, draw_compare},
                               {"Wiring", tab_wiring, draw_wiring},
                               {"Prune", tab_prune, draw_prune},
                               {"Reproduce", tab_reproduce, draw_reproduce},
                               {"Theory", tab_theory, draw_theory},
                               {"Speed", tab_speed, draw_speed}};
    if (!now->setup || now->setup->classes == 0)
      std::erase_if(views, [](const View& v) { return v.tab == tab_answers; });
    if (draft.connectome.source == "none" && !view.connectome.wanted)
      std::erase_if(views, [](const View& v) { return v.tab == tab_connectome; });
    else if (!preview.file && (!now->setup || !now->setup->recording))  // a dropped one brings it back
      std::erase_if(views, [](const View& v) { return v.tab == tab_recording; });
    if (!now->setup || !now->setup->recording) std::erase_if(views, [](const View& v) { return v.tab == tab_fit; });
    if (!now->setup || now->setup->spec.connectome.nulls == 0)
      std::erase_if(views, [](const View& v) { return v.tab == tab_wiring; });
    // One that is not there yet is waited for, until another one is chosen.
    bool absent =
        forward >= 0 && std::none_of(views.begin(), views.end(), [&](const View& v) { return v.tab == forward; });
    for (const View& v : views)
      if (named_alike(v.name, view.tab_name)) {
        forward = v.tab;
        view.tab_name.clear();
      }
    if (link_view.hide_tabs) {
      if (forward >= 0 && !absent) view.open_tab = forward;
      for (const View& v : views)
        if (v.tab == view.open_tab) v.draw(*this);
      if (absent && view.tab < 0) view.tab = forward;
      ImGui::EndChild();
      return;
    }
    // Names that do not fit are written smaller, not cut.
    const ImGuiStyle& style = ImGui::GetStyle();
    float wanted = 0;
    for (const View& v : views)
      wanted += ImGui::CalcTextSize(v.name).x + 2 * style.FramePadding.x + style.ItemInnerSpacing.x;
    const bool tight = wanted > ImGui::GetContentRegionAvail().x;
    float pad = 4 * scale, gap = 2 * scale;
    if (tight) {
      ImGui::PushFont(fonts.small);
      const auto width = [&] {
        float all = 0;
        for (const View& v : views) all += ImGui::CalcTextSize(v.name).x + 2 * pad + gap;
        return all;
      };
      if (width() > ImGui::GetContentRegionAvail().x) pad = 2 * scale, gap = scale;
      if (width() > ImGui::GetContentRegionAvail().x) pad = scale, gap = 0;
      ImGui::PopFont();
    }
    const auto small = [&](bool on) {
      if (!tight) return;
      if (on) {
        ImGui::PushFont(fonts.small);
        ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, ImVec2(pad, style.FramePadding.y));
        ImGui::PushStyleVar(ImGuiStyleVar_ItemInnerSpacing, ImVec2(gap, style.ItemInnerSpacing.y));
      } else {
        ImGui::PopStyleVar(2);
        ImGui::PopFont();
      }
    };
    small(true);
    const bool bar = ImGui::BeginTabBar("views");
    small(false);
    for (const View& v : views) {
      if (!bar) break;
      small(true);
      const bool open = ImGui::BeginTabItem(v.name, nullptr,
                                            forward == v.tab ? ImGuiTabItemFlags_SetSelected : ImGuiTabItemFlags_None);
      small(false);
      track(std::string("tab:") + v.name);
      if (!open) continue;
      if (view.open_tab != v.tab && forward != v.tab) {
        absent = false;
        view.tab_name.clear();
      }
      view.open_tab = v.tab;
      view.open_tab_name = v.name;
      v.draw(*this);
      ImGui::EndTabItem();
    }
    if (bar) ImGui::EndTabBar();
    if (absent && view.tab < 0) view.tab = forward;
    ImGui::EndChild();
  };
  const Layout shown = shown_layout();
  // Pruning has more to show than the centre can hold.
  const auto lower_right = [](App& app) { app.view.open_tab == tab_prune ? draw_prune_curves(app) : draw_trial(app); };
  if (narrow) {
    ImGui::SetCursorScreenPos({g, top});
    ImGui::BeginChild("stack", {width - 2 * g, height}, ImGuiChildFlags_None, ImGuiWindowFlags_NoBackground);
    const float w = ImGui::GetContentRegionAvail().x;
    ImVec2 at = ImGui::GetCursorScreenPos();
    centre(at, {w, w + 70 * u});
    at.y += w + 70 * u + g;
    if (shown.loss) {
      begin_panel("loss", at, {w, 260 * u});
      draw_learning(*this);
      ImGui::EndChild();
      at.y += 260 * u + g;
    }
    if (shown.trial_panel) {
      begin_panel("traces", at, {w, 320 * u});
      lower_right(*this);
      ImGui::EndChild();
    }
    ImGui::EndChild();
  } else {
    // Widths without the gap at their left; a hidden column gives its room to the centre.
    const bool loss = shown.loss, trial = shown.trial_panel;
    const bool settings = shown.settings || (draft_changed && !link_view.hide_build);  // where the draft is trained
    const auto room = [&](double wanted, float designed, float most) {
      return wanted > 0 ? std::min(static_cast<float>(wanted) * u, std::max(designed, most)) : designed;
    };
    const float rail = settings ? room(shown.rail, rail_width * u, 0.3f * width) : -g;
    const float right =
        loss || trial ? room(shown.right, std::clamp(0.31f * width, 340 * u, 620 * u), 0.42f * width) : -g;
    const float middle = width - rail - right - 4 * g;
    if (settings) {
      begin_panel("rail", {g, top}, {rail, height});
      const float foot = draft_changed ? 46 * u : 0;
      ImGui::BeginChild("settings", {0, ImGui::GetContentRegionAvail().y - foot}, ImGuiChildFlags_None,
                        ImGuiWindowFlags_NoBackground);
      draw_presets(*this);
      draw_settings(*this);
      ImGui::EndChild();
      if (draft_changed) draw_apply(*this);
      ImGui::EndChild();
    }
    centre({rail + 2 * g, top}, {middle, height});
    const float upper = shown.upper > 0 ? static_cast<float>(shown.upper) : 0.47f;
    const float half = !trial ? height : loss ? std::floor(upper * (height - g)) : -g;
    if (loss) {
      begin_panel("loss", {rail + middle + 3 * g, top}, {right, half});
      draw_learning(*this);
      ImGui::EndChild();
    }
    if (trial) {
      begin_panel("traces", {rail + middle + 3 * g, top + half + g}, {right, height - half - g});
      lower_right(*this);
      ImGui::EndChild();
    }
    // Sizes are the user's: not of a link's view.
    const auto split = [&](const char* name, ImVec2 at, ImVec2 area, double& part, double as_drawn, double per_pixel,
                           double least, double most) {
      const float by = draw_splitter(*this, name, at, area);
      hint("Drag to resize, double click to undo it");
      if (by != 0) part = std::clamp(as_drawn + static_cast<double>(by) * per_pixel, least, most);
      if (ImGui::IsItemHovered() && ImGui::IsMouseDoubleClicked(0)) part = 0;
    };
    const double unit = 1 / static_cast<double>(u);
    if (link_view.empty() && settings)
      split("split:settings", {g + rail, top}, {g, height}, layout.rail, static_cast<double>(rail) * unit, unit,
            least_rail, most_rail);
    if (link_view.empty() && (loss || trial))
      split("split:right", {rail + middle + 2 * g, top}, {g, height}, layout.right, static_cast<double>(right) * unit,
            -unit, least_right, most_right);
    if (link_view.empty() && loss && trial)
      split("split:trial", {rail + middle + 3 * g, top + half}, {right, g}, layout.upper, static_cast<double>(upper),
            1 / static_cast<double>(std::max(1.0f, height - g)), least_upper, most_upper);
  }
  ImGui::SetCursorScreenPos({g, size.y - bottom});
  ImGui::BeginChild("status", {width - 2 * g, bottom}, ImGuiChildFlags_None,
                    ImGuiWindowFlags_NoScrollbar | ImGuiWindowFlags_NoBackground);
  draw_status(*this);
  ImGui::EndChild();
  ImGui::End();
  draw_shortcuts(*this);
  follow_layout();
}

void draw_tabs(App& app, const char* kind, std::initializer_list<TabView> tabs) {
  if (!ImGui::BeginTabBar(kind)) return;
  std::string own = std::exchange(app.view.wanted_tabs[kind], "");
  if (!own.empty() && std::none_of(tabs.begin(), tabs.end(), [&](auto& t) { return named_alike(t.name, own); }))
    own = tabs.begin()->name;
  for (const TabView& tab : tabs) {
    const bool asked = named_alike(tab.name, app.view.tab_name), wanted = asked || named_alike(tab.name, own);
    if (asked) app.view.tab_name.clear();
    const bool open =
        ImGui::BeginTabItem(tab.name, nullptr, wanted ? ImGuiTabItemFlags_SetSelected : ImGuiTabItemFlags_None);
    app.track(std::string(kind) + "-tab:" + tab.name);
    if (!open) continue;
    app.view.open_tabs[kind] = tab.name;
    tab.draw(app);
    ImGui::EndTabItem();
  }
  ImGui::EndTabBar();
}

// A strip below the title that pushes the views down: it never covers what it is about.
float draw_notices(App& app, ImVec2 at, float width) {
  if (app.notices_.empty()) return 0;
  const Palette& p = palette(app.theme);
  const Notice notice = app.notices_.back();
  const float u = app.scale, button = 90 * u, pad = 8 * u;
  const float wrap = width - button - 4 * pad;
  const float text = ImGui::CalcTextSize(notice.text.c_str(), nullptr, false, wrap).y;
  const float height = std::max(text, ImGui::GetFrameHeight()) + 2 * pad;
  ImDrawList* draw = ImGui::GetWindowDrawList();
  draw->AddRectFilled(at, {at.x + width, at.y + height}, color32(notice.error ? p.bad_back : p.info_back), 8 * u);
  ImGui::SetCursorScreenPos({at.x + 1.5f * pad, at.y + (height - text) / 2});
  ImGui::PushTextWrapPos(ImGui::GetCursorPosX() + wrap);
  ImGui::TextUnformatted(notice.text.c_str());
  ImGui::PopTextWrapPos();
  ImGui::SetCursorScreenPos({at.x + width - button - pad, at.y + (height - ImGui::GetFrameHeight()) / 2});
  const std::string label =
      app.notices_.size() > 1 ? "Next (" + std::to_string(app.notices_.size() - 1) + ")" : "Dismiss";
  const bool gone = ImGui::Button((label + "##notice").c_str(), {button, 0});
  app.track("dismiss");
  if (gone) app.notices_.pop_back();
  return height + gap * u;
}

std::string App::state_json(float pixels_per_unit) const {
  const Snapshot& s = *now;
  json o;
  o["phase"] = phase_text(s.phase);
  o["running"] = s.phase == Phase::running;
  o["finished"] = s.phase == Phase::finished;
  o["epoch"] = s.epoch;
  o["updates"] = s.updates;
  o["total_updates"] = s.total_updates;
  o["updates_per_s"] = s.updates_per_s;
  o["loss"] = number_or_null(s.last_loss);
  o["hash"] = s.hash;
  o["hash_updates"] = s.hash_updates;
  o["looking_back"] = s.looking_back;
  o["moments"] = *s.moments;
  o["audit"] = {{"sign", s.audit.sign}, {"mask", s.audit.mask}};
  o["failure"] = s.failure;
  o["waiting_for"] = s.waiting_for;
  o["train"] = o["held_out"] = o["accuracy"] = o["validation_accuracy"] = o["confusion"] = o["digits"] = nullptr;
  o["wants_digits"] = s.wants_digits;
  if (s.digits) o["digits"] = {{"train", s.digits->train.count}, {"test", s.digits->test.count}};
  if (s.answers) o["confusion"] = s.answers->count;  // asked by asked, one answer after the other
  if (!s.history->empty()) {
    o["train"] = number_or_null(s.history->back().train);
    o["held_out"] = number_or_null(s.history->back().held_out);
    o["accuracy"] = number_or_null(s.history->back().held_out_accuracy);
    o["validation_accuracy"] = number_or_null(s.history->back().validation_accuracy);
  }
  if (s.setup) {
    o["network"] = s.setup->serial;
    o["name"] = s.setup->spec.name;
    o["seed"] = s.setup->spec.seed;
    o["epochs"] = s.setup->spec.all_epochs();
    o["units"] = s.setup->spec.units();
    o["unit"] = s.setup->loss_unit;
    o["classes"] = s.setup->classes;
    o["commonest"] = s.setup->commonest;
    o["own_mask"] = s.setup->own_mask;
    o["stage"] = s.stage == Stage::whole ? "whole" : s.stage == Stage::dense ? "dense" : "fine-tuning";
    o["stage_epoch"] = s.stage_epoch;
    o["pruned_validation"] = s.pruned ? number_or_null(s.pruned->validation) : json(nullptr);
    o["link"] = "#" + s.setup->link;
    o["threads"] = s.setup->threads;
    o["isa"] = s.setup->isa;
    if (s.setup->baselines)
      o["baselines"] = {{"last_frame", number_or_null(s.setup->baselines->last_frame)},
                        {"ar1", number_or_null(s.setup->baselines->ar1)},
                        {"linear", number_or_null(s.setup->baselines->linear)}};
  }
  if (preview.file) {
    json p = {{"file", preview.file->name}, {"error", preview.error}, {"arrays", preview.arrays.size()}};
    if (preview.recording)
      p.update({{"frames", preview.recording->frames},
                {"units", preview.recording->units},
                {"array", preview.recording->array},
                {"orientation", preview.recording->orientation},
                {"dropped", preview.recording->dropped.size()}});
    o["preview"] = std::move(p);
  }
  const SpeedView measured = speed.view();
  o["speed"] = {{"running", measured.running},
                {"measuring", measured.measuring},
                {"failure", measured.failure},
                {"results", json::parse(bench_json(measured.results))}};
  const ReproducerView again = reproducer.view();
  o["reproduce"] = {{"running", again.running}, {"finished", again.finished}, {"part", again.part},
                    {"failure", again.failure}, {"networks", json::array()},  {"findings", json::array()}};
  for (size_t k = 0; k < again.now.size() && k < again.jobs.size(); ++k)
    o["reproduce"]["networks"].push_back({{"id", again.jobs[k].id},
                                          {"state", reproduce::text_of(again.now[k].state)},
                                          {"epoch", again.now[k].epoch},
                                          {"hash", again.now[k].hash}});
  if (again.output != nullptr)
    for (const Finding& f : again.output->findings)
      o["reproduce"]["findings"].push_back({{"claim", f.claim}, {"verdict", outcome_text(f.outcome)}});
  const PlantedView study = planted.view();
  o["planted"] = {
      {"running", study.running}, {"part", study.part}, {"failure", study.failure}, {"settings", json::array()}};
  if (study.study)
    for (const planted::SettingResult& r : study.study->results) {
      const planted::Rates& found = planted::rates_of(r.planted, planted::Measure::weights, BlockLevel::population);
      o["planted"]["settings"].push_back({{"name", planted::name_of(r.setting)},
                                          {"circuits", found.circuits},
                                          {"feedback", found.any},
                                          {"other", found.other}});
    }
  o["perturbed"] = nullptr;
  if (s.perturbed)
    o["perturbed"] = {{"what", perturb_title(*s.perturbed)},
                      {"updates", s.perturbed_updates},
                      {"intact", number_or_null(s.perturbed->result.loss)},
                      {"held_out", number_or_null(s.perturbed->result.perturbed_loss)}};
  o["coactivation"] = o["carried"] = o["from"] = nullptr;
  if (s.coactivation)
    o["coactivation"] = {{"updates", s.coactivation_updates},
                         {"connected", number_or_null(s.coactivation->homophily.connected.mean)},
                         {"unconnected", number_or_null(s.coactivation->homophily.unconnected.mean)},
                         {"p", s.coactivation->homophily.p}};
  if (s.carried)
    o["carried"] = {{"name", s.carried->name}, {"hash", s.carried->origin.hash}, {"keep", s.carried->origin.keep}};
  if (s.setup && s.setup->origin)
    o["from"] = {{"name", s.setup->origin->name}, {"hash", s.setup->origin->hash}, {"keep", s.setup->origin->keep}};
  o["prune"] = json::parse(pruning_json(pruning.view(), view.prune));
  o["runs"] = json::parse(side_json(side.view()));
  const WiringView tested = wiring.view();
  o["wiring"] = {{"running", tested.running},
                 {"part", tested.part},
                 {"finished", tested.finished},
                 {"failure", tested.failure},
                 {"hash", tested.report ? json(tested.report->outcome.hash) : json(nullptr)}};
  o["compare"] = json::parse(comparison_json(view.compare, compare_side.view(), comparer.view()));
  o["connectome"] = json::parse(connectome_json(*this));
  const TopologyView graph = topology.view();
  o["topology"] = {{"running", graph.running},
                   {"part", graph.part},
                   {"failure", graph.failure},
                   {"which", graph.study ? json(graph.study->which) : json(nullptr)},
                   {"nulls", graph.study ? json(graph.study->nulls.size()) : json(nullptr)}};
  o["notices"] = json::array();
  for (const Notice& n : notices_) o["notices"].push_back({{"error", n.error}, {"text", n.text}});
  o["problems"] = json::array();
  for (const Error& e : problems) o["problems"].push_back({{"path", e.path}, {"message", e.message}});
  o["changed"] = draft_changed;
  o["view"] = nullptr;
  if (!link_view.empty())
    o["view"] = {
        {"title", link_view.title}, {"note", link_view.note}, {"tab", link_view.tab}, {"text", encode_view(link_view)}};
  o["tab"] = view.open_tab_name;
  o["layout"] = json::parse(layout_text(layout));
  o["measuring"] = nullptr;  // part done
  for (auto what : {Live::Measurement::perturbation, Live::Measurement::states, Live::Measurement::coactivation})
    if (const auto part = live.measuring(what)) o["measuring"] = *part;
  o["reading"] = nullptr;  // part done
  if (const auto part = live.reading()) o["reading"] = *part;
  o["kept"] = nullptr;  // what the last visit left, while it is offered
  if (offer_) o["kept"] = {{"name", offer_->name}, {"epoch", offer_->epoch}};
  o["pace"] = pace;
  o["matrix_span"] = view.matrix_part.span;  // units across; 0: all
  o["theme"] = theme == Theme::dark ? "dark" : "light";
  o["widgets"] = json::object();
  for (const auto& [name, r] : widgets_)
    o["widgets"][name] = {{"x", r.x / pixels_per_unit},
                          {"y", r.y / pixels_per_unit},
                          {"w", r.w / pixels_per_unit},
                          {"h", r.h / pixels_per_unit}};
  return o.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace dalea::app
