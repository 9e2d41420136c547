// Elements to numbers and texts.
#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "recording/hdf5_parts.h"
#include "session/npz.h"

namespace dalea::hdf5 {
namespace {

using ToNumber = double (*)(const std::byte*, bool);

double half_number(const std::byte* p, bool swap) {
  const unsigned low = std::to_integer<unsigned>(p[swap ? 1 : 0]), high = std::to_integer<unsigned>(p[swap ? 0 : 1]);
  const unsigned exponent = high >> 2 & 31, fraction = (high & 3) << 8 | low;
  double v = exponent == 0   ? std::ldexp(fraction, -24)
             : exponent < 31 ? std::ldexp(1024.0 + fraction, static_cast<int>(exponent) - 25)
             : fraction == 0 ? std::numeric_limits<double>::infinity()
                             : std::numeric_limits<double>::quiet_NaN();
  return (high & 0x80) != 0 ? -v : v;
}

ToNumber to_number(const Type& t) {
  if (t.form == 'f') return t.size == 2 ? half_number : t.size == 4 ? number_at<float> : number_at<double>;
  const bool u = t.form == 'u';
  switch (t.size) {
    case 1:
      return u ? number_at<uint8_t> : number_at<int8_t>;
    case 2:
      return u ? number_at<uint16_t> : number_at<int16_t>;
    case 4:
      return u ? number_at<uint32_t> : number_at<int32_t>;
    default:
      return u ? number_at<uint64_t> : number_at<int64_t>;
  }
}

// Receives elements in any order and places them.
class Sink {
 public:
  Sink(Walk& walk, const Dataset& d, Hdf5Values& to) : walk_(walk), type_(d.type), to_(to) {
    const size_t count = static_cast<size_t>(d.shape.count);
    if (type_.kind == Type::number) {
      convert_ = to_number(type_);
      to_.numbers.assign(count, d.fill.empty() ? 0.0 : convert_(d.fill.data(), type_.big));
    } else {
      std::string fill;
      if (type_.kind == Type::text && !d.fill.empty()) text(d.fill, fill);
      to_.texts.assign(count, fill);
    }
  }

  bool put(uint64_t first, const std::byte* from, uint64_t count) {
    if (type_.kind == Type::number) {
      double* out = to_.numbers.data() + first;
      const size_t size = static_cast<size_t>(type_.size);
      for (uint64_t k = 0; k < count; ++k, from += size) out[k] = convert_(from, type_.big);
      return true;
    }
    for (uint64_t k = 0; k < count; ++k, from += type_.size)
      if (!text(Bytes(from, static_cast<size_t>(type_.size)), to_.texts[static_cast<size_t>(first + k)])) return false;
    return true;
  }

 private:
  bool text(Bytes raw, std::string& out) {
    if (type_.kind == Type::variable_text && !heap_text(raw, raw)) return false;
    if (!walk_.unpack(raw.size())) return false;
    const auto* c = reinterpret_cast<const char*>(raw.data());
    size_t n = type_.space_padded ? raw.size() : static_cast<size_t>(std::find(c, c + raw.size(), '\0') - c);
    while (type_.space_padded && n > 0 && (c[n - 1] == ' ' || c[n - 1] == '\0')) --n;
    out.assign(c, n);
    return true;
  }

  // An element of a variable text says in which collection of the global heap it stands, and its number there.
  bool heap_text(Bytes element, Bytes& to) {
    Cursor c = walk_.in(element);
    const uint64_t length = c.number(4), address = c.address(), index = c.number(4);
    to = {};
    if (length == 0 || address == 0 || address == nowhere) return true;
    const auto [found, is_new] = collections_.try_emplace(address);
    if (is_new && !read_collection(address, found->second)) return false;
    const auto object = found->second.find(index);
    if (object == found->second.end() || object->second.size() < length)
      return walk_.fail("has a text that is not in the file; the file is damaged");
    to = object->second.first(static_cast<size_t>(length));
    return true;
  }

