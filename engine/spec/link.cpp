// The link: "v1=" + base64url(zlib(compact JSON)). Untrusted input: every size is bounded before it is allocated.
#include <zlib.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "spec/json_strict.h"
#include "spec/spec.h"

namespace dalea {
namespace {

constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr size_t max_link = 200000;

std::string base64url(const std::string& bytes) {
  std::string text;
  uint32_t held = 0;
  int bits = 0;
  for (unsigned char c : bytes) {
    held = (held << 8) | c;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      text += alphabet[(held >> bits) & 63];
    }
  }
  if (bits > 0) text += alphabet[(held << (6 - bits)) & 63];
  return text;
}

// What names a file or a folder: it means nothing elsewhere, is nobody's business, and nothing a link says is opened.
struct PathKey {
  const char *path, *what;
  std::string& (*in)(Spec&);
};
constexpr PathKey path_keys[] = {
    {"recording.file", "file", [](Spec& s) -> std::string& { return s.recording.file; }},
    {"recording.cells", "file", [](Spec& s) -> std::string& { return s.recording.cells; }},
    {"recording.events.file", "file", [](Spec& s) -> std::string& { return s.recording.events.file; }},
    {"task.file", "file", [](Spec& s) -> std::string& { return s.task.file; }},
    {"task.folder", "folder", [](Spec& s) -> std::string& { return s.task.folder; }},
    {"connectome.file", "file", [](Spec& s) -> std::string& { return s.connectome.file; }},
    {"connectome.names", "file", [](Spec& s) -> std::string& { return s.connectome.names; }},
    {"connectome.signs", "file", [](Spec& s) -> std::string& { return s.connectome.signs; }},
    {"connectome.densities", "file", [](Spec& s) -> std::string& { return s.connectome.densities; }},
};

Result<std::string> from_base64url(std::string_view text) {
  std::string bytes;
  uint32_t held = 0;
  int bits = 0;
  for (char c : text) {
    const char* at = c != 0 ? std::char_traits<char>::find(alphabet, 64, c) : nullptr;
    if (at == nullptr)
      return Error{"link",
                   "has a character that no Dalea link has; it was probably cut or changed on the way: copy it again"};
    held = (held << 6) | static_cast<uint32_t>(at - alphabet);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes += static_cast<char>((held >> bits) & 255);
    }
  }
  return bytes;
}

}  // namespace

std::string pack_text(std::string_view text) {
  uLongf size = compressBound(static_cast<uLong>(text.size()));
  std::string packed(size, '\0');
  compress2(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(text.data()),
            static_cast<uLong>(text.size()), 9);
  packed.resize(size);
  return base64url(packed);
}

Result<std::string> unpack_text(std::string_view text, size_t most) {
  if (text.size() > max_link) return Error{"link", "is longer than any experiment needs; it was not made by Dalea"};
  Result<std::string> packed = from_base64url(text);
  if (!packed) return packed.error();
  std::string unpacked;
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return Error{"link", "cannot be unpacked: out of memory"};
  stream.next_in = reinterpret_cast<Bytef*>(packed->data());
  stream.avail_in = static_cast<uInt>(packed->size());
  int status = Z_OK;
  char piece[4096];
  while (status == Z_OK && unpacked.size() <= most) {
    stream.next_out = reinterpret_cast<Bytef*>(piece);
    stream.avail_out = sizeof piece;
    status = inflate(&stream, Z_NO_FLUSH);
    unpacked.append(piece, sizeof piece - stream.avail_out);
  }
  inflateEnd(&stream);
  if (unpacked.size() > most)
    return Error{"link", "unpacks to more than " +
                             (most >= size_t{1} << 20 ? std::to_string(most >> 20) + " MiB"
                                                      : std::to_string(most >> 10) + " KiB") +
                             "; it was not made by Dalea"};
  if (status != Z_STREAM_END) return Error{"link", "is damaged or cut off; copy the whole of it again"};
  return unpacked;
}

std::string encode_link(const Spec& spec) {
  Spec shared = spec;
  for (const PathKey& key : path_keys) key.in(shared).clear();
  return "v1=" + pack_text(print_spec(shared, true));
}

Result<std::string> decode_link(std::string_view link) {
  if (const size_t hash = link.find('#'); hash != std::string_view::npos) link.remove_prefix(hash + 1);
  while (!link.empty() && (link.back() == '\n' || link.back() == '\r' || link.back() == ' ')) link.remove_suffix(1);
  if (link.size() < 2 || link[0] != 'v' || link.find('=') == std::string_view::npos)
    return Error{"link", "does not hold an experiment; a Dalea link ends in #v1=..."};
  if (link.substr(0, 3) != "v1=")
    return Error{"link", "is of version '" + std::string(link.substr(0, std::min<size_t>(link.find('='), 20))) +
                             "'; this program reads v1, so a newer one made it: update Dalea"};
  link.remove_prefix(3);
  Result<std::string> unpacked = unpack_text(link.substr(0, link.find('&')), max_json_bytes);
  if (!unpacked) return unpacked.error();
  const std::string json = std::move(*unpacked);
  Result<nlohmann::ordered_json> document = parse_json_strict(json, "link");
  if (!document) return document.error();
  for (const PathKey& key : path_keys) {
    const nlohmann::ordered_json* at = &*document;
    std::string_view rest = key.path;
    while (at != nullptr && !rest.empty()) {
      const std::string part(rest.substr(0, rest.find('.')));
      rest.remove_prefix(std::min(rest.size(), part.size() + 1));
      at = at->is_object() && at->contains(part) ? &(*at)[part] : nullptr;
    }
    if (at != nullptr)
      return Error{std::string("link: ") + key.path,
                   std::string("names a ") + key.what + ", and links never open local files; give it yourself"};
  }
  return json;
}

}  // namespace dalea
