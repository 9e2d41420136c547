// --set a.b[0].c=value on JSON text.
#include <cctype>
#include <nlohmann/json.hpp>

#include "spec/json_strict.h"
#include "spec/spec.h"

namespace dalea {

Result<std::string> set_in_json(std::string_view text, std::string_view assignment) {
  Result<OrderedJson> document = parse_json_strict(text, "experiment");
  if (!document) return document.error();
  const size_t equals = assignment.find('=');
  const std::string path(assignment.substr(0, equals));
  if (equals == std::string_view::npos || equals == 0)
    return Error{"--set " + std::string(assignment),
                 "is not of the form path=value, such as training.optimizer.lr=0.01"};
  const std::string value_text(assignment.substr(equals + 1));
  Result<OrderedJson> value = parse_json_strict(value_text, path);
  // What is not JSON is taken as text, except what was surely meant as JSON.
  if (!value && !value_text.empty() && (value_text[0] == '{' || value_text[0] == '[')) return value.error();
  OrderedJson target_value = value ? *value : OrderedJson(value_text);

  OrderedJson* at = &*document;
  size_t i = 0;
  while (i < path.size()) {
    if (path[i] == '[') {
      const size_t close = path.find(']', i);
      const std::string digits = close == std::string::npos ? "" : path.substr(i + 1, close - i - 1);
      if (digits.empty() || digits.size() > 6 || digits.find_first_not_of("0123456789") != std::string::npos)
        return Error{path, "has a bad index; write it as name[0]"};
      const size_t index = std::stoul(digits);
      if (at->is_null()) *at = OrderedJson::array();
      if (!at->is_array()) return Error{path.substr(0, i), "is not a list, so it has no [" + digits + "]"};
      if (index > at->size())
        return Error{path.substr(0, close + 1), "is beyond the list of " + std::to_string(at->size()) +
                                                    "; the next free index is " + std::to_string(at->size())};
      if (index == at->size()) at->push_back(OrderedJson());
      at = &(*at)[index];
      i = close + 1;
      if (i < path.size() && path[i] == '.') ++i;
    } else {
      const size_t end = path.find_first_of(".[", i);
      const std::string key = path.substr(i, end == std::string::npos ? end : end - i);
      if (key.empty()) return Error{path, "has an empty name; write a.b[0].c=value"};
      if (at->is_null()) *at = OrderedJson::object();
      if (!at->is_object()) return Error{path.substr(0, i), "is not an object, so it has no '" + key + "'"};
      at = &(*at)[key];
      i = end == std::string::npos ? path.size() : end;
      if (i < path.size() && path[i] == '.') ++i;
    }
  }
  *at = std::move(target_value);
  return document->dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace dalea
