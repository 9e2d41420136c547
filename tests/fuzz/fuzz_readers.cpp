// libFuzzer on the readers of recordings: README.md says how. FUZZ_FORMAT: 1 CSV, 2 NPY, 3 NPZ, 4 MATLAB, 5 HDF5; 0
// leaves it to the content, as a dropped file does.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "recording/arrays.h"
#include "recording/hdf5.h"
#include "recording/mat.h"
#include "session/npz.h"

#ifndef FUZZ_FORMAT
#define FUZZ_FORMAT 0
#endif

namespace {

using Bytes = std::span<const std::byte>;

void csv(Bytes bytes) {
  dalea::read_csv({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "f.csv");
}

void npy(Bytes bytes) {
  dalea::read_npy(bytes, "f.npy");
}

void npz(Bytes bytes) {
  dalea::read_zip(bytes, "f.npz", uint64_t{64} << 20);
}

void mat(Bytes bytes) {
  if (const auto list = dalea::list_mat(bytes, "f.mat"); list)
    for (size_t k = 0; k < list->arrays.size() && k < 20; ++k) dalea::read_mat(bytes, "f.mat", list->arrays[k].name);
}

void hdf5(Bytes bytes) {
  const auto file = dalea::Hdf5::open(bytes, "f.h5");
  if (!file) return;
  size_t read = 0;
  for (const dalea::Hdf5Object& o : file->objects()) {
    if (++read > 50) break;
    file->read(o.path);
    file->attribute(o.path, "rate");
  }
}

void any(Bytes bytes) {
  if (const auto list = dalea::list_arrays(bytes, "f"); list)
    for (size_t k = 0; k < list->arrays.size() && k < 20; ++k) dalea::read_table(bytes, "f", list->arrays[k].name);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr void (*formats[])(Bytes) = {any, csv, npy, npz, mat, hdf5};
  formats[FUZZ_FORMAT]({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
