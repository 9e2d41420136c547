#include "recording/nwb.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace dalea {
namespace {

constexpr double most_bins = 1 << 25;  // in all units: 256 MiB of counts

std::string text_attribute(const Hdf5& file, const std::string& path, const char* name) {
  const Result<Hdf5::Attribute> a = file.attribute(path, name);
  return a && a->found && !a->values.texts.empty() ? a->values.texts[0] : std::string();
}

double number_attribute(const Hdf5& file, const std::string& path, const char* name, double otherwise) {
  const Result<Hdf5::Attribute> a = file.attribute(path, name);
  return a && a->found && !a->values.numbers.empty() && std::isfinite(a->values.numbers[0]) ? a->values.numbers[0]
                                                                                            : otherwise;
}

bool has_numbers(const Hdf5& file, const std::string& path) {
  const Hdf5Object* o = file.find(path);
  return o != nullptr && !o->group && o->unusable.empty();
}

std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

std::string short_text(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", v);
  return text;
}

bool is_series(const Hdf5& file, const Hdf5Object& o) {
  return o.group && o.path.size() > 1 && text_attribute(file, o.path, "neurodata_type") == "RoiResponseSeries" &&
         has_numbers(file, o.path + "/data");
}

// The source that a name means; empty: none.
std::string source_named(const Hdf5& file, const std::vector<NwbSource>& sources, const std::string& name) {
  if (name.empty()) return sources.empty() ? std::string() : sources[0].array;
  const std::string path = name[0] == '/' ? name : "/" + name;
  for (const NwbSource& s : sources)
    if (s.array == path || s.array == path + "/data") return s.array;
  std::string found;
  for (const NwbSource& s : sources) {
    const std::string group = parent_of(s.array), parent = parent_of(group);
    for (const std::string& of : {group, parent})
      if (of.substr(of.rfind('/')) == path) {
        if (!found.empty()) return {};
        found = s.array;
        break;
      }
  }
  if (!found.empty()) return found;
  // A time series of another kind has a rate too.
  for (const std::string& data : {path, path + "/data"}) {
    const Hdf5Object* o = file.find(data);
    const bool ends = data.size() > 5 && data.substr(data.size() - 5) == "/data";
    const std::string group = parent_of(data);
    if (ends && o != nullptr && !o->group && o->unusable.empty() && (o->shape.size() == 1 || o->shape.size() == 2) &&
        (file.find(group + "/starting_time") != nullptr || file.find(group + "/timestamps") != nullptr))
      return data;
  }
  return {};
}

// "roi 12" by the ids of the plane's segmentation, where there is one that the rows fit.
std::vector<std::string> roi_names(const Hdf5& file, const std::string& group, size_t rois) {
  std::vector<std::string> names;
  std::vector<double> rows;
  if (has_numbers(file, group + "/rois"))
    if (Result<Hdf5Values> read = file.read(group + "/rois"); read && read->numbers.size() == rois)
      rows = read->numbers;
  std::vector<double> ids;
  int planes = 0;
  for (const Hdf5Object& o : file.objects()) {
    if (!o.group || !has_numbers(file, o.path + "/id")) continue;
    if (text_attribute(file, o.path, "neurodata_type") != "PlaneSegmentation" || ++planes > 1) continue;
    if (Result<Hdf5Values> read = file.read(o.path + "/id"); read) ids = read->numbers;
  }
  if (planes != 1 || (rows.empty() && ids.size() != rois)) ids.clear();
  for (size_t k = 0; k < rois; ++k) {
    double id = rows.empty() ? static_cast<double>(k) : rows[k];
    if (id >= 0 && id < static_cast<double>(ids.size())) id = ids[static_cast<size_t>(id)];
    names.push_back("roi " + short_text(id));
  }
  return names;
}

// The rate of a series, and what is odd about its times.
double series_rate(const Hdf5& file, const std::string& group, Table& table) {
  if (const double rate = number_attribute(file, group + "/starting_time", "rate", 0); rate > 0) return rate;
  if (!has_numbers(file, group + "/timestamps")) return 0;
  Result<Hdf5Values> read = file.read(group + "/timestamps");
  if (!read || read->numbers.size() < 2) return 0;
  const std::vector<double>& t = read->numbers;
  std::vector<double> steps;
  for (size_t k = 1; k < t.size(); ++k) steps.push_back(t[k] - t[k - 1]);
  if (std::any_of(steps.begin(), steps.end(), [](double s) { return !(s > 0); })) {
    table.notes.push_back("its timestamps do not always increase, so that the sampling rate is unknown");
    return 0;
  }
  const auto middle = steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2);
  std::nth_element(steps.begin(), middle, steps.end());
  const double step = *middle;
  const auto [low, high] = std::minmax_element(steps.begin(), steps.end());
  if (*low < 0.99 * step || *high > 1.01 * step)
    table.notes.push_back("its timestamps are irregular: steps of " + short_text(*low) + " to " + short_text(*high) +
                          " s, median " + short_text(step) + " s; frames are taken as if evenly spaced");
  return 1 / step;
}

