// Eigenvalues of the recurrent weights over the unit circle, and the weights by sign: now and at the start.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "app/views.h"
#include "app/widgets.h"
#include "common/figure.h"
#include "implot.h"
#include "numerics/math.h"

namespace dalea::app {
namespace {

constexpr ImPlotFlags spectrum_plot_flags = ImPlotFlags_NoMenus | ImPlotFlags_NoBoxSelect | ImPlotFlags_NoMouseText;

// Says why there is nothing to see; false: there is something.
template <class T>
bool nothing(const Snapshot& s, const Analysed<T>& found, const char* what) {
  if (found.setup != s.setup || (found.failure.empty() && !found.now)) {
    ImGui::TextDisabled("Computing %s ...", what);
    return true;
  }
  if (found.failure.empty()) return false;
  ImGui::PushTextWrapPos(0);
  ImGui::TextUnformatted(found.failure.c_str());
  ImGui::PopTextWrapPos();
  return true;
}

// Of which moment, when it is not this one; in the row that is being filled.
template <class T>
void moment(const App& app, const Analysed<T>& found) {
  const Snapshot& s = *app.now;
  if (found.current(s)) return;
  char text[80];
  std::snprintf(text, sizeof text, s.phase == Phase::running ? "after about %lld updates" : "computing ...",
                static_cast<long long>(found.updates));
  ImGui::PushFont(fonts.small);
  flow(ImGui::CalcTextSize(text).x, 10 * app.scale);
  ImGui::TextDisabled("%s", text);
  ImGui::PopFont();
}

struct SpectrumBox {
  double left = -1.15, right = 1.15, top = 1.15;
};

SpectrumBox box_of(const Analysed<Spectrum>& found, bool all) {
  SpectrumBox box;
  if (!all) return box;
  for (const Spectrum* s : {found.now.get(), found.initial.get()}) {
    if (!s) continue;
    for (const std::complex<double>& v : s->values) {
      box.left = std::min(box.left, 1.06 * v.real());
      box.right = std::max(box.right, 1.06 * v.real());
      box.top = std::max(box.top, 1.06 * std::fabs(v.imag()));
    }
  }
  return box;
}

// What is in view follows only what leaves it, or fills little of it; true: it changed.
bool follow_box(SpectrumState& state, const SpectrumBox& box, bool anew) {
  const bool inside = box.left >= state.left && box.right <= state.right && box.top <= state.top;
  const double used = std::max((box.right - box.left) / (state.right - state.left), box.top / state.top);
  if (!anew && state.right > state.left && inside && used > 0.6) return false;
  double step = 0.125;
  while (box.right - box.left > 16 * step) step *= 2;
  state.left = std::floor(box.left / step) * step;
  state.right = std::ceil(box.right / step) * step;
  state.top = std::ceil(box.top / step) * step;
  return true;
}

void circle(const char* name, double radius, const ImVec4& color, float weight) {
  std::array<double, 129> x, y;
  for (size_t k = 0; k < x.size(); ++k) {
    const double angle = 2 * pi * static_cast<double>(k) / 128;
    x[k] = radius * std::cos(angle);
    y[k] = radius * std::sin(angle);
  }
  ImPlot::SetNextLineStyle(color, weight);
  ImPlot::PlotLine(name, x.data(), y.data(), static_cast<int>(x.size()));
}

void points(const char* name, const Spectrum& s, ImPlotMarker marker, float size, const ImVec4& color, float u) {
  const auto* parts = reinterpret_cast<const double*>(s.values.data());  // real, imaginary, real, ...
  ImVec4 fill = color;
  fill.w = 0.7f;
  ImPlot::SetNextMarkerStyle(marker, size, fill, u, color);
  ImPlot::PlotScatter(name, parts, parts + 1, static_cast<int>(s.values.size()), ImPlotScatterFlags_None, 0,
                      static_cast<int>(sizeof(std::complex<double>)));
}

// The eigenvalue under the pointer: a ring, and its numbers.
void read_out(const App& app, const Analysed<Spectrum>& found) {
  if (!ImPlot::IsPlotHovered()) return;
  const ImVec2 mouse = ImGui::GetMousePos();
  const float u = app.scale;
  const std::complex<double>* nearest = nullptr;
  ImVec2 where;
  bool now = false;
  float least = 10 * u * 10 * u;
  for (const Spectrum* s : {found.now.get(), found.initial.get()}) {
    if (!s) continue;
    for (const std::complex<double>& v : s->values) {
      const ImVec2 at = ImPlot::PlotToPixels(v.real(), v.imag());
      const float d = (at.x - mouse.x) * (at.x - mouse.x) + (at.y - mouse.y) * (at.y - mouse.y);
      if (d >= least) continue;
      least = d;
      nearest = &v;
      where = at;
      now = s == found.now.get();
    }
  }
  if (!nearest) return;
  ImPlot::PushPlotClipRect();
  ImPlot::GetPlotDrawList()->AddCircle(where, 6 * u, color32(palette(app.theme).text), 0, 1.5f * u);
  ImPlot::PopPlotClipRect();
  ImGui::SetTooltip("%s  %.4g %c %.4gi\n|\xce\xbb| = %.5g", now ? "now" : "start", nearest->real(),
                    nearest->imag() < 0 ? '-' : '+', std::fabs(nearest->imag()), std::abs(*nearest));
}

void spectrum_text(const App& app, const Analysed<Spectrum>& found) {
  const Spectrum& s = *found.now;
  char start[40] = "", text[160];
  if (found.initial) std::snprintf(start, sizeof start, " (start %.4g)", found.initial->radius);
  std::snprintf(text, sizeof text, "radius %.4g%s, largest real part %.4g, %lld of %zu outside", s.radius, start,
                s.abscissa, static_cast<long long>(s.outside), s.values.size());
  ImGui::PushFont(fonts.small);
  ImGui::PushTextWrapPos(0);
  ImGui::PushStyleColor(ImGuiCol_Text, palette(app.theme).muted);
  ImGui::TextUnformatted(text);
  ImGui::PopStyleColor();
  ImGui::PopTextWrapPos();
  ImGui::PopFont();
  hint(
      "Of the recurrent weights alone, without nonlinearity, rectification and leak. Radius: the largest |\xce\xbb|; "
      "outside the unit circle activity can grow from step to step (of leaky units: where the real part is above 1).");
}

ImVec4 sign_color(size_t sign, Theme theme) {
  return sign < 2 ? named_color(text_of(static_cast<Sign>(sign)), theme)
                  : screen_color(plot::series_style(2).color, theme);
}

double most_of(const Analysed<WeightsBySign>& found) {
  int64_t most = 1;
  for (const WeightsBySign* side : {found.now.get(), found.initial.get()})
    for (const SignWeights& s : *side)
      for (int64_t c : s.histogram.counts) most = std::max(most, c);
  return static_cast<double>(most);
}

}  // namespace

void draw_spectrum(App& app) {
  const Palette& p = palette(app.theme);
  const Snapshot& s = *app.now;
  const float u = app.scale;
  if (!s.setup || !s.weights) {
    ImGui::TextDisabled("The eigenvalues of the recurrent weights appear here.");
    return;
  }
  app.spectra.follow_spectrum(s);
  const Analysed<Spectrum> found = app.spectra.view().spectrum;
  if (nothing(s, found, "the eigenvalues")) return;
  SpectrumState& state = app.view.spectrum;
  const auto choose = [&](const char* label, const char* name, bool all) {
    if (choice(label, state.all == all, app.theme)) {
      state.all = all;
      state.fit = true;
    }
    app.track(name);
  };
  choose("All##spectrum", "spectrum:all", true);
  hint("Every eigenvalue in view. The wheel zooms, dragging moves.");
  ImGui::SameLine(0, 4 * u);
  choose("Unit circle##spectrum", "spectrum:unit", false);
  hint("The unit circle fills the view; eigenvalues far outside are out of it");
  moment(app, found);
  spectrum_text(app, found);

  const bool refit = follow_box(state, box_of(found, state.all), state.fit);
  state.fit = false;
  const ImVec2 size = ImGui::GetContentRegionAvail();
  const double w = state.width > 0 ? state.width : std::max(1.0f, size.x - 50 * u);
  const double h = state.height > 0 ? state.height : std::max(1.0f, size.y - 40 * u);
  const double scale = std::max((state.right - state.left) / w, 2 * state.top / h);
  const double middle = (state.left + state.right) / 2;
  ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 0);
  if (ImPlot::BeginPlot("##spectrum", size, spectrum_plot_flags | ImPlotFlags_Equal)) {
    const ImPlotCond when = refit ? ImPlotCond_Always : ImPlotCond_Once;
    ImPlot::SetupAxes("real part", "imaginary");
    ImPlot::SetupAxisLimits(ImAxis_X1, middle - scale * w / 2, middle + scale * w / 2, when);
    ImPlot::SetupAxisLimits(ImAxis_Y1, -scale * h / 2, scale * h / 2, when);
    ImPlot::SetupLegend(ImPlotLocation_NorthWest);
    ImPlot::SetupFinish();
    const ImVec2 inner = ImPlot::GetPlotSize();
    if (std::fabs(inner.x - state.width) > 24 * u || std::fabs(inner.y - state.height) > 24 * u) {
      state.width = inner.x;
      state.height = inner.y;
      state.fit = true;
    }
    circle("##unit", 1, p.muted, 1.2f * u);
    ImVec4 faint = p.muted;
    faint.w = 0.6f;
    if (found.now->bulk > 0) circle("if drawn anew", found.now->bulk, faint, 1 * u);
    const float marker = (found.now->values.size() > 500 ? 1.6f : 2.6f) * u;
    if (found.initial) points("start", *found.initial, ImPlotMarker_Cross, marker, p.muted, u);
    points("now", *found.now, ImPlotMarker_Circle, marker, p.output, u);
    read_out(app, found);
    ImPlot::EndPlot();
  }
  ImGui::PopStyleVar();
  app.track("spectrum");
}

