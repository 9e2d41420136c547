// Where the Build tab's populations and probabilities come from: the structure, and rules that add up.
#include <algorithm>
#include <cstring>

#include "app/build_parts.h"
#include "app/editing.h"
#include "app/views.h"
#include "app/widgets.h"
#include "common/experiment_notes.h"
#include "network/rules.h"

namespace dalea::app {
namespace {

constexpr const char* published_motifs[] = {"V1 L23 Pyr -> LM L4: 0.3", "LM L5 Pyr -> V1 L23: 0.3",
                                            "LM L5 Pyr -> V1 L5: 0.3"};

std::string structure_text(const Spec& s) {
  if (!structure_makes_populations(s)) return "Structure: a list of populations";
  std::string text;
  const auto add = [&](size_t n, const char* one, const char* many) {
    if (n > 0) text += (text.empty() ? "" : " \xc3\x97 ") + std::to_string(n) + " " + (n == 1 ? one : many);
  };
  add(s.structure.areas.size(), "area", "areas");
  add(s.structure.layers.size(), "layer", "layers");
  add(s.structure.types.size(), "type", "types");
  return "Structure: " + text;
}

std::string rules_text(const Spec& s) {
  const ConnectivitySpec& c = s.connectivity;
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : " + ") + part; };
  if (c.table != "none") add("table");
  if (!c.motifs.empty()) add(std::to_string(c.motifs.size()) + (c.motifs.size() == 1 ? " motif" : " motifs"));
  if (has_rules(s) && !c.probability.empty()) add("probabilities");
  if (c.distance > 0) text += text.empty() ? "distance" : ", by distance";
  return "Rules: " + (text.empty() ? std::string("none") : text);
}

// A label and a field beside it; what is wrong with its key is said below.
template <class Widget>
bool labelled(App& app, const std::string& path, const char* label, const char* help, Widget widget) {
  const float u = app.scale;
  ImGui::AlignTextToFramePadding();
  ImGui::TextUnformatted(label);
  ImGui::SameLine(92 * u);
  ImGui::SetNextItemWidth(-1);
  const bool wrong = has_problem(app, path);
  if (wrong) ImGui::PushStyleColor(ImGuiCol_Border, palette(app.theme).bad);
  const bool changed = widget();
  if (wrong) ImGui::PopStyleColor();
  app.track("build:" + path);
  hint(help);
  for (const Error& e : app.problems)
    if (e.path.rfind(path, 0) == 0) say_problem(app, e.message);
  return changed;
}

bool edit_structure(App& app) {
  StructureSpec& s = app.draft.structure;
  bool changed = false;
  if (s.types.empty()) {
    ImGui::TextWrapped("The populations are a list, edited on the left.");
    if (ImGui::Button("Make them of areas, layers and types", {-1, 0})) {
      s = {{}, {}, {"E", "I"}, {"+", "-"}, "4:1", 16};
      changed = true;
    }
    app.track("build:make-structure");
    return changed;
  }
  const auto list = [&](const char* key, std::vector<std::string>& v, const char* label, const char* help) {
    changed = labelled(app, std::string("structure.") + key, label, help,
                       [&] { return input_list((std::string("##") + key).c_str(), v); }) ||
              changed;
  };
  list("areas", s.areas, "Areas", "Separated by commas; empty: one without a name.");
  list("layers", s.layers, "Layers", "Separated by commas; empty: one without a name.");
  list("types", s.types, "Types", "Cell types, separated by commas.");
  list("signs", s.signs, "Signs", "One for each type: + (excitatory), - (inhibitory) or free.");
  changed = labelled(app, "structure.ratio", "Ratio", "Of the types' sizes, as 12:2:1; empty: all equal.",
                     [&] { return input_text("##ratio", s.ratio, 60); }) ||
            changed;
  changed = labelled(app, "structure.scale", "Scale", "A population has its part of the ratio times this many units.",
                     [&] { return ImGui::InputScalar("##scale", ImGuiDataType_S64, &s.scale); }) ||
            changed;
  ImGui::TextDisabled("%zu populations, %s units", app.draft.populations.size(), grouped(app.draft.units()).c_str());
  if (ImGui::Button("Edit the populations one by one", {-1, 0})) {
    s = {};
    changed = true;
  }
  app.track("build:drop-structure");
  hint("They stay as they are, and become a list that can be edited.");
  return changed;
}

bool edit_motifs(std::vector<std::string>& motifs, ImVec2 size) {
  std::string all;
  for (const std::string& m : motifs) all += m + "\n";
  std::vector<char> buffer(std::max<size_t>(16384, all.size() + 1), 0);
  std::memcpy(buffer.data(), all.data(), all.size());
  if (!ImGui::InputTextMultiline("##motifs", buffer.data(), buffer.size(), size)) return false;
  motifs.clear();
  std::string line;
  for (const char* c = buffer.data();; ++c) {
    if (*c != '\n' && *c != '\0') {
      line += *c;
      continue;
    }
    if (line.find_first_not_of(" \t\r") != std::string::npos) motifs.push_back(line);
    line.clear();
    if (*c == '\0') return true;
  }
}

