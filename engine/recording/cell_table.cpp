#include "recording/cell_table.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "recording/text_rows.h"

namespace dalea {
namespace {

struct CellColumns {
  int64_t unit = -1, index = -1, label = -1, area = -1, layer = -1, type = -1, sign = -1;
  bool says() const { return area >= 0 || layer >= 0 || type >= 0 || sign >= 0; }
};

CellColumns cell_columns(const std::vector<std::string_view>& header) {
  CellColumns c;
  c.index = column_named(header, {"index", "number"});
  c.label = column_named(header, {"label", "name"});
  c.unit = column_named(header, {"unit", "neuron", "cell", "roi", "channel", "id"});
  if (c.unit < 0) c.unit = c.label;
  c.area = column_named(header, {"area", "region", "structure"});
  c.layer = column_named(header, {"layer"});
  c.type = column_named(header, {"type", "cell_type", "celltype", "cell type", "class"});
  c.sign = column_named(header, {"sign", "dale", "transmitter", "neurotransmitter", "dominant_nt"});
  return c;
}

struct CellRow {
  std::string name, label;
  int64_t index = -1;
  CellLabels cell;
};

// A name that says no more than a place: "unit 3", "roi 12".
bool is_nameless(const std::string& name) {
  const size_t space = name.find(' ');
  const std::string word = name.substr(0, space);
  return space != std::string::npos && (word == "unit" || word == "roi") && space + 1 < name.size() &&
         name.find_first_not_of("0123456789", space + 1) == std::string::npos;
}

// "2/3" and "23" are what tables call the layer L2/3.
std::string layer_text(const std::string& layer) {
  if (layer.empty() || layer[0] < '0' || layer[0] > '9') return layer;
  return "L" + (layer == "23" ? "2/3" : layer);
}

std::string population_name(const CellLabels& c) {
  std::string name;
  for (const std::string& part : {c.area, layer_text(c.layer), c.type})
    if (!part.empty()) name += (name.empty() ? "" : " ") + part;
  return name;
}

}  // namespace

bool is_cell_table(std::string_view csv) {
  TextRows rows(csv.substr(0, 4096));
  std::vector<std::string_view> header;
  if (csv.find('\0') < 4096 || !rows.next(header)) return false;
  const CellColumns c = cell_columns(header);
  const bool named = c.unit >= 0 || c.index >= 0;
  return (c.says() || (c.label >= 0 && c.index >= 0)) && (named || header.size() <= 4) &&
         column_named(header, {"value", "t", "time", "time_s", "frame", "event"}) < 0;
}

std::string sign_of(std::string_view text) {
  const std::string s = lower_case(text);
  const auto begins = [&](const char* word) { return s.rfind(word, 0) == 0; };
  if (s == "+" || s == "+1" || s == "1" || s == "e" || begins("exc") || begins("glu")) return "+";
  if (s == "-" || s == "-1" || s == "\xe2\x88\x92" || s == "i" || begins("inh") || begins("gaba") || begins("gly"))
    return "-";
  return {};
}

Status join_cells(std::string_view csv, std::string_view file_name, Recording& r) {
  const std::string file(file_name);
  TextRows lines(csv);
  std::vector<std::string_view> f;
  if (!lines.next(f)) return Error{file, "is empty; give a table of unit, area, layer, type and sign"};
  const size_t width = f.size();
  const CellColumns c = cell_columns(f);
  if (!c.says() && !(c.label >= 0 && c.index >= 0))
    return Error{file, "has no column area, layer, type or sign; its header is " +
                           listed(std::vector<std::string>(f.begin(), f.end()))};
  std::vector<CellRow> rows;
  std::vector<std::string> odd_signs;
  while (lines.next(f)) {
    if (f.size() != width)
      return Error{file, "line " + std::to_string(lines.line()) + " has " + std::to_string(f.size()) +
                             " fields where the header has " + std::to_string(width)};
    const auto text = [&](int64_t column) {
      return column < 0 ? std::string() : std::string(f[static_cast<size_t>(column)]);
    };
    CellRow row{text(c.unit), text(c.label), -1, {text(c.area), text(c.layer), text(c.type), ""}};
    row.cell.sign = sign_of(text(c.sign));
    const std::string sign = text(c.sign);
    if (row.cell.sign.empty() && !sign.empty() && lower_case(sign) != "unknown" && sign != "?" && sign != "0" &&
        odd_signs.size() < 20 && std::find(odd_signs.begin(), odd_signs.end(), sign) == odd_signs.end())
      odd_signs.push_back(sign);
    // A column of whole numbers is an index, whatever it is called.
    for (int64_t column : {c.index, c.unit}) {
      double v = 0;
      if (row.index < 0 && column >= 0 && lines.number(f[static_cast<size_t>(column)], v) && v >= 0 && v < 1e9 &&
          v == std::floor(v))
        row.index = static_cast<int64_t>(v);
    }
    rows.push_back(std::move(row));
  }

  std::map<std::string, size_t> by_name;
  std::map<int64_t, size_t> by_index;
  for (size_t k = 0; k < rows.size(); ++k) {
    if (!rows[k].name.empty()) by_name.emplace(rows[k].name, k);
    if (!rows[k].label.empty()) by_name.emplace(rows[k].label, k);
    if (rows[k].index >= 0) by_index.emplace(rows[k].index, k);
  }
  std::string how = "name";
  std::vector<int64_t> row_of(static_cast<size_t>(r.units), -1);
  int64_t matched = 0;
  const auto match = [&](const auto& find) {
    matched = 0;
    for (int64_t u = 0; u < r.units; ++u) matched += (row_of[u] = find(u)) >= 0;
    return matched > 0;
  };
  const auto place = [&](int64_t u) { return r.places.empty() ? u : r.places[u]; };
  const bool by_names = match([&](int64_t u) {
    const auto it = by_name.find(r.names[u]);
    return it == by_name.end() ? int64_t{-1} : static_cast<int64_t>(it->second);
  });
  if (!by_names) {
    how = "index";
    const bool found = match([&](int64_t u) {
      const auto it = by_index.find(place(u));
      return it == by_index.end() ? int64_t{-1} : static_cast<int64_t>(it->second);
    });
    if (!found && c.unit < 0 && c.index < 0) {
      how = "row";
      match([&](int64_t u) { return place(u) < static_cast<int64_t>(rows.size()) ? place(u) : int64_t{-1}; });
    }
  }
  if (matched == 0)
    return Error{file, "matches none of the recording's units: they are " + listed(r.names, 5) + ", and it names " +
                           (rows.empty() ? "none" : "'" + rows[0].name + "'") +
                           " first; give a column unit with these names, or index with 0-based places"};

  r.cells.assign(static_cast<size_t>(r.units), {});
  std::vector<std::string> without;
  bool renamed = false;
  for (int64_t u = 0; u < r.units; ++u) {
    if (row_of[u] < 0) {
      without.push_back(r.names[u]);
      continue;
    }
    const CellRow& row = rows[static_cast<size_t>(row_of[u])];
    r.cells[u] = row.cell;
    if (how != "name" && is_nameless(r.names[u]) && !row.label.empty()) {
      renamed = renamed || row.label != r.names[u];
      r.names[u] = row.label;
    }
  }
  r.notes.push_back(file + ": " + std::to_string(matched) + " of " + std::to_string(r.units) + " units joined by " +
                    how + (renamed ? ", which names them" : "") +
                    (without.empty() ? "" : "; without a row: " + listed(without)));
  if (!odd_signs.empty())
    r.notes.push_back(file + ": signs that are not understood: " + listed(odd_signs) + " (+ and - are)");
  return {};
}

Status average_populations(Recording& r) {
  if (r.cells.empty())
    return Error{"recording.average",
                 "needs to know the units' populations; give a cell table in recording.cells, or "
                 "none"};
  std::vector<std::string> names;
  std::map<std::string, size_t> number;
  int64_t used = 0;
  std::vector<std::vector<int64_t>> members;
  std::vector<CellLabels> cells;
  for (int64_t u = 0; u < r.units; ++u) {
    const std::string name = population_name(r.cells[u]);
    if (name.empty()) {
      r.dropped.push_back({r.names[u], "of no known population"});
      continue;
    }
    const size_t at = number.emplace(name, names.size()).first->second;
    if (at == names.size()) {
      names.push_back(name);
      members.emplace_back();
      cells.push_back(r.cells[u]);
    }
    members[at].push_back(u);
    ++used;
    if (cells[at].sign != r.cells[u].sign) cells[at].sign.clear();
  }
  if (names.empty())
    return Error{"recording.average", "finds no area, layer or type of any unit in the cell table; give some, or none"};
  const auto channels = static_cast<int64_t>(names.size());
  std::vector<float> values(static_cast<size_t>(r.frames * channels));
  r.missing = 0;
  for (int64_t t = 0; t < r.frames; ++t)
    for (int64_t k = 0; k < channels; ++k) {
      double sum = 0;
      int64_t present = 0;
      for (int64_t u : members[k]) {
        const double v = static_cast<double>(r.values[t * r.units + u]);
        if (std::isnan(v)) continue;
        sum += v;
        ++present;
      }
      r.missing += present == 0;
      values[t * channels + k] = present == 0 ? NAN : static_cast<float>(sum / static_cast<double>(present));
    }
  std::vector<std::string> sizes;
  for (size_t k = 0; k < names.size(); ++k) sizes.push_back(names[k] + " of " + std::to_string(members[k].size()));
  r.notes.push_back(std::to_string(used) + " units averaged into " + std::to_string(channels) +
                    " populations: " + listed(sizes, 20));
  r.values = std::move(values);
  r.units = channels;
  r.names = std::move(names);
  r.cells = std::move(cells);
  r.places.clear();
  return {};
}

}  // namespace dalea
