#include "common/connectome_files.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "common/files.h"
#include "common/wiring_files.h"

namespace dalea {
namespace {

namespace fs = std::filesystem;

constexpr const char* fetched = "assets/connectomes";  // by ./run fetch

constexpr Species all_species[] = {
    {"macaque", "Macaque, 29 regions", "Markov et al. 2014, Cerebral Cortex 24, 17", "C_Macaque_Normalized.npy",
     "Macaque_Normalized.npy", "Macaque_Normalized.names.txt", "ND_Macaque_Normalized.npy",
     "Macaque_neuron_density.npy", 29, 536, 0.7633, 14.682, false},
    {"marmoset", "Marmoset, 55 regions", "Majka et al. 2016, Journal of Comparative Neurology 524, 2161",
     "C_Marmoset_Normalized.npy", "Marmoset_Normalized.npy", "Marmoset_Normalized.names.txt",
     "ND_Marmoset_Normalized.npy", "Marmoset_neuron_density.npy", 55, 1862, 0.6055, 41.345, false},
    {"mouse", "Mouse cortex, 19 regions", "Gamanut et al. 2018, Neuron 97, 698", "C_Mouse_Gamanut_Normalized.npy",
     "Mouse_Gamanut_Normalized.npy", "Mouse_Gamanut_Normalized.names.txt", nullptr, nullptr, 19, 329, 0.4796, 10.185,
     false},
    {"mouse-brain", "Mouse brain, 56 regions", "Oh et al. 2014, Nature 508, 207; Rubinov, Ypma et al. 2015, PNAS 112",
     "C_Mouse_Ypma_Oh.npy", "Mouse_Ypma_Oh.npy", "Mouse_Ypma_Oh.names.txt", nullptr, nullptr, 56, 1975, 7.004, 435.69,
     false},
    {"human", "Human, 57 regions", "Betzel and Bassett 2018, PNAS 115, E4880", "C_Human_Betzel_Normalized.npy",
     "Human_Betzel_Normalized.npy", "Human_Betzel_Normalized.names.txt", nullptr, nullptr, 57, 632, 0.005266, 0.1876,
     true},
    {"drosophila", "Drosophila, 49 regions", "Chiang et al. 2011, Current Biology 21, 1", "C_Drosophila.npy",
     "Drosophila.npy", "Drosophila.names.txt", nullptr, nullptr, 49, 1950, 4476.65, 342767.7, false},
};

std::string file_in(const fs::path& folder, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    std::error_code error;
    if (name != nullptr && fs::is_regular_file(folder / name, error)) return (folder / name).string();
  }
  return {};
}

bool is_folder_here(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

std::string six_digits(double v) {
  char text[40];
  std::snprintf(text, sizeof text, "%.6g", v);
  return text;
}

// In the four to six digits that were published.
bool close_to(double v, double published) {
  return std::fabs(v - published) <= 2e-4 * published;
}

}  // namespace

std::span<const Species> known_species() {
  return all_species;
}

std::vector<FoundSpecies> find_species(const std::string& folder) {
  std::vector<FoundSpecies> list;
  if (folder.empty() || !is_folder_here(folder)) return list;
  for (const Species& s : all_species) {
    FoundSpecies found{&s, file_in(folder, {s.matrix, s.matrix_instead}), file_in(folder, {s.names}),
                       file_in(folder, {s.densities, s.densities_instead})};
    if (!found.matrix.empty()) list.push_back(std::move(found));
  }
  return list;
}

std::string connectome_folder(const std::string& program) {
  if (const char* given = std::getenv("DALEA_CONNECTOMES"); given != nullptr && *given != 0) return given;
#ifdef DALEA_SOURCE_DIR
  if (const fs::path beside = fs::path(DALEA_SOURCE_DIR) / fetched; is_folder_here(beside)) return beside.string();
#endif
  std::error_code error;
  fs::path self = fs::canonical(program, error);
  if (error) self = fs::read_symlink("/proc/self/exe", error);  // found on PATH, so its name alone says nothing
  if (error) return {};
  constexpr int levels = 4;  // build/release/dalea, build/release/shell/dalea-desktop
  fs::path above = self.parent_path();
  for (int k = 0; k < levels && above.has_relative_path(); ++k, above = above.parent_path())
    if (is_folder_here(above / fetched)) return (above / fetched).string();
  return {};
}

void use_species(const FoundSpecies& found, ConnectomeSpec& spec) {
  spec.source = "file";
  spec.file = found.matrix;
  spec.names = found.names;
  spec.densities = spec.density_scaling == "none" ? "" : found.densities;
  spec.sha256 = spec.array = spec.kinds = spec.signs = "";
  spec.orientation = "row-to-column";
}

Status check_species(const Species& s, const Connectome& c) {
  double most = 0, sum = 0;
  for (double w : c.weight) {
    most = std::max(most, w);
    sum += w;
  }
  std::string wrong;
  const auto differs = [&](const std::string& what, const std::string& here, const std::string& published) {
    wrong += (wrong.empty() ? "" : ", ") + what + " " + here + " (published: " + published + ")";
  };
  if (c.nodes != s.regions) differs("regions", std::to_string(c.nodes), std::to_string(s.regions));
  if (c.links() != s.links) differs("links", std::to_string(c.links()), std::to_string(s.links));
  if (c.self_links != 0) differs("links to themselves", std::to_string(c.self_links), "0");
  if (!close_to(most, s.largest)) differs("largest weight", six_digits(most), six_digits(s.largest));
  if (!close_to(sum, s.total)) differs("total weight", six_digits(sum), six_digits(s.total));
  if (c.symmetric != s.symmetric) differs("symmetric", c.symmetric ? "yes" : "no", s.symmetric ? "yes" : "no");
  if (wrong.empty()) return {};
  return Error{c.source.empty() ? s.matrix : c.source, "is not the published connectome of the " + std::string(s.name) +
                                                           ": " + wrong + "; fetch it again, or give it another name"};
}

Result<Connectome> read_species(const FoundSpecies& found) {
  const Result<FileBytes> matrix = open_file(found.matrix);
  if (!matrix) return matrix.error();
  FileBytes names;
  if (!found.names.empty()) {
    Result<FileBytes> bytes = open_file(found.names);
    if (!bytes) return bytes.error();
    names = std::move(*bytes);
  }
  return read_connectome({*matrix, names, {}, {}, fs::path(found.matrix).filename().string()}, {});
}

const Species* species_of_file(const std::string& path) {
  const size_t slash = path.find_last_of("/\\");
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  for (const Species& s : all_species)
    if (name == s.matrix || name == s.matrix_instead) return &s;
  return nullptr;
}

Status attach_connectome_files(Spec& spec) {
  ConnectomeSpec& k = spec.connectome;
  if (k.source == "none" && !k.file.empty()) k.source = "file";
  if (k.source != "file") return attach_own_connectome(spec);
  if (k.file.empty())
    return Error{"connectome.file",
                 k.nodes == "recorded" ? "is empty; give it, recording.file and connectome.signs by --set, or a folder "
                                         "with all three by --data DIR"
                                       : "is empty; give the path of a square matrix or a list of links"};
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
  if (k.nodes == "recorded") return attach_recorded(spec, *read);
  return attach_connectome(spec, std::move(*read));
}

}  // namespace dalea
