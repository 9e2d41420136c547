// Figures: ticks, and charts as they are and with odd values.
#include <cstring>
#include <random>

#include "common/figure_parts.h"
#include "figure_helpers.h"

using namespace dalea;
using namespace dalea::plot;
using namespace dalea::testing;

namespace {

const double inf = std::numeric_limits<double>::infinity();

Series curve(const std::string& name, double rate, Style style) {
  Series s{.name = name, .style = style};
  for (int e = 0; e <= 50; ++e) {
    const double v = 0.9 * std::exp(-rate * e) + 0.01;
    s.x.push_back(e);
    s.y.push_back(v);
    s.low.push_back(v * 0.8);
    s.high.push_back(v * 1.2);
  }
  return s;
}

LineChart curves(bool log = false) {
  LineChart c{.x = {.label = "epoch"}, .y = {.label = "validation error (mean squared)", .log = log}};
  double rate = 0.02;
  for (const char* name : {"conventional", "rectified", "rectified-forward", "dale"})
    c.series.push_back(curve(name, rate += 0.02, named_style(name)));
  c.guides = {{.value = 0.02, .name = "published"}};
  return c;
}

GroupChart groups(bool bars) {
  GroupChart c{.y = {.label = "held-out error"}, .bars = bars};
  std::mt19937 random(3);
  for (const char* name : {"conventional", "rectified", "rectified-forward", "dale"}) {
    Group g{.name = name, .low = 0.02, .high = 0.03, .style = named_style(name)};
    for (int k = 0; k < 12; ++k) g.runs.push_back(0.02 + 0.01 * static_cast<double>(random() % 1000) / 1000);
    c.groups.push_back(g);
  }
  return c;
}

HeatMap matrix(int64_t n) {
  HeatMap m{.rows = n, .columns = n};
  for (int64_t k = 0; k < n * n; ++k)
    m.values.push_back(k % 7 == 0 ? std::nanf("") : 0.1f * static_cast<float>(k % 5) - 0.2f);
  m.row_blocks = m.column_blocks = {{"E", 0, n * 3 / 4}, {"I", n * 3 / 4, n}};
  m.marked = {{1, 2}, {3, 0}};
  m.marked_name = "edge of the spanning tree";
  return m;
}

ForestChart forest() {
  ForestChart c{.x = {.label = "difference in error, dale − conventional"},
                .value_header = "difference [95 % interval]"};
  for (const char* name :
       {"flip-flop", "wave reconstruction", "a recording of an area, fitted with sparse connections"})
    c.effects.push_back({.name = name, .value = 0.004, .low = -0.01, .high = 0.018});
  c.effects.push_back({.name = "one run", .value = 0.001});
  c.effects.push_back({.name = "not run"});
  c.lines = {{.value = 0.02, .name = "margin of equivalence"}, {.value = -0.02}};
  return c;
}

Figure figure_of(std::vector<Panel> panels, int columns = 1, double width = single_column_mm) {
  return {.title = "A figure", .panels = std::move(panels), .columns = columns, .width_mm = width};
}

}  // namespace

