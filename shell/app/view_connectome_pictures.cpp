// The pictures of a connectome: matrices of regions and of neurons, and graphs of the regions.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/arrows.h"
#include "app/matrix_picture.h"
#include "app/views.h"
#include "app/widgets.h"

namespace dalea::app {
namespace {

constexpr size_t most_drawn_links = 2000;
constexpr int64_t most_graph_regions = 400;

// 0 .. 1, from nearly the ground to the strongest ink.
Color link_shade(double part, Theme theme) {
  return strength_color(theme == Theme::light ? part : 1 - part);
}

uint32_t packed_color(const ImVec4& c) {
  return packed({static_cast<uint8_t>(255 * c.x), static_cast<uint8_t>(255 * c.y), static_cast<uint8_t>(255 * c.z)});
}

ImVec4 region_ink(Color c, Theme theme) {
  return screen_color(c, theme);
}

// Beside a matrix: what the colours mean.
void draw_shades(const App& app, ImVec2 at, float height, const LogScale& scale) {
  const Palette& p = palette(app.theme);
  const float u = app.scale, wide = 12 * u, line = ImGui::GetTextLineHeight();
  ImDrawList* draw = ImGui::GetWindowDrawList();
  draw->AddText({at.x, at.y - 1.4f * line}, color32(p.muted), "weight");
  constexpr int steps = 48;
  for (int k = 0; k < steps; ++k) {
    const float y0 = at.y + height * static_cast<float>(k) / steps,
                y1 = at.y + height * static_cast<float>(k + 1) / steps;
    draw->AddRectFilled({at.x, y0}, {at.x + wide, y1}, packed(link_shade(1 - (k + 0.5) / steps, app.theme)));
  }
  draw->AddRect({at.x, at.y}, {at.x + wide, at.y + height}, color32(p.border));
  char text[40];
  std::snprintf(text, sizeof text, "%.2g", scale.most);
  draw->AddText({at.x + wide + 5 * u, at.y - 2 * u}, color32(p.text), text);
  std::snprintf(text, sizeof text, "%.2g", scale.least);
  draw->AddText({at.x + wide + 5 * u, at.y + height - line + 2 * u}, color32(p.text), text);
  draw->AddRectFilled({at.x, at.y + height + 8 * u}, {at.x + wide, at.y + height + 8 * u + wide}, color32(p.faint));
  draw->AddRect({at.x, at.y + height + 8 * u}, {at.x + wide, at.y + height + 8 * u + wide}, color32(p.border));
  draw->AddText({at.x + wide + 5 * u, at.y + height + 8 * u + (wide - line) / 2}, color32(p.text), "none");
}

// Names along the rows and columns: each in the middle of its range, where it has room.
void draw_region_names(const App& app, ImVec2 at, float side, float left, const std::vector<std::string>& names,
                       const std::vector<float>& begin, const std::vector<float>& end) {
  const Palette& p = palette(app.theme);
  const float u = app.scale, line = ImGui::GetTextLineHeight();
  ImDrawList* draw = ImGui::GetWindowDrawList();
  float row = -1e9f;
  for (size_t k = 0; k < names.size(); ++k) {
    const float middle = side * (begin[k] + end[k]) / 2;
    if (middle - row < 0.82f * line) continue;
    row = middle;
    const std::string text = cut_text(names[k], left - 6 * u);
    const float width = ImGui::CalcTextSize(text.c_str()).x;
    draw->AddText({at.x - width - 4 * u, at.y + middle - line / 2}, color32(p.text), text.c_str());
    vertical_text(draw, {at.x + middle, at.y + side + width + 4 * u}, color32(p.text), text.c_str());
  }
}

// Text whose left end is at `at`, turned clockwise by this angle.
void turned_text(ImDrawList* draw, ImVec2 at, float angle, ImU32 color, const char* text) {
  const int first = draw->VtxBuffer.Size;
  const ImVec2 from = draw->GetClipRectMin();
  const float half = ImGui::GetTextLineHeight() / 2, c = std::cos(angle), s = std::sin(angle);
  draw->AddText(from, color, text);
  for (int k = first; k < draw->VtxBuffer.Size; ++k) {
    ImVec2& v = draw->VtxBuffer[k].pos;
    const float x = v.x - from.x, y = v.y - from.y - half;
    v = {at.x + c * x - s * y, at.y + s * x + c * y};
  }
}

float choose_links(App& app, size_t shown) {
  ConnectomeState& state = app.view.connectome;
  const Connectome& c = *state.shown;
  const float u = app.scale;
  ImGui::PushFont(fonts.small);
  const float before = ImGui::GetCursorScreenPos().y;
  ImGui::AlignTextToFramePadding();
  ImGui::TextUnformatted("Strongest");
  ImGui::SameLine();
  ImGui::SetNextItemWidth(110 * u);
  float percent = 100 * state.share;
  if (ImGui::SliderFloat("##share", &percent, 0.5f, 100, "%.1f %%",
                         ImGuiSliderFlags_Logarithmic | ImGuiSliderFlags_AlwaysClamp))
    state.share = percent / 100;
  app.track("connectome:share");
  char text[120];
  std::snprintf(
      text, sizeof text, "%s of %s links%s", grouped(static_cast<int64_t>(shown)).c_str(),
      grouped(static_cast<int64_t>(state.links.size())).c_str(),
      count_strongest(state.links.size(), static_cast<double>(state.share)) > shown ? " (more in the figure)" : "");
  ImGui::SameLine();
  ImGui::TextDisabled("%s", text);
  const char* names[] = {"by region", "by strength", "by sign"};
  flow(110 * u, 12 * u);
  ImGui::SetNextItemWidth(110 * u);
  if (state.colors == 2 && c.sign.empty()) state.colors = 0;
  if (ImGui::BeginCombo("##colors", names[state.colors])) {
    for (int k = 0; k < 3; ++k) {
      ImGui::BeginDisabled(k == 2 && c.sign.empty());
      if (ImGui::Selectable(names[k], state.colors == k)) state.colors = k;
      ImGui::EndDisabled();
    }
    ImGui::EndCombo();
  }
  app.track("connectome:colors");
  hint("Colours of the regions; a link has that of the region it comes from");
  ImGui::PopFont();
  return ImGui::GetCursorScreenPos().y - before;
}

}  // namespace

void draw_connectome_matrix(App& app, ImVec2 room, bool neurons) {
  ConnectomeState& state = app.view.connectome;
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  const Connectome& c = *state.shown;
  const std::shared_ptr<const ScaledDraft> scaled = app.scaler.view();
  if (neurons && (!scaled || scaled->cells.empty())) {
    if (scaled && !scaled->failure.empty())
      ImGui::TextWrapped("%s", scaled->failure.c_str());
    else
      ImGui::TextDisabled("The neurons' connections appear when they are scaled.");
    return;
  }
  const Connectome& named = neurons ? *scaled->of->measured : c;
  ConnectomeState::Picture& picture = neurons ? state.neurons : state.regions;
  const void* shown = neurons ? static_cast<const void*>(scaled.get()) : static_cast<const void*>(state.shown.get());
  if (picture.shown != shown || picture.theme != static_cast<int>(app.theme) || picture.texture == ImTextureID{}) {
    const uint32_t none = packed_color(p.faint);
    if (neurons) {
      uint32_t shade[256] = {none};
      for (int k = 1; k < 256; ++k) shade[k] = packed(link_shade((k - 1) / 254.0, app.theme));
      picture.side = scaled->side;
      state.pixels.resize(scaled->cells.size());
      for (size_t k = 0; k < scaled->cells.size(); ++k) state.pixels[k] = shade[scaled->cells[k]];
    } else {
      // The strongest of each cell, of more regions than pixels.
      const int64_t shrink = std::max<int64_t>(1, (c.nodes + 1023) / 1024), side = (c.nodes + shrink - 1) / shrink;
      std::vector<double> most(static_cast<size_t>(side * side), 0.0);
      for (int64_t from = 0; from < c.nodes; ++from)
        for (int64_t to = 0; to < c.nodes; ++to) {
          double& cell = most[static_cast<size_t>(to / shrink * side + from / shrink)];
          cell = std::max(cell, c.at(from, to));
        }
      picture.side = static_cast<int>(side);
      state.pixels.resize(most.size());
      for (size_t k = 0; k < most.size(); ++k)
        state.pixels[k] = most[k] > 0 ? packed(link_shade(state.scale.at(most[k]), app.theme)) : none;
    }
    picture.texture = app.host.texture(picture.texture, picture.side, picture.side, state.pixels.data(), true);
    picture.shown = shown;
    picture.theme = static_cast<int>(app.theme);
  }
  ImGui::PushFont(fonts.small);
  const float line = ImGui::GetTextLineHeight();
  float left = 0;
  for (const std::string& name : named.names) left = std::max(left, ImGui::CalcTextSize(name.c_str()).x);
  left = std::min(left + 8 * u, 0.2f * room.x);
  const float side =
      std::floor(std::max(80 * u, std::min(room.x - left - line - 74 * u, room.y - left - 2.2f * line - 4 * u)));
  const ImVec2 origin = ImGui::GetCursorScreenPos();
  const ImVec2 at = {origin.x + left + line, origin.y + 4 * u}, end = {at.x + side, at.y + side};
  ImGui::SetCursorScreenPos(at);
  ImGui::InvisibleButton("##connectome matrix", {side, side});
  const bool hovered = ImGui::IsItemHovered();
  app.track("connectome:matrix");
  ImDrawList* draw = ImGui::GetWindowDrawList();
  draw->AddImage(picture.texture, at, end);
  const auto count = static_cast<size_t>(named.nodes);
  const double all = neurons && !scaled->region_end.empty() ? static_cast<double>(scaled->region_end.back()) : 0;
  std::vector<float> begin(count), last(count);
  for (size_t k = 0; k < count; ++k) {
    const double from = neurons ? (k > 0 ? static_cast<double>(scaled->region_end[k - 1]) / all : 0)
                                : static_cast<double>(k) / static_cast<double>(count);
    const double to = neurons ? static_cast<double>(scaled->region_end[k]) / all
                              : static_cast<double>(k + 1) / static_cast<double>(count);
    begin[k] = static_cast<float>(from);
    last[k] = static_cast<float>(to);
    if (neurons && k > 0 && side / static_cast<float>(count) > 6 * u) {
      const float d = side * begin[k];
      draw->AddLine({at.x + d, at.y}, {at.x + d, end.y}, color32(p.panel, 0.7f), u);
      draw->AddLine({at.x, at.y + d}, {end.x, at.y + d}, color32(p.panel, 0.7f), u);
    }
  }
  draw->AddRect({at.x - 1, at.y - 1}, {end.x + 1, end.y + 1}, color32(p.muted));
  draw_region_names(app, at, side, left, named.names, begin, last);
  vertical_text(draw, {origin.x + line / 2, at.y + side / 2 + ImGui::CalcTextSize("to").x / 2}, color32(p.muted), "to");
  draw->AddText({at.x + side + 6 * u, end.y + 4 * u}, color32(p.muted), "from");
  draw_shades(app, {end.x + 14 * u, at.y + 1.6f * line}, std::min(0.5f * side, 150 * u),
              neurons ? scaled->scale : state.scale);
  ImGui::SetCursorScreenPos({origin.x, end.y + left + 0.4f * line});
  if (!neurons && app.draft.connectome.null_model != "none")
    ImGui::TextDisabled("Summed over neurons, under the null model");
  ImGui::PopFont();
  ImGui::Dummy({1, 1});
  if (!hovered) return;
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  const double x = std::clamp(static_cast<double>((mouse.x - at.x) / side), 0.0, 0.999999),
               y = std::clamp(static_cast<double>((mouse.y - at.y) / side), 0.0, 0.999999);
  ImGui::BeginTooltip();
  if (!neurons) {
    const auto from = static_cast<int64_t>(x * static_cast<double>(c.nodes)),
               to = static_cast<int64_t>(y * static_cast<double>(c.nodes));
    ImGui::PushFont(fonts.medium);
    if (c.at(from, to) > 0)
      ImGui::Text("%.4g", c.at(from, to));
    else
      ImGui::TextUnformatted("no link");
    ImGui::PopFont();
    ImGui::Text("from  %s", c.names[static_cast<size_t>(from)].c_str());
    ImGui::Text("to      %s", c.names[static_cast<size_t>(to)].c_str());
    if (from != to && c.at(to, from) > 0) ImGui::TextDisabled("the other way %.4g", c.at(to, from));
  } else {
    const auto from = static_cast<int64_t>(x * all), to = static_cast<int64_t>(y * all);
    const auto region_of = [&](int64_t unit) {
      return static_cast<size_t>(std::upper_bound(scaled->region_end.begin(), scaled->region_end.end(), unit) -
                                 scaled->region_end.begin());
    };
    const auto place = [&](int64_t unit) {
      const size_t r = region_of(unit);
      return named.names[r] + " " + std::to_string(unit - (r > 0 ? scaled->region_end[r - 1] : 0) + 1);
    };
    if (const ScaledConnectome* s = scaled->whole.get()) {
      const auto first = s->target.begin() + s->start[static_cast<size_t>(from)],
                 past = s->target.begin() + s->start[static_cast<size_t>(from) + 1];
      const auto it = std::lower_bound(first, past, static_cast<int32_t>(to));
      ImGui::PushFont(fonts.medium);
      if (it != past && *it == to)
        ImGui::Text("%.4g", s->weight[static_cast<size_t>(it - s->target.begin())]);
      else
        ImGui::TextUnformatted("no connection");
      ImGui::PopFont();
    }
    ImGui::Text("from  %s", place(from).c_str());
    ImGui::Text("to      %s", place(to).c_str());
  }
  ImGui::EndTooltip();
}

void draw_connectome_graph(App& app, ImVec2 room, bool circle) {
  ConnectomeState& state = app.view.connectome;
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  const Connectome& c = *state.shown;
  if (c.nodes > most_graph_regions) {
    ImGui::TextWrapped("%s regions are too many for a graph: the matrix shows them.", grouped(c.nodes).c_str());
    return;
  }
  const size_t shown =
      std::min(count_strongest(state.links.size(), static_cast<double>(state.share)), most_drawn_links);
  const LogScale scale = log_scale(std::span<const RegionLink>(state.links).first(shown));
  const float used = choose_links(app, shown);
  ImGui::PushFont(fonts.small);
  const float line = ImGui::GetTextLineHeight();
  float names = 0;
  for (const std::string& name : c.names) names = std::max(names, ImGui::CalcTextSize(name.c_str()).x);
  const float edge = circle ? std::min(names, 0.16f * room.x) + 14 * u : 1.6f * line;
  const float tall = room.y - used - 1.6f * line;
  const float side = std::max(90 * u, std::min(room.x - 2 * edge, tall - 2 * edge));
  const ImVec2 origin = ImGui::GetCursorScreenPos();
  const ImVec2 at = {std::floor(origin.x + (room.x - side) / 2), std::floor(origin.y + edge)};
  ImGui::InvisibleButton("##connectome graph", {room.x, side + 2 * edge});
  const bool hovered = ImGui::IsItemHovered();
  app.track(circle ? "connectome:circle" : "connectome:space");
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  const ConnectomePicture which = circle ? ConnectomePicture::circle : ConnectomePicture::space;
  const std::vector<plot::Point> place = region_places(c, which);
  const std::vector<Color> color = region_colors(c, static_cast<RegionColors>(state.colors));
  const std::vector<double> strength = region_strengths(c);
  std::vector<ImVec2> centre;
  for (const plot::Point& q : place)
    centre.push_back({at.x + side * static_cast<float>(q.x), at.y + side * static_cast<float>(q.y)});
  const float radius = std::clamp(0.62f * side / static_cast<float>(std::max<int64_t>(4, c.nodes)), 2.4f * u, 9 * u);
  int region = -1;
  float nearest = std::max(radius + 6 * u, 9 * u);
  for (size_t k = 0; hovered && k < centre.size(); ++k) {
    float d = std::hypot(centre[k].x - mouse.x, centre[k].y - mouse.y);
    if (circle) {  // its name belongs to it
      const float nx = 2 * static_cast<float>(place[k].x) - 1, ny = 2 * static_cast<float>(place[k].y) - 1;
      const float mx = mouse.x - centre[k].x, my = mouse.y - centre[k].y, out = mx * nx + my * ny;
      if (out > 0 && out < edge) d = std::min(d, std::fabs(mx * ny - my * nx));
    }
    if (d < nearest) {
      nearest = d;
      region = static_cast<int>(k);
    }
  }
  ImDrawList* draw = ImGui::GetWindowDrawList();
  int link = -1;
  float closest = 5 * u;
  const auto curve_of = [&](const RegionLink& l) {
    const LinkCurve unit = link_curve(place[static_cast<size_t>(l.from)], place[static_cast<size_t>(l.to)], circle);
    std::array<ImVec2, link_points> curve;
    for (size_t k = 0; k < link_points; ++k)
      curve[k] = {at.x + side * static_cast<float>(unit[k].x), at.y + side * static_cast<float>(unit[k].y)};
    return curve;
  };
  const auto draw_link = [&](const RegionLink& l, const ImVec4& ink, float alpha) {
    std::array<ImVec2, link_points> curve = curve_of(l);
    const auto t = static_cast<float>(scale.at(l.weight));
    const float width = (0.7f + 2.6f * t * t) * u, head = 3.2f * u + 1.5f * width;
    const ImVec2 tip = curve.back(), before = curve[link_points - 2];
    const float length = std::max(1e-3f, std::hypot(tip.x - before.x, tip.y - before.y));
    const ImVec2 way = {(tip.x - before.x) / length, (tip.y - before.y) / length};
    const ImVec2 end = {tip.x - way.x * radius, tip.y - way.y * radius};
    const ImVec2 base = {end.x - way.x * head, end.y - way.y * head};
    curve.back() = base;
    draw->AddPolyline(curve.data(), static_cast<int>(link_points), color32(ink, alpha), ImDrawFlags_None, width);
    draw->AddTriangleFilled(end, {base.x - way.y * head * 0.45f, base.y + way.x * head * 0.45f},
                            {base.x + way.y * head * 0.45f, base.y - way.x * head * 0.45f}, color32(ink, alpha));
  };
  for (size_t k = shown; k > 0; --k) {
    const RegionLink& l = state.links[k - 1];
    const auto t = static_cast<float>(scale.at(l.weight));
    if (region >= 0 && (l.from == region || l.to == region)) continue;
    draw_link(l, region_ink(color[static_cast<size_t>(l.from)], app.theme), region >= 0 ? 0.08f : 0.28f + 0.6f * t);
    if (!hovered || region >= 0) continue;
    const float d = curve_distance(curve_of(l), mouse);
    if (d < closest) {
      closest = d;
      link = static_cast<int>(k - 1);
    }
  }
  int64_t in = 0, out = 0;
  if (region >= 0) {  // all of its links, not the strongest alone
    for (size_t k = state.links.size(); k > 0; --k) {
      const RegionLink& l = state.links[k - 1];
      if (l.from != region && l.to != region) continue;
      (l.from == region ? out : in) += 1;
      draw_link(l, l.from == region ? p.output : p.input, 0.9f);
    }
  } else if (link >= 0) {
    draw_link(state.links[static_cast<size_t>(link)], p.text, 1);
  }
  float right_most = -1e9f, last_y = -1e9f;
  std::vector<std::string> name;
  for (const std::string& whole : c.names) name.push_back(cut_text(whole, circle ? edge - 10 * u : 90 * u));
  std::vector<std::optional<plot::Point>> name_place;
  if (!circle) {  // the region pointed at first, then the strongest
    std::vector<NamedDot> dots;
    for (size_t k = 0; k < centre.size(); ++k)
      dots.push_back({{static_cast<double>(centre[k].x), static_cast<double>(centre[k].y)},
                      static_cast<double>(radius) * (0.7 + 0.6 * strength[k]),
                      static_cast<double>(ImGui::CalcTextSize(name[k].c_str()).x),
                      static_cast<double>(line)});
    std::vector<size_t> order = strongest_first(strength);
    if (region >= 0)
      std::stable_partition(order.begin(), order.end(), [&](size_t k) { return static_cast<int>(k) == region; });
    name_place = free_name_places(dots, order, static_cast<double>(u));
  }
  for (size_t k = 0; k < centre.size(); ++k) {
    const ImVec2 q = centre[k];
    const bool on = static_cast<int>(k) == region;
    const float r = radius * (0.7f + 0.6f * static_cast<float>(strength[k]));
    draw->AddCircleFilled(q, r, color32(region_ink(color[k], app.theme)));
    draw->AddCircle(q, r, color32(on ? p.text : p.panel), 0, on ? 2 * u : u);
    const ImU32 ink = color32(on || region < 0 ? p.text : p.muted);
    const ImVec2 size = ImGui::CalcTextSize(name[k].c_str());
    if (!circle) {
      if (name_place[k])
        draw->AddText({static_cast<float>(name_place[k]->x), static_cast<float>(name_place[k]->y)}, ink,
                      name[k].c_str());
      else if (on)
        draw->AddText({q.x - size.x / 2, q.y - r - line}, ink, name[k].c_str());
      continue;
    }
    // Around the circle, read from the left.
    const float angle = std::atan2(2 * static_cast<float>(place[k].y) - 1, 2 * static_cast<float>(place[k].x) - 1);
    const float gap = radius * 1.4f + 4 * u, step = 3.14159f * side / static_cast<float>(c.nodes);
    const ImVec2 near = {q.x + gap * std::cos(angle), q.y + gap * std::sin(angle)};
    if (!on && step < 0.62f * line && std::hypot(near.x - right_most, near.y - last_y) < 0.62f * line) continue;
    right_most = near.x;
    last_y = near.y;
    if (std::cos(angle) >= -1e-4f)
      turned_text(draw, near, angle, ink, name[k].c_str());
    else
      turned_text(draw, {near.x + size.x * std::cos(angle), near.y + size.x * std::sin(angle)}, angle + 3.14159265f,
                  ink, name[k].c_str());
  }
  // What is seen, in a line.
  float x = origin.x;
  const float y = origin.y + side + 2 * edge + 0.2f * line;
  const auto word = [&](const ImVec4& ink, const std::string& text, bool dash) {
    if (dash) {
      draw->AddLine({x, y + line / 2}, {x + 18 * u, y + line / 2}, color32(ink), 2 * u);
      x += 22 * u;
    }
    draw->AddText({x, y}, color32(p.muted), text.c_str());
    x += ImGui::CalcTextSize(text.c_str()).x + 14 * u;
  };
  if (region >= 0) {
    word(p.output, "from " + c.names[static_cast<size_t>(region)], true);
    word(p.input, "to it", true);
  } else {
    word(p.text, "A link has the colour of the region it comes from; point at a region for its own.", false);
  }
  ImGui::PopFont();
  ImGui::Dummy({1, line});
  if (region >= 0) {
    ImGui::BeginTooltip();
    ImGui::PushFont(fonts.medium);
    ImGui::TextUnformatted(c.names[static_cast<size_t>(region)].c_str());
    ImGui::PopFont();
    if (!c.sign.empty()) ImGui::TextUnformatted(sign_word(c.sign[static_cast<size_t>(region)]));
    ImGui::Text("%lld links from it, %lld to it", static_cast<long long>(out), static_cast<long long>(in));
    ImGui::Text("strength %.0f %% of the strongest region's", 100 * strength[static_cast<size_t>(region)]);
    ImGui::EndTooltip();
  } else if (link >= 0) {
    const RegionLink& l = state.links[static_cast<size_t>(link)];
    ImGui::BeginTooltip();
    ImGui::PushFont(fonts.medium);
    ImGui::Text("%.4g", l.weight);
    ImGui::PopFont();
    ImGui::Text("from %s to %s", c.names[static_cast<size_t>(l.from)].c_str(),
                c.names[static_cast<size_t>(l.to)].c_str());
    ImGui::TextDisabled("number %d of %zu", link + 1, state.links.size());
    ImGui::EndTooltip();
  }
}

}  // namespace dalea::app
