// The four IDX files of the digits, given to the window one by one and in any order.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "app/live.h"

namespace dalea::app {

class DigitFiles {
 public:
  // By content, whatever the name: IDX images or labels, plain or gzipped.
  static bool is_one(const NamedFile& file);
  // A file that is_one(). Training or test is told by the name, or else by the published counts; an error says how to
  // name it. One given again replaces the one before.
  Status take(FilePtr file);
  bool complete() const;
  bool empty() const;
  // "The training images (60000) and training labels (60000) are here; still missing: ...".
  std::string text() const;
  const std::array<FilePtr, 4>& files() const { return files_; }
  void clear() { *this = DigitFiles(); }

 private:
  std::array<FilePtr, 4> files_;        // as Live::give_digit_files() wants them
  std::array<int64_t, 4> counts_ = {};  // of digits, as the files say
};

}  // namespace dalea::app
