#include "session/session.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "connectome/connectome.h"
#include "session/npz.h"

namespace dalea {

const char* const dalea_version = "0.1.0";

namespace {

using nlohmann::json;

std::span<const std::byte> as_bytes(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

ByteVector text_bytes(const std::string& text) {
  const auto bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

// ---- writing

void put_weights(Entries& entries, const std::string& folder, const Weights& w) {
  const std::string stem = folder.empty() ? w.name : folder + "/" + w.name;
  if (!w.sparse()) {
    entries.emplace_back(stem + ".npy", write_npy_f32(w.values, {w.rows, w.cols}, true));
    return;
  }
  entries.emplace_back(stem + ".values.npy", write_npy_f32(w.values, {w.pattern->count()}));
  entries.emplace_back(stem + ".row.npy", write_npy_i32(w.pattern->row, {w.pattern->count()}));
  entries.emplace_back(stem + ".col_start.npy", write_npy_i64(w.pattern->col_start, {w.cols + 1}));
}

constexpr HistoryColumn columns[] = {{"train", &EpochRecord::train},
                                     {"train_published", &EpochRecord::train_published},
                                     {"validation", &EpochRecord::validation},
                                     {"held_out", &EpochRecord::held_out},
                                     {"held_out_published", &EpochRecord::held_out_published},
                                     {"lr", &EpochRecord::lr}};
// Of tasks with classes alone, and absent from the sessions of older versions.
constexpr HistoryColumn accuracy_columns[] = {{"validation_accuracy", &EpochRecord::validation_accuracy},
                                              {"held_out_accuracy", &EpochRecord::held_out_accuracy}};
// Of trainings that keep a checkpoint alone.
constexpr HistoryColumn kept_columns[] = {{"kept", &EpochRecord::kept}};

// TrainerState::pruned_losses, in this order.
constexpr double EpochRecord::*pruned_columns[] = {&EpochRecord::train,
                                                   &EpochRecord::train_published,
                                                   &EpochRecord::validation,
                                                   &EpochRecord::held_out,
                                                   &EpochRecord::held_out_published,
                                                   &EpochRecord::validation_accuracy,
                                                   &EpochRecord::held_out_accuracy};
constexpr const char* pruned_entry = "stages/pruned.npy";

// ---- reading

class Reader {
 public:
  Reader(Entries entries, std::string_view file) : file_(file) {
    for (auto& [name, bytes] : entries) entries_[name] = std::move(bytes);
  }

  Error damaged(const std::string& entry, const std::string& what) const {
    return {file_ + "/" + entry, what + "; the file is damaged or not a Dalea session"};
  }
  bool has(const std::string& name) const { return entries_.count(name) != 0; }
  uint64_t bytes_under(const std::string& stem) const {  // of all entries whose names begin so
    uint64_t sum = 0;
    for (auto it = entries_.lower_bound(stem); it != entries_.end() && it->first.rfind(stem, 0) == 0; ++it)
      sum += it->second.size();
    return sum;
  }

  Result<std::string> text(const std::string& name) const {
    const auto it = entries_.find(name);
    if (it == entries_.end()) return damaged(name, "is missing");
    return std::string(reinterpret_cast<const char*>(it->second.data()), it->second.size());
  }

  Result<json> object(const std::string& name) const {
    Result<std::string> t = text(name);
    if (!t) return t.error();
    json value = json::parse(*t, nullptr, false);
    if (!value.is_object()) return damaged(name, "is not a JSON object");
    return value;
  }

  Result<std::vector<double>> array(const std::string& name, const std::vector<int64_t>& shape) const {
    const auto it = entries_.find(name);
    if (it == entries_.end()) return damaged(name, "is missing");
    Result<NpyHeader> header = read_npy_header(it->second, file_ + "/" + name);
    if (!header) return header.error();
    if (header->shape != shape) return damaged(name, "has another shape than the experiment asks for");
    return read_npy_values(it->second, *header);
  }

  // Values into w, whose name, shape and pattern are set.
  Status weights(const std::string& folder, Weights& w) const {
    const std::string stem = folder + "/" + w.name;
    if (!w.sparse()) {
      // The reader gives row-major order; ours is column-major.
      Result<std::vector<double>> values = array(stem + ".npy", {w.rows, w.cols});
      if (!values) return values.error();
      for (int64_t j = 0; j < w.cols; ++j)
        for (int64_t i = 0; i < w.rows; ++i) w.values[j * w.rows + i] = static_cast<float>((*values)[i * w.cols + j]);
      return {};
    }
    Result<std::vector<double>> values = array(stem + ".values.npy", {w.pattern->count()});
    if (!values) return values.error();
    Result<std::vector<double>> rows = array(stem + ".row.npy", {w.pattern->count()});
    if (!rows) return rows.error();
    Result<std::vector<double>> starts = array(stem + ".col_start.npy", {w.cols + 1});
    if (!starts) return starts.error();
    for (size_t e = 0; e < rows->size(); ++e)
      if ((*rows)[e] != w.pattern->row[e])
        return damaged(stem, "has other connections than the session's mask, or the experiment's seed, gives");
    for (size_t j = 0; j < starts->size(); ++j)
      if ((*starts)[j] != static_cast<double>(w.pattern->col_start[j]))
        return damaged(stem, "has other connections than the session's mask, or the experiment's seed, gives");
    for (size_t e = 0; e < values->size(); ++e) w.values[e] = static_cast<float>((*values)[e]);
    return {};
  }

  // mask/row and mask/col_start, of a (units, units) matrix: every index is checked, as all loops over a pattern trust
  // it.
  Result<std::shared_ptr<const Pattern>> mask(int64_t units) const {
    Result<std::vector<double>> starts = array("mask/col_start.npy", {units + 1});
    if (!starts) return starts.error();
    std::vector<int64_t> col_start;
    for (double v : *starts) {
      const double before = col_start.empty() ? 0 : static_cast<double>(col_start.back());
      const double most = before + static_cast<double>(col_start.empty() ? 0 : units);
      if (!(v >= before && v <= most) || v != std::floor(v))
        return damaged("mask/col_start.npy", "does not count the connections of column after column");
      col_start.push_back(static_cast<int64_t>(v));
    }
    Result<std::vector<double>> rows = array("mask/row.npy", {col_start.back()});
    if (!rows) return rows.error();
    std::vector<int32_t> row;
    for (int64_t j = 0; j < units; ++j)
      for (int64_t e = col_start[j]; e < col_start[j + 1]; ++e) {
        const double v = (*rows)[e], least = e == col_start[j] ? 0 : static_cast<double>(row.back()) + 1;
        if (!(v >= least && v < static_cast<double>(units)) || v != std::floor(v))
          return damaged("mask/row.npy", "has rows of column " + std::to_string(j) + " that do not ascend within 0.." +
                                             std::to_string(units - 1));
        row.push_back(static_cast<int32_t>(v));
      }
    return make_pattern(units, units, std::move(col_start), std::move(row));
  }

  Status parameters(const std::string& folder, Parameters& p) const {
    for (Weights* w : p.all())
      if (Status ok = weights(folder, *w); !ok) return ok;
    return {};
  }

 private:
  std::string file_;
  std::map<std::string, ByteVector> entries_;
};

Result<double> number_in(const Reader& r, const json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_number())
    return r.damaged("state.json", std::string("'") + key + "' is not a number");
  return it->get<double>();
}

std::string string_in(const json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

}  // namespace

std::vector<HistoryColumn> history_columns(const std::vector<EpochRecord>& history) {
  std::vector<HistoryColumn> all(std::begin(columns), std::end(columns));
  for (const EpochRecord& r : history)
    if (!std::isnan(r.held_out_accuracy)) {
      all.insert(all.end(), std::begin(accuracy_columns), std::end(accuracy_columns));
      break;
    }
  for (const EpochRecord& r : history)
    if (!std::isnan(r.kept)) {
      all.insert(all.end(), std::begin(kept_columns), std::end(kept_columns));
      break;
    }
  return all;
}

std::vector<std::byte> write_session(const Trainer& trainer, const std::string& platform) {
  const TrainerState s = trainer.state();
  Entries entries;
  entries.emplace_back("spec.json", text_bytes(print_spec(trainer.spec(), false)));
  put_connectome(trainer.spec(), entries);
  json provenance = {
      {"version", dalea_version},
      {"numerics", numerics_version},
      {"hash", hash_text(hash_of(s.parameters))},
      {"platform", platform},
      {"data_sha256", trainer.data().recording ? trainer.data().recording->sha256 : trainer.data().sha256},
      {"failure", trainer.failure()}};
  if (const Origin* o = trainer.origin())
    provenance["from"] = {{"name", o->name}, {"hash", o->hash}, {"sha256", o->sha256}, {"keep", o->keep}};
  entries.emplace_back("provenance.json", text_bytes(provenance.dump(2)));
  json state = {{"run", s.run},
                {"epoch", s.epoch},
                {"batch", s.batch},
                {"epoch_loss", s.epoch_loss},
                {"epoch_published", s.epoch_published},
                {"epoch_scored", s.epoch_scored},
                {"steps", s.optimizer.steps},
                {"beta1_power", s.optimizer.beta1_power},
                {"beta2_power", s.optimizer.beta2_power},
                {"inputs", trainer.model().inputs},
                {"outputs", trainer.model().outputs},
                {"readout_signs", json::array()}};
  state["output"] = trainer.data().ends.output == Activation::tanh ? "tanh" : "identity";
  for (Sign sign : trainer.data().ends.readout_signs)
    state["readout_signs"].push_back(sign == Sign::excitatory ? "+" : sign == Sign::inhibitory ? "-" : "free");
  if (s.mask) state["own_mask"] = true;
  if (s.pruned) state["pruned"] = true;
  if (s.dense) state["dense_epoch"] = s.dense_epoch;
  if (s.best) state["best_epoch"] = s.best_epoch;
  entries.emplace_back("state.json", text_bytes(state.dump(2)));
  if (s.mask) {
    entries.emplace_back("mask/row.npy", write_npy_i32(s.mask->row, {s.mask->count()}));
    entries.emplace_back("mask/col_start.npy", write_npy_i64(s.mask->col_start, {s.mask->cols + 1}));
  }
  for (const Weights* w : s.parameters.all()) put_weights(entries, "parameters", *w);
  for (const Weights* w : s.optimizer.first.all()) put_weights(entries, "optimizer/first", *w);
  for (const Weights* w : s.optimizer.second.all()) put_weights(entries, "optimizer/second", *w);
  if (!s.optimizer.latent.values.empty()) put_weights(entries, "optimizer/latent", s.optimizer.latent);
  if (s.dense)
    for (const Weights* w : s.dense->all()) put_weights(entries, "checkpoints/dense", *w);
  if (s.best)
    for (const Weights* w : s.best->all()) put_weights(entries, "checkpoints/best", *w);
  if (s.start)
    for (const Weights* w : s.start->all()) put_weights(entries, "start", *w);
  if (s.pruned_losses) {
    std::vector<double> values;
    for (double EpochRecord::*member : pruned_columns) values.push_back((*s.pruned_losses).*member);
    entries.emplace_back(pruned_entry, write_npy_f64(values, {static_cast<int64_t>(values.size())}));
  }
  const int64_t epochs = static_cast<int64_t>(s.history.size());
  for (const HistoryColumn& c : history_columns(s.history)) {
    std::vector<double> values;
    for (const EpochRecord& r : s.history) values.push_back(r.*c.member);
    entries.emplace_back(std::string("history/") + c.name + ".npy", write_npy_f64(values, {epochs}));
  }
  return write_zip(entries);
}

std::vector<std::byte> write_weights(const Parameters& parameters) {
  Entries entries;
  for (const Weights* w : parameters.all()) put_weights(entries, "", *w);
  return write_zip(entries);
}

bool is_session(std::span<const std::byte> npz) {
  const Result<std::vector<ZipEntry>> entries = list_zip(npz, "");
  return !entries ||
         std::any_of(entries->begin(), entries->end(), [](const ZipEntry& e) { return e.name == "spec.json"; });
}

Result<Session> read_session(std::span<const std::byte> bytes, std::string_view file_name) {
  Result<Entries> entries = read_zip(bytes, file_name);
  if (!entries) return entries.error();
  Entries connectome;
  for (auto& [name, data] : *entries)
    if (name.rfind("connectome/", 0) == 0) connectome.emplace_back(name, std::move(data));
  const Reader reader(std::move(*entries), file_name);

  Session session;
  Result<std::string> spec_text = reader.text("spec.json");
  if (!spec_text) return spec_text.error();
  ParsedSpec parsed = parse_spec(*spec_text);
  if (!parsed.problems.empty())
    return Error{std::string(file_name) + "/spec.json: " + parsed.problems.front().path,
                 parsed.problems.front().message};
  session.spec = std::move(parsed.spec);
  if (Status ok = take_connectome(connectome, file_name, session.spec); !ok) return ok.error();

  Result<json> provenance = reader.object("provenance.json");
  if (!provenance) return provenance.error();
  session.provenance.version = string_in(*provenance, "version");
  session.provenance.hash = string_in(*provenance, "hash");
  session.provenance.platform = string_in(*provenance, "platform");
  session.provenance.data_sha256 = string_in(*provenance, "data_sha256");
  session.provenance.failure = string_in(*provenance, "failure");
  if (const auto it = provenance->find("numerics"); it == provenance->end() || *it != numerics_version)
    return reader.damaged("provenance.json", "has another numerics version than this program (" +
                                                 std::to_string(numerics_version) +
                                                 "), so its bits cannot be continued");

  Result<json> state = reader.object("state.json");
  if (!state) return state.error();
  TrainerState& s = session.state;
  if (const auto from = provenance->find("from"); from != provenance->end() && from->is_object())
    s.origin = Origin{string_in(*from, "name"), string_in(*from, "hash"), string_in(*from, "sha256"),
                      string_in(*from, "keep")};
  const auto whole = [&](const char* key, int64_t& to) -> Status {
    Result<double> v = number_in(reader, *state, key);
    if (!v) return v.error();
    if (!(*v >= 0 && *v <= 9e15) || *v != std::floor(*v))
      return reader.damaged("state.json", std::string("'") + key + "' is not a count");
    to = static_cast<int64_t>(*v);
    return {};
  };
  const auto real = [&](const char* key, double& to) -> Status {
    Result<double> v = number_in(reader, *state, key);
    if (!v) return v.error();
    to = *v;
    return {};
  };
  Ends ends;
  for (auto [key, to] : {std::pair{"run", &s.run},
                         {"epoch", &s.epoch},
                         {"batch", &s.batch},
                         {"epoch_scored", &s.epoch_scored},
                         {"steps", &s.optimizer.steps},
                         {"inputs", &ends.inputs},
                         {"outputs", &ends.outputs}})
    if (Status ok = whole(key, *to); !ok) return ok.error();
  for (auto [key, to] : {std::pair{"epoch_loss", &s.epoch_loss},
                         {"epoch_published", &s.epoch_published},
                         {"beta1_power", &s.optimizer.beta1_power},
                         {"beta2_power", &s.optimizer.beta2_power}})
    if (Status ok = real(key, *to); !ok) return ok.error();
  if (s.run >= session.spec.runs) return reader.damaged("state.json", "'run' is beyond the experiment's runs");
  constexpr int64_t most_channels = 1 << 20;
  if (ends.inputs < 1 || ends.outputs < 1 || ends.inputs > most_channels || ends.outputs > most_channels)
    return reader.damaged("state.json", "'inputs' or 'outputs' is not a number of channels");
  // The arrays themselves bound what is allocated: W_in and W_out must be as large as the channels say.
  if (static_cast<uint64_t>(ends.inputs + ends.outputs) * static_cast<uint64_t>(session.spec.units()) * 4 >
      (uint64_t{8} << 30))
    return reader.damaged("state.json", "asks for more than 8 GiB of input and output weights");
  ends.output = string_in(*state, "output") == "tanh" ? Activation::tanh : Activation::identity;
  if (const auto it = state->find("readout_signs"); it != state->end() && it->is_array())
    for (const json& sign : *it)
      ends.readout_signs.push_back(sign == "+" ? Sign::excitatory : sign == "-" ? Sign::inhibitory : Sign::free);
  if (!ends.readout_signs.empty() && static_cast<int64_t>(ends.readout_signs.size()) != ends.outputs)
    return reader.damaged("state.json", "'readout_signs' does not name every output");

  if (const auto it = state->find("own_mask"); it != state->end()) {
    if (!it->is_boolean()) return reader.damaged("state.json", "'own_mask' is neither true nor false");
    if (it->get<bool>()) {
      Result<std::shared_ptr<const Pattern>> mask = reader.mask(session.spec.units());
      if (!mask) return mask.error();
      s.mask = std::move(*mask);
    }
  }
  if (session.spec.measured && !s.mask) {  // the arrays bound what scaling the connectome takes
    const Result<int64_t> connections = count_connections(session.spec);
    if (!connections) return connections.error();
    if (static_cast<uint64_t>(*connections) > reader.bytes_under("parameters/W_rec"))
      return reader.damaged("parameters/W_rec", "has fewer weights than the connectome gives connections");
  }
  Model model = build_model(session.spec, ends, s.run, s.mask);
  session.ends = std::move(ends);
  s.parameters = std::move(model.parameters);
  s.optimizer.first = zeros_like(s.parameters);
  s.optimizer.second = zeros_like(s.parameters);
  if (Status ok = reader.parameters("parameters", s.parameters); !ok) return ok.error();
  if (Status ok = reader.parameters("optimizer/first", s.optimizer.first); !ok) return ok.error();
  if (Status ok = reader.parameters("optimizer/second", s.optimizer.second); !ok) return ok.error();
  if (session.spec.training.constraint == "rectified-forward") {
    s.optimizer.latent = s.parameters.W_rec;
    if (Status ok = reader.weights("optimizer/latent", s.optimizer.latent); !ok) return ok.error();
  }
  for (auto [key, to] : {std::pair{"dense_epoch", &s.dense_epoch}, {"best_epoch", &s.best_epoch}})
    if (state->find(key) != state->end())
      if (Status ok = whole(key, *to); !ok) return ok.error();
  if (const auto it = state->find("pruned"); it != state->end()) {
    if (!it->is_boolean()) return reader.damaged("state.json", "'pruned' is neither true nor false");
    s.pruned = it->get<bool>();
  }
  if (s.best_epoch > 0) {
    Parameters best = s.parameters;
    if (Status ok = reader.parameters("checkpoints/best", best); !ok) return ok.error();
    s.best = std::make_shared<Parameters>(std::move(best));
  }
  if (s.dense_epoch > 0) {
    const auto n = static_cast<uint64_t>(session.spec.units());
    if (reader.bytes_under("checkpoints/dense/W_rec") < 4 * n * (n - 1))
      return reader.damaged("checkpoints/dense", "is not a whole network");
    Parameters dense = build_model(session.spec, session.ends, s.run).parameters;
    if (Status ok = reader.parameters("checkpoints/dense", dense); !ok) return ok.error();
    s.dense = std::make_shared<Parameters>(std::move(dense));
  }
  if (s.origin) {
    Parameters start = s.parameters;
    if (session.spec.stages.prune) {  // of the whole network
      const auto n = static_cast<uint64_t>(session.spec.units());
      if (reader.bytes_under("start/W_rec") < 4 * n * (n - 1)) return reader.damaged("start", "is not a whole network");
      start = build_model(session.spec, session.ends, s.run).parameters;
    }
    if (Status ok = reader.parameters("start", start); !ok) return ok.error();
    s.start = std::make_shared<Parameters>(std::move(start));
  }
  if (reader.has(pruned_entry)) {
    Result<std::vector<double>> values = reader.array(pruned_entry, {static_cast<int64_t>(std::size(pruned_columns))});
    if (!values) return values.error();
    EpochRecord losses;
    losses.epoch = session.spec.training.epochs;
    losses.lr = no_value;
    for (size_t k = 0; k < std::size(pruned_columns); ++k) losses.*pruned_columns[k] = (*values)[k];
    s.pruned_losses = losses;
  }
  if (s.epoch > session.spec.all_epochs()) return reader.damaged("state.json", "'epoch' is beyond the experiment's");
  s.history.resize(static_cast<size_t>(s.epoch));
  std::vector<HistoryColumn> present(std::begin(columns), std::end(columns));
  for (const HistoryColumn& c : accuracy_columns)
    if (reader.has(std::string("history/") + c.name + ".npy")) present.push_back(c);
  if (reader.has("history/kept.npy")) present.push_back(kept_columns[0]);
  for (const HistoryColumn& c : present) {
    Result<std::vector<double>> values = reader.array(std::string("history/") + c.name + ".npy", {s.epoch});
    if (!values) return values.error();
    for (size_t e = 0; e < s.history.size(); ++e) {
      s.history[e].*c.member = (*values)[e];
      s.history[e].epoch = static_cast<int64_t>(e) + 1;
    }
  }
  if (hash_text(hash_of(s.parameters)) != session.provenance.hash)
    return reader.damaged("provenance.json", "the weights hash to " + hash_text(hash_of(s.parameters)) + ", not to " +
                                                 session.provenance.hash + " as recorded");
  return session;
}

std::string history_csv(const std::vector<EpochRecord>& history) {
  const std::vector<HistoryColumn> shown = history_columns(history);
  std::string csv = "epoch";
  for (const HistoryColumn& c : shown) csv += std::string(",") + c.name;
  csv += "\n";
  for (const EpochRecord& r : history) {
    csv += std::to_string(r.epoch);
    for (const HistoryColumn& c : shown) {
      char text[40];
      std::snprintf(text, sizeof text, ",%.17g", r.*c.member);
      csv += text;
    }
    csv += "\n";
  }
  return csv;
}

}  // namespace dalea
