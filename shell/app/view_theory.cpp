// What is proved of Dale's backpropagation, on two weights that can be dragged, beside what is measured (SEEDS F45).
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/views.h"
#include "implot.h"
#include "numerics/math.h"

namespace dalea::app {
namespace {

constexpr double shown = 1e-14;  // of the first gap: what is smaller is rounding

struct Colours {
  ImVec4 plain, dale, adam;
};

Colours colours(const Palette& p) {
  return {p.muted, p.good, p.output};
}

void swatch(const char* text, const ImVec4& color, bool dashed) {
  const float h = ImGui::GetTextLineHeight(), wide = 1.4f * h;
  const ImVec2 at = ImGui::GetCursorScreenPos();
  ImDrawList* draw = ImGui::GetWindowDrawList();
  const float y = at.y + h / 2, thick = 0.16f * h;
  if (dashed) {
    draw->AddLine({at.x, y}, {at.x + 0.4f * wide, y}, color32(color), thick);
    draw->AddLine({at.x + 0.6f * wide, y}, {at.x + wide, y}, color32(color), thick);
  } else {
    draw->AddLine({at.x, y}, {at.x + wide, y}, color32(color), thick);
    draw->AddCircleFilled({at.x + wide / 2, y}, 0.22f * h, color32(color));
  }
  ImGui::Dummy({wide, h});
  ImGui::SameLine(0, 0.3f * h);
  ImGui::TextUnformatted(text);
}

// Next on this line if there is room for it, else on a new one.
void flow_theory(const char* text) {
  const float h = ImGui::GetTextLineHeight(), gap = 1.1f * h;
  const float used = ImGui::GetItemRectMax().x - ImGui::GetWindowPos().x + gap;
  if (used + 1.7f * h + ImGui::CalcTextSize(text).x < ImGui::GetContentRegionMax().x) ImGui::SameLine(0, gap);
}

void path(const char* name, const ConeRun* run, const ImVec4& color, float u, float weight) {
  if (run == nullptr) return;
  std::vector<double> x, y;
  for (const ConeStep& s : run->steps) {
    if (!(std::fabs(s.w1) < 50 && std::fabs(s.w2) < 50)) break;  // diverging: it has left the picture
    x.push_back(s.w1);
    y.push_back(s.w2);
  }
  ImPlot::SetNextLineStyle(color, weight * u);
  ImPlot::SetNextMarkerStyle(ImPlotMarker_Circle, 2.2f * u, color, 0, color);
  ImPlot::PlotLine(name, x.data(), y.data(), static_cast<int>(x.size()));
}

void draw_plane(App& app, const ConeDemo& demo, ImVec2 size) {
  const Palette& p = palette(app.theme);
  const Colours c = colours(p);
  const float u = app.scale;
  TheoryInput& in = app.theory.input;
  constexpr ImPlotFlags flags =
      ImPlotFlags_NoMenus | ImPlotFlags_NoBoxSelect | ImPlotFlags_NoMouseText | ImPlotFlags_NoLegend;
  if (!ImPlot::BeginPlot("##plane", size, flags)) return;
  ImPlot::SetupAxes("w1, excitatory: \xe2\x89\xa5 0", "w2, inhibitory: \xe2\x89\xa4 0", ImPlotAxisFlags_NoHighlight,
                    ImPlotAxisFlags_NoHighlight);
  // A unit is as long up as across, so that angles are true; about 60 by 45 go to labels.
  const double across = Theory::right - Theory::left, up = Theory::top - Theory::bottom;
  const double px = std::max(40.0f, size.x - 60 * u), py = std::max(40.0f, size.y - 45 * u);
  const double unit = std::max(across / px, up / py), x_more = (unit * px - across) / 2, y_more = (unit * py - up) / 2;
  ImPlot::SetupAxisLimits(ImAxis_X1, Theory::left - x_more, Theory::right + x_more, ImPlotCond_Always);
  ImPlot::SetupAxisLimits(ImAxis_Y1, Theory::bottom - y_more, Theory::top + y_more, ImPlotCond_Always);
  ImPlot::SetupFinish();

  const double far = 20, x[] = {0, far}, zero[] = {0, 0}, low[] = {-far, -far};
  ImPlot::SetNextFillStyle(p.good, 0.13f);
  ImPlot::PlotShaded("##cone", x, low, zero, 2);
  const double edge_x[] = {far, 0, 0}, edge_y[] = {0, 0, -far};
  ImPlot::SetNextLineStyle(p.good, 1.2f * u);
  ImPlot::PlotLine("##edge", edge_x, edge_y, 3);

  // Contours f = level: ellipses around b along the eigenvectors (3, 1) and (-1, 3) / sqrt 10.
  ImVec4 thin = p.muted;
  thin.w = 0.45f;
  const double root = std::sqrt(10.0);
  for (double level = 0.002; level < 20; level *= 4) {
    double ex[97], ey[97];
    for (int k = 0; k < 97; ++k) {
      const double flat = std::sqrt(2 * level / demo.problem.mu) * std::cos(2 * pi * k / 96);
      const double steep = std::sqrt(2 * level / demo.problem.smoothness) * std::sin(2 * pi * k / 96);
      ex[k] = in.b1 + (3 * flat - steep) / root;
      ey[k] = in.b2 + (flat + 3 * steep) / root;
    }
    ImPlot::SetNextLineStyle(thin, 1 * u);
    ImPlot::PlotLine("##contour", ex, ey, 97);
  }
  path("without projection", demo.run(ConeMethod::unconstrained), c.plain, u, 1.4f);
  path("Adam, projected", demo.run(ConeMethod::projected_adam), c.adam, u, 1.4f);
  path("projected", demo.run(ConeMethod::projected), c.dale, u, 2.2f);
  ImPlot::SetNextMarkerStyle(ImPlotMarker_Diamond, 6 * u, p.panel, 2 * u, p.good);
  ImPlot::PlotScatter("##minimum", &demo.minimum[0], &demo.minimum[1], 1);

  ImPlot::DragPoint(1, &in.start1, &in.start2, p.text, 5 * u);
  ImPlot::DragPoint(2, &in.b1, &in.b2, p.accent, 5 * u);
  ImGui::PushFont(fonts.small);
  // `right`: beside the point, so many units from it; 0: centred.
  const auto name = [&](const char* text, double at_x, double at_y, float below, float right = 0) {
    const float half = ImGui::CalcTextSize(text).x / 2;  // kept inside the plot
    const ImVec2 at = ImPlot::PlotToPixels(at_x, at_y), from = ImPlot::GetPlotPos(), room = ImPlot::GetPlotSize();
    const float px = std::clamp(right > 0 ? at.x + half + right * u : at.x, from.x + half + 3 * u,
                                std::max(from.x + half + 3 * u, from.x + room.x - half - 3 * u));
    ImPlot::PushPlotClipRect();
    ImPlot::GetPlotDrawList()->AddText({px - half, at.y + below * u - ImGui::GetTextLineHeight() / 2}, color32(p.text),
                                       text);
    ImPlot::PopPlotClipRect();
  };
  name("start", in.start1, in.start2, 14);
  name("lowest loss", in.b1, in.b2, -14);
  const bool same = std::hypot(demo.minimum[0] - in.b1, demo.minimum[1] - in.b2) < 0.15;
  if (!same) name("lowest admissible", demo.minimum[0], demo.minimum[1], 9, 9);
  ImPlot::PushPlotClipRect();
  const ImVec2 corner = {ImPlot::GetPlotPos().x + ImPlot::GetPlotSize().x,
                         ImPlot::GetPlotPos().y + ImPlot::GetPlotSize().y};
  const char* admissible = "admissible signs";
  const ImVec2 text = ImGui::CalcTextSize(admissible);
  ImPlot::GetPlotDrawList()->AddText({corner.x - text.x - 5 * u, corner.y - text.y - 3 * u}, color32(p.good),
                                     admissible);
  ImPlot::PopPlotClipRect();
  ImGui::PopFont();
  ImPlot::EndPlot();
}

void draw_gap(App& app, const ConeDemo& demo, ImVec2 size) {
  const Palette& p = palette(app.theme);
  const Colours c = colours(p);
  const float u = app.scale;
  const double first = std::max(demo.run(ConeMethod::projected)->steps.front().gap, 1e-300);
  double least = first / 10, most = first;
  const auto series = [&](const ConeRun* run) {
    std::pair<std::vector<double>, std::vector<double>> xy;
    for (size_t k = 0; run != nullptr && k < run->steps.size(); ++k) {
      const double gap = run->steps[k].gap;
      if (!(gap > shown * first)) continue;
      xy.first.push_back(static_cast<double>(k));
      xy.second.push_back(gap);
      least = std::min(least, gap);
      most = std::max(most, std::min(gap, 1e6 * first));
    }
    return xy;
  };
  const auto dale = series(demo.run(ConeMethod::projected)), adam = series(demo.run(ConeMethod::projected_adam));
  constexpr ImPlotFlags flags =
      ImPlotFlags_NoMenus | ImPlotFlags_NoBoxSelect | ImPlotFlags_NoMouseText | ImPlotFlags_NoLegend;
  if (!ImPlot::BeginPlot("##gap", size, flags)) return;
  ImPlot::SetupAxes("step", "loss above lowest admissible", ImPlotAxisFlags_NoHighlight, ImPlotAxisFlags_NoHighlight);
  ImPlot::SetupAxisScale(ImAxis_Y1, ImPlotScale_Log10);
  ImPlot::SetupAxisLimits(ImAxis_X1, 0, app.theory.input.steps, ImPlotCond_Always);
  ImPlot::SetupAxisLimits(ImAxis_Y1, least / 3, most * 3, ImPlotCond_Always);
  ImPlot::SetupAxisFormat(ImAxis_Y1, "%g");
  if (demo.rate != ConeClaim::outside && demo.gap_factor > 0) {
    std::vector<double> x, y;  // dashes: 25 pairs of ends
    const double fall = std::log(demo.gap_factor);
    const double last = std::min<double>(app.theory.input.steps, std::log(least / 3 / first) / fall);
    for (int k = 0; k < 50; ++k) {
      x.push_back(last * (k + (k % 2 ? 0.2 : 0)) / 50);
      y.push_back(first * std::exp(fall * x.back()));
    }
    ImPlot::SetNextLineStyle(p.text, 1.6f * u);
    ImPlot::PlotLine("promised", x.data(), y.data(), 50, ImPlotLineFlags_Segments);
  }
  const auto line = [&](const char* name, const auto& xy, const ImVec4& color, float weight) {
    ImPlot::SetNextLineStyle(color, weight * u);
    ImPlot::SetNextMarkerStyle(ImPlotMarker_Circle, 2.2f * u, color, 0, color);
    ImPlot::PlotLine(name, xy.first.data(), xy.second.data(), static_cast<int>(xy.first.size()));
  };
  line("Adam, projected", adam, c.adam, 1.4f);
  line("projected", dale, c.dale, 2.2f);
  ImPlot::EndPlot();
}

enum class Mark { tick, cross, none };

void mark(Mark kind, const ImVec4& color) {
  const float h = ImGui::GetTextLineHeight();
  const ImVec2 at = ImGui::GetCursorScreenPos();
  ImDrawList* draw = ImGui::GetWindowDrawList();
  const ImU32 ink = color32(color);
  const float thick = 0.13f * h;
  const auto point = [&](float x, float y) { return ImVec2(at.x + x * h, at.y + y * h); };
  if (kind == Mark::tick) {
    const ImVec2 bend[] = {point(0.08f, 0.55f), point(0.32f, 0.8f), point(0.78f, 0.25f)};
    draw->AddPolyline(bend, 3, ink, 0, thick);
  } else if (kind == Mark::cross) {
    draw->AddLine(point(0.15f, 0.25f), point(0.7f, 0.8f), ink, thick);
    draw->AddLine(point(0.15f, 0.8f), point(0.7f, 0.25f), ink, thick);
  } else {
    draw->AddLine(point(0.15f, 0.52f), point(0.7f, 0.52f), ink, thick);
  }
  ImGui::Dummy({0.85f * h, h});
  ImGui::SameLine(0, 0.2f * h);
}

void draw_statements(App& app, const ConeDemo& demo) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  constexpr ImGuiTableFlags flags = ImGuiTableFlags_RowBg | ImGuiTableFlags_BordersInnerH |
                                    ImGuiTableFlags_SizingFixedFit | ImGuiTableFlags_PadOuterX;
  if (!ImGui::BeginTable("statements", 3, flags)) return;
  ImGui::TableSetupColumn("statement", ImGuiTableColumnFlags_WidthStretch);
  ImGui::TableSetupColumn("proved", 0, 62 * u);
  ImGui::TableSetupColumn("here", 0, 92 * u);
  ImGui::TableHeadersRow();
  const auto row = [&](const char* text, bool proved, const ConeClaim* claim, const char* else_say) {
    ImGui::TableNextRow();
    ImGui::TableNextColumn();
    ImGui::TextWrapped("%s", text);
    ImGui::TableNextColumn();
    mark(proved ? Mark::tick : Mark::none, proved ? p.good : p.muted);
    ImGui::TextUnformatted(proved ? "yes" : "no");
    ImGui::TableNextColumn();
    if (claim == nullptr) {
      ImGui::TextDisabled("%s", else_say);
      return;
    }
    const bool holds = *claim == ConeClaim::holds, fails = *claim == ConeClaim::fails;
    mark(holds ? Mark::tick : fails ? Mark::cross : Mark::none, holds ? p.good : fails ? p.bad : p.muted);
    if (*claim == ConeClaim::outside)
      ImGui::TextDisabled("\xce\xb7L > 1");
    else
      ImGui::TextColored(holds ? p.good : p.bad, "%s", holds ? "holds" : "fails");
  };
  const ConeClaim rate = demo.closer == ConeClaim::fails ? ConeClaim::fails : demo.rate;
  const ConeClaim signs = demo.nearest == ConeClaim::holds ? demo.signs : ConeClaim::fails;
  row("Zeroing wrong signs: the nearest admissible point", true, &signs, "");
  row("Each step lowers the loss by |\xce\x94W|\xc2\xb2 / 2\xce\xb7 or more", true, &demo.descent, "");
  row("A step multiplies gap and distance by 1 \xe2\x88\x92 \xce\xb7\xce\xbc or less", true, &rate, "");
  row("A rate with Adam, minibatches, recurrence", false, nullptr, "no claim");
  ImGui::EndTable();
}

void draw_network(App& app) {
  const Palette& p = palette(app.theme);
  const Snapshot& s = *app.now;
  if (!s.setup || !s.weights) return;
  ViewState& v = app.view;
  if (v.theory_counted != s.weights) {
    v.theory_counted = s.weights;
    v.theory_boundary = on_boundary(*s.weights, s.setup->populations);
  }
  char text[200];
  if (v.theory_boundary.weights == 0)
    std::snprintf(text, sizeof text, "This network: no neuron has a sign, so nothing is constrained.");
  else
    std::snprintf(text, sizeof text, "This network (%s): %lld sign violation%s; %lld of %lld signed weights are 0.",
                  s.setup->spec.training.constraint.c_str(), static_cast<long long>(s.audit.sign),
                  s.audit.sign == 1 ? "" : "s", static_cast<long long>(v.theory_boundary.zero),
                  static_cast<long long>(v.theory_boundary.weights));
  ImGui::PushStyleColor(ImGuiCol_Text, s.audit.sign == 0 ? p.text : p.bad);
  ImGui::TextWrapped("%s", text);
  ImGui::PopStyleColor();
}

// Sliders with what they say above them, where the grab does not cover it.
void draw_controls(App& app) {
  const Palette& p = palette(app.theme);
  const float u = app.scale, spacing = ImGui::GetStyle().ItemSpacing.x, reset = 62 * u;
  TheoryInput& in = app.theory.input;
  const float adam = ImGui::GetFrameHeight() + ImGui::GetStyle().ItemInnerSpacing.x + ImGui::CalcTextSize("Adam").x;
  float slider = (ImGui::GetContentRegionAvail().x - reset - adam - 4 * spacing) / 3;
  const bool roomy = slider >= 84 * u;
  slider = roomy ? std::min(slider, 200 * u) : ImGui::GetContentRegionAvail().x;
  const ImVec2 at = ImGui::GetCursorScreenPos();
  int column = 0;
  float slider_y = at.y;  // of the row
  const auto control = [&](const char* name, const char* label, bool bad, const char* help, const auto& draw) {
    if (roomy) ImGui::SetCursorScreenPos({at.x + column * (slider + spacing), at.y});
    ++column;
    ImGui::BeginGroup();
    ImGui::PushFont(fonts.small);
    ImGui::TextColored(bad ? p.bad : p.text, "%s", label);
    ImGui::PopFont();
    ImGui::SetNextItemWidth(slider);
    slider_y = ImGui::GetCursorScreenPos().y;
    draw();
    app.track(name);
    if (ImGui::IsItemHovered(ImGuiHoveredFlags_DelayShort)) ImGui::SetTooltip("%s", help);
    ImGui::EndGroup();
  };
  char label[64];
  float condition = static_cast<float>(in.condition), eta = static_cast<float>(in.eta_l);
  ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, ImVec2(spacing, 2 * u));
  std::snprintf(label, sizeof label, "condition L/\xce\xbc = %.3g", in.condition);
  control("theory-condition", label, false, "How long the valley is: the steepest curvature over the flattest.", [&] {
    if (ImGui::SliderFloat("##condition", &condition, 1, 1000, "", ImGuiSliderFlags_Logarithmic))
      in.condition = condition;
  });
  std::snprintf(label, sizeof label, in.eta_l > 1 ? "step \xce\xb7L = %.2f: too long" : "step \xce\xb7L = %.2f",
                in.eta_l);
  control("theory-eta", label, in.eta_l > 1,
          "Length of a step times L. Up to 1 the statements below are proved; from 2 on a step can go too far.", [&] {
            if (ImGui::SliderFloat("##eta", &eta, 0.05f, 2.5f, "")) in.eta_l = eta;
          });
  std::snprintf(label, sizeof label, "%d steps", in.steps);
  control("theory-steps", label, false, "How many steps are drawn.",
          [&] { ImGui::SliderInt("##steps", &in.steps, 5, 500, "", ImGuiSliderFlags_Logarithmic); });
  ImGui::PopStyleVar();
  if (roomy) ImGui::SetCursorScreenPos({at.x + 3 * (slider + spacing), slider_y});
  ImGui::Checkbox("Adam", &in.adam);
  app.track("theory-adam");
  ImGui::SameLine();
  if (ImGui::Button("Reset##theory", {reset, 0})) in = TheoryInput();
  app.track("theory-reset");
}

}  // namespace

