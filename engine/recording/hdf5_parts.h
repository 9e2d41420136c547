// Inside the HDF5 reader: what hdf5*.cpp share. The format is The HDF Group's "HDF5 File Format Specification",
// version 3.0; its field names are kept in comments where ours differ.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "recording/hdf5.h"

namespace dalea::hdf5 {

using Bytes = std::span<const std::byte>;
constexpr uint64_t nowhere = UINT64_MAX;  // the undefined address
constexpr int most_rank = 32;
constexpr uint64_t most_bytes_of_one = uint64_t{sizeof(void*) == 4 ? 512 : 2048}
                                       << 20;  // values of a dataset in memory

struct Space {
  Bytes bytes;  // from the superblock on: addresses count from there
  size_t address_bytes = 8, length_bytes = 8;

  // What one dataset may take unpacked: deflate shrinks at most 1032 times.
  uint64_t most_unpacked() const {
    return std::min<uint64_t>(most_bytes_of_one, (uint64_t{16} << 20) + 1040 * uint64_t{bytes.size()});
  }
};

// Little-endian fields, one after another. Past the end they are zero, and ok() is false.
class Cursor {
 public:
  Cursor(Bytes in, const Space& space) : in_(in), space_(&space) {}

  Bytes take(uint64_t n);
  uint64_t number(size_t width);  // at most 8 bytes
  uint64_t address();
  uint64_t length() { return number(space_->length_bytes); }
  bool mark(const char* four) {
    return number(4) == Cursor(std::as_bytes(std::span<const char>(four, 4)), *space_).number(4);
  }
  bool ok() const { return ok_; }
  uint64_t left() const { return in_.size(); }

 private:
  Bytes in_;
  const Space* space_;
  bool ok_ = true;
};

// One piece of work on a file: every node, message and link costs a step, and steps run out, so that no arrangement of
// addresses keeps it busy. Functions that take one return false after fail().
class Walk {
 public:
  explicit Walk(const Space& space)
      : space(space), steps_((uint64_t{4} << 20) + space.bytes.size() / 8), bytes_(space.most_unpacked()) {}

  bool fail(const std::string& why);  // the first reason stays
  bool step(uint64_t n = 1);
  bool unpack(uint64_t bytes);  // steps, in bytes that are unpacked or copied
  bool spent() const { return spent_; }
  const std::string& why() const { return why_; }
  void forget() { why_.clear(); }

  // From there to the file's end; empty outside the file.
  Cursor at(uint64_t address) const {
    return {address < space.bytes.size() ? space.bytes.subspan(static_cast<size_t>(address)) : Bytes(), space};
  }
  Cursor in(Bytes bytes) const { return {bytes, space}; }

  const Space& space;

 private:
  uint64_t steps_, bytes_;
  bool spent_ = false;
  std::string why_;
};

enum MessageType : uint32_t {
  m_dataspace = 1,
  m_link_info = 2,
  m_datatype = 3,
  m_old_fill = 4,
  m_fill = 5,
  m_link = 6,
  m_external = 7,
  m_layout = 8,
  m_filters = 11,
  m_attribute = 12,
  m_continuation = 16,
  m_symbol_table = 17,
  m_attribute_info = 21
};

struct Message {
  uint32_t type = 0;
  bool shared = false;  // data says where it stands
  Bytes data;
};
using Messages = std::vector<Message>;

bool read_messages(Walk& walk, uint64_t address, Messages& to);  // of an object header
// A message's content, fetched from another object where it is shared.
bool content_of(Walk& walk, const Message& message, Bytes& to);
const Message* message_of(const Messages& messages, uint32_t type);

// Version 1: nodes of type `kind` (0 groups, 1 chunks); `use` takes the key before a child and the child's address.
using UseChild = std::function<bool(Bytes key, uint64_t child)>;
bool each_child(Walk& walk, uint64_t root, uint64_t kind, size_t key_bytes, const UseChild& use);
// Version 2, of one type of records.
bool each_record(Walk& walk, uint64_t header, uint64_t type, const std::function<bool(Bytes record)>& use);

// Fractal heap: links and attributes of an object that has many.
struct FractalHeap {
  uint64_t id_bytes = 0, huge_tree = nowhere, width = 0, first_block = 0, largest_direct = 0, root = nowhere;
  uint64_t root_rows = 0, offset_bytes = 0, object_bytes = 0;  // the widths of an offset and of a length in an id
  bool checked = false;

  bool open(Walk& walk, uint64_t address);
  bool object(Walk& walk, Bytes id, Bytes& to) const;

 private:
  bool managed(Walk& walk, uint64_t offset, uint64_t length, Bytes& to) const;
};

struct Link {
  std::string name;
  uint64_t address = nowhere;  // hard
  std::string soft;            // or the path it points to
  std::string external;        // or the file it points to
};
constexpr size_t most_links = 20000;  // of one group; Walk::spent() is false, `more` true where there are others
bool read_links(Walk& walk, const Messages& messages, std::vector<Link>& to, bool& more);
bool is_group(const Messages& messages);

struct Type {
  enum Kind { number, text, variable_text, other } kind = other;
  char form = 'i';  // of a number: 'f', 'i', 'u'
  bool big = false, space_padded = false;
  uint64_t size = 0;  // bytes of an element
  std::string name, unusable;
};
bool read_type(Walk& walk, Bytes message, Type& to);

struct Shape {
  std::vector<int64_t> dims;
  std::vector<uint64_t> most;  // nowhere: unlimited
  bool none = false;           // a null dataspace
  uint64_t count = 1;          // values; nowhere: beyond 2^63
};
bool read_shape(Walk& walk, Bytes message, Shape& to);

struct Filter {
  uint64_t id = 0;
  uint64_t first_value = 0;  // of its client data
};

struct Dataset {
  Type type;
  Shape shape;
  enum Layout { compact, contiguous, chunked, virtual_parts } layout = compact;
  Bytes inside;                 // compact
  uint64_t address = nowhere;   // contiguous: the data; chunked: the index
  std::vector<uint64_t> chunk;  // shape of a chunk
  enum Index { tree, single, implicit, fixed_array, extensible_array, tree2 } index = tree;
  bool raw_edges = false;  // chunks over the edge are not filtered
  uint64_t single_bytes = 0, single_skips = 0;
  std::vector<Filter> filters;
  Bytes fill;
  std::string unreadable;  // why not even its texts can be read

  uint64_t chunk_bytes() const;  // nowhere: impossible
};
bool read_dataset(Walk& walk, const Messages& messages, Dataset& to);

// `scaled`: the chunk's place in units of chunks; `skips`: bit k, filter k was not applied.
using UseChunk =
    std::function<bool(const std::vector<uint64_t>& scaled, uint64_t address, uint64_t bytes, uint64_t skips)>;
bool each_chunk(Walk& walk, const Dataset& dataset, const UseChunk& use);
// A chunk's elements: a part of the file, or `buffer`.
bool unfilter(Walk& walk, const Dataset& dataset, Bytes packed, uint64_t skips, std::vector<std::byte>& buffer,
              Bytes& to);
std::string filter_refused(const Filter& filter);  // "is compressed with szip"; empty: it is read

// False without a reason: it was stopped.
bool read_values(Walk& walk, const Dataset& dataset, Hdf5Values& to, const Progress& progress = {});
struct RawAttribute {
  std::string name;
  Type type;
  Shape shape;
  Bytes data;
};
// The attribute of that name, if there is one: `found`.
bool read_attribute(Walk& walk, const Messages& messages, const std::string& name, bool& found, Hdf5Values& to);

}  // namespace dalea::hdf5
