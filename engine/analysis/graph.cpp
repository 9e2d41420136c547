#include "analysis/graph.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <queue>

#include "analysis/spectrum.h"
#include "connectome/null_models.h"
#include "numerics/rng.h"

namespace dalea {
namespace {

constexpr double no_measure = std::numeric_limits<double>::quiet_NaN();
constexpr int partition_starts = 5, most_passes = 100;

using GoesOn = std::function<bool(double)>;
const Error graph_cancelled = {"", "cancelled"};

struct MeasureText {
  const char *key, *words, *meaning;
};
constexpr MeasureText measure_texts[measure_count] = {
    {"density", "density", "Connections over ordered pairs of different units."},
    {"reciprocity", "reciprocity", "Share of the connections that go both ways."},
    {"in_degree_sd", "sd of in-degree", "Standard deviation over units of the number of incoming connections."},
    {"out_degree_sd", "sd of out-degree", "Standard deviation over units of the number of outgoing connections."},
    {"clustering", "clustering",
     "Share of the possible directed triangles of a unit that are there, mean over units; 0 for a unit that can have "
     "none (Fagiolo 2007)."},
    {"path_length", "path length",
     "Steps of the shortest path, mean over the ordered pairs that are reachable; the others are left out."},
    {"reachable", "reachable pairs", "Share of the ordered pairs of units between which there is a path."},
    {"efficiency", "global efficiency",
     "1 over the steps of the shortest path, mean over all ordered pairs; 0 where there is none."},
    {"modularity", "modularity",
     "Connections within communities beyond those expected from the degrees, of the best partition found (Leicht and "
     "Newman 2008, resolution 1)."},
    {"communities", "communities", "How many parts that partition has."},
    {"region_modularity", "modularity of regions", "The same of the given partition: areas, or populations."},
    {"communicability", "communicability (log)",
     "Natural logarithm of the mean over ordered pairs of exp(A): all walks, each over the factorial of its length "
     "(Estrada and Hatano 2008)."},
    {"weighted_clustering", "weighted clustering",
     "Clustering with the cube root of each connection's size over the largest size."},
    {"weighted_path_length", "weighted path length",
     "A connection is 1 / size long; mean over the ordered pairs that are reachable."},
    {"weighted_efficiency", "weighted efficiency",
     "1 over the length of the shortest path, mean over all ordered pairs; 0 where there is none."},
    {"weighted_modularity", "weighted modularity", "Modularity of sizes, of the best partition found."},
    {"weighted_region_modularity", "weighted mod. of regions", "Modularity of sizes, of the given partition."},
    {"weighted_communicability", "weighted communicability",
     "Mean over ordered pairs of exp(S), where S is size over the root of the strengths at both ends."},
    {"spectral_radius", "spectral radius",
     "Largest |eigenvalue| of the weights, with their signs and the connections of units to themselves."}};

// Both directions, without connections to oneself. Sizes are all 1 where they do not count.
struct Links {
  int64_t units = 0;
  std::vector<int64_t> out_start, in_start;
  std::vector<int32_t> out, in;
  std::vector<double> out_size, in_size;
  int64_t count() const { return static_cast<int64_t>(out.size()); }
  int64_t out_degree(int64_t i) const { return out_start[i + 1] - out_start[i]; }
  int64_t in_degree(int64_t i) const { return in_start[i + 1] - in_start[i]; }
};

Links links_of(const Graph& g, bool weighted) {
  Links l;
  l.units = g.units;
  l.out_start.assign(1, 0);
  l.in_start.assign(static_cast<size_t>(g.units) + 1, 0);
  for (int64_t i = 0; i < g.units; ++i) {
    for (int64_t e = g.start[i]; e < g.start[i + 1]; ++e) {
      if (g.target[e] == i) continue;
      l.out.push_back(g.target[e]);
      l.out_size.push_back(weighted ? std::fabs(g.weight[e]) : 1);
      ++l.in_start[g.target[e] + 1];
    }
    l.out_start.push_back(l.count());
  }
  for (int64_t i = 0; i < g.units; ++i) l.in_start[i + 1] += l.in_start[i];
  l.in.resize(l.out.size());
  l.in_size.resize(l.out.size());
  std::vector<int64_t> at(l.in_start.begin(), l.in_start.end() - 1);
  for (int64_t i = 0; i < g.units; ++i)
    for (int64_t e = l.out_start[i]; e < l.out_start[i + 1]; ++e) {
      const int64_t to = at[l.out[e]]++;
      l.in[to] = static_cast<int32_t>(i);
      l.in_size[to] = l.out_size[e];
    }
  return l;
}

// f(neighbour, size out, size in) of every unit connected to i either way, ascending; 0: not that way.
template <class F>
void each_neighbour(const Links& l, int64_t i, F&& f) {
  int64_t a = l.out_start[i], b = l.in_start[i];
  const int64_t a_end = l.out_start[i + 1], b_end = l.in_start[i + 1];
  while (a < a_end || b < b_end) {
    const int32_t x = a < a_end ? l.out[a] : std::numeric_limits<int32_t>::max();
    const int32_t y = b < b_end ? l.in[b] : std::numeric_limits<int32_t>::max();
    f(std::min(x, y), x <= y ? l.out_size[a] : 0.0, y <= x ? l.in_size[b] : 0.0);
    a += x <= y;
    b += y <= x;
  }
}

double degree_sd(const std::vector<int64_t>& degree) {
  double sum = 0, squares = 0;
  const auto n = static_cast<double>(degree.size());
  for (int64_t d : degree) sum += static_cast<double>(d);
  for (int64_t d : degree) squares += (static_cast<double>(d) - sum / n) * (static_cast<double>(d) - sum / n);
  return std::sqrt(squares / n);
}

std::vector<int64_t> sample_of(int64_t units) {
  const int64_t count = units > most_dense_units ? sampled_units : units;
  std::vector<int64_t> list;
  for (int64_t k = 0; k < count; ++k) list.push_back(k * units / count);
  return list;
}

// Both clusterings at once: `plain` of who connects to whom, `sized` of the sizes.
bool find_clustering(const Links& l, const std::vector<int64_t>& sample, const GoesOn& goes_on, double& plain,
                     double& sized) {
  double largest = 0;
  for (double w : l.out_size) largest = std::max(largest, w);
  std::vector<int64_t> start{0}, both;  // by unit; how many of its neighbours are connected both ways
  std::vector<int32_t> other;
  std::vector<double> ways, root;
  for (int64_t i = 0; i < l.units; ++i) {
    int64_t two = 0;
    each_neighbour(l, i, [&](int32_t j, double out, double in) {
      other.push_back(j);
      ways.push_back((out > 0) + (in > 0));
      root.push_back(std::cbrt(out / largest) + std::cbrt(in / largest));
      two += out > 0 && in > 0;
    });
    start.push_back(static_cast<int64_t>(other.size()));
    both.push_back(two);
  }
  std::vector<double> ways_to(static_cast<size_t>(l.units)), root_to(ways_to);
  plain = sized = 0;
  for (size_t k = 0; k < sample.size(); ++k) {
    if (!goes_on(static_cast<double>(k) / static_cast<double>(sample.size()))) return false;
    const int64_t i = sample[k];
    for (int64_t e = start[i]; e < start[i + 1]; ++e) {
      ways_to[other[e]] = ways[e];
      root_to[other[e]] = root[e];
    }
    double triangles = 0, sizes = 0;
    for (int64_t e = start[i]; e < start[i + 1]; ++e) {
      double t = 0, s = 0;
      const int32_t j = other[e];
      for (int64_t f = start[j]; f < start[j + 1]; ++f) {
        t += ways[f] * ways_to[other[f]];
        s += root[f] * root_to[other[f]];
      }
      triangles += ways[e] * t;
      sizes += root[e] * s;
    }
    for (int64_t e = start[i]; e < start[i + 1]; ++e) ways_to[other[e]] = root_to[other[e]] = 0;
    const auto d = static_cast<double>(l.out_degree(i) + l.in_degree(i));
    const double possible = 2 * (d * (d - 1) - 2 * static_cast<double>(both[i]));
    if (possible <= 0) continue;
    plain += triangles / possible;
    sized += sizes / possible;
  }
  plain /= static_cast<double>(sample.size());
  sized /= static_cast<double>(sample.size());
  return true;
}

struct Paths {
  double length = no_measure, reachable = no_measure, efficiency = no_measure;
};

// From each unit of the sample to all others, by steps or by 1 / size.
bool find_paths(const Links& l, const std::vector<int64_t>& sample, bool weighted, const GoesOn& goes_on,
                Paths& paths) {
  const auto n = static_cast<size_t>(l.units);
  const double infinite = std::numeric_limits<double>::infinity();
  std::vector<double> far(n);
  std::vector<int32_t> queue;
  using Reached = std::pair<double, int32_t>;
  double sum = 0, inverse = 0, reached = 0;
  for (size_t k = 0; k < sample.size(); ++k) {
    if (!goes_on(static_cast<double>(k) / static_cast<double>(sample.size()))) return false;
    const auto from = static_cast<int32_t>(sample[k]);
    std::fill(far.begin(), far.end(), infinite);
    far[from] = 0;
    if (weighted) {
      std::priority_queue<Reached, std::vector<Reached>, std::greater<>> next;
      next.push({0, from});
      while (!next.empty()) {
        const auto [d, i] = next.top();
        next.pop();
        if (d > far[i]) continue;
        for (int64_t e = l.out_start[i]; e < l.out_start[i + 1]; ++e)
          if (const double there = d + 1 / l.out_size[e]; there < far[l.out[e]]) {
            far[l.out[e]] = there;
            next.push({there, l.out[e]});
          }
      }
    } else {
      queue.assign(1, from);
      for (size_t q = 0; q < queue.size() && queue.size() < n; ++q)
        for (int64_t e = l.out_start[queue[q]]; e < l.out_start[queue[q] + 1]; ++e)
          if (far[l.out[e]] == infinite) {
            far[l.out[e]] = far[queue[q]] + 1;
            queue.push_back(l.out[e]);
          }
    }
    for (size_t i = 0; i < n; ++i) {
      if (far[i] == infinite || i == static_cast<size_t>(from)) continue;
      sum += far[i];
      inverse += 1 / far[i];
      reached += 1;
    }
  }
  const double pairs = static_cast<double>(sample.size()) * static_cast<double>(n - 1);
  if (reached > 0) paths.length = sum / reached;
  if (pairs > 0) paths.reachable = reached / pairs;
  if (pairs > 0) paths.efficiency = inverse / pairs;
  return true;
}

// What moving units between communities needs: weights of both directions together, and strengths.
struct Merged {
  std::vector<int64_t> start{0};
  std::vector<int32_t> other;
  std::vector<double> weight, out, in;
  int64_t units() const { return static_cast<int64_t>(out.size()); }
};

Merged merged_of(const Links& l) {
  Merged m;
  for (int64_t i = 0; i < l.units; ++i) {
    double out = 0, in = 0;
    each_neighbour(l, i, [&](int32_t j, double a, double b) {
      m.other.push_back(j);
      m.weight.push_back(a + b);
      out += a;
      in += b;
    });
    m.start.push_back(static_cast<int64_t>(m.other.size()));
    m.out.push_back(out);
    m.in.push_back(in);
  }
  return m;
}

// Communities become units; those that have become empty are gone. `part` is renumbered.
Merged communities_of(const Merged& m, std::vector<int64_t>& part) {
  std::vector<int64_t> number(static_cast<size_t>(m.units()), -1);
  int64_t count = 0;
  for (int64_t& p : part) {
    if (number[p] < 0) number[p] = count++;
    p = number[p];
  }
  std::vector<std::vector<int64_t>> members(static_cast<size_t>(count));
  for (int64_t i = 0; i < m.units(); ++i) members[part[i]].push_back(i);
  Merged c;
  std::vector<double> to(static_cast<size_t>(count));
  std::vector<int32_t> touched;
  for (int64_t p = 0; p < count; ++p) {
    double out = 0, in = 0;
    touched.clear();
    for (int64_t i : members[p]) {
      out += m.out[i];
      in += m.in[i];
      for (int64_t e = m.start[i]; e < m.start[i + 1]; ++e) {
        const int64_t q = part[m.other[e]];
        if (q == p) continue;
        if (to[q] == 0) touched.push_back(static_cast<int32_t>(q));
        to[q] += m.weight[e];
      }
    }
    std::sort(touched.begin(), touched.end());
    for (int32_t q : touched) {
      c.other.push_back(q);
      c.weight.push_back(to[q]);
      to[q] = 0;
    }
    c.start.push_back(static_cast<int64_t>(c.other.size()));
    c.out.push_back(out);
    c.in.push_back(in);
  }
  return c;
}

// Moves units, in a random order, to the community that gains most until none gains (Blondel et al. 2008 with the
// directed gain); true: something moved.
bool move_units(const Merged& m, double all, Rng& rng, std::vector<int64_t>& part) {
  const int64_t n = m.units();
  part.resize(static_cast<size_t>(n));
  std::iota(part.begin(), part.end(), 0);
  std::vector<double> out = m.out, in = m.in, to(static_cast<size_t>(n));  // of communities; to one, from the unit
  std::vector<int64_t> touched;
  const std::vector<uint32_t> order = permutation(static_cast<uint32_t>(n), rng);
  bool any = false, moved = true;
  for (int pass = 0; moved && pass < most_passes; ++pass) {
    moved = false;
    for (uint32_t i : order) {
      const int64_t own = part[i];
      out[own] -= m.out[i];
      in[own] -= m.in[i];
      touched.assign(1, own);
      for (int64_t e = m.start[i]; e < m.start[i + 1]; ++e) {
        const int64_t p = part[m.other[e]];
        if (to[p] == 0 && p != own) touched.push_back(p);
        to[p] += m.weight[e];
      }
      const auto gain = [&](int64_t p) { return to[p] - (m.out[i] * in[p] + m.in[i] * out[p]) / all; };
      int64_t best = own;
      double most = gain(own) + 1e-10 * all;
      for (size_t k = 1; k < touched.size(); ++k)
        if (const double g = gain(touched[k]); g > most) {
          most = g;
          best = touched[k];
        }
      for (int64_t p : touched) to[p] = 0;
      out[best] += m.out[i];
      in[best] += m.in[i];
      part[i] = best;
      moved = moved || best != own;
    }
    any = any || moved;
  }
  return any;
}

double modularity_of(const Merged& m, const Links& l, std::span<const int64_t> parts) {
  double all = 0, within = 0;
  for (double w : l.out_size) all += w;
  if (all <= 0) return no_measure;
  std::vector<double> out, in;
  for (int64_t i = 0; i < l.units; ++i) {
    const auto p = static_cast<size_t>(parts[i]);
    if (p >= out.size()) {
      out.resize(p + 1);
      in.resize(p + 1);
    }
    out[p] += m.out[i];
    in[p] += m.in[i];
    for (int64_t e = l.out_start[i]; e < l.out_start[i + 1]; ++e)
      if (parts[l.out[e]] == parts[i]) within += l.out_size[e];
  }
  double expected = 0;
  for (size_t p = 0; p < out.size(); ++p) expected += out[p] / all * in[p];
  return (within - expected) / all;
}

// The best of several partitions, each from another order of the units.
bool find_partition(const Links& l, const GoesOn& goes_on, double& best, std::vector<int64_t>& community) {
  const Merged whole = merged_of(l);
  double all = 0;
  for (double w : l.out_size) all += w;
  best = no_measure;
  community.assign(static_cast<size_t>(l.units), 0);
  if (all <= 0) {
    std::iota(community.begin(), community.end(), 0);
    return true;
  }
  for (int k = 0; k < partition_starts; ++k) {
    if (!goes_on(static_cast<double>(k) / partition_starts)) return false;
    Rng rng(1, Purpose::order, static_cast<uint32_t>(k));
    std::vector<int64_t> found(static_cast<size_t>(l.units)), part;
    std::iota(found.begin(), found.end(), 0);
    Merged level = whole;
    while (move_units(level, all, rng, part)) {
      level = communities_of(level, part);
      for (int64_t& p : found) p = part[p];
      if (!goes_on((k + 0.5) / partition_starts)) return false;
    }
    const double q = modularity_of(whole, l, found);
    if (best >= q) continue;  // also the first: nothing is above a value that is none
    best = q;
    community = std::move(found);
  }
  std::vector<int64_t> number(static_cast<size_t>(l.units), -1);
  int64_t count = 0;
  for (int64_t& p : community) {
    if (number[p] < 0) number[p] = count++;
    p = number[p];
  }
  return true;
}

using Matrix = std::vector<double>;  // (n, n), row by row

// c = a b
bool multiply(const Matrix& a, const Matrix& b, int64_t n, Matrix& c, const GoesOn& goes_on) {
  constexpr int64_t piece = 64;
  c.assign(a.size(), 0);
  for (int64_t first = 0; first < n; first += piece) {
    if (!goes_on(static_cast<double>(first) / static_cast<double>(n))) return false;
    const int64_t last = std::min(n, first + piece);
    for (int64_t i = 0; i < n; ++i) {
      double* to = c.data() + i * n;
      const double* from = a.data() + i * n;
      int64_t k = first;
      for (; k + 4 <= last; k += 4) {
        const double w = from[k], x = from[k + 1], y = from[k + 2], z = from[k + 3];
        const double *p = b.data() + k * n, *q = p + n, *r = q + n, *s = r + n;
        for (int64_t j = 0; j < n; ++j) to[j] += (w * p[j] + x * q[j]) + (y * r[j] + z * s[j]);
      }
      for (; k < last; ++k)
        for (int64_t j = 0; j < n; ++j) to[j] += from[k] * b[k * n + j];
    }
  }
  return true;
}

// Natural log of the mean of exp(m) off the diagonal, for a matrix without negative entries: Taylor's series of 12
// terms of m / 2^s, squared s times; what grows is kept as a logarithm. The last square is never made: only its sum and
// trace count.
bool log_mean_exp(Matrix m, int64_t n, const GoesOn& goes_on, double& mean) {
  double norm = 0;
  for (int64_t i = 0; i < n; ++i) {
    double row = 0;
    for (int64_t j = 0; j < n; ++j) row += m[i * n + j];
    norm = std::max(norm, row);
  }
  int squares = 1;
  while (std::ldexp(norm, -squares) > 0.25) ++squares;
  for (double& v : m) v = std::ldexp(v, -squares);
  const int products = 5 + squares - 1;
  int product = 0;
  const auto step = [&](double part) { return goes_on((product + part) / products); };
  double c[13] = {1};  // of the series
  for (int k = 1; k <= 12; ++k) c[k] = c[k - 1] / k;
  Matrix m2, m3, x, next;
  if (!multiply(m, m, n, m2, step)) return false;
  ++product;
  if (!multiply(m2, m, n, m3, step)) return false;
  ++product;
  x = m3;
  for (double& v : x) v *= c[12];
  for (int q = 3; q >= 0; --q) {
    if (q < 3) {
      if (!multiply(x, m3, n, next, step)) return false;
      ++product;
      x.swap(next);
    }
    for (size_t e = 0; e < x.size(); ++e) x[e] += c[3 * q + 1] * m[e] + c[3 * q + 2] * m2[e];
    for (int64_t i = 0; i < n; ++i) x[i * n + i] += c[3 * q];
  }
  double log_scale = 0;
  const auto scale = [&] {
    const double largest = *std::max_element(x.begin(), x.end());
    for (double& v : x) v /= largest;
    log_scale += std::log(largest);
  };
  scale();
  for (int k = 1; k < squares; ++k) {
    if (!multiply(x, x, n, next, step)) return false;
    ++product;
    x.swap(next);
    log_scale *= 2;
    scale();
  }
  double off = 0;  // of the square: row sums by column sums, less the trace
  std::vector<double> rows(static_cast<size_t>(n)), columns(rows);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) {
      rows[i] += x[i * n + j];
      columns[j] += x[i * n + j];
    }
  for (int64_t k = 0; k < n; ++k) {
    off += columns[k] * rows[k];
    for (int64_t i = 0; i < n; ++i) off -= x[i * n + k] * x[k * n + i];
  }
  const double pairs = static_cast<double>(n) * static_cast<double>(n - 1);
  mean = off > 0 ? 2 * log_scale + std::log(off / pairs) : -std::numeric_limits<double>::infinity();
  return true;
}

Matrix dense_of(const Links& l, bool by_strength) {
  const int64_t n = l.units;
  Matrix m(static_cast<size_t>(n * n));
  std::vector<double> out(static_cast<size_t>(n)), in(out);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t e = l.out_start[i]; e < l.out_start[i + 1]; ++e) {
      out[i] += l.out_size[e];
      in[l.out[e]] += l.out_size[e];
    }
  for (int64_t i = 0; i < n; ++i)
    for (int64_t e = l.out_start[i]; e < l.out_start[i + 1]; ++e)
      m[i * n + l.out[e]] = by_strength ? l.out_size[e] / (std::sqrt(out[i]) * std::sqrt(in[l.out[e]])) : 1;
  return m;
}

