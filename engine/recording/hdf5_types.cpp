// What a dataset says of itself: types, shapes, layouts, filters; and attributes.
#include <algorithm>
#include <string_view>

#include "recording/hdf5_parts.h"

namespace dalea::hdf5 {
namespace {

bool damaged_type(Walk& walk) {
  return walk.fail("has a damaged description of its values");
}

std::string_view chars_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void number_type(Type& t, char form, const char* word) {
  t.kind = Type::number;
  t.form = form;
  t.name = word + std::to_string(8 * t.size) + (t.big && t.size > 1 ? ", big-endian" : "");
}

void whole_number(Cursor& c, Type& t, uint64_t bits, char form, const char* word) {
  t.big = (bits & 1) != 0;
  const uint64_t offset = c.number(2), precision = c.number(2);
  number_type(t, form, word);
  if (offset == 0 && precision == 8 * t.size && (t.size == 1 || t.size == 2 || t.size == 4 || t.size == 8)) return;
  t.kind = Type::other;
  t.unusable = "holds integers of " + std::to_string(precision) + " bits in " + std::to_string(t.size) +
               " bytes; save them as integers of 1, 2, 4 or 8 bytes";
}

// Only IEEE 754's three formats are read: where sign, exponent and mantissa stand, and the exponent's bias.
void floating_number(Cursor& c, Type& t, uint64_t bits) {
  struct Form {
    uint64_t size, sign, exponent_at, exponent, mantissa, bias;
  };
  constexpr Form forms[] = {{2, 15, 10, 5, 10, 15}, {4, 31, 23, 8, 23, 127}, {8, 63, 52, 11, 52, 1023}};
  t.big = (bits & 1) != 0;
  const uint64_t offset = c.number(2), precision = c.number(2), exponent_at = c.number(1), exponent = c.number(1),
                 mantissa_at = c.number(1), mantissa = c.number(1), bias = c.number(4);
  number_type(t, 'f', "float");
  for (const Form& f : forms)
    if (f.size == t.size && f.sign == (bits >> 8 & 255) && f.exponent_at == exponent_at && f.exponent == exponent &&
        f.mantissa == mantissa && f.bias == bias && mantissa_at == 0 && offset == 0 && precision == 8 * t.size &&
        (bits & 0x40) == 0 && (bits >> 4 & 3) == 2)
      return;
  t.kind = Type::other;
  t.unusable = "holds floating-point numbers of an uncommon form; save them as float32 or float64";
}

bool type_of(Walk& walk, Cursor c, Type& t, int depth) {
  const uint64_t head = c.number(1), bits = c.number(3);
  t.size = c.number(4);
  if (!c.ok() || t.size == 0 || depth > 2) return damaged_type(walk);
  switch (head & 15) {
    case 0:
      whole_number(c, t, bits, (bits & 8) != 0 ? 'i' : 'u', (bits & 8) != 0 ? "int" : "uint");
      break;
    case 1:
      floating_number(c, t, bits);
      break;
    case 2:
      t.name = "time";
      t.unusable = "holds times in a form that is not read";
      break;
    case 3:
      t.kind = Type::text;
      t.space_padded = (bits & 15) == 2;
      t.name = "text";
      t.unusable = "holds text";
      break;
    case 4:
      whole_number(c, t, bits, 'u', "bits");
      break;
    case 5:
      t.name = "opaque";
      t.unusable = "holds opaque bytes";
      break;
    case 6: {
      const std::string_view first = chars_of(c.take(std::min<uint64_t>(5, c.left())));
      const bool complex = (bits & 0xffff) == 2 &&
                           (first.substr(0, 2) == std::string_view("r\0", 2) || first == std::string_view("real\0", 5));
      t.name = complex ? "complex" : "compound";
      t.unusable = complex ? "is complex; save its real part or its magnitude"
                           : "is a table of several fields; save the column that is needed as a plain dataset";
      return true;
    }
    case 7:
      t.name = "reference";
      t.unusable = "holds references to other objects";
      return true;
    case 8: {
      Type base;
      const uint64_t version = head >> 4, size = t.size;
      if (!type_of(walk, c, base, depth + 1)) return false;
      c.take(12);
      const Bytes names = c.take(std::min<uint64_t>(6, c.left()));
      const bool truth = (bits & 0xffff) == 2 && chars_of(names) == std::string_view("FALSE\0", 6) && version >= 1;
      t = base;
      if (t.kind != Type::number || t.size != size) {
        t.kind = Type::other;
        t.unusable = "holds names of cases in an uncommon form";
      }
      t.name = truth ? "bool" : "enum " + base.name;
      return true;
    }
    case 9:
      t.name = (bits & 15) == 1 ? "text" : "variable-length";
      t.kind = (bits & 15) == 1 ? Type::variable_text : Type::other;
      t.unusable = (bits & 15) == 1 ? "holds text" : "holds lists of differing lengths";
      if (t.kind == Type::variable_text && t.size != 8 + walk.space.address_bytes) return damaged_type(walk);
      return true;
    case 10:
      t.name = "array";
      t.unusable = "holds an array in each element";
      return true;
    default:
      t.name = "unknown";
      t.unusable = "holds values of an unknown type, number " + std::to_string(head & 15);
      return true;
  }
  return c.ok() || damaged_type(walk);
}

void read_filters(Walk& walk, Bytes message, Dataset& d) {
  Cursor c = walk.in(message);
  const uint64_t version = c.number(1), count = c.number(1);
  if (version == 1) c.take(6);
  if (count > 32 || version < 1 || version > 2) walk.fail("has a damaged list of filters");
  for (uint64_t k = 0; k < count && c.ok(); ++k) {
    Filter f;
    f.id = c.number(2);
    const uint64_t name = version == 1 || f.id >= 256 ? c.number(2) : 0;
    c.number(2);
    const uint64_t values = c.number(2);
    c.take(version == 1 ? (name + 7) / 8 * 8 : name);
    if (values > 0) f.first_value = c.number(4);
    c.take(values > 0 ? 4 * (values - 1) : 0);
    if (version == 1 && values % 2 != 0) c.take(4);
    d.filters.push_back(f);
  }
  if (!c.ok()) walk.fail("has a damaged list of filters");
}

bool damaged_layout(Walk& walk) {
  return walk.fail("has a damaged layout");
}

bool chunk_shape(Walk& walk, Cursor& c, uint64_t dims, size_t width, Dataset& d) {
  if (dims != d.shape.dims.size() + 1 || dims < 2) return damaged_layout(walk);
  d.layout = Dataset::chunked;
  for (uint64_t k = 0; k < dims; ++k) {
    const uint64_t n = c.number(width);
    if (n == 0 || (k + 1 == dims && n != d.type.size)) return damaged_layout(walk);
    if (k + 1 < dims) d.chunk.push_back(n);
  }
  return true;
}

bool read_layout(Walk& walk, Bytes message, Dataset& d) {
  Cursor c = walk.in(message);
  const uint64_t version = c.number(1);
  if (version == 1 || version == 2) {
    const uint64_t dims = c.number(1), kind = c.number(1);
    c.take(5);
    if (kind != 0) d.address = c.address();
    if (kind == 2) return chunk_shape(walk, c, dims, 4, d) && (c.ok() || damaged_layout(walk));
    c.take(4 * dims);
    d.layout = kind == 0 ? Dataset::compact : Dataset::contiguous;
    if (kind == 0) d.inside = c.take(c.number(4));
    return (c.ok() && kind < 2) || damaged_layout(walk);
  }
  if (version != 3 && version != 4) return damaged_layout(walk);
  const uint64_t kind = c.number(1);
  if (kind == 0) {
    d.layout = Dataset::compact;
    d.inside = c.take(c.number(2));
  } else if (kind == 1) {
    d.layout = Dataset::contiguous;
    d.address = c.address();
    c.length();
  } else if (kind == 3) {
    d.layout = Dataset::virtual_parts;
  } else if (kind == 2 && version == 3) {
    const uint64_t dims = c.number(1);
    d.address = c.address();
    if (!chunk_shape(walk, c, dims, 4, d)) return false;
  } else if (kind == 2) {
    const uint64_t flags = c.number(1), dims = c.number(1), width = c.number(1);
    d.raw_edges = (flags & 1) != 0;
    if (width < 1 || width > 8 || !chunk_shape(walk, c, dims, static_cast<size_t>(width), d))
      return damaged_layout(walk);
    const uint64_t index = c.number(1);
    if (index < 1 || index > 5) return damaged_layout(walk);
    d.index = static_cast<Dataset::Index>(index);
    d.single_bytes = d.chunk_bytes();
    if (index == 1 && (flags & 2) != 0) {
      d.single_bytes = c.length();
      d.single_skips = c.number(4);
    }
    c.take(index == 3 ? 1 : index == 4 ? 5 : index == 5 ? 6 : 0);
    d.address = c.address();
  } else {
    return damaged_layout(walk);
  }
  return c.ok() || damaged_layout(walk);
}

void read_fill(Walk& walk, const Messages& messages, Dataset& d) {
  const Message* m = message_of(messages, m_fill);
  Bytes data;
  if (m != nullptr && content_of(walk, *m, data)) {
    Cursor c = walk.in(data);
    const uint64_t version = c.number(1);
    const uint64_t flags = version == 3 ? c.number(1) : (c.number(1), c.number(1), c.number(1));
    const bool defined = version == 3 ? (flags & 0x20) != 0 : version == 1 || flags != 0;
    if (defined) d.fill = c.take(c.number(4));
  } else if (m = message_of(messages, m_old_fill); m != nullptr) {
    Cursor c = walk.in(m->data);
    d.fill = c.take(c.number(4));
  }
  if (d.fill.size() != d.type.size) d.fill = {};
}

// Why its values are not read, whatever they are.
std::string storage_refused(const Walk& walk, const Messages& messages, const Dataset& d) {
  const std::string elsewhere = " another file; save them in this one";
  if (message_of(messages, m_external) != nullptr) return "keeps its values in" + elsewhere;
  if (d.layout == Dataset::virtual_parts) return "is virtual, put together from datasets of" + elsewhere;
  for (const Filter& f : d.filters)
    if (const std::string why = filter_refused(f); !why.empty()) return why;
  // Each value takes 8 bytes here, a text 32.
  const uint64_t each = std::max<uint64_t>(d.type.size, d.type.kind == Type::number ? 8 : 32);
  const uint64_t most = walk.space.most_unpacked();
  if (d.shape.count > most / each)
    return most == most_bytes_of_one ? "has more values than fit in " + std::to_string(most >> 20) + " MiB"
                                     : "has more values than a file of this size can hold";
  if (d.layout == Dataset::chunked && d.chunk_bytes() > most) return "has chunks larger than the file can hold";
  return {};
}

}  // namespace

bool read_type(Walk& walk, Bytes message, Type& to) {
  return type_of(walk, walk.in(message), to, 0);
}

bool read_shape(Walk& walk, Bytes message, Shape& to) {
  Cursor c = walk.in(message);
  const uint64_t version = c.number(1), rank = c.number(1), flags = c.number(1);
  if (version == 1)
    c.take(5);
  else
    to.none = c.number(1) == 2;
  if (version < 1 || version > 2 || rank > most_rank) return walk.fail("has a damaged shape");
  bool beyond = false, empty = false;
  for (uint64_t k = 0; k < rank; ++k) {
    const uint64_t n = c.length();
    if (n > INT64_MAX) return walk.fail("has an impossible shape");
    to.dims.push_back(static_cast<int64_t>(n));
    empty = empty || n == 0;
    beyond = beyond || (n > 0 && to.count > INT64_MAX / n);
    to.count = beyond ? 0 : to.count * n;
  }
  if (empty || to.none)
    to.count = 0;
  else if (beyond)
    to.count = nowhere;
  if (to.none) to.dims = {0};
  for (uint64_t k = 0; k < rank && (flags & 1) != 0; ++k) {
    const uint64_t n = c.length();
    to.most.push_back(n == (nowhere >> (64 - 8 * walk.space.length_bytes)) ? nowhere : n);
  }
  for (size_t k = to.most.size(); k < to.dims.size(); ++k) to.most.push_back(static_cast<uint64_t>(to.dims[k]));
  return c.ok() || walk.fail("has a damaged shape");
}

uint64_t Dataset::chunk_bytes() const {
  uint64_t n = type.size;
  for (uint64_t c : chunk) {
    if (n > INT64_MAX / c) return nowhere;
    n *= c;
  }
  return n;
}

bool read_dataset(Walk& walk, const Messages& messages, Dataset& to) {
  const Message *type = message_of(messages, m_datatype), *shape = message_of(messages, m_dataspace),
                *layout = message_of(messages, m_layout), *filters = message_of(messages, m_filters);
  if (type == nullptr || shape == nullptr || layout == nullptr) return walk.fail("is neither a group nor a dataset");
  Bytes data;
  if (!content_of(walk, *type, data) || !read_type(walk, data, to.type)) return false;
  if (!content_of(walk, *shape, data) || !read_shape(walk, data, to.shape)) return false;
  if (filters != nullptr && content_of(walk, *filters, data)) read_filters(walk, data, to);
  if (!walk.why().empty() || !read_layout(walk, layout->data, to)) return false;
  read_fill(walk, messages, to);
  to.unreadable = storage_refused(walk, messages, to);
  return walk.why().empty();
}

namespace {

bool attribute_message(Walk& walk, Bytes message, RawAttribute& to) {
  const auto damaged = [&walk] { return walk.fail("has a damaged attribute"); };
  Cursor c = walk.in(message);
  const uint64_t version = c.number(1), flags = c.number(1);
  const uint64_t sizes[3] = {c.number(2), c.number(2), c.number(2)};
  if (version < 1 || version > 3) return damaged();
  if (version == 3) c.take(1);
  Bytes parts[3];
  for (int k = 0; k < 3; ++k) parts[k] = c.take(version == 1 ? (sizes[k] + 7) / 8 * 8 : sizes[k]);
  if (!c.ok()) return damaged();
  const std::string_view name = chars_of(parts[0]);
  to.name = name.substr(0, name.find('\0'));
  to.data = c.take(c.left());
  Bytes type, shape;
  return content_of(walk, {m_datatype, version > 1 && (flags & 1) != 0, parts[1]}, type) &&
         content_of(walk, {m_dataspace, version > 1 && (flags & 2) != 0, parts[2]}, shape) &&
         read_type(walk, type, to.type) && read_shape(walk, shape, to.shape);
}

// Whether the message's name is the one, without reading the rest.
bool named(Walk& walk, Bytes message, const std::string& name) {
  Cursor c = walk.in(message);
  const uint64_t version = c.number(1);
  c.take(1);
  const uint64_t size = c.number(2);
  c.take(version == 3 ? 5 : 4);
  const std::string_view text = chars_of(c.take(size));
  return c.ok() && text.substr(0, text.find('\0')) == name;
}

}  // namespace

bool read_attribute(Walk& walk, const Messages& messages, const std::string& name, bool& found, Hdf5Values& to) {
  found = false;
  Bytes message;
  const auto consider = [&](Bytes data) {
    if (found || !named(walk, data, name)) return;
    found = true;
    message = data;
  };
  for (const Message& m : messages) {
    if (!walk.step()) return false;
    if (m.type == m_attribute) {
      Bytes data;
      if (!content_of(walk, m, data)) return false;
      consider(data);
    }
    if (m.type != m_attribute_info || found) continue;
    Cursor c = walk.in(m.data);
    c.take(1);
    const uint64_t flags = c.number(1);
    c.take((flags & 1) != 0 ? 2 : 0);
    const uint64_t heap_at = c.address(), tree = c.address();
    if (!c.ok()) return walk.fail("has a damaged list of attributes");
    if (heap_at == nowhere || tree == nowhere) continue;
    FractalHeap heap;
    if (!heap.open(walk, heap_at)) return false;
    const auto take = [&](Bytes record) {
      Cursor r = walk.in(record);
      const Bytes id = r.take(heap.id_bytes);
      const bool shared = (r.number(1) & 2) != 0;
      Bytes data;
      if (!r.ok() || !heap.object(walk, id, data)) return walk.fail("has a damaged list of attributes");
      if (!shared || !found) consider(data);
      return true;
    };
    if (!each_record(walk, tree, 8, take)) return false;
  }
  if (!found) return true;
  RawAttribute raw;
  if (!attribute_message(walk, message, raw)) return false;
  Dataset d;  // an attribute's values stand as those of a compact dataset
  d.type = raw.type;
  d.shape = raw.shape;
  d.inside = raw.data;
  d.unreadable = storage_refused(walk, {}, d);
  to.shape = raw.shape.dims;
  if (d.type.kind == Type::other) return true;
  if (!d.unreadable.empty()) return walk.fail(d.unreadable);
  return read_values(walk, d, to);
}

}  // namespace dalea::hdf5
