// Conditions compared by the weights that training gives them (SEEDS 5): as a matrix, dots, a circuit and a list.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/arrows.h"
#include "app/circuit.h"
#include "app/views.h"
#include "app/widgets.h"
#include "implot.h"
#include "recording/conditions.h"

namespace dalea::app {
namespace {

struct KnownKey {
  const char* key;
  const char* name;
  std::vector<std::string> values;
};

std::vector<KnownKey> known_keys(const App& app) {
  std::vector<KnownKey> keys;
  if (app.now->setup) {
    const Spec& s = app.now->setup->spec;
    if (s.task.type == "recording" && s.recording.simulated == "conditions")
      keys.push_back({"recording.condition", "Simulated condition", dalea::condition_names()});
    if (s.task.type == "recording" && s.recording.simulated == "areas")
      keys.push_back({"recording.simulated_feedback", "Simulated feedback", {"0.3", "1", "2"}});
  }
  keys.push_back(
      {"training.constraint", "Sign constraint", {"conventional", "rectified", "rectified-forward", "dale"}});
  keys.push_back({"network.feedback", "What is fed back", {"published", "rectified", "plain"}});
  keys.push_back({"network.biases", "Biases", {"false", "true"}});
  if (app.now->setup && app.now->setup->spec.measured) {
    KnownKey nulls = {"connectome.null_model", "Null model of the connectome", {"none", "rewired"}};
    for (const char* other : {"permuted", "weights", "density"}) nulls.values.insert(nulls.values.end() - 1, other);
    if (!app.now->setup->spec.measured->x.empty()) nulls.values.insert(nulls.values.end() - 1, "spatial");
    keys.push_back(std::move(nulls));
  }
  return keys;
}

std::string compare_text(const char* format, double v) {
  if (!std::isfinite(v)) return "\xe2\x80\x93";
  char text[40];
  std::snprintf(text, sizeof text, format, v);
  return text;
}

void recompute(App& app) {
  CompareState& c = app.view.compare;
  if (c.linked) {
    c.linked->level = c.plan.level;
    c.linked->checkpoint = c.plan.checkpoint;
    c.linked->raw = c.plan.raw;
    c.linked->from = c.plan.from;
    c.linked->to = c.plan.to;
  }
  app.compare_again();
}

void choose_conditions(App& app, bool training) {
  CompareState& c = app.view.compare;
  const float u = app.scale;
  ImGui::BeginDisabled(training);
  const std::vector<KnownKey> keys = known_keys(app);
  const auto known = std::find_if(keys.begin(), keys.end(), [&](const KnownKey& k) { return c.plan.key == k.key; });
  const bool typed = c.other_key || known == keys.end();
  ImGui::AlignTextToFramePadding();
  ImGui::TextUnformatted("Differ in");
  ImGui::SameLine();
  ImGui::SetNextItemWidth(170 * u);
  if (ImGui::BeginCombo("##key", typed ? "another key" : known->name)) {
    for (const KnownKey& k : keys)
      if (ImGui::Selectable(k.name, !c.other_key && c.plan.key == k.key)) {
        c.other_key = false;
        c.plan.key = k.key;
        c.plan.values = {k.values.front(), k.values.back()};
      }
    if (ImGui::Selectable("another key", c.other_key) && !c.other_key) {
      c.other_key = true;
      std::snprintf(c.key, sizeof c.key, "%s", c.plan.key.c_str());
      std::string values;
      for (const std::string& v : c.plan.values) values += (values.empty() ? "" : ", ") + v;
      std::snprintf(c.values, sizeof c.values, "%s", values.c_str());
    }
    ImGui::EndCombo();
  }
  app.track("compare:key");
  ImGui::SameLine(0, 12 * u);
  ImGui::TextUnformatted("Runs of each");
  ImGui::SameLine();
  ImGui::SetNextItemWidth(90 * u);
  auto runs = static_cast<int>(c.plan.runs);
  if (ImGui::InputInt("##compare runs", &runs))
    c.plan.runs = std::clamp<int64_t>(runs, least_compared_runs, most_compared_runs);
  app.track("compare:runs");
  hint("5 as published; 10 or more are recommended");
  if (typed) {
    ImGui::SetNextItemWidth(0.4f * ImGui::GetContentRegionAvail().x);
    if (ImGui::InputTextWithHint("##typed key", "key, such as network.noise", c.key, sizeof c.key)) c.plan.key = c.key;
    app.track("compare:typed-key");
    ImGui::SameLine();
    ImGui::SetNextItemWidth(-1);
    if (ImGui::InputTextWithHint("##typed values", "values, apart by commas", c.values, sizeof c.values))
      c.plan.values = values_of(c.values);
    app.track("compare:values");
  } else {
    for (size_t k = 0; k < known->values.size(); ++k) {
      const std::string& v = known->values[k];
      if (k > 0) flow(checkbox_width(v.c_str()), 10 * u);
      const auto at = std::find(c.plan.values.begin(), c.plan.values.end(), v);
      bool on = at != c.plan.values.end();
      if (ImGui::Checkbox((v + "##value").c_str(), &on)) {
        if (on)
          c.plan.values.push_back(v);
        else
          c.plan.values.erase(at);
      }
      app.track("compare:value:" + v);
    }
  }
  ImGui::EndDisabled();
}

void compare_buttons(App& app, const SideView& side, const ComparerView& computed) {
  CompareState& c = app.view.compare;
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  if (!c.sessions.empty()) {
    ImGui::AlignTextToFramePadding();
    ImGui::Text("%zu sessions; conditions from", c.sessions.size());
    ImGui::SameLine();
    ImGui::SetNextItemWidth(110 * u);
    int named = c.by_field ? 1 : 0;
    if (ImGui::Combo("##named", &named, "file names\0a key\0")) {
      c.by_field = named == 1;
      if (c.by_field && c.field[0] == '\0')
        std::snprintf(c.field, sizeof c.field, "%s", c.plan.key.empty() ? "recording.condition" : c.plan.key.c_str());
      app.name_sessions();
    }
    app.track("compare:named");
    if (c.by_field) {
      flow(180 * u, 8 * u);
      ImGui::SetNextItemWidth(180 * u);
      if (ImGui::InputTextWithHint("##field", "recording.condition", c.field, sizeof c.field,
                                   ImGuiInputTextFlags_EnterReturnsTrue))
        app.name_sessions();
      app.track("compare:field");
    }
    flow(70 * u, 8 * u);
    if (ImGui::Button("Forget##sessions", {70 * u, 0})) app.forget_sessions();
    app.track("compare:forget");
    hint("Leaves these sessions, to train conditions here instead");
  }
  if (side.running || computed.running) {
    if (ImGui::Button("Stop##compare", {86 * u, 0})) app.stop_comparison();
    app.track("compare:stop");
  } else if (c.sessions.empty()) {
    ImGui::BeginDisabled(!app.now->setup || c.plan.values.size() < 2);
    ImGui::PushStyleColor(ImGuiCol_Button, p.accent);
    ImGui::PushStyleColor(ImGuiCol_ButtonHovered, p.accent);
    ImGui::PushStyleColor(ImGuiCol_Text, p.on_accent);
    const std::string label = "Train " + std::to_string(c.plan.values.size()) + " x " + std::to_string(c.plan.runs) +
                              " networks###train comparison";
    if (ImGui::Button(label.c_str(), {170 * u, 0})) app.train_comparison();
    ImGui::PopStyleColor(3);
    app.track("compare:train");
    ImGui::EndDisabled();
  }
  const bool first = !c.sessions.empty() && !side.running && !computed.running;  // of its line
  ImGui::BeginDisabled(!computed.result);
  if (!first) ImGui::SameLine(0, 12 * u);
  if (ImGui::Button("CSV##compare"))
    app.host.save_file(text_file("dalea-compare.csv", compare_csv(computed.result->report)));
  app.track("compare:csv");
  for (const bool svg : {true, false}) {
    ImGui::SameLine(0, 6 * u);
    if (ImGui::Button(svg ? "SVG##compare" : "PNG##compare")) {
      const plot::Drawing d = plot::drawing_of(comparison_figure(*computed.result, c.picture));
      app.host.save_file(svg ? text_file("dalea-compare.svg", plot::to_svg(d))
                             : NamedFile{"dalea-compare.png", plot::to_png(d)});
    }
    app.track(svg ? "compare:svg" : "compare:png");
  }
  ImGui::EndDisabled();
  ImGui::SameLine(0, 6 * u);
  ImGui::BeginDisabled(!c.sessions.empty() || c.plan.values.size() < 2);
  if (ImGui::Button("Link##compare")) app.copy_comparison_link();
  app.track("compare:link");
  hint("Copies a link to this comparison: experiment, conditions, runs and what is shown");
  ImGui::EndDisabled();
}

// Matrix and dots: rows are where connections end, columns where they begin.
void draw_grid(App& app, const Compared& c, ImVec2 room, bool dots) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  const size_t n = c.nodes().size();
  ImDrawList* draw = ImGui::GetWindowDrawList();
  ImGui::PushFont(fonts.small);
  const float line = ImGui::GetTextLineHeight();
  float label = 0;
  for (const BlockGroup& node : c.nodes()) label = std::max(label, ImGui::CalcTextSize(node.name.c_str()).x);
  label = std::min(label, 0.25f * room.x) + 6 * u;
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float side = std::floor(std::min(room.x - label - line - 118 * u, room.y - label - line - 4 * u));
  const ImVec2 a = {at.x + label + line, at.y + 2 * u};
  const float cell = std::max(2.0f, side / static_cast<float>(n));
  ImGui::SetCursorScreenPos(a);
  const float whole_side = cell * static_cast<float>(n);
  ImGui::InvisibleButton("##grid", {whole_side, whole_side});
  app.track("compare:grid");
  const bool hovered = ImGui::IsItemHovered();
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  const double largest = c.largest;
  const auto color = [&](double v) {
    const Color w = weight_color(largest > 0 ? static_cast<float>(v / largest) : 0.0f, 1);
    return IM_COL32(w.r, w.g, w.b, 255);
  };
  int under = -1;
  for (size_t k = 0; k < c.blocks().size(); ++k) {
    const BlockComparison& b = c.blocks()[k];
    const ImVec2 from = {a.x + static_cast<float>(k % n) * cell, a.y + static_cast<float>(k / n) * cell},
                 to = {from.x + cell, from.y + cell};
    if (hovered && mouse.x >= from.x && mouse.x < to.x && mouse.y >= from.y && mouse.y < to.y)
      under = static_cast<int>(k);
    const ImVec2 middle = {(from.x + to.x) / 2, (from.y + to.y) / 2};
    if (!c.possible(k)) {
      draw->AddRectFilled(from, to, color32(p.faint));
      if (!dots) draw->AddCircleFilled(middle, 1.2f * u, color32(p.muted));
      continue;
    }
    if (dots) {
      const float r = 0.46f * cell * std::sqrt(0.06f + 0.94f * static_cast<float>(c.confidence[k]));
      draw->AddRect(from, to, color32(p.faint));
      draw->AddCircleFilled(middle, r, color(b.difference));
      draw->AddCircle(middle, r, color32(p.muted, 0.6f), 0, 0.7f * u);
    } else {
      draw->AddRectFilled(from, to, color(b.difference));
    }
    if (b.significant) draw->AddRect({from.x + u, from.y + u}, {to.x - u, to.y - u}, color32(p.text), 0, 0, 2 * u);
    if (!dots && cell > 44 * u) {
      const std::string text = compare_text(std::fabs(b.difference) < 1e-3 ? "%+.2g" : "%+.0f", 1e4 * b.difference);
      const ImVec2 size = ImGui::CalcTextSize(text.c_str());
      draw->AddText({middle.x - size.x / 2, middle.y - size.y / 2}, ink_on(color(b.difference)), text.c_str());
    }
  }
  draw->AddRect({a.x - 1, a.y - 1}, {a.x + whole_side + 1, a.y + whole_side + 1}, color32(p.muted));
  float right_x = -1, down_y = -1;
  for (size_t k = 0; k < n; ++k) {
    const float middle = (static_cast<float>(k) + 0.5f) * cell;
    const std::string text = cut_text(c.nodes()[k].name, label - 6 * u);
    const float width = ImGui::CalcTextSize(text.c_str()).x;
    if (a.y + middle - line / 2 >= down_y) {
      draw->AddText({a.x - width - 5 * u, a.y + middle - line / 2}, color32(p.text), text.c_str());
      down_y = a.y + middle + 0.4f * line;
    }
    if (a.x + middle - line / 2 >= right_x) {
      vertical_text(draw, {a.x + middle, a.y + whole_side + width + 5 * u}, color32(p.text), text.c_str());
      right_x = a.x + middle + 0.4f * line;
    }
  }
  const ImVec2 to_size = ImGui::CalcTextSize("to");
  vertical_text(draw, {at.x + line / 2, a.y + whole_side / 2 + to_size.x / 2}, color32(p.muted), "to");
  draw->AddText({a.x + whole_side + 8 * u, a.y + whole_side + 4 * u}, color32(p.muted), "from");
  // The colours, with their ends.
  const float x = a.x + whole_side + 14 * u, top = a.y, bottom = a.y + std::min(whole_side, 150 * u);
  for (int k = 0; k < 60; ++k) {
    const float t0 = static_cast<float>(k) / 60, t1 = static_cast<float>(k + 1) / 60;
    draw->AddRectFilled({x, top + t0 * (bottom - top)}, {x + 10 * u, top + t1 * (bottom - top)},
                        color(largest * (1 - 2 * static_cast<double>(t0))));
  }
  draw->AddText({x + 14 * u, top}, color32(p.text), compare_text("+%.2g", largest).c_str());
  draw->AddText({x + 14 * u, (top + bottom) / 2 - line / 2}, color32(p.muted), "0");
  draw->AddText({x + 14 * u, bottom - line}, color32(p.text), compare_text("%.2g", -largest).c_str());
  draw->AddRect({x, bottom + 10 * u}, {x + 10 * u, bottom + 20 * u}, color32(p.text), 0, 0, 2 * u);
  draw->AddText({x + 14 * u, bottom + 15 * u - line / 2}, color32(p.muted), "adjusted p \xe2\x89\xa4 .05");
  float next = bottom + 34 * u;
  const auto more = [&](const char* text) {
    draw->AddText({x + 14 * u, next - line / 2}, color32(p.muted), text);
    next += line + 3 * u;
  };
  const auto x_text = [&](const char* text) {
    draw->AddText({x, next - line / 2}, color32(p.muted), text);
    next += line + 1 * u;
  };
  draw->AddRectFilled({x, next - 5 * u}, {x + 10 * u, next + 5 * u}, color32(p.faint));
  if (!dots) draw->AddCircleFilled({x + 5 * u, next}, 1.2f * u, color32(p.muted));
  more("cannot exist");
  if (dots) {
    draw->AddCircleFilled({x + 5 * u, next}, 1.6f * u, color32(p.muted));
    more("confidence 0 ...");
    draw->AddCircleFilled({x + 5 * u, next}, 5 * u, color32(p.muted));
    more("... 1 (largest)");
  }
  const bool absolute = c.report.choices.options.weights == BlockWeights::abs;
  x_text("difference in");
  x_text(absolute ? "mean |w|" : "mean w");
  if (!dots && cell > 44 * u) x_text("in the cells: x 0.0001");
  ImGui::PopFont();
  ImGui::SetCursorScreenPos({at.x, at.y + room.y});
  ImGui::Dummy({1, 1});
  if (under < 0) return;
  const auto k = static_cast<size_t>(under);
  const BlockComparison& b = c.blocks()[k];
  ImGui::BeginTooltip();
  ImGui::PushFont(fonts.medium);
  ImGui::Text("from %s to %s", c.nodes()[k % n].name.c_str(), c.nodes()[k / n].name.c_str());
  ImGui::PopFont();
  if (!c.possible(k)) {
    ImGui::TextDisabled("no connection can exist here");
  } else {
    ImGui::Text("%s: %.4g    %s: %.4g", c.from().c_str(), b.mean_a, c.to().c_str(), b.mean_b);
    ImGui::Text("difference %.3g  [%s to %s]", b.difference, compare_text("%.3g", b.interval.low).c_str(),
                compare_text("%.3g", b.interval.high).c_str());
    ImGui::Text("Hedges g %s  [%s to %s]", compare_text("%.2f", b.g).c_str(),
                compare_text("%.2f", b.g_interval.low).c_str(), compare_text("%.2f", b.g_interval.high).c_str());
    ImGui::Text("p %.4f, adjusted over all blocks %.4f", b.p, b.p_adjusted);
    ImGui::TextDisabled("density %.3f; confidence as published (1 - sd/mean over pairs of runs) %.2f", c.density[k],
                        c.confidence[k]);
  }
  ImGui::EndTooltip();
}

void draw_difference_circuit(App& app, const Compared& c, ImVec2 size) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  const size_t n = c.nodes().size();
  ImDrawList* draw = ImGui::GetWindowDrawList();
  ImGui::PushFont(fonts.small);
  const float line = ImGui::GetTextLineHeight();
  // Rows by name: L2/3, L4, L5.
  std::vector<size_t> order(n);
  for (size_t k = 0; k < n; ++k) order[k] = k;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t x, size_t y) { return c.nodes()[x].layer < c.nodes()[y].layer; });
  std::vector<std::string> areas;
  for (const BlockGroup& node : c.nodes())
    if (std::find(areas.begin(), areas.end(), node.area) == areas.end()) areas.push_back(node.area);
  std::vector<Population> sorted;
  for (const size_t k : order) {
    Population pop;
    pop.name = c.nodes()[k].name;
    pop.area = c.nodes()[k].area;
    pop.layer = c.nodes()[k].layer;
    sorted.push_back(std::move(pop));
  }
  const CircuitLayout layout = place_populations(sorted);
  const bool circle = layout.columns.empty() && layout.rows.empty();
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float foot = 2.4f * line;
  float lane = 0;
  for (const std::string& row : layout.rows) lane = std::max(lane, ImGui::CalcTextSize(row.c_str()).x + 8 * u);
  const float margin = circle ? std::min(0.2f * std::min(size.x, size.y), 70 * u) : 0;
  const ImVec2 low = {at.x + lane + margin, at.y + (layout.columns.empty() ? 0 : line + 4 * u) + margin},
               high = {at.x + size.x - margin, at.y + size.y - foot - margin};
  std::vector<ImVec2> centre(n);
  for (size_t k = 0; k < n; ++k)
    centre[order[k]] = {low.x + static_cast<float>(layout.at[k].x) * (high.x - low.x),
                        low.y + static_cast<float>(layout.at[k].y) * (high.y - low.y)};
  float apart = 0.45f * std::min(size.x, size.y);
  for (size_t k = 0; k < n; ++k)
    for (size_t j = 0; j < k; ++j)
      apart = std::min(apart, std::hypot(centre[k].x - centre[j].x, centre[k].y - centre[j].y));
  const float radius = std::clamp(0.2f * apart, 6 * u, 24 * u);
  ImGui::InvisibleButton("##difference circuit", size);
  app.track("compare:circuit");
  const bool hovered = ImGui::IsItemHovered();
  const ImVec2 mouse = ImGui::GetIO().MousePos;

  for (size_t k = 0; k < layout.columns.size(); ++k) {
    const float step = (high.x - low.x) / static_cast<float>(layout.columns.size());
    const std::string name = cut_text(layout.columns[k], step);
    draw->AddText({low.x + (static_cast<float>(k) + 0.5f) * step - ImGui::CalcTextSize(name.c_str()).x / 2, at.y},
                  color32(p.muted), name.c_str());
  }
  for (size_t r = 0; r < layout.rows.size(); ++r) {
    const float step = (high.y - low.y) / static_cast<float>(layout.rows.size());
    draw->AddText({at.x, low.y + (static_cast<float>(r) + 0.5f) * step - line / 2}, color32(p.muted),
                  layout.rows[r].c_str());
  }
  const double largest = c.largest;
  double densest = 0;
  for (size_t k = 0; k < c.density.size(); ++k)
    if (c.possible(k)) densest = std::max(densest, c.density[k]);
  const ImVec4 up = named_color("excitatory", app.theme), down = named_color("inhibitory", app.theme);
  const auto color = [&](double difference) {
    const auto t = static_cast<float>(largest > 0 ? std::min(1.0, std::fabs(difference) / largest) : 0);
    return between(p.muted, difference > 0 ? up : down, 0.25f + 0.75f * t);
  };
  const auto curve_of = [&](size_t block) {
    const size_t post = block / n, pre = block % n;
    const float gap = 3 * u;
    if (post != pre) return connection_curve(centre[pre], radius + gap, centre[post], radius + gap);
    float outwards = -1.5707963f;  // at the outer side of its area's column
    if (layout.columns.size() > 1) {
      const auto column =
          static_cast<size_t>(std::find(areas.begin(), areas.end(), c.nodes()[post].area) - areas.begin());
      outwards = 2 * column < layout.columns.size() ? 3.1415927f : 0;
    } else if (circle) {
      outwards = std::atan2(centre[post].y - (low.y + high.y) / 2, centre[post].x - (low.x + high.x) / 2);
    }
    return loop_curve(centre[post], radius + gap, outwards);
  };
  int near = -1;
  float nearest = 7 * u;
  const auto draw_block = [&](size_t k, bool strong) {
    const auto share = static_cast<float>(densest > 0 ? c.density[k] / densest : 0);
    draw_connection(draw, curve_of(k), Sign::excitatory,
                    color32(color(c.blocks()[k].difference), strong ? 1.0f : 0.35f), (1 + 6 * share) * u, 0.8f * u);
  };
  for (const bool significant : {false, true})
    for (size_t k = 0; k < c.blocks().size(); ++k) {
      if (!c.possible(k) || significant != c.blocks()[k].significant) continue;
      draw_block(k, significant);
      const float d = hovered ? curve_distance(curve_of(k), mouse) : 1e9f;
      if (d < nearest) {
        nearest = d;
        near = static_cast<int>(k);
      }
    }
  if (near >= 0) draw_block(static_cast<size_t>(near), true);
  const auto star = [&](ImVec2 middle) {
    const ImVec2 half = {ImGui::CalcTextSize("*").x / 2, 0.3f * line};
    draw->AddCircleFilled(middle, 5 * u, color32(p.panel));
    draw->AddCircle(middle, 5 * u, color32(p.text), 0, u);
    draw->AddText({middle.x - half.x, middle.y - half.y}, color32(p.text), "*");
  };
  for (size_t k = 0; k < c.blocks().size(); ++k)
    if (c.possible(k) && c.blocks()[k].significant) star(curve_of(k)[curve_points / 2]);
  const bool labelled = !layout.columns.empty() && !layout.rows.empty();
  for (size_t k = 0; k < n; ++k) {
    draw->AddCircleFilled(centre[k], radius, color32(p.faint));
    draw->AddCircle(centre[k], radius, color32(p.muted), 0, 1.4f * u);
    const BlockGroup& node = c.nodes()[k];
    const std::string name = cut_text(labelled && c.level == 1         ? node.layer
                                      : labelled && !node.type.empty() ? node.type
                                                                       : node.name,
                                      std::max(34 * u, 1.5f * apart));
    const ImVec2 text = ImGui::CalcTextSize(name.c_str());
    const float y = text.x < 1.8f * radius ? centre[k].y - line / 2 : centre[k].y + radius + 2 * u;
    draw->AddText({centre[k].x - text.x / 2, y}, color32(p.text), name.c_str());
  }
  // Legend.
  float x = at.x;
  float y = at.y + size.y - 1.9f * line;
  const auto fits = [&](float width) {
    if (x > at.x && x + width > at.x + size.x) {
      x = at.x;
      y += 1.2f * line;
    }
  };
  const auto word = [&](const std::string& text) {
    draw->AddText({x, y - line / 2}, color32(p.muted), text.c_str());
    x += ImGui::CalcTextSize(text.c_str()).x + 14 * u;
  };
  const auto stroke = [&](const ImVec4& col, float alpha, float weight) {
    draw->AddLine({x, y}, {x + 20 * u, y}, color32(col, alpha), weight * u);
    x += 25 * u;
  };
  stroke(up, 1, 4);
  word("stronger in " + cut_text(c.to(), 110 * u));
  stroke(down, 1, 4);
  word("weaker");
  stroke(p.muted, 1, 7);
  word(compare_text("width: density, up to %.2f", densest));
  const char* starred = "adjusted p \xe2\x89\xa4 .05; the others are pale";
  fits(14 * u + ImGui::CalcTextSize(starred).x);
  star({x + 5 * u, y});
  x += 14 * u;
  word(starred);
  ImGui::PopFont();
  if (near < 0) return;
  const auto k = static_cast<size_t>(near);
  ImGui::BeginTooltip();
  ImGui::Text("from %s to %s", c.nodes()[k % n].name.c_str(), c.nodes()[k / n].name.c_str());
  ImGui::Text("difference %.3g, g %s, adjusted p %.4f", c.blocks()[k].difference,
              compare_text("%.2f", c.blocks()[k].g).c_str(), c.blocks()[k].p_adjusted);
  ImGui::TextDisabled("density %.3f", c.density[k]);
  ImGui::EndTooltip();
}

