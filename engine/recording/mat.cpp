#include "recording/mat.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "session/npz.h"

namespace dalea {
namespace {

constexpr int mat_depth = 8;               // structs and cells within each other
constexpr size_t mat_name = 64;            // characters of a name; MATLAB's own limit is 63
constexpr size_t mat_start = 128;          // bytes of the file's header
constexpr uint64_t mat_head_bytes = 8192;  // hold a variable's class, shape and name
constexpr uint64_t mat_most = uint64_t{sizeof(void*) == 4 ? 512 : 2048} << 20;  // bytes inflated, bytes of values
constexpr uint64_t mat_dense = uint64_t{1} << 26;                               // values of a sparse matrix

using MatBytes = std::span<const std::byte>;

enum MatType : uint32_t {
  mi_int8 = 1,
  mi_uint8,
  mi_int16,
  mi_uint16,
  mi_int32,
  mi_uint32,
  mi_single,
  mi_double = 9,
  mi_int64 = 12,
  mi_uint64,
  mi_matrix,
  mi_compressed
};
enum MatClass : uint32_t {
  mx_cell = 1,
  mx_struct,
  mx_object,
  mx_char,
  mx_sparse,
  mx_double,
  mx_function = 16,
  mx_opaque
};
constexpr const char* mat_classes[] = {"array",  "cell",   "struct", "object", "char",     "double",
                                       "double", "single", "int8",   "uint8",  "int16",    "uint16",
                                       "int32",  "uint32", "int64",  "uint64", "function", "object"};

struct MatStorage {
  uint64_t width = 0;  // bytes; 0: not numbers
  double (*number)(const std::byte*, bool swap) = nullptr;
};

MatStorage storage_of(uint32_t type) {
  switch (type) {
    case mi_int8:
      return {1, number_at<int8_t>};
    case mi_uint8:
      return {1, number_at<uint8_t>};
    case mi_int16:
      return {2, number_at<int16_t>};
    case mi_uint16:
      return {2, number_at<uint16_t>};
    case mi_int32:
      return {4, number_at<int32_t>};
    case mi_uint32:
      return {4, number_at<uint32_t>};
    case mi_single:
      return {4, number_at<float>};
    case mi_double:
      return {8, number_at<double>};
    case mi_int64:
      return {8, number_at<int64_t>};
    case mi_uint64:
      return {8, number_at<uint64_t>};
    default:
      return {};
  }
}

bool mat_words(uint32_t type) {
  return type == mi_int32 || type == mi_uint32;
}

struct MatElement {
  uint32_t type = 0;
  MatBytes data;
  size_t next = 0;  // where the following element starts
};

struct MatHead {
  uint32_t kind = mx_double;  // MatClass
  bool complex = false, logical = false;
  std::vector<int64_t> shape;
  uint64_t count = 0;  // values, cells or structs
  std::string name;
  size_t body = 0;  // offset of what follows the name

  std::string type() const {
    return std::string(complex ? "complex " : "") + (kind == mx_sparse ? "sparse " : "") +
           (logical ? "logical" : mat_classes[kind]);
  }
};

std::string printable(MatBytes bytes) {
  std::string name;
  for (std::byte b : bytes.first(std::min(bytes.size(), mat_name))) {
    const char c = static_cast<char>(b);
    if (c == '\0') break;
    name += static_cast<unsigned char>(c) < 32 || c == 127 ? '?' : c;
  }
  return name;
}

// The first `most` bytes that `packed` inflates to. `ended`: it inflates to exactly these, with a right checksum.
ByteVector inflate_first(MatBytes packed, uint64_t most, bool& ended, const Progress& progress = {}) {
  ByteVector out(static_cast<size_t>(most));
  z_stream s{};
  ended = false;
  if (inflateInit(&s) != Z_OK) return {};
  s.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
  s.avail_in = static_cast<uInt>(packed.size());
  s.next_out = reinterpret_cast<Bytef*>(out.data());
  uint64_t left = most;
  int status = Z_OK;
  while (status == Z_OK) {  // in pieces of what comes out, so that it can be stopped
    const uint64_t room = std::min<uint64_t>(left, 4 << 20);
    s.avail_out = static_cast<uInt>(room);
    status = inflate(&s, Z_NO_FLUSH);
    left -= room - s.avail_out;
    if (!progress.at(most - left, most)) break;
  }
  ended = status == Z_STREAM_END;
  out.resize(static_cast<size_t>(most - left));
  inflateEnd(&s);
  return out;
}

// One pass over a file: lists every array, or reads the one that is wanted.
class MatPass {
 public:
  MatPass(MatBytes file, std::string_view name, const Progress& progress = {})
      : file_(file), name_(name), unpacking_(progress.part(0, 0.6)), placing_(progress.part(0.6, 1)) {}

