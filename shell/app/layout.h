// How the window is laid out, as it is remembered from one visit to the next.
#pragma once

#include <string>
#include <string_view>

namespace dalea::app {

struct Layout {
  std::string tab, learning,
      trial;  // the open tabs, by name: of the centre, the upper and the lower right; empty: first
  bool settings = true, loss = true, trial_panel = true;  // open panels
  double rail = 0, right = 0;  // widths of the settings and of the right column, in units of the design; 0: as designed
  double upper = 0;            // part of the right column's height that is the loss's; 0: as designed
  // What the views show.
  bool log_loss = true, accuracy = true, whole_spectrum = true, log_count = false, circuit = false, tree = true;

  bool operator==(const Layout&) const = default;
};

constexpr double least_rail = 260, most_rail = 560, least_right = 280, most_right = 1200, least_upper = 0.15,
                 most_upper = 0.85;

std::string layout_text(const Layout& layout);  // JSON
Layout read_layout(std::string_view json);      // what cannot be used is as designed

}  // namespace dalea::app
