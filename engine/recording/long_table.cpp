#include "recording/long_table.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "recording/text_rows.h"

namespace dalea {
namespace {

using Names = std::vector<std::string>;

struct LongColumns {
  int64_t time = -1, unit = -1, value = -1, condition = -1, series = -1;
  std::string time_name;
  bool complete() const { return time >= 0 && unit >= 0 && value >= 0; }
};

LongColumns long_columns(const std::vector<std::string_view>& header) {
  LongColumns c;
  c.time = column_named(header, {"time_s", "time", "t", "seconds", "frame"});
  c.unit = column_named(header, {"unit", "neuron", "cell", "roi", "channel", "population"});
  c.value = column_named(header, {"value"});
  c.condition = column_named(header, {"condition"});
  c.series = column_named(header, {"series"});
  if (c.time >= 0) c.time_name = lower_case(header[static_cast<size_t>(c.time)]);
  return c;
}

// Numbers names in order of their appearance.
class Numbered {
 public:
  size_t of(std::string_view name) {
    const auto it = at_.find(name);
    if (it != at_.end()) return it->second;
    names.emplace_back(name);
    at_.emplace(name, names.size() - 1);
    return names.size() - 1;
  }
  Names names;

 private:
  std::map<std::string, size_t, std::less<>> at_;
};

// Tells how far the rows are, about every 64 KiB; false: stop.
class Telling {
 public:
  Telling(const Progress& progress, size_t size) : progress_(progress), size_(size), at_(size) {}
  bool go_on(const TextRows& rows) {
    if (rows.left() > at_) return true;
    at_ = rows.left() - std::min<size_t>(rows.left(), 1 << 16);
    return progress_.at(size_ - rows.left(), size_);
  }

