// How far a long piece of work is, told to whoever waits for it; and whether anybody still does.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "error.h"

namespace dalea {

class Progress {
 public:
  using Hear = std::function<bool(double part)>;  // part done, 0 .. 1; false: stop

  Progress() = default;  // nobody waits: it is never stopped
  explicit Progress(Hear hear) : hear_(std::move(hear)) {}

  // False: stop, and return cancelled(). Cheap, but not for every number: once for some 10,000.
  bool at(double part) const { return !hear_ || hear_(from_ + width_ * part); }
  bool at(uint64_t done, uint64_t total) const {
    return at(total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 1.0);
  }
  // The work between two parts of this one, as work of its own.
  Progress part(double from, double to) const {
    Progress p(hear_);
    p.from_ = from_ + width_ * from;
    p.width_ = width_ * (to - from);
    return p;
  }

 private:
  Hear hear_;
  double from_ = 0, width_ = 1;
};

// What reading a file ends with that was stopped.
inline Error cancelled(std::string_view file_name) {
  return {std::string(file_name), "was not read to its end: it was cancelled"};
}

}  // namespace dalea
