#include "pruning/spanning_tree.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "pruning/piece.h"

namespace dalea {

namespace {

// Disjoint sets, by size and with path halving.
class Sets {
 public:
  explicit Sets(int64_t count) : parent_(static_cast<size_t>(count)), size_(static_cast<size_t>(count), 1) {
    for (size_t v = 0; v < parent_.size(); ++v) parent_[v] = static_cast<int32_t>(v);
  }

  bool join(int32_t a, int32_t b) {  // false if they were together
    a = root(a);
    b = root(b);
    if (a == b) return false;
    if (size_[a] < size_[b]) std::swap(a, b);
    parent_[b] = a;
    size_[a] += size_[b];
    return true;
  }

 private:
  int32_t root(int32_t v) {
    while (parent_[v] != v) v = parent_[v] = parent_[parent_[v]];
    return v;
  }

  std::vector<int32_t> parent_, size_;
};

Status check_counts(int64_t edges, int64_t entries, int64_t kept) {
  if (entries < 1)
    return Error{"entries", "is " + std::to_string(entries) + "; give the number of entries of a matrix"};
  if (entries > int64_t{1} << 31) return Error{"entries", "is more than 2^31; give a smaller matrix"};
  if (const int64_t most = std::min(entries, int64_t{1} << 22); edges < 1 || edges > most)
    return Error{"edges", "is " + std::to_string(edges) + "; give 1 to " + std::to_string(most)};
  if (kept < 0 || kept > entries)
    return Error{"kept", "is " + std::to_string(kept) + "; give 0 to " + std::to_string(entries)};
  return {};
}

}  // namespace

Result<SpanningTree> maximum_spanning_tree(const Weights& w) {
  return maximum_spanning_tree(w, {0, w.rows}, {0, w.cols});
}

Result<SpanningTree> maximum_spanning_tree(const Weights& w, Range post, Range pre) {
  PruneOptions options;  // the same checks, the same view of a block
  options.blocks.push_back({post, pre, 0, std::nullopt});
  Result<std::vector<pruning::Piece>> pieces = pruning::pieces_of(w, options);
  if (!pieces) {
    Error e = pieces.error();
    if (const std::string block = "blocks[0]."; e.path.rfind(block, 0) == 0) e.path.erase(0, block.size());
    return e;
  }
  pruning::Piece& piece = pieces->front();
  pruning::cut(piece, pruning::dense_values(w), w.rows, options);
  std::vector<uint64_t> keys = pruning::keys_by_magnitude(piece);
  SpanningTree tree;
  tree.rows = post.size();
  tree.cols = pre.size();
  const int64_t full = tree.rows + tree.cols - 1;
  Sets sets(tree.rows + tree.cols);
  // A tree is often complete after a few of the heaviest edges per neuron: sort no more than it takes.
  auto begin = keys.begin();
  for (int64_t batch = 8 * (full + 1); begin != keys.end() && tree.edges() < full; batch *= 2) {
    const auto end = begin + std::min<int64_t>(batch, keys.end() - begin);
    std::nth_element(begin, end, keys.end());
    std::sort(begin, end);
    for (; begin != end && tree.edges() < full; ++begin) {
      const auto e = static_cast<uint32_t>(*begin);
      const int64_t i = e % tree.rows, j = e / tree.rows;
      if (!sets.join(static_cast<int32_t>(i), static_cast<int32_t>(tree.rows + j))) continue;
      tree.entries.push_back(piece.at(e, w.rows));
      tree.weight += static_cast<double>(piece.magnitude[e]);
    }
  }
  return tree;
}

Result<TreeOverlap> tree_overlap(const SpanningTree& tree, const std::vector<uint8_t>& kept) {
  TreeOverlap overlap;
  overlap.edges = tree.edges();
  for (int64_t at : tree.entries) {
    if (at < 0 || at >= static_cast<int64_t>(kept.size()))
      return Error{"kept", "has " + std::to_string(kept.size()) + " entries, but the tree holds entry " +
                               std::to_string(at) + "; give the mask of the whole matrix"};
    overlap.survived += kept[at] != 0;
  }
  if (overlap.edges > 0) overlap.fraction = static_cast<double>(overlap.survived) / static_cast<double>(overlap.edges);
  return overlap;
}

Result<std::vector<double>> random_overlap_distribution(int64_t edges, int64_t entries, int64_t kept) {
  if (Status s = check_counts(edges, entries, kept); !s) return s.error();
  const int64_t least = std::max<int64_t>(0, edges + kept - entries), most = std::min(edges, kept);
  std::vector<double> p(static_cast<size_t>(edges) + 1, 0.0);
  const auto ratio = [&](int64_t k) {  // p[k + 1] / p[k]
    return static_cast<double>(edges - k) * static_cast<double>(kept - k) /
           (static_cast<double>(k + 1) * static_cast<double>(entries - edges - kept + k + 1));
  };
  // (edges + 1)(kept + 1) / (entries + 2), below 2^63 by check_counts
  const int64_t mode = std::clamp((edges + 1) * (kept + 1) / (entries + 2), least, most);
  p[mode] = 1;
  for (int64_t k = mode; k < most; ++k) p[k + 1] = p[k] * ratio(k);
  for (int64_t k = mode; k > least; --k) p[k - 1] = p[k] / ratio(k - 1);
  double sum = 0;
  for (double v : p) sum += v;
  for (double& v : p) v /= sum;
  return p;
}

Result<double> random_overlap(int64_t entries, int64_t kept) {
  if (Status s = check_counts(1, entries, kept); !s) return s.error();
  return static_cast<double>(kept) / static_cast<double>(entries);
}

Result<double> published_random_overlap(int64_t edges, int64_t entries, int64_t kept) {
  Result<std::vector<double>> p = random_overlap_distribution(edges, entries, kept);
  if (!p) return p.error();
  double sum = 0;
  for (size_t k = 1; k < p->size(); ++k) sum += static_cast<double>(k) * (*p)[k];
  return sum / static_cast<double>(edges);
}

Result<OverlapBound> top_prob_bound(std::vector<double> keep, int64_t rows, int64_t cols, double sparsity) {
  const int64_t n = static_cast<int64_t>(keep.size());
  if (rows < 1 || cols < 1 || n % rows != 0 || n / rows != cols)
    return Error{"keep", "has " + std::to_string(n) + " probabilities for a matrix of " + std::to_string(rows) + " x " +
                             std::to_string(cols) + "; give one per entry"};
  if (!(sparsity >= 0 && sparsity <= 1))
    return Error{"sparsity", "is outside 0 to 1; give the fraction of absent entries"};
  for (double p : keep)
    if (!(p >= 0 && p <= 1)) return Error{"keep", "holds something outside 0 to 1; give probabilities"};
  const int64_t less = std::min(rows, cols), used = std::min(n, std::max<int64_t>(less, 3) + 1);
  std::partial_sort(keep.begin(), keep.begin() + used, keep.end(), std::greater<>());
  const double r = static_cast<double>(rows), c = static_cast<double>(cols);
  const auto sum_from = [&](int64_t first) {  // keep[first] is what the formula calls p_1
    double sum = 0;
    for (int64_t k = 1; k <= std::max<int64_t>(less, 3) && first + k - 1 < n; ++k) {
      const double d = static_cast<double>(k);
      sum += k <= 3 ? keep[first + k - 1] : keep[first + k - 1] * ((r - d) * (c - d) / (r * c - d));
    }
    return sum;
  };
  const double tree = r + c - 1;
  const double kept = std::trunc((1 - sparsity) * (r * c));  // as coded: int()
  OverlapBound bound;
  bound.published = kept > 0 ? sum_from(1) / std::min(tree, kept) : 0;
  bound.corrected = sum_from(0) / tree;
  return bound;
}

}  // namespace dalea
