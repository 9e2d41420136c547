// libFuzzer on the readers of recordings: README.md says how. FUZZ_FORMAT: 1 CSV, 2 NPY, 3 NPZ, 4 MATLAB, 5 HDF5, 6 a
// long table, 7 tables of cells and of events, 8 bundles and suite2p, 9 connectomes; 0 leaves it to the content, as a
// dropped file does.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "connectome/connectome.h"
#include "recording/arrays.h"
#include "recording/bundle.h"
#include "recording/cell_table.h"
#include "recording/events.h"
#include "recording/hdf5.h"
#include "recording/long_table.h"
#include "recording/mat.h"
#include "recording/recording.h"
#include "recording/smoothing.h"
#include "session/npz.h"
#include "tasks/latent.h"

#ifndef FUZZ_FORMAT
#define FUZZ_FORMAT 0
#endif

namespace {

using Bytes = std::span<const std::byte>;

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void csv(Bytes bytes) {
  dalea::read_csv(text_of(bytes), "f.csv");
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

void long_table(Bytes bytes) {
  const std::string_view text = text_of(bytes);
  dalea::is_long_table(text);
  dalea::RecordingSpec spec;
  dalea::read_long_table(text, "f.csv", spec);
  const dalea::LongChoices choices = dalea::long_choices(text);
  if (!choices.conditions.empty()) spec.condition = choices.conditions.back();
  if (!choices.series.empty()) spec.series = choices.series.back();
  if (const auto table = dalea::read_long_table(text, "f.csv", spec); table)
    dalea::make_recording(*table, spec, "f.csv");
}

// A recording of 40 frames with the table, first of cells, then of events.
void tables(Bytes bytes) {
  dalea::Recording r;
  r.frames = 40;
  r.units = 3;
  r.values.assign(120, 0.5f);
  r.names = {"a", "b", "unit 2"};
  r.places = {0, 1, 2};
  r.rate_hz = 10;
  dalea::is_cell_table(text_of(bytes));
  if (dalea::Recording joined = r; dalea::join_cells(text_of(bytes), "cells.csv", joined))
    (void)dalea::average_populations(joined);
  r.events_csv = text_of(bytes);
  dalea::RecordingSpec spec;
  spec.events.before_s = 0.2;
  spec.events.after_s = 0.4;
  for (const char* split : {"time", "trial"}) {
    spec.split = split;
    if (const auto windows = dalea::find_windows(r, spec.events); windows)
      dalea::split_windows(*windows, r.frames, spec, dalea::smoothing_reach(spec));
  }
}

void bundle(Bytes bytes) {
  dalea::is_suite2p_bundle(bytes);
  if (dalea::is_bundle(bytes)) {
    dalea::Entries files;
    files.emplace_back("b.zip", dalea::ByteVector(bytes.begin(), bytes.end()));
    dalea::make_bundle(std::move(files));
  }
  dalea::RecordingSpec spec;
  for (const char* signal : {"dff", "spikes"}) {
    spec.suite2p.signal = signal;
    dalea::read_recording(bytes, "b.zip", spec);
  }
}

// The matrix itself or a list of links, then names, signs and densities of a matrix of three nodes.
void connectome(Bytes bytes) {
  dalea::is_connectome(bytes, "f.csv");
  dalea::ConnectomeSpec spec;
  spec.source = "file";
  dalea::read_connectome({bytes, {}, {}, {}, "f.csv"}, spec);
  const std::string_view matrix = "n,A,B,C\nA,0,1,2\nB,0,0,3\nC,4,0,0\n";
  const Bytes three = std::as_bytes(std::span(matrix.data(), matrix.size()));
  dalea::read_connectome({three, bytes, {}, {}, "m.csv"}, spec);
  dalea::read_connectome({three, {}, bytes, {}, "m.csv"}, spec);
  dalea::read_connectome({three, {}, {}, bytes, "m.csv"}, spec);
}

void any(Bytes bytes) {
  dalea::read_latents(bytes, "f");
  const std::string_view vectors = "1,2\n3,4\n5,6\n";
  dalea::read_latents(std::as_bytes(std::span(vectors.data(), vectors.size())), "v.csv", bytes, "f");
  if (const auto list = dalea::list_arrays(bytes, "f"); list)
    for (size_t k = 0; k < list->arrays.size() && k < 20; ++k) dalea::read_table(bytes, "f", list->arrays[k].name);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr void (*formats[])(Bytes) = {any, csv, npy, npz, mat, hdf5, long_table, tables, bundle, connectome};
  formats[FUZZ_FORMAT]({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
