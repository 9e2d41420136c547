// The Build tab's numbers where a structure and rules make the network.
#include "app/circuit.h"
#include "helpers.h"
#include "network/rules.h"
#include "window_helpers.h"

using namespace dalea;
using namespace dalea::app;
using namespace dalea::testing;

namespace {

Spec bundled(const std::string& id) {
  for (const Preset& p : presets())
    if (p.id == id) return p.spec;
  FAIL("no such preset");
  return {};
}

}  // namespace

TEST_CASE("rules in the window: what is drawn and summed up is what the rules amount to") {
  const Spec rules = bundled("v1-lm"), matrix = bundled("cell-types");
  CHECK(as_matrix(rules).connectivity.probability == matrix.connectivity.probability);
  CHECK_FALSE(has_rules(as_matrix(rules)));
  CHECK(expected_synapses(rules).synapses == expected_synapses(matrix).synapses);
  CHECK(expected_synapses(rules).density == doctest::Approx(0.0498).epsilon(1e-2));
  CHECK(expected_in_block(rules, 9, 3) == doctest::Approx(0.3 * 192 * 192));
  // It starts with every connection, and so does its predicted spectrum.
  Spec dense = matrix;
  dense.connectivity.probability.clear();
  CHECK(predicted_spectrum(rules).outlier == predicted_spectrum(dense).outlier);
}

TEST_CASE("rules in the window: a mask is drawn again when a label or a rule changes") {
  const Spec a = bundled("v1-lm-small");
  CHECK(same_mask(a, a));
  Spec b = a;
  b.connectivity.motifs.pop_back();
  CHECK_FALSE(same_mask(a, b));
  b = a;
  b.populations[3].layer = "L4";
  CHECK_FALSE(same_mask(a, b));
  b = a;
  b.connectivity.distance = 0.1;
  CHECK_FALSE(same_mask(a, b));
  b = a;
  b.network.init = "he";
  CHECK(same_mask(a, b));
  CHECK_FALSE(same_start(a, b));
}
