#include "analysis/blocks.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>

#include "analysis/statistics.h"

namespace dalea {
namespace {

constexpr const char* level_names[] = {"population", "layer", "area", "type"};

// From the surface down: L1, L2/3 (as L2, L23 or L2/3), L4, L5, L6, then what is none of these.
int depth_of(const std::string& layer) {
  const size_t at = layer.find_first_of("0123456789");
  return layer.empty() || at == std::string::npos ? 99 : layer[at] - '0';
}

std::string joined(const std::string& a, const std::string& b) {
  return a.empty() || b.empty() ? a + b : a + " " + b;
}

size_t place_in(const std::vector<std::string>& names, const std::string& name) {
  return static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

}  // namespace

const char* name_of(BlockLevel level) {
  return level_names[static_cast<size_t>(level)];
}

Result<BlockLevel> parse_block_level(std::string_view name) {
  for (size_t k = 0; k < std::size(level_names); ++k)
    if (name == level_names[k]) return static_cast<BlockLevel>(k);
  return Error{"level", "is '" + std::string(name) + "'; the levels are population, layer, area and type"};
}

int64_t BlockGroups::units() const {
  return std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
}

bool BlockGroups::operator==(const BlockGroups& other) const {
  if (level != other.level || groups.size() != other.groups.size() || of_population != other.of_population ||
      sizes != other.sizes)
    return false;
  for (size_t k = 0; k < groups.size(); ++k)
    if (groups[k].name != other.groups[k].name) return false;
  return true;
}

Result<BlockGroups> group_blocks(const std::vector<Population>& populations, BlockLevel level) {
  if (populations.empty()) return Error{"populations", "are missing; give at least one"};
  BlockGroups out;
  out.level = level;
  std::vector<std::string> areas, layers;
  std::vector<BlockGroup> wanted;  // of each population
  bool labelled = false;
  for (const Population& p : populations) {
    BlockGroup g;
    if (level != BlockLevel::type) g.area = p.area;
    if (level == BlockLevel::population || level == BlockLevel::layer) g.layer = p.layer;
    if (level == BlockLevel::population || level == BlockLevel::type) g.type = p.type;
    g.name = joined(g.area, joined(g.layer, g.type));
    labelled = labelled || !g.name.empty();
    if (level == BlockLevel::population) g.name = p.name;
    if (g.name.empty()) g.name = "unlabelled";
    if (place_in(areas, g.area) == areas.size()) areas.push_back(g.area);
    if (place_in(layers, g.layer) == layers.size()) layers.push_back(g.layer);
    out.sizes.push_back(p.size);
    wanted.push_back(std::move(g));
  }
  if (level != BlockLevel::population && !labelled)
    return Error{"level", "is " + std::string(name_of(level)) + ", but no population says its " +
                              (level == BlockLevel::layer ? "area or layer" : name_of(level)) +
                              "; label the populations, or use the level population"};
  std::vector<size_t> order(populations.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto key = [&](size_t k) {
    return std::make_tuple(place_in(areas, wanted[k].area), depth_of(wanted[k].layer),
                           place_in(layers, wanted[k].layer));
  };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return key(a) < key(b); });
  out.of_population.resize(populations.size());
  for (size_t k : order) {
    auto at = std::find_if(out.groups.begin(), out.groups.end(),
                           [&](const BlockGroup& g) { return g.name == wanted[k].name; });
    if (at == out.groups.end()) at = out.groups.insert(out.groups.end(), wanted[k]);
    at->units += populations[k].size;
    out.of_population[k] = static_cast<size_t>(at - out.groups.begin());
  }
  return out;
}

namespace {

std::vector<size_t> group_of_unit(const BlockGroups& groups) {
  std::vector<size_t> out;
  for (size_t p = 0; p < groups.sizes.size(); ++p)
    out.insert(out.end(), static_cast<size_t>(groups.sizes[p]), groups.of_population[p]);
  return out;
}

}  // namespace

Result<BlockAverages> average_blocks(const Weights& w, const BlockGroups& groups) {
  const Synapses synapses = synapses_of(w);
  if (w.rows != w.cols || w.rows != groups.units())
    return Error{w.name.empty() ? "weights" : w.name,
                 "has " + std::to_string(w.rows) + " x " + std::to_string(w.cols) + " entries, but the populations " +
                     std::to_string(groups.units()) + " units; give the matrix of this network"};
  if (Status ok = check_synapses(synapses, w.name.empty() ? "weights" : w.name); !ok) return ok.error();
  const std::vector<size_t> of = group_of_unit(groups);
  const size_t n = groups.count();
  BlockAverages out;
  out.groups = n;
  out.mean.assign(n * n, 0);
  out.mean_abs.assign(n * n, 0);
  out.density.assign(n * n, 0);
  for (size_t post = 0; post < n; ++post)
    for (size_t pre = 0; pre < n; ++pre) out.entries.push_back(groups.groups[post].units * groups.groups[pre].units);
  each_synapse(synapses, [&](int64_t i, int64_t j, float value) {
    const size_t block = of[static_cast<size_t>(i)] * n + of[static_cast<size_t>(j)];
    const auto v = static_cast<double>(value);
    out.mean[block] += v;
    out.mean_abs[block] += std::fabs(v);
    if (std::fabs(v) >= connection_threshold) out.density[block] += 1;
  });
  for (size_t block = 0; block < n * n; ++block) {
    const auto entries = static_cast<double>(out.entries[block]);
    out.mean[block] /= entries;
    out.mean_abs[block] /= entries;
    out.density[block] /= entries;
  }
  return out;
}

Result<std::vector<uint8_t>> possible_blocks(const BlockGroups& groups,
                                             const std::vector<std::vector<double>>& probability) {
  const size_t n = groups.count(), populations = groups.sizes.size();
  if (probability.empty()) return std::vector<uint8_t>(n * n, 1);
  std::vector<uint8_t> out(n * n, 0);
  if (probability.size() != populations)
    return Error{"probability", "has " + std::to_string(probability.size()) + " rows for " +
                                    std::to_string(populations) + " populations; give one for each"};
  for (size_t post = 0; post < populations; ++post) {
    if (probability[post].size() != populations)
      return Error{"probability[" + std::to_string(post) + "]", "has " + std::to_string(probability[post].size()) +
                                                                    " values for " + std::to_string(populations) +
                                                                    " populations; give one for each"};
    for (size_t pre = 0; pre < populations; ++pre)
      if (probability[post][pre] > 0) out[groups.of_population[post] * n + groups.of_population[pre]] = 1;
  }
  return out;
}

std::vector<uint8_t> possible_blocks(const BlockGroups& groups, const Pattern* mask) {
  const size_t n = groups.count();
  if (!mask || mask->rows != groups.units() || mask->cols != groups.units()) return std::vector<uint8_t>(n * n, 1);
  const std::vector<size_t> of = group_of_unit(groups);
  std::vector<uint8_t> out(n * n, 0);
  for (int64_t j = 0; j < mask->cols; ++j)
    for (int64_t e = mask->col_start[static_cast<size_t>(j)]; e < mask->col_start[static_cast<size_t>(j) + 1]; ++e)
      out[of[static_cast<size_t>(mask->row[static_cast<size_t>(e)])] * n + of[static_cast<size_t>(j)]] = 1;
  return out;
}

Result<Dispersion> dispersion_of(Values runs) {
  if (Status ok = check_values(runs, "runs", 1); !ok) return ok.error();
  Dispersion d;
  const auto n = static_cast<double>(runs.size());
  for (double v : runs) d.mean += v;
  d.mean /= n;
  for (double v : runs) d.variance += (v - d.mean) * (v - d.mean);
  d.variance /= n;
  d.sd = std::sqrt(d.variance);
  const auto [least, most] = std::minmax_element(runs.begin(), runs.end());
  d.range = *most - *least;
  d.iqr = *quantile(runs, 0.75) - *quantile(runs, 0.25);
  d.cv = d.mean != 0 ? d.sd / d.mean : std::numeric_limits<double>::quiet_NaN();
  d.confidence = 1 - d.cv;
  return d;
}

std::vector<double> block_currents(const Currents& currents, const BlockGroups& groups) {
  const size_t n = groups.count(), populations = groups.sizes.size();
  std::vector<double> out(n * n, 0);
  if (currents.recurrent.size() != populations * populations) return out;
  for (size_t post = 0; post < populations; ++post)
    for (size_t pre = 0; pre < populations; ++pre)
      out[groups.of_population[post] * n + groups.of_population[pre]] +=
          currents.recurrent[post * populations + pre] * static_cast<double>(groups.sizes[post]);
  for (size_t post = 0; post < n; ++post)
    for (size_t pre = 0; pre < n; ++pre) out[post * n + pre] /= static_cast<double>(groups.groups[post].units);
  return out;
}

}  // namespace dalea