TEST_CASE("ticks are round, inside, and few") {
  const auto check = [](const std::vector<double>& ticks, double lo, double hi, int wanted) {
    CAPTURE(lo);
    CAPTURE(hi);
    CAPTURE(wanted);
    CHECK(ticks.size() >= 1);
    CHECK(ticks.size() <= static_cast<size_t>(3 * wanted + 2));
    CHECK(std::is_sorted(ticks.begin(), ticks.end()));
    const double slack = 1e-8 * (hi - lo);
    for (double t : ticks) {
      CHECK(t >= lo - slack);
      CHECK(t <= hi + slack);
    }
  };
  std::mt19937_64 random(1);
  const auto uniform = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  for (int k = 0; k < 2000; ++k) {
    const double size = std::pow(10.0, 24 * uniform() - 12), lo = size * (2 * uniform() - 1),
                 hi = lo + size * uniform();
    const int wanted = 2 + static_cast<int>(random() % 8);
    const std::vector<double> ticks = nice_ticks(lo, hi, wanted);
    if (hi - lo > 1e-12 * size) check(ticks, lo, hi, wanted);
    if (ticks.size() < 2) continue;
    const double step = ticks[1] - ticks[0], mantissa = step / std::pow(10.0, std::floor(std::log10(step) + 1e-6));
    const bool round =
        std::fabs(mantissa - 1) < 1e-3 || std::fabs(mantissa - 2) < 1e-3 || std::fabs(mantissa - 5) < 1e-3;
    if (hi - lo > 1e-6 * size) CHECK(round);
    const double a = std::pow(10.0, 24 * uniform() - 12), b = a * std::pow(10.0, 20 * uniform());
    const std::vector<double> log = log_ticks(a, b, wanted);
    if (b > 1.01 * a) CHECK(log.size() <= static_cast<size_t>(3 * wanted + 2));
    if (b > 10 * a) check(log, a, b, wanted);
  }
  CHECK(nice_ticks(0, 1, 5) == std::vector<double>{0, 0.2, 0.4, 0.6, 0.8, 1});
  CHECK(nice_ticks(0, 0.3, 3) == std::vector<double>{0, 0.1, 0.2, 0.3});
  CHECK(nice_ticks(7, 3, 2) == std::vector<double>{4, 6});
  CHECK(log_ticks(0.001, 1000, 7) == std::vector<double>{0.001, 0.01, 0.1, 1, 10, 100, 1000});
  CHECK(log_ticks(1, 10, 5) == std::vector<double>{1, 2, 5, 10});
  CHECK(log_ticks(0, 10, 5).empty());
  CHECK(nice_ticks(inf, 1, 5).empty());
  CHECK(nice_ticks(5, 5, 5) == std::vector<double>{5});
  CHECK(nice_ticks(-1e308, 1e308, 5).size() <= 17);
  CHECK(nice_ticks(1, 1 + 1e-15, 5).size() <= 17);
}

TEST_CASE("axes: powers of ten go to the label, odd limits give an axis all the same") {
  const auto scale = [](Axis axis, double lo, double hi) {
    plot::Range r;
    r.log = axis.log;
    r.add(lo);
    r.add(hi);
    return scale_of(axis, r, 150, false);
  };
  CHECK(scale({.label = "loss (nats)"}, 0, 3e-6).label == "loss (×10⁻⁶ nats)");
  CHECK(scale({.label = "loss"}, 0, 4e7).label == "loss (×10⁷)");
  CHECK(scale({.label = "loss"}, 0, 0.4).label == "loss");
  CHECK(scale({}, 3, 5).lo > 2);
  CHECK(scale({}, 0.1, 5).lo == 0);
  CHECK(scale({}, -0.5, 0.5).ticks[0].label.substr(0, 3) == "−");
  CHECK(scale({.log = true}, 1e-12, 1e12).ticks.size() >= 3);
  CHECK(scale({.log = true}, 1e-12, 1e12).minor.size() < 100);
  for (const Axis& axis : {Axis{.min = 5, .max = 1}, Axis{.min = no_value, .max = inf}, Axis{.log = true, .min = -1},
                           Axis{.min = 1, .max = 1}})
    for (double hi : {0.0, 1.0, 1e300, 1e-300}) {
      const Scale s = scale(axis, 0, hi);
      CHECK(std::isfinite(s.lo));
      CHECK(s.hi > s.lo);
      CHECK(s.ticks.size() <= 25);
    }
}

TEST_CASE("charts keep inside their page and words apart") {
  HeatMap rates{.rows = 5,
                .columns = 40,
                .value_label = "rate (Hz)",
                .x_label = "time (steps)",
                .y_label = "unit",
                .sequential = true,
                .square = false};
  for (int k = 0; k < 200; ++k) rates.values.push_back(static_cast<float>(k % 11));
  HeatMap types = matrix(60);
  types.row_blocks = types.column_blocks = {
      {"L2/3 pyramidal", 0, 30}, {"PV", 30, 34}, {"SST", 34, 36}, {"VIP", 36, 37}, {"L5 thick-tufted", 37, 60}};
  const std::vector<Panel> panels = {{"Lines", curves()},       {"Logarithmic", curves(true)}, {"Runs", groups(false)},
                                     {"Columns", groups(true)}, {"Weights", matrix(12)},       {"Rates", rates},
                                     {"Effects", forest()},     {"Cell types", types}};
  for (const Panel& p : panels) {
    CAPTURE(p.title);
    check_layout(drawing_of(figure_of({p})));
    check_layout(drawing_of(figure_of({p}, 1, double_column_mm)));
  }
  Figure all = figure_of(panels, 2, double_column_mm);
  all.caption = "Errors of 12 runs & more.";
  all.caption_inside = true;
  const Drawing d = drawing_of(all);
  check_layout(d);
  CHECK(d.width == doctest::Approx(510.24).epsilon(1e-4));
  CHECK(says(d, "from (pre)"));
  CHECK(says(d, "to (post)"));
  CHECK(says(d, "absent"));
  CHECK(says(d, "H"));
  CHECK(d.description.find("Errors of 12 runs & more. Lines") == 0);
  check_balanced(to_svg(d));
  CHECK(to_svg(d) == to_svg(drawing_of(all)));
  CHECK(pixels_of(to_png(d, 1)).width == 511);
  all.shared_legend = true;
  const Drawing shared = drawing_of(all);
  check_layout(shared);
  CHECK(count_of(to_svg(shared), ">conventional</text>") ==
        count_of(to_svg(d), ">conventional</text>") - 1);  // one legend, not two
}