  Status open(std::string& format) {
    const std::string_view text(reinterpret_cast<const char*>(file_.data()), file_.size());
    const bool hdf5 = text.size() >= 520 && text.substr(512, 4) == "\x89HDF";
    if (hdf5 || text.substr(0, 10) == "MATLAB 7.3")
      return Error{name_,
                   "is a MATLAB 7.3 file, which is HDF5; save it in MATLAB with save(..., '-v7'), or export the traces "
                   "as CSV or NPY"};
    if (text.size() < mat_start) return Error{name_, "is a MATLAB file cut off in its header; copy the file again"};
    const std::string_view mark = text.substr(126, 2);
    if (mark != "IM" && mark != "MI")
      return Error{name_, "is a MATLAB file without a mark of its byte order; it is damaged: save it again with -v7"};
    big_ = mark == "MI";
    const int version = static_cast<unsigned char>(text[big_ ? 124 : 125]);
    if (version != 1)
      return Error{name_, "is a MATLAB file of a format that is not read, number " + std::to_string(version) +
                              "; save it again with save(..., '-v7')"};
    format = std::string("MATLAB v5, ") + (big_ ? "big-endian" : "little-endian");
    return {};
  }

  Status list(ArrayList& to) {
    list_ = &to;
    return variables();
  }

  Result<MatArray> read(std::string_view wanted) {
    wanted_ = wanted;
    if (Status s = variables(); !s) return s.error();
    if (!found_) return Error{name_, "holds no variable '" + wanted_ + "'; dalea inspect lists what is there"};
    return std::move(array_);
  }

 private:
  static std::string variable(const std::string& path) { return "variable '" + path + "'"; }
  Error damaged(const std::string& what) const { return {name_, what + "; the file is cut off or damaged"}; }

  uint32_t word(MatBytes in, size_t at) const {
    uint32_t v = 0;
    for (size_t k = 0; k < 4; ++k) v |= uint32_t{static_cast<unsigned char>(in[at + k])} << (8 * (big_ ? 3 - k : k));
    return v;
  }

  // Up to four bytes stand within the tag; others follow it, padded to eight.
  std::optional<MatElement> element(MatBytes in, size_t at) const {
    if (at > in.size() || in.size() - at < 8) return std::nullopt;
    const uint32_t first = word(in, at);
    if (first >> 16 != 0) {
      if (first >> 16 > 4) return std::nullopt;
      return MatElement{first & 0xffff, in.subspan(at + 4, first >> 16), at + 8};
    }
    const size_t size = word(in, at + 4), left = in.size() - at - 8;
    if (size > left) return std::nullopt;
    const bool padded = first != mi_matrix && first != mi_compressed && size % 8 != 0;
    return MatElement{first, in.subspan(at + 8, size), at + 8 + std::min(left, padded ? size + 8 - size % 8 : size)};
  }

