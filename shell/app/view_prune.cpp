// What is left of the weights under a mask, and what of the strongest wiring: the maximum spanning tree (SEEDS 3).
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/matrix_picture.h"
#include "app/views.h"
#include "app/widgets.h"
#include "imgui_internal.h"

namespace dalea::app {
namespace {

constexpr ImU32 tree_ink = IM_COL32(20, 24, 31, 255), tree_halo = IM_COL32(255, 255, 255, 220);

void draw_mask_controls(App& app) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  PruneSettings& set = app.view.prune;
  const auto method = [&](const char* name, PruneMethod m, const char* help) {
    if (choice(name, set.method == m, app.theme)) set.method = m;
    hint(help);
    app.track(std::string("prune:") + text_of(m));
    ImGui::SameLine(0, 4 * u);
  };
  method("Random", PruneMethod::random, "Every connection stays with the same probability");
  method("Magnitude", PruneMethod::magnitude, "The strongest connections stay; nothing is random");
  method("Top-prob", PruneMethod::top_prob, "A connection stays with a probability in proportion to its strength");
  ImGui::SameLine(0, 12 * u);
  ImGui::SetNextItemWidth(-1);
  auto percent = static_cast<float>(100 * set.sparsity);
  if (ImGui::SliderFloat("##sparsity", &percent, 0, 100,
                         set.blocks ? "%.1f %% of each block's share taken away" : "%.1f %% absent"))
    set.sparsity = std::clamp(std::round(static_cast<double>(percent) * 10) / 1000, 0.0, 1.0);  // tenths of a percent
  app.track("prune:sparsity");
  hint("Sparsity: the fraction of all connections that are absent afterwards. Ctrl and click to type it.");

