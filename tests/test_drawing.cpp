// Numbers and text for pages, and every mark in both backends.
#include <clocale>

#include "common/markup.h"
#include "figure_helpers.h"

using namespace dalea;
using namespace dalea::plot;
using namespace dalea::testing;

namespace {

const double inf = std::numeric_limits<double>::infinity();

Drawing page(double width, double height) {
  Drawing d;
  d.width = width;
  d.height = height;
  return d;
}

template <class T>
std::string svg_line(const T& item) {
  Drawing d = page(10, 10);
  d.add(item);
  const std::string svg = to_svg(d), before = "fill=\"#ffffff\"/>\n";
  const size_t from = svg.find(before) + before.size();
  return svg.substr(from, svg.rfind("</svg>") - from);
}

template <class T>
Pixels png_of(const T& item, double scale = 1, double width = 20, double height = 20) {
  Drawing d = page(width, height);
  d.add(item);
  return pixels_of(to_png(d, scale));
}

}  // namespace

TEST_CASE("numbers and text for pages") {
  CHECK(fixed_number(2.5, 2) == "2.50");
  CHECK(fixed_number(-0.0001, 2) == "0.00");
  CHECK(fixed_number(inf, 2) == "inf");
  CHECK(short_number(0.1) == "0.1");
  CHECK(short_number(100000) == "100000");
  CHECK(short_number(1e-12) == "1e-12");
  CHECK(short_number(-1234567, 4) == "-1.235e6");
  CHECK(short_number(999999.9, 3) == "1e6");
  CHECK(short_number(0) == "0");
  CHECK(display_number(-0.25) == "−0.25");
  CHECK(display_number(1.2e-7) == "1.2×10⁻⁷");
  CHECK(display_number(1e9) == "10⁹");
  CHECK(display_number(no_value) == "–");
  CHECK(escaped("a<b> & \"c\" 'd'") == "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;");
  CHECK(escaped(std::string("\0\x01\x1b\x7f", 4)) == "\uFFFD\uFFFD\uFFFD\uFFFD");
  CHECK(escaped("\xff\xc3(\xe2\x82\xf0\x9f\x98\x80") == "\uFFFD\uFFFD(\uFFFD\uFFFD😀");
  CHECK(escaped("\xc0\xaf\xed\xa0\x80") == "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");  // overlong, surrogate
  CHECK(escaped("µ λ ≤ 日本") == "µ λ ≤ 日本");
  if (std::setlocale(LC_NUMERIC, "de_DE.UTF-8") != nullptr) {
    CHECK(fixed_number(2.5, 2) == "2.50");
    CHECK(short_number(0.125) == "0.125");
    std::setlocale(LC_NUMERIC, "C");
  }
}

TEST_CASE("letters have the widths that a browser gives them") {
  // Chromium's measureText with Roboto at 100 pixels, kerning on.
  CHECK(text_width("validation error (mean squared)", 100) == doctest::Approx(1395.703125));
  CHECK(text_width("Training AV To", 100, Weight::medium) == doctest::Approx(646.435546875));
  CHECK(text_width("−1.5×10⁻³ λ ≤ µ", 100) == doctest::Approx(672.8515625));
  CHECK(text_width("", 8) == 0);
}

TEST_CASE("long text breaks into lines that fit and lose nothing") {
  const std::string text = "mean squared error of trials/held-out_ones  and Donaudampfschifffahrtsgesellschaft";
  for (double width : {30.0, 60.0, 200.0}) {
    std::string together;
    for (const std::string& line : wrapped(text, width, 8)) {
      CHECK(text_width(line, 8) <= width);
      together += line;
    }
    std::string letters = text;
    for (std::string* s : {&letters, &together}) s->erase(std::remove(s->begin(), s->end(), ' '), s->end());
    CHECK(together == letters);
  }
  CHECK(wrapped("a\nb", 100, 8) == std::vector<std::string>{"a", "b"});
  CHECK(wrapped("wide", 0, 8).size() == 4);  // one letter a line, never an endless loop
}

