// A recording before it is trained on: what was understood, what was dropped and why.
#include <algorithm>
#include <cmath>
#include <map>

#include "app/views.h"
#include "common/picture.h"
#include "implot.h"
#include "recording/text_rows.h"

namespace dalea::app {
namespace {

// Units from the top, time to the right, each unit's z-score in the colours of the weights.
void paint(const Recording& r, ViewState& view) {
  const int64_t columns = std::min<int64_t>(r.frames, 1200), rows = std::min<int64_t>(r.units, 800);
  view.preview_width = static_cast<int>(columns);
  view.preview_height = static_cast<int>(rows);
  view.pixels.assign(static_cast<size_t>(columns * rows), 0);
  for (int64_t y = 0; y < rows; ++y) {
    const int64_t unit = y * r.units / rows;
    double sum = 0, squares = 0, count = 0;
    for (int64_t t = 0; t < r.frames; ++t) {
      const double v = static_cast<double>(r.values[static_cast<size_t>(t * r.units + unit)]);
      if (std::isfinite(v)) {
        sum += v;
        squares += v * v;
        ++count;
      }
    }
    const double mean = count > 0 ? sum / count : 0,
                 sd = count > 0 ? std::sqrt(std::max(0.0, squares / count - mean * mean)) : 1;
    for (int64_t x = 0; x < columns; ++x) {
      const double v = static_cast<double>(r.values[static_cast<size_t>(x * r.frames / columns * r.units + unit)]);
      const Color c =
          std::isfinite(v) ? weight_color(static_cast<float>((v - mean) / (sd > 0 ? sd : 1)), 3) : absent_color;
      view.pixels[static_cast<size_t>(y * columns + x)] =
          0xff000000u | static_cast<uint32_t>(c.b) << 16 | static_cast<uint32_t>(c.g) << 8 | c.r;
    }
  }
}

void fact(const char* name, const std::string& value, float u) {
  ImGui::TextDisabled("%s", name);
  ImGui::SameLine(120 * u);
  ImGui::TextWrapped("%s", value.c_str());
}

// Which events and frames became trials, and what to beware of.
void draw_prepared(const Prepared& p, float u) {
  for (size_t k = 0; k < p.notes.size(); ++k) fact(k == 0 ? "Prepared" : "", p.notes[k], u);
  if (p.dropped.empty()) return;
  std::string text = std::to_string(p.dropped.size()) + ": ";
  for (size_t k = 0; k < p.dropped.size() && k < 6; ++k)
    text += (k > 0 ? "; " : "") + p.dropped[k].unit + " (" + p.dropped[k].reason + ")";
  if (p.dropped.size() > 6) text += "; and " + std::to_string(p.dropped.size() - 6) + " more";
  fact("Events left out", text, u);
}

std::string label_of(const ArrayInfo& a) {
  return a.name + "   " + a.type + " " + shape_text(a.shape);
}

// Which array of the file; whether another one was taken. `read`: the one that is shown.
bool choose_array(App& app, const std::string& read, RecordingSpec& changed) {
  const float u = app.scale;
  const bool together = app.preview.recording && app.preview.recording->kind == "suite2p";
  const std::string shown = together ? "" : read.empty() ? changed.array : read;
  const char* const as_suite2p = "all of them, as suite2p's";
  std::string label = together ? as_suite2p : shown.empty() ? "choose one" : shown;
  for (const ArrayInfo& a : app.preview.arrays)
    if (!shown.empty() && a.name == shown) label = label_of(a);
  bool edited = false;
  ImGui::AlignTextToFramePadding();
  ImGui::TextDisabled("Array");
  ImGui::SameLine(120 * u);
  ImGui::SetNextItemWidth(300 * u);
  if (ImGui::BeginCombo("##array", label.c_str())) {
    if (app.preview.suite2p && ImGui::Selectable(as_suite2p, together)) {
      edited = !together;
      changed.array.clear();
    }
    for (size_t k = 0; k < app.preview.arrays.size(); ++k) {
      const ArrayInfo& a = app.preview.arrays[k];
      ImGui::PushID(static_cast<int>(k));
      const std::string line = label_of(a) + (a.unusable.empty() ? "" : "  " + a.unusable);
      if (ImGui::Selectable(line.c_str(), a.name == shown, a.unusable.empty() ? 0 : ImGuiSelectableFlags_Disabled)) {
        edited = a.name != shown;
        changed.array = a.name;
      }
      ImGui::PopID();
    }
    ImGui::EndCombo();
  }
  app.track("array");
  return edited;
}

// One of `from`; whether another one was taken.
bool choose_one(App& app, const char* name, const char* id, const std::vector<std::string>& from, std::string& value) {
  bool edited = false;
  ImGui::PushID(id);
  ImGui::AlignTextToFramePadding();
  ImGui::TextDisabled("%s", name);
  ImGui::SameLine(120 * app.scale);
  ImGui::SetNextItemWidth(300 * app.scale);
  if (ImGui::BeginCombo("##one", value.empty() ? (from.size() == 1 ? from[0].c_str() : "choose one") : value.c_str())) {
    for (const std::string& one : from)
      if (ImGui::Selectable(one.empty() ? "(empty)" : one.c_str(), one == value) && one != value) {
        value = one;
        edited = true;
      }
    ImGui::EndCombo();
  }
  ImGui::PopID();
  app.track(id);
  return edited;
}

// A number that counts when it is left; meanwhile the preview keeps what is typed.
bool type_number(App& app, const char* name, const char* id, double& value, double& kept, const char* format) {
  ImGui::PushID(id);
  ImGui::AlignTextToFramePadding();
  ImGui::TextDisabled("%s", name);
  ImGui::SameLine(120 * app.scale);
  ImGui::SetNextItemWidth(150 * app.scale);
  ImGui::InputDouble("##number", &value, 0, 0, format);
  const bool edited = ImGui::IsItemDeactivatedAfterEdit();
  if (!edited && ImGui::IsItemActive()) kept = value;
  ImGui::PopID();
  app.track(id);
  return edited;
}

bool choose_long(App& app, RecordingSpec& changed) {
  bool edited = false;
  if (!app.preview.conditions.empty())
    edited = choose_one(app, "Condition", "condition", app.preview.conditions, changed.condition) || edited;
  if (!app.preview.series.empty())
    edited = choose_one(app, "Series", "series", app.preview.series, changed.series) || edited;
  return edited;
}

bool choose_suite2p(App& app, RecordingSpec& changed) {
  Suite2pSpec &s = changed.suite2p, &kept = app.preview.spec.suite2p;
  bool edited = choose_one(app, "Signal", "suite2p-signal", {"dff", "corrected", "fluorescence", "spikes"}, s.signal);
  if (s.signal == "dff" || s.signal == "corrected")
    edited = type_number(app, "Neuropil share", "suite2p-neuropil", s.neuropil, kept.neuropil, "%.3g") || edited;
  ImGui::Dummy({0, 0});
  ImGui::SameLine(120 * app.scale);
  edited = ImGui::Checkbox("accepted cells only", &s.accepted) || edited;
  app.track("suite2p-accepted");
  s.neuropil = std::clamp(s.neuropil, 0.0, 2.0);
  return edited;
}

// "roi 3, roi 4, roi 6, ... (199 in all): not accepted by iscell.npy; ...", a reason once.
std::string left_out(const std::vector<Dropped>& dropped) {
  if (dropped.empty()) return "nothing";
  std::vector<std::string> reasons;
  std::map<std::string, std::vector<std::string>> units;
  for (const Dropped& d : dropped) {
    if (units.count(d.reason) == 0) reasons.push_back(d.reason);
    units[d.reason].push_back(d.unit);
  }
  std::string text = std::to_string(dropped.size()) + ": ";
  for (size_t k = 0; k < reasons.size() && k < 6; ++k)
    text += (k > 0 ? "; " : "") + listed(units[reasons[k]], 6) + " (" + reasons[k] + ")";
  if (reasons.size() > 6) text += "; and for " + std::to_string(reasons.size() - 6) + " other reasons";
  return text;
}

// Of the cell table: how many units of each kind.
std::string cells_text(const Recording& r) {
  std::vector<std::string> kinds;
  std::map<std::string, int64_t> counts;
  for (const CellLabels& c : r.cells) {
    std::string kind;
    for (const std::string* part : {&c.area, &c.layer, &c.type, &c.sign})
      if (!part->empty()) kind += (kind.empty() ? "" : " ") + *part;
    if (kind.empty()) kind = "unknown";
    if (counts[kind]++ == 0) kinds.push_back(kind);
  }
  for (std::string& kind : kinds) kind = std::to_string(counts[kind]) + " " + kind;
  return listed(kinds, 8);
}

}  // namespace

void draw_recording(App& app) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  ViewState& view = app.view;
  const bool chosen = app.preview.file != nullptr;
  const Snapshot& s = *app.now;
  const Recording* r = chosen                          ? app.preview.recording.get()
                       : s.setup && s.setup->recording ? s.setup->recording.get()
                                                       : nullptr;