  using Collection = std::unordered_map<uint64_t, Bytes>;
  bool read_collection(uint64_t address, Collection& to) {
    const auto damaged = [this] { return walk_.fail("has a damaged collection of texts"); };
    Cursor c = walk_.at(address);
    if (!c.mark("GCOL") || c.number(1) != 1) return damaged();
    c.take(3);
    const uint64_t size = c.length(), head = 8 + walk_.space.length_bytes;
    if (!c.ok() || size < head) return damaged();
    Cursor in = walk_.in(c.take(size - head));
    if (!c.ok()) return damaged();
    while (in.left() >= head) {
      if (!walk_.step(8)) return false;  // an entry of the table takes that much more than a node
      const uint64_t index = in.number(2);
      in.take(6);
      const uint64_t bytes = in.length();
      if (index == 0) break;  // the rest is free
      to[index] = in.take(bytes);
      if (bytes % 8 != 0) in.take(std::min<uint64_t>(in.left(), 8 - bytes % 8));
      if (!in.ok()) return damaged();
    }
    return true;
  }

  Walk& walk_;
  const Type& type_;
  Hdf5Values& to_;
  ToNumber convert_ = nullptr;
  std::unordered_map<uint64_t, Collection> collections_;
};

// The part of a chunk that lies within the array, row by row.
bool put_chunk(Sink& sink, const Dataset& d, const std::vector<uint64_t>& scaled, Bytes elements) {
  const size_t rank = d.chunk.size(), last = rank - 1;
  std::vector<uint64_t> origin(rank), extent(rank), at(rank, 0);
  for (size_t k = 0; k < rank; ++k) {
    const uint64_t dim = static_cast<uint64_t>(d.shape.dims[k]);
    if (scaled[k] > (dim - 1) / d.chunk[k]) return true;  // beyond the array as it is now
    origin[k] = scaled[k] * d.chunk[k];
    extent[k] = std::min(d.chunk[k], dim - origin[k]);
  }
  for (;;) {
    uint64_t from = 0, to = 0;
    for (size_t k = 0; k < rank; ++k) {
      from = from * d.chunk[k] + at[k];
      to = to * static_cast<uint64_t>(d.shape.dims[k]) + origin[k] + at[k];
    }
    if (!sink.put(to, elements.data() + from * d.type.size, extent[last])) return false;
    size_t k = last;
    while (k > 0 && ++at[k - 1] == extent[k - 1]) at[--k] = 0;
    if (k == 0) return true;
  }
}

}  // namespace

bool read_values(Walk& walk, const Dataset& d, Hdf5Values& to, const Progress& progress) {
  to.shape = d.shape.dims;
  if (d.shape.count == 0) return true;
  const uint64_t bytes = d.shape.count * d.type.size;
  Bytes data = d.inside;
  if (d.layout == Dataset::contiguous && d.address != nowhere) {
    Cursor c = walk.at(d.address);
    data = c.take(bytes);
  }
  const bool flat = d.layout == Dataset::compact || (d.layout == Dataset::contiguous && d.address != nowhere);
  if (flat && data.size() < bytes) return walk.fail("is cut off: its values are not all in the file");
  Sink sink(walk, d, to);
  constexpr uint64_t told_every = 1 << 18;  // values
  for (uint64_t k = 0; flat && k < d.shape.count; k += told_every) {
    if (!progress.at(k, d.shape.count) ||
        !sink.put(k, data.data() + k * d.type.size, std::min(told_every, d.shape.count - k)))
      return false;
  }
  if (flat) return true;
  if (d.layout == Dataset::contiguous) return true;

  const uint64_t whole = d.chunk_bytes();
  std::vector<std::byte> buffer;
  const uint64_t values_each = whole / std::max<uint64_t>(1, d.type.size);
  uint64_t placed = 0, tell_at = 0;
  const auto take = [&](const std::vector<uint64_t>& scaled, uint64_t address, uint64_t stored, uint64_t skips) {
    bool edge = false;
    for (size_t k = 0; k < scaled.size(); ++k) {
      const uint64_t dim = static_cast<uint64_t>(d.shape.dims[k]);
      if (scaled[k] > (dim - 1) / d.chunk[k]) return true;
      edge = edge || (scaled[k] + 1) * d.chunk[k] > dim;
    }
    if (edge && d.raw_edges) skips = nowhere;
    if (placed >= tell_at) {
      if (!progress.at(std::min(placed, d.shape.count), d.shape.count)) return false;
      tell_at = placed + told_every;
    }
    placed += values_each;
    Cursor c = walk.at(address);
    const Bytes packed = c.take(stored);
    Bytes elements;
    if (!c.ok()) return walk.fail("has a chunk that is not in the file; the file is cut off or damaged");
    return walk.unpack(whole) && unfilter(walk, d, packed, skips, buffer, elements) &&
           put_chunk(sink, d, scaled, elements);
  };
  return each_chunk(walk, d, take);
}

}  // namespace dalea::hdf5
