#include "session/hdf5_write.h"

#include <algorithm>
#include <cstring>
#include <map>

namespace dalea {
namespace {

constexpr uint64_t no_address = UINT64_MAX;  // the address of nothing
constexpr uint64_t superblock_bytes = 96;
constexpr int internal_k = 16;  // half the children of a B-tree's node; there is one node, with one child

enum H5Message : uint64_t {
  h5_dataspace = 1,
  h5_datatype = 3,
  h5_fill = 5,
  h5_layout = 8,
  h5_attribute = 12,
  h5_symbols = 17
};

// Little-endian fields, one after the other.
struct H5Bytes {
  std::vector<std::byte> bytes;

  H5Bytes& put(uint64_t v, int size) {
    for (int k = 0; k < size; ++k) bytes.push_back(static_cast<std::byte>(v >> (8 * k)));
    return *this;
  }
  H5Bytes& put(const void* from, size_t size) {
    const auto* b = static_cast<const std::byte*>(from);
    bytes.insert(bytes.end(), b, b + size);
    return *this;
  }
  H5Bytes& put(const H5Bytes& other) { return put(other.bytes.data(), other.bytes.size()); }
  H5Bytes& align() {
    bytes.resize((bytes.size() + 7) / 8 * 8);
    return *this;
  }
};

H5Bytes text_type(size_t size) {
  return std::move(H5Bytes().put(0x13, 1).put(0x11, 3).put(size, 4));  // padded with NULs, UTF-8
}

H5Bytes float_type(int size) {
  const bool wide = size == 8;
  H5Bytes t;
  t.put(0x11, 1).put(0x20, 1).put(static_cast<uint64_t>(8 * size - 1), 2).put(static_cast<uint64_t>(size), 4);
  t.put(0, 2).put(static_cast<uint64_t>(8 * size), 2);
  t.put(wide ? 52 : 23, 1).put(wide ? 11 : 8, 1).put(0, 1).put(wide ? 52 : 23, 1).put(wide ? 1023 : 127, 4);
  return t;
}

H5Bytes integer_type(int size, bool with_sign) {
  H5Bytes t;
  t.put(0x10, 1).put(with_sign ? 0x08 : 0, 3).put(static_cast<uint64_t>(size), 4);
  t.put(0, 2).put(static_cast<uint64_t>(8 * size), 2);
  return t;
}

H5Bytes dataspace(const std::vector<int64_t>& shape) {
  H5Bytes s;
  s.put(1, 1).put(shape.size(), 1).put(0, 6);
  for (int64_t n : shape) s.put(static_cast<uint64_t>(n), 8);
  return s;
}

struct H5Data {
  H5Bytes type;
  std::vector<std::byte> padded;    // of texts
  std::span<const std::byte> data;  // row-major
};

H5Data data_of(const NamedArray::Values& values) {
  H5Data d;
  if (const auto* texts = std::get_if<std::vector<std::string>>(&values)) {
    size_t longest = 1;
    for (const std::string& t : *texts) longest = std::max(longest, t.size());
    d.type = text_type(longest);
    d.padded.resize(longest * texts->size());
    for (size_t k = 0; k < texts->size(); ++k)
      std::copy_n(reinterpret_cast<const std::byte*>((*texts)[k].data()), (*texts)[k].size(),
                  d.padded.begin() + static_cast<std::ptrdiff_t>(k * longest));
    d.data = d.padded;
  } else if (const auto* f = std::get_if<std::vector<float>>(&values)) {
    d = {float_type(4), {}, std::as_bytes(std::span(*f))};
  } else if (const auto* g = std::get_if<std::vector<double>>(&values)) {
    d = {float_type(8), {}, std::as_bytes(std::span(*g))};
  } else if (const auto* n = std::get_if<std::vector<int64_t>>(&values)) {
    d = {integer_type(8, true), {}, std::as_bytes(std::span(*n))};
  } else {
    d = {integer_type(1, false), {}, std::as_bytes(std::span(std::get<std::vector<uint8_t>>(values)))};
  }
  return d;
}

class H5File {
 public:
  explicit H5File(size_t most_links) : leaf_k_(std::max<size_t>(4, (most_links + 1) / 2)) {
    out_.bytes.resize(superblock_bytes);
  }

  using Links = std::map<std::string, uint64_t>;  // sorted, as a group's must be

  uint64_t dataset(const NamedArray& array) {
    const H5Data d = data_of(array.values);
    const uint64_t at = d.data.empty() ? no_address : here();
    out_.put(d.data.data(), d.data.size());
    H5Bytes messages;
    message(messages, h5_dataspace, dataspace(array.shape));
    message(messages, h5_datatype, d.type);
    message(messages, h5_fill, H5Bytes().put(2, 1).put(1, 1).put(0, 1).put(1, 1).put(0, 4));  // 0, as by default
    message(messages, h5_layout, H5Bytes().put(3, 1).put(1, 1).put(at, 8).put(d.data.size(), 8));
    if (!array.axes.empty()) attribute(messages, "axes", array.axes);
    return header(messages, array.axes.empty() ? 4 : 5);
  }

