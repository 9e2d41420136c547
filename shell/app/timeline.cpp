#include "app/timeline.h"

#include <algorithm>

namespace dalea::app {

Timeline::Timeline(size_t most_moments, int64_t most_bytes)
    : most_moments_(std::max<size_t>(4, most_moments)), most_bytes_(most_bytes) {}

void Timeline::clear() {
  moments_.clear();
  stride_ = 1;
  each_ = 0;
}

int64_t Timeline::bytes() const {
  return each_ * static_cast<int64_t>(moments_.size());
}

void Timeline::offer(int64_t updates, const Parameters& parameters) {
  if (!moments_.empty() && (updates <= moments_.back().updates || updates % stride_ != 0)) return;
  if (moments_.empty()) {
    each_ = 0;
    for (const Weights* w : parameters.all()) each_ += static_cast<int64_t>(w->values.size() * sizeof(float));
  }
  moments_.push_back({updates, std::make_shared<Parameters>(parameters)});
  // Four moments are kept whatever they weigh: the start, and what of the way there is.
  while (moments_.size() > 4 && (moments_.size() > most_moments_ || bytes() > most_bytes_)) {
    stride_ *= 2;
    const size_t before = moments_.size();
    moments_.erase(std::remove_if(moments_.begin() + 1, moments_.end(),
                                  [this](const Moment& m) { return m.updates % stride_ != 0; }),
                   moments_.end());
    if (moments_.size() == before && before <= most_moments_) break;
  }
}

const Moment* Timeline::nearest(int64_t updates) const {
  const Moment* best = nullptr;
  for (const Moment& m : moments_)
    if (best == nullptr || std::abs(m.updates - updates) < std::abs(best->updates - updates)) best = &m;
  return best;
}

}  // namespace dalea::app