void draw_compare_list(App& app, const Compared& c, ImVec2 room) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  const size_t n = c.nodes().size();
  double least = 0, most = 0;
  for (const size_t k : c.ranked) {
    const BlockComparison& b = c.blocks()[k];
    if (std::isfinite(b.g_interval.low)) least = std::min(least, b.g_interval.low);
    if (std::isfinite(b.g_interval.high)) most = std::max(most, b.g_interval.high);
  }
  least = std::max(least, -12.0);
  most = std::min(std::max(most, least + 1), 12.0);
  constexpr ImGuiTableFlags flags = ImGuiTableFlags_RowBg | ImGuiTableFlags_BordersInnerH | ImGuiTableFlags_ScrollY |
                                    ImGuiTableFlags_SizingFixedFit | ImGuiTableFlags_PadOuterX;
  ImGui::PushFont(fonts.small);
  ImGui::PushStyleVar(ImGuiStyleVar_CellPadding, {5 * u, 2 * u});
  if (ImGui::BeginTable("compared", 6, flags, room)) {
    ImGui::TableSetupScrollFreeze(0, 1);
    ImGui::TableSetupColumn("from \xe2\x80\xba to", ImGuiTableColumnFlags_WidthStretch, 1);
    ImGui::TableSetupColumn(c.report.choices.options.weights == BlockWeights::abs ? "\xce\x94 mean |w|"
                                                                                  : "\xce\x94 mean w");
    ImGui::TableSetupColumn("Hedges g [95 %]");
    ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthStretch, 1);
    ImGui::TableSetupColumn("p alone");
    ImGui::TableSetupColumn("adjusted p");
    ImGui::TableHeadersRow();
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(c.ranked.size()));
    while (clipper.Step())
      for (int row = clipper.DisplayStart; row < clipper.DisplayEnd; ++row) {
        const size_t k = c.ranked[static_cast<size_t>(row)];
        const BlockComparison& b = c.blocks()[k];
        const bool on = b.significant;
        ImGui::TableNextRow();
        ImGui::TableNextColumn();
        ImGui::Text("%s \xe2\x80\xba %s", c.nodes()[k % n].name.c_str(), c.nodes()[k / n].name.c_str());
        ImGui::TableNextColumn();
        ImGui::Text("%+.3g", b.difference);
        ImGui::TableNextColumn();
        ImGui::Text("%s [%s, %s]", compare_text("%.2f", b.g).c_str(), compare_text("%.1f", b.g_interval.low).c_str(),
                    compare_text("%.1f", b.g_interval.high).c_str());
        ImGui::TableNextColumn();
        const ImVec2 at = ImGui::GetCursorScreenPos();
        const float width = ImGui::GetContentRegionAvail().x, y = at.y + ImGui::GetTextLineHeight() / 2;
        const auto x = [&](double g) {
          return at.x + static_cast<float>((std::clamp(g, least, most) - least) / (most - least)) * width;
        };
        ImDrawList* draw = ImGui::GetWindowDrawList();
        draw->AddLine({x(0), at.y}, {x(0), at.y + ImGui::GetTextLineHeight()}, color32(p.border), u);
        if (std::isfinite(b.g)) {
          const ImU32 ink = color32(on ? p.accent : p.muted);
          if (std::isfinite(b.g_interval.low) && std::isfinite(b.g_interval.high))
            draw->AddLine({x(b.g_interval.low), y}, {x(b.g_interval.high), y}, ink, 1.5f * u);
          draw->AddRectFilled({x(b.g) - 2.5f * u, y - 2.5f * u}, {x(b.g) + 2.5f * u, y + 2.5f * u}, ink);
        }
        ImGui::Dummy({1, 1});
        ImGui::TableNextColumn();
        ImGui::Text("%.4f", b.p);
        ImGui::TableNextColumn();
        ImGui::TextColored(on ? p.accent : p.text, "%.4f", b.p_adjusted);
      }
    ImGui::EndTable();
  }
  app.track("compare:table");
  ImGui::PopStyleVar();
  ImGui::PopFont();
}

