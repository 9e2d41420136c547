#include "connectome/recorded.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "recording/text_rows.h"

namespace dalea {

Result<Connectome> recorded_nodes(const Connectome& c, const std::vector<std::string>& units) {
  std::map<std::string, int64_t> index;
  for (int64_t i = 0; i < c.nodes; ++i) index[c.names[i]] = i;
  std::vector<int64_t> kept;
  std::vector<std::string> strangers;
  std::set<int64_t> seen;
  for (const std::string& unit : units) {
    const auto it = index.find(unit);
    if (it == index.end())
      strangers.push_back(unit);
    else if (seen.insert(it->second).second)
      kept.push_back(it->second);
  }
  const auto n = static_cast<int64_t>(kept.size());
  if (n < 2)
    return Error{"connectome.nodes",
                 "is recorded, but " + std::to_string(n) +
                     " of the recording's units are nodes of the connectome: the units are " + listed(units, 5) +
                     ", the nodes " + listed(c.names, 5) +
                     "; give the units the connectome's names (recording.cells), or take all nodes"};
  Connectome r = c;
  r.nodes = n;
  r.names.clear();
  r.weight.assign(static_cast<size_t>(n * n), 0.0);
  r.density.clear();
  r.sign.clear();
  r.x.clear();
  r.y.clear();
  r.self_links = 0;
  for (int64_t a = 0; a < n; ++a) {
    const auto from = static_cast<size_t>(kept[a]);
    r.names.push_back(c.names[from]);
    if (!c.density.empty()) r.density.push_back(c.density[from]);
    if (!c.sign.empty()) r.sign.push_back(c.sign[from]);
    if (!c.x.empty()) r.x.push_back(c.x[from]);
    if (!c.y.empty()) r.y.push_back(c.y[from]);
    for (int64_t b = 0; b < n; ++b) r.weight[static_cast<size_t>(a * n + b)] = c.at(kept[a], kept[b]);
    r.self_links += r.at(a, a) != 0;
  }
  if (r.links() == r.self_links)
    return Error{"connectome.nodes", "is recorded, but there is no link between any two of the " + std::to_string(n) +
                                         " nodes that are recorded (" + listed(r.names, 5) + "); take all nodes"};
  r.symmetric = true;
  for (int64_t a = 0; a < n; ++a)
    for (int64_t b = 0; b < a; ++b) r.symmetric = r.symmetric && r.at(a, b) == r.at(b, a);
  std::string note = std::to_string(n) + " of its " + std::to_string(c.nodes) + " nodes are recorded, with " +
                     std::to_string(r.links()) + " of its " + std::to_string(c.links()) + " links";
  if (!strangers.empty())
    note += "; " + std::to_string(strangers.size()) + " units are left out, being no nodes: " + listed(strangers, 5);
  if (!r.sign.empty()) {
    const auto of = [&](Sign s) { return std::to_string(std::count(r.sign.begin(), r.sign.end(), s)); };
    note += "; of the nodes " + of(Sign::excitatory) + " are excitatory, " + of(Sign::inhibitory) + " inhibitory, " +
            of(Sign::free) + " free";
  }
  r.notes.push_back(note);
  return r;
}

Result<Recording> recorded_units(Recording r, const std::vector<std::string>& nodes) {
  std::map<std::string, int64_t> index;
  for (int64_t u = r.units - 1; u >= 0; --u) index[r.names[u]] = u;  // the first of a name
  std::vector<int64_t> kept;
  std::vector<std::string> lacking;
  for (const std::string& node : nodes) {
    const auto it = index.find(node);
    if (it == index.end())
      lacking.push_back(node);
    else
      kept.push_back(it->second);
  }
  if (!lacking.empty())
    return Error{"connectome.nodes", "is recorded, but the recording has no unit named " + listed(lacking, 5) +
                                         "; its units are " + listed(r.names, 5) +
                                         ": open the connectome again together with this recording"};
  const auto n = static_cast<int64_t>(kept.size());
  if (n == r.units && std::is_sorted(kept.begin(), kept.end())) return r;
  std::vector<uint8_t> taken(static_cast<size_t>(r.units), 0);
  for (int64_t u : kept) taken[u] = 1;
  for (int64_t u = 0; u < r.units; ++u)
    if (taken[u] == 0) r.dropped.push_back({r.names[u], "not a node of the connectome"});
  std::vector<float> values(static_cast<size_t>(r.frames * n));
  r.missing = 0;
  for (int64_t f = 0; f < r.frames; ++f)
    for (int64_t k = 0; k < n; ++k) {
      const float v = r.values[static_cast<size_t>(f * r.units + kept[k])];
      r.missing += std::isnan(v);
      values[static_cast<size_t>(f * n + k)] = v;
    }
  const auto choose = [&](auto& list) {
    if (list.empty()) return;
    auto all = std::move(list);
    list.clear();
    for (int64_t u : kept) list.push_back(all[static_cast<size_t>(u)]);
  };
  choose(r.names);
  choose(r.places);
  choose(r.cells);
  r.values = std::move(values);
  r.units = n;
  return r;
}

bool is_sign_table(std::string_view csv) {
  std::vector<std::string_view> header;
  TextRows rows(csv.substr(0, 4096));
  if (csv.substr(0, 4096).find('\0') != std::string_view::npos || !rows.next(header) || header.size() > 8) return false;
  return column_named(header, {"sign", "transmitter", "neurotransmitter", "dominant_nt", "nt", "dale"}) >= 0 &&
         column_named(header, {"name", "neuron", "unit", "cell", "node", "region", "label", "id"}) >= 0 &&
         column_named(header, {"from", "source", "pre", "presynaptic", "to", "target", "post", "index", "layer", "type",
                               "cell_type", "class"}) < 0;
}

}  // namespace dalea