Result<double> radius_of(const Graph& g) {
  const std::shared_ptr<const Pattern> pattern = make_pattern(g.units, g.units, g.start, g.target);
  const std::vector<float> values(g.weight.begin(), g.weight.end());
  const Result<Spectrum> s = spectrum_of(Synapses{g.units, pattern.get(), true, values});
  if (!s) return s.error();
  return s->radius;
}

// A partition says something only of several parts of which one has two units.
bool divides(std::span<const int64_t> parts, int64_t units) {
  if (static_cast<int64_t>(parts.size()) != units) return false;
  std::vector<int64_t> kinds(parts.begin(), parts.end());
  std::sort(kinds.begin(), kinds.end());
  const auto count = std::unique(kinds.begin(), kinds.end()) - kinds.begin();
  return count > 1 && count < units && kinds.front() >= 0 && *(kinds.begin() + count - 1) < units;
}

template <class Keep>
Graph graph_with(const Synapses& w, Keep keep) {
  Graph g;
  g.units = w.units;
  g.region.resize(static_cast<size_t>(w.units));
  std::iota(g.region.begin(), g.region.end(), 0);
  g.start.assign(static_cast<size_t>(w.units) + 1, 0);
  each_synapse(w, [&](int64_t post, int64_t pre, float v) {
    const double kept = keep(v);
    if (kept == 0) return;
    g.target.push_back(static_cast<int32_t>(post));
    g.weight.push_back(kept);
    ++g.start[pre + 1];
  });
  for (int64_t i = 0; i < w.units; ++i) g.start[i + 1] += g.start[i];
  return g;
}

}  // namespace

