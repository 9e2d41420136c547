// The networks of a wiring test (connectome.nulls): the measured wiring, its nulls, and beside them all connections and
// none. Each is trained with every seed; a network is a piece of work of its own.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/wiring.h"
#include "training/trainer.h"

namespace dalea {

enum class WiringKind { measured, null, all, none };

struct WiringUnit {
  WiringKind wiring = WiringKind::measured;
  int64_t null = 0;          // its null_seed, from 1
  int64_t run = 0;           // the seed
  std::string name() const;  // "measured-run-1", "null-007-run-2": of its file
};

// What a test needs: a connectome, a recording, nulls, held-out frames, the same wiring in every run. Needs
// spec.measured.
Status check_wiring_test(const Spec& spec);
// The measured wiring first, then all and none, then null after null.
std::vector<WiringUnit> wiring_units(const Spec& spec);
// 9 nulls, 2 seeds and 40 % of the epochs, or what the experiment has where that is less.
void make_wiring_quick(Spec& spec);

// Its connections, (post, pre): those of run 0, for all seeds. All: every pair of different units.
Result<std::shared_ptr<const Pattern>> wiring_mask(const Spec& spec, const WiringUnit& unit);
// A network to train on `data` of the unit's run. The measured wiring's is the one that the experiment itself trains.
Result<std::unique_ptr<Trainer>> wiring_trainer(const Spec& spec, const WiringUnit& unit, Dataset data,
                                                TrainerOptions options);

// What a trained network leaves.
struct WiringRow {
  bool there = false;
  std::string hash, failure;  // failure: became not finite
  double train = no_value;    // loss of the last epoch
  HeldOutErrors errors;
};
WiringRow wiring_row(const Trainer& trainer);
std::string wiring_id(const Spec& spec);  // SHA-256 of everything that a row depends on
std::string wiring_row_json(const WiringRow& row, const std::string& id);
Result<WiringRow> read_wiring_row(std::string_view json, const std::string& path, const std::string& id);

// The test of what is there. `rows`: in the units' order. Nulls with a seed that failed or is missing are left out.
struct WiringOutcome {
  WiringStudy study;
  int64_t nulls_left_out = 0;
  std::string hash;  // of all networks together
};
Result<WiringOutcome> wiring_outcome(const Spec& spec, const Dataset& data, const std::vector<WiringUnit>& units,
                                     const std::vector<WiringRow>& rows);

}  // namespace dalea
