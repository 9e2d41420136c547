#include <glob.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "cli/commands.h"
#include "common/connectome_files.h"
#include "common/digits.h"
#include "common/files.h"
#include "common/latent_files.h"
#include "common/recording_files.h"
#include "common/session_weights.h"
#include "numerics/parallel.h"

namespace dalea::cli {
namespace {

std::atomic<bool> cancel_requested{false};

extern "C" void on_signal(int) {
  if (cancel_requested.exchange(true)) _exit(cancelled);
}

}  // namespace

std::atomic<bool>& cancel_on_signals() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  return cancel_requested;
}

std::string platform_text(Isa isa) {
  return std::string(sizeof(void*) == 4 ? "32-bit " : "64-bit ") + isa_name(isa) +
         (threads_available() ? "" : ", no threads");
}

void complain(const Error& error) {
  std::fprintf(stderr, "dalea: %s\n", error.text().c_str());
}

ExitCode refuse(const Error& error) {
  complain(error);
  return bad_input;
}

int threads_of(int wanted) {
  if (threads_available()) return wanted == 0 ? hardware_threads() : wanted;
  if (wanted > 1) std::fprintf(stderr, "dalea: this build has no threads; running on one (the bits are the same)\n");
  return 1;
}

Loaded load_spec(const std::string& experiment, const std::vector<std::string>& set, bool without_files) {
  Loaded loaded;
  std::string text;
  if (!file_exists(experiment) && experiment.find("v1=") != std::string::npos) {
    Result<std::string> json = decode_link(experiment);
    if (!json) {
      complain(json.error());
      return loaded;
    }
    text = *json;
  } else {
    Result<std::vector<std::byte>> bytes = read_file(experiment);
    if (!bytes) {
      complain(bytes.error());
      return loaded;
    }
    text = as_text(*bytes);
  }
  for (const std::string& assignment : set) {
    Result<std::string> changed = set_in_json(text, assignment);
    if (!changed) {
      complain(changed.error());
      return loaded;
    }
    text = *changed;
  }
  ParsedSpec parsed = parse_spec(text);
  for (const Error& e : parsed.problems) complain(e);
  if (!parsed.problems.empty()) {
    std::fprintf(stderr, "dalea: %s has %zu problem%s; nothing was run\n", experiment.substr(0, 200).c_str(),
                 parsed.problems.size(), parsed.problems.size() == 1 ? "" : "s");
    return loaded;
  }
  const ConnectomeSpec& connectome = parsed.spec.connectome;
  if (!without_files || connectome.source != "file" || !connectome.file.empty())
    if (Status ok = attach_connectome_files(parsed.spec); !ok) {
      complain(ok.error());
      return loaded;
    }
  loaded.ok = true;
  loaded.spec = std::move(parsed.spec);
  return loaded;
}

Result<Session> load_session(const std::string& path, const std::string& recording) {
  Result<Session> session = read_session_file(path);
  if (!session || recording.empty()) return session;
  if (session->spec.task.type != "recording")
    return Error{"--recording", "is given, but " + path + " was not trained on a recording; leave it out"};
  session->spec.recording.file = recording;
  return session;
}

ExitCode write_files(const std::string& folder, const OutputFiles& files) {
  if (Status ok = make_folder(folder); !ok) return refuse(ok.error());
  for (const auto& [name, bytes] : files)
    if (Status ok = write_file(folder + "/" + name, bytes); !ok) {
      complain(ok.error());
      return failed;
    }
  return done;
}

Result<std::unique_ptr<Trainer>> restored(Session& session, Dataset data, Isa isa) {
  TrainerOptions options;
  options.isa = isa;
  Result<std::unique_ptr<Trainer>> trainer = Trainer::create(session.spec, std::move(data), session.state.run, options);
  if (trainer)
    if (Status ok = (*trainer)->restore(std::move(session.state)); !ok) return ok.error();
  return trainer;
}

std::vector<std::string> names_of(const OutputFiles& files) {
  std::vector<std::string> names;
  for (const auto& file : files) names.push_back(file.first);
  return names;
}

void add_drawing(OutputFiles& files, const std::string& name, const plot::Figure& figure) {
  const plot::Drawing drawing = plot::drawing_of(figure);
  files.emplace_back(name + ".svg", to_bytes(plot::to_svg(drawing)));
  files.emplace_back(name + ".png", plot::to_png(drawing));
}

void print_files(const std::string& folder, const std::vector<std::string>& files) {
  std::string list;
  for (const std::string& f : files) list += (list.empty() ? "" : ", ") + f;
  std::printf("files              in %s: %s\n", folder.c_str(), list.c_str());
}

Result<Sources> load_sources(const Spec& spec, const std::string& program) {
  Sources sources;
  if (spec.task.type == "recording" && !spec.recording.file.empty()) {
    const RecordingSpec& r = spec.recording;
    Result<FileBytes> bytes = open_recording_files(r.file, r.cells, r.events.file);
    if (!bytes && bytes.error().path.rfind("recording.", 0) == 0) return bytes.error();
    if (!bytes) return Error{"recording.file: " + bytes.error().path, bytes.error().message};
    Result<Recording> read = read_recording(*bytes, spec.recording.file, spec.recording);
    if (!read) return read.error();
    sources.recording = std::move(*read);
  }
  if (spec.task.type == "digits" || spec.task.type == "n-back-digits") {
    Result<Digits> found = find_digits(spec.task.folder, program);
    if (!found) return found.error();
    sources.digits = std::move(*found);
  }
  if (spec.task.type == "n-back-latent") {
    Result<Latents> read = read_latent_files(spec.task.file);
    if (!read) return read.error();
    sources.latents = std::move(*read);
  }
  return sources;
}

Result<std::shared_ptr<const Parent>> load_parent(const std::string& path, const std::string& keep) {
  Result<Keep> what = parse_keep(keep);
  if (!what) return Error{"--" + what.error().path, what.error().message};
  Result<Session> session = read_session_file(path);
  if (!session) return Error{"--from: " + session.error().path, session.error().message};
  return std::shared_ptr<const Parent>(std::make_shared<Parent>(parent_of(*session, path, *what)));
}

Result<Dataset> load_dataset(const Spec& spec, int64_t run, const std::string& sha256, const std::string& program) {
  Result<Sources> sources = load_sources(spec, program);
  if (!sources) {
    Error error = sources.error();
    if (spec.task.type == "recording")
      error.message += "; run from the folder in which the recording lies at this path, or give --recording FILE";
    return error;
  }
  if (sources->recording && sources->recording->sha256 != sha256)
    return Error{"recording.file: " + spec.recording.file,
                 "is not the recording that the session was trained on; put that one back at this path"};
  Result<Dataset> data = sources->dataset(spec, run);
  if (data && sources->digits && data->sha256 != sha256)
    return Error{"task.folder",
                 "does not hold the digits that the session was trained on; give their folder in "
                 "DALEA_DIGITS"};
  if (data && sources->latents && data->sha256 != sha256)
    return Error{"task.file: " + spec.task.file,
                 "does not hold the vectors that the session was trained on; put that file back at this path"};
  return data;
}

std::vector<std::string> files_of(const std::string& pattern) {
  std::vector<std::string> files;
  glob_t found{};
  if (::glob(pattern.c_str(), pattern.find_first_of("*?[") == std::string::npos ? GLOB_NOCHECK : 0, nullptr, &found) ==
      0)
    for (size_t k = 0; k < found.gl_pathc; ++k) files.emplace_back(found.gl_pathv[k]);
  ::globfree(&found);
  return files;
}

}  // namespace dalea::cli
