// Small parts that several views are made of.
#pragma once

#include <string>
#include <string_view>

#include "app/theme.h"
#include "common/picture.h"
#include "imgui.h"
#include "spec/spec.h"

namespace dalea::app {

// Says what the last item is for, when the pointer rests on it.
void hint(const char* text);
// The next item goes beside the last one when it has room there.
void flow(float width, float spacing);
float checkbox_width(const char* label);
// Reads upwards from here, which is the middle of its line.
void vertical_text(ImDrawList* draw, ImVec2 bottom, ImU32 color, const char* text);
// Text cut to a width, with an ellipsis.
std::string cut_text(const std::string& text, float width);
ImVec4 sign_color(Sign sign, Theme theme);
const char* sign_word(Sign sign);
// Triangle: excitatory; circle: inhibitory; square: free. r: half its width; weight: of its edge.
void sign_mark(ImDrawList* draw, ImVec2 centre, float r, Sign sign, ImU32 fill, ImU32 edge, float weight);
bool named_alike(std::string_view a, std::string_view b);  // the same letters, small or capital
// One of several buttons of which one is on; true: it was pressed.
bool choice(const char* name, bool on, Theme theme);
ImVec4 between(const ImVec4& a, const ImVec4& b, float t);  // opaque; t 0 .. 1
ImU32 ink_on(ImU32 back);                                   // white or near black, whichever is read better
// A colour of the printed figures, lighter on a dark ground; of a name, as plot::named_style().
ImVec4 screen_color(Color color, Theme theme);
ImVec4 named_color(std::string_view name, Theme theme);
}  // namespace dalea::app