TEST_CASE("odd values: a gap, a note or a reason, never a broken figure") {
  const LineChart empty{.x = {.label = "x"}, .y = {.label = "y"}};
  const auto line = [&](std::vector<double> x, std::vector<double> y, bool log = false) {
    LineChart c = empty;
    c.y.log = log;
    c.series = {{.name = "s", .x = std::move(x), .y = std::move(y)}};
    return drawing_of(figure_of({{"", c}}));
  };
  CHECK(says(line({}, {}), "there are no values"));
  CHECK(says(line({1, 2}, {no_value, inf}), "there are no values"));
  CHECK(says(line({1, 2}, {0, -1}, true), "logarithmic"));
  CHECK(says(line({1, 2, 3}, {0, 1, 10}, true), "1 value of zero or less"));
  CHECK(says(drawing_of(figure_of({{"", empty, "The run was stopped."}})), "The run was stopped."));
  CHECK(says(drawing_of(figure_of({{"", GroupChart{}}})), "no run has a value"));
  CHECK(says(drawing_of(figure_of({{"", HeatMap{}}})), "there is no matrix"));
  CHECK(says(drawing_of(figure_of({{"", ForestChart{}}})), "there are no effects"));
  CHECK(says(drawing_of(figure_of({})), "no panels"));
  CHECK(
      says(drawing_of(figure_of({{"", HeatMap{.rows = 2, .columns = 2, .values = {1, 2, 3}}}})), "there is no matrix"));

  const auto strokes = [](const Drawing& d) {
    return std::count_if(d.items.begin(), d.items.end(), [](const Primitive& p) {
      const auto* l = std::get_if<Polyline>(&p);
      return l != nullptr && l->width == Style().width;
    });
  };
  CHECK(strokes(line({0, 1, 2, 3, 4}, {1, 2, 3, 2, 1})) == 1);
  CHECK(strokes(line({0, 1, 2, 3, 4}, {1, 2, no_value, 2, 1})) == 2);
  const Drawing alone = line({0, 1, 2}, {1, no_value, 2});  // single points between gaps stay visible
  CHECK(std::count_if(alone.items.begin(), alone.items.end(),
                      [](const Primitive& p) { return std::holds_alternative<Mark>(p); }) == 2);

  for (const auto& range : std::vector<std::pair<double, double>>{
           {1e-12, 1e12}, {-1e308, 1e308}, {1e-308, 2e-308}, {5, 5}, {0, 0}, {-7, -7}, {1e15, 1e15 + 1}})
    for (bool log : {false, true}) {
      const Drawing d = line({0, 1, 2}, {range.first, range.second, no_value}, log);
      check_layout(d);
      CHECK(d.items.size() < 150);
    }
  LineChart cut = curves();  // data beyond given limits stay outside the axes
  cut.x.min = 10, cut.x.max = 20, cut.y.min = 0.1, cut.y.max = 0.3;
  check_layout(drawing_of(figure_of({{"", cut}})));
  LineChart wordy = curves();
  wordy.y.label =
      "a very long label about the mean squared error of the validation trials, in arbitrary units, and more";
  for (Series& s : wordy.series) s.name += " with a long description of how it was trained and for how many epochs";
  check_layout(
      drawing_of(figure_of({{"A title that needs several lines because nobody shortened it in time", wordy}})));
  GroupChart names = groups(true);
  for (Group& g : names.groups) g.name = "Donaudampfschifffahrtsgesellschaft " + g.name;
  names.groups[0].runs[3] = no_value;
  const Drawing turned = drawing_of(figure_of({{"", names}}));
  check_layout(turned);
  CHECK(says(turned, "1 run without a value"));
  for (double width : {-5.0, 1.0, no_value, 1e9})
    CHECK(std::isfinite(drawing_of(figure_of({{"", curves()}}, 0, width)).height));
}