  if (ImGui::Button("Open a recording\xe2\x80\xa6")) app.host.pick_file();
  app.track("open-recording");
  ImGui::SameLine();
  if (chosen && r) {
    ImGui::PushStyleColor(ImGuiCol_Button, p.accent);
    ImGui::PushStyleColor(ImGuiCol_ButtonHovered, p.accent);
    ImGui::PushStyleColor(ImGuiCol_Text, p.on_accent);
    if (ImGui::Button("Train on this recording")) app.train_preview();
    ImGui::PopStyleColor(3);
    app.track("train-recording");
  } else {
    ImGui::PushStyleColor(ImGuiCol_Text, p.muted);
    ImGui::TextWrapped("or drop it anywhere (CSV, NPY, NPZ, MATLAB, HDF5, NWB, a suite2p folder)");
    ImGui::PopStyleColor();
  }
  if (chosen && !r) {
    ImGui::PushStyleColor(ImGuiCol_Text, p.bad);
    ImGui::TextWrapped("%s", app.preview.error.c_str());
    ImGui::PopStyleColor();
    RecordingSpec changed = app.preview.spec;
    const std::vector<ArrayInfo>& arrays = app.preview.arrays;
    bool edited = !arrays.empty() && !(arrays.size() == 1 && arrays[0].name.empty()) && choose_array(app, "", changed);
    edited = choose_long(app, changed) || edited;
    if (edited) app.live.preview(app.preview.file, changed);
    return;
  }
  if (!r) {
    ImGui::Spacing();
    ImGui::TextWrapped(
        "A recording is a matrix of numbers: one column (or row) for each unit, one row (or column) for each frame. It "
        "is "
        "split in time into training, validation and held-out parts, and the fit stands beside three baselines: the "
        "last "
        "frame, AR(1) and ridge regression. It never leaves this computer.");
    return;
  }
  ImGui::Spacing();
  fact("File", r->source + (r->format.empty() ? "" : "  (" + r->format + ")"), u);
  fact("Size",
       std::to_string(r->units) + " units, " + std::to_string(r->frames) + " frames" +
           (r->missing > 0 ? ", " + std::to_string(r->missing) + " missing values (not scored)" : ""),
       u);
  RecordingSpec changed = app.preview.spec;
  bool edited = false;
  if (chosen && app.preview.arrays.size() > 1) {
    edited = choose_array(app, r->array, changed);
    ImGui::SameLine();
    ImGui::PushStyleColor(ImGuiCol_Text, p.muted);
    ImGui::TextWrapped("%s", r->array_reason.c_str());
    ImGui::PopStyleColor();
  } else if (!r->array.empty()) {
    fact("Array", r->array, u);
  }
  if (chosen) {
    ImGui::AlignTextToFramePadding();
    ImGui::TextDisabled("Orientation");
    ImGui::SameLine(120 * u);
    ImGui::SetNextItemWidth(150 * u);
    if (ImGui::BeginCombo("##orientation", changed.orientation.c_str())) {
      for (const char* o : {"auto", "time-by-unit", "unit-by-time"})
        if (ImGui::Selectable(o, changed.orientation == o)) {
          changed.orientation = o;
          edited = true;
        }
      ImGui::EndCombo();
    }
    app.track("orientation");
    ImGui::SameLine();
    ImGui::PushStyleColor(ImGuiCol_Text, p.muted);
    ImGui::TextWrapped("read as %s: %s", r->orientation.c_str(), r->orientation_reason.c_str());
    ImGui::PopStyleColor();
    ImGui::AlignTextToFramePadding();
    ImGui::TextDisabled("Sampling rate");
    ImGui::SameLine(120 * u);
    ImGui::SetNextItemWidth(150 * u);
    ImGui::InputDouble("##rate", &changed.rate_hz, 0, 0, changed.rate_hz > 0 ? "%.6g Hz" : "not given");
    if (ImGui::IsItemDeactivatedAfterEdit())
      edited = true;
    else if (ImGui::IsItemActive())
      app.preview.spec.rate_hz = changed.rate_hz;
    app.track("rate");
    ImGui::SameLine();
    if (r->rate_hz > 0)
      ImGui::TextDisabled("%.4g Hz, %.4g s in all", r->rate_hz, static_cast<double>(r->frames) / r->rate_hz);
    else
      ImGui::TextDisabled("unknown: time is counted in frames");
    edited = choose_long(app, changed) || edited;
    if (r->kind == "suite2p") edited = choose_suite2p(app, changed) || edited;
    if (r->kind == "NWB" && r->array == "/units") {
      edited = type_number(app, "Bin", "bin", changed.bin_s, app.preview.spec.bin_s, "%.4g s") || edited;
      changed.bin_s = std::clamp(changed.bin_s, 1e-6, 3600.0);
    }
    if (!r->cells.empty() || changed.average == "populations")
      edited = choose_one(app, "Average", "average", {"none", "populations"}, changed.average) || edited;
    if (edited) app.live.preview(app.preview.file, changed);
  } else {
    fact("Orientation", r->orientation, u);
    char rate[60];
    std::snprintf(rate, sizeof rate, "%.4g Hz", r->rate_hz);
    fact("Sampling rate", r->rate_hz > 0 ? rate : "unknown: time is counted in frames", u);
  }
  fact("Left out", left_out(r->dropped), u);
  if (!r->cells.empty()) fact("Cells", cells_text(*r), u);
  for (size_t k = 0; k < r->notes.size() && k < 8; ++k) fact(k == 0 ? "Noted" : "", r->notes[k], u);
  if (!chosen && s.setup->prepared) draw_prepared(*s.setup->prepared, u);
  if (!chosen && r->source == "simulated" && draw_recovery(app)) return;

