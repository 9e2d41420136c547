#include "common/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace dalea {
namespace {

Error failed(const std::string& path, const char* what) {
  return {path, std::string(what) + ": " + std::strerror(errno)};
}

}  // namespace

Result<std::vector<std::byte>> read_file(const std::string& path) {
  std::error_code ignored;
  if (path != "-" && std::filesystem::is_directory(path, ignored)) return Error{path, "is a folder; name a file in it"};
  std::FILE* file = path == "-" ? stdin : std::fopen(path.c_str(), "rb");
  if (file == nullptr) {
    Error e = failed(path, "cannot be read");
    e.message += "; check the path (it is taken from where the command was typed)";
    return e;
  }
  std::vector<std::byte> bytes;
  // Room for all of it and for the try that finds its end: growing would hold a large file twice.
  const auto size = std::filesystem::file_size(path, ignored);
  if (!ignored && path != "-") bytes.reserve(static_cast<size_t>(size) + (size_t{1} << 20));
  size_t got = 0;
  do {
    constexpr size_t piece = size_t{1} << 20;
    const size_t at = bytes.size();
    bytes.resize(at + piece);
    got = std::fread(bytes.data() + at, 1, piece, file);
    bytes.resize(at + got);
  } while (got > 0);
  const bool bad = std::ferror(file) != 0;
  if (file != stdin) std::fclose(file);
  if (bad) return failed(path, "cannot be read");
  return bytes;
}

struct FileBytes::Mapping {
  void* at;
  int fd;
  struct stat then;  // when it was opened

  Mapping(void* where, int file, const struct stat& about) : at(where), fd(file), then(about) {}
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    ::munmap(at, static_cast<size_t>(then.st_size));
    ::close(fd);
  }
};

bool FileBytes::changed() const {
  struct stat now = {};
  return mapped_ != nullptr && (::fstat(mapped_->fd, &now) != 0 || now.st_size != mapped_->then.st_size ||
                                now.st_mtime != mapped_->then.st_mtime);
}

FileBytes::FileBytes(std::vector<std::byte> bytes) {
  const auto kept = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  bytes_ = *kept;
  owner_ = kept;
}

Result<FileBytes> open_file(const std::string& path) {
  const int fd = path == "-" ? -1 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat about = {};
  if (fd >= 0 && ::fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0 &&
      static_cast<uint64_t>(about.st_size) <= SIZE_MAX) {
    const auto size = static_cast<size_t>(about.st_size);
    void* at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at != MAP_FAILED) {
      FileBytes file;
      file.mapped_ = std::make_shared<FileBytes::Mapping>(at, fd, about);
      file.bytes_ = {static_cast<const std::byte*>(at), size};
      return file;
    }
  }
  if (fd >= 0) ::close(fd);
  Result<std::vector<std::byte>> read = read_file(path);
  if (!read) return read.error();
  return FileBytes(std::move(*read));
}

Status write_file(const std::string& path, std::span<const std::byte> bytes) {
  const std::string part = path + ".part";
  const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd < 0) return failed(path, "cannot be written");
  for (size_t at = 0; at < bytes.size();) {
    const ssize_t n = ::write(fd, bytes.data() + at, bytes.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const Error e = failed(path, "cannot be written");
      ::close(fd);
      ::unlink(part.c_str());
      return e;
    }
    at += static_cast<size_t>(n);
  }
  (void)::fsync(fd);
  ::close(fd);
  if (std::rename(part.c_str(), path.c_str()) != 0) return failed(path, "cannot be written");
  return {};
}

Status write_file(const std::string& path, std::string_view text) {
  return write_file(path, std::as_bytes(std::span(text.data(), text.size())));
}

Status make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return Error{path, "cannot be made: " + error.message() + "; choose another folder with --out"};
  const std::string probe = path + "/.dalea-probe";
  std::FILE* file = std::fopen(probe.c_str(), "wb");
  if (file == nullptr) {
    Error e = failed(path, "cannot be written to");
    e.message += "; choose another folder with --out";
    return e;
  }
  std::fclose(file);
  std::remove(probe.c_str());
  return {};
}

bool file_exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error);
}

}  // namespace dalea