const char* key_of(Measure m) {
  return measure_texts[static_cast<size_t>(m)].key;
}

const char* words_of(Measure m) {
  return measure_texts[static_cast<size_t>(m)].words;
}

const char* meaning_of(Measure m) {
  return measure_texts[static_cast<size_t>(m)].meaning;
}

bool is_weighted(Measure m) {
  return m >= Measure::weighted_clustering;
}

Graph graph_of(const Synapses& w) {
  return graph_with(w, [](float v) { return static_cast<double>(v); });
}

Graph mask_of(const Synapses& w) {
  return graph_with(w, [](float) { return 1.0; });
}

Graph graph_of(const Connectome& c) {
  Graph g;
  g.units = c.nodes;
  g.x = c.x;
  g.y = c.y;
  g.start.push_back(0);
  for (int64_t i = 0; i < c.nodes; ++i) {
    g.region.push_back(i);
    const bool negative = !c.sign.empty() && c.sign[static_cast<size_t>(i)] == Sign::inhibitory;
    for (int64_t j = 0; j < c.nodes; ++j)
      if (const double w = c.at(i, j); w > 0) {
        g.target.push_back(static_cast<int32_t>(j));
        g.weight.push_back(negative ? -w : w);
      }
    g.start.push_back(g.connections());
  }
  return g;
}

