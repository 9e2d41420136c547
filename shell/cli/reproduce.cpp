// dalea reproduce: trains what a figure of the papers needs, side by side and once, and writes the report.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>

#include "cli/commands.h"
#include "cli/json.h"
#include "common/connectome_files.h"
#include "common/files.h"
#include "common/reproduce_bio.h"
#include "common/reproduce_study.h"
#include "numerics/parallel.h"

namespace dalea::cli {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;
namespace figure = dalea::reproduce;

std::string duration_text(double seconds) {
  char text[40];
  if (seconds < 90)
    std::snprintf(text, sizeof text, "%.0f s", seconds);
  else
    std::snprintf(text, sizeof text, "%.0f min", seconds / 60);
  return text;
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  char text[20] = "";
  std::strftime(text, sizeof text, "%Y-%m-%d", std::gmtime(&now));
  return text;
}

// Files in a folder. Damaged or foreign ones are errors: nothing is trained over them.
class Folder : public figure::Store {
 public:
  explicit Folder(std::string path) : path_(std::move(path)) {}
  Result<std::optional<std::vector<std::byte>>> load(const std::string& name) override {
    if (!file_exists(path_ + "/" + name)) return std::optional<std::vector<std::byte>>{};
    Result<std::vector<std::byte>> bytes = read_file(path_ + "/" + name);
    if (!bytes) return bytes.error();
    return std::optional<std::vector<std::byte>>(std::move(*bytes));
  }
  Status save(const std::string& name, const std::vector<std::byte>& bytes) override {
    return write_file(path_ + "/" + name, bytes);
  }

 private:
  std::string path_;
};

class Reproduction {
 public:
  Reproduction(const ReproduceCommand& command, figure::Options options, Isa isa, int threads)
      : command_(command),
        options_(std::move(options)),
        isa_(isa),
        threads_(threads),
        terminal_(isatty(STDERR_FILENO) != 0) {}

