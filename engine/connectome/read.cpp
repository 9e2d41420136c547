// Connectomes from bytes: square matrices and edge lists, with names, signs and densities.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <set>
#include <unordered_map>

#include "connectome/connectome.h"
#include "recording/arrays.h"
#include "recording/hdf5.h"
#include "recording/text_rows.h"

namespace dalea {
namespace {

using Fields = std::vector<std::string_view>;
constexpr int64_t most_nodes = 10000;

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
bool is_npy(std::span<const std::byte> bytes) {
  return text_of(bytes.first(std::min<size_t>(2, bytes.size()))) == "\x93N";
}
bool is_text(std::span<const std::byte> bytes) {
  return !is_npy(bytes) && !holds_arrays(bytes) && text_of(bytes).substr(0, 4096).find('\0') == std::string_view::npos;
}

Error too_many_nodes(const std::string& file, int64_t nodes) {
  return {file, "has " + std::to_string(nodes) + " nodes; at most " + std::to_string(most_nodes) +
                    " are possible: save the part that is to be used"};
}

// Where no other separator is used, runs of spaces separate.
bool separated_by_spaces(std::string_view text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  return line.find_first_of(",;\t") == std::string_view::npos &&
         line.find(' ', line.find_first_not_of(' ')) != std::string_view::npos;
}
std::string with_commas(std::string_view text) {
  std::string to;
  to.reserve(text.size());
  bool pending = false;
  for (char c : text) {
    if (c == ' ') {
      pending = !to.empty() && to.back() != '\n';
      continue;
    }
    if (pending && c != '\r' && c != '\n') to += ',';
    pending = false;
    to += c;
  }
  return to;
}

// ---- edge lists

struct EdgeColumns {
  int64_t from = -1, to = -1, kind = -1, weight = -1;
  bool header = false;
};

bool is_whole(const TextRows& rows, std::string_view f) {
  double v = 0;
  return rows.number(f, v) && v >= 0 && v == std::floor(v);
}

// The columns of a list of links; from < 0: it is none.
EdgeColumns edge_columns(std::string_view text) {
  TextRows rows(text);
  EdgeColumns c;
  Fields f;
  if (!rows.next(f)) return c;
  c.from = column_named(f, {"from", "source", "pre", "presynaptic", "sender", "from_node", "pre_name", "src"});
  c.to = column_named(f, {"to", "target", "post", "postsynaptic", "receiver", "to_node", "post_name", "dst"});
  if (c.from >= 0 && c.to >= 0) {
    c.header = true;
    c.kind = column_named(f, {"kind", "type", "synapse_type", "edge_type"});
    c.weight = column_named(f, {"weight", "synapses", "strength", "count", "number", "n", "value", "fln", "nbr"});
    if (c.weight < 0) {
      const auto last = static_cast<int64_t>(f.size()) - 1;
      Fields second;
      double v = 0;
      if (last != c.from && last != c.to && last != c.kind && rows.next(second) &&
          static_cast<int64_t>(second.size()) > last && rows.number(second[static_cast<size_t>(last)], v))
        c.weight = last;
    }
    return c;
  }
  c.from = c.to = -1;
  const size_t width = f.size();
  if (width < 2 || width > 4) return c;
  double v = 0;
  const auto fits = [&](const Fields& row) {
    const bool named = !rows.number(row[0], v) && !rows.number(row[1], v) && !row[0].empty() && !row[1].empty();
    const bool numbered = is_whole(rows, row[0]) && is_whole(rows, row[1]);
    return (named || numbered) && (width == 2 || rows.number(row[width - 1], v));
  };
  // Numbers in a table that is not longer than it is wide are a matrix.
  const bool numbers = is_whole(rows, f[0]);
  int64_t lines = fits(f) ? 1 : 0;
  for (; lines > 0 && lines < 200 && rows.next(f);) {
    if (f.size() != width || !fits(f)) lines = -1;
    ++lines;
  }
  if (lines < 1 || (numbers && lines <= static_cast<int64_t>(width))) return c;
  c.from = 0;
  c.to = 1;
  if (width > 2) c.weight = static_cast<int64_t>(width) - 1;
  if (width == 4) c.kind = 2;
  return c;
}

bool is_electrical(std::string_view kind) {
  const std::string k = lower_case(kind);
  return k.rfind("electric", 0) == 0 || k.rfind("gap", 0) == 0 || k == "ej" || k == "e";
}

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> list;
  std::string one;
  for (char ch : text + ",") {
    if (ch != ',') {
      if (ch != ' ' || !one.empty()) one += ch;
      continue;
    }
    while (!one.empty() && one.back() == ' ') one.pop_back();
    if (!one.empty()) list.push_back(one);
    one.clear();
  }
  return list;
}

// The columns of a table of nodes with their positions; x < 0: it is none.
struct NodeColumns {
  int64_t name = -1, x = -1, y = -1;
};

NodeColumns node_columns(const Fields& header) {
  const NodeColumns c{column_named(header, {"name", "region", "area", "node", "label", "neuron", "id"}),
                      column_named(header, {"x", "x_mm", "x_um"}), column_named(header, {"y", "y_mm", "y_um"})};
  return c.name >= 0 && c.x >= 0 && c.y >= 0 ? c : NodeColumns();
}

Status read_node_table(std::string_view text, Connectome& to) {
  TextRows rows(text);
  Fields f;
  rows.next(f);
  const NodeColumns c = node_columns(f);
  while (rows.next(f)) {
    const std::string line = "line " + std::to_string(rows.line());
    if (static_cast<int64_t>(f.size()) <= std::max({c.name, c.x, c.y}))
      return Error{"connectome.names", line + " has " + std::to_string(f.size()) + " fields; give a name, x and y"};
    double x = 0, y = 0;
    for (const auto& [column, value] : {std::pair(c.x, &x), std::pair(c.y, &y)})
      if (!rows.number(f[static_cast<size_t>(column)], *value))
        return Error{"connectome.names", line + " has '" + std::string(f[static_cast<size_t>(column)].substr(0, 40)) +
                                             "' for a position; give every node a number for x and y, or leave both "
                                             "columns out"};
    to.names.emplace_back(f[static_cast<size_t>(c.name)].substr(0, 200));
    to.x.push_back(x);
    to.y.push_back(y);
    if (static_cast<int64_t>(to.names.size()) > most_nodes) return too_many_nodes("connectome.names", most_nodes + 1);
  }
  return {};
}

// One name a line, or a table with the columns name, x and y.
Status read_names(std::span<const std::byte> bytes, Connectome& to) {
  std::vector<std::string>& names = to.names;
  std::string_view text = text_of(bytes);
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  if (is_node_table(bytes)) return read_node_table(text, to);
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line.find('\0') != std::string_view::npos)
      return Error{"connectome.names", "is not text; give one name a line"};
    if (!line.empty()) names.emplace_back(line.substr(0, 200));
    if (static_cast<int64_t>(names.size()) > most_nodes) return too_many_nodes("connectome.names", most_nodes + 1);
  }
  return {};
}

