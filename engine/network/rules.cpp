#include "network/rules.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <set>

#include "numerics/math.h"
#include "numerics/rng.h"
#include "recording/text_rows.h"
#include "spec/fields.h"

namespace dalea {
namespace {

constexpr const char *table_layers[] = {"l4", "l23", "l5", "l6"}, *table_types[] = {"pyr", "sst", "vip"};

// SEEDS 4.3; (post, pre), each L4, L2/3, L5, L6 x Pyr, SST, VIP.
constexpr double cell_types[12][12] = {
    {.10, .22, 0, .05, .04, 0, 0, .19, 0, 0, 0, 0},     {.04, .01, .14, .17, 0, .14, .08, .04, .20, 0, 0, 0},
    {0, .22, .03, 0, .13, .05, .02, .14, 0, 0, 0, 0},   {.07, .33, 0, .06, .23, .05, 0, .15, 0, 0, 0, 0},
    {.04, .05, .25, .30, .05, .14, 0, .05, 0, 0, 0, 0}, {.02, .21, 0, .16, .30, .01, 0, .13, 0, 0, .14, 0},
    {0, .08, 0, .08, 0, 0, .04, .15, 0, 0, .02, 0},     {.03, .04, .11, .04, 0, 0, .10, .03, .05, 0, .01, 0},
    {.11, .07, .04, 0, 0, .04, .02, .10, .03, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0, 0, .06, .01, .05, 0},
    {0, 0, 0, 0, 0, 0, .02, .02, .07, .12, .05, .06},   {0, 0, 0, 0, 0, 0, 0, 0, .03, 0, .15, 0}};

// As labels are compared: in lower case, without slashes.
std::string plain_label(std::string_view label) {
  std::string text;
  for (char c : label)
    if (c != '/') text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::vector<std::string> words_in(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (char c : std::string(text) + " ") {
    if (c != ' ' && c != '\t') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(word);
      word.clear();
    }
  }
  return words;
}

int table_row(const Population& p) {
  const std::string layer = plain_label(p.layer), type = plain_label(p.type);
  for (int l = 0; l < 4; ++l)
    for (int t = 0; t < 3; ++t)
      if (layer == table_layers[l] && type == table_types[t]) return 3 * l + t;
  return -1;
}

struct Motif {
  std::vector<size_t> from, to;
  double p = 0;
};

// What could have been meant: "areas V1, LM; layers L4, L23; types Pyr, SST".
std::string pickable(const Spec& spec) {
  std::string text;
  const auto add = [&](const char* what, auto label) {
    std::vector<std::string> list;
    for (const Population& p : spec.populations)
      if (!label(p).empty() && std::find(list.begin(), list.end(), label(p)) == list.end()) list.push_back(label(p));
    if (!list.empty()) text += (text.empty() ? "" : "; ") + std::string(what) + " " + listed(list);
  };
  add("areas", [](const Population& p) { return p.area; });
  add("layers", [](const Population& p) { return p.layer; });
  add("types", [](const Population& p) { return p.type; });
  add("populations", [](const Population& p) { return p.name; });
  return text;
}

Result<Motif> read_motif(const Spec& spec, size_t k) {
  constexpr const char* remedy = "give one as \"V1 L23 Pyr -> LM L4: 0.3\"";
  const std::string& text = spec.connectivity.motifs[k];
  const std::string path = "connectivity.motifs[" + std::to_string(k) + "]";
  const auto wrong = [&](const std::string& message) { return Error{path, "'" + text.substr(0, 60) + "' " + message}; };
  const size_t arrow = text.find("->"), colon = text.rfind(':');
  if (arrow == std::string::npos) return wrong(std::string("has no '->' between source and target; ") + remedy);
  if (colon == std::string::npos || colon < arrow)
    return wrong(std::string("has no ':' before its probability; ") + remedy);
  const std::vector<std::string> number = words_in(std::string_view(text).substr(colon + 1));
  char* end = nullptr;
  const double p = number.size() == 1 ? std::strtod(number[0].c_str(), &end) : -1;
  if (number.size() != 1 || *end != '\0' || !(p >= 0 && p <= 1))
    return wrong("does not end with a probability; give 0 to 1 after the colon");
  Motif motif;
  motif.p = p;
  const std::string sides[] = {text.substr(0, arrow), text.substr(arrow + 2, colon - arrow - 2)};
  for (int side = 0; side < 2; ++side) {
    std::vector<size_t>& list = side == 0 ? motif.from : motif.to;
    list = picked(spec, sides[side]);
    if (list.empty()) {
      std::string words;
      for (const std::string& w : words_in(sides[side])) words += (words.empty() ? "" : " ") + w;
      return wrong("has " + (words.empty() ? std::string("nothing") : "'" + words.substr(0, 60) + "'") +
                   (side == 0 ? " as its source" : " as its target") +
                   ", which no population matches; use words of these: " + pickable(spec));
    }
  }
  return motif;
}

// As given; an empty one is `otherwise` everywhere.
double given_probability(const Spec& spec, size_t post, size_t pre, double otherwise) {
  const auto& p = spec.connectivity.probability;
  if (p.empty()) return otherwise;
  if (p.size() == 1 && p[0].size() == 1) return p[0][0];
  return post < p.size() && pre < p[post].size() ? p[post][pre] : 0;
}

double table_rule(const Spec& spec, size_t post, size_t pre) {
  const Population &to = spec.populations[post], &from = spec.populations[pre];
  if (spec.connectivity.table != "cell-types" || to.area != from.area) return 0;
  const double p = table_probability(to, from);
  return std::isnan(p) ? 0 : p;
}

double united(double p, double q) {  // exactly p or q where the other is 0
  return p == 0 ? q : q == 0 ? p : 1 - (1 - p) * (1 - q);
}

BlockMatrix without_motifs(const Spec& spec) {
  const size_t n = spec.populations.size();
  const double otherwise = has_rules(spec) ? 0 : 1;
  BlockMatrix m(n, std::vector<double>(n));
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) m[i][j] = united(given_probability(spec, i, j, otherwise), table_rule(spec, i, j));
  return m;
}

// The parts of the types' ratio; empty: not one.
std::vector<int64_t> parts_of(const StructureSpec& s) {
  if (s.ratio.empty()) return std::vector<int64_t>(s.types.size(), 1);
  std::vector<int64_t> parts;
  int64_t part = 0;
  bool digit = false;
  for (char c : s.ratio + ":") {
    if (c >= '0' && c <= '9' && part <= most_units) {
      part = 10 * part + (c - '0');
      digit = true;
    } else if (c == ':' && digit && part > 0) {
      parts.push_back(part);
      part = 0;
      digit = false;
    } else if (c != ' ') {
      return {};
    }
  }
  return parts;
}

bool sign_of(const std::string& text, Sign& to) {
  for (Sign s : {Sign::excitatory, Sign::inhibitory, Sign::free})
    if (text == sign_text(s)) {
      to = s;
      return true;
    }
  return false;
}

}  // namespace