TEST_CASE("every mark as SVG") {
  CHECK(svg_line(Polyline{{{0, 0}, {1.5, 2.126}, {3, 0}}, rgb(0xd98200), 1.4, Dash::dashed, 0.5}) ==
        "<path d=\"M0 0L1.5 2.13L3 0\" fill=\"none\" stroke=\"#d98200\" stroke-width=\"1.4\" stroke-dasharray=\"5.6 "
        "3.5\" "
        "stroke-linejoin=\"round\" stroke-opacity=\"0.5\"/>\n");
  CHECK(svg_line(Polyline{{{0, 0}, {1, 1}, {no_value, 1}, {2, 2}, {3, 3}, {4, inf}}}).find("d=\"M0 0L1 1M2 2L3 3\"") !=
        std::string::npos);
  CHECK(svg_line(Polyline{{{no_value, 0}}}).empty());
  CHECK(svg_line(Polygon{{{0, 0}, {4, 0}, {4, 4}}, rgb(0x1b7837), 0.2}) ==
        "<path d=\"M0 0L4 0L4 4Z\" fill=\"#1b7837\" fill-opacity=\"0.2\"/>\n");
  CHECK(svg_line(Rect{.x = 1, .y = 2, .width = 3, .height = -4, .fill = white, .stroke = ink, .stroke_width = 0.5}) ==
        "<rect x=\"1\" y=\"2\" width=\"3\" height=\"0\" fill=\"#ffffff\" stroke=\"#222222\" stroke-width=\"0.5\"/>\n");
  CHECK(svg_line(Mark{.at = {5, 5}, .size = 4, .color = ink}) ==
        "<circle cx=\"5\" cy=\"5\" r=\"2\" fill=\"#222222\"/>\n");
  CHECK(svg_line(Mark{.at = {5, 5}, .shape = Marker::diamond, .size = 4, .color = ink, .hollow = true}) ==
        "<path d=\"M5 2.5L7.5 5L5 7.5L2.5 5Z\" fill=\"#ffffff\" stroke=\"#222222\" stroke-width=\"0.9\"/>\n");
  CHECK(svg_line(Mark{.at = {5, 5}, .shape = Marker::cross, .size = 4, .color = ink}) ==
        "<path d=\"M3 3L7 7M3 7L7 3\" stroke=\"#222222\" stroke-width=\"1.1\"/>\n");
  CHECK(svg_line(
            Text{.at = {1, 2}, .text = "a < b & \"c\"", .anchor = Anchor::end, .weight = Weight::medium, .up = true}) ==
        "<text x=\"1\" y=\"2\" font-size=\"8\" text-anchor=\"end\" font-weight=\"500\" fill=\"#222222\" "
        "transform=\"rotate(-90 1 2)\">a &lt; b "
        "&amp; &quot;c&quot;</text>\n");
  const std::string cells = svg_line(Cells{1, 1, 8, 8, 2, 1, {rgb(0xff0000), rgb(0x0000ff)}});
  CHECK(cells.find("<image x=\"1\" y=\"1\" width=\"8\" height=\"8\"") == 0);
  CHECK(cells.find("href=\"data:image/png;base64,iVBORw0KGgo") != std::string::npos);
  CHECK(svg_line(Cells{1, 1, 8, 8, 3, 1, {white}}).empty());  // fewer colours than cells

  Drawing d = page(100, 50);
  d.title = "<Errors>";
  d.description = "of & \"all\"";
  const std::string svg = to_svg(d, "f1");
  CHECK(svg.find("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"100pt\" height=\"50pt\" viewBox=\"0 0 100 50\" "
                 "role=\"img\" "
                 "aria-labelledby=\"f1-title\" aria-describedby=\"f1-desc\"") == 0);
  CHECK(
      svg.find("<title id=\"f1-title\">&lt;Errors&gt;</title>\n<desc id=\"f1-desc\">of &amp; &quot;all&quot;</desc>") !=
      std::string::npos);
  check_balanced(svg);
}