struct Edge {
  int32_t from, to;
  bool both;
  double weight;
};

Status read_edges(std::string_view text, const EdgeColumns& c, const ConnectomeFiles& files, const ConnectomeSpec& spec,
                  Connectome& to) {
  const std::string& file = files.matrix_name;
  TextRows rows(text);
  Fields f;
  if (c.header) rows.next(f);
  std::unordered_map<std::string, int32_t> index;
  const bool given = !to.names.empty();
  for (size_t k = 0; k < to.names.size(); ++k) index[to.names[k]] = static_cast<int32_t>(k);
  const auto node = [&](std::string_view name) -> int32_t {
    const auto it = index.find(std::string(name));
    if (it != index.end()) return it->second;
    if (given) return -1;
    const auto fresh = static_cast<int32_t>(to.names.size());
    index.emplace(name, fresh);
    to.names.emplace_back(name);
    return fresh;
  };
  const std::vector<std::string> wanted = split_list(spec.kinds);
  std::set<std::string> used;
  std::map<std::string, int64_t> kinds;
  std::vector<Edge> edges;
  std::set<std::string> strangers;
  const auto most = static_cast<size_t>(std::max({c.from, c.to, c.kind, c.weight}));
  int64_t skipped = 0;
  while (rows.next(f)) {
    const std::string where = "line " + std::to_string(rows.line());
    if (f.size() <= most)
      return Error{file, where + " has " + std::to_string(f.size()) + " fields; a link needs from, to" +
                             (c.kind >= 0 ? ", kind" : "") + (c.weight >= 0 ? " and weight" : "")};
    if (f[c.from].empty() || f[c.to].empty()) {
      ++skipped;
      continue;
    }
    bool both = false;
    if (c.kind >= 0) {
      const std::string kind(f[c.kind].substr(0, 60));
      if (kinds.size() < 1000) ++kinds[kind];
      if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), kind) == wanted.end()) continue;
      both = is_electrical(kind);
    }
    double w = 1;
    if (c.weight >= 0 && !rows.number(f[c.weight], w))
      return Error{file, where + ": '" + std::string(f[c.weight].substr(0, 40)) + "' is not a weight; give a number"};
    if (w < 0)
      return Error{file, where +
                             " has a negative weight; give its magnitude, and the sender's sign in a table "
                             "(connectome.signs)"};
    const int32_t a = node(f[c.from]), b = node(f[c.to]);
    if (a < 0) strangers.insert(std::string(f[c.from].substr(0, 60)));
    if (b < 0) strangers.insert(std::string(f[c.to].substr(0, 60)));
    if (strangers.size() > 20 || static_cast<int64_t>(to.names.size()) > most_nodes) break;
    if (a >= 0 && b >= 0) edges.push_back({a, b, both, w});
  }
  if (!strangers.empty())
    return Error{file, "has links of nodes that connectome.names does not list: " +
                           listed({strangers.begin(), strangers.end()}, 5) + "; add them or leave the names out"};
  std::vector<std::string> known;
  for (const auto& [kind, count] : kinds) known.push_back(kind + " (" + std::to_string(count) + ")");
  for (const std::string& kind : wanted)
    if (kinds.count(kind) == 0)
      return Error{"connectome.kinds", "'" + kind + "' is not a kind of link in " + file + "; it has " +
                                           (known.empty() ? "no kinds" : listed(known))};
  const auto n = static_cast<int64_t>(to.names.size());
  if (n > most_nodes) return too_many_nodes(file, n);
  // A matrix of all pairs is made of it: of a list of very few links it would be much larger than the file.
  if (n > 4000 && static_cast<uint64_t>(n) * static_cast<uint64_t>(n) * 8 > 256 * uint64_t{text.size()})
    return Error{file, "has " + std::to_string(n) + " nodes but only " + std::to_string(edges.size()) +
                           " links; take a part with at most 4000 nodes"};
  if (n < 2) return Error{file, "has links of fewer than two nodes; give from, to and weight, a link a line"};
  to.nodes = n;
  to.kind = "edge list";
  to.weight.assign(static_cast<size_t>(n * n), 0.0);
  const bool turned = spec.orientation == "column-to-row";
  int64_t repeated = 0, electrical = 0;
  std::unordered_map<uint64_t, double> pairs;  // of electrical links, as listed
  for (const Edge& e : edges) {
    const int64_t a = turned ? e.to : e.from, b = turned ? e.from : e.to;
    if (e.both) {
      pairs[static_cast<uint64_t>(a * n + b)] += e.weight;
      ++electrical;
      continue;
    }
    repeated += to.weight[a * n + b] != 0;
    to.weight[a * n + b] += e.weight;
  }
  // An electrical synapse works both ways, whether it is listed once or twice.
  std::vector<std::pair<uint64_t, double>> ways(pairs.begin(), pairs.end());
  std::sort(ways.begin(), ways.end());
  for (const auto& [at, w] : ways) {
    const int64_t a = static_cast<int64_t>(at) / n, b = static_cast<int64_t>(at) % n;
    const auto other = pairs.find(static_cast<uint64_t>(b * n + a));
    if (other != pairs.end() && a > b) continue;  // done with the other
    const double value = other != pairs.end() ? std::max(w, other->second) : w;
    to.weight[a * n + b] += value;
    if (a != b) to.weight[b * n + a] += value;
  }
  for (double w : to.weight)
    if (!std::isfinite(w)) return Error{file, "has weights that sum beyond what a number can hold"};
  to.notes.push_back("edge list: " + std::to_string(edges.size()) + " links of " + std::to_string(n) + " nodes" +
                     (c.weight < 0 ? ", no weights (1 each)" : "") + (known.empty() ? "" : ", kinds " + listed(known)));
  if (electrical > 0) to.notes.push_back(std::to_string(electrical) + " electrical links were made symmetric");
  if (repeated > 0)
    to.notes.push_back(std::to_string(repeated) + " links stand more than once; their weights are summed");
  if (skipped > 0) to.notes.push_back(std::to_string(skipped) + " lines without a node were passed over");
  if (turned) to.notes.push_back("the list's second node projects to its first, as stated");
  return {};
}

