#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"

namespace dalea::cli {

int link(const LinkOptions& options) {
  const Loaded loaded = load_spec(options.experiment, options.set, true);
  if (!loaded.ok) return bad_input;
  if (!loaded.spec.recording.file.empty())
    std::fprintf(stderr, "dalea: the recording is not in the link; the receiver is asked for the file%s\n",
                 loaded.spec.recording.sha256.empty() ? " (give recording.sha256 to have it checked)" : "");
  const std::string fragment = "#" + encode_link(loaded.spec);
  const std::string whole = options.base.empty() ? fragment : options.base + fragment;
  if (options.json)
    std::printf("%s\n", nlohmann::json({{"link", whole}, {"length", whole.size()}}).dump().c_str());
  else
    std::printf("%s\n", whole.c_str());
  if (whole.size() >= 2000)
    std::fprintf(stderr, "dalea: the link has %zu characters; some programs cut links from 2000 on\n", whole.size());
  return done;
}

int unlink(const LinkOptions& options) {
  Result<std::string> text = decode_link(options.experiment);
  if (!text) {
    complain(text.error());
    return bad_input;
  }
  const ParsedSpec parsed = parse_spec(*text);
  for (const Error& e : parsed.problems) complain(e);
  if (!parsed.problems.empty()) return bad_input;
  std::printf("%s%s", print_spec(parsed.spec, options.json).c_str(), options.json ? "\n" : "");
  return done;
}

}  // namespace dalea::cli