bool has_rules(const Spec& spec) {
  return spec.connectivity.table != "none" || !spec.connectivity.motifs.empty();
}

double table_probability(const Population& post, const Population& pre) {
  const int i = table_row(post), j = table_row(pre);
  return i < 0 || j < 0 ? std::nan("") : cell_types[i][j];
}

std::vector<size_t> picked(const Spec& spec, const std::string& text) {
  const std::vector<std::string> words = words_in(text);
  std::vector<size_t> list;
  if (words.empty()) return list;
  for (size_t k = 0; k < spec.populations.size(); ++k)
    if (words_in(plain_label(spec.populations[k].name)) == words_in(plain_label(text))) return {k};
  for (size_t k = 0; k < spec.populations.size(); ++k) {
    const Population& p = spec.populations[k];
    const std::string labels[] = {plain_label(p.area), plain_label(p.layer), plain_label(p.type)};
    const bool all = std::all_of(words.begin(), words.end(), [&](const std::string& w) {
      return std::find(std::begin(labels), std::end(labels), plain_label(w)) != std::end(labels);
    });
    if (all) list.push_back(k);
  }
  return list;
}

BlockMatrix block_probability(const Spec& spec) {
  BlockMatrix m = without_motifs(spec);
  for (size_t k = 0; k < spec.connectivity.motifs.size(); ++k) {
    const Result<Motif> motif = read_motif(spec, k);
    if (!motif) continue;
    for (size_t i : motif->to)
      for (size_t j : motif->from) m[i][j] = united(m[i][j], motif->p);
  }
  if (spec.connectivity.distance > 0) {
    const double decay = mean_decay(spec.connectivity.distance);
    for (size_t i = 0; i < m.size(); ++i)
      for (size_t j = 0; j < m.size(); ++j)
        if (spec.populations[i].area == spec.populations[j].area) m[i][j] *= decay;
  }
  return m;
}