double modularity_of(const Graph& g, std::span<const int64_t> parts, bool weighted) {
  if (!divides(parts, g.units)) return no_measure;
  const Links l = links_of(g, weighted);
  return modularity_of(merged_of(l), l, parts);
}

Result<GraphMeasures> measure_graph(const Graph& g, const MeasureOptions& options,
                                    const std::function<bool(double)>& progress) {
  if (g.units < 1) return Error{"network", "has no units; give one that has"};
  for (double w : g.weight)
    if (!std::isfinite(w)) return Error{"network", "has weights that are not finite; go back to before it failed"};
  GraphMeasures r;
  r.units = g.units;
  r.values.fill(no_measure);
  double& (*at)(GraphMeasures&, Measure) = [](GraphMeasures& m, Measure which) -> double& {
    return m.values[static_cast<size_t>(which)];
  };
  const Links plain = links_of(g, false);
  r.links = plain.count();
  r.self_links = g.connections() - r.links;
  for (int64_t i = 0; i < g.units; ++i) {
    r.out_degree.push_back(plain.out_degree(i));
    r.in_degree.push_back(plain.in_degree(i));
  }
  const std::vector<int64_t> sample = sample_of(g.units);
  const bool dense = options.dense && g.units <= most_dense_units;
  if (g.units > most_dense_units) r.sampled = static_cast<int64_t>(sample.size());
  if (g.units > 1)
    at(r, Measure::density) =
        static_cast<double>(r.links) / (static_cast<double>(g.units) * static_cast<double>(g.units - 1));
  if (r.links > 0) {
    int64_t both = 0;
    for (int64_t i = 0; i < g.units; ++i)
      each_neighbour(plain, i, [&](int32_t, double out, double in) { both += out > 0 && in > 0; });
    at(r, Measure::reciprocity) = static_cast<double>(both) / static_cast<double>(r.links);
  }
  at(r, Measure::in_degree_sd) = degree_sd(r.in_degree);
  at(r, Measure::out_degree_sd) = degree_sd(r.out_degree);

  // Parts of the work, about as long as each takes in a dense network.
  double begun = 0;
  const auto share = [&](double of) -> GoesOn {
    const double from = begun;
    begun += of;
    return [&progress, from, of](double part) { return !progress || progress(from + of * part); };
  };
  const double each = options.weighted ? 1 : 2;
  const auto stopped = [] { return graph_cancelled; };
  const Links sized = options.weighted ? links_of(g, true) : Links();
  const Links& sizes = options.weighted ? sized : plain;
  if (!find_clustering(sizes, sample, share(0.1 * each), at(r, Measure::clustering),
                       at(r, Measure::weighted_clustering)))
    return stopped();
  Paths paths;
  if (!find_paths(plain, sample, false, share(0.03 * each), paths)) return stopped();
  at(r, Measure::path_length) = paths.length;
  at(r, Measure::reachable) = paths.reachable;
  at(r, Measure::efficiency) = paths.efficiency;
  if (!find_partition(plain, share(0.07 * each), at(r, Measure::modularity), r.community)) return stopped();
  if (r.links > 0)
    at(r, Measure::communities) = static_cast<double>(1 + *std::max_element(r.community.begin(), r.community.end()));
  at(r, Measure::region_modularity) = modularity_of(g, options.parts, false);
  if (dense && g.units > 1 &&
      !log_mean_exp(dense_of(plain, false), g.units, share(0.3 * each), at(r, Measure::communicability)))
    return stopped();
  if (!options.weighted) {
    at(r, Measure::weighted_clustering) = no_measure;
    return r;
  }
  if (!find_paths(sized, sample, true, share(0.1), paths)) return stopped();
  at(r, Measure::weighted_path_length) = paths.length;
  at(r, Measure::weighted_efficiency) = paths.efficiency;
  std::vector<int64_t> community;
  if (!find_partition(sized, share(0.05), at(r, Measure::weighted_modularity), community)) return stopped();
  at(r, Measure::weighted_region_modularity) = modularity_of(g, options.parts, true);
  if (!dense) return r;
  if (double mean = 0; g.units > 1) {
    if (!log_mean_exp(dense_of(sized, true), g.units, share(0.2), mean)) return stopped();
    at(r, Measure::weighted_communicability) = std::exp(mean);
  }
  if (!share(0.15)(0)) return stopped();
  const Result<double> radius = radius_of(g);
  if (!radius) return radius.error();
  at(r, Measure::spectral_radius) = *radius;
  return r;
}

