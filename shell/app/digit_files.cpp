#include "app/digit_files.h"

#include <algorithm>
#include <vector>

namespace dalea::app {
namespace {

constexpr const char* part_names[] = {"training images", "training labels", "test images", "test labels"};
constexpr const char* published_names[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                           "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};
constexpr int64_t published_train = 60000, published_test = 10000;

// "a, b and c".
std::string listed(const std::vector<std::string>& items) {
  std::string text;
  for (size_t k = 0; k < items.size(); ++k) text += (k == 0 ? "" : k + 1 == items.size() ? " and " : ", ") + items[k];
  return text;
}

}  // namespace

bool DigitFiles::is_one(const NamedFile& file) {
  return peek_idx(file.content()).has_value();
}

Status DigitFiles::take(FilePtr file) {
  const std::optional<IdxHead> head = peek_idx(file->bytes);
  if (!head) return Error{file->name, "is not an IDX file of digits; give one of the four"};
  std::string name = file->name;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  bool train = name.find("train") != std::string::npos;
  bool test = name.find("t10k") != std::string::npos || name.find("test") != std::string::npos;
  if (train == test) {  // the name says nothing
    train = head->count == published_train;
    test = head->count == published_test;
  }
  if (train == test)
    return Error{file->name,
                 std::string("holds ") + (head->images ? "images" : "labels") + " of " + std::to_string(head->count) +
                     " digits, but its name does not say whether they are for training or for the test; "
                     "name it " +
                     published_names[head->images ? 0 : 1] + " or " + published_names[head->images ? 2 : 3]};
  const size_t part = (train ? 0u : 2u) + (head->images ? 0u : 1u);
  files_[part] = std::move(file);
  counts_[part] = head->count;
  return {};
}

bool DigitFiles::complete() const {
  return std::all_of(files_.begin(), files_.end(), [](const FilePtr& f) { return f != nullptr; });
}

bool DigitFiles::empty() const {
  return std::all_of(files_.begin(), files_.end(), [](const FilePtr& f) { return f == nullptr; });
}

std::string DigitFiles::text() const {
  std::vector<std::string> here, missing;
  for (size_t k = 0; k < files_.size(); ++k) {
    if (files_[k])
      here.push_back(std::string(part_names[k]) + " (" + std::to_string(counts_[k]) + ")");
    else
      missing.push_back(std::string(part_names[k]) + " (" + published_names[k] + ")");
  }
  if (missing.empty()) return "All four files of digits are here: reading them.";
  if (here.empty()) return "The four files of digits are missing: " + listed(missing) + ".";
  return "Digits: the " + listed(here) + (here.size() > 1 ? " are" : " is") +
         " here; still missing: " + listed(missing) + ". Drop " + (missing.size() > 1 ? "them" : "it") +
         " on the window.";
}

}  // namespace dalea::app
