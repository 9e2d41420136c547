// A connectome as the network: which one, how it is scaled to neurons, and what it looks like.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/circuit.h"
#include "app/views.h"
#include "app/widgets.h"
#include "common/connectome_files.h"

namespace dalea::app {
namespace {

constexpr const char* picture_names[] = {"Regions", "Neurons", "Circle", "Space", "Nulls"};
constexpr const char* picture_help[] = {
    "The matrix of weights between regions", "Every connection between neurons, scaled from it",
    "Regions on a circle, with their strongest links", "Regions where they lie, with their strongest links",
    "The network trained under its measured wiring and under null models, side by side"};

constexpr int64_t most_counted = 1000;     // nodes, in a frame
constexpr int64_t most_graph_nodes = 400;  // as the graphs show

std::string title_of_source(const App& app) {
  const ConnectomeSpec& k = app.draft.connectome;
  if (k.source == "none") return "choose a connectome";
  if (k.source == "synthetic") return "Synthetic, " + std::to_string(k.synthetic_regions) + " regions";
  if (!app.draft.measured) return "a file that is not here";
  const Species* s = species_of_file(app.draft.measured->source);
  return s ? s->title : app.draft.measured->source;
}

// Whether something else was chosen.
bool choose_source(App& app, float width) {
  ConnectomeState& state = app.view.connectome;
  bool changed = false;
  ImGui::SetNextItemWidth(width);
  if (ImGui::BeginCombo("##source", title_of_source(app).c_str(), ImGuiComboFlags_HeightLargest)) {
    if (ImGui::Selectable("Synthetic (distance rule)", app.draft.connectome.source == "synthetic")) {
      if (app.draft.connectome.source == "none")
        for (const Preset& p : presets())
          if (p.id == "connectome") app.draft.connectome = p.spec.connectome;
      app.draft.connectome.source = "synthetic";
      app.draft.connectivity = {};
      app.draft.structure = {};
      app.draft.measured = nullptr;
      changed = true;
    }
    app.track("connectome:source:synthetic");
    hint("Regions at random places of a sheet; links fall off with distance, weights are lognormal");
    for (const Species& s : known_species()) {
      const bool here = std::find(state.species.begin(), state.species.end(), s.name) != state.species.end();
      ImGui::BeginDisabled(!here);
      const std::string name = std::string(s.title) + (here ? "" : "  (not here: ./run fetch)");
      const bool current = app.draft.connectome.source == "file" && app.draft.measured &&
                           species_of_file(app.draft.measured->source) == &s;
      if (ImGui::Selectable(name.c_str(), current)) app.choose_species(s.name);
      ImGui::EndDisabled();
      app.track(std::string("connectome:source:") + s.name);
      hint(
          (std::string(s.citation) +
           (here ? "" : ".\nIts file is not here: ./run fetch brings it, or drop a matrix of your own on this window."))
              .c_str());
    }
    ImGui::Separator();
    if (ImGui::Selectable("Open a file\xe2\x80\xa6")) app.host.pick_file();
    app.track("connectome:source:open");
    hint(
        "A square matrix (NPY, NPZ, MATLAB, HDF5, CSV) or a list of links (CSV: from, to, weight). Files of names "
        "(one a line, or a table names.csv of name, x and y), signs or transmitters, and neuron densities may be "
        "dropped "
        "together with it.");
    ImGui::EndCombo();
  }
  app.track("connectome:source");
  hint("Which connectome wires the network. Dropping a matrix or a list of links on the window does the same.");
  return changed;
}

// Two columns of settings, each with its label at the left.
class Grid {
 public:
  Grid(App& app, float width, int columns)
      : app_(app), column_(width / static_cast<float>(columns)), columns_(columns), left_(ImGui::GetCursorPosX()) {}
  bool changed = false;

