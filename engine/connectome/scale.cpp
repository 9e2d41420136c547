// Regions to neurons (SEEDS 6.2), and the network's mask and initial weights from them.
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "connectome/connectome.h"
#include "connectome/null_models.h"

namespace dalea {
namespace {

constexpr int64_t most_connections = sizeof(void*) == 4 ? 20'000'000 : 100'000'000;

// As numpy: half to even.
int64_t rounded(double v) {
  return static_cast<int64_t>(std::nearbyint(v));
}

double unit_interval(Rng& rng) {
  const uint64_t high = rng.u32() >> 5, low = rng.u32() >> 6;
  return static_cast<double>((high << 26) | low) * 0x1p-53;
}

// Stick breaking: n positive parts that sum to `whole`, in random order. Parts shrink geometrically, so the smallest
// are held at the size of rounding errors of the whole, where the published code's ended up as well.
std::vector<double> parts_of(double whole, int64_t n, Rng& rng) {
  std::vector<double> parts(static_cast<size_t>(n));
  double left = whole;
  for (size_t k = 0; k + 1 < parts.size(); ++k) {
    parts[k] = left * unit_interval(rng);
    left -= parts[k];
  }
  parts.back() = left;
  for (double& p : parts) p = std::max(p, whole * 1e-15);
  for (size_t k = parts.size(); k > 1; --k) std::swap(parts[k - 1], parts[rng.below(static_cast<uint32_t>(k))]);
  return parts;
}

// How many targets a neuron has in a region of n; `own`: within its own region.
int64_t targets_in(const ConnectomeSpec& k, int64_t n, bool own) {
  const double share = own ? k.intrinsic_sparsity : k.target_sparsity;
  const int64_t all = own && !k.keep_diagonal ? n - 1 : n;
  const int64_t wanted = share >= 1 ? n : std::max<int64_t>(1, rounded(share * static_cast<double>(n)));
  return std::min(wanted, all);
}

struct Layout {
  std::vector<int64_t> size, begin;  // of each region's units
};

Result<Layout> layout_of(const Spec& spec) {
  const Connectome& c = *spec.measured;
  std::map<std::string, size_t> index;
  for (size_t i = 0; i < c.names.size(); ++i) index[c.names[i]] = i;
  Layout l;
  l.size.assign(c.names.size(), 0);
  size_t last = 0;
  for (size_t p = 0; p < spec.populations.size(); ++p) {
    const auto it = index.find(spec.populations[p].area);
    if (it == index.end() || it->second < last)
      return Error{"populations[" + std::to_string(p) + "]",
                   "is not of the connectome's regions in their order; they are made from it, so change "
                   "connectome.neurons, .densities or .inhibitory"};
    last = it->second;
    l.size[last] += spec.populations[p].size;
  }
  l.begin.assign(l.size.size(), 0);
  for (size_t i = 1; i < l.size.size(); ++i) l.begin[i] = l.begin[i - 1] + l.size[i - 1];
  return l;
}

Error too_many(int64_t count) {
  return {"connectome", "gives " + std::to_string(count) + " connections; at most " + std::to_string(most_connections) +
                            " are possible: take fewer neurons or a lower target_sparsity"};
}

}  // namespace

Result<int64_t> count_connections(const Spec& spec) {
  const Connectome& c = *spec.measured;
  const ConnectomeSpec& k = spec.connectome;
  if (k.level == "units") return c.links();
  const Result<Layout> l = layout_of(spec);
  if (!l) return l.error();
  int64_t count = 0;
  for (int64_t i = 0; i < c.nodes; ++i) {
    bool linked = false;  // else its share of intrinsic weight is a share of nothing
    for (int64_t j = 0; j < c.nodes; ++j) {
      if (i == j) continue;
      linked = linked || (k.as_published ? c.at(j, i) : c.at(i, j)) > 0;
      if (c.at(i, j) > 0) count += l->size[i] * targets_in(k, l->size[j], false);
    }
    if (k.intrinsic && linked) count += l->size[i] * targets_in(k, l->size[i], true);
    if (count > most_connections) return too_many(count);
  }
  return count;
}

Status check_scaling(const Spec& spec) {
  const Connectome& c = *spec.measured;
  const ConnectomeSpec& k = spec.connectome;
  const Result<int64_t> counted = count_connections(spec);
  if (!counted) return counted.error();
  const int64_t count = *counted;
  if (count > most_connections) return too_many(count);
  if (count == 0) return Error{"connectome", "has no links, so no unit would be connected; give another file or array"};
  if (k.intrinsic && k.intrinsic_weight >= 1)
    return Error{"connectome.intrinsic_weight",
                 "is 1, so nothing would be left for links between regions (and the intrinsic weight infinite); give "
                 "less than 1, such as 0.8"};
  if (k.null_model != "none" && spec.units() > most_null_units)
    return Error{"connectome.null_model", "is possible for at most " + std::to_string(most_null_units) +
                                              " units; this network has " + std::to_string(spec.units())};
  if (k.null_model == "spatial" && c.x.empty())
    return Error{
        "connectome.null_model",
        "spatial needs the positions of the regions: give connectome.names as a table with the columns name, x and "
        "y, or take rewired"};
  return {};
}

Result<ScaledConnectome> scale_connectome(const Spec& spec, int64_t run, const ScalingProgress& progress) {
  if (!spec.measured) return Error{"connectome", "is not here yet; give its file"};
  if (Status ok = check_scaling(spec); !ok) return ok.error();
  const Connectome& c = *spec.measured;
  const ConnectomeSpec& k = spec.connectome;
  ScaledConnectome s;
  s.x = c.x;
  s.y = c.y;
  s.start.push_back(0);
  const Error stopped = {"connectome", "was not scaled to its end: it was cancelled"};
  const double own_part = k.null_model == "none" ? 1 : k.null_model == "rewired" ? 0.2 : 0.5;  // the rest: null model
  if (k.level == "units") {
    s.units = c.nodes;
    s.region.resize(static_cast<size_t>(c.nodes));
    std::iota(s.region.begin(), s.region.end(), 0);
    for (int64_t i = 0; i < c.nodes; ++i) {
      for (int64_t j = 0; j < c.nodes; ++j)
        if (c.at(i, j) > 0 && (i != j || k.keep_diagonal)) {
          s.target.push_back(static_cast<int32_t>(j));
          s.weight.push_back(c.at(i, j));
        }
      s.start.push_back(s.connections());
    }
  } else {
    const Result<Layout> layout = layout_of(spec);
    if (!layout) return layout.error();
    const std::vector<int64_t>& size = layout->size;
    std::vector<double> sum(size.size(), 0.0);  // of a region's weights: outgoing, or as published incoming (Q23)
    for (int64_t i = 0; i < c.nodes; ++i)
      for (int64_t j = 0; j < c.nodes; ++j)
        if (i != j) sum[k.as_published ? j : i] += c.at(i, j);
    std::vector<int32_t> order;
    for (int64_t i = 0; i < c.nodes; ++i) {
      if (progress && !progress(own_part * static_cast<double>(i) / static_cast<double>(c.nodes))) return stopped;
      // The weights of the region's blocks, neuron after neuron.
      std::vector<double> whole(size.size(), 0.0);
      std::vector<std::vector<double>> parts(size.size());
      for (int64_t j = 0; j < c.nodes; ++j) {
        const bool own = i == j;
        if (size[i] == 0 || (own && !k.intrinsic)) continue;
        whole[j] = own ? k.intrinsic_weight / (1 - k.intrinsic_weight) * sum[i] : c.at(i, j);
        const int64_t n = size[i] * targets_in(k, size[j], own);
        if (whole[j] <= 0 || n == 0 || !k.random_partition) continue;
        Rng rng(spec.seed, Purpose::scaling, static_cast<uint32_t>(run), static_cast<uint32_t>(j),
                0x80000000u | static_cast<uint32_t>(i));
        parts[j] = parts_of(whole[j], n, rng);
      }
      for (int64_t q = 0; q < size[i]; ++q) {
        const int64_t source = layout->begin[i] + q;
        for (int64_t j = 0; j < c.nodes; ++j) {
          const bool own = i == j;
          const int64_t count = targets_in(k, size[j], own);
          if (whole[j] <= 0 || count == 0) continue;
          order.clear();
          for (int64_t t = 0; t < size[j]; ++t)
            if (!own || k.keep_diagonal || t != q) order.push_back(static_cast<int32_t>(layout->begin[j] + t));
          if (count < static_cast<int64_t>(order.size())) {
            Rng rng(spec.seed, Purpose::scaling, static_cast<uint32_t>(run), static_cast<uint32_t>(j),
                    static_cast<uint32_t>(source));
            for (int64_t t = 0; t < count; ++t)
              std::swap(order[t], order[t + rng.below(static_cast<uint32_t>(order.size() - static_cast<size_t>(t)))]);
            order.resize(static_cast<size_t>(count));
            std::sort(order.begin(), order.end());
          }
          for (int64_t t = 0; t < count; ++t) {
            s.target.push_back(order[t]);
            s.weight.push_back(parts[j].empty() ? whole[j] / static_cast<double>(size[i] * count)
                                                : parts[j][q * count + t]);
          }
        }
        s.region.push_back(i);
        s.start.push_back(s.connections());
      }
    }
    s.units = static_cast<int64_t>(s.region.size());
  }
  if (k.null_model != "none") {
    Rng rng(spec.seed, Purpose::null_model, static_cast<uint32_t>(k.null_seed), static_cast<uint32_t>(run));
    const ScalingProgress rest =
        progress ? [&](double part) { return progress(own_part + (1 - own_part) * part); } : ScalingProgress();
    bool whole = true;
    if (k.null_model == "permuted") whole = permute_entries(s, rng, rest);
    if (k.null_model == "rewired") whole = rewire(s, rng, rest);
    if (k.null_model == "weights") shuffle_weights(s, rng);
    if (k.null_model == "spatial") whole = keep_distances(s, rng, rest);
    if (k.null_model == "density") whole = keep_density(s, rng, rest);
    if (!whole) return stopped;
  }
  return s;
}

Result<std::shared_ptr<const Pattern>> connectome_pattern(const Spec& spec, int64_t run, std::vector<double>* weight,
                                                          const ScalingProgress& progress) {
  Result<ScaledConnectome> scaled = scale_connectome(spec, run, progress);
  if (!scaled) return scaled.error();
  const ScaledConnectome& s = *scaled;
  std::vector<int64_t> start{0};
  std::vector<int32_t> row;
  std::vector<double> w;
  const bool own = spec.connectivity.self_connections;
  if (!spec.connectome.as_published) {
    for (int64_t i = 0; i < s.units; ++i) {
      for (int64_t e = s.start[i]; e < s.start[i + 1]; ++e)
        if (own || s.target[e] != i) {
          row.push_back(s.target[e]);
          w.push_back(s.weight[e]);
        }
      start.push_back(static_cast<int64_t>(row.size()));
    }
  } else {  // the matrix (source, target) used as (post, pre)
    std::vector<std::vector<std::pair<int32_t, double>>> column(static_cast<size_t>(s.units));
    for (int64_t i = 0; i < s.units; ++i)
      for (int64_t e = s.start[i]; e < s.start[i + 1]; ++e)
        if (own || s.target[e] != i) column[s.target[e]].emplace_back(static_cast<int32_t>(i), s.weight[e]);
    for (const auto& list : column) {
      for (const auto& [post, value] : list) {
        row.push_back(post);
        w.push_back(value);
      }
      start.push_back(static_cast<int64_t>(row.size()));
    }
  }
  if (weight) *weight = std::move(w);
  return make_pattern(s.units, s.units, std::move(start), std::move(row));
}

void connectome_initial(const Spec& spec, int64_t run, const std::vector<int8_t>& sign, Weights& w) {
  if (!spec.measured || spec.connectome.remap == "none") return;
  std::vector<double> link;
  const Result<std::shared_ptr<const Pattern>> mask = connectome_pattern(spec, run, &link);
  if (!mask) return;
  const Pattern& p = **mask;
  if (p.cols != w.cols || (w.sparse() && w.pattern->row != p.row)) return;
  std::vector<int32_t> column(link.size());
  std::vector<size_t> at(link.size());
  for (int64_t j = 0; j < p.cols; ++j)
    for (int64_t e = p.col_start[j]; e < p.col_start[j + 1]; ++e) {
      column[e] = static_cast<int32_t>(j);
      at[e] = static_cast<size_t>(w.sparse() ? e : j * w.rows + p.row[e]);
    }
  const bool magnitude = spec.connectome.remap == "magnitude";
  const std::vector<float> before = w.values;
  // A balanced start keeps the magnitudes of each sign apart.
  const bool apart = !magnitude || spec.network.balanced;
  for (int kind : apart ? std::vector<int>{-1, 0, 1} : std::vector<int>{2}) {
    std::vector<size_t> strongest;
    std::vector<float> values;
    for (size_t e = 0; e < link.size(); ++e)
      if (!apart || sign[column[e]] == kind) {
        strongest.push_back(e);
        values.push_back(magnitude ? std::fabs(before[at[e]]) : before[at[e]]);
      }
    std::stable_sort(strongest.begin(), strongest.end(), [&](size_t a, size_t b) { return link[a] > link[b]; });
    std::sort(values.begin(), values.end(), [](float a, float b) { return a > b; });
    for (size_t k = 0; k < strongest.size(); ++k) {
      const size_t e = strongest[k];
      const bool negative = magnitude && (sign[column[e]] < 0 || (sign[column[e]] == 0 && before[at[e]] < 0));
      w.values[at[e]] = negative ? -values[k] : values[k];
    }
  }
}

}  // namespace dalea
