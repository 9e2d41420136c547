// dalea measures: what graph theory says of a network, beside its null models.
#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "cli/commands.h"
#include "cli/json.h"
#include "common/connectome_files.h"
#include "common/files.h"
#include "common/measure_report.h"
#include "common/session_weights.h"

namespace dalea::cli {
namespace {

struct Measurable {
  MeasuredNetwork network;
  uint64_t seed = 1;
  int64_t run = 0;
};

// A session, a connectome or an experiment.
Result<Measurable> measurable(const MeasuresCommand& command) {
  const std::string names[] = {"now", "start", "mask", "connectome"};
  std::optional<NetworkOf> asked;
  for (size_t k = 0; k < 4; ++k)
    if (command.network == names[k]) asked = static_cast<NetworkOf>(k);
  if (!command.network.empty() && !asked)
    return Error{"--network", "'" + command.network + "' is none; give now, start, mask or connectome"};
  Measurable m;
  const bool is_link = !file_exists(command.file) && command.file.find("v1=") != std::string::npos;
  if (!is_link) {
    Result<std::vector<std::byte>> bytes = read_file(command.file);
    if (!bytes) return bytes.error();
    const std::string_view text = as_text(*bytes);
    if (text.substr(0, 2) == "PK" && is_session(*bytes)) {
      Result<Session> session = read_session(*bytes, command.file);
      if (!session) return session.error();
      Result<MeasuredNetwork> n = network_of_session(*session, asked.value_or(NetworkOf::now));
      if (!n) return n.error();
      return Measurable{std::move(*n), session->spec.seed, session->state.run};
    }
    const size_t first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
    if (first == std::string_view::npos || text[first] != '{') {
      ConnectomeSpec spec;
      if (!command.set.empty())
        return Error{"--set", "changes experiments; of a connectome give --orientation, or an experiment with it"};
      if (!command.orientation.empty()) spec.orientation = command.orientation;
      Result<Connectome> c = read_connectome({*bytes, {}, {}, {}, command.file}, spec);
      if (!c && command.orientation.empty() && c.error().path == "connectome.orientation") {  // Dale's law says so
        spec.orientation = "column-to-row";
        c = read_connectome({*bytes, {}, {}, {}, command.file}, spec);
      }
      if (!c) return c.error();
      if (asked && *asked != NetworkOf::connectome)
        return Error{"--network", command.file + " is a connectome and has no other; leave it out"};
      m.network = network_of_connectome(*c);
      return m;
    }
  }
  const Loaded loaded = load_spec(command.file, command.set);
  if (!loaded.ok) return Error{command.file, "is no experiment that can be measured"};
  const bool wired = loaded.spec.connectome.source != "none";
  Result<MeasuredNetwork> n =
      network_of_spec(loaded.spec, asked.value_or(wired ? NetworkOf::connectome : NetworkOf::start));
  if (!n) return n.error();
  return Measurable{std::move(*n), loaded.spec.seed, 0};
}

void print_measures(const MeasureStudy& s) {
  const GraphMeasures& g = s.measured;
  std::printf("network            %s%s%s\n", s.name.c_str(), s.name.empty() ? "" : ", ", s.which.c_str());
  std::printf("size               %lld units, %lld connections, %lld to themselves\n", static_cast<long long>(g.units),
              static_cast<long long>(g.links), static_cast<long long>(g.self_links));
  if (!s.parts_are.empty()) std::printf("regions            %s\n", s.parts_are.c_str());
  const bool nulls = !s.nulls.empty();
  if (nulls)
    std::printf("null models        %zu, %s, seed %llu\n", s.nulls.size(), s.plan.model.c_str(),
                static_cast<unsigned long long>(s.plan.seed));
  std::printf("\n%-26s %12s", "measure", "value");
  if (nulls) std::printf(" %12s %12s %9s %8s", "null mean", "null sd", "z", "p");
  std::printf("\n");
  for (size_t k = 0; k < measure_count; ++k) {
    const auto m = static_cast<Measure>(k);
    if (!std::isfinite(g.of(m))) continue;
    std::printf("%-26s %12.6g", words_of(m), g.of(m));
    if (const NullRow r = s.row(m); nulls && r.count > 0) {
      std::printf(" %12.6g %12.4g", r.mean, std::isfinite(r.z) ? r.sd : 0);
      std::isfinite(r.z) ? std::printf(" %9.3g %8.4g", r.z, r.p) : std::printf(" %9s %8s", "kept", "-");
    }
    std::printf("\n");
  }
  if (const double sigma = s.small_world(); nulls && std::isfinite(sigma))
    std::printf("%-26s %12.6g\n", "small-worldness", sigma);
  std::printf("\n");
  for (const std::string& remark : measure_remarks(s)) std::printf("note               %s\n", remark.c_str());
}

std::string measures_json(const MeasureStudy& s, const std::string& out, const std::vector<std::string>& files) {
  const GraphMeasures& g = s.measured;
  nlohmann::json o = {{"name", s.name},          {"network", s.which},      {"regions", s.parts_are},
                      {"units", g.units},        {"connections", g.links},  {"self_connections", g.self_links},
                      {"sampled", g.sampled},    {"nulls", s.nulls.size()}, {"measures", nlohmann::json::object()},
                      {"community", g.community}};
  if (!s.nulls.empty()) {
    o["null_model"] = s.plan.model;
    o["null_seed"] = s.plan.seed;
    o["small_worldness"] = number_or_null(s.small_world());
  }
  for (size_t k = 0; k < measure_count; ++k) {
    const auto m = static_cast<Measure>(k);
    nlohmann::json one = {{"value", number_or_null(g.of(m))}};
    if (!s.nulls.empty()) {
      const NullRow r = s.row(m);
      one["null_mean"] = number_or_null(r.mean);
      one["null_sd"] = number_or_null(r.sd);
      one["z"] = number_or_null(r.z);
      one["p"] = number_or_null(r.p);
    }
    o["measures"][key_of(m)] = one;
  }
  o["out"] = out;
  o["files"] = files;
  return o.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

int measures(const MeasuresCommand& command) {
  Result<Measurable> m = measurable(command);
  if (!m) return refuse(m.error());
  MeasurePlan plan;
  plan.nulls = command.nulls;
  plan.model = command.null_model;
  plan.seed = command.seed.value_or(m->seed);
  plan.run = m->run;
  const std::atomic<bool>& stop = cancel_on_signals();
  const bool terminal = !command.quiet && ::isatty(2) != 0;
  int shown = -1;
  const auto progress = [&](double part) {
    if (const int percent = static_cast<int>(100 * part); terminal && percent != shown) {
      shown = percent;
      std::fprintf(stderr, "\rmeasuring %3d %%", percent);
    }
    return !stop.load(std::memory_order_relaxed);
  };
  const Result<MeasureStudy> study = study_measures(m->network, plan, threads_of(command.threads), progress);
  if (terminal) std::fprintf(stderr, "\r                \r");
  if (!study && stop) {
    std::fprintf(stderr, "dalea: cancelled\n");
    return cancelled;
  }
  if (!study)
    return refuse(
        {command.file + (study.error().path.empty() ? "" : ": ") + study.error().path, study.error().message});
  const std::string csv = measures_csv(*study);
  OutputFiles output = {{"measures.csv", to_bytes(csv)}, {"degrees.csv", to_bytes(degrees_csv(*study))}};
  add_drawing(output, "measures", measures_figure(*study));
  if (const ExitCode code = write_files(command.out, output); code != done) return code;
  const std::vector<std::string> files = names_of(output);
  if (command.json) {
    std::printf("%s\n", measures_json(*study, command.out, files).c_str());
  } else if (command.csv) {
    std::fputs(csv.c_str(), stdout);
  } else {
    print_measures(*study);
    print_files(command.out, files);
  }
  return done;
}

}  // namespace dalea::cli