  ExitCode go() {
    std::shared_ptr<const Digits> digits;
    const std::vector<figure::Job> jobs = figure::jobs_of(options_);
    for (const figure::Job& job : jobs)
      if (job.task == "digits" && digits == nullptr) {
        Result<Sources> sources = load_sources(job.spec, command_.program);
        if (!sources) {
          Error error = sources.error();
          error.message += "; or leave them out: --task flip-flop --task wave";
          return refuse(error);
        }
        digits = std::make_shared<const Digits>(std::move(*sources->digits));
      }
    const std::string sessions = command_.out + "/sessions";
    if (Status ok = make_folder(sessions); !ok) return refuse(ok.error());
    Folder folder(sessions);
    const int at_once = std::max(1, std::min(threads_, static_cast<int>(jobs.size())));
    figure::Study study(options_, {isa_, std::max(1, threads_ / at_once), platform_text(isa_)}, digits, folder);
    if (!command_.quiet)
      std::fprintf(stderr, "%s: %zu networks, %d at once; they are kept in %s\n", text_of(options_.figure), jobs.size(),
                   at_once, sessions.c_str());
    study.on_done = [&](const std::string& line) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!command_.quiet)
        std::fprintf(stderr, "%s%s  (%s)\n", terminal_ ? "\r\x1b[K" : "", line.c_str(), state(study).c_str());
    };
    std::atomic<bool>& cancel = cancel_on_signals();
    if (threads_available()) {
      std::thread watcher([&] { watch(study, cancel); });
      study.run(at_once);
      finished_ = true;
      watcher.join();
    } else {
      while (!study.over()) {
        std::unique_ptr<figure::Study::Work> work = study.take();
        while (work != nullptr && work->step())
          if (cancel) study.stop();
      }
    }
    if (study.stopped()) {
      std::fprintf(stderr, "dalea: cancelled; every network is saved, the same command goes on from there\n");
      return cancelled;
    }
    if (const std::optional<Error> error = study.error()) {
      const bool file = error->path.find(".npz") != std::string::npos || error->path.find(".json") != std::string::npos;
      complain({(file ? sessions + "/" : "") + error->path, error->message});
      return failed;
    }
    return write(study);
  }

 private:
  double seconds() const { return seconds_since(start_); }

  std::string state(const figure::Study& study) const {
    char text[80];
    std::snprintf(text, sizeof text, "%.0f %%", 100 * study.done_part());
    std::string s = text;
    if (study.worked_part() > 0.002 && seconds() > 2)
      s += ", about " + duration_text((1 - study.done_part()) * seconds() / study.worked_part()) + " left";
    return s;
  }

  // On a thread of its own: hands Ctrl-C on and keeps a terminal's status line.
  void watch(figure::Study& study, const std::atomic<bool>& cancel) {
    Clock::time_point drawn = Clock::now();
    while (!finished_) {
      if (cancel) study.stop();
      if (terminal_ && !command_.quiet && Clock::now() - drawn > std::chrono::milliseconds(500)) {
        const std::lock_guard<std::mutex> lock(mutex_);
        std::fprintf(stderr, "\r%s\x1b[K", state(study).c_str());
        std::fflush(stderr);
        drawn = Clock::now();
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    if (terminal_ && !command_.quiet) std::fputs("\r\x1b[K", stderr);
  }

  ExitCode write(const figure::Study& study) {
    ReportProvenance where;
    where.program = "Dalea";
    where.version = std::string(dalea_version) + ", numerics " + std::to_string(numerics_version);
    where.date = today();
    where.seed = std::to_string(options_.first_seed) + " to " +
                 std::to_string(options_.first_seed + static_cast<uint64_t>(options_.runs) - 1);
    where.command = figure::command_of(options_);
    where.more = {{"Machine", platform_text(isa_) + ", " + std::to_string(threads_) + " threads"},
                  {"Duration of this call", duration_text(seconds())}};
    Result<figure::Output> output = study.report(where);
    if (!output) {
      complain(output.error());
      return failed;
    }
    const std::string folder = command_.out + "/" + text_of(options_.figure) +
                               (options_.corrected ? "-corrected" : "-as-published") +
                               (options_.quick ? "-quick" : "") + (options_.full ? "-full" : "");
    if (Status ok = make_folder(folder); !ok) {
      complain(ok.error());
      return failed;
    }
    for (const figure::File& file : output->files)
      if (Status ok = write_file(folder + "/" + file.name, file.bytes); !ok) {
        complain(ok.error());
        return failed;
      }
    if (command_.json)
      print_json(*output, study.runs(), folder);
    else
      print_text(*output, folder);
    return done;
  }

  void print_text(const figure::Output& output, const std::string& folder) const {
    std::map<Outcome, int> count;
    for (const Finding& f : output.findings) ++count[f.outcome];
    for (const Finding& f : output.findings) {
      std::printf("%-17s %s\n", outcome_text(f.outcome), f.claim.c_str());
      std::printf("%-17s published: %s\n", "", f.published.empty() ? "–" : f.published.c_str());
      std::printf("%-17s obtained:  %s\n", "", f.obtained.empty() ? "–" : f.obtained.c_str());
    }
    std::printf("\n");
    for (const auto& [outcome, n] : count) std::printf("%-17s %d claims\n", outcome_text(outcome), n);
    std::printf("seconds           %.1f  (%d threads, %s)\nreport            %s/report.html\n", seconds(), threads_,
                isa_name(isa_), folder.c_str());
  }

  void print_json(const figure::Output& output, const std::vector<figure::Run>& runs, const std::string& folder) const {
    json o = {{"figure", text_of(options_.figure)},
              {"corrected", options_.corrected},
              {"quick", options_.quick},
              {"report", folder + "/report.html"},
              {"seconds", seconds()},
              {"threads", threads_},
              {"findings", json::array()},
              {"networks", json::array()},
              {"files", json::array()}};
    for (const Finding& f : output.findings)
      o["findings"].push_back({{"claim", f.claim},
                               {"published", f.published},
                               {"obtained", f.obtained},
                               {"verdict", outcome_text(f.outcome)},
                               {"why", f.why}});
    for (const figure::Run& run : runs) {
      const bool good = run.failure.empty() && !run.history.empty();
      o["networks"].push_back({{"id", run.job.id},
                               {"task", run.job.task},
                               {"condition", run.job.condition},
                               {"seed", run.job.seed},
                               {"hash", run.hash},
                               {"held_out", number_or_null(good ? run.history.back().held_out : no_value)},
                               {"failure", run.failure}});
    }
    for (const figure::File& file : output.files) o["files"].push_back(folder + "/" + file.name);
    std::printf("%s\n", o.dump(-1, ' ', false, json::error_handler_t::replace).c_str());
  }

  const ReproduceCommand& command_;
  figure::Options options_;
  Isa isa_;
  int threads_;
  bool terminal_;
  Clock::time_point start_ = Clock::now();
  std::atomic<bool> finished_{false};
  std::mutex mutex_;
};

// The connectomes of bio: a folder's species, one matrix, or none (a synthetic one stands in).
Status find_wirings(const ReproduceCommand& command, figure::Options& options) {
  options.data_name = command.data;
  std::error_code error;
  if (!command.data.empty() && std::filesystem::is_regular_file(command.data, error)) {
    if (!command.species.empty()) return Error{"--species", "is given beside a single matrix; leave it out"};
    Result<Connectome> read = read_species({nullptr, command.data, "", ""});
    if (!read) return read.error();
    options.wirings.push_back(figure::wiring_of(command.data, std::make_shared<const Connectome>(std::move(*read))));
    return {};
  }
  if (!command.data.empty() && !std::filesystem::is_directory(command.data, error))
    return Error{"--data", "'" + command.data + "' is neither a folder of connectomes nor a matrix"};
  const std::string folder = command.data.empty() ? connectome_folder(command.program) : command.data;
  const std::vector<FoundSpecies> found = find_species(folder);
  for (const std::string& name : command.species) {
    std::string known;
    bool right = false, here = false;
    for (const Species& s : known_species()) {
      known += (known.empty() ? "" : ", ") + std::string(s.name);
      right = right || name == s.name;
    }
    if (!right) return Error{"--species", "'" + name.substr(0, 60) + "' is not known; give one of " + known};
    for (const FoundSpecies& f : found) here = here || name == f.species->name;
    if (!here)
      return Error{"--species", "'" + name + "' is not in " + (folder.empty() ? "assets/connectomes" : folder) +
                                    "; fetch it by ./run fetch, or name its folder by --data"};
  }
  if (!command.data.empty() && found.empty())
    return Error{"--data", "'" + command.data +
                               "' holds none of the species' matrices (C_Macaque_Normalized.npy and "
                               "so on); fetch them by ./run fetch"};
  for (const FoundSpecies& f : found) {
    if (!command.species.empty() &&
        std::find(command.species.begin(), command.species.end(), f.species->name) == command.species.end())
      continue;
    Result<Connectome> read = read_species(f);
    if (!read) return Error{f.matrix + ": " + read.error().path, read.error().message};
    if (Status same = check_species(*f.species, *read); !same) return Error{f.matrix, same.error().message};
    options.wirings.push_back(figure::wiring_of(f.matrix, std::make_shared<const Connectome>(std::move(*read))));
  }
  if (options.wirings.empty() && !command.quiet)
    std::fprintf(stderr,
                 "bio: no connectome is here (./run fetch brings them, --data names a folder): a synthetic network "
                 "stands in for them\n");
  return {};
}

}  // namespace

