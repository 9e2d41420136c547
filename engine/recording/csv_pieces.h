// A CSV as it is read: its numbers stay in pieces until they are a recording.
#pragma once

#include <string_view>

#include "recording/pieces.h"
#include "recording/recording.h"

namespace dalea {

struct CsvTable {
  Table table;  // without its values
  Pieces values;
};
Result<CsvTable> read_csv_pieces(std::string_view text, std::string_view file_name, const Progress& progress);

}  // namespace dalea
