#include "common/wiring_files.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>

#include "common/files.h"
#include "common/json.h"
#include "common/recording_files.h"
#include "connectome/recorded.h"
#include "recording/text_rows.h"

namespace dalea {
namespace {

namespace fs = std::filesystem;

constexpr size_t most_files_tried = 200;
constexpr uintmax_t most_bytes_tried = 256u << 20;

// How many columns of a table are named as nodes.
int64_t columns_named_as(const std::set<std::string>& nodes, std::string_view csv) {
  std::vector<std::string_view> header;
  if (csv.substr(0, 65536).find('\0') != std::string_view::npos) return 0;
  TextRows rows(csv.substr(0, csv.find('\n')));
  if (!rows.next(header)) return 0;
  return std::count_if(header.begin(), header.end(),
                       [&](std::string_view name) { return nodes.count(std::string(name)) != 0; });
}

std::string assignment(const char* key, const std::string& path) {
  return std::string(key) + "=" + nlohmann::json(path).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

Status attach_recorded(Spec& spec, const Connectome& connectome) {
  if (spec.task.type != "recording")
    return Error{"connectome.nodes", "is recorded, but the task is " + spec.task.type +
                                         ", which has no recording; take all nodes, or the task recording"};
  if (spec.recording.file.empty())
    return Error{"recording.file",
                 "is empty, but connectome.nodes is recorded: give the recording of the connectome's "
                 "neurons, or their folder by --data DIR"};
  const RecordingSpec& r = spec.recording;
  Result<FileBytes> bytes = open_recording_files(r.file, r.cells, r.events.file);
  if (!bytes) return Error{"recording.file: " + bytes.error().path, bytes.error().message};
  const Result<Recording> recording = read_recording(*bytes, r.file, r);
  if (!recording) return recording.error();
  Result<Connectome> nodes = recorded_nodes(connectome, recording->names);
  if (!nodes) return nodes.error();
  return attach_connectome(spec, std::move(*nodes));
}

Result<std::vector<std::string>> settings_of_folder(const std::string& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error))
    return Error{"--data " + folder, "is not a folder; give the one with the files"};
  std::vector<std::string> paths;
  for (fs::directory_iterator it(folder, error), end; !error && it != end && paths.size() < most_files_tried;
       it.increment(error)) {
    std::error_code other;
    if (it->is_regular_file(other) && it->file_size(other) <= most_bytes_tried && it->file_size(other) > 0)
      paths.push_back(it->path().string());
  }
  std::sort(paths.begin(), paths.end());
  std::string links, signs, recording;
  std::set<std::string> nodes;
  std::vector<std::pair<std::string, FileBytes>> rest;
  for (const std::string& path : paths) {
    Result<FileBytes> bytes = open_file(path);
    if (!bytes) continue;
    const std::string name = fs::path(path).filename().string();
    if (is_sign_table(as_text(*bytes))) {
      if (signs.empty()) signs = path;
      continue;
    }
    if (links.empty() && is_connectome(*bytes, name)) {
      const Result<Connectome> read = read_connectome({*bytes, {}, {}, {}, name}, {});
      if (read) {
        links = path;
        nodes = {read->names.begin(), read->names.end()};
        continue;
      }
    }
    rest.emplace_back(path, std::move(*bytes));
  }
  if (links.empty())
    return Error{"--data " + folder,
                 "holds no connectome: a list of links (from, to, weight) or a square matrix; name "
                 "it by --set connectome.file=FILE"};
  int64_t most = 1;
  for (const auto& [path, bytes] : rest)
    if (const int64_t columns = columns_named_as(nodes, as_text(bytes)); columns > most) {
      most = columns;
      recording = path;
    }
  if (recording.empty())
    return Error{"--data " + folder, "holds no table with columns named as the nodes of " + links +
                                         "; name the recording by --set recording.file=FILE (and recording.cells)"};
  std::vector<std::string> set = {assignment("connectome.file", links), assignment("recording.file", recording)};
  if (!signs.empty()) set.push_back(assignment("connectome.signs", signs));
  return set;
}

}  // namespace dalea
