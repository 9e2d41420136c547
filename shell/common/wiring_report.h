// The files of a wiring test: what `dalea run` writes beside the runs when connectome.nulls is above 0, and what the
// window's tab Wiring saves.
#pragma once

#include <string>
#include <vector>

#include "common/figure.h"
#include "common/report.h"
#include "common/wiring_plan.h"

namespace dalea {

struct WiringReport {
  Spec spec;
  WiringOutcome outcome;
  std::string unit;                        // of the loss
  double dt_s = 0;                         // s a frame; 0: not known
  bool quick = false;                      // fewer nulls, seeds and epochs than the experiment asks for
  std::string recording;                   // its file's name
  int64_t frames = 0, units_recorded = 0;  // of the whole recording, after leaving out what is no node
  std::vector<WiringUnit> units;
  std::vector<WiringRow> rows;  // in the units' order
};
WiringReport wiring_report(const Spec& spec, const Dataset& data, std::vector<WiringUnit> units,
                           std::vector<WiringRow> rows, WiringOutcome outcome);

std::string null_words(const std::string& against);  // "rewired" -> "rewired wirings that keep every neuron's degrees"
// What came out, in words, first the answer: that the wiring helps, hurts, or that nothing says it does.
std::vector<std::string> wiring_sentences(const WiringReport& report);
// The nulls' distribution with the measured wiring, and what the measured wiring is beside everything else.
plot::Figure wiring_figure(const WiringReport& report);
std::string wiring_csv(const WiringReport& report);   // a row for each network
std::string wiring_json(const WiringReport& report);  // one object
std::string wiring_html(const WiringReport& report, const ReportProvenance& where);

}  // namespace dalea
