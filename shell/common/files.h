// Files for the programs around the engine.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "error.h"

namespace dalea {

// The whole file; "-" is standard input.
Result<std::vector<std::byte>> read_file(const std::string& path);
// A file's bytes to look through. What lies on a disk is mapped: only the pages that are looked at are read, and they
// take no memory that others need. Its bytes can change or end while it is open only if somebody writes into the file.
class FileBytes {
 public:
  FileBytes() = default;
  explicit FileBytes(std::vector<std::byte> bytes);
  std::span<const std::byte> bytes() const { return bytes_; }
  operator std::span<const std::byte>() const { return bytes_; }
  bool mapped() const { return mapped_ != nullptr; }
  bool changed() const;  // mapped, and written into since it was opened: looking at its bytes may end the program

 private:
  friend Result<FileBytes> open_file(const std::string& path);
  std::shared_ptr<const void> owner_;
  std::span<const std::byte> bytes_;
  struct Mapping;
  std::shared_ptr<const Mapping> mapped_;
};
// "-", an empty file and what cannot be mapped (a pipe) are read.
Result<FileBytes> open_file(const std::string& path);
// Written beside the target, flushed to the disk and renamed: a reader or a crash never sees half a file.
Status write_file(const std::string& path, std::span<const std::byte> bytes);
Status write_file(const std::string& path, std::string_view text);
// Creates the folder and its parents, and checks that a file can be made in it.
Status make_folder(const std::string& path);
bool file_exists(const std::string& path);

inline std::vector<std::byte> to_bytes(std::string_view text) {
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  return {bytes, bytes + text.size()};
}

inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace dalea
