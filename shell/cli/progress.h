// A progress bar on a terminal, a line per tenth elsewhere; on stderr.
#pragma once

#include <chrono>
#include <string>

#include "training/trainer.h"

namespace dalea::cli {

class Progress {
 public:
  Progress(const Trainer& trainer, bool quiet, std::string prefix);
  void update();
  void finish();

 private:
  void draw(bool last);

  const Trainer& trainer_;
  bool quiet_, terminal_;
  std::string prefix_;
  std::chrono::steady_clock::time_point start_, drawn_;
  int64_t first_update_;
  int tenths_ = -1;
};

}  // namespace dalea::cli