// ---- matrices

// The array that can be one: the only square matrix, or the largest.
std::string square_array(const ArrayList& list) {
  std::string best;
  int64_t largest = 1;
  for (const ArrayInfo& a : list.arrays) {
    if (!a.unusable.empty() || a.shape.size() != 2 || a.shape[0] != a.shape[1] || a.shape[0] <= largest) continue;
    largest = a.shape[0];
    best = a.name;
  }
  return best;
}

// A header of numbers is read as values: row and column 0 hold 0, 1, 2, ... (or 1, 2, 3, ...) and the corner is empty.
void strip_numbered(Table& t) {
  const int64_t n = t.rows;
  if (n < 3 || t.cols != n || !std::isnan(t.values[0]) || !t.column_names.empty()) return;
  for (int64_t k = 1; k < n; ++k)
    if (t.values[k] != t.values[k * n] || t.values[k] != t.values[1] + static_cast<double>(k - 1)) return;
  std::vector<double> inner;
  for (int64_t i = 1; i < n; ++i)
    inner.insert(inner.end(), t.values.begin() + i * n + 1, t.values.begin() + (i + 1) * n);
  for (int64_t k = 1; k < n; ++k) t.row_names.push_back(std::to_string(static_cast<int64_t>(t.values[k])));
  t.values = std::move(inner);
  t.rows = t.cols = n - 1;
}

