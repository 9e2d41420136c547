// Parts of the settings that more than one view is made of.
#pragma once

#include <string>
#include <vector>

#include "app/app.h"

namespace dalea::app {

bool input_text(const char* id, std::string& value, size_t most = 400);  // most: characters
bool input_list(const char* id, std::vector<std::string>& list);         // separated by commas
void say_problem(const App& app, const std::string& problem);            // small and red; nothing when empty
// The table of populations. True: the draft changed; the caller says draft_edited().
bool edit_populations(App& app);

}  // namespace dalea::app
