// What a link says about the window beside its experiment, for a class or a talk: "&view=" + base64url(zlib(JSON)).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/theme.h"
#include "error.h"

namespace dalea::app {

// What the tab Compare compares: an experiment under several values of one key, each trained several times.
struct ComparisonPlan {
  std::string key;                   // "recording.condition"; empty: sessions from files
  std::vector<std::string> values;   // of it, as JSON or plain text
  int64_t runs = 5;                  // of each
  std::string level = "layer";       // "population", "layer", "area"
  std::string checkpoint = "final";  // "initial", "dense", "sparse", "final"
  bool raw = false;                  // mean W instead of mean |W|
  size_t from = 0, to = 1;           // which of the values: differences are `to` minus `from`
  bool operator==(const ComparisonPlan&) const = default;
};
constexpr size_t most_compared = 6;
constexpr int64_t least_compared_runs = 2, most_compared_runs = 20;

struct LinkView {
  std::string title, note;  // plain text, at most 200 and 1000 characters
  std::string tab;          // of the centre, by its name, small or capital letters; empty: as it is
  bool hide_build = false;  // the settings at the left
  bool hide_tabs = false;   // the centre's other tabs
  bool hide_share = false;  // the buttons at the top right
  bool hide_loss = false, hide_trial = false;
  std::optional<Theme> theme;
  std::optional<double> pace;  // updates a second, 0: as fast as possible
  std::optional<ComparisonPlan> compare;

  bool empty() const { return *this == LinkView(); }
  bool operator==(const LinkView&) const = default;
};

// "view=...", to stand behind the experiment and "&"; empty for an empty view.
std::string encode_view(const LinkView& view);

// The view of a link or fragment. What cannot be used is left out of it and named in `notices`, which is all that a
// damaged one gives: the experiment stands by itself.
struct DecodedView {
  LinkView view;
  std::vector<std::string> notices;
};
DecodedView decode_view(std::string_view fragment_or_url);

// What the share popup holds while it is open.
struct ShareState {
  char title[804] = "", note[4004] = "";  // UTF-8
  bool hide_build = false, hide_tabs = false, hide_share = false, hide_loss = false, hide_trial = false;
  bool with_theme = false, with_pace = false;
};

}  // namespace dalea::app
