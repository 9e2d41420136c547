// Zip archives as numpy writes them: stored or deflated entries, read from the central directory.
#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "session/npz.h"

namespace dalea {
namespace {

void put(ByteVector& out, uint64_t v, int size) {
  for (int k = 0; k < size; ++k) out.push_back(static_cast<std::byte>(v >> (8 * k)));
}

uint64_t get(std::span<const std::byte> in, size_t at, int size) {
  uint64_t v = 0;
  for (int k = 0; k < size; ++k) v |= uint64_t{static_cast<unsigned>(in[at + static_cast<size_t>(k)])} << (8 * k);
  return v;
}

uint32_t crc_of(const ByteVector& data) {
  uLong crc = crc32(0, nullptr, 0);
  for (size_t at = 0; at < data.size(); at += 1 << 30)
    crc = crc32(crc, reinterpret_cast<const Bytef*>(data.data() + at),
                static_cast<uInt>(std::min<size_t>(data.size() - at, 1 << 30)));
  return static_cast<uint32_t>(crc);
}

ByteVector deflated(const ByteVector& data) {
  z_stream s{};
  // A fast level: weights hardly compress.
  if (deflateInit2(&s, 1, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) return data;
  ByteVector out(deflateBound(&s, static_cast<uLong>(data.size())));
  s.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(data.data()));
  s.avail_in = static_cast<uInt>(data.size());
  s.next_out = reinterpret_cast<Bytef*>(out.data());
  s.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&s, Z_FINISH);
  const auto used = static_cast<std::ptrdiff_t>(out.size() - s.avail_out);
  deflateEnd(&s);
  return status == Z_STREAM_END ? ByteVector(out.begin(), out.begin() + used) : data;
}

constexpr uint64_t small = 0xffffffffu;

// Sizes that 32 bits cannot hold stand in a zip64 field.
void put_header(ByteVector& out, bool central, const std::string& name, uint16_t method, uint32_t crc, uint64_t packed,
                uint64_t size, uint64_t offset) {
  const bool wide = packed >= small || size >= small || offset >= small;
  put(out, central ? 0x02014b50 : 0x04034b50, 4);
  if (central) put(out, 45, 2);
  put(out, wide ? 45 : 20, 2);
  put(out, 0, 2);
  put(out, method, 2);
  put(out, 0, 2);       // time
  put(out, 0x0021, 2);  // 1 January 1980: equal content gives equal bytes
  put(out, crc, 4);
  put(out, wide ? small : packed, 4);
  put(out, wide ? small : size, 4);
  put(out, name.size(), 2);
  put(out, wide ? (central ? 28 : 20) : 0, 2);
  if (central) {
    put(out, 0, 2);
    put(out, 0, 2);
    put(out, 0, 2);
    put(out, 0, 4);
    put(out, wide ? small : offset, 4);
  }
  for (char c : name) out.push_back(static_cast<std::byte>(c));
  if (!wide) return;
  put(out, 1, 2);
  put(out, central ? 24 : 16, 2);
  put(out, size, 8);
  put(out, packed, 8);
  if (central) put(out, offset, 8);
}

// What is wrong with the archive's bytes.
Error bad_archive(std::string_view file, const std::string& what) {
  return {std::string(file), what + "; the archive is cut off or damaged"};
}

}  // namespace

std::vector<std::byte> write_zip(const Entries& entries, bool pack) {
  ByteVector out, directory;
  for (const auto& [name, data] : entries) {
    const uint32_t crc = crc_of(data);
    ByteVector packed = pack && data.size() < small ? deflated(data) : ByteVector();
    const bool store = packed.empty() || packed.size() >= data.size();
    const ByteVector& body = store ? data : packed;
    const uint64_t offset = out.size();
    put_header(directory, true, name, store ? 0 : 8, crc, body.size(), data.size(), offset);
    put_header(out, false, name, store ? 0 : 8, crc, body.size(), data.size(), 0);
    out.insert(out.end(), body.begin(), body.end());
  }
  const uint64_t start = out.size();
  out.insert(out.end(), directory.begin(), directory.end());
  if (start >= small || entries.size() >= 0xffff) {
    const uint64_t record = out.size();
    put(out, 0x06064b50, 4);
    put(out, 44, 8);
    put(out, 45, 2);
    put(out, 45, 2);
    put(out, 0, 4);
    put(out, 0, 4);
    put(out, entries.size(), 8);
    put(out, entries.size(), 8);
    put(out, directory.size(), 8);
    put(out, start, 8);
    put(out, 0x07064b50, 4);
    put(out, 0, 4);
    put(out, record, 8);
    put(out, 1, 4);
  }
  put(out, 0x06054b50, 4);
  put(out, 0, 2);
  put(out, 0, 2);
  put(out, std::min<uint64_t>(entries.size(), 0xffff), 2);
  put(out, std::min<uint64_t>(entries.size(), 0xffff), 2);
  put(out, std::min<uint64_t>(directory.size(), small), 4);
  put(out, std::min(start, small), 4);
  put(out, 0, 2);
  return out;
}

