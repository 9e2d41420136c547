// The views, one per file. Each draws into the current ImGui window.
#pragma once

#include <initializer_list>

#include "app/app.h"

namespace dalea::app {

void draw_presets(App& app);
void draw_settings(App& app);  // populations and every other key of the experiment
void draw_apply(App& app);     // train with the changed settings, or undo
void draw_matrix(App& app);
struct TabView {
  const char* name;
  void (*draw)(App&);
};
// The tabs of a panel beside the centre, and the open one; each is tracked as "KIND-tab:NAME".
void draw_tabs(App& app, const char* kind, std::initializer_list<TabView> tabs);
// Between two panels; how far it was dragged in this frame, pixels. A double click on it is the caller's to ask for.
float draw_splitter(App& app, const char* name, ImVec2 at, ImVec2 size);
void draw_learning(App& app);  // the three below, as tabs
void draw_loss(App& app);
void draw_spectrum(App& app);         // eigenvalues of the recurrent weights
void draw_weights_by_sign(App& app);  // their distributions
void mark_moment(App& app);           // on a plot against epochs: where one looks back to
void draw_accuracy(App& app);         // in the loss's place, of a task with classes
void draw_build(App& app);            // connectivity by block and as a circuit; the task
void draw_answers(App& app);          // of a task with classes: which class was answered for which
void draw_trial(App& app);            // the two below, as tabs
void draw_traces(App& app);
void draw_states(App& app);        // principal components of all held-out trials
void draw_currents(App& app);      // between populations
void draw_coactivation(App& app);  // which units are active together, and whether connected ones are more so
void draw_activity(App& app);
void choose_trial(App& app);      // arrows and "3 of 200"
void draw_class_trial(App& app);  // what draw_traces shows of a task with classes
void draw_recording(App& app);
bool draw_recovery(App& app);  // within it, of a simulated recording; true: it took the place of the traces
void draw_topology(App& app);  // network measures beside those of null models
void draw_fits(App& app);      // of a recording: each unit's held-out fit beside the baselines'
void draw_reproduce(App& app);
void draw_planted(App& app);  // in it
// Of a report, the file of this name, as dalea-PREFIX-NAME.
void save_output(App& app, const reproduce::Output& output, const char* prefix, const std::string& only);
void reproduction_progress(const App& app, double part, double seconds_left);  // a bar; below 0: not known
void draw_runs(App& app);
void draw_wiring(App& app);   // the measured wiring among its nulls
void draw_compare(App& app);  // conditions, each several runs: which blocks of weights differ
void draw_speed(App& app);
void draw_theory(App& app);
void draw_connectome(App& app);                                    // species, scaling, and the pictures below
void draw_connectome_matrix(App& app, ImVec2 room, bool neurons);  // of its regions or neurons
void draw_connectome_graph(App& app, ImVec2 room, bool circle);    // its regions and the links between them
void draw_nulls(App& app, ImVec2 room);                            // the measured wiring beside null models
float draw_scaling(App& app, ImVec2 at, float width);  // strip while a network is scaled; the height it took
std::string connectome_json(const App& app);           // for scripts
void draw_perturb(App& app);
void draw_prune(App& app);
void draw_prune_curves(App& app);
void draw_top(App& app);                               // title, share, theme
void draw_status(App& app);                            // transport, epoch, hash, audit
float draw_notices(App& app, ImVec2 at, float width);  // returns the height it took
float draw_strips(App& app, ImVec2 at, float width);   // the link's title, the kept session; the same
void draw_share(App& app);                             // the popup of the button "..."
void draw_shortcuts(App& app);                         // the sheet, while view.shortcuts
float draw_failure(App& app, ImVec2 at, float width);  // the same, while a training has stopped on an error
// The line of the training so far; the strip while one looks back along it (returns the height it took).
void draw_timeline(App& app, ImVec2 at, float width);
float draw_looking_back(App& app, ImVec2 at, float width);
void look_by(App& app, int moments);  // that many kept moments later, or earlier
void look_at_present(App& app);
std::string moment_text(const Setup& setup, int64_t updates);  // "after 1,200 updates (epoch 12)"
int64_t shown_updates(const Snapshot& s);                      // of the network that is shown
bool stands_still(const Snapshot& s);                          // that network does not change by itself
std::string grouped(int64_t n);                                // "1,200"
std::string measuring_text(double part);                       // "measuring, 12 %"
// Beside the buttons of what is measured on demand: `doing` where it is not empty, else after which update it was
// measured, or that it was not; `current`: of the network that is shown.
void draw_age(const App& app, const std::string& doing, bool measured, int64_t updates, bool current);

// Of populations: a line's colour; mean over the units at each step of (step, unit).
ImVec4 population_color(const Setup& setup, size_t population, Theme theme);
std::vector<double> mean_activity(const std::vector<float>& activity, int64_t units, int64_t steps, const Range& of);

// Of the matrices.
std::string unit_name(const Setup& setup, int64_t unit);  // "E 12"
// The square picture of a matrix of n by n units, a part of which fills it. The wheel, + and - zoom, dragging moves, a
// double click shows all.
struct MatrixFrame {
  ImVec2 at, end;
  double side = 0, n = 0;
  MatrixPart part;              // span is never 0 here
  int64_t pre = -1, post = -1;  // under the pointer; -1: none
  float x(double unit) const { return at.x + static_cast<float>((unit - part.x) / part.span * side); }
  float y(double unit) const { return at.y + static_cast<float>((unit - part.y) / part.span * side); }
  void picture(const App& app, ImTextureID texture) const;  // column-major (post, pre), with the populations' borders
};
MatrixFrame matrix_frame(App& app, const char* name, ImVec2 at, float side, int64_t units, MatrixPart& part);
// What a row and a column are, and the populations.
void matrix_labels(App& app, const MatrixFrame& frame);

}  // namespace dalea::app
