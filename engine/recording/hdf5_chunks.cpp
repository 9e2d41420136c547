// Chunks: where they stand in the file (six kinds of index), and the filters they went through.
#include <zlib.h>

#include <algorithm>
#include <bit>

#include "recording/hdf5_parts.h"

namespace dalea::hdf5 {
namespace {

enum FilterId : uint64_t { f_deflate = 1, f_shuffle, f_fletcher32, f_szip, f_nbit, f_scaleoffset, f_lzf = 32000 };

// Chunks are numbered along the array's largest extent, its unlimited dimension first (extensible arrays).
class Numbering {
 public:
  Numbering(const Dataset& d, bool unlimited_first) {
    const size_t rank = d.chunk.size();
    size_t first = rank;
    for (size_t k = 0; k < rank && unlimited_first; ++k)
      if (d.shape.most[k] == nowhere) first = std::min(first, k);
    if (first < rank) order_.push_back(first);
    for (size_t k = 0; k < rank; ++k)
      if (k != first) order_.push_back(k);
    below_.assign(rank, 1);
    for (size_t k = rank; k-- > 1;) {
      const size_t dim = order_[k];
      const uint64_t most = std::max<uint64_t>(d.shape.most[dim], static_cast<uint64_t>(d.shape.dims[dim]));
      const uint64_t chunks = std::max<uint64_t>(1, most / d.chunk[dim] + (most % d.chunk[dim] != 0));
      below_[k - 1] = below_[k] > nowhere / chunks ? nowhere : below_[k] * chunks;
    }
  }
  void place(uint64_t number, std::vector<uint64_t>& scaled) const {
    for (size_t k = 0; k < order_.size(); ++k) {
      scaled[order_[k]] = number / below_[k];
      number %= below_[k];
    }
  }
  uint64_t number(const std::vector<uint64_t>& scaled) const {
    uint64_t n = 0;
    for (size_t k = 0; k < order_.size(); ++k) n += scaled[order_[k]] * below_[k];
    return n;
  }

 private:
  std::vector<size_t> order_;
  std::vector<uint64_t> below_;  // chunks for one step of each dimension, in that order
};

bool damaged_chunks(Walk& walk) {
  return walk.fail("has a damaged index of its chunks");
}

// What the entries of fixed and extensible arrays have in common.
struct Entries {
  Walk& walk;
  const Dataset& dataset;
  const UseChunk& use;
  Numbering numbering;
  bool filtered = false;
  size_t size_bytes = 0;
  std::vector<uint64_t> scaled;
  uint64_t whole = 0;

  Entries(Walk& w, const Dataset& d, const UseChunk& u, bool unlimited_first)
      : walk(w), dataset(d), use(u), numbering(d, unlimited_first), scaled(d.chunk.size()), whole(d.chunk_bytes()) {}

  bool form(uint64_t client, uint64_t entry) {
    filtered = client == 1;
    const uint64_t fixed = walk.space.address_bytes + (filtered ? 4 : 0);
    if (client > 1 || entry < fixed || entry > fixed + 8 || (entry == fixed) == filtered) return false;
    size_bytes = static_cast<size_t>(entry - fixed);
    return true;
  }
  bool take(Cursor& c, uint64_t number) {
    if (!walk.step()) return false;
    const uint64_t address = c.address(), bytes = filtered ? c.number(size_bytes) : whole,
                   skips = filtered ? c.number(4) : 0;
    if (!c.ok()) return damaged_chunks(walk);
    if (address == nowhere) return true;
    numbering.place(number, scaled);
    return use(scaled, address, bytes, skips);
  }
};

bool bit_of(Bytes bits, uint64_t k) {  // the first stands highest
  return k / 8 < bits.size() && (std::to_integer<unsigned>(bits[static_cast<size_t>(k / 8)]) & (0x80u >> (k % 8))) != 0;
}

bool fixed_array(Walk& walk, const Dataset& d, const UseChunk& use) {
  Entries entries(walk, d, use, false);
  Cursor h = walk.at(d.address);
  if (!h.mark("FAHD") || h.number(1) != 0) return damaged_chunks(walk);
  const uint64_t client = h.number(1), entry = h.number(1), page_bits = h.number(1), count = h.length(),
                 block = h.address();
  if (!h.ok() || !entries.form(client, entry) || page_bits > 40) return damaged_chunks(walk);
  if (block == nowhere) return true;
  Cursor b = walk.at(block);
  if (!b.mark("FADB") || b.number(1) != 0) return damaged_chunks(walk);
  b.number(1);
  b.address();
  const uint64_t page = uint64_t{1} << page_bits;
  if (count <= page) {
    for (uint64_t k = 0; k < count; ++k)
      if (!entries.take(b, k)) return false;
    return true;
  }
  const uint64_t pages = count / page + (count % page != 0);
  const Bytes there = b.take(pages / 8 + (pages % 8 != 0));
  b.take(4);
  for (uint64_t p = 0; p < pages; ++p) {
    const uint64_t in_page = std::min(page, count - p * page);
    if (!b.ok() || !walk.step()) return damaged_chunks(walk);
    Cursor one = walk.in(b.take(in_page * entry));
    b.take(4);
    for (uint64_t k = 0; bit_of(there, p) && k < in_page; ++k)
      if (!entries.take(one, p * page + k)) return false;
  }
  return true;
}

// Entries stand in the index block, then in data blocks it points to, then in data blocks that secondary blocks point
// to. Data blocks come in sets: set s has 2^(s/2) blocks of `smallest` 2^((s+1)/2) entries.
class ExtensibleArray {
 public:
  ExtensibleArray(Walk& walk, const Dataset& d, const UseChunk& use) : walk_(walk), entries_(walk, d, use, true) {
    address_ = d.address;
  }