// Averages of the two conditions and how they vary over runs.
void draw_means(App& app, const Compared& c, ImVec2 room) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  const size_t n = c.nodes().size();
  const Comparison& all = c.report.comparison;
  std::vector<size_t> blocks;
  for (size_t k = 0; k < n * n; ++k)
    if (c.possible(k)) blocks.push_back(k);
  constexpr ImGuiTableFlags flags = ImGuiTableFlags_RowBg | ImGuiTableFlags_BordersInnerH | ImGuiTableFlags_ScrollY |
                                    ImGuiTableFlags_ScrollX | ImGuiTableFlags_SizingFixedFit |
                                    ImGuiTableFlags_PadOuterX;
  ImGui::PushFont(fonts.small);
  ImGui::PushStyleVar(ImGuiStyleVar_CellPadding, {5 * u, 2 * u});
  const size_t conditions = all.names.size();
  const ImVec2 table_at = ImGui::GetCursorScreenPos();
  if (ImGui::BeginTable("means", static_cast<int>(1 + 4 * conditions), flags, room)) {
    const char* mean = c.report.choices.options.weights == BlockWeights::abs ? "mean |w|" : "mean w";
    ImGui::TableSetupScrollFreeze(1, 2);
    ImGui::TableSetupColumn("from \xe2\x80\xba to");
    for (size_t k = 0; k < conditions; ++k)
      for (const char* name : {mean, "sd", "sd/mean", "density"})
        ImGui::TableSetupColumn((std::string(name) + "##" + std::to_string(k)).c_str());
    // The conditions' names over their columns.
    ImGui::TableNextRow(ImGuiTableRowFlags_Headers);
    for (size_t k = 0; k < conditions; ++k) {
      ImGui::TableSetColumnIndex(static_cast<int>(1 + 4 * k));
      const ImVec2 cell = ImGui::GetCursorScreenPos();
      const std::string name = cut_text(all.names[k], 150 * u);
      ImDrawList* draw = ImGui::GetWindowDrawList();
      draw->PushClipRect(table_at, {table_at.x + room.x, table_at.y + room.y});  // over its four columns
      draw->AddText(cell, color32(p.text), name.c_str());
      draw->PopClipRect();
      ImGui::Dummy({40 * u, ImGui::GetTextLineHeight()});
      hint((all.names[k] + ", " + std::to_string(all.runs[k]) + " runs").c_str());
    }
    ImGui::TableHeadersRow();
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(blocks.size()));
    while (clipper.Step())
      for (int row = clipper.DisplayStart; row < clipper.DisplayEnd; ++row) {
        const size_t k = blocks[static_cast<size_t>(row)];
        ImGui::TableNextRow();
        ImGui::TableNextColumn();
        ImGui::Text("%s \xe2\x80\xba %s", c.nodes()[k % n].name.c_str(), c.nodes()[k / n].name.c_str());
        for (size_t condition = 0; condition < conditions; ++condition) {
          std::vector<double> values;
          double density = 0;
          for (size_t run = 0; run < all.values[condition].size(); ++run) {
            values.push_back(all.values[condition][run][k]);
            density += all.densities[condition][run][k] / static_cast<double>(all.values[condition].size());
          }
          const Result<Dispersion> d = dispersion_of(values);
          if (!d) continue;
          for (const std::string& text :
               {compare_text("%.3g", d->mean), compare_text("%.2g", d->sd),
                compare_text("%.0f %%", 100 * std::fabs(d->cv)), compare_text("%.3f", density)}) {
            ImGui::TableNextColumn();
            if (condition == c.shown().a || condition == c.shown().b)
              ImGui::TextUnformatted(text.c_str());
            else
              ImGui::TextColored(p.muted, "%s", text.c_str());
          }
        }
      }
    ImGui::EndTable();
  }
  app.track("compare:means");
  ImGui::PopStyleVar();
  ImGui::PopFont();
}

