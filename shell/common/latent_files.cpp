#include "common/latent_files.h"

#include "common/files.h"

namespace dalea {

Result<Latents> read_latent_files(const std::string& file) {
  if (file.empty())
    return Error{"task.file", "is empty; give a file of latent vectors with their labels (.npz, .npy or CSV)"};
  std::string vectors = file, labels;
  const size_t comma = file.rfind(',');
  if (comma != std::string::npos && !file_exists(file)) {
    vectors = file.substr(0, comma);
    labels = file.substr(comma + 1);
  }
  FileBytes held[2];
  for (size_t k = 0; k < (labels.empty() ? 1 : 2); ++k) {
    const std::string& path = k == 0 ? vectors : labels;
    Result<FileBytes> bytes = open_file(path);
    if (!bytes) return Error{"task.file: " + bytes.error().path, bytes.error().message};
    if (bytes->bytes().empty()) return Error{"task.file: " + path, "is empty"};
    held[k] = std::move(*bytes);
  }
  Result<Latents> read = read_latents(held[0], vectors, held[1], labels);
  if (!read) return Error{"task.file: " + read.error().path, read.error().message};
  return read;
}

}  // namespace dalea
