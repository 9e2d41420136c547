#include "recording/text_rows.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace dalea {
namespace {

std::string_view bare(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r')) s.remove_suffix(1);
  return s;
}

}  // namespace

TextRows::TextRows(std::string_view text) : rest_(text) {
  if (rest_.substr(0, 3) == "\xEF\xBB\xBF") rest_.remove_prefix(3);
  const std::string_view first = rest_.substr(0, rest_.find('\n'));
  for (char c : {'\t', ';'})
    if (separator_ == ',' && first.find(c) != std::string_view::npos) separator_ = c;
}

bool TextRows::next(std::vector<std::string_view>& fields) {
  std::string_view row;
  do {
    if (rest_.empty()) return false;
    const size_t end = rest_.find('\n');
    row = rest_.substr(0, end);
    rest_ = end == std::string_view::npos ? std::string_view() : rest_.substr(end + 1);
    ++line_;
  } while (bare(row).empty());
  fields.clear();
  for (size_t at = 0;;) {
    const size_t quote = row.find_first_not_of(' ', at);
    size_t end = 0;
    if (quote != std::string_view::npos && row[quote] == '"') {
      const size_t close = std::min(row.find('"', quote + 1), row.size());
      fields.push_back(row.substr(quote + 1, close - quote - 1));
      end = row.find(separator_, std::min(close + 1, row.size()));
    } else {
      end = row.find(separator_, at);
      fields.push_back(bare(row.substr(at, end == std::string_view::npos ? end : end - at)));
    }
    if (end == std::string_view::npos) return true;
    at = end + 1;
  }
}

bool TextRows::number(std::string_view field, double& to) const {
  char text[64];
  if (field.empty() || field.size() >= sizeof text) return false;
  for (size_t k = 0; k < field.size(); ++k) {
    const char c = separator_ != ',' && field[k] == ',' ? '.' : field[k];
    const bool digit = c >= '0' && c <= '9';
    if (!digit && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E') return false;  // strtod takes "nan", "0x1"
    text[k] = c;
  }
  text[field.size()] = 0;
  char* end = nullptr;
  to = std::strtod(text, &end);
  return end == text + field.size() && std::isfinite(to);
}

std::string lower_case(std::string_view text) {
  std::string low(text);
  for (char& c : low)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return low;
}

int64_t column_named(const std::vector<std::string_view>& header, const std::vector<std::string_view>& names) {
  for (std::string_view name : names)
    for (size_t k = 0; k < header.size(); ++k)
      if (lower_case(header[k]) == name) return static_cast<int64_t>(k);
  return -1;
}

std::string listed(const std::vector<std::string>& names, size_t most) {
  std::string text;
  for (size_t k = 0; k < std::min(most, names.size()); ++k) text += (k > 0 ? ", " : "") + names[k];
  if (names.size() > most) text += ", ... (" + std::to_string(names.size()) + " in all)";
  return text;
}

}  // namespace dalea
