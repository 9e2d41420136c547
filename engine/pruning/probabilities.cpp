// Keep probabilities: the corrected rules and the published ones (SEEDS 3.1 to 3.4).
#include <algorithm>

#include "pruning/piece.h"

namespace dalea {

namespace pruning {

namespace {

// SEEDS 3.3: cuts what is above 1 and gives every entry below 1 that may receive an equal share, until nothing is
// above. This is Newton's method for the shift d at which the sum of min(1, P + d) is the wanted one. With r the
// surplus of a round, c its receivers and m those of them that it lifts above 1, the next surplus is below r m / c, so
// surplus times receivers falls to at most a quarter each round: some sixty rounds bring any double to 0, usually ten
// do.
void share_surplus(std::vector<double>& p, const std::vector<uint8_t>* receives, KeepProbabilities& sums) {
  for (;;) {
    double surplus = 0;
    int64_t below = 0;
    for (size_t e = 0; e < p.size(); ++e) {
      if (p[e] > 1)
        surplus += p[e] - 1;
      else
        below += p[e] < 1 && (!receives || (*receives)[e]);
    }
    if (!(surplus > 0)) return;
    ++sums.rounds;
    const double share = below > 0 ? surplus / static_cast<double>(below) : 0;
    if (below == 0) sums.surplus += surplus;
    for (size_t e = 0; e < p.size(); ++e) {
      if (p[e] >= 1)
        p[e] = 1;
      else if (!receives || (*receives)[e])
        p[e] += share;
    }
  }
}

double sum_of_magnitudes(const Piece& piece) {
  double sum = 0;
  for (size_t e = 0; e < piece.magnitude.size(); ++e)
    if (piece.eligible[e]) sum += static_cast<double>(piece.magnitude[e]);
  return sum;
}

// The expected number of entries kept, of a corrected rule: at most all that are eligible.
double target_of(const Piece& piece, const PruneOptions& options) {
  const double wanted = options.draw == PruneDraw::exact_count || piece.method == PruneMethod::magnitude
                            ? static_cast<double>(exact_count(piece.entries(), piece.sparsity))
                            : static_cast<double>(piece.entries()) * (1 - piece.sparsity);
  return std::min(wanted, static_cast<double>(piece.eligible_count));
}

void top_prob(const Piece& piece, double target, KeepProbabilities& out) {
  if (target >= static_cast<double>(piece.eligible_count)) {  // all of them
    for (size_t e = 0; e < out.keep.size(); ++e) out.keep[e] = piece.eligible[e];
    return;
  }
  const double scale = target / sum_of_magnitudes(piece);
  for (size_t e = 0; e < out.keep.size(); ++e)
    if (piece.eligible[e]) out.keep[e] = scale * static_cast<double>(piece.magnitude[e]);
  share_surplus(out.keep, &piece.eligible, out);
}

Status published_top_prob(const Piece& piece, bool blocks, KeepProbabilities& out) {
  const double n = static_cast<double>(piece.entries());
  const double absent = n - static_cast<double>(piece.eligible_count) +
                        static_cast<double>(std::min(piece.post.size(), piece.pre.size()));
  if (absent >= n)
    return Error{"as_published", "divides by entries - zeros - min(rows, cols), which is not positive for rows " +
                                     std::to_string(piece.post.begin) + ".." + std::to_string(piece.post.end) +
                                     ", columns " + std::to_string(piece.pre.begin) + ".." +
                                     std::to_string(piece.pre.end) + "; turn as_published off"};
  const double sum = sum_of_magnitudes(piece);
  const double to_add = (piece.sparsity * n - absent) / (n - absent);
  const double scale = n * (1 - to_add) / sum;
  for (size_t e = 0; e < out.keep.size(); ++e) out.keep[e] = scale * static_cast<double>(piece.magnitude[e]);
  if (!blocks) {
    share_surplus(out.keep, nullptr, out);
  } else {
    for (double& p : out.keep) {
      out.surplus += std::max(p - 1, 0.0);
      p = std::min(p, 1.0);
    }
  }
  for (size_t e = 0; e < out.keep.size(); ++e) {  // zeros had a share, but are never drawn
    if (piece.eligible[e]) continue;
    out.lost += out.keep[e];
    out.keep[e] = 0;
  }
  return {};
}

}  // namespace

Result<KeepProbabilities> probabilities_of(const Piece& piece, const PruneOptions& options) {
  KeepProbabilities out;
  out.keep.assign(static_cast<size_t>(piece.entries()), 0.0);
  const double target = target_of(piece, options);
  if (piece.method == PruneMethod::magnitude) {
    const std::vector<uint8_t> kept = largest(piece, static_cast<int64_t>(target));
    std::copy(kept.begin(), kept.end(), out.keep.begin());
  } else if (piece.eligible_count > 0 && piece.method == PruneMethod::random) {
    const double n = static_cast<double>(piece.entries()), count = static_cast<double>(piece.eligible_count);
    const double p = options.as_published ? std::max(0.0, (1 - piece.sparsity) + count / n - 1) : target / count;
    for (size_t e = 0; e < out.keep.size(); ++e)
      if (piece.eligible[e]) out.keep[e] = p;
  } else if (piece.eligible_count > 0 && !options.as_published) {
    top_prob(piece, target, out);
  } else if (piece.eligible_count > 0) {
    if (Status s = published_top_prob(piece, !options.blocks.empty(), out); !s) return s.error();
  }
  for (double p : out.keep) out.expected += p;
  return out;
}

}  // namespace pruning

Result<KeepProbabilities> keep_probabilities(const Weights& w, const PruneOptions& options) {
  Result<std::vector<pruning::Piece>> pieces = pruning::pieces_of(w, options);
  if (!pieces) return pieces.error();
  const std::vector<float> values = pruning::dense_values(w);
  KeepProbabilities all;
  all.keep.assign(values.size(), 0.0);
  for (pruning::Piece& piece : *pieces) {
    pruning::cut(piece, values, w.rows, options);
    Result<KeepProbabilities> p = pruning::probabilities_of(piece, options);
    if (!p) return p.error();
    for (int64_t e = 0; e < piece.entries(); ++e) all.keep[piece.at(e, w.rows)] = p->keep[e];
    all.expected += p->expected;
    all.surplus += p->surplus;
    all.lost += p->lost;
    all.rounds += p->rounds;
    piece = {};
  }
  return all;
}

Result<KeepProbabilities> top_prob_probabilities(const Weights& w, double sparsity, bool as_published) {
  PruneOptions options;
  options.sparsity = sparsity;
  options.as_published = as_published;
  return keep_probabilities(w, options);
}

}  // namespace dalea
