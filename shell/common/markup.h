// Text that goes into pages and pictures: UTF-8, escaping, and numbers that no locale changes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dalea {

// Whatever is not UTF-8 becomes U+FFFD, so that a file name or a column header never breaks a page.
std::vector<char32_t> code_points(std::string_view utf8);
std::string to_utf8(char32_t c);

// For element content and for attributes in double quotes, of HTML and of XML. Control characters, which XML cannot
// hold at all, become U+FFFD; tabs and line ends stay.
std::string escaped(std::string_view text);

// A field of a CSV file: in quotes where it must be.
std::string csv_field(const std::string& text);

// ASCII, a point, no grouping. Not a number: "nan", "inf", "-inf".
std::string fixed_number(double v, int decimals);    // 2.50
std::string short_number(double v, int digits = 6);  // 2.5, 1e-12: significant digits, no zeros at the end
// For readers: a true minus, 1.2×10⁻⁷ beyond 1e-4..1e6, "–" when there is no value.
std::string display_number(double v, int digits = 4);
std::string superscript(int v);

}  // namespace dalea
