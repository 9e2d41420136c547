// The page's side of the window: the only C++ file that knows Emscripten. JavaScript's side is web/page.js.
#include <GLES3/gl3.h>
#include <emscripten.h>
#include <emscripten/html5.h>

#include <algorithm>
#include <cfloat>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "app/window.h"
#include "common/connectome_files.h"
#include "imgui.h"
#include "imgui_internal.h"

using namespace dalea;
using namespace dalea::app;

// What page.js provides as Module.host. Bytes are copied out of the heap at once: it may be shared or grow.
// clang-format off
EM_JS(void, host_save, (const char* name, const void* bytes, size_t size), {
  Module.host.save(UTF8ToString(name), HEAPU8.slice(bytes, bytes + size));
});
EM_JS(void, host_pick, (), { Module.host.pick(); });
EM_JS(void, host_copy, (const char* text), { Module.host.copy(UTF8ToString(text)); });
EM_JS(void, host_link, (const char* fragment), { Module.host.link(UTF8ToString(fragment)); });
EM_JS(void, host_theme, (int dark), { Module.host.theme(dark !== 0); });
EM_JS(char*, host_address, (), {
  const text = location.origin + location.pathname;
  const size = lengthBytesUTF8(text) + 1;
  const bytes = _malloc(size);
  stringToUTF8(text, bytes, size);
  return bytes;
});
EM_JS(void, host_fetch_digits, (), { Module.host.fetchDigits(); });
EM_JS(void, host_find_species, (), { Module.host.findSpecies(); });
EM_JS(void, host_fetch_species, (const char* name, const char* files), {
  Module.host.fetchSpecies(UTF8ToString(name), UTF8ToString(files));
});
EM_JS(void, host_keep, (const char* name, double epoch, int finished, const void* bytes, size_t size), {
  Module.host.keep({name: UTF8ToString(name), epoch: epoch, finished: finished !== 0}, HEAPU8.slice(bytes, bytes + size));
});
EM_JS(void, host_open_kept, (), { Module.host.openKept(); });
EM_JS(void, host_forget_kept, (), { Module.host.forgetKept(); });
EM_JS(void, host_keep_layout, (const char* json), { Module.host.keepLayout(UTF8ToString(json)); });
EM_JS(void, host_piece, (void* to), { HEAPU8.set(Module.host.piece, to); });
EM_JS(double, host_pixel_ratio, (), { return window.devicePixelRatio || 1; });
EM_JS(int, host_threads, (), { return navigator.hardwareConcurrency || 2; });
// clang-format on

namespace {

class Page : public Host {
 public:
  Window* window = nullptr;

