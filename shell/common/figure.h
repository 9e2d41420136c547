// Figures for papers: charts in a grid, drawn into marks (drawing.h) that become SVG, PNG or CSV.
//
// Colours mean the same everywhere, and no two that meet differ by colour alone (dash and marker differ too):
//   constraint  conventional grey #4d4d4d, solid, circle       rectified orange #d98200, dashed, square
//               rectified-forward violet #8c6bb1, dotted, triangle    dale green #1b7837, solid, diamond
//   pruning     random grey #4d4d4d, circle    magnitude orange #d98200, square    top-prob green #1b7837, diamond
//   recordings  data black, dense fit grey #8a8a8a, sparse fit green #1b7837
//   weights     excitatory #b2182b, zero near white, inhibitory #2166ac, no synapse grey #babec4
// Everything else: series_style(i), Okabe and Ito's palette in an order that keeps neighbours apart.
#pragma once

#include <limits>

#include "common/drawing.h"

namespace dalea::plot {

constexpr double no_value = std::numeric_limits<double>::quiet_NaN();
constexpr Color excitatory = rgb(0xb2182b), inhibitory = rgb(0x2166ac);

struct Style {
  Color color = rgb(0x4d4d4d);
  Dash dash = Dash::solid;
  Marker marker = Marker::circle;
  double width = 1.4;
};
Style series_style(size_t index);
// "conventional", "rectified", "rectified-forward", "dale", "random", "magnitude", "top-prob", "data", "dense",
// "sparse", "excitatory", "inhibitory"; another name has a series style of its own that depends only on the name.
Style named_style(std::string_view name);

// Values that are not finite are gaps; zero and less are gaps on a log axis, and a note below the plot counts them.
struct Axis {
  std::string label = {};  // with its unit: "time (s)"
  bool log = false;
  std::optional<double> min = {}, max = {};  // else from the data
  std::vector<double> ticks = {};            // else round numbers
};
// A line across the plot: a published value, the end of training.
struct Guide {
  double value = 0;
  std::string name = {};  // in the legend
  bool vertical = false;
  Style style = {rgb(0x777777), Dash::dashed, Marker::none, 0.9};
};
enum class Legend { automatic, outside, none };  // automatic: a corner without data, else outside on the right

struct Series {
  std::string name = {};
  std::vector<double> x = {}, y = {};
  std::vector<double> low = {}, high = {};  // a band; empty: none
  Style style = {};
  bool line = true, marks = false;
  bool fill = false;  // down to zero: densities
};
struct LineChart {
  Axis x = {}, y = {};
  std::vector<Series> series = {};
  std::vector<Guide> guides = {};
  Legend legend = Legend::automatic;
  bool equal = false;  // a unit is as long on both axes; give their ends
};

// Runs as points with a bar at the centre and its interval, or (bars) columns with an interval.
struct Group {
  std::string name = {};
  std::vector<double> runs = {};
  double center = no_value;  // else the mean of the runs
  double low = no_value, high = no_value;
  Style style = {};
};
struct GroupChart {
  Axis y = {};
  std::vector<Group> groups = {};
  bool bars = false;
  std::vector<Guide> guides = {};
  std::string x_label = {};
  // A box from `low` to `high` (quartiles) with a line at the centre (median); whiskers to the last run within 1.5 of
  // its height (Tukey). Of up to 40 runs every one is a point, of more those beyond the whiskers.
  bool boxes = false;
};

struct Block {
  std::string name = {};
  int64_t begin = 0, end = 0;
};
// Rows are postsynaptic, from the top; columns presynaptic. Not a number: absent. Names of blocks move apart where
// blocks are thin; those of the thinnest are left out when a side has no room for all.
struct HeatMap {
  int64_t rows = 0, columns = 0;
  std::vector<float> values = {};  // row by row
  std::string value_label = "weight";
  std::string x_label = "from (pre)", y_label = "to (post)";
  std::vector<Block> column_blocks = {}, row_blocks = {};
  std::vector<std::pair<int64_t, int64_t>> marked = {};  // row, column
  std::string marked_name = "marked", absent_name = "absent";
  double scale = 0;         // colours end at -scale and scale; 0: the 99.5th percentile of what is not zero
  bool sequential = false;  // for values without a sign: white to violet, from 0
  bool square = true;       // cells are; false: they fill the plot (time along x)
};

struct Effect {
  std::string name = {};
  double value = no_value, low = no_value, high = no_value;
  Style style = {ink, Dash::solid, Marker::square, 1.2};
};
struct ForestChart {
  Axis x = {};
  std::vector<Effect> effects = {};
  std::vector<Guide> lines = {};  // besides the one at zero: margins of equivalence, published effects
  bool zero_line = true;
  std::string value_header = {};  // above the written numbers: "difference [95 % interval]"
};

// Dots in a grid: colour says one thing, size another (a "scatter heat map"). Rows are postsynaptic, from the top.
struct DotGrid {
  std::vector<std::string> row_names = {}, column_names = {};
  std::vector<double> values = {}, sizes = {};  // (row, column); not a number: no dot
  std::string value_label = "weight", size_label = "density";
  std::string x_label = "from (pre)", y_label = "to (post)";
  std::vector<std::pair<int64_t, int64_t>> marked = {};  // row, column
  std::string marked_name = "marked";
  double scale = 0;         // colours end at -scale and scale; 0: at the largest value
  double largest = 0;       // size of the largest dot; 0: the largest size. Sizes at or below 0 are the smallest dots
  bool sequential = false;  // for values without a sign
};

// Nodes in columns and rows with curved arrows between them; an arrow from a node to itself is a loop at its side.
struct CircuitChart {
  struct Node {
    std::string name = {};
    int column = 0, row = 0;
    int slot = 0, slots = 1;  // side by side in one cell
  };
  struct Arrow {
    size_t from = 0, to = 0;
    double value = 0, width = 0;  // colour; width of the line, none at or below 0
    bool strong = true;           // else pale
  };
  std::vector<std::string> columns = {}, rows = {};  // names above and at the left
  std::vector<Node> nodes = {};
  std::vector<Arrow> arrows = {};
  std::string value_label = "difference", width_label = "density";
  std::string strong_name = {}, pale_name = {};  // in the legend; empty: not there
  double scale = 0;                              // colours end at -scale and scale; 0: at the largest value
  double widest = 0;                             // 0: the largest width
};

using Chart = std::variant<LineChart, GroupChart, HeatMap, ForestChart, DotGrid, CircuitChart>;
struct Panel {
  std::string title = {};
  Chart chart = {};
  std::string empty = {};  // said when there is nothing to show; else a sentence of its own
};

constexpr double single_column_mm = 85, double_column_mm = 180;
struct Figure {
  std::string title = {};
  std::string caption = {};  // for screen readers and the report; inside the picture with caption_inside
  std::vector<Panel> panels = {};
  int columns = 1;
  double width_mm = single_column_mm;
  double panel_height_mm = 0;  // 0: chosen from the width
  bool letters = true;         // A, B, C when there are several panels
  bool shared_legend = false;  // one legend above the panels, instead of one in each
  bool caption_inside = false;
};

Drawing drawing_of(const Figure& figure);
// The numbers behind the figure, one value a row: panel,title,series,x,y,low,high. Of a matrix: x is the column.
std::string csv_of(const Figure& figure);

// Round numbers in [lo, hi], about `wanted` of them and never more than 3 * wanted + 2; ends may be in any order.
std::vector<double> nice_ticks(double lo, double hi, int wanted);
// Powers of ten, or 1, 2, 5 times them when there are few; lo and hi positive.
std::vector<double> log_ticks(double lo, double hi, int wanted);

}  // namespace dalea::plot
