#include "spec/json_strict.h"

#include <set>
#include <string>
#include <vector>

namespace dalea {
namespace {

constexpr size_t max_depth = 64;

std::string place(std::string_view text, size_t offset) {
  size_t line = 1, column = 1;
  for (size_t i = 0; i < offset && i < text.size(); ++i) {
    ++column;
    if (text[i] == '\n') {
      ++line;
      column = 1;
    }
  }
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

// Builds the document event by event, so that duplicate keys and depth are seen before anything is kept.
class Builder : public nlohmann::json_sax<OrderedJson> {
 public:
  explicit Builder(std::string_view text) : text_(text) {}

  OrderedJson root;
  std::string message;

  bool null() override { return put(OrderedJson()); }
  bool boolean(bool v) override { return put(OrderedJson(v)); }
  bool number_integer(number_integer_t v) override { return put(OrderedJson(v)); }
  bool number_unsigned(number_unsigned_t v) override { return put(OrderedJson(v)); }
  bool number_float(number_float_t v, const string_t&) override { return put(OrderedJson(v)); }
  bool string(string_t& v) override { return put(OrderedJson(v)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(size_t) override { return open(OrderedJson::object()); }
  bool start_array(size_t) override { return open(OrderedJson::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& k) override {
    if (!keys_.back().insert(k).second) {
      message = "the key '" + k.substr(0, 60) + "' stands twice in one object; keep one of them";
      return false;
    }
    key_ = k;
    return true;
  }
  bool parse_error(size_t position, const std::string& token, const nlohmann::detail::exception& e) override {
    if (e.id == 406) {
      message =
          place(text_, position) + ": " + token.substr(0, 40) + " is beyond what a number can hold; give a smaller one";
      return false;
    }
    message = place(text_, position) + ": this is not JSON" +
              (token.empty() ? "" : " (near " + token.substr(token.size() > 30 ? token.size() - 30 : 0) + ")") +
              "; check quotes, commas and brackets (NaN, Infinity and comments do not exist in JSON)";
    return false;
  }

 private:
  OrderedJson* put(OrderedJson value, int) {
    if (stack_.empty()) {
      root = std::move(value);
      return &root;
    }
    OrderedJson& top = *stack_.back();
    if (top.is_array()) {
      top.push_back(std::move(value));
      return &top.back();
    }
    return &(top[key_] = std::move(value));
  }
  bool put(OrderedJson value) {
    put(std::move(value), 0);
    return true;
  }
  bool open(OrderedJson value) {
    if (stack_.size() >= max_depth) {
      message = "is nested more than " + std::to_string(max_depth) + " levels deep; an experiment needs five";
      return false;
    }
    stack_.push_back(put(std::move(value), 0));
    keys_.emplace_back();
    return true;
  }
  bool close() {
    stack_.pop_back();
    keys_.pop_back();
    return true;
  }

  std::string_view text_;
  std::vector<OrderedJson*> stack_;  // stable: an open container's parent does not grow
  std::vector<std::set<std::string>> keys_;
  std::string key_;
};

}  // namespace

Result<nlohmann::ordered_json> parse_json_strict(std::string_view text, const std::string& what) {
  if (text.size() > max_json_bytes)
    return Error{what, "is " + std::to_string(text.size()) + " bytes long; at most 1 MiB is read"};
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);  // a byte order mark
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return Error{what, "is empty; give a JSON object"};
  Builder builder(text);
  if (!OrderedJson::sax_parse(text.begin(), text.end(), &builder)) return Error{what, builder.message};
  return std::move(builder.root);
}

}  // namespace dalea
