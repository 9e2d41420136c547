// The session file: one .npz that any numpy opens; exact resume (DESIGN section 5).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "training/trainer.h"

namespace dalea {

struct Provenance {
  std::string version;   // of Dalea
  std::string hash;      // weight hash
  std::string platform;  // "native x86_64 avx2", "wasm threads" (information only)
  std::string data_sha256;
  std::string failure;  // empty, or why the run stopped
};

struct Session {
  Spec spec;
  Ends ends;
  TrainerState state;
  Provenance provenance;
};

// Entries: spec.json, provenance.json, state.json, parameters/NAME.npy (sparse ones: NAME.values, NAME.row,
// NAME.col_start), optimizer/first|second/NAME.npy, optimizer/latent.npy, history/COLUMN.npy. A network with a mask of
// its own (pruned) has mask/row.npy and mask/col_start.npy (compressed columns) and "own_mask": true in state.json. Of
// stages and checkpoints: checkpoints/dense/NAME.npy, checkpoints/best/NAME.npy (of the present stage so far),
// history/kept.npy, and stages/pruned.npy (train, last minibatch, validation, held out, held out as published,
// validation and held-out accuracy of the pruned network before fine-tuning). A network that began with another one's
// weights has "from" in provenance.json (name, hash, sha256, keep: Origin) and what it began with in start/NAME.npy.
std::vector<std::byte> write_session(const Trainer& trainer, const std::string& platform);
// The parameters alone: W_rec.npy, W_in.npy, b_rec.npy, ... (sparse ones as in the session).
std::vector<std::byte> write_weights(const Parameters& parameters);
Result<Session> read_session(std::span<const std::byte> bytes, std::string_view file_name);
// Whether an archive holds spec.json, as other .npz files do not. One that cannot be read counts: opening it says why.
bool is_session(std::span<const std::byte> npz);

// The columns of a history's curves, all or those that a task without classes has.
struct HistoryColumn {
  const char* name;
  double EpochRecord::*member;
};
std::vector<HistoryColumn> history_columns(const std::vector<EpochRecord>& history);
// Curves as CSV: epoch,train,train_published,validation,held_out,held_out_published,lr, and of a task with classes
// validation_accuracy,held_out_accuracy; of one that keeps a checkpoint kept.
std::string history_csv(const std::vector<EpochRecord>& history);

extern const char* const dalea_version;

}  // namespace dalea
