// Transfer: an experiment that starts from the recurrent weights of a trained network, with a head of its own
// (SEEDS 6.6).
#pragma once

#include "session/session.h"

namespace dalea {

// What is taken of the parent: "recurrent" (W_rec with its mask, b_rec), "recurrent+input" (W_in and b_in too). The
// rest is the experiment's own, as its seed and run give it.
enum class Keep { recurrent, recurrent_and_input };
Result<Keep> parse_keep(const std::string& text);
const char* name_of(Keep keep);

// A trained network to start from.
struct Parent {
  std::string name;  // of its experiment; empty: it has none
  Spec spec;
  int64_t run = 0;
  Parameters parameters;
  std::shared_ptr<const Pattern> mask;  // in force; null: every connection exists
  Origin origin;                        // what a network that starts from it says of it
};
Parent parent_of(const Session& session, const std::string& file_name, Keep keep);
Parent parent_of(const Trainer& trainer, Keep keep);

// Where training starts: a mask only where the experiment's own is another one.
struct Transfer {
  std::shared_ptr<const Pattern> mask;
  Parameters start;
  Origin origin;
};
// Errors: other numbers of units, other signs, weights that break the experiment's signs, no biases on one side, and
// with the input other channels. `known`: the experiment's own mask, where it was found before.
Result<Transfer> transfer_to(const Parent& parent, const Spec& spec, const Ends& ends, int64_t run,
                             std::shared_ptr<const Pattern> known = nullptr);
void start_from(Transfer transfer, TrainerOptions& options);

}  // namespace dalea