  ImTextureID texture(ImTextureID old, int width, int height, const uint32_t* rgba, bool crisp) override {
    return window->texture(old, width, height, rgba, crisp);
  }
  void save_file(const NamedFile& file) override { host_save(file.name.c_str(), file.bytes.data(), file.bytes.size()); }
  void pick_file() override { host_pick(); }
  void copy_text(const std::string& text) override { host_copy(text.c_str()); }
  void show_link(const std::string& fragment) override { host_link(fragment.c_str()); }
  bool fetch_digits() override {
    host_fetch_digits();
    return true;
  }
  std::vector<std::string> connectomes;  // files that are served beside the page
  void find_species() override { host_find_species(); }
  void fetch_species(const std::string& name) override {
    std::string files;
    for (const Species& s : known_species()) {
      if (s.name != name) continue;
      for (const auto& [first, second] : {std::pair{s.matrix, s.matrix_instead}, std::pair{s.names, s.names},
                                          std::pair{s.densities, s.densities_instead}}) {
        const char* file = serves(first) ? first : second;
        if (serves(file)) files += (files.empty() ? "" : ",") + std::string(file);
      }
    }
    host_fetch_species(name.c_str(), files.c_str());
  }
  bool serves(const char* file) const {
    return file != nullptr && std::find(connectomes.begin(), connectomes.end(), file) != connectomes.end();
  }
  bool keeps() const override { return true; }
  void keep_session(const Kept& kept, const std::vector<std::byte>& bytes) override {
    host_keep(kept.name.c_str(), static_cast<double>(kept.epoch), kept.finished ? 1 : 0, bytes.data(), bytes.size());
  }
  void open_kept() override { host_open_kept(); }
  void forget_kept() override { host_forget_kept(); }
  void keep_layout(const std::string& json) override { host_keep_layout(json.c_str()); }
  std::string page_address() override {
    char* text = host_address();
    const std::string address = text;
    std::free(text);
    return address;
  }
};

struct Program {
  Page page;
  std::unique_ptr<Window> window;
  std::unique_ptr<App> app;
  float ratio = 1;
  ImVec2 size;
  Theme theme_told = Theme::light;
  bool lost = false;
  double frame_ms = 0;  // time of drawing, averaged
  double drawn_s = 0;
  std::string answer;               // of the last dalea_state()
  std::vector<NamedFile> together;  // files that the page is giving
  std::vector<NamedFile> species;   // the same of a known connectome
  std::vector<std::byte> incoming;  // what is there of the file that it gives in pieces
};
Program* program = nullptr;

void frame() {
  Program& p = *program;
  const double now = emscripten_get_now() / 1000;
  // On one thread the training shares it with the drawing: longer while nobody touches anything.
  if (!p.app->live.own_thread()) p.app->live.pump(0.020);
  if (p.lost) return;
  double width = 0, height = 0;
  emscripten_get_element_css_size("#canvas", &width, &height);
  p.ratio = static_cast<float>(std::clamp(host_pixel_ratio(), 0.5, 4.0));
  const ImVec2 size = {static_cast<float>(static_cast<int>(width * p.ratio + 0.5)),
                       static_cast<float>(static_cast<int>(height * p.ratio + 0.5))};
  if (size.x < 1 || size.y < 1) return;
  const bool resized = size.x != p.size.x || size.y != p.size.y;
  if (resized) {
    emscripten_set_canvas_element_size("#canvas", static_cast<int>(size.x), static_cast<int>(size.y));
    p.size = size;
  }
  if (!resized && !p.app->wants_frame(now)) return;
  // Where drawing is slow (no graphics processor), an untouched page draws a quarter of the time and leaves the rest to
  // the training.
  if (!resized && !p.app->attended(now) && now - p.drawn_s < 4 * p.frame_ms / 1000) return;
  p.drawn_s = now;
  p.window->set_scale(p.ratio);
  const double begin = emscripten_get_now();
  p.window->draw(*p.app, size);
  p.frame_ms += 0.1 * (emscripten_get_now() - begin - p.frame_ms);
  if (p.app->theme != p.theme_told) {
    p.theme_told = p.app->theme;
    host_theme(p.theme_told == Theme::dark);
  }
}

std::vector<std::string> list_of(const char* apart_by_commas) {
  std::vector<std::string> list;
  std::string rest = apart_by_commas;
  for (size_t comma = 0; !rest.empty() && comma != std::string::npos;) {
    comma = rest.find(',');
    list.push_back(rest.substr(0, comma));
    if (comma != std::string::npos) rest.erase(0, comma + 1);
  }
  return list;
}

// The backend listens on the document, where browsers do not let a wheel be taken; the canvas is enough.
EM_BOOL wheel(int, const EmscriptenWheelEvent* e, void*) {
  const double unit = e->deltaMode == DOM_DELTA_PIXEL ? 0.01 : e->deltaMode == DOM_DELTA_LINE ? 0.3 : 1;
  ImGui::GetIO().AddMouseWheelEvent(static_cast<float>(-e->deltaX * unit), static_cast<float>(-e->deltaY * unit));
  return EM_TRUE;
}

// The window under the pointer, or the nearest one around it, that can scroll up and down; null: none.
ImGuiWindow* scrollable() {
  ImGuiWindow* w = ImGui::GetCurrentContext()->HoveredWindow;
  while (w != nullptr && (w->ScrollMax.y <= 0 || (w->Flags & ImGuiWindowFlags_NoScrollWithMouse) != 0))
    w = (w->Flags & ImGuiWindowFlags_ChildWindow) != 0 ? w->ParentWindow : nullptr;
  return w;
}

EM_BOOL context_lost(int, const void*, void*) {
  program->lost = true;
  return EM_TRUE;  // asks the browser to give it back
}

EM_BOOL context_restored(int, const void*, void*) {
  program->window->remake_graphics();
  program->app->textures_lost();
  program->lost = false;
  return EM_TRUE;
}

}  // namespace