 private:
  const Progress& progress_;
  size_t size_, at_;
};

// Which of a column's values is taken: the stated one, else the only one.
Status pick_value(const std::string& path, const Names& there, const std::string& stated, const std::string& file,
                  std::string& picked) {
  const std::string column = path.substr(path.find('.') + 1);
  picked = stated;
  if (there.empty() && stated.empty()) return {};
  if (there.empty()) return Error{path, "is '" + stated + "', but " + file + " has no column " + column};
  if (stated.empty() && there.size() == 1) picked = there[0];
  if (!picked.empty() && std::find(there.begin(), there.end(), picked) != there.end()) return {};
  if (stated.empty())
    return Error{path, "is not given, and column " + column + " of " + file + " holds " + listed(there, 12) +
                           "; give one of them"};
  const std::string near = closest(stated, there);
  return Error{path, "'" + stated + "' is not in " + file + (near.empty() ? "" : "; did you mean '" + near + "'?") +
                         " It holds " + listed(there, 12)};
}

}  // namespace

bool is_long_table(std::string_view csv) {
  TextRows rows(csv.substr(0, 4096));
  std::vector<std::string_view> header;
  return rows.next(header) && header.size() >= 3 && long_columns(header).complete();
}

LongChoices long_choices(std::string_view csv, const Progress& progress) {
  TextRows rows(csv);
  std::vector<std::string_view> f;
  if (!rows.next(f)) return {};
  const LongColumns c = long_columns(f);
  const auto width = static_cast<int64_t>(f.size());
  Numbered conditions, series;
  Telling telling(progress, csv.size());
  while (telling.go_on(rows) && (c.condition >= 0 || c.series >= 0) && conditions.names.size() < 1000 &&
         series.names.size() < 1000 && rows.next(f)) {
    if (static_cast<int64_t>(f.size()) != width) continue;
    if (c.condition >= 0) conditions.of(f[static_cast<size_t>(c.condition)]);
    if (c.series >= 0) series.of(f[static_cast<size_t>(c.series)]);
  }
  return {std::move(conditions.names), std::move(series.names)};
}

Result<Table> read_long_table(std::string_view csv, std::string_view file_name, const RecordingSpec& spec,
                              const Progress& progress) {
  const std::string file(file_name);
  TextRows rows(csv);
  std::vector<std::string_view> f;
  rows.next(f);
  const Names header(f.begin(), f.end());
  const LongColumns c = long_columns(f);
  if (!c.complete()) return Error{file, "is no long table: it needs columns for a time (time_s), a unit and a value"};
  const Progress looking = progress.part(0, 0.3), reading = progress.part(0.3, 0.9);
  const LongChoices choices = long_choices(csv, looking);
  if (!looking.at(1)) return cancelled(file);
  std::string condition, series;
  if (Status s = pick_value("recording.condition", choices.conditions, spec.condition, file, condition); !s)
    return s.error();
  if (Status s = pick_value("recording.series", choices.series, spec.series, file, series); !s) return s.error();

  struct Place {
    double time, value;
    size_t unit;
    int64_t line;
  };
  std::vector<Place> places;
  Numbered units;
  Telling telling(reading, csv.size());
  while (rows.next(f)) {
    if (!telling.go_on(rows)) return cancelled(file);
    const std::string where = "line " + std::to_string(rows.line());
    if (f.size() != header.size())
      return Error{file, where + " has " + std::to_string(f.size()) + " fields where the header has " +
                             std::to_string(header.size()) + "; every line needs the same number"};
    if (c.condition >= 0 && f[static_cast<size_t>(c.condition)] != condition) continue;
    if (c.series >= 0 && f[static_cast<size_t>(c.series)] != series) continue;
    Place p{0, std::nan(""), 0, rows.line()};
    if (!rows.number(f[static_cast<size_t>(c.time)], p.time))
      return Error{file, where + ": the time '" + std::string(f[static_cast<size_t>(c.time)].substr(0, 40)) +
                             "' is not a number"};
    const std::string_view value = f[static_cast<size_t>(c.value)];
    const std::string low = lower_case(value.substr(0, 5));
    if (!rows.number(value, p.value) && !low.empty() && low != "nan" && low != "na" && low != "null")
      return Error{file, where + ": the value '" + std::string(value.substr(0, 40)) +
                             "' is not a number; leave it empty where it is missing"};
    p.unit = units.of(f[static_cast<size_t>(c.unit)]);
    places.push_back(p);
  }
  if (places.empty()) return Error{file, "has no rows below its header"};

  std::vector<double> times;
  for (const Place& p : places) times.push_back(p.time);
  std::sort(times.begin(), times.end());
  times.erase(std::unique(times.begin(), times.end()), times.end());
  Table table;
  table.rows = static_cast<int64_t>(times.size());
  table.cols = static_cast<int64_t>(units.names.size());
  const double room = static_cast<double>(table.rows) * static_cast<double>(table.cols);
  if (room > 16.0 * static_cast<double>(places.size()) + 65536)
    return Error{file, "gives " + std::to_string(places.size()) + " values for " + std::to_string(table.rows) +
                           " times and " + std::to_string(table.cols) +
                           " units: most places are empty. Give the units the same times, rounded alike"};
  std::vector<int64_t> given(static_cast<size_t>(room), 0);  // line
  table.values.assign(static_cast<size_t>(room), std::nan(""));
  for (const Place& p : places) {
    const auto row = static_cast<size_t>(std::lower_bound(times.begin(), times.end(), p.time) - times.begin());
    const size_t at = row * units.names.size() + p.unit;
    if (given[at] != 0) {
      Names others;
      for (size_t k = 0; k < header.size(); ++k) {
        const auto column = static_cast<int64_t>(k);
        if (column != c.time && column != c.unit && column != c.value && column != c.condition && column != c.series)
          others.push_back("'" + header[k] + "'");
      }
      return Error{file, "lines " + std::to_string(given[at]) + " and " + std::to_string(p.line) +
                             " both give a value for unit " + units.names[p.unit] + " at one time" +
                             (others.empty() ? "; give one"
                                             : "; column " + listed(others) +
                                                   " may tell them apart: keep the rows of one, or call it condition")};
    }
    given[at] = p.line;
    table.values[at] = p.value;
  }

  bool whole = times.size() > 1;
  std::vector<double> steps;
  for (size_t k = 1; k < times.size(); ++k) {
    steps.push_back(times[k] - times[k - 1]);
    whole = whole && steps.back() == 1;
  }
  const bool counts = c.time_name == "frame" || (c.time_name == "t" && whole && times[0] == std::floor(times[0]));
  if (counts) {
    table.notes.push_back("column " + c.time_name + " counts frames, so the sampling rate is not in the file");
  } else if (!steps.empty()) {
    const auto middle = steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2);
    std::nth_element(steps.begin(), middle, steps.end());
    table.rate_hz = 1 / *middle;
  }
  const auto absent = static_cast<size_t>(std::count(given.begin(), given.end(), 0));
  if (absent > 0) table.notes.push_back(std::to_string(absent) + " places without a row are missing values");
  if (c.condition >= 0) table.notes.push_back("condition " + condition + " of " + listed(choices.conditions, 12));
  if (c.series >= 0) table.notes.push_back("series " + series + " of " + listed(choices.series, 12));
  table.kind = "long table";
  table.column_names = std::move(units.names);
  table.orientation = "time-by-unit";
  table.orientation_reason = "every row says its time and its unit";
  table.format = std::string("CSV, separator ") +
                 (rows.separator() == '\t' ? "tab" : std::string("'") + rows.separator() + "'") +
                 ", a value a row: column " + header[static_cast<size_t>(c.time)] + " is time, " +
                 header[static_cast<size_t>(c.unit)] + " the unit";
  return table;
}

}  // namespace dalea
