#include "recording/hdf5.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "recording/hdf5_parts.h"

namespace dalea {
namespace {

constexpr size_t most_objects = 20000;
constexpr size_t most_path = 4096;  // characters
constexpr int most_groups_deep = 64, most_hops = 16;
constexpr std::string_view hdf5_mark("\x89HDF\r\n\x1a\n", 8);

// Where the superblock begins; the bytes' size: nowhere.
size_t superblock_of(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (size_t at = 0; at < text.size(); at = at == 0 ? 512 : 2 * at)
    if (text.substr(at, 8) == hdf5_mark) return at;
  return text.size();
}

}  // namespace

bool is_hdf5(std::span<const std::byte> bytes) {
  return superblock_of(bytes) < bytes.size();
}

struct Hdf5::File {
  hdf5::Space space;
  std::string name;
  std::vector<Hdf5Object> objects;
  std::vector<uint64_t> addresses;  // of the objects' headers; nowhere: of a link to nothing
  bool more = false;
  uint64_t root = hdf5::nowhere;
  size_t path_characters = 0;
  std::unordered_map<std::string, size_t> by_path;
  std::unordered_map<uint64_t, size_t> by_address;  // the first
  struct Group {
    std::vector<hdf5::Link> links;
    std::unordered_map<std::string_view, size_t> by_name;
  };
  std::unordered_map<uint64_t, Group> groups;
  struct Soft {
    size_t object;   // the link itself
    uint64_t group;  // it stands in
    std::string target;
  };
  std::vector<Soft> soft;

