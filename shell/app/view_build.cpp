// The circuit before it is trained: probabilities by block, the same as a diagram, what they amount to, and the task.
#include <algorithm>
#include <cmath>

#include "app/build_parts.h"
#include "app/editing.h"
#include "app/views.h"
#include "app/widgets.h"
#include "imgui_internal.h"

namespace dalea::app {

float widest_name(const Spec& s) {
  float width = 0;
  for (const Population& p : s.populations) width = std::max(width, ImGui::CalcTextSize(p.name.c_str()).x);
  return width;
}

void select(BuildState& b, size_t post, size_t pre) {
  if (b.post == static_cast<int>(post) && b.pre == static_cast<int>(pre)) return;
  b.post = static_cast<int>(post);
  b.pre = static_cast<int>(pre);
  b.typed.clear();
}

bool set_selected(App& app, double p) {
  const BuildState& b = app.view.build;
  if (made_by_rules(app.draft)) return false;
  const double rounded = std::round(1000 * std::clamp(p, 0.0, 1.0)) / 1000;
  if (probability_at(app.draft, whole(b.post), whole(b.pre)) == rounded) return false;
  set_probability(app.draft, whole(b.post), whole(b.pre), rounded);
  return true;
}

bool use_keys(App& app) {
  if (!ImGui::IsItemFocused()) return false;
  BuildState& b = app.view.build;
  const ImGuiID id = ImGui::GetItemID();
  const int last = static_cast<int>(app.draft.populations.size()) - 1;
  int post = b.post, pre = b.pre;
  const auto pressed = [&](ImGuiKey key) {
    ImGui::SetKeyOwner(key, id);  // the focus stays here
    return ImGui::IsKeyPressed(key);
  };
  pre -= pressed(ImGuiKey_LeftArrow);
  pre += pressed(ImGuiKey_RightArrow);
  post -= pressed(ImGuiKey_UpArrow);
  post += pressed(ImGuiKey_DownArrow);
  select(b, whole(std::clamp(post, 0, last)), whole(std::clamp(pre, 0, last)));
  double p = probability_at(app.draft, whole(b.post), whole(b.pre));
  bool changed = false;
  if (ImGui::IsKeyPressed(ImGuiKey_Delete) || ImGui::IsKeyPressed(ImGuiKey_Backspace)) {
    changed = set_selected(app, 0);
    b.typed.clear();
  }
  if (ImGui::IsKeyPressed(ImGuiKey_Enter) || ImGui::IsKeyPressed(ImGuiKey_Escape)) b.typed.clear();
  for (ImWchar c : ImGui::GetIO().InputQueueCharacters) {
    p = probability_at(app.draft, whole(b.post), whole(b.pre));
    if (c == '+' || c == '=' || c == '-') {
      changed = set_selected(app, p + (c == '-' ? -0.05 : 0.05)) || changed;
      b.typed.clear();
    } else if (c == '.' || (c >= '0' && c <= '9')) {
      b.typed += static_cast<char>(c);
      if (b.typed.size() > 8 || (b.typed != "." && !typed_probability(b.typed)))  // another number begins
        b.typed.assign(1, static_cast<char>(c));
      if (const auto number = typed_probability(b.typed)) changed = set_selected(app, *number) || changed;
    }
  }
  return changed;
}

void focus_frame(const App& app, ImVec2 at, ImVec2 end) {
  if (ImGui::IsItemFocused() && ImGui::GetIO().NavVisible)
    ImGui::GetWindowDrawList()->AddRect({at.x - 3 * app.scale, at.y - 3 * app.scale},
                                        {end.x + 3 * app.scale, end.y + 3 * app.scale},
                                        color32(palette(app.theme).accent), 3 * app.scale, 0, 2 * app.scale);
}

void connection_tooltip(App& app, size_t post, size_t pre) {
  const Spec& s = shown_spec(app);
  const double p = probability_at(s, post, pre), count = expected_in_block(s, post, pre);
  const double to = static_cast<double>(std::max<int64_t>(1, s.populations[post].size));
  ImGui::BeginTooltip();
  ImGui::PushFont(fonts.medium);
  if (p > 0)
    ImGui::Text("probability %.3g", p);
  else
    ImGui::TextUnformatted("no connections");
  ImGui::PopFont();
  ImGui::Text("from  %s (%s)", s.populations[pre].name.c_str(), sign_word(s.populations[pre].sign));
  ImGui::Text("to      %s", s.populations[post].name.c_str());
  if (p > 0)
    ImGui::Text("%s synapses expected, %.3g onto each neuron",
                grouped(static_cast<int64_t>(std::llround(count))).c_str(), count / to);
  if (made_by_rules(app.draft)) ImGui::TextDisabled("Made by the rules: change those above");
  ImGui::EndTooltip();
}

bool has_problem(const App& app, const std::string& start) {
  return std::any_of(app.problems.begin(), app.problems.end(),
                     [&](const Error& e) { return e.path.rfind(start, 0) == 0; });
}

namespace {

constexpr size_t most_shown = 64;  // populations

bool draw_wiring(App& app, bool both) {
  const float u = app.scale;
  BuildState& b = app.view.build;
  Spec& s = app.draft;
  const bool ruled = made_by_rules(s);
  const Wiring before = wiring_of(s);
  bool changed = false;
  const auto offer = [&](const char* name, Wiring wiring, const char* help) {
    if (choice(name, before == wiring, app.theme) && before != wiring) {
      std::vector<std::string> names;
      for (const Population& pop : s.populations) names.push_back(pop.name);
      if (before == Wiring::blocks) {
        b.kept = s.connectivity.probability;
        b.kept_of = names;
      }
      if (wiring == Wiring::blocks && !b.kept.empty() && b.kept_of == names)
        s.connectivity.probability = b.kept;
      else
        set_wiring(s, wiring);
      changed = true;
    }
    app.track(std::string("wiring:") + name);
    hint(help);
  };
  const float pad = 2 * ImGui::GetStyle().FramePadding.x;
  if (ruled) {
    const char* text = s.stages.prune ? "Pruned to what the rules make" : "What the rules make";
    ImGui::AlignTextToFramePadding();
    ImGui::TextDisabled("%s", text);
    hint("Change the rules, or turn them into a matrix there to change single blocks.");
  } else {
    offer("All to all", Wiring::all, "Every connection exists");
    flow(ImGui::CalcTextSize("One probability").x + pad, 4 * u);
    offer("One probability", Wiring::one, "The same probability for every connection");
    if (s.populations.size() > 1) {
      flow(ImGui::CalcTextSize("By block").x + pad, 4 * u);
      offer("By block", Wiring::blocks, "A probability for every pair of populations: change one below");
    }
    if (wiring_of(s) == Wiring::one) {
      flow(120 * u, 8 * u);
      ImGui::SetNextItemWidth(120 * u);
      constexpr double none = 0, all = 1;
      changed = ImGui::SliderScalar("##one", ImGuiDataType_Double, &s.connectivity.probability[0][0], &none, &all,
                                    "%.3g", ImGuiSliderFlags_AlwaysClamp) ||
                changed;
      app.track("build:one");
      hint("Probability that a connection exists. Ctrl and click to type it.");
    }
  }
  flow(checkbox_width("Self-connections"), 12 * u);
  changed = ImGui::Checkbox("Self-connections", &s.connectivity.self_connections) || changed;
  app.track("build:self");
  hint("A unit may connect to itself");
  if (!both) {
    flow(ImGui::CalcTextSize("MatrixCircuit").x + 2 * pad + 4 * u, 12 * u);
    if (choice("Matrix", !b.circuit, app.theme)) b.circuit = false;
    app.track("build:as-matrix");
    ImGui::SameLine(0, 4 * u);
    if (choice("Circuit", b.circuit, app.theme)) b.circuit = true;
    app.track("build:as-circuit");
  }
  return changed;
}

bool draw_selected(App& app) {
  const float u = app.scale;
  const BuildState& b = app.view.build;
  const Spec& s = shown_spec(app);
  const bool ruled = made_by_rules(app.draft);
  const Population &from = s.populations[whole(b.pre)], &to = s.populations[whole(b.post)];
  double v = probability_at(s, whole(b.post), whole(b.pre));
  ImGui::AlignTextToFramePadding();
  const std::string names = "from " + from.name + " to " + to.name;
  ImGui::PushStyleColor(ImGuiCol_Text, sign_color(from.sign, app.theme));
  ImGui::TextUnformatted(cut_text(names, std::max(60 * u, 0.42f * ImGui::GetContentRegionAvail().x)).c_str());
  ImGui::PopStyleColor();
  hint(names.c_str());
  ImGui::SameLine(0, 8 * u);
  ImGui::SetNextItemWidth(std::min(150 * u, ImGui::GetContentRegionAvail().x));
  constexpr double none = 0, all = 1;
  ImGui::BeginDisabled(ruled);
  const bool moved =
      ImGui::SliderScalar("##probability", ImGuiDataType_Double, &v, &none, &all, "%.3g", ImGuiSliderFlags_AlwaysClamp);
  ImGui::EndDisabled();
  app.track("build:probability");
  hint(
      "Ctrl and click to type it. On the matrix: drag up or down, turn the wheel, type a number, + or \xe2\x88\x92, "
      "Delete for none.");
  const double count = expected_in_block(s, whole(b.post), whole(b.pre));
  const std::string text = grouped(static_cast<int64_t>(std::llround(count))) + " synapses expected";
  const float width = ImGui::CalcTextSize(text.c_str()).x;
  ImGui::SameLine(0, 8 * u);
  if (width <= ImGui::GetContentRegionAvail().x)
    ImGui::TextDisabled("%s", text.c_str());
  else
    ImGui::NewLine();
  return moved && set_selected(app, v);
}

}  // namespace

void draw_build(App& app) {
  const float u = app.scale;
  BuildState& b = app.view.build;
  Spec& s = app.draft;
  const size_t n = s.populations.size();
  if (n == 0) {
    ImGui::TextDisabled("There are no populations yet.");
    if (ImGui::Button("Add a population##build")) {
      add_population(s);
      app.draft_edited();
    }
    app.track("build:add");
    return;
  }
  b.post = std::clamp(b.post, 0, static_cast<int>(n) - 1);
  b.pre = std::clamp(b.pre, 0, static_cast<int>(n) - 1);
  if (b.drawn_from >= static_cast<int>(n)) b.drawn_from = -1;

  bool changed = false;
  const float wide = std::max(60 * u, ImGui::GetContentRegionAvail().x), gap = 12 * u;
  const float half = std::floor((wide - gap) / 2);
  ImGui::PushFont(fonts.small);
  const bool both =
      half >= std::max(200 * u, std::min(widest_name(s), 100 * u) + 30 * u + 20 * u * static_cast<float>(n));
  ImGui::PopFont();
  changed = draw_sources(app) || changed;
  changed = draw_wiring(app, both) || changed;
  const char* way_in = "Connectome\xe2\x80\xa6";
  flow(ImGui::CalcTextSize(way_in).x + 2 * ImGui::GetStyle().FramePadding.x, 12 * u);
  if (ImGui::Button(way_in)) {
    app.view.connectome.wanted = true;
    app.view.tab = tab_connectome;
  }
  app.track("build:connectome");
  hint("A measured or synthetic connectome in place of these probabilities");
  if (!wiring_fits(s)) {
    say_problem(app, app.problem_at("connectivity.probability"));
    if (ImGui::Button("Make it fit the populations")) {
      set_wiring(s, Wiring::blocks);
      changed = true;
    }
    app.track("build:fit");
  } else if (n > most_shown) {
    ImGui::TextWrapped(
        "%zu populations are too many to draw here: write connectivity.probability in the experiment file.", n);
  } else {
    const float foot = std::clamp(0.26f * ImGui::GetContentRegionAvail().y, 116 * u, 190 * u);
    const float row = ImGui::GetFrameHeightWithSpacing();
    const float tall =
        std::max(150 * u, ImGui::GetContentRegionAvail().y - foot - row - 3 * ImGui::GetStyle().ItemSpacing.y);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    if (both || !b.circuit) changed = draw_blocks(app, at, {both ? half : wide, tall}) || changed;
    if (both || b.circuit)
      changed = draw_circuit(app, {at.x + (both ? half + gap : 0), at.y}, {both ? half : wide, tall}) || changed;
    ImGui::SetCursorScreenPos({at.x, at.y + tall + ImGui::GetStyle().ItemSpacing.y});
    changed = draw_selected(app) || changed;
  }
  if (changed) app.draft_edited();

  const ImVec2 at = ImGui::GetCursorScreenPos(), room = ImGui::GetContentRegionAvail();
  const float height = std::max(110 * u, room.y - 2 * u);
  const bool beside = room.x > 440 * u;
  const float left = beside ? std::min(std::floor(0.54f * room.x), 400 * u) : room.x;
  ImGui::BeginChild("summary", {left, height}, ImGuiChildFlags_None, ImGuiWindowFlags_NoBackground);
  draw_summary(app, height);
  ImGui::EndChild();
  const ImVec2 task = beside ? ImVec2(at.x + left + gap, at.y) : ImGui::GetCursorScreenPos();
  ImGui::SetCursorScreenPos(task);
  ImGui::BeginChild("task", {beside ? room.x - left - gap : room.x, height}, ImGuiChildFlags_None,
                    ImGuiWindowFlags_NoBackground | ImGuiWindowFlags_NoScrollbar);
  draw_task(app, {-1, height});
  ImGui::EndChild();
}

}  // namespace dalea::app
