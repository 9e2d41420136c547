#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "recording/csv_pieces.h"
#include "recording/recording.h"

namespace dalea {
namespace {

constexpr double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

constexpr long double more_powers_of_ten[] = {1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,  1e7L,  1e8L,  1e9L,
                                              1e10L, 1e11L, 1e12L, 1e13L, 1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L,
                                              1e20L, 1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};

// digits x 10^exponent to the nearest double, where a product or quotient of exact numbers gives it.
bool scaled(uint64_t digits, int64_t exponent, double& to) {
  if (digits <= uint64_t{1} << 53 && exponent >= -22 && exponent <= 22) {
    const double v = static_cast<double>(digits);
    to = exponent < 0 ? v / powers_of_ten[-exponent] : v * powers_of_ten[exponent];
    return true;
  }
  // With 64 bits of mantissa both are exact still, and rounding twice is rounding once unless the first ends halfway
  // between two doubles.
  if constexpr (std::numeric_limits<long double>::digits == 64) {
    if (exponent < -27 || exponent > 27) return false;
    const auto v = static_cast<long double>(digits);
    const long double exact = exponent < 0 ? v / more_powers_of_ten[-exponent] : v * more_powers_of_ten[exponent];
    uint64_t mantissa = 0;
    std::memcpy(&mantissa, &exact, sizeof mantissa);
    if ((mantissa & 0x7FF) == 0x400) return false;
    to = static_cast<double>(exact);
    return true;
  }
  return false;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The decimal number at p, correctly rounded, and where it ends; null: there is none.
const char* scan_number(const char* p, const char* end, char decimal, double& to) {
  const char* const begin = p;
  const bool negative = p < end && *p == '-';
  if (p < end && (*p == '-' || *p == '+')) ++p;
  const char* const first = p;
  uint64_t digits = 0;  // wraps beyond 19
  for (; p < end && is_digit(*p); ++p) digits = digits * 10 + static_cast<uint64_t>(*p - '0');
  int64_t count = p - first, after = 0;
  if (p < end && *p == decimal) {
    const char* const point = p++;
    for (; p < end && is_digit(*p); ++p) digits = digits * 10 + static_cast<uint64_t>(*p - '0');
    after = p - point - 1;
    count += after;
  }
  if (count == 0) return nullptr;
  const char* const last = p;
  int64_t exponent = 0;
  if (p < end && (*p == 'e' || *p == 'E')) {
    ++p;
    const bool minus = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) ++p;
    if (p == end || !is_digit(*p)) return nullptr;
    for (; p < end && is_digit(*p); ++p) exponent = std::min<int64_t>(exponent * 10 + (*p - '0'), 100000);
    if (minus) exponent = -exponent;
  }
  if (count > 19)
    for (const char* zero = first; zero < last && (*zero == '0' || *zero == decimal); ++zero) count -= *zero == '0';
  if (count <= 19 && scaled(digits, exponent - after, to)) {
    if (negative) to = -to;
    return p;
  }
  std::string copy(begin, p);
  std::replace(copy.begin(), copy.end(), decimal, '.');
  to = std::strtod(copy.c_str(), nullptr);  // the programs keep the C locale
  return p;
}

bool parse_number(std::string_view s, char decimal, double& to) {
  const char* end = s.data() + s.size();
  return scan_number(s.data(), end, decimal, to) == end;
}

bool is_missing(std::string_view s) {
  if (s.empty()) return true;
  if (s.size() > 4) return false;
  char low[4] = {};
  for (size_t k = 0; k < s.size(); ++k) low[k] = static_cast<char>(std::tolower(static_cast<unsigned char>(s[k])));
  const std::string_view word(low, s.size());
  return word == "nan" || word == "na" || word == "null" || word == "-nan" || word == "n/a";
}

std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r')) s.remove_suffix(1);
  return s;
}

// Fields of one line; a quoted field may hold separators.
void split(std::string_view line, char separator, std::vector<std::string_view>& fields) {
  fields.clear();
  size_t at = 0;
  for (;;) {
    size_t start = at;
    while (start < line.size() && line[start] == ' ') ++start;
    if (start < line.size() && line[start] == '"') {
      size_t close = line.find('"', start + 1);
      if (close == std::string_view::npos) close = line.size();
      fields.push_back(line.substr(start + 1, close - start - 1));
      at = line.find(separator, std::min(close + 1, line.size()));
    } else {
      const size_t end = line.find(separator, at);
      fields.push_back(trim(line.substr(at, end == std::string_view::npos ? end : end - at)));
      at = end;
    }
    if (at == std::string_view::npos) return;
    ++at;
  }
}

bool next_line(std::string_view& text, std::string_view& line) {
  if (text.empty()) return false;
  const size_t end = text.find('\n');
  line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return true;
}

struct Style {
  char separator = ',', decimal = '.';
};

// Tab, then semicolon, then comma; with another separator a comma inside a number is a decimal comma.
Style guess_style(std::string_view text) {
  std::string_view line, sample = text.substr(0, std::min<size_t>(text.size(), 65536));
  Style style;
  if (sample.find('\t') != std::string_view::npos)
    style.separator = '\t';
  else if (sample.find(';') != std::string_view::npos)
    style.separator = ';';
  else if (sample.find(',') == std::string_view::npos &&
           trim(sample.substr(0, sample.find('\n'))).find(' ') != std::string_view::npos)
    style.separator = ' ';
  if (style.separator == ',') return style;
  std::vector<std::string_view> fields;
  for (int k = 0; k < 50 && next_line(sample, line); ++k) {
    split(line, style.separator, fields);
    for (std::string_view f : fields) {
      double v;
      if (f.find(',') != std::string_view::npos && parse_number(f, ',', v)) style.decimal = ',';
    }
  }
  return style;
}

// A row of `width` fields, the first a name if `named`, none in quotes, appended to the table. False: it is not like
// this, nothing was appended, and the row is to be read field by field.
bool plain_row(std::string_view line, Style style, int64_t width, bool named, Table& table, Pieces& values) {
  const size_t before = values.size();
  const char *p = line.data(), *end = p + line.size();
  std::string_view name;
  if (named) {
    const size_t at = line.find(style.separator);
    if (at == std::string_view::npos || line.find('"') < at) return false;
    name = trim(line.substr(0, at));
    p += at + 1;
  }
  const auto give_up = [&] {
    values.shorten(before);
    return false;
  };
  for (int64_t left = width - (named ? 1 : 0); left > 0; --left) {
    while (p < end && *p == ' ') ++p;
    double v = std::nan("");
    const char* after = scan_number(p, end, style.decimal, v);
    while (after != nullptr && after < end && *after == ' ') ++after;
    if (after == nullptr || (after < end && *after != style.separator)) {
      const void* at = p < end ? std::memchr(p, style.separator, static_cast<size_t>(end - p)) : nullptr;
      after = at != nullptr ? static_cast<const char*>(at) : end;
      if (!is_missing(trim({p, static_cast<size_t>(after - p)}))) return give_up();
      v = std::nan("");
    } else if (!std::isfinite(v)) {
      return give_up();
    }
    values.push_back(v);
    if ((after == end) != (left == 1)) return give_up();
    p = after + 1;
  }
  if (named) table.row_names.emplace_back(name);
  return true;
}

}  // namespace