  int number = static_cast<int>(set.mask_draw);
  ImGui::AlignTextToFramePadding();
  ImGui::TextDisabled("Mask no.");
  ImGui::SameLine(0, 6 * u);
  ImGui::SetNextItemWidth(86 * u);
  ImGui::BeginDisabled(set.method == PruneMethod::magnitude);
  if (ImGui::InputInt("##mask", &number)) set.mask_draw = std::clamp<int64_t>(number, 1, most_mask_draw);
  ImGui::EndDisabled();
  app.track("prune:mask");
  hint("Another number draws another mask of the same kind. dalea prune --retrain uses number 1.");
  const auto flag = [&](const char* label, bool& value, bool possible, const char* help) {
    flow(checkbox_width(label), 10 * u);
    ImGui::BeginDisabled(!possible);
    ImGui::Checkbox(label, &value);
    ImGui::EndDisabled();
    app.track(std::string("prune:") + label);
    hint(help);
  };
  flag("Exact count", set.exact_count, !set.as_published && set.method != PruneMethod::magnitude,
       "Draw exactly as many connections as asked for. Otherwise each is drawn by itself and their number fluctuates.");
  flag("Self-connections", set.diagonal, !set.as_published,
       "On: the diagonal is pruned like the rest. Off: every neuron's connection to itself is taken away.");
  flag("As published", set.as_published, true, "The published formulas with their faults, to compare with");
  if (set.as_published) {
    set.exact_count = false;
    set.diagonal = true;
  }
  const Spec& spec = app.now->setup->spec;
  if (prunes_by_block(spec))
    flag("Per block", set.blocks, true,
         spec.connectivity.distance > 0
             ? "Each pair of populations by itself, from the density that the experiment's rules give it: its mean "
               "over distances. Which of its connections stay does not depend on how far apart the units are."
             : "Each pair of populations by itself, from the density that the experiment's rules (probabilities, "
               "table, motifs) give it");
  if (set.as_published) {
    ImGui::PushFont(fonts.small);
    ImGui::PushStyleColor(ImGuiCol_Text, p.muted);
    ImGui::TextWrapped(
        "As published: weights that are zero count as connections and use up part of the budget (Q4), top-prob keeps "
        "too many because an unused diagonal is counted as absent (Q5), and the error is of the last minibatch alone "
        "(Q6).");
    ImGui::PopStyleColor();
    ImGui::PopFont();
  }
}

void draw_actions(App& app, const PruneView& view) {
  const float u = app.scale;
  PruneSettings& set = app.view.prune;
  if (view.sweeping) {
    if (ImGui::Button("Stop##prune", {76 * u, 0})) app.pruning.stop();
    app.track("prune:sweep");
    ImGui::SameLine();
    char text[48];
    std::snprintf(text, sizeof text, "%lld of %lld masks", static_cast<long long>(view.done),
                  static_cast<long long>(view.all));
    const float part = view.all > 0 ? static_cast<float>(view.done) / static_cast<float>(view.all) : 0;
    ImGui::ProgressBar(part, {150 * u, ImGui::GetFrameHeight()}, text);
  } else {
    if (ImGui::Button("Sweep##prune", {76 * u, 0})) app.prune_sweep();
    app.track("prune:sweep");
    hint(set.blocks ? "Error of these blocks by all three methods"
                    : "Error at 15 sparsities by all three methods, without retraining. Training pauses.");
    ImGui::SameLine();
    int draws = static_cast<int>(set.sweep_draws);
    ImGui::SetNextItemWidth(86 * u);
    if (ImGui::InputInt("##draws", &draws)) set.sweep_draws = std::clamp<int64_t>(draws, 1, most_sweep_draws);
    app.track("prune:draws");
    hint("Masks drawn at each sparsity, 1 to 20: the curves show their mean and spread");
    ImGui::SameLine(0, 6 * u);
    ImGui::TextDisabled(set.sweep_draws == 1 ? "draw" : "draws");
  }
  const bool any = view.sweep && !view.sweep->sweep.points.empty();
  flow(86 * u, 12 * u);
  ImGui::BeginDisabled(!any);
  if (ImGui::Button("Save CSV##prune", {86 * u, 0})) app.prune_save(false);
  ImGui::EndDisabled();
  app.track("prune:csv");
  hint("The table that dalea prune writes");
  flow(96 * u, 6 * u);
  ImGui::BeginDisabled(!any || !view.sweep->sweep.complete || !view.sweep->options.blocks.empty());
  if (ImGui::Button("Save figure##prune", {96 * u, 0})) app.prune_save(true);
  ImGui::EndDisabled();
  app.track("prune:figure");
  hint("Error and surviving tree against sparsity, as SVG");

  const bool ready = view.mask && view.mask->settings == set && view.failure.empty();
  ImGui::BeginDisabled(!ready);
  if (ImGui::Button("Retrain under this mask##prune")) app.prune_retrain(app.view.prune_epochs);
  ImGui::EndDisabled();
  app.track("prune:retrain");
  hint(
      "The training goes on from the pruned network; what was taken away stays absent. The session that you can "
      "download carries the mask.");
  ImGui::SameLine(0, 8 * u);
  ImGui::SetNextItemWidth(86 * u);
  if (ImGui::InputInt("##epochs", &app.view.prune_epochs))
    app.view.prune_epochs = std::clamp(app.view.prune_epochs, 1, 100000);
  app.track("prune:epochs");
  ImGui::SameLine(0, 6 * u);
  ImGui::TextDisabled(app.view.prune_epochs == 1 ? "epoch" : "epochs");
}

// Pixels with x = post and y = pre, as in the weights' tab.
void paint_mask(const MaskView& m, float scale, std::vector<uint32_t>& pixels) {
  const Weights& w = m.network->model.parameters.W_rec;
  const auto color = [&](float v) { return packed(weight_color(v, scale)); };
  pixels.assign(static_cast<size_t>(w.rows * w.cols), packed(absent_color));
  if (!w.sparse()) {
    for (size_t e = 0; e < pixels.size(); ++e)
      if (m.kept[e]) pixels[e] = color(w.values[e]);
    return;
  }
  for (size_t e = 0; e < pixels.size(); ++e)
    if (m.kept[e]) pixels[e] = color(0);
  for (int64_t j = 0; j < w.cols; ++j)
    for (int64_t e = w.pattern->col_start[j]; e < w.pattern->col_start[j + 1]; ++e) {
      const auto at = static_cast<size_t>(j * w.rows + w.pattern->row[static_cast<size_t>(e)]);
      if (m.kept[at]) pixels[at] = color(w.values[static_cast<size_t>(e)]);
    }
}

void tree_mark(ImDrawList* draw, ImVec2 at, float radius, bool survives, float u) {
  if (survives) {
    draw->AddCircleFilled(at, radius + 0.8f * u, tree_halo, 12);
    draw->AddCircleFilled(at, radius, tree_ink, 12);
  } else {
    draw->AddCircle(at, radius, tree_ink, 12, 1.1f * u);
  }
}

struct Readout {
  App& app;
  float width = 0;
  void title(const char* text) {
    ImGui::Dummy({0, 2 * app.scale});
    ImGui::PushFont(fonts.medium);
    ImGui::TextUnformatted(text);
    ImGui::PopFont();
  }
  void row(const char* name, const std::string& value, const char* help) {
    const float left = ImGui::GetCursorPosX();
    ImGui::TextDisabled("%s", name);
    hint(help);
    ImGui::SameLine();
    ImGui::SetCursorPosX(left + width - ImGui::CalcTextSize(value.c_str()).x);
    ImGui::TextUnformatted(value.c_str());
    hint(help);
  }
};

std::string percent_of(double part) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * part);
  return text;
}

