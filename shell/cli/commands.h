// The commands of `dalea`; each returns the exit code (0 done, 1 bad input, 2 failed, 130 cancelled).
#pragma once

#include <string>
#include <vector>

#include "error.h"
#include "spec/spec.h"

namespace dalea::cli {

enum ExitCode { done = 0, bad_input = 1, failed = 2, cancelled = 130 };

struct RunOptions {
  std::string experiment;  // file, "-", or a link
  std::string out = "out";
  int threads = 0;  // 0: all cores
  std::string isa = "auto";
  std::vector<std::string> set;
  bool resume = false;
  bool json = false;
  bool quiet = false;
  double save_every_s = 30;
  std::string program;  // argv[0]: the digits may be installed beside it
};
int run(const RunOptions& options);

struct InspectOptions {
  std::string file;
  std::vector<std::string> set;
  bool json = false;
};
int inspect(const InspectOptions& options);

struct LinkOptions {
  std::string experiment;  // or, for unlink, the link
  std::string base;        // put before the fragment
  std::vector<std::string> set;
  bool json = false;
};
int link(const LinkOptions& options);
int unlink(const LinkOptions& options);

struct BenchCommand {
  std::string experiment;              // empty: the workloads
  std::vector<std::string> workloads;  // empty: all
  std::vector<std::string> set;
  int threads = 1;
  std::string isa = "auto";
  double seconds = 2;
  bool json = false;
  std::string csv, dump;
};
int bench(const BenchCommand& command);

// The experiment of a file, standard input or a link, with --set applied; problems are printed.
struct Loaded {
  bool ok = false;
  Spec spec;
};
Loaded load_spec(const std::string& experiment, const std::vector<std::string>& set);

void complain(const Error& error);  // to stderr
std::string hex(uint64_t hash);

}  // namespace dalea::cli
