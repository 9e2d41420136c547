// The simulation of SEEDS 3.8: how much of the spanning tree of random matrices survives, by size, sparsity and method.
#include <algorithm>
#include <cmath>

#include "pruning/piece.h"
#include "pruning/spanning_tree.h"

namespace dalea {

namespace {

constexpr int64_t max_draws = 4095, max_matrices = int64_t{1} << 20, max_size = 4096;

Status check(const OverlapStudyOptions& o) {
  for (size_t k = 0; k < o.sizes.size(); ++k)
    if (o.sizes[k] < 1 || o.sizes[k] > max_size)
      return Error{"sizes[" + std::to_string(k) + "]",
                   "is " + std::to_string(o.sizes[k]) + "; give 1 to " + std::to_string(max_size) + " neurons"};
  for (size_t k = 0; k < o.sparsities.size(); ++k)
    if (!(o.sparsities[k] >= 0 && o.sparsities[k] <= 1))
      return Error{"sparsities[" + std::to_string(k) + "]", "is outside 0 to 1; give the fraction of absent entries"};
  if (!(o.survivors_at >= 0 && o.survivors_at <= 1))
    return Error{"survivors_at", "is outside 0 to 1; give the fraction of absent entries"};
  if (o.sizes.empty()) return Error{"sizes", "is empty; give at least one number of neurons"};
  if (o.methods.empty()) return Error{"methods", "is empty; give at least one of random, magnitude, top-prob"};
  if (o.matrices < 1 || o.matrices > max_matrices)
    return Error{"matrices", "is " + std::to_string(o.matrices) + "; give 1 to " + std::to_string(max_matrices)};
  if (o.draws < 1 || o.draws > max_draws)
    return Error{"draws", "is " + std::to_string(o.draws) + "; give 1 to " + std::to_string(max_draws)};
  return {};
}

// Mean and sample standard deviation, by the two-pass formula.
void add_statistics(const std::vector<double>& values, OverlapPoint& point) {
  const double n = static_cast<double>(values.size());
  for (double v : values) point.mean += v;
  point.mean /= n;
  double squares = 0;
  for (double v : values) squares += (v - point.mean) * (v - point.mean);
  point.sd = values.size() > 1 ? std::sqrt(squares / (n - 1)) : 0;
}

class Study {
 public:
  Study(const OverlapStudyOptions& options, const std::function<void(int64_t, int64_t)>& progress,
        const std::atomic<bool>* cancel)
      : options_(options), sparsities_(options.sparsities), progress_(progress), cancel_(cancel) {
    for (int k = 0; options.sparsities.empty() && k <= 20; ++k) sparsities_.push_back(k / 20.0);
    prune_.draw = options.draw;
    prune_.as_published = options.as_published;
  }

  void expect(int64_t matrices) { all_ = matrices * masks(); }

  // Points without numbers for matrices of a size.
  void begin(int64_t size) {
    points_.assign(options_.methods.size() * grid(), {});
    fractions_.assign(points_.size(), {});
    survivors_.clear();
    densities_ = 0;
    for (size_t k = 0; k < points_.size(); ++k) {
      points_[k].size = size;
      points_[k].sparsity = sparsities_[k % grid()];
      points_[k].method = options_.methods[k / grid()];
    }
  }

  // One matrix: the tree, its bounds, its masks from stream(1), stream(2), ... `each_draw`: a mask is a value of its
  // own, else their mean is. False: cancelled.
  Result<bool> add(const Weights& w, const std::function<Rng(int64_t)>& stream, bool each_draw) {
    Result<SpanningTree> tree = maximum_spanning_tree(w);
    if (!tree) return tree.error();
    if (Status s = add_bounds(w); !s) return s.error();
    for (size_t k = 0; k < points_.size(); ++k) {
      prune_.method = points_[k].method;
      prune_.sparsity = points_[k].sparsity;
      double fraction = 0;
      for (int64_t d = 1; d <= options_.draws; ++d) {
        if (cancelled()) return false;
        Rng rng = stream(d);
        Result<PruneResult> pruned = prune(w, prune_, rng);
        if (!pruned) return pruned.error();
        Result<TreeOverlap> overlap = tree_overlap(*tree, pruned->kept);
        if (!overlap) return overlap.error();
        fraction += overlap->fraction;
        points_[k].density += pruned->density.achieved;
        if (each_draw) fractions_[k].push_back(overlap->fraction);
        if (progress_) progress_(++done_, all_);
      }
      if (!each_draw) fractions_[k].push_back(fraction / static_cast<double>(options_.draws));
    }
    densities_ += options_.draws;
    return true;
  }

  // The first mask of every matrix, pooled.
  Status add_survivors(const Weights& w, Rng rng, PruneMethod method) {
    prune_.method = method;
    prune_.sparsity = options_.survivors_at;
    Result<PruneResult> pruned = prune(w, prune_, rng);
    if (!pruned) return pruned.error();
    const std::vector<float> values = surviving_weights(*pruned);
    auto at =
        std::find_if(survivors_.begin(), survivors_.end(), [&](const Survivors& s) { return s.method == method; });
    if (at == survivors_.end()) at = survivors_.insert(survivors_.end(), {w.rows, method, {}});
    at->values.insert(at->values.end(), values.begin(), values.end());
    return {};
  }