Result<Table> read_square(const ConnectomeFiles& files, const ConnectomeSpec& spec) {
  const std::string& file = files.matrix_name;
  std::string array = spec.array;
  if (is_text(files.matrix)) {
    const std::string_view text = text_of(files.matrix);
    const auto lines = static_cast<int64_t>(std::count(text.begin(), text.end(), '\n'));
    if (lines > most_nodes + 1)
      return Error{file, "has " + std::to_string(lines) + " lines and is not a list of links; a matrix has at most " +
                             std::to_string(most_nodes) + " nodes"};
  } else {
    const Result<ArrayList> list = list_arrays(files.matrix, file);
    if (!list) return list.error();
    if (holds_arrays(files.matrix) && array.empty()) array = square_array(*list);
    for (const ArrayInfo& a : list->arrays)
      if (a.name == array && a.shape.size() == 2 && std::min(a.shape[0], a.shape[1]) > most_nodes)
        return too_many_nodes(file, std::min(a.shape[0], a.shape[1]));
  }
  Result<Table> table = read_table(files.matrix, file, array);
  if (!table) {
    Error e = table.error();
    if (e.path.rfind("recording.", 0) == 0) e.path = "connectome" + e.path.substr(9);
    return e;
  }
  strip_numbered(*table);
  if (table->rows != table->cols)
    return Error{file,
                 "is a table of " + std::to_string(table->rows) + " x " + std::to_string(table->cols) +
                     "; a connectome is a square matrix, or a list of links with the columns from, to and weight"};
  if (table->rows < 2) return Error{file, "has one node; a connectome has two or more"};
  return table;
}

