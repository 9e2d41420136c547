// A session's copy of its connectome.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "connectome/connectome.h"

namespace dalea {
namespace {

constexpr const char* const folder = "connectome/";

ByteVector bytes_of(const std::string& text) {
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  return {first, first + text.size()};
}

const ByteVector* entry_of(const Entries& entries, const std::string& name) {
  for (const auto& [n, bytes] : entries)
    if (n == folder + name) return &bytes;
  return nullptr;
}

}  // namespace

void put_connectome(const Spec& spec, Entries& entries) {
  if (!spec.measured || spec.measured->kind == "synthetic") return;  // that one is made again
  const Connectome& c = *spec.measured;
  const std::string in = folder;
  entries.emplace_back(in + "weight.npy", write_npy_f64(c.weight, {c.nodes, c.nodes}));
  std::string names;
  for (const std::string& name : c.names) names += name + "\n";
  entries.emplace_back(in + "names.txt", bytes_of(names));
  if (!c.density.empty()) entries.emplace_back(in + "density.npy", write_npy_f64(c.density, {c.nodes}));
  if (!c.x.empty()) {
    std::vector<double> at = c.x;
    at.insert(at.end(), c.y.begin(), c.y.end());
    entries.emplace_back(in + "position.npy", write_npy_f64(at, {2, c.nodes}));
  }
  if (!c.sign.empty()) {
    std::vector<int32_t> sign;
    for (Sign s : c.sign) sign.push_back(s == Sign::excitatory ? 1 : s == Sign::inhibitory ? -1 : 0);
    entries.emplace_back(in + "sign.npy", write_npy_i32(sign, {c.nodes}));
  }
  const nlohmann::json about = {{"source", c.source}, {"sha256", c.sha256}, {"kind", c.kind}, {"notes", c.notes}};
  entries.emplace_back(in + "about.json",
                       bytes_of(about.dump(2, ' ', false, nlohmann::json::error_handler_t::replace)));
}

Status take_connectome(const Entries& entries, std::string_view file_name, Spec& spec) {
  if (spec.connectome.source != "file") return attach_own_connectome(spec);
  const std::string path = std::string(file_name) + "/" + folder;
  const auto damaged = [&](const char* entry, const char* what) {
    return Error{path + entry, std::string(what) + "; the file is damaged or not a Dalea session"};
  };
  Connectome c;
  const auto array = [&](const char* name, std::vector<int64_t> shape, std::vector<double>& to) -> Status {
    const ByteVector* bytes = entry_of(entries, name);
    if (bytes == nullptr) return damaged(name, "is missing");
    const Result<NpyHeader> header = read_npy_header(*bytes, path + name);
    if (!header) return header.error();
    if (shape.empty() && header->shape.size() == 2 && header->shape[0] == header->shape[1]) shape = header->shape;
    if (header->shape != shape) return damaged(name, "has another shape than the connectome");
    Result<std::vector<double>> values = read_npy_values(*bytes, *header);
    if (!values) return values.error();
    to = std::move(*values);
    return {};
  };
  if (Status ok = array("weight.npy", {}, c.weight); !ok) return ok;
  c.nodes = static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(c.weight.size()))));
  if (c.nodes < 2 || c.nodes * c.nodes != static_cast<int64_t>(c.weight.size()))
    return damaged("weight.npy", "is not a square matrix");
  for (double w : c.weight)
    if (!(w >= 0) || !std::isfinite(w)) return damaged("weight.npy", "has a weight below 0 or none");
  const ByteVector* names = entry_of(entries, "names.txt");
  if (names == nullptr) return damaged("names.txt", "is missing");
  std::string one;
  for (std::byte b : *names) {
    if (b != std::byte{'\n'}) {
      one += static_cast<char>(b);
    } else {
      c.names.push_back(std::move(one));
      one.clear();
    }
  }
  if (static_cast<int64_t>(c.names.size()) != c.nodes ||
      std::set<std::string>(c.names.begin(), c.names.end()).size() != c.names.size())
    return damaged("names.txt", "does not name every node once");
  if (entry_of(entries, "density.npy"))
    if (Status ok = array("density.npy", {c.nodes}, c.density); !ok) return ok;
  if (entry_of(entries, "position.npy")) {
    std::vector<double> at;
    if (Status ok = array("position.npy", {2, c.nodes}, at); !ok) return ok;
    for (double v : at)
      if (!std::isfinite(v)) return damaged("position.npy", "has a position that is not a number");
    c.x.assign(at.begin(), at.begin() + c.nodes);
    c.y.assign(at.begin() + c.nodes, at.end());
  }
  if (entry_of(entries, "sign.npy")) {
    std::vector<double> sign;
    if (Status ok = array("sign.npy", {c.nodes}, sign); !ok) return ok;
    for (double s : sign) c.sign.push_back(s > 0 ? Sign::excitatory : s < 0 ? Sign::inhibitory : Sign::free);
  }
  c.source = "connectome";
  if (const ByteVector* bytes = entry_of(entries, "about.json")) {
    const auto about =
        nlohmann::json::parse(reinterpret_cast<const char*>(bytes->data()),
                              reinterpret_cast<const char*>(bytes->data()) + bytes->size(), nullptr, false);
    const auto text = [&](const char* key) {
      return about.is_object() && about.contains(key) && about[key].is_string() ? about[key].get<std::string>()
                                                                                : std::string();
    };
    c.source = text("source");
    c.sha256 = text("sha256");
    c.kind = text("kind");
    if (about.is_object() && about.contains("notes") && about["notes"].is_array())
      for (const auto& note : about["notes"])
        if (note.is_string()) c.notes.push_back(note.get<std::string>());
  }
  if (c.kind == "synthetic") c.kind = "matrix";
  c.symmetric = true;
  for (int64_t i = 0; i < c.nodes; ++i) {
    c.self_links += c.at(i, i) != 0;
    for (int64_t j = 0; j < i; ++j) c.symmetric = c.symmetric && c.at(i, j) == c.at(j, i);
  }
  return attach_connectome(spec, std::move(c));
}

}  // namespace dalea
