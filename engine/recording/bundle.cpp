#include "recording/bundle.h"

#include <algorithm>

#include "recording/cell_table.h"
#include "recording/long_table.h"
#include "recording/suite2p.h"
#include "recording/text_rows.h"

namespace dalea {
namespace {

constexpr std::string_view cells_name = "cells.csv", events_name = "events.csv";
constexpr uint64_t most_of_a_bundle = uint64_t{sizeof(void*) == 4 ? 1024 : 65536} << 20;

std::string file_part(std::string_view path) {
  const size_t slash = path.find_last_of("/\\");
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

// Beside its files a folder has these: of the file system, and of suite2p.
bool is_beside(const std::string& path) {
  const std::string name = file_part(path);
  return name.empty() || name[0] == '.' || path.rfind("__MACOSX/", 0) == 0 || name == "ops.npy" || name == "stat.npy" ||
         name == "data.bin" || name == "spks_norm.npy" || name == "redcell.npy" || name == "Fall.mat";
}

std::string_view text_of_file(const ByteVector& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool is_events_table(std::string_view csv) {
  if (csv.find('\0') < 4096 || is_long_table(csv)) return false;
  TextRows rows(csv.substr(0, 4096));
  std::vector<std::string_view> header;
  return rows.next(header) && column_named(header, {"time_s", "time", "t", "onset", "frame"}) >= 0 &&
         column_named(header, {"event", "label", "kind", "condition"}) >= 0;
}

enum class BundleKind { none, suite2p, tables };

BundleKind bundle_kind(const std::vector<ZipEntry>& entries) {
  int data = 0, tables = 0;
  bool traces = false, beside_traces = false;
  for (const ZipEntry& e : entries) {
    if (is_beside(e.name)) continue;
    const std::string name = file_part(e.name);
    if (name == "spec.json") return BundleKind::none;  // a session
    const bool table = name == cells_name || name == events_name;
    traces = traces || name == "F.npy" || name == "spks.npy";
    beside_traces = beside_traces || (name != "F.npy" && is_suite2p_file(name));
    tables += table;
    data += !table;
  }
  if (traces && beside_traces) return BundleKind::suite2p;
  return data == 1 && tables > 0 ? BundleKind::tables : BundleKind::none;
}

BundleKind bundle_kind(std::span<const std::byte> bytes) {
  if (bytes.size() < 4 || bytes[0] != std::byte{'P'} || bytes[1] != std::byte{'K'}) return BundleKind::none;
  const Result<std::vector<ZipEntry>> entries = list_zip(bytes, "", UINT64_MAX);
  return entries ? bundle_kind(*entries) : BundleKind::none;
}

}  // namespace

bool is_bundle(std::span<const std::byte> bytes) {
  return bundle_kind(bytes) != BundleKind::none;
}

bool is_suite2p_bundle(std::span<const std::byte> bytes) {
  return bundle_kind(bytes) == BundleKind::suite2p;
}

Result<Bundle> open_bundle(std::span<const std::byte> bytes, std::string_view file_name, const Progress& progress) {
  Result<std::vector<ZipEntry>> entries = list_zip(bytes, file_name, most_of_a_bundle);
  if (!entries) return entries.error();
  const bool suite2p = bundle_kind(*entries) == BundleKind::suite2p;
  Bundle bundle;
  std::vector<std::string> seen;
  uint64_t all = 0, done = 0;
  for (const ZipEntry& e : *entries) all += e.size;
  const auto part = [&](uint64_t bytes_done) {
    return all > 0 ? static_cast<double>(bytes_done) / static_cast<double>(all) : 1.0;
  };
  for (const ZipEntry& e : *entries) {
    const uint64_t before = done;
    done += e.size;
    const std::string name = file_part(e.name);
    const bool table = name == cells_name || name == events_name;
    if (is_beside(e.name) || (suite2p && !table && !is_suite2p_file(name))) continue;
    if (std::find(seen.begin(), seen.end(), name) != seen.end())
      return Error{std::string(file_name),
                   "holds several files " + name + "; give the folder of one plane or one recording alone"};
    seen.push_back(name);
    Result<ByteVector> data = read_zip_entry(bytes, e, file_name, UINT64_MAX, progress.part(part(before), part(done)));
    if (!data) return data.error();
    if (name == cells_name)
      bundle.cells_csv = text_of_file(*data);
    else if (name == events_name)
      bundle.events_csv = text_of_file(*data);
    else if (suite2p)
      bundle.suite2p.emplace_back(name, std::move(*data));
    else {
      bundle.data_name = name;
      bundle.data = std::move(*data);
    }
  }
  return bundle;
}

Result<ByteVector> make_bundle(Entries files) {
  Entries flat;
  for (auto& [path, bytes] : files) {
    if (is_beside(path)) continue;
    if (!is_bundle(bytes)) {
      flat.emplace_back(file_part(path), std::move(bytes));
      continue;
    }
    Result<Bundle> inner = open_bundle(bytes, path);
    if (!inner) return inner.error();
    for (auto& file : inner->suite2p) flat.push_back(std::move(file));
    if (!inner->data_name.empty()) flat.emplace_back(inner->data_name, std::move(inner->data));
    for (const auto& [name, text] : {std::pair(cells_name, &inner->cells_csv), {events_name, &inner->events_csv}}) {
      const auto* p = reinterpret_cast<const std::byte*>(text->data());
      if (!text->empty()) flat.emplace_back(std::string(name), ByteVector(p, p + text->size()));
    }
  }
  const bool suite2p = std::any_of(flat.begin(), flat.end(), [](const auto& f) { return is_suite2p_file(f.first); });
  const auto named = [&](std::string_view name) {
    return std::any_of(flat.begin(), flat.end(), [&](const auto& f) { return f.first == name; });
  };
  // Tables with names of their own take the bundle's, while another file is left to be the data.
  size_t data = static_cast<size_t>(std::count_if(flat.begin(), flat.end(), [&](const auto& f) {
    return f.first != cells_name && f.first != events_name && !(suite2p && is_suite2p_file(f.first));
  }));
  const size_t needed = suite2p ? 0 : 1;
  for (auto& [name, bytes] : flat) {
    if (data <= needed) break;
    if (name == cells_name || name == events_name) continue;
    const std::string_view text = text_of_file(bytes);
    const bool events = is_events_table(text);
    if (!events && !is_cell_table(text)) continue;
    const std::string_view becomes = events ? events_name : cells_name;
    if (named(becomes)) continue;
    name = becomes;
    --data;
  }
  std::vector<std::string> names;
  for (const auto& f : flat) names.push_back(f.first);
  std::sort(names.begin(), names.end());
  if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end())
    return Error{*twice, "is there several times; give the files of one recording (of suite2p, one plane's folder)"};
  if (data > needed)
    return Error{"these " + std::to_string(files.size()) + " files",
                 "are not one recording: they are " + listed(names) +
                     ". Together go suite2p's F.npy, Fneu.npy, spks.npy and iscell.npy, or one data file, each with a "
                     "table of cells or events; give others one by one"};
  if (data < needed || flat.empty())
    return Error{"these files", "hold no recording: they are " + listed(names) +
                                    "; a table of cells or events goes with the file that it is of"};
  std::sort(flat.begin(), flat.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return write_zip(flat, false);
}

}  // namespace dalea