TEST_CASE("every mark as pixels") {
  SUBCASE("a line is where it should be, and half a pixel of it is half as dark") {
    const Pixels p = png_of(Polyline{{{2, 10}, {18, 10}}, rgb(0x000000), 2});
    CHECK(p.width == 20);
    CHECK(p.grey(10, 9) == 0);
    CHECK(p.grey(10, 10) == 0);
    CHECK(p.grey(10, 8) == 255);
    CHECK(p.grey(10, 11) == 255);
    CHECK(p.grey(1, 9) == 255);
    CHECK(p.grey(2, 9) == 0);
    CHECK(p.grey(18, 9) == 255);
    CHECK(png_of(Polyline{{{2, 10}, {18, 10}}, rgb(0x000000), 1}).grey(10, 9) == doctest::Approx(128).epsilon(0.01));
    const Pixels steep = png_of(Polyline{{{0, 0}, {20, 20}}, rgb(0x000000), 3});
    for (int64_t k = 1; k < 19; ++k) CHECK(steep.grey(k, k) < 10);
    CHECK(steep.grey(4, 12) == 255);
  }
  SUBCASE("a line that crosses itself is not darker there, and joints have no holes") {
    const Pixels p =
        png_of(Polyline{{{2, 10}, {18, 10}, {18, 4}, {10, 4}, {10, 18}}, rgb(0x000000), 4, Dash::solid, 0.5});
    CHECK(p.grey(10, 10) == p.grey(5, 10));
    CHECK(p.grey(5, 10) == doctest::Approx(128).epsilon(0.01));
    CHECK(p.grey(18, 9) == p.grey(5, 10));
    // Dense points: the edge keeps its half grey.
    Polyline dense{{}, rgb(0x000000), 1};
    for (int k = 0; k <= 1000; ++k) dense.points.push_back({2 + k * 0.016, 10});
    CHECK(png_of(dense).grey(10, 9) == doctest::Approx(128).epsilon(0.02));
  }
  SUBCASE("gaps and dashes") {
    const Pixels gap = png_of(Polyline{{{2, 10}, {6, 10}, {no_value, 10}, {12, 10}, {18, 10}}, rgb(0x000000), 2});
    CHECK(gap.grey(4, 9) == 0);
    CHECK(gap.grey(9, 9) == 255);
    CHECK(gap.grey(15, 9) == 0);
    const Pixels dash = png_of(Polyline{{{0, 10}, {20, 10}}, rgb(0x000000), 1, Dash::dashed}, 2);
    CHECK(dash.grey(4, 19) == 0);     // 0..4 on
    CHECK(dash.grey(10, 19) == 255);  // 4..6.5 off
    CHECK(dash.grey(16, 19) == 0);
  }
  SUBCASE("a band blends once, over white and over itself") {
    const Pixels p =
        png_of(Polygon{{{0, 0}, {20, 0}, {20, 20}, {0, 20}, {0, 0}, {20, 0}, {20, 20}, {0, 20}}, rgb(0x1b7837), 0.2});
    const Color c = p.at(10, 10);
    CHECK(c.r == std::lround(255 + 0.2 * (0x1b - 255)));
    CHECK(c.g == std::lround(255 + 0.2 * (0x78 - 255)));
    CHECK(c.b == std::lround(255 + 0.2 * (0x37 - 255)));
    CHECK(png_of(Polygon{{{0, 0}, {no_value, 3}, {20, 0}, {20, 20}}, ink}).grey(19, 10) < 50);
  }
  SUBCASE("rectangles, marks, cells") {
    const Pixels r = png_of(Rect{
        .x = 4, .y = 4, .width = 12, .height = 12, .fill = rgb(0xff0000), .stroke = rgb(0x000000), .stroke_width = 2});
    CHECK(r.at(10, 10).r == 255);
    CHECK(r.at(10, 10).g == 0);
    CHECK(r.grey(3, 10) == 0);
    CHECK(r.grey(4, 10) == 0);
    CHECK(r.grey(2, 10) == 255);
    for (Marker shape : {Marker::circle, Marker::square, Marker::triangle, Marker::diamond, Marker::cross}) {
      const Pixels m = png_of(Mark{.at = {10, 10}, .shape = shape, .size = 10, .color = rgb(0x000000)});
      CHECK(m.grey(10, 10) < 90);
      CHECK(m.grey(1, 1) == 255);
      CHECK(m.grey(10, 18) == 255);
    }
    CHECK(png_of(Mark{.at = {10, 10}, .size = 10, .hollow = true}).grey(10, 10) == 255);
    CHECK(png_of(Mark{.at = {10, 10}, .shape = Marker::none}).dark(0, 0, 20, 20) == 0);
    CHECK(png_of(Mark{.at = {no_value, 10}}).dark(0, 0, 20, 20) == 0);
    const std::vector<Color> four = {rgb(0xff0000), rgb(0x00ff00), rgb(0x0000ff), rgb(0x000000)};
    const Pixels c = png_of(Cells{2, 2, 16, 16, 2, 2, four});
    CHECK(c.at(9, 9).r == 255);
    CHECK(c.at(10, 9).g == 255);
    CHECK(c.at(9, 10).b == 255);
    CHECK(c.grey(10, 10) == 0);
    CHECK(c.grey(1, 9) == 255);
    CHECK(c.grey(18, 9) == 255);
    // Cells smaller than a pixel are averaged.
    CHECK(png_of(Cells{0, 0, 1, 1, 2, 2, four}).at(0, 0).r == 64);
  }
  SUBCASE("text is at its anchor, and turned text reads upwards") {
    const auto where = [](Anchor anchor, bool up) {
      return png_of(Text{.at = {40, 40}, .text = "HHHH", .size = 12, .anchor = anchor, .up = up}, 2, 80, 80);
    };
    CHECK(where(Anchor::start, false).dark(80, 60, 160, 81) > 100);
    CHECK(where(Anchor::start, false).dark(0, 0, 80, 160) == 0);
    CHECK(where(Anchor::end, false).dark(0, 60, 80, 81) > 100);
    CHECK(where(Anchor::end, false).dark(81, 0, 160, 160) == 0);
    const int64_t left = where(Anchor::middle, false).dark(0, 0, 80, 160),
                  right = where(Anchor::middle, false).dark(80, 0, 160, 160);
    CHECK(std::abs(left - right) < (left + right) / 10);
    CHECK(where(Anchor::start, true).dark(60, 0, 81, 80) > 100);
    CHECK(where(Anchor::start, true).dark(0, 81, 160, 160) == 0);
    const Text word{.at = {2, 15}, .text = "Dale", .size = 12};
    Text heavy = word;
    heavy.weight = Weight::medium;
    CHECK(png_of(heavy, 4, 40, 20).dark(0, 0, 160, 80) > 1.1 * png_of(word, 4, 40, 20).dark(0, 0, 160, 80));
  }
  SUBCASE("sizes") {
    const Pixels print = pixels_of(to_png(page(72, 36)));
    CHECK(print.width == 300);
    CHECK(print.height == 150);
    CHECK(print.pixels_per_metre == 11811);  // 300 dots per inch
    for (double scale : {0.0, -1.0, no_value, inf}) CHECK(pixels_of(to_png(page(72, 36), scale)).width == 300);
    CHECK(pixels_of(to_png(page(no_value, -3), 1)).width == 1);
    CHECK(png_of(Polyline{{{-1e12, 10}, {1e12, 10}}, rgb(0x000000), 2}).grey(10, 9) == 0);  // far outside
    CHECK(png_of(Polyline{{{10, -1e9}, {10, 1e9}}, rgb(0x000000), 2, Dash::dotted}).grey(10, 9) == 0);
  }
}
