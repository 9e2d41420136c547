// dalea inspect of a square matrix or a list of links.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "common/connectome_files.h"
#include "connectome/connectome.h"
#include "recording/text_rows.h"

namespace dalea::cli {

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
  Result<Connectome> c = read_connectome({bytes, {}, {}, {}, options.file}, spec);
  if (!c && !stated && c.error().path == "connectome.orientation") {  // Dale's law says the other one
    spec.orientation = "column-to-row";
    c = read_connectome({bytes, {}, {}, {}, options.file}, spec);
  }
  if (!c) return refuse(c.error());
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
  std::printf("use                dalea run assets/experiments/flip-flop.json --set connectome.file=%s\n",
              options.file.c_str());
  if (c->kind == "matrix")
    std::printf("as a recording     dalea inspect %s --set recording.orientation=time-by-unit\n", options.file.c_str());
  return done;
}

}  // namespace dalea::cli