Status name_matrix(Table& t, const std::string& file, Connectome& to) {
  if (!to.names.empty()) return {};  // given apart
  if (!t.row_names.empty() && !t.column_names.empty() && t.row_names != t.column_names) {
    std::map<std::string, int64_t> place;
    for (size_t k = 0; k < t.column_names.size(); ++k) place[t.column_names[k]] = static_cast<int64_t>(k);
    std::vector<int64_t> column;
    std::vector<std::string> lacking;
    for (const std::string& name : t.row_names) {
      const auto it = place.find(name);
      if (it == place.end())
        lacking.push_back(name);
      else
        column.push_back(it->second);
    }
    if (!lacking.empty() || place.size() != t.row_names.size())
      return Error{file, "names its rows and its columns differently" +
                             (lacking.empty() ? std::string() : ": no column is called " + listed(lacking, 3)) +
                             "; both must name the same nodes"};
    std::vector<double> sorted(t.values.size());
    for (int64_t i = 0; i < t.rows; ++i)
      for (int64_t j = 0; j < t.cols; ++j) sorted[i * t.cols + j] = t.values[i * t.cols + column[j]];
    t.values = std::move(sorted);
    to.notes.push_back("its columns were put in the order of its rows");
  }
  to.names = !t.row_names.empty() ? t.row_names : t.column_names;
  return {};
}

// Whether the entries of each row (or column) but zeros have one sign.
bool one_sign(const std::vector<double>& w, int64_t n, bool rows) {
  for (int64_t i = 0; i < n; ++i) {
    bool more = false, less = false;
    for (int64_t j = 0; j < n; ++j) {
      const double v = rows ? w[i * n + j] : w[j * n + i];
      more = more || v > 0;
      less = less || v < 0;
    }
    if (more && less) return false;
  }
  return true;
}

Status read_matrix(const ConnectomeFiles& files, const ConnectomeSpec& spec, Connectome& to) {
  const std::string& file = files.matrix_name;
  Result<Table> table = read_square(files, spec);
  if (!table) return table.error();
  const int64_t n = to.nodes = table->rows;
  if (!to.names.empty() && static_cast<int64_t>(to.names.size()) != n)
    return Error{"connectome.names", "lists " + std::to_string(to.names.size()) + " names, but " + file + " has " +
                                         std::to_string(n) + " nodes; give one name a line, in their order"};
  if (Status ok = name_matrix(*table, file, to); !ok) return ok;
  to.kind = "matrix";
  std::vector<double>& w = table->values;
  bool negative = false;
  for (int64_t k = 0; k < n * n; ++k) {
    if (std::isnan(w[k]))
      return Error{file, "has no number in row " + std::to_string(k / n + 1) + ", column " + std::to_string(k % n + 1) +
                             "; give 0 where there is no connection"};
    negative = negative || w[k] < 0;
  }
  to.notes.push_back("matrix: " + table->format);
  const bool turned = spec.orientation == "column-to-row";
  if (negative) {
    const bool rows = one_sign(w, n, true), columns = one_sign(w, n, false);
    to.single_signed = rows && columns ? "both" : rows ? "rows" : columns ? "columns" : "neither";
    if (!rows && !columns)
      return Error{file,
                   "has positive and negative weights in the same row and in the same column, so it breaks Dale's "
                   "law either way round; give magnitudes, and the signs in a table (connectome.signs)"};
    if (turned ? !columns : !rows)
      return Error{"connectome.orientation",
                   std::string("is ") + spec.orientation + ", but only the " + to.single_signed + " of " + file +
                       " have one sign each: Dale's law suggests " + (turned ? "row-to-column" : "column-to-row")};
    to.sign.assign(static_cast<size_t>(n), Sign::free);
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) {
        const double v = turned ? w[j * n + i] : w[i * n + j];
        if (v != 0) to.sign[i] = v > 0 ? Sign::excitatory : Sign::inhibitory;
      }
    for (double& v : w) v = std::fabs(v);
    to.notes.push_back("its " + to.single_signed +
                       (rows && columns ? " rows and columns have one sign each: the signs fit either orientation"
                                        : " have one sign each, as Dale's law asks of the sending neurons: signs are "
                                          "taken from them"));
  } else {
    to.notes.push_back("no weight is negative, so Dale's law says nothing of its orientation; rows are taken as " +
                       std::string(turned ? "targets, columns as sources" : "sources, columns as targets"));
  }
  if (turned)
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < i; ++j) std::swap(w[i * n + j], w[j * n + i]);
  to.weight = std::move(w);
  return {};
}

