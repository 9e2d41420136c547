#include "common/recording_files.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "common/files.h"
#include "recording/bundle.h"
#include "recording/suite2p.h"

namespace dalea {
namespace {

namespace fs = std::filesystem;

bool has_traces(const fs::path& folder) {
  std::error_code error;
  return fs::exists(folder / "F.npy", error) || fs::exists(folder / "spks.npy", error);
}

// The folders with traces in `folder`, else one level below, else two.
std::vector<fs::path> planes_in(const fs::path& folder) {
  std::vector<fs::path> level{folder};
  for (int depth = 0; depth < 3; ++depth) {
    std::vector<fs::path> found, below;
    for (const fs::path& f : level) {
      if (has_traces(f)) found.push_back(f);
      std::error_code error;
      for (fs::directory_iterator it(f, error), end; !error && it != end && below.size() < 1000; it.increment(error))
        if (std::error_code other; it->is_directory(other)) below.push_back(it->path());
    }
    if (!found.empty()) {
      std::sort(found.begin(), found.end());
      return found;
    }
    level = std::move(below);
  }
  return {};
}

Status add_file(Entries& files, const std::string& path, const std::string& as) {
  Result<ByteVector> bytes = read_file(path);
  if (!bytes) return bytes.error();
  files.emplace_back(as, std::move(*bytes));
  return {};
}

Status add_folder(Entries& files, const std::string& path) {
  const std::vector<fs::path> planes = planes_in(path);
  if (planes.empty())
    return Error{path, "is a folder without suite2p's F.npy; name a file in it, or the folder of a suite2p plane"};
  if (planes.size() > 1)
    return Error{
        path, "holds several planes of suite2p; name one of them: " + planes[0].string() + " or " + planes[1].string()};
  for (const char* name : {"F.npy", "Fneu.npy", "spks.npy", "iscell.npy", "cells.csv", "events.csv"}) {
    const fs::path file = planes[0] / name;
    if (!file_exists(file.string())) continue;
    if (Status ok = add_file(files, file.string(), name); !ok) return ok;
  }
  return {};
}

Status add_path(Entries& files, const std::string& path) {
  return is_folder(path) ? add_folder(files, path)
                         : add_file(files, path, path == "-" ? "recording" : fs::path(path).filename().string());
}

Result<ByteVector> one_of(Entries files) {
  if (files.size() == 1) return std::move(files[0].second);
  return make_bundle(std::move(files));
}

}  // namespace

bool is_folder(const std::string& path) {
  std::error_code error;
  return path != "-" && fs::is_directory(path, error);
}

Result<ByteVector> read_recording_files(const std::string& path, const std::string& cells, const std::string& events) {
  Entries files;
  if (Status ok = add_path(files, path); !ok) return ok.error();
  for (const auto& [file, name] : {std::pair(cells, "cells.csv"), {events, "events.csv"}}) {
    if (file.empty()) continue;
    if (files.size() == 1 && files[0].first == name) files[0].first = "recording.csv";
    std::erase_if(files, [&, n = std::string(name)](const auto& f) { return f.first == n; });  // what is stated wins
    if (Status ok = add_file(files, file, name); !ok)
      return Error{(name[0] == 'c' ? "recording.cells: " : "recording.events.file: ") + ok.error().path,
                   ok.error().message};
  }
  return one_of(std::move(files));
}

Result<FileBytes> open_recording_files(const std::string& path, const std::string& cells, const std::string& events) {
  if (cells.empty() && events.empty() && !is_folder(path)) return open_file(path);
  Result<ByteVector> read = read_recording_files(path, cells, events);
  if (!read) return read.error();
  return FileBytes(std::move(*read));
}

Result<ByteVector> read_together(const std::vector<std::string>& paths) {
  Entries files;
  for (const std::string& path : paths)
    if (Status ok = add_path(files, path); !ok) return ok.error();
  return one_of(std::move(files));
}

}  // namespace dalea