std::string loss_text(const std::optional<double>& loss) {
  if (!loss) return "...";
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", *loss);
  return text;
}

void draw_readout(App& app, const PruneView& view, const MaskView& m, float width) {
  Readout out{app, width};
  out.title("Connections left");
  out.row("asked for", percent_of(m.density.nominal), "Of all entries of the matrix: 1 - sparsity");
  out.row("kept", percent_of(m.density.achieved), "Kept by this mask, of all entries");
  out.row("not near 0", percent_of(m.density.effective), "Kept and stronger than 0.00001, of all entries");
  out.title("Strongest wiring");
  const int64_t edges = m.tree->edges();
  out.row("tree edges left", std::to_string(m.survived) + " of " + std::to_string(edges),
          "The maximum spanning tree: the strongest connections that join all neurons' outputs to all neurons' inputs, "
          "2N - 1 of them when every neuron is connected");
  out.row("that is", percent_of(edges > 0 ? static_cast<double>(m.survived) / static_cast<double>(edges) : 0.0),
          "Part of the tree that survives");
  out.row("by chance", percent_of(m.by_chance),
          "Expected when as many of the existing connections are drawn at random");
  if (m.at_least) {
    char help[200];
    std::snprintf(help, sizeof help,
                  "Lower bound of what top-prob keeps of the tree on average. It is loose: often below chance. As "
                  "published: %.1f %%.",
                  100 * m.at_least->published);
    out.row("at least", percent_of(m.at_least->corrected), help);
  }
  out.title("Held-out loss");
  const bool none = m.network->data->held_out.count == 0;
  const char* judged = m.settings.as_published ? "On the last minibatch of the held-out trials, without retraining"
                                               : "On all held-out trials, without retraining";
  out.row("this mask", none ? "no trials" : loss_text(view.held_out), judged);
  out.row("unpruned", none ? "no trials" : loss_text(view.dense), judged);
  if (!none && m.network->data->loss == Loss::cross_entropy) {
    out.title("Right answers");
    out.row("this mask", view.held_out ? percent_of(view.accuracy) : "...", judged);
    out.row("unpruned", view.dense ? percent_of(view.dense_accuracy) : "...", judged);
  }
  ImGui::Dummy({0, 2 * app.scale});
  ImGui::PushFont(fonts.small);
  ImGui::TextDisabled("%s", moment_text(*app.now->setup, m.network->updates).c_str());
  ImGui::PopFont();
}

void draw_tooltip(const Setup& setup, const MaskView& m, int64_t post, int64_t pre) {
  const float value = m.network->model.parameters.W_rec.at(post, pre);
  const int64_t entry = pre * m.network->model.units + post;
  const bool kept = m.kept[static_cast<size_t>(entry)] != 0;
  const auto& tree = m.tree->entries;
  const bool edge = std::find(tree.begin(), tree.end(), entry) != tree.end();
  ImGui::BeginTooltip();
  ImGui::PushFont(fonts.medium);
  ImGui::Text("%.5g, %s", static_cast<double>(value), kept ? "stays" : value == 0 ? "absent" : "taken away");
  ImGui::PopFont();
  ImGui::Text("from  %s", unit_name(setup, pre).c_str());
  ImGui::Text("to      %s", unit_name(setup, post).c_str());
  if (edge) ImGui::TextUnformatted("an edge of the spanning tree");
  ImGui::EndTooltip();
}