  // `m`: the element's beginning, `size`: its bytes in all; `what` names it in errors.
  Result<MatHead> head(MatBytes m, uint64_t size, const std::string& what) const {
    MatHead h;
    if (size == 0) {  // how an empty cell is written
      h.shape = {0, 0};
      return h;
    }
    const std::optional<MatElement> flags = element(m, 0);
    if (!flags || flags->type != mi_uint32 || flags->data.size() < 8) return damaged(what + " has no class");
    const uint32_t bits = word(flags->data, 0);
    h.kind = bits & 0xff;
    h.logical = (bits & 0x200) != 0;
    h.complex = (bits & 0x800) != 0;
    if (h.kind == 0 || h.kind > mx_opaque) return damaged(what + " is of an unknown class, " + std::to_string(h.kind));
    size_t at = flags->next;
    if (h.kind != mx_opaque) {
      const std::optional<MatElement> shape = element(m, at);
      if (!shape || !mat_words(shape->type) || shape->data.size() < 8 || shape->data.size() > 4 * 32)
        return damaged(what + " has no shape");
      h.count = 1;
      bool too_large = false;
      for (size_t k = 0; k + 4 <= shape->data.size(); k += 4) {
        const uint32_t n = word(shape->data, k);
        h.shape.push_back(n);
        too_large = too_large || n > 0x7fffffff || (n > 0 && h.count > (uint64_t{1} << 48) / n);
        if (!too_large) h.count *= n;
      }
      if (too_large) return damaged(what + " has an impossible shape, " + shape_text(h.shape));
      at = shape->next;
    }
    const std::optional<MatElement> name = element(m, at);
    if (!name || storage_of(name->type).width != 1) return damaged(what + " has no name");
    h.name = printable(name->data);
    h.body = name->next;
    const bool each_takes_a_byte = h.kind == mx_cell || (h.kind >= mx_double && h.kind < mx_function);
    if (each_takes_a_byte && h.count > size)
      return damaged((h.name.empty() ? what : variable(h.name)) + " says its shape is " + shape_text(h.shape) +
                     " but has " + std::to_string(size) + " bytes");
    return h;
  }

  Status variables() {
    std::string before = "the file's header";
    for (size_t at = mat_start; at < file_.size() && !stopped_;) {
      const std::optional<MatElement> e = element(file_, at);
      if (!e) return damaged("what follows " + before + " is cut off");
      at = e->next;
      if (e->type == mi_compressed) {
        if (Status s = packed(e->data, before); !s) return s;
        continue;
      }
      if (e->type != mi_matrix)
        return damaged("what follows " + before + " is no variable but an element of type " + std::to_string(e->type));
      Result<MatHead> h = head(e->data, e->data.size(), "the variable after " + before);
      if (!h) return h.error();
      before = variable(h->name);
      if (h->name.empty() || skips(h->name)) continue;  // without a name: MATLAB's own notes on objects
      if (Status s = matrix(e->data, h->name, 0); !s) return s;
    }
    return {};
  }

  Status packed(MatBytes data, std::string& before) {
    bool ended = false;
    const ByteVector start = inflate_first(data, mat_head_bytes, ended);
    if (start.size() < 8 || word(start, 0) != mi_matrix)
      return damaged("the variable after " + before + " cannot be unpacked");
    const uint64_t size = word(start, 4);
    // Deflate cannot grow more than about 1032 times: a larger claim is a lie, refused before allocating.
    if (size / 1040 > data.size() + 16) return damaged("the variable after " + before + " claims an impossible size");
    Result<MatHead> h = head(MatBytes(start).subspan(8, std::min<uint64_t>(start.size() - 8, size)), size,
                             "the variable after " + before);
    if (!h) return h.error();
    before = variable(h->name);
    if (h->name.empty() || skips(h->name)) return {};
    if (list_ && h->kind != mx_cell && h->kind != mx_struct) return leaf(*h, {}, h->name);
    if (size + 8 > mat_most - unpacked_)
      return refuse(*h, h->name, "unpacks to more than " + std::to_string(mat_most >> 20) + " MiB");
    unpacked_ += size + 8;
    const ByteVector whole = inflate_first(data, size + 8, ended, unpacking_);
    if (!ended && !unpacking_.at(1)) return cancelled(name_);
    if (!ended || whole.size() != size + 8) return damaged(before + " cannot be unpacked");
    return matrix(MatBytes(whole).subspan(8), h->name, 0);
  }