// ---- what goes with it

Sign sign_of_transmitter(std::string_view text) {
  const std::string s = lower_case(text);
  if (s == "+" || s == "+1" || s == "1" || s == "e") return Sign::excitatory;
  if (s == "-" || s == "-1" || s == "i") return Sign::inhibitory;
  // One transmitter, or several ("ACh, GABA"): of one mind, or free. Glutamate is free: its receptors differ between
  // species. Modulators say nothing.
  bool excites = false, inhibits = false, either = false;
  for (size_t at = 0; at < s.size();) {
    size_t end = at;
    while (end < s.size() && std::isalnum(static_cast<unsigned char>(s[end])) != 0) ++end;
    const std::string_view one = std::string_view(s).substr(at, end - at);
    const auto begins = [&](const char* word) { return one.rfind(word, 0) == 0; };
    excites = excites || begins("exc") || begins("ach") || begins("acetylcholine") || begins("cholin");
    inhibits = inhibits || begins("inh") || begins("gaba") || begins("gly");
    either = either || begins("glu");
    at = end + 1;
  }
  if (either || excites == inhibits) return Sign::free;
  return excites ? Sign::excitatory : Sign::inhibitory;
}

// Rows of name and value, by the header's names or as they stand.
struct NamedRows {
  std::vector<std::pair<std::string, std::string>> rows;
};
Result<NamedRows> named_rows(std::string_view text, const std::string& path, const Fields& value_names) {
  if (text.find('\0') != std::string_view::npos)
    return Error{path, "is not a text table; give a CSV of name and value"};
  TextRows rows(text);
  Fields f;
  NamedRows list;
  int64_t name = 0, value = 1;
  bool first = true;
  while (rows.next(f)) {
    if (first) {
      first = false;
      const int64_t v = column_named(f, value_names);
      const int64_t n = column_named(f, {"name", "neuron", "unit", "cell", "node", "region", "area", "label", "id"});
      if (v >= 0) {
        value = v;
        name = n >= 0 ? n : v == 0 ? 1 : 0;
        continue;
      }
    }
    if (static_cast<int64_t>(f.size()) <= std::max(name, value))
      return Error{path, "line " + std::to_string(rows.line()) + " has " + std::to_string(f.size()) +
                             " fields; give a name and a value"};
    list.rows.emplace_back(f[name], f[value]);
  }
  return list;
}