// Every run's loss by epoch, and the conditions' means.
void draw_compare_losses(App& app, const Compared& c, ImVec2 room) {
  const float u = app.scale;
  ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 0);
  if (ImPlot::BeginPlot("##compare losses", room, ImPlotFlags_NoMenus | ImPlotFlags_NoBoxSelect)) {
    ImPlot::SetupAxes("epoch", "validation loss", ImPlotAxisFlags_AutoFit, ImPlotAxisFlags_AutoFit);
    double least = INFINITY, most = 0;
    for (const auto& condition : c.report.sessions)
      for (const CompareRun& run : condition)
        for (const double v : compare_losses(run)) {
          if (v > 0) least = std::min(least, v);
          if (std::isfinite(v)) most = std::max(most, v);
        }
    if (most > 8 * least) ImPlot::SetupAxisScale(ImAxis_Y1, ImPlotScale_Log10);
    ImPlot::SetupAxisFormat(ImAxis_Y1, "%g");
    ImPlot::SetupLegend(ImPlotLocation_NorthEast);
    for (size_t k = 0; k < c.report.sessions.size(); ++k) {
      const ImVec4 color = screen_color(plot::series_style(k).color, app.theme);
      ImVec4 thin = color;
      thin.w = 0.35f;
      const std::string& name = c.report.comparison.names[k];
      std::vector<double> mean, epoch;
      for (const CompareRun& run : c.report.sessions[k]) {
        const std::vector<double> loss = compare_losses(run);
        if (&run == &c.report.sessions[k].front()) mean.assign(loss.size(), 0.0);
        mean.resize(std::min(mean.size(), loss.size()));
        for (size_t e = 0; e < mean.size(); ++e) mean[e] += loss[e] / static_cast<double>(c.report.sessions[k].size());
        for (size_t e = epoch.size(); e < loss.size(); ++e) epoch.push_back(static_cast<double>(e + 1));
        ImPlot::SetNextLineStyle(thin, 1 * u);
        ImPlot::PlotLine((name + "##" + std::to_string(k)).c_str(), epoch.data(), loss.data(),
                         static_cast<int>(loss.size()), ImPlotItemFlags_NoLegend);
      }
      ImPlot::SetNextLineStyle(color, 2.2f * u);
      ImPlot::PlotLine(name.c_str(), epoch.data(), mean.data(), static_cast<int>(mean.size()));
    }
    ImPlot::EndPlot();
  }
  ImGui::PopStyleVar();
  app.track("compare:losses");
}