std::vector<std::vector<uint8_t>> from_motif(const Spec& spec) {
  const BlockMatrix other = without_motifs(spec);
  std::vector<std::vector<uint8_t>> marks(other.size(), std::vector<uint8_t>(other.size(), 0));
  for (size_t k = 0; k < spec.connectivity.motifs.size(); ++k) {
    const Result<Motif> motif = read_motif(spec, k);
    if (!motif || motif->p == 0) continue;
    for (size_t i : motif->to)
      for (size_t j : motif->from)
        if (other[i][j] == 0) marks[i][j] = 1;
  }
  return marks;
}

Problems rule_problems(const Spec& spec) {
  Problems problems;
  if (!has_rules(spec)) return problems;
  if (spec.populations.size() > most_ruled) {
    problems.push_back({"connectivity." + std::string(spec.connectivity.motifs.empty() ? "table" : "motifs"),
                        "is for at most " + std::to_string(most_ruled) + " populations, not " +
                            std::to_string(spec.populations.size()) + "; leave it out or join populations"});
    return problems;
  }
  if (spec.connectivity.motifs.size() > most_ruled) {
    problems.push_back({"connectivity.motifs", "has more than " + std::to_string(most_ruled) + " entries; give fewer"});
    return problems;
  }
  for (size_t k = 0; k < spec.connectivity.motifs.size(); ++k)
    if (const Result<Motif> motif = read_motif(spec, k); !motif) problems.push_back(motif.error());
  if (spec.connectivity.table == "cell-types" && std::none_of(spec.populations.begin(), spec.populations.end(),
                                                              [](const Population& p) { return table_row(p) >= 0; }))
    problems.push_back({"connectivity.table",
                        "matches no population: it has the layers L4, L23, L5, L6 and the types Pyr, SST, VIP; give "
                        "populations such labels, or none"});
  return problems;
}

Positions sheet_positions(const Spec& spec, int64_t run) {
  Positions at;
  if (!(spec.connectivity.distance > 0)) return at;
  const int64_t n = spec.units();
  for (int64_t i = 0; i < n; ++i) {
    Rng rng(spec.seed, Purpose::position, static_cast<uint32_t>(run), 0, static_cast<uint32_t>(i));
    at.x.push_back(static_cast<double>(rng.uniform()));
    at.y.push_back(static_cast<double>(rng.uniform()));
  }
  return at;
}

double mean_decay(double distance) {
  // Differences of coordinates have the density 2 (1 - x). Steps of x = t^3 are fine where the exponential is steep.
  constexpr int steps = 128;
  double sum = 0;
  std::vector<double> x, weight;
  for (int k = 0; k < steps; ++k) {
    const double t = (k + 0.5) / steps;
    x.push_back(t * t * t);
    weight.push_back(2 * (1 - x.back()) * 3 * t * t / steps);
  }
  for (int a = 0; a < steps; ++a)
    for (int b = 0; b < steps; ++b)
      sum += weight[static_cast<size_t>(a)] * weight[static_cast<size_t>(b)] *
             portable::exp(-std::sqrt(x[static_cast<size_t>(a)] * x[static_cast<size_t>(a)] +
                                      x[static_cast<size_t>(b)] * x[static_cast<size_t>(b)]) /
                           distance);
  return std::min(1.0, sum);
}

