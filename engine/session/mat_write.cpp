#include "session/mat_write.h"

#include <cstring>

#include "session/npz.h"

namespace dalea {
namespace {

// Types of elements and classes of arrays, of those there are.
enum MatWord : uint32_t {
  mat_int8 = 1,
  mat_uint8 = 2,
  mat_int32 = 5,
  mat_uint32 = 6,
  mat_single = 7,
  mat_double = 9,
  mat_int64 = 12,
  mat_matrix = 14,
  mat_utf8 = 16
};
enum MatOf : uint32_t { of_cells = 1, of_chars = 4, of_double = 6, of_single = 7, of_uint8 = 9, of_int64 = 14 };

template <class T>
struct MatNumber;
template <>
struct MatNumber<float> {
  static constexpr uint32_t element = mat_single, array = of_single;
};
template <>
struct MatNumber<double> {
  static constexpr uint32_t element = mat_double, array = of_double;
};
template <>
struct MatNumber<int64_t> {
  static constexpr uint32_t element = mat_int64, array = of_int64;
};
template <>
struct MatNumber<uint8_t> {
  static constexpr uint32_t element = mat_uint8, array = of_uint8;
};

class MatFile {
 public:
  MatFile() {
    std::string head = "MATLAB 5.0 MAT-file, written by Dalea";
    head.resize(116, ' ');
    put(head.data(), head.size());
    put("\0\0\0\0\0\0\0\0\0\1IM", 12);  // no subsystem data, version 1, little-endian
  }

  Status add(const NamedArray& array) {
    const size_t start = out_.size();
    std::visit([&](const auto& values) { matrix(mat_name(array.name), array.shape, values); }, array.values);
    if (out_.size() - start - 8 > 0x7fffffffu)
      return Error{array.name, "is larger than a MATLAB file can hold (2 GiB an array); export as .h5 or .npz"};
    return {};
  }

  std::vector<std::byte> bytes() { return std::move(out_); }

 private:
  void put(const void* from, size_t size) {
    const auto* b = static_cast<const std::byte*>(from);
    out_.insert(out_.end(), b, b + size);
  }
  void word(uint32_t v) { put(&v, 4); }

  // Up to four bytes stand within the tag.
  void element(uint32_t type, const void* data, size_t size) {
    const bool small = size > 0 && size <= 4;
    word(small ? static_cast<uint32_t>(size) << 16 | type : type);
    if (!small) word(static_cast<uint32_t>(size));
    put(data, size);
    const size_t unit = small ? 4 : 8;
    out_.resize(out_.size() + (unit - size % unit) % unit);
  }

  // Gives where its length stands.
  size_t begin(const std::string& name, uint32_t kind, const std::vector<int64_t>& shape) {
    word(mat_matrix);
    const size_t length = out_.size();
    word(0);
    const uint32_t flags[2] = {kind, 0};
    element(mat_uint32, flags, sizeof flags);
    std::vector<int32_t> dims;
    for (int64_t n : shape) dims.push_back(static_cast<int32_t>(n));
    while (dims.size() < 2) dims.push_back(1);
    element(mat_int32, dims.data(), 4 * dims.size());
    element(mat_int8, name.data(), name.size());
    return length;
  }
  void end(size_t length) {
    const auto size = static_cast<uint32_t>(out_.size() - length - 4);
    std::memcpy(out_.data() + length, &size, 4);
  }

  template <class T>
  void matrix(const std::string& name, const std::vector<int64_t>& shape, const std::vector<T>& values) {
    const size_t length = begin(name, MatNumber<T>::array, shape);
    // The first index runs fastest in the file, the last in the list.
    std::vector<T> turned(values.size());
    std::vector<int64_t> index(shape.size(), 0);
    for (T& to : turned) {
      int64_t from = 0;
      for (size_t d = 0; d < shape.size(); ++d) from = from * shape[d] + index[d];
      to = values[static_cast<size_t>(from)];
      for (size_t d = 0; d < shape.size() && ++index[d] == shape[d]; ++d) index[d] = 0;
    }
    element(MatNumber<T>::element, turned.data(), sizeof(T) * turned.size());
    end(length);
  }

  void text(const std::string& name, const std::string& value) {
    const size_t length = begin(name, of_chars, {1, static_cast<int64_t>(utf32_of(value).size())});
    element(mat_utf8, value.data(), value.size());
    end(length);
  }

  void matrix(const std::string& name, const std::vector<int64_t>& shape, const std::vector<std::string>& values) {
    if (shape.empty()) return text(name, values[0]);
    const size_t length = begin(name, of_cells, shape);
    for (const std::string& v : values) text("", v);
    end(length);
  }

  std::vector<std::byte> out_;
};

}  // namespace

std::string mat_name(std::string_view name) {
  std::string plain;
  for (char c : name.substr(0, 63)) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = (c >= '0' && c <= '9') || c == '_';
    if (plain.empty() && !letter) plain = "x";
    plain += letter || digit ? c : '_';
  }
  return plain.empty() ? "x" : plain.substr(0, 63);
}

Result<std::vector<std::byte>> write_mat(const NamedArrays& arrays) {
  MatFile file;
  for (const NamedArray& a : arrays)
    if (Status ok = file.add(a); !ok) return ok.error();
  return file.bytes();
}

}  // namespace dalea