  if (view.preview_shown != r || view.preview_texture == ImTextureID{}) {
    paint(*r, view);
    view.preview_texture =
        app.host.texture(view.preview_texture, view.preview_width, view.preview_height, view.pixels.data(), true);
    view.preview_shown = r;
    view.matrix_shown = nullptr;  // the pixels were shared
  }
  ImGui::PushFont(fonts.small);
  ImGui::TextDisabled(
      "z-score of each unit: blue \xe2\x88\x92"
      "3, white 0, red +3; grey: missing");
  ImGui::PopFont();
  const double seconds = r->rate_hz > 0 ? static_cast<double>(r->frames) / r->rate_hz : static_cast<double>(r->frames);
  const double units = static_cast<double>(r->units);
  ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 0);
  if (ImPlot::BeginPlot("##recording", ImGui::GetContentRegionAvail(), ImPlotFlags_NoLegend | ImPlotFlags_NoMenus)) {
    ImPlot::SetupAxes(r->rate_hz > 0 ? "time (s)" : "frame", "unit", ImPlotAxisFlags_NoGridLines,
                      ImPlotAxisFlags_NoGridLines | ImPlotAxisFlags_Invert);
    ImPlot::SetupAxesLimits(0, seconds, 0, units, view.preview_shown == r ? ImPlotCond_Once : ImPlotCond_Always);
    ImPlot::PlotImage("##pixels", view.preview_texture, {0, 0}, {seconds, units}, {0, 1}, {1, 0});
    ImPlot::EndPlot();
  }
  ImGui::PopStyleVar();
  app.track("recording");
}

}  // namespace dalea::app
