// The views, one per file. Each draws into the current ImGui window.
#pragma once

#include "app/app.h"

namespace dalea::app {

void draw_presets(App& app);
void draw_settings(App& app);  // populations and every other key of the experiment
void draw_apply(App& app);     // train with the changed settings, or undo
void draw_matrix(App& app);
void draw_loss(App& app);
void draw_traces(App& app);
void draw_recording(App& app);
void draw_runs(App& app);
void draw_speed(App& app);
void draw_top(App& app);                               // title, share, theme
void draw_status(App& app);                            // transport, epoch, hash, audit
float draw_notices(App& app, ImVec2 at, float width);  // returns the height it took

}  // namespace dalea::app