  bool read() {
    Cursor h = walk_.at(address_);
    if (!h.mark("EAHD") || h.number(1) != 0) return damaged_chunks(walk_);
    const uint64_t client = h.number(1);
    entry_ = h.number(1);
    const uint64_t bits = h.number(1), inside = h.number(1);
    const uint64_t smallest = h.number(1), pointers = h.number(1), page_bits = h.number(1);
    for (int k = 0; k < 4; ++k) h.length();
    count_ = h.length();  // one more than the last that was set
    h.length();
    const uint64_t index = h.address();
    if (!h.ok() || !entries_.form(client, entry_) || bits > 64 || page_bits > 40 || !std::has_single_bit(smallest) ||
        !std::has_single_bit(pointers))
      return damaged_chunks(walk_);
    if (index == nowhere) return true;
    offset_bytes_ = (bits + 7) / 8;
    page_ = uint64_t{1} << page_bits;
    const uint64_t log_smallest = static_cast<uint64_t>(std::countr_zero(smallest));
    const uint64_t direct = 2 * static_cast<uint64_t>(std::countr_zero(pointers));
    if (bits < log_smallest || 1 + bits - log_smallest < direct) return damaged_chunks(walk_);
    const uint64_t sets = 1 + bits - log_smallest;

    Cursor b = walk_.at(index);
    if (!b.mark("EAIB") || b.number(1) != 0) return damaged_chunks(walk_);
    b.number(1);
    b.address();
    for (uint64_t k = 0; k < inside; ++k, ++next_)
      if (!entries_.take(b, next_)) return false;
    for (uint64_t s = 0; s < sets && next_ < count_; ++s) {
      const uint64_t blocks = uint64_t{1} << (s / 2), each = smallest << ((s + 1) / 2);
      if (each > uint64_t{1} << 40) return damaged_chunks(walk_);
      if (s < direct) {
        for (uint64_t k = 0; k < blocks; ++k)
          if (!data_block(b.address(), each, {}, 0)) return false;
      } else if (!secondary(b.address(), blocks, each)) {
        return false;
      }
      if (!b.ok()) return damaged_chunks(walk_);
    }
    return true;
  }

 private:
  bool secondary(uint64_t address, uint64_t blocks, uint64_t each) {
    if (!walk_.step()) return false;
    if (address == nowhere) {
      next_ += blocks * each;
      return true;
    }
    Cursor c = walk_.at(address);
    if (!c.mark("EASB") || c.number(1) != 0) return damaged_chunks(walk_);
    c.number(1);
    c.address();
    c.take(offset_bytes_);
    const uint64_t pages = each > page_ ? each / page_ : 0;
    const Bytes there = c.take(blocks * ((pages + 7) / 8));
    for (uint64_t k = 0; k < blocks && next_ < count_; ++k) {
      const uint64_t data = c.address();
      if (!c.ok()) return damaged_chunks(walk_);
      if (!data_block(data, each, there, k * pages)) return false;
    }
    return true;
  }

  bool data_block(uint64_t address, uint64_t each, Bytes there, uint64_t first_page) {
    if (!walk_.step()) return false;
    const uint64_t start = next_;
    next_ += each;
    if (address == nowhere) return true;
    Cursor c = walk_.at(address);
    if (!c.mark("EADB") || c.number(1) != 0) return damaged_chunks(walk_);
    c.number(1);
    c.address();
    c.take(offset_bytes_);
    if (each <= page_ || there.empty()) {
      for (uint64_t k = 0; k < each && start + k < count_; ++k)
        if (!entries_.take(c, start + k)) return false;
      return true;
    }
    c.take(4);
    for (uint64_t p = 0; p < each / page_ && start + p * page_ < count_; ++p) {
      if (!c.ok() || !walk_.step()) return damaged_chunks(walk_);
      Cursor one = walk_.in(c.take(page_ * entry_));
      c.take(4);
      for (uint64_t k = 0; bit_of(there, first_page + p) && k < page_; ++k)
        if (!entries_.take(one, start + p * page_ + k)) return false;
    }
    return true;
  }

