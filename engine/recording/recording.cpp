#include "recording/recording.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <set>

#include "recording/arrays.h"
#include "recording/bundle.h"
#include "recording/cell_table.h"
#include "recording/csv_pieces.h"
#include "recording/hdf5.h"
#include "recording/long_table.h"
#include "recording/nwb.h"
#include "recording/smoothing.h"
#include "recording/suite2p.h"

namespace dalea {
namespace {

std::string lower(std::string s) {
  for (char& c : s) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return s;
}

std::string short_number(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", v);
  return text;
}

bool is_time_name(const std::string& name) {
  static const std::set<std::string> names{"t",       "time",     "time_s",   "times", "timestamp", "timestamps",
                                           "seconds", "time (s)", "time_sec", "frame", "frames"};
  return names.count(lower(name)) != 0;
}

// The table turned so that rows are frames.
struct Oriented {
  int64_t frames = 0, units = 0;
  std::vector<std::string> names;
  bool named = false;
  std::string orientation, reason;
};

Oriented orient(const Table& t, const RecordingSpec& spec) {
  Oriented o;
  bool time_by_unit = true;
  if (spec.orientation != "auto") {
    time_by_unit = spec.orientation == "time-by-unit";
    o.reason = "stated";
  } else if (!t.orientation.empty()) {
    time_by_unit = t.orientation == "time-by-unit";
    o.reason = t.orientation_reason;
  } else if (!t.column_names.empty()) {
    o.reason = "the columns are named, so they are units";
  } else if (!t.row_names.empty()) {
    time_by_unit = false;
    o.reason = "the rows are named, so they are units";
  } else {
    time_by_unit = t.rows >= t.cols;
    o.reason = std::string("the ") + (time_by_unit ? "rows" : "columns") + " are more (" +
               std::to_string(std::max(t.rows, t.cols)) + " against " + std::to_string(std::min(t.rows, t.cols)) +
               "), so they are frames; state recording.orientation if not";
  }
  o.orientation = time_by_unit ? "time-by-unit" : "unit-by-time";
  o.frames = time_by_unit ? t.rows : t.cols;
  o.units = time_by_unit ? t.cols : t.rows;
  const std::vector<std::string>& names = time_by_unit ? t.column_names : t.row_names;
  o.named = !names.empty();
  for (int64_t u = 0; u < o.units; ++u)
    o.names.push_back(o.named && !names[u].empty() ? names[u] : "unit " + std::to_string(u));
  return o;
}

// A unit by its name or its 0-based index.
Result<int64_t> find_unit(const Oriented& o, const std::string& key, const std::string& path) {
  for (int64_t u = 0; u < o.units; ++u)
    if (o.names[u] == key) return u;
  if (!key.empty() && key.size() < 10 && key.find_first_not_of("0123456789") == std::string::npos) {
    const int64_t u = std::stoll(key);
    if (u < o.units) return u;
  }
  for (int64_t u = 0; u < o.units; ++u)
    if (lower(o.names[u]) == lower(key))
      return Error{path, "'" + key + "' is not a unit of the recording; did you mean '" + o.names[u] + "'?"};
  std::string some;
  for (int64_t u = 0; u < std::min<int64_t>(o.units, 5); ++u) some += (u > 0 ? ", " : "") + o.names[u];
  return Error{path, "'" + key + "' is not a unit of the recording; its " + std::to_string(o.units) + " units are " +
                         some + (o.units > 5 ? ", ..." : "") + " (or give a 0-based index)"};
}

// What a file turned out to be, kept while it is read and listed.
struct OpenedFile {
  std::optional<Hdf5> hdf5;
  std::optional<ArrayList> arrays;  // once they are known
  std::optional<Error> no_table;    // why a CSV is none
  Pieces pieces;                    // the numbers of a CSV, instead of Table::values
  bool in_pieces = false;
};

// Read by what knows most of it: an NWB file, a long table, else a matrix.
Result<Table> read_known(std::span<const std::byte> bytes, std::string_view file_name, const RecordingSpec& spec,
                         OpenedFile& opened, const Progress& progress) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (is_hdf5(bytes)) {
    Result<Hdf5> file = Hdf5::open(bytes, file_name);
    if (!file) return file.error();
    opened.hdf5 = std::move(*file);
    if (is_nwb(*opened.hdf5) && (spec.array.empty() || nwb_reads(*opened.hdf5, spec.array)))
      return read_nwb(*opened.hdf5, file_name, spec.array, spec.bin_s, progress);
  } else if (spec.array.empty() && is_long_table(text)) {
    return read_long_table(text, file_name, spec, progress);
  }
  for (const auto& [path, value] :
       {std::pair("recording.condition", spec.condition), {"recording.series", spec.series}})
    if (!value.empty())
      return Error{path, "is '" + value + "', but " + std::string(file_name) +
                             " is no long table (a value a row: time_s, unit, value, condition); leave it empty"};
  if (opened.hdf5) {
    opened.arrays = list_hdf5_file(*opened.hdf5, bytes);
    return read_hdf5_table(*opened.hdf5, bytes, *opened.arrays, file_name, spec.array, progress);
  }
  if (!is_plain_csv(bytes, file_name) || !spec.array.empty()) return read_table(bytes, file_name, spec.array, progress);
  Result<CsvTable> csv = read_csv_pieces(text, file_name, progress);
  if (!csv) {
    opened.no_table = csv.error();
    return csv.error();
  }
  opened.in_pieces = true;
  opened.pieces = std::move(csv->values);
  opened.arrays = ArrayList();
  opened.arrays->format = "CSV";
  opened.arrays->arrays = {{"", "table", {csv->table.rows, csv->table.cols}, ""}};
  opened.arrays->suggested = 0;
  opened.arrays->reason = "the only array in the file";
  return std::move(csv->table);
}

// What is found in a unit's values, frame after frame.
struct UnitSeen {
  int64_t present = 0, beyond = -1;  // values that are no NaN; the first frame beyond single precision
  double first = 0;
  bool constant = true;
  uint64_t hash = 0;  // of all values, to find the same trace again
};

void see(UnitSeen& s, double v, int64_t frame) {
  uint64_t bits = 0;
  if (!std::isnan(v) && v != 0) std::memcpy(&bits, &v, sizeof bits);
  s.hash = (s.hash ^ bits) * 0x9E3779B97F4A7C15u;
  s.hash ^= s.hash >> 29;
  if (std::isnan(v)) return;
  if (s.present++ == 0) s.first = v;
  s.constant = s.constant && v == s.first;
  if (std::abs(v) > 3e38 && s.beyond < 0) s.beyond = frame;
}

// The numbers of a table that is kept.
struct WholeNumbers {
  const std::vector<double>& values;
  double operator[](size_t k) const { return values[k]; }
  void forget_before(size_t) {}
  std::vector<std::vector<float>> as_floats() { return {}; }
};

constexpr int64_t told_every_values = 1 << 18;

// `numbers`: the table's, row-major; let go while they become the recording's, where they can be.
template <class Numbers>
Result<Recording> recording_of(const Table& table, Numbers& numbers, const RecordingSpec& spec,
                               std::string_view file_name, const Progress& progress) {
  const Oriented o = orient(table, spec);
  Recording r;
  r.frames = o.frames;
  r.source = file_name;
  r.format = table.format;
  r.array = table.array;
  r.array_reason = table.array_reason;
  r.orientation = o.orientation;
  r.orientation_reason = o.reason;
  r.rate_hz = spec.rate_hz > 0 ? spec.rate_hz : table.rate_hz;
  r.kind = table.kind.empty() ? "table" : table.kind;
  r.dropped = table.dropped;
  r.notes = table.notes;
  if (spec.rate_hz > 0 && table.rate_hz > 0 && std::abs(table.rate_hz / spec.rate_hz - 1) > 1e-3)
    r.notes.push_back("the sampling rate is stated as " + short_number(spec.rate_hz) + " Hz; the file says " +
                      short_number(table.rate_hz) + " Hz");
  const bool by_time = o.orientation == "time-by-unit";
  const auto value = [&](int64_t frame, int64_t unit) {
    return numbers[static_cast<size_t>(by_time ? frame * table.cols + unit : unit * table.cols + frame)];
  };

  std::vector<uint8_t> wanted(static_cast<size_t>(o.units), spec.columns.empty() ? 1 : 0);
  for (size_t k = 0; k < spec.columns.size(); ++k) {
    Result<int64_t> u = find_unit(o, spec.columns[k], "recording.columns[" + std::to_string(k) + "]");
    if (!u) return u.error();
    wanted[*u] = 1;
  }
  for (int64_t u = 0; u < o.units; ++u)
    if (wanted[u] == 0) r.dropped.push_back({o.names[u], "not among recording.columns"});
  for (size_t k = 0; k < spec.exclude.size(); ++k) {
    Result<int64_t> u = find_unit(o, spec.exclude[k], "recording.exclude[" + std::to_string(k) + "]");
    if (!u) return u.error();
    if (wanted[*u] != 0) r.dropped.push_back({o.names[*u], "excluded"});
    wanted[*u] = 0;
  }

  // In the order of memory.
  std::vector<UnitSeen> seen(static_cast<size_t>(o.units));
  const int64_t rows_at_once = std::max<int64_t>(1, told_every_values / std::max<int64_t>(1, table.cols));
  for (int64_t row = 0; row < table.rows; ++row) {
    if (row % rows_at_once == 0 && !progress.at(0.6 * static_cast<double>(row) / static_cast<double>(table.rows)))
      return cancelled(file_name);
    const auto begin = static_cast<size_t>(row * table.cols);
    for (int64_t col = 0; col < table.cols; ++col)
      see(seen[by_time ? col : row], numbers[begin + static_cast<size_t>(col)], by_time ? row : col);
  }

  std::vector<int64_t> kept;
  std::multimap<uint64_t, int64_t> alike;  // by their hash
  for (int64_t u = 0; u < o.units; ++u) {
    if (o.named && is_time_name(o.names[u])) {
      bool increasing = o.frames > 1;
      for (int64_t f = 1; increasing && f < o.frames; ++f) increasing = value(f, u) > value(f - 1, u);
      if (increasing) {
        std::vector<double> steps;
        for (int64_t f = 1; f < o.frames; ++f) steps.push_back(value(f, u) - value(f - 1, u));
        std::nth_element(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2), steps.end());
        const double step = steps[steps.size() / 2];
        const bool counts = lower(o.names[u]).substr(0, 5) == "frame";
        if (r.rate_hz == 0 && !counts && step > 0) r.rate_hz = 1 / step;
        if (!counts) r.start_s = value(0, u);
        if (wanted[u] != 0)
          r.dropped.push_back(
              {o.names[u], counts ? "frame numbers" : "time column, median step " + short_number(step) + " s"});
        wanted[u] = 0;
      }
    }
    if (wanted[u] == 0) continue;
    const auto same = [&](int64_t other) {
      for (int64_t f = 0; f < o.frames; ++f) {
        const double a = value(f, u), b = value(f, other);
        if (a != b && !(std::isnan(a) && std::isnan(b))) return false;
      }
      return true;
    };
    if (seen[u].present == 0)
      r.dropped.push_back({o.names[u], "every value is missing"});
    else if (seen[u].constant)
      r.dropped.push_back({o.names[u], "constant"});
    else {
      auto [it, end] = alike.equal_range(seen[u].hash);
      for (int tried = 0; it != end && tried < 4 && !same(it->second); ++tried) ++it;
      if (it != end && same(it->second)) {
        r.dropped.push_back({o.names[u], "the same values as " + o.names[it->second]});
      } else {
        alike.emplace(seen[u].hash, u);
        kept.push_back(u);
      }
    }
  }
  if (kept.empty())
    return Error{std::string(file_name), "has no unit left to train on: " + std::to_string(r.dropped.size()) +
                                             " dropped (" +
                                             (r.dropped.empty() ? "" : r.dropped[0].unit + ": " + r.dropped[0].reason) +
                                             "); give a matrix of time x units that varies"};
  r.units = static_cast<int64_t>(kept.size());
  const int64_t* beyond = nullptr;  // the first value beyond single precision: its unit
  for (const int64_t& u : kept) {
    r.names.push_back(o.names[u]);
    r.places.push_back(static_cast<int64_t>(table.places.size()) == o.units ? table.places[u] : u);
    r.missing += o.frames - seen[u].present;
    if (seen[u].beyond >= 0 && (beyond == nullptr || seen[u].beyond < seen[*beyond].beyond)) beyond = &u;
  }
  if (beyond != nullptr)
    return Error{std::string(file_name), "unit " + o.names[*beyond] + ", frame " +
                                             std::to_string(seen[*beyond].beyond) +
                                             " is beyond single precision; rescale it"};