Result<Graph> null_of(const Graph& g, const std::string& model, uint64_t seed, int64_t k, int64_t run,
                      const std::function<bool(double)>& progress) {
  const bool known =
      model == "permuted" || model == "rewired" || model == "weights" || model == "spatial" || model == "density";
  if (!known)
    return Error{"null model", "'" + model + "' is unknown; choose permuted, rewired, weights, spatial or density"};
  if (g.units > most_null_units)
    return Error{"null model", "is possible for at most " + std::to_string(most_null_units) +
                                   " units; this network has " + std::to_string(g.units)};
  if (model == "spatial" && g.x.empty())
    return Error{"null model", "spatial needs the positions of the regions, which are not known here; take rewired"};
  // The sign of each unit's connections; 0: of both.
  std::vector<double> sign(static_cast<size_t>(g.units), 1);
  bool single = true;
  for (int64_t i = 0; i < g.units; ++i)
    for (int64_t e = g.start[i]; e < g.start[i + 1]; ++e) {
      if (e == g.start[i]) sign[i] = g.weight[e] < 0 ? -1 : 1;
      single = single && (g.weight[e] < 0) == (sign[i] < 0);
    }
  Graph null = g;
  const bool apart = single || model == "density";  // sizes first, then their signs
  if (apart)
    for (double& w : null.weight) w = std::fabs(w);
  Rng rng(seed, Purpose::null_model, static_cast<uint32_t>(k), static_cast<uint32_t>(run));
  bool whole = true;
  if (model == "permuted") whole = permute_entries(null, rng, progress);
  if (model == "rewired") whole = rewire(null, rng, progress);
  if (model == "weights") shuffle_weights(null, rng);
  if (model == "spatial") whole = keep_distances(null, rng, progress);
  if (model == "density") whole = keep_density(null, rng, progress);
  if (!whole) return graph_cancelled;
  if (single) {
    for (int64_t i = 0; i < null.units; ++i)
      for (int64_t e = null.start[i]; e < null.start[i + 1]; ++e) null.weight[e] *= sign[i];
  } else if (apart) {  // as many negative ones, anywhere
    const std::vector<uint32_t> order = permutation(static_cast<uint32_t>(g.weight.size()), rng);
    for (size_t e = 0; e < null.weight.size(); ++e)
      if (g.weight[order[e]] < 0) null.weight[e] = -null.weight[e];
  }
  return null;
}

