// HDF5 from bytes: groups, datasets and attributes, as h5py, MATLAB (-v7.3), pynwb and HDF5 itself write them. A reader
// of ours, so that the page and the native programs read the same, and nothing a file says is trusted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "error.h"
#include "progress.h"

namespace dalea {

struct Hdf5Object {
  std::string path;            // "/", "/gcamp", "/gcamp/traces"
  bool group = false;          // else a dataset
  std::string type;            // dataset: "float64", "int16, big-endian", "text", "compound", ...
  std::vector<int64_t> shape;  // dataset; empty: one value
  std::string unusable;        // why its values cannot be read as real numbers; empty: they can
};

// What an attribute or a dataset holds: numbers, or texts, or neither.
struct Hdf5Values {
  std::vector<int64_t> shape;
  std::vector<double> numbers;     // row-major
  std::vector<std::string> texts;  // row-major
};

// The bytes must outlive it. Errors name the file and the object. Values of at most `most_bytes_of_one` are read.
class Hdf5 {
 public:
  static Result<Hdf5> open(std::span<const std::byte> bytes, std::string_view file_name);
  ~Hdf5();
  Hdf5(Hdf5&&) noexcept;
  Hdf5& operator=(Hdf5&&) noexcept;

  const std::vector<Hdf5Object>& objects() const;  // parents first, in the file's order; at most a stated number
  bool more() const;                               // there are others than these
  const Hdf5Object* find(std::string_view path) const;
  // A dataset's numbers or texts.
  Result<Hdf5Values> read(std::string_view path, const Progress& progress = {}) const;
  // An attribute of an object; no error where there is none: nullptr-like empty optional is `found` false.
  struct Attribute {
    bool found = false;
    Hdf5Values values;
  };
  Result<Attribute> attribute(std::string_view path, std::string_view name) const;

 private:
  struct File;
  explicit Hdf5(std::unique_ptr<File> file);
  std::unique_ptr<File> file_;
};

bool is_hdf5(std::span<const std::byte> bytes);  // a signature at 0, 512, 1024, ... (MATLAB's is at 512)

}  // namespace dalea
