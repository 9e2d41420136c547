// The share popup, and the strips below the title: what the link says, and what the last visit left.
#include <algorithm>

#include "app/views.h"
#include "app/widgets.h"
#include "common/snippets.h"

namespace dalea::app {
namespace {

// A piece of text to read and copy, in a frame that scrolls.
void snippet(App& app, const char* name, const char* title, const std::string& text, float height) {
  ImGui::PushFont(fonts.medium);
  ImGui::TextUnformatted(title);
  ImGui::PopFont();
  ImGui::SameLine();
  const bool copy = ImGui::SmallButton((std::string("Copy##") + name).c_str());
  app.track(std::string("share:") + name);
  if (copy) {
    app.host.copy_text(text);
    app.say(false, std::string(title) + ": copied.");
  }
  ImGui::PushStyleColor(ImGuiCol_ChildBg, palette(app.theme).background);
  if (ImGui::BeginChild(name, {0, height}, ImGuiChildFlags_Border, ImGuiWindowFlags_HorizontalScrollbar)) {
    ImGui::PushFont(fonts.small);
    ImGui::TextUnformatted(text.c_str());
    ImGui::PopFont();
  }
  ImGui::EndChild();
  ImGui::PopStyleColor();
}

// A rounded strip at `at` of this height, for what the caller then draws.
void strip(const App& app, ImVec2 at, float width, float height) {
  const float u = app.scale;
  ImGui::GetWindowDrawList()->AddRectFilled(at, {at.x + width, at.y + height}, color32(palette(app.theme).info_back),
                                            8 * u);
}

float view_strip(App& app, ImVec2 at, float width) {
  const LinkView& v = app.link_view;
  if (v.empty()) return 0;
  const float u = app.scale, pad = 8 * u, button = 140 * u, wrap = width - button - 4 * pad;
  ImGui::PushFont(fonts.title);
  const float title = v.title.empty() ? 0 : ImGui::CalcTextSize(v.title.c_str(), nullptr, false, wrap).y;
  ImGui::PopFont();
  // A long note scrolls: it must not push the network off the window.
  const float note =
      v.note.empty() ? 0 : std::min(ImGui::CalcTextSize(v.note.c_str(), nullptr, false, wrap - 16 * u).y, 90 * u);
  const float height = std::max(title + note + (title > 0 && note > 0 ? 4 * u : 0), ImGui::GetFrameHeight()) + 2 * pad;
  strip(app, at, width, height);
  if (title > 0) {
    ImGui::SetCursorScreenPos({at.x + 1.5f * pad, at.y + pad});
    ImGui::PushFont(fonts.title);
    ImGui::PushTextWrapPos(ImGui::GetCursorPosX() + wrap);
    ImGui::TextUnformatted(v.title.c_str());
    ImGui::PopTextWrapPos();
    ImGui::PopFont();
  }
  if (note > 0) {
    ImGui::SetCursorScreenPos({at.x + 1.5f * pad, at.y + pad + title + (title > 0 ? 4 * u : 0)});
    ImGui::BeginChild("link note", {wrap, note}, ImGuiChildFlags_None, ImGuiWindowFlags_NoBackground);
    ImGui::PushTextWrapPos(wrap - 16 * u);
    ImGui::TextUnformatted(v.note.c_str());
    ImGui::PopTextWrapPos();
    ImGui::EndChild();
  }
  ImGui::SetCursorScreenPos({at.x + width - button - pad, at.y + pad});
  const bool all = ImGui::Button("Show everything", {button, 0});
  app.track("show-everything");
  if (all) app.show_everything();
  return height + 8 * u;
}

}  // namespace

// A file that takes long to read.
float reading_strip(App& app, ImVec2 at, float width) {
  const std::optional<double> part = app.live.reading();
  if (!part || !app.reading_long_ || app.reading_shown) return 0;
  const float u = app.scale, pad = 8 * u, height = ImGui::GetFrameHeight() + 2 * pad;
  strip(app, at, width, height);
  ImGui::SetCursorScreenPos({at.x + 1.5f * pad, at.y + pad});
  ImGui::AlignTextToFramePadding();
  ImGui::TextUnformatted("Reading a file");
  ImGui::SameLine(0, 12 * u);
  const std::string percent = std::to_string(static_cast<int>(100 * *part)) + " %";
  ImGui::ProgressBar(static_cast<float>(*part), {std::min(320 * u, width - 260 * u), ImGui::GetFrameHeight()},
                     percent.c_str());
  ImGui::SameLine(0, 12 * u);
  if (ImGui::Button("Cancel##reading", {90 * u, 0})) app.live.cancel_reading();
  app.track("reading:cancel");
  return height + 8 * u;
}

float draw_strips(App& app, ImVec2 at, float width) {
  const float reading = reading_strip(app, at, width);
  at.y += reading;
  const float view = reading + view_strip(app, at, width);
  if (!app.offer_) return view;
  at.y += view - reading;
  const float u = app.scale, pad = 8 * u, height = ImGui::GetFrameHeight() + 2 * pad;
  strip(app, at, width, height);
  ImGui::SetCursorScreenPos({at.x + pad, at.y + pad});
  const Kept kept = *app.offer_;
  std::string name = kept.name.empty() ? "untitled" : kept.name;
  const std::string label = "Continue where you left off (" + name + ", epoch " + std::to_string(kept.epoch) + ")";
  const float others = 2 * 90 * u + 2 * 6 * u;
  const float room = std::max(120 * u, width - 2 * pad - others - 6 * u);
  const bool go = ImGui::Button((label + "###continue").c_str(),
                                {std::min(room, ImGui::CalcTextSize(label.c_str()).x + 24 * u), 0});
  app.track("continue");
  ImGui::SameLine(0, 6 * u);
  const bool later = ImGui::Button("Not now", {90 * u, 0});
  app.track("continue:dismiss");
  ImGui::SameLine(0, 6 * u);
  const bool forget = ImGui::Button("Forget it", {90 * u, 0});
  app.track("continue:forget");
  hint("Removes what this browser kept of your last visit. Nothing of it has left this computer.");
  if (go)
    app.continue_kept();
  else if (later)
    app.dismiss_kept();
  else if (forget)
    app.forget_kept();
  return view + height + 8 * u;
}

void draw_share(App& app) {
  const float u = app.scale;
  const ImVec2 display = ImGui::GetIO().DisplaySize;
  const float width = std::min(520 * u, display.x - 24 * u);
  ImGui::SetNextWindowSizeConstraints({width, 0}, {width, display.y - 64 * u});
  ImGui::SetNextWindowPos({display.x - width - 12 * u, 46 * u}, ImGuiCond_Always);
  if (!ImGui::BeginPopup("share")) return;
  ShareState& s = app.view.share;
  if (ImGui::IsWindowAppearing() && !app.link_view.empty()) {  // a link's view is passed on as it came
    const LinkView& v = app.link_view;
    std::snprintf(s.title, sizeof s.title, "%s", v.title.c_str());
    std::snprintf(s.note, sizeof s.note, "%s", v.note.c_str());
    s.hide_build = v.hide_build;
    s.hide_tabs = v.hide_tabs;
    s.hide_share = v.hide_share;
    s.hide_loss = v.hide_loss;
    s.hide_trial = v.hide_trial;
    s.with_theme = v.theme.has_value();
    s.with_pace = v.pace.has_value();
  }
  const auto heading = [](const char* text) {
    ImGui::PushFont(fonts.medium);
    ImGui::TextUnformatted(text);
    ImGui::PopFont();
  };
  heading("A link for a class or a talk");
  ImGui::SetNextItemWidth(-1);
  ImGui::InputTextWithHint("##title", "Title shown above the network", s.title, sizeof s.title);
  app.track("share:title");
  ImGui::InputTextMultiline("##note", s.note, sizeof s.note, {-1, 52 * u});
  app.track("share:note");
  hint("A note below the title: what to look at, what to try");
  ImGui::AlignTextToFramePadding();
  ImGui::TextDisabled("Hide:");
  const auto tick = [&](const char* name, const char* label, bool& on) {
    flow(checkbox_width(label), 10 * u);
    ImGui::Checkbox(label, &on);
    app.track(std::string("share:") + name);
  };
  tick("build", "settings", s.hide_build);
  tick("tabs", "other tabs", s.hide_tabs);
  tick("share", "sharing", s.hide_share);
  tick("loss", "loss", s.hide_loss);
  tick("trial", "trial", s.hide_trial);
  ImGui::AlignTextToFramePadding();
  ImGui::TextDisabled("Opens with:");
  tick("theme", app.theme == Theme::dark ? "dark colours" : "light colours", s.with_theme);
  tick("pace", "this speed", s.with_pace);
  const std::string link = app.view_link();
  const bool copy = ImGui::Button("Copy this link");
  app.track("share:copy");
  if (copy) app.copy_view_link();
  ImGui::SameLine(0, 10 * u);
  ImGui::AlignTextToFramePadding();
  if (link.size() < 2000)
    ImGui::TextDisabled("%zu characters", link.size());
  else
    ImGui::TextColored(palette(app.theme).bad, "%zu characters: some programs cut links at 2,000", link.size());

  ImGui::Separator();
  if (app.link_view.empty()) {  // else the link says what is open
    heading("This window");
    ImGui::AlignTextToFramePadding();
    ImGui::TextDisabled("Open panels:");
    Layout& l = app.layout;
    tick("open-settings", "settings##open", l.settings);
    tick("open-loss", "loss##open", l.loss);
    tick("open-trial", "trial##open", l.trial_panel);
    const char* reset = "Reset layout";
    flow(ImGui::CalcTextSize(reset).x + 20 * u, 10 * u);
    if (ImGui::Button(reset)) app.reset_layout();
    app.track("layout:reset");
    hint("Panels, their sizes, open tabs and zoom as at a first visit. They are remembered on this computer.");
    ImGui::Separator();
  }
  if (app.now->setup) {
    const Spec& spec = app.now->setup->spec;
    snippet(app, "python", "Load in PyTorch", python_snippet(spec, file_stem(spec.name) + "-weights.npz"), 84 * u);
    ImGui::TextDisabled("It reads what Download > Weights (.npz) saves, and so does the PyTorch module there.");
    snippet(app, "native", "Run natively", native_snippet(app.now->setup->link), 52 * u);
  }

  ImGui::Separator();
  ImGui::PushTextWrapPos(0);
  ImGui::TextUnformatted(
      "Nothing leaves this computer: recordings, weights and sessions stay in this program. "
      "A link holds the experiment and the text above, no data.");
  ImGui::PopTextWrapPos();
  if (app.host.keeps()) {
    const bool forget = ImGui::Button("Forget the kept session");
    app.track("share:forget");
    hint("The browser keeps your latest session, so that you can go on with it at your next visit. This removes it.");
    if (forget) app.forget_kept();
  }
  ImGui::EndPopup();
}

}  // namespace dalea::app