  Status matrix(MatBytes m, const std::string& path, int depth) {
    Result<MatHead> h = head(m, m.size(), variable(path));
    if (!h) return h.error();
    if (h->kind == mx_cell) return inside(*h, m, h->body, path, depth, {});
    if (h->kind != mx_struct) return leaf(*h, m, path);
    const std::optional<MatElement> length = element(m, h->body);
    const std::optional<MatElement> names = length ? element(m, length->next) : std::nullopt;
    if (!names || !mat_words(length->type) || length->data.size() != 4 || storage_of(names->type).width != 1)
      return damaged(variable(path) + " has no names of fields");
    const size_t each = word(length->data, 0);
    if (each == 0 || each > 4096 || names->data.size() % each != 0)
      return damaged(variable(path) + " has names of fields of an impossible length");
    std::vector<std::string> fields;
    for (size_t at = 0; at < names->data.size(); at += each) fields.push_back(printable(names->data.subspan(at, each)));
    if (fields.empty()) return refuse(*h, path, "is a struct without fields");
    return inside(*h, m, names->next, path, depth, fields);
  }

  // The cells, or struct by struct its fields.
  Status inside(const MatHead& h, MatBytes m, size_t at, const std::string& path, int depth,
                const std::vector<std::string>& fields) {
    if (depth == mat_depth)
      return refuse(h, path, "is more than " + std::to_string(mat_depth) + " structs and cells deep");
    if (h.count == 0) return refuse(h, path, "is empty");
    const size_t each = std::max<size_t>(1, fields.size());
    for (uint64_t k = 0; k < h.count; ++k) {
      const std::string number = std::to_string(k + 1);
      for (size_t f = 0; f < each; ++f) {
        if (stopped_) return {};
        const std::string child = fields.empty() ? path + "{" + number + "}"
                                  : h.count == 1 ? path + "." + fields[f]
                                                 : path + "(" + number + ")." + fields[f];
        const std::optional<MatElement> e = element(m, at);
        if (!e || e->type != mi_matrix) return damaged(variable(child) + " is cut off");
        at = e->next;
        if (skips(child)) continue;
        if (Status s = matrix(e->data, child, depth + 1); !s) return s;
      }
    }
    return {};
  }

  Status leaf(const MatHead& h, MatBytes m, const std::string& path) {
    if (h.kind == mx_char) return refuse(h, path, "holds text");
    if (h.kind == mx_object || h.kind == mx_opaque)
      return refuse(h, path, "is an object; save the numbers in it as a plain matrix");
    if (h.kind == mx_function) return refuse(h, path, "is a function");
    if (h.complex) return refuse(h, path, "is complex; save its real part or its magnitude");
    if (h.count == 0) return refuse(h, path, "is empty");
    if (h.kind == mx_sparse && (h.shape.size() != 2 || h.count > mat_dense))
      return refuse(h, path, "is sparse with more than 2^26 values; save the part that is needed with full()");
    if (h.count > mat_most / sizeof(double))
      return refuse(h, path, "has more values than fit in " + std::to_string(mat_most >> 20) + " MiB");
    if (list_) {
      add({path, h.type(), h.shape, ""});
      return {};
    }
    found_ = stopped_ = true;
    array_ = {h.shape, {}, h.type()};
    return h.kind == mx_sparse ? sparse(h, m, path) : dense(h, m, path);
  }

  Status dense(const MatHead& h, MatBytes m, const std::string& path) {
    const std::optional<MatElement> e = element(m, h.body);
    if (!e) return damaged(variable(path) + " is cut off");
    const MatStorage storage = storage_of(e->type);
    if (storage.width == 0)
      return damaged(variable(path) + " stores its values as an unknown type, " + std::to_string(e->type));
    if (e->data.size() != h.count * storage.width)
      return damaged(variable(path) + " says its shape is " + shape_text(h.shape) + " but holds data for " +
                     std::to_string(e->data.size() / storage.width) + " values");
    array_.values.resize(static_cast<size_t>(h.count));
    // The first index runs fastest in the file, the last in the result.
    std::vector<int64_t> index(h.shape.size(), 0);
    for (size_t k = 0; k < array_.values.size(); ++k) {
      if (k % (1 << 16) == 0 && !placing_.at(k, array_.values.size())) return cancelled(name_);
      int64_t to = 0;
      for (size_t d = 0; d < index.size(); ++d) to = to * h.shape[d] + index[d];
      array_.values[static_cast<size_t>(to)] = storage.number(e->data.data() + k * storage.width, big_);
      for (size_t d = 0; d < index.size() && ++index[d] == h.shape[d]; ++d) index[d] = 0;
    }
    return {};
  }

