// dalea reproduce planted: does the comparison of conditions find a change that was planted?
#include "common/planted.h"

#include <unistd.h>

#include <cstdio>
#include <ctime>

#include "cli/commands.h"
#include "cli/json.h"
#include "common/files.h"

namespace dalea::cli {
namespace {

using nlohmann::json;

json rates_json(const planted::Rates& rates) {
  json o = {{"circuits", rates.circuits}, {"feedback", rates.any},         {"all_feedback", rates.all},
            {"other", rates.other},       {"feedback_alone", rates.alone}, {"blocks", json::array()}};
  for (const planted::BlockRate& b : rates.blocks)
    o["blocks"].push_back({{"post", rates.groups[b.post]},
                           {"pre", rates.groups[b.pre]},
                           {"feedback", b.feedback},
                           {"significant", b.significant},
                           {"g", number_or_null(b.g)},
                           {"difference", number_or_null(b.difference)}});
  return o;
}

}  // namespace

int reproduce_planted(const ReproduceCommand& command) {
  if (command.corrected || command.as_published || !command.tasks.empty() || !command.data.empty())
    return refuse({command.corrected      ? "--corrected"
                   : command.as_published ? "--as-published"
                   : command.data.empty() ? "--task"
                                          : "--data",
                   "belongs to the figures; leave it out of planted"});
  Result<Isa> isa = parse_isa(command.isa);
  if (!isa) return refuse({"--" + isa.error().path, isa.error().message});
  planted::Options options;
  options.quick = command.quick;
  options.runs = command.runs;
  options.first_seed = command.seed;
  Result<planted::Options> checked = planted::check(options);
  if (!checked) return refuse({"--" + checked.error().path, checked.error().message});
  const std::string folder = command.out + "/planted" + (command.quick ? "-quick" : "");
  if (Status ok = make_folder(folder); !ok) return refuse(ok.error());
  const int threads = threads_of(command.threads);
  const bool shown = isatty(STDERR_FILENO) != 0 && !command.quiet;
  std::atomic<bool>& cancel = cancel_on_signals();
  const auto start = std::chrono::steady_clock::now();
  double told = 0;
  Result<planted::Study> study = planted::study(*checked, *isa, threads, [&](double part) {
    if (shown && part - told >= 0.002) {
      told = part;
      std::fprintf(stderr, "\r%.1f %%\x1b[K", 100 * part);
      std::fflush(stderr);
    }
    return !cancel;
  });
  if (shown) std::fputs("\r\x1b[K", stderr);
  if (cancel) {
    std::fprintf(stderr, "dalea: cancelled; nothing is kept of an unfinished study\n");
    return cancelled;
  }
  if (!study) {
    complain(study.error());
    return failed;
  }
  const double seconds = seconds_since(start);
  char text[40] = "";
  const std::time_t now = std::time(nullptr);
  ReportProvenance where;
  where.program = "Dalea";
  where.version = std::string(dalea_version) + ", numerics " + std::to_string(numerics_version);
  std::strftime(text, sizeof text, "%Y-%m-%d", std::gmtime(&now));
  where.date = text;
  where.seed = std::to_string(checked->first_seed) + " to " +
               std::to_string(checked->first_seed + static_cast<uint64_t>(checked->simulations) - 1);
  where.command = planted::command_of(*checked);
  std::snprintf(text, sizeof text, "%.0f s", seconds);
  where.more = {{"Machine", platform_text(*isa) + ", " + std::to_string(threads) + " threads"}, {"Duration", text}};
  Result<planted::PlantedReport> report = planted::report(*study, where);
  if (!report) {
    complain(report.error());
    return failed;
  }
  for (const dalea::reproduce::File& file : report->output.files)
    if (Status ok = write_file(folder + "/" + file.name, file.bytes); !ok) {
      complain(ok.error());
      return failed;
    }
  if (!command.json) {
    for (const std::string& sentence : report->summary) std::printf("%s\n\n", sentence.c_str());
    std::printf("seconds           %.1f  (%d threads, %s)\nreport            %s/report.html\n", seconds, threads,
                isa_name(*isa), folder.c_str());
    return done;
  }
  json o = {{"figure", "planted"},    {"quick", command.quick},
            {"runs", checked->runs},  {"seconds", seconds},
            {"threads", threads},     {"settings", json::array()},
            {"files", json::array()}, {"report", folder + "/report.html"}};
  o["summary"] = report->summary;
  for (const planted::SettingResult& r : study->results) {
    json setting = {{"name", planted::name_of(r.setting)},
                    {"factor", planted::factor_of(r.setting)},
                    {"networks", r.networks},
                    {"held_out", number_or_null(r.held_out)},
                    {"ridge", number_or_null(r.ridge)},
                    {"compared", json::array()}};
    for (size_t k = 0; k < r.planted.size(); ++k) {
      if (r.planted[k].circuits == 0) continue;
      setting["compared"].push_back({{"measure", planted::name_of(r.planted[k].kind.measure)},
                                     {"level", r.planted[k].kind.level == BlockLevel::area ? "area" : "area and type"},
                                     {"planted", rates_json(r.planted[k])},
                                     {"null", rates_json(r.null[k])}});
    }
    o["settings"].push_back(std::move(setting));
  }
  for (const dalea::reproduce::File& file : report->output.files) o["files"].push_back(folder + "/" + file.name);
  std::printf("%s\n", o.dump(-1, ' ', false, json::error_handler_t::replace).c_str());
  return done;
}

}  // namespace dalea::cli
