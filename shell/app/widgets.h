// Small parts that several views are made of.
#pragma once

#include <string_view>

#include "app/theme.h"
#include "common/picture.h"
#include "imgui.h"

namespace dalea::app {

// Says what the last item is for, when the pointer rests on it.
void hint(const char* text);
// The next item goes beside the last one when it has room there.
void flow(float width, float spacing);
float checkbox_width(const char* label);
// One of several buttons of which one is on; true: it was pressed.
bool choice(const char* name, bool on, Theme theme);
// A colour of the printed figures, lighter on a dark ground; of a name, as plot::named_style().
ImVec4 screen_color(Color color, Theme theme);
ImVec4 named_color(std::string_view name, Theme theme);
}  // namespace dalea::app
