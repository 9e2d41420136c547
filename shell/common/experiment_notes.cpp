#include "common/experiment_notes.h"

namespace dalea {

std::string input_mask_meaning(bool on) {
  return on ? "Input mask on: channel c reaches population c alone, so what one population tells another has to travel "
              "through the recurrent weights between them."
            : "Input mask off, as published: every unit sees every channel, so weights between populations need not "
              "carry what they tell each other, and a block that is weak does not mean that nothing is told.";
}

std::vector<std::string> experiment_notes(const Spec& spec) {
  if (spec.task.type != "recording" || (spec.network.readout != "populations" && !spec.network.input_mask)) return {};
  return {input_mask_meaning(spec.network.input_mask)};
}

}  // namespace dalea
