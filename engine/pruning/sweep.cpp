#include "pruning/sweep.h"

#include <algorithm>
#include <cmath>

#include "pruning/piece.h"
#include "pruning/spanning_tree.h"

namespace dalea {
namespace {

double mean_over(const std::vector<SweepDraw>& draws, double SweepDraw::*member) {
  double sum = 0;
  for (const SweepDraw& d : draws) sum += d.*member;
  return sum / static_cast<double>(draws.size());
}

double sd_over(const std::vector<SweepDraw>& draws, double SweepDraw::*member, double mean) {
  double square = 0;
  for (const SweepDraw& d : draws) square += (d.*member - mean) * (d.*member - mean);
  return draws.size() > 1 ? std::sqrt(square / static_cast<double>(draws.size() - 1)) : 0.0;
}

void summarise_draws(SweepPoint& p) {
  p.density = mean_over(p.draws, &SweepDraw::density);
  p.effective = mean_over(p.draws, &SweepDraw::effective);
  p.held_out = mean_over(p.draws, &SweepDraw::held_out);
  p.overlap = mean_over(p.draws, &SweepDraw::overlap);
  p.random_overlap = mean_over(p.draws, &SweepDraw::random_overlap);
  p.accuracy = mean_over(p.draws, &SweepDraw::accuracy);
  p.held_out_sd = sd_over(p.draws, &SweepDraw::held_out, p.held_out);
  p.accuracy_sd = sd_over(p.draws, &SweepDraw::accuracy, p.accuracy);
}

int64_t draws_of(const SweepOptions& options, PruneMethod method) {
  return method == PruneMethod::magnitude ? 1 : options.draws;
}

}  // namespace

HeldOutLoss::HeldOutLoss(const Dataset& data, int64_t batch, bool last_only, Isa isa, Workers& workers)
    : data_(data), batch_(batch), last_only_(last_only), pass_(isa, workers) {}

void HeldOutLoss::begin(const Model& model) {
  model_ = &model;
  pass_.pack(model, false);
  within_ = false;
  trial_ = last_only_ ? (data_.held_out.count - 1) / batch_ * batch_ : 0;
  scored_ = 0;
  sum_ = 0;
  answers_ = no_answers(data_);
}

bool HeldOutLoss::go(bool whole) {
  const Trials& split = data_.held_out;
  if (trial_ >= split.count) return false;
  const FloatState ieee;
  const int64_t end = std::min(trial_ + batch_, split.count);
  if (!within_) {
    pass_.begin_forward(*model_, split, trial_, end, data_.loss);
    within_ = true;
  }
  if (whole)
    pass_.run();
  else if (!pass_.advance())
    return true;
  sum_ += pass_.loss_sum();
  scored_ += pass_.activity().scored;
  if (answers_.classes > 0) pass_.count_answers(answers_.count);
  within_ = false;
  trial_ = end;
  return trial_ < split.count;
}

// Every block by itself: a tree's edge survives with the part of its block's candidates that were kept.
double expected_overlap(const SpanningTree& tree, const Weights& w, const std::vector<uint8_t>& kept,
                        const SweepOptions& options, PruneMethod method) {
  if (tree.entries.empty()) return 0;
  const bool zeros_too = options.as_published && method != PruneMethod::magnitude;
  const std::vector<float> values = pruning::dense_values(w);
  const int64_t rows = w.rows;
  std::vector<PruneBlock> blocks = options.blocks;
  if (blocks.empty()) blocks.push_back({{0, rows}, {0, w.cols}, 0, std::nullopt});
  std::vector<uint8_t> edge(values.size(), 0);
  for (int64_t e : tree.entries) edge[e] = 1;
  double expected = 0;
  for (const PruneBlock& b : blocks) {
    int64_t candidates = 0, survivors = 0, edges = 0;
    for (int64_t j = b.pre.begin; j < b.pre.end; ++j)
      for (int64_t i = b.post.begin; i < b.post.end; ++i) {
        const int64_t e = j * rows + i;
        if ((values[e] == 0 && !zeros_too) || (i == j && !options.include_diagonal)) continue;
        ++candidates;
        survivors += kept[e];
        edges += edge[e];
      }
    if (candidates > 0)
      expected += static_cast<double>(edges) * static_cast<double>(survivors) / static_cast<double>(candidates);
  }
  return expected / static_cast<double>(tree.edges());
}

Result<std::vector<double>> sweep_grid(const SweepOptions& options) {
  if (!options.blocks.empty()) {
    if (!options.sparsities.empty())
      return Error{"sparsity", "is given beside blocks, which have their own; give one of the two"};
    double absent = 0, entries = 0;
    for (const PruneBlock& b : options.blocks) {
      const double n = static_cast<double>(b.post.size() * b.pre.size());
      absent += b.sparsity * n;
      entries += n;
    }
    return std::vector<double>{entries > 0 ? absent / entries : 0.0};
  }
  std::vector<double> grid = options.sparsities;
  if (grid.empty())
    for (double p : published_densities()) grid.push_back(1 - p);
  for (double s : grid)
    if (!(s >= 0 && s <= 1))
      return Error{"sparsity", "is " + std::to_string(s) + "; give the fraction of absent connections, from 0 to 1"};
  std::sort(grid.begin(), grid.end());
  for (size_t k = 1; k < grid.size(); ++k)
    if (grid[k] == grid[k - 1])
      return Error{"sparsity", "is " + std::to_string(grid[k]) + " twice; give each sparsity once"};
  return grid;
}

Result<PruneResult> prune_at(const Weights& w, const SweepOptions& options, PruneMethod method, int64_t place,
                             int64_t draw, uint64_t seed, int64_t run) {
  Result<std::vector<double>> grid = sweep_grid(options);
  if (!grid) return grid.error();
  PruneOptions o;
  o.method = method;
  o.sparsity = (*grid)[place];
  o.blocks = options.blocks;
  o.include_diagonal = options.include_diagonal;
  o.draw = options.draw;
  o.as_published = options.as_published;
  Rng rng(seed, Purpose::prune, static_cast<uint32_t>(run), static_cast<uint32_t>(draw), static_cast<uint32_t>(place));
  return prune(w, o, rng);
}

SweepSteps::SweepSteps(const Spec& spec, const Model& model, const Dataset& data, int64_t run,
                       const SweepOptions& options, Isa isa, Workers& workers)
    : spec_(spec),
      model_(model),
      run_(run),
      options_(options),
      pruned_(model),
      loss_(data, spec.training.batch, options.as_published, isa, workers) {}

Result<std::unique_ptr<SweepSteps>> SweepSteps::create(const Spec& spec, const Model& model, const Dataset& data,
                                                       int64_t run, const SweepOptions& options, Isa isa,
                                                       Workers& workers) {
  Result<std::vector<double>> grid = sweep_grid(options);
  if (!grid) return grid.error();
  if (options.draws < 1 || options.draws > 1'000'000)
    return Error{"draws", "is " + std::to_string(options.draws) + "; give 1 to 1000000"};
  if (data.held_out.count == 0)
    return Error{"held-out split", "has no trials, so there is no error to measure; give task.held_out or more frames"};
  Result<SpanningTree> tree = maximum_spanning_tree(model.parameters.W_rec);
  if (!tree) return tree.error();
  std::unique_ptr<SweepSteps> steps(new SweepSteps(spec, model, data, run, options, isa, workers));
  steps->grid_ = std::move(*grid);
  steps->tree_ = std::move(*tree);
  for (PruneMethod method : options.methods)
    steps->all_ += static_cast<int64_t>(steps->grid_.size()) * draws_of(options, method);
  steps->result_.dense = steps->result_.dense_accuracy = std::nan("");  // not known yet
  steps->loss_.begin(model);
  return steps;
}

Status SweepSteps::begin_mask() {
  const Weights& w = model_.parameters.W_rec;
  const PruneMethod method = options_.methods[method_];
  Result<PruneResult> p = prune_at(w, options_, method, static_cast<int64_t>(place_),
                                   static_cast<int64_t>(point_.draws.size()), spec_.seed, run_);
  if (!p) return p.error();
  // Stored as training under the mask would: the same bits, and time follows the number of connections.
  const std::shared_ptr<const Pattern> mask = p->pattern();
  pruned_.parameters.W_rec = on_mask(p->weights, mask, w.sparse() || stored_sparse(spec_, mask.get()));
  point_.method = method;
  point_.sparsity = grid_[place_];
  point_.draws.push_back({p->density.achieved, p->density.effective, 0, 0, 0, 0});
  kept_ = std::move(p->kept);
  loss_.begin(pruned_);
  return {};
}

Status SweepSteps::end_mask() {
  SweepDraw& drawn = point_.draws.back();
  drawn.held_out = loss_.value();
  drawn.accuracy = loss_.accuracy();
  if (tree_.edges() > 0) {
    Result<TreeOverlap> overlap = tree_overlap(tree_, kept_);
    if (!overlap) return overlap.error();
    drawn.overlap = overlap->fraction;
    drawn.random_overlap = expected_overlap(tree_, model_.parameters.W_rec, kept_, options_, point_.method);
  }
  ++done_;
  if (static_cast<int64_t>(point_.draws.size()) < draws_of(options_, point_.method)) return {};
  summarise_draws(point_);
  result_.points.push_back(std::move(point_));
  point_ = {};
  if (++place_ == grid_.size()) {
    place_ = 0;
    ++method_;
  }
  return {};
}

Result<bool> SweepSteps::go(bool whole) {
  if (result_.complete) return false;
  if (!within_) {
    if (Status ok = begin_mask(); !ok) return ok.error();
    within_ = true;
  }
  if (whole ? loss_.step() : loss_.advance()) return true;
  within_ = false;
  if (dense_) {
    dense_ = false;
    result_.dense = loss_.value();
    result_.dense_accuracy = loss_.accuracy();
  } else if (Status ok = end_mask(); !ok) {
    return ok.error();
  }
  result_.complete = done_ == all_;
  return !result_.complete;
}

Result<Sweep> sweep(const Spec& spec, const Model& model, const Dataset& data, int64_t run, const SweepOptions& options,
                    Isa isa, Workers& workers, const std::function<void(int64_t, int64_t)>& progress,
                    const std::atomic<bool>* cancel) {
  Result<std::unique_ptr<SweepSteps>> steps = SweepSteps::create(spec, model, data, run, options, isa, workers);
  if (!steps) return steps.error();
  const auto cancelled = [&] { return cancel && cancel->load(std::memory_order_relaxed); };
  for (int64_t done = 0; !cancelled();) {
    Result<bool> more = (*steps)->step();
    if (!more) return more.error();
    if (progress && (*steps)->done() > done) progress(done = (*steps)->done(), (*steps)->all());
    if (!*more) break;
  }
  Sweep result = (*steps)->result();
  result.complete = result.complete && !cancelled();
  return result;
}

Result<double> sweep_area(const Sweep& sweep, PruneMethod method) {
  std::vector<double> x, y;
  for (const SweepPoint& p : sweep.points) {
    if (p.method != method) continue;
    x.push_back(p.sparsity);
    y.push_back(p.held_out);
  }
  if (x.size() == 1) return y.front();
  return trapezoid(x, y);
}

Result<MethodComparison> compare_methods(Values a, Values b) {
  if (a.size() != b.size())
    return Error{"runs", "are " + std::to_string(a.size()) + " of one method and " + std::to_string(b.size()) +
                             " of the other; give the same runs for both"};
  MethodComparison c;
  Result<MannWhitney> u = mann_whitney(a, b);
  if (!u) return u.error();
  Result<Wilcoxon> w = wilcoxon(a, b);
  if (!w) return w.error();
  c.mann_whitney = *u;
  c.paired = *w;
  // The most extreme of C(2n, n) relabelings and of 2^n signs, on either side.
  double relabelings = 1, signs = 1;
  for (size_t k = 1; k <= a.size(); ++k) {
    relabelings *= static_cast<double>(a.size() + k) / static_cast<double>(k);
    signs *= 2;
  }
  c.mann_whitney_least = std::min(1.0, 2 / relabelings);
  c.paired_least = std::min(1.0, 2 / signs);
  return c;
}

}  // namespace dalea
