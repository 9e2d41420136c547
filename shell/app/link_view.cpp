#include "app/link_view.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "spec/json_strict.h"
#include "spec/spec.h"

namespace dalea::app {
namespace {

constexpr size_t most_title = 200, most_note = 1000, most_tab = 40;  // characters
constexpr size_t most_bytes = size_t{1} << 14;                       // of the JSON text
constexpr double most_pace = 1000;
constexpr size_t most_plan_text = 200;  // bytes

struct Hidden {
  const char* name;
  bool LinkView::*member;
};
constexpr Hidden hideable[] = {{"build", &LinkView::hide_build},
                               {"tabs", &LinkView::hide_tabs},
                               {"share", &LinkView::hide_share},
                               {"loss", &LinkView::hide_loss},
                               {"trial", &LinkView::hide_trial}};

// At most `most` characters of UTF-8, without control characters; `lines`: line ends stay.
std::string shortened(const std::string& text, size_t most, bool lines) {
  std::string short_text;
  size_t count = 0;
  for (char c : text) {
    const bool begins = (static_cast<unsigned char>(c) & 0xc0) != 0x80;  // a character, not its later bytes
    if (begins && ++count > most) break;
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    if (control && !(lines && c == '\n')) c = ' ';
    short_text += c;
  }
  return short_text;
}

std::string view_part(std::string_view link) {
  if (const size_t hash = link.find('#'); hash != std::string_view::npos) link.remove_prefix(hash + 1);
  while (!link.empty() && (link.back() == '\n' || link.back() == '\r' || link.back() == ' ')) link.remove_suffix(1);
  for (size_t at = link.find('&'); at != std::string_view::npos; at = link.find('&')) {
    link.remove_prefix(at + 1);
    if (link.substr(0, 5) == "view=") return std::string(link.substr(5, link.find('&') - 5));
  }
  return {};
}

// False: it is not a comparison as a whole.
bool read_plan(const OrderedJson& o, LinkView& view) {
  ComparisonPlan plan;
  if (!o.is_object()) return false;
  for (const auto& [key, value] : o.items()) {
    if (key == "key" || key == "level" || key == "checkpoint") {
      if (!value.is_string() || value.get_ref<const std::string&>().size() > most_plan_text) return false;
      (key == "key" ? plan.key : key == "level" ? plan.level : plan.checkpoint) = value.get<std::string>();
    } else if (key == "values") {
      if (!value.is_array() || value.size() > most_compared) return false;
      for (const OrderedJson& v : value) {
        if (!v.is_string() || v.get_ref<const std::string&>().size() > most_plan_text) return false;
        plan.values.push_back(v.get<std::string>());
      }
    } else if (key == "runs") {
      if (!value.is_number_integer()) return false;
      const auto runs = value.get<double>();
      if (runs < static_cast<double>(least_compared_runs) || runs > static_cast<double>(most_compared_runs))
        return false;
      plan.runs = value.get<int64_t>();
    } else if (key == "raw") {
      if (!value.is_boolean()) return false;
      plan.raw = value.get<bool>();
    } else if (key == "pair") {
      if (!value.is_array() || value.size() != 2) return false;
      for (const OrderedJson& v : value)
        if (!v.is_number_integer() || v.get<double>() < 0 || v.get<double>() > static_cast<double>(most_compared))
          return false;
      plan.from = value[0].get<size_t>();
      plan.to = value[1].get<size_t>();
    } else {
      return false;
    }
  }
  const bool level = plan.level == "population" || plan.level == "layer" || plan.level == "area";
  const std::string& c = plan.checkpoint;
  const bool checkpoint = c == "initial" || c == "dense" || c == "sparse" || c == "final";
  if (!level || !checkpoint || plan.key.empty() || plan.values.size() < 2 || plan.from == plan.to ||
      std::max(plan.from, plan.to) >= plan.values.size())
    return false;
  view.compare = std::move(plan);
  return true;
}

// Reads one key; false: its value is none that it can have.
bool read(const std::string& key, const OrderedJson& value, LinkView& view, std::vector<std::string>& unknown) {
  if (key == "title" || key == "note" || key == "tab") {
    if (!value.is_string()) return false;
    const std::string& text = value.get_ref<const std::string&>();
    if (key == "title")
      view.title = shortened(text, most_title, false);
    else if (key == "note")
      view.note = shortened(text, most_note, true);
    else
      view.tab = shortened(text, most_tab, false);
    return true;
  }
  if (key == "theme") {
    if (value != "light" && value != "dark") return false;
    view.theme = value == "dark" ? Theme::dark : Theme::light;
    return true;
  }
  if (key == "pace") {
    if (!value.is_number()) return false;
    const double pace = value.get<double>();
    if (!(pace >= 0 && pace <= most_pace)) return false;
    view.pace = pace;
    return true;
  }
  if (key == "compare") return read_plan(value, view);
  if (key == "hide") {
    if (!value.is_array()) return false;
    for (const OrderedJson& part : value) {
      bool known = false;
      for (const Hidden& h : hideable)
        if (part == h.name) known = view.*h.member = true;
      if (!known && unknown.size() < 5)
        unknown.push_back(part.is_string() ? "hide " + shortened(part.get_ref<const std::string&>(), most_tab, false)
                                           : "hide");
    }
    return true;
  }
  if (unknown.size() < 5) unknown.push_back(shortened(key, most_tab, false));
  return true;
}

}  // namespace

std::string encode_view(const LinkView& view) {
  if (view.empty()) return {};
  OrderedJson o = OrderedJson::object();
  if (!view.title.empty()) o["title"] = shortened(view.title, most_title, false);
  if (!view.note.empty()) o["note"] = shortened(view.note, most_note, true);
  if (!view.tab.empty()) o["tab"] = view.tab;
  for (const Hidden& h : hideable)
    if (view.*h.member) o["hide"].push_back(h.name);
  if (view.theme) o["theme"] = *view.theme == Theme::dark ? "dark" : "light";
  if (view.pace) {
    if (*view.pace == std::floor(*view.pace))
      o["pace"] = static_cast<int64_t>(*view.pace);
    else
      o["pace"] = *view.pace;
  }
  if (view.compare) {
    const ComparisonPlan& c = *view.compare;
    OrderedJson& plan = o["compare"];
    plan["key"] = c.key;
    plan["values"] = c.values;
    plan["runs"] = c.runs;
    plan["level"] = c.level;
    if (c.checkpoint != "final") plan["checkpoint"] = c.checkpoint;
    if (c.raw) plan["raw"] = true;
    plan["pair"] = {c.from, c.to};
  }
  return "view=" + pack_text(o.dump(-1, ' ', false, OrderedJson::error_handler_t::replace));
}

DecodedView decode_view(std::string_view link) {
  DecodedView decoded;
  const std::string part = view_part(link);
  if (part.empty()) return decoded;
  const auto damaged = [&](const std::string& why) {
    decoded.notices.push_back("The link's experiment is open, but what it says about the window cannot be used (" +
                              why + "): everything is shown");
    return decoded;
  };
  Result<std::string> text = unpack_text(part, most_bytes);
  if (!text) return damaged("it " + text.error().message);
  Result<OrderedJson> document = parse_json_strict(*text, "view");
  if (!document) return damaged(document.error().text());
  if (!document->is_object()) return damaged("it is not a JSON object");
  std::vector<std::string> unknown;
  for (const auto& [key, value] : document->items())
    if (!read(key, value, decoded.view, unknown) && unknown.size() < 5) unknown.push_back(key);
  if (!unknown.empty()) {
    std::string names;
    for (const std::string& name : unknown) names += (names.empty() ? "" : ", ") + name;
    decoded.notices.push_back(
        "The link asks of the window what this version does not know or cannot use, and that was left out: " + names);
  }
  return decoded;
}

}  // namespace dalea::app
