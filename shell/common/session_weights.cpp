#include "common/session_weights.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/files.h"

namespace dalea {
namespace {

using nlohmann::json;

// The experiment as far as two sessions must agree on it.
json runs_share(const Session& s) {
  Spec spec = s.spec;
  spec.seed = 1;
  spec.runs = 1;
  spec.name.clear();
  spec.note.clear();
  spec.connectivity.storage = "auto";  // how, not what: the bits are the same
  spec.task.folder.clear();
  spec.task.file.clear();
  spec.recording.file.clear();
  json o = json::parse(print_spec(spec, false), nullptr, false);
  // Where a file is means nothing, what is in it does. A simulated recording differs with the seed.
  const std::string& task = spec.task.type;
  const bool data =
      task == "digits" || task == "n-back-digits" || task == "n-back-latent" || !s.spec.recording.file.empty();
  o["data"] = data ? s.provenance.data_sha256 : "";
  o["pruned"] = s.state.mask != nullptr;
  return o;
}

json conditions_share(const Session& s, bool by_hand, bool any_pruned) {
  json o = runs_share(s);
  o.erase("pruned");
  if (by_hand) {
    for (const char* key : {"network", "connectivity", "training"}) o.erase(key);
    return o;
  }
  o["training"].erase("constraint");
  o["network"].erase("feedback");
  if (any_pruned) o["training"].erase("epochs");  // a retraining has its own number
  return o;
}

// "training.lr" of the first thing in which two experiments differ; empty: none.
std::string difference_of(const json& a, const json& b) {
  const json changes = json::diff(a, b);
  if (changes.empty()) return "";
  std::string path = changes[0]["path"].get<std::string>();
  path.erase(0, 1);
  std::replace(path.begin(), path.end(), '/', '.');
  return path;
}

Status check_group(const std::vector<NamedSession>& sessions, const SessionGroup& group) {
  const NamedSession& first = sessions[group.sessions[0]];
  for (size_t k = 1; k < group.sessions.size(); ++k) {
    const NamedSession& s = sessions[group.sessions[k]];
    if (const std::string where = difference_of(runs_share(first.session), runs_share(s.session)); !where.empty())
      return Error{s.path, "is in the group " + group.name + " with " + first.path + ", but they differ in " + where +
                               "; a group's sessions are runs of one experiment: give it a group of its own"};
    for (size_t other = 0; other < k; ++other) {
      const NamedSession& o = sessions[group.sessions[other]];
      if (s.session.spec.seed == o.session.spec.seed && s.session.state.run == o.session.state.run)
        return Error{s.path, "is the same run and seed as " + o.path + "; give each run once"};
    }
  }
  return {};
}

}  // namespace

Result<Session> read_session_file(const std::string& path) {
  Result<std::vector<std::byte>> bytes = read_file(path);
  if (!bytes) return bytes.error();
  if (as_text(*bytes).substr(0, 2) != "PK")
    return Error{path, "is not a session; give the session.npz that dalea run leaves in its --out"};
  return read_session(*bytes, path);
}

TrainedWeights trained_weights(const Session& session) {
  TrainedWeights w;
  w.initial = session.state.start
                  ? session.state.start->W_rec
                  : build_model(session.spec, Ends{}, session.state.run, session.state.mask).parameters.W_rec;
  w.final = session.state.parameters.W_rec;
  const std::shared_ptr<const Pattern> mask =
      session.state.mask ? session.state.mask : sample_pattern(session.spec, session.state.run);
  if (!mask) return w;
  for (Weights* m : {&w.initial, &w.final})
    if (!m->sparse()) *m = on_mask(*m, mask, true);
  return w;
}

std::string condition_of(const Session& session) {
  const std::string& constraint = session.spec.training.constraint;
  std::string feedback = session.spec.network.feedback;
  const std::string published = constraint == "dale" ? "rectified" : "plain";  // Q3
  if (feedback == "published") feedback = published;
  std::string name = constraint;
  if (feedback != published) name += ", " + feedback + " feedback";
  if (session.state.mask) name += ", pruned";
  return name;
}

Result<std::vector<SessionGroup>> group_sessions(const std::vector<NamedSession>& sessions) {
  if (sessions.empty()) return Error{"sessions", "are missing; give at least one session.npz"};
  std::vector<SessionGroup> groups;
  bool by_hand = false, pruned = false;
  for (size_t k = 0; k < sessions.size(); ++k) {
    by_hand = by_hand || !sessions[k].group.empty();
    pruned = pruned || sessions[k].session.state.mask != nullptr;
    const std::string name = sessions[k].group.empty() ? condition_of(sessions[k].session) : sessions[k].group;
    auto at = std::find_if(groups.begin(), groups.end(), [&](const SessionGroup& g) { return g.name == name; });
    if (at == groups.end()) at = groups.insert(groups.end(), {name, {}});
    at->sessions.push_back(k);
  }
  const json first = conditions_share(sessions[0].session, by_hand, pruned);
  for (const NamedSession& s : sessions) {
    const std::string where = difference_of(first, conditions_share(s.session, by_hand, pruned));
    if (where.empty()) continue;
    std::string remedy =
        "weights of different experiments say nothing about a condition: give the sessions of each by "
        "themselves";
    if (!by_hand &&
        (where.rfind("network", 0) == 0 || where.rfind("connectivity", 0) == 0 || where.rfind("training", 0) == 0))
      remedy = "where that is the condition, name the groups: --group NAME=" + s.path;
    return Error{s.path, "differs from " + sessions[0].path + " in " + where + "; " + remedy};
  }
  for (const SessionGroup& g : groups)
    if (Status ok = check_group(sessions, g); !ok) return ok.error();
  return groups;
}

}  // namespace dalea