  template <class F>
  void cell(const char* name, const char* label, const char* help, const char* path, F widget) {
    const float u = app_.scale, gap = columns_ > 1 ? 10 * u : 0;
    if (at_ % columns_ != 0) ImGui::SameLine(left_ + column_ * static_cast<float>(at_ % columns_));
    ++at_;
    ImGui::PushID(name);
    const float start = ImGui::GetCursorPosX(), room = std::min(0.42f * column_, 112 * u);
    ImGui::AlignTextToFramePadding();
    ImGui::TextUnformatted(cut_text(label, room - 4 * u).c_str());
    hint(help);
    ImGui::SameLine(start + room);
    ImGui::SetNextItemWidth(std::max(40 * u, column_ - room - gap));
    const bool wrong = path != nullptr && !app_.problem_at(path).empty();
    if (wrong) ImGui::PushStyleColor(ImGuiCol_Border, palette(app_.theme).bad);
    changed = widget() || changed;
    if (wrong) ImGui::PopStyleColor();
    app_.track(std::string("connectome:") + name);
    hint(wrong ? app_.problem_at(path).c_str() : help);
    ImGui::PopID();
  }
  void real(const char* name, const char* label, const char* help, const char* path, double& v, double low, double high,
            const char* format = "%.2f") {
    cell(name, label, help, path, [&] {
      return ImGui::SliderScalar("##v", ImGuiDataType_Double, &v, &low, &high, format, ImGuiSliderFlags_AlwaysClamp);
    });
  }
  void whole(const char* name, const char* label, const char* help, const char* path, int64_t& v, int64_t low,
             int64_t high) {
    cell(name, label, help, path, [&] {
      if (!ImGui::SliderScalar("##v", ImGuiDataType_S64, &v, &low, &high, "%lld",
                               high > 50 ? ImGuiSliderFlags_Logarithmic : ImGuiSliderFlags_None))
        return false;
      v = std::clamp<int64_t>(v, low, 100000);  // more may be typed
      return true;
    });
  }
  void combo(const char* name, const char* label, const char* help, const char* path, std::string& v,
             std::initializer_list<std::pair<const char*, const char*>> choices) {
    cell(name, label, help, path, [&] {
      const char* shown = v.c_str();
      for (const auto& [value, text] : choices)
        if (v == value) shown = text;
      bool picked = false;
      if (ImGui::BeginCombo("##v", shown)) {
        for (const auto& [value, text] : choices) {
          if (ImGui::Selectable(text, v == value) && v != value) {
            v = value;
            picked = true;
          }
          app_.track(std::string("connectome:") + name + ":" + value);
        }
        ImGui::EndCombo();
      }
      return picked;
    });
  }

