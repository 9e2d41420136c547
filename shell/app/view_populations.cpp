// The populations as rows that can be changed, copied, moved and removed; the probabilities follow.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "app/circuit.h"
#include "app/editing.h"
#include "app/views.h"
#include "app/widgets.h"
#include "network/rules.h"

namespace dalea::app {
namespace {

const char* const sign_short[] = {"+ exc.", "\xe2\x88\x92 inh.", "free"};
const char* const sign_names[] = {"+ excitatory", "\xe2\x88\x92 inhibitory", "free"};
constexpr const char* row_keys[] = {"name", "size", "sign", "tau_s", "area", "layer", "type"};

enum class Change { none, duplicate, up, down, move, remove };
struct Wish {
  Change change = Change::none;
  size_t of = 0, to = 0;
};

// "V1, L4, Pyr; tau 0.1 s", or what the menu is for.
std::string more_text(const Population& p) {
  std::string text;
  for (const std::string* label : {&p.area, &p.layer, &p.type})
    if (!label->empty()) text += (text.empty() ? "" : ", ") + *label;
  if (p.tau_s > 0) {
    char tau[40];
    std::snprintf(tau, sizeof tau, "tau %.4g s", p.tau_s);
    text += (text.empty() ? "" : "; ") + std::string(tau);
  }
  return (text.empty() ? "Time constant, area, layer, type" : text) +
         "\nDuplicate, move or remove; drag onto another row to move it there";
}

// What a row has no room for.
bool edit_more(App& app, size_t i, size_t count, Wish& wish) {
  Population& p = app.draft.populations[i];
  const float u = app.scale;
  const std::string path = "populations[" + std::to_string(i) + "]";
  bool changed = false;
  const auto row = [&](const char* key, const char* label, auto&& widget) {
    ImGui::AlignTextToFramePadding();
    ImGui::TextUnformatted(label);
    ImGui::SameLine(72 * u);
    ImGui::SetNextItemWidth(130 * u);
    const std::string problem = app.problem_at(path + "." + key);
    if (!problem.empty()) ImGui::PushStyleColor(ImGuiCol_Border, palette(app.theme).bad);
    changed = widget() || changed;
    if (!problem.empty()) ImGui::PopStyleColor();
    app.track("field:" + path + "." + key);
    if (problem.empty()) return;
    ImGui::PushTextWrapPos(210 * u);
    say_problem(app, problem);
    ImGui::PopTextWrapPos();
  };
  row("tau_s", "Tau (s)", [&] { return ImGui::InputDouble("##tau", &p.tau_s, 0, 0, "%.4g"); });
  hint("Time constant in seconds; 0: the units do not leak.");
  row("area", "Area", [&] { return input_text("##area", p.area, 60); });
  row("layer", "Layer", [&] { return input_text("##layer", p.layer, 60); });
  row("type", "Type", [&] { return input_text("##type", p.type, 60); });
  ImGui::Separator();
  const auto entry = [&](const char* label, const char* name, Change change, bool possible) {
    if (ImGui::MenuItem(label, nullptr, false, possible)) wish = {change, i, 0};
    app.track("population[" + std::to_string(i) + "]:" + name);
  };
  entry("Duplicate", "duplicate", Change::duplicate, true);
  entry("Move up", "up", Change::up, i > 0);
  entry("Move down", "down", Change::down, i + 1 < count);
  entry("Remove", "remove", Change::remove, count > 1);
  return changed;
}

bool carry_out(Spec& spec, const Wish& wish) {
  switch (wish.change) {
    case Change::none:
      return false;
    case Change::duplicate:
      duplicate_population(spec, wish.of);
      break;
    case Change::up:
      move_population(spec, wish.of, wish.of - 1);
      break;
    case Change::down:
      move_population(spec, wish.of, wish.of + 1);
      break;
    case Change::move:
      move_population(spec, wish.of, wish.to);
      break;
    case Change::remove:
      remove_population(spec, wish.of);
      break;
  }
  return true;
}

}  // namespace

bool input_text(const char* id, std::string& value, size_t most) {
  std::vector<char> buffer(std::max(most, value.size()) + 1, 0);
  std::memcpy(buffer.data(), value.data(), value.size());
  if (!ImGui::InputText(id, buffer.data(), buffer.size())) return false;
  value = buffer.data();
  return true;
}

bool input_list(const char* id, std::vector<std::string>& list) {
  std::string all;
  for (const std::string& s : list) all += (all.empty() ? "" : ", ") + s;
  if (!input_text(id, all, 4000)) return false;
  list.clear();
  std::string one;
  for (char c : all + ",") {
    if (c != ',') {
      if (c != ' ' || !one.empty()) one += c;
      continue;
    }
    while (!one.empty() && one.back() == ' ') one.pop_back();
    if (!one.empty()) list.push_back(one);
    one.clear();
  }
  return true;
}

void say_problem(const App& app, const std::string& problem) {
  if (problem.empty()) return;
  ImGui::PushStyleColor(ImGuiCol_Text, palette(app.theme).bad);
  ImGui::PushFont(fonts.small);
  ImGui::TextWrapped("%s", problem.c_str());
  ImGui::PopFont();
  ImGui::PopStyleColor();
}

bool edit_populations(App& app) {
  std::vector<Population>& list = app.draft.populations;
  const float u = app.scale;
  bool changed = false;
  Wish wish;
  const bool made = structure_makes_populations(app.draft);
  if (made) {
    ImGui::TextWrapped("Made by the structure: change its areas, layers, types, ratio or scale in Build.");
    if (ImGui::Button("Open the structure", {-1, 0})) app.view.tab = tab_build;
    app.track("open-structure");
    ImGui::BeginDisabled();
  }
  if (ImGui::BeginTable("populations", 4, ImGuiTableFlags_SizingFixedFit | ImGuiTableFlags_NoPadOuterX)) {
    ImGui::TableSetupColumn("Name", ImGuiTableColumnFlags_WidthStretch);
    ImGui::TableSetupColumn("Units", 0, 62 * u);
    ImGui::TableSetupColumn("Sign", 0, 92 * u);
    ImGui::TableSetupColumn("##more", 0, 26 * u);
    ImGui::PushFont(fonts.small);
    ImGui::TableHeadersRow();
    ImGui::PopFont();
    for (size_t i = 0; i < list.size(); ++i) {
      Population& p = list[i];
      const std::string path = "populations[" + std::to_string(i) + "]";
      ImGui::PushID(static_cast<int>(i));
      ImGui::TableNextRow();
      const auto cell = [&](const char* key, auto&& widget) {
        ImGui::TableNextColumn();
        ImGui::SetNextItemWidth(-1);
        const bool wrong = !app.problem_at(path + "." + key).empty();
        if (wrong) ImGui::PushStyleColor(ImGuiCol_Border, palette(app.theme).bad);
        changed = widget() || changed;
        if (wrong) ImGui::PopStyleColor();
        app.track("field:" + path + "." + key);
      };
      cell("name", [&] { return input_text("##name", p.name, 60); });
      cell("size", [&] { return ImGui::InputScalar("##size", ImGuiDataType_S64, &p.size); });
      cell("sign", [&] {
        bool picked = false;
        if (ImGui::BeginCombo("##sign", sign_short[static_cast<int>(p.sign)])) {
          for (int k = 0; k < 3; ++k) {
            if (ImGui::Selectable(sign_names[k], static_cast<int>(p.sign) == k)) {
              p.sign = static_cast<Sign>(k);
              picked = true;
            }
            app.track("sign:" + std::to_string(k));
          }
          ImGui::EndCombo();
        }
        return picked;
      });
      ImGui::TableNextColumn();
      bool wrong = false;
      for (const char* key : {"tau_s", "area", "layer", "type"})
        wrong = wrong || !app.problem_at(path + "." + key).empty();
      if (wrong) ImGui::PushStyleColor(ImGuiCol_Border, palette(app.theme).bad);
      if (ImGui::Button("\xe2\x80\xa6", {26 * u, 0})) ImGui::OpenPopup("more");
      if (wrong) ImGui::PopStyleColor();
      app.track("population[" + std::to_string(i) + "]:more");
      if (ImGui::IsItemHovered()) hint(more_text(p).c_str());
      if (ImGui::BeginDragDropSource()) {
        ImGui::SetDragDropPayload("population", &i, sizeof i);
        ImGui::TextUnformatted(("Move " + p.name).c_str());
        ImGui::EndDragDropSource();
      }
      if (ImGui::BeginDragDropTarget()) {
        if (const ImGuiPayload* payload = ImGui::AcceptDragDropPayload("population")) {
          wish = {Change::move, 0, i};
          std::memcpy(&wish.of, payload->Data, sizeof wish.of);
        }
        ImGui::EndDragDropTarget();
      }
      if (ImGui::BeginPopup("more")) {
        changed = edit_more(app, i, list.size(), wish) || changed;
        ImGui::EndPopup();
      }
      ImGui::PopID();
    }
    ImGui::EndTable();
  }
  if (made) ImGui::EndDisabled();
  for (size_t i = 0; i < list.size(); ++i)
    for (const char* key : row_keys) {
      const std::string path = "populations[" + std::to_string(i) + "]." + key, problem = app.problem_at(path);
      if (!problem.empty())
        say_problem(app, (list[i].name.empty() ? path : list[i].name + ", " + key) + ": " + problem);
    }
  say_problem(app, app.problem_at("populations"));
  if (made) return false;
  changed = carry_out(app.draft, wish) || changed;
  if (ImGui::Button("Add a population")) {
    add_population(app.draft);
    changed = true;
  }
  app.track("add-population");
  return changed;
}

}  // namespace dalea::app
