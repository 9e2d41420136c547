// Train, prune, fine-tune (SEEDS 4.6): the pruning between the stages. The trainer does the rest.
#pragma once

#include <memory>

#include "error.h"
#include "network/model.h"
#include "pruning/pruning.h"
#include "spec/spec.h"

namespace dalea {

// What an epoch belongs to. `whole`: of a training without stages.
enum class Stage { whole, dense, fine_tuning };

// What of a Spec with stages cannot be pruned: no probabilities, or rules that do not go together. Good: nothing.
Status check_stages(const Spec& spec);

struct StagePruning {
  std::shared_ptr<const Pattern> mask;  // (post, pre); what fine-tuning may use
  int64_t kept = 0;                     // connections on it
  double expected = 0;                  // mean number of them
};
// Every pair of populations is pruned to the probability of its rules: by stages.method, blocks that only a motif makes
// by stages.motifs, where "random" keeps every entry with that probability, zeros too. As published: the formulas with
// their faults (SEEDS 3.2 without 3.3, Q4, Q5), and a motif keeps no zeros (rnn_mask, SEEDS 4.6). Deterministic in
// (spec.seed, run) and the weights. Does not change W_rec.
Result<StagePruning> prune_stage(const Spec& spec, const Weights& W_rec, int64_t run);

}  // namespace dalea
