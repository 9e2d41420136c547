// Top: what is trained, opening and sharing. Bottom: transport, progress, hash and audit.
#include <algorithm>
#include <cmath>

#include "app/figures.h"
#include "app/views.h"

namespace dalea::app {
namespace {

enum class Icon { none, play, pause, step, epoch, restart, dice };

void draw_icon(ImDrawList* d, Icon icon, ImVec2 c, float r, ImU32 color) {
  switch (icon) {
    case Icon::none:
      break;
    case Icon::play:
      d->AddTriangleFilled({c.x - 0.7f * r, c.y - r}, {c.x - 0.7f * r, c.y + r}, {c.x + r, c.y}, color);
      break;
    case Icon::pause:
      d->AddRectFilled({c.x - 0.8f * r, c.y - r}, {c.x - 0.2f * r, c.y + r}, color);
      d->AddRectFilled({c.x + 0.25f * r, c.y - r}, {c.x + 0.85f * r, c.y + r}, color);
      break;
    case Icon::step:
    case Icon::epoch:
      d->AddTriangleFilled({c.x - r, c.y - r}, {c.x - r, c.y + r}, {c.x + 0.3f * r, c.y}, color);
      if (icon == Icon::epoch)
        d->AddTriangleFilled({c.x - 0.2f * r, c.y - r}, {c.x - 0.2f * r, c.y + r}, {c.x + 0.8f * r, c.y}, color);
      d->AddRectFilled({c.x + 0.6f * r, c.y - r}, {c.x + r, c.y + r}, color);
      break;
    case Icon::restart:
      d->PathArcTo(c, r * 0.85f, -0.9f, 4.0f, 16);
      d->PathStroke(color, 0, 0.35f * r);
      d->AddTriangleFilled({c.x + 0.1f * r, c.y - 1.25f * r}, {c.x + 1.15f * r, c.y - 0.95f * r},
                           {c.x + 0.45f * r, c.y - 0.1f * r}, color);
      break;
    case Icon::dice:
      d->AddRect({c.x - r, c.y - r}, {c.x + r, c.y + r}, color, 0.4f * r, 0, 0.25f * r);
      d->AddCircleFilled({c.x - 0.4f * r, c.y - 0.4f * r}, 0.22f * r, color);
      d->AddCircleFilled(c, 0.22f * r, color);
      d->AddCircleFilled({c.x + 0.4f * r, c.y + 0.4f * r}, 0.22f * r, color);
      break;
  }
}

bool button(App& app, const char* name, const char* label, Icon icon, float width, bool primary, const char* help,
            bool enabled = true) {
  const Palette& p = palette(app.theme);
  const float u = app.scale, height = 34 * u;
  ImGui::BeginDisabled(!enabled);
  ImGui::PushID(name);
  if (primary) {
    ImGui::PushStyleColor(ImGuiCol_Button, p.accent);
    ImGui::PushStyleColor(ImGuiCol_ButtonHovered, p.accent);
    ImGui::PushStyleColor(ImGuiCol_Border, p.accent);
  } else {
    ImGui::PushStyleColor(ImGuiCol_Button, p.panel);
  }
  const bool pressed = ImGui::Button("##b", {width, height});
  ImGui::PopStyleColor(primary ? 3 : 1);
  app.track(name);
  if (ImGui::IsItemHovered(ImGuiHoveredFlags_DelayShort | ImGuiHoveredFlags_AllowWhenDisabled))
    ImGui::SetTooltip("%s", help);
  const ImVec2 a = ImGui::GetItemRectMin(), b = ImGui::GetItemRectMax(), text = ImGui::CalcTextSize(label);
  const ImU32 color = color32(primary ? p.on_accent : p.text);
  const float icon_room = icon == Icon::none ? 0 : 20 * u, left = (a.x + b.x - text.x - icon_room) / 2;
  ImDrawList* d = ImGui::GetWindowDrawList();
  if (icon != Icon::none) draw_icon(d, icon, {left + 6 * u, (a.y + b.y) / 2}, 5.5f * u, color);
  d->AddText({left + icon_room, (a.y + b.y - text.y) / 2}, color, label);
  ImGui::PopID();
  ImGui::EndDisabled();
  return pressed;
}

}  // namespace

void draw_top(App& app) {
  const Palette& p = palette(app.theme);
  const float u = app.scale, width = ImGui::GetWindowWidth();
  const bool narrow = width < 700 * u;
  ImGui::SetCursorPos({4 * u, 11 * u});
  ImGui::PushFont(fonts.title);
  ImGui::PushStyleColor(ImGuiCol_Text, p.accent);
  ImGui::TextUnformatted("Dalea");
  ImGui::PopStyleColor();
  ImGui::PopFont();
  const bool share = !app.link_view.hide_share;
  const float buttons = ((narrow ? 80 : 120) + (!share ? 0 : narrow ? 146 : 344)) * u + 4 * u;
  ImGui::SameLine(0, 16 * u);
  ImGui::SetCursorPosY(14 * u);
  if (app.now->setup) {
    const Spec& spec = app.now->setup->spec;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImGui::PushClipRect(at, {ImGui::GetWindowPos().x + width - buttons - 8 * u, at.y + 30 * u}, true);
    ImGui::PushFont(fonts.medium);
    ImGui::TextUnformatted(spec.name.empty() ? "Untitled experiment" : spec.name.c_str());
    ImGui::PopFont();
    ImGui::SameLine(0, 12 * u);
    ImGui::SetCursorPosY(14 * u);
    const std::optional<Origin>& origin = app.now->setup->origin;
    const std::string from = !origin                ? ""
                             : origin->name.empty() ? ", from another network's weights"
                                                    : ", from the weights of " + origin->name;
    ImGui::TextDisabled("%lld units, %s, seed %llu%s", static_cast<long long>(spec.units()),
                        spec.training.constraint.c_str(), static_cast<unsigned long long>(spec.seed), from.c_str());
    ImGui::PopClipRect();
  }
  ImGui::SetCursorPos({width - buttons, 7 * u});
  if (!narrow && share) {
    if (button(app, "open", "Open\xe2\x80\xa6", Icon::none, 86 * u, false,
               "A recording (CSV, NPY, NPZ, MATLAB), a session (NPZ), an experiment (JSON) or the digits (four IDX "
               "files)"))
      app.host.pick_file();
    ImGui::SameLine(0, 6 * u);
    if (button(app, "download", "Download", Icon::none, 100 * u, false, "Session, weights, curves, picture",
               app.now->setup != nullptr))
      ImGui::OpenPopup("downloads");
    if (ImGui::BeginPopup("downloads")) {
      const auto item = [&](const char* name, const char* label, Download what) {
        if (ImGui::MenuItem(label)) app.live.save(what);
        app.track(name);
      };
      const bool back = app.now->looking_back;
      item("download:session",
           back ? "Session (.npz), of now: a moment looked back at has kept its weights alone"
                : "Session (.npz): continue later, here or on the command line",
           Download::session);
      if (back) {
        ImGui::Separator();
        ImGui::TextDisabled("Of the network %s, looked back at",
                            moment_text(*app.now->setup, app.now->hash_updates).c_str());
        app.track("download:looking-back");
      }
      item("download:weights", "Weights (.npz): for numpy.load", Download::weights);
      item("download:weights-mat", "Weights (.mat): for MATLAB", Download::weights_mat);
      item("download:weights-hdf5", "Weights (.h5): HDF5", Download::weights_hdf5);
      if (back) item("download:picture", "Picture of the weights (.png)", Download::picture);
      if (back) ImGui::Separator();
      item("download:loader", "PyTorch module (.py): loads the .npz", Download::loader);
      item("download:curves", "Curves (.csv)", Download::curves);
      if (!back) item("download:picture", "Picture of the weights (.png)", Download::picture);
      ImGui::Separator();
      ImGui::TextDisabled(back ? "Figures of what is shown, with a caption" : "Figures, with a caption");
      const float column = ImGui::GetCursorPosX() + 150 * u;
      for (int k = 0; k < static_cast<int>(std::size(figure_names)); ++k) {
        ImGui::PushID(k);
        ImGui::AlignTextToFramePadding();
        ImGui::TextUnformatted(figure_names[k]);
        ImGui::SameLine(column);
        for (const auto& [label, format] :
             {std::pair{"SVG", FigureFile::svg}, {"PNG", FigureFile::png}, {"CSV", FigureFile::csv}}) {
          if (ImGui::Button(label)) app.save_figure(static_cast<FigureOf>(k), format);
          app.track("figure:" + std::to_string(k) + ":" + label);
          ImGui::SameLine(0, 4 * u);
        }
        ImGui::NewLine();
        ImGui::PopID();
      }
      ImGui::EndPopup();
    }
    ImGui::SameLine(0, 6 * u);
  }
  if (share) {
    if (button(app, "copy-link", "Copy link", Icon::none, 100 * u, false,
               "A link that trains this very network, to the same hash", app.now->setup != nullptr))
      app.copy_link();
    ImGui::SameLine(0, 6 * u);
    if (button(app, "share-more", "\xe2\x80\xa6", Icon::none, 34 * u, false,
               "A link for a class or a talk, code to go on elsewhere, what this computer keeps",
               app.now->setup != nullptr))
      ImGui::OpenPopup("share");
    draw_share(app);
    ImGui::SameLine(0, 6 * u);
  }
  if (!narrow) {
    if (button(app, "shortcuts", "?", Icon::none, 34 * u, false, "What the keys do (?)"))
      app.view.shortcuts = !app.view.shortcuts;
    ImGui::SameLine(0, 6 * u);
  }
  const bool dark = app.theme == Theme::dark;
  if (button(app, "theme", dark ? "Light" : "Dark", Icon::none, 80 * u, false, "Light or dark"))
    app.theme = dark ? Theme::light : Theme::dark;
}

void draw_status(App& app) {
  const Palette& p = palette(app.theme);
  const Snapshot& s = *app.now;
  const float u = app.scale, width = ImGui::GetWindowWidth();
  const bool narrow = width < 900 * u, medium = width < 1330 * u;
  ImDrawList* draw = ImGui::GetWindowDrawList();
  const ImVec2 origin = ImGui::GetWindowPos();
  draw_timeline(app, {origin.x + 7 * u, origin.y}, width - 14 * u);

  ImGui::SetCursorPos({0, 16 * u});
  const bool can_step = s.phase == Phase::paused || s.phase == Phase::running;
  const bool running = s.phase == Phase::running;
  const bool over = s.phase == Phase::finished || s.phase == Phase::failed;
  if (button(app, "play",
             running ? "Pause"
             : over  ? "Again"
                     : "Play",
             running ? Icon::pause : Icon::play, 88 * u, true, over ? "Train again from the start (Space)" : "Space",
             can_step || over))
    app.toggle();
  ImGui::SameLine(0, 6 * u);
  if (button(app, "step", "Step", Icon::step, 76 * u, false, "One update (S)", can_step)) app.live.step();
  ImGui::SameLine(0, 6 * u);
  if (button(app, "epoch", "Epoch", Icon::epoch, 82 * u, false, "To the end of the epoch (E)", can_step))
    app.live.step_epoch();
  ImGui::SameLine(0, 6 * u);
  if (button(app, "restart", "Restart", Icon::restart, 92 * u, false,
             "From the start with the same seed: the same hash again (R)", s.setup != nullptr))
    app.live.restart();
  if (!narrow) {
    ImGui::SameLine(0, 6 * u);
    if (button(app, "new-seed", "New seed", Icon::dice, 102 * u, false, "Other initial weights and trials (N)",
               s.setup != nullptr))
      app.live.new_seed();
  }
  if (!narrow) {
    ImGui::SameLine(0, 6 * u);
    ImGui::SetNextItemWidth(112 * u);
    ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, ImVec2(8 * u, (34 * u - ImGui::GetTextLineHeight()) / 2));
    ImGui::PushStyleColor(ImGuiCol_FrameBg, p.panel);
    const std::pair<const char*, double> paces[] = {
        {"Full speed", 0}, {"60 updates/s", 60}, {"10 updates/s", 10}, {"1 update/s", 1}};
    const char* current = paces[0].first;
    for (const auto& [label, pace] : paces)
      if (app.pace == pace) current = label;
    if (ImGui::BeginCombo("##pace", current, ImGuiComboFlags_NoArrowButton)) {
      for (const auto& [label, pace] : paces)
        if (ImGui::Selectable(label, app.pace == pace)) app.set_pace(pace);
      ImGui::EndCombo();
    }
    ImGui::PopStyleColor();
    ImGui::PopStyleVar();
    app.track("pace");
    if (ImGui::IsItemHovered(ImGuiHoveredFlags_DelayShort))
      ImGui::SetTooltip("Slow it down to watch. The bits stay the same.");
  }
  if (!s.setup) return;