bool edit_rules(App& app) {
  ConnectivitySpec& c = app.draft.connectivity;
  const float u = app.scale;
  bool changed = false;
  int table = c.table == "cell-types" ? 1 : 0;
  if (labelled(app, "connectivity.table", "Table",
               "Published probabilities between Pyr, SST and VIP cells of layers 2/3, 4, 5 and 6, inside each area. A "
               "CSV in the same layout that is dropped here takes its place.",
               [&] { return ImGui::Combo("##table", &table, "none\0cell types (published)\0"); })) {
    c.table = table == 1 ? "cell-types" : "none";
    changed = true;
  }
  changed = labelled(app, "connectivity.motifs", "Motifs",
                     "One a line: from -> to: probability. Each side is words of an area, a layer or a type, or the "
                     "name of a population.",
                     [&] {
                       return edit_motifs(c.motifs, {-1, 76 * u});
                     }) ||
            changed;
  if (c.motifs.empty()) {
    Spec tried = app.draft;
    tried.connectivity.motifs.assign(std::begin(published_motifs), std::end(published_motifs));
    if (rule_problems(tried).empty()) {
      if (ImGui::Button("The published motifs between V1 and LM", {-1, 0})) {
        c.motifs = tried.connectivity.motifs;
        changed = true;
      }
      app.track("build:published-motifs");
    }
  }
  constexpr double none = 0, most = 2;
  changed = labelled(app, "connectivity.distance", "Distance",
                     "Inside an area the probability falls by 1/e over this distance, in widths of its sheet, on which "
                     "units lie at random; 0: no distance. Ctrl and click to type it.",
                     [&] {
                       return ImGui::SliderScalar("##distance", ImGuiDataType_Double, &c.distance, &none, &most, "%.3g",
                                                  ImGuiSliderFlags_AlwaysClamp);
                     }) ||
            changed;
  changed = ImGui::Checkbox("Input mask", &app.draft.network.input_mask) || changed;
  app.track("build:input-mask");
  ImGui::PushFont(fonts.small);
  ImGui::TextWrapped("%s", input_mask_meaning(app.draft.network.input_mask).c_str());
  if (c.distance > 0 && app.draft.stages.prune)
    ImGui::TextWrapped(
        "Pruning takes the mean over distances of each block: which of its connections stay does not depend on how far "
        "apart the units are.");
  ImGui::PopFont();
  say_problem(app, app.problem_at("network.input_mask"));
  if (has_rules(app.draft) || c.distance > 0) {
    if (ImGui::Button("Turn the rules into a matrix", {-1, 0})) {
      app.draft = as_matrix(app.draft);
      changed = true;
    }
    app.track("build:as-blocks");
    hint("Their probabilities stay, and each can be changed; distance becomes its mean.");
  }
  return changed;
}

}  // namespace

bool made_by_rules(const Spec& spec) {
  return has_rules(spec) || spec.connectivity.distance > 0;
}

const Spec& shown_spec(App& app) {
  BuildState& b = app.view.build;
  if (!made_by_rules(app.draft)) return app.draft;
  if (!b.plain_known || !same_mask(b.plain_of, app.draft)) {
    b.plain_of = app.draft;
    b.plain = as_matrix(app.draft);
    b.plain_known = true;
  }
  return b.plain;
}

bool draw_sources(App& app) {
  const float u = app.scale, pad = 2 * ImGui::GetStyle().FramePadding.x;
  bool changed = false;
  const auto popup = [&](const std::string& text, const char* name, float wide, auto&& edit) {
    const bool wrong = has_problem(app, name);
    if (wrong) ImGui::PushStyleColor(ImGuiCol_Text, palette(app.theme).bad);
    if (ImGui::Button((text + "##" + name).c_str())) ImGui::OpenPopup(name);
    if (wrong) ImGui::PopStyleColor();
    app.track(std::string("build:") + name);
    ImGui::SetNextWindowSize({wide * u, 0});
    if (ImGui::BeginPopup(name)) {
      changed = edit(app) || changed;
      ImGui::EndPopup();
    }
  };
  popup(structure_text(app.draft), "structure", 300, edit_structure);
  const std::string rules = rules_text(app.draft);
  flow(ImGui::CalcTextSize(rules.c_str()).x + pad, 6 * u);
  popup(rules, "connectivity", 360, edit_rules);
  return changed;
}

}  // namespace dalea::app