int reproduce(const ReproduceCommand& command) {
  if (command.figure == "planted") return reproduce_planted(command);
  Result<figure::Paper> paper = figure::parse_figure(command.figure);
  if (!paper) return refuse(paper.error());
  if (command.corrected && command.as_published)
    return refuse({"--corrected", "is given beside --as-published; give one of the two"});
  Result<Isa> isa = parse_isa(command.isa);
  if (!isa) return refuse({"--" + isa.error().path, isa.error().message});
  figure::Options options;
  options.figure = *paper;
  options.corrected = command.corrected;
  options.quick = command.quick;
  options.runs = command.runs;
  options.first_seed = command.seed;
  options.tasks = command.tasks;
  options.full = command.full;
  if (*paper == figure::Paper::bio) {
    if (Status ok = find_wirings(command, options); !ok) return refuse(ok.error());
  } else if (!command.species.empty()) {
    return refuse({"--species", "belongs to bio; leave it out"});
  } else if (!command.data.empty()) {
    Result<std::vector<std::byte>> bytes = read_file(command.data);
    if (!bytes) return refuse(bytes.error());
    options.data = std::make_shared<const std::vector<std::byte>>(std::move(*bytes));
    options.data_name = command.data;
  }
  Result<figure::Options> checked = figure::check(std::move(options));
  if (!checked) return refuse({"--" + checked.error().path, checked.error().message});
  Reproduction reproduction(command, std::move(*checked), *isa, threads_of(command.threads));
  return reproduction.go();
}

}  // namespace dalea::cli