Result<Table> read_series(const Hdf5& file, const std::string& file_name, const std::string& data,
                          const Progress& progress) {
  Result<Hdf5Values> read = file.read(data, progress);
  if (!read) return read.error();
  std::vector<int64_t> shape = read->shape;
  if (shape.size() == 1) shape.push_back(1);
  const std::string group = parent_of(data);
  const double factor = number_attribute(file, data, "conversion", 1), plus = number_attribute(file, data, "offset", 0);
  if (factor != 1 || plus != 0)
    for (double& v : read->numbers) v = v * factor + plus;
  Result<Table> table = table_of(shape, std::move(read->numbers), file_name + ": " + data);
  if (!table) return table;

  // The schema has time first; some writers have not. The ROIs or the timestamps tell.
  const auto length_of = [&](const char* name) {
    const Hdf5Object* o = file.find(group + name);
    return o != nullptr && o->shape.size() == 1 ? o->shape[0] : int64_t{-1};
  };
  const int64_t rois = length_of("/rois"), times = length_of("/timestamps");
  const bool turned = shape[0] != shape[1] &&
                      (times >= 0 ? times == shape[1] && times != shape[0] : rois == shape[0] && rois != shape[1]);
  table->orientation = turned ? "unit-by-time" : "time-by-unit";
  table->orientation_reason =
      turned ? std::string("the ") +
                   (times >= 0 ? "timestamps are as many as the columns" : "ROIs are as many as the rows") +
                   ", though NWB has time first"
             : "NWB has time first";
  (turned ? table->row_names : table->column_names) =
      roi_names(file, group, static_cast<size_t>(turned ? table->rows : table->cols));
  table->rate_hz = series_rate(file, group, *table);
  const std::string unit = text_attribute(file, data, "unit");
  const Hdf5Object* o = file.find(data);
  table->format = (o == nullptr ? "" : o->type + " ") + shape_text(shape) + (unit.empty() ? "" : ", unit " + unit) +
                  (factor != 1 ? ", times " + short_text(factor) : "") +
                  (plus != 0 ? ", plus " + short_text(plus) : "");
  return table;
}

Result<Table> read_units(const Hdf5& file, const std::string& file_name, double bin_s, const Progress& progress) {
  const Error bad{file_name + ": /units", "spike_times_index does not divide spike_times into units"};
  Result<Hdf5Values> times = file.read("/units/spike_times", progress);
  if (!times) return times.error();
  Result<Hdf5Values> ends = file.read("/units/spike_times_index");
  if (!ends) return ends.error();
  const std::vector<double>&t = times->numbers, &e = ends->numbers;
  double before = 0;
  for (double end : e) {
    if (!(end >= before) || end > static_cast<double>(t.size()) || end != std::floor(end)) return bad;
    before = end;
  }
  double first = INFINITY, last = -INFINITY;
  int64_t unknown = 0;
  for (double v : t) {
    unknown += !std::isfinite(v);
    if (!std::isfinite(v)) continue;
    first = std::min(first, v);
    last = std::max(last, v);
  }
  if (e.empty() || !(first <= last)) return Error{file_name + ": /units", "holds no spikes"};
  const double from = std::floor(first / bin_s);
  const double bins = std::floor(last / bin_s) - from + 1;
  const auto units = static_cast<double>(e.size());
  if (!(bins * units <= most_bins))
    return Error{"recording.bin_s", "is " + short_text(bin_s) + " s: " + short_text(bins) + " bins of " +
                                        short_text(units) + " units are too many; give at least " +
                                        short_text((last - first) * units / most_bins * 1.01) + " s"};
  std::vector<double> counts(static_cast<size_t>(bins * units), 0);
  size_t k = 0;
  for (size_t unit = 0; unit < e.size(); ++unit)
    for (; k < static_cast<size_t>(e[unit]); ++k)
      if (std::isfinite(t[k]))
        counts[static_cast<size_t>(std::clamp(std::floor(t[k] / bin_s) - from, 0.0, bins - 1)) * e.size() + unit] += 1;
  Result<Table> table =
      table_of({static_cast<int64_t>(bins), static_cast<int64_t>(units)}, std::move(counts), file_name);
  if (!table) return table;
  std::vector<std::string> names(e.size());
  if (const Hdf5Object* o = file.find("/units/unit_name"); o != nullptr && !o->group)
    if (Result<Hdf5Values> read = file.read(o->path); read && read->texts.size() == e.size()) names = read->texts;
  std::vector<double> ids;
  if (has_numbers(file, "/units/id"))
    if (Result<Hdf5Values> read = file.read("/units/id"); read && read->numbers.size() == e.size()) ids = read->numbers;
  for (size_t u = 0; u < names.size(); ++u)
    if (names[u].empty()) names[u] = "unit " + short_text(ids.empty() ? static_cast<double>(u) : ids[u]);
  table->column_names = std::move(names);
  table->orientation = "time-by-unit";
  table->orientation_reason = "spikes are counted in time";
  table->rate_hz = 1 / bin_s;
  table->format = std::to_string(t.size()) + " spikes, counted in bins of " + short_text(bin_s) + " s from " +
                  short_text(from * bin_s) + " s to " + short_text((from + bins) * bin_s) + " s";
  if (unknown > 0) table->notes.push_back(std::to_string(unknown) + " spike times that are no numbers are left out");
  return table;
}

}  // namespace

