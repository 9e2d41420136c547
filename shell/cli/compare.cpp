// dalea compare: what differs between conditions of one network, block by block (SEEDS 5).
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "cli/commands.h"
#include "common/compare_report.h"
#include "common/files.h"
#include "common/markup.h"

namespace dalea::cli {
namespace {

// A shell expands NAME=a/*.npz only when told to; what follows a NAME=FILE without a name is of the same condition.
Result<std::vector<NamedSession>> read_conditions(const CompareCommand& command) {
  std::vector<NamedSession> out;
  std::string name;
  for (const std::string& given : command.conditions) {
    const size_t at = given.find('=');
    std::string pattern = given;
    if (at != std::string::npos && at > 0) {
      name = given.substr(0, at);
      pattern = given.substr(at + 1);
    }
    if (name.empty() || pattern.empty() || at == 0)
      return Error{"conditions", "begin with '" + given + "'; give NAME=FILE, such as novel='novel/run-*/session.npz'"};
    const std::vector<std::string> files = files_of(pattern);
    if (files.empty()) return Error{"conditions", "finds no file for " + given + "; check the folder and the pattern"};
    for (const std::string& path : files) {
      if (cancel_on_signals()) return Error{"", "cancelled"};
      Result<Session> session = read_session_file(path);
      if (!session) return session.error();
      const TrainerState& s = session->state;
      if (s.epoch < session->spec.all_epochs() && command.checkpoint == "final")
        std::fprintf(stderr, "dalea: %s is not trained to its end (%lld of %lld epochs); taken as it is\n",
                     path.c_str(), static_cast<long long>(s.epoch), static_cast<long long>(session->spec.all_epochs()));
      out.push_back({path, name, std::move(*session)});
      TrainerState& kept = out.back().session.state;  // only weights are needed
      kept.optimizer = {};
      kept.best = nullptr;
    }
  }
  return out;
}

void print_comparison(const CompareReport& r) {
  const Comparison& c = r.comparison;
  for (const std::string& sentence : compare_sentences(r)) std::printf("%s\n", sentence.c_str());
  for (size_t k = 0; k < c.pairs.size(); ++k) {
    size_t wide = 24;
    for (const BlockGroup& g : c.groups.groups) wide = std::max(wide, 2 * g.name.size() + 4);
    const int width = static_cast<int>(std::min<size_t>(wide, 60));
    std::printf("\n%s, %s of blocks (to <- from)\n", pair_name(r, k).c_str(),
                r.choices.options.weights == BlockWeights::abs ? "mean |w|" : "mean w");
    std::printf("%-*s %11s %11s %11s %8s %9s %9s %9s\n", width, "block", "first", "second", "difference", "g",
                "p alone", "BH", "max-T");
    const size_t n = c.groups.count();
    for (size_t b = 0; b < c.possible.size(); ++b) {
      if (!c.possible[b]) continue;
      const BlockComparison& x = c.pairs[k].blocks[b];
      const std::string name = c.groups.groups[b / n].name + " <- " + c.groups.groups[b % n].name;
      std::printf("%-*s %11.4g %11.4g %+11.3g ", width, name.c_str(), x.mean_a, x.mean_b, x.difference);
      if (!x.tested) {
        std::printf("%8s %9s %9s %9s\n", "-", "-", "-", "-");
        continue;
      }
      std::printf("%8s %9.4f %9.4f %9.4f%s\n", std::isfinite(x.g) ? fixed_number(x.g, 2).c_str() : "-", x.p, x.p_bh,
                  x.p_adjusted, x.significant ? " *" : "");
    }
  }
  std::printf("\n");
}

}  // namespace

int compare(const CompareCommand& command) {
  CompareChoices choices;
  Result<BlockLevel> level = parse_block_level(command.level);
  if (!level) return refuse({"--level", level.error().message});
  Result<BlockWeights> weights = parse_block_weights(command.weights);
  if (!weights) return refuse({"--weights", weights.error().message});
  Result<CompareCheckpoint> checkpoint = parse_compare_checkpoint(command.checkpoint);
  if (!checkpoint) return refuse({"--checkpoint", checkpoint.error().message});
  choices.level = *level;
  choices.checkpoint = *checkpoint;
  choices.options = {*weights, command.reference, command.alpha, std::min(command.seed, max_seed)};
  Result<std::vector<NamedSession>> sessions = read_conditions(command);
  if (cancel_on_signals()) return cancelled;
  if (!sessions) return refuse(sessions.error());
  Result<CompareReport> report = compare_sessions(*sessions, choices, [](double) { return !cancel_on_signals(); });
  if (cancel_on_signals()) return cancelled;
  if (!report) return refuse(report.error());

  ReportProvenance provenance;
  provenance.program = "dalea compare";
  provenance.version = dalea_version;
  provenance.seed = std::to_string(choices.options.seed);
  provenance.command = "dalea compare";
  for (const std::string& given : command.conditions) provenance.command += " '" + given + "'";
  provenance.command += " --level " + command.level + " --weights " + command.weights + " --checkpoint " +
                        command.checkpoint + (command.reference.empty() ? "" : " --reference " + command.reference);
  for (const auto& condition : report->sessions)
    for (const CompareRun& run : condition) provenance.hashes.emplace_back(run.path, run.hash);
  OutputFiles output;
  output.emplace_back("blocks.csv", to_bytes(compare_csv(*report)));
  output.emplace_back("runs.csv", to_bytes(compare_runs_csv(*report)));
  output.emplace_back("conditions.csv", to_bytes(compare_conditions_csv(*report)));
  for (const NamedFigure& f : compare_figures(*report)) {
    add_drawing(output, f.name, f.figure);
    output.emplace_back(f.name + ".csv", to_bytes(plot::csv_of(f.figure)));
  }
  output.emplace_back("report.html", to_bytes(compare_page(*report, provenance)));
  if (const ExitCode code = write_files(command.out, output); code != done) return code;
  const std::vector<std::string> files = names_of(output);
  if (command.json) {
    std::printf("%s\n", compare_json(*report, command.out, files).c_str());
    return done;
  }
  if (command.csv) {
    std::printf("%s", compare_csv(*report).c_str());
    return done;
  }
  print_comparison(*report);
  print_files(command.out, files);
  return done;
}

}  // namespace dalea::cli