  Walk& walk_;
  Entries entries_;
  uint64_t address_, entry_ = 0, offset_bytes_ = 0, page_ = 1, count_ = 0, next_ = 0;
};

bool implicit_chunks(Walk& walk, const Dataset& d, const UseChunk& use) {
  const Numbering numbering(d, false);
  std::vector<uint64_t> scaled(d.chunk.size(), 0);
  const uint64_t whole = d.chunk_bytes();
  for (;;) {
    const uint64_t number = numbering.number(scaled);
    if (!walk.step()) return false;
    if (number > walk.space.bytes.size() / whole || d.address > walk.space.bytes.size()) return damaged_chunks(walk);
    if (!use(scaled, d.address + number * whole, whole, 0)) return false;
    size_t k = scaled.size();
    while (k > 0 && (++scaled[k - 1] * d.chunk[k - 1] >= static_cast<uint64_t>(d.shape.dims[k - 1]))) scaled[--k] = 0;
    if (k == 0) return true;
  }
}

bool tree_chunks(Walk& walk, const Dataset& d, const UseChunk& use) {
  std::vector<uint64_t> scaled(d.chunk.size());
  const auto take = [&](Bytes key, uint64_t child) {
    Cursor c = walk.in(key);
    const uint64_t bytes = c.number(4), skips = c.number(4);
    for (size_t k = 0; k < scaled.size(); ++k) {
      const uint64_t at = c.number(8);
      if (at % d.chunk[k] != 0) return damaged_chunks(walk);
      scaled[k] = at / d.chunk[k];
    }
    return use(scaled, child, bytes, skips);
  };
  return each_child(walk, d.address, 1, 8 + 8 * (d.chunk.size() + 1), take);
}

bool tree2_chunks(Walk& walk, const Dataset& d, const UseChunk& use) {
  std::vector<uint64_t> scaled(d.chunk.size());
  const bool filtered = !d.filters.empty();
  const size_t fixed = walk.space.address_bytes + 8 * scaled.size() + (filtered ? 4 : 0);
  const auto take = [&](Bytes record) {
    if (record.size() < fixed || record.size() > fixed + 8 || (record.size() == fixed) == filtered)
      return damaged_chunks(walk);
    Cursor c = walk.in(record);
    const uint64_t address = c.address();
    const uint64_t bytes = filtered ? c.number(record.size() - fixed) : d.chunk_bytes();
    const uint64_t skips = filtered ? c.number(4) : 0;
    for (uint64_t& s : scaled) s = c.number(8);
    return use(scaled, address, bytes, skips);
  };
  return each_record(walk, d.address, filtered ? 11 : 10, take);
}

// At most `most` bytes.
bool inflate_all(Bytes packed, uint64_t most, std::vector<std::byte>& out) {
  z_stream s{};
  if (inflateInit(&s) != Z_OK) return false;
  out.resize(static_cast<size_t>(std::min<uint64_t>(most, 1040 * uint64_t{packed.size()} + 64)));
  s.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
  s.avail_in = static_cast<uInt>(packed.size());
  s.next_out = reinterpret_cast<Bytef*>(out.data());
  s.avail_out = static_cast<uInt>(out.size());
  const bool ended = inflate(&s, Z_FINISH) == Z_STREAM_END;
  out.resize(out.size() - s.avail_out);
  inflateEnd(&s);
  return ended;
}

// LZF: a byte below 32 announces so many literals and one more; others repeat 3 to 264 bytes seen before.
bool unpack_lzf(Bytes packed, uint64_t most, std::vector<std::byte>& out) {
  out.clear();
  out.reserve(static_cast<size_t>(std::min<uint64_t>(most, 100 * uint64_t{packed.size()})));
  const auto value = [&](size_t k) { return std::to_integer<size_t>(packed[k]); };
  for (size_t k = 0; k < packed.size();) {
    const size_t control = value(k++);
    if (control < 32) {
      const size_t n = control + 1;
      if (n > packed.size() - k || n > most - out.size()) return false;
      out.insert(out.end(), packed.begin() + static_cast<int64_t>(k), packed.begin() + static_cast<int64_t>(k + n));
      k += n;
      continue;
    }
    size_t n = control >> 5;
    if (n == 7) {
      if (k >= packed.size()) return false;
      n += value(k++);
    }
    n += 2;
    if (k >= packed.size()) return false;
    const size_t back = ((control & 31) << 8 | value(k++)) + 1;
    if (back > out.size() || n > most - out.size()) return false;
    for (size_t from = out.size() - back; n > 0; --n) out.push_back(out[from++]);
  }
  return true;
}

// Bytes of equal rank within the elements stand together.
void unshuffle(Bytes in, uint64_t element, std::vector<std::byte>& out) {
  out.assign(in.begin(), in.end());
  const size_t each = static_cast<size_t>(element), n = in.size() / each;
  for (size_t b = 0; b < each; ++b)
    for (size_t k = 0; k < n; ++k) out[k * each + b] = in[b * n + k];
}

// Two sums of 16-bit words modulo 65535, which is 0 there. Before HDF5 1.6.3 the words' bytes stood the other way.
bool right_checksum(Bytes data, uint64_t stored) {
  for (const int high : {0, 1}) {
    uint64_t first = 0, second = 0;
    for (size_t k = 0; k < data.size(); k += 2) {
      const auto byte = [&](size_t at) { return at < data.size() ? std::to_integer<uint64_t>(data[at]) : 0; };
      const size_t h = static_cast<size_t>(high);
      first = (first + (byte(k + h) << 8 | byte(k + 1 - h))) % 65535;
      second = (second + first) % 65535;
    }
    if (first == (stored & 0xffff) % 65535 && second == (stored >> 16) % 65535) return true;
  }
  return false;
}

}  // namespace

std::string filter_refused(const Filter& filter) {
  struct Known {
    uint64_t id;
    const char* name;
  };
  constexpr Known known[] = {{f_szip, "szip"},     {f_nbit, "n-bit"},     {f_scaleoffset, "scale-offset"},
                             {305, "LZO"},         {307, "bzip2"},        {32001, "Blosc"},
                             {32004, "LZ4"},       {32008, "bitshuffle"}, {32013, "ZFP"},
                             {32015, "Zstandard"}, {32026, "Blosc 2"}};
  if ((filter.id >= f_deflate && filter.id <= f_fletcher32) || filter.id == f_lzf) return {};
  std::string name = "filter number " + std::to_string(filter.id);
  for (const Known& k : known)
    if (k.id == filter.id) name = k.name;
  return "is compressed with " + name + ", which is not read; save it with gzip or without compression";
}

bool each_chunk(Walk& walk, const Dataset& d, const UseChunk& use) {
  if (d.address == nowhere || d.shape.count == 0) return true;
  switch (d.index) {
    case Dataset::tree:
      return tree_chunks(walk, d, use);
    case Dataset::single:
      return use(std::vector<uint64_t>(d.chunk.size(), 0), d.address, d.single_bytes, d.single_skips);
    case Dataset::implicit:
      return implicit_chunks(walk, d, use);
    case Dataset::fixed_array:
      return fixed_array(walk, d, use);
    case Dataset::extensible_array:
      return ExtensibleArray(walk, d, use).read();
    case Dataset::tree2:
      return tree2_chunks(walk, d, use);
  }
  return damaged_chunks(walk);
}

bool unfilter(Walk& walk, const Dataset& d, Bytes packed, uint64_t skips, std::vector<std::byte>& buffer, Bytes& to) {
  const uint64_t most = d.chunk_bytes() + 64;  // what is not yet unshuffled may carry checksums
  std::vector<std::byte> next;
  to = packed;
  for (size_t k = d.filters.size(); k-- > 0;) {
    if ((skips >> k & 1) != 0) continue;
    const Filter& f = d.filters[k];
    if (f.id == f_fletcher32) {
      if (to.size() < 4) return walk.fail("has a damaged chunk");
      const Bytes data = to.first(to.size() - 4);
      if (!right_checksum(data, walk.in(to.subspan(data.size())).number(4)))
        return walk.fail("has a chunk whose checksum is wrong; the file is damaged");
      to = data;
      continue;
    }
    bool ok = true;
    if (f.id == f_deflate) ok = inflate_all(to, most, next);
    if (f.id == f_lzf) ok = unpack_lzf(to, most, next);
    if (f.id == f_shuffle) {
      ok = f.first_value > 0 && f.first_value <= to.size();
      if (ok) unshuffle(to, f.first_value, next);
    }
    if (!ok) return walk.fail("has a chunk that cannot be unpacked; the file is damaged");
    buffer.swap(next);
    to = buffer;
  }
  return to.size() == d.chunk_bytes() || walk.fail("has a chunk of a wrong size; the file is damaged");
}

}  // namespace dalea::hdf5
