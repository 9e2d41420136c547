// Numbers in pieces: a large table grows without a copy, and what was used up is given back to the system at once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace dalea {

class Pieces {
 public:
  static constexpr size_t each = size_t{1} << 22;  // 32 MiB, which no allocator keeps for itself

  Pieces() = default;
  explicit Pieces(size_t expected) : expected_(expected) {}  // how many there will be at most

  void push_back(double v) {
    if (next_ == end_) grow();
    *next_++ = v;
    ++size_;
  }
  size_t size() const { return size_; }
  double operator[](size_t k) const { return pieces_[k / each][k % each]; }
  // The last ones go again.
  void shorten(size_t size) {
    const size_t count = (size + each - 1) / each;
    if (count < pieces_.size()) {
      pieces_.resize(count);
      room_ = each;
    }
    size_ = size;
    const size_t begin = count == 0 ? 0 : (count - 1) * each;
    next_ = count == 0 ? nullptr : pieces_.back().get() + (size - begin);
    end_ = count == 0 ? nullptr : pieces_.back().get() + room_;
  }
  // Those before k are not looked at any more.
  void forget_before(size_t k) {
    for (; forgotten_ < k / each; ++forgotten_) pieces_[forgotten_].reset();
  }
  // In single precision, piece by piece; nothing stays here.
  std::vector<std::vector<float>> as_floats() {
    std::vector<std::vector<float>> floats;
    for (size_t p = 0; p < pieces_.size(); ++p) {
      const double* from = pieces_[p].get();
      std::vector<float> piece(std::min(each, size_ - p * each));
      std::transform(from, from + piece.size(), piece.begin(), [](double v) { return static_cast<float>(v); });
      floats.push_back(std::move(piece));
      pieces_[p].reset();
    }
    *this = Pieces();
    return floats;
  }
  // All of them in one; nothing stays here.
  std::vector<double> joined() {
    std::vector<double> all;
    all.reserve(size_);
    for (size_t p = 0; p < pieces_.size(); ++p) {
      const double* from = pieces_[p].get();
      all.insert(all.end(), from, from + std::min(each, size_ - p * each));
      pieces_[p].reset();
    }
    *this = Pieces();
    return all;
  }

 private:
  void grow() {
    const size_t begin = size_ / each * each;
    const bool larger = size_ != begin;  // there are more than expected
    room_ = !larger && expected_ > begin ? std::min(each, expected_ - begin) : each;
    std::unique_ptr<double[]> piece(new double[room_]);  // not set to anything
    if (larger) {
      std::copy_n(pieces_.back().get(), size_ - begin, piece.get());
      pieces_.back() = std::move(piece);
    } else {
      pieces_.push_back(std::move(piece));
    }
    next_ = pieces_.back().get() + (size_ - begin);
    end_ = pieces_.back().get() + room_;
  }

  std::vector<std::unique_ptr<double[]>> pieces_;
  size_t expected_ = 0, size_ = 0, forgotten_ = 0;
  size_t room_ = 0;  // of the last piece
  double *next_ = nullptr, *end_ = nullptr;
};

}  // namespace dalea