  r.values.reserve(static_cast<size_t>(r.frames * r.units));  // touched as it fills
  const int64_t frames_at_once = std::max<int64_t>(1, told_every_values / r.units);
  // Rows of units have to be turned: what is let go first is their second half of precision.
  const std::vector<std::vector<float>> floats = by_time ? std::vector<std::vector<float>>() : numbers.as_floats();
  for (int64_t f = 0; f < r.frames; ++f) {
    if (f % frames_at_once == 0) {
      if (!progress.at(0.6 + 0.4 * static_cast<double>(f) / static_cast<double>(r.frames))) return cancelled(file_name);
      if (by_time) numbers.forget_before(static_cast<size_t>(f * table.cols));
    }
    for (const int64_t u : kept) {
      if (floats.empty()) {
        r.values.push_back(static_cast<float>(value(f, u)));
      } else {
        const auto k = static_cast<size_t>(u * table.cols + f);
        r.values.push_back(floats[k / Pieces::each][k % Pieces::each]);
      }
    }
  }
  return r;
}

// `list`, where it is asked for: its arrays.
Result<Recording> read_opened(std::span<const std::byte> bytes, std::string_view file_name, const RecordingSpec& spec,
                              std::optional<Result<ArrayList>>* list, const Progress& progress) {
  const std::string sha = sha256_hex(bytes, progress.part(0, 0.1));
  if (sha.empty()) return cancelled(file_name);
  if (!spec.sha256.empty() && spec.sha256 != sha)
    return Error{std::string(file_name), "is another file than the experiment was made with: its SHA-256 is " + sha +
                                             ", not " + spec.sha256 + "; give that file, or empty recording.sha256"};
  const bool bundled = is_bundle(bytes);
  const std::string file(file_name);
  Bundle bundle;
  if (bundled) {
    Result<Bundle> unpacked = open_bundle(bytes, file_name, progress.part(0.1, 0.25));
    if (!unpacked) return unpacked.error();
    bundle = std::move(*unpacked);
  }
  OpenedFile opened;
  const Progress reading = progress.part(bundled ? 0.25 : 0.1, 0.8);
  Result<Table> table = !bundled ? read_known(bytes, file_name, spec, opened, reading)
                        : bundle.suite2p.empty()
                            ? read_known(bundle.data, file + "/" + bundle.data_name, spec, opened, reading)
                        : spec.array.empty() ? read_suite2p(bundle.suite2p, file_name, spec, reading)
                                             : read_table(bytes, file_name, spec.array, reading);
  if (list != nullptr) {
    const std::span<const std::byte> data = bundled ? std::span<const std::byte>(bundle.data) : bytes;
    if (opened.arrays)
      *list = std::move(*opened.arrays);
    else if (opened.hdf5)
      *list = list_hdf5_file(*opened.hdf5, data);
    else if (opened.no_table)
      *list = *opened.no_table;
    else if (bundled && bundle.suite2p.empty() && !is_bundle(data))
      *list = list_arrays(data, file + "/" + bundle.data_name);
  }
  opened.hdf5.reset();
  bundle.data = {};
  bundle.suite2p = {};
  if (!table) return table.error();
  const Progress making = progress.part(0.8, 1);
  Result<Recording> recording = opened.in_pieces ? recording_of(*table, opened.pieces, spec, file_name, making)
                                                 : make_recording(*table, spec, file_name, making);
  if (!recording) return recording;
  recording->sha256 = sha;
  recording->events_csv = std::move(bundle.events_csv);
  if (!bundle.cells_csv.empty())
    if (Status s = join_cells(bundle.cells_csv, "cells.csv", *recording); !s) return s.error();
  if (spec.average == "populations")
    if (Status s = average_populations(*recording); !s) return s.error();
  return recording;
}

}  // namespace