void draw_mask(App& app, const PruneView& view) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  ViewState& state = app.view;
  const Setup& setup = *app.now->setup;
  const MaskView& m = *view.mask;
  const Weights& w = m.network->model.parameters.W_rec;
  if (state.prune_shown != view.mask || state.prune_texture == ImTextureID{}) {
    state.prune_scale = std::max(1e-30f, weight_scale(w));
    paint_mask(m, state.prune_scale, state.prune_pixels);
    state.prune_texture = app.host.texture(state.prune_texture, static_cast<int>(w.rows), static_cast<int>(w.cols),
                                           state.prune_pixels.data(), true);
    state.prune_shown = view.mask;
  }

  const ImVec2 origin = ImGui::GetCursorScreenPos(), room = ImGui::GetContentRegionAvail();
  const float line = ImGui::GetTextLineHeight(), readout = 178 * u, space = 14 * u;
  const float left = 2 * line + 8 * u, top = 2 * line + 8 * u, bottom = line + 10 * u;
  const float side = std::floor(std::max(80 * u, std::min(room.x - left - readout - space, room.y - top - bottom)));
  const float spare = std::max(0.0f, room.x - left - side - space - readout);
  const ImVec2 at = {std::floor(origin.x + left + spare / 3), std::floor(origin.y + top)};
  const ImVec2 end = {at.x + side, at.y + side};
  const MatrixFrame frame = matrix_frame(app, "prune:matrix", at, side, w.cols, state.prune_part);
  frame.picture(app, state.prune_texture);
  ImDrawList* draw = ImGui::GetWindowDrawList();
  if (state.prune_tree) {
    const float cell = side / static_cast<float>(frame.part.span);
    const float radius = std::clamp(0.45f * cell, 1.3f * u, 4.5f * u);
    draw->PushClipRect(at, end, true);
    // Lost edges first, so that none hides one that stays.
    for (bool survives : {false, true})
      for (int64_t e : m.tree->entries) {
        if ((m.kept[static_cast<size_t>(e)] != 0) != survives) continue;
        const auto pre = static_cast<double>(e / w.rows), post = static_cast<double>(e % w.rows);
        tree_mark(draw, {frame.x(pre + 0.5), frame.y(post + 0.5)}, radius, survives, u);
      }
    draw->PopClipRect();
  }
  draw->AddRect({at.x - 1, at.y - 1}, {end.x + 1, end.y + 1}, color32(p.muted));

  matrix_labels(app, frame);
  if (frame.pre >= 0) draw_tooltip(setup, m, frame.post, frame.pre);

  // What the marks mean.
  ImGui::PushFont(fonts.small);
  const float small = ImGui::GetTextLineHeight();
  float x = at.x;
  const float y = end.y + 7 * u;
  const ImU32 muted = color32(p.muted);
  const auto legend = [&](const char* text, float mark, const auto& draw_mark) {
    draw_mark(ImVec2{x + mark / 2, y + small / 2});
    draw->AddText({x + mark + 4 * u, y}, muted, text);
    x += mark + 4 * u + ImGui::CalcTextSize(text).x + 12 * u;
  };
  legend("taken away", 9 * u, [&](ImVec2 c) {
    draw->AddRectFilled({c.x - 4.5f * u, c.y - 4.5f * u}, {c.x + 4.5f * u, c.y + 4.5f * u}, packed(absent_color));
  });
  const auto tree_legend = [&](const char* text, bool survives) {
    legend(text, 9 * u, [&](ImVec2 c) {
      draw->AddRectFilled({c.x - 5.5f * u, c.y - 5.5f * u}, {c.x + 5.5f * u, c.y + 5.5f * u},
                          IM_COL32(247, 247, 247, 255), 2 * u);
      tree_mark(draw, c, 3 * u, survives, u);
    });
  };
  tree_legend("tree edge left", true);
  tree_legend("tree edge lost", false);
  ImGui::PopFont();

  ImGui::SetCursorScreenPos({end.x + space, origin.y});
  ImGui::BeginGroup();
  draw_readout(app, view, m, readout);
  ImGui::Checkbox("Show the tree", &state.prune_tree);
  app.track("prune:tree");
  ImGui::EndGroup();
}

}  // namespace

void draw_prune(App& app) {
  const Palette& p = palette(app.theme);
  const Snapshot& s = *app.now;
  if (!s.setup) {
    ImGui::TextDisabled("Connections can be taken away here once there is a network.");
    return;
  }
  if (s.setup->spec.units() > most_pruned_units) {
    ImGui::TextWrapped(
        "The window prunes networks of up to %lld units; this one has %lld. Download the session and prune it on the "
        "command line: dalea prune session.npz",
        static_cast<long long>(most_pruned_units), static_cast<long long>(s.setup->spec.units()));
    return;
  }
  app.follow_pruning();
  const PruneView view = app.pruning.view();
  draw_mask_controls(app);
  draw_actions(app, view);
  if (!view.failure.empty()) {
    ImGui::PushStyleColor(ImGuiCol_Text, p.bad);
    ImGui::TextWrapped("%s", view.failure.c_str());
    ImGui::PopStyleColor();
  }
  if (s.looking_back) {
    ImGui::PushStyleColor(ImGuiCol_Text, p.muted);
    ImGui::PushFont(fonts.small);
    ImGui::TextWrapped("Mask, sweep and retraining are of the moment looked back at.");
    ImGui::PopFont();
    ImGui::PopStyleColor();
    app.track("prune:looking-back");
  }
  ImGui::Dummy({0, 2 * app.scale});
  // The mask of an earlier network has other units.
  if (view.mask && view.mask->network->network == s.setup->serial)
    draw_mask(app, view);
  else if (view.failure.empty())
    ImGui::TextDisabled("Drawing the mask ...");
}

}  // namespace dalea::app