bool is_nwb(const Hdf5& file) {
  const Result<Hdf5::Attribute> version = file.attribute("/", "nwb_version");
  return (version && version->found) || has_numbers(file, "/nwb_version") ||
         text_attribute(file, "/", "neurodata_type") == "NWBFile";
}

std::vector<NwbSource> nwb_sources(const Hdf5& file) {
  std::vector<NwbSource> of[3];
  for (const Hdf5Object& o : file.objects()) {
    if (!is_series(file, o)) continue;
    const std::string parent = text_attribute(file, parent_of(o.path), "neurodata_type");
    const bool relative = parent == "DfOverF" || (parent.empty() && o.path.find("/DfOverF") != std::string::npos);
    const bool plain =
        parent == "Fluorescence" || (parent.empty() && o.path.find("/Fluorescence") != std::string::npos);
    of[relative ? 0
       : plain  ? 1
                : 2]
        .push_back({o.path + "/data", relative ? "dF/F"
                                      : plain  ? "fluorescence"
                                               : "ROI responses"});
  }
  std::vector<NwbSource> all;
  for (const auto& list : of) all.insert(all.end(), list.begin(), list.end());
  if (has_numbers(file, "/units/spike_times") && has_numbers(file, "/units/spike_times_index"))
    all.push_back({"/units", "spike times"});
  return all;
}

bool nwb_reads(const Hdf5& file, const std::string& array) {
  return !source_named(file, nwb_sources(file), array).empty();
}

void mark_nwb(const Hdf5& file, ArrayList& list) {
  list.format = "NWB " + text_attribute(file, "/", "nwb_version") + " (HDF5)";
  const std::vector<NwbSource> sources = nwb_sources(file);
  list.suggested = -1;
  for (const NwbSource& s : sources) {
    auto it = std::find_if(list.arrays.begin(), list.arrays.end(),
                           [&](const ArrayInfo& a) { return a.name == s.array || "/" + a.name == s.array; });
    if (it == list.arrays.end()) {
      ArrayInfo info{s.array, s.what, {}, ""};
      const Hdf5Object* o = file.find(s.array == "/units" ? "/units/spike_times_index" : s.array);
      if (o != nullptr) info.shape = o->shape;
      list.arrays.push_back(std::move(info));
      it = list.arrays.end() - 1;
    } else {
      it->type += ", " + s.what;
      it->unusable.clear();
    }
    if (list.suggested >= 0) continue;
    list.suggested = it - list.arrays.begin();
    list.reason = sources.size() == 1 ? "the only " + s.what + " in the file"
                                      : s.what + ", the first choice of " + std::to_string(sources.size()) +
                                            ": recording.array takes another";
  }
  if (sources.empty()) list.reason.clear();
}

Result<Table> read_nwb(const Hdf5& file, std::string_view file_name, const std::string& array, double bin_s,
                       const Progress& progress) {
  const std::vector<NwbSource> sources = nwb_sources(file);
  const std::string name(file_name);
  const std::string source = source_named(file, sources, array);
  if (source.empty() && array.empty())
    return Error{name,
                 "is an NWB file without ROI responses (DfOverF, Fluorescence) and without units' spike times; "
                 "recording.array can name another matrix in it (dalea inspect lists them)"};
  if (source.empty()) return Error{"recording.array", "'" + array + "' is no series of ROIs and no units of " + name};
  Result<Table> table =
      source == "/units" ? read_units(file, name, bin_s, progress) : read_series(file, name, source, progress);
  if (!table) return table;
  const std::string version = text_attribute(file, "/", "nwb_version");
  table->kind = "NWB";
  table->format = "NWB" + (version.empty() ? "" : " " + version) + ": " + table->format;
  table->array = source;
  table->array_reason = "stated";
  if (array.empty()) {
    table->array_reason = sources.size() == 1 ? "the only " + sources[0].what + " in the file"
                                              : sources[0].what + ", the first choice of " +
                                                    std::to_string(sources.size()) + ": recording.array takes another";
  }
  return table;
}

}  // namespace dalea