void draw_power(App& app, const Compared& c, ImVec2 room) {
  const Palette& p = palette(app.theme);
  std::vector<double> x, y;
  double most = 2;
  for (const PowerPoint& point : c.report.power) {
    x.push_back(static_cast<double>(point.runs));
    y.push_back(std::isfinite(point.g) ? point.g : no_value);
    if (point.runs >= 5 && std::isfinite(point.g)) most = std::max(most, 1.3 * point.g);
  }
  ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 0);
  if (ImPlot::BeginPlot("##power", room, ImPlotFlags_NoMenus | ImPlotFlags_NoBoxSelect | ImPlotFlags_NoLegend)) {
    ImPlot::SetupAxes("runs of each condition", "g shown (power 80 %)");
    ImPlot::SetupAxisLimits(ImAxis_X1, 2.5, 20.5, ImPlotCond_Always);
    ImPlot::SetupAxisLimits(ImAxis_Y1, 0, most, ImPlotCond_Always);
    ImPlot::SetNextLineStyle(p.accent, 2 * app.scale);
    ImPlot::SetNextMarkerStyle(ImPlotMarker_Circle, 3 * app.scale, p.accent, 0, p.accent);
    ImPlot::PlotLine("g", x.data(), y.data(), static_cast<int>(x.size()));
    const std::vector<int64_t>& all = c.report.comparison.runs;
    const auto runs = static_cast<double>(*std::min_element(all.begin(), all.end()));
    ImPlot::SetNextLineStyle(p.muted, app.scale);
    ImPlot::PlotInfLines("these", &runs, 1);
    ImPlot::Annotation(runs, 0.9 * most, {0, 0, 0, 0}, {8 * app.scale, 0}, true, "here: %.0f runs", runs);
    ImPlot::EndPlot();
  }
  ImGui::PopStyleVar();
  app.track("compare:power");
}

