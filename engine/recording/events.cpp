#include "recording/events.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "recording/text_rows.h"

namespace dalea {
namespace {

constexpr int64_t most_window = 1000000;  // frames

std::string event_name(int64_t row) {
  return "event " + std::to_string(row);
}

struct EventColumns {
  int64_t time = -1, frame = -1, label = -1;
};

Result<EventColumns> event_columns(const std::vector<std::string_view>& header) {
  EventColumns c;
  c.frame = column_named(header, {"frame", "frames", "frame_index"});
  c.time = column_named(header, {"time_s", "time", "times", "t", "onset", "onset_s", "start_time", "timestamp",
                                 "timestamps", "seconds", "time (s)"});
  c.label = column_named(header, {"label", "event", "kind", "condition", "type", "trial_type"});
  if (c.time >= 0 || c.frame >= 0) return c;
  std::vector<std::string> names;
  for (std::string_view name : header) names.emplace_back(name.substr(0, 40));
  return Error{"recording.events.file",
               "has no column of times or frames; its first line reads " + listed(names) +
                   "; name a column time_s (seconds) or frame (0-based), and one label where there are kinds"};
}

struct RawEvent {
  int64_t row = 0;
  double at = 0;  // s, or frames
  std::string label;
  bool read = false;
  std::string text;  // what stood in place of a number
};

}  // namespace

Result<EventWindows> find_windows(const Recording& recording, const EventsSpec& spec) {
  const std::string path = "recording.events.file";
  TextRows rows(recording.events_csv);
  std::vector<std::string_view> fields;
  if (!rows.next(fields)) return Error{path, "is empty; give a table of events, one a line, below the columns' names"};
  if (recording.events_csv.find('\0') != std::string::npos)
    return Error{path, "is not text (it holds zero bytes); give a CSV table of events"};
  Result<EventColumns> columns = event_columns(fields);
  if (!columns) return columns.error();
  const bool by_frame = columns->frame >= 0;
  const int64_t place = by_frame ? columns->frame : columns->time;
  if (!spec.label.empty() && columns->label < 0)
    return Error{"recording.events.label", "is '" + spec.label +
                                               "', but the table of events has no column of labels; "
                                               "name one label, or leave this empty for all events"};

  EventWindows found;
  std::vector<RawEvent> events;
  std::map<std::string, int64_t> labels;  // all, with their numbers of events
  for (int64_t row = 1; rows.next(fields); ++row) {
    const auto field = [&](int64_t column) {
      return column >= 0 && column < static_cast<int64_t>(fields.size()) ? fields[column] : std::string_view();
    };
    RawEvent e;
    e.row = row;
    e.label = std::string(field(columns->label).substr(0, 200));
    e.read = rows.number(field(place), e.at);
    e.text = std::string(field(place).substr(0, 20));
    ++labels[e.label];
    if (spec.label.empty() || e.label == spec.label) events.push_back(std::move(e));
  }
  found.events = static_cast<int64_t>(events.size());
  if (events.empty()) {
    if (labels.empty()) return Error{path, "has no event below its first line; give one a line"};
    std::vector<std::string> known;
    for (const auto& [label, count] : labels)
      known.push_back("'" + label.substr(0, 40) + "' (" + std::to_string(count) + ")");
    return Error{"recording.events.label",
                 "'" + spec.label + "' is no label of the table of events; it has " + listed(known, 20)};
  }
  if (!(recording.rate_hz > 0))
    return Error{"recording.rate_hz", "is unknown, and windows around events are given in seconds; state it"};
  const double before = std::floor(spec.before_s * recording.rate_hz + 0.5),
               length = std::floor((spec.before_s + spec.after_s) * recording.rate_hz + 0.5);
  if (length < 2)
    return Error{"recording.events.after_s",
                 "makes windows of fewer than two frames, and a frame is predicted from "
                 "the one before; give longer windows"};
  if (length > static_cast<double>(std::min(recording.frames, most_window)))
    return Error{"recording.events.after_s", "makes windows longer than the recording's " +
                                                 std::to_string(recording.frames) + " frames; give shorter ones"};
  found.frames = static_cast<int64_t>(length);
  found.event_frame = static_cast<int64_t>(before);

  std::map<std::string, int32_t> kind;  // of the events asked for
  for (const RawEvent& e : events) kind.emplace(e.label, 0);
  for (auto& [label, index] : kind) {
    index = static_cast<int32_t>(found.kinds.size());
    found.kinds.push_back(label);
  }
  std::map<int64_t, int64_t> seen;  // start -> row
  const auto drop = [&](const RawEvent& e, std::string reason) {
    found.dropped.push_back({event_name(e.row), std::move(reason)});
  };
  for (const RawEvent& e : events) {
    if (!e.read) {
      drop(e, e.text.empty() ? "it has no time" : "its time '" + e.text + "' is not a number");
      continue;
    }
    const double frame = std::floor((by_frame ? e.at : (e.at - recording.start_s) * recording.rate_hz) + 0.5);
    if (!(frame >= 0 && frame < static_cast<double>(recording.frames))) {
      drop(e, frame < 0 ? "before the recording" : "after the recording");
    } else if (frame < before) {
      drop(e, "its window begins before the recording");
    } else if (frame - before + length > static_cast<double>(recording.frames)) {
      drop(e, "its window ends after the recording");
    } else {
      const auto start = static_cast<int64_t>(frame - before);
      if (const auto [first, fresh] = seen.emplace(start, e.row); !fresh)
        drop(e, "on the same frame as event " + std::to_string(first->second));
      else
        found.windows.push_back({start, e.row, kind[e.label]});
    }
  }
  if (found.windows.empty())
    return Error{path, "has no event whose window lies in the recording: of " + std::to_string(found.events) +
                           ", the first was left out for: " + found.dropped[0].reason +
                           "; check the times (seconds on the recording's clock) and the rate"};
  std::sort(found.windows.begin(), found.windows.end(),
            [](const EventWindow& a, const EventWindow& b) { return a.start < b.start; });
  return found;
}

Result<WindowParts> split_windows(const EventWindows& w, int64_t frames, const RecordingSpec& spec, Reach reach) {
  constexpr const char* names[] = {"training", "validation", "held-out"};
  WindowParts parts;
  const auto share = [](int64_t n, double fraction) {
    return static_cast<int64_t>(std::floor(static_cast<double>(n) * fraction + 1e-9));
  };
  const double both = spec.train_fraction + spec.validation_fraction;
  // What making a window's trial reads: frames [begin, end).
  const auto begin_of = [&](const EventWindow& e) { return std::max<int64_t>(0, e.start - reach.before); };
  const auto end_of = [&](const EventWindow& e) { return std::min(frames, e.start + w.frames + reach.after); };
  if (spec.split == "time") {
    const int64_t border[] = {0, share(frames, spec.train_fraction), share(frames, both), frames};
    for (const EventWindow& e : w.windows) {
      int k = 0;
      while (k < 2 && begin_of(e) >= border[k + 1]) ++k;
      if (end_of(e) <= border[k + 1])
        parts.part[k].push_back(e);
      else
        parts.dropped.push_back(
            {event_name(e.row), std::string("its window shares frames with the ") + names[k] + " part and the next"});
    }
  } else {
    const auto n = static_cast<int64_t>(w.windows.size());
    if (n < 3)
      return Error{"recording.events.file", "has " + std::to_string(n) +
                                                " events to split, and each of the training, "
                                                "validation and held-out parts needs one; give more events"};
    const int64_t first = std::clamp<int64_t>(share(n, spec.train_fraction), 1, n - 2),
                  second = std::clamp<int64_t>(share(n, both), first + 1, n - 1);
    int64_t read = 0;  // frames below it are an earlier part's
    int part = 0;
    for (int64_t k = 0; k < n; ++k) {
      const EventWindow& e = w.windows[k];
      const int mine = k < first ? 0 : k < second ? 1 : 2;
      if (mine != part)
        for (; part < mine; ++part)
          if (!parts.part[part].empty()) read = end_of(parts.part[part].back());
      if (begin_of(e) < read)
        parts.dropped.push_back({event_name(e.row), "its window shares frames with the part before"});
      else
        parts.part[mine].push_back(e);
    }
  }
  for (int k = 0; k < 3; ++k)
    if (parts.part[k].empty())
      return Error{"recording.split", std::string("leaves no event to the ") + names[k] + " part (of " +
                                          std::to_string(w.windows.size()) + ", " +
                                          std::to_string(parts.dropped.size()) +
                                          " lie across parts); give more events, shorter windows, less smoothing or "
                                          "other fractions"};
  return parts;
}

}  // namespace dalea
