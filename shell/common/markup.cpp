#include "common/markup.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace dalea {
namespace {

// printf writes the locale's decimal mark: whatever is neither digit, sign nor exponent is one.
std::string without_locale(const char* text) {
  std::string out;
  for (const char* p = text; *p != '\0'; ++p) {
    const bool keep = (*p >= '0' && *p <= '9') || *p == '-' || *p == '+' || *p == 'e';
    if (keep)
      out += *p;
    else if (out.empty() || out.back() != '.')
      out += '.';
  }
  return out;
}

void drop_zeros(std::string& digits) {
  if (digits.find('.') == std::string::npos) return;
  while (digits.back() == '0') digits.pop_back();
  if (digits.back() == '.') digits.pop_back();
}

std::string special(double v) {
  return std::isnan(v) ? "nan" : v < 0 ? "-inf" : "inf";
}

std::string with_minus(const std::string& number) {
  return !number.empty() && number[0] == '-' ? "\u2212" + number.substr(1) : number;
}

}  // namespace

std::vector<char32_t> code_points(std::string_view s) {
  std::vector<char32_t> out;
  constexpr char32_t bad = 0xfffd;
  for (size_t i = 0; i < s.size();) {
    const auto byte = [&](size_t k) { return static_cast<uint8_t>(s[k]); };
    const uint8_t b = byte(i);
    const size_t length = b < 0x80 ? 1 : b >> 5 == 6 ? 2 : b >> 4 == 14 ? 3 : b >> 3 == 30 ? 4 : 0;
    char32_t c = length == 1 ? b : b & (0x7f >> length);
    bool good = length > 0 && i + length <= s.size();
    for (size_t k = 1; good && k < length; ++k) {
      good = byte(i + k) >> 6 == 2;
      c = c << 6 | (byte(i + k) & 0x3f);
    }
    constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    good = good && c >= smallest[length] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
    out.push_back(good ? c : bad);
    i += good ? length : 1;
  }
  return out;
}

std::string to_utf8(char32_t c) {
  const auto tail = [c](int shift) { return static_cast<char>(0x80 | (c >> shift & 0x3f)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xc0 | c >> 6), tail(0)};
  if (c < 0x10000) return {static_cast<char>(0xe0 | c >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xf0 | c >> 18), tail(12), tail(6), tail(0)};
}

std::string escaped(std::string_view text) {
  std::string out;
  for (char32_t c : code_points(text)) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default: {
        const bool forbidden =
            (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0) || c == 0xfffe || c == 0xffff;
        out += to_utf8(forbidden ? 0xfffd : c);
      }
    }
  }
  return out;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string field = "\"";
  for (char c : text) {
    if (c == '"') field += '"';
    field += c;
  }
  return field + "\"";
}

std::string fixed_number(double v, int decimals) {
  if (!std::isfinite(v)) return special(v);
  char text[400];
  std::snprintf(text, sizeof text, "%.*f", std::clamp(decimals, 0, 60), v);
  std::string out = without_locale(text);
  if (out[0] == '-' && out.find_first_not_of("-0.") == std::string::npos) out.erase(0, 1);
  return out;
}

std::string short_number(double v, int digits) {
  if (!std::isfinite(v)) return special(v);
  if (v == 0) return "0";
  char text[64];
  digits = std::clamp(digits, 1, 17);
  std::snprintf(text, sizeof text, "%.*e", digits - 1, v);
  std::string mantissa = without_locale(text);
  const size_t e = mantissa.find('e');
  const int exponent = std::atoi(mantissa.c_str() + e + 1);
  mantissa.resize(e);
  if (exponent < -4 || exponent >= std::max(digits, 6)) {
    drop_zeros(mantissa);
    return mantissa + "e" + std::to_string(exponent);
  }
  std::string out = fixed_number(v, std::max(0, digits - 1 - exponent));
  drop_zeros(out);
  return out;
}

std::string superscript(int v) {
  static const char* const digits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string out;
  for (char c : std::to_string(v)) out += c == '-' ? "⁻" : digits[c - '0'];
  return out;
}

std::string display_number(double v, int digits) {
  if (std::isnan(v)) return "–";
  if (std::isinf(v)) return v < 0 ? "\u2212∞" : "∞";
  const std::string text = short_number(v, digits);
  const size_t e = text.find('e');
  if (e == std::string::npos) return with_minus(text);
  const std::string power = "10" + superscript(std::atoi(text.c_str() + e + 1));
  const std::string mantissa = text.substr(0, e);
  if (mantissa == "1") return power;
  return with_minus(mantissa) + "×" + power;
}

}  // namespace dalea
