// dalea inspect of a square matrix or a list of links.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "common/connectome_files.h"
#include "common/connectome_picture.h"
#include "common/files.h"
#include "connectome/connectome.h"
#include "recording/text_rows.h"

namespace dalea::cli {

Status write_connectome_figure(const Connectome& c, const InspectOptions& options) {
  const Result<ConnectomePicture> which = parse_connectome_picture(options.picture);
  if (!which) return which.error();
  const auto ends = [&](std::string_view ending) {
    return options.figure.size() > ending.size() &&
           options.figure.compare(options.figure.size() - ending.size(), ending.size(), ending) == 0;
  };
  if (ends(".csv")) return write_file(options.figure, connectome_csv(c));
  if (!ends(".svg") && !ends(".png"))
    return Error{"--figure", options.figure + " does not say what to write; end it on .svg, .png or .csv"};
  ConnectomeDrawing drawing;
  drawing.which = *which;
  drawing.share = options.share;
  if (const Species* s = species_of_file(c.source)) drawing.title = s->title;
  const Result<plot::Drawing> d = connectome_drawing(c, drawing);
  if (!d) return d.error();
  return ends(".svg") ? write_file(options.figure, plot::to_svg(*d)) : write_file(options.figure, plot::to_png(*d));
}

int inspect_connectome(std::span<const std::byte> bytes, const InspectOptions& options) {
  Loaded loaded;
  std::string text = R"({"dalea":1})";
  for (const std::string& assignment : options.set) {
    Result<std::string> changed = set_in_json(text, assignment);
    if (!changed) return refuse(changed.error());
    text = *changed;
  }
  ParsedSpec parsed = parse_spec(text);
  for (const Error& e : parsed.problems) complain(e);
  if (!parsed.problems.empty()) return bad_input;
  ConnectomeSpec spec = parsed.spec.connectome;
  const bool stated = text.find("\"orientation\"") != std::string::npos;
  FileBytes held[3];
  const std::pair<const char*, const std::string*> parts[] = {
      {"connectome.names", &spec.names}, {"connectome.signs", &spec.signs}, {"connectome.densities", &spec.densities}};
  for (size_t k = 0; k < std::size(parts); ++k) {
    if (parts[k].second->empty()) continue;
    Result<FileBytes> part = open_file(*parts[k].second);
    if (!part) return refuse({std::string(parts[k].first) + ": " + part.error().path, part.error().message});
    held[k] = std::move(*part);
  }
  const ConnectomeFiles files{bytes, held[0], held[1], held[2], options.file};
  Result<Connectome> c = read_connectome(files, spec);
  if (!c && !stated && c.error().path == "connectome.orientation") {  // Dale's law says the other one
    spec.orientation = "column-to-row";
    c = read_connectome(files, spec);
  }
  if (!c) return refuse(c.error());
  if (!options.figure.empty())
    if (Status ok = write_connectome_figure(*c, options); !ok) return refuse(ok.error());
  const Species* species = species_of_file(options.file);
  const Status published = species != nullptr ? check_species(*species, *c) : Status{};
  const double pairs = static_cast<double>(c->nodes) * static_cast<double>(c->nodes - 1);
  const double density = static_cast<double>(c->links() - c->self_links) / pairs;
  const std::string suggested = c->single_signed == "rows"      ? "row-to-column"
                                : c->single_signed == "columns" ? "column-to-row"
                                                                : "";
  double most = 0, sum = 0;
  for (double w : c->weight) {
    most = std::max(most, w);
    sum += w;
  }
  if (options.json) {
    nlohmann::json o = {{"kind", "connectome"},
                        {"form", c->kind},
                        {"sha256", c->sha256},
                        {"nodes", c->nodes},
                        {"links", c->links()},
                        {"self_links", c->self_links},
                        {"density", density},
                        {"symmetric", c->symmetric},
                        {"largest", most},
                        {"total", sum},
                        {"names", c->names},
                        {"orientation", spec.orientation},
                        {"single_signed", c->single_signed},
                        {"dale_suggests", suggested},
                        {"notes", c->notes}};
    if (species != nullptr)
      o["species"] = {{"name", species->name},
                      {"title", species->title},
                      {"as_published", published.ok()},
                      {"difference", published.ok() ? "" : published.error().message}};
    std::printf("%s\n", o.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    return done;
  }
  std::printf("connectome         %s, %lld nodes, %lld links (density %.3f off the diagonal), %lld to themselves\n",
              c->kind.c_str(), static_cast<long long>(c->nodes), static_cast<long long>(c->links()), density,
              static_cast<long long>(c->self_links));
  std::printf("names              %s\n", listed(c->names).c_str());
  std::printf("weights            largest %.6g, total %.6g, %s\n", most, sum,
              c->symmetric ? "symmetric: orientation does not matter" : "not symmetric");
  std::printf("orientation        %s (connectome.orientation); %s\n", spec.orientation.c_str(),
              suggested.empty()
                  ? "Dale's law suggests neither, as no axis alone is single-signed"
                  : ("Dale's law suggests " + suggested + ": the " + c->single_signed + " are single-signed").c_str());
  for (const std::string& note : c->notes) std::printf("note               %s\n", note.c_str());
  if (species != nullptr)
    std::printf("species            %s; %s\n", species->title,
                published.ok() ? "regions, links, largest and total weight are the published ones"
                               : published.error().message.c_str());
  std::printf("use                dalea run assets/experiments/flip-flop.json --set connectome.file=%s\n",
              options.file.c_str());
  if (c->kind == "matrix")
    std::printf("as a recording     dalea inspect %s --set recording.orientation=time-by-unit\n", options.file.c_str());
  return done;
}

}  // namespace dalea::cli
