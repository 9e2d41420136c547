// dalea convert: a session or a recording as arrays that other programs read.
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "common/embedded.h"
#include "common/files.h"
#include "common/recording_files.h"
#include "recording/arrays.h"
#include "session/export.h"
#include "session/npz.h"

namespace dalea::cli {
namespace {

using nlohmann::json;

std::string ending_of(const std::string& path) {
  std::string end = std::filesystem::path(path).extension().string();
  for (char& c : end) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return end;
}

bool same_file(const std::string& a, const std::string& b) {
  std::error_code none;
  return a == b || std::filesystem::equivalent(a, b, none);
}

struct Converted {
  std::string kind, hash;
  NamedArrays arrays;
  std::vector<std::byte> bytes;
};

Result<Converted> convert_session(const ConvertCommand& command, std::span<const std::byte> bytes) {
  Converted c;
  c.kind = "session";
  const std::optional<ArrayFormat> format = array_format_of(command.out);
  if (!format) return Error{command.out, "cannot hold a network: give a name that ends in .npz, .mat, .h5 or .hdf5"};
  if (!command.array.empty() || !command.orientation.empty() || !command.set.empty())
    return Error{"--set", "and --array and --orientation are for recordings, but " + command.in +
                              " is a session; leave them out"};
  Result<Session> session = read_session(bytes, command.in);
  if (!session) return session.error();
  if (!command.recording.empty()) {
    if (session->spec.task.type != "recording")
      return Error{"--recording", "is given, but " + command.in + " was not trained on a recording; leave it out"};
    session->spec.recording.file = command.recording;
  }
  const SavedNetwork saved = saved_network(*session);
  c.hash = session->provenance.hash;
  c.arrays = network_arrays({session->spec, saved.model, saved.mask.get(), session->state.history, session->state.run});
  if (command.predictions || !command.recording.empty()) {
    Result<Isa> isa = parse_isa(command.isa);
    if (!isa) return Error{"--" + isa.error().path, isa.error().message};
    Result<Dataset> data =
        load_dataset(session->spec, session->state.run, session->provenance.data_sha256, command.program);
    if (!data) return data.error();
    Workers workers(threads_of(command.threads));
    Result<NamedArrays> more =
        prediction_arrays(saved.model, *data, session->spec.training.batch, *isa, workers, &cancel_on_signals());
    if (!more) return more.error();
    for (NamedArray& a : *more) c.arrays.push_back(std::move(a));
  }
  Result<std::vector<std::byte>> written = write_arrays(c.arrays, *format);
  if (!written) return written.error();
  c.bytes = std::move(*written);
  return c;
}

Result<RecordingSpec> recording_spec(const ConvertCommand& command) {
  std::string text = R"({"dalea":1,"task":{"type":"recording"}})";
  std::vector<std::string> set = command.set;
  if (!command.orientation.empty()) set.push_back("recording.orientation=" + command.orientation);
  for (const std::string& assignment : set) {
    Result<std::string> changed = set_in_json(text, assignment);
    if (!changed) return changed.error();
    text = *changed;
  }
  ParsedSpec parsed = parse_spec(text);
  if (!parsed.problems.empty()) return parsed.problems.front();
  if (!command.array.empty()) parsed.spec.recording.array = command.array;
  return std::move(parsed.spec.recording);
}

Result<Converted> convert_recording(const ConvertCommand& command, std::span<const std::byte> bytes) {
  Converted c;
  c.kind = "recording";
  if (command.predictions || !command.recording.empty() || !command.python.empty())
    return Error{"--predictions", "and --recording and --python are for sessions, but " + command.in +
                                      " is a recording; leave them out"};
  Result<RecordingSpec> spec = recording_spec(command);
  if (!spec) return spec.error();
  Result<FileBytes> together = FileBytes();
  if (!spec->cells.empty() || !spec->events.file.empty()) {
    together = open_recording_files(command.in, spec->cells, spec->events.file);
    if (!together) return together.error();
    bytes = *together;
  }
  Result<Recording> r = read_recording(bytes, command.in, *spec);
  if (!r) return r.error();
  const std::string end = ending_of(command.out);
  c.arrays = recording_arrays(*r);
  if (const std::optional<ArrayFormat> format = array_format_of(command.out)) {
    Result<std::vector<std::byte>> written = write_arrays(c.arrays, *format);
    if (!written) return written.error();
    c.bytes = std::move(*written);
    return c;
  }
  c.arrays.resize(1);  // the traces alone
  if (end == ".npy")
    c.bytes = write_npy_f32(r->values, {r->frames, r->units});
  else if (end == ".csv")
    c.bytes = to_bytes(recording_csv(*r));
  else
    return Error{command.out, "has an ending that is not written; give .npz, .mat, .h5, .hdf5, .npy or .csv"};
  return c;
}

}  // namespace

int convert(const ConvertCommand& command) {
  if (same_file(command.in, command.out))
    return refuse({command.out, "is the file to convert; give another name, so that it is not lost"});
  Result<FileBytes> bytes = open_recording_files(command.in, "", "");
  if (!bytes) return refuse(bytes.error());
  const std::string_view text = as_text(*bytes);
  const size_t first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (first != std::string_view::npos && text[first] == '{')
    return refuse({command.in, "is an experiment, not yet trained: dalea run makes its session.npz"});
  const bool session = text.substr(0, 2) == "PK" && is_session(*bytes);
  Result<Converted> c = session ? convert_session(command, *bytes) : convert_recording(command, *bytes);
  if (cancel_on_signals()) return cancelled;
  if (!c) return refuse(c.error());
  if (Status ok = write_file(command.out, c->bytes); !ok) {
    complain(ok.error());
    return failed;
  }
  if (!command.python.empty()) {
    const Embedded& loader = embedded_python[0];
    if (Status ok = write_file(command.python, std::as_bytes(std::span(loader.data, loader.size))); !ok) {
      complain(ok.error());
      return failed;
    }
  }
  if (command.json) {
    json o = {{"kind", c->kind}, {"out", command.out}, {"bytes", c->bytes.size()}, {"arrays", json::array()}};
    if (session) o["hash"] = c->hash;
    for (const NamedArray& a : c->arrays)
      o["arrays"].push_back({{"name", a.name}, {"type", a.type()}, {"shape", a.shape}, {"axes", a.axes}});
    std::printf("%s\n", o.dump(-1, ' ', false, json::error_handler_t::replace).c_str());
    return done;
  }
  std::printf("%-18s %s%s\n", c->kind.c_str(), command.in.c_str(), session ? (" (hash " + c->hash + ")").c_str() : "");
  for (const NamedArray& a : c->arrays)
    std::printf("array              %-28s %-8s %-16s %s\n", a.name.c_str(), a.type(),
                a.shape.empty() ? "one value" : shape_text(a.shape).c_str(), a.axes.c_str());
  std::printf("written            %s, %zu bytes\n", command.out.c_str(), c->bytes.size());
  if (!command.python.empty())
    std::printf("loader             %s (from %s import load)\n", command.python.c_str(),
                std::filesystem::path(command.python).stem().string().c_str());
  return done;
}

}  // namespace dalea::cli