Status read_signs(std::span<const std::byte> bytes, Connectome& to) {
  const std::string path = "connectome.signs";
  const Result<NamedRows> table =
      named_rows(text_of(bytes), path, {"sign", "transmitter", "neurotransmitter", "dominant_nt", "nt", "dale"});
  if (!table) return table.error();
  std::map<std::string, Sign> known;
  for (const auto& [name, value] : table->rows) known[name] = sign_of_transmitter(value);
  to.sign.assign(static_cast<size_t>(to.nodes), Sign::free);
  int64_t matched = 0, count[3] = {};
  for (int64_t i = 0; i < to.nodes; ++i) {
    const auto it = known.find(to.names[i]);
    if (it != known.end()) {
      ++matched;
      to.sign[i] = it->second;
    }
    ++count[static_cast<int>(to.sign[i])];
  }
  if (matched == 0)
    return Error{path, "names none of the nodes: it has " +
                           (table->rows.empty() ? std::string("no rows") : "'" + table->rows[0].first + "'") +
                           ", the connectome '" + to.names[0] + "'; give the names of the connectome"};
  to.notes.push_back("signs: " + std::to_string(count[0]) + " excitatory, " + std::to_string(count[1]) +
                     " inhibitory, " + std::to_string(count[2]) + " free; " + std::to_string(to.nodes - matched) +
                     " nodes are not in the table, " + std::to_string(static_cast<int64_t>(known.size()) - matched) +
                     " of its names are not nodes");
  return {};
}

Status read_densities(std::span<const std::byte> bytes, Connectome& to) {
  const std::string path = "connectome.densities";
  const auto n = static_cast<size_t>(to.nodes);
  if (is_npy(bytes)) {
    const Result<NpyHeader> header = read_npy_header(bytes, path);
    if (!header) return header.error();
    Result<std::vector<double>> values = read_npy_values(bytes, *header);
    if (!values) return values.error();
    to.density = std::move(*values);
  } else if (holds_arrays(bytes)) {
    Result<Table> table = read_table(bytes, path);
    if (!table) return table.error();
    to.density = std::move(table->values);
  } else {
    TextRows rows(text_of(bytes));
    Fields f;
    bool single = true;
    for (int k = 0; k < 2; ++k) single = rows.next(f) ? f.size() == 1 : single;
    const auto value = [&](std::string_view text, double& v) {
      const std::string low = lower_case(text);
      if (!text.empty() && low != "nan" && low != "na") return rows.number(text, v);
      v = std::nan("");
      return true;
    };
    double v = 0;
    if (single) {
      TextRows again(text_of(bytes));
      for (bool first = true; again.next(f); first = false) {
        if (f.size() == 1 && value(f[0], v))
          to.density.push_back(v);
        else if (!first)
          return Error{path, "line " + std::to_string(again.line()) + " is not a number; give one density a line"};
      }
    } else {
      const Result<NamedRows> table =
          named_rows(text_of(bytes), path, {"density", "neurons", "neuron_density", "value"});
      if (!table) return table.error();
      std::map<std::string, double> known;
      for (const auto& [name, text] : table->rows)
        if (value(text, v)) known[name] = v;
      to.density.assign(n, std::nan(""));
      for (size_t i = 0; i < n; ++i)
        if (const auto it = known.find(to.names[i]); it != known.end()) to.density[i] = it->second;
    }
  }
  if (to.density.size() != n)
    return Error{path, "holds " + std::to_string(to.density.size()) + " numbers for " + std::to_string(n) +
                           " nodes; give one of each, in their order, or a CSV of name and density"};
  std::vector<std::string> missing;
  for (size_t i = 0; i < n; ++i) {
    if (to.density[i] < 0 || std::isinf(to.density[i]))
      return Error{path,
                   "of '" + to.names[i] + "' is not a density; give a positive number, or NaN where it is not known"};
    if (std::isnan(to.density[i])) missing.push_back(to.names[i]);
  }
  if (!missing.empty()) to.notes.push_back("densities are missing of " + listed(missing));
  return {};
}

}  // namespace