  const auto field = [&](const char* name, const char* label, const std::string& value, const ImVec4& color,
                         float room) {
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImGui::PushFont(fonts.small);
    draw->AddText({at.x, at.y - 1 * u}, color32(p.muted), label);
    ImGui::PopFont();
    draw->AddText({at.x, at.y + 15 * u}, color32(color), value.c_str());
    const bool pressed = ImGui::InvisibleButton(name, {room, 34 * u});
    app.track(name);
    return pressed;
  };
  if (narrow)
    ImGui::SetCursorPos({0, 66 * u});
  else
    ImGui::SameLine(0, 18 * u);
  char text[96];
  if (s.stage == Stage::whole)
    std::snprintf(text, sizeof text, "epoch %lld / %lld", static_cast<long long>(s.epoch),
                  static_cast<long long>(s.setup->spec.training.epochs));
  else
    std::snprintf(text, sizeof text, "%s %lld of %lld", s.stage == Stage::dense ? "dense" : "fine-tuning",
                  static_cast<long long>(s.stage_epoch), static_cast<long long>(s.stage_epochs));
  std::string doing = phase_text(s.phase);
  double measured = -1;
  for (auto what : {Live::Measurement::perturbation, Live::Measurement::states})
    measured = std::max(measured, app.live.measuring(what).value_or(-1));  // the other one waits
  if (measured >= 0) doing = "measuring " + std::to_string(static_cast<int>(100 * measured)) + " %";
  if (const auto part = app.live.reading()) doing = "reading " + std::to_string(static_cast<int>(100 * *part)) + " %";
  field("epoch-field", doing.c_str(), text, s.phase == Phase::failed ? p.bad : p.text,
        s.stage == Stage::whole ? 106 * u : 138 * u);
  if (s.phase == Phase::failed && ImGui::IsItemHovered()) ImGui::SetTooltip("%s", s.failure.c_str());
  if (s.phase != Phase::failed && s.stage != Stage::whole && ImGui::IsItemHovered())
    ImGui::SetTooltip(
        "Epoch %lld of %lld: %lld with every connection, then pruned, then %lld of fine-tuning%s",
        static_cast<long long>(s.epoch), static_cast<long long>(s.setup->spec.all_epochs()),
        static_cast<long long>(s.setup->spec.training.epochs), static_cast<long long>(s.setup->spec.stages.fine_tune),
        s.kept_epoch > 0 ? (". The weights of epoch " + std::to_string(s.kept_epoch) + " were kept").c_str() : "");
  ImGui::SameLine(0, 12 * u);
  std::string threads = s.setup->threads > 1 ? std::to_string(s.setup->threads) + " threads" : "one thread";
  if (running && s.updates_per_s > 0)
    std::snprintf(text, sizeof text, s.updates_per_s < 10 ? "%.1f updates/s" : "%.0f updates/s", s.updates_per_s);
  else
    std::snprintf(text, sizeof text, "%lld updates", static_cast<long long>(s.updates));
  if (!narrow) {
    field("speed", (threads + ", " + s.setup->isa).c_str(), text, p.text, 108 * u);
    ImGui::SameLine(0, 12 * u);
  }
  const bool exact = s.hash_updates == s.updates;
  if (field("hash",
            exact            ? "weight hash"
            : s.looking_back ? "weight hash (back then)"
                             : "weight hash (a moment ago)",
            s.hash, p.text, medium ? 138 * u : 170 * u)) {
    app.host.copy_text(s.hash);
    app.say(false, "Hash copied: " + s.hash + " after " + std::to_string(s.hash_updates) + " updates.");
  }
  if (ImGui::IsItemHovered(ImGuiHoveredFlags_DelayShort))
    ImGui::SetTooltip("All weights as one number, the same on every machine.\nAfter %lld updates. Click to copy.",
                      static_cast<long long>(s.hash_updates));
  ImGui::SameLine(0, 12 * u);
  const bool good = s.audit.sign == 0 && s.audit.mask == 0;
  const std::string sign = std::to_string(s.audit.sign) +
                           (narrow   ? " sign, "
                            : medium ? " sign errors, "
                                     : " sign violations, ") +
                           std::to_string(s.audit.mask) + " off-mask";
  field("audit",
        narrow ? (good ? "audit passed" : "audit violated")
        : good ? "constraint audit: passed"
               : "constraint audit: violated",
        sign, good ? p.good : p.bad, 180 * u);
  if (ImGui::IsItemHovered(ImGuiHoveredFlags_DelayShort))
    ImGui::SetTooltip("Recurrent weights whose sign differs from their neuron's, and weights where no synapse can be.");
  if (!narrow && !s.history->empty() && width > (s.stage == Stage::whole ? 1240 : 1320) * u) {
    ImGui::SameLine(0, 12 * u);
    const bool classes = s.setup->classes > 0 && std::isfinite(s.history->back().held_out_accuracy);
    if (classes)
      std::snprintf(text, sizeof text, "%.1f %% right", 100 * s.history->back().held_out_accuracy);
    else
      std::snprintf(text, sizeof text, "%.5g", s.history->back().held_out);
    field("held-out", classes ? "held out" : "held-out loss", text, p.text, 90 * u);
  }
}

}  // namespace dalea::app
