// Object headers, B-trees, heaps and links.
#include <algorithm>
#include <bit>
#include <unordered_set>

#include "recording/hdf5_parts.h"

namespace dalea::hdf5 {

Bytes Cursor::take(uint64_t n) {
  if (n > in_.size()) {
    ok_ = false;
    in_ = {};
    return {};
  }
  const Bytes taken = in_.first(static_cast<size_t>(n));
  in_ = in_.subspan(static_cast<size_t>(n));
  return taken;
}

uint64_t Cursor::number(size_t width) {
  const Bytes raw = take(width);
  uint64_t v = 0;
  for (size_t k = raw.size(); k > 0; --k) v = v << 8 | std::to_integer<uint64_t>(raw[k - 1]);
  return v;
}

uint64_t Cursor::address() {
  const size_t width = space_->address_bytes;
  const uint64_t v = number(width);
  return v == (nowhere >> (64 - 8 * width)) ? nowhere : v;
}

bool Walk::fail(const std::string& why) {
  if (why_.empty()) why_ = why;
  return false;
}

bool Walk::step(uint64_t n) {
  spent_ = spent_ || n > steps_;
  if (spent_) return fail("is arranged so that reading it does not end; the file is damaged");
  steps_ -= n;
  return true;
}

bool Walk::unpack(uint64_t bytes) {
  if (bytes > bytes_) return fail("unpacks to more than a file of this size can hold, or than is read");
  bytes_ -= bytes;
  return true;
}

namespace {

constexpr uint64_t most_tree_depth = 32;

bool damaged_header(Walk& walk) {
  return walk.fail("has a damaged header");
}
bool damaged_index(Walk& walk) {
  return walk.fail("has a damaged index");
}
bool damaged_heap(Walk& walk) {
  return walk.fail("has a damaged heap of links or attributes");
}

// One block of an object header. `order`: version 2 with creation orders.
bool block_messages(Walk& walk, Cursor c, bool second, bool order, Messages& to,
                    std::vector<std::pair<uint64_t, uint64_t>>& more) {
  const uint64_t head = second ? 4 + (order ? 2 : 0) : 8;
  while (c.left() >= head) {
    if (!walk.step()) return false;
    const uint64_t type = c.number(second ? 1 : 2), size = c.number(2), flags = c.number(1);
    c.take(second ? (order ? 2 : 0) : 3);
    const Bytes data = c.take(size);
    if (!c.ok()) return damaged_header(walk);
    if (type == m_continuation) {
      Cursor d = walk.in(data);
      const uint64_t address = d.address(), length = d.length();
      if (!d.ok()) return damaged_header(walk);
      more.emplace_back(address, length);
    } else if (type != 0) {
      to.push_back({static_cast<uint32_t>(type), (flags & 2) != 0, data});
    }
  }
  return true;
}

}  // namespace

bool read_messages(Walk& walk, uint64_t address, Messages& to) {
  if (!walk.step()) return false;
  Cursor c = walk.at(address);
  std::vector<std::pair<uint64_t, uint64_t>> more;
  const bool second = walk.at(address).mark("OHDR");
  bool order = false;
  if (second) {
    c.take(4);
    if (c.number(1) != 2) return damaged_header(walk);
    const uint64_t flags = c.number(1);
    order = (flags & 4) != 0;
    c.take(((flags & 0x20) != 0 ? 16 : 0) + ((flags & 0x10) != 0 ? 4 : 0));
    const Bytes block = c.take(c.number(size_t{1} << (flags & 3)));
    if (!c.ok() || !block_messages(walk, walk.in(block), true, order, to, more)) return damaged_header(walk);
  } else {
    if (c.number(1) != 1) return damaged_header(walk);
    c.take(7);
    const uint64_t size = c.number(4);
    c.take(4);
    const Bytes block = c.take(size);
    if (!c.ok() || !block_messages(walk, walk.in(block), false, false, to, more)) return damaged_header(walk);
  }
  std::unordered_set<uint64_t> seen;
  for (size_t k = 0; k < more.size(); ++k) {
    if (!seen.insert(more[k].first).second) return damaged_header(walk);
    Cursor from = walk.at(more[k].first);
    if (second && (!from.mark("OCHK") || more[k].second < 8)) return damaged_header(walk);
    const Bytes block = from.take(more[k].second - (second ? 8 : 0));
    if (!from.ok() || !block_messages(walk, walk.in(block), second, order, to, more)) return damaged_header(walk);
  }
  return true;
}

const Message* message_of(const Messages& messages, uint32_t type) {
  for (const Message& m : messages)
    if (m.type == type) return &m;
  return nullptr;
}

bool content_of(Walk& walk, const Message& message, Bytes& to) {
  to = message.data;
  if (!message.shared) return true;
  Cursor c = walk.in(message.data);
  const uint64_t version = c.number(1), kind = c.number(1);
  if (version == 1) c.take(6);
  if (version >= 3 && kind == 1) return walk.fail("shares parts of its description, which is not read");
  const uint64_t address = c.address();
  Messages others;
  if (!c.ok() || !read_messages(walk, address, others)) return damaged_header(walk);
  const Message* found = message_of(others, message.type);
  if (found == nullptr || found->shared) return damaged_header(walk);
  to = found->data;
  return true;
}

namespace {

bool tree_node(Walk& walk, uint64_t address, uint64_t kind, size_t key_bytes, uint64_t most_level,
               const UseChild& use) {
  Cursor c = walk.at(address);
  if (!c.mark("TREE") || c.number(1) != kind) return damaged_index(walk);
  const uint64_t level = c.number(1), entries = c.number(2);
  c.address();
  c.address();
  if (!c.ok() || level > most_level || !walk.step(1 + entries)) return damaged_index(walk);
  for (uint64_t k = 0; k < entries; ++k) {
    const Bytes key = c.take(key_bytes);
    const uint64_t child = c.address();
    if (!c.ok()) return damaged_index(walk);
    if (level == 0 ? !use(key, child) : !tree_node(walk, child, kind, key_bytes, level - 1, use)) return false;
  }
  return true;
}

// Bytes that hold numbers up to `most`.
uint64_t width_of(uint64_t most) {
  return most == 0 ? 1 : (static_cast<uint64_t>(std::bit_width(most)) - 1) / 8 + 1;
}

struct Tree2 {
  uint64_t type = 0, record = 0, count_bytes = 0;
  std::vector<uint64_t> total_bytes;  // of a count of records below, by depth
};

bool tree2_node(Walk& walk, const Tree2& tree, uint64_t address, uint64_t records, uint64_t depth,
                const std::function<bool(Bytes)>& use) {
  if (!walk.step(1 + records)) return false;
  Cursor c = walk.at(address);
  if (!c.mark(depth == 0 ? "BTLF" : "BTIN") || c.number(1) != 0 || c.number(1) != tree.type) return damaged_index(walk);
  for (uint64_t k = 0; k < records; ++k) {
    const Bytes record = c.take(tree.record);
    if (!c.ok()) return damaged_index(walk);
    if (!use(record)) return false;
  }
  for (uint64_t k = 0; depth > 0 && k <= records; ++k) {
    const uint64_t child = c.address(), count = c.number(static_cast<size_t>(tree.count_bytes));
    if (depth > 1) c.take(tree.total_bytes[static_cast<size_t>(depth - 1)]);
    if (!c.ok()) return damaged_index(walk);
    if (!tree2_node(walk, tree, child, count, depth - 1, use)) return false;
  }
  return true;
}

}  // namespace

bool each_child(Walk& walk, uint64_t root, uint64_t kind, size_t key_bytes, const UseChild& use) {
  return tree_node(walk, root, kind, key_bytes, most_tree_depth, use);
}

bool each_record(Walk& walk, uint64_t header, uint64_t type, const std::function<bool(Bytes)>& use) {
  Cursor c = walk.at(header);
  if (!c.mark("BTHD") || c.number(1) != 0 || c.number(1) != type) return damaged_index(walk);
  Tree2 tree;
  tree.type = type;
  const uint64_t node = c.number(4);
  tree.record = c.number(2);
  const uint64_t depth = c.number(2);
  c.take(2);
  const uint64_t root = c.address(), records = c.number(2);
  if (!c.ok() || tree.record == 0 || node < 10 + tree.record || depth > most_tree_depth) return damaged_index(walk);
  // A pointer to a node holds counts, as wide as the fullest node and the fullest tree of that depth need.
  uint64_t below = (node - 10) / tree.record;
  tree.count_bytes = width_of(below);
  tree.total_bytes = {0};
  for (uint64_t d = 1; d < depth; ++d) {
    const uint64_t pointer = walk.space.address_bytes + tree.count_bytes + tree.total_bytes.back();
    if (node < 10 + pointer) return damaged_index(walk);
    const uint64_t most = (node - 10 - pointer) / (tree.record + pointer);
    if (most > 0 && below > nowhere / 2 / (most + 1)) return damaged_index(walk);
    below = (most + 1) * below + most;
    tree.total_bytes.push_back(width_of(below));
  }
  if (root == nowhere || records == 0) return true;
  return tree2_node(walk, tree, root, records, depth, use);
}

bool FractalHeap::open(Walk& walk, uint64_t address) {
  Cursor c = walk.at(address);
  if (!c.mark("FRHP") || c.number(1) != 0) return damaged_heap(walk);
  id_bytes = c.number(2);
  const uint64_t filters = c.number(2);
  checked = (c.number(1) & 2) != 0;
  const uint64_t most_managed = c.number(4);
  c.length();  // the next huge object's id
  huge_tree = c.address();
  c.length();
  c.address();  // free space
  for (int k = 0; k < 8; ++k) c.length();
  width = c.number(2);
  first_block = c.length();
  largest_direct = c.length();
  const uint64_t bits = c.number(2);
  c.number(2);
  root = c.address();
  root_rows = c.number(2);
  if (!c.ok() || id_bytes < 3 || id_bytes > 64 || width == 0 || bits == 0 || bits > 64 ||
      !std::has_single_bit(first_block) || !std::has_single_bit(largest_direct) || !std::has_single_bit(width) ||
      largest_direct < first_block || largest_direct > uint64_t{1} << 48 || root_rows > 64)
    return damaged_heap(walk);
  if (filters != 0) return walk.fail("has compressed links or attributes, which are not read");
  offset_bytes = (bits + 7) / 8;
  object_bytes =
      std::min<uint64_t>((static_cast<uint64_t>(std::bit_width(largest_direct)) - 1 + 7) / 8, width_of(most_managed));
  return true;
}

bool FractalHeap::object(Walk& walk, Bytes id, Bytes& to) const {
  if (!walk.step()) return false;
  if (id.size() != id_bytes) return damaged_heap(walk);
  Cursor c = walk.in(id);
  const uint64_t first = c.number(1), kind = first >> 4 & 3;
  if (first >> 6 != 0) return damaged_heap(walk);
  if (kind == 2) {  // within the id
    const bool extended = id_bytes > 18;
    to = c.take((extended ? ((first & 15) << 8 | c.number(1)) : first & 15) + 1);
    return c.ok() || damaged_heap(walk);
  }
  if (kind == 0) {
    const uint64_t offset = c.number(static_cast<size_t>(offset_bytes));
    const uint64_t length = c.number(static_cast<size_t>(object_bytes));
    return c.ok() ? managed(walk, offset, length, to) : damaged_heap(walk);
  }
  // Huge: stands alone in the file. Short ids number it in a tree.
  const size_t a = walk.space.address_bytes, l = walk.space.length_bytes;
  uint64_t address = nowhere, length = 0;
  if (a + l <= id_bytes - 1) {
    address = c.address();
    length = c.length();
  } else {
    const uint64_t wanted = c.number(std::min<size_t>({8, l, static_cast<size_t>(id_bytes - 1)}));
    const auto take = [&](Bytes record) {
      Cursor r = walk.in(record);
      const uint64_t at = r.address(), size = r.length(), number = r.length();
      if (number == wanted && r.ok()) {
        address = at;
        length = size;
      }
      return true;
    };
    if (!each_record(walk, huge_tree, 1, take)) return false;
  }
  Cursor data = walk.at(address);
  to = data.take(length);
  return (c.ok() && data.ok()) || damaged_heap(walk);
}

// The heap's offsets run through a table of blocks, `width` to a row: rows 0 and 1 of `first_block` bytes, each further
// row of blocks twice as large; those above `largest_direct` are again such tables.
bool FractalHeap::managed(Walk& walk, uint64_t offset, uint64_t length, Bytes& to) const {
  uint64_t address = root, rows = root_rows, block = first_block;
  for (int depth = 0; rows > 0; ++depth) {
    if (depth > 16 || !walk.step()) return damaged_heap(walk);
    uint64_t row = 0, start = 0;
    block = first_block;
    while (row < rows && offset - start >= block * width) {
      start += block * width;
      if (row > 0) block *= 2;
      if (block > uint64_t{1} << 50) return damaged_heap(walk);
      ++row;
    }
    if (row >= rows) return damaged_heap(walk);
    const uint64_t column = (offset - start) / block;
    Cursor c = walk.at(address);
    if (!c.mark("FHIB") || c.number(1) != 0) return damaged_heap(walk);
    c.address();
    c.take(offset_bytes);
    c.take((row * width + column) * walk.space.address_bytes);
    address = c.address();
    if (!c.ok()) return damaged_heap(walk);
    offset -= start + column * block;
    if (block <= largest_direct) break;
    rows =
        static_cast<uint64_t>(std::bit_width(block)) - static_cast<uint64_t>(std::bit_width(first_block * width)) + 1;
    if (rows > 64) return damaged_heap(walk);
  }
  Cursor c = walk.at(address);
  if (!walk.at(address).mark("FHDB")) return damaged_heap(walk);
  Cursor whole = walk.in(c.take(root_rows == 0 ? first_block : block));  // a lone direct block may have grown
  if (!c.ok() && root_rows != 0) return damaged_heap(walk);
  if (root_rows == 0) whole = walk.at(address);
  whole.take(offset);
  to = whole.take(length);
  return whole.ok() || damaged_heap(walk);
}

namespace {

std::string name_in(Bytes bytes) {
  std::string name;
  for (std::byte b : bytes) {
    const char c = static_cast<char>(b);
    if (c == '\0') break;
    name += static_cast<unsigned char>(c) < 32 || c == 127 ? '?' : c;
  }
  return name;
}

bool link_message(Walk& walk, Bytes data, Link& to) {
  Cursor c = walk.in(data);
  const uint64_t version = c.number(1), flags = c.number(1);
  const uint64_t kind = (flags & 8) != 0 ? c.number(1) : 0;
  c.take(((flags & 4) != 0 ? 8 : 0) + ((flags & 16) != 0 ? 1 : 0));
  to.name = name_in(c.take(c.number(size_t{1} << (flags & 3))));
  if (kind == 0) {
    to.address = c.address();
  } else {
    const Bytes target = c.take(c.number(2));
    if (kind == 1)
      to.soft = name_in(target);
    else
      to.external = target.empty() ? "?" : name_in(target.subspan(1));
  }
  return (c.ok() && version == 1 && walk.step(4 + (to.name.size() + data.size()) / 8)) ||
         walk.fail("has a damaged link");
}

// The older kind of group: a tree of nodes of names, which stand in a heap.
bool symbol_table(Walk& walk, Bytes message, std::vector<Link>& to, bool& more) {
  Cursor m = walk.in(message);
  const uint64_t tree = m.address(), heap_at = m.address();
  Cursor heap = walk.at(heap_at);
  if (!m.ok() || !heap.mark("HEAP")) return walk.fail("has a damaged list of names");
  heap.take(4);
  const uint64_t size = heap.length();
  heap.length();
  Cursor names = walk.at(heap.address());
  const Bytes text = names.take(size);
  if (!heap.ok() || !names.ok()) return walk.fail("has a damaged list of names");
  const auto name_at = [&](uint64_t at) {
    return at < text.size() ? name_in(text.subspan(static_cast<size_t>(at))
                                          .first(static_cast<size_t>(std::min<uint64_t>(4096, text.size() - at))))
                            : std::string();
  };
  const auto node = [&](Bytes, uint64_t child) {
    Cursor c = walk.at(child);
    if (!c.mark("SNOD") || c.number(1) != 1) return damaged_index(walk);
    c.take(1);
    const uint64_t entries = c.number(2);
    for (uint64_t k = 0; k < entries; ++k) {
      Link link;
      link.name = name_at(c.number(walk.space.address_bytes));
      const uint64_t address = c.address(), cache = c.number(4);
      c.take(4);
      const uint64_t value = c.number(4);
      c.take(12);
      if (!c.ok()) return damaged_index(walk);
      if (cache == 2)
        link.soft = name_at(value);
      else
        link.address = address;
      if (!walk.step(4 + (link.name.size() + link.soft.size()) / 8)) return false;
      more = more || to.size() >= most_links;
      if (to.size() < most_links) to.push_back(std::move(link));
    }
    return true;
  };
  return each_child(walk, tree, 0, walk.space.length_bytes, node);
}

bool dense_links(Walk& walk, Bytes message, std::vector<Link>& to, bool& more) {
  Cursor c = walk.in(message);
  c.take(1);
  const uint64_t flags = c.number(1);
  c.take((flags & 1) != 0 ? 8 : 0);
  const uint64_t heap_at = c.address(), tree = c.address();
  if (!c.ok()) return damaged_header(walk);
  if (heap_at == nowhere || tree == nowhere) return true;
  FractalHeap heap;
  if (!heap.open(walk, heap_at)) return false;
  const size_t first = to.size();
  const auto take = [&](Bytes record) {
    Bytes data;
    Link link;
    if (record.size() < 4 || !heap.object(walk, record.subspan(4), data) || !link_message(walk, data, link))
      return walk.fail("has a damaged link");
    more = more || to.size() >= most_links;
    if (to.size() < most_links) to.push_back(std::move(link));
    return true;
  };
  const bool ok = each_record(walk, tree, 5, take);
  std::sort(to.begin() + static_cast<int64_t>(first), to.end(),  // the tree's order is that of a hash
            [](const Link& a, const Link& b) { return a.name < b.name; });
  return ok;
}

}  // namespace

bool is_group(const Messages& messages) {
  return message_of(messages, m_symbol_table) != nullptr || message_of(messages, m_link_info) != nullptr ||
         message_of(messages, m_link) != nullptr;
}

bool read_links(Walk& walk, const Messages& messages, std::vector<Link>& to, bool& more) {
  for (const Message& m : messages) {
    if (!walk.step()) return false;
    if (m.type == m_symbol_table && !symbol_table(walk, m.data, to, more)) return false;
    if (m.type == m_link_info && !dense_links(walk, m.data, to, more)) return false;
    if (m.type != m_link) continue;
    more = more || to.size() >= most_links;
    if (to.size() >= most_links) continue;
    Link link;
    if (!link_message(walk, m.data, link)) return false;
    to.push_back(std::move(link));
  }
  return true;
}

}  // namespace dalea::hdf5