bool is_node_table(std::span<const std::byte> bytes) {
  if (!is_text(bytes)) return false;
  TextRows rows(text_of(bytes));
  Fields f;
  return rows.next(f) && node_columns(f).x >= 0;
}

bool is_connectome(std::span<const std::byte> bytes, std::string_view file_name) {
  if (bytes.empty()) return false;
  if (!is_text(bytes)) {
    const Result<ArrayList> list = list_arrays(bytes, file_name);
    return list && suggests_connectome(*list);
  }
  std::string_view text = text_of(bytes);
  const EdgeColumns edges = edge_columns(text);
  if (edges.header) return true;
  TextRows rows(text);
  Fields f;
  double v = 0;
  if (edges.from >= 0) return rows.next(f) && !rows.number(f[0], v);  // numbers alone may be a recording
  if (!rows.next(f)) return false;
  auto width = static_cast<int64_t>(f.size());
  if (separated_by_spaces(text)) {
    const std::string first = with_commas(text.substr(0, text.find('\n')));
    width = std::count(first.begin(), first.end(), ',') + 1;
  }
  const int64_t most = std::min<int64_t>(width, most_nodes) + 1;
  int64_t lines = 0;  // no more are counted than can be: a recording may be long
  for (size_t at = 0; lines <= most && at < text.size(); ++lines) at = std::min(text.find('\n', at), text.size()) + 1;
  if (lines > most_nodes + 1) return false;
  return width > 2 && (lines == width || lines == width + 1 || (lines == width - 1 && lines > 2));
}

Result<Connectome> read_connectome(const ConnectomeFiles& files, const ConnectomeSpec& spec) {
  const std::string& file = files.matrix_name;
  if (files.matrix.empty()) return Error{file, "is empty; give a square matrix or a list of links"};
  Connectome c;
  c.source = file;
  if (!spec.sha256.empty()) c.sha256 = sha256_hex(files.matrix);
  if (spec.sha256 != c.sha256)
    return Error{"connectome.sha256", "is not that of " + file + " (" + c.sha256.substr(0, 12) +
                                          "...); give the file that the experiment was made with, or remove the key"};
  if (!files.names.empty())
    if (Status ok = read_names(files.names, c); !ok) return ok.error();
  std::string commas;
  ConnectomeFiles given = files;
  if (is_text(files.matrix) && separated_by_spaces(text_of(files.matrix))) {
    commas = with_commas(text_of(files.matrix));
    given.matrix = {reinterpret_cast<const std::byte*>(commas.data()), commas.size()};
  }
  const EdgeColumns edges = is_text(given.matrix) ? edge_columns(text_of(given.matrix)) : EdgeColumns();
  Status ok = edges.from >= 0 ? read_edges(text_of(given.matrix), edges, given, spec, c) : read_matrix(given, spec, c);
  if (!ok) return ok.error();
  if (c.names.empty())
    for (int64_t i = 0; i < c.nodes; ++i) c.names.push_back("R" + std::to_string(i + 1));
  std::set<std::string> seen;
  for (const std::string& name : c.names)
    if (name.empty() || !seen.insert(name).second)
      return Error{files.names.empty() ? file : "connectome.names",
                   name.empty() ? "has a node without a name; give every one a name"
                                : "names two nodes '" + name + "'; give every one a name of its own"};
  if (c.sha256.empty()) c.sha256 = sha256_hex(files.matrix);
  c.symmetric = true;
  for (int64_t i = 0; i < c.nodes; ++i) {
    c.self_links += c.at(i, i) != 0;
    for (int64_t j = 0; j < i; ++j) c.symmetric = c.symmetric && c.at(i, j) == c.at(j, i);
  }
  if (!files.signs.empty())
    if (ok = read_signs(files.signs, c); !ok) return ok.error();
  if (!files.densities.empty())
    if (ok = read_densities(files.densities, c); !ok) return ok.error();
  return c;
}

}  // namespace dalea
