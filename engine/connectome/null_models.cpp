#include "connectome/null_models.h"

#include <algorithm>
#include <cmath>

namespace dalea {
namespace {

struct Entry {
  int32_t from, to;
  double weight;
};

std::vector<Entry> entries_of(const ScaledConnectome& s, bool own) {
  std::vector<Entry> list;
  for (int64_t i = 0; i < s.units; ++i)
    for (int64_t e = s.start[i]; e < s.start[i + 1]; ++e)
      if ((s.target[e] == i) == own) list.push_back({static_cast<int32_t>(i), s.target[e], s.weight[e]});
  return list;
}

void set_entries(ScaledConnectome& s, std::vector<Entry> list, const std::vector<Entry>& own) {
  list.insert(list.end(), own.begin(), own.end());
  std::sort(list.begin(), list.end(),
            [](const Entry& a, const Entry& b) { return a.from != b.from ? a.from < b.from : a.to < b.to; });
  s.target.clear();
  s.weight.clear();
  s.start.assign(static_cast<size_t>(s.units) + 1, 0);
  for (const Entry& e : list) {
    ++s.start[e.from + 1];
    s.target.push_back(e.to);
    s.weight.push_back(e.weight);
  }
  for (int64_t i = 0; i < s.units; ++i) s.start[i + 1] += s.start[i];
}

template <class T>
void shuffle(std::vector<T>& list, Rng& rng) {
  for (size_t k = list.size(); k > 1; --k) std::swap(list[k - 1], list[rng.below(static_cast<uint32_t>(k))]);
}

std::vector<double> weights_of(const std::vector<Entry>& list) {
  std::vector<double> w;
  for (const Entry& e : list) w.push_back(e.weight);
  return w;
}

// Selection sampling: each time it is asked, whether the next of `left` candidates is among the `wanted`.
struct Selection {
  int64_t wanted, left;
  bool next(Rng& rng) {
    const bool taken = wanted > 0 && static_cast<int64_t>(rng.below(static_cast<uint32_t>(left))) < wanted;
    --left;
    wanted -= taken;
    return taken;
  }
};

bool goes_on(const ScalingProgress& progress, double done, double all) {
  return !progress || progress(all > 0 ? done / all : 0);
}

// As many connections as there are weights, at random places between different neurons. False: stopped.
bool at_random(int64_t units, const std::vector<double>& weights, Rng& rng, const ScalingProgress& progress,
               std::vector<Entry>& list) {
  list.clear();
  Selection pick{static_cast<int64_t>(weights.size()), units * (units - 1)};
  for (int64_t i = 0; i < units; ++i) {
    if (!goes_on(progress, static_cast<double>(i), static_cast<double>(units))) return false;
    for (int64_t j = 0; j < units; ++j)
      if (i != j && pick.next(rng))
        list.push_back({static_cast<int32_t>(i), static_cast<int32_t>(j), weights[list.size()]});
  }
  return true;
}

}  // namespace

bool permute_entries(ScaledConnectome& s, Rng& rng, const ScalingProgress& progress) {
  std::vector<Entry> list = entries_of(s, false);
  const auto before = [](const Entry& a, const Entry& b) { return a.from != b.from ? a.from < b.from : a.to < b.to; };
  const bool symmetric = std::all_of(list.begin(), list.end(), [&](const Entry& e) {
    const auto other = std::lower_bound(list.begin(), list.end(), Entry{e.to, e.from, 0}, before);
    return other != list.end() && other->from == e.to && other->to == e.from && other->weight == e.weight;
  });
  const std::vector<Entry> own = entries_of(s, true);
  if (!symmetric) {
    std::vector<double> w = weights_of(list);
    shuffle(w, rng);
    if (!at_random(s.units, w, rng, progress, list)) return false;
    set_entries(s, std::move(list), own);
    return true;
  }
  std::vector<double> lower;
  for (const Entry& e : list)
    if (e.from > e.to) lower.push_back(e.weight);
  shuffle(lower, rng);
  list.clear();
  Selection pick{static_cast<int64_t>(lower.size()), s.units * (s.units - 1) / 2};
  for (int64_t i = 0; i < s.units; ++i) {
    if (!goes_on(progress, static_cast<double>(i), static_cast<double>(s.units))) return false;
    for (int64_t j = 0; j < i; ++j)
      if (pick.next(rng)) {
        const double w = lower[list.size() / 2];
        list.push_back({static_cast<int32_t>(i), static_cast<int32_t>(j), w});
        list.push_back({static_cast<int32_t>(j), static_cast<int32_t>(i), w});
      }
  }
  set_entries(s, std::move(list), own);
  return true;
}

bool rewire(ScaledConnectome& s, Rng& rng, const ScalingProgress& progress) {
  std::vector<Entry> list = entries_of(s, false);
  const auto n = static_cast<size_t>(s.units);
  std::vector<bool> linked(n * n);
  for (const Entry& e : list) linked[static_cast<size_t>(e.from) * n + static_cast<size_t>(e.to)] = true;
  const auto at = [&](int32_t from, int32_t to) {
    return linked[static_cast<size_t>(from) * n + static_cast<size_t>(to)];
  };
  const auto count = static_cast<uint32_t>(list.size());
  const size_t swaps = count > 1 ? 10 * list.size() : 0;
  for (size_t k = 0; k < swaps; ++k) {
    if (k % 65536 == 0 && !goes_on(progress, static_cast<double>(k), static_cast<double>(swaps))) return false;
    Entry &a = list[rng.below(count)], &b = list[rng.below(count)];
    if (a.from == b.to || b.from == a.to || at(a.from, b.to) || at(b.from, a.to)) continue;
    at(a.from, a.to) = false;
    at(b.from, b.to) = false;
    std::swap(a.to, b.to);
    at(a.from, a.to) = true;
    at(b.from, b.to) = true;
  }
  set_entries(s, std::move(list), entries_of(s, true));
  return true;
}

void shuffle_weights(ScaledConnectome& s, Rng& rng) {
  std::vector<Entry> list = entries_of(s, false);
  std::vector<double> w = weights_of(list);
  shuffle(w, rng);
  for (size_t k = 0; k < list.size(); ++k) list[k].weight = w[k];
  set_entries(s, std::move(list), entries_of(s, true));
}

bool keep_distances(ScaledConnectome& s, Rng& rng, const ScalingProgress& progress) {
  constexpr int classes = 20;
  const size_t regions = s.x.size();
  const auto distance = [&](size_t a, size_t b) {
    return std::sqrt((s.x[a] - s.x[b]) * (s.x[a] - s.x[b]) + (s.y[a] - s.y[b]) * (s.y[a] - s.y[b]));
  };
  double longest = 0;
  for (size_t a = 0; a < regions; ++a)
    for (size_t b = 0; b < a; ++b) longest = std::max(longest, distance(a, b));
  std::vector<uint8_t> of(regions * regions);  // class of each pair of regions; 0: the same
  for (size_t a = 0; a < regions; ++a)
    for (size_t b = 0; b < regions; ++b)
      if (a != b)
        of[a * regions + b] =
            longest > 0 ? static_cast<uint8_t>(
                              1 + std::min<int>(classes - 1, static_cast<int>(distance(a, b) / longest * classes)))
                        : uint8_t{1};
  const auto class_of = [&](int64_t i, int64_t j) {
    return of[static_cast<size_t>(s.region[i]) * regions + static_cast<size_t>(s.region[j])];
  };
  std::vector<std::vector<double>> weights(classes + 1);
  for (const Entry& e : entries_of(s, false)) weights[class_of(e.from, e.to)].push_back(e.weight);
  std::vector<Selection> pick;
  for (auto& w : weights) {
    shuffle(w, rng);
    pick.push_back({static_cast<int64_t>(w.size()), 0});
  }
  for (int64_t i = 0; i < s.units; ++i)
    for (int64_t j = 0; j < s.units; ++j)
      if (i != j) ++pick[class_of(i, j)].left;
  std::vector<Entry> list;
  for (int64_t i = 0; i < s.units; ++i) {
    if (!goes_on(progress, static_cast<double>(i), static_cast<double>(s.units))) return false;
    for (int64_t j = 0; j < s.units; ++j) {
      if (i == j) continue;
      const size_t c = class_of(i, j);
      if (!pick[c].next(rng)) continue;
      list.push_back({static_cast<int32_t>(i), static_cast<int32_t>(j), weights[c].back()});
      weights[c].pop_back();
    }
  }
  set_entries(s, std::move(list), entries_of(s, true));
  return true;
}

bool keep_density(ScaledConnectome& s, Rng& rng, const ScalingProgress& progress) {
  std::vector<double> w = weights_of(entries_of(s, false));
  double sum = 0;
  for (double v : w) sum += v;
  const double mean = w.empty() ? 0 : sum / static_cast<double>(w.size());
  std::fill(w.begin(), w.end(), mean);
  std::vector<Entry> list;
  if (!at_random(s.units, w, rng, progress, list)) return false;
  set_entries(s, std::move(list), entries_of(s, true));
  return true;
}

}  // namespace dalea