  void end(int64_t matrices) {
    for (size_t k = 0; k < points_.size(); ++k) {
      add_statistics(fractions_[k], points_[k]);
      points_[k].density /= static_cast<double>(densities_);
      points_[k].random /= static_cast<double>(matrices);
      points_[k].bound.published /= static_cast<double>(matrices);
      points_[k].bound.corrected /= static_cast<double>(matrices);
      study_.points.push_back(points_[k]);
    }
    study_.survivors.insert(study_.survivors.end(), survivors_.begin(), survivors_.end());
  }

  OverlapStudy take(bool complete) {
    study_.complete = complete;
    return std::move(study_);
  }

 private:
  bool cancelled() const { return cancel_ != nullptr && cancel_->load(); }
  size_t grid() const { return sparsities_.size(); }
  int64_t masks() const { return static_cast<int64_t>(options_.methods.size() * grid()) * options_.draws; }

  Status add_bounds(const Weights& w) {
    const int64_t n = w.rows * w.cols;
    int64_t eligible = n;
    if (!options_.as_published) {  // which draws zeros too (Q4)
      eligible = 0;
      for (float v : w.values) eligible += v != 0;
    }
    prune_.method = PruneMethod::top_prob;
    for (size_t k = 0; k < grid() && !cancelled(); ++k) {
      prune_.sparsity = sparsities_[k];
      Result<KeepProbabilities> p = keep_probabilities(w, prune_);
      if (!p) return p.error();
      Result<OverlapBound> bound = top_prob_bound(std::move(p->keep), w.rows, w.cols, sparsities_[k]);
      if (!bound) return bound.error();
      const int64_t kept = std::min(eligible, pruning::exact_count(n, sparsities_[k]));
      for (size_t at = k; at < points_.size(); at += grid()) {
        points_[at].bound.published += bound->published;
        points_[at].bound.corrected += bound->corrected;
        if (eligible > 0) points_[at].random += static_cast<double>(kept) / static_cast<double>(eligible);
      }
    }
    return {};
  }

  const OverlapStudyOptions& options_;
  std::vector<double> sparsities_;
  const std::function<void(int64_t, int64_t)>& progress_;
  const std::atomic<bool>* cancel_;
  PruneOptions prune_;
  std::vector<OverlapPoint> points_;
  std::vector<std::vector<double>> fractions_;
  std::vector<Survivors> survivors_;
  int64_t densities_ = 0, done_ = 0, all_ = 0;
  OverlapStudy study_;
};

}  // namespace

Result<OverlapStudy> study_overlap(const OverlapStudyOptions& options, uint64_t seed, Purpose purpose, uint32_t run,
                                   const std::function<void(int64_t, int64_t)>& progress,
                                   const std::atomic<bool>* cancel) {
  if (Status s = check(options); !s) return s.error();
  Study study(options, progress, cancel);
  study.expect(static_cast<int64_t>(options.sizes.size()) * options.matrices);
  for (int64_t size : options.sizes) {
    study.begin(size);
    for (int64_t m = 0; m < options.matrices; ++m) {
      const auto stream = [&](int64_t d) {
        return Rng(seed, purpose, run, static_cast<uint32_t>(size), static_cast<uint32_t>(4096 * m + d));
      };
      Weights w;
      w.rows = w.cols = size;
      Rng values = stream(0);
      for (int64_t e = 0; e < size * size; ++e) w.values.push_back(1 - values.uniform());
      Result<bool> finished = study.add(w, stream, false);
      if (!finished) return finished.error();
      if (!*finished) return study.take(false);
      for (size_t q = 0; q < options.methods.size(); ++q)
        if (Status s = study.add_survivors(w, stream(1), options.methods[q]); !s) return s.error();
    }
    study.end(options.matrices);
  }
  return study.take(true);
}

Result<OverlapStudy> study_overlap_of(const Weights& w, const OverlapStudyOptions& options, uint64_t seed,
                                      Purpose purpose, uint32_t run,
                                      const std::function<void(int64_t, int64_t)>& progress,
                                      const std::atomic<bool>* cancel) {
  if (Status s = check(options); !s) return s.error();
  if (w.rows != w.cols)
    return Error{"matrix", "is " + std::to_string(w.rows) + " x " + std::to_string(w.cols) + "; give a square one"};
  Study study(options, progress, cancel);
  study.expect(1);
  study.begin(w.rows);
  const auto stream = [&](int64_t d) {
    return Rng(seed, purpose, run, static_cast<uint32_t>(w.rows), static_cast<uint32_t>(d));
  };
  Result<bool> finished = study.add(w, stream, true);
  if (!finished) return finished.error();
  if (!*finished) return study.take(false);
  for (PruneMethod method : options.methods)
    if (Status s = study.add_survivors(w, stream(1), method); !s) return s.error();
  study.end(1);
  return study.take(true);
}

}  // namespace dalea
