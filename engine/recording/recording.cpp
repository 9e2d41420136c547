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

// Read by what knows most of it: an NWB file, a long table, else a matrix.
Result<Table> read_known(std::span<const std::byte> bytes, std::string_view file_name, const RecordingSpec& spec) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::optional<Hdf5> hdf5;
  if (is_hdf5(bytes)) {
    Result<Hdf5> file = Hdf5::open(bytes, file_name);
    if (!file) return file.error();
    if (is_nwb(*file) && (spec.array.empty() || nwb_reads(*file, spec.array)))
      return read_nwb(*file, file_name, spec.array, spec.bin_s);
    hdf5 = std::move(*file);
  } else if (spec.array.empty() && is_long_table(text)) {
    return read_long_table(text, file_name, spec);
  }
  for (const auto& [path, value] :
       {std::pair("recording.condition", spec.condition), {"recording.series", spec.series}})
    if (!value.empty())
      return Error{path, "is '" + value + "', but " + std::string(file_name) +
                             " is no long table (a value a row: time_s, unit, value, condition); leave it empty"};
  return hdf5 ? read_hdf5_table(*hdf5, bytes, file_name, spec.array) : read_table(bytes, file_name, spec.array);
}

}  // namespace

Result<Recording> make_recording(const Table& table, const RecordingSpec& spec, std::string_view file_name) {
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
    return by_time ? table.values[frame * table.cols + unit] : table.values[unit * table.cols + frame];
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

  std::vector<int64_t> kept;
  std::multimap<uint64_t, int64_t> alike;  // by a hash of the values, to find the same trace again
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
    int64_t present = 0;
    bool constant = true;
    double first = 0;
    uint64_t hash = 0;
    for (int64_t f = 0; f < o.frames; ++f) {
      const double v = value(f, u);
      uint64_t bits = 0;
      if (!std::isnan(v) && v != 0) std::memcpy(&bits, &v, sizeof bits);
      hash = (hash ^ bits) * 0x9E3779B97F4A7C15u;
      hash ^= hash >> 29;
      if (std::isnan(v)) continue;
      if (present++ == 0) first = v;
      constant = constant && v == first;
    }
    const auto same = [&](int64_t other) {
      for (int64_t f = 0; f < o.frames; ++f) {
        const double a = value(f, u), b = value(f, other);
        if (a != b && !(std::isnan(a) && std::isnan(b))) return false;
      }
      return true;
    };
    if (present == 0)
      r.dropped.push_back({o.names[u], "every value is missing"});
    else if (constant)
      r.dropped.push_back({o.names[u], "constant"});
    else {
      auto [it, end] = alike.equal_range(hash);
      for (int tried = 0; it != end && tried < 4 && !same(it->second); ++tried) ++it;
      if (it != end && same(it->second)) {
        r.dropped.push_back({o.names[u], "the same values as " + o.names[it->second]});
      } else {
        alike.emplace(hash, u);
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
  for (int64_t u : kept) {
    r.names.push_back(o.names[u]);
    r.places.push_back(static_cast<int64_t>(table.places.size()) == o.units ? table.places[u] : u);
  }
  r.values.resize(static_cast<size_t>(r.frames * r.units));
  for (int64_t f = 0; f < r.frames; ++f)
    for (int64_t k = 0; k < r.units; ++k) {
      const double v = value(f, kept[k]);
      if (std::abs(v) > 3e38)
        return Error{std::string(file_name),
                     "unit " + r.names[k] + ", frame " + std::to_string(f) + " is beyond single precision; rescale it"};
      r.missing += std::isnan(v);
      r.values[f * r.units + k] = static_cast<float>(v);
    }
  return r;
}

Result<Recording> read_recording(std::span<const std::byte> bytes, std::string_view file_name,
                                 const RecordingSpec& spec) {
  const std::string sha = sha256_hex(bytes);
  if (!spec.sha256.empty() && spec.sha256 != sha)
    return Error{std::string(file_name), "is another file than the experiment was made with: its SHA-256 is " + sha +
                                             ", not " + spec.sha256 + "; give that file, or empty recording.sha256"};
  const bool bundled = is_bundle(bytes);
  const std::string file(file_name);
  Bundle bundle;
  if (bundled) {
    Result<Bundle> opened = open_bundle(bytes, file_name);
    if (!opened) return opened.error();
    bundle = std::move(*opened);
  }
  Result<Table> table = !bundled                 ? read_known(bytes, file_name, spec)
                        : bundle.suite2p.empty() ? read_known(bundle.data, file + "/" + bundle.data_name, spec)
                        : spec.array.empty()     ? read_suite2p(bundle.suite2p, file_name, spec)
                                                 : read_table(bytes, file_name, spec.array);
  bundle.data = {};
  bundle.suite2p = {};
  if (!table) return table.error();
  Result<Recording> recording = make_recording(*table, spec, file_name);
  if (!recording) return recording;
  recording->sha256 = sha;
  recording->events_csv = std::move(bundle.events_csv);
  if (!bundle.cells_csv.empty())
    if (Status s = join_cells(bundle.cells_csv, "cells.csv", *recording); !s) return s.error();
  if (spec.average == "populations")
    if (Status s = average_populations(*recording); !s) return s.error();
  return recording;
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