void draw_weights_by_sign(App& app) {
  const Palette& p = palette(app.theme);
  const Snapshot& s = *app.now;
  const float u = app.scale;
  if (!s.setup || !s.weights) {
    ImGui::TextDisabled("The recurrent weights by sign appear here.");
    return;
  }
  app.spectra.follow_signs(s);
  const Analysed<WeightsBySign> found = app.spectra.view().signs;
  if (nothing(s, found, "the histogram")) return;
  SpectrumState& state = app.view.spectrum;
  ImGui::AlignTextToFramePadding();
  ImGui::TextDisabled("synapses that are not 0");
  hint("Of the synapses that exist, by the sign of the neuron they come from; the legend says how many are exactly 0.");
  const char* label = "Log scale##signs";
  const float box = checkbox_width("Log scale");
  moment(app, found);
  ImGui::SameLine(std::max(0.0f, ImGui::GetContentRegionMax().x - box - 8 * u));
  ImGui::Checkbox(label, &state.log_count);
  app.track("weights-by-sign:log");

  const std::vector<double>& edges = (*found.now)[0].histogram.edges;
  const double most = most_of(found), width = edges[1] - edges[0];
  ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 0);
  if (ImPlot::BeginPlot("##weights-by-sign", ImGui::GetContentRegionAvail(), spectrum_plot_flags)) {
    ImPlot::SetupAxes("recurrent weight", nullptr);
    ImPlot::SetupAxisLimits(ImAxis_X1, edges.front(), edges.back(), ImPlotCond_Always);
    if (state.log_count) ImPlot::SetupAxisScale(ImAxis_Y1, ImPlotScale_Log10);
    ImPlot::SetupAxisLimits(ImAxis_Y1, state.log_count ? 0.7 : 0.0, most * (state.log_count ? 4 : 1.25),
                            ImPlotCond_Always);
    ImPlot::SetupAxisFormat(ImAxis_Y1, "%g");
    ImPlot::SetupLegend(ImPlotLocation_NorthWest);
    std::vector<double> middle, count;
    for (size_t k = 0; k + 1 < edges.size(); ++k) middle.push_back((edges[k] + edges[k + 1]) / 2);
    const auto counts = [&](const SignWeights& of) {
      count.assign(of.histogram.counts.begin(), of.histogram.counts.end());
      count.push_back(0);
    };
    for (size_t k = 0; k < found.now->size(); ++k) {
      const SignWeights& of = (*found.now)[k];
      if (of.synapses == 0) continue;
      const char* sign = text_of(static_cast<Sign>(k));
      char name[80];
      std::snprintf(name, sizeof name, "%s, %.3g %% are 0###%s", sign, 100 * of.share_zero(), sign);
      counts(of);
      ImPlot::SetNextFillStyle(sign_color(k, app.theme), 0.75f);
      ImPlot::PlotBars(name, middle.data(), count.data(), static_cast<int>(middle.size()), width);
    }
    for (const SignWeights& of : *found.initial) {
      if (of.synapses == 0) continue;
      counts(of);
      ImPlot::SetNextLineStyle(p.text, 1.2f * u);
      ImPlot::PlotStairs("start", edges.data(), count.data(), static_cast<int>(edges.size()));
    }
    ImPlot::EndPlot();
  }
  ImGui::PopStyleVar();
  app.track("weights-by-sign");
}

}  // namespace dalea::app
