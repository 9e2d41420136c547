// Pictures read back, and boxes around what a drawing holds.
#pragma once

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "common/figure.h"
#include "doctest/doctest.h"

namespace dalea::testing {

struct Pixels {
  int64_t width = 0, height = 0, pixels_per_metre = 0;
  std::vector<uint8_t> raw;  // a filter byte, then RGB, row by row

  Color at(int64_t x, int64_t y) const {
    const uint8_t* p = raw.data() + y * (width * 3 + 1) + 1 + x * 3;
    return {p[0], p[1], p[2]};
  }
  int grey(int64_t x, int64_t y) const {
    const Color c = at(x, y);
    return (c.r + c.g + c.b) / 3;
  }
  int64_t dark(int64_t x0, int64_t y0, int64_t x1, int64_t y1) const {
    int64_t count = 0;
    for (int64_t y = y0; y < y1; ++y)
      for (int64_t x = x0; x < x1; ++x) count += grey(x, y) < 128;
    return count;
  }
};

inline Pixels pixels_of(const std::vector<std::byte>& png) {
  Pixels out;
  const auto u32 = [&](size_t at) {
    uint32_t v = 0;
    for (size_t k = 0; k < 4; ++k) v = v << 8 | std::to_integer<uint32_t>(png[at + k]);
    return v;
  };
  REQUIRE(png.size() > 57);
  std::vector<uint8_t> packed;
  for (size_t at = 8; at + 12 <= png.size();) {
    const uint32_t size = u32(at);
    REQUIRE(at + 12 + size <= png.size());
    const auto* data = reinterpret_cast<const uint8_t*>(png.data() + at + 8);
    const std::string type(reinterpret_cast<const char*>(png.data() + at + 4), 4);
    CHECK(crc32(0, data - 4, size + 4) == u32(at + 8 + size));
    if (type == "IHDR") {
      out.width = u32(at + 8);
      out.height = u32(at + 12);
    }
    if (type == "pHYs") out.pixels_per_metre = u32(at + 8);
    if (type == "IDAT") packed.insert(packed.end(), data, data + size);
    at += 12 + size;
  }
  out.raw.resize(static_cast<size_t>(out.height * (out.width * 3 + 1)));
  uLongf size = static_cast<uLongf>(out.raw.size());
  REQUIRE(uncompress(out.raw.data(), &size, packed.data(), static_cast<uLong>(packed.size())) == Z_OK);
  REQUIRE(size == out.raw.size());
  return out;
}

struct TextBox {
  std::string text;
  double x0, y0, x1, y1;
};
inline std::vector<TextBox> text_boxes(const plot::Drawing& d) {
  std::vector<TextBox> out;
  for (const plot::Primitive& item : d.items)
    if (const auto* t = std::get_if<plot::Text>(&item)) {
      const double w = plot::text_width(t->text, t->size, t->weight), up = t->size * 0.72, down = t->size * 0.2;
      const double back = t->anchor == plot::Anchor::end ? w : t->anchor == plot::Anchor::middle ? w / 2 : 0;
      if (t->up)
        out.push_back({t->text, t->at.x - up, t->at.y + back - w, t->at.x + down, t->at.y + back});
      else
        out.push_back({t->text, t->at.x - back, t->at.y - up, t->at.x - back + w, t->at.y + down});
    }
  return out;
}

inline bool says(const plot::Drawing& d, const std::string& words) {
  std::string all;
  for (const TextBox& b : text_boxes(d)) all += b.text + " ";
  return all.find(words) != std::string::npos;
}

// Nothing leaves the page and no two words cover each other.
inline void check_layout(const plot::Drawing& d) {
  const std::vector<TextBox> boxes = text_boxes(d);
  for (const TextBox& b : boxes) {
    CAPTURE(b.text);
    CHECK(b.x0 >= -0.1);
    CHECK(b.y0 >= -0.1);
    CHECK(b.x1 <= d.width + 0.1);
    CHECK(b.y1 <= d.height + 0.1);
  }
  for (size_t i = 0; i < boxes.size(); ++i)
    for (size_t j = i + 1; j < boxes.size(); ++j) {
      const TextBox &a = boxes[i], &b = boxes[j];
      const bool apart = a.x1 <= b.x0 + 0.1 || b.x1 <= a.x0 + 0.1 || a.y1 <= b.y0 + 0.1 || b.y1 <= a.y0 + 0.1;
      CHECK_MESSAGE(apart, (a.text + " | " + b.text));
    }
  const auto inside = [&](const plot::Point& p) {
    return !std::isfinite(p.x) || (p.x > -1 && p.y > -1 && p.x < d.width + 1 && p.y < d.height + 1);
  };
  for (const plot::Primitive& item : d.items) {
    if (const auto* l = std::get_if<plot::Polyline>(&item))
      CHECK(std::all_of(l->points.begin(), l->points.end(), inside));
    if (const auto* p = std::get_if<plot::Polygon>(&item))
      CHECK(std::all_of(p->points.begin(), p->points.end(), inside));
    if (const auto* m = std::get_if<plot::Mark>(&item)) CHECK(inside(m->at));
  }
}

inline size_t count_of(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

// Elements close in the order they opened, attributes have both their quotes.
inline void check_balanced(const std::string& markup) {
  static const char* const alone[] = {"meta", "br", "link"};
  std::vector<std::string> open;
  for (size_t at = markup.find('<'); at != std::string::npos; at = markup.find('<', at)) {
    if (markup.compare(at, 7, "<style>") == 0) {
      at = markup.find("</style>", at);
      REQUIRE(at != std::string::npos);
      open.push_back("style");
    }
    const size_t end = markup.find('>', at);
    REQUIRE(end != std::string::npos);
    const std::string tag = markup.substr(at + 1, end - at - 1);
    const std::string name = tag.substr(0, tag.find_first_of(" /\n", tag[0] == '/' ? 1 : 0));
    at = end;
    if (tag[0] == '!' || tag.back() == '/' || std::find(std::begin(alone), std::end(alone), name) != std::end(alone))
      continue;
    if (tag[0] == '/') {
      REQUIRE_MESSAGE(!open.empty(), tag);
      REQUIRE_MESSAGE(open.back() == name.substr(1), (open.back() + " closed by " + tag));
      open.pop_back();
    } else {
      CHECK(std::count(tag.begin(), tag.end(), '"') % 2 == 0);
      open.push_back(name);
    }
  }
  CHECK(open.empty());
}

}  // namespace dalea::testing
