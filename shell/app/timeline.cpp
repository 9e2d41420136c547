#include "app/timeline.h"

#include <algorithm>

namespace dalea::app {

Timeline::Timeline(size_t most_moments, int64_t most_bytes)
    : most_moments_(std::max<size_t>(4, most_moments)), most_bytes_(most_bytes) {}

void Timeline::clear() {
  moments_.clear();
  stride_ = 1;
}

// A network that was pruned meanwhile is smaller from then on.
int64_t Timeline::bytes() const {
  int64_t sum = 0;
  for (const Moment& m : moments_)
    for (size_t k = 0; k < m.parameters->size(); ++k)
      sum += static_cast<int64_t>((*m.parameters)[k].values.size() * sizeof(float));
  return sum;
}

void Timeline::offer(int64_t updates, const Parameters& parameters, std::shared_ptr<const Pattern> mask) {
  if (!moments_.empty() && (updates <= moments_.back().updates || updates % stride_ != 0)) return;
  moments_.push_back({updates, std::make_shared<Parameters>(parameters), std::move(mask)});
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
