// A text table (CSV, TSV, semicolons) row by row: fields in quotes, a byte order mark and any line end are understood.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dalea {

// Rows are views into the text, which must outlive them. Empty lines are passed over.
class TextRows {
 public:
  explicit TextRows(std::string_view text);
  bool next(std::vector<std::string_view>& fields);  // false: there are no more
  int64_t line() const { return line_; }             // of the row that next() gave, from 1
  size_t left() const { return rest_.size(); }       // bytes
  char separator() const { return separator_; }
  bool number(std::string_view field, double& to) const;  // finite; a decimal comma where commas do not separate

 private:
  std::string_view rest_;
  int64_t line_ = 0;
  char separator_ = ',';
};

std::string lower_case(std::string_view text);
// Where the first of `names` (lower case) stands among a header's fields; -1: nowhere.
int64_t column_named(const std::vector<std::string_view>& header, const std::vector<std::string_view>& names);
// "a, b, c, ... (12 in all)"
std::string listed(const std::vector<std::string>& names, size_t most = 8);

}  // namespace dalea
