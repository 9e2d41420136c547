// dalea-desktop: the page's window, without a browser.
#include <GLFW/glfw3.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "app/window.h"
#include "common/connectome_files.h"
#include "common/digits.h"
#include "common/files.h"
#include "common/picture.h"
#include "common/recording_files.h"
#include "imgui.h"

namespace dalea::app {
namespace {

struct Options {
  std::string program, size = "1280x720", theme = "light", screenshot;
  std::vector<std::string> open, clicks;  // clicks: names of widgets, as the state has them
  std::string hover, reproduce;
  double seconds = 0;
  int threads = 0, tab = -1;
  bool size_given = false, theme_given = false;
};

// What the window remembers of its last time, in the user's configuration folder.
struct Remembered {
  int width = 0, height = 0;  // 0: nothing
  std::string theme, link, layout;
};

constexpr uintmax_t least_mapped = uintmax_t{16} << 20;  // bytes
constexpr int least_side = 320, most_side = 8192;        // pixels of the window

std::string memory_path() {
  const char* config = std::getenv("XDG_CONFIG_HOME");
  if (config != nullptr && *config == '/') return std::string(config) + "/dalea/window.json";
  const char* home = std::getenv("HOME");
  return home != nullptr && *home == '/' ? std::string(home) + "/.config/dalea/window.json" : "";
}

// Nothing where there is no file, or none of ours.
Remembered recall() {
  Remembered r;
  const std::string path = memory_path();
  if (path.empty() || !file_exists(path)) return r;
  const Result<std::vector<std::byte>> bytes = read_file(path);
  if (!bytes) return r;
  const auto o = nlohmann::json::parse(as_text(*bytes), nullptr, false);
  if (!o.is_object()) return r;
  const auto side = [&](const char* key) {
    const auto it = o.find(key);
    if (it == o.end() || !it->is_number_integer()) return 0;
    const auto v = it->get<int64_t>();
    return v >= least_side && v <= most_side ? static_cast<int>(v) : 0;
  };
  const auto text = [&](const char* key) {
    const auto it = o.find(key);
    return it != o.end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  r.width = side("width");
  r.height = side("height");
  r.theme = text("theme");
  r.link = text("link");
  r.layout = text("layout");
  return r;
}

// Forgetting is no error: a folder that cannot be written is somebody's choice.
void remember(const Remembered& r) {
  const std::string path = memory_path();
  if (path.empty() || !make_folder(std::filesystem::path(path).parent_path().string())) return;
  const nlohmann::json o = {
      {"width", r.width}, {"height", r.height}, {"theme", r.theme}, {"link", r.link}, {"layout", r.layout}};
  const Status ok = write_file(path, o.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  (void)ok;
}

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Files are asked for by path in a field of our own: no toolkit is needed.
class Desktop : public Host {
 public:
  Window* window = nullptr;
  App* app = nullptr;
  std::string layout;   // to remember
  std::string program;  // argv[0]

  ImTextureID texture(ImTextureID old, int width, int height, const uint32_t* rgba, bool crisp) override {
    return window->texture(old, width, height, rgba, crisp);
  }
  void save_file(const NamedFile& file) override {
    const std::string path = "out/" + file.name;
    Status ok = make_folder("out");
    if (ok) ok = write_file(path, file.bytes);
    if (!ok) return app->say(true, ok.error().text());
    app->say(false, "Saved " + std::filesystem::absolute(path).string());
  }
  void pick_file() override { asking_ = true; }
  void copy_text(const std::string& text) override { glfwSetClipboardString(window->handle(), text.c_str()); }
  void show_link(const std::string&) override {}
  std::string page_address() override { return ""; }
  void keep_layout(const std::string& json) override { layout = json; }
  void find_species() override {
    std::vector<std::string> names;
    species_ = dalea::find_species(connectome_folder(program));
    for (const FoundSpecies& s : species_) names.emplace_back(s.species->name);
    app->species_found(std::move(names));
  }
  void fetch_species(const std::string& name) override {
    for (const FoundSpecies& s : species_) {
      if (s.species->name != name) continue;
      std::vector<NamedFile> files;
      for (const std::string& path : {s.matrix, s.names, s.densities}) {
        if (path.empty()) continue;
        Result<std::vector<std::byte>> bytes = read_file(path);
        if (!bytes) return app->species_missing(name, bytes.error().text());
        files.push_back({std::filesystem::path(path).filename().string(), std::move(*bytes)});
      }
      return app->give_species(name, std::move(files));
    }
    app->species_missing(name, "its file is not there");
  }

  void open(const std::string& path) { open(std::vector<std::string>{path}); }
  // Files that were given together; a folder is suite2p's.
  void open(const std::vector<std::string>& paths) {
    const auto name = [](const std::string& path) { return std::filesystem::path(path).filename().string(); };
    if (std::any_of(paths.begin(), paths.end(), is_folder)) {
      Result<std::vector<std::byte>> bytes = read_together(paths);
      if (!bytes) return app->say(true, bytes.error().text());
      return app->give_file({name(paths[0]), std::move(*bytes)});
    }
    std::vector<NamedFile> files;
    for (const std::string& path : paths) {
      // Small ones are read: they may be written anew while the window is open.
      std::error_code unknown;
      const auto size = std::filesystem::file_size(path, unknown);
      Result<FileBytes> mapped = FileBytes();
      if (!unknown && size >= least_mapped) mapped = open_file(path);
      if (!mapped) return app->say(true, mapped.error().text());
      if (mapped->mapped()) {
        files.push_back({name(path), {}, std::move(*mapped)});
        continue;
      }
      Result<std::vector<std::byte>> bytes = read_file(path);
      if (!bytes) return app->say(true, bytes.error().text());
      files.push_back({name(path), std::move(*bytes)});
    }
    app->give_files(std::move(files));
  }

  // Drawn after the app's own windows.
  void draw() {
    if (asking_) ImGui::OpenPopup("Open a file");
    asking_ = false;
    ImGui::SetNextWindowSize({520 * app->scale, 0});
    if (!ImGui::BeginPopupModal("Open a file", nullptr, ImGuiWindowFlags_AlwaysAutoResize)) return;
    ImGui::TextWrapped(
        "Path of a recording (CSV, NPY, NPZ, MATLAB, HDF5, NWB, a suite2p folder), a session (NPZ), an experiment "
        "(JSON) or one of the digits' four "
        "IDX files. Dropping the file on the window does the same.");
    ImGui::SetNextItemWidth(-1);
    if (ImGui::IsWindowAppearing()) ImGui::SetKeyboardFocusHere();
    const bool enter = ImGui::InputText("##path", path_, sizeof path_, ImGuiInputTextFlags_EnterReturnsTrue);
    if (ImGui::Button("Open") || enter) {
      open(path_);
      ImGui::CloseCurrentPopup();
    }
    ImGui::SameLine();
    if (ImGui::Button("Cancel") || ImGui::IsKeyPressed(ImGuiKey_Escape)) ImGui::CloseCurrentPopup();
    ImGui::EndPopup();
  }

 private:
  std::vector<FoundSpecies> species_;
  bool asking_ = false;
  char path_[1024] = "";
};

// Presses widgets before a picture is taken: each by its name in the state.
class Hand {
 public:
  Hand(const Options& options, double shot_at) : clicks_(options.clicks), hover_(options.hover) {
    next_s_ = shot_at - 0.8 - gap_s * static_cast<double>(2 * clicks_.size());
    until_s_ = shot_at + 30;
  }
  // Everything was done, some frames ago.
  bool done() const { return (clicks_.empty() && hover_.empty()) || frames_ > 5; }
  // The name of a widget that is not there; empty: all are.
  const std::string& missing() const { return missing_; }
  void act(App& app, double since_start) {
    if ((clicks_.empty() && hover_.empty()) || since_start < next_s_) return;
    app.attend();
    if (over_) {
      ++frames_;
      return;
    }
    next_s_ = since_start + gap_s;
    ImGuiIO& io = ImGui::GetIO();
    const bool clicking = step_ < 2 * clicks_.size(), pressing = clicking && step_ % 2 == 0;
    const std::string& name = pressing ? clicks_[step_ / 2] : hover_;
    if ((pressing || !clicking) && !name.empty() && !move_to(app, name)) {
      if (since_start < until_s_) return;  // it may come
      missing_ = name;
      over_ = true;
    }
    if (clicking) {
      io.AddMouseButtonEvent(0, pressing);
      ++step_;
      return;
    }
    over_ = true;
    if (hover_.empty()) io.AddMousePosEvent(-FLT_MAX, -FLT_MAX);
  }

 private:
  static constexpr double gap_s = 0.15;
  // False: it is not there.
  static bool move_to(App& app, const std::string& name) {
    const nlohmann::json state = nlohmann::json::parse(app.state_json(1), nullptr, false);
    if (!state.is_object() || !state["widgets"].contains(name)) return false;
    const nlohmann::json& at = state["widgets"][name];
    ImGui::GetIO().AddMousePosEvent(at["x"].get<float>() + at["w"].get<float>() / 2,
                                    at["y"].get<float>() + at["h"].get<float>() / 2);
    return true;
  }
  std::vector<std::string> clicks_;
  std::string hover_, missing_;
  double next_s_ = 0, until_s_ = 0;
  size_t step_ = 0;
  bool over_ = false;
  int frames_ = 0;  // since it was over
};

Status save_picture(const std::string& path, int width, int height) {
  Image image;
  image.width = width;
  image.height = height;
  std::vector<uint8_t> rows(static_cast<size_t>(width) * static_cast<size_t>(height) * 3);
  glPixelStorei(GL_PACK_ALIGNMENT, 1);
  glReadPixels(0, 0, width, height, GL_RGB, GL_UNSIGNED_BYTE, rows.data());
  const size_t row = static_cast<size_t>(width) * 3;
  for (int y = height - 1; y >= 0; --y) {  // OpenGL's first row is the lowest
    const auto from = rows.begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(y) * row);
    image.rgb.insert(image.rgb.end(), from, from + static_cast<std::ptrdiff_t>(row));
  }
  return write_file(path, encode_png(image));
}

int show(const Options& options) {
  int width = 1280, height = 720;
  if (std::sscanf(options.size.c_str(), "%dx%d", &width, &height) != 2 || std::min(width, height) < least_side ||
      std::max(width, height) > most_side) {
    std::fprintf(stderr, "dalea-desktop: --size: '%s' is not a size; give WIDTHxHEIGHT, 320 to 8192 pixels\n",
                 options.size.c_str());
    return 2;
  }
  const bool remembers = options.screenshot.empty();  // a picture is the same on every machine
  Remembered last = remembers ? recall() : Remembered();
  if (!options.size_given && last.width > 0 && last.height > 0) {
    width = last.width;
    height = last.height;
  }
  Window window("Dalea", width, height, false);
  glfwSwapInterval(1);
  Desktop desktop;
  desktop.window = &window;
  desktop.program = options.program;
  LiveOptions live;
  live.threads = options.threads > 0 ? options.threads : std::max(1, hardware_threads() - 1);
  live.find_digits = [program = options.program] { return find_digits("", program); };
  live.platform = std::string("desktop 64-bit ") + isa_name(best_isa());
  App app(desktop, live);
  desktop.app = &app;
  const std::string theme = options.theme_given || last.theme.empty() ? options.theme : last.theme;
  app.theme = theme == "dark" ? Theme::dark : Theme::light;
  glfwSetWindowUserPointer(window.handle(), &desktop);
  glfwSetDropCallback(window.handle(), [](GLFWwindow* w, int count, const char** paths) {
    static_cast<Desktop*>(glfwGetWindowUserPointer(w))->open(std::vector<std::string>(paths, paths + count));
  });
  if (options.open.empty() && !last.link.empty()) {
    app.open_text(last.link);
    app.open_preset_if_empty();
  } else if (options.open.empty()) {
    app.open_preset("quickstart");
  } else if (options.open.size() == 1 && options.open[0].find("v1=") != std::string::npos &&
             !file_exists(options.open[0])) {
    app.open_text(options.open[0]);
  } else {
    desktop.open(options.open);
  }

  desktop.layout = last.layout;
  if (!last.layout.empty()) app.restore_layout(last.layout, options.open.empty());
  if (options.tab >= 0) {
    app.view.tab = options.tab;
    app.view.tab_name.clear();
  }
  if (options.reproduce == "planted") {
    app.start_planted({.quick = true});
  } else if (!options.reproduce.empty()) {
    reproduce::Options quick;
    quick.figure = *reproduce::parse_figure(options.reproduce);
    quick.quick = true;
    app.start_reproduction(quick);
  }

  const double start = now_s(), shot_at = options.seconds > 0 ? options.seconds : 10;
  Hand hand(options, shot_at);
  while (!glfwWindowShouldClose(window.handle())) {
    glfwWaitEventsTimeout(app.wants_frame(now_s()) ? 0 : 0.03);
    const bool last = !options.screenshot.empty() && now_s() - start >= shot_at && hand.done();
    if (!options.screenshot.empty()) hand.act(app, now_s() - start);
    if (!last && !app.wants_frame(now_s())) continue;
    int w = 0, h = 0;
    glfwGetFramebufferSize(window.handle(), &w, &h);
    if (w == 0 || h == 0) continue;  // minimised
    float sx = 1, sy = 1;
    glfwGetWindowContentScale(window.handle(), &sx, &sy);
    window.set_scale(sx);
    window.draw(app, {static_cast<float>(w), static_cast<float>(h)}, [&] { desktop.draw(); });
    if (last) {
      const Status ok = save_picture(options.screenshot, w, h);
      if (!ok) {
        std::fprintf(stderr, "dalea-desktop: %s\n", ok.error().text().c_str());
        return 1;
      }
      std::printf("%s\n", app.state_json(1).c_str());
      if (hand.missing().empty()) return 0;
      std::fprintf(stderr, "dalea-desktop: --click: there is no '%s' to point at; the state lists what there is\n",
                   hand.missing().c_str());
      return 2;
    }
    glfwSwapBuffers(window.handle());
  }
  if (remembers) {
    glfwGetWindowSize(window.handle(), &last.width, &last.height);
    last.theme = app.theme == Theme::dark ? "dark" : "light";
    last.layout = desktop.layout;
    // What a link alone can make again.
    if (app.now->setup && !app.now->setup->recording && !app.now->setup->own_mask) last.link = app.now->setup->link;
    remember(last);
  }
  return 0;
}

}  // namespace
}  // namespace dalea::app

int main(int argc, char** argv) {
  CLI::App cli{"Dalea's window: watch a network that obeys Dale's law learn"};
  dalea::app::Options options;
  options.program = argc > 0 ? argv[0] : "";
  cli.add_option(
      "open", options.open,
      "Experiment (.json), session (.npz), recording (.csv, .npy, .npz, .mat) or link; several sessions are compared; "
      "default: the last one, or the quick start");
  const CLI::Option* size =
      cli.add_option("--size", options.size, "Window in pixels; else as it was left, or 1280x720");
  const CLI::Option* theme = cli.add_option("--theme", options.theme, "light or dark; else as it was left, or light")
                                 ->check(CLI::IsMember({"light", "dark"}));
  cli.add_option("--threads", options.threads, "Threads of the training (default: all cores but one)")
      ->check(CLI::Range(1, 256));
  cli.add_option("--tab", options.tab, "Tab that is open at the start")
      ->transform(CLI::CheckedTransformer(std::map<std::string, int>{{"weights", dalea::app::tab_weights},
                                                                     {"build", dalea::app::tab_build},
                                                                     {"recording", dalea::app::tab_recording},
                                                                     {"answers", dalea::app::tab_answers},
                                                                     {"fit", dalea::app::tab_fit},
                                                                     {"topology", dalea::app::tab_topology},
                                                                     {"perturb", dalea::app::tab_perturb},
                                                                     {"runs", dalea::app::tab_runs},
                                                                     {"compare", dalea::app::tab_compare},
                                                                     {"connectome", dalea::app::tab_connectome},
                                                                     {"wiring", dalea::app::tab_wiring},
                                                                     {"prune", dalea::app::tab_prune},
                                                                     {"reproduce", dalea::app::tab_reproduce},
                                                                     {"theory", dalea::app::tab_theory},
                                                                     {"speed", dalea::app::tab_speed}})
                      .description("weights, build, connectome, recording, answers, fit, perturb, runs, compare, "
                                   "wiring, prune, reproduce, "
                                   "theory or speed"));
  cli.add_option("--reproduce", options.reproduce,
                 "Start a quick reproduction of fig2, fig3, fig4, fig5, bio or planted")
      ->check(CLI::IsMember({"fig2", "fig3", "fig4", "fig5", "bio", "planted"}));
  cli.add_option("--screenshot", options.screenshot,
                 "Save a picture (PNG) after --seconds, print the state as JSON, and quit");
  cli.add_option("--click", options.clicks, "Press what the state calls this, before --screenshot (may be repeated)")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  cli.add_option("--hover", options.hover, "Point at what the state calls this, after --click");
  cli.add_option("--seconds", options.seconds, "See --screenshot (default 10)")->check(CLI::Range(0.1, 86400.0));
  CLI11_PARSE(cli, argc, argv);
  options.size_given = size->count() > 0;
  options.theme_given = theme->count() > 0;
  try {
    return dalea::app::show(options);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "dalea-desktop: %s\n", e.what());
    return 1;
  }
}
