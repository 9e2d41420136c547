#include <nlohmann/json.hpp>

#include "network/rules.h"
#include "spec/fields.h"
#include "spec/json_strict.h"

namespace dalea {
namespace {

// Walks the table and writes every key.
class Printer {
 public:
  OrderedJson object = OrderedJson::object();

  void version() { object["dalea"] = spec_version; }
  void text(const char* key, const std::string& v) { object[key] = v; }
  void texts(const char* key, const std::vector<std::string>& v) { object[key] = v; }
  void flag(const char* key, bool v) { object[key] = v; }
  void real(const char* key, double v, double, double, const char*, const char*) { object[key] = v; }
  void whole(const char* key, int64_t v, int64_t, int64_t, const char*, const char*) { object[key] = v; }
  void seed(const char* key, uint64_t v) { object[key] = v; }
  void choice(const char* key, const std::string& v, Choices) { object[key] = v; }
  void activation(const char* key, Activation v) { object[key] = activation_text(v); }
  void sign(const char* key, Sign v) { object[key] = sign_text(v); }
  void probability(const char* key, const std::vector<std::vector<double>>& v) {
    if (v.size() == 1 && v[0].size() == 1)
      object[key] = v[0][0];
    else
      object[key] = v;
  }
  void populations(const char* key, const std::vector<Population>& list) {
    object[key] = OrderedJson::array();
    for (const Population& p : list) {
      Printer inner;
      describe_population(inner, const_cast<Population&>(p));
      for (const char* optional : {"area", "layer", "type"})
        if (inner.object[optional] == "") inner.object.erase(optional);
      if (p.tau_s == 0) inner.object.erase("tau_s");
      object[key].push_back(std::move(inner.object));
    }
  }
  template <class F>
  void group(const char* key, F&& describe_group) {
    Printer inner;
    describe_group(inner);
    object[key] = std::move(inner.object);
  }
};

OrderedJson full(const Spec& spec) {
  Printer printer;
  describe(printer, const_cast<Spec&>(spec));
  return std::move(printer.object);
}

// What of `value` differs from `standard`, key by key.
OrderedJson difference(const OrderedJson& value, const OrderedJson& standard) {
  OrderedJson d = OrderedJson::object();
  for (const auto& [key, v] : value.items()) {
    if (standard.contains(key) && standard[key] == v) continue;
    if (v.is_object() && standard.contains(key))
      d[key] = difference(v, standard[key]);
    else
      d[key] = v;
  }
  return d;
}

// Indented, but a list of numbers stays on its line.
void pretty(const OrderedJson& v, int indent, std::string& out) {
  const std::string pad(static_cast<size_t>(indent) + 2, ' ');
  bool simple = true;
  if (v.is_array())
    for (const OrderedJson& item : v) simple = simple && !item.is_structured();
  if ((!v.is_object() && !v.is_array()) || v.empty() || (v.is_array() && simple)) {
    out += v.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
    return;
  }
  out += v.is_object() ? "{\n" : "[\n";
  bool first = true;
  for (const auto& [key, item] : v.items()) {
    if (!first) out += ",\n";
    first = false;
    out += pad;
    if (v.is_object()) out += OrderedJson(key).dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + ": ";
    pretty(item, indent + 2, out);
  }
  out += "\n" + std::string(static_cast<size_t>(indent), ' ') + (v.is_object() ? "}" : "]");
}

}  // namespace

std::string print_spec(const Spec& spec, bool compact) {
  if (!compact) {
    std::string text;
    pretty(full(spec), 0, text);
    return text + "\n";
  }
  Spec standard;
  standard.task.type = spec.task.type;
  fill_defaults(standard);
  OrderedJson d = difference(full(spec), full(standard));
  const bool regions = spec.connectome.source != "none" && spec.connectome.level == "regions";
  if (structure_makes_populations(spec) || regions) d.erase("populations");  // made again from it
  if (spec.task.type != Spec().task.type) d["task"]["type"] = spec.task.type;
  OrderedJson ordered = {{"dalea", spec_version}};
  ordered.update(d);
  return ordered.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace dalea