 private:
  App& app_;
  float column_;
  int columns_, at_ = 0;
  float left_;
};

bool edit_scaling(App& app, float width, int columns) {
  ConnectomeSpec& k = app.draft.connectome;
  const float u = app.scale;
  ImVec4 grab = palette(app.theme).accent;
  grab.w = 0.45f;  // the number below it is read through it
  ImGui::PushStyleColor(ImGuiCol_SliderGrab, grab);
  const bool regions = k.level == "regions", file = k.source == "file";
  Grid g(app, width, columns);
  if (k.source == "synthetic") {
    g.whole("synthetic_regions", "Regions", "Of the synthetic network", "connectome.synthetic_regions",
            k.synthetic_regions, 4, 100);
    g.real("synthetic_density", "Links", "Of all pairs of regions, this part is linked", "connectome.synthetic_density",
           k.synthetic_density, 0.05, 1);
    g.real("synthetic_distance", "Decay length",
           "A link's probability and its weight fall by 1/e over this distance, in widths of the sheet",
           "connectome.synthetic_distance", k.synthetic_distance, 0.05, 1);
  }
  if (regions) {
    const bool sized = k.density_scaling != "none";
    g.whole("neurons", "Neurons",
            sized ? "Of the least dense region; the others have more" : "Of each region. Ctrl and click to type more.",
            "connectome.neurons", k.neurons, 1, 64);
    if (app.now->setup && !app.now->setup->densities.empty() && file)
      g.combo(
          "density_scaling", "Sizes",
          "How measured densities become numbers of neurons: all regions alike; by rank (the second least dense one "
          "has twice as many as the first, ...); by ratio to the least dense one",
          "connectome.densities", k.density_scaling,
          {{"none", "all alike"}, {"rank", "by rank of density"}, {"ratio", "by ratio of density"}});
    g.real("inhibitory", "Inhibitory", "Part of each region's neurons that inhibits; 0: as the regions' signs say",
           "connectome.inhibitory", k.inhibitory, 0, 0.5);
    g.real("target_sparsity", "Targets", "Part of a target region's neurons that a neuron reaches",
           "connectome.target_sparsity", k.target_sparsity, 0.01, 1);
    g.cell("intrinsic_weight", "Within regions",
           "Connections within a region too; the share of a region's weight that stays within it",
           "connectome.intrinsic_weight", [&] {
             const float slider = ImGui::CalcItemWidth() - ImGui::GetFrameHeight() - 4 * u;
             bool changed = ImGui::Checkbox("##on", &k.intrinsic);
             app.track("connectome:intrinsic");
             ImGui::SameLine(0, 4 * u);
             ImGui::SetNextItemWidth(std::max(30 * u, slider));
             ImGui::BeginDisabled(!k.intrinsic);
             constexpr double low = 0.01, high = 0.95;
             changed = ImGui::SliderScalar("##v", ImGuiDataType_Double, &k.intrinsic_weight, &low, &high,
                                           k.intrinsic ? "weight %.2f" : "none", ImGuiSliderFlags_AlwaysClamp) ||
                       changed;
             ImGui::EndDisabled();
             return changed;
           });
    if (k.intrinsic)
      g.real("intrinsic_sparsity", "Targets within", "Part of its own region's neurons that a neuron reaches",
             "connectome.intrinsic_sparsity", k.intrinsic_sparsity, 0.01, 1);
  }
  if (file)
    g.combo("orientation", "Links go",
            "Which way an entry of the matrix, or a line of a list (its first to its second node), projects",
            "connectome.orientation", k.orientation,
            {{"row-to-column", "from row to column"}, {"column-to-row", "from column to row"}});
  g.combo(
      "null_model", "Null model",
      "In place of the measured topology, something that keeps a part of it. Permuted: the number and the weights of "
      "connections (as published). Rewired: every neuron's in- and out-degree. Weights: who connects to whom, with "
      "weights shuffled. Spatial: how many connections there are at each distance. Density: their number alone.",
      "connectome.null_model", k.null_model,
      {{"none", "none: as measured"},
       {"permuted", "permuted"},
       {"rewired", "rewired (degrees kept)"},
       {"weights", "weights shuffled"},
       {"spatial", "spatial (distances kept)"},
       {"density", "density alone kept"}});
  if (k.null_model != "none")
    g.cell("null_seed", "Its seed", "Another seed is another network of the same null model", "connectome.null_seed",
           [&] {
             constexpr int64_t one = 1;
             if (!ImGui::InputScalar("##v", ImGuiDataType_S64, &k.null_seed, &one)) return false;
             k.null_seed = std::clamp<int64_t>(k.null_seed, 1, 1'000'000);
             return true;
           });
  ImGui::PopStyleColor();
  bool changed = g.changed;
  const auto flag = [&](const char* name, const char* label, const char* help, bool& v, bool first) {
    if (!first) flow(checkbox_width(label), 12 * u);
    changed = ImGui::Checkbox(label, &v) || changed;
    app.track(std::string("connectome:") + name);
    hint(help);
  };
  flag("keep_diagonal", "Own targets", "A neuron may connect to itself", k.keep_diagonal, true);
  if (regions) {
    flag("random_partition", "Random weights", "The weight between two regions is split among their neurons at random",
         k.random_partition, false);
    flag("as_published", "As published",
         "With the published code's two slips: column sums for the weight within regions, and the network transposed",
         k.as_published, false);
  }
  return changed;
}

std::string megabytes(double bytes) {
  char text[40];
  const double mb = bytes / (1 << 20);
  std::snprintf(text, sizeof text, mb < 10 ? "%.1f MB" : "%.0f MB", mb);
  return text;
}

// What the settings amount to.
void draw_counts(App& app) {
  const Palette& p = palette(app.theme);
  const Spec& s = app.draft;
  if (!app.problems.empty()) {
    ImGui::PushStyleColor(ImGuiCol_Text, p.bad);
    const Error& e = app.problems.front();
    ImGui::TextWrapped("%s", e.text().c_str());
    ImGui::PopStyleColor();
    app.track("connectome:problem");
    return;
  }
  if (!s.measured) {
    ImGui::TextDisabled("So many regions are made when it is trained.");
    return;
  }
  int64_t plus = 0, minus = 0, units = 0;
  for (const Population& pop : s.populations) {
    units += pop.size;
    plus += pop.sign == Sign::excitatory ? pop.size : 0;
    minus += pop.sign == Sign::inhibitory ? pop.size : 0;
  }
  const std::shared_ptr<const ScaledDraft> scaled = app.scaler.view();
  const bool scaled_this = scaled && scaled->of->measured == s.measured && same_mask(*scaled->of, s);
  int64_t count = scaled_this ? scaled->connections : -1;
  if (count < 0 && s.measured->nodes <= most_counted)
    if (const Result<int64_t> counted = count_connections(s)) count = *counted;
  std::string text = grouped(s.measured->nodes) + (s.connectome.level == "units" ? " nodes" : " regions");
  if (s.measured->nodes <= most_counted) text += ", " + grouped(s.measured->links()) + " links";
  text += ": " + grouped(units) + " neurons";
  if (plus + minus > 0)
    text += " (" + grouped(plus) + " excitatory, " + grouped(minus) + " inhibitory" +
            (units > plus + minus ? ", " + grouped(units - plus - minus) + " free" : "") + ")";
  double bytes = static_cast<double>(estimate_bytes(s));
  if (count >= 0) {
    const double pairs = static_cast<double>(units) * static_cast<double>(units);
    const double density = pairs > 0 ? static_cast<double>(count) / pairs : 0;
    char number[40];
    std::snprintf(number, sizeof number, "%.2g", 100 * density);
    text += ", " + grouped(count) + " connections (" + number + " % of all pairs)";
    // The estimate knows no mask: what is stored sparsely takes 84 bytes a connection, in place of 40 a pair.
    if (s.connectivity.storage != "dense" && density < 1.0 / 3) bytes += 84 * static_cast<double>(count) - 40 * pairs;
  }
  text += "; training takes about " + megabytes(bytes);
  ImGui::TextWrapped("%s", text.c_str());
  app.track("connectome:counts");
  if (units == plus + minus || s.training.constraint == "conventional") return;
  ImGui::PushStyleColor(ImGuiCol_Text, p.muted);
  ImGui::TextWrapped(
      "Neurons without a sign may excite and inhibit: move Inhibitory above 0, or drop a file of signs, for Dale's "
      "law.");
  ImGui::PopStyleColor();
}

void draw_buttons_of_draft(App& app) {
  const Palette& p = palette(app.theme);
  const float u = app.scale;
  if (!app.draft_changed) return;
  ImGui::BeginDisabled(!app.problems.empty());
  ImGui::PushStyleColor(ImGuiCol_Button, p.accent);
  ImGui::PushStyleColor(ImGuiCol_ButtonHovered, p.accent);
  ImGui::PushStyleColor(ImGuiCol_Text, p.on_accent);
  if (ImGui::Button("Train this network")) {
    app.train_draft();
    app.view.tab = tab_connectome;
  }
  ImGui::PopStyleColor(3);
  ImGui::EndDisabled();
  app.track("connectome:train");
  hint("The training goes on with the old network until then");
  ImGui::SameLine(0, 8 * u);
  if (ImGui::Button("Undo##connectome") && app.now->setup) {
    app.draft = app.now->setup->spec;
    app.draft_edited();
  }
  app.track("connectome:undo");
  ImGui::SameLine(0, 8 * u);
  ImGui::AlignTextToFramePadding();
  ImGui::TextDisabled("shown, not trained yet");
}

void export_picture(App& app, const char* ending) {
  const ConnectomeState& state = app.view.connectome;
  if (state.view == ConnectomeView::nulls) {
    const SideView side = app.side.view();
    if (std::string(ending) == "csv") return app.host.save_file(null_results_file(side));
    const plot::Drawing d = plot::drawing_of(curves_figure(curves_of(side), app.view.runs.title, unit_of(side)));
    return app.host.save_file(std::string(ending) == "svg" ? text_file("dalea-nulls.svg", plot::to_svg(d))
                                                           : NamedFile{"dalea-nulls.png", plot::to_png(d)});
  }
  if (!state.shown) return;
  const Connectome& c = *state.shown;
  if (std::string(ending) == "csv") return app.host.save_file(text_file("dalea-connectome.csv", connectome_csv(c)));
  ConnectomeDrawing options;
  options.which = state.view == ConnectomeView::circle  ? ConnectomePicture::circle
                  : state.view == ConnectomeView::space ? ConnectomePicture::space
                                                        : ConnectomePicture::matrix;
  options.share = static_cast<double>(state.share);
  options.colors = static_cast<RegionColors>(state.colors);
  options.title = title_of_source(app);
  if (app.draft.connectome.null_model != "none") options.title += ", null model " + app.draft.connectome.null_model;
  const Result<plot::Drawing> d = connectome_drawing(c, options);
  if (!d) return app.say(true, d.error().message);
  app.host.save_file(std::string(ending) == "svg" ? text_file("dalea-connectome.svg", plot::to_svg(*d))
                                                  : NamedFile{"dalea-connectome.png", plot::to_png(*d)});
}

void choose_picture(App& app, bool positions) {
  ConnectomeState& state = app.view.connectome;
  const float u = app.scale;
  if (state.view == ConnectomeView::space && !positions) state.view = ConnectomeView::circle;
  for (size_t k = 0; k < std::size(picture_names); ++k) {
    const auto view = static_cast<ConnectomeView>(k);
    if (view == ConnectomeView::space && !positions) continue;
    if (k > 0) flow(ImGui::CalcTextSize(picture_names[k]).x + 2 * ImGui::GetStyle().FramePadding.x, 4 * u);
    if (choice(picture_names[k], state.view == view, app.theme)) state.view = view;
    app.track(std::string("connectome:show:") + picture_names[k]);
    hint(picture_help[k]);
  }
  const bool there = state.view == ConnectomeView::nulls ? are_null_jobs(app.side.view()) : state.shown != nullptr;
  ImGui::BeginDisabled(!there);
  bool first = true;
  for (const char* ending : {"svg", "png", "csv"}) {
    const std::string label = ending == std::string("svg") ? "SVG" : ending == std::string("png") ? "PNG" : "CSV";
    flow(40 * u, first ? 14 * u : 4 * u);
    first = false;
    if (ImGui::Button((label + "##connectome").c_str())) export_picture(app, ending);
    app.track("connectome:" + std::string(ending));
    hint(ending == std::string("csv")
             ? (state.view == ConnectomeView::nulls ? "Final losses of every run, and differences"
                                                    : "Every link: from, to, weight")
             : "The picture as a figure");
  }
  ImGui::EndDisabled();
}

// The connectome that is drawn: as measured, or as its null model left it between regions.
void follow_shown(App& app) {
  ConnectomeState& state = app.view.connectome;
  const std::shared_ptr<const ScaledDraft> scaled = app.scaler.view();
  std::shared_ptr<const Connectome> shown = app.draft.measured;
  if (app.draft.connectome.null_model != "none" && scaled && scaled->regions &&
      scaled->of->measured == app.draft.measured)
    shown = scaled->regions;
  if (shown == state.shown) return;
  state.shown = std::move(shown);
  state.links.clear();
  state.scale = {};
  if (!state.shown || state.shown->nodes > most_counted) return;
  if (state.shown->nodes <= most_graph_nodes) state.links = links_by_weight(*state.shown);
  state.scale = log_scale(state.shown->weight);
}

void draw_offer(App& app) {
  ConnectomeState& state = app.view.connectome;
  const float u = app.scale;
  ImGui::TextWrapped(
      "A connectome can be this experiment's network: regions become populations of neurons, wired as they were "
      "measured. "
      "Choose one, or drop a square matrix or a list of links (from, to, weight) on this window; files of names, signs "
      "or "
      "transmitters, and neuron densities together with it.");
  ImGui::Spacing();
  if (choose_source(app, std::min(320 * u, ImGui::GetContentRegionAvail().x))) app.draft_edited();
  if (state.species.empty()) {
    ImGui::Spacing();
    ImGui::TextDisabled("Published connectomes are fetched by ./run fetch.");
  }
}

// Progress of the picture's scaling, or the button that starts a large one.
void draw_at_work(App& app) {
  const float u = app.scale;
  if (const auto part = app.scaler.part()) {
    if (*part < 0.02) return;
    ImGui::ProgressBar(static_cast<float>(*part), {160 * u, 0}, "scaling");
    ImGui::SameLine();
    if (ImGui::Button("Cancel##scaling")) app.scaler.cancel();
    app.track("connectome:cancel");
  } else if (app.scaler.waits()) {
    if (ImGui::Button("Scale it for the picture")) app.scaler.follow(app.draft, true);
    app.track("connectome:scale");
    hint("It is large, so it is not done at every change of a setting");
  }
}

void draw_chosen(App& app) {
  ConnectomeState& state = app.view.connectome;
  const Connectome* c = app.draft.measured.get();
  const bool positions = c != nullptr && !c->x.empty() && static_cast<int64_t>(c->x.size()) == c->nodes;
  follow_shown(app);
  choose_picture(app, positions);
  if (state.view == ConnectomeView::nulls) return draw_nulls(app, ImGui::GetContentRegionAvail());
  if (!state.shown) {
    ImGui::TextDisabled("The picture appears when the connectome is here.");
    return;
  }
  const bool needs_neurons = state.view == ConnectomeView::neurons || app.draft.connectome.null_model != "none";
  if (needs_neurons) draw_at_work(app);
  const ImVec2 room = ImGui::GetContentRegionAvail();
  switch (state.view) {
    case ConnectomeView::regions:
      if (state.shown->nodes > most_counted) {
        ImGui::TextWrapped("So many nodes are shown as neurons: choose that picture.");
        return;
      }
      [[fallthrough]];
    case ConnectomeView::neurons:
      return draw_connectome_matrix(app, room, state.view == ConnectomeView::neurons);
    default:
      return draw_connectome_graph(app, room, state.view == ConnectomeView::circle);
  }
}

}  // namespace

void draw_connectome(App& app) {
  ConnectomeState& state = app.view.connectome;
  const float u = app.scale;
  app.find_species();
  if (app.draft.connectome.source == "none") return draw_offer(app);
  state.wanted = true;  // stays while one tries what it is without
  if (app.problems.empty()) app.scaler.follow(app.draft, false);
  const ImVec2 room = ImGui::GetContentRegionAvail();
  const bool beside = room.x > 720 * u, results = state.view == ConnectomeView::nulls;
  const auto controls = [&](float width, int columns) {
    ImGui::PushFont(fonts.small);
    bool changed = choose_source(app, std::min(width, 300 * u));
    if (!state.fetching.empty()) {
      ImGui::SameLine();
      ImGui::TextDisabled("opening\xe2\x80\xa6");
    }
    if (!results || beside) changed = edit_scaling(app, width, columns) || changed;
    if (changed) app.draft_edited();
    draw_counts(app);
    draw_buttons_of_draft(app);
    ImGui::PopFont();
  };
  if (beside) {
    const float left = std::floor(std::clamp(0.34f * room.x, 280 * u, 340 * u));
    ImGui::BeginChild("connectome controls", {left, 0}, ImGuiChildFlags_None, ImGuiWindowFlags_NoBackground);
    controls(ImGui::GetContentRegionAvail().x - 6 * u, 1);
    ImGui::EndChild();
    ImGui::SameLine(0, 14 * u);
    ImGui::BeginChild("connectome picture", {0, 0}, ImGuiChildFlags_None, ImGuiWindowFlags_NoBackground);
    draw_chosen(app);
    ImGui::EndChild();
    return;
  }
  controls(room.x, room.x > 400 * u ? 2 : 1);
  ImGui::Separator();
  const float rest = std::max(260 * u, ImGui::GetContentRegionAvail().y);
  ImGui::BeginChild("connectome picture", {0, rest}, ImGuiChildFlags_None, ImGuiWindowFlags_NoBackground);
  draw_chosen(app);
  ImGui::EndChild();
}

float draw_scaling(App& app, ImVec2 at, float width) {
  const std::optional<double> part = app.live.measuring(Live::Measurement::scaling);
  double& since = app.view.connectome.scaling_since_s;
  if (!part) since = -1;
  if (!part) return 0;
  if (since < 0) since = ImGui::GetTime();
  if (ImGui::GetTime() - since < 0.3) return 0;  // most are done by then
  const Palette& p = palette(app.theme);
  const float u = app.scale, pad = 8 * u, height = ImGui::GetFrameHeight() + 2 * pad;
  ImDrawList* draw = ImGui::GetWindowDrawList();
  draw->AddRectFilled(at, {at.x + width, at.y + height}, color32(p.info_back), 8 * u);
  ImGui::SetCursorScreenPos({at.x + 1.5f * pad, at.y + pad});
  ImGui::AlignTextToFramePadding();
  ImGui::TextUnformatted("Scaling the connectome to neurons");
  ImGui::SameLine(0, 12 * u);
  ImGui::ProgressBar(static_cast<float>(*part), {std::min(220 * u, 0.3f * width), ImGui::GetFrameHeight()});
  ImGui::SameLine(0, 12 * u);
  if (ImGui::Button("Cancel##scaling network")) app.live.cancel_measuring();
  app.track("scaling:cancel");
  hint("The network before it stays");
  return height + 8 * u;
}

}  // namespace dalea::app
