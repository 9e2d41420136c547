#include "common/picture.h"

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>

namespace dalea {
namespace {

// Letters of 5 x 7 dots, a byte a row, for the few words a picture needs.
struct Glyph {
  char c;
  uint8_t rows[7];
};
constexpr Glyph glyphs[] = {
    {'a', {0, 0, 14, 1, 15, 17, 15}},    {'b', {16, 16, 30, 17, 17, 17, 30}}, {'c', {0, 0, 14, 16, 16, 17, 14}},
    {'d', {1, 1, 15, 17, 17, 17, 15}},   {'e', {0, 0, 14, 17, 31, 16, 14}},   {'f', {6, 9, 8, 28, 8, 8, 8}},
    {'g', {0, 15, 17, 17, 15, 1, 14}},   {'h', {16, 16, 30, 17, 17, 17, 17}}, {'i', {4, 0, 12, 4, 4, 4, 14}},
    {'j', {2, 0, 6, 2, 2, 18, 12}},      {'k', {16, 16, 18, 20, 24, 20, 18}}, {'l', {12, 4, 4, 4, 4, 4, 14}},
    {'m', {0, 0, 26, 21, 21, 21, 21}},   {'n', {0, 0, 30, 17, 17, 17, 17}},   {'o', {0, 0, 14, 17, 17, 17, 14}},
    {'p', {0, 0, 30, 17, 30, 16, 16}},   {'q', {0, 0, 15, 17, 15, 1, 1}},     {'r', {0, 0, 22, 25, 16, 16, 16}},
    {'s', {0, 0, 15, 16, 14, 1, 30}},    {'t', {8, 8, 28, 8, 8, 9, 6}},       {'u', {0, 0, 17, 17, 17, 17, 15}},
    {'v', {0, 0, 17, 17, 17, 10, 4}},    {'w', {0, 0, 17, 17, 21, 21, 10}},   {'x', {0, 0, 17, 10, 4, 10, 17}},
    {'y', {0, 17, 17, 15, 1, 17, 14}},   {'z', {0, 0, 31, 2, 4, 8, 31}},      {'0', {14, 17, 19, 21, 25, 17, 14}},
    {'1', {4, 12, 4, 4, 4, 4, 14}},      {'2', {14, 17, 1, 2, 4, 8, 31}},     {'3', {31, 2, 4, 2, 1, 17, 14}},
    {'4', {2, 6, 10, 18, 31, 2, 2}},     {'5', {31, 16, 30, 1, 1, 17, 14}},   {'6', {6, 8, 16, 30, 17, 17, 14}},
    {'7', {31, 1, 2, 4, 8, 8, 8}},       {'8', {14, 17, 17, 14, 17, 17, 14}}, {'9', {14, 17, 17, 15, 1, 2, 12}},
    {'+', {0, 4, 4, 31, 4, 4, 0}},       {'-', {0, 0, 0, 31, 0, 0, 0}},       {'.', {0, 0, 0, 0, 0, 12, 12}},
    {'(', {2, 4, 8, 8, 8, 4, 2}},        {')', {8, 4, 2, 2, 2, 4, 8}},        {'/', {1, 1, 2, 4, 8, 16, 16}},
    {'E', {31, 16, 16, 30, 16, 16, 31}}, {'I', {14, 4, 4, 4, 4, 4, 14}},      {'L', {16, 16, 16, 16, 16, 16, 31}},
    {'M', {17, 27, 21, 21, 17, 17, 17}}, {'P', {30, 17, 17, 30, 16, 16, 16}}, {'S', {15, 16, 16, 14, 1, 1, 30}},
    {'T', {31, 4, 4, 4, 4, 4, 4}},       {'V', {17, 17, 17, 17, 17, 10, 4}},  {'A', {14, 17, 17, 31, 17, 17, 17}},
    {'B', {30, 17, 17, 30, 17, 17, 30}}, {'C', {14, 17, 16, 16, 16, 17, 14}}, {'W', {17, 17, 17, 21, 21, 27, 17}},
    {'_', {0, 0, 0, 0, 0, 0, 31}},       {',', {0, 0, 0, 0, 12, 4, 8}},       {':', {0, 12, 12, 0, 12, 12, 0}},
};

constexpr Color ink = {40, 44, 52}, line = {90, 96, 106};

class Canvas {
 public:
  Canvas(int64_t width, int64_t height) {
    image.width = width;
    image.height = height;
    image.rgb.assign(static_cast<size_t>(width * height * 3), 255);
  }
  void dot(int64_t x, int64_t y, Color c) {
    if (x < 0 || y < 0 || x >= image.width || y >= image.height) return;
    uint8_t* p = image.rgb.data() + (y * image.width + x) * 3;
    p[0] = c.r;
    p[1] = c.g;
    p[2] = c.b;
  }
  void box(int64_t x, int64_t y, int64_t w, int64_t h, Color c) {
    for (int64_t j = 0; j < h; ++j)
      for (int64_t i = 0; i < w; ++i) dot(x + i, y + j, c);
  }
  static int64_t text_width(const std::string& s) { return static_cast<int64_t>(s.size()) * 6 * text_scale; }
  // `up`: turned a quarter to the left, reading upwards.
  void text(int64_t x, int64_t y, const std::string& s, bool up = false) {
    for (char c : s) {
      for (const Glyph& g : glyphs) {
        if (g.c != c) continue;
        for (int64_t r = 0; r < 7; ++r)
          for (int64_t k = 0; k < 5; ++k)
            if ((g.rows[r] >> (4 - k) & 1) != 0)
              box(up ? x + r * text_scale : x + k * text_scale, up ? y - (k + 1) * text_scale : y + r * text_scale,
                  text_scale, text_scale, ink);
      }
      (up ? y : x) += (up ? -6 : 6) * text_scale;
    }
  }
  static constexpr int64_t text_scale = 2;
  Image image;
};

void put_u32(std::vector<std::byte>& out, uint32_t v) {
  for (int k = 24; k >= 0; k -= 8) out.push_back(static_cast<std::byte>(v >> k));
}

void put_chunk(std::vector<std::byte>& out, const char* type, const std::vector<uint8_t>& data) {
  put_u32(out, static_cast<uint32_t>(data.size()));
  std::vector<uint8_t> body(type, type + 4);
  body.insert(body.end(), data.begin(), data.end());
  for (uint8_t b : body) out.push_back(static_cast<std::byte>(b));
  put_u32(out, static_cast<uint32_t>(crc32(0, body.data(), static_cast<uInt>(body.size()))));
}

std::string short_number(float v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2g", static_cast<double>(v));
  return text;
}

}  // namespace

Color weight_color(float value, float scale) {
  constexpr Color zero = {247, 247, 247}, positive = {178, 24, 43}, negative = {33, 102, 172};
  const float s = std::clamp(scale > 0 ? std::fabs(value) / scale : 0.0f, 0.0f, 1.0f);
  const Color& end = value >= 0 ? positive : negative;
  const auto mix = [s](uint8_t a, uint8_t b) {
    return static_cast<uint8_t>(
        std::lround(static_cast<float>(a) + s * (static_cast<float>(b) - static_cast<float>(a))));
  };
  return {mix(zero.r, end.r), mix(zero.g, end.g), mix(zero.b, end.b)};
}

float weight_scale(const Weights& w) {
  std::vector<float> sizes;
  for (float v : w.values)
    if (v != 0) sizes.push_back(std::fabs(v));
  if (sizes.empty()) return 1;
  const size_t k = static_cast<size_t>(0.995 * static_cast<double>(sizes.size() - 1));
  std::nth_element(sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(k), sizes.end());
  return sizes[k];
}

std::vector<std::byte> weight_picture(const Model& model, const std::vector<std::string>& names, const Pattern* mask) {
  const Weights& w = model.parameters.W_rec;
  const int64_t n = model.units;
  constexpr int64_t largest = 1440;  // beyond it several synapses share a pixel (their largest shows)
  const int64_t cell = std::max<int64_t>(1, 720 / n), shrink = (n + largest - 1) / largest;
  const int64_t side = n > largest ? (n + shrink - 1) / shrink : n * cell;
  constexpr int64_t left = 88, top = 56, right = 150, bottom = 56;
  Canvas canvas(left + side + right, top + side + bottom);
  const float scale = weight_scale(w);

  const auto position = [&](int64_t unit) { return n > largest ? unit / shrink : unit * cell; };
  const int64_t dot = n > largest ? 1 : cell;
  const Pattern* pattern = w.sparse() ? w.pattern.get() : mask;
  if (pattern != nullptr) canvas.box(left, top, side, side, absent_color);
  std::vector<float> shown(n > largest ? static_cast<size_t>(side * side) : 0, -1);
  const auto draw = [&](int64_t i, int64_t j, float v) {
    if (n > largest) {
      float& strongest = shown[position(i) * side + position(j)];
      if (std::fabs(v) <= strongest) return;
      strongest = std::fabs(v);
    }
    canvas.box(left + position(j), top + position(i), dot, dot, weight_color(v, scale));
  };
  for (int64_t j = 0; j < n; ++j) {
    if (pattern != nullptr)
      for (int64_t e = pattern->col_start[j]; e < pattern->col_start[j + 1]; ++e)
        draw(pattern->row[e], j, w.sparse() ? w.values[e] : w.values[j * n + pattern->row[e]]);
    else
      for (int64_t i = 0; i < n; ++i) draw(i, j, w.values[j * n + i]);
  }

  // Frame and block lines.
  const auto across = [&](int64_t at) {
    canvas.box(left - 1, top + at - 1, side + 2, 1, line);
    canvas.box(left + at - 1, top - 1, 1, side + 2, line);
  };
  across(0);
  across(side + 1);
  for (size_t p = 0; p < model.populations.size(); ++p) {
    const int64_t begin = position(model.populations[p].begin),
                  end = std::max(begin + 1, position(model.populations[p].end));
    if (p > 0) across(begin);
    const std::string name = p < names.size() ? names[p].substr(0, 8) : "";
    const int64_t width = Canvas::text_width(name);
    if (width < end - begin) canvas.text(left + (begin + end - width) / 2, top - 22, name);
    if (end - begin >= 16) canvas.text(left - 8 - width, top + (begin + end) / 2 - 7, name);
  }
  const std::string from = "from (pre)", to = "to (post)";
  canvas.text(left + (side - Canvas::text_width(from)) / 2, top - 50, from);
  canvas.text(2, top + (side + Canvas::text_width(to)) / 2, to, true);

  // Colour bar.
  const int64_t bar_x = left + side + 24, bar_h = std::min<int64_t>(side, 240), bar_y = top + (side - bar_h) / 2;
  for (int64_t y = 0; y < bar_h; ++y)
    canvas.box(bar_x, bar_y + y, 16, 1,
               weight_color(scale * (1 - 2 * static_cast<float>(y) / static_cast<float>(bar_h - 1)), scale));
  canvas.text(bar_x + 24, bar_y - 6, "+" + short_number(scale));
  canvas.text(bar_x + 24, bar_y + bar_h / 2 - 7, "0");
  canvas.text(bar_x + 24, bar_y + bar_h - 8, "-" + short_number(scale));
  canvas.text(bar_x, bar_y - 34, "weight");
  if (pattern != nullptr) {
    canvas.box(bar_x, bar_y + bar_h + 20, 16, 16, absent_color);
    canvas.text(bar_x + 24, bar_y + bar_h + 21, "absent");
  }
  canvas.text(left, top + side + 20, "recurrent weights, " + std::to_string(n) + " units");
  return encode_png(canvas.image);
}

std::vector<std::byte> encode_png(const Image& image) {
  std::vector<std::byte> out;
  for (int c : {0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a}) out.push_back(static_cast<std::byte>(c));
  std::vector<uint8_t> header;
  for (int64_t v : {image.width, image.height})
    for (int k = 24; k >= 0; k -= 8) header.push_back(static_cast<uint8_t>(v >> k));
  for (uint8_t v : {8, 2, 0, 0, 0}) header.push_back(v);  // 8 bits, RGB
  put_chunk(out, "IHDR", header);
  if (image.pixels_per_metre > 0) {
    std::vector<uint8_t> density;
    for (int axis = 0; axis < 2; ++axis)
      for (int k = 24; k >= 0; k -= 8) density.push_back(static_cast<uint8_t>(image.pixels_per_metre >> k));
    density.push_back(1);  // per metre
    put_chunk(out, "pHYs", density);
  }
  std::vector<uint8_t> raw;
  for (int64_t y = 0; y < image.height; ++y) {
    raw.push_back(0);
    const auto row = image.rgb.begin() + y * image.width * 3;
    raw.insert(raw.end(), row, row + image.width * 3);
  }
  uLongf size = compressBound(static_cast<uLong>(raw.size()));
  std::vector<uint8_t> packed(size);
  compress2(packed.data(), &size, raw.data(), static_cast<uLong>(raw.size()), 6);
  packed.erase(packed.begin() + static_cast<std::ptrdiff_t>(size), packed.end());
  put_chunk(out, "IDAT", packed);
  put_chunk(out, "IEND", {});
  return out;
}

}  // namespace dalea