bool structure_makes_populations(const Spec& spec) {
  return !spec.structure.types.empty() && (spec.connectome.source == "none" || spec.connectome.level == "units");
}

Problems structure_problems(const Spec& spec) {
  Problems problems;
  const StructureSpec& s = spec.structure;
  const auto bad = [&](const char* key, std::string message) {
    problems.push_back({std::string("structure.") + key, std::move(message)});
  };
  if (s.types.empty()) {
    if (!s.areas.empty() || !s.layers.empty() || !s.signs.empty() || !s.ratio.empty())
      bad("types", "is empty, so that the structure makes no populations; give the types, such as [\"E\", \"I\"]");
    return problems;
  }
  if (!structure_makes_populations(spec)) {
    bad("types", "and a connectome of regions both make the populations; leave one of them out");
    return problems;
  }
  const auto distinct = [&](const char* key, const std::vector<std::string>& list) {
    std::set<std::string> seen;
    for (const std::string& label : list) {
      if (label.empty() || label.size() > 60)
        return bad(key, "has a label that is empty or longer than 60 characters; give each a short one");
      if (!seen.insert(label).second) return bad(key, "has '" + label + "' twice; give each label once");
    }
  };
  distinct("areas", s.areas);
  distinct("layers", s.layers);
  distinct("types", s.types);
  const auto at_least_one = [](size_t n) { return std::max<size_t>(1, n); };
  for (size_t n :
       {s.areas.size(), s.layers.size(), s.types.size(), at_least_one(s.areas.size()) * at_least_one(s.layers.size()),
        at_least_one(s.areas.size()) * at_least_one(s.layers.size()) * s.types.size()})
    if (n > most_ruled) {
      bad("types", "with areas and layers make more than " + std::to_string(most_ruled) + " populations; give fewer");
      break;
    }
  if (s.signs.size() != s.types.size())
    bad("signs", "has " + std::to_string(s.signs.size()) + " entries for " + std::to_string(s.types.size()) +
                     (s.types.size() == 1 ? " type" : " types") + "; give each type \"+\", \"-\" or \"free\"");
  for (const std::string& text : s.signs)
    if (Sign sign; !sign_of(text, sign)) {
      bad("signs", "has '" + text.substr(0, 20) + "', which is not one of +, -, free");
      break;
    }
  const std::vector<int64_t> parts = parts_of(s);
  if (parts.empty() && !s.ratio.empty())
    bad("ratio", "'" + s.ratio.substr(0, 60) + "' is not a ratio; give whole numbers from 1 up as 12:2:1");
  else if (parts.size() != s.types.size())
    bad("ratio", "has " + std::to_string(parts.size()) + " parts for " + std::to_string(s.types.size()) +
                     (s.types.size() == 1 ? " type" : " types") + "; give one part for each");
  for (int64_t part : parts)
    if (s.scale < 1 || part > most_units / s.scale) {
      bad("scale", "makes populations of more than " + std::to_string(most_units) +
                       " units, or none; give a smaller scale or ratio");
      break;
    }
  return problems;
}

void make_populations(Spec& spec) {
  if (!structure_makes_populations(spec) || !structure_problems(spec).empty()) return;
  const StructureSpec& s = spec.structure;
  const std::vector<int64_t> parts = parts_of(s);
  const std::vector<std::string> one(1);
  spec.populations.clear();
  for (const std::string& area : s.areas.empty() ? one : s.areas)
    for (const std::string& layer : s.layers.empty() ? one : s.layers)
      for (size_t t = 0; t < s.types.size(); ++t) {
        Population p;
        for (const std::string* label : {&area, &layer, &s.types[t]})
          if (!label->empty()) p.name += (p.name.empty() ? "" : " ") + *label;
        p.size = parts[t] * s.scale;
        sign_of(s.signs[t], p.sign);
        p.area = area;
        p.layer = layer;
        p.type = s.types[t];
        spec.populations.push_back(std::move(p));
      }
}