Result<std::vector<ZipEntry>> list_zip(std::span<const std::byte> in, std::string_view file_name, uint64_t limit) {
  const std::string file(file_name);
  const auto damaged = [&](const std::string& what) { return bad_archive(file, what); };
  if (in.size() < 22 || get(in, 0, 4) != 0x04034b50)
    return Error{file, "is not a .npz (zip) archive; a Dalea session ends in .npz and starts with PK"};
  // The end record stands within the last 64 KiB.
  size_t end = in.size() - 22;
  const size_t stop = in.size() > 66000 ? in.size() - 66000 : 0;
  while (end > stop && get(in, end, 4) != 0x06054b50) --end;
  if (get(in, end, 4) != 0x06054b50) return damaged("has no end record");
  uint64_t count = get(in, end + 10, 2), start = get(in, end + 16, 4);
  if ((start == small || count == 0xffff) && end >= 20 && get(in, end - 20, 4) == 0x07064b50) {
    const uint64_t record = get(in, end - 12, 8);
    if (in.size() < 56 || record > in.size() - 56 || get(in, record, 4) != 0x06064b50)
      return damaged("has a bad zip64 record");
    count = get(in, record + 32, 8);
    start = get(in, record + 48, 8);
  }
  if (start > end || count > (end - start) / 46) return damaged("has a directory that does not fit");

  std::vector<ZipEntry> entries;
  uint64_t at = start, total = 0;
  for (uint64_t k = 0; k < count; ++k) {
    if (end - at < 46 || get(in, at, 4) != 0x02014b50) return damaged("has a bad directory entry");
    ZipEntry m;
    m.flags = static_cast<uint16_t>(get(in, at + 8, 2));
    m.method = static_cast<uint16_t>(get(in, at + 10, 2));
    m.crc = static_cast<uint32_t>(get(in, at + 16, 4));
    m.packed = get(in, at + 20, 4);
    m.size = get(in, at + 24, 4);
    m.offset = get(in, at + 42, 4);
    const uint64_t name = get(in, at + 28, 2), extra = get(in, at + 30, 2), comment = get(in, at + 32, 2);
    if (end - at < 46 + name + extra + comment) return damaged("has a bad directory entry");
    m.name.assign(reinterpret_cast<const char*>(in.data() + at + 46), name);
    for (uint64_t e = at + 46 + name, last = e + extra; last - e >= 4;) {
      const uint64_t id = get(in, e, 2), size = get(in, e + 2, 2);
      if (last - e - 4 < size) break;
      if (id == 1) {
        uint64_t v = e + 4;
        for (uint64_t* field : {&m.size, &m.packed, &m.offset})
          if (*field == small && v + 8 <= e + 4 + size) {
            *field = get(in, v, 8);
            v += 8;
          }
      }
      e += 4 + size;
    }
    at += 46 + name + extra + comment;
    if ((m.flags & 1) != 0) return Error{file + "/" + m.name, "is encrypted; save the archive without a password"};
    if (m.method != 0 && m.method != 8)
      return Error{file + "/" + m.name,
                   "is packed by a method other than stored or deflated; save it with numpy.savez"};
    if (m.size > limit || (total += m.size) > limit)
      return Error{file, "unpacks to more than " + std::to_string(limit >> 20) + " MiB; it is refused"};
    entries.push_back(std::move(m));
  }
  return entries;
}

Result<ByteVector> read_zip_entry(std::span<const std::byte> in, const ZipEntry& m, std::string_view file_name,
                                  uint64_t most, const Progress& progress) {
  const auto damaged = [&](const std::string& what) { return bad_archive(file_name, "entry " + m.name + " " + what); };
  if (in.size() < 30 || m.offset > in.size() - 30 || get(in, m.offset, 4) != 0x04034b50)
    return damaged("is not where the directory says");
  const uint64_t body = m.offset + 30 + get(in, m.offset + 26, 2) + get(in, m.offset + 28, 2);
  if (body > in.size() || m.packed > in.size() - body) return damaged("is cut off");
  // Deflate cannot grow more than about 1032 times: a larger claim is a lie, refused before allocating.
  if (m.method == 8 && m.size / 1040 > m.packed + 16) return damaged("claims an impossible size");
  if (m.method == 0 && m.size != m.packed) return damaged("has two sizes");
  const uint64_t wanted = std::min(m.size, most);
  ByteVector data(static_cast<size_t>(wanted));
  if (m.method == 0) {
    std::copy_n(in.begin() + static_cast<std::ptrdiff_t>(body), wanted, data.begin());
  } else {
    z_stream s{};
    if (inflateInit2(&s, -15) != Z_OK) return damaged("cannot be unpacked");
    s.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data() + body));
    s.next_out = reinterpret_cast<Bytef*>(data.data());
    uint64_t given = 0, left = wanted;
    int status = Z_OK;
    while (left > 0 && status == Z_OK) {  // in pieces of what comes out, so that it can be stopped
      if (s.avail_in == 0) {
        s.avail_in = static_cast<uInt>(std::min<uint64_t>(m.packed - given, 1 << 30));
        given += s.avail_in;
      }
      const uint64_t room = std::min<uint64_t>(left, 4 << 20);
      s.avail_out = static_cast<uInt>(room);
      status = inflate(&s, Z_NO_FLUSH);
      left -= room - s.avail_out;
      if (!progress.at(wanted - left, wanted)) {
        inflateEnd(&s);
        return cancelled(file_name);
      }
    }
    const bool whole = left == 0 && (status == Z_STREAM_END || status == Z_BUF_ERROR || status == Z_OK);
    inflateEnd(&s);
    if (!whole) return damaged("cannot be unpacked");
  }
  if (wanted == m.size && crc_of(data) != m.crc) return damaged("has a wrong checksum");
  return data;
}

Result<Entries> read_zip(std::span<const std::byte> in, std::string_view file_name, uint64_t limit) {
  Result<std::vector<ZipEntry>> list = list_zip(in, file_name, limit);
  if (!list) return list.error();
  Entries entries;
  for (const ZipEntry& m : *list) {
    Result<ByteVector> data = read_zip_entry(in, m, file_name);
    if (!data) return data.error();
    entries.emplace_back(m.name, std::move(*data));
  }
  return entries;
}

}  // namespace dalea