void draw_theory(App& app) {
  const Palette& p = palette(app.theme);
  const Colours c = colours(p);
  const float u = app.scale;
  TheoryInput& in = app.theory.input;

  ImGui::PushFont(fonts.medium);
  ImGui::TextUnformatted("Why setting wrong signs to 0 works");
  ImGui::PopFont();
  ImGui::PushStyleColor(ImGuiCol_Text, p.muted);
  ImGui::TextWrapped("Go downhill, set wrong signs to 0, repeat. Drag the two points.");
  ImGui::PopStyleColor();

  draw_controls(app);

  const ConeDemo* demo = app.theory.demo();
  if (demo == nullptr) {
    ImGui::TextColored(p.bad, "%s", app.theory.failure().c_str());
    return;
  }
  ImGui::PushFont(fonts.small);
  swatch("without projection", c.plain, false);
  flow_theory("projected");
  swatch("projected", c.dale, false);
  if (in.adam) {
    flow_theory("Adam, projected");
    swatch("Adam, projected", c.adam, false);
  }
  char promise[80];
  if (demo->rate == ConeClaim::outside)
    std::snprintf(promise, sizeof promise, "\xce\xb7 L above 1: no promise");
  else
    std::snprintf(promise, sizeof promise, "promised: \xc3\x97 %.4g a step", demo->gap_factor);
  flow_theory(promise);
  swatch(promise, demo->rate == ConeClaim::outside ? p.bad : p.text, true);
  ImGui::PopFont();

  const ImVec2 room = ImGui::GetContentRegionAvail();
  const bool beside = room.x >= 420 * u;
  const float below = (beside ? 196 : 250) * u;
  const float high = std::clamp(room.y - below, 170 * u, 640 * u);
  const float wide = beside ? std::floor((room.x - ImGui::GetStyle().ItemSpacing.x) / 2) : room.x;
  ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 0);
  draw_plane(app, *demo, {wide, high});
  app.track("theory-plane");
  if (beside) ImGui::SameLine();
  draw_gap(app, *demo, {wide, high});
  app.track("theory-gap");
  ImGui::PopStyleVar();

  const ConeRun& run = *demo->run(ConeMethod::projected);
  if (run.rated > 0)
    ImGui::Text("Measured, projected: \xc3\x97 %.4g a step on average, \xc3\x97 %.4g at worst.", run.mean_factor,
                run.worst_factor);
  else
    ImGui::TextUnformatted("The start is the lowest admissible point already.");
  draw_statements(app, *demo);
  draw_network(app);
  ImGui::PushFont(fonts.small);
  ImGui::TextDisabled("Proofs and their assumptions: docs/THEORY.md. The same numbers: dalea theory.");
  ImGui::PopFont();
}

}  // namespace dalea::app