Result<CsvTable> read_csv_pieces(std::string_view text, std::string_view file_name, const Progress& progress) {
  const std::string file(file_name);
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return Error{file, "is empty; give a table of numbers, one row per line"};
  if (text.find('\0') != std::string_view::npos)
    return Error{file, "is not text (it holds zero bytes); CSV, NPY, NPZ and MATLAB (.mat) files are read"};
  const Style style = guess_style(text);
  CsvTable csv;
  Table& table = csv.table;
  Pieces& values = csv.values;
  std::vector<std::string_view> fields;
  std::string_view line;
  constexpr size_t told_every = size_t{1} << 16;  // bytes
  const size_t size = text.size();
  size_t tell_at = size;  // of the text that is left
  int64_t number = 0, width = -1;
  bool row_labels = false, decided = false;
  const auto numeric = [&](std::string_view f) {
    double v;
    return is_missing(f) || parse_number(f, style.decimal, v) || f == "Inf" || f == "-Inf" || f == "inf" || f == "-inf";
  };
  std::vector<std::string> header;
  while (next_line(text, line)) {
    ++number;
    if (text.size() <= tell_at) {
      if (!progress.at(size - text.size(), size)) return cancelled(file);
      tell_at = text.size() - std::min(told_every, text.size());
    }
    if (trim(line).empty()) continue;
    if (decided && style.separator != ' ' && plain_row(line, style, width, row_labels, table, values)) {
      ++table.rows;
      continue;
    }
    split(line, style.separator, fields);
    if (style.separator == ' ')
      fields.erase(std::remove(fields.begin(), fields.end(), std::string_view()), fields.end());
    if (width < 0) {
      width = static_cast<int64_t>(fields.size());
      // A header: a first line with a field that is neither a number nor missing, beyond a first column of names.
      bool words = false;
      for (size_t k = fields.size() > 1 ? 1 : 0; k < fields.size(); ++k) words = words || !numeric(fields[k]);
      if (words) {
        for (std::string_view f : fields) header.emplace_back(f);
        continue;
      }
    }
    if (!decided) {
      row_labels = fields.size() > 1 && !numeric(fields[0]);
      // A header may lack a name for the column of row names.
      if (!header.empty() && static_cast<int64_t>(fields.size()) == width + 1 && row_labels) {
        header.insert(header.begin(), "");
        ++width;
      }
      decided = true;
      const auto lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) + 2;
      values = Pieces(std::min(lines * fields.size(), text.size() + fields.size() + 1));
    }
    if (static_cast<int64_t>(fields.size()) != width)
      return Error{file, "line " + std::to_string(number) + " has " + std::to_string(fields.size()) +
                             " fields where the first line has " + std::to_string(width) +
                             "; every line needs the same number"};
    for (size_t k = 0; k < fields.size(); ++k) {
      if (k == 0 && row_labels) {
        table.row_names.emplace_back(fields[0]);
        continue;
      }
      double v = std::nan("");
      const bool read = parse_number(fields[k], style.decimal, v);
      if (!(read ? std::isfinite(v) : is_missing(fields[k]))) {
        const std::string low(fields[k].substr(0, 40));
        const bool infinite = low == "Inf" || low == "-Inf" || low == "inf" || low == "-inf";
        const char* what = read ? "is beyond what a number can hold; leave the field empty where a value is missing"
                           : infinite ? "is infinite; leave the field empty where a value is missing"
                                      : "is not a number; remove it, or leave the field empty where a value is missing";
        const std::string where = "line " + std::to_string(number) + ", column " + std::to_string(k + 1);
        return Error{file, where + (read ? " " : ": '" + low + "' ") + what};
      }
      values.push_back(v);
    }
    ++table.rows;
  }
  table.cols = width - (row_labels ? 1 : 0);
  if (table.rows == 0) return Error{file, "has a header but no rows of numbers below it"};
  if (!header.empty()) table.column_names.assign(header.begin() + (row_labels ? 1 : 0), header.end());
  table.format = std::string("CSV, separator ") +
                 (style.separator == '\t'  ? "tab"
                  : style.separator == ' ' ? "space"
                                           : std::string("'") + style.separator + "'") +
                 (style.decimal == ',' ? ", decimal comma" : "");
  return csv;
}

Result<Table> read_csv(std::string_view text, std::string_view file_name, const Progress& progress) {
  Result<CsvTable> csv = read_csv_pieces(text, file_name, progress);
  if (!csv) return csv.error();
  csv->table.values = csv->values.joined();
  return std::move(csv->table);
}

}  // namespace dalea
