#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "spec/fields.h"
#include "spec/json_strict.h"

namespace dalea {
namespace {

std::string shown(const OrderedJson& value) {
  std::string text = value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

// Edits that turn one word into the other (Levenshtein), for "did you mean".
size_t distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t corner = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = corner + (a[i - 1] != b[j - 1]);
      corner = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string closest(const std::string& word, const std::vector<std::string>& known) {
  std::string best;
  size_t least = std::max<size_t>(2, word.size() / 3) + 1;
  for (const std::string& k : known)
    if (word.size() < 64 && distance(word, k) < least) {
      least = distance(word, k);
      best = k;
    }
  return best;
}

namespace {

// Walks the table over one JSON object.
class Parser {
 public:
  Parser(const OrderedJson& object, std::string path, Problems& problems)
      : object_(object), path_(std::move(path)), problems_(problems) {}

  void version() {
    const OrderedJson* value = find("dalea");
    if (value == nullptr)
      problem("dalea", "is missing; an experiment starts with \"dalea\": " + std::to_string(spec_version));
    else if (!value->is_number_integer() || *value != spec_version)
      problem("dalea",
              shown(*value) + " is not a known version; this program reads version " + std::to_string(spec_version));
  }
  void text(const char* key, std::string& to) {
    const OrderedJson* value = find(key);
    if (value == nullptr) return;
    if (!value->is_string()) return problem(key, shown(*value) + " is not text; put it in double quotes");
    to = value->get<std::string>();
    if (to.size() > 4096) problem(key, "is longer than 4096 characters; shorten it");
  }
  void texts(const char* key, std::vector<std::string>& to) {
    const OrderedJson* value = find(key);
    if (value == nullptr) return;
    if (!value->is_array())
      return problem(key, shown(*value) + " is not a list; give names or indices as [\"a\", \"b\"]");
    to.clear();
    for (const OrderedJson& item : *value) {
      if (item.is_string())
        to.push_back(item.get<std::string>());
      else if (item.is_number_unsigned())
        to.push_back(std::to_string(item.get<uint64_t>()));
      else
        return problem(std::string(key) + "[" + std::to_string(to.size()) + "]",
                       shown(item) + " is neither a name nor an index");
    }
  }
  void flag(const char* key, bool& to) {
    const OrderedJson* value = find(key);
    if (value == nullptr) return;
    if (!value->is_boolean()) return problem(key, shown(*value) + " is not a switch; give true or false");
    to = value->get<bool>();
  }
  void real(const char* key, double& to, double lo, double hi, const char* what, const char* remedy) {
    const OrderedJson* value = find(key);
    if (value == nullptr) return;
    const double v = value->is_number() ? value->get<double>() : std::nan("");
    if (!(v >= lo && v <= hi)) return problem(key, shown(*value) + " is not " + what + "; give " + remedy);
    to = v;
  }
  void whole(const char* key, int64_t& to, int64_t lo, int64_t hi, const char* what, const char* remedy) {
    double v = static_cast<double>(to);
    const size_t before = problems_.size();
    real(key, v, static_cast<double>(lo), static_cast<double>(hi), what, remedy);
    if (problems_.size() > before) return;
    if (v != std::floor(v)) return problem(key, shown(*find(key)) + " is not " + what + "; give " + remedy);
    to = static_cast<int64_t>(v);
  }
  void seed(const char* key, uint64_t& to) {
    int64_t v = static_cast<int64_t>(to);
    whole(key, v, 0, static_cast<int64_t>(max_seed), "a seed", "an integer from 0 to 9007199254740991");
    to = static_cast<uint64_t>(v);
  }
  void choice(const char* key, std::string& to, Choices choices) {
    const OrderedJson* value = find(key);
    if (value == nullptr) return;
    std::string list;
    std::vector<std::string> known;
    for (const char* c : choices) {
      if (value->is_string() && *value == c) {
        to = c;
        return;
      }
      list += (list.empty() ? "" : ", ") + std::string(c);
      known.push_back(c);
    }
    const std::string near = value->is_string() ? closest(value->get<std::string>(), known) : "";
    problem(key, shown(*value) + " is not one of " + list + (near.empty() ? "" : "; did you mean '" + near + "'?"));
  }
  void activation(const char* key, Activation& to) {
    std::string name = activation_text(to);
    choice(key, name, {"tanh", "relu", "softplus", "sigmoid"});
    for (Activation a : {Activation::tanh, Activation::relu, Activation::softplus, Activation::sigmoid})
      if (name == activation_text(a)) to = a;
  }
  void sign(const char* key, Sign& to) {
    std::string name = sign_text(to);
    choice(key, name, {"+", "-", "free"});
    for (Sign s : {Sign::excitatory, Sign::inhibitory, Sign::free})
      if (name == sign_text(s)) to = s;
  }
  void probability(const char* key, std::vector<std::vector<double>>& to) {
    const OrderedJson* value = find(key);
    if (value == nullptr) return;
    to.clear();
    const auto one = [&](const OrderedJson& p, const std::string& at) {
      const double v = p.is_number() ? p.get<double>() : -1;
      if (!(v >= 0 && v <= 1)) problem(at, shown(p) + " is not a probability; give 0 to 1");
      return v;
    };
    if (value->is_number()) {
      to = {{one(*value, key)}};
      return;
    }
    if (!value->is_array())
      return problem(key,
                     shown(*value) + " is neither a number nor a matrix; give 0.1 or [[post1-from-pre1, ...], ...]");
    for (size_t i = 0; i < value->size(); ++i) {
      const std::string row = std::string(key) + "[" + std::to_string(i) + "]";
      if (!(*value)[i].is_array())
        return problem(row, "is not a row of probabilities; give one list per postsynaptic population");
      to.emplace_back();
      for (size_t j = 0; j < (*value)[i].size(); ++j)
        to.back().push_back(one((*value)[i][j], row + "[" + std::to_string(j) + "]"));
    }
  }
  void populations(const char* key, std::vector<Population>& to) {
    const OrderedJson* value = find(key);
    if (value == nullptr) return;
    if (!value->is_array())
      return problem(key,
                     shown(*value) + " is not a list; give [{\"name\": \"E\", \"size\": 102, \"sign\": \"+\"}, ...]");
    to.clear();
    for (size_t i = 0; i < value->size() && i < 10000; ++i) {
      const std::string path = at(key) + "[" + std::to_string(i) + "]";
      Population p;
      if (!(*value)[i].is_object()) {
        problems_.push_back(
            {path, shown((*value)[i]) + " is not a population; give {\"name\": ..., \"size\": ..., \"sign\": ...}"});
        continue;
      }
      Parser inner((*value)[i], path, problems_);
      describe_population(inner, p);
      inner.finish();
      for (const char* needed : {"name", "size", "sign"})
        if (!(*value)[i].contains(needed))
          problems_.push_back({path + "." + needed, "is missing; every population has a name, a size and a sign"});
      to.push_back(std::move(p));
    }
  }
  template <class F>
  void group(const char* key, F&& describe_group) {
    static const OrderedJson nothing = OrderedJson::object();
    const OrderedJson* value = find(key);
    if (value != nullptr && !value->is_object()) {
      problem(key, shown(*value) + " is not an object; give {...}");
      value = nullptr;
    }
    Parser inner(value != nullptr ? *value : nothing, at(key), problems_);
    describe_group(inner);
    inner.finish();
  }

  void finish() {
    for (const auto& [key, value] : object_.items()) {
      if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
      const std::string near = closest(key, known_);
      std::string list;
      for (const std::string& k : known_) list += (list.empty() ? "" : ", ") + k;
      problem(key.substr(0, 60),
              "is not a known key; " + (near.empty() ? "known here: " + list : "did you mean '" + near + "'?"));
    }
  }

 private:
  const OrderedJson* find(const char* key) {
    known_.push_back(key);
    const auto it = object_.find(key);
    return it == object_.end() ? nullptr : &*it;
  }
  std::string at(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }
  void problem(const std::string& key, std::string message) { problems_.push_back({at(key), std::move(message)}); }

  const OrderedJson& object_;
  std::string path_;
  Problems& problems_;
  std::vector<std::string> known_;
};

}  // namespace

const char* sign_text(Sign s) {
  return s == Sign::excitatory ? "+" : s == Sign::inhibitory ? "-" : "free";
}

const char* activation_text(Activation a) {
  constexpr const char* names[] = {"tanh", "relu", "softplus", "sigmoid", "identity"};
  return names[static_cast<int>(a)];
}

ParsedSpec parse_spec(std::string_view text) {
  ParsedSpec parsed;
  Result<OrderedJson> document = parse_json_strict(text, "experiment");
  if (!document) {
    parsed.problems.push_back(document.error());
    return parsed;
  }
  if (!document->is_object()) {
    parsed.problems.push_back({"experiment", "is not a JSON object; start with {\"dalea\": 1, ...}"});
    return parsed;
  }
  Parser parser(*document, "", parsed.problems);
  describe(parser, parsed.spec);
  parser.finish();
  fill_defaults(parsed.spec);
  if (parsed.problems.empty()) parsed.problems = check_spec(parsed.spec);
  return parsed;
}

}  // namespace dalea