NullRow against_nulls(double value, std::span<const double> nulls) {
  NullRow row;
  std::vector<double> v;
  for (double x : nulls)
    if (std::isfinite(x)) v.push_back(x);
  row.count = static_cast<int64_t>(v.size());
  row.mean = row.sd = row.z = no_measure;
  if (!std::isfinite(value) || v.empty()) {
    row.p = no_measure;
    return row;
  }
  const auto n = static_cast<double>(v.size());
  double sum = 0, squares = 0, largest = std::fabs(value);
  for (double x : v) {
    sum += x;
    largest = std::max(largest, std::fabs(x));
  }
  row.mean = sum / n;
  for (double x : v) squares += (x - row.mean) * (x - row.mean);
  const double rounding = 1e-10 * largest;  // what order of sums can do
  if (n > 1) row.sd = std::sqrt(squares / (n - 1));
  if (row.sd > rounding) row.z = (value - row.mean) / row.sd;
  const double middle = (sum + value) / (n + 1);
  for (double x : v) row.reached += std::fabs(x - middle) >= std::fabs(value - middle) - rounding;
  row.p = (1 + static_cast<double>(row.reached)) / (n + 1);
  return row;
}

double small_worldness(const GraphMeasures& g, std::span<const std::array<double, measure_count>> nulls) {
  double clustering = 0, length = 0;
  for (const auto& v : nulls) {
    clustering += v[static_cast<size_t>(Measure::clustering)];
    length += v[static_cast<size_t>(Measure::path_length)];
  }
  if (!(clustering > 0) || !(length > 0)) return no_measure;
  const auto n = static_cast<double>(nulls.size());
  return g.of(Measure::clustering) / (clustering / n) / (g.of(Measure::path_length) / (length / n));
}

}  // namespace dalea
