// Letters: widths for the layout, outlines for the PNG. The font is compiled in, so a picture looks alike everywhere.
#include <cmath>

#include "common/embedded.h"
#include "common/figure_parts.h"
#include "common/markup.h"

#define STBTT_STATIC
#define STB_TRUETYPE_IMPLEMENTATION
#include <imstb_truetype.h>

namespace dalea::plot {
namespace {

struct Font {
  stbtt_fontinfo info = {};
  double scale = 0;  // points per font unit at size 1

  explicit Font(const Embedded& file) {
    stbtt_InitFont(&info, file.data, 0);
    scale = static_cast<double>(stbtt_ScaleForMappingEmToPixels(&info, 1));
  }
};

const Font& font_of(Weight weight) {
  static const Font regular(embedded_fonts[0]), medium(embedded_fonts[1]);
  return weight == Weight::medium ? medium : regular;
}

// Calls glyph(index, x) for every letter, x in font units; gives the end.
template <class F>
double walk(const Font& font, std::string_view text, F glyph) {
  double x = 0;
  int before = 0;
  for (char32_t c : code_points(text)) {
    if (c < 0x20) c = ' ';
    const int index = stbtt_FindGlyphIndex(&font.info, static_cast<int>(c));
    if (before != 0) x += stbtt_GetGlyphKernAdvance(&font.info, before, index);
    glyph(index, x);
    int advance = 0, bearing = 0;
    stbtt_GetGlyphHMetrics(&font.info, index, &advance, &bearing);
    x += advance;
    before = index;
  }
  return x;
}

}  // namespace

double text_width(std::string_view text, double size, Weight weight) {
  const Font& font = font_of(weight);
  return walk(font, text, [](int, double) {}) * font.scale * size;
}

std::vector<std::vector<Point>> text_outline(std::string_view text, double size, Weight weight) {
  const Font& font = font_of(weight);
  const double scale = font.scale * size;
  std::vector<std::vector<Point>> out;
  walk(font, text, [&](int index, double x) {
    stbtt_vertex* vertices = nullptr;
    const int count = stbtt_GetGlyphShape(&font.info, index, &vertices);
    Point at;
    const auto point = [&](double vx, double vy) { return Point{(x + vx) * scale, -vy * scale}; };
    for (int k = 0; k < count; ++k) {
      const stbtt_vertex& v = vertices[k];
      const Point end = point(v.x, v.y);
      if (v.type == STBTT_vmove) {
        out.push_back({end});
      } else if (v.type == STBTT_vcurve && !out.empty()) {
        // TrueType: quadratic; six pieces are finer than a pixel at every size a figure has.
        const Point c = point(v.cx, v.cy);
        for (int s = 1; s <= 6; ++s) {
          const double t = s / 6.0, u = 1 - t;
          out.back().push_back(
              {u * u * at.x + 2 * u * t * c.x + t * t * end.x, u * u * at.y + 2 * u * t * c.y + t * t * end.y});
        }
      } else if (!out.empty()) {
        out.back().push_back(end);
      }
      at = end;
    }
    stbtt_FreeShape(&font.info, vertices);
  });
  return out;
}

std::vector<std::string> wrapped(std::string_view text, double width, double size, Weight weight) {
  std::vector<std::string> lines(1);
  std::string word;
  const auto fits = [&](const std::string& s) { return text_width(s, size, weight) <= width; };
  const auto finish_word = [&] {
    while (!word.empty() && word.front() == ' ' && lines.back().empty()) word.erase(0, 1);
    if (word.empty()) return;
    if (fits(lines.back() + word)) {
      lines.back() += word;
    } else {
      if (!lines.back().empty()) lines.emplace_back();
      while (!word.empty() && word.front() == ' ') word.erase(0, 1);
      if (fits(word)) {
        lines.back() = word;
      } else {
        for (char32_t c : code_points(word)) {
          const std::string letter = to_utf8(c);
          if (!lines.back().empty() && !fits(lines.back() + letter)) lines.emplace_back();
          lines.back() += letter;
        }
      }
    }
    word.clear();
  };
  for (char32_t c : code_points(text)) {
    if (c == ' ' || c == '\n') finish_word();
    if (c == '\n')
      lines.emplace_back();
    else
      word += to_utf8(c);
    if (c == '-' || c == '_' || c == '/') finish_word();
  }
  finish_word();
  return lines;
}

}  // namespace dalea::plot
