#include <cstdio>

#include "cli/commands.h"
#include "common/files.h"

namespace dalea::cli {

void complain(const Error& error) {
  std::fprintf(stderr, "dalea: %s\n", error.text().c_str());
}

std::string hex(uint64_t hash) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

Loaded load_spec(const std::string& experiment, const std::vector<std::string>& set) {
  Loaded loaded;
  std::string text;
  if (!file_exists(experiment) && experiment.find("v1=") != std::string::npos) {
    Result<std::string> json = decode_link(experiment);
    if (!json) {
      complain(json.error());
      return loaded;
    }
    text = *json;
  } else {
    Result<std::vector<std::byte>> bytes = read_file(experiment);
    if (!bytes) {
      complain(bytes.error());
      return loaded;
    }
    text = as_text(*bytes);
  }
  for (const std::string& assignment : set) {
    Result<std::string> changed = set_in_json(text, assignment);
    if (!changed) {
      complain(changed.error());
      return loaded;
    }
    text = *changed;
  }
  ParsedSpec parsed = parse_spec(text);
  for (const Error& e : parsed.problems) complain(e);
  if (!parsed.problems.empty()) {
    std::fprintf(stderr, "dalea: %s has %zu problem%s; nothing was run\n", experiment.substr(0, 200).c_str(),
                 parsed.problems.size(), parsed.problems.size() == 1 ? "" : "s");
    return loaded;
  }
  loaded.ok = true;
  loaded.spec = std::move(parsed.spec);
  return loaded;
}

}  // namespace dalea::cli
