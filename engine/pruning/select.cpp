// A fixed number of entries out of a block.
#include <algorithm>
#include <cstring>

#include "pruning/piece.h"

namespace dalea::pruning {

namespace {

struct Drawn {
  double u;
  uint32_t e;
  bool operator<(const Drawn& other) const { return u != other.u ? u < other.u : e < other.e; }
};

}  // namespace

std::vector<uint64_t> keys_by_magnitude(const Piece& piece) {
  std::vector<uint64_t> keys;
  keys.reserve(static_cast<size_t>(piece.eligible_count));
  for (size_t e = 0; e < piece.magnitude.size(); ++e) {
    if (!piece.eligible[e]) continue;
    uint32_t bits = 0;  // of a number that is not negative: in the order of the numbers
    std::memcpy(&bits, &piece.magnitude[e], sizeof bits);
    keys.push_back(static_cast<uint64_t>(~bits) << 32 | e);
  }
  return keys;
}

std::vector<uint8_t> largest(const Piece& piece, int64_t count) {
  std::vector<uint64_t> keys = keys_by_magnitude(piece);
  count = std::clamp<int64_t>(count, 0, static_cast<int64_t>(keys.size()));
  std::nth_element(keys.begin(), keys.begin() + count, keys.end());
  std::vector<uint8_t> kept(piece.magnitude.size(), 0);
  for (int64_t k = 0; k < count; ++k) kept[static_cast<uint32_t>(keys[k])] = 1;
  return kept;
}

std::vector<uint8_t> smallest_draws(const Piece& piece, const std::vector<double>& draw, int64_t count) {
  std::vector<Drawn> order;
  for (size_t e = 0; e < draw.size(); ++e)
    if (piece.eligible[e]) order.push_back({draw[e], static_cast<uint32_t>(e)});
  count = std::clamp<int64_t>(count, 0, static_cast<int64_t>(order.size()));
  std::nth_element(order.begin(), order.begin() + count, order.end());
  std::vector<uint8_t> kept(draw.size(), 0);
  for (int64_t k = 0; k < count; ++k) kept[order[k].e] = 1;
  return kept;
}

std::vector<uint8_t> systematic(const std::vector<double>& probability, const std::vector<double>& draw, int64_t count,
                                uint32_t start) {
  constexpr int64_t one = int64_t{1} << 32;
  std::vector<uint8_t> kept(probability.size(), 0);
  std::vector<Drawn> order;
  for (size_t e = 0; e < probability.size(); ++e) {
    if (probability[e] >= 1) {
      kept[e] = 1;
      --count;
    } else if (probability[e] > 0) {
      order.push_back({draw[e], static_cast<uint32_t>(e)});
    }
  }
  count = std::clamp<int64_t>(count, 0, static_cast<int64_t>(order.size()));
  if (count == 0) return kept;
  std::sort(order.begin(), order.end());
  std::vector<int64_t> length;
  int64_t missing = count * one;  // rounding: shared in units, so that the lengths sum to count
  for (const Drawn& d : order) {
    length.push_back(static_cast<int64_t>(probability[d.e] * 0x1p32));
    missing -= length.back();
  }
  for (size_t k = 0; missing != 0; k = k + 1 < length.size() ? k + 1 : 0) {
    if (missing > 0 && length[k] < one) {
      ++length[k];
      --missing;
    } else if (missing < 0 && length[k] > 0) {
      --length[k];
      ++missing;
    }
  }
  int64_t end = 0, next = start;
  for (size_t k = 0; k < order.size(); ++k) {
    end += length[k];
    if (end <= next) continue;
    kept[order[k].e] = 1;
    next += one;
  }
  return kept;
}

}  // namespace dalea::pruning
