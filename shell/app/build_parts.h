// Parts of the Build tab, one a file.
#pragma once

#include <string>

#include "app/app.h"

namespace dalea::app {

// The matrix and the circuit of the draft's probabilities, in a rectangle; both select one connection
// (BuildState::post, pre) and change it. True: the draft changed.
bool draw_blocks(App& app, ImVec2 at, ImVec2 size);
bool draw_circuit(App& app, ImVec2 at, ImVec2 size);
void draw_summary(App& app, float height);  // the sampled mask, numbers of synapses, initial spectrum, memory
void draw_task(App& app, ImVec2 size);      // one training trial

inline size_t whole(int k) {
  return static_cast<size_t>(k);
}
float widest_name(const Spec& spec);
bool has_problem(const App& app, const std::string& start);  // of a key that starts so

void select(BuildState& state, size_t post, size_t pre);
bool set_selected(App& app, double p);  // rounded to thousandths; not of what rules make
// The draft with what its rules amount to as a matrix: what is drawn. The draft itself where there are no rules.
const Spec& shown_spec(App& app);
bool made_by_rules(const Spec& spec);  // the matrix is what rules or a distance make of the draft, and not edited
bool draw_sources(App& app);           // structure and rules, each a button with what it is made of
// Of the last item, while it has the focus: arrows select, numbers and signs change what is selected.
bool use_keys(App& app);
void focus_frame(const App& app, ImVec2 at, ImVec2 end);  // around the last item, for those who use keys
void connection_tooltip(App& app, size_t post, size_t pre);

}  // namespace dalea::app
