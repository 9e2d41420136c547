// A table of events and the windows around them (SEEDS 4.5): which frames become trials, and which part each falls to.
#pragma once

#include <array>

#include "recording/recording.h"
#include "recording/smoothing.h"

namespace dalea {

struct EventWindow {
  int64_t start = 0;  // frame
  int64_t row = 0;    // of the table, from 1 below its header
  int32_t kind = 0;   // in EventWindows::kinds
};

struct EventWindows {
  int64_t events = 0;                // rows of the kind asked for
  int64_t frames = 0;                // of each window: (before_s + after_s) x rate, to the nearest
  int64_t event_frame = 0;           // of the event in its window: before_s x rate, to the nearest
  std::vector<EventWindow> windows;  // in order of time, no two of one start, all within the recording
  std::vector<std::string> kinds;    // labels in order of their names; one empty where the table has none
  std::vector<Dropped> dropped;      // "event 3" and why
};

// Of recording.events_csv: a column of seconds (time_s, time, ...) or of frames (frame), and of labels where there are
// kinds (label, event, kind, condition, ...). An event falls on the nearest frame; rows in any order. Errors: no such
// column, an unknown label, no rate, a window of fewer than two frames, no event with its window in the recording.
Result<EventWindows> find_windows(const Recording& recording, const EventsSpec& spec);

// Training, validation, held out: "time" as split_in_time, "trial" whole events in order of time by the fractions, at
// least one each. No frame is read by two parts, with what `reach` reads around a window: windows that would are
// dropped. An error: a part without one.
struct WindowParts {
  std::array<std::vector<EventWindow>, 3> part;
  std::vector<Dropped> dropped;
};
Result<WindowParts> split_windows(const EventWindows& windows, int64_t frames, const RecordingSpec& spec, Reach reach);

}  // namespace dalea