namespace {

constexpr const char* table_columns[] = {"connection-probability", "pre-layer", "post-layer", "pre-cell-type",
                                         "post-cell-type"};

std::string_view table_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

bool is_probability_table(std::span<const std::byte> bytes) {
  TextRows rows(table_text(bytes.first(std::min<size_t>(bytes.size(), 4096))));
  std::vector<std::string_view> header;
  if (!rows.next(header)) return false;
  return std::all_of(std::begin(table_columns), std::end(table_columns),
                     [&](const char* name) { return column_named(header, {name}) >= 0; });
}

Result<int64_t> read_probability_table(std::span<const std::byte> bytes, Spec& spec) {
  TextRows rows(table_text(bytes));
  std::vector<std::string_view> fields;
  const bool any = rows.next(fields);
  int64_t column[5], needed = 0;
  for (size_t c = 0; c < 5; ++c) {
    column[c] = any ? column_named(fields, {table_columns[c]}) : -1;
    needed = std::max(needed, column[c]);
    if (column[c] < 0)
      return Error{"table", "has no column '" + std::string(table_columns[c]) +
                                "'; its first line is connection-probability,pre-layer,post-layer,pre-cell-type,"
                                "post-cell-type"};
  }
  const size_t n = spec.populations.size();
  if (n > most_ruled)
    return Error{"table", "is for at most " + std::to_string(most_ruled) + " populations; join some of them"};
  BlockMatrix matrix(n, std::vector<double>(n));
  const double otherwise = 0;
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) matrix[i][j] = given_probability(spec, i, j, otherwise);
  // Populations by layer and type, so that a row costs what it fills.
  std::vector<std::pair<std::string, size_t>> index;
  for (size_t k = 0; k < n; ++k)
    index.push_back({plain_label(spec.populations[k].layer) + "\n" + plain_label(spec.populations[k].type), k});
  std::sort(index.begin(), index.end());
  const auto members = [&](const std::string& key) {
    std::vector<size_t> list;
    for (auto at = std::lower_bound(index.begin(), index.end(), std::pair<std::string, size_t>{key, 0});
         at != index.end() && at->first == key; ++at)
      list.push_back(at->second);
    return list;
  };
  std::set<std::pair<size_t, size_t>> filled;
  std::vector<std::string> found;
  while (rows.next(fields)) {
    const std::string line = "line " + std::to_string(rows.line());
    if (static_cast<int64_t>(fields.size()) <= needed)
      return Error{"table", line + " has " + std::to_string(fields.size()) + " fields, fewer than its header needs"};
    const auto field = [&](int c) { return fields[static_cast<size_t>(column[c])]; };
    double p = -1;
    if (!rows.number(field(0), p) || !(p >= 0 && p <= 1))
      return Error{"table", line + ": '" + std::string(field(0).substr(0, 40)) + "' is not a probability; give 0 to 1"};
    const std::string pre_key = plain_label(field(1)) + "\n" + plain_label(field(3)),
                      post_key = plain_label(field(2)) + "\n" + plain_label(field(4));
    const std::string shown = std::string(field(1).substr(0, 20)) + " " + std::string(field(3).substr(0, 20));
    if (found.size() < 100 && std::find(found.begin(), found.end(), shown) == found.end()) found.push_back(shown);
    for (size_t i : members(post_key))
      for (size_t j : members(pre_key)) {
        if (spec.populations[i].area != spec.populations[j].area) continue;
        if (!filled.insert({i, j}).second && matrix[i][j] != p)
          return Error{"table",
                       line + " gives another probability for a pair that an earlier line has; keep one of them"};
        matrix[i][j] = p;
      }
  }
  if (filled.empty())
    return Error{"table", "fits no pair of populations: it has " + listed(found) +
                              "; give the populations such a layer and type"};
  spec.connectivity.probability = std::move(matrix);
  spec.connectivity.table = "none";
  return static_cast<int64_t>(filled.size());
}

}  // namespace dalea