extern "C" {

// What the buttons do, for page.js, tests and scripts. Texts are UTF-8.
EMSCRIPTEN_KEEPALIVE void dalea_toggle() {
  program->app->toggle();
}
EMSCRIPTEN_KEEPALIVE void dalea_play() {
  program->app->live.play();
}
EMSCRIPTEN_KEEPALIVE void dalea_pause() {
  program->app->live.pause();
}
EMSCRIPTEN_KEEPALIVE void dalea_step() {
  program->app->live.step();
}
EMSCRIPTEN_KEEPALIVE void dalea_step_epoch() {
  program->app->live.step_epoch();
}
EMSCRIPTEN_KEEPALIVE void dalea_restart() {
  program->app->live.restart();
}
EMSCRIPTEN_KEEPALIVE void dalea_new_seed() {
  program->app->live.new_seed();
}
EMSCRIPTEN_KEEPALIVE void dalea_pace(double updates_per_s) {
  program->app->set_pace(updates_per_s);
}
EMSCRIPTEN_KEEPALIVE void dalea_watch(int on) {
  program->app->live.watch(on != 0);
}
EMSCRIPTEN_KEEPALIVE void dalea_copy_link() {
  program->app->copy_link();
}
EMSCRIPTEN_KEEPALIVE void dalea_open_preset(const char* id) {
  program->app->open_preset(id);
}
EMSCRIPTEN_KEEPALIVE void dalea_open_text(const char* link_or_json) {
  program->app->open_text(link_or_json);
}
EMSCRIPTEN_KEEPALIVE void dalea_train_recording() {
  program->app->train_preview();
}
EMSCRIPTEN_KEEPALIVE void dalea_download(int what) {
  if (what >= 0 && what <= 3) program->app->live.save(static_cast<Download>(what));
}
// `dalea bench` in the page: workloads apart by commas. Results are in dalea_state().
EMSCRIPTEN_KEEPALIVE void dalea_bench(const char* workloads, int threads, double seconds) {
  program->app->measure(list_of(workloads), threads, seconds);
}
// `dalea reproduce` in the page: "fig2" to "fig5", "bio", "planted"; tasks apart by commas, empty: all. Results are in
// dalea_state().
EMSCRIPTEN_KEEPALIVE void dalea_reproduce(const char* figure, int quick, int corrected, int runs, const char* tasks) {
  if (std::string_view(figure) == "planted") return program->app->start_planted({.quick = quick != 0, .runs = runs});
  reproduce::Options options;
  const Result<reproduce::Paper> paper = reproduce::parse_figure(figure);
  if (!paper) return program->app->say(true, paper.error().text());
  options.figure = *paper;
  options.quick = quick != 0;
  options.corrected = corrected != 0;
  options.runs = runs;
  options.tasks = list_of(tasks);
  program->app->start_reproduction(options);
}
// `dalea prune` in the page: settings as JSON (see change_settings). What comes is in dalea_state().
EMSCRIPTEN_KEEPALIVE void dalea_prune_set(const char* json) {
  program->app->prune_set(json);
}
EMSCRIPTEN_KEEPALIVE void dalea_prune_sweep() {
  program->app->prune_sweep();
}
EMSCRIPTEN_KEEPALIVE void dalea_prune_stop() {
  program->app->pruning.stop();
}
EMSCRIPTEN_KEEPALIVE void dalea_prune_retrain(int epochs) {
  program->app->prune_retrain(epochs);
}
EMSCRIPTEN_KEEPALIVE void dalea_prune_save(int figure) {
  program->app->prune_save(figure != 0);
}
// Conditions side by side, apart by commas: "conventional,dale". They are in dalea_state() as `runs`.
EMSCRIPTEN_KEEPALIVE void dalea_runs(const char* conditions, int runs, int equalise) {
  program->app->train_conditions(list_of(conditions), runs, equalise != 0);
}
EMSCRIPTEN_KEEPALIVE void dalea_runs_pause(int on) {
  on != 0 ? program->app->side.pause() : program->app->side.go_on();
}
EMSCRIPTEN_KEEPALIVE void dalea_runs_stop() {
  program->app->side.stop();
}
EMSCRIPTEN_KEEPALIVE void dalea_runs_open(int job) {
  program->app->open_run(static_cast<size_t>(job));
}
EMSCRIPTEN_KEEPALIVE void dalea_say(int error, const char* text) {
  program->app->say(error != 0, text);
}
EMSCRIPTEN_KEEPALIVE void dalea_theme(int dark) {
  program->app->theme = dark != 0 ? Theme::dark : Theme::light;
}
// The tab is hidden, where no frames are drawn: keep the session; and, a little later, take it from the training.
EMSCRIPTEN_KEEPALIVE void dalea_keep() {
  program->app->now = program->app->live.snapshot();
  program->app->keep();
}
EMSCRIPTEN_KEEPALIVE void dalea_collect() {
  if (!program->app->live.own_thread()) program->app->live.pump(0);
  program->app->wants_frame(emscripten_get_now() / 1000);
}
EMSCRIPTEN_KEEPALIVE void dalea_offer_kept(const char* name, int epoch, int finished) {
  program->app->offer_kept({name, epoch, finished != 0});
}
EMSCRIPTEN_KEEPALIVE void dalea_continue_kept() {
  program->app->continue_kept();
}
// What Module.host.keepLayout() got at the last visit; `tabs`: the experiment is the same, so its open tabs are too.
EMSCRIPTEN_KEEPALIVE void dalea_restore_layout(const char* json, int tabs) {
  program->app->restore_layout(json, tabs != 0);
}
EMSCRIPTEN_KEEPALIVE void dalea_forget_kept() {
  program->app->forget_kept();
}
EMSCRIPTEN_KEEPALIVE void dalea_calm(int on) {
  program->app->calm = on != 0;
  ImGui::GetIO().ConfigInputTextCursorBlink = on == 0;
}
// One finger: whether moving it up and down scrolls what is under it; scrolling by CSS pixels.
EMSCRIPTEN_KEEPALIVE int dalea_can_scroll() {
  return scrollable() != nullptr;
}
EMSCRIPTEN_KEEPALIVE void dalea_scroll(double pixels) {
  if (ImGuiWindow* w = scrollable()) {
    const float from = w->ScrollTarget.y < FLT_MAX ? w->ScrollTarget.y : w->Scroll.y;  // several in one frame add up
    ImGui::SetScrollY(w, std::clamp(from + static_cast<float>(pixels) * program->ratio, 0.0f, w->ScrollMax.y));
  }
  program->app->attend();
}
// Takes over `bytes`, which came from malloc.
EMSCRIPTEN_KEEPALIVE void dalea_give_file(const char* name, std::byte* bytes, size_t size) {
  NamedFile file{name, std::vector<std::byte>(bytes, bytes + size)};
  std::free(bytes);
  program->app->give_file(std::move(file));
}
// A file in pieces: room for all of it, each piece (Module.host.piece), and the file as it is or as one of several that
// are given together; or what there was of them is let go. 0: there is not enough memory.
EMSCRIPTEN_KEEPALIVE int dalea_begin_pieces(size_t size) {
  try {
    program->incoming = {};
    program->incoming.reserve(size);
    return 1;
  } catch (const std::bad_alloc&) {
    return 0;
  }
}
EMSCRIPTEN_KEEPALIVE void dalea_add_piece(size_t size) {
  const size_t at = program->incoming.size();
  program->incoming.resize(at + size);
  host_piece(program->incoming.data() + at);
}
EMSCRIPTEN_KEEPALIVE void dalea_give_pieces(const char* name, int together) {
  NamedFile file{name, std::exchange(program->incoming, {})};
  if (together != 0)
    program->together.push_back(std::move(file));
  else
    program->app->give_file(std::move(file));
}
EMSCRIPTEN_KEEPALIVE void dalea_drop_pieces() {
  program->incoming = {};
  program->together.clear();
}
// The part done, 0 .. 1, of the file that is made a recording; -1: none is.
EMSCRIPTEN_KEEPALIVE double dalea_reading() {
  return program->app->live.reading().value_or(-1);
}
// The page shows that itself from now on, or does no more.
EMSCRIPTEN_KEEPALIVE void dalea_reading_shown(int on) {
  program->app->reading_shown = on != 0;
}
EMSCRIPTEN_KEEPALIVE void dalea_cancel_reading() {
  program->app->live.cancel_reading();
}
// All that were given as some of several.
EMSCRIPTEN_KEEPALIVE void dalea_give_together() {
  program->app->give_files(std::exchange(program->together, {}));
}
// The same for the small set of digits that the page was asked for.
EMSCRIPTEN_KEEPALIVE void dalea_give_digits(const char* name, std::byte* bytes, size_t size) {
  NamedFile file{name, std::vector<std::byte>(bytes, bytes + size)};
  std::free(bytes);
  program->app->give_bundled_digits(std::move(file));
}
// Files of known connectomes that are served, apart by commas; those of one, its matrix first; why they did not come.
EMSCRIPTEN_KEEPALIVE void dalea_species_found(const char* files) {
  program->page.connectomes = list_of(files);
  std::vector<std::string> names;
  for (const Species& s : known_species())
    if (program->page.serves(s.matrix) || program->page.serves(s.matrix_instead)) names.emplace_back(s.name);
  program->app->species_found(std::move(names));
}
EMSCRIPTEN_KEEPALIVE void dalea_add_species_file(const char* name, std::byte* bytes, size_t size) {
  program->species.push_back({name, std::vector<std::byte>(bytes, bytes + size)});
  std::free(bytes);
}
EMSCRIPTEN_KEEPALIVE void dalea_give_species(const char* name) {
  program->app->give_species(name, std::exchange(program->species, {}));
}
EMSCRIPTEN_KEEPALIVE void dalea_species_missing(const char* name, const char* why) {
  program->species.clear();
  program->app->species_missing(name, why);
}
EMSCRIPTEN_KEEPALIVE void dalea_digits_missing(const char* why) {
  program->app->digits_missing(why);
}
EMSCRIPTEN_KEEPALIVE double dalea_frame_ms() {
  return program->frame_ms;
}
// JSON, valid until the next call.
EMSCRIPTEN_KEEPALIVE const char* dalea_state() {
  program->app->now = program->app->live.snapshot();
  program->answer = program->app->state_json(program->ratio);
  return program->answer.c_str();
}

// Opens the window and starts: `link` is the address's fragment, or empty for the quick start.
EMSCRIPTEN_KEEPALIVE void dalea_start(const char* link, int dark) {
  program = new Program;
  program->window = std::make_unique<Window>("Dalea", 1280, 720, false);
  program->page.window = program->window.get();
  emscripten_set_wheel_callback(EMSCRIPTEN_EVENT_TARGET_DOCUMENT, nullptr, false, nullptr);
  emscripten_set_wheel_callback("#canvas", nullptr, false, wheel);
  emscripten_set_webglcontextlost_callback("#canvas", nullptr, false, context_lost);
  emscripten_set_webglcontextrestored_callback("#canvas", nullptr, false, context_restored);
  LiveOptions options;
  options.own_thread = threads_available();
  options.threads = std::clamp(host_threads(), 1, 8);
  options.platform = threads_available() ? "page, threads" : "page, one thread";
  program->app = std::make_unique<App>(program->page, options);
  program->app->theme = program->theme_told = dark != 0 ? Theme::dark : Theme::light;
  if (*link != 0) {
    program->app->open_text(link);
    program->app->open_preset_if_empty();
  } else {
    program->app->open_preset("quickstart");
    program->app->set_pace(App::demonstration_pace);
  }
  emscripten_set_main_loop(frame, 0, 0);
}

}  // extern "C"
