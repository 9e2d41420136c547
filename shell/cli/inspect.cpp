// dalea inspect: what is in a file.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "common/experiment_notes.h"
#include "common/files.h"
#include "common/recording_files.h"
#include "connectome/connectome.h"
#include "network/rules.h"
#include "recording/arrays.h"
#include "recording/text_rows.h"
#include "session/session.h"

namespace dalea::cli {
namespace {

using nlohmann::json;

int64_t parameter_count(const Spec& spec) {
  const std::shared_ptr<const Pattern> mask = sample_pattern(spec, 0);
  return mask ? mask->count() : spec.units() * spec.units();
}

json experiment_json(const Spec& spec) {
  json o = {{"kind", "experiment"}, {"name", spec.name}, {"note", spec.note},
            {"seed", spec.seed},    {"runs", spec.runs}, {"units", spec.units()}};
  o["populations"] = json::array();
  int64_t begin = 0;
  for (const Population& p : spec.populations) {
    const char* sign = p.sign == Sign::excitatory ? "+" : p.sign == Sign::inhibitory ? "-" : "free";
    o["populations"].push_back(
        {{"name", p.name}, {"size", p.size}, {"sign", sign}, {"begin", begin}, {"end", begin + p.size}});
    begin += p.size;
  }
  o["recurrent_weights"] = parameter_count(spec);
  o["density"] = static_cast<double>(parameter_count(spec)) / static_cast<double>(spec.units() * spec.units());
  o["task"] = spec.task.type;
  o["constraint"] = spec.training.constraint;
  o["notes"] = experiment_notes(spec);
  o["epochs"] = spec.all_epochs();
  o["batch"] = spec.training.batch;
  o["memory_mib"] = static_cast<double>(estimate_bytes(spec)) / (1 << 20);
  o["link_length"] = encode_link(spec).size() + 1;
  return o;
}

void print_experiment(const json& o) {
  std::printf("experiment         %s\n", o["name"].get<std::string>().c_str());
  if (o["note"] != "") std::printf("note               %s\n", o["note"].get<std::string>().c_str());
  for (const json& p : o["populations"])
    std::printf("population         %-10s %6lld units [%lld, %lld), sign %s\n", p["name"].get<std::string>().c_str(),
                static_cast<long long>(p["size"].get<int64_t>()), static_cast<long long>(p["begin"].get<int64_t>()),
                static_cast<long long>(p["end"].get<int64_t>()), p["sign"].get<std::string>().c_str());
  std::printf("recurrent weights  %lld (density %.4g)\n", static_cast<long long>(o["recurrent_weights"].get<int64_t>()),
              o["density"].get<double>());
  std::printf("task               %s\n", o["task"].get<std::string>().c_str());
  std::printf("training           %s, %lld epochs, batch %lld, seed %lld, %lld run(s)\n",
              o["constraint"].get<std::string>().c_str(), static_cast<long long>(o["epochs"].get<int64_t>()),
              static_cast<long long>(o["batch"].get<int64_t>()), static_cast<long long>(o["seed"].get<int64_t>()),
              static_cast<long long>(o["runs"].get<int64_t>()));
  for (const json& note : o["notes"]) std::printf("meaning            %s\n", note.get<std::string>().c_str());
  std::printf("memory             about %.1f MiB\n", o["memory_mib"].get<double>());
  std::printf("link               %lld characters\n", static_cast<long long>(o["link_length"].get<int64_t>()));
}

int inspect_session(std::span<const std::byte> bytes, const InspectOptions& options) {
  Result<Session> session = read_session(bytes, options.file);
  if (!session) {
    complain(session.error());
    return bad_input;
  }
  const TrainerState& s = session->state;
  json o = experiment_json(session->spec);
  o["kind"] = "session";
  o["own_mask"] = s.mask != nullptr;
  if (s.mask) {
    o["recurrent_weights"] = s.mask->count();
    o["density"] = static_cast<double>(s.mask->count()) / static_cast<double>(s.mask->rows * s.mask->cols);
  }
  o["run"] = s.run + 1;
  o["epochs_done"] = s.epoch;
  o["updates_in_epoch"] = s.batch;
  o["hash"] = hash_text(hash_of(s.parameters));
  o["version"] = session->provenance.version;
  o["platform"] = session->provenance.platform;
  o["data_sha256"] = session->provenance.data_sha256;
  o["failure"] = session->provenance.failure;
  if (!s.history.empty()) {
    const EpochRecord& last = s.history.back();
    o["loss"] = {{"train", last.train}, {"validation", last.validation}, {"held_out", last.held_out}};
    if (!std::isnan(last.held_out_accuracy))
      o["accuracy"] = {{"validation", last.validation_accuracy}, {"held_out", last.held_out_accuracy}};
  }
  o["parameters"] = json::array();
  for (const Weights* w : s.parameters.all()) {
    if (w->values.empty()) continue;
    const auto [low, high] = std::minmax_element(w->values.begin(), w->values.end());
    int64_t nonzero = 0;
    for (float v : w->values) nonzero += v != 0;
    o["parameters"].push_back({{"name", w->name},
                               {"rows", w->rows},
                               {"cols", w->cols},
                               {"sparse", w->sparse()},
                               {"nonzero", nonzero},
                               {"min", *low},
                               {"max", *high}});
  }
  if (options.json) {
    std::printf("%s\n", o.dump().c_str());
    return done;
  }
  print_experiment(o);
  std::printf("session            run %lld, %lld epochs and %lld updates done, hash %s (as recorded)\n",
              static_cast<long long>(s.run + 1), static_cast<long long>(s.epoch), static_cast<long long>(s.batch),
              o["hash"].get<std::string>().c_str());
  if (s.mask) std::printf("mask               its own (pruned), not the experiment's\n");
  std::printf("made by            dalea %s, %s\n", session->provenance.version.c_str(),
              session->provenance.platform.c_str());
  if (!session->provenance.failure.empty()) std::printf("stopped            %s\n", session->provenance.failure.c_str());
  if (o.contains("loss")) {
    std::printf("losses             ");
    for (auto [key, name] : {std::pair{"train", "train"}, {"validation", "validation"}, {"held_out", "held-out"}})
      if (const double v = o["loss"][key].get<double>(); std::isfinite(v))  // a split without trials has none
        std::printf("%s%s %.6g", std::string_view(key) == "train" ? "" : ", ", name, v);
    std::printf("\n");
  }
  if (o.contains("accuracy"))
    std::printf("accuracy           held-out %.2f %%\n", 100 * o["accuracy"]["held_out"].get<double>());
  for (const json& p : o["parameters"])
    std::printf("  %-8s %6lld x %-6lld %8lld non-zero  [%.4g, %.4g]%s\n", p["name"].get<std::string>().c_str(),
                static_cast<long long>(p["rows"].get<int64_t>()), static_cast<long long>(p["cols"].get<int64_t>()),
                static_cast<long long>(p["nonzero"].get<int64_t>()), p["min"].get<double>(), p["max"].get<double>(),
                p["sparse"].get<bool>() ? "  sparse" : "");
  return done;
}

Error no_connectome(const InspectOptions& options) {
  return {"--figure", "draws a connectome, which " + options.file + " is not"};
}

std::string dumped(const json& o) {
  return o.dump(-1, ' ', false, json::error_handler_t::replace);
}

json arrays_json(const ArrayList& list) {
  json arrays = json::array();
  for (size_t k = 0; k < list.arrays.size(); ++k) {
    const ArrayInfo& a = list.arrays[k];
    arrays.push_back({{"name", a.name},
                      {"type", a.type},
                      {"shape", a.shape},
                      {"suggested", static_cast<int64_t>(k) == list.suggested},
                      {"unusable", a.unusable}});
  }
  return arrays;
}

// Vectors beyond the first 20 are counted; --json lists all.
void print_arrays(const ArrayList& list, std::FILE* to) {
  constexpr int64_t most_vectors = 20;
  int64_t vectors = 0;
  for (size_t k = 0; k < list.arrays.size(); ++k) {
    const ArrayInfo& a = list.arrays[k];
    if (a.shape.size() < 2 && !a.unusable.empty() && ++vectors > most_vectors) continue;
    const std::string note = !a.unusable.empty()                         ? "not usable: " + a.unusable
                             : static_cast<int64_t>(k) == list.suggested ? "suggested: " + list.reason
                                                                         : "";
    std::fprintf(to, "array              %-16s %-10s %-14s%s%s\n", a.name.empty() ? "(no name)" : a.name.c_str(),
                 a.type.c_str(), shape_text(a.shape).c_str(), note.empty() ? "" : "  ", note.c_str());
  }
  if (vectors > most_vectors)
    std::fprintf(to, "array              and %lld more with fewer than two dimensions (--json lists them)\n",
                 static_cast<long long>(vectors - most_vectors));
  if (list.more) std::fprintf(to, "array              and more, which are not listed\n");
}

// Units dropped for one reason on one line: "not accepted by iscell.npy: roi 3, roi 4, ... (199 in all)".
void print_dropped(const std::vector<Dropped>& dropped) {
  std::vector<std::string> reasons;
  std::map<std::string, std::vector<std::string>> units;
  for (const Dropped& d : dropped) {
    if (units.count(d.reason) == 0) reasons.push_back(d.reason);
    units[d.reason].push_back(d.unit);
  }
  for (const std::string& reason : reasons)
    std::printf("dropped            %s: %s\n", listed(units[reason]).c_str(), reason.c_str());
}

// The first frames of the first units.
json first_values(const Recording& r, int64_t frames, int64_t units) {
  json rows = json::array();
  for (int64_t f = 0; f < std::min(frames, r.frames); ++f) {
    json row = json::array();
    for (int64_t u = 0; u < std::min(units, r.units); ++u) {
      const double v = static_cast<double>(r.values[static_cast<size_t>(f * r.units + u)]);
      row.push_back(std::isnan(v) ? json(nullptr) : json(v));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

void print_first_values(const Recording& r) {
  const json rows = first_values(r, 4, 6);
  for (size_t f = 0; f < rows.size(); ++f) {
    std::printf("%-18s ", f == 0 ? "first values" : "");
    for (const json& v : rows[f])
      v.is_null() ? std::printf(" %10s", "missing") : std::printf(" %10.4g", v.get<double>());
    std::printf("%s\n", r.units > 6 ? "  ..." : "");
  }
}

const char* or_dash(const std::string& text) {
  return text.empty() ? "-" : text.c_str();
}

json cells_json(const Recording& r) {
  json cells = json::array();
  for (const CellLabels& c : r.cells)
    cells.push_back({{"area", c.area}, {"layer", c.layer}, {"type", c.type}, {"sign", c.sign}});
  return cells;
}

// `or_connectome`: where its arrays say that it is one.
int inspect_recording(FileBytes file, const InspectOptions& options, bool or_connectome) {
  std::string text = R"({"dalea":1,"task":{"type":"recording"}})";
  for (const std::string& assignment : options.set) {
    Result<std::string> changed = set_in_json(text, assignment);
    if (!changed) {
      complain(changed.error());
      return bad_input;
    }
    text = *changed;
  }
  const ParsedSpec parsed = parse_spec(text);
  for (const Error& e : parsed.problems) complain(e);
  if (!parsed.problems.empty()) return bad_input;
  const RecordingSpec& spec = parsed.spec.recording;
  if (!spec.cells.empty() || !spec.events.file.empty()) {
    Result<FileBytes> together = open_recording_files(options.file, spec.cells, spec.events.file);
    if (!together) return refuse(together.error());
    file = std::move(*together);
  }
  const std::span<const std::byte> bytes = file;
  FileContents contents = read_contents(bytes, options.file, parsed.spec.recording);
  const Result<ArrayList>& list = contents.arrays;
  if (!list) return refuse(list.error());
  if (or_connectome && suggests_connectome(*list)) return inspect_connectome(bytes, options);
  if (!options.figure.empty()) return refuse(no_connectome(options));
  Result<Recording>& r = contents.recording;
  if (!r) {
    if (!options.json) print_arrays(*list, stderr);  // what there is to choose from
    return refuse(r.error());
  }
  float low = INFINITY, high = -INFINITY;
  for (float v : r->values) {
    if (std::isnan(v)) continue;
    low = std::min(low, v);
    high = std::max(high, v);
  }
  json dropped = json::array();
  for (const Dropped& d : r->dropped) dropped.push_back({{"unit", d.unit}, {"reason", d.reason}});
  const json o = {{"kind", "recording"},
                  {"file_kind", r->kind},
                  {"format", r->format},
                  {"arrays", arrays_json(*list)},
                  {"more_arrays", list->more},
                  {"conditions", list->conditions},
                  {"series", list->series},
                  {"array", r->array},
                  {"array_reason", r->array_reason},
                  {"orientation", r->orientation},
                  {"orientation_reason", r->orientation_reason},
                  {"frames", r->frames},
                  {"units", r->units},
                  {"rate_hz", r->rate_hz > 0 ? json(r->rate_hz) : json(nullptr)},
                  {"missing", r->missing},
                  {"names", r->names},
                  {"cells", cells_json(*r)},
                  {"notes", r->notes},
                  {"first_values", first_values(*r, 4, 6)},
                  {"dropped", dropped},
                  {"min", low},
                  {"max", high},
                  {"sha256", r->sha256}};
  if (options.json) {
    std::printf("%s\n", dumped(o).c_str());
    return done;
  }
  std::printf("recording          %s\nformat             %s\n", options.file.c_str(), r->format.c_str());
  print_arrays(*list, stdout);
  if (!r->array.empty()) std::printf("array taken        %s (%s)\n", r->array.c_str(), r->array_reason.c_str());
  std::printf("orientation        %s (%s)\n", r->orientation.c_str(), r->orientation_reason.c_str());
  std::printf("frames             %lld\nunits              %lld\n", static_cast<long long>(r->frames),
              static_cast<long long>(r->units));
  if (r->rate_hz > 0)
    std::printf("sampling rate      %.4g Hz\n", r->rate_hz);
  else
    std::printf("sampling rate      unknown (give recording.rate_hz)\n");
  std::printf("values             %.4g to %.4g, %lld missing\n", static_cast<double>(low), static_cast<double>(high),
              static_cast<long long>(r->missing));
  std::string names;
  for (size_t k = 0; k < r->names.size() && k < 8; ++k) names += (k > 0 ? ", " : "") + r->names[k];
  std::printf("unit names         %s%s\nsha256             %s\n", names.c_str(), r->names.size() > 8 ? ", ..." : "",
              r->sha256.c_str());
  print_first_values(*r);
  for (size_t k = 0; k < r->cells.size() && k < 8; ++k) {
    const CellLabels& c = r->cells[k];
    std::printf("cell               %-12s area %s, layer %s, type %s, sign %s\n", r->names[k].c_str(), or_dash(c.area),
                or_dash(c.layer), or_dash(c.type), or_dash(c.sign));
  }
  if (r->cells.size() > 8) std::printf("cell               ... (%zu in all)\n", r->cells.size());
  for (const std::string& note : r->notes) std::printf("note               %s\n", note.c_str());
  print_dropped(r->dropped);
  return done;
}

}  // namespace

int inspect(const InspectOptions& options) {
  const bool is_link = !file_exists(options.file) && options.file.find("v1=") != std::string::npos;
  FileBytes bytes;
  std::string_view text = options.file;
  if (!is_link) {
    Result<FileBytes> opened = open_recording_files(options.file, "", "");
    if (!opened) {
      complain(opened.error());
      return bad_input;
    }
    bytes = std::move(*opened);
    text = as_text(bytes);
    if (text.substr(0, 2) == "PK" && is_session(bytes))
      return options.figure.empty() ? inspect_session(bytes, options) : refuse(no_connectome(options));
    size_t first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
    if (first == std::string_view::npos || text[first] != '{') {
      const bool as_recording = std::any_of(options.set.begin(), options.set.end(),
                                            [](const std::string& s) { return s.rfind("recording.", 0) == 0; });
      if (!as_recording && is_probability_table(bytes))
        return refuse({options.file,
                       "is a table of connection probabilities between cell types; 'dalea connect EXPERIMENT --table " +
                           options.file + "' puts it into an experiment"});
      const bool arrays = holds_arrays(bytes);  // looked through once: they tell
      if (!as_recording && !arrays && is_connectome(bytes, options.file)) return inspect_connectome(bytes, options);
      return inspect_recording(std::move(bytes), options, !as_recording && arrays);
    }
  }
  const Loaded loaded = load_spec(options.file, options.set);
  if (!loaded.ok) return bad_input;
  const json o = experiment_json(loaded.spec);
  if (!options.figure.empty()) {
    if (!loaded.spec.measured)
      return refuse({"--figure", "draws a connectome, which this experiment does not have (connectome.source)"});
    if (Status ok = write_connectome_figure(*loaded.spec.measured, options); !ok) return refuse(ok.error());
  }
  if (options.json)
    std::printf("%s\n", o.dump().c_str());
  else
    print_experiment(o);
  return done;
}

}  // namespace dalea::cli