void choose_shown(App& app, const Compared& c) {
  CompareState& state = app.view.compare;
  const float u = app.scale;
  for (size_t k = 0; k < std::size(compare_pictures); ++k) {
    if (k > 0) flow(ImGui::CalcTextSize(compare_pictures[k]).x + 2 * ImGui::GetStyle().FramePadding.x, 4 * u);
    if (choice(compare_pictures[k], static_cast<size_t>(state.picture) == k, app.theme))
      state.picture = static_cast<ComparePicture>(k);
    app.track(std::string("compare:show:") + compare_pictures[k]);
  }
  bool again = false;
  flow(110 * u, 14 * u);
  ImGui::SetNextItemWidth(110 * u);
  if (ImGui::BeginCombo("##level", (std::string("by ") + level_names[c.level]).c_str())) {
    for (size_t k = 0; k < 3; ++k) {
      ImGui::BeginDisabled(!c.missing[k].empty());
      if (ImGui::Selectable(level_names[k], c.level == k)) {
        state.plan.level = level_names[k];
        again = true;
      }
      ImGui::EndDisabled();
      if (!c.missing[k].empty()) hint(c.missing[k].c_str());
    }
    ImGui::EndCombo();
  }
  app.track("compare:level");
  hint("What a block joins: populations, layers of areas, or areas");
  constexpr const char* when[] = {"initial", "dense", "sparse", "final"};
  constexpr const char* about[] = {"Before training", "After the dense stage, before pruning",
                                   "After pruning and fine-tuning", "As the networks are now"};
  const auto shown = static_cast<size_t>(c.report.choices.checkpoint);
  flow(126 * u, 6 * u);
  ImGui::SetNextItemWidth(126 * u);
  if (ImGui::BeginCombo("##checkpoint", (std::string(when[shown]) + " weights").c_str())) {
    for (size_t k = 0; k < checkpoint_count; ++k) {
      ImGui::BeginDisabled(!c.lacking[k].empty());
      if (ImGui::Selectable(when[k], shown == k)) {
        state.plan.checkpoint = when[k];
        again = true;
      }
      ImGui::EndDisabled();
      hint(c.lacking[k].empty() ? about[k] : c.lacking[k].c_str());
    }
    ImGui::EndCombo();
  }
  app.track("compare:checkpoint");
  hint("Which weights are compared: before training, after the dense stage, after fine-tuning, or as they are now");
  flow(checkbox_width("with sign"), 10 * u);
  if (ImGui::Checkbox("with sign", &state.plan.raw)) again = true;
  app.track("compare:raw");
  hint("Mean weight, inhibition below zero, in place of the mean of |weight|");
  if (state.groups.size() > 2) {
    for (size_t* which : {&state.plan.to, &state.plan.from}) {
      const bool first = which == &state.plan.from;
      if (!first) {
        flow(350 * u, 10 * u);
      } else {
        ImGui::SameLine(0, 6 * u);
        ImGui::TextDisabled("minus");
        ImGui::SameLine(0, 6 * u);
      }
      ImGui::SetNextItemWidth(150 * u);
      if (ImGui::BeginCombo(first ? "##from" : "##to",
                            state.groups[std::min(*which, state.groups.size() - 1)].c_str())) {
        for (size_t k = 0; k < state.groups.size(); ++k)
          if (ImGui::Selectable(state.groups[k].c_str(), *which == k) &&
              k != (first ? state.plan.to : state.plan.from)) {
            *which = k;
            again = true;
          }
        ImGui::EndCombo();
      }
      app.track(first ? "compare:from" : "compare:to");
      hint("Which two conditions are shown. All of them are tested together, whichever are.");
    }
  }
  if (again) recompute(app);
}

}  // namespace

