// Connectomes in the window: species at hand, files that are dropped, and networks trained beside null models.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/app.h"
#include "app/views.h"
#include "common/connectome_files.h"
#include "common/json.h"

namespace dalea::app {
namespace {

const Species* species_named(const std::string& name) {
  for (const Species& s : known_species())
    if (name == s.name) return &s;
  return nullptr;
}

// The draft's task and training; its scaling too, where it has a connectome, else that of the bundled one.
Spec with_connectome(const Spec& draft) {
  Spec spec = draft;
  if (spec.connectome.source != "none") return spec;
  for (const Preset& p : presets())
    if (p.id == "connectome") spec.connectome = p.spec.connectome;
  return spec;
}

}  // namespace

void App::find_species() {
  if (std::exchange(view.connectome.asked, true)) return;
  host.find_species();
}

void App::species_found(std::vector<std::string> names) {
  std::erase_if(names, [](const std::string& n) { return species_named(n) == nullptr; });
  view.connectome.species = std::move(names);
  fresh_ = true;
}

void App::choose_species(const std::string& name) {
  view.connectome.fetching = name;
  host.fetch_species(name);
}

void App::give_species(const std::string& name, std::vector<NamedFile> files) {
  const Species* species = species_named(name);
  view.connectome.fetching.clear();
  if (species == nullptr || files.empty()) return;
  ConnectomeParts parts;
  for (NamedFile& f : files) {
    const auto shared = std::make_shared<NamedFile>(std::move(f));
    if (!parts.matrix)
      parts.matrix = shared;
    else
      (connectome_part(*shared) == ConnectomePart::densities ? parts.densities : parts.names) = shared;
  }
  Spec spec = with_connectome(draft);
  spec.name = species->title;
  spec.note = std::string("Measured by ") + species->citation + "; scaled to neurons.";
  spec.connectome.density_scaling = "none";
  spec.connectome.orientation = ConnectomeSpec().orientation;
  link_view = {};
  view.connectome.pending = {};
  view.connectome.wanted = true;
  live.give_connectome(parts, spec);
  view.tab = tab_connectome;
}

void App::species_missing(const std::string& name, const std::string& why) {
  view.connectome.fetching.clear();
  const Species* species = species_named(name);
  say(true, std::string(species ? species->title : "The connectome") + " cannot be opened: " + why);
}

bool App::take_connectome(const std::vector<FilePtr>& files) {
  std::optional<ConnectomeParts> parts = connectome_parts(files);
  if (!parts) return false;
  ConnectomeParts& pending = view.connectome.pending;
  if (parts->matrix) {  // with what was given before it
    if (!parts->names) parts->names = pending.names;
    if (!parts->signs) parts->signs = pending.signs;
    if (!parts->densities) parts->densities = pending.densities;
    pending = {};
    link_view = {};
    live.give_connectome(*parts, draft);
    if (view.open_tab != tab_connectome) view.tab = tab_weights;
    return true;
  }
  const bool there = now->setup && now->setup->spec.measured && now->setup->spec.connectome.source == "file";
  if (there) {
    live.give_connectome(*parts, draft);
    return true;
  }
  if (files.size() == 1 && connectome_part(*files[0]) == ConnectomePart::densities &&
      draft.connectome.source == "none" && view.open_tab != tab_connectome)
    return false;  // a recording may be called so
  if (parts->names) pending.names = parts->names;
  if (parts->signs) pending.signs = parts->signs;
  if (parts->densities) pending.densities = parts->densities;
  say(false, files[0]->name + " is kept for its connectome: now drop the matrix or the list of links");
  return true;
}

void App::train_nulls() {
  ConnectomeState& c = view.connectome;
  if (!now->setup || !now->setup->spec.measured) return say(true, "There is no connectome yet: choose one first");
  if (side.running()) return say(true, "Other runs are still training: stop them in the Runs tab first");
  std::vector<std::string> nulls;
  for (size_t k = 0; k < std::size(null_models); ++k)
    if (c.chosen[k]) nulls.emplace_back(null_models[k]);
  Result<std::vector<Job>> jobs = null_jobs(now->setup->spec, nulls, c.runs);
  if (!jobs) return say(true, jobs.error().text());
  const Status ok = side.start(std::move(*jobs), data_of(now->setup));
  if (!ok) return say(true, ok.error().text());
  live.pause();
  c.view = ConnectomeView::nulls;
  view.runs.title = now->setup->spec.name;
  view.runs.scale = 0;
}

std::string connectome_json(const App& app) {
  using nlohmann::json;
  const ConnectomeState& c = app.view.connectome;
  constexpr const char* names[] = {"regions", "neurons", "circle", "space", "nulls"};
  json o = {{"source", app.draft.connectome.source},
            {"species", c.species},
            {"picture", names[static_cast<size_t>(c.view)]},
            {"null_model", app.draft.connectome.null_model},
            {"null_seed", app.draft.connectome.null_seed},
            {"nodes", nullptr},
            {"neurons", app.draft.units()},
            {"connections", nullptr},
            {"drawn", nullptr},
            {"scaling", nullptr}};
  if (const auto& m = app.draft.measured) {
    o["nodes"] = m->nodes;
    o["file"] = m->source;
    o["names"] = json::array();
    for (size_t k = 0; k < std::min<size_t>(3, m->names.size()); ++k) o["names"].push_back(m->names[k]);
    o["signs"] = !m->sign.empty();
  }
  if (app.now->setup) o["densities"] = !app.now->setup->densities.empty();
  if (const auto scaled = app.scaler.view()) {
    if (scaled->connections >= 0) o["connections"] = scaled->connections;
    o["drawn"] = scaled->side;
  }
  if (const auto part = app.scaler.part()) o["scaling"] = *part;
  o["results"] = json::array();
  for (const NullResult& r : c.results)
    o["results"].push_back({{"name", r.name},
                            {"runs", r.losses.size()},
                            {"mean", number_or_null(r.mean)},
                            {"difference", number_or_null(r.difference)},
                            {"low", number_or_null(r.difference_low)},
                            {"high", number_or_null(r.difference_high)}});
  return o.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace dalea::app
