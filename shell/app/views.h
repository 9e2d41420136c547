// The views, one per file. Each draws into the current ImGui window.
#pragma once

#include "app/app.h"

namespace dalea::app {

void draw_presets(App& app);
void draw_settings(App& app);  // populations and every other key of the experiment
void draw_apply(App& app);     // train with the changed settings, or undo
void draw_matrix(App& app);
void draw_loss(App& app);
void draw_accuracy(App& app);  // in the loss's place, of a task with classes
void draw_answers(App& app);   // of a task with classes: which class was answered for which
void draw_traces(App& app);
void draw_class_trial(App& app);  // what draw_traces shows of a task with classes
void draw_recording(App& app);
void draw_reproduce(App& app);
void draw_runs(App& app);
void draw_speed(App& app);
void draw_theory(App& app);
void draw_prune(App& app);
void draw_prune_curves(App& app);
void draw_top(App& app);                               // title, share, theme
void draw_status(App& app);                            // transport, epoch, hash, audit
float draw_notices(App& app, ImVec2 at, float width);  // returns the height it took

// Of the matrices.
std::string unit_name(const Setup& setup, int64_t unit);  // "E 12"
// Around the square picture of a matrix at `at`: what a row and a column are, and the populations of the `span` units
// from `left` (presynaptic) and `top` (postsynaptic) on.
void matrix_labels(App& app, ImVec2 at, float side, double left, double top, double span);

}  // namespace dalea::app