void draw_compare(App& app) {
  app.follow_comparison();
  CompareState& state = app.view.compare;
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  const SideView side = app.compare_side.view();
  const ComparerView computed = app.comparer.view();
  if (state.offered) {
    ImGui::PushStyleColor(ImGuiCol_Text, p.accent);
    ImGui::TextWrapped("The link holds this comparison, without its networks: press Train to have the same ones.");
    ImGui::PopStyleColor();
  }
  if (state.sessions.empty()) choose_conditions(app, side.running);
  compare_buttons(app, side, computed);
  if (side.running) {
    int64_t over = 0;
    for (const JobView& j : side.jobs) over += j.over() ? 1 : 0;
    ImGui::PushStyleColor(ImGuiCol_PlotHistogram, p.accent);
    ImGui::ProgressBar(static_cast<float>(side.progress), {-1, 4 * u}, "");
    ImGui::PopStyleColor();
    const double left = side.progress > 0.01 ? side.seconds * (1 - side.progress) / side.progress : 0;
    ImGui::TextDisabled("%.0f %%  %lld of %zu networks trained%s", std::floor(100 * side.progress),
                        static_cast<long long>(over), side.jobs.size(),
                        left > 0 ? (", " + compare_text("%.0f s left", left)).c_str() : "");
  } else {
    for (const JobView& j : side.jobs)
      if (j.state == JobState::failed) {
        ImGui::TextColored(p.bad, "%s failed: %s", j.job.name.c_str(), j.failure.c_str());
        break;
      }
  }
  if (computed.running) ImGui::TextDisabled("Comparing: %.0f %% of the networks read", 100 * computed.part);
  if (!computed.failure.empty()) {
    ImGui::PushStyleColor(ImGuiCol_Text, p.bad);
    ImGui::TextWrapped("%s", computed.failure.c_str());
    ImGui::PopStyleColor();
  }
  if (!computed.result) {
    ImGui::Spacing();
    ImGui::PushStyleColor(ImGuiCol_Text, p.muted);
    if (!app.now->setup && state.sessions.empty())
      ImGui::TextWrapped("Open an experiment first, or drop session files (.npz) of every condition here.");
    else if (!state.sessions.empty() && state.groups.size() < 2 && !computed.running)
      ImGui::TextWrapped("All sessions are of one condition: drop those of another one, or name them by a key.");
    else if (!side.running && !side.jobs.empty() && !computed.running && computed.failure.empty())
      ImGui::TextWrapped("Fewer than two conditions have two finished runs: train again and let them finish.");
    else if (!side.running && !computed.running)
      ImGui::TextWrapped(
          "Which connections differ between conditions? Choose them and press Train, or drop session files (.npz) of "
          "every condition here.");
    ImGui::PopStyleColor();
    return;
  }
  const Compared& c = *computed.result;
  choose_shown(app, c);
  ImGui::TextWrapped("%s", c.verdict().c_str());
  ImGui::PushFont(fonts.small);
  const ImVec2 room = ImGui::GetContentRegionAvail();
  const auto height_of = [&](const std::string& text) {
    return ImGui::CalcTextSize(text.c_str(), nullptr, false, room.x).y;
  };
  // All that is to be known where there is room for it, else the least of it and a button.
  const bool whole = height_of(c.notes) < 0.2f * room.y;
  const std::string& small = whole ? c.notes : c.brief;
  const float text = height_of(small) + (whole ? 0 : ImGui::GetFrameHeightWithSpacing()) + 10 * u;
  ImGui::PopFont();
  const ImVec2 size = {room.x, std::max(150 * u, room.y - text)};
  switch (state.picture) {
    case ComparePicture::matrix:
    case ComparePicture::dots:
      draw_grid(app, c, size, state.picture == ComparePicture::dots);
      break;
    case ComparePicture::circuit:
      draw_difference_circuit(app, c, size);
      break;
    case ComparePicture::blocks:
      draw_compare_list(app, c, size);
      break;
    case ComparePicture::means:
      draw_means(app, c, size);
      break;
    case ComparePicture::loss:
      draw_compare_losses(app, c, size);
      break;
    case ComparePicture::power:
      draw_power(app, c, size);
      break;
  }
  ImGui::PushFont(fonts.small);
  ImGui::PushStyleColor(ImGuiCol_Text, p.muted);
  ImGui::TextWrapped("%s", small.c_str());
  ImGui::PopStyleColor();
  if (!whole) {
    if (ImGui::Button("How it is tested##compare")) ImGui::OpenPopup("compare notes");
    app.track("compare:notes");
    ImGui::SetNextWindowSize({std::min(460 * u, room.x), 0});
    if (ImGui::BeginPopup("compare notes")) {
      ImGui::TextWrapped("%s", c.notes.c_str());
      ImGui::EndPopup();
    }
  }
  ImGui::PopFont();
}

}  // namespace dalea::app
