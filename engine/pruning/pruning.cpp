#include "pruning/pruning.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "pruning/piece.h"

namespace dalea {

using namespace pruning;

namespace {

constexpr int64_t max_entries = std::numeric_limits<int32_t>::max();  // 46340 x 46340

template <class E, size_t count>
Result<E> parse_choice(std::string_view text, const std::string& path, const E (&choices)[count]) {
  std::string list;
  for (E choice : choices) {
    if (text == text_of(choice)) return choice;
    list += (list.empty() ? "" : ", ") + std::string(text_of(choice));
  }
  return Error{path, "'" + std::string(text.substr(0, 60)) + "' is not one of " + list};
}

std::string text_of(const Range& r) {
  return std::to_string(r.begin) + ".." + std::to_string(r.end);
}

std::string text_of(double v) {
  if (std::isnan(v)) return "NaN";
  if (std::isinf(v)) return v < 0 ? "-infinity" : "infinity";
  return std::to_string(v);
}

Status check_matrix(const Weights& w) {
  const std::string name = w.name.empty() ? "matrix" : w.name;
  if (w.rows <= 0 || w.cols <= 0) return Error{name, "has no entries; give a matrix with rows and columns"};
  if (w.cols > max_entries / w.rows)
    return Error{name, "has more than " + std::to_string(max_entries) + " entries; prune it in parts"};
  const int64_t count = w.sparse() ? w.pattern->count() : w.rows * w.cols;
  if (static_cast<int64_t>(w.values.size()) != count ||
      (w.sparse() && (w.pattern->rows != w.rows || w.pattern->cols != w.cols)))
    return Error{name, "holds " + std::to_string(w.values.size()) + " values, which does not fit " +
                           std::to_string(w.rows) + " x " + std::to_string(w.cols) + "; give one per entry"};
  int64_t j = 0;
  for (int64_t e = 0; e < count; ++e) {
    while (w.sparse() && e >= w.pattern->col_start[j + 1]) ++j;
    if (std::isfinite(w.values[e])) continue;
    const int64_t row = w.sparse() ? w.pattern->row[e] : e % w.rows, col = w.sparse() ? j : e / w.rows;
    return Error{name + "(" + std::to_string(row) + ", " + std::to_string(col) + ")",
                 "is " + text_of(static_cast<double>(w.values[e])) + "; prune a matrix of finite numbers"};
  }
  return {};
}

Status check_sparsity(double sparsity, const std::string& path) {
  if (sparsity >= 0 && sparsity <= 1) return {};
  return Error{path, "is " + text_of(sparsity) + "; give the fraction of absent entries, from 0 to 1"};
}

Status check_range(const Range& r, int64_t size, const std::string& path) {
  if (r.begin < 0 || r.end > size)
    return Error{path, "is " + text_of(r) + "; the matrix has 0.." + std::to_string(size)};
  if (r.begin >= r.end) return Error{path, "is " + text_of(r) + ", which is empty; give end > begin"};
  return {};
}

Status check_overlap(const Weights& w, const std::vector<PruneBlock>& blocks) {
  std::vector<int32_t> owner(static_cast<size_t>(w.rows * w.cols), -1);
  for (size_t b = 0; b < blocks.size(); ++b)
    for (int64_t j = blocks[b].pre.begin; j < blocks[b].pre.end; ++j)
      for (int64_t i = blocks[b].post.begin; i < blocks[b].post.end; ++i) {
        int32_t& o = owner[j * w.rows + i];
        if (o >= 0)
          return Error{"blocks[" + std::to_string(b) + "]", "shares entry (" + std::to_string(i) + ", " +
                                                                std::to_string(j) + ") with blocks[" +
                                                                std::to_string(o) + "]; make blocks disjoint"};
        o = static_cast<int32_t>(b);
      }
  return {};
}

std::vector<double> draws(int64_t count, Rng& rng) {
  std::vector<double> u(static_cast<size_t>(count));
  for (double& v : u) {
    const uint64_t high = rng.u32(), low = rng.u32();
    v = static_cast<double>((high << 21) | (low >> 11)) * 0x1p-53;
  }
  return u;
}

std::vector<uint8_t> choose(const Piece& piece, const KeepProbabilities& p, const PruneOptions& options,
                            const std::vector<double>& draw, uint32_t start) {
  const int64_t count = std::min(exact_count(piece.entries(), piece.sparsity), piece.eligible_count);
  if (piece.method == PruneMethod::magnitude) return largest(piece, count);
  if (options.draw == PruneDraw::exact_count)
    return piece.method == PruneMethod::random ? smallest_draws(piece, draw, count)
                                               : systematic(p.keep, draw, count, start);
  std::vector<uint8_t> kept(p.keep.size());
  for (size_t e = 0; e < kept.size(); ++e) kept[e] = draw[e] < p.keep[e];
  return kept;
}

void finish(PrunedDensity& d) {
  const double n = static_cast<double>(d.entries);
  d.achieved = static_cast<double>(d.kept) / n;
  d.effective = static_cast<double>(d.effective_kept) / n;
}

Weights pruned_weights(const Weights& w, const std::vector<float>& values, const std::vector<uint8_t>& kept) {
  Weights pruned;
  pruned.name = w.name;
  pruned.rows = w.rows;
  pruned.cols = w.cols;
  pruned.frozen = w.frozen;
  if (w.sparse()) {
    pruned.pattern = make_pattern(w.rows, w.cols, kept);
    pruned.values.reserve(static_cast<size_t>(pruned.pattern->count()));
    for (size_t e = 0; e < kept.size(); ++e)
      if (kept[e]) pruned.values.push_back(values[e]);
  } else {
    pruned.values.assign(values.size(), 0.0f);
    for (size_t e = 0; e < kept.size(); ++e)
      if (kept[e]) pruned.values[e] = values[e];
  }
  return pruned;
}

}  // namespace

namespace pruning {

int64_t exact_count(int64_t entries, double sparsity) {
  return static_cast<int64_t>(std::floor(static_cast<double>(entries) * (1 - sparsity) + 0.5));
}

Result<std::vector<Piece>> pieces_of(const Weights& w, const PruneOptions& options) {
  if (Status s = check_matrix(w); !s) return s.error();
  if (Status s = check_sparsity(options.sparsity, "sparsity"); !s) return s.error();
  if (!(options.tolerance >= 0))
    return Error{"tolerance", "is " + text_of(options.tolerance) + "; give 0 or the size of a weight without effect"};
  const Range rows{0, w.rows}, cols{0, w.cols};
  std::vector<Piece> pieces;
  for (size_t b = 0; b < options.blocks.size(); ++b) {
    const PruneBlock& block = options.blocks[b];
    const std::string path = "blocks[" + std::to_string(b) + "]";
    if (Status s = check_range(block.post, w.rows, path + ".post"); !s) return s.error();
    if (Status s = check_range(block.pre, w.cols, path + ".pre"); !s) return s.error();
    if (Status s = check_sparsity(block.sparsity, path + ".sparsity"); !s) return s.error();
    pieces.push_back({block.post, block.pre, block.sparsity, block.method.value_or(options.method), {}, {}, 0});
  }
  if (pieces.empty())
    pieces.push_back({rows, cols, options.sparsity, options.method, {}, {}, 0});
  else if (Status s = check_overlap(w, options.blocks); !s)
    return s.error();
  bool random = false;
  for (const Piece& piece : pieces) random = random || piece.method != PruneMethod::magnitude;
  if (options.as_published && random) {
    if (options.draw == PruneDraw::exact_count)
      return Error{"draw",
                   "is exact-count, but every published draw is by itself; use bernoulli or leave as-published"};
    if (!options.include_diagonal)
      return Error{"include_diagonal",
                   "is off, but as published the diagonal is pruned like any other entry; leave it on"};
  }
  return pieces;
}

std::vector<float> dense_values(const Weights& w) {
  if (!w.sparse()) return w.values;
  std::vector<float> values(static_cast<size_t>(w.rows * w.cols), 0.0f);
  for (int64_t j = 0; j < w.cols; ++j)
    for (int64_t e = w.pattern->col_start[j]; e < w.pattern->col_start[j + 1]; ++e)
      values[j * w.rows + w.pattern->row[e]] = w.values[e];
  return values;
}

void cut(Piece& piece, const std::vector<float>& values, int64_t rows, const PruneOptions& options) {
  const bool tiny = options.as_published && options.published_tiny_zeros && piece.method != PruneMethod::magnitude;
  piece.magnitude.reserve(static_cast<size_t>(piece.entries()));
  piece.eligible.reserve(static_cast<size_t>(piece.entries()));
  for (int64_t j = piece.pre.begin; j < piece.pre.end; ++j)
    for (int64_t i = piece.post.begin; i < piece.post.end; ++i) {
      float v = std::fabs(values[j * rows + i]);
      if (v == 0 && tiny) v = 1e-25f;
      const bool eligible = v != 0 && (i != j || options.include_diagonal);
      piece.magnitude.push_back(v);
      piece.eligible.push_back(eligible);
      piece.eligible_count += eligible;
    }
}

}  // namespace pruning

const char* text_of(PruneMethod method) {
  if (method == PruneMethod::random) return "random";
  return method == PruneMethod::magnitude ? "magnitude" : "top-prob";
}

const char* text_of(PruneDraw draw) {
  return draw == PruneDraw::bernoulli ? "bernoulli" : "exact-count";
}

Result<PruneMethod> parse_prune_method(std::string_view text, const std::string& path) {
  return parse_choice(text, path, {PruneMethod::random, PruneMethod::magnitude, PruneMethod::top_prob});
}

Result<PruneDraw> parse_prune_draw(std::string_view text, const std::string& path) {
  return parse_choice(text, path, {PruneDraw::bernoulli, PruneDraw::exact_count});
}

Result<PruneResult> prune(const Weights& w, const PruneOptions& options, Rng& rng) {
  Result<std::vector<Piece>> pieces = pieces_of(w, options);
  if (!pieces) return pieces.error();
  bool random = false;
  for (const Piece& piece : *pieces) random = random || piece.method != PruneMethod::magnitude;
  const std::vector<float> values = dense_values(w);
  std::vector<double> draw, piece_draw;
  if (random) draw = draws(w.rows * w.cols, rng);

  PruneResult result;
  result.kept.assign(values.size(), 0);
  result.density.entries = w.rows * w.cols;
  for (Piece& piece : *pieces) {
    const uint32_t start = random ? rng.u32() : 0;
    cut(piece, values, w.rows, options);
    Result<KeepProbabilities> p = probabilities_of(piece, options);
    if (!p) return p.error();
    piece_draw.clear();
    for (int64_t e = 0; random && e < piece.entries(); ++e) piece_draw.push_back(draw[piece.at(e, w.rows)]);
    const std::vector<uint8_t> kept = choose(piece, *p, options, piece_draw, start);
    PrunedDensity d;
    d.entries = piece.entries();
    for (int64_t e = 0; e < d.entries; ++e) {
      if (!kept[e]) continue;
      const int64_t at = piece.at(e, w.rows);
      result.kept[at] = 1;
      ++d.kept;
      d.effective_kept += std::fabs(static_cast<double>(values[at])) > options.tolerance;
    }
    d.nominal = 1 - piece.sparsity;
    d.expected = p->expected / static_cast<double>(d.entries);
    finish(d);
    result.density.kept += d.kept;
    result.density.effective_kept += d.effective_kept;
    result.density.nominal += d.nominal * static_cast<double>(d.entries);
    result.density.expected += p->expected;
    if (!options.blocks.empty()) result.blocks.push_back(d);
    piece = {};
  }
  result.density.nominal /= static_cast<double>(result.density.entries);
  result.density.expected /= static_cast<double>(result.density.entries);
  finish(result.density);
  result.weights = pruned_weights(w, values, result.kept);
  return result;
}

Result<std::vector<PruneBlock>> population_blocks(const std::vector<Range>& populations,
                                                  const std::vector<std::vector<double>>& density) {
  if (density.size() != populations.size())
    return Error{"density", "has " + std::to_string(density.size()) + " rows; give one for each of the " +
                                std::to_string(populations.size()) + " populations"};
  std::vector<PruneBlock> blocks;
  for (size_t post = 0; post < density.size(); ++post) {
    const std::string path = "density[" + std::to_string(post) + "]";
    if (density[post].size() != populations.size())
      return Error{path, "has " + std::to_string(density[post].size()) + " columns; give one for each of the " +
                             std::to_string(populations.size()) + " populations"};
    for (size_t pre = 0; pre < density.size(); ++pre) {
      const double p = density[post][pre];
      if (!(p >= 0 && p <= 1))
        return Error{path + "[" + std::to_string(pre) + "]",
                     "is " + text_of(p) + "; give a connection probability from 0 to 1"};
      blocks.push_back({populations[post], populations[pre], 1 - p, std::nullopt});
    }
  }
  return blocks;
}

std::vector<float> surviving_weights(const PruneResult& result) {
  if (result.weights.sparse()) return result.weights.values;
  std::vector<float> values;
  for (size_t e = 0; e < result.kept.size(); ++e)
    if (result.kept[e]) values.push_back(result.weights.values[e]);
  return values;
}

std::vector<double> published_densities() {
  std::vector<double> grid{0};
  const double step = (1 - 0.01) / 13;
  for (int k = 0; k < 13; ++k) grid.push_back(k * step + 0.01);
  grid.push_back(1);
  return grid;
}

}  // namespace dalea
