// What the window shows, as figures for a paper: each with a caption, as SVG, PNG or CSV.
#pragma once

#include "app/live.h"
#include "common/figure.h"

namespace dalea::app {

enum class FigureOf { curves, weights, trial, activity };
constexpr const char* figure_names[] = {"Learning curves", "Weights", "Held-out trial", "Activity"};
enum class FigureFile { svg, png, csv };

// An error says why there is nothing to draw yet, or too much. Shows the moment looked back to, as the window does.
Result<plot::Figure> figure_of(const Snapshot& s, FigureOf what);
Result<NamedFile> figure_file(const Snapshot& s, FigureOf what, FigureFile format);

}  // namespace dalea::app