Result<Recording> make_recording(const Table& table, const RecordingSpec& spec, std::string_view file_name,
                                 const Progress& progress) {
  WholeNumbers numbers{table.values};
  return recording_of(table, numbers, spec, file_name, progress);
}

Result<Recording> read_recording(std::span<const std::byte> bytes, std::string_view file_name,
                                 const RecordingSpec& spec, const Progress& progress) {
  return read_opened(bytes, file_name, spec, nullptr, progress);
}

FileContents read_contents(std::span<const std::byte> bytes, std::string_view file_name, const RecordingSpec& spec,
                           const Progress& progress) {
  std::optional<Result<ArrayList>> list;
  Result<Recording> recording = read_opened(bytes, file_name, spec, &list, progress.part(0, 0.95));
  if (!list) list = list_arrays(bytes, file_name, progress.part(0.95, 1));
  return {std::move(*list), std::move(recording)};
}

Result<Parts> split_in_time(const Recording& r, const RecordingSpec& spec, int64_t window) {
  Parts p;
  p.train_end = static_cast<int64_t>(std::floor(static_cast<double>(r.frames) * spec.train_fraction + 1e-9));
  p.validation_end = static_cast<int64_t>(
      std::floor(static_cast<double>(r.frames) * (spec.train_fraction + spec.validation_fraction) + 1e-9));
  const Reach reach = smoothing_reach(spec);
  p.validation_begin = p.train_end + reach.before;
  p.held_out_begin = p.validation_end + reach.before;
  p.train_end -= reach.after;
  p.validation_end -= reach.after;
  const int64_t length[] = {p.train_end, p.validation_end - p.validation_begin, r.frames - p.held_out_begin};
  const int64_t shortest = *std::min_element(length, length + 3);
  const std::string gaps =
      reach.before == 0 ? ""
                        : " with gaps of " + std::to_string(reach.before + reach.after) + " frames for the smoothing";
  if (shortest < window + 1)
    return Error{"task.steps", "is " + std::to_string(window) + ", but the " + std::to_string(r.frames) +
                                   " frames split into parts of " + std::to_string(length[0]) + ", " +
                                   std::to_string(length[1]) + " and " + std::to_string(length[2]) + gaps +
                                   "; a part needs one frame more than a window: give at most " +
                                   std::to_string(std::max<int64_t>(0, shortest - 1)) + " steps or a longer recording" +
                                   (gaps.empty() ? "" : ", or smooth less")};
  return p;
}

