// The files of a connectome, from disk.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "connectome/connectome.h"
#include "error.h"
#include "spec/spec.h"

namespace dalea {

// Gives the experiment its connectome: from connectome.file with its names, signs and densities, or the synthetic one;
// none where it has none. A file alone is enough: connectome.source becomes "file". Errors name the key and the path.
Status attach_connectome_files(Spec& spec);

// A published connectome (SEEDS 6.1). `./run fetch` brings the matrices from the repository bio2art; region names lie
// there as pickles, which are never opened, so without a file of names the regions are numbered.
struct Species {
  const char* name;                           // "macaque": what commands take
  const char* title;                          // "Macaque, 29 regions"
  const char* citation;                       // of the measurement
  const char *matrix, *matrix_instead;        // file names: as in bio2art, and without its "C_"
  const char* names;                          // one name a line
  const char *densities, *densities_instead;  // neurons per mm3; null: not measured
  int64_t regions, links;                     // links: weights that are not zero
  double largest, total;                      // weights, in the digits that were published
  bool symmetric;
};
std::span<const Species> known_species();

// One that is there; paths, empty where there is no such file.
struct FoundSpecies {
  const Species* species = nullptr;
  std::string matrix, names, densities;
};
// The species whose matrix lies in the folder, in the order of known_species(); none where there is no folder.
std::vector<FoundSpecies> find_species(const std::string& folder);
// Where they are looked for: $DALEA_CONNECTOMES, else assets/connectomes of this repository (`./run fetch`), which is
// also found above `program` (argv[0]). Empty: there is no such folder. The page has them as connectomes/FILE.
std::string connectome_folder(const std::string& program);

// The experiment's connectome is this one's files; its other settings stay. Densities only where the experiment scales
// them (density_scaling), as they are millions of neurons.
void use_species(const FoundSpecies& found, ConnectomeSpec& spec);
// Whether it is the one that was published: regions, links, largest and total weight, symmetry. The error names what
// differs.
Status check_species(const Species& species, const Connectome& connectome);
// Its matrix and names.
Result<Connectome> read_species(const FoundSpecies& found);
// By a file's name, with or without its folder; null: none.
const Species* species_of_file(const std::string& path);

}  // namespace dalea
