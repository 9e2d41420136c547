// A connectome becomes the experiment's architecture: populations of its regions, or the units themselves.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "connectome/connectome.h"
#include "recording/text_rows.h"

namespace dalea {
namespace {

// Neurons of each region. Ranks: 1, 2, ... from the least dense, ties in the regions' order (SEEDS 6.3, Q25).
Result<std::vector<int64_t>> neurons_of(const Connectome& c, const ConnectomeSpec& k) {
  const auto n = static_cast<size_t>(c.nodes);
  if (c.density.empty()) return std::vector<int64_t>(n, k.neurons);
  std::vector<std::string> missing;
  for (size_t i = 0; i < n; ++i)
    if (!(c.density[i] > 0)) missing.push_back(c.names[i]);
  if (!missing.empty())
    return Error{"connectome.densities", "have no number above 0 for " + listed(missing) +
                                             "; fill them in, or leave connectome.densities empty and give "
                                             "connectome.neurons for every region"};
  std::vector<int64_t> size(n);
  if (k.density_scaling == "rank") {
    std::vector<size_t> order(n);
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return c.density[a] < c.density[b]; });
    for (size_t r = 0; r < n; ++r) size[order[r]] = static_cast<int64_t>(r + 1) * k.neurons;
    return size;
  }
  const double least = *std::min_element(c.density.begin(), c.density.end());
  double all = 0;
  for (size_t i = 0; i < n; ++i) {
    const double v = k.density_scaling == "ratio"
                         ? std::nearbyint(c.density[i] / least * static_cast<double>(k.neurons))
                         : c.density[i];
    all += v;
    if (v != std::floor(v))
      return Error{"connectome.densities", "of '" + c.names[i] +
                                               "' is not a whole number of neurons; set connectome.density_scaling to "
                                               "rank or ratio"};
    if (all > 1e6)
      return Error{"connectome.densities",
                   "give more than 1,000,000 neurons; set connectome.density_scaling to rank or ratio"};
    size[i] = static_cast<int64_t>(v);
  }
  return size;
}

Status check_units(const Spec& spec, const Connectome& c) {
  if (c.nodes != spec.units())
    return Error{"connectome.level", "units: the connectome has " + std::to_string(c.nodes) +
                                         " nodes, the populations " + std::to_string(spec.units()) +
                                         " units; make them as many, or take level regions, which makes a population "
                                         "of each node"};
  if (c.sign.empty()) return {};
  size_t unit = 0;
  for (const Population& p : spec.populations)
    for (int64_t q = 0; q < p.size; ++q, ++unit)
      if (c.sign[unit] != Sign::free && c.sign[unit] != p.sign)
        return Error{"connectome.level", "units: node '" + c.names[unit] + "' is " +
                                             (c.sign[unit] == Sign::excitatory ? "excitatory" : "inhibitory") +
                                             ", but lies in population '" + p.name +
                                             "' of another sign; take level regions with connectome.neurons 1, which "
                                             "takes the signs"};
  return {};
}

}  // namespace

Status attach_connectome(Spec& spec, Connectome connectome) {
  return attach_connectome(spec, std::make_shared<const Connectome>(std::move(connectome)));
}

Status attach_connectome(Spec& spec, std::shared_ptr<const Connectome> measured) {
  const ConnectomeSpec& k = spec.connectome;
  const Connectome& c = *measured;
  if (!spec.connectivity.probability.empty() || !spec.connectivity.motifs.empty() ||
      spec.connectivity.table != "none" || spec.connectivity.distance > 0)
    return Error{"connectivity",
                 "has probabilities or rules, but the connectome says who connects to whom; remove "
                 "connectivity.probability, .table, .motifs and .distance"};
  Spec changed = spec;
  changed.measured = measured;
  if (k.level == "units") {
    if (Status ok = check_units(spec, c); !ok) return ok;
  } else {
    const Result<std::vector<int64_t>> size = neurons_of(c, k);
    if (!size) return size.error();
    Population model;
    if (!spec.populations.empty()) model.tau_s = spec.populations.front().tau_s;
    changed.populations.clear();
    for (int64_t i = 0; i < c.nodes; ++i) {
      Population p = model;
      p.name = p.area = c.names[i];
      p.size = (*size)[i];
      if (!c.sign.empty()) p.sign = c.sign[i];
      const int64_t inhibitory =
          k.inhibitory > 0 && p.size > 1
              ? std::clamp<int64_t>(static_cast<int64_t>(std::nearbyint(k.inhibitory * static_cast<double>(p.size))), 1,
                                    p.size - 1)
              : 0;
      if (inhibitory > 0) {
        Population e = p;
        e.name += " E";
        e.type = "E";
        e.sign = Sign::excitatory;
        e.size -= inhibitory;
        changed.populations.push_back(e);
        p.name += " I";
        p.type = "I";
        p.sign = Sign::inhibitory;
        p.size = inhibitory;
      } else if (k.inhibitory > 0) {
        p.sign = Sign::excitatory;  // one neuron
      }
      changed.populations.push_back(p);
    }
  }
  if (changed.connectome.source == "none") changed.connectome.source = c.kind == "synthetic" ? "synthetic" : "file";
  changed.connectome.sha256 = c.sha256;
  if (const Problems problems = check_spec(changed); !problems.empty()) return problems.front();
  if (Status ok = check_scaling(changed); !ok) return ok;
  spec = std::move(changed);
  return {};
}

Status attach_own_connectome(Spec& spec) {
  if (spec.connectome.source == "synthetic") return attach_connectome(spec, make_synthetic_connectome(spec));
  spec.measured = nullptr;
  return {};
}

}  // namespace dalea