TEST_CASE("a line along the upper or lower border is drawn") {
  for (double border : {0.0, 1.0})
    for (int k = 0; k < 60; ++k) {
      LineChart chart;
      chart.y.min = 0;
      chart.y.max = 1;
      chart.legend = Legend::none;
      Series s;
      s.x = {0, 0.3, 0.9};
      s.y = {border, border, border};
      s.style = {rgb(0x123456), Dash::solid, Marker::none, 1};
      chart.series = {s};
      Figure figure;
      figure.panels = {{"", chart}};
      figure.title = "rounding depends on where the panel begins";
      figure.panel_height_mm = 30 + 0.7 * k;
      CAPTURE(border);
      CAPTURE(k);
      CHECK(to_svg(drawing_of(figure)).find("#123456") != std::string::npos);
    }
}

TEST_CASE("a long trace is thinned without losing its extremes") {
  Series s{.name = "trace"};
  for (int k = 0; k < 200000; ++k) {
    s.x.push_back(k);
    s.y.push_back(k == 123456 ? 50 : std::sin(k * 0.1));
  }
  const Drawing d = drawing_of(figure_of({{"", LineChart{.series = {s}}}}));
  CHECK(to_svg(d).size() < 100000);
  double top = 1e9;
  for (const Primitive& p : d.items)
    if (const auto* l = std::get_if<Polyline>(&p); l != nullptr && l->points.size() > 100)
      for (const Point& q : l->points) top = std::min(top, q.y);
  CHECK(top > 15);
  CHECK(top < 40);  // the one high value, near the upper end; without it the trace lies at the lower
}

TEST_CASE("a legend never covers data") {
  for (double shift : {0.0, 1.0}) {
    LineChart c{.x = {.label = "x"}, .y = {.label = "y"}};
    for (int n = 0; n < 3; ++n) {
      Series s{.name = "series " + std::to_string(n), .style = series_style(static_cast<size_t>(n))};
      for (int k = 0; k <= 100; ++k) {
        s.x.push_back(k);
        s.y.push_back(shift == 0 ? std::exp(-k * 0.01 * (n + 1)) : std::sin(k * 0.9 + n));  // a free corner, none
      }
      c.series.push_back(s);
    }
    const Drawing d = drawing_of(figure_of({{"", c}}));
    for (const TextBox& b : text_boxes(d)) {
      if (b.text.find("series") != 0) continue;
      for (const Primitive& p : d.items)
        if (const auto* l = std::get_if<Polyline>(&p); l != nullptr && l->points.size() > 20)
          for (const Point& q : l->points) CHECK_FALSE((q.x > b.x0 - 22 && q.x < b.x1 && q.y > b.y0 && q.y < b.y1));
    }
  }
}

TEST_CASE("matrices: colours symmetric about zero, absent entries grey, clipped ends said") {
  HeatMap m{.rows = 2, .columns = 2, .values = {1, -1, 0, std::nanf("")}};
  m.scale = 1;
  const auto cells = [&] {
    const Drawing d = drawing_of(figure_of({{"", m}}));
    for (const Primitive& p : d.items)
      if (const auto* c = std::get_if<Cells>(&p)) return c->colors;
    return std::vector<Color>();
  };
  const auto same = [](Color a, Color b) { return a.r == b.r && a.g == b.g && a.b == b.b; };
  const std::vector<Color> colors = cells();
  REQUIRE(colors.size() == 4);
  CHECK(same(colors[0], excitatory));
  CHECK(same(colors[1], inhibitory));
  CHECK(same(colors[2], rgb(0xf7f7f7)));
  CHECK(same(colors[3], absent_color));
  m.values[0] = 4;
  CHECK(says(drawing_of(figure_of({{"", m}})), "≥1"));
  HeatMap big{.rows = 2000, .columns = 2000};
  big.values.assign(4000000, 0.0f);
  big.values[1234567] = -3;
  big.scale = 3;
  const Drawing d = drawing_of(figure_of({{"", big}}));
  for (const Primitive& p : d.items)
    if (const auto* c = std::get_if<Cells>(&p); c != nullptr && c->columns > 1) {
      CHECK(c->columns <= 720);
      CHECK(std::count_if(c->colors.begin(), c->colors.end(), [&](Color v) { return same(v, inhibitory); }) ==
            1);  // not lost
    }
}

