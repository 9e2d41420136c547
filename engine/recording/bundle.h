// Several files that are one recording, as one file: a zip of them by name, without folders, stored, undated and
// sorted, so that the same files give the same bytes in the page and natively, and one SHA-256 names them all.
//
// It holds suite2p's arrays (F.npy and what there is of Fneu.npy, spks.npy, iscell.npy) or one data file of any kind,
// and where they are given cells.csv (a cell table) and events.csv.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "error.h"
#include "progress.h"
#include "session/npz.h"

namespace dalea {

struct Bundle {
  std::string data_name;  // empty: suite2p's arrays are the data
  ByteVector data;
  Entries suite2p;
  std::string cells_csv, events_csv;  // empty: not given
};

// A zip whose names say that it is one (a zipped suite2p folder too); an .npz and a session are none.
bool is_bundle(std::span<const std::byte> bytes);
bool is_suite2p_bundle(std::span<const std::byte> bytes);
Result<Bundle> open_bundle(std::span<const std::byte> bytes, std::string_view file_name, const Progress& progress = {});

// The bytes of a bundle of files that were given together: tables of cells and of events are known by their names or
// headers. suite2p's other files (ops.npy, stat.npy) are left out. A bundle among them gives its files.
Result<ByteVector> make_bundle(Entries files);

}  // namespace dalea