Scaling fit_scaling(const Recording& r, const Parts& parts, const RecordingSpec& spec) {
  Scaling s;
  s.mean.assign(static_cast<size_t>(r.units), 0);
  s.sd.assign(static_cast<size_t>(r.units), 1);
  if (spec.scale == "none") return s;
  for (int64_t u = 0; u < r.units; ++u) {
    double sum = 0, square = 0;
    int64_t n = 0;
    for (int64_t f = 0; f < parts.train_end; ++f) {
      const double v = static_cast<double>(r.values[f * r.units + u]);
      if (std::isnan(v)) continue;
      sum += v;
      ++n;
    }
    if (n == 0) continue;
    s.mean[u] = sum / static_cast<double>(n);
    for (int64_t f = 0; f < parts.train_end; ++f) {
      const double v = static_cast<double>(r.values[f * r.units + u]) - s.mean[u];
      if (!std::isnan(v)) square += v * v;
    }
    const double sd = std::sqrt(square / static_cast<double>(n));
    if (sd > 1e-12 * std::abs(s.mean[u]) && sd > 0) s.sd[u] = sd;
  }
  return s;
}

std::vector<float> scaled_values(const Recording& r, const Scaling& s, const std::vector<int64_t>& afresh) {
  std::vector<float> out(r.values.size());
  for (int64_t u = 0; u < r.units; ++u) {
    float last = 0;  // the training part's mean, before the first value
    auto next = afresh.begin();
    for (int64_t f = 0; f < r.frames; ++f) {
      if (next != afresh.end() && f == *next) {
        last = 0;
        ++next;
      }
      const float v = r.values[f * r.units + u];
      if (!std::isnan(v)) last = static_cast<float>((static_cast<double>(v) - s.mean[u]) / s.sd[u]);
      out[f * r.units + u] = last;
    }
  }
  return out;
}

}  // namespace dalea