  Status superblock(std::span<const std::byte> bytes);
  bool add(hdf5::Walk& walk, Hdf5Object object, uint64_t address);
  void describe(hdf5::Walk& walk, const hdf5::Messages& messages, Hdf5Object& to) const;
  void group(hdf5::Walk& walk, const hdf5::Messages& messages, uint64_t address, const std::string& path, int depth);
  void object(hdf5::Walk& walk, const hdf5::Link& link, const std::string& path, int depth);
  uint64_t follow(std::string_view path, uint64_t from, int& hops) const;
  uint64_t address_of(std::string_view path) const;
};

Status Hdf5::File::superblock(std::span<const std::byte> bytes) {
  const bool matlab = bytes.size() > 6 && std::memcmp(bytes.data(), "MATLAB", 6) == 0;
  const Error damaged{name, std::string(matlab ? "is a MATLAB 7.3 file, which is HDF5," : "is an HDF5 file") +
                                " with a damaged beginning; copy it again, or save it again" +
                                (matlab ? " with save(..., '-v7')" : "")};
  const size_t at = superblock_of(bytes);
  if (at == bytes.size()) return Error{name, "is not an HDF5 file: it does not hold the format's mark"};
  space.bytes = bytes.subspan(at);
  hdf5::Cursor c(space.bytes, space);
  c.take(8);
  const uint64_t version = c.number(1);
  if (version > 3)
    return Error{name, "is an HDF5 file of a version that is not read, number " + std::to_string(version) +
                           "; save it with an earlier version of the library"};
  c.take(version < 2 ? 4 : 0);
  const uint64_t address_bytes = c.number(1), length_bytes = c.number(1);
  const auto wide = [](uint64_t n) { return n == 2 || n == 4 || n == 8; };
  if (!c.ok() || !wide(address_bytes) || !wide(length_bytes)) return damaged;
  space.address_bytes = static_cast<size_t>(address_bytes);
  space.length_bytes = static_cast<size_t>(length_bytes);
  uint64_t base, end;
  if (version < 2) {
    c.take(1 + 2 + 2 + 4 + (version == 1 ? 4 : 0));
    base = c.address();
    c.address();
    end = c.address();
    c.address();
    c.address();  // the root's name
    root = c.address();
  } else {
    c.take(1);
    base = c.address();
    c.address();
    end = c.address();
    root = c.address();
  }
  if (!c.ok()) return damaged;
  if (end < base || end - base > space.bytes.size())
    return Error{name, "is an HDF5 file that is cut off: it should have " + std::to_string(end - base + at) +
                           " bytes and has " + std::to_string(bytes.size()) + "; copy it again"};
  return {};
}

bool Hdf5::File::add(hdf5::Walk& walk, Hdf5Object object, uint64_t address) {
  path_characters += object.path.size();
  if (walk.spent() || objects.size() == most_objects || path_characters > (size_t{4} << 20) + space.bytes.size()) {
    more = true;
    return false;
  }
  if (address != hdf5::nowhere) by_address.try_emplace(address, objects.size());
  by_path.try_emplace(object.path, objects.size());
  objects.push_back(std::move(object));
  addresses.push_back(address);
  return true;
}

void Hdf5::File::describe(hdf5::Walk& walk, const hdf5::Messages& messages, Hdf5Object& to) const {
  hdf5::Dataset d;
  if (!read_dataset(walk, messages, d)) {
    to.type = "unknown";
    to.unusable = walk.why();
    return;
  }
  to.type = d.type.name;
  to.shape = d.shape.dims;
  to.unusable = !d.type.unusable.empty() ? d.type.unusable : d.shape.none ? "is empty" : d.unreadable;
}

void Hdf5::File::object(hdf5::Walk& walk, const hdf5::Link& link, const std::string& path, int depth) {
  Hdf5Object o;
  o.path = path;
  if (!link.external.empty()) {
    o.type = "link";
    o.unusable = "stands in another file, '" + link.external + "'";
    add(walk, std::move(o), hdf5::nowhere);
    return;
  }
  hdf5::Messages messages;
  walk.forget();
  if (!read_messages(walk, link.address, messages)) {
    o.type = "unknown";
    o.unusable = walk.why();
    add(walk, std::move(o), link.address);
    return;
  }
  o.group = is_group(messages);
  if (o.group) {
    const bool again = groups.count(link.address) > 0;
    if (add(walk, std::move(o), link.address) && !again) group(walk, messages, link.address, path, depth);
    return;
  }
  if (message_of(messages, hdf5::m_layout) == nullptr && message_of(messages, hdf5::m_dataspace) == nullptr)
    return;  // a named type
  describe(walk, messages, o);
  add(walk, std::move(o), link.address);
}

void Hdf5::File::group(hdf5::Walk& walk, const hdf5::Messages& messages, uint64_t address, const std::string& path,
                       int depth) {
  std::vector<hdf5::Link> links;
  walk.forget();
  read_links(walk, messages, links, more);
  if (!walk.why().empty()) objects[by_path[path.empty() ? "/" : path]].unusable = walk.why();
  walk.forget();
  std::erase_if(links, [](const hdf5::Link& l) { return l.name.empty() || l.name.find('/') != std::string::npos; });
  Group& here = groups[address];  // stays where it is when others are added
  here.links = std::move(links);
  for (size_t k = 0; k < here.links.size(); ++k) here.by_name.try_emplace(here.links[k].name, k);
  for (const hdf5::Link& link : here.links) {
    if (more) return;
    const std::string child = path + "/" + link.name;
    if (child.size() > most_path || depth == most_groups_deep) {
      more = true;
      return;
    }
    if (!link.soft.empty()) {
      if (link.soft.size() <= most_path) soft.push_back({objects.size(), address, link.soft});
      Hdf5Object o{child, false, "link", {}, "points to '" + link.soft + "', which is not in the file"};
      if (!add(walk, std::move(o), hdf5::nowhere)) return;
    } else {
      object(walk, link, child, depth + 1);
    }
  }
}

// The object at the end of a path, through soft links; nowhere: none, or links in a circle.
uint64_t Hdf5::File::follow(std::string_view path, uint64_t from, int& hops) const {
  uint64_t here = !path.empty() && path[0] == '/' ? root : from;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(std::min(path.size(), slash + 1));
    if (part.empty() || part == ".") continue;
    const auto group = groups.find(here);
    if (group == groups.end()) return hdf5::nowhere;
    const auto found = group->second.by_name.find(part);
    if (found == group->second.by_name.end()) return hdf5::nowhere;
    const hdf5::Link& link = group->second.links[found->second];
    if (!link.soft.empty()) {
      if (hops-- <= 0 || link.soft.size() > most_path) return hdf5::nowhere;
      here = follow(link.soft, here, hops);
    } else {
      here = link.address;
    }
    if (here == hdf5::nowhere) return here;
  }
  return here;
}