TEST_CASE("the numbers of a figure as CSV") {
  LineChart c{.series = {{.name = "a, \"b\"", .x = {1, 2}, .y = {0.5, no_value}, .low = {0.25, 1}, .high = {1, 2}}},
              .guides = {{.value = 3, .name = "published"}}};
  GroupChart g{.groups = {{.name = "dale", .runs = {0.125}, .center = 0.5, .low = 0, .high = 1}}};
  const HeatMap m{.rows = 1, .columns = 2, .values = {std::nanf(""), 0.5f}};
  const ForestChart f{.effects = {{.name = "e", .value = 1e-9}}};
  CHECK(csv_of(figure_of({{"T", c}, {"", g}, {"", m}, {"", f}})) ==
        "panel,title,series,x,y,low,high\n"
        "1,T,\"a, \"\"b\"\"\",1,0.5,0.25,1\n1,T,\"a, \"\"b\"\"\",2,,1,2\n1,T,line: published,,3,,\n"
        "2,,dale,run 1,0.125,,\n2,,dale,center,0.5,0,1\n3,,row 1,2,0.5,,\n4,,e,,1e-9,,\n");
}

TEST_CASE("styles: what has a name keeps its colour, neighbours differ by more than colour") {
  CHECK(named_style("dale").color.g == 0x78);
  CHECK(named_style("conventional").color.r == 0x4d);
  CHECK(named_style("my condition").color.r == named_style("my condition").color.r);
  for (size_t k = 0; k < 8; ++k) {
    const Style a = series_style(k), b = series_style(k + 1);
    CHECK((a.dash != b.dash || a.marker != b.marker));
  }
  const char* const constraints[] = {"conventional", "rectified", "rectified-forward", "dale"};
  for (const char* a : constraints)
    for (const char* b : constraints)
      if (std::strcmp(a, b) != 0) CHECK(named_style(a).marker != named_style(b).marker);
}

TEST_CASE("boxes: quartiles, whiskers within 1.5 of the box, and runs as points while they are few") {
  const auto marks = [](const Drawing& d) {
    return std::count_if(d.items.begin(), d.items.end(), [](const auto& i) { return std::holds_alternative<Mark>(i); });
  };
  // y of the ends of all vertical lines, by the values they stand for: the axis goes from 0 to 100.
  const auto reaches = [](const Drawing& d) {
    double least = 1e9, most = -1e9, top = 1e9, bottom = -1e9;
    for (const auto& item : d.items)
      if (const auto* line = std::get_if<Polyline>(&item); line && line->points.size() == 2) {
        const Point a = line->points[0], b = line->points[1];
        if (a.x != b.x) continue;
        if (line->color.g == 0x21) {
          least = std::min({least, a.y, b.y});
          most = std::max({most, a.y, b.y});
        } else if (top > bottom || std::fabs(a.y - b.y) > bottom - top) {  // the axis is the longest
          top = std::min(a.y, b.y);
          bottom = std::max(a.y, b.y);
        }
      }
    return std::pair((bottom - least) / (bottom - top) * 100, (bottom - most) / (bottom - top) * 100);
  };
  Group g{.name = "a", .center = 50, .low = 40, .high = 60, .style = {rgb(0x123656)}};  // darker: green 0x21
  for (int k = 0; k < 39; ++k) g.runs.push_back(31 + k);                                // whiskers to 31 and 69
  g.runs.push_back(95);                                                                 // beyond 60 + 1.5 * 20
  GroupChart c{.y = {.label = "loss", .min = 0, .max = 100}, .groups = {g}, .boxes = true};
  Drawing d = drawing_of(figure_of({{"", c}}));
  check_layout(d);
  CHECK(marks(d) == 40);
  CHECK(reaches(d).first == doctest::Approx(69).epsilon(0.01));
  CHECK(reaches(d).second == doctest::Approx(31).epsilon(0.01));
  c.groups[0].runs.push_back(50);
  CHECK(marks(drawing_of(figure_of({{"", c}}))) == 1);
  c.groups[0] = {.name = "none"};
  CHECK(marks(drawing_of(figure_of({{"", c}}))) == 0);
  c.groups = {g, {.name = "one", .runs = {3}, .center = 3, .low = 3, .high = 3}};
  c.y = {.log = true};
  c.groups[0].runs.push_back(-1);
  check_layout(drawing_of(figure_of({{"", c}})));
}