  // Compressed columns: rows of the values, where each column starts among them, the values.
  Status sparse(const MatHead& h, MatBytes m, const std::string& path) {
    const std::optional<MatElement> rows = element(m, h.body);
    const std::optional<MatElement> starts = rows ? element(m, rows->next) : std::nullopt;
    const std::optional<MatElement> values = starts ? element(m, starts->next) : std::nullopt;
    const uint64_t cols = static_cast<uint64_t>(h.shape[1]);
    if (!values || !mat_words(rows->type) || !mat_words(starts->type) || starts->data.size() != 4 * (cols + 1))
      return damaged(variable(path) + " is not a whole sparse matrix");
    const MatStorage storage = storage_of(values->type);
    if (storage.width == 0) return damaged(variable(path) + " stores its values as an unknown type");
    const uint64_t most = std::min<uint64_t>(rows->data.size() / 4, values->data.size() / storage.width);
    array_.values.assign(static_cast<size_t>(h.count), 0);
    for (uint64_t col = 0, k = 0; col < cols; ++col) {
      const uint64_t end = word(starts->data, static_cast<size_t>(4 * (col + 1)));
      if (end < k || end > most || word(starts->data, 0) != 0)
        return damaged(variable(path) + " has columns that do not follow each other");
      for (; k < end; ++k) {
        const uint64_t row = word(rows->data, static_cast<size_t>(4 * k));
        if (row >= static_cast<uint64_t>(h.shape[0])) return damaged(variable(path) + " has values outside its rows");
        array_.values[static_cast<size_t>(row * cols + col)] =
            storage.number(values->data.data() + k * storage.width, big_);
      }
    }
    return {};
  }

  // Lists it as unusable; where it is the one wanted, that is an error.
  Status refuse(const MatHead& h, const std::string& path, const std::string& why) {
    if (!list_) return Error{name_, variable(path) + " " + why};
    add({path, h.type(), h.shape, why});
    return {};
  }

  void add(ArrayInfo info) {
    stopped_ = list_->more = list_->arrays.size() == most_listed;
    if (!stopped_) list_->arrays.push_back(std::move(info));
  }

  // Whether neither it nor anything within it is wanted.
  bool skips(const std::string& path) const {
    if (list_) return false;
    if (wanted_.compare(0, path.size(), path) != 0) return true;
    return wanted_.size() > path.size() && std::strchr(".({", wanted_[path.size()]) == nullptr;
  }

  MatBytes file_;
  std::string name_, wanted_;
  Progress unpacking_, placing_;
  bool big_ = false, stopped_ = false, found_ = false;
  uint64_t unpacked_ = 0;      // bytes, so far
  ArrayList* list_ = nullptr;  // null: reading
  MatArray array_;
};

}  // namespace

bool is_mat(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.substr(0, 8) == "MATLAB 5" || text.substr(0, 8) == "MATLAB 7") return true;
  if (text.size() < mat_start) return false;
  const std::string_view end = text.substr(124, 4);
  return end == std::string_view("\0\1IM", 4) || end == std::string_view("\1\0MI", 4);
}

Result<ArrayList> list_mat(std::span<const std::byte> bytes, std::string_view file_name) {
  ArrayList list;
  MatPass pass(bytes, file_name);
  if (Status s = pass.open(list.format); !s) return s.error();
  if (Status s = pass.list(list); !s) return s.error();
  return list;
}

Result<MatArray> read_mat(std::span<const std::byte> bytes, std::string_view file_name, std::string_view array,
                          const Progress& progress) {
  std::string format;
  MatPass pass(bytes, file_name, progress);
  if (Status s = pass.open(format); !s) return s.error();
  return pass.read(array);
}

}  // namespace dalea
