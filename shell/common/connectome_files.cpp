#include "common/connectome_files.h"

#include "common/files.h"
#include "connectome/connectome.h"

namespace dalea {

Status attach_connectome_files(Spec& spec) {
  ConnectomeSpec& k = spec.connectome;
  if (k.source == "none" && !k.file.empty()) k.source = "file";
  if (k.source != "file") return attach_own_connectome(spec);
  if (k.file.empty()) return Error{"connectome.file", "is empty; give the path of a square matrix or a list of links"};
  FileBytes held[4];
  const std::pair<const char*, const std::string*> paths[] = {{"connectome.file", &k.file},
                                                              {"connectome.names", &k.names},
                                                              {"connectome.signs", &k.signs},
                                                              {"connectome.densities", &k.densities}};
  for (size_t f = 0; f < 4; ++f) {
    if (paths[f].second->empty()) continue;
    Result<FileBytes> bytes = open_file(*paths[f].second);
    if (!bytes) return Error{std::string(paths[f].first) + ": " + bytes.error().path, bytes.error().message};
    if (bytes->bytes().empty()) return Error{std::string(paths[f].first) + ": " + *paths[f].second, "is empty"};
    held[f] = std::move(*bytes);
  }
  const size_t slash = k.file.find_last_of("/\\");
  Result<Connectome> read = read_connectome(
      {held[0], held[1], held[2], held[3], slash == std::string::npos ? k.file : k.file.substr(slash + 1)}, k);
  if (!read) return read.error();
  return attach_connectome(spec, std::move(*read));
}

}  // namespace dalea