  struct Group {
    uint64_t header = 0, tree = 0, heap = 0;
  };
  Group group(const Links& links, const std::string& written_by = "") {
    H5Bytes names, table;
    names.put(0, 8);
    table.put("SNOD", 4).put(1, 2).put(links.size(), 2);
    uint64_t last = 0;
    for (const auto& [name, address] : links) {
      last = names.bytes.size();
      names.put(name.c_str(), name.size() + 1).align();
      table.put(last, 8).put(address, 8).put(0, 8).put(0, 8).put(0, 8);
    }
    table.bytes.resize(8 + 2 * leaf_k_ * 40);
    const uint64_t names_at = here();
    out_.put(names);
    Group g;
    g.heap = here();
    out_.put("HEAP", 4).put(0, 4).put(names.bytes.size(), 8).put(1, 8).put(names_at, 8);  // 1: nothing is free
    const uint64_t table_at = here();
    out_.put(table);
    g.tree = here();
    const size_t tree_end = out_.bytes.size() + 24 + 8 * (4 * internal_k + 1);
    out_.put("TREE", 4).put(0, 2).put(links.empty() ? 0 : 1, 2).put(no_address, 8).put(no_address, 8);
    out_.put(0, 8).put(table_at, 8).put(last, 8);
    out_.bytes.resize(tree_end);
    H5Bytes messages;
    message(messages, h5_symbols, H5Bytes().put(g.tree, 8).put(g.heap, 8));
    if (!written_by.empty()) attribute(messages, "written_by", written_by);
    g.header = header(messages, written_by.empty() ? 1 : 2);
    return g;
  }

  std::vector<std::byte> finish(const Group& root) {
    out_.align();
    H5Bytes s;
    s.put("\x89HDF\r\n\x1a\n", 8).put(0, 5).put(8, 1).put(8, 1).put(0, 1);  // addresses and lengths of 8 bytes
    s.put(leaf_k_, 2).put(internal_k, 2).put(0, 4);
    s.put(0, 8).put(no_address, 8).put(out_.bytes.size(), 8).put(no_address, 8);
    s.put(0, 8).put(root.header, 8).put(1, 4).put(0, 4).put(root.tree, 8).put(root.heap, 8);
    std::copy(s.bytes.begin(), s.bytes.end(), out_.bytes.begin());
    return std::move(out_.bytes);
  }

 private:
  uint64_t here() {
    out_.align();
    return out_.bytes.size();
  }

  static void message(H5Bytes& to, H5Message type, H5Bytes body) {
    body.align();
    to.put(type, 2).put(body.bytes.size(), 2).put(0, 4).put(body);
  }
  static void attribute(H5Bytes& to, const char* name, const std::string& value) {
    const H5Bytes type = text_type(value.size()), space = dataspace({});
    const size_t length = std::strlen(name) + 1;
    H5Bytes a;
    a.put(1, 2).put(length, 2).put(type.bytes.size(), 2).put(space.bytes.size(), 2);
    a.put(name, length).align().put(type).align().put(space).align().put(value.data(), value.size());
    message(to, h5_attribute, std::move(a));
  }
  uint64_t header(const H5Bytes& messages, int count) {
    const uint64_t at = here();
    out_.put(1, 2).put(static_cast<uint64_t>(count), 2).put(1, 4).put(messages.bytes.size(), 4).align().put(messages);
    return at;
  }

  size_t leaf_k_;  // half the names that a table of symbols has room for: each group has one table
  H5Bytes out_;
};

}  // namespace

Result<std::vector<std::byte>> write_hdf5(const NamedArrays& arrays) {
  if (arrays.size() > 131070)
    return Error{"arrays", "are " + std::to_string(arrays.size()) + "; HDF5 is written with up to 131070: export .npz"};
  H5File file(arrays.size());
  std::map<std::string, H5File::Links> groups;  // "": the root
  for (const NamedArray& a : arrays) {
    const size_t slash = a.name.find('/');
    const std::string folder = slash == std::string::npos ? "" : a.name.substr(0, slash);
    groups[folder][a.name.substr(slash == std::string::npos ? 0 : slash + 1)] = file.dataset(a);
  }
  H5File::Links root = groups[""];
  for (const auto& [name, links] : groups)
    if (!name.empty()) root[name] = file.group(links).header;
  return file.finish(file.group(root, "Dalea"));
}

}  // namespace dalea
