// dalea connect: an experiment with connection probabilities from a table.
#include <cstdio>

#include "cli/commands.h"
#include "common/files.h"
#include "network/rules.h"

namespace dalea::cli {

int connect(const ConnectCommand& command) {
  Loaded loaded = load_spec(command.experiment, command.set);
  if (!loaded.ok) return bad_input;
  const Result<std::vector<std::byte>> bytes = read_file(command.table);
  if (!bytes) return refuse(bytes.error());
  const Result<int64_t> pairs = read_probability_table(*bytes, loaded.spec);
  if (!pairs) return refuse({command.table, pairs.error().message});
  const Problems problems = check_spec(loaded.spec);
  for (const Error& e : problems) complain(e);
  if (!problems.empty()) return bad_input;
  const std::string text = print_spec(loaded.spec, false);
  const size_t count = loaded.spec.populations.size();
  std::fprintf(stderr, "dalea: %lld of %zu pairs of populations have their probability from %s\n",
               static_cast<long long>(*pairs), count * count, command.table.c_str());
  if (command.out.empty()) {
    std::fputs(text.c_str(), stdout);
    return done;
  }
  if (Status ok = write_file(command.out, std::string_view(text)); !ok) {
    complain(ok.error());
    return failed;
  }
  return done;
}

}  // namespace dalea::cli