uint64_t Hdf5::File::address_of(std::string_view path) const {
  const std::string whole = path.empty() || path[0] != '/' ? "/" + std::string(path) : std::string(path);
  if (const auto known = by_path.find(whole); known != by_path.end() && addresses[known->second] != hdf5::nowhere)
    return addresses[known->second];
  int hops = most_hops;
  return whole.size() > most_path ? hdf5::nowhere : follow(whole, root, hops);
}

Hdf5::Hdf5(std::unique_ptr<File> file) : file_(std::move(file)) {}
Hdf5::~Hdf5() = default;
Hdf5::Hdf5(Hdf5&&) noexcept = default;
Hdf5& Hdf5::operator=(Hdf5&&) noexcept = default;

Result<Hdf5> Hdf5::open(std::span<const std::byte> bytes, std::string_view file_name) {
  auto file = std::make_unique<File>();
  File& f = *file;
  f.name = file_name;
  if (Status s = f.superblock(bytes); !s) return s.error();
  hdf5::Walk walk(f.space);
  hdf5::Messages messages;
  if (!read_messages(walk, f.root, messages) || !is_group(messages))
    return Error{f.name, "is an HDF5 file whose first group cannot be read; it is damaged: copy or save it again"};
  f.add(walk, {"/", true, "", {}, ""}, f.root);
  f.group(walk, messages, f.root, "", 0);
  for (const File::Soft& link : f.soft) {
    if (link.object >= f.objects.size()) break;
    int hops = most_hops;
    const uint64_t address = f.follow(link.target, link.group, hops);
    const auto known = f.by_address.find(address);
    if (address == hdf5::nowhere || known == f.by_address.end()) continue;
    Hdf5Object o = f.objects[known->second];
    o.path = f.objects[link.object].path;
    f.objects[link.object] = std::move(o);
    f.addresses[link.object] = address;
  }
  return Hdf5(std::move(file));
}

const std::vector<Hdf5Object>& Hdf5::objects() const {
  return file_->objects;
}
bool Hdf5::more() const {
  return file_->more;
}

const Hdf5Object* Hdf5::find(std::string_view path) const {
  const std::string whole = path.empty() || path[0] != '/' ? "/" + std::string(path) : std::string(path);
  if (const auto known = file_->by_path.find(whole); known != file_->by_path.end())
    return &file_->objects[known->second];
  const auto known = file_->by_address.find(file_->address_of(path));
  return known == file_->by_address.end() ? nullptr : &file_->objects[known->second];
}

Result<Hdf5Values> Hdf5::read(std::string_view path, const Progress& progress) const {
  const File& f = *file_;
  const uint64_t address = f.address_of(path);
  const std::string what = "dataset '" + std::string(path) + "' ";
  if (address == hdf5::nowhere) {
    const Hdf5Object* o = find(path);
    return Error{f.name, o == nullptr ? "holds no dataset '" + std::string(path) + "'" : what + o->unusable};
  }
  hdf5::Walk walk(f.space);
  hdf5::Messages messages;
  hdf5::Dataset d;
  if (!read_messages(walk, address, messages)) return Error{f.name, what + walk.why()};
  if (is_group(messages)) return Error{f.name, "'" + std::string(path) + "' is a group, not a dataset"};
  if (!read_dataset(walk, messages, d)) return Error{f.name, what + walk.why()};
  if (!d.unreadable.empty()) return Error{f.name, what + d.unreadable};
  if (d.type.kind == hdf5::Type::other) return Error{f.name, what + d.type.unusable};
  Hdf5Values values;
  if (!read_values(walk, d, values, progress))
    return walk.why().empty() ? cancelled(f.name) : Error{f.name, what + walk.why()};
  return values;
}

Result<Hdf5::Attribute> Hdf5::attribute(std::string_view path, std::string_view name) const {
  const File& f = *file_;
  const std::string what = "attribute '" + std::string(name) + "' of '" + std::string(path) + "': the object ";
  const uint64_t address = f.address_of(path);
  if (address == hdf5::nowhere) return Error{f.name, "holds no object '" + std::string(path) + "'"};
  hdf5::Walk walk(f.space);
  hdf5::Messages messages;
  Attribute a;
  if (!read_messages(walk, address, messages) || !read_attribute(walk, messages, std::string(name), a.found, a.values))
    return Error{f.name, what + walk.why()};
  return a;
}

}  // namespace dalea
