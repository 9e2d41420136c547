// NPY arrays and NPZ (zip) archives, from and to bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "error.h"
#include "progress.h"

namespace dalea {

using ByteVector = std::vector<std::byte>;

// The number of type T that begins at p; `swap`: its bytes stand the other way round than this machine's.
template <class T>
double number_at(const std::byte* p, bool swap) {
  std::byte raw[sizeof(T)];
  for (size_t k = 0; k < sizeof(T); ++k) raw[k] = p[swap ? sizeof(T) - 1 - k : k];
  T v;
  std::memcpy(&v, raw, sizeof v);
  return static_cast<double>(v);
}

struct NpyHeader {
  int major = 1, minor = 0;
  char byte_order = '<';  // '<', '>' or '|'
  char kind = 'f';        // 'f' float, 'i' int, 'u' uint, 'b' bool
  int item_size = 4;      // bytes
  bool fortran_order = false;
  std::vector<int64_t> shape;
  size_t data_offset = 0;  // bytes before the data
};
// Checks that the bytes hold all the data the shape asks for, before anything is allocated. `size`: of the whole file
// where `bytes` are only its beginning.
Result<NpyHeader> read_npy_header(std::span<const std::byte> bytes, std::string_view file_name, uint64_t size = 0);
// Any real dtype, either order and byte order, as doubles in C (row-major) order.
Result<std::vector<double>> read_npy_values(std::span<const std::byte> bytes, const NpyHeader& header,
                                            const Progress& progress = {});

// One .npy file's bytes (version 1.0, little-endian, C order unless said).
std::vector<std::byte> write_npy_f32(std::span<const float> values, const std::vector<int64_t>& shape,
                                     bool fortran = false);
std::vector<std::byte> write_npy_f64(std::span<const double> values, const std::vector<int64_t>& shape);
std::vector<std::byte> write_npy_i64(std::span<const int64_t> values, const std::vector<int64_t>& shape);
std::vector<std::byte> write_npy_i32(std::span<const int32_t> values, const std::vector<int64_t>& shape);
std::vector<std::byte> write_npy_u8(std::span<const uint8_t> values, const std::vector<int64_t>& shape);
// Of UTF-8; numpy's '<U'. Trailing NULs are lost, as in every array of this type.
std::vector<std::byte> write_npy_text(std::span<const std::string> values, const std::vector<int64_t>& shape);
std::u32string utf32_of(std::string_view utf8);  // what is not UTF-8 becomes U+FFFD

// A zip archive: names in order. Writing deflates (or stores when that is smaller), no timestamps, so equal
// content gives equal bytes. Reading takes stored and deflated entries, zip64 sizes, checks every CRC, and refuses
// an archive whose entries inflate to more than `limit` bytes in all.
using Entries = std::vector<std::pair<std::string, std::vector<std::byte>>>;
std::vector<std::byte> write_zip(const Entries& entries, bool pack = true);  // `pack` false: all entries are stored
Result<Entries> read_zip(std::span<const std::byte> bytes, std::string_view file_name,
                         uint64_t limit = uint64_t{8} << 30);
// The same in two steps: what the archive's directory says, which unpacks nothing, and one entry, or its first `most`
// bytes (a beginning has no checksum).
struct ZipEntry {
  std::string name;
  uint16_t flags = 0, method = 0;
  uint32_t crc = 0;
  uint64_t packed = 0, size = 0, offset = 0;  // bytes
};
Result<std::vector<ZipEntry>> list_zip(std::span<const std::byte> bytes, std::string_view file_name,
                                       uint64_t limit = uint64_t{8} << 30);
Result<ByteVector> read_zip_entry(std::span<const std::byte> bytes, const ZipEntry& entry, std::string_view file_name,
                                  uint64_t most = UINT64_MAX, const Progress& progress = {});

}  // namespace dalea
