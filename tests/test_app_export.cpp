// The window's downloads for other programs.
#include "helpers.h"
#include "recording/mat.h"
#include "session/npz.h"
#include "window_helpers.h"

using namespace dalea;
using namespace dalea::app;
using namespace dalea::testing;

TEST_CASE("weights are downloaded as NPZ, MATLAB and HDF5, and the PyTorch module beside them") {
  Live live(without_thread());
  live.train(spec_of(tiny_json(three_epochs)), nullptr, false);
  live.step();
  for (int k = 0; k < 20000 && live.snapshot()->updates < 1; ++k) live.pump(0.001);
  for (Download what : {Download::weights, Download::weights_mat, Download::weights_hdf5, Download::loader})
    live.save(what);
  live.pump(0);
  NamedFile npz, mat, hdf5, loader;
  for (NamedFile* file : {&npz, &mat, &hdf5, &loader}) REQUIRE(live.take_file(*file));
  CHECK(npz.name == "dalea-weights.npz");
  CHECK(mat.name == "dalea-weights.mat");
  CHECK(hdf5.name == "dalea-weights.h5");
  CHECK(loader.name == "dalea_torch.py");
  const Result<Entries> entries = read_zip(npz.bytes, npz.name);
  REQUIRE(entries.ok());
  std::vector<double> W;
  for (const auto& [name, bytes] : *entries)
    if (name == "W_rec.npy") W = *read_npy_values(bytes, *read_npy_header(bytes, name));
  CHECK(W.size() == 400);
  const Result<MatArray> read = read_mat(mat.bytes, mat.name, "W_rec");
  REQUIRE(read.ok());
  CHECK(read->values == W);
  CHECK(hdf5.bytes[1] == std::byte{'H'});
  CHECK(as_text(loader.bytes).find("class Network(torch.nn.Module)") != std::string_view::npos);
}
