#include "session/npz.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

namespace dalea {
namespace {

// The header is a Python dictionary; only the three keys of the format are read, nothing is ever evaluated.
// Text of the value after 'key': up to the next top-level comma.
std::string value_of(const std::string& header, const std::string& key) {
  for (const char* quote : {"'", "\""}) {
    const std::string quoted = quote + key + quote;
    size_t at = header.find(quoted);
    if (at == std::string::npos) continue;
    at = header.find(':', at + quoted.size());
    if (at == std::string::npos) return {};
    ++at;
    int depth = 0;
    size_t end = at;
    for (; end < header.size(); ++end) {
      const char c = header[end];
      if (c == '(' || c == '[') ++depth;
      if (c == ')' || c == ']') --depth;
      if (depth < 0 || ((c == ',' || c == '}') && depth == 0)) break;
    }
    std::string value = header.substr(at, end - at);
    const size_t first = value.find_first_not_of(" \t\n"), last = value.find_last_not_of(" \t\n");
    return first == std::string::npos ? "" : value.substr(first, last - first + 1);
  }
  return {};
}

double half_at(const std::byte* p, bool swap) {
  const unsigned low = static_cast<unsigned>(p[swap ? 1 : 0]), high = static_cast<unsigned>(p[swap ? 0 : 1]);
  const unsigned h = high << 8 | low, exponent = (h >> 10) & 31, fraction = h & 1023;
  double v = exponent == 0 ? std::ldexp(fraction, -24)
             : exponent == 31
                 ? (fraction != 0 ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity())
                 : std::ldexp(1024.0 + fraction, static_cast<int>(exponent) - 25);
  return (h & 0x8000) != 0 ? -v : v;
}

using Converter = double (*)(const std::byte*, bool);

Converter converter_of(const NpyHeader& h) {
  switch (h.kind) {
    case 'f':
      return h.item_size == 2   ? half_at
             : h.item_size == 4 ? number_at<float>
             : h.item_size == 8 ? number_at<double>
                                : nullptr;
    case 'i':
      return h.item_size == 1   ? number_at<int8_t>
             : h.item_size == 2 ? number_at<int16_t>
             : h.item_size == 4 ? number_at<int32_t>
             : h.item_size == 8 ? number_at<int64_t>
                                : nullptr;
    case 'b':
      return h.item_size == 1 ? number_at<uint8_t> : nullptr;
    case 'u':
      return h.item_size == 1   ? number_at<uint8_t>
             : h.item_size == 2 ? number_at<uint16_t>
             : h.item_size == 4 ? number_at<uint32_t>
             : h.item_size == 8 ? number_at<uint64_t>
                                : nullptr;
    default:
      return nullptr;
  }
}

std::vector<std::byte> npy(const char* descr, const std::vector<int64_t>& shape, bool fortran, const void* data,
                           size_t bytes) {
  std::string dims;
  for (size_t k = 0; k < shape.size(); ++k) dims += (k > 0 ? ", " : "") + std::to_string(shape[k]);
  if (shape.size() == 1) dims += ",";
  std::string header = std::string("{'descr': '") + descr + "', 'fortran_order': " + (fortran ? "True" : "False") +
                       ", 'shape': (" + dims + "), }";
  while ((10 + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::vector<std::byte> out;
  const unsigned char magic[8] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
  const auto put = [&out](const void* p, size_t n) {
    const auto* b = static_cast<const std::byte*>(p);
    out.insert(out.end(), b, b + n);
  };
  put(magic, 8);
  const unsigned char length[2] = {static_cast<unsigned char>(header.size()),
                                   static_cast<unsigned char>(header.size() >> 8)};
  put(length, 2);
  put(header.data(), header.size());
  put(data, bytes);
  return out;
}

}  // namespace

Result<NpyHeader> read_npy_header(std::span<const std::byte> bytes, std::string_view file_name, uint64_t size) {
  const std::string file(file_name);
  const auto at = [&](size_t k) { return static_cast<unsigned>(bytes[k]); };
  const unsigned char magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
  if (bytes.size() < 10 || std::memcmp(bytes.data(), magic, 6) != 0)
    return Error{file, "is not an NPY file: it does not start with the NumPy mark; save it again with numpy.save"};
  NpyHeader h;
  h.major = static_cast<int>(at(6));
  h.minor = static_cast<int>(at(7));
  if (h.major < 1 || h.major > 3)
    return Error{file, "is NPY version " + std::to_string(h.major) + "; versions 1 to 3 are read"};
  const size_t fixed = h.major == 1 ? 10 : 12;
  if (bytes.size() < fixed) return Error{file, "is cut off in its header; copy the file again"};
  const size_t length = h.major == 1 ? at(8) | at(9) << 8 : at(8) | at(9) << 8 | at(10) << 16 | size_t{at(11)} << 24;
  if (length > bytes.size() - fixed) return Error{file, "is cut off in its header; copy the file again"};
  if (length > 1 << 20) return Error{file, "has a header of more than 1 MiB; it is not a plain array"};
  h.data_offset = fixed + length;
  const std::string header(reinterpret_cast<const char*>(bytes.data()) + fixed, length);

  const std::string descr = value_of(header, "descr"), order = value_of(header, "fortran_order"),
                    shape = value_of(header, "shape");
  if (descr.empty() || order.empty() || shape.empty())
    return Error{file, "has no descr, fortran_order or shape in its header; save it again with numpy.save"};
  const std::string type =
      descr.size() >= 2 && (descr[0] == '\'' || descr[0] == '"') ? descr.substr(1, descr.size() - 2) : "";
  if (type.size() < 3 || type.size() > 5 || std::strchr("<>|=", type[0]) == nullptr ||
      type.find_first_not_of("0123456789", 2) != std::string::npos)
    return Error{file,
                 "holds values of type " + descr.substr(0, 40) +
                     "; only plain real numbers are read (float, int, bool): convert with array.astype('float32')"};
  h.byte_order = type[0] == '=' ? '<' : type[0];
  h.kind = type[1];
  h.item_size = std::stoi(type.substr(2));
  if (converter_of(h) == nullptr)
    return Error{
        file,
        "holds values of type " + type +
            "; only real numbers of 1 to 8 bytes are read (float, int, bool): convert with array.astype('float32')"};
  h.fortran_order = order == "True";
  if (order != "True" && order != "False")
    return Error{file, "says neither True nor False for fortran_order; the file is damaged"};

  if (shape.front() != '(' || shape.back() != ')')
    return Error{file, "has no shape in its header; the file is damaged"};
  uint64_t count = 1;
  const uint64_t most = (std::max<uint64_t>(bytes.size(), size) - h.data_offset) / static_cast<uint64_t>(h.item_size);
  bool too_large = false, empty = false;
  for (size_t k = 1; k + 1 < shape.size();) {
    const size_t end = std::min(shape.find(',', k), shape.size() - 1);
    std::string dim = shape.substr(k, end - k);
    k = end + 1;
    dim.erase(0, dim.find_first_not_of(" "));
    if (const size_t last = dim.find_last_not_of(" L"); last != std::string::npos) dim.resize(last + 1);
    if (dim.empty() || dim == " ") continue;
    if (dim.size() > 19 || dim.find_first_not_of("0123456789") != std::string::npos || h.shape.size() >= 32)
      return Error{file, "has a shape that is not a list of sizes: " + shape.substr(0, 60) + "; the file is damaged"};
    const uint64_t n = std::stoull(dim);
    h.shape.push_back(static_cast<int64_t>(n));
    empty = empty || n == 0;
    if (n > 0 && count > std::numeric_limits<uint64_t>::max() / n) too_large = true;
    count *= n;
  }
  if (!empty && (too_large || count > most))
    return Error{file, "says its shape is " + shape.substr(0, 60) + " but holds data for " + std::to_string(most) +
                           " values only; it is cut off or damaged"};
  return h;
}

Result<std::vector<double>> read_npy_values(std::span<const std::byte> bytes, const NpyHeader& h,
                                            const Progress& progress) {
  constexpr uint64_t told_every = 1 << 16;  // values
  uint64_t count = 1;
  for (int64_t n : h.shape) count *= static_cast<uint64_t>(n);
  const Converter convert = converter_of(h);
  const bool swap = h.byte_order == '>' && h.item_size > 1;
  const std::byte* data = bytes.data() + h.data_offset;
  std::vector<double> values(static_cast<size_t>(count));
  if (!h.fortran_order || h.shape.size() < 2) {
    for (uint64_t k = 0; k < count; ++k) {
      if (k % told_every == 0 && !progress.at(k, count)) return cancelled("the array");
      values[k] = convert(data + k * static_cast<uint64_t>(h.item_size), swap);
    }
    return values;
  }
  // Fortran order: the first index runs fastest in the file, the last in the result.
  std::array<int64_t, 32> index{};  // at most so many dimensions are read
  for (uint64_t k = 0; k < count; ++k) {
    if (k % told_every == 0 && !progress.at(k, count)) return cancelled("the array");
    uint64_t to = 0;
    for (size_t d = 0; d < h.shape.size(); ++d)
      to = to * static_cast<uint64_t>(h.shape[d]) + static_cast<uint64_t>(index[d]);
    values[to] = convert(data + k * static_cast<uint64_t>(h.item_size), swap);
    for (size_t d = 0; d < h.shape.size() && ++index[d] == h.shape[d]; ++d) index[d] = 0;
  }
  return values;
}

std::vector<std::byte> write_npy_f32(std::span<const float> v, const std::vector<int64_t>& shape, bool fortran) {
  return npy("<f4", shape, fortran, v.data(), v.size_bytes());
}
std::vector<std::byte> write_npy_f64(std::span<const double> v, const std::vector<int64_t>& shape) {
  return npy("<f8", shape, false, v.data(), v.size_bytes());
}
std::vector<std::byte> write_npy_i64(std::span<const int64_t> v, const std::vector<int64_t>& shape) {
  return npy("<i8", shape, false, v.data(), v.size_bytes());
}
std::vector<std::byte> write_npy_i32(std::span<const int32_t> v, const std::vector<int64_t>& shape) {
  return npy("<i4", shape, false, v.data(), v.size_bytes());
}

std::vector<std::byte> write_npy_u8(std::span<const uint8_t> v, const std::vector<int64_t>& shape) {
  return npy("|u1", shape, false, v.data(), v.size_bytes());
}

std::u32string utf32_of(std::string_view s) {
  std::u32string points;
  for (size_t k = 0; k < s.size();) {
    const auto byte = [&](size_t at) { return static_cast<uint32_t>(static_cast<unsigned char>(s[at])); };
    const uint32_t first = byte(k);
    const size_t length = first < 0x80 ? 1 : first >= 0xf0 && first < 0xf8 ? 4 : first >= 0xe0 ? 3 : 2;
    uint32_t point = length == 1 ? first : first & (0xff >> (length + 1));
    bool good = first < 0x80 || (first >= 0xc0 && first < 0xf8 && k + length <= s.size());
    for (size_t e = 1; good && e < length; ++e) {
      good = (byte(k + e) & 0xc0) == 0x80;
      point = point << 6 | (byte(k + e) & 0x3f);
    }
    constexpr uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    good = good && point >= least[length] && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
    points += static_cast<char32_t>(good ? point : 0xfffd);
    k += good ? length : 1;
  }
  return points;
}

std::vector<std::byte> write_npy_text(std::span<const std::string> v, const std::vector<int64_t>& shape) {
  std::vector<std::u32string> texts;
  size_t longest = 1;
  for (const std::string& s : v) {
    texts.push_back(utf32_of(s));
    longest = std::max(longest, texts.back().size());
  }
  std::u32string all;
  for (std::u32string& t : texts) {
    t.resize(longest);
    all += t;
  }
  return npy(("<U" + std::to_string(longest)).c_str(), shape, false, all.data(), 4 * all.size());
}

}  // namespace dalea
