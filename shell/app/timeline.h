// The network at many moments of one training, to look back at. Thinned as it grows: moments and bytes are bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "network/model.h"

namespace dalea::app {

struct Moment {
  int64_t updates = 0;
  std::shared_ptr<const Parameters> parameters;
  std::shared_ptr<const Pattern> mask;  // of W_rec; null: every connection exists
};

class Timeline {
 public:
  explicit Timeline(size_t most_moments = 160, int64_t most_bytes = int64_t{192} << 20);

  void clear();
  // Keeps the parameters after `updates` updates when they are due: every one at first, then every second, fourth, ...
  // The first one stays. Moments come in order; one that is not later than the last is dropped.
  void offer(int64_t updates, const Parameters& parameters, std::shared_ptr<const Pattern> mask = nullptr);
  const std::vector<Moment>& moments() const { return moments_; }
  // The kept moment next to `updates`; null when there is none.
  const Moment* nearest(int64_t updates) const;
  int64_t bytes() const;

 private:
  size_t most_moments_;
  int64_t most_bytes_, stride_ = 1;
  std::vector<Moment> moments_;
};

}  // namespace dalea::app
